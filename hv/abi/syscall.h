/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/syscall.h - the system-call interface of the monitors.
 *
 * Instruction SYSCALL; number in RAX; arguments in RDI, RSI, RDX, R10, R8;
 * result in RAX: zero or positive is success, negative is -SYS_E*.  RCX and
 * R11 are clobbered, everything else is preserved.  Numbers are never reused.
 * Pointers are virtual addresses of the caller's kernel address space and are
 * checked against it before anything is done.  Times are nanoseconds since
 * the host's power-on calibration (SYS_TIME), the same in every partition.
 *
 * A SYSCALL executed by a guest's user process (inside SYS_USER_RUN) is not a
 * monitor call: it ends SYS_USER_RUN with USER_EXIT_SYSCALL.
 */
#ifndef PARTERRE_ABI_SYSCALL_H
#define PARTERRE_ABI_SYSCALL_H

#include "abi/layout.h"

/* For every partition. */
#define SYS_NULL 0          /* () -> 0; for timing */
#define SYS_YIELD 1         /* () -> 0; the rest of the quantum to others */
#define SYS_WAIT 2          /* (mask, deadline_ns) -> events & mask, cleared;
                               0 when the deadline passed.  Returns at once if
                               one is pending.  deadline ~0: none. */
#define SYS_TIME 3          /* () -> ns */
#define SYS_LOG 4           /* (buf, bytes <= 200) -> 0: one console line, which
                               the monitor tags with the partition's name.
                               -SYS_EAGAIN: the log is full, try later. */
#define SYS_SIGNAL 5        /* (channel handle) -> 0; event to the peer */
#define SYS_CHANNEL_MAP 6   /* (handle) -> va of the slot */
#define SYS_CHANNEL_UNMAP 7 /* (handle) -> 0 */
#define SYS_DEVICE_MAP 8    /* (device index) -> va of the slot: page 0 is the
                               function's configuration space (read-only),
                               pages 1.. the BAR without its MSI-X pages */
#define SYS_EXIT 9          /* (code) does not return: the partition stops,
                               state STOPPED, reported like a crash */
#define SYS_SURRENDER 10    /* () does not return: all quanta for ever */
#define SYS_CONTROL 11      /* () -> va of the control channel, mapped: the one
                               channel that every partition has */
#define SYS_VTIME 12        /* (struct vcpu_time *) -> 0 */
#define SYS_CONSOLE_READ 15 /* (buf, bytes) -> how many: what was typed on the
                               console; operations alone.  EVENT_CONSOLE tells
                               that there is some. */

/* A guest's user address spaces.  `as` is 1 to AS_COUNT-1.  Pages are counted
 * from 0 at PART_MEMORY_VA; one that becomes a table leaves the guest's mappings
 * until the space is destroyed. */
#define SYS_AS_CREATE 16  /* (as, page for the root) -> 0 */
#define SYS_AS_TABLE 17   /* (as, va, level 3..1, page) -> 0: table for va; the
                             level names the table: 3 = PDPT, 2 = PD, 1 = PT */
#define SYS_AS_MAP 18     /* (as, struct as_map *, count <= 64) -> 0; all or
                             nothing */
#define SYS_AS_DESTROY 19 /* (as) -> 0 */
#define SYS_USER_RUN 20   /* (as, deadline_ns, event mask) -> USER_EXIT_*; runs
                             the context in the user frame (PART_FRAME_VA) until
                             something ends it */

/* Virtual interrupts of a kernel: while `enabled` in its struct upcall is not 0
 * and an event of the mask is pending, the monitor puts the interrupted rip, rsp,
 * rflags, rax, rcx and r11 there, sets `enabled` to 0 and goes to the entry, with
 * the stack as it was.  The handler takes the events by SYS_WAIT and ends by
 * SYS_UPCALL_RETURN.  An event that finds `enabled` 0 sets `missed`; a kernel
 * that enables again looks there and calls SYS_UPCALL_POLL.  Nothing of this
 * stops the quantum, which is the monitor's. */
#define SYS_UPCALL 21        /* (entry, event mask) -> 0; entry 0: none */
#define SYS_UPCALL_RETURN 22 /* () goes on as struct upcall says, enabled */
#define SYS_UPCALL_POLL 23   /* () -> 0; delivers what is pending */
#define SYS_ALARM 24         /* (ns) -> 0: EVENT_ALARM then; ~0: never */

/* The idle partition. */
#define SYS_HALT 32 /* () -> 0 after an interrupt */

/* The ultravisor partition: lead monitor services. */
#define SYS_LEAD_CREATE 48   /* (struct lead_create *) -> slot */
#define SYS_LEAD_MAP 49      /* (struct lead_map *) -> 0 */
#define SYS_LEAD_START 50    /* (slot, entry rip, rsp) -> 0 */
#define SYS_LEAD_STOP 51     /* (slot) -> 0; runs nowhere, until started */
#define SYS_LEAD_DESTROY 52  /* (slot) -> 0; its frames are free afterwards */
#define SYS_LEAD_SCHEDULE 53 /* (pfn of struct lead_schedule) -> 0 */
#define SYS_LEAD_BIND 54     /* (vector, slot, event bit) -> 0 */
#define SYS_LEAD_ROOT 55     /* (pfn of struct db_root) -> 0: for observers */
#define SYS_LEAD_REPORT 56   /* (slot, event bit): who hears of stops, crashes */
#define SYS_LEAD_FRAMES 57   /* (va, pfn, count, prot) -> 0: map frames into the
                                ultravisor itself; prot 0 unmaps.  Never a frame
                                of a live monitor instance. */
#define SYS_LEAD_NOTIFY 58   /* (slot, event bits) -> 0: events to a partition */
#define SYS_LEAD_OFF 59      /* (code) does not return: machine off */
#define SYS_LEAD_SYNC 60     /* (slot) -> 0: its view was published anew; sends
                                EVENT_VIEW, and returns when its monitor goes by
                                the new one, wherever it runs */
#define SYS_LEAD_PAUSE 61    /* (slot) -> 0: SLOT_PAUSED */
#define SYS_LEAD_RESUME 62   /* (slot) -> 0: goes on where it was */
#define SYS_LEAD_SAVE 63     /* (slot, struct lead_state *) -> 0: of a paused one,
                                what its monitor instance holds */
#define SYS_LEAD_RESTORE 64  /* (slot, struct lead_state *, part) -> 0: into a
                                CREATED one, whose memory has been mapped and
                                filled; part 1 to AS_COUNT-1: that address space;
                                then part 0, all else: it is paused then */

#define SYS_COUNT 72

/* Errors (returned negated). */
#define SYS_ENOSYS 1  /* no such call, or not for this partition */
#define SYS_EINVAL 2  /* a parameter is out of range */
#define SYS_EFAULT 3  /* a pointer leaves the caller's memory */
#define SYS_EPERM 4   /* the view does not give this to the caller */
#define SYS_EAGAIN 5  /* full or busy: try later */
#define SYS_ENOENT 6  /* no such object */
#define SYS_EEXIST 7  /* there already */
#define SYS_ENOTABLE 8 /* a page table is missing: SYS_AS_TABLE first */
#define SYS_ESTATE 9  /* not in this state */

/* Protection bits for AS_MAP, LEAD_MAP, LEAD_FRAMES. */
#define PROT_R 1
#define PROT_W 2
#define PROT_X 4
#define PROT_DEVICE 8 /* uncached */

/* Events: bits of the word that SYS_WAIT returns. */
#define EVENT_CHANNEL(handle) (1ull << (handle)) /* handles 0..31 */
#define EVENT_DEVICE(index) (1ull << (32 + (index))) /* device index 0..3 */
#define EVENT_VIEW (1ull << 40)   /* the view was republished */
#define EVENT_REPORT (1ull << 41) /* a partition stopped or crashed (ultravisor) */
#define EVENT_STOP (1ull << 42)   /* orderly stop asked for */
#define EVENT_CONSOLE (1ull << 43) /* SYS_CONSOLE_READ has something */
#define EVENT_CHECK (1ull << 44)   /* a machine check concerned this partition */
#define EVENT_ALARM (1ull << 45)   /* SYS_ALARM */

/* Ends of SYS_USER_RUN. */
#define USER_EXIT_SYSCALL 1  /* frame.rax.. as the process left them, rip after */
#define USER_EXIT_FAULT 2    /* frame.vector, .error, .cr2 */
#define USER_EXIT_EVENT 3    /* an event of the mask is pending */
#define USER_EXIT_DEADLINE 4

#define AS_COUNT 16 /* address spaces of a partition, kernel's included */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct as_map {
	uint64_t va;
	uint64_t page; /* of the guest's memory, from 0 */
	uint64_t prot; /* PROT_*; 0 unmaps */
};

/* The user frame at PART_FRAME_VA: the context that SYS_USER_RUN runs. */
struct user_frame {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags; /* of rflags only the status flags and DF count */
	uint64_t fs_base, gs_base;
	uint64_t vector, error, cr2; /* of USER_EXIT_FAULT */
	uint64_t reserved[9];
	uint8_t fxsave[512] __attribute__((aligned(16)));
};
_Static_assert(sizeof(struct user_frame) == 768, "user frame layout");

/* At PART_FRAME_VA + PART_UPCALL_OFFSET. */
#define PART_UPCALL_OFFSET 1024
struct upcall {
	uint32_t enabled; /* the kernel's virtual interrupt flag */
	uint32_t missed;
	uint64_t rip, rsp, rflags; /* where it was interrupted */
	uint64_t rax, rcx, r11;
};

/* Nanoseconds of the partition's virtual time, which stands still while it is
 * saved and is the host's otherwise. */
struct vcpu_time {
	uint64_t now_ns;
	uint64_t run_ns;    /* it had a CPU, its monitor's work included */
	uint64_t stolen_ns; /* it could have run, but did not */
	uint64_t offset_ns; /* what the host's clock is ahead of its own */
};
#endif
#endif

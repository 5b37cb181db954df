/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/monitor.h - what the files of the monitor share.
 *
 * One text, many instances.  The text, the constants and the lead monitor's
 * data lie at the same addresses in every address space; a partition's own
 * state lies at INSTANCE_VA in that partition's address spaces only.  So
 * `VCPU` is always the running partition's, and loading CR3 changes instance,
 * stack and state at one stroke.
 *
 *   MONITOR_VA              text, constants, lead data (2 MiB, one page table)
 *   MONITOR_VA + 0x1ff000   local APIC
 *   INSTANCE_VA             the donated frames, in order (INST_*), then
 *   INSTANCE_VIEW_VA        the partition's view, read-only
 *   INSTANCE_FRAME_VA       its user frame
 *   INSTANCE_WINDOW_VA      WINDOWS pages onto any frame: how page tables of
 *                           others and of guests are reached
 *
 * A monitor never blocks and never keeps a stack across a switch: each entry
 * saves the whole guest state to VCPU->regs, runs to its end with interrupts
 * off, and leaves by what VCPU->regs holds then.
 *
 * Several CPUs: a slot runs on one at a time, so its instance needs no lock.
 * What the lead monitor keeps of all slots is guarded by one lock (sched.c),
 * but `pending`, which is only ever changed by atomic operations.  CPUs ask
 * each other to look by VECTOR_LOOK and never wait for one that may wait for
 * them.
 *
 * An instance's private state may be overwritten at any instant, by a stray DMA
 * or an error in here.  Then its slot is not the one that runs, which each
 * entry from ring 3 (entry.S) and monitor_resume() look at, and the partition
 * has crashed.
 *
 * Includable from assembly.  Next: entry.S.
 */
#ifndef PARTERRE_MONITOR_H
#define PARTERRE_MONITOR_H

#include "abi/layout.h"

/* The image lies at IMAGE_PA and is seen at MONITOR_VA. */
#define IMAGE_PA           0x100000
#define SHARED_LAPIC_VA    (MONITOR_VA + 0x1ff000)
#define INSTANCE_VA        (MONITOR_VA + 0x200000)
#define INSTANCE_VIEW_VA   (INSTANCE_VA + 0x1f0000)
#define INSTANCE_FRAME_VA  (INSTANCE_VA + 0x1f4000)
#define INSTANCE_WINDOW_VA (INSTANCE_VA + 0x1f8000)
#define INSTANCE_MAX       0x1f0 /* donated frames that fit below the view */
#define WINDOWS            4

/* Use of the donated frames. */
#define INST_PML4      0 /* root of the kernel address space */
#define INST_PDPT_HIGH 1
#define INST_PD_HIGH   2
#define INST_PT        3 /* maps INSTANCE_VA.. */
#define INST_PDPT_LOW  4
#define INST_PD_LOW    5
#define INST_VCPU      6  /* 2 frames */
#define INST_GUARD     8  /* stays unmapped: below the stack */
#define INST_STACK     9  /* 3 frames */
#define INST_TABLES    12 /* page tables of the low GiB, in order of need */

#define VCPU_VA  (INSTANCE_VA + INST_VCPU * 4096)
#define STACK_VA (INSTANCE_VA + INST_TABLES * 4096) /* grows down from here */

/* struct vcpu, for assembly. */
#define REGS_R15       0
#define REGS_RBX       40
#define REGS_R10       56
#define REGS_R9        64
#define REGS_R8        72
#define REGS_RAX       80
#define REGS_RDX       96
#define REGS_RSI       104
#define REGS_RDI       112
#define REGS_VECTOR    120
#define REGS_RIP       136
#define REGS_CS        144
#define REGS_RFLAGS    152
#define REGS_RSP       160
#define REGS_BYTES     176
#define VCPU_ATTENTION 176
#define VCPU_IN_USER   180
#define VCPU_SLOT      184

/* struct lead_area: of each CPU, the slot that runs there. */
#define LEAD_CPU 128

/* Segment selectors: SYSRET takes SEL_SYSRET + 8 and + 16. */
#define SEL_CODE      0x08
#define SEL_DATA      0x10
#define SEL_SYSRET    0x13
#define SEL_USER_DATA 0x1b
#define SEL_USER_CODE 0x23
#define SEL_TSS       0x28 /* 16 bytes each CPU */

/* Interrupt vectors.  Devices have what lies between. */
#define VECTOR_FIRST    0x20
#define VECTOR_CHECK    18
#define VECTOR_DEVICE   0x40
#define VECTOR_DEVICES  0xa0
#define VECTOR_TIMER    0xe0
#define VECTOR_UART     0xe1
#define VECTOR_LOOK     0xe2 /* from another CPU: look at your slot anew */
#define VECTOR_SPURIOUS 0xff

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/lead.h"
#include "abi/syscall.h"
#include "abi/view.h"

#define NEVER        (~0ull)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define PTE_P           0x001ull
#define PTE_W           0x002ull
#define PTE_U           0x004ull
#define PTE_PWT         0x008ull
#define PTE_PCD         0x010ull
#define PTE_G           0x100ull
#define PTE_NX          (1ull << 63)
#define PTE_PFN(e)      (((e) >> 12) & 0xffffffffffull)
#define PTE(pfn, flags) (((uint64_t)(pfn) << 12) | (flags))
#define PTE_TABLE       (PTE_P | PTE_W | PTE_U)

/* Guest state as every entry leaves it on RSP0, which is the end of this. */
struct regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct fx {
	uint8_t byte[512];
} __attribute__((aligned(16)));

/* A guest's user address space. */
struct space {
	uint64_t root_pfn; /* 0: none */
	uint32_t dying; /* SYS_AS_DESTROY is at work: next frame to look at */
	uint32_t reserved;
};

/* The virtual processor: all that a partition's monitor instance remembers. */
struct vcpu {
	struct regs regs;   /* what the next exit loads */
	uint32_t attention; /* the next exit must look: monitor_leave() */
	uint32_t in_user; /* regs are a user process's, kernel waits in `kernel`
			   */
	uint32_t slot;
	uint32_t kind;
	uint32_t waiting; /* VCPU_WAITING: SYS_WAIT has yet to give its result;
			     else 0 */
	uint32_t user_as;
	uint64_t cr3; /* the root in force */
	uint64_t user_mask;
	uint64_t monitor_pfn, monitor_frames;
	uint64_t tables; /* next donated frame for a page table */
	uint64_t view_seen;
	uint64_t fs_base, gs_base;
	uint16_t ds, es, fs, gs;
	uint64_t upcall_entry, upcall_mask; /* entry 0: none */
	struct regs kernel;
	struct fx fx;        /* while the partition doesn't run */
	struct fx kernel_fx; /* of the kernel while a user process runs */
	struct space space[AS_COUNT];
	uint64_t channel_pfn[CHANNEL_SLOTS]; /* mapped in the window; 0: not */
	uint32_t channel_pages[CHANNEL_SLOTS];
	uint64_t device_pfn[DEVICE_SLOTS];
};

#define VCPU ((struct vcpu *)VCPU_VA)
/* Nothing that is there by chance: what was overwritten must not sleep. */
#define VCPU_WAITING 0x74696177u

_Static_assert(offsetof(struct regs, rbx) == REGS_RBX, "regs");
_Static_assert(offsetof(struct regs, r8) == REGS_R8, "regs");
_Static_assert(offsetof(struct regs, rax) == REGS_RAX, "regs");
_Static_assert(offsetof(struct regs, rdi) == REGS_RDI, "regs");
_Static_assert(offsetof(struct regs, vector) == REGS_VECTOR, "regs");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "regs");
_Static_assert(offsetof(struct regs, rsp) == REGS_RSP, "regs");
_Static_assert(sizeof(struct regs) == REGS_BYTES, "regs");
_Static_assert(REGS_BYTES % 16 == 0, "RSP0 must be aligned");
_Static_assert(offsetof(struct vcpu, attention) == VCPU_ATTENTION, "vcpu");
_Static_assert(offsetof(struct vcpu, in_user) == VCPU_IN_USER, "vcpu");
_Static_assert(offsetof(struct vcpu, slot) == VCPU_SLOT, "vcpu");
_Static_assert(offsetof(struct lead_area, cpu) == LEAD_CPU &&
		       !offsetof(struct lead_cpu, current) &&
		       sizeof(struct lead_cpu) ==
			       4 * 16, /* of a TSS's descriptor */
	       "own_slot");
_Static_assert(sizeof(struct vcpu) <= 8192, "INST_VCPU frames");

/* ---- lead data ---------------------------------------------------------- */

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap;
} __attribute__((packed));

/* Stacks that must work whatever state the partition's own is in. */
#define IST_FAULT  1
#define IST_DOUBLE 2
#define IST_NMI    3
#define IST_CHECK  4
struct cpu_stacks {
	uint8_t fault[4096], idle[4096], twice[2048], check[4096], nmi[2048];
} __attribute__((aligned(16)));

/* Changed under the lock, but for index, in_fault, locked and armed_ns. */
struct cpu {
	uint32_t index;
	uint32_t apic_id;
	uint32_t resched; /* SWITCH_*: why the next exit must choose anew */
	uint32_t ready;   /* slots READY or RUNNING here, as bits */
	uint32_t timed;   /* slots WAITING with a deadline */
	uint32_t alarmed; /* slots with an alarm set */
	uint32_t capped;  /* of ready: those whose cap is used up */
	uint32_t idle;    /* slots with standing 0 */
	uint32_t owners;  /* slots with windows of their own here */
	uint32_t left;    /* the slot that schedule() leaves */
	bool guard;       /* the round has its turn: no take-over */
	bool in_fault;    /* the instance is broken: touch it no more */
	bool locked;      /* this CPU holds the lock */
	bool checked;     /* check_tell() has something to tell */
	uint64_t check_pa;
	uint64_t run_start_ns;
	uint64_t boosted_ns; /* what wake privileges took from the round */
	uint64_t floor;      /* the least `share` of the round, never less */
	uint64_t armed_ns;   /* the timer's */
	/* The earliest instant that one of timed, alarmed, capped waits for, or
	 * one before it; 0: to be looked for. */
	uint64_t due_ns;
	/* The cyclic frame; windows 0: none. */
	uint32_t windows, window;
	uint64_t window_end_ns;
	struct {
		uint32_t slot;
		uint32_t length_ns;
	} frame[SCHEDULE_WINDOWS];
} __attribute__((aligned(256))); /* a shift to index by */

extern struct lead_area lead_area;
extern struct cpu cpus[ABI_CPUS];
extern struct tss tsses[ABI_CPUS];
extern struct cpu_stacks stacks[ABI_CPUS];
extern uint64_t gdt[SEL_TSS / 8 + 2 * ABI_CPUS];
extern uint64_t idt[256][2];
extern uint64_t shared_pt[512];
/* Tables of a CPU that runs no partition: the shared part alone. */
extern uint64_t lead_pml4[512], lead_pdpt[512], lead_pd[512];

/* What the lead monitor alone knows of a slot. */
struct lead_private {
	uint64_t monitor_pfn, monitor_frames;
	uint64_t view_pfn, frame_pfn;
	/* Scheduling (sched.c). */
	uint64_t quantum_ns, budget_ns, slept_ns;
	uint64_t share;    /* time had, the more the less its weight */
	uint64_t ready_ns; /* since when it has been ready or paused */
	uint64_t alarm_ns; /* NEVER: none */
	uint64_t cap_ns, cap_used_ns, cap_until_ns; /* cap_ns 0: none */
	uint32_t inverse; /* of the weight: SHARE_ONE / weight */
	uint32_t standing;
	uint32_t cpu;    /* where it is to run */
	uint32_t on;     /* where it runs, or CPU_NONE */
	uint32_t end;    /* SLOT_STOPPED, SLOT_PAUSED: asked for while it ran */
	uint32_t paused; /* what it was before: SLOT_READY, SLOT_WAITING */
	bool scheduled, boosted, spent, urgent;
	/* SYS_LEAD_SYNC: how often asked for, how often done. */
	uint32_t sync_want, sync_done;
} __attribute__((aligned(256))); /* a shift to index by */
#define CPU_NONE 0xffffffffu
extern struct lead_private lead_private[PART_SLOTS];
extern uint64_t max_pfn; /* one past what a page-table entry can name */

/* What RAM there is above 1 MiB, from the boot stage. */
#define LEAD_RANGES 32
extern struct lead_ram {
	uint32_t ranges;
	struct {
		uint64_t pfn, frames;
	} range[LEAD_RANGES];
} lead_ram;

/* The CPU is known by its task register: right in any context, with no
 * memory to trust.  A TSS descriptor is 16 bytes. */
static inline struct cpu *this_cpu(void)
{
	uint64_t tr;

	__asm__("str %0" : "=r"(tr));
	return (struct cpu *)((uint8_t *)cpus +
			      (tr - SEL_TSS) * (sizeof(struct cpu) / 16));
}

static inline uint32_t current_slot(void)
{
	return lead_area.cpu[this_cpu()->index].current;
}

/* ---- instructions ------------------------------------------------------- */

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void load_cr3(uint64_t root)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

static inline uint64_t read_cr2(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline void invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

/* ---- string.c, log.c ---------------------------------------------------- */

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* One line "[tag] text\n".  False when the log has no room for it. */
bool log_append(const char *tag, const char *text, size_t bytes);
/* A line of the monitor's own: %s, %u (64-bit decimal), %x (64-bit hex). */
void log_line(const char *format, ...);
void log_interrupt(void);
/* What was typed: at most `bytes`; how many. */
size_t console_read(char *to, size_t bytes);
void log_drain(void); /* polls until all is out */

/* ---- time.c ------------------------------------------------------------- */

extern struct clock {
	uint64_t tsc_base;
	uint64_t ns_per_tick;  /* of the TSC, 32.32 fixed point */
	uint64_t ticks_per_ns; /* of the APIC timer, 32.32 fixed point */
} clock;

static inline uint64_t now_ns(void)
{
	return (unsigned __int128)(rdtsc() - clock.tsc_base) *
		       clock.ns_per_tick >>
	       32;
}

/* A time of a partition's as the host's; never stays never. */
static inline uint64_t host_time(const struct lead_slot *s, uint64_t ns)
{
	return ns + s->offset_ns < ns ? NEVER : ns + s->offset_ns;
}

void timer_arm(uint64_t at_ns, uint64_t now);
void lapic_send(uint32_t apic_id, uint32_t command); /* an interrupt */
void lapic_write(unsigned reg, uint32_t v);
uint32_t lapic_read(unsigned reg);

/* ---- sched.c ------------------------------------------------------------ */

void lead_lock(void);
void lead_unlock(void);
void vcpu_load(void); /* VCPU's FPU, segments: into the CPU */

/* Chooses who runs; returns when it is still the current one, else switches:
 * then control comes back at monitor_resume() in the other's instance. */
void schedule(struct cpu *c);
/* Events to a slot, if its number is that one (0: whoever it is). */
bool sched_post(uint32_t slot, uint64_t number, uint64_t events);
void sched_urge(uint32_t slot); /* what was posted is the ultravisor's */
void sched_calm(uint32_t slot); /* it has seen to the ultravisor's event */
void sched_yield(struct cpu *c);
void sched_publish(const struct lead_schedule *s);
/* The length of a window in ns; 0: that CPU's list has ended. */
uint64_t sched_window(const struct lead_schedule *s, uint32_t cpu, uint32_t i);
void sched_deadline(struct cpu *c, uint64_t at_ns); /* a nearer one */
void sched_alarm(struct cpu *c, uint64_t at_ns);    /* EVENT_ALARM */
void sched_tick(struct cpu *c);
void sched_look(struct cpu *c); /* VECTOR_LOOK */
/* The running partition is asked to look on its way out. */
static inline void sched_attend(struct cpu *c, uint32_t reason)
{
	if (!c->resched)
		c->resched = reason;
	VCPU->attention = 1;
}

bool sched_left_behind(uint32_t slot); /* it runs nowhere */
/* From here on nobody runs on the stack before. */
void sched_left(struct cpu *c);

/* With the lock: */
void sched_runnable(uint32_t slot); /* it became READY */
void sched_blocked(uint32_t slot);  /* it is READY or RUNNING no more */
bool sched_end(uint32_t slot, uint32_t state); /* true: done already */
bool sched_resume(uint32_t slot);

static inline uint64_t pending_of(const struct lead_slot *s)
{
	return __atomic_load_n(&s->pending, __ATOMIC_ACQUIRE);
}

/* Takes those of the mask. */
static inline uint64_t pending_take(struct lead_slot *s, uint64_t mask)
{
	uint64_t events = pending_of(s) & mask;

	if (events)
		__atomic_fetch_and(&s->pending, ~events, __ATOMIC_ACQ_REL);
	return events;
}

/* ---- paging.c ----------------------------------------------------------- */

/* Page `i` of the window, showing frame `pfn` from now on. */
void *window(unsigned i, uint64_t pfn);
/* Leaf entry for `va` of the running partition's kernel address space, NULL
 * without a table. */
uint64_t *kernel_pte(uint64_t va);
/* The same for any slot, through windows 0 and 1; takes donated frames for the
 * table if `make`.  NULL: no table, or no frame left. */
uint64_t *slot_pte(uint32_t slot, uint64_t va, bool make);
uint64_t prot_flags(uint64_t prot);
bool prot_valid(uint64_t prot);
/* The view that is published for a slot, through windows 2 and 3. */
const struct view *slot_view(uint32_t slot);

/* ---- copy.c: the only ways to a partition's memory ---------------------- */

bool copy_in(void *to, uint64_t from_va, size_t bytes);
bool copy_out(uint64_t to_va, const void *from, size_t bytes);

/* ---- view.c ------------------------------------------------------------- */

const struct view *view_now(void); /* of the running partition */

/* A partition's memory as a view said it when this was made: what a call goes
 * by from its beginning to its end, whatever becomes of the view meanwhile. */
struct memory {
	uint64_t extents;
	struct view_extent extent[VIEW_EXTENTS];
};
void memory_take(struct memory *m, uint64_t extents,
		 const volatile struct view_extent *from);
void memory_of(struct memory *m, const struct view *v);
/* Which of the partition's frames: its index, or -1: not its own. */
int64_t memory_page(const struct memory *m, uint64_t pfn);
/* The frame of one of its pages, counted from 0; false: it has no such page. */
bool memory_pfn(const struct memory *m, uint64_t page, uint64_t *pfn);

void view_adopt(void); /* drops what a new view no longer gives */

/* Goes by the view as it is now. */
static inline void view_refresh(void)
{
	const volatile struct view_head *h =
		(const volatile struct view_head *)INSTANCE_VIEW_VA;

	if (VCPU->view_seen != h->generation)
		view_adopt();
}

/* ---- lead.c ------------------------------------------------------------- */

int64_t lead_create(const struct lead_create *lc);
int64_t lead_map(const struct lead_map *lm);
int64_t lead_start(uint64_t slot, uint64_t rip, uint64_t rsp);
/* The end of the partition that runs on this CPU. */
void lead_crash(uint32_t slot, uint64_t vector, uint64_t error,
		uint64_t address, uint64_t rip);
void lead_exit(uint32_t slot, uint64_t code);
void vcpu_begin(struct vcpu *v, uint64_t rip, uint64_t rsp);
void lead_device_interrupt(unsigned vector);
_Noreturn void machine_off(uint32_t code);

/* ---- restart.c ---------------------------------------------------------- */

#define ULTRAVISOR_STARTS 16
#define ULTRAVISOR_PARTS  9 /* its segments, and the boot information */

/* How its memory looks at the start: by physical address, all contiguous; after
 * the first `file_bytes` zero. */
extern struct ultravisor_image {
	uint64_t entry, stack;
	uint32_t parts;
	struct ultravisor_part {
		uint64_t pa, from_pa, file_bytes, bytes;
	} part[ULTRAVISOR_PARTS];
} ultravisor_image;

/* The running partition has come to its end.  True: it is the ultravisor, and
 * goes on with a new program.  False: it has ended. */
bool lead_restart(uint32_t slot);
/* Does it begin anew from one of these frames? */
bool restart_needs(uint64_t pfn, uint64_t n);

/* ---- syscall.c, space.c, user.c, trap.c --------------------------------- */

typedef int64_t syscall_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
			   uint64_t e, uint64_t number);
extern syscall_fn *const syscall_table[SYS_COUNT];

syscall_fn sys_none, sys_lead, sys_as_create, sys_as_table, sys_as_map,
	sys_as_destroy, sys_user_run, sys_channel_map, sys_channel_unmap,
	sys_device_map, sys_upcall, sys_upcall_return, sys_upcall_poll;

/* upcall.c: may change VCPU->regs. */
void upcall_deliver(void);

/* Flags that ring 3 may have of its own, and those that all have. */
#define RFLAGS_USER 0xcd5 /* CF PF AF ZF SF DF OF */
#define RFLAGS_RUN  0x202 /* IF, and the bit that is always 1 */

static inline bool canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* check.c: machine checks. */
void check_init(void); /* of this CPU */
/* Takes what the banks say.  False: what was interrupted cannot go on. */
bool check_take(void);
void check_tell(struct cpu *c); /* those concerned; not with the lock */

/* save.c */
int64_t lead_save(uint64_t slot, uint64_t state_va);
int64_t lead_restore(uint64_t slot, uint64_t state_va, uint64_t part);
/* space.c: one address space of a slot that is being restored.  Its tables are
 * where they were in the partition's memory; whatever they name must be there,
 * too. */
int64_t space_adopt(uint32_t slot, uint64_t as, const struct lead_state *st);
/* Has no address space to do with this page's entry (paging.c)? */
bool space_plain(uint64_t entry);

void user_exit(uint64_t why);
void user_deliver(void); /* ends a user run whose event or deadline came */

void monitor_leave(void);
void monitor_resume(struct cpu *c);
void interrupt(uint64_t vector);
void interrupt_halted(uint64_t vector);
void fault_user(void);
_Noreturn void fault_monitor(const struct regs *r);
void check_monitor(const struct regs *r); /* returns if it can go on */

/* ---- entry.S ------------------------------------------------------------ */

extern const uint64_t vector_stub[256];
void syscall_entry(void);
_Noreturn void switch_to(uint64_t cr3, struct cpu *c);
_Noreturn void halt_here(void); /* returns by interrupt_halted() */
/* No partition. */
_Noreturn void idle_here(uint64_t sp, uint64_t cr3, struct cpu *c);

#endif
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/lead.h - the lead monitor: what the ultravisor gives it, and the one
 * area that tells an observer who runs.
 *
 * The lead area (symbol lead_area, physical address in the image's note) lies
 * in supervisor memory.  The monitors write it; the simulator only reads it;
 * the ultravisor has it mapped read-only.
 */
#ifndef PARTERRE_ABI_LEAD_H
#define PARTERRE_ABI_LEAD_H

#include <stdint.h>

#include "abi/layout.h"
#include "abi/syscall.h"
#include "abi/view.h"

#define LEAD_MAGIC 0x31444145544c5548ull
#define LEAD_SLOT_NONE 0xffffffffu

/* Why a CPU went from one partition to another. */
#define SWITCH_QUANTUM 1
#define SWITCH_WAIT 2
#define SWITCH_YIELD 3
#define SWITCH_WAKE 4 /* a woken partition of higher standing took over */
#define SWITCH_STOP 5
#define SWITCH_CRASH 6
#define SWITCH_WINDOW 7 /* the next window of a cyclic frame began */
#define SWITCH_PAUSE 8

/* Run states of a slot. */
#define SLOT_FREE 0
#define SLOT_CREATED 1
#define SLOT_READY 2
#define SLOT_RUNNING 3
#define SLOT_WAITING 4
#define SLOT_STOPPED 5 /* by SYS_EXIT or SYS_LEAD_STOP */
#define SLOT_CRASHED 6
#define SLOT_PAUSED 7 /* by SYS_LEAD_PAUSE: goes on where it was */

/* One virtual processor.  Every partition has one, but idle has one for each
 * CPU: slots of the same number. */
struct lead_slot { /* 192 bytes */
	uint64_t number; /* [G,M,K] */
	uint32_t state;  /* SLOT_* */
	uint32_t kind;   /* PART_* */
	uint64_t cr3;    /* root of the kernel address space */
	uint64_t pending; /* events not yet taken */
	uint64_t wait_mask;
	uint64_t deadline_ns;
	uint64_t run_ns; /* CPU time had */
	uint64_t switches;
	/* Of a crash (SLOT_CRASHED) or exit: */
	uint64_t vector, error, address, rip;
	uint64_t stop_ns;
	char name[16];
	uint64_t stolen_ns; /* time that it was ready or paused and didn't run */
	uint64_t offset_ns; /* its virtual time is the host's less this */
	uint32_t cpu;       /* where it runs or will run */
	uint32_t incarnation; /* of the partition that this instance was made for */
	uint64_t checks; /* machine checks that it was told of */
	uint64_t reserved[5];
};

struct lead_cpu { /* 64 bytes */
	uint32_t current; /* slot that runs, LEAD_SLOT_NONE in early boot */
	uint32_t last_reason; /* SWITCH_* of the last switch */
	uint64_t switches;
	uint64_t quantum_end_ns;
	uint32_t apic_id;
	uint32_t window; /* of the cyclic frame: index of the one in force */
	uint64_t reserved[4];
};

struct lead_area { /* page-aligned */
	uint64_t magic;
	uint64_t root_pfn; /* struct db_root; 0 until SYS_LEAD_ROOT */
	uint64_t schedule_pfn;
	uint32_t slot_count, cpu_count;
	uint64_t tsc_khz;
	uint64_t boot_ns;
	uint64_t log_written, log_drained, log_dropped; /* bytes */
	uint64_t reserved[7];
	struct lead_cpu cpu[ABI_CPUS];
	struct lead_slot slot[PART_SLOTS];
};

_Static_assert(sizeof(struct lead_slot) == 192, "lead_slot layout");
_Static_assert(sizeof(struct lead_cpu) == 64, "lead_cpu layout");

/* What the ultravisor publishes: one page, its own, read by the lead monitor at
 * SYS_LEAD_SCHEDULE. */
#define SCHEDULE_WINDOWS 16 /* of one CPU's cyclic frame */
#define SCHEDULE_WEIGHT 100 /* when nothing else is said */
#define SCHEDULE_CAP_NS 100000000 /* a cap counts over so long */

struct lead_schedule {
	uint64_t generation;
	struct {
		uint32_t slot; /* LEAD_SLOT_NONE ends the list */
		uint16_t cpu;
		uint16_t standing; /* a woken partition takes the CPU from one of
		                      lower standing; idle has 0 */
		uint32_t quantum_us;
		uint16_t weight; /* share of what the round gets; 0: the usual */
		uint16_t cap;    /* 1/1000 of the CPU at most; 0: none */
	} entry[PART_SLOTS];
	/* A CPU with windows runs through them for ever: each belongs to one
	 * slot, or, LEAD_SLOT_NONE, is shared by those that have none.  A window
	 * whose slot has nothing to do is idle.  length_us 0 ends the list. */
	struct {
		uint32_t slot;
		uint32_t length_us;
	} window[ABI_CPUS][SCHEDULE_WINDOWS];
};
_Static_assert(sizeof(struct lead_schedule) <= 4096, "a schedule is one page");

/* The image's ELF note: name "Parterre", type NOTE_LAYOUT. */
#define NOTE_NAME "Parterre"
#define NOTE_LAYOUT 1
#define NOTE_VERSION 2
struct note_layout {
	uint32_t version;
	uint32_t reserved;
	uint64_t lead_area_pa;
	uint64_t monitor_text_pa, monitor_text_bytes; /* read-only, executable */
	uint64_t monitor_data_pa, monitor_data_bytes; /* the lead's own data */
};

struct lead_create {
	uint64_t number;
	uint32_t kind;
	uint32_t slot; /* 0: any free one; else it must be this less one */
	uint32_t incarnation, reserved;
	char name[16];
	uint64_t monitor_pfn, monitor_frames; /* >= LEAD_MONITOR_FRAMES: private
	                                         state, stack, page tables */
	uint64_t view_pfn;                    /* 3 frames */
	uint64_t frame_pfn; /* the user frame: the partition's own */
};
#define LEAD_MONITOR_FRAMES 48

/* Where SYS_LEAD_FRAMES may map, in the ultravisor's kernel address space. */
#define LEAD_WINDOW_VA 0x38000000
#define LEAD_WINDOW_BYTES 0x800000

/* What a monitor instance holds of its partition, for SYS_LEAD_RESTORE into
 * another instance, perhaps over other frames: memory and user frame are copied
 * by the ultravisor, page tables in memory go on naming the old frames, which
 * `extent` lets the monitor translate.  Whoever keeps it may keep it anywhere:
 * nothing in it is believed. */
#define LEAD_STATE_MAGIC 0x4554415453444c48ull
#define LEAD_STATE_REGS 22 /* struct regs of the monitor */
struct lead_state {
	uint64_t magic;
	uint64_t saved_ns; /* the host's time */
	uint64_t regs[LEAD_STATE_REGS];
	uint64_t kernel[LEAD_STATE_REGS]; /* while a user process runs */
	uint32_t in_user, waiting, control_mapped, user_as;
	uint64_t user_mask, wait_mask, pending;
	uint64_t deadline_ns, alarm_ns, offset_ns; /* the host's time */
	uint64_t run_ns, stolen_ns;
	uint64_t upcall_entry, upcall_mask;
	uint64_t fs_base, gs_base;
	uint16_t ds, es, fs, gs;
	uint32_t dying[AS_COUNT];
	uint64_t root[AS_COUNT]; /* page + 1; 0: no such space */
	uint64_t extents;
	struct view_extent extent[VIEW_EXTENTS];
	uint8_t fx[512], kernel_fx[512];
};
_Static_assert(sizeof(struct lead_state) <= 4096, "one copy");

/* Map part of a partition's memory into its kernel address space, before it
 * starts.  va lies in PART_MEMORY_VA...; frames must be in its view. */
struct lead_map {
	uint32_t slot;
	uint32_t prot;
	uint64_t va, pfn, frames;
};

#endif

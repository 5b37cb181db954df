/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug_internal.h - a debugger as its own files know it: debug.c
 * (made, breakpoints), debug_run.c (running and stopping), debug_look.c
 * (threads, registers, memory), verbs.c (commands).
 */
#ifndef PARTERRE_DEBUG_INTERNAL_H
#define PARTERRE_DEBUG_INTERNAL_H

#include "sim/debug/debug.h"

#define DEBUG_BREAKS_MAX     48
#define DEBUG_WATCHES_MAX    8
#define DEBUG_CONDITIONS_MAX 16

struct debug_break {
	uint32_t pid;
	vaddr_t va;
};

struct debug_watch {
	uint32_t pid;
	vaddr_t va;
	uint64_t bytes;
	unsigned kinds;
};

/* What a command waits for. */
struct debug_condition {
	enum {
		DEBUG_ON_SWITCH,  /* from, to */
		DEBUG_ON_CALL,    /* value: number */
		DEBUG_ON_MESSAGE, /* value: channel */
		DEBUG_AT_TIME,    /* value: ps */
		DEBUG_AT_COUNT,   /* value: retired, all CPUs together */
	} what;
	uint32_t number; /* by which the user deletes it */
	bool once;
	uint32_t from, to; /* indices; 0: any */
	uint64_t value;
};

/* What the user asked for. */
struct debug_wants {
	struct debug_break brk[DEBUG_BREAKS_MAX];
	size_t break_count;
	struct debug_watch watch[DEBUG_WATCHES_MAX];
	size_t watch_count;
	struct debug_condition condition[DEBUG_CONDITIONS_MAX];
	size_t condition_count;
	uint32_t condition_number;
	bool into_interrupts; /* stepping goes into their handlers */
};

/* Where a thread stood when a step began. */
struct debug_context {
	uint64_t rip, rsp, cr3; /* rip: linear */
	unsigned cpl;
};

struct debug_step {
	enum {
		STEP_NONE,
		STEP_ONE,    /* one instruction on `cpu` */
		STEP_RETURN, /* an interrupt came: until `context` is back */
		STEP_ENTER,  /* until the partition is in ring 3 again */
	} phase;
	unsigned cpu;
	struct debug_context context;
	bool interrupted; /* in this phase */
	bool halted;      /* when it began: only an interrupt lets it go on */
};

struct debug {
	struct debug_front front;
	struct session_driver driver;
	struct session *s;
	bool begun, halted, let_go, killed, changed, over;
	struct debug_stop stop;
	struct debug_plan plan;
	struct debug_step step;
	struct debug_wants wants;
	bool due; /* stop was filled in mid-run: stop now */
	/* A switch that was waited for happened on this CPU: stop when it is in
	 * ring 3. */
	const struct debug_condition *switched[CPU_COUNT_MAX];
	uint32_t switched_from[CPU_COUNT_MAX];
	/* Where each CPU stood when the machine went on: a breakpoint there is
	 * not told again. */
	struct {
		uint64_t rip, retired;
	} from[CPU_COUNT_MAX];
	/* As the CPUs have them now. */
	vaddr_t armed[DEBUG_BREAKS_MAX + 1];
	size_t armed_count;
	struct debug_watch watched[DEBUG_WATCHES_MAX];
	size_t watched_count;
	struct machine *armed_machine;
};

uint64_t debug_linear_rip(struct cpu *cpu);
/* debug_run.c */
void debug_halt(struct debug *d, enum debug_why why, unsigned cpu,
		const char *fmt, ...) PRINTF_LIKE(4, 5);
/* debug.c: breakpoints and watches as wanted, and one more address if it is not
 * 0, into the CPUs. */
void debug_into_cpus(struct debug *d, vaddr_t also);
/* debug_look.c: the thread to tell of when something happened at this CPU. */
struct debug_id debug_teller(struct debug *d, uint32_t pid, unsigned cpu);

#endif

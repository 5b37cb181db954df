/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug_internal.h - a debugger as its own files know it: debug.c
 * (made, breakpoints), debug_run.c (running and stopping),
 * debug_back.c (going back), debug_trail.c (where threads were left),
 * debug_look.c (threads, registers, memory), verbs.c (commands).
 */
#ifndef PARTERRE_DEBUG_INTERNAL_H
#define PARTERRE_DEBUG_INTERNAL_H

#include "sim/debug/changes.h"
#include "sim/debug/debug.h"
#include "sim/debug/past.h"

#include "abi/layout.h"

#define DEBUG_BREAKS_MAX     48
#define DEBUG_WATCHES_MAX    8
#define DEBUG_CONDITIONS_MAX 16

struct debug_break {
	uint32_t pid;
	uint32_t number; /* by which the user deletes it; 0: the front end's */
	vaddr_t va;
};

struct debug_watch {
	uint32_t pid;
	uint32_t number; /* as above */
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
	bool behind; /* an instant or count, over when the machine went on */
	uint32_t from, to; /* indices; 0: any */
	uint64_t value;
};

/* A program's file and its symbols (places.c). */
struct debug_program {
	struct debug_program *next;
	struct symbols *symbols; /* NULL: it has none */
	char path[PATH_MAX];
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

/* Something took a thread off its instructions: before `retired` of the CPU's
 * own count. */
struct debug_leave {
	enum {
		LEFT_INTERRUPTED, /* nothing was executed there */
		LEFT_FAULT,       /* the instruction there did not retire */
		LEFT_CALL,        /* the instruction there made the call */
	} why;
	unsigned cpu;
	uint64_t retired;
	uint64_t since; /* the count at which it had come to ring 3 */
	uint64_t total; /* of all CPUs */
	struct debug_context context;
};

/* The latest of them, as far as going one step back needs them. */
#define TRAIL_INTERRUPTS 512
#define TRAIL_LEAVES     32
struct debug_trail {
	/* A handler's first instruction came next behind this count. */
	bool entered[CPU_COUNT_MAX];
	uint64_t entered_at[CPU_COUNT_MAX];
	uint64_t ring3_at[CPU_COUNT_MAX]; /* the count in ring 3 first */
	/* Interrupts in any ring; leaves of ring 3, by slot.  And how many
	 * there have been. */
	struct debug_leave interrupt[TRAIL_INTERRUPTS];
	size_t interrupts;
	struct debug_leave leave[PART_SLOTS][TRAIL_LEAVES];
	size_t leaves[PART_SLOTS];
};

/* A place of the run, and what is to be said when it is reached. */
struct debug_place {
	unsigned cpu; /* whose count; MACHINE_ALL_CPUS: all together */
	uint64_t retired;
	vaddr_t va; /* linear: behind that count, where this is next; 0: there
		     */
	ps_t time;  /* and not before this instant */
	struct debug_stop stop;
	/* The numbers of conditions that are met once there, by the count and
	 * by the instant, and not before; 0: none. */
	uint32_t met, met_then;
	bool on_clock; /* that is what it is to say */
	/* The thread came to `context` from there: if by the return from an
	 * interrupt, it is the place before that which is meant. */
	bool stepped;
	struct debug_context context;
};

struct debug_search {
	uint64_t spans, instructions;
};

struct debug {
	struct debug_front front;
	struct session_driver driver;
	struct session *s; /* the machine that is driven */
	struct debug_probed {
		struct debug *d;
		struct session *s;
	} probed[SESSION_MACHINES_MAX];
	bool begun, halted, let_go, killed, changed, over;
	struct debug_stop stop;
	struct debug_plan plan;
	struct debug_step step;
	struct debug_wants wants;
	bool due;          /* stop was filled in mid-run: stop now */
	struct past *past; /* NULL: it cannot go back */
	uint64_t past_at;  /* all CPUs' count at the latest one that stands */
	bool written;      /* since then by the debugger */
	/* Of each machine, also while it is not driven; NULL: it cannot go
	 * back. */
	struct changes *changes[SESSION_MACHINES_MAX];
	/* Of the last search: spans of the run that were run again for it, and
	 * how many instructions those are. */
	struct debug_search search;
	struct debug_trail trail[SESSION_MACHINES_MAX];
	bool ended[SESSION_MACHINES_MAX]; /* that it cannot go on was told */
	/* On the way to a place; at `seek_next` one more stands. */
	bool seeking;
	struct debug_place seek;
	uint64_t seek_next;
	/* A scout: looks for the last place at which it would stop before all
	 * have retired `scout_end`. */
	bool scouting, found_any;
	/* It stops nowhere before; at that place: where what is watched was
	 * changed last before. */
	uint64_t scout_from, scout_end;
	bool older_any;
	struct changes_span older;
	struct debug_place found;
	uint64_t found_retired; /* by all CPUs, and when */
	ps_t found_at;
	uint32_t met; /* the condition met once that it stopped for; 0: none */
	struct past_mail mail;
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
	struct debug_program *programs;
};

uint64_t debug_linear_rip(struct cpu *cpu);
void debug_context_of(struct cpu *cpu, struct debug_context *c);
bool debug_same_context(const struct debug_context *a,
			const struct debug_context *b);
void debug_drop_condition(struct debug *d, const struct debug_condition *c);
/* debug_run.c */
void debug_go_on(struct debug *d);
/* Between runs of that machine: changes_go_on(), if it can go back. */
void debug_changes_go_on(struct debug *d, const struct session *s, bool now);
void debug_halt(struct debug *d, enum debug_why why, unsigned cpu,
		const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Here is the instant or the count that condition `number` names. */
void debug_halt_on_clock(struct debug *d, uint32_t number);
/* debug_trail.c: by the probe, of each event. */
void debug_trail_note(struct debug_trail *t, const struct session *s,
		      struct cpu *cpu, const struct cpu_context_record *r);
/* The last interrupt before `total` that came to this context; NULL: unknown.
 */
const struct debug_leave *
debug_trail_interrupt(const struct debug *d,
		      const struct debug_context *context, uint64_t total);
/* The place before the last instruction of a partition's thread. */
bool debug_trail_before(struct debug *d, struct debug_id id,
			struct debug_place *to);
/* debug_back.c: the plan says back.  May not return: another process goes on.
 * Otherwise it stands and says why. */
void debug_back(struct debug *d);
/* Between slices: one more stands here, if it is time or `now`.  Who returns
 * may be another one, on its way to a place or scouting. */
void debug_back_take(struct debug *d, bool now);
/* A run on the way to a place: its limit, and an address to stop at (0: none);
 * an instant to stop at, at the latest; what comes of its end. */
vaddr_t debug_seek_limit(struct debug *d);
ps_t debug_seek_until(const struct debug *d, ps_t until);
void debug_seek_after(struct debug *d);
/* A scout's run: the same. */
void debug_scout_found(struct debug *d, uint32_t met);
bool debug_scout_done(struct debug *d);
/* It is not yet where it looks. */
bool debug_scout_blind(const struct debug *d);
void debug_scout_arrives(struct debug *d);
_Noreturn void debug_scout_end(struct debug *d);
/* debug.c: breakpoints and watches as wanted, and one more address if it is not
 * 0, into the CPUs. */
void debug_into_cpus(struct debug *d, vaddr_t also);
/* debug.c: none of them, in the CPUs. */
void debug_out_of_cpus(struct debug *d);
/* debug.c: as the functions without a number. */
bool debug_break_number(struct debug *d, uint32_t pid, vaddr_t va,
			uint32_t number);
bool debug_watch_number(struct debug *d, const struct debug_watch *w);
/* Breakpoint, watchpoint or condition of that number is no more; false: there
 * is none. */
bool debug_delete(struct debug *d, uint32_t number);
/* debug_look.c: the thread to tell of when something happened at this CPU. */
struct debug_id debug_teller(struct debug *d, uint32_t pid, unsigned cpu);

#endif

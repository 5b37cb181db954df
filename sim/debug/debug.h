/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug.h - a debugger over a run: it lets a machine of a session go
 * on, stops it, and looks at it while it stands.
 *
 * It drives the session's machine (struct session_driver), so the scenario
 * knows nothing of it.  Who only looks changes nothing: where a run is cut,
 * what is watched and what is read are no part of the machine's history, and
 * digests are those of an undisturbed run.  Who writes (registers, memory)
 * makes a run that no recording knows; debug_changed() says so.
 *
 * The front end is gdb's remote protocol (gdb.h); commands of our own come
 * through it (verbs.c).
 *
 * Processes and threads.  Process 1 is the machine: its threads are the CPUs,
 * thread 1 is CPU 0, its memory is what that CPU sees.  Process 1 + i is the
 * partition with index i (sim/partition.h): its threads are its virtual
 * processors, thread 1 + slot; they can be read while they have no CPU.
 *
 * Going back.  Processes stand at earlier instants of the run (past.h); the
 * nearest before becomes the run and goes on to the exact place.  What a
 * debugger has written in the meantime is undone by that.  Runs at whose serial
 * lines somebody may type have no past: he cannot be asked again.
 *
 * Several machines.  One of them is driven: it is the one that is looked at,
 * stepped and stopped, the first until debug_drive() says another.  The others
 * go on with it, a step of the session (SESSION_STEP_PS) at a time, in the
 * order in which they were made: where the driven one stands, those before it
 * are at the end of the step and those behind it at its beginning.  So when
 * another one is driven, the one before runs to the end of its step first.
 * Going back takes all of them along.  When the driven one is off, the others
 * can be paused all the same.
 */
#ifndef PARTERRE_DEBUG_DEBUG_H
#define PARTERRE_DEBUG_DEBUG_H

#include <stdio.h>

#include "sim/scenario/session.h"

struct debug;

#define DEBUG_MACHINE     1u /* the process */
#define DEBUG_FRONT_BYTES 4096

struct debug_id {
	uint32_t pid, tid;
};

enum debug_why {
	DEBUG_BEGIN,     /* nothing was run yet */
	DEBUG_BREAK,     /* a breakpoint's address is next */
	DEBUG_WATCH,     /* an access was made: stop.va, stop.kind */
	DEBUG_STEPPED,   /* as far as was asked */
	DEBUG_CONDITION, /* a command's: stop.text says which */
	DEBUG_ASKED,     /* by the user, in mid-run */
	DEBUG_ENDED,     /* the machine cannot go on, or the scenario is over */
	DEBUG_PAST_ENDS, /* going back came to where the past begins */
};

struct debug_stop {
	enum debug_why why;
	struct debug_id id; /* whose doing */
	unsigned cpu;
	vaddr_t va;     /* that was accessed */
	unsigned kind;  /* CPU_WATCH_... that the user asked for */
	char text[320]; /* a sentence; empty: there is nothing to add */
};

enum debug_how {
	DEBUG_CONTINUE,
	DEBUG_STEP,          /* one instruction of a thread */
	DEBUG_RANGE,         /* steps while it is in [low, high) */
	DEBUG_BACK_STEP,     /* before the thread's last instruction */
	DEBUG_BACK_CONTINUE, /* before the last of what is waited for */
	DEBUG_BACK_TO,       /* where all CPUs together had retired `low` */
};

struct debug_plan {
	enum debug_how how;
	struct debug_id id;
	vaddr_t low, high;
};

/* What shows the machine to somebody. */
struct debug_front {
	/* It stands: returns when it is to go on, after debug_resume(), or not
	 * to be stopped any more, after debug_let_go(). */
	void (*serve)(void *owner, struct debug *d);
	/* In mid-run: does somebody want it to stop?  Must not wait. */
	bool (*wants)(void *owner, struct debug *d);
	/* The run is over, for this reason and status. */
	void (*end)(void *owner, struct debug *d, int status);
	/* Going back: what another process has to know to be this front end,
	 * at most DEBUG_FRONT_BYTES, and a file descriptor to pass along (-1:
	 * none), which stays this one's. */
	size_t (*save)(void *owner, void *to, int *fd);
	/* In that process; the descriptor is its own.  It owes an answer. */
	void (*load)(void *owner, const void *from, size_t bytes, int fd);
	/* In a process that stands in the past: nobody is there. */
	void (*away)(void *owner);
	/* It can be told of another machine than the first (debug_drive()). */
	bool drives;
	void *owner;
};

/* `stopped`: it stands before the first instruction. */
/* Its past, if it is to have one, is the debugger's from then on; NULL: none.
 */
struct past;
struct debug *debug_create(const struct debug_front *front, bool stopped,
			   struct past *past);
void debug_destroy(struct debug *d);
const struct session_driver *debug_driver(struct debug *d);
void debug_end(struct debug *d, int status);
struct session *debug_session(struct debug *d); /* NULL: nothing ran yet */

/* From now on this machine is driven, by session.index; breakpoints and what
 * was waited for were of the other one, but for instants. */
void debug_drive(struct debug *d, unsigned machine);
/* Not all has ended: one of several machines may be off. */
bool debug_can_go_on(const struct debug *d);
/* The driven one can. */
bool debug_is_on(const struct debug *d);

/* --- while it stands --- */

const struct debug_stop *debug_stopped(const struct debug *d);
void debug_resume(struct debug *d, const struct debug_plan *plan);
/* Runs to the end, stops nowhere. */
void debug_let_go(struct debug *d);
/* The run is to end now, as if its user had left it. */
void debug_kill(struct debug *d);
bool debug_changed(const struct debug *d);
/* It was killed before its end. */
bool debug_left(const struct debug *d);
/* It can go back. */
bool debug_has_past(const struct debug *d);

struct debug_process {
	uint32_t pid;
	char name[32];
	const char *program; /* a path; NULL: unknown */
	bool gone;
};
size_t debug_process_count(struct debug *d);
bool debug_process_at(struct debug *d, size_t position,
		      struct debug_process *p);
bool debug_process(struct debug *d, uint32_t pid, struct debug_process *p);
size_t debug_threads(struct debug *d, uint32_t pid, uint32_t *tid, size_t max);
bool debug_thread_alive(struct debug *d, struct debug_id id);
void debug_thread_text(struct debug *d, struct debug_id id, char *to,
		       size_t bytes);
/* The CPU that it is on; CPU_COUNT_MAX: none. */
unsigned debug_thread_cpu(struct debug *d, struct debug_id id);
/* The thread of that process that this CPU is at; tid 0: none of its. */
struct debug_id debug_thread_on(struct debug *d, uint32_t pid, unsigned cpu);

/* *partial: it has no CPU, only general registers, rip, eflags, cs, ss and cr3
 * are known.  False: it has never run. */
bool debug_regs_get(struct debug *d, struct debug_id id, struct cpu_regs *regs,
		    bool *partial);
/* Only of a thread on a CPU. */
bool debug_regs_set(struct debug *d, struct debug_id id,
		    const struct cpu_regs *regs);
/* As the thread sees memory, without its rights.  Returns how many bytes could
 * be read, from the start on: device registers cannot. */
size_t debug_read(struct debug *d, struct debug_id id, vaddr_t va, void *to,
		  size_t bytes);
bool debug_write(struct debug *d, struct debug_id id, vaddr_t va,
		 const void *from, size_t bytes);
bool debug_translate(struct debug *d, struct debug_id id, vaddr_t va,
		     paddr_t *pa);

/* False: there are too many.  These are the front end's own; those that
 * commands set have numbers, and stand beside them. */
bool debug_break_add(struct debug *d, uint32_t pid, vaddr_t va);
void debug_break_remove(struct debug *d, uint32_t pid, vaddr_t va);
bool debug_watch_add(struct debug *d, uint32_t pid, vaddr_t va, uint64_t bytes,
		     unsigned kinds);
void debug_watch_remove(struct debug *d, uint32_t pid, vaddr_t va,
			uint64_t bytes);
/* All of both kinds, and what commands wait for: nobody is there to be told. */
void debug_break_forget(struct debug *d);

/* A command line (verbs.c), for thread `id`; its answer, or what is wrong with
 * it, goes to `out`. */
enum debug_told {
	DEBUG_TOLD,
	DEBUG_REFUSED,
	DEBUG_NO_COMMAND
};
enum debug_told debug_command(struct debug *d, struct debug_id id,
			      const char *line, FILE *out);
/* The nth command, from 0; NULL: no more. */
const char *debug_command_nth(size_t nth);

#endif

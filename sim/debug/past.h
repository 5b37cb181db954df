/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/past.h - the past of a run, in memory: processes that stand at
 * earlier instants of it.
 *
 * past_take() forks: the child stands where the run is now and waits for mail.
 * The host's kernel keeps what the two share, copies a page when one of them
 * writes to it, and so knows which are dirty.  A child has all of the run:
 * machines, network, disks' contents, trace, view, and the scenario's own
 * state. Told to go, it leaves a twin in its place and becomes the run; the
 * process that told it ends.  Told to scout, it forks one that runs ahead,
 * leaves no mark, and answers.
 *
 * What is outside of memory.  Files that are open for writing are cut back to
 * what they held (a disk has to be in memory: disk_detach()); a scout's lead
 * nowhere.  Standard input, output and error are shared: what was said stays
 * said.  Sockets are passed along by mail.
 *
 * Kept are at most PAST_MAX, the closer to now the denser, and the
 * first.  The process that the user started waits for the run's end, whichever
 * process that is, and ends with its status.  All must have one thread.
 */
#ifndef PARTERRE_DEBUG_PAST_H
#define PARTERRE_DEBUG_PAST_H

#include "cpu/cpu.h"
#include "sim/scenario/session.h"

#define PAST_MAX        128
#define PAST_MAIL_BYTES 16384

struct past;

/* Where one stands. */
struct past_machine {
	ps_t now;
	uint64_t retired; /* by all its CPUs together */
	uint64_t cpu_retired[CPU_COUNT_MAX];
	/* Behind that count, a handler's first instruction is next. */
	bool entered[CPU_COUNT_MAX];
};

struct past_place {
	uint64_t retired; /* by all machines together */
	struct past_machine machine[SESSION_MACHINES_MAX];
	bool keep; /* what lies before it does not lead to it: never left out */
};

struct past_mail {
	bool scout;
	size_t bytes;
	int fd;     /* goes along; -1: none.  The receiver's to close */
	int answer; /* of a scout: where past_answer() goes */
	_Alignas(16) char data[PAST_MAIL_BYTES];
};

struct past *past_create(void);
/* By the run, last of all. */
void past_destroy(struct past *p);
/* Forks.  In the child, which goes on to be the run: -1.  In the parent, when
 * the run is over: its exit status. */
int past_supervise(struct past *p);
/* From time to time, by the run: it ends when the supervisor does. */
void past_tie(struct past *p);

/* False: this is the run, and one more stands here.  True: that one, which was
 * told to go or to scout by *mail.  `away` is called in the child at once. */
bool past_take(struct past *p, const struct past_place *at,
	       struct past_mail *mail, void (*away)(void *owner), void *owner);
/* All that stand end. */
void past_forget(struct past *p);
size_t past_count(const struct past *p);
const struct past_place *past_at(const struct past *p, size_t index);

/* Position `index` becomes the run, and this process ends.  Returns only if
 * that one is gone: it is left out, try one before. */
void past_go(struct past *p, size_t index, const struct past_mail *mail);
/* Sends a scout from there; a file descriptor on which its answer comes, to be
 * closed; closing it before ends the scout.  -1: as above. */
int past_scout(struct past *p, size_t index, struct past_mail *mail);
/* By the scout: answers, and ends. */
_Noreturn void past_answer(const struct past_mail *mail, const void *data,
			   size_t bytes);
/* By the scout: nobody waits for an answer any more. */
bool past_unwanted(const struct past_mail *mail);
/* 1: *data is filled; 0: not yet; -1: it is gone. */
int past_heard(int answer, void *data, size_t bytes, int timeout_ms);

#endif

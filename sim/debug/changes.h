/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/changes.h - when memory was changed last: for each word, the
 * stretch of the run in which a store changed it last (cpu_mark_changes()).
 *
 * So who wrote a word last is looked for in the one stretch where he must have
 * been.  Before that stretch it is a process that stands there (past.h) that
 * knows: this is memory as all else.  Stretches are counted in retired
 * instructions, of all CPUs together.
 */
#ifndef PARTERRE_DEBUG_CHANGES_H
#define PARTERRE_DEBUG_CHANGES_H

#include "cpu/cpu.h"
#include "sim/base.h"

/* Instructions of a stretch, where it can be chosen. */
#define CHANGES_STRETCH UINT64_C(65536)

struct changes;
struct machine;

/* Instructions before which as many as [low, high) had retired. */
struct changes_span {
	uint64_t low, high;
};

struct changes *changes_create(void);
void changes_destroy(struct changes *c);
/* Between runs: here begins another stretch, if the last is long enough or
 * `now`.  Of another machine than before: all that lies before may have
 * changed. */
void changes_go_on(struct changes *c, struct machine *m, uint64_t retired,
		   bool now);
/* No more of them. */
void changes_end(struct changes *c);
/* Where these bytes have been changed last, up to `retired`, which is now: no
 * later than that, perhaps earlier.  False: never. */
bool changes_last(const struct changes *c, vaddr_t va, uint64_t bytes,
		  uint64_t retired, struct changes_span *span);

#endif

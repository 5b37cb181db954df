/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/branch.h - whether a branch was foreseen.
 *
 * Conditional ones: a counter for each branch, and one for each branch after
 * each recent history of branches; a third tells which of the two was right
 * more often here (S. McFarling, "Combining Branch Predictors", WRL TN-36,
 * 1993). Indirect ones: where it went the last time.  Returns: a stack of those
 * calls that have not returned.
 */
#ifndef PARTERRE_CPU_TIMING_BRANCH_H
#define PARTERRE_CPU_TIMING_BRANCH_H

#include "sim/base.h"

enum branch_kind {
	BRANCH_NONE,
	BRANCH_CONDITIONAL,
	BRANCH_INDIRECT,
	BRANCH_CALL,
	BRANCH_INDIRECT_CALL,
	BRANCH_RETURN,
	BRANCH_REPEAT, /* REP, which branches to itself until it is done */
};

struct branch {
	enum branch_kind kind;
	uint64_t pc, next; /* linear: of the branch, of what stands after it */
};

#define BRANCH_COUNTERS 4096
#define BRANCH_PATHS    16384
#define BRANCH_TARGETS  512
#define BRANCH_RETURNS  32

/* Plain integers without holes: a snapshot holds it as it is. */
struct branch_predictor {
	uint64_t history; /* the latest branch in bit 0, 1: taken */
	uint64_t top;     /* of the returns, counts on and on */
	uint64_t returns[BRANCH_RETURNS];
	uint64_t target[BRANCH_TARGETS];
	/* 0 to 3; from 2 on: taken, or by path */
	uint8_t counter[BRANCH_COUNTERS], choice[BRANCH_COUNTERS];
	uint8_t path[BRANCH_PATHS];
};

void branch_predictor_reset(struct branch_predictor *p);
/* The branch led to `to`.  True: that was foreseen. */
bool branch_foreseen(struct branch_predictor *p, const struct branch *b,
		     uint64_t to);

#endif

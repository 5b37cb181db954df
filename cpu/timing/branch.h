/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/branch.h - whether a branch was foreseen.
 *
 * Conditional ones: a counter for each branch, and one for each branch after
 * each recent history of branches; a third tells which of the two was right
 * more often here (S. McFarling, "Combining Branch Predictors", WRL TN-36,
 * 1993).  One that went the same way for longer than any history is foreseen to
 * go on so, and leaves those counters alone (P.-Y. Chang, M. Evers, Y. Patt,
 * "Improving Branch Prediction Accuracy by Reducing Pattern History Table
 * Interference", PACT 1996).  Indirect ones: where it went the last time.
 * Returns: a stack of those calls that have not returned.
 *
 * This runs at each branch of the guest's: it is made of look-ups, not of
 * jumps, which the host would foresee as badly as the guest's are.
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
#define BRANCH_HISTORY  42 /* branches; loops of so many rounds are seen */

/* What is known of a conditional branch. */
struct branch_known {
	/* Two counters from 0 to 3: bits 0 and 1, from 2 on: taken; bits 2 and
	 * 3, from 2 on: by the path. */
	uint8_t own;
	/* How often it went the same way: 0 to BRANCH_SURE times, and which in
	 * the top bit. */
	uint8_t same;
};
#define BRANCH_TAKEN 0x80u
#define BRANCH_SURE  0x3fu

/* Plain integers without holes: a snapshot holds it as it is. */
struct branch_predictor {
	uint64_t history; /* the latest branch in bit 0, 1: taken */
	uint64_t top;     /* of the returns, counts on and on */
	uint64_t returns[BRANCH_RETURNS];
	uint64_t target[BRANCH_TARGETS];
	struct branch_known known[BRANCH_COUNTERS];
	uint8_t path[BRANCH_PATHS]; /* one; from 2 on: taken */
};

void branch_predictor_reset(struct branch_predictor *p);
/* The branch led to `to`.  True: that was foreseen. */
bool branch_foreseen(struct branch_predictor *p, const struct branch *b,
		     uint64_t to);

/* --- the same for those who know what kind it is --- */

static inline uint32_t branch_hash(uint64_t pc)
{
	return (uint32_t)((pc * UINT64_C(0x9E3779B97F4A7C15)) >> 40);
}

static inline struct branch_known *branch_known(struct branch_predictor *p,
						uint32_t hash)
{
	return &p->known[hash % BRANCH_COUNTERS];
}

/* What becomes of the counters if it was not taken and if it was, by `own` and
 * 16 times that of the path: they in the lowest bytes, and whether it was not
 * foreseen.  And of branch_known.same. */
extern const uint32_t branch_next[2][64];
extern const uint8_t branch_same[2][256];

/* A conditional one.  1: not foreseen, 0: it was. */
static inline uint32_t branch_surprise(struct branch_predictor *p,
				       struct branch_known *known,
				       uint32_t hash, bool taken)
{
	uint64_t h = p->history;
	uint8_t *path;
	uint32_t then;

	p->history = h << 1 | taken;
	if (known->same == (BRANCH_SURE | (taken ? BRANCH_TAKEN : 0)))
		return 0;
	known->same = branch_same[taken][known->same];
	path = &p->path[(hash ^ h ^ h >> BRANCH_HISTORY / 3 ^
			 h >> 2 * BRANCH_HISTORY / 3) %
			BRANCH_PATHS];
	then = branch_next[taken][known->own | *path << 4];
	known->own = (uint8_t)then;
	*path = (uint8_t)(then >> 8);
	return then >> 16;
}

static inline void branch_call(struct branch_predictor *p, uint64_t next)
{
	p->returns[p->top++ % BRANCH_RETURNS] = next;
}

static inline bool branch_return(struct branch_predictor *p, uint64_t to)
{
	return p->returns[--p->top % BRANCH_RETURNS] == to;
}

static inline bool branch_indirect(struct branch_predictor *p, uint32_t hash,
				   uint64_t to)
{
	uint64_t *target = &p->target[hash % BRANCH_TARGETS];
	bool right = *target == to;

	*target = to;
	return right;
}

#endif

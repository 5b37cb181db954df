/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/branch.h - whether a branch was foreseen.
 *
 * Conditional ones: a counter for each branch, and one for each path that leads
 * to it; a third tells which of the two was right more often here (S.
 * McFarling, "Combining Branch Predictors", WRL TN-36, 1993).  The path is how
 * often the branch went the same way of late, and the latest branches of all,
 * but those that go on the same way as their last few times: a loop of many
 * rounds is few of these, and so the path reaches back far.  One that went the
 * same way for longer than is counted is foreseen to go on so, and leaves all
 * that alone (P.-Y. Chang, M. Evers, Y. Patt, "Improving Branch Prediction
 * Accuracy by Reducing Pattern History Table Interference", PACT 1996).
 * Indirect ones: where it went the last time, or where it went after the same
 * path, the last targets of indirect branches, whichever was right more often
 * (P.-Y. Chang, E. Hao, Y. Patt, "Target Prediction for Indirect Jumps", ISCA
 * 1997).  Returns: a stack of those calls that have not returned.
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
	uint64_t pc, next; /* linear: of the branch, of what stands after it */
	enum branch_kind kind;
	/* Ticks: if it was not foreseen, of a REP when it is done; of a
	 * conditional one when it is taken; of one that closes a loop of one
	 * block, from the k-th time on, `ramp` * k, at most `again`. */
	uint32_t cost, taken, again, ramp;
	bool by_loads; /* that chain is one of loads */
};

#define BRANCH_COUNTERS  4096
#define BRANCH_PATH_BITS 14
#define BRANCH_PATHS     (1u << BRANCH_PATH_BITS)
#define BRANCH_TARGETS   512
#define BRANCH_FOLLOWED  2048
#define BRANCH_RETURNS   32
#define BRANCH_STEP      4 /* bits of the path for each that it is made of */
#define BRANCH_RUN       8 /* times the same way, then no part of the path */

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
	uint64_t path; /* of conditional ones, the latest in the low bits */
	uint64_t top;  /* of the returns, counts on and on */
	uint64_t returns[BRANCH_RETURNS];
	uint64_t followed; /* the path: targets, the latest in the low bits */
	uint64_t target[BRANCH_TARGETS];
	uint64_t after[BRANCH_FOLLOWED];
	uint8_t by_after[BRANCH_TARGETS]; /* 0 to 3, from 2 on: that one */
	struct branch_known known[BRANCH_COUNTERS];
	uint8_t by_path[BRANCH_PATHS]; /* one; from 2 on: taken */
};

void branch_predictor_reset(struct branch_predictor *p);
/* The branch led to `to`.  True: that was foreseen. */
bool branch_foreseen(struct branch_predictor *p, const struct branch *b,
		     uint64_t to);

/* --- the same for those who know what kind it is --- */

#define BRANCH_SPREAD UINT64_C(0x9E3779B97F4A7C15)

static inline uint32_t branch_hash(uint64_t pc)
{
	return (uint32_t)((pc * BRANCH_SPREAD) >> 40);
}

static inline struct branch_known *branch_known(struct branch_predictor *p,
						uint32_t hash)
{
	return &p->known[hash % BRANCH_COUNTERS];
}

/* What becomes of the counters if it was not taken and if it was, by `own` and
 * 16 times that of the path: they in the lowest bytes, and whether it was not
 * foreseen.  And of branch_known.same; in bit 8, whether the path stays as it
 * is; in bit 9, whether it had been foreseen to go on. */
extern const uint32_t branch_next[2][64];
extern const uint16_t branch_same[2][256];
/* ... of by_after, by twice whether the last target was right and whether that
 * of the path was. */
extern const uint8_t branch_choice[4][4];

/* A conditional one.  1: not foreseen, 0: it was. */
static inline uint32_t branch_surprise(struct branch_predictor *p,
				       struct branch_known *known,
				       uint32_t hash, bool taken)
{
	uint64_t was = p->path, now;
	uint32_t same = known->same, then, counted;
	uint8_t *by_path;

	if (same == (BRANCH_SURE | (taken ? BRANCH_TAKEN : 0)))
		return 0;
	by_path = &p->by_path[((was ^ (uint64_t)same << 56 ^
				(uint64_t)hash << 32) *
			       BRANCH_SPREAD) >>
			      (64 - BRANCH_PATH_BITS)];
	then = branch_next[taken][known->own | *by_path << 4];
	now = was << BRANCH_STEP ^ (hash << 1 | taken);
	counted = branch_same[taken][same];
	p->path = now ^ ((now ^ was) & (0 - (uint64_t)(counted >> 8 & 1)));
	known->same = (uint8_t)counted;
	known->own = (uint8_t)then;
	*by_path = (uint8_t)(then >> 8);
	return then >> 16 | counted >> 9;
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
	uint32_t i = hash % BRANCH_TARGETS;
	uint32_t j = branch_hash(p->followed ^ hash) % BRANCH_FOLLOWED;
	uint32_t own = p->target[i] == to, after = p->after[j] == to;
	uint32_t choice = p->by_after[i], by_after = choice >> 1;

	p->by_after[i] = branch_choice[own << 1 | after][choice];
	p->target[i] = p->after[j] = to;
	p->followed = p->followed << 6 ^ (branch_hash(to) & 0xfff);
	return own ^ ((own ^ after) & by_after);
}

/* What a loop's chain costs, this time around: `same` as before. */
static inline uint32_t branch_again(const struct branch *b, uint32_t same)
{
	uint32_t times = same & BRANCH_TAKEN ? same & BRANCH_SURE : 0;
	uint32_t late = times * b->ramp;

	return times == BRANCH_SURE || late > b->again ? b->again : late;
}

#endif

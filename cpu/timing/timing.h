/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/timing.h - what code costs.
 *
 * A timing model turns the instruction stream into ticks, of which
 * TIMING_TICKS_PER_CYCLE make a cycle.  Integers alone: equal streams cost the
 * same on every host and in however many pieces they run.
 *
 *   flat   each instruction is a cycle.  The CPUs count nothing for it.
 *   block  straight stretches of code (blocks) cost what a model of an
 *          out-of-order core says of their instructions, once, when they are
 *          translated: block.c.
 *
 *   memory block, and what the caches, TLBs and DRAM that it meets take:
 *          memory.h.
 *
 * What a core is like says a profile, a text file: profile.h.
 *
 * A struct timing serves one complex of CPUs, from one thread; creation can
 * fail by its profile (struct error names file and line).
 */
#ifndef PARTERRE_CPU_TIMING_H
#define PARTERRE_CPU_TIMING_H

#include <string.h>

#include "cpu/timing/branch.h"
#include "sim/base.h"
#include "sim/status.h"

#define TIMING_TICKS_PER_CYCLE 256u

enum timing_model {
	TIMING_FLAT,
	TIMING_BLOCK,
	TIMING_MEMORY,
	TIMING_MODEL_COUNT
};

static const char *const timing_model_name[TIMING_MODEL_COUNT] = {
	[TIMING_FLAT] = "flat",
	[TIMING_BLOCK] = "block",
	[TIMING_MEMORY] = "memory",
};

static inline bool timing_model_find(const char *name, enum timing_model *model)
{
	for (int i = 0; i < TIMING_MODEL_COUNT; i++) {
		if (strcmp(timing_model_name[i], name) == 0) {
			*model = (enum timing_model)i;
			return true;
		}
	}
	return false;
}

struct timing;

/* `profile`: a file; NULL: the generic one. */
struct timing *timing_create(const char *profile, struct error *err) MUST_USE;
void timing_destroy(struct timing *t); /* NULL is fine */
/* Of the profile's text: equal profiles cost the same. */
uint64_t timing_profile_hash(const struct timing *t);
struct profile;
const struct profile *timing_profile(const struct timing *t);

/* A block of code.  Instruction i begins at code + offset[i]. */
struct timing_code {
	uint64_t pc; /* linear */
	const uint8_t *code;
	const uint16_t *offset;
	uint32_t count, bytes;
	unsigned bits; /* of the code segment: 16, 32 or 64 */
};
#define TIMING_BLOCK_MAX 512

/* What a CPU's ticks are spent on; docs/timing.md says what each means.  Every
 * tick that is charged has one cause. */
enum timing_cause {
	TIMING_BASE,       /* slots of dispatch */
	TIMING_FRONT_END,  /* taken branches, code that is fetched, REP */
	TIMING_UNITS,      /* the busiest kind of unit */
	TIMING_DEPENDENCY, /* chains of results */
	TIMING_BRANCH,     /* what was not foreseen */
	TIMING_L1,         /* loads in chains, LOCK */
	TIMING_L2,
	TIMING_LLC,
	TIMING_DRAM,
	TIMING_TLB,
	TIMING_PRIVILEGED,      /* what serialises */
	TIMING_CAUSE_INTERRUPT, /* delivery, of exceptions too */
	TIMING_DEVICE,          /* accesses to registers: the machine's */
	TIMING_CAUSE_COUNT
};
static const char *const timing_cause_name[TIMING_CAUSE_COUNT] = {
	[TIMING_BASE] = "base",
	[TIMING_FRONT_END] = "front-end",
	[TIMING_UNITS] = "units",
	[TIMING_DEPENDENCY] = "dependency",
	[TIMING_BRANCH] = "branch",
	[TIMING_L1] = "L1",
	[TIMING_L2] = "L2",
	[TIMING_LLC] = "LLC",
	[TIMING_DRAM] = "DRAM",
	[TIMING_TLB] = "TLB",
	[TIMING_PRIVILEGED] = "privileged",
	[TIMING_CAUSE_INTERRUPT] = "interrupt",
	[TIMING_DEVICE] = "device",
};

/* A block's ticks by cause: `part` of what does not serialise; what does, until
 * the end of instruction i, in privileged[i] and locked[i], of `until`'s size.
 * The first `n` instructions have those that serialise among them, and of each
 * part a share that grows with their other ticks: so the shares of pieces add
 * up to the whole, however it is cut. */
struct timing_split {
	uint32_t part[TIMING_CAUSE_COUNT];
	uint32_t *privileged, *locked;
};
/* Adds what each of instructions [from, to) costs to what `at` gives for it, or
 * takes it off. */
void timing_split_each(const struct timing_split *s, const uint32_t *until,
		       uint32_t count, uint32_t from, uint32_t to, bool take,
		       int64_t *(*at)(void *owner, uint32_t i), void *owner);

/* until[i]: ticks from the block's start to the end of instruction i; each is
 * at least one more than the one before.  waits[i]: where instruction i loads
 * from comes from what it loaded itself the last time, if the block runs again
 * and again; NULL: nobody asks.  `branch`: how it ends.  `split`: its causes,
 * if anybody asks. */
void timing_block(struct timing *t, const struct timing_code *c,
		  uint32_t *until, bool *waits, struct branch *branch,
		  struct timing_split *split);
/* Of a part of a block: how it ends, alone; what depends on all of the block
 * (`taken`, `again`, `ramp`) is 0. */
void timing_block_branch(struct timing *t, const struct timing_code *c,
			 struct branch *branch);

/* What happens to a CPU beside its instructions. */
enum timing_event {
	TIMING_EXCEPTION, /* delivery through the IDT, INT n too */
	TIMING_INTERRUPT, /* ... of an external one */
	TIMING_EVENT_COUNT
};
uint32_t timing_event(const struct timing *t, enum timing_event event);

#endif

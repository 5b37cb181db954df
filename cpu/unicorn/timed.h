/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/timed.h - how ticks stay exact.
 *
 * A block's cost is that of the block: half of it costs not what a block made
 * of that half would.  So a block that is left in its middle stays under way:
 * when the engine goes on behind that place, it goes on by blocks of lengths
 * that are asked for, which are charged what is left of the first one.  Only
 * when the flow goes elsewhere (an exception, an interrupt, other code is there
 * now) is it forgotten.  Where blocks begin and end of themselves depends on
 * the guest alone; so ticks do, too.
 *
 * A block takes its ticks off a room of their own, beside that of instructions
 * (engine.h), and finds no room if either has none.  One of a length that was
 * asked for takes what ENV_PART says, and looks for no room of ticks: who asked
 * for it did.
 *
 * Branches.  What it costs that one was not foreseen is charged where the block
 * is left behind it, by code that is emitted there if the branch has to be
 * foreseen at all: it knows the way that it stands on, or looks where the flow
 * goes.  A branch is the last instruction of any block that it stands in, of
 * whatever length, and no fault comes after it: so it is charged once.
 *
 * Memory.  What accesses and fetches take is not charged at once: how far a
 * block came by a deadline would depend on them.  It is kept (ENV_PENDING) and
 * charged where the block ends of itself, or the flow leaves it.  An access
 * finds the time that it was when its block began, and what was kept since.
 */
#ifndef PARTERRE_UNICORN_TIMED_H
#define PARTERRE_UNICORN_TIMED_H

#include "cpu/timing/memory.h"
#include "cpu/timing/timing.h"

struct block;
struct cpu;

struct timed_block {
	uint32_t ticks; /* all */
	uint32_t bytes;
	bool limited;  /* of a length that was asked for; no `until` */
	uint8_t *code; /* as translated */
	uint32_t *until;
	bool *waits;
	struct timing_split *split; /* NULL: nobody accounts */
	uint64_t *fetched; /* memory_code_changes() when its code was there */
	struct branch branch; /* at its end */
};

/* A way out of a block that ends in a branch; lives as long as the block. */
struct timed_exit {
	struct cpu *cpu;
	struct branch_predictor *predictor;
	struct branch branch;
	struct branch_known *known;
	uint32_t hash; /* branch_hash() */
	bool limited;  /* of a part: the block under way knows better */
};
/* Called by translated code, which takes what they return off the room of
 * ticks: of a conditional branch, taken or not; taken, that closes a loop or is
 * of a part of a block; of a REP that is done; of a call to a place that is
 * known; where the place is in the instruction pointer, of RET, of a jump, of a
 * call; of any. */
uint32_t timed_exit_taken(const struct timed_exit *x);
uint32_t timed_exit_again(const struct timed_exit *x);
uint32_t timed_exit_not_taken(const struct timed_exit *x);
uint32_t timed_exit_repeat(const struct timed_exit *x);
uint32_t timed_exit_call(const struct timed_exit *x);
uint32_t timed_exit_return(const struct timed_exit *x);
uint32_t timed_exit_indirect(const struct timed_exit *x);
uint32_t timed_exit_indirect_call(const struct timed_exit *x);
uint32_t timed_exit_anywhere(const struct timed_exit *x);
/* The same of each, for who accounts. */
struct timed_calls {
	uint32_t (*taken)(const struct timed_exit *x);
	uint32_t (*again)(const struct timed_exit *x);
	uint32_t (*not_taken)(const struct timed_exit *x);
	uint32_t (*repeat)(const struct timed_exit *x);
	uint32_t (*back)(const struct timed_exit *x);
	uint32_t (*indirect)(const struct timed_exit *x);
	uint32_t (*indirect_call)(const struct timed_exit *x);
	uint32_t (*anywhere)(const struct timed_exit *x);
};
extern const struct timed_calls timed_calls, timed_calls_accounted;

/* An access of an instruction; lives as long as its block. */
struct timed_access {
	struct cpu *cpu;
	const struct memory_known *known;
	uint64_t pc;
	uint32_t index; /* of the instruction in its block */
	uint8_t bytes;
	bool write;
};
/* Called by translated code, timed_memory.c: after the access; when all of a
 * block begins, `b`: it; at the end of a part of one. */
void timed_reach(const struct timed_access *a, uint64_t va);
void timed_fetch(const struct block *b);
void timed_part_ends(struct cpu *cpu);

/* A copy: blocks are forgotten. */
struct under_way {
	bool on;
	uint64_t start; /* retired count at its beginning */
	uint64_t pc;
	uint32_t count, bytes;
	struct branch branch;
	uint16_t offset[TIMING_BLOCK_MAX];
	uint32_t until[TIMING_BLOCK_MAX];
	bool waits[TIMING_BLOCK_MAX];
	/* For who accounts, worked out when it is asked for. */
	bool is_split;
	struct timing_split split;
	uint32_t privileged[TIMING_BLOCK_MAX], locked[TIMING_BLOCK_MAX];
	uint8_t code[TIMING_BLOCK_MAX * 15];
};

#endif

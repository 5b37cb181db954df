/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/account.h - whom each tick belongs to, and what it was for.
 *
 * Kept by instruction (linear address), owner (cpu_account_owner()) and ring,
 * so that it is the same however a run is cut.  A translated block counts how
 * often it was run, in a word of the owner's that it finds through `count`
 * (translate.c); what it costs each time, by cause, was worked out when it was
 * translated.  The two are multiplied when the blocks are forgotten or somebody
 * asks.  The rest is added as it happens: what memory took, branches, delivery
 * of interrupts, blocks that are left in their middle (then what did not run is
 * taken off) and parts of blocks.
 *
 * What memory takes is accounted when it is known, which is before it becomes
 * ticks (ENV_PENDING).
 */
#ifndef PARTERRE_UNICORN_ACCOUNT_H
#define PARTERRE_UNICORN_ACCOUNT_H

#include "cpu/unicorn/engine.h"

/* The executions of blocks, by number, for one owner and ring. */
struct account_counts {
	uint64_t *count;
	uint32_t space;
};

struct account {
	uint64_t *count; /* of `context`; translated code reads this */
	uint32_t owner, context;
	struct account_counts *counts; /* by context */
	uint32_t contexts;
	/* By context and address. */
	struct cpu_account *entry;
	size_t entries, room;
	uint32_t *slot; /* hashed: number of the entry + 1; 0: free */
	size_t slots;   /* a power of two */
};

/* All do nothing if nobody accounts. */

/* The ring or the owner may be another now. */
void account_switch(struct cpu *cpu);
/* There are more numbers of blocks than there were. */
void account_grow(struct cpu *cpu);
/* The blocks are about to be forgotten. */
void account_fold(struct cpu *cpu);
void account_free(struct cpu *cpu);
/* Ticks for a cause, at an address. */
void account_add(struct cpu *cpu, vaddr_t pc, enum timing_cause cause,
		 uint64_t ticks);
/* Instructions [at, count) of the block did not run. */
void account_settle(struct cpu *cpu, const struct block *b, uint32_t at);
static inline vaddr_t account_rip(struct cpu *cpu)
{
	return cpu_rip(cpu) +
	       AT(cpu->env, struct env_segment, ENV_SEGS + 24 * CPU_CS).base;
}
/* Called by translated code: a part of a block under way begins. */
void account_part(struct cpu *cpu);

#endif

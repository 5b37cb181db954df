/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/memory.h - what memory costs: caches, TLBs, prefetch, DRAM.
 *
 * Each core has first caches of code and data, a second one, TLBs of two
 * levels; all share a last cache and what DRAM delivers.  Caches and TLBs
 * replace what came first (FIFO): a hit changes nothing.  So whoever asks for
 * what was asked for before need not come here: memory_known().  Caches are
 * looked up by physical address, TLBs by linear address in pages of 4 KiB or
 * larger.
 *
 * A miss costs time or not.  A load whose address comes from a load of the
 * round before (timing_block()) waits for it: the whole latency.  Others
 * overlap: each takes its share of the misses that can be under way at once,
 * and the core waits when it is further ahead than its window reaches.  If the
 * instruction went on by the same stride before, the line is on its way
 * already, and what counts is how often lines come from there.
 *
 * Times are ticks (timing.h).  `now` may go back between cores, which take
 * turns: what DRAM delivers is counted by slices of time.
 */
#ifndef PARTERRE_CPU_TIMING_MEMORY_H
#define PARTERRE_CPU_TIMING_MEMORY_H

#include "cpu/timing/timing.h"

struct profile;
struct memory;        /* a core's */
struct memory_shared; /* all cores' */

struct memory_shared *memory_shared_create(const struct profile *p) MUST_USE;
void memory_shared_destroy(struct memory_shared *s); /* NULL is fine */
struct memory *memory_create(const struct profile *p,
			     struct memory_shared *s) MUST_USE;
void memory_destroy(struct memory *m); /* NULL is fine */

#define MEMORY_LINE_SHIFT 6
#define MEMORY_LINE       (1u << MEMORY_LINE_SHIFT)
#define MEMORY_KNOWN      64

/* Of these linear lines of data an access changes nothing and costs nothing. */
struct memory_known {
	uint64_t line[MEMORY_KNOWN];
};
static inline bool memory_known(const struct memory_known *k, uint64_t va)
{
	uint64_t line = va >> MEMORY_LINE_SHIFT;

	return k->line[line % MEMORY_KNOWN] == line;
}
const struct memory_known *memory_known_of(const struct memory *m);

/* Where in memory the address lies, and what the TLBs took to say so.  False:
 * they don't know; *took is what they took to say that. */
bool memory_translate(struct memory *m, vaddr_t va, bool code, paddr_t *pa,
		      uint32_t *took) MUST_USE;
/* The entries that a walk read, the last two of them, in memory. */
uint32_t memory_walk(struct memory *m, uint64_t now, const paddr_t *entry,
		     unsigned count);
/* What it found. */
void memory_enter(struct memory *m, vaddr_t va, bool code, paddr_t pa,
		  uint64_t page_bytes);

enum memory_kind {
	MEMORY_LOAD,
	MEMORY_WAITED_FOR, /* a load that the next round waits for */
	MEMORY_STORE,
};
/* Of a wait: how much for the translation, and for what the rest. */
struct memory_wait {
	uint32_t tlb;
	enum timing_cause rest;
};
/* Data at `pa`, which is at `va`; `took`: by its translation.  What the core
 * waits. */
uint32_t memory_data(struct memory *m, uint64_t now, vaddr_t va, paddr_t pa,
		     uint32_t took, uint64_t pc, enum memory_kind kind,
		     struct memory_wait *wait);
/* Code of so many bytes; `took` is in what it returns. */
uint32_t memory_code(struct memory *m, uint64_t now, paddr_t pa, uint32_t bytes,
		     uint32_t took);

/* While this number is the same, code that was fetched is there and costs
 * nothing. */
uint64_t memory_code_changes(const struct memory *m);

/* The guest's page tables are others, or one entry is. */
void memory_flush(struct memory *m);
void memory_forget(struct memory *m, vaddr_t va);

/* All as words, for a snapshot; the shared part too, if it is asked for. */
size_t memory_words(const struct memory *m, bool shared);
void memory_save(const struct memory *m, bool shared, uint64_t *to);
void memory_load(struct memory *m, bool shared, const uint64_t *from);

#endif

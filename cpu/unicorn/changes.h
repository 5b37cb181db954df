/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/changes.h - stores that change memory, for cpu_mark_changes().
 *
 * Behind each store, translated code and the library's helpers call
 * changes_store(): where the store went is in the TLB then.  What stood there
 * before is in a copy of RAM; a page has one from the first store to it on, as
 * long as nobody but stores has written there.
 */
#ifndef PARTERRE_UNICORN_CHANGES_H
#define PARTERRE_UNICORN_CHANGES_H

#include "cpu/unicorn/engine.h"

/* The kind of store that a place in the code makes. */
struct changes_store {
	struct cpu *cpu;
	const char *fast; /* of its mode of the TLB */
	unsigned bytes;
};

static inline bool changes_wanted(const struct cpu *cpu)
{
	return cpu->complex->marks != NULL;
}
/* `size`: the logarithm of how many bytes. */
static inline const struct changes_store *
changes_kind(const struct cpu *cpu, unsigned mmu_idx, unsigned size)
{
	return &cpu->stores[mmu_idx * CHANGES_SIZES + size];
}
/* After the store. */
void changes_store(const struct changes_store *s, uint64_t va);
/* Of a page of RAM that is written by other than stores: what stands there is
 * not known any more. */
static inline void changes_unknown(struct ram *ram, uint64_t page)
{
	if (ram->known)
		ram->known[page] = 0;
}
void changes_free(struct cpu_complex *cx);

#endif

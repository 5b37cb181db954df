/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/copy.c - the only two ways to a partition's memory.
 *
 * Every page of the range is looked up in the partition's own page tables
 * first, so the copy itself cannot fault: nothing else runs on this address
 * space meanwhile, and only the monitor changes its tables.
 */
#include "monitor/monitor.h"

#define COPY_MAX 4096

static bool reachable(uint64_t va, size_t bytes, uint64_t need)
{
	uint64_t end = va + bytes;

	if (bytes > COPY_MAX || end < va)
		return false;
	for (uint64_t page = va & ~4095ull; page < end; page += 4096) {
		const uint64_t *e = kernel_pte(page);

		if (!e || (*e & need) != need)
			return false;
	}
	return true;
}

bool copy_in(void *to, uint64_t from_va, size_t bytes)
{
	if (!reachable(from_va, bytes, PTE_P | PTE_U))
		return false;
	memcpy(to, (const void *)from_va, bytes);
	return true;
}

bool copy_out(uint64_t to_va, const void *from, size_t bytes)
{
	if (!reachable(to_va, bytes, PTE_P | PTE_U | PTE_W))
		return false;
	memcpy((void *)to_va, from, bytes);
	return true;
}

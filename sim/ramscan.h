/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/ramscan.h - the pages of RAM that are not zero, in order of address.
 *
 * Which they are is a property of RAM alone.  Pages that were never touched are
 * skipped by what the host's page tables say (/proc/self/pagemap, Linux
 * admin-guide/mm/pagemap); where that cannot be read, all are looked at:
 * slower, with the same result.
 */
#ifndef PARTERRE_SIM_RAMSCAN_H
#define PARTERRE_SIM_RAMSCAN_H

#include "cpu/cpu.h"
#include "sim/base.h"

#define RAMSCAN_ENTRIES 2048

struct ramscan {
	const struct cpu_ram *ram;
	int pagemap;      /* file descriptor; -1: cannot be read */
	uint64_t at;      /* offset of the next page to look at */
	uint64_t first;   /* page number of entry[0] */
	uint64_t entries; /* that are valid */
	uint64_t entry[RAMSCAN_ENTRIES];
};

/* `ram` stays the caller's; nobody writes to it in the meantime. */
void ramscan_begin(struct ramscan *s, const struct cpu_ram *ram);
/* NULL: no more.  Otherwise the page, and its physical address in *pa. */
const uint8_t *ramscan_next(struct ramscan *s, paddr_t *pa);
void ramscan_end(struct ramscan *s);

/* Gives the host back the pages that were touched and are zero again.  They
 * stay zero, so nobody in the machine can tell.  The RAM is anonymous memory.
 */
void ramscan_give_back(const struct cpu_ram *ram);

/* For tests: as if the page tables could not be read. */
void ramscan_blind(struct ramscan *s);

#endif

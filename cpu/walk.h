/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/walk.h - page tables as the hardware walks them (SDM 3A chapter 4).
 *
 * Pure: reads guest memory through a callback and writes nothing.  The TLB
 * fill of the CPU, the partition view and the debugger share it.
 *
 * 32-bit (with 4 MiB pages and PSE-36), PAE and 4-level paging.  The entries
 * of PAE's top level are read at each walk; hardware reads them when CR3 is
 * loaded.
 */
#ifndef PARTERRE_CPU_WALK_H
#define PARTERRE_CPU_WALK_H

#include "sim/base.h"

#define WALK_PA_BITS 40 /* as CPUID says: MAXPHYADDR */

#define WALK_CR0_PG   (UINT64_C(1) << 31)
#define WALK_CR4_PSE  (UINT64_C(1) << 4)
#define WALK_CR4_PAE  (UINT64_C(1) << 5)
#define WALK_EFER_LMA (UINT64_C(1) << 10)
#define WALK_EFER_NXE (UINT64_C(1) << 11)

struct walk_root {
	uint64_t cr0, cr3, cr4, efer;
	/* Reads 8 aligned bytes of RAM; false when there is no RAM. */
	bool (*read64)(void *owner, paddr_t pa, uint64_t *value);
	void *owner;
};

struct walk_result {
	paddr_t pa;
	uint64_t page_bytes;             /* 4 KiB, 2 MiB, 4 MiB or 1 GiB */
	bool writable, user, executable; /* over all levels */
	bool reserved;   /* the walk failed for a reserved bit */
	bool pae;        /* entry[0] is one of PAE's top level: no A, no D */
	unsigned levels; /* entries read: entry_pa[0] is the top one */
	paddr_t entry_pa[4];
	uint64_t entry[4];
};

/* False: not mapped (or a reserved bit is set); levels and entries tell how
 * far the walk came. With paging off pa = va, all rights. */
bool walk(const struct walk_root *root, vaddr_t va, struct walk_result *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/paging.c - page tables, with no map of physical memory.
 *
 * The kernel address space's low half lies in the first GiB: one PDPT, one PD,
 * and page tables taken in order from the donated frames, which the instance
 * sees at INSTANCE_VA.  All leaves are 4 KiB.
 *
 * A frame of the partition's memory has exactly one entry in its kernel address
 * space, at its place in PART_MEMORY_VA.  That entry is also the monitor's only
 * record of the frame (space.c): present, with the count of user mappings in
 * PTE_COUNT; or not present, and then what the frame is used for.
 *
 * SDM 3A 4.5.
 */
#include "monitor/monitor.h"

#define LOW_END 0x40000000ull

void *window(unsigned i, uint64_t pfn)
{
	uint64_t *pt = (uint64_t *)(INSTANCE_VA + INST_PT * 4096);
	uint64_t va = INSTANCE_WINDOW_VA + i * 4096ull;
	uint64_t want = PTE(pfn, PTE_P | PTE_W | PTE_NX);
	uint64_t *e = &pt[(va >> 12) & 511];

	/* The CPU has set its accessed and dirty bits in it. */
	if ((*e & ~0x60ull) != want) {
		*e = want;
		invlpg(va);
	}
	return (void *)va;
}

uint64_t *kernel_pte(uint64_t va)
{
	const uint64_t *pd = (uint64_t *)(INSTANCE_VA + INST_PD_LOW * 4096);
	uint64_t e, index;

	if (va >= LOW_END)
		return NULL;
	e = pd[va >> 21];
	index = PTE_PFN(e) - VCPU->monitor_pfn;
	if (!(e & PTE_P) || index >= VCPU->monitor_frames)
		return NULL;
	return (uint64_t *)(INSTANCE_VA + index * 4096) + ((va >> 12) & 511);
}

uint64_t *slot_pte(uint32_t slot, uint64_t va, bool make)
{
	const struct lead_private *p = &lead_private[slot];
	uint64_t *pd, *pt;
	struct vcpu *v;

	if (va >= LOW_END)
		return NULL;
	pd = window(0, p->monitor_pfn + INST_PD_LOW);
	if (!(pd[va >> 21] & PTE_P)) {
		v = window(1, p->monitor_pfn + INST_VCPU);
		if (!make || v->tables >= p->monitor_frames)
			return NULL;
		/* `tables` stands in the first of the two frames. */
		_Static_assert(offsetof(struct vcpu, tables) < 4096, "tables");
		pd[va >> 21] = PTE(p->monitor_pfn + v->tables++, PTE_TABLE);
	}
	pt = window(1, PTE_PFN(pd[va >> 21]));
	return &pt[(va >> 12) & 511];
}

const struct view *slot_view(uint32_t slot)
{
	uint64_t pfn = lead_private[slot].view_pfn;
	const volatile struct view_head *h = window(2, pfn);

	return window(3, pfn + 1 + (h->active & 1));
}

bool prot_valid(uint64_t prot)
{
	return !(prot & ~(uint64_t)(PROT_R | PROT_W | PROT_X | PROT_DEVICE));
}

uint64_t prot_flags(uint64_t prot)
{
	uint64_t flags = PTE_P | PTE_U;

	if (!(prot & (PROT_R | PROT_W | PROT_X)))
		return 0;
	if (prot & PROT_W)
		flags |= PTE_W;
	if (!(prot & PROT_X))
		flags |= PTE_NX;
	if (prot & PROT_DEVICE)
		flags |= PTE_PCD | PTE_PWT;
	return flags;
}

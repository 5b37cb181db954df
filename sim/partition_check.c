/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_check.c - the containment lens: what an address space maps for
 * ring 3 against what the database gives its partition.
 *
 * When.  An address space is looked at as it is about to run.  Between the
 * commit of a transaction and the publication of the views the ultravisor is at
 * work; should another partition get the CPU then, it still has what the old
 * view gave, and its monitor drops that when the new view comes.  So what is
 * found while the ultravisor has work is looked at again, and counts only if
 * it is still there when the ultravisor sleeps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/partition_internal.h"

#define ENTRY_P    UINT64_C(1)
#define ENTRY_W    UINT64_C(2)
#define ENTRY_U    UINT64_C(4)
#define ENTRY_PS   UINT64_C(0x80)
#define ENTRY_ADDR UINT64_C(0x000ffffffffff000)

/* Pages of one address space that are looked at: tables that refer to each
 * other must not keep us for ever. */
#define PAGES_MAX (UINT64_C(1) << 20)

struct lens {
	struct partition_view *v;
	const struct partition *p;
	uint64_t root, pages;
	const char *wrong; /* NULL: nothing yet */
	vaddr_t va;
	uint64_t pfn;
};

static bool within(uint64_t pfn, uint64_t first, uint64_t frames)
{
	return pfn - first < frames;
}

static uint64_t frames_in(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static bool of_monitor(const struct partition_view *v, uint64_t pfn)
{
	const struct note_layout *n = &v->note;

	if (within(pfn, n->monitor_text_pa / PAGE_BYTES,
		   frames_in(n->monitor_text_bytes)) ||
	    within(pfn, n->monitor_data_pa / PAGE_BYTES,
		   frames_in(n->monitor_data_bytes)))
		return true;
	for (unsigned i = 0; i < DB_PARTS; i++) {
		const struct db_part *row = &v->part[i];

		if (row->number && row->slot < PART_SLOTS &&
		    v->lead->slot[row->slot].state != SLOT_FREE &&
		    v->lead->slot[row->slot].number == row->number &&
		    within(pfn, row->monitor_pfn, row->monitor_frames))
			return true;
	}
	return false;
}

/* Local and I/O APIC: whoever has them commands the interrupts of all. */
static bool of_interrupts(uint64_t pfn)
{
	return pfn == 0xfee00 || pfn == 0xfec00;
}

static bool lead_area_read(const struct lens *l, uint64_t pfn, bool writable)
{
	return l->p->info.kind == PART_ULTRAVISOR && !writable &&
	       within(pfn, l->v->note.lead_area_pa / PAGE_BYTES,
		      frames_in(sizeof(struct lead_area)));
}

static bool by_channel(const struct lens *l, uint64_t pfn)
{
	uint64_t rows = l->p->channels;

	for (; rows; rows &= rows - 1) {
		const struct channel_seen *c =
			&l->v->chan[__builtin_ctzll(rows)];

		if (c->row.id && within(pfn, c->row.pfn, c->row.pages))
			return true;
	}
	return false;
}

static bool by_device(const struct lens *l, uint64_t pfn, bool writable)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = &l->v->dev[i];

		if (!d->id || d->owner != l->p->info.number)
			continue;
		if (pfn == d->config_pfn && !writable)
			return true;
		if (within(pfn, d->bar_pfn, d->bar_pages) &&
		    !within(pfn, d->bar_pfn + d->msix_page, d->msix_pages))
			return true;
	}
	return false;
}

/* NULL: the database gives it. */
static const char *judge(const struct lens *l, vaddr_t va, uint64_t pfn,
			 bool writable)
{
	const struct db_part *row =
		l->p->row < DB_PARTS ? &l->v->part[l->p->row] : NULL;

	if (of_monitor(l->v, pfn) && !lead_area_read(l, pfn, writable))
		return "a frame of a monitor";
	if (of_interrupts(pfn))
		return "an interrupt controller";
	if (l->p->info.kind == PART_ULTRAVISOR)
		return NULL;
	if (row && within(pfn, row->memory_pfn, row->memory_frames))
		return NULL;
	if (row && within(pfn, row->view_pfn, PART_VIEW_PAGES))
		return writable ? "its view, writable" : NULL;
	if (row && va == PART_FRAME_VA &&
	    pfn == row->view_pfn + PART_VIEW_PAGES)
		return NULL;
	if (by_channel(l, pfn) || by_device(l, pfn, writable))
		return NULL;
	if (partition_view_owner(l->v, pfn, NULL) == l->p->info.index)
		return NULL;
	return "a frame that it was not given";
}

static void look_at_pages(struct lens *l, vaddr_t va, uint64_t pfn,
			  uint64_t pages, bool writable)
{
	for (uint64_t i = 0; i < pages && !l->wrong; i++) {
		if (++l->pages > PAGES_MAX)
			return;
		l->wrong = judge(l, va + i * PAGE_BYTES, pfn + i, writable);
		l->va = va + i * PAGE_BYTES;
		l->pfn = pfn + i;
	}
}

static vaddr_t canonical(vaddr_t va)
{
	return (vaddr_t)((int64_t)(va << 16) >> 16);
}

/* level 4 is the root's. */
static void look_at_table(struct lens *l, uint64_t pfn, unsigned level,
			  vaddr_t base, bool writable)
{
	const uint64_t *table = (const uint64_t *)view_frames(l->v, pfn, 1);
	unsigned shift = 12 + 9 * (level - 1);

	for (unsigned i = 0; table && i < 512 && !l->wrong; i++) {
		uint64_t e = table[i];
		vaddr_t va = base + ((vaddr_t)i << shift);
		bool w = writable && (e & ENTRY_W);

		if ((e & (ENTRY_P | ENTRY_U)) != (ENTRY_P | ENTRY_U))
			continue;
		if (++l->pages > PAGES_MAX)
			return;
		if (level == 1 || (level < 4 && (e & ENTRY_PS)))
			look_at_pages(
				l, canonical(va),
				(e & ENTRY_ADDR) >> 12 &
					~((UINT64_C(1) << (shift - 12)) - 1),
				UINT64_C(1) << (shift - 12), w);
		else
			look_at_table(l, (e & ENTRY_ADDR) >> 12, level - 1, va,
				      w);
	}
}

/* --- findings --- */

static bool ultravisor_works(const struct partition_view *v)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct partition_info *p = &v->partition[i].info;

		if (p->kind != PART_ULTRAVISOR || p->slot >= PART_SLOTS)
			continue;
		return v->lead->slot[p->slot].state != SLOT_WAITING;
	}
	return false;
}

static void record(const struct lens *l)
{
	struct partition_view *v = l->v;
	struct partition_violation *x = &v->violation;

	if (v->violated)
		return;
	v->violated = true;
	*x = (struct partition_violation){
		.index = l->p->info.index,
		.root = l->root,
		.va = l->va,
		.pfn = l->pfn,
		.owner = partition_view_owner(v, l->pfn, NULL),
	};
	snprintf(x->text, sizeof(x->text),
		 "%s has %s mapped: frame 0x%" PRIx64 " (of %s) at 0x%" PRIx64
		 " of address space 0x%" PRIx64,
		 l->p->info.name, l->wrong, x->pfn,
		 x->owner ? partition_view_name(v, x->owner) : "nobody", x->va,
		 x->root);
}

/* True: nothing wrong, or found for good. */
static bool settle(struct lens *l)
{
	l->v->pages += l->pages;
	if (!l->wrong)
		return true;
	if (l->p->info.kind != PART_ULTRAVISOR && ultravisor_works(l->v))
		return false;
	record(l);
	return true;
}

void view_check_space(struct partition_view *v, uint32_t index, uint64_t root)
{
	struct root_checked *c = &v->checked[root / PAGE_BYTES % CHECKED_ROOTS];
	const struct partition *p = partition_of(v, index);
	struct lens l = {.v = v, .p = p, .root = root};

	if (!p || !v->version.magic ||
	    (c->root == root && c->generation == v->version.generation &&
	     c->tables == p->tables))
		return;
	look_at_table(&l, root / PAGE_BYTES, 4, 0, true);
	v->spaces++;
	*c = (struct root_checked){0};
	if (settle(&l))
		*c = (struct root_checked){root, v->version.generation,
					   p->tables};
}

/* The tables of a window are at hand: this only reads its leaves. */
void view_check_window(struct partition_view *v, uint32_t index, uint64_t root,
		       vaddr_t va, uint64_t pages)
{
	struct lens l = {.v = v, .p = partition_of(v, index), .root = root};
	const uint64_t *table = NULL;

	if (!l.p || !v->version.magic)
		return;
	for (uint64_t i = 0; i < pages && !l.wrong; i++, va += PAGE_BYTES) {
		uint64_t e;

		if (!table || !(va >> 12 & 511)) {
			uint64_t pfn = root / PAGE_BYTES;

			for (unsigned shift = 39; shift > 12; shift -= 9) {
				table = (const uint64_t *)view_frames(v, pfn,
								      1);
				e = table ? table[va >> shift & 511] : 0;
				if (!(e & ENTRY_P) || !(e & ENTRY_U) ||
				    (e & ENTRY_PS && shift < 39))
					return;
				pfn = (e & ENTRY_ADDR) >> 12;
			}
			table = (const uint64_t *)view_frames(v, pfn, 1);
			if (!table)
				return;
		}
		e = table[va >> 12 & 511];
		if ((e & (ENTRY_P | ENTRY_U)) == (ENTRY_P | ENTRY_U))
			look_at_pages(&l, va, (e & ENTRY_ADDR) >> 12, 1,
				      e & ENTRY_W);
	}
	if (!settle(&l))
		v->checked[root / PAGE_BYTES % CHECKED_ROOTS].root = 0;
}

bool partition_view_check(struct partition_view *v,
			  struct partition_violation *violation)
{
	if (v->violated)
		*violation = v->violation;
	return !v->violated;
}

void partition_view_checked(const struct partition_view *v, uint64_t *spaces,
			    uint64_t *pages)
{
	*spaces = v->spaces;
	*pages = v->pages;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_check.c - the containment lens: what an address space maps for
 * ring 3 against what the database gives its partition.
 *
 * When.  An address space is looked at as it is about to run.  A transaction
 * may take frames from a partition; until SYS_LEAD_SYNC of its slot has
 * returned, its monitor, perhaps on another CPU, may go by the view that gave
 * them.  So for so long these frames are `taken`: the partition may still have
 * them mapped, and nobody else may, whoever the database gives them to.  If the
 * ultravisor sleeps without having called SYS_LEAD_SYNC, the time is over all
 * the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/partition_internal.h"
#include "sim/trace/trace.h"

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
	bool again;        /* has something that was taken from it */
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

/* What a partition may see of a channel: of a block channel its server not what
 * is the client's to write. */
static uint64_t channel_pages(const struct lens *l,
			      const struct channel_seen *c)
{
	if (c->row.type == CHANNEL_BLOCK &&
	    c->row.server == l->p->info.number &&
	    c->row.pages >= BLOCK_CHANNEL_PAGES)
		return c->row.pages - BLOCK_WRITE_PAGES;
	return c->row.pages;
}

static bool by_channel(const struct lens *l, uint64_t pfn)
{
	uint64_t rows = l->p->channels;

	for (; rows; rows &= rows - 1) {
		const struct channel_seen *c =
			&l->v->chan[__builtin_ctzll(rows)];

		if (c->row.id && within(pfn, c->row.pfn, channel_pages(l, c)))
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

/* What the database gives to a partition, but for the page tables' own. */
static bool given(const struct lens *l, vaddr_t va, uint64_t pfn, bool writable)
{
	const struct db_part *row =
		l->p->row < DB_PARTS ? &l->v->part[l->p->row] : NULL;

	if (row && within(pfn, row->memory_pfn, row->memory_frames))
		return true;
	if (row && va == PART_FRAME_VA &&
	    pfn == row->view_pfn + PART_VIEW_PAGES)
		return true;
	return by_channel(l, pfn) || by_device(l, pfn, writable) ||
	       partition_view_owner(l->v, pfn, NULL) == l->p->info.index;
}

/* Can its program still execute, or does it on some CPU? */
static bool may_run(const struct partition_view *v, uint32_t index)
{
	const struct partition *p = partition_of(v, index);

	for (unsigned i = 0; i < CPU_COUNT_MAX; i++) {
		if (v->cpu[i].current == index && v->cpu[i].ring == 3)
			return true;
	}
	if (!p || p->info.slot >= PART_SLOTS ||
	    v->lead->slot[p->info.slot].number != p->info.number)
		return false;
	switch (v->lead->slot[p->info.slot].state) {
	case SLOT_READY:
	case SLOT_RUNNING:
	case SLOT_WAITING:
	case SLOT_PAUSED:
		return true;
	default:
		return false;
	}
}

static const struct view *view_of(const struct partition_view *v,
				  const struct partition *p)
{
	const struct db_part *row;

	if (p->row >= DB_PARTS || !p->view_known)
		return NULL;
	row = &v->part[p->row];
	return (const struct view *)view_frames(
		v, row->view_pfn + 1 + p->view_active, 1);
}

/* By the view that its monitor goes by: a channel's client keeps its frames
 * while the server's end moves. */
static bool had_before(const struct lens *l, uint64_t pfn)
{
	const struct view *w = view_of(l->v, l->p);

	for (unsigned i = 0; w && i < w->extents && i < VIEW_EXTENTS; i++) {
		if (within(pfn, w->extent[i].pfn, w->extent[i].frames))
			return true;
	}
	for (unsigned i = 0; w && i < CHANNEL_SLOTS; i++) {
		if (w->channel[i].id &&
		    within(pfn, w->channel[i].pfn, w->channel[i].pages))
			return true;
	}
	return false;
}

static const struct taken *taken_from(const struct lens *l, uint64_t pfn,
				      bool other)
{
	for (size_t i = 0; i < l->v->taken_count; i++) {
		const struct taken *t = &l->v->taken[i];

		if ((t->index != l->p->info.index) == other &&
		    within(pfn, t->pfn, t->frames) &&
		    (!other || may_run(l->v, t->index)))
			return t;
	}
	return NULL;
}

/* NULL: the database gives it. */
static const char *judge(struct lens *l, vaddr_t va, uint64_t pfn,
			 bool writable)
{
	bool known = l->p->row < DB_PARTS;
	const struct db_part *row = &l->v->part[known ? l->p->row : 0];

	if (of_monitor(l->v, pfn) && !lead_area_read(l, pfn, writable))
		return "a frame of a monitor";
	if (of_interrupts(pfn))
		return "an interrupt controller";
	if (l->p->info.kind == PART_ULTRAVISOR)
		return NULL;
	if (known && within(pfn, row->view_pfn, PART_VIEW_PAGES))
		return writable ? "its view, writable" : NULL;
	if (given(l, va, pfn, writable))
		return !l->v->taken_count || !taken_from(l, pfn, true) ||
				       had_before(l, pfn)
			       ? NULL
			       : "a frame that another may still have";
	if (taken_from(l, pfn, false)) {
		l->again = true;
		return NULL;
	}
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
	const struct partition *p = partition_of(v, v->ultravisor);

	return p && p->info.slot < PART_SLOTS &&
	       v->lead->slot[p->info.slot].state != SLOT_WAITING;
}

void view_violation(struct partition_view *v, const char *lens,
		    const struct partition_violation *x)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_VIOLATION),
		.value = {{.s = lens},
			  {.u = x->index},
			  {.u = x->va},
			  {.s = x->text}},
	};

	machine_emit(v->m, &r);
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
	view_violation(v, "containment", x);
}

/* Writes down what is wrong; false: it must be looked at again. */
static bool settle(struct lens *l)
{
	l->v->pages += l->pages;
	if (l->wrong)
		record(l);
	return !l->again;
}

static void remember(struct partition_view *v, uint32_t index, uint64_t root)
{
	size_t i = 0;

	while (i < SPACES_MAX && v->space[i].root != root)
		i++;
	if (i == SPACES_MAX)
		i = v->next_space++ % SPACES_MAX;
	v->space[i].root = root;
	v->space[i].index = index;
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
	remember(v, index, root);
	look_at_table(&l, root / PAGE_BYTES, 4, 0, true);
	v->spaces++;
	*c = (struct root_checked){0};
	if (settle(&l))
		*c = (struct root_checked){root, v->version.generation,
					   p->tables};
}

/* The entry of the lowest table; 0: not mapped by 4 KiB pages. */
static uint64_t leaf(const struct partition_view *v, uint64_t root, vaddr_t va)
{
	uint64_t e = root | ENTRY_P | ENTRY_U;

	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		const uint64_t *table = (const uint64_t *)view_frames(
			v, (e & ENTRY_ADDR) >> 12, 1);

		e = table ? table[va >> shift & 511] : 0;
		if ((e & (ENTRY_P | ENTRY_U)) != (ENTRY_P | ENTRY_U) ||
		    (shift > 12 && shift < 39 && (e & ENTRY_PS)))
			return 0;
	}
	return e;
}

void view_check_window(struct partition_view *v, uint32_t index, uint64_t root,
		       vaddr_t va, uint64_t pages)
{
	struct lens l = {.v = v, .p = partition_of(v, index), .root = root};

	if (!l.p || !v->version.magic)
		return;
	for (uint64_t i = 0; i < pages && !l.wrong; i++, va += PAGE_BYTES) {
		uint64_t e = leaf(v, root, va);

		if (e)
			look_at_pages(&l, va, (e & ENTRY_ADDR) >> 12, 1,
				      e & ENTRY_W);
	}
	if (!settle(&l))
		v->checked[root / PAGE_BYTES % CHECKED_ROOTS].root = 0;
}

/* --- what was taken --- */

static void learn_view(const struct partition_view *v, struct partition *p)
{
	const struct view_head *head;

	if (p->row >= DB_PARTS)
		return;
	head = (const struct view_head *)view_frames(
		v, v->part[p->row].view_pfn, 1);
	p->view_known = head != NULL;
	if (head)
		p->view_active = head->active & 1;
}

/* Of these frames, which the view gives, those that the database does not. */
static void take(struct lens *l, uint64_t pfn, uint64_t frames)
{
	struct partition_view *v = l->v;
	const struct db_part *row = &v->part[l->p->row];

	/* Nearly always. */
	if (pfn == row->memory_pfn && frames == row->memory_frames)
		return;
	for (uint64_t i = 0; i < frames && i < PAGES_MAX; i++) {
		struct taken *t =
			v->taken_count ? &v->taken[v->taken_count - 1] : NULL;

		if (given(l, 0, pfn + i, false))
			continue;
		if (t && t->index == l->p->info.index &&
		    t->pfn + t->frames == pfn + i) {
			t->frames++;
		} else if (v->taken_count < TAKEN_MAX) {
			v->taken[v->taken_count++] =
				(struct taken){l->p->info.index, pfn + i, 1};
		}
	}
}

static void taken_of(struct partition_view *v, const struct partition *p)
{
	struct lens l = {.v = v, .p = p};
	const struct view *w = view_of(v, p);

	if (!w || w->number != p->info.number)
		return;
	for (unsigned i = 0; i < w->extents && i < VIEW_EXTENTS; i++)
		take(&l, w->extent[i].pfn, w->extent[i].frames);
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		if (w->channel[i].id)
			take(&l, w->channel[i].pfn, w->channel[i].pages);
	}
	for (unsigned i = 0; i < DEVICE_SLOTS; i++) {
		if (!w->device[i].id)
			continue;
		take(&l, w->device[i].config_pfn, 1);
		take(&l, w->device[i].bar_pfn, w->device[i].bar_pages);
	}
}

void view_taken(struct partition_view *v)
{
	v->taken_count = 0;
	for (size_t i = 0; i < v->count; i++) {
		struct partition *p = &v->partition[i];

		if (p->info.gone || p->info.kind == PART_ULTRAVISOR)
			continue;
		if (!p->view_known)
			learn_view(v, p);
		taken_of(v, p);
	}
}

/* What a CPU runs at this moment in ring 3 it will not enter again soon. */
static void look_at_running(struct partition_view *v, uint32_t index)
{
	for (unsigned i = 0; i < CPU_COUNT_MAX; i++) {
		const struct cpu_seen *c = &v->cpu[i];

		if (c->current && c->ring == 3 &&
		    (!index || c->current == index))
			view_check_space(v, c->current, c->root);
	}
}

void view_synced(struct partition_view *v, uint32_t slot)
{
	uint32_t index = v->slot_index[slot];
	struct partition *p = partition_at(v, index);
	size_t kept = 0, before = v->taken_count;

	if (!p)
		return;
	learn_view(v, p);
	for (size_t i = 0; i < before; i++) {
		if (v->taken[i].index != index)
			v->taken[kept++] = v->taken[i];
	}
	v->taken_count = kept;
	if (kept != before)
		look_at_running(v, index);
}

void view_settled(struct partition_view *v)
{
	bool worked = v->works;

	v->works = ultravisor_works(v);
	if (v->works || !worked)
		return;
	for (size_t i = 0; i < v->count; i++)
		learn_view(v, &v->partition[i]);
	if (!v->taken_count)
		return;
	v->taken_count = 0;
	look_at_running(v, 0);
}

void partition_view_check_all(struct partition_view *v)
{
	for (size_t i = 0; !v->works && i < v->count; i++) {
		uint64_t root = view_cr3(v, (uint32_t)i + 1);

		if (root)
			view_check_space(v, (uint32_t)i + 1, root);
	}
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

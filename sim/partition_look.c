/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_look.c - for whoever looks at a machine that stands: the map as
 * a whole, views, schedule, address spaces.
 */
#include <string.h>

#include "sim/partition_internal.h"

/* --- the tiered map --- */

struct map_walk {
	const struct partition_view *v;
	partition_block_fn *fn;
	void *to;
	struct partition_block block; /* frames 0: none yet */
};

static void map_flush(struct map_walk *w)
{
	if (w->block.frames)
		w->fn(w->to, &w->block);
	w->block.frames = 0;
}

static void map_add(struct map_walk *w, const struct partition_block *b)
{
	struct partition_block *last = &w->block;

	if (last->frames && last->tier == b->tier && last->owner == b->owner &&
	    last->none == b->none && last->pfn + last->frames == b->pfn) {
		last->frames += b->frames;
		return;
	}
	map_flush(w);
	*last = *b;
}

static void map_page(struct map_walk *w, uint64_t page, unsigned tier,
		     uint64_t first)
{
	const uint64_t *word = (const uint64_t *)view_frames(w->v, page, 1);
	uint64_t frames = UINT64_C(1) << TIER_SHIFT * (3 - tier);

	for (unsigned i = 0; word && i < TIER_WORDS; i++) {
		struct partition_block b = {
			.pfn = first + i * frames,
			.frames = frames,
			.tier = tier,
			.none = MAP_KIND(word[i]) == MAP_NONE,
		};

		if (MAP_KIND(word[i]) == MAP_INDEX && tier < 3) {
			map_page(w, MAP_TARGET(word[i]), tier + 1, b.pfn);
			continue;
		}
		if (MAP_KIND(word[i]) == MAP_OWNED)
			b.owner = view_index(w->v, MAP_TARGET(word[i]));
		map_add(w, &b);
	}
}

void partition_view_map(const struct partition_view *v, partition_block_fn *fn,
			void *to)
{
	struct map_walk w = {.v = v, .fn = fn, .to = to};

	if (v->version.magic && v->version.map_pfn)
		map_page(&w, v->version.map_pfn, 1, 0);
	map_flush(&w);
}

/* --- views, schedule --- */

const struct view *partition_view_given(const struct partition_view *v,
					uint32_t index)
{
	const struct partition *p = partition_of(v, index);
	const struct view_head *head;
	uint64_t pfn;

	if (!p || p->row >= DB_PARTS || !v->part[p->row].view_pfn)
		return NULL;
	pfn = v->part[p->row].view_pfn;
	head = (const struct view_head *)view_frames(v, pfn, 1);
	return head ? (const struct view *)view_frames(
			      v, pfn + 1 + (head->active & 1), 1)
		    : NULL;
}

const struct lead_schedule *
partition_view_schedule(const struct partition_view *v)
{
	if (v->opaque || v->lead->magic != LEAD_MAGIC || !v->lead->schedule_pfn)
		return NULL;
	return (const struct lead_schedule *)view_frames(
		v, v->lead->schedule_pfn, 1);
}

uint32_t partition_view_slot(const struct partition_view *v, uint32_t slot,
			     uint32_t *state, uint32_t *cpu)
{
	*state = SLOT_FREE;
	*cpu = 0;
	if (v->opaque || slot >= PART_SLOTS)
		return 0;
	*state = v->lead->slot[slot].state;
	*cpu = v->lead->slot[slot].cpu;
	return *state == SLOT_FREE ? 0
				   : view_index(v, v->lead->slot[slot].number);
}

const char *partition_run_text(uint32_t run)
{
	static const char *const text[] = {
		[SLOT_FREE] = "-",          [SLOT_CREATED] = "created",
		[SLOT_READY] = "ready",     [SLOT_RUNNING] = "running",
		[SLOT_WAITING] = "waiting", [SLOT_STOPPED] = "stopped",
		[SLOT_CRASHED] = "crashed", [SLOT_PAUSED] = "paused",
	};

	return run < ARRAY_LEN(text) ? text[run] : "?";
}

/* --- address spaces --- */

#define ENTRY_P    UINT64_C(1)
#define ENTRY_W    UINT64_C(2)
#define ENTRY_U    UINT64_C(4)
#define ENTRY_PS   UINT64_C(0x80)
#define ENTRY_NX   (UINT64_C(1) << 63)
#define ENTRY_ADDR UINT64_C(0x000ffffffffff000)
#define PAGES_MAX  (1U << 22) /* tables may lead to each other */

size_t partition_view_spaces(const struct partition_view *v, uint32_t index,
			     uint64_t *root, size_t max)
{
	uint64_t kernel = view_cr3(v, index);
	const uint64_t *top =
		(const uint64_t *)view_frames(v, kernel / PAGE_BYTES, 1);
	size_t n = 0;

	if (!kernel || !top || !max)
		return 0;
	root[n++] = kernel;
	for (unsigned i = 0; i < SPACES_MAX && n < max; i++) {
		uint64_t other = v->space[i].root;
		const uint64_t *table =
			(const uint64_t *)view_frames(v, other / PAGE_BYTES, 1);

		/* A space that is gone has lost its way to the monitor. */
		if (other && other != kernel && v->space[i].index == index &&
		    table && !((table[511] ^ top[511]) & ENTRY_ADDR))
			root[n++] = other;
	}
	return n;
}

struct table_walk {
	const struct partition_view *v;
	partition_mapping_fn *fn;
	void *to;
	struct partition_mapping last; /* pages 0: none yet */
	unsigned entries;
};

static void mapping_flush(struct table_walk *w)
{
	if (w->last.pages)
		w->fn(w->to, &w->last);
	w->last.pages = 0;
}

static void mapping_add(struct table_walk *w, const struct partition_mapping *m)
{
	struct partition_mapping *last = &w->last;
	uint64_t bytes = last->pages * last->page_bytes;

	if (last->pages && last->page_bytes == m->page_bytes &&
	    last->user == m->user && last->writable == m->writable &&
	    last->executable == m->executable && last->va + bytes == m->va &&
	    last->pfn + bytes / PAGE_BYTES == m->pfn) {
		last->pages++;
		return;
	}
	mapping_flush(w);
	*last = *m;
}

/* `above` holds the rights that all levels above give. */
static void walk_table(struct table_walk *w, uint64_t pfn, unsigned level,
		       struct partition_mapping above)
{
	const uint64_t *table = (const uint64_t *)view_frames(w->v, pfn, 1);
	unsigned shift = 12 + 9 * (level - 1);

	for (unsigned i = 0; table && i < 512; i++) {
		uint64_t e = table[i];
		struct partition_mapping m = above;

		if (!(e & ENTRY_P))
			continue;
		if (++w->entries > PAGES_MAX)
			return;
		m.va = above.va + ((vaddr_t)i << shift);
		m.user = above.user && (e & ENTRY_U);
		m.writable = above.writable && (e & ENTRY_W);
		m.executable = above.executable && !(e & ENTRY_NX);
		if (level > 1 && (level == 4 || !(e & ENTRY_PS))) {
			walk_table(w, (e & ENTRY_ADDR) >> 12, level - 1, m);
			continue;
		}
		m.page_bytes = UINT64_C(1) << shift;
		m.pfn = (e & ENTRY_ADDR & ~(m.page_bytes - 1)) >> 12;
		m.va = (vaddr_t)((int64_t)(m.va << 16) >> 16);
		m.pages = 1;
		mapping_add(w, &m);
	}
}

void partition_view_tables(const struct partition_view *v, uint64_t root,
			   partition_mapping_fn *fn, void *to)
{
	struct table_walk w = {.v = v, .fn = fn, .to = to};

	walk_table(&w, root / PAGE_BYTES, 4,
		   (struct partition_mapping){
			   .user = true, .writable = true, .executable = true});
	mapping_flush(&w);
}

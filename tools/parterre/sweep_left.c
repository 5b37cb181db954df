/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep_left.c - what a partition would leave if it died now:
 * see sweep.h.
 *
 * All that it can write without its monitor is what its page tables map
 * writable.  Its own memory apart, which its next program's start renews, that
 * is looked at: RAM, by its digest.  What its monitor did for it is not: after
 * a call everything counts as changed.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/bus.h"
#include "sim/check.h"
#include "sim/digest.h"
#include "tools/parterre/sweep.h"

#define EXTENTS_MAX 64

struct walk {
	struct sweep_left *left;
	const struct partition_extent *extent;
	size_t extents;
};

static bool is_own(const struct walk *w, uint64_t pfn)
{
	for (size_t i = 0; i < w->extents; i++) {
		if (strcmp(w->extent[i].what, "memory") == 0 &&
		    pfn >= w->extent[i].pfn &&
		    pfn - w->extent[i].pfn < w->extent[i].frames)
			return true;
	}
	return false;
}

static void add(void *to, const struct partition_mapping *m)
{
	struct walk *w = to;
	struct sweep_left *l = w->left;
	uint64_t frames = m->pages * (m->page_bytes / PAGE_BYTES);

	if (!m->user || !m->writable)
		return;
	l->page = reallocarray(l->page, l->pages + frames, sizeof(*l->page));
	CHECK_MSG(l->page, "out of memory for a sweep");
	for (uint64_t i = 0; i < frames; i++) {
		if (!is_own(w, m->pfn + i))
			l->page[l->pages++] = m->pfn + i;
	}
}

static void find_pages(struct sweep_left *l, const struct partition_view *v,
		       uint32_t index)
{
	struct partition_extent extent[EXTENTS_MAX];
	struct walk w = {.left = l, .extent = extent};
	uint64_t root;

	l->pages = 0;
	w.extents = partition_view_extents(v, index, extent, EXTENTS_MAX);
	if (partition_view_spaces(v, index, &root, 1))
		partition_view_tables(v, root, add, &w);
}

bool sweep_left_same(struct sweep_left *l, const struct partition_view *v,
		     uint32_t index, bool called)
{
	struct bus *bus = machine_bus(partition_view_machine(v));
	uint64_t digest = 0;
	bool same;

	if (called || !l->page)
		find_pages(l, v, index);
	for (size_t i = 0; i < l->pages; i++) {
		const uint8_t *bytes =
			bus_ram(bus, l->page[i] * PAGE_BYTES, PAGE_BYTES);

		if (bytes)
			digest = digest_fold(digest, bytes, PAGE_BYTES);
	}
	same = !called && digest == l->digest;
	l->digest = digest;
	return same;
}

void sweep_left_end(struct sweep_left *l)
{
	free(l->page);
	*l = (struct sweep_left){0};
}

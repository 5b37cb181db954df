/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep_left.c - what a partition would leave if it died now:
 * see sweep.h.
 *
 * All that it can write without its monitor is RAM that its page tables map
 * writable, and devices' registers.  Its own memory is renewed by its next
 * program's start, so of that counts only what a device reads or writes: those
 * frames are known beforehand, by a run without a fault to the scenario's end.
 * RAM is compared by its digest.  An access to a register, an answer of the
 * platform, DMA are links of the machine's chain; what a device does by itself
 * is an event of the queue.  What its monitor did for it is not looked at:
 * after a call everything counts as changed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/bus.h"
#include "sim/check.h"
#include "sim/digest.h"
#include "tools/parterre/sweep.h"

#define EXTENTS_MAX 64
#define SPOILED     0xee

struct walk {
	const struct sweep_left *left;
	const struct partition_extent *extent;
	size_t extents;
	bool own; /* those of its own that don't count; else those that do */
	uint64_t *page;
	size_t pages;
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

static bool is_marked(const struct sweep_left *l, uint64_t pfn)
{
	return pfn < l->frames && l->mark[pfn];
}

static void add(void *to, const struct partition_mapping *m)
{
	struct walk *w = to;
	uint64_t frames = m->pages * (m->page_bytes / PAGE_BYTES);

	if (!m->user || !m->writable)
		return;
	w->page = reallocarray(w->page, w->pages + frames, sizeof(*w->page));
	CHECK_MSG(w->page, "out of memory for a sweep");
	for (uint64_t i = 0; i < frames; i++) {
		uint64_t pfn = m->pfn + i;

		if ((is_own(w, pfn) && !is_marked(w->left, pfn)) == w->own)
			w->page[w->pages++] = pfn;
	}
}

/* Frames that the partition can write, into page, which may be from before. */
static size_t find(const struct sweep_left *l, const struct partition_view *v,
		   uint32_t index, bool own, uint64_t **page)
{
	struct partition_extent extent[EXTENTS_MAX];
	struct walk w = {
		.left = l, .extent = extent, .own = own, .page = *page};
	uint64_t root;

	w.extents = partition_view_extents(v, index, extent, EXTENTS_MAX);
	if (partition_view_spaces(v, index, &root, 1))
		partition_view_tables(v, root, add, &w);
	*page = w.page;
	return w.pages;
}

void sweep_left_begin(struct sweep_left *l, struct machine *m)
{
	struct cpu_ram region[BUS_RAM_REGIONS];
	size_t n = bus_ram_regions(machine_bus(m), region);

	for (size_t i = 0; i < n; i++)
		l->frames = (region[i].base + region[i].bytes) / PAGE_BYTES;
	l->mark = mmap(NULL, l->frames, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_MSG(l->mark != MAP_FAILED, "out of memory for a sweep");
	bus_mark_dma(machine_bus(m), l->mark, l->frames);
}

void sweep_left_marked(struct sweep_left *l, struct machine *m)
{
	(void)l;
	bus_mark_dma(machine_bus(m), NULL, 0);
}

bool sweep_left_same(struct sweep_left *l, const struct partition_view *v,
		     uint32_t index, bool called)
{
	struct machine *m = partition_view_machine(v);
	struct sweep_left now = {.chain = machine_chain(m),
				 .fired = evq_fired(machine_evq(m))};
	bool same;

	if (called || !l->page)
		l->pages = find(l, v, index, false, &l->page);
	for (size_t i = 0; i < l->pages; i++) {
		const uint8_t *bytes = bus_ram(
			machine_bus(m), l->page[i] * PAGE_BYTES, PAGE_BYTES);

		if (bytes)
			now.digest = digest_fold(now.digest, bytes, PAGE_BYTES);
	}
	same = !called && now.digest == l->digest && now.chain == l->chain &&
	       now.fired == l->fired;
	l->digest = now.digest;
	l->chain = now.chain;
	l->fired = now.fired;
	return same;
}

/* --- in a run with the fault --- */

void sweep_left_fault(struct sweep_left *l, const struct partition_view *v,
		      uint32_t index, bool spoil)
{
	struct bus *bus = machine_bus(partition_view_machine(v));
	uint8_t page[PAGE_BYTES];

	memset(page, SPOILED, sizeof(page));
	l->owns = find(l, v, index, true, &l->own);
	for (size_t i = 0; spoil && i < l->owns; i++)
		bus_poke(bus, l->own[i] * PAGE_BYTES, page, sizeof(page));
	l->done = calloc(l->frames, 1);
	CHECK_MSG(l->done, "out of memory for a sweep");
	bus_mark_dma(bus, l->done, l->frames);
}

bool sweep_left_strayed(const struct sweep_left *l, uint64_t *pfn)
{
	for (size_t i = 0; i < l->owns; i++) {
		*pfn = l->own[i];
		if (l->done[*pfn])
			return true;
	}
	return false;
}

void sweep_left_end(struct sweep_left *l)
{
	if (l->mark)
		munmap(l->mark, l->frames);
	free(l->page);
	free(l->own);
	free(l->done);
	*l = (struct sweep_left){0};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/snapshot_memory.c - see snapshot_memory.h.
 *
 * Each snapshot holds the pages in which it differs from another one that is
 * nearer to the machine as it stands; the nearest, in which it differs from the
 * machine.  Going back swaps pages along the way there and turns the way
 * around.  (An array with versions, after H. Baker, "Shallow binding makes
 * functional arrays fast", 1991.)
 *
 * One that was forgotten but lies between others stays until at most one
 * depends on it, which then takes over its pages.
 */
#include "sim/snapshot_memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/machine_internal.h"
#include "sim/snapshot_internal.h"

#define LIMIT_BYTES (UINT64_C(2) << 30)
#define REGIONS_MAX 24
#define SPARE_MAX   4096 /* pages that are kept for use again */
#define SLOTS_MIN   64

/* A piece of memory; its pages have numbers from `first` on. */
struct region {
	uint8_t *host;
	uint64_t bytes, first;
	paddr_t base;   /* of RAM */
	uint8_t *clean; /* device memory: not written yet, a flag a page */
	bool ram;
	const struct device *device;
};

/* Pages by number, in a table with open addresses. */
struct held {
	uint64_t number; /* plus 1; 0: free */
	uint8_t *page;   /* NULL: zeroes */
};
struct pages {
	struct held *slot;
	size_t slots, count; /* slots: a power of two, or 0 */
};

struct memory_snapshot {
	struct keeper *keeper;
	struct memory_snapshot *next; /* in the keeper's list */
	/* Nearer to the machine; NULL: this is the nearest. */
	struct memory_snapshot *toward;
	size_t dependents; /* whose `toward` this is */
	bool forgotten;
	struct pages pages;
	uint8_t *state;
	size_t state_bytes;
};

struct spare {
	struct spare *next;
};

struct keeper {
	struct machine *m;
	struct region region[REGIONS_MAX];
	size_t regions;
	struct memory_snapshot *all, *nearest;
	uint64_t held, limit; /* bytes */
	struct spare *spare;
	size_t spares;
};

/* --- pages --- */

static bool is_zero(const uint8_t *p)
{
	uint64_t first;

	memcpy(&first, p, sizeof(first));
	return !first && !memcmp(p, p + 1, PAGE_BYTES - 1);
}

static uint8_t *page_new(struct keeper *k)
{
	struct spare *s = k->spare;

	k->held += PAGE_BYTES;
	if (s) {
		k->spare = s->next;
		k->spares--;
		return (uint8_t *)s;
	}
	s = malloc(PAGE_BYTES);
	CHECK_MSG(s, "out of memory for a snapshot");
	return (uint8_t *)s;
}

static void page_free(struct keeper *k, uint8_t *page)
{
	struct spare *s = (struct spare *)page;

	if (!page)
		return;
	k->held -= PAGE_BYTES;
	if (k->spares == SPARE_MAX) {
		free(page);
		return;
	}
	s->next = k->spare;
	k->spare = s;
	k->spares++;
}

static uint8_t *page_copy(struct keeper *k, const uint8_t *from)
{
	uint8_t *page = is_zero(from) ? NULL : page_new(k);

	if (page)
		memcpy(page, from, PAGE_BYTES);
	return page;
}

static struct held *slot_of(const struct pages *p, uint64_t number)
{
	size_t at = (size_t)(number * UINT64_C(0x9E3779B97F4A7C15) >> 20);

	for (;; at++) {
		struct held *h = &p->slot[at & (p->slots - 1)];

		if (!h->number || h->number == number + 1)
			return h;
	}
}

static bool holds(const struct pages *p, uint64_t number)
{
	return p->slots && slot_of(p, number)->number;
}

static void put(struct pages *p, uint64_t number, uint8_t *page)
{
	struct held *h;

	if (p->count * 2 >= p->slots) {
		struct pages more = {
			.slots = p->slots ? 2 * p->slots : SLOTS_MIN,
			.count = p->count,
		};

		more.slot = calloc(more.slots, sizeof(*more.slot));
		CHECK_MSG(more.slot, "out of memory for a snapshot");
		for (size_t i = 0; i < p->slots; i++) {
			if (p->slot[i].number)
				*slot_of(&more, p->slot[i].number - 1) =
					p->slot[i];
		}
		free(p->slot);
		*p = more;
	}
	h = slot_of(p, number);
	CHECK(!h->number);
	*h = (struct held){number + 1, page};
	p->count++;
}

static void pages_free(struct keeper *k, struct pages *p)
{
	for (size_t i = 0; i < p->slots; i++) {
		if (p->slot[i].number)
			page_free(k, p->slot[i].page);
	}
	free(p->slot);
	*p = (struct pages){0};
}

/* --- memory --- */

static const struct region *region_of(const struct keeper *k, uint64_t number)
{
	for (size_t i = 0; i < k->regions; i++) {
		const struct region *r = &k->region[i];

		if (number - r->first < r->bytes / PAGE_BYTES)
			return r;
	}
	CHECK_MSG(false, "page %" PRIu64 " is of no memory", number);
}

static uint8_t *host_of(const struct keeper *k, uint64_t number)
{
	const struct region *r = region_of(k, number);

	return r->host + (number - r->first) * PAGE_BYTES;
}

/* The machine's page becomes this one. */
static void write_page(struct keeper *k, uint64_t number, const uint8_t *page)
{
	const struct region *r = region_of(k, number);
	uint64_t at = (number - r->first) * PAGE_BYTES;

	if (page)
		memcpy(r->host + at, page, PAGE_BYTES);
	else
		memset(r->host + at, 0, PAGE_BYTES);
	if (r->ram)
		cpu_ram_changed(k->m->complex, r->base + at, PAGE_BYTES);
}

/* Before a page is written that was not since the nearest was taken. */
static void keep(struct keeper *k, uint64_t number)
{
	struct pages *p = &k->nearest->pages;

	if (holds(p, number))
		return; /* from before something nearer was forgotten */
	if (k->held >= k->limit)
		machine_host_failed(k->m,
				    "snapshots in memory hold %" PRIu64
				    " MiB, as much as "
				    "they may; free one, or give them more",
				    k->held >> 20);
	put(p, number, page_copy(k, host_of(k, number)));
}

static void keep_ram(void *owner, paddr_t pa)
{
	struct keeper *k = owner;

	for (size_t i = 0; i < k->regions; i++) {
		const struct region *r = &k->region[i];

		if (r->ram && pa - r->base < r->bytes)
			keep(k, r->first + (pa - r->base) / PAGE_BYTES);
	}
}

void device_memory_changes(struct device *d, const void *at, uint64_t bytes)
{
	struct keeper *k = d->machine->keeper;

	if (!k || !k->nearest || !bytes)
		return;
	for (size_t i = 0; i < k->regions; i++) {
		struct region *r = &k->region[i];
		uint64_t from = (uint64_t)((const uint8_t *)at - r->host);

		if (r->ram || r->device != d || from >= r->bytes)
			continue;
		for (uint64_t p = from / PAGE_BYTES;
		     p <= (from + bytes - 1) / PAGE_BYTES; p++) {
			if (r->clean[p])
				keep(k, r->first + p);
			r->clean[p] = 0;
		}
	}
}

/* All pages are as the nearest has them. */
static void all_clean(struct keeper *k)
{
	cpu_notice_writes(k->m->complex, k->nearest ? keep_ram : NULL, k);
	for (size_t i = 0; i < k->regions; i++) {
		if (!k->region[i].ram)
			memset(k->region[i].clean, 1,
			       k->region[i].bytes / PAGE_BYTES);
	}
}

static void add_region(struct keeper *k, struct region r, uint64_t *pages)
{
	CHECK(k->regions < REGIONS_MAX);
	CHECK(r.bytes % PAGE_BYTES == 0);
	r.first = *pages;
	if (!r.ram)
		r.clean = malloc(r.bytes / PAGE_BYTES);
	CHECK_MSG(r.ram || r.clean, "out of memory for a snapshot");
	k->region[k->regions++] = r;
	*pages += r.bytes / PAGE_BYTES;
}

static void find_regions(struct keeper *k)
{
	struct cpu_ram ram[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(k->m->bus, ram);
	uint64_t pages = 0, bytes;
	uint8_t *at;

	for (size_t i = 0; i < count; i++) {
		if (!ram[i].read_only)
			add_region(k,
				   (struct region){.ram = true,
						   .host = ram[i].host,
						   .bytes = ram[i].bytes,
						   .base = ram[i].base},
				   &pages);
	}
	for (size_t i = 0; i < k->m->device_count; i++) {
		struct device *d = k->m->device[i];

		for (unsigned n = 0;
		     d->class->memory && d->class->memory(d, n, &at, &bytes);
		     n++)
			add_region(k,
				   (struct region){.host = at,
						   .bytes = bytes,
						   .device = d},
				   &pages);
	}
}

static bool keeper_create(struct machine *m, struct error *err)
{
	struct keeper *k;

	for (size_t i = 0; i < m->device_count; i++) {
		struct device *d = m->device[i];

		if (d->class->media && !d->class->media(d, true, err))
			return false;
	}
	k = calloc(1, sizeof(*k));
	CHECK_MSG(k, "out of memory for a snapshot");
	k->m = m;
	k->limit = LIMIT_BYTES;
	find_regions(k);
	m->keeper = k;
	return true;
}

void keeper_destroy(struct keeper *k)
{
	struct spare *s;

	if (!k)
		return;
	while (k->all) {
		struct memory_snapshot *gone = k->all;

		k->all = gone->next;
		pages_free(k, &gone->pages);
		free(gone->state);
		free(gone);
	}
	while ((s = k->spare)) {
		k->spare = s->next;
		free(s);
	}
	for (size_t i = 0; i < k->regions; i++)
		free(k->region[i].clean);
	free(k);
}

/* --- taking --- */

static void prune_all(struct keeper *k);

struct memory_snapshot *machine_take(struct machine *m, struct error *err)
{
	struct snapshot_writer *w;
	struct memory_snapshot *s;
	struct keeper *k;

	if (m->in_run) {
		error_set(err, EXIT_USAGE,
			  "a snapshot is taken when the machine stands, not "
			  "while it runs");
		return NULL;
	}
	if (!snapshot_can_be(m, "in memory", err) ||
	    (!m->keeper && !keeper_create(m, err)))
		return NULL;
	k = m->keeper;
	prune_all(k); /* what was forgotten in a run */
	if (k->held >= k->limit) {
		error_set(err, EXIT_USAGE,
			  "snapshots in memory hold %" PRIu64 " MiB, as much "
			  "as they may; free one before the next is taken",
			  k->held >> 20);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	CHECK_MSG(s, "out of memory for a snapshot");
	s->keeper = k;
	machine_observe_anew(m);
	w = snapshot_writer_memory();
	snapshot_put_machine(m, w);
	s->state = snapshot_writer_taken(w, &s->state_bytes);
	s->next = k->all;
	k->all = s;
	if (k->nearest) {
		k->nearest->toward = s;
		s->dependents = 1;
	}
	k->nearest = s;
	all_clean(k);
	return s;
}

/* --- going back --- */

/* The machine's memory becomes that of the nearest. */
static void undo(struct keeper *k)
{
	struct pages *p = &k->nearest->pages;

	for (size_t i = 0; i < p->slots; i++) {
		if (p->slot[i].number)
			write_page(k, p->slot[i].number - 1, p->slot[i].page);
	}
	pages_free(k, p);
}

/* The machine stands where the nearest does; then where `to` does, which
 * depends on it, and now it depends on `to`. */
static void turn(struct keeper *k, struct memory_snapshot *to)
{
	struct memory_snapshot *from = k->nearest;

	for (size_t i = 0; i < to->pages.slots; i++) {
		struct held *h = &to->pages.slot[i];
		uint8_t *page = h->page;

		if (!h->number)
			continue;
		h->page = page_copy(k, host_of(k, h->number - 1));
		write_page(k, h->number - 1, page);
		page_free(k, page);
	}
	CHECK(!from->pages.count && to->toward == from);
	from->pages = to->pages;
	from->toward = to;
	from->dependents--;
	to->pages = (struct pages){0};
	to->toward = NULL;
	to->dependents++;
	k->nearest = to;
}

static void go_to(struct keeper *k, struct memory_snapshot *s)
{
	undo(k);
	while (k->nearest != s) {
		struct memory_snapshot *step = s;

		while (step->toward != k->nearest)
			step = step->toward;
		turn(k, step);
	}
}

bool machine_restore(struct machine *m, struct memory_snapshot *s,
		     struct error *err)
{
	struct keeper *k = s->keeper;
	struct snapshot_reader *r;
	struct error e = {0};
	bool good;

	CHECK(k->m == m && !s->forgotten);
	if (m->in_run)
		return error_set(err, EXIT_USAGE,
				 "a machine goes back when it stands, not "
				 "while it runs");
	if (m->broken)
		return error_set(err, EXIT_HOST, "%s", machine_broken_text(m));
	machine_observe_anew(m);
	go_to(k, s);
	r = snapshot_reader_memory(s->state, s->state_bytes);
	good = snapshot_get_machine(m, r, &e);
	CHECK_MSG(good, "a snapshot in memory is not what was taken: %s",
		  e.text);
	snapshot_reader_destroy(r);
	all_clean(k);
	prune_all(k);
	return true;
}

/* --- forgetting --- */

static void unlink_snapshot(struct keeper *k, struct memory_snapshot *s)
{
	struct memory_snapshot **at = &k->all;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	pages_free(k, &s->pages);
	free(s);
}

/* Its only dependent takes over what it holds. */
static void hand_over(struct keeper *k, struct memory_snapshot *s)
{
	struct memory_snapshot *to = k->all;

	while (to->toward != s)
		to = to->next;
	for (size_t i = 0; i < s->pages.slots; i++) {
		const struct held *h = &s->pages.slot[i];

		if (!h->number)
			continue;
		if (holds(&to->pages, h->number - 1))
			page_free(k, h->page);
		else
			put(&to->pages, h->number - 1, h->page);
	}
	free(s->pages.slot);
	s->pages = (struct pages){0};
	to->toward = s->toward;
	if (k->nearest == s)
		k->nearest = to;
	unlink_snapshot(k, s);
}

static void prune(struct keeper *k, struct memory_snapshot *s)
{
	if (s->dependents) {
		hand_over(k, s);
		return;
	}
	if (s->toward)
		s->toward->dependents--;
	if (k->nearest == s) {
		k->nearest = NULL;
		all_clean(k);
	}
	unlink_snapshot(k, s);
}

/* Each that goes may make another one free to go. */
static void prune_all(struct keeper *k)
{
	struct memory_snapshot *s = k->all;

	while (s) {
		if (s->forgotten && s->dependents < 2) {
			prune(k, s);
			s = k->all;
		} else {
			s = s->next;
		}
	}
}

void machine_forget(struct memory_snapshot *s)
{
	if (!s)
		return;
	CHECK(!s->forgotten);
	s->forgotten = true;
	free(s->state);
	s->state = NULL;
	if (!s->keeper->m->in_run)
		prune_all(s->keeper);
}

/* --- how much --- */

void machine_take_limit(struct machine *m, uint64_t bytes)
{
	CHECK(m->keeper);
	m->keeper->limit = bytes;
}

uint64_t machine_taken_bytes(const struct machine *m)
{
	return m->keeper ? m->keeper->held : 0;
}

size_t machine_written_pages(const struct machine *m)
{
	return m->keeper && m->keeper->nearest ? m->keeper->nearest->pages.count
					       : 0;
}

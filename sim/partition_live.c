/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_live.c - the pages of the database in force, as they lie in RAM
 * now (hv/abi/database.h): what must not change while a transaction is open.
 *
 * Nothing here goes by what was seen before but where the root lies: the
 * version in force is found anew, so it may be asked at any boundary.
 */
#include "sim/partition_internal.h"

struct list {
	const struct partition_view *v;
	struct partition_page *page;
	size_t count, max;
	bool whole; /* every page was RAM, and there was room */
};

static const void *add(struct list *l, const char *what, uint64_t pfn)
{
	const uint8_t *bytes = view_frames(l->v, pfn, 1);

	if (!bytes || l->count == l->max) {
		l->whole = false;
		return NULL;
	}
	l->page[l->count++] = (struct partition_page){
		.pfn = pfn, .what = what, .bytes = bytes};
	return bytes;
}

/* An index page, then those that it leads to, in order of frames. */
static void add_map(struct list *l, uint64_t pfn, unsigned tier)
{
	const uint64_t *word = add(l, "map", pfn);

	for (unsigned i = 0; word && tier && i < TIER_WORDS && l->whole; i++) {
		if (MAP_KIND(word[i]) == MAP_INDEX)
			add_map(l, MAP_TARGET(word[i]), tier - 1);
	}
}

static void add_parts(struct list *l, uint64_t pfn)
{
	const struct db_part *part = add(l, "parts", pfn);

	for (unsigned i = 0; part && i < DB_PARTS; i++) {
		if (!part[i].number)
			continue;
		(void)add(l, "desc", part[i].number);
		(void)add(l, "conf", part[i].conf_pfn);
	}
}

size_t partition_view_live(const struct partition_view *v,
			   struct partition_page *page, size_t max)
{
	struct list l = {.v = v, .page = page, .max = max, .whole = true};
	const struct db_root *root;
	const struct db_version *version;

	if (v->opaque || v->lead->magic != LEAD_MAGIC || !v->lead->root_pfn)
		return 0;
	root = add(&l, "root", v->lead->root_pfn);
	if (!root || root->magic != DB_MAGIC)
		return 0;
	version = add(&l, "version", root->current);
	if (!version || version->magic != DB_MAGIC)
		return 0;
	add_map(&l, version->map_pfn, 2);
	add_parts(&l, version->parts_pfn);
	(void)add(&l, "chans", version->chans_pfn);
	(void)add(&l, "devs", version->devs_pfn);
	(void)add(&l, "cpus", version->cpus_pfn);
	(void)add(&l, "irqs", version->irqs_pfn);
	(void)add(&l, "buses", version->buses_pfn);
	(void)add(&l, "moves", version->moves_pfn);
	return l.whole ? l.count : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db_map.c - the memory map: tiers of 4 KiB, 2 MiB and 1 GiB.
 *
 * A word of an index page is free, owned as a whole, or names the index page of
 * the next lower tier (abi/database.h).  Setting a range splits blocks where it
 * has to, and merges those that have become one owner's.
 */
#include "ultravisor/db_pages.h"

uint64_t db_map_word(const struct db *db, uint64_t pfn, enum db_tier *tier)
{
	const uint64_t *page = db_page_at(db, db_version(db)->map_pfn);
	int t = DB_TIER_G;
	uint64_t word;

	if (pfn >> (3 * TIER_SHIFT)) {
		*tier = DB_TIER_G;
		return MAP_NONE;
	}
	for (;;) {
		word = page[(pfn >> (TIER_SHIFT * t)) % TIER_WORDS];
		if (MAP_KIND(word) != MAP_INDEX || t == DB_TIER_K)
			break;
		page = db_page_at(db, MAP_TARGET(word));
		t--;
	}
	*tier = (enum db_tier)t;
	return word;
}

uint64_t db_owner(const struct db *db, uint64_t pfn)
{
	enum db_tier tier;
	uint64_t word = db_map_word(db, pfn, &tier);

	return MAP_KIND(word) == MAP_OWNED ? MAP_TARGET(word) : 0;
}

static void count_block(struct db *db, uint64_t word, uint64_t frames, int sign)
{
	uint64_t delta = sign > 0 ? frames : 0 - frames;

	if (MAP_KIND(word) != MAP_OWNED)
		return;
	db->shadow->frames_total += delta;
	if (MAP_TARGET(word) == db_available(db))
		db->shadow->frames_free += delta;
}

/* Takes a subtree out of the counts and gives its pages back. */
static void forget(struct db *db, uint64_t word, int tier)
{
	const uint64_t *page;

	if (MAP_KIND(word) != MAP_INDEX) {
		count_block(db, word, DB_TIER_FRAMES(tier), -1);
		return;
	}
	page = db_page_at(db, MAP_TARGET(word));
	for (unsigned i = 0; i < TIER_WORDS; i++)
		forget(db, page[i], tier - 1);
	db_page_drop(db, MAP_TARGET(word));
}

/* Sets [pfn, pfn + frames) below the block that *slot describes; all of it lies
 * in that block.  Afterwards *slot is a whole block again if all is of one
 * owner. */
static int set_range(struct db *db, uint64_t *slot, int tier, uint64_t pfn,
		     uint64_t frames, uint64_t word)
{
	uint64_t whole = DB_TIER_FRAMES(tier);
	uint64_t *page;
	bool same = true;

	if (frames == whole) {
		forget(db, *slot, tier);
		*slot = word;
		count_block(db, word, whole, 1);
		return CONTROL_OK;
	}
	if (MAP_KIND(*slot) == MAP_INDEX) {
		page = db_page_mut(db, slot, MAP_INDEX);
		if (!page)
			return CONTROL_ELIMIT;
	} else {
		if (*slot == word)
			return CONTROL_OK;
		page = db_page_alloc(db);
		if (!page)
			return CONTROL_ELIMIT;
		for (unsigned i = 0; i < TIER_WORDS; i++)
			page[i] = *slot;
		*slot = MAP_WORD(MAP_INDEX, db_pfn_of(db, page));
	}
	whole = DB_TIER_FRAMES(tier - 1);
	while (frames) {
		uint64_t room = whole - pfn % whole;
		uint64_t part = frames < room ? frames : room;
		int status = set_range(db, &page[pfn / whole % TIER_WORDS],
				       tier - 1, pfn, part, word);

		if (status)
			return status;
		pfn += part;
		frames -= part;
	}
	for (unsigned i = 1; i < TIER_WORDS && same; i++)
		same = page[i] == page[0];
	if (same && MAP_KIND(page[0]) != MAP_INDEX) {
		uint64_t merged = page[0];

		db_page_drop(db, db_pfn_of(db, page));
		*slot = merged;
	}
	return CONTROL_OK;
}

int db_map_set(struct db *db, uint64_t pfn, uint64_t frames, uint64_t owner)
{
	uint64_t word = owner ? MAP_WORD(MAP_OWNED, owner) : MAP_NONE;
	uint64_t limit = DB_TIER_FRAMES(DB_TIER_G) * TIER_WORDS;
	uint64_t whole = DB_TIER_FRAMES(DB_TIER_G);
	uint64_t *page;

	if (pfn > limit || frames > limit - pfn)
		return CONTROL_EVALUE;
	page = db_page_mut(db, &db->shadow->map_pfn, 0);
	if (!page)
		return CONTROL_ELIMIT;
	while (frames) {
		uint64_t room = whole - pfn % whole;
		uint64_t part = frames < room ? frames : room;
		int status = set_range(db, &page[pfn / whole], DB_TIER_G, pfn,
				       part, word);

		if (status)
			return status;
		pfn += part;
		frames -= part;
	}
	return CONTROL_OK;
}

/* Walks the map block by block for a run of `from`'s frames.  With `split`,
 * only runs that end in a split block count, so that whole blocks stay whole
 * while there is other room. */
static bool find_run(const struct db *db, uint64_t from, uint64_t frames,
		     uint64_t align, bool split, uint64_t *pfn)
{
	uint64_t limit = DB_TIER_FRAMES(DB_TIER_G) * TIER_WORDS;
	uint64_t start = 0, at = 0;
	bool open = false;

	while (at < limit) {
		enum db_tier tier;
		uint64_t word = db_map_word(db, at, &tier);
		uint64_t end = at + DB_TIER_FRAMES(tier);

		if (word != MAP_WORD(MAP_OWNED, from) ||
		    (split && tier != DB_TIER_K)) {
			open = false;
		} else {
			if (!open)
				start = (at + align - 1) & ~(align - 1);
			open = true;
			if (start < end && end - start >= frames) {
				*pfn = start;
				return true;
			}
		}
		at = end;
	}
	return false;
}

int db_alloc(struct db *db, uint64_t from, uint64_t frames, uint64_t align,
	     uint64_t owner, uint64_t *pfn)
{
	bool small = frames < DB_TIER_FRAMES(DB_TIER_M);

	if (!frames || !align || (align & (align - 1)))
		return CONTROL_EVALUE;
	if (!(small && find_run(db, from, frames, align, true, pfn)) &&
	    !find_run(db, from, frames, align, false, pfn))
		return CONTROL_ENOMEM;
	return db_map_set(db, *pfn, frames, owner);
}

uint64_t db_frames_of(const struct db *db, uint64_t owner)
{
	uint64_t limit = DB_TIER_FRAMES(DB_TIER_G) * TIER_WORDS;
	uint64_t total = 0;

	for (uint64_t at = 0; at < limit;) {
		enum db_tier tier;
		uint64_t word = db_map_word(db, at, &tier);

		if (word == MAP_WORD(MAP_OWNED, owner))
			total += DB_TIER_FRAMES(tier);
		at += DB_TIER_FRAMES(tier);
	}
	return total;
}

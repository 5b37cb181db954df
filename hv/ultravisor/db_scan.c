/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db_scan.c - every invariant of the database, and taking over
 * what a former incarnation left: see db.h.
 */
#include "ultravisor/db_pages.h"
#include "ultravisor/state.h"

struct scan {
	const struct db *db;
	uint8_t seen[DB_POOL_PAGES_MAX];
	uint64_t total, available;
	uint64_t owner; /* of the block before: it exists */
	const char *wrong;
};

static bool scan_page(struct scan *s, uint64_t pfn)
{
	if (!db_in_pool(s->db, pfn)) {
		s->wrong = "a page of the database lies outside its pool";
		return false;
	}
	if (s->seen[pfn - s->db->pool_pfn]++) {
		s->wrong = "a page of the database is referred to twice";
		return false;
	}
	return true;
}

static void scan_map(struct scan *s, uint64_t pfn, int tier)
{
	const uint64_t *page;
	bool same = true;

	if (!scan_page(s, pfn))
		return;
	page = db_page_at(s->db, pfn);
	for (unsigned i = 0; i < TIER_WORDS && !s->wrong; i++) {
		uint64_t word = page[i];

		same = same && word == page[0];
		switch (MAP_KIND(word)) {
		case MAP_NONE:
			if (word)
				s->wrong = "a map word without RAM names an "
					   "owner";
			break;
		case MAP_OWNED:
			if (MAP_TARGET(word) != s->owner &&
			    !db_part(s->db, MAP_TARGET(word)))
				s->wrong = "a block's owner does not exist";
			s->owner = MAP_TARGET(word);
			s->total += DB_TIER_FRAMES(tier);
			if (MAP_TARGET(word) == db_available(s->db))
				s->available += DB_TIER_FRAMES(tier);
			break;
		case MAP_INDEX:
			same = false;
			if (tier == DB_TIER_K)
				s->wrong = "a word of the lowest tier is an "
					   "index";
			else
				scan_map(s, MAP_TARGET(word), tier - 1);
			break;
		default:
			s->wrong = "a map word is of no kind";
		}
	}
	if (!s->wrong && same && tier != DB_TIER_G)
		s->wrong = "a whole block of one owner is left split";
}

static void scan_state(struct scan *s, uint32_t flags)
{
	if (!s->wrong && !state_named(flags))
		s->wrong = "a resource's flags are no set that occurs";
}

static void scan_tables(struct scan *s)
{
	for (unsigned i = 0; i < DB_PARTS && !s->wrong; i++) {
		const struct db_part *p = db_part_at(s->db, i);

		if (!p || !scan_page(s, p->number) ||
		    !scan_page(s, p->conf_pfn))
			continue;
		scan_state(s, p->flags);
		if (db_desc(s->db, p->number)->magic != PART_DESC_MAGIC ||
		    db_desc(s->db, p->number)->number != p->number)
			s->wrong = "a partition's number does not lead to its "
				   "descriptor";
	}
	for (unsigned i = 0; i < DB_CHANS && !s->wrong; i++) {
		const struct db_chan *c = db_chan_at(s->db, i);

		if (c && ((c->client && !db_part(s->db, c->client)) ||
			  (c->server && !db_part(s->db, c->server))))
			s->wrong = "a channel's end does not exist";
		else if (c && c->bus &&
			 (!db_bus(s->db, c->bus) ||
			  db_bus(s->db, c->bus)->client != c->client))
			s->wrong = "a channel is on a bus of another's";
		if (c)
			scan_state(s, c->flags);
	}
	for (unsigned id = 1; id <= DB_BUSES && !s->wrong; id++) {
		const struct db_bus *b = db_bus(s->db, id);

		if (b && (!db_part(s->db, b->client) ||
			  (b->server && !db_part(s->db, b->server))))
			s->wrong = "a bus's end does not exist";
		if (b)
			scan_state(s, b->flags);
	}
	for (unsigned i = 0; i < DB_DEVS && !s->wrong; i++) {
		const struct db_dev *d = db_dev_at(s->db, i);

		if (d && d->owner && !db_part(s->db, d->owner))
			s->wrong = "a device's owner does not exist";
		if (d)
			scan_state(s, d->flags);
	}
}

static void scan_moves(struct scan *s)
{
	for (unsigned i = 0; i < DB_CHANS && !s->wrong; i++) {
		const struct db_move *m = db_move(s->db, i);
		const struct db_chan *c = db_chan_at(s->db, i);

		if (m->phase && (!c || c->id != m->id))
			s->wrong = "what is on its way is no channel";
	}
}

static bool window_wrong(const struct scan *s, const struct db_cpu *c)
{
	for (unsigned i = 0; i < DB_WINDOWS; i++)
		if (c->window[i].number && !db_part(s->db, c->window[i].number))
			return true;
	return false;
}

static void scan_processors(struct scan *s)
{
	for (unsigned i = 0; i < DB_CPUS && !s->wrong; i++) {
		const struct db_cpu *c = db_cpu(s->db, i);

		if (c && !db_part(s->db, c->owner))
			s->wrong = "a CPU's owner does not exist";
		else if (c && window_wrong(s, c))
			s->wrong = "a CPU's window is of nobody";
	}
	for (unsigned i = 0; i < DB_IRQS && !s->wrong; i++) {
		const struct db_irq *irq = db_irq(s->db, i);
		const struct db_dev *d = db_dev(s->db, irq->device);

		if (irq->owner && !db_part(s->db, irq->owner))
			s->wrong = "an interrupt's owner does not exist";
		else if (irq->device && (!d || d->owner != irq->owner))
			s->wrong = "an interrupt is not its device's owner's";
	}
}

/* What the version in force refers to: s->seen. */
static void scan_version(struct scan *s)
{
	const struct db_version *v;

	if (!scan_page(s, db_pfn_of(s->db, s->db->root)) ||
	    !scan_page(s, s->db->root->current))
		return;
	v = db_page_at(s->db, s->db->root->current);
	if (v->magic != DB_MAGIC)
		s->wrong = "the version in force is none";
	else if (scan_page(s, v->parts_pfn) && scan_page(s, v->chans_pfn) &&
		 scan_page(s, v->devs_pfn) && scan_page(s, v->cpus_pfn) &&
		 scan_page(s, v->irqs_pfn) && scan_page(s, v->buses_pfn) &&
		 scan_page(s, v->moves_pfn))
		scan_tables(s);
	if (!s->wrong)
		scan_moves(s);
	if (!s->wrong)
		scan_processors(s);
	if (!s->wrong)
		scan_map(s, v->map_pfn, DB_TIER_G);
	if (!s->wrong && s->total != v->frames_total)
		s->wrong = "the count of frames is wrong";
	if (!s->wrong && s->available != v->frames_free)
		s->wrong = "the count of free frames is wrong";
}

const char *db_scan(const struct db *db)
{
	/* The version in force, whatever transaction is open. */
	struct db committed = *db;
	struct scan s = {.db = &committed};

	committed.shadow = NULL;
	scan_version(&s);
	for (unsigned i = 0; i < db->pool_pages && !s.wrong; i++) {
		bool live = db->use[i] == DB_PAGE_LIVE ||
			    db->use[i] == DB_PAGE_RETIRED;

		if (live != s.seen[i])
			s.wrong = "a page of the pool is lost or used without "
				  "being taken";
	}
	return s.wrong;
}

int db_adopt(struct db *db, void *pool, uint64_t pool_pfn, unsigned pages)
{
	struct scan s = {.db = db};

	memset(db, 0, sizeof(*db));
	db->pool = pool;
	db->pool_pfn = pool_pfn;
	db->pool_pages = pages < DB_POOL_PAGES_MAX ? pages : DB_POOL_PAGES_MAX;
	db->root = pool;
	if (db->root->magic != DB_MAGIC || !db_in_pool(db, db->root->current))
		return CONTROL_EIMAGE;
	scan_version(&s);
	if (s.wrong)
		return CONTROL_EIMAGE;
	for (unsigned i = 0; i < db->pool_pages; i++)
		db->use[i] = s.seen[i] ? DB_PAGE_LIVE : DB_PAGE_FREE;
	return CONTROL_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db.c - see db.h.
 *
 * Reading order: pages of the pool, transactions, the map, the tables.
 */
#include "ultravisor/db.h"

#include "abi/control.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#define PAGE 4096

/* --- pages of the pool --- */

static void *page_at(const struct db *db, uint64_t pfn)
{
	return db->pool + (pfn - db->pool_pfn) * PAGE;
}

static uint64_t pfn_of(const struct db *db, const void *page)
{
	return db->pool_pfn +
	       (uint64_t)((const uint8_t *)page - db->pool) / PAGE;
}

static bool in_pool(const struct db *db, uint64_t pfn)
{
	return pfn >= db->pool_pfn && pfn < db->pool_pfn + db->pool_pages;
}

static uint8_t *use_of(struct db *db, uint64_t pfn)
{
	return &db->use[pfn - db->pool_pfn];
}

/* Lowest first, so that equal histories give equal databases. */
static void *page_alloc(struct db *db)
{
	for (unsigned i = 0; i < db->pool_pages; i++) {
		if (db->use[i] != DB_PAGE_FREE)
			continue;
		db->use[i] = DB_PAGE_FRESH;
		return memset(db->pool + (uint64_t)i * PAGE, 0, PAGE);
	}
	return NULL;
}

/* The open transaction no longer refers to this page. */
static void page_drop(struct db *db, uint64_t pfn)
{
	uint8_t *use = use_of(db, pfn);

	*use = *use == DB_PAGE_FRESH ? DB_PAGE_FREE : DB_PAGE_RETIRED;
}

/* The page that *word names, ready to be changed: itself if this transaction
 * made it, else a copy, which *word then names. */
static void *page_mut(struct db *db, uint64_t *word, uint64_t kind)
{
	uint64_t pfn = kind ? MAP_TARGET(*word) : *word;
	void *copy;

	if (*use_of(db, pfn) == DB_PAGE_FRESH)
		return page_at(db, pfn);
	copy = page_alloc(db);
	if (!copy)
		return NULL;
	memcpy(copy, page_at(db, pfn), PAGE);
	page_drop(db, pfn);
	pfn = pfn_of(db, copy);
	*word = kind ? MAP_WORD(kind, pfn) : pfn;
	return copy;
}

/* --- transactions --- */

bool db_open(const struct db *db)
{
	return db->shadow;
}

const struct db_version *db_version(const struct db *db)
{
	return db->shadow ? db->shadow : page_at(db, db->root->current);
}

int db_begin(struct db *db)
{
	uint64_t current = db->root->current; /* the root itself stays */

	db->shadow = page_mut(db, &current, 0);
	if (!db->shadow)
		return CONTROL_ELIMIT;
	db->shadow->generation++;
	return CONTROL_OK;
}

static void sweep(struct db *db, uint8_t from, uint8_t to)
{
	for (unsigned i = 0; i < db->pool_pages; i++) {
		if (db->use[i] == from)
			db->use[i] = to;
	}
}

void db_commit(struct db *db, uint64_t requester, uint64_t handle)
{
	db->shadow->txn_requester = requester;
	db->shadow->txn_handle = handle;
	/* All that the new version refers to is written before it is in force;
	 * a release store orders it for the compiler and, on x86, for other
	 * CPUs. */
	__atomic_store_n(&db->root->current, pfn_of(db, db->shadow),
			 __ATOMIC_RELEASE);
	db->shadow = NULL;
	sweep(db, DB_PAGE_RETIRED, DB_PAGE_FREE);
	sweep(db, DB_PAGE_FRESH, DB_PAGE_LIVE);
}

void db_abort(struct db *db)
{
	db->shadow = NULL;
	sweep(db, DB_PAGE_FRESH, DB_PAGE_FREE);
	sweep(db, DB_PAGE_RETIRED, DB_PAGE_LIVE);
}

int db_init(struct db *db, void *pool, uint64_t pool_pfn, unsigned pages)
{
	struct db_version *version;
	uint64_t *map, *parts, *chans, *devs;

	memset(db, 0, sizeof(*db));
	if (pages > DB_POOL_PAGES_MAX)
		pages = DB_POOL_PAGES_MAX;
	db->pool = pool;
	db->pool_pfn = pool_pfn;
	db->pool_pages = pages;
	db->root = page_alloc(db);
	version = page_alloc(db);
	map = page_alloc(db);
	parts = page_alloc(db);
	chans = page_alloc(db);
	devs = page_alloc(db);
	if (!devs)
		return CONTROL_ENOMEM;
	version->magic = DB_MAGIC;
	version->map_pfn = pfn_of(db, map);
	version->parts_pfn = pfn_of(db, parts);
	version->chans_pfn = pfn_of(db, chans);
	version->devs_pfn = pfn_of(db, devs);
	db->root->current = pfn_of(db, version);
	db->root->magic = DB_MAGIC;
	sweep(db, DB_PAGE_FRESH, DB_PAGE_LIVE);
	return CONTROL_OK;
}

/* --- memory map --- */

uint64_t db_map_word(const struct db *db, uint64_t pfn, enum db_tier *tier)
{
	const uint64_t *page = page_at(db, db_version(db)->map_pfn);
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
		page = page_at(db, MAP_TARGET(word));
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

static uint64_t available(const struct db *db)
{
	return db_part_by_kind(db, PART_AVAILABLE);
}

static void count_block(struct db *db, uint64_t word, uint64_t frames, int sign)
{
	uint64_t delta = sign > 0 ? frames : 0 - frames;

	if (MAP_KIND(word) != MAP_OWNED)
		return;
	db->shadow->frames_total += delta;
	if (MAP_TARGET(word) == available(db))
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
	page = page_at(db, MAP_TARGET(word));
	for (unsigned i = 0; i < TIER_WORDS; i++)
		forget(db, page[i], tier - 1);
	page_drop(db, MAP_TARGET(word));
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
		page = page_mut(db, slot, MAP_INDEX);
		if (!page)
			return CONTROL_ELIMIT;
	} else {
		if (*slot == word)
			return CONTROL_OK;
		page = page_alloc(db);
		if (!page)
			return CONTROL_ELIMIT;
		for (unsigned i = 0; i < TIER_WORDS; i++)
			page[i] = *slot;
		*slot = MAP_WORD(MAP_INDEX, pfn_of(db, page));
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

		page_drop(db, pfn_of(db, page));
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
	page = page_mut(db, &db->shadow->map_pfn, 0);
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

/* --- tables --- */

static const struct db_part *parts(const struct db *db)
{
	return page_at(db, db_version(db)->parts_pfn);
}

static const struct db_chan *chans(const struct db *db)
{
	return page_at(db, db_version(db)->chans_pfn);
}

static const struct db_dev *devs(const struct db *db)
{
	return page_at(db, db_version(db)->devs_pfn);
}

const struct db_part *db_part_at(const struct db *db, unsigned index)
{
	return index < DB_PARTS && parts(db)[index].number ? &parts(db)[index]
							   : NULL;
}

const struct db_chan *db_chan_at(const struct db *db, unsigned index)
{
	return index < DB_CHANS && chans(db)[index].id ? &chans(db)[index]
						       : NULL;
}

const struct db_dev *db_dev_at(const struct db *db, unsigned index)
{
	return index < DB_DEVS && devs(db)[index].id ? &devs(db)[index] : NULL;
}

const struct db_part *db_part(const struct db *db, uint64_t number)
{
	for (unsigned i = 0; number && i < DB_PARTS; i++) {
		if (parts(db)[i].number == number)
			return &parts(db)[i];
	}
	return NULL;
}

const struct db_chan *db_chan(const struct db *db, uint32_t id)
{
	for (unsigned i = 0; id && i < DB_CHANS; i++) {
		if (chans(db)[i].id == id)
			return &chans(db)[i];
	}
	return NULL;
}

const struct db_dev *db_dev(const struct db *db, uint32_t id)
{
	for (unsigned i = 0; id && i < DB_DEVS; i++) {
		if (devs(db)[i].id == id)
			return &devs(db)[i];
	}
	return NULL;
}

struct db_part *db_part_mut(struct db *db, uint64_t number)
{
	const struct db_part *old = db_part(db, number);
	ptrdiff_t index = old ? old - parts(db) : 0;
	struct db_part *page;

	if (!old)
		return NULL;
	page = page_mut(db, &db->shadow->parts_pfn, 0);
	return page ? page + index : NULL;
}

struct db_chan *db_chan_mut(struct db *db, uint32_t id)
{
	const struct db_chan *old = db_chan(db, id);
	ptrdiff_t index = old ? old - chans(db) : 0;
	struct db_chan *page;

	if (!old)
		return NULL;
	page = page_mut(db, &db->shadow->chans_pfn, 0);
	return page ? page + index : NULL;
}

struct db_dev *db_dev_mut(struct db *db, uint32_t id)
{
	const struct db_dev *old = db_dev(db, id);
	ptrdiff_t index = old ? old - devs(db) : 0;
	struct db_dev *page;

	if (!old)
		return NULL;
	page = page_mut(db, &db->shadow->devs_pfn, 0);
	return page ? page + index : NULL;
}

/* One more than the highest id in use, so that an id is not soon reused. */
int db_chan_create(struct db *db, struct db_chan **chan)
{
	struct db_chan *page = page_mut(db, &db->shadow->chans_pfn, 0);
	struct db_chan *row = NULL;
	uint32_t id = 0;

	if (!page)
		return CONTROL_ELIMIT;
	for (unsigned i = 0; i < DB_CHANS; i++) {
		if (page[i].id > id)
			id = page[i].id;
		if (!page[i].id && !row)
			row = &page[i];
	}
	if (!row)
		return CONTROL_ELIMIT;
	memset(row, 0, sizeof(*row));
	row->id = id + 1;
	*chan = row;
	return CONTROL_OK;
}

int db_dev_create(struct db *db, struct db_dev **dev)
{
	struct db_dev *page = page_mut(db, &db->shadow->devs_pfn, 0);

	if (!page)
		return CONTROL_ELIMIT;
	for (unsigned i = 0; i < DB_DEVS; i++) {
		if (page[i].id)
			continue;
		memset(&page[i], 0, sizeof(page[i]));
		page[i].id = i + 1;
		*dev = &page[i];
		return CONTROL_OK;
	}
	return CONTROL_ELIMIT;
}

const struct part_desc *db_desc(const struct db *db, uint64_t number)
{
	return db_part(db, number) ? page_at(db, number) : NULL;
}

static bool name_is(const char name[16], const char *other)
{
	for (unsigned i = 0; i < 16; i++) {
		if (name[i] != other[i])
			return false;
		if (!name[i])
			return true;
	}
	return !other[16];
}

uint64_t db_part_by_name(const struct db *db, const char *name)
{
	for (unsigned i = 0; i < DB_PARTS; i++) {
		uint64_t number = parts(db)[i].number;

		if (number && name_is(db_desc(db, number)->name, name))
			return number;
	}
	return 0;
}

uint64_t db_part_by_kind(const struct db *db, uint32_t kind)
{
	for (unsigned i = 0; i < DB_PARTS; i++) {
		uint64_t number = parts(db)[i].number;

		if (number && db_desc(db, number)->kind == kind)
			return number;
	}
	return 0;
}

/* `*number`: the descriptor's page if it is given, else 0. */
static int part_add(struct db *db, const char name[16], const char module[16],
		    uint32_t kind, uint64_t *number)
{
	struct part_desc *desc = NULL;
	struct db_part *page;

	if (!name[0] || name[15])
		return CONTROL_EVALUE;
	if (db_part_by_name(db, name))
		return CONTROL_EEXIST;
	if (*number) {
		if (!in_pool(db, *number) ||
		    *use_of(db, *number) != DB_PAGE_FREE)
			return CONTROL_EVALUE;
		*use_of(db, *number) = DB_PAGE_FRESH;
		desc = memset(page_at(db, *number), 0, PAGE);
	}
	page = page_mut(db, &db->shadow->parts_pfn, 0);
	if (!page)
		return CONTROL_ELIMIT;
	for (unsigned i = 0; i < DB_PARTS; i++) {
		if (page[i].number)
			continue;
		if (!desc)
			desc = page_alloc(db);
		if (!desc)
			return CONTROL_ELIMIT;
		desc->magic = PART_DESC_MAGIC;
		desc->number = pfn_of(db, desc);
		memcpy(desc->name, name, 16);
		desc->kind = kind;
		memcpy(desc->module, module, 16);
		memset(&page[i], 0, sizeof(page[i]));
		page[i].number = desc->number;
		page[i].flags = RES_ENABLED;
		page[i].state = PART_STATE_DEFINED;
		page[i].slot = UINT32_MAX;
		*number = desc->number;
		return CONTROL_OK;
	}
	return CONTROL_ELIMIT;
}

int db_part_create(struct db *db, const char name[16], const char module[16],
		   uint32_t kind, uint64_t *number)
{
	*number = 0;
	return part_add(db, name, module, kind, number);
}

int db_part_create_at(struct db *db, const char name[16], const char module[16],
		      uint32_t kind, uint64_t number)
{
	return part_add(db, name, module, kind, &number);
}

int db_part_destroy(struct db *db, uint64_t number)
{
	struct db_part *row = db_part_mut(db, number);

	if (!row)
		return CONTROL_ENOENT;
	if (db_frames_of(db, number))
		return CONTROL_ESTATE; /* its memory must have a new owner */
	memset(row, 0, sizeof(*row));
	page_drop(db, number);
	return CONTROL_OK;
}

/* --- the scan, and taking over --- */

struct scan {
	const struct db *db;
	uint8_t seen[DB_POOL_PAGES_MAX];
	uint64_t total, available;
	const char *wrong;
};

static bool scan_page(struct scan *s, uint64_t pfn)
{
	if (!in_pool(s->db, pfn)) {
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
	page = page_at(s->db, pfn);
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
			if (!db_part(s->db, MAP_TARGET(word)))
				s->wrong = "a block's owner does not exist";
			s->total += DB_TIER_FRAMES(tier);
			if (MAP_TARGET(word) == available(s->db))
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

static void scan_tables(struct scan *s)
{
	for (unsigned i = 0; i < DB_PARTS && !s->wrong; i++) {
		const struct db_part *p = db_part_at(s->db, i);

		if (!p || !scan_page(s, p->number))
			continue;
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
	}
	for (unsigned i = 0; i < DB_DEVS && !s->wrong; i++) {
		const struct db_dev *d = db_dev_at(s->db, i);

		if (d && d->owner && !db_part(s->db, d->owner))
			s->wrong = "a device's owner does not exist";
	}
}

/* What the version in force refers to: s->seen. */
static void scan_version(struct scan *s)
{
	const struct db_version *v;

	if (!scan_page(s, pfn_of(s->db, s->db->root)) ||
	    !scan_page(s, s->db->root->current))
		return;
	v = page_at(s->db, s->db->root->current);
	if (v->magic != DB_MAGIC)
		s->wrong = "the version in force is none";
	else if (scan_page(s, v->parts_pfn) && scan_page(s, v->chans_pfn) &&
		 scan_page(s, v->devs_pfn))
		scan_tables(s);
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
	if (db->root->magic != DB_MAGIC || !in_pool(db, db->root->current))
		return CONTROL_EIMAGE;
	scan_version(&s);
	if (s.wrong)
		return CONTROL_EIMAGE;
	for (unsigned i = 0; i < db->pool_pages; i++)
		db->use[i] = s.seen[i] ? DB_PAGE_LIVE : DB_PAGE_FREE;
	return CONTROL_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db.c - the database's pages and transactions: see db.h.
 *
 * Reading order: this file, db_map.c (who owns a frame), db_table.c
 * (partitions, channels, devices, CPUs, interrupts), db_demand.c (what is to be
 * done), db_scan.c (every invariant).
 */
#include "ultravisor/db_pages.h"

/* --- pages of the pool --- */

/* Lowest first, so that equal histories give equal databases. */
void *db_page_alloc(struct db *db)
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
void db_page_drop(struct db *db, uint64_t pfn)
{
	uint8_t *use = db_use_of(db, pfn);

	*use = *use == DB_PAGE_FRESH ? DB_PAGE_FREE : DB_PAGE_RETIRED;
}

/* The page that *word names, ready to be changed: itself if this transaction
 * made it, else a copy, which *word then names. */
void *db_page_mut(struct db *db, uint64_t *word, uint64_t kind)
{
	uint64_t pfn = kind ? MAP_TARGET(*word) : *word;
	void *copy;

	if (*db_use_of(db, pfn) == DB_PAGE_FRESH)
		return db_page_at(db, pfn);
	copy = db_page_alloc(db);
	if (!copy)
		return NULL;
	memcpy(copy, db_page_at(db, pfn), PAGE);
	db_page_drop(db, pfn);
	pfn = db_pfn_of(db, copy);
	*word = kind ? MAP_WORD(kind, pfn) : pfn;
	return copy;
}

/* --- transactions --- */

bool db_open(const struct db *db)
{
	return db->shadow;
}

int db_begin(struct db *db)
{
	uint64_t current = db->root->current; /* the root itself stays */

	db->shadow = db_page_mut(db, &current, 0);
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
	__atomic_store_n(&db->root->current, db_pfn_of(db, db->shadow),
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
	uint64_t *map, *parts, *chans, *devs, *cpus, *irqs, *buses, *moves;

	memset(db, 0, sizeof(*db));
	if (pages > DB_POOL_PAGES_MAX)
		pages = DB_POOL_PAGES_MAX;
	db->pool = pool;
	db->pool_pfn = pool_pfn;
	db->pool_pages = pages;
	db->root = db_page_alloc(db);
	version = db_page_alloc(db);
	map = db_page_alloc(db);
	parts = db_page_alloc(db);
	chans = db_page_alloc(db);
	devs = db_page_alloc(db);
	cpus = db_page_alloc(db);
	irqs = db_page_alloc(db);
	buses = db_page_alloc(db);
	moves = db_page_alloc(db);
	if (!moves)
		return CONTROL_ENOMEM;
	version->magic = DB_MAGIC;
	version->map_pfn = db_pfn_of(db, map);
	version->parts_pfn = db_pfn_of(db, parts);
	version->chans_pfn = db_pfn_of(db, chans);
	version->devs_pfn = db_pfn_of(db, devs);
	version->cpus_pfn = db_pfn_of(db, cpus);
	version->irqs_pfn = db_pfn_of(db, irqs);
	version->buses_pfn = db_pfn_of(db, buses);
	version->moves_pfn = db_pfn_of(db, moves);
	db->root->current = db_pfn_of(db, version);
	db->root->magic = DB_MAGIC;
	sweep(db, DB_PAGE_FRESH, DB_PAGE_LIVE);
	return CONTROL_OK;
}

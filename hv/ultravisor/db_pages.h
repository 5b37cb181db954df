/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db_pages.h - what the database's files share: pages of its
 * pool.
 */
#ifndef PARTERRE_ULTRAVISOR_DB_PAGES_H
#define PARTERRE_ULTRAVISOR_DB_PAGES_H

#include "ultravisor/db.h"

#include "abi/control.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#define PAGE 4096

static inline void *db_page_at(const struct db *db, uint64_t pfn)
{
	return db->pool + (pfn - db->pool_pfn) * PAGE;
}

static inline uint64_t db_pfn_of(const struct db *db, const void *page)
{
	return db->pool_pfn +
	       (uint64_t)((const uint8_t *)page - db->pool) / PAGE;
}

static inline bool db_in_pool(const struct db *db, uint64_t pfn)
{
	return pfn >= db->pool_pfn && pfn < db->pool_pfn + db->pool_pages;
}

static inline uint8_t *db_use_of(struct db *db, uint64_t pfn)
{
	return &db->use[pfn - db->pool_pfn];
}

/* Zeroed and FRESH; NULL: the pool is full. */
void *db_page_alloc(struct db *db);
/* The open transaction no longer refers to this page. */
void db_page_drop(struct db *db, uint64_t pfn);
/* The page that *word names, ready to be changed: itself if this transaction
 * made it, else a copy, which *word then names.  kind: of a map word; 0: *word
 * is a frame's number.  NULL: the pool is full. */
void *db_page_mut(struct db *db, uint64_t *word, uint64_t kind);

/* The owner of what is free. */
static inline uint64_t db_available(const struct db *db)
{
	return db_version(db)->available;
}

#endif

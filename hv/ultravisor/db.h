/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db.h - the resource database: who owns what.
 *
 * The pages of abi/database.h, in a pool of frames that the ultravisor owns.
 * Between db_begin() and db_commit() every change goes to copies: a page is
 * copied when it is first changed, and its parent's word then names the copy,
 * up to a new version page.  db_commit() publishes that by one 8-byte store;
 * db_abort() drops the copies.  So a transaction holds or leaves no mark, also
 * when the ultravisor dies within it, and readers never wait.
 *
 * Two pages never move: the root, and a partition's descriptor, whose frame
 * number is the partition's number.
 *
 * Errors: functions return 0 or a CONTROL_E* status; after a failure the
 * caller aborts.  No dependency but memcpy and memset: unit-tested on the host.
 */
#ifndef PARTERRE_ULTRAVISOR_DB_H
#define PARTERRE_ULTRAVISOR_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/database.h"

#define DB_POOL_PAGES_MAX 512

enum db_tier {
	DB_TIER_K,
	DB_TIER_M,
	DB_TIER_G
};
#define DB_TIER_FRAMES(tier) (UINT64_C(1) << (TIER_SHIFT * (tier)))

/* The life of a pool page. */
enum db_page_use {
	DB_PAGE_FREE,
	DB_PAGE_LIVE,    /* part of the version in force */
	DB_PAGE_FRESH,   /* made by the open transaction */
	DB_PAGE_RETIRED, /* replaced by it: free once it commits */
};

struct db {
	/* First, so that who wants the pool full finds it by the name of the
	 * whole. */
	uint8_t use[DB_POOL_PAGES_MAX]; /* enum db_page_use */
	uint8_t *pool;                  /* page-aligned memory */
	uint64_t pool_pfn; /* its first frame; frames are contiguous */
	unsigned pool_pages;
	struct db_root *root;
	struct db_version *shadow; /* NULL: no transaction is open */
};

/* An empty database over `pages` zeroed pool pages: no RAM, no partition. */
int db_init(struct db *db, void *pool, uint64_t pool_pfn, unsigned pages);
/* Takes over a pool that a former incarnation left: drops what no committed
 * version refers to.  CONTROL_EIMAGE if there is no database in it. */
int db_adopt(struct db *db, void *pool, uint64_t pool_pfn, unsigned pages);

int db_begin(struct db *db); /* CONTROL_ELIMIT: the pool is full */
void db_commit(struct db *db, uint64_t requester, uint64_t handle);
void db_abort(struct db *db);
bool db_open(const struct db *db);

/* The version that reads see: the open transaction's, else the one in force. */
static inline const struct db_version *db_version(const struct db *db)
{
	uint64_t page = db->root->current - db->pool_pfn;

	return db->shadow ? db->shadow
			  : (const struct db_version *)(db->pool + page * 4096);
}

/* --- memory map --- */
/* The word of the smallest block that holds the frame; at most three reads. */
uint64_t db_map_word(const struct db *db, uint64_t pfn, enum db_tier *tier);
/* Its owner's number; 0: no RAM there. */
uint64_t db_owner(const struct db *db, uint64_t pfn);
/* Gives [pfn, pfn + frames) to `owner`; 0 takes it out of the map.  Blocks are
 * split where needed and merged where all of one owner. */
int db_map_set(struct db *db, uint64_t pfn, uint64_t frames, uint64_t owner);
/* Finds `frames` contiguous frames of `from`, aligned to `align` frames (a
 * power of two), and gives them to `owner`.  CONTROL_ENOMEM when there are
 * none.  Small runs come from blocks that are split already. */
int db_alloc(struct db *db, uint64_t from, uint64_t frames, uint64_t align,
	     uint64_t owner, uint64_t *pfn);
uint64_t db_frames_of(const struct db *db, uint64_t owner);

/* --- partitions, channels, devices, CPUs, interrupts --- */
/* A fresh descriptor page, whose frame is the number, and an empty struct
 * db_conf. */
int db_part_create(struct db *db, const char name[16], const char module[16],
		   uint32_t kind, uint64_t *number);
/* The same with a number that was chosen before there was a database: a free
 * page of the pool. */
int db_part_create_at(struct db *db, const char name[16], const char module[16],
		      uint32_t kind, uint64_t number);
int db_part_destroy(struct db *db, uint64_t number);
const struct part_desc *db_desc(const struct db *db, uint64_t number);
uint64_t db_part_by_name(const struct db *db, const char *name); /* 0: none */
uint64_t db_part_by_kind(const struct db *db, uint32_t kind);    /* 0: none */
/* NULL when there is none.  The _mut forms need an open transaction and give
 * the copy to change. */
const struct db_part *db_part(const struct db *db, uint64_t number);
struct db_part *db_part_mut(struct db *db, uint64_t number);
const struct db_part *db_part_at(const struct db *db, unsigned index);
const struct db_chan *db_chan(const struct db *db, uint32_t id);
struct db_chan *db_chan_mut(struct db *db, uint32_t id);
const struct db_chan *db_chan_at(const struct db *db, unsigned index);
int db_chan_create(struct db *db, struct db_chan **chan); /* with a new id */
const struct db_dev *db_dev(const struct db *db, uint32_t id);
struct db_dev *db_dev_mut(struct db *db, uint32_t id);
const struct db_dev *db_dev_at(const struct db *db, unsigned index);
int db_dev_create(struct db *db, struct db_dev **dev);
/* To another owner, with its interrupts. */
int db_dev_give(struct db *db, uint32_t id, uint64_t owner, uint32_t flags);
const struct db_conf *db_conf(const struct db *db, uint64_t number);
struct db_conf *db_conf_mut(struct db *db, uint64_t number);
const struct db_cpu *db_cpu(const struct db *db, unsigned index);
struct db_cpu *db_cpu_mut(struct db *db, unsigned index);
int db_cpu_create(struct db *db, unsigned index, uint32_t apic_id,
		  uint64_t owner);
/* By id. */
const struct db_bus *db_bus(const struct db *db, uint64_t id);
struct db_bus *db_bus_mut(struct db *db, uint64_t id);
int db_bus_create(struct db *db, uint64_t *id, struct db_bus **bus);
const struct db_irq *db_irq(const struct db *db, unsigned vector);
struct db_irq *db_irq_mut(struct db *db, unsigned vector);

/* --- what is demanded (db_demand.c) --- */
/* The row of a channel; DB_CHANS: no such channel. */
unsigned db_chan_row(const struct db *db, uint32_t id);
const struct db_move *db_move(const struct db *db, unsigned row);
struct db_move *db_move_mut(struct db *db, unsigned row);
/* For a note in the version in force; no transaction is open. */
struct db_move *db_move_note(struct db *db, unsigned row);
struct db_part *db_part_note(struct db *db, uint64_t number);
/* In the open transaction: the answer will be owed.  False: no room. */
bool db_answer_owe(struct db *db, const struct db_answer *answer);
const struct db_answer *db_answer_at(const struct db *db, unsigned index);
void db_answer_given(struct db *db, unsigned index); /* a note */
unsigned db_answers_free(const struct db *db);

/* Every invariant, over the version in force: each frame has one owner that
 * lives, no word is malformed, no whole block is left split, the counts are
 * true, each page is referred to once, every channel's ends exist, every CPU,
 * device and interrupt has an owner that lives, an interrupt its device's.
 * NULL: all hold; else a sentence naming the first that does not. */
const char *db_scan(const struct db *db);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/internal.h - what the files of hv/fat share; see fat.h. */
#ifndef PARTERRE_FAT_INTERNAL_H
#define PARTERRE_FAT_INTERNAL_H

#include "fat/fat.h"
#include "lib/string.h"

static inline uint32_t get16(const uint8_t *at)
{
	return (uint32_t)(at[0] | at[1] << 8);
}

static inline uint32_t get32(const uint8_t *at)
{
	return get16(at) | get16(at + 2) << 16;
}

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

/* ---- cache.c: bytes by their place on the disk.  A pointer holds until the
 * sixteenth next call of these; NULL: -FAT_EIO ---- */

const uint8_t *cache_look(struct fat *v, uint64_t at);
/* To change it.  whole: all of the block will be written over. */
uint8_t *cache_change(struct fat *v, uint64_t at, enum fat_kind kind,
		      bool whole);
/* Changed blocks up to that kind go to the disk, and it is flushed. */
int cache_write(struct fat *v, enum fat_kind last);

/* ---- table.c ("FAT Data Structure") ---- */

#define CLUSTER_END  0x0ffffff8 /* and above */
#define CLUSTER_MASK 0x0fffffff
#define CLEAN_BIT    0x08000000 /* of FAT[1] */

static inline bool cluster_valid(const struct fat *v, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < v->clusters;
}

static inline uint64_t cluster_at(const struct fat *v, uint32_t cluster)
{
	return v->data_at + (uint64_t)(cluster - 2) * v->cluster_bytes;
}

int table_get(struct fat *v, uint32_t cluster, uint32_t *value);
int table_set(struct fat *v, uint32_t cluster, uint32_t value);
/* The cluster behind; 0: this is the last. */
int table_next(struct fat *v, uint32_t cluster, uint32_t *next);
/* A free one is the last of the chain that ends with `previous` (0: of a chain
 * of its own). */
int table_append(struct fat *v, uint32_t previous, uint32_t *out);
/* By the next sync; until then nobody gets them. */
int table_free_later(struct fat *v, uint32_t first);
int table_free_pending(struct fat *v);
int table_count_free(struct fat *v);
int table_repair(struct fat *v);
int table_zero(struct fat *v, uint32_t cluster, enum fat_kind kind);

/* ---- name.c ---- */

#define NAME_UNITS  255 /* UTF-16 */
#define SHORT_BYTES 11
#define LONG_PIECE  13 /* units in an entry */

struct name {
	unsigned units;
	uint16_t unit[NAME_UNITS + 1];
};

/* Of UTF-8 text; trailing spaces and dots go.  False: not a name. */
bool name_from(struct name *n, const char *text, size_t bytes);
/* False: it doesn't fit. */
bool name_text(const struct name *n, char *to, size_t bytes);
bool name_same(const struct name *a, const struct name *b);
/* What a short name looks like; `cases` is the entry's byte 12. */
void name_of_short(struct name *n, const uint8_t *bytes, uint8_t cases);
/* A short name for the long one: try 0 is the plainest.  False: it does not
 * say all, a long name is needed too.  Which tries there are ("The Basis-Name
 * Generation Algorithm"): 0 if nothing was lost; then with ~1 to ~9; then with
 * hashes. */
bool name_short(const struct name *n, unsigned attempt, uint8_t *to);
bool name_short_lossy(const struct name *n);
uint8_t name_checksum(const uint8_t *bytes);

/* ---- dir.c ---- */

#define ENTRY_BYTES 32
#define ENTRY_FREE  0xe5
#define ENTRY_LONG  0x0f
#define DIR_ENTRIES 65536 /* of one directory, at most */
#define ENTRY_ATTR  11
#define ENTRY_CASES 12
#define ENTRY_SIZE  28
#define ENTRY_HIGH  20
#define ENTRY_LOW   26

struct slot {                  /* a file's place in its directory */
	uint32_t directory;    /* its first cluster */
	uint32_t begin, index; /* entries: first of its long name, its own */
	uint64_t at;           /* byte of the disk of its own */
	uint8_t entry[ENTRY_BYTES];
	struct name name;
};

struct dir { /* a walk */
	uint32_t first, cluster, index;
	bool ended; /* the marker was seen: nothing behind it counts */
};

void dir_begin(struct dir *d, uint32_t first);
/* Entry d->index; 0: beyond the last cluster. */
int dir_place(struct fat *v, struct dir *d, uint64_t *at);
/* The next file; 1, or 0: none. */
int dir_next(struct fat *v, struct dir *d, struct slot *s);
int dir_find(struct fat *v, uint32_t first, const struct name *name,
	     struct slot *s);
/* An entry of that name, else as in `entry` (its name is put in).  Where. */
int dir_insert(struct fat *v, uint32_t first, const struct name *name,
	       uint8_t *entry, struct slot *s);
int dir_delete(struct fat *v, const struct slot *s);
/* 1: nothing in it but its dots. */
int dir_empty(struct fat *v, uint32_t first);

static inline uint32_t entry_first(const uint8_t *entry)
{
	return get16(entry + ENTRY_HIGH) << 16 | get16(entry + ENTRY_LOW);
}

static inline void entry_set_first(uint8_t *entry, uint32_t first)
{
	put16(entry + ENTRY_HIGH, first >> 16);
	put16(entry + ENTRY_LOW, first);
}

static inline bool entry_is_directory(const uint8_t *entry)
{
	return (entry[ENTRY_ATTR] & FAT_DIRECTORY) != 0;
}

void entry_touch(struct fat *v, uint8_t *entry, bool created);

/* ---- path.c ---- */

struct place {
	uint32_t directory; /* the parent's first cluster */
	struct name name;   /* the last of the path */
	bool root;          /* "/": no parent, no name, no slot */
	struct slot slot;   /* if found */
};
/* 1: found, in p->slot; 0: its directory is there, it is not. */
int path_find(struct fat *v, const char *path, struct place *p);
/* Is it open? */
bool node_open(const struct fat *v, uint64_t entry);

#endif

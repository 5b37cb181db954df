/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/cache.c - the volume's blocks in memory; written back in the order
 * that fat.h promises. */
#include "fat/internal.h"

static struct fat_line *find(struct fat *v, uint64_t block)
{
	for (unsigned i = 0; i < FAT_LINES; i++) {
		if (v->line[i].state != LINE_EMPTY && v->line[i].block == block)
			return &v->line[i];
	}
	return NULL;
}

static uint8_t *bytes_of(struct fat *v, const struct fat_line *line)
{
	return v->data[line - v->line];
}

static bool put_out(struct fat *v, struct fat_line *line)
{
	if (!v->disk.write(v->disk.owner, line->block, bytes_of(v, line)))
		return false;
	v->writes++;
	v->unflushed = true;
	line->state = LINE_WRITTEN;
	return true;
}

/* What was written and could not be made durable has to be written again. */
static int flush(struct fat *v)
{
	bool ok = v->disk.flush(v->disk.owner);

	v->flushes++;
	for (unsigned i = 0; i < FAT_LINES; i++) {
		if (v->line[i].state == LINE_WRITTEN)
			v->line[i].state = ok ? LINE_CLEAN : LINE_DIRTY;
	}
	v->unflushed = !ok;
	return ok ? 0 : -FAT_EIO;
}

int cache_write(struct fat *v, enum fat_kind last)
{
	for (unsigned i = 0; i < FAT_LINES; i++) {
		struct fat_line *line = &v->line[i];

		if (line->state == LINE_DIRTY && line->kind <= last &&
		    !put_out(v, line))
			return -FAT_EIO;
	}
	return v->unflushed ? flush(v) : 0;
}

/* The one to give up: the longest unused of the best state; of those that are
 * dirty, no directory. */
static struct fat_line *oldest(struct fat *v)
{
	struct fat_line *best = NULL;

	for (unsigned i = 0; i < FAT_LINES; i++) {
		struct fat_line *line = &v->line[i];

		if (line->state == LINE_EMPTY)
			return line;
		if (line->state == LINE_DIRTY)
			continue;
		if (best == NULL || line->used < best->used)
			best = line;
	}
	return best;
}

/* All are dirty, or what is not was used just now: room is made in the order of
 * a sync. */
static struct fat_line *victim(struct fat *v)
{
	struct fat_line *line = oldest(v);

	if (line != NULL &&
	    (line->state == LINE_EMPTY || v->uses - line->used > FAT_LINES / 2))
		return line;
	if (cache_write(v, KIND_TABLE) < 0 ||
	    cache_write(v, KIND_DIRECTORY) < 0)
		return NULL;
	return oldest(v);
}

static struct fat_line *get(struct fat *v, uint64_t block, bool read)
{
	struct fat_line *line = find(v, block);

	if (line == NULL) {
		line = victim(v);
		if (line == NULL)
			return NULL;
		line->state = LINE_EMPTY;
		if (read &&
		    !v->disk.read(v->disk.owner, block, bytes_of(v, line)))
			return NULL;
		v->reads += read;
		line->state = LINE_CLEAN;
		line->kind = KIND_DATA;
		line->block = block;
	}
	line->used = ++v->uses;
	return line;
}

const uint8_t *cache_look(struct fat *v, uint64_t at)
{
	const struct fat_line *line = get(v, at / FAT_BLOCK, true);

	return line == NULL ? NULL : bytes_of(v, line) + at % FAT_BLOCK;
}

/* Whoever looks at the disk from now on sees that it was left in the middle. */
static bool mark_unclean(struct fat *v)
{
	for (unsigned i = 0; i < v->tables; i++) {
		uint64_t at = v->table_at[i] + 4;
		struct fat_line *line = get(v, at / FAT_BLOCK, true);
		uint8_t *entry;

		if (line == NULL)
			return false;
		entry = bytes_of(v, line) + at % FAT_BLOCK;
		put32(entry, get32(entry) & ~(uint32_t)CLEAN_BIT);
		line->kind = KIND_TABLE;
		if (!put_out(v, line))
			return false;
	}
	if (flush(v) < 0)
		return false;
	v->clean = false;
	return true;
}

uint8_t *cache_change(struct fat *v, uint64_t at, enum fat_kind kind,
		      bool whole)
{
	struct fat_line *line;

	if (v->clean && !mark_unclean(v))
		return NULL;
	line = get(v, at / FAT_BLOCK, !whole);
	if (line == NULL)
		return NULL;
	if (line->state != LINE_DIRTY || kind > line->kind)
		line->kind = kind;
	line->state = LINE_DIRTY;
	return bytes_of(v, line) + at % FAT_BLOCK;
}

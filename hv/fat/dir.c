/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/dir.c - directories: 32-byte entries in a chain of clusters; a file's
 * are its short one and, before it, the pieces of its long name, last piece
 * first ("FAT Directory Structure", "FAT Long Directory Entries"). */
#include "fat/internal.h"

#define LONG_LAST     0x40 /* in the order byte of the first entry on disk */
#define LONG_PIECES   20
#define LONG_SUM_AT   13
#define ENTRY_CREATED 14 /* time, date */
#define ENTRY_ACCESS  18
#define ENTRY_CHANGED 22 /* time, date */
#define TRIES         64 /* of a short name; they end in hashes */

/* Where the units of a piece lie in its entry. */
static const uint8_t unit_at[LONG_PIECE] = {1,  3,  5,  7,  9,  14, 16,
					    18, 20, 22, 24, 28, 30};

void dir_begin(struct dir *d, uint32_t first)
{
	d->first = first;
	d->cluster = first;
	d->index = 0;
	d->ended = false;
}

int dir_place(struct fat *v, struct dir *d, uint64_t *at)
{
	uint32_t each = v->cluster_bytes / ENTRY_BYTES;

	if (!cluster_valid(v, d->first))
		return -FAT_EBAD;
	if (d->cluster == 0 || d->index >= DIR_ENTRIES)
		return 0;
	*at = cluster_at(v, d->cluster) +
	      (uint64_t)(d->index % each) * ENTRY_BYTES;
	return 1;
}

static int step(struct fat *v, struct dir *d)
{
	d->index++;
	if (d->index % (v->cluster_bytes / ENTRY_BYTES) != 0)
		return 0;
	return table_next(v, d->cluster, &d->cluster);
}

/* ---- looking ---- */

struct pieces { /* of a long name, as far as they came */
	struct name name;
	unsigned wanted; /* next order; 0: the short entry */
	uint8_t sum;
	bool good;
};

static void take_piece(struct pieces *p, const uint8_t *entry)
{
	unsigned order = entry[0] & (0xffu - LONG_LAST);
	unsigned at = (order - 1) * LONG_PIECE;

	if (entry[0] & LONG_LAST) {
		p->good = order >= 1 && order <= LONG_PIECES;
		p->name.units = 0;
		p->sum = entry[LONG_SUM_AT];
	} else if (p->good) {
		p->good = order == p->wanted && order > 0 &&
			  p->sum == entry[LONG_SUM_AT];
	}
	if (!p->good)
		return;
	for (unsigned i = 0; i < LONG_PIECE && at + i < NAME_UNITS; i++) {
		uint16_t c = (uint16_t)get16(entry + unit_at[i]);

		if (c == 0) {
			p->good = (entry[0] & LONG_LAST) != 0;
			break;
		}
		p->name.unit[at + i] = c;
		if ((entry[0] & LONG_LAST) != 0)
			p->name.units = at + i + 1;
	}
	p->wanted = order - 1;
}

static bool pieces_fit(const struct pieces *p, const uint8_t *entry)
{
	return p->good && p->wanted == 0 && p->name.units > 0 &&
	       p->sum == name_checksum(entry);
}

int dir_next(struct fat *v, struct dir *d, struct slot *s)
{
	struct pieces pieces;

	pieces.good = false;
	pieces.wanted = 0;
	pieces.sum = 0;
	pieces.name.units = 0;
	s->begin = d->index;
	while (!d->ended) {
		const uint8_t *entry;
		uint64_t at;
		uint32_t index = d->index;
		int r = dir_place(v, d, &at);

		if (r <= 0)
			return r;
		entry = cache_look(v, at);
		if (entry == NULL)
			return -FAT_EIO;
		if (entry[0] == 0) {
			d->ended = true;
			break;
		}
		memcpy(s->entry, entry, ENTRY_BYTES);
		r = step(v, d);
		if (r < 0)
			return r;
		if (s->entry[0] != ENTRY_FREE &&
		    (s->entry[ENTRY_ATTR] & 0x3f) == ENTRY_LONG) {
			if (s->entry[0] & LONG_LAST)
				s->begin = index;
			take_piece(&pieces, s->entry);
			continue;
		}
		if (s->entry[0] == ENTRY_FREE ||
		    (s->entry[ENTRY_ATTR] & FAT_VOLUME_ID)) {
			pieces.good = false;
			continue;
		}
		s->directory = d->first;
		s->index = index;
		s->at = at;
		if (pieces_fit(&pieces, s->entry)) {
			s->name = pieces.name;
		} else {
			s->begin = index;
			name_of_short(&s->name, s->entry,
				      s->entry[ENTRY_CASES]);
		}
		return 1;
	}
	return 0;
}

static bool is_dots(const struct slot *s)
{
	return s->entry[0] == '.';
}

int dir_find(struct fat *v, uint32_t first, const struct name *name,
	     struct slot *s)
{
	struct dir d;
	int r;

	dir_begin(&d, first);
	while ((r = dir_next(v, &d, s)) == 1) {
		struct name plain;

		if (name_same(&s->name, name))
			return 1;
		name_of_short(&plain, s->entry, 0);
		if (!is_dots(s) && name_same(&plain, name))
			return 1;
	}
	return r;
}

int dir_empty(struct fat *v, uint32_t first)
{
	struct slot s;
	struct dir d;
	int r;

	dir_begin(&d, first);
	while ((r = dir_next(v, &d, &s)) == 1) {
		if (!is_dots(&s))
			return 0;
	}
	return r < 0 ? r : 1;
}

/* ---- changing ---- */

void entry_touch(struct fat *v, uint8_t *entry, bool created)
{
	uint32_t now = v->disk.clock(v->disk.owner);

	put32(entry + ENTRY_CHANGED, now);
	put16(entry + ENTRY_ACCESS, now >> 16);
	if (created) {
		entry[13] = 0; /* tenths of a second */
		put32(entry + ENTRY_CREATED, now);
	}
}

static int short_taken(struct fat *v, uint32_t first, const uint8_t *bytes)
{
	struct slot s;
	struct dir d;
	int r;

	dir_begin(&d, first);
	while ((r = dir_next(v, &d, &s)) == 1) {
		if (memcmp(s.entry, bytes, SHORT_BYTES) == 0)
			return 1;
	}
	return r;
}

/* A short name that nobody has there, and whether a long one is needed. */
static int choose_short(struct fat *v, uint32_t first, const struct name *name,
			uint8_t *bytes, bool *needs_long)
{
	unsigned attempt = name_short_lossy(name) ? 1 : 0;

	for (; attempt < TRIES; attempt++) {
		int r;

		*needs_long = !name_short(name, attempt, bytes);
		r = short_taken(v, first, bytes);
		if (r <= 0)
			return r;
	}
	return -FAT_ENOSPC;
}

/* One more cluster, empty. */
static int grow(struct fat *v, struct dir *d, uint32_t last)
{
	uint32_t cluster;
	int r;

	if (d->index >= DIR_ENTRIES)
		return -FAT_ENOSPC;
	/* Zero before it is part of the chain, as far as the disk sees: both
	 * go out before any directory does, and zero is its end. */
	r = table_append(v, 0, &cluster);
	r = r < 0 ? r : table_zero(v, cluster, KIND_DATA);
	r = r < 0 ? r : table_set(v, last, cluster);
	if (r == 0)
		d->cluster = cluster;
	return r;
}

/* The entry that *d stands at, made if the chain ends there. */
static int place_or_grow(struct fat *v, struct dir *d, uint32_t last,
			 uint64_t *at)
{
	int r = dir_place(v, d, at);

	if (r != 0)
		return r;
	r = grow(v, d, last);
	return r < 0 ? r : dir_place(v, d, at);
}

/* So many free entries one after the other; *d stands at the first, and its
 * `ended` says that they reach into what lies behind the end's marker. */
static int find_room(struct fat *v, uint32_t first, unsigned wanted,
		     struct dir *out)
{
	struct dir d;
	unsigned count = 0;

	dir_begin(&d, first);
	for (uint32_t last = first; count < wanted;) {
		const uint8_t *entry;
		uint64_t at;
		int r = place_or_grow(v, &d, last, &at);

		if (r < 0)
			return r;
		entry = cache_look(v, at);
		if (entry == NULL)
			return -FAT_EIO;
		d.ended = d.ended || entry[0] == 0;
		if (!d.ended && entry[0] != ENTRY_FREE)
			count = 0;
		else if (count++ == 0)
			*out = d;
		out->ended = d.ended;
		last = d.cluster;
		r = step(v, &d);
		if (r < 0)
			return r;
	}
	return 0;
}

static void make_piece(uint8_t *entry, const struct name *name, unsigned order,
		       bool last, uint8_t sum)
{
	memset(entry, 0, ENTRY_BYTES);
	entry[0] = (uint8_t)(order | (last ? LONG_LAST : 0));
	entry[ENTRY_ATTR] = ENTRY_LONG;
	entry[LONG_SUM_AT] = sum;
	for (unsigned i = 0; i < LONG_PIECE; i++) {
		unsigned n = (order - 1) * LONG_PIECE + i;

		put16(entry + unit_at[i], n < name->units    ? name->unit[n]
					  : n == name->units ? 0
							     : 0xffff);
	}
}

static int put_entry(struct fat *v, struct dir *d, const uint8_t *entry,
		     uint64_t *at)
{
	int r = dir_place(v, d, at);
	uint8_t *to;

	if (r <= 0)
		return r < 0 ? r : -FAT_EBAD;
	to = cache_change(v, *at, KIND_DIRECTORY, false);
	if (to == NULL)
		return -FAT_EIO;
	memcpy(to, entry, ENTRY_BYTES);
	return step(v, d);
}

/* What lies behind the last entry may be anything: the marker moves. */
static int put_marker(struct fat *v, struct dir *d)
{
	uint64_t at;
	int r = dir_place(v, d, &at);
	uint8_t *to;

	if (r <= 0)
		return r;
	to = cache_change(v, at, KIND_DIRECTORY, false);
	if (to == NULL)
		return -FAT_EIO;
	to[0] = 0;
	return 0;
}

int dir_insert(struct fat *v, uint32_t first, const struct name *name,
	       uint8_t *entry, struct slot *s)
{
	unsigned pieces = 0;
	uint8_t piece[ENTRY_BYTES];
	bool needs_long;
	struct dir d;
	int r = choose_short(v, first, name, entry, &needs_long);

	if (r < 0)
		return r;
	entry[ENTRY_CASES] = 0;
	if (needs_long)
		pieces = (name->units + LONG_PIECE - 1) / LONG_PIECE;
	r = find_room(v, first, pieces + 1, &d);
	s->directory = first;
	s->begin = d.index;
	s->name = *name;
	if (r == 0 && d.ended) { /* the marker first: never behind it */
		struct dir behind = d;

		for (unsigned i = 0; r == 0 && i < pieces + 1; i++)
			r = step(v, &behind);
		r = r < 0 ? r : put_marker(v, &behind);
	}
	for (unsigned order = pieces; r == 0 && order > 0; order--) {
		make_piece(piece, name, order, order == pieces,
			   name_checksum(entry));
		r = put_entry(v, &d, piece, &s->at);
	}
	s->index = d.index;
	r = r < 0 ? r : put_entry(v, &d, entry, &s->at);
	memcpy(s->entry, entry, ENTRY_BYTES);
	return r < 0 ? r : 0;
}

int dir_delete(struct fat *v, const struct slot *s)
{
	struct dir d;

	dir_begin(&d, s->directory);
	for (;;) {
		uint64_t at;
		uint8_t *entry;
		int r = dir_place(v, &d, &at);

		if (r <= 0)
			return r < 0 ? r : -FAT_EBAD;
		if (d.index >= s->begin) {
			entry = cache_change(v, at, KIND_DIRECTORY, false);
			if (entry == NULL)
				return -FAT_EIO;
			entry[0] = ENTRY_FREE;
		}
		if (d.index == s->index)
			return 0;
		r = step(v, &d);
		if (r < 0)
			return r;
	}
}

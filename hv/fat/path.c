/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/path.c - what is done by path: looking, making, moving, removing. */
#include "fat/internal.h"

#define DEPTH_MAX 256 /* of directories: no walk up is endless */

static bool is_word(const char *at, size_t bytes, const char *word)
{
	return bytes == strlen(word) && memcmp(at, word, bytes) == 0;
}

/* ".." of a directory; 0 there is the root. */
static int parent_of(struct fat *v, uint32_t first, uint32_t *out)
{
	static const struct name dots = {.units = 2, .unit = {'.', '.'}};
	struct slot s;
	int r;

	*out = v->root;
	if (first == v->root)
		return 0;
	r = dir_find(v, first, &dots, &s);
	if (r != 1)
		return r < 0 ? r : -FAT_EBAD;
	if (entry_first(s.entry) != 0)
		*out = entry_first(s.entry);
	return cluster_valid(v, *out) ? 0 : -FAT_EBAD;
}

int path_find(struct fat *v, const char *path, struct place *p)
{
	uint32_t here = v->root;
	bool found = false; /* p->slot is where `here` comes from */

	p->root = true;
	p->directory = here;
	for (const char *at = path;;) {
		size_t n = 0;
		int r;

		while (*at == '/')
			at++;
		while (at[n] != '/' && at[n] != '\0')
			n++;
		if (n == 0)
			return 1;
		if (found && !entry_is_directory(p->slot.entry))
			return -FAT_ENOTDIR;
		if (is_word(at, n, ".") || is_word(at, n, "..")) {
			if (n == 2) {
				r = parent_of(v, here, &here);
				if (r < 0)
					return r;
			}
			/* Its own entry isn't known: it can be looked into, and
			 * neither moved nor removed. */
			p->root = true;
			p->directory = here;
			found = false;
			at += n;
			continue;
		}
		if (!name_from(&p->name, at, n))
			return -FAT_EINVAL;
		p->root = false;
		p->directory = here;
		r = dir_find(v, here, &p->name, &p->slot);
		if (r < 0)
			return r;
		at += n;
		while (*at == '/')
			at++;
		if (r == 0)
			return *at == '\0' ? 0 : -FAT_ENOENT;
		found = true;
		here = entry_first(p->slot.entry);
		if (entry_is_directory(p->slot.entry) &&
		    !cluster_valid(v, here))
			return -FAT_EBAD;
	}
}

/* The directory of that path: its first cluster. */
static int directory_of(struct fat *v, const char *path, uint32_t *out)
{
	struct place p;
	int r = path_find(v, path, &p);

	if (r != 1)
		return r < 0 ? r : -FAT_ENOENT;
	if (!p.root && !entry_is_directory(p.slot.entry))
		return -FAT_ENOTDIR;
	*out = p.root ? p.directory : entry_first(p.slot.entry);
	return 0;
}

static void fill_row(struct fat_row *row, const struct slot *s)
{
	struct name plain;

	memset(row, 0, sizeof(*row));
	if (!name_text(&s->name, row->name, sizeof(row->name))) {
		name_of_short(&plain, s->entry, 0);
		(void)name_text(&plain, row->name, sizeof(row->name));
	}
	row->attributes = s->entry[ENTRY_ATTR];
	row->size = get32(s->entry + ENTRY_SIZE);
	row->first = entry_first(s->entry);
	row->changed = get32(s->entry + 22);
}

int fat_stat(struct fat *v, const char *path, struct fat_row *row)
{
	struct place p;
	int r = path_find(v, path, &p);

	if (r != 1)
		return r < 0 ? r : -FAT_ENOENT;
	if (!p.root) {
		fill_row(row, &p.slot);
		return 0;
	}
	memset(row, 0, sizeof(*row));
	row->name[0] = '/';
	row->attributes = FAT_DIRECTORY;
	row->first = p.directory;
	return 0;
}

int fat_list(struct fat *v, const char *path, uint32_t *cursor,
	     struct fat_row *row)
{
	struct dir d;
	struct slot s;
	uint32_t first;
	int r = directory_of(v, path, &first);

	if (r < 0 || *cursor >= DIR_ENTRIES)
		return r;
	dir_begin(&d, first);
	/* To the cluster of the entry that is next. */
	for (uint32_t i = *cursor / (v->cluster_bytes / ENTRY_BYTES);
	     i > 0 && d.cluster != 0 && r == 0; i--)
		r = table_next(v, d.cluster, &d.cluster);
	d.index = *cursor;
	while (r == 0 && (r = dir_next(v, &d, &s)) == 1) {
		*cursor = d.index;
		if (s.entry[0] != '.') {
			fill_row(row, &s);
			return 1;
		}
		r = 0;
	}
	return r;
}

/* ---- changes ---- */

static int make_dots(struct fat *v, uint32_t cluster, uint32_t parent)
{
	uint8_t *entry =
		cache_change(v, cluster_at(v, cluster), KIND_DATA, false);

	if (entry == NULL)
		return -FAT_EIO;
	memset(entry, 0, (size_t)2 * ENTRY_BYTES);
	for (unsigned i = 0; i < 2; i++, entry += ENTRY_BYTES) {
		memset(entry, ' ', SHORT_BYTES);
		memset(entry, '.', i + 1);
		entry[ENTRY_ATTR] = FAT_DIRECTORY;
		entry_touch(v, entry, true);
		/* The root is 0 there. */
		entry_set_first(entry, i == 0              ? cluster
				       : parent == v->root ? 0
							   : parent);
	}
	return 0;
}

int fat_mkdir(struct fat *v, const char *path)
{
	uint8_t entry[ENTRY_BYTES] = {[ENTRY_ATTR] = FAT_DIRECTORY};
	struct place p;
	uint32_t cluster;
	int r = path_find(v, path, &p);

	if (r != 0)
		return r < 0 ? r : -FAT_EEXIST;
	r = table_append(v, 0, &cluster);
	if (r < 0)
		return r;
	r = table_zero(v, cluster, KIND_DATA);
	r = r < 0 ? r : make_dots(v, cluster, p.directory);
	entry_touch(v, entry, true);
	entry_set_first(entry, cluster);
	r = r < 0 ? r : dir_insert(v, p.directory, &p.name, entry, &p.slot);
	if (r < 0)
		(void)table_free_later(v, cluster);
	return r;
}

/* It is there, it can be taken away, nobody has it open. */
static int find_movable(struct fat *v, const char *path, struct place *p)
{
	int r = path_find(v, path, p);

	if (r != 1)
		return r < 0 ? r : -FAT_ENOENT;
	if (p->root)
		return -FAT_EBUSY;
	if (p->slot.entry[ENTRY_ATTR] & FAT_READ_ONLY)
		return -FAT_EREADONLY;
	return node_open(v, p->slot.at) ? -FAT_EBUSY : 0;
}

int fat_remove(struct fat *v, const char *path)
{
	struct place p;
	int r = find_movable(v, path, &p);

	if (r == 0 && entry_is_directory(p.slot.entry)) {
		r = dir_empty(v, entry_first(p.slot.entry));
		r = r < 0 ? r : r == 1 ? 0 : -FAT_ENOTEMPTY;
	}
	r = r < 0 ? r : dir_delete(v, &p.slot);
	return r < 0 ? r : table_free_later(v, entry_first(p.slot.entry));
}

/* Is `inner` that directory, or below it? */
static int is_below(struct fat *v, uint32_t inner, uint32_t outer)
{
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		int r;

		if (inner == outer)
			return 1;
		if (inner == v->root)
			return 0;
		r = parent_of(v, inner, &inner);
		if (r < 0)
			return r;
	}
	return -FAT_EBAD;
}

/* It has another parent now. */
static int move_dots(struct fat *v, uint32_t first, uint32_t parent)
{
	uint8_t *entry = cache_change(v, cluster_at(v, first) + ENTRY_BYTES,
				      KIND_DIRECTORY, false);

	if (entry == NULL)
		return -FAT_EIO;
	entry_set_first(entry, parent == v->root ? 0 : parent);
	return 0;
}

int fat_rename(struct fat *v, const char *from, const char *to)
{
	struct place old, new;
	uint8_t entry[ENTRY_BYTES];
	bool directory;
	int r = find_movable(v, from, &old);

	if (r < 0)
		return r;
	directory = entry_is_directory(old.slot.entry);
	r = path_find(v, to, &new);
	if (r < 0)
		return r;
	/* Its own name in other letters is another name, no other file. */
	if (r == 1 && (new.root || new.slot.at != old.slot.at))
		return -FAT_EEXIST;
	if (directory) {
		r = is_below(v, new.directory, entry_first(old.slot.entry));
		if (r != 0)
			return r < 0 ? r : -FAT_EINVAL;
	}
	memcpy(entry, old.slot.entry, ENTRY_BYTES);
	r = dir_insert(v, new.directory, &new.name, entry, &new.slot);
	if (r == 0 && directory && new.directory != old.directory)
		r = move_dots(v, entry_first(entry), new.directory);
	/* Never without a name: the new one is on the disk before the old one
	 * goes, or both are of the same block. */
	if (r == 0 && old.slot.at / FAT_BLOCK != new.slot.at / FAT_BLOCK)
		r = fat_sync(v);
	return r < 0 ? r : dir_delete(v, &old.slot);
}

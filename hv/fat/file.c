/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/file.c - open files: their bytes, and the chain that holds them. */
#include "fat/internal.h"

#define SIZE_MAX_BYTES 0xffffffffu /* a file's size has 32 bits */

bool node_open(const struct fat *v, uint64_t entry)
{
	for (unsigned i = 0; i < FAT_NODES; i++) {
		if (v->node[i].refs > 0 && v->node[i].entry == entry)
			return true;
	}
	return false;
}

static int take_node(struct fat *v, const struct slot *s)
{
	unsigned n = FAT_NODES;

	for (unsigned i = 0; i < FAT_NODES; i++) {
		struct fat_node *node = &v->node[i];

		if (node->refs > 0 && node->entry == s->at) {
			node->refs++;
			return (int)i;
		}
		if (node->refs == 0 && n == FAT_NODES)
			n = i;
	}
	if (n == FAT_NODES)
		return -FAT_EBUSY;
	v->node[n] = (struct fat_node){
		.refs = 1,
		.entry = s->at,
		.first = entry_first(s->entry),
		.size = get32(s->entry + ENTRY_SIZE),
		.read_only = (s->entry[ENTRY_ATTR] & FAT_READ_ONLY) != 0,
	};
	return (int)n;
}

/* What the node knows goes into its directory entry. */
static int update(struct fat *v, const struct fat_node *node)
{
	uint8_t *entry = cache_change(v, node->entry, KIND_DIRECTORY, false);

	if (entry == NULL)
		return -FAT_EIO;
	entry_set_first(entry, node->first);
	put32(entry + ENTRY_SIZE, node->size);
	entry[ENTRY_ATTR] |= FAT_ARCHIVE;
	entry_touch(v, entry, false);
	return 0;
}

static int truncate(struct fat *v, struct fat_node *node)
{
	uint32_t first = node->first;
	int r;

	if (node->read_only)
		return -FAT_EREADONLY;
	node->first = 0;
	node->size = 0;
	node->at_cluster = 0;
	r = update(v, node);
	return r < 0 ? r : table_free_later(v, first);
}

static int create(struct fat *v, struct place *p)
{
	uint8_t entry[ENTRY_BYTES] = {[ENTRY_ATTR] = FAT_ARCHIVE};

	entry_touch(v, entry, true);
	return dir_insert(v, p->directory, &p->name, entry, &p->slot);
}

int fat_open(struct fat *v, const char *path, unsigned flags)
{
	struct place p;
	int r = path_find(v, path, &p), n;

	if (r < 0)
		return r;
	if (p.root || (r == 1 && entry_is_directory(p.slot.entry)))
		return -FAT_EISDIR;
	if (r == 1 && (flags & FAT_NEW))
		return -FAT_EEXIST;
	if (r == 0) {
		if (!(flags & FAT_CREATE))
			return -FAT_ENOENT;
		r = create(v, &p);
		if (r < 0)
			return r;
	}
	n = take_node(v, &p.slot);
	if (n >= 0 && (flags & FAT_TRUNCATE) && v->node[n].size > 0) {
		r = truncate(v, &v->node[n]);
		if (r < 0) {
			fat_close(v, n);
			return r;
		}
	}
	return n;
}

static struct fat_node *node_of(struct fat *v, int file)
{
	return file >= 0 && file < FAT_NODES && v->node[file].refs > 0
		       ? &v->node[file]
		       : NULL;
}

void fat_close(struct fat *v, int file)
{
	struct fat_node *node = node_of(v, file);

	if (node != NULL)
		node->refs--;
}

uint32_t fat_size(const struct fat *v, int file)
{
	return file >= 0 && file < FAT_NODES ? v->node[file].size : 0;
}

/* The cluster number `index` of the chain; with `make`, one that is longer by
 * one if need be.  -FAT_EBAD: the chain is too short. */
static int seek(struct fat *v, struct fat_node *node, uint32_t index, bool make,
		uint32_t *out)
{
	uint32_t cluster = node->first, at = 0;

	if (node->at_cluster != 0 && node->at_index <= index) {
		cluster = node->at_cluster;
		at = node->at_index;
	}
	if (cluster == 0) {
		int r = make ? table_append(v, 0, &cluster) : -FAT_EBAD;

		if (r < 0)
			return r;
		node->first = cluster;
	}
	if (!cluster_valid(v, cluster))
		return -FAT_EBAD;
	for (; at < index; at++) {
		uint32_t next;
		int r = table_next(v, cluster, &next);

		if (r == 0 && next == 0)
			r = make ? table_append(v, cluster, &next) : -FAT_EBAD;
		if (r < 0)
			return r;
		cluster = next;
	}
	node->at_index = index;
	node->at_cluster = cluster;
	*out = cluster;
	return 0;
}

/* How much of it lies together: in one block, in one cluster. */
static int place(struct fat *v, struct fat_node *node, uint64_t offset,
		 uint64_t bytes, bool make, uint64_t *at)
{
	uint32_t cluster, within = (uint32_t)(offset % v->cluster_bytes);
	uint64_t part = v->cluster_bytes - within;
	int r = seek(v, node, (uint32_t)(offset / v->cluster_bytes), make,
		     &cluster);

	if (r < 0)
		return r;
	*at = cluster_at(v, cluster) + within;
	if (part > FAT_BLOCK - *at % FAT_BLOCK)
		part = FAT_BLOCK - *at % FAT_BLOCK;
	return (int)(part < bytes ? part : bytes);
}

int fat_read(struct fat *v, int file, uint64_t offset, void *to, uint32_t bytes)
{
	struct fat_node *node = node_of(v, file);
	uint8_t *out = to;
	uint32_t done = 0;

	if (node == NULL)
		return -FAT_EINVAL;
	if (offset >= node->size)
		return 0;
	if (bytes > node->size - offset)
		bytes = (uint32_t)(node->size - offset);
	while (done < bytes) {
		const uint8_t *from;
		uint64_t at;
		int n = place(v, node, offset + done, bytes - done, false, &at);

		if (n < 0)
			return n;
		from = cache_look(v, at);
		if (from == NULL)
			return -FAT_EIO;
		memcpy(out + done, from, (size_t)n);
		done += (uint32_t)n;
	}
	return (int)done;
}

/* Bytes (NULL: zeroes) from `offset` on, where the file may end at most. */
static int put(struct fat *v, struct fat_node *node, uint64_t offset,
	       const uint8_t *from, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		uint64_t at;
		uint8_t *to;
		int n = place(v, node, offset + done, bytes - done, true, &at);

		if (n == -FAT_ENOSPC && done > 0)
			break;
		if (n < 0)
			return n;
		to = cache_change(v, at, KIND_DATA, n == FAT_BLOCK);
		if (to == NULL)
			return -FAT_EIO;
		if (from != NULL)
			memcpy(to, from + done, (size_t)n);
		else
			memset(to, 0, (size_t)n);
		done += (uint64_t)n;
		if (offset + done > node->size)
			node->size = (uint32_t)(offset + done);
	}
	return 0;
}

int fat_write(struct fat *v, int file, uint64_t offset, const void *from,
	      uint32_t bytes)
{
	struct fat_node *node = node_of(v, file);
	uint64_t end;
	int r = 0, u;

	if (node == NULL || bytes > INT32_MAX)
		return -FAT_EINVAL;
	if (node->read_only)
		return -FAT_EREADONLY;
	if (offset > SIZE_MAX_BYTES || bytes > SIZE_MAX_BYTES - offset)
		return -FAT_EFBIG;
	if (offset > node->size)
		r = put(v, node, node->size, NULL, offset - node->size);
	if (r == 0 && offset > node->size)
		r = -FAT_ENOSPC; /* not even up to there */
	r = r < 0 ? r : put(v, node, offset, from, bytes);
	/* Whatever came of it, what the chain holds is told. */
	u = update(v, node);
	if (r < 0 || u < 0)
		return r < 0 ? r : u;
	end = offset + bytes;
	return node->size < end ? (int)(node->size - offset) : (int)bytes;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/table.c - the File Allocation Tables, kept the same in all copies. */
#include "fat/internal.h"

int table_get(struct fat *v, uint32_t cluster, uint32_t *value)
{
	const uint8_t *entry =
		cache_look(v, v->table_at[0] + (uint64_t)cluster * 4);

	if (entry == NULL)
		return -FAT_EIO;
	*value = get32(entry) & CLUSTER_MASK;
	return 0;
}

int table_set(struct fat *v, uint32_t cluster, uint32_t value)
{
	for (unsigned i = 0; i < v->tables; i++) {
		uint8_t *entry =
			cache_change(v, v->table_at[i] + (uint64_t)cluster * 4,
				     KIND_TABLE, false);

		if (entry == NULL)
			return -FAT_EIO;
		/* The high four bits are reserved and stay. */
		put32(entry, (get32(entry) & ~(uint32_t)CLUSTER_MASK) | value);
	}
	return 0;
}

int table_next(struct fat *v, uint32_t cluster, uint32_t *next)
{
	int r = table_get(v, cluster, next);

	if (r < 0)
		return r;
	if (*next >= CLUSTER_END)
		*next = 0;
	else if (!cluster_valid(v, *next))
		return -FAT_EBAD;
	return 0;
}

static int find_free(struct fat *v, uint32_t *out)
{
	uint32_t cluster = v->next_free, value;

	for (uint32_t i = 0; i < v->clusters; i++, cluster++) {
		int r;

		if (!cluster_valid(v, cluster))
			cluster = 2;
		r = table_get(v, cluster, &value);
		if (r < 0)
			return r;
		if (value == 0) {
			*out = cluster;
			return 0;
		}
	}
	return -FAT_ENOSPC;
}

int table_append(struct fat *v, uint32_t previous, uint32_t *out)
{
	int r = find_free(v, out); /* v->free is a hint */

	if (r == -FAT_ENOSPC && v->pending_count > 0) {
		r = fat_sync(v);
		r = r < 0 ? r : find_free(v, out);
	}
	if (r == 0)
		r = table_set(v, *out, CLUSTER_MASK);
	if (r == 0 && previous != 0)
		r = table_set(v, previous, *out);
	if (r < 0)
		return r;
	v->free -= v->free > 0;
	v->next_free = *out + 1;
	return 0;
}

int table_free_later(struct fat *v, uint32_t first)
{
	if (first == 0)
		return 0;
	if (v->pending_count == FAT_PENDING) {
		int r = fat_sync(v);

		if (r < 0)
			return r;
	}
	v->pending[v->pending_count++] = first;
	return 0;
}

/* A chain that isn't one ends where it stops being one. */
static int free_chain(struct fat *v, uint32_t cluster)
{
	while (cluster_valid(v, cluster)) {
		uint32_t next;
		int r = table_get(v, cluster, &next);

		if (r < 0)
			return r;
		if (next == 0)
			break; /* it is free already: no way on */
		r = table_set(v, cluster, 0);
		if (r < 0)
			return r;
		v->free += v->free < v->clusters;
		if (cluster < v->next_free)
			v->next_free = cluster;
		cluster = next;
	}
	return 0;
}

int table_free_pending(struct fat *v)
{
	while (v->pending_count > 0) {
		int r = free_chain(v, v->pending[v->pending_count - 1]);

		if (r < 0)
			return r;
		v->pending_count--;
	}
	return 0;
}

int table_count_free(struct fat *v)
{
	v->free = 0;
	for (uint32_t cluster = 2; cluster < v->clusters + 2;) {
		uint64_t at = v->table_at[0] + (uint64_t)cluster * 4;
		const uint8_t *entry = cache_look(v, at);

		if (entry == NULL)
			return -FAT_EIO;
		do { /* to the end of the block */
			v->free += (get32(entry) & CLUSTER_MASK) == 0;
			entry += 4;
			at += 4;
		} while (++cluster < v->clusters + 2 && at % FAT_BLOCK != 0);
	}
	return 0;
}

/* After a power cut the copies may have parted: the first is right. */
int table_repair(struct fat *v)
{
	for (uint64_t at = 0; v->tables == 2 && at < v->table_bytes;
	     at += v->sector_bytes) {
		uint8_t sector[FAT_BLOCK];
		const uint8_t *from = cache_look(v, v->table_at[0] + at), *copy;
		uint8_t *to;

		if (from == NULL)
			return -FAT_EIO;
		memcpy(sector, from, v->sector_bytes);
		copy = cache_look(v, v->table_at[1] + at);
		if (copy == NULL)
			return -FAT_EIO;
		if (memcmp(sector, copy, v->sector_bytes) == 0)
			continue;
		to = cache_change(v, v->table_at[1] + at, KIND_TABLE, false);
		if (to == NULL)
			return -FAT_EIO;
		memcpy(to, sector, v->sector_bytes);
	}
	return 0;
}

int table_zero(struct fat *v, uint32_t cluster, enum fat_kind kind)
{
	uint64_t at = cluster_at(v, cluster), end = at + v->cluster_bytes;

	while (at < end) {
		uint64_t part = FAT_BLOCK - at % FAT_BLOCK;
		uint8_t *bytes;

		part = part < end - at ? part : end - at;
		bytes = cache_change(v, at, kind, part == FAT_BLOCK);
		if (bytes == NULL)
			return -FAT_EIO;
		memset(bytes, 0, part);
		at += part;
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/volume.c - what kind of volume it is; the order in which changes go to
 * the disk. */
#include "fat/internal.h"

/* FSInfo ("FAT32 FSInfo Sector Structure and Backup Boot Sector"). */
#define INFO_LEAD      0x41615252
#define INFO_STRUCT    0x61417272
#define INFO_TRAIL     0xaa550000
#define INFO_STRUCT_AT 484
#define INFO_FREE_AT   488
#define INFO_NEXT_AT   492
#define INFO_TRAIL_AT  508

#define FAT32_CLUSTERS                                                         \
	65525 /* fewer are FAT16's ("FAT Type Determination")                  \
	       */
#define CLUSTERS_MAX 0x0ffffff5

static bool power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* "Boot Sector and BPB Structure"; also of the tables' and the data's place. */
static int read_boot_sector(struct fat *v, uint32_t *info_sector)
{
	const uint8_t *b = cache_look(v, 0);
	uint32_t reserved, tables, table_sectors, per_cluster, flags;
	uint64_t sectors, data_sector, clusters;

	if (b == NULL)
		return -FAT_EIO;
	v->sector_bytes = get16(b + 11);
	per_cluster = b[13];
	reserved = get16(b + 14);
	tables = b[16];
	sectors = get32(b + 32);
	table_sectors = get32(b + 36);
	flags = get16(b + 40);
	v->root = get32(b + 44);
	*info_sector = get16(b + 48);
	if (get16(b + 510) != 0xaa55 || !power_of_two(v->sector_bytes) ||
	    v->sector_bytes < 512 || v->sector_bytes > FAT_BLOCK ||
	    !power_of_two(per_cluster) || reserved == 0 || tables == 0 ||
	    tables > 2 || get16(b + 17) != 0 || get16(b + 19) != 0 ||
	    get16(b + 22) != 0 || get16(b + 42) != 0 || table_sectors == 0)
		return -FAT_EBAD;
	v->cluster_bytes = v->sector_bytes * per_cluster;
	data_sector = reserved + (uint64_t)tables * table_sectors;
	if (v->cluster_bytes > 65536 || sectors <= data_sector)
		return -FAT_EBAD;
	clusters = (sectors - data_sector) / per_cluster;
	v->table_bytes = (uint64_t)table_sectors * v->sector_bytes;
	if (clusters < FAT32_CLUSTERS || clusters > CLUSTERS_MAX ||
	    (clusters + 2) * 4 > v->table_bytes)
		return -FAT_EBAD;
	v->clusters = (uint32_t)clusters;
	v->data_at = data_sector * v->sector_bytes;
	/* BPB_ExtFlags: one table alone may be in use. */
	v->tables = tables;
	for (unsigned i = 0; i < tables; i++)
		v->table_at[i] = reserved * (uint64_t)v->sector_bytes +
				 i * v->table_bytes;
	if (flags & 0x80) {
		if ((flags & 0xf) >= tables)
			return -FAT_EBAD;
		v->table_at[0] = v->table_at[flags & 0xf];
		v->tables = 1;
	}
	if (*info_sector == 0xffff || *info_sector >= reserved)
		*info_sector = 0;
	return cluster_valid(v, v->root) ? 0 : -FAT_EBAD;
}

/* What it says of the free clusters is a hint, and none if the volume was left
 * in the middle. */
static int read_info(struct fat *v, uint32_t sector)
{
	const uint8_t *info;
	uint64_t at = (uint64_t)sector * v->sector_bytes;

	v->next_free = 2;
	v->free = UINT32_MAX;
	if (sector == 0)
		return 0;
	info = cache_look(v, at);
	if (info == NULL)
		return -FAT_EIO;
	if (get32(info) != INFO_LEAD ||
	    get32(info + INFO_STRUCT_AT) != INFO_STRUCT ||
	    get32(info + INFO_TRAIL_AT) != INFO_TRAIL)
		return 0;
	v->info_at = at;
	if (!v->was_clean)
		return 0;
	v->free = get32(info + INFO_FREE_AT);
	if (cluster_valid(v, get32(info + INFO_NEXT_AT)))
		v->next_free = get32(info + INFO_NEXT_AT);
	return 0;
}

int fat_mount(struct fat *v, const struct fat_disk *disk)
{
	uint32_t info_sector;
	int r;

	memset(v, 0, offsetof(struct fat, data));
	v->disk = *disk;
	r = read_boot_sector(v, &info_sector);
	if (r < 0)
		return r;
	/* As long as it says? */
	if (cache_look(v, cluster_at(v, v->clusters + 1) + v->cluster_bytes -
				  1) == NULL)
		return -FAT_EIO;
	v->was_clean = true;
	for (unsigned i = 0; i < v->tables; i++) {
		const uint8_t *one = cache_look(v, v->table_at[i] + 4);

		if (one == NULL)
			return -FAT_EIO;
		v->was_clean = v->was_clean && (get32(one) & CLEAN_BIT) != 0;
	}
	v->clean = v->was_clean;
	r = read_info(v, info_sector);
	if (r == 0 && v->free > v->clusters)
		r = table_count_free(v);
	return r < 0 || v->was_clean ? r : table_repair(v);
}

static int write_info(struct fat *v)
{
	uint8_t *info;

	if (v->info_at == 0)
		return 0;
	info = cache_change(v, v->info_at, KIND_TABLE, false);
	if (info == NULL)
		return -FAT_EIO;
	put32(info + INFO_FREE_AT, v->free);
	put32(info + INFO_NEXT_AT, v->next_free);
	return 0;
}

static int mark_clean(struct fat *v)
{
	uint32_t one;
	int r = table_get(v, 1, &one);

	return r < 0 ? r : table_set(v, 1, one | CLEAN_BIT);
}

int fat_sync(struct fat *v)
{
	int r;

	if (v->clean)
		return 0;
	r = cache_write(v, KIND_TABLE);
	r = r < 0 ? r : cache_write(v, KIND_DIRECTORY);
	r = r < 0 ? r : table_free_pending(v);
	r = r < 0 ? r : write_info(v);
	/* Freed before it says that all is well. */
	r = r < 0 ? r : cache_write(v, KIND_DIRECTORY);
	r = r < 0 ? r : mark_clean(v);
	r = r < 0 ? r : cache_write(v, KIND_DIRECTORY);
	if (r == 0)
		v->clean = true;
	return r;
}

void fat_space(const struct fat *v, struct fat_space *out)
{
	out->cluster_bytes = v->cluster_bytes;
	out->clusters = v->clusters;
	out->free = v->free;
	out->was_clean = v->was_clean;
}

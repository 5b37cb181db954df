/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/disk.c - see disk.h. */
#include "devices/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/device.h"
#include "sim/snapshot.h"

struct disk_entry {
	uint64_t lba;
	uint32_t next, previous; /* by age; `next` also links unused slots */
	uint32_t chain;          /* of the bucket */
};

/* ---- opening ---- */

static bool open_failed(const char *path, struct error *err)
{
	switch (errno) {
	case ENOENT:
		return error_set(err, EXIT_USAGE,
				 "disk image %s: no such file; make one with: "
				 "truncate -s 64M %s",
				 path, path);
	case EACCES:
	case EPERM:
	case EROFS:
		return error_set(
			err, EXIT_USAGE,
			"disk image %s: not writable (%s); the machine "
			"needs to read and write it: try chmod u+rw, "
			"or a copy",
			path, strerror(errno));
	default:
		return error_set(err, EXIT_USAGE, "disk image %s: %s", path,
				 strerror(errno));
	}
}

static bool size_check(struct disk *d, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(d->fd, &st) != 0)
		return open_failed(path, err);
	if (!S_ISREG(st.st_mode))
		return error_set(
			err, EXIT_USAGE,
			"disk image %s: not a regular file; give a raw "
			"image",
			path);
	if (st.st_size < DISK_BYTES_MIN)
		return error_set(err, EXIT_USAGE,
				 "disk image %s: too small, %lld bytes; at "
				 "least %d: truncate -s 64M %s",
				 path, (long long)st.st_size, DISK_BYTES_MIN,
				 path);
	if (st.st_size % d->block_bytes)
		return error_set(err, EXIT_USAGE,
				 "disk image %s: %lld bytes are not a multiple "
				 "of its block size %u; is it a raw image? "
				 "truncate -s %%%u %s rounds it up",
				 path, (long long)st.st_size, d->block_bytes,
				 d->block_bytes, path);
	d->blocks = (uint64_t)st.st_size / d->block_bytes;
	return true;
}

bool disk_open(struct disk *d, const char *path, uint32_t block_bytes,
	       uint32_t cache_blocks, struct error *err)
{
	memset(d, 0, sizeof(*d));
	d->block_bytes = block_bytes;
	d->fd = open(path, O_RDWR | O_CLOEXEC);
	if (d->fd < 0)
		return open_failed(path, err);
	if (flock(d->fd, LOCK_EX | LOCK_NB) != 0) {
		error_set(err, EXIT_USAGE,
			  "disk image %s: another machine uses it (%s); wait "
			  "for that run to end, or give this one a copy",
			  path, strerror(errno));
		goto out_close;
	}
	if (!size_check(d, path, err))
		goto out_close;

	d->entries = cache_blocks ? cache_blocks : 1;
	for (d->buckets = 1; d->buckets < d->entries; d->buckets *= 2)
		;
	d->path = strdup(path);
	d->entry = calloc(d->entries, sizeof(*d->entry));
	d->data = malloc((size_t)d->entries * block_bytes);
	d->bucket = malloc(d->buckets * sizeof(*d->bucket));
	d->order = malloc(d->entries * sizeof(*d->order));
	CHECK_MSG(d->path && d->entry && d->data && d->bucket && d->order,
		  "out of memory for a cache of %u blocks", d->entries);
	disk_forget(d);
	return true;

out_close:
	close(d->fd);
	d->fd = -1;
	return false;
}

void disk_close(struct disk *d)
{
	if (!d->path)
		return;
	if (d->own)
		munmap(d->own, d->blocks * d->block_bytes);
	close(d->fd);
	free((char *)d->path);
	free(d->entry);
	free(d->data);
	free(d->bucket);
	free(d->order);
	memset(d, 0, sizeof(*d));
	d->fd = -1;
}

/* ---- the medium ---- */

static bool host_failed(struct disk *d, const char *what, uint64_t lba)
{
	if (!d->failure[0])
		snprintf(d->failure, sizeof(d->failure),
			 "disk image %s: %s of block %llu failed: %s", d->path,
			 what, (unsigned long long)lba,
			 errno ? strerror(errno) : "the file became shorter");
	return false;
}

static void hash(struct disk *d, const void *p, size_t bytes)
{
	const uint8_t *b = p;

	/* FNV-1a. */
	for (size_t i = 0; i < bytes; i++)
		d->written = (d->written ^ b[i]) * UINT64_C(0x100000001B3);
}

/* Pages that nobody wrote since are the file's, which nobody writes any more.
 */
bool disk_detach(struct disk *d)
{
	void *at;

	if (d->own)
		return true;
	errno = 0;
	at = mmap(NULL, d->blocks * d->block_bytes, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_NORESERVE, d->fd, 0);
	if (at == MAP_FAILED)
		return host_failed(d, "mapping", 0);
	d->own = at;
	return true;
}

#define PIECE_BYTES 65536

static bool file_write(struct disk *d, uint64_t at, const uint8_t *buf,
		       uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		ssize_t n;

		errno = 0;
		n = pwrite(d->fd, buf + done, bytes - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return host_failed(d, "write", at / d->block_bytes);
		done += (uint64_t)n;
	}
	return true;
}

bool disk_attach(struct disk *d)
{
	uint64_t bytes = d->blocks * d->block_bytes, piece;
	uint8_t *own = d->own, *have = malloc(PIECE_BYTES);
	bool good = true;

	CHECK_MSG(have, "out of memory for a disk");
	for (uint64_t at = 0; own && good && at < bytes; at += piece) {
		piece = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
		errno = 0;
		if (pread(d->fd, have, piece, (off_t)at) != (ssize_t)piece)
			good = host_failed(d, "read", at / d->block_bytes);
		else if (memcmp(have, own + at, piece) != 0)
			good = file_write(d, at, own + at, piece);
	}
	free(have);
	if (own && good) {
		munmap(own, bytes);
		d->own = NULL;
	}
	return good;
}

/* `bytes` may end within a block: a torn write. */
static bool medium_write(struct disk *d, uint64_t lba, const uint8_t *buf,
			 uint64_t bytes)
{
	uint64_t at = lba * d->block_bytes;

	if (d->own) {
		if (d->device)
			device_memory_changes(d->device, d->own + at, bytes);
		memcpy(d->own + at, buf, bytes);
	} else if (!file_write(d, at, buf, bytes)) {
		return false;
	}
	hash(d, &at, sizeof(at));
	hash(d, buf, bytes);
	return true;
}

bool disk_memory(struct disk *d, size_t count, size_t step, unsigned n,
		 uint8_t **at, uint64_t *bytes)
{
	for (; count; count--, d = (struct disk *)((char *)d + step)) {
		if (!d->own || n--)
			continue;
		*at = d->own;
		*bytes = d->blocks * d->block_bytes;
		return true;
	}
	return false;
}

bool disk_medium(struct disk *d, bool in_memory, struct error *err)
{
	return (in_memory ? disk_detach(d) : disk_attach(d)) ||
	       error_set(err, EXIT_HOST, "%s", d->failure);
}

static bool medium_read(struct disk *d, uint64_t lba, uint64_t blocks,
			uint8_t *buf)
{
	uint64_t at = lba * d->block_bytes, bytes = blocks * d->block_bytes;

	if (d->own) {
		memcpy(buf, d->own + at, bytes);
		return true;
	}
	while (bytes) {
		ssize_t n;

		errno = 0;
		n = pread(d->fd, buf, bytes, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return host_failed(d, "read", lba);
		buf += n;
		at += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return true;
}

static void tell(struct disk *d, enum disk_op op, uint64_t lba, uint64_t blocks)
{
	if (d->changed)
		d->changed(d->owner, op, lba, blocks);
}

/* ---- the cache ---- */

static uint32_t *bucket_of(const struct disk *d, uint64_t lba)
{
	uint64_t h = lba * UINT64_C(0x9E3779B97F4A7C15);

	return &d->bucket[(h >> 32) & (d->buckets - 1)];
}

static uint8_t *data_of(const struct disk *d, uint32_t slot)
{
	return d->data + (size_t)(slot - 1) * d->block_bytes;
}

/* Slots are numbered from 1; 0 is none. */
static struct disk_entry *entry_of(const struct disk *d, uint32_t slot)
{
	return &d->entry[slot - 1];
}

static uint32_t find(const struct disk *d, uint64_t lba)
{
	uint32_t slot = *bucket_of(d, lba);

	while (slot && entry_of(d, slot)->lba != lba)
		slot = entry_of(d, slot)->chain;
	return slot;
}

static void drop(struct disk *d, uint32_t slot)
{
	struct disk_entry *e = entry_of(d, slot);
	uint32_t *link = bucket_of(d, e->lba);

	while (*link != slot)
		link = &entry_of(d, *link)->chain;
	*link = e->chain;

	if (e->previous)
		entry_of(d, e->previous)->next = e->next;
	else
		d->first = e->next;
	if (e->next)
		entry_of(d, e->next)->previous = e->previous;
	else
		d->last = e->previous;

	e->next = d->unused;
	d->unused = slot;
	d->used--;
}

void disk_forget(struct disk *d)
{
	memset(d->bucket, 0, d->buckets * sizeof(*d->bucket));
	for (uint32_t i = 0; i < d->entries; i++)
		d->entry[i] = (struct disk_entry){
			.next = i + 1 < d->entries ? i + 2 : 0};
	d->first = d->last = d->used = 0;
	d->unused = 1;
}

/* The oldest dirty block makes room. */
static bool evict(struct disk *d)
{
	uint32_t slot = d->first;
	uint64_t lba = entry_of(d, slot)->lba;

	if (!medium_write(d, lba, data_of(d, slot), d->block_bytes))
		return false;
	drop(d, slot);
	tell(d, DISK_TO_MEDIUM, lba, 1);
	return true;
}

static bool put(struct disk *d, uint64_t lba, const uint8_t *block)
{
	uint32_t slot = find(d, lba);
	struct disk_entry *e;

	if (slot) {
		memcpy(data_of(d, slot), block, d->block_bytes);
		return true;
	}
	if (!d->unused && !evict(d))
		return false;
	slot = d->unused;
	e = entry_of(d, slot);
	d->unused = e->next;
	*e = (struct disk_entry){
		.lba = lba, .previous = d->last, .chain = *bucket_of(d, lba)};
	*bucket_of(d, lba) = slot;
	if (d->last)
		entry_of(d, d->last)->next = slot;
	else
		d->first = slot;
	d->last = slot;
	d->used++;
	memcpy(data_of(d, slot), block, d->block_bytes);
	return true;
}

bool disk_read(struct disk *d, uint64_t lba, uint64_t blocks, uint8_t *buf)
{
	if (!medium_read(d, lba, blocks, buf))
		return false;
	for (uint64_t i = 0; i < blocks && d->used; i++) {
		uint32_t slot = find(d, lba + i);

		if (slot)
			memcpy(buf + i * d->block_bytes, data_of(d, slot),
			       d->block_bytes);
	}
	return true;
}

bool disk_write(struct disk *d, uint64_t lba, uint64_t blocks,
		const uint8_t *buf)
{
	for (uint64_t i = 0; i < blocks; i++) {
		if (!put(d, lba + i, buf + i * d->block_bytes))
			return false;
	}
	tell(d, DISK_TO_CACHE, lba, blocks);
	return true;
}

bool disk_write_through(struct disk *d, uint64_t lba, uint64_t blocks,
			const uint8_t *buf)
{
	for (uint64_t i = 0; i < blocks && d->used; i++) {
		uint32_t slot = find(d, lba + i);

		if (slot)
			drop(d, slot);
	}
	if (!medium_write(d, lba, buf, blocks * d->block_bytes))
		return false;
	tell(d, DISK_TO_MEDIUM, lba, blocks);
	return true;
}

bool disk_sync(struct disk *d, uint64_t lba, uint64_t blocks)
{
	for (uint64_t i = 0; i < blocks && d->used; i++) {
		uint32_t slot = find(d, lba + i);

		if (!slot)
			continue;
		if (!medium_write(d, lba + i, data_of(d, slot), d->block_bytes))
			return false;
		drop(d, slot);
		tell(d, DISK_TO_MEDIUM, lba + i, 1);
	}
	return true;
}

static int by_lba(const void *a, const void *b, void *disk)
{
	uint64_t x = entry_of(disk, *(const uint32_t *)a)->lba;
	uint64_t y = entry_of(disk, *(const uint32_t *)b)->lba;

	return x < y ? -1 : x > y;
}

/* Writes `count` cached blocks that follow each other on the disk. */
static bool run_write(struct disk *d, const uint32_t *slot, uint32_t count)
{
	uint64_t lba = entry_of(d, slot[0])->lba;

	for (uint32_t i = 0; i < count; i++) {
		if (!medium_write(d, lba + i, data_of(d, slot[i]),
				  d->block_bytes))
			return false;
	}
	tell(d, DISK_TO_MEDIUM, lba, count);
	return true;
}

bool disk_flush(struct disk *d)
{
	uint32_t count = 0, *slot = d->order;
	bool good = true;

	for (uint32_t s = d->first; s; s = entry_of(d, s)->next)
		slot[count++] = s;
	qsort_r(slot, count, sizeof(*slot), by_lba, d);
	for (uint32_t i = 0, run; good && i < count; i += run) {
		uint64_t lba = entry_of(d, slot[i])->lba;

		run = 1;
		while (i + run < count &&
		       entry_of(d, slot[i + run])->lba == lba + run)
			run++;
		good = run_write(d, slot + i, run);
	}
	if (!good)
		return false;
	disk_forget(d);
	tell(d, DISK_FLUSHED, 0, count);
	return true;
}

bool disk_tear(struct disk *d, uint64_t lba, const uint8_t *buf, uint64_t bytes)
{
	uint64_t blocks = (bytes + d->block_bytes - 1) / d->block_bytes;

	disk_forget(d);
	if (!bytes)
		return true;
	if (!medium_write(d, lba, buf, bytes))
		return false;
	tell(d, DISK_TO_MEDIUM, lba, blocks);
	return true;
}

void disk_digest(const struct disk *d,
		 void (*feed)(void *to, const void *p, size_t n), void *to)
{
	feed(to, &d->written, sizeof(d->written));
	for (uint32_t s = d->first; s; s = entry_of(d, s)->next) {
		feed(to, &entry_of(d, s)->lba, sizeof(uint64_t));
		feed(to, data_of(d, s), d->block_bytes);
	}
}

/* ---- snapshots ---- */

#define CHUNK_BYTES 65536

static bool all_zero(const uint8_t *p, size_t bytes)
{
	return !p[0] && !memcmp(p, p + 1, bytes - 1);
}

static uint8_t *chunk_new(void)
{
	uint8_t *chunk = malloc(CHUNK_BYTES);

	CHECK_MSG(chunk, "out of memory for a snapshot");
	return chunk;
}

static uint64_t chunk_blocks(const struct disk *d, uint64_t lba)
{
	uint64_t blocks = CHUNK_BYTES / d->block_bytes;

	return d->blocks - lba < blocks ? d->blocks - lba : blocks;
}

bool disk_save(struct disk *d, struct snapshot_writer *w)
{
	uint8_t *chunk = chunk_new();
	uint64_t n;
	bool good = true;

	snapshot_put_u64(w, d->block_bytes);
	snapshot_put_u64(w, d->blocks);
	snapshot_put_u64(w, d->written);
	for (uint64_t lba = snapshot_keeps_memory(w) ? d->blocks : 0;
	     good && lba < d->blocks; lba += n) {
		n = chunk_blocks(d, lba);
		good = medium_read(d, lba, n, chunk);
		if (!good || all_zero(chunk, n * d->block_bytes))
			continue;
		snapshot_put_u64(w, lba);
		snapshot_put(w, chunk, n * d->block_bytes);
	}
	snapshot_put_u64(w, UINT64_MAX);
	snapshot_put_u64(w, d->used);
	for (uint32_t s = d->first; s; s = entry_of(d, s)->next) {
		snapshot_put_u64(w, entry_of(d, s)->lba);
		snapshot_put(w, data_of(d, s), d->block_bytes);
	}
	free(chunk);
	return good;
}

static bool load_medium(struct disk *d, struct snapshot_reader *r)
{
	uint8_t *chunk = chunk_new(), *have = chunk_new();
	uint64_t next = snapshot_get_u64(r), n;
	bool good = true;

	for (uint64_t lba = snapshot_restores_memory(r) ? d->blocks : 0;
	     good && lba < d->blocks; lba += n) {
		n = chunk_blocks(d, lba);
		memset(chunk, 0, CHUNK_BYTES);
		if (lba == next) {
			snapshot_get(r, chunk, n * d->block_bytes);
			next = snapshot_get_u64(r);
		}
		good = medium_read(d, lba, n, have) &&
		       (!memcmp(have, chunk, n * d->block_bytes) ||
			medium_write(d, lba, chunk, n * d->block_bytes));
	}
	free(chunk);
	free(have);
	return good && next == UINT64_MAX;
}

bool disk_load(struct disk *d, struct snapshot_reader *r)
{
	uint8_t *block = chunk_new();
	uint64_t written, used;
	bool good;

	good = snapshot_get_u64(r) == d->block_bytes;
	good = snapshot_get_u64(r) == d->blocks && good;
	written = snapshot_get_u64(r);
	good = good && load_medium(d, r);
	used = good ? snapshot_get_u64(r) : 0;
	good = good && used <= d->entries;
	disk_forget(d);
	for (; good && used; used--) {
		uint64_t lba = snapshot_get_u64(r);

		snapshot_get(r, block, d->block_bytes);
		good = snapshot_good(r) && lba < d->blocks && !find(d, lba) &&
		       put(d, lba, block);
	}
	d->written = written;
	free(block);
	return good;
}

bool disk_load_image(struct disk *d, struct snapshot_reader *r,
		     struct error *err)
{
	if (disk_load(d, r))
		return true;
	return d->failure[0]
		       ? error_set(err, EXIT_HOST, "%s", d->failure)
		       : error_set(err, EXIT_USAGE,
				   "disk image %s cannot become the one in the "
				   "snapshot: it has another size; give an "
				   "image of the same size",
				   d->path);
}

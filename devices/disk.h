/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/disk.h - the medium behind a storage device: a raw image file, with a
 * volatile write cache before it.
 *
 * What disk_write() takes lives in the cache (this process's memory), until a
 * flush, a write-through or an eviction writes it to the file.  So the file
 * holds at every instant exactly what a disk would hold after the power failed
 * at that instant, also when the process is killed.
 *
 * The cache holds dirty blocks only and evicts the one that became dirty first.
 * Nothing is synced to the host's medium: losing the host's power is not what
 * is simulated.
 *
 * After disk_detach() the file is left alone, and this process's memory is the
 * medium.
 *
 * The digest covers the cache, and the medium by a hash of every write to it.
 */
#ifndef PARTERRE_DEVICES_DISK_H
#define PARTERRE_DEVICES_DISK_H

#include "sim/base.h"
#include "sim/status.h"

#define DISK_BYTES_MIN 65536

enum disk_op {
	DISK_TO_CACHE = 1,  /* blocks reached the cache */
	DISK_TO_MEDIUM = 2, /* blocks reached the image file */
	DISK_FLUSHED = 3,   /* the cache is empty now */
};

struct disk_entry;

struct disk {
	const char *path; /* the disk's own copy */
	int fd;
	uint32_t block_bytes;
	uint64_t blocks;
	/* The cache: slots in use are on a list in the order in which they
	 * became dirty, and found by LBA through a table of chains. */
	struct disk_entry *entry;
	uint8_t *data;
	uint32_t *bucket;
	uint32_t *order; /* for sorting in a flush */
	uint32_t entries, buckets, used;
	uint32_t first, last, unused; /* slot numbers plus one; 0: none */
	uint8_t *own;     /* disk_detach(): the medium; NULL: it is the file */
	uint64_t written; /* hash over everything written to the medium */
	/* Told of each change, in order; may be NULL. */
	void (*changed)(void *owner, enum disk_op op, uint64_t lba,
			uint64_t blocks);
	void *owner;
	/* Whose device_class.memory `own` is; NULL: nobody's. */
	struct device *device;
	/* The first failure of the host, for ever; empty: none. */
	char failure[256];
};

/* Opens and locks the image.  `block_bytes`: 512 or 4096. */
bool disk_open(struct disk *d, const char *path, uint32_t block_bytes,
	       uint32_t cache_blocks, struct error *err);
void disk_close(struct disk *d); /* what the cache holds is lost */

/* From now on the medium is memory, as the image is now, and the file stays as
 * it is: what fork() makes of this process has a disk of its own.  False: the
 * host has no room (d->failure). */
bool disk_detach(struct disk *d);
/* The file is the medium again, with all that was written in the meantime. */
bool disk_attach(struct disk *d);
/* As device_class.memory, of `count` disks that each lie `step` bytes behind
 * the one before. */
bool disk_memory(struct disk *d, size_t count, size_t step, unsigned n,
		 uint8_t **at, uint64_t *bytes);
/* Either of them, with a message. */
bool disk_medium(struct disk *d, bool in_memory, struct error *err);

/* The range must lie within the disk.  All return false when the host failed
 * (d->failure says how). */
bool disk_read(struct disk *d, uint64_t lba, uint64_t blocks, uint8_t *buf);
bool disk_write(struct disk *d, uint64_t lba, uint64_t blocks,
		const uint8_t *buf);
/* To the medium at once; older versions in the cache are gone. */
bool disk_write_through(struct disk *d, uint64_t lba, uint64_t blocks,
			const uint8_t *buf);
/* Makes these blocks durable if the cache holds newer versions. */
bool disk_sync(struct disk *d, uint64_t lba, uint64_t blocks);
bool disk_flush(struct disk *d);
/* Power failed: the cache forgets; of `buf` the first `bytes` reach the medium,
 * if need be ending within a block. */
bool disk_tear(struct disk *d, uint64_t lba, const uint8_t *buf,
	       uint64_t bytes);
void disk_forget(struct disk *d);

/* The medium without the blocks that are zero, and the cache.  The host's
 * failures are in d->failure. */
struct snapshot_writer;
struct snapshot_reader;
bool disk_save(struct disk *d, struct snapshot_writer *w);
/* Writes what differs to the image.  False also: of another size, or no disk's
 * state. */
bool disk_load(struct disk *d, struct snapshot_reader *r);
/* The same with a message for whoever loads. */
bool disk_load_image(struct disk *d, struct snapshot_reader *r,
		     struct error *err);

void disk_digest(const struct disk *d,
		 void (*feed)(void *to, const void *p, size_t n), void *to);

#endif

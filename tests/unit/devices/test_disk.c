/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image file holds at every instant what a disk would hold after losing its
 * power; what is wrong with an image is said in one line with a remedy. */
#include "devices/disk.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct told {
	unsigned count;
	enum disk_op op[32];
	uint64_t lba[32], blocks[32];
};

static void tell(void *owner, enum disk_op op, uint64_t lba, uint64_t blocks)
{
	struct told *t = owner;

	t->op[t->count] = op;
	t->lba[t->count] = lba;
	t->blocks[t->count++] = blocks;
}

static void image(char path[64], off_t bytes)
{
	int fd;

	strcpy(path, "/tmp/parterre-disk-XXXXXX");
	fd = mkstemp(path);
	cr_assert(fd >= 0);
	cr_assert_eq(ftruncate(fd, bytes), 0);
	close(fd);
}

static uint8_t on_medium(const char *path, uint64_t lba)
{
	uint8_t byte = 0;
	int fd = open(path, O_RDONLY);

	cr_assert_eq(pread(fd, &byte, 1, (off_t)(lba * 512)), 1);
	close(fd);
	return byte;
}

static void put(struct disk *d, uint64_t lba, uint8_t byte)
{
	uint8_t block[512];

	memset(block, byte, sizeof(block));
	cr_assert(disk_write(d, lba, 1, block));
}

static uint8_t get(struct disk *d, uint64_t lba)
{
	uint8_t block[512];

	cr_assert(disk_read(d, lba, 1, block));
	cr_assert_eq(block[0], block[511]);
	return block[0];
}

static void start(struct disk *d, char path[64], uint32_t cache, struct told *t)
{
	struct error err = {0};

	image(path, 1 << 20);
	memset(t, 0, sizeof(*t));
	cr_assert(disk_open(d, path, 512, cache, &err), "%s", err.text);
	d->changed = tell;
	d->owner = t;
}

static void stop(struct disk *d, const char *path)
{
	disk_close(d);
	unlink(path);
}

Test(disk, a_write_is_read_back_at_once_and_durable_after_a_flush)
{
	struct disk d;
	struct told t;
	char path[64];

	start(&d, path, 16, &t);
	cr_expect_eq(d.blocks, 2048);
	put(&d, 5, 'a');
	put(&d, 6, 'b');
	put(&d, 9, 'c');
	put(&d, 5, 'A');
	cr_expect_eq(get(&d, 5), 'A');
	cr_expect_eq(get(&d, 6), 'b');
	cr_expect_eq(on_medium(path, 5), 0);
	cr_assert(disk_flush(&d));
	cr_expect_eq(on_medium(path, 5), 'A');
	cr_expect_eq(on_medium(path, 6), 'b');
	cr_expect_eq(on_medium(path, 9), 'c');
	cr_expect_eq(get(&d, 9), 'c');
	/* Four to the cache, two runs to the medium, one flush. */
	cr_assert_eq(t.count, 7);
	cr_expect_eq(t.op[4], DISK_TO_MEDIUM);
	cr_expect_eq(t.lba[4], 5);
	cr_expect_eq(t.blocks[4], 2);
	cr_expect_eq(t.lba[5], 9);
	cr_expect_eq(t.op[6], DISK_FLUSHED);
	cr_expect_eq(t.blocks[6], 3);
	stop(&d, path);
}

Test(disk, a_full_cache_evicts_what_became_dirty_first)
{
	struct disk d;
	struct told t;
	char path[64];

	start(&d, path, 4, &t);
	for (unsigned i = 0; i < 4; i++)
		put(&d, 10 * i, (uint8_t)('a' + i));
	put(&d, 0, 'A'); /* rewriting keeps its age */
	put(&d, 99, 'x');
	cr_expect_eq(on_medium(path, 0), 'A');
	cr_expect_eq(on_medium(path, 10), 0);
	cr_expect_eq(d.used, 4);
	cr_expect_eq(get(&d, 0), 'A');
	put(&d, 98, 'y');
	cr_expect_eq(on_medium(path, 10), 'b');
	cr_expect_eq(get(&d, 20), 'c');
	stop(&d, path);
}

Test(disk, what_was_not_flushed_is_gone_when_the_power_is)
{
	struct disk d;
	struct told t;
	char path[64];
	struct error err;

	start(&d, path, 16, &t);
	put(&d, 1, 'a');
	disk_flush(&d);
	put(&d, 1, 'b');
	disk_close(&d);
	cr_assert(disk_open(&d, path, 512, 16, &err));
	cr_expect_eq(get(&d, 1), 'a');
	stop(&d, path);
}

Test(disk, write_through_and_sync_overtake_the_cache)
{
	struct disk d;
	struct told t;
	char path[64];
	uint8_t block[512];

	start(&d, path, 16, &t);
	put(&d, 3, 'o');
	put(&d, 4, 'p');
	memset(block, 'n', sizeof(block));
	cr_assert(disk_write_through(&d, 3, 1, block));
	cr_expect_eq(on_medium(path, 3), 'n');
	cr_expect_eq(on_medium(path, 4), 0);
	cr_assert(disk_flush(&d));
	cr_expect_eq(on_medium(path, 3), 'n', "the old one must not return");
	put(&d, 7, 's');
	cr_assert(disk_sync(&d, 6, 3));
	cr_expect_eq(on_medium(path, 7), 's');
	cr_expect_eq(d.used, 0);
	stop(&d, path);
}

Test(disk, tearing_leaves_a_part_of_a_block)
{
	struct disk d;
	struct told t;
	char path[64];
	uint8_t blocks[1024], byte;
	int fd;

	start(&d, path, 16, &t);
	put(&d, 50, 'z');
	memset(blocks, 't', sizeof(blocks));
	cr_assert(disk_tear(&d, 20, blocks, 700));
	fd = open(path, O_RDONLY);
	cr_assert_eq(pread(fd, &byte, 1, 20 * 512 + 699), 1);
	cr_expect_eq(byte, 't');
	cr_assert_eq(pread(fd, &byte, 1, 20 * 512 + 700), 1);
	cr_expect_eq(byte, 0);
	close(fd);
	cr_expect_eq(get(&d, 50), 0, "the cache is lost");
	stop(&d, path);
}

/* A model of 64 blocks beside the disk: whatever happens, reads agree, and the
 * file agrees with what was made durable. */
Test(disk, agrees_with_a_model_over_random_operations)
{
	struct disk d;
	struct told t;
	char path[64];
	uint8_t model[64] = {0};
	uint32_t x = 12345;

	start(&d, path, 8, &t);
	d.changed = NULL;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned lba;

		x = x * 1664525 + 1013904223;
		lba = x >> 26;
		switch (x >> 8 & 7) {
		case 0:
			cr_assert(x >> 12 & 3 || disk_flush(&d));
			break;
		case 1:
			cr_assert(disk_sync(&d, lba, 64 - lba));
			cr_assert_eq(on_medium(path, lba), model[lba]);
			break;
		case 2 ... 4:
			model[lba] = (uint8_t)i;
			put(&d, lba, (uint8_t)i);
			break;
		default:
			cr_assert_eq(get(&d, lba), model[lba], "step %u", i);
			break;
		}
	}
	cr_assert(disk_flush(&d));
	for (unsigned lba = 0; lba < 64; lba++)
		cr_assert_eq(on_medium(path, lba), model[lba]);
	stop(&d, path);
}

static void feed(void *to, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t *h = to;

	for (size_t i = 0; i < n; i++)
		*h = (*h ^ b[i]) * 0x100000001B3ull;
}

static uint64_t digest(const struct disk *d)
{
	uint64_t h = 0;

	disk_digest(d, feed, &h);
	return h;
}

Test(disk, the_digest_sees_cache_and_medium)
{
	struct disk d;
	struct told t;
	char path[64];
	uint64_t empty, dirty;

	start(&d, path, 16, &t);
	empty = digest(&d);
	put(&d, 1, 'a');
	dirty = digest(&d);
	cr_expect_neq(dirty, empty);
	put(&d, 1, 'a');
	cr_expect_eq(digest(&d), dirty);
	disk_flush(&d);
	cr_expect_neq(digest(&d), dirty);
	cr_expect_neq(digest(&d), empty);
	stop(&d, path);
}

static void refuses(const char *path, uint32_t block, const char *what)
{
	struct error err = {0};
	struct disk d;

	cr_assert_not(disk_open(&d, path, block, 16, &err), "%s", what);
	cr_expect_eq(err.code, EXIT_USAGE);
	cr_expect(strstr(err.text, what), "'%s' says nothing of '%s'", err.text,
		  what);
	cr_expect(strstr(err.text, path), "'%s'", err.text);
}

Test(disk, unusable_images_are_refused_with_the_reason)
{
	struct error err;
	struct disk d;
	char path[64];

	refuses("/tmp/parterre-no-such-image", 512, "no such file");
	refuses("/tmp", 512, "disk image /tmp");
	image(path, 1000);
	refuses(path, 512, "too small");
	cr_assert_eq(truncate(path, 100001), 0);
	refuses(path, 512, "not a multiple");
	cr_assert_eq(truncate(path, 66048), 0);
	refuses(path, 4096, "not a multiple");
	cr_assert(disk_open(&d, path, 512, 16, &err));
	refuses(path, 512, "another machine uses it");
	disk_close(&d);
	cr_assert(disk_open(&d, path, 512, 16, &err), "the lock is gone");
	disk_close(&d);
	cr_assert_eq(chmod(path, 0444), 0);
	if (geteuid() != 0)
		refuses(path, 512, "not writable");
	unlink(path);
}

Test(disk, a_failing_host_is_remembered_in_words)
{
	struct disk d;
	struct told t;
	char path[64];
	uint8_t block[512];

	start(&d, path, 16, &t);
	cr_assert_eq(truncate(path, 512), 0);
	cr_expect_not(disk_read(&d, 8, 1, block));
	cr_expect(strstr(d.failure, "read of block 8"), "%s", d.failure);
	stop(&d, path);
}

Test(disk, in_memory_it_leaves_the_file_alone_until_it_is_attached_again)
{
	struct disk d;
	struct told t;
	char path[64];
	uint8_t before[512] = {1}, after[512] = {2};

	start(&d, path, 16, &t);
	cr_assert(disk_write_through(&d, 5, 1, before));
	cr_assert(disk_detach(&d));
	cr_assert(disk_write_through(&d, 5, 1, after));
	cr_assert(disk_write_through(&d, 2047, 1, after));
	cr_expect_eq(on_medium(path, 5), 1);
	cr_expect_eq(on_medium(path, 2047), 0);
	cr_assert(disk_attach(&d));
	cr_expect_eq(on_medium(path, 5), 2);
	cr_expect_eq(on_medium(path, 2047), 2);
	cr_assert(disk_write_through(&d, 5, 1, before));
	cr_expect_eq(on_medium(path, 5), 1);
	cr_assert(disk_attach(&d)); /* it is already */
	stop(&d, path);
}

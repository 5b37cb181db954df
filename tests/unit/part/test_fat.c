/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat beside dosfstools and mtools: they make the volumes, look for what is
 * wrong with them, and read what is in them. */
#include "fat/fat.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fat/internal.h"

/* ---- a disk with a volatile cache ---------------------------------------- */

#define PENDING 1024

static struct disk {
	int fd;
	uint64_t blocks;
	struct {
		uint64_t block;
		uint8_t data[FAT_BLOCK];
	} pending[PENDING];
	unsigned count;
	long writes_left; /* then the power is cut; -1: never */
	bool off;
	uint64_t spoiled, spoil_to; /* bytes that read as something else */
	uint32_t spoil_seed;
} disk;

static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static bool disk_read(void *owner, uint64_t block, void *data)
{
	(void)owner;
	if (disk.off)
		return false;
	if (block >= disk.blocks) {
		cr_assert(disk.spoil_to > 0, "block %lu is beyond the end",
			  block);
		return false;
	}
	cr_assert(pread(disk.fd, data, FAT_BLOCK, (off_t)(block * FAT_BLOCK)) ==
		  FAT_BLOCK);
	for (unsigned i = disk.count; i-- > 0;) {
		if (disk.pending[i].block == block) {
			memcpy(data, disk.pending[i].data, FAT_BLOCK);
			break;
		}
	}
	for (uint64_t at = disk.spoiled; at < disk.spoil_to; at++) {
		if (at / FAT_BLOCK == block)
			((uint8_t *)data)[at % FAT_BLOCK] ^=
				(uint8_t)((at + 1) * disk.spoil_seed >> 7);
	}
	return true;
}

static void settle(unsigned i)
{
	cr_assert(pwrite(disk.fd, disk.pending[i].data, FAT_BLOCK,
			 (off_t)(disk.pending[i].block * FAT_BLOCK)) ==
		  FAT_BLOCK);
}

static bool disk_write(void *owner, uint64_t block, const void *data)
{
	(void)owner;
	cr_assert(block < disk.blocks, "block %lu is beyond the end", block);
	if (disk.writes_left == 0)
		disk.off = true;
	if (disk.off)
		return false;
	disk.writes_left -= disk.writes_left > 0;
	cr_assert(disk.count < PENDING);
	disk.pending[disk.count].block = block;
	memcpy(disk.pending[disk.count++].data, data, FAT_BLOCK);
	return true;
}

static bool disk_flush(void *owner)
{
	(void)owner;
	if (disk.off)
		return false;
	for (unsigned i = 0; i < disk.count; i++)
		settle(i);
	disk.count = 0;
	return true;
}

static uint32_t disk_clock(void *owner)
{
	(void)owner;
	return 0x58216000; /* 2024-01-01 12:00:00 */
}

static const struct fat_disk calls = {NULL, disk_read, disk_write, disk_flush,
				      disk_clock};

/* What was written since the last flush is there or not, each on its own. */
static void power_cut(void)
{
	for (unsigned i = 0; i < disk.count; i++) {
		if (any(2))
			settle(i);
	}
	disk.count = 0;
	disk.off = false;
	disk.writes_left = -1;
}

/* ---- the host's tools ---------------------------------------------------- */

static char folder[] = "/tmp/parterre-fat-XXXXXX";
static bool has_folder;
static struct fat fat;

static char *output(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *output(const char *fmt, ...)
{
	static char text[1 << 16];
	char command[1024];
	va_list list;
	FILE *pipe;
	size_t n;

	va_start(list, fmt);
	n = (size_t)snprintf(command, sizeof(command),
			     "cd %s && export MTOOLS_SKIP_CHECK=1 "
			     "LC_ALL=C.UTF-8; { ",
			     folder);
	n += (size_t)vsnprintf(command + n, sizeof(command) - n, fmt, list);
	va_end(list);
	snprintf(command + n, sizeof(command) - n, "; } 2>&1");
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	n += (size_t)snprintf(text + n, sizeof(text) - n, "[%d]",
			      WEXITSTATUS(pclose(pipe)));
	return text;
}

static void make_volume(const char *options, unsigned megabytes)
{
	char path[64];

	if (!has_folder)
		cr_assert_not_null(mkdtemp(folder));
	has_folder = true;
	output("rm -f disk; mkfs.vfat -F 32 %s -C disk %u", options,
	       megabytes * 1024);
	snprintf(path, sizeof(path), "%s/disk", folder);
	memset(&disk, 0, sizeof(disk));
	disk.fd = open(path, O_RDWR);
	cr_assert(disk.fd >= 0, "mkfs.vfat (package dosfstools) made nothing");
	disk.blocks = megabytes * 256ul;
	disk.writes_left = -1;
}

static void away(void)
{
	close(disk.fd);
	output("rm -rf %s", folder);
}

static void checked_clean(void)
{
	const char *said = output("fsck.vfat -n -v disk");

	cr_assert(strstr(said, "[0]") && !strstr(said, "Dirty bit") &&
			  !strstr(said, "wrong") && !strstr(said, "differ"),
		  "%s", said);
}

static void wants_ok(int r, const char *what)
{
	cr_assert(r >= 0, "%s: error %d", what, -r);
}

/* ---- the model: what should be there ------------------------------------- */

#define FILES 48
#define BYTES 40000

static struct model {
	bool there, synced; /* synced: unchanged since it was */
	char path[300];
	uint32_t bytes, pattern;
} model[FILES];
static unsigned directories;

static uint8_t pattern_byte(uint32_t pattern, uint32_t at)
{
	return (uint8_t)((pattern + at / 512) * 2654435761u >> 11 ^ at);
}

static void new_path(char *path, unsigned n)
{
	static const char *const forms[] = {
		"/D%u/FILE%u.TXT",
		"/D%u/file%u.txt",
		"/D%u/A longer name %u.data",
		"/D%u/.hidden%u",
		"/D%u/gr\303\266\303\237e-%u.\316\261\316\262",
		"/D%u/one and the same beginning of the name %u",
		"/D%u/much.more.points.%u.tar.gz",
		"/D%u/\360\237\230\200%u"};

	snprintf(path, 300, forms[any(8)], any(directories), n);
}

static void write_pattern(struct model *m, int file)
{
	uint8_t bytes[5000];

	for (uint32_t at = 0; at < m->bytes;) {
		uint32_t n = 1 + any(sizeof(bytes) - 1);

		n = n < m->bytes - at ? n : m->bytes - at;
		for (uint32_t i = 0; i < n; i++)
			bytes[i] = pattern_byte(m->pattern, at + i);
		if (fat_write(&fat, file, at, bytes, n) != (int)n)
			return; /* the power is off */
		at += n;
	}
}

static void store(struct model *m, unsigned n)
{
	int file;

	if (!m->there)
		new_path(m->path, n);
	m->there = true;
	m->synced = false;
	m->bytes = any(4) == 0 ? 0 : any(BYTES);
	m->pattern = any(1 << 24);
	file = fat_open(&fat, m->path, FAT_CREATE | FAT_TRUNCATE);
	if (disk.off)
		return;
	wants_ok(file, m->path);
	write_pattern(m, file);
	fat_close(&fat, file);
}

static void move(struct model *m, unsigned n)
{
	char to[300];
	int r;

	new_path(to, n);
	m->synced = false;
	r = fat_rename(&fat, m->path, to);
	if (disk.off ||
	    r == -FAT_EEXIST) /* upper and lower case are the same */
		return;
	wants_ok(r, to);
	memcpy(m->path, to, sizeof(to));
}

static void drop(struct model *m)
{
	int r;

	m->there = false;
	r = fat_remove(&fat, m->path);
	cr_assert(r == 0 || disk.off, "%s: %d", m->path, r);
}

static void work(unsigned times, bool moves)
{
	for (unsigned i = 0; i < times && !disk.off; i++) {
		unsigned n = any(FILES);
		struct model *m = &model[n];

		switch (any(8)) {
		case 0:
			if (m->there)
				drop(m);
			break;
		case 1:
			if (m->there && moves)
				move(m, n);
			break;
		case 2:
			if (fat_sync(&fat) == 0) {
				for (unsigned k = 0; k < FILES; k++)
					model[k].synced = model[k].there;
			}
			break;
		default:
			store(m, n);
			break;
		}
	}
}

static void begin_work(unsigned count)
{
	char path[16];

	memset(model, 0, sizeof(model));
	directories = count;
	wants_ok(fat_mount(&fat, &calls), "mount");
	for (unsigned i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/D%u", i);
		wants_ok(fat_mkdir(&fat, path), path);
	}
	wants_ok(fat_sync(&fat), "sync");
}

/* Ours reads what the model has. */
static void read_back(const struct model *m)
{
	static uint8_t bytes[BYTES];
	int file = fat_open(&fat, m->path, 0);

	wants_ok(file, m->path);
	cr_assert_eq(fat_size(&fat, file), m->bytes, "%s", m->path);
	cr_assert_eq(fat_read(&fat, file, 0, bytes, BYTES), (int)m->bytes);
	for (uint32_t at = 0; at < m->bytes; at++)
		cr_assert_eq(bytes[at], pattern_byte(m->pattern, at),
			     "%s: byte %u", m->path, at);
	fat_close(&fat, file);
}

/* So does mtools, from the image. */
static void read_outside(const struct model *m)
{
	static uint8_t bytes[BYTES + 1];
	char path[64];
	const char *said = output("mcopy -n -i disk '::%s' out", m->path);
	int fd;

	cr_assert(strstr(said, "[0]"), "%s: %s", m->path, said);
	snprintf(path, sizeof(path), "%s/out", folder);
	fd = open(path, O_RDONLY);
	cr_assert(fd >= 0);
	cr_assert_eq(read(fd, bytes, sizeof(bytes)), (ssize_t)m->bytes, "%s",
		     m->path);
	close(fd);
	unlink(path);
	for (uint32_t at = 0; at < m->bytes; at++)
		cr_assert_eq(bytes[at], pattern_byte(m->pattern, at),
			     "%s: byte %u", m->path, at);
}

static unsigned files_outside(void)
{
	const char *said = output("mdir -b -s -a -i disk ::/ | grep -cv '/$'");

	return (unsigned)strtoul(said, NULL, 10);
}

static void compare_all(void)
{
	unsigned there = 0;

	for (unsigned n = 0; n < FILES; n++) {
		if (!model[n].there)
			continue;
		there++;
		read_back(&model[n]);
		if (!strchr(model[n].path, 0xf0)) /* mtools drops these */
			read_outside(&model[n]);
	}
	cr_assert_eq(files_outside(), there, "%s",
		     output("mdir -b -s -a -i disk ::/"));
}

/* ---- the tests ----------------------------------------------------------- */

Test(fat, what_it_leaves_is_sound)
{
	static const struct {
		const char *options;
		unsigned megabytes;
	} volumes[] = {{"-s 1", 34},
		       {"-s 8", 270},
		       {"-s 1 -f 1 -a", 35},
		       {"-S 4096 -s 1", 270}};

	for (unsigned i = 0; i < 4; i++) {
		seed = 7 + i;
		make_volume(volumes[i].options, volumes[i].megabytes);
		begin_work(4);
		work(500, true);
		wants_ok(fat_sync(&fat), "sync");
		checked_clean();
		wants_ok(fat_mount(&fat, &calls), "mounted again");
		compare_all();
		for (unsigned n = 0; n < FILES; n++) {
			if (model[n].there)
				drop(&model[n]);
		}
		wants_ok(fat_sync(&fat), "sync");
		checked_clean();
		close(disk.fd);
	}
	away();
}

Test(fat, it_reads_what_others_wrote)
{
	struct fat_row row;
	uint32_t cursor = 0;
	uint8_t bytes[16] = {0};
	const char *names[] = {"LABEL", "lower.txt", "Mixed Case.Text",
			       "\303\244\303\266\303\274", "deep"};
	bool seen[5] = {false};
	int file;

	make_volume("-s 1 -n LABEL", 34);
	output("printf 'good morning' > f; mmd -i disk ::deep ::deep/er; "
	       "mcopy -i disk f ::lower.txt; mcopy -i disk f '::Mixed "
	       "Case.Text';"
	       "mcopy -i disk f ::deep/er/\303\244\303\266\303\274; "
	       "mcopy -i disk f ::\303\244\303\266\303\274; "
	       "mattrib -i disk +r ::lower.txt");
	wants_ok(fat_mount(&fat, &calls), "mount");
	cr_assert(fat.was_clean);
	while (fat_list(&fat, "/", &cursor, &row) == 1) {
		bool known = false;

		for (unsigned i = 0; i < 5; i++) {
			if (strcmp(row.name, names[i]) == 0)
				known = seen[i] = true;
		}
		cr_assert(known, "%s", row.name);
	}
	cr_assert(!seen[0] && seen[1] && seen[2] && seen[3] && seen[4],
		  "the label is no file, the others are");
	file = fat_open(&fat, "/DEEP/../deep/./er/\303\204\303\226\303\234", 0);
	wants_ok(file, "in other letters");
	cr_assert_eq(fat_read(&fat, file, 5, bytes, 16), 7);
	cr_assert_arr_eq(bytes, "morning", 8);
	wants_ok(fat_open(&fat, "/MIXEDC~1.TEX", 0), "its short name");
	cr_assert_eq(fat_remove(&fat, "/lower.txt"), -FAT_EREADONLY);
	cr_assert_eq(fat_open(&fat, "/lower.txt", FAT_TRUNCATE),
		     -FAT_EREADONLY);
	away();
}

Test(fat, what_cannot_be_is_refused)
{
	int file;

	make_volume("-s 1", 34);
	wants_ok(fat_mount(&fat, &calls), "mount");
	wants_ok(fat_mkdir(&fat, "/a"), "mkdir");
	wants_ok(fat_mkdir(&fat, "/a/b"), "mkdir");
	file = fat_open(&fat, "/a/f", FAT_CREATE);
	wants_ok(file, "create");
	cr_assert_eq(fat_mkdir(&fat, "/A"), -FAT_EEXIST);
	cr_assert_eq(fat_mkdir(&fat, "/x/y"), -FAT_ENOENT);
	cr_assert_eq(fat_mkdir(&fat, "/a/f/y"), -FAT_ENOTDIR);
	cr_assert_eq(fat_mkdir(&fat, "/a/q?"), -FAT_EINVAL);
	cr_assert_eq(fat_mkdir(&fat, "/a/\377"), -FAT_EINVAL);
	cr_assert_eq(fat_open(&fat, "/a", 0), -FAT_EISDIR);
	cr_assert_eq(fat_open(&fat, "/a/f", FAT_CREATE | FAT_NEW), -FAT_EEXIST);
	cr_assert_eq(fat_open(&fat, "/a/g", 0), -FAT_ENOENT);
	cr_assert_eq(fat_remove(&fat, "/a"), -FAT_ENOTEMPTY);
	cr_assert_eq(fat_remove(&fat, "/a/f"), -FAT_EBUSY);
	cr_assert_eq(fat_rename(&fat, "/a/f", "/a/h"), -FAT_EBUSY);
	cr_assert_eq(fat_remove(&fat, "/"), -FAT_EBUSY);
	cr_assert_eq(fat_rename(&fat, "/a", "/a/b/c"), -FAT_EINVAL);
	cr_assert_eq(fat_rename(&fat, "/a/b", "/a/f"), -FAT_EEXIST);
	cr_assert_eq(fat_write(&fat, file, 0xfffffff0, "0123456789abcdefg", 17),
		     -FAT_EFBIG);
	fat_close(&fat, file);
	cr_assert_eq(fat_read(&fat, file, 0, &file, 1), -FAT_EINVAL);
	wants_ok(fat_rename(&fat, "/a/b", "/b"), "a directory moves");
	wants_ok(fat_rename(&fat, "/a/f", "/b/../b/F"), "a file moves");
	wants_ok(fat_rename(&fat, "/b/f", "/b/f"), "a name in other letters");
	wants_ok(fat_remove(&fat, "/a"), "it is empty now");
	wants_ok(fat_sync(&fat), "sync");
	checked_clean();
	cr_assert(strstr(output("mdir -b -s -i disk ::/"), "::/b/f\n"));
	away();
}

/* What lies between the old end and what is written is zero; the volume is full
 * at the last cluster, and all of it comes back. */
Test(fat, holes_and_a_full_volume)
{
	static uint8_t bytes[1 << 16];
	struct fat_space space, after;
	uint64_t at = 0;
	int file, r;

	make_volume("-s 1", 34);
	wants_ok(fat_mount(&fat, &calls), "mount");
	fat_space(&fat, &space);
	file = fat_open(&fat, "/hole", FAT_CREATE);
	memset(bytes, 'x', sizeof(bytes));
	cr_assert_eq(fat_write(&fat, file, 100000, bytes, 10), 10);
	cr_assert_eq(fat_read(&fat, file, 50000, bytes, 60000), 50010);
	for (unsigned i = 0; i < 50010; i++)
		cr_assert_eq(bytes[i], i < 50000 ? 0 : 'x');
	fat_close(&fat, file);
	wants_ok(fat_remove(&fat, "/hole"), "remove");
	file = fat_open(&fat, "/full", FAT_CREATE);
	do { /* what was freed just now counts too */
		r = fat_write(&fat, file, at, bytes, sizeof(bytes));
		at += r > 0 ? (uint64_t)r : 0;
	} while (r == (int)sizeof(bytes));
	cr_assert_eq(at, space.free * space.cluster_bytes);
	cr_assert_eq(fat_write(&fat, file, at, bytes, 1), -FAT_ENOSPC);
	cr_assert_eq(fat_mkdir(&fat, "/none"), -FAT_ENOSPC);
	fat_close(&fat, file);
	wants_ok(fat_sync(&fat), "sync");
	checked_clean();
	wants_ok(fat_remove(&fat, "/full"), "remove");
	wants_ok(fat_sync(&fat), "sync");
	fat_space(&fat, &after);
	cr_assert_eq(after.free, space.free);
	checked_clean();
	away();
}

/* Many names in one directory: it grows; short names that collide. */
Test(fat, a_crowd)
{
	char path[80];

	make_volume("-s 1", 34);
	wants_ok(fat_mount(&fat, &calls), "mount");
	wants_ok(fat_mkdir(&fat, "/crowd"), "mkdir");
	for (unsigned i = 0; i < 300; i++) {
		int file;

		snprintf(path, sizeof(path),
			 "/crowd/the same beginning for everybody %u", i);
		file = fat_open(&fat, path, FAT_CREATE | FAT_NEW);
		wants_ok(file, path);
		fat_close(&fat, file);
	}
	wants_ok(fat_sync(&fat), "sync");
	checked_clean();
	cr_assert_eq(files_outside(), 300);
	away();
}

/* Behind the last entry there may be anything: it stays behind. */
Test(fat, what_lies_behind_the_last_entry)
{
	uint8_t entry[ENTRY_BYTES];
	struct fat_row row;

	make_volume("-s 8", 270);
	output("mmd -i disk ::d");
	wants_ok(fat_mount(&fat, &calls), "mount");
	wants_ok(fat_stat(&fat, "/d", &row), "stat");
	memset(entry, 'X', sizeof(entry));
	entry[ENTRY_ATTR] = FAT_ARCHIVE;
	for (unsigned i = 3; i < FAT_BLOCK / ENTRY_BYTES; i++)
		cr_assert(pwrite(disk.fd, entry, sizeof(entry),
				 (off_t)(cluster_at(&fat, row.first) +
					 i * ENTRY_BYTES)) == sizeof(entry));
	wants_ok(fat_mount(&fat, &calls), "mounted again");
	for (unsigned i = 0; i < 3; i++) {
		char path[40];
		int file;

		snprintf(path, sizeof(path), "/d/a name of two pieces %u", i);
		file = fat_open(&fat, path, FAT_CREATE | FAT_NEW);
		wants_ok(file, path);
		fat_close(&fat, file);
		wants_ok(fat_sync(&fat), "sync");
		cr_assert_eq(files_outside(), i + 1, "%s",
			     output("mdir -b -s -a -i disk ::/"));
	}
	away(); /* fsck.vfat looks behind the end, too */
}

/* The power is cut at any write; of what was not flushed, any part is there.
 * What was synced and not touched since is there, and nothing is in a state
 * that a check of the volume can't put right without a loss. */
Test(fat, power_cuts)
{
	make_volume("-s 8", 270);
	for (unsigned turn = 0; turn < 60; turn++) {
		const char *said;

		seed = turn * 77 + 1;
		output("mkfs.vfat -F 32 -s 8 disk");
		begin_work(3);
		disk.writes_left = (long)any(300);
		work(400, false);
		power_cut();
		said = output("fsck.vfat -n disk");
		cr_assert(!strstr(said, "share") && !strstr(said, "Bad") &&
				  !strstr(said, "bad") &&
				  !strstr(said, "Contains a free") &&
				  !strstr(said, "Starts with") &&
				  !strstr(said, "start does not"),
			  "turn %u: %s", turn, said);
		wants_ok(fat_mount(&fat, &calls), "mount");
		cr_assert(fat.was_clean || strstr(said, "[1]") ||
			  strstr(said, "[0]"));
		for (unsigned n = 0; n < FILES; n++) {
			if (model[n].synced && model[n].there)
				read_back(&model[n]);
		}
		wants_ok(fat_sync(&fat), "sync");
		said = output("fsck.vfat -n disk");
		cr_assert(!strstr(said, "differ"), "turn %u: %s", turn, said);
	}
	away();
}

/* A disk that says anything: no end of it all, nothing out of bounds. */
Test(fat, not_trusted)
{
	make_volume("-s 1", 34);
	seed = 3;
	begin_work(3);
	work(200, true);
	wants_ok(fat_sync(&fat), "sync");
	for (unsigned turn = 0; turn < 400; turn++) {
		uint64_t places[] = {0, 512, 32 * 512, 0};
		struct fat_row row;
		uint32_t cursor = 0;

		seed = turn;
		disk.spoil_to = 0;
		wants_ok(fat_mount(&fat, &calls), "mount");
		places[3] = fat.data_at + any(64 * 512);
		disk.spoiled = places[any(4)] + any(600);
		disk.spoil_to = disk.spoiled + 1 + any(16);
		disk.spoil_seed = any(1 << 24) | 1;
		if (fat_mount(&fat, &calls) < 0)
			continue;
		for (unsigned i = 0;
		     i < 300 && fat_list(&fat, "/D1", &cursor, &row) == 1; i++)
			;
		for (unsigned n = 0; n < 8; n++) {
			uint8_t bytes[600];
			int file = fat_open(&fat, model[n].path, FAT_CREATE);

			if (file < 0)
				continue;
			(void)fat_read(&fat, file, 0, bytes, sizeof(bytes));
			(void)fat_write(&fat, file, 700, bytes, sizeof(bytes));
			fat_close(&fat, file);
			(void)fat_remove(&fat, model[n].path);
		}
		(void)fat_rename(&fat, "/D2", "/D1/D2");
		disk.count = 0; /* nothing of it stays */
	}
	away();
}

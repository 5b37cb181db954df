/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/fat/fat.h - a FAT32 file system on a disk of blocks.
 *
 * Microsoft's "FAT32 File System Specification" (version 1.03, December 2000)
 * says what is on the disk; sections are named as there.  FAT32 alone: a volume
 * of FAT12 or FAT16 is refused.  The volume begins at the disk's first block; a
 * partition table is none.
 *
 *   volume.c  mount, FSInfo, sync         name.c  long and short names
 *   cache.c   the blocks in memory        dir.c   entries of a directory
 *   table.c   the FATs, chains            path.c  what is done by path
 *   file.c    open files
 *
 * Short names are read as of code page 850; what is written has a long name
 * wherever that matters.
 * Paths: "/", "/dir/name", UTF-8; "." and ".." as usual; upper and lower case
 * are the same (of ASCII, Latin-1, Greek and Cyrillic letters) but are kept.
 * Results: zero or positive is success, negative is -FAT_E*.
 *
 * What a power cut leaves.  Changes stay in memory until fat_sync(), or until
 * their place in memory is wanted.  They go to the disk in this order, with a
 * flush between: data and tables; directories; what was freed.  So at any
 * instant a directory entry names whole chains, whatever was synced and not
 * changed since is there, and clusters that nobody owns are the worst (they are
 * lost until a check of the volume).  A file moved to another block's directory
 * has both names for that instant.  With clusters under FAT_BLOCK a block may
 * hold data and a directory; then what wasn't synced may also be seen with its
 * new size and old data.
 *
 * Then the copies of the FAT may differ: the next mount makes them the same.
 *
 * Bit ClnShutBit of FAT[1] ("FAT Data Structure") is 0 from the first change to
 * the end of a sync.
 *
 * The disk is not trusted: whatever it says, no walk is endless and nothing out
 * of the volume is touched; -FAT_EBAD says that something is impossible.
 */
#ifndef PARTERRE_FAT_FAT_H
#define PARTERRE_FAT_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAT_BLOCK      4096
#define FAT_LINES      64  /* blocks in memory */
#define FAT_NODES      16  /* files open at once */
#define FAT_PENDING    32  /* chains to be freed by the next sync */
#define FAT_NAME_BYTES 256 /* UTF-8, the NUL included */

#define FAT_EIO       1  /* the disk said no */
#define FAT_ENOENT    2  /* no such file or directory */
#define FAT_EEXIST    3  /* there is one already */
#define FAT_ENOTDIR   4  /* a file where a directory is wanted */
#define FAT_EISDIR    5  /* a directory where a file is wanted */
#define FAT_ENOTEMPTY 6  /* a directory with something in it */
#define FAT_ENOSPC    7  /* the volume or the directory is full */
#define FAT_EINVAL    8  /* not a name, or a move into itself */
#define FAT_EBAD      9  /* no FAT32 volume, or a damaged one */
#define FAT_EBUSY     10 /* it is open, or too many are */
#define FAT_EREADONLY 11 /* its attribute forbids it */
#define FAT_EFBIG     12 /* no file can be that large */

/* Where the blocks are.  False: it failed, finally. */
struct fat_disk {
	void *owner;
	bool (*read)(void *owner, uint64_t block, void *data);
	/* May be done later; then the flush says how it went. */
	bool (*write)(void *owner, uint64_t block, const void *data);
	/* Everything written before is durable. */
	bool (*flush)(void *owner);
	/* "Date and Time Formats": date << 16 | time. */
	uint32_t (*clock)(void *owner);
};

enum fat_kind { /* of a changed block: when it may go to the disk */
	KIND_DATA,
	KIND_TABLE,
	KIND_DIRECTORY,
};

struct fat_line {
	enum {
		LINE_EMPTY,
		LINE_CLEAN,
		LINE_WRITTEN, /* not flushed yet */
		LINE_DIRTY,
	} state;
	enum fat_kind kind;
	uint64_t block, used;
};

struct fat_node { /* an open file */
	unsigned refs;
	uint64_t entry; /* where its directory entry is: byte of the disk */
	uint32_t first, size;
	uint32_t at_index, at_cluster; /* a place in its chain; 0: none */
	bool read_only;
};

struct fat {
	struct fat_disk disk;
	uint32_t sector_bytes, cluster_bytes;
	uint64_t table_at[2], table_bytes; /* bytes of the disk */
	unsigned tables;                   /* that are kept; [0] is read */
	uint64_t data_at, info_at;         /* info_at 0: no FSInfo */
	uint32_t clusters, root;           /* numbers 2..clusters + 1 */
	uint32_t free, next_free;
	bool clean; /* nothing changed since the last sync */
	bool was_clean, unflushed;
	uint32_t pending[FAT_PENDING];
	unsigned pending_count;
	struct fat_node node[FAT_NODES];
	struct fat_line line[FAT_LINES];
	uint64_t uses;
	uint64_t reads, writes, flushes;
	uint8_t data[FAT_LINES][FAT_BLOCK];
};

#define FAT_READ_ONLY 0x01
#define FAT_HIDDEN    0x02
#define FAT_SYSTEM    0x04
#define FAT_VOLUME_ID 0x08
#define FAT_DIRECTORY 0x10
#define FAT_ARCHIVE   0x20

struct fat_row {                   /* what is known of a file or directory */
	char name[FAT_NAME_BYTES]; /* the long one, if it fits */
	uint32_t attributes, size, first;
	uint32_t changed; /* date << 16 | time */
};

struct fat_space {
	uint64_t cluster_bytes, clusters, free;
	bool was_clean; /* when it was mounted */
};

/* The volume is all in `v`, a megabyte at most. */
int fat_mount(struct fat *v, const struct fat_disk *disk);
int fat_sync(struct fat *v);
void fat_space(const struct fat *v, struct fat_space *out);

/* ---- files: numbers, below FAT_NODES.  Opened twice is the same number ----
 */

#define FAT_CREATE   1 /* if it isn't there */
#define FAT_TRUNCATE 2
#define FAT_NEW      4 /* with FAT_CREATE: it must not be there */
int fat_open(struct fat *v, const char *path, unsigned flags);
void fat_close(struct fat *v, int file); /* as often as it was opened */
/* How many bytes; fewer than asked: the end.  */
int fat_read(struct fat *v, int file, uint64_t offset, void *to,
	     uint32_t bytes);
/* How many bytes; fewer than asked: the volume is full.  What lies between the
 * old end and the offset is zero. */
int fat_write(struct fat *v, int file, uint64_t offset, const void *from,
	      uint32_t bytes);
uint32_t fat_size(const struct fat *v, int file);

/* ---- by path ---- */

int fat_stat(struct fat *v, const char *path, struct fat_row *row);
/* The next of a directory.  *cursor is 0 at first.  1: row is filled; 0: there
 * are no more. */
int fat_list(struct fat *v, const char *path, uint32_t *cursor,
	     struct fat_row *row);
int fat_mkdir(struct fat *v, const char *path);
int fat_remove(struct fat *v, const char *path); /* or an empty directory */
int fat_rename(struct fat *v, const char *from, const char *to);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/record.h - the records that the guests' writer processes put on disk.
 *
 * Record n of a stream fills one block: block n % slots of the guest's extent
 * of the disk.  Everything in it follows from (stream, record, block), so that
 * anybody who reads the disk from outside can tell a whole record from a torn,
 * a stale or a misplaced one.  The stream's issued and committed records
 * are told on the diagnostics channel (abi/channel.h, DIAG_*; `check` there is
 * `crc` here):
 *
 *   - the disk holds, in each block, a whole record that was issued for it, or
 *     what it held before;
 *   - and none older than the youngest one committed for that block.
 *
 * All fields little-endian.
 */
#ifndef PARTERRE_ABI_RECORD_H
#define PARTERRE_ABI_RECORD_H

#include <stdint.h>

#define RECORD_MAGIC   0x3143455254524150ull /* "PARTREC1" */
#define RECORD_VERSION 1
#define RECORD_BYTES   4096
#define RECORD_WORDS   ((RECORD_BYTES - 48) / 8)

struct record { /* 4096 bytes */
	uint64_t magic;
	uint32_t version;
	uint32_t bytes; /* RECORD_BYTES */
	uint64_t stream;
	uint64_t record; /* 0, 1, .. */
	uint64_t block;  /* of the extent */
	uint32_t crc;    /* CRC-32C of all 4096 bytes, with this field 0 */
	uint32_t reserved;
	uint64_t payload[RECORD_WORDS]; /* record_word() */
};
_Static_assert(sizeof(struct record) == RECORD_BYTES, "record layout");

/* Word i of the payload. */
static inline uint64_t record_word(uint64_t stream, uint64_t record, uint64_t i)
{
	uint64_t x = stream * 0x9e3779b97f4a7c15ull +
		     record * 0xbf58476d1ce4e5b9ull + i * 0x94d049bb133111ebull;

	return x ^ (x >> 29);
}

#endif

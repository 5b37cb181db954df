/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/image.h - is this a partition image, and what is in it?
 *
 * A pure function of the bytes, used by the boot stage (for the ultravisor's
 * image) and by the ultravisor (for all others).  Accepts what
 * hv/lib/partition.ld makes and nothing looser: ELF64, x86-64, executable,
 * little-endian, loadable segments page-aligned, ascending, apart from each
 * other, inside the partition's memory, none both writable and executable, the
 * entry in an executable one.
 */
#ifndef PARTERRE_BOOT_IMAGE_H
#define PARTERRE_BOOT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_SEGMENTS 8

struct image_segment {
	uint64_t va, offset, file_bytes, memory_bytes;
	uint32_t prot; /* PROT_* */
};

struct image {
	uint64_t entry;
	uint64_t end_va; /* first page after the last segment */
	uint32_t segments;
	struct image_segment segment[IMAGE_SEGMENTS];
};

/* `memory_bytes`: of the partition, from PART_MEMORY_VA on. */
bool image_check(const void *file, uint64_t file_bytes, uint64_t memory_bytes,
		 struct image *out);

#endif

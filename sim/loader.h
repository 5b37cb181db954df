/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader.h - boots a Multiboot 1 image (specification 0.6.96): ELF32, ELF64
 * or any file with the header's address fields (flag bit 16).
 *
 * Where things go depends on the images alone: the kernel where it says, the
 * modules after it (not below 1 MiB), each at a page of its own, then one block
 * with the information structure, module list, memory map and strings.  The
 * firmware's tables (0xE0000-0xFFFFF) stay untouched.
 *
 * Neither host paths nor sizes of the host's files beyond their content reach
 * the guest: the command line is passed as given, without the kernel's path.
 *
 * Every error is EXIT_USAGE and names the file, the field, its offset in the
 * file and the remedy.
 *
 * Not offered: symbols and section headers, drives, APM, VBE and framebuffer
 * (an image that insists on a video mode, flag bit 2, is refused).
 */
#ifndef PARTERRE_SIM_LOADER_H
#define PARTERRE_SIM_LOADER_H

#include "sim/machine.h"

#define LOADER_SEGMENTS_MAX 32
#define LOADER_SEARCH_BYTES 8192 /* the header lies wholly in these */
#define LOADER_MAGIC        UINT32_C(0x2BADB002) /* EAX at entry */

struct loader_segment {
	paddr_t pa;
	uint64_t offset, file_bytes; /* in the file */
	uint64_t mem_bytes;          /* the rest is zeroed */
};

struct loader_plan {
	uint32_t flags;         /* of the Multiboot header */
	uint32_t header_offset; /* in the file */
	uint32_t entry;         /* physical */
	size_t segment_count;
	struct loader_segment segment[LOADER_SEGMENTS_MAX];
};

/* What the file asks for.  Looks at the file alone; `path` is for messages. */
bool loader_plan(struct loader_plan *plan, const char *path,
		 const uint8_t *file, size_t bytes, struct error *err) MUST_USE;

/* Loads c->kernel and its modules; the first CPU stands at the entry, in the
 * state that the specification's section 3.2 wants. */
bool loader_boot(struct machine *m, const struct machine_config *c,
		 struct error *err) MUST_USE;

#endif

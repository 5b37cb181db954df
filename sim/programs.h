/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/programs.h - whose program is which file: an address of a partition's to
 * the symbols that name it.
 *
 * A file that is gone, or is no ELF64 image, has no symbols.  A guest's own
 * processes are within its image; theirs lie in a file beside it.
 */
#ifndef PARTERRE_SIM_PROGRAMS_H
#define PARTERRE_SIM_PROGRAMS_H

#include "sim/symbols.h"

#define PROGRAMS_MAX 256

struct programs;

struct programs *programs_create(void) MUST_USE;
void programs_free(struct programs *p); /* NULL is fine */
/* Of the partition of this index, or of the kernel: 0.  The first one stays. */
void programs_add(struct programs *p, uint32_t index, const char *path);
/* What a run left in this file (sim/scenario/session.h), if it is there. */
void programs_read(struct programs *p, const char *path);

/* The program in which a partition runs at `va`: its own, a process of a guest,
 * the kernel.  NULL: not known. */
const struct symbols *programs_symbols(const struct programs *p, uint32_t index,
				       vaddr_t va);
/* Is that a guest's process? */
bool programs_is_process(const struct programs *p, uint32_t index, vaddr_t va);

#endif

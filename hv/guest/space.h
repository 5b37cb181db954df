/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/space.h - a process's address space, made of the guest's frames.
 *
 * The frames are those after the kernel's image, given out in order and never
 * taken back: a guest runs the processes that it starts with. */
#ifndef PARTERRE_GUEST_SPACE_H
#define PARTERRE_GUEST_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/process_abi.h"

#define SPACE_PAGES 32 /* of one process */

struct space {
	unsigned as; /* number for SYS_AS_*, SYS_USER_RUN */
	struct {
		uint64_t va;     /* the process's */
		uint8_t *kernel; /* the same page, seen from the kernel */
		bool writable;
	} page[SPACE_PAGES];
	unsigned pages;
};

/* Make the space and load the process image.  Its entry; 0: impossible, the
 * reason was logged. */
uint64_t space_load(struct space *s, unsigned as, const uint8_t *image,
		    uint64_t bytes);

/* The kernel's address of a byte of the process; NULL: not its memory, or not
 * writable though it has to be. */
uint8_t *space_at(const struct space *s, uint64_t va, bool write);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/space.h - the pages after the kernel's image, and the address spaces
 * that are made of them. */
#ifndef PARTERRE_GUEST_SPACE_H
#define PARTERRE_GUEST_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/process_abi.h"

#define SPACE_PAGES  256 /* of one process */
#define SPACE_TABLES 4   /* all of it lies in the same 2 MiB */

struct space {
	unsigned as; /* number for SYS_AS_*, SYS_USER_RUN; 0: no space */
	struct {
		uint64_t va;     /* the process's */
		uint8_t *kernel; /* the same page, seen from the kernel */
		bool writable;
	} page[SPACE_PAGES];
	unsigned pages;
	unsigned stack; /* its first page is that one */
	uint8_t *table[SPACE_TABLES];
};

/* Make the space and load the process image.  Its entry; 0: impossible, and
 * nothing is kept. */
uint64_t space_load(struct space *s, unsigned as, const uint8_t *image,
		    uint64_t bytes);
/* A zero page at that place; false: no page is left, or the place is taken. */
bool space_grow(struct space *s, uint64_t va);
/* Pages of the kernel's own, one after the other and zero; NULL: there are not
 * so many that nobody ever had. */
void *space_reserve(uint64_t pages);
/* Its pages are free again. */
void space_drop(struct space *s);

/* The kernel's address of a byte of the process; NULL: not its memory, or not
 * writable though it has to be. */
uint8_t *space_at(const struct space *s, uint64_t va, bool write);
/* All bytes, wherever they lie; false: not all are its memory. */
bool space_copy_in(const struct space *s, void *to, uint64_t va,
		   uint64_t bytes);
bool space_copy_out(const struct space *s, uint64_t va, const void *from,
		    uint64_t bytes);

uint64_t space_free_pages(void);
uint64_t space_all_pages(void); /* those after the kernel */

#endif

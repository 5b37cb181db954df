/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/space.c - see space.h. */
#include "guest/space.h"

#include <stddef.h>

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define PAGE ABI_PAGE_BYTES

extern uint8_t image_end[]; /* partition.ld; page-aligned */

static uint64_t frames_used;

/* The next free page of the partition, zeroed; NULL: no more. */
static uint8_t *new_page(void)
{
	uint64_t first = ((uintptr_t)image_end - PART_MEMORY_VA) / PAGE;
	uint8_t *page = image_end + frames_used * PAGE;

	if (first + frames_used >= view_frames())
		return NULL;
	frames_used++;
	memset(page, 0, PAGE);
	return page;
}

/* As the monitor counts the partition's pages. */
static uint64_t page_number(const uint8_t *page)
{
	return ((uintptr_t)page - PART_MEMORY_VA) / PAGE;
}

/* A page for a table: the monitor takes it out of the kernel's mappings.
 * Without one, a number that it refuses. */
static uint64_t new_table(void)
{
	uint8_t *page = new_page();

	return page == NULL ? ~0ull : page_number(page);
}

static bool add(struct space *s, uint64_t va, const uint8_t *from,
		uint64_t bytes, uint64_t prot)
{
	uint8_t *page = new_page();
	struct as_map map = {.va = va, .prot = prot};

	if (page == NULL || s->pages == SPACE_PAGES)
		return false;
	memcpy(page, from, bytes);
	map.page = page_number(page);
	s->page[s->pages].va = va;
	s->page[s->pages].kernel = page;
	s->page[s->pages].writable = (prot & PROT_W) != 0;
	s->pages++;
	return sys_as_map(s->as, &map, 1) == 0;
}

static bool add_all(struct space *s, const uint8_t *image, uint64_t bytes)
{
	const struct process_image *head = (const void *)image;

	for (uint64_t va = PROC_IMAGE_VA; va < head->bss_end; va += PAGE) {
		uint64_t offset = va - PROC_IMAGE_VA;
		uint64_t left = offset < bytes ? bytes - offset : 0;
		uint64_t prot = va < head->text_start   ? PROT_R
				: va < head->data_start ? PROT_R | PROT_X
							: PROT_R | PROT_W;

		if (!add(s, va, image + offset, left < PAGE ? left : PAGE,
			 prot))
			return false;
	}
	for (unsigned i = PROC_STACK_PAGES; i > 0; i--) {
		if (!add(s, PROC_STACK_END - i * PAGE, image, 0,
			 PROT_R | PROT_W))
			return false;
	}
	return true;
}

uint64_t space_load(struct space *s, unsigned as, const uint8_t *image,
		    uint64_t bytes)
{
	const struct process_image *head = (const void *)image;

	s->as = as;
	s->pages = 0;
	if (bytes < sizeof(*head) || head->magic != PROC_MAGIC) {
		logf_("guest: the process image is not one");
		return 0;
	}
	/* Image and stack lie in the same 2 MiB: one table of each level. */
	if (sys_as_create(as, new_table()) != 0 ||
	    sys_as_table(as, PROC_IMAGE_VA, 3, new_table()) != 0 ||
	    sys_as_table(as, PROC_IMAGE_VA, 2, new_table()) != 0 ||
	    sys_as_table(as, PROC_IMAGE_VA, 1, new_table()) != 0 ||
	    !add_all(s, image, bytes)) {
		logf_("guest: process %u can't be loaded", as);
		return 0;
	}
	return head->entry;
}

uint8_t *space_at(const struct space *s, uint64_t va, bool write)
{
	for (unsigned i = 0; i < s->pages; i++) {
		if (va - s->page[i].va < PAGE)
			return write && !s->page[i].writable
				       ? NULL
				       : s->page[i].kernel +
						 (va - s->page[i].va);
	}
	return NULL;
}

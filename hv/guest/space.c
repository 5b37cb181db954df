/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/space.c - see space.h. */
#include "guest/space.h"

#include <stddef.h>

#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define PAGE ABI_PAGE_BYTES

#define STACK_VA (PROC_STACK_END - PROC_STACK_PAGES * PAGE)

extern uint8_t image_end[]; /* partition.ld; page-aligned */

/* Given back: each holds the next. */
static uint8_t *free_list;
static uint64_t freed, used; /* used: of those that were never given back */

uint64_t space_all_pages(void)
{
	uint64_t first = ((uintptr_t)image_end - PART_MEMORY_VA) / PAGE;

	return view_frames() - first;
}

uint64_t space_free_pages(void)
{
	return space_all_pages() - used + freed;
}

/* Zeroed; NULL: no more. */
static uint8_t *new_page(void)
{
	uint8_t *page = free_list;

	if (page != NULL) {
		memcpy(&free_list, page, sizeof(free_list));
		freed--;
	} else if (used < space_all_pages()) {
		page = image_end + used++ * PAGE;
	} else {
		return NULL;
	}
	return memset(page, 0, PAGE);
}

void *space_reserve(uint64_t pages)
{
	uint8_t *first = image_end + used * PAGE;

	if (pages > space_all_pages() - used)
		return NULL;
	used += pages;
	return memset(first, 0, pages * PAGE);
}

static void give_back(uint8_t *page)
{
	memcpy(page, &free_list, sizeof(free_list));
	free_list = page;
	freed++;
}

/* As the monitor counts the partition's pages. */
static uint64_t page_number(const uint8_t *page)
{
	return ((uintptr_t)page - PART_MEMORY_VA) / PAGE;
}

static bool add(struct space *s, uint64_t va, const uint8_t *from,
		uint64_t bytes, uint64_t prot)
{
	uint8_t *page = s->pages < SPACE_PAGES ? new_page() : NULL;
	struct as_map map = {.va = va, .prot = prot};

	if (page == NULL)
		return false;
	memcpy(page, from, bytes);
	map.page = page_number(page);
	if (sys_as_map(s->as, &map, 1) != 0) {
		give_back(page);
		return false;
	}
	s->page[s->pages].va = va;
	s->page[s->pages].kernel = page;
	s->page[s->pages].writable = (prot & PROT_W) != 0;
	s->pages++;
	return true;
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
	s->stack = s->pages;
	for (unsigned i = PROC_STACK_PAGES; i > 0; i--) {
		if (!add(s, PROC_STACK_END - i * PAGE, image, 0,
			 PROT_R | PROT_W))
			return false;
	}
	return true;
}

/* The root, and a table of each lower level.  The monitor takes the pages out
 * of the kernel's mappings until the space is destroyed. */
static bool add_tables(struct space *s)
{
	for (unsigned i = 0; i < SPACE_TABLES; i++) {
		uint8_t *page = new_page();
		int64_t r;

		if (page == NULL)
			return false;
		r = i == 0 ? sys_as_create(s->as, page_number(page))
			   : sys_as_table(s->as, PROC_IMAGE_VA, 4 - i,
					  page_number(page));
		if (r != 0) {
			give_back(page);
			return false;
		}
		s->table[i] = page;
	}
	return true;
}

uint64_t space_load(struct space *s, unsigned as, const uint8_t *image,
		    uint64_t bytes)
{
	const struct process_image *head = (const void *)image;

	memset(s, 0, sizeof(*s));
	s->as = as;
	if (bytes >= sizeof(*head) && head->magic == PROC_MAGIC &&
	    add_tables(s) && add_all(s, image, bytes))
		return head->entry;
	space_drop(s);
	return 0;
}

bool space_grow(struct space *s, uint64_t va)
{
	va -= va % PAGE;
	return space_at(s, va, false) == NULL &&
	       add(s, va, image_end, 0, PROT_R | PROT_W);
}

void space_drop(struct space *s)
{
	if (s->as != 0)
		(void)sys_as_destroy(s->as);
	for (unsigned i = 0; i < s->pages; i++)
		give_back(s->page[i].kernel);
	for (unsigned i = 0; i < SPACE_TABLES; i++) {
		if (s->table[i] != NULL)
			give_back(s->table[i]);
	}
	memset(s, 0, sizeof(*s));
}

uint8_t *space_at(const struct space *s, uint64_t va, bool write)
{
	/* Where image and stack have it, in whose order they were made. */
	uint64_t at = va >= STACK_VA ? s->stack + (va - STACK_VA) / PAGE
				     : (va - PROC_IMAGE_VA) / PAGE;
	bool there = at < s->pages && va - s->page[at].va < PAGE;

	for (unsigned i = there ? (unsigned)at : 0; i < s->pages; i++) {
		if (va - s->page[i].va < PAGE)
			return write && !s->page[i].writable
				       ? NULL
				       : s->page[i].kernel +
						 (va - s->page[i].va);
	}
	return NULL;
}

static bool copy(const struct space *s, uint8_t *bytes, uint64_t va,
		 uint64_t count, bool out)
{
	while (count > 0) {
		uint64_t part = PAGE - va % PAGE;
		uint8_t *at = space_at(s, va, out);

		if (at == NULL)
			return false;
		part = part < count ? part : count;
		if (out)
			memcpy(at, bytes, part);
		else
			memcpy(bytes, at, part);
		bytes += part;
		va += part;
		count -= part;
	}
	return true;
}

bool space_copy_in(const struct space *s, void *to, uint64_t va, uint64_t bytes)
{
	return copy(s, to, va, bytes, false);
}

bool space_copy_out(const struct space *s, uint64_t va, const void *from,
		    uint64_t bytes)
{
	return copy(s, (uint8_t *)(uintptr_t)from, va, bytes, true);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/scrub.c - row 30: looks for what a former owner of its
 * frames left, then leaves a mark in all of them itself: memory, user frame,
 * and all of its channels but their first pages. */
#include "probe.h"

#define MARK       0x5330335330335330ull
#define STACK_ROOM (16 * ABI_PAGE_BYTES)
#define WORD(at)   (*(volatile uint64_t *)(uintptr_t)(at))

static uint64_t marks;

static void each(uint64_t from, uint64_t to, bool write)
{
	for (uint64_t at = from; at < to; at += 8) {
		if (write)
			WORD(at) = MARK;
		else
			marks += WORD(at) == MARK;
	}
}

static void all(bool write)
{
	each(PART_MEMORY_VA + free_page(0) * ABI_PAGE_BYTES,
	     PART_MEMORY_VA + view_frames() * ABI_PAGE_BYTES - STACK_ROOM,
	     write);
	each(PART_FRAME_VA + ABI_PAGE_BYTES / 2, PART_FRAME_VA + ABI_PAGE_BYTES,
	     write);
	if (!write)
		each(PART_VIEW_VA,
		     PART_VIEW_VA + PART_VIEW_PAGES * ABI_PAGE_BYTES, false);
	/* Started anew, it has the channels that it had. */
	if (!write && view_now()->incarnation > 1)
		return;
	for (unsigned h = 1; h < CHANNEL_SLOTS; h++) {
		uint64_t pages = view_now()->channel[h].pages;
		int64_t va = pages > 1 ? sys_channel_map(h) : -1;

		if (va > 0)
			each((uint64_t)va + ABI_PAGE_BYTES,
			     (uint64_t)va + pages * ABI_PAGE_BYTES, write);
	}
}

void row_30(void)
{
	all(false);
	want(marks == 0, "a former owner's mark");
	all(true);
}

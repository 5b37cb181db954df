/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/access.c - row 4: one access outside of what was given.
 * `access=N`; whoever gets past it has failed. */
#include "probe.h"

void row_04(void)
{
	uint64_t end = PART_MEMORY_VA + view_frames() * ABI_PAGE_BYTES;
	const struct {
		uint64_t va;
		bool write;
	} place[] = {
		{PART_VIEW_VA + ABI_PAGE_BYTES, true}, /* its own view */
		{PART_MEMORY_VA, true},                /* its own text */
		{end, false},                          /* behind its memory */
		{CHANNEL_WINDOW_VA + 31ull * CHANNEL_SLOT_BYTES, false},
		{DEVICE_WINDOW_VA, true},
		{MONITOR_VA, false},
		{0x8000000000000000, true}, /* not canonical */
	};
	uint64_t n = view_arg("access", 0);
	volatile uint8_t *at;

	want(n < sizeof(place) / sizeof(place[0]), "no such access");
	at = (volatile uint8_t *)(uintptr_t)place[n].va;
	if (place[n].write)
		*at = 0;
	else
		(void)*at;
	want(false, "the access was made");
}

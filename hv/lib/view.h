/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/view.h - the partition's own view (abi/view.h).
 *
 * view_now() gives the buffer in force.  It stays as it is until the
 * ultravisor has published twice more, so it is to be used at once, not kept.
 */
#ifndef PARTERRE_LIB_VIEW_H
#define PARTERRE_LIB_VIEW_H

#include "abi/view.h"

#if __STDC_HOSTED__
const struct view *view_now(void); /* the test's */
#else
static inline const struct view *view_now(void)
{
	const volatile struct view_head *head =
		(const volatile struct view_head *)PART_VIEW_VA;

	return (const struct view *)(uintptr_t)(PART_VIEW_VA +
						ABI_PAGE_BYTES *
							(1 +
							 (head->active & 1)));
}
#endif

/* Changes with each publication. */
#if __STDC_HOSTED__
uint64_t view_generation(void);
#else
static inline uint64_t view_generation(void)
{
	return ((const volatile struct view_head *)PART_VIEW_VA)->generation;
}
#endif

/* Machine frame of an address of the partition's memory; 0: outside it. */
uint64_t view_frame(uintptr_t va);

/* Frames the partition has. */
uint64_t view_frames(void);

/* The number after `name=` in view.args; `otherwise` when it isn't there. */
uint64_t view_arg(const char *name, uint64_t otherwise);

/* What stands after `name=` in view.args, up to the next space; NULL when it
 * isn't there. */
const char *view_arg_text(const char *name);

/* Is the word (for instance "ack=early") in view.args? */
int view_arg_word(const char *word);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/walk.c - for callers who don't walk all the time. */
#include "cpu/walk_inline.h"

bool walk(const struct walk_root *r, vaddr_t va, struct walk_result *out)
{
	return walk_inline(r, va, out);
}

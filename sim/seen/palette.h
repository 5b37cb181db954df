/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/palette.h - the same colours and words for who has a CPU, wherever
 * that is shown.
 *
 * A partition's colour goes by its index, which is kept over restarts; after
 * PALETTE_COLOURS they come again.  They are told apart on white and on black;
 * that of no partition is for black, and report.css has its own for white.
 */
#ifndef PARTERRE_SEEN_PALETTE_H
#define PARTERRE_SEEN_PALETTE_H

#include "sim/base.h"

#define PALETTE_COLOURS 12
#define PALETTE_MONITOR 0x5b6b7b
#define PALETTE_NONE    0xd3dae6

/* 0xrrggbb; 0: no partition's. */
static inline uint32_t palette_colour(uint32_t who)
{
	static const uint32_t colour[PALETTE_COLOURS] = {
		0xb5b040, 0xa463f2, 0x9498a0, 0x9c6b4e, 0x6cc5e8, 0xefb118,
		0xff725c, 0x3ca951, 0xff8ab7, 0x97bbf5, 0x4269d0, 0x2aa9a0,
	};

	return who ? colour[who % PALETTE_COLOURS] : PALETTE_NONE;
}

/* What no partition has: all, of a machine that has none. */
static inline const char *palette_nobody(bool partitions)
{
	return partitions ? "no partition" : "machine";
}

#endif

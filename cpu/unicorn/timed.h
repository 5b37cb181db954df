/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/timed.h - how ticks stay exact.
 *
 * A block's cost is that of the block: half of it costs not what a block made
 * of that half would.  So a block that is left in its middle stays under way:
 * when the engine goes on behind that place, it goes on by blocks of lengths
 * that are asked for, which are charged what is left of the first one.  Only
 * when the flow goes elsewhere (an exception, an interrupt, other code is there
 * now) is it forgotten.  Where blocks begin and end of themselves depends on
 * the guest alone; so ticks do, too.
 *
 * A block takes its ticks off a room of their own, beside that of instructions
 * (engine.h), and finds no room if either has none.  One of a length that was
 * asked for takes what ENV_PART says, and looks for no room of ticks: who asked
 * for it did.
 *
 * Branches.  A block that runs leaves its number in ENV_LAST; whichever comes
 * next asks first, before it looks for room, what the way to it costs
 * (timed_arrive()), once, though it may come again.
 */
#ifndef PARTERRE_UNICORN_TIMED_H
#define PARTERRE_UNICORN_TIMED_H

#include "cpu/timing/timing.h"

struct timed_block {
	uint32_t ticks; /* all */
	uint32_t bytes;
	bool limited;  /* of a length that was asked for; no `until` */
	uint8_t *code; /* as translated */
	uint32_t *until;
	struct branch branch; /* at its end */
};

/* In ENV_LAST: */
#define LAST_NONE    0u
#define LAST_ARRIVED UINT32_MAX       /* what it cost was charged */
#define LAST_KEPT    (UINT32_MAX - 1) /* cpu->last: its block is forgotten */

/* A copy: blocks are forgotten. */
struct under_way {
	bool on;
	uint64_t start; /* retired count at its beginning */
	uint64_t pc;
	uint32_t count, bytes;
	uint16_t offset[TIMING_BLOCK_MAX];
	uint32_t until[TIMING_BLOCK_MAX];
	uint8_t code[TIMING_BLOCK_MAX * 15];
	struct branch branch;
};

#endif

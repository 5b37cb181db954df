/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/calls.h - calls of every number with arguments that are near
 * to right, and far from it: row 43, whoever makes them.
 *
 * Whatever a call returns is a value or an error of abi/syscall.h; what is no
 * such number is a failure, and so is a success of what is not for the caller.
 * SYS_EXIT and SYS_SURRENDER, which do not return, are left out; SYS_UPCALL is
 * undone at once, SYS_UPCALL_RETURN gets what has to be refused, and waits are
 * short.
 */
#ifndef PARTERRE_ROWS_CALLS_H
#define PARTERRE_ROWS_CALLS_H

#include "probe.h"

/* Calls are told of its first CALLS_SCRATCH bytes, and may write a page behind.
 */
#define CALLS_SCRATCH 8192

struct calls {
	uint8_t scratch[CALLS_SCRATCH + ABI_PAGE_BYTES]
		__attribute__((aligned(4096)));
	uint64_t state;
	uint64_t done;
	uint64_t succeeded[2]; /* numbers, a bit each */
	/* NULL, or who has more to say to a call that chance has made: another
	 * number, other arguments. */
	uint64_t (*shape)(struct calls *c, uint64_t number, uint64_t arg[4]);
	/* With `shape`: was that result right? */
	void (*judge)(struct calls *c, uint64_t number, const uint64_t arg[4],
		      int64_t result);
};

void calls_begin(struct calls *c, uint64_t seed);
void calls_make(struct calls *c, uint64_t count);

/* The next number by chance; an argument by chance. */
uint64_t calls_next(struct calls *c);
uint64_t calls_argument(struct calls *c);

/* In places that no arguments reach, or that begin anew, what is to be done
 * stands in the user frame, which nobody clears: the scenario writes it there
 * (s43-fuzz.lua), and the caller counts there. */
struct calls_order {
	uint64_t seed;
	uint64_t calls; /* 0: not yet */
	uint64_t made;
	uint64_t failed; /* of the ultravisor, who goes on all the same */
};
#define CALLS_ORDER                                                            \
	((volatile struct calls_order *)(uintptr_t)(PART_FRAME_VA + 2048))

#endif

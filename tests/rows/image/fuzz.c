/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/fuzz.c - row 43: calls of every number with arguments that
 * are near to right, and far from it.
 *
 * Arguments: seed=, calls= (thousands).  In the place of an I/O, command or
 * operations partition there are no arguments: it goes on for ever.  What would
 * end this partition in order (SYS_EXIT, SYS_SURRENDER, leads that an instance
 * may refuse only by kind) is called as well, but for the first two, and waits
 * are short.
 *
 * Whatever a call returns is a value or an error of abi/syscall.h; what is no
 * such number, or the partition's own memory changed where no call may write,
 * is a failure.
 */
#include "process.h"

#define ERRORS 9

static uint64_t state;

static uint64_t next(void)
{
	uint64_t x = state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return state = x;
}

static uint8_t scratch_page[8192] __attribute__((aligned(4096)));

static uint64_t argument(void)
{
	static const uint64_t edge[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		31,
		32,
		63,
		64,
		65,
		199,
		200,
		201,
		511,
		512,
		4095,
		4096,
		0x1000,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x7fffffffffff,
		0x800000000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xffff800000000000,
		0xfffffffffffff000,
		~0ull,
		PART_VIEW_VA,
		PART_VIEW_VA + 3 * 4096 - 1,
		PART_FRAME_VA,
		PART_MEMORY_VA - 1,
		PART_MEMORY_VA,
		CHANNEL_WINDOW_VA,
		CHANNEL_WINDOW_VA + CHANNEL_SLOT_BYTES - 8,
		DEVICE_WINDOW_VA,
		MONITOR_VA,
		MONITOR_VA + 0x200000,
		MONITOR_VA + 0x3f8000,
	};
	uint64_t r = next();

	switch (r & 7) {
	case 0:
		return next();
	case 1:
	case 2:
		return edge[(r >> 8) % (sizeof(edge) / sizeof(edge[0]))];
	case 3:
		return edge[(r >> 8) % (sizeof(edge) / sizeof(edge[0]))] +
		       (r >> 20) % 17 - 8;
	case 4:
		return (uintptr_t)scratch_page +
		       (r >> 8) % sizeof(scratch_page);
	case 5: /* pages of its own, beginning, end and behind */
		return free_page((r >> 8) % 700);
	default:
		return (r >> 8) % 72;
	}
}

/* What a call reads: sometimes sense, sometimes not. */
static void refill(void)
{
	uint64_t *words = (uint64_t *)scratch_page;

	for (unsigned i = 0; i < 24; i++)
		words[next() % (sizeof(scratch_page) / 8)] = argument();
}

static bool excluded(uint64_t number)
{
	/* SYS_LOG would fill the console. */
	return number == SYS_EXIT || number == SYS_SURRENDER ||
	       number == SYS_LOG || number == SYS_UPCALL_RETURN ||
	       number == SYS_UPCALL;
}

static void one(void)
{
	uint64_t number = next() % 8 ? next() % (SYS_COUNT + 4) : argument();
	uint64_t a = argument(), b = argument(), c = argument(), d = argument();
	int64_t r;

	if (excluded(number))
		number = SYS_NULL;
	/* Not for ever asleep, nor in a process. */
	if (number == SYS_WAIT)
		b = next() & 15 ? 0 : sys_time() + b % 3000;
	if (number == SYS_USER_RUN)
		b = sys_time() + b % 3000;
	/* A page of its own program that became a table would be its end, and
	 * nobody else's: that is s51's and s53's. */
	if (number == SYS_AS_CREATE && b < free_page(0))
		b += free_page(0);
	if (number == SYS_AS_TABLE && d < free_page(0))
		d += free_page(0);
	r = sys_call(number, a, b, c, d, argument());
	if (r < 0 && r < -ERRORS && number != SYS_WAIT)
		logf_("call %lu: %lx", number, r);
	want(r >= -ERRORS || number == SYS_WAIT, "no such error");
}

void row_43(void)
{
	uint64_t calls = view_arg("calls", 0) * 1000, done = 0;

	state = view_arg("seed", 0) + 0x9e3779b97f4a7c15;
	(void)process_make(1, process_touch);
	for (; !calls || done < calls; done++) {
		if (done % 16 == 0)
			refill();
		one();
	}
	logf_("calls: %lu", done);
}

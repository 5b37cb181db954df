/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/calls.c - see calls.h. */
#include "calls.h"

#include "abi/database.h"
#include "abi/lead.h"
#include "process.h"

#define ERRORS      9
#define STACK_PAGES 16 /* at the end of its memory */

uint64_t calls_next(struct calls *c)
{
	uint64_t x = c->state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return c->state = x;
}

uint64_t calls_argument(struct calls *c)
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
		LEAD_WINDOW_VA,
		MONITOR_VA,
		MONITOR_VA + 0x200000,
		MONITOR_VA + 0x3f8000,
	};
	uint64_t r = calls_next(c);

	switch (r & 7) {
	case 0:
		return calls_next(c);
	case 1:
	case 2:
		return edge[(r >> 8) % (sizeof(edge) / sizeof(edge[0]))];
	case 3:
		return edge[(r >> 8) % (sizeof(edge) / sizeof(edge[0]))] +
		       (r >> 20) % 17 - 8;
	case 4:
		return (uintptr_t)c->scratch +
		       (r & 8 ? (r >> 8) % CALLS_SCRATCH : 0);
	case 5: /* pages of its own, beginning, end and behind */
		return free_page((r >> 8) % 700);
	case 6: /* what may be unmapped meanwhile */
		return CHANNEL_WINDOW_VA +
		       (r >> 8) % CHANNEL_SLOTS * CHANNEL_SLOT_BYTES +
		       (r >> 20) % 3 * (ABI_PAGE_BYTES - 8);
	default:
		return (r >> 8) % 72;
	}
}

/* What a call reads: sometimes sense (a batch for SYS_AS_MAP at its beginning),
 * sometimes not. */
static void refill(struct calls *c)
{
	uint64_t *words = (uint64_t *)c->scratch;
	struct as_map *map = (struct as_map *)c->scratch;

	for (unsigned i = 0; i < 64; i++) {
		map[i].va = PROCESS_CODE + calls_next(c) % 16 * ABI_PAGE_BYTES;
		map[i].page = free_page(calls_next(c) % 64);
		map[i].prot = calls_next(c) % 8;
	}
	for (unsigned i = 0; i < 24; i++)
		words[calls_next(c) % (CALLS_SCRATCH / 8)] = calls_argument(c);
}

/* A page of its own program or stack that became a table would be its end, and
 * nobody else's: that is s51's and s53's. */
static uint64_t no_program(uint64_t page)
{
	uint64_t frames = view_frames();

	if (page < free_page(0) ||
	    (page < frames && page >= frames - STACK_PAGES))
		return free_page(page % 128);
	return page;
}

/* Its upcall frame has to be refused, and masks upcalls. */
static void hostile_upcall(struct calls *c)
{
	struct upcall *u =
		(struct upcall *)(PART_FRAME_VA + PART_UPCALL_OFFSET);
	bool rip = calls_next(c) & 1;

	u->enabled = 0;
	u->rip = calls_argument(c) | (rip ? USER_SPACE_END : 0);
	u->rsp = calls_argument(c);
	if (!rip)
		u->rsp = u->rsp % USER_SPACE_END + USER_SPACE_END;
	u->rflags = calls_argument(c);
}

/* SYS_LOG only now and then: it fills the console. */
static uint64_t any_number(struct calls *c)
{
	uint64_t number = calls_next(c) % 8 ? calls_next(c) % (SYS_COUNT + 4)
					    : calls_argument(c);

	if (number == SYS_EXIT || number == SYS_SURRENDER ||
	    (number == SYS_LOG && calls_next(c) % 8))
		return SYS_NULL;
	return number;
}

/* An address space of its own, a table for where refill()'s batches lie, or
 * such a batch: what chance alone would never put together. */
static void sense(struct calls *c, uint64_t number, uint64_t arg[4])
{
	if (number < SYS_AS_CREATE || number > SYS_USER_RUN ||
	    calls_next(c) & 1)
		return;
	arg[0] = 1 + calls_next(c) % 3;
	if (number == SYS_AS_CREATE) {
		arg[1] = free_page(calls_next(c) % 64);
	} else if (number == SYS_AS_TABLE) {
		arg[1] = PROCESS_CODE;
		arg[2] = 1 + calls_next(c) % 3;
		arg[3] = free_page(calls_next(c) % 64);
	} else if (number == SYS_AS_MAP) {
		arg[1] = (uintptr_t)c->scratch;
		arg[2] = calls_next(c) % 65;
	} else if (number == SYS_AS_DESTROY && calls_next(c) % 4) {
		arg[0] = AS_COUNT;
	}
}

/* What this kind of partition has no use for. */
static bool is_for_others(uint64_t number)
{
	uint32_t kind = view_now()->kind;

	if (number >= SYS_AS_CREATE && number <= SYS_USER_RUN)
		return kind != PART_GUEST;
	if (number == SYS_UPCALL || number == SYS_UPCALL_RETURN)
		return kind == PART_IDLE;
	if (number == SYS_HALT)
		return kind != PART_IDLE;
	if (number == SYS_CONSOLE_READ)
		return kind != PART_OPERATIONS;
	return number >= SYS_LEAD_CREATE && kind != PART_ULTRAVISOR;
}

static void check(uint64_t number, int64_t r)
{
	if (number == SYS_WAIT)
		return; /* events */
	if ((r < -ERRORS) || (r >= 0 && is_for_others(number)) ||
	    (r != -SYS_EINVAL && number == SYS_UPCALL_RETURN &&
	     !is_for_others(number)))
		logf_("call %lu: %lx", number, r);
	want(r >= -ERRORS, "no such error");
	want(r < 0 || !is_for_others(number), "not for this partition");
	want(r == -SYS_EINVAL || number != SYS_UPCALL_RETURN ||
		     is_for_others(number),
	     "refused");
}

static void one(struct calls *c)
{
	uint64_t number = any_number(c);
	uint64_t arg[4];
	int64_t r;

	for (unsigned i = 0; i < 4; i++)
		arg[i] = calls_argument(c);
	sense(c, number, arg);
	/* Not for ever asleep, nor in a process. */
	if (number == SYS_WAIT)
		arg[1] = calls_next(c) & 15 ? 0 : sys_time() + arg[1] % 3000;
	if (number == SYS_HALT && !is_for_others(number))
		(void)sys_call(SYS_ALARM, sys_time() + 3000, 0, 0, 0, 0);
	if (number == SYS_USER_RUN)
		arg[1] = sys_time() + arg[1] % 3000;
	if (number == SYS_AS_CREATE)
		arg[1] = no_program(arg[1]);
	if (number == SYS_AS_TABLE)
		arg[3] = no_program(arg[3]);
	if (number == SYS_UPCALL || number == SYS_UPCALL_RETURN)
		hostile_upcall(c);
	if (c->shape)
		number = c->shape(c, number, arg);
	r = sys_call(number, arg[0], arg[1], arg[2], arg[3], calls_argument(c));
	if (number == SYS_UPCALL)
		(void)sys_call(SYS_UPCALL, 0, 0, 0, 0, 0);
	check(number, r);
	if (c->shape)
		c->judge(c, number, arg, r);
	if (r >= 0 && number < SYS_COUNT)
		c->succeeded[number / 64] |= 1ull << number % 64;
}

void calls_begin(struct calls *c, uint64_t seed)
{
	c->state = seed + 0x9e3779b97f4a7c15;
	if (view_now()->kind == PART_GUEST)
		(void)process_make(1, process_touch);
}

void calls_make(struct calls *c, uint64_t count)
{
	for (; count; count--, c->done++) {
		if (c->done % 16 == 0)
			refill(c);
		one(c);
	}
}

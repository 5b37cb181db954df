/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/fuzz.c - row 43: calls of every number with arguments that
 * are near to right, and far from it.
 *
 * Arguments: seed=, calls= (thousands; 0: for ever); `still`: a bystander, who
 * sleeps for ever and whose memory nobody may change.  Runs as a guest and in
 * the places of the other kinds (s43-fuzz.lua); as command or operations, which
 * no policy gives a bystander, it makes one.
 *
 * Whatever a call returns is a value or an error of abi/syscall.h; what is no
 * such number is a failure.  SYS_EXIT and SYS_SURRENDER, which do not return,
 * are left out; SYS_UPCALL is undone at once, SYS_UPCALL_RETURN gets what has
 * to be refused, and waits are short.
 */
#include "process.h"
#include "transact.h"

#define ERRORS      9
#define STACK_PAGES 16 /* at the end of its memory */

static uint64_t state;
static uint64_t succeeded[2]; /* numbers, a bit each */

static uint64_t next(void)
{
	uint64_t x = state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return state = x;
}

/* Calls are told of its first SCRATCH bytes, and may write a page behind. */
#define SCRATCH 8192
static uint8_t scratch_page[SCRATCH + ABI_PAGE_BYTES]
	__attribute__((aligned(4096)));

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
		       (r & 8 ? (r >> 8) % SCRATCH : 0);
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
static void refill(void)
{
	uint64_t *words = (uint64_t *)scratch_page;
	struct as_map *map = (struct as_map *)scratch_page;

	for (unsigned i = 0; i < 64; i++) {
		map[i].va = PROCESS_CODE + (next() % 16) * ABI_PAGE_BYTES;
		map[i].page = free_page(next() % 64);
		map[i].prot = next() % 8;
	}
	for (unsigned i = 0; i < 24; i++)
		words[next() % (SCRATCH / 8)] = argument();
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
static void hostile_upcall(void)
{
	struct upcall *u =
		(struct upcall *)(PART_FRAME_VA + PART_UPCALL_OFFSET);
	bool rip = next() & 1;

	u->enabled = 0;
	u->rip = rip ? argument() | USER_SPACE_END : argument();
	u->rsp =
		rip ? argument() : argument() % USER_SPACE_END + USER_SPACE_END;
	u->rflags = argument();
}

/* SYS_LOG only now and then: it fills the console. */
static uint64_t any_number(void)
{
	uint64_t number = next() % 8 ? next() % (SYS_COUNT + 4) : argument();

	if (number == SYS_EXIT || number == SYS_SURRENDER ||
	    (number == SYS_LOG && next() % 8))
		return SYS_NULL;
	return number;
}

/* An address space of its own, a table for where refill()'s batches lie, or
 * such a batch: what chance alone would never put together. */
static void sense(uint64_t number, uint64_t arg[4])
{
	if (number < SYS_AS_CREATE || number > SYS_USER_RUN || next() & 1)
		return;
	arg[0] = 1 + next() % 3;
	if (number == SYS_AS_CREATE) {
		arg[1] = free_page(next() % 64);
	} else if (number == SYS_AS_TABLE) {
		arg[1] = PROCESS_CODE;
		arg[2] = 1 + next() % 3;
		arg[3] = free_page(next() % 64);
	} else if (number == SYS_AS_MAP) {
		arg[1] = (uintptr_t)scratch_page;
		arg[2] = next() % 65;
	} else if (number == SYS_AS_DESTROY && next() % 4) {
		arg[0] = AS_COUNT;
	}
}

static void one(void)
{
	uint64_t number = any_number();
	uint64_t arg[4] = {argument(), argument(), argument(), argument()};
	int64_t r;

	sense(number, arg);
	/* Not for ever asleep, nor in a process. */
	if (number == SYS_WAIT)
		arg[1] = next() & 15 ? 0 : sys_time() + arg[1] % 3000;
	if (number == SYS_USER_RUN)
		arg[1] = sys_time() + arg[1] % 3000;
	if (number == SYS_AS_CREATE)
		arg[1] = no_program(arg[1]);
	if (number == SYS_AS_TABLE)
		arg[3] = no_program(arg[3]);
	if (number == SYS_UPCALL || number == SYS_UPCALL_RETURN)
		hostile_upcall();
	r = sys_call(number, arg[0], arg[1], arg[2], arg[3], argument());
	if (number == SYS_UPCALL)
		(void)sys_call(SYS_UPCALL, 0, 0, 0, 0, 0);
	if (r < 0 && r < -ERRORS && number != SYS_WAIT)
		logf_("call %lu: %lx", number, r);
	want(r >= -ERRORS || number == SYS_WAIT, "no such error");
	if (r >= 0 && number < SYS_COUNT)
		succeeded[number / 64] |= 1ull << number % 64;
	want(number != SYS_UPCALL_RETURN || r == -SYS_EINVAL, "refused");
}

_Noreturn static void still(void)
{
	memset(page_at(free_page(0)), 0x43, 64 * ABI_PAGE_BYTES);
	logf_("is still");
	log_drain();
	for (;;)
		(void)sys_call(SYS_SURRENDER, 0, 0, 0, 0, 0);
}

static void make_still(void)
{
	(void)op_create("still", PART_GUEST, 1);
	op_args(TXN_RESULT(0), "row=43 still");
	(void)op_on(TXN_PARTITION_START, TXN_RESULT(0));
	(void)wants_status(CONTROL_OK, "a bystander");
	events_until(sys_time() + 20 * MS);
}

void row_43(void)
{
	uint64_t calls = view_arg("calls", 0) * 1000, done = 0;

	if (view_arg_word("still"))
		still();
	if (i_am(PART_COMMAND) || i_am(PART_OPERATIONS))
		make_still();
	/* io.a and io.b have the same arguments. */
	state = view_arg("seed", 0) + 0x9e3779b97f4a7c15;
	state ^= view_now()->number << 32;
	(void)process_make(1, process_touch);
	for (; !calls || done < calls; done++) {
		if (done % 16 == 0)
			refill();
		one();
	}
	logf_("calls: %lu", done);
	logf_("numbers that succeeded: %lx %lx", succeeded[0], succeeded[1]);
}

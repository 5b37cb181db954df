/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of memory on accesses of which one can tell what they cost; figures
 * are those of the profile below. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/timing/memory.h"
#include "cpu/timing/profile.h"

#define CYCLES(n) ((n) * (uint32_t)TIMING_TICKS_PER_CYCLE)
#define LINE      UINT64_C(64)
#define PAGE      UINT64_C(4096)

static struct profile profile = {
	.key =
		{
			[PROFILE_WIDTH] = CYCLES(4),
			[PROFILE_WINDOW] = CYCLES(80),
			[PROFILE_DRAM] = CYCLES(300),
			[PROFILE_MISSES] = CYCLES(10),
			[PROFILE_LINE_L2] = CYCLES(2),
			[PROFILE_LINE_LLC] = CYCLES(5),
			[PROFILE_LINE_DRAM] = CYCLES(8),
			[PROFILE_BANDWIDTH] = CYCLES(100),
			[PROFILE_WALK] = CYCLES(20),
			[PROFILE_WALKS] = CYCLES(2),
		},
	.table =
		{
			[PROFILE_L1I] = {64, 4, 0},
			[PROFILE_L1D] = {64, 4, 0},
			[PROFILE_L2] = {1024, 8, CYCLES(10)},
			[PROFILE_LLC] = {8192, 8, CYCLES(40)},
			[PROFILE_ITLB] = {16, 4, 0},
			[PROFILE_DTLB] = {16, 4, 0},
			[PROFILE_STLB] = {64, 4, CYCLES(7)},
		},
};

static struct memory_shared *shared;
static struct memory *core[2];
static uint64_t now, page_bytes;

static void make(void)
{
	shared = memory_shared_create(&profile);
	core[0] = memory_create(&profile, shared);
	core[1] = memory_create(&profile, shared);
	now = 0;
	page_bytes = UINT64_C(2) << 20;
}

static void drop(void)
{
	memory_destroy(core[0]);
	memory_destroy(core[1]);
	memory_shared_destroy(shared);
}

TestSuite(memory, .init = make, .fini = drop);

/* Page tables that map all to itself; their last entries lie one by one at 1
 * TiB.  In cycles. */
static uint32_t reach(struct memory *m, uint64_t va, uint64_t pc,
		      enum memory_kind kind)
{
	uint64_t entry = (UINT64_C(1) << 40) + va / PAGE * 8;
	struct memory_wait wait;
	uint32_t took, cost;
	paddr_t pa;

	if (!memory_translate(m, va, false, &pa, &took)) {
		took += memory_walk(m, now, &entry, 1);
		memory_enter(m, va, false, va, page_bytes);
		pa = va;
	}
	cr_assert_eq(pa, va);
	cost = memory_data(m, now, va, pa, took, pc, kind, &wait);
	now += cost;
	return cost / TIMING_TICKS_PER_CYCLE;
}

/* The mean of a cycle through `lines`, the second time. */
static uint32_t chase(struct memory *m, uint64_t lines)
{
	uint64_t sum = 0;

	for (unsigned round = 0; round < 2; round++) {
		sum = 0;
		/* Each once, in no order that could be foreseen. */
		for (uint64_t i = 0; i < lines; i++)
			sum += reach(m, i * 2654435761 % lines * LINE, 0x400,
				     MEMORY_WAITED_FOR);
	}
	return (uint32_t)(sum / lines);
}

Test(memory, latencies_by_size)
{
	cr_expect_eq(chase(core[0], 64), 0, "all in the first cache");
	cr_expect_eq(chase(core[0], 128), 10, "in the second");
	cr_expect_eq(chase(core[0], 4096), 40, "in the last");
	cr_expect_eq(chase(core[0], 16384), 300, "nowhere");
}

Test(memory, known_lines_change_nothing)
{
	const struct memory_known *k = memory_known_of(core[0]);

	cr_expect_not(memory_known(k, 0x12345));
	reach(core[0], 0x12345, 0, MEMORY_LOAD);
	cr_expect(memory_known(k, 0x12345));
	cr_expect(memory_known(k, 0x12340));
	cr_expect_not(memory_known(k, 0x12380));
	/* Four other lines of its set: it is no longer there. */
	for (uint64_t i = 1; i <= 4; i++)
		reach(core[0], 0x12345 + i * 16 * LINE, 0, MEMORY_LOAD);
	cr_expect_not(memory_known(k, 0x12345));
	reach(core[0], 0x12345, 0, MEMORY_LOAD);
	memory_forget(core[0], 0x12345);
	cr_expect_not(memory_known(k, 0x12345), "its page is not known");
}

Test(memory, translations)
{
	uint32_t again, walked;

	page_bytes = PAGE;
	reach(core[0], 0x5000, 0, MEMORY_WAITED_FOR);
	cr_expect_eq(reach(core[0], 0x5000, 0, MEMORY_WAITED_FOR), 0);
	memory_forget(core[0], 0x5000);
	again = reach(core[0], 0x5000, 0, MEMORY_WAITED_FOR);
	cr_expect_eq(again, 7 + 20, "a walk, its entry in the first cache: %u",
		     again);
	memory_flush(core[0]);
	walked = reach(core[0], 0x5000, 0, MEMORY_WAITED_FOR);
	cr_expect_eq(walked, 7 + 20, "%u", walked);
	/* 16 pages later it is in the second TLB alone. */
	for (uint64_t i = 1; i <= 16; i++)
		reach(core[0], 0x5000 + i * PAGE + i * LINE, 0, MEMORY_LOAD);
	cr_expect_eq(reach(core[0], 0x5000, 0, MEMORY_WAITED_FOR), 7);
}

/* What 1024 loads of lines from DRAM cost, one each `pace` cycles. */
static uint64_t loads(struct memory *m, uint64_t from, uint64_t step,
		      enum memory_kind kind)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < 1024; i++)
		sum += reach(m, from + i * step % (UINT64_C(1) << 24), 0x400,
			     kind);
	return sum;
}

Test(memory, overlap_and_strides)
{
	uint64_t waits = loads(core[0], 0, 4967 * LINE, MEMORY_WAITED_FOR);
	uint64_t overlap =
		loads(core[0], UINT64_C(1) << 30, 4967 * LINE, MEMORY_LOAD);
	uint64_t stream = loads(core[0], UINT64_C(1) << 31, LINE, MEMORY_LOAD);

	cr_expect_gt(waits, 1024 * 300);
	cr_expect_lt(overlap, waits / 3, "%lu %lu", overlap, waits);
	cr_expect_lt(stream, overlap / 3, "%lu %lu", stream, overlap);
	cr_expect_geq(stream, 1024 * 7, "each line takes its time: %lu",
		      stream);
}

/* 100 lines in 1000 cycles are there for all. */
Test(memory, bandwidth_is_shared)
{
	uint64_t alone, both, at;

	alone = loads(core[0], 0, LINE, MEMORY_LOAD);
	at = now;
	now = 0;
	drop();
	make();
	loads(core[1], UINT64_C(1) << 32, LINE, MEMORY_WAITED_FOR);
	now = 0;
	both = loads(core[0], 0, 4967 * LINE, MEMORY_LOAD);
	cr_expect_gt(at, 0);
	cr_expect_gt(both, alone);
	/* 30 lines more at an instant than can be had. */
	drop();
	make();
	for (uint64_t i = 0; i < 60; i++) {
		now = 0;
		both = reach(core[i % 2], i << 24, 64 * i, MEMORY_WAITED_FOR);
	}
	cr_expect_gt(both, 300 + 256, "the last waits for its turn: %lu", both);
}

Test(memory, saved_and_loaded)
{
	size_t n = memory_words(core[0], true);
	uint64_t *words = calloc(n, sizeof(*words));
	uint64_t first, second, at;

	cr_assert(words);
	loads(core[0], 0, 777, MEMORY_LOAD);
	memory_save(core[0], true, words);
	at = now;
	first = loads(core[0], 0x100000, 1234, MEMORY_LOAD);
	drop();
	make();
	memory_load(core[0], true, words);
	now = at;
	second = loads(core[0], 0x100000, 1234, MEMORY_LOAD);
	cr_expect_eq(first, second);
	cr_expect_gt(first, 0);
	free(words);
}

Test(memory, code)
{
	uint32_t took;
	paddr_t pa;
	uint64_t changes;

	cr_assert_not(memory_translate(core[0], 0x8000, true, &pa, &took));
	memory_enter(core[0], 0x8000, true, 0x8000, PAGE);
	cr_expect_eq(memory_code(core[0], 0, 0x8000, 3 * 64, 0),
		     CYCLES(300 + 2 * 8), "one line, and two behind it");
	changes = memory_code_changes(core[0]);
	cr_expect_eq(memory_code(core[0], 0, 0x8000, 3 * 64, 0), 0);
	cr_expect_eq(memory_code_changes(core[0]), changes);
	memory_flush(core[0]);
	cr_expect_neq(memory_code_changes(core[0]), changes);
}

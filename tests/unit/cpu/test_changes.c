/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every change that instructions make to memory is marked by its address: those
 * of the kernel, of its interrupts and faults, and of helpers that store much.
 * Who asks changes nothing. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define COUNT  UINT64_C(30000)
#define PERIOD 997
#define PIECE  37

/* Bits that the processor sets in entries of page tables, by no store. */
#define TABLES_END UINT64_C(0x9000)
#define WALKED     UINT64_C(0x60)

static bool by_walk(uint64_t at, uint64_t then, uint64_t now)
{
	return at < TABLES_END && !((then ^ now) & ~WALKED);
}

/* The kernel's memory is at its physical addresses. */
static unsigned missed(struct rig *r, const uint8_t *before,
		       const uint32_t *marks, uint32_t mark, unsigned *changed)
{
	unsigned bad = 0;

	for (uint64_t at = 0; at < RIG_RAM; at += 8) {
		uint64_t then, now;

		memcpy(&then, before + at, 8);
		memcpy(&now, r->ram + at, 8);
		if (then == now || by_walk(at, then, now))
			continue;
		++*changed;
		if (marks[cpu_mark(at)] == mark)
			continue;
		bad++;
		cr_log_error("not marked: %lx, %lx to %lx", at, then, now);
	}
	return bad;
}

Test(changes, each_is_marked)
{
	uint32_t *marks = calloc(CPU_MARKS, sizeof(*marks));
	uint8_t *before = malloc(RIG_RAM);
	unsigned changed = 0;
	uint32_t mark = 0;
	struct rig r;

	cr_assert(marks && before);
	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	for (uint64_t at = PIECE; at <= COUNT; at += PIECE) {
		memcpy(before, r.ram, RIG_RAM);
		cpu_mark_changes(r.cx, marks, ++mark);
		rig_run(&r, at, PERIOD, 0);
		cr_assert_eq(cpu_retired(cpu_get(r.cx, 0)), at);
		cr_assert_eq(missed(&r, before, marks, mark, &changed), 0,
			     "by %lu", at);
	}
	cr_assert_gt(changed, 1000);
	rig_drop(&r);
	free(before);
	free(marks);
}

static uint64_t digest_of(uint32_t *marks)
{
	struct rig r;
	uint64_t digest;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	cpu_mark_changes(r.cx, marks, 1);
	cr_assert_eq(rig_run(&r, COUNT, PERIOD, 0), CPU_STOP_DEADLINE);
	digest = rig_digest(&r);
	rig_drop(&r);
	return digest;
}

Test(changes, the_guest_cannot_tell)
{
	uint32_t *marks = calloc(CPU_MARKS, sizeof(*marks));

	cr_assert(marks);
	cr_assert_eq(digest_of(marks), digest_of(NULL));
	free(marks);
}

/* What is stored where it stands already is no change. */
Test(changes, the_same_again_is_none)
{
	/* In real mode: mov word [0x500], 0x1234; jmp to it. */
	static const uint8_t code[] = {0xc7, 0x06, 0x00, 0x05,
				       0x34, 0x12, 0xeb, 0xf8};
	uint32_t *marks = calloc(CPU_MARKS, sizeof(*marks));
	struct rig r;

	cr_assert(marks);
	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	memcpy(r.ram + RIG_CODE, code, sizeof(code));
	cpu_mark_changes(r.cx, marks, 1);
	cr_assert_eq(rig_run(&r, 2, 0, 0), CPU_STOP_DEADLINE);
	cr_assert_eq(marks[cpu_mark(0x500)], 1);
	cpu_mark_changes(r.cx, marks, 2);
	cr_assert_eq(rig_run(&r, 200, 0, 0), CPU_STOP_DEADLINE);
	cr_assert_eq(marks[cpu_mark(0x500)], 1);
	/* Somebody else writes there in between: it is one again. */
	r.ram[0x500] = 0;
	cpu_ram_changed(r.cx, 0x500, 1);
	cr_assert_eq(rig_run(&r, 202, 0, 0), CPU_STOP_DEADLINE);
	cr_assert_eq(marks[cpu_mark(0x500)], 2);
	rig_drop(&r);
	free(marks);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run is the same in whatever pieces: registers, RAM, every question to the
 * platform with the count and RIP at which it came, every context record. */
#include <criterion/criterion.h>

#include "rig.h"

#define COUNT  UINT64_C(60000)
#define PERIOD 997

enum {
	ROUNDS = 0x7000,
	INTR = 0x7008,
	PF = 0x7010,
	UD = 0x7018,
	GP = 0x7020,
	DE = 0x7028
};

static uint64_t digest_of(uint64_t count, uint64_t period, uint64_t seed)
{
	struct rig r;
	uint64_t digest;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	cr_assert_eq(rig_run(&r, count, period, seed), CPU_STOP_DEADLINE);
	digest = rig_digest(&r);
	rig_drop(&r);
	return digest;
}

Test(exact, kernel_does_all_it_should)
{
	struct rig r;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	cr_assert_eq(rig_run(&r, COUNT, PERIOD, 0), CPU_STOP_DEADLINE);
	cr_assert_eq(cpu_retired(cpu_get(r.cx, 0)), COUNT);
	cr_assert_gt(rig_word(&r, ROUNDS), 50);
	cr_assert_gt(rig_word(&r, INTR), 40);
	cr_assert_geq(rig_word(&r, PF), 2 * rig_word(&r, ROUNDS) - 2);
	cr_assert_geq(rig_word(&r, UD), rig_word(&r, ROUNDS) - 1);
	cr_assert_geq(rig_word(&r, GP), rig_word(&r, ROUNDS) - 1);
	cr_assert_geq(rig_word(&r, DE), rig_word(&r, ROUNDS) - 1);
	rig_drop(&r);
}

Test(exact, twice_is_the_same)
{
	cr_assert_eq(digest_of(COUNT, PERIOD, 0), digest_of(COUNT, PERIOD, 0));
}

Test(exact, random_pieces_are_the_same)
{
	uint64_t whole = digest_of(COUNT, PERIOD, 0);

	for (uint64_t seed = 2; seed < 10; seed++)
		cr_assert_eq(digest_of(COUNT, PERIOD, seed), whole, "seed %lu",
			     seed);
}

Test(exact, single_steps_are_the_same)
{
	uint64_t whole = digest_of(COUNT, PERIOD, 0);
	struct rig r;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	for (uint64_t at = 1; at <= COUNT; at++) {
		cr_assert_neq(cpu_run(cpu_get(r.cx, 0), at), CPU_STOP_HALT);
		if (cpu_retired(cpu_get(r.cx, 0)) < at) /* PAUSE */
			at--;
		else if (at % PERIOD == 0)
			cpu_set_intr(cpu_get(r.cx, 0), true);
	}
	cr_assert_eq(rig_digest(&r), whole);
	rig_drop(&r);
}

/* The comparison would see one interrupt that comes one instruction late. */
Test(exact, negative_control_one_late_interrupt)
{
	uint64_t whole = digest_of(COUNT, PERIOD, 0);
	struct rig r;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	cr_assert_eq(rig_run(&r, 20 * PERIOD - 1, PERIOD, 0),
		     CPU_STOP_DEADLINE);
	cr_assert_eq(cpu_run(cpu_get(r.cx, 0), 20 * PERIOD + 1),
		     CPU_STOP_DEADLINE);
	cpu_set_intr(cpu_get(r.cx, 0), true);
	cr_assert_eq(rig_run(&r, COUNT, PERIOD, 0), CPU_STOP_DEADLINE);
	cr_assert_neq(rig_digest(&r), whole);
	rig_drop(&r);
}

static uint64_t kicked_at;

static void note_kick(struct rig *r, struct cpu *cpu)
{
	if (r->asked == r->kick_at)
		kicked_at = cpu_retired(cpu);
}

/* Every kind of question, kicked: the CPU stops right after its instruction
 * (one that faults does not retire), and going on from there changes nothing.
 */
Test(exact, kick_stops_after_the_instruction)
{
	uint64_t whole = digest_of(12000, 0, 0);

	for (uint64_t n = 1; n < 60; n++) {
		struct rig r;

		rig_make(&r, 1);
		r.kick_at = n;
		r.on_ask = note_kick;
		kicked_at = UINT64_MAX;
		rig_start(&r, 0, 0);
		while (cpu_retired(cpu_get(r.cx, 0)) < 12000) {
			uint64_t before = r.asked;
			enum cpu_stop stop = cpu_run(cpu_get(r.cx, 0), 12000);

			if (stop == CPU_STOP_KICK) {
				cr_assert(before < n && r.asked >= n);
				cr_assert_eq(cpu_retired(cpu_get(r.cx, 0)),
					     kicked_at + (r.refused != n),
					     "question %lu", n);
			}
		}
		cr_assert_lt(kicked_at, 12000);
		cr_assert_eq(rig_digest(&r), whole, "question %lu", n);
		rig_drop(&r);
	}
}

/* A breakpoint stops before its instruction, each time it comes there. */
Test(exact, breakpoint)
{
	uint64_t whole = digest_of(COUNT, PERIOD, 0);
	struct rig r;
	unsigned stops = 0;
	uint64_t rip = 0;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	cr_assert_eq(rig_run(&r, 10000, PERIOD, 0), CPU_STOP_DEADLINE);
	rip = cpu_rip(cpu_get(r.cx, 0));
	cpu_break_set(cpu_get(r.cx, 0), rip);
	while (rig_run(&r, COUNT, PERIOD, 0) == CPU_STOP_BREAK) {
		cr_assert_eq(cpu_rip(cpu_get(r.cx, 0)), rip);
		stops++;
	}
	cr_assert_gt(stops, 10);
	cr_assert_eq(rig_digest(&r), whole);
	rig_drop(&r);
}

/* Wherever one is set in code that was translated before, in the middle of a
 * block, over the edge of a page: the CPU stops where it comes there next, and
 * when it is cleared goes on as if nothing had been. */
Test(exact, breakpoint_in_code_that_ran)
{
	enum {
		FROM = 10000,
		TO = 10700
	};
	static uint64_t rip[TO - FROM];
	uint64_t whole = digest_of(TO, PERIOD, 0);
	unsigned tried = 0;
	struct rig r;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	for (uint64_t n = FROM; n < TO; n++) {
		rig_run(&r, n, PERIOD, 0);
		rip[n - FROM] = cpu_rip(cpu_get(r.cx, 0));
	}
	rig_drop(&r);
	for (uint64_t n = 0; n < TO - FROM; n++) {
		uint64_t first = 0;
		struct cpu *cpu;

		while (rip[first] != rip[n])
			first++;
		if (first != n || !first)
			continue; /* was there before, or at once */
		rig_make(&r, 1);
		cpu = cpu_get(r.cx, 0);
		rig_start(&r, 0, 0);
		rig_run(&r, FROM, PERIOD, 0);
		cpu_break_set(cpu, rip[n]);
		cr_assert_eq(rig_run(&r, TO, PERIOD, 0), CPU_STOP_BREAK,
			     "%lx is passed by", rip[n]);
		cr_assert_eq(cpu_retired(cpu), FROM + n);
		cpu_break_clear(cpu, rip[n]);
		cr_assert_eq(rig_run(&r, TO, PERIOD, 0), CPU_STOP_DEADLINE);
		cr_assert_eq(rig_digest(&r), whole);
		rig_drop(&r);
		tried++;
	}
	cr_assert_gt(tried, 40);
}

/* What is pending when a run ends at a boundary is taken by the next run: the
 * platform has the instant's events done before. */
Test(exact, run_ends_before_an_interrupt_at_the_same_boundary)
{
	struct rig r;
	unsigned taken = 0;

	rig_make(&r, 1);
	rig_start(&r, 0, 0);
	for (uint64_t at = 6000; at < 9000; at++) {
		uint64_t asked = r.asked;
		struct cpu *cpu = cpu_get(r.cx, 0);

		/* Pending while it can't be taken: STI, IRET, POPF let it. */
		if (!cpu_interruptible(cpu))
			cpu_set_intr(cpu, true);
		r.acked_at = 0;
		cr_assert_neq(cpu_run(cpu, at), CPU_STOP_HALT);
		cr_assert_neq(r.acked_at, at);
		taken += r.acked_at && r.asked > asked;
	}
	cr_assert_gt(taken, 5);
	rig_drop(&r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run is the same in whatever pieces: on kernels with interrupts, faults,
 * code that rewrites itself and others, REP strings, IPIs, locks, DMA, pages
 * that lose their accessed bits; on 1, 2 and 4 CPUs.
 *
 * What is compared: registers and RAM and devices (digest), every value that
 * crossed between CPUs and platform with its retired count (chain), the
 * console, the instant and the counts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "exact.h"

static void ends_well(const struct exact_result *r)
{
	cr_assert_eq(r->stop, MACHINE_OFF, "stop %d at %lu ps", r->stop,
		     r->end);
	cr_assert_eq(r->code, 7, "code %u", r->code);
}

static uint64_t word(struct exact *e, paddr_t pa)
{
	uint64_t value;

	cr_assert(bus_peek(machine_bus(e->m), pa, &value, sizeof(value)));
	return value;
}

/* The kernel does what it is meant to (offsets: long.inc, "In the CPU's own").
 */
Test(exact, kernel_does_all_it_should)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact e;
		struct exact_result r;

		exact_make(&e, exact_forms[f].kernel, exact_forms[f].cpus,
			   exact_forms[f].disk);
		r = exact_result_of(&e, machine_run(e.m, EXACT_END));
		ends_well(&r);
		for (unsigned i = 0; i < exact_forms[f].cpus; i++) {
			paddr_t own = 0x400000 + 0x4000 * i;

			cr_assert_gt(word(&e, own + 0x10), 50, "timers");
			cr_assert_gt(word(&e, own + 0x18), 5, "calls");
			cr_assert_gt(word(&e, own + 0x20), 1, "NMIs");
			cr_assert_gt(word(&e, own + 0x28), 30, "page faults");
			cr_assert_gt(word(&e, own + 0x30), 20, "other faults");
			cr_assert_gt(word(&e, own + 0x38), 10, "INT 80h");
		}
		if (exact_forms[f].disk)
			cr_assert_gt(word(&e, 0x322110), 5, "reads");
		exact_drop(&e);
	}
}

/* Pieces of random length; a short run of single instructions now and then. */
static struct exact_result in_pieces(const struct exact_form *f, uint64_t seed,
				     ps_t piece, unsigned steps)
{
	struct exact e;
	struct exact_result r;
	enum machine_stop stop = MACHINE_UNTIL;
	ps_t at = 0;

	exact_make(&e, f->kernel, f->cpus, f->disk);
	while (stop == MACHINE_UNTIL && at < EXACT_END) {
		at += exact_random(&seed, piece);
		stop = machine_run(e.m, at);
		for (unsigned i = 0; i < steps && stop == MACHINE_UNTIL; i++) {
			at += PS_PER_NS; /* one instruction */
			stop = machine_run(e.m, at);
		}
	}
	r = exact_result_of(&e, stop);
	exact_drop(&e);
	return r;
}

Test(exact, random_pieces)
{
	static const ps_t piece[] = {30 * PS_PER_US, 2 * PS_PER_US,
				     90 * PS_PER_NS};

	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact_result whole = exact_straight(
			exact_forms[f].kernel, exact_forms[f].cpus,
			exact_forms[f].disk);

		for (uint64_t seed = 1; seed <= 9; seed++) {
			struct exact_result r = in_pieces(&exact_forms[f], seed,
							  piece[seed % 3], 0);

			exact_same(&whole, &r, exact_forms[f].kernel, seed);
		}
	}
}

Test(exact, single_steps_at_random_places)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact_result whole = exact_straight(
			exact_forms[f].kernel, exact_forms[f].cpus,
			exact_forms[f].disk);

		for (uint64_t seed = 1; seed <= 3; seed++) {
			struct exact_result r = in_pieces(
				&exact_forms[f], seed, 100 * PS_PER_US, 4000);

			exact_same(&whole, &r, exact_forms[f].kernel, seed);
		}
	}
}

/* Negative controls: what one thing done wrong does to the comparison. */
enum wrong {
	NOTHING,
	LATE,  /* a timer comes one instruction late, once */
	EARLY, /* or early */
};

/* Goes to just before a timer interrupt that can be taken when it comes. */
static struct event *find_timer(struct exact *e, ps_t at)
{
	struct event *timer = evq_find(machine_evq(e->m), "lapic0.timer");
	struct cpu *cpu = machine_cpu(e->m, 0);

	cr_assert(timer);
	for (;;) {
		cr_assert_eq(machine_run(e->m, at), MACHINE_UNTIL);
		if (evq_pending(timer) && timer->when > at + 3 * PS_PER_NS) {
			at = timer->when - 2 * PS_PER_NS;
			cr_assert_eq(machine_run(e->m, at), MACHINE_UNTIL);
			if (cpu_interruptible(cpu) && !cpu_halted(cpu) &&
			    machine_now(e->m) == at)
				return timer;
		}
		at += 500 * PS_PER_NS;
	}
}

/* From `at` on: where the CPU does not wait for a device when the timer comes,
 * so that each instruction counts. */
static ps_t busy_instant(ps_t at)
{
	for (;; at += 7 * PS_PER_US) {
		struct event *timer;
		struct exact e;
		uint64_t retired;

		exact_make(&e, "exact1", 1, true);
		timer = find_timer(&e, at);
		retired = machine_retired(e.m);
		evq_cancel(machine_evq(e.m), timer);
		cr_assert_eq(machine_run(e.m, timer->when + 3 * PS_PER_NS),
			     MACHINE_UNTIL);
		retired = machine_retired(e.m) - retired;
		exact_drop(&e);
		if (retired == 5)
			return at;
	}
}

static struct exact_result with(enum wrong wrong, ps_t at)
{
	struct exact e;
	struct exact_result r;
	struct event *timer;

	exact_make(&e, "exact1", 1, true);
	timer = find_timer(&e, at);
	if (wrong == LATE)
		evq_schedule(machine_evq(e.m), timer, timer->when + PS_PER_NS);
	else if (wrong == EARLY)
		evq_schedule(machine_evq(e.m), timer, timer->when - PS_PER_NS);
	r = exact_result_of(&e, machine_run(e.m, EXACT_END));
	exact_drop(&e);
	return r;
}

/* The chain sees each of them.  The state at the end does, unless a REP was
 * interrupted one iteration later and went on to the same end. */
Test(exact, negative_controls)
{
	unsigned states = 0, cases = 0;

	for (ps_t at = busy_instant(300 * PS_PER_US); at < 400 * PS_PER_US;
	     at = busy_instant(at + 20 * PS_PER_US)) {
		struct exact_result good = with(NOTHING, at);

		for (enum wrong wrong = LATE; wrong <= EARLY; wrong++) {
			struct exact_result bad = with(wrong, at);

			cr_assert_neq(good.chain, bad.chain, "%d at %lu",
				      (int)wrong, at);
			states += good.digest != bad.digest;
			cases++;
		}
	}
	cr_assert_gt(cases, 5);
	cr_assert_gt(2 * states, cases);
}

/* One accessed bit more in one entry of a page table. */
Test(exact, negative_control_accessed_bit)
{
	struct exact e;
	uint64_t before, entry;
	paddr_t pa = 0x302800; /* of the first CPU's window (long.inc) */

	exact_make(&e, "exact1", 1, true);
	cr_assert_eq(machine_run(e.m, 300 * PS_PER_US), MACHINE_UNTIL);
	while ((entry = word(&e, pa)) & 0x20)
		pa += sizeof(entry);
	before = machine_digest(e.m);
	entry |= 0x20;
	cr_assert(bus_poke(machine_bus(e.m), pa, &entry, sizeof(entry)));
	cr_assert_neq(machine_digest(e.m), before);
	exact_drop(&e);
}

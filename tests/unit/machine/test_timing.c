/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timing models are exact: a run is the same in whatever pieces, over
 * snapshots, and when the model is changed on the way (test_exact.c says what
 * is compared and what the kernels do).  What counts is in the instants: of
 * each access, interrupt and console byte. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "sim/snapshot.h"

static void make(struct exact *e, const struct exact_form *f,
		 enum timing_model model)
{
	exact_make_timing(e, f->kernel, f->cpus, f->disk, model);
}

static struct exact_result straight(const struct exact_form *f,
				    enum timing_model model)
{
	struct exact e;
	struct exact_result r;

	make(&e, f, model);
	r = exact_result_of(&e, machine_run(e.m, EXACT_END));
	cr_assert_eq(r.stop, MACHINE_OFF, "stop %d at %lu ps", r.stop, r.end);
	cr_assert_eq(r.code, 7);
	exact_drop(&e);
	return r;
}

/* Pieces of random length; a short run of small steps now and then. */
static struct exact_result in_pieces(const struct exact_form *f,
				     enum timing_model model, uint64_t seed,
				     ps_t piece, unsigned steps, ps_t step)
{
	struct exact e;
	struct exact_result r;
	enum machine_stop stop = MACHINE_UNTIL;
	ps_t at = 0;

	make(&e, f, model);
	while (stop == MACHINE_UNTIL && at < EXACT_END) {
		at += exact_random(&seed, piece);
		stop = machine_run(e.m, at);
		for (unsigned i = 0; i < steps && stop == MACHINE_UNTIL; i++) {
			at += step;
			stop = machine_run(e.m, at);
		}
	}
	r = exact_result_of(&e, stop);
	exact_drop(&e);
	return r;
}

/* With sanitizers once: the code is the same whatever the seed. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEEDS(n) 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SEEDS(n) 1
#endif
#ifndef SEEDS
#define SEEDS(n) (n)
#endif

Test(timing, random_pieces)
{
	static const ps_t piece[] = {30 * PS_PER_US, 2 * PS_PER_US,
				     90 * PS_PER_NS};

	for (size_t f = 0; f < EXACT_FORMS; f++) {
		for (enum timing_model model = TIMING_BLOCK;
		     model < TIMING_MODEL_COUNT; model++) {
			struct exact_result whole =
				straight(&exact_forms[f], model);

			for (uint64_t seed = 1; seed <= SEEDS(6); seed++) {
				struct exact_result r =
					in_pieces(&exact_forms[f], model, seed,
						  piece[seed % 3], 0, 0);

				exact_same(&whole, &r, exact_forms[f].kernel,
					   seed);
			}
		}
	}
}

/* Steps of less than any instruction takes: each is a stop of its own. */
Test(timing, instruction_by_instruction)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		for (enum timing_model model = TIMING_BLOCK;
		     model < TIMING_MODEL_COUNT; model++) {
			struct exact_result whole =
				straight(&exact_forms[f], model);

			for (uint64_t seed = 1; seed <= SEEDS(2); seed++) {
				struct exact_result r =
					in_pieces(&exact_forms[f], model, seed,
						  100 * PS_PER_US, 4000, 170);

				exact_same(&whole, &r, exact_forms[f].kernel,
					   seed);
			}
		}
	}
}

/* By counts of instructions, which cut blocks in other places. */
Test(timing, stops_at_counts)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		for (enum timing_model model = TIMING_BLOCK;
		     model < TIMING_MODEL_COUNT; model++) {
			struct exact_result whole =
				straight(&exact_forms[f], model);
			enum machine_stop stop = MACHINE_COUNT;
			struct exact_result r;
			uint64_t seed = 5;
			struct exact e;

			make(&e, &exact_forms[f], model);
			while (stop == MACHINE_COUNT) {
				machine_stop_at(
					e.m, machine_retired(e.m) + 1 +
						     exact_random(&seed, 40));
				stop = machine_run(e.m, EXACT_END);
			}
			r = exact_result_of(&e, stop);
			exact_drop(&e);
			exact_same(&whole, &r, exact_forms[f].kernel, 0);
		}
	}
}

/* --- snapshots --- */

static void move(struct exact *e, const struct exact_form *f,
		 enum timing_model other)
{
	struct exact to;
	struct error err;
	char *bytes;
	size_t n;
	FILE *file = open_memstream(&bytes, &n);

	cr_assert(file);
	cr_assert(machine_save(e->m, file, "test", &err), "%s", err.text);
	fclose(file);
	make(&to, f, other); /* the snapshot knows better */
	strcpy(to.console, e->console);
	exact_drop(e);
	*e = to;
	machine_set_console(e->m, exact_console, e);
	file = fmemopen(bytes, n, "rb");
	cr_assert(file);
	cr_assert(machine_load(e->m, file, "test", &err), "%s", err.text);
	fclose(file);
	free(bytes);
}

Test(timing, random_snapshots)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		for (enum timing_model model = TIMING_BLOCK;
		     model < TIMING_MODEL_COUNT; model++) {
			struct exact_result whole =
				straight(&exact_forms[f], model);
			enum machine_stop stop = MACHINE_UNTIL;
			struct exact_result r;
			uint64_t seed = 3;
			struct exact e;
			ps_t at = 0;

			make(&e, &exact_forms[f], model);
			while (stop == MACHINE_UNTIL && at < EXACT_END) {
				at += 1 + exact_random(&seed, 150 * PS_PER_US);
				stop = machine_run(e.m, at);
				if (stop == MACHINE_UNTIL)
					move(&e, &exact_forms[f],
					     (enum timing_model)exact_random(
						     &seed,
						     TIMING_MODEL_COUNT));
			}
			r = exact_result_of(&e, stop);
			exact_drop(&e);
			exact_same(&whole, &r, exact_forms[f].kernel, 0);
		}
	}
}

/* --- changed on the way --- */

#define CHANGES      5
#define CHANGE_AT(i) ((ps_t)(i)*70 * PS_PER_US)

static struct exact_result changing(const struct exact_form *f, uint64_t seed,
				    ps_t piece)
{
	struct exact e;
	struct exact_result r;
	struct error err;
	enum machine_stop stop = MACHINE_UNTIL;
	ps_t at = 0;

	make(&e, f, TIMING_FLAT);
	for (unsigned i = 1; i <= CHANGES && stop == MACHINE_UNTIL; i++) {
		while (stop == MACHINE_UNTIL && at < CHANGE_AT(i)) {
			at += 1 + exact_random(&seed, piece);
			if (at > CHANGE_AT(i))
				at = CHANGE_AT(i);
			stop = machine_run(e.m, at);
		}
		cr_assert(machine_set_timing(
				  e.m,
				  (enum timing_model)(i % TIMING_MODEL_COUNT),
				  &err),
			  "%s", err.text);
		cr_assert_eq(machine_timing(e.m), i % TIMING_MODEL_COUNT);
	}
	if (stop == MACHINE_UNTIL)
		stop = machine_run(e.m, EXACT_END);
	r = exact_result_of(&e, stop);
	exact_drop(&e);
	return r;
}

Test(timing, changes_at_an_instant)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact_result whole =
			changing(&exact_forms[f], 1, 1000 * PS_PER_US);
		struct exact_result flat =
			straight(&exact_forms[f], TIMING_FLAT);

		for (uint64_t seed = 1; seed <= SEEDS(3); seed++) {
			struct exact_result r =
				changing(&exact_forms[f], seed, 4 * PS_PER_US);

			exact_same(&whole, &r, exact_forms[f].kernel, seed);
		}
		cr_assert_neq(whole.end, flat.end, "it does change something");
	}
}

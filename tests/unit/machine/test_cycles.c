/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who spends the cycles: every tick is accounted once, whatever the model; the
 * account is the same in whatever pieces a run is done; and the run is the same
 * with and without it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"

struct form {
	const char *kernel;
	unsigned cpus;
	bool disk;
};

static const struct form forms[] = {
	{"exact1", 1, true},
	{"exact2", 2, true},
	{"exact4", 4, false},
};

static void make(struct exact *e, const struct form *f, enum timing_model model)
{
	exact_make_timing(e, f->kernel, f->cpus, f->disk, model);
}

/* --- an account, in order --- */

struct account {
	size_t count;
	struct cpu_account *entry;
	struct machine_cycles cpu[CPU_COUNT_MAX];
};

static int by_address(const void *a, const void *b)
{
	const struct cpu_account *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return x->pc < y->pc ? -1 : x->pc > y->pc;
}

/* What comes to nothing (a block that was left before its end) is left out. */
static bool nothing(const struct cpu_account *a)
{
	for (unsigned k = 0; k < TIMING_CAUSE_COUNT; k++) {
		if (a->ticks[k])
			return false;
	}
	return true;
}

static struct account account_of(struct machine *m)
{
	struct account a = {0};

	for (unsigned i = 0; i < machine_cpu_count(m); i++) {
		size_t n, from = a.count;
		const struct cpu_account *e =
			cpu_accounted(machine_cpu(m, i), &n);

		machine_cycles(m, i, machine_cpu_now(m, machine_stopped_cpu(m)),
			       &a.cpu[i]);
		a.entry = realloc(a.entry, (a.count + n) * sizeof(*e));
		cr_assert(a.entry || !n);
		for (size_t k = 0; k < n; k++) {
			if (!nothing(&e[k]))
				a.entry[a.count++] = e[k];
		}
		qsort(a.entry + from, a.count - from, sizeof(*e), by_address);
	}
	return a;
}

static void same(const struct account *a, const struct account *b,
		 const char *how, uint64_t seed)
{
	cr_assert_eq(a->count, b->count, "%s, seed %lu: %zu, %zu", how, seed,
		     a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		cr_assert(
			!memcmp(&a->entry[i], &b->entry[i], sizeof(*a->entry)),
			"%s, seed %lu: %#lx and %#lx differ", how, seed,
			a->entry[i].pc, b->entry[i].pc);
	for (unsigned i = 0; i < CPU_COUNT_MAX; i++) {
		const struct machine_cycles *c = &a->cpu[i], *d = &b->cpu[i];

		cr_assert(c->from == d->from && c->to == d->to &&
				  c->spent == d->spent &&
				  c->ahead == d->ahead &&
				  c->halted == d->halted &&
				  c->stalled == d->stalled,
			  "%s, seed %lu, cpu%u: to %lu %lu, spent %ld %ld, "
			  "halted %lu %lu",
			  how, seed, i, c->to, d->to, c->spent, d->spent,
			  c->halted, d->halted);
	}
}

/* Clocks are whole picoseconds, and begin anew when a CPU wakes: a tick at most
 * is lost each time.  These kernels wake some thousand times. */
static void sums_up(const struct account *a, unsigned cpus, const char *how)
{
	for (unsigned i = 0; i < cpus; i++) {
		const struct machine_cycles *c = &a->cpu[i];

		cr_assert_gt(c->spent, 0, "%s, cpu%u", how, i);
		cr_assert_eq((int64_t)c->total,
			     c->spent - c->ahead +
				     (int64_t)(c->halted + c->stalled) +
				     c->rounding);
		cr_assert_lt(llabs(c->rounding), 20 * TIMING_TICKS_PER_CYCLE,
			     "%s, cpu%u: %ld of %lu ticks nobody's", how, i,
			     c->rounding, c->total);
	}
	for (size_t i = 0; i < a->count; i++) {
		for (unsigned k = 0; k < TIMING_CAUSE_COUNT; k++)
			cr_assert_geq(a->entry[i].ticks[k], 0, "%s: %s at %#lx",
				      how, timing_cause_name[k],
				      a->entry[i].pc);
	}
}

struct run {
	struct exact_result result;
	struct account account;
};

/* Pieces of random length, `piece` 0: in one go. */
static struct run run(const struct form *f, enum timing_model model,
		      uint64_t seed, ps_t piece)
{
	enum machine_stop stop = MACHINE_UNTIL;
	struct exact e;
	struct run r;
	ps_t at = piece ? 0 : EXACT_END;

	make(&e, f, model);
	machine_account(e.m);
	do {
		if (piece)
			at += exact_random(&seed, piece);
		stop = machine_run(e.m, at);
	} while (stop == MACHINE_UNTIL && at < EXACT_END);
	r.result = exact_result_of(&e, stop);
	r.account = account_of(e.m);
	exact_drop(&e);
	return r;
}

static struct exact_result unaccounted(const struct form *f,
				       enum timing_model model)
{
	struct exact_result r;
	struct exact e;

	make(&e, f, model);
	r = exact_result_of(&e, machine_run(e.m, EXACT_END));
	exact_drop(&e);
	return r;
}

Test(cycles, sum_up_change_nothing_and_are_the_same_in_pieces)
{
	static const ps_t piece[] = {30 * PS_PER_US, 2 * PS_PER_US,
				     90 * PS_PER_NS};

	for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
		for (enum timing_model model = TIMING_FLAT;
		     model < TIMING_MODEL_COUNT; model++) {
			uint64_t seed = f + model;
			struct exact_result bare =
				unaccounted(&forms[f], model);
			struct run whole = run(&forms[f], model, 0, 0);
			struct run r =
				run(&forms[f], model, seed, piece[seed % 3]);

			cr_assert_eq(whole.result.stop, MACHINE_OFF);
			exact_same(&bare, &whole.result, forms[f].kernel, 0);
			sums_up(&whole.account, forms[f].cpus, forms[f].kernel);
			same(&whole.account, &r.account, forms[f].kernel, seed);
			free(whole.account.entry);
			free(r.account.entry);
		}
	}
}

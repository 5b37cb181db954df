/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who spends the cycles: every tick is accounted once, whatever the model; the
 * account is the same in whatever pieces a run is done; and the run is the same
 * with and without it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/timing/profile.h"
#include "exact.h"
#include "sim/symbols.h"

/* With sanitizers one: the code is the same whatever the kernel. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORMS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FORMS 1
#endif
#ifndef FORMS
#define FORMS EXACT_FORMS
#endif

static void make(struct exact *e, const struct exact_form *f,
		 enum timing_model model)
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
static struct run run(const struct exact_form *f, enum timing_model model,
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

static struct exact_result unaccounted(const struct exact_form *f,
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

	for (size_t f = 0; f < FORMS; f++) {
		for (enum timing_model model = TIMING_FLAT;
		     model < TIMING_MODEL_COUNT; model++) {
			uint64_t seed = f + model;
			struct exact_result bare =
				unaccounted(&exact_forms[f], model);
			struct run whole = run(&exact_forms[f], model, 0, 0);
			struct run r = run(&exact_forms[f], model, seed,
					   piece[seed % 3]);

			cr_assert_eq(whole.result.stop, MACHINE_OFF);
			exact_same(&bare, &whole.result, exact_forms[f].kernel,
				   0);
			sums_up(&whole.account, exact_forms[f].cpus,
				exact_forms[f].kernel);
			same(&whole.account, &r.account, exact_forms[f].kernel,
			     seed);
			free(whole.account.entry);
			free(r.account.entry);
		}
	}
}

/* --- each cause --- */

#define SPEND_ROUNDS 3000 /* tests/guest/exact/spend.S */

/* Small caches, and costs that the numbers below are of. */
static const char small[] = "cache l1d 32 8 0\n"
			    "cache l2 128 8 10\n"
			    "cache llc 512 16 46\n"
			    "set dram 350\n"
			    "tlb dtlb 64 8 0\n"
			    "tlb stlb 128 8 7\n"
			    "set walk 30\n"
			    "class cpuid ops 50 serial 100\n"
			    "class invlpg serial 120\n"
			    "class lock latency 0 ops 4 serial 16\n"
			    "event exception 300\n"
			    "event interrupt 400\n";

static const struct {
	const char *function;
	enum timing_cause cause;
	unsigned percent; /* of its cycles, at least */
	unsigned each;    /* cycles of each round for it; 0: not said */
} spends[] = {
	{"spend_l1", TIMING_L1, 60, 0},
	{"spend_l2", TIMING_L2, 60, 0},
	{"spend_llc", TIMING_LLC, 75, 0},
	{"spend_dram", TIMING_DRAM, 80, 0},
	{"spend_tlb", TIMING_TLB, 75, 0},
	{"spend_base", TIMING_BASE, 90, 0},
	{"spend_front", TIMING_FRONT_END, 80, 0},
	{"spend_units", TIMING_UNITS, 75, 0},
	{"spend_chain", TIMING_DEPENDENCY, 60, 0},
	{"spend_branch", TIMING_BRANCH, 60, 0},
	{"spend_lock", TIMING_L1, 85, 0},
	{"spend_cpuid", TIMING_PRIVILEGED, 85, 100},
	{"spend_invlpg", TIMING_PRIVILEGED, 80, 120},
	{"spend_cr3", TIMING_PRIVILEGED, 55, 0},
	/* 500 ns at 4 GHz: docs/devices.md */
	{"spend_port", TIMING_DEVICE, 90, 2000},
	{"spend_exception", TIMING_CAUSE_INTERRUPT, 90, 300},
	{"spend_timer", TIMING_CAUSE_INTERRUPT, 60, 0},
};

static struct machine *spending(char *profile)
{
	struct machine_config c;
	struct machine *m;
	struct error err;
	FILE *f;
	int fd = mkstemp(profile);

	cr_assert_geq(fd, 0);
	f = fdopen(fd, "w");
	fwrite(timing_generic_profile, 1,
	       (size_t)(timing_generic_profile_end - timing_generic_profile),
	       f);
	fputs(small, f);
	fclose(f);
	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.controllers = 0;
	c.cpu_hz = UINT64_C(4000000000);
	c.timing = TIMING_MEMORY;
	c.profile = profile;
	c.kernel = GUEST_DIR "/exact/spend.elf";
	m = machine_create(&c, NULL, &err);
	cr_assert(m, "%s", err.text);
	machine_account(m);
	return m;
}

/* What the function spent, by cause; returns all of it. */
static int64_t function_of(const struct symbols *s, const struct account *a,
			   const char *name, int64_t by[TIMING_CAUSE_COUNT])
{
	int64_t all = 0;

	memset(by, 0, TIMING_CAUSE_COUNT * sizeof(*by));
	for (size_t i = 0; i < a->count; i++) {
		uint64_t offset;
		const char *f = symbols_function(s, a->entry[i].pc, &offset);

		for (unsigned k = 0; f && k < TIMING_CAUSE_COUNT; k++) {
			if (strcmp(f, name) != 0)
				break;
			by[k] += a->entry[i].ticks[k];
			all += a->entry[i].ticks[k];
		}
	}
	return all;
}

Test(cycles, go_to_what_they_are_spent_on)
{
	char profile[] = "/tmp/parterre-spend-XXXXXX";
	struct machine *m = spending(profile);
	struct symbols *s;
	struct account a;
	struct error err;

	cr_assert_eq(machine_run(m, EXACT_END), MACHINE_OFF);
	cr_assert_eq(machine_off_code(m), 7);
	unlink(profile);
	s = symbols_read(GUEST_DIR "/exact/spend.64", &err);
	cr_assert(s, "%s", err.text);
	a = account_of(m);
	sums_up(&a, 1, "spend");
	for (size_t i = 0; i < ARRAY_LEN(spends); i++) {
		enum timing_cause cause = spends[i].cause;
		int64_t by[TIMING_CAUSE_COUNT];
		int64_t all = function_of(s, &a, spends[i].function, by);

		cr_expect(all && by[cause] * 100 >= all * spends[i].percent,
			  "%s: %ld of %ld ticks are %s", spends[i].function,
			  by[cause], all, timing_cause_name[cause]);
		if (spends[i].each)
			cr_expect_eq(by[cause],
				     (int64_t)spends[i].each * SPEND_ROUNDS *
					     TIMING_TICKS_PER_CYCLE,
				     "%s: %ld ticks are %s", spends[i].function,
				     by[cause], timing_cause_name[cause]);
	}
	/* After each load of CR3 the loop's pages are walked to again. */
	{
		int64_t by[TIMING_CAUSE_COUNT];

		function_of(s, &a, "spend_cr3", by);
		cr_expect_geq(by[TIMING_TLB],
			      30 * SPEND_ROUNDS * TIMING_TICKS_PER_CYCLE);
	}
	free(a.entry);
	symbols_free(s);
	machine_destroy(m);
}

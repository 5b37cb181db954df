/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots on real machines: saved anywhere, loaded into another machine, a
 * run goes on to the same bits (test_exact.c says what is compared and what the
 * kernels do).  Damaged and foreign files are refused and change nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exact.h"
#include "sim/snapshot.h"

struct bytes {
	char *p;
	size_t n;
};

static struct bytes save(struct exact *e)
{
	struct bytes b;
	struct error err;
	FILE *f = open_memstream(&b.p, &b.n);

	cr_assert(f);
	cr_assert(machine_save(e->m, f, "test", &err), "%s", err.text);
	fclose(f);
	return b;
}

static bool load(struct exact *e, const struct bytes *b, struct error *err)
{
	FILE *f = fmemopen(b->p, b->n, "rb");
	bool good;

	cr_assert(f);
	good = machine_load(e->m, f, "test", err);
	fclose(f);
	return good;
}

/* What a snapshot can get wrong, on purpose. */
enum wrong {
	NOTHING,
	NO_TLB,    /* translations are walked anew */
	ONE_LATE,  /* the next timer comes one instruction late */
	FORGOTTEN, /* the registers of a device */
};

static void do_wrong(struct exact *e, enum wrong wrong)
{
	struct evq *q = machine_evq(e->m);
	struct event *timer = evq_find(q, "lapic0.timer");

	switch (wrong) {
	case NOTHING:
		break;
	case NO_TLB:
		for (unsigned i = 0; i < machine_cpu_count(e->m); i++)
			cpu_tlb_flush(machine_cpu(e->m, i));
		break;
	case ONE_LATE:
		if (evq_pending(timer))
			evq_schedule(q, timer, timer->when + PS_PER_NS);
		break;
	case FORGOTTEN:
		machine_device(e->m, "lapic0")
			->class->reset(machine_device(e->m, "lapic0"));
		break;
	}
}

/* The machine is destroyed and goes on in another, with another disk image. */
static void move(struct exact *e, const struct exact_form *f, enum wrong wrong)
{
	struct bytes b = save(e);
	struct exact to;
	struct error err;

	exact_make(&to, f->kernel, f->cpus, f->disk);
	strcpy(to.console, e->console);
	exact_drop(e);
	*e = to;
	machine_set_console(e->m, exact_console, e);
	cr_assert(load(e, &b, &err), "%s", err.text);
	free(b.p);
	do_wrong(e, wrong);
}

static struct exact_result in_snapshots(const struct exact_form *f,
					uint64_t seed, ps_t piece,
					enum wrong wrong)
{
	struct exact e;
	struct exact_result r;
	enum machine_stop stop = MACHINE_UNTIL;
	ps_t at = 0;

	exact_make(&e, f->kernel, f->cpus, f->disk);
	while (stop == MACHINE_UNTIL && at < EXACT_END) {
		at += 1 + exact_random(&seed, piece);
		stop = machine_run(e.m, at);
		if (stop == MACHINE_UNTIL)
			move(&e, f, wrong);
	}
	r = exact_result_of(&e, stop);
	exact_drop(&e);
	return r;
}

Test(snapshot, random_points)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact_result whole = exact_straight(
			exact_forms[f].kernel, exact_forms[f].cpus,
			exact_forms[f].disk);

		cr_assert_eq(whole.stop, MACHINE_OFF);
		for (uint64_t seed = 1; seed <= 4; seed++) {
			struct exact_result r =
				in_snapshots(&exact_forms[f], seed,
					     150 * PS_PER_US, NOTHING);

			exact_same(&whole, &r, exact_forms[f].kernel, seed);
		}
	}
}

/* Saving moves nothing, and a snapshot of what was loaded is the same file. */
Test(snapshot, saving_changes_nothing)
{
	const struct exact_form *f = &exact_forms[1];
	struct exact_result whole = exact_straight(f->kernel, f->cpus, f->disk);
	struct exact e;
	struct exact_result r;
	ps_t at = 0;
	enum machine_stop stop;

	exact_make(&e, f->kernel, f->cpus, f->disk);
	do {
		struct bytes one, two;

		stop = machine_run(e.m, at += 130 * PS_PER_US);
		if (stop != MACHINE_UNTIL)
			break;
		one = save(&e);
		if (at % (520 * PS_PER_US) == 0)
			move(&e, f, NOTHING);
		two = save(&e);
		cr_assert_eq(one.n, two.n);
		cr_assert_eq(memcmp(one.p, two.p, one.n), 0);
		free(one.p);
		free(two.p);
	} while (at < EXACT_END);
	r = exact_result_of(&e, stop);
	exact_same(&whole, &r, "saved", 0);
	exact_drop(&e);
}

/* Negative controls: each of these is seen. */
Test(snapshot, negative_controls)
{
	static const enum wrong wrong[] = {NO_TLB, ONE_LATE, FORGOTTEN};
	struct exact_result whole = exact_straight("exact1", 1, true);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct exact_result r = in_snapshots(&exact_forms[0], 1,
						     60 * PS_PER_US, wrong[i]);

		cr_assert_neq(whole.chain, r.chain, "%d", (int)wrong[i]);
		cr_assert(!exact_equal(&whole, &r));
	}
}

/* --- files --- */

static struct exact_result to_end(struct exact *e)
{
	return exact_result_of(e, machine_run(e->m, EXACT_END));
}

/* A machine that stands where `b` was saved. */
static void make_saved(struct exact *e, struct bytes *b)
{
	exact_make(e, "exact1", 1, true);
	cr_assert_eq(machine_run(e->m, 400 * PS_PER_US), MACHINE_UNTIL);
	*b = save(e);
}

static void refused(struct exact *e, const struct bytes *b, const char *why)
{
	struct error err = {0};

	cr_assert(!load(e, b, &err), "%s", why);
	cr_assert_eq(err.code, EXIT_USAGE, "%s", err.text);
	cr_assert(strstr(err.text, "test"), "names the file: %s", err.text);
	cr_assert(strstr(err.text, why), "%s: %s", why, err.text);
}

/* Each is refused by its name, and the machine goes on as if nothing was. */
Test(snapshot, damaged_and_foreign_files)
{
	struct exact_result whole = exact_straight("exact1", 1, true), r;
	struct exact e;
	struct bytes b, part;
	uint64_t seed = 5;
	char version;

	make_saved(&e, &b);
	for (unsigned i = 0; i < 300; i++) {
		size_t at = exact_random(&seed, b.n);
		char bit = (char)(1 << exact_random(&seed, 8)), was = b.p[at];
		struct error err = {0};

		b.p[at] = (char)(was ^ bit);
		/* Of the description, any machine's could have it. */
		cr_assert(!load(&e, &b, &err), "bit at %zu of %zu", at, b.n);
		cr_assert_eq(err.code, EXIT_USAGE);
		b.p[at] = was;
	}
	for (size_t n = 1; n < b.n; n += 1 + exact_random(&seed, b.n / 100)) {
		part = (struct bytes){b.p, n};
		refused(&e, &part, n < 16 ? "no snapshot" : "cut short");
	}
	part = (struct bytes){malloc(b.n + 1), b.n + 1};
	cr_assert(part.p);
	memcpy(part.p, b.p, b.n);
	part.p[b.n] = 0;
	refused(&e, &part, "damaged");
	free(part.p);
	version = b.p[16];
	b.p[16] = 99;
	refused(&e, &b, "version 99");
	b.p[16] = version;
	b.p[0] ^= 1;
	refused(&e, &b, "no snapshot of a machine");
	b.p[0] ^= 1;
	r = to_end(&e);
	exact_same(&whole, &r, "after refusals", 0);
	exact_drop(&e);

	exact_make(&e, "exact2", 2, true);
	refused(&e, &b, "it has '1 CPUs");
	exact_drop(&e);
	exact_make(&e, "exact1", 1, false);
	refused(&e, &b, "device");
	exact_drop(&e);
	free(b.p);
}

/* The image becomes the one of the snapshot, so it must be as large. */
Test(snapshot, disk_of_another_size)
{
	struct exact e;
	struct bytes b;
	struct error err;

	make_saved(&e, &b);
	exact_drop(&e);
	exact_make(&e, "exact1", 1, true);
	machine_destroy(e.m);
	cr_assert_eq(truncate(e.disk, 1 << 20), 0);
	exact_start(&e, "exact1", 1);
	cr_assert(!load(&e, &b, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, e.disk), "%s", err.text);
	cr_assert(strstr(err.text, "same size"), "%s", err.text);
	cr_assert_eq(machine_run(e.m, PS_PER_S), MACHINE_BROKEN);
	exact_drop(&e);
	free(b.p);
}

Test(snapshot, files_that_cannot_be)
{
	struct exact e;
	struct error err = {0};
	FILE *full;

	exact_make(&e, "exact1", 1, false);
	cr_assert(!machine_save_file(e.m, "/nowhere/at/all", &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "/nowhere/at/all"), "%s", err.text);
	cr_assert(!machine_load_file(e.m, "/nowhere/at/all", &err));
	full = fopen("/dev/full", "wb");
	cr_assert(full);
	cr_assert(!machine_save(e.m, full, "full", &err));
	fclose(full);
	cr_assert_eq(err.code, EXIT_HOST, "%s", err.text);
	cr_assert(strstr(err.text, "No space"), "%s", err.text);
	exact_drop(&e);
}

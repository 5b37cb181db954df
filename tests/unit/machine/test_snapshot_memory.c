/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots in memory, on real machines (test_exact.c says what the kernels
 * do): a machine that went back goes on to the same bits, whatever happened in
 * between, and what it has then is to the byte what it had, TLB and disk
 * included, as a file of it says. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/nvme_subsys.h"
#include "exact.h"
#include "sim/bus.h"
#include "sim/snapshot.h"
#include "sim/snapshot_memory.h"

static struct memory_snapshot *take(struct exact *e)
{
	struct error err;
	struct memory_snapshot *s = machine_take(e->m, &err);

	cr_assert(s, "%s", err.text);
	return s;
}

static void restore(struct exact *e, struct memory_snapshot *s)
{
	struct error err;

	cr_assert(machine_restore(e->m, s, &err), "%s", err.text);
}

/* Takes one, strays once or twice to anywhere, also to the end, and back. */
static void stray(struct exact *e, uint64_t *seed)
{
	char console[EXACT_CONSOLE];
	struct memory_snapshot *s = take(e);
	ps_t from = machine_now(e->m);

	strcpy(console, e->console);
	for (uint64_t n = 1 + exact_random(seed, 2); n; n--) {
		ps_t far = exact_random(seed, 4) ? 200 * PS_PER_US : EXACT_END;
		enum machine_stop stop =
			machine_run(e->m, from + 1 + exact_random(seed, far));

		cr_assert(stop == MACHINE_UNTIL || stop == MACHINE_OFF);
		restore(e, s);
		memset(e->console, 0, sizeof(e->console));
		strcpy(e->console, console);
		cr_assert_eq(machine_now(e->m), from);
	}
	machine_forget(s);
}

Test(snapshot_memory, random_points)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact_result whole = exact_straight(
			exact_forms[f].kernel, exact_forms[f].cpus,
			exact_forms[f].disk);

		for (uint64_t seed = 1; seed <= 3; seed++) {
			enum machine_stop stop = MACHINE_UNTIL;
			uint64_t random = seed;
			struct exact e;
			struct exact_result r;
			ps_t at = 0;

			exact_make(&e, exact_forms[f].kernel,
				   exact_forms[f].cpus, exact_forms[f].disk);
			while (stop == MACHINE_UNTIL && at < EXACT_END) {
				stray(&e, &random);
				at += 1 +
				      exact_random(&random, 300 * PS_PER_US);
				stop = machine_run(e.m, at);
			}
			r = exact_result_of(&e, stop);
			exact_same(&whole, &r, exact_forms[f].kernel, seed);
			cr_assert_eq(machine_taken_bytes(e.m), 0);
			exact_drop(&e);
		}
	}
}

/* --- many, in any order --- */

#define MANY 12

struct known {
	struct memory_snapshot *s;
	char *file;
	size_t bytes;
	char console[EXACT_CONSOLE];
};

static char *file_of(struct exact *e, size_t *bytes)
{
	struct error err;
	char *p;
	FILE *f = open_memstream(&p, bytes);

	cr_assert(f);
	cr_assert(machine_save(e->m, f, "test", &err), "%s", err.text);
	fclose(f);
	return p;
}

static void know(struct exact *e, struct known *k)
{
	k->s = take(e);
	k->file = file_of(e, &k->bytes);
	strcpy(k->console, e->console);
}

static void forget(struct known *k)
{
	machine_forget(k->s);
	free(k->file);
	k->s = NULL;
}

static void back_to(struct exact *e, const struct known *k, unsigned step)
{
	size_t bytes;
	char *file;

	restore(e, k->s);
	memset(e->console, 0, sizeof(e->console));
	strcpy(e->console, k->console);
	file = file_of(e, &bytes);
	cr_assert_eq(bytes, k->bytes, "step %u", step);
	cr_assert(!memcmp(file, k->file, bytes), "step %u", step);
	free(file);
}

/* Earlier ones and later ones, on several branches, some forgotten. */
Test(snapshot_memory, any_order)
{
	for (size_t f = 0; f < EXACT_FORMS; f++) {
		struct exact_result whole = exact_straight(
			exact_forms[f].kernel, exact_forms[f].cpus,
			exact_forms[f].disk);
		struct known known[MANY] = {0};
		uint64_t seed = 7 + f;
		struct exact_result r;
		struct exact e;

		exact_make(&e, exact_forms[f].kernel, exact_forms[f].cpus,
			   exact_forms[f].disk);
		know(&e, &known[0]);
		for (unsigned step = 0; step < 60; step++) {
			struct known *k =
				&known[1 + exact_random(&seed, MANY - 1)];
			enum machine_stop stop = machine_run(
				e.m,
				machine_now(e.m) + 1 +
					exact_random(&seed, 300 * PS_PER_US));

			if (k->s && exact_random(&seed, 2))
				forget(k);
			if (!k->s && stop == MACHINE_UNTIL)
				know(&e, k);
			k = &known[exact_random(&seed, MANY)];
			back_to(&e, k->s ? k : &known[0], step);
		}
		for (unsigned i = 1; i < MANY; i++) {
			if (known[i].s)
				forget(&known[i]);
		}
		back_to(&e, &known[0], 999);
		forget(&known[0]);
		cr_assert_eq(machine_taken_bytes(e.m), 0);
		r = exact_result_of(&e, machine_run(e.m, EXACT_END));
		exact_same(&whole, &r, exact_forms[f].kernel, 0);
		exact_drop(&e);
	}
}

/* Only what was written is kept. */
Test(snapshot_memory, pages_that_were_written)
{
	struct exact e;
	struct memory_snapshot *s;
	uint64_t few;

	exact_make(&e, "exact1", 1, true);
	cr_assert_eq(machine_run(e.m, 400 * PS_PER_US), MACHINE_UNTIL);
	s = take(&e);
	cr_assert_eq(machine_written_pages(e.m), 0);
	cr_assert_eq(machine_run(e.m, 450 * PS_PER_US), MACHINE_UNTIL);
	few = machine_written_pages(e.m);
	cr_assert(few > 0 && few < 100, "%llu pages of 4096",
		  (unsigned long long)few);
	cr_assert(machine_taken_bytes(e.m) <= few * PAGE_BYTES);
	restore(&e, s);
	cr_assert_eq(machine_written_pages(e.m), 0);
	cr_assert_eq(machine_taken_bytes(e.m), 0);
	/* Those that nobody wants any more stay where others need them. */
	(void)take(&e);
	machine_forget(s);
	exact_drop(&e);
}

/* A disk's blocks and what is on the screen; written at both ends. */
Test(snapshot_memory, large_memory_of_devices)
{
	static const uint64_t video[] = {0xD0001000, 0xD0002ffc, 0xD0fffffc};
	struct exact e;
	struct memory_snapshot *s;
	struct disk *d;
	uint8_t block[512], was[512];
	uint64_t last;

	exact_make(&e, "exact1", 1, true);
	d = nvme_subsys_disk((struct nvme_subsys *)machine_device(e.m, "disk0"),
			     1);
	last = d->blocks - 1;
	memset(block, 0xa5, sizeof(block));
	cr_assert(disk_read(d, last, 1, was));
	/* Device 1 of bus 0 answers in memory. */
	bus_port_write(machine_bus(e.m), 0xcf8, 4, 0x80000804);
	bus_port_write(machine_bus(e.m), 0xcfc, 2, 3);
	s = take(&e);
	for (unsigned n = 0; n < 2; n++) {
		cr_assert(disk_write_through(d, last, 1, block));
		cr_assert(disk_write(d, 3, 1, block));
		bus_mmio_write(machine_bus(e.m), 0xB8000, 2, 0x4142);
		for (size_t i = 0; i < ARRAY_LEN(video); i++)
			bus_mmio_write(machine_bus(e.m), video[i], 4, ~0u);
		cr_assert_eq(machine_written_pages(e.m), 5);
		restore(&e, s);
		cr_assert(disk_read(d, last, 1, block));
		cr_assert(!memcmp(block, was, sizeof(was)));
		cr_assert_eq(d->used, 0);
		cr_assert_eq(bus_mmio_read(machine_bus(e.m), 0xB8000, 2),
			     0x0720);
		for (size_t i = 0; i < ARRAY_LEN(video); i++)
			cr_assert_neq(
				bus_mmio_read(machine_bus(e.m), video[i], 4),
				~0u);
		memset(block, 0x5a, sizeof(block));
	}
	exact_drop(&e);
}

/* --- what cannot be --- */

struct within {
	struct exact *e;
	struct memory_snapshot *s;
	bool came;
};

static void from_within(void *owner, ps_t when)
{
	struct within *w = owner;
	struct error err = {0};

	(void)when;
	w->came = true;
	cr_assert_null(machine_take(w->e->m, &err));
	cr_assert(strstr(err.text, "not while it runs"), "%s", err.text);
	cr_assert(!machine_restore(w->e->m, w->s, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "not while it runs"), "%s", err.text);
}

Test(snapshot_memory, while_it_runs)
{
	struct exact_result whole = exact_straight("exact1", 1, true), r;
	struct exact e;
	struct within w = {.e = &e};
	struct event ev = {.name = "within",
			   .fire = from_within,
			   .owner = &w,
			   .rank = EVQ_STOP};

	exact_make(&e, "exact1", 1, true);
	w.s = take(&e);
	evq_schedule(machine_evq(e.m), &ev, 300 * PS_PER_US);
	r = exact_result_of(&e, machine_run(e.m, EXACT_END));
	cr_assert(w.came);
	exact_same(&whole, &r, "refused", 0);
	exact_drop(&e);
}

Test(snapshot_memory, of_a_machine_that_has_ended)
{
	struct exact_result whole = exact_straight("exact1", 1, true), r;
	struct exact e;
	struct error err = {0};
	struct memory_snapshot *s;

	exact_make(&e, "exact1", 1, true);
	s = take(&e);
	cr_assert_eq(machine_run(e.m, EXACT_END), MACHINE_OFF);
	cr_assert_null(machine_take(e.m, &err));
	cr_assert(strstr(err.text, "has ended"), "%s", err.text);
	restore(&e, s); /* it goes on from before its end */
	memset(e.console, 0, sizeof(e.console));
	r = exact_result_of(&e, machine_run(e.m, EXACT_END));
	exact_same(&whole, &r, "after its end", 0);
	exact_drop(&e);
}

Test(snapshot_memory, more_than_they_may_hold)
{
	struct exact e;
	struct error err = {0};
	struct memory_snapshot *s;

	exact_make(&e, "exact1", 1, true);
	cr_assert_eq(machine_run(e.m, 100 * PS_PER_US), MACHINE_UNTIL);
	s = take(&e);
	machine_take_limit(e.m, 4 * PAGE_BYTES);
	cr_assert_eq(machine_run(e.m, EXACT_END), MACHINE_BROKEN);
	cr_assert(strstr(machine_broken_text(e.m), "free one"), "%s",
		  machine_broken_text(e.m));
	cr_assert(!machine_restore(e.m, s, &err));
	cr_assert_eq(err.code, EXIT_HOST);
	exact_drop(&e);

	exact_make(&e, "exact1", 1, true);
	cr_assert_eq(machine_run(e.m, 100 * PS_PER_US), MACHINE_UNTIL);
	s = take(&e);
	cr_assert_eq(machine_run(e.m, 300 * PS_PER_US), MACHINE_UNTIL);
	machine_take_limit(e.m, machine_taken_bytes(e.m));
	cr_assert_null(machine_take(e.m, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "free one before"), "%s", err.text);
	machine_forget(s);
	s = take(&e); /* there is room again */
	restore(&e, s);
	exact_drop(&e);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packed classes of a trace: what is coded comes out again, and nothing
 * that is not a packet does harm.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "sim/trace/deep_code.h"

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/parterre-deep-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void path_of(char *path, size_t bytes)
{
	snprintf(path, bytes, "%s/.deep", dir);
}

static void remove_dir(void)
{
	char path[96];

	path_of(path, sizeof(path));
	unlink(path);
	rmdir(dir);
}

/* A guest of a kind: a few hundred instructions that do nearly the same each
 * time they come. */
#define CODE 300
struct guest {
	uint64_t rnd;
	struct deep_place at[CPU_COUNT_MAX];
	uint64_t reg[CPU_COUNT_MAX][DEEP_REGISTERS], was[DEEP_REGISTERS];
	struct cpu_access access[CPU_STEP_ACCESSES];
	uint64_t before;
};

static uint64_t below(struct guest *g, uint64_t n)
{
	return rig_below(&g->rnd, n);
}

/* Small, or near, or anything. */
static uint64_t some(struct guest *g)
{
	return rig_random(&g->rnd) >> below(g, 64);
}

static void change(struct guest *g, uint64_t *reg, uint32_t changed)
{
	for (uint32_t i = 0; i < DEEP_REGISTERS; i++) {
		if (!(changed >> i & 1))
			continue;
		switch (below(g, 4)) {
		case 0:
			reg[i] += 8;
			break;
		case 1:
			reg[i] = reg[below(g, CPU_GPR_COUNT)];
			break;
		case 2:
			reg[i] ^= 0x41; /* flags, among others */
			break;
		default:
			reg[i] = some(g);
		}
	}
}

static void touch(struct guest *g, const uint64_t *reg, struct deep_record *r)
{
	r->accesses = below(g, 50) ? (uint32_t)below(g, 3)
				   : (uint32_t)below(g, CPU_STEP_ACCESSES + 1);
	for (uint32_t i = 0; i < r->accesses; i++) {
		struct cpu_access *a = &g->access[i];
		uint64_t mask;

		a->bytes = (uint8_t)(1 + below(g, 8));
		mask = UINT64_MAX >> (64 - 8 * a->bytes);
		a->write = below(g, 2);
		a->va = below(g, 3) ? reg[below(g, 16)] + 8 * below(g, 9)
				    : some(g);
		a->value = (below(g, 3) ? reg[below(g, 16)] : some(g)) & mask;
	}
	r->access = g->access;
}

static void next_record(struct guest *g, struct deep_record *r)
{
	uint32_t cpu = below(g, 20) ? 1 : (uint32_t)below(g, CPU_COUNT_MAX);
	struct deep_place *at = &g->at[cpu];
	uint64_t pc = below(g, CODE);
	unsigned kind = below(g, 30) ? DEEP_INSTRUCTION
				     : (unsigned)below(g, DEEP_KINDS);

	if (!below(g, 10)) {
		at->partition = (uint32_t)below(g, 7);
		at->base += below(g, 1000000);
		at->base_retired = at->retired;
		g->before += below(g, 3);
	}
	at->cpu = cpu;
	at->hz = 1000000000;
	*r = (struct deep_record){
		.kind = (enum deep_kind)kind,
		.at = *at,
		.before = g->before,
		.pc = UINT64_C(0xffffffff80000000) + pc * 5,
		.bytes = below(g, 10) ? 5 : some(g),
	};
	memcpy(g->was, g->reg[cpu], sizeof(g->was));
	if (kind == DEEP_FLOW) {
		r->count = below(g, 10) ? 3 : some(g) >> 8;
		at->retired += r->count;
		return;
	}
	r->was = g->was;
	r->then = g->reg[cpu];
	r->changed = kind == DEEP_BEGIN
			     ? CPU_STEP_ALL
			     : (below(g, 9) ? 1u << pc % 17 | CPU_STEP_FLAGS
					    : (uint32_t)some(g) & CPU_STEP_ALL);
	if (kind != DEEP_BEGIN)
		touch(g, g->was, r);
	change(g, g->reg[cpu], r->changed);
	at->retired += kind == DEEP_INSTRUCTION;
}

static void check_equal(const struct deep_record *got,
			const struct deep_record *want, unsigned n)
{
	cr_assert_eq(got->kind, want->kind, "record %u", n);
	cr_assert_eq(got->at.cpu, want->at.cpu, "record %u", n);
	cr_assert_eq(got->at.partition, want->at.partition);
	cr_assert_eq(got->at.retired, want->at.retired, "record %u", n);
	cr_assert_eq(deep_time(&got->at), deep_time(&want->at));
	cr_assert_eq(got->before, want->before);
	cr_assert_eq(got->pc, want->pc, "record %u", n);
	cr_assert_eq(got->bytes, want->bytes);
	cr_assert_eq(got->count, want->count);
	cr_assert_eq(got->accesses, want->accesses);
	for (uint32_t i = 0; i < got->accesses; i++) {
		cr_assert_eq(got->access[i].va, want->access[i].va,
			     "record %u, access %u", n, i);
		cr_assert_eq(got->access[i].value, want->access[i].value);
		cr_assert_eq(got->access[i].bytes, want->access[i].bytes);
		cr_assert_eq(got->access[i].write, want->access[i].write);
	}
	if (want->kind == DEEP_FLOW)
		return;
	cr_assert_eq(got->changed, want->changed);
	cr_assert_arr_eq(got->then, want->then,
			 DEEP_REGISTERS * sizeof(uint64_t));
}

#define RECORDS 300000u

static struct guest *guest(void)
{
	struct guest *g = calloc(1, sizeof(*g));

	cr_assert(g);
	g->rnd = 7;
	return g;
}

static void write_records(unsigned count)
{
	struct deep_writer *w = deep_create(dir, NULL);
	struct guest *g = guest();
	struct deep_record r;

	cr_assert(w);
	for (unsigned i = 0; i < count; i++) {
		next_record(g, &r);
		deep_write(w, &r);
	}
	cr_assert_eq(deep_count(w), count);
	cr_assert(deep_close(w, NULL));
	free(g);
}

Test(deep, what_is_written_is_read, .init = make_dir, .fini = remove_dir)
{
	struct deep_record got, want;
	struct guest *g = guest();
	struct deep_reader *d;
	struct error err;

	write_records(RECORDS);
	cr_assert(deep_open(&d, dir, &err) && d);
	for (unsigned i = 0; i < RECORDS; i++) {
		cr_assert_eq(deep_next(d, &got, &err), 1);
		next_record(g, &want);
		check_equal(&got, &want, i);
	}
	cr_assert_eq(deep_next(d, &got, &err), 0);
	deep_reader_close(d);
	free(g);
}

Test(deep, no_file_is_no_error, .init = make_dir, .fini = remove_dir)
{
	struct deep_reader *d;

	cr_assert(deep_open(&d, dir, NULL));
	cr_assert_null(d);
}

/* All that was written before the damage comes out, then one error. */
static void read_damaged(void)
{
	struct deep_record r;
	struct deep_reader *d;
	struct error err = {0};
	int state;

	cr_assert(deep_open(&d, dir, &err) && d);
	while ((state = deep_next(d, &r, &err)) == 1)
		;
	cr_assert_eq(state, -1);
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, ".deep: offset "), "%s", err.text);
	deep_reader_close(d);
}

Test(deep, damage_is_found, .init = make_dir, .fini = remove_dir)
{
	uint64_t rnd = 3;
	char path[96];
	long bytes;
	FILE *f;

	write_records(20000);
	path_of(path, sizeof(path));
	f = fopen(path, "r+");
	cr_assert(f && !fseek(f, 0, SEEK_END));
	bytes = ftell(f);
	for (unsigned i = 0; i < 200; i++) {
		long at = (long)rig_below(&rnd, (uint64_t)bytes);
		int was;

		if (at >= 8 && at < 16) /* it says where it belongs, no more */
			continue;
		cr_assert(!fseek(f, at, SEEK_SET));
		was = fgetc(f);
		cr_assert(!fseek(f, at, SEEK_SET));
		cr_assert(fputc(was ^ (1 << rig_below(&rnd, 8)), f) != EOF);
		cr_assert(!fflush(f));
		read_damaged();
		cr_assert(!fseek(f, at, SEEK_SET) && fputc(was, f) != EOF);
	}
	fclose(f);
	cr_assert(!truncate(path, bytes - 1));
	read_damaged();
	cr_assert(!truncate(path, 20));
	read_damaged();
}

/* A frame may be whole and hold nothing of ours. */
Test(deep, no_columns_are_a_crash)
{
	struct deep_coder *d = calloc(1, sizeof(*d));
	struct deep_record r;
	uint64_t rnd = 11;
	unsigned bad = 0;

	cr_assert(d);
	for (unsigned c = 0; c < DEEP_COLUMNS; c++) {
		d->column[c] = malloc(4096);
		cr_assert(d->column[c]);
	}
	for (unsigned run = 0; run < 300; run++) {
		for (unsigned c = 0; c < DEEP_COLUMNS; c++) {
			d->bytes[c] = (uint32_t)rig_below(&rnd, 4097);
			/* Sometimes mostly of what is foreseen. */
			for (uint32_t i = 0; i < d->bytes[c]; i++)
				d->column[c][i] =
					(uint8_t)(rig_below(&rnd, 3)
							  ? rig_below(&rnd, 80)
							  : rig_random(&rnd));
		}
		d->reading = true;
		deep_begin(d, 0);
		for (unsigned i = 0; i < 4096 && !d->bad; i++) {
			memset(&r, 0, sizeof(r));
			deep_code(d, &r);
			if (!d->bad)
				(void)deep_time(&r.at);
		}
		bad += d->bad;
	}
	cr_assert_gt(bad, 290);
	for (unsigned c = 0; c < DEEP_COLUMNS; c++)
		free(d->column[c]);
	free(d);
}

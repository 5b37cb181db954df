/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/cycles.c - see cycles.h. */
#include "tools/parterre/cycles.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/table.h"
#include "tools/parterre/parterre.h"

#define LINE_BYTES 1024

struct reader {
	const char *path;
	FILE *from;
	unsigned line;
	char text[LINE_BYTES];
	uint64_t carried; /* ticks that are no whole cycle yet */
};

/* --- reading --- */

static bool bad_line(const struct reader *r, const char *what,
		     struct error *err)
{
	return error_set(err, EXIT_USAGE,
			 "%s:%u: %s; run it again with --cycles", r->path,
			 r->line, what);
}

/* The next word of the line, or NULL. */
static char *next_word(char **at)
{
	return strtok_r(NULL, " ", at);
}

static bool next_number(char **at, int64_t *n)
{
	char *text = next_word(at), *end;

	if (!text)
		return false;
	errno = 0;
	*n = strtoll(text, &end, 10);
	return *text && !*end && !errno;
}

static bool next_name(char **at, char to[CYCLES_NAME])
{
	const char *text = next_word(at);

	return text && snprintf(to, CYCLES_NAME, "%s", text) < CYCLES_NAME;
}

static bool read_causes(char **at)
{
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
		const char *name = next_word(at);

		if (!name || strcmp(name, timing_cause_name[i]) != 0)
			return false;
	}
	return !next_word(at);
}

static bool read_cpu(struct cycles *c, char **at)
{
	struct cycles_cpu *cpu = &c->cpu[c->cpus];
	int64_t n[8];

	for (unsigned i = 0; i < ARRAY_LEN(n); i++) {
		if (!next_number(at, &n[i]) || (i < 6 && n[i] < 0))
			return false;
	}
	if (n[0] != c->cpus || c->cpus == CYCLES_CPUS)
		return false;
	cpu->from = (ps_t)n[1];
	cpu->to = (ps_t)n[2];
	cpu->total = (uint64_t)n[3] / TIMING_TICKS_PER_CYCLE;
	cpu->halted = (uint64_t)n[4] / TIMING_TICKS_PER_CYCLE;
	cpu->stalled = (uint64_t)n[5] / TIMING_TICKS_PER_CYCLE;
	cpu->ahead = n[6];
	cpu->rounding = n[7];
	c->cpus++;
	return !next_word(at);
}

static bool read_stack(struct cycles *c, struct reader *r, char **at)
{
	struct cycles_stack *s;

	if ((c->count & (c->count - 1)) == 0) {
		c->stack = realloc(c->stack, (c->count ? 2 * c->count : 1) *
						     sizeof(*c->stack));
		CHECK_MSG(c->stack, "out of memory for %s", r->path);
	}
	s = &c->stack[c->count];
	memset(s, 0, sizeof(*s));
	if (!next_name(at, s->partition) || !next_name(at, s->mode) ||
	    !next_name(at, s->function))
		return false;
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
		int64_t n;

		if (!next_number(at, &n) || n < 0)
			return false;
		r->carried += (uint64_t)n;
		s->by[i] = r->carried / TIMING_TICKS_PER_CYCLE;
		r->carried %= TIMING_TICKS_PER_CYCLE;
		s->all += s->by[i];
	}
	c->all += s->all;
	c->count++;
	return !next_word(at);
}

static bool read_timing(struct cycles *c, char **at)
{
	const char *model = next_word(at);
	int64_t hz;

	if (!model || !next_number(at, &hz) || hz <= 0)
		return false;
	snprintf(c->timing, sizeof(c->timing), "%s", model);
	c->hz = (uint64_t)hz;
	return !next_word(at);
}

static bool next_line(struct reader *r)
{
	if (!fgets(r->text, sizeof(r->text), r->from))
		return false;
	r->line++;
	r->text[strcspn(r->text, "\n")] = '\0';
	return true;
}

static bool read_lines(struct cycles *c, struct reader *r, struct error *err)
{
	if (!next_line(r) || strcmp(r->text, "parterre-cycles 1") != 0)
		return bad_line(r, "these are no cycles of version 1", err);
	while (next_line(r)) {
		char *at, *key = strtok_r(r->text, " ", &at);
		bool good = false;

		if (key && strcmp(key, "end") == 0)
			return c->hz || bad_line(r, "no timing model", err);
		if (key && strcmp(key, "timing") == 0)
			good = read_timing(c, &at);
		else if (key && strcmp(key, "causes") == 0)
			good = read_causes(&at);
		else if (key && strcmp(key, "cpu") == 0)
			good = read_cpu(c, &at);
		else if (key && strcmp(key, "stack") == 0)
			good = read_stack(c, r, &at);
		if (!good)
			return bad_line(r, "not a line of this version", err);
	}
	r->line++;
	return bad_line(r, "the file is cut off", err);
}

bool cycles_read(struct cycles *c, const char *dir, struct error *err)
{
	struct reader r = {0};
	char path[PATH_MAX];
	bool good;

	memset(c, 0, sizeof(*c));
	if (!path_in(path, dir, "cycles.txt"))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 dir);
	r.from = fopen(path, "re");
	if (!r.from && path_in(path, dir, "../cycles.txt"))
		r.from = fopen(path, "re");
	if (!r.from)
		return error_set(err, EXIT_USAGE,
				 "%s: the run left no cycles.txt; run it again "
				 "with --cycles, or give a recording of it",
				 dir);
	r.path = path;
	good = read_lines(c, &r, err);
	fclose(r.from);
	if (!good)
		cycles_free(c);
	return good;
}

void cycles_free(struct cycles *c)
{
	free(c->stack);
	memset(c, 0, sizeof(*c));
}

/* --- adding up --- */

struct cycles_sum cycles_sum(const struct cycles *c, size_t at)
{
	struct cycles_sum sum = {.first = &c->stack[at]};

	for (; at < c->count; at++, sum.count++) {
		const struct cycles_stack *s = &c->stack[at];

		if (strcmp(s->partition, sum.first->partition) != 0 ||
		    strcmp(s->mode, sum.first->mode) != 0)
			break;
		for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
			sum.by[i] += s->by[i];
		sum.all += s->all;
	}
	return sum;
}

static int by_cycles(const void *a, const void *b)
{
	const struct cycles_stack *x = a, *y = b;
	int order;

	if (x->all != y->all)
		return x->all > y->all ? -1 : 1;
	order = strcmp(x->partition, y->partition);
	if (!order)
		order = strcmp(x->mode, y->mode);
	return order ? order : strcmp(x->function, y->function);
}

struct cycles_stack *cycles_top(const struct cycles *c)
{
	struct cycles_stack *top = calloc(c->count + 1, sizeof(*top));

	CHECK(top);
	if (c->count)
		memcpy(top, c->stack, c->count * sizeof(*top));
	qsort(top, c->count, sizeof(*top), by_cycles);
	return top;
}

void cycles_why(const uint64_t by[TIMING_CAUSE_COUNT], uint64_t all, char *to,
		size_t bytes)
{
	unsigned told = 0;
	size_t n = 0;

	*to = '\0';
	for (unsigned k = 0; k < 3; k++) {
		unsigned most = TIMING_CAUSE_COUNT;

		for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
			if (!(told >> i & 1) && by[i] &&
			    (most == TIMING_CAUSE_COUNT || by[i] > by[most]))
				most = i;
		}
		if (most == TIMING_CAUSE_COUNT || by[most] * 100 < all)
			return;
		told |= 1u << most;
		n += (size_t)snprintf(
			to + n, bytes - n, "%s%s %u %%", k ? ", " : "",
			timing_cause_name[most],
			(unsigned)((unsigned __int128)by[most] * 100 / all));
	}
}

/* --- printing --- */

static uint64_t permille(uint64_t part, uint64_t all)
{
	return all ? (uint64_t)((unsigned __int128)part * 1000 / all) : 0;
}

static void put_cpus(struct table *o, const struct cycles *c)
{
	static const struct column columns[] = {
		{"cpu", CELL_NUMBER, 4},      {"from_ps", CELL_NUMBER, 16},
		{"to_ps", CELL_NUMBER, 16},   {"cycles", CELL_NUMBER, 14},
		{"halted", CELL_NUMBER, 14},  {"stalled", CELL_NUMBER, 10},
		{"working", CELL_NUMBER, 14}, {"ahead", CELL_NUMBER, 7},
	};

	table_begin(o, "cpus", columns, ARRAY_LEN(columns));
	for (unsigned i = 0; i < c->cpus; i++) {
		const struct cycles_cpu *p = &c->cpu[i];
		union cell cell[] = {
			{.u = i},
			{.u = p->from},
			{.u = p->to},
			{.u = p->total},
			{.u = p->halted},
			{.u = p->stalled},
			{.u = p->total - p->halted - p->stalled},
			{.u = p->ahead > 0 ? (uint64_t)p->ahead /
						     TIMING_TICKS_PER_CYCLE
					   : 0},
		};

		table_row(o, cell);
	}
	table_end(o);
}

static void put_sums(struct table *o, const struct cycles *c)
{
	static const struct column columns[] = {
		{"partition", CELL_TEXT, -14}, {"mode", CELL_TEXT, -8},
		{"cause", CELL_TEXT, -11},     {"cycles", CELL_NUMBER, 14},
		{"permille", CELL_NUMBER, 9},
	};

	table_begin(o, "causes", columns, ARRAY_LEN(columns));
	for (size_t at = 0; at < c->count;) {
		struct cycles_sum s = cycles_sum(c, at);
		union cell cell[] = {
			{.s = s.first->partition},
			{.s = s.first->mode},
			{.s = "all"},
			{.u = s.all},
			{.u = permille(s.all, c->all)},
		};

		table_row(o, cell);
		for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
			cell[2].s = timing_cause_name[i];
			cell[3].u = s.by[i];
			cell[4].u = permille(s.by[i], c->all);
			if (s.by[i])
				table_row(o, cell);
		}
		at += s.count;
	}
	table_end(o);
}

#define TOP 30

static void put_top(struct table *o, const struct cycles *c)
{
	static const struct column columns[] = {
		{"partition", CELL_TEXT, -14}, {"mode", CELL_TEXT, -8},
		{"function", CELL_TEXT, -30},  {"cycles", CELL_NUMBER, 14},
		{"permille", CELL_NUMBER, 9},  {"on", CELL_TEXT, -45},
	};
	struct cycles_stack *top = cycles_top(c);

	table_begin(o, "functions", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < c->count && i < TOP; i++) {
		char why[120];
		union cell cell[] = {
			{.s = top[i].partition},
			{.s = top[i].mode},
			{.s = top[i].function},
			{.u = top[i].all},
			{.u = permille(top[i].all, c->all)},
			{.s = why},
		};

		cycles_why(top[i].by, top[i].all, why, sizeof(why));
		table_row(o, cell);
	}
	table_end(o);
	free(top);
}

/* All of them, for programs. */
static void put_stacks(struct table *o, const struct cycles *c)
{
	struct column columns[3 + TIMING_CAUSE_COUNT] = {
		{"partition", CELL_TEXT, -14},
		{"mode", CELL_TEXT, -8},
		{"function", CELL_TEXT, -30},
	};

	_Static_assert(ARRAY_LEN(columns) <= COLUMNS_MAX, "a column each");
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
		columns[3 + i] =
			(struct column){timing_cause_name[i], CELL_NUMBER, 12};
	table_begin(o, "stacks", columns, ARRAY_LEN(columns));
	for (size_t at = 0; at < c->count; at++) {
		const struct cycles_stack *s = &c->stack[at];
		union cell cell[3 + TIMING_CAUSE_COUNT] = {
			{.s = s->partition},
			{.s = s->mode},
			{.s = s->function},
		};

		for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
			cell[3 + i].u = s->by[i];
		table_row(o, cell);
	}
	table_end(o);
}

void cycles_print(const struct cycles *c, bool json)
{
	struct table o;

	table_open(&o, json, stdout);
	table_text(&o, "timing", c->timing);
	table_number(&o, "hz", c->hz);
	table_number(&o, "cycles_of_all_stacks", c->all);
	put_cpus(&o, c);
	put_sums(&o, c);
	put_top(&o, c);
	if (json)
		put_stacks(&o, c);
	table_close(&o);
	if (json)
		putchar('\n');
}

void cycles_fold(const struct cycles *c, FILE *to)
{
	for (size_t at = 0; at < c->count; at++) {
		const struct cycles_stack *s = &c->stack[at];

		for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
			if (s->by[i])
				fprintf(to, "%s;%s;%s;%s %" PRIu64 "\n",
					s->partition, s->mode, s->function,
					timing_cause_name[i], s->by[i]);
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "sim/trace/layout.h"
#include "sim/trace/trace.h"

#define BOTH (TRACE_CLASS_PARTITION | TRACE_CLASS_MACHINE)

/* --- a directory that goes away --- */

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/parterre-trace-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/metadata", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/stream", dir);
	unlink(path);
	rmdir(dir);
}

static uint8_t *slurp(const char *name, size_t *bytes)
{
	char path[96];
	struct stat st;
	uint8_t *data;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	cr_assert(f && !fstat(fileno(f), &st));
	*bytes = (size_t)st.st_size;
	data = malloc(*bytes + 1);
	cr_assert_eq(fread(data, 1, *bytes, f), *bytes);
	fclose(f);
	return data;
}

static void spew(const char *name, const uint8_t *data, size_t bytes)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f && fwrite(data, 1, bytes, f) == bytes);
	fclose(f);
}

/* --- random records --- */

#define TEXT_ROOM 2000

struct source {
	uint64_t rnd;
	ps_t time;
	char text[TRACE_FIELDS_MAX][TEXT_ROOM];
};

static void random_text(struct source *s, char *to)
{
	size_t length = rig_below(&s->rnd, 40);

	/* Now and then longer than may be written. */
	if (!rig_below(&s->rnd, 200))
		length = TRACE_STRING_MAX - 2 + rig_below(&s->rnd, 4);
	for (size_t i = 0; i < length; i++)
		to[i] = (char)(1 + rig_below(&s->rnd, 255));
	to[length] = '\0';
}

static void random_record(struct source *s, struct trace_record *r)
{
	unsigned kinds = 0;

	while (trace_kinds[kinds].class & BOTH)
		kinds++;
	*r = (struct trace_record){0};
	r->kind = &trace_kinds[rig_below(&s->rnd, kinds)];
	s->time += rig_below(&s->rnd, 1000000);
	r->time = s->time;
	if (!rig_below(&s->rnd, 10)) /* a CPU whose turn came later */
		r->time -= rig_below(&s->rnd, r->time < 5000 ? 1 : 5000);
	r->cpu = (uint32_t)rig_below(&s->rnd, 8);
	r->partition = (uint16_t)rig_random(&s->rnd);
	r->retired = rig_random(&s->rnd) >> 8;
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (r->kind->field[i].kind == TRACE_STR) {
			random_text(s, s->text[i]);
			r->value[i].s = s->text[i];
		} else if (r->kind->field[i].kind == TRACE_U8) {
			r->value[i].u = (uint8_t)rig_random(&s->rnd);
		} else {
			r->value[i].u =
				rig_random(&s->rnd) >> rig_below(&s->rnd, 64);
		}
	}
}

static uint64_t write_random(const char *to, uint64_t seed, unsigned count)
{
	struct trace *t = trace_create(to, BOTH, NULL);
	struct source *s = calloc(1, sizeof(*s));
	struct trace_record r;
	uint64_t digest;

	s->rnd = seed;
	cr_assert(t);
	for (unsigned i = 0; i < count; i++) {
		random_record(s, &r);
		trace_emit(t, &r);
	}
	cr_assert_eq(trace_count(t), count);
	digest = trace_digest(t);
	cr_assert(trace_close(t, NULL));
	free(s);
	return digest;
}

static void check_equal(const struct trace_record *got,
			const struct trace_record *want, unsigned at)
{
	cr_assert_eq(got->kind, want->kind, "record %u", at);
	cr_assert_eq(got->time, want->time, "record %u", at);
	cr_assert_eq(got->cpu, want->cpu);
	cr_assert_eq(got->partition, want->partition);
	cr_assert_eq(got->retired, want->retired);
	for (unsigned i = 0; i < got->kind->field_count; i++) {
		if (got->kind->field[i].kind != TRACE_STR) {
			cr_assert_eq(got->value[i].u, want->value[i].u);
			continue;
		}
		cr_assert_eq(strlen(got->value[i].s),
			     strnlen(want->value[i].s, TRACE_STRING_MAX - 1));
		cr_assert_not(strncmp(got->value[i].s, want->value[i].s,
				      TRACE_STRING_MAX - 1));
	}
}

/* --- catalogue --- */

Test(trace, kinds_are_sound)
{
	unsigned last = 0;

	for (const struct trace_kind *k = trace_kinds; k->name; k++) {
		cr_assert_gt(k->number, last, "%s", k->name);
		last = k->number;
		cr_assert_leq(k->field_count, TRACE_FIELDS_MAX);
		cr_assert_eq(trace_kind_find(k->number), k);
		cr_assert_eq(trace_kind_by_name(k->name), k);
		for (unsigned i = 0; i < k->field_count; i++)
			cr_assert(k->field[i].name && *k->field[i].name);
	}
	cr_assert_null(trace_kind_find(0));
	cr_assert_null(trace_kind_find(UINT16_MAX));
	cr_assert_null(trace_kind_by_name("no such"));
	cr_assert_str_eq(trace_kind_find(TRACE_EV_REG_READ)->name, "reg_read");
	cr_assert_eq(trace_kind_find(TRACE_EV_ODD)->field[1].kind, TRACE_STR);
}

Test(trace, catalogue_page_is_current)
{
	cr_assert_eq(system("cd " PARTERRE_SOURCE_DIR
			    " && awk -f sim/trace/catalogue.awk "
			    "sim/trace/events.def"
			    " | diff - docs/trace-catalogue.md >&2"),
		     0, "run the build target trace_catalogue and commit");
}

/* --- there and back --- */

Test(trace, what_is_written_is_read, .init = make_dir, .fini = remove_dir)
{
	const unsigned count = 20000; /* many packets */
	struct source *s = calloc(1, sizeof(*s));
	struct trace_record want, got;
	struct trace_reader *tr;
	struct error err;

	write_random(dir, 42, count);
	s->rnd = 42;
	tr = trace_open(dir, &err);
	cr_assert(tr, "%s", err.text);
	for (unsigned i = 0; i < count; i++) {
		random_record(s, &want);
		cr_assert_eq(trace_next(tr, &got, &err), 1, "%s", err.text);
		check_equal(&got, &want, i);
	}
	cr_assert_eq(trace_next(tr, &got, &err), 0);
	cr_assert_eq(trace_next(tr, &got, &err), 0, "the end stays the end");
	trace_reader_close(tr);
	free(s);
}

Test(trace, equal_runs_have_equal_bytes, .init = make_dir, .fini = remove_dir)
{
	size_t bytes[2];
	uint8_t *data[2];
	uint64_t digest[2];

	for (unsigned i = 0; i < 2; i++) {
		digest[i] = write_random(dir, 5, 3000);
		data[i] = slurp("stream", &bytes[i]);
	}
	cr_assert_eq(bytes[0], bytes[1]);
	cr_assert_not(memcmp(data[0], data[1], bytes[0]));
	cr_assert_eq(digest[0], digest[1]);
	cr_assert_eq(write_random(NULL, 5, 3000), digest[0],
		     "without a file the digest is the same");
	cr_assert_neq(write_random(NULL, 6, 3000), digest[0]);
	free(data[0]);
	free(data[1]);
}

Test(trace, an_empty_trace_is_a_trace, .init = make_dir, .fini = remove_dir)
{
	struct trace_record r;
	struct trace_reader *tr;
	struct error err;

	write_random(dir, 1, 0);
	tr = trace_open(dir, &err);
	cr_assert(tr, "%s", err.text);
	cr_assert_eq(trace_next(tr, &r, &err), 0, "%s", err.text);
	trace_reader_close(tr);
}

static unsigned heard;

static void hear(void *owner, const struct trace_record *r)
{
	struct trace *t = owner;

	heard++;
	cr_assert_eq(trace_count(t), heard, "told after it was written");
	cr_assert_eq(r->kind->class, TRACE_CLASS_PARTITION);
}

Test(trace, classes_are_chosen_and_listeners_told)
{
	struct trace *t = trace_create(NULL, TRACE_CLASS_PARTITION, NULL);
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_SWITCH)};
	uint64_t digest = trace_digest(t);

	trace_listen(t, hear, t);
	cr_assert(trace_wants(t, TRACE_CLASS_PARTITION));
	cr_assert_not(trace_wants(t, TRACE_CLASS_MACHINE));
	cr_assert_not(trace_wants(NULL, TRACE_CLASS_MACHINE));
	trace_emit(t, &r);
	cr_assert_neq(trace_digest(t), digest);
	digest = trace_digest(t);
	r.kind = trace_kind_find(TRACE_EV_RING);
	trace_emit(t, &r);
	cr_assert_eq(trace_digest(t), digest);
	cr_assert_eq(heard, 1u);
	trace_emit(NULL, &r);
	cr_assert(trace_close(t, NULL));
	cr_assert(trace_close(NULL, NULL));
}

Test(trace, one_record_is_one_line)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_REG_WRITE),
		.time = UINT64_C(12000000345678),
		.cpu = 3,
		.partition = 7,
		.retired = 99,
		.value = {{.s = "a\"b\n\xff"},
			  {.u = 0x10},
			  {.u = 4},
			  {.u = 0xBEEF}},
	};
	char buf[200], small[20];

	trace_format(&r, buf, sizeof(buf));
	cr_assert_str_eq(buf, "12.000000345678 cpu3 p7 i=99 reg_write "
			      "device=\"a\\\"b\\x0a\\xff\" offset=0x10 size=4 "
			      "value=0xbeef");
	trace_format(&r, small, sizeof(small));
	cr_assert_eq(strlen(small), sizeof(small) - 1);
	cr_assert_not(strncmp(small, buf, sizeof(small) - 1));
	trace_format(&r, small, 0);
}

/* --- what the disk says --- */

Test(trace, errors_of_the_host_are_told)
{
	struct error err = {0};
	struct trace *t;
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_SWITCH)};

	cr_assert_null(trace_create("/nonexistent/dir/trace", BOTH, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "/nonexistent/dir/trace"), "%s", err.text);
	cr_assert_null(trace_create("/dev/null", BOTH, &err));
	cr_assert_null(trace_open("/nonexistent/dir/trace", &err));
	cr_assert(strstr(err.text, "/metadata"), "%s", err.text);

	/* A full disk: told at the end, the run itself goes on. */
	make_dir();
	{
		char path[96];

		snprintf(path, sizeof(path), "%s/stream", dir);
		cr_assert_not(symlink("/dev/full", path));
	}
	t = trace_create(dir, BOTH, &err);
	cr_assert(t);
	for (unsigned i = 0; i < 100000; i++)
		trace_emit(t, &r);
	cr_assert_eq(trace_count(t), 100000u);
	cr_assert_not(trace_close(t, &err));
	cr_assert_eq(err.code, EXIT_HOST);
	cr_assert(strstr(err.text, "stream"), "%s", err.text);
	remove_dir();
}

/* --- damage --- */

/* Reads to the end or the first error, which must be the operator's and name
 * the file and an offset within it. */
static int read_all(size_t bytes, uint64_t *count)
{
	struct error err = {0};
	struct trace_record r;
	struct trace_reader *tr = trace_open(dir, &err);
	char line[4096];
	int got = -1;

	*count = 0;
	while (tr && (got = trace_next(tr, &r, &err)) == 1) {
		trace_format(&r, line, sizeof(line));
		(*count)++;
	}
	trace_reader_close(tr);
	if (got < 0) {
		const char *at = strstr(err.text, "offset ");

		cr_assert_eq(err.code, EXIT_USAGE);
		cr_assert(strstr(err.text, dir), "%s", err.text);
		cr_assert(at, "%s", err.text);
		cr_assert_leq(strtoull(at + 7, NULL, 10), bytes, "%s",
			      err.text);
	}
	return got;
}

Test(trace, truncation_is_found, .init = make_dir, .fini = remove_dir)
{
	uint64_t count;
	size_t bytes;
	uint8_t *data;

	write_random(dir, 9, 30);
	data = slurp("stream", &bytes);
	for (size_t cut = 0; cut < bytes; cut++) {
		spew("stream", data, cut);
		cr_assert_eq(read_all(cut, &count), -1, "cut at %zu", cut);
	}
	spew("stream", data, bytes);
	cr_assert_eq(read_all(bytes, &count), 0);
	cr_assert_eq(count, 30u);
	free(data);
}

Test(trace, no_damage_is_a_crash, .init = make_dir, .fini = remove_dir)
{
	uint64_t rnd = 31, count, refused = 0;
	size_t bytes;
	uint8_t *data;

	write_random(dir, 10, 40);
	data = slurp("stream", &bytes);
	for (unsigned i = 0; i < 4000; i++) {
		uint8_t *copy = malloc(bytes);
		size_t most = rig_below(&rnd, 3) ? CTF_PROLOGUE * 2 : bytes;

		memcpy(copy, data, bytes);
		for (unsigned k = 0; k <= rig_below(&rnd, 3); k++)
			copy[rig_below(&rnd, most)] = (uint8_t)rig_random(&rnd);
		spew("stream", copy, bytes);
		refused += read_all(bytes, &count) < 0;
		cr_assert_leq(count, 40u);
		free(copy);
	}
	cr_assert_gt(refused, 1000u);
	free(data);
}

struct damage {
	size_t at;
	unsigned bytes;
	uint64_t value;
	const char *says;
};

Test(trace, each_damage_has_its_name, .init = make_dir, .fini = remove_dir)
{
	enum {
		EVENT = CTF_PROLOGUE
	};
	static const struct damage row[] = {
		{0, 1, 0, "magic"},
		{4, 1, 0, "UUID"},
		{20, 4, 1, "no such stream"},
		{32, 8, 0, "ends before"},
		{40, 8, 8, "content size"},
		{48, 8, 4, "packet size"},
		{48, 8, UINT64_MAX, "packet size"},
		{56, 8, 1, "discarded"},
		{EVENT, 1, 0xFF, "unknown event number"},
		{EVENT, 1, 0, "unknown event number"},
		{EVENT + 1, 8, UINT64_MAX, "timestamp"},
		{EVENT + 9, 5, UINT64_MAX, "before power-on"},
	};
	struct trace *t = trace_create(dir, BOTH, NULL);
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_SWITCH),
				 .time = 1000};
	size_t bytes;
	uint8_t *data;

	trace_emit(t, &r);
	cr_assert(trace_close(t, NULL));
	data = slurp("stream", &bytes);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct error err = {0};
		uint8_t *copy = malloc(bytes);
		struct trace_reader *tr;
		char where[32];

		memcpy(copy, data, bytes);
		memcpy(copy + row[i].at, &row[i].value, row[i].bytes);
		spew("stream", copy, bytes);
		tr = trace_open(dir, NULL);
		cr_assert_eq(trace_next(tr, &r, &err), -1, "row %zu", i);
		cr_assert(strstr(err.text, row[i].says), "row %zu: %s", i,
			  err.text);
		snprintf(where, sizeof(where), "offset %zu:", row[i].at);
		cr_assert(strstr(err.text, where), "row %zu: %s", i, err.text);
		trace_reader_close(tr);
		free(copy);
	}
	free(data);
}

Test(trace, strings_end, .init = make_dir, .fini = remove_dir)
{
	struct trace *t = trace_create(dir, BOTH, NULL);
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_CONSOLE)};
	static char text[900];
	struct error err;
	size_t bytes;
	uint8_t *data;

	memset(text, 'a', sizeof(text) - 1);
	r.value[0].s = text;
	trace_emit(t, &r);
	trace_emit(t, &r);
	cr_assert(trace_close(t, NULL));
	data = slurp("stream", &bytes);
	for (unsigned i = 0; i < 2; i++) {
		struct trace_reader *tr;

		/* First without the NUL between the records, then the last. */
		data[i ? bytes - 1 : CTF_PROLOGUE + CTF_EVENT_MIN + 899] = 'a';
		for (size_t k = 0; !i && k < CTF_EVENT_MIN; k++)
			data[CTF_PROLOGUE + CTF_EVENT_MIN + 900 + k] |= 0x40;
		spew("stream", data, bytes);
		tr = trace_open(dir, NULL);
		cr_assert_eq(trace_next(tr, &r, &err), -1);
		cr_assert(strstr(err.text, "a string is longer"), "%s",
			  err.text);
		trace_reader_close(tr);
	}
	free(data);
}

Test(trace, another_catalogue_is_refused, .init = make_dir, .fini = remove_dir)
{
	struct error err = {0};
	size_t bytes;
	uint8_t *data;
	char *at;

	write_random(dir, 1, 1);
	data = slurp("metadata", &bytes);
	data[bytes] = '\0';
	at = strstr((char *)data, "_value");
	cr_assert(at);
	at[1] = 'V';
	spew("metadata", data, bytes);
	cr_assert_null(trace_open(dir, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "metadata") && strstr(err.text, "line"),
		  "%s", err.text);
	spew("metadata", data, 0);
	cr_assert_null(trace_open(dir, &err));
	free(data);
}

/* --- an independent reader --- */

static bool have_babeltrace(void)
{
	return !system("babeltrace2 --version >/dev/null 2>&1");
}

static uint64_t count_lines(const char *options, char *first, size_t room)
{
	char command[256], line[8192];
	uint64_t count = 0;
	FILE *p;

	snprintf(command, sizeof(command), "babeltrace2 %s %s 2>&1", options,
		 dir);
	p = popen(command, "r");
	cr_assert(p);
	while (fgets(line, sizeof(line), p)) {
		if (!count)
			snprintf(first, room, "%.*s", (int)room - 1, line);
		count++;
	}
	cr_assert_eq(pclose(p), 0, "babeltrace2 fails: %s", first);
	return count;
}

Test(trace, babeltrace2_reads_the_same, .init = make_dir, .fini = remove_dir)
{
	struct trace *t;
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_ISSUED),
		.time = UINT64_C(3 * 1000000000123),
		.cpu = 2,
		.partition = 5,
		.retired = 77,
		.value = {{.u = 1}, {.u = 2}, {.u = 3}, {.u = 0xAB}},
	};
	char line[1024];
	unsigned count = 15000;

	if (!have_babeltrace())
		cr_skip_test("babeltrace2 is not installed");
	write_random(dir, 77, 0);
	cr_assert_eq(count_lines("", line, sizeof(line)), 0u, "%s", line);

	t = trace_create(dir, BOTH, NULL);
	trace_emit(t, &r);
	cr_assert(trace_close(t, NULL));
	cr_assert_eq(
		count_lines("--clock-gmt --clock-cycles", line, sizeof(line)),
		1u);
	cr_assert(strstr(line, "3000000000369"), "%s", line);
	cr_assert(strstr(line, "issued"), "%s", line);
	cr_assert(strstr(line, "cpu = 2, partition = 5, retired = 77"), "%s",
		  line);
	cr_assert(strstr(line, "stream = 1, record = 2, block = 3, check = "
			       "0xAB"),
		  "%s", line);
	cr_assert_eq(count_lines("--clock-seconds", line, sizeof(line)), 1u);
	cr_assert(strstr(line, "[3.000000000]"), "%s", line);

	/* Strings there have new lines in them, so messages are counted. */
	write_random(dir, 78, count);
	{
		char command[256];
		unsigned long long got = 0;
		FILE *p;

		snprintf(command, sizeof(command),
			 "babeltrace2 %s -c sink.utils.counter 2>&1", dir);
		p = popen(command, "r");
		cr_assert(p);
		while (fgets(line, sizeof(line), p)) {
			if (strstr(line, " Event messages"))
				sscanf(line, "%llu", &got);
		}
		cr_assert_eq(pclose(p), 0);
		cr_assert_eq(got, count);
	}
}

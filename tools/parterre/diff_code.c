/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_code.c - of two runs whose programs differ: the first
 * code to be executed that is not the same in both, by its function and line.
 *
 * Both traces have class flow.  Each stretch that is executed for the first
 * time is held, instruction by instruction, against the function of that name
 * in the other run's program.  Addresses in its text may differ, if both sides'
 * mean the same place of the same function, or lie in the program's data: of
 * two programs one of which has grown, everything behind lies elsewhere.  So it
 * does not matter how the runs' times have shifted against each other.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/decode.h"
#include "sim/check.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

#define SHOWN      5
#define NEAR       (UINT64_C(4) << 20) /* numbers so near to rip are addresses */
#define SEEN       (1u << 16)
#define CODE_BYTES 16

struct finding {
	ps_t time;
	uint64_t retired;
	uint32_t cpu, partition;
	vaddr_t rip, other; /* other 0: there is no such function */
	char function[80];
	char text[72], other_text[72];
};

struct side {
	struct source source;
	struct decoder *decoder;
	uint64_t seen[SEEN]; /* stretches: partition and address; 0: none */
	size_t count;
	struct finding found[SHOWN];
};

/* --- two instructions --- */

static bool same_place(const struct symbols *p, uint64_t va,
		       const struct symbols *q, uint64_t wa)
{
	uint64_t offset = 0, other = 0;
	const char *f = symbols_function(p, va, &offset);
	const char *g = symbols_function(q, wa, &other);

	if (!f || !g)
		return !f && !g;
	return strcmp(f, g) == 0 && offset == other;
}

/* The number at *s, which moves behind it. */
static uint64_t take_number(const char **s)
{
	char *end;
	uint64_t n = strtoull(*s, &end, 0);

	*s = end;
	return n;
}

/* `next`: of the instruction behind it. */
struct insn {
	const struct symbols *program;
	vaddr_t next;
	const char *text;
};

static bool same_number(const struct insn *a, uint64_t n, const struct insn *b,
			uint64_t m, int relative)
{
	if (n == m && !relative)
		return true;
	if (relative) {
		n = relative > 0 ? a->next + n : a->next - n;
		m = relative > 0 ? b->next + m : b->next - m;
	}
	return n - a->next + NEAR < 2 * NEAR && m - b->next + NEAR < 2 * NEAR &&
	       same_place(a->program, n, b->program, m);
}

static bool same_text(const struct insn *a, const struct insn *b)
{
	const char *s = a->text, *t = b->text;

	while (*s && *t) {
		int rip = 0;

		if (*s != *t)
			return false;
		if (strncmp(s, "rip + ", 6) == 0 ||
		    strncmp(s, "rip - ", 6) == 0) {
			if (strncmp(t, "rip ", 4) != 0)
				return false;
			rip = s[4] == '+' ? 1 : -1;
			if (t[4] != s[4])
				return false;
			s += 6;
			t += 6;
		}
		if (*s >= '0' && *s <= '9' && *t >= '0' && *t <= '9') {
			uint64_t n = take_number(&s), m = take_number(&t);

			if (!same_number(a, n, b, m, rip))
				return false;
			continue;
		}
		s++;
		t++;
	}
	return *s == *t;
}

/* --- one stretch --- */

static bool known(struct side *s, uint64_t key)
{
	size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 48);

	for (size_t i = 0; i < SEEN; i++, at = (at + 1) % SEEN) {
		if (s->seen[at] == key)
			return true;
		if (!s->seen[at]) {
			s->seen[at] = key;
			return false;
		}
	}
	return true; /* full: enough was looked at */
}

static bool look(struct side *s, const struct symbols *p, vaddr_t va,
		 struct decoded *in)
{
	uint8_t code[CODE_BYTES];
	size_t n = symbols_code(p, va, code, sizeof(code));

	in->bytes = 0;
	if (n)
		decoder_look(s->decoder, code, n, va, in);
	return in->bytes != 0;
}

static void note(struct side *s, const struct trace_record *r,
		 const struct finding *f)
{
	struct finding *to = &s->found[s->count];

	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->found[i].function, f->function) == 0)
			return;
	}
	if (s->count == SHOWN)
		return;
	s->count++;
	*to = *f;
	to->time = r->time;
	to->retired = r->retired;
	to->cpu = r->cpu;
	to->partition = r->partition;
}

/* Static functions of several files may have one name. */
static bool counterpart(const struct symbols *p, vaddr_t begin,
			const char *name, const struct symbols *q, vaddr_t *va)
{
	vaddr_t at;

	for (size_t n = 0; symbols_find(p, name, n, &at); n++) {
		if (at == begin)
			return symbols_find(q, name, n, va);
	}
	return false;
}

/* The stretch of `s` against the other side's program. */
static void compare(struct side *s, const struct trace_record *r,
		    const struct symbols *p, const struct symbols *q)
{
	vaddr_t end = record_field(r, "end");
	uint64_t offset = 0;

	for (vaddr_t va = r->value[0].u; va < end;) {
		struct finding f = {.rip = va};
		const char *name = symbols_function(p, va, &offset);
		struct decoded mine, other;
		struct insn a, b;

		if (!name || !look(s, p, va, &mine))
			return;
		snprintf(f.function, sizeof(f.function), "%s", name);
		memcpy(f.text, mine.text, sizeof(f.text));
		if (!counterpart(p, va - offset, name, q, &f.other)) {
			f.other = 0;
			note(s, r, &f);
			return;
		}
		f.other += offset;
		if (!look(s, q, f.other, &other)) {
			f.other = 0;
			note(s, r, &f);
			return;
		}
		memcpy(f.other_text, other.text, sizeof(f.other_text));
		a = (struct insn){p, va + mine.bytes, mine.text};
		b = (struct insn){q, f.other + other.bytes, other.text};
		if (mine.bytes != other.bytes || !same_text(&a, &b)) {
			note(s, r, &f);
			return;
		}
		va += mine.bytes;
	}
}

static bool read_side(struct side *s, const struct side *o, struct error *err)
{
	struct trace_record r;
	int state;

	while ((state = source_next(&s->source, &r, err)) == 1) {
		const struct symbols *p, *q;
		vaddr_t rip = r.value[0].u;

		if (r.kind->number != TRACE_EV_FLOW || s->count == SHOWN ||
		    known(s, rip ^ (uint64_t)(r.partition + 1) << 48))
			continue;
		p = source_symbols(&s->source, r.partition, rip);
		/* Partitions have their numbers as they become known. */
		q = source_symbols(&o->source, r.partition, rip);
		if (p && q)
			compare(s, &r, p, q);
	}
	return state == 0;
}

/* --- what comes of it --- */

static void show(const struct side *s, const struct finding *f,
		 const char *name, const char *other)
{
	char place[256];

	if (!source_place(&s->source, f->partition, f->rip, place,
			  sizeof(place)))
		snprintf(place, sizeof(place), "%#" PRIx64, f->rip);
	printf("  %s: %s, first run at %.6f ms, cpu%u i=%" PRIu64 "\n",
	       f->rip >= UINT64_C(1) << 63
		       ? "the monitor"
		       : source_name(&s->source, f->partition),
	       place, (double)f->time / (double)PS_PER_MS, f->cpu, f->retired);
	printf("    %s %s\n    %s %s\n", name, f->text, other,
	       f->other ? f->other_text : "(is not there)");
}

/* Those of both sides, each function once, in the order of time. */
static void report(const struct side *a, const struct side *b)
{
	char shown[2 * SHOWN][80];
	size_t i = 0, k = 0, n = 0;

	printf("code that is not the same in both, as it was first run:\n");
	while (n < SHOWN && (i < a->count || k < b->count)) {
		bool first =
			k == b->count ||
			(i < a->count && a->found[i].time <= b->found[k].time);
		const struct finding *f =
			first ? &a->found[i++] : &b->found[k++];
		size_t at = 0;

		while (at < n && strcmp(shown[at], f->function) != 0)
			at++;
		if (at < n)
			continue;
		snprintf(shown[n++], sizeof(shown[0]), "%s", f->function);
		show(first ? a : b, f, first ? "A" : "B", first ? "B" : "A");
	}
}

bool diff_code(const char *dir_a, const char *dir_b, bool *found,
	       struct error *err)
{
	struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	bool good;

	CHECK(a && b);
	a->decoder = b->decoder = decoder_create();
	good = source_open(&a->source, dir_a, NULL, err) &&
	       source_open(&b->source, dir_b, NULL, err);
	/* One after the other, and the first side's names are known then. */
	good = good && read_side(a, b, err) && read_side(b, a, err);
	*found = good && (a->count || b->count);
	if (*found)
		report(a, b);
	decoder_destroy(a->decoder);
	source_close(&a->source);
	source_close(&b->source);
	free(a);
	free(b);
	return good;
}

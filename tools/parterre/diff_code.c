/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_code.c - of two runs whose programs differ: the first
 * code to be executed that is not the same in both, by its function and line.
 *
 * Both traces have class flow.  Each stretch that is executed for the first
 * time is held against the function of that name in the other run's program
 * (diff_align.h).  So it does not matter how the runs' times have shifted
 * against each other, nor where the programs' parts lie.  What is inlined in
 * another function is told by its own name.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "tools/parterre/diff_align.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

#define SHOWN  5
#define SEEN   (1u << 18)
#define INLINE 8 /* one function in another, so deep */

struct finding {
	ps_t time;
	uint64_t retired;
	uint32_t cpu, partition;
	vaddr_t rip;
	char function[80]; /* whose line it is */
	char text[72], other_text[72];
	char data[ALIGN_TEXT], other_data[ALIGN_TEXT];
};

/* Functions that were compared. */
struct pair {
	const struct symbols *p, *q;
	vaddr_t begin;
	struct alignment *alignment; /* NULL: the other has no such function */
	bool turned;                 /* side 1 is the one at `begin` */
};

struct pairs {
	size_t count, room;
	struct pair *pair;
};

struct side {
	struct source source;
	struct decoder *decoder;
	struct pairs *pairs;
	bool second;
	uint64_t seen[SEEN]; /* stretches: partition, begin, end; 0: none */
	size_t count;
	struct finding found[SHOWN];
};

/* --- one stretch --- */

static bool known(struct side *s, uint64_t key)
{
	size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 46);

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
	char plain[ALIGN_TEXT];
	vaddr_t at;

	for (size_t n = 0; symbols_find(p, name, n, &at); n++) {
		if (at == begin && symbols_find(q, name, n, va))
			return true;
	}
	align_plain_name(plain, sizeof(plain), name);
	return strcmp(plain, name) != 0 && symbols_find(q, plain, 0, va);
}

static const struct pair *pair_of(struct side *s, const struct symbols *p,
				  const struct symbols *q, vaddr_t begin,
				  const char *name)
{
	struct pairs *all = s->pairs;
	struct pair *to;
	vaddr_t other;

	for (size_t i = 0; i < all->count; i++) {
		if (all->pair[i].begin == begin && all->pair[i].p == p &&
		    all->pair[i].q == q)
			return &all->pair[i];
	}
	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 256;
		all->pair = realloc(all->pair, all->room * sizeof(*all->pair));
		CHECK(all->pair);
	}
	to = &all->pair[all->count++];
	*to = (struct pair){.p = p, .q = q, .begin = begin};
	/* Aligned always the same way round, that both runs' texts agree. */
	to->turned = s->second;
	if (counterpart(p, begin, name, q, &other))
		to->alignment = s->second ? align_functions(s->decoder, q,
							    other, p, begin)
					  : align_functions(s->decoder, p,
							    begin, q, other);
	return to;
}

static void name_scope(struct finding *f, const struct symbols *p,
		       const char *function)
{
	const char *scope[INLINE];

	if (!symbols_inlined(p, f->rip, scope, INLINE))
		scope[0] = function;
	align_plain_name(f->function, sizeof(f->function), scope[0]);
}

/* The stretch of `s` against the other side's program. */
static void compare(struct side *s, const struct trace_record *r,
		    const struct symbols *p, const struct symbols *q)
{
	vaddr_t end = record_field(r, "end"), va = r->value[0].u;
	uint64_t offset = 0;

	while (va < end) {
		const char *name = symbols_function(p, va, &offset);
		const struct pair *pair;
		const struct align_side *mine, *other;
		const struct align_insn *in;
		struct finding f = {.rip = va};

		if (!name)
			return;
		pair = pair_of(s, p, q, va - offset, name);
		if (!pair->alignment) {
			name_scope(&f, p, name);
			note(s, r, &f);
			return;
		}
		mine = &pair->alignment->side[pair->turned];
		other = &pair->alignment->side[!pair->turned];
		in = align_at(mine, va);
		if (!in)
			return;
		if (in->differs) {
			name_scope(&f, p, name);
			memcpy(f.text, in->text, sizeof(f.text));
			memcpy(f.data, in->data, sizeof(f.data));
			if (in->other != SIZE_MAX) {
				memcpy(f.other_text,
				       other->insn[in->other].text,
				       sizeof(f.other_text));
				memcpy(f.other_data,
				       other->insn[in->other].data,
				       sizeof(f.other_data));
			}
			note(s, r, &f);
		}
		va += in->bytes;
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
		    known(s, rip ^ (uint64_t)(r.partition + 1) << 48 ^
				     record_field(&r, "end") << 24))
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

static void show_insn(const char *name, const char *text, const char *data)
{
	if (!*text)
		printf("    %s (is not there)\n", name);
	else if (*data)
		printf("    %s %-40s ; %s\n", name, text, data);
	else
		printf("    %s %s\n", name, text);
}

static void show(const struct side *s, const struct finding *f,
		 const char *name, const char *other)
{
	char place[256];
	const char *whole = "";
	char plain[ALIGN_TEXT];

	if (!source_place(&s->source, f->partition, f->rip, place,
			  sizeof(place)))
		snprintf(place, sizeof(place), "%#" PRIx64, f->rip);
	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(place, "+."),
		 place);
	if (strcmp(plain, f->function) != 0)
		whole = ", inlined in ";
	printf("  %s: %s%s%s, first run at %.6f ms, cpu%u i=%" PRIu64 "\n",
	       f->rip >= UINT64_C(1) << 63
		       ? "the monitor"
		       : source_name(&s->source, f->partition),
	       *whole ? f->function : "", whole, place,
	       (double)f->time / (double)PS_PER_MS, f->cpu, f->retired);
	show_insn(name, f->text, f->data);
	show_insn(other, f->other_text, f->other_data);
}

/* Those of both sides, each function once, in the order of time. */
static void report(const struct side *a, const struct side *b)
{
	char shown[SHOWN][80];
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

static void pairs_free(struct pairs *all)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->pair[i].alignment)
			align_free(all->pair[i].alignment);
	}
	free(all->pair);
}

bool diff_code(const char *dir_a, const char *dir_b, bool *found,
	       struct error *err)
{
	struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct pairs pairs[2] = {0};
	bool good;

	CHECK(a && b);
	a->decoder = b->decoder = decoder_create();
	a->pairs = &pairs[0];
	b->pairs = &pairs[1];
	b->second = true;
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
	pairs_free(&pairs[0]);
	pairs_free(&pairs[1]);
	free(a);
	free(b);
	return good;
}

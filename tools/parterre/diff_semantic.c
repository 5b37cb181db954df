/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_semantic.c - the first difference between two traces that
 * matters: aligned by who did what, not by when.
 *
 * Each partition's events are a sequence of their own, without times, addresses
 * and handles (semantic.c), so that a run which only takes longer, or in which
 * another partition comes first, differs in nothing.  Of the partitions whose
 * sequences part, the one that parts first in time is told, with what its CPU
 * did just before: where it ran in ring 3, its last system call, the last
 * interrupt or exception.
 *
 * Who wrote the values is found by running again (diff_again.c).
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

#define CONTEXT 3
#define LINE    1200
#define CPUS    256
#define RING3   UINT64_C(0x800000000000) /* ring 3's addresses are below */

struct step {
	ps_t time;
	char *text;  /* as the semantic layer has it */
	char *line;  /* as `parterre trace` shows it */
	vaddr_t rip; /* the last in ring 3 on its CPU; 0: not known */
	uint32_t partition, rip_of, cpu;
	uint64_t retired;
	char *call, *event; /* the last of its CPU; NULL: none */
};

struct sequence {
	size_t count, room;
	struct step *step;
};

struct side {
	const char *dir;
	struct source source;
	struct sequence of[SOURCE_PARTITIONS];
	struct {
		vaddr_t rip;
		uint32_t rip_of;
		char call[LINE], event[LINE];
	} cpu[CPUS];
};

static char *copy(const char *text)
{
	char *s = *text ? strdup(text) : NULL;

	CHECK(s || !*text);
	return s;
}

static void remember(struct side *s, const struct trace_record *r)
{
	uint32_t cpu = r->cpu % CPUS;
	vaddr_t rip;

	if (record_rip(r, &rip) && rip < RING3) {
		s->cpu[cpu].rip = rip;
		s->cpu[cpu].rip_of = r->partition;
	}
	if (r->kind->number == TRACE_EV_SYSCALL)
		trace_format(r, s->cpu[cpu].call, LINE);
	if (r->kind->number == TRACE_EV_INTERRUPT ||
	    r->kind->number == TRACE_EV_EXCEPTION ||
	    r->kind->number == TRACE_EV_FAULT)
		trace_format(r, s->cpu[cpu].event, LINE);
}

static void add(struct side *s, const struct trace_record *r, const char *text)
{
	struct sequence *q = &s->of[r->partition % SOURCE_PARTITIONS];
	uint32_t cpu = r->cpu % CPUS;
	char line[LINE];

	if (q->count == q->room) {
		q->room = q->room ? 2 * q->room : 64;
		q->step = realloc(q->step, q->room * sizeof(*q->step));
		CHECK(q->step);
	}
	trace_format(r, line, sizeof(line));
	q->step[q->count++] = (struct step){
		.time = r->time,
		.text = copy(text),
		.line = copy(line),
		.rip = s->cpu[cpu].rip,
		.rip_of = s->cpu[cpu].rip_of,
		.partition = r->partition,
		.cpu = r->cpu,
		.retired = r->retired,
		.call = copy(s->cpu[cpu].call),
		.event = copy(s->cpu[cpu].event),
	};
}

static bool read_side(struct side *s, struct error *err)
{
	struct trace_record r;
	char text[LINE];
	bool landmark;
	int state;

	if (!source_open(&s->source, s->dir, NULL, err))
		return false;
	trace_plain(s->source.reader);
	while ((state = source_next(&s->source, &r, err)) == 1) {
		remember(s, &r);
		if (semantic_text(&s->source, &r, text, sizeof(text),
				  &landmark))
			add(s, &r, text);
	}
	return state == 0;
}

static void free_side(struct side *s)
{
	for (size_t i = 0; i < SOURCE_PARTITIONS; i++) {
		for (size_t k = 0; k < s->of[i].count; k++) {
			free(s->of[i].step[k].text);
			free(s->of[i].step[k].line);
			free(s->of[i].step[k].call);
			free(s->of[i].step[k].event);
		}
		free(s->of[i].step);
	}
	source_close(&s->source);
	free(s);
}

/* --- where they part --- */

struct parting {
	uint32_t partition;
	size_t at; /* in both sequences */
	ps_t time; /* PS_NEVER: they do not */
};

static ps_t time_at(const struct sequence *q, size_t at)
{
	return at < q->count ? q->step[at].time : PS_NEVER;
}

static struct parting first_parting(const struct side *a, const struct side *b)
{
	struct parting first = {.time = PS_NEVER};

	for (uint32_t i = 0; i < SOURCE_PARTITIONS; i++) {
		const struct sequence *p = &a->of[i], *q = &b->of[i];
		size_t at = 0;
		ps_t time;

		while (at < p->count && at < q->count &&
		       strcmp(p->step[at].text, q->step[at].text) == 0)
			at++;
		time = time_at(p, at);
		if (time_at(q, at) < time)
			time = time_at(q, at);
		if (time < first.time)
			first = (struct parting){i, at, time};
	}
	return first;
}

static void show_side(const struct side *s, const struct sequence *q, size_t at,
		      const char *name)
{
	const struct step *t = at < q->count ? &q->step[at] : NULL;
	char place[256];

	if (!t) {
		printf("%s      (nothing more)\n", name);
		return;
	}
	printf("%s      %s\n", name, t->line);
	if (t->rip &&
	    source_place(&s->source, t->rip_of, t->rip, place, sizeof(place)))
		printf("  in        %s: %s\n",
		       source_name(&s->source, t->rip_of), place);
	if (t->call)
		printf("  called    %s\n", t->call);
	if (t->event)
		printf("  after     %s\n", t->event);
}

/* Commands as they can be given. */
static void tell_how(const struct diff_origin *o, ps_t time)
{
	char what[2 * PATH_MAX];

	snprintf(what, sizeof(what), "%s%s%s%s", o ? "--images " : "",
		 o ? o->images : "", o ? " " : "",
		 o ? o->scenario : "SCENARIO");
	printf("go there: parterre inspect --at %" PRIu64 "ps %s\n"
	       "or: parterre debug %s, and there: run-to %" PRIu64 "ps\n"
	       "or: parterre run --gdb unix:parterre.gdb -S %s\n"
	       "and: gdb -ex 'target extended-remote parterre.gdb' "
	       "-ex 'monitor break-at %" PRIu64 "ps' -ex continue\n",
	       time, what, what, time, what, time);
}

static void report(const struct side *a, const struct side *b,
		   const struct parting *p, const struct diff_origin *of)
{
	const struct sequence *q = &a->of[p->partition];

	printf("the first difference that matters: %s, its event %zu\n",
	       source_name(&a->source, p->partition), p->at + 1);
	for (size_t i = p->at < CONTEXT ? 0 : p->at - CONTEXT; i < p->at; i++)
		printf("both   %s\n", q->step[i].text);
	show_side(a, q, p->at, "A");
	show_side(b, &b->of[p->partition], p->at, "B");
	tell_how(of, p->time);
}

static void tell(const struct sequence *q, size_t at, struct diff_event *e)
{
	const struct step *t = at < q->count ? &q->step[at] : NULL;

	if (!t)
		return;
	*e = (struct diff_event){
		.is = true,
		.time = t->time,
		.retired = t->retired,
		.cpu = t->cpu,
		.text = copy(t->text),
	};
}

void diff_parting_free(struct diff_parting *p)
{
	free(p->a.text);
	free(p->b.text);
}

int diff_semantic(const char *dir_a, const char *dir_b,
		  const struct diff_origin *of, struct diff_parting *told,
		  struct error *err)
{
	struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct parting p = {.partition = 0};
	bool good;

	*told = (struct diff_parting){.is = false};
	CHECK(a && b);
	a->dir = dir_a;
	b->dir = dir_b;
	good = read_side(a, err) && read_side(b, err);
	if (good) {
		p = first_parting(a, b);
		if (p.time == PS_NEVER)
			printf("nothing that matters differs: each partition "
			       "did the same in the same order\n");
		else
			report(a, b, &p, of);
	}
	if (good && p.time != PS_NEVER) {
		told->is = true;
		told->partition = p.partition;
		tell(&a->of[p.partition], p.at, &told->a);
		tell(&b->of[p.partition], p.at, &told->b);
	}
	free_side(a);
	free_side(b);
	return good ? EXIT_HELD : (int)err->code;
}

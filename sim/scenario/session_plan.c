/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_plan.c - faults that happen by themselves when their
 * time comes: "WHAT @ WHEN" of --inject and of inject.plan().
 *
 * WHAT is a fault as sim/fault.h reads it.  WHEN is one of
 *   40ms                     that instant
 *   12345i                   when all CPUs have retired so many instructions
 *   event NAME [FIELD=VALUE]...   after the next such trace event from now on;
 *                            a value is a number, a text or a partition's name
 *   mark NAME                where the scenario says mark("NAME")
 *   chance 1/N               at one instant, drawn by the seed: each
 * microsecond from now on has a chance of one in N
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/fault.h"
#include "sim/scenario/session_internal.h"

#define CONDITIONS_MAX 6

struct planned {
	char what[160];
	bool used, due, passed; /* due: now; passed: not again */
	ps_t when;              /* PS_NEVER: not by time */
	uint64_t retired;
	const struct trace_kind *kind; /* NULL: not by an event */
	char name[32];                 /* a mark's; "": not by a mark */
	unsigned conditions;
	struct {
		unsigned field;
		char text[40];
	} condition[CONDITIONS_MAX];
};

struct session_plan {
	struct planned fault[SESSION_PLAN_MAX];
	struct session *session;
	uint64_t random;
};

bool session_fault(struct session *s, const char *text, struct error *err)
{
	if (!fault_inject(s->view, text, err))
		return false;
	if (fault_ends(text))
		s->first->left = true;
	return true;
}

/* --- when --- */

static bool number(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*value = strtoull(text, &end, 0);
	*rest = end;
	return true;
}

bool session_instant(const char *text, ps_t *t)
{
	static const struct {
		const char *unit;
		ps_t ps;
	} units[] = {{"ps", 1},
		     {"ns", PS_PER_NS},
		     {"us", PS_PER_US},
		     {"ms", PS_PER_MS},
		     {"s", PS_PER_S}};
	const char *rest;
	uint64_t n;

	if (!number(text, &n, &rest))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(units[i].unit, rest) == 0)
			return !__builtin_mul_overflow(n, units[i].ps, t) && *t;
	}
	return false;
}

static uint64_t draw(struct session_plan *p)
{
	/* xorshift64*; the state is never 0. */
	p->random ^= p->random >> 12;
	p->random ^= p->random << 25;
	p->random ^= p->random >> 27;
	return (p->random * UINT64_C(0x2545F4914F6CDD1D)) >> 16;
}

/* The microsecond that is hit first, each with a chance of 1 in n. */
static bool by_chance(struct session_plan *p, struct planned *f,
		      const char *text)
{
	uint64_t n = 0, us = 1;
	const char *rest = "";

	if (strncmp(text, "1/", 2) != 0 || !number(text + 2, &n, &rest) ||
	    *rest || !n || n > 100000000)
		return false;
	while (draw(p) % n)
		us++;
	f->when = session_now(p->session) + us * PS_PER_US;
	return true;
}

static bool condition(struct planned *f, const char *word)
{
	const char *value = strchr(word, '=');
	unsigned i = 0;

	if (!value || f->conditions == CONDITIONS_MAX)
		return false;
	while (i < f->kind->field_count &&
	       (strncmp(f->kind->field[i].name, word, (size_t)(value - word)) ||
		f->kind->field[i].name[value - word]))
		i++;
	if (i == f->kind->field_count)
		return false;
	f->condition[f->conditions].field = i;
	snprintf(f->condition[f->conditions].text, sizeof(f->condition[0].text),
		 "%s", value + 1);
	f->conditions++;
	return true;
}

static bool by_event(struct planned *f, const char *text)
{
	char words[200], *word, *rest = words;

	snprintf(words, sizeof(words), "%s", text);
	word = strsep(&rest, " ");
	f->kind = trace_kind_by_name(word);
	if (!f->kind)
		return false;
	while ((word = strsep(&rest, " "))) {
		if (*word && !condition(f, word))
			return false;
	}
	return true;
}

static bool read_when(struct session_plan *p, struct planned *f,
		      const char *text)
{
	const char *rest;

	f->when = PS_NEVER;
	f->retired = UINT64_MAX;
	if (strncmp(text, "event ", 6) == 0)
		return by_event(f, text + 6);
	if (strncmp(text, "chance ", 7) == 0)
		return by_chance(p, f, text + 7);
	if (strncmp(text, "mark ", 5) == 0)
		return (size_t)snprintf(f->name, sizeof(f->name), "%s",
					text + 5) < sizeof(f->name);
	if (session_instant(text, &f->when))
		return true;
	f->when = PS_NEVER;
	return number(text, &f->retired, &rest) && strcmp(rest, "i") == 0;
}

/* --- what comes --- */

static bool holds(const struct session_plan *p, const struct planned *f,
		  const struct trace_record *r)
{
	for (unsigned i = 0; i < f->conditions; i++) {
		unsigned n = f->condition[i].field;
		const char *text = f->condition[i].text, *rest = "";
		uint64_t value;

		if (r->kind->field[n].kind == TRACE_STR) {
			if (strcmp(r->value[n].s, text) != 0)
				return false;
		} else if (number(text, &value, &rest) && !*rest) {
			if (r->value[n].u != value)
				return false;
		} else if (strcmp(partition_view_name(p->session->view,
						      (uint32_t)r->value[n].u),
				  text) != 0) {
			return false;
		}
	}
	return true;
}

static bool on_event(void *owner, const struct trace_record *r)
{
	struct session_plan *p = owner;
	bool due = false;

	for (unsigned i = 0; i < SESSION_PLAN_MAX; i++) {
		struct planned *f = &p->fault[i];

		if (!f->used || f->due || f->passed || f->kind != r->kind ||
		    !holds(p, f, r))
			continue;
		f->due = due = true;
	}
	return due;
}

static bool on_mark(void *owner, const char *name)
{
	struct session_plan *p = owner;
	bool due = false;

	for (unsigned i = 0; i < SESSION_PLAN_MAX; i++) {
		struct planned *f = &p->fault[i];

		if (!f->used || f->passed || !f->name[0] ||
		    strcmp(f->name, name) != 0)
			continue;
		f->due = due = true;
	}
	return due;
}

/* What is wanted next, of all that is to come. */
static void rearm(struct session_plan *p)
{
	struct session_watch *w = &p->session->watch[SESSION_WATCH_PLAN];

	w->when = PS_NEVER;
	w->retired = UINT64_MAX;
	for (unsigned i = 0; i < SESSION_PLAN_MAX; i++) {
		const struct planned *f = &p->fault[i];

		if (!f->used || f->passed)
			continue;
		if (f->when < w->when)
			w->when = f->when;
		if (f->retired < w->retired)
			w->retired = f->retired;
	}
}

static bool on_reached(void *owner, struct session *s, struct error *err)
{
	struct session_plan *p = owner;
	struct error why;

	for (unsigned i = 0; i < SESSION_PLAN_MAX; i++) {
		struct planned *f = &p->fault[i];

		if (!f->used || f->passed ||
		    (!f->due && session_now(s) < f->when &&
		     machine_retired(s->machine) < f->retired))
			continue;
		f->passed = true;
		if (!session_fault(s, f->what, &why))
			return error_set(
				err, why.code, "at %.6f ms, of the plan: %s",
				(double)session_now(s) / (double)PS_PER_MS,
				why.text);
	}
	rearm(p);
	return true;
}

/* --- the plan --- */

static struct session_plan *plan_of(struct session *f)
{
	struct session_plan *p = f->plan;

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	CHECK(p);
	p->session = f;
	p->random = f->config.seed * 2 + UINT64_C(0x9E3779B97F4A7C15);
	f->plan = p;
	f->watch[SESSION_WATCH_PLAN] = (struct session_watch){
		.when = PS_NEVER,
		.retired = UINT64_MAX,
		.event = on_event,
		.mark = on_mark,
		.reached = on_reached,
		.owner = p,
	};
	return p;
}

bool session_plan_add(struct session *s, const char *text, struct error *err)
{
	struct session_plan *p = plan_of(s);
	const char *at = strstr(text, " @ ");
	struct planned *f = p->fault;

	while (f < p->fault + SESSION_PLAN_MAX && f->used)
		f++;
	if (f == p->fault + SESSION_PLAN_MAX)
		return error_set(err, EXIT_USAGE,
				 "fault '%s': a run has at most %d planned "
				 "ones",
				 text, SESSION_PLAN_MAX);
	memset(f, 0, sizeof(*f));
	if (!at || (size_t)(at - text) >= sizeof(f->what) ||
	    !read_when(p, f, at + 3))
		return error_set(
			err, EXIT_USAGE,
			"fault '%s': has to be WHAT @ WHEN, and WHEN an "
			"instant (40ms), a count (12345i), event NAME "
			"FIELD=VALUE..., mark NAME or chance 1/N "
			"(docs/faults.md)",
			text);
	memcpy(f->what, text, (size_t)(at - text));
	if (!fault_known(f->what, err))
		return false;
	f->used = true;
	rearm(p);
	return true;
}

struct session_plan *session_plan_keep(const struct session *f)
{
	struct session_plan *kept = NULL;

	if (f->plan) {
		kept = malloc(sizeof(*kept));
		CHECK(kept);
		*kept = *f->plan;
	}
	return kept;
}

void session_plan_back(struct session *f, const struct session_plan *kept)
{
	if (!f->plan)
		return;
	if (kept)
		*f->plan = *kept;
	else
		memset(f->plan->fault, 0, sizeof(f->plan->fault));
	rearm(f->plan);
}

bool session_plan_begin(struct session *f, struct error *err)
{
	for (size_t i = 0; i < f->options.plan_count; i++) {
		if (!session_plan_add(f, f->options.plan[i], err))
			return false;
	}
	return true;
}

void session_plan_end(struct session *f)
{
	free(f->plan);
	f->plan = NULL;
	session_watch_begin(f);
	f->watch[SESSION_WATCH_PLAN].event = NULL;
	f->watch[SESSION_WATCH_PLAN].mark = NULL;
	f->watch[SESSION_WATCH_PLAN].reached = NULL;
}

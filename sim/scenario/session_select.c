/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_select.c - what is written of a class of events, in
 * words: of --trace-window and the like, and of trace{} in a scenario.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "sim/scenario/session.h"

/* "A..B", either end may be left out; false: there are no dots. */
static bool ends(const char *text, char *first, size_t bytes, const char **last)
{
	const char *dots = strstr(text, "..");

	if (!dots || (size_t)(dots - text) >= bytes)
		return false;
	memcpy(first, text, (size_t)(dots - text));
	first[dots - text] = '\0';
	*last = dots + 2;
	return true;
}

static bool number(const char *text, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 0);
	return *end == '\0';
}

bool session_numbers(const char *text, uint64_t *from, uint64_t *to)
{
	const char *last;
	char first[40];

	*from = 0;
	*to = UINT64_MAX;
	return ends(text, first, sizeof(first), &last) &&
	       (!*first || number(first, from)) &&
	       (!*last || number(last, to)) && *from <= *to;
}

bool session_window(const char *text, ps_t *from, ps_t *to)
{
	const char *last;
	char first[40];

	*from = 0;
	*to = PS_NEVER;
	return ends(text, first, sizeof(first), &last) &&
	       (!*first || session_instant(first, from) ||
		strcmp(first, "0") == 0) &&
	       (!*last || session_instant(last, to)) && *from <= *to;
}

/* Of instants, or of counts that a CPU retired. */
static bool take_window(struct trace_select *s, const char *arg)
{
	s->by_window = true;
	s->from = 0;
	s->to = PS_NEVER;
	s->retired_from = 0;
	s->retired_to = UINT64_MAX;
	return session_window(arg, &s->from, &s->to) ||
	       (session_numbers(arg, &s->retired_from, &s->retired_to) &&
		(s->from = 0, s->to = PS_NEVER, true));
}

static bool take_partition(struct trace_select *s, const char *arg)
{
	if (s->names == TRACE_SELECT_NAMES || !*arg ||
	    strlen(arg) >= sizeof(s->name[0]))
		return false;
	strcpy(s->name[s->names++], arg);
	return true;
}

static bool take_cpu(struct trace_select *s, const char *arg)
{
	uint64_t cpu;

	if (!number(arg, &cpu) || cpu >= CPU_COUNT_MAX)
		return false;
	s->by_cpu = true;
	s->cpus |= UINT32_C(1) << cpu;
	return true;
}

bool session_select_take(struct trace_select *s, const char *what,
			 const char *arg)
{
	if (strcmp(what, "window") == 0)
		return take_window(s, arg);
	if (strcmp(what, "partition") == 0)
		return take_partition(s, arg);
	if (strcmp(what, "cpu") == 0)
		return take_cpu(s, arg);
	s->by_range = true;
	return strcmp(what, "range") == 0 &&
	       session_numbers(arg, &s->low, &s->high);
}

/* "CLASS:ARG" is of that class, "ARG" of both that are deep. */
static bool take_option(struct trace_select *s, const struct session_select *o)
{
	const char *colon = strchr(o->arg, ':'), *arg = o->arg;
	unsigned classes = TRACE_DEEP;
	char class[16];

	if (colon && (size_t)(colon - arg) < sizeof(class)) {
		memcpy(class, arg, (size_t)(colon - arg));
		class[colon - arg] = '\0';
		classes = trace_class_by_name(class);
		arg = colon + 1;
	}
	if (!classes || (classes & TRACE_CLASS_PARTITION))
		return false;
	for (unsigned i = 0; i < TRACE_CLASSES; i++) {
		if ((classes >> i & 1) &&
		    !session_select_take(&s[i], o->what, arg))
			return false;
	}
	return true;
}

bool session_select_add(struct session_options *o, const char *what,
			const char *arg)
{
	struct trace_select scratch[TRACE_CLASSES] = {0};
	struct session_select *s = &o->select[o->select_count];

	if (o->select_count == SESSION_SELECTS_MAX || strchr(arg, '\n'))
		return false;
	*s = (struct session_select){.what = what, .arg = arg};
	return take_option(scratch, s) && ++o->select_count;
}

/* Of which machine it is a partition is not said. */
static bool met(const struct session *first, const char *name)
{
	for (const struct session *m = first; m; m = m->next) {
		if (m->trace && trace_knows(m->trace, name))
			return true;
	}
	return false;
}

/* Has one before it the same name? */
static bool again(const struct trace *t, size_t i, const char *name)
{
	while (i-- > 0) {
		if (strcmp(trace_known(t, i), name) == 0)
			return true;
	}
	return false;
}

static bool nobody(const struct session *first, const char *name,
		   struct error *err)
{
	char all[400] = "";
	size_t n = 0;

	for (const struct session *m = first; m; m = m->next) {
		const char *one;

		for (size_t i = 0; m->trace && n < sizeof(all) &&
				   (one = trace_known(m->trace, i));
		     i++) {
			if (again(m->trace, i, one))
				continue;
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
					      n ? ", " : "", one);
		}
	}
	return error_set(err, EXIT_USAGE,
			 "--trace-partition %s: no partition of the run was "
			 "called so; there were: %s",
			 name, n ? all : "none");
}

bool session_select_met(const struct session *first, struct error *err)
{
	for (size_t i = 0; first->trace && i < first->options.select_count;
	     i++) {
		const struct session_select *o = &first->options.select[i];
		const char *colon = strchr(o->arg, ':');
		const char *name = colon ? colon + 1 : o->arg;

		if (strcmp(o->what, "partition") == 0 && !met(first, name))
			return nobody(first, name, err);
	}
	return true;
}

void session_select(struct session *s)
{
	struct trace_select select[TRACE_CLASSES] = {0};
	bool any = false;

	for (size_t i = 0; i < s->options.select_count; i++)
		any |= take_option(select, &s->options.select[i]);
	for (unsigned i = 1; any && i < TRACE_CLASSES; i++)
		trace_select(s->trace, (enum trace_class)(1u << i), &select[i]);
}

bool session_classes(const char *text, unsigned *classes)
{
	unsigned class = trace_class_by_name(text);

	if (strcmp(text, "none") == 0)
		*classes = 0;
	else if (class == TRACE_CLASS_PARTITION)
		*classes = TRACE_CLASS_PARTITION;
	else
		*classes = TRACE_PLAIN | class;
	return class || !*classes;
}

const char *session_classes_text(unsigned classes)
{
	return classes ? trace_class_text((enum trace_class)(
				 1u << (31 - __builtin_clz(classes))))
		       : "none";
}

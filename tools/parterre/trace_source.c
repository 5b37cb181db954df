/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_source.c - see trace_source.h. */
#include "tools/parterre/trace_source.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/abi/lead.h"
#include "sim/seen/progress.h"
#include "tools/parterre/parterre.h"

/* --- fields --- */

uint64_t record_field(const struct trace_record *r, const char *name)
{
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (strcmp(r->kind->field[i].name, name) == 0)
			return r->value[i].u;
	}
	return 0;
}

bool record_rip(const struct trace_record *r, vaddr_t *rip)
{
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (strcmp(r->kind->field[i].name, "rip") == 0) {
			*rip = r->value[i].u;
			return *rip != 0;
		}
	}
	return false;
}

const char *switch_reason_text(uint64_t reason)
{
	static const char *const text[] = {
		[SWITCH_QUANTUM] = "quantum", [SWITCH_WAIT] = "wait",
		[SWITCH_YIELD] = "yield",     [SWITCH_WAKE] = "wake",
		[SWITCH_STOP] = "stop",       [SWITCH_CRASH] = "crash",
		[SWITCH_WINDOW] = "window",   [SWITCH_PAUSE] = "pause",
	};

	return reason < ARRAY_LEN(text) && text[reason] ? text[reason] : "?";
}

/* --- the filter --- */

void filter_all(struct trace_filter *f)
{
	*f = (struct trace_filter){.to = PS_NEVER, .retired_to = UINT64_MAX};
}

static bool take_class(struct trace_filter *f, const char *arg)
{
	unsigned class = trace_class_by_name(arg);

	f->classes |= class;
	return class != 0;
}

static bool take_kind(struct trace_filter *f, const char *arg)
{
	const struct trace_kind *k = trace_kind_by_name(arg);

	if (!k)
		return false;
	f->by_kind = f->kind[k->number] = true;
	return true;
}

static bool take_cpu(struct trace_filter *f, const char *arg)
{
	char *end;
	unsigned long cpu = strtoul(arg, &end, 10);

	if (end == arg || *end || cpu >= ARRAY_LEN(f->cpu))
		return false;
	f->by_cpu = f->cpu[cpu] = true;
	return true;
}

/* Times, or numbers: retired instructions of the event's CPU. */
static bool take_window(struct trace_filter *f, const char *arg)
{
	if (session_window(arg, &f->from, &f->to))
		return true;
	f->by_retired = true;
	return session_numbers(arg, &f->retired_from, &f->retired_to);
}

bool filter_take(struct trace_filter *f, const char *option, const char *arg)
{
	if (strcmp(option, "event") == 0)
		return take_kind(f, arg);
	if (strcmp(option, "class") == 0)
		return take_class(f, arg);
	if (strcmp(option, "cpu") == 0)
		return take_cpu(f, arg);
	if (strcmp(option, "window") == 0)
		return take_window(f, arg);
	if (strcmp(option, "address") == 0) {
		f->by_address = true;
		return session_numbers(arg, &f->address_from, &f->address_to);
	}
	if (strcmp(option, "partition") != 0 ||
	    f->partitions == FILTER_NAMES_MAX || !*arg)
		return false;
	f->partition[f->partitions++] = arg;
	return true;
}

bool filter_address(const struct trace_filter *f, const struct trace_record *r)
{
	static const char *const names[] = {"rip", "address", "cr2", "pc"};

	for (unsigned i = 0; i < r->kind->field_count; i++) {
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			if (strcmp(r->kind->field[i].name, names[k]) == 0 &&
			    r->value[i].u >= f->address_from &&
			    r->value[i].u <= f->address_to)
				return true;
		}
	}
	return false;
}

static bool is_partition(const struct source *s, const char *name,
			 uint32_t index)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (end != name && !*end)
		return number == index;
	return strcmp(name, source_name(s, index)) == 0;
}

static bool lets_through(const struct source *s, const struct trace_record *r)
{
	const struct trace_filter *f = &s->filter;
	bool good = !f->partitions;

	if ((f->classes && !(f->classes & r->kind->class)) ||
	    (f->by_kind && !f->kind[r->kind->number]) ||
	    (f->by_cpu && !f->cpu[r->cpu % ARRAY_LEN(f->cpu)]) ||
	    r->time < f->from || r->time > f->to ||
	    (f->by_retired &&
	     (r->retired < f->retired_from || r->retired > f->retired_to)) ||
	    (f->by_address && !filter_address(f, r)))
		return false;
	for (size_t i = 0; i < f->partitions && !good; i++)
		good = is_partition(s, f->partition[i], r->partition);
	return good;
}

/* --- programs --- */

/* Beside the trace's directory. */
static void read_programs(struct source *s, const char *dir)
{
	char path[PATH_MAX];
	const char *slash = strrchr(dir, '/');

	s->programs = programs_create();
	if (snprintf(path, sizeof(path), "%.*s%sprograms",
		     slash ? (int)(slash - dir) : 0, dir,
		     slash ? "/" : "") < (int)sizeof(path))
		programs_read(s->programs, path);
}

const struct symbols *source_symbols(const struct source *s, uint32_t partition,
				     vaddr_t va)
{
	return s->programs ? programs_symbols(s->programs, partition, va)
			   : NULL;
}

bool source_place(const struct source *s, uint32_t partition, vaddr_t va,
		  char *text, size_t bytes)
{
	const struct symbols *p = source_symbols(s, partition, va);
	uint64_t offset;
	const char *name = p ? symbols_function(p, va, &offset) : NULL;
	const char *file;
	uint32_t line;

	*text = '\0';
	if (!name)
		return false;
	if (symbols_line(p, va, &file, &line))
		snprintf(text, bytes, "%s+%#" PRIx64 " (%s:%u)", name, offset,
			 file, line);
	else
		snprintf(text, bytes, "%s+%#" PRIx64, name, offset);
	return true;
}

/* --- reading --- */

/* `dir` without slashes at its end. */
static bool trimmed(char *to, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return snprintf(to, PATH_MAX, "%.*s", (int)n, dir) < PATH_MAX;
}

bool source_open(struct source *s, const char *dir,
		 const struct trace_filter *f, struct error *err)
{
	char path[PATH_MAX];

	memset(s, 0, sizeof(*s));
	if (f)
		s->filter = *f;
	else
		filter_all(&s->filter);
	s->reader = trace_open(dir, err);
	if (!s->reader)
		return false;
	if (s->filter.classes && !(s->filter.classes & TRACE_DEEP))
		trace_plain(s->reader);
	if (trimmed(path, dir))
		read_programs(s, path);
	return true;
}

void source_close(struct source *s)
{
	trace_reader_close(s->reader);
	programs_free(s->programs);
	memset(s, 0, sizeof(*s));
}

static void learn(struct source *s, const struct trace_record *r)
{
	uint64_t index = r->value[0].u;

	if (r->kind->number != TRACE_EV_PARTITION || index >= SOURCE_PARTITIONS)
		return;
	snprintf(s->name[index], SOURCE_NAME_BYTES, "%s", r->value[2].s);
	s->kind[index] = (uint32_t)r->value[3].u;
	s->named = true;
}

int source_next(struct source *s, struct trace_record *r, struct error *err)
{
	int state;

	while ((state = trace_next(s->reader, r, err)) == 1) {
		s->number++;
		if (!s->silent)
			progress_trace("reading the trace", s->reader);
		learn(s, r);
		if (lets_through(s, r)) {
			s->shown++;
			break;
		}
	}
	if (state != 1)
		progress_end();
	return state;
}

const char *source_name(const struct source *s, uint64_t index)
{
	if (!index)
		return "monitor";
	return index < SOURCE_PARTITIONS && s->name[index][0] ? s->name[index]
							      : "?";
}

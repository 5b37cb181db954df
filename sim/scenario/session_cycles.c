/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_cycles.c - cycles.txt: who spent the cycles of a run,
 * and on what.  tools/parterre/cycles.h reads it.
 *
 * Text, sorted, the same for equal runs.  Ticks are of 1/256 cycle:
 *   parterre-cycles 1
 *   timing MODEL HZ
 *   causes NAME...
 *   cpu N FROM_PS TO_PS TOTAL HALTED STALLED AHEAD ROUNDING (machine.h)
 *   stack PARTITION MODE FUNCTION TICKS...
 *   end
 * The stacks' ticks, and for all CPUs -AHEAD, HALTED, STALLED and ROUNDING come
 * to TOTAL.  MODE: monitor (ring 0 of the hypervisor), kernel and process of a
 * guest, program of any other partition; of a machine without partitions kernel
 * and user; "start": before the first partition.  A function without a name is
 * its page of memory.
 *
 * A kernel's names come from machine{symbols=}, from its file, or from the
 * table that a Linux kernel has in RAM (sim/kernel_names.h) when the file is
 * written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "abi/database.h"
#include "sim/check.h"
#include "sim/kernel_names.h"
#include "sim/programs.h"
#include "sim/scenario/session_internal.h"

#define NAME_BYTES 96
#define PAGE       UINT64_C(4096)

/* One word: what is in it may be anything. */
static void word(char *to, size_t bytes, const char *text)
{
	snprintf(to, bytes, "%s", *text ? text : "?");
	for (; *to; to++) {
		if (*to <= ' ' || *to > '~' || *to == ';')
			*to = '_';
	}
}

struct stack {
	uint32_t owner;
	const char *mode;
	char function[NAME_BYTES];
	int64_t ticks[TIMING_CAUSE_COUNT];
};

struct stacks {
	const struct session *s;
	struct programs *programs;
	struct kernel_names *kernel; /* where `programs` has none; or NULL */
	size_t count, room;
	struct stack *stack;
};

static int by_name(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	int order;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	order = strcmp(x->mode, y->mode);
	return order ? order : strcmp(x->function, y->function);
}

/* --- names --- */

static const char *name_of(const struct session *s, uint32_t owner)
{
	if (owner)
		return partition_view_name(s->view, owner);
	return partition_view_opaque(s->view) ? "machine" : "start";
}

/* One that was made again has another index, but is the same by name. */
static uint32_t first_of_name(const struct session *s, uint32_t owner)
{
	for (uint32_t i = 1; i < owner; i++) {
		if (!strcmp(name_of(s, i), name_of(s, owner)))
			return i;
	}
	return owner;
}

static const char *mode_of(const struct stacks *t, const struct cpu_account *a)
{
	struct partition_info info;

	if (partition_view_opaque(t->s->view))
		return a->user ? "user" : "kernel";
	if (!a->user)
		return "monitor";
	if (!a->owner)
		return "program";
	partition_view_info(t->s->view, a->owner - 1, &info);
	if (info.kind != PART_GUEST)
		return "program";
	return programs_is_process(t->programs, a->owner, a->pc) ? "process"
								 : "kernel";
}

static void name_function(const struct stacks *t, const struct cpu_account *a,
			  char *to)
{
	const struct symbols *p =
		programs_symbols(t->programs, a->user ? a->owner : 0, a->pc);
	uint64_t offset;
	const char *name = p ? symbols_function(p, a->pc, &offset) : NULL;

	if (!name && t->kernel && !a->user)
		name = kernel_names_function(t->kernel, a->pc, &offset);
	if (name)
		word(to, NAME_BYTES, name);
	else
		snprintf(to, NAME_BYTES, "%#" PRIx64 "-%#" PRIx64,
			 a->pc & ~(PAGE - 1), a->pc | (PAGE - 1));
}

/* --- adding up --- */

/* Into the first `n`, those of equal names as one. */
static void merge(struct stacks *t)
{
	size_t n = 0;

	if (!t->count)
		return;
	qsort(t->stack, t->count, sizeof(*t->stack), by_name);
	for (size_t i = 0; i < t->count; i++) {
		struct stack *to = n ? &t->stack[n - 1] : NULL;

		if (!to || by_name(to, &t->stack[i])) {
			t->stack[n++] = t->stack[i];
			continue;
		}
		for (unsigned k = 0; k < TIMING_CAUSE_COUNT; k++)
			to->ticks[k] += t->stack[i].ticks[k];
	}
	t->count = n;
}

static void add(struct stacks *t, const struct cpu_account *a)
{
	struct stack *s;

	if (t->count == t->room) {
		merge(t); /* there are far fewer functions than instructions */
		if (t->count * 2 >= t->room) {
			t->room = t->room ? 2 * t->room : 4096;
			t->stack =
				realloc(t->stack, t->room * sizeof(*t->stack));
			CHECK_MSG(t->stack, "out of memory for the stacks of "
					    "cycles");
		}
	}
	s = &t->stack[t->count++];
	s->owner = first_of_name(t->s, a->owner);
	s->mode = mode_of(t, a);
	name_function(t, a, s->function);
	memcpy(s->ticks, a->ticks, sizeof(s->ticks));
}

static bool knows_kernel(const struct stacks *t)
{
	const struct symbols *p = programs_symbols(t->programs, 0, 0);

	return t->kernel || (p && symbols_nth(p, 0));
}

/* What the scenario names is a program, or a list of names. */
static bool add_symbols(struct stacks *t, struct error *err)
{
	const char *path = t->s->symbols;

	if (!*path)
		return true;
	programs_add(t->programs, 0, path);
	if (!knows_kernel(t))
		t->kernel = kernel_names_read(path, err);
	return knows_kernel(t);
}

static void look_for_names(struct stacks *t)
{
	struct cpu_ram region[BUS_RAM_REGIONS];
	size_t n = bus_ram_regions(machine_bus(t->s->machine), region);

	for (size_t i = 0; i < n && !t->kernel; i++) {
		if (!region[i].read_only)
			t->kernel = kernel_names_look(&region[i]);
	}
}

static void gather(struct stacks *t)
{
	struct partition_view *view = t->s->view;

	for (uint32_t i = 0; i <= partition_view_count(view); i++) {
		const char *path = partition_view_program(view, i);

		if (path)
			programs_add(t->programs, i, path);
	}
	if (partition_view_opaque(view) && !knows_kernel(t))
		look_for_names(t);
	for (unsigned i = 0; i < machine_cpu_count(t->s->machine); i++) {
		size_t count;
		const struct cpu_account *a =
			cpu_accounted(machine_cpu(t->s->machine, i), &count);

		for (size_t k = 0; k < count; k++)
			add(t, &a[k]);
	}
	merge(t);
}

/* --- the file --- */

static void put_cpus(FILE *f, const struct session *s)
{
	struct machine *m = s->machine;

	for (unsigned i = 0; i < machine_cpu_count(m); i++) {
		struct machine_cycles c;

		machine_cycles(m, i, machine_now(m), &c);
		fprintf(f,
			"cpu %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			" %" PRIu64 " %" PRId64 " %" PRId64 "\n",
			i, c.from, c.to, c.total, c.halted, c.stalled, c.ahead,
			c.rounding);
	}
}

static void put_stack(FILE *f, const struct session *s, const struct stack *k)
{
	char name[NAME_BYTES];
	bool any = false;

	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
		any = any || k->ticks[i];
	if (!any)
		return;
	word(name, sizeof(name), name_of(s, k->owner));
	fprintf(f, "stack %s %s %s", name, k->mode, k->function);
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
		fprintf(f, " %" PRId64, k->ticks[i]);
	fputc('\n', f);
}

static void free_stacks(struct stacks *t)
{
	kernel_names_free(t->kernel);
	programs_free(t->programs);
	free(t->stack);
}

bool session_cycles(struct session *s, struct error *err)
{
	struct stacks t = {.s = s};
	char path[PATH_MAX];
	FILE *f;
	bool ok;

	if (!session_join(path, s->out, "cycles.txt", err))
		return false;
	t.programs = programs_create();
	if (!add_symbols(&t, err)) {
		free_stacks(&t);
		return false;
	}
	gather(&t);
	f = fopen(path, "w");
	if (!f) {
		free_stacks(&t);
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	}
	fprintf(f, "parterre-cycles 1\ntiming %s %" PRIu64 "\ncauses",
		timing_model_name[machine_timing(s->machine)],
		s->config.cpu_hz);
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
		fprintf(f, " %s", timing_cause_name[i]);
	fputc('\n', f);
	put_cpus(f, s);
	for (size_t i = 0; i < t.count; i++)
		put_stack(f, s, &t.stack[i]);
	fprintf(f, "end\n");
	free_stacks(&t);
	ok = !ferror(f);
	return (fclose(f) == 0 && ok) ||
	       error_set(err, EXIT_HOST, "%s: cannot be written: %s", path,
			 strerror(errno));
}

/* --- a window of the run --- */

bool session_cycles_option(struct session_options *o, const char *window)
{
	o->cycles = true;
	if (!window)
		return true;
	if (!session_window(window, &o->cycles_from, &o->cycles_to) ||
	    o->cycles_from == o->cycles_to)
		return false;
	if (o->cycles_to == PS_NEVER)
		o->cycles_to = 0;
	return true;
}

ps_t session_cycles_cut(const struct session *f, ps_t now)
{
	const struct session_options *o = &f->options;

	if (!o->cycles || f->accounted)
		return PS_NEVER;
	if (!f->accounts)
		return o->cycles_from > now ? o->cycles_from : PS_NEVER;
	return o->cycles_to > now ? o->cycles_to : PS_NEVER;
}

bool session_cycles_reached(struct session *f, struct error *err)
{
	const struct session_options *o = &f->options;
	ps_t now = session_now(f);
	bool ok = true;

	if (!o->cycles || f->accounted)
		return true;
	if (!f->accounts && now >= o->cycles_from) {
		for (struct session *m = f; m; m = m->next)
			machine_account(m->machine);
		f->accounts = true;
	} else if (f->accounts && o->cycles_to && now >= o->cycles_to) {
		for (struct session *m = f; m && ok; m = m->next)
			ok = session_cycles(m, err);
		f->accounted = true;
	}
	return ok;
}

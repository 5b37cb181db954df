/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/verbs_who.c - the commands `machine`, which of several all others
 * are about, and `who`. */
#include <inttypes.h>
#include <string.h>

#include "sim/debug/verbs.h"

#include "abi/layout.h"
#include "abi/syscall.h"

/* --- machine --- */

const char *verb_machine_name(const struct session *s)
{
	return s->name[0] ? s->name : "first";
}

static void show(const struct verb_call *c, const struct session *s)
{
	fprintf(c->out, "%s %-15s %14.6f ms  %" PRIu64 " instructions%s\n",
		s == c->d->s ? "*" : " ", verb_machine_name(s),
		(double)machine_now(s->machine) / (double)PS_PER_MS,
		machine_retired(s->machine),
		session_is_on(s) && !c->d->ended[s->index] ? "" : ", off");
}

static bool wants_any(const struct debug_wants *w)
{
	bool any = w->break_count || w->watch_count;

	for (size_t i = 0; i < w->condition_count; i++)
		any |= w->condition[i].what != DEBUG_AT_TIME;
	return any;
}

static void drive(struct verb_call *c, const struct session *to)
{
	if (to != c->d->s && wants_any(&c->d->wants))
		fprintf(c->out,
			"breakpoints, watchpoints and conditions of machine %s "
			"are deleted\n",
			verb_machine_name(c->d->s));
	debug_drive(c->d, to->index);
	show(c, to);
}

bool verb_machine(struct verb_call *c)
{
	const struct session *s = c->d->s->first;

	if (c->argc > 1)
		return false;
	for (; !c->argc && s; s = s->next)
		show(c, s);
	if (!c->argc)
		return true;
	if (!c->d->front.drives) {
		verb_refuse(c, "gdb knows the threads of the first machine "
			       "alone; parterre debug can go to another one");
		return true;
	}
	while (s && strcmp(verb_machine_name(s), c->argv[0]))
		s = s->next;
	if (s)
		drive(c, s);
	else
		verb_refuse(c, "no machine is called '%s'; see machine",
			    c->argv[0]);
	return true;
}

/* --- who --- */

static void who_cpu(struct verb_call *c, unsigned i)
{
	struct machine *m = c->d->s->machine;
	struct cpu *cpu = machine_cpu(m, i);
	uint32_t index = partition_view_current(verb_view(c), i);

	fprintf(c->out,
		"cpu%u  ring %u  0x%016" PRIx64 "  %" PRIu64 " retired  ", i,
		cpu_cpl(cpu), cpu_rip(cpu), cpu_retired(cpu));
	if (partition_view_opaque(verb_view(c))) {
		fprintf(c->out, "%s\n", cpu_halted(cpu) ? "halted" : "");
		return;
	}
	fprintf(c->out, "%s%s%s; it has the CPU since %s\n",
		index ? partition_view_name(verb_view(c), index)
		      : "no partition",
		cpu_cpl(cpu) ? "" : ", in its monitor",
		cpu_halted(cpu) ? ", halted" : "",
		partition_switch_text(partition_view_reason(verb_view(c), i)));
}

static void who_waits(struct verb_call *c, uint32_t slot)
{
	uint64_t mask, deadline;

	if (!partition_view_waits(verb_view(c), slot, &mask, &deadline))
		return;
	fprintf(c->out, " for");
	if (mask == UINT64_MAX)
		fprintf(c->out, " any event");
	for (unsigned bit = 0; mask != UINT64_MAX && bit < 64; bit++) {
		uint64_t one = UINT64_C(1) << bit;

		if (!(mask & one))
			continue;
		if (bit < CHANNEL_SLOTS)
			fprintf(c->out, " channel-handle-%u", bit);
		else if (one == EVENT_CONSOLE)
			fprintf(c->out, " console");
		else if (one == EVENT_ALARM)
			fprintf(c->out, " alarm");
		else
			fprintf(c->out, " event-%u", bit);
	}
	if (deadline != UINT64_MAX)
		fprintf(c->out, ", or %" PRIu64 " ns", deadline);
}

static void who_slot(struct verb_call *c, uint32_t slot)
{
	struct partition_saved saved;
	uint32_t state, cpu, index;

	index = partition_view_slot(verb_view(c), slot, &state, &cpu);
	if (!index)
		return;
	fprintf(c->out, "%-12s process %u, thread %u: %s",
		partition_view_name(verb_view(c), index), DEBUG_MACHINE + index,
		slot + 1, partition_run_text(state));
	if (partition_view_slot_cpu(verb_view(c), slot) != PARTITION_NO_CPU)
		fprintf(c->out, " on cpu%u",
			partition_view_slot_cpu(verb_view(c), slot));
	else if (partition_view_saved(verb_view(c), slot, &saved))
		fprintf(c->out, " at 0x%" PRIx64, saved.rip);
	who_waits(c, slot);
	fprintf(c->out, "\n");
}

bool verb_who(struct verb_call *c)
{
	struct machine *m = c->d->s->machine;

	if (c->argc)
		return false;
	if (c->d->s->first->next)
		fprintf(c->out, "machine %s: ", verb_machine_name(c->d->s));
	fprintf(c->out, "%.6f ms, %" PRIu64 " instructions retired%s\n",
		(double)machine_now(m) / (double)PS_PER_MS, machine_retired(m),
		c->d->changed ? "; the debugger has changed this run" : "");
	for (unsigned i = 0; i < machine_cpu_count(m); i++)
		who_cpu(c, i);
	for (uint32_t slot = 0;
	     slot < PART_SLOTS && !partition_view_opaque(verb_view(c)); slot++)
		who_slot(c, slot);
	return true;
}

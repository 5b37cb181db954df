/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/verbs.c - commands of our own: `monitor ...` in gdb.
 *
 * A command looks, or says where the machine shall stop next; it never lets it
 * run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bus.h"
#include "sim/debug/debug_internal.h"

#include "abi/layout.h"
#include "abi/syscall.h"

#define WORDS_MAX 8

struct verb_call {
	struct debug *d;
	struct debug_id id;
	int argc; /* words behind the command */
	char **argv;
	FILE *out;
};

/* False: usage is to be shown. */
typedef bool verb_fn(struct verb_call *c);

struct verb {
	const char *name, *arguments, *help;
	verb_fn *fn;
};

static struct partition_view *view_of(const struct verb_call *c)
{
	return c->d->s->view;
}

static bool number(const char *text, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 0);
	return !*end;
}

/* --- where to stop --- */

static bool add_condition(struct verb_call *c, struct debug_condition want)
{
	struct debug_wants *w = &c->d->wants;

	if (w->condition_count == DEBUG_CONDITIONS_MAX) {
		fprintf(c->out, "there are %d already; delete some\n",
			DEBUG_CONDITIONS_MAX);
		return true;
	}
	want.number = ++w->condition_number;
	w->condition[w->condition_count++] = want;
	fprintf(c->out, "[%u] continue, and it stops there\n", want.number);
	return true;
}

/* "any" or a partition's name; false after a message. */
static bool partition(struct verb_call *c, int word, uint32_t *index)
{
	struct partition_info info;
	struct error err;

	*index = 0;
	if (word >= c->argc || !strcmp(c->argv[word], "any"))
		return true;
	if (!partition_view_find(view_of(c), c->argv[word], &info, &err)) {
		fprintf(c->out, "%s\n", err.text);
		return false;
	}
	*index = info.index;
	return true;
}

static bool break_switch(struct verb_call *c)
{
	struct debug_condition want = {.what = DEBUG_ON_SWITCH};

	if (c->argc > 2)
		return false;
	/* One name: of the partition that it goes to. */
	if (c->argc == 1)
		return !partition(c, 0, &want.to) || add_condition(c, want);
	return !partition(c, 0, &want.from) || !partition(c, 1, &want.to) ||
	       add_condition(c, want);
}

static bool step_switch(struct verb_call *c)
{
	return !c->argc &&
	       add_condition(c, (struct debug_condition){
					.what = DEBUG_ON_SWITCH, .once = true});
}

static bool finish_switch(struct verb_call *c)
{
	unsigned cpu = c->d->stop.cpu;
	struct debug_condition want = {
		.what = DEBUG_ON_SWITCH,
		.once = true,
		.to = partition_view_current(view_of(c), cpu),
	};

	if (c->id.pid != DEBUG_MACHINE)
		want.to = c->id.pid - DEBUG_MACHINE;
	if (!want.to) {
		fprintf(c->out, "no partition has cpu%u; see who\n", cpu);
		return true;
	}
	return !c->argc && add_condition(c, want);
}

static bool break_call(struct verb_call *c)
{
	struct debug_condition want = {.what = DEBUG_ON_CALL};

	return c->argc == 1 && number(c->argv[0], &want.value) &&
	       add_condition(c, want);
}

static bool break_message(struct verb_call *c)
{
	struct debug_condition want = {.what = DEBUG_ON_MESSAGE};

	return c->argc == 1 && number(c->argv[0], &want.value) &&
	       add_condition(c, want);
}

static bool break_at(struct verb_call *c)
{
	struct debug_condition want = {.once = true};
	uint64_t now;

	if (c->argc != 1)
		return false;
	if (session_instant(c->argv[0], &want.value)) {
		want.what = DEBUG_AT_TIME;
		now = machine_now(c->d->s->machine);
	} else if (number(c->argv[0], &want.value)) {
		want.what = DEBUG_AT_COUNT;
		now = machine_retired(c->d->s->machine);
	} else {
		return false;
	}
	if (want.value <= now) {
		fprintf(c->out, "that is over: it is %" PRIu64 "%s\n", now,
			want.what == DEBUG_AT_TIME ? "ps" : "");
		return true;
	}
	return add_condition(c, want);
}

static void show_condition(struct verb_call *c, const struct debug_condition *k)
{
	static const char *const name[] = {
		[DEBUG_ON_SWITCH] = "break-switch",
		[DEBUG_ON_CALL] = "break-call",
		[DEBUG_ON_MESSAGE] = "break-message",
		[DEBUG_AT_TIME] = "break-at",
		[DEBUG_AT_COUNT] = "break-at",
	};

	fprintf(c->out, "[%u] %s", k->number, name[k->what]);
	if (k->what == DEBUG_ON_SWITCH)
		fprintf(c->out, " %s %s",
			k->from ? partition_view_name(view_of(c), k->from)
				: "any",
			k->to ? partition_view_name(view_of(c), k->to) : "any");
	else
		fprintf(c->out, " %" PRIu64 "%s", k->value,
			k->what == DEBUG_AT_TIME ? "ps" : "");
	fprintf(c->out, "%s\n", k->once ? " (once)" : "");
}

static bool conditions(struct verb_call *c)
{
	const struct debug_wants *w = &c->d->wants;

	if (c->argc)
		return false;
	for (size_t i = 0; i < w->condition_count; i++)
		show_condition(c, &w->condition[i]);
	if (!w->condition_count)
		fprintf(c->out, "none\n");
	return true;
}

static bool delete_condition(struct verb_call *c)
{
	struct debug_wants *w = &c->d->wants;
	uint64_t n = 0;
	size_t kept = 0;

	if (c->argc > 1 || (c->argc && !number(c->argv[0], &n)))
		return false;
	for (size_t i = 0; i < w->condition_count; i++) {
		if (c->argc && w->condition[i].number != n)
			w->condition[kept++] = w->condition[i];
	}
	if (c->argc && kept == w->condition_count)
		fprintf(c->out, "there is no [%" PRIu64 "]; see conditions\n",
			n);
	w->condition_count = kept;
	memset(c->d->switched, 0, sizeof(c->d->switched));
	return true;
}

static bool stepping_interrupts(struct verb_call *c)
{
	if (c->argc == 1 && !strcmp(c->argv[0], "on"))
		c->d->wants.into_interrupts = true;
	else if (c->argc == 1 && !strcmp(c->argv[0], "off"))
		c->d->wants.into_interrupts = false;
	else if (c->argc)
		return false;
	fprintf(c->out, "a step %s an interrupt's handler\n",
		c->d->wants.into_interrupts ? "goes into" : "runs through");
	return true;
}

/* --- who --- */

static void show_cpu(struct verb_call *c, unsigned i)
{
	struct machine *m = c->d->s->machine;
	struct cpu *cpu = machine_cpu(m, i);
	uint32_t index = partition_view_current(view_of(c), i);

	fprintf(c->out,
		"cpu%u  ring %u  0x%016" PRIx64 "  %" PRIu64 " retired  ", i,
		cpu_cpl(cpu), cpu_rip(cpu), cpu_retired(cpu));
	if (partition_view_opaque(view_of(c))) {
		fprintf(c->out, "%s\n", cpu_halted(cpu) ? "halted" : "");
		return;
	}
	fprintf(c->out, "%s%s%s; it has the CPU since %s\n",
		index ? partition_view_name(view_of(c), index) : "no partition",
		cpu_cpl(cpu) ? "" : ", in its monitor",
		cpu_halted(cpu) ? ", halted" : "",
		partition_switch_text(partition_view_reason(view_of(c), i)));
}

static void show_wait(struct verb_call *c, uint32_t slot)
{
	uint64_t mask, deadline;

	if (!partition_view_waits(view_of(c), slot, &mask, &deadline))
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

static void show_slot(struct verb_call *c, uint32_t slot)
{
	struct partition_saved saved;
	uint32_t state, cpu, index;

	index = partition_view_slot(view_of(c), slot, &state, &cpu);
	if (!index)
		return;
	fprintf(c->out, "%-12s process %u, thread %u: %s",
		partition_view_name(view_of(c), index), DEBUG_MACHINE + index,
		slot + 1, partition_run_text(state));
	if (partition_view_slot_cpu(view_of(c), slot) != PARTITION_NO_CPU)
		fprintf(c->out, " on cpu%u",
			partition_view_slot_cpu(view_of(c), slot));
	else if (partition_view_saved(view_of(c), slot, &saved))
		fprintf(c->out, " at 0x%" PRIx64, saved.rip);
	show_wait(c, slot);
	fprintf(c->out, "\n");
}

static bool who(struct verb_call *c)
{
	struct machine *m = c->d->s->machine;

	if (c->argc)
		return false;
	fprintf(c->out, "%.6f ms, %" PRIu64 " instructions retired%s\n",
		(double)machine_now(m) / (double)PS_PER_MS, machine_retired(m),
		c->d->changed ? "; the debugger has changed this run" : "");
	for (unsigned i = 0; i < machine_cpu_count(m); i++)
		show_cpu(c, i);
	for (uint32_t slot = 0;
	     slot < PART_SLOTS && !partition_view_opaque(view_of(c)); slot++)
		show_slot(c, slot);
	return true;
}

/* --- looking --- */

static bool partitions(struct verb_call *c)
{
	struct partition_info p;

	if (c->argc)
		return false;
	for (size_t i = 0; i < partition_view_count(view_of(c)); i++) {
		partition_view_info(view_of(c), i, &p);
		fprintf(c->out,
			"%-12s process %-3u %-11s %-9s %8" PRIu64
			" switches  %.3f ms\n",
			p.name, DEBUG_MACHINE + p.index,
			partition_kind_text(p.kind),
			p.gone ? "gone" : partition_state_text(p.state),
			p.switches, (double)p.ran / (double)PS_PER_MS);
	}
	return true;
}

static bool channels(struct verb_call *c)
{
	struct partition_channel k;

	if (c->argc)
		return false;
	for (size_t i = 0; i < partition_view_channel_count(view_of(c)); i++) {
		partition_view_channel(view_of(c), i, &k);
		fprintf(c->out, "%-4u %-8s %s -> %s, %" PRIu64 " messages\n",
			k.id, partition_channel_type_text(k.type),
			partition_view_name(view_of(c), k.client),
			partition_view_name(view_of(c), k.server), k.passed);
	}
	return true;
}

static bool physical(struct verb_call *c)
{
	uint64_t at, words = 8, value;

	if (c->argc < 1 || c->argc > 2 || !number(c->argv[0], &at) ||
	    (c->argc == 2 && !number(c->argv[1], &words)) || words > 512)
		return false;
	for (uint64_t i = 0; i < words; i++, at += 8) {
		if (!bus_peek(machine_bus(c->d->s->machine), at, &value, 8)) {
			fprintf(c->out, "0x%" PRIx64 ": no RAM there\n", at);
			break;
		}
		fprintf(c->out, "0x%010" PRIx64 "  0x%016" PRIx64 "\n", at,
			value);
	}
	return true;
}

static bool translation(struct verb_call *c)
{
	struct partition_view *v = view_of(c);
	uint64_t va;
	paddr_t pa;

	if (c->argc != 1 || !number(c->argv[0], &va))
		return false;
	if (!debug_translate(c->d, c->id, va, &pa))
		fprintf(c->out, "0x%" PRIx64 " is not mapped here\n", va);
	else if (partition_view_opaque(v))
		fprintf(c->out, "physical 0x%" PRIx64 "\n", pa);
	else
		fprintf(c->out, "physical 0x%" PRIx64 ", owned by %s\n", pa,
			partition_view_name(
				v, partition_view_owner(v, pa / PAGE_BYTES,
							NULL)));
	return true;
}

/* --- the table --- */

static verb_fn help;

static const struct verb verbs[] = {
	{"break-at", "TIME|COUNT",
	 "stop at an instant (40ms, 12500us) or a count of instructions",
	 break_at},
	{"break-call", "N", "stop when a partition makes this system call",
	 break_call},
	{"break-message", "CHANNEL", "stop when a message enters this channel",
	 break_message},
	{"break-switch", "[[FROM] TO]",
	 "stop at the first instruction after a switch between partitions",
	 break_switch},
	{"channels", "", "who talks to whom", channels},
	{"conditions", "", "what the machine will stop for", conditions},
	{"delete", "[N]", "no longer stop for [N], or for any",
	 delete_condition},
	{"finish-switch", "", "stop when this partition has a CPU again",
	 finish_switch},
	{"help", "[COMMAND]", "this", help},
	{"partitions", "", "all, with what they have done", partitions},
	{"physical", "ADDRESS [WORDS]", "show RAM by physical address",
	 physical},
	{"step-switch", "", "stop at the next switch", step_switch},
	{"stepping-interrupts", "[on|off]",
	 "a step goes into interrupts' handlers (off)", stepping_interrupts},
	{"translate", "ADDRESS", "where this thread's address lies in RAM",
	 translation},
	{"who", "", "which CPU runs whom and why, who waits for what", who},
};

static bool help(struct verb_call *c)
{
	bool any = false;

	if (c->argc > 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (c->argc && strcmp(verbs[i].name, c->argv[0]))
			continue;
		fprintf(c->out, "%s%s%s: %s\n", verbs[i].name,
			*verbs[i].arguments ? " " : "", verbs[i].arguments,
			verbs[i].help);
		any = true;
	}
	if (!any)
		fprintf(c->out, "no such command: %s\n", c->argv[0]);
	return true;
}

bool debug_command(struct debug *d, struct debug_id id, const char *line,
		   FILE *out)
{
	char copy[1024], *word[WORDS_MAX], *rest;
	int n = 0;

	if (strlen(line) >= sizeof(copy))
		return false;
	strcpy(copy, line);
	for (char *w = strtok_r(copy, " \t", &rest); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &rest))
		word[n++] = w;
	if (!n)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct verb_call c = {d, id, n - 1, word + 1, out};

		if (strcmp(verbs[i].name, word[0]))
			continue;
		if (!verbs[i].fn(&c))
			fprintf(out, "usage: %s %s\n", verbs[i].name,
				verbs[i].arguments);
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/verbs.c - commands of our own: `monitor ...` in gdb.
 *
 * A command looks, or says where the machine shall stop next; it never lets it
 * run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bus.h"
#include "sim/debug/verbs.h"
#include "sim/scenario/tables.h"

#include "abi/layout.h"
#include "abi/syscall.h"

#define WORDS_MAX 8

void verb_refuse(struct verb_call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(c->out, fmt, ap);
	va_end(ap);
	fputc('\n', c->out);
	c->refused = true;
}

bool verb_number(const char *text, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*n = strtoull(text, &end, 0);
	return !*end && !errno;
}

bool verb_place(struct verb_call *c, const char *text, struct debug_at *at)
{
	struct error err;

	if (debug_place_find(c->d, c->id, text, at, &err))
		return true;
	verb_refuse(c, "%s", err.text);
	return false;
}

/* --- where to stop --- */

static bool add_condition(struct verb_call *c, struct debug_condition want)
{
	struct debug_wants *w = &c->d->wants;

	if (w->condition_count == DEBUG_CONDITIONS_MAX) {
		verb_refuse(c, "there are %d already; delete some",
			    DEBUG_CONDITIONS_MAX);
		return true;
	}
	want.number = ++w->condition_number;
	w->condition[w->condition_count++] = want;
	fprintf(c->out,
		want.behind ? "[%u] that is over: going back stops there\n"
			    : "[%u] continue, and it stops there\n",
		want.number);
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
	if (!partition_view_find(verb_view(c), c->argv[word], &info, &err)) {
		verb_refuse(c, "%s", err.text);
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
		.to = partition_view_current(verb_view(c), cpu),
	};

	if (c->id.pid != DEBUG_MACHINE)
		want.to = c->id.pid - DEBUG_MACHINE;
	if (!want.to) {
		verb_refuse(c, "no partition has cpu%u; see who", cpu);
		return true;
	}
	return !c->argc && add_condition(c, want);
}

static bool break_call(struct verb_call *c)
{
	struct debug_condition want = {.what = DEBUG_ON_CALL};

	if (c->argc != 1)
		return false;
	if (!verb_number(c->argv[0], &want.value) &&
	    !partition_call_find(c->argv[0], &want.value)) {
		verb_refuse(c, "%s: no such system call", c->argv[0]);
		return true;
	}
	if (*partition_call_text(want.value) == '?') {
		verb_refuse(c, "no system call has the number %" PRIu64,
			    want.value);
		return true;
	}
	return add_condition(c, want);
}

static bool break_message(struct verb_call *c)
{
	struct debug_condition want = {.what = DEBUG_ON_MESSAGE};
	struct partition_channel channel;
	bool there = false;

	if (c->argc != 1 || !verb_number(c->argv[0], &want.value))
		return false;
	for (size_t i = 0; i < partition_view_channel_count(verb_view(c));
	     i++) {
		partition_view_channel(verb_view(c), i, &channel);
		there |= channel.id == want.value;
	}
	if (!there)
		fprintf(c->out, "there is no channel %" PRIu64 " yet\n",
			want.value);
	return add_condition(c, want);
}

static double in_ms(ps_t time)
{
	return (double)time / (double)PS_PER_MS;
}

static bool break_at(struct verb_call *c)
{
	struct debug_condition want = {.once = true};
	const char *why;
	uint64_t now;

	if (c->argc != 1)
		return false;
	if (session_instant(c->argv[0], &want.value)) {
		want.what = DEBUG_AT_TIME;
		now = machine_now(c->d->s->machine);
	} else if (verb_number(c->argv[0], &want.value)) {
		want.what = DEBUG_AT_COUNT;
		now = machine_retired(c->d->s->machine);
	} else {
		return false;
	}
	want.behind = want.value < now;
	if (want.value > now || (want.behind && c->d->past))
		return add_condition(c, want);
	why = want.behind ? "over, and this run cannot go back" : "now";
	if (want.what == DEBUG_AT_TIME)
		verb_refuse(c, "that is %s: it is %.6f ms", why, in_ms(now));
	else
		verb_refuse(c, "that is %s: %" PRIu64 " have retired", why,
			    now);
	return true;
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
			k->from ? partition_view_name(verb_view(c), k->from)
				: "any",
			k->to ? partition_view_name(verb_view(c), k->to)
			      : "any");
	else if (k->what == DEBUG_AT_TIME)
		fprintf(c->out, " %.6f ms", in_ms(k->value));
	else
		fprintf(c->out, " %" PRIu64 "%s%s", k->value,
			k->what == DEBUG_ON_CALL ? " " : "",
			k->what == DEBUG_ON_CALL ? partition_call_text(k->value)
						 : "");
	fprintf(c->out, "%s\n", k->once ? " (once)" : "");
}

static void show_break(struct verb_call *c, const struct debug_break *b)
{
	char text[200];

	debug_place_text(c->d, (struct debug_id){b->pid, 1}, b->va, text,
			 sizeof(text));
	fprintf(c->out, "[%u] break 0x%" PRIx64 " %s of %s\n", b->number, b->va,
		text, verb_process(c, b->pid));
}

static void show_watch(struct verb_call *c, const struct debug_watch *w)
{
	fprintf(c->out, "[%u] %s 0x%" PRIx64 ", %" PRIu64 " bytes, of %s\n",
		w->number,
		w->kinds == CPU_WATCH_WRITE  ? "watch"
		: w->kinds == CPU_WATCH_READ ? "rwatch"
					     : "awatch",
		w->va, w->bytes, verb_process(c, w->pid));
}

static bool conditions(struct verb_call *c)
{
	const struct debug_wants *w = &c->d->wants;
	bool any = false;

	if (c->argc)
		return false;
	for (size_t i = 0; i < w->break_count; i++) {
		if (w->brk[i].number)
			show_break(c, &w->brk[i]);
		any |= w->brk[i].number != 0;
	}
	for (size_t i = 0; i < w->watch_count; i++) {
		if (w->watch[i].number)
			show_watch(c, &w->watch[i]);
		any |= w->watch[i].number != 0;
	}
	for (size_t i = 0; i < w->condition_count; i++)
		show_condition(c, &w->condition[i]);
	if (!w->condition_count && !any)
		fprintf(c->out, "none\n");
	return true;
}

static bool delete_condition(struct verb_call *c)
{
	uint32_t last = c->d->wants.condition_number;
	uint64_t n = 0;

	if (c->argc > 1 || (c->argc && !verb_number(c->argv[0], &n)))
		return false;
	if (c->argc && (!n || n > last || !debug_delete(c->d, (uint32_t)n)))
		verb_refuse(c, "there is no [%" PRIu64 "]; see conditions", n);
	for (uint32_t i = 1; !c->argc && i <= last; i++)
		debug_delete(c->d, i);
	return true;
}

/* --- breakpoints --- */

static bool add_break(struct verb_call *c, struct debug_at at, uint32_t number)
{
	char text[200];

	if (!debug_break_number(c->d, at.pid, at.va, number)) {
		verb_refuse(c, "there are %d breakpoints already; delete some",
			    DEBUG_BREAKS_MAX);
		return false;
	}
	debug_place_text(c->d, (struct debug_id){at.pid, c->id.tid}, at.va,
			 text, sizeof(text));
	fprintf(c->out, "[%u] 0x%" PRIx64 " %s of %s\n", number, at.va, text,
		verb_process(c, at.pid));
	return true;
}

/* FILE:LINE: wherever it was inlined. */
static bool is_line(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t line;

	return colon && verb_number(colon + 1, &line);
}

static bool break_place(struct verb_call *c)
{
	uint32_t number = c->d->wants.condition_number + 1, line = 0;
	const struct symbols *s;
	const char *file;
	struct debug_at at;

	if (c->argc != 1)
		return false;
	if (!verb_place(c, c->argv[0], &at))
		return true;
	s = debug_symbols(c->d, (struct debug_id){at.pid, c->id.tid}, at.va);
	if (!is_line(c->argv[0]) || !s || !symbols_line(s, at.va, &file, &line))
		add_break(c, at, number);
	for (size_t i = 0; line && symbols_line_nth(s, file, line, i, &at.va) &&
			   add_break(c, at, number);
	     i++)
		;
	c->d->wants.condition_number = number;
	return true;
}

static bool watch(struct verb_call *c, unsigned kinds)
{
	struct debug_wants *w = &c->d->wants;
	struct debug_watch want;
	struct debug_at at;
	uint64_t bytes = 8;

	if (c->argc < 1 || c->argc > 2 ||
	    (c->argc == 2 && !verb_number(c->argv[1], &bytes)) || !bytes ||
	    bytes > PAGE_BYTES)
		return false;
	if (!verb_place(c, c->argv[0], &at))
		return true;
	memset(&want, 0, sizeof(want)); /* compared as bytes */
	want.pid = at.pid;
	want.number = w->condition_number + 1;
	want.va = at.va;
	want.bytes = bytes;
	want.kinds = kinds;
	if (!debug_watch_number(c->d, &want)) {
		verb_refuse(c, "there are %d watchpoints already; delete some",
			    DEBUG_WATCHES_MAX);
		return true;
	}
	w->condition_number++;
	show_watch(c, &want);
	return true;
}

static bool watch_writes(struct verb_call *c)
{
	return watch(c, CPU_WATCH_WRITE);
}

static bool watch_reads(struct verb_call *c)
{
	return watch(c, CPU_WATCH_READ);
}

static bool watch_all(struct verb_call *c)
{
	return watch(c, CPU_WATCH_READ | CPU_WATCH_WRITE);
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

static bool past(struct verb_call *c)
{
	const struct debug_search *s = &c->d->search;

	if (c->argc)
		return false;
	if (!c->d->past) {
		verb_refuse(c, "this run cannot go back: somebody may type, or "
			       "its disk cannot be held in memory");
		return true;
	}
	fprintf(c->out,
		"%zu earlier instants stand\nthe last search back ran %" PRIu64
		" spans again, %" PRIu64 " instructions\n",
		past_count(c->d->past), s->spans, s->instructions);
	return true;
}

/* --- looking --- */

/* What `parterre inspect` shows of it. */
static bool show(struct verb_call *c,
		 void (*table)(struct table *t, const struct session *s))
{
	struct table t;

	if (c->argc)
		return false;
	partition_view_look(verb_view(c));
	table_open(&t, false, c->out);
	table(&t, c->d->s);
	table_close(&t);
	return true;
}

static bool show_channels(struct verb_call *c)
{
	return show(c, tables_channels);
}

static bool show_cpus(struct verb_call *c)
{
	return show(c, tables_cpus);
}

static bool show_devices(struct verb_call *c)
{
	return show(c, tables_devices);
}

static bool show_partitions(struct verb_call *c)
{
	return show(c, tables_partitions);
}

static bool show_queues(struct verb_call *c)
{
	return show(c, tables_queues);
}

static bool show_schedule(struct verb_call *c)
{
	return show(c, tables_schedule);
}

static bool show_times(struct verb_call *c)
{
	return show(c, tables_times);
}

static bool physical(struct verb_call *c)
{
	uint64_t at, words = 8, value;

	if (c->argc < 1 || c->argc > 2 || !verb_number(c->argv[0], &at) ||
	    (c->argc == 2 && !verb_number(c->argv[1], &words)) || words > 512)
		return false;
	for (uint64_t i = 0; i < words; i++, at += 8) {
		if (!bus_peek(machine_bus(c->d->s->machine), at, &value, 8)) {
			verb_refuse(c, "0x%" PRIx64 ": no RAM there", at);
			break;
		}
		fprintf(c->out, "0x%010" PRIx64 "  0x%016" PRIx64 "\n", at,
			value);
	}
	return true;
}

static bool translation(struct verb_call *c)
{
	struct partition_view *v = verb_view(c);
	struct debug_id id;
	struct debug_at at;
	paddr_t pa;

	if (c->argc != 1)
		return false;
	if (!verb_place(c, c->argv[0], &at))
		return true;
	id = verb_reader(c, at.pid);
	if (!debug_translate(c->d, id, at.va, &pa))
		verb_refuse(c, "0x%" PRIx64 " is not mapped here", at.va);
	else if (partition_view_opaque(v))
		fprintf(c->out, "physical 0x%" PRIx64 "\n", pa);
	else
		fprintf(c->out, "physical 0x%" PRIx64 ", owned by %s\n", pa,
			partition_view_name(
				v, partition_view_owner(v, pa / PAGE_BYTES,
							NULL)));
	return true;
}

static bool snapshot(struct verb_call *c)
{
	struct error err = {0};

	if (c->argc != 1)
		return false;
	if (session_save(c->d->s, c->argv[0], &err))
		fprintf(c->out, "%s: the machine at %.6f ms\n", c->argv[0],
			in_ms(machine_now(c->d->s->machine)));
	else
		verb_refuse(c, "%s", err.text);
	return true;
}

/* --- the table --- */

static verb_fn help;

static const struct verb verbs[] = {
	{"awatch", "PLACE [BYTES]", "stop after each access to it (8 bytes)",
	 watch_all},
	{"backtrace", "[FRAMES]",
	 "who called whom, from the switch service to the program",
	 verb_backtrace},
	{"break", "PLACE",
	 "stop before an instruction: [PARTITION:]FUNCTION[+OFFSET], "
	 "FILE:LINE, ADDRESS",
	 break_place},
	{"break-at", "TIME|COUNT",
	 "stop at an instant (40ms, 12500us) or a count of instructions",
	 break_at},
	{"break-call", "N|NAME",
	 "stop when a partition makes this system call: 2, WAIT", break_call},
	{"break-message", "CHANNEL", "stop when a message enters this channel",
	 break_message},
	{"break-switch", "[[FROM] TO]",
	 "stop at the first instruction after a switch between partitions",
	 break_switch},
	{"channels", "", "who talks to whom", show_channels},
	{"conditions", "", "what the machine will stop for", conditions},
	{"cpus", "", "what each CPU is at", show_cpus},
	{"delete", "[N]", "no longer stop for [N], or for any",
	 delete_condition},
	{"devices", "", "their registers", show_devices},
	{"disassemble", "[PLACE [COUNT]]",
	 "instructions with source lines, from here on", verb_disassemble},
	{"finish-switch", "", "stop when this partition has a CPU again",
	 finish_switch},
	{"help", "[COMMAND]", "this", help},
	{"list", "[PLACE]", "the source around it", verb_list},
	{"machine", "[NAME]",
	 "of several machines: all, or the one that commands are about from "
	 "now "
	 "on",
	 verb_machine},
	{"memory", "PLACE [WORDS]",
	 "show memory as this thread, or PARTITION:, sees it", verb_memory},
	{"partitions", "", "all, with what they have done", show_partitions},
	{"past", "", "what going back has to go on from, and took last", past},
	{"physical", "ADDRESS [WORDS]", "show RAM by physical address",
	 physical},
	{"queues", "", "what waits in the channels' queues", show_queues},
	{"registers", "[NAME|system|float|vector|all]",
	 "of this thread; without a word the general ones", verb_registers},
	{"rwatch", "PLACE [BYTES]", "stop after each read of it", watch_reads},
	{"schedule", "", "who gets the CPUs when", show_schedule},
	{"snapshot", "FILE", "write the machine, as it stands, to a file",
	 snapshot},
	{"step-switch", "", "stop at the next switch", step_switch},
	{"stepping-interrupts", "[on|off]",
	 "a step goes into interrupts' handlers (off)", stepping_interrupts},
	{"symbol", "ADDRESS", "function and line there", verb_symbol},
	{"threads", "", "CPUs and virtual processors, and where they are",
	 verb_threads},
	{"times", "", "the time by who had the CPUs", show_times},
	{"translate", "PLACE", "where it lies in RAM, and whose it is",
	 translation},
	{"watch", "PLACE [BYTES]", "stop after each write to it (8 bytes)",
	 watch_writes},
	{"who", "", "which CPU runs whom and why, who waits for what",
	 verb_who},
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
		verb_refuse(c, "no such command: %s", c->argv[0]);
	return true;
}

enum debug_told debug_command(struct debug *d, struct debug_id id,
			      const char *line, FILE *out)
{
	char copy[1024], *word[WORDS_MAX], *rest;
	int n = 0;

	if (strlen(line) >= sizeof(copy))
		return DEBUG_NO_COMMAND;
	strcpy(copy, line);
	for (char *w = strtok_r(copy, " \t", &rest); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &rest))
		word[n++] = w;
	if (!n)
		return DEBUG_TOLD;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct verb_call c = {d, id, n - 1, word + 1, out, false};

		if (strcmp(verbs[i].name, word[0]))
			continue;
		if (!verbs[i].fn(&c) && !c.refused)
			verb_refuse(&c, "usage: %s%s%s", verbs[i].name,
				    *verbs[i].arguments ? " " : "",
				    verbs[i].arguments);
		return c.refused ? DEBUG_REFUSED : DEBUG_TOLD;
	}
	return DEBUG_NO_COMMAND;
}

const char *debug_command_nth(size_t nth)
{
	return nth < ARRAY_LEN(verbs) ? verbs[nth].name : NULL;
}

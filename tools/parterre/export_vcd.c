/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/export_vcd.c - a trace as a value change dump (IEEE 1364-2005,
 * clause 18), in picoseconds.  What has a name is a string: `$var string`, `s`
 * and the text (GTKWave's extension, chapter "VCD format" of its manual; other
 * viewers know it as well).
 *
 *   fault            what was injected last
 *   cpuN.partition   who has the CPU; "-": nobody yet
 *   cpuN.ring        its privilege level
 *   cpuN.vector      of the last interrupt or exception
 *   cpuN.call        the system call that is served, until the return to ring 3
 *   NAME.runs        1 while that partition has a CPU
 *   NAME.state       running, crashed, dead..., as the database has it
 *   channelN.client, .server  whose it is
 *   channelN.client_state, .server_state  as its header says
 *   channelN.waiting requests that were not answered yet
 *
 * Times in a dump only grow, records of several CPUs don't: changes are kept
 * and sorted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/partition.h"
#include "tools/parterre/trace_tool.h"

#define CPUS     CPU_COUNT_MAX
#define CHANNELS 64
#define FAULTS   256
#define NOTHING  UINT32_MAX /* as a string: "-" */

enum cpu_signal {
	CPU_PARTITION,
	CPU_RING,
	CPU_VECTOR,
	CPU_CALL,
	CPU_SIGNALS
};
enum partition_signal {
	PARTITION_RUNS,
	PARTITION_STATE,
	PARTITION_SIGNALS
};
enum channel_signal {
	CHANNEL_CLIENT,
	CHANNEL_SERVER,
	CHANNEL_CLIENT_STATE,
	CHANNEL_SERVER_STATE,
	CHANNEL_WAITING,
	CHANNEL_SIGNALS
};

#define FAULT           0
#define FIRST_CPU       1
#define FIRST_PARTITION (FIRST_CPU + CPUS * CPU_SIGNALS)
#define FIRST_CHANNEL   (FIRST_PARTITION + SOURCE_PARTITIONS * PARTITION_SIGNALS)
#define SIGNALS         (FIRST_CHANNEL + CHANNELS * CHANNEL_SIGNALS)

struct change {
	ps_t time;
	uint64_t order;
	uint32_t signal;
	uint32_t value;
};

struct dump {
	const struct source *s;
	struct change *change;
	size_t count, room;
	bool used[SIGNALS];
	uint32_t last[SIGNALS]; /* if it is used */
	uint32_t on_cpu[CPUS], waiting[CHANNELS];
	char *fault[FAULTS]; /* owned */
	uint32_t faults;
};

static uint32_t of_cpu(uint32_t cpu, enum cpu_signal which)
{
	return FIRST_CPU + cpu % CPUS * CPU_SIGNALS + which;
}

static uint32_t of_partition(uint64_t index, enum partition_signal which)
{
	return FIRST_PARTITION +
	       (uint32_t)(index % SOURCE_PARTITIONS) * PARTITION_SIGNALS +
	       which;
}

static uint32_t of_channel(uint64_t id, enum channel_signal which)
{
	return FIRST_CHANNEL + (uint32_t)(id % CHANNELS) * CHANNEL_SIGNALS +
	       which;
}

/* What stays as it was is no change. */
static void set(struct dump *d, const struct trace_record *r, uint32_t signal,
		uint64_t value)
{
	if (d->used[signal] && d->last[signal] == (uint32_t)value)
		return;
	if (d->count == d->room) {
		d->room = d->room ? 2 * d->room : 4096;
		d->change = realloc(d->change, d->room * sizeof(*d->change));
		CHECK(d->change);
	}
	d->used[signal] = true;
	d->last[signal] = (uint32_t)value;
	d->change[d->count] =
		(struct change){r->time, d->count, signal, (uint32_t)value};
	d->count++;
}

/* --- what becomes of events --- */

static void on_switch(struct dump *d, const struct trace_record *r)
{
	uint32_t *on = &d->on_cpu[r->cpu % CPUS];

	if (*on)
		set(d, r, of_partition(*on, PARTITION_RUNS), 0);
	*on = (uint32_t)r->value[1].u;
	if (*on)
		set(d, r, of_partition(*on, PARTITION_RUNS), 1);
	set(d, r, of_cpu(r->cpu, CPU_PARTITION), *on ? *on : NOTHING);
}

static void on_channel(struct dump *d, const struct trace_record *r)
{
	uint64_t id = r->value[0].u;

	set(d, r, of_channel(id, CHANNEL_CLIENT), record_field(r, "client"));
	set(d, r, of_channel(id, CHANNEL_SERVER), record_field(r, "server"));
	set(d, r, of_channel(id, CHANNEL_CLIENT_STATE),
	    record_field(r, "client_state"));
	set(d, r, of_channel(id, CHANNEL_SERVER_STATE),
	    record_field(r, "server_state"));
}

/* The last of too many stands for all that follow. */
static void on_fault(struct dump *d, const struct trace_record *r)
{
	if (d->faults < FAULTS) {
		d->fault[d->faults] = strdup(r->value[0].s);
		CHECK(d->fault[d->faults]);
		d->faults++;
	}
	set(d, r, FAULT, d->faults - 1);
}

static void note(struct dump *d, const struct trace_record *r)
{
	uint64_t v = r->value[0].u;
	uint32_t *waiting = &d->waiting[v % CHANNELS];

	switch (r->kind->number) {
	case TRACE_EV_SWITCH:
		on_switch(d, r);
		break;
	case TRACE_EV_RING:
		set(d, r, of_cpu(r->cpu, CPU_RING), v);
		if (v == 3)
			set(d, r, of_cpu(r->cpu, CPU_CALL), NOTHING);
		break;
	case TRACE_EV_SYSCALL:
		set(d, r, of_cpu(r->cpu, CPU_CALL), v);
		break;
	case TRACE_EV_INTERRUPT:
	case TRACE_EV_EXCEPTION:
		set(d, r, of_cpu(r->cpu, CPU_VECTOR), v);
		break;
	case TRACE_EV_STATE:
		set(d, r, of_partition(v, PARTITION_STATE), r->value[2].u);
		break;
	case TRACE_EV_CHANNEL:
		on_channel(d, r);
		break;
	case TRACE_EV_BLOCK_REQUEST:
		*waiting += !record_field(r, "replay");
		set(d, r, of_channel(v, CHANNEL_WAITING), *waiting);
		break;
	case TRACE_EV_BLOCK_RESPONSE:
		*waiting -= *waiting > 0;
		set(d, r, of_channel(v, CHANNEL_WAITING), *waiting);
		break;
	case TRACE_EV_FAULT:
		on_fault(d, r);
		break;
	default:
		break;
	}
}

/* --- names of values --- */

/* NULL: the signal is a number. */
static const char *text_of(const struct dump *d, uint32_t signal,
			   uint32_t value)
{
	uint32_t which = 0;

	if (signal == FAULT)
		return value < d->faults ? d->fault[value] : "-";
	if (signal < FIRST_PARTITION) {
		which = (signal - FIRST_CPU) % CPU_SIGNALS;
		if (which != CPU_PARTITION && which != CPU_CALL)
			return NULL;
		if (value == NOTHING)
			return "-";
		return which == CPU_CALL ? partition_call_text(value)
					 : source_name(d->s, value);
	}
	if (signal < FIRST_CHANNEL) {
		which = (signal - FIRST_PARTITION) % PARTITION_SIGNALS;
		if (which != PARTITION_STATE)
			return NULL;
		return value == NOTHING ? "-" : partition_state_text(value);
	}
	which = (signal - FIRST_CHANNEL) % CHANNEL_SIGNALS;
	if (which == CHANNEL_WAITING)
		return NULL;
	if (value == NOTHING)
		return "-";
	if (which == CHANNEL_CLIENT_STATE)
		return partition_channel_client_text(value);
	if (which == CHANNEL_SERVER_STATE)
		return partition_channel_server_text(value);
	return source_name(d->s, value);
}

static bool is_text(const struct dump *d, uint32_t signal)
{
	return text_of(d, signal, NOTHING) != NULL;
}

/* --- writing --- */

/* Printable characters but the first of words, as many as it takes. */
static const char *code_of(uint32_t signal)
{
	static char code[8];
	size_t n = 0;

	do {
		code[n++] = (char)('!' + signal % 94);
		signal /= 94;
	} while (signal);
	code[n] = '\0';
	return code;
}

static void declare(const struct dump *d, FILE *to, uint32_t signal,
		    unsigned bits, const char *name)
{
	bool text = is_text(d, signal);

	if (d->used[signal])
		fprintf(to, "$var %s %u %s %s $end\n", text ? "string" : "wire",
			text ? 1 : bits, code_of(signal), name);
}

/* A name that needs no escape in a hierarchy: dots part scopes. */
static void scope(FILE *to, const char *name)
{
	fprintf(to, "$scope module ");
	for (; *name; name++)
		putc(*name == '.' || *name == ' ' || *name == '?' ? '_' : *name,
		     to);
	fprintf(to, " $end\n");
}

struct signal_name {
	const char *name;
	unsigned bits; /* of those that are numbers */
};
static const struct signal_name cpu_signals[CPU_SIGNALS] = {
	[CPU_PARTITION] = {"partition", 0},
	[CPU_RING] = {"ring", 2},
	[CPU_VECTOR] = {"vector", 8},
	[CPU_CALL] = {"call", 0},
};
static const struct signal_name partition_signals[PARTITION_SIGNALS] = {
	[PARTITION_RUNS] = {"runs", 1},
	[PARTITION_STATE] = {"state", 0},
};
static const struct signal_name channel_signals[CHANNEL_SIGNALS] = {
	[CHANNEL_CLIENT] = {"client", 0},
	[CHANNEL_SERVER] = {"server", 0},
	[CHANNEL_CLIENT_STATE] = {"client_state", 0},
	[CHANNEL_SERVER_STATE] = {"server_state", 0},
	[CHANNEL_WAITING] = {"waiting", 16},
};

/* A scope with those that change at all, or none. */
static void declare_all(const struct dump *d, FILE *to, const char *name,
			uint32_t first, const struct signal_name *signal,
			uint32_t count)
{
	bool any = false;

	for (uint32_t i = 0; i < count; i++)
		any = any || d->used[first + i];
	if (!any)
		return;
	scope(to, name);
	for (uint32_t i = 0; i < count; i++)
		declare(d, to, first + i, signal[i].bits, signal[i].name);
	fprintf(to, "$upscope $end\n");
}

static void declare_signals(const struct dump *d, FILE *to)
{
	char name[24];

	declare(d, to, FAULT, 0, "fault");
	for (uint32_t i = 0; i < CPUS; i++) {
		snprintf(name, sizeof(name), "cpu%u", i);
		declare_all(d, to, name, of_cpu(i, 0), cpu_signals,
			    CPU_SIGNALS);
	}
	for (uint32_t i = 0; i < SOURCE_PARTITIONS; i++)
		declare_all(d, to, source_name(d->s, i), of_partition(i, 0),
			    partition_signals, PARTITION_SIGNALS);
	for (uint32_t i = 0; i < CHANNELS; i++) {
		snprintf(name, sizeof(name), "channel%u", i);
		declare_all(d, to, name, of_channel(i, 0), channel_signals,
			    CHANNEL_SIGNALS);
	}
}

/* A string ends at white space, and a backslash begins an escape. */
static void put_text(FILE *to, const char *text)
{
	putc('s', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c >= 0x7f || c == '\\')
			fprintf(to, "\\x%02x", c);
		else
			putc(c, to);
	}
}

static void put_bits(FILE *to, uint32_t value)
{
	unsigned bit = 31;

	while (bit && !(value >> bit & 1))
		bit--;
	putc('b', to);
	do {
		putc((int)('0' + (value >> bit & 1)), to);
	} while (bit--);
}

static void put_change(const struct dump *d, FILE *to, uint32_t signal,
		       uint32_t value)
{
	const char *text = text_of(d, signal, value);

	if (text)
		put_text(to, text);
	else
		put_bits(to, value);
	fprintf(to, " %s\n", code_of(signal));
}

static int by_time(const void *a, const void *b)
{
	const struct change *c = a, *d = b;

	if (c->time != d->time)
		return c->time < d->time ? -1 : 1;
	return c->order < d->order ? -1 : 1;
}

static void write_dump(struct dump *d, FILE *to)
{
	ps_t now = 0;

	fprintf(to, "$version parterre $end\n$timescale 1 ps $end\n"
		    "$scope module machine $end\n");
	declare_signals(d, to);
	fprintf(to, "$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n");
	for (uint32_t i = 0; i < SIGNALS; i++) {
		if (d->used[i])
			put_change(d, to, i, is_text(d, i) ? NOTHING : 0);
	}
	fprintf(to, "$end\n");
	if (d->count)
		qsort(d->change, d->count, sizeof(*d->change), by_time);
	for (size_t i = 0; i < d->count; i++) {
		if (d->change[i].time != now)
			fprintf(to, "#%" PRIu64 "\n", d->change[i].time);
		now = d->change[i].time;
		put_change(d, to, d->change[i].signal, d->change[i].value);
	}
}

int export_vcd(struct source *s, FILE *to, struct error *err)
{
	struct dump *d = calloc(1, sizeof(*d));
	struct trace_record r;
	int state;

	CHECK(d);
	d->s = s;
	while ((state = source_next(s, &r, err)) == 1)
		note(d, &r);
	if (state == 0)
		write_dump(d, to);
	for (uint32_t i = 0; i < d->faults; i++)
		free(d->fault[i]);
	free(d->change);
	free(d);
	return state < 0 ? (int)err->code : EXIT_HELD;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/export_vcd.c - a trace as a value change dump (IEEE 1364-2005,
 * clause 18), in picoseconds.
 *
 *   cpuN.partition   index of the partition that has the CPU; 0: none yet
 *   cpuN.ring        its privilege level
 *   cpuN.vector      of the last interrupt or exception
 *   cpuN.call        1 between a system call and the return to ring 3
 *   NAME.runs        1 while that partition has a CPU
 *   NAME.state       PART_STATE_*, as the database has it
 *   channelN.waiting requests that were not answered yet
 *   channelN.client, .server  their states
 *
 * Times in a dump only grow, records of several CPUs don't: changes are kept
 * and sorted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "tools/parterre/trace_tool.h"

#define CPUS     8
#define CHANNELS 64

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
	CHANNEL_WAITING,
	CHANNEL_CLIENT,
	CHANNEL_SERVER,
	CHANNEL_SIGNALS
};

#define FIRST_PARTITION (CPUS * CPU_SIGNALS)
#define FIRST_CHANNEL   (FIRST_PARTITION + SOURCE_PARTITIONS * PARTITION_SIGNALS)
#define SIGNALS         (FIRST_CHANNEL + CHANNELS * CHANNEL_SIGNALS)

struct change {
	ps_t time;
	uint64_t order;
	uint32_t signal;
	uint32_t value;
};

struct dump {
	struct change *change;
	size_t count, room;
	bool used[SIGNALS];
	uint32_t on_cpu[CPUS], waiting[CHANNELS];
};

static void set(struct dump *d, const struct trace_record *r, uint32_t signal,
		uint64_t value)
{
	if (d->count == d->room) {
		d->room = d->room ? 2 * d->room : 4096;
		d->change = realloc(d->change, d->room * sizeof(*d->change));
		CHECK(d->change);
	}
	d->used[signal] = true;
	d->change[d->count] =
		(struct change){r->time, d->count, signal, (uint32_t)value};
	d->count++;
}

static uint32_t of_cpu(const struct trace_record *r, enum cpu_signal which)
{
	return r->cpu % CPUS * CPU_SIGNALS + which;
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

static void on_switch(struct dump *d, const struct trace_record *r)
{
	uint32_t *on = &d->on_cpu[r->cpu % CPUS];

	if (*on)
		set(d, r, of_partition(*on, PARTITION_RUNS), 0);
	*on = (uint32_t)r->value[1].u;
	if (*on)
		set(d, r, of_partition(*on, PARTITION_RUNS), 1);
	set(d, r, of_cpu(r, CPU_PARTITION), *on);
}

static void on_channel(struct dump *d, const struct trace_record *r)
{
	uint64_t id = r->value[0].u;

	set(d, r, of_channel(id, CHANNEL_CLIENT),
	    record_field(r, "client_state"));
	set(d, r, of_channel(id, CHANNEL_SERVER),
	    record_field(r, "server_state"));
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
		set(d, r, of_cpu(r, CPU_RING), v);
		if (v == 3)
			set(d, r, of_cpu(r, CPU_CALL), 0);
		break;
	case TRACE_EV_SYSCALL:
		set(d, r, of_cpu(r, CPU_CALL), 1);
		break;
	case TRACE_EV_INTERRUPT:
	case TRACE_EV_EXCEPTION:
		set(d, r, of_cpu(r, CPU_VECTOR), v);
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
	default:
		break;
	}
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
	if (d->used[signal])
		fprintf(to, "$var wire %u %s %s $end\n", bits, code_of(signal),
			name);
}

static bool any(const struct dump *d, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (d->used[first + i])
			return true;
	}
	return false;
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

static void declare_all(const struct dump *d, const struct source *s, FILE *to)
{
	char name[24];

	for (uint32_t i = 0; i < CPUS; i++) {
		uint32_t first = i * CPU_SIGNALS;

		if (!any(d, first, CPU_SIGNALS))
			continue;
		snprintf(name, sizeof(name), "cpu%u", i);
		scope(to, name);
		declare(d, to, first + CPU_PARTITION, 8, "partition");
		declare(d, to, first + CPU_RING, 2, "ring");
		declare(d, to, first + CPU_VECTOR, 8, "vector");
		declare(d, to, first + CPU_CALL, 1, "call");
		fprintf(to, "$upscope $end\n");
	}
	for (uint32_t i = 0; i < SOURCE_PARTITIONS; i++) {
		if (!any(d, of_partition(i, 0), PARTITION_SIGNALS))
			continue;
		scope(to, source_name(s, i));
		declare(d, to, of_partition(i, PARTITION_RUNS), 1, "runs");
		declare(d, to, of_partition(i, PARTITION_STATE), 4, "state");
		fprintf(to, "$upscope $end\n");
	}
	for (uint32_t i = 0; i < CHANNELS; i++) {
		if (!any(d, of_channel(i, 0), CHANNEL_SIGNALS))
			continue;
		snprintf(name, sizeof(name), "channel%u", i);
		scope(to, name);
		declare(d, to, of_channel(i, CHANNEL_WAITING), 16, "waiting");
		declare(d, to, of_channel(i, CHANNEL_CLIENT), 4, "client");
		declare(d, to, of_channel(i, CHANNEL_SERVER), 4, "server");
		fprintf(to, "$upscope $end\n");
	}
}

static void put_change(FILE *to, uint32_t signal, uint32_t value)
{
	unsigned bit = 31;

	while (bit && !(value >> bit & 1))
		bit--;
	putc('b', to);
	do {
		putc((int)('0' + (value >> bit & 1)), to);
	} while (bit--);
	fprintf(to, " %s\n", code_of(signal));
}

static int by_time(const void *a, const void *b)
{
	const struct change *c = a, *d = b;

	if (c->time != d->time)
		return c->time < d->time ? -1 : 1;
	return c->order < d->order ? -1 : 1;
}

static void write_dump(struct dump *d, const struct source *s, FILE *to)
{
	ps_t now = 0;

	fprintf(to, "$version parterre $end\n$timescale 1 ps $end\n"
		    "$scope module machine $end\n");
	declare_all(d, s, to);
	fprintf(to, "$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n");
	for (uint32_t i = 0; i < SIGNALS; i++) {
		if (d->used[i])
			put_change(to, i, 0);
	}
	fprintf(to, "$end\n");
	if (d->count)
		qsort(d->change, d->count, sizeof(*d->change), by_time);
	for (size_t i = 0; i < d->count; i++) {
		if (d->change[i].time != now)
			fprintf(to, "#%" PRIu64 "\n", d->change[i].time);
		now = d->change[i].time;
		put_change(to, d->change[i].signal, d->change[i].value);
	}
}

int export_vcd(struct source *s, FILE *to, struct error *err)
{
	struct dump *d = calloc(1, sizeof(*d));
	struct trace_record r;
	int state;

	CHECK(d);
	while ((state = source_next(s, &r, err)) == 1)
		note(d, &r);
	if (state == 0)
		write_dump(d, s, to);
	free(d->change);
	free(d);
	return state < 0 ? (int)err->code : EXIT_HELD;
}

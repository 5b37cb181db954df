/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_stats.c - what a trace adds up to.
 *
 * Time.  A CPU's time belongs to the partition that its last `switch` names, by
 * ring, if the trace has class machine (a CPU is in ring 0, where it starts,
 * until a `ring` event says otherwise); if not, all is counted as ring 3's.
 *
 * System calls.  From `syscall` to the CPU's next entry to ring 3, whoever's:
 * what the monitors did for it, in retired instructions and in time.
 *
 * Latency.  From a request to the response with the same channel and sequence
 * number; of a request that was replayed, from the last time that it was asked.
 * Powers of two of a microsecond.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hv/abi/database.h"
#include "sim/check.h"
#include "sim/partition.h"
#include "sim/seen/palette.h"
#include "sim/table.h"
#include "tools/parterre/trace_tool.h"

#define CPUS        256
#define CALLS       256
#define REASONS     16
#define CHANNELS    128
#define BUCKETS     24
#define OUTSTANDING 256

struct cpu_stat {
	bool seen, in_call;
	ps_t at, called_at;
	uint32_t partition;
	unsigned ring;
	uint64_t call, call_retired;
};

struct call_stat {
	uint64_t count, returned, instructions, most;
	ps_t time;
};

struct channel_stat {
	uint64_t messages, requests, responses;
	ps_t total, most;
	uint64_t bucket[BUCKETS];
	size_t outstanding;
	struct {
		uint64_t sequence;
		ps_t at;
	} request[OUTSTANDING];
};

struct stats {
	bool rings;
	ps_t first, last;
	ps_t ring3[SOURCE_PARTITIONS], ring0[SOURCE_PARTITIONS];
	uint64_t given[SOURCE_PARTITIONS];
	uint64_t reason[REASONS];
	uint64_t kinds[256], total;
	struct cpu_stat cpu[CPUS];
	struct call_stat call[CALLS];
	struct channel_stat channel[CHANNELS];
};

/* The CPU's time up to this record. */
static void account(struct stats *t, const struct trace_record *r)
{
	struct cpu_stat *c = &t->cpu[r->cpu % CPUS];
	uint32_t p = c->partition % SOURCE_PARTITIONS;

	t->rings |= r->kind->class == TRACE_CLASS_MACHINE;
	if (c->seen && r->time > c->at) {
		if (t->rings && c->ring == 0)
			t->ring0[p] += r->time - c->at;
		else
			t->ring3[p] += r->time - c->at;
	}
	c->seen = true;
	if (r->time > c->at)
		c->at = r->time;
}

static void end_call(struct stats *t, struct cpu_stat *c,
		     const struct trace_record *r)
{
	struct call_stat *k = &t->call[c->call % CALLS];
	uint64_t n = r->retired - c->call_retired;

	if (!c->in_call)
		return;
	c->in_call = false;
	k->returned++;
	k->instructions += n;
	k->time += r->time - c->called_at;
	if (n > k->most)
		k->most = n;
}

static void on_request(struct channel_stat *c, const struct trace_record *r)
{
	uint64_t sequence = record_field(r, "sequence");
	size_t i = 0;

	c->requests++;
	while (i < c->outstanding && c->request[i].sequence != sequence)
		i++;
	if (i == OUTSTANDING)
		return; /* that one's latency stays unknown */
	if (i == c->outstanding)
		c->outstanding++;
	c->request[i].sequence = sequence;
	c->request[i].at = r->time;
}

static void on_response(struct channel_stat *c, const struct trace_record *r)
{
	uint64_t sequence = record_field(r, "sequence");
	unsigned bucket = 0;
	ps_t took;
	size_t i = 0;

	c->responses++;
	while (i < c->outstanding && c->request[i].sequence != sequence)
		i++;
	if (i == c->outstanding)
		return;
	took = r->time > c->request[i].at ? r->time - c->request[i].at : 0;
	c->request[i] = c->request[--c->outstanding];
	c->total += took;
	if (took > c->most)
		c->most = took;
	while (bucket < BUCKETS - 1 && took >= PS_PER_US << bucket)
		bucket++;
	c->bucket[bucket]++;
}

static void note(struct stats *t, const struct trace_record *r)
{
	struct cpu_stat *c = &t->cpu[r->cpu % CPUS];
	uint64_t v = r->value[0].u;

	switch (r->kind->number) {
	case TRACE_EV_SWITCH:
		c->partition = (uint32_t)r->value[1].u;
		t->given[c->partition % SOURCE_PARTITIONS]++;
		t->reason[r->value[2].u % REASONS]++;
		break;
	case TRACE_EV_RING:
		c->ring = (unsigned)v;
		if (v == 3)
			end_call(t, c, r);
		break;
	case TRACE_EV_SYSCALL:
		t->call[v % CALLS].count++;
		c->in_call = true;
		c->call = v;
		c->call_retired = r->retired;
		c->called_at = r->time;
		break;
	case TRACE_EV_BLOCK_REQUEST:
		on_request(&t->channel[v % CHANNELS], r);
		break;
	case TRACE_EV_BLOCK_RESPONSE:
		on_response(&t->channel[v % CHANNELS], r);
		break;
	case TRACE_EV_MESSAGE:
	case TRACE_EV_CONTROL:
		t->channel[v % CHANNELS].messages++;
		break;
	default:
		break;
	}
}

/* --- tables --- */

#define US(t) ((t) / PS_PER_US)

static bool has_partitions(const struct source *s)
{
	size_t i = 1;

	while (i < SOURCE_PARTITIONS && !s->name[i][0])
		i++;
	return i < SOURCE_PARTITIONS;
}

static void put_time(struct table *o, const struct source *s,
		     const struct stats *t)
{
	static const struct column columns[] = {
		{"partition", CELL_TEXT, -14},    {"ring3_us", CELL_NUMBER, 12},
		{"ring0_us", CELL_NUMBER, 12},    {"permille", CELL_NUMBER, 9},
		{"switches_to", CELL_NUMBER, 12},
	};
	const char *nobody = palette_nobody(has_partitions(s));
	ps_t all = 0;

	for (size_t i = 0; i < SOURCE_PARTITIONS; i++)
		all += t->ring3[i] + t->ring0[i];
	table_begin(o, "time", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < SOURCE_PARTITIONS; i++) {
		ps_t own = t->ring3[i] + t->ring0[i];
		union cell cell[] = {
			{.s = i ? source_name(s, i) : nobody},
			{.u = US(t->ring3[i])},
			{.u = US(t->ring0[i])},
			{.u = all ? (uint64_t)((unsigned __int128)own * 1000 /
					       all)
				  : 0},
			{.u = t->given[i]},
		};

		if (own || t->given[i])
			table_row(o, cell);
	}
	table_end(o);
}

static void put_switches(struct table *o, const struct stats *t)
{
	static const struct column columns[] = {
		{"reason", CELL_TEXT, -14},
		{"count", CELL_NUMBER, 12},
	};

	table_begin(o, "switches", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < REASONS; i++) {
		union cell cell[] = {{.s = switch_reason_text(i)},
				     {.u = t->reason[i]}};

		if (t->reason[i])
			table_row(o, cell);
	}
	table_end(o);
}

static void put_calls(struct table *o, const struct stats *t)
{
	static const struct column columns[] = {
		{"call", CELL_TEXT, -14},
		{"number", CELL_NUMBER, 7},
		{"count", CELL_NUMBER, 9},
		{"instructions", CELL_NUMBER, 13}, /* on average */
		{"most", CELL_NUMBER, 9},
		{"ns", CELL_NUMBER, 9},
	};

	table_begin(o, "system_calls", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < CALLS; i++) {
		const struct call_stat *k = &t->call[i];
		uint64_t n = k->returned ? k->returned : 1;
		union cell cell[] = {
			{.s = partition_call_text(i)},
			{.u = i},
			{.u = k->count},
			{.u = k->instructions / n},
			{.u = k->most},
			{.u = k->time / n / 1000},
		};

		if (k->count)
			table_row(o, cell);
	}
	table_end(o);
}

static void put_channels(struct table *o, const struct stats *t)
{
	static const struct column columns[] = {
		{"channel", CELL_NUMBER, 8},     {"messages", CELL_NUMBER, 9},
		{"requests", CELL_NUMBER, 9},    {"responses", CELL_NUMBER, 10},
		{"average_ns", CELL_NUMBER, 11}, {"most_ns", CELL_NUMBER, 11},
	};

	table_begin(o, "channels", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel_stat *c = &t->channel[i];
		uint64_t n = c->responses ? c->responses : 1;
		union cell cell[] = {
			{.u = i},
			{.u = c->messages},
			{.u = c->requests},
			{.u = c->responses},
			{.u = c->total / n / PS_PER_NS},
			{.u = c->most / PS_PER_NS},
		};

		if (c->messages || c->requests)
			table_row(o, cell);
	}
	table_end(o);
}

static void put_latencies(struct table *o, const struct stats *t)
{
	static const struct column columns[] = {
		{"channel", CELL_NUMBER, 8},
		{"below_us", CELL_NUMBER, 9},
		{"responses", CELL_NUMBER, 10},
		{"", CELL_TEXT, -40},
	};
	static const char bar[] = "########################################";

	table_begin(o, "latencies", columns,
		    ARRAY_LEN(columns) - (o->json ? 1 : 0));
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel_stat *c = &t->channel[i];

		for (unsigned b = 0; b < BUCKETS; b++) {
			size_t n = c->bucket[b] * (sizeof(bar) - 1) /
				   (c->responses ? c->responses : 1);
			union cell cell[] = {
				{.u = i},
				{.u = UINT64_C(1) << b},
				{.u = c->bucket[b]},
				{.s = bar + sizeof(bar) - 1 - n},
			};

			if (c->bucket[b])
				table_row(o, cell);
		}
	}
	table_end(o);
}

static void put_events(struct table *o, const struct stats *t)
{
	static const struct column columns[] = {
		{"event", CELL_TEXT, -16},
		{"count", CELL_NUMBER, 12},
	};

	table_begin(o, "events", columns, ARRAY_LEN(columns));
	for (const struct trace_kind *k = trace_kinds; k->name; k++) {
		union cell cell[] = {{.s = k->name},
				     {.u = t->kinds[k->number]}};

		if (cell[1].u)
			table_row(o, cell);
	}
	table_end(o);
}

int trace_stats(struct source *s, bool json, struct error *err)
{
	struct stats *t = calloc(1, sizeof(*t));
	struct trace_record r;
	struct table o;
	int state;

	CHECK(t);
	t->first = PS_NEVER;
	while ((state = source_next(s, &r, err)) == 1) {
		account(t, &r);
		note(t, &r);
		t->kinds[r.kind->number]++;
		t->total++;
		if (r.time < t->first)
			t->first = r.time;
		if (r.time > t->last)
			t->last = r.time;
	}
	if (state == 0) {
		table_open(&o, json, stdout);
		table_number(&o, "from_ps", t->total ? t->first : 0);
		table_number(&o, "to_ps", t->last);
		table_number(&o, "events_in_all", t->total);
		put_time(&o, s, t);
		put_switches(&o, t);
		put_calls(&o, t);
		put_channels(&o, t);
		put_latencies(&o, t);
		put_events(&o, t);
		table_close(&o);
		if (json)
			putchar('\n');
	}
	free(t);
	return state < 0 ? (int)err->code : EXIT_HELD;
}

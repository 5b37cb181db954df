/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/export_perfetto.c - a trace for ui.perfetto.dev: a protobuf of
 * TracePackets (perfetto.dev/docs/reference/trace-packet-proto).
 *
 * Tracks, by groups:
 *   CPUs        for each CPU: which partition has it; interrupts, exceptions
 *   partitions  for each: where it runs (slices "cpu0"), its system calls,
 *               console lines, states (instants)
 *   channels    for each: its block requests, from request to response, in as
 *               many lanes as overlap; and how many wait (a counter)
 *   faults      what was injected
 * Flows: from the client's request over the channel's slice to the answer in
 * the server, across partitions.
 *
 * Perfetto's instants are nanoseconds; the annotation `ps` has the rest.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/partition.h"
#include "tools/parterre/trace_tool.h"

#define CPUS     256
#define CHANNELS 64
#define LANES    64

/* Field numbers of the messages that are used. */
enum {
	TRACE_PACKET = 1,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_EVENT = 11,
	PACKET_FLAGS = 13,
	PACKET_DESCRIPTOR = 60,
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PARENT = 5,
	TRACK_COUNTER = 8,
	COUNTER_UNIT_NAME = 6,
	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_TRACK = 11,
	EVENT_NAME = 23,
	EVENT_COUNTER = 30,
	EVENT_FLOW = 47,
	EVENT_FLOW_END = 48,
	ANNOTATION_UINT = 3,
	ANNOTATION_STRING = 6,
	ANNOTATION_NAME = 10
};
enum event_type {
	SLICE_BEGIN = 1,
	SLICE_END = 2,
	INSTANT = 3,
	COUNTER = 4
};
#define FLAG_CLEARED 1 /* SEQ_INCREMENTAL_STATE_CLEARED */

/* Identities of tracks: a group and a number in it. */
enum group {
	GROUP_CPU = 1,
	GROUP_PARTITION,
	GROUP_CHANNEL,
	GROUP_LANE,
	GROUP_WAITING,
	GROUP_FAULT
};
static uint64_t track_of(enum group g, uint64_t number)
{
	return (uint64_t)g << 32 | (number + 1);
}

/* --- protobuf --- */

struct message {
	uint8_t *data;
	size_t bytes, room;
};

static void put_raw(struct message *m, const void *p, size_t bytes)
{
	if (m->bytes + bytes > m->room) {
		m->room = 2 * (m->bytes + bytes);
		m->data = realloc(m->data, m->room);
		CHECK(m->data);
	}
	memcpy(m->data + m->bytes, p, bytes);
	m->bytes += bytes;
}

static void put_varint(struct message *m, uint64_t v)
{
	uint8_t byte;

	do {
		byte = (uint8_t)(v & 0x7f) | (v > 0x7f ? 0x80 : 0);
		put_raw(m, &byte, 1);
		v >>= 7;
	} while (v);
}

static void put_number(struct message *m, unsigned field, uint64_t v)
{
	put_varint(m, field << 3);
	put_varint(m, v);
}

static void put_fixed64(struct message *m, unsigned field, uint64_t v)
{
	put_varint(m, field << 3 | 1);
	put_raw(m, &v, sizeof(v));
}

static void put_block(struct message *m, unsigned field, const void *p,
		      size_t bytes)
{
	put_varint(m, field << 3 | 2);
	put_varint(m, bytes);
	put_raw(m, p, bytes);
}

static void put_text(struct message *m, unsigned field, const char *text)
{
	put_block(m, field, text, strlen(text));
}

/* --- packets --- */

struct lane {
	bool busy;
	uint64_t sequence;
};

struct export
{
	FILE *to;
	struct message packet, event, part;
	bool begun;
	bool group[GROUP_FAULT + 1];
	bool cpu[CPUS], partition[SOURCE_PARTITIONS], channel[CHANNELS];
	bool lane_told[CHANNELS][LANES];
	struct lane lane[CHANNELS][LANES];
	uint64_t waiting[CHANNELS];
	uint32_t on_cpu[CPUS];
	const struct source *s;
};

/* What is in `packet` is one. */
static void put_packet(struct export *x)
{
	struct message head = {0};

	put_number(&x->packet, PACKET_SEQUENCE, 1);
	if (!x->begun)
		put_number(&x->packet, PACKET_FLAGS, FLAG_CLEARED);
	x->begun = true;
	put_block(&head, TRACE_PACKET, x->packet.data, x->packet.bytes);
	fwrite(head.data, 1, head.bytes, x->to);
	free(head.data);
	x->packet.bytes = 0;
}

static void describe(struct export *x, uint64_t track, uint64_t parent,
		     const char *name, const char *unit)
{
	struct message *d = &x->event;

	d->bytes = 0;
	put_number(d, TRACK_UUID, track);
	put_text(d, TRACK_NAME, name);
	if (parent)
		put_number(d, TRACK_PARENT, parent);
	if (unit) {
		x->part.bytes = 0;
		put_text(&x->part, COUNTER_UNIT_NAME, unit);
		put_block(d, TRACK_COUNTER, x->part.data, x->part.bytes);
	}
	put_block(&x->packet, PACKET_DESCRIPTOR, d->data, d->bytes);
	put_packet(x);
}

static uint64_t group_track(struct export *x, enum group g)
{
	static const char *const name[] = {
		[GROUP_CPU] = "CPUs",
		[GROUP_PARTITION] = "partitions",
		[GROUP_CHANNEL] = "channels",
		[GROUP_FAULT] = "faults",
	};
	uint64_t track = (uint64_t)g << 32;

	if (!x->group[g])
		describe(x, track, 0, name[g], NULL);
	x->group[g] = true;
	return track;
}

static uint64_t cpu_track(struct export *x, uint32_t cpu)
{
	char name[16];
	uint64_t track = track_of(GROUP_CPU, cpu);

	if (!x->cpu[cpu % CPUS]) {
		snprintf(name, sizeof(name), "cpu%u", cpu);
		describe(x, track, group_track(x, GROUP_CPU), name, NULL);
	}
	x->cpu[cpu % CPUS] = true;
	return track;
}

static uint64_t partition_track(struct export *x, uint64_t index)
{
	uint64_t track = track_of(GROUP_PARTITION, index);

	if (!x->partition[index % SOURCE_PARTITIONS])
		describe(x, track, group_track(x, GROUP_PARTITION),
			 source_name(x->s, index), NULL);
	x->partition[index % SOURCE_PARTITIONS] = true;
	return track;
}

static uint64_t channel_track(struct export *x, uint64_t id)
{
	char name[24];
	uint64_t track = track_of(GROUP_CHANNEL, id);

	if (!x->channel[id % CHANNELS]) {
		snprintf(name, sizeof(name), "channel %" PRIu64, id);
		describe(x, track, group_track(x, GROUP_CHANNEL), name, NULL);
		snprintf(name, sizeof(name), "channel %" PRIu64 " waiting", id);
		describe(x, track_of(GROUP_WAITING, id), track, name,
			 "requests");
	}
	x->channel[id % CHANNELS] = true;
	return track;
}

/* Begins an event in `event`; end_event() writes it. */
static void begin_event(struct export *x, enum event_type type, uint64_t track,
			const char *name)
{
	x->event.bytes = 0;
	put_number(&x->event, EVENT_TYPE, type);
	put_number(&x->event, EVENT_TRACK, track);
	if (name)
		put_text(&x->event, EVENT_NAME, name);
}

static void annotate(struct export *x, const char *name, uint64_t value)
{
	x->part.bytes = 0;
	put_text(&x->part, ANNOTATION_NAME, name);
	put_number(&x->part, ANNOTATION_UINT, value);
	put_block(&x->event, EVENT_ANNOTATION, x->part.data, x->part.bytes);
}

static void annotate_text(struct export *x, const char *name, const char *text)
{
	x->part.bytes = 0;
	put_text(&x->part, ANNOTATION_NAME, name);
	put_text(&x->part, ANNOTATION_STRING, text);
	put_block(&x->event, EVENT_ANNOTATION, x->part.data, x->part.bytes);
}

static void end_event(struct export *x, ps_t time)
{
	put_number(&x->packet, PACKET_TIMESTAMP, time / PS_PER_NS);
	put_block(&x->packet, PACKET_EVENT, x->event.data, x->event.bytes);
	put_packet(x);
}

/* All that the record says, and the picoseconds that a timestamp loses. */
static void annotate_record(struct export *x, const struct trace_record *r)
{
	annotate(x, "ps", r->time % PS_PER_NS);
	annotate(x, "retired", r->retired);
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (r->kind->field[i].kind == TRACE_STR)
			annotate_text(x, r->kind->field[i].name, r->value[i].s);
		else
			annotate(x, r->kind->field[i].name, r->value[i].u);
	}
}

static void instant(struct export *x, const struct trace_record *r,
		    uint64_t track, const char *name)
{
	begin_event(x, INSTANT, track, name);
	annotate_record(x, r);
	end_event(x, r->time);
}

/* --- what becomes of events --- */

static void on_switch(struct export *x, const struct trace_record *r)
{
	uint32_t *on = &x->on_cpu[r->cpu % CPUS];
	uint32_t to = (uint32_t)r->value[1].u;
	uint64_t cpu = cpu_track(x, r->cpu);
	char name[16];

	if (*on) {
		begin_event(x, SLICE_END, cpu, NULL);
		annotate_text(x, "why", switch_reason_text(r->value[2].u));
		end_event(x, r->time);
		begin_event(x, SLICE_END, partition_track(x, *on), NULL);
		end_event(x, r->time);
	}
	*on = to;
	if (!to)
		return;
	begin_event(x, SLICE_BEGIN, cpu, source_name(x->s, to));
	annotate_record(x, r);
	end_event(x, r->time);
	snprintf(name, sizeof(name), "cpu%u", r->cpu);
	begin_event(x, SLICE_BEGIN, partition_track(x, to), name);
	end_event(x, r->time);
}

static void count_waiting(struct export *x, const struct trace_record *r,
			  uint64_t id)
{
	begin_event(x, COUNTER, track_of(GROUP_WAITING, id), NULL);
	put_number(&x->event, EVENT_COUNTER, x->waiting[id % CHANNELS]);
	end_event(x, r->time);
}

/* One flow for one request, whoever replays it. */
static uint64_t flow_of(uint64_t channel, uint64_t sequence)
{
	return (channel + 1) << 48 | (sequence + 1);
}

static unsigned lane_of(struct export *x, uint64_t id, uint64_t sequence)
{
	struct lane *lane = x->lane[id % CHANNELS];

	for (unsigned i = 0; i < LANES; i++) {
		if (lane[i].busy && lane[i].sequence == sequence)
			return i;
	}
	return LANES;
}

static uint64_t lane_track(struct export *x, uint64_t id, unsigned lane)
{
	uint64_t track = track_of(GROUP_LANE, id * LANES + lane);
	uint64_t parent = channel_track(x, id);

	if (!x->lane_told[id % CHANNELS][lane])
		describe(x, track, parent, "requests", NULL);
	x->lane_told[id % CHANNELS][lane] = true;
	return track;
}

static void on_request(struct export *x, const struct trace_record *r)
{
	static const char *const ops[] = {"read", "write", "flush"};
	uint64_t id = r->value[0].u, sequence = r->value[1].u;
	uint64_t op = r->value[2].u;
	unsigned lane = lane_of(x, id, sequence);
	const char *name = op < ARRAY_LEN(ops) ? ops[op] : "request";

	begin_event(x, INSTANT, partition_track(x, r->partition), "request");
	annotate_record(x, r);
	put_fixed64(&x->event, EVENT_FLOW, flow_of(id, sequence));
	end_event(x, r->time);
	if (lane < LANES)
		return; /* replayed: its slice goes on */
	for (lane = 0; lane < LANES && x->lane[id % CHANNELS][lane].busy;)
		lane++;
	if (lane == LANES)
		return;
	x->lane[id % CHANNELS][lane] = (struct lane){true, sequence};
	begin_event(x, SLICE_BEGIN, lane_track(x, id, lane), name);
	annotate_record(x, r);
	put_fixed64(&x->event, EVENT_FLOW, flow_of(id, sequence));
	end_event(x, r->time);
	x->waiting[id % CHANNELS]++;
	count_waiting(x, r, id);
}

static void on_response(struct export *x, const struct trace_record *r)
{
	uint64_t id = r->value[0].u, sequence = r->value[1].u;
	unsigned lane = lane_of(x, id, sequence);

	begin_event(x, INSTANT, partition_track(x, r->partition), "response");
	annotate_record(x, r);
	put_fixed64(&x->event, EVENT_FLOW_END, flow_of(id, sequence));
	end_event(x, r->time);
	if (lane == LANES)
		return;
	x->lane[id % CHANNELS][lane].busy = false;
	begin_event(x, SLICE_END, lane_track(x, id, lane), NULL);
	end_event(x, r->time);
	x->waiting[id % CHANNELS]--;
	count_waiting(x, r, id);
}

static void put_event(struct export *x, const struct trace_record *r)
{
	switch (r->kind->number) {
	case TRACE_EV_SWITCH:
		on_switch(x, r);
		break;
	case TRACE_EV_BLOCK_REQUEST:
		on_request(x, r);
		break;
	case TRACE_EV_BLOCK_RESPONSE:
		on_response(x, r);
		break;
	case TRACE_EV_SYSCALL:
		instant(x, r, partition_track(x, r->partition),
			partition_call_text(r->value[0].u));
		break;
	case TRACE_EV_STATE:
		instant(x, r, partition_track(x, r->value[0].u), "state");
		break;
	case TRACE_EV_CHANNEL:
		instant(x, r, channel_track(x, r->value[0].u), "channel");
		break;
	case TRACE_EV_CONSOLE:
		instant(x, r, partition_track(x, r->partition), r->value[0].s);
		break;
	case TRACE_EV_FAULT:
		instant(x, r, group_track(x, GROUP_FAULT), r->value[0].s);
		break;
	case TRACE_EV_INTERRUPT:
	case TRACE_EV_EXCEPTION:
		instant(x, r, cpu_track(x, r->cpu), r->kind->name);
		break;
	default: /* what has no place on a timeline */
		break;
	}
}

int export_perfetto(struct source *s, FILE *to, struct error *err)
{
	struct export *x = calloc(1, sizeof(*x));
	struct trace_record r;
	int state;

	CHECK(x);
	x->to = to;
	x->s = s;
	while ((state = source_next(s, &r, err)) == 1)
		put_event(x, &r);
	free(x->packet.data);
	free(x->event.data);
	free(x->part.data);
	free(x);
	return state < 0 ? (int)err->code : EXIT_HELD;
}

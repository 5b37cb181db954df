/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/timeline.c - each record moves at most one fault one step on. */
#include "sim/scenario/timeline.h"

#include <stdio.h>
#include <string.h>

#include "hv/abi/channel.h"
#include "hv/abi/control.h"
#include "hv/abi/database.h"

static uint64_t field(const struct trace_record *r, const char *name)
{
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (strcmp(r->kind->field[i].name, name) == 0)
			return r->value[i].u;
	}
	return 0;
}

static struct timeline_partition *find(struct timeline *t, uint32_t index)
{
	for (size_t i = 0; i < t->partition_count; i++) {
		if (t->partition[i].index == index)
			return &t->partition[i];
	}
	return NULL;
}

const char *timeline_name(const struct timeline *t, uint32_t index)
{
	for (size_t i = 0; i < t->partition_count; i++) {
		if (t->partition[i].index == index)
			return t->partition[i].name;
	}
	return "?";
}

static void on_partition(struct timeline *t, const struct trace_record *r)
{
	struct timeline_partition *p;

	if (t->partition_count == TIMELINE_PARTITIONS_MAX)
		return;
	p = &t->partition[t->partition_count++];
	p->index = (uint32_t)r->value[0].u;
	snprintf(p->name, sizeof(p->name), "%s", r->value[2].s);
	p->known = r->time;
	p->first_run = PS_NEVER;
}

/* A fault in the partition io.a is called "io.a.text crash", one of a device
 * "nvme0.name".  The longest name that fits. */
static void on_fault(struct timeline *t, const struct trace_record *r)
{
	struct timeline_fault *f;
	size_t n, longest = 0;

	if (t->fault_count == TIMELINE_FAULTS_MAX)
		return;
	f = &t->fault[t->fault_count++];
	snprintf(f->what, sizeof(f->what), "%s", r->value[0].s);
	f->injected = r->time;
	f->death = f->detected = f->decision = f->moved = f->first_io =
		f->restarted = f->back = PS_NEVER;
	for (size_t i = 0; i < t->partition_count; i++) {
		n = strlen(t->partition[i].name);
		if (n <= longest || f->what[n] != '.' ||
		    strncmp(f->what, t->partition[i].name, n) != 0)
			continue;
		longest = n;
		f->of = t->partition[i].index;
	}
}

static void first(ps_t *at, ps_t now)
{
	if (*at == PS_NEVER)
		*at = now;
}

static void on_state(struct timeline_fault *f, const struct trace_record *r)
{
	uint64_t state = field(r, "new_state");

	if (field(r, "of") != f->of)
		return;
	if (state == PART_STATE_CRASHED)
		first(&f->death, r->time);
	if (state == PART_STATE_RUNNING && f->detected != PS_NEVER)
		first(&f->restarted, r->time);
}

static void on_control(struct timeline_fault *f, const struct trace_record *r)
{
	switch (field(r, "id")) {
	case EVT_PARTITION_STATE:
		if (f->death == PS_NEVER || f->detected != PS_NEVER)
			return;
		f->by_report = true;
		f->detected = r->time;
		break;
	case TXN_PARTITION_MARK:
		first(&f->detected, r->time);
		break;
	case TXN_CHANNEL_MOVE:
		if (f->detected != PS_NEVER &&
		    field(r, "queue") == CONTROL_QUEUE_REQUEST)
			first(&f->decision, r->time);
		break;
	}
}

static void on_channel(struct timeline_fault *f, const struct trace_record *r)
{
	uint32_t server = (uint32_t)field(r, "server");

	if (f->decision == PS_NEVER || !server)
		return;
	if (f->moved == PS_NEVER && server != f->of) {
		f->moved = r->time;
		f->channel = (uint32_t)field(r, "id");
		f->network = field(r, "type") == CHANNEL_NETWORK;
		f->to = server;
	} else if (f->moved != PS_NEVER && server == f->of &&
		   field(r, "id") == f->channel) {
		first(&f->back, r->time);
	}
}

static void on_response(struct timeline_fault *f, const struct trace_record *r)
{
	if (f->moved != PS_NEVER && field(r, "channel") == f->channel)
		first(&f->first_io, r->time);
}

static void on_message(struct timeline_fault *f, const struct trace_record *r)
{
	uint16_t type = (uint16_t)field(r, "w0");

	if (f->network && field(r, "queue") == NET_QUEUE_IN &&
	    (type == NET_TRANSMIT_DONE || type == NET_RECEIVE))
		on_response(f, r);
}

static void step(struct timeline *t, const struct trace_record *r)
{
	struct timeline_fault *f;

	for (size_t i = 0; i < t->fault_count; i++) {
		f = &t->fault[i];
		if (!f->of)
			continue;
		if (r->kind->number == TRACE_EV_STATE)
			on_state(f, r);
		else if (r->kind->number == TRACE_EV_CONTROL)
			on_control(f, r);
		else if (r->kind->number == TRACE_EV_CHANNEL)
			on_channel(f, r);
		else if (r->kind->number == TRACE_EV_MESSAGE)
			on_message(f, r);
		else
			on_response(f, r);
	}
}

void timeline_note(struct timeline *t, const struct trace_record *r)
{
	struct timeline_partition *p;

	switch (r->kind->number) {
	case TRACE_EV_PARTITION:
		on_partition(t, r);
		break;
	case TRACE_EV_SWITCH:
		p = find(t, (uint32_t)field(r, "to"));
		if (p)
			first(&p->first_run, r->time);
		break;
	case TRACE_EV_FAULT:
		on_fault(t, r);
		break;
	case TRACE_EV_BLOCK_REQUEST:
		t->requests += field(r, "replay") == 0;
		t->replays += field(r, "replay") != 0;
		break;
	case TRACE_EV_ISSUED:
		t->issued++;
		break;
	case TRACE_EV_COMMITTED:
		t->committed++;
		break;
	case TRACE_EV_BLOCK_RESPONSE:
		t->responses++;
		step(t, r);
		break;
	case TRACE_EV_STATE:
	case TRACE_EV_CONTROL:
	case TRACE_EV_CHANNEL:
	case TRACE_EV_MESSAGE:
		step(t, r);
		break;
	}
}

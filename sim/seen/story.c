/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/story.c - each record moves the story on.  Start with story_note().
 */
#include "sim/seen/story.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/abi/database.h"
#include "sim/check.h"
#include "sim/partition.h"

#define OPEN_MAX 4096 /* requests without an answer, of one channel */

struct story *story_create(size_t spans_max, bool latest)
{
	struct story *s = calloc(1, sizeof(*s));

	CHECK_MSG(s, "out of memory for a run's story");
	CHECK(spans_max >= 16);
	s->spans_max = spans_max;
	s->latest = latest;
	return s;
}

void story_free(struct story *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STORY_CPUS; i++)
		free(s->lane[i].span);
	for (size_t i = 0; i < STORY_CHANNELS; i++) {
		free(s->channel[i].took);
		free(s->channel[i].open);
	}
	free(s);
}

/* One more of what is at `p`, which holds `count`. */
static void *grown(void *p, size_t count, size_t bytes)
{
	if ((count & (count + 1)) == 0) {
		p = reallocarray(p, 2 * count + 2, bytes);
		CHECK_MSG(p, "out of memory for a run's story");
	}
	return p;
}

const char *story_name(const struct story *s, uint32_t who)
{
	if (!who)
		return "monitor";
	return who < STORY_PARTITIONS && s->partition[who].known
		       ? s->partition[who].name
		       : "?";
}

const char *story_mark_text(enum story_mark_kind kind)
{
	static const char *const text[MARK_KINDS] = {
		[MARK_FAULT] = "fault",
		[MARK_DOWN] = "down",
		[MARK_UP] = "up",
		[MARK_MOVED] = "moved",
		[MARK_VIOLATION] = "violation",
		[MARK_MACHINE] = "machine",
	};

	return kind < MARK_KINDS ? text[kind] : "?";
}

static struct story_partition *partition_of(struct story *s, uint64_t who)
{
	return &s->partition[who < STORY_PARTITIONS ? who : 0];
}

/* --- lanes --- */

static void put_span(struct story_lane *l, ps_t from, ps_t to, uint32_t who)
{
	struct story_span *last = l->count ? &l->span[l->count - 1] : NULL;

	if (last && last->who == who) {
		last->to = to;
		return;
	}
	l->span = grown(l->span, l->count, sizeof(*l->span));
	l->span[l->count++] = (struct story_span){from, to, who};
}

/* Whoever had most of a cell has it; the first of equals. */
static uint32_t cell_owner(const ps_t *had)
{
	uint32_t most = 0;

	for (uint32_t i = 1; i < STORY_PARTITIONS; i++) {
		if (had[i] > had[most])
			most = i;
	}
	return most;
}

/* To cells that fill at most half of the room: the rest is for exact spans to
 * come.  Cells of twice the grain hold two each: what was cut once is cut at
 * the same places again. */
static void coarsen(struct story_lane *l, size_t spans_max)
{
	struct story_lane to = {.count = 0};
	ps_t begin = l->span[0].from, end = l->span[l->count - 1].to, cell;
	ps_t had[STORY_PARTITIONS];
	size_t i = 0;

	if (!l->grain)
		l->grain = (end - begin) / l->count + 1;
	while ((end - begin) / l->grain >= spans_max / 2)
		l->grain *= 2;
	for (cell = begin; cell < end; cell += l->grain) {
		ps_t cell_end = cell + l->grain < end ? cell + l->grain : end;

		memset(had, 0, sizeof(had));
		while (i < l->count && l->span[i].from < cell_end) {
			const struct story_span *p = &l->span[i];
			ps_t from = p->from > cell ? p->from : cell;
			ps_t stop = p->to < cell_end ? p->to : cell_end;

			had[p->who % STORY_PARTITIONS] += stop - from;
			if (p->to > cell_end)
				break;
			i++;
		}
		put_span(&to, cell, cell_end, cell_owner(had));
	}
	free(l->span);
	l->span = to.span;
	l->count = to.count;
}

static void forget(struct story_lane *l)
{
	size_t gone = l->count / 2;
	struct story_lane to = {.count = 0};

	for (size_t i = gone; i < l->count; i++)
		put_span(&to, l->span[i].from, l->span[i].to, l->span[i].who);
	free(l->span);
	l->span = to.span;
	l->count = to.count;
}

static void span_ends(struct story *s, struct story_lane *l, ps_t from, ps_t to)
{
	if (to > from)
		put_span(l, from, to, l->who);
	while (l->count > s->spans_max) {
		if (s->latest)
			forget(l);
		else
			coarsen(l, s->spans_max);
	}
}

/* The CPU's time up to this instant. */
static void account(struct story *s, struct story_lane *l, ps_t now)
{
	struct story_partition *p = partition_of(s, l->who);

	if (!l->seen || now <= l->at)
		return;
	if (s->rings && l->ring == 0 && !p->idle)
		p->monitor += now - l->at;
	else
		p->own += now - l->at;
	span_ends(s, l, l->at, now);
	l->at = now;
}

static struct story_lane *lane_of(struct story *s, uint32_t cpu)
{
	struct story_lane *l = &s->lane[cpu % STORY_CPUS];

	if (cpu >= s->cpus)
		s->cpus = cpu % STORY_CPUS + 1;
	return l;
}

/* --- marks --- */

static void PRINTF_LIKE(5, 6)
	mark(struct story *s, const struct trace_record *r,
	     enum story_mark_kind kind, uint32_t who, const char *fmt, ...)
{
	struct story_mark *m = &s->mark[s->mark_count];
	va_list ap;

	if (s->mark_count == STORY_MARKS_MAX && s->latest) {
		memmove(s->mark, s->mark + 1,
			(STORY_MARKS_MAX - 1) * sizeof(*m));
		m--;
	} else if (s->mark_count == STORY_MARKS_MAX) {
		s->marks_left_out++;
		return;
	} else {
		s->mark_count++;
	}
	*m = (struct story_mark){
		.time = r->time, .cpu = r->cpu, .kind = kind, .who = who};
	va_start(ap, fmt);
	vsnprintf(m->text, sizeof(m->text), fmt, ap);
	va_end(ap);
}

static void on_state(struct story *s, const struct trace_record *r)
{
	uint32_t of = (uint32_t)r->value[0].u;
	uint64_t before = r->value[1].u, state = r->value[2].u;
	struct story_partition *p = partition_of(s, of);
	const char *name = story_name(s, of);

	p->state = state;
	if (state == PART_STATE_RUNNING) {
		mark(s, r, MARK_UP, of, "%s runs%s", name,
		     before > PART_STATE_RUNNING ? " again" : "");
	} else if (state == PART_STATE_CRASHED) {
		mark(s, r, MARK_DOWN, of, "%s crashed, vector %" PRIu64, name,
		     r->value[3].u);
	} else if (state > PART_STATE_RUNNING) {
		mark(s, r, MARK_DOWN, of, "%s is %s", name,
		     partition_state_text((uint32_t)state));
	}
}

static void on_channel(struct story *s, const struct trace_record *r)
{
	uint64_t id = r->value[0].u;
	struct story_channel *c = &s->channel[id % STORY_CHANNELS];
	uint32_t server = (uint32_t)r->value[3].u;

	if (c->known && server && server != c->server)
		mark(s, r, MARK_MOVED, server, "channel %" PRIu64 " to %s", id,
		     story_name(s, server));
	c->known = true;
	c->type = r->value[1].u;
	c->client = (uint32_t)r->value[2].u;
	/* One without a server waits for its next. */
	if (server)
		c->server = server;
	if (!c->first_server)
		c->first_server = server;
}

/* --- channels --- */

static struct story_channel *channel_of(struct story *s,
					const struct trace_record *r)
{
	struct story_channel *c = &s->channel[r->value[0].u % STORY_CHANNELS];

	s->recent[s->recent_count++ % STORY_RECENT] = (struct story_recent){
		.time = r->time,
		.channel = (uint32_t)r->value[0].u,
	};
	c->messages++;
	return c;
}

uint64_t story_flow(const struct story *s, uint32_t channel, ps_t from)
{
	uint64_t flow = 0, i = s->recent_count;

	for (; i && s->recent_count - i < STORY_RECENT; i--) {
		const struct story_recent *m =
			&s->recent[(i - 1) % STORY_RECENT];

		/* Of several CPUs records may step back a quantum. */
		if (m->time + PS_PER_MS < from)
			break;
		flow += m->channel == channel && m->time >= from;
	}
	return flow;
}

static struct story_request *request_of(struct story_channel *c, uint64_t seq)
{
	for (size_t i = 0; i < c->open_count; i++) {
		if (c->open[i].sequence == seq)
			return &c->open[i];
	}
	return NULL;
}

static void on_request(struct story *s, const struct trace_record *r)
{
	struct story_channel *c = channel_of(s, r);
	uint64_t sequence = r->value[1].u;
	bool again = r->value[5].u != 0;

	c->requests += !again;
	c->replays += again;
	/* A guest that starts anew counts anew; what it asked before is void.
	 */
	if (request_of(c, sequence)) {
		if (!again)
			request_of(c, sequence)->asked = r->time;
		return;
	}
	if (c->open_count == OPEN_MAX)
		memmove(c->open, c->open + 1,
			--c->open_count * sizeof(*c->open));
	c->open = grown(c->open, c->open_count, sizeof(*c->open));
	c->open[c->open_count++] = (struct story_request){sequence, r->time};
}

static void on_answer(struct story *s, const struct trace_record *r)
{
	struct story_channel *c = channel_of(s, r);
	struct story_request *q = request_of(c, r->value[1].u);

	c->answers++;
	if (!q)
		return;
	c->took = grown(c->took, c->took_count, sizeof(*c->took));
	c->took[c->took_count++] = r->time > q->asked ? r->time - q->asked : 0;
	*q = c->open[--c->open_count];
}

static int by_length(const void *a, const void *b)
{
	ps_t x = *(const ps_t *)a, y = *(const ps_t *)b;

	return x < y ? -1 : x > y;
}

ps_t story_took(struct story_channel *c, unsigned permille)
{
	size_t at = c->took_count * permille / 1000;

	if (!c->took_count)
		return 0;
	qsort(c->took, c->took_count, sizeof(*c->took), by_length);
	return c->took[at < c->took_count ? at : c->took_count - 1];
}

/* --- records --- */

static void on_partition(struct story *s, const struct trace_record *r)
{
	uint64_t index = r->value[0].u;
	struct story_partition *p;

	if (!index || index >= STORY_PARTITIONS)
		return;
	p = &s->partition[index];
	p->known = true;
	p->kind = (uint32_t)r->value[3].u;
	p->idle = p->kind == PART_IDLE;
	snprintf(p->name, sizeof(p->name), "%s", r->value[2].s);
	if (index > s->partitions)
		s->partitions = (uint32_t)index;
}

static void on_switch(struct story *s, struct story_lane *l,
		      const struct trace_record *r)
{
	uint64_t to = r->value[1].u;

	l->who = to < STORY_PARTITIONS ? (uint32_t)to : 0;
	l->switches++;
	s->partition[l->who].given++;
}

static void on_machine(struct story *s, const struct trace_record *r)
{
	if (r->kind->number == TRACE_EV_RESET)
		mark(s, r, MARK_MACHINE, 0, "reset: %s", r->value[0].s);
	else if (r->kind->number == TRACE_EV_OFF)
		mark(s, r, MARK_MACHINE, 0, "switched off, code %" PRIu64,
		     r->value[0].u);
	else
		mark(s, r, MARK_MACHINE, 0, "timing model %s", r->value[0].s);
}

void story_note(struct story *s, const struct trace_record *r)
{
	struct story_lane *l = lane_of(s, r->cpu);

	s->rings |= r->kind->class == TRACE_CLASS_MACHINE;
	account(s, l, r->time);
	if (!l->seen) {
		l->seen = true;
		l->at = r->time;
	}
	if (!s->any || r->time < s->first)
		s->first = r->time;
	if (r->time > s->last)
		s->last = r->time;
	s->any = true;
	s->records++;
	timeline_note(&s->faults, r);
	switch (r->kind->number) {
	case TRACE_EV_PARTITION:
		on_partition(s, r);
		break;
	case TRACE_EV_SWITCH:
		on_switch(s, l, r);
		break;
	case TRACE_EV_RING:
		l->ring = (unsigned)r->value[0].u;
		break;
	case TRACE_EV_STATE:
		on_state(s, r);
		break;
	case TRACE_EV_CHANNEL:
		on_channel(s, r);
		break;
	case TRACE_EV_FAULT:
		mark(s, r, MARK_FAULT, 0, "%s", r->value[0].s);
		break;
	case TRACE_EV_VIOLATION:
		mark(s, r, MARK_VIOLATION, (uint32_t)r->value[1].u, "%s: %s",
		     r->value[0].s, r->value[3].s);
		break;
	case TRACE_EV_MESSAGE:
	case TRACE_EV_CONTROL:
		channel_of(s, r);
		break;
	case TRACE_EV_BLOCK_REQUEST:
		on_request(s, r);
		break;
	case TRACE_EV_BLOCK_RESPONSE:
		on_answer(s, r);
		break;
	case TRACE_EV_CONSOLE:
		partition_of(s, r->partition)->console++;
		break;
	case TRACE_EV_RESET:
	case TRACE_EV_OFF:
	case TRACE_EV_TIMING:
		on_machine(s, r);
		break;
	default:
		break;
	}
}

void story_until(struct story *s, ps_t end)
{
	for (unsigned i = 0; i < s->cpus; i++)
		account(s, &s->lane[i], end);
	if (end > s->last)
		s->last = end;
}

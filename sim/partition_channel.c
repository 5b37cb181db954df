/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_channel.c - what crosses the channels (hv/abi/channel.h).
 *
 * A queue is read like its consumer reads it, with a cursor of the view's own,
 * whenever its `head` has moved.  A slot cannot be written again before the
 * consumer has had its turn, which begins with a context event or on another
 * CPU: at both this looks, so nothing is missed.  What the header says of sizes
 * and places is ignored: they are constants of the type.
 */
#include <string.h>

#include "sim/partition_internal.h"
#include "sim/trace/trace.h"

struct queue_shape {
	uint32_t slots, bytes;
};

struct channel_shape {
	const char *name;
	unsigned queues;
	struct queue_shape queue[QUEUES_MAX];
};

static const struct channel_shape shapes[] = {
	[CHANNEL_CONTROL] = {"control",
			     4,
			     {{CONTROL_SLOTS, sizeof(struct control_message)},
			      {CONTROL_SLOTS, sizeof(struct control_message)},
			      {CONTROL_SLOTS, sizeof(struct control_message)},
			      {CONTROL_SLOTS, sizeof(struct control_message)}}},
	[CHANNEL_BLOCK] = {"block",
			   2,
			   {{BLOCK_SLOTS, sizeof(struct block_request)},
			    {BLOCK_SLOTS, sizeof(struct block_response)}}},
	[CHANNEL_HEARTBEAT] = {"heartbeat", 0, {{0}}},
	[CHANNEL_DIAG] = {"diag",
			  1,
			  {{DIAG_SLOTS, sizeof(struct diag_record)}}},
	[CHANNEL_POLICY] = {"policy",
			    2,
			    {{POLICY_SLOTS, sizeof(struct policy_message)},
			     {POLICY_SLOTS, sizeof(struct policy_message)}}},
	[CHANNEL_CONSOLE] = {"console",
			     1,
			     {{CONSOLE_SLOTS, sizeof(struct console_line)}}},
	[CHANNEL_NETWORK] = {"network",
			     2,
			     {{NET_SLOTS, sizeof(struct net_message)},
			      {NET_SLOTS, sizeof(struct net_message)}}},
	[CHANNEL_LOG] = {"log",
			 2,
			 {{LOG_REQUEST_SLOTS, sizeof(struct log_request)},
			  {LOG_ENTRY_SLOTS, sizeof(struct log_entry)}}},
};

static const struct channel_shape *shape_of(uint32_t type)
{
	return type < ARRAY_LEN(shapes) && shapes[type].name ? &shapes[type]
							     : NULL;
}

const char *partition_channel_type_text(uint32_t type)
{
	const struct channel_shape *s = shape_of(type);

	return s ? s->name : "?";
}

const char *partition_channel_client_text(uint32_t state)
{
	static const char *const text[] = {
		[CHANNEL_CLIENT_DETACHED] = "detached",
		[CHANNEL_CLIENT_DISABLED] = "disabled",
		[CHANNEL_CLIENT_ATTACHING] = "attaching",
		[CHANNEL_CLIENT_ATTACHED] = "attached",
		[CHANNEL_CLIENT_BUSY] = "busy",
		[CHANNEL_CLIENT_OWNED] = "owned",
	};

	return state < ARRAY_LEN(text) ? text[state] : "?";
}

const char *partition_channel_server_text(uint32_t state)
{
	static const char *const text[] = {
		[CHANNEL_SERVER_UNINIT] = "uninit",
		[CHANNEL_SERVER_READY] = "ready",
		[CHANNEL_SERVER_DRAINED] = "drained",
	};

	return state < ARRAY_LEN(text) ? text[state] : "?";
}

/* Slot n of queue q; NULL: the channel has too few pages for it. */
static const uint8_t *slot_at(const struct channel_seen *c, unsigned q,
			      uint32_t n)
{
	const struct channel_shape *s = shape_of(c->row.type);
	uint64_t at = PAGE_BYTES;

	for (unsigned i = 0; i < q; i++)
		at += (uint64_t)s->queue[i].slots * s->queue[i].bytes;
	at += (uint64_t)n * s->queue[q].bytes;
	if (at + s->queue[q].bytes > c->row.pages * PAGE_BYTES)
		return NULL;
	return c->host + at;
}

static const struct channel_header *header_of(const struct channel_seen *c)
{
	return (const struct channel_header *)c->host;
}

static const struct queue_header *queue_of(const struct channel_seen *c,
					   unsigned q)
{
	return (const struct queue_header *)(c->host +
					     sizeof(struct channel_header) +
					     q * sizeof(struct queue_header));
}

uint32_t channel_waiting(const struct channel_seen *c, unsigned queue)
{
	const struct channel_shape *s = shape_of(c->row.type);
	uint32_t head, tail;

	if (!c->host || !s || queue >= s->queues)
		return 0;
	head = queue_of(c, queue)->head;
	tail = queue_of(c, queue)->tail;
	if (head >= s->queue[queue].slots || tail >= s->queue[queue].slots)
		return 0;
	return (head + s->queue[queue].slots - tail) % s->queue[queue].slots;
}

/* --- events --- */

static void emit(struct partition_view *v, uint16_t number,
		 struct trace_record *r)
{
	r->kind = trace_kind_find(number);
	machine_emit(v->m, r);
}

static void emit_channel(struct partition_view *v, const struct channel_seen *c)
{
	struct trace_record r = {
		.value = {{.u = c->row.id},
			  {.u = c->row.type},
			  {.u = c->client},
			  {.u = c->server},
			  {.u = c->row.generation},
			  {.u = c->states & UINT32_MAX},
			  {.u = c->states >> 32}},
	};

	emit(v, TRACE_EV_CHANNEL, &r);
}

static void emit_words(struct partition_view *v, const struct channel_seen *c,
		       unsigned q, const uint8_t *slot, uint32_t bytes)
{
	struct trace_record r = {
		.value = {{.u = c->row.id}, {.u = q}, {.u = 1}},
	};
	uint64_t word[6] = {0};

	memcpy(word, slot, bytes < sizeof(word) ? bytes : sizeof(word));
	for (unsigned i = 0; i < ARRAY_LEN(word); i++)
		r.value[3 + i].u = word[i];
	emit(v, TRACE_EV_MESSAGE, &r);
}

static void emit_control(struct partition_view *v, const struct channel_seen *c,
			 unsigned q, const uint8_t *slot)
{
	struct control_message m;
	struct trace_record r;

	memcpy(&m, slot, sizeof(m));
	r = (struct trace_record){
		.value = {{.u = c->row.id},
			  {.u = q},
			  {.u = m.id},
			  {.u = m.status},
			  {.u = m.flags},
			  {.u = m.handle},
			  {.u = m.word[0]},
			  {.u = m.word[1]},
			  {.u = m.word[2]}},
	};
	emit(v, TRACE_EV_CONTROL, &r);
}

static void emit_request(struct partition_view *v, const struct channel_seen *c,
			 const uint8_t *slot)
{
	struct block_request b;
	struct trace_record r;

	memcpy(&b, slot, sizeof(b));
	r = (struct trace_record){
		.value = {{.u = c->row.id},
			  {.u = b.sequence},
			  {.u = b.op},
			  {.u = b.block},
			  {.u = b.flags},
			  {.u = b.replay},
			  {.u = b.tag[0]},
			  {.u = b.tag[1]}},
	};
	emit(v, TRACE_EV_BLOCK_REQUEST, &r);
}

static void emit_response(struct partition_view *v,
			  const struct channel_seen *c, const uint8_t *slot)
{
	struct block_response b;
	struct trace_record r;

	memcpy(&b, slot, sizeof(b));
	r = (struct trace_record){
		.value = {{.u = c->row.id}, {.u = b.sequence}, {.u = b.status}},
	};
	emit(v, TRACE_EV_BLOCK_RESPONSE, &r);
}

/* False: not a record with an event of its own. */
static bool emit_diag(struct partition_view *v, const uint8_t *slot)
{
	struct diag_record d;
	struct trace_record r;

	memcpy(&d, slot, sizeof(d));
	r = (struct trace_record){
		.value = {{.u = d.stream},
			  {.u = d.record},
			  {.u = d.block},
			  {.u = d.check}},
	};
	if (d.type == DIAG_ISSUED)
		emit(v, TRACE_EV_ISSUED, &r);
	else if (d.type == DIAG_COMMITTED)
		emit(v, TRACE_EV_COMMITTED, &r);
	else if (d.type == DIAG_DONE)
		emit(v, TRACE_EV_DONE, &r);
	else
		return false;
	return true;
}

static void emit_slot(struct partition_view *v, const struct channel_seen *c,
		      unsigned q, const uint8_t *slot, uint32_t bytes)
{
	if (c->row.type == CHANNEL_CONTROL)
		emit_control(v, c, q, slot);
	else if (c->row.type == CHANNEL_BLOCK && q == BLOCK_QUEUE_REQUEST)
		emit_request(v, c, slot);
	else if (c->row.type == CHANNEL_BLOCK)
		emit_response(v, c, slot);
	else if (c->row.type != CHANNEL_DIAG || !emit_diag(v, slot))
		emit_words(v, c, q, slot, bytes);
}

static void emit_missed(struct partition_view *v, const struct channel_seen *c,
			unsigned q, uint64_t produced)
{
	struct trace_record r = {
		.value = {{.s = partition_channel_type_text(c->row.type)},
			  {.s = "a queue produced more than it holds between "
				"two looks: messages were missed"},
			  {.u = (uint64_t)c->row.id << 8 | q},
			  {.u = produced}},
	};

	emit(v, TRACE_EV_ODD, &r);
}

/* --- the queues --- */

/* A queue that was made anew begins at slot 0 and counts from 0. */
static bool made_anew(const struct channel_seen *c, unsigned q, uint32_t head,
		      uint64_t sent, uint32_t slots)
{
	return sent < c->sent[q] && sent % slots == head;
}

static void read_queue(struct partition_view *v, struct channel_seen *c,
		       unsigned q)
{
	const struct queue_shape *s = &shape_of(c->row.type)->queue[q];
	const struct queue_header *h = queue_of(c, q);
	uint32_t head = h->head;
	uint64_t sent = h->sent, produced;

	if (head >= s->slots)
		return; /* nonsense: its consumer refuses it as well */
	if (made_anew(c, q, head, sent, s->slots)) {
		c->cursor[q] = 0;
		c->sent[q] = 0;
	}
	produced = sent - c->sent[q];
	if (sent > c->sent[q] && produced >= s->slots)
		emit_missed(v, c, q, produced);
	c->sent[q] = sent;
	while (c->cursor[q] != head) {
		const uint8_t *slot;

		c->cursor[q] = (c->cursor[q] + 1) % s->slots;
		slot = slot_at(c, q, c->cursor[q]);
		if (!slot)
			continue;
		c->passed++;
		emit_slot(v, c, q, slot, s->bytes);
	}
}

static void start_over(struct channel_seen *c)
{
	memset(c->cursor, 0, sizeof(c->cursor));
	memset(c->sent, 0, sizeof(c->sent));
	c->beat = 0;
}

static void look_at_beat(struct partition_view *v, struct channel_seen *c,
			 uint64_t beat)
{
	struct trace_record r = {
		.value = {{.u = c->row.id}, {.u = beat}},
	};

	c->beat = beat;
	if (beat)
		emit(v, TRACE_EV_HEARTBEAT, &r);
}

static void look_at_channel(struct partition_view *v, struct channel_seen *c)
{
	const struct channel_header *h = header_of(c);
	const struct channel_shape *s = shape_of(c->row.type);
	bool valid = h->signature == CHANNEL_SIGNATURE;
	uint64_t states = (uint64_t)h->server_state << 32 | h->client_state;
	uint32_t generation = valid ? h->generation : 0;

	if (generation != c->generation) {
		c->generation = generation;
		start_over(c);
	}
	if (states != c->states) {
		c->states = states;
		emit_channel(v, c);
	}
	if (!valid || !s)
		return;
	if (h->server_beat != c->beat)
		look_at_beat(v, c, h->server_beat);
	for (unsigned q = 0; q < s->queues; q++) {
		const struct queue_header *qh = queue_of(c, q);

		if (qh->head != c->cursor[q] || qh->sent != c->sent[q])
			read_queue(v, c, q);
	}
}

void view_channels(struct partition_view *v, uint64_t rows)
{
	for (; rows; rows &= rows - 1) {
		struct channel_seen *c = &v->chan[__builtin_ctzll(rows)];

		if (c->host)
			look_at_channel(v, c);
	}
}

/* --- rows --- */

static bool same_row(const struct db_chan *a, const struct db_chan *b)
{
	return a->id == b->id && a->type == b->type && a->client == b->client &&
	       a->server == b->server && a->pfn == b->pfn &&
	       a->pages == b->pages && a->generation == b->generation;
}

void channel_row(struct partition_view *v, unsigned row,
		 const struct db_chan *now)
{
	struct channel_seen *c = &v->chan[row], old = *c;

	if (old.row.id && (now->id != old.row.id || now->pfn != old.row.pfn ||
			   now->pages != old.row.pages)) {
		/* It is gone: one record that says so. */
		c->client = c->server = 0;
		c->states = 0;
		emit_channel(v, c);
		*c = (struct channel_seen){0};
	}
	c->row = *now;
	c->client = now->id ? view_index(v, now->client) : 0;
	c->server = now->id ? view_index(v, now->server) : 0;
	if (!now->id)
		return;
	c->host = now->pages ? view_frames(v, now->pfn, now->pages) : NULL;
	if (!same_row(&old.row, now))
		emit_channel(v, c);
}

/* --- inspection --- */

size_t partition_view_channel_count(const struct partition_view *v)
{
	size_t count = 0;

	for (unsigned i = 0; i < DB_CHANS; i++)
		count += v->chan[i].row.id != 0;
	return count;
}

static const struct channel_seen *nth(const struct partition_view *v, size_t n)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		if (v->chan[i].row.id && !n--)
			return &v->chan[i];
	}
	return NULL;
}

void partition_view_channel(const struct partition_view *v, size_t position,
			    struct partition_channel *out)
{
	const struct channel_seen *c = nth(v, position);

	*out = (struct partition_channel){0};
	if (!c)
		return;
	*out = (struct partition_channel){
		.id = c->row.id,
		.type = c->row.type,
		.client = c->client,
		.server = c->server,
		.pfn = c->row.pfn,
		.pages = c->row.pages,
		.flags = c->row.flags,
		.generation = c->row.generation,
		.extent_block = c->row.extent_block,
		.extent_blocks = c->row.extent_blocks,
		.passed = c->passed,
	};
	if (!c->host)
		return;
	out->client_state = header_of(c)->client_state;
	out->server_state = header_of(c)->server_state;
	out->beat = header_of(c)->server_beat;
	out->queues = shape_of(c->row.type) ? shape_of(c->row.type)->queues : 0;
	for (unsigned q = 0; q < out->queues; q++) {
		out->slots[q] = shape_of(c->row.type)->queue[q].slots;
		out->waiting[q] = channel_waiting(c, q);
		out->sent[q] = queue_of(c, q)->sent;
	}
}

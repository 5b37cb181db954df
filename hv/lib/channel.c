/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/channel.c - see channel.h. */
#include "lib/channel.h"

#include "abi/control.h"
#include "lib/string.h"
#include "lib/sys.h"

#define PAGE ABI_PAGE_BYTES

/* GUIDs of ours: the last byte is the type. */
#define GUID(type)                                                             \
	{                                                                      \
		0x50, 0x61, 0x72, 0x74, 0x65, 0x72, 0x72, 0x45, 0x84, 0x63,    \
			0x68, 0x61, 0x6e, 0x6e, 0x65, (type)                   \
	}

static const struct channel_type types[] = {
	{.type = CHANNEL_CONTROL,
	 .pages = CONTROL_CHANNEL_PAGES,
	 .queues = 4,
	 .queue = {[CONTROL_QUEUE_REQUEST] = {CONTROL_SLOTS, 128, true},
		   [CONTROL_QUEUE_RESPONSE] = {CONTROL_SLOTS, 128, false},
		   [CONTROL_QUEUE_EVENT] = {CONTROL_SLOTS, 128, false},
		   [CONTROL_QUEUE_ACK] = {CONTROL_SLOTS, 128, true}},
	 .guid = GUID(CHANNEL_CONTROL)},
	{.type = CHANNEL_BLOCK,
	 .pages = BLOCK_CHANNEL_PAGES,
	 .queues = 2,
	 .queue = {[BLOCK_QUEUE_REQUEST] = {BLOCK_SLOTS,
					    sizeof(struct block_request), true},
		   [BLOCK_QUEUE_RESPONSE] = {BLOCK_SLOTS,
					     sizeof(struct block_response),
					     false}},
	 .data_pages = BLOCK_DATA_PAGES,
	 .client_pages = BLOCK_WRITE_PAGES,
	 .guid = GUID(CHANNEL_BLOCK)},
	{.type = CHANNEL_HEARTBEAT,
	 .pages = HEARTBEAT_CHANNEL_PAGES,
	 .guid = GUID(CHANNEL_HEARTBEAT)},
	{.type = CHANNEL_DIAG,
	 .pages = DIAG_CHANNEL_PAGES,
	 .queues = 1,
	 .queue = {{DIAG_SLOTS, sizeof(struct diag_record), true}},
	 .guid = GUID(CHANNEL_DIAG)},
	{.type = CHANNEL_POLICY,
	 .pages = POLICY_CHANNEL_PAGES,
	 .queues = 2,
	 .queue = {{POLICY_SLOTS, sizeof(struct policy_message), true},
		   {POLICY_SLOTS, sizeof(struct policy_message), false}},
	 .data_pages = POLICY_DATA_PAGES,
	 .guid = GUID(CHANNEL_POLICY)},
	{.type = CHANNEL_LOG,
	 .pages = LOG_CHANNEL_PAGES,
	 .queues = 2,
	 .queue = {{LOG_REQUEST_SLOTS, sizeof(struct log_request), true},
		   {LOG_ENTRY_SLOTS, sizeof(struct log_entry), false}},
	 .guid = GUID(CHANNEL_LOG)},
	{.type = CHANNEL_CONSOLE,
	 .pages = CONSOLE_CHANNEL_PAGES,
	 .queues = 1,
	 .queue = {{CONSOLE_SLOTS, sizeof(struct console_line), false}},
	 .guid = GUID(CHANNEL_CONSOLE)},
	{.type = CHANNEL_NETWORK,
	 .pages = NET_CHANNEL_PAGES,
	 .queues = 2,
	 .queue = {[NET_QUEUE_OUT] = {NET_SLOTS, sizeof(struct net_message),
				      true},
		   [NET_QUEUE_IN] = {NET_SLOTS, sizeof(struct net_message),
				     false}},
	 .data_pages = NET_DATA_PAGES,
	 .features = NET_FEATURES,
	 .guid = GUID(CHANNEL_NETWORK)},
};

/* What is the client's to write ends where the channel ends. */
_Static_assert(BLOCK_CHANNEL_PAGES *PAGE == CHANNEL_SLOT_BYTES,
	       "a block channel is as large as a channel may be");

const struct channel_type *channel_type(uint32_t type)
{
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return &types[i];
	}
	return NULL;
}

uint32_t channel_offset(const struct channel_type *type, uint32_t n)
{
	uint32_t offset = PAGE;

	for (uint32_t i = 0; i < n && i < type->queues; i++)
		offset += type->queue[i].slots * type->queue[i].signal_bytes;
	if (n >= type->queues)
		offset = (offset + PAGE - 1) & ~(uint32_t)(PAGE - 1);
	return offset;
}

static volatile struct queue_header *queue_header(void *base, uint32_t n)
{
	return (volatile struct queue_header
			*)((uint8_t *)base + sizeof(struct channel_header) +
			   n * sizeof(struct queue_header));
}

static uint32_t data_offset(const struct channel_type *type)
{
	return type->data_pages > 0 ? channel_offset(type, type->queues) : 0;
}

static void open(struct channel *ch, void *base, unsigned handle,
		 const struct channel_type *type, uint32_t generation,
		 bool server)
{
	ch->header = base;
	ch->base = base;
	ch->data = ch->base + data_offset(type);
	ch->data_pages = type->data_pages - (server ? type->client_pages : 0);
	ch->handle = handle;
	ch->type = type->type;
	ch->generation = generation;
	ch->server = server;
	for (uint32_t i = 0; i < type->queues; i++) {
		struct queue *q = &ch->queue[i];

		memset(q, 0, sizeof(*q));
		q->header = queue_header(base, i);
		q->slots = (volatile uint64_t *)((uint8_t *)base +
						 channel_offset(type, i));
		q->errors = server ? &ch->header->server_error
				   : &ch->header->client_error;
		q->state = server ? &ch->header->server_state
				  : &ch->header->client_state;
		q->state_value =
			server ? CHANNEL_SERVER_READY : CHANNEL_CLIENT_ATTACHED;
		q->slot_count = type->queue[i].slots;
		q->signal_bytes = type->queue[i].signal_bytes;
		q->handle = handle;
	}
}

enum channel_result channel_serve(struct channel *ch, void *base,
				  unsigned handle, uint32_t type_number,
				  const struct channel_identity *who)
{
	const struct channel_type *type = channel_type(type_number);
	volatile struct channel_header *h = base;

	if (type == NULL || who->pages < type->pages)
		return CHANNEL_MISFIT;
	h->signature = CHANNEL_SIGNATURE;
	h->header_bytes = sizeof(*h);
	h->total_bytes = (uint64_t)who->pages * PAGE;
	h->features = type->features;
	for (unsigned i = 0; i < sizeof(h->type_guid); i++)
		h->type_guid[i] = type->guid[i];
	h->client = who->client;
	h->server = who->server;
	h->id = who->id;
	h->version = CHANNEL_VERSION;
	h->type = type->type;
	h->generation = who->generation;
	h->queue_offset = sizeof(*h);
	h->queue_count = type->queues;
	h->data_offset = data_offset(type);
	h->data_pages = type->data_pages;
	h->server_beat = h->server_beat_ns = h->server_ran_ns = 0;
	h->server_error = 0;
	for (uint32_t i = 0; i < type->queues; i++) {
		volatile struct queue_header *q = queue_header(base, i);

		q->version = CHANNEL_VERSION;
		q->signal_bytes = type->queue[i].signal_bytes;
		q->slots = type->queue[i].slots;
		q->base_offset = channel_offset(type, i);
		q->sent = 0;
		q->overflow = 0;
		q->head = 0;
		q->received = 0;
		q->tail = 0;
		q->want_event = 0;
		q->empties = 0;
	}
	open(ch, base, handle, type, who->generation, true);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	h->server_state = CHANNEL_SERVER_READY;
	return CHANNEL_OPEN;
}

static bool fits(volatile struct channel_header *h,
		 const struct channel_type *type,
		 const struct channel_identity *who)
{
	bool fit = h->signature == CHANNEL_SIGNATURE &&
		   h->header_bytes == sizeof(*h) &&
		   h->total_bytes == (uint64_t)who->pages * PAGE &&
		   h->features == type->features &&
		   h->version == CHANNEL_VERSION && h->type == type->type &&
		   h->id == who->id && h->generation == who->generation &&
		   h->client == who->client && h->server == who->server &&
		   h->queue_offset == sizeof(*h) &&
		   h->queue_count == type->queues &&
		   h->data_offset == data_offset(type) &&
		   h->data_pages == type->data_pages;

	for (unsigned i = 0; i < sizeof(h->type_guid); i++)
		fit &= h->type_guid[i] == type->guid[i];
	return fit && who->pages >= type->pages;
}

static bool queues_fit(void *base, const struct channel_type *type)
{
	for (uint32_t i = 0; i < type->queues; i++) {
		volatile struct queue_header *q = queue_header(base, i);

		if (q->version != CHANNEL_VERSION ||
		    q->signal_bytes != type->queue[i].signal_bytes ||
		    q->slots != type->queue[i].slots ||
		    q->base_offset != channel_offset(type, i))
			return false;
	}
	return true;
}

enum channel_result channel_serve_on(struct channel *ch, void *base,
				     unsigned handle, uint32_t type_number,
				     const struct channel_identity *who)
{
	const struct channel_type *type = channel_type(type_number);
	volatile struct channel_header *h = base;

	if (type == NULL || h->server_state != CHANNEL_SERVER_READY ||
	    !fits(h, type, who) || !queues_fit(base, type))
		return CHANNEL_MISFIT;
	open(ch, base, handle, type, who->generation, true);
	for (uint32_t i = 0; i < type->queues; i++) {
		struct queue *q = &ch->queue[i];
		bool consumer = type->queue[i].to_server;

		q->index = consumer ? q->header->tail : q->header->head;
		q->count = consumer ? q->header->received : q->header->sent;
		q->overflow = q->header->overflow;
		q->empties = q->header->empties;
		if (q->index >= q->slot_count) {
			channel_close(ch);
			return CHANNEL_MISFIT;
		}
		/* Counted after the index was published, or not any more. */
		for (uint32_t n = 0;
		     n < q->slot_count && q->count % q->slot_count != q->index;
		     n++)
			q->count++;
	}
	return CHANNEL_OPEN;
}

enum channel_result channel_attach(struct channel *ch, void *base,
				   unsigned handle, uint32_t type_number,
				   const struct channel_identity *who)
{
	const struct channel_type *type = channel_type(type_number);
	volatile struct channel_header *h = base;

	if (type == NULL)
		return CHANNEL_MISFIT;
	if (h->server_state != CHANNEL_SERVER_READY)
		return CHANNEL_NOT_READY;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!fits(h, type, who) || !queues_fit(base, type))
		goto misfit;
	h->client_state = CHANNEL_CLIENT_ATTACHING;
	open(ch, base, handle, type, who->generation, false);
	/* Where this end stands: zero in a new channel, but a server may have
	 * sent before its client came. */
	for (uint32_t i = 0; i < type->queues; i++) {
		struct queue *q = &ch->queue[i];

		q->index = type->queue[i].to_server ? q->header->head
						    : q->header->tail;
		if (q->index >= q->slot_count) {
			channel_close(ch);
			goto misfit;
		}
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	h->client_state = CHANNEL_CLIENT_ATTACHED;
	return CHANNEL_OPEN;
misfit:
	h->client_error = h->client_error + 1;
	return CHANNEL_MISFIT;
}

void channel_drained(struct channel *ch)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ch->header->server_state = CHANNEL_SERVER_DRAINED;
}

void channel_close(struct channel *ch)
{
	ch->header = NULL;
	ch->base = NULL;
}

void *channel_data(const struct channel *ch, uint32_t page)
{
	return page < ch->data_pages ? ch->data + (uint64_t)page * PAGE : NULL;
}

static void odd(struct queue *q)
{
	*q->errors = *q->errors + 1;
}

/* Free slots as the producer sees them. */
static uint32_t room(struct queue *q)
{
	uint32_t tail = q->header->tail;

	if (tail >= q->slot_count) {
		odd(q);
		return 0;
	}
	/* One slot stays empty. */
	return (tail > q->index ? 0 : q->slot_count) + tail - q->index - 1;
}

bool queue_room(struct queue *q, uint32_t n)
{
	return room(q) >= n;
}

/* Each word of a slot once. */
static inline void copy_words(volatile void *to, const volatile void *from,
			      uint64_t words)
{
#if __STDC_HOSTED__
	memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, words * 8);
#else
	__asm__ volatile("rep movsq"
			 : "+D"(to), "+S"(from), "+c"(words)
			 :
			 : "memory");
#endif
}

static uint32_t after(const struct queue *q, uint32_t slot)
{
	return slot + 1 == q->slot_count ? 0 : slot + 1;
}

bool queue_put(struct queue *q, const void *signal)
{
	uint32_t words = q->signal_bytes / 8;

	if (room(q) == 0) {
		q->header->overflow = ++q->overflow;
		return false;
	}
	q->index = after(q, q->index);
	copy_words(&q->slots[q->index * words], signal, words);
	q->staged++;
	return true;
}

bool queue_publish(struct queue *q)
{
	uint32_t old;

	if (q->staged == 0)
		return false;
	old = q->index >= q->staged ? q->index - q->staged
				    : q->index + q->slot_count - q->staged;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->header->head = q->index;
	q->header->sent = q->count += q->staged;
	q->staged = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (q->header->tail != old || q->header->want_event == 0 ||
	    q->handle == QUEUE_NO_SIGNAL)
		return false;
	(void)sys_signal(q->handle);
	return true;
}

bool queue_taken(const struct queue *q)
{
	return q->header->tail == q->index;
}

void queue_offer(struct queue *q)
{
	if (q->header->want_event == 0)
		(void)queue_publish(q);
}

bool queue_insert_all(struct queue *q, const void *signals, uint32_t n)
{
	if (room(q) < n) {
		q->header->overflow = ++q->overflow;
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		(void)queue_put(q,
				(const uint8_t *)signals + i * q->signal_bytes);
	(void)queue_publish(q);
	return true;
}

bool queue_insert(struct queue *q, const void *signal)
{
	bool room = queue_put(q, signal);

	(void)queue_publish(q);
	return room;
}

static void take(const struct queue *q, uint32_t slot, void *signal)
{
	uint32_t words = q->signal_bytes / 8;

	copy_words(signal, &q->slots[slot * words], words);
}

bool queue_peek(struct queue *q, void *signal)
{
	uint32_t head = q->header->head;

	if (head >= q->slot_count) {
		odd(q);
		return false;
	}
	if (head == q->index)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	take(q, after(q, q->index), signal);
	return true;
}

void queue_drop(struct queue *q)
{
	uint32_t next = after(q, q->index);

	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->index = next;
	q->header->tail = next;
	q->header->received = ++q->count;
}

bool queue_remove(struct queue *q, void *signal)
{
	if (!queue_peek(q, signal))
		return false;
	queue_drop(q);
	return true;
}

bool queue_past(struct queue *q, uint32_t n, void *signal)
{
	uint32_t head = q->header->head;
	uint32_t waiting = (head + q->slot_count - q->index) % q->slot_count;

	/* A producer has all slots but the consumer's last to write to. */
	if (head >= q->slot_count || n + waiting >= q->slot_count)
		return false;
	take(q, (q->index + q->slot_count - n) % q->slot_count, signal);
	return true;
}

bool queue_sleep(struct queue *q)
{
	uint32_t head;

	if (*q->state != q->state_value) {
		*q->state = q->state_value;
		odd(q);
	}
	q->header->want_event = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	head = q->header->head;
	if (head != q->index && head < q->slot_count) {
		q->header->want_event = 0;
		return false;
	}
	q->header->empties = ++q->empties;
	return true;
}

void queue_awake(struct queue *q)
{
	q->header->want_event = 0;
}

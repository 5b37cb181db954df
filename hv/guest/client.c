/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/client.c - see client.h. */
#include "guest/client.h"

#include "lib/log.h"
#include "lib/string.h"

#define FOR_EACH(c, i)                                                         \
	for (uint8_t i = (c)->oldest; i != CLIENT_NONE; i = (c)->entry[i].next)

/* Entries that writes and reads leave for a flush, without which held writes
 * would never go. */
#define RESERVED 2

/* So few that what they make room for goes out while more come. */
#define ANSWERS_A_RUN 4
/* A server that sleeps is woken for so many together, or when there are no
 * more: more at a time would leave the disk idle meanwhile.  Where it has taken
 * them before the call that wakes it is over, it runs in this one's place, and
 * is woken less often. */
#define TOGETHER      8
#define TOGETHER_HERE 15

_Static_assert(BLOCK_READ_PAGES <= 32, "a bit each");

void client_init(struct client *c,
		 void (*done)(uint32_t cookie, uint32_t status,
			      const void *data))
{
	memset(c, 0, sizeof(*c));
	c->oldest = CLIENT_NONE;
	c->youngest = CLIENT_NONE;
	c->first_queued = CLIENT_NONE;
	c->first_open = CLIENT_NONE;
	for (uint8_t i = 0; i < CLIENT_ENTRIES; i++)
		c->entry[i].next = i + 1u < CLIENT_ENTRIES ? (uint8_t)(i + 1)
							   : CLIENT_NONE;
	c->next_sequence = 1;
	c->slow_ns = CLIENT_SLOW_NS;
	c->done = done;
}

static void unlink_entry(struct client *c, uint8_t i)
{
	struct client_entry *e = &c->entry[i];

	if (e->previous == CLIENT_NONE)
		c->oldest = e->next;
	else
		c->entry[e->previous].next = e->next;
	if (e->next == CLIENT_NONE)
		c->youngest = e->previous;
	else
		c->entry[e->next].previous = e->previous;
}

static struct client_entry *make(struct client *c, uint16_t op,
				 unsigned reserved, uint32_t cookie)
{
	uint8_t i = c->first_free;
	struct client_entry *e;

	if (c->used + reserved >= CLIENT_ENTRIES)
		return NULL;
	e = &c->entry[i];
	c->first_free = e->next;
	memset(e, 0, sizeof(*e));
	e->state = ENTRY_QUEUED;
	e->op = op;
	e->cookie = cookie;
	e->sequence = c->next_sequence++;
	c->by_sequence[e->sequence % CLIENT_NUMBERS] = i;
	e->previous = c->youngest;
	e->next = CLIENT_NONE;
	e->made_ns = c->now_ns;
	if (c->first_queued == CLIENT_NONE)
		c->first_queued = i;
	if (c->first_open == CLIENT_NONE)
		c->first_open = i;
	if (c->youngest == CLIENT_NONE)
		c->oldest = i;
	else
		c->entry[c->youngest].next = i;
	c->youngest = i;
	c->used++;
	c->waiting++;
	c->flushing += op == BLOCK_FLUSH;
	return e;
}

static uint8_t index_of(const struct client *c, const struct client_entry *e)
{
	return (uint8_t)(e - c->entry);
}

/* SENT no more: its page is the client's again. */
static void unsend(struct client *c, struct client_entry *e)
{
	if (e->op == BLOCK_READ)
		c->pages_busy &= ~(1u << e->data_page);
	c->sent--;
}

/* It is open no more: nor need be those behind it. */
static void pass(struct client *c, uint8_t i)
{
	if (c->first_open != i)
		return;
	do
		i = c->entry[i].next;
	while (i != CLIENT_NONE && c->entry[i].state == ENTRY_HELD);
	c->first_open = i;
}

static void out_of_line(struct client *c, struct client_entry *e)
{
	uint8_t i = index_of(c, e);

	if (c->first_queued == i)
		c->first_queued = e->next;
	pass(c, i);
	unlink_entry(c, i);
	c->flushing -= e->op == BLOCK_FLUSH;
}

static void free_entry(struct client *c, struct client_entry *e)
{
	e->state = ENTRY_FREE;
	e->next = c->first_free;
	c->first_free = index_of(c, e);
	c->used--;
}

static void drop(struct client *c, struct client_entry *e)
{
	out_of_line(c, e);
	free_entry(c, e);
}

void *client_write_place(struct client *c, uint64_t block, uint16_t flags,
			 uint64_t tag0, uint64_t tag1, uint32_t cookie)
{
	struct client_entry *e =
		c->data != NULL ? make(c, BLOCK_WRITE, RESERVED, cookie) : NULL;

	if (e == NULL)
		return NULL;
	e->flags = flags;
	e->block = block;
	e->tag[0] = tag0;
	e->tag[1] = tag1;
	return c->data[index_of(c, e)];
}

bool client_write(struct client *c, uint64_t block, const void *data,
		  uint16_t flags, uint64_t tag0, uint64_t tag1, uint32_t cookie)
{
	void *to = client_write_place(c, block, flags, tag0, tag1, cookie);

	if (to != NULL)
		memcpy(to, data, BLOCK_BYTES);
	return to != NULL;
}

bool client_read(struct client *c, uint64_t block, uint32_t cookie)
{
	struct client_entry *e = make(c, BLOCK_READ, RESERVED, cookie);

	if (e != NULL)
		e->block = block;
	return e != NULL;
}

static struct client_entry *make_flush(struct client *c, uint32_t cookie)
{
	struct client_entry *e = make(c, BLOCK_FLUSH, 0, cookie);

	if (e != NULL) {
		e->failed = c->lost;
		c->lost = false;
	}
	return e;
}

bool client_flush(struct client *c, uint32_t cookie)
{
	/* The last entry stays free for the client's own. */
	return c->used + 1 < CLIENT_ENTRIES && make_flush(c, cookie) != NULL;
}

void client_pause(struct client *c)
{
	c->path = PATH_DOWN;
	c->data = NULL;
	channel_close(&c->channel);
}

/* Of several writes to one block that had been sent, the youngest's data goes
 * with all of them: client.h says why.  From the youngest to the oldest; the
 * youngest to each block is found again by a table of blocks. */
static void carry_youngest(struct client *c)
{
	uint8_t table[2 * CLIENT_NONE];
	unsigned places = sizeof(table), at;

	memset(table, CLIENT_NONE, sizeof(table));
	for (uint8_t i = c->youngest; i != CLIENT_NONE;
	     i = c->entry[i].previous) {
		struct client_entry *e = &c->entry[i], *from;

		if (e->op != BLOCK_WRITE || !e->ever_sent)
			continue;
		at = (unsigned)(e->block % places);
		while (table[at] != CLIENT_NONE &&
		       c->entry[table[at]].block != e->block)
			at = (at + 1) % places;
		if (table[at] == CLIENT_NONE) {
			table[at] = i;
			continue;
		}
		from = &c->entry[table[at]];
		memcpy(c->data[i], c->data[table[at]], BLOCK_BYTES);
		e->tag[0] = from->tag[0];
		e->tag[1] = from->tag[1];
	}
}

/* Tell the maker, once. */
static void tell(struct client *c, struct client_entry *e, uint32_t status)
{
	const void *data = e->op == BLOCK_READ && status == BLOCK_OK
				   ? channel_data(&c->channel, e->data_page)
				   : NULL;

	if (e->answered)
		return;
	e->answered = true;
	c->waiting--;
	if (status != BLOCK_OK)
		c->errors++;
	if (e->cookie == CLIENT_COOKIES)
		return;
	if (status == BLOCK_OK) {
		c->writes += e->op == BLOCK_WRITE;
		c->reads += e->op == BLOCK_READ;
		c->flushes += e->op == BLOCK_FLUSH;
	}
	c->done(e->cookie, status, data);
}

/* A write that had been promised can't be kept: the next flush says so. */
static void lost(struct client *c, const struct client_entry *write)
{
	for (uint8_t i = write->next; i != CLIENT_NONE; i = c->entry[i].next) {
		if (c->entry[i].op == BLOCK_FLUSH) {
			c->entry[i].failed = true;
			return;
		}
	}
	c->lost = true;
}

/* All writes: what they had to write was in a channel that is no more. */
static void forget_writes(struct client *c)
{
	for (uint8_t i = c->oldest; i != CLIENT_NONE;) {
		struct client_entry *e = &c->entry[i];

		i = e->next;
		if (e->op != BLOCK_WRITE)
			continue;
		if (e->answered)
			lost(c, e);
		else
			tell(c, e, BLOCK_EIO);
		drop(c, e);
	}
}

enum channel_result client_resume(struct client *c, void *base, unsigned handle,
				  const struct channel_identity *who)
{
	struct channel fresh = {0};
	enum channel_result result =
		channel_attach(&fresh, base, handle, CHANNEL_BLOCK, who);

	if (result != CHANNEL_OPEN)
		return result;
	if (c->path == PATH_OPENED &&
	    c->channel.generation == fresh.generation) {
		/* Told twice: nothing was lost. */
		return CHANNEL_OPEN;
	}
	if (c->opened && c->id != who->id)
		forget_writes(c);
	c->id = who->id;
	c->channel = fresh;
	c->data = channel_data(&fresh, BLOCK_READ_PAGES);
	c->path = PATH_OPENED;
	c->failovers += c->opened;
	c->opened = true;
	c->pages_busy = 0;
	c->sent = 0;
	c->held = 0;
	c->complained_ns = 0;
	c->first_queued = c->first_open = c->oldest;
	for (unsigned i = 0; i < CLIENT_ENTRIES; i++) {
		if (c->entry[i].state == ENTRY_STUCK)
			free_entry(c, &c->entry[i]);
	}
	carry_youngest(c);
	FOR_EACH(c, i)
	{
		struct client_entry *e = &c->entry[i];

		if (!e->ever_sent)
			continue;
		e->state = ENTRY_QUEUED;
		e->replay++;
	}
	return CHANNEL_OPEN;
}

/* ---- answers ---- */

/* A younger write with FUA is on the medium: older ones to the block have
 * nothing to say any more, and their data must never be written again. */
static void supersede(struct client *c, const struct client_entry *fua)
{
	uint8_t i = c->oldest;

	while (i != CLIENT_NONE && &c->entry[i] != fua) {
		struct client_entry *e = &c->entry[i];

		i = e->next;
		if (e->op != BLOCK_WRITE || e->block != fua->block)
			continue;
		if (e->state == ENTRY_HELD) {
			c->held--;
			drop(c, e);
		} else {
			memcpy(c->data[index_of(c, e)],
			       c->data[index_of(c, fua)], BLOCK_BYTES);
		}
	}
}

/* Was the flush answered before a write that it has to cover? */
static bool premature(const struct client *c, const struct client_entry *flush)
{
	for (uint8_t i = c->first_open; &c->entry[i] != flush;
	     i = c->entry[i].next) {
		if (c->entry[i].op == BLOCK_WRITE &&
		    c->entry[i].state != ENTRY_HELD)
			return true;
	}
	return false;
}

/* Everything held that is older than the flush is safe. */
static void release_covered(struct client *c, const struct client_entry *flush)
{
	uint8_t i = c->oldest;

	while (i != CLIENT_NONE && &c->entry[i] != flush) {
		struct client_entry *e = &c->entry[i];

		i = e->next;
		if (e->state == ENTRY_HELD) {
			c->held--;
			drop(c, e);
		}
	}
}

static void end(struct client *c, struct client_entry *e, uint32_t status)
{
	bool was_answered = e->answered;

	switch (e->op) {
	case BLOCK_WRITE:
		tell(c, e, status);
		if (status == BLOCK_OK && !(e->flags & BLOCK_FLAG_FUA)) {
			e->state = ENTRY_HELD;
			c->held++;
			pass(c, index_of(c, e));
			return;
		}
		if (status != BLOCK_OK && was_answered)
			lost(c, e);
		if (status == BLOCK_OK)
			supersede(c, e);
		break;
	case BLOCK_FLUSH:
		if (status == BLOCK_OK) {
			release_covered(c, e);
			if (e->failed)
				status = BLOCK_EIO;
		} else if (e->failed) {
			c->lost = true; /* still to be told */
		}
		tell(c, e, status);
		break;
	default:
		tell(c, e, status);
		break;
	}
	drop(c, e);
}

static struct client_entry *find_sent(struct client *c, uint64_t sequence)
{
	uint8_t i = c->by_sequence[sequence % CLIENT_NUMBERS];

	if (c->entry[i].state == ENTRY_SENT && c->entry[i].sequence == sequence)
		return &c->entry[i];
	/* One that waited while CLIENT_NUMBERS others were made. */
	for (i = c->first_open; i != CLIENT_NONE; i = c->entry[i].next) {
		if (c->entry[i].state == ENTRY_SENT &&
		    c->entry[i].sequence == sequence)
			return &c->entry[i];
	}
	return NULL;
}

static bool take_answers(struct client *c)
{
	struct queue *q = &c->channel.queue[BLOCK_QUEUE_RESPONSE];
	struct block_response response;
	bool any = false;

	for (unsigned n = 0; n < ANSWERS_A_RUN; n++) {
		struct client_entry *e;

		if (!queue_remove(q, &response))
			break;
		any = true;
		e = find_sent(c, response.sequence);
		if (e == NULL || (e->op == BLOCK_FLUSH && premature(c, e))) {
			c->odd++; /* told twice, never asked, or too early */
			continue;
		}
		unsend(c, e);
		end(c, e,
		    response.status <= BLOCK_EINVAL ? response.status
						    : BLOCK_EIO);
	}
	return any;
}

/* ---- sending ---- */

static bool send(struct client *c, struct client_entry *e)
{
	struct queue *q = &c->channel.queue[BLOCK_QUEUE_REQUEST];
	struct block_request request = {
		.sequence = e->sequence,
		.block = e->block,
		.op = e->op,
		.flags = e->flags,
		.replay = e->replay,
		.tag = {e->tag[0], e->tag[1]},
	};
	unsigned page = 0;

	if (c->sent >= CLIENT_OUTSTANDING) /* fewer than there are slots */
		return false;
	if (e->op == BLOCK_READ) {
		page = (unsigned)__builtin_ctz(~c->pages_busy);
		if (page >= BLOCK_READ_PAGES)
			return false;
	} else if (e->op == BLOCK_WRITE) {
		page = BLOCK_READ_PAGES + index_of(c, e);
	}
	request.data_page = (uint16_t)page;
	if (!queue_put(q, &request)) /* seen with the others of this run */
		return false;
	if (e->op == BLOCK_READ)
		c->pages_busy |= 1u << page;
	e->data_page = (uint8_t)page;
	e->state = ENTRY_SENT;
	e->ever_sent = true;
	e->sent_ns = c->now_ns;
	c->sent++;
	c->replayed += e->replay > 0;
	return true;
}

static bool send_queued(struct client *c, bool more)
{
	struct queue *q = &c->channel.queue[BLOCK_QUEUE_REQUEST];
	bool any = false;

	/* Held writes are let go by flushes; a user that makes none would stop
	 * for want of entries. */
	if (c->held >= CLIENT_HELD_MAX && c->flushing == 0)
		(void)make_flush(c, CLIENT_COOKIES);
	while (c->first_queued != CLIENT_NONE &&
	       send(c, &c->entry[c->first_queued])) /* in order or not at all */
	{
		c->first_queued = c->entry[c->first_queued].next;
		any = true;
	}
	if (more && q->staged < (c->here ? TOGETHER_HERE : TOGETHER))
		queue_offer(q);
	else if (queue_publish(q))
		c->here = queue_taken(q);
	return any;
}

/* ---- time ---- */

static void watch(struct client *c, uint64_t now_ns)
{
	uint64_t since = now_ns;
	bool sent = false, open = false;

	/* Of each kind the first in the list is the oldest. */
	c->since_ns = now_ns;
	for (uint8_t i = c->first_open; i != CLIENT_NONE;
	     i = c->entry[i].next) {
		const struct client_entry *e = &c->entry[i];

		if (e->state == ENTRY_SENT && !sent) {
			c->since_ns = e->sent_ns;
			sent = true;
		}
		if (!e->answered && !open) {
			since = e->made_ns;
			open = true;
		}
		if (open && (sent || e->state == ENTRY_QUEUED))
			break;
	}
	if (now_ns - since < CLIENT_PATIENCE_NS) {
		if (c->waits)
			logf_("disk: answers again");
		c->waits = false;
		return;
	}
	if (!c->waits)
		logf_("disk: no answer for %lu ms",
		      CLIENT_PATIENCE_NS / 1000000);
	c->waits = true;
	if (now_ns - since < CLIENT_LIMIT_NS)
		return;
	logf_("disk: gives up on %u requests", client_waiting(c));
	for (uint8_t i = c->oldest; i != CLIENT_NONE;) {
		struct client_entry *e = &c->entry[i];

		i = e->next;
		if (e->answered || now_ns - e->made_ns < CLIENT_LIMIT_NS)
			continue;
		/* A page that is with the server stays so: it may yet write
		 * there, or read.  The next resume gives it back. */
		if (e->op == BLOCK_WRITE)
			lost(c, e);
		tell(c, e, BLOCK_EIO);
		out_of_line(c, e);
		if (e->state == ENTRY_SENT) {
			c->sent--;
			e->state = ENTRY_STUCK;
		} else {
			free_entry(c, e);
		}
	}
}

bool client_run(struct client *c, uint64_t now_ns)
{
	bool any = false;

	/* What was made before the first look at a clock. */
	if (c->now_ns == 0) {
		FOR_EACH(c, i)
		c->entry[i].made_ns = now_ns;
	}
	c->now_ns = now_ns;
	if (c->path == PATH_OPENED) {
		bool more = take_answers(c);

		any = send_queued(c, more) || more;
	}
	watch(c, now_ns);
	return any;
}

uint64_t client_complaint_due(const struct client *c)
{
	uint64_t due = c->since_ns + c->slow_ns;
	uint64_t again = c->complained_ns + CLIENT_AGAIN_NS;

	if (c->path != PATH_OPENED || c->sent == 0)
		return ~0ull;
	return c->complained_ns != 0 && again > due ? again : due;
}

bool client_complaint(struct client *c, uint64_t now_ns, uint64_t *waited_ns)
{
	if (now_ns < client_complaint_due(c))
		return false;
	c->complained_ns = now_ns;
	*waited_ns = now_ns - c->since_ns;
	return true;
}

bool client_sleep(struct client *c)
{
	if (c->path != PATH_OPENED)
		return true;
	(void)queue_publish(&c->channel.queue[BLOCK_QUEUE_REQUEST]);
	return queue_sleep(&c->channel.queue[BLOCK_QUEUE_RESPONSE]);
}

void client_awake(struct client *c)
{
	if (c->path == PATH_OPENED)
		queue_awake(&c->channel.queue[BLOCK_QUEUE_RESPONSE]);
}

unsigned client_waiting(const struct client *c)
{
	return c->waiting;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/control.c - the server end of all control channels.
 *
 * Signals arrive as EVENT_CHANNEL(slot): a partition's control channel has its
 * slot's number as the ultravisor's handle.  A request is taken only while
 * there is room for its response, so that a partition that reads no answers
 * stops being served instead of costing memory.
 *
 * Once, whatever happens.  The operation that ends a request stays in the queue
 * until the request is answered, or its transaction holds and an answer is owed
 * (db_answer).  So a program begun anew finds in the queue what was not
 * finished; what was, it knows by the handle: that of an answer owed, or of the
 * last answer given, which is still in its slot (control_go_on()).
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define REQUESTS_A_TURN                                                        \
	16 /* of one partition, before the next has its turn                   \
	    */

static uint64_t event_handle;

static struct channel_identity identity(uint64_t number)
{
	const struct db_chan *c = part_control(number);

	return (struct channel_identity){.id = c->id,
					 .generation = c->generation,
					 .client = number,
					 .server = uv_number,
					 .pages = CONTROL_CHANNEL_PAGES};
}

/* The channel's pages were wiped; begins it for a new client. */
void control_serve(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	struct channel_identity who = identity(p->number);

	p->ops = 0;
	for (unsigned i = 0; i < DB_ANSWERS; i++) {
		const struct db_answer *a = db_answer_at(&db, i);

		if (a && a->requester == p->number)
			db_answer_given(&db, i); /* nobody asks for it now */
	}
	(void)channel_serve(&p->control, p->control_pages, part->slot,
			    CHANNEL_CONTROL, &who);
}

/* Never the same again, whoever sent the last one before this program. */
uint64_t control_event_next(void)
{
	return ((uint64_t)lead->slot[UV_SLOT].incarnation << 32) +
	       event_handle + 1;
}

static bool event_insert(struct uv_part *p, struct control_message *event)
{
	event->bytes = sizeof(*event);
	event->handle = control_event_next();
	event_handle++;
	event->time_ns = sys_time();
	return queue_insert(&p->control.queue[CONTROL_QUEUE_EVENT], event);
}

bool control_event_send(uint64_t number, struct control_message *event)
{
	struct uv_part *p = uv_part_of(number);

	if (!p || !p->control.header || !event_insert(p, event))
		return false;
	/* Also one that is awake hears of it, by its monitor: it is urged to
	 * look, whoever's turn it is. */
	control_urge(number);
	return true;
}

bool control_event_post(uint64_t number, struct control_message *event)
{
	struct uv_part *p = uv_part_of(number);

	if (!p || !p->control.header || !event_insert(p, event))
		return false;
	(void)sys_lead_notify(db_part(&db, number)->slot,
			      EVENT_CHANNEL(CONTROL_HANDLE));
	return true;
}

void control_urge(uint64_t number)
{
	struct uv_part *p = uv_part_of(number);

	if (p && p->control.header)
		(void)sys_signal(p->control.queue[CONTROL_QUEUE_EVENT].handle);
}

static void respond(struct uv_part *p, struct control_message *m, int status,
		    uint64_t result, unsigned failed)
{
	m->bytes = sizeof(*m);
	m->status = (uint32_t)status;
	m->flags = status ? CONTROL_FAILED : 0;
	m->time_ns = sys_time();
	m->failed_op = failed;
	m->result = result;
	(void)queue_insert(&p->control.queue[CONTROL_QUEUE_RESPONSE], m);
}

static int query(struct control_message *m)
{
	uint64_t *row = m->query.row;
	uint64_t left = m->query.index;

	memset(row, 0, sizeof(m->query.row));
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_part *p = db_part_at(&db, i);
		const struct db_chan *c = db_chan_at(&db, i);
		const struct db_dev *d = db_dev_at(&db, i);

		if (m->query.what == QUERY_PARTITION && p && !left--) {
			row[0] = p->number;
			row[1] = part_kind(p->number);
			row[2] = p->state | (uint64_t)p->mark << 32;
			row[3] = p->incarnation;
			row[4] = p->flags;
			row[5] = p->memory_frames;
			memcpy(&row[6], db_desc(&db, p->number)->name, 16);
			return CONTROL_OK;
		}
		if (m->query.what == QUERY_CHANNEL && c && !left--) {
			row[0] = c->id;
			row[1] = c->type;
			row[2] = c->client;
			row[3] = c->server;
			row[4] = c->generation;
			row[5] = c->flags;
			row[6] = c->extent_block;
			row[7] = c->extent_blocks;
			return CONTROL_OK;
		}
		if (m->query.what == QUERY_DEVICE && d && !left--) {
			row[0] = d->id;
			row[1] = d->bdf;
			row[2] = d->owner;
			row[3] = d->class_code;
			row[4] = d->flags;
			row[5] = d->vector;
			return CONTROL_OK;
		}
	}
	if (m->query.what == QUERY_MEMORY && !left) {
		row[0] = db_version(&db)->frames_total;
		row[1] = db_version(&db)->frames_free;
		return CONTROL_OK;
	}
	if (m->query.what == QUERY_SCAN && !left) {
		const char *wrong = db_scan(&db);

		if (wrong)
			memcpy(row, wrong, strnlen(wrong, 63));
		return CONTROL_OK;
	}
	if (m->query.what == QUERY_BUS)
		return bus_query(m);
	return part_query(m);
}
_Static_assert(DB_PARTS <= DB_CHANS && DB_CHANS == DB_DEVS, "one loop for all");

/* All answers that are owed and not waited for. */
static bool give_answers(void)
{
	bool any = false;

	for (unsigned i = 0; i < DB_ANSWERS; i++) {
		const struct db_answer *a = db_answer_at(&db, i);
		struct uv_part *p = a ? uv_part_of(a->requester) : NULL;
		struct control_message m;

		if (!a || (p && a->serial && load_pending(a->serial)))
			continue;
		if (p && p->control.header) {
			if (!queue_room(
				    &p->control.queue[CONTROL_QUEUE_RESPONSE],
				    1))
				continue;
			m = (struct control_message){.id = a->id,
						     .handle = a->handle};
			respond(p, &m, CONTROL_OK, a->result, 0);
			any = true;
		}
		db_answer_given(&db, i);
	}
	return any;
}

/* The last operation of a transaction is in p->op. */
static void transact(struct uv_part *p)
{
	struct control_message m = p->op[p->ops - 1];
	struct txn t = {.requester = p->number, .handle = m.handle};
	unsigned failed = 0;
	int status;

	part_tell_ends(); /* before anybody begins anew */
	if (p->ops == 1 && m.id == TXN_QUERY)
		status = query(&m);
	else
		status = txn_run(&t, p->op, p->ops, &failed);
	if (status || m.id == TXN_QUERY)
		respond(p, &m, status, 0, failed);
	else
		(void)give_answers();
}

static void lose(struct uv_part *p)
{
	struct control_message lost = p->op[0];

	p->ops = 0;
	respond(p, &lost, CONTROL_EVALUE, 0, 0);
}

static bool may_ask(const struct uv_part *p, const struct control_message *m)
{
	uint32_t kind = part_kind(p->number);

	return kind == PART_BOOT || kind == PART_COMMAND ||
	       kind == PART_OPERATIONS ||
	       (kind == PART_DIAGNOSTICS && m->id == TXN_QUERY);
}

/* What is at the front of its queue, which it then leaves. */
static void request(struct uv_part *p, struct control_message *m)
{
	struct queue *q = &p->control.queue[CONTROL_QUEUE_REQUEST];

	/* Another handle: what had gathered will never be completed. */
	if (p->ops && p->op[0].handle != m->handle)
		lose(p);
	if (m->id == COMPLAIN_SLOW) {
		respond(p, m, complaint(p->number, m), 0, 0);
	} else if (!may_ask(p, m)) {
		respond(p, m, CONTROL_EPERM, 0, 0);
	} else if (p->ops == TXN_OPS_MAX) {
		p->ops = 0;
		respond(p, m, CONTROL_ELIMIT, 0, TXN_OPS_MAX);
	} else {
		p->op[p->ops++] = *m;
		if (!(m->flags & CONTROL_MORE)) {
			transact(p);
			if (!p->ops) /* it ended or began anew itself */
				return;
			p->ops = 0;
		}
	}
	queue_drop(q);
}

bool control_work(void)
{
	bool any = give_answers();

	for (unsigned s = 0; s < PART_SLOTS; s++) {
		struct uv_part *p = &uv_part[s];
		struct queue *q = p->control.queue;
		struct control_message m;

		for (unsigned n = 0; n < CONTROL_SLOTS && p->control.header &&
				     queue_peek(&q[CONTROL_QUEUE_ACK], &m);
		     n++) {
			any = true;
			chan_acked(p->number, &m);
			queue_drop(&q[CONTROL_QUEUE_ACK]);
		}
		/* A request may end its own partition: look each time.  Two
		 * answers may come of one request. */
		for (unsigned n = 0;
		     n < REQUESTS_A_TURN && p->control.header &&
		     queue_room(&q[CONTROL_QUEUE_RESPONSE], 2) &&
		     queue_peek(&q[CONTROL_QUEUE_REQUEST], &m);
		     n++) {
			any = true;
			request(p, &m);
		}
	}
	return any;
}

bool control_idle(void)
{
	bool idle = true;

	for (unsigned s = 0; s < PART_SLOTS; s++) {
		struct queue *q = uv_part[s].control.queue;

		if (!uv_part[s].control.header)
			continue;
		idle &= queue_sleep(&q[CONTROL_QUEUE_ACK]);
		/* One that reads no answers isn't waited for. */
		if (queue_room(&q[CONTROL_QUEUE_RESPONSE], 2))
			idle &= queue_sleep(&q[CONTROL_QUEUE_REQUEST]);
	}
	return idle;
}

void control_busy(void)
{
	for (unsigned s = 0; s < PART_SLOTS; s++) {
		if (!uv_part[s].control.header)
			continue;
		queue_awake(&uv_part[s].control.queue[CONTROL_QUEUE_ACK]);
		queue_awake(&uv_part[s].control.queue[CONTROL_QUEUE_REQUEST]);
	}
}

/* ---- begun anew --------------------------------------------------------- */

/* Of the events sent last, as many as the queue has slots. */
bool control_event_sent(uint64_t number, uint64_t handle)
{
	struct uv_part *p = uv_part_of(number);
	struct control_message m;

	if (!p || !p->control.header)
		return false;
	for (unsigned n = 0; n < CONTROL_SLOTS; n++)
		if (queue_past(&p->control.queue[CONTROL_QUEUE_EVENT], n, &m) &&
		    m.handle == handle)
			return true;
	return false;
}

/* Is this request done, and its answer given or owed? */
static bool served(struct uv_part *p, uint64_t handle)
{
	struct control_message last;

	if (queue_past(&p->control.queue[CONTROL_QUEUE_RESPONSE], 0, &last) &&
	    last.bytes && last.handle == handle)
		return true;
	for (unsigned i = 0; i < DB_ANSWERS; i++) {
		const struct db_answer *a = db_answer_at(&db, i);

		if (a && a->requester == p->number && a->handle == handle)
			return true;
	}
	return false;
}

/* An answer that is owed still, though it was given last of all. */
static void note_answer(struct uv_part *p)
{
	struct control_message last;

	if (!queue_past(&p->control.queue[CONTROL_QUEUE_RESPONSE], 0, &last) ||
	    !last.bytes)
		return;
	for (unsigned i = 0; i < DB_ANSWERS; i++) {
		const struct db_answer *a = db_answer_at(&db, i);

		if (a && a->requester == p->number && a->handle == last.handle)
			db_answer_given(&db, i);
	}
}

/* The operations that had gathered: they have left the queue, but are in their
 * slots.  If their producer may have written there since, they are lost, and
 * the rest of the transaction is told so when it comes. */
static void gather(struct uv_part *p)
{
	struct queue *q = &p->control.queue[CONTROL_QUEUE_REQUEST];
	struct control_message m;
	unsigned n = 0;

	p->ops = 0;
	if (!queue_past(q, 0, &p->op[0]) || !(p->op[0].flags & CONTROL_MORE) ||
	    served(p, p->op[0].handle))
		return;
	while (++n < TXN_OPS_MAX) {
		if (!queue_past(q, n, &m)) {
			lose(p);
			return;
		}
		if (m.handle != p->op[0].handle || !(m.flags & CONTROL_MORE))
			break;
	}
	p->ops = n;
	for (unsigned i = 0; i < n; i++)
		(void)queue_past(q, n - 1 - i, &p->op[i]);
}

void control_go_on(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	struct queue *q = &p->control.queue[CONTROL_QUEUE_REQUEST];
	struct channel_identity who = identity(p->number);
	struct control_message m;

	if (channel_serve_on(&p->control, p->control_pages, part->slot,
			     CHANNEL_CONTROL, &who) != CHANNEL_OPEN) {
		logf_("%s: its control channel is spoiled", p->name);
		return;
	}
	gather(p);
	while (queue_peek(q, &m) && served(p, m.handle))
		queue_drop(q);
	note_answer(p);
	/* Whatever it waits for may have been put there unsaid.  It is not
	 * urged: there may be nothing. */
	(void)sys_lead_notify(part->slot, EVENT_CHANNEL(CONTROL_HANDLE));
}

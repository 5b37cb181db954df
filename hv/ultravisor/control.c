/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/control.c - the server end of all control channels.
 *
 * Signals arrive as EVENT_CHANNEL(slot): a partition's control channel has its
 * slot's number as the ultravisor's handle.  A request is taken only while
 * there is room for its response, so that a partition that reads no answers
 * stops being served instead of costing memory.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define REQUESTS_A_TURN                                                        \
	16 /* of one partition, before the next has its turn                   \
	    */

static uint64_t event_handle;

/* Answers that wait until what was asked for is loaded. */
#define DEFERRED 8
static struct {
	uint64_t number; /* 0: free */
	uint64_t txn, result;
	struct control_message m;
} deferred[DEFERRED];

static struct channel_identity identity(uint64_t number)
{
	const struct db_chan *c = part_control(number);

	return (struct channel_identity){.id = c->id,
					 .generation = c->generation,
					 .client = number,
					 .server = uv_number,
					 .pages = CONTROL_CHANNEL_PAGES};
}

void control_go_on(struct uv_part *p)
{
	const struct channel_identity who = identity(p->number);

	(void)channel_serve_on(&p->control, p->control_pages,
			       db_part(&db, p->number)->slot, CHANNEL_CONTROL,
			       &who);
}

/* The channel's pages were wiped; begins it for a new client. */
void control_serve(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	struct channel_identity who = identity(p->number);

	p->ops = 0;
	for (unsigned i = 0; i < DEFERRED; i++)
		if (deferred[i].number == p->number)
			deferred[i].number = 0;
	(void)channel_serve(&p->control, p->control_pages, part->slot,
			    CHANNEL_CONTROL, &who);
}

bool control_event_send(uint64_t number, struct control_message *event)
{
	struct uv_part *p = uv_part_of(number);
	struct queue *q;

	if (!p || !p->control.header)
		return false;
	q = &p->control.queue[CONTROL_QUEUE_EVENT];
	event->bytes = sizeof(*event);
	event->handle = ++event_handle;
	event->time_ns = sys_time();
	if (!queue_insert(q, event))
		return false;
	/* Also one that is awake hears of it, by its monitor: it is urged to
	 * look, whoever's turn it is. */
	(void)sys_signal(q->handle);
	return true;
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
			row[2] = p->state;
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

static bool defer(const struct uv_part *p, const struct control_message *m,
		  uint64_t result)
{
	for (unsigned i = 0; i < DEFERRED; i++) {
		if (deferred[i].number)
			continue;
		deferred[i].number = p->number;
		deferred[i].txn = txn_current;
		deferred[i].result = result;
		deferred[i].m = *m;
		return true;
	}
	return false; /* then it is answered as soon as it is committed */
}

static bool answer_deferred(void)
{
	bool any = false;

	for (unsigned i = 0; i < DEFERRED; i++) {
		struct uv_part *p = uv_part_of(deferred[i].number);

		if (!p || !p->control.header || load_pending(deferred[i].txn))
			continue;
		respond(p, &deferred[i].m, CONTROL_OK, deferred[i].result, 0);
		deferred[i].number = 0;
		any = true;
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

	if (p->ops == 1 && m.id == TXN_QUERY)
		status = query(&m);
	else
		status = txn_run(&t, p->op, p->ops, &failed);
	if (status || t.effects == 0 || !load_pending(txn_current) ||
	    !defer(p, &m, t.result[p->ops - 1]))
		respond(p, &m, status, status ? 0 : t.result[p->ops - 1],
			failed);
	p->ops = 0;
}

static void request(struct uv_part *p, const struct control_message *m)
{
	uint32_t kind = part_kind(p->number);
	struct control_message refused = *m;

	if (kind != PART_BOOT && kind != PART_COMMAND &&
	    kind != PART_OPERATIONS &&
	    !(kind == PART_DIAGNOSTICS && m->id == TXN_QUERY)) {
		respond(p, &refused, CONTROL_EPERM, 0, 0);
		return;
	}
	/* Another handle: what had gathered will never be completed. */
	if (p->ops && p->op[0].handle != m->handle) {
		struct control_message lost = p->op[0];

		p->ops = 0;
		respond(p, &lost, CONTROL_EVALUE, 0, 0);
	}
	if (p->ops == TXN_OPS_MAX) {
		p->ops = 0;
		respond(p, &refused, CONTROL_ELIMIT, 0, TXN_OPS_MAX);
		return;
	}
	p->op[p->ops++] = *m;
	if (!(m->flags & CONTROL_MORE))
		transact(p);
}

bool control_work(void)
{
	bool any = answer_deferred();

	for (unsigned s = 0; s < PART_SLOTS; s++) {
		struct uv_part *p = &uv_part[s];
		struct control_message m;

		for (unsigned n = 0;
		     n < CONTROL_SLOTS && p->control.header &&
		     queue_remove(&p->control.queue[CONTROL_QUEUE_ACK], &m);
		     n++) {
			any = true;
			chan_acked(p->number, &m);
		}
		/* A request may end its own partition: look each time.  Two
		 * answers may come of one request. */
		for (unsigned n = 0;
		     n < REQUESTS_A_TURN && p->control.header &&
		     queue_room(&p->control.queue[CONTROL_QUEUE_RESPONSE], 2) &&
		     queue_remove(&p->control.queue[CONTROL_QUEUE_REQUEST], &m);
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

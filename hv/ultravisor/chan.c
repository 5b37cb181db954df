/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/chan.c - channels: made, moved from server to server, undone.
 *
 * What a channel goes through, one state machine for each:
 *
 *   OPEN     both ends use it
 *   LETGO    it is to move: the server was told to drain (EVT_CHANNEL_DETACH),
 *            the client to keep off (EVT_CHANNEL_PAUSE).  An end that doesn't
 *            run is not waited for.  A server that runs is waited for until it
 *            answers or is declared dead: nobody else can say that its last
 *            command has reached the disk.  A client that doesn't answer in
 *            CLIENT_WAIT_NS is passed over: it harms nobody but itself
 *   LETGO    also of a partition that is to stand still (keep.c); it then goes
 *            on like any other move, to the same server, as far as the end that
 *            stands still is not needed
 *   WIPE     generation + 1, the new server's, which does not see it yet: it is
 *            being wiped, wholly if it is new
 *   ATTACH   wiped, in the new server's view; it was told to initialise
 *            (EVT_CHANNEL_ATTACH), as soon as it is present
 *   RESUME   the server is READY; the client is to be told
 *            (EVT_CHANNEL_RESUME), as soon as it runs and nobody holds the
 *            channel
 *
 * A server's death fences its devices before its partition counts as not
 * running (part_end.c), so LETGO can end only when no late write is possible.
 * Identity and frames stay; the old server's view loses the channel before the
 * new one's shows it.  A partition that begins anew sends its channels through
 * LETGO to the same server.
 *
 * The machine's state is the channel's struct db_move, so that a program begun
 * anew goes on where it stands: what changes an owner, or begins, is of the
 * transaction that does it; the other steps are notes in place.  A step that
 * sends an event notes the event's handle first; the event's slot in the queue
 * then says whether it was sent (chan_adopt()).
 *
 * Next: device.c, for the fence.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define CLIENT_WAIT_NS 20000000

enum phase {
	NONE,
	OPEN,
	LETGO,
	WIPE,
	ATTACH,
	RESUME
};

/* What an end has still to do. */
enum end {
	END_TELL,
	END_TOLD,
	END_DONE
};

/* db_move.flags */
#define MOVE_DESTROY 1 /* when it is let go, it is no more */
#define MOVE_UNWIPED 2 /* all its pages, not the first alone */

/* Until when a client that was told is waited for. */
static uint64_t client_until[DB_CHANS];

/* In the open transaction: the channel's row; NULL: the pool is full. */
static struct db_move *move_mut(uint32_t id)
{
	unsigned row = db_chan_row(&db, id);

	return row < DB_CHANS ? db_move_mut(&db, row) : NULL;
}

/* ---- frames and handles ------------------------------------------------- */

static int free_handle(uint64_t number, uint8_t *handle)
{
	uint32_t used = 1; /* 0 is the control channel's */

	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->client == number)
			used |= 1u << c->client_handle;
		if (c && c->server == number)
			used |= 1u << c->server_handle;
	}
	if (number == uv_number || used == ~0u)
		return CONTROL_ELIMIT; /* the ultravisor's are all control */
	*handle = (uint8_t)__builtin_ctz(~used);
	return CONTROL_OK;
}

int chan_new(struct db_chan *c, uint64_t client, uint64_t server, uint32_t type,
	     uint32_t pages)
{
	int status = CONTROL_OK;

	c->type = type;
	c->pages = pages;
	c->generation = 1;
	if (type != CHANNEL_CONTROL)
		status = free_handle(client, &c->client_handle);
	c->client = client;
	if (!status && server && type != CHANNEL_CONTROL)
		status = free_handle(server, &c->server_handle);
	c->server = server;
	if (status)
		return status;
	return db_alloc(&db, available_number, pages, 1, uv_number, &c->pfn);
}

static void wipe(const struct db_chan *c, uint32_t pages)
{
	memset(mem_temp(0, c->pfn, pages, PROT_R | PROT_W), 0,
	       pages * ABI_PAGE_BYTES);
}

/* ---- create ------------------------------------------------------------- */

/* All that a new owner must not see is gone; then it may see the channel. */
static void wiped(unsigned row)
{
	struct db_move *m = db_move_note(&db, row);
	const struct db_chan *c = db_chan(&db, m->id);

	if (m->phase != WIPE) /* it is to go on already */
		return;
	wipe(c, m->flags & MOVE_UNWIPED ? c->pages : 1);
	m->flags = 0;
	m->server = END_TELL;
	m->client = END_DONE;
	__atomic_store_n(&m->phase, ATTACH, __ATOMIC_RELEASE);
	view_publish(c->server);
	view_publish(c->client);
}

bool chan_seen_by_server(unsigned row)
{
	return db_move(&db, row)->phase != WIPE;
}

static void effect_create(const struct effect *e)
{
	wiped(db_chan_row(&db, (uint32_t)e->a));
}

static bool exists(const struct control_message *m)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->type == m->channel.type &&
		    c->client == m->channel.client &&
		    c->server == m->channel.server &&
		    c->extent_block == m->channel.extent_block)
			return true;
	}
	return false;
}

int chan_create(struct txn *t, const struct control_message *op,
		uint64_t *result)
{
	const struct channel_type *type = channel_type(op->channel.type);
	uint64_t client = op->channel.client, server = op->channel.server;
	const struct db_bus *bus = db_bus(&db, op->channel.bus);
	struct control_message full = *op;
	struct db_move *m;
	struct db_chan *c;
	int status;

	if (op->channel.bus && (!bus || bus->client != client))
		return CONTROL_ENOENT;
	if (bus && !server)
		full.channel.server = server = bus->server;
	if (!type || type->type == CHANNEL_CONTROL ||
	    op->channel.pages < type->pages ||
	    op->channel.pages > CHANNEL_SLOT_BYTES / ABI_PAGE_BYTES ||
	    client == server)
		return CONTROL_EVALUE;
	if (!db_part(&db, client) || (server && !db_part(&db, server)))
		return CONTROL_ENOENT;
	if (client == available_number || server == available_number)
		return CONTROL_EVALUE;
	if (exists(&full))
		return CONTROL_EEXIST;
	status = db_chan_create(&db, &c);
	if (!status)
		status = chan_new(c, client, server, op->channel.type,
				  op->channel.pages);
	if (status)
		return status;
	c->extent_block = op->channel.extent_block;
	c->extent_blocks = op->channel.extent_blocks;
	status = state_change(&c->flags, RES_STANDBY);
	c->bus = (uint8_t)op->channel.bus;
	c->held = bus && bus->flags == RES_PAUSED;
	m = move_mut(c->id);
	if (!m && !status)
		status = CONTROL_ELIMIT;
	if (status)
		return status;
	*m = (struct db_move){.id = c->id,
			      .phase = WIPE,
			      .flags = MOVE_UNWIPED,
			      .to = server};
	*result = c->id;
	return txn_effect(t, effect_create, c->id, 0, NULL);
}

/* ---- to let go ---------------------------------------------------------- */

/* In the open transaction. */
static int begin(uint32_t id, uint64_t to, bool destroy)
{
	struct db_move *m = move_mut(id);

	if (!m)
		return CONTROL_ELIMIT;
	if (m->phase != LETGO) {
		/* In WIPE the client is off it, and so is the server; in
		 * ATTACH the server perhaps not. */
		bool on = m->phase == OPEN ||
			  (m->phase == RESUME && m->client == END_TOLD);

		m->client = on ? END_TELL : END_DONE;
		if (m->phase == WIPE ||
		    (m->phase == ATTACH && m->server == END_TELL))
			m->server = END_DONE;
		else
			m->server = END_TELL;
	}
	m->phase = LETGO;
	m->to = to;
	m->flags = (m->flags & MOVE_UNWIPED) | (destroy ? MOVE_DESTROY : 0);
	return CONTROL_OK;
}

/* The channel, ready to be taken away; *status says why not. */
static struct db_chan *take(uint64_t id, int *status)
{
	const struct db_chan *c = id >> 32 ? NULL : db_chan(&db, (uint32_t)id);
	struct db_chan *row;

	*status = CONTROL_OK;
	if (!c)
		*status = CONTROL_ENOENT;
	else if (c->type == CHANNEL_CONTROL)
		*status = CONTROL_EVALUE;
	else if (c->flags & RES_REVOKED) /* it lets go already */
		*status = CONTROL_EBUSY;
	if (*status)
		return NULL;
	row = db_chan_mut(&db, c->id);
	if (!row) {
		*status = CONTROL_ELIMIT;
		return NULL;
	}
	*status = state_change(&row->flags,
			       (row->flags & ~(uint32_t)RES_OPERATING) |
				       RES_REVOKED);
	return *status ? NULL : row;
}

int chan_move(struct txn *t, const struct control_message *m, uint64_t *result)
{
	const struct db_part *to = db_part(&db, m->target.to);
	struct db_chan *c;
	uint8_t handle;
	int status;

	if (m->target.to && !to)
		return CONTROL_ENOENT;
	if (to && to->state != PART_STATE_DEFINED && !keep_present(to->number))
		return CONTROL_ESTATE;
	c = take(m->target.number, &status);
	if (!c)
		return status;
	if (c->client == m->target.to)
		return CONTROL_EVALUE;
	if (to && to->number != c->server) {
		status = free_handle(to->number, &handle);
		if (status)
			return status;
	}
	(void)t;
	*result = c->id;
	return begin(c->id, m->target.to, false);
}

int chan_destroy(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_chan *c = take(m->target.number, &status);

	if (!c)
		return status;
	(void)t;
	*result = c->id;
	return begin(c->id, 0, true);
}

/* ---- on hold ------------------------------------------------------------ */

/* To pause it, the ends go through what they do when it moves, to the server
 * that it has, and the client is not told to come back. */
static int hold(uint32_t id)
{
	int status;
	struct db_chan *c = take(id, &status);

	if (!c)
		return status;
	if (c->held)
		return CONTROL_ESTATE;
	c->held = 1;
	return begin(id, c->server, false);
}

/* The next turn of the loop tells the client. */
static int let_go_on(uint32_t id)
{
	const struct db_chan *c = db_chan(&db, id);
	struct db_chan *row;

	if (!c)
		return CONTROL_ENOENT;
	if (c->flags & RES_REVOKED)
		return CONTROL_EBUSY;
	if (!c->held)
		return CONTROL_ESTATE;
	row = db_chan_mut(&db, id);
	if (!row)
		return CONTROL_ELIMIT;
	row->held = 0;
	return CONTROL_OK;
}

int chan_hold(uint32_t id, bool held)
{
	return held ? hold(id) : let_go_on(id);
}

int chan_state(struct txn *t, const struct control_message *m, uint64_t *result)
{
	if (m->target.value != RES_PAUSED && m->target.value != RES_RUNNING)
		return CONTROL_EVALUE;
	if (m->target.number >> 32)
		return CONTROL_ENOENT;
	*result = m->target.number;
	(void)t;
	return chan_hold((uint32_t)m->target.number,
			 m->target.value == RES_PAUSED);
}

int chan_configure(struct txn *t, const struct control_message *m,
		   uint64_t *result)
{
	int status;
	struct db_chan *c = take(m->configure.id, &status);

	if (!c)
		return status;
	if (!c->held)
		return CONTROL_ESTATE;
	c->extent_block = m->configure.extent_block;
	c->extent_blocks = m->configure.extent_blocks;
	(void)t;
	*result = c->id;
	return begin(c->id, c->server, false);
}

/* Events to its former incarnation will not be answered. */
static void renewed_ends(struct db_move *m, const struct db_chan *c,
			 uint64_t number)
{
	if (m->phase == ATTACH && c->server == number)
		m->server = END_TELL;
	if (m->phase == LETGO && c->server == number)
		m->server = END_DONE;
	if (m->phase == LETGO && c->client == number)
		m->client = END_DONE;
}

int chan_renew(uint64_t number)
{
	int status = CONTROL_OK;

	for (unsigned i = 0; i < DB_CHANS && !status; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		uint32_t phase = db_move(&db, i)->phase;
		struct db_move *m;

		if (!c || c->type == CHANNEL_CONTROL ||
		    (c->client != number && c->server != number))
			continue;
		if (phase == OPEN || phase == RESUME) {
			(void)take(c->id, &status);
			if (!status)
				status = begin(c->id, c->server, false);
		}
		m = status ? NULL : db_move_mut(&db, i);
		if (m)
			renewed_ends(m, db_chan_at(&db, i), number);
		else if (!status)
			status = CONTROL_ELIMIT;
	}
	return status;
}

/* Is it an end of that channel and not off it, so that it has to let go? */
static bool holds(const struct db_move *m, const struct db_chan *c,
		  uint64_t number)
{
	bool server = c->server == number, client = c->client == number;

	switch (m->phase) {
	case OPEN:
		return server || client;
	case LETGO:
		return (server && m->server != END_DONE) ||
		       (client && m->client != END_DONE);
	case ATTACH:
		return server && m->server == END_TOLD;
	case RESUME: /* the client, once it was told */
		return server || (client && m->client == END_TOLD);
	default:
		return false;
	}
}

int chan_quiesce(uint64_t number)
{
	int status = CONTROL_OK;

	for (unsigned i = 0; i < DB_CHANS && !status; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		const struct db_move *m = db_move(&db, i);

		if (!c || m->phase == LETGO || !holds(m, c, number))
			continue;
		(void)take(c->id, &status);
		if (!status)
			status = begin(c->id, c->server, false);
	}
	return status;
}

bool chan_quiet(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && holds(db_move(&db, i), c, number))
			return false;
	}
	return true;
}

int chan_server_gone(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		struct db_chan *row;

		if (!c || c->server != number || c->type == CHANNEL_CONTROL)
			continue;
		row = db_chan_mut(&db, c->id);
		if (!row)
			return CONTROL_ELIMIT;
		(void)state_settle(&row->flags,
				   RES_STANDBY | (row->flags & RES_REVOKED));
	}
	return CONTROL_OK;
}

/* ---- the machine's steps ------------------------------------------------ */

/* The handle is noted before the event is sent.  False: no room for it yet. */
static bool tell(uint32_t event, uint64_t number, uint8_t handle,
		 const struct db_chan *c, uint8_t *end, uint64_t *event_handle)
{
	struct control_message e = {.id = event};

	e.attach.handle = handle;
	e.attach.id = c->id;
	e.attach.generation = c->generation;
	*event_handle = control_event_next();
	__atomic_store_n(end, END_TOLD, __ATOMIC_RELEASE);
	if (control_event_send(number, &e))
		return true;
	*end = END_TELL;
	return false;
}

/* Both ends are off it, and it is to be no more. */
static void vanish(unsigned row, const struct db_chan *old)
{
	uint64_t was = old->server, client = old->client;
	uint32_t id = old->id;
	struct db_chan *c;
	struct db_move *m;

	if (!txn_own_begin())
		return; /* the next turn of the loop tries again */
	m = move_mut(id);
	c = db_chan_mut(&db, id);
	if (!m || !c || db_map_set(&db, c->pfn, c->pages, available_number)) {
		db_abort(&db);
		return;
	}
	memset(c, 0, sizeof(*c));
	memset(m, 0, sizeof(*m));
	txn_own_commit();
	client_until[row] = 0;
	view_publish(was);
	view_publish(client);
	logf_("channel %u destroyed", id);
}

/* Both ends are off it: the channel becomes the new server's. */
static void hand_over(unsigned row, const struct db_chan *old)
{
	uint64_t was = old->server;
	struct db_chan *c;
	struct db_move *m;

	if (!txn_own_begin())
		return;
	m = move_mut(old->id);
	c = m ? db_chan_mut(&db, old->id) : NULL;
	if (!c) {
		db_abort(&db);
		return;
	}
	if (m->to != c->server) {
		c->server = 0;
		if (m->to && free_handle(m->to, &c->server_handle))
			m->to = 0;
		c->server = m->to;
	}
	c->generation++;
	(void)state_settle(&c->flags, RES_STANDBY);
	m->phase = WIPE;
	txn_own_commit();
	view_publish(was); /* from here on it can't be touched by the old one */
	wiped(row);
	c = NULL;
	if (db_chan_at(&db, row)->server != was)
		logf_("channel %u to %s at %lu us", db_chan_at(&db, row)->id,
		      part_name(db_chan_at(&db, row)->server),
		      sys_time() / 1000);
}

static void step_letgo(unsigned row, struct db_move *m, const struct db_chan *c,
		       uint64_t now)
{
	if (!keep_answers(c->server))
		m->server = END_DONE;
	else if (m->server == END_TELL)
		(void)tell(EVT_CHANNEL_DETACH, c->server, c->server_handle, c,
			   &m->server, &m->server_event);
	if (!keep_answers(c->client) ||
	    (m->client == END_TOLD && now >= client_until[row])) {
		m->client = END_DONE;
	} else if (m->client == END_TELL &&
		   tell(EVT_CHANNEL_PAUSE, c->client, c->client_handle, c,
			&m->client, &m->client_event)) {
		client_until[row] = now + CLIENT_WAIT_NS;
	}
	if (m->server != END_DONE || m->client != END_DONE)
		return;
	if (m->flags & MOVE_DESTROY)
		vanish(row, c);
	else
		hand_over(row, c);
}

/* The client goes on, or is held: so the database says, too. */
static void settle(uint32_t id, uint32_t flags, uint32_t phase)
{
	struct db_chan *c;
	struct db_move *m;

	if (!txn_own_begin())
		return; /* again, when there is room */
	m = move_mut(id);
	c = m ? db_chan_mut(&db, id) : NULL;
	if (!c) {
		db_abort(&db);
		return;
	}
	(void)state_settle(&c->flags, flags);
	m->phase = (uint8_t)phase;
	txn_own_commit();
}

static void step_resume(struct db_move *m, const struct db_chan *c)
{
	if (m->client != END_TOLD && !keep_present(c->server)) {
		m->server = END_TELL;
		m->phase = ATTACH;
		return;
	}
	if (m->client != END_TOLD && c->held) {
		if (c->flags != RES_PAUSED)
			settle(c->id, RES_PAUSED, RESUME);
		return;
	}
	if (m->client != END_TOLD && keep_present(c->client))
		(void)tell(EVT_CHANNEL_RESUME, c->client, c->client_handle, c,
			   &m->client, &m->client_event);
	if (m->client == END_TOLD)
		settle(c->id, RES_RUNNING, OPEN);
}

static void step(unsigned row, uint64_t now)
{
	struct db_move *m = db_move_note(&db, row);
	const struct db_chan *c = db_chan(&db, m->id);

	switch (m->phase) {
	case LETGO:
		step_letgo(row, m, c, now);
		break;
	case ATTACH:
		if (!keep_present(c->server))
			m->server = END_TELL;
		else if (m->server == END_TELL)
			(void)tell(EVT_CHANNEL_ATTACH, c->server,
				   c->server_handle, c, &m->server,
				   &m->server_event);
		break;
	case RESUME:
		step_resume(m, c);
		break;
	default:
		break;
	}
}

static uint32_t phase_of(unsigned row)
{
	return db_move(&db, row)->phase;
}

uint64_t chan_work(uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_move *m;
		uint32_t before = phase_of(i);

		if (before == NONE || before == OPEN)
			continue;
		for (;;) {
			step(i, now);
			if (phase_of(i) == before)
				break;
			before = phase_of(i);
		}
		m = db_move(&db, i);
		if (m->phase == LETGO && m->client == END_TOLD &&
		    client_until[i] < next)
			next = client_until[i];
	}
	return next;
}

static void acked_server(struct db_move *m, uint64_t number, uint32_t status)
{
	m->server = END_DONE;
	if (m->phase != ATTACH)
		return;
	if (status) {
		logf_("%s refuses channel %u: %u", part_name(number), m->id,
		      status);
		m->phase = OPEN; /* as it is: on standby */
		return;
	}
	m->client = END_DONE; /* with its pause */
	__atomic_store_n(&m->phase, RESUME, __ATOMIC_RELEASE);
}

void chan_acked(uint64_t number, const struct control_message *ack)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		struct db_move *m = db_move_note(&db, i);

		if (!c || m->phase == NONE || m->phase == OPEN)
			continue;
		if (m->server == END_TOLD && c->server == number &&
		    m->server_event == ack->handle)
			acked_server(m, number, ack->status);
		else if (m->phase == LETGO && m->client == END_TOLD &&
			 c->client == number && m->client_event == ack->handle)
			m->client = END_DONE;
	}
}

/* ---- begun anew --------------------------------------------------------- */

/* Was an event noted that was never sent? */
static void sent(uint8_t *end, uint64_t number, uint64_t event)
{
	if (*end == END_TOLD && !control_event_sent(number, event))
		*end = END_TELL;
}

void chan_adopt(void)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		struct db_move *m = db_move_note(&db, i);

		if (!c || m->phase == NONE || m->phase == OPEN)
			continue;
		client_until[i] = sys_time() + CLIENT_WAIT_NS;
		sent(&m->server, c->server, m->server_event);
		sent(&m->client, c->client, m->client_event);
		if (m->phase == WIPE)
			wiped(i);
	}
}

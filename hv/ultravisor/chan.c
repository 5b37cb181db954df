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
 *   ATTACH   wiped, generation + 1, the new server's; it was told to initialise
 *            (EVT_CHANNEL_ATTACH), as soon as it is present
 *   RESUME   the server is READY; the client is to be told
 *            (EVT_CHANNEL_RESUME), as soon as it runs and nobody holds the
 *            channel
 *
 * A server's death fences its devices before its partition counts as not
 * running (part.c), so LETGO can end only when no late write is possible.
 * Identity and frames stay; the old server's view loses the channel before the
 * new one's shows it.  A partition that begins anew sends its channels through
 * LETGO to the same server.
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
	ATTACH,
	RESUME
};

/* What an end has still to do. */
enum end {
	END_TELL,
	END_TOLD,
	END_DONE
};

static struct machine {
	uint32_t id;
	enum phase phase;
	bool destroy;
	uint64_t to;
	enum end server, client;
	uint64_t server_handle, client_handle; /* of events unanswered */
	uint64_t client_until;
} machines[DB_CHANS];

static struct machine *machine_of(uint32_t id)
{
	for (unsigned i = 0; i < DB_CHANS; i++)
		if (machines[i].phase != NONE && machines[i].id == id)
			return &machines[i];
	return NULL;
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

static void effect_create(const struct effect *e)
{
	const struct db_chan *c = db_chan(&db, (uint32_t)e->a);

	wipe(c, c->pages);
	view_publish(c->client);
	view_publish(c->server);
	for (unsigned i = 0; i < DB_CHANS; i++) {
		if (machines[i].phase != NONE)
			continue;
		machines[i] = (struct machine){
			.id = c->id, .phase = ATTACH, .to = c->server};
		break;
	}
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

int chan_create(struct txn *t, const struct control_message *m,
		uint64_t *result)
{
	const struct channel_type *type = channel_type(m->channel.type);
	uint64_t client = m->channel.client, server = m->channel.server;
	const struct db_bus *bus = db_bus(&db, m->channel.bus);
	struct control_message full = *m;
	struct db_chan *c;
	int status;

	if (m->channel.bus && (!bus || bus->client != client))
		return CONTROL_ENOENT;
	if (bus && !server)
		full.channel.server = server = bus->server;
	if (!type || type->type == CHANNEL_CONTROL ||
	    m->channel.pages < type->pages ||
	    m->channel.pages > CHANNEL_SLOT_BYTES / ABI_PAGE_BYTES ||
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
		status = chan_new(c, client, server, m->channel.type,
				  m->channel.pages);
	if (status)
		return status;
	c->extent_block = m->channel.extent_block;
	c->extent_blocks = m->channel.extent_blocks;
	status = state_change(&c->flags, RES_STANDBY);
	c->bus = (uint8_t)m->channel.bus;
	c->held = bus && bus->flags == RES_PAUSED;
	*result = c->id;
	return status ? status : txn_effect(t, effect_create, c->id, 0, NULL);
}

/* ---- to let go ---------------------------------------------------------- */

static void begin(struct machine *m, uint64_t to, bool destroy)
{
	if (m->phase != LETGO) {
		/* In ATTACH the client is off it, the server perhaps not. */
		m->client = m->phase == OPEN ? END_TELL : END_DONE;
		if (m->phase != ATTACH || m->server != END_TELL)
			m->server = END_TELL;
		else
			m->server = END_DONE;
		m->client_until = NEVER;
	}
	m->phase = LETGO;
	m->to = to;
	m->destroy = destroy;
}

static void effect_move(const struct effect *e)
{
	struct machine *m = machine_of((uint32_t)e->a);

	if (m)
		begin(m, e->b, false);
}

static void effect_destroy(const struct effect *e)
{
	struct machine *m = machine_of((uint32_t)e->a);

	if (m)
		begin(m, 0, true);
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
	*result = c->id;
	return txn_effect(t, effect_move, c->id, m->target.to, NULL);
}

int chan_destroy(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_chan *c = take(m->target.number, &status);

	if (!c)
		return status;
	*result = c->id;
	return txn_effect(t, effect_destroy, c->id, 0, NULL);
}

/* ---- on hold ------------------------------------------------------------ */

static void effect_again(const struct effect *e)
{
	const struct db_chan *c = db_chan(&db, (uint32_t)e->a);
	struct machine *m = machine_of((uint32_t)e->a);

	if (m && c)
		begin(m, c->server, false);
}

/* To pause it, the ends go through what they do when it moves, to the server
 * that it has, and the client is not told to come back. */
static int hold(struct txn *t, uint32_t id)
{
	int status;
	struct db_chan *c = take(id, &status);

	if (!c)
		return status;
	if (c->held)
		return CONTROL_ESTATE;
	c->held = 1;
	return txn_effect(t, effect_again, id, 0, NULL);
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

int chan_hold(struct txn *t, uint32_t id, bool held)
{
	return held ? hold(t, id) : let_go_on(id);
}

int chan_state(struct txn *t, const struct control_message *m, uint64_t *result)
{
	if (m->target.value != RES_PAUSED && m->target.value != RES_RUNNING)
		return CONTROL_EVALUE;
	if (m->target.number >> 32)
		return CONTROL_ENOENT;
	*result = m->target.number;
	return chan_hold(t, (uint32_t)m->target.number,
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
	*result = c->id;
	return txn_effect(t, effect_again, c->id, 0, NULL);
}

/* Events to its former incarnation will not be answered. */
static void renewed_ends(struct machine *m, const struct db_chan *c,
			 uint64_t number)
{
	if (m->phase == ATTACH && c->server == number)
		m->server = END_TELL;
	if (m->phase == LETGO && c->server == number)
		m->server = END_DONE;
	if (m->phase == LETGO && c->client == number)
		m->client = END_DONE;
}

void chan_renew(uint64_t number)
{
	if (!txn_own_begin())
		return;
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		struct machine *m;
		uint32_t id;
		int status;

		if (!c || c->type == CHANNEL_CONTROL ||
		    (c->client != number && c->server != number))
			continue;
		m = machine_of(c->id);
		if (!m)
			continue;
		id = c->id;
		if (m->phase == OPEN || m->phase == RESUME) {
			begin(m, c->server, false);
			renewed_ends(m, c, number);
			(void)take(id, &status);
		} else {
			renewed_ends(m, c, number);
		}
	}
	txn_own_commit();
}

/* Is it an end of that channel and not off it, so that it has to let go? */
static bool holds(const struct machine *m, const struct db_chan *c,
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
		const struct machine *m = c ? machine_of(c->id) : NULL;

		if (m && m->phase != LETGO && holds(m, c, number))
			(void)take(c->id, &status);
	}
	return status;
}

void chan_quiesce_begin(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		struct machine *m = c ? machine_of(c->id) : NULL;

		if (m && m->phase != LETGO && holds(m, c, number))
			begin(m, c->server, false);
	}
}

bool chan_quiet(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		const struct machine *m = c ? machine_of(c->id) : NULL;

		if (m && holds(m, c, number))
			return false;
	}
	return true;
}

void chan_server_gone(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		struct db_chan *row;

		if (!c || c->server != number || c->type == CHANNEL_CONTROL)
			continue;
		row = db_chan_mut(&db, c->id);
		if (row)
			(void)state_settle(&row->flags,
					   RES_STANDBY |
						   (row->flags & RES_REVOKED));
	}
}

/* ---- the machine's steps ------------------------------------------------ */

static bool tell(uint32_t event, uint64_t number, uint8_t handle,
		 const struct db_chan *c, uint64_t *event_handle)
{
	struct control_message e = {.id = event};

	e.attach.handle = handle;
	e.attach.id = c->id;
	e.attach.generation = c->generation;
	if (!control_event_send(number, &e))
		return false;
	*event_handle = e.handle;
	return true;
}

/* Both ends are off it: the channel becomes the new server's, or goes. */
static void hand_over(struct machine *m, const struct db_chan *old)
{
	uint64_t was = old->server, client = old->client;
	struct db_chan *c;

	if (!txn_own_begin())
		return; /* the next turn of the loop tries again */
	c = db_chan_mut(&db, m->id);
	if (!c) {
		db_abort(&db);
		return;
	}
	if (m->destroy) {
		if (db_map_set(&db, c->pfn, c->pages, available_number)) {
			db_abort(&db);
			return;
		}
		memset(c, 0, sizeof(*c));
		txn_own_commit();
		m->phase = NONE;
		view_publish(was);
		view_publish(client);
		logf_("channel %u destroyed", m->id);
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
	txn_own_commit();
	c = NULL;
	view_publish(was); /* from here on it can't be touched by the old one */
	wipe(db_chan(&db, m->id), 1);
	if (m->to != was)
		view_publish(m->to);
	view_publish(client);
	if (m->to != was)
		logf_("channel %u to %s at %lu us", m->id, part_name(m->to),
		      sys_time() / 1000);
	m->phase = ATTACH;
	m->server = END_TELL;
	m->client = END_DONE;
}

static void step_letgo(struct machine *m, const struct db_chan *c, uint64_t now)
{
	if (!keep_answers(c->server))
		m->server = END_DONE;
	else if (m->server == END_TELL &&
		 tell(EVT_CHANNEL_DETACH, c->server, c->server_handle, c,
		      &m->server_handle))
		m->server = END_TOLD;
	if (!keep_answers(c->client) || now >= m->client_until)
		m->client = END_DONE;
	else if (m->client == END_TELL &&
		 tell(EVT_CHANNEL_PAUSE, c->client, c->client_handle, c,
		      &m->client_handle)) {
		m->client = END_TOLD;
		m->client_until = now + CLIENT_WAIT_NS;
	}
	if (m->server == END_DONE && m->client == END_DONE)
		hand_over(m, c);
}

static void set_flags(uint32_t id, uint32_t flags)
{
	struct db_chan *c;

	if (!txn_own_begin())
		return;
	c = db_chan_mut(&db, id);
	if (c)
		(void)state_settle(&c->flags, flags);
	txn_own_commit();
}

static void step(struct machine *m, uint64_t now)
{
	const struct db_chan *c = db_chan(&db, m->id);
	uint64_t unused;

	if (!c) {
		m->phase = NONE;
		return;
	}
	switch (m->phase) {
	case LETGO:
		step_letgo(m, c, now);
		break;
	case ATTACH:
		if (!keep_present(c->server))
			m->server = END_TELL;
		else if (m->server == END_TELL &&
			 tell(EVT_CHANNEL_ATTACH, c->server, c->server_handle,
			      c, &m->server_handle))
			m->server = END_TOLD;
		break;
	case RESUME:
		if (!keep_present(c->server)) {
			m->phase = ATTACH;
			m->server = END_TELL;
		} else if (c->held) {
			if (c->flags != RES_PAUSED)
				set_flags(m->id, RES_PAUSED);
		} else if (keep_present(c->client) &&
			   tell(EVT_CHANNEL_RESUME, c->client, c->client_handle,
				c, &unused)) {
			m->phase = OPEN;
			set_flags(m->id, RES_RUNNING);
		}
		break;
	default:
		break;
	}
}

uint64_t chan_work(uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < DB_CHANS; i++) {
		struct machine *m = &machines[i];
		enum phase before;

		if (m->phase == NONE || m->phase == OPEN)
			continue;
		do {
			before = m->phase;
			step(m, now);
		} while (m->phase != before);
		if (m->phase == LETGO && m->client == END_TOLD &&
		    m->client_until < next)
			next = m->client_until;
	}
	return next;
}

void chan_acked(uint64_t number, const struct control_message *ack)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		struct machine *m = &machines[i];
		const struct db_chan *c = m->phase == NONE || m->phase == OPEN
						  ? NULL
						  : db_chan(&db, m->id);

		if (!c)
			continue;
		if (m->server == END_TOLD && c->server == number &&
		    m->server_handle == ack->handle) {
			m->server = END_DONE;
			if (m->phase == ATTACH && ack->status) {
				logf_("%s refuses channel %u: %u",
				      part_name(number), m->id, ack->status);
				m->phase = OPEN; /* as it is: on standby */
			} else if (m->phase == ATTACH) {
				m->phase = RESUME;
			}
		}
		if (m->phase == LETGO && m->client == END_TOLD &&
		    c->client == number && m->client_handle == ack->handle)
			m->client = END_DONE;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/bus.c - buses: channels of one client that are its devices.
 *
 * A bus is made before its devices and goes after them; its state is theirs. It
 * exists only in the database: a client knows its devices by their channels,
 * and hears of a pause channel by channel (chan.c).
 */
#include "ultravisor/uv.h"

#include "lib/string.h"

static unsigned devices(uint64_t id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		n += c && c->bus == id;
	}
	return n;
}

bool bus_of(uint64_t number)
{
	for (unsigned id = 1; id <= DB_BUSES; id++) {
		const struct db_bus *b = db_bus(&db, id);

		if (b && (b->client == number || b->server == number))
			return true;
	}
	return false;
}

static bool can_be_end(uint64_t number)
{
	return db_part(&db, number) && number != available_number &&
	       number != uv_number;
}

int bus_create(struct txn *t, const struct control_message *m, uint64_t *result)
{
	struct db_bus *bus;
	int status;

	(void)t;
	if (!db_part(&db, m->bus.client) ||
	    (m->bus.server && !db_part(&db, m->bus.server)))
		return CONTROL_ENOENT;
	if (!can_be_end(m->bus.client) || m->bus.server == m->bus.client ||
	    (m->bus.server && !can_be_end(m->bus.server)) || !m->bus.number ||
	    m->bus.number > UINT16_MAX)
		return CONTROL_EVALUE;
	for (unsigned id = 1; id <= DB_BUSES; id++) {
		const struct db_bus *b = db_bus(&db, id);

		if (b && b->client == m->bus.client &&
		    b->number == m->bus.number)
			return CONTROL_EEXIST;
	}
	status = db_bus_create(&db, result, &bus);
	if (status)
		return status;
	bus->client = m->bus.client;
	bus->server = m->bus.server;
	bus->number = (uint32_t)m->bus.number;
	bus->flags = RES_RUNNING;
	return CONTROL_OK;
}

/* The bus as a copy to change; NULL: *status says why not. */
static struct db_bus *changed(uint64_t id, int *status)
{
	struct db_bus *bus = NULL;

	*status = db_bus(&db, id) ? CONTROL_OK : CONTROL_ENOENT;
	if (!*status)
		bus = db_bus_mut(&db, id);
	if (!*status && !bus)
		*status = CONTROL_ELIMIT;
	return bus;
}

int bus_destroy(struct txn *t, const struct control_message *m,
		uint64_t *result)
{
	int status;
	struct db_bus *bus = changed(m->target.number, &status);

	(void)t;
	if (!bus)
		return status;
	if (devices(m->target.number))
		return CONTROL_ESTATE;
	memset(bus, 0, sizeof(*bus));
	*result = m->target.number;
	return CONTROL_OK;
}

int bus_configure(struct txn *t, const struct control_message *m,
		  uint64_t *result)
{
	int status;
	struct db_bus *bus = changed(m->target.number, &status);

	(void)t;
	if (!bus)
		return status;
	if (m->target.to && !db_part(&db, m->target.to))
		return CONTROL_ENOENT;
	if (m->target.to &&
	    (!can_be_end(m->target.to) || m->target.to == bus->client))
		return CONTROL_EVALUE;
	bus->server = m->target.to;
	*result = m->target.number;
	return CONTROL_OK;
}

int bus_state(struct txn *t, const struct control_message *m, uint64_t *result)
{
	uint64_t id = m->target.number, state = m->target.value;
	int status;
	struct db_bus *bus = changed(id, &status);

	(void)t;
	if (!bus)
		return status;
	if (state != RES_RUNNING && state != RES_PAUSED)
		return CONTROL_EVALUE;
	if (bus->flags == state)
		return CONTROL_ESTATE;
	bus->flags = (uint32_t)state;
	for (unsigned i = 0; i < DB_CHANS && !status; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		bool hold = state == RES_PAUSED;

		/* One that is so already was told by itself. */
		if (c && c->bus == id && hold != c->held)
			status = chan_hold(c->id, hold);
	}
	*result = id;
	return status;
}

int bus_query(struct control_message *m)
{
	uint64_t *row = m->query.row, left = m->query.index;

	for (unsigned id = 1; id <= DB_BUSES; id++) {
		const struct db_bus *b = db_bus(&db, id);

		if (!b || left--)
			continue;
		row[0] = id;
		row[1] = b->client;
		row[2] = b->server;
		row[3] = b->number;
		row[4] = b->flags;
		row[5] = devices(id);
		return CONTROL_OK;
	}
	return CONTROL_ENOENT;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/transact.c - see transact.h. */
#include "transact.h"

#include "lib/crc.h"

#define ANSWER_NS (900 * MS)
#define OPEN_NS   (50 * MS)

struct control_message last_answer;

static struct control_message ops[TXN_OPS_MAX];
static unsigned count;

static struct end {
	uint32_t id;
	struct channel channel;
} ends[CHANNEL_SLOTS]; /* by handle */

bool i_am(uint32_t kind)
{
	return view_now()->kind == kind;
}

/* --- operations --- */

struct control_message *op(uint32_t id)
{
	struct control_message *m = &ops[count++];

	memset(m, 0, sizeof(*m));
	m->id = id;
	return m;
}

struct control_message *op_create(const char *name, uint32_t kind,
				  uint32_t blocks)
{
	struct control_message *m = op(TXN_PARTITION_CREATE);

	str_field(m->create.name, name, sizeof(m->create.name));
	str_field(m->create.module, "probe", sizeof(m->create.module));
	m->create.kind = kind;
	m->create.blocks = blocks;
	return m;
}

void op_args(uint64_t number, const char *text)
{
	struct control_message *m = op(TXN_PARTITION_ARGS);

	m->args.number = number;
	str_field(m->args.text, text, sizeof(m->args.text));
}

void op_channel(uint64_t client, uint64_t server, uint32_t type, uint32_t pages)
{
	struct control_message *m = op(TXN_CHANNEL_CREATE);

	m->channel.client = client;
	m->channel.server = server;
	m->channel.type = type;
	m->channel.pages = pages;
}

struct control_message *op_on(uint32_t id, uint64_t target)
{
	struct control_message *m = op(id);

	m->target.number = target;
	return m;
}

uint32_t commit(void)
{
	uint32_t status;

	events();
	status =
		control_transact(&control, ops, count, &last_answer, ANSWER_NS);
	count = 0;
	events();
	return status;
}

uint64_t wants_status(uint32_t status, const char *what)
{
	uint32_t got = commit();

	if (got != status)
		logf_("%s: %s, operation %lu", what, control_status_name(got),
		      last_answer.failed_op);
	want(got == status, what);
	return last_answer.result;
}

/* --- questions --- */

bool query(uint64_t what, uint64_t index, uint64_t row[8])
{
	struct control_message *m = op(TXN_QUERY);

	m->query.what = what;
	m->query.index = index;
	if (commit() != CONTROL_OK)
		return false;
	memcpy(row, last_answer.query.row, 8 * sizeof(row[0]));
	return true;
}

bool find(uint64_t what, unsigned column, uint64_t value, uint64_t row[8])
{
	for (uint64_t i = 0; query(what, i, row); i++)
		if (row[column] == value)
			return true;
	return false;
}

uint64_t find_partition(const char *name)
{
	uint64_t row[8];

	for (uint64_t i = 0; query(QUERY_PARTITION, i, row); i++)
		if (!strncmp((const char *)&row[6], name, 16))
			return row[0];
	return 0;
}

uint64_t find_kind(uint32_t kind)
{
	uint64_t row[8];

	return find(QUERY_PARTITION, 1, kind, row) ? row[0] : 0;
}

uint64_t fingerprint(void)
{
	uint64_t row[8];
	uint32_t crc = 0;

	for (uint64_t what = QUERY_PARTITION; what <= QUERY_FRAME; what++) {
		for (uint64_t i = 0; query(what, i, row); i++) {
			if (what == QUERY_SCHEDULE)
				row[6] = row[7] = 0; /* time goes on */
			crc = crc32c(crc, (const uint8_t *)row, sizeof(row));
		}
	}
	return crc;
}

/* --- events --- */

static struct channel_identity identity(const struct view_channel *row)
{
	const struct view *view = view_now();

	return (struct channel_identity){
		.id = row->id,
		.generation = row->generation,
		.client = row->server ? row->peer : view->number,
		.server = row->server ? view->number : row->peer,
		.pages = row->pages};
}

static uint32_t on_attach(const struct control_message *event)
{
	struct control_attachment a;
	uint32_t status = control_attach(event, &a);

	if (status != CONTROL_OK)
		return status;
	ends[a.handle].id = a.row->id;
	return channel_serve(&ends[a.handle].channel, a.at, a.handle,
			     a.row->type, &a.who) == CHANNEL_OPEN
		       ? CONTROL_OK
		       : CONTROL_EVALUE;
}

static uint32_t on_resume(const struct control_message *event)
{
	uint64_t handle = event->attach.handle;
	const struct view_channel *row =
		&view_now()->channel[handle % CHANNEL_SLOTS];
	struct channel_identity who = identity(row);
	int64_t va = sys_channel_map((unsigned)handle);

	if (va < 0)
		return CONTROL_EVALUE;
	ends[handle].id = row->id;
	return channel_attach(&ends[handle].channel, (void *)(uintptr_t)va,
			      (unsigned)handle, row->type, &who) == CHANNEL_OPEN
		       ? CONTROL_OK
		       : CONTROL_EVALUE;
}

static uint32_t on_end(const struct control_message *event)
{
	struct end *e = &ends[event->attach.handle % CHANNEL_SLOTS];

	if (event->id == EVT_CHANNEL_DETACH && e->channel.header)
		channel_drained(&e->channel);
	channel_close(&e->channel);
	e->id = 0;
	(void)sys_channel_unmap((unsigned)event->attach.handle);
	return CONTROL_OK;
}

void events(void)
{
	struct control_message m;

	while (control_event(&control, &m)) {
		uint32_t status = CONTROL_OK;

		if (m.id == EVT_CHANNEL_ATTACH)
			status = on_attach(&m);
		else if (m.id == EVT_CHANNEL_RESUME)
			status = on_resume(&m);
		else if (m.id == EVT_CHANNEL_DETACH ||
			 m.id == EVT_CHANNEL_PAUSE)
			status = on_end(&m);
		control_ack(&control, &m, status);
	}
}

void events_until(uint64_t ns)
{
	while (sys_time() < ns) {
		events();
		if (control_sleep(&control))
			(void)sys_wait(EVENT_CHANNEL(CONTROL_HANDLE), ns);
		control_awake(&control);
	}
	events();
}

struct channel *channel_of(uint32_t id)
{
	for (unsigned h = 0; h < CHANNEL_SLOTS; h++)
		if (ends[h].id == id && ends[h].channel.header)
			return &ends[h].channel;
	return NULL;
}

struct channel *wait_open(uint32_t id)
{
	uint64_t until = sys_time() + OPEN_NS;

	while (!channel_of(id) && sys_time() < until)
		events_until(sys_time() + 100 * US);
	want(channel_of(id), "a channel that opens");
	return channel_of(id);
}

void wait_gone(uint32_t id)
{
	uint64_t until = sys_time() + OPEN_NS, row[8];

	while (find(QUERY_CHANNEL, 0, id, row) && sys_time() < until)
		events_until(sys_time() + 200 * US);
	want(!find(QUERY_CHANNEL, 0, id, row), "a channel that goes");
}

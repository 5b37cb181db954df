/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/channels.c - row 42: infrastructure partitions begin to talk
 * with each other and with guests; row 62: a client refuses what does not fit;
 * row 63: queues; row 66: buses and devices.
 *
 * Operations begins; command, and a guest of the same image, answer what comes
 * by channels of type CHANNEL_POLICY, which have a queue each way.
 */
#include "transact.h"

#define WORK_NS   (60 * MS)
#define DISK_NS   (1000 * MS) /* a disk may be of a slower world */
#define ENDS_NS   (10000 * MS)
#define ANSWER_NS (1000 * MS)

/* --- the other side --- */

static bool answering = true;

static void answer(void)
{
	for (uint32_t id = 1; id < 64; id++) {
		struct channel *ch = channel_of(id);
		struct policy_message m;

		if (!ch || ch->type != CHANNEL_POLICY || !ch->server ||
		    !answering)
			continue;
		while (queue_remove(&ch->queue[0], &m)) {
			m.version++;
			(void)queue_insert(&ch->queue[1], &m);
		}
		(void)queue_sleep(&ch->queue[0]);
	}
}

static void serve(void)
{
	while (sys_time() < ENDS_NS) {
		events();
		answer();
		(void)control_sleep(&control);
		(void)sys_wait(~0ull, sys_time() + 100 * US);
		control_awake(&control);
	}
}

/* Made by a transaction, and open at this end. */
static uint32_t make(uint64_t client, uint64_t server, uint32_t type,
		     uint32_t pages)
{
	uint32_t id;

	op_channel(client, server, type, pages);
	id = (uint32_t)wants_status(CONTROL_OK, "a channel");
	(void)wait_open(id);
	return id;
}

static bool take_until(struct queue *q, void *signal, uint64_t ns)
{
	while (!queue_remove(q, signal)) {
		if (sys_time() > ns)
			return false;
		events();
		if (queue_sleep(q))
			(void)sys_wait(EVENT_CHANNEL(q->handle), ns);
		queue_awake(q);
	}
	return true;
}

static void talk(uint64_t with)
{
	uint32_t id = make(view_now()->number, with, CHANNEL_POLICY,
			   POLICY_CHANNEL_PAGES);
	struct channel *ch = channel_of(id);

	for (uint64_t i = 0; i < 20; i++) {
		struct policy_message m = {.version = i * 10};

		want(queue_insert(&ch->queue[0], &m), "a question");
		want(take_until(&ch->queue[1], &m, sys_time() + 10 * MS) &&
			     m.version == i * 10 + 1,
		     "its answer");
	}
}

static void read_a_block(uint64_t io)
{
	struct block_request request = {.sequence = 1, .op = BLOCK_READ};
	struct block_response response;
	struct channel *ch;

	op_channel(view_now()->number, io, CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	ch = wait_open((uint32_t)wants_status(CONTROL_OK, "a block channel"));
	want(queue_insert(&ch->queue[BLOCK_QUEUE_REQUEST], &request),
	     "a request");
	want(take_until(&ch->queue[BLOCK_QUEUE_RESPONSE], &response,
			sys_time() + DISK_NS) &&
		     response.sequence == 1,
	     "io's answer");
}

void row_42(void)
{
	uint64_t guest, io, command;

	if (!i_am(PART_OPERATIONS)) {
		serve();
		return;
	}
	events_until(WORK_NS);
	(void)op_create("other", PART_GUEST, 1);
	op_args(TXN_RESULT(0), "row=42");
	(void)op_on(TXN_PARTITION_START, TXN_RESULT(0));
	(void)wants_status(CONTROL_OK, "a guest");
	guest = find_partition("other");
	io = find_partition("io.b");
	command = find_kind(PART_COMMAND);
	talk(command);
	talk(guest);
	read_a_block(io);
}

/* --- row 62 --- */

/* Bytes of the header and of the first queue's that a client looks at. */
static const struct {
	uint32_t at, bytes;
} fields[] = {
	{0, 4},  {4, 4},   {8, 8},   {16, 8},  {24, 16}, {40, 8},  {48, 8},
	{56, 4}, {60, 4},  {64, 4},  {68, 4},  {72, 4},  {76, 4},  {80, 4},
	{84, 4}, {128, 4}, {132, 4}, {136, 4}, {140, 4}, {256, 4}, {264, 4},
};

void row_62(void)
{
	const struct view_channel *row;
	struct channel_identity who;
	struct channel *ch, other;
	uint8_t *base;
	uint32_t id, errors;

	if (!i_am(PART_OPERATIONS)) {
		serve();
		return;
	}
	events_until(WORK_NS);
	id = make(view_now()->number, find_partition("io.a"), CHANNEL_BLOCK,
		  BLOCK_CHANNEL_PAGES);
	ch = channel_of(id);
	base = ch->base;
	row = &view_now()->channel[ch->handle];
	who = (struct channel_identity){.id = row->id,
					.generation = row->generation,
					.client = view_now()->number,
					.server = row->peer,
					.pages = row->pages};
	errors = ch->header->client_error;
	for (unsigned f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
		for (unsigned i = 0; i < fields[f].bytes * 8; i++) {
			volatile uint8_t *at = base + fields[f].at + i / 8;

			*at = (uint8_t)(*at ^ 1u << i % 8);
			want(channel_attach(&other, base, ch->handle,
					    CHANNEL_BLOCK,
					    &who) == CHANNEL_MISFIT,
			     "a header that does not fit");
			want(ch->header->client_error == ++errors,
			     "a refusal is counted");
			*at = (uint8_t)(*at ^ 1u << i % 8);
		}
	}
	want(channel_attach(&other, base, ch->handle, CHANNEL_BLOCK, &who) ==
		     CHANNEL_OPEN,
	     "the header that fits");
}

/* --- row 63 --- */

#define REFUSALS 3 /* of a full queue */

/* Has a client been refused so often? */
static bool refused(void)
{
	for (uint32_t id = 1; id < 64; id++) {
		struct channel *ch = channel_of(id);

		if (ch && ch->type == CHANNEL_POLICY && ch->server &&
		    ch->queue[0].header->overflow == REFUSALS)
			return true;
	}
	return false;
}

void row_63(void)
{
	struct policy_message m = {.version = 1};
	volatile struct queue_header *h;
	struct channel *ch;
	struct queue *q;
	uint64_t until;

	if (!i_am(PART_OPERATIONS)) {
		answering = false;
		while (!refused()) /* nothing is taken */
			events_until(sys_time() + MS);
		answering = true;
		serve();
		return;
	}
	events_until(WORK_NS);
	ch = channel_of(make(view_now()->number, find_kind(PART_COMMAND),
			     CHANNEL_POLICY, POLICY_CHANNEL_PAGES));
	q = &ch->queue[0];
	h = q->header;
	want(h->head == h->tail && h->slots == POLICY_SLOTS, "an empty queue");
	for (unsigned i = 0; i < POLICY_SLOTS - 1; i++)
		want(queue_insert(q, &m), "one more fits");
	want(h->sent == POLICY_SLOTS - 1 && h->received == 0, "counters");
	want((h->head + 1) % POLICY_SLOTS == h->tail, "one slot is empty");
	for (uint64_t i = 1; i <= REFUSALS; i++) {
		want(!queue_insert(q, &m), "a full queue refuses");
		want(h->overflow == i, "and counts it");
	}
	want(h->sent == POLICY_SLOTS - 1, "what was refused was not sent");
	until = sys_time() + ANSWER_NS;
	while (h->tail != h->head && sys_time() < until)
		events_until(sys_time() + MS);
	want(h->received == POLICY_SLOTS - 1 && h->tail == h->head,
	     "all was taken in the end");
	want(queue_insert(q, &m), "there is room again");
}

/* --- row 66 --- */

static uint64_t flags_of(uint32_t id)
{
	uint64_t row[8];

	want(find(QUERY_CHANNEL, 0, id, row), "the channel is there");
	return row[5];
}

static void wait_flags(uint32_t id, uint64_t flags, const char *what)
{
	uint64_t until = sys_time() + 30 * MS;

	while (flags_of(id) != flags && sys_time() < until)
		events_until(sys_time() + 200 * US);
	want(flags_of(id) == flags, what);
}

static void op_bus(uint64_t client, uint64_t server, uint64_t number)
{
	struct control_message *m = op(TXN_BUS_CREATE);

	m->bus.client = client;
	m->bus.server = server;
	m->bus.number = number;
}

static void op_device(uint64_t bus, uint64_t client, uint32_t type,
		      uint32_t pages)
{
	struct control_message *m = op(TXN_CHANNEL_CREATE);

	m->channel.client = client;
	m->channel.type = type;
	m->channel.pages = pages;
	m->channel.bus = bus;
}

static struct control_message *op_state(uint32_t id, uint64_t on,
					uint64_t state)
{
	struct control_message *m = op_on(id, on);

	m->target.value = state;
	return m;
}

/* Requests of many kinds at once: each is answered once, in order, by handle.
 */
static void answered_once(void)
{
	uint64_t handle[40], seen = 0, until = sys_time() + 50 * MS;
	struct control_message m;

	for (unsigned i = 0; i < 40; i++) {
		memset(&m, 0, sizeof(m));
		m.id = i % 4 == 3 ? 0x0999 : TXN_QUERY;
		m.query.what = QUERY_MEMORY + i % 3;
		handle[i] = control_send(&control, &m, 1);
		want(handle[i], "room for a request");
	}
	while (seen < 40 && sys_time() < until) {
		if (!control_response(&control, &m)) {
			events_until(sys_time() + 100 * US);
			continue;
		}
		want(m.handle == handle[seen], "answers are matched by handle");
		want((m.status == CONTROL_EID) == (seen % 4 == 3),
		     "an id that does not exist");
		seen++;
	}
	want(seen == 40, "each is answered");
	events_until(sys_time() + MS);
	want(!control_response(&control, &m), "and once");
}

static void children(uint64_t bus, uint32_t device, uint64_t part)
{
	op_bus(part, 0, 7);
	(void)wants_status(CONTROL_OK, "a bus of another partition's");
	(void)op_on(TXN_PARTITION_DESTROY, part);
	(void)wants_status(CONTROL_ESTATE, "a partition with a bus stays");
	(void)op_on(TXN_BUS_DESTROY, bus);
	(void)wants_status(CONTROL_ESTATE, "a bus with a device stays");
	(void)op_on(TXN_BUS_DESTROY, bus + 1);
	(void)wants_status(CONTROL_OK, "a bus without goes");
	(void)op_on(TXN_PARTITION_DESTROY, part);
	(void)wants_status(CONTROL_OK, "a partition without goes");
	(void)op_on(TXN_CHANNEL_DESTROY, device);
	(void)wants_status(CONTROL_OK, "the device goes");
	wait_gone(device);
	(void)op_on(TXN_BUS_DESTROY, bus);
	(void)wants_status(CONTROL_OK, "then its bus");
	(void)op_on(TXN_BUS_DESTROY, bus);
	(void)wants_status(CONTROL_ENOENT, "and only once");
}

static void configure(uint32_t device, uint32_t status)
{
	struct control_message *m = op(TXN_CHANNEL_CONFIGURE);

	m->configure.id = device;
	m->configure.extent_block = 64;
	m->configure.extent_blocks = 32;
	(void)wants_status(status, "configure");
}

/* The device is paused and resumed with its bus, and configured meanwhile. */
static void states(uint64_t bus, uint32_t device)
{
	uint64_t row[8];
	unsigned handle = wait_open(device)->handle;

	wait_flags(device, RES_RUNNING, "the device is running");
	configure(device, CONTROL_ESTATE);
	(void)op_state(TXN_BUS_STATE, bus, RES_STANDBY);
	(void)wants_status(CONTROL_EVALUE, "no state to ask for");
	(void)op_state(TXN_BUS_STATE, bus, RES_RUNNING);
	(void)wants_status(CONTROL_ESTATE, "it is so already");
	(void)op_state(TXN_BUS_STATE, bus, RES_PAUSED);
	(void)wants_status(CONTROL_OK, "the bus is paused");
	wait_flags(device, RES_PAUSED, "and with it the device");
	want(!channel_of(device), "the client is off it");
	configure(device, CONTROL_OK);
	wait_flags(device, RES_PAUSED, "configured, still paused");
	want(view_now()->channel[handle].extent_block == 64, "its extent");
	(void)op_state(TXN_BUS_STATE, bus, RES_RUNNING);
	(void)wants_status(CONTROL_OK, "the bus goes on");
	wait_flags(device, RES_RUNNING, "and with it the device");
	want(wait_open(device)->generation > 1, "which begins anew");
	(void)op_state(TXN_CHANNEL_STATE, device, RES_PAUSED);
	(void)wants_status(CONTROL_OK, "one device is paused");
	wait_flags(device, RES_PAUSED, "alone");
	want(find(QUERY_BUS, 0, bus, row) && row[4] == RES_RUNNING &&
		     row[5] == 1,
	     "its bus is not");
	(void)op_state(TXN_CHANNEL_STATE, device, RES_RUNNING);
	(void)wants_status(CONTROL_OK, "one device goes on");
	wait_flags(device, RES_RUNNING, "alone");
}

void row_66(void)
{
	uint64_t me = view_now()->number, io, bus, part;
	uint32_t device;

	if (!i_am(PART_OPERATIONS))
		return;
	events_until(WORK_NS);
	answered_once();
	io = find_partition("io.a");
	(void)op_create("other", PART_GUEST, 1);
	part = wants_status(CONTROL_OK, "another partition");
	op_bus(me, 0, 1);
	bus = wants_status(CONTROL_OK, "a bus");
	op_bus(me, 0, 1);
	(void)wants_status(CONTROL_EEXIST, "it is there already");
	op_bus(me, me, 2);
	(void)wants_status(CONTROL_EVALUE, "one's own server");
	op_on(TXN_BUS_CONFIGURE, bus)->target.to = io;
	(void)wants_status(CONTROL_OK, "its devices' server");
	op_device(bus, me, CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	device = (uint32_t)wants_status(CONTROL_OK, "a device");
	op_device(bus, me, CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	(void)wants_status(CONTROL_EEXIST, "the same again");
	op_device(bus, part, CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	(void)wants_status(CONTROL_ENOENT, "a bus of another's");
	states(bus, device);
	children(bus, device, part);
}

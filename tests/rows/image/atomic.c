/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/atomic.c - rows 16 and 22: one transaction of several
 * operations that is looked at, killed and made to fail from outside
 * (tests/sweep/transaction.lua), while a guest is at work.
 *
 * Operations makes the guest, two partitions that have ended ("one", "two") and
 * one that never starts ("spare").  Then, ROUNDS times: what the transaction
 * wants done, and undone again, so that the database is the same before each
 * and the same after each.  SYS_NULL with an argument says where it is: MARK
 * and the round, the status that came of it in RSI.
 */
#include "transact.h"

#define WORK_NS  (60 * MS) /* boot has gone by then */
#define ROUNDS   3
#define PAUSE_NS (2 * MS) /* before each round */
#define QUIET_NS (60 * US)
#define MARK     0x600 /* and the round: it is about to ask */
#define DONE     0x610 /* it has its answer */
#define UNDONE   0x620
#define NOBODY   0xfffe

static uint64_t one, two, spare;

static void mark(uint64_t what, uint64_t status)
{
	(void)sys_call(SYS_NULL, what, status, 0, 0, 0);
}

static uint64_t ended(const char *name, uint32_t kind, uint32_t blocks)
{
	uint64_t number, row[8];

	(void)op_create(name, kind, blocks);
	op_args(TXN_RESULT(0), "row=16");
	(void)op_on(TXN_PARTITION_START, TXN_RESULT(0));
	number = wants_status(CONTROL_OK, name);
	while (find(QUERY_PARTITION, 0, number, row) &&
	       row[2] == PART_STATE_RUNNING)
		events_until(sys_time() + MS);
	return number;
}

/* One that works on the disk all the time. */
static void make_guest(void)
{
	uint64_t server = find_partition("io.a");
	uint64_t log = find_partition("diagnostics");
	struct control_message *m = op_create("worker", PART_GUEST, 1);

	str_field(m->create.module, "guest", sizeof(m->create.module));
	m->create.cpu = view_now()->cpus - 1;
	op_args(TXN_RESULT(0), "stream=1 records=100000 slots=32 flush=8");
	op_args(TXN_RESULT(0), "seed=1 read=1 ack=late");
	op_channel(TXN_RESULT(0), log, CHANNEL_DIAG, DIAG_CHANNEL_PAGES);
	op_channel(TXN_RESULT(0), server, CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	m = op_on(TXN_PARTITION_START, TXN_RESULT(0));
	(m - 1)->channel.extent_blocks = 32;
	(void)wants_status(CONTROL_OK, "a guest at work");
}

static void weight(uint64_t number, uint32_t value)
{
	struct control_message *m = op(TXN_SCHEDULE);

	m->schedule.number = number;
	m->schedule.weight = value;
}

static void device(uint32_t id, uint64_t which)
{
	struct control_message *m = op_on(id, which);

	m->target.class_code = 0x010802;
	m->target.to = spare;
}

static void memory(uint32_t id, uint64_t number)
{
	op_on(id, number)->target.value = 1;
}

/* The last operation takes pages of the database to the end. */
static uint32_t change(bool much, bool wrong)
{
	if (much) {
		op_channel(one, two, CHANNEL_HEARTBEAT,
			   HEARTBEAT_CHANNEL_PAGES);
		memory(TXN_MEMORY_RELEASE, one);
		memory(TXN_MEMORY_ASSIGN, two);
	} else {
		struct control_message *m = op(TXN_BUS_CREATE);

		m->bus.client = one;
		m->bus.server = spare;
		m->bus.number = 1;
	}
	weight(one, 300);
	weight(two, 200);
	if (wrong)
		(void)op_on(TXN_CHANNEL_DESTROY, NOBODY);
	else
		device(TXN_DEVICE_ASSIGN, 0);
	return commit();
}

/* The channel between the two; 0: none. */
static uint64_t between(void)
{
	uint64_t row[8];

	for (uint64_t i = 0; query(QUERY_CHANNEL, i, row); i++)
		if (row[2] == one && row[3] == two)
			return row[0];
	return 0;
}

static void change_back(bool much)
{
	uint64_t row[8], id = between();

	want(find(QUERY_DEVICE, 2, spare, row), "the device");
	device(TXN_DEVICE_RELEASE, row[0]);
	weight(one, 100);
	weight(two, 100);
	if (much) {
		memory(TXN_MEMORY_RELEASE, two);
		memory(TXN_MEMORY_ASSIGN, one);
		(void)op_on(TXN_CHANNEL_DESTROY, id);
	} else {
		(void)op_on(TXN_BUS_DESTROY, 1);
	}
	(void)wants_status(CONTROL_OK, "all is undone");
	if (much)
		wait_gone((uint32_t)id);
}

void row_16(void)
{
	bool much = view_arg("much", 0), wrong = view_arg("wrong", 0);
	struct control_message more;

	if (!i_am(PART_OPERATIONS))
		return;
	events_until(WORK_NS);
	one = ended("one", PART_GUEST, 2);
	two = ended("two", PART_GUEST, 1);
	spare = ended("spare", PART_IO, 1);
	make_guest();
	for (unsigned i = 1;; i++) {
		bool last = i == ROUNDS;
		uint32_t status;

		events_until(sys_time() + PAUSE_NS);
		mark(MARK + i, 0);
		status = change(much, last && wrong);
		mark(DONE + i, status);
		events_until(sys_time() + QUIET_NS);
		want(!control_response(&control, &more), "one answer");
		if (last)
			break;
		want(status == CONTROL_OK, "all is done");
		change_back(much);
		mark(UNDONE + i, 0);
	}
	mark(UNDONE + ROUNDS, 0);
	events_until(TIME_NEVER);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/transactions.c - row 21: all operations of a transaction or
 * none; row 22: what fails leaves no mark; row 25: what an assignment gives
 * leads back to it; row 28: blocks. */
#include "transact.h"

/* Who looks from outside, while the machine stands, lets it go by writing 0. */
static volatile uint64_t held;

static void hold(const char *text)
{
	held = 1;
	logf_("%s", text);
	while (held)
		events_until(sys_time() + MS);
}

/* Operations' alone: until nothing changes by itself any more, for what boot
 * had is given back, and every channel is in use.  An answer comes between two
 * works of the ultravisor's, never within one. */
static void settled(void)
{
	uint64_t row[8];
	bool all;

	while (!i_am(PART_OPERATIONS))
		events_until(sys_time() + 100 * MS);
	do {
		events_until(sys_time() + MS);
		all = !find_kind(PART_BOOT);
		for (uint64_t i = 0; all && query(QUERY_CHANNEL, i, row); i++)
			all = row[5] == RES_RUNNING;
	} while (!all);
}

/* Something to be looked at from outside: for 3 ms, or, with the argument
 * `held`, for as long as one wants. */
static void show(const char *text, uint64_t number)
{
	if (view_arg_word("held")) {
		hold(text);
		return;
	}
	logf_("%s %lx", text, number);
	events_until(sys_time() + 3 * MS);
}

/* Each of `ops` operations, all kinds that make something; the one at `bad`
 * names what is not there. */
static void sixteen(unsigned bad, unsigned ops)
{
	for (unsigned i = 0; i < ops; i++) {
		uint64_t a = TXN_RESULT(0), b = TXN_RESULT(1);

		if (i == bad) {
			(void)op_on(TXN_CHANNEL_DESTROY, 0xfffe);
			continue;
		}
		switch (i) {
		case 0:
			(void)op_create("a", PART_GUEST, 1);
			break;
		case 1:
			(void)op_create("b", PART_IO, 1);
			break;
		case 2:
		case 3:
			op_args(i == 2 ? a : b, "some words");
			break;
		case 4:
		case 5:
			op(TXN_SCHEDULE)->schedule.number = i == 4 ? a : b;
			break;
		case 6:
		case 7:
			op_channel(i == 6 ? a : b, i == 6 ? b : a, CHANNEL_DIAG,
				   DIAG_CHANNEL_PAGES);
			break;
		case 8:
		case 9:
			op_channel(i == 8 ? a : b, i == 8 ? b : a,
				   CHANNEL_CONSOLE, CONSOLE_CHANNEL_PAGES);
			break;
		case 10:
			(void)op_create("c", PART_GUEST, 1);
			break;
		case 11:
			op_args(TXN_RESULT(10), "more");
			break;
		case 12:
			op_channel(TXN_RESULT(10), a, CHANNEL_HEARTBEAT,
				   HEARTBEAT_CHANNEL_PAGES);
			break;
		case 13:
			op_channel(b, TXN_RESULT(10), CHANNEL_HEARTBEAT,
				   HEARTBEAT_CHANNEL_PAGES);
			break;
		case 14:
			op_channel(a, view_now()->number, CHANNEL_DIAG,
				   DIAG_CHANNEL_PAGES);
			break;
		default:
			op_on(TXN_DEVICE_ASSIGN, 3)->target.to = b;
			ops = i + 1;
		}
	}
}

/* What the sixteen made. */
static void undo(const uint64_t *was)
{
	static const char *const names[] = {"a", "b", "c"};
	uint64_t row[8], ids[CHANNEL_SLOTS], number[3];
	unsigned n = 0;

	for (uint64_t i = 0; query(QUERY_CHANNEL, i, row); i++)
		if (row[0] > was[0] && row[1] != CHANNEL_CONTROL)
			ids[n++] = row[0];
	want(n == 7, "seven channels more");
	for (unsigned i = 0; i < n; i++)
		(void)op_on(TXN_CHANNEL_DESTROY, ids[i]);
	(void)wants_status(CONTROL_OK, "the channels go");
	for (unsigned i = 0; i < n; i++)
		wait_gone((uint32_t)ids[i]);
	for (unsigned i = 0; i < 3; i++)
		number[i] = find_partition(names[i]);
	for (unsigned i = 0; i < 3; i++)
		(void)op_on(TXN_PARTITION_DESTROY, number[i]);
	(void)wants_status(CONTROL_OK, "the partitions go");
}

static uint64_t last_channel(void)
{
	uint64_t row[8], last = 0;

	for (uint64_t i = 0; query(QUERY_CHANNEL, i, row); i++)
		if (row[0] > last)
			last = row[0];
	return last;
}

void row_21(void)
{
	uint64_t before, was = last_channel(), row[8];

	if (!i_am(PART_OPERATIONS))
		return;
	before = fingerprint();
	for (unsigned bad = 0; bad < TXN_OPS_MAX; bad++) {
		sixteen(bad, TXN_OPS_MAX);
		(void)wants_status(CONTROL_ENOENT, "one operation is wrong");
		want(last_answer.failed_op == bad, "which operation is wrong");
		want(fingerprint() == before, "nothing has changed");
	}
	sixteen(TXN_OPS_MAX, TXN_OPS_MAX);
	(void)wants_status(CONTROL_OK, "sixteen operations");
	want(find_partition("a") && find_partition("b") && find_partition("c"),
	     "three partitions");
	want(find(QUERY_DEVICE, 2, find_partition("b"), row), "a device");
	undo(&was);
	want(fingerprint() == before, "all is as it was");
}

/* Whoever compares reads the database's memory itself. */
void row_22(void)
{
	settled();
	hold("before");
	for (unsigned bad = 0; bad < TXN_OPS_MAX; bad++) {
		sixteen(bad, TXN_OPS_MAX);
		(void)wants_status(CONTROL_ENOENT, "one operation is wrong");
	}
	hold("after");
	(void)op_create("a", PART_GUEST, 1);
	(void)wants_status(CONTROL_OK, "one that holds");
	hold("changed");
}

void row_25(void)
{
	struct control_message *m;
	uint64_t number, row[8], id;

	if (!i_am(PART_OPERATIONS))
		return;
	(void)op_create("thing", PART_IO, 1);
	number = wants_status(CONTROL_OK, "a partition");
	want(find(QUERY_PARTITION, 0, number, row) &&
		     !strncmp((const char *)&row[6], "thing", 16),
	     "its number leads to it");
	op_channel(number, view_now()->number, CHANNEL_DIAG,
		   DIAG_CHANNEL_PAGES);
	id = wants_status(CONTROL_OK, "a channel");
	want(find(QUERY_CHANNEL, 0, id, row) && row[1] == CHANNEL_DIAG &&
		     row[2] == number && row[3] == view_now()->number,
	     "its id leads to it");
	m = op(TXN_DEVICE_ASSIGN);
	m->target.class_code = 0x010802;
	m->target.to = number;
	id = wants_status(CONTROL_OK, "a device");
	want(find(QUERY_DEVICE, 0, id, row) && row[2] == number,
	     "its id leads to it, and that to its owner");
	logf_("number %lx device %lu", number, id);
	events_until(sys_time() + 5 * MS);
}

void row_28(void)
{
	uint64_t number;

	settled();
	show("without", 0);
	(void)op_create("blocks", PART_GUEST, 5);
	number = wants_status(CONTROL_OK, "five blocks");
	show("with", number);
	(void)op_on(TXN_PARTITION_DESTROY, number);
	(void)wants_status(CONTROL_OK, "no more");
	show("again without", 0);
}

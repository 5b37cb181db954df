/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/conflict.c - row 23: command and operations ask for the same
 * at the same time, round by round.
 *
 * Each prints the statuses that it got; tests/rows/transact.lua wants one of
 * the two to be 0 in each round, and the other what the round's wish says.
 */
#include "transact.h"

#include "lib/format.h"

#define START_NS (80 * MS)
#define ROUND_NS (150 * MS)
#define WISH_NS  (100 * MS) /* into the round: what came before it is done */
#define ASK_NS   (110 * MS) /* both at once */

static uint64_t own; /* what this one made before the round */

static bool operations(void)
{
	return i_am(PART_OPERATIONS);
}

static void make_io(void)
{
	(void)op_create(operations() ? "io.x" : "io.y", PART_IO, 1);
	own = wants_status(CONTROL_OK, "an owner for the device");
}

static void fill_slots(void)
{
	char name[16] = "fill.A";
	uint64_t last = 0;

	if (!operations())
		return;
	for (;; name[5]++) {
		(void)op_create(name, PART_GUEST, 1);
		if (commit() != CONTROL_OK)
			break;
		last = last_answer.result;
	}
	(void)op_on(TXN_PARTITION_DESTROY, last);
	(void)wants_status(CONTROL_OK, "one slot is left");
}

/* Slots for more. */
static void empty_slots(void)
{
	uint64_t a, b;

	if (!operations())
		return;
	a = find_partition("fill.A");
	b = find_partition("fill.B");
	(void)op_on(TXN_PARTITION_DESTROY, a);
	(void)op_on(TXN_PARTITION_DESTROY, b);
	(void)wants_status(CONTROL_OK, "two slots are free");
}

/* For both. */
static void make_shared(void)
{
	if (!operations())
		return;
	(void)op_create("shared", PART_GUEST, 1);
	(void)wants_status(CONTROL_OK, "what both want to have");
}

static void wish_name(void)
{
	(void)op_create("same", PART_GUEST, 1);
}

static void wish_device(void)
{
	uint64_t row[8];

	want(find(QUERY_DEVICE, 2, find_kind(PART_AVAILABLE), row),
	     "a free device");
	op_on(TXN_DEVICE_ASSIGN, row[0])->target.to = own;
}

/* Two thirds of what is free, as whole blocks. */
static void wish_memory(void)
{
	uint64_t row[8];

	want(query(QUERY_MEMORY, 0, row), "free memory");
	(void)op_create(operations() ? "much.x" : "much.y", PART_GUEST,
			(uint32_t)(row[1] / 512 * 2 / 3));
}

static void wish_slot(void)
{
	(void)op_create(operations() ? "last.x" : "last.y", PART_GUEST, 1);
}

static void wish_channel(void)
{
	uint64_t client = find_kind(PART_COMMAND);
	uint64_t server = find_kind(PART_OPERATIONS);

	op_channel(client, server, CHANNEL_DIAG, DIAG_CHANNEL_PAGES);
}

/* A channel that both know: the policy channel of boot's. */
static void wish_undo(void)
{
	uint64_t row[8];

	want(find(QUERY_CHANNEL, 1, CHANNEL_POLICY, row), "a channel");
	(void)op_on(TXN_CHANNEL_DESTROY, row[0]);
}

static void wish_start(void)
{
	uint64_t number = find_partition("shared");

	(void)op_on(TXN_PARTITION_START, number);
}

static void wish_end(void)
{
	uint64_t number = find_partition("same");

	(void)op_on(TXN_PARTITION_DESTROY, number);
}

static const struct {
	void (*before)(void);
	void (*wish)(void);
} rounds[] = {
	{NULL, wish_name},         {make_io, wish_device},
	{NULL, wish_channel},      {NULL, wish_undo},
	{make_shared, wish_start}, {NULL, wish_end},
	{fill_slots, wish_slot},   {empty_slots, wish_memory},
};

void row_23(void)
{
	char line[100];
	int n = format(line, sizeof(line), "statuses");

	for (unsigned r = 0; r < sizeof(rounds) / sizeof(rounds[0]); r++) {
		events_until(START_NS + r * ROUND_NS);
		if (rounds[r].before)
			rounds[r].before();
		events_until(START_NS + r * ROUND_NS + WISH_NS);
		rounds[r].wish();
		events_until(START_NS + r * ROUND_NS + ASK_NS);
		n += format(line + n, sizeof(line) - (size_t)n, " %u",
			    commit());
	}
	events_until(START_NS + sizeof(rounds) / sizeof(rounds[0]) * ROUND_NS);
	logf_("%s", line);
}

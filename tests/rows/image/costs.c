/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/costs.c - rows 32 and 47: work whose instructions are
 * counted from outside (tests/rows/costs).
 *
 * SYS_NULL with an argument says what comes next: MARK, MARK_END, or the number
 * of a phase.  Operations does the work; a guest of the same image is its peer,
 * which sleeps until PEER_SPINS, is awake from then on, and at the end updates
 * page tables, which are the guests' alone.
 */
#include "process.h"
#include "transact.h"

#define TURNS       64
#define WORK_NS     (60 * MS) /* boot has gone by then */
#define STEP_NS     (7 * US)
#define PEER_SPINS  (100 * MS)
#define PEER_ENDS   (140 * MS)
#define MARK        0x100 /* and what is counted: a transaction */
#define MARK_END    0x1ff
#define PHASE       0x200
#define SLEEPING    0
#define RUNNING     1
#define MAP_SPACE   1
#define MAP_VA      0x40000
#define TXN_ONE     1
#define TXN_SIXTEEN 2
#define TXN_CREATE  3
#define TXN_DESTROY 4
#define TXN_CHANNEL 5

static void mark(uint64_t what)
{
	(void)sys_call(SYS_NULL, what, 0, 0, 0, 0);
}

/* --- transactions --- */

/* The time that each takes at least, for a host whose time goes with its
 * instructions and where nobody counts them. */
static uint64_t least[TXN_CHANNEL + 1];

static uint64_t timed(unsigned what, const char *text)
{
	uint64_t since = sys_time(), result;

	mark(MARK + what);
	result = wants_status(CONTROL_OK, text);
	mark(MARK_END);
	since = sys_time() - since;
	if (!least[what] || since < least[what])
		least[what] = since;
	return result;
}

static void schedule(unsigned times, uint64_t number)
{
	for (unsigned i = 0; i < times; i++)
		op(TXN_SCHEDULE)->schedule.number = number;
	(void)timed(times == 1 ? TXN_ONE : TXN_SIXTEEN, "schedule");
}

static void life(void)
{
	uint64_t number;

	(void)op_create("short", PART_GUEST, 1);
	number = timed(TXN_CREATE, "create");
	(void)op_on(TXN_PARTITION_DESTROY, number);
	(void)timed(TXN_DESTROY, "destroy");
}

static void channel(uint64_t peer)
{
	uint64_t id;

	op_channel(view_now()->number, peer, CHANNEL_HEARTBEAT,
		   HEARTBEAT_CHANNEL_PAGES);
	id = timed(TXN_CHANNEL, "channel");
	(void)op_on(TXN_CHANNEL_DESTROY, id);
	(void)wants_status(CONTROL_OK, "no channel");
	wait_gone((uint32_t)id);
}

/* A partition that exists, but never runs. */
static uint64_t still(const char *name)
{
	(void)op_create(name, PART_GUEST, 1);
	return wants_status(CONTROL_OK, name);
}

void row_32(void)
{
	uint64_t turns = view_arg("turns", TURNS), lives = view_arg("lives", 4);
	uint64_t channels = view_arg("channels", 4), peer;

	if (!i_am(PART_OPERATIONS))
		return;
	events_until(WORK_NS);
	peer = still("still");
	for (uint64_t i = 0; i < turns || i < lives || i < channels; i++) {
		if (i < turns) {
			schedule(1, peer);
			schedule(TXN_OPS_MAX, peer);
		}
		if (i < lives)
			life();
		/* At another moment between two beats each time: some of them
		 * go by without one. */
		(void)sys_wait(0, sys_time() + i % 32 * STEP_NS);
		if (i < channels)
			channel(peer);
	}
	logf_("at least: %lu %lu %lu %lu %lu ns", least[TXN_ONE],
	      least[TXN_SIXTEEN], least[TXN_CREATE], least[TXN_DESTROY],
	      least[TXN_CHANNEL]);
}

/* --- system calls --- */

static unsigned make_peer(void)
{
	uint64_t peer, id;

	/* On another CPU, if there is one: then it runs or sleeps for itself.
	 */
	op_create("peer", PART_GUEST, 1)->create.cpu = view_now()->cpus > 1;
	op_args(TXN_RESULT(0), "row=47");
	op_channel(view_now()->number, TXN_RESULT(0), CHANNEL_DIAG,
		   DIAG_CHANNEL_PAGES);
	(void)op_on(TXN_PARTITION_START, TXN_RESULT(0));
	peer = wants_status(CONTROL_OK, "peer");
	{
		uint64_t row[8];

		want(find(QUERY_CHANNEL, 3, peer, row), "the peer's channel");
		id = row[0];
	}
	return wait_open((uint32_t)id)->handle;
}

static void signals(unsigned phase, unsigned handle)
{
	mark(PHASE + phase);
	for (unsigned i = 0; i < TURNS; i++) {
		want(sys_signal(handle) == 0, "a signal");
		events_until(sys_time() + 100 * US); /* the peer sleeps again */
	}
}

static void updates(void)
{
	static struct as_map map[64];
	uint64_t page = process_make(MAP_SPACE, process_touch);

	for (unsigned i = 0; i < 64; i++)
		map[i] = (struct as_map){.va = MAP_VA + i * ABI_PAGE_BYTES,
					 .page = page,
					 .prot = PROT_R | PROT_W};
	for (unsigned i = 0; i < TURNS; i++) {
		want(sys_as_map(MAP_SPACE, map, 1) == 0, "an update");
		want(sys_as_map(MAP_SPACE, map, 64) == 0, "64 updates");
	}
}

static void peer(void)
{
	while (sys_time() < PEER_SPINS) {
		events();
		(void)control_sleep(&control);
		(void)sys_wait(~0ull, PEER_SPINS);
		control_awake(&control);
	}
	spin(PEER_ENDS - PEER_SPINS);
}

void row_47(void)
{
	unsigned handle;

	if (i_am(PART_GUEST)) {
		peer();
		updates();
		return;
	}
	if (!i_am(PART_OPERATIONS))
		return;
	events_until(WORK_NS);
	handle = make_peer();
	for (unsigned i = 0; i < TURNS; i++)
		mark(0);
	signals(SLEEPING, handle);
	events_until(PEER_SPINS + 2 * MS);
	signals(RUNNING, handle);
}

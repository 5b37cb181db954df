/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/hostile.c - row 64: a peer that writes the other's state;
 * row 65: a peer that changes any byte of its channels at any instant.
 *
 * It is a guest; its channels lead to the ultravisor, io.a, operations and
 * diagnostics as they are.  Argument: seed=.
 */
#include "transact.h"

#define OPENED_NS (1000 * MS)
#define PUT_RIGHT (3 * MS)
#define HARM_NS   (80 * MS)

/* Its channels, of which the ultravisor lets it be the client. */
static struct channel *wait_type(uint32_t type)
{
	uint64_t until = sys_time() + OPENED_NS;

	for (;;) {
		for (unsigned h = 1; h < CHANNEL_SLOTS; h++) {
			const struct view_channel *row =
				&view_now()->channel[h];

			if (row->id && row->type == type && channel_of(row->id))
				return channel_of(row->id);
		}
		want(sys_time() < until, "a channel that opens");
		events_until(sys_time() + 100 * US);
	}
}

/* --- row 64 --- */

static void scribble(struct channel *ch, uint32_t state)
{
	uint64_t until = sys_time() + PUT_RIGHT;
	uint32_t errors = ch->header->server_error;
	struct block_request wrong = {.sequence = 1, .op = 99};
	struct block_response response;

	ch->header->server_state = state;
	while (ch->header->server_state != CHANNEL_SERVER_READY &&
	       sys_time() < until) {
		/* Something to wake up for. */
		if (ch->type == CHANNEL_BLOCK) {
			(void)queue_insert(&ch->queue[BLOCK_QUEUE_REQUEST],
					   &wrong);
			(void)queue_remove(&ch->queue[BLOCK_QUEUE_RESPONSE],
					   &response);
		}
		(void)sys_signal(ch->handle);
		events_until(sys_time() + 200 * US);
	}
	want(ch->header->server_state == CHANNEL_SERVER_READY,
	     "the server's state is what the server says");
	want(ch->header->server_error > errors, "and that was counted");
}

void row_64(void)
{
	static const uint32_t states[] = {CHANNEL_SERVER_UNINIT,
					  CHANNEL_SERVER_DRAINED, 7, ~0u};
	struct channel *block = wait_type(CHANNEL_BLOCK);
	struct channel *diag = wait_type(CHANNEL_DIAG);

	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		scribble(block, states[i]);
		scribble(diag, states[i]);
	}
}

/* --- row 65 --- */

static uint64_t random_state;

static uint64_t next(void)
{
	random_state =
		random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state >> 33;
}

static uint64_t odd_value(void)
{
	static const uint64_t some[] = {
		0,  1,   2,   7,    31,         32,         33,         63,
		64, 127, 128, 4095, 0x7fffffff, 0x80000000, 0xffffffff, ~0ull};

	return next() % 3 ? some[next() % (sizeof(some) / sizeof(some[0]))]
			  : next() << 32 | next();
}

/* One write into a channel: mostly to its header and its queues'. */
static void harm(uint8_t *base, uint64_t bytes)
{
	uint64_t at = next() % (next() % 4 ? 128 + 4 * 128 : bytes);

	switch (next() % 3) {
	case 0:
		base[at] = (uint8_t)next();
		break;
	case 1:
		*(volatile uint32_t *)(base + (at & ~3ull)) =
			(uint32_t)odd_value();
		break;
	default:
		*(volatile uint64_t *)(base + (at & ~7ull)) = odd_value();
	}
}

void row_65(void)
{
	uint64_t until = sys_time() + HARM_NS, writes = 0;

	random_state = view_arg("seed", 1);
	(void)wait_type(CHANNEL_BLOCK);
	while (sys_time() < until) {
		unsigned handle = next() % CHANNEL_SLOTS;
		const struct view_channel *row = &view_now()->channel[handle];
		int64_t va;

		if (!row->id)
			continue;
		va = sys_channel_map(handle);
		if (va < 0)
			continue;
		for (uint64_t n = next() % 64; n; n--, writes++)
			harm((uint8_t *)(uintptr_t)va,
			     (uint64_t)row->pages * ABI_PAGE_BYTES);
		(void)sys_signal(handle);
		if (next() % 4 == 0)
			(void)sys_wait(0, sys_time() + next() % 50 * US);
	}
	want(writes > 1000, "it did harm");
}

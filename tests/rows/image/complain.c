/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/complain.c - row 72: a guest that complains without a
 * reason.
 *
 * Whatever it names that is not its own block channel, as it is now, is refused
 * by a defined error; of its own it may complain, but not as often as it can.
 */
#include "transact.h"

#define OPENED_NS (1000 * MS)
#define LIES_NS   (80 * MS)
#define ANSWER_NS (10 * MS)

static uint64_t waited_ns = MS;

static uint32_t complain(uint64_t id, uint64_t generation)
{
	struct control_message m, answer;

	memset(&m, 0, sizeof(m));
	m.id = COMPLAIN_SLOW;
	m.slow.id = id;
	m.slow.generation = generation;
	m.slow.waited_ns = waited_ns;
	m.slow.client = 1; /* these are not the sender's to say */
	m.slow.server = 1;
	return control_transact(&control, &m, 1, &answer, ANSWER_NS);
}

static const struct view_channel *disk(void)
{
	uint64_t until = sys_time() + OPENED_NS;

	for (;;) {
		for (unsigned h = 1; h < CHANNEL_SLOTS; h++) {
			const struct view_channel *row =
				&view_now()->channel[h];

			if (row->id && row->type == CHANNEL_BLOCK &&
			    channel_of(row->id))
				return row;
		}
		want(sys_time() < until, "a disk");
		events_until(sys_time() + 100 * US);
	}
}

static const struct view_channel *mine(uint32_t id)
{
	for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
		if (view_now()->channel[h].id == id)
			return &view_now()->channel[h];
	}
	return NULL;
}

static void refused(const struct view_channel *d)
{
	uint32_t id = d->id, generation = d->generation;

	for (uint32_t other = 1; other < 64; other++) {
		const struct view_channel *row = mine(other);

		if (other == id)
			continue;
		want(complain(other, 1) ==
			     (row ? CONTROL_EVALUE : CONTROL_ENOENT),
		     "another channel");
	}
	want(complain(0, generation) == CONTROL_ENOENT, "no channel");
	want(complain(id | 1ull << 32, generation) == CONTROL_ENOENT,
	     "more than an id");
	waited_ns = ~0ull;
	want(complain(id, generation) == CONTROL_EVALUE,
	     "longer than there was time");
	waited_ns = MS;
	want(complain(id, generation + 1) == CONTROL_ESTATE,
	     "a generation to come");
	want(complain(id, generation | 1ull << 32) == CONTROL_ESTATE,
	     "more than a generation");
}

void row_72(void)
{
	const struct view_channel *d = disk();
	uint64_t start, until;
	unsigned heard = 0;

	refused(d);
	start = sys_time();
	until = start + LIES_NS;
	while (sys_time() < until) {
		uint32_t status;

		d = disk();
		status = complain(d->id, d->generation);
		heard += status == CONTROL_OK;
		want(status == CONTROL_OK || status == CONTROL_EBUSY ||
			     status == CONTROL_ESTATE,
		     "a complaint of its own disk");
		events();
	}
	want(heard >= 2, "two of its complaints were passed on");
	want(heard <= (sys_time() - start) / COMPLAINT_GAP_NS + 1,
	     "and no more than may be");
}

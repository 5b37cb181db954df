/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The promises of hv/lib/channel.h. */
#include <criterion/criterion.h>
#include <string.h>

#include "support.h"

#include "abi/control.h"

static struct channel server, client;

static void setup(void)
{
	support_reset();
	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
}

TestSuite(channel, .init = setup);

static void open_both(uint32_t type, uint32_t pages)
{
	struct channel_identity who = test_identity(3, pages);

	cr_assert_eq(channel_serve(&server, test_channel, 4, type, &who),
		     CHANNEL_OPEN);
	cr_assert_eq(channel_attach(&client, test_channel, 5, type, &who),
		     CHANNEL_OPEN);
}

Test(channel, every_type_fits_its_pages)
{
	static const uint32_t pages[] = {
		[CHANNEL_CONTROL] = CONTROL_CHANNEL_PAGES,
		[CHANNEL_BLOCK] = BLOCK_CHANNEL_PAGES,
		[CHANNEL_HEARTBEAT] = HEARTBEAT_CHANNEL_PAGES,
		[CHANNEL_DIAG] = DIAG_CHANNEL_PAGES,
		[CHANNEL_POLICY] = POLICY_CHANNEL_PAGES,
		[CHANNEL_CONSOLE] = CONSOLE_CHANNEL_PAGES,
		[CHANNEL_NETWORK] = NET_CHANNEL_PAGES,
		[CHANNEL_LOG] = LOG_CHANNEL_PAGES,
	};

	for (uint32_t t = CHANNEL_CONTROL; t <= CHANNEL_LOG; t++) {
		const struct channel_type *type = channel_type(t);

		if (pages[t] == 0)
			continue;
		cr_assert_not_null(type);
		cr_expect_eq(type->pages, pages[t]);
		cr_expect_leq(channel_offset(type, type->queues) +
				      type->data_pages * 4096,
			      pages[t] * 4096, "type %u", t);
	}
	cr_expect_null(channel_type(99));
}

Test(channel, a_client_waits_for_the_server)
{
	struct channel_identity who = test_identity(1, DIAG_CHANNEL_PAGES);

	cr_expect_eq(
		channel_attach(&client, test_channel, 5, CHANNEL_DIAG, &who),
		CHANNEL_NOT_READY);
}

Test(channel, s62_a_client_refuses_what_does_not_fit)
{
	struct channel_identity who = test_identity(1, BLOCK_CHANNEL_PAGES);
	struct channel_header *h = (void *)test_channel;
	/* What may hold anything before a client attaches. */
	static const struct {
		size_t at, bytes;
	} open_fields[] = {
		{offsetof(struct channel_header, client), 16},
		{offsetof(struct channel_header, client_state), 4},
		{offsetof(struct channel_header, server_beat), 32},
	};

	for (size_t at = 0; at < sizeof(*h) + 2 * 16; at++) {
		size_t in = at >= sizeof(*h) + 16 ? at - 16 + 128 : at;
		bool any = false;

		for (size_t i = 0; i < 3; i++)
			any |= in - open_fields[i].at < open_fields[i].bytes;
		if (any)
			continue;
		cr_assert_eq(channel_serve(&server, test_channel, 4,
					   CHANNEL_BLOCK, &who),
			     CHANNEL_OPEN);
		test_channel[in] ^= 0x40;
		cr_expect_neq(channel_attach(&client, test_channel, 5,
					     CHANNEL_BLOCK, &who),
			      CHANNEL_OPEN, "byte %zu", in);
	}
}

Test(channel, s63_one_slot_stays_empty_and_a_full_insert_is_counted)
{
	struct diag_record r = {.type = DIAG_NOTE};
	struct queue *out, *in;

	open_both(CHANNEL_DIAG, DIAG_CHANNEL_PAGES);
	out = &client.queue[0];
	in = &server.queue[0];
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < DIAG_SLOTS - 1; i++) {
			r.record = i;
			cr_assert(queue_insert(out, &r));
		}
		cr_assert_not(queue_room(out, 1));
		cr_assert_not(queue_insert(out, &r));
		cr_assert_eq(out->header->overflow, round + 1);
		for (unsigned i = 0; i < DIAG_SLOTS - 1; i++) {
			cr_assert(queue_remove(in, &r));
			cr_assert_eq(r.record, i);
		}
		cr_assert_not(queue_remove(in, &r));
	}
	cr_expect_eq(out->header->sent, 3 * (DIAG_SLOTS - 1));
	cr_expect_eq(out->header->received, 3 * (DIAG_SLOTS - 1));
}

Test(channel, s61_a_signal_only_for_a_sleeper_and_the_first)
{
	struct diag_record r = {.type = DIAG_NOTE};
	struct queue *out, *in;

	open_both(CHANNEL_DIAG, DIAG_CHANNEL_PAGES);
	out = &client.queue[0];
	in = &server.queue[0];
	cr_assert(queue_insert(out, &r)); /* nobody asked */
	cr_expect_eq(test_signals, 0);
	cr_assert(queue_remove(in, &r));
	cr_assert(queue_sleep(in));
	cr_assert(queue_insert(out, &r));
	cr_expect_eq(test_signals, 1);
	cr_assert(queue_insert(out, &r)); /* not empty any more */
	cr_expect_eq(test_signals, 1);
	cr_expect_not(queue_sleep(in), "something is there");
	cr_expect_eq(in->header->want_event, 0);
}

/* The producer saw a signal in the queue before the consumer took it and went
 * to sleep: what counts is the tail after the new head was published. */
Test(channel, s61_no_wakeup_is_lost_when_the_consumer_empties_meanwhile)
{
	struct diag_record r = {.type = DIAG_NOTE};
	struct queue *out, *in;

	open_both(CHANNEL_DIAG, DIAG_CHANNEL_PAGES);
	out = &client.queue[0];
	in = &server.queue[0];
	for (unsigned i = 0; i < 1000; i++) {
		test_signals = 0;
		cr_assert(queue_insert(out, &r));
		cr_assert(queue_remove(in, &r));
		cr_assert(queue_sleep(in));
		cr_assert(queue_insert(out, &r));
		cr_assert_eq(test_signals, 1);
		queue_awake(in);
		cr_assert(queue_remove(in, &r));
	}
}

Test(channel, s65_any_bytes_at_any_time_do_no_harm)
{
	struct {
		uint64_t before[16];
		struct block_request request;
		uint64_t after[16];
	} guarded;
	uint64_t random = 42;

	memset(&guarded, 0xa5, sizeof(guarded));
	open_both(CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t r = test_random(&random);
		struct queue *q = &server.queue[r >> 8 & 1];
		uint64_t taken = 0;

		/* The peer writes where it likes, the queue headers mostly. */
		test_channel[(r >> 16) % (r & 1 ? 512 : 8192)] =
			(uint8_t)(r >> 40);
		/* It sends as well, so that there is something to take. */
		if (r >> 50 & 1)
			q->header->head = (uint32_t)(r >> 52) % q->slot_count;
		if (q == &server.queue[BLOCK_QUEUE_REQUEST]) {
			while (taken < BLOCK_SLOTS &&
			       queue_remove(q, &guarded.request))
				taken++;
		} else {
			(void)queue_insert(q, &guarded.request);
		}
		(void)queue_sleep(&server.queue[BLOCK_QUEUE_REQUEST]);
		cr_assert_lt(q->index, q->slot_count);
	}
	for (unsigned i = 0; i < 16; i++) {
		cr_expect_eq(guarded.before[i], 0xa5a5a5a5a5a5a5a5);
		cr_expect_eq(guarded.after[i], 0xa5a5a5a5a5a5a5a5);
	}
}

Test(channel, data_pages_lie_inside)
{
	open_both(CHANNEL_BLOCK, BLOCK_CHANNEL_PAGES);
	for (uint32_t i = 0; i < BLOCK_DATA_PAGES; i++) {
		const uint8_t *page = channel_data(&client, i);

		cr_assert_not_null(page);
		cr_assert_leq(page + 4096, test_channel + sizeof(test_channel));
		cr_assert_eq((uintptr_t)page % 4096, 0);
		cr_expect_eq(channel_data(&server, i),
			     i < BLOCK_READ_PAGES ? page : NULL);
	}
	cr_expect_null(channel_data(&client, BLOCK_DATA_PAGES));
	cr_expect_null(channel_data(&server, BLOCK_DATA_PAGES));
}

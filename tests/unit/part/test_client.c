/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/client.c against a server that follows a script. */
#include <criterion/criterion.h>
#include <string.h>

#include "support.h"

#include "guest/client.h"

static struct client client;
static struct channel server;
static uint32_t generation;

static struct {
	uint32_t cookie, status;
	uint8_t first; /* byte of the data; 0: no data */
} ended[256];
static unsigned ends;

static struct block_request got[64];
static unsigned requests;

static void done(uint32_t cookie, uint32_t status, const void *bytes)
{
	ended[ends].cookie = cookie;
	ended[ends].status = status;
	ended[ends].first = bytes != NULL ? *(const uint8_t *)bytes : 0;
	ends++;
}

/* As the ultravisor and a server do it. */
static void new_server(void)
{
	struct channel_identity who =
		test_identity(++generation, BLOCK_CHANNEL_PAGES);

	memset(test_channel, 0, 4096);
	cr_assert_eq(
		channel_serve(&server, test_channel, 3, CHANNEL_BLOCK, &who),
		CHANNEL_OPEN);
	cr_assert_eq(client_resume(&client, test_channel, 5, &who),
		     CHANNEL_OPEN);
}

static void setup(void)
{
	support_reset();
	generation = 0;
	ends = 0;
	client_init(&client, done);
	new_server();
}

TestSuite(client, .init = setup);

/* What the client has sent; the requests are in got[]. */
static unsigned receive(void)
{
	requests = 0;
	client_run(&client, test_now_ns);
	while (queue_remove(&server.queue[BLOCK_QUEUE_REQUEST], &got[requests]))
		requests++;
	return requests;
}

static void answer(uint64_t sequence, uint32_t status)
{
	struct block_response r = {.sequence = sequence, .status = status};

	cr_assert(queue_insert(&server.queue[BLOCK_QUEUE_RESPONSE], &r));
	client_run(&client, test_now_ns);
}

static bool write_block(uint64_t block, uint8_t fill, uint32_t cookie)
{
	uint8_t page[BLOCK_BYTES];

	memset(page, fill, sizeof(page));
	return client_write(&client, block, page, 0, 1, fill, cookie);
}

static uint8_t sent_byte(unsigned n)
{
	return *(uint8_t *)channel_data(&client.channel, got[n].data_page);
}

Test(client, sends_in_order_with_rising_sequence)
{
	for (unsigned i = 0; i < 5; i++)
		cr_assert(write_block(i, (uint8_t)(i + 1), i));
	cr_assert_eq(receive(), 5);
	for (unsigned i = 0; i < 5; i++) {
		cr_expect_eq(got[i].sequence, i + 1);
		cr_expect_eq(got[i].block, i);
		cr_expect_eq(got[i].replay, 0);
		cr_expect_eq(got[i].tag[1], i + 1);
		cr_expect_eq(sent_byte(i), i + 1);
	}
}

Test(client, as_many_as_there_are_pages_are_with_the_server)
{
	for (unsigned i = 0; i < 40; i++)
		cr_assert(client_read(&client, i, i));
	cr_expect_eq(receive(), CLIENT_OUTSTANDING);
	for (unsigned i = 0; i < CLIENT_OUTSTANDING; i++)
		for (unsigned k = 0; k < i; k++)
			cr_assert_neq(got[i].data_page, got[k].data_page);
	answer(1, BLOCK_OK);
	cr_expect_eq(receive(), 1);
}

Test(client, s73_an_answer_counts_once)
{
	cr_assert(write_block(1, 9, 77));
	cr_assert_eq(receive(), 1);
	answer(1, BLOCK_OK);
	answer(1, BLOCK_OK);
	answer(1, BLOCK_EIO);
	answer(1234, BLOCK_OK);
	cr_expect_eq(ends, 1);
	cr_expect_eq(ended[0].cookie, 77);
	cr_expect_eq(client.odd, 3);
	cr_expect_eq(client_waiting(&client), 0);
}

Test(client, a_read_brings_its_data)
{
	cr_assert(client_read(&client, 1, 5));
	cr_assert_eq(receive(), 1);
	memset(channel_data(&server, got[0].data_page), 0x5a, BLOCK_BYTES);
	answer(1, BLOCK_OK);
	cr_assert_eq(ends, 1);
	cr_expect_eq(ended[0].first, 0x5a);
}

Test(client, s76_between_pause_and_resume_nothing_is_touched)
{
	uint8_t copy[sizeof(test_channel)];

	cr_assert(write_block(1, 1, 1));
	cr_assert_eq(receive(), 1);
	client_pause(&client);
	memcpy(copy, test_channel, sizeof(copy));
	cr_expect_not(write_block(2, 2, 2), "it has no page");
	cr_assert(client_read(&client, 3, 3));
	cr_assert(client_flush(&client, 4));
	for (unsigned i = 0; i < 10; i++) {
		client_run(&client, test_now_ns);
		cr_expect(client_sleep(&client));
		client_awake(&client);
	}
	cr_expect_arr_eq(copy, test_channel, sizeof(copy));
	cr_expect_eq(ends, 0);
	new_server();
	cr_assert(write_block(2, 2, 2));
	cr_assert_eq(receive(), 4);
	cr_expect_eq(got[0].replay, 1);
	cr_expect_eq(got[1].replay, 0);
}

Test(client, s73_replays_what_is_unanswered_once_in_order_before_the_new)
{
	for (unsigned i = 0; i < 6; i++)
		cr_assert(client_read(&client, i, i));
	cr_assert_eq(receive(), 6);
	answer(2, BLOCK_OK);
	answer(5, BLOCK_OK);
	client_pause(&client);
	cr_assert(client_read(&client, 9, 9));
	new_server();
	cr_assert_eq(receive(), 5);
	cr_expect_eq(got[0].sequence, 1);
	cr_expect_eq(got[1].sequence, 3);
	cr_expect_eq(got[2].sequence, 4);
	cr_expect_eq(got[3].sequence, 6);
	cr_expect_eq(got[4].sequence, 7);
	for (unsigned i = 0; i < 4; i++)
		cr_expect_eq(got[i].replay, 1);
	cr_expect_eq(got[4].replay, 0);
	cr_expect_eq(receive(), 0, "only once");
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 5);
	cr_expect_eq(got[0].replay, 2);
	cr_expect_eq(got[4].replay, 1);
}

Test(client, a_second_resume_of_the_same_generation_changes_nothing)
{
	struct channel_identity who =
		test_identity(generation, BLOCK_CHANNEL_PAGES);

	cr_assert(client_read(&client, 1, 1));
	cr_assert_eq(receive(), 1);
	cr_assert_eq(client_resume(&client, test_channel, 5, &who),
		     CHANNEL_OPEN);
	cr_expect_eq(receive(), 0);
	cr_expect_eq(client.replayed, 0);
}

Test(client, s74_an_answered_write_is_replayed_until_a_flush_covers_it)
{
	cr_assert(write_block(1, 1, 1)); /* 1 */
	cr_assert(client_flush(&client, 2));
	cr_assert(write_block(3, 3, 3)); /* 3 */
	cr_assert_eq(receive(), 3);
	answer(1, BLOCK_OK);
	answer(3, BLOCK_OK);
	cr_assert_eq(ends, 2);
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 3, "both writes and the flush");
	cr_expect_eq(sent_byte(0), 1);
	cr_expect_eq(sent_byte(2), 3);
	answer(1, BLOCK_OK);
	answer(3, BLOCK_OK);
	cr_expect_eq(ends, 2, "told once only");
	answer(2, BLOCK_OK);
	cr_assert_eq(ends, 3);
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 1, "the flush covered the first");
	cr_expect_eq(got[0].sequence, 3);
	cr_expect_eq(got[0].replay, 2);
}

Test(client, s74_a_replay_never_brings_an_older_write_after_a_younger)
{
	cr_assert(write_block(1, 0x11, 1));
	cr_assert(write_block(1, 0x22, 2));
	cr_assert_eq(receive(), 2);
	client_pause(&client);
	new_server();
	cr_assert(write_block(1, 0x33, 3)); /* never sent before */
	cr_assert_eq(receive(), 3);
	cr_expect_eq(sent_byte(0), 0x22, "the second may be on the disk");
	cr_expect_eq(got[0].tag[1], 0x22);
	cr_expect_eq(sent_byte(1), 0x22);
	cr_expect_eq(sent_byte(2), 0x33);
}

/* What is kept for a replay lies where no server comes to. */
Test(client, s74_what_was_written_is_the_clients_alone)
{
	cr_assert(write_block(1, 0x11, 1));
	cr_assert_eq(receive(), 1);
	cr_expect_geq(got[0].data_page, BLOCK_READ_PAGES);
	cr_expect_null(channel_data(&server, got[0].data_page));
	for (uint32_t i = 0; i < BLOCK_DATA_PAGES; i++) {
		if (channel_data(&server, i) != NULL)
			memset(channel_data(&server, i), 0x99, BLOCK_BYTES);
	}
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 1);
	cr_expect_eq(sent_byte(0), 0x11);
}

/* With the channel went what was to be written. */
Test(client, s74_another_channel_has_nothing_to_write_again)
{
	struct channel_identity who;

	cr_assert(write_block(1, 1, 1)); /* 1: held */
	cr_assert(write_block(2, 2, 2)); /* 2: with the server */
	cr_assert(client_read(&client, 3, 3));
	cr_assert_eq(receive(), 3);
	answer(1, BLOCK_OK);
	client_pause(&client);
	memset(test_channel, 0, sizeof(test_channel));
	who = test_identity(1, BLOCK_CHANNEL_PAGES);
	who.id++;
	cr_assert_eq(
		channel_serve(&server, test_channel, 3, CHANNEL_BLOCK, &who),
		CHANNEL_OPEN);
	cr_assert_eq(client_resume(&client, test_channel, 5, &who),
		     CHANNEL_OPEN);
	cr_assert_eq(ends, 2);
	cr_expect_eq(ended[1].cookie, 2);
	cr_expect_eq(ended[1].status, BLOCK_EIO);
	cr_assert_eq(receive(), 1);
	cr_expect_eq(got[0].op, BLOCK_READ);
	cr_assert(client_flush(&client, 4));
	cr_assert_eq(receive(), 1);
	answer(4, BLOCK_OK);
	cr_assert_eq(ends, 3);
	cr_expect_eq(ended[2].status, BLOCK_EIO, "the first was promised");
}

Test(client, s74_a_younger_fua_write_ends_an_older_held_one)
{
	uint8_t page[BLOCK_BYTES] = {0x22};

	cr_assert(write_block(1, 0x11, 1));
	cr_assert(client_write(&client, 1, page, BLOCK_FLAG_FUA, 0, 0, 2));
	cr_assert_eq(receive(), 2);
	answer(1, BLOCK_OK);
	answer(2, BLOCK_OK);
	client_pause(&client);
	new_server();
	cr_expect_eq(receive(), 0);
}

Test(client, a_flush_answered_too_early_is_not_believed)
{
	cr_assert(write_block(1, 1, 1));
	cr_assert(client_flush(&client, 2));
	cr_assert_eq(receive(), 2);
	answer(2, BLOCK_OK);
	cr_expect_eq(ends, 0);
	cr_expect_eq(client.odd, 1);
	answer(1, BLOCK_OK);
	answer(2, BLOCK_OK);
	cr_expect_eq(ends, 2);
}

Test(client, a_held_write_lost_on_replay_fails_the_next_flush)
{
	cr_assert(write_block(1, 1, 1));
	cr_assert_eq(receive(), 1);
	answer(1, BLOCK_OK);
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 1);
	answer(1, BLOCK_EIO);
	cr_expect_eq(ends, 1, "the writer was told OK before");
	cr_assert(client_flush(&client, 2));
	cr_assert_eq(receive(), 1);
	answer(2, BLOCK_OK);
	cr_assert_eq(ends, 2);
	cr_expect_eq(ended[1].status, BLOCK_EIO);
	cr_assert(client_flush(&client, 3));
	cr_assert_eq(receive(), 1);
	answer(3, BLOCK_OK);
	cr_expect_eq(ended[2].status, BLOCK_OK, "told once");
}

Test(client, writes_without_flushes_do_not_stop)
{
	unsigned written = 0;

	for (unsigned round = 0; round < 100; round++) {
		while (write_block(written % 50, (uint8_t)written, written))
			written++;
		(void)receive();
		ends = 0;
		for (unsigned i = 0; i < requests; i++)
			answer(got[i].sequence, BLOCK_OK);
	}
	cr_expect_gt(written, 1000);
}

Test(client, an_odd_status_is_an_error)
{
	cr_assert(client_read(&client, 1, 1));
	cr_assert_eq(receive(), 1);
	answer(1, 0x80000000);
	cr_expect_eq(ended[0].status, BLOCK_EIO);
}

Test(client, complains_of_a_server_that_does_not_answer)
{
	uint64_t waited = 0;

	cr_expect_eq(client_complaint_due(&client), ~0ull);
	cr_assert(client_read(&client, 1, 1));
	cr_assert_eq(receive(), 1);
	cr_expect_eq(client_complaint_due(&client),
		     test_now_ns + CLIENT_SLOW_NS);
	test_now_ns += CLIENT_SLOW_NS - 1;
	client_run(&client, test_now_ns);
	cr_expect_not(client_complaint(&client, test_now_ns, &waited));
	test_now_ns++;
	client_run(&client, test_now_ns);
	cr_expect(client_complaint(&client, test_now_ns, &waited));
	cr_expect_eq(waited, CLIENT_SLOW_NS);
	cr_expect_not(client_complaint(&client, test_now_ns, &waited), "once");
	test_now_ns += CLIENT_AGAIN_NS;
	client_run(&client, test_now_ns);
	cr_expect(client_complaint(&client, test_now_ns, &waited),
		  "nobody has done anything about it");
	cr_expect_eq(waited, CLIENT_SLOW_NS + CLIENT_AGAIN_NS);
	answer(1, BLOCK_OK);
	cr_expect_eq(client_complaint_due(&client), ~0ull);
}

Test(client, complains_of_each_server_on_its_own)
{
	uint64_t waited = 0;

	cr_assert(client_read(&client, 1, 1));
	cr_assert_eq(receive(), 1);
	test_now_ns += CLIENT_SLOW_NS;
	client_run(&client, test_now_ns);
	cr_expect(client_complaint(&client, test_now_ns, &waited));
	client_pause(&client);
	test_now_ns += 2 * CLIENT_AGAIN_NS;
	client_run(&client, test_now_ns);
	cr_expect_not(client_complaint(&client, test_now_ns, &waited),
		      "it is on its way");
	new_server();
	cr_assert_eq(receive(), 1);
	cr_expect_not(client_complaint(&client, test_now_ns, &waited),
		      "this one has only just been asked");
	test_now_ns += CLIENT_SLOW_NS;
	client_run(&client, test_now_ns);
	cr_expect(client_complaint(&client, test_now_ns, &waited));
	cr_expect_eq(waited, CLIENT_SLOW_NS);
}

/* What is told to command about a new server does not wait for what was told
 * about the one before it. */
Test(client, complains_of_a_new_server_soon)
{
	uint64_t waited = 0;

	client.slow_ns = CLIENT_AGAIN_NS / 4;
	cr_assert(client_read(&client, 1, 1));
	cr_assert_eq(receive(), 1);
	cr_expect_eq(client_complaint_due(&client),
		     test_now_ns + CLIENT_AGAIN_NS / 4);
	test_now_ns += CLIENT_AGAIN_NS / 4;
	client_run(&client, test_now_ns);
	cr_expect(client_complaint(&client, test_now_ns, &waited));
	cr_expect_eq(client_complaint_due(&client),
		     test_now_ns + CLIENT_AGAIN_NS, "of the same one");
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 1);
	cr_expect_eq(client_complaint_due(&client),
		     test_now_ns + CLIENT_AGAIN_NS / 4);
}

/* It counts how long the oldest that is with the server has been there. */
Test(client, complains_of_what_is_there_longest)
{
	uint64_t waited = 0;

	cr_assert(write_block(1, 1, 1));
	cr_assert_eq(receive(), 1);
	answer(1, BLOCK_OK); /* held: no flush covers it */
	client_pause(&client);
	new_server();
	cr_assert_eq(receive(), 1, "sent again");
	test_now_ns += CLIENT_SLOW_NS / 2;
	cr_assert(client_read(&client, 2, 2));
	cr_assert_eq(receive(), 1);
	cr_expect_eq(client_complaint_due(&client),
		     test_now_ns + CLIENT_SLOW_NS / 2);
	test_now_ns += CLIENT_SLOW_NS / 2;
	client_run(&client, test_now_ns);
	cr_expect(client_complaint(&client, test_now_ns, &waited));
	cr_expect_eq(waited, CLIENT_SLOW_NS);
	answer(1, BLOCK_OK);
	answer(2, BLOCK_OK);
	/* Long after that complaint, a request of which nothing was said. */
	test_now_ns += 2 * CLIENT_AGAIN_NS;
	cr_assert(client_read(&client, 3, 3));
	cr_assert_eq(receive(), 1);
	cr_expect_eq(client_complaint_due(&client),
		     test_now_ns + CLIENT_SLOW_NS);
}

Test(client, waiting_is_spoken_of_and_has_an_end)
{
	cr_assert(client_read(&client, 1, 1));
	cr_assert_eq(receive(), 1);
	test_now_ns += CLIENT_PATIENCE_NS;
	client_run(&client, test_now_ns);
	client_run(&client, test_now_ns);
	cr_expect_str_eq(test_log, "disk: no answer for 100 ms\n");
	test_now_ns += CLIENT_LIMIT_NS;
	client_run(&client, test_now_ns);
	cr_assert_eq(ends, 1);
	cr_expect_eq(ended[0].status, BLOCK_EIO);
	answer(1, BLOCK_OK);
	cr_expect_eq(ends, 1);
	cr_assert(client_read(&client, 2, 2));
	cr_assert_eq(receive(), 1);
	cr_expect_neq(got[0].data_page, 0, "the server may yet write there");
}

/* Who still may read a page finds there what it was told to write. */
Test(client, what_was_given_up_keeps_its_page)
{
	uint16_t page;

	cr_assert(write_block(1, 1, 1));
	cr_assert_eq(receive(), 1);
	page = got[0].data_page;
	test_now_ns += CLIENT_LIMIT_NS;
	client_run(&client, test_now_ns);
	cr_assert_eq(ends, 1);
	cr_expect_eq(ended[0].status, BLOCK_EIO);
	for (unsigned n = 0; n < 2 * CLIENT_ENTRIES; n++) {
		cr_assert(write_block(2, 2, 2));
		cr_assert_eq(receive(), 1);
		cr_assert_neq(got[0].data_page, page);
		answer(got[0].sequence, BLOCK_OK);
		cr_assert(client_flush(&client, 3));
		cr_assert_eq(receive(), 1);
		answer(got[0].sequence, BLOCK_OK);
		ends = 0;
	}
	client_pause(&client);
	new_server();
	for (unsigned n = 0; n < CLIENT_OUTSTANDING; n++) {
		cr_assert(write_block(n, 2, 2));
		cr_assert_eq(receive(), 1);
		if (got[0].data_page == page)
			return;
	}
	cr_assert_fail("it is never used again");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network channel's two ends (hv/net/nic.c, hv/io/port.c) on one channel,
 * with the switch between ports replaced: what is forwarded is noted here. */
#include <criterion/criterion.h>

#include <string.h>

#include "io/external.h"
#include "io/learned.h"
#include "io/port.h"
#include "net/nic.h"
#include "support.h"

#define HANDLE 3

static struct nic nic;
static struct view view;
static unsigned forwarded, taken;
static uint8_t last[NET_PAYLOAD_MAX];
static unsigned last_bytes, last_from;

struct switch_counts switch_counts;

void switch_frame(unsigned from, const struct frame *f)
{
	forwarded++;
	last_from = from;
	last_bytes = f->bytes;
	memcpy(last, f->payload, f->bytes);
}

bool external_up(void)
{
	return false;
}

void learned_forget(unsigned uplink)
{
	(void)uplink;
}

static const uint8_t own[6] = {0x02, 0x50, 0, 0, 0, 1};
static uint8_t header[NET_HEADER_BYTES] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x50, 0, 0, 0, 1, 8, 0};

static void take(void *owner, const uint8_t *h, const uint8_t *payload,
		 unsigned bytes)
{
	(void)owner;
	cr_assert_arr_eq(h, header, sizeof(header));
	memcpy(last, payload, bytes);
	last_bytes = bytes;
	taken++;
}

/* Each told of at once. */
static bool send_frame(struct nic *n, const uint8_t *h, const void *payload,
		       unsigned bytes)
{
	bool sent = nic_send(n, h, payload, bytes);

	nic_tell(n);
	return sent;
}

static bool deliver(unsigned handle, const struct frame *f)
{
	bool taken_up = port_deliver(handle, f);

	ports_tell();
	return taken_up;
}

static bool run_ports(void)
{
	bool any = ports_run();

	ports_tell();
	return any;
}

static struct channel_identity who(uint32_t generation)
{
	return test_identity(generation, NET_CHANNEL_PAGES);
}

static void serve(uint32_t generation, uint64_t mac)
{
	struct channel_identity w = who(generation);

	view.number = w.server;
	view.channel[HANDLE] = (struct view_channel){
		.id = w.id,
		.type = CHANNEL_NETWORK,
		.pages = w.pages,
		.generation = generation,
		.peer = w.client,
		.server = 1,
		.extent_block = mac,
	};
	memset(test_channel, 0, 4096); /* as the ultravisor does */
	cr_assert(port_attach(HANDLE, test_channel, &view));
}

static void attach(uint32_t generation)
{
	struct channel_identity w = who(generation);

	cr_assert_eq(nic_resume(&nic, test_channel, 5, &w), CHANNEL_OPEN);
}

static void start(void)
{
	support_reset();
	memset(&nic, 0, sizeof(nic));
	forwarded = taken = 0;
	serve(1, 0x025000000001ull);
	attach(1);
	cr_assert_not(nic_room(&nic), "nothing before the answer");
	(void)run_ports();
	(void)nic_run(&nic, take, NULL);
	cr_assert(nic_room(&nic));
}

Test(nic, frames_go_both_ways)
{
	uint8_t payload[NET_PAYLOAD_MAX];
	struct frame f = {header, payload, sizeof(payload)};

	start();
	cr_assert(nic.link);
	cr_assert_arr_eq(nic.mac, own, 6);
	for (unsigned i = 0; i < 100; i++) {
		memset(payload, (int)i, sizeof(payload));
		cr_assert(send_frame(&nic, header, payload, sizeof(payload)));
		(void)run_ports();
		cr_assert_eq(forwarded, i + 1);
		cr_assert_eq(last_from, HANDLE);
		cr_assert_arr_eq(last, payload, sizeof(payload));
		(void)nic_run(&nic, take, NULL);
		payload[7] = 0xa5;
		cr_assert(deliver(HANDLE, &f));
		(void)nic_run(&nic, take, NULL);
		cr_assert_eq(taken, i + 1);
		cr_assert_arr_eq(last, payload, sizeof(payload));
		(void)run_ports();
	}
	cr_assert_eq(nic.odd, 0);
	cr_assert_eq(nic.under_way, 0);
}

Test(nic, flow_stops_at_the_high_mark_and_goes_on_at_the_low_one)
{
	unsigned sent = 0;

	start();
	while (send_frame(&nic, header, header, 14))
		sent++;
	cr_assert_eq(sent, NET_HIGH);
	(void)run_ports();
	cr_assert_eq(forwarded, NET_HIGH);
	/* Answers one by one: not before the low mark. */
	for (unsigned left = NET_HIGH; left > NET_LOW; left--) {
		struct net_message done;

		cr_assert_not(nic_room(&nic), "%u under way", left);
		/* nic_run() takes all; the queue is read by hand. */
		cr_assert(
			queue_remove(&nic.channel.queue[NET_QUEUE_IN], &done));
		cr_assert_eq(done.type, NET_TRANSMIT_DONE);
		nic.sending &= ~(1u << done.buffer);
		if (--nic.under_way <= NET_LOW)
			nic.stopped = false;
	}
	cr_assert(nic_room(&nic));
}

Test(nic, a_frame_without_a_posted_buffer_is_lost_and_no_other)
{
	struct frame f = {header, header, 14};
	unsigned got = 0;

	start();
	while (deliver(HANDLE, &f))
		got++;
	cr_assert_eq(got, NET_BUFFERS);
	(void)nic_run(&nic, take, NULL);
	cr_assert_eq(taken, NET_BUFFERS);
	(void)run_ports();
	cr_assert(deliver(HANDLE, &f), "they are posted again");
}

Test(nic, a_forged_sender_gets_nowhere)
{
	uint8_t forged[NET_HEADER_BYTES];

	start();
	memcpy(forged, header, sizeof(forged));
	forged[11] = 2;
	cr_assert(send_frame(&nic, forged, header, 14));
	(void)run_ports();
	cr_assert_eq(forwarded, 0);
	(void)nic_run(&nic, take, NULL);
	cr_assert_eq(nic.refused, 1);
	/* A trunk carries everybody's. */
	nic_pause(&nic);
	serve(2, 0);
	attach(2);
	(void)run_ports();
	(void)nic_run(&nic, take, NULL);
	cr_assert(send_frame(&nic, forged, header, 14));
	(void)run_ports();
	cr_assert_eq(forwarded, 1);
	cr_assert_eq(last_from, SWITCH_TRUNK);
}

Test(nic, disabled_everything_posted_comes_back_first)
{
	struct net_message m = {.type = NET_DISABLE};
	unsigned back = 0;

	start();
	cr_assert(queue_insert(&nic.channel.queue[NET_QUEUE_OUT], &m));
	(void)run_ports();
	while (queue_remove(&nic.channel.queue[NET_QUEUE_IN], &m) &&
	       m.type == NET_RECEIVE) {
		cr_assert_eq(m.bytes, 0);
		back++;
	}
	cr_assert_eq(back, NET_BUFFERS);
	cr_assert_eq(m.type, NET_DISABLE_ACK);
	cr_assert_not(port_is_guest(HANDLE));
}

/* What was under way is lost, what is new is refused, and not a byte of the
 * channel changes; then all goes on with the next server. */
Test(nic, s76_between_pause_and_resume_no_byte_is_touched)
{
	static uint8_t before[NET_CHANNEL_PAGES * 4096];

	start();
	for (unsigned i = 0; i < 5; i++)
		cr_assert(send_frame(&nic, header, header, 14));
	nic_pause(&nic);
	cr_assert_eq(nic.lost, 5);
	memcpy(before, test_channel, sizeof(before));
	cr_assert_not(nic.link);
	cr_assert_not(send_frame(&nic, header, header, 14));
	cr_assert_eq(nic.busy, 1);
	cr_assert_not(nic_run(&nic, take, NULL));
	cr_assert(nic_sleep(&nic));
	nic_awake(&nic);
	nic_tell_link(&nic, true);
	cr_assert_arr_eq(before, test_channel, sizeof(before));

	serve(2, 0x025000000001ull);
	attach(2);
	(void)run_ports();
	(void)nic_run(&nic, take, NULL);
	cr_assert(nic.link);
	for (unsigned i = 0; i < NET_HIGH; i++)
		cr_assert(send_frame(&nic, header, header, 14));
}

/* ---- hostile peers ------------------------------------------------------ */

static uint64_t seed;

static void take_any(void *owner, const uint8_t *h, const uint8_t *payload,
		     unsigned bytes)
{
	(void)owner, (void)h;
	cr_assert_leq(bytes, NET_PAYLOAD_MAX);
	memcpy(last, payload, bytes);
}

static void corrupt(uint64_t *random, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		test_channel[test_random(random) % sizeof(test_channel)] =
			(uint8_t)test_random(random);
	/* The queue headers, too, and often. */
	if (test_random(random) % 2)
		test_channel[128 + test_random(random) % 256] =
			(uint8_t)test_random(random);
}

Test(nic, s65_any_bytes_at_any_time_harm_neither_end)
{
	struct frame f = {header, header, 14};

	for (seed = 1; seed <= 300; seed++) {
		uint64_t random = seed * 0x9e3779b97f4a7c15ull;

		start();
		for (unsigned i = 0; i < 100; i++) {
			corrupt(&random, 40);
			(void)run_ports();
			corrupt(&random, 40);
			(void)deliver(HANDLE, &f);
			(void)send_frame(&nic, header, header, 14);
			for (unsigned b = 0; b < 40; b++)
				test_channel[4096 +
					     test_random(&random) % 8192] =
					(uint8_t)test_random(&random);
			(void)nic_run(&nic, take_any, NULL);
			cr_assert_leq(nic.under_way, NET_BUFFERS);
			cr_assert_eq((unsigned)__builtin_popcount(nic.sending),
				     nic.under_way, "seed %lu", seed);
		}
	}
}

/* A client that takes no answers: it alone gets nothing done. */
Test(nic, s65_a_client_that_takes_no_answers_is_waited_for)
{
	struct net_message m = {.type = NET_TRANSMIT, .bytes = 14};
	unsigned before;

	start();
	memcpy(m.header, header, sizeof(header));
	for (unsigned i = 0; i < 1000; i++) {
		(void)queue_insert(&nic.channel.queue[NET_QUEUE_OUT], &m);
		(void)run_ports();
	}
	before = forwarded;
	cr_assert_leq(before, NET_SLOTS);
	cr_assert(ports_blocked());
	(void)run_ports();
	cr_assert_eq(forwarded, before);
	(void)nic_run(&nic, take, NULL);
	(void)run_ports();
	cr_assert_gt(forwarded, before);
}

Test(nic, what_is_sent_is_seen_when_it_is_told)
{
	start();
	cr_assert(nic_send(&nic, header, header, 14));
	cr_assert(nic_send(&nic, header, header, 14));
	cr_assert(nic_untold(&nic));
	cr_assert_not(run_ports());
	cr_expect_eq(forwarded, 0);
	cr_assert(nic_sleep(&nic), "nothing has come");
	cr_assert_not(nic_untold(&nic));
	cr_assert(run_ports());
	cr_expect_eq(forwarded, 2);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The switch between machines: instants to the nanosecond, who gets what, and
 * that neither windows nor turns can be told from what arrives. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "sim/check.h"
#include "sim/net_switch.h"

#define HOSTS    3
#define SEEN_MAX 512
#define US(n)    ((n)*PS_PER_US)
#define NS(n)    ((n)*PS_PER_NS)

struct host {
	struct net_port *port;
	struct evq *q;
	bool full;
	struct {
		ps_t when;
		uint8_t from, tag;
		size_t bytes;
	} seen[SEEN_MAX];
	unsigned count, links;
	bool link_up;
};

static struct net_switch *sw;
static struct host host[HOSTS];

static bool receive(void *owner, ps_t when, const uint8_t *frame, size_t bytes)
{
	struct host *h = owner;

	if (h->full)
		return false;
	CHECK(h->count < SEEN_MAX);
	h->seen[h->count].when = when;
	h->seen[h->count].from = frame[11];
	h->seen[h->count].tag = frame[14];
	h->seen[h->count++].bytes = bytes;
	return true;
}

static void link_changed(void *owner, ps_t when, bool up)
{
	struct host *h = owner;

	(void)when;
	h->links++;
	h->link_up = up;
}

static const struct net_device_ops ops = {receive, link_changed};

static void plug(const struct net_switch_config *c)
{
	struct net_switch_config d;

	net_switch_defaults(&d);
	sw = net_switch_create(c ? c : &d);
	for (unsigned i = 0; i < HOSTS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "h%u", i);
		host[i] = (struct host){.port = net_switch_port(sw, name),
					.q = evq_create()};
		net_port_attach(host[i].port, host[i].q, &ops, &host[i]);
	}
}

static void unplug(void)
{
	for (unsigned i = 0; i < HOSTS; i++) {
		net_port_detach(host[i].port);
		evq_destroy(host[i].q);
	}
	net_switch_destroy(sw);
}

/* To host `to`, or to all: 0xff. */
static ps_t send(unsigned from, unsigned to, uint8_t tag, size_t bytes,
		 ps_t when)
{
	uint8_t f[NET_FRAME_MAX] = {0};

	memset(f, to == 0xff ? 0xff : 0, 6);
	f[0] = to == 0xff ? 0xff : 2;
	f[5] = (uint8_t)to;
	f[6] = 2;
	f[11] = (uint8_t)from;
	f[12] = 0x88; /* local experimental */
	f[13] = 0xb5;
	f[14] = tag;
	return net_port_send(host[from].port, when, f, bytes);
}

/* All hosts in turn, window by window. */
static void run(ps_t until)
{
	for (ps_t t = evq_now(host[0].q); t < until;) {
		t = t + US(50) < until ? t + US(50) : until;
		for (unsigned i = 0; i < HOSTS; i++)
			evq_advance(host[i].q, t);
		net_switch_advance(sw, t);
	}
}

Test(net, a_frame_takes_two_cables_and_the_switch)
{
	plug(NULL);
	/* 72 bytes of 8 ns with preamble and FCS; twice, and 50 us. */
	cr_expect_eq(send(0, 1, 7, NET_HEADER_BYTES + 1, US(10)),
		     US(10) + NS(576));
	run(US(200));
	cr_assert_eq(host[1].count, 1);
	cr_expect_eq(host[1].seen[0].when, US(60) + NS(1152));
	cr_expect_eq(host[1].seen[0].bytes, NET_FRAME_MIN, "filled up");
	cr_expect_eq(host[1].seen[0].tag, 7);
	unplug();
}

Test(net, frames_one_after_another_keep_the_gap)
{
	plug(NULL);
	for (uint8_t i = 0; i < 4; i++)
		send(0, 1, i, 1514, 0);
	run(US(200));
	cr_assert_eq(host[1].count, 4);
	for (unsigned i = 1; i < 4; i++) {
		cr_expect_eq(host[1].seen[i].tag, i);
		cr_expect_eq(host[1].seen[i].when - host[1].seen[i - 1].when,
			     NS(1538 * 8));
	}
	unplug();
}

Test(net, addresses_are_learned_and_forgotten)
{
	plug(NULL);
	send(0, 1, 0, 60, 0); /* nobody knows 1: flooded */
	run(US(100));
	cr_expect_eq(host[1].count, 1);
	cr_expect_eq(host[2].count, 1);
	cr_expect_eq(host[0].count, 0, "not back to where it came from");
	send(1, 0, 1, 60, US(100)); /* 0 is known */
	run(US(200));
	cr_expect_eq(host[0].count, 1);
	cr_expect_eq(host[2].count, 1);
	send(2, 0xff, 2, 60, US(200)); /* to all */
	run(US(300));
	cr_expect_eq(host[0].count, 2);
	cr_expect_eq(host[1].count, 2);
	cr_expect_eq(host[2].count, 1);
	unplug();
}

Test(net, addresses_age)
{
	struct net_switch_config c;

	net_switch_defaults(&c);
	c.latency_ps = 400 * PS_PER_S;
	plug(&c);
	send(0, 1, 0, 60, 0);
	net_switch_advance(sw, 300 * PS_PER_S);
	send(1, 0, 1, 60, 300 * PS_PER_S); /* arrives behind 300 s, 576 ns */
	net_switch_advance(sw, 600 * PS_PER_S);
	for (unsigned i = 0; i < HOSTS; i++)
		evq_advance(host[i].q, 1000 * PS_PER_S);
	cr_expect_eq(host[2].count, 1, "in time, so it was not flooded");
	send(1, 0, 2, 60, 600 * PS_PER_S);
	net_switch_advance(sw, 1000 * PS_PER_S);
	for (unsigned i = 0; i < HOSTS; i++)
		evq_advance(host[i].q, 1001 * PS_PER_S);
	cr_expect_eq(host[2].count, 2, "forgotten, so it is flooded");
	unplug();
}

Test(net, frames_for_the_bridge_stay_there)
{
	uint8_t f[60] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2};

	plug(NULL);
	net_port_send(host[0].port, 0, f, sizeof(f));
	run(US(100));
	cr_expect_eq(host[1].count, 0);
	f[5] = 0x10;
	net_port_send(host[0].port, US(100), f, sizeof(f));
	run(US(200));
	cr_expect_eq(host[1].count, 1);
	unplug();
}

Test(net, a_full_cable_or_device_loses_frames)
{
	struct net_port_counts n;
	struct net_switch_config c;

	net_switch_defaults(&c);
	c.queue_bytes = 4000;
	plug(&c);
	/* Two senders at the full rate, one receiver. */
	for (uint8_t i = 0; i < 20; i++) {
		send(0, 2, i, 1514, 0);
		send(1, 2, i, 1514, 0);
	}
	run(US(1000));
	net_port_counts(host[2].port, &n);
	cr_expect_eq(n.received, host[2].count);
	cr_expect_eq(n.received + n.overrun, 40);
	cr_expect(n.received >= 20 && n.received <= 24, "%u", host[2].count);
	host[2].full = true;
	send(0, 2, 0, 60, US(1000));
	run(US(1100));
	net_port_counts(host[2].port, &n);
	cr_expect_eq(n.received + n.overrun, 41);
	unplug();
}

Test(net, frames_are_dropped_and_cables_pulled_out)
{
	struct net_port_counts n;

	plug(NULL);
	net_port_drop(host[0].port, 2);
	for (uint8_t i = 0; i < 3; i++)
		send(0, 1, i, 60, 0);
	run(US(100));
	cr_assert_eq(host[1].count, 1);
	cr_expect_eq(host[1].seen[0].tag, 2);
	send(0, 1, 3, 60, US(100)); /* on its way when the link goes down */
	run(US(150));
	net_port_set_link(host[1].port, US(150), false);
	cr_expect_eq(host[1].links, 1);
	cr_expect_not(host[1].link_up);
	cr_expect_not(net_port_is_up(host[1].port));
	cr_expect_eq(send(1, 0, 4, 60, US(150)), US(150), "lost at once");
	run(US(300));
	cr_expect_eq(host[1].count, 1);
	cr_expect_eq(host[0].count, 0);
	net_port_set_link(host[1].port, US(300), true);
	send(1, 0, 5, 60, US(300));
	run(US(400));
	cr_expect_eq(host[0].count, 1);
	net_port_counts(host[1].port, &n);
	cr_expect_eq(n.sent, 2);
	cr_expect_eq(n.dropped, 2);
	unplug();
}

/* --- windows and turns --- */

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return *seed >> 33;
}

/* 200 frames, always the same ones at the same instants, each sent when its
 * machine has its turn; windows of random length by `pieces`. */
static void traffic(uint64_t pieces, bool backwards)
{
	struct {
		ps_t when;
		unsigned from, to;
		size_t bytes;
	} plan[200];
	uint64_t seed = 1;
	ps_t t = 0, end = 0;

	for (unsigned i = 0; i < ARRAY_LEN(plan); i++) {
		/* Many of them at one instant. */
		t += draw(&seed) % 3 * US(3);
		plan[i].when = t;
		plan[i].from = (unsigned)(draw(&seed) % HOSTS);
		plan[i].to = draw(&seed) % 4 ? (unsigned)(draw(&seed) % HOSTS)
					     : 0xff;
		plan[i].bytes = 60 + draw(&seed) % 2 * 700;
	}
	plug(NULL);
	for (ps_t from = 0; from < US(6000); from = end) {
		end = from + 1 + draw(&pieces) % US(50);
		for (unsigned k = 0; k < HOSTS; k++) {
			unsigned h = backwards ? HOSTS - 1 - k : k;

			for (unsigned i = 0; i < ARRAY_LEN(plan); i++) {
				if (plan[i].from == h && plan[i].when >= from &&
				    plan[i].when < end)
					send(h, plan[i].to, (uint8_t)i,
					     plan[i].bytes, plan[i].when);
			}
			evq_advance(host[h].q, end);
		}
		net_switch_advance(sw, end);
	}
}

Test(net, neither_windows_nor_turns_can_be_told)
{
	static struct host first[HOSTS];

	traffic(1, false);
	memcpy(first, host, sizeof(first));
	cr_assert_gt(first[0].count, 40);
	unplug();
	for (uint64_t pieces = 2; pieces < 12; pieces++) {
		traffic(pieces, pieces & 1);
		for (unsigned i = 0; i < HOSTS; i++) {
			cr_assert_eq(host[i].count, first[i].count);
			for (unsigned k = 0; k < host[i].count; k++) {
				cr_expect_eq(host[i].seen[k].when,
					     first[i].seen[k].when);
				cr_expect_eq(host[i].seen[k].tag,
					     first[i].seen[k].tag);
			}
		}
		unplug();
	}
}

Test(net, a_window_is_not_longer_than_the_latency, .signal = SIGABRT)
{
	plug(NULL);
	net_switch_advance(sw, US(50) + 1);
}

/* --- capture --- */

Test(net, tcpdump_reads_what_was_captured)
{
	char path[] = "/tmp/test_net.XXXXXX", command[200], text[1000];
	int fd = mkstemp(path);
	struct error err = {0};
	size_t n;
	FILE *p;

	cr_assert(fd >= 0);
	close(fd);
	plug(NULL);
	cr_assert(net_switch_capture(sw, path, &err), "%s", err.text);
	send(0, 1, 0, 60, US(10));
	send(2, 0xff, 0, 1000, 0);
	run(US(100));
	cr_assert(net_switch_capture_end(sw, &err), "%s", err.text);
	unplug();
	snprintf(command, sizeof(command),
		 "tcpdump -ennq --time-stamp-precision=nano -tt -r %s 2>&1",
		 path);
	p = popen(command, "r");
	cr_assert_not_null(p);
	n = fread(text, 1, sizeof(text) - 1, p);
	text[n] = '\0';
	cr_expect_eq(pclose(p), 0, "%s", text);
	unlink(path);
	/* In the order of arrival, at the switch's instants. */
	cr_expect_not_null(strstr(text, "\n0.000008096 02:00:00:00:00:02 > "
					"ff:ff:ff:ff:ff:ff"),
			   "%s", text);
	cr_expect_not_null(strstr(text, "\n0.000010576 02:00:00:00:00:00 > "
					"02:00:00:00:00:01"),
			   "%s", text);
	cr_expect_not_null(strstr(text, "length 1000:"), "%s", text);
}

Test(net, a_capture_that_cannot_be_written_is_the_hosts_fault)
{
	struct error err = {0};

	plug(NULL);
	cr_expect_not(net_switch_capture(sw, "/nowhere/net.pcap", &err));
	cr_expect_eq(err.code, EXIT_HOST);
	unplug();
}

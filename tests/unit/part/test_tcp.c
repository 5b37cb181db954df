/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of a TCP connection (hv/net/tcp_in.c, tcp_out.c) against a script:
 * RFC 9293, 5681, 6298, 5961; and datagrams (RFC 768). */
#include <criterion/criterion.h>

#include <string.h>

#include "lib/sys.h"
#include "tcp_rig.h"

#define FIN 1u
#define SYN 2u
#define RST 4u
#define PSH 8u
#define ACK 16u

#define IRS 5000u /* of the script's side */
#define MSS 1000u
#define S   1000000000ull

static int k;              /* the socket */
static uint32_t iss, next; /* the stack's; the script's next */
static uint16_t port;
static uint8_t much[16384];

/* A segment of the script's, from `sequence` on. */
static void give(unsigned flags, uint32_t sequence, uint32_t acked,
		 unsigned window, const void *data, unsigned bytes)
{
	struct seg g = {.source = 80,
			.target = port,
			.window = (uint16_t)window,
			.sequence = sequence,
			.acked = acked,
			.flags = flags,
			.mss = flags & SYN ? MSS : 0,
			.bytes = bytes};

	if (bytes)
		memcpy(g.data, data, bytes);
	rig_give_segment(&g);
}

static void acks(uint32_t upto, unsigned window)
{
	give(ACK, next, upto, window, NULL, 0);
}

/* What the stack says of itself alone: nothing new of its own, that far of
 * the other side's. */
static void acknowledges(uint32_t upto)
{
	struct seg g = rig_sent();

	cr_assert_eq(g.flags, ACK);
	cr_assert_eq(g.bytes, 0);
	cr_assert_eq(g.acked, upto, "acknowledges %u", g.acked - IRS);
}

static void data_sent(uint32_t sequence, unsigned bytes)
{
	struct seg g = rig_sent();

	cr_assert_eq(g.sequence, sequence, "%u", g.sequence - iss);
	cr_assert_eq(g.bytes, bytes, "%u bytes", g.bytes);
	cr_assert_arr_eq(g.data, much + (sequence - iss - 1), bytes);
}

static void begin(void)
{
	struct seg g;

	rig_start();
	for (unsigned i = 0; i < sizeof(much); i++)
		much[i] = (uint8_t)(i * 7 + i / 251);
	k = socket_open(&rig, SOCKET_TCP, 1);
	cr_assert_eq(socket_connect(&rig, k, OTHER, 80), -NET_EAGAIN);
	g = rig_sent();
	cr_assert_eq(g.flags, SYN);
	cr_assert_eq(g.mss, 1460);
	cr_assert_eq(g.target, 80);
	cr_assert_gt(g.window, 0);
	iss = g.sequence;
	port = g.source;
	next = IRS;
}

/* Connected; the script's window is `window`, a round trip took 10 ms. */
static void connect(unsigned window)
{
	begin();
	rig_until(rig_now + 10 * MS);
	give(SYN | ACK, IRS, iss + 1, window, NULL, 0);
	next = IRS + 1;
	acknowledges(next);
	rig_silent();
	cr_assert_eq(socket_connect(&rig, k, OTHER, 80), 0);
}

static void send(unsigned bytes)
{
	cr_assert_eq(socket_send(&rig, k, much, bytes), (int)bytes);
	stack_run(&rig, rig_now);
}

static int get(void *to, unsigned bytes)
{
	int r = socket_receive(&rig, k, to, bytes, NULL);

	stack_run(&rig, rig_now);
	return r;
}

/* ---- coming and going ---- */

Test(tcp, opens_talks_and_closes)
{
	uint8_t got[10];
	struct seg g;

	connect(8000);
	send(500);
	data_sent(iss + 1, 500);
	acks(iss + 501, 8000);
	give(ACK | PSH, next, iss + 501, 8000, "hello", 5);
	next += 5;
	acknowledges(next);
	cr_assert_eq(get(got, sizeof(got)), 5);
	cr_assert_arr_eq(got, "hello", 5);
	cr_assert_eq(socket_shutdown(&rig, k), 0);
	g = rig_sent();
	cr_assert_eq(g.flags & (FIN | ACK), FIN | ACK);
	cr_assert_eq(g.sequence, iss + 501);
	acks(iss + 502, 8000);
	/* The other side may still send. */
	give(ACK, next, iss + 502, 8000, "more", 4);
	next += 4;
	acknowledges(next);
	give(FIN | ACK, next, iss + 502, 8000, NULL, 0);
	acknowledges(next + 1);
	cr_assert_eq(get(got, sizeof(got)), 4);
	cr_assert_eq(get(got, sizeof(got)), 0, "the other side's end");
	cr_assert_eq(rig.socket[k].tcp.state, TCP_TIME_WAIT);
	/* Its FIN comes again: the acknowledgement was lost. */
	give(FIN | ACK, next, iss + 502, 8000, NULL, 0);
	acknowledges(next + 1);
	(void)socket_close(&rig, k);
	rig_until(rig_now + 61 * S);
	cr_assert_eq(rig.socket[k].type, SOCKET_FREE);
	rig_silent();
}

Test(tcp, is_accepted_and_closes_second)
{
	int listens, c;
	struct seg g;

	rig_start();
	listens = socket_open(&rig, SOCKET_TCP, 1);
	cr_assert_eq(socket_bind(&rig, listens, 7), 0);
	cr_assert_eq(socket_listen(&rig, listens), 0);
	port = 7;
	give(SYN, IRS, 0, 8000, NULL, 0);
	g = rig_sent();
	cr_assert_eq(g.flags, SYN | ACK);
	cr_assert_eq(g.acked, IRS + 1);
	iss = g.sequence;
	cr_assert_eq(socket_accept(&rig, listens), -NET_EAGAIN);
	give(ACK, IRS + 1, iss + 1, 8000, NULL, 0);
	c = socket_accept(&rig, listens);
	cr_assert_geq(c, 0);
	give(FIN | ACK, IRS + 1, iss + 1, 8000, NULL, 0);
	acknowledges(IRS + 2);
	cr_assert_eq(rig.socket[c].tcp.state, TCP_CLOSE_WAIT);
	cr_assert_eq(socket_close(&rig, c), 0);
	g = rig_sent();
	cr_assert_eq(g.flags & FIN, FIN);
	cr_assert_eq(rig.socket[c].tcp.state, TCP_LAST_ACK);
	give(ACK, IRS + 2, iss + 2, 8000, NULL, 0);
	cr_assert_eq(rig.socket[c].type, SOCKET_FREE);
	rig_silent();
}

Test(tcp, both_begin_at_once)
{
	struct seg g;

	begin();
	give(SYN, IRS, 0, 8000, NULL, 0);
	g = rig_sent();
	cr_assert_eq(g.flags, SYN | ACK);
	cr_assert_eq(g.sequence, iss);
	cr_assert_eq(g.acked, IRS + 1);
	/* The other side's says the same; RFC 9293, figure 7: it is told so. */
	give(SYN | ACK, IRS, iss + 1, 8000, NULL, 0);
	acknowledges(IRS + 1);
	next = IRS + 1;
	acks(iss + 1, 8000);
	cr_assert_eq(socket_connect(&rig, k, OTHER, 80), 0);
}

Test(tcp, both_end_at_once)
{
	struct seg g;

	connect(8000);
	cr_assert_eq(socket_shutdown(&rig, k), 0);
	g = rig_sent();
	cr_assert_eq(g.flags & FIN, FIN);
	give(FIN | ACK, next, iss + 1, 8000, NULL, 0);
	acknowledges(next + 1);
	cr_assert_eq(rig.socket[k].tcp.state, TCP_CLOSING);
	next++;
	acks(iss + 2, 8000);
	cr_assert_eq(rig.socket[k].tcp.state, TCP_TIME_WAIT);
	rig_silent();
}

/* ---- what is lost ---- */

Test(tcp, is_sent_again_ever_more_rarely)
{
	uint64_t wait = 200 * MS; /* the least; a round trip takes 10 ms */

	connect(8000);
	send(100);
	data_sent(iss + 1, 100);
	for (unsigned i = 0; i < TCP_TRIES_MAX; i++) {
		uint64_t due = rig_now + wait;

		rig_until(due - 1);
		rig_silent();
		rig_until(due);
		data_sent(iss + 1, 100);
		rig_silent();
		wait = 2 * wait < 60 * S ? 2 * wait : 60 * S;
	}
	rig_until(rig_now + wait);
	cr_assert_eq(rig_sent().flags & RST, RST, "it gives up, and says so");
	cr_assert_eq(get(much, 1), -NET_ETIME);
}

Test(tcp, one_loss_ends_with_the_acknowledgement)
{
	connect(8000);
	send(100);
	data_sent(iss + 1, 100);
	rig_until(rig_now + 200 * MS);
	data_sent(iss + 1, 100);
	acks(iss + 101, 8000);
	rig_until(rig_now + 100 * S);
	rig_silent();
}

Test(tcp, a_syn_is_sent_again_and_given_up)
{
	begin();
	for (unsigned i = 0; i < TCP_SYN_TRIES; i++) {
		rig_until(rig_now + (S << i));
		cr_assert_eq(rig_sent().flags, SYN, "%u", i);
		rig_silent();
	}
	rig_until(rig_now + 64 * S);
	cr_assert_eq(socket_connect(&rig, k, OTHER, 80), -NET_ETIME);
}

Test(tcp, three_duplicates_are_a_loss)
{
	connect(8000);
	send(4000); /* four segments, as many as the first window has */
	for (unsigned i = 0; i < 4; i++)
		data_sent(iss + 1 + i * MSS, MSS);
	rig_silent();
	acks(iss + 1, 8000);
	acks(iss + 1, 8000);
	rig_silent();
	acks(iss + 1, 8000);
	data_sent(iss + 1, MSS);
	rig_silent();
	cr_assert_eq(rig.counts.fast_again, 1);
	cr_assert_eq(rig.counts.timeouts, 0);
	/* RFC 6582: the next hole, at a partial acknowledgement. */
	acks(iss + 1 + 2 * MSS, 8000);
	data_sent(iss + 1 + 2 * MSS, MSS);
	acks(iss + 1 + 4 * MSS, 8000);
	rig_until(rig_now + 100 * S);
	rig_silent();
}

Test(tcp, a_window_that_changes_is_no_duplicate)
{
	connect(4000);
	send(4000);
	for (unsigned i = 0; i < 4; i++)
		data_sent(iss + 1 + i * MSS, MSS);
	for (unsigned i = 1; i < 6; i++)
		acks(iss + 1, 4000 + i);
	rig_silent();
}

Test(tcp, the_first_window_is_no_more_than_RFC_3390_says)
{
	connect(60000);
	send(16000);
	for (unsigned i = 0; i < 4; i++)
		data_sent(iss + 1 + i * MSS, MSS);
	rig_silent();
	acks(iss + 1 + 2 * MSS, 60000);
	/* Slow start: each acknowledgement, a segment more. */
	for (unsigned i = 4; i < 7; i++)
		data_sent(iss + 1 + i * MSS, MSS);
	rig_silent();
}

/* ---- the other side's window ---- */

Test(tcp, a_closed_window_is_probed)
{
	uint64_t wait = 200 * MS;

	connect(8000);
	send(100);
	data_sent(iss + 1, 100);
	acks(iss + 101, 0);
	cr_assert_eq(socket_send(&rig, k, much + 100, 300), 300);
	stack_run(&rig, rig_now);
	rig_silent();
	for (unsigned i = 0; i < 20; i++) {
		uint64_t due = rig_now + wait;

		rig_until(due - 1);
		rig_silent();
		rig_until(due);
		data_sent(iss + 101, 1);
		acks(iss + 101, 0); /* still closed: it is there */
		rig_silent();
		/* From probe to probe twice as long. */
		if (i > 0)
			wait = 2 * wait < 60 * S ? 2 * wait : 60 * S;
	}
	acks(iss + 101, 8000);
	data_sent(iss + 101, 300);
	acks(iss + 401, 8000);
	rig_until(rig_now + 100 * S);
	rig_silent();
}

Test(tcp, no_more_than_the_window)
{
	connect(1500);
	send(4000);
	data_sent(iss + 1, MSS);
	rig_silent(); /* half of what is left is no good piece */
	acks(iss + 1 + MSS, 1500);
	data_sent(iss + 1 + MSS, MSS);
	rig_silent();
	acks(iss + 1 + 2 * MSS, 5000);
	data_sent(iss + 1 + 2 * MSS, MSS);
	data_sent(iss + 1 + 3 * MSS, MSS);
	rig_silent();
}

/* ---- our window ---- */

Test(tcp, the_window_closes_and_opens_by_a_good_piece)
{
	static uint8_t all[RING_BYTES + 1];
	struct seg g = {0};
	uint32_t got = 0;

	connect(8000);
	for (unsigned i = 0; i < 16; i++, next += MSS) {
		give(ACK, next, iss + 1, 8000, much + i * MSS, MSS);
		g = rig_sent();
	}
	cr_assert_eq(g.acked, next);
	cr_assert_eq(g.window, RING_BYTES - 16 * MSS);
	give(ACK, next, iss + 1, 8000, much, RING_BYTES - 16 * MSS);
	next += RING_BYTES - 16 * MSS;
	g = rig_sent();
	cr_assert_eq(g.window, 0);
	/* A probe: how does it stand? */
	give(ACK, next, iss + 1, 8000, "x", 1);
	g = rig_sent();
	cr_assert_eq(g.window, 0);
	cr_assert_eq(g.acked, next);
	got += (uint32_t)get(all, 100);
	rig_silent(); /* a silly window is not told, */
	give(ACK, next, iss + 1, 8000, "x", 1);
	next++;
	g = rig_sent(); /* not even to who asks, by a byte that has room */
	cr_assert_eq(g.window, 0);
	cr_assert_eq(g.acked, next);
	got += (uint32_t)get(all + 100, 8000);
	g = rig_sent();
	cr_assert_geq(g.window, 8000);
	got += (uint32_t)get(all + got, sizeof(all) - got);
	cr_assert_eq(got, RING_BYTES + 1);
	cr_assert_arr_eq(all, much, 16 * MSS);
	cr_assert_eq(all[RING_BYTES], 'x');
}

Test(tcp, what_comes_ahead_is_kept)
{
	uint8_t got[5 * MSS];

	connect(8000);
	give(ACK, next + 3 * MSS, iss + 1, 8000, much + 3 * MSS, MSS);
	acknowledges(next); /* at once: it may be a loss */
	give(ACK, next + MSS, iss + 1, 8000, much + MSS, MSS);
	acknowledges(next);
	cr_assert_eq(get(got, sizeof(got)), -NET_EAGAIN);
	give(ACK, next, iss + 1, 8000, much, MSS);
	acknowledges(next + 2 * MSS);
	/* Overlaps what is there on both sides. */
	give(ACK, next + MSS + 500, iss + 1, 8000, much + MSS + 500, MSS);
	acknowledges(next + 2 * MSS + 500);
	give(ACK, next + 2 * MSS, iss + 1, 8000, much + 2 * MSS, MSS + 300);
	acknowledges(next + 4 * MSS);
	cr_assert_eq(get(got, sizeof(got)), 4 * MSS);
	cr_assert_arr_eq(got, much, 4 * MSS);
}

Test(tcp, what_came_already_is_acknowledged_and_dropped)
{
	uint8_t got[3 * MSS];

	connect(8000);
	give(ACK, next, iss + 1, 8000, much, MSS);
	acknowledges(next + MSS);
	give(ACK, next, iss + 1, 8000, much, MSS);
	acknowledges(next + MSS);
	give(ACK, next + 500, iss + 1, 8000, much + 500, MSS);
	acknowledges(next + 1500);
	cr_assert_eq(get(got, sizeof(got)), 1500);
	cr_assert_arr_eq(got, much, 1500);
}

/* The FIN ahead of the data. */
Test(tcp, the_end_comes_first)
{
	uint8_t got[2 * MSS];

	connect(8000);
	give(FIN | ACK, next + MSS, iss + 1, 8000, much + MSS, 100);
	acknowledges(next);
	cr_assert_eq(rig.socket[k].tcp.state, TCP_ESTABLISHED);
	give(ACK, next, iss + 1, 8000, much, MSS);
	acknowledges(next + MSS + 101);
	cr_assert_eq(rig.socket[k].tcp.state, TCP_CLOSE_WAIT);
	cr_assert_eq(get(got, sizeof(got)), MSS + 100);
	cr_assert_eq(get(got, sizeof(got)), 0);
}

/* ---- what does not belong ---- */

Test(tcp, a_reset_has_to_be_exact)
{
	connect(8000);
	give(RST, next + 100, 0, 0, NULL, 0);
	acknowledges(next); /* prove it: RFC 5961, 3.2 */
	give(RST, next - 1, 0, 0, NULL, 0);
	give(RST, next + RING_BYTES, 0, 0, NULL, 0);
	rig_silent();
	cr_assert_eq(rig.socket[k].tcp.state, TCP_ESTABLISHED);
	give(RST, next, 0, 0, NULL, 0);
	rig_silent();
	cr_assert_eq(get(much, 1), -NET_ERESET);
	cr_assert_eq(get(much, 1), -NET_ESTATE);
}

Test(tcp, refused_only_by_who_got_the_syn)
{
	begin();
	give(RST, IRS, 0, 0, NULL, 0);
	give(RST | ACK, 0, iss + 2, 0, NULL, 0);
	rig_silent();
	cr_assert_eq(socket_connect(&rig, k, OTHER, 80), -NET_EAGAIN);
	give(RST | ACK, 0, iss + 1, 0, NULL, 0);
	cr_assert_eq(socket_connect(&rig, k, OTHER, 80), -NET_ERESET);
}

Test(tcp, nobody_listens)
{
	struct seg g;

	rig_start();
	port = 9;
	give(SYN, IRS, 0, 8000, NULL, 0);
	g = rig_sent();
	cr_assert_eq(g.flags, RST | ACK);
	cr_assert_eq(g.sequence, 0);
	cr_assert_eq(g.acked, IRS + 1);
	give(ACK, IRS, 777, 8000, "abc", 3);
	g = rig_sent();
	cr_assert_eq(g.flags, RST);
	cr_assert_eq(g.sequence, 777);
	give(RST, IRS, 0, 8000, NULL, 0);
	rig_silent();
}

Test(tcp, a_syn_within_and_an_impossible_acknowledgement)
{
	connect(8000);
	give(SYN, next + 10, 0, 8000, NULL, 0);
	acknowledges(next); /* RFC 5961, 4.2 */
	acks(iss + 1000, 8000);
	acknowledges(next);
	cr_assert_eq(rig.socket[k].tcp.state, TCP_ESTABLISHED);
}

Test(tcp, a_changed_bit_is_noticed)
{
	uint8_t got[10];

	connect(8000);
	rig_break = true;
	give(ACK, next, iss + 1, 8000, "hello", 5);
	rig_silent();
	cr_assert_eq(rig.counts.bad, 1);
	cr_assert_eq(get(got, sizeof(got)), -NET_EAGAIN);
	give(ACK, next, iss + 1, 8000, "hello", 5);
	acknowledges(next + 5);
	cr_assert_eq(get(got, sizeof(got)), 5);
}

/* ---- a connection that says nothing ---- */

Test(tcp, a_silent_connection_is_asked)
{
	struct seg g;

	connect(8000);
	cr_assert_eq(socket_keep(&rig, k, 10 * S), 0);
	rig_until(rig_now + 10 * S);
	g = rig_sent();
	cr_assert_eq(g.sequence, iss, "of what is acknowledged already");
	cr_assert_eq(g.bytes, 0);
	acks(iss + 1, 8000);
	rig_until(rig_now + 10 * S - 1);
	rig_silent();
	for (unsigned i = 0; i < TCP_KEEPS_MAX; i++) {
		rig_until(rig_now + (i ? 75 * S : 1));
		g = rig_sent();
		cr_assert_eq(g.sequence, iss, "%u", i);
		rig_silent();
	}
	rig_until(rig_now + 75 * S);
	cr_assert_eq(rig_sent().flags & RST, RST);
	cr_assert_eq(get(much, 1), -NET_ETIME);
}

Test(tcp, or_not_if_nobody_wants_that)
{
	connect(8000);
	rig_until(rig_now + 100000 * S);
	rig_silent();
}

/* ---- datagrams ---- */

static void give_datagram(unsigned to, unsigned length, bool sum,
			  const char *data)
{
	unsigned n = (unsigned)strlen(data);
	uint8_t p[100] = {0, 99, 0, (uint8_t)to, 0, (uint8_t)length};
	uint16_t check;

	memcpy(p + 8, data, n);
	check = rig_sum(17, OTHER, OWN, p, 8 + n);
	if (sum) {
		p[6] = (uint8_t)(check >> 8);
		p[7] = (uint8_t)check;
	}
	rig_give(17, p, 8 + n);
}

Test(udp, datagrams_come_whole_or_not_at_all)
{
	uint8_t got[100];
	struct datagram from;
	int u;

	rig_start();
	u = socket_open(&rig, SOCKET_UDP, 1);
	cr_assert_eq(socket_bind(&rig, u, 7), 0);
	give_datagram(7, 13, true, "first");
	give_datagram(7, 11, false, "two"); /* without a checksum */
	rig_break = true;
	give_datagram(7, 13, true, "wrong");
	give_datagram(7, 14, false, "short"); /* more than there is */
	give_datagram(7, 7, true, "less");    /* than its header */
	cr_assert_eq(rig.counts.bad, 3);
	cr_assert_eq(socket_receive(&rig, u, got, sizeof(got), &from), 5);
	cr_assert_arr_eq(got, "first", 5);
	cr_assert_eq(from.address, OTHER);
	cr_assert_eq(from.port, 99);
	cr_assert_eq(socket_receive(&rig, u, got, 2, &from), 2, "cut");
	cr_assert_eq(socket_receive(&rig, u, got, 2, &from), -NET_EAGAIN);
	rig_silent();
}

Test(udp, goes_with_a_checksum_and_to_nobody_comes_back)
{
	uint8_t p[1500];
	unsigned bytes;
	int u;

	rig_start();
	u = socket_open(&rig, SOCKET_UDP, 1);
	cr_assert_eq(socket_send_to(&rig, u, "abcde", 5, OTHER, 53), 5);
	cr_assert_eq(rig_packet(p, &bytes), 17);
	cr_assert_eq(bytes, 13);
	cr_assert_eq(rig_sum(17, OWN, OTHER, p, bytes), 0);
	cr_assert_arr_eq(p + 8, "abcde", 5);
	give_datagram(9, 13, true, "hello");
	cr_assert_eq(rig_packet(p, &bytes), 1, "ICMP");
	cr_assert_eq(p[0] << 8 | p[1], 3 << 8 | 3, "port unreachable");
	cr_assert_eq(p[8 + 20 + 3], 9, "of whose port");
}

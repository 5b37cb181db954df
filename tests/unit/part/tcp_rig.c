/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tcp_rig.h"

#include <criterion/criterion.h>

#include <string.h>

#define FRAMES 64

struct stack rig;
uint64_t rig_now;
bool rig_break;

static struct {
	uint8_t header[14], payload[1500];
	unsigned bytes;
} frame[FRAMES];
static unsigned first, last;
static bool asked; /* who has 10.0.0.2? */

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 2};

static unsigned be16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
	return be16(at) << 16 | be16(at + 2);
}

static void to16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void to32(uint8_t *at, uint32_t v)
{
	to16(at, v >> 16);
	to16(at + 2, v & 0xffff);
}

/* RFC 1071, a byte at a time. */
static uint16_t ones(const uint8_t *at, unsigned bytes, uint32_t sum)
{
	for (unsigned i = 0; i < bytes; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t rig_sum(unsigned protocol, uint32_t from, uint32_t to,
		 const uint8_t *at, unsigned bytes)
{
	uint8_t before[12];
	uint32_t sum;

	to32(before, from);
	to32(before + 4, to);
	to16(before + 8, protocol);
	to16(before + 10, bytes);
	sum = (uint16_t)~ones(before, sizeof(before), 0);
	return ones(at, bytes, sum);
}

static bool take(void *owner, const uint8_t *header, const uint8_t *payload,
		 unsigned bytes)
{
	(void)owner;
	cr_assert_lt(last - first, FRAMES, "it sends without end");
	cr_assert_leq(bytes, 1500);
	memcpy(frame[last % FRAMES].header, header, 14);
	memcpy(frame[last % FRAMES].payload, payload, bytes);
	frame[last++ % FRAMES].bytes = bytes;
	asked |= be16(header + 12) == 0x0806 && be32(payload + 24) == OTHER;
	return true;
}

/* 10.0.0.2 says who it is (RFC 826). */
static void introduce(void)
{
	uint8_t header[14], arp[28] = {0, 1, 8, 0, 6, 4, 0, 2};

	memcpy(header, own_mac, 6);
	memcpy(header + 6, other_mac, 6);
	to16(header + 12, 0x0806);
	memcpy(arp + 8, other_mac, 6);
	to32(arp + 14, OTHER);
	memcpy(arp + 18, own_mac, 6);
	to32(arp + 24, OWN);
	stack_frame(&rig, header, arp, sizeof(arp), rig_now);
}

static void run(void)
{
	stack_run(&rig, rig_now);
	if (!asked)
		return;
	asked = false;
	introduce();
	stack_run(&rig, rig_now);
}

void rig_start(void)
{
	uint8_t payload[1500];
	unsigned bytes;
	int n;

	rig_now = 1000000000;
	rig_break = false;
	first = last = 0;
	asked = false;
	stack_init(&rig);
	rig.send = take;
	stack_address(&rig, OWN, 24, 0);
	stack_link(&rig, own_mac, true, rig_now);
	n = socket_open(&rig, SOCKET_UDP, 1);
	(void)socket_send_to(&rig, n, "", 1, OTHER, 9);
	(void)socket_close(&rig, n);
	run();
	while (rig_packet(payload, &bytes) != 0)
		;
}

void rig_until(uint64_t ns)
{
	while (stack_next(&rig) <= ns) {
		uint64_t next = stack_next(&rig);

		rig_now = next > rig_now ? next : rig_now;
		run();
	}
	rig_now = ns;
	run();
}

unsigned rig_packet(uint8_t *payload, unsigned *bytes)
{
	for (; first != last; first++) {
		const uint8_t *p = frame[first % FRAMES].payload;
		unsigned n = frame[first % FRAMES].bytes, length;

		if (be16(frame[first % FRAMES].header + 12) != 0x0800)
			continue;
		cr_assert_eq(p[0], 0x45);
		length = be16(p + 2);
		cr_assert_eq(length, n);
		cr_assert_eq(ones(p, 20, 0), 0, "the header's checksum");
		cr_assert_eq(be32(p + 12), OWN);
		cr_assert_eq(be32(p + 16), OTHER);
		cr_assert_arr_eq(frame[first % FRAMES].header, other_mac, 6);
		*bytes = length - 20;
		memcpy(payload, p + 20, *bytes);
		first++;
		return p[9];
	}
	return 0;
}

static unsigned mss_of(const uint8_t *at, unsigned header)
{
	return header == 24 && at[20] == 2 && at[21] == 4 ? be16(at + 22) : 0;
}

struct seg rig_sent(void)
{
	uint8_t p[1500];
	unsigned bytes, header;
	struct seg g;

	cr_assert_eq(rig_packet(p, &bytes), 6, "no segment was sent");
	cr_assert_eq(rig_sum(6, OWN, OTHER, p, bytes), 0, "the checksum");
	header = (p[12] >> 4) * 4u;
	cr_assert(header >= 20 && header <= bytes);
	g.source = (uint16_t)be16(p);
	g.target = (uint16_t)be16(p + 2);
	g.sequence = be32(p + 4);
	g.acked = be32(p + 8);
	g.flags = p[13];
	g.window = (uint16_t)be16(p + 14);
	g.mss = mss_of(p, header);
	g.bytes = bytes - header;
	memcpy(g.data, p + header, g.bytes);
	return g;
}

void rig_silent(void)
{
	uint8_t p[1500];
	unsigned bytes;

	cr_assert_eq(rig_packet(p, &bytes), 0, "a packet was sent, at %llu us",
		     (unsigned long long)rig_now / 1000);
}

void rig_give(unsigned protocol, const uint8_t *payload, unsigned bytes)
{
	uint8_t header[14], p[1500] = {0x45};
	unsigned total = 20 + bytes;

	memcpy(header, own_mac, 6);
	memcpy(header + 6, other_mac, 6);
	to16(header + 12, 0x0800);
	to16(p + 2, total);
	p[8] = 64;
	p[9] = (uint8_t)protocol;
	to32(p + 12, OTHER);
	to32(p + 16, OWN);
	to16(p + 10, ones(p, 20, 0));
	memcpy(p + 20, payload, bytes);
	if (rig_break)
		p[total - 1] ^= 0x10;
	rig_break = false;
	stack_frame(&rig, header, p, total, rig_now);
	run();
}

void rig_give_segment(const struct seg *g)
{
	uint8_t p[1480] = {0};
	unsigned header = g->mss ? 24 : 20;

	to16(p, g->source);
	to16(p + 2, g->target);
	to32(p + 4, g->sequence);
	to32(p + 8, g->acked);
	p[12] = (uint8_t)(header / 4 << 4);
	p[13] = (uint8_t)g->flags;
	to16(p + 14, g->window);
	if (g->mss) {
		p[20] = 2;
		p[21] = 4;
		to16(p + 22, g->mss);
	}
	memcpy(p + header, g->data, g->bytes);
	to16(p + 16, rig_sum(6, OTHER, OWN, p, header + g->bytes));
	rig_give(6, p, header + g->bytes);
}

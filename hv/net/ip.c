/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/ip.c - IPv4 packets (RFC 791, 1122) and the echo of ICMP (RFC 792). */
#include "net/stack.h"

#define TTL 64

static bool is_broadcast(const struct stack *s, uint32_t address)
{
	return address == IP_BROADCAST ||
	       (s->mask != 0 && address == (s->address | ~s->mask));
}

bool ip_send(struct stack *s, uint32_t to, unsigned protocol, unsigned bytes)
{
	uint8_t *p = s->packet;
	bool near = ((to ^ s->address) & s->mask) == 0 || to == IP_BROADCAST;

	if (s->address == 0 || to == 0 || to == s->address ||
	    (!near && s->gateway == 0)) {
		s->counts.dropped++;
		return true; /* it will never go: no use to try again */
	}
	put16(p + IP_VERSION, 0x4500);
	put16(p + IP_TOTAL, IP_HEADER_BYTES + bytes);
	put16(p + IP_ID, s->next_id++);
	put16(p + IP_FRAGMENT, IP_DONT_FRAGMENT);
	p[IP_TTL] = TTL;
	p[IP_PROTOCOL] = (uint8_t)protocol;
	put16(p + IP_CHECKSUM, 0);
	put32(p + IP_SOURCE, s->address);
	put32(p + IP_TARGET, to);
	put16(p + IP_CHECKSUM,
	      checksum_end(checksum_add(0, p, IP_HEADER_BYTES)));
	return arp_send(s, near ? to : s->gateway, IP_HEADER_BYTES + bytes);
}

/* ---- ICMP --------------------------------------------------------------- */

static bool icmp_send(struct stack *s, uint32_t to, unsigned type,
		      unsigned code, unsigned bytes)
{
	uint8_t *p = IP_DATA(s);

	p[ICMP_TYPE] = (uint8_t)type;
	p[ICMP_CODE] = (uint8_t)code;
	put16(p + ICMP_CHECKSUM, 0);
	put16(p + ICMP_CHECKSUM, checksum_end(checksum_add(0, p, bytes)));
	return ip_send(s, to, IP_ICMP, bytes);
}

bool icmp_echo(struct stack *s, struct socket *k, const void *data,
	       unsigned bytes, uint32_t to, unsigned sequence)
{
	uint8_t *p = IP_DATA(s);

	put16(p + ICMP_ID, k->port);
	put16(p + ICMP_SEQUENCE, sequence);
	memcpy(p + ICMP_HEADER_BYTES, data, bytes);
	return icmp_send(s, to, ICMP_ECHO, 0, ICMP_HEADER_BYTES + bytes);
}

static void echo_reply(struct stack *s, uint32_t from, const uint8_t *at,
		       unsigned bytes)
{
	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		struct socket *k = &s->socket[i];

		if (k->type == SOCKET_ICMP && k->port == get16(at + ICMP_ID))
			datagram_put(s, k, from, get16(at + ICMP_SEQUENCE),
				     at + ICMP_HEADER_BYTES,
				     bytes - ICMP_HEADER_BYTES);
	}
}

static void icmp_receive(struct stack *s, uint32_t from, uint32_t to,
			 const uint8_t *at, unsigned bytes)
{
	if (bytes < ICMP_HEADER_BYTES ||
	    checksum_end(checksum_add(0, at, bytes)) != 0) {
		s->counts.bad++;
		return;
	}
	if (at[ICMP_TYPE] == ICMP_ECHO && !is_broadcast(s, to)) {
		memcpy(IP_DATA(s), at, bytes);
		if (!icmp_send(s, from, ICMP_ECHO_REPLY, 0, bytes))
			s->counts.dropped++;
	} else if (at[ICMP_TYPE] == ICMP_ECHO_REPLY) {
		echo_reply(s, from, at, bytes);
	} else {
		s->counts.ignored++;
	}
}

/* Nobody is there: RFC 1122 4.1.3.1.  With the header and eight bytes. */
static void unreachable(struct stack *s, const uint8_t *packet,
			unsigned header_bytes)
{
	uint8_t *p = IP_DATA(s);
	unsigned bytes = header_bytes + UDP_HEADER_BYTES;

	memset(p, 0, ICMP_HEADER_BYTES);
	memcpy(p + ICMP_HEADER_BYTES, packet, bytes);
	(void)icmp_send(s, get32(packet + IP_SOURCE), ICMP_UNREACHABLE,
			ICMP_UNREACHABLE_PORT, ICMP_HEADER_BYTES + bytes);
}

/* ---- packets that come -------------------------------------------------- */

static void deliver(struct stack *s, const uint8_t *p, unsigned header,
		    unsigned total)
{
	uint32_t from = get32(p + IP_SOURCE), to = get32(p + IP_TARGET);
	bool nobody = false;

	switch (p[IP_PROTOCOL]) {
	case IP_ICMP:
		icmp_receive(s, from, to, p + header, total - header);
		break;
	case IP_UDP:
		udp_receive(s, from, to, p + header, total - header, &nobody);
		if (nobody && !is_broadcast(s, to))
			unreachable(s, p, header);
		break;
	case IP_TCP:
		if (!is_broadcast(s, to))
			tcp_receive(s, from, to, p + header, total - header);
		break;
	default:
		s->counts.ignored++;
		break;
	}
}

void ip_receive(struct stack *s, const uint8_t *p, unsigned bytes)
{
	unsigned header, total;
	uint32_t from, to;

	if (bytes < IP_HEADER_BYTES || p[IP_VERSION] >> 4 != 4) {
		s->counts.bad++;
		return;
	}
	header = (p[IP_VERSION] & 15) * 4u;
	total = get16(p + IP_TOTAL); /* short frames are filled up behind it */
	if (header < IP_HEADER_BYTES || total < header || total > bytes ||
	    checksum_end(checksum_add(0, p, header)) != 0) {
		s->counts.bad++;
		return;
	}
	from = get32(p + IP_SOURCE);
	to = get32(p + IP_TARGET);
	/* No fragments; nothing that claims to come from us, from everybody
	 * or from a group (RFC 1122 3.2.1.3). */
	if ((get16(p + IP_FRAGMENT) & 0xbfff) != 0 || s->address == 0 ||
	    (to != s->address && !is_broadcast(s, to)) || from == s->address ||
	    from == 0 || is_broadcast(s, from) || from >> 28 >= 14) {
		s->counts.ignored++;
		return;
	}
	deliver(s, p, header, total);
}

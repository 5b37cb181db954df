/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/stack.c - see stack.h. */
#include "net/stack.h"

#define PORT_FIRST 49152 /* RFC 6335: nobody's in particular */

void stack_init(struct stack *s)
{
	memset(s, 0, sizeof(*s));
	s->next_port = PORT_FIRST;
}

void stack_address(struct stack *s, uint32_t address, unsigned prefix,
		   uint32_t gateway)
{
	s->address = address;
	s->mask = prefix == 0 ? 0 : ~0u << (32 - prefix);
	s->gateway = gateway;
}

void stack_link(struct stack *s, const uint8_t *mac, bool up, uint64_t now_ns)
{
	s->now_ns = now_ns;
	s->changes++;
	s->up = up;
	if (!up)
		return;
	memcpy(s->mac, mac, sizeof(s->mac));
	if (s->address != 0)
		arp_announce(s);
	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		if (s->socket[i].type == SOCKET_TCP)
			tcp_hurry(s, &s->socket[i]);
	}
}

bool ethernet_send(struct stack *s, const uint8_t *to, unsigned type,
		   const uint8_t *payload, unsigned bytes)
{
	uint8_t header[ETHER_HEADER_BYTES];

	memcpy(header, to, ETHER_MAC_BYTES);
	memcpy(header + ETHER_MAC_BYTES, s->mac, ETHER_MAC_BYTES);
	put16(header + 2 * ETHER_MAC_BYTES, type);
	if (!s->up || !s->send(s->owner, header, payload, bytes))
		return false;
	s->counts.frames_out++;
	s->counts.bytes_out += ETHER_HEADER_BYTES + bytes;
	return true;
}

void stack_frame(struct stack *s, const uint8_t *header, const uint8_t *payload,
		 unsigned bytes, uint64_t now_ns)
{
	s->now_ns = now_ns;
	s->counts.frames_in++;
	s->counts.bytes_in += ETHER_HEADER_BYTES + bytes;
	if (!(header[0] & 1) && memcmp(header, s->mac, sizeof(s->mac)) != 0) {
		s->counts.ignored++;
		return;
	}
	switch (get16(header + 2 * ETHER_MAC_BYTES)) {
	case ETHER_ARP:
		arp_receive(s, payload, bytes);
		break;
	case ETHER_IPV4:
		ip_receive(s, payload, bytes);
		break;
	default:
		s->counts.ignored++;
		break;
	}
}

void stack_run(struct stack *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	arp_run(s);
	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		struct socket *k = &s->socket[i];

		if (k->type != SOCKET_TCP)
			continue;
		tcp_timers(s, k);
		if (k->type == SOCKET_TCP)
			(void)tcp_output(s, k);
	}
}

uint64_t stack_next(const struct stack *s)
{
	uint64_t next = arp_next(s);

	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		const struct socket *k = &s->socket[i];
		uint64_t at =
			k->type == SOCKET_TCP ? tcp_next(&k->tcp) : TCP_NEVER;

		next = at < next ? at : next;
	}
	return next;
}

bool stack_lingers(const struct stack *s)
{
	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		const struct socket *k = &s->socket[i];

		if (k->type == SOCKET_TCP && !k->open &&
		    k->tcp.state != TCP_CLOSED && k->tcp.state != TCP_LISTEN &&
		    k->tcp.state != TCP_TIME_WAIT)
			return true;
	}
	return false;
}

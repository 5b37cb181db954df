/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/udp.c - datagrams (RFC 768, 1122 4.1). */
#include "net/stack.h"

void datagram_put(struct stack *s, struct socket *k, uint32_t from,
		  unsigned port, const uint8_t *data, unsigned bytes)
{
	struct datagram head = {
		.address = from,
		.port = (uint16_t)port,
		.bytes = (uint16_t)bytes,
	};

	if (ring_room(&k->in) < sizeof(head) + bytes) {
		k->dropped++;
		s->counts.dropped++;
		return;
	}
	ring_put(&k->in, &head, sizeof(head));
	ring_put(&k->in, data, bytes);
	s->changes++;
}

static struct socket *find(struct stack *s, uint32_t from, unsigned from_port,
			   unsigned port)
{
	struct socket *any = NULL;

	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		struct socket *k = &s->socket[i];

		if (k->type != SOCKET_UDP || k->port != port)
			continue;
		if (k->remote == 0)
			any = k;
		else if (k->remote == from && k->remote_port == from_port)
			return k;
	}
	return any;
}

void udp_receive(struct stack *s, uint32_t from, uint32_t to, const uint8_t *at,
		 unsigned bytes, bool *unreachable)
{
	unsigned length = bytes < UDP_HEADER_BYTES ? 0 : get16(at + UDP_LENGTH);
	struct socket *k;

	if (length < UDP_HEADER_BYTES || length > bytes ||
	    (get16(at + UDP_CHECKSUM) != 0 &&
	     checksum_end(checksum_add(
		     checksum_pseudo(from, to, IP_UDP, length), at, length)) !=
		     0)) {
		s->counts.bad++;
		return;
	}
	k = find(s, from, get16(at + UDP_SOURCE), get16(at + UDP_TARGET));
	*unreachable = k == NULL;
	if (k != NULL)
		datagram_put(s, k, from, get16(at + UDP_SOURCE),
			     at + UDP_HEADER_BYTES, length - UDP_HEADER_BYTES);
}

bool udp_send(struct stack *s, struct socket *k, const void *data,
	      unsigned bytes, uint32_t to, unsigned port)
{
	uint8_t *p = IP_DATA(s);
	unsigned length = UDP_HEADER_BYTES + bytes;
	uint16_t sum;

	put16(p + UDP_SOURCE, k->port);
	put16(p + UDP_TARGET, port);
	put16(p + UDP_LENGTH, length);
	put16(p + UDP_CHECKSUM, 0);
	memcpy(p + UDP_HEADER_BYTES, data, bytes);
	sum = checksum_end(checksum_add(
		checksum_pseudo(s->address, to, IP_UDP, length), p, length));
	put16(p + UDP_CHECKSUM, sum == 0 ? 0xffff : sum);
	return ip_send(s, to, IP_UDP, length);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/arp.c - addresses of neighbours (RFC 826), asked for when a packet
 * goes there, which waits meanwhile; a later one to the same takes its place.
 * What neighbours say of themselves is believed: on such a wire there is
 * nothing else to go by. */
#include "net/stack.h"

#define ASK_NS    500000000ull /* between tries */
#define TRIES     5
#define SILENT_NS 2000000000ull /* until it is asked for again */
#define OLD_NS                                                                 \
	60000000000ull /* then it is asked for anew, RFC 1122 2.3.2.1          \
			*/

static const uint8_t everybody[ETHER_MAC_BYTES] = {0xff, 0xff, 0xff,
						   0xff, 0xff, 0xff};

static bool tell(struct stack *s, unsigned operation, const uint8_t *to,
		 const uint8_t *target_mac, uint32_t target)
{
	uint8_t p[ARP_BYTES];

	put16(p + ARP_HARDWARE, 1);
	put16(p + ARP_PROTOCOL, ETHER_IPV4);
	put16(p + ARP_LENGTHS, 6 << 8 | 4);
	put16(p + ARP_OPERATION, operation);
	memcpy(p + ARP_SENDER_MAC, s->mac, ETHER_MAC_BYTES);
	put32(p + ARP_SENDER, s->address);
	memcpy(p + ARP_TARGET_MAC, target_mac, ETHER_MAC_BYTES);
	put32(p + ARP_TARGET, target);
	return ethernet_send(s, to, ETHER_ARP, p, sizeof(p));
}

/* RFC 5227, 3: who has my address, being asked by me, tells everybody. */
void arp_announce(struct stack *s)
{
	static const uint8_t nobody[ETHER_MAC_BYTES];

	(void)tell(s, ARP_ASKS, everybody, nobody, s->address);
}

static void ask(struct stack *s, struct arp_row *row)
{
	static const uint8_t nobody[ETHER_MAC_BYTES];

	row->tries++;
	row->at_ns = s->now_ns;
	(void)tell(s, ARP_ASKS, everybody, nobody, row->address);
}

static struct arp_row *find(struct stack *s, uint32_t address)
{
	for (unsigned i = 0; i < ARP_ROWS; i++) {
		if (s->arp[i].state != ARP_FREE && s->arp[i].address == address)
			return &s->arp[i];
	}
	return NULL;
}

/* A free row, or the one longest not heard of. */
static struct arp_row *new_row(struct stack *s, uint32_t address)
{
	struct arp_row *row = &s->arp[0];

	for (unsigned i = 0; i < ARP_ROWS && row->state != ARP_FREE; i++) {
		if (s->arp[i].state == ARP_FREE || s->arp[i].at_ns < row->at_ns)
			row = &s->arp[i];
	}
	row->state = ARP_ASKED;
	row->address = address;
	row->tries = 0;
	return row;
}

static void known(struct stack *s, struct arp_row *row, const uint8_t *mac)
{
	s->changes += row->state != ARP_KNOWN; /* somebody may wait for it */
	row->state = ARP_KNOWN;
	row->at_ns = s->now_ns;
	row->tries = 0;
	memcpy(row->mac, mac, ETHER_MAC_BYTES);
}

void arp_receive(struct stack *s, const uint8_t *p, unsigned bytes)
{
	uint32_t sender, target;
	struct arp_row *row;

	if (bytes < ARP_BYTES || get16(p + ARP_HARDWARE) != 1 ||
	    get16(p + ARP_PROTOCOL) != ETHER_IPV4 ||
	    get16(p + ARP_LENGTHS) != (6 << 8 | 4)) {
		s->counts.bad++;
		return;
	}
	sender = get32(p + ARP_SENDER);
	target = get32(p + ARP_TARGET);
	if (s->address == 0 || sender == s->address ||
	    (p[ARP_SENDER_MAC] & 1)) {
		s->counts.ignored++;
		return;
	}
	row = sender != 0 ? find(s, sender) : NULL;
	if (row == NULL && sender != 0 && target == s->address)
		row = new_row(s, sender);
	if (row != NULL)
		known(s, row, p + ARP_SENDER_MAC);
	if (get16(p + ARP_OPERATION) == ARP_ASKS && target == s->address)
		(void)tell(s, ARP_ANSWERS, p + ARP_SENDER_MAC,
			   p + ARP_SENDER_MAC, sender);
}

/* An old address is used while it is asked for anew, and given up when nobody
 * answers. */
static void refresh(struct stack *s, struct arp_row *row)
{
	uint64_t heard = row->at_ns;

	if (s->now_ns - heard < OLD_NS + row->tries * ASK_NS)
		return;
	if (row->tries == TRIES) {
		row->state = ARP_ASKED;
		row->tries = 0;
		ask(s, row);
		return;
	}
	ask(s, row);
	row->at_ns = heard;
}

bool arp_send(struct stack *s, uint32_t neighbour, unsigned bytes)
{
	struct arp_row *row;

	if (neighbour == IP_BROADCAST || neighbour == (s->address | ~s->mask))
		return ethernet_send(s, everybody, ETHER_IPV4, s->packet,
				     bytes);
	row = find(s, neighbour);
	if (row == NULL) {
		row = new_row(s, neighbour);
		ask(s, row);
	}
	if (row->state == ARP_KNOWN)
		refresh(s, row);
	if (row->state == ARP_KNOWN)
		return ethernet_send(s, row->mac, ETHER_IPV4, s->packet, bytes);
	s->counts.dropped += row->state == ARP_SILENT;
	return row->state == ARP_SILENT; /* it will never go */
}

void arp_run(struct stack *s)
{
	for (unsigned i = 0; i < ARP_ROWS; i++) {
		struct arp_row *row = &s->arp[i];

		if (row->state == ARP_SILENT &&
		    s->now_ns - row->at_ns >= SILENT_NS)
			row->state = ARP_FREE; /* the next packet asks anew */
		if (row->state != ARP_ASKED || !s->up ||
		    s->now_ns - row->at_ns < ASK_NS)
			continue;
		if (row->tries < TRIES) {
			ask(s, row);
			continue;
		}
		row->state = ARP_SILENT;
		row->at_ns = s->now_ns;
		s->changes++;
	}
}

uint64_t arp_next(const struct stack *s)
{
	uint64_t next = TCP_NEVER;

	for (unsigned i = 0; i < ARP_ROWS; i++) {
		const struct arp_row *row = &s->arp[i];
		uint64_t at = row->state == ARP_ASKED ? row->at_ns + ASK_NS
			      : row->state == ARP_SILENT
				      ? row->at_ns + SILENT_NS
				      : TCP_NEVER;

		next = at < next ? at : next;
	}
	return next;
}

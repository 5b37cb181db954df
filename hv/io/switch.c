/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/switch.c - see switch.h. */
#include "io/switch.h"

#include "abi/channel.h"
#include "io/external.h"
#include "io/learned.h"
#include "io/port.h"
#include "io/trunk.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "net/wire.h"

struct switch_counts switch_counts;

static void to_uplink(unsigned to, unsigned from, const struct frame *f)
{
	if (to == from)
		return;
	if (to == SWITCH_TRUNK ? trunk_send(f) : external_send(f))
		switch_counts.forwarded++;
	else
		switch_counts.lost++;
}

static void to_uplinks(unsigned from, const struct frame *f)
{
	if (external_up())
		to_uplink(SWITCH_EXTERNAL, from, f);
	if (trunk_up())
		to_uplink(SWITCH_TRUNK, from, f);
}

static void to_port(unsigned port, const struct frame *f)
{
	if (port_deliver(port, f))
		switch_counts.forwarded++;
	else
		switch_counts.lost++;
}

/* Where it goes does not depend on the payload, which may change meanwhile. */
void switch_frame(unsigned from, const struct frame *f)
{
	const uint8_t *to = f->header, *source = f->header + 6;
	bool outside = from == SWITCH_EXTERNAL || from == SWITCH_TRUNK;
	int port = port_of(to);
	unsigned uplink;

	/* From the outside only what is outside; our own come in by a loop, or
	 * from somebody who lies. */
	if (outside && port_of(source) >= 0) {
		switch_counts.forged++;
		return;
	}
	if (outside)
		learned_put(source, from, sys_time());
	if (to[0] & 1) {
		for (uint32_t m = ports_of_guests(); m != 0; m &= m - 1) {
			unsigned p = (unsigned)__builtin_ctz(m);

			if (p != from && port_is_guest(p))
				to_port(p, f);
		}
		to_uplinks(from, f);
	} else if (port >= 0) {
		if ((unsigned)port != from)
			to_port((unsigned)port, f);
	} else if (learned_find(to, &uplink, sys_time()) &&
		   (uplink == SWITCH_TRUNK ? trunk_up() : external_up())) {
		to_uplink(uplink, from, f);
	} else {
		to_uplinks(from, f);
	}
}

/* A request for an address (RFC 903), which asks nobody: there is no server. */
#define RARP         0x8035
#define RARP_REQUEST 3
#define RARP_BYTES   46 /* the shortest payload */

static void announce(unsigned port)
{
	static uint8_t payload[RARP_BYTES];
	uint8_t header[NET_HEADER_BYTES];
	struct frame f = {
		.header = header, .payload = payload, .bytes = RARP_BYTES};

	memset(header, 0xff, ETHER_MAC_BYTES);
	memcpy(header + ETHER_MAC_BYTES, port_mac(port), ETHER_MAC_BYTES);
	put16(header + 2 * ETHER_MAC_BYTES, RARP);
	put16(payload + ARP_HARDWARE, 1);
	put16(payload + ARP_PROTOCOL, ETHER_IPV4);
	put16(payload + ARP_LENGTHS, 0x0604);
	put16(payload + ARP_OPERATION, RARP_REQUEST);
	memcpy(payload + ARP_SENDER_MAC, port_mac(port), ETHER_MAC_BYTES);
	memcpy(payload + ARP_TARGET_MAC, port_mac(port), ETHER_MAC_BYTES);
	to_uplink(SWITCH_EXTERNAL, port, &f);
}

static void look_at_external(void)
{
	static bool was_up;
	bool up = external_up();

	for (unsigned p = 0; up && !was_up && p < SWITCH_EXTERNAL; p++) {
		if (port_is_guest(p))
			announce(p);
	}
	was_up = up;
}

bool switch_run(void)
{
	bool any = ports_run();

	look_at_external();
	any |= trunk_run();
	any |= external_run();
	ports_tell();
	return any;
}

bool switch_sleep(void)
{
	bool empty = ports_sleep();

	empty &= trunk_sleep();
	empty &= external_sleep();
	return empty;
}

void switch_awake(void)
{
	ports_awake();
	trunk_awake();
	external_awake();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/switch.h - the virtual Ethernet switch: where a frame goes.
 *
 * Its ports: one for each guest's network channel (port.h), the external one
 * (a network card, external.h), and the trunk to the other I/O partition's
 * switch (trunk.h).  The addresses behind the first are the ultravisor's to
 * say, so nothing of them is learned, and a frame from any other address is
 * lost.  Those behind the other two, the uplinks, are learned.
 *
 *   to a guest here               its port, and no other
 *   to many                       all guests here but the sender, all uplinks
 *   to an address learned         its uplink
 *   to any other                  all uplinks
 *
 * and never back where it came from.
 *
 * Two switches on the same wire that are also joined by the trunk would be a
 * loop.  Each tells the other whether its external port is up; while both are,
 * the trunk carries nothing, and the wire joins them.  So guests reach each
 * other whichever path serves them, and reach the world as long as one external
 * port is up.
 *
 * When the external port comes up, a frame in the name of each guest here goes
 * out by it: those on the wire, who may know the guest behind the other I/O
 * partition's card, learn where it is without its having to send anything.
 *
 * Not modelled: VLANs, spanning trees, multicast groups (all get them).
 */
#ifndef PARTERRE_IO_SWITCH_H
#define PARTERRE_IO_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

struct frame { /* the payload may be somebody else's to change */
	const uint8_t *header; /* NET_HEADER_BYTES of our own memory */
	const uint8_t *payload;
	unsigned bytes;
};

/* Where a frame comes from: a handle, or */
#define SWITCH_EXTERNAL 32
#define SWITCH_TRUNK    33

void switch_frame(unsigned from, const struct frame *f);

/* One pass over all ports.  True if anything moved. */
bool switch_run(void);
/* Before waiting; false: something has come. */
bool switch_sleep(void);
void switch_awake(void);

struct switch_counts {
	uint64_t forwarded, forged, lost;
};
extern struct switch_counts switch_counts;

#endif

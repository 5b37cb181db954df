/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/net.h - between a network device and an Ethernet segment.
 *
 * A port is where the cable is plugged in.  The segment (sim/net_switch.h)
 * makes it and owns it; a network device attaches to it in its init and
 * detaches in its fini.  A device without a port is one without a cable.
 *
 * Frames are those of IEEE 802.3 from the destination address on, without
 * preamble and FCS: NET_FRAME_MIN to NET_FRAME_MAX bytes.  Shorter ones, down
 * to a bare header, are filled up with zeroes as the sender's hardware does.
 *
 * Buffers.  Who gets a frame may read it until it returns; nobody keeps one.
 *
 * Time.  net_port_send() is told the sender's machine_now(), which never steps
 * back between two calls of one device.  receive() is called from an event
 * (EVQ_INPUT) of the receiving machine, at the instant at which the last bit is
 * there, and never from within net_port_send(): machines stand at different
 * instants then.
 *
 * Determinism.  What arrives, and when, is a function of what was sent, and
 * when; the pieces in which machines run do not matter.
 *
 * Snapshots.  A device's fields hold what it remembers itself; its save and
 * load add the port: cable, frames from it that are not switched yet, frames to
 * it, what the segment has learned of it.  What other ports have is not in it.
 */
#ifndef PARTERRE_SIM_NET_H
#define PARTERRE_SIM_NET_H

#include "sim/base.h"
#include "sim/evq.h"

#define NET_MAC_BYTES    6
#define NET_HEADER_BYTES 14
#define NET_FRAME_MIN    60
#define NET_FRAME_MAX    9018 /* jumbo: 9,000 bytes, header, one VLAN tag */

struct net_port;

struct net_device_ops {
	/* False: the device has no room and the frame is lost; it is counted.
	 */
	bool (*receive)(void *owner, ps_t when, const uint8_t *frame,
			size_t bytes);
	/* The link went up or down; may be NULL. */
	void (*link)(void *owner, ps_t when, bool up);
};

/* One device a port.  `q` is its machine's and outlives the attachment; a frame
 * that was on its way to a device before is lost. */
void net_port_attach(struct net_port *p, struct evq *q,
		     const struct net_device_ops *ops, void *owner);
void net_port_detach(struct net_port *p); /* nobody there: fine */

/* Copies the frame onto the cable, behind what is still being sent.  Returns
 * the instant at which its last bit has left: when the device may report it as
 * sent.  With the link down it is lost, at once. */
ps_t net_port_send(struct net_port *p, ps_t when, const uint8_t *frame,
		   size_t bytes);

/* The instant from which the cable carries another frame; one that is over: it
 * does now. */
ps_t net_port_free(const struct net_port *p);

bool net_port_is_up(const struct net_port *p);
uint64_t net_port_bits_per_s(const struct net_port *p);
const char *net_port_name(const struct net_port *p);

/* By the attached device, for snapshots.  Loading replaces what the port has;
 * false: it makes no sense. */
struct snapshot_writer;
struct snapshot_reader;
void net_port_save(const struct net_port *p, struct snapshot_writer *w);
bool net_port_load(struct net_port *p, struct snapshot_reader *r);

#endif

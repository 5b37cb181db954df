/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/net_switch.h - a learning Ethernet switch between machines.
 *
 * Store and forward (IEEE 802.1D-2004 chapter 7).  A frame takes the cable of
 * its sender for its bits, the preamble, the FCS and the gap between frames;
 * wholly there, it is switched in latency_ps and takes the cable of each
 * receiver when that is free.  A receiver's cable that is busy for more than
 * queue_bytes loses the frame.
 *
 * Machines run one after another up to the end of each window; then
 * net_switch_advance() is called.  Frames are taken in the order of (arrival,
 * port, sending), and no window is longer than latency_ps, so nothing is ever
 * to be delivered in the past, nor two frames in an order that depends on whose
 * turn was first.
 *
 * Addresses are learned for 300 s, at most NET_SWITCH_ADDRESSES; then the one
 * not seen for longest goes.  Frames for 01-80-C2-00-00-00 to -0F stay here
 * (7.12.6).
 *
 * Not modelled: VLANs, spanning trees (no loops, please), PAUSE frames, bit
 * errors, collisions.
 */
#ifndef PARTERRE_SIM_NET_SWITCH_H
#define PARTERRE_SIM_NET_SWITCH_H

#include "sim/net.h"
#include "sim/status.h"

#define NET_SWITCH_PORTS     16
#define NET_SWITCH_ADDRESSES 256
#define NET_SWITCH_AGE_PS    (300 * PS_PER_S)

struct net_switch_config {
	ps_t latency_ps;      /* of a frame that is wholly there; above 0 */
	uint64_t bits_per_s;  /* of each cable, both ways at once; above 0 */
	uint64_t queue_bytes; /* waiting for a receiver's cable */
};
/* 50 us, 1 Gbit/s, 256 KiB. */
void net_switch_defaults(struct net_switch_config *c);

struct net_switch;

struct net_switch *net_switch_create(const struct net_switch_config *c);
/* After all devices have detached. */
void net_switch_destroy(struct net_switch *s);

/* Up, and nobody attached.  `name` is copied; NULL: all ports are taken. */
struct net_port *net_switch_port(struct net_switch *s, const char *name);

/* All machines stand at `now`, which is at most latency_ps after the last call
 * of this. */
void net_switch_advance(struct net_switch *s, ps_t now);

/* Nothing was sent yet: it begins at this instant. */
void net_switch_begin(struct net_switch *s, ps_t now);

/* How far it has come, and back to there, when the machines on its ports have
 * gone back, too: they bring their cables' frames (net_port_load()). */
struct net_switch_mark {
	ps_t now;
	long captured; /* bytes */
};
void net_switch_mark(const struct net_switch *s, struct net_switch_mark *mark);
void net_switch_back(struct net_switch *s, const struct net_switch_mark *mark);

/* Every frame that a switch takes from a cable goes to a file in pcap's format,
 * with the virtual time since power-on in nanoseconds; those that a fault drops
 * are not there.  EXIT_HOST: it cannot be written. */
bool net_switch_capture(struct net_switch *s, const char *path,
			struct error *err) MUST_USE;
/* Also ends the capture. */
bool net_switch_capture_end(struct net_switch *s, struct error *err) MUST_USE;

/* Faults, while all machines stand at one instant: the next n frames from a
 * port are lost; a cable is pulled out or put in (what is on it is lost).  The
 * machine that is switched off has no link either. */
void net_port_drop(struct net_port *p, uint64_t n);
void net_port_set_link(struct net_port *p, ps_t now, bool up);

struct net_port_counts {
	uint64_t sent, received; /* by the device */
	uint64_t dropped;        /* by a fault, or the link was down */
	uint64_t overrun;        /* the receiver's cable or device was full */
};
void net_port_counts(const struct net_port *p, struct net_port_counts *c);

#endif

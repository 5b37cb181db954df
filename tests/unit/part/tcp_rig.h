/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/part/tcp_rig.h - hv/net's stack at 10.0.0.1, and at 10.0.0.2 the
 * test: it makes each packet that the stack gets, and takes apart each that it
 * sends, by RFC 791, 768 and 9293 and checksums of its own. */
#ifndef PARTERRE_TEST_TCP_RIG_H
#define PARTERRE_TEST_TCP_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "net/stack.h"

#define OWN   0x0a000001
#define OTHER 0x0a000002

struct seg {
	uint16_t source, target, window;
	uint32_t sequence, acked;
	unsigned flags, mss; /* mss: 0: not said */
	unsigned bytes;
	uint8_t data[1500];
};

extern struct stack rig; /* the stack */
extern uint64_t rig_now; /* ns */
extern bool rig_break;   /* the next packet gets there with a bit changed */

/* A stack whose link is up and that knows 10.0.0.2. */
void rig_start(void);
/* Time goes on so far, in steps in which everything due is done. */
void rig_until(uint64_t ns);
/* The next packet that the stack sent, of TCP, UDP or ICMP: its protocol, its
 * payload; 0: there is none. */
unsigned rig_packet(uint8_t *payload, unsigned *bytes);
/* The next segment that it sent; fails the test if there is none. */
struct seg rig_sent(void);
void rig_silent(void); /* fails the test if there is one */
/* A packet for the stack. */
void rig_give(unsigned protocol, const uint8_t *payload, unsigned bytes);
void rig_give_segment(const struct seg *g);
uint16_t rig_sum(unsigned protocol, uint32_t from, uint32_t to,
		 const uint8_t *at, unsigned bytes);

#endif

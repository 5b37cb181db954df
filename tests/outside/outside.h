/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/outside/outside.h - a host on the simulated network that is no machine:
 * Debian's lwIP (liblwip), a TCP/IP stack that nobody here wrote.
 *
 * It is one thread's: its raw interface is called from events of the first
 * machine's queue, and its clock is that queue's virtual time, for the
 * library's sys_now() is replaced by ours.  Its only chance is rand(), never
 * seeded.  So a run with it is as exact as one without.
 *
 * Services, at 10.0.0.9:
 *   ICMP echo                  lwIP's own
 *   UDP 7                      sends back what it gets (RFC 862)
 *   TCP 5000                   takes a pattern to its end, checks each byte,
 * and says its CRC-32C outside_send()             the same, the other way
 */
#ifndef PARTERRE_TESTS_OUTSIDE_H
#define PARTERRE_TESTS_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/scenario/session.h"

/* For session_options.outside. */
extern const struct session_outside outside;

#define OUTSIDE_ADDRESS 0x0a000009

/* Connects until somebody listens there, and sends so many bytes.  Before the
 * run. */
void outside_send(uint32_t address, uint16_t port, uint64_t bytes);

/* What came of it. */
struct outside_counts {
	uint64_t connections, taken,
		wrong;  /* of TCP 5000: bytes, of those bad */
	uint64_t ended; /* connections, in order */
	uint64_t sent, acknowledged;
	bool same;       /* who was sent to says the same sum */
	uint64_t broken; /* connections that lwIP gave up, or were reset */
	uint64_t echoed; /* datagrams */
};
extern struct outside_counts outside_counts;

/* services.c; the stack is up. */
void services_begin(void);
void services_poll(uint64_t now_ms);

#endif

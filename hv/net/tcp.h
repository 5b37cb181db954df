/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/tcp.h - one end of a TCP connection.
 *
 * RFC 9293 (the protocol), 5681 and 6582 (congestion, fast retransmit and
 * recovery), 6298 (when to send again), 3390 (the first window), 5961 (what
 * does not reset a connection), 1122 4.2.3.6 (keep-alive).
 *
 * The bytes that are not acknowledged are socket.out, from `una` on; those that
 * came in order are socket.in; what came ahead lies in that ring too, where it
 * will be, and `ahead` says which of it is there.
 *
 * Other than the RFCs say: the shortest time-out is 200 ms and not a second
 * (RFC 6298 2.4), as elsewhere; TIME-WAIT is 60 s, and gives way to a new
 * connection when there is no place; initial sequence numbers come from a
 * clock and a hash (RFC 6528) whose secret is no secret: a machine without
 * chance has none.
 *
 * Not modelled: urgent data (it is data), window scaling, time stamps, SACK.
 */
#ifndef PARTERRE_NET_TCP_H
#define PARTERRE_NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/wire.h"

struct stack;
struct socket;

enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
};

#define TCP_AHEAD_MAX 4
#define TCP_NEVER     (~0ull)

struct tcp {
	enum tcp_state state;
	int error; /* NET_E*, when it ended by one */
	/* To the other side: sequence numbers. */
	uint32_t iss, una, next, most; /* most: the highest sent, + 1 */
	uint32_t window, window_most, wl1, wl2;
	uint32_t mss;
	bool fin_wanted; /* behind what is in the ring */
	/* From the other side. */
	uint32_t irs, expected, promised; /* promised: the window's end */
	bool fin_seen, fin_taken;
	uint32_t fin_at;
	struct {
		uint32_t start, end;
	} ahead[TCP_AHEAD_MAX];
	unsigned aheads;
	bool ack_now;
	/* Congestion. */
	uint32_t cwnd, ssthresh, recover;
	unsigned duplicates;
	bool recovering;
	/* Round trips, in ns. */
	uint64_t srtt, rttvar, rto;
	bool timing;
	uint32_t timed;
	uint64_t timed_at;
	/* Timers; TCP_NEVER: not set. */
	uint64_t again_at, persist_at, keep_at, wait_until;
	unsigned tries, persists, keeps;
	uint64_t keep_idle; /* 0: no keep-alive */
};

#define TCP_RTO_MIN      200000000ull
#define TCP_RTO_FIRST    1000000000ull
#define TCP_RTO_MAX      60000000000ull
#define TCP_TRIES_MAX    12
#define TCP_SYN_TRIES    6
#define TCP_LINGER_TRIES 5
#define TCP_WAIT_NS      60000000000ull
#define TCP_KEEP_NS      75000000000ull
#define TCP_KEEPS_MAX    9
#define TCP_BACKLOG      3 /* connections that nobody has accepted yet */
#define TCP_MSS          (ETHER_MTU - IP_HEADER_BYTES - TCP_HEADER_BYTES)
#define TCP_MSS_OTHERS   536 /* if the other side doesn't say */

/* Sequence numbers go round. */
static inline bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* ---- tcp_in.c ----------------------------------------------------------- */

void tcp_receive(struct stack *s, uint32_t from, uint32_t to, const uint8_t *at,
		 unsigned bytes);

/* ---- tcp_out.c ---------------------------------------------------------- */

/* A new end: numbers chosen, nothing sent. */
void tcp_begin(struct stack *s, struct socket *k, enum tcp_state state);
/* Sends what may be sent.  False: the card has no room. */
bool tcp_output(struct stack *s, struct socket *k);
/* One segment again, from the oldest byte on. */
void tcp_again(struct stack *s, struct socket *k);
void tcp_timers(struct stack *s, struct socket *k);
uint64_t tcp_next(const struct tcp *t);
/* The link is back: nobody waits for a time-out. */
void tcp_hurry(struct stack *s, struct socket *k);
void tcp_sample(struct tcp *t, uint64_t rtt_ns);
void tcp_set_again(struct stack *s, struct tcp *t);
/* It is over; error 0: in order. */
void tcp_end(struct stack *s, struct socket *k, int error);
/* Tell the other side that it is over. */
void tcp_abort(struct stack *s, struct socket *k, int error);
/* A reset to somebody that no connection belongs to. */
void tcp_refuse(struct stack *s, uint32_t to, const uint8_t *segment,
		unsigned length);
/* Room in the ring: does the other side have to be told? */
void tcp_opened(struct stack *s, struct socket *k);

#endif

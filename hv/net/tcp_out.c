/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/tcp_out.c - segments that go, and time: what may be sent (RFC 9293
 * 3.8.6, RFC 5681), when it is sent again (RFC 6298), probes of a closed window
 * (RFC 9293 3.8.6.1) and of a silent connection (3.8.4). */
#include "net/stack.h"

/* RFC 6298 2: alpha 1/8, beta 1/4, four deviations; the clock is exact. */
void tcp_sample(struct tcp *t, uint64_t rtt)
{
	uint64_t off = t->srtt > rtt ? t->srtt - rtt : rtt - t->srtt;

	if (t->srtt == 0) {
		t->srtt = rtt;
		t->rttvar = rtt / 2;
	} else {
		t->rttvar = t->rttvar - t->rttvar / 4 + off / 4;
		t->srtt = t->srtt - t->srtt / 8 + rtt / 8;
	}
	t->rto = t->srtt + 4 * t->rttvar;
	t->rto = t->rto < TCP_RTO_MIN ? TCP_RTO_MIN : t->rto;
	t->rto = t->rto > TCP_RTO_MAX ? TCP_RTO_MAX : t->rto;
}

/* RFC 6528, 3: a clock of 4 us, and a hash of who talks to whom. */
static uint32_t first_number(const struct stack *s, const struct socket *k)
{
	uint64_t h = s->secret ^ 0x9e3779b97f4a7c15ull;

	h = (h ^ s->address) * 0xff51afd7ed558ccdull;
	h = (h ^ h >> 32 ^ k->remote) * 0xc4ceb9fe1a85ec53ull;
	h = (h ^ h >> 32 ^ k->port ^ (uint64_t)k->remote_port << 16) *
	    0xff51afd7ed558ccdull;
	return (uint32_t)(h >> 32) + (uint32_t)(s->now_ns / 4000);
}

void tcp_begin(struct stack *s, struct socket *k, enum tcp_state state)
{
	struct tcp *t = &k->tcp;
	uint64_t keep_idle = t->keep_idle;

	memset(t, 0, sizeof(*t));
	t->state = state;
	t->iss = t->una = t->next = t->most = first_number(s, k);
	t->mss = TCP_MSS_OTHERS;
	t->recover = t->iss;
	t->ssthresh = ~0u;
	t->rto = TCP_RTO_FIRST;
	t->again_at = t->persist_at = t->keep_at = t->wait_until = TCP_NEVER;
	t->keep_idle = keep_idle;
}

void tcp_end(struct stack *s, struct socket *k, int error)
{
	struct tcp *t = &k->tcp;

	t->state = TCP_CLOSED;
	t->error = error;
	t->again_at = t->persist_at = t->keep_at = t->wait_until = TCP_NEVER;
	s->changes++;
	if (!k->open || k->parent >= 0) /* nobody will ever ask */
		socket_free(k);
}

/* ---- one segment -------------------------------------------------------- */

static uint32_t window(const struct socket *k)
{
	uint32_t room = ring_room(&k->in);

	return room > 0xffff ? 0xffff : room;
}

/* RFC 9293 3.8.6.2.2: the end of the window goes on by a good piece or not at
 * all, and never back. */
static uint32_t window_to_promise(struct socket *k)
{
	struct tcp *t = &k->tcp;
	uint32_t end = t->expected + window(k);
	uint32_t step = RING_BYTES / 2 < TCP_MSS ? RING_BYTES / 2 : TCP_MSS;
	uint32_t from =
		before(t->promised, t->expected) ? t->expected : t->promised;

	if (before(end, from + step))
		end = from;
	t->promised = end;
	return end - t->expected;
}

static uint16_t finish(struct stack *s, uint32_t to, uint8_t *p,
		       unsigned length)
{
	put16(p + TCP_CHECKSUM, 0);
	return checksum_end(checksum_add(
		checksum_pseudo(s->address, to, IP_TCP, length), p, length));
}

/* `bytes` from the ring behind `offset` of what is not acknowledged. */
static bool segment(struct stack *s, struct socket *k, unsigned flags,
		    uint32_t sequence, uint32_t offset, uint32_t bytes)
{
	struct tcp *t = &k->tcp;
	unsigned header = TCP_HEADER_BYTES + (flags & TCP_SYN ? 4 : 0);
	uint8_t *p = IP_DATA(s);
	bool sent;

	put16(p + TCP_SOURCE, k->port);
	put16(p + TCP_TARGET, k->remote_port);
	put32(p + TCP_SEQUENCE, sequence);
	put32(p + TCP_ACK_NUMBER, flags & TCP_ACK ? t->expected : 0);
	p[TCP_OFFSET] = (uint8_t)(header / 4 << 4);
	p[TCP_FLAGS] = (uint8_t)flags;
	put16(p + TCP_WINDOW,
	      flags & TCP_SYN ? window(k) : window_to_promise(k));
	put16(p + TCP_URGENT, 0);
	if (flags & TCP_SYN) {
		p[TCP_HEADER_BYTES] = TCP_OPTION_MSS;
		p[TCP_HEADER_BYTES + 1] = 4;
		put16(p + TCP_HEADER_BYTES + 2, TCP_MSS);
		t->promised = t->expected + window(k);
	}
	ring_copy_out(&k->out, offset, p + header, bytes);
	put16(p + TCP_CHECKSUM, finish(s, k->remote, p, header + bytes));
	sent = ip_send(s, k->remote, IP_TCP, header + bytes);
	if (sent && (flags & TCP_ACK))
		t->ack_now = false;
	return sent;
}

void tcp_refuse(struct stack *s, uint32_t to, const uint8_t *from,
		unsigned length)
{
	uint8_t *p = IP_DATA(s);
	unsigned flags = from[TCP_FLAGS];
	uint32_t sequence = get32(from + TCP_SEQUENCE),
		 acked = get32(from + TCP_ACK_NUMBER);

	if (flags & TCP_RST)
		return;
	s->counts.resets++;
	memset(p, 0, TCP_HEADER_BYTES);
	put16(p + TCP_SOURCE, get16(from + TCP_TARGET));
	put16(p + TCP_TARGET, get16(from + TCP_SOURCE));
	p[TCP_OFFSET] = TCP_HEADER_BYTES / 4 << 4;
	if (flags & TCP_ACK) {
		put32(p + TCP_SEQUENCE, acked);
		p[TCP_FLAGS] = TCP_RST;
	} else {
		put32(p + TCP_ACK_NUMBER, sequence + length);
		p[TCP_FLAGS] = TCP_RST | TCP_ACK;
	}
	put16(p + TCP_CHECKSUM, finish(s, to, p, TCP_HEADER_BYTES));
	(void)ip_send(s, to, IP_TCP, TCP_HEADER_BYTES);
}

void tcp_abort(struct stack *s, struct socket *k, int error)
{
	struct tcp *t = &k->tcp;

	if (t->state >= TCP_SYN_RECEIVED && t->state != TCP_TIME_WAIT) {
		s->counts.resets++;
		(void)segment(s, k, TCP_RST | TCP_ACK, t->next, 0, 0);
	}
	tcp_end(s, k, error);
}

/* ---- what may be sent --------------------------------------------------- */

void tcp_set_again(struct stack *s, struct tcp *t)
{
	t->again_at = t->una == t->most ? TCP_NEVER : s->now_ns + t->rto;
}

static void sent_to(struct stack *s, struct tcp *t, uint32_t end)
{
	bool first = !before(t->next, t->most) && !t->timing;

	if (first && before(t->next, end)) {
		t->timing = true;
		t->timed = end;
		t->timed_at = s->now_ns;
	}
	t->next = end;
	if (before(t->most, end))
		t->most = end;
	if (t->again_at == TCP_NEVER)
		t->again_at = s->now_ns + t->rto;
	t->persist_at = TCP_NEVER;
}

static bool send_syn(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	unsigned flags = TCP_SYN | (t->state == TCP_SYN_RECEIVED ? TCP_ACK : 0);

	if (t->next != t->iss)
		return true;
	if (!segment(s, k, flags, t->iss, 0, 0))
		return false;
	sent_to(s, t, t->iss + 1);
	return true;
}

static bool may_send_data(const struct tcp *t)
{
	return t->state == TCP_ESTABLISHED || t->state == TCP_CLOSE_WAIT ||
	       t->state == TCP_FIN_WAIT_1 || t->state == TCP_CLOSING ||
	       t->state == TCP_LAST_ACK;
}

/* Is a piece of n bytes worth a segment now?  Nagle's rule, and that of the
 * silly window (RFC 9293 3.7.4, 3.8.6.2.1). */
static bool worth(const struct socket *k, uint32_t offset, uint32_t n,
		  uint32_t left)
{
	const struct tcp *t = &k->tcp;

	return n >= t->mss || before(t->next, t->most) ||
	       (n == left && (offset == 0 || t->fin_wanted)) ||
	       (t->window_most > 0 && n >= t->window_most / 2);
}

/* The next segment with data or FIN.  False: none may go, or there is no room
 * (*room says which). */
static bool send_data(struct stack *s, struct socket *k, bool *room)
{
	struct tcp *t = &k->tcp;
	uint32_t offset = t->next - t->una;
	uint32_t open = t->window < t->cwnd ? t->window : t->cwnd;
	uint32_t left, n;
	bool fin;

	if (offset > k->out.count) /* the FIN is sent */
		return false;
	left = k->out.count - offset;
	open = open > offset ? open - offset : 0;
	n = left < open ? left : open;
	n = n < t->mss ? n : t->mss;
	fin = t->fin_wanted && n == left;
	if (n == 0 ? !fin : !worth(k, offset, n, left) && !fin)
		return false;
	*room = segment(s, k,
			TCP_ACK | (fin ? TCP_FIN : 0) |
				(n > 0 && n == left ? TCP_PSH : 0),
			t->next, offset, n);
	if (*room)
		sent_to(s, t, t->next + n + fin);
	return *room;
}

bool tcp_output(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	bool room = true;

	if (!s->up)
		return false;
	if (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED)
		room = send_syn(s, k);
	if (may_send_data(t)) {
		while (send_data(s, k, &room))
			;
		/* Closed, with something to send and nothing under way. */
		if (room && t->una == t->most && k->out.count > 0 &&
		    t->persist_at == TCP_NEVER) {
			t->persist_at = s->now_ns + t->rto;
			t->persists = 0;
		}
	}
	/* Before there is a window, when both have begun at once. */
	if (room && t->ack_now && t->state != TCP_SYN_SENT)
		room = segment(s, k, TCP_ACK, t->next, 0, 0);
	return room;
}

void tcp_again(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	uint32_t n = k->out.count < t->mss ? k->out.count : t->mss;
	bool fin = t->fin_wanted && n == k->out.count &&
		   t->most - t->una > k->out.count;

	t->timing = false; /* Karn: whose acknowledgement would it be? */
	s->counts.segments_again++;
	(void)segment(s, k, TCP_ACK | (fin ? TCP_FIN : 0), t->una, 0, n);
}

void tcp_opened(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	uint32_t step =
		RING_BYTES / 2 < 2 * TCP_MSS ? RING_BYTES / 2 : 2 * TCP_MSS;

	(void)s;
	if (t->state >= TCP_ESTABLISHED && t->state <= TCP_FIN_WAIT_2 &&
	    !before(t->expected + window(k), t->promised + step))
		t->ack_now = true;
}

/* ---- time --------------------------------------------------------------- */

/* RFC 9293 3.8.3 R2; somebody whose user is gone tries less long. */
static unsigned tries_of(const struct socket *k)
{
	if (k->tcp.state == TCP_SYN_SENT || k->tcp.state == TCP_SYN_RECEIVED)
		return TCP_SYN_TRIES;
	return k->open ? TCP_TRIES_MAX : TCP_LINGER_TRIES;
}

static void time_out(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	uint32_t flight = t->most - t->una;
	bool opening = t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED;

	t->again_at = TCP_NEVER;
	if (t->una == t->most)
		return;
	if (++t->tries > tries_of(k)) {
		tcp_abort(s, k, NET_ETIME);
		return;
	}
	s->counts.timeouts++;
	t->timing = false;
	t->rto = 2 * t->rto < TCP_RTO_MAX ? 2 * t->rto : TCP_RTO_MAX;
	if (!opening) {
		if (t->tries == 1)
			t->ssthresh = flight / 2 > 2 * t->mss ? flight / 2
							      : 2 * t->mss;
		t->cwnd = t->mss;
	}
	t->next = t->una;
	t->recover = t->most;
	t->recovering = false;
	t->duplicates = 0;
	s->counts.segments_again++;
	t->again_at = s->now_ns + t->rto; /* even if there is no room now */
}

/* A byte more than the window allows, or the acknowledgement of one again:
 * the answer says how it stands. */
static void persist(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	uint64_t wait = t->rto;

	t->persist_at = TCP_NEVER;
	if (t->window > 0 || k->out.count == 0)
		return;
	s->counts.probes++;
	(void)segment(s, k, TCP_ACK, t->una, 0, 1);
	t->most = before(t->most, t->una + 1) ? t->una + 1 : t->most;
	for (unsigned i = 0; i < t->persists && wait < TCP_RTO_MAX; i++)
		wait *= 2;
	t->persists++;
	t->persist_at = s->now_ns + (wait < TCP_RTO_MAX ? wait : TCP_RTO_MAX);
}

static void keep_alive(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;

	if (t->keeps == TCP_KEEPS_MAX) {
		tcp_abort(s, k, NET_ETIME);
		return;
	}
	t->keeps++;
	s->counts.probes++;
	(void)segment(s, k, TCP_ACK, t->next - 1, 0, 0);
	t->keep_at = s->now_ns + TCP_KEEP_NS;
}

void tcp_timers(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;

	if (t->wait_until <= s->now_ns) {
		tcp_end(s, k, 0);
		return;
	}
	if (!s->up) /* nobody is to blame for what cannot be sent */
		return;
	if (t->again_at <= s->now_ns)
		time_out(s, k);
	if (t->persist_at <= s->now_ns)
		persist(s, k);
	if (t->keep_at <= s->now_ns)
		keep_alive(s, k);
}

uint64_t tcp_next(const struct tcp *t)
{
	uint64_t next =
		t->again_at < t->persist_at ? t->again_at : t->persist_at;

	next = t->keep_at < next ? t->keep_at : next;
	return t->wait_until < next ? t->wait_until : next;
}

void tcp_hurry(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;

	if (t->again_at != TCP_NEVER) {
		t->again_at = s->now_ns;
		t->tries = 0;
		if (t->srtt != 0)
			t->rto = t->srtt + 4 * t->rttvar > TCP_RTO_MIN
					 ? t->srtt + 4 * t->rttvar
					 : TCP_RTO_MIN;
	}
	if (t->persist_at != TCP_NEVER)
		t->persist_at = s->now_ns;
	/* The other side may not know that anything is lost: one
	 * acknowledgement and three duplicates make it send again at once,
	 * without a time-out (Caceres and Iftode, IEEE JSAC 13(5), 1995). */
	for (unsigned i = 0;
	     t->state >= TCP_ESTABLISHED && t->state < TCP_TIME_WAIT && i < 4;
	     i++)
		(void)segment(s, k, TCP_ACK, t->next, 0, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/tcp_in.c - a segment arrives: RFC 9293, 3.10.7, in its order. */
#include "net/stack.h"

struct segment {
	uint32_t sequence, acked, window;
	unsigned flags, mss; /* mss 0: not said */
	const uint8_t *data;
	uint32_t bytes;
	uint32_t length; /* with SYN and FIN */
};

/* False: malformed. */
static bool read_segment(const uint8_t *at, unsigned bytes, struct segment *g)
{
	unsigned header = (at[TCP_OFFSET] >> 4) * 4u;

	if (header < TCP_HEADER_BYTES || header > bytes)
		return false;
	g->sequence = get32(at + TCP_SEQUENCE);
	g->acked = get32(at + TCP_ACK_NUMBER);
	g->window = get16(at + TCP_WINDOW);
	g->flags = at[TCP_FLAGS];
	g->mss = 0;
	g->data = at + header;
	g->bytes = bytes - header;
	g->length = g->bytes + !!(g->flags & TCP_SYN) + !!(g->flags & TCP_FIN);
	for (unsigned i = TCP_HEADER_BYTES; i < header;) {
		unsigned kind = at[i], size = i + 1 < header ? at[i + 1] : 0;

		if (kind == TCP_OPTION_END)
			break;
		if (kind == TCP_OPTION_NOP) {
			i++;
			continue;
		}
		if (size < 2 || i + size > header)
			return false;
		if (kind == TCP_OPTION_MSS && size == 4)
			g->mss = get16(at + i + 2);
		i += size;
	}
	return true;
}

static void set_mss(struct tcp *t, const struct segment *g)
{
	t->mss = g->mss != 0 ? g->mss : TCP_MSS_OTHERS;
	t->mss = t->mss > TCP_MSS ? TCP_MSS : t->mss;
	t->mss = t->mss < 64 ? 64 : t->mss;
	/* RFC 3390. */
	t->cwnd = 4 * t->mss;
	if (t->cwnd > 4380)
		t->cwnd = 2 * t->mss > 4380 ? 2 * t->mss : 4380;
}

static void set_window(struct tcp *t, const struct segment *g)
{
	t->window = g->window;
	t->wl1 = g->sequence;
	t->wl2 = g->acked;
	if (g->window > t->window_most)
		t->window_most = g->window;
	if (g->window > 0)
		t->persist_at = TCP_NEVER;
}

static void heard(struct stack *s, struct tcp *t)
{
	t->keeps = 0;
	t->keep_at = t->keep_idle != 0 && t->state >= TCP_ESTABLISHED
			     ? s->now_ns + t->keep_idle
			     : TCP_NEVER;
}

/* ---- those that begin --------------------------------------------------- */

static void synchronized(struct tcp *t, const struct segment *g)
{
	t->irs = g->sequence;
	t->expected = g->sequence + 1;
	t->promised = t->expected;
	set_mss(t, g);
}

static unsigned children(const struct stack *s, const struct socket *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < STACK_SOCKETS; i++)
		n += s->socket[i].type == SOCKET_TCP &&
		     s->socket[i].parent == (int)(k - s->socket);
	return n;
}

static void on_listen(struct stack *s, struct socket *k, uint32_t from,
		      const uint8_t *at, const struct segment *g)
{
	struct socket *child;
	uint64_t keep = k->tcp.keep_idle;

	if (g->flags & TCP_RST)
		return;
	if (g->flags & TCP_ACK) {
		tcp_refuse(s, from, at, g->length);
		return;
	}
	if (!(g->flags & TCP_SYN))
		return;
	child = children(s, k) < TCP_BACKLOG ? socket_new(s, SOCKET_TCP) : NULL;
	if (child == NULL) {
		s->counts.dropped++; /* it will ask again */
		return;
	}
	child->port = k->port;
	child->remote = from;
	child->remote_port = get16(at + TCP_SOURCE);
	child->parent = (int)(k - s->socket);
	child->open = true;
	child->owner = k->owner;
	child->tcp.keep_idle = keep;
	tcp_begin(s, child, TCP_SYN_RECEIVED);
	synchronized(&child->tcp, g);
	set_window(&child->tcp, g);
}

static void established(struct stack *s, struct tcp *t)
{
	t->state = TCP_ESTABLISHED;
	t->tries = 0;
	if (t->timing)
		tcp_sample(t, s->now_ns - t->timed_at);
	t->timing = false;
	s->changes++;
}

static void on_syn_sent(struct stack *s, struct socket *k, const uint8_t *at,
			const struct segment *g)
{
	struct tcp *t = &k->tcp;
	bool acked = (g->flags & TCP_ACK) != 0;

	if (acked && (g->acked != t->iss + 1 || t->next == t->iss)) {
		tcp_refuse(s, k->remote, at, g->length);
		return;
	}
	if (g->flags & TCP_RST) {
		if (acked)
			tcp_end(s, k, NET_ERESET);
		return;
	}
	if (!(g->flags & TCP_SYN))
		return;
	synchronized(t, g);
	if (acked) {
		t->una = t->next = t->most = t->iss + 1;
		t->again_at = TCP_NEVER;
		set_window(t, g);
		established(s, t);
		t->ack_now = true;
	} else { /* both begin at once */
		t->state = TCP_SYN_RECEIVED;
		t->next = t->iss;
		set_window(t, g);
	}
}

/* ---- acknowledgements --------------------------------------------------- */

static void grow(struct tcp *t, uint32_t acked)
{
	if (t->cwnd < t->ssthresh)
		t->cwnd += acked < t->mss ? acked : t->mss;
	else
		t->cwnd += t->mss * t->mss / t->cwnd > 0
				   ? t->mss * t->mss / t->cwnd
				   : 1;
	if (t->cwnd > 4 * RING_BYTES)
		t->cwnd = 4 * RING_BYTES; /* more can never be under way */
}

/* RFC 6582, 3.2. */
static void congestion(struct stack *s, struct socket *k, uint32_t acked)
{
	struct tcp *t = &k->tcp;

	t->duplicates = 0;
	if (!t->recovering) {
		grow(t, acked);
	} else if (before(t->una, t->recover)) {
		tcp_again(s, k); /* a partial one: the next hole */
		t->cwnd = t->cwnd > acked ? t->cwnd - acked : 0;
		t->cwnd += t->mss;
	} else {
		t->recovering = false;
		t->cwnd = t->ssthresh;
	}
}

static void duplicate(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;
	uint32_t flight = t->most - t->una;

	t->duplicates++;
	if (t->recovering) {
		t->cwnd += t->mss; /* one has left the network */
	} else if (t->duplicates == 3 && !before(t->una, t->recover)) {
		s->counts.fast_again++;
		t->ssthresh = flight / 2 > 2 * t->mss ? flight / 2 : 2 * t->mss;
		t->recover = t->most;
		t->recovering = true;
		tcp_again(s, k);
		t->cwnd = t->ssthresh + 3 * t->mss;
		tcp_set_again(s, t);
	}
}

/* New data was acknowledged. */
static void advance(struct stack *s, struct socket *k, uint32_t to)
{
	struct tcp *t = &k->tcp;
	uint32_t acked = to - t->una;
	uint32_t data = acked < k->out.count ? acked : k->out.count;

	ring_drop(&k->out, data);
	t->una = to;
	if (before(t->next, to))
		t->next = to;
	if (before(t->recover, to) && !t->recovering)
		t->recover = to;
	t->tries = 0;
	if (t->timing && !before(to, t->timed)) {
		tcp_sample(t, s->now_ns - t->timed_at);
		t->timing = false;
	}
	congestion(s, k, data);
	tcp_set_again(s, t);
	s->changes++;
}

/* False: the segment is not to be looked at any further. */
static bool take_ack(struct stack *s, struct socket *k, const uint8_t *at,
		     const struct segment *g)
{
	struct tcp *t = &k->tcp;

	if (t->state == TCP_SYN_RECEIVED) {
		if (!before(t->una, g->acked) || before(t->most, g->acked)) {
			tcp_refuse(s, k->remote, at, g->length);
			return false;
		}
		t->una = t->iss + 1;
		t->next = before(t->next, t->una) ? t->una : t->next;
		set_window(t, g);
		established(s, t);
		tcp_set_again(s, t);
	}
	if (before(t->most, g->acked)) { /* of what was never sent */
		t->ack_now = true;
		return false;
	}
	if (before(t->una, g->acked))
		advance(s, k, g->acked);
	else if (g->acked == t->una && t->una != t->most && g->length == 0 &&
		 g->window == t->window &&
		 t->window > 0) /* no probe's answer */
		duplicate(s, k);
	if (!before(g->acked, t->una) &&
	    (before(t->wl1, g->sequence) ||
	     (t->wl1 == g->sequence && !before(g->acked, t->wl2))))
		set_window(t, g);
	return true;
}

/* Everything of ours has arrived, the FIN too: on. */
static bool fin_acked(const struct socket *k)
{
	const struct tcp *t = &k->tcp;

	return t->fin_wanted && k->out.count == 0 && t->una == t->most &&
	       t->next == t->most;
}

static void time_wait(struct stack *s, struct tcp *t)
{
	t->state = TCP_TIME_WAIT;
	t->again_at = t->persist_at = t->keep_at = TCP_NEVER;
	t->wait_until = s->now_ns + TCP_WAIT_NS;
}

/* False: the connection is gone. */
static bool on_fin_acked(struct stack *s, struct socket *k)
{
	struct tcp *t = &k->tcp;

	switch (t->state) {
	case TCP_FIN_WAIT_1:
		t->state = TCP_FIN_WAIT_2;
		/* Nobody reads any more: do not wait for ever. */
		if (!k->open)
			t->wait_until = s->now_ns + TCP_WAIT_NS;
		break;
	case TCP_CLOSING:
		time_wait(s, t);
		break;
	case TCP_LAST_ACK:
		tcp_end(s, k, 0);
		return false;
	default:
		break;
	}
	return true;
}

/* ---- data --------------------------------------------------------------- */

static void remove_ahead(struct tcp *t, unsigned n)
{
	t->ahead[n] = t->ahead[--t->aheads];
}

/* Note that start..end is there; false: too many pieces, it is not kept. */
static bool note_ahead(struct tcp *t, uint32_t start, uint32_t end)
{
	for (unsigned i = 0; i < t->aheads;) {
		if (before(end, t->ahead[i].start) ||
		    before(t->ahead[i].end, start)) {
			i++;
			continue;
		}
		start = before(start, t->ahead[i].start) ? start
							 : t->ahead[i].start;
		end = before(end, t->ahead[i].end) ? t->ahead[i].end : end;
		remove_ahead(t, i);
	}
	if (t->aheads == TCP_AHEAD_MAX)
		return false;
	t->ahead[t->aheads].start = start;
	t->ahead[t->aheads++].end = end;
	return true;
}

/* What came ahead and is next now. */
static void take_ahead(struct socket *k)
{
	struct tcp *t = &k->tcp;

	for (unsigned i = 0; i < t->aheads;) {
		uint32_t n = t->ahead[i].end - t->expected;

		if (before(t->expected, t->ahead[i].start)) {
			i++;
			continue;
		}
		if (before(t->expected, t->ahead[i].end)) {
			k->in.count += n;
			t->expected += n;
		}
		remove_ahead(t, i);
		i = 0;
	}
}

static void take_data(struct stack *s, struct socket *k,
		      const struct segment *g)
{
	struct tcp *t = &k->tcp;
	uint32_t start = g->sequence + !!(g->flags & TCP_SYN);
	uint32_t end = start + g->bytes;
	uint32_t limit = t->expected + ring_room(&k->in);
	const uint8_t *data = g->data;
	uint32_t old = t->expected;

	if (g->bytes == 0)
		return;
	t->ack_now = true;
	if (t->state != TCP_ESTABLISHED && t->state != TCP_FIN_WAIT_1 &&
	    t->state != TCP_FIN_WAIT_2)
		return;
	if (!k->open) { /* nobody will read it: RFC 9293 3.6.1 */
		tcp_abort(s, k, NET_ERESET);
		return;
	}
	if (before(start, t->expected)) {
		data += t->expected - start;
		start = t->expected;
	}
	end = before(limit, end) ? limit : end;
	if (!before(start, end))
		return;
	if (start != t->expected)
		s->counts.ahead++;
	if (start != t->expected && !note_ahead(t, start, end))
		return;
	ring_copy_in(&k->in, k->in.count + (start - t->expected), data,
		     end - start);
	if (start == t->expected) {
		k->in.count += end - start;
		t->expected = end;
		take_ahead(k);
	}
	if (t->expected != old)
		s->changes++;
}

static void take_fin(struct stack *s, struct socket *k, const struct segment *g)
{
	struct tcp *t = &k->tcp;

	if (g->flags & TCP_FIN) {
		t->fin_seen = true;
		t->fin_at = g->sequence + !!(g->flags & TCP_SYN) + g->bytes;
		t->ack_now = true;
	}
	if (!t->fin_seen || t->fin_taken || t->expected != t->fin_at)
		return;
	t->fin_taken = true;
	t->expected++;
	t->ack_now = true;
	s->changes++;
	switch (t->state) {
	case TCP_ESTABLISHED:
		t->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT_1:
		t->state = TCP_CLOSING;
		if (fin_acked(k))
			time_wait(s, t);
		break;
	case TCP_FIN_WAIT_2:
		time_wait(s, t);
		break;
	default:
		break;
	}
}

/* ---- the checks before --------------------------------------------------- */

/* RFC 9293, table 6. */
static bool acceptable(const struct socket *k, const struct segment *g)
{
	const struct tcp *t = &k->tcp;
	uint32_t room = ring_room(&k->in);
	uint32_t end = t->expected + room;
	uint32_t last = g->sequence + g->length - 1;

	if (g->length == 0 && room == 0)
		return g->sequence == t->expected;
	if (room == 0)
		return false;
	if (!before(g->sequence, t->expected) && before(g->sequence, end))
		return true;
	return g->length > 0 && !before(last, t->expected) && before(last, end);
}

static void on_synchronized(struct stack *s, struct socket *k,
			    const uint8_t *at, const struct segment *g)
{
	struct tcp *t = &k->tcp;

	if (!acceptable(k, g)) {
		if (!(g->flags & TCP_RST)) {
			t->ack_now = true;
			/* A probe of a closed window may acknowledge. */
			if ((g->flags & TCP_ACK) && before(t->una, g->acked) &&
			    !before(t->most, g->acked) &&
			    t->state >= TCP_ESTABLISHED)
				advance(s, k, g->acked);
		}
		return;
	}
	if (g->flags & TCP_RST) {
		/* RFC 5961 3.2: exactly, or prove it. */
		if (g->sequence == t->expected)
			tcp_end(s, k, NET_ERESET);
		else
			t->ack_now = true;
		return;
	}
	if (g->flags & TCP_SYN) { /* RFC 5961 4.2 */
		t->ack_now = true;
		return;
	}
	if (!(g->flags & TCP_ACK) || !take_ack(s, k, at, g))
		return;
	if (fin_acked(k) && !on_fin_acked(s, k))
		return;
	take_data(s, k, g);
	if (k->type == SOCKET_TCP && t->state != TCP_CLOSED)
		take_fin(s, k, g);
}

static struct socket *find(struct stack *s, uint32_t from, unsigned from_port,
			   unsigned port)
{
	struct socket *listens = NULL;

	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		struct socket *k = &s->socket[i];

		if (k->type != SOCKET_TCP || k->port != port)
			continue;
		if (k->tcp.state == TCP_LISTEN)
			listens = k;
		else if (k->tcp.state != TCP_CLOSED && k->remote == from &&
			 k->remote_port == from_port)
			return k;
	}
	return listens;
}

void tcp_receive(struct stack *s, uint32_t from, uint32_t to, const uint8_t *at,
		 unsigned bytes)
{
	struct segment g;
	struct socket *k;

	if (bytes < TCP_HEADER_BYTES ||
	    checksum_end(checksum_add(checksum_pseudo(from, to, IP_TCP, bytes),
				      at, bytes)) != 0 ||
	    !read_segment(at, bytes, &g)) {
		s->counts.bad++;
		return;
	}
	k = find(s, from, get16(at + TCP_SOURCE), get16(at + TCP_TARGET));
	if (k == NULL) {
		tcp_refuse(s, from, at, g.length);
		return;
	}
	/* An old connection makes room for a new one (RFC 9293 3.6.1). */
	if (k->tcp.state == TCP_TIME_WAIT && (g.flags & TCP_SYN) &&
	    before(k->tcp.expected, g.sequence)) {
		tcp_end(s, k, 0);
		k = find(s, from, get16(at + TCP_SOURCE),
			 get16(at + TCP_TARGET));
		if (k == NULL) {
			tcp_refuse(s, from, at, g.length);
			return;
		}
	}
	if (k->tcp.state == TCP_LISTEN) {
		on_listen(s, k, from, at, &g);
	} else if (k->tcp.state == TCP_SYN_SENT) {
		on_syn_sent(s, k, at, &g);
	} else {
		on_synchronized(s, k, at, &g);
		/* What came ahead is told at once: three such are a loss. */
		if (k->type == SOCKET_TCP && k->tcp.ack_now &&
		    k->tcp.aheads > 0)
			(void)tcp_output(s, k);
	}
	if (k->type == SOCKET_TCP)
		heard(s, &k->tcp);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/socket.c - what a user calls: nothing here waits; -NET_EAGAIN says
 * that the same call may be worth trying after something has changed. */
#include "net/stack.h"

#define PORT_FIRST 49152

static struct socket *of(struct stack *s, int n)
{
	return n >= 0 && n < STACK_SOCKETS &&
			       s->socket[n].type != SOCKET_FREE &&
			       s->socket[n].open
		       ? &s->socket[n]
		       : NULL;
}

void socket_free(struct socket *k)
{
	k->type = SOCKET_FREE;
	k->open = false;
	k->parent = -1;
}

/* One in TIME-WAIT; if there is none, one that only waits for a FIN. */
static struct socket *oldest_waiting(struct stack *s)
{
	struct socket *oldest = NULL;

	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		struct socket *k = &s->socket[i];

		if (k->type == SOCKET_TCP && !k->open &&
		    k->tcp.wait_until != TCP_NEVER &&
		    (oldest == NULL ||
		     k->tcp.wait_until < oldest->tcp.wait_until))
			oldest = k;
	}
	return oldest;
}

struct socket *socket_new(struct stack *s, enum socket_type type)
{
	struct socket *k = NULL;

	for (unsigned i = 0; i < STACK_SOCKETS && k == NULL; i++) {
		if (s->socket[i].type == SOCKET_FREE)
			k = &s->socket[i];
	}
	if (k == NULL)
		k = oldest_waiting(s);
	if (k == NULL)
		return NULL;
	memset(&k->tcp, 0, sizeof(k->tcp));
	k->in.start = k->in.count = k->out.start = k->out.count = 0;
	k->type = type;
	k->open = true;
	k->owner = SOCKET_NOBODY;
	k->port = k->remote_port = 0;
	k->remote = 0;
	k->parent = -1;
	k->dropped = 0;
	tcp_begin(s, k, TCP_CLOSED);
	return k;
}

int socket_open(struct stack *s, enum socket_type type, uint32_t owner)
{
	struct socket *k;

	if (type != SOCKET_ICMP && type != SOCKET_UDP && type != SOCKET_TCP)
		return -NET_EBAD;
	k = socket_new(s, type);
	if (k == NULL)
		return -NET_ENONE;
	k->owner = owner;
	return (int)(k - s->socket);
}

uint32_t socket_owner(const struct stack *s, int n)
{
	return n >= 0 && n < STACK_SOCKETS &&
			       s->socket[n].type != SOCKET_FREE &&
			       s->socket[n].open
		       ? s->socket[n].owner
		       : SOCKET_NOBODY;
}

static bool in_use(const struct stack *s, const struct socket *k, unsigned port)
{
	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		const struct socket *o = &s->socket[i];

		if (o != k && o->type == k->type && o->open && o->parent < 0 &&
		    o->port == port)
			return true;
	}
	return false;
}

int socket_bind(struct stack *s, int n, unsigned port)
{
	struct socket *k = of(s, n);

	if (k == NULL || port > 0xffff || k->port != 0)
		return -NET_EBAD;
	for (unsigned i = 0; port == 0 && i <= 0xffff - PORT_FIRST; i++) {
		unsigned next = s->next_port;

		s->next_port =
			next == 0xffff ? PORT_FIRST : (uint16_t)(next + 1);
		if (!in_use(s, k, next))
			port = next;
	}
	if (port == 0 || in_use(s, k, port))
		return -NET_EINUSE;
	k->port = (uint16_t)port;
	return 0;
}

int socket_listen(struct stack *s, int n)
{
	struct socket *k = of(s, n);

	if (k == NULL || k->type != SOCKET_TCP || k->port == 0)
		return -NET_EBAD;
	if (k->tcp.state != TCP_CLOSED)
		return -NET_ESTATE;
	k->tcp.state = TCP_LISTEN;
	return 0;
}

int socket_accept(struct stack *s, int n)
{
	struct socket *k = of(s, n);

	if (k == NULL || k->type != SOCKET_TCP)
		return -NET_EBAD;
	if (k->tcp.state != TCP_LISTEN)
		return -NET_ESTATE;
	for (int i = 0; i < STACK_SOCKETS; i++) {
		struct socket *c = &s->socket[i];

		if (c->type != SOCKET_TCP || c->parent != n)
			continue;
		if (c->tcp.state >= TCP_ESTABLISHED) {
			c->parent = -1;
			return i;
		}
	}
	return -NET_EAGAIN;
}

/* The error that ended it is told once, then it is just not connected. */
static int closed(struct socket *k)
{
	int error = k->tcp.error;

	k->tcp.error = 0;
	return error != 0 ? -error : -NET_ESTATE;
}

int socket_connect(struct stack *s, int n, uint32_t address, unsigned port)
{
	struct socket *k = of(s, n);
	int r;

	if (k == NULL || address == 0 || port > 0xffff)
		return -NET_EBAD;
	if (k->type == SOCKET_TCP && k->tcp.state != TCP_CLOSED) {
		if (k->tcp.state == TCP_LISTEN || k->remote != address ||
		    k->remote_port != port)
			return -NET_ESTATE;
		return k->tcp.state >= TCP_ESTABLISHED ? 0 : -NET_EAGAIN;
	}
	if (k->type == SOCKET_TCP && k->tcp.error != 0)
		return closed(k);
	r = k->port == 0 ? socket_bind(s, n, 0) : 0;
	if (r != 0)
		return r;
	k->remote = address;
	k->remote_port = (uint16_t)port;
	if (k->type != SOCKET_TCP)
		return 0;
	tcp_begin(s, k, TCP_SYN_SENT);
	(void)tcp_output(s, k);
	return -NET_EAGAIN;
}

static int send_stream(struct stack *s, struct socket *k, const void *data,
		       unsigned bytes)
{
	struct tcp *t = &k->tcp;
	uint32_t room = ring_room(&k->out);

	if (t->state == TCP_CLOSED)
		return closed(k);
	if (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED)
		return -NET_EAGAIN;
	if ((t->state != TCP_ESTABLISHED && t->state != TCP_CLOSE_WAIT) ||
	    t->fin_wanted)
		return -NET_ESTATE;
	bytes = bytes < room ? bytes : room;
	if (bytes == 0)
		return -NET_EAGAIN;
	ring_put(&k->out, data, bytes);
	(void)tcp_output(s, k);
	return (int)bytes;
}

int socket_send_to(struct stack *s, int n, const void *data, unsigned bytes,
		   uint32_t address, unsigned port)
{
	struct socket *k = of(s, n);
	unsigned most = ETHER_MTU - IP_HEADER_BYTES - UDP_HEADER_BYTES;
	bool sent;

	if (k == NULL || address == 0 || port > 0xffff || bytes > most ||
	    k->type == SOCKET_TCP)
		return -NET_EBAD;
	if (k->port == 0 && socket_bind(s, n, 0) != 0)
		return -NET_EINUSE;
	sent = k->type == SOCKET_UDP
		       ? udp_send(s, k, data, bytes, address, port)
		       : icmp_echo(s, k, data, bytes, address, port);
	return sent ? (int)bytes : -NET_EAGAIN;
}

int socket_send(struct stack *s, int n, const void *data, unsigned bytes)
{
	struct socket *k = of(s, n);

	if (k == NULL)
		return -NET_EBAD;
	if (k->type == SOCKET_TCP)
		return send_stream(s, k, data, bytes);
	if (k->remote == 0)
		return -NET_ESTATE;
	return socket_send_to(s, n, data, bytes, k->remote, k->remote_port);
}

static int receive_stream(struct stack *s, struct socket *k, void *to,
			  unsigned bytes)
{
	struct tcp *t = &k->tcp;

	bytes = bytes < k->in.count ? bytes : k->in.count;
	if (bytes > 0) {
		ring_take(&k->in, to, bytes);
		tcp_opened(s, k);
		if (t->ack_now)
			(void)tcp_output(s, k);
		return (int)bytes;
	}
	if (t->fin_taken)
		return 0;
	if (t->state == TCP_CLOSED || t->state == TCP_LISTEN)
		return closed(k);
	return -NET_EAGAIN;
}

int socket_receive(struct stack *s, int n, void *to, unsigned bytes,
		   struct datagram *from)
{
	struct socket *k = of(s, n);
	struct datagram head;

	if (k == NULL || bytes == 0)
		return -NET_EBAD;
	if (k->type == SOCKET_TCP) {
		if (from != NULL)
			*from = (struct datagram){.address = k->remote,
						  .port = k->remote_port};
		return receive_stream(s, k, to, bytes);
	}
	if (k->in.count == 0)
		return -NET_EAGAIN;
	ring_take(&k->in, &head, sizeof(head));
	bytes = bytes < head.bytes ? bytes : head.bytes;
	ring_copy_out(&k->in, 0, to, bytes);
	ring_drop(&k->in, head.bytes); /* what didn't fit is gone */
	if (from != NULL)
		*from = head;
	return (int)bytes;
}

int socket_keep(struct stack *s, int n, uint64_t idle_ns)
{
	struct socket *k = of(s, n);

	if (k == NULL || k->type != SOCKET_TCP)
		return -NET_EBAD;
	k->tcp.keep_idle = idle_ns;
	k->tcp.keep_at = idle_ns != 0 && k->tcp.state >= TCP_ESTABLISHED
				 ? s->now_ns + idle_ns
				 : TCP_NEVER;
	return 0;
}

int socket_shutdown(struct stack *s, int n)
{
	struct socket *k = of(s, n);
	struct tcp *t;

	if (k == NULL || k->type != SOCKET_TCP)
		return -NET_EBAD;
	t = &k->tcp;
	if (t->fin_wanted)
		return 0;
	if (t->state != TCP_ESTABLISHED && t->state != TCP_CLOSE_WAIT)
		return -NET_ESTATE;
	t->fin_wanted = true;
	t->state = t->state == TCP_ESTABLISHED ? TCP_FIN_WAIT_1 : TCP_LAST_ACK;
	(void)tcp_output(s, k);
	return 0;
}

/* Those that nobody has accepted go with who listens. */
static void close_children(struct stack *s, int n)
{
	for (unsigned i = 0; i < STACK_SOCKETS; i++) {
		struct socket *c = &s->socket[i];

		if (c->type != SOCKET_TCP || c->parent != n)
			continue;
		c->open = false;
		c->parent = -1;
		tcp_abort(s, c, NET_ERESET);
	}
}

int socket_close(struct stack *s, int n)
{
	struct socket *k = of(s, n);

	if (k == NULL)
		return -NET_EBAD;
	s->changes++;
	if (k->type != SOCKET_TCP) {
		socket_free(k);
		return 0;
	}
	if (k->tcp.state == TCP_LISTEN)
		close_children(s, n);
	if (k->tcp.state <= TCP_SYN_SENT) {
		socket_free(k);
		return 0;
	}
	/* Unread data: the other side has to know (RFC 2525 2.17). */
	if (k->in.count > 0 || k->tcp.state == TCP_SYN_RECEIVED) {
		k->open = false;
		tcp_abort(s, k, NET_ERESET);
		return 0;
	}
	(void)socket_shutdown(s, n);
	k->open = false;
	if (k->tcp.state == TCP_FIN_WAIT_2)
		k->tcp.wait_until = s->now_ns + TCP_WAIT_NS;
	return 0;
}

void socket_close_all(struct stack *s, uint32_t owner)
{
	for (int i = 0; i < STACK_SOCKETS; i++) {
		if (socket_owner(s, i) == owner)
			(void)socket_close(s, i);
	}
}

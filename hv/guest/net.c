/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/net.c - the guest's network: its card (net/nic.h), its stack
 * (net/stack.h), and the calls of processes.
 *
 * Its address is an argument of the policy: ip=10.0.0.1/24 and, if packets are
 * to leave that network, gw=10.0.0.254.  The stack's memory is taken when there
 * is a network channel; a guest without one pays nothing. */
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"
#include "net/stack.h"

struct nic nic;
static struct stack *stack; /* NULL: no network */
static bool had_room;
static unsigned prefix;

/* ---- card and stack ----------------------------------------------------- */

static bool send(void *owner, const uint8_t *header, const uint8_t *payload,
		 unsigned bytes)
{
	(void)owner;
	return nic_send(&nic, header, payload, bytes);
}

static void receive(void *owner, const uint8_t *header, const uint8_t *payload,
		    unsigned bytes)
{
	(void)owner;
	stack_frame(stack, header, payload, bytes, sys_time());
}

/* Four numbers with points between; *at is after them then.  0: none. */
static uint32_t address_of(const char **at)
{
	uint32_t address = 0;

	for (unsigned i = 0; *at != NULL && i < 4; i++) {
		unsigned part = 0, digits = 0;

		for (; **at >= '0' && **at <= '9' && digits < 3; digits++)
			part = part * 10 + (unsigned)(*(*at)++ - '0');
		if (digits == 0 || part > 255 || (i < 3 && *(*at)++ != '.'))
			return 0;
		address = address << 8 | part;
	}
	return address;
}

static void configure(void)
{
	const char *at = view_arg_text("ip"), *gw = view_arg_text("gw");
	uint32_t address = address_of(&at);

	prefix = 24;
	if (address != 0 && *at == '/') {
		prefix = 0;
		while (*++at >= '0' && *at <= '9' && prefix < 32)
			prefix = prefix * 10 + (unsigned)(*at - '0');
	}
	if (address == 0 || prefix == 0 || prefix > 31)
		logf_("guest: the network has no address: write ip=10.0.0.1/24 "
		      "in its args");
	else
		stack_address(stack, address, prefix, address_of(&gw));
}

void net_open(void)
{
	static bool tried;

	if (tried)
		return;
	tried = true;
	stack = space_reserve((sizeof(*stack) + ABI_PAGE_BYTES - 1) /
			      ABI_PAGE_BYTES);
	if (stack == NULL) {
		logf_("guest: no memory for a network: give it more blocks");
		return;
	}
	stack_init(stack);
	stack->send = send;
	stack->secret = view_now()->number ^ view_arg("seed", 1) << 32;
	configure();
}

bool net_run(uint64_t now)
{
	bool any;

	if (stack == NULL)
		return false;
	any = nic_run(&nic, receive, NULL);
	if (nic.link != stack->up)
		stack_link(stack, nic.mac, nic.link, now);
	if (nic_room(&nic) && !had_room)
		stack->changes++; /* who waits to send may go on */
	had_room = nic_room(&nic);
	stack_run(stack, now);
	nic_tell(&nic); /* the guest may end before it sleeps */
	return any;
}

uint64_t net_next(void)
{
	return stack != NULL && stack->up ? stack_next(stack) : TIME_NEVER;
}

bool net_lingers(void)
{
	return stack != NULL && stack_lingers(stack);
}

bool net_news(uint64_t seen)
{
	return stack != NULL && stack->changes != seen;
}

/* ---- calls -------------------------------------------------------------- */

static uint32_t owner_of(const struct process *p)
{
	return (uint32_t)p->id;
}

static int64_t error_of(int r)
{
	static const int64_t errors[] = {
		[NET_EBAD] = PROC_EINVAL,  [NET_EINUSE] = PROC_EINUSE,
		[NET_ENONE] = PROC_ENOMEM, [NET_ERESET] = PROC_ERESET,
		[NET_ETIME] = PROC_ETIME,  [NET_ESTATE] = PROC_ESTATE,
	};

	return r >= 0 ? r : -errors[-r];
}

static int transfer(struct process *p, struct process_transfer *t)
{
	static uint8_t bytes[PROC_TRANSFER_BYTES];
	const uint8_t *from = NULL;
	int n = (int)t->socket, r;
	struct datagram head;

	switch (p->frame.rax) {
	case PROC_CONNECT:
		return socket_connect(stack, n, (uint32_t)t->address,
				      (unsigned)t->port);
	case PROC_SEND:
		/* From where it lies, if that is one page. */
		if (t->at % ABI_PAGE_BYTES + t->bytes <= ABI_PAGE_BYTES)
			from = space_at(&p->space, t->at, false);
		else if (space_copy_in(&p->space, bytes, t->at, t->bytes))
			from = bytes;
		if (from == NULL)
			return -NET_EBAD;
		return t->address == 0
			       ? socket_send(stack, n, from, (unsigned)t->bytes)
			       : socket_send_to(stack, n, from,
						(unsigned)t->bytes,
						(uint32_t)t->address,
						(unsigned)t->port);
	default:
		/* Looked at first: what is taken cannot be put back. */
		for (uint64_t at = t->at; at < t->at + t->bytes;
		     at += ABI_PAGE_BYTES - at % ABI_PAGE_BYTES) {
			if (space_at(&p->space, at, true) == NULL)
				return -NET_EBAD;
		}
		r = socket_receive(stack, n, bytes, (unsigned)t->bytes, &head);
		if (r < 0)
			return r;
		t->address = head.address;
		t->port = head.port;
		(void)space_copy_out(&p->space, p->frame.rdi, t, sizeof(*t));
		(void)space_copy_out(&p->space, t->at, bytes, (uint64_t)r);
		return r;
	}
}

static void wait_or_answer(struct process *p, int r, uint64_t wait_ns)
{
	uint64_t now = sys_time();

	if (r != -NET_EAGAIN) {
		call_reply(p, error_of(r));
		return;
	}
	if (p->state != PROCESS_WAIT_NET) { /* for the first time */
		p->until = wait_ns != 0 ? now + wait_ns : TIME_NEVER;
		p->state = PROCESS_WAIT_NET;
	} else if (p->until <= now) {
		call_reply(p, -PROC_ETIME);
		return;
	}
	p->await = stack->changes;
}

static void call_transfer(struct process *p)
{
	struct process_transfer t;

	if (!space_copy_in(&p->space, &t, p->frame.rdi, sizeof(t)) ||
	    !space_copy_out(&p->space, p->frame.rdi, &t, sizeof(t)) ||
	    t.bytes > PROC_TRANSFER_BYTES || t.address > 0xffffffff ||
	    t.port > 0xffff || t.socket >= STACK_SOCKETS ||
	    socket_owner(stack, (int)t.socket) != owner_of(p)) {
		call_reply(p, -PROC_EINVAL);
		return;
	}
	wait_or_answer(p, transfer(p, &t), t.wait_ns);
}

static void call_network(struct process *p)
{
	const struct stack_counts *c = &stack->counts;
	struct process_network n = {
		.up = stack->up,
		.address = stack->address,
		.prefix = prefix,
		.gateway = stack->gateway,
		.frames_in = c->frames_in,
		.frames_out = c->frames_out,
		.bytes_in = c->bytes_in,
		.bytes_out = c->bytes_out,
		.bad = c->bad,
		.ignored = c->ignored,
		.dropped = c->dropped,
		.segments_again = c->segments_again,
		.fast_again = c->fast_again,
		.timeouts = c->timeouts,
		.ahead = c->ahead,
		.attached = nic.attached,
		.lost = nic.lost,
		.busy = nic.busy,
		.refused = nic.refused,
		.odd = nic.odd,
	};

	memcpy(n.mac, stack->mac, sizeof(stack->mac));
	call_reply(p, space_copy_out(&p->space, p->frame.rdi, &n, sizeof(n))
			      ? 0
			      : -PROC_EINVAL);
}

static void call_socket(struct process *p)
{
	uint64_t a = p->frame.rdi, b = p->frame.rsi;
	int n = (int)a, r;

	if (a >= STACK_SOCKETS || socket_owner(stack, n) != owner_of(p)) {
		call_reply(p, -PROC_EINVAL);
		return;
	}
	switch (p->frame.rax) {
	case PROC_BIND:
		r = socket_bind(stack, n, b > 0xffff ? 0x10000 : (unsigned)b);
		break;
	case PROC_LISTEN:
		r = socket_listen(stack, n);
		break;
	case PROC_ACCEPT:
		r = socket_accept(stack, n);
		break;
	case PROC_SHUTDOWN:
		r = socket_shutdown(stack, n);
		break;
	case PROC_KEEP:
		r = socket_keep(stack, n, b);
		break;
	default:
		r = socket_close(stack, n);
		break;
	}
	wait_or_answer(p, r, 0);
}

void net_call(struct process *p)
{
	if (stack == NULL) {
		call_reply(p, -PROC_ENET);
		return;
	}
	stack->now_ns = sys_time();
	switch (p->frame.rax) {
	case PROC_SOCKET:
		call_reply(p, error_of(socket_open(
				      stack,
				      p->frame.rdi > PROC_TCP
					      ? SOCKET_FREE
					      : (enum socket_type)p->frame.rdi,
				      owner_of(p))));
		break;
	case PROC_CONNECT:
	case PROC_SEND:
	case PROC_RECEIVE:
		call_transfer(p);
		break;
	case PROC_NETWORK:
		call_network(p);
		break;
	default:
		call_socket(p);
		break;
	}
}

void net_close(const struct process *p)
{
	if (stack != NULL)
		socket_close_all(stack, owner_of(p));
}

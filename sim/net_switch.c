/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/net_switch.c - see net_switch.h.
 *
 * A frame's way: net_port_send() puts it among `arriving`, with the instant at
 * which it is wholly there; net_switch_advance() takes those whose instant has
 * come, learns, and copies each to the queues of its receivers with the instant
 * at which it is there in turn; the port's event hands it over.
 */
#include "sim/net_switch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/snapshot.h"

/* IEEE 802.3 3.1.1 and 4.4.2: what a cable carries besides. */
#define BEFORE_BYTES 8 /* preamble and start of frame */
#define FCS_BYTES    4
#define GAP_BYTES    12

/* The pcap format: nanoseconds, Ethernet. */
#define PCAP_MAGIC_NS      0xa1b23c4d
#define PCAP_LINK_ETHERNET 1

struct frame {
	struct frame *next;
	ps_t when;
	unsigned port; /* whose it was */
	uint64_t seq;
	size_t bytes;
	uint8_t data[];
};

struct net_port {
	struct net_switch *of;
	unsigned index;
	bool up;
	char name[48];
	char event_name[64];
	const struct net_device_ops *ops; /* NULL: nobody is attached */
	void *owner;
	struct evq *q;
	struct event deliver;
	struct frame *first, **last; /* to the device, by instant */
	ps_t out_free;               /* the cable from the device */
	ps_t in_free;                /* and to it */
	uint64_t drop;
	struct net_port_counts counts;
};

struct address {
	uint8_t mac[NET_MAC_BYTES];
	unsigned port;
	ps_t seen;
};

struct net_switch {
	struct net_switch_config config;
	struct net_port *port[NET_SWITCH_PORTS];
	unsigned ports;
	ps_t now;
	uint64_t seq;
	struct frame *arriving; /* by (when, port, seq) */
	struct address address[NET_SWITCH_ADDRESSES];
	unsigned addresses;
	FILE *capture;
	char capture_path[PATH_MAX];
};

void net_switch_defaults(struct net_switch_config *c)
{
	*c = (struct net_switch_config){
		.latency_ps = 50 * PS_PER_US,
		.bits_per_s = 1000000000,
		.queue_bytes = 256 * 1024,
	};
}

struct net_switch *net_switch_create(const struct net_switch_config *c)
{
	struct net_switch *s = calloc(1, sizeof(*s));

	CHECK(s);
	CHECK(c->latency_ps);
	CHECK(c->bits_per_s);
	s->config = *c;
	return s;
}

static void free_frames(struct frame *f)
{
	while (f) {
		struct frame *next = f->next;

		free(f);
		f = next;
	}
}

void net_switch_destroy(struct net_switch *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->ports; i++) {
		CHECK(!s->port[i]->ops);
		free_frames(s->port[i]->first);
		free(s->port[i]);
	}
	free_frames(s->arriving);
	if (s->capture)
		fclose(s->capture);
	free(s);
}

/* --- a port's queue to its device --- */

static void forget_frames(struct net_port *p)
{
	if (p->q)
		evq_cancel(p->q, &p->deliver);
	for (const struct frame *f = p->first; f; f = f->next)
		p->counts.dropped++;
	free_frames(p->first);
	p->first = NULL;
	p->last = &p->first;
}

static void deliver(void *owner, ps_t when)
{
	struct net_port *p = owner;
	struct frame *f = p->first;

	p->first = f->next;
	if (!p->first)
		p->last = &p->first;
	else
		evq_schedule(p->q, &p->deliver, p->first->when);
	if (p->ops->receive(p->owner, when, f->data, f->bytes))
		p->counts.received++;
	else
		p->counts.overrun++;
	free(f);
}

struct net_port *net_switch_port(struct net_switch *s, const char *name)
{
	struct net_port *p;

	if (s->ports == NET_SWITCH_PORTS)
		return NULL;
	p = calloc(1, sizeof(*p));
	CHECK(p);
	p->of = s;
	p->index = s->ports;
	p->up = true;
	p->last = &p->first;
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->event_name, sizeof(p->event_name), "net.%s.deliver",
		 p->name);
	p->deliver = (struct event){.name = p->event_name,
				    .fire = deliver,
				    .owner = p,
				    .rank = EVQ_INPUT};
	s->port[s->ports++] = p;
	return p;
}

/* --- the device's side --- */

void net_port_attach(struct net_port *p, struct evq *q,
		     const struct net_device_ops *ops, void *owner)
{
	CHECK(!p->ops);
	CHECK(ops->receive);
	p->q = q;
	p->ops = ops;
	p->owner = owner;
	evq_register(q, &p->deliver);
}

void net_port_detach(struct net_port *p)
{
	forget_frames(p);
	if (p->q)
		evq_unregister(p->q, &p->deliver, sizeof(p->deliver));
	p->ops = NULL;
	p->owner = NULL;
	p->q = NULL;
}

ps_t net_port_free(const struct net_port *p)
{
	return p->out_free;
}

bool net_port_is_up(const struct net_port *p)
{
	return p->up;
}

uint64_t net_port_bits_per_s(const struct net_port *p)
{
	return p->of->config.bits_per_s;
}

const char *net_port_name(const struct net_port *p)
{
	return p->name;
}

/* Rounded up: bits do not come early. */
static ps_t time_of(const struct net_switch *s, uint64_t bytes)
{
	uint64_t rate = s->config.bits_per_s;

	return (ps_t)(((unsigned __int128)bytes * 8 * PS_PER_S + rate - 1) /
		      rate);
}

/* The frame occupies a cable from `from` on or when that is free. */
static ps_t carry(const struct net_switch *s, ps_t *cable_free, ps_t from,
		  size_t bytes)
{
	ps_t begin = from > *cable_free ? from : *cable_free;
	ps_t end = begin + time_of(s, BEFORE_BYTES + bytes + FCS_BYTES);

	*cable_free = end + time_of(s, GAP_BYTES);
	return end;
}

/* --- snapshots --- */

/* Frames of one port from a list; `all`: whosever. */
static void put_frames(const struct frame *first, unsigned port, bool all,
		       struct snapshot_writer *w)
{
	uint64_t count = 0;

	for (const struct frame *f = first; f; f = f->next)
		count += all || f->port == port;
	snapshot_put_u64(w, count);
	for (const struct frame *f = first; f; f = f->next) {
		if (!all && f->port != port)
			continue;
		snapshot_put_u64(w, f->when);
		snapshot_put_u64(w, f->port);
		snapshot_put_u64(w, f->bytes);
		snapshot_put(w, f->data, f->bytes);
	}
}

/* Behind *last; false: no frames. */
static bool get_frames(struct net_switch *s, struct frame **last,
		       struct snapshot_reader *r)
{
	uint64_t count = snapshot_get_u64(r);

	for (; count && snapshot_good(r); count--) {
		uint64_t when = snapshot_get_u64(r), port = snapshot_get_u64(r);
		uint64_t bytes = snapshot_get_u64(r);
		struct frame *f;

		if (bytes < NET_FRAME_MIN || bytes > NET_FRAME_MAX ||
		    port >= NET_SWITCH_PORTS)
			return false;
		f = calloc(1, sizeof(*f) + bytes);
		CHECK(f);
		f->when = when;
		f->port = (unsigned)port;
		f->seq = s->seq++;
		f->bytes = bytes;
		snapshot_get(r, f->data, bytes);
		*last = f;
		last = &f->next;
	}
	return snapshot_good(r);
}

/* What a port remembers beside its frames. */
struct port_state {
	uint64_t up, out_free, in_free, drop;
	uint64_t sent, received, dropped, overrun;
	uint64_t addresses;
};

void net_port_save(const struct net_port *p, struct snapshot_writer *w)
{
	const struct net_switch *s = p->of;
	struct port_state state = {
		.up = p->up,
		.out_free = p->out_free,
		.in_free = p->in_free,
		.drop = p->drop,
		.sent = p->counts.sent,
		.received = p->counts.received,
		.dropped = p->counts.dropped,
		.overrun = p->counts.overrun,
	};

	for (unsigned i = 0; i < s->addresses; i++)
		state.addresses += s->address[i].port == p->index;
	snapshot_put(w, &state, sizeof(state));
	for (unsigned i = 0; i < s->addresses; i++) {
		if (s->address[i].port != p->index)
			continue;
		snapshot_put(w, s->address[i].mac, NET_MAC_BYTES);
		snapshot_put_u64(w, s->address[i].seen);
	}
	put_frames(s->arriving, p->index, false, w);
	put_frames(p->first, 0, true, w);
}

/* Its addresses and frames go. */
static void clear_port(struct net_port *p)
{
	struct net_switch *s = p->of;
	struct frame **at = &s->arriving, *f;
	unsigned kept = 0;

	for (unsigned i = 0; i < s->addresses; i++) {
		if (s->address[i].port != p->index)
			s->address[kept++] = s->address[i];
	}
	s->addresses = kept;
	while ((f = *at)) {
		if (f->port == p->index) {
			*at = f->next;
			free(f);
		} else {
			at = &f->next;
		}
	}
	free_frames(p->first);
	p->first = NULL;
	p->last = &p->first;
}

static void arrive(struct net_switch *s, struct frame *f);

bool net_port_load(struct net_port *p, struct snapshot_reader *r)
{
	struct net_switch *s = p->of;
	struct frame *from = NULL;
	struct port_state state;
	bool good;

	clear_port(p);
	snapshot_get(r, &state, sizeof(state));
	if (state.addresses > NET_SWITCH_ADDRESSES - s->addresses)
		return false;
	for (uint64_t i = 0; i < state.addresses; i++) {
		struct address *a = &s->address[s->addresses++];

		snapshot_get(r, a->mac, NET_MAC_BYTES);
		a->seen = snapshot_get_u64(r);
		a->port = p->index;
	}
	p->up = state.up;
	p->out_free = state.out_free;
	p->in_free = state.in_free;
	p->drop = state.drop;
	p->counts = (struct net_port_counts){
		.sent = state.sent,
		.received = state.received,
		.dropped = state.dropped,
		.overrun = state.overrun,
	};
	good = get_frames(s, &from, r);
	while (from) {
		struct frame *f = from;

		from = f->next;
		f->port = p->index;
		arrive(s, f);
	}
	/* Its event came back with the queue's others. */
	good = good && get_frames(s, &p->first, r);
	while (*p->last)
		p->last = &(*p->last)->next;
	return good && !p->first == !evq_pending(&p->deliver);
}

void net_switch_begin(struct net_switch *s, ps_t now)
{
	CHECK(!s->now);
	s->now = now;
}

void net_switch_mark(const struct net_switch *s, struct net_switch_mark *mark)
{
	*mark = (struct net_switch_mark){
		.now = s->now,
		.captured = s->capture ? ftell(s->capture) : 0,
	};
}

void net_switch_back(struct net_switch *s, const struct net_switch_mark *mark)
{
	s->now = mark->now;
	if (s->capture) {
		CHECK_MSG(fflush(s->capture) == 0 &&
				  ftruncate(fileno(s->capture),
					    mark->captured) == 0 &&
				  fseek(s->capture, mark->captured, SEEK_SET) ==
					  0,
			  "%s cannot be cut back: %s", s->capture_path,
			  strerror(errno));
	}
}

/* --- from a device --- */

static bool comes_before(const struct frame *a, const struct frame *b)
{
	if (a->when != b->when)
		return a->when < b->when;
	if (a->port != b->port)
		return a->port < b->port;
	return a->seq < b->seq;
}

static void arrive(struct net_switch *s, struct frame *f)
{
	struct frame **at = &s->arriving;

	while (*at && comes_before(*at, f))
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

ps_t net_port_send(struct net_port *p, ps_t when, const uint8_t *frame,
		   size_t bytes)
{
	struct net_switch *s = p->of;
	size_t room = bytes < NET_FRAME_MIN ? NET_FRAME_MIN : bytes;
	struct frame *f;

	CHECK(bytes >= NET_HEADER_BYTES);
	CHECK(bytes <= NET_FRAME_MAX);
	CHECK(when >= s->now);
	p->counts.sent++;
	if (!p->up) {
		p->counts.dropped++;
		return when;
	}
	f = calloc(1, sizeof(*f) + room);
	CHECK(f);
	f->port = p->index;
	f->seq = s->seq++;
	f->bytes = room;
	memcpy(f->data, frame, bytes);
	f->when = carry(s, &p->out_free, when, room);
	arrive(s, f);
	return f->when;
}

/* --- switching --- */

static bool is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

/* 802.1D table 7-10: for the bridge itself. */
static bool stays_here(const uint8_t *mac)
{
	static const uint8_t reserved[] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return memcmp(mac, reserved, sizeof(reserved)) == 0 && mac[5] <= 0x0f;
}

static struct address *find(struct net_switch *s, const uint8_t *mac)
{
	for (unsigned i = 0; i < s->addresses; i++) {
		if (memcmp(s->address[i].mac, mac, NET_MAC_BYTES) == 0)
			return &s->address[i];
	}
	return NULL;
}

static struct address *oldest(struct net_switch *s)
{
	struct address *a = s->address;

	for (unsigned i = 1; i < s->addresses; i++) {
		if (s->address[i].seen < a->seen)
			a = &s->address[i];
	}
	return a;
}

static void learn(struct net_switch *s, const struct frame *f)
{
	const uint8_t *source = f->data + NET_MAC_BYTES;
	struct address *a = find(s, source);

	if (is_group(source))
		return;
	if (!a && s->addresses < NET_SWITCH_ADDRESSES)
		a = &s->address[s->addresses++];
	else if (!a)
		a = oldest(s);
	memcpy(a->mac, source, NET_MAC_BYTES);
	a->port = f->port;
	a->seen = f->when;
}

static void queue_to(struct net_port *p, const struct frame *f)
{
	struct net_switch *s = p->of;
	ps_t ready = f->when + s->config.latency_ps;
	struct frame *copy;

	if (!p->ops || !p->up)
		return;
	if (p->in_free > ready &&
	    p->in_free - ready > time_of(s, s->config.queue_bytes)) {
		p->counts.overrun++;
		return;
	}
	copy = malloc(sizeof(*copy) + f->bytes);
	CHECK(copy);
	memcpy(copy, f, sizeof(*copy) + f->bytes);
	copy->next = NULL;
	copy->when = carry(s, &p->in_free, ready, f->bytes);
	if (!p->first)
		evq_schedule(p->q, &p->deliver, copy->when);
	*p->last = copy;
	p->last = &copy->next;
}

static void forward(struct net_switch *s, const struct frame *f)
{
	const struct address *a = find(s, f->data);

	if (stays_here(f->data))
		return;
	if (a && f->when - a->seen <= NET_SWITCH_AGE_PS) {
		if (a->port != f->port)
			queue_to(s->port[a->port], f);
		return;
	}
	for (unsigned i = 0; i < s->ports; i++) {
		if (i != f->port)
			queue_to(s->port[i], f);
	}
}

static void put32(FILE *to, uint64_t value)
{
	for (unsigned i = 0; i < 4; i++)
		fputc((int)(value >> 8 * i & 0xff), to);
}

static void capture(struct net_switch *s, const struct frame *f)
{
	if (!s->capture)
		return;
	put32(s->capture, f->when / PS_PER_S);
	put32(s->capture, f->when % PS_PER_S / PS_PER_NS);
	put32(s->capture, f->bytes);
	put32(s->capture, f->bytes);
	fwrite(f->data, 1, f->bytes, s->capture);
}

void net_switch_advance(struct net_switch *s, ps_t now)
{
	CHECK(now >= s->now);
	CHECK(now - s->now <= s->config.latency_ps);
	while (s->arriving && s->arriving->when <= now) {
		struct frame *f = s->arriving;
		struct net_port *from = s->port[f->port];

		s->arriving = f->next;
		if (from->drop) {
			from->drop--;
			from->counts.dropped++;
		} else {
			capture(s, f);
			learn(s, f);
			forward(s, f);
		}
		free(f);
	}
	s->now = now;
}

/* --- faults and what is seen --- */

void net_port_drop(struct net_port *p, uint64_t n)
{
	p->drop = n;
}

/* What is on the cable to the switch. */
static void forget_arriving(struct net_port *p)
{
	struct frame **at = &p->of->arriving;

	while (*at) {
		struct frame *f = *at;

		if (f->port != p->index) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		p->counts.dropped++;
		free(f);
	}
}

void net_port_set_link(struct net_port *p, ps_t now, bool up)
{
	struct net_switch *s = p->of;

	if (p->up == up)
		return;
	p->up = up;
	if (!up) {
		forget_frames(p);
		forget_arriving(p);
		/* 802.1D 7.9.2: what was learned of a dead port goes. */
		for (unsigned i = s->addresses; i--;) {
			if (s->address[i].port == p->index)
				s->address[i] = s->address[--s->addresses];
		}
		p->in_free = p->out_free = now;
	}
	if (p->ops && p->ops->link)
		p->ops->link(p->owner, now, up);
}

void net_port_counts(const struct net_port *p, struct net_port_counts *c)
{
	*c = p->counts;
}

bool net_switch_capture(struct net_switch *s, const char *path,
			struct error *err)
{
	CHECK(!s->capture);
	s->capture = fopen(path, "wb");
	if (!s->capture)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	snprintf(s->capture_path, sizeof(s->capture_path), "%s", path);
	put32(s->capture, PCAP_MAGIC_NS);
	put32(s->capture, 2 | 4 << 16); /* version 2.4 */
	put32(s->capture, 0);
	put32(s->capture, 0);
	put32(s->capture, NET_FRAME_MAX);
	put32(s->capture, PCAP_LINK_ETHERNET);
	return true;
}

bool net_switch_capture_end(struct net_switch *s, struct error *err)
{
	bool bad;

	if (!s->capture)
		return true;
	bad = ferror(s->capture);
	bad |= fclose(s->capture) != 0;
	s->capture = NULL;
	return !bad || error_set(err, EXIT_HOST, "%s: cannot be written",
				 s->capture_path);
}

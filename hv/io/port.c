/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/port.c - see port.h. */
#include "io/port.h"

#include "io/external.h"
#include "io/learned.h"
#include "lib/channel.h"
#include "lib/string.h"

/* Answers that one message can have; DISABLE's are counted by themselves. */
#define ANSWERS 1

struct port {
	struct channel channel;
	bool detaching, enabled, disabling;
	bool trunk, other_up; /* the trunk; the peer's external port is up */
	uint8_t mac[6];
	uint32_t posted; /* bit n: receive buffer n is ours */
	uint64_t odd, forged, lost;
};

static struct port ports[CHANNEL_SLOTS];
static uint32_t serving; /* bit n: ports[n] is open and not detaching */
static uint32_t trunks;  /* of these: a trunk's */
_Static_assert(CHANNEL_SLOTS == 32, "a word of bits");

#define FOR_EACH(n, bits)                                                      \
	for (uint32_t m_ = (bits), n;                                          \
	     m_ != 0 && (n = (uint32_t)__builtin_ctz(m_), true); m_ &= m_ - 1)

static bool is_open(const struct port *p)
{
	return p->channel.header != NULL && !p->detaching;
}

static uint8_t *buffer(const struct port *p, unsigned number)
{
	return (uint8_t *)channel_data(&p->channel, number * NET_BUFFER_BYTES /
							    ABI_PAGE_BYTES) +
	       number * NET_BUFFER_BYTES % ABI_PAGE_BYTES;
}

static struct queue *in(struct port *p)
{
	return &p->channel.queue[NET_QUEUE_IN];
}

/* ---- coming and going --------------------------------------------------- */

bool port_attach(unsigned handle, void *base, const struct view *view)
{
	struct port *p = &ports[handle];
	const struct view_channel *vc = &view->channel[handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = vc->peer,
		.server = view->number,
		.pages = vc->pages,
	};

	memset(p, 0, sizeof(*p));
	p->trunk = vc->extent_block == 0;
	for (unsigned i = 0; i < 6; i++)
		p->mac[i] = NET_MAC_BYTE(vc->extent_block, i);
	serving &= ~(1u << handle);
	trunks &= ~(1u << handle);
	if (channel_serve(&p->channel, base, handle, CHANNEL_NETWORK, &who) !=
	    CHANNEL_OPEN)
		return false;
	serving |= 1u << handle;
	trunks |= (uint32_t)p->trunk << handle;
	return true;
}

void port_detach(unsigned handle)
{
	struct port *p = &ports[handle];

	if (is_open(p))
		port_tell_link(handle, false);
	p->detaching = true;
	serving &= ~(1u << handle);
	trunks &= ~(1u << handle);
}

bool port_drained(unsigned handle)
{
	struct port *p = &ports[handle];

	if (p->channel.header == NULL)
		return true;
	channel_drained(&p->channel);
	channel_close(&p->channel);
	if (p->trunk)
		learned_forget(SWITCH_TRUNK);
	return true;
}

bool port_is_guest(unsigned handle)
{
	const struct port *p = &ports[handle];

	return is_open(p) && p->enabled && !p->trunk;
}

const uint8_t *port_mac(unsigned handle)
{
	return ports[handle].mac;
}

static uint64_t mac_bits(const uint8_t mac[6])
{
	uint32_t high;
	uint16_t low;

	memcpy(&high, mac, sizeof(high));
	memcpy(&low, mac + 4, sizeof(low));
	return (uint64_t)high << 16 | low;
}

int port_of(const uint8_t mac[6])
{
	uint64_t bits = mac_bits(mac);

	FOR_EACH(h, serving & ~trunks)
	{
		if (mac_bits(ports[h].mac) == bits)
			return (int)h;
	}
	return -1;
}

uint32_t ports_of_guests(void)
{
	return serving & ~trunks;
}

unsigned port_trunk(bool *other_up)
{
	FOR_EACH(h, trunks)
	{
		if (ports[h].enabled) {
			*other_up = ports[h].other_up;
			return h;
		}
	}
	return NO_PORT;
}

/* ---- to the client ------------------------------------------------------ */

bool port_deliver(unsigned handle, const struct frame *f)
{
	struct port *p = &ports[handle];
	struct net_message m = {.type = NET_RECEIVE,
				.bytes = (uint16_t)f->bytes};
	unsigned which;

	if (!is_open(p) || !p->enabled || p->posted == 0 ||
	    f->bytes > NET_PAYLOAD_MAX || !queue_room(in(p), 1)) {
		p->lost++;
		return false;
	}
	which = (unsigned)__builtin_ctz(p->posted);
	p->posted &= ~(1u << which);
	m.buffer = (uint16_t)(NET_BUFFERS + which);
	memcpy(m.header, f->header, sizeof(m.header));
	memcpy(buffer(p, m.buffer), f->payload, f->bytes);
	return queue_put(in(p), &m);
}

void port_tell_link(unsigned handle, bool up)
{
	struct net_message m = {.type = NET_LINK, .link = up};

	if (is_open(&ports[handle]))
		(void)queue_insert(in(&ports[handle]), &m);
}

static void enable(struct port *p, const struct net_message *from)
{
	struct net_message m = {.type = NET_ENABLE_ACK,
				.features = NET_FEATURES};

	m.link = p->trunk ? external_up() : 1;
	memcpy(m.mac, p->mac, sizeof(m.mac));
	p->enabled = from->features == NET_FEATURES;
	p->odd += !p->enabled;
	(void)queue_insert(in(p), &m);
}

/* All posted buffers go back, then the acknowledgement; as there is room. */
static void go_on_disabling(struct port *p)
{
	struct net_message m = {.type = NET_RECEIVE};

	while (p->posted != 0 && queue_room(in(p), 1)) {
		unsigned which = (unsigned)__builtin_ctz(p->posted);

		p->posted &= ~(1u << which);
		m.buffer = (uint16_t)(NET_BUFFERS + which);
		(void)queue_insert(in(p), &m);
	}
	if (p->posted != 0 || !queue_room(in(p), 1))
		return;
	m = (struct net_message){.type = NET_DISABLE_ACK};
	(void)queue_insert(in(p), &m);
	p->disabling = false;
}

/* ---- from the client ---------------------------------------------------- */

static bool well_formed(struct port *p, const struct net_message *m)
{
	if (m->buffer >= NET_BUFFERS || m->bytes == 0 ||
	    m->bytes > NET_PAYLOAD_MAX || !p->enabled) {
		p->odd++;
		return false;
	}
	if (p->trunk)
		return true;
	if (mac_bits(m->header + 6) != mac_bits(p->mac)) {
		p->forged++;
		switch_counts.forged++;
		return false;
	}
	return true;
}

static void transmit(struct port *p, const struct net_message *m)
{
	struct net_message done = {.type = NET_TRANSMIT_DONE,
				   .buffer = m->buffer};
	bool loop = false;

	done.status = NET_OK;
	if (!well_formed(p, m)) {
		done.status = NET_EINVAL;
	} else {
		struct frame f = {.header = m->header,
				  .payload = buffer(p, m->buffer),
				  .bytes = m->bytes};

		/* What is still on the trunk when the wire joins both. */
		loop = p->trunk && p->other_up && external_up();
		if (!loop)
			switch_frame(p->trunk ? SWITCH_TRUNK
					      : p->channel.handle,
				     &f);
	}
	(void)queue_put(in(p), &done); /* seen with the others of this pass */
}

static void post(struct port *p, const struct net_message *m)
{
	unsigned which = m->buffer - NET_BUFFERS;

	if (which >= NET_BUFFERS || (p->posted >> which & 1))
		p->odd++;
	else
		p->posted |= 1u << which;
}

/* Each message of a client passes here, once. */
__attribute__((noinline)) static void port_message(struct port *p,
						   const struct net_message *m)
{
	switch (m->type) {
	case NET_TRANSMIT:
		transmit(p, m);
		break;
	case NET_RECEIVE_POST:
		post(p, m);
		break;
	case NET_ENABLE:
		enable(p, m);
		break;
	case NET_DISABLE:
		p->enabled = false;
		p->disabling = true;
		break;
	case NET_LINK:
		p->other_up = p->trunk && m->link != 0;
		break;
	default:
		p->odd++;
		break;
	}
}

static bool run(struct port *p)
{
	struct net_message m;
	bool any = false;

	/* At most a queue's worth in one pass, whatever the client does. */
	for (unsigned i = 0; i < NET_SLOTS; i++) {
		if (p->disabling)
			go_on_disabling(p);
		if (p->disabling || !queue_room(in(p), ANSWERS) ||
		    !queue_remove(&p->channel.queue[NET_QUEUE_OUT], &m))
			break;
		any = true;
		port_message(p, &m);
	}
	return any;
}

bool ports_run(void)
{
	static unsigned turn; /* who comes first changes: fairness */
	uint32_t later, sooner;
	bool any = false;

	turn = (turn + 1) % CHANNEL_SLOTS;
	later = serving & ((1u << turn) - 1);
	sooner = serving & ~later;
	FOR_EACH(h, sooner)
	any |= run(&ports[h]);
	FOR_EACH(h, later)
	any |= run(&ports[h]);
	return any;
}

void ports_tell(void)
{
	FOR_EACH(h, serving)
	(void)queue_publish(in(&ports[h]));
}

bool ports_blocked(void)
{
	FOR_EACH(h, serving)
	{
		if (ports[h].disabling || !queue_room(in(&ports[h]), ANSWERS))
			return true;
	}
	return false;
}

bool ports_sleep(void)
{
	bool empty = true;

	FOR_EACH(h, serving)
	{
		struct port *p = &ports[h];

		/* One without room takes nothing: it waits for its client. */
		if (!p->disabling && queue_room(in(p), ANSWERS))
			empty &= queue_sleep(&p->channel.queue[NET_QUEUE_OUT]);
	}
	return empty;
}

void ports_awake(void)
{
	FOR_EACH(h, serving)
	queue_awake(&ports[h].channel.queue[NET_QUEUE_OUT]);
}

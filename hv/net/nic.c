/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/nic.c - see nic.h. */
#include "net/nic.h"

#include "abi/layout.h"
#include "lib/string.h"

static struct queue *out(struct nic *n)
{
	return &n->channel.queue[NET_QUEUE_OUT];
}

static uint8_t *buffer(const struct nic *n, unsigned number)
{
	return (uint8_t *)channel_data(&n->channel, number * NET_BUFFER_BYTES /
							    ABI_PAGE_BYTES) +
	       number * NET_BUFFER_BYTES % ABI_PAGE_BYTES;
}

/* Empty buffers for the server.  There is always room: abi/channel.h counts. */
static void post(struct nic *n, unsigned which)
{
	struct net_message m = {
		.type = NET_RECEIVE_POST,
		.buffer = (uint16_t)(NET_BUFFERS + which),
	};

	if (queue_put(out(n), &m))
		n->receiving |= 1u << which;
}

enum channel_result nic_resume(struct nic *n, void *base, unsigned handle,
			       const struct channel_identity *who)
{
	struct net_message enable = {.type = NET_ENABLE,
				     .features = NET_FEATURES};
	struct channel fresh = {0};
	enum channel_result result =
		channel_attach(&fresh, base, handle, CHANNEL_NETWORK, who);

	if (result != CHANNEL_OPEN)
		return result;
	if (n->open && n->channel.generation == fresh.generation)
		return CHANNEL_OPEN; /* told twice */
	nic_pause(n);
	n->channel = fresh;
	n->open = true;
	n->attached++;
	(void)queue_insert(out(n), &enable);
	for (unsigned i = 0; i < NET_BUFFERS; i++)
		post(n, i);
	nic_tell(n);
	return CHANNEL_OPEN;
}

void nic_pause(struct nic *n)
{
	n->lost += n->under_way;
	n->open = n->enabled = n->link = n->stopped = false;
	n->sending = n->receiving = 0;
	n->under_way = 0;
	channel_close(&n->channel);
}

bool nic_room(const struct nic *n)
{
	return n->open && n->enabled && !n->stopped;
}

bool nic_send(struct nic *n, const uint8_t *header, const void *payload,
	      unsigned bytes)
{
	struct net_message m = {.type = NET_TRANSMIT, .bytes = (uint16_t)bytes};
	unsigned which = 0;

	if (bytes > NET_PAYLOAD_MAX)
		return false;
	if (!nic_room(n) || !queue_room(out(n), 1)) {
		n->busy++;
		return false;
	}
	while (n->sending >> which & 1)
		which++;
	m.buffer = (uint16_t)which;
	memcpy(m.header, header, sizeof(m.header));
	memcpy(buffer(n, which), payload, bytes);
	n->sending |= 1u << which;
	n->stopped = ++n->under_way >= NET_HIGH;
	n->sent++;
	return queue_put(out(n), &m); /* told with the others: nic_tell() */
}

void nic_tell_link(struct nic *n, bool up)
{
	struct net_message m = {.type = NET_LINK, .link = up};

	if (n->open)
		(void)queue_insert(out(n), &m);
}

/* ---- what the server says ---- */

static void sent(struct nic *n, const struct net_message *m)
{
	if (m->buffer >= NET_BUFFERS || !(n->sending >> m->buffer & 1)) {
		n->odd++;
		return;
	}
	n->sending &= ~(1u << m->buffer);
	n->refused += m->status != NET_OK;
	if (--n->under_way <= NET_LOW)
		n->stopped = false;
}

static void received(struct nic *n, const struct net_message *m,
		     nic_frame *frame, void *owner)
{
	static uint8_t payload[NET_PAYLOAD_MAX];
	unsigned which = m->buffer - NET_BUFFERS;

	if (which >= NET_BUFFERS || !(n->receiving >> which & 1) ||
	    m->bytes > NET_PAYLOAD_MAX) {
		n->odd++;
		return;
	}
	n->receiving &= ~(1u << which);
	memcpy(payload, buffer(n, m->buffer), m->bytes);
	post(n, which);
	if (!n->enabled || m->bytes == 0)
		return;
	n->received++;
	frame(owner, m->header, payload, m->bytes);
}

bool nic_run(struct nic *n, nic_frame *frame, void *owner)
{
	struct net_message m;
	bool any = false;

	/* At most a queue's worth in one pass, whatever the server does. */
	for (unsigned i = 0; i < NET_SLOTS && n->open; i++) {
		if (!queue_remove(&n->channel.queue[NET_QUEUE_IN], &m))
			break;
		any = true;
		switch (m.type) {
		case NET_TRANSMIT_DONE:
			sent(n, &m);
			break;
		case NET_RECEIVE:
			received(n, &m, frame, owner);
			break;
		case NET_ENABLE_ACK:
			n->enabled = m.features == NET_FEATURES;
			n->odd += !n->enabled;
			memcpy(n->mac, m.mac, sizeof(n->mac));
			n->link = n->enabled && m.link != 0;
			break;
		case NET_LINK:
			n->link = n->enabled && m.link != 0;
			break;
		default:
			n->odd++;
			break;
		}
	}
	nic_tell(n);
	return any;
}

void nic_tell(struct nic *n)
{
	if (n->open)
		(void)queue_publish(out(n));
}

bool nic_untold(const struct nic *n)
{
	return n->open && n->channel.queue[NET_QUEUE_OUT].staged > 0;
}

bool nic_sleep(struct nic *n)
{
	nic_tell(n);
	return !n->open || queue_sleep(&n->channel.queue[NET_QUEUE_IN]);
}

void nic_awake(struct nic *n)
{
	if (n->open)
		queue_awake(&n->channel.queue[NET_QUEUE_IN]);
}

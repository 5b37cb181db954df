/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio_net.c - section numbers are of VIRTIO 1.2. */
#include "devices/virtio_net.h"

#include <string.h>

#include "sim/net.h"
#include "sim/snapshot.h"

enum {
	RX,
	TX
};
#define LINK_UP   1u
#define FRAME_MAX 1522 /* with a VLAN tag; there are no jumbo frames */

/* As many buffers as one frame can need: Linux's smallest are of 1500 bytes. */
#define MERGE_MAX 32

struct virtio_net {
	struct virtio virtio;
	/* Faults: the cable is out; received frames to lose, to take twice, to
	 * change a byte of, to hold until the next one has gone before. */
	uint32_t pulled, drop, duplicate, corrupt, reorder;
	uint32_t held_bytes;
	uint8_t held[FRAME_MAX];
	uint64_t lost; /* frames that came and found no room */
	/* Wiring. */
	uint8_t mac[6];
	struct net_port *port; /* NULL: no cable */
	struct event transmit;
	char transmit_name[24];
};

static const struct device_field virtio_net_fields[] = {
	VIRTIO_FIELDS(struct virtio_net),
	DEVICE_FIELD(struct virtio_net, pulled),
	DEVICE_FIELD(struct virtio_net, drop),
	DEVICE_FIELD(struct virtio_net, duplicate),
	DEVICE_FIELD(struct virtio_net, corrupt),
	DEVICE_FIELD(struct virtio_net, reorder),
	DEVICE_FIELD(struct virtio_net, held_bytes),
	DEVICE_ARRAY(struct virtio_net, held),
	DEVICE_FIELD(struct virtio_net, lost),
	{NULL, 0, 0, 0},
};

static const char *const virtio_net_faults[] = {
	"link", "drop", "duplicate", "corrupt", "reorder", PCI_FAULTS, NULL};

/* ---- to the network (5.1.6.2) ---- */

static bool link_is_up(const struct virtio_net *n)
{
	return n->port && !n->pulled && net_port_is_up(n->port);
}

/* Gives the instant at which the cable is free again. */
static ps_t send(struct virtio_net *n, const struct virtio_chain *chain,
		 ps_t now)
{
	uint8_t frame[FRAME_MAX];
	uint64_t bytes = chain->read_bytes - VIRTIO_NET_HEADER;

	if (chain->read_bytes < VIRTIO_NET_HEADER + NET_HEADER_BYTES ||
	    bytes > sizeof(frame)) {
		machine_odd(&n->virtio.pci.device, "a frame of impossible size",
			    0, chain->read_bytes);
		return now;
	}
	if (!virtio_read(&n->virtio, chain, VIRTIO_NET_HEADER, frame, bytes) ||
	    !link_is_up(n))
		return now;
	machine_frame(&n->virtio.pci.device, true, frame, bytes);
	return net_port_send(n->port, now, frame, bytes);
}

/* One frame; the next when the cable is free. */
static void transmit(void *owner, ps_t when)
{
	struct virtio_net *n = owner;
	struct virtio_chain chain;
	ps_t free;

	if (!virtio_take(&n->virtio, TX, &chain))
		return;
	free = send(n, &chain, when);
	virtio_give(&n->virtio, TX, &chain, 0, 0);
	virtio_publish(&n->virtio, TX, 1);
	if (virtio_any(&n->virtio, TX))
		evq_schedule(machine_evq(n->virtio.pci.device.machine),
			     &n->transmit, free);
}

/* ---- from the network (5.1.6.4) ---- */

/* Takes buffers for `bytes`; false: there are not enough, none is taken. */
static bool gather(struct virtio_net *n, struct virtio_chain *chain,
		   unsigned *count, uint64_t bytes)
{
	unsigned most =
		virtio_has(&n->virtio, VIRTIO_NET_F_MRG_RXBUF) ? MERGE_MAX : 1;
	uint64_t room = 0;

	for (*count = 0; room < bytes && *count < most; (*count)++) {
		if (!virtio_take(&n->virtio, RX, &chain[*count]))
			break;
		room += chain[*count].write_bytes;
	}
	if (room >= bytes)
		return true;
	while (virtio_works(&n->virtio) && (*count)--)
		virtio_untake(&n->virtio, RX);
	return false;
}

static void deliver(struct virtio_net *n, struct virtio_chain *chain,
		    unsigned count, const uint8_t *data, uint64_t bytes)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t part = chain[i].write_bytes < bytes
					? chain[i].write_bytes
					: bytes;

		if (!virtio_write(&n->virtio, &chain[i], 0, data, part))
			return;
		virtio_give(&n->virtio, RX, &chain[i], (uint32_t)part, i);
		data += part;
		bytes -= part;
	}
	virtio_publish(&n->virtio, RX, count);
}

static bool take_frame(struct virtio_net *n, const uint8_t *frame, size_t bytes)
{
	static _Thread_local struct virtio_chain chain[MERGE_MAX];
	uint8_t data[VIRTIO_NET_HEADER + FRAME_MAX] = {0};
	unsigned count;

	memcpy(data + VIRTIO_NET_HEADER, frame, bytes);
	if (n->corrupt) {
		n->corrupt--;
		data[VIRTIO_NET_HEADER + bytes / 2] ^= 0x10;
	}
	if (!gather(n, chain, &count, VIRTIO_NET_HEADER + bytes)) {
		n->lost++;
		return false;
	}
	/* As the guest gets it. */
	machine_frame(&n->virtio.pci.device, false, data + VIRTIO_NET_HEADER,
		      bytes);
	data[10] = (uint8_t)count; /* num_buffers */
	deliver(n, chain, count, data, VIRTIO_NET_HEADER + bytes);
	return true;
}

/* One is held until the next one has gone before it. */
static bool holds_back(struct virtio_net *n, const uint8_t *frame, size_t bytes)
{
	if (!n->reorder || n->held_bytes)
		return false;
	n->reorder--;
	memcpy(n->held, frame, bytes);
	n->held_bytes = (uint32_t)bytes;
	return true;
}

static bool receive(void *owner, ps_t when, const uint8_t *frame, size_t bytes)
{
	struct virtio_net *n = owner;
	bool taken;

	(void)when;
	if (n->pulled || !virtio_works(&n->virtio) || bytes > FRAME_MAX)
		return false;
	if (n->drop) {
		n->drop--;
		return false;
	}
	if (holds_back(n, frame, bytes))
		return true;
	taken = take_frame(n, frame, bytes);
	if (taken && n->duplicate) {
		n->duplicate--;
		(void)take_frame(n, frame, bytes);
	}
	if (n->held_bytes) {
		(void)take_frame(n, n->held, n->held_bytes);
		n->held_bytes = 0;
	}
	return taken;
}

static void link_changed(void *owner, ps_t when, bool up)
{
	(void)when, (void)up;
	virtio_config_changed(&((struct virtio_net *)owner)->virtio);
}

/* ---- the device ---- */

/* 5.1.4: mac, status. */
static uint8_t config_byte(struct virtio *v, unsigned at)
{
	const struct virtio_net *n = (struct virtio_net *)v;

	if (at < sizeof(n->mac))
		return n->mac[at];
	return at == sizeof(n->mac) && link_is_up(n) ? LINK_UP : 0;
}

static void notified(struct virtio *v, unsigned queue)
{
	struct virtio_net *n = (struct virtio_net *)v;
	struct evq *q = machine_evq(v->pci.device.machine);
	ps_t when = evq_now(q) + VIRTIO_NET_PS;

	if (queue != TX || evq_pending(&n->transmit))
		return;
	/* Told of one frame at a time, a card holds none of them either. */
	if (link_is_up(n) && net_port_free(n->port) > when)
		when = net_port_free(n->port);
	evq_schedule(q, &n->transmit, when);
}

static void stopped(struct virtio *v)
{
	evq_cancel(machine_evq(v->pci.device.machine),
		   &((struct virtio_net *)v)->transmit);
}

static bool virtio_net_fault(struct device *d, const char *name,
			     uint64_t argument, struct error *err)
{
	struct virtio_net *n = (struct virtio_net *)d;
	uint32_t pulled = argument != 0;

	(void)err;
	if (pci_fault(&n->virtio.pci, name, argument))
		return true;
	if (!strcmp(name, "drop")) {
		n->drop = (uint32_t)argument;
	} else if (!strcmp(name, "duplicate")) {
		n->duplicate = (uint32_t)argument;
	} else if (!strcmp(name, "corrupt")) {
		n->corrupt = (uint32_t)argument;
	} else if (!strcmp(name, "reorder")) {
		n->reorder = (uint32_t)argument;
	} else if (pulled != n->pulled) {
		n->pulled = pulled;
		virtio_config_changed(&n->virtio);
	}
	return true;
}

/* A fault of the cable outlasts a reset of the platform. */
static void virtio_net_warm_reset(struct device *d)
{
	struct virtio_net *n = (struct virtio_net *)d;

	pci_function_reset(&n->virtio.pci);
	virtio_reset(&n->virtio);
	n->lost = 0;
}

static void virtio_net_reset(struct device *d)
{
	struct virtio_net *n = (struct virtio_net *)d;

	n->pulled = n->drop = n->duplicate = n->corrupt = n->reorder = 0;
	n->held_bytes = 0;
	virtio_net_warm_reset(d);
}

static bool virtio_net_init(struct device *d, const struct device_prop *props,
			    size_t prop_count, struct error *err)
{
	static const struct virtio_kind kind = {
		.id = 1,
		.class_code = 0x020000,
		.queues = 2,
		.config_bytes = 8,
		.config_byte = config_byte,
		.notified = notified,
		.stopped = stopped,
	};
	static const struct net_device_ops ops = {receive, link_changed};
	const struct device_prop *nic =
		device_prop_find(props, prop_count, "nic");
	const struct device_prop *mac =
		device_prop_find(props, prop_count, "mac");
	struct virtio_net *n = (struct virtio_net *)d;

	n->port = machine_nic_port(d->machine, nic ? (unsigned)nic->value : 0);
	for (unsigned i = 0; i < 6; i++)
		n->mac[i] = mac ? (uint8_t)(mac->value >> 8 * (5 - i)) : 0;
	if (!mac || (n->mac[0] & 1))
		return error_set(err, EXIT_USAGE,
				 "%s: property mac is no address of a network "
				 "card",
				 d->name);
	strcat(strcpy(n->transmit_name, d->name), ".transmit");
	n->transmit = (struct event){.name = n->transmit_name,
				     .fire = transmit,
				     .owner = n,
				     .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &n->transmit);
	if (!virtio_init(&n->virtio, &kind,
			 VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF |
				 VIRTIO_NET_F_STATUS,
			 props, prop_count, err))
		return false;
	if (n->port)
		net_port_attach(n->port, machine_evq(d->machine), &ops, n);
	return true;
}

static void virtio_net_save(struct device *d, struct snapshot_writer *w)
{
	const struct virtio_net *n = (struct virtio_net *)d;

	snapshot_put_u64(w, n->port != NULL);
	if (n->port)
		net_port_save(n->port, w);
}

static bool virtio_net_load(struct device *d, struct snapshot_reader *r,
			    struct error *err)
{
	struct virtio_net *n = (struct virtio_net *)d;

	if (snapshot_get_u64(r) != (n->port != NULL))
		return error_set(err, EXIT_USAGE,
				 "%s has a cable in one of the machines and "
				 "none in the other",
				 d->name);
	return !n->port || net_port_load(n->port, r) ||
	       error_set(err, EXIT_USAGE, "%s: no frames of its cable",
			 d->name);
}

static void virtio_net_fini(struct device *d)
{
	struct virtio_net *n = (struct virtio_net *)d;

	stopped(&n->virtio);
	if (n->port)
		net_port_detach(n->port);
	virtio_fini(&n->virtio);
}

static const struct device_register virtio_net_registers[] = {
	{"DEVICE_STATUS", VIRTIO_DEVICE_STATUS, 1},
	{NULL, 0, 0},
};

const struct device_class virtio_net_class = {
	.name = "virtio_net",
	.summary = "virtio network card",
	.object_bytes = sizeof(struct virtio_net),
	.fields = virtio_net_fields,
	.registers = virtio_net_registers,
	.faults = virtio_net_faults,
	.init = virtio_net_init,
	.reset = virtio_net_reset,
	.warm_reset = virtio_net_warm_reset,
	.fault = virtio_net_fault,
	.save = virtio_net_save,
	.load = virtio_net_load,
	.fini = virtio_net_fini,
};

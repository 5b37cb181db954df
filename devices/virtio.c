/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio.c - split virtqueues and the life of a device; section numbers
 * are of VIRTIO 1.2.
 */
#include "devices/virtio.h"

#include <string.h>

#include "sim/check.h"

/* 2.7.5: a descriptor. */
struct descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};
#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

/* 2.7.6 and 2.7.8: offsets in the driver's and the device's area. */
#define RING_IDX           2
#define AVAIL_RING         4
#define USED_RING          4
#define USED_ENTRY         8
#define AVAIL_NO_INTERRUPT 1

/* ---- life ---- */

bool virtio_works(const struct virtio *v)
{
	return (v->status & (VIRTIO_S_DRIVER_OK | VIRTIO_S_NEEDS_RESET)) ==
	       VIRTIO_S_DRIVER_OK;
}

void virtio_config_changed(struct virtio *v)
{
	v->generation = (v->generation + 1) & 0xFF;
	if (v->status & VIRTIO_S_DRIVER_OK)
		virtio_interrupt(v, VIRTIO_ISR_CONFIG, v->config_vector);
}

void virtio_broken(struct virtio *v, const char *why, uint64_t value)
{
	machine_odd(&v->pci.device, why, VIRTIO_DEVICE_STATUS, value);
	if (v->status & VIRTIO_S_NEEDS_RESET)
		return;
	v->status |= VIRTIO_S_NEEDS_RESET;
	if (v->status & VIRTIO_S_DRIVER_OK)
		virtio_interrupt(v, VIRTIO_ISR_CONFIG, v->config_vector);
}

void virtio_reset(struct virtio *v)
{
	v->driver_features = 0;
	v->device_feature_select = v->driver_feature_select = 0;
	v->status = v->isr = v->queue_select = v->generation = 0;
	v->config_vector = VIRTIO_NO_VECTOR;
	for (unsigned i = 0; i < v->kind->queues; i++)
		v->q[i] = (struct virtq){.size = VIRTIO_QUEUE_SIZE,
					 .vector = VIRTIO_NO_VECTOR};
	pci_intx_set(&v->pci, false);
	if (v->kind->stopped)
		v->kind->stopped(v);
}

bool virtio_init(struct virtio *v, const struct virtio_kind *kind,
		 uint64_t features, const struct device_prop *props,
		 size_t prop_count, struct error *err)
{
	CHECK(kind->queues <= VIRTIO_QUEUES_MAX);
	v->kind = kind;
	v->features = features | VIRTIO_F_COMMON;
	return virtio_pci_init(v, props, prop_count, err);
}

void virtio_fini(struct virtio *v)
{
	pci_function_fini(&v->pci);
}

/* ---- access to the rings ---- */

static bool get(struct virtio *v, paddr_t pa, void *to, uint64_t bytes)
{
	if (pci_dma_read(&v->pci, pa, to, bytes))
		return true;
	virtio_broken(v, "a virtqueue is not in RAM", pa);
	return false;
}

static bool put(struct virtio *v, paddr_t pa, const void *from, uint64_t bytes)
{
	if (pci_dma_write(&v->pci, pa, from, bytes))
		return true;
	virtio_broken(v, "a virtqueue is not in RAM", pa);
	return false;
}

static uint16_t get16(struct virtio *v, paddr_t pa)
{
	uint16_t value = 0;

	(void)get(v, pa, &value, sizeof(value));
	return value;
}

/* How many chains wait. */
static unsigned waiting(struct virtio *v, unsigned queue)
{
	struct virtq *q = &v->q[queue];
	uint16_t count;

	if (!virtio_works(v) || !q->enabled)
		return 0;
	count = (uint16_t)(get16(v, q->driver + RING_IDX) - q->avail);
	if (!virtio_works(v))
		return 0;
	if (count > q->size) {
		virtio_broken(v, "more is available than the queue holds",
			      count);
		return 0;
	}
	return count;
}

bool virtio_any(struct virtio *v, unsigned queue)
{
	return waiting(v, queue);
}

/* ---- taking a chain ---- */

static bool segment_add(struct virtio *v, struct virtio_chain *c,
			const struct descriptor *d)
{
	if (c->count == VIRTIO_SEGMENTS_MAX) {
		virtio_broken(v, "a chain of too many descriptors", c->count);
		return false;
	}
	if (!(d->flags & DESC_WRITE) && c->readable != c->count) {
		virtio_broken(v, "a descriptor to read behind one to write",
			      c->count); /* 2.7.4.2 */
		return false;
	}
	c->segment[c->count].pa = d->address;
	c->segment[c->count++].bytes = d->bytes;
	if (d->flags & DESC_WRITE) {
		c->write_bytes += d->bytes;
	} else {
		c->readable++;
		c->read_bytes += d->bytes;
	}
	return true;
}

static bool chain_walk(struct virtio *v, struct virtio_chain *c, paddr_t table,
		       uint32_t entries, uint32_t at, bool indirect)
{
	struct descriptor d;

	for (uint32_t steps = 0;; steps++, at = d.next) {
		if (at >= entries || steps >= entries) {
			virtio_broken(v, "a chain leads nowhere or is a loop",
				      at);
			return false;
		}
		if (!get(v, table + sizeof(d) * at, &d, sizeof(d)))
			return false;
		if (d.flags & DESC_INDIRECT) {
			/* 2.7.5.3.1 */
			if (indirect || (d.flags & DESC_NEXT) ||
			    !virtio_has(v, VIRTIO_F_INDIRECT_DESC) ||
			    d.bytes % sizeof(d) || !d.bytes) {
				virtio_broken(v, "a wrong indirect descriptor",
					      d.flags);
				return false;
			}
			return chain_walk(v, c, d.address, d.bytes / sizeof(d),
					  0, true);
		}
		if (!segment_add(v, c, &d))
			return false;
		if (!(d.flags & DESC_NEXT))
			return true;
	}
}

/* 2.7.10: the driver tells of what comes after this one. */
static void avail_event(struct virtio *v, struct virtq *q)
{
	uint16_t value = (uint16_t)q->avail;

	if (virtio_has(v, VIRTIO_F_EVENT_IDX))
		(void)put(v, q->device + USED_RING + USED_ENTRY * q->size,
			  &value, sizeof(value));
}

bool virtio_take(struct virtio *v, unsigned queue, struct virtio_chain *chain)
{
	struct virtq *q = &v->q[queue];

	if (!waiting(v, queue))
		return false;
	*chain = (struct virtio_chain){.count = 0};
	chain->head =
		get16(v, q->driver + AVAIL_RING + 2 * (q->avail % q->size));
	if (!virtio_works(v) ||
	    !chain_walk(v, chain, q->desc, q->size, chain->head, false))
		return false;
	q->avail = (q->avail + 1) & 0xFFFF;
	avail_event(v, q);
	return virtio_works(v);
}

void virtio_untake(struct virtio *v, unsigned queue)
{
	struct virtq *q = &v->q[queue];

	q->avail = (q->avail - 1) & 0xFFFF;
	avail_event(v, q);
}

/* ---- data ---- */

static bool transfer(struct virtio *v, const struct virtio_chain *c,
		     unsigned first, unsigned end, uint64_t at, uint8_t *buf,
		     uint64_t bytes, bool to_driver)
{
	for (unsigned i = first; i < end && bytes; i++) {
		uint64_t part = c->segment[i].bytes;
		paddr_t pa = c->segment[i].pa;
		bool good;

		if (at >= part) {
			at -= part;
			continue;
		}
		part -= at;
		if (part > bytes)
			part = bytes;
		good = to_driver ? pci_dma_write(&v->pci, pa + at, buf, part)
				 : pci_dma_read(&v->pci, pa + at, buf, part);
		if (!good) {
			virtio_broken(v, "a buffer is not in RAM", pa);
			return false;
		}
		buf += part;
		bytes -= part;
		at = 0;
	}
	if (bytes)
		virtio_broken(v, "a chain is too short", bytes);
	return !bytes;
}

bool virtio_read(struct virtio *v, const struct virtio_chain *chain,
		 uint64_t at, void *buf, uint64_t bytes)
{
	return transfer(v, chain, 0, chain->readable, at, buf, bytes, false);
}

bool virtio_write(struct virtio *v, const struct virtio_chain *chain,
		  uint64_t at, const void *buf, uint64_t bytes)
{
	return transfer(v, chain, chain->readable, chain->count, at,
			(uint8_t *)buf, bytes, true);
}

/* ---- giving back ---- */

void virtio_give(struct virtio *v, unsigned queue,
		 const struct virtio_chain *chain, uint32_t written,
		 unsigned ahead)
{
	struct virtq *q = &v->q[queue];
	uint32_t entry[2] = {chain->head, written};
	uint32_t at = (q->used + ahead) % q->size;

	(void)put(v, q->device + USED_RING + USED_ENTRY * at, entry,
		  sizeof(entry));
}

/* 2.7.7: does the driver want to hear of these? */
static bool wanted(struct virtio *v, const struct virtq *q, uint16_t old)
{
	uint16_t event;

	if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
		return !(get16(v, q->driver) & AVAIL_NO_INTERRUPT);
	event = get16(v, q->driver + AVAIL_RING + 2 * q->size);
	return (uint16_t)(q->used - event - 1) < (uint16_t)(q->used - old);
}

void virtio_publish(struct virtio *v, unsigned queue, unsigned count)
{
	struct virtq *q = &v->q[queue];
	uint16_t old = (uint16_t)q->used, index;

	if (!count || !virtio_works(v))
		return;
	q->used = (q->used + count) & 0xFFFF;
	index = (uint16_t)q->used;
	if (put(v, q->device + RING_IDX, &index, sizeof(index)) &&
	    wanted(v, q, old))
		virtio_interrupt(v, VIRTIO_ISR_QUEUE, q->vector);
}

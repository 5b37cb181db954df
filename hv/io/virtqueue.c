/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/virtqueue.c - see virtqueue.h. */
#include "io/virtqueue.h"

#include "abi/layout.h"
#include "lib/string.h"

/* 2.7.5: a descriptor. */
struct descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};
#define DESC_WRITE 2

/* 2.7.6. */
struct available {
	uint16_t flags, index;
	uint16_t
		ring[VIRTQUEUE_MAX + 1]; /* behind ring[size - 1]: used_event */
};
#define NO_INTERRUPT 1

/* 2.7.8. */
struct used {
	uint16_t flags, index;
	struct {
		uint32_t id, bytes;
	} ring[VIRTQUEUE_MAX + 1]; /* behind ring[size - 1]: avail_event */
};
#define NO_NOTIFY 1

_Static_assert(VIRTQUEUE_MAX * sizeof(struct descriptor) <= VIRTQUEUE_AVAIL,
	       "the descriptors' part");
_Static_assert(VIRTQUEUE_AVAIL + sizeof(struct available) <= VIRTQUEUE_USED,
	       "the driver's part");
_Static_assert(VIRTQUEUE_USED + sizeof(struct used) <= ABI_PAGE_BYTES,
	       "the device's part");

static volatile struct descriptor *desc(const struct virtqueue *q)
{
	return (volatile struct descriptor *)(q->page + VIRTQUEUE_DESC);
}

static volatile struct available *avail(const struct virtqueue *q)
{
	return (volatile struct available *)(q->page + VIRTQUEUE_AVAIL);
}

static volatile struct used *used(const struct virtqueue *q)
{
	return (volatile struct used *)(q->page + VIRTQUEUE_USED);
}

static volatile uint16_t *used_event(const struct virtqueue *q)
{
	return &avail(q)->ring[q->size];
}

static uint16_t avail_event(const struct virtqueue *q)
{
	return (uint16_t)used(q)->ring[q->size].id;
}

static void barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void mark(struct virtqueue *q, unsigned n, bool with_device)
{
	uint64_t bit = 1ull << n % 64;

	if (with_device)
		q->with_device[n / 64] |= bit;
	else
		q->with_device[n / 64] &= ~bit;
}

bool virtqueue_has(const struct virtqueue *q, unsigned n)
{
	return n < q->size && (q->with_device[n / 64] >> n % 64 & 1);
}

void virtqueue_reset(struct virtqueue *q, void *page, uint16_t number,
		     uint16_t size, bool event_idx)
{
	memset(q, 0, sizeof(*q));
	memset(page, 0, ABI_PAGE_BYTES);
	q->page = page;
	q->number = number;
	q->size = size;
	q->event_idx = event_idx;
	virtqueue_awake(q);
}

void virtqueue_buffer(struct virtqueue *q, unsigned n, uint64_t address,
		      uint32_t bytes, bool device_writes)
{
	volatile struct descriptor *d = &desc(q)[n];

	d->address = address;
	d->bytes = bytes;
	d->flags = device_writes ? DESC_WRITE : 0;
}

void virtqueue_put(struct virtqueue *q, unsigned n, uint32_t bytes)
{
	desc(q)[n].bytes = bytes;
	avail(q)->ring[q->avail % q->size] = (uint16_t)n;
	mark(q, n, true);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	avail(q)->index = ++q->avail;
}

void virtqueue_tell(struct virtqueue *q)
{
	uint16_t since = (uint16_t)(q->avail - q->told);
	bool wanted;

	if (!since)
		return;
	barrier(); /* what is put, then what the device wants to hear of */
	wanted = q->event_idx
			 ? (uint16_t)(q->avail - avail_event(q) - 1) < since
			 : !(used(q)->flags & NO_NOTIFY);
	q->told = q->avail;
	if (wanted)
		*q->notify = q->number;
}

int virtqueue_take(struct virtqueue *q, uint32_t *bytes)
{
	while (used(q)->index != q->used) {
		volatile struct used *u = used(q);
		unsigned at = q->used % q->size;
		uint32_t id;

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		id = u->ring[at].id;
		*bytes = u->ring[at].bytes;
		q->used++;
		if (virtqueue_has(q, id)) {
			mark(q, id, false);
			return (int)id;
		}
		q->odd++;
	}
	return -1;
}

bool virtqueue_sleep(struct virtqueue *q)
{
	if (q->event_idx)
		*used_event(q) = q->used;
	else
		avail(q)->flags = 0;
	barrier();
	return used(q)->index == q->used;
}

void virtqueue_awake(struct virtqueue *q)
{
	if (q->event_idx) /* as far away as can be */
		*used_event(q) = (uint16_t)(q->used + 0x8000);
	else
		avail(q)->flags = NO_INTERRUPT;
}

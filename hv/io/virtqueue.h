/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/virtqueue.h - a split virtqueue, the driver's side (VIRTIO 1.2, 2.7).
 *
 * Each buffer is one descriptor, of the same number; its place in memory is the
 * caller's to say, once.  The queue lies in one page.
 *
 * Notifications and interrupts are held back by EVENT_IDX where both sides have
 * it (2.7.7, 2.7.10), else by flags.  Interrupts are off but between
 * virtqueue_sleep() and virtqueue_awake().
 */
#ifndef PARTERRE_IO_VIRTQUEUE_H
#define PARTERRE_IO_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_MAX 128 /* buffers */

struct virtqueue {
	volatile uint8_t *page; /* page-aligned */
	volatile uint16_t *notify;
	uint16_t number; /* the device's name for it */
	uint16_t size;   /* a power of 2, at most VIRTQUEUE_MAX */
	bool event_idx;
	uint16_t avail, used; /* free-running: put, taken back */
	uint16_t told;        /* `avail` at the last notification */
	uint64_t with_device[VIRTQUEUE_MAX / 64]; /* which buffers */
	uint64_t odd; /* used entries that named none of them */
};

/* Offsets of the three parts in the page. */
#define VIRTQUEUE_DESC  0
#define VIRTQUEUE_AVAIL 2048
#define VIRTQUEUE_USED  2432

/* Empty, all zero. */
void virtqueue_reset(struct virtqueue *q, void *page, uint16_t number,
		     uint16_t size, bool event_idx);
/* Where buffer n lies, and whether the device writes there. */
void virtqueue_buffer(struct virtqueue *q, unsigned n, uint64_t address,
		      uint32_t bytes, bool device_writes);
/* To the device, which hears of it by virtqueue_tell(). */
void virtqueue_put(struct virtqueue *q, unsigned n, uint32_t bytes);
void virtqueue_tell(struct virtqueue *q);
/* A buffer that the device is done with; -1: there is none.  `bytes`: how many
 * it wrote, as it says. */
int virtqueue_take(struct virtqueue *q, uint32_t *bytes);
bool virtqueue_has(const struct virtqueue *q, unsigned n); /* the device has it
							    */
/* Ask for an interrupt; false: something has come. */
bool virtqueue_sleep(struct virtqueue *q);
void virtqueue_awake(struct virtqueue *q);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtqueue's driver side (hv/io/virtqueue.c) against a device that is this
 * test: it reads and writes the rings by the offsets of VIRTIO 1.2, 2.7. */
#include <criterion/criterion.h>

#include <string.h>

#include "io/virtqueue.h"
#include "support.h"

#define SIZE 8

static uint8_t page[4096] __attribute__((aligned(4096)));
static struct virtqueue q;
static uint16_t doorbell, device_used, device_avail;

static uint16_t load16(unsigned at)
{
	uint16_t v;

	memcpy(&v, page + at, sizeof(v));
	return v;
}

static void store16(unsigned at, unsigned v)
{
	uint16_t value = (uint16_t)v;

	memcpy(page + at, &value, sizeof(value));
}

static void store32(unsigned at, uint32_t v)
{
	memcpy(page + at, &v, sizeof(v));
}

static void start(bool event_idx)
{
	support_reset();
	virtqueue_reset(&q, page, 5, SIZE, event_idx);
	q.notify = &doorbell;
	doorbell = 0xffff;
	device_used = device_avail = 0;
	for (unsigned i = 0; i < SIZE; i++)
		virtqueue_buffer(&q, i, 0x100000 + i * 0x1000, 2048, i % 2);
}

/* What the device finds: the next buffer's number; -1: none. */
static int device_takes(void)
{
	int n;

	if (load16(VIRTQUEUE_AVAIL + 2) == device_avail)
		return -1;
	n = load16(VIRTQUEUE_AVAIL + 4 + 2 * (device_avail % SIZE));
	device_avail++;
	return n;
}

static void device_gives(uint32_t id, uint32_t bytes)
{
	store32(VIRTQUEUE_USED + 4 + 8 * (device_used % SIZE), id);
	store32(VIRTQUEUE_USED + 8 + 8 * (device_used % SIZE), bytes);
	store16(VIRTQUEUE_USED + 2, ++device_used);
}

Test(virtqueue, buffers_go_round_and_round)
{
	uint32_t bytes;

	start(false);
	/* Further than an index of 16 bits reaches. */
	for (unsigned i = 0; i < 70000; i++) {
		unsigned n = i * 5 % SIZE;
		uint64_t address;

		virtqueue_put(&q, n, 60 + i % 1000);
		cr_assert(virtqueue_has(&q, n));
		cr_assert_eq(device_takes(), (int)n);
		memcpy(&address, page + 16 * n, sizeof(address));
		cr_assert_eq(address, 0x100000 + n * 0x1000);
		cr_assert_eq(load16(16 * n + 8), 60 + i % 1000);
		cr_assert_eq(load16(16 * n + 12), n % 2 ? 2 : 0);
		cr_assert_eq(virtqueue_take(&q, &bytes), -1);
		device_gives(n, i);
		cr_assert_eq(virtqueue_take(&q, &bytes), (int)n);
		cr_assert_eq(bytes, i);
		cr_assert_not(virtqueue_has(&q, n));
	}
	cr_assert_eq(q.odd, 0);
}

Test(virtqueue, an_entry_that_names_no_buffer_is_passed_over)
{
	uint32_t bytes;

	start(false);
	virtqueue_put(&q, 3, 100);
	device_gives(4, 1);          /* not with the device */
	device_gives(SIZE, 1);       /* there is none */
	device_gives(0xffffffff, 1); /* nor such a one */
	device_gives(3, 7);
	device_gives(3, 8); /* twice */
	cr_assert_eq(virtqueue_take(&q, &bytes), 3);
	cr_assert_eq(bytes, 7);
	cr_assert_eq(virtqueue_take(&q, &bytes), -1);
	cr_assert_eq(q.odd, 4);
}

Test(virtqueue, the_device_hears_when_it_wants_to)
{
	start(false);
	virtqueue_tell(&q);
	cr_assert_eq(doorbell, 0xffff, "nothing was put");
	virtqueue_put(&q, 0, 100);
	virtqueue_tell(&q);
	cr_assert_eq(doorbell, 5);
	doorbell = 0xffff;
	virtqueue_tell(&q);
	cr_assert_eq(doorbell, 0xffff, "it knows");
	store16(VIRTQUEUE_USED, 1); /* NO_NOTIFY */
	virtqueue_put(&q, 1, 100);
	virtqueue_tell(&q);
	cr_assert_eq(doorbell, 0xffff);
}

Test(virtqueue, or_when_a_certain_one_is_put)
{
	const unsigned avail_event = VIRTQUEUE_USED + 4 + 8 * SIZE;

	start(true);
	store16(avail_event, 2); /* of the third, it wants to hear */
	for (unsigned i = 0; i < 5; i++) {
		doorbell = 0xffff;
		virtqueue_put(&q, i, 100);
		virtqueue_tell(&q);
		cr_assert_eq(doorbell, i == 2 ? 5 : 0xffff, "%u", i);
	}
	/* Of several that were put together. */
	store16(avail_event, 6);
	for (unsigned i = 5; i < 8; i++)
		virtqueue_put(&q, i, 100);
	virtqueue_tell(&q);
	cr_assert_eq(doorbell, 5);
}

Test(virtqueue, interrupts_are_asked_for_before_sleep)
{
	const unsigned used_event = VIRTQUEUE_AVAIL + 4 + 2 * SIZE;
	uint32_t bytes;

	start(false);
	cr_assert_eq(load16(VIRTQUEUE_AVAIL), 1, "off");
	virtqueue_put(&q, 0, 100);
	cr_assert(virtqueue_sleep(&q));
	cr_assert_eq(load16(VIRTQUEUE_AVAIL), 0, "on");
	virtqueue_awake(&q);
	cr_assert_eq(load16(VIRTQUEUE_AVAIL), 1, "off");
	device_gives(0, 1);
	cr_assert_not(virtqueue_sleep(&q), "something is there");

	start(true);
	for (unsigned i = 0; i < 3; i++) {
		virtqueue_put(&q, i, 100);
		device_gives(i, 1);
		cr_assert_eq(virtqueue_take(&q, &bytes), (int)i);
	}
	cr_assert(virtqueue_sleep(&q));
	cr_assert_eq(load16(used_event), 3, "of the fourth");
	virtqueue_awake(&q);
	cr_assert_geq((uint16_t)(load16(used_event) - 3), 0x8000,
		      "not for long");
}

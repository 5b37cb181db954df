/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio as a driver uses it: capabilities, features, queues with all that they
 * may hold, broken drivers; then each device, and two machines on a network. */
#include "devices/virtio.h"

#include <string.h>

#include "devices/disk.h"
#include "devices/lapic.h"
#include "devices/virtio_net.h"
#include "harness.h"
#include "sim/net_switch.h"

#define SLOT_NET  6
#define SLOT_BLK  8
#define SLOT_RNG  9
#define BAR(slot) (UINT64_C(0xC0000000) + (uint64_t)(slot)*0x10000)
#define ECAM(slot, off)                                                        \
	(PCI_ECAM_BASE + ((uint64_t)(slot) << 15) + (unsigned)(off))
#define ENTRIES 8u
#define VECTOR  0x60

/* Where a queue lies, and its data. */
#define HOME(q)  (UINT64_C(0x100000) + (q)*UINT64_C(0x100000))
#define DESC(q)  HOME(q)
#define AVAIL(q) (HOME(q) + 0x1000)
#define USED(q)  (HOME(q) + 0x2000)
#define DATA(q)  (HOME(q) + 0x10000)
#define TABLE(q) (HOME(q) + 0x3000)

#define F_NEXT     1
#define F_WRITE    2
#define F_INDIRECT 4

struct driver {
	struct rig *r;
	unsigned slot;
	uint16_t avail[2], used[2];
};

static uint64_t reg(struct driver *v, unsigned off, unsigned size)
{
	return rig_read(v->r, BAR(v->slot) + off, size);
}

static void set(struct driver *v, unsigned off, unsigned size, uint64_t value)
{
	rig_write(v->r, BAR(v->slot) + off, size, value);
}

static uint64_t features(struct driver *v)
{
	uint64_t low;

	set(v, VIRTIO_DEVICE_FEATURE_SELECT, 4, 0);
	low = reg(v, VIRTIO_DEVICE_FEATURE, 4);
	set(v, VIRTIO_DEVICE_FEATURE_SELECT, 4, 1);
	return low | reg(v, VIRTIO_DEVICE_FEATURE, 4) << 32;
}

static void negotiate(struct driver *v, uint64_t wanted)
{
	set(v, VIRTIO_DEVICE_STATUS, 1, 0);
	set(v, VIRTIO_DEVICE_STATUS, 1, 3);
	for (unsigned i = 0; i < 2; i++) {
		set(v, VIRTIO_DRIVER_FEATURE_SELECT, 4, i);
		set(v, VIRTIO_DRIVER_FEATURE, 4, (uint32_t)(wanted >> 32 * i));
	}
	set(v, VIRTIO_DEVICE_STATUS, 1, 0xB);
}

static void queue(struct driver *v, unsigned q)
{
	static const uint8_t zero[0x4000];

	cr_assert(bus_poke(v->r->bus, HOME(q), zero, sizeof(zero)));
	set(v, VIRTIO_QUEUE_SELECT, 2, q);
	cr_assert_eq(reg(v, VIRTIO_QUEUE_SIZE_REG, 2), VIRTIO_QUEUE_SIZE);
	set(v, VIRTIO_QUEUE_SIZE_REG, 2, ENTRIES);
	set(v, VIRTIO_QUEUE_DESC, 8, DESC(q));
	set(v, VIRTIO_QUEUE_DRIVER, 4, (uint32_t)AVAIL(q));
	set(v, VIRTIO_QUEUE_DRIVER + 4, 4, AVAIL(q) >> 32);
	set(v, VIRTIO_QUEUE_DEVICE, 8, USED(q));
	set(v, VIRTIO_QUEUE_VECTOR, 2, q);
	cr_assert_eq(reg(v, VIRTIO_QUEUE_VECTOR, 2), q);
	set(v, VIRTIO_QUEUE_ENABLE, 2, 1);
	v->avail[q] = v->used[q] = 0;
}

/* MSI-X vector i sends VECTOR + i; the device works. */
static void begin(struct driver *v, struct rig *r, unsigned slot,
		  unsigned queues, uint64_t wanted)
{
	unsigned at;

	*v = (struct driver){.r = r, .slot = slot};
	rig_lapic_on(r);
	rig_write(r, ECAM(slot, PCI_COMMAND), 2, 6);
	for (at = (unsigned)rig_read(r, ECAM(slot, PCI_CAPABILITIES), 1);
	     rig_read(r, ECAM(slot, at), 1) != PCI_CAP_MSIX;)
		cr_assert(at = (unsigned)rig_read(r, ECAM(slot, at + 1), 1));
	rig_write(r, ECAM(slot, at + 2), 2, 0x8000);
	for (unsigned i = 0; i <= queues; i++) {
		rig_write(r, BAR(slot) + 0x8000 + 16 * i, 8, RIG_LAPIC);
		rig_write(r, BAR(slot) + 0x8008 + 16 * i, 8, VECTOR + i);
	}
	negotiate(v, wanted | VIRTIO_F_VERSION_1);
	cr_assert_eq(reg(v, VIRTIO_DEVICE_STATUS, 1), 0xB);
	for (unsigned q = 0; q < queues; q++)
		queue(v, q);
	set(v, VIRTIO_CONFIG_VECTOR, 2, queues);
	set(v, VIRTIO_DEVICE_STATUS, 1, 0xF);
}

static void desc(struct driver *v, paddr_t table, unsigned i, paddr_t pa,
		 uint32_t bytes, uint16_t flags, uint16_t next)
{
	struct {
		uint64_t pa;
		uint32_t bytes;
		uint16_t flags, next;
	} d = {pa, bytes, flags, next};

	cr_assert(bus_poke(v->r->bus, table + 16ull * i, &d, 16));
}

static void offer(struct driver *v, unsigned q, uint16_t head)
{
	cr_assert(bus_poke(v->r->bus,
			   AVAIL(q) + 4 + 2 * (v->avail[q] % ENTRIES), &head,
			   2));
	v->avail[q]++;
	cr_assert(bus_poke(v->r->bus, AVAIL(q) + 2, &v->avail[q], 2));
}

static void notify(struct driver *v, unsigned q)
{
	set(v, VIRTIO_NOTIFY + 4 * q, 4, q);
}

static uint16_t word(struct rig *r, paddr_t pa)
{
	uint16_t value;

	cr_assert(bus_peek(r->bus, pa, &value, 2));
	return value;
}

/* The next used entry: its length; -1: there is none. */
static int64_t used(struct driver *v, unsigned q, uint32_t *id)
{
	uint32_t e[2];

	if (word(v->r, USED(q) + 2) == v->used[q])
		return -1;
	bus_peek(v->r->bus, USED(q) + 4 + 8 * (v->used[q]++ % ENTRIES), e, 8);
	if (id)
		*id = e[0];
	return e[1];
}

static int interrupt(struct rig *r)
{
	int vector = lapic_ack(r->m, 0);

	if (vector >= 0)
		rig_write(r, RIG_LAPIC + 0xB0, 4, 0);
	return vector;
}

#define MAC(i) (UINT64_C(0x525400000010) + (i))

static void start(struct rig *r)
{
	rig_virtio_start(r, 1, MAC(0), NULL);
}

/* ---- transport ---- */

Test(virtio, capabilities_lead_to_the_registers)
{
	struct rig r;
	unsigned types = 0, at;

	start(&r);
	cr_expect_eq(rig_read(&r, ECAM(SLOT_NET, 0), 4), 0x10411AF4);
	cr_expect_eq(rig_read(&r, ECAM(SLOT_BLK, 0), 4), 0x10421AF4);
	cr_expect_eq(rig_read(&r, ECAM(SLOT_RNG, 0), 4), 0x10441AF4);
	for (at = (unsigned)rig_read(&r, ECAM(SLOT_NET, PCI_CAPABILITIES), 1);
	     at; at = (unsigned)rig_read(&r, ECAM(SLOT_NET, at + 1), 1)) {
		unsigned type =
			(unsigned)rig_read(&r, ECAM(SLOT_NET, at + 3), 1);

		if (rig_read(&r, ECAM(SLOT_NET, at), 1) != 9)
			continue;
		types |= 1u << type;
		cr_expect_eq(rig_read(&r, ECAM(SLOT_NET, at + 4), 1), 0);
		if (type == 2) {
			cr_expect_eq(rig_read(&r, ECAM(SLOT_NET, at + 8), 4),
				     VIRTIO_NOTIFY);
			cr_expect_eq(rig_read(&r, ECAM(SLOT_NET, at + 16), 4),
				     4);
		}
	}
	cr_expect_eq(types, 0x3E, "common, notify, ISR, device, window");
	rig_stop(&r);
}

Test(virtio, the_window_in_configuration_space_reaches_bar_0)
{
	struct rig r;
	unsigned at;

	start(&r);
	at = (unsigned)rig_read(&r, ECAM(SLOT_NET, PCI_CAPABILITIES), 1);
	while (rig_read(&r, ECAM(SLOT_NET, at), 1) != 9 ||
	       rig_read(&r, ECAM(SLOT_NET, at + 3), 1) != 5)
		cr_assert(
			at = (unsigned)rig_read(&r, ECAM(SLOT_NET, at + 1), 1));
	rig_write(&r, ECAM(SLOT_NET, at + 4), 1, 0);
	rig_write(&r, ECAM(SLOT_NET, at + 8), 4, VIRTIO_DEVICE_STATUS);
	rig_write(&r, ECAM(SLOT_NET, at + 12), 4, 1);
	rig_write(&r, ECAM(SLOT_NET, at + 16), 1, 3);
	cr_expect_eq(rig_read(&r, BAR(SLOT_NET) + VIRTIO_DEVICE_STATUS, 1), 3);
	rig_write(&r, BAR(SLOT_NET) + VIRTIO_DEVICE_STATUS, 1, 7);
	cr_expect_eq(rig_read(&r, ECAM(SLOT_NET, at + 16), 1), 7);
	rig_stop(&r);
}

Test(virtio, features_are_offered_and_only_those_taken)
{
	struct rig r;
	struct driver v = {&r, SLOT_NET, {0}, {0}};

	start(&r);
	cr_expect_eq(features(&v), VIRTIO_F_COMMON | VIRTIO_NET_F_MAC |
					   VIRTIO_NET_F_MRG_RXBUF |
					   VIRTIO_NET_F_STATUS);
	negotiate(&v, VIRTIO_F_VERSION_1 | 1);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE_STATUS, 1), 3, "not offered");
	negotiate(&v, VIRTIO_NET_F_MAC);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE_STATUS, 1), 3, "not version 1");
	negotiate(&v, VIRTIO_F_VERSION_1);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE_STATUS, 1), 0xB);
	cr_expect_eq(r.odds, 0);
	set(&v, VIRTIO_DRIVER_FEATURE, 4, 0);
	cr_expect_eq(r.odds, 1, "too late");
	set(&v, VIRTIO_QUEUE_SELECT, 2, 2);
	cr_expect_eq(reg(&v, VIRTIO_QUEUE_SIZE_REG, 2), 0, "two queues");
	set(&v, VIRTIO_QUEUE_SELECT, 2, 0);
	set(&v, VIRTIO_QUEUE_VECTOR, 2, 3);
	cr_expect_eq(reg(&v, VIRTIO_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	set(&v, VIRTIO_QUEUE_SIZE_REG, 2, 12);
	cr_expect_eq(r.odds, 2, "no power of two");
	set(&v, VIRTIO_DEVICE_STATUS, 1, 0);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE_STATUS, 1), 0);
	rig_stop(&r);
}

/* ---- queues, by the entropy device ---- */

Test(virtio, entropy_is_a_function_of_the_seed)
{
	uint64_t got[3][4];

	for (unsigned i = 0; i < 3; i++) {
		struct rig r;
		struct driver v;

		rig_virtio_start(&r, i == 2 ? 8 : 7, MAC(0), NULL);
		begin(&v, &r, SLOT_RNG, 1, 0);
		desc(&v, DESC(0), 3, DATA(0), 32, F_WRITE, 0);
		offer(&v, 0, 3);
		notify(&v, 0);
		cr_expect_eq(used(&v, 0, NULL), -1, "not at once");
		rig_run(&r, PS_PER_MS);
		cr_expect_eq(used(&v, 0, NULL), 32);
		cr_expect_eq(interrupt(&r), VECTOR);
		cr_expect_eq(interrupt(&r), -1);
		bus_peek(r.bus, DATA(0), got[i], 32);
		cr_expect_neq(got[i][0], got[i][1]);
		rig_stop(&r);
	}
	cr_expect_eq(memcmp(got[0], got[1], 32), 0);
	cr_expect_neq(memcmp(got[0], got[2], 32), 0);
}

Test(virtio, entropy_runs_dry)
{
	struct rig r;
	struct driver v;
	struct error err;
	uint64_t got;

	rig_virtio_start(&r, 7, MAC(0), NULL);
	cr_expect(device_fault(machine_device(r.m, "rng0"), "dry", 1, &err));
	begin(&v, &r, SLOT_RNG, 1, 0);
	for (unsigned i = 0; i < 2; i++) {
		desc(&v, DESC(0), 3, DATA(0), 8, F_WRITE, 0);
		offer(&v, 0, 3);
		notify(&v, 0);
		rig_run(&r, PS_PER_MS);
		cr_expect_eq(used(&v, 0, NULL), i ? 8 : 0);
		bus_peek(r.bus, DATA(0), &got, 8);
		cr_expect_eq(got != 0, i);
	}
	rig_stop(&r);
}

Test(virtio, interrupts_are_as_the_driver_wants_them)
{
	struct rig r;
	struct driver v;
	uint16_t flags = 1, event;

	start(&r);
	begin(&v, &r, SLOT_RNG, 1, 0);
	desc(&v, DESC(0), 0, DATA(0), 8, F_WRITE, 0);
	bus_poke(r.bus, AVAIL(0), &flags, 2);
	offer(&v, 0, 0);
	notify(&v, 0);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(used(&v, 0, NULL), 8);
	cr_expect_eq(interrupt(&r), -1, "none is wanted");
	/* With the event index: when index 2 has been used. */
	begin(&v, &r, SLOT_RNG, 1, VIRTIO_F_EVENT_IDX);
	event = 1;
	bus_poke(r.bus, AVAIL(0) + 4 + 2 * ENTRIES, &event, 2);
	for (unsigned i = 0; i < 3; i++) {
		desc(&v, DESC(0), 0, DATA(0), 8, F_WRITE, 0);
		offer(&v, 0, 0);
		notify(&v, 0);
		rig_run(&r, PS_PER_MS);
		cr_expect_eq(used(&v, 0, NULL), 8);
		cr_expect_eq(interrupt(&r), i == 1 ? VECTOR : -1, "%u", i);
		cr_expect_eq(word(&r, USED(0) + 4 + 8 * ENTRIES), i + 1,
			     "avail_event");
	}
	rig_stop(&r);
}

Test(virtio, without_msix_the_isr_tells_and_is_cleared_by_reading)
{
	struct rig r;
	struct driver v = {&r, SLOT_RNG, {0}, {0}};

	start(&r);
	rig_lapic_on(&r);
	rig_ioapic_entry(&r, PCI_INTA_PIN(SLOT_RNG), 0x8000 | 0x61);
	rig_write(&r, ECAM(SLOT_RNG, PCI_COMMAND), 2, 6);
	negotiate(&v, VIRTIO_F_VERSION_1);
	queue(&v, 0);
	set(&v, VIRTIO_DEVICE_STATUS, 1, 0xF);
	desc(&v, DESC(0), 0, DATA(0), 8, F_WRITE, 0);
	offer(&v, 0, 0);
	notify(&v, 0);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(lapic_ack(r.m, 0), 0x61);
	cr_expect_eq(reg(&v, VIRTIO_ISR, 1), 1);
	cr_expect_eq(reg(&v, VIRTIO_ISR, 1), 0);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_stop(&r);
}

Test(virtio, a_driver_gone_wrong_needs_a_reset)
{
	static const struct {
		const char *what;
		uint64_t features;
		paddr_t pa;
		uint32_t bytes;
		uint16_t flags, next, head;
	} wrong[] = {
		{"head beyond the queue", 0, DATA(0), 8, F_WRITE, 0, ENTRIES},
		{"a loop", 0, DATA(0), 8, F_WRITE | F_NEXT, 0, 0},
		{"next beyond the queue", 0, DATA(0), 8, F_WRITE | F_NEXT,
		 ENTRIES, 0},
		{"no RAM", 0, UINT64_C(0xA0000), 8, F_WRITE, 0, 0},
		{"indirect, not negotiated", 0, TABLE(0), 16, F_INDIRECT, 0, 0},
		{"indirect and next", VIRTIO_F_INDIRECT_DESC, TABLE(0), 16,
		 F_INDIRECT | F_NEXT, 1, 0},
		{"half an indirect entry", VIRTIO_F_INDIRECT_DESC, TABLE(0), 24,
		 F_INDIRECT, 0, 0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		struct rig r;
		struct driver v;

		start(&r);
		begin(&v, &r, SLOT_RNG, 1, wrong[i].features);
		desc(&v, DESC(0), 0, wrong[i].pa, wrong[i].bytes,
		     wrong[i].flags, wrong[i].next);
		offer(&v, 0, wrong[i].head);
		notify(&v, 0);
		rig_run(&r, PS_PER_MS);
		cr_expect_eq(reg(&v, VIRTIO_DEVICE_STATUS, 1), 0x4F, "%s",
			     wrong[i].what);
		cr_expect_geq(r.odds, 1, "%s", wrong[i].what);
		cr_expect_eq(interrupt(&r), VECTOR + 1, "configuration");
		/* It is as new after a reset. */
		begin(&v, &r, SLOT_RNG, 1, 0);
		desc(&v, DESC(0), 0, DATA(0), 8, F_WRITE, 0);
		offer(&v, 0, 0);
		notify(&v, 0);
		rig_run(&r, PS_PER_MS);
		cr_expect_eq(used(&v, 0, NULL), 8, "%s", wrong[i].what);
		rig_stop(&r);
	}
}

/* ---- block device ---- */

#define HEADER (DATA(0) + 0x8000)
#define STATUS (DATA(0) + 0x9000)

/* A request by an indirect table; its status, or -1. */
static int request(struct driver *v, uint32_t type, uint64_t sector,
		   uint32_t bytes)
{
	uint32_t header[4] = {type, 0, (uint32_t)sector,
			      (uint32_t)(sector >> 32)};
	uint16_t device_writes = type == 1 ? 0 : F_WRITE;
	uint8_t status = 0xFF;
	unsigned n = 0;

	bus_poke(v->r->bus, HEADER, header, 16);
	bus_poke(v->r->bus, STATUS, &status, 1);
	desc(v, TABLE(0), n++, HEADER, 16, F_NEXT, 1);
	if (bytes) { /* in two parts */
		desc(v, TABLE(0), n++, DATA(0), bytes / 2,
		     F_NEXT | device_writes, 2);
		desc(v, TABLE(0), n++, DATA(0) + bytes / 2, bytes - bytes / 2,
		     F_NEXT | device_writes, 3);
	}
	desc(v, TABLE(0), n++, STATUS, 1, F_WRITE, 0);
	desc(v, DESC(0), 0, TABLE(0), 16 * n, F_INDIRECT, 0);
	offer(v, 0, 0);
	notify(v, 0);
	rig_run(v->r, PS_PER_MS);
	if (used(v, 0, NULL) < 0)
		return -1;
	bus_peek(v->r->bus, STATUS, &status, 1);
	return status;
}

static void fill(struct rig *r, uint8_t value, size_t bytes)
{
	uint8_t buf[4096];

	memset(buf, value, bytes);
	cr_assert(bus_poke(r->bus, DATA(0), buf, bytes));
}

Test(virtio, a_disk_reads_writes_and_flushes)
{
	struct rig r;
	struct driver v;
	struct error err = {0};
	uint8_t byte;
	char id[20];

	start(&r);
	begin(&v, &r, SLOT_BLK, 1, VIRTIO_F_INDIRECT_DESC | 1 << 9);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE, 8), RIG_IMAGE_BYTES / 512);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE + 12, 4), VIRTIO_SEGMENTS_MAX - 2);
	cr_expect_eq(reg(&v, VIRTIO_DEVICE + 20, 4), 512);
	fill(&r, 'v', 1024);
	cr_expect_eq(request(&v, 1, 5, 1024), 0);
	rig_image_read(&r, 5 * 512, &byte, 1);
	cr_expect_eq(byte, 0, "in the cache");
	fill(&r, 0, 1024);
	cr_expect_eq(request(&v, 0, 6, 512), 0);
	bus_peek(r.bus, DATA(0) + 511, &byte, 1);
	cr_expect_eq(byte, 'v');
	cr_expect_eq(request(&v, 4, 0, 0), 0);
	rig_image_read(&r, 6 * 512 + 511, &byte, 1);
	cr_expect_eq(byte, 'v');
	cr_expect_eq(request(&v, 8, 0, 20), 0);
	bus_peek(r.bus, DATA(0), id, 20);
	cr_expect_eq(memcmp(id, "parterre-virtio-0001", 20), 0);
	cr_expect_eq(request(&v, 0, RIG_IMAGE_BYTES / 512, 512), 1, "range");
	cr_expect_eq(request(&v, 0, UINT64_MAX, 512), 1, "range");
	cr_expect_eq(request(&v, 1, 0, 100), 1, "no whole sector");
	cr_expect_eq(request(&v, 99, 0, 512), 2, "unsupported");
	cr_assert(device_fault(machine_device(r.m, "vblk0"), "error", 1, &err));
	cr_expect_eq(request(&v, 0, 0, 512), 1, "injected");
	cr_expect_eq(request(&v, 0, 0, 512), 0);
	cr_expect_eq(r.odds, 0);
	/* A driver that cannot flush. */
	begin(&v, &r, SLOT_BLK, 1, VIRTIO_F_INDIRECT_DESC);
	fill(&r, 'w', 512);
	cr_expect_eq(request(&v, 1, 9, 512), 0);
	rig_image_read(&r, 9 * 512, &byte, 1);
	cr_expect_eq(byte, 'w', "written through");
	rig_stop(&r);
}

/* More than the device moves at once. */
Test(virtio, a_request_may_be_long)
{
	static uint8_t data[200 * 1024], got[sizeof(data)];
	const paddr_t at = UINT64_C(0x600000);
	struct rig r;
	struct driver v;
	uint8_t status = 9;

	start(&r);
	begin(&v, &r, SLOT_BLK, 1, 1 << 9);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i >> 9 ^ i);
	for (uint32_t type = 1; type <= 1; type--) {
		uint32_t header[4] = {type, 0, 3, 0};

		bus_poke(r.bus, at, type ? data : got, sizeof(data));
		bus_poke(r.bus, HEADER, header, 16);
		desc(&v, DESC(0), 0, HEADER, 16, F_NEXT, 1);
		desc(&v, DESC(0), 1, at, sizeof(data),
		     F_NEXT | (type ? 0 : F_WRITE), 2);
		desc(&v, DESC(0), 2, STATUS, 1, F_WRITE, 0);
		offer(&v, 0, 0);
		notify(&v, 0);
		rig_run(&r, PS_PER_MS);
		cr_expect_eq(used(&v, 0, NULL),
			     (int64_t)(type ? 1 : sizeof(data) + 1));
		bus_peek(r.bus, STATUS, &status, 1);
		cr_expect_eq(status, 0);
	}
	bus_peek(r.bus, at, got, sizeof(got));
	cr_expect_eq(memcmp(data, got, sizeof(data)), 0);
	rig_stop(&r);
}

Test(virtio, a_request_takes_its_time_and_a_reset_ends_it)
{
	struct rig r;
	struct driver v;

	start(&r);
	begin(&v, &r, SLOT_BLK, 1, VIRTIO_F_INDIRECT_DESC | 1 << 9);
	fill(&r, 'v', 512);
	cr_expect_eq(request(&v, 1, 0, 512), 0);
	cr_expect_eq(r.disk[0].when, 18 * PS_PER_US + 512 * 300);
	offer(&v, 0, 0);
	notify(&v, 0);
	set(&v, VIRTIO_DEVICE_STATUS, 1, 0);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(r.disk_count, 1, "it never happened");
	rig_stop(&r);
}

/* ---- network card ---- */

static void frame_make(uint8_t *f, uint64_t to, uint64_t from, size_t bytes)
{
	memset(f, 'f', bytes);
	for (unsigned i = 0; i < 6; i++) {
		f[i] = (uint8_t)(to >> 8 * (5 - i));
		f[6 + i] = (uint8_t)(from >> 8 * (5 - i));
	}
}

static void net_begin(struct driver *v, struct rig *r, uint64_t wanted)
{
	begin(v, r, SLOT_NET, 2, wanted);
}

/* Buffer i of the receive queue. */
static void buffer(struct driver *v, uint16_t i, uint32_t bytes)
{
	desc(v, DESC(0), i, DATA(0) + 0x1000ull * i, bytes, F_WRITE, 0);
	offer(v, 0, i);
}

static void net_send(struct driver *v, const uint8_t *frame, uint32_t bytes)
{
	static const uint8_t header[VIRTIO_NET_HEADER];

	bus_poke(v->r->bus, DATA(1), header, sizeof(header));
	bus_poke(v->r->bus, DATA(1) + sizeof(header), frame, bytes);
	desc(v, DESC(1), 0, DATA(1), sizeof(header) + bytes, 0, 0);
	offer(v, 1, 0);
	notify(v, 1);
}

/* Machines on a switch, and one port that a test sends from. */
struct lan {
	struct net_switch *net;
	struct net_port *outside;
	struct rig r[2];
	struct driver v[2];
	unsigned count;
};

static void lan_start(struct lan *l, unsigned count, uint64_t wanted)
{
	struct net_switch_config c;

	net_switch_defaults(&c);
	l->net = net_switch_create(&c);
	l->outside = net_switch_port(l->net, "outside");
	l->count = count;
	for (unsigned i = 0; i < count; i++) {
		rig_virtio_start(&l->r[i], 1, MAC(i),
				 net_switch_port(l->net, "card"));
		net_begin(&l->v[i], &l->r[i], wanted);
	}
}

static void lan_run(struct lan *l, ps_t how_long)
{
	ps_t now = rig_now(&l->r[0]), end = now + how_long;

	while (now < end) {
		now += 40 * PS_PER_US;
		for (unsigned i = 0; i < l->count; i++)
			rig_run_to(&l->r[i], now);
		net_switch_advance(l->net, now);
	}
}

static void lan_stop(struct lan *l)
{
	for (unsigned i = 0; i < l->count; i++)
		rig_stop(&l->r[i]);
	net_switch_destroy(l->net);
}

/* From outside to the cards, and there. */
static void arrives(struct lan *l, const uint8_t *frame, size_t bytes)
{
	net_port_send(l->outside, rig_now(&l->r[0]), frame, bytes);
	lan_run(l, PS_PER_MS);
}

Test(virtio, a_frame_fills_as_many_buffers_as_it_needs)
{
	struct lan l;
	struct rig *r = &l.r[0];
	struct driver *v = &l.v[0];
	uint8_t frame[1500], got[1600];

	lan_start(&l, 1, VIRTIO_NET_F_MRG_RXBUF);
	for (uint16_t i = 0; i < 4; i++)
		buffer(v, i, 512);
	frame_make(frame, MAC(0), MAC(7), sizeof(frame));
	arrives(&l, frame, sizeof(frame));
	cr_expect_eq(interrupt(r), VECTOR);
	cr_expect_eq(used(v, 0, NULL), 512);
	cr_expect_eq(used(v, 0, NULL), 512);
	cr_expect_eq(used(v, 0, NULL), 1512 - 1024);
	cr_expect_eq(used(v, 0, NULL), -1);
	cr_expect_eq(word(r, DATA(0) + 10), 3, "num_buffers");
	for (unsigned i = 0; i < 3; i++)
		bus_peek(r->bus, DATA(0) + 0x1000 * i, got + 512 * i, 512);
	cr_expect_eq(memcmp(got + VIRTIO_NET_HEADER, frame, sizeof(frame)), 0);
	/* One buffer is left: too small, so the frame is lost and the buffer
	 * is not. */
	arrives(&l, frame, sizeof(frame));
	cr_expect_eq(used(v, 0, NULL), -1);
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), 72);
	cr_expect_eq(r->odds, 0);
	lan_stop(&l);
}

Test(virtio, a_card_doubles_bends_and_swaps_frames)
{
	struct lan l;
	struct rig *r = &l.r[0];
	struct driver *v = &l.v[0];
	struct error err = {0};
	struct device *net0;
	uint8_t frame[60], other[60], byte;

	lan_start(&l, 1, 0);
	net0 = machine_device(r->m, "net0");
	frame_make(frame, MAC(0), MAC(7), sizeof(frame));
	memcpy(other, frame, sizeof(other));
	other[59] = (uint8_t)~frame[59];
	for (uint16_t i = 0; i < 5; i++)
		buffer(v, i, 512);
	cr_assert(device_fault(net0, "duplicate", 1, &err));
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), 72);
	cr_expect_eq(used(v, 0, NULL), 72, "twice");
	cr_assert(device_fault(net0, "corrupt", 1, &err));
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), 72);
	bus_peek(r->bus, DATA(0) + 0x2000 + VIRTIO_NET_HEADER + 30, &byte, 1);
	cr_expect_eq(byte, frame[30] ^ 0x10);
	cr_assert(device_fault(net0, "reorder", 1, &err));
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), -1, "held");
	arrives(&l, other, 60);
	cr_expect_eq(used(v, 0, NULL), 72);
	cr_expect_eq(used(v, 0, NULL), 72);
	bus_peek(r->bus, DATA(0) + 0x3000 + VIRTIO_NET_HEADER + 59, &byte, 1);
	cr_expect_eq(byte, other[59], "the younger one first");
	bus_peek(r->bus, DATA(0) + 0x4000 + VIRTIO_NET_HEADER + 59, &byte, 1);
	cr_expect_eq(byte, frame[59]);
	lan_stop(&l);
}

Test(virtio, a_card_loses_frames_and_its_cable)
{
	struct lan l;
	struct rig *r = &l.r[0];
	struct driver *v = &l.v[0];
	struct error err = {0};
	struct device *net0;
	uint8_t frame[60];

	lan_start(&l, 1, 0);
	net0 = machine_device(r->m, "net0");
	frame_make(frame, MAC(0), MAC(7), sizeof(frame));
	cr_assert(device_fault(net0, "drop", 1, &err));
	buffer(v, 0, 512);
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), -1, "dropped");
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), 72);
	cr_expect_eq(interrupt(r), VECTOR);
	cr_expect_eq(reg(v, VIRTIO_DEVICE + 6, 2), 1);
	cr_assert(device_fault(net0, "link", 1, &err));
	cr_expect_eq(reg(v, VIRTIO_DEVICE + 6, 2), 0);
	cr_expect_eq(interrupt(r), VECTOR + 2, "configuration");
	buffer(v, 1, 512);
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), -1, "the link is down");
	cr_assert(device_fault(net0, "link", 0, &err));
	arrives(&l, frame, 60);
	cr_expect_eq(used(v, 0, NULL), 72);
	lan_stop(&l);
	/* Without a cable. */
	start(r);
	net_begin(v, r, 0);
	cr_expect_eq(reg(v, VIRTIO_DEVICE + 6, 2), 0);
	rig_stop(r);
}

Test(virtio, cards_send_to_each_other_at_the_cables_pace)
{
	struct lan l;
	uint8_t frame[100], got[100];

	lan_start(&l, 2, 0);
	for (uint16_t i = 0; i < 4; i++)
		buffer(&l.v[1], i, 2048);
	frame_make(frame, MAC(1), MAC(0), sizeof(frame));
	net_send(&l.v[0], frame, sizeof(frame));
	offer(&l.v[0], 1, 0); /* the same again */
	rig_run_to(&l.r[0], VIRTIO_NET_PS - 1);
	cr_expect_eq(used(&l.v[0], 1, NULL), -1);
	rig_run_to(&l.r[0], VIRTIO_NET_PS);
	cr_expect_eq(used(&l.v[0], 1, NULL), 0);
	/* 100 bytes, check sequence, preamble: 112 of 8 ns, and the gap. */
	rig_run(&l.r[0], 112 * 8 * PS_PER_NS - 1);
	cr_expect_eq(used(&l.v[0], 1, NULL), -1, "the cable is busy");
	rig_run(&l.r[0], 1 + 12 * 8 * PS_PER_NS);
	cr_expect_eq(used(&l.v[0], 1, NULL), 0);
	rig_run_to(&l.r[0], 10 * PS_PER_US);
	lan_run(&l, PS_PER_MS);
	cr_expect_eq(used(&l.v[1], 0, NULL), 112);
	cr_expect_eq(used(&l.v[1], 0, NULL), 112);
	bus_peek(l.r[1].bus, DATA(0) + VIRTIO_NET_HEADER, got, sizeof(got));
	cr_expect_eq(memcmp(frame, got, sizeof(got)), 0);
	cr_expect_eq(interrupt(&l.r[1]), VECTOR);
	net_send(&l.v[0], frame, 10);
	lan_run(&l, PS_PER_MS);
	cr_expect_eq(l.r[0].odds, 1, "no frame");
	lan_stop(&l);
}

/* What the cable can't carry yet stays with the driver, however it is told. */
Test(virtio, a_card_told_of_one_frame_at_a_time_keeps_the_cables_pace)
{
	struct lan l;
	uint8_t frame[1500];

	lan_start(&l, 1, 0);
	frame_make(frame, MAC(1), MAC(0), sizeof(frame));
	net_send(&l.v[0], frame, sizeof(frame));
	rig_run_to(&l.r[0], VIRTIO_NET_PS);
	cr_expect_eq(used(&l.v[0], 1, NULL), 0);
	net_send(&l.v[0], frame, sizeof(frame));
	/* 1500 bytes, check sequence, preamble, gap: 1524 of 8 ns. */
	rig_run(&l.r[0], 1524 * 8 * PS_PER_NS - 1);
	cr_expect_eq(used(&l.v[0], 1, NULL), -1, "the cable is busy");
	rig_run(&l.r[0], 1);
	cr_expect_eq(used(&l.v[0], 1, NULL), 0);
	/* And no later than that when it is free. */
	rig_run(&l.r[0], PS_PER_MS);
	net_send(&l.v[0], frame, sizeof(frame));
	rig_run(&l.r[0], VIRTIO_NET_PS - 1);
	cr_expect_eq(used(&l.v[0], 1, NULL), -1);
	rig_run(&l.r[0], 1);
	cr_expect_eq(used(&l.v[0], 1, NULL), 0);
	lan_stop(&l);
}

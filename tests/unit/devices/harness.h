/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/devices/harness.h - the whole board on the real engine, driven
 * from the register side.
 *
 * No CPU runs: a test makes the accesses that a CPU would make and moves the
 * clock itself.  What devices say is there to look at: console, odd records,
 * disk records, interrupts (by lapic_ack() or rig_intr()).
 */
#ifndef PARTERRE_TESTS_DEVICES_HARNESS_H
#define PARTERRE_TESTS_DEVICES_HARNESS_H

#include <criterion/criterion.h>

#include "sim/machine.h"

struct rig_disk_record {
	char device[16];
	ps_t when;
	uint64_t op, lba, blocks, nsid;
};

struct rig {
	struct machine *m;
	struct bus *bus;
	struct trace *trace;
	char console[256];
	ps_t console_when[256];
	unsigned console_count;
	char console1[16]; /* of serial line 1 */
	unsigned console1_count;
	unsigned dma_faults;
	unsigned odds;
	char odd_device[16], odd_what[64]; /* the last */
	struct rig_disk_record disk[64];
	unsigned disk_count;
	char image[64];  /* path; empty: no disk */
	char image2[64]; /* of namespace 2 */
	char image3[64]; /* of vblk0, when all are there */
};

#define RIG_IMAGE_BYTES (UINT64_C(1) << 20)

/* A machine with `cpus` CPUs; rig_disk_start() adds a disk of RIG_IMAGE_BYTES
 * and two controllers. */
void rig_start(struct rig *r, unsigned cpus);
void rig_disk_start(struct rig *r);
/* As that, behind iommu0. */
void rig_iommu_start(struct rig *r, unsigned cpus);
void rig_disks_start(struct rig *r); /* with two namespaces */
void rig_serial_start(struct rig *r, uint64_t serial_hz);
/* net0 with this address and port (NULL: no cable), vblk0 on an image, rng0
 * with this seed. */
void rig_virtio_start(struct rig *r, uint64_t seed, uint64_t mac,
		      struct net_port *port);
/* One of each, with two CPUs. */
void rig_everything_start(struct rig *r);
void rig_stop(struct rig *r); /* removes the image */

/* As a CPU would. */
uint64_t rig_read(struct rig *r, paddr_t pa, unsigned size);
void rig_write(struct rig *r, paddr_t pa, unsigned size, uint64_t value);
uint32_t rig_in(struct rig *r, uint16_t port, unsigned size);
void rig_out(struct rig *r, uint16_t port, unsigned size, uint32_t value);

void rig_run_to(struct rig *r, ps_t when);
void rig_run(struct rig *r, ps_t how_long);
ps_t rig_now(struct rig *r);
/* The level at the CPU's INTR pin. */
bool rig_intr(struct rig *r, unsigned cpu);
bool rig_nmi(struct rig *r, unsigned cpu);

/* Software-enables the local APIC of CPU 0 (the accessing CPU here). */
#define RIG_LAPIC UINT64_C(0xFEE00000)
void rig_lapic_on(struct rig *r);
#define RIG_IOAPIC UINT64_C(0xFEC00000)
void rig_ioapic_entry(struct rig *r, unsigned pin, uint64_t entry);
uint64_t rig_ioapic_get(struct rig *r, unsigned pin);

/* Bytes of the image file. */
void rig_image_read(struct rig *r, uint64_t at, void *buf, size_t bytes);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/machine_internal.h"
#include "sim/trace/trace.h"

static void console_byte(void *owner, unsigned serial, ps_t when, uint8_t c)
{
	struct rig *r = owner;

	if (serial) {
		r->console1[r->console1_count++ % sizeof(r->console1)] =
			(char)c;
		return;
	}
	if (r->console_count < sizeof(r->console) - 1) {
		r->console_when[r->console_count] = when;
		r->console[r->console_count++] = (char)c;
	}
}

static void on_record(void *owner, const struct trace_record *t)
{
	struct rig *r = owner;
	struct rig_disk_record *d;

	switch (t->kind->number) {
	case TRACE_EV_ODD:
		r->odds++;
		snprintf(r->odd_device, sizeof(r->odd_device), "%s",
			 t->value[0].s);
		snprintf(r->odd_what, sizeof(r->odd_what), "%s", t->value[1].s);
		break;
	case TRACE_EV_DISK:
		if (r->disk_count == ARRAY_LEN(r->disk))
			break;
		d = &r->disk[r->disk_count++];
		snprintf(d->device, sizeof(d->device), "%s", t->value[0].s);
		d->when = t->time;
		d->op = t->value[1].u;
		d->lba = t->value[2].u;
		d->blocks = t->value[3].u;
		d->nsid = t->value[4].u;
		break;
	case TRACE_EV_DMA_FAULT:
		r->dma_faults++;
		break;
	default:
		break;
	}
}

static struct machine_config config(unsigned cpus)
{
	struct machine_config c;

	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.cpu_count = cpus;
	return c;
}

static void start(struct rig *r, const struct machine_config *c)
{
	struct error err = {0};

	r->trace = trace_create(NULL, TRACE_CLASS_MACHINE, &err);
	cr_assert(r->trace, "%s", err.text);
	trace_listen(r->trace, on_record, r);
	r->m = machine_create(c, r->trace, &err);
	cr_assert(r->m, "%s", err.text);
	machine_set_console(r->m, console_byte, r);
	r->bus = machine_bus(r->m);
}

void rig_start(struct rig *r, unsigned cpus)
{
	struct machine_config c = config(cpus);

	memset(r, 0, sizeof(*r));
	start(r, &c);
}

void rig_serial_start(struct rig *r, uint64_t serial_hz)
{
	struct machine_config c = config(1);

	c.serial_hz = serial_hz;
	memset(r, 0, sizeof(*r));
	start(r, &c);
}

static void image_make(char *path)
{
	int fd;

	strcpy(path, "/tmp/parterre-test-XXXXXX");
	fd = mkstemp(path);
	cr_assert(fd >= 0);
	cr_assert_eq(ftruncate(fd, (off_t)RIG_IMAGE_BYTES), 0);
	close(fd);
}

void rig_disk_start(struct rig *r)
{
	struct machine_config c = config(1);

	memset(r, 0, sizeof(*r));
	image_make(r->image);
	c.disk_path = r->image;
	start(r, &c);
}

void rig_iommu_start(struct rig *r, unsigned cpus)
{
	struct machine_config c = config(cpus);

	memset(r, 0, sizeof(*r));
	image_make(r->image);
	c.disk_path = r->image;
	c.iommu = true;
	start(r, &c);
}

void rig_disks_start(struct rig *r)
{
	struct machine_config c = config(1);

	memset(r, 0, sizeof(*r));
	image_make(r->image);
	image_make(r->image2);
	c.disk_path = r->image;
	c.more_disks[0] = r->image2;
	start(r, &c);
}

void rig_virtio_start(struct rig *r, uint64_t seed, uint64_t mac,
		      struct net_port *port)
{
	struct machine_config c = config(1);

	memset(r, 0, sizeof(*r));
	image_make(r->image);
	c.virtio_disk = r->image;
	c.nics = 1;
	c.nic_mac = mac;
	c.nic_port[0] = port;
	c.rng = true;
	c.seed = seed;
	start(r, &c);
}

void rig_everything_start(struct rig *r)
{
	struct machine_config c = config(2);

	memset(r, 0, sizeof(*r));
	image_make(r->image);
	image_make(r->image2);
	image_make(r->image3);
	c.disk_path = r->image;
	c.more_disks[0] = r->image2;
	c.virtio_disk = r->image3;
	c.nics = MACHINE_NICS;
	c.rng = true;
	c.iommu = true;
	start(r, &c);
}

void rig_stop(struct rig *r)
{
	struct error err;

	machine_destroy(r->m);
	trace_close(r->trace, &err);
	if (r->image[0])
		unlink(r->image);
	if (r->image2[0])
		unlink(r->image2);
	if (r->image3[0])
		unlink(r->image3);
}

uint64_t rig_read(struct rig *r, paddr_t pa, unsigned size)
{
	return bus_mmio_read(r->bus, pa, size);
}

void rig_write(struct rig *r, paddr_t pa, unsigned size, uint64_t value)
{
	bus_mmio_write(r->bus, pa, size, value);
}

uint32_t rig_in(struct rig *r, uint16_t port, unsigned size)
{
	return bus_port_read(r->bus, port, size);
}

void rig_out(struct rig *r, uint16_t port, unsigned size, uint32_t value)
{
	bus_port_write(r->bus, port, size, value);
}

void rig_run_to(struct rig *r, ps_t when)
{
	evq_advance(machine_evq(r->m), when);
}

void rig_run(struct rig *r, ps_t how_long)
{
	rig_run_to(r, rig_now(r) + how_long);
}

ps_t rig_now(struct rig *r)
{
	return machine_now(r->m);
}

bool rig_intr(struct rig *r, unsigned cpu)
{
	return r->m->vcpu[cpu].intr;
}

bool rig_nmi(struct rig *r, unsigned cpu)
{
	return r->m->vcpu[cpu].nmi;
}

void rig_lapic_on(struct rig *r)
{
	rig_write(r, RIG_LAPIC + 0xF0, 4, 0x1FF);
}

void rig_ioapic_entry(struct rig *r, unsigned pin, uint64_t entry)
{
	rig_write(r, RIG_IOAPIC, 4, 0x11 + 2 * pin);
	rig_write(r, RIG_IOAPIC + 0x10, 4, entry >> 32);
	rig_write(r, RIG_IOAPIC, 4, 0x10 + 2 * pin);
	rig_write(r, RIG_IOAPIC + 0x10, 4, entry & UINT32_MAX);
}

uint64_t rig_ioapic_get(struct rig *r, unsigned pin)
{
	uint64_t high;

	rig_write(r, RIG_IOAPIC, 4, 0x11 + 2 * pin);
	high = rig_read(r, RIG_IOAPIC + 0x10, 4);
	rig_write(r, RIG_IOAPIC, 4, 0x10 + 2 * pin);
	return high << 32 | rig_read(r, RIG_IOAPIC + 0x10, 4);
}

void rig_image_read(struct rig *r, uint64_t at, void *buf, size_t bytes)
{
	int fd = open(r->image, O_RDONLY);

	cr_assert(fd >= 0);
	cr_assert_eq(pread(fd, buf, bytes, (off_t)at), (ssize_t)bytes);
	close(fd);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/pci.c - the host bridge "pci0" and the common part of functions.
 * Section numbers are of PCI Local Bus Specification 3.0 unless said
 * otherwise.
 */
#include "devices/pci.h"

#include <stdio.h>
#include <string.h>

#include "devices/ioapic.h"
#include "devices/pci_internal.h"
#include "sim/check.h"

/* PCI Express 7.8. */
#define EXPRESS_DEVICE_CAP     4
#define EXPRESS_DEVICE_CONTROL 8
#define EXPRESS_FLR_CAPABLE    UINT32_C(0x10000000)
#define EXPRESS_INITIATE_FLR   0x8000

/* ---- BARs (6.2.5) ---- */

static uint64_t bar_address(const struct pci_function *f, unsigned index)
{
	const uint8_t *p = f->config + PCI_BAR0 + 4 * index;

	return (pci_load(p, 4) & ~UINT32_C(0xF)) | (uint64_t)pci_load(p + 4, 4)
							   << 32;
}

static void bar_unmap(struct pci_function *f, unsigned index)
{
	if (!f->bar[index].mapped)
		return;
	bus_unmap(machine_bus(f->device.machine), &f->device,
		  f->bar[index].mapped);
	f->bar[index].mapped = 0;
}

/* Makes the bus agree with command register and BARs. */
static void bars_update(struct pci_function *f)
{
	struct bus *bus = machine_bus(f->device.machine);

	for (unsigned i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &f->bar[i];
		uint64_t at = 0;

		if (!bar->bytes)
			continue;
		if ((pci_command(f) & PCI_COMMAND_MEMORY) && !f->fault_removed)
			at = bar_address(f, i);
		/* While its size is probed it stands at the top. */
		if (at > UINT64_MAX - bar->bytes)
			at = 0;
		if (at == bar->mapped)
			continue;
		bar_unmap(f, i);
		if (!at)
			continue;
		if (bus_map_mmio(bus,
				 &(struct bus_range){at, bar->bytes, bar->ops,
						     &f->device, bar->name},
				 NULL))
			bar->mapped = at;
		else
			machine_odd(&f->device, "BAR overlaps another range",
				    PCI_BAR0 + 4 * i, at);
	}
}

void pci_removed(struct pci_function *f)
{
	bars_update(f);
	pci_intx_set(f, false);
}

bool pci_bar_declare(struct pci_function *f, unsigned index, uint64_t bytes,
		     const struct bus_ops *ops, const struct device_prop *props,
		     size_t prop_count, struct error *err)
{
	struct pci_bar *bar = &f->bar[index];
	char name[8];
	const struct device_prop *at;

	CHECK(index % 2 == 0 && index < PCI_BARS);
	CHECK(bytes >= PAGE_BYTES && !(bytes & (bytes - 1)));
	snprintf(name, sizeof(name), "bar%u", index);
	at = device_prop_find(props, prop_count, name);
	if (at && (at->value & (bytes - 1)))
		return error_set(err, EXIT_USAGE,
				 "%s: property %s is %#llx; it must be a "
				 "multiple of %#llx",
				 f->device.name, name,
				 (unsigned long long)at->value,
				 (unsigned long long)bytes);
	bar->bytes = bytes;
	bar->ops = ops;
	snprintf(bar->name, sizeof(bar->name), "%s.%s", f->device.name, name);
	pci_store(f->image + PCI_BAR0 + 4 * index, 4,
		  (at ? (uint32_t)at->value : 0) | 4); /* 64-bit memory */
	pci_store(f->image + PCI_BAR0 + 4 * index + 4, 4,
		  at ? (uint32_t)(at->value >> 32) : 0);
	pci_store(f->writable + PCI_BAR0 + 4 * index, 4,
		  (uint32_t) ~(bytes - 1));
	pci_store(f->writable + PCI_BAR0 + 4 * index + 4, 4,
		  (uint32_t)(~(bytes - 1) >> 32));
	return true;
}

/* ---- capabilities (6.7) ---- */

unsigned pci_capability_add(struct pci_function *f, uint8_t id, unsigned bytes)
{
	unsigned at = f->cap_free;

	CHECK(at + bytes <= sizeof(f->config));
	f->image[at] = id;
	if (f->cap_last)
		f->image[f->cap_last + 1] = (uint8_t)at;
	else
		f->image[PCI_CAPABILITIES] = (uint8_t)at;
	f->image[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	f->cap_last = at;
	f->cap_free = (at + bytes + 3) & ~3U;
	return at;
}

void pci_express_declare(struct pci_function *f)
{
	unsigned at = pci_capability_add(f, PCI_CAP_EXPRESS, 0x3C);

	f->express_cap = at;
	pci_store(f->image + at + 2, 2, 0x0092); /* version 2, RC integrated */
	pci_store(f->image + at + EXPRESS_DEVICE_CAP, 4,
		  EXPRESS_FLR_CAPABLE |
			  0x8000); /* role-based error reporting */
	/* Error reporting enables, payload sizes; FLR reads as zero. */
	pci_store(f->writable + at + EXPRESS_DEVICE_CONTROL, 2, 0x78FF);
}

/* ---- DMA ---- */

struct pci_host {
	struct pci_function pci; /* the bridge is 00:00.0 */
	uint32_t config_address; /* CF8 (3.2.2.3.2) */
	uint8_t reset_control;   /* CF9 */
	struct pci_function *slot[PCI_SLOTS];
	pci_remap_fn *remap; /* NULL: no IOMMU */
	struct device *iommu;
};

static bool may_dma(struct pci_function *f, paddr_t pa)
{
	if (f->fault_removed)
		return false;
	if ((pci_command(f) & PCI_COMMAND_MASTER) || f->fault_deaf)
		return true;
	machine_odd(&f->device, "DMA without bus mastering", PCI_COMMAND, pa);
	return false;
}

/* How many of the bytes go to *to in one piece; 0: none. */
static uint64_t remapped(struct pci_function *f, paddr_t pa, uint64_t bytes,
			 bool write, paddr_t *to)
{
	const struct pci_host *h = (const struct pci_host *)f->bus[0];
	uint64_t left = PAGE_BYTES - pa % PAGE_BYTES;

	*to = pa;
	if (!h->remap)
		return bytes;
	if (!h->remap(h->iommu, &f->device, (uint16_t)(f->slot << 3), pa, write,
		      to))
		return 0;
	return bytes < left ? bytes : left;
}

bool pci_dma_read(struct pci_function *f, paddr_t pa, void *buf, uint64_t bytes)
{
	struct bus *bus = machine_bus(f->device.machine);
	uint8_t *into = buf;

	if (!may_dma(f, pa))
		return false;
	do {
		paddr_t to;
		uint64_t part = remapped(f, pa, bytes, false, &to);

		if ((!part && bytes) ||
		    !bus_dma_read(bus, &f->device, to, into, part))
			return false;
		pa += part;
		into += part;
		bytes -= part;
	} while (bytes);
	return true;
}

bool pci_dma_write(struct pci_function *f, paddr_t pa, const void *buf,
		   uint64_t bytes)
{
	struct bus *bus = machine_bus(f->device.machine);
	const uint8_t *from = buf;

	if (!may_dma(f, pa))
		return false;
	pa = pci_fault_target(f, pa);
	do {
		paddr_t to;
		uint64_t part = remapped(f, pa, bytes, true, &to);

		if ((!part && bytes) ||
		    !bus_dma_write(bus, &f->device, to, from, part))
			return false;
		pa += part;
		from += part;
		bytes -= part;
	} while (bytes);
	return true;
}

/* ---- configuration accesses ---- */

static uint32_t config_read(struct pci_function *f, unsigned off, unsigned size)
{
	if (off + size > sizeof(f->config))
		return 0;
	if (f->config_reading)
		f->config_reading(f, off);
	return pci_load(f->config + off, size);
}

/* PCI Express 6.6.2: everything goes, what firmware assigned as well. */
static void function_level_reset(struct pci_function *f)
{
	pci_function_reset(f);
	pci_store(f->config + PCI_COMMAND, 2, 0);
	f->config[PCI_INTERRUPT_LINE] = 0;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint8_t *p = f->config + PCI_BAR0 + 4 * i;

		pci_store(p, 4, f->bar[i].bytes ? pci_load(p, 4) & 0xF : 0);
	}
	bars_update(f);
	if (f->flr)
		f->flr(f);
}

static void config_write(struct pci_function *f, unsigned off, unsigned size,
			 uint32_t value)
{
	unsigned flr = f->express_cap + EXPRESS_DEVICE_CONTROL + 1;

	if (off + size > sizeof(f->config))
		return;
	for (unsigned i = off; i < off + size; i++, value >>= 8) {
		uint8_t mask = f->writable[i];

		f->config[i] =
			(uint8_t)((f->config[i] & ~mask) | (value & mask));
		if (f->express_cap && i == flr &&
		    (value & (EXPRESS_INITIATE_FLR >> 8))) {
			function_level_reset(f);
			return;
		}
	}
	bars_update(f);
	pci_interrupts_update(f);
	if (f->config_written)
		f->config_written(f);
	if (f->config_wrote)
		f->config_wrote(f, off);
}

/* ---- functions ---- */

bool pci_function_init(struct pci_function *f, const struct pci_ident *ident,
		       const struct device_prop *props, size_t prop_count,
		       struct error *err)
{
	const struct device_prop *slot =
		device_prop_find(props, prop_count, "slot");
	struct device *ioapic = machine_device(f->device.machine, "ioapic0");
	struct device *bridge = machine_device(f->device.machine, "pci0");
	struct pci_host *host =
		(struct pci_host *)(bridge ? bridge : &f->device);

	f->slot = slot ? (unsigned)slot->value : 0;
	if (f->slot >= PCI_SLOTS || host->slot[f->slot])
		return error_set(err, EXIT_USAGE,
				 "%s: PCI slot %u is taken or too high; choose "
				 "a free one below %u",
				 f->device.name, f->slot, PCI_SLOTS);
	host->slot[f->slot] = f;
	f->bus = host->slot;
	pci_fault_init(f);
	f->cap_free = 0x40;
	pci_store(f->image + PCI_VENDOR_ID, 2, ident->vendor);
	pci_store(f->image + PCI_DEVICE_ID, 2, ident->device);
	f->image[PCI_REVISION] = ident->revision;
	pci_store(f->image + PCI_CLASS, 3, ident->class_code);
	pci_store(f->image + PCI_SUBSYSTEM_VENDOR, 2, ident->subsystem_vendor);
	pci_store(f->image + PCI_SUBSYSTEM_ID, 2, ident->subsystem);
	if (!f->slot)
		return true;
	pci_store(f->image + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_store(f->writable + PCI_COMMAND, 2,
		  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			  PCI_COMMAND_INTX_DISABLE);
	f->writable[PCI_INTERRUPT_LINE] = 0xFF;
	if (ioapic) {
		f->inta = (struct irq_line){ioapic_pin_set, ioapic,
					    PCI_INTA_PIN(f->slot)};
		f->image[PCI_INTERRUPT_PIN] = 1;
		f->image[PCI_INTERRUPT_LINE] = (uint8_t)f->inta.pin;
	}
	return true;
}

void pci_function_reset(struct pci_function *f)
{
	memcpy(f->config, f->image, sizeof(f->config));
	pci_interrupts_reset(f);
	bars_update(f);
}

static void bars_unmap(struct pci_function *f)
{
	for (unsigned i = 0; i < PCI_BARS; i++)
		bar_unmap(f, i);
}

void pci_function_fini(struct pci_function *f)
{
	pci_fault_fini(f);
	bars_unmap(f);
}

/* ---- the host bridge ---- */

void pci_remap_by(struct device *iommu, pci_remap_fn *remap)
{
	struct pci_host *h =
		(struct pci_host *)machine_device(iommu->machine, "pci0");

	CHECK(h);
	h->remap = remap;
	h->iommu = iommu;
}

/* bdf: bus, device and function as in ECAM address bits 27:12. */
static uint64_t host_read(struct pci_host *h, unsigned bdf, unsigned off,
			  unsigned size)
{
	struct pci_function *f = NULL;

	if (bdf >> 3 < PCI_SLOTS && !(bdf & 7))
		f = h->slot[bdf >> 3];
	if (f && f->fault_removed)
		f = NULL;
	return f ? config_read(f, off, size) : UINT32_MAX >> (32 - 8 * size);
}

static void host_write(struct pci_host *h, unsigned bdf, unsigned off,
		       unsigned size, uint32_t value)
{
	if (bdf >> 3 < PCI_SLOTS && !(bdf & 7) && h->slot[bdf >> 3] &&
	    !h->slot[bdf >> 3]->fault_removed)
		config_write(h->slot[bdf >> 3], off, size, value);
	else
		machine_odd(&h->pci.device, "write to no PCI function", bdf,
			    value);
}

static uint64_t ecam_read(struct device *d, uint64_t off, unsigned size)
{
	return host_read((struct pci_host *)d, off >> 12, off & 0xFFF, size);
}

static void ecam_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	host_write((struct pci_host *)d, off >> 12, off & 0xFFF, size,
		   (uint32_t)value);
}

#define CONFIG_ENABLE UINT32_C(0x80000000)

static uint64_t ports_read(struct device *d, uint64_t off, unsigned size)
{
	struct pci_host *h = (struct pci_host *)d;
	uint32_t a = h->config_address;

	if (off == 0 && size == 4)
		return a;
	if (off == 1 && size == 1)
		return h->reset_control;
	if (off < 4 || !(a & CONFIG_ENABLE))
		return UINT32_MAX >> (32 - 8 * size);
	return host_read(h, a >> 8 & 0xFFFF, (a & 0xFC) + (off - 4), size);
}

/* The platform is reset when RST_CPU rises, whatever kind of reset the other
 * bits choose: a CPU is never reset alone here. */
static void reset_control_write(struct pci_host *h, uint8_t value)
{
	bool rises = (value & ~h->reset_control) & PCI_RST_CPU;

	h->reset_control = value & PCI_RST_BITS;
	if (rises)
		machine_reset(h->pci.device.machine);
}

static void ports_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	struct pci_host *h = (struct pci_host *)d;
	uint32_t a = h->config_address;

	/* 3.2.2.3.2: only a doubleword reaches CONFIG_ADDRESS. */
	if (off == 0 && size == 4)
		h->config_address = (uint32_t)value & 0x80FFFFFC;
	else if (off == 1 && size == 1)
		reset_control_write(h, (uint8_t)value);
	else if (off < 4)
		machine_odd(d, "port not modelled", 0xCF8 + off, value);
	else if (a & CONFIG_ENABLE)
		host_write(h, a >> 8 & 0xFFFF, (a & 0xFC) + (off - 4), size,
			   (uint32_t)value);
}

static void host_reset(struct device *d)
{
	struct pci_host *h = (struct pci_host *)d;

	/* A function that was moved to another's place lets go of it before
	 * the other, which may be reset earlier, comes home. */
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		if (h->slot[slot])
			bars_unmap(h->slot[slot]);
	}
	h->config_address = 0;
	h->reset_control = 0;
	pci_function_reset(&h->pci);
}

/* For all functions, so that a class of one need not: those that were moved let
 * go first. */
static void host_restored(struct device *d)
{
	struct pci_host *h = (struct pci_host *)d;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		if (h->slot[slot])
			bars_unmap(h->slot[slot]);
	}
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		if (h->slot[slot])
			bars_update(h->slot[slot]);
	}
}

static bool host_init(struct device *d, const struct device_prop *props,
		      size_t prop_count, struct error *err)
{
	static const struct pci_ident ident = {
		.vendor = 0x1B36, /* the generic PCIe host bridge of QEMU */
		.device = 0x0008,
		.class_code = 0x060000,
		.subsystem_vendor = 0x1AF4,
		.subsystem = 0x1100,
	};
	static const struct bus_ops ecam = {ecam_read, ecam_write, 1, 4};
	static const struct bus_ops ports = {ports_read, ports_write, 1, 4};
	struct bus *bus = machine_bus(d->machine);

	return pci_function_init((struct pci_function *)d, &ident, props,
				 prop_count, err) &&
	       bus_map_mmio(bus,
			    &(struct bus_range){PCI_ECAM_BASE, PCI_ECAM_BYTES,
						&ecam, d, d->name},
			    err) &&
	       bus_map_ports(bus,
			     &(struct bus_range){0xCF8, 8, &ports, d, d->name},
			     err);
}

static const struct device_field host_fields[] = {
	PCI_FIELDS(struct pci_host),
	DEVICE_FIELD(struct pci_host, config_address),
	DEVICE_FIELD(struct pci_host, reset_control),
	{NULL, 0, 0, 0},
};

static const struct device_register host_registers[] = {
	{"VENDOR_ID", PCI_VENDOR_ID, 2},
	{"DEVICE_ID", PCI_DEVICE_ID, 2},
	{NULL, 0, 0},
};

const struct device_class pci_host_class = {
	.name = "pci_host",
	.summary = "PCI Express host bridge: ECAM and ports CF8, CFC",
	.object_bytes = sizeof(struct pci_host),
	.fields = host_fields,
	.registers = host_registers,
	.init = host_init,
	.reset = host_reset,
	.restored = host_restored,
};

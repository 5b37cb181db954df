/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/pci.c - the host bridge "pci0" and the common part of functions.
 * Section numbers are of PCI Local Bus Specification 3.0 unless said
 * otherwise.
 */
#include "devices/pci.h"

#include <stdio.h>
#include <string.h>

#include "devices/ioapic.h"
#include "sim/check.h"

/* 6.8.2: MSI-X capability. */
#define MSIX_CONTROL       2
#define MSIX_ENABLE        0x8000
#define MSIX_FUNCTION_MASK 0x4000
#define MSIX_VECTOR_MASKED UINT32_C(1)
/* PCI Express 7.8. */
#define EXPRESS_DEVICE_CAP     4
#define EXPRESS_DEVICE_CONTROL 8
#define EXPRESS_FLR_CAPABLE    UINT32_C(0x10000000)
#define EXPRESS_INITIATE_FLR   0x8000

static uint32_t load(const uint8_t *p, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)p[i] << 8 * i;
	return value;
}

static void store(uint8_t *p, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++)
		p[i] = value >> 8 * i & 0xFF;
}

static uint16_t command(const struct pci_function *f)
{
	return (uint16_t)load(f->config + PCI_COMMAND, 2);
}

/* ---- BARs (6.2.5) ---- */

static uint64_t bar_address(const struct pci_function *f, unsigned index)
{
	const uint8_t *p = f->config + PCI_BAR0 + 4 * index;

	return (load(p, 4) & ~UINT32_C(0xF)) | (uint64_t)load(p + 4, 4) << 32;
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
		if (command(f) & PCI_COMMAND_MEMORY)
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
	store(f->image + PCI_BAR0 + 4 * index, 4,
	      (at ? (uint32_t)at->value : 0) | 4); /* 64-bit memory */
	store(f->image + PCI_BAR0 + 4 * index + 4, 4,
	      at ? (uint32_t)(at->value >> 32) : 0);
	store(f->writable + PCI_BAR0 + 4 * index, 4, (uint32_t) ~(bytes - 1));
	store(f->writable + PCI_BAR0 + 4 * index + 4, 4,
	      (uint32_t)(~(bytes - 1) >> 32));
	return true;
}

/* ---- capabilities (6.7) ---- */

static unsigned capability_add(struct pci_function *f, uint8_t id,
			       unsigned bytes)
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
	unsigned at = capability_add(f, PCI_CAP_EXPRESS, 0x3C);

	f->express_cap = at;
	store(f->image + at + 2, 2, 0x0092); /* version 2, RC integrated */
	store(f->image + at + EXPRESS_DEVICE_CAP, 4,
	      EXPRESS_FLR_CAPABLE | 0x8000); /* role-based error reporting */
	/* Error reporting enables, payload sizes; FLR reads as zero. */
	store(f->writable + at + EXPRESS_DEVICE_CONTROL, 2, 0x78FF);
}

void pci_msix_declare(struct pci_function *f, unsigned vectors, unsigned bar,
		      uint32_t table_off, uint32_t pba_off)
{
	unsigned at = capability_add(f, PCI_CAP_MSIX, 12);

	CHECK(vectors > 0 && vectors <= PCI_MSIX_VECTORS_MAX);
	f->msix_cap = at;
	f->msix_vectors = vectors;
	store(f->image + at + MSIX_CONTROL, 2, vectors - 1);
	store(f->image + at + 4, 4, table_off | bar);
	store(f->image + at + 8, 4, pba_off | bar);
	store(f->writable + at + MSIX_CONTROL, 2,
	      MSIX_ENABLE | MSIX_FUNCTION_MASK);
}

/* ---- interrupts ---- */

static uint16_t msix_control(const struct pci_function *f)
{
	if (!f->msix_cap)
		return 0;
	return (uint16_t)load(f->config + f->msix_cap + MSIX_CONTROL, 2);
}

bool pci_msix_enabled(const struct pci_function *f)
{
	return msix_control(f) & MSIX_ENABLE;
}

static bool msix_masked(const struct pci_function *f, unsigned vector)
{
	return (msix_control(f) & MSIX_FUNCTION_MASK) ||
	       (f->msix_table[vector * PCI_MSIX_ENTRY_WORDS + 3] &
		MSIX_VECTOR_MASKED);
}

void pci_msix_send(struct pci_function *f, unsigned vector)
{
	const uint32_t *entry = f->msix_table + vector * PCI_MSIX_ENTRY_WORDS;

	if (!pci_msix_enabled(f) || vector >= f->msix_vectors)
		return;
	if (msix_masked(f, vector)) {
		f->msix_pending |= UINT64_C(1) << vector;
		return;
	}
	f->msix_pending &= ~(UINT64_C(1) << vector);
	if (!(command(f) & PCI_COMMAND_MASTER)) {
		machine_odd(&f->device, "message without bus mastering",
			    PCI_COMMAND, vector);
		return;
	}
	bus_msi(machine_bus(f->device.machine), &f->device,
		entry[0] | (uint64_t)entry[1] << 32, entry[2]);
}

void pci_msix_withdraw(struct pci_function *f, unsigned vector)
{
	if (vector < f->msix_vectors)
		f->msix_pending &= ~(UINT64_C(1) << vector);
}

/* What was pending goes out once nothing masks it (6.8.3.4). */
static void msix_flush(struct pci_function *f)
{
	for (unsigned v = 0; v < f->msix_vectors; v++) {
		if ((f->msix_pending >> v & 1) && !msix_masked(f, v))
			pci_msix_send(f, v);
	}
}

static void intx_update(struct pci_function *f)
{
	bool drive = f->intx && !(command(f) & PCI_COMMAND_INTX_DISABLE) &&
		     !pci_msix_enabled(f);

	/* 6.2.3: the status bit shows the request whatever the disable bit. */
	if (f->intx)
		f->config[PCI_STATUS] |= PCI_STATUS_INTX;
	else
		f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
	irq_set(&f->inta, drive);
}

void pci_intx_set(struct pci_function *f, bool level)
{
	if (f->intx == level)
		return;
	f->intx = level;
	intx_update(f);
}

/* Table and PBA are read and written as 4 or 8 bytes (6.8.2). */
uint64_t pci_msix_table_read(struct pci_function *f, uint64_t off,
			     unsigned size)
{
	uint64_t index = off / 4, value;

	if (off % size || index >= f->msix_vectors * PCI_MSIX_ENTRY_WORDS)
		return 0;
	value = f->msix_table[index];
	if (size == 8)
		value |= (uint64_t)f->msix_table[index + 1] << 32;
	return value;
}

void pci_msix_table_write(struct pci_function *f, uint64_t off, unsigned size,
			  uint64_t value)
{
	uint64_t index = off / 4;

	if (off % size || index >= f->msix_vectors * PCI_MSIX_ENTRY_WORDS) {
		machine_odd(&f->device, "no such MSI-X table entry", off,
			    value);
		return;
	}
	for (unsigned i = 0; i < size / 4; i++, index++, value >>= 32) {
		static const uint32_t writable[PCI_MSIX_ENTRY_WORDS] = {
			~UINT32_C(3),
			UINT32_MAX,
			UINT32_MAX,
			MSIX_VECTOR_MASKED,
		};

		f->msix_table[index] = (uint32_t)value &
				       writable[index % PCI_MSIX_ENTRY_WORDS];
	}
	msix_flush(f);
}

uint64_t pci_msix_pba_read(struct pci_function *f, uint64_t off, unsigned size)
{
	if (off % size || off >= 8)
		return 0;
	return f->msix_pending >> 8 * off &
	       (size == 8 ? UINT64_MAX : UINT32_MAX);
}

/* ---- DMA ---- */

static bool may_dma(struct pci_function *f, paddr_t pa)
{
	if (command(f) & PCI_COMMAND_MASTER)
		return true;
	machine_odd(&f->device, "DMA without bus mastering", PCI_COMMAND, pa);
	return false;
}

bool pci_dma_read(struct pci_function *f, paddr_t pa, void *buf, uint64_t bytes)
{
	return may_dma(f, pa) && bus_dma_read(machine_bus(f->device.machine),
					      &f->device, pa, buf, bytes);
}

bool pci_dma_write(struct pci_function *f, paddr_t pa, const void *buf,
		   uint64_t bytes)
{
	return may_dma(f, pa) && bus_dma_write(machine_bus(f->device.machine),
					       &f->device, pa, buf, bytes);
}

/* ---- configuration accesses ---- */

static uint32_t config_read(struct pci_function *f, unsigned off, unsigned size)
{
	return off + size <= sizeof(f->config) ? load(f->config + off, size)
					       : 0;
}

/* PCI Express 6.6.2: everything goes, what firmware assigned as well. */
static void function_level_reset(struct pci_function *f)
{
	pci_function_reset(f);
	store(f->config + PCI_COMMAND, 2, 0);
	f->config[PCI_INTERRUPT_LINE] = 0;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint8_t *p = f->config + PCI_BAR0 + 4 * i;

		store(p, 4, f->bar[i].bytes ? load(p, 4) & 0xF : 0);
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
	msix_flush(f);
	intx_update(f);
	if (f->config_written)
		f->config_written(f);
}

/* ---- functions ---- */

struct pci_host {
	struct pci_function pci; /* the bridge is 00:00.0 */
	uint32_t config_address; /* CF8 (3.2.2.3.2) */
	struct pci_function *slot[PCI_SLOTS];
};

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
	f->cap_free = 0x40;
	store(f->image + PCI_VENDOR_ID, 2, ident->vendor);
	store(f->image + PCI_DEVICE_ID, 2, ident->device);
	f->image[PCI_REVISION] = ident->revision;
	store(f->image + PCI_CLASS, 3, ident->class_code);
	store(f->image + PCI_SUBSYSTEM_VENDOR, 2, ident->subsystem_vendor);
	store(f->image + PCI_SUBSYSTEM_ID, 2, ident->subsystem);
	if (!f->slot)
		return true;
	store(f->image + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	store(f->writable + PCI_COMMAND, 2,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		      PCI_COMMAND_INTX_DISABLE);
	f->writable[PCI_INTERRUPT_LINE] = 0xFF;
	/* Each slot has an I/O APIC pin of its own, 16 to 23: no wire has two
	 * drivers. */
	if (ioapic && f->slot < 8) {
		f->inta =
			(struct irq_line){ioapic_pin_set, ioapic, 16 + f->slot};
		f->image[PCI_INTERRUPT_PIN] = 1;
		f->image[PCI_INTERRUPT_LINE] = (uint8_t)f->inta.pin;
	}
	return true;
}

void pci_function_reset(struct pci_function *f)
{
	memcpy(f->config, f->image, sizeof(f->config));
	memset(f->msix_table, 0, sizeof(f->msix_table));
	for (unsigned v = 0; v < f->msix_vectors; v++)
		f->msix_table[v * PCI_MSIX_ENTRY_WORDS + 3] =
			MSIX_VECTOR_MASKED;
	f->msix_pending = 0;
	f->intx = 0;
	irq_set(&f->inta, false);
	bars_update(f);
}

void pci_function_fini(struct pci_function *f)
{
	for (unsigned i = 0; i < PCI_BARS; i++)
		bar_unmap(f, i);
}

/* ---- the host bridge ---- */

/* bdf: bus, device and function as in ECAM address bits 27:12. */
static uint64_t host_read(struct pci_host *h, unsigned bdf, unsigned off,
			  unsigned size)
{
	struct pci_function *f = NULL;

	if (bdf >> 3 < PCI_SLOTS && !(bdf & 7))
		f = h->slot[bdf >> 3];
	return f ? config_read(f, off, size) : UINT32_MAX >> (32 - 8 * size);
}

static void host_write(struct pci_host *h, unsigned bdf, unsigned off,
		       unsigned size, uint32_t value)
{
	if (bdf >> 3 < PCI_SLOTS && !(bdf & 7) && h->slot[bdf >> 3])
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
	if (off < 4 || !(a & CONFIG_ENABLE))
		return UINT32_MAX >> (32 - 8 * size);
	return host_read(h, a >> 8 & 0xFFFF, (a & 0xFC) + (off - 4), size);
}

static void ports_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	struct pci_host *h = (struct pci_host *)d;
	uint32_t a = h->config_address;

	/* 3.2.2.3.2: only a doubleword reaches CONFIG_ADDRESS. */
	if (off == 0 && size == 4)
		h->config_address = (uint32_t)value & 0x80FFFFFC;
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
			pci_function_fini(h->slot[slot]);
	}
	h->config_address = 0;
	pci_function_reset(&h->pci);
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
};

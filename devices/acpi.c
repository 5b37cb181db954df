/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/acpi.c - see acpi.h.  Section numbers are of ACPI 6.4. */
#include "devices/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "devices/acpi_pm.h"
#include "devices/board.h"
#include "devices/hpet.h"
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "devices/mc146818.h"
#include "devices/pci.h"
#include "devices/vtd.h"
#include "sim/check.h"

/* Bytes are appended; `at` is also the offset from ACPI_TABLES_BASE. */
struct out {
	uint8_t *buf;
	size_t at;
};

static void put(struct out *o, uint64_t value, unsigned size)
{
	CHECK(o->at + size <= ACPI_TABLES_BYTES);
	for (unsigned i = 0; i < size; i++)
		o->buf[o->at++] = (uint8_t)(value >> 8 * i);
}

static void put_text(struct out *o, const char *text, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		put(o, (uint8_t)text[i], 1);
}

static void patch(struct out *o, size_t at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		o->buf[at + i] = (uint8_t)(value >> 8 * i);
}

static void align(struct out *o, size_t to)
{
	while (o->at % to)
		put(o, 0, 1);
}

static uint64_t address(size_t at)
{
	return ACPI_TABLES_BASE + at;
}

static uint8_t checksum(const uint8_t *p, size_t bytes)
{
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

/* 5.2.6: the header of a description table; table_end() fills in length and
 * checksum. */
static size_t table_begin(struct out *o, const char *signature,
			  uint8_t revision)
{
	size_t at;

	align(o, 16);
	at = o->at;
	put_text(o, signature, 4);
	put(o, 0, 4);
	put(o, revision, 1);
	put(o, 0, 1);
	put_text(o, "PARTER", 6);
	put_text(o, "PARTERRE", 8);
	put(o, 1, 4);
	put_text(o, "PART", 4);
	put(o, 1, 4);
	return at;
}

static size_t table_end(struct out *o, size_t at)
{
	patch(o, at + 4, o->at - at, 4);
	o->buf[at + 9] = checksum(o->buf + at, o->at - at);
	return at;
}

/* ---- AML (20.2): the little that the DSDT needs ---- */

/* Opens something with a package length (20.2.4), written when it closes: the
 * two-byte form always, good for 4095 bytes. */
static size_t aml_open(struct out *o)
{
	put(o, 0, 2);
	return o->at - 2;
}

static void aml_close(struct out *o, size_t at)
{
	size_t length = o->at - at;

	CHECK(length < 4096);
	patch(o, at, 0x40 | (length & 0xF) | length >> 4 << 8, 2);
}

static void aml_name(struct out *o, const char *name)
{
	put(o, 0x08, 1); /* NameOp */
	put_text(o, name, 4);
}

static void aml_integer(struct out *o, uint64_t value)
{
	if (value < 2) {
		put(o, value, 1); /* ZeroOp, OneOp */
	} else if (value < 0x100) {
		put(o, 0x0A, 1); /* BytePrefix */
		put(o, value, 1);
	} else {
		put(o, 0x0C, 1); /* DWordPrefix */
		put(o, value, 4);
	}
}

static size_t aml_package_open(struct out *o, uint8_t elements)
{
	size_t at;

	put(o, 0x12, 1); /* PackageOp */
	at = aml_open(o);
	put(o, elements, 1);
	return at;
}

static size_t aml_device_open(struct out *o, const char *name)
{
	size_t at;

	put(o, 0x825B, 2); /* DeviceOp */
	at = aml_open(o);
	put_text(o, name, 4);
	return at;
}

/* EISAID (19.6.35): "PNP0A08". */
static void aml_eisaid(struct out *o, const char *id)
{
	uint32_t letters = (uint32_t)(id[0] - 0x40) << 10 |
			   (uint32_t)(id[1] - 0x40) << 5 |
			   (uint32_t)(id[2] - 0x40);
	uint32_t product = (uint32_t)strtoul(id + 3, NULL, 16);
	uint32_t big = letters << 16 | product;

	put(o, 0x0C, 1);
	put(o, __builtin_bswap32(big), 4);
}

static void aml_hid(struct out *o, const char *name, const char *id)
{
	aml_name(o, name);
	aml_eisaid(o, id);
}

/* A buffer of resource descriptors (6.4). */
struct crs {
	size_t package, size;
};

static struct crs crs_open(struct out *o)
{
	struct crs crs;

	aml_name(o, "_CRS");
	put(o, 0x11, 1); /* BufferOp */
	crs.package = aml_open(o);
	put(o, 0x0B, 1); /* WordPrefix: the buffer's size */
	crs.size = o->at;
	put(o, 0, 2);
	return crs;
}

static void crs_close(struct out *o, struct crs crs)
{
	put(o, 0x79, 1); /* end tag, checksum 0: treated as right */
	put(o, 0, 1);
	patch(o, crs.size, o->at - crs.size - 2, 2);
	aml_close(o, crs.package);
}

static void crs_io(struct out *o, uint16_t base, uint8_t ports)
{
	put(o, 0x47, 1); /* 6.4.2.5: decodes 16 bits */
	put(o, 1, 1);
	put(o, base, 2);
	put(o, base, 2);
	put(o, 1, 1);
	put(o, ports, 1);
}

static void crs_memory32_fixed(struct out *o, uint32_t base, uint32_t bytes)
{
	put(o, 0x86, 1); /* 6.4.3.4 */
	put(o, 9, 2);
	put(o, 1, 1); /* read-write */
	put(o, base, 4);
	put(o, bytes, 4);
}

/* Address space descriptors (6.4.3.5): the bridge hands these on. */
static void crs_window(struct out *o, uint8_t type, uint8_t flags,
		       uint64_t first, uint64_t last, unsigned size)
{
	put(o, size == 2 ? 0x88 : 0x87, 1);
	put(o, 3 + 5 * size, 2);
	put(o, type, 1);
	put(o, 0x0C, 1); /* minimum and maximum fixed, positive decode */
	put(o, flags, 1);
	put(o, 0, size); /* granularity */
	put(o, first, size);
	put(o, last, size);
	put(o, 0, size); /* translation */
	put(o, last - first + 1, size);
}

static void dsdt_bridge(struct out *o)
{
	size_t device = aml_device_open(o, "PCI0"), package;
	struct crs crs;

	aml_hid(o, "_HID", "PNP0A08");
	aml_hid(o, "_CID", "PNP0A03");
	aml_name(o, "_UID");
	aml_integer(o, 0);
	aml_name(o, "_BBN");
	aml_integer(o, 0);

	crs = crs_open(o);
	crs_window(o, 2, 0, 0, 0xFF, 2); /* buses */
	crs_io(o, 0xCF8, 8);
	crs_window(o, 1, 3, 0, 0xCF7, 2);
	crs_window(o, 1, 3, 0xD00, 0xFFFF, 2);
	crs_window(o, 0, 1, 0xA0000, 0xBFFFF, 4); /* VGA */
	crs_window(o, 0, 1, BOARD_PCI_WINDOW, BOARD_PCI_WINDOW_LAST, 4);
	crs_close(o, crs);

	/* 6.2.13: where INTA of each slot ends. */
	aml_name(o, "_PRT");
	package = aml_package_open(o, PCI_SLOTS - 1);
	for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
		size_t route = aml_package_open(o, 4);

		aml_integer(o, slot << 16 | 0xFFFF);
		aml_integer(o, 0);
		aml_integer(o, 0);
		aml_integer(o, PCI_INTA_PIN(slot));
		aml_close(o, route);
	}
	aml_close(o, package);
	aml_close(o, device);
}

/* Devices at ISA ports, on edge-triggered ISA interrupts. */
static const struct isa_device {
	char name[5], hid[8];
	uint8_t uid;
	struct {
		uint16_t base;
		uint8_t count;
	} io[3];
	uint16_t irqs; /* a mask */
} isa_devices[] = {
	{"PIC_", "PNP0000", 0, {{0x20, 2}, {0xA0, 2}, {0x4D0, 2}}, 1 << 2},
	{"TIMR", "PNP0100", 0, {{0x40, 4}}, 1 << 0},
	{"SPKR", "PNP0800", 0, {{0x61, 1}}, 0},
	{"RTC_", "PNP0B00", 0, {{0x70, 2}}, 1 << 8},
	{"KBD_", "PNP0303", 0, {{0x60, 1}, {0x64, 1}}, 1 << 1},
	{"MOU_", "PNP0F13", 0, {{0}}, 1 << 12},
	{"COM1", "PNP0501", 1, {{0x3F8, 8}}, 1 << 4},
	{"COM2", "PNP0501", 2, {{0x2F8, 8}}, 1 << 3},
};

static void dsdt_isa_device(struct out *o, const struct isa_device *d)
{
	size_t device = aml_device_open(o, d->name);
	struct crs crs;

	aml_hid(o, "_HID", d->hid);
	if (d->uid) {
		aml_name(o, "_UID");
		aml_integer(o, d->uid);
	}
	crs = crs_open(o);
	for (size_t i = 0; i < ARRAY_LEN(d->io) && d->io[i].count; i++)
		crs_io(o, d->io[i].base, d->io[i].count);
	if (d->irqs) {
		put(o, 0x22, 1); /* 6.4.2.1: edge, active high */
		put(o, d->irqs, 2);
	}
	crs_close(o, crs);
	aml_close(o, device);
}

static void dsdt_devices(struct out *o, unsigned cpus, bool iommu)
{
	size_t device;
	struct crs crs;

	dsdt_bridge(o);

	/* What no driver may be given: the window of configuration space
	 * (PCI Firmware 4.1.2), the IOMMU, the PM registers and the exit port.
	 */
	device = aml_device_open(o, "MRES");
	aml_hid(o, "_HID", "PNP0C02");
	crs = crs_open(o);
	crs_memory32_fixed(o, PCI_ECAM_BASE, PCI_ECAM_BYTES);
	if (iommu)
		crs_memory32_fixed(o, VTD_BASE, VTD_BYTES);
	crs_io(o, ACPI_PM_BASE, 12);
	crs_io(o, 0xF4, 4);
	crs_close(o, crs);
	aml_close(o, device);

	for (size_t i = 0; i < ARRAY_LEN(isa_devices); i++)
		dsdt_isa_device(o, &isa_devices[i]);

	device = aml_device_open(o, "HPET");
	aml_hid(o, "_HID", "PNP0103");
	aml_name(o, "_UID");
	aml_integer(o, 0);
	crs = crs_open(o);
	crs_memory32_fixed(o, HPET_BASE, HPET_BYTES);
	crs_close(o, crs);
	aml_close(o, device);

	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		char name[] = {'C', 'P', 'U', (char)('0' + cpu), 0};

		device = aml_device_open(o, name);
		aml_name(o, "_HID");
		put(o, 0x0D, 1); /* StringPrefix */
		put_text(o, "ACPI0007", 9);
		aml_name(o, "_UID");
		aml_integer(o, cpu);
		aml_close(o, device);
	}
}

static size_t make_dsdt(struct out *o, unsigned cpus, bool iommu)
{
	size_t at = table_begin(o, "DSDT", 2), scope, package;

	/* 7.4.2: what to write to SLP_TYP of PM1a and PM1b. */
	aml_name(o, "_S5_");
	package = aml_package_open(o, 4);
	aml_integer(o, ACPI_S5_TYPE);
	aml_integer(o, ACPI_S5_TYPE);
	aml_integer(o, 0);
	aml_integer(o, 0);
	aml_close(o, package);

	put(o, 0x10, 1); /* ScopeOp */
	scope = aml_open(o);
	put_text(o, "\\_SB_", 5);
	dsdt_devices(o, cpus, iommu);
	aml_close(o, scope);
	return table_end(o, at);
}

/* ---- the other tables ---- */

static size_t make_facs(struct out *o) /* 5.2.10: no header, no checksum */
{
	size_t at;

	align(o, 64);
	at = o->at;
	put_text(o, "FACS", 4);
	put(o, 64, 4);
	for (unsigned i = 0; i < 3; i++)
		put(o, 0, 8); /* hardware signature, vectors, lock, flags */
	put(o, 2, 1);
	align(o, 64);
	return at;
}

/* 5.2.3.2: a generic address in I/O space. */
static void put_port(struct out *o, uint64_t port, unsigned bits, uint8_t size)
{
	put(o, port ? 1 : 0, 1);
	put(o, bits, 1);
	put(o, 0, 1);
	put(o, size, 1);
	put(o, port, 8);
}

static size_t make_fadt(struct out *o, size_t facs, size_t dsdt) /* 5.2.9 */
{
	/* WBINVD, PROC_C1, no power or sleep button, RTC not in fixed
	 * registers, TMR_VAL_EXT, RESET_REG_SUP. */
	const uint32_t flags =
		1 << 0 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10;
	size_t at = table_begin(o, "FACP", 6);

	put(o, address(facs), 4);
	put(o, address(dsdt), 4);
	put(o, 0, 1);
	put(o, 1, 1); /* profile: desktop */
	put(o, ACPI_SCI_PIN, 2);
	put(o, 0, 4); /* SMI_CMD: ACPI mode for ever */
	put(o, 0, 4); /* ACPI_ENABLE, _DISABLE, S4BIOS_REQ, PSTATE_CNT */
	put(o, ACPI_PM1_EVENT, 4);
	put(o, 0, 4);
	put(o, ACPI_PM1_CONTROL, 4);
	put(o, 0, 4);
	put(o, 0, 4); /* PM2_CNT */
	put(o, ACPI_PM_TIMER, 4);
	put(o, 0, 8); /* GPE0, GPE1 */
	put(o, 4, 1); /* lengths: PM1_EVT, PM1_CNT, PM2_CNT, PM_TMR */
	put(o, 2, 1);
	put(o, 0, 1);
	put(o, 4, 1);
	put(o, 0, 4);    /* GPE lengths and base, CST_CNT */
	put(o, 101, 2);  /* P_LVL2_LAT: no C2 */
	put(o, 1001, 2); /* P_LVL3_LAT: no C3 */
	put(o, 0, 4);    /* FLUSH_SIZE, FLUSH_STRIDE */
	put(o, 0, 4);    /* DUTY_*, DAY_ALRM, MON_ALRM */
	put(o, MC146818_CENTURY, 1);
	put(o, 0x03, 2); /* ISA devices; 8042 */
	put(o, 0, 1);
	put(o, flags, 4);
	put_port(o, PCI_RESET_CONTROL, 8, 1);
	put(o, PCI_RST_BITS, 1); /* RESET_VALUE */
	put(o, 0, 2);
	put(o, 4, 1); /* minor version */
	put(o, 0, 8); /* X_FIRMWARE_CTRL: FIRMWARE_CTRL holds it */
	put(o, address(dsdt), 8);
	put_port(o, ACPI_PM1_EVENT, 32, 2);
	put_port(o, 0, 0, 0);
	put_port(o, ACPI_PM1_CONTROL, 16, 2);
	put_port(o, 0, 0, 0);
	put_port(o, 0, 0, 0);
	put_port(o, ACPI_PM_TIMER, 32, 3);
	put_port(o, 0, 0, 0);
	put_port(o, 0, 0, 0);
	put_port(o, 0, 0, 0); /* SLEEP_CONTROL_REG, SLEEP_STATUS_REG */
	put_port(o, 0, 0, 0);
	put_text(o, "PARTERRE", 8); /* hypervisor vendor identity */
	return table_end(o, at);
}

static size_t make_madt(struct out *o, unsigned cpus) /* 5.2.12 */
{
	size_t at = table_begin(o, "APIC", 5);

	put(o, LAPIC_BASE, 4);
	put(o, 1, 4); /* PCAT_COMPAT: a pair of 8259 beside */
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		put(o, 0x0800, 2); /* processor local APIC */
		put(o, cpu, 1);
		put(o, cpu, 1);
		put(o, 1, 4);
	}
	put(o, 0x0C01, 2); /* I/O APIC */
	put(o, BOARD_IOAPIC_ID, 1);
	put(o, 0, 1);
	put(o, IOAPIC_BASE, 4);
	put(o, 0, 4);
	/* Interrupt source overrides: ISA IRQ 0 is pin 2, as on every PC; the
	 * SCI is level-triggered. */
	put(o, 0x0A02, 2);
	put(o, 0, 1);
	put(o, 0, 1);
	put(o, 2, 4);
	put(o, 0, 2);
	put(o, 0x0A02, 2);
	put(o, 0, 1);
	put(o, ACPI_SCI_PIN, 1);
	put(o, ACPI_SCI_PIN, 4);
	put(o, 0x000D, 2);
	put(o, 0x0604, 2); /* NMI: LINT1 of all */
	put(o, 0xFF, 1);
	put(o, 0, 2);
	put(o, 1, 1);
	return table_end(o, at);
}

static size_t make_mcfg(struct out *o) /* PCI Firmware 3.2, 4.1.2 */
{
	size_t at = table_begin(o, "MCFG", 1);

	put(o, 0, 8);
	put(o, PCI_ECAM_BASE, 8);
	put(o, 0, 2); /* segment */
	put(o, 0, 1); /* first and last bus */
	put(o, 255, 1);
	put(o, 0, 4);
	return table_end(o, at);
}

static size_t make_hpet(struct out *o) /* IA-PC HPET 1.0a, 3.2.4 */
{
	size_t at = table_begin(o, "HPET", 1);

	put(o, HPET_ID, 4);
	put(o, 0, 1); /* in memory */
	put(o, 64, 1);
	put(o, 0, 2);
	put(o, HPET_BASE, 8);
	put(o, 0, 1);   /* number of the block */
	put(o, 128, 2); /* least ticks of a periodic timer */
	put(o, 0, 1);
	return table_end(o, at);
}

static size_t make_dmar(struct out *o) /* VT-d 3.4, 8.1, 8.3 */
{
	size_t at = table_begin(o, "DMAR", 1);

	put(o, VTD_HOST_BITS - 1, 1);
	put(o, 0, 1); /* flags: no interrupt remapping */
	put(o, 0, 8);
	put(o, 0, 2);
	put(o, 0, 2);  /* DRHD */
	put(o, 16, 2); /* no device scopes, for: */
	put(o, 1, 1);  /* INCLUDE_PCI_ALL */
	put(o, 0, 1);
	put(o, 0, 2); /* segment */
	put(o, VTD_BASE, 8);
	return table_end(o, at);
}

static size_t make_root(struct out *o, const char *signature, unsigned size,
			const size_t *table, size_t count)
{
	size_t at = table_begin(o, signature, 1);

	for (size_t i = 0; i < count; i++)
		put(o, address(table[i]), size);
	return table_end(o, at);
}

size_t acpi_tables_make(uint8_t buf[ACPI_TABLES_BYTES], unsigned cpus,
			bool iommu)
{
	struct out o = {buf, 36}; /* after the RSDP */
	size_t dsdt = make_dsdt(&o, cpus, iommu), facs = make_facs(&o);
	size_t table[] = {make_fadt(&o, facs, dsdt), make_madt(&o, cpus),
			  make_mcfg(&o), make_hpet(&o),
			  iommu ? make_dmar(&o) : 0};
	size_t count = ARRAY_LEN(table) - !iommu;
	size_t rsdt = make_root(&o, "RSDT", 4, table, count);
	size_t xsdt = make_root(&o, "XSDT", 8, table, count);
	struct out rsdp = {buf, BOARD_RSDP - ACPI_TABLES_BASE};

	put_text(&rsdp, "RSD PTR ", 8); /* 5.2.5.3 */
	put(&rsdp, 0, 1);
	put_text(&rsdp, "PARTER", 6);
	put(&rsdp, 2, 1);
	put(&rsdp, address(rsdt), 4);
	put(&rsdp, 36, 4);
	put(&rsdp, address(xsdt), 8);
	put(&rsdp, 0, 4);
	buf[8] = checksum(buf, 20);
	buf[32] = checksum(buf, 36);
	return o.at;
}

bool acpi_tables_install(struct machine *m, struct error *err)
{
	uint8_t *buf = calloc(1, ACPI_TABLES_BYTES);
	bool done;

	CHECK(buf);
	acpi_tables_make(buf, machine_cpu_count(m),
			 machine_device(m, "iommu0"));
	done = bus_poke(machine_bus(m), ACPI_TABLES_BASE, buf,
			ACPI_TABLES_BYTES);
	free(buf);
	return done ||
	       error_set(err, EXIT_USAGE,
			 "RAM ends below 1 MiB: the ACPI tables at %#llx need "
			 "more",
			 (unsigned long long)ACPI_TABLES_BASE);
}

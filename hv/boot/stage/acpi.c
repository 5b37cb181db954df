/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/acpi.c - the few facts that ACPI tables are needed for: local
 * and I/O APIC, the PM timer, the enhanced configuration space of PCI, DMA
 * remapping units.
 *
 * ACPI 6.3: 5.2.5 (RSDP), 5.2.9 (FADT), 5.2.12 (MADT); PCI Firmware
 * Specification 3.0, 4.1.2 (MCFG); VT-d 3.4, 8.1-8.3 (DMAR).  Checksums are
 * checked.  Tables may lie at any alignment, so fields are copied out.
 */
#include "boot/stage/stage.h"

#define MADT_LAPIC    0
#define MADT_IOAPIC   1
#define MADT_OVERRIDE 2
#define UART_IRQ      4
#define DMAR_DRHD     0

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

static bool sums_to_zero(const void *p, uint64_t bytes)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *b++);
	return !sum;
}

static uint64_t field(const uint8_t *table, unsigned offset, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, table + offset, bytes);
	return v;
}

static void read_madt(const uint8_t *t, uint64_t length)
{
	platform.lapic_pa = field(t, 36, 4);
	platform.uart_gsi = UART_IRQ;
	for (uint64_t at = 44; at + 2 <= length && t[at + 1]; at += t[at + 1]) {
		const uint8_t *e = t + at;

		if (e[0] == MADT_LAPIC && e[4] & 1 && platform.cpus < ABI_CPUS)
			platform.apic_id[platform.cpus++] = e[3];
		else if (e[0] == MADT_IOAPIC && !field(e, 8, 4))
			platform.ioapic_pa = field(e, 4, 4);
		else if (e[0] == MADT_OVERRIDE && e[3] == UART_IRQ)
			platform.uart_gsi = (uint32_t)field(e, 4, 4);
	}
}

static void read_fadt(const uint8_t *t, uint64_t length)
{
	const unsigned ext = 1u << 8; /* TMR_VAL_EXT */

	platform.pm_port = (uint16_t)field(t, 76, 4);
	if (!platform.pm_port && length >= 220 && t[208] == 1)
		platform.pm_port = (uint16_t)field(t, 212, 8);
	platform.pm_mask = field(t, 112, 4) & ext ? 0xffffffff : 0xffffff;
}

static void read_mcfg(const uint8_t *t, uint64_t length)
{
	if (length < 44 + 16)
		return;
	boot_info.ecam_pfn = field(t, 44, 8) >> 12;
	boot_info.ecam_bus_first = t[54];
	boot_info.ecam_bus_last = t[55];
}

/* All units of segment 0 get the same tables, so their scopes don't matter. */
static void read_dmar(const uint8_t *t, uint64_t length)
{
	for (uint64_t at = 48, bytes; at + 16 <= length; at += bytes) {
		bytes = field(t + at, 2, 2);
		if (bytes < 16)
			break;
		if (field(t + at, 0, 2) == DMAR_DRHD && !field(t + at, 6, 2) &&
		    boot_info.iommus < BOOT_IOMMUS)
			boot_info.iommu_pfn[boot_info.iommus++] =
				field(t + at, 8, 8) >> 12;
	}
}

static void read_table(uint64_t pa)
{
	const uint8_t *t = physical(pa);
	uint64_t length;

	if (!pa || pa >> 32)
		return;
	length = field(t, 4, 4);
	if (!sums_to_zero(t, length))
		return;
	if (!memcmp(t, "APIC", 4))
		read_madt(t, length);
	else if (!memcmp(t, "FACP", 4))
		read_fadt(t, length);
	else if (!memcmp(t, "MCFG", 4))
		read_mcfg(t, length);
	else if (!memcmp(t, "DMAR", 4))
		read_dmar(t, length);
}

static const struct rsdp *find_rsdp(void)
{
	for (uint64_t pa = 0xe0000; pa < 0x100000; pa += 16) {
		const struct rsdp *r = physical(pa);

		if (!memcmp(r->signature, "RSD PTR ", 8) && sums_to_zero(r, 20))
			return r;
	}
	boot_fail("no ACPI tables", "");
}

void acpi_read(void)
{
	const struct rsdp *r = find_rsdp();
	bool wide = r->revision >= 2 && r->xsdt && !(r->xsdt >> 32);
	const uint8_t *root = physical(wide ? r->xsdt : r->rsdt);
	unsigned bytes = wide ? 8 : 4;
	uint64_t length = field(root, 4, 4);

	if (!sums_to_zero(root, length))
		boot_fail("the ACPI root table is damaged", "");
	for (uint64_t at = 36; at + bytes <= length; at += bytes)
		read_table(field(root, (unsigned)at, bytes));
	if (!platform.lapic_pa || !platform.ioapic_pa)
		boot_fail("ACPI names no local APIC and I/O APIC", "");
	if (!platform.pm_port)
		boot_fail("ACPI names no PM timer", "");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/pci.c - see pci.h. */
#include "ultravisor/pci.h"

#define STATUS_CAPS   0x10
#define CAPS_MAX      48 /* that fit behind the header */
#define BAR_IO        0x1
#define BAR_TYPE      0x6
#define BAR_64        0x4
#define BAR_ADDRESS   (~15u)
#define MSIX_BAR      0x7
#define VENDOR_VIRTIO 0x1af4
#define CAP_VENDOR    0x09
#define VIRTIO_TYPE   3
#define VIRTIO_BAR    4
#define VIRTIO_OFFSET 8
#define VIRTIO_COMMON 1

void pci_command(volatile uint8_t *c, uint16_t clear, uint16_t set)
{
	pci_write16(c, PCI_COMMAND,
		    (uint16_t)((pci_read16(c, PCI_COMMAND) & ~clear) | set));
}

/* ---- capabilities ------------------------------------------------------- */

/* Of that id, and, virtio's, of that type; 0: there is none. */
static unsigned find(volatile uint8_t *c, uint8_t id, unsigned type)
{
	unsigned at = c[PCI_CAPS] & 0xfc;

	if (!(pci_read16(c, PCI_STATUS) & STATUS_CAPS))
		return 0;
	for (unsigned n = 0; at && n < CAPS_MAX; n++) {
		if (c[at] == id &&
		    (id != CAP_VENDOR || c[at + VIRTIO_TYPE] == type))
			return at;
		at = c[at + 1] & 0xfc;
	}
	return 0;
}

unsigned pci_msix(volatile uint8_t *c)
{
	return find(c, CAP_MSIX, 0);
}

unsigned pci_msix_bar(volatile uint8_t *c, unsigned msix, unsigned at)
{
	return pci_read32(c, msix + at) & MSIX_BAR;
}

uint64_t pci_msix_offset(volatile uint8_t *c, unsigned msix, unsigned at)
{
	return pci_read32(c, msix + at) & ~(uint32_t)MSIX_BAR;
}

static unsigned virtio_common(volatile uint8_t *c)
{
	return pci_read16(c, PCI_VENDOR) == VENDOR_VIRTIO
		       ? find(c, CAP_VENDOR, VIRTIO_COMMON)
		       : 0;
}

unsigned pci_registers(volatile uint8_t *c)
{
	unsigned at = virtio_common(c);

	return at ? c[at + VIRTIO_BAR] : 0;
}

bool pci_virtio_common(volatile uint8_t *c, uint64_t *offset)
{
	unsigned at = virtio_common(c);

	if (at)
		*offset = pci_read32(c, at + VIRTIO_OFFSET);
	return at;
}

/* ---- BARs --------------------------------------------------------------- */

/* Where BAR n stands; 0: it is none of memory, or the second half of one. */
static unsigned bar_at(volatile uint8_t *c, unsigned n, bool *wide)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint32_t low = pci_read32(c, PCI_BAR0 + 4 * i);

		*wide = !(low & BAR_IO) && (low & BAR_TYPE) == BAR_64;
		if (i == n)
			return (low & BAR_IO) || (*wide && n == PCI_BARS - 1)
				       ? 0
				       : PCI_BAR0 + 4 * i;
		i += *wide;
	}
	return 0;
}

static uint64_t bar_value(volatile uint8_t *c, unsigned at, bool wide)
{
	uint64_t high = wide ? pci_read32(c, at + 4) : 0;

	return high << 32 | (pci_read32(c, at) & BAR_ADDRESS);
}

uint64_t pci_bar(volatile uint8_t *c, unsigned n)
{
	bool wide;
	unsigned at = bar_at(c, n, &wide);

	return at ? bar_value(c, at, wide) : 0;
}

/* The writable bits. */
uint64_t pci_bar_bytes(volatile uint8_t *c, unsigned n)
{
	bool wide;
	unsigned at = bar_at(c, n, &wide);
	uint64_t was, mask;

	if (!at)
		return 0;
	was = bar_value(c, at, wide);
	pci_command(c, COMMAND_MEMORY | COMMAND_MASTER, 0);
	pci_write32(c, at, ~0u);
	if (wide)
		pci_write32(c, at + 4, ~0u);
	mask = bar_value(c, at, wide);
	pci_write32(c, at, (uint32_t)was);
	if (wide)
		pci_write32(c, at + 4, (uint32_t)(was >> 32));
	return wide ? ~mask + 1 : (uint32_t)(~mask + 1);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/pci.h - a PCI function's configuration space, as the ultravisor
 * needs it: which registers a driver is to have, where its MSI-X table lies,
 * and how it is made to stop.
 *
 * `c` is the function's page of the enhanced configuration space, mapped.
 *
 * PCI Local Bus 3.0, 6.1-6.2 (header, BARs), 6.7 (capabilities), 6.8.2 (MSI-X);
 * VIRTIO 1.2, 4.1.4 (its capabilities).
 */
#ifndef PARTERRE_ULTRAVISOR_PCI_H
#define PARTERRE_ULTRAVISOR_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_VENDOR     0x00
#define PCI_COMMAND    0x04
#define COMMAND_MEMORY 0x0002
#define COMMAND_MASTER 0x0004
#define PCI_STATUS     0x06
#define PCI_CLASS      0x08
#define PCI_HEADER     0x0e
#define PCI_BAR0       0x10
#define PCI_BUSES      0x18
#define PCI_CAPS       0x34
#define PCI_BARS       6

#define CAP_MSIX      0x11
#define MSIX_ENABLE   0x8000
#define MSIX_MASK_ALL 0x4000

static inline uint32_t pci_read32(volatile uint8_t *c, unsigned at)
{
	return *(volatile uint32_t *)(c + at);
}

static inline uint16_t pci_read16(volatile uint8_t *c, unsigned at)
{
	return *(volatile uint16_t *)(c + at);
}

static inline void pci_write32(volatile uint8_t *c, unsigned at, uint32_t v)
{
	*(volatile uint32_t *)(c + at) = v;
}

static inline void pci_write16(volatile uint8_t *c, unsigned at, uint16_t v)
{
	*(volatile uint16_t *)(c + at) = v;
}

void pci_command(volatile uint8_t *c, uint16_t clear, uint16_t set);

/* Of the MSI-X capability; 0: it has none. */
unsigned pci_msix(volatile uint8_t *c);

/* A memory BAR; 0: it is none, or nobody has given it an address. */
uint64_t pci_bar(volatile uint8_t *c, unsigned n);
/* Its size, found with decoding, and bus mastering, off from then on. */
uint64_t pci_bar_bytes(volatile uint8_t *c, unsigned n);

/* MSI-X: a table (`at` 4) or its pending bits (8): which BAR, and where. */
unsigned pci_msix_bar(volatile uint8_t *c, unsigned msix, unsigned at);
uint64_t pci_msix_offset(volatile uint8_t *c, unsigned msix, unsigned at);

/* The BAR with the registers that a driver needs: a virtio device says which,
 * all others have them in BAR 0. */
unsigned pci_registers(volatile uint8_t *c);

/* A virtio device's common configuration within pci_registers(); false: it is
 * no such device. */
bool pci_virtio_common(volatile uint8_t *c, uint64_t *offset);

#endif

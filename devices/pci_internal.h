/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/pci_internal.h - what pci.c (configuration space, the host bridge)
 * and pci_msi.c (interrupts) share.
 */
#ifndef PARTERRE_DEVICES_PCI_INTERNAL_H
#define PARTERRE_DEVICES_PCI_INTERNAL_H

#include "devices/pci.h"

/* Little-endian values in configuration space. */
static inline uint32_t pci_load(const uint8_t *p, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)p[i] << 8 * i;
	return value;
}

static inline void pci_store(uint8_t *p, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++)
		p[i] = value >> 8 * i & 0xFF;
}

static inline uint16_t pci_command(const struct pci_function *f)
{
	return (uint16_t)pci_load(f->config + PCI_COMMAND, 2);
}

/* pci_fault.c */
void pci_fault_init(struct pci_function *f);
void pci_fault_fini(struct pci_function *f);
bool pci_fault_message(struct pci_function *f, uint64_t address,
		       uint32_t *data);
paddr_t pci_fault_target(struct pci_function *f, paddr_t pa);
/* pci.c: it answers no more. */
void pci_removed(struct pci_function *f);

/* Appends a capability; gives its offset. */
unsigned pci_capability_add(struct pci_function *f, uint8_t id, unsigned bytes);

/* Something that enables or masks may have changed: sends what was pending,
 * drives INTA. */
void pci_interrupts_update(struct pci_function *f);
/* After configuration space was. */
void pci_interrupts_reset(struct pci_function *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/pci_msi.c - how functions interrupt: INTA, MSI, MSI-X.  Section
 * numbers are of PCI Local Bus Specification 3.0.
 */
#include <string.h>

#include "devices/pci_internal.h"
#include "sim/check.h"

/* 6.8.1: MSI capability with a 64-bit address and a mask bit. */
#define MSI_CONTROL  0x02
#define MSI_ADDRESS  0x04
#define MSI_DATA     0x0C
#define MSI_MASK     0x10
#define MSI_PENDING  0x14
#define MSI_BYTES    0x18
#define MSI_ENABLE   0x0001
#define MSI_64_BIT   0x0080
#define MSI_MASKABLE 0x0100
/* 6.8.2: MSI-X capability. */
#define MSIX_CONTROL       2
#define MSIX_ENABLE        0x8000
#define MSIX_FUNCTION_MASK 0x4000
#define MSIX_VECTOR_MASKED UINT32_C(1)

static void message(struct pci_function *f, uint64_t address, uint32_t data)
{
	if (!pci_fault_message(f, address, &data))
		return;
	if (pci_command(f) & PCI_COMMAND_MASTER)
		bus_msi(machine_bus(f->device.machine), &f->device, address,
			data);
	else
		machine_odd(&f->device, "message without bus mastering",
			    PCI_COMMAND, data);
}

/* ---- MSI (6.8.1) ---- */

void pci_msi_declare(struct pci_function *f)
{
	unsigned at = pci_capability_add(f, PCI_CAP_MSI, MSI_BYTES);

	f->msi_cap = at;
	pci_store(f->image + at + MSI_CONTROL, 2, MSI_64_BIT | MSI_MASKABLE);
	pci_store(f->writable + at + MSI_CONTROL, 2, MSI_ENABLE);
	pci_store(f->writable + at + MSI_ADDRESS, 4, ~UINT32_C(3));
	pci_store(f->writable + at + MSI_ADDRESS + 4, 4, UINT32_MAX);
	pci_store(f->writable + at + MSI_DATA, 2, UINT16_MAX);
	pci_store(f->writable + at + MSI_MASK, 4, 1);
}

static const uint8_t *msi(const struct pci_function *f, unsigned off)
{
	return f->config + f->msi_cap + off;
}

bool pci_msi_enabled(const struct pci_function *f)
{
	return f->msi_cap && (pci_load(msi(f, MSI_CONTROL), 2) & MSI_ENABLE);
}

static void msi_pending_set(struct pci_function *f, bool pending)
{
	pci_store(f->config + f->msi_cap + MSI_PENDING, 4, pending);
}

void pci_msi_send(struct pci_function *f)
{
	bool masked;

	if (!pci_msi_enabled(f))
		return;
	masked = pci_load(msi(f, MSI_MASK), 4) & 1;
	msi_pending_set(f, masked);
	if (!masked)
		message(f,
			pci_load(msi(f, MSI_ADDRESS), 4) |
				(uint64_t)pci_load(msi(f, MSI_ADDRESS + 4), 4)
					<< 32,
			pci_load(msi(f, MSI_DATA), 2));
}

static void msi_flush(struct pci_function *f)
{
	if (pci_msi_enabled(f) && (pci_load(msi(f, MSI_PENDING), 4) & 1))
		pci_msi_send(f);
}

/* ---- MSI-X (6.8.2) ---- */

void pci_msix_declare(struct pci_function *f, unsigned vectors, unsigned bar,
		      uint32_t table_off, uint32_t pba_off)
{
	unsigned at = pci_capability_add(f, PCI_CAP_MSIX, 12);

	CHECK(vectors > 0 && vectors <= PCI_MSIX_VECTORS_MAX);
	f->msix_cap = at;
	f->msix_vectors = vectors;
	pci_store(f->image + at + MSIX_CONTROL, 2, vectors - 1);
	pci_store(f->image + at + 4, 4, table_off | bar);
	pci_store(f->image + at + 8, 4, pba_off | bar);
	pci_store(f->writable + at + MSIX_CONTROL, 2,
		  MSIX_ENABLE | MSIX_FUNCTION_MASK);
}

static uint16_t msix_control(const struct pci_function *f)
{
	if (!f->msix_cap)
		return 0;
	return (uint16_t)pci_load(f->config + f->msix_cap + MSIX_CONTROL, 2);
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
	message(f, entry[0] | (uint64_t)entry[1] << 32, entry[2]);
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

/* ---- INTA ---- */

static bool drives_inta(const struct pci_function *f)
{
	return f->intx && !(pci_command(f) & PCI_COMMAND_INTX_DISABLE) &&
	       !pci_messages_enabled(f);
}

/* The wire is low while one of those on it drives it. */
static void intx_update(struct pci_function *f)
{
	bool drive = false;

	/* 6.2.3: the status bit shows the request whatever the disable bit. */
	if (f->intx)
		f->config[PCI_STATUS] |= PCI_STATUS_INTX;
	else
		f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
	for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
		const struct pci_function *other = f->bus[slot];

		if (other && other->inta.pin == f->inta.pin)
			drive |= drives_inta(other);
	}
	irq_set(&f->inta, drive);
}

void pci_intx_set(struct pci_function *f, bool level)
{
	if (f->intx == level)
		return;
	f->intx = level;
	intx_update(f);
}

bool pci_messages_enabled(const struct pci_function *f)
{
	return pci_msix_enabled(f) || pci_msi_enabled(f);
}

void pci_interrupts_update(struct pci_function *f)
{
	msi_flush(f);
	msix_flush(f);
	intx_update(f);
}

void pci_interrupts_reset(struct pci_function *f)
{
	memset(f->msix_table, 0, sizeof(f->msix_table));
	for (unsigned v = 0; v < f->msix_vectors; v++)
		f->msix_table[v * PCI_MSIX_ENTRY_WORDS + 3] =
			MSIX_VECTOR_MASKED;
	f->msix_pending = 0;
	f->intx = 0;
	intx_update(f);
}

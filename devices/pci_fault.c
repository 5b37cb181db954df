/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/pci_fault.c - what every PCI function can have: its messages go
 * wrong, its DMA goes elsewhere, it is pulled out.  A class takes part by
 * PCI_FAULTS in its list and by asking pci_fault() first.
 *
 *   msi-lost N      the next N messages (MSI, MSI-X) get lost
 *   msi-late NS     the next message comes so many nanoseconds later; those
 *                   after it overtake it
 *   msi-vector V    the next message bears vector V
 *   msi-spurious V  a message with vector V comes now, for nothing
 *   stray PA        the next DMA write goes to this physical address instead
 *   remove          surprise removal: configuration space and BARs read all
 *                   ones, no DMA, no messages, until the machine ends
 *
 * Not modelled: re-insertion, presence detect, completion time-outs.
 */
#include <stdio.h>
#include <string.h>

#include "devices/pci_internal.h"

/* The default address of messages: CPU 0 (SDM 3A 10.11.1). */
#define MESSAGE_ADDRESS UINT64_C(0xFEE00000)

enum {
	SOUND,
	LOST,
	LATE,
	MISLED
};

static void late_fire(void *owner, ps_t when)
{
	struct pci_function *f = owner;

	(void)when;
	if (!f->fault_removed)
		bus_msi(machine_bus(f->device.machine), &f->device,
			f->late_address, f->late_data);
}

void pci_fault_init(struct pci_function *f)
{
	snprintf(f->late_name, sizeof(f->late_name), "%s.late", f->device.name);
	f->late = (struct event){.name = f->late_name,
				 .fire = late_fire,
				 .owner = f,
				 .rank = EVQ_DEVICE};
	evq_register(machine_evq(f->device.machine), &f->late);
}

void pci_fault_fini(struct pci_function *f)
{
	evq_cancel(machine_evq(f->device.machine), &f->late);
}

/* False: the message does not come, or not now. */
bool pci_fault_message(struct pci_function *f, uint64_t address, uint32_t *data)
{
	struct machine *m = f->device.machine;
	uint32_t kind = f->fault_message;

	if (f->fault_removed)
		return false;
	if (kind == LOST) {
		if (!--f->fault_argument)
			f->fault_message = SOUND;
		return false;
	}
	f->fault_message = SOUND;
	if (kind == MISLED)
		*data = (*data & ~UINT32_C(0xFF)) |
			(uint32_t)(f->fault_argument & 0xFF);
	if (kind != LATE)
		return true;
	f->late_address = address;
	f->late_data = *data;
	evq_schedule(machine_evq(m), &f->late,
		     machine_now(m) + f->fault_argument * PS_PER_NS);
	return false;
}

/* Where a DMA write goes. */
paddr_t pci_fault_target(struct pci_function *f, paddr_t pa)
{
	if (f->fault_strays) {
		f->fault_strays = 0;
		pa = f->fault_stray;
	}
	return pa;
}

bool pci_fault(struct pci_function *f, const char *name, uint64_t argument)
{
	if (!strcmp(name, "remove")) {
		f->fault_removed = 1;
		pci_removed(f);
	} else if (!strcmp(name, "stray")) {
		f->fault_strays = 1;
		f->fault_stray = argument;
	} else if (!strcmp(name, "msi-spurious")) {
		bus_msi(machine_bus(f->device.machine), &f->device,
			MESSAGE_ADDRESS, (uint32_t)(argument & 0xFF));
	} else if (!strcmp(name, "msi-lost")) {
		f->fault_message = argument ? LOST : SOUND;
		f->fault_argument = argument;
	} else if (!strcmp(name, "msi-late") || !strcmp(name, "msi-vector")) {
		f->fault_message = name[4] == 'l' ? LATE : MISLED;
		f->fault_argument = argument;
	} else {
		return false;
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/virtio_pci.h - a virtio device's registers on PCI, the driver's side
 * (VIRTIO 1.2, 3.1.1 and 4.1): where they lie, features, status, queues.
 *
 * The partition has one BAR of the device, the one of its registers, and may
 * read its configuration space: where the capabilities say that something lies
 * elsewhere, or behind the BAR's end, or in pages of the MSI-X table, the
 * device is not used.
 */
#ifndef PARTERRE_IO_VIRTIO_PCI_H
#define PARTERRE_IO_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

struct virtio_pci {
	volatile uint8_t *common, *notify, *device;
	uint32_t notify_bytes, notify_stride, device_bytes;
};

#define VIRTIO_PCI_NO_VECTOR   0xffff
#define VIRTIO_PCI_NEEDS_RESET 0x40
#define VIRTIO_PCI_GONE        0xff /* a status: nobody answers */

/* Maps device `index` of the view.  NULL, or what is the matter with it; so
 * with the next one. */
const char *virtio_pci_open(struct virtio_pci *p, unsigned index);
/* Resets it and agrees on features: of those known the ones that it offers;
 * without those needed it is of no use. */
const char *virtio_pci_begin(struct virtio_pci *p, uint64_t known,
			     uint64_t needed, uint64_t *features);
/* Selects a queue and makes it no larger than `most`.  Its size; 0: there is
 * none. */
uint16_t virtio_pci_queue(struct virtio_pci *p, unsigned which, uint16_t most);
/* Of the queue selected: its parts' machine addresses, and its MSI-X entry.
 * Gives the place for notifications; NULL: it can't be used. */
volatile uint16_t *virtio_pci_enable(struct virtio_pci *p, uint64_t desc,
				     uint64_t driver, uint64_t device,
				     uint16_t vector);
void virtio_pci_works(struct virtio_pci *p); /* DRIVER_OK */
unsigned virtio_pci_status(const struct virtio_pci *p);
/* A byte of the device's own configuration. */
unsigned virtio_pci_config(const struct virtio_pci *p, unsigned at);
bool virtio_pci_reset(struct virtio_pci *p);

#endif

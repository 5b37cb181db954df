/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/virtio_net.h - driver of a virtio network card (VIRTIO 1.2, sections
 * 2.7, 3.1, 4.1 and 5.1): the modern PCI transport, MSI-X entry 0, one queue
 * each way, without offloads.
 *
 * Frames are copied to and from buffers of its own: a device reaches no buffer
 * of a client, and what a client changes in one later goes nowhere.  What is
 * sent is not told back: a frame for which there is no room is lost, as it
 * would be in any switch.  The link's state is looked at every 250 us.
 *
 * The device may have been left in any state by a former owner: opening resets
 * it first.  One that says that it needs a reset gets one; one that is gone, or
 * that resets don't help, is lost, and the external port is down from then on.
 * What the device writes is checked: an entry that names no buffer under way is
 * counted and passed over.
 *
 * Not used: indirect descriptors, merged buffers, the control queue (without it
 * a card takes all frames, which a switch needs).
 */
#ifndef PARTERRE_IO_VIRTIO_NET_H
#define PARTERRE_IO_VIRTIO_NET_H

/* Takes a card that the view has and that is not used yet as the external port
 * (external.h).  To be called at the start and when the view has changed. */
void virtio_net_look(void);
/* Before an orderly stop. */
void virtio_net_close(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio_net.h - network card (VIRTIO 1.2, 5.1) at the machine's
 * network port of its number (machine_add_nic()).
 *
 * Offers: MAC, STATUS, MRG_RXBUF.  A frame leaves VIRTIO_NET_PS after its
 * notification, or when the cable is free again if that is later.  One that
 * comes while there are no buffers for it is lost, and counted.
 *
 * Faults: `link` (argument 1: the link is down, 0: up again), `drop` (the next
 * <argument> frames that come are lost); `duplicate`, `corrupt`, `reorder`: the
 * next <argument> frames come twice; with a bit changed in their middle; after
 * the one that follows (never, if none does).
 *
 * Not modelled: a control queue (all frames that the network delivers reach the
 * driver), several queue pairs, checksum and segmentation offload, MTU.
 */
#ifndef PARTERRE_DEVICES_VIRTIO_NET_H
#define PARTERRE_DEVICES_VIRTIO_NET_H

#include "devices/virtio.h"

#define VIRTIO_NET_PS (2 * PS_PER_US)

#define VIRTIO_NET_F_MAC       (UINT64_C(1) << 5)
#define VIRTIO_NET_F_MRG_RXBUF (UINT64_C(1) << 15)
#define VIRTIO_NET_F_STATUS    (UINT64_C(1) << 16)

/* 5.1.6: before each frame. */
#define VIRTIO_NET_HEADER 12

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/nic.h - the client's end of a network channel (abi/channel.h): a
 * network card without a device.
 *
 * A frame is handed over with its Ethernet header apart.  What is sent is
 * copied into a buffer of the channel; what comes is copied out of one before
 * anybody looks at it, because the server may change its buffers at any time.
 *
 * The server may die and be replaced: frames under way are lost then, as on a
 * wire, the link is down until the new one answers ENABLE, and sending is
 * refused meanwhile (BUSY: the caller keeps what it has).  Nothing of the
 * channel is touched between nic_pause() and nic_resume().
 *
 * The server is not trusted: a buffer that it gives back must be with it, and
 * lengths are checked; anything else is counted and dropped.
 */
#ifndef PARTERRE_NET_NIC_H
#define PARTERRE_NET_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/channel.h"

struct nic {
	struct channel channel;
	bool open;    /* the channel may be touched */
	bool enabled; /* ENABLE was answered */
	bool link;    /* what the server says */
	bool stopped; /* between the high mark and the low one */
	uint8_t mac[6];
	/* Bit n: the buffer is with the server. */
	uint32_t sending, receiving;
	unsigned under_way; /* of sending */
	/* Counts. */
	uint64_t sent, received, refused, busy, lost, odd, attached;
};

/* A frame: its header, its payload, valid during the call. */
typedef void nic_frame(void *owner, const uint8_t *header,
		       const uint8_t *payload, unsigned bytes);

/* The channel is new or came back: check it, attach, enable, post all buffers.
 * CHANNEL_NOT_READY: ask again soon. */
enum channel_result nic_resume(struct nic *n, void *base, unsigned handle,
			       const struct channel_identity *who);

/* From here on the channel is not touched; frames under way are lost. */
void nic_pause(struct nic *n);

/* False: busy, try again when nic_room() says so; nothing was sent. */
bool nic_send(struct nic *n, const uint8_t *header, const void *payload,
	      unsigned bytes);
bool nic_room(const struct nic *n);
/* The server sees what was sent when it is told, all together: by this, by
 * nic_run() or by nic_sleep(). */
void nic_tell(struct nic *n);
bool nic_untold(const struct nic *n);

/* In a trunk: how the sender's external port is. */
void nic_tell_link(struct nic *n, bool up);

/* What has come; true if anything moved. */
bool nic_run(struct nic *n, nic_frame *frame, void *owner);

/* Before waiting, as queue_sleep(). */
bool nic_sleep(struct nic *n);
void nic_awake(struct nic *n);

#endif

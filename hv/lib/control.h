/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/control.h - a partition's end of its control channel (abi/control.h).
 *
 * Nothing here waits but control_open() and control_transact().  A program
 * that reacts to events sends with control_send() and takes responses from its
 * loop.
 */
#ifndef PARTERRE_LIB_CONTROL_H
#define PARTERRE_LIB_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/control.h"
#include "abi/view.h"
#include "lib/channel.h"

struct control {
	struct channel channel;
	uint64_t next_handle;
};

/* Attach to handle 0; waits until the ultravisor has made it ready.  False:
 * its header doesn't fit. */
bool control_open(struct control *c);

/* Send the operations ops[0..count-1] as one transaction; of each message id
 * and the union are the caller's to fill.  Returns its handle; 0: the queue
 * has no room for all of them, nothing was sent. */
uint64_t control_send(struct control *c, struct control_message *ops,
		      unsigned count);

/* The next response, if there is one. */
bool control_response(struct control *c, struct control_message *response);

/* The next event, if there is one; to be acknowledged with control_ack(). */
bool control_event(struct control *c, struct control_message *event);
void control_ack(struct control *c, const struct control_message *event,
		 uint32_t status);

/* Send, then wait for the response; responses to others are dropped, events
 * stay queued.  Its status; CONTROL_EBUSY after timeout_ns. */
uint32_t control_transact(struct control *c, struct control_message *ops,
			  unsigned count, struct control_message *response,
			  uint64_t timeout_ns);

/* Before SYS_WAIT with EVENT_CHANNEL(CONTROL_HANDLE): true if both incoming
 * queues are empty. */
bool control_sleep(struct control *c);
void control_awake(struct control *c);

/* A channel end that EVT_CHANNEL_ATTACH gives to a server. */
struct control_attachment {
	const struct view_channel *row;
	struct channel_identity who; /* for channel_serve() */
	unsigned handle;
	void *at; /* where it is mapped */
};
/* Checks the event against the view and maps the channel.  CONTROL_OK, or the
 * status to acknowledge it with. */
uint32_t control_attach(const struct control_message *event,
			struct control_attachment *a);

/* Short name of a status, for log lines. */
const char *control_status_name(uint32_t status);

#endif

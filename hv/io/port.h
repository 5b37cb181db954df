/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/port.h - the switch's internal ports: server ends of network channels
 * (abi/channel.h), those of guests, and that of the trunk if this partition
 * serves it.
 *
 * A client is not trusted.  Each message is copied once and checked; a buffer
 * number is an index into buffers whose places are constants; answers are
 * inserted only where there is room, and a client that takes none gets nothing
 * more done.  What lies in a buffer may change while it is copied: that harms
 * whoever gets it as little as any other frame.
 */
#ifndef PARTERRE_IO_PORT_H
#define PARTERRE_IO_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/view.h"
#include "io/switch.h"

/* Serve the channel of `handle`, mapped at base.  False: it doesn't fit. */
bool port_attach(unsigned handle, void *base, const struct view *view);
/* Take no more from it. */
void port_detach(unsigned handle);
/* Detached: set DRAINED and forgotten, once.  True also for a handle that was
 * never served here. */
bool port_drained(unsigned handle);

bool port_is_guest(unsigned handle);
const uint8_t *port_mac(unsigned handle); /* of a guest's */
uint32_t ports_of_guests(void);           /* bit n: handle n may be one */
int port_of(const uint8_t mac[6]);        /* its handle; -1: of no guest here */
/* False: no buffer was posted, or it isn't enabled; the frame is lost.  Its
 * client sees it with the next ports_tell(). */
bool port_deliver(unsigned handle, const struct frame *f);

/* Of the trunk's server end; NO_PORT: it isn't here, or not enabled. */
#define NO_PORT (~0u)
unsigned port_trunk(bool *other_up);
void port_tell_link(unsigned handle, bool up);

bool ports_run(void);
void ports_tell(void); /* the clients, of what all have got since the last */
bool ports_sleep(void);
void ports_awake(void);
/* Does a message wait for room in its client's queue?  Nobody signals that. */
bool ports_blocked(void);

#endif

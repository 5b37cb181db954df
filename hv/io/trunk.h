/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/trunk.h - the way to the other I/O partition's switch: a network
 * channel of which one of the two is the client, the other one the server.
 * It carries frames while not both external ports are up (switch.h). */
#ifndef PARTERRE_IO_TRUNK_H
#define PARTERRE_IO_TRUNK_H

#include <stdbool.h>

#include "abi/control.h"
#include "io/switch.h"

/* EVT_CHANNEL_PAUSE and EVT_CHANNEL_RESUME of the client's end; false: of
 * another channel. */
bool trunk_event(const struct control_message *event);

bool trunk_up(void); /* frames may go there */
bool trunk_send(const struct frame *f);

bool trunk_run(void);
bool trunk_sleep(void);
void trunk_awake(void);
bool trunk_wanted(void); /* not attached yet: look again soon */

#endif

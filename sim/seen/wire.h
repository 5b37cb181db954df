/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/wire.h - between a run and who shows it: two processes, so that a
 * display can do nothing to the machine but what is asked for here, and a run
 * can go back to an earlier process of it (sim/debug/past.h) in front of the
 * same display.
 *
 * A stream socket.  From the run: messages, a head and its bytes; a WIRE_SEEN
 * is answered by WIRE_DREW before the next is sent, unless the machine stands.
 * To the run: orders of fixed size.  Both ends are of the same build.
 *
 * A WIRE_SEEN's head says how many orders the run had taken by then, of those
 * that change what is to be seen (wire_is_answered()); each of them has one
 * that says so.
 */
#ifndef PARTERRE_SEEN_WIRE_H
#define PARTERRE_SEEN_WIRE_H

#include "sim/base.h"

enum wire_kind {
	WIRE_SEEN = 1, /* struct seen */
	WIRE_SCREEN,   /* struct wire_screen, then width * height * 3 bytes */
};

struct wire_head {
	uint32_t kind, bytes;
	uint32_t orders; /* of a WIRE_SEEN; wraps */
};

struct wire_screen {
	uint32_t width, height; /* 0: the machine has none */
};

enum wire_what {
	WIRE_DREW = 1,
	WIRE_PAUSE,       /* stand at the next opportunity */
	WIRE_GO,          /* what follows only while it stands: */
	WIRE_STEP,        /* one instruction */
	WIRE_STEP_SWITCH, /* to the first instruction after the next switch */
	WIRE_BACK_STEP,
	WIRE_BACK_SWITCH,
	WIRE_BACK_TIME, /* arg: ps */
	WIRE_SPEED,     /* arg: percent of real time; 0: as fast as it can */
	WIRE_MACHINE,   /* arg: the number of the one that is to be shown */
	WIRE_QUIT,      /* arg: 0, or the status that the run is to end with */
	WIRE_KEYS, /* arg: machine; bytes of a PS/2 keyboard, scan code set 2 */
	WIRE_MOUSE, /* arg: machine; x, y (up), z, buttons, as int8_t */
};

#define WIRE_ORDER_BYTES 16

struct wire_order {
	uint32_t what; /* enum wire_what */
	uint32_t bytes;
	uint64_t arg;
	uint8_t data[WIRE_ORDER_BYTES];
};

/* All of it, or false: the other end is gone. */
bool wire_put(int fd, const void *p, size_t bytes);
bool wire_get(int fd, void *p, size_t bytes);
bool wire_send(int fd, const struct wire_head *head, const void *p);
bool wire_tell(int fd, enum wire_what what, uint64_t arg);
bool wire_is_answered(uint32_t what);
/* Is something there to be read, within so many ms? */
bool wire_waits(int fd, int timeout_ms);

#endif

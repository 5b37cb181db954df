/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/show.h - a run with somebody watching: the debugger's front end that
 * sends what is seen over a socket (wire.h) and takes orders.
 *
 * While the machine runs, what is seen goes out some thirty times a second of
 * the host's, between slices; when it stands, once more, with the places where
 * the CPUs are.  Nothing of it is felt by the machine: digests are those of a
 * run that nobody sees.  But for keys and the mouse, which go the way of
 * whatever is typed (session_hands), and are noted.
 */
#ifndef PARTERRE_SEEN_SHOW_H
#define PARTERRE_SEEN_SHOW_H

#include "sim/debug/debug.h"

struct show;

struct show_options {
	bool stopped;   /* it stands before its first instruction */
	ps_t stop_at;   /* it stands at this instant; 0: at none */
	uint32_t speed; /* percent of real time; 0: as fast as it can */
};

/* `fd`: the run's end of the socket, the show's from then on. */
struct show *show_create(int fd, const struct show_options *o);
const struct debug_front *show_front(struct show *s);
/* The debugger's driver, with the show listening to records as well. */
const struct session_driver *show_driver(struct show *s, struct debug *d);
/* Keys and mouse, for session_options.hands. */
struct session_hands;
const struct session_hands *show_hands(struct show *s);
/* 0, or the status that who shows it gave for leaving: he has said why. */
int show_status(const struct show *s);
void show_destroy(struct show *s); /* NULL is fine */

#endif

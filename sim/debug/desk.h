/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/desk.h - the debugger's front end of `parterre debug`: it answers
 * another process, where the user's commands and variables live, so that they
 * stay what they are when the run goes back in time.
 *
 * Messages are values (luawire.h), the first a word.  Asked:
 *   "call" NAME ARG...            a function of the table in desk_calls.c, or a
 *                                 scenario's that lets nothing run
 *   "go" HOW PID TID LOW HIGH     HOW: "continue", "step", "range",
 *                                 "back-step", "back-continue"
 *   "free"                        to the end, stopping nowhere
 *   "kill"
 *   "stop"                        in mid-run alone
 * Answered:
 *   "ok" VALUE...  "error" TEXT   to a call
 *   "stopped" TABLE               when it stands: at first, and after "go"
 *   "over" STATUS                 the run has ended
 */
#ifndef PARTERRE_DEBUG_DESK_H
#define PARTERRE_DEBUG_DESK_H

#include <lauxlib.h>

#include "sim/debug/debug_internal.h"
#include "sim/debug/luawire.h"
#include "sim/scenario/script_internal.h"

struct desk {
	struct debug_front front;
	int fd;
	bool owes;       /* the other side waits for why it stands */
	struct debug *d; /* while it stands */
	lua_State *L;    /* of this process: made when it is first asked */
	struct script script;
	struct packet_text in, out;
};

/* `fd` is its own from then on. */
struct desk *desk_create(int fd);
const struct debug_front *desk_front(struct desk *k);
void desk_destroy(struct desk *k); /* NULL is fine */

/* desk_calls.c: the functions, as globals; each finds its desk by desk_of(). */
void desk_open_calls(struct desk *k);
struct desk *desk_of(lua_State *L);
/* Pushes why it stands. */
void desk_push_stop(lua_State *L, struct debug *d);

#endif

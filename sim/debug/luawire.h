/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/luawire.h - Lua's values from one process to another: a length of 4
 * bytes, then values, over a stream socket.  Of the same program at both ends:
 * no version, the host's byte order.
 */
#ifndef PARTERRE_DEBUG_LUAWIRE_H
#define PARTERRE_DEBUG_LUAWIRE_H

#include <lua.h>

#include "sim/debug/packet.h"

#define LUAWIRE_BYTES_MAX (64u << 20)

/* nil, booleans, numbers, strings, and tables of them; a Lua error for anything
 * else. */
void luawire_put(lua_State *L, int index, struct packet_text *to);
/* Pushes one; false, and nothing is pushed: these bytes are none. */
bool luawire_get(lua_State *L, const char **p, const char *end);

/* False: nobody is at the other end. */
bool luawire_send(int fd, const struct packet_text *message);
bool luawire_receive(int fd, struct packet_text *message);

#endif

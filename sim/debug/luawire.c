/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/luawire.c - see luawire.h. */
#include "sim/debug/luawire.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEPTH_MAX 16

/* A letter before each. */
enum {
	NIL = 'n',
	BOOLEAN = 'b',
	INTEGER = 'i',
	NUMBER = 'd',
	STRING = 's',
	TABLE = 't', /* pairs, then END */
	END = 'e'
};

static void put(struct packet_text *to, char letter, const void *p, size_t n)
{
	packet_put_bytes(to, &letter, 1);
	packet_put_bytes(to, p, n);
}

static void put_string(lua_State *L, int index, struct packet_text *to)
{
	size_t n;
	const char *s = lua_tolstring(L, index, &n);

	put(to, STRING, &n, sizeof(n));
	packet_put_bytes(to, s, n);
}

static void put_value(lua_State *L, int index, struct packet_text *to,
		      unsigned depth);

static void put_table(lua_State *L, int index, struct packet_text *to,
		      unsigned depth)
{
	if (depth == DEPTH_MAX)
		luaL_error(L, "a table deeper than %d, or in a circle",
			   DEPTH_MAX);
	luaL_checkstack(L, 4, NULL);
	put(to, TABLE, NULL, 0);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		put_value(L, lua_gettop(L) - 1, to, depth + 1);
		put_value(L, lua_gettop(L), to, depth + 1);
	}
	put(to, END, NULL, 0);
}

static void put_value(lua_State *L, int index, struct packet_text *to,
		      unsigned depth)
{
	lua_Integer i;
	lua_Number d;
	char b;

	switch (lua_type(L, index)) {
	case LUA_TNIL:
		put(to, NIL, NULL, 0);
		break;
	case LUA_TBOOLEAN:
		b = (char)lua_toboolean(L, index);
		put(to, BOOLEAN, &b, 1);
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, index)) {
			i = lua_tointeger(L, index);
			put(to, INTEGER, &i, sizeof(i));
		} else {
			d = lua_tonumber(L, index);
			put(to, NUMBER, &d, sizeof(d));
		}
		break;
	case LUA_TSTRING:
		put_string(L, index, to);
		break;
	case LUA_TTABLE:
		put_table(L, index, to, depth);
		break;
	default:
		luaL_error(L, "a %s cannot be passed on",
			   luaL_typename(L, index));
	}
}

void luawire_put(lua_State *L, int index, struct packet_text *to)
{
	put_value(L, lua_absindex(L, index), to, 0);
}

static bool take(const char **p, const char *end, void *to, size_t n)
{
	if ((size_t)(end - *p) < n)
		return false;
	memcpy(to, *p, n);
	*p += n;
	return true;
}

static bool get_table(lua_State *L, const char **p, const char *end)
{
	lua_newtable(L);
	while (*p < end && **p != END) {
		if (!luawire_get(L, p, end)) {
			lua_pop(L, 1);
			return false;
		}
		if (lua_isnil(L, -1) || !luawire_get(L, p, end)) {
			lua_pop(L, 2);
			return false;
		}
		lua_rawset(L, -3);
	}
	if (*p == end) {
		lua_pop(L, 1);
		return false;
	}
	++*p;
	return true;
}

bool luawire_get(lua_State *L, const char **p, const char *end)
{
	lua_Integer i;
	lua_Number d;
	size_t n;
	char letter, b;

	if (!take(p, end, &letter, 1) || !lua_checkstack(L, 4))
		return false;
	switch (letter) {
	case NIL:
		lua_pushnil(L);
		return true;
	case BOOLEAN:
		if (!take(p, end, &b, 1))
			return false;
		lua_pushboolean(L, b);
		return true;
	case INTEGER:
		if (!take(p, end, &i, sizeof(i)))
			return false;
		lua_pushinteger(L, i);
		return true;
	case NUMBER:
		if (!take(p, end, &d, sizeof(d)))
			return false;
		lua_pushnumber(L, d);
		return true;
	case STRING:
		if (!take(p, end, &n, sizeof(n)) || (size_t)(end - *p) < n)
			return false;
		lua_pushlstring(L, *p, n);
		*p += n;
		return true;
	case TABLE:
		return get_table(L, p, end);
	default:
		return false;
	}
}

/* --- messages --- */

static bool send_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t done = send(fd, at, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

static bool receive_all(int fd, void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t done = recv(fd, at, n, 0);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

bool luawire_send(int fd, const struct packet_text *message)
{
	uint32_t n = (uint32_t)message->bytes;

	return send_all(fd, &n, sizeof(n)) && send_all(fd, message->data, n);
}

bool luawire_receive(int fd, struct packet_text *message)
{
	char piece[4096];
	uint32_t n;

	message->bytes = 0;
	if (!receive_all(fd, &n, sizeof(n)) || n > LUAWIRE_BYTES_MAX)
		return false;
	while (n) {
		size_t some = n < sizeof(piece) ? n : sizeof(piece);

		if (!receive_all(fd, piece, some))
			return false;
		packet_put_bytes(message, piece, some);
		n -= (uint32_t)some;
	}
	return true;
}

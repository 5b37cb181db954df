/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/console.c - a scenario at the serial lines: waits for a line of
 * a partition or for any text, and types.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/script_internal.h"

#define LAST_LINES 3
#define LAST_BYTES 200

/* string.find(text, pattern) by Lua's own rules; the pattern is at `pattern`,
 * *end is where the match ends. */
static bool matches(lua_State *L, const char *text, size_t bytes, int pattern,
		    size_t *end)
{
	bool found;

	lua_getglobal(L, "string");
	lua_getfield(L, -1, "find");
	lua_pushlstring(L, text, bytes);
	lua_pushvalue(L, pattern);
	lua_call(L, 2, 2);
	found = !lua_isnil(L, -2);
	if (found)
		*end = (size_t)lua_tointeger(L, -1);
	lua_pop(L, 3);
	return found;
}

/* --- lines of partitions --- */

/* 0: the monitor, or not known (yet). */
static uint32_t index_of(lua_State *L, const char *name)
{
	struct session *s = script_machine(L);

	for (size_t i = partition_view_count(s->view); i--;) {
		struct partition_info info;

		partition_view_info(s->view, i, &info);
		if (strcmp(info.name, name) == 0)
			return info.index;
	}
	return 0;
}

void console_scene(lua_State *L, uint32_t index)
{
	struct session *s = script_machine(L);
	struct partition_info info;
	size_t first = s->line_count;
	unsigned lines = 0;
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	if (index && index <= partition_view_count(s->view)) {
		partition_view_info(s->view, index - 1, &info);
		luaL_addstring(&b, info.name);
		luaL_addstring(&b, " is ");
		luaL_addstring(&b, partition_info_state(&info));
		luaL_addstring(&b, "; ");
	}
	while (first && lines < LAST_LINES) {
		first--;
		if (!index || s->line[first].partition == index)
			lines++;
	}
	luaL_addstring(&b, lines ? "last lines:" : "no line was printed");
	for (size_t i = first; i < s->line_count; i++) {
		if (index && s->line[i].partition != index)
			continue;
		luaL_addstring(&b, "\n    ");
		luaL_addstring(
			&b, partition_view_name(s->view, s->line[i].partition));
		luaL_addstring(&b, ": ");
		luaL_addstring(&b, s->line[i].text);
	}
	luaL_pushresult(&b);
}

static bool any_line(void *owner, const struct trace_record *r)
{
	(void)owner;
	return r->kind->number == TRACE_EV_CONSOLE;
}

/* The next line of `name` from *at on that matches; false: none yet. */
static bool next_line(lua_State *L, const char *name, size_t *at)
{
	struct session *s = script_machine(L);
	bool any = strcmp(name, "*") == 0;
	size_t end;

	while (*at < s->line_count) {
		const struct session_line *l = &s->line[(*at)++];
		const char *who = partition_view_name(s->view, l->partition);

		if ((!any && strcmp(who, name) != 0) ||
		    !matches(L, l->text, strlen(l->text), 2, &end))
			continue;
		lua_pushstring(L, l->text);
		lua_pushinteger(L, (lua_Integer)l->time);
		return true;
	}
	return false;
}

/* wait_console(partition, pattern, {within=}): goes on behind the last line of
 * that partition that was waited for; returns the line and its instant. */
static int lua_wait_console(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *name = luaL_checkstring(L, 1);
	ps_t limit = wait_limit(L, 3);
	char what[300];
	const char *key;
	size_t at;

	luaL_checkstring(L, 2);
	lua_settop(L, 3);
	key = lua_pushfstring(L, "%d %s", (int)s->index, name);
	lua_getfield(L, LUA_REGISTRYINDEX, "cursor");
	at = lua_getfield(L, -1, key) == LUA_TNIL
		     ? 0
		     : (size_t)lua_tointeger(L, -1);
	lua_pop(L, 1);
	while (!next_line(L, name, &at)) {
		size_t lines = s->line_count;

		if (session_is_on(s)) {
			s->wait = any_line;
			script_advance(L, limit);
			s->wait = NULL;
		}
		if (!s->hit && s->line_count == lines) {
			snprintf(what, sizeof(what), "a line of %s like '%s'",
				 name, lua_tostring(L, 2));
			console_scene(L, index_of(L, name));
			return wait_in_vain(L, what);
		}
	}
	script_held(L, "a line of %s like '%s'", name, lua_tostring(L, 2));
	lua_pushinteger(L, (lua_Integer)at);
	lua_setfield(L, -4, key); /* cursor, line, instant, at */
	return 2;
}

/* --- the bytes of a line --- */

/* serial=… of the options table at `arg`; 0. */
static unsigned serial_of(lua_State *L, int arg)
{
	lua_Integer serial = 0;
	int is_number = 1;

	if (!lua_isnoneornil(L, arg)) {
		luaL_checktype(L, arg, LUA_TTABLE);
		if (lua_getfield(L, arg, "serial") != LUA_TNIL)
			serial = lua_tointegerx(L, -1, &is_number);
		lua_pop(L, 1);
	}
	if (!is_number || serial < 0 || serial >= MACHINE_SERIALS)
		luaL_error(L, "there is no such serial line: serial is 0 to %d",
			   MACHINE_SERIALS - 1);
	return (unsigned)serial;
}

/* What came last, control characters as dots; on top. */
static void push_tail(lua_State *L, const struct session_console *c)
{
	size_t from = c->bytes > LAST_BYTES ? c->bytes - LAST_BYTES : 0;
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	luaL_addstring(&b, c->bytes ? "it ends with:\n    " : "nothing came");
	for (size_t i = from; i < c->bytes; i++) {
		uint8_t byte = (uint8_t)c->text[i];

		if (byte == '\n')
			luaL_addstring(&b, "\n    ");
		else if (byte != '\r')
			luaL_addchar(&b, byte < 0x20 || byte > 0x7e
						 ? '.'
						 : (char)byte);
	}
	luaL_pushresult(&b);
}

/* wait_serial(pattern, {within=, serial=}): until what came over the line since
 * the last such wait has the pattern in it, whole line or not; returns what
 * came up to there. */
static int lua_wait_serial(lua_State *L)
{
	struct session *s = script_machine(L);
	unsigned serial = serial_of(L, 2);
	struct session_console *c = &s->console[serial];
	ps_t limit = wait_limit(L, 2);
	size_t end = 0;
	char what[300];

	luaL_checkstring(L, 1);
	while (!matches(L, c->text + c->cursor, c->bytes - c->cursor, 1,
			&end)) {
		size_t bytes = c->bytes;

		if (session_is_on(s)) {
			s->wait_console = c;
			script_advance(L, limit);
			s->wait_console = NULL;
		}
		if (c->bytes == bytes) {
			snprintf(what, sizeof(what), "'%s' on serial line %u",
				 lua_tostring(L, 1), serial);
			push_tail(L, c);
			return wait_in_vain(L, what);
		}
	}
	script_held(L, "'%s' on serial line %u", lua_tostring(L, 1), serial);
	lua_pushlstring(L, c->text + c->cursor, end);
	c->cursor += end;
	return 1;
}

/* send(text, {serial=}): somebody at the far end types it. */
static int lua_send(lua_State *L)
{
	struct session *s = script_machine(L);
	unsigned serial = serial_of(L, 2);
	size_t bytes, taken = 0;
	const char *text = luaL_checklstring(L, 1, &bytes);

	if (session_is_on(s))
		taken = machine_serial_input(s->machine, serial,
					     (const uint8_t *)text, bytes);
	if (taken < bytes)
		return luaL_error(
			L, "send: serial line %d took %d of %d bytes: %s",
			serial, (int)taken, (int)bytes,
			session_is_on(s) ? "the guest has not read what was "
					   "sent before; wait for its answer"
					 : "the machine is off");
	return 0;
}

const luaL_Reg console_functions[] = {
	{"wait_console", lua_wait_console},
	{"wait_serial", lua_wait_serial},
	{"send", lua_send},
	{NULL, NULL},
};

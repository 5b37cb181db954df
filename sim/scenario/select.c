/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/select.c - trace{}: what is written of a class of events, from
 * now on.
 */
#include <string.h>

#include "sim/scenario/script_internal.h"

/* The value on top, or each in the list there, as the command line's text. */
static void take(lua_State *L, struct trace_select *s, const char *key)
{
	if (lua_istable(L, -1)) {
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
			take(L, s, key);
		return;
	}
	if (!session_select_take(s, key, luaL_tolstring(L, -1, NULL)))
		luaL_error(L, "trace{}: %s: '%s' is not what it takes", key,
			   lua_tostring(L, -1));
	lua_pop(L, 1);
}

static void take_instant(lua_State *L, struct trace_select *s, ps_t *to)
{
	int is_integer;
	lua_Integer t = lua_tointegerx(L, -1, &is_integer);

	if (!is_integer || t < 0)
		luaL_error(L, "trace{}: from and to are instants: now(), "
			      "ms(40)");
	if (!s->by_window) {
		s->by_window = true;
		s->to = PS_NEVER;
		s->retired_to = UINT64_MAX;
	}
	*to = (ps_t)t;
}

/* trace{class = "full", partition = "io.a", ...}: all of the class that this
 * says; without further keys all of it; off = true: nothing. */
static int lua_trace(lua_State *L)
{
	struct session *s = script_machine(L);
	struct trace_select select = {0};
	unsigned class = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING
					  ? lua_tostring(L, -2)
					  : "?";

		if (strcmp(key, "class") == 0 && lua_isstring(L, -1))
			class = trace_class_by_name(lua_tostring(L, -1));
		else if (strcmp(key, "off") == 0)
			select.off = lua_toboolean(L, -1);
		else if (strcmp(key, "from") == 0)
			take_instant(L, &select, &select.from);
		else if (strcmp(key, "to") == 0)
			take_instant(L, &select, &select.to);
		else
			take(L, &select, key);
	}
	if (!class || class == TRACE_CLASS_PARTITION)
		return luaL_error(L, "trace{}: class has to be machine, flow "
				     "or full");
	trace_select(s->trace, (enum trace_class) class, &select);
	return 0;
}

const luaL_Reg select_functions[] = {
	{"trace", lua_trace},
	{NULL, NULL},
};

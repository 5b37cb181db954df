/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/machines.c - which machine a scenario's call is about.
 *
 * Every function that a scenario calls finds its machine by script_machine().
 * As a global it acts on the first: run_for(ms(1)).  As a method of a handle
 * that machine{} returned, on that one: b:wait_console(...), b.inject.ram(...).
 */
#include <string.h>

#include "sim/scenario/script_internal.h"

#define HANDLE "machine"

/* Each entry says whose it is, so a Lua error in one leaves nothing behind. */
static int call_global(lua_State *L)
{
	struct script *c = script_of(L);

	c->session = c->aside ? c->aside : c->first;
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int call_method(lua_State *L)
{
	struct session **self = luaL_checkudata(L, 1, HANDLE);

	script_of(L)->session = *self;
	lua_remove(L, 1);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* b.inject.crash(...): the machine is the function's own. */
static int call_bound(lua_State *L)
{
	struct session **self = lua_touserdata(L, lua_upvalueindex(2));

	script_of(L)->session = *self;
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void machines_fields(lua_State *L, const luaL_Reg *f)
{
	for (; f->name; f++) {
		lua_pushcfunction(L, f->func);
		lua_pushcclosure(L, call_global, 1);
		lua_setfield(L, -2, f->name);
	}
}

void machines_globals(lua_State *L, const luaL_Reg *f)
{
	lua_pushglobaltable(L);
	machines_fields(L, f);
	lua_pop(L, 1);
}

static void add_methods(lua_State *L, const luaL_Reg *f)
{
	for (; f->name; f++) {
		lua_pushcfunction(L, f->func);
		lua_pushcclosure(L, call_method, 1);
		lua_setfield(L, -2, f->name);
	}
}

static void push_inject(lua_State *L)
{
	lua_newtable(L);
	for (const luaL_Reg *f = inject_functions; f->name; f++) {
		lua_pushcfunction(L, f->func);
		lua_pushvalue(L, 1);
		lua_pushcclosure(L, call_bound, 2);
		lua_setfield(L, -2, f->name);
	}
}

/* Upvalue 1: the methods. */
static int handle_index(lua_State *L)
{
	struct session **self = luaL_checkudata(L, 1, HANDLE);
	const char *key = luaL_checkstring(L, 2);

	lua_settop(L, 2);
	if (strcmp(key, "name") == 0) {
		lua_pushstring(L, (*self)->name);
	} else if (strcmp(key, "inject") == 0) {
		push_inject(L);
	} else {
		lua_pushvalue(L, 2);
		if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
			return luaL_error(L,
					  "a machine has nothing called "
					  "'%s'",
					  key);
	}
	return 1;
}

/* Not its address, which is the host's. */
static int handle_text(lua_State *L)
{
	struct session **self = luaL_checkudata(L, 1, HANDLE);

	lua_pushfstring(L, "machine %s", (*self)->name);
	return 1;
}

void machines_open(lua_State *L)
{
	luaL_newmetatable(L, HANDLE);
	lua_newtable(L);
	add_methods(L, wait_functions);
	add_methods(L, console_functions);
	add_methods(L, look_functions);
	add_methods(L, hand_functions);
	lua_pushcclosure(L, handle_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, handle_text);
	lua_setfield(L, -2, "__tostring");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void machines_push(lua_State *L, struct session *s)
{
	struct session **self =
		lua_newuserdatauv(L, sizeof(struct session *), 0);

	*self = s;
	luaL_setmetatable(L, HANDLE);
}

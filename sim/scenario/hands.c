/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/hands.c - what a scenario does at a machine's keyboard and
 * mouse, and to its clock.
 */
#include <string.h>

#include "devices/i8042.h"
#include "sim/scenario/script_internal.h"

static struct device *keyboard(lua_State *L)
{
	return machine_device(script_machine(L)->machine, "kbc0");
}

static int lua_key(lua_State *L)
{
	struct error err = {0};

	if (!i8042_press(keyboard(L), luaL_checkstring(L, 1), &err))
		return script_fail_with(L, &err);
	return 0;
}

static int lua_keys(lua_State *L)
{
	struct error err = {0};

	if (!i8042_type(keyboard(L), luaL_checkstring(L, 1), &err))
		return script_fail_with(L, &err);
	return 0;
}

#define MOVE_MAX 32767

static int32_t option(lua_State *L, const char *name, lua_Integer least,
		      lua_Integer most)
{
	lua_Integer value = 0;
	int is_number = 1;

	if (lua_getfield(L, 1, name) != LUA_TNIL)
		value = lua_tointegerx(L, -1, &is_number);
	if (!is_number || value < least || value > most)
		luaL_error(L, "mouse{}: %s has to be a number from %I to %I",
			   name, (LUAI_UACINT)least, (LUAI_UACINT)most);
	lua_pop(L, 1);
	return (int32_t)value;
}

static int lua_mouse(lua_State *L)
{
	static const char *const names[] = {"dx", "dy", "wheel", "buttons"};
	int32_t value[4];

	luaL_checktype(L, 1, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING
					  ? lua_tostring(L, -2)
					  : "?";
		unsigned i = 0;

		while (i < ARRAY_LEN(names) && strcmp(key, names[i]) != 0)
			i++;
		if (i == ARRAY_LEN(names))
			return luaL_error(L,
					  "mouse{}: '%s' is none of dx, dy, "
					  "wheel, buttons",
					  key);
	}
	for (unsigned i = 0; i < 3; i++)
		value[i] = option(L, names[i], -MOVE_MAX, MOVE_MAX);
	value[3] = option(L, names[3], 0, 7);
	i8042_mouse(keyboard(L), value[0], value[1], value[2],
		    (uint8_t)value[3]);
	return 0;
}

static int lua_timing(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	struct error err = {0};
	enum timing_model model;

	if (!timing_model_find(name, &model))
		return luaL_error(L,
				  "timing(): there is no model '%s'; it is "
				  "\"flat\", \"block\" or \"memory\"",
				  name);
	if (!machine_set_timing(script_machine(L)->machine, model, &err))
		return script_fail_with(L, &err);
	return 0;
}

const luaL_Reg hand_functions[] = {
	{"key", lua_key},       {"keys", lua_keys}, {"mouse", lua_mouse},
	{"timing", lua_timing}, {NULL, NULL},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/script_internal.h - script.c (the Lua state), describe.c
 * (machine{}), wait.c and look.c (what a scenario calls).
 */
#ifndef PARTERRE_SCENARIO_SCRIPT_INTERNAL_H
#define PARTERRE_SCENARIO_SCRIPT_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "sim/scenario/script.h"

struct script {
	struct session *session;
	struct error failure; /* why the scenario was left; code 0: by Lua */
	unsigned counts;      /* looks at Lua since the machine ran; script.c */
};

struct script *script_of(lua_State *L);
/* The session, with its machine; a Lua error when there is none yet. */
struct session *script_machine(lua_State *L);
/* Leaves the scenario: file:line of the caller, the instant, then the text. */
int script_fail(lua_State *L, enum exit_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* The same for an error that says all but where. */
int script_fail_with(lua_State *L, const struct error *err);
/* Runs the machine; leaves the scenario when it ends badly. */
void script_advance(lua_State *L, ps_t until);
/* A duration or instant argument: an integer from ns(), us(), ms() or s(). */
ps_t script_time(lua_State *L, int arg);

extern const luaL_Reg describe_functions[], wait_functions[], look_functions[],
	inject_functions[];

#endif

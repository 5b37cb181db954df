/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/script_internal.h - script.c (the Lua state), describe.c
 * (machine{}), wait.c, console.c, look.c, hands.c, select.c (what a scenario
 * calls).
 */
#ifndef PARTERRE_SCENARIO_SCRIPT_INTERNAL_H
#define PARTERRE_SCENARIO_SCRIPT_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "sim/scenario/script.h"

struct script {
	struct session *first;
	struct session *session; /* whose function is being called */
	struct error failure;    /* why the scenario was left; code 0: by Lua */
	uint32_t parameters_used; /* a bit each */
	unsigned counts; /* looks at Lua since the machine ran; script.c */
	struct session *aside; /* no scenario: a debugger's look at this
				* machine; or NULL */
};

struct script *script_of(lua_State *L);
/* The session that the call is about, with its machine; a Lua error when there
 * is none yet. */
struct session *script_machine(lua_State *L);
/* The functions of a scenario that let nothing run (look_functions, inject.*),
 * as globals of a state of its own, whose extra space is `c`.  Errors are texts
 * without a place. */
lua_State *script_aside(struct script *c, struct session *s);
/* Leaves the scenario: file:line of the caller, the instant, then the text. */
int script_fail(lua_State *L, enum exit_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* What the calling line expected has come true (expected.h). */
void script_held(lua_State *L, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for an error that says all but where. */
int script_fail_with(lua_State *L, const struct error *err);
/* Runs the machines; leaves the scenario when it ends badly. */
void script_advance(lua_State *L, ps_t until);
/* A duration or instant argument: an integer from ns(), us(), ms() or s(). */
ps_t script_time(lua_State *L, int arg);

/* machines.c: the functions of the table as globals, which act on the first
 * machine; or as fields of the table on top. */
void machines_globals(lua_State *L, const luaL_Reg *f);
void machines_fields(lua_State *L, const luaL_Reg *f);
/* Makes what handles are made of. */
void machines_open(lua_State *L);
/* What machine{} returns. */
void machines_push(lua_State *L, struct session *s);

/* within=... of the options table at `arg`; an absolute instant (wait.c). */
ps_t wait_limit(lua_State *L, int arg);
/* Leaves the scenario: `what` did not come; behind that what was seen instead,
 * the text on top. */
int wait_in_vain(lua_State *L, const char *what);
/* What there is to see of a partition (0: of all), its state and its last
 * lines, as text on top (console.c). */
void console_scene(lua_State *L, uint32_t index);

extern const luaL_Reg describe_functions[], wait_functions[],
	console_functions[], look_functions[], hand_functions[],
	inject_functions[], select_functions[], snapshot_functions[];

#endif

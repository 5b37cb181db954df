/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/snapshots.c - snapshot.save() and load() in a scenario: the
 * machine into a file of the run's folder, and from a file right behind
 * machine{}.  And take(), restore() and free(): in memory.
 */
#include <string.h>

#include "sim/scenario/script_internal.h"

static int lua_save_machine(lua_State *L)
{
	struct session *s = script_machine(L);
	size_t bytes;
	const char *name = luaL_checklstring(L, 1, &bytes);
	char path[PATH_MAX + NAME_MAX + 2];
	struct error err = {0};

	luaL_argcheck(L,
		      bytes > 5 && bytes <= NAME_MAX && strlen(name) == bytes &&
			      !strchr(name, '/') &&
			      !strcmp(name + bytes - 5, ".snap"),
		      1, "a file's name without folders that ends in .snap");
	snprintf(path, sizeof(path), "%s/%s", s->out, name);
	if (!session_save(s, path, &err))
		return script_fail_with(L, &err);
	return 0;
}

/* Relative to the scenario's folder. */
static int lua_begin_from(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *scenario = s->first->options.scenario;
	const char *slash = strrchr(scenario, '/');
	const char *given = luaL_checkstring(L, 1);
	int folder = slash && *given != '/' ? (int)(slash + 1 - scenario) : 0;
	char path[PATH_MAX];
	struct error err = {0};

	luaL_argcheck(L,
		      snprintf(path, sizeof(path), "%.*s%s", folder, scenario,
			       given) < (int)sizeof(path),
		      1, "the path is too long");
	if (!session_begin_from(s, path, &err))
		return script_fail_with(L, &err);
	return 0;
}

/* --- in memory --- */

#define SNAPSHOT "parterre.snapshot"

/* What take() returns; where wait_console() goes on is its user value. */
struct standing {
	struct session *session;
	uint64_t id; /* 0: freed */
};

static void let_go(struct standing *t)
{
	if (t->id)
		session_forget(t->session, t->id);
	t->id = 0;
}

/* When nobody can go back to it any more; at the scenario's end its machine may
 * be gone already, and all that was taken of it. */
static int snapshot_gone(lua_State *L)
{
	let_go(luaL_checkudata(L, 1, SNAPSHOT));
	return 0;
}

static int snapshot_text(lua_State *L)
{
	const struct standing *t = luaL_checkudata(L, 1, SNAPSHOT);

	if (t->id)
		lua_pushfstring(L, "snapshot %I", (LUAI_UACINT)t->id);
	else
		lua_pushstring(L, "snapshot (freed)");
	return 1;
}

static void copy_table(lua_State *L, int from)
{
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, from)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_settable(L, -4);
	}
}

static int lua_take(lua_State *L)
{
	struct session *s = script_machine(L);
	struct standing *t = lua_newuserdatauv(L, sizeof(*t), 1);
	struct error err = {0};

	*t = (struct standing){.session = s};
	if (luaL_newmetatable(L, SNAPSHOT)) {
		lua_pushcfunction(L, snapshot_gone);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, snapshot_gone);
		lua_setfield(L, -2, "__close");
		lua_pushcfunction(L, snapshot_text);
		lua_setfield(L, -2, "__tostring");
		lua_pushboolean(L, false);
		lua_setfield(L, -2, "__metatable");
	}
	lua_setmetatable(L, -2);
	if (!session_take(s, &t->id, &err))
		return script_fail_with(L, &err);
	lua_getfield(L, LUA_REGISTRYINDEX, "cursor");
	copy_table(L, lua_gettop(L));
	lua_setiuservalue(L, -3, 1);
	lua_pop(L, 1);
	return 1;
}

static int lua_restore(lua_State *L)
{
	struct session *s = script_machine(L);
	const struct standing *t = luaL_checkudata(L, 1, SNAPSHOT);
	struct error err = {0};

	luaL_argcheck(L, t->session == s, 1, "it is of another machine");
	if (!session_restore(s, t->id, &err))
		return script_fail_with(L, &err);
	lua_getiuservalue(L, 1, 1);
	copy_table(L, lua_gettop(L));
	lua_setfield(L, LUA_REGISTRYINDEX, "cursor");
	return 0;
}

static int lua_let_go(lua_State *L)
{
	let_go(luaL_checkudata(L, 1, SNAPSHOT));
	return 0;
}

const luaL_Reg snapshot_functions[] = {
	{"save", lua_save_machine}, {"load", lua_begin_from},
	{"take", lua_take},         {"restore", lua_restore},
	{"free", lua_let_go},       {NULL, NULL}};

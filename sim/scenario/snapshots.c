/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/snapshots.c - snapshot.save() and load() in a scenario: the
 * machine into a file of the run's folder, and from a file right behind
 * machine{}.
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

const luaL_Reg snapshot_functions[] = {
	{"save", lua_save_machine}, {"load", lua_begin_from}, {NULL, NULL}};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/look.c - what a scenario sees of the partitions, and the faults
 * that it injects.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sim/bus.h"
#include "sim/digest.h"
#include "sim/fault.h"
#include "sim/scenario/script_internal.h"
#include "sim/screenshot.h"

#define READ_MAX 65536

static void set_integer(lua_State *L, const char *key, uint64_t value)
{
	lua_pushinteger(L, (lua_Integer)value);
	lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *value)
{
	lua_pushstring(L, value);
	lua_setfield(L, -2, key);
}

static void push_partition(lua_State *L, const struct partition_info *p)
{
	lua_newtable(L);
	set_integer(L, "index", p->index);
	set_integer(L, "number", p->number);
	set_text(L, "name", p->name);
	set_text(L, "kind", partition_kind_text(p->kind));
	set_text(L, "state", partition_info_state(p));
	set_integer(L, "incarnation", p->incarnation);
	set_integer(L, "frames", p->frames);
	set_integer(L, "switches", p->switches);
	set_integer(L, "ran", p->ran);
	set_integer(L, "cpu", p->cpu);
	set_integer(L, "run_ns", p->run_ns);
	set_integer(L, "stolen_ns", p->stolen_ns);
	set_integer(L, "offset_ns", p->offset_ns);
	set_integer(L, "checks", p->checks);
	set_integer(L, "vector", p->vector);
	set_integer(L, "error", p->error);
	set_integer(L, "address", p->address);
	set_integer(L, "rip", p->rip);
	set_integer(L, "cr3", p->cr3);
}

static int lua_partition(lua_State *L)
{
	struct session *s = script_machine(L);
	struct partition_info info;
	struct error err;

	if (!partition_view_find(s->view, luaL_checkstring(L, 1), &info, &err))
		return script_fail_with(L, &err);
	push_partition(L, &info);
	return 1;
}

static int lua_partitions(lua_State *L)
{
	struct session *s = script_machine(L);
	struct partition_info info;

	lua_newtable(L);
	for (size_t i = 0; i < partition_view_count(s->view); i++) {
		partition_view_info(s->view, i, &info);
		push_partition(L, &info);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int lua_channels(lua_State *L)
{
	struct session *s = script_machine(L);
	struct partition_channel c;

	lua_newtable(L);
	for (size_t i = 0; i < partition_view_channel_count(s->view); i++) {
		partition_view_channel(s->view, i, &c);
		lua_newtable(L);
		set_integer(L, "id", c.id);
		set_text(L, "type", partition_channel_type_text(c.type));
		set_text(L, "client", partition_view_name(s->view, c.client));
		set_text(L, "server", partition_view_name(s->view, c.server));
		set_integer(L, "generation", c.generation);
		set_integer(L, "client_state", c.client_state);
		set_integer(L, "server_state", c.server_state);
		set_integer(L, "beat", c.beat);
		set_integer(L, "passed", c.passed);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int lua_symbol(lua_State *L)
{
	struct session *s = script_machine(L);
	struct error err;
	uint64_t bytes;
	vaddr_t va;

	if (!partition_view_symbol(s->view, luaL_checkstring(L, 1),
				   luaL_checkstring(L, 2), &va, &bytes, &err))
		return script_fail_with(L, &err);
	lua_pushinteger(L, (lua_Integer)va);
	lua_pushinteger(L, (lua_Integer)bytes);
	return 2;
}

static int lua_current(lua_State *L)
{
	struct session *s = script_machine(L);
	lua_Integer cpu = luaL_checkinteger(L, 1);
	unsigned count = machine_cpu_count(s->machine);
	uint32_t index;

	luaL_argcheck(L, cpu >= 0 && (lua_Unsigned)cpu < count, 1,
		      "no such CPU");
	index = partition_view_current(s->view, (unsigned)cpu);
	if (!index)
		return 0;
	lua_pushstring(L, partition_view_name(s->view, index));
	return 1;
}

static int lua_physical(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *name = luaL_checkstring(L, 1);
	vaddr_t va = (vaddr_t)luaL_checkinteger(L, 2);
	struct error err;
	paddr_t pa;

	if (!partition_view_translate(s->view, name, va, &pa, &err))
		return script_fail_with(L, &err);
	lua_pushinteger(L, (lua_Integer)pa);
	return 1;
}

static int lua_read(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *name = luaL_checkstring(L, 1);
	vaddr_t va = (vaddr_t)luaL_checkinteger(L, 2);
	lua_Integer bytes = luaL_checkinteger(L, 3);
	struct error err;
	luaL_Buffer b;

	luaL_argcheck(L, bytes > 0 && bytes <= READ_MAX, 3,
		      "1 to 65536 bytes at a time");
	if (!partition_view_read(s->view, name, va,
				 luaL_buffinitsize(L, &b, (size_t)bytes),
				 (size_t)bytes, &err))
		return script_fail_with(L, &err);
	luaL_pushresultsize(&b, (size_t)bytes);
	return 1;
}

/* Physical memory, page tables for one. */
static int lua_ram(lua_State *L)
{
	struct session *s = script_machine(L);
	paddr_t pa = (paddr_t)luaL_checkinteger(L, 1);
	lua_Integer bytes = luaL_checkinteger(L, 2);
	luaL_Buffer b;

	luaL_argcheck(L, bytes > 0 && bytes <= READ_MAX, 2,
		      "1 to 65536 bytes at a time");
	if (!bus_peek(machine_bus(s->machine), pa,
		      luaL_buffinitsize(L, &b, (size_t)bytes), (size_t)bytes))
		return luaL_error(L, "ram(): there is no RAM at 0x%I",
				  luaL_checkinteger(L, 1));
	luaL_pushresultsize(&b, (size_t)bytes);
	return 1;
}

static size_t live_pages(lua_State *L, struct partition_page *page)
{
	size_t n = partition_view_live(script_machine(L)->view, page,
				       PARTITION_LIVE_MAX);

	if (!n)
		luaL_error(L, "there is no database now, or it leads out of "
			      "RAM");
	return n;
}

/* A list of the pages in force: frame, what, bytes. */
static int lua_database(lua_State *L)
{
	static struct partition_page page[PARTITION_LIVE_MAX];
	size_t n = live_pages(L, page);

	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lua_newtable(L);
		set_integer(L, "frame", page[i].pfn);
		set_text(L, "what", page[i].what);
		lua_pushlstring(L, (const char *)page[i].bytes, PAGE_BYTES);
		lua_setfield(L, -2, "bytes");
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* Of the same: where they lie and what they hold. */
static int lua_database_digest(lua_State *L)
{
	static struct partition_page page[PARTITION_LIVE_MAX];
	size_t n = live_pages(L, page);
	uint64_t digest = 0;

	for (size_t i = 0; i < n; i++) {
		digest = digest_fold(digest, &page[i].pfn, sizeof(page[i].pfn));
		digest = digest_fold(digest, page[i].bytes, PAGE_BYTES);
	}
	lua_pushinteger(L, (lua_Integer)digest);
	return 1;
}

/* nil: nobody's. */
static int lua_owner(lua_State *L)
{
	struct session *s = script_machine(L);
	paddr_t pa = (paddr_t)luaL_checkinteger(L, 1);
	unsigned steps;
	uint32_t index = partition_view_owner(s->view, pa / PAGE_BYTES, &steps);

	if (index)
		lua_pushstring(L, partition_view_name(s->view, index));
	else
		lua_pushnil(L);
	lua_pushinteger(L, steps);
	return 2;
}

static int lua_extents(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *name = luaL_checkstring(L, 1);
	struct partition_extent extent[PARTITION_EXTENTS_MAX];
	struct partition_info info;
	struct error err;
	size_t n;

	if (!strcmp(name, "monitor")) {
		n = partition_view_monitor(s->view, extent);
	} else {
		if (!partition_view_find(s->view, name, &info, &err))
			return script_fail_with(L, &err);
		n = partition_view_extents(s->view, info.index, extent,
					   PARTITION_EXTENTS_MAX);
	}
	lua_newtable(L);
	for (size_t i = 0; i < n; i++) {
		lua_newtable(L);
		set_integer(L, "address", extent[i].pfn * PAGE_BYTES);
		set_integer(L, "bytes", extent[i].frames * PAGE_BYTES);
		set_text(L, "what", extent[i].what);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int lua_retired(lua_State *L)
{
	lua_pushinteger(
		L, (lua_Integer)machine_retired(script_machine(L)->machine));
	return 1;
}

/* Into the run's folder: a scenario writes nowhere else. */
static int lua_screenshot(lua_State *L)
{
	struct session *s = script_machine(L);
	size_t bytes;
	const char *name = luaL_checklstring(L, 1, &bytes);
	char path[PATH_MAX + NAME_MAX + 2];
	struct error err;

	luaL_argcheck(L,
		      bytes > 4 && bytes <= NAME_MAX && strlen(name) == bytes &&
			      !strchr(name, '/') &&
			      !strcmp(name + bytes - 4, ".png"),
		      1, "a file's name without folders that ends in .png");
	snprintf(path, sizeof(path), "%s/%s", s->out, name);
	if (!machine_screenshot(s->machine, path, &err))
		return script_fail_with(L, &err);
	return 0;
}

const luaL_Reg look_functions[] = {
	{"partition", lua_partition},
	{"partitions", lua_partitions},
	{"channels", lua_channels},
	{"current", lua_current},
	{"physical", lua_physical},
	{"symbol", lua_symbol},
	{"read", lua_read},
	{"ram", lua_ram},
	{"owner", lua_owner},
	{"database", lua_database},
	{"database_digest", lua_database_digest},
	{"extents", lua_extents},
	{"retired", lua_retired},
	{"screenshot", lua_screenshot},
	{NULL, NULL},
};

/* --- inject --- */

static int inject_text(lua_State *L, const char *what)
{
	struct session *s = script_machine(L);
	struct error err;

	if (!fault_partition_text(s->view, luaL_checkstring(L, 1), what, &err))
		return script_fail_with(L, &err);
	return 0;
}

static int inject_crash(lua_State *L)
{
	return inject_text(L, "crash");
}

static int inject_hang(lua_State *L)
{
	return inject_text(L, "hang");
}

static int inject_livelock(lua_State *L)
{
	return inject_text(L, "livelock");
}

/* Any fault by its name (docs/faults.md), now. */
static int inject_fault(lua_State *L)
{
	struct session *s = script_machine(L);
	struct error err;

	if (!session_fault(s, luaL_checkstring(L, 1), &err))
		return script_fail_with(L, &err);
	if (s->first->left)
		return luaL_error(L, "the scenario is left");
	return 0;
}

/* The same, when its time comes: "crash io.a @ 40ms". */
static int inject_plan(lua_State *L)
{
	struct session *s = script_machine(L);
	struct error err;

	if (s != s->first)
		return luaL_error(L, "inject.plan: faults are planned for the "
				     "first machine");
	if (!session_plan_add(s, luaL_checkstring(L, 1), &err))
		return script_fail_with(L, &err);
	return 0;
}

static int inject_device(lua_State *L)
{
	struct session *s = script_machine(L);
	struct error err;

	if (!fault_device(s->machine, luaL_checkstring(L, 1),
			  luaL_checkstring(L, 2),
			  (uint64_t)luaL_optinteger(L, 3, 0), &err))
		return script_fail_with(L, &err);
	return 0;
}

static int inject_ram(lua_State *L)
{
	struct session *s = script_machine(L);
	paddr_t pa = (paddr_t)luaL_checkinteger(L, 1);
	struct error err;
	size_t bytes;
	const char *data = luaL_checklstring(L, 2, &bytes);

	if (!fault_ram(s->machine, pa, data, bytes, &err))
		return script_fail_with(L, &err);
	return 0;
}

static int inject_memory(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *name = luaL_checkstring(L, 1);
	vaddr_t va = (vaddr_t)luaL_checkinteger(L, 2);
	struct error err;
	size_t bytes;
	const char *data = luaL_checklstring(L, 3, &bytes);

	if (!fault_partition_ram(s->view, name, va, data, bytes, &err))
		return script_fail_with(L, &err);
	return 0;
}

static int inject_check(lua_State *L)
{
	static const char *const how[] = {"corrected", "uncorrected", "fatal",
					  NULL};
	struct session *s = script_machine(L);
	unsigned cpu = (unsigned)luaL_checkinteger(L, 1);
	paddr_t pa = (paddr_t)luaL_checkinteger(L, 2);
	int which = luaL_checkoption(L, 3, "uncorrected", how);
	struct error err;

	if (!fault_machine_check(s->machine, cpu, pa, (enum fault_check)which,
				 &err))
		return script_fail_with(L, &err);
	return 0;
}

const luaL_Reg inject_functions[] = {
	{"crash", inject_crash},       {"hang", inject_hang},
	{"livelock", inject_livelock}, {"fault", inject_fault},
	{"plan", inject_plan},         {"device", inject_device},
	{"ram", inject_ram},           {"memory", inject_memory},
	{"check", inject_check},       {NULL, NULL},
};

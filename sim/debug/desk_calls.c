/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/desk_calls.c - what the other side of a desk can ask for.  Threads
 * are two integers, PID and TID.
 *
 *   command(pid, tid, line)      its answer; 0 done, 1 refused, 2 no command
 *   commands()                   their names
 *   stop()                       why it stands
 *   where(pid, tid)              a line, and that of the source, to print
 *   line(pid, tid)               addresses of its line, file, number; or nil
 *   frames(pid, tid, max)        {pc=, sp=} each, innermost first
 *   place(pid, tid, text)        process and address
 *   thread(text)                 pid, tid
 *   registers(pid, tid)          by name: integers, or bytes of long ones
 *   peek(pid, tid, va, bytes)    a string
 *   poke(pid, tid, va, string)
 *   break_add(pid, va)           a number
 *   watch_add(pid, va, bytes)    a number: of writes
 *   remove(number)
 *   names(pid, tid, prefix)      places whose names begin so
 *   now(), retired()
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/debug/desk.h"
#include "sim/debug/gdb.h"
#include "sim/debug/places.h"

#define FRAMES_MAX 64
#define PEEK_MAX   (1 << 20)
#define NAMES_MAX  1000

struct desk *desk_of(lua_State *L)
{
	struct desk *k;

	lua_getfield(L, LUA_REGISTRYINDEX, "desk");
	k = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return k;
}

static struct debug *debugger(lua_State *L)
{
	return desk_of(L)->d;
}

static struct debug_id thread_at(lua_State *L, int arg)
{
	return (struct debug_id){(uint32_t)luaL_checkinteger(L, arg),
				 (uint32_t)luaL_checkinteger(L, arg + 1)};
}

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

/* --- commands --- */

static int lua_command(lua_State *L)
{
	struct debug_id id = thread_at(L, 1);
	const char *line = luaL_checkstring(L, 3);
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	enum debug_told told;

	if (!f)
		return luaL_error(L, "out of memory for an answer");
	told = debug_command(debugger(L), id, line, f);
	fclose(f);
	lua_pushlstring(L, text, bytes);
	free(text);
	lua_pushinteger(L, told);
	return 2;
}

static int lua_commands(lua_State *L)
{
	const char *name;

	lua_newtable(L);
	for (size_t i = 0; (name = debug_command_nth(i)); i++) {
		lua_pushstring(L, name);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* --- where it stands --- */

void desk_push_stop(lua_State *L, struct debug *d)
{
	static const char *const why[] = {
		[DEBUG_BEGIN] = "begin",
		[DEBUG_BREAK] = "break",
		[DEBUG_WATCH] = "watch",
		[DEBUG_STEPPED] = "stepped",
		[DEBUG_CONDITION] = "condition",
		[DEBUG_ASKED] = "asked",
		[DEBUG_ENDED] = "ended",
		[DEBUG_PAST_ENDS] = "past-ends",
	};
	const struct debug_stop *s = debug_stopped(d);

	lua_newtable(L);
	set_text(L, "why", why[s->why]);
	set_integer(L, "pid", s->id.pid);
	set_integer(L, "tid", s->id.tid);
	set_integer(L, "cpu", s->cpu);
	set_integer(L, "now", machine_now(d->s->machine));
	set_integer(L, "retired", machine_retired(d->s->machine));
	if (s->text[0])
		set_text(L, "text", s->text);
	if (s->why == DEBUG_WATCH)
		set_integer(L, "va", s->va);
}

static int lua_stop(lua_State *L)
{
	desk_push_stop(L, debugger(L));
	return 1;
}

static int lua_where(lua_State *L)
{
	struct debug *d = debugger(L);
	struct debug_id id = thread_at(L, 1);
	struct cpu_regs regs;
	char who[160], place[300], source[300], text[512];
	const struct symbols *s;
	const char *file;
	uint32_t line;
	bool partial;
	vaddr_t pc;

	if (!debug_thread_alive(d, id))
		return luaL_error(L, "this thread is gone; `threads` lists "
				     "those that are");
	debug_thread_text(d, id, who, sizeof(who));
	if (!debug_regs_get(d, id, &regs, &partial)) {
		lua_pushfstring(L, "%s: has never run\n", who);
		return 1;
	}
	pc = regs.seg[CPU_CS].base + regs.rip;
	debug_place_text(d, id, pc, place, sizeof(place));
	snprintf(text, sizeof(text), "%s: 0x%" PRIx64 " %s\n", who, pc, place);
	lua_pushstring(L, text);
	s = debug_symbols(d, id, pc);
	if (s && symbols_line(s, pc, &file, &line) &&
	    debug_source_line(d, file, line, source, sizeof(source))) {
		lua_pushfstring(L, "%d\t%s\n", (int)line, source);
		lua_concat(L, 2);
	}
	return 1;
}

static int lua_line(lua_State *L)
{
	struct debug *d = debugger(L);
	struct debug_id id = thread_at(L, 1);
	struct cpu_regs regs;
	const struct symbols *s;
	vaddr_t low, high, pc;
	const char *file;
	uint32_t line;
	bool partial;

	if (!debug_regs_get(d, id, &regs, &partial))
		return 0;
	pc = regs.seg[CPU_CS].base + regs.rip;
	s = debug_symbols(d, id, pc);
	if (!s || !symbols_line(s, pc, &file, &line) ||
	    !symbols_line_range(s, pc, &low, &high))
		return 0;
	lua_pushinteger(L, (lua_Integer)low);
	lua_pushinteger(L, (lua_Integer)high);
	lua_pushstring(L, file);
	lua_pushinteger(L, line);
	return 4;
}

static int lua_frames(lua_State *L)
{
	struct debug_id id = thread_at(L, 1);
	lua_Integer max = luaL_optinteger(L, 3, FRAMES_MAX);
	struct unwind_frame frame[FRAMES_MAX];
	size_t count = debug_frames(debugger(L), id, frame,
				    max > 0 && max < FRAMES_MAX ? (size_t)max
								: FRAMES_MAX);

	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		set_integer(L, "pc", frame[i].reg[UNWIND_RIP]);
		set_integer(L, "sp", frame[i].reg[UNWIND_RSP]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* --- names --- */

static int lua_place(lua_State *L)
{
	struct debug_at at;
	struct error err;

	if (!debug_place_find(debugger(L), thread_at(L, 1),
			      luaL_checkstring(L, 3), &at, &err))
		return luaL_error(L, "%s", err.text);
	lua_pushinteger(L, at.pid);
	lua_pushinteger(L, (lua_Integer)at.va);
	return 2;
}

static int lua_thread(lua_State *L)
{
	struct debug_id id;
	struct error err;

	if (!debug_thread_find(debugger(L), luaL_checkstring(L, 1), &id, &err))
		return luaL_error(L, "%s", err.text);
	lua_pushinteger(L, id.pid);
	lua_pushinteger(L, id.tid);
	return 2;
}

struct names {
	lua_State *L;
	const char *prefix;
	lua_Integer count;
};

static void note_name(void *to, const char *name)
{
	struct names *n = to;

	if (n->count == NAMES_MAX ||
	    strncmp(name, n->prefix, strlen(n->prefix)) != 0)
		return;
	lua_pushstring(n->L, name);
	lua_seti(n->L, -2, ++n->count);
}

static int lua_names(lua_State *L)
{
	struct names n = {L, luaL_checkstring(L, 3), 0};

	lua_newtable(L);
	debug_places_each(debugger(L), thread_at(L, 1), note_name, &n);
	return 1;
}

/* --- registers, memory --- */

static int not_mapped(lua_State *L, vaddr_t va)
{
	char text[80];

	snprintf(text, sizeof(text),
		 "0x%" PRIx64 " is not mapped here, or no RAM", va);
	return luaL_error(L, "%s", text);
}

static int lua_registers(lua_State *L)
{
	struct gdb_reg_value r;
	struct cpu_regs regs;
	bool partial;

	if (!debug_regs_get(debugger(L), thread_at(L, 1), &regs, &partial))
		return luaL_error(L, "this thread has no registers");
	lua_newtable(L);
	for (uint64_t n = 0; gdb_reg_nth(n, &regs, partial, &r); n++) {
		uint64_t value = 0;

		if (!r.known)
			continue;
		if (r.bytes > sizeof(value)) {
			lua_pushlstring(L, (const char *)r.value, r.bytes);
			lua_setfield(L, -2, r.name);
			continue;
		}
		memcpy(&value, r.value, r.bytes);
		set_integer(L, r.name, value);
	}
	return 1;
}

static int lua_peek(lua_State *L)
{
	struct debug_id id = thread_at(L, 1);
	vaddr_t va = (vaddr_t)luaL_checkinteger(L, 3);
	lua_Integer bytes = luaL_checkinteger(L, 4);
	luaL_Buffer b;

	luaL_argcheck(L, bytes > 0 && bytes <= PEEK_MAX, 4,
		      "1 to 1048576 bytes at a time");
	if (debug_read(debugger(L), id, va,
		       luaL_buffinitsize(L, &b, (size_t)bytes),
		       (size_t)bytes) != (size_t)bytes)
		return not_mapped(L, va);
	luaL_pushresultsize(&b, (size_t)bytes);
	return 1;
}

static int lua_poke(lua_State *L)
{
	vaddr_t va = (vaddr_t)luaL_checkinteger(L, 3);
	size_t bytes;
	const char *data = luaL_checklstring(L, 4, &bytes);

	if (!debug_write(debugger(L), thread_at(L, 1), va, data, bytes))
		return not_mapped(L, va);
	return 0;
}

/* --- where to stop --- */

static int lua_break_add(lua_State *L)
{
	struct debug *d = debugger(L);

	if (!debug_break_number(d, (uint32_t)luaL_checkinteger(L, 1),
				(vaddr_t)luaL_checkinteger(L, 2),
				d->wants.condition_number + 1))
		return luaL_error(L, "there are too many breakpoints; delete "
				     "some");
	lua_pushinteger(L, ++d->wants.condition_number);
	return 1;
}

static int lua_watch_add(lua_State *L)
{
	struct debug *d = debugger(L);
	struct debug_watch w;

	memset(&w, 0, sizeof(w));
	w.pid = (uint32_t)luaL_checkinteger(L, 1);
	w.va = (vaddr_t)luaL_checkinteger(L, 2);
	w.bytes = (uint64_t)luaL_checkinteger(L, 3);
	w.kinds = CPU_WATCH_WRITE;
	w.number = d->wants.condition_number + 1;
	if (!debug_watch_number(d, &w))
		return luaL_error(L, "there are too many watchpoints; delete "
				     "some");
	lua_pushinteger(L, ++d->wants.condition_number);
	return 1;
}

static int lua_remove_number(lua_State *L)
{
	lua_pushboolean(L, debug_delete(debugger(L),
					(uint32_t)luaL_checkinteger(L, 1)));
	return 1;
}

static int lua_now(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)machine_now(debugger(L)->s->machine));
	return 1;
}

static const luaL_Reg calls[] = {
	{"command", lua_command},
	{"commands", lua_commands},
	{"stop", lua_stop},
	{"where", lua_where},
	{"line", lua_line},
	{"frames", lua_frames},
	{"place", lua_place},
	{"thread", lua_thread},
	{"names", lua_names},
	{"registers", lua_registers},
	{"peek", lua_peek},
	{"poke", lua_poke},
	{"break_add", lua_break_add},
	{"watch_add", lua_watch_add},
	{"remove", lua_remove_number},
	{"now", lua_now},
	{NULL, NULL},
};

void desk_open_calls(struct desk *k)
{
	lua_pushlightuserdata(k->L, k);
	lua_setfield(k->L, LUA_REGISTRYINDEX, "desk");
	for (const luaL_Reg *f = calls; f->name; f++) {
		lua_pushcfunction(k->L, f->func);
		lua_setglobal(k->L, f->name);
	}
}

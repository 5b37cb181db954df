/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/script.c - the Lua state: sandbox, errors, run. */
#include "sim/scenario/script.h"

#include <stdarg.h>
#include <string.h>

#include "sim/check.h"
#include "sim/scenario/script_internal.h"

/* Lua instructions between two looks, and looks between two runs of the
 * machine. */
#define COUNT      1000000
#define COUNTS_MAX 300
#define TIME_MAX   9e18 /* ps, below the largest integer of Lua */

/* What a scenario finds besides Lua's own: in Lua where that is shorter. */
static const char prelude[] =
	/* Keys in order: a table's own order is the host's. */
	"local state, over = ...\n"
	"local next, type, sort, text = next, type, table.sort, tostring\n"
	"local function before(a, b)\n"
	"  local ta, tb = type(a), type(b)\n"
	"  if ta ~= tb then return ta < tb end\n"
	"  if ta == 'number' or ta == 'string' then return a < b end\n"
	"  return text(a) < text(b)\n"
	"end\n"
	"function pairs(t)\n"
	"  local keys, i = {}, 0\n"
	"  for k in next, t do\n"
	"    local kind = type(k)\n"
	"    if kind ~= 'number' and kind ~= 'string' and kind ~= 'boolean' "
	"then\n"
	"      error('pairs: a ' .. kind .. ' as a key has no order', 2)\n"
	"    end\n"
	"    keys[#keys + 1] = k\n"
	"  end\n"
	"  sort(keys, before)\n"
	"  return function()\n"
	"    i = i + 1\n"
	"    if keys[i] ~= nil then return keys[i], t[keys[i]] end\n"
	"  end\n"
	"end\n"
	/* Addresses are the host's, too. */
	"function tostring(v)\n"
	"  local t = type(v)\n"
	"  if t == 'table' or t == 'function' or t == 'thread' then return t "
	"end\n"
	"  return text(v)\n"
	"end\n"
	"local format, pack, unpack = string.format, table.pack, table.unpack\n"
	"function string.format(f, ...)\n"
	"  if text(f):gsub('%%%%', ''):find('%%[-0-9]*p') then\n"
	"    error('string.format: %p is not the same on every host', 2)\n"
	"  end\n"
	"  local a = pack(...)\n"
	"  for i = 1, a.n do\n"
	"    local t = type(a[i])\n"
	"    if t == 'table' or t == 'function' or t == 'thread' then a[i] = t "
	"end\n"
	"  end\n"
	"  return format(f, unpack(a, 1, a.n))\n"
	"end\n"
	/* What ends the scenario cannot be caught. */
	"local function through(ok, ...)\n"
	"  if not ok and over() then error((...), 0) end\n"
	"  return ok, ...\n"
	"end\n"
	"local call, xcall, resume = pcall, xpcall, coroutine.resume\n"
	"function pcall(...) return through(call(...)) end\n"
	"function xpcall(...) return through(xcall(...)) end\n"
	"function coroutine.resume(...) return through(resume(...)) end\n"
	/* xorshift64*, seeded by --seed. */
	"function math.random(m, n)\n"
	"  state = state ~ (state >> 12)\n"
	"  state = state ~ (state << 25)\n"
	"  state = state ~ (state >> 27)\n"
	"  local x = (state * 0x2545F4914F6CDD1D) >> 11\n"
	"  if not m then return x / 9007199254740992.0 end\n"
	"  if not n then m, n = 1, m end\n"
	"  if m > n then error('math.random: the interval is empty', 2) end\n"
	"  return m + x % (n - m + 1)\n"
	"end\n"
	"math.randomseed = nil\n"
	"setmetatable(_G, {__index = function(_, k)\n"
	"  error(\"nothing is called '\" .. tostring(k) .. \"' here\", 2)\n"
	"end})\n";

struct script *script_of(lua_State *L)
{
	return *(struct script **)lua_getextraspace(L);
}

struct session *script_machine(lua_State *L)
{
	struct session *s = script_of(L)->session;

	if (!s->machine)
		luaL_error(L, "there is no machine yet: call machine{} first");
	return s;
}

/* --- leaving --- */

/* The innermost line of the scenario itself. */
static void push_where(lua_State *L)
{
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline > 0 && ar.source[0] == '@') {
			lua_pushfstring(L, "%s:%d", ar.source + 1,
					ar.currentline);
			return;
		}
	}
	lua_pushstring(L, script_of(L)->session->options.scenario);
}

static void expected(lua_State *L, bool failed, const char *text)
{
	struct session *f = script_of(L)->first;

	push_where(L);
	expected_note(&f->expected, lua_tostring(L, -1),
		      f->machine ? session_now(f) : 0, failed, text);
	lua_pop(L, 1);
}

void script_held(lua_State *L, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	expected(L, false, text);
}

int script_fail(lua_State *L, enum exit_code code, const char *fmt, ...)
{
	struct script *c = script_of(L);
	struct session *s = c->session;
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->aside)
		return luaL_error(L, "%s", text);
	expected(L, true, text);
	push_where(L);
	if (c->first->machine)
		error_set(&c->failure, code, "%s: at %.6f ms: %s%s%s%s",
			  lua_tostring(L, -1),
			  (double)session_now(s) / (double)PS_PER_MS,
			  s->name[0] ? "machine " : "", s->name,
			  s->name[0] ? ": " : "", text);
	else
		error_set(&c->failure, code, "%s: %s", lua_tostring(L, -1),
			  text);
	return lua_error(L);
}

int script_fail_with(lua_State *L, const struct error *err)
{
	struct error copy = *err;

	return script_fail(L, copy.code, "%s", copy.text);
}

/* Was the scenario left, by a failure or at --until? */
static int lua_over(lua_State *L)
{
	const struct script *c = script_of(L);

	lua_pushboolean(L, c->failure.code || c->first->left);
	return 1;
}

/* A scenario that computes for ever is told so, after some seconds. */
static void on_count(lua_State *L, lua_Debug *ar)
{
	struct script *c = script_of(L);

	(void)ar;
	if (++c->counts > COUNTS_MAX)
		script_fail(L, EXIT_USAGE,
			    "the scenario computes for ever and does not let "
			    "the machine run");
}

void script_advance(lua_State *L, ps_t until)
{
	struct session *s = script_of(L)->session;
	ps_t limit = s->options.until;
	struct error err;

	script_of(L)->counts = 0;
	if (!session_advance(s, until, &err))
		script_fail_with(L, &err);
	if (limit && session_is_on(s) && session_now(s) >= limit)
		s->first->left = true;
	if (s->first->left)
		luaL_error(L, "the scenario is left");
}

ps_t script_time(lua_State *L, int arg)
{
	lua_Integer t = luaL_checkinteger(L, arg);

	luaL_argcheck(L, t >= 0, arg, "a time is not negative");
	return (ps_t)t;
}

/* --- what needs no machine --- */

/* Fractions are welcome: us(2.5). */
static int duration(lua_State *L, ps_t unit)
{
	lua_Integer t;
	lua_Number n;

	if (lua_isinteger(L, 1)) {
		luaL_argcheck(L,
			      !__builtin_mul_overflow(lua_tointeger(L, 1),
						      (lua_Integer)unit, &t),
			      1, "beyond the end of time");
	} else {
		n = luaL_checknumber(L, 1) * (lua_Number)unit;
		luaL_argcheck(L, n > -TIME_MAX && n < TIME_MAX, 1,
			      "beyond the end of time");
		t = (lua_Integer)(n + 0.5);
	}
	lua_pushinteger(L, t);
	return 1;
}

static int lua_ns(lua_State *L)
{
	return duration(L, PS_PER_NS);
}

static int lua_us(lua_State *L)
{
	return duration(L, PS_PER_US);
}

static int lua_ms(lua_State *L)
{
	return duration(L, PS_PER_MS);
}

static int lua_s(lua_State *L)
{
	return duration(L, PS_PER_S);
}

/* Notes go where the live line goes: stdout is the summary's. */
static int lua_note(lua_State *L)
{
	struct session *s = script_of(L)->session;
	struct session *f = s->first;
	int n = lua_gettop(L);

	if (++f->notes <= f->notes_told)
		return 0;
	f->notes_told = f->notes;
	if (s->options.live)
		fprintf(stderr, "\r\033[K");
	if (s->machine)
		fprintf(stderr, "%10.3f ms  ",
			(double)session_now(s) / (double)PS_PER_MS);
	for (int i = 1; i <= n; i++) {
		lua_getglobal(L, "tostring");
		lua_pushvalue(L, i);
		lua_call(L, 1, 1);
		fprintf(stderr, "%s%s", i > 1 ? "  " : "",
			luaL_tolstring(L, -1, NULL));
		lua_pop(L, 2);
	}
	fprintf(stderr, "\n");
	return 0;
}

/* A place of the run by name: for faults of the plan and for sweeps. */
static int lua_mark(lua_State *L)
{
	struct session *s = script_machine(L);
	struct error err;

	if (!session_mark(s->first, luaL_checkstring(L, 1), &err))
		return script_fail_with(L, &err);
	return 0;
}

/* In a word what came of this run, for those who make many: parterre sweep. */
static int lua_outcome(lua_State *L)
{
	struct session *f = script_machine(L)->first;
	size_t bytes;
	const char *text = luaL_checklstring(L, 1, &bytes);

	luaL_argcheck(L, bytes && bytes < sizeof(f->outcome), 1,
		      "1 to 39 characters");
	for (size_t i = 0; i < bytes; i++)
		luaL_argcheck(
			L, text[i] >= ' ' && text[i] < 0x7f && text[i] != ',',
			1, "letters, without comma");
	memcpy(f->outcome, text, bytes + 1);
	return 0;
}

static int lua_expect(lua_State *L)
{
	if (lua_toboolean(L, 1)) {
		script_held(L, "%s",
			    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
							  : "a true value");
		lua_settop(L, 1);
		return 1;
	}
	return script_fail(L, EXIT_EXPECT, "expected: %s",
			   luaL_optstring(L, 2, "a true value"));
}

/* Of what is no text the kind is told: its address is the host's. */
static void held_equal(lua_State *L, const char *what)
{
	bool plain = lua_isnoneornil(L, 2) || lua_isboolean(L, 2) ||
		     lua_isstring(L, 2);

	script_held(L, "%s is %s", what,
		    plain ? luaL_tolstring(L, 2, NULL) : luaL_typename(L, 2));
}

static int lua_expect_eq(lua_State *L)
{
	const char *what = luaL_optstring(L, 3, "the value");

	luaL_checkany(L, 2);
	if (lua_compare(L, 1, 2, LUA_OPEQ)) {
		held_equal(L, what);
		return 0;
	}
	return script_fail(L, EXIT_EXPECT, "expected %s to be %s, it is %s",
			   what, luaL_tolstring(L, 2, NULL),
			   luaL_tolstring(L, 1, NULL));
}

static const luaL_Reg plain_functions[] = {
	{"ns", lua_ns},         {"us", lua_us},
	{"ms", lua_ms},         {"s", lua_s},
	{"note", lua_note},     {"print", lua_note},
	{"mark", lua_mark},     {"outcome", lua_outcome},
	{"expect", lua_expect}, {"expect_eq", lua_expect_eq},
	{NULL, NULL},
};

/* --- the state --- */

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{LUA_GNAME, luaopen_base},
		{LUA_TABLIBNAME, luaopen_table},
		{LUA_STRLIBNAME, luaopen_string},
		{LUA_MATHLIBNAME, luaopen_math},
		{LUA_UTF8LIBNAME, luaopen_utf8},
		{LUA_COLIBNAME, luaopen_coroutine},
	};
	/* The host's files, and what shows the host's state. */
	static const char *const forbidden[] = {
		"dofile", "loadfile", "load", "collectgarbage", "next", "warn",
	};

	for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	/* Where wait_console() goes on, by partition's name. */
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, "cursor");
	machines_open(L);
	machines_globals(L, plain_functions);
	machines_globals(L, describe_functions);
	machines_globals(L, wait_functions);
	machines_globals(L, console_functions);
	machines_globals(L, look_functions);
	machines_globals(L, hand_functions);
	machines_globals(L, select_functions);
	lua_newtable(L);
	machines_fields(L, inject_functions);
	lua_setglobal(L, "inject");
	lua_newtable(L);
	machines_fields(L, snapshot_functions);
	lua_setglobal(L, "snapshot");
	if (luaL_loadbufferx(L, prelude, sizeof(prelude) - 1, "=prelude", "t"))
		CHECK_MSG(false, "%s", lua_tostring(L, -1));
	lua_pushinteger(L, (lua_Integer)(script_of(L)->session->options.seed ^
					 UINT64_C(0x9E3779B97F4A7C15)));
	lua_pushcfunction(L, lua_over);
	lua_call(L, 2, 0);
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		lua_pushnil(L);
		lua_setglobal(L, forbidden[i]);
	}
}

lua_State *script_aside(struct script *c, struct session *s)
{
	lua_State *L = luaL_newstate();

	CHECK_MSG(L, "out of memory for Lua");
	*c = (struct script){.first = s->first, .session = s, .aside = s};
	*(struct script **)lua_getextraspace(L) = c;
	luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
	lua_pop(L, 1);
	machines_open(L);
	machines_globals(L, look_functions);
	lua_newtable(L);
	machines_fields(L, inject_functions);
	lua_setglobal(L, "inject");
	return L;
}

/* A parameter that nobody asked for is a misspelt one. */
static bool all_used(const struct script *c, struct error *err)
{
	const struct session_options *o = &c->first->options;

	for (size_t i = 0; i < o->parameter_count; i++) {
		if (!(c->parameters_used >> i & 1))
			return error_set(err, EXIT_USAGE,
					 "--set %s: %s has no such parameter; "
					 "see its calls of param()",
					 o->parameter[i], o->scenario);
	}
	return true;
}

bool script_run(struct session *s, struct error *err)
{
	struct script c = {.first = s, .session = s};
	lua_State *L = luaL_newstate();
	bool ok;

	CHECK_MSG(L, "out of memory for Lua");
	*(struct script **)lua_getextraspace(L) = &c;
	luaL_checkversion(L);
	open_libraries(L);
	lua_sethook(L, on_count, LUA_MASKCOUNT, COUNT);
	ok = luaL_loadfilex(L, s->options.scenario, "t") == LUA_OK &&
	     lua_pcall(L, 0, 0, 0) == LUA_OK && !c.failure.code;
	if (!ok && s->left) {
		ok = true;
	} else if (!ok && c.failure.code) {
		*err = c.failure;
	} else if (!ok) {
		error_set(err, EXIT_USAGE, "%s", luaL_tolstring(L, -1, NULL));
	} else if (!s->machine) {
		ok = error_set(err, EXIT_USAGE,
			       "%s: the scenario describes no machine: it has "
			       "to call machine{}",
			       s->options.scenario);
	} else {
		ok = all_used(&c, err);
	}
	lua_close(L);
	return ok;
}

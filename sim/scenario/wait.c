/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/wait.c - running until an instant, an event, the end.
 *
 * A wait has a limit in virtual time, and passing it is a failure of liveness
 * that says what was seen instead.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/scenario/script_internal.h"

#define WITHIN_DEFAULT PS_PER_S

ps_t wait_limit(lua_State *L, int arg)
{
	struct session *s = script_machine(L);
	ps_t within = WITHIN_DEFAULT;

	if (!lua_isnoneornil(L, arg)) {
		luaL_checktype(L, arg, LUA_TTABLE);
		if (lua_getfield(L, arg, "within") != LUA_TNIL)
			within = script_time(L, -1);
		lua_pop(L, 1);
	}
	return session_now(s) + within;
}

int wait_in_vain(lua_State *L, const char *what)
{
	struct session *s = script_machine(L);

	if (s->stop == MACHINE_OFF)
		return script_fail(L, EXIT_EXPECT,
				   "the machine was switched off (code %" PRIu32
				   ") before %s; %s",
				   machine_off_code(s->machine), what,
				   lua_tostring(L, -1));
	return script_fail(L, EXIT_LIVENESS, "waited in vain for %s; %s", what,
			   lua_tostring(L, -1));
}

static int late(lua_State *L, const char *what)
{
	console_scene(L, 0);
	return wait_in_vain(L, what);
}

/* --- instants --- */

static int lua_now(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)session_now(script_machine(L)));
	return 1;
}

/* To that instant, whoever is switched off before; a kernel of which we know
 * nothing may wait there for what the scenario does next. */
static void run_to(lua_State *L, struct session *s, ps_t until)
{
	struct session *f = s->first;

	CHECK(f);
	for (struct session *m = f; m; m = m->next)
		m->patient = partition_view_opaque(m->view);
	do {
		script_advance(L, until);
	} while (f->next && session_now(f) < until && session_anyone_is_on(f));
	for (struct session *m = f; m; m = m->next)
		m->patient = false;
}

static int lua_run_until(lua_State *L)
{
	struct session *s = script_machine(L);
	ps_t until = script_time(L, 1);

	if (until < session_now(s))
		return luaL_error(L,
				  "run_until: that instant is over, it is "
				  "%I ps",
				  (LUAI_UACINT)session_now(s));
	run_to(L, s, until);
	return 0;
}

static int lua_run_for(lua_State *L)
{
	struct session *s = script_machine(L);

	run_to(L, s, session_now(s) + script_time(L, 1));
	return 0;
}

static int lua_wait_off(lua_State *L)
{
	struct session *s = script_machine(L);
	ps_t limit = wait_limit(L, 1);

	if (session_is_on(s))
		script_advance(L, limit);
	if (s->stop != MACHINE_OFF)
		return late(L, "the guest to switch the machine off");
	script_held(L, "the guest switched the machine off");
	lua_pushinteger(L, machine_off_code(s->machine));
	return 1;
}

static bool on_count(void *owner, struct session *s, struct error *err)
{
	struct session_watch *w = owner;

	(void)err;
	if (machine_retired(s->machine) >= w->retired) {
		w->retired = UINT64_MAX;
		s->told = true;
	}
	return true;
}

/* step(n): until all CPUs together have retired n more instructions (1). */
static int lua_step(lua_State *L)
{
	struct session *s = script_machine(L);
	struct session_watch *w = &s->watch[SESSION_WATCH_STEP];
	lua_Integer n = luaL_optinteger(L, 1, 1);

	luaL_argcheck(L, n > 0, 1, "at least one instruction");
	if (s != s->first || s->next)
		return luaL_error(L, "step: instructions are counted in runs "
				     "of one machine");
	w->retired = machine_retired(s->machine) + (uint64_t)n;
	w->reached = on_count;
	w->owner = w;
	if (session_is_on(s))
		script_advance(L, session_now(s) + WITHIN_DEFAULT);
	if (w->retired == UINT64_MAX)
		return 0;
	w->retired = UINT64_MAX;
	return late(L, "so many instructions");
}

/* --- events --- */

#define CONDITIONS_MAX 8

struct condition {
	unsigned field; /* of the kind; FIELD_PARTITION: the record's own */
	bool is_text;
	uint64_t number;
	const char *text;
};
#define FIELD_PARTITION UINT32_MAX

struct event_wait {
	struct session *session;
	const struct trace_kind *kind;
	unsigned count;
	struct condition condition[CONDITIONS_MAX];
	/* What was found. */
	bool found;
	struct trace_record record;
	char text[TRACE_FIELDS_MAX][160];
};

/* Fields that hold a partition's index, by which a scenario names it. */
static bool names_partition(const char *field)
{
	static const char *const names[] = {"of",     "from",   "to",
					    "client", "server", "index"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], field) == 0)
			return true;
	}
	return false;
}

static bool holds(const struct event_wait *w, const struct condition *c,
		  const struct trace_record *r)
{
	uint64_t number = c->field == FIELD_PARTITION ? r->partition
						      : r->value[c->field].u;

	if (!c->is_text)
		return number == c->number;
	if (c->field != FIELD_PARTITION &&
	    r->kind->field[c->field].kind == TRACE_STR)
		return strcmp(r->value[c->field].s, c->text) == 0;
	return strcmp(partition_view_name(w->session->view, (uint32_t)number),
		      c->text) == 0;
}

static bool on_event(void *owner, const struct trace_record *r)
{
	struct event_wait *w = owner;

	if (w->found || r->kind != w->kind)
		return false;
	for (unsigned i = 0; i < w->count; i++) {
		if (!holds(w, &w->condition[i], r))
			return false;
	}
	w->found = true;
	w->record = *r;
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (r->kind->field[i].kind != TRACE_STR)
			continue;
		snprintf(w->text[i], sizeof(w->text[i]), "%s", r->value[i].s);
		w->record.value[i].s = w->text[i];
	}
	return true;
}

static unsigned field_of(lua_State *L, const struct trace_kind *k,
			 const char *name)
{
	luaL_Buffer b;

	if (strcmp(name, "partition") == 0)
		return FIELD_PARTITION;
	for (unsigned i = 0; i < k->field_count; i++) {
		if (strcmp(k->field[i].name, name) == 0)
			return i;
	}
	luaL_buffinit(L, &b);
	for (unsigned i = 0; i < k->field_count; i++) {
		luaL_addstring(&b, ", ");
		luaL_addstring(&b, k->field[i].name);
	}
	luaL_pushresult(&b);
	return (unsigned)luaL_error(
		L, "event '%s' has no field '%s'; it has partition%s", k->name,
		name, lua_tostring(L, -1));
}

/* The conditions at `arg`: {field = number, partition's name, or text}. */
static void conditions(lua_State *L, int arg, struct event_wait *w)
{
	lua_pushnil(L);
	while (lua_next(L, arg)) {
		struct condition *c = &w->condition[w->count];
		const char *name = luaL_checkstring(L, -2);

		if (w->count == CONDITIONS_MAX)
			luaL_error(L, "wait_event: at most %d conditions",
				   CONDITIONS_MAX);
		c->field = field_of(L, w->kind, name);
		if (lua_isinteger(L, -1)) {
			c->number = (uint64_t)lua_tointeger(L, -1);
		} else {
			c->is_text = true;
			c->text = luaL_checkstring(L, -1);
			if (c->field != FIELD_PARTITION &&
			    w->kind->field[c->field].kind != TRACE_STR &&
			    !names_partition(name))
				luaL_error(L,
					   "wait_event: field '%s' is a "
					   "number",
					   name);
		}
		w->count++;
		lua_pop(L, 1);
	}
}

static void push_event(lua_State *L, const struct session *s,
		       const struct trace_record *r)
{
	lua_newtable(L);
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (r->kind->field[i].kind == TRACE_STR)
			lua_pushstring(L, r->value[i].s);
		else
			lua_pushinteger(L, (lua_Integer)r->value[i].u);
		lua_setfield(L, -2, r->kind->field[i].name);
	}
	lua_pushstring(L, r->kind->name);
	lua_setfield(L, -2, "event");
	lua_pushinteger(L, (lua_Integer)r->time);
	lua_setfield(L, -2, "time");
	lua_pushinteger(L, r->cpu);
	lua_setfield(L, -2, "cpu");
	lua_pushstring(L, partition_view_name(s->view, r->partition));
	lua_setfield(L, -2, "partition");
}

/* wait_event(name, {field=...}, {within=}): the next one from now on. */
static int lua_wait_event(lua_State *L)
{
	struct session *s = script_machine(L);
	const char *name = luaL_checkstring(L, 1);
	struct event_wait *w;
	ps_t limit = wait_limit(L, 3);
	char what[200];

	w = lua_newuserdatauv(L, sizeof(*w), 0);
	memset(w, 0, sizeof(*w));
	w->session = s;
	w->kind = trace_kind_by_name(name);
	if (!w->kind)
		return luaL_error(L,
				  "no trace event is called '%s'; "
				  "docs/trace-catalogue.md lists them",
				  name);
	if (!lua_isnoneornil(L, 2)) {
		luaL_checktype(L, 2, LUA_TTABLE);
		conditions(L, 2, w);
	}
	s->wait = on_event;
	s->wait_owner = w;
	if (session_is_on(s))
		script_advance(L, limit);
	s->wait = NULL;
	if (!w->found) {
		snprintf(what, sizeof(what), "event %s", name);
		return late(L, what);
	}
	script_held(L, "event %s", name);
	push_event(L, s, &w->record);
	return 1;
}

const luaL_Reg wait_functions[] = {
	{"now", lua_now},
	{"run_until", lua_run_until},
	{"run_for", lua_run_for},
	{"step", lua_step},
	{"wait_off", lua_wait_off},
	{"wait_event", lua_wait_event},
	{NULL, NULL},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/desk.c - see desk.h. */
#include "sim/debug/desk.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"

/* --- answers --- */

static void put_word(struct packet_text *to, const char *word)
{
	size_t n = strlen(word);

	packet_put_bytes(to, "s", 1);
	packet_put_bytes(to, &n, sizeof(n));
	packet_put_bytes(to, word, n);
}

static void put_integer(struct packet_text *to, int64_t i)
{
	packet_put_bytes(to, "i", 1);
	packet_put_bytes(to, &i, sizeof(i));
}

static void hang_up(struct desk *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

static void answer(struct desk *k)
{
	if (k->fd >= 0 && !luawire_send(k->fd, &k->out))
		hang_up(k);
}

static int put_stop(lua_State *L)
{
	struct desk *k = desk_of(L);

	desk_push_stop(L, k->d);
	luawire_put(L, -1, &k->out);
	return 0;
}

static void tell_stop(struct desk *k)
{
	k->owes = false;
	k->out.bytes = 0;
	put_word(&k->out, "stopped");
	lua_pushcfunction(k->L, put_stop);
	CHECK_MSG(lua_pcall(k->L, 0, 0, 0) == LUA_OK, "%s",
		  lua_tostring(k->L, -1));
	answer(k);
}

/* --- calls --- */

/* "inject.crash" is a field of a table. */
static void push_function(lua_State *L, const char *name)
{
	const char *dot = strchr(name, '.');

	lua_pushglobaltable(L);
	if (dot) {
		lua_pushlstring(L, name, (size_t)(dot - name));
		lua_gettable(L, -2);
		name = dot + 1;
	}
	if (!lua_istable(L, -1) || lua_getfield(L, -1, name) != LUA_TFUNCTION)
		luaL_error(L, "nothing is called '%s' here", name);
}

/* Its arguments are in k->in, behind the word. */
static int call(lua_State *L)
{
	struct desk *k = desk_of(L);
	const char *p = lua_touserdata(L, 1);
	const char *end = k->in.data + k->in.bytes, *name;
	int first;

	lua_settop(L, 0);
	k->script.aside = debug_session(k->d);
	if (!luawire_get(L, &p, end) || !(name = lua_tostring(L, 1)))
		return luaL_error(L, "a call without a name");
	push_function(L, name);
	first = lua_gettop(L);
	while (p < end) {
		if (!luawire_get(L, &p, end))
			return luaL_error(L, "an argument is damaged");
	}
	lua_call(L, lua_gettop(L) - first, LUA_MULTRET);
	if (!strncmp(name, "inject.", 7))
		k->d->changed = k->d->written = true;
	put_word(&k->out, "ok");
	for (int i = first; i <= lua_gettop(L); i++)
		luawire_put(L, i, &k->out);
	return 0;
}

static void obey_call(struct desk *k, const char *p)
{
	k->out.bytes = 0;
	lua_settop(k->L, 0);
	lua_pushcfunction(k->L, call);
	lua_pushlightuserdata(k->L, (void *)(uintptr_t)p);
	if (lua_pcall(k->L, 1, 0, 0) != LUA_OK) {
		k->out.bytes = 0;
		put_word(&k->out, "error");
		put_word(&k->out, luaL_tolstring(k->L, -1, NULL));
	}
	lua_settop(k->L, 0);
	answer(k);
}

/* --- going on --- */

static bool find_how(const char *word, enum debug_how *how)
{
	static const char *const words[] = {
		[DEBUG_CONTINUE] = "continue",
		[DEBUG_STEP] = "step",
		[DEBUG_RANGE] = "range",
		[DEBUG_BACK_STEP] = "back-step",
		[DEBUG_BACK_CONTINUE] = "back-continue",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(words[i], word)) {
			*how = (enum debug_how)i;
			return true;
		}
	}
	return false;
}

/* False: an answer was given instead. */
static bool obey_go(struct desk *k, const char *p)
{
	lua_State *L = k->L;
	const char *end = k->in.data + k->in.bytes;
	struct debug_plan plan;

	lua_settop(L, 0);
	for (int i = 0; i < 5; i++)
		CHECK_MSG(luawire_get(L, &p, end), "a damaged order");
	CHECK_MSG(find_how(luaL_tolstring(L, 1, NULL), &plan.how),
		  "an unknown order");
	plan.id.pid = (uint32_t)lua_tointeger(L, 2);
	plan.id.tid = (uint32_t)lua_tointeger(L, 3);
	plan.low = (vaddr_t)lua_tointeger(L, 4);
	plan.high = (vaddr_t)lua_tointeger(L, 5);
	lua_settop(L, 0);
	if (!debug_thread_alive(k->d, plan.id)) {
		k->out.bytes = 0;
		put_word(&k->out, "error");
		put_word(&k->out,
			 "this thread is gone; `threads` lists those that are");
		answer(k);
		return false;
	}
	k->owes = true;
	debug_resume(k->d, &plan);
	return true;
}

/* True: serving is over. */
static bool obey(struct desk *k)
{
	const char *p = k->in.data, *end = p + k->in.bytes, *word;
	char copy[16];

	lua_settop(k->L, 0);
	CHECK_MSG(luawire_get(k->L, &p, end), "a damaged message");
	word = luaL_tolstring(k->L, -1, NULL);
	snprintf(copy, sizeof(copy), "%s", word);
	if (!strcmp(copy, "call")) {
		obey_call(k, p);
		return false;
	}
	if (!strcmp(copy, "go"))
		return obey_go(k, p);
	if (!strcmp(copy, "free")) {
		k->owes = true;
		debug_let_go(k->d);
		return true;
	}
	if (!strcmp(copy, "kill")) {
		debug_kill(k->d);
		return true;
	}
	return false; /* "stop": it stands already */
}

/* --- the front end --- */

static void on_serve(void *owner, struct debug *d)
{
	struct desk *k = owner;

	k->d = d;
	if (!k->L) {
		k->L = script_aside(&k->script, debug_session(d));
		desk_open_calls(k);
	}
	if (k->owes)
		tell_stop(k);
	while (k->fd >= 0) {
		if (!luawire_receive(k->fd, &k->in))
			hang_up(k);
		else if (obey(k))
			return;
	}
	debug_kill(d);
}

static bool on_wants(void *owner, struct debug *d)
{
	struct desk *k = owner;
	struct pollfd p = {.fd = k->fd, .events = POLLIN};

	if (k->fd < 0 || poll(&p, 1, 0) <= 0)
		return false;
	if (luawire_receive(k->fd, &k->in))
		return true; /* nothing else comes in mid-run */
	hang_up(k);
	debug_kill(d);
	return false;
}

static void on_end(void *owner, struct debug *d, int status)
{
	struct desk *k = owner;

	(void)d;
	k->out.bytes = 0;
	put_word(&k->out, "over");
	put_integer(&k->out, status);
	if (k->owes)
		answer(k);
	hang_up(k);
}

struct saved {
	bool owes;
};

static size_t on_save(void *owner, void *to, int *fd)
{
	const struct desk *k = owner;
	struct saved saved;

	memset(&saved, 0, sizeof(saved));
	saved.owes = k->owes;
	memcpy(to, &saved, sizeof(saved));
	*fd = k->fd;
	return sizeof(saved);
}

static void on_load(void *owner, const void *from, size_t bytes, int fd)
{
	struct desk *k = owner;
	struct saved saved;

	CHECK(bytes == sizeof(saved));
	memcpy(&saved, from, sizeof(saved));
	k->owes = saved.owes;
	k->fd = fd;
}

static void on_away(void *owner)
{
	hang_up(owner);
}

struct desk *desk_create(int fd)
{
	struct desk *k = calloc(1, sizeof(*k));

	CHECK_MSG(k, "out of memory for the debugger");
	k->fd = fd;
	k->owes = true; /* that it stands at the begin */
	k->front = (struct debug_front){
		.serve = on_serve,
		.wants = on_wants,
		.end = on_end,
		.save = on_save,
		.load = on_load,
		.away = on_away,
		.drives = true,
		.owner = k,
	};
	return k;
}

const struct debug_front *desk_front(struct desk *k)
{
	return &k->front;
}

void desk_destroy(struct desk *k)
{
	if (!k)
		return;
	hang_up(k);
	if (k->L)
		lua_close(k->L);
	packet_text_free(&k->in);
	packet_text_free(&k->out);
	free(k);
}

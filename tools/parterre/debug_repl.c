/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/debug_repl.c - see debug_repl.h.
 *
 * While the machine runs, Ctrl-C asks the desk to stop it; else it ends what
 * Lua is doing.
 */
#include "tools/parterre/debug_repl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"

static const char program[] =
#include "debug_lua.inc"
	;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static struct repl *repl_of(lua_State *L)
{
	return *(struct repl **)lua_getextraspace(L);
}

static void put_word(struct packet_text *to, const char *word)
{
	size_t n = strlen(word);

	packet_put_bytes(to, "s", 1);
	packet_put_bytes(to, &n, sizeof(n));
	packet_put_bytes(to, word, n);
}

/* --- asking --- */

/* Without a place of debug.lua: the user's own is put before it there. */
static int refuse(lua_State *L, const char *text)
{
	lua_pushstring(L, text);
	return lua_error(L);
}

static int gone(lua_State *L)
{
	struct repl *r = repl_of(L);

	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	return refuse(L, "the run is over");
}

static void send_message(lua_State *L, const char *word)
{
	struct repl *r = repl_of(L);
	int n = lua_gettop(L);

	if (r->fd < 0)
		gone(L);
	r->out.bytes = 0;
	put_word(&r->out, word);
	for (int i = 1; i <= n; i++)
		luawire_put(L, i, &r->out);
	/* What was said before stands before what the run says. */
	fflush(stdout);
	if (!luawire_send(r->fd, &r->out))
		gone(L);
}

/* Ctrl-C is passed on, once. */
static void await(struct repl *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	bool told = false;

	while (poll(&p, 1, told ? -1 : 100) <= 0) {
		if (!interrupted || told)
			continue;
		told = true;
		interrupted = 0;
		r->out.bytes = 0;
		put_word(&r->out, "stop");
		luawire_send(r->fd, &r->out);
	}
}

/* Its values on the stack, the word first. */
static void receive(lua_State *L)
{
	struct repl *r = repl_of(L);
	const char *p, *end;

	if (!luawire_receive(r->fd, &r->in))
		gone(L);
	lua_settop(L, 0);
	p = r->in.data;
	end = p + r->in.bytes;
	while (p < end) {
		if (!luawire_get(L, &p, end))
			luaL_error(L, "the run's answer is damaged");
	}
}

/* call(NAME, ARG...) */
static int lua_ask(lua_State *L)
{
	luaL_checkstring(L, 1);
	send_message(L, "call");
	receive(L);
	if (strcmp(luaL_checkstring(L, 1), "error") == 0)
		return refuse(L, lua_tostring(L, 2));
	return lua_gettop(L) - 1;
}

/* go(HOW, PID, TID, LOW, HIGH), free(): why it stands, or its status. */
static int lua_run(lua_State *L, const char *word)
{
	interrupted = 0;
	send_message(L, word);
	await(repl_of(L));
	receive(L);
	if (strcmp(luaL_checkstring(L, 1), "error") == 0)
		return refuse(L, lua_tostring(L, 2));
	lua_settop(L, 2);
	return 1;
}

static int lua_go(lua_State *L)
{
	return lua_run(L, "go");
}

static int lua_free(lua_State *L)
{
	return lua_run(L, "free");
}

static int lua_expectation(lua_State *L)
{
	repl_of(L)->status = EXIT_EXPECT;
	return refuse(L, luaL_checkstring(L, 1));
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	if (interrupted) {
		interrupted = 0;
		luaL_error(L, "interrupted");
	}
}

/* --- lines --- */

/* debug.lua returns a table: line(), complete(). */
static void push_function(lua_State *L, const char *name)
{
	lua_getfield(L, LUA_REGISTRYINDEX, "repl");
	lua_getfield(L, -1, name);
	lua_remove(L, -2);
}

enum repl_then repl_line(struct repl *r, const char *text, const char *name,
			 int line)
{
	lua_State *L = r->L;
	enum repl_then then = REPL_NEXT;
	const char *word;

	interrupted = 0;
	lua_settop(L, 0);
	push_function(L, "line");
	lua_pushstring(L, text);
	lua_pushstring(L, name);
	lua_pushinteger(L, line);
	if (lua_pcall(L, 3, 1, 0) != LUA_OK) {
		fflush(stdout);
		fprintf(stderr, "parterre debug: %s\n",
			luaL_tolstring(L, -1, NULL));
		then = REPL_WRONG;
	} else if ((word = lua_tostring(L, -1))) {
		then = strcmp(word, "more") == 0 ? REPL_MORE : REPL_QUIT;
	}
	fflush(stdout);
	lua_settop(L, 0);
	return then;
}

char *repl_complete(struct repl *r, const char *text)
{
	lua_State *L = r->L;
	char *words = NULL;

	lua_settop(L, 0);
	push_function(L, "complete");
	lua_pushstring(L, text);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_tostring(L, -1))
		words = strdup(lua_tostring(L, -1));
	lua_settop(L, 0);
	return words;
}

bool repl_file(struct repl *r, FILE *f, const char *name)
{
	enum repl_then then = REPL_NEXT;
	char *line = NULL, *whole = NULL;
	size_t room = 0, bytes = 0;
	int number = 0, first = 1;
	ssize_t n;

	while (then != REPL_QUIT && then != REPL_WRONG &&
	       (n = getline(&line, &room, f)) >= 0) {
		number++;
		if (then != REPL_MORE) {
			first = number;
			bytes = 0;
		}
		whole = realloc(whole, bytes + (size_t)n + 1);
		CHECK(whole);
		memcpy(whole + bytes, line, (size_t)n + 1);
		bytes += (size_t)n;
		then = repl_line(r, whole, name, first);
	}
	if (then == REPL_MORE) {
		fprintf(stderr,
			"parterre debug: %s:%d: the statement has no end\n",
			name, first);
		then = REPL_WRONG;
	}
	free(line);
	free(whole);
	if (then == REPL_WRONG && !r->status)
		r->status = EXIT_USAGE;
	return then == REPL_NEXT;
}

/* --- begin and end --- */

static const luaL_Reg door[] = {
	{"call", lua_ask},  {"go", lua_go},
	{"free", lua_free}, {"expectation", lua_expectation},
	{NULL, NULL},
};

/* What the user finds, and debug.lua's own functions, in the registry. */
static int load_program(lua_State *L)
{
	receive(L); /* that it stands at the begin */
	if (strcmp(luaL_checkstring(L, 1), "stopped") != 0)
		gone(L);
	lua_settop(L, 2);
	luaL_openlibs(L);
	if (luaL_loadbufferx(L, program, sizeof(program) - 1, "=debug.lua",
			     "t") != LUA_OK)
		return lua_error(L);
	luaL_newlib(L, door);
	lua_pushvalue(L, 2);
	lua_call(L, 2, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "repl");
	return 0;
}

bool repl_open(struct repl *r, int fd)
{
	struct sigaction act = {.sa_handler = on_interrupt};

	*r = (struct repl){.fd = fd, .L = luaL_newstate()};
	CHECK_MSG(r->L, "out of memory for Lua");
	*(struct repl **)lua_getextraspace(r->L) = r;
	sigaction(SIGINT, &act, NULL); /* waits end by it */
	lua_sethook(r->L, on_hook, LUA_MASKCOUNT, 10000);
	lua_pushcfunction(r->L, load_program);
	if (lua_pcall(r->L, 0, 0, 0) == LUA_OK)
		return true;
	if (r->fd >= 0)
		fprintf(stderr, "parterre debug: %s\n",
			luaL_tolstring(r->L, -1, NULL));
	return false;
}

void repl_close(struct repl *r)
{
	if (r->fd >= 0) {
		r->out.bytes = 0;
		put_word(&r->out, "kill");
		luawire_send(r->fd, &r->out);
		close(r->fd);
	}
	lua_close(r->L);
	packet_text_free(&r->out);
	packet_text_free(&r->in);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/debug_repl.h - the user's side of `parterre debug`: a Lua
 * state whose functions ask a desk in another process (sim/debug/desk.h).
 *
 *   debug.c        the command: the run in a child, the user here
 *   debug_repl.c   Lua's door to the desk
 *   debug.lua      the commands, and what a line means
 *   debug_edit.c   a terminal: editing, completion, history (libedit)
 */
#ifndef PARTERRE_TOOLS_DEBUG_REPL_H
#define PARTERRE_TOOLS_DEBUG_REPL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "sim/debug/luawire.h"
#include "sim/status.h"

struct repl {
	int fd; /* to the desk; -1: the run is over */
	lua_State *L;
	struct packet_text out, in;
	/* What the user, or his file, came to: EXIT_HELD, EXIT_EXPECT,
	 * EXIT_USAGE. */
	enum exit_code status;
};

/* False: the run ended before it stood once; it has said why. */
bool repl_open(struct repl *r, int fd);
/* Lines of `f`, called `name` in messages, up to its end, `quit` or the first
 * error; false: it was the last (r->status). */
bool repl_file(struct repl *r, FILE *f, const char *name);
/* Asks at the terminal. */
void repl_terminal(struct repl *r);
/* One line, or several that are one statement.  *more: it is not whole yet. */
enum repl_then {
	REPL_NEXT,
	REPL_MORE,
	REPL_QUIT,
	REPL_WRONG /* after a message */
};
enum repl_then repl_line(struct repl *r, const char *text, const char *name,
			 int line);
/* Words that may stand where `text` ends, one on each line; NULL: none.  The
 * caller's to free. */
char *repl_complete(struct repl *r, const char *text);
void repl_close(struct repl *r);

#endif

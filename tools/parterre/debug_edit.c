/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/debug_edit.c - lines from a terminal: libedit, which looks
 * into the user's ~/.editrc.  The history is kept in $XDG_STATE_HOME/parterre,
 * or
 * ~/.local/state/parterre.
 */
#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/check.h"
#include "tools/parterre/debug_repl.h"

#define HISTORY_LINES 1000
#define LIST_COLUMNS  76

static bool more; /* the statement goes on */

static char *prompt(EditLine *el)
{
	static char first[] = "(parterre) ", other[] = "       ... ";

	(void)el;
	return more ? other : first;
}

/* --- completion --- */

/* How far all words agree. */
static size_t common(char *const *word, size_t count)
{
	size_t n = strlen(word[0]);

	for (size_t i = 1; i < count; i++) {
		size_t k = 0;

		while (k < n && word[i][k] == word[0][k])
			k++;
		n = k;
	}
	return n;
}

static void print_words(char *const *word, size_t count)
{
	size_t width = 0, column = 0;

	for (size_t i = 0; i < count; i++) {
		if (strlen(word[i]) + 2 > width)
			width = strlen(word[i]) + 2;
	}
	putchar('\n');
	for (size_t i = 0; i < count; i++) {
		printf("%-*s", (int)width, word[i]);
		column += width;
		if (column + width > LIST_COLUMNS || i + 1 == count) {
			putchar('\n');
			column = 0;
		}
	}
	fflush(stdout);
}

static unsigned char insert(EditLine *el, char *const *word, size_t count,
			    size_t typed)
{
	size_t n = common(word, count);
	char text[256];

	if (n < typed)
		return CC_ERROR;
	snprintf(text, sizeof(text), "%.*s%s", (int)(n - typed),
		 word[0] + typed, count == 1 ? " " : "");
	if (*text && el_insertstr(el, text) == 0)
		return CC_REFRESH;
	print_words(word, count);
	return CC_REDISPLAY;
}

static unsigned char complete(EditLine *el, int key)
{
	const LineInfo *line = el_line(el);
	char text[1024], *words, *rest, *word[1000];
	size_t n = (size_t)(line->cursor - line->buffer), count = 0, typed;
	unsigned char then = CC_ERROR;
	struct repl *r;

	(void)key;
	el_get(el, EL_CLIENTDATA, &r);
	if (n >= sizeof(text))
		return CC_ERROR;
	memcpy(text, line->buffer, n);
	text[n] = '\0';
	words = repl_complete(r, text);
	if (!words)
		return CC_ERROR;
	typed = strtoul(words, NULL, 10);
	strtok_r(words, "\n", &rest);
	while (count < 1000 && (word[count] = strtok_r(NULL, "\n", &rest)))
		count++;
	if (count)
		then = insert(el, word, count, typed);
	free(words);
	return then;
}

/* --- history --- */

/* The file's path, its folder made; false: there is no home. */
static bool history_path(char *path, size_t bytes)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state && *state == '/')
		n = snprintf(path, bytes, "%s/parterre", state);
	else if (home && *home == '/')
		n = snprintf(path, bytes, "%s/.local/state/parterre", home);
	else
		return false;
	if (n <= 0 || (size_t)n + sizeof("/debug-history") > bytes)
		return false;
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	mkdir(path, 0700);
	strcat(path, "/debug-history");
	return true;
}

/* --- the loop --- */

static void loop(struct repl *r, EditLine *el, History *h)
{
	enum repl_then then = REPL_NEXT;
	char *whole = NULL;
	size_t bytes = 0;
	const char *line;
	HistEvent event;
	int n;

	while (then != REPL_QUIT) {
		more = then == REPL_MORE;
		n = 0;
		line = el_gets(el, &n);
		if (!line && n < 0 && errno == EINTR) { /* Ctrl-C */
			printf("^C\n");
			then = REPL_NEXT;
			el_reset(el);
			continue;
		}
		if (!line || n <= 0)
			break;
		if (!more)
			bytes = 0;
		whole = realloc(whole, bytes + (size_t)n + 1);
		CHECK(whole);
		memcpy(whole + bytes, line, (size_t)n + 1);
		bytes += (size_t)n;
		if (n > 1)
			history(h, &event, H_ENTER, line);
		then = repl_line(r, whole, "", 1);
	}
	free(whole);
	printf(then == REPL_QUIT ? "" : "\n");
}

void repl_terminal(struct repl *r)
{
	EditLine *el = el_init("parterre", stdin, stdout, stderr);
	History *h = history_init();
	char path[PATH_MAX];
	bool kept = history_path(path, sizeof(path));
	HistEvent event;

	CHECK_MSG(el && h, "no line editor");
	history(h, &event, H_SETSIZE, HISTORY_LINES);
	history(h, &event, H_SETUNIQUE, 1);
	if (kept)
		history(h, &event, H_LOAD, path);
	el_set(el, EL_CLIENTDATA, r);
	el_set(el, EL_PROMPT, prompt);
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_HIST, history, h);
	el_set(el, EL_ADDFN, "complete", "what may stand here", complete);
	el_set(el, EL_BIND, "^I", "complete", NULL);
	el_source(el, NULL);
	loop(r, el, h);
	if (kept)
		history(h, &event, H_SAVE, path);
	history_end(h);
	el_end(el);
}

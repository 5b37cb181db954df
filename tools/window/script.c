/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/window/script.c - a file of lines in place of a user; they go through
 * SDL as a user's do:
 *
 *   until stands|over|runs [Nms]
 *                            what is shown since the last key or click; it has
 *                            failed as soon as that cannot come any more, or
 *                            N ms of the machine's time later
 *   key [shift-]NAME         SDL's name of the key: it goes down and up
 *   click KIND NUMBER|NAME   where a partition, cpu, channel, block, machine,
 *                            button or the screen (0) was drawn
 *   release                  Ctrl-Alt: keyboard and mouse are the panel's again
 *   shot FILE                the window's picture, PNG
 *   tell FILE                one line more in it: what is shown, in words
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/picture.h"
#include "tools/window/window.h"

#define LINE_BYTES 512

struct script {
	FILE *file;
	const char *path;
	unsigned number;
	char line[LINE_BYTES]; /* that waits; empty: the next is to be read */
	bool settles;          /* what was pushed is to be taken first */
	char why[300];         /* it cannot be done; or empty */
	ps_t until;            /* the line that waits fails then; 0: not yet
				* known */
};

struct script *script_open(const char *path)
{
	struct script *s = calloc(1, sizeof(*s));

	CHECK_MSG(s, "out of memory for a script");
	s->path = path;
	s->file = fopen(path, "r");
	if (s->file)
		return s;
	fprintf(stderr, "parterre-window: %s: %s\n", path, strerror(errno));
	free(s);
	return NULL;
}

void script_close(struct script *s)
{
	if (s)
		fclose(s->file);
	free(s);
}

static const char *const state[] = {
	[SEEN_RUNS] = "runs",
	[SEEN_STANDS] = "stands",
	[SEEN_OVER] = "over",
};

static int because(struct script *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int because(struct script *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return -1;
}

static bool is_state(const char *what)
{
	for (size_t i = 0; i < ARRAY_LEN(state); i++) {
		if (strcmp(what, state[i]) == 0)
			return true;
	}
	return false;
}

/* What stands, or is over, is so until somebody does something, and that is up
 * to the lines behind this one. */
static int until(struct script *s, const struct window *w, const char *what,
		 const char *within)
{
	const struct seen *seen = &w->seen;
	unsigned long long ms = 0;
	char unit[3] = "", rest;

	if (!is_state(what) ||
	    (within[0] && (sscanf(within, "%llu%2s%c", &ms, unit, &rest) != 2 ||
			   strcmp(unit, "ms") != 0 || !ms)))
		return -1;
	if (w->shown != w->asked)
		return 0;
	if (strcmp(what, state[seen->state]) == 0)
		return 1;
	if (seen->state != SEEN_RUNS)
		return because(s, "%s at %.6f ms: %s",
			       seen->state == SEEN_OVER ? "it is over"
							: "it stands",
			       (double)seen->now / PS_PER_MS, seen->why);
	if (!s->until)
		s->until = ms ? seen->now + ms * PS_PER_MS : PS_NEVER;
	if (seen->now > s->until)
		return because(s, "it still runs at %.6f ms",
			       (double)seen->now / PS_PER_MS);
	return 0;
}

static bool key(const char *name)
{
	SDL_Event e = {.type = SDL_KEYDOWN};
	bool shift = strncmp(name, "shift-", 6) == 0;

	e.key.keysym.sym = SDL_GetKeyFromName(shift ? name + 6 : name);
	e.key.keysym.scancode = SDL_GetScancodeFromKey(e.key.keysym.sym);
	e.key.keysym.mod = shift ? KMOD_LSHIFT : KMOD_NONE;
	if (e.key.keysym.sym == SDLK_UNKNOWN)
		return false;
	SDL_PushEvent(&e);
	e.type = SDL_KEYUP;
	SDL_PushEvent(&e);
	return true;
}

static int release(void)
{
	SDL_Event e = {.type = SDL_KEYDOWN};

	e.key.keysym.sym = SDLK_LCTRL;
	e.key.keysym.scancode = SDL_SCANCODE_LCTRL;
	e.key.keysym.mod = KMOD_LCTRL;
	SDL_PushEvent(&e);
	e.key.keysym.sym = SDLK_LALT;
	e.key.keysym.scancode = SDL_SCANCODE_LALT;
	e.key.keysym.mod = KMOD_LCTRL | KMOD_LALT;
	SDL_PushEvent(&e);
	return 1;
}

/* As its button is called. */
static uint64_t button(const char *name)
{
	static const char *const text[] = {
		[WIRE_PAUSE] = "pause",     [WIRE_GO] = "go",
		[WIRE_STEP] = "step>",      [WIRE_STEP_SWITCH] = "switch>",
		[WIRE_BACK_STEP] = "<step", [WIRE_BACK_SWITCH] = "<switch",
		[WIRE_BACK_TIME] = "<10ms", [WIRE_SPEED] = "speed",
	};
	uint64_t i = 0;

	while (i < ARRAY_LEN(text) && (!text[i] || strcmp(text[i], name) != 0))
		i++;
	return i;
}

static bool click(const struct window *w, const char *kind, const char *name)
{
	static const char *const kinds[] = {
		[PANEL_PARTITION] = "partition", [PANEL_CPU] = "cpu",
		[PANEL_CHANNEL] = "channel",     [PANEL_BLOCK] = "block",
		[PANEL_SCREEN] = "screen",       [PANEL_MACHINE] = "machine",
		[PANEL_BUTTON] = "button",
	};
	uint64_t number = strcmp(kind, "button") == 0
				  ? button(name)
				  : strtoull(name, NULL, 10);

	for (uint32_t i = 0; i < w->seen.partitions; i++) {
		if (strcmp(w->seen.partition[i].name, name) == 0)
			number = w->seen.partition[i].index;
	}
	for (uint32_t i = 0;
	     strcmp(kind, "machine") == 0 && i < w->seen.machines; i++) {
		if (strcmp(seen_machine_name(&w->seen, i), name) == 0)
			number = i;
	}
	for (size_t i = 0; i < w->panel.spots; i++) {
		const struct panel_spot *s = &w->panel.spot[i];
		SDL_Event e = {.type = SDL_MOUSEBUTTONDOWN};

		if (s->thing.kind >= ARRAY_LEN(kinds) ||
		    !kinds[s->thing.kind] ||
		    strcmp(kinds[s->thing.kind], kind) != 0 ||
		    s->thing.number != number)
			continue;
		e.button.button = SDL_BUTTON_LEFT;
		e.button.x = s->x + s->w / 2;
		e.button.y = s->y + s->h / 2;
		SDL_PushEvent(&e);
		e.type = SDL_MOUSEBUTTONUP;
		SDL_PushEvent(&e);
		return true;
	}
	return false;
}

static bool tell(const struct window *w, const char *path)
{
	const struct seen *s = &w->seen;
	FILE *f = fopen(path, "a");

	if (!f) {
		fprintf(stderr, "parterre-window: %s: %s\n", path,
			strerror(errno));
		return false;
	}
	fprintf(f, "%s %" PRIu64 " %" PRIu64 " %s %s\n",
		s->machines > 1 ? seen_machine_name(s, s->machine) : "machine",
		s->now, s->retired, state[s->state], s->why);
	return fclose(f) == 0;
}

static bool shot(const struct window *w, const char *path)
{
	const struct canvas *c = &w->panel.canvas;
	size_t n = (size_t)c->width * (size_t)c->height;
	uint8_t *rgb = malloc(3 * n);
	struct error err;
	bool ok;

	CHECK_MSG(rgb, "out of memory for a picture");
	for (size_t i = 0; i < n; i++) {
		rgb[3 * i] = (uint8_t)(c->pixel[i] >> 16);
		rgb[3 * i + 1] = (uint8_t)(c->pixel[i] >> 8);
		rgb[3 * i + 2] = (uint8_t)c->pixel[i];
	}
	ok = picture_write(path, (unsigned)c->width, (unsigned)c->height, rgb,
			   &err);
	free(rgb);
	if (!ok)
		fprintf(stderr, "parterre-window: %s\n", err.text);
	return ok;
}

/* 1: done; 0: not yet; -1: it is not a line, or failed. */
static int act(struct script *s, struct window *w)
{
	char word[16] = "", first[LINE_BYTES] = "", second[64] = "";

	if (sscanf(s->line, "%15s %511s %63s", word, first, second) < 2 &&
	    strcmp(word, "release") != 0)
		return -1;
	if (strcmp(word, "until") == 0)
		return until(s, w, first, second);
	if (w->dirty &&
	    (strcmp(word, "shot") == 0 || strcmp(word, "click") == 0))
		return 0; /* what stands where is not drawn yet */
	if (strcmp(word, "shot") == 0)
		return shot(w, first) ? 1 : -1;
	if (strcmp(word, "tell") == 0)
		return tell(w, first) ? 1 : -1;
	s->settles = true;
	if (strcmp(word, "release") == 0)
		return release();
	if (strcmp(word, "key") == 0)
		return key(first) ? 1 : -1;
	if (strcmp(word, "click") == 0)
		return click(w, first, second) ? 1 : -1;
	return -1;
}

bool script_go_on(struct script *s, struct window *w)
{
	s->settles = false;
	while (w->any && !s->settles) {
		int done;

		if (!s->line[0]) {
			if (!fgets(s->line, sizeof(s->line), s->file))
				return true;
			s->number++;
			s->until = 0;
			s->line[strcspn(s->line, "\n")] = '\0';
			if (!s->line[0] || s->line[0] == '#') {
				s->line[0] = '\0';
				continue;
			}
		}
		done = act(s, w);
		if (done < 0) {
			fprintf(stderr,
				"parterre-window: %s:%u: '%s' cannot be done%s"
				"%s; docs/seen.md has the lines of a script\n",
				s->path, s->number, s->line,
				s->why[0] ? ": " : "", s->why);
			return false;
		}
		if (!done)
			return true;
		s->line[0] = '\0';
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/window/window.h - parterre-window, the program that `parterre run
 * --window` starts: a window (SDL 2) with the machine's front panel.
 *
 * usage: parterre-window FD [SCRIPT]: FD is a socket to the run
 * (sim/seen/wire.h). main.c has the loop, hand.c what keys and the mouse do,
 * script.c does it in place of a user.
 */
#ifndef PARTERRE_TOOLS_WINDOW_H
#define PARTERRE_TOOLS_WINDOW_H

#include <SDL.h>

#include "sim/seen/panel.h"
#include "sim/seen/wire.h"

struct script;

struct window {
	int fd;
	SDL_Window *window;
	SDL_Renderer *renderer;
	SDL_Texture *texture;
	struct panel panel;
	struct seen seen;
	bool any;       /* seen: ever */
	uint32_t asked; /* orders that are answered by one that is seen */
	uint32_t shown; /* ... and were, by this one */
	bool dirty;     /* to be drawn anew */
	bool on;
	/* What the guest takes for pressed: keys, mouse buttons (bit 0: left,
	 * 1: right, 2: middle). */
	bool down[SDL_NUM_SCANCODES];
	uint8_t buttons;
	uint8_t *rgb; /* the guest's screen; NULL: none yet */
	int width, height;
	struct script *script; /* NULL: its user does it */
};

/* hand.c */
void hand_event(struct window *w, const SDL_Event *e);

/* script.c: NULL: it cannot be read, or is not one; said on stderr. */
struct script *script_open(const char *path);
void script_close(struct script *s);
/* Does what can be done now; false: it failed, said on stderr. */
bool script_go_on(struct script *s, struct window *w);

#endif

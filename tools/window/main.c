/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/window/main.c - draws what the run sends, until the window is closed or
 * the run is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/status.h"
#include "tools/window/window.h"

#define TICK_MS 10

/* --- what comes --- */

static bool take_screen(struct window *w, uint32_t bytes)
{
	struct wire_screen size;

	if (bytes < sizeof(size) || !wire_get(w->fd, &size, sizeof(size)))
		return false;
	CHECK(bytes - sizeof(size) == (size_t)size.width * size.height * 3);
	w->rgb = realloc(w->rgb, bytes);
	CHECK_MSG(w->rgb, "out of memory for the screen");
	w->width = (int)size.width;
	w->height = (int)size.height;
	return wire_get(w->fd, w->rgb, bytes - sizeof(size));
}

/* A message; false: the run is over. */
static bool hear(struct window *w)
{
	struct wire_head head;

	if (!wire_get(w->fd, &head, sizeof(head)))
		return false;
	if (head.kind == WIRE_SCREEN)
		return take_screen(w, head.bytes);
	CHECK(head.kind == WIRE_SEEN && head.bytes == sizeof(w->seen));
	if (!wire_get(w->fd, &w->seen, sizeof(w->seen)))
		return false;
	w->any = w->dirty = true;
	w->shown = head.orders;
	return wire_tell(w->fd, WIRE_DREW, 0);
}

/* --- drawing --- */

static bool open_window(struct window *w)
{
	struct canvas *c = &w->panel.canvas;

	if (SDL_Init(SDL_INIT_VIDEO) < 0)
		return false;
	w->window = SDL_CreateWindow("Parterre", SDL_WINDOWPOS_UNDEFINED,
				     SDL_WINDOWPOS_UNDEFINED, PANEL_WIDTH,
				     PANEL_HEIGHT, SDL_WINDOW_RESIZABLE);
	w->renderer = w->window ? SDL_CreateRenderer(w->window, -1,
						     SDL_RENDERER_SOFTWARE)
				: NULL;
	w->texture =
		w->renderer
			? SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888,
					    SDL_TEXTUREACCESS_STREAMING,
					    PANEL_WIDTH, PANEL_HEIGHT)
			: NULL;
	if (!w->texture ||
	    SDL_RenderSetLogicalSize(w->renderer, PANEL_WIDTH, PANEL_HEIGHT))
		return false;
	c->width = PANEL_WIDTH;
	c->height = PANEL_HEIGHT;
	c->pixel =
		calloc((size_t)PANEL_WIDTH * PANEL_HEIGHT, sizeof(*c->pixel));
	CHECK_MSG(c->pixel, "out of memory for the window");
	return true;
}

static void draw(struct window *w)
{
	if (!w->dirty || !w->any)
		return;
	panel_draw(&w->panel, &w->seen, w->rgb, w->width, w->height);
	SDL_UpdateTexture(w->texture, NULL, w->panel.canvas.pixel,
			  PANEL_WIDTH * (int)sizeof(uint32_t));
	SDL_RenderClear(w->renderer);
	SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
	SDL_RenderPresent(w->renderer);
	w->dirty = false;
}

/* True: all is well. */
static bool run(struct window *w)
{
	SDL_Event e;

	while (w->on) {
		if (wire_waits(w->fd, TICK_MS))
			w->on = hear(w);
		while (w->on && SDL_PollEvent(&e))
			hand_event(w, &e);
		draw(w);
		if (w->on && w->script && !script_go_on(w->script, w)) {
			wire_tell(w->fd, WIRE_QUIT, EXIT_USAGE);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct window w;
	bool ok;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: parterre-window FD [SCRIPT] (it is "
				"started by parterre run --window)\n");
		return EXIT_USAGE;
	}
	w.fd = atoi(argv[1]);
	w.on = true;
	if (argc == 3 && !(w.script = script_open(argv[2])))
		return EXIT_USAGE;
	ok = open_window(&w);
	if (!ok) {
		fprintf(stderr,
			"parterre-window: no window: %s; without a display, "
			"parterre run --ui shows it on a terminal\n",
			SDL_GetError());
		wire_tell(w.fd, WIRE_QUIT, EXIT_HOST);
	} else {
		ok = run(&w);
	}
	script_close(w.script);
	free(w.rgb);
	free(w.panel.canvas.pixel);
	SDL_Quit();
	return ok ? EXIT_HELD : EXIT_HOST;
}

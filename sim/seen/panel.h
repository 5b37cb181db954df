/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/panel.h - the front panel of a machine, on a canvas: its screen, who
 * has the CPUs and had them lately, partitions, memory, channels, I/O paths,
 * what happened, and of one thing that was chosen more.
 *
 * The same struct seen, screen and choice give the same pixels.
 */
#ifndef PARTERRE_SEEN_PANEL_H
#define PARTERRE_SEEN_PANEL_H

#include "sim/seen/canvas.h"
#include "sim/seen/seen.h"

#define PANEL_WIDTH  1280
#define PANEL_HEIGHT 880

enum panel_kind {
	PANEL_NOTHING,
	PANEL_PARTITION, /* number: its index */
	PANEL_CPU,       /* number */
	PANEL_CHANNEL,   /* number: its id */
	PANEL_BLOCK,     /* number: a page frame's */
	PANEL_SCREEN,    /* the guest's, which then gets keys and the mouse */
	PANEL_BUTTON,    /* number: what it does, enum wire_what */
	PANEL_MACHINE,   /* number: of several, the one that is to be shown */
};

struct panel_thing {
	enum panel_kind kind;
	uint64_t number;
};

/* Where things were drawn: who is asked what lies at a place. */
#define PANEL_SPOTS 1024
struct panel_spot {
	int x, y, w, h;
	struct panel_thing thing;
};

struct panel {
	struct canvas canvas; /* PANEL_WIDTH by PANEL_HEIGHT; its owner's */
	struct panel_thing chosen;
	bool grabbed; /* the guest's screen has keyboard and mouse */
	size_t spots;
	struct panel_spot spot[PANEL_SPOTS];
};

/* `rgb` NULL: the machine has no screen. */
void panel_draw(struct panel *p, const struct seen *s, const uint8_t *rgb,
		int width, int height);
struct panel_thing panel_at(const struct panel *p, int x, int y);

/* --- of its own files: panel.c (places, CPUs, partitions), panel_more.c --- */

#define PANEL_BG   0x11161d
#define PANEL_CARD 0x18202a
#define PANEL_INK  0xe4e9f0
#define PANEL_SOFT 0x98a4b3
#define PANEL_LINE 0x2c3542
#define PANEL_BAD  0xff7b72
#define PANEL_GOOD 0x4cc26a
#define PANEL_MOVE 0x86a8ff

void panel_spot(struct panel *p, int x, int y, int w, int h,
		enum panel_kind kind, uint64_t number);
uint32_t panel_colour(const struct seen *s, uint32_t who);
void panel_title(struct panel *p, int x, int y, int w, const char *text);
void panel_memory(struct panel *p, const struct seen *s, int x, int y, int w,
		  int h);
void panel_channels(struct panel *p, const struct seen *s, int x, int y, int w,
		    int h);
void panel_paths(struct panel *p, const struct seen *s, int x, int y, int w,
		 int h);
void panel_details(struct panel *p, const struct seen *s, int x, int y, int w,
		   int h);

#endif

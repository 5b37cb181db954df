/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/canvas.h - pixels: rectangles, lines, text in the machine's own 8x16
 * font (devices/vga_font.c).  Integers alone: the same picture has the same
 * pixels on every host.
 *
 * Whatever lies outside of the canvas is left out.  Colours are 0xrrggbb.
 */
#ifndef PARTERRE_SEEN_CANVAS_H
#define PARTERRE_SEEN_CANVAS_H

#include "sim/base.h"

#define CANVAS_GLYPH_W 8
#define CANVAS_GLYPH_H 16

struct canvas {
	int width, height;
	uint32_t *pixel; /* rows of width */
};

void canvas_fill(struct canvas *c, int x, int y, int w, int h, uint32_t colour);
void canvas_frame(struct canvas *c, int x, int y, int w, int h,
		  uint32_t colour);
/* Two pixels wide. */
void canvas_line(struct canvas *c, int x0, int y0, int x1, int y1,
		 uint32_t colour);
/* One line of at most `columns` characters; returns how many were drawn. */
int canvas_text(struct canvas *c, int x, int y, int columns, uint32_t colour,
		const char *fmt, ...) PRINTF_LIKE(6, 7);
/* A picture of rows of 3 bytes a pixel into the rectangle, in its proportions;
 * the rectangle that it takes is returned in *w and *h. */
void canvas_picture(struct canvas *c, int x, int y, int *w, int *h,
		    const uint8_t *rgb, int width, int height);

#endif

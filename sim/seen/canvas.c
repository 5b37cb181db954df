/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/seen/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "devices/vga_internal.h"

#define TEXT_MAX 256

static void dot(struct canvas *c, int x, int y, uint32_t colour)
{
	if (x >= 0 && y >= 0 && x < c->width && y < c->height)
		c->pixel[y * c->width + x] = colour;
}

void canvas_fill(struct canvas *c, int x, int y, int w, int h, uint32_t colour)
{
	for (int j = y < 0 ? 0 : y; j < y + h && j < c->height; j++) {
		for (int i = x < 0 ? 0 : x; i < x + w && i < c->width; i++)
			c->pixel[j * c->width + i] = colour;
	}
}

void canvas_frame(struct canvas *c, int x, int y, int w, int h, uint32_t colour)
{
	canvas_fill(c, x, y, w, 1, colour);
	canvas_fill(c, x, y + h - 1, w, 1, colour);
	canvas_fill(c, x, y, 1, h, colour);
	canvas_fill(c, x + w - 1, y, 1, h, colour);
}

void canvas_line(struct canvas *c, int x0, int y0, int x1, int y1,
		 uint32_t colour)
{
	int dx = abs(x1 - x0), dy = abs(y1 - y0);
	int steps = dx > dy ? dx : dy;

	for (int i = 0; i <= steps; i++) {
		int x = x0 + (steps ? (x1 - x0) * i / steps : 0);
		int y = y0 + (steps ? (y1 - y0) * i / steps : 0);

		canvas_fill(c, x, y, 2, 2, colour);
	}
}

static void glyph(struct canvas *c, int x, int y, uint32_t colour,
		  unsigned char code)
{
	uint8_t row[CANVAS_GLYPH_H];

	vga_glyph(code, row);
	for (int j = 0; j < CANVAS_GLYPH_H; j++) {
		for (int i = 0; i < CANVAS_GLYPH_W; i++) {
			if (row[j] & 0x80 >> i)
				dot(c, x + i, y + j, colour);
		}
	}
}

int canvas_text(struct canvas *c, int x, int y, int columns, uint32_t colour,
		const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	int n = 0;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (; text[n] && n < columns; n++) {
		unsigned char code = (unsigned char)text[n];

		glyph(c, x + n * CANVAS_GLYPH_W, y, colour,
		      code < 0x20 || code > 0x7e ? '.' : code);
	}
	return n;
}

void canvas_picture(struct canvas *c, int x, int y, int *w, int *h,
		    const uint8_t *rgb, int width, int height)
{
	/* As large as fits; the nearest pixel. */
	if (width * *h > height * *w)
		*h = height * *w / width;
	else
		*w = width * *h / height;
	for (int j = 0; j < *h; j++) {
		for (int i = 0; i < *w; i++) {
			const uint8_t *p =
				rgb +
				3 * ((size_t)(j * height / *h) * (size_t)width +
				     (size_t)(i * width / *w));

			dot(c, x + i, y + j,
			    (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]);
		}
	}
}

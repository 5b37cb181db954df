/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vga_render.c - from registers and video memory to a picture: text,
 * 16 colours in planes, 256 colours, and the linear modes of DISPI.
 *
 * A picture has a pixel for each one that the guest can set: scan lines that
 * show the same row are one, and so are dots of doubled width.
 */
#include <stdlib.h>
#include <string.h>

#include "devices/vga_internal.h"
#include "sim/check.h"

#define CURSOR_BLINK    16 /* frames, half of them dark */
#define CHARACTER_BLINK 32
#define LEGACY_MASK     (VGA_PLANES * VGA_PLANE_BYTES - 1)
#define RGB             3

static uint8_t legacy(const struct vga *v, uint32_t counter, unsigned plane)
{
	return v->memory[(4 * counter + plane) & LEGACY_MASK];
}

static uint8_t widened(uint32_t value, unsigned bits)
{
	return (uint8_t)(value << (8 - bits) | value >> (2 * bits - 8));
}

static void put_dac(const struct vga *v, uint8_t colour, uint8_t *to)
{
	const uint8_t *c = &v->dac[RGB * (colour & v->dac_mask)];

	for (unsigned i = 0; i < RGB; i++)
		to[i] = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC
				? c[i]
				: widened(c[i] & 0x3F, 6);
}

/* Four bits through the attribute controller's palette. */
static void put_attribute(const struct vga *v, uint8_t four, uint8_t *to)
{
	uint8_t colour = v->attr[four & v->attr[ATTR_PLANES] & 0xF];
	uint8_t select = v->attr[ATTR_COLOUR_SELECT];

	if (v->attr[ATTR_MODE] & ATTR_MODE_PALETTE54)
		colour = (uint8_t)((colour & 0x0F) | (select & 0x03) << 4);
	put_dac(v, (uint8_t)((colour & 0x3F) | (select & 0x0C) << 4), to);
}

/* ---- what the CRT controller says ---- */

struct raster {
	unsigned columns; /* characters in a row */
	unsigned scans;   /* scan lines that a row of memory is shown for */
	unsigned lines;   /* scan lines displayed */
	unsigned compare; /* the first line that shows memory from 0 on */
	uint32_t start, pitch; /* in units of the counter */
};

static struct raster raster_of(const struct vga *v)
{
	const uint8_t *c = v->crtc;
	unsigned scans = (c[CRTC_MAX_SCAN] & 0x1FU) + 1;
	unsigned compare = c[CRTC_LINE_COMPARE] |
			   (c[CRTC_OVERFLOW] >> 4 & 1U) << 8 |
			   (c[CRTC_MAX_SCAN] >> 6 & 1U) << 9;

	return (struct raster){
		.columns = c[CRTC_H_DISPLAY_END] + 1U,
		.scans = c[CRTC_MAX_SCAN] & CRTC_DOUBLE ? 2 * scans : scans,
		.lines = vga_v_display_end(v) + 1,
		.compare = compare + 1,
		.start = (uint32_t)c[CRTC_START_HIGH] << 8 | c[CRTC_START_LOW],
		.pitch = 2U * c[CRTC_OFFSET],
	};
}

/* The counter at the beginning of the row that scan line `y` shows; `scan`:
 * which of the row's lines it is. */
static uint32_t row_start(const struct raster *r, unsigned y, unsigned *scan)
{
	uint32_t start = r->start;

	if (y >= r->compare) {
		y -= r->compare;
		start = 0;
	}
	*scan = y % r->scans;
	return start + y / r->scans * r->pitch;
}

/* ---- text ---- */

struct text {
	struct raster r;
	unsigned dots;        /* of a character */
	unsigned font[2];     /* plane addresses, by attribute bit 3 */
	uint32_t cursor;      /* counter; UINT32_MAX: not shown */
	unsigned first, last; /* the cursor's scan lines */
	bool dark;            /* blinking characters are */
};

static unsigned font_at(unsigned map)
{
	return (map & 3) * 0x4000 + (map >> 2) * 0x2000;
}

static struct text text_of(struct vga *v)
{
	const uint8_t *c = v->crtc;
	uint8_t map = v->seq[SEQ_CHARACTER_MAP];
	uint64_t frame = vga_beam(v).frame;
	bool lit = frame % CURSOR_BLINK < CURSOR_BLINK / 2;
	struct text t = {
		.r = raster_of(v),
		.dots = v->seq[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9,
		.font = {font_at((map & 3U) | (map >> 2 & 4U)),
			 font_at((map >> 2 & 3U) | (map >> 3 & 4U))},
		.cursor = UINT32_MAX,
		.first = c[CRTC_CURSOR_START] & 0x1F,
		.last = c[CRTC_CURSOR_END] & 0x1F,
		.dark = frame % CHARACTER_BLINK >= CHARACTER_BLINK / 2,
	};

	if (lit && !(c[CRTC_CURSOR_START] & CRTC_CURSOR_HIDDEN))
		t.cursor =
			(uint32_t)c[CRTC_CURSOR_HIGH] << 8 | c[CRTC_CURSOR_LOW];
	return t;
}

/* One scan line of one character. */
static void put_character(const struct vga *v, const struct text *t,
			  uint32_t at, unsigned scan, uint8_t *to)
{
	uint8_t code = legacy(v, at, 0), attribute = legacy(v, at, 1);
	uint8_t fore = attribute & 0xF, back = attribute >> 4;
	unsigned font = t->font[attribute >> 3 & 1];
	unsigned bits =
		(unsigned)legacy(v, font + code * VGA_GLYPH_BYTES + scan, 2)
		<< 1;

	/* The ninth dot is background, or repeats the eighth in lines. */
	if ((v->attr[ATTR_MODE] & ATTR_MODE_9TH) && code >= 0xC0 &&
	    code <= 0xDF)
		bits |= bits >> 1 & 1;
	if (v->attr[ATTR_MODE] & ATTR_MODE_BLINK) {
		if ((back & 8) && t->dark)
			bits = 0;
		back &= 7;
	}
	if (at == t->cursor && scan >= t->first && scan <= t->last)
		bits = 0x1FF;
	for (unsigned x = 0; x < t->dots; x++)
		put_attribute(v, bits >> (8 - x) & 1 ? fore : back,
			      to + RGB * x);
}

static void draw_text(struct vga *v, struct vga_picture *p)
{
	struct text t = text_of(v);
	uint8_t *to = p->rgb;

	for (unsigned y = 0; y < p->height; y++) {
		unsigned scan;
		uint32_t at = row_start(&t.r, y, &scan);

		for (unsigned x = 0; x < t.r.columns; x++) {
			put_character(v, &t, at + x, scan, to);
			to += RGB * t.dots;
		}
	}
}

/* ---- graphics of the VGA ---- */

/* Eight dots of four planes. */
static void put_planar(const struct vga *v, uint32_t at, uint8_t *to)
{
	for (unsigned x = 0; x < 8; x++) {
		uint8_t four = 0;

		for (unsigned p = 0; p < VGA_PLANES; p++)
			four |= (uint8_t)((legacy(v, at, p) >> (7 - x) & 1)
					  << p);
		put_attribute(v, four, to + RGB * x);
	}
}

static void draw_graphics(const struct vga *v, struct vga_picture *p)
{
	struct raster r = raster_of(v);
	bool bytes = v->gc[GC_MODE] & GC_MODE_256;
	uint8_t *to = p->rgb;

	for (unsigned y = 0; y < p->height; y++) {
		unsigned scan;
		uint32_t at = row_start(&r, y * r.scans, &scan);

		for (unsigned x = 0; x < r.columns; x++, at++) {
			for (unsigned i = 0; bytes && i < VGA_PLANES; i++)
				put_dac(v, legacy(v, at, i), to + RGB * i);
			if (!bytes)
				put_planar(v, at, to);
			to += RGB * (bytes ? 4 : 8);
		}
	}
}

/* ---- linear modes ---- */

static uint32_t pixel(const struct vga *v, uint64_t at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && at + i < VGA_MEMORY_BYTES; i++)
		value |= (uint32_t)v->memory[at + i] << (8 * i);
	return value;
}

static void put_pixel(const struct vga *v, uint32_t value, uint8_t *to)
{
	switch (v->vbe[VBE_BPP]) {
	case 8:
		put_dac(v, (uint8_t)value, to);
		break;
	case 15:
		to[0] = widened(value >> 10 & 0x1F, 5);
		to[1] = widened(value >> 5 & 0x1F, 5);
		to[2] = widened(value & 0x1F, 5);
		break;
	case 16:
		to[0] = widened(value >> 11, 5);
		to[1] = widened(value >> 5 & 0x3F, 6);
		to[2] = widened(value & 0x1F, 5);
		break;
	default:
		to[0] = (uint8_t)(value >> 16);
		to[1] = (uint8_t)(value >> 8);
		to[2] = (uint8_t)value;
		break;
	}
}

/* What lies beyond video memory is black. */
static void draw_linear(const struct vga *v, struct vga_picture *p)
{
	unsigned bytes = vga_pixel_bytes(v);
	uint64_t pitch = (uint64_t)v->vbe[VBE_VIRT_WIDTH] * bytes;
	uint8_t *to = p->rgb;

	for (unsigned y = 0; y < p->height; y++) {
		uint64_t at = (v->vbe[VBE_Y_OFFSET] + (uint64_t)y) * pitch +
			      (uint64_t)v->vbe[VBE_X_OFFSET] * bytes;

		for (unsigned x = 0; x < p->width; x++, at += bytes, to += RGB)
			put_pixel(v, pixel(v, at, bytes), to);
	}
}

/* ---- the picture ---- */

static bool dark(const struct vga *v)
{
	return (v->seq[SEQ_CLOCKING] & CLOCKING_OFF) ||
	       !(v->attr_index & ATTR_INDEX_SCREEN);
}

static void measure(const struct vga *v, struct vga_picture *p)
{
	struct raster r = raster_of(v);

	p->width = r.columns * 8;
	p->height = (r.lines + r.scans - 1) / r.scans;
	if (vga_vbe_on(v)) {
		p->width = v->vbe[VBE_XRES];
		p->height = v->vbe[VBE_YRES];
	} else if (!(v->gc[GC_MISC] & GC_MISC_GRAPHICS)) {
		p->width = v->seq[SEQ_CLOCKING] & CLOCKING_8_DOTS
				   ? p->width
				   : r.columns * 9;
		p->height = r.lines;
	} else if (v->gc[GC_MODE] & GC_MODE_256) {
		p->width = r.columns * 4;
	}
}

void vga_picture(struct device *d, struct vga_picture *p)
{
	struct vga *v = (struct vga *)d;

	measure(v, p);
	p->rgb = calloc((size_t)p->width * p->height, RGB);
	CHECK_MSG(p->rgb, "out of memory for a picture of %u x %u", p->width,
		  p->height);
	if (vga_vbe_on(v))
		draw_linear(v, p);
	else if (dark(v))
		return;
	else if (v->gc[GC_MISC] & GC_MISC_GRAPHICS)
		draw_graphics(v, p);
	else
		draw_text(v, p);
}

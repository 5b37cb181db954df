/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_video.c - what an image is told of the screen, which firmware has
 * left in a linear mode or in text mode 3.
 */
#include <string.h>

#include "devices/board.h"
#include "sim/loader_internal.h"

#define TEXT_BASE    UINT64_C(0xB8000)
#define TEXT_COLUMNS 80
#define TEXT_LINES   25
#define TEXT_POINTS  16 /* of a character's height */

struct loader_video loader_video(const struct machine_video *v)
{
	return (struct loader_video){
		.base = BOARD_VIDEO_MEMORY,
		.pitch = v->width * ((v->depth + 7) / 8),
		.width = v->width,
		.height = v->height,
		.depth = v->depth,
	};
}

/* Size and lowest bit of red, green, blue and what is left. */
static const uint8_t *channels(uint32_t depth)
{
	static const uint8_t palette[8] = {6, 0, 6, 0, 6, 0, 0, 0};
	static const uint8_t rgb555[8] = {5, 10, 5, 5, 5, 0, 1, 15};
	static const uint8_t rgb565[8] = {5, 11, 6, 5, 5, 0, 0, 0};
	static const uint8_t rgb888[8] = {8, 16, 8, 8, 8, 0, 0, 0};
	static const uint8_t xrgb8888[8] = {8, 16, 8, 8, 8, 0, 8, 24};

	switch (depth) {
	case 15:
		return rgb555;
	case 16:
		return rgb565;
	case 24:
		return rgb888;
	case 32:
		return xrgb8888;
	default:
		return palette;
	}
}

/* ---- Linux (zero-page.rst, struct screen_info) ---- */

#define VIDEO_TYPE_VGA  0x01
#define VIDEO_TYPE_VLFB 0x23 /* VESA, linear framebuffer */

struct screen_info {
	uint8_t x, y;
	uint16_t ext_mem_k, page;
	uint8_t mode, columns, flags, unused2;
	uint16_t ega_bx, unused3;
	uint8_t lines, type;
	uint16_t points;
	uint16_t width, height, depth;
	uint32_t base, size; /* size: of the memory, in 64 KiB */
	uint16_t cl_magic, cl_offset, pitch;
	uint8_t channels[8];
	uint16_t vesapm_seg, vesapm_off, pages, attributes;
	uint32_t capabilities, base_high;
} __attribute__((packed));

void loader_screen_info(const struct loader_video *v, uint8_t *zero)
{
	struct screen_info s = {
		.mode = 3,
		.columns = TEXT_COLUMNS,
		.ega_bx = 3, /* 256 KiB */
		.lines = TEXT_LINES,
		.type = VIDEO_TYPE_VGA,
		.points = TEXT_POINTS,
	};

	if (v->width) {
		s.type = VIDEO_TYPE_VLFB;
		s.width = (uint16_t)v->width;
		s.height = (uint16_t)v->height;
		s.depth = (uint16_t)v->depth;
		s.base = (uint32_t)v->base;
		s.size = (uint32_t)(BOARD_VIDEO_BYTES >> 16);
		s.pitch = (uint16_t)v->pitch;
		s.pages = 1;
		memcpy(s.channels, channels(v->depth), sizeof(s.channels));
	}
	memcpy(zero, &s, sizeof(s));
}

/* ---- Multiboot ---- */

#define FRAMEBUFFER_INDEXED 0
#define FRAMEBUFFER_RGB     1
#define FRAMEBUFFER_TEXT    2

struct loader_framebuffer loader_framebuffer(const struct loader_video *v)
{
	const uint8_t *c = channels(v->depth);
	struct loader_framebuffer f = {
		.base = v->base,
		.pitch = v->pitch,
		.width = v->width,
		.height = v->height,
		.depth = (uint8_t)v->depth,
		.type = FRAMEBUFFER_RGB,
	};

	if (!v->width)
		return (struct loader_framebuffer){
			.base = TEXT_BASE,
			.pitch = 2 * TEXT_COLUMNS,
			.width = TEXT_COLUMNS,
			.height = TEXT_LINES,
			.depth = 16,
			.type = FRAMEBUFFER_TEXT,
		};
	if (v->depth == 8) {
		f.type = FRAMEBUFFER_INDEXED; /* of no colours told of */
		return f;
	}
	for (unsigned i = 0; i < 3; i++) {
		f.channel[2 * i] = c[2 * i + 1];
		f.channel[2 * i + 1] = c[2 * i];
	}
	return f;
}

bool loader_check_video(const struct loader_job *job,
			const struct loader_plan *plan, struct error *err)
{
	if (!plan->linear_at || job->video.width)
		return true;
	return loader_bad(&job->kernel, err, plan->linear_at,
			  "linear framebuffer", 1,
			  "it requires a video mode and the screen is in text "
			  "mode; give machine{video = \"1024x768x32\"}");
}

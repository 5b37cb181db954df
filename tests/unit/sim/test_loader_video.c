/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of image is told of the screen that there is. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/loader_internal.h"

#define FRAMEBUFFER UINT64_C(0xD0000000)

struct seen {
	uint8_t data[4096];
	struct loader_job job;
	struct loader_load *load;
	struct error err;
};

static uint64_t get(const uint8_t *p, size_t at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, p + at, size);
	return value;
}

static void start(struct seen *s, uint32_t width, uint32_t height,
		  uint32_t depth)
{
	const struct machine_video v = {width, height, depth};

	memset(s, 0, sizeof(*s));
	s->job = (struct loader_job){
		.kernel = {"an/image", s->data, sizeof(s->data)},
		.cmdline = "",
		.video = loader_video(&v),
		.ram = {{.base = 0, .bytes = 0xA0000},
			{.base = 0xC0000, .bytes = 0x1000000}},
		.ram_count = 2,
	};
	s->load = calloc(1, sizeof(*s->load));
}

static void stop(struct seen *s)
{
	loader_load_free(s->load);
	free(s->load);
}

/* A flat image at 1 MiB that asks for a mode. */
static void multiboot(struct seen *s, uint32_t mode_type)
{
	const uint32_t header[] = {
		0x1BADB002, 0x10004,  -(0x1BADB002u + 0x10004),
		0x100000,   0x100000, 0,
		0,          0x100030, mode_type,
		1024,       768,      32,
	};

	memcpy(s->data, header, sizeof(header));
}

/* The same of version 2; it insists. */
static void multiboot2(struct seen *s)
{
	const uint32_t header[] = {
		0xE85250D6, 0,   0x58,     -(0xE85250D6u + 0x58),
		2,          24,  0x100000, 0x100000,
		0,          0,   3,        12,
		0x100060,   0,   5,        20,
		1024,       768, 32,       0,
		0,          8,
	};

	memcpy(s->data, header, sizeof(header));
}

/* The information that the image finds: the last piece. */
static const uint8_t *info(const struct seen *s)
{
	return s->load->piece[s->load->count - 1].data;
}

static void sees_framebuffer(const uint8_t *p, uint64_t base, uint32_t pitch,
			     uint32_t width, uint32_t height, uint8_t depth,
			     uint8_t type)
{
	cr_expect_eq(get(p, 0, 8), base);
	cr_expect_eq(get(p, 8, 4), pitch);
	cr_expect_eq(get(p, 12, 4), width);
	cr_expect_eq(get(p, 16, 4), height);
	cr_expect_eq(p[20], depth);
	cr_expect_eq(p[21], type);
}

Test(loader_video, multiboot_tells_of_a_linear_mode)
{
	static const uint8_t rgb565[6] = {11, 5, 5, 6, 0, 5};
	static struct seen s;

	start(&s, 800, 600, 16);
	multiboot(&s, 0);
	cr_assert(multiboot_load(&s.job, s.load, &s.err), "%s", s.err.text);
	cr_expect(get(info(&s), 0, 4) & 0x1000);
	sees_framebuffer(info(&s) + 88, FRAMEBUFFER, 1600, 800, 600, 16, 1);
	cr_expect_arr_eq(info(&s) + 110, rgb565, 6);
	stop(&s);
}

Test(loader_video, multiboot_tells_of_text)
{
	static struct seen s;

	start(&s, 0, 0, 0);
	multiboot(&s, 1);
	cr_assert(multiboot_load(&s.job, s.load, &s.err), "%s", s.err.text);
	sees_framebuffer(info(&s) + 88, 0xB8000, 160, 80, 25, 16, 2);
	stop(&s);
	start(&s, 0, 0, 0);
	multiboot(&s, 0);
	cr_expect_not(multiboot_load(&s.job, s.load, &s.err));
	cr_expect_str_eq(s.err.text,
			 "an/image: offset 0x20: linear framebuffer = 0x1: it "
			 "requires a video mode and the screen is in text "
			 "mode; give machine{video = \"1024x768x32\"}");
	stop(&s);
}

Test(loader_video, multiboot2_tells_in_a_tag)
{
	static const uint8_t xrgb8888[6] = {16, 8, 8, 8, 0, 8};
	static struct seen s;
	size_t at = 8;

	start(&s, 1024, 768, 32);
	multiboot2(&s);
	cr_assert(multiboot2_load(&s.job, s.load, &s.err), "%s", s.err.text);
	while (get(info(&s), at, 4) != 8) {
		cr_assert_neq(get(info(&s), at, 4), 0);
		at += (get(info(&s), at + 4, 4) + 7) & ~7u;
	}
	cr_expect_eq(get(info(&s), at + 4, 4), 38);
	sees_framebuffer(info(&s) + at + 8, FRAMEBUFFER, 4096, 1024, 768, 32,
			 1);
	cr_expect_arr_eq(info(&s) + at + 32, xrgb8888, 6);
	stop(&s);
	start(&s, 0, 0, 0);
	multiboot2(&s);
	cr_expect_not(multiboot2_load(&s.job, s.load, &s.err));
	cr_expect(strstr(s.err.text, "offset 0x38: linear framebuffer"), "%s",
		  s.err.text);
	stop(&s);
}

/* zero-page.rst: screen_info is its beginning. */
Test(loader_video, linux_gets_a_screen_info)
{
	static const uint8_t channels[8] = {8, 16, 8, 8, 8, 0, 8, 24};
	const struct machine_video text = {0}, linear = {1280, 1024, 32};
	struct loader_video v = loader_video(&text);
	uint8_t zero[128] = {0};

	loader_screen_info(&v, zero);
	cr_expect_eq(zero[0x06], 3, "orig_video_mode");
	cr_expect_eq(zero[0x07], 80, "orig_video_cols");
	cr_expect_eq(zero[0x0E], 25, "orig_video_lines");
	cr_expect_eq(zero[0x0F], 1, "orig_video_isVGA");
	cr_expect_eq(get(zero, 0x10, 2), 16, "orig_video_points");
	v = loader_video(&linear);
	loader_screen_info(&v, zero);
	cr_expect_eq(zero[0x0F], 0x23);
	cr_expect_eq(get(zero, 0x12, 2), 1280, "lfb_width");
	cr_expect_eq(get(zero, 0x14, 2), 1024, "lfb_height");
	cr_expect_eq(get(zero, 0x16, 2), 32, "lfb_depth");
	cr_expect_eq(get(zero, 0x18, 4), FRAMEBUFFER, "lfb_base");
	cr_expect_eq(get(zero, 0x1C, 4), 256, "lfb_size");
	cr_expect_eq(get(zero, 0x24, 2), 5120, "lfb_linelength");
	cr_expect_arr_eq(zero + 0x26, channels, 8, "red_size and on");
	cr_expect_eq(get(zero, 0x40, 8), 0, "it ends at 40h");
}

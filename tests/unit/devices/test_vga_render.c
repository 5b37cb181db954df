/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest put into video memory is what is seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/vga.h"
#include "harness.h"
#include "sim/screenshot.h"

#define LINEAR UINT64_C(0xD0000000)
#define WINDOW UINT64_C(0xA0000)
#define TEXT   UINT64_C(0xB8000)

#define BLACK 0x000000
#define WHITE 0xFFFFFF
#define GREY  0xAAAAAA
#define BLUE  0x0000AA

struct screen {
	struct rig rig;
	struct vga_picture p;
};

static void look(struct screen *s)
{
	free(s->p.rgb);
	vga_picture(machine_device(s->rig.m, "vga0"), &s->p);
}

static void start(struct screen *s)
{
	memset(s, 0, sizeof(*s));
	rig_start(&s->rig, 1);
	rig_out(&s->rig, 0x3D4, 2, 0x200A); /* no cursor */
	look(s);
}

static void stop(struct screen *s)
{
	free(s->p.rgb);
	rig_stop(&s->rig);
}

static unsigned at(const struct screen *s, unsigned x, unsigned y)
{
	const uint8_t *p = s->p.rgb + 3 * ((size_t)y * s->p.width + x);

	cr_assert(x < s->p.width && y < s->p.height);
	return (unsigned)(p[0] << 16 | p[1] << 8 | p[2]);
}

/* How many pixels of the rectangle have this colour. */
static unsigned count(const struct screen *s, unsigned x, unsigned y,
		      unsigned width, unsigned height, unsigned colour)
{
	unsigned n = 0;

	for (unsigned j = 0; j < height; j++) {
		for (unsigned i = 0; i < width; i++)
			n += at(s, x + i, y + j) == colour;
	}
	return n;
}

static void dispi(struct screen *s, unsigned i, unsigned value)
{
	rig_out(&s->rig, 0x1CE, 2, i);
	rig_out(&s->rig, 0x1CF, 2, value);
}

static void linear(struct screen *s, unsigned width, unsigned height,
		   unsigned depth)
{
	dispi(s, 4, 0);
	dispi(s, 1, width);
	dispi(s, 2, height);
	dispi(s, 3, depth);
	dispi(s, 4, 0x41);
	look(s);
	cr_assert_eq(s->p.width, width);
	cr_assert_eq(s->p.height, height);
}

static void registers(struct screen *s, uint16_t port, const uint8_t *value,
		      unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rig_out(&s->rig, port, 2, (uint32_t)value[i] << 8 | i);
}

Test(vga_render, text_has_colours_and_glyphs)
{
	static const uint8_t glyph[16] = {
		[3] = 0x81, [4] = 0x81, [5] = 0x81, [15] = 0xFF};
	struct screen s;

	start(&s);
	cr_expect_eq(s.p.width, 720);
	cr_expect_eq(s.p.height, 400);
	cr_expect_eq(count(&s, 0, 0, 720, 400, BLACK), 720 * 400);
	for (unsigned y = 0; y < 16; y++)
		rig_write(&s.rig, LINEAR + 4 * ('x' * 32 + y) + 2, 1, glyph[y]);
	rig_write(&s.rig, TEXT + 2 * (80 + 2), 2, 0x1F78);
	look(&s);
	cr_expect_eq(count(&s, 18, 16, 9, 16, 0xFFFFFF), 3 * 2 + 8);
	cr_expect_eq(count(&s, 18, 16, 9, 16, BLUE), 9 * 16 - 14);
	cr_expect_eq(at(&s, 18, 16 + 3), WHITE);
	cr_expect_eq(at(&s, 25, 16 + 3), WHITE);
	cr_expect_eq(at(&s, 26, 16 + 15), BLUE, "the ninth dot");
	cr_expect_eq(count(&s, 0, 0, 720, 400, BLACK), 720 * 400 - 9 * 16);
	stop(&s);
}

/* Every printable character has a shape of its own. */
Test(vga_render, the_built_in_font_tells_characters_apart)
{
	static uint8_t seen[256][16 * 9];
	struct screen s;
	unsigned n = 0;

	start(&s);
	for (unsigned c = 0x20; c < 0x7F; c++)
		rig_write(&s.rig, TEXT + 2 * (c - 0x20), 2, 0x0700 | c);
	for (unsigned c = 0xB0; c < 0xE0; c++)
		rig_write(&s.rig, TEXT + 2 * (n++ + 160), 2, 0x0700 | c);
	look(&s);
	n = 0;
	for (unsigned c = 0; c < 0x5F + 65 + 48; c++) {
		if (c >= 0x5F && c < 160)
			continue;
		for (unsigned i = 0; i < 16 * 9; i++)
			seen[n][i] = at(&s, c % 80 * 9 + i % 9,
					c / 80 * 16 + i / 9) == GREY;
		for (unsigned k = 0; k < n; k++)
			cr_expect(memcmp(seen[k], seen[n], 16 * 9) != 0,
				  "%u and %u", k, c);
		n++;
	}
	cr_expect_eq(n, 95 + 48);
	stop(&s);
}

/* Lines go on through the ninth dot. */
Test(vga_render, line_drawing_joins)
{
	struct screen s;
	unsigned last = 160 + 2;

	start(&s);
	for (unsigned i = 160; i < 160 + 3; i++)
		rig_write(&s.rig, TEXT + 2 * i, 2, 0x07C4);
	look(&s);
	cr_expect_eq(count(&s, 0, 32, 27, 16, GREY), 27);
	rig_write(&s.rig, TEXT + 2 * last, 2, 0x07BF);
	for (unsigned i = last + 80; i < last + 240; i += 80)
		rig_write(&s.rig, TEXT + 2 * i, 2, 0x07B3);
	look(&s);
	cr_expect_eq(count(&s, 18 + 3, 32 + 7, 2, 9 + 32, GREY), 2 * 41);
	stop(&s);
}

Test(vga_render, the_cursor_and_blinking_characters_blink)
{
	struct screen s;
	unsigned cursor = 0, character = 0;

	start(&s);
	rig_out(&s.rig, 0x3D4, 2, 0x0D0A);
	rig_out(&s.rig, 0x3D4, 2, 0x020F);
	rig_write(&s.rig, TEXT + 8, 2, 0x87DB);
	for (unsigned i = 0; i < 96; i++) {
		look(&s);
		cursor += count(&s, 18, 13, 9, 2, GREY) == 18;
		character += at(&s, 36, 0) == GREY;
		rig_run(&s.rig, PS_PER_S / 70);
	}
	cr_expect(cursor >= 47 && cursor <= 49, "%u", cursor);
	cr_expect(character >= 47 && character <= 49, "%u", character);
	rig_in(&s.rig, 0x3DA, 1); /* attribute 7 is background intensity */
	rig_out(&s.rig, 0x3C0, 1, 0x30);
	rig_out(&s.rig, 0x3C0, 1, 0x04);
	rig_write(&s.rig, TEXT + 8, 2, 0x8720);
	look(&s);
	cr_expect_eq(at(&s, 36, 0), 0x555555);
	stop(&s);
}

Test(vga_render, the_start_address_scrolls_and_line_compare_splits)
{
	struct screen s;

	start(&s);
	rig_write(&s.rig, TEXT, 2, 0x07DB);
	rig_write(&s.rig, TEXT + 160 * 3, 2, 0x17DB);
	rig_write(&s.rig, TEXT + 160 * 3 + 2, 2, 0x1020);
	rig_out(&s.rig, 0x3D4, 2, 240 << 8 | 0x0D);
	look(&s);
	cr_expect_eq(at(&s, 0, 0), GREY);
	cr_expect_eq(at(&s, 9, 0), BLUE);
	rig_out(&s.rig, 0x3D4, 2, 0x0F07); /* line compare: 9Fh */
	rig_out(&s.rig, 0x3D4, 2, 0x0011);
	rig_out(&s.rig, 0x3D4, 2, 0x0F07);
	rig_out(&s.rig, 0x3D4, 2, 0x0F09);
	rig_out(&s.rig, 0x3D4, 2, 0x9F18);
	look(&s);
	cr_expect_eq(at(&s, 0, 0x9F), BLACK);
	cr_expect_eq(at(&s, 0, 0xA0), GREY, "memory from 0");
	cr_expect_eq(at(&s, 9, 0xA0), BLACK);
	stop(&s);
}

Test(vga_render, mode_13h)
{
	static const uint8_t seq[] = {3, 1, 15, 0, 14};
	static const uint8_t gc[] = {0, 0, 0, 0, 0, 0x40, 5, 15, 255};
	struct screen s;

	start(&s);
	registers(&s, 0x3C4, seq, sizeof(seq));
	registers(&s, 0x3CE, gc, sizeof(gc));
	rig_out(&s.rig, 0x3D4, 2, 0x4109); /* two scan lines a row */
	rig_out(&s.rig, 0x3C8, 1, 0xC0);
	for (unsigned i = 0; i < 3; i++)
		rig_out(&s.rig, 0x3C9, 1, 0x10 * i + 0x0F);
	for (unsigned i = 0; i < 64000; i += 8)
		rig_write(&s.rig, WINDOW + i, 8, 0);
	rig_write(&s.rig, WINDOW + 320 * 100 + 7, 1, 0xC0);
	look(&s);
	cr_expect_eq(s.p.width, 320);
	cr_expect_eq(s.p.height, 200);
	cr_expect_eq(at(&s, 7, 100), 0x3C7DBE);
	cr_expect_eq(count(&s, 0, 0, 320, 200, 0x3C7DBE), 1);
	rig_out(&s.rig, 0x3C6, 1, 0x3F);
	look(&s);
	cr_expect_eq(count(&s, 0, 0, 320, 200, 0x3C7DBE), 0, "the DAC's mask");
	stop(&s);
}

Test(vga_render, mode_12h)
{
	static const uint8_t seq[] = {3, 1, 15, 0, 6};
	static const uint8_t gc[] = {0, 0, 0, 0, 0, 0, 5, 15, 255};
	struct screen s;

	start(&s);
	registers(&s, 0x3C4, seq, sizeof(seq));
	registers(&s, 0x3CE, gc, sizeof(gc));
	rig_out(&s.rig, 0x3D4, 2, 0x0011);
	rig_out(&s.rig, 0x3D4, 2, 0x3E07); /* 480 lines */
	rig_out(&s.rig, 0x3D4, 2, 0xDF12);
	rig_out(&s.rig, 0x3D4, 2, 0x4009);
	for (unsigned i = 0; i < 80 * 480; i++)
		rig_write(&s.rig, WINDOW + i, 1, 0);
	rig_out(&s.rig, 0x3C4, 2, 0x0A02); /* planes 1 and 3: bright green */
	rig_write(&s.rig, WINDOW + 80 * 479 + 79, 1, 0x03);
	look(&s);
	cr_expect_eq(s.p.width, 640);
	cr_expect_eq(s.p.height, 480);
	cr_expect_eq(at(&s, 638, 479), 0x55FF55);
	cr_expect_eq(at(&s, 639, 479), 0x55FF55);
	cr_expect_eq(count(&s, 0, 0, 640, 480, BLACK), 640 * 480 - 2);
	rig_out(&s.rig, 0x3C4, 2, 0x2101); /* the screen is off */
	look(&s);
	cr_expect_eq(count(&s, 0, 0, 640, 480, BLACK), 640 * 480);
	stop(&s);
}

Test(vga_render, linear_modes)
{
	static const struct {
		unsigned depth, bytes, value, colour;
	} mode[] = {
		{15, 2, 0x7C1F, 0xFF00FF},   {15, 2, 0x0200, 0x008400},
		{16, 2, 0xF81F, 0xFF00FF},   {16, 2, 0x0400, 0x008200},
		{24, 3, 0x123456, 0x123456}, {32, 4, 0xFF123456, 0x123456},
	};
	struct screen s;

	start(&s);
	for (unsigned i = 0; i < ARRAY_LEN(mode); i++) {
		unsigned n = mode[i].bytes;

		linear(&s, 640, 400, mode[i].depth);
		for (unsigned k = 0; k < n; k++)
			rig_write(&s.rig, LINEAR + (640 * 11 + 5) * n + k, 1,
				  mode[i].value >> (8 * k) & 0xFF);
		look(&s);
		cr_expect_eq(at(&s, 5, 11), mode[i].colour, "%u", i);
		cr_expect_eq(count(&s, 0, 0, 640, 400, BLACK), 640 * 400 - 1);
	}
	stop(&s);
}

Test(vga_render, a_palette_of_8_bits_and_a_moved_display)
{
	struct screen s;

	start(&s);
	linear(&s, 320, 200, 8);
	dispi(&s, 4, 0x61);
	rig_out(&s.rig, 0x3C8, 1, 1);
	for (unsigned i = 0; i < 3; i++)
		rig_out(&s.rig, 0x3C9, 1, 0xF1 + i);
	dispi(&s, 6, 512);
	dispi(&s, 8, 10);
	dispi(&s, 9, 20);
	rig_write(&s.rig, LINEAR + 512 * 21 + 12, 1, 1);
	look(&s);
	cr_expect_eq(at(&s, 2, 1), 0xF1F2F3);
	stop(&s);
}

/* netpbm reads what libpng wrote. */
Test(vga_render, a_screenshot_is_a_png)
{
	char path[] = "/tmp/parterre-test-XXXXXX", command[128];
	struct error err = {0};
	struct stat once, again;
	unsigned width, height, most;
	struct screen s;
	uint8_t *rgb;
	FILE *f;

	start(&s);
	close(mkstemp(path));
	rig_write(&s.rig, TEXT, 8, 0x4C6C1F652E480741);
	look(&s);
	cr_assert(machine_screenshot(s.rig.m, path, &err), "%s", err.text);
	cr_assert_eq(stat(path, &once), 0);
	snprintf(command, sizeof(command), "pngtopnm %s", path);
	f = popen(command, "r");
	cr_assert_eq(fscanf(f, "P6 %u %u %u", &width, &height, &most), 3);
	cr_expect_eq(width, 720);
	cr_expect_eq(height, 400);
	cr_expect_eq(most, 255);
	cr_expect_eq(fgetc(f), '\n');
	rgb = malloc(720 * 400 * 3);
	cr_expect_eq(fread(rgb, 3, 720 * 400, f), 720 * 400);
	cr_expect_eq(memcmp(rgb, s.p.rgb, 720 * 400 * 3), 0);
	free(rgb);
	cr_expect_eq(pclose(f), 0);
	cr_assert(machine_screenshot(s.rig.m, path, &err));
	cr_assert_eq(stat(path, &again), 0);
	cr_expect_eq(once.st_size, again.st_size);
	unlink(path);
	cr_expect_not(machine_screenshot(s.rig.m, "/nowhere/a.png", &err));
	cr_expect_eq(err.code, EXIT_USAGE);
	cr_expect_str_eq(err.text, "/nowhere/a.png: No such file or directory; "
				   "give a file that can be written");
	stop(&s);
}

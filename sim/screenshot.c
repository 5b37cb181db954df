/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/screenshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "devices/vga.h"
#include "sim/machine.h"

#define RGB 3

/* libpng leaves by longjmp(): nothing that is changed after setjmp() is looked
 * at when it has. */
static bool write_png(FILE *f, const struct vga_picture *p)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
						  NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info || setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return false;
	}
	png_init_io(png, f);
	png_set_IHDR(png, info, p->width, p->height, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	/* Not what this build of the library takes as its defaults. */
	png_set_compression_level(png, 6);
	png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
	png_write_info(png, info);
	for (unsigned y = 0; y < p->height; y++)
		png_write_row(png, p->rgb + (size_t)y * p->width * RGB);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return true;
}

bool machine_screenshot(struct machine *m, const char *path, struct error *err)
{
	struct device *vga = machine_device(m, "vga0");
	struct vga_picture p;
	bool ok;
	FILE *f;

	if (!vga)
		return error_set(err, EXIT_USAGE,
				 "%s: this machine has no screen; give it a "
				 "vga0",
				 path);
	f = fopen(path, "wb");
	if (!f)
		return error_set(err, EXIT_USAGE,
				 "%s: %s; give a file that can be written",
				 path, strerror(errno));
	vga_picture(vga, &p);
	ok = write_png(f, &p);
	free(p.rgb);
	if (fclose(f) || !ok)
		return error_set(err, EXIT_HOST,
				 "%s: the picture could not be written whole "
				 "(%s); make room there",
				 path, strerror(errno));
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/picture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#define RGB 3

/* libpng leaves by longjmp(): nothing that is changed after setjmp() is looked
 * at when it has. */
static bool write_png(FILE *f, unsigned width, unsigned height,
		      const uint8_t *rgb)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
						  NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info || setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return false;
	}
	png_init_io(png, f);
	png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	/* Not what this build of the library takes as its defaults. */
	png_set_compression_level(png, 6);
	png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
	png_write_info(png, info);
	for (unsigned y = 0; y < height; y++)
		png_write_row(png, rgb + (size_t)y * width * RGB);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return true;
}

bool picture_write(const char *path, unsigned width, unsigned height,
		   const uint8_t *rgb, struct error *err)
{
	FILE *f = fopen(path, "wb");
	bool ok;

	if (!f)
		return error_set(err, EXIT_USAGE,
				 "%s: %s; give a file that can be written",
				 path, strerror(errno));
	ok = write_png(f, width, height, rgb);
	if (fclose(f) || !ok)
		return error_set(err, EXIT_HOST,
				 "%s: the picture could not be written whole "
				 "(%s); make room there",
				 path, strerror(errno));
	return true;
}

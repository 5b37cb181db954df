/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/picture.h - PNG files.
 */
#ifndef PARTERRE_SIM_PICTURE_H
#define PARTERRE_SIM_PICTURE_H

#include "sim/status.h"

/* `rgb`: rows of 3 bytes a pixel.  The same picture gives the same bytes: the
 * file has pixels (8-bit RGB) and nothing else.  EXIT_USAGE: the file cannot be
 * made there. */
bool picture_write(const char *path, unsigned width, unsigned height,
		   const uint8_t *rgb, struct error *err) MUST_USE;

#endif

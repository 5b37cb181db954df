/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/text.h - what is seen, as lines of a terminal (ECMA-48, 256
 * colours).
 */
#ifndef PARTERRE_SEEN_TEXT_H
#define PARTERRE_SEEN_TEXT_H

#include <stdio.h>

#include "sim/seen/seen.h"

/* A whole picture of at most `rows` lines of at most `columns` characters, each
 * ended by CR LF; `keys`: what may be pressed, as its last line. */
void seen_text(FILE *to, const struct seen *s, unsigned columns, unsigned rows,
	       const char *keys);

#endif

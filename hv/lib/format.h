/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/format.h - a subset of snprintf.
 *
 * Conversions: %s %c %d %u %x %%, with `l`, `ll` or `z`, the flags `0` and
 * `-`, a width, and a precision for %s.  Anything else is copied as it stands.
 */
#ifndef PARTERRE_LIB_FORMAT_H
#define PARTERRE_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Characters the whole text has; at most bytes - 1 of them are stored, and a
 * NUL always (unless bytes is 0). */
int format(char *to, size_t bytes, const char *text, ...)
	__attribute__((format(printf, 3, 4)));
int vformat(char *to, size_t bytes, const char *text, va_list args);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/say.c - what went wrong, in a line. */
#include <stdarg.h>
#include <stdio.h>

#include "tools/parterre/parterre.h"

int complain(const char *command, const struct error *err)
{
	fprintf(stderr, "parterre %s: %s\n", command, err->text);
	return err->code;
}

int usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "parterre %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (parterre %s --help)\n", command);
	return EXIT_USAGE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void (*describe_instant)(void *owner, char *buf, size_t bytes);
static void *describe_owner;

void check_set_context(void (*describe)(void *owner, char *buf, size_t bytes),
		       void *owner)
{
	describe_instant = describe;
	describe_owner = owner;
}

void check_failed(const char *file, int line, const char *expr, const char *fmt,
		  ...)
{
	fprintf(stderr, "parterre: internal check failed: %s:%d: %s\n", file,
		line, expr);
	if (fmt) {
		va_list ap;

		fputs("  ", stderr);
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	if (describe_instant) {
		char buf[1024];
		void (*describe)(void *, char *, size_t) = describe_instant;

		describe_instant = NULL; /* a failure in there must not loop */
		describe(describe_owner, buf, sizeof(buf));
		fprintf(stderr, "  %s\n", buf);
	}
	abort();
}

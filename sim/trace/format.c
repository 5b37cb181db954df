/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/format.c - one record as one line:
 *
 *   0.000001234567 cpu0 p2 i=1234 reg_write device="uart0" offset=0x0 ...
 *
 * seconds with every picosecond, CPU, partition, that CPU's retired count.
 * Strings are quoted; what is not printable ASCII becomes \xNN, so that a line
 * stays a line.  What does not fit in the buffer is cut.
 */
#include "sim/trace/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct line {
	char *at;
	size_t left; /* NUL included */
};

static void put(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->at, l->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= l->left)
		n = l->left ? (int)l->left - 1 : 0;
	l->at += n;
	l->left -= (size_t)n;
}

static void put_string(struct line *l, const char *s)
{
	put(l, "\"");
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			put(l, "\\%c", c);
		else if (c >= ' ' && c <= '~')
			put(l, "%c", c);
		else
			put(l, "\\x%02x", c);
	}
	put(l, "\"");
}

void trace_format(const struct trace_record *r, char *buf, size_t bytes)
{
	struct line l = {buf, bytes};

	if (!bytes)
		return;
	put(&l, "%" PRIu64 ".%012" PRIu64 " cpu%u p%u i=%" PRIu64 " %s",
	    r->time / PS_PER_S, r->time % PS_PER_S, r->cpu, r->partition,
	    r->retired, r->kind->name);
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		const struct trace_field *f = &r->kind->field[i];

		put(&l, " %s=", f->name);
		if (f->kind == TRACE_STR)
			put_string(&l, r->value[i].s);
		else if (f->kind == TRACE_X64)
			put(&l, "%#" PRIx64, r->value[i].u);
		else
			put(&l, "%" PRIu64, r->value[i].u);
	}
}

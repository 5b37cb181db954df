/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/status.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *e, enum exit_code code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return false;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return false;
}

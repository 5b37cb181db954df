/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/check.h - our kind of wrong: an invariant that does not hold.
 *
 * CHECK stays on in every build.  A failure prints the place, the expression
 * and what check_context() says (virtual time, event, seed, the command that
 * repeats the run), then aborts.
 */
#ifndef PARTERRE_SIM_CHECK_H
#define PARTERRE_SIM_CHECK_H

#include "sim/base.h"

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			check_failed(__FILE__, __LINE__, #cond, NULL);         \
	} while (0)

#define CHECK_MSG(cond, ...)                                                   \
	do {                                                                   \
		if (!(cond))                                                   \
			check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__);  \
	} while (0)

void check_failed(const char *file, int line, const char *expr, const char *fmt,
		  ...) NORETURN PRINTF_LIKE(4, 5);

/* Whoever runs a machine registers how to describe the instant; NULL clears. */
void check_set_context(void (*describe)(void *owner, char *buf, size_t bytes),
		       void *owner);

#endif

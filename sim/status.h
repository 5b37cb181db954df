/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/status.h - the operator's kind of wrong: recoverable errors.
 *
 * A function that can fail takes a `struct error *` last and returns false (or
 * NULL) after error_set(): one line that names the place and the remedy.  The
 * text is set once, at the origin; callers pass it up unchanged.  main prints
 * it and exits with `code`.
 */
#ifndef PARTERRE_SIM_STATUS_H
#define PARTERRE_SIM_STATUS_H

#include "sim/base.h"

/* The exit codes of every parterre command (DESIGN.md section 8). */
enum exit_code {
	EXIT_HELD = 0,      /* everything expected came true */
	EXIT_EXPECT = 1,    /* an expectation of the scenario failed */
	EXIT_USAGE = 2,     /* command line, scenario or input file is wrong */
	EXIT_GUEST = 3,     /* the guest crashed (shutdown, monitor panic) */
	EXIT_LIVENESS = 4,  /* a deadline in virtual time passed */
	EXIT_INVARIANT = 5, /* containment, lost or doubled I/O */
	EXIT_TRACE = 6,     /* a recorded trace differs */
	EXIT_HOST = 7,      /* the host or the installation is at fault */
};

struct error {
	enum exit_code code;
	char text[1024];
};

/* Fills *e (which may be NULL) and returns false, so that a caller can write
 * `return error_set(e, EXIT_USAGE, "...")`. */
bool error_set(struct error *e, enum exit_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_again.h - a closer look at two runs that can be made
 * again: each instruction of a window, which says what the difference came
 * from.
 */
#ifndef PARTERRE_TOOLS_DIFF_AGAIN_H
#define PARTERRE_TOOLS_DIFF_AGAIN_H

#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

/* A run: a recording, or a scenario with images. */
struct diff_run {
	const char *recording; /* NULL: the other two */
	const char *images, *scenario;
	const char *out; /* its folder */
};

/* Runs it; *end: where it ended.  False: it did not even begin. */
bool diff_run_plain(const struct diff_run *r, unsigned classes, ps_t *end,
		    struct error *err);

/* Prints who wrote the values in which two events differ. */
bool diff_causes(const struct diff_run *a, const struct diff_run *b,
		 const struct diff_parting *p, struct error *err);

/* Two recordings: bisects their chains, looks closer at the interval in which
 * they part, and prints the first instruction that does not do the same, and
 * who wrote what it read.  *differ: they do. */
bool diff_recordings(const struct diff_run *a, const struct diff_run *b,
		     bool *differ, struct error *err);

#endif

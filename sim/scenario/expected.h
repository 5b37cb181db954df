/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/expected.h - what a scenario expected, by its lines: expect(),
 * expect_eq() and every wait, which expects that something comes in time.
 *
 * One entry for each line, however often it was come to, in the order in which
 * they were first come to.  Kept in memory alone: no part of the run's history.
 */
#ifndef PARTERRE_SCENARIO_EXPECTED_H
#define PARTERRE_SCENARIO_EXPECTED_H

#include "sim/base.h"

#define EXPECTED_MAX 1000 /* lines; further ones are left out */

struct expected {
	char place[128]; /* "scenarios/quickstart.lua:12" */
	char text[160];  /* one line: what held, or how it failed, last */
	uint64_t count;
	ps_t first, last;
	bool failed;
};

struct expected_list {
	size_t count;
	struct expected *item;
};

void expected_note(struct expected_list *l, const char *place, ps_t when,
		   bool failed, const char *text);
void expected_free(struct expected_list *l);

#endif

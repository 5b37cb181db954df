/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/script.h - a scenario is a Lua 5.4 program without the host.
 *
 * What it may call: docs/scenario-author.md.  There is no io, os, require or
 * load; math.random is seeded by --seed, pairs() goes through keys
 * in order, so a scenario does the same on every host.
 */
#ifndef PARTERRE_SCENARIO_SCRIPT_H
#define PARTERRE_SCENARIO_SCRIPT_H

#include "sim/scenario/session.h"

/* Runs s->options.scenario to its end.  False: *err says which line, at which
 * instant, what was seen instead (EXIT_EXPECT, EXIT_LIVENESS, EXIT_USAGE,
 * EXIT_GUEST). */
bool script_run(struct session *s, struct error *err) MUST_USE;

#endif

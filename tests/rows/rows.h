/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/rows.h - how a row is run: on machines of 1, 2 and 4 CPUs. */
#ifndef PARTERRE_TESTS_ROWS_H
#define PARTERRE_TESTS_ROWS_H

#include "shell.h"

#define ROWS SOURCE_DIR "/tests/rows/"

/* tests/rows/NAME.lua; `options` may hold further --set.  It has to hold. */
void row_scenario_on(unsigned cpus, const char *name, const char *options);
/* ... on 1, 2 and 4 CPUs. */
void row_scenario(const char *name, const char *options);
/* tests/rows/probe.lua with the row's policy, on 1, 2 and 4 CPUs: all probes
 * end with PASS.  `check`, if given, looks at each console. */
void row_probe(const char *row, void (*check)(const char *console));
/* What the last run printed for its partitions. */
const char *row_console(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#include <stdio.h>
#include <string.h>

#define CPUS_MAX 4

const char *row_console(void)
{
	struct output *o = shell("cat %s/out/console.txt", scratch());

	wants(o, 0);
	return o->text;
}

void row_scenario_on(unsigned cpus, const char *name, const char *options)
{
	struct output *o = shell(PARTERRE " run --quiet --out %s/out "
					  "--set cpus=%u %s " ROWS "%s.lua",
				 scratch(), cpus, options, name);

	cr_assert_eq(o->status, 0, "%u CPUs: status %d\n%s", cpus, o->status,
		     o->text);
}

void row_scenario(const char *name, const char *options)
{
	for (unsigned cpus = 1; cpus <= CPUS_MAX; cpus *= 2)
		row_scenario_on(cpus, name, options);
}

void row_probe(const char *row, void (*check)(const char *console))
{
	char option[64];

	snprintf(option, sizeof(option), "--set row=%s", row);
	for (unsigned cpus = 1; cpus <= CPUS_MAX; cpus *= 2) {
		const char *console;

		row_scenario_on(cpus, "probe", option);
		console = row_console();
		cr_assert(strstr(console, "] PASS row "), "%s", console);
		cr_assert(!strstr(console, "] FAIL row "), "%s", console);
		if (check)
			check(console);
	}
}

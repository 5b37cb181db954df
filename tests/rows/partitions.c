/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S01 to S16: partitions, and what keeps them apart. */
#include <stdio.h>

#include "rows.h"

Test(rows, s02_resource_manager_is_deprivileged)
{
	static const char *const who[] = {"ultravisor", "command", "io.a"};
	static const char *const code[] = {"hlt",     "cli",   "lidt",
					   "mov_cr3", "wrmsr", "out"};

	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		char options[64];

		snprintf(options, sizeof(options), "--set who=%s --set code=%s",
			 who[i % 3], code[i]);
		row_scenario("s02-privileged", options);
	}
}

Test(rows, s04_access_outside_is_stopped)
{
	row_scenario("s04-outside", "");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S16 and S22: the ultravisor dies and goes on, by scenarios.  That it
 * does so at every instruction: tests/rows/boundaries.c. */
#include <stdio.h>

#include "rows.h"

#define SCENARIO "../../scenarios/ultravisor-restart"

Test(rows, s16_ultravisor_goes_on)
{
	row_scenario(SCENARIO, "");
}

/* Killed before, while and after the failover that it has in hand. */
Test(rows, s16_ultravisor_goes_on_whenever_it_dies)
{
	static const unsigned after_us[] = {15, 60, 300};

	for (size_t i = 0; i < sizeof(after_us) / sizeof(after_us[0]); i++) {
		char option[32];

		snprintf(option, sizeof(option), "--set after=%u", after_us[i]);
		row_scenario_on(1u << i % 3, SCENARIO, option);
	}
}

Test(rows, s16_a_crash_loop_ends)
{
	row_scenario("s16-loop", "");
}

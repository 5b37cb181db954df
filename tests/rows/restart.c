/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S16 and S22: the ultravisor dies and goes on, by scenarios.  At instants
 * of anybody's choice: parterre sweep with scenarios/sweep-ultravisor.lua. */
#include <stdio.h>
#include <string.h>

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

/* A transaction of six operations, cut off at instants all over it: it is done
 * once and as a whole, and the database's scan finds nothing. */
Test(rows, s16_s22_killed_within_a_transaction)
{
	struct output *o = shell(
		PARTERRE " sweep --fault 'crash ultravisor' --over "
			 "request..done --while ultravisor --every "
			 "40009 " SOURCE_DIR "/scenarios/sweep-ultravisor.lua");

	cr_assert_eq(o->status, 0, "status %d\n%s", o->status, o->text);
	cr_assert(strstr(o->text, "failed 0"), "%s", o->text);
}

Test(rows, s16_a_crash_loop_ends)
{
	row_scenario("s16-loop", "");
}

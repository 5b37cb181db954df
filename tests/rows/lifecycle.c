/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S30, S31 and S56: what partitions go through, and what is left of them.
 */
#include <criterion/criterion.h>

#include "rows.h"

/* The scenario that people are shown is the test. */
Test(rows, s56_saved_destroyed_restored_elsewhere)
{
	row_scenario("../../scenarios/move-guest", "");
}

Test(rows, s30_scrubbed_before_the_next_owner)
{
	row_scenario("s30-scrub", "");
}

Test(rows, s31_illegal_transitions_are_refused)
{
	row_scenario("s31-states", "");
}

/* Also while it is on its way and its servers die; longer:
 * docs/measurements.md.
 */
Test(rows, s56_at_any_instant)
{
	row_scenario("s56-anytime", "--trace partition --set turns=8 --seed 1");
}

/* What is kept, and how far it is, stands in the database. */
Test(rows, s56_while_the_ultravisor_dies)
{
	row_scenario("s56-anytime", "--trace partition --set turns=8 "
				    "--set kill=ultravisor --seed 2");
}

/* A guest's shell, for people to read and try. */
Test(rows, s52_a_shell)
{
	row_scenario("../../scenarios/shell", "");
}

/* Every verb of the console, for people to read and try. */
Test(rows, operator_verbs)
{
	row_scenario_on(1, "../../scenarios/operator", "");
	row_scenario("../../scenarios/operator-verbs", "");
}

Test(rows, operator_types_in_one_go)
{
	row_scenario_on(1, "typed", "");
}

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

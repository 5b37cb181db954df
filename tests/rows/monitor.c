/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S40 to S56: what a monitor does for its partition. */
#include <stdio.h>
#include <string.h>

#include "rows.h"

Test(rows, s44_control_channel)
{
	row_probe("s44", NULL);
}

/* Five that spin, masked, for 20 ms on at most four CPUs: each gets its share
 * all the same. */
static void shares(const char *console)
{
	unsigned spinners = 0;

	for (const char *at = console; (at = strstr(at, "masked: ran "));
	     at++) {
		unsigned us = 0;

		cr_assert_eq(sscanf(at, "masked: ran %u us", &us), 1);
		cr_assert_geq(us, 2000, "%s", console);
		spinners++;
	}
	cr_assert_eq(spinners, 5);
}

Test(rows, s54_virtual_interrupt_flag)
{
	row_probe("s54", shares);
}

Test(rows, s55_virtual_time)
{
	row_probe("s55", NULL);
}

Test(rows, s46_machine_check)
{
	row_scenario("s46-machine-check", "");
}

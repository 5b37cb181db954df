/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S40 to S56: what a monitor does for its partition. */
#include <stdio.h>
#include <string.h>

#include "rows.h"

/* Two partitions and more on each CPU, hundreds of switches of each kind. */
Test(rows, s41_registers_over_switches)
{
	row_probe("s41", NULL);
}

/* 336,000 calls on each machine, a million in all. */
Test(rows, s43_calls_at_random)
{
	row_scenario("s43-fuzz", "");
}

Test(rows, s44_control_channel)
{
	row_probe("s44", NULL);
}

Test(rows, s45_quantum_sleep_yield_surrender)
{
	row_scenario("s45-time", "");
}

Test(rows, s53_page_table_updates)
{
	row_probe("s53", NULL);
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

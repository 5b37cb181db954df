/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S40, S42 and S61 to S66: the switch and the channels, as they are seen
 * from outside and by partitions that keep to no rule. */
#include <stdio.h>

#include "rows.h"

Test(rows, s40_what_a_switch_keeps)
{
	row_scenario("s40-switch", "");
}

Test(rows, s42_infrastructure_begins_to_talk)
{
	row_scenario("transact", "--set row=42");
}

Test(rows, s61_signals_are_few)
{
	row_scenario("s61-signals", "");
}

Test(rows, s62_a_header_that_does_not_fit)
{
	row_scenario("transact", "--set row=62");
}

Test(rows, s63_a_full_queue)
{
	row_scenario("transact", "--set row=63");
}

/* Requests, answers, events, acknowledgements and states of the last run. */
static void in_order(void)
{
	struct output *o = shell(PARTERRE " trace %s/out/trace | awk -f " ROWS
					  "control.awk",
				 scratch());

	wants(o, 0);
	says(o, "control channels: in order\n");
}

Test(rows, s64_each_state_has_one_writer)
{
	row_scenario("hostile", "--set row=64");
	row_scenario_on(1, "s13-instances", ""); /* three failovers */
	in_order();
}

Test(rows, s65_a_hostile_peer)
{
	static const char *const options[] = {"--set seed=1", "--set seed=2",
					      "--set seed=3"};

	for (unsigned i = 0; i < 3; i++)
		row_scenario_on(1u << i, "hostile", options[i]);
}

Test(rows, s66_buses_and_devices)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		row_scenario_on(cpus, "transact", "--set row=66");
		in_order();
	}
}

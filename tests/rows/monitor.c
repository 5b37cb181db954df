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

/* 192,000 calls on each machine, 576,000 in all, while I/O partitions and one
 * of the callers die; then of the other kinds, 20,000 of each partition.  The
 * long run is tests/rows/fuzz-long. */
Test(rows, s43_calls_at_random)
{
	row_scenario("s43-fuzz", "--trace none");
	row_scenario_on(1, "s43-fuzz", "--trace none --set place=io");
	row_scenario_on(2, "s43-fuzz", "--trace none --set place=diagnostics");
	row_scenario_on(4, "s43-fuzz", "--trace none --set place=command");
	row_scenario_on(2, "s43-fuzz", "--trace none --set place=operations");
	row_scenario_on(2, "s43-fuzz", "--trace none --set place=idle");
	row_scenario_on(1, "s43-fuzz", "--trace none --set place=boot");
	row_scenario("s43-fuzz", "--trace none --set place=uv --set within=10");
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

Test(rows, s53_the_view_changes_within_a_call)
{
	row_scenario("s53-view", "");
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

/* Three stretches of 200 ms each, quanta of 50 us.  With quanta of 1 ms as they
 * usually are, and over 10 s: docs/measurements.md. */
Test(rows, s48_weights_caps_and_frames, .timeout = 120)
{
	row_scenario("../../scenarios/shares", "--trace none");
}

/* Eight programs: four that are killed for what they did, each told once; the
 * others, and the workload, as if alone.  The only exceptions are page faults,
 * the first touches of heaps among them: no instruction was emulated. */
Test(rows, s52_processes, .timeout = 120)
{
	static const char *const lines[] = {
		"fault 14 error 4 at ",
		"fault 14 error 7 at ", /* its header, read-only */
		"address ffffffff80000000",
		"fault 14 error 15 at 10000000", /* no execution there */
		"churn: 8 children came and went",
		"copy: 8 blocks, sum 0, the same",
		"hog: 90 pages, each its own",
		"40 verified, 0 replayed, 0 errors",
	};

	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		const char *console;

		row_scenario_on(cpus, "s52-processes", "");
		console = row_console();
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			cr_assert(strstr(console, lines[i]), "%s not in %s",
				  lines[i], console);
		wants(shell(PARTERRE " trace %s/out/trace | grep ' exception ' "
				     "> %s/exceptions; "
				     "grep -c vector=14 %s/exceptions && "
				     "! grep -v vector=14 %s/exceptions",
			    scratch(), scratch(), scratch(), scratch()),
		      0);
	}
}

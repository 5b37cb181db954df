/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S71 to S79: two paths to one disk, and what becomes of I/O when one
 * fails.  Deaths at every instant: tests/scenario/test_sweep.c. */
#include <stdio.h>

#include "rows.h"

static void fault_found(const char *what, const char *load, const char *by)
{
	char options[160];

	snprintf(options, sizeof(options),
		 "--set 'fault=%s' --set load=%s --set by=%s", what, load, by);
	row_scenario("s72-faults", options);
}

static void fault(const char *what, const char *load)
{
	fault_found(what, load, "");
}

Test(rows, s71_either_path_to_one_disk_and_the_load_on_both)
{
	row_scenario("s71-paths", "");
}

Test(rows, s79_both_paths_down_at_once)
{
	row_scenario("s79-both", "--set how=crash");
	row_scenario("s79-both", "--set how=hang");
}

Test(rows, s72_s78_livelock)
{
	fault("livelock io.a", "back");
}

Test(rows, s72_controller_fails)
{
	fault("device nvme0 remove", "over");
	fault("device nvme0 fatal 0", "stays"); /* a reset heals it */
}

/* What the driver of the path itself gets over. */
Test(rows, s72_interrupts_go_wrong)
{
	static const char *const what[] = {
		"device nvme0 msi-lost 3",
		"device nvme0 msi-late 300000",
		"device nvme0 msi-vector 0x42",
		"device nvme0 msi-spurious 0x42",
	};

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		fault(what[i], "stays");
}

Test(rows, s72_s74_commands_get_lost_and_dma_strays)
{
	fault("device nvme0 timeout 3", "stays");
	fault("stray", "anywhere");
}

/* A bit of the pointer to the controller's registers, which then is no address;
 * the code of its loop; what it knows of its heartbeat channels. */
Test(rows, s72_memory_goes_bad_by_a_bit_and_by_a_page)
{
	fault_found("flip io.a nvme 62", "back", "report");
	fault_found("page io.a io_main_loop 6", "back", "report");
	fault_found("page io.a heartbeat 0", "back", "silence");
}

/* Three commands end with an error that may pass. */
Test(rows, s72_commands_fail)
{
	fault("device nvme0 error 0x30000", "stays");
}

/* Nobody can tell a CPU that stood still from partitions that did. */
Test(rows, s72_a_cpu_stands_still)
{
	fault("stall 0 900000", "anywhere");
}

Test(rows, s72_s77_there_and_back_a_hundred_times)
{
	row_scenario_on(1, "s77-and-back", "--set times=100");
	row_scenario_on(2, "s77-and-back", "--set times=10");
	row_scenario_on(4, "s77-and-back", "--set times=10");
}

Test(rows, s77_restarted_however_rare_the_looks)
{
	row_scenario("s77-rare", "");
}

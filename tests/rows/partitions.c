/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S01 to S16: partitions, and what keeps them apart. */
#include <stdio.h>
#include <string.h>

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

/* --- what is mapped, and whose it is --- */

static void mapped(unsigned row)
{
	char option[32];

	snprintf(option, sizeof(option), "--set row=%u", row);
	row_scenario("mapped", option);
}

Test(rows, s01_own_address_spaces)
{
	mapped(1);
}

Test(rows, s03_only_monitors_in_ring_0)
{
	mapped(3);
}

Test(rows, s11_instances_are_private)
{
	mapped(11);
}

Test(rows, s15_everything_has_an_owner)
{
	mapped(15);
}

Test(rows, s24_views_are_read_only_and_ones_own)
{
	mapped(24);
}

Test(rows, s29_one_owner_in_three_reads)
{
	mapped(29);
}

Test(rows, s60_only_channels_are_shared)
{
	mapped(60);
}

/* --- life and death --- */

Test(rows, s05_limits_are_the_views)
{
	row_scenario("s05-view", "");
}

/* Nothing that allocates is linked into the monitors; what an instance takes is
 * donated by SYS_LEAD_CREATE, and s13 counts that none of it is lost. */
Test(rows, s06_no_allocator)
{
	struct output *o = shell("nm " BUILD_DIR "/hv/ultravisor.elf");

	wants(o, 0);
	says(o, " lead_area");
	for (const char *const *name =
		     (const char *const[]){"alloc", "free", "brk", "pool",
					   "heap", "mem_", NULL};
	     *name; name++)
		cr_assert(!strstr(o->text, *name), "%s", *name);
}

Test(rows, s07_all_make_progress)
{
	row_scenario("s07-progress", "");
}

Test(rows, s09_guests_outlive_command)
{
	row_scenario("s09-command", "");
}

Test(rows, s10_operations_killed)
{
	row_scenario("s10-operations", "");
}

Test(rows, s12_a_broken_instance_stops_its_partition_alone)
{
	row_scenario("s12-instance", "--set byte=255");
	row_scenario_on(1, "s12-instance", "--set byte=0");
	row_scenario_on(2, "s12-instance", "--set byte=127");
}

/* As it loses the CPU: not taken for one that sleeps, nor for another. */
Test(rows, s12_a_broken_instance_never_sleeps)
{
	static const char at[] = "--set at=interrupt --set byte=";
	char options[40];

	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		snprintf(options, sizeof(options), "%s%u", at, 255 / cpus);
		row_scenario_on(cpus, "s12-instance", options);
	}
	snprintf(options, sizeof(options), "%s0", at);
	row_scenario_on(1, "s12-instance", options);
}

Test(rows, s13_instances_come_and_go)
{
	row_scenario("s13-instances", "");
}

Test(rows, s14_boot_order)
{
	row_scenario("s14-order", "");
}

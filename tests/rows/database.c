/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S08, S20 to S28, S32 and S47: the resource database, read from RAM by a
 * reader that shares no code with it (database.lua), and those who ask for
 * transactions (transact.lua); and what it costs (costs). */
#include <stdio.h>

#include "rows.h"

static void database(unsigned row)
{
	char option[32];

	snprintf(option, sizeof(option), "--set row=%u", row);
	row_scenario("database", option);
}

static void transact(unsigned row)
{
	char option[32];

	snprintf(option, sizeof(option), "--set row=%u", row);
	row_scenario("transact", option);
}

Test(rows, s08_three_partitions)
{
	database(8);
}

/* It is asked for once, and never again while the policy holds. */
Test(rows, s08_a_guest_that_cannot_be_made)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o;

		row_scenario_on(cpus, "s08-module", "");
		o = shell(PARTERRE " trace --event control %s/out/trace | "
				   "grep -c 'id=0x602 status=50[25]'",
			  scratch());
		wants(o, 0);
		cr_assert_str_eq(o->text, "2\n");
	}
	row_scenario("s08-module", "--set again=1");
}

Test(rows, s20_everything_is_in_the_database)
{
	database(20);
}

Test(rows, s21_all_operations_or_none)
{
	transact(21);
}

Test(rows, s22_what_fails_leaves_no_mark)
{
	transact(22);
}

Test(rows, s23_one_wins)
{
	transact(23);
}

Test(rows, s25_an_index_resolves_back)
{
	transact(25);
}

Test(rows, s26_three_tiers)
{
	database(26);
	row_scenario_on(1, "database", "--set row=26 --set ram=4G");
}

Test(rows, s27_three_reads)
{
	database(27);
	row_scenario_on(1, "database", "--set row=27 --set ram=4G");
}

Test(rows, s28_a_block_is_a_word)
{
	transact(28);
	row_scenario_on(1, "transact", "--set row=28 --set ram=4G");
}

/* The table is in docs/measurements.md. */
Test(rows, s32_s47_costs)
{
	struct output *o = shell(ROWS "costs " BUILD_DIR);

	wants(o, 0);
	says(o, "bounds: hold\n");
}

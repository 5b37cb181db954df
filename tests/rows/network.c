/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S71 and S75: guests on the network, and paths that fail under them. */
#include <string.h>

#include "rows.h"

static void network(unsigned cpus)
{
	struct output *o = shell(
		PARTERRE " run --quiet --out %s/out --set cpus=%u " SOURCE_DIR
			 "/scenarios/network.lua",
		scratch(), cpus);

	cr_assert_eq(o->status, 0, "%u CPUs: status %d\n%s", cpus, o->status,
		     o->text);
}

Test(rows, s71_s75_connections_outlive_both_paths)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2)
		network(cpus);
}

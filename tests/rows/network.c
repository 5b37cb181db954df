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

/* Each I/O partition's switch reaches the wire by a card of its own; behind an
 * IOMMU.  What went over the wire is in order for others, too. */
static void by_cards(unsigned cpus)
{
	struct output *o =
		shell(PARTERRE " run --quiet --out %s/out --set cpus=%u "
			       "--set nics=2 --set iommu=true " SOURCE_DIR
			       "/scenarios/network.lua",
		      scratch(), cpus);

	cr_assert_eq(o->status, 0, "%u CPUs: status %d\n%s", cpus, o->status,
		     o->text);
	o = shell("tcpdump -nvvr %s/out/network.pcap 2>&1 | awk '"
		  "/10.0.0.2.49152 > 10.0.0.1.5000: Flags .F/ { fin++ } "
		  "/bad cksum|incorrect|trunc|malformed|Flags .R/ "
		  "{ print; wrong = 1 } "
		  "END { print (NR > 1000 && fin ? \"read\" : \"empty\"); "
		  "exit wrong }'",
		  scratch());
	wants(o, 0);
	says(o, "read");
}

Test(rows, s71_s75_s81_connections_outlive_both_cards)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2)
		by_cards(cpus);
}

Test(rows, s75_the_card_of_the_dead_is_quiet)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o;

		row_scenario_on(cpus, "s75-card", "");
		o = shell(PARTERRE " trace %s/out/trace | awk -f " ROWS
				   "s75-card.awk",
			  scratch());
		wants(o, 0);
		says(o, "2 fences, frames all the while, else at work: quiet");
	}
}

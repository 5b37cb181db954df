/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S71 and S75: guests on the network, and paths that fail under them. */
#include <stdio.h>
#include <stdlib.h>
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

/* What went over the wire is well-formed for tcpdump, no connection was reset,
 * and the one that is named came to its end. */
static void in_order_for_others(const char *end)
{
	struct output *o =
		shell("tcpdump -nvvr %s/out/network.pcap 2>&1 | awk '"
		      "/%s/ { fin++ } "
		      "/bad cksum|incorrect|trunc|malformed|Flags .R/ "
		      "{ print; wrong = 1 } "
		      "END { print (NR > 1000 && fin ? \"read\" : "
		      "\"empty\"); exit wrong }'",
		      scratch(), end);

	wants(o, 0);
	says(o, "read");
}

/* Each I/O partition's switch reaches the wire by a card of its own; behind an
 * IOMMU. */
static void by_cards(unsigned cpus)
{
	struct output *o =
		shell(PARTERRE " run --quiet --out %s/out --set cpus=%u "
			       "--set nics=2 --set iommu=true " SOURCE_DIR
			       "/scenarios/network.lua",
		      scratch(), cpus);

	cr_assert_eq(o->status, 0, "%u CPUs: status %d\n%s", cpus, o->status,
		     o->text);
	in_order_for_others("10.0.0.2.49152 > 10.0.0.1.5000: Flags .F");
}

Test(rows, s71_s75_s81_connections_outlive_both_cards)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2)
		by_cards(cpus);
}

/* On four CPUs the wire is quiet when the card comes: nobody on it would hear
 * of guest2's new place, if its switch did not tell. */
Test(rows, s70_s75_a_card_is_given_to_one_that_runs)
{
	row_scenario("s70-card-later", "");
	row_scenario_on(2, "s70-card-later", "--set iommu=true");
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

/* --- a host outside, whose stack is lwIP --- */

static struct output *outside(unsigned cpus, const char *options)
{
	struct output *o = shell(
		BUILD_DIR "/tests/outside/outside --out %s/out --set cpus=%u "
			  "--send 10.0.0.2 5000 3000000 %s " ROWS "outside.lua",
		scratch(), cpus, options);

	wants(o, 0);
	return o;
}

static void with_outside(unsigned cpus)
{
	struct output *o = outside(cpus, "");
	const char *echoed;

	says(o, "1 connections, 3000000 taken, 0 wrong, 1 ended");
	says(o, "3000000 sent, 3000000 acknowledged, the other side has the "
		"same");
	says(o, "outside: 0 broken");
	echoed = strstr(o->text, "broken, ");
	cr_assert_geq(strtoul(echoed + strlen("broken, "), NULL, 10), 10, "%s",
		      o->text);
	says(shell("cat %s/out/console.txt", scratch()), "3 sent, 3 received");
	in_order_for_others("10.0.0.1.49152 > 10.0.0.9.5000: Flags .F");
}

Test(rows, s71_s75_a_host_outside_by_another_stack)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2)
		with_outside(cpus);
}

/* The other stack is driven by virtual time alone. */
Test(rows, s75_the_host_outside_is_as_exact_as_a_machine)
{
	char whole[80];
	struct output *o = outside(2, "");

	cr_assert(strstr(o->text, "digest "), "%s", o->text);
	snprintf(whole, sizeof(whole), "%.58s", strstr(o->text, "digest "));
	o = outside(2, "--pieces 7");
	says(o, whole);
}

Test(rows, s75_without_a_cable_there_is_the_trunk)
{
	row_scenario("s75-link", "");
}

Test(rows, s75_frames_get_lost_come_twice_change_and_overtake)
{
	row_scenario("s75-frames", "");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S16 and S22: the ultravisor dies and goes on, by scenarios.  At instants
 * of anybody's choice: parterre sweep with scenarios/sweep-ultravisor.lua. */
#include <stdio.h>
#include <string.h>

#include "rows.h"

#define SCENARIO "../../scenarios/ultravisor-restart"

Test(rows, s16_ultravisor_goes_on)
{
	row_scenario(SCENARIO, "");
}

/* Killed before, while and after the failover that it has in hand. */
Test(rows, s16_ultravisor_goes_on_whenever_it_dies)
{
	static const unsigned after_us[] = {15, 60, 300};

	for (size_t i = 0; i < sizeof(after_us) / sizeof(after_us[0]); i++) {
		char option[32];

		snprintf(option, sizeof(option), "--set after=%u", after_us[i]);
		row_scenario_on(1u << i % 3, SCENARIO, option);
	}
}

/* A transaction of six operations, cut off at instants all over it: it is done
 * once and as a whole, and the database's scan finds nothing. */
Test(rows, s16_s22_killed_within_a_transaction)
{
	struct output *o = shell(
		PARTERRE " sweep --fault 'crash ultravisor' --over "
			 "request..done --while ultravisor --every "
			 "40009 " SOURCE_DIR "/scenarios/sweep-ultravisor.lua");

	cr_assert_eq(o->status, 0, "status %d\n%s", o->status, o->text);
	cr_assert(strstr(o->text, "failed 0"), "%s", o->text);
}

/* A small transaction with everything in between known to the byte
 * (tests/sweep/transaction.lua).  Instants here are few where a run is made for
 * each; all of them: tests/sweep/transactions. */
#define SMALL SOURCE_DIR "/tests/sweep/transaction.lua"

static struct output *small_sweep(const char *fault, unsigned cpus,
				  const char *options)
{
	struct output *o = shell(PARTERRE " sweep --quiet --out %s/out "
					  "--fault '%s' --over request..answer "
					  "--while ultravisor --set cpus=%u "
					  "%s " SMALL,
				 scratch(), fault, cpus, options);

	cr_assert_eq(o->status, 0, "%u CPUs: status %d\n%s", cpus, o->status,
		     o->text);
	says(o, "failed 0:");
	return o;
}

/* The instants of an outcome, 0 if none; first and last. */
static unsigned long instants_of(const struct output *o, const char *outcome,
				 unsigned long *first, unsigned long *last)
{
	char line[40];
	unsigned long n = 0;
	const char *at;

	snprintf(line, sizeof(line), "outcome '%s': ", outcome);
	at = strstr(o->text, line);
	if (at)
		cr_assert_eq(sscanf(at + strlen(line),
				    "%lu instants, %lui to "
				    "%lui",
				    &n, first, last),
			     3, "%s", at);
	return n;
}

/* No fault: whatever a death leaves at any boundary, this is it. */
Test(rows, s16_s22_the_database_at_each_boundary)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o = shell(
			PARTERRE " run --quiet --trace none --out %s/out --set "
				 "step=1 --set cpus=%u " SMALL " 2>&1",
			scratch(), cpus);

		wants(o, 0);
		says(o, " boundaries: as before, then as after");
	}
}

Test(rows, s16_s22_killed_within_a_small_transaction)
{
	unsigned long first, last;

	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o =
			small_sweep("crash ultravisor", cpus, "--every 4001");

		cr_assert_geq(instants_of(o, "after", &first, &last), 15, "%s",
			      o->text);
		cr_assert_eq(instants_of(o, "before", &first, &last), 0, "%s",
			     o->text);
	}
	(void)small_sweep("crash ultravisor", 1, "--every 20011 --set whole=1");
	cr_assert_gt(instants_of(small_sweep("crash ultravisor", 1,
					     "--every 9001 --set wrong=1"),
				 "before", &first, &last),
		     3);
}

/* A card, while an I/O partition runs that gets it: tests/sweep/assignments. */
Test(rows, s70_s71_killed_while_a_card_is_given)
{
	struct output *o = shell(
		PARTERRE " sweep --quiet --out %s/out --fault 'crash "
			 "ultravisor' --over request..given --while ultravisor "
			 "--every 9001 --set iommu=true " SOURCE_DIR
			 "/tests/sweep/assign.lua",
		scratch());

	wants(o, 0);
	says(o, "failed 0:");
	says(o, "outcome 'given'");
}

/* The pool has no free page any more from that instant on: the transaction
 * fails, up to where it has the last that it wants; it holds from there on. */
Test(rows, s22_a_transaction_that_fails_at_any_instant)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o = small_sweep("bytes ultravisor db 512 0 1",
					       cpus, "--every 2503");
		unsigned long first[2], last[2];

		cr_assert_gt(instants_of(o, "before", &first[0], &last[0]), 5,
			     "%s", o->text);
		cr_assert_gt(instants_of(o, "after", &first[1], &last[1]), 5,
			     "%s", o->text);
		cr_assert_lt(last[0], first[1], "%s", o->text);
	}
}

/* What tests/sweep/transactions goes by: between two accesses to the pool's
 * books it is the same run whenever the pool gets full. */
Test(rows, s22_between_accesses_it_is_the_same_run)
{
	struct output *o;
	char options[200];
	unsigned long to;

	snprintf(options, sizeof(options), "--every 4507 --table %s/each",
		 scratch());
	(void)small_sweep("bytes ultravisor db 512 0 1", 1, options);
	o = shell("awk -F, 'NR == 12 {print $1}' %s/each", scratch());
	cr_assert_eq(sscanf(o->text, "%lu", &to), 1, "%s", o->text);
	o = shell(PARTERRE
		  " sweep --quiet --out %s/out --fault 'bytes "
		  "ultravisor db 512 0 1' --over request..%lui "
		  "--accesses 'ultravisor db 512' --table %s/few " SMALL,
		  scratch(), to, scratch());
	wants(o, 0);
	/* retired, instants that it stands for, chain */
	o = shell(
		"cd %s && awk -F, 'FNR == 1 {next} "
		"NR == FNR {at[++n] = $1; same[n] = $2; chain[n] = $16; next} "
		"$1 < %lu {for (i = n; at[i] > $1; i--); met++; "
		"if (chain[i] != $16 || $1 > at[i] + same[i]) print $1} "
		"END {print \"met\", met, at[n] + same[n] + 1}' few each",
		scratch(), to);
	snprintf(options, sizeof(options), "met 10 %lu\n", to);
	cr_assert_str_eq(o->text, options, "%s", o->text);
}

Test(rows, s16_dead_in_its_sleep_it_fails_over_when_woken)
{
	row_scenario("s16-asleep", "");
}

Test(rows, s16_a_crash_loop_ends)
{
	row_scenario("s16-loop", "");
}

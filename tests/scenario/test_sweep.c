/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parterre sweep: what it finds is what a run of that instant finds, and no I/O
 * partition's death at any instant costs an acknowledged write.
 *
 * The instants here are few, for each test of CI is to be short; the whole of
 * them is docs/sweep.md's command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#define SWEEP(fault, options)                                                  \
	PARTERRE " sweep --quiet --out %s/out --fault '" fault "' "            \
		 "--over submit..done " options " "

/* Of sweep-io.lua's policies. */
#define HEARTBEAT_PS 250e6

static double number(const struct output *o, const char *key)
{
	const char *value = json_value(o, key);

	cr_assert(*value, "no %s in:\n%s", key, o->text);
	return strtod(value, NULL);
}

/* Nothing lost, doubled, torn, hung; everybody contained. */
static void nothing_happened(const struct output *o)
{
	static const char *const none[] = {"failed",    "lost", "doubled",
					   "torn",      "hung", "uncontained",
					   "misordered"};

	wants(o, 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_assert_eq(number(o, none[i]), 0, "%s:\n%s", none[i],
			     o->text);
}

static void sweep_of(const char *op, unsigned cpus)
{
	struct output *o;

	o = shell(
		SWEEP("crash io.a", "--json --every 1999") "--set op=%s --set "
							   "cpus=%u " SCENARIOS
							   "sweep-io.lua",
		scratch(), op, cpus);
	nothing_happened(o);
	cr_assert_geq(number(o, "runs"), 3, "%s", o->text);
	cr_assert_eq(number(o, "by_timeout"), 0, "%s", o->text);
	cr_assert_lt(number(o, "most_ps"), 1e9, "S80: 1 ms by report:\n%s",
		     o->text);
	o = shell(SWEEP("hang io.a", "--json --every 5999") "--set op=%s --set "
							    "cpus=%u " SCENARIOS
							    "sweep-io.lua",
		  scratch(), op, cpus);
	nothing_happened(o);
	cr_assert_eq(number(o, "by_report"), 0, "%s", o->text);
	cr_assert_gt(number(o, "most_ps"), 0, "%s", o->text);
	cr_assert_leq(number(o, "most_ps"), 2 * HEARTBEAT_PS,
		      "S80: two periods by time-out:\n%s", o->text);
}

Test(sweep, s72_s73_s74_s80_io_a_dies_within_a_read)
{
	sweep_of("read", 1);
}

Test(sweep, s72_s73_s74_s80_io_a_dies_within_a_write)
{
	sweep_of("write", 2);
}

Test(sweep, s72_s73_s74_s80_io_a_dies_within_a_write_through)
{
	sweep_of("fua", 1);
}

Test(sweep, s72_s73_s74_s80_io_a_dies_within_a_flush)
{
	sweep_of("flush", 4);
}

/* The disk is slow, and io.a dies with writes in flight: fenced, they never
 * happen. */
Test(sweep, s74_no_late_write_of_the_dead)
{
	struct output *o =
		shell(SWEEP("crash io.a",
			    "--json --every 3989") "--set slow=1500 " SOURCE_DIR
						   "/tests/sweep/late.lua",
		      scratch());

	nothing_happened(o);
	cr_assert_geq(number(o, "runs"), 5, "%s", o->text);
}

Test(sweep, s74_writes_to_one_block_keep_their_order)
{
	struct output *o = shell(SWEEP("crash io.a", "--json --every 9973")
					 SOURCE_DIR "/tests/sweep/late.lua",
				 scratch());

	nothing_happened(o);
	cr_assert_geq(number(o, "most_replayed"), 4, "%s", o->text);
}

/* --- a segment of a TCP transfer --- */

/* An I/O partition dies between the segment's going into its sender's channel
 * and its acknowledgement: bytes as they were, one connection, nobody waits for
 * a time-out. */
static void segment(const char *program, const char *fault, const char *set,
		    unsigned cpus, unsigned every)
{
	const char *who = strstr(fault, "io.");
	struct output *o = shell(
		"%s sweep --quiet --json --out %s/out --fault '%s' --over "
		"segment..acknowledged --while %s --every %u --set cpus=%u "
		"%s " SOURCE_DIR "/tests/sweep/tcp.lua",
		program, scratch(), fault, who, every, cpus, set);

	nothing_happened(o);
	cr_assert_geq(number(o, "runs"), 3, "%s", o->text);
	cr_assert_gt(number(o, "most_ps"), 0, "%s", o->text);
}

Test(sweep, s75_a_segment_goes_on_by_the_trunk)
{
	segment(PARTERRE, "crash io.a", "--set nics=0", 1, 12007);
	segment(PARTERRE, "hang io.b", "--set nics=0", 2, 9973);
}

Test(sweep, s75_a_segment_goes_on_by_the_cards)
{
	segment(PARTERRE, "hang io.a", "--set nics=2", 1, 14983);
	segment(PARTERRE, "crash io.b", "--set nics=2", 4, 59999);
}

#define OUTSIDE BUILD_DIR "/tests/outside/outside"

Test(sweep, s75_a_segment_goes_on_to_a_host_outside)
{
	segment(OUTSIDE, "crash io.a", "--set peer=outside", 1, 14983);
	segment(OUTSIDE, "hang io.a", "--set peer=outside", 2, 29989);
}

/* The power goes behind each command that changed the disk, of either
 * controller: what was flushed is on the medium. */
Test(sweep, s79_power_cut_at_every_command)
{
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		struct output *o =
			shell(PARTERRE " sweep --quiet --out %s/out --json "
				       "--fault power --over begin..finish "
				       "--every disk --set cpus=%u " SOURCE_DIR
				       "/tests/sweep/power.lua",
			      scratch(), cpus);

		nothing_happened(o);
		cr_assert_geq(number(o, "instants"), 60, "%s", o->text);
	}
}

/* It tears what is under way, a block and a bit: of the guest's writes, each of
 * eight, that is told as torn, and as nothing else. */
Test(sweep, s79_a_write_that_the_power_tears_is_told)
{
	struct output *o =
		shell(PARTERRE " sweep --quiet --out %s/out --json --fault "
			       "'power 700' --over begin..finish --every "
			       "40009 " SOURCE_DIR "/tests/sweep/power.lua",
		      scratch());

	wants(o, 5);
	cr_assert_geq(number(o, "torn"), 5, "%s", o->text);
	cr_assert_eq(number(o, "failed"), number(o, "torn"), "%s", o->text);
	cr_assert_eq(number(o, "lost"), 0, "%s", o->text);
	cr_assert_eq(number(o, "doubled"), 0, "%s", o->text);
}

/* --- the tool --- */

/* Fields of the nth line (from 1) of the table. */
static void row(unsigned n, unsigned long *retired, unsigned long *same,
		char chain[20])
{
	struct output *o = shell("sed -n %up %s/table | "
				 "awk -F, '{print $1, $2, $16}'",
				 n + 1, scratch());

	cr_assert_eq(sscanf(o->text, "%lu %lu %19s", retired, same, chain), 3,
		     "%s", o->text);
}

Test(sweep, an_instant_is_that_run)
{
	unsigned long retired, same;
	char chain[20];

	wants(shell(SWEEP("crash io.a", "--every 7001 --table %s/table")
			    SCENARIOS "sweep-io.lua",
		    scratch(), scratch()),
	      0);
	for (unsigned i = 1; i <= 3; i++) {
		row(i, &retired, &same, chain);
		says(shell(PARTERRE " run --quiet --out %s/run --inject "
				    "'crash io.a @ %lui' " SCENARIOS
				    "sweep-io.lua",
			   scratch(), retired),
		     chain);
	}
	/* Its command repeats it too, and so does a recording. */
	says(shell("sh %s/run/command --quiet", scratch()), chain);
	wants(shell(PARTERRE " record --quiet --out %s/run -o %s/rec --inject "
			     "'crash io.a @ %lui' " SCENARIOS "sweep-io.lua",
		    scratch(), scratch(), retired),
	      0);
	wants(shell(PARTERRE " replay --quiet --out %s/run %s/rec", scratch(),
		    scratch()),
	      0);
}

/* What --while leaves out is the run that it takes for it. */
Test(sweep, one_that_does_not_run_dies_later)
{
	unsigned long retired, same;
	struct output *o;
	char chain[20];

	wants(shell(SWEEP("crash io.a", "--while io.a --every 997 "
					"--set op=read --table %s/table")
			    SCENARIOS "sweep-io.lua",
		    scratch(), scratch()),
	      0);
	o = shell("awk -F, 'NR > 1 {print $2, $1, $16}' %s/table | "
		  "sort -n | tail -1",
		  scratch());
	cr_assert_eq(sscanf(o->text, "%lu %lu %19s", &same, &retired, chain),
		     3);
	cr_assert_geq(same, 2, "io.a runs all the time");
	wants(shell(SWEEP("crash io.a",
			  "--every 997 --set op=read --table %s/table")
			    SCENARIOS "sweep-io.lua",
		    scratch(), scratch()),
	      0);
	o = shell("awk -F, -v from=%lu -v n=%lu '$1 >= from && "
		  "$1 <= from + n * 997 {print $16}' %s/table | sort -u",
		  retired, same, scratch());
	cr_assert_eq(strlen(o->text), strlen(chain) + 1, "%s", o->text);
	says(o, chain);
}

/* The instruction by which io.a first writes a register of its controller after
 * `retired`, in a run without a fault. */
static unsigned long doorbell_after(unsigned long retired)
{
	unsigned long at;
	struct output *o;

	wants(shell(PARTERRE
		    " run --quiet --out %s/run --set op=write " SCENARIOS
		    "sweep-io.lua",
		    scratch()),
	      0);
	o = shell(PARTERRE " trace --event reg_write --partition io.a "
			   "%s/run/trace | sed -n 's/.* i=\\([0-9]*\\) .*"
			   "\"nvme0.*/\\1/p' | awk '$1 > %lu {print; exit}'",
		  scratch(), retired);
	cr_assert_eq(sscanf(o->text, "%lu", &at), 1, "%s", o->text);
	return at;
}

/* What --left-by leaves out comes to what the run does that stands for it, and
 * what it does not look at does not matter: where io.a has made a command and
 * gives it to its controller, which is a write to a register. */
Test(sweep, s73_one_that_leaves_the_same_dies_later)
{
	unsigned long submit, same, at;
	struct output *o;
	char chain[20];

	wants(shell(SWEEP("crash io.a", "--every 100000000 --table %s/table")
			    SCENARIOS "sweep-io.lua",
		    scratch(), scratch()),
	      0);
	row(1, &submit, &same, chain);
	at = doorbell_after(submit);
	o = shell(PARTERRE " sweep --quiet --json --out %s/out --fault "
			   "'crash io.a' --over %lui..%lui --left-by io.a "
			   "--beside 11 " SCENARIOS "sweep-io.lua",
		  scratch(), at - 90, at + 60);
	nothing_happened(o);
	cr_assert_eq(number(o, "instants"), 150, "%s", o->text);
	cr_assert_leq(number(o, "groups"), 20, "%s", o->text);
	cr_assert_geq(number(o, "pairs"), 10, "%s", o->text);
	cr_assert_eq(number(o, "differ"), 0, "%s", o->text);
	cr_assert_eq(number(o, "alike"), number(o, "pairs"), "%s", o->text);
}

Test(sweep, failures_are_told_and_counted)
{
	struct output *o;

	/* Acknowledged before the flush: lost when the power goes. */
	o = shell(PARTERRE " sweep --quiet --out %s/out --fault 'crash io.a' "
			   "--over 36ms..36100us --every 50000 --figure "
			   "%s/f.svg " CASES "early-sweep.lua",
		  scratch(), scratch());
	wants(o, 5);
	says(o, "--inject 'crash io.a @ ");
	says(o, "lost: stream 1");
	wants(shell("xmllint --noout %s/f.svg 2>&1 || "
		    "python3 -c 'import sys, xml.dom.minidom as m; "
		    "m.parse(sys.argv[1])' %s/f.svg",
		    scratch(), scratch()),
	      0);
}

Test(sweep, what_is_wrong_is_said)
{
	static const char *const wrong[][2] = {
		{"", "--fault and --over have to be given"},
		{"--fault 'crush io.a' --over 1ms..2ms", "there are crash,"},
		{"--fault crash --over 1ms..2ms", "has to be crash PARTITION"},
		{"--fault 'crash io.a' --over 1ms", "is not A..B"},
		{"--fault 'crash io.a' --over 1ms..2ms --every 0", "--every"},
		{"--fault 'crash io.a' --over nowhere..done",
		 "the run never came there"},
		{"--fault 'crash io.a' --over 1ms..2ms --beside 3",
		 "--beside goes with --left-by"},
		{"--fault 'crash io.a' --over submit..done --while io.z",
		 "io.z"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct output *o =
			shell(PARTERRE " sweep --out %s/out %s " SCENARIOS
				       "sweep-io.lua",
			      scratch(), wrong[i][0]);

		cr_assert(o->status == 2 || o->status == 1, "%s: %d\n%s",
			  wrong[i][0], o->status, o->text);
		says(o, wrong[i][1]);
	}
}

/* --- the plan --- */

Test(plan, faults_come_when_they_are_due)
{
	static const char *const when[][2] = {
		{"36ms", "injected                      36000.000"},
		{"event committed stream=1 record=20", "fault: io.a.text"},
		{"event block_request op=3", "fault: io.a.text"},
		{"event state of=guest1 new_state=1", "fault: io.a.text"},
		{"mark submit", "fault: io.a.text"},
		{"chance 1/20000", "fault: io.a.text"},
	};

	for (size_t i = 0; i < sizeof(when) / sizeof(when[0]); i++) {
		struct output *o = shell(
			PARTERRE " run --quiet --out %s/out --seed 3 --inject "
				 "'crash io.a @ %s' " SCENARIOS "sweep-io.lua",
			scratch(), when[i][0]);

		wants(o, 0);
		says(o, when[i][1]);
	}
}

Test(plan, what_is_wrong_is_said)
{
	static const char *const wrong[][2] = {
		{"crash io.a", "has to be WHAT @ WHEN"},
		{"crash io.a @ soon", "has to be WHAT @ WHEN"},
		{"crash io.a @ event nothing", "has to be WHAT @ WHEN"},
		{"crash io.a @ event state off=1", "has to be WHAT @ WHEN"},
		{"crush io.a @ 1ms", "no such kind"},
		{"crash io.z @ 36ms", "of the plan: "},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct output *o = shell(
			PARTERRE
			" run --quiet --out %s/out --inject '%s' " SCENARIOS
			"sweep-io.lua",
			scratch(), wrong[i][0]);

		cr_assert(o->status == 2 || o->status == 1, "%s: %d\n%s",
			  wrong[i][0], o->status, o->text);
		says(o, wrong[i][1]);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classes flow and full: the run is the same, what they say is true, and a
 * window of a recorded run says the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#define QUICKSTART SCENARIOS "quickstart.lua"
#define TRACE      PARTERRE " trace "
/* The lead monitor and boot, until the first partition runs. */
#define RUN PARTERRE " run --quiet --until 10600us "

static long number(const char *command)
{
	struct output *o = shell("cd %s && %s", scratch(), command);

	wants(o, 0);
	return atol(o->text);
}

static struct output *run(const char *options, const char *out)
{
	struct output *o =
		shell("cd %s && " RUN "--json %s --out %s " QUICKSTART,
		      scratch(), options, out);

	wants(o, 0);
	return o;
}

/* Whatever is recorded, in whatever pieces. */
Test(deep, no_class_changes_the_run)
{
	static const char *const options[] = {
		"--trace none",
		"--trace partition",
		"--trace machine",
		"--trace flow",
		"--trace full",
		"--trace full --trace-window 10300us..10400us",
		"--trace flow --trace-window 100000..200000",
		"--trace full --trace-partition ultravisor",
		"--trace full --trace-range 0xffffffff80000000..",
		"--trace full --trace-cpu 1",
		"--trace flow --pieces 6 --snapshots 300",
		"--trace full --pieces 7 --snapshots 300",
	};
	char chain[32], digest[32];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct output *o = run(options[i], "out");

		if (i == 0) {
			strcpy(chain, json_value(o, "chain"));
			strcpy(digest, json_value(o, "digest"));
			cr_assert(chain[0] && digest[0]);
		}
		cr_assert_str_eq(json_value(o, "chain"), chain, "%s",
				 options[i]);
		cr_assert_str_eq(json_value(o, "digest"), digest, "%s",
				 options[i]);
	}
}

/* The same on two CPUs, with load on both. */
Test(deep, no_class_changes_two_cpus)
{
	static const char *const options[] = {"none", "machine", "flow",
					      "full --trace-window 12ms..14ms"};
	char chain[32] = "", digest[32];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct output *o =
			shell("cd %s && " PARTERRE
			      " run --quiet --json --until 16ms --trace %s "
			      "--out out " SOURCE_DIR "/tests/gdb/cpus.lua",
			      scratch(), options[i]);

		wants(o, 0);
		if (!chain[0]) {
			strcpy(chain, json_value(o, "chain"));
			strcpy(digest, json_value(o, "digest"));
		}
		cr_assert_str_eq(json_value(o, "chain"), chain, "%s",
				 options[i]);
		cr_assert_str_eq(json_value(o, "digest"), digest, "%s",
				 options[i]);
	}
}

/* Every instruction is in one stretch, and stretches do not depend on how the
 * run was cut. */
Test(deep, flow_is_all_of_the_run)
{
	struct output *o = run("--trace flow", "a");
	long retired = atol(json_value(o, "retired"));

	cr_assert_gt(retired, 100000);
	cr_assert_eq(number(TRACE "--class flow a/trace | sed "
				  "'s/.*count=//' | awk '{ n += $1 } END "
				  "{ print n }'"),
		     retired);
	run("--trace flow --pieces 3", "b");
	wants(shell("cd %s && " TRACE "--class flow a/trace >a.text && " TRACE
		    "--class flow b/trace | cmp - a.text",
		    scratch()),
	      0);
}

/* Instructions are the stretches', one by one. */
Test(deep, full_is_flow_in_detail)
{
	long retired;

	run("--trace flow", "a");
	retired = atol(
		json_value(run("--trace full --pieces 4", "b"), "retired"));
	cr_assert_eq(number(TRACE "--event instruction b/trace | wc -l"),
		     retired);
	/* A stretch begins where an instruction is not behind the last one or
	 * that one again, or an interrupt came. */
	shell("cd %s && " TRACE "--event instruction b/trace | sed "
	      "'s/.*rip=\\(0x[0-9a-f]*\\) bytes=\\([0-9]*\\)/\\1 \\2/' | "
	      "awk '{ n = substr($1, length($1) - 7); x = 0; "
	      "for (i = 1; i <= length(n); i++) x = x * 16 + "
	      "index(\"0123456789abcdef\", substr(n, i, 1)) - 1; "
	      "if (NR == 1 || (x != next_one && x != last)) print $1; last = "
	      "x; "
	      "next_one = x + $2 }' >ours && " TRACE
	      "--class flow a/trace | sed 's/.*rip=\\(0x[0-9a-f]*\\) .*/\\1/' "
	      ">theirs",
	      scratch());
	wants(shell("cd %s && test $(wc -l <ours) -gt 1000 && cmp ours theirs",
		    scratch()),
	      0);
}

/* Memory has what was stored. */
Test(deep, loads_see_stores)
{
	run("--trace full", "a");
	says(shell("cd %s && " TRACE "--class full --window 10400us..10600us "
		   "a/trace | awk -f " CASES "memory.awk",
		   scratch()),
	     "1 1 1");
}

/* gdb sees the same registers, where the monitor's code is first run. */
Test(deep, registers_are_what_gdb_sees)
{
	wants(shell("cd %s && (timeout 100 " RUN "--trace none --gdb unix:gdb "
		    "-S --out b " QUICKSTART
		    " >run.log 2>&1 &); for i in $(seq "
		    "400); do test -S gdb && break; sleep 0.05; done; " RUN
		    "--trace full --out a " QUICKSTART " >/dev/null && " TRACE
		    "--class full a/trace | awk '/ register / { sub(/.*name="
		    "\"/, \"\"); sub(/\" value=/, \" \"); "
		    "is[$1] = $2 == 0 ? \"0x0\" : $2 } "
		    "/ instruction rip=0xffffffff8/ { sub(/.*rip=/, \"\"); "
		    "print $1 >\"at\"; for (r in is) if (r != \"rflags\") "
		    "print r, is[r]; exit }' | sort >ours",
		    scratch()),
	      0);
	shell("cd %s && gdb -nx -batch -ex 'set confirm off' "
	      "-ex 'target extended-remote gdb' -ex \"hbreak *$(cat at)\" "
	      "-ex continue -ex 'info registers' -ex kill >gdb.log 2>&1",
	      scratch());
	wants(shell("cd %s && awk '$1 ~ /^r(..|[0-9]+)$/ && $1 != \"rip\" "
		    "{ print $1, $2 }' gdb.log | sort >theirs && "
		    "test $(wc -l <ours) = 16 && cmp ours theirs || "
		    "{ cat gdb.log; diff ours theirs; false; }",
		    scratch()),
	      0);
}

/* What is selected is what is there. */
Test(deep, what_is_selected_is_written)
{
	run("--trace full", "all");
	run("--trace full --trace-window 10300us..10310us", "w");
	run("--trace full --trace-window 150000..151000", "n");
	run("--trace full --trace-range 0xffffffff80000000..0xffffffff80ffffff",
	    "r");
	run("--trace full --trace-cpu 1", "c");
	run("--trace full --trace-partition ultravisor", "p");
	cr_assert_eq(number(TRACE "--event instruction --window 150000..151000 "
				  "n/trace | wc -l"),
		     1001);
	cr_assert_eq(number(TRACE "--class full --window ..149999 n/trace | "
				  "wc -l"),
		     0);
	cr_assert_eq(number(TRACE "--class full c/trace | wc -l"), 0);
	wants(shell("cd %s && for d in w,--window,10300us..10310us "
		    "r,--address,0xffffffff80000000..0xffffffff80ffffff "
		    "p,--partition,ultravisor; do IFS=, read -r o opt arg "
		    "<<-END\n$d\nEND\n" TRACE
		    "--event instruction $opt $arg all/trace >want; " TRACE
		    "--event instruction $o/trace >got; test -s want && "
		    "cmp want got || exit 1; done",
		    scratch()),
	      0);
	/* What is machine's can be selected, what is partition's cannot. */
	run("--trace machine --trace-partition machine:ultravisor", "m");
	cr_assert_eq(number(TRACE "--class machine m/trace | wc -l"),
		     number(TRACE "--class machine --partition ultravisor "
				  "all/trace | wc -l"));
	wants(shell(RUN "--trace-window partition:1ms..2ms " QUICKSTART), 2);
	wants(shell(RUN "--trace-window 2ms..1ms " QUICKSTART), 2);
	wants(shell(RUN "--trace-cpu 99 " QUICKSTART), 2);
	wants(shell(RUN "--trace everything " QUICKSTART), 2);
}

/* A partition that never was is an error, which says who was. */
Test(deep, of_nobody)
{
	struct output *o = shell("cd %s && " RUN
				 "--trace machine --trace-partition nobody "
				 "--until 20ms " QUICKSTART,
				 scratch());

	wants(o, 2);
	says(o, "--trace-partition nobody: no partition of the run was called "
		"so; there were: ultravisor, available, ");
}

/* From the scenario, at its instants. */
Test(deep, a_scenario_switches_it)
{
	wants(shell("cd %s && cat >a.lua <<-END\n"
		    "machine{trace = 'full'}\n"
		    "trace{class = 'full', off = true}\n"
		    "run_until(us(10300))\n"
		    "trace{class = 'full', to = now() + us(20), "
		    "range = '0xffffffff80000000..'}\n"
		    "run_until(us(10400))\n"
		    "END\n" PARTERRE
		    " run --quiet --until 10500us --out a a.lua",
		    scratch()),
	      0);
	cr_assert_gt(number(TRACE "--event instruction a/trace | wc -l"), 1000);
	cr_assert_eq(number(TRACE
			    "--class full --window ..10299999999ps a/trace "
			    "| wc -l"),
		     0);
	cr_assert_eq(number(TRACE
			    "--class full --window 10320000001ps.. a/trace "
			    "| wc -l"),
		     0);
	/* The command line decides whether there is anything. */
	wants(shell("cd %s && " PARTERRE " run --quiet --trace machine --until "
		    "10500us --out b a.lua && ! test -e b/trace/.deep",
		    scratch()),
	      0);
	wants(shell("cd %s && echo \"machine{} trace{class = 'partition'}\" "
		    ">b.lua && " PARTERRE " run --quiet --out b b.lua",
		    scratch()),
	      2);
}

/* Deeper later: a window of a recorded run, run again. */
Test(deep, a_window_of_a_recording)
{
	wants(shell("cd %s && " PARTERRE " record --quiet --until 10600us "
		    "--out a -o a.rec " QUICKSTART
		    " && ! test -e a/trace/.deep",
		    scratch()),
	      0);
	run("--trace full", "all");
	wants(shell("cd %s && " TRACE "--class full --window 10300us..10350us "
		    "all/trace >want && " TRACE
		    "--class full --window 10300us..10350us a.rec >got && "
		    "test $(wc -l <want) -gt 10000",
		    scratch()),
	      0);
	/* It begins with all registers; then it is the same. */
	wants(shell("cd %s && sed -n '1{/ begin /!q1}' got && "
		    "tail -n +19 got | cmp - want",
		    scratch()),
	      0);
	wants(shell("cd %s && " TRACE "stat --class full --window "
		    "10300us..10350us a.rec | grep -q '^ *instruction  *50001'",
		    scratch()),
	      0);
}

/* One CTF trace of everything, for who does not know ours. */
Test(deep, babeltrace2_reads_the_export)
{
	run("--trace full --trace-window 10300us..10310us", "a");
	wants(shell("cd %s && " TRACE "export --ctf -o ctf a/trace && "
		    "babeltrace2 ctf >text",
		    scratch()),
	      0);
	cr_assert_eq(number("wc -l <text"), number(TRACE "a/trace | wc -l"));
	cr_assert_eq(number("grep -c ' instruction: ' text"),
		     number(TRACE "--event instruction a/trace | wc -l"));
	/* It passes over what is packed. */
	cr_assert_eq(number("babeltrace2 a/trace | wc -l"),
		     number(TRACE "--class partition --class machine a/trace | "
				  "wc -l"));
	/* Values, too: the stores. */
	wants(shell("cd %s && grep ' store: ' text | sed 's/.*address = "
		    "\\(0x[0-9A-F]*\\), size = \\([0-9]*\\), value = "
		    "\\(0x[0-9A-F]*\\) .*/\\1 \\2 \\3/' | tr A-F a-f >theirs "
		    "&& " TRACE
		    "--event store a/trace | sed 's/.*address=\\(.*\\) "
		    "size=\\(.*\\) value=\\(.*\\)/\\1 \\2 \\3/; s/ 0$/ 0x0/' "
		    ">ours && test -s ours && cmp ours theirs",
		    scratch()),
	      0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who spent the cycles, as a user asks for it: the same run with and without,
 * sums that other readers come to, the same from a recording. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define SHORT " --quiet --timing memory --out %s/"
#define GUEST CASES "spend.lua"

/* One run, in scratch()/out. */
static void run(void)
{
	wants(shell(PARTERRE " run --cycles" SHORT "out " GUEST, scratch()), 0);
}

Test(cycles, change_nothing_and_are_the_same_again)
{
	struct output *o;

	run();
	wants(shell(PARTERRE " run" SHORT "bare " GUEST, scratch()), 0);
	wants(shell(PARTERRE " run --cycles --pieces 7" SHORT "pieces " GUEST,
		    scratch()),
	      0);
	wants(shell("cd %s && cmp out/cycles.txt pieces/cycles.txt && "
		    "! test -e bare/cycles.txt && for i in bare pieces; do "
		    "cmp out/trace/stream $i/trace/stream && "
		    "for k in end retired chain digest trace; do "
		    "test \"$(grep ^$k out/result)\" = "
		    "\"$(grep ^$k $i/result)\" || exit; done || exit; done",
		    scratch()),
	      0);
	/* A recording is run again. */
	wants(shell(PARTERRE " record" SHORT "rec -o %s/a.rec " GUEST,
		    scratch(), scratch()),
	      0);
	o = shell(PARTERRE " trace stat --cycles --folded --out %s/again "
			   "%s/a.rec >%s/recorded && " PARTERRE
			   " trace stat --cycles --folded %s/out >%s/folded && "
			   "cmp %s/recorded %s/folded",
		  scratch(), scratch(), scratch(), scratch(), scratch(),
		  scratch(), scratch());
	wants(o, 0);
}

Test(cycles, sum_up_for_other_readers)
{
	struct output *o;

	run();
	wants(shell(PARTERRE
		    " trace stat --cycles --json %s/out >%s/json && " PARTERRE
		    " trace stat --cycles --folded %s/out/trace "
		    ">%s/folded",
		    scratch(), scratch(), scratch(), scratch()),
	      0);
	/* Each line: partition, mode, function, cause; and its cycles. */
	o = shell("! grep -nvE '^[^; ]+;(monitor|program|kernel|process);"
		  "[^; ]+;[A-Za-z0-9-]+ [1-9][0-9]*$' %s/folded && "
		  "test $(wc -l <%s/folded) -gt 1000",
		  scratch(), scratch());
	wants(o, 0);
	/* As many as the CPU had, but for those in which it halted; the stacks
	 * by column, the causes of each partition. */
	o = shell("sum=$(awk '{ s += $NF } END { print s }' %s/folded) && "
		  "jq -e --argjson s $sum '.cycles_of_all_stacks == $s and "
		  "(.cpus[0].working + .cpus[0].ahead - $s | fabs) <= 2 and "
		  ".cpus[0].cycles == (.cpus[0].to_ps / 1000 | floor) and "
		  "([.stacks[] | to_entries[3:][].value] | add) == $s and "
		  "([.causes[] | select(.cause == \"all\").cycles] | add) == $s"
		  " and ([.causes[] | select(.cause != \"all\").cycles] | add)"
		  " == $s' %s/json",
		  scratch(), scratch());
	wants(o, 0);
	/* What is known of who does what. */
	o = shell("for i in 'start;monitor;boot_entry;privileged' "
		  "'io.a;program;io_main_loop;base' "
		  "'guest1;process;crc32c;L1' 'guest1;monitor;syscall_entry;"
		  "privileged' 'guest1;kernel;.*;TLB'; do "
		  "grep -q \"^$i \" %s/folded || { echo no $i; false; } || "
		  "exit; done",
		  scratch());
	wants(o, 0);
	/* Rings and switches in the trace say who had the CPU when: another way
	 * to the same times (a cycle is a nanosecond here), which the report
	 * has to the nanosecond: of some partitions it is a few microseconds.
	 * Memory's waits are charged when their block ends, which may be behind
	 * a change of ring. */
	wants(shell(PARTERRE
		    " report -o %s/html %s/out >/dev/null && "
		    "grep -oE 'span>[a-z0-9.]+</td>(<td class=.n.>[0-9]+"
		    "[.][0-9]{3}</td>){2}' %s/html | sed 's/<[^>]*>/ /g; "
		    "s/span> *//' | jq -nR '[inputs | split(\" +\"; null) | "
		    "{partition: .[0], us: (.[1] | tonumber), "
		    "monitor_us: (.[2] | tonumber)}]' >%s/t && " PARTERRE
		    " trace stat --cycles --json %s/out >%s/c && "
		    "jq -e -n --slurpfile t %s/t --slurpfile c %s/c '"
		    "[$t[0][] | select(.partition | "
		    "test(\"idle|boot\") | not) | . as $p | "
		    "([$c[0].causes[] | select(.cause == \"all\" and "
		    ".partition == $p.partition and .mode != \"monitor\")"
		    ".cycles] | add / 1000) as $own | "
		    "([$c[0].causes[] | select(.cause == \"all\" and "
		    ".partition == $p.partition and .mode == \"monitor\")"
		    ".cycles] | add / 1000) as $monitor | "
		    "{p: $p.partition, own: ($own / $p.us), "
		    "monitor: ($monitor / $p.monitor_us)}] | "
		    "debug | length > 5 and all(.own > 0.97 and .own < 1.03 "
		    "and .monitor > 0.97 and .monitor < 1.03)'",
		    scratch(), scratch(), scratch(), scratch(), scratch(),
		    scratch(), scratch(), scratch()),
	      0);
}

/* What was spent in a window, from a run and from a recording; windows one
 * after the other come to the whole. */
Test(cycles, of_a_window)
{
	static const char *const windows[] = {"..20ms", "20ms..30ms", "30ms.."};
	struct output *o;

	run();
	wants(shell(PARTERRE " record" SHORT "rec -o %s/a.rec " GUEST,
		    scratch(), scratch()),
	      0);
	for (size_t i = 0; i < 3; i++) {
		wants(shell(PARTERRE " run --cycles=%s" SHORT "part%zu " GUEST
				     " && cmp %s/out/trace/stream "
				     "%s/part%zu/trace/stream && " PARTERRE
				     " trace stat --cycles --json %s/part%zu "
				     ">%s/%zu",
			    windows[i], scratch(), i, scratch(), scratch(), i,
			    scratch(), i, scratch(), i),
		      0);
		wants(shell(PARTERRE " trace stat --cycles --json --window %s "
				     "--out %s/again %s/a.rec >%s/again%zu && "
				     "cmp %s/%zu %s/again%zu",
			    windows[i], scratch(), scratch(), scratch(), i,
			    scratch(), i, scratch(), i),
		      0);
	}
	/* From the first instruction behind an instant on; a block at an end is
	 * charged to one of both. */
	o = shell(
		"cd %s && " PARTERRE " trace stat --cycles --json out >all && "
		"jq -e -n --slurpfile all all --slurpfile a 0 --slurpfile b 1 "
		"--slurpfile c 2 '"
		"def own: .cycles_of_all_stacks - .cpus[0].ahead; "
		"def near(x): (. - x | fabs) < 1e6; "
		"($a[0].cpus[0].from_ps == 0) and "
		"($a[0].cpus[0].to_ps | near(20e9)) and "
		"$a[0].cpus[0].to_ps == $b[0].cpus[0].from_ps and "
		"($b[0].cpus[0].to_ps | near(30e9)) and "
		"$b[0].cpus[0].to_ps == $c[0].cpus[0].from_ps and "
		"$c[0].cpus[0].to_ps == $all[0].cpus[0].to_ps and "
		"((([$a, $b, $c | .[0] | own] | add) - ($all[0] | own)) "
		"| fabs) < 10 and "
		"((([$a, $b, $c | .[0].cpus[0].halted] | add) - "
		"$all[0].cpus[0].halted) | fabs) < 10'",
		scratch());
	wants(o, 0);
	o = shell(PARTERRE " trace stat --cycles --window 50ms..60ms "
			   "--out %s/again %s/a.rec",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "--window 50ms..60ms: the run ends at 38.0");
	o = shell(PARTERRE " trace stat --cycles --window 1000..2000 "
			   "--out %s/again %s/a.rec",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "cycles are of a window between two instants");
	wants(shell(PARTERRE " run --cycles=3..x" SHORT "out " GUEST,
		    scratch()),
	      2);
}

/* A run that was left is recorded as one: again it is left there. */
Test(cycles, of_a_recording_that_was_left)
{
	struct output *o;

	wants(shell(PARTERRE
		    " record --until 25ms" SHORT "rec -o %s/a.rec " GUEST
		    " && " PARTERRE " replay --quiet --out %s/replay "
		    "%s/a.rec && " PARTERRE " run --until 25ms --cycles" SHORT
		    "out " GUEST,
		    scratch(), scratch(), scratch(), scratch(), scratch()),
	      0);
	o = shell("cd %s && " PARTERRE
		  " trace stat --cycles --json out >a && " PARTERRE
		  " trace stat --cycles --json a.rec >b && cmp a b && "
		  "jq -e '.cpus[0].to_ps / 1e9 | . >= 25 and . < 25.001' b "
		  "&& " PARTERRE
		  " trace stat --cycles --json --window 24ms..30ms "
		  "a.rec | jq -e '.cpus[0].to_ps / 1e9 | . < 25.001'",
		  scratch());
	wants(o, 0);
	o = shell("cd %s && " PARTERRE " trace stat --cycles --window 26ms.. "
		  "a.rec",
		  scratch());
	wants(o, 2);
	says(o, "the run ends at 25.0");
}

/* A kernel without ELF64 symbols, by the names that nm tells of it; what is
 * none is said. */
Test(cycles, of_a_kernel_with_names_from_a_file)
{
	struct output *o;

	wants(shell("cd %s && nm " BUILD_DIR "/tests/guest/smp.elf >names && "
		    "for i in named bare wrong; do cat >$i.lua <<'END'\n"
		    "machine{ kernel = 'smp', modules = {}, disk = false, "
		    "controllers = 0, cpus = 2, symbols = SYMBOLS }\n"
		    "run_for(ms(5))\nEND\ndone && "
		    "sed -i s/SYMBOLS/\\'names\\'/ named.lua && "
		    "sed -i s/SYMBOLS/nil/ bare.lua && "
		    "sed -i s/SYMBOLS/\\'wrong.lua\\'/ wrong.lua",
		    scratch()),
	      0);
	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "named" : "bare";

		wants(shell("cd %s && " PARTERRE
			    " run --quiet --cycles --images " BUILD_DIR
			    "/tests/guest --out %s %s.lua && " PARTERRE
			    " trace stat --cycles --folded %s >%s.folded",
			    scratch(), name, name, name, name),
		      0);
	}
	/* By nm's addresses, the work that both CPUs do; of the same pages. */
	o = shell("cd %s && grep -q '^machine;kernel;work;' named.folded && "
		  "grep -q '^machine;kernel;put_text;' named.folded && "
		  "! grep -q work bare.folded && "
		  "for i in named bare; do awk '{ s += $NF } "
		  "END { print s }' $i.folded >$i.sum; "
		  "grep ^digest $i/result >$i.digest; done && "
		  "cmp named.sum bare.sum && cmp named.digest bare.digest",
		  scratch());
	wants(o, 0);
	o = shell("cd %s && " PARTERRE
		  " run --quiet --cycles --images " BUILD_DIR
		  "/tests/guest --out wrong wrong.lua",
		  scratch());
	wants(o, 2);
	says(o, "not a line \"ADDRESS TYPE NAME\"");
}

Test(cycles, that_are_not_there)
{
	struct output *o = shell(PARTERRE " trace stat --cycles %s", scratch());

	wants(o, 2);
	says(o, "the run left no cycles.txt; run it again with --cycles, or "
		"give a recording of it");
	o = shell("printf 'parterre-cycles 2\\n' >%s/cycles.txt; " PARTERRE
		  " trace stat --cycles %s",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "cycles.txt:1: these are no cycles of version 1");
	o = shell("printf 'parterre-cycles 1\\ntiming flat 1000\\nstack a b c "
		  "1 2\\nend\\n' >%s/cycles.txt; " PARTERRE
		  " trace stat --cycles %s",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "cycles.txt:3: not a line of this version; run it again");
	o = shell("printf 'parterre-cycles 1\\ntiming flat 1000\\n' "
		  ">%s/cycles.txt; " PARTERRE " trace stat --cycles %s",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "cycles.txt:3: the file is cut off");
	o = shell(PARTERRE " trace stat --cycles --partition io.a %s",
		  scratch());
	wants(o, 2);
	says(o, "of the whole run or a --window of it");
	o = shell(PARTERRE " trace stat --cycles --window 1ms..2ms %s",
		  scratch());
	wants(o, 2);
	says(o, "record it, or run it with --cycles=1ms..2ms");
	wants(shell(PARTERRE " trace stat --folded %s", scratch()), 2);
}

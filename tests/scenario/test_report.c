/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports: what they say, held against the run's own summary and the trace's
 * statistics; whether HTML's checker and a browser take them. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define RUN PARTERRE " run --quiet "

/* A run of the failover, once in this process, in scratch()/out. */
static void failover(void)
{
	wants(shell(RUN "--cycles --out %s/out " SCENARIOS
			"io-failover.lua >%s/said",
		    scratch(), scratch()),
	      0);
	wants(shell(PARTERRE " report %s/out", scratch()), 0);
}

/* The browser, as anybody has it; its console goes to stderr. */
#define BROWSER                                                                \
	"timeout 60 chromium --headless --no-sandbox --disable-gpu "           \
	"--disable-dev-shm-usage --user-data-dir=%s/browser "                  \
	"--enable-logging=stderr "

Test(report, a_browser_draws_it, .timeout = 150)
{
	struct output *o;

	failover();
	/* As many spans as the data has, without a word on its console. */
	o = shell(BROWSER "--dump-dom file://%s/out/report.html >%s/dom "
			  "2>%s/log; grep -o 'CONSOLE.*' %s/log; "
			  "grep -o 'data-drawn=\"[0-9]*\"' %s/dom",
		  scratch(), scratch(), scratch(), scratch(), scratch(),
		  scratch());
	wants(o, 0);
	cr_assert_eq(strncmp(o->text, "data-drawn=\"", 12), 0, "%s", o->text);
	/* Each switch of a CPU begins a span, but where time stood still. */
	o = shell("n=$(grep -o 'data-drawn=\"[0-9]*\"' %s/dom | "
		  "tr -dc 0-9); "
		  "s=$(" PARTERRE " trace stat --json %s/out/trace | "
		  "jq '.switches | map(.count) | add'); "
		  "test $n -le $((s + 1)) && test $n -gt $((s * 9 / 10)) || "
		  "{ echo $n spans, $s switches; false; }",
		  scratch(), scratch());
	wants(o, 0);
	wants(shell("tidy --drop-empty-elements no -q -e %s/out/report.html",
		    scratch()),
	      0);
	/* Light and dark are two pictures. */
	for (int dark = 0; dark < 2; dark++)
		wants(shell(BROWSER
			    "--blink-settings=preferredColorScheme=%d "
			    "--screenshot=%s/%d.png --window-size=1000,900 "
			    "file://%s/out/report.html 2>%s/log && "
			    "! grep CONSOLE %s/log",
			    scratch(), !dark, scratch(), dark, scratch(),
			    scratch(), scratch()),
		      0);
	o = shell("for i in 0 1; do pngtopnm %s/$i.png | pamcut 2 2 1 1 | "
		  "pamtopnm -plain | tail -n 1; done",
		  scratch());
	wants(o, 0);
	says(o, "255 255 255");
	says(o, "17 22 29");
	/* The boot is at the lane's left, in the colour of its legend; its bar
	 * below does not come as far. */
	o = shell("for i in 0 1; do pngtopnm %s/$i.png | pamcut 100 0 1 900 | "
		  "pamtopnm -plain | sort | uniq -c; done",
		  scratch());
	says(o, " 37 48 74 ");
	says(o, " 211 218 230 ");
}

/* The keys of the timeline's legend and of the table of times, and the chart's
 * pieces: "COLOUR NAME". */
#define COLOURS                                                                \
	"sed -nE 's,.*:([^:\"]+)\"></span>([^<]+)</(button|td)>.*,\\1 \\2,p; " \
	"s,.*fill:([^\"]+)\"><title>([^:,]+)(\\, ring [03])?: .*,\\1 \\2,p' "  \
	"%s/out/report.html | grep -v '^var(--s[1-5])' | sort"

Test(report, each_has_one_colour)
{
	failover();
	/* Eleven in the same colour three times, and in the chart monitors. */
	wants(shell(COLOURS " >%s/all; uniq -c %s/all; "
			    "test $(uniq -c %s/all | grep -c '^ *3 ') -eq 11 "
			    "&& test $(uniq %s/all | wc -l) -eq 12",
		    scratch(), scratch(), scratch(), scratch(), scratch()),
	      0);
	/* And no two have the same. */
	says(shell("uniq %s/all | cut -d' ' -f1 | sort -u | wc -l", scratch()),
	     "12\n");
	/* Each step of the failover: in the chart, and in the table. */
	for (int i = 1; i <= 5; i++)
		says(shell("grep -c 'var(--s%d)\"></*[st]' %s/out/report.html",
			   i, scratch()),
		     "2\n");
}

Test(report, says_what_the_summary_says)
{
	struct output *o;

	failover();
	/* Each instant of the failover, and since the fault. */
	o = shell("awk '/^fault:/ { f = 1; next } !/^  / { f = 0 } f { "
		  "print $(NF - 1), $NF }' %s/said >%s/steps && "
		  "test $(wc -l <%s/steps) -eq 8 && "
		  "while read at since; do grep -q \">$at</td><td "
		  "class=\\\"n\\\">$since<\" %s/out/report.html || "
		  "{ echo no $at $since; exit 1; }; done <%s/steps",
		  scratch(), scratch(), scratch(), scratch(), scratch());
	wants(o, 0);
	/* Each partition's time, to the microsecond, with the trace's, and what
	 * none had, under the same name; but who has the CPU at the end (the
	 * ultravisor, which switches off) has it until the machine is off,
	 * which is behind the last event. */
	o = shell(PARTERRE
		  " trace stat --json %s/out/trace | jq -r '.time[] | "
		  "select(.partition | test(\"idle|ultravisor\") | not) | "
		  "\"\\(.ring3_us) \\(.ring0_us) \\(.partition)\"' >%s/time && "
		  "test $(wc -l <%s/time) -ge 9 && while read us mon name; do "
		  "grep -qE \"span>$name</td><td class=.n.>$us\\.[0-9]+</td>"
		  "<td class=.n.>$mon\\.\" %s/out/report.html || "
		  "{ echo no $name $us $mon; exit 1; }; done <%s/time",
		  scratch(), scratch(), scratch(), scratch(), scratch());
	wants(o, 0);
	/* All cycles, and those of each partition. */
	o = shell(PARTERRE
		  " trace stat --cycles --json %s/out | jq -r "
		  "'.cycles_of_all_stacks, (.causes[] | "
		  "select(.cause == \"all\").cycles)' >%s/cycles && "
		  "test $(wc -l <%s/cycles) -ge 14 && while read n; do "
		  "grep -qE \"[ >]$n (cycles\\.|\\()\" %s/out/report.html || "
		  "{ echo no $n; exit 1; }; done <%s/cycles",
		  scratch(), scratch(), scratch(), scratch(), scratch());
	wants(o, 0);
	o = shell("d=$(sed -n 's/^digest \\(.*\\),.*/\\1/p' %s/said); "
		  "grep -c \"at the end</td><td><code>$d</code>\" "
		  "%s/out/report.html",
		  scratch(), scratch());
	says(o, "1");
	/* The line that expects it, as it stands in the scenario. */
	o = shell("grep -A3 'held</td><td class=\"n\"><a href=\"#L15\">15' "
		  "%s/out/report.html",
		  scratch());
	says(o, "expect_eq(death.vector, 6, &quot;the exception that ended");
}

Test(report, equal_runs_have_equal_reports)
{
	for (int i = 0; i < 2; i++)
		wants(shell(RUN "--cycles --out %s/out " CASES
				"expectation.lua; "
				"test $? -eq 1 && " PARTERRE
				" report -o %s/%d.html %s/out",
			    scratch(), scratch(), i, scratch()),
		      0);
	wants(shell("cmp %s/0.html %s/1.html", scratch(), scratch()), 0);
}

Test(report, a_failed_line_is_shown)
{
	struct output *o;

	wants(shell(RUN "--out %s/out " CASES "expectation.lua", scratch()), 1);
	says(shell(PARTERRE " report %s/out", scratch()), "out/report.html");
	o = shell("grep -A9 '<h1>' %s/out/report.html; grep -A3 "
		  "'What was expected' %s/out/report.html",
		  scratch(), scratch());
	says(o, "<span class=\"badge failed\">failed</span>");
	says(o, "status 1: ");
	says(o, "expectation.lua:8: at 17.000000 ms: expected io.a's");
	says(o, "<td class=\"bad\">failed</td><td class=\"n\">"
		"<a href=\"#L8\">8</a>");
	says(o, "<code>expect_eq(partition(&quot;io.a&quot;).state");
}

Test(report, each_machine_has_its_part)
{
	wants(shell(RUN "--out %s/out --images " BUILD_DIR "/tests/guest " CASES
			"machines.lua",
		    scratch()),
	      0);
	wants(shell(PARTERRE " report %s/out && tidy --drop-empty-elements no "
			     "-q -e %s/out/report.html",
		    scratch(), scratch()),
	      0);
	says(shell("grep -c '<canvas' %s/out/report.html", scratch()), "3");
	says(shell("grep -o 'Machine .*' %s/out/report.html", scratch()),
	     "Machine (the first)</h2>\nMachine b</h2>\nMachine c</h2>\n");
	/* Without partitions it is the machine, in the legend and in the table,
	 * and these kernels never leave ring 0. */
	says(shell("grep -c 'var(--none)\"></span>machine' "
		   "%s/out/report.html",
		   scratch()),
	     "6");
	says(shell("grep -c '</span>machine</td><td class=\"n\">0.000</td>' "
		   "%s/out/report.html",
		   scratch()),
	     "3");
	says(shell(PARTERRE " trace stat --json %s/out/trace | "
			    "jq -c '.time[] | [.partition, .ring3_us, "
			    ".ring0_us > 0]'",
		   scratch()),
	     "[\"machine\",0,true]\n");
	says(shell(PARTERRE " trace stat %s/out/trace", scratch()),
	     "  machine                   0 ");
	/* A command that is longer than a line is seen whole. */
	says(shell("grep -A1 'The same run again' %s/out/report.html",
		   scratch()),
	     "<pre class=\"again\">cd ");
}

#define HELLO                                                                  \
	"kernel = \"hello\", modules = {}, disk = false, controllers = 0, "    \
	"ram = \"16M\"}"

/* What the scenario calls the first machine is told by all that tells. */
Test(report, names_the_first_machine)
{
	struct output *o;

	wants(shell("printf '%%s\\n' 'local a = machine{name = \"left\", " HELLO
		    "' 'local b = machine{name = \"right\", " HELLO
		    "' 'a:wait_off{within = s(1)} b:wait_off{within = s(1)}' "
		    ">%s/own.lua",
		    scratch()),
	      0);
	o = shell(RUN "--out %s/out --images " BUILD_DIR
		      "/tests/guest %s/own.lua",
		  scratch(), scratch());
	says(o, "machine left: ");
	says(o, "machine right: ");
	says(shell(RUN "--json --out %s/out --images " BUILD_DIR
		       "/tests/guest %s/own.lua | jq -c '[.machines[].name]'",
		   scratch(), scratch()),
	     "[\"left\",\"right\"]");
	says(shell("grep -E '^(first|machine) ' %s/out/result", scratch()),
	     "first left\nmachine right\n");
	wants(shell(PARTERRE " report %s/out", scratch()), 0);
	says(shell("grep -o 'Machine .*' %s/out/report.html", scratch()),
	     "Machine left</h2>\nMachine right</h2>\n");
	/* A result of before it was told. */
	wants(shell("sed -i '/^first /d' %s/out/result; " PARTERRE
		    " report %s/out",
		    scratch(), scratch()),
	      0);
	says(shell("grep -o 'Machine .*' %s/out/report.html", scratch()),
	     "Machine (the first)</h2>\nMachine right</h2>\n");
	/* One that would be no line of the result. */
	o = shell("sed -i 's/left/l e/' %s/own.lua; " RUN
		  "--out %s/out --images " BUILD_DIR "/tests/guest %s/own.lua",
		  scratch(), scratch(), scratch());
	wants(o, 2);
	says(o, "'l e' is no name for a machine");
}

Test(report, of_what_is_no_run)
{
	struct output *o = shell(PARTERRE " report %s", scratch());

	wants(o, 2);
	says(o, "/result: No such file or directory; give the directory that "
		"a run left");
	o = shell("printf 'parterre-result 1\\nstatus 0\\nend x\\n' "
		  ">%s/result;" PARTERRE " report %s",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "/result:3: not a result of version 1");
	o = shell(
		"printf 'parterre-result 1\\nstatus 0\\n' >%s/result;" PARTERRE
		" report %s",
		scratch(), scratch());
	wants(o, 2);
	says(o, "the run left no trace; run it again without --trace none");
	wants(shell(PARTERRE " report"), 2);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `parterre test`: folders of scenarios, their golden traces, its tables; and
 * what becomes of runs that are left in the middle.
 */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define QUICKSTART SCENARIOS "quickstart.lua"
#define MACHINE                                                                \
	"machine{kernel = \"hello\", modules = {}, disk = false, "             \
	"controllers = 0}\nrun_for(ms(5))\n"
#define TEST_IT                                                                \
	"cd %s && " PARTERRE " test --images " BUILD_DIR "/tests/guest "       \
	"--out runs --junit x.xml "

/* Those that hold, by name; x.xml is what such programs read. */
static void make_cases(const char *names)
{
	wants(shell("mkdir -p %s/cases && cd %s/cases && for n in %s; do "
		    "printf '" MACHINE "' >$n.lua || exit; done",
		    scratch(), scratch(), names),
	      0);
}

static void xml_has(const char *xpath, const char *text)
{
	struct output *o =
		shell("cd %s && xmllint --noout --relaxng " CASES
		      "junit.rng x.xml && xmllint --xpath '%s' x.xml",
		      scratch(), xpath);

	wants(o, 0);
	says(o, text);
}

Test(folders, are_tested_and_updated)
{
	struct output *o;

	make_cases("a b");
	o = shell(TEST_IT "cases", scratch());
	wants(o, 0);
	says(o, "2 scenarios, 0 failed");
	o = shell(TEST_IT "--update cases", scratch());
	wants(o, 0);
	says(o, "new");
	o = shell(TEST_IT "cases", scratch());
	wants(o, 0);
	says(o, "checked");
	/* One differs: only that one talks, and the status is its own. */
	shell("cd %s && sed -i 's/^end [0-9]*/end 5/' cases/golden/b.golden",
	      scratch());
	o = shell(TEST_IT "cases", scratch());
	wants(o, 6);
	says(o, "--- b: status 6");
	says(o, "the timed layer differs first");
	says(o, "2 scenarios, 1 failed");
	cr_assert(!strstr(o->text, "--- a:"), "%s", o->text);
	xml_has("string(/testsuite[@tests=2 and @failures=1]/"
		"testcase[failure]/@name)",
		"b");
	xml_has("string(//failure/@message)",
		"status 6: the timed layer differs first, at line ");
	o = shell(TEST_IT "--update cases", scratch());
	wants(o, 0);
	says(o, "-end 5 ");
	says(o, "as it was");
	wants(shell(TEST_IT "cases", scratch()), 0);
	wants(shell(TEST_IT "--only c cases", scratch()), 2);
}

/* Names of all kinds, from the command line to the file that repeats a run. */
Test(folders, whatever_scenarios_are_called)
{
	struct output *o;

	make_cases("'one two' a.b größe 'q\"&<'");
	wants(shell(TEST_IT "--update cases", scratch()), 0);
	o = shell(TEST_IT "cases", scratch());
	wants(o, 0);
	says(o, "4 scenarios, 0 failed");
	says(o, "\none two                          checked ");
	says(o, "\ngröße                            checked ");
	wants(shell("cd %s && sh 'runs/one two/command' --quiet && "
		    "sh 'runs/q\"&<'/command --quiet",
		    scratch()),
	      0);
	xml_has("count(//testcase[@name=\"größe\" or @name=\"one two\"])", "2");
	xml_has("string(//testcase[starts-with(@name, \"q\")]/@name)", "q\"&<");
}

/* A failure is the run's, an error is that of who wants it tested. */
Test(folders, what_cannot_be_tested_is_an_error)
{
	struct output *o;

	make_cases("a b c d");
	wants(shell(TEST_IT "--update cases", scratch()), 0);
	shell("cd %s/cases && echo 'machine{' >a.lua && cd golden && "
	      "ln -sf nowhere b.golden && mv c.golden old.golden && "
	      "sed -i 's/hello/hullo/' d.golden",
	      scratch());
	o = shell(TEST_IT "cases", scratch());
	wants(o, 2);
	says(o, "cases/a.lua:2: unexpected symbol near <eof>");
	/* Not taken for one that has none. */
	says(o, "golden/b.golden: cannot be read: No such file");
	says(o, "\nc                                none ");
	says(o, "4 scenarios, 3 failed");
	says(o, "golden/old.golden: no scenario of cases is held to it");
	xml_has("concat(//@failures, \" \", //@errors, \" \", "
		"//testcase[failure]/@name, //testcase[error][1]/@name, "
		"//testcase[error][2]/@name)",
		"1 2 dab");
	xml_has("string(//failure/@message)", "the semantic layer differs");
}

/* One that cannot be written is that scenario's failure; others are updated. */
Test(folders, a_golden_trace_that_cannot_be_written)
{
	struct output *o;

	make_cases("a b");
	shell("cd %s/cases && mkdir golden && ln -s /dev/full golden/a.golden",
	      scratch());
	o = shell(TEST_IT "--update cases", scratch());
	wants(o, 7);
	says(o, "/dev/full: cannot be written: No space left on device");
	says(o, "\na                                not written ");
	says(o, "\nb                                new ");
	xml_has("string(//testcase[error]/@name)", "a");
	o = shell("cd /proc && " PARTERRE " test %s/cases", scratch());
	wants(o, 7);
	says(o, "parterre.out: cannot make the directory: ");
	o = shell("cd %s && " PARTERRE " test --images " BUILD_DIR
		  "/tests/guest --out runs --junit /dev/full --only b cases",
		  scratch());
	wants(o, 7);
	says(o, "/dev/full: cannot be written: No space left on device");
}

/* --- left in the middle --- */

/* Until there is something of its trace, then SIGTERM; its status. */
#define LEFT                                                                   \
	"p=$!; until test -s %s/trace/stream; do sleep 0.05; done; "           \
	"kill -TERM $p; wait $p"
/* A shell that nobody types at: it does not end by itself. */
#define ENDLESS                                                                \
	"machine{policy = \"" SCENARIOS "policy/shell.policy\"}\n"             \
	"run_for(s(1000000))\n"

Test(left, by_a_signal_a_recording_is_whole)
{
	struct output *o;

	shell("cd %s && printf '" ENDLESS "' >s.lua", scratch());
	o = shell("cd %s && { " PARTERRE
		  " record --out r -o s.rec s.lua & " LEFT "; }",
		  scratch(), "r");
	wants(o, 128 + 15);
	says(o, "left by a signal, so without a golden trace");
	o = shell("cd %s && ls && " PARTERRE
		  " trace --count r/trace && " PARTERRE
		  " replay --out again s.rec",
		  scratch());
	wants(o, 0);
	says(o, "r\ns.lua\ns.rec\n ");
	says(o, " in all");
	says(o, "bit for bit the same");
	/* The same of a run that is left by --until. */
	wants(shell("cd %s && " PARTERRE " record --quiet --until 12345678ns "
		    "--out r -o u.rec s.lua && " PARTERRE
		    " replay --quiet --out again u.rec",
		    scratch()),
	      0);
}

Test(left, by_a_signal_a_folder_tells_what_there_is)
{
	struct output *o;

	make_cases("a");
	shell("cd %s && printf '" ENDLESS "' >cases/b.lua && "
	      "cp cases/a.lua cases/c.lua",
	      scratch());
	shell("cd %s && mkdir images && ln -s " BUILD_DIR "/hv/*.elf " BUILD_DIR
	      "/tests/guest/hello* images",
	      scratch());
	o = shell("cd %s && { " PARTERRE " test --update --jobs 1 --images "
		  "images --junit x.xml --out %s/runs cases & " LEFT "; }",
		  scratch(), scratch(), "runs/b");
	wants(o, 128 + 15);
	says(o, "\na                                new ");
	says(o, "\nb                                -            not run ");
	says(o, "\nc                                -            not run ");
	says(o, "3 scenarios, 0 failed, 2 not run");
	xml_has("concat(//@skipped, count(//testcase[skipped]))", "22");
	/* Nobody is left behind, and what was made is kept. */
	wants(shell("cd %s && ls cases/golden && test $(ls cases/golden) = "
		    "a.golden && ! pgrep -f ^parterre.*%s",
		    scratch(), scratch()),
	      0);
}

/* Two runs of one name in one folder. */
Test(left, a_folder_is_of_one_run)
{
	struct output *o;

	shell("cd %s && printf '" ENDLESS "' >s.lua", scratch());
	o = shell("cd %s && { " PARTERRE " run --quiet s.lua >one & p=$!; "
		  "until test -s parterre.out/s/trace/stream; do sleep 0.05; "
		  "done; mkdir other; cp s.lua other; " PARTERRE
		  " run --quiet other/s.lua; echo status $?; kill -TERM $p; "
		  "wait $p; cat one; }",
		  scratch());
	says(o, "parterre.out/s: another run is under way in this folder");
	says(o, "status 2");
	says(o, "s: left by a signal");
	/* What is held against a run does not lie where the run writes. */
	wants(shell("cd %s && " PARTERRE " run --quiet --until 1ms s.lua",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE
		  " check --until 2ms parterre.out/s/trace s.lua",
		  scratch());
	wants(o, 2);
	says(o, "the run would replace this trace");
	wants(shell("cd %s && " PARTERRE " check --quiet --out new --until 1ms "
		    "parterre.out/s/trace s.lua",
		    scratch()),
	      0);
}

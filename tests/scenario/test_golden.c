/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Golden traces: recorded, held, each layer's difference told; differences that
 * matter between two traces.
 */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define QUICKSTART SCENARIOS "quickstart.lua"
#define CHECK_IT                                                               \
	PARTERRE " check --quiet --out %s/again %s/a.golden " QUICKSTART

static void record(void)
{
	wants(shell(PARTERRE
		    " record --quiet --out %s/out -o %s/a.rec " QUICKSTART,
		    scratch(), scratch()),
	      0);
}

Test(golden, is_small_and_held)
{
	struct output *o;

	record();
	wants(shell("test $(stat -c %%s %s/a.golden) -lt 65536 && "
		    "! LC_ALL=C grep -q '[^ -~]' %s/a.golden",
		    scratch(), scratch()),
	      0);
	o = shell(CHECK_IT, scratch(), scratch());
	wants(o, 0);
	says(o, "semantic, architectural and timed layer are the same");
}

/* Changes the golden trace; the layer is told, with what is above it. */
static void differs(const char *change, const char *layer)
{
	struct output *o;
	char text[64];

	snprintf(text, sizeof(text), "the %s layer differs first", layer);
	shell("cd %s && cp a.golden b.golden && sed -i '%s' b.golden && "
	      "! cmp -s a.golden b.golden",
	      scratch(), change);
	o = shell("cd %s && ! cmp -s a.golden b.golden && " PARTERRE
		  " check --quiet --out again b.golden " QUICKSTART,
		  scratch());
	wants(o, 6);
	says(o, text);
}

Test(golden, tells_the_layer_that_differs_first)
{
	record();
	differs("s/^  state of=io.a old_state=0 new_state=1/"
		"  state of=io.a old_state=0 new_state=2/; "
		"s/^end [0-9]*/end 5/",
		"semantic");
	differs("s/^guest1 \\([0-9]*\\) syscall/guest1 1\\1 syscall/; "
		"s/^end [0-9]*/end 5/",
		"architectural");
	differs("s/^end [0-9]*/end 5/", "timed");
}

/* What is no golden trace, or no whole one, is no difference. */
Test(golden, what_is_none_is_told)
{
	static const struct {
		const char *make, *why;
	} all[] = {
		{"head -c 1500 a.golden", "bad: the golden trace is cut off"},
		{"sed '$d' a.golden", "bad: the golden trace is cut off"},
		{"head -c -1 a.golden", "bad: the golden trace is cut off"},
		{"sed '1s/[0-9]*$/99/' a.golden", "is no golden trace of"},
		{"cat a.rec", "`parterre replay` runs this recording again"},
		{":", "bad: cannot be read: it is empty"},
	};
	struct output *o;

	record();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		o = shell("cd %s && { %s; } >bad && " PARTERRE
			  " check --quiet --out again bad " QUICKSTART,
			  scratch(), all[i].make);
		wants(o, 2);
		says(o, all[i].why);
	}
	o = shell("cd %s && " PARTERRE
		  " check --quiet --out again no.golden " QUICKSTART,
		  scratch());
	wants(o, 2);
	says(o, "no.golden: cannot be read: No such file or directory; "
		"`parterre record` makes it");
}

/* A recording of another engine: named, but only where the runs differ. */
Test(golden, a_recording_of_another_engine)
{
	struct output *o;

	record();
	shell("cd %s && sed -i 's/^engine .*/engine other 1/' a.rec && "
	      "sed 's/^digest .*/digest 0123456789abcdef/' a.rec >b.rec",
	      scratch());
	o = shell("cd %s && " PARTERRE " replay a.rec", scratch());
	wants(o, 0);
	cr_assert(!strstr(o->text, "other 1"), "%s", o->text);
	o = shell("cd %s && " PARTERRE " replay b.rec", scratch());
	wants(o, 6);
	says(o, "it was recorded with other 1, this is unicorn");
}

/* Of other images only the semantic layer is held. */
Test(golden, of_other_images)
{
	struct output *o;

	record();
	shell("sed -i 's/^images .*/images 0123456789abcdef/; "
	      "s/^end [0-9]*/end 5/' %s/a.golden",
	      scratch());
	o = shell(CHECK_IT, scratch(), scratch());
	wants(o, 0);
	says(o, "the images are others");
	shell("sed -i '0,/ [0-9]* block_response/s// 9 block_response/' "
	      "%s/a.golden",
	      scratch());
	wants(shell(CHECK_IT, scratch(), scratch()), 6);
}

/* --- whatever counts time --- */

#define WITH_TIMING                                                            \
	"cd %s && " PARTERRE " check --quiet --out again --timing %s %s %s"

static void same_with(const char *timing)
{
	struct output *o = shell(WITH_TIMING, scratch(), timing,
				 SOURCE_DIR "/tests/golden/step-by-step.golden",
				 SCENARIOS "step-by-step.lua");

	wants(o, 0);
	cr_assert(strstr(o->text, "semantic"), "%s", o->text);
}

/* Where nobody waits for who comes first, what happens is the same under each
 * model, and on another core: two slots, slow loads, small caches. */
Test(golden, what_happens_does_not_depend_on_the_model)
{
	wants(shell("{ cat " SOURCE_DIR "/cpu/timing/generic.profile && "
		    "printf '%%s\\n' 'set width 2' 'set load 9' "
		    "'set mispredict 40' 'cache l1d 8 2 0' "
		    "'cache l2 64 4 25' 'set dram 900'; } "
		    ">%s/slow.profile",
		    scratch()),
	      0);
	same_with("flat");
	same_with("block");
	same_with("memory");
	same_with("block --profile slow.profile");
	same_with("memory --profile slow.profile");
}

/* Many requests under way: the model decides which is answered first. */
Test(golden, who_comes_first_depends_on_the_model)
{
	struct output *o;

	wants(shell(PARTERRE " record --quiet --out %s/out -o %s/a.rec " CASES
			     "one-guest.lua",
		    scratch(), scratch()),
	      0);
	o = shell(WITH_TIMING, scratch(), "memory", "a.golden",
		  CASES "one-guest.lua");
	wants(o, 6);
	says(o, "the semantic layer differs first");
}

/* --- differences that matter --- */

/* The commands that a comparison prints, as they are printed: both stand at one
 * instant, at which instructions have been retired. */
static void goes_there(const char *told, const char *scenario)
{
	FILE *f;
	char path[256];

	snprintf(path, sizeof(path), "%s/told", scratch());
	f = fopen(path, "w");
	cr_assert(f && fputs(told, f) >= 0 && fclose(f) == 0);
	wants(shell("cd %s && parterre() { " PARTERRE " \"$@\"; } && "
		    "sed -i 's|SCENARIO|%s|' told && "
		    "inspect=$(sed -n 's/^go there: //p' told) && "
		    "debug=$(sed -n 's/^or: \\(.*\\), and there: run-to .*/"
		    "\\1/p' told | grep debug) && "
		    "there=$(sed -n 's/^or: parterre debug .* there: //p' "
		    "told) && at=${there#run-to } && "
		    "eval \"$inspect\" >inspected && "
		    "echo \"$there\" | eval \"$debug --quiet\" >debugged && "
		    "ms=$(echo ${at%%ps} | awk '{ printf \"%%.6f ms\", $1 / "
		    "1e9 }') && cat inspected debugged && "
		    "grep -x \"time_ps: ${at%%ps}\" inspected && "
		    "grep \"$ms, [1-9][0-9]* instructions\" debugged",
		    scratch(), scenario),
	      0);
}

/* So does gdb, by the commands that start the machine and gdb. */
static void goes_there_by_gdb(void)
{
	wants(shell("cd %s && parterre() { " PARTERRE " \"$@\"; } && "
		    "run=$(sed -n 's/^or: \\(parterre run .*\\)/\\1/p' told) "
		    "&& "
		    "gdb=$(sed -n 's/^and: \\(gdb .*\\)/\\1/p' told) && "
		    "test -n \"$run\" && test -n \"$gdb\" && "
		    "rm -f parterre.gdb && { eval \"$run\" >ran 2>&1 & } && "
		    "for i in $(seq 400); do test -S parterre.gdb && break; "
		    "sleep 0.05; done; "
		    "printf 'monitor who\\nkill\\n' | eval \"$gdb\" >gdbed "
		    "2>&1; "
		    "wait; cat ran gdbed; "
		    "ms=$(awk '/^time_ps: / { printf \"%%.6f ms\", $2 / 1e9 }' "
		    "inspected) && "
		    "grep \"$ms, [1-9][0-9]* instructions\" gdbed",
		    scratch()),
	      0);
}

Test(golden, diff_names_the_first_difference_that_matters)
{
	struct output *o;

	/* A copy of a trace: no difference. */
	wants(shell(PARTERRE " run --quiet --out %s/a " QUICKSTART, scratch()),
	      0);
	shell("mkdir %s/b && cp -r %s/a/trace %s/b/trace", scratch(), scratch(),
	      scratch());
	wants(shell(PARTERRE " diff %s/a/trace %s/b/trace", scratch(),
		    scratch()),
	      0);
	/* A guest of one scenario writes other records. */
	wants(shell(PARTERRE " run --quiet --out %s/c " CASES "one-guest.lua",
		    scratch()),
	      0);
	o = shell(PARTERRE " diff %s/a/trace %s/c/trace", scratch(), scratch());
	wants(o, 6);
	says(o, "the first difference that matters: ");
	says(o, "go there: parterre inspect --at ");
	goes_there(o->text, QUICKSTART);
	goes_there_by_gdb();
}

/* Images of which one has a function changed, in its file, by gdb. */
Test(golden, diff_run_names_the_changed_function)
{
	struct output *o;

	wants(shell("cd %s && mkdir b && cp " BUILD_DIR "/hv/*.elf b && "
		    "gdb -nx -batch --write -ex 'set variable "
		    "*(unsigned char *)block_attach = 0xcc' b/io.elf && "
		    "! cmp -s b/io.elf " BUILD_DIR "/hv/io.elf",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " diff --run " BUILD_DIR
		  "/hv b " SOURCE_DIR "/tests/diff/corpus.lua",
		  scratch());
	wants(o, 6);
	says(o, "code that is not the same in both");
	says(o, "  io.a: block_attach+0 (");
	says(o, " int3");
	/* The same images: the same run. */
	wants(shell("cd %s && " PARTERRE " diff --run " BUILD_DIR
		    "/hv " BUILD_DIR "/hv " SOURCE_DIR "/tests/diff/corpus.lua",
		    scratch()),
	      0);
}

/* One-line changes, compiled (tests/diff): named is the changed function, first
 * of all, also when it is inlined in another, or the first that reads data that
 * is not the same. */
Test(golden, diff_finds_changes)
{
	static const struct {
		const char *change, *image, *line;
	} all[] = {
		/* Who reads what room() gives: their lines are one instruction.
		 */
		{"room-one-less", "io", ": queue_put, inlined in queue_"},
		{"table-of-types", "boot", "boot: channel_attach+"},
		{"a-digit", "boot", "boot: digits, inlined in vformat+"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		static const char head[] = "code that is not the same";
		struct output *o;
		char *first;

		wants(shell("cd %s && rm -rf b && mkdir b && "
			    "ln -s " BUILD_DIR "/hv/*.elf b && "
			    "ln -sf " BUILD_DIR "/tests/diff/%s/%s.elf b",
			    scratch(), all[i].change, all[i].image),
		      0);
		o = shell("cd %s && " PARTERRE " diff --run " BUILD_DIR
			  "/hv b " SOURCE_DIR "/tests/diff/corpus.lua",
			  scratch());
		wants(o, 6);
		says(o, head);
		first = strchr(strstr(o->text, head), '\n') + 1;
		first[strcspn(first, "\n")] = '\0';
		cr_assert(strstr(first, all[i].line), "%s", first);
	}
}

/* The value in which two runs differ is followed to who made it. */
Test(golden, diff_run_names_who_wrote_the_value)
{
	struct output *o;

	/* answer() tells another sequence. */
	wants(shell("cd %s && mkdir b && ln -s " BUILD_DIR "/hv/*.elf b && "
		    "ln -sf " BUILD_DIR "/tests/diff/answers-in-reverse/io.elf "
		    "b",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " diff --run " BUILD_DIR
		  "/hv b " SOURCE_DIR "/tests/diff/corpus.lua",
		  scratch());
	wants(o, 6);
	says(o, "the first difference that matters: io.a");
	says(o, "cause  B: its sequence, 2, was written last at ");
	says(o, "\n         io.a: answer+");
	goes_there(o->text, "none");
	goes_there_by_gdb();
}

/* Recordings: the interval by their chains, the instruction, what was injected.
 */
Test(golden, diff_of_recordings_names_the_first_instruction)
{
	struct output *o;

	shell("cd %s && printf 'machine{policy = \"%s\"}\n"
	      "wait_event(\"committed\", {stream = 1, record = 10 + "
	      "tonumber(param(\"n\", \"0\"))}, {within = ms(100)})\n"
	      "inject.hang(\"io.a\")\nrun_for(ms(4))\n' >s.lua",
	      scratch(), SCENARIOS "policy/failover.policy");
	wants(shell("cd %s && for n in 0 7; do " PARTERRE
		    " record --quiet --set n=$n -o $n.rec s.lua || exit; done",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " diff 0.rec 7.rec", scratch());
	wants(o, 6);
	says(o, "the first instruction that does not do the same");
	says(o, "io.a: io_main_loop+");
	says(o, "what=\"io.a.text hang\"");
	goes_there(o->text, "none");
	/* The interval is the one that the fault is in. */
	wants(shell("cd %s && " PARTERRE " diff 0.rec 7.rec | awk '"
		    "/the chains part between/ { from = $5; to = $7 } "
		    "/injected/ && !at { at = $2 * 1000 } "
		    "END { exit !(at && from <= at && at <= to) }'",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " diff 0.rec 0.rec", scratch());
	wants(o, 0);
	says(o, "the same run");
	/* With what is none, in either place. */
	wants(shell("cd %s && for p in '0.rec 0.golden' '0.golden 7.golden' "
		    "'parterre.out/s/trace 0.rec' '0.rec none'; do " PARTERRE
		    " diff $p; test $? -eq 2 || exit 1; done 2>told; "
		    "test $(grep -c 'both have to be traces' told) -eq 4",
		    scratch()),
	      0);
}

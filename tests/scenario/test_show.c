/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs that somebody watches: what is shown where the machine stands, stepping
 * and going back, and that the machine feels nothing of it. */
#include <stdio.h>
#include <string.h>

#include "shell.h"
#include "terminal.h"

#define FAILOVER SCENARIOS "io-failover.lua"

static struct terminal t;

/* The digest line of a run that nobody watches. */
static const char *undisturbed(void)
{
	static char line[128];
	struct output *o =
		shell(PARTERRE " run --quiet --out %s/alone " FAILOVER
			       " | grep ^digest",
		      scratch());

	wants(o, 0);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(o->text, "\n"),
		 o->text);
	cr_assert_gt(strlen(line), 40);
	return line;
}

/* The instants of the failover differ from compiler to compiler: one is taken
 * from the trace.  ms, in the form that options and pictures have. */
static double instant_of(const char *jq)
{
	struct output *o = shell(
		PARTERRE
		" trace export --json --class partition "
		"%s/alone/trace | jq -r '.events[] | select(%s) | .time_ps' | "
		"head -n 1",
		scratch(), jq);
	double ps = 0;

	wants(o, 0);
	cr_assert_eq(sscanf(o->text, "%lf", &ps), 1, "%s", o->text);
	return ps;
}

Test(show, terminal_stands_steps_and_goes_back, .timeout = 120)
{
	const char *digest = undisturbed();
	char command[512], at[64], before[64];
	double death =
		instant_of(".event == \"state\" and .fields.new_state == 3");
	unsigned us = (unsigned)(death / 1e6) + 1000;

	snprintf(command, sizeof(command),
		 PARTERRE " run --ui --stop-at %uus --out %s/ui " FAILOVER, us,
		 scratch());
	snprintf(at, sizeof(at), "%u.%03u000 ms", us / 1000, us % 1000);
	snprintf(before, sizeof(before), "%u.%03u000 ms", (us - 10000) / 1000,
		 us % 1000);
	terminal_open(&t, command);
	terminal_shows(&t, at);
	terminal_shows(&t, "STANDS");
	terminal_shows(&t, "io.a         crashed     crashed");
	terminal_shows(&t, "down      io.a crashed, vector 6");
	terminal_shows(&t, "guest1     => io.b");
	terminal_press(&t, "B"); /* ten milliseconds back: it still lives */
	terminal_shows(&t, before);
	terminal_shows(&t, "io.a         running");
	terminal_shows(&t, "guest1     -> io.a");
	terminal_press(&t, "n");
	terminal_shows(&t, " -> "); /* "[2] guest1 -> io.a on cpu0 at ..." */
	terminal_press(&t, "sS ");
	terminal_shows(&t, "IS OVER");
	terminal_press(&t, "q");
	cr_assert_eq(terminal_close(&t), 0);
	cr_assert(terminal_had(&t, digest), "%s is not in:\n%s", digest,
		  t.text);
	cr_assert(terminal_had(&t, "load back"));
}

Test(show, terminal_is_left, .timeout = 120)
{
	char command[512];

	snprintf(command, sizeof(command),
		 PARTERRE " run --ui -S --out %s/ui " FAILOVER, scratch());
	terminal_open(&t, command);
	terminal_shows(&t, "0.000000 ms");
	terminal_shows(&t, "the machine stands before its first instruction");
	terminal_shows(&t, "(hv/boot/"); /* where its CPU is: name, file */
	terminal_press(&t, "q");
	cr_assert_eq(terminal_close(&t), 0);
	cr_assert(terminal_had(&t, "\033[?1049l"), "the terminal is not back");
}

/* A run of 200 ms in which nothing happens: over at once, but at a hundredth of
 * real time it is there to be looked at. */
static void idles(void)
{
	wants(shell("cat >%s/own.lua <<'END'\n"
		    "machine{ kernel = 'echo', modules = {}, disk = false, "
		    "controllers = 0 }\nrun_for(ms(200))\nEND\ntrue",
		    scratch()),
	      0);
}

Test(show, terminal_pauses_and_chooses_a_speed, .timeout = 120)
{
	static const char *const held[] = {"held to 10 % of real time",
					   "held to 100 % of real time",
					   "held to 1000 % of real time"};
	char command[512];

	idles();
	snprintf(command, sizeof(command),
		 PARTERRE " run --ui --speed 1 --images " BUILD_DIR
			  "/tests/guest --out %s/ui %s/own.lua",
		 scratch(), scratch());
	terminal_open(&t, command);
	terminal_shows(&t, "runs  held to 1 % of real time");
	terminal_press(&t, " ");
	terminal_shows(&t, "STANDS  held to 1 % of real time");
	for (size_t i = 0; i < 3; i++) {
		terminal_press(&t, "+");
		terminal_shows(&t, held[i]);
	}
	terminal_press(&t, "-");
	terminal_shows(&t, held[1]);
	terminal_press(&t, "++ ");
	terminal_shows(&t, "IS OVER");
	terminal_press(&t, "q");
	cr_assert_eq(terminal_close(&t), 0);
}

Test(show, what_does_not_go_together)
{
	struct output *o = shell(PARTERRE " run --ui " FAILOVER);

	wants(o, 2);
	says(o, "--ui draws on a terminal");
	o = shell(PARTERRE " run --ui --gdb tcp:1 " FAILOVER);
	wants(o, 2);
	says(o, "one of --ui, --window and --gdb");
	o = shell(PARTERRE " run --stop-at 4ms " FAILOVER);
	wants(o, 2);
	says(o, "--stop-at and --speed are for --ui or --window");
	wants(shell(PARTERRE " check --ui x " FAILOVER), 2);
}

/* A trace whose end takes more than a second to come. */
Test(show, long_work_shows_how_far_it_is)
{
	char command[1024];

	wants(shell(PARTERRE " run --quiet --out %s/alone " CASES
			     "expectation.lua",
		    scratch()),
	      1);
	snprintf(command, sizeof(command),
		 "cd %s && mkdir slow && cp alone/trace/metadata slow && "
		 "mkfifo slow/stream && { head -c 300000; sleep 1.1; cat; } "
		 "<alone/trace/stream >slow/stream & "
		 "sleep 0.1; " PARTERRE " trace --count %s/slow >/dev/null",
		 scratch(), scratch());
	terminal_open(&t, command);
	terminal_close(&t);
	cr_assert(terminal_had(&t, "reading the trace  ["), "%s", t.text);
	cr_assert(terminal_had(&t, " %\r\033[K"), "it stays there");
}

/* So do those that run others, here one that does not end by itself. */
Test(show, running_others_shows_how_far_it_is, .timeout = 120)
{
	char command[1024];

	wants(shell("mkdir %s/folder && sed 's|\\.\\./\\.\\.|" SOURCE_DIR
		    "|; s/quickstart/shell/; s/ms(38)/s(1000000)/' " CASES
		    "spend.lua >%s/folder/long.lua",
		    scratch(), scratch()),
	      0);
	snprintf(command, sizeof(command),
		 "trap : INT; " PARTERRE " test --out %s/test %s/folder",
		 scratch(), scratch());
	terminal_open(&t, command);
	terminal_draws(&t, "scenarios  [");
	terminal_press(&t, "\003");
	cr_assert_eq(terminal_close(&t), 128 + 2);
	cr_assert(terminal_had(&t, "1 scenarios, 0 failed, 1 not run"), "%s",
		  t.text);
}

/* --- the window --- */

#define WINDOW_FOR(seconds)                                                    \
	"SDL_VIDEODRIVER=dummy timeout " seconds " " PARTERRE                  \
	" run --window-script %s/script "
#define WINDOW WINDOW_FOR("60")

static void script(const char *text)
{
	wants(shell("cat >%s/script <<'END'\n%s\nEND\ntrue", scratch(), text),
	      0);
}

/* The same place, come to by going back: the same picture, but for its second
 * line, which tells how it was come to.  And the machine felt nothing. */
Test(show, window_is_the_same_come_from_wherever, .timeout = 150)
{
	const char *digest = undisturbed();
	double moved = instant_of(".event == \"channel\" and "
				  ".fields.server == 6 and "
				  ".fields.client == 10");
	unsigned us = (unsigned)(moved / 1e6) + 50;
	char lines[1024];
	struct output *o;

	cr_assert_lt(snprintf(lines, sizeof(lines),
			      "until stands\nshot %s/a.png\n"
			      "click partition io.a\nshot %s/chosen.png\n"
			      "key s\nuntil stands\nkey space\nuntil over\n"
			      "shot %s/over.png\nkey q",
			      scratch(), scratch(), scratch()),
		     (int)sizeof(lines));
	script(lines);
	o = shell(WINDOW "--stop-at %uus --out %s/out " FAILOVER, scratch(), us,
		  scratch());
	wants(o, 0);
	says(o, digest);
	snprintf(lines, sizeof(lines),
		 "until stands\nkey shift-b\nuntil stands\nshot %s/b.png\n"
		 "key shift-n\nuntil stands\nkey b\nuntil stands\n"
		 "shot %s/c.png\nkey space\n"
		 "until over\nkey q",
		 scratch(), scratch());
	script(lines);
	o = shell(WINDOW "--stop-at %uus --out %s/out " FAILOVER, scratch(),
		  us + 10000, scratch());
	wants(o, 0);
	says(o, digest);
	o = shell("cd %s && for i in a b c chosen; do pngtopnm $i.png | "
		  "pamcut -top 50 >$i.pnm; done; cmp a.pnm b.pnm && "
		  "! cmp -s a.pnm c.pnm && ! cmp -s a.pnm chosen.pnm",
		  scratch());
	wants(o, 0);
	/* Colours of the dead one's state, the moved path, and guest1. */
	o = shell("pngtopnm %s/a.png | ppmhist -noheader | awk '"
		  "{ c = $1 \" \" $2 \" \" $3 } "
		  "c == \"255 123 114\" || c == \"134 168 255\" || "
		  "c == \"66 105 208\" { n++; if ($5 < 40) print c, $5 } "
		  "END { print n }'",
		  scratch());
	cr_assert_str_eq(o->text, "3\n");
}

/* Keys go to the guest when its screen was clicked at; they are noted, and
 * typed again they make the same run. */
Test(show, window_types_into_the_machine, .timeout = 120)
{
	char a[20], b[20];
	struct output *o;

	wants(shell("cat >%s/own.lua <<'END'\n"
		    "machine{ kernel = 'echo', modules = {}, disk = false, "
		    "controllers = 0 }\nrun_for(ms(60))\nEND\ntrue",
		    scratch()),
	      0);
	script("until stands\nclick screen 0\nkey a\nkey Up\n"
	       "click screen 0\nrelease\n"
	       "key space\nuntil over\nkey q");
	o = shell(WINDOW "--json --stop-at 5ms --images " BUILD_DIR
			 "/tests/guest --out %s/out %s/own.lua",
		  scratch(), scratch(), scratch());
	wants(o, 0);
	snprintf(a, sizeof(a), "%.19s", json_value(o, "digest"));
	says(shell("grep ^input %s/out/input.txt | cut -d' ' -f3-", scratch()),
	     "0 2 1c\n0 2 f01c\n0 2 e075\n0 2 e0f075\n"
	     "0 3 00000001\n0 3 00000000\n"
	     "0 2 14\n0 2 f014\n"); /* Ctrl does not stay down */
	o = shell("sh %s/out/command --json --out %s/again", scratch(),
		  scratch());
	wants(o, 0);
	snprintf(b, sizeof(b), "%.19s", json_value(o, "digest"));
	cr_assert_eq(strlen(a), 16);
	cr_assert_str_eq(a, b);
	/* At the same instants, too. */
	wants(shell("cmp %s/out/input.txt %s/again/input.txt", scratch(),
		    scratch()),
	      0);
	/* Without the keys it is another machine. */
	o = shell(PARTERRE " run --json --quiet --images " BUILD_DIR
			   "/tests/guest --out %s/alone %s/own.lua",
		  scratch(), scratch());
	snprintf(b, sizeof(b), "%.19s", json_value(o, "digest"));
	cr_assert_str_neq(a, b);
}

/* Each of several machines is shown in its turn, and typed into; the terminal
 * shows them as well. */
Test(show, window_shows_each_machine, .timeout = 120)
{
	char command[512], lines[1024], digest[20];
	struct output *o;

	wants(shell("cat >%s/two.lua <<'END'\n"
		    "machine{ kernel = 'echo', modules = {}, disk = false, "
		    "controllers = 0 }\n"
		    "machine{ name = 'b', kernel = 'smp', modules = {}, "
		    "disk = false, controllers = 0, cpus = 2 }\n"
		    "run_for(ms(30))\nEND\ntrue",
		    scratch()),
	      0);
	script("until stands\nclick cpu 1"); /* the first has one */
	o = shell(WINDOW "-S --images " BUILD_DIR
			 "/tests/guest --out %s/out %s/two.lua",
		  scratch(), scratch(), scratch());
	says(o, "'click cpu 1' cannot be done");
	cr_assert_lt(
		snprintf(lines, sizeof(lines),
			 "until stands\nshot %s/a.png\nkey m\nuntil stands\n"
			 "shot %s/b.png\nclick screen 0\nkey a\nrelease\n"
			 "click cpu 1\nclick machine first\nuntil stands\n"
			 "shot %s/c.png\nkey space\nuntil over\nkey q",
			 scratch(), scratch(), scratch()),
		(int)sizeof(lines));
	script(lines);
	o = shell(WINDOW "--json --stop-at 5ms --images " BUILD_DIR
			 "/tests/guest --out %s/out %s/two.lua",
		  scratch(), scratch(), scratch());
	wants(o, 0);
	snprintf(digest, sizeof(digest), "%.19s", json_value(o, "digest"));
	/* But for the line that tells why it stands: because it was asked. */
	wants(shell("cd %s && for i in a b c; do pngtopnm $i.png | "
		    "pamcut -top 50 >$i.pnm; done; cmp a.pnm c.pnm && "
		    "! cmp -s a.pnm b.pnm",
		    scratch()),
	      0);
	says(shell("grep ^input %s/out/input.txt | cut -d' ' -f3-", scratch()),
	     "1 2 1c\n1 2 f01c\n");
	o = shell("sh %s/out/command --json --out %s/again", scratch(),
		  scratch());
	wants(o, 0);
	says(o, digest);
	snprintf(command, sizeof(command),
		 PARTERRE " run --ui --stop-at 5ms --images " BUILD_DIR
			  "/tests/guest --out %s/ui %s/two.lua",
		 scratch(), scratch());
	terminal_open(&t, command);
	terminal_shows(&t, "machine first (m: next)");
	terminal_press(&t, "m");
	terminal_shows(&t, "machine b (m: next)");
	terminal_shows(&t, "cpu1");
	terminal_press(&t, "q");
	cr_assert_eq(terminal_close(&t), 0);
}

/* What `tell` wrote: line by line the machine, its instant and its count. */
struct told {
	char machine[16], state[16];
	unsigned long long now, retired;
};

static size_t tales(struct told *seen, size_t max)
{
	struct output *o = shell("cat %s/told", scratch());
	size_t n = 0;

	wants(o, 0);
	for (char *at, *line = strtok_r(o->text, "\n", &at); line && n < max;
	     line = strtok_r(NULL, "\n", &at))
		n += sscanf(line, "%15s %llu %llu %15s", seen[n].machine,
			    &seen[n].now, &seen[n].retired, seen[n].state) == 4;
	return n;
}

#define TELL "until stands\ntell %s/told\n"

/* Keys act on the machine that is shown: it is stepped, back and forth, and
 * goes back in time; the others come along, and a run with all of that is the
 * same. */
Test(show, window_drives_the_machine_that_is_shown, .timeout = 150)
{
	static struct output alone;
	struct told seen[12];
	char lines[1024], digest[20];
	struct output *o;

	wants(shell("cat >%s/two.lua <<'END'\n"
		    "machine{ kernel = 'echo', modules = {}, disk = false, "
		    "controllers = 0, ram = '16M' }\n"
		    "machine{ name = 'b', policy = '" SOURCE_DIR
		    "/scenarios/policy/quickstart.policy' }\n"
		    "run_until(ms(38))\nEND\n"
		    "mkdir %s/images && ln -s " BUILD_DIR "/hv/*.elf " BUILD_DIR
		    "/tests/guest/*.elf %s/images",
		    scratch(), scratch(), scratch()),
	      0);
	alone = *shell(PARTERRE " run --quiet --json --images %s/images --out "
				"%s/alone %s/two.lua",
		       scratch(), scratch(), scratch());
	wants(&alone, 0);
	snprintf(digest, sizeof(digest), "%.19s", json_value(&alone, "digest"));
	cr_assert_lt(snprintf(lines, sizeof(lines),
			      TELL "key m\n" TELL "key s\n" TELL "key s\n" TELL
				   "key shift-s\n" TELL "key n\n" TELL
				   "key shift-n\n" TELL "key b\n" TELL
				   "click machine first\n" TELL "key n\n" TELL
				   "key space\nuntil over\ntell %s/told\nkey q",
			      scratch(), scratch(), scratch(), scratch(),
			      scratch(), scratch(), scratch(), scratch(),
			      scratch(), scratch(), scratch()),
		     (int)sizeof(lines));
	script(lines);
	o = shell(WINDOW "--json --stop-at 36ms --images %s/images --out "
			 "%s/out %s/two.lua",
		  scratch(), scratch(), scratch(), scratch());
	wants(o, 0);
	says(o, digest);
	cr_assert_eq(tales(seen, 12), 11);
	cr_assert_str_eq(seen[0].machine, "first");
	cr_assert_eq(seen[0].now, 36000000000);
	for (size_t i = 1; i < 8; i++)
		cr_assert_str_eq(seen[i].machine, "b", "%zu", i);
	/* A step of one instruction, another, and one back. */
	cr_assert_geq(seen[1].now + 20000000, seen[0].now);
	cr_assert_eq(seen[2].retired, seen[1].retired + 1);
	cr_assert_eq(seen[3].retired, seen[2].retired + 1);
	cr_assert_eq(seen[4].retired, seen[2].retired);
	cr_assert_eq(seen[4].now, seen[2].now);
	/* To the next switch of its partitions; back to that before. */
	cr_assert_gt(seen[5].retired, seen[4].retired);
	cr_assert_lt(seen[6].retired, seen[4].retired);
	says(shell("sed -n 6p %s/told", scratch()), " -> ");
	says(shell("sed -n 7p %s/told", scratch()), " -> ");
	/* A millisecond back by its clock; the other one came along. */
	cr_assert_leq(seen[7].now, seen[6].now - 1000000000);
	cr_assert_geq(seen[7].now, seen[6].now - 1100000000);
	cr_assert_str_eq(seen[8].machine, "first");
	cr_assert_lt(seen[8].now, seen[0].now - 900000000);
	/* It has no partitions, and does not run to its end in search of them.
	 */
	cr_assert_eq(seen[9].now, seen[8].now);
	says(shell("sed -n 10p %s/told", scratch()),
	     "this machine has no partitions, so there is no next switch");
	cr_assert_str_eq(seen[10].state, "over");
}

Test(show, window_holds_a_speed, .timeout = 120)
{
	struct output *o;

	idles();
	script("until over 5ms");
	o = shell(WINDOW "--speed 1 --images " BUILD_DIR
			 "/tests/guest --out %s/out %s/own.lua",
		  scratch(), scratch(), scratch());
	wants(o, 2);
	says(o, "'until over 5ms' cannot be done: it still runs at ");
}

/* Each button does what its key does, and one pauses what runs: slowly, so that
 * it is there to be paused. */
Test(show, window_has_buttons, .timeout = 120)
{
	struct told seen[8];
	char lines[1024];

	cr_assert_lt(snprintf(lines, sizeof(lines),
			      TELL "click button step>\n" TELL
				   "click button <step\n" TELL
				   "click button switch>\n" TELL
				   "click button <switch\n" TELL
				   "click button <10ms\n" TELL
				   "click button speed\nuntil stands\n"
				   "click button speed\nuntil stands\n"
				   "click button speed\nuntil stands\n"
				   "click button speed\nuntil stands\n"
				   "click button go\nuntil runs\n"
				   "click button pause\n" TELL
				   "key space\nuntil runs\nkey space\n" TELL
				   "key q",
			      scratch(), scratch(), scratch(), scratch(),
			      scratch(), scratch(), scratch(), scratch()),
		     (int)sizeof(lines));
	script(lines);
	wants(shell(WINDOW "--stop-at 42ms --out %s/out " FAILOVER, scratch(),
		    scratch()),
	      0);
	cr_assert_eq(tales(seen, 8), 8);
	cr_assert_eq(seen[1].retired, seen[0].retired + 1);
	cr_assert_eq(seen[2].retired, seen[0].retired);
	cr_assert_gt(seen[3].retired, seen[0].retired);
	cr_assert_lt(seen[4].retired, seen[0].retired);
	cr_assert_leq(seen[5].now, seen[4].now - 10000000000);
	for (size_t i = 6; i < 8; i++) {
		cr_assert_gt(seen[i].now, seen[i - 1].now);
		cr_assert_str_eq(seen[i].state, "stands");
	}
	/* There is nothing to pause in what stands. */
	script("until stands\nclick button pause");
	says(shell(WINDOW "-S --out %s/out " FAILOVER, scratch(), scratch()),
	     "'click button pause' cannot be done");
}

/* One that is off is no end of the others: they are shown, paused and stepped,
 * and it goes back with them. */
Test(show, window_goes_on_when_a_machine_is_off, .timeout = 120)
{
	struct told seen[8];
	char lines[1024];
	struct output *o;

	/* hello switches itself off, echo waits for a key. */
	wants(shell("cat >%s/two.lua <<'END'\n"
		    "local a = machine{ kernel = 'hello', modules = {}, "
		    "disk = false, controllers = 0, ram = '16M' }\n"
		    "machine{ name = 'b', kernel = 'echo', modules = {}, "
		    "disk = false, controllers = 0, ram = '16M' }\n"
		    "a:wait_off{within = ms(500)}\n"
		    "run_for(ms(50))\nEND\ntrue",
		    scratch()),
	      0);
	cr_assert_lt(snprintf(lines, sizeof(lines),
			      "until stands\nkey space\n" TELL "key s\n" TELL
			      "key m\n" TELL "key b\n" TELL "key m\n" TELL
			      "key shift-s\n" TELL "key space\n" TELL
			      "key space\nuntil over\n"
			      "tell %s/told\nkey q",
			      scratch(), scratch(), scratch(), scratch(),
			      scratch(), scratch(), scratch(), scratch()),
		     (int)sizeof(lines));
	script(lines);
	o = shell(WINDOW "-S --images " BUILD_DIR "/tests/guest --out %s/out "
			 "%s/two.lua",
		  scratch(), scratch(), scratch());
	wants(o, 0);
	cr_assert_eq(tales(seen, 8), 8);
	says(shell("sed -n 1p %s/told", scratch()),
	     "stands the guest switched the machine off");
	says(shell("sed -n 2p %s/told", scratch()), "this machine is off");
	cr_assert_eq(seen[1].retired, seen[0].retired);
	cr_assert_str_eq(seen[2].machine, "b");
	cr_assert_leq(seen[3].now, seen[2].now - 1000000000);
	cr_assert_str_eq(seen[4].machine, "first");
	cr_assert_lt(seen[4].now, seen[0].now);
	cr_assert_eq(seen[5].retired, seen[4].retired - 1);
	says(shell("sed -n 7p %s/told", scratch()),
	     "stands the guest switched the machine off");
	cr_assert_eq(seen[6].retired, seen[0].retired);
	cr_assert_str_eq(seen[7].state, "over");
}

Test(show, window_script_that_is_none)
{
	struct output *o;

	script("until stands\npress it");
	o = shell(WINDOW "-S --out %s/out " FAILOVER, scratch(), scratch());
	wants(o, 2);
	says(o, "/script:2: 'press it' cannot be done");
}

/* A script that waits for what cannot come says so, at once. */
Test(show, window_script_that_waits_in_vain)
{
	static const struct {
		const char *lines, *says;
	} cases[] = {
		{"until over",
		 "/script:1: 'until over' cannot be done: it stands at "
		 "0.000000 ms: the machine stands before its first"},
		{"until stands\nkey space\nuntil over 5ms",
		 "/script:3: 'until over 5ms' cannot be done: it still runs "
		 "at"},
		{"until stands\nuntil later", "'until later' cannot be done;"},
		{"until stands 5", "'until stands 5' cannot be done;"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct output *o;

		script(cases[i].lines);
		o = shell(WINDOW_FOR("20") "-S --out %s/out " FAILOVER,
			  scratch(), scratch());
		wants(o, 2);
		says(o, cases[i].says);
	}
	/* Speed is answered too, where it stands. */
	script("until stands\nkey v\nuntil stands\nkey s\nkey s\n"
	       "until stands\nkey q");
	wants(shell(WINDOW_FOR("20") "-S --out %s/out " FAILOVER, scratch(),
		    scratch()),
	      0);
}

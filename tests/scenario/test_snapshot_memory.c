/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.take(), restore(), free(): what was tried in between leaves no mark,
 * neither in the machine nor in the run's folder.  (tests/unit/machine has the
 * machine alone, at random instants.) */
#include <stdio.h>
#include <string.h>

#include "shell.h"

static struct output *run(const char *options)
{
	return shell("cd %s && " PARTERRE " run --json %s", scratch(), options);
}

static void scenario(const char *file, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scratch(), file);
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f, text, SCENARIOS);
	fclose(f);
}

/* Crashes, planned ones, the screen, the disks, also to the machine's end; and
 * from a later one to an earlier.  Then one goes on. */
static const char strays[] =
	"machine{policy = '%spolicy/failover.policy',\n"
	"        cpus = param('cpus', 1), disk = '8M'}\n"
	"wait_event('committed', {stream = 1, record = 20}, {within = "
	"ms(200)})\n"
	"wait_console('*', '.', {within = ms(100)})\n"
	"if param('stray', true) then\n"
	"  local from, lines = now(), {}\n"
	"  local a = snapshot.take()\n"
	"  for turn = 1, 3 do\n"
	"    inject.plan('crash io.b @ event committed stream=2')\n"
	"    inject.plan('crash io.b @ 79ms')\n"
	"    run_for(us(50 * turn))\n"
	"    inject.crash('io.a')\n"
	"    local b = snapshot.take()\n"
	"    local x, y = wait_console('*', '.', {within = ms(20)})\n"
	"    run_for(ms(turn))\n"
	"    snapshot.restore(b)\n"
	"    local again, when = wait_console('*', '.', {within = ms(20)})\n"
	"    expect_eq(again, x, 'the line')\n"
	"    expect_eq(when, y, 'its instant')\n"
	"    if turn == 2 then wait_off{within = ms(500)} end\n"
	"    snapshot.restore(a)\n"
	"    expect_eq(now(), from, 'the instant')\n"
	"    expect_eq(partition('io.a').state, 'running', 'io.a')\n"
	"  end\n"
	"end\n"
	"run_for(us(77))\n"
	"inject.crash('io.a')\n"
	"wait_event('channel', {client = 'guest1', server = 'io.b'},\n"
	"           {within = ms(1)})\n"
	"run_until(ms(80))\n";

Test(snapshot_memory, what_was_tried_leaves_no_mark, .timeout = 120)
{
	scenario("s.lua", strays);
	for (unsigned cpus = 1; cpus <= 4; cpus *= 2) {
		char options[200];

		for (unsigned stray = 0; stray < 2; stray++) {
			snprintf(options, sizeof(options),
				 "--out %u --set stray=%s --set cpus=%u s.lua",
				 stray, stray ? "true" : "false", cpus);
			wants(run(options), 0);
		}
		wants(shell("cd %s && for f in trace/stream console.txt "
			    "disk.img; do cmp 0/$f 1/$f || exit 1; done && "
			    "for d in 0 1; do grep -E "
			    "'^(chain|digest|sample|trace)' $d/result "
			    ">$d/sums && test -s $d/sums || exit 1; done && "
			    "cmp 0/sums 1/sums",
			    scratch()),
		      0);
	}
}

/* Class full: each instruction once, with a seam where it went back. */
Test(snapshot_memory, deep_traces_go_back_too)
{
	char want[20];
	struct output *o;

	scenario("f.lua", "machine{policy = '%spolicy/failover.policy'}\n"
			  "run_until(ms(40))\n"
			  "trace{class = 'full'}\n"
			  "if param('stray', true) then\n"
			  "  local s = snapshot.take()\n"
			  "  run_for(us(300))\n"
			  "  snapshot.restore(s)\n"
			  "end\n"
			  "run_for(us(100))\n");
	for (unsigned stray = 0; stray < 2; stray++) {
		o = shell("cd %s && " PARTERRE
			  " run --quiet --out f --trace full --trace-window "
			  "40ms.. --set stray=%s f.lua >/dev/null && " PARTERRE
			  " trace --class full f/trace | grep -c instruction",
			  scratch(), stray ? "true" : "false");
		wants(o, 0);
		if (stray)
			cr_assert_str_eq(o->text, want);
		snprintf(want, sizeof(want), "%.19s", o->text);
		cr_assert(strlen(want) > 4, "%s", want);
	}
}

/* What is on a cable comes back, and what is captured of it. */
Test(snapshot_memory, frames_on_their_way)
{
	scenario("n.lua",
		 "network{capture = true}\n"
		 "machine{nics = 2, policy = '%spolicy/network.policy'}\n"
		 "run_until(us(61003))\n"
		 "if param('stray', true) then\n"
		 "  local s = snapshot.take()\n"
		 "  for i = 1, 2 do\n"
		 "    run_for(us(900 * i))\n"
		 "    snapshot.restore(s)\n"
		 "  end\n"
		 "end\n"
		 "run_until(ms(64))\n");
	for (unsigned stray = 0; stray < 2; stray++)
		wants(shell("cd %s && " PARTERRE " run --json --out %u "
			    "--set stray=%s n.lua >said%u",
			    scratch(), stray, stray ? "true" : "false", stray),
		      0);
	wants(shell("cd %s && test $(stat -c %%s 0/network.pcap) -gt 100 && "
		    "cmp 0/network.pcap 1/network.pcap && "
		    "cmp 0/trace/stream 1/trace/stream && "
		    "for n in 0 1; do grep -E '\"(chain|digest)\"' said$n "
		    ">sums$n && test -s sums$n || exit 1; done; "
		    "cmp sums0 sums1",
		    scratch()),
	      0);
}

Test(snapshot_memory, what_cannot_be)
{
	static const struct {
		const char *text, *why;
	} all[] = {
		{"local s = snapshot.take() snapshot.free(s) "
		 "snapshot.free(s) snapshot.restore(s)",
		 "the snapshot was freed"},
		{"do local s <close> = snapshot.take() t = s end "
		 "expect_eq(tostring(t), 'snapshot (freed)', 'it') "
		 "snapshot.restore(t)",
		 "the snapshot was freed"},
		{"snapshot.restore(5)", "parterre.snapshot expected"},
		{"snapshot.restore()", "parterre.snapshot expected"},
		{"run_for(ms(40)) local all = {} for i = 1, 60 do "
		 "all[i] = snapshot.take() run_for(ms(1)) end",
		 "snapshots in memory hold 1 MiB"},
		{"local s for i = 1, 9 do s = snapshot.take() end "
		 "run_for(ms(1)) snapshot.restore(s) run_for(us(10)) "
		 "expect_eq(now(), us(10), 'it is')",
		 NULL},
		{"wait_off{within = s(1)} snapshot.take()",
		 "the machine has ended"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct output *o;

		o = shell("cd %s && printf \"machine{policy = '" SCENARIOS
			  "policy/failover.policy', snapshot_memory = "
			  "'1M'}\\n t = nil\\n%s\\n\" >x.lua && " PARTERRE
			  " run --quiet x.lua",
			  scratch(), all[i].text);
		if (!all[i].why) {
			wants(o, 0);
			continue;
		}
		cr_assert_neq(o->status, 0, "%s", all[i].text);
		says(o, all[i].why);
		says(o, "x.lua:");
	}
}

Test(snapshot_memory, of_several_machines)
{
	struct output *o;

	scenario("two.lua", "machine{policy = '%spolicy/failover.policy'}\n"
			    "machine{name = 'b'}\nsnapshot.take()\n");
	o = run("--quiet two.lua");
	wants(o, 2);
	says(o, "a snapshot is of one machine");
}

/* Under the debugger the past begins where the scenario went back last, at the
 * record that the trace shows, and going back leaves no mark either. */
Test(snapshot_memory, ten_instants)
{
	struct output *o;
	char begins[64];

	wants(shell("cd %s && " PARTERRE " run --quiet --out plain " SCENARIOS
		    "ten-instants.lua",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " trace --event committed plain/trace | "
		  "awk '/ stream=1 record=20 / { sub(/^[0.]+/, \"\", $1); "
		  "printf \"begins at %%s ps\", $1 }'",
		  scratch());
	wants(o, 0);
	says(o, "begins at ");
	cr_assert_lt(strlen(o->text), sizeof(begins));
	strcpy(begins, o->text);
	o = shell("cd %s && printf 'run-to 43100us\\nreverse-stepi\\n"
		  "reverse-continue\\nprint(\"begins at \" .. now() .. "
		  "\" ps\")\\ncontinue\\n' >commands && " PARTERRE
		  " debug --out debugged -x commands " SCENARIOS
		  "ten-instants.lua",
		  scratch());
	wants(o, 0);
	says(o, "the past begins here");
	says(o, begins);
	wants(shell("cd %s && cmp plain/trace/stream debugged/trace/stream && "
		    "cmp plain/disk.img debugged/disk.img",
		    scratch()),
	      0);
}

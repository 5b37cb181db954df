/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scenarios hold, the same run gives the same bits however it is made, and
 * what is wrong ends as it should. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#include "hv/abi/record.h"

/* --- they hold --- */

static struct output *holds(const char *scenario)
{
	struct output *o =
		shell(PARTERRE " run --quiet --out %s/out " SCENARIOS "%s.lua",
		      scratch(), scenario);

	wants(o, 0);
	says(o, "disk: lost 0, doubled 0, torn 0, out of order 0");
	says(o, "records issued 800, acknowledged 800");
	return o;
}

Test(scenario, quickstart)
{
	says(holds("quickstart"), "replayed 0;");
}

Test(scenario, s72_s80_io_failover)
{
	struct output *o = holds("io-failover");

	says(o, "detected, by report");
	says(o, "first I/O there");
	says(o, "load back");
}

Test(scenario, s78_io_failover_hang)
{
	struct output *o = holds("io-failover-hang");

	says(o, "detected, by time-out");
	says(o, "first I/O there");
	says(o, "load back");
}

Test(scenario, s81_iommu)
{
	holds("iommu");
}

Test(scenario, s79_power_cut_loses_nothing_flushed)
{
	wants(shell(PARTERRE " run --quiet --out %s/out " CASES "power-cut.lua",
		    scratch()),
	      0);
}

Test(scenario, each_client_has_its_queue)
{
	for (unsigned cpus = 1; cpus <= 2; cpus++)
		wants(shell(PARTERRE " run --out %s/out --set cpus=%u " CASES
				     "two-queues.lua",
			    scratch(), cpus),
		      0);
}

Test(scenario, looking_and_changing)
{
	wants(shell(PARTERRE " run --quiet --out %s/out " CASES "looking.lua",
		    scratch()),
	      0);
}

/* Of a record in the file, how many blocks from the first on are there; behind
 * them there is nothing. */
static unsigned blocks_there(const struct record *r)
{
	const unsigned block = 512, words = block / sizeof(uint64_t);
	const unsigned header = offsetof(struct record, payload) / 8;
	const uint64_t *word = (const uint64_t *)r;
	unsigned n = 0;

	while (n < sizeof(*r) / block && word[n * words])
		n++;
	cr_assert(!n || r->magic == RECORD_MAGIC);
	for (unsigned i = header; i < sizeof(*r) / 8; i++) {
		uint64_t want = record_word(r->stream, r->record, i - header);

		cr_assert_eq(word[i], i < n * words ? want : 0);
	}
	return n;
}

/* A run that is killed leaves what a disk holds when the power fails: blocks in
 * the order in which they were flushed, all whole; and nothing where none was
 * flushed. */
Test(scenario, s79_killed_run)
{
	static struct record r;
	unsigned whole = 0, torn = 0;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/out/disk.img", scratch());
	shell(PARTERRE
	      " run --quiet --out %s/out " SCENARIOS
	      "quickstart.lua >/dev/null & pid=$!; "
	      "while [ \"$(stat -c %%b %s 2>/dev/null || echo 0)\" = 0 ]"
	      "; do sleep 0.01; done; kill -9 $pid; wait $pid",
	      scratch(), path);
	f = fopen(path, "rb");
	cr_assert(f);
	while (fread(&r, sizeof(r), 1, f) == 1) {
		unsigned n = blocks_there(&r);

		whole += n == sizeof(r) / 512;
		torn += n && n < sizeof(r) / 512;
	}
	fclose(f);
	cr_assert(whole + torn > 0 && whole <= 128, "%u, %u", whole, torn);
	cr_assert(torn <= 1, "%u", torn);
}

/* What a call is given wrong is told with file and line. */
Test(negative, arguments_of_calls)
{
	static const char *const wrong[][2] = {
		{"partition('io.c')", "io.c"},
		{"read('io.a', 16, 4)", "io.a"},
		{"symbol('io.a', 'nothing')", "no symbol 'nothing'"},
		{"inject.crash('guest9')", "guest9"},
		{"inject.device('nvme9', 'x')", "nvme9"},
		{"inject.device('nvme0', 'x')", "nvme0"},
		{"inject.ram(1 << 40, 'x')", "0x10000000000"},
		{"wait_event('nothing')", "no trace event is called 'nothing'"},
		{"wait_event('state', {off = 1})", "has no field 'off'"},
		{"run_until(0)", "that instant is over"},
		{"run_for(-1)", "a time is not negative"},
		{"machine{}", "is no name for a further machine"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct output *o;
		char path[256];
		FILE *f;

		snprintf(path, sizeof(path), "%s/wrong.lua", scratch());
		f = fopen(path, "w");
		cr_assert(f);
		fprintf(f,
			"machine{policy = '" SOURCE_DIR
			"/scenarios/policy/quickstart.policy'}\n"
			"run_until(ms(27))\n%s\n",
			wrong[i][0]);
		fclose(f);
		o = shell(PARTERRE " run --quiet --out %s/out %s/wrong.lua",
			  scratch(), scratch());
		cr_assert(o->status == 2 || o->status == 1, "%s: %d\n%s",
			  wrong[i][0], o->status, o->text);
		says(o, "wrong.lua:3: ");
		says(o, wrong[i][1]);
	}
}

/* Also a kernel that nobody here calls a hypervisor. */
Test(scenario, sandbox_and_opaque_kernel)
{
	wants(shell(PARTERRE " run --quiet --out %s/out --images " BUILD_DIR
			     "/tests/guest " CASES "sandbox.lua",
		    scratch()),
	      0);
}

/* What a monitor costs, counted in the trace: from SYSCALL to ring 3 of the
 * shortest call, from SYS_WAIT to the other partition; and its size. */
Test(scenario, s47_monitor_is_small)
{
	struct output *o;

	wants(shell(PARTERRE " run --quiet --out %s/out " SCENARIOS
			     "quickstart.lua",
		    scratch()),
	      0);
	o = shell(PARTERRE " trace %s/out/trace | awk -f " CASES
			   "monitor-costs.awk",
		  scratch());
	wants(o, 0);
	says(o, "shortest call at most 60: yes\n");
	says(o, "switch at most 500 on average: yes\n");
	o = shell("cat " SOURCE_DIR "/hv/monitor/*.[chS] | wc -l");
	cr_assert_leq(atoi(o->text), 5000, "%s lines", o->text);
	cr_assert_geq(atoi(o->text), 1000);
}

/* --- the same bits --- */

#define FAILOVER SCENARIOS "io-failover.lua"

Test(same, twice)
{
	struct fingerprint a = run_fingerprint(PARTERRE, "", FAILOVER);
	struct fingerprint b = run_fingerprint(PARTERRE, "", FAILOVER);

	same_fingerprint(&a, &b);
}

Test(same, in_random_pieces)
{
	struct fingerprint a = run_fingerprint(PARTERRE, "", FAILOVER);

	for (unsigned seed = 1; seed <= 4; seed++) {
		char option[32];
		struct fingerprint b;

		snprintf(option, sizeof(option), "--pieces %u", seed);
		b = run_fingerprint(PARTERRE, option, FAILOVER);
		same_fingerprint(&a, &b);
	}
}

/* Saved at random places and gone on with in another machine. */
Test(same, through_snapshots)
{
	struct fingerprint a = run_fingerprint(PARTERRE, "", FAILOVER);
	struct fingerprint b =
		run_fingerprint(PARTERRE, "--pieces 1 --snapshots 2", FAILOVER);

	same_fingerprint(&a, &b);
}

/* The order of turns is the machine's, so of what passes between CPUs too. */
Test(same, on_four_cpus)
{
	static const char *const how[] = {"--pieces 3",
					  "--pieces 1 --snapshots 2"};
	struct fingerprint a = run_fingerprint(PARTERRE, "--set cpus=4",
					       CASES "two-guests.lua");

	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		char options[64];
		struct fingerprint b;

		snprintf(options, sizeof(options), "--set cpus=4 %s", how[i]);
		b = run_fingerprint(PARTERRE, options, CASES "two-guests.lua");
		same_fingerprint(&a, &b);
	}
}

Test(same, whatever_is_watched)
{
	struct fingerprint a = run_fingerprint(PARTERRE, "", FAILOVER);
	struct fingerprint b =
		run_fingerprint(PARTERRE, "--trace partition", FAILOVER);
	struct fingerprint c =
		run_fingerprint(PARTERRE, "--trace none", FAILOVER);

	cr_assert_str_eq(a.chain, b.chain);
	cr_assert_str_eq(a.digest, b.digest);
	cr_assert_str_eq(a.chain, c.chain);
	cr_assert_str_eq(a.digest, c.digest);
	cr_assert_str_neq(a.trace, b.trace);
}

/* The same images under a simulator built by another compiler, and under
 * sanitizers: tools/test has built them. */
static void same_in(const char *preset)
{
	struct fingerprint a = run_fingerprint(PARTERRE, "", FAILOVER), b;
	char command[512];

	snprintf(command, sizeof(command),
		 SOURCE_DIR "/build/%s/tools/parterre", preset);
	wants(shell("test -x %s || { echo 'tools/build %s first'; false; }",
		    command, preset),
	      0);
	b = run_fingerprint(command, "", FAILOVER);
	same_fingerprint(&a, &b);
}

Test(same, built_by_clang)
{
	same_in("fast-clang");
}

Test(same, under_sanitizers)
{
	same_in("dev");
}

Test(same, under_sanitizers_built_by_clang)
{
	same_in("dev-clang");
}

/* The image that clang builds is another one, and does its work as well. */
Test(scenario, images_built_by_clang)
{
	struct output *o =
		shell(PARTERRE " run --quiet --out %s/out --images " SOURCE_DIR
			       "/build/fast-clang/hv " FAILOVER,
		      scratch());

	wants(o, 0);
	says(o, "lost 0, doubled 0");
}

/* --- negative controls --- */

static struct output *fails(const char *name, int status)
{
	struct output *o =
		shell(PARTERRE " run --quiet --out %s/out " CASES "%s.lua",
		      scratch(), name);

	wants(o, status);
	return o;
}

Test(negative, no_io_b_is_a_matter_of_liveness)
{
	says(fails("no-io-b", 4), "no-io-b.lua:11: at ");
}

Test(negative, s74_acknowledged_too_early)
{
	struct output *o = fails("early-ack", 5);

	says(o, "the disk does not hold what was acknowledged");
	says(o, "lost: stream 1");
}

Test(negative, typing_error)
{
	says(fails("typo", 2), "typo.lua:7: nothing is called 'run_fro'");
}

Test(negative, misspelt_key)
{
	says(fails("misspelt-key", 2),
	     "misspelt-key.lua:3: machine{} has no key 'polcy'");
}

Test(negative, no_profile)
{
	struct output *o;

	shell("printf '# a core\\nset width six\\n' >%s/bad.profile",
	      scratch());
	o = shell(PARTERRE " run --quiet --timing memory --profile "
			   "%s/bad.profile --out %s/out " SOURCE_DIR
			   "/scenarios/quickstart.lua",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "bad.profile:2: no number of cycles: 'six'; docs/timing.md");
	o = shell(PARTERRE " run --quiet --timing fast --out %s/out " SOURCE_DIR
			   "/scenarios/quickstart.lua",
		  scratch());
	wants(o, 2);
}

/* At the instant, and in the trace. */
Test(timing, is_changed_at_an_instant)
{
	struct output *o;

	shell("printf '%%s\\n' 'machine{kernel = \"hello\", modules = {}, "
	      "disk = false, controllers = 0}' 'run_for(us(100))' "
	      "'timing(\"block\")' 'run_for(us(100))' 'timing(\"memory\")' "
	      "'run_for(us(100))' 'timing(\"flat\")' 'run_for(ms(5))' "
	      ">%s/change.lua",
	      scratch());
	wants(shell(PARTERRE " run --quiet --images " BUILD_DIR
			     "/tests/guest --out %s/out %s/change.lua",
		    scratch(), scratch()),
	      0);
	o = shell(PARTERRE " trace %s/out/trace | grep ' timing '", scratch());
	wants(o, 0);
	says(o, "0.000100000000 cpu0 p0");
	says(o, "timing model=\"block\"");
	says(o, "0.000200000000 cpu0 p0");
	says(o, "timing model=\"memory\"");
	says(o, "0.000300000000 cpu0 p0");
	says(o, "timing model=\"flat\"");
}

/* A host that is never left alone is told of; there is no other way to fail. */
Test(calibrate, writes_a_profile)
{
	struct output *o;

	wants(shell(PARTERRE " calibrate --rounds 0"), 2);
	o = shell(PARTERRE " calibrate --rounds 1 -o %s/own", scratch());
	if (o->status == 7) {
		says(o, "the host was disturbed in each round of");
		return;
	}
	wants(o, 0);
	says(o, "# noise: half of a probe's rounds took more than ");
	wants(shell(PARTERRE " run --quiet --trace none --timing memory "
			     "--profile %s/own --out %s/out " SOURCE_DIR
			     "/scenarios/quickstart.lua",
		    scratch(), scratch()),
	      0);
	shell("sed -i '/^set width/d' %s/own", scratch());
	o = shell(PARTERRE " run --quiet --timing memory --profile %s/own "
			   "--out %s/out " SOURCE_DIR
			   "/scenarios/quickstart.lua",
		  scratch(), scratch());
	wants(o, 2);
	says(o, "the profile does not set 'width'");
}

Test(negative, syntax_error)
{
	shell("printf 'machine{\\n  ram = \\n}\\n' >%s/bad.lua", scratch());
	wants(shell(PARTERRE " run --quiet --out %s/out %s/bad.lua", scratch(),
		    scratch()),
	      2);
	says(shell(PARTERRE " run --quiet --out %s/out %s/bad.lua", scratch(),
		   scratch()),
	     "bad.lua:3:");
}

Test(negative, failed_expectation_leaves_what_repeats_it)
{
	struct output *o = fails("expectation", 1);

	says(o, "expectation.lua:8: at 17.000000 ms: expected io.a's state to "
		"be crashed, it is running");
	says(shell("cd / && sh %s/out/command --out %s/again", scratch(),
		   scratch()),
	     "expected io.a's state to be crashed");
	wants(shell("cd %s && cmp out/trace/stream again/trace/stream",
		    scratch()),
	      0);
	for (const char *const *f =
		     (const char *const[]){"scenario.lua", "command",
					   "console.txt", "disk.img",
					   "trace/metadata", "trace/stream",
					   NULL};
	     *f; f++)
		wants(shell("test -s %s/out/%s", scratch(), *f), 0);
}

Test(negative, guest_crash)
{
	struct output *o = fails("guest-crash", 3);

	says(o, "guest-crash.lua:10: at 20.");
	says(o, "triple fault on CPU 0");
}

Test(negative, no_failure_is_caught)
{
	says(fails("caught", 1), "caught.lua:8: at 17.000000 ms: expected: "
				 "io.a has crashed");
}

Test(negative, computes_for_ever)
{
	says(fails("endless", 2), "endless.lua:8: ");
}

Test(negative, hypervisor_gives_up)
{
	says(fails("no-modules", 3), "its last line: cannot start: no module");
}

Test(negative, disk_image_of_another_size)
{
	says(fails("short-disk", 2), "give the size that it has");
}

Test(negative, missing_module)
{
	says(fails("missing-module", 2), "build it (tools/build fast)");
}

Test(negative, corrupt_image)
{
	const char *dir = scratch();

	shell("mkdir -p %s/images && cp " BUILD_DIR "/hv/*.elf %s/images", dir,
	      dir);
	shell("truncate -s 5000 %s/images/ultravisor.elf", dir);
	says(shell(PARTERRE
		   " run --quiet --out %s/out --images %s/images " SCENARIOS
		   "quickstart.lua; test $? = 2 && echo two",
		   dir, dir),
	     "two");
}

Test(negative, command_line)
{
	wants(shell(PARTERRE), 2);
	wants(shell(PARTERRE " nonsense"), 2);
	wants(shell(PARTERRE " run"), 2);
	wants(shell(PARTERRE " run --nonsense x"), 2);
	wants(shell(PARTERRE " run --pieces many x"), 2);
	wants(shell(PARTERRE " run --seed"), 2);
	wants(shell(PARTERRE " run /nonexistent.lua"), 2);
	wants(shell(PARTERRE " run --out /proc/x " FAILOVER), 7);
	wants(shell(PARTERRE " --help"), 0);
	for (const char *const *c =
		     (const char *const[]){"run", "record", "replay", "check",
					   "diff", "trace", "oracle", "inspect",
					   NULL};
	     *c; c++)
		says(shell(PARTERRE " %s --help", *c), "usage: parterre ");
}

/* --- the rest of the command --- */

Test(command, until_leaves_the_scenario)
{
	struct output *o = shell(PARTERRE " run --quiet --until 16ms --out "
					  "%s/out " SCENARIOS "quickstart.lua",
				 scratch());

	wants(o, 0);
	says(o, "quickstart: left at --until");
	says(o, "virtual time 16.000000 ms");
}

/* A scenario in a folder of its own, whatever the folder is called. */
static const char *own_scenario(const char *name, const char *lua)
{
	static char path[256];
	FILE *f;

	shell("mkdir -p \"%s/it's here\"", scratch());
	snprintf(path, sizeof(path), "%s/it's here/%s", scratch(), name);
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f,
		"machine{policy = '" SOURCE_DIR
		"/scenarios/policy/quickstart.policy'%s\n",
		lua);
	fclose(f);
	return path;
}

Test(command, repeats_with_quotes_and_until)
{
	const char *path = own_scenario("a.lua", "}\nrun_until(ms(20))");

	wants(shell(PARTERRE
		    " run --quiet --until 5ms --seed 3 --out \"%s.out\" \"%s\"",
		    path, path),
	      0);
	says(shell("cd / && sh \"%s.out/command\" --out %s/again", path,
		   scratch()),
	     "virtual time 5.000000 ms");
}

/* A run overwrites what an earlier one left, and nothing that it reads. */
Test(command, inputs_stay_as_they_are)
{
	const char *path;

	path = own_scenario("scenario.lua", ", disk_image = 'disk.img'}");
	shell("cd \"%s/it's here\" && truncate -s 64M disk.img && "
	      "sha256sum disk.img scenario.lua >../sums",
	      scratch());
	says(shell("cd \"%s/it's here\" && " PARTERRE
		   " run --quiet --out . scenario.lua; test $? = 2 && echo two",
		   scratch()),
	     "two");
	wants(shell("cd \"%s/it's here\" && sha256sum -c --quiet ../sums",
		    scratch()),
	      0);
	path = own_scenario("b.lua", "}\nrun_until(ms(1))");
	wants(shell(PARTERRE " run --quiet --out %s/out \"%s\"", scratch(),
		    path),
	      0);
	wants(shell("test -e %s/out/trace/stream", scratch()), 0);
	wants(shell(PARTERRE " run --quiet --trace none --out %s/out \"%s\"",
		    scratch(), path),
	      0);
	wants(shell("test -e %s/out/trace/stream", scratch()), 1);
}

Test(command, recording_knows_the_disk_image)
{
	const char *path = own_scenario("c.lua", ", disk_image = 'c.img'}\n"
						 "run_until(ms(1))");

	shell("truncate -s 64M \"%s/it's here/c.img\"", scratch());
	wants(shell(PARTERRE " record --quiet --out %s/out -o %s/rec \"%s\"",
		    scratch(), scratch(), path),
	      0);
	wants(shell(PARTERRE " replay --quiet --out %s/out %s/rec", scratch(),
		    scratch()),
	      0);
	shell("echo x | dd conv=notrunc of=\"%s/it's here/c.img\"", scratch());
	wants(shell(PARTERRE " replay --quiet --out %s/out %s/rec", scratch(),
		    scratch()),
	      2);
}

#define INSPECT                                                                \
	PARTERRE " inspect --quiet --images " BUILD_DIR "/hv --out %s/out "
#define TWO_GUESTS CASES "two-guests.lua"

Test(command, inspect_shows_the_machine)
{
	struct output *o =
		shell(INSPECT "--at 90ms --set cpus=2 " TWO_GUESTS, scratch());

	wants(o, 0);
	says(o, "time_ps: 90000000000\n");
	says(o, "\n    1 ");
	says(o, " idle         idle        running  ");
	says(o, " all ");
	says(o, " io.a         io          running  ");
	says(o, "block      guest1       io.a         running  attached     "
		"ready ");
	says(o, " control        0 ");
	says(o, "\n     0 ultravisor     0 ");
	says(o, "nvme0    nvme       fault ");
}

/* Two answers to the same question have to agree. */
Test(command, inspect_answers)
{
	struct output *o = shell(INSPECT "--at 90ms --owner 0x400000 --owner "
					 "0xfee00000 " TWO_GUESTS,
				 scratch());

	wants(o, 0);
	says(o, "0x400 ultravisor       3\n");
	says(o, "0xfee00 nobody           1\n");
	o = shell(INSPECT "--at 95ms --view guest1 --tables guest1 " TWO_GUESTS,
		  scratch());
	wants(o, 0);
	says(o, "arguments: stream=1 records=400 ");
	says(o, ", client, peer io.a\n");
	says(o, "kernel's space of guest1, root 0x");
	says(o, "process's space of guest1, root 0x");
	says(o, "urw-   guest1\n");
	says(o, "sr-x   ultravisor\n");
	/* The map has no hole and no frame twice; the view's memory is the
	 * owner's in it. */
	wants(shell(INSPECT "--at 90ms --map --view guest1 --json " TWO_GUESTS
			    " | python3 -c 'import json, sys\n"
			    "r = json.load(sys.stdin)[0]\n"
			    "at = int(r[\"map\"][0][\"first\"], 16)\n"
			    "for b in r[\"map\"]:\n"
			    " assert int(b[\"first\"], 16) == at, b\n"
			    " at += b[\"frames\"] * 4096\n"
			    " assert int(b[\"last\"], 16) == at - 1, b\n"
			    "assert at == 256 << 20\n"
			    "m = r[\"view\"][0]\n"
			    "pa = int(m[\"frame\"], 16) * 4096\n"
			    "assert m[\"what\"] == \"memory\" and [b for b in "
			    "r[\"map\"] "
			    "if b[\"owner\"] == \"guest1\" and "
			    "int(b[\"first\"], 16) == "
			    "pa and b[\"frames\"] == m[\"pages\"]]'",
		    scratch()),
	      0);
	says(shell(INSPECT "--at 90ms --view io.z " TWO_GUESTS, scratch()),
	     "no partition 'io.z' now; there are: ultravisor, ");
	wants(shell(INSPECT "--at 5 " TWO_GUESTS, scratch()), 2);
}

/* A recording, whose run is over, is looked at as well. */
Test(command, inspect_a_recording)
{
	struct output *o;
	char live[40];

	wants(shell(PARTERRE " record --quiet --out %s/out -o %s/rec "
			     "--set cpus=2 " TWO_GUESTS,
		    scratch(), scratch()),
	      0);
	o = shell(INSPECT "--at 77777us --json --set cpus=2 " TWO_GUESTS
			  " | md5sum",
		  scratch());
	snprintf(live, sizeof(live), "%.32s", o->text);
	o = shell(INSPECT "--at 77777us --json %s/rec | md5sum", scratch(),
		  scratch());
	says(o, live);
	wants(shell("sed -i 's/^scenario ................/scenario "
		    "ffffffffffffffff/' %s/rec && " INSPECT "%s/rec",
		    scratch(), scratch(), scratch()),
	      2);
}

Test(command, json_is_json)
{
	struct output *o = shell(
		PARTERRE " run --quiet --json --out %s/out " FAILOVER
			 " | python3 -c 'import json, sys; "
			 "r = json.load(sys.stdin); f = r[\"faults\"][0]; "
			 "print(r[\"status\"], r[\"lost\"], len(r[\"boot\"]), "
			 "f[\"injected\"] < f[\"detected\"] < f[\"moved\"] "
			 "< f[\"first_io\"] < f[\"restarted\"])'",
		scratch());

	wants(o, 0);
	says(o, "0 0 11 True");
}

Test(command, trace_filters)
{
	struct output *o;

	wants(shell(PARTERRE " run --quiet --out %s/out " FAILOVER, scratch()),
	      0);
	o = shell(PARTERRE " trace --event fault %s/out/trace", scratch());
	wants(o, 0);
	says(o, "fault what=\"io.a.text crash\"");
	cr_assert_eq(strchr(o->text, '\n')[1], '\0', "%s", o->text);
	wants(shell(PARTERRE " trace --event nonsense %s/out/trace", scratch()),
	      2);
	o = shell(PARTERRE " trace --count --class partition %s/out/trace",
		  scratch());
	wants(o, 0);
	says(o, "  transaction\n");
	cr_assert(!strstr(o->text, "reg_write"), "%s", o->text);
	wants(shell(PARTERRE " trace --class nonsense %s/out/trace", scratch()),
	      2);
}

/* --- tools/install, with stand-ins for what it calls --- */

static void stand_in(const char *name, const char *script)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bin/%s", scratch(), name);
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	shell("chmod +x %s", path);
}

static struct output *install(void)
{
	return shell("PATH=%s/bin:/usr/bin:/bin " SOURCE_DIR "/tools/install",
		     scratch());
}

Test(tools, install)
{
	shell("mkdir -p %s/bin", scratch());
	stand_in("dpkg-query", "echo install ok installed");
	stand_in("id", "echo 1000");
	stand_in("sudo", "echo \"$@\" >>$(dirname $0)/asked");
	stand_in("apt-get", "exit 1");

	/* Nothing is missing: nothing is asked of anybody. */
	wants(install(), 0);
	wants(shell("test -e %s/bin/asked", scratch()), 1);

	/* One is: it is named, and installed as root. */
	stand_in("dpkg-query", "case \"$*\" in *ninja-build) exit 1;; esac\n"
			       "echo install ok installed");
	says(install(), "installing from Debian: ninja-build\n");
	says(shell("cat %s/bin/asked", scratch()),
	     "apt-get install -y --no-install-recommends ninja-build");

	/* The mirror is out of reach. */
	stand_in("sudo", "exit 100");
	wants(install(), 7);
	says(install(), "is its mirror in reach?");
}

Test(tools, build_of_an_unknown_preset)
{
	wants(shell(SOURCE_DIR "/tools/build"), 2);
	wants(shell(SOURCE_DIR "/tools/build nonsense"), 7);
	wants(shell(SOURCE_DIR "/tools/run"), 2);
}

/* --- snapshots --- */

#define ALONE "machine{policy = \"" SCENARIOS "policy/failover.policy\"}\\n"
#define SNAP  "cd %s && " PARTERRE " snapshot "

/* The same digests after, in another process: by the command, and by a scenario
 * that loads a file and saves one itself. */
Test(scenario, snapshots_go_on_elsewhere)
{
	static const char *const key[] = {"chain", "digest", "time_ps",
					  "retired"};
	char want[4][20];
	struct output *o;

	wants(shell("cd %s && printf '" ALONE "run_until(ms(46))\\n' >a.lua && "
		    "printf '" ALONE "snapshot.load(\"a.snap\")\\n"
		    "expect_eq(now(), ms(41))\\nrun_until(ms(43))\\n"
		    "snapshot.save(\"b.snap\")\\nrun_until(ms(46))\\n' >b.lua",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " run --json a.lua", scratch());
	wants(o, 0);
	for (size_t i = 0; i < 4; i++)
		snprintf(want[i], sizeof(want[i]), "%.19s",
			 json_value(o, key[i]));
	wants(shell(SNAP "take --until 41ms -o a.snap a.lua", scratch()), 0);
	for (int way = 0; way < 3; way++) {
		o = way == 0 ? shell(SNAP "run --json a.snap a.lua", scratch())
		    : way == 1 ? shell("cd %s && " PARTERRE
				       " run --json --out b b.lua",
				       scratch())
			       : shell(SNAP "run --json b/b.snap a.lua",
				       scratch());
		wants(o, 0);
		for (size_t i = 0; i < 4; i++)
			cr_assert_str_eq(json_value(o, key[i]), want[i],
					 "%d: %s", way, key[i]);
	}
}

/* Each is refused with what is wrong with it, and the file stays. */
Test(scenario, snapshots_that_are_refused)
{
	static const struct {
		const char *make, *why;
	} all[] = {
		{"head -c 9 a.snap", "is no snapshot of a machine"},
		{"head -c 20 a.snap", "is cut short or damaged"},
		{"head -c 100000 a.snap", "is cut short or damaged"},
		{"(printf X; tail -c +2 a.snap)", "is no snapshot"},
		{"(head -c 16 a.snap; printf '\\143'; tail -c +18 a.snap)",
		 "has version 99"},
		{"(head -c 60 a.snap; printf '~~'; tail -c +63 a.snap)",
		 "is cut short or damaged"}, /* the description */
		{"(head -c 200000 a.snap; printf '~~'; "
		 "tail -c +200003 a.snap)",
		 "is cut short or damaged"}, /* the frame */
		{"(cat a.snap; printf x)", "is cut short or damaged"},
	};
	struct output *o;

	wants(shell("cd %s && printf '" ALONE "run_until(ms(46))\\n' >a.lua && "
		    "printf 'machine{ram = \"128M\"}\\n"
		    "run_until(ms(46))\\n' >c.lua",
		    scratch()),
	      0);
	wants(shell(SNAP "take --until 41ms -o a.snap a.lua && cp a.snap good",
		    scratch()),
	      0);
	o = shell(SNAP "list a.snap", scratch());
	wants(o, 0);
	says(o, "a.snap: whole\nRAM 268435456 bytes");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		shell("cd %s && %s >bad.snap", scratch(), all[i].make);
		o = shell(SNAP "list bad.snap", scratch());
		wants(o, 2);
		says(o, "bad.snap");
		says(o, all[i].why);
	}
	o = shell(SNAP "run bad.snap a.lua", scratch());
	wants(o, 2);
	says(o, "is cut short or damaged");
	o = shell(SNAP "run a.snap c.lua", scratch());
	wants(o, 2);
	says(o, "is of another machine: it has 'RAM 268435456 bytes'");
	/* A save that fails leaves what was there. */
	wants(shell(SNAP "take --until 41ms -o nowhere/a.snap a.lua",
		    scratch()),
	      2);
	wants(shell("cd %s && cmp a.snap good", scratch()), 0);
}

/* What is on the cables of its cards is in it. */
Test(scenario, snapshots_hold_the_frames_on_their_way)
{
	char want[20];
	struct output *o;

	wants(shell("cd %s && printf 'network{}\\nmachine{nics = 2, policy = "
		    "\"" SCENARIOS "policy/network.policy\"}\\n"
		    "run_until(ms(64))\\n' >n.lua",
		    scratch()),
	      0);
	o = shell("cd %s && " PARTERRE " run --json n.lua", scratch());
	wants(o, 0);
	snprintf(want, sizeof(want), "%.19s", json_value(o, "chain"));
	wants(shell(SNAP "take --until 61003us -o n.snap n.lua", scratch()), 0);
	o = shell(SNAP "run --json n.snap n.lua", scratch());
	wants(o, 0);
	cr_assert_str_eq(json_value(o, "chain"), want);
}

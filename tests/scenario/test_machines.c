/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several machines in one scenario, and kernels that nobody here wrote. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define GUESTS "--images " BUILD_DIR "/tests/guest "

static struct output *run(const char *options, const char *scenario)
{
	return shell(PARTERRE " run --quiet --out %s/out " GUESTS "%s " CASES
			      "%s",
		     scratch(), options, scenario);
}

/* The chain of a machine in a summary that shows several. */
static void chain_of(const struct output *o, const char *machine, char *chain)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "machine %s: ", machine);
	at = strstr(o->text, line);
	cr_assert(at, "%s", o->text);
	at = strstr(at, "chain ");
	cr_assert(at);
	snprintf(chain, 17, "%s", at + 6);
}

Test(machines, advance_together)
{
	struct output *o = run("", "machines.lua");

	wants(o, 0);
	says(o, "machine b: ");
	says(o, "2 CPUs; console of 2 lines");
	says(o, "switched off by the guest, code 42");
	cr_assert(!strstr(o->text, "boot order"), "%s", o->text);
	wants(shell("test -s %s/out/trace/stream && "
		    "test -s %s/out/b/trace/stream && "
		    "grep -q hello %s/out/b/console.txt",
		    scratch(), scratch(), scratch()),
	      0);
}

static void of_run(const struct output *o, const char *key, char *value)
{
	static struct output last;
	const char *at = strstr(o->text, "\"time_ps\"");

	for (const char *next = at; next; next = strstr(at + 1, "\"time_ps\""))
		at = next;
	cr_assert(at);
	snprintf(last.text, sizeof(last.text), "%s", at);
	snprintf(value, 20, "%.19s", json_value(&last, key));
}

Test(machines, same_in_random_pieces)
{
	struct output *o = run("--json", "machines.lua");
	char chain[20], trace[20], option[32];

	wants(o, 0);
	/* The run's own digests come behind those of its machines. */
	of_run(o, "chain", chain);
	of_run(o, "trace_digest", trace);
	cr_assert_eq(strlen(chain), 16);
	for (unsigned seed = 1; seed <= 3; seed++) {
		snprintf(option, sizeof(option), "--json --pieces %u", seed);
		o = run(option, "machines.lua");
		wants(o, 0);
		says(o, chain);
		says(o, trace);
	}
}

/* Neighbours are not felt. */
Test(machines, same_as_alone)
{
	struct output *o = run("", "machines.lua");
	char chain[20];

	wants(o, 0);
	chain_of(o, "c", chain);
	o = run("", "alone.lua");
	wants(o, 0);
	says(o, chain);
}

Test(machines, recorded_and_replayed)
{
	wants(shell(PARTERRE " record --quiet --out %s/out " GUESTS
			     "-o %s/rec " CASES "machines.lua",
		    scratch(), scratch()),
	      0);
	wants(shell(PARTERRE " replay --quiet --out %s/out " GUESTS "%s/rec",
		    scratch(), scratch()),
	      0);
	/* Another retired count of the second machine is noticed. */
	shell("sed -i 's/^chain ..../chain 0000/' %s/rec", scratch());
	wants(shell(PARTERRE " replay --quiet --out %s/out " GUESTS "%s/rec",
		    scratch(), scratch()),
	      6);
}

static void own(const char *lua)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/own.lua", scratch());
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f, "%s", lua);
	fclose(f);
}

#define HELLO                                                                  \
	"kernel = 'hello', modules = {}, disk = false, controllers = 0, "      \
	"ram = '16M'"

static struct output *run_own(const char *lua)
{
	own(lua);
	return shell(PARTERRE " run --quiet --out %s/out " GUESTS "%s/own.lua",
		     scratch(), scratch());
}

Test(machines, wrong_ones)
{
	static const char *const wrong[][2] = {
		{"machine{" HELLO "}", "'' is no name"},
		{"machine{name = 'trace', " HELLO "}", "'trace' is no name"},
		{"machine{name = '../x', " HELLO "}", "'../x' is no name"},
		{"machine{name = 'a', " HELLO "}", "is called a already"},
		{"run_for(1) machine{name = 'b', " HELLO "}", "too late"},
		{"a.wait_off(1)", "machine expected"},
		{"local b = machine{name = 'b', " HELLO
		 "} b:wait_console('*', 'no such', {within = us(7)})",
		 "at 0.007000 ms: machine b: waited in vain"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char lua[1024];
		struct output *o;

		snprintf(lua, sizeof(lua),
			 "local a = machine{name = 'a', " HELLO "}\n%s\n",
			 wrong[i][0]);
		o = run_own(lua);
		cr_assert(o->status == 2 || o->status == 4, "%s: %d\n%s",
			  wrong[i][0], o->status, o->text);
		says(o, "own.lua:2: ");
		says(o, wrong[i][1]);
	}
}

/* Values that no machine has: each an error of this line, with what was given
 * and what may be given; none is taken for another. */
Test(machines, nonsense_is_refused)
{
	static const char *const times[] = {"disk_read", "disk_write",
					    "disk_flush", "turn"};
	/* As written, and as the error shows it. */
	static const char *const no_time[][2] = {
		{"-1", "-1"},
		{"0", "0"},
		{"0.5", "0.5"},
		{"1e30", "1e+30"},
		{"80", "80"},
		{"us(-1)", "-1000000"},
		{"s(2)", "2000000000000"},
		{"ns(1) / 2", "500.0"},
		{"0/0", "nan"}, /* or -nan */
		{"1/0", "inf"},
		{"'us'", "\"us\""},
		{"'12000000'", "\"12000000\""},
		{"{}", "table"},
		{"true", "boolean"},
	};
	static const char *const others[][2] = {
		{"cpus = '2'", "from 1 to 8, not \"2\""},
		{"cpus = 0", "from 1 to 8, not 0"},
		{"cpus = 1.5", "from 1 to 8, not 1.5"},
		{"hz = -1", "from 1000000 to 10000000000, not -1"},
		{"seed = 1e30", "not 1e+30"},
		{"controllers = -1", "from 0 to 4, not -1"},
		{"serial_hz = 0", "from 1000 to 1000000000, not 0"},
		{"load_address = -1", "from 0 to 4294967295, not -1"},
		{"ram = '-5M'", "a size like \"64M\", not \"-5M\""},
		{"ram = ' 64M'", "a size like \"64M\", not \" 64M\""},
		{"ram = '64MB'", "a size like \"64M\", not \"64MB\""},
		{"ram = '17G'", "from 16777216 to 17179869184 bytes"},
		{"disk = ''", "a size like \"64M\", not \"\""},
		{"disk = true", "a size like \"64M\", not boolean"},
		/* They would be 1 GiB and 64 KiB, cut to 64 bits. */
		{"disk = '17179869185G'", "from 65536 to 1099511627776"},
		{"disk = '-18446744073709486080'", "a size like"},
		{"disk = '99999999999999999999'", "from 65536 to"},
		{"disk = 100000", "a multiple of 512 bytes, not 100000"},
		{"virtio_disk = 65537", "a multiple of 512 bytes"},
		{"more_disks = {65537}", "a multiple of 512 bytes"},
		{"more_disks = {0}", "not 0"},
		{"kernel = 5", "kernel has to be a text, not 5"},
		{"name = string.rep('a', 99)", "name is too long"},
		{"cmdline = 'a\\0b'", "a zero in it: at most"},
		{"serial = {}", "serial has 0 lines: give one to 2"},
		{"7", "a value without a key"},
	};
	char lua[256];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		for (size_t k = 0; k < sizeof(no_time) / sizeof(no_time[0]);
		     k++) {
			struct output *o;

			snprintf(lua, sizeof(lua), "\nmachine{%s = %s}",
				 times[i], no_time[k][0]);
			o = run_own(lua);
			wants(o, 2);
			snprintf(lua, sizeof(lua),
				 "own.lua:2: machine{}: %s has to be a time "
				 "from ns(",
				 times[i]);
			says(o, lua);
			snprintf(lua, sizeof(lua), "%s is none (numbers",
				 no_time[k][1]);
			says(o, lua);
		}
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct output *o;

		snprintf(lua, sizeof(lua), "\nmachine{%s}", others[i][0]);
		o = run_own(lua);
		wants(o, 2);
		says(o, "own.lua:2: machine{}: ");
		says(o, others[i][1]);
	}
	/* The first and the last of what there is. */
	wants(run_own("machine{disk_read = ns(1), disk_write = s(1), "
		      "disk_flush = us(0.5), turn = ms(1), " HELLO
		      "} run_for(us(1))"),
	      0);
}

Test(machines, more_disks_are_files_of_the_run)
{
	struct output *o =
		run_own("machine{kernel = 'hello', modules = {}, "
			"ram = '16M', disk = '1M', "
			"more_disks = {'2M', '64K'}} run_for(us(1))");

	wants(o, 0);
	o = shell("stat -c %%s %s/out/disk.img %s/out/disk2.img "
		  "%s/out/disk3.img",
		  scratch(), scratch(), scratch());
	wants(o, 0);
	says(o, "1048576\n2097152\n65536\n");
	o = run_own("machine{kernel = 'hello', modules = {}, "
		    "more_disks = {'1M', '1M', '1M', '1M'}}");
	wants(o, 2);
	says(o, "more_disks has to be a list of one to 3 sizes");
}

/* The guest never reads: what is typed waits, and wrong calls say why. */
Test(machines, keyboard_and_mouse)
{
	static const char *const wrong[][2] = {
		{"key('ctrl-hyper')", "no such key"},
		{"keys('\\1')", "makes the byte 01h"},
		{"mouse{dz = 1}", "'dz' is none of"},
		{"mouse{dx = 40000}", "dx has to be a number"},
		{"for i = 1, 5000 do key('a') end", "let it run"},
	};

	wants(run_own("local a = machine{" HELLO "} a:key('ctrl-alt-delete') "
		      "keys('Hello\\n') a:mouse{dx = 3, buttons = 1} "
		      "wait_off{}"),
	      0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char lua[256];
		struct output *o;

		snprintf(lua, sizeof(lua), "machine{" HELLO "}\n%s",
			 wrong[i][0]);
		o = run_own(lua);
		cr_assert(o->status == 2 || o->status == 4, "%s: %d\n%s",
			  wrong[i][0], o->status, o->text);
		says(o, "own.lua:2: ");
		says(o, wrong[i][1]);
	}
}

/* The debugger's commands are about the first machine, until it is told of
 * another one: a watchpoint is met there, it goes back there, and the run is
 * still the same. */
Test(machines, debugger_goes_to_another, .timeout = 120)
{
	char digest[20];
	struct output *o;

	wants(shell("mkdir %s/images && ln -s " BUILD_DIR "/hv/*.elf " BUILD_DIR
		    "/tests/guest/*.elf %s/images && cat >%s/two.lua <<'END'\n"
		    "machine{ kernel = 'echo', modules = {}, disk = false, "
		    "controllers = 0, ram = '16M' }\n"
		    "machine{ name = 'b', policy = '" SOURCE_DIR
		    "/scenarios/policy/quickstart.policy' }\n"
		    "run_until(ms(38))\nEND\n"
		    "cat >%s/commands <<'END'\n"
		    "expect(not pcall(partition, 'guest1'), 'no partition')\n"
		    "run-to 36ms\n"
		    "machine b\n"
		    "expect_eq(partition('guest1').state, 'running')\n"
		    "watch monitor:lead_area 4096\n"
		    "expect_eq(continue().why, 'watch')\n"
		    "here = retired()\n"
		    "expect(here > 1000000, 'instructions of b')\n"
		    "expect_eq(reverse_continue().why, 'watch')\n"
		    "expect(retired() < here, 'back in b')\n"
		    "print(told('machine', 'first'))\n"
		    "expect(retired() < 1000, 'instructions of the first')\n"
		    "expect_eq(told('conditions'), 'none\\n')\n"
		    "print(told('who'))\n"
		    "print(told('machine'))\n"
		    "detach\n"
		    "machine c\nEND\ntrue",
		    scratch(), scratch(), scratch(), scratch()),
	      0);
	o = shell(PARTERRE " run --quiet --json --images %s/images --out "
			   "%s/alone %s/two.lua",
		  scratch(), scratch(), scratch());
	wants(o, 0);
	snprintf(digest, sizeof(digest), "%.19s", json_value(o, "digest"));
	o = shell(PARTERRE " debug --json -x %s/commands --images %s/images "
			   "--out %s/out %s/two.lua",
		  scratch(), scratch(), scratch(), scratch());
	says(o, "breakpoints, watchpoints and conditions of machine b are "
		"deleted\n* first ");
	says(o, "machine first: 36.");
	says(o, "\n  b                    36.");
	says(o, "the run has ended with status 0");
	says(o, digest);
	says(o, "commands:17: the run is over");
}

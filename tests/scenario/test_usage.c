/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every sub-command with what makes no sense: a status of its own, and one line
 * that names the sub-command, the place and what to do.  And that none of them,
 * and none of their options, is missing from the manual. */
#include <stdio.h>
#include <string.h>

#include "shell.h"

#define COMMANDS "$(" PARTERRE " --help | awk '/^  [a-z]+  / { print $1 }')"

/* Files to be wrong with: bytes (noise), empty, dir, good.lua; 2: usage. */
static const struct {
	const char *arguments;
	int status;
	const char *says;
} cases[] = {
	{"run", 2, "0 operands, wanted 1 (parterre run --help)"},
	{"run a b", 2, "2 operands, wanted 1"},
	{"run nowhere", 2, "nowhere: cannot be read: No such file"},
	{"run dir", 2, "dir: cannot be read: Is a directory"},
	{"run bytes", 2, "bytes:1: unexpected symbol"},
	{"run empty", 2, "empty: the scenario describes no machine"},
	{"run --seed x good.lua", 2, "--seed: 'x' is not what it takes"},
	{"run --seed", 2, "--seed: no such option, or its argument is missing"},
	{"run --until 4 good.lua", 2, "--until: '4' is not what it takes"},
	{"run --set x good.lua", 2, "--set: 'x' is not what it takes"},
	{"run --inject x good.lua", 2, "fault 'x': has to be WHAT @ WHEN"},
	{"run --images dir good.lua", 2, "dir/ultravisor.elf: no image of"},
	{"run --firmware empty good.lua", 2, "empty: size = 0: a ROM is 64"},
	{"run --timing x good.lua", 2, "--timing: 'x' is not what it takes"},
	{"run --profile nowhere good.lua", 2, "--profile nowhere: No such"},
	{"run --timing block --profile bytes good.lua", 2, "bytes"},
	{"run --input bytes good.lua", 2, "bytes:1: not input of version 1"},
	{"run --trace x good.lua", 2, "--trace: 'x' is not what it takes"},
	{"run --trace-cpu 99 good.lua", 2, "--trace-cpu: '99' is not what"},
	{"run --trace-window 5..2 good.lua", 2, "'5..2' is not what"},
	{"run --trace-range x good.lua", 2, "--trace-range: 'x' is not what"},
	{"run --pieces x good.lua", 2, "--pieces: 'x' is not what it takes"},
	{"run --snapshots 1001 good.lua", 2, "--snapshots: '1001' is not"},
	{"run --gdb x good.lua", 2, "--gdb x: give tcp:PORT or unix:PATH"},
	{"run -S good.lua", 2, "-S waits for gdb, or for who watches"},
	{"run --speed 5 good.lua", 2, "--stop-at and --speed are for --ui"},
	{"run --window-script nowhere good.lua", 2, "--window-script nowhere:"},
	{"run --out /proc/x good.lua", 7, "/proc/x: cannot make the directory"},
	{"record good.lua", 2, "-o FILE is missing (parterre record --help)"},
	{"record -o /proc/x good.lua", 7, "/proc/x: cannot be written"},
	{"replay nowhere", 2, "nowhere: cannot be read"},
	{"replay bytes", 2, "bytes:1: this is no recording of version 1"},
	{"check good.lua", 2, "1 operands, wanted 2 (parterre check --help)"},
	{"check nowhere good.lua", 2, "nowhere/metadata: No such file or"},
	{"check bytes good.lua", 2, "bytes: is no golden trace of version"},
	{"check --ui dir good.lua", 2,
	 "--ui and --window are for parterre run"},
	{"test nowhere", 2,
	 "nowhere: No such file or directory; name a folder"},
	{"test bytes", 2, "bytes: Not a directory; name a folder"},
	{"test dir", 2, "dir: no scenario (*.lua) of that name in it"},
	{"test --jobs 0 .", 2, "0: no such option, or not what it takes"},
	{"test --golden nowhere .", 2, "--golden nowhere: No such file"},
	{"diff dir", 2, "two traces or recordings are compared, 1 given"},
	{"diff --run dir", 2, "--run: no such option, or --run without two"},
	{"diff dir dir", 2, "dir/metadata: No such file or directory; a trace"},
	{"diff --run dir dir nowhere", 2, "nowhere: cannot be read"},
	{"trace", 2, "one trace is read, 0 given (parterre trace --help)"},
	{"trace bytes", 2, "bytes/metadata: Not a directory; a trace is the"},
	{"trace --event x dir", 2, "no event is called 'x'; docs/trace-cat"},
	{"trace --cpu x dir", 2, "--cpu: 'x' is not what it takes"},
	{"trace --address 9..1 dir", 2, "--address: '9..1' is not what it"},
	{"trace stat dir", 2, "dir/metadata: No such file or directory"},
	{"trace export dir", 2, "export to what: --perfetto, --vcd, --pcap"},
	{"trace export --vcd dir", 2, "dir/metadata: No such file or"},
	{"report dir", 2, "dir/result: No such file or directory; give the"},
	{"report a b", 2, "2 operands, wanted 1 (parterre report --help)"},
	{"oracle bytes", 2, "an image and a trace are compared, 1 given"},
	{"oracle bytes dir", 2, "dir/metadata: No such file or directory"},
	{"calibrate x", 2, "'x' is no option (parterre calibrate --help)"},
	{"calibrate --rounds x", 2, "--rounds is from 1 to"},
	{"calibrate --rounds 1 -o /proc/x", 2, "/proc/x: "},
	{"inspect --owner z good.lua", 2, "--owner: 'z' is not what it takes"},
	{"inspect --view nobody good.lua", 2, "no partition 'nobody' now"},
	{"inspect bytes", 2, "bytes:1: unexpected symbol"},
	{"debug -x nowhere good.lua", 2, "-x nowhere: No such file"},
	{"debug -x bytes good.lua", 2, "bytes:1: unexpected symbol"},
	{"snapshot", 2, "take, run or list? (parterre snapshot --help)"},
	{"snapshot take good.lua", 2, "--until TIME or -o FILE is missing"},
	{"snapshot run bytes good.lua", 2, "bytes is no snapshot of a machine"},
	{"snapshot list bytes", 2, "bytes is no snapshot of a machine"},
	{"sweep good.lua", 2, "--fault and --over have to be given"},
	{"sweep --fault x --over 1ms..2ms good.lua", 2, "fault 'x': no such"},
	{"sweep --fault 'crash io.a' --over x good.lua", 2, "--over: 'x' is"},
	{"sweep --fault 'crash io.a' --over 1ms..2ms --every x good.lua", 2,
	 "--every: 'x' is not what it takes"},
	{"sweep --fault 'crash io.a' --over 1ms..2ms --jobs 0 good.lua", 2,
	 "--jobs: '0' is not what it takes"},
};

static void make_files(void)
{
	wants(shell("cd %s && mkdir -p dir && : >empty && "
		    "printf '\\1\\2\\377bytes\\n' >bytes && "
		    "printf 'machine{}\\nrun_for(us(1))\\n' >good.lua",
		    scratch()),
	      0);
}

Test(usage, nonsense_is_told_by_place_and_remedy, .timeout = 120)
{
	make_files();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *arguments = cases[i].arguments;
		struct output *o =
			shell("cd %s && " PARTERRE " %s", scratch(), arguments);
		char begin[32];

		cr_expect_eq(o->status, cases[i].status, "%s: status %d:\n%s",
			     arguments, o->status, o->text);
		cr_expect(strstr(o->text, cases[i].says), "%s: no '%s' in\n%s",
			  arguments, cases[i].says, o->text);
		snprintf(begin, sizeof(begin),
			 "parterre %.*s: ", (int)strcspn(arguments, " "),
			 arguments);
		cr_expect(strstr(o->text, begin), "%s: who says so?\n%s",
			  arguments, o->text);
	}
}

/* Without operands, with an option and an operand that nobody knows. */
Test(usage, every_command_refuses_what_it_does_not_know)
{
	struct output *o;

	o = shell("for c in " COMMANDS "; do for a in --nonsense "
		  "'--nonsense a' 'a b c d e'; do timeout 30 " PARTERRE
		  " $c $a >%s/said; s=$?; test $s -eq 2 || "
		  "echo parterre $c $a: status $s; done; done 2>%s/errors; "
		  "test $(wc -l <%s/errors) -eq $((3 * $(echo " COMMANDS
		  " | wc -w))) || cat %s/errors; test ! -s %s/said",
		  scratch(), scratch(), scratch(), scratch(), scratch());
	wants(o, 0);
	cr_assert_str_eq(o->text, "");
}

Test(usage, the_manual_has_all_commands_and_options)
{
	struct output *o;

	o = shell("sed 's/\\\\-/-/g; s/\\\\f.//g' " SOURCE_DIR
		  "/docs/parterre.1 >%s/manual; for c in " COMMANDS
		  "; do grep -q \"^.B parterre $c\" %s/manual || "
		  "echo $c is not in the manual; "
		  "grep -q \"[\\`, ]$c[\\`, ]\" " SOURCE_DIR "/README.md || "
		  "echo $c is not in the README; " PARTERRE
		  " $c --help >%s/help || echo $c has no help; "
		  "for o in $(grep -oE -e '(^|[ [])-(-[a-z][a-z-]*|[a-zA-Z])' "
		  "%s/help | "
		  "tr -d ' ['); do grep -qE -e \"(^|[^a-z-])$o([^a-z-]|$)\" "
		  "%s/manual || echo $c $o is not in the manual; done; done",
		  scratch(), scratch(), scratch(), scratch(), scratch());
	wants(o, 0);
	cr_assert_str_eq(o->text, "");
}

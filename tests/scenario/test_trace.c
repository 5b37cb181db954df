/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `parterre trace`: which events, what they add up to, and its exports, each
 * read back by a program that is not ours: jq, protoc, vcd2fst and fst2vcd,
 * tcpdump.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#include "sim/trace/trace.h"

#define QUICKSTART SCENARIOS "quickstart.lua"
#define FAILOVER   SCENARIOS "io-failover.lua"
#define TRACE      PARTERRE " trace "

/* One run serves all tests of a process; each test is a process of its own. */
static void run_once(void)
{
	wants(shell(PARTERRE " run --quiet --out %s/out " QUICKSTART,
		    scratch()),
	      0);
}

static long lines(const char *command)
{
	struct output *o = shell("cd %s && %s | wc -l", scratch(), command);

	wants(o, 0);
	return atol(o->text);
}

Test(trace_tool, filters_leave_what_they_name)
{
	run_once();
	/* By name and by index, and each line says so. */
	cr_assert_gt(lines(TRACE "--partition io.a out/trace"), 1000);
	cr_assert_eq(lines(TRACE "--partition io.a out/trace"),
		     lines(TRACE "out/trace | grep -c . >all; " TRACE
				 "out/trace | grep ' p5 '"));
	cr_assert_eq(lines(TRACE "--event switch --event syscall out/trace"),
		     lines(TRACE "--event switch out/trace") +
			     lines(TRACE "--event syscall out/trace"));
	cr_assert_eq(lines(TRACE "out/trace"),
		     lines(TRACE "--class machine out/trace") +
			     lines(TRACE "--class partition out/trace"));
	cr_assert_eq(lines(TRACE "--cpu 1 out/trace"), 0);
	/* Both ends of a window are in it. */
	cr_assert_eq(lines(TRACE "--window ..40ms out/trace") +
			     lines(TRACE "--window 40000000001ps.. out/trace"),
		     lines(TRACE "out/trace"));
	cr_assert_gt(lines(TRACE "--window 1000000..2000000 out/trace"), 100);
	wants(shell("cd %s && " TRACE "--window 1000000..2000000 out/trace | "
		    "sed 's/.* i=\\([0-9]*\\) .*/\\1/' | awk '$1 < 1000000 || "
		    "$1 > 2000000 { exit 1 }'",
		    scratch()),
	      0);
	/* The monitors' text. */
	cr_assert_gt(lines(TRACE "--address 0xffffffff80000000.. out/trace"),
		     1000);
	says(shell(TRACE "--partition nobody --count %s/out/trace", scratch()),
	     "         0  in all");
	says(shell(TRACE "--partition nobody %s/out/trace", scratch()),
	     "no partition of this trace is called 'nobody'");
	wants(shell(TRACE "export --json --partition nobody %s/out/trace",
		    scratch()),
	      2);
	says(shell(TRACE "--class full %s/out/trace", scratch()),
	     "no such events are in it");
	wants(shell(TRACE "--window 5ms..1ms %s/out/trace", scratch()), 2);
	wants(shell(TRACE "--class device %s/out/trace", scratch()), 2);
}

Test(trace_tool, tells_function_line_and_instruction)
{
	run_once();
	/* The entry of a system call is one place in the monitor. */
	says(shell("cd %s && " TRACE "--symbols --disassemble --event ring "
		   "--partition guest1 out/trace | grep -m 1 syscall_entry",
		   scratch()),
	     "syscall_entry+0 (hv/monitor/entry.S:");
	says(shell("cd %s && " TRACE "--symbols --disassemble --event ring "
		   "out/trace | grep -m 1 syscall_entry",
		   scratch()),
	     "| mov ");
	/* addr2line agrees on the line of every place in the monitor. */
	shell("cd %s && " TRACE "--symbols --event ring out/trace | "
	      "grep 'rip=0xffffffff8' | grep '(hv/' | sort -u -t= -k4,4 | "
	      "sed 's/.*rip=\\(0x[0-9a-f]*\\) .*(\\(.*\\))$/\\1 \\2/' | "
	      "sort -u >ours; cut -d' ' -f1 ours | addr2line -e " BUILD_DIR
	      "/hv/ultravisor.elf | sed 's/ (disc.*//; s,.*/hv/,hv/,' >theirs",
	      scratch());
	wants(shell("cd %s && test -s ours && cut -d' ' -f2 ours | "
		    "diff - theirs",
		    scratch()),
	      0);
}

Test(trace_tool, statistics_add_up)
{
	run_once();
	shell("cd %s && " TRACE "--stats --json out/trace >stats", scratch());
	/* One CPU: all of its time is somebody's. */
	wants(shell("cd %s && jq -e '([.time[] | .ring3_us + .ring0_us] | add) "
		    "as $sum | (.to_ps - .from_ps) / 1e6 | . - $sum | . >= 0 "
		    "and . < 20' stats",
		    scratch()),
	      0);
	wants(shell("cd %s && jq -e '([.switches[].count] | add) == "
		    "(.events[] | select(.event == \"switch\").count)' stats",
		    scratch()),
	      0);
	wants(shell("cd %s && jq -e '([.system_calls[].count] | add) == "
		    "(.events[] | select(.event == \"syscall\").count)' stats",
		    scratch()),
	      0);
	/* Every request was answered, and is in one bar of the histogram. */
	wants(shell("cd %s && jq -e '([.latencies[].responses] | add) == "
		    "([.channels[].responses] | add) and "
		    "([.channels[].requests] | add) == 1700' stats",
		    scratch()),
	      0);
	says(shell(TRACE "--stats %s/out/trace", scratch()), "#####");
}

Test(trace_tool, json_is_read_by_jq)
{
	run_once();
	says(shell("cd %s && " TRACE "export --json --class partition -o all "
		   "out/trace && jq '.events | length' all && " TRACE
		   "--class partition --count out/trace | tail -n 1 | "
		   "awk '{ print $1 }' >count && jq -e --rawfile n count "
		   "'(.events | length) == ($n | tonumber)' all",
		   scratch()),
	     "true");
	says(shell("cd %s && jq -c '[.events[] | select(.event == \"console\" "
		   "and .name == \"io.a\")][0].fields' all",
		   scratch()),
	     "{\"text\":\"[io.a] ");
}

/* protoc knows the wire format, and nothing of us. */
Test(trace_tool, perfetto_is_read_by_protoc)
{
	run_once();
	wants(shell("cd %s && " TRACE "export --perfetto -o p out/trace && "
		    "protoc --decode_raw <p >text",
		    scratch()),
	      0);
	/* On each track slices end as often as they begin, but for those that
	 * are open at the end; no end comes first. */
	says(shell("cd %s && awk '/^  11 {/ { type = \"\" } "
		   "/^    9: / { type = $2 } "
		   "/^    11: / { if (type == 1) open[$2]++; "
		   "if (type == 2 && --open[$2] < 0) bad++ } "
		   "END { for (t in open) left += open[t]; "
		   "print \"bad\", bad + 0, \"left\", left }' text",
		   scratch()),
	     "bad 0 left 2");
	/* Each of the 1700 requests begins a flow that an answer ends. */
	shell("cd %s && sed -n 's/^    47: //p' text | sort -u >flows; "
	      "sed -n 's/^    48: //p' text | sort -u >ends",
	      scratch());
	says(shell("cd %s && cmp flows ends && wc -l <flows", scratch()),
	     "1700");
	/* Tracks by name; a counter that comes back to nothing. */
	for (const char *const *name =
		     (const char *const[]){"CPUs", "cpu0", "partitions",
					   "guest1", "channels", "channel 18",
					   "channel 18 waiting", NULL};
	     *name; name++)
		wants(shell("cd %s && grep -q '^    2: \"%s\"' text", scratch(),
			    *name),
		      0);
	says(shell("cd %s && sed -n 's/^    30: //p' text | tail -n 1",
		   scratch()),
	     "0");
}

/* Each change comes back as it was from a way through GTKWave's own format, and
 * they are the run's: who had the CPU, the fault, where the channel went.
 */
Test(trace_tool, vcd_is_read_by_gtkwave)
{
	wants(shell(PARTERRE " run --quiet --until 43ms --out %s/out " FAILOVER,
		    scratch()),
	      0);
	wants(shell("cd %s && " TRACE "export --vcd -o v out/trace && "
		    "vcd2fst v fst && fst2vcd fst >back && "
		    "for f in v back; do awk -f " CASES "vcd-changes.awk $f | "
		    "LC_ALL=C sort >$f.changes; done; "
		    "cmp v.changes back.changes",
		    scratch()),
	      0);
	wants(shell("cd %s && " TRACE "--event partition --event switch "
		    "out/trace | sed 's/[a-z]*=//g; s/\"//g' | awk '"
		    "BEGIN { name[0] = \"-\"; print name[0] } "
		    "$5 == \"partition\" { name[$6] = $8 } "
		    "$5 == \"switch\" { print name[$7] }' >switches && "
		    "sort -n -s back.changes | "
		    "sed -n 's/.* [.]machine[.]cpu0[.]partition //p' | "
		    "diff switches -",
		    scratch()),
	      0);
	says(shell("cd %s && grep 'machine.fault' back.changes", scratch()),
	     " .machine.fault io.a.text_crash");
	says(shell("cd %s && grep 'io_a.state' back.changes", scratch()),
	     " .machine.io_a.state crashed");
	says(shell("cd %s && grep 'channel18.server ' back.changes | sort -n | "
		   "cut -d' ' -f3 | tr '\\n' ' '",
		   scratch()),
	     "- io.a io.b ");
}

static void emit_frame(struct trace *t, ps_t time, uint64_t bytes,
		       uint64_t offset, const char *hex)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_FRAME),
		.time = time,
		.value = {{.s = "net0"}, {1}, {bytes}, {offset}, {.s = hex}},
	};

	trace_emit(t, &r);
}

/* An ARP request in one piece, a UDP datagram in two. */
Test(trace_tool, pcap_is_read_by_tcpdump)
{
	struct error err;
	struct trace *t;
	char path[256];

	snprintf(path, sizeof(path), "%s/frames", scratch());
	t = trace_create(path, TRACE_CLASS_MACHINE, &err);
	cr_assert(t, "%s", err.text);
	emit_frame(t, 1500000, 42, 0,
		   "ffffffffffff525400000001"
		   "08060001080006040001525400000001"
		   "0a000001000000000000"
		   "0a000002");
	emit_frame(t, 2500000, 46, 0,
		   "525400000002525400000001"
		   "0800450000200000000040116acb"
		   "0a0000010a000002");
	emit_frame(t, 2500000, 46, 34, "00350035000c000061626364");
	cr_assert(trace_close(t, &err), "%s", err.text);
	wants(shell("cd %s && " TRACE "export --pcap -o pcap frames && "
		    "tcpdump -n -tt --nano -r pcap >text",
		    scratch()),
	      0);
	says(shell("cat %s/text", scratch()),
	     "0.000001500 ARP, Request who-has 10.0.0.2 tell 10.0.0.1");
	says(shell("cat %s/text", scratch()),
	     "0.000002500 IP 10.0.0.1.53 > 10.0.0.2.53");
}

Test(trace_tool, export_wants_a_format)
{
	wants(shell(TRACE "export %s/nothing", scratch()), 2);
	wants(shell(TRACE "--perfetto %s/nothing", scratch()), 2);
	wants(shell(TRACE "export --vcd %s/nothing", scratch()), 2);
	says(shell(TRACE "export --vcd --json %s/nothing", scratch()),
	     "one of them");
	wants(shell(TRACE "export --json --count %s/nothing", scratch()), 2);
}

/* What was there stays, if nothing else gets there. */
Test(trace_tool, export_is_whole_or_what_was)
{
	struct output *o;

	run_once();
	wants(shell(TRACE "export --ctf -o /dev/full %s/out/trace", scratch()),
	      7);
	o = shell(TRACE "--window ..30ms %s/out/trace >/dev/full", scratch());
	wants(o, 7);
	says(o, "standard output cannot be written: No space left");
	o = shell("cd %s && echo mine >f && truncate -s -1000 "
		  "out/trace/stream && ! " TRACE
		  "export --json -o f out/trace 2>/dev/null && cat f && ls",
		  scratch());
	wants(o, 0);
	cr_assert_str_eq(o->text, "mine\nf\nout\n");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings and traces: replayed, compared, read by others, damaged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#include "sim/trace/trace.h"

#define FAILOVER SCENARIOS "io-failover.lua"

static const char *recording(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/recording", scratch());
	wants(shell(PARTERRE " record --quiet --out %s/out -o %s " FAILOVER,
		    scratch(), path),
	      0);
	return path;
}

Test(recording, replays_bit_for_bit)
{
	const char *path = recording();

	wants(shell("test $(stat -c %%s %s) -lt 8192", path), 0);
	says(shell(PARTERRE " replay --out %s/again %s", scratch(), path),
	     "bit for bit the same");
	says(shell(PARTERRE " replay --pieces 7 --out %s/again %s", scratch(),
		   path),
	     "bit for bit the same");
}

Test(recording, one_changed_sample_is_named)
{
	const char *path = recording();

	shell("sed -i 's/^sample 30000000000 .*/sample 30000000000 "
	      "0123456789abcdef/' %s",
	      path);
	wants(shell(PARTERRE " replay --quiet --out %s/again %s", scratch(),
		    path),
	      6);
	says(shell(PARTERRE " replay --quiet --out %s/again %s", scratch(),
		   path),
	     "the runs part between 25.000 and 30.000 ms");
}

Test(recording, another_image_is_refused)
{
	const char *path = recording(), *dir = scratch();

	shell("mkdir -p %s/images && cp " BUILD_DIR "/hv/*.elf %s/images", dir,
	      dir);
	shell("printf x >>%s/images/io.elf", dir);
	wants(shell(PARTERRE " replay --quiet --out %s/again --images "
			     "%s/images %s",
		    dir, dir, path),
	      2);
	says(shell(PARTERRE " replay --quiet --out %s/again --images "
			    "%s/images %s",
		   dir, dir, path),
	     "io.elf: is not what was recorded");
}

Test(recording, damaged)
{
	const char *path = recording();

	shell("head -n 9 %s >%s/cut", path, scratch());
	says(shell(PARTERRE " replay %s/cut; test $? = 2 && echo two",
		   scratch()),
	     "two");
	says(shell(PARTERRE " replay %s/cut", scratch()), "cut:10: ");
	shell("echo hello >%s/text", scratch());
	wants(shell(PARTERRE " replay %s/text", scratch()), 2);
	wants(shell(PARTERRE " replay %s/nothing", scratch()), 2);
}

/* --- traces --- */

/* A copy of the trace with one field of one event changed, of the first event
 * from number at on whose first field is a number; returns that event's number.
 */
static uint64_t falsify(const char *from, const char *to, uint64_t at)
{
	struct error err;
	struct trace_reader *reader = trace_open(from, &err);
	struct trace *copy;
	struct trace_record r;
	uint64_t n = 0, changed = 0;
	int state;

	cr_assert(reader, "%s", err.text);
	copy = trace_create(to, TRACE_CLASS_PARTITION | TRACE_CLASS_MACHINE,
			    &err);
	cr_assert(copy, "%s", err.text);
	while ((state = trace_next(reader, &r, &err)) == 1) {
		n++;
		if (n >= at && !changed && r.kind->field[0].kind != TRACE_STR) {
			r.value[0].u ^= 1;
			changed = n;
		}
		trace_emit(copy, &r);
	}
	cr_assert_eq(state, 0, "%s", err.text);
	cr_assert(changed, "no event from %" PRIu64 " on to change", at);
	trace_reader_close(reader);
	cr_assert(trace_close(copy, &err), "%s", err.text);
	return changed;
}

static void run_once(void)
{
	wants(shell(PARTERRE " run --quiet --out %s/out " FAILOVER, scratch()),
	      0);
}

Test(trace, check_holds_and_names_the_changed_event)
{
	char from[256], to[256], named[64];
	struct output *o;

	run_once();
	says(shell(PARTERRE " check --out %s/fresh %s/out/trace " FAILOVER,
		   scratch(), scratch()),
	     "events, all the same");
	snprintf(from, sizeof(from), "%s/out/trace", scratch());
	snprintf(to, sizeof(to), "%s/false", scratch());
	snprintf(named, sizeof(named),
		 "event %" PRIu64 " is the first that differs:",
		 falsify(from, to, 100000));
	o = shell(PARTERRE " check --quiet --out %s/fresh %s " FAILOVER,
		  scratch(), to);
	wants(o, 6);
	says(o, named);
	wants(shell(PARTERRE " diff %s %s", from, to), 6);
	wants(shell(PARTERRE " diff %s %s", from, from), 0);
}

Test(trace, truncated)
{
	run_once();
	shell("truncate -s -1000 %s/out/trace/stream", scratch());
	wants(shell(PARTERRE " trace --count %s/out/trace", scratch()), 2);
	says(shell(PARTERRE " trace --count %s/out/trace", scratch()),
	     "/out/trace/stream");
	wants(shell(PARTERRE
		    " check --quiet --out %s/fresh %s/out/trace " FAILOVER,
		    scratch(), scratch()),
	      2);
	wants(shell(PARTERRE " oracle %s/out/disk.img %s/out/trace", scratch(),
		    scratch()),
	      2);
	wants(shell(PARTERRE " trace %s/nothing", scratch()), 2);
}

/* The second reader: no complaint, and as many events of each kind. */
Test(trace, babeltrace2_counts_the_same)
{
	struct output *o;

	run_once();
	o = shell(
		"cd %s && babeltrace2 --names none out/trace 2>errors >lines; "
		"echo status $?; wc -c <errors",
		scratch());
	says(o, "status 0\n0\n");
	shell("cd %s && sed -E 's/^[^)]*\\) ([a-z0-9_]+):.*/\\1/' lines | "
	      "sort | uniq -c | sed 's/^ *//' >theirs",
	      scratch());
	shell("cd %s && " PARTERRE " trace --count out/trace | "
	      "sed '$d; s/^ *//; s/  */ /' | sort -k2 >ours",
	      scratch());
	o = shell("cd %s && LC_ALL=C sort theirs >a; LC_ALL=C sort ours >b; "
		  "diff a b && wc -l <a",
		  scratch());
	wants(o, 0);
	cr_assert_gt(atoi(o->text), 20, "%s", o->text);
}

/* What others that read CTF are stricter about than babeltrace2: the metadata's
 * first words, one identity everywhere, no other file in sight, packets that
 * begin with their first event's instant and end with their last one's.
 */
Test(trace, what_trace_compass_wants_to_find)
{
	struct output *o;

	run_once();
	wants(shell("cd %s/out/trace && head -n 1 metadata | "
		    "grep -qxF '/* CTF 1.8 */' && uuid=$(sed -n "
		    "'s/.*uuid = \"\\(.*\\)\";/\\1/p' metadata | tr -d -) && "
		    "test $uuid = $(od -An -tx1 -j4 -N16 stream | tr -d ' ') "
		    "&& test \"$(ls | tr '\\n' ' ')\" = 'metadata stream '",
		    scratch()),
	      0);
	o = shell("cd %s && babeltrace2 -c sink.text.details out/trace | awk '"
		  "/^\\[/ { at = $1; gsub(/[[,]/, \"\", at) } "
		  "/^Packet beginning/ { begin = at; is_first = 1; n++ } "
		  "/^Event / { bad += is_first && at != begin; is_first = 0; "
		  "last = at } "
		  "/^Packet end/ { bad += at != last; ends++ } "
		  "END { print n, n == ends, bad + 0 }'",
		  scratch());
	wants(o, 0);
	cr_assert_gt(atoi(o->text), 20, "%s", o->text);
	says(o, " 1 0\n");
}

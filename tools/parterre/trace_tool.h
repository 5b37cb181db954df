/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_tool.h - what `parterre trace` consists of: main in
 * trace.c, and one function for each thing that can be done with a trace.
 *
 * Each reads `s` to its end, prints to `to` and returns an exit status; *err is
 * set unless it is EXIT_HELD.
 */
#ifndef PARTERRE_TOOLS_TRACE_TOOL_H
#define PARTERRE_TOOLS_TRACE_TOOL_H

#include <stdio.h>

#include "tools/parterre/trace_source.h"

/* trace_stats.c: time, switches, system calls, latencies. */
int trace_stats(struct source *s, bool json, struct error *err);
/* trace_json.c: {"events": [...]}, an object for each event. */
int export_json(struct source *s, FILE *to, struct error *err);
/* export_perfetto.c: tracks, flows and counters, as a protobuf. */
int export_perfetto(struct source *s, FILE *to, struct error *err);
/* export_vcd.c: who runs, in which ring, as a value change dump. */
int export_vcd(struct source *s, FILE *to, struct error *err);
/* export_pcap.c: the frames on the network cards' cables. */
int export_pcap(struct source *s, FILE *to, struct error *err);

/* trace_ctf.c: a directory, one plain CTF trace of all classes. */
int export_ctf(struct source *s, const char *dir, struct error *err);

/* trace_again.c: runs a recording again, with the filter's classes in its
 * window; `dir`, of PATH_MAX bytes: the trace. */
struct again {
	const char *window;       /* as it was given; NULL: all of the run */
	const char *out, *images; /* NULL: where they are by default */
	bool cycles; /* no trace, but who spends them; `dir`: the run's */
};
bool trace_again(const char *recording, const struct trace_filter *f,
		 const struct again *how, char *dir, struct error *err);

#endif

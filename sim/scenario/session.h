/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session.h - one run of one scenario: its machine, its directory,
 * what was seen.
 *
 * The directory holds, after any run:
 *   scenario.lua  a copy          command     a shell script that repeats it
 *   disk.img      the disk        console.txt every byte of the console
 *   trace/        CTF             seed, images and options are in `command`
 * Files of an earlier run in it are replaced; nothing else there is touched.
 *
 * The machine may be run by anyone through session_advance() alone, which cuts
 * the run (options.pieces), prints the live line, and turns a machine's end
 * into an error.
 */
#ifndef PARTERRE_SCENARIO_SESSION_H
#define PARTERRE_SCENARIO_SESSION_H

#include <limits.h>
#include <stdio.h>

#include "sim/machine.h"
#include "sim/partition.h"
#include "sim/scenario/timeline.h"

struct session_options {
	const char *scenario; /* path */
	const char *images;   /* directory of the images */
	const char *out;      /* NULL: parterre.out/NAME */
	unsigned classes;     /* TRACE_CLASS_…; 0: no trace on disk */
	bool seed_given;
	uint64_t seed;
	uint64_t pieces; /* 0: as it comes; else cut at random, by this seed */
	bool live;       /* a line of progress on stderr */
	ps_t until; /* the scenario ends at this instant; 0: when it ends */
};

/* What machine{} in the scenario says, texts its own. */
struct session_machine {
	struct machine_config config; /* numbers; paths are filled by session */
	char kernel[64], cmdline[256];
	char module[MACHINE_MODULES_MAX][64]; /* image names */
	size_t module_count;
	char policy[PATH_MAX];     /* as found; empty: none */
	char disk_image[PATH_MAX]; /* copied; empty: zeroes */
	uint64_t disk_bytes;       /* 0: no disk */
};

struct session_line {
	ps_t time;
	uint32_t partition;
	char *text; /* without "[name] " */
};

/* The chain at multiples of SESSION_SAMPLE_PS: where two runs parted. */
#define SESSION_SAMPLE_PS (5 * PS_PER_MS)

/* Ends a wait: true stops the machine at this boundary. */
typedef bool session_wait(void *owner, const struct trace_record *r);

struct session {
	struct session_options options;
	char out[PATH_MAX];
	char path[MACHINE_MODULES_MAX + 4][PATH_MAX]; /* the config's strings */
	char module_name[MACHINE_MODULES_MAX][64];
	char disk_image[PATH_MAX]; /* that was copied; empty: zeroes */
	struct machine_config config;
	struct machine *machine; /* NULL: machine{} was not called yet */
	struct trace *trace;
	struct partition_view *view;
	struct timeline timeline;
	FILE *console;
	size_t line_count;
	struct session_line *line;
	session_wait *wait;
	void *wait_owner;
	enum machine_stop stop; /* why the machine stands; MACHINE_UNTIL: it can
				   go on */
	uint64_t cut;           /* of options.pieces */
	size_t sample_count;
	uint64_t *sample; /* [i]: the chain at (i + 1) * SESSION_SAMPLE_PS */
	uint64_t host_ns; /* spent in the machine */
	/* The live line before: when, at which instant, who had run how long.
	 */
	uint64_t live_host_ns;
	ps_t live_at, live_ran[PARTITION_VIEW_MAX];
	/* When it is over: */
	ps_t end;
	uint64_t retired, chain, digest, trace_digest, trace_count;
	bool left; /* at options.until, before the scenario's end */
	bool contained;
	struct partition_violation violation;
};

/* Makes the directory and what can be there before the machine. */
bool session_open(struct session *s, const struct session_options *o,
		  struct error *err) MUST_USE;
bool session_machine(struct session *s, const struct session_machine *d,
		     struct error *err) MUST_USE;
/* Runs to `until`, or to where `wait` stops it (returns true with
 * s->stop MACHINE_REQUESTED), or to the machine's end (MACHINE_OFF).  False: it
 * ended in a way that fails any run (shutdown, deadlock, engine). */
bool session_advance(struct session *s, ps_t until, struct error *err) MUST_USE;
/* Closes the trace and takes the digests; the machine is gone after. */
bool session_finish(struct session *s, struct error *err) MUST_USE;
void session_close(struct session *s);

/* The scenario's name: its file without folder and ".lua". */
void session_name(const char *scenario, char *name, size_t bytes);

#endif

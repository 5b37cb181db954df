/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session.h - one run of one scenario: its machines, its
 * directory, what was seen.
 *
 * The directory holds, after any run:
 *   scenario.lua  a copy          command     a shell script that repeats it
 *   input.txt     what was typed, if somebody could
 *   disk.img      the disk        console.txt every byte of serial line 0;
 *                               console1.txt of line 1
 *   trace/        CTF             seed, images and options are in `command`
 *   cycles.txt    who spent the cycles, if it was asked for
 *                 (tools/parterre/cycles.h)
 *   result        how it ended, and what was expected (tools/parterre/result.h)
 *   programs      whose program is which file, for the trace's addresses: a
 *                 line "INDEX NAME PATH" for each partition; 0 is the kernel
 * Files of an earlier run in it are replaced; nothing else there is touched.
 *
 * Several machines.  The session that session_open() makes is the first
 * machine's, and the run itself: it owns the list of the others, each a session
 * with a name, whose directory NAME/ lies within the first's.  They all advance
 * together, in the order in which they were made, to common instants; what
 * passes between machines passes at fixed ones (multiples of `step`).  So what
 * each of them does depends on the scenario alone.
 *
 * The machines may be run by anyone through session_advance() alone, which cuts
 * the run (options.pieces), prints the live line, and turns a machine's end
 * into an error.
 */
#ifndef PARTERRE_SCENARIO_SESSION_H
#define PARTERRE_SCENARIO_SESSION_H

#include <limits.h>
#include <stdio.h>

#include "sim/machine.h"
#include "sim/net_switch.h"
#include "sim/partition.h"
#include "sim/scenario/expected.h"
#include "sim/scenario/timeline.h"
#include "sim/trace/trace.h"

#define SESSION_PARAMETERS_MAX 16
#define SESSION_PLAN_MAX       8
#define SESSION_OUTCOME_BYTES  40

struct session;

/* Someone who lets the machines run in place of the session: a debugger.
 * What it does between runs is not seen by the scenario. */
struct session_driver {
	/* As machine_run() of s->machine; MACHINE_REQUESTED only when the
	 * session asked for it (s->told, s->watch_due). */
	enum machine_stop (*run)(void *owner, struct session *s, ps_t until);
	/* Every record of class partition, perhaps more; of which machine, by
	 * session.index. */
	void (*record)(void *owner, unsigned machine,
		       const struct trace_record *r);
	/* The machine went back by session_restore(). */
	void (*went_back)(void *owner);
	/* The scenario is over, its machines still stand; err->code: how. */
	void (*over)(void *owner, struct session *s, const struct error *err);
	void *owner;
};

/* Where a serial line leads besides its file. */
struct session_line_to {
	enum {
		SESSION_TO_FILE,
		SESSION_TO_TERMINAL,
		SESSION_TO_SOCKET
	} kind;
	char path[PATH_MAX]; /* of the socket; relative: to the directory */
};

/* Somebody typed: what was taken, when, for which line.  Taken at multiples of
 * SESSION_INPUT_PS of virtual time. */
#define SESSION_INPUT_PS    PS_PER_MS
#define SESSION_INPUT_BYTES 256
struct session_input {
	ps_t when;
	unsigned machine, serial;
	bool quit; /* no bytes: the run was left */
	uint16_t bytes;
	uint8_t data[SESSION_INPUT_BYTES];
};
/* Besides the serial lines, as `serial` of an input: bytes of the keyboard,
 * scan code set 2; moves of the mouse: x, y (up), z, buttons, a byte each. */
#define SESSION_KEYS  MACHINE_SERIALS
#define SESSION_MOUSE (MACHINE_SERIALS + 1)

/* Somebody's hands at keyboard and mouse of the first machine: true while there
 * is something to be done at this instant.  They know what was done before, and
 * do it again in a process of the past. */
struct session_hands {
	bool (*next)(void *owner, ps_t now, struct session_input *in);
	void *owner;
};

struct session_inputs {
	size_t count;
	struct session_input *input; /* in order */
};

/* What is written of a class: --trace-WHAT ARG, ARG may begin "CLASS:". */
#define SESSION_SELECTS_MAX 16
struct session_select {
	const char *what; /* window, partition, cpu, range */
	const char *arg;
};

/* A host on the network that is no machine: it has a port of the switch, if the
 * first machine has a network card, and works in events of that machine's queue
 * (sim/net.h says when it may send).  It lets go of both in unplug(). */
struct session_outside {
	void (*plug)(struct net_port *port, struct evq *q);
	void (*unplug)(void);
};

struct session_options {
	const char *scenario; /* path */
	const char *images;   /* directory of the images */
	const char *out;      /* NULL: parterre.out/NAME */
	unsigned classes;     /* TRACE_CLASS_…; 0: no trace on disk */
	bool classes_given;   /* what machine{trace=} says doesn't count */
	struct session_select select[SESSION_SELECTS_MAX];
	size_t select_count;
	unsigned listen;      /* ... that are noted then; 0: partition */
	const char *firmware; /* of the first machine; NULL: the scenario's */
	/* Of all machines; not given, NULL: the scenario's. */
	bool timing_given;
	enum timing_model timing;
	const char *profile;
	/* "NAME=VALUE", for param() in the scenario. */
	const char *parameter[SESSION_PARAMETERS_MAX];
	size_t parameter_count;
	const char *plan[SESSION_PLAN_MAX]; /* "WHAT @ WHEN": session_plan.c */
	size_t plan_count;
	bool seed_given;
	uint64_t seed;
	uint64_t pieces; /* 0: as it comes; else cut at random, by this seed */
	/* At cuts of `pieces`, this often in a thousand: the machine is saved,
	 * destroyed, and goes on as another. */
	uint64_t snapshots;
	const struct session_driver *driver;   /* NULL: the session itself */
	const struct session_outside *outside; /* NULL: nobody */
	const struct session_hands *hands;     /* NULL: none */
	bool live;                   /* a line of progress on stderr */
	bool cycles;                 /* who spends them goes to cycles.txt */
	ps_t cycles_from, cycles_to; /* between these; to 0: to the end */
	const char *begin_from;      /* a snapshot's file; NULL: power-on */
	ps_t until; /* the scenario ends at this instant; 0: when it ends */
	/* What was typed in another run is typed in this one, and nobody is
	 * asked.  `input`, a path, is read into `replay`. */
	const char *input;
	bool replays;
	struct session_inputs replay;
};

/* Machines of one scenario. */
#define SESSION_MACHINES_MAX 8
#define SESSION_NAME_BYTES   16
/* Several machines, and those on a network, advance in steps of this. */
#define SESSION_STEP_PS (10 * PS_PER_US)
/* The network's: a step at whose end a wait stopped one is passed over. */
#define SESSION_LATENCY_PS_MIN (2 * SESSION_STEP_PS)

/* What machine{} in the scenario says, texts its own. */
struct session_machine {
	struct machine_config config; /* numbers; paths are filled by session */
	char name[SESSION_NAME_BYTES];
	char kernel[PATH_MAX]; /* an image's name, or a path as found */
	bool kernel_is_path;
	bool kernel_given;
	char firmware[PATH_MAX]; /* as found; empty: none */
	char profile[PATH_MAX];  /* as found; empty: the generic one */
	char symbols[PATH_MAX];  /* as found; empty: the kernel's own */
	char boot[16];           /* empty: as the file says */
	char initrd[PATH_MAX];   /* as found; empty: none */
	char cmdline[2048];
	char module[MACHINE_MODULES_MAX][64]; /* image names */
	size_t module_count;
	bool modules_given;
	struct session_line_to serial[MACHINE_SERIALS];
	char policy[PATH_MAX];     /* as found; empty: none */
	char memory[PATH_MAX];     /* RAM of another host; empty: it boots */
	char disk_image[PATH_MAX]; /* copied; empty: zeroes */
	uint64_t disk_bytes;       /* 0: no disk */
	uint64_t more_disk_bytes[MACHINE_NAMESPACES_MAX - 1]; /* 0: no more */
	uint64_t virtio_disk_bytes; /* 0: no such disk */
	uint64_t snapshot_bytes;    /* of snapshots in memory; 0: the default */
	bool any_code; /* the conformance lens tells, but fails no run */
	bool traces;   /* these classes, unless the command line says */
	unsigned classes;
};

struct session_line {
	ps_t time;
	uint32_t partition;
	char *text; /* without "[name] " */
};

/* Every byte of a serial line. */
struct session_console {
	FILE *file;
	char *text;
	size_t bytes, room;
	size_t cursor; /* where the next wait goes on */
};

/* What a run, or one machine of it, comes to. */
struct session_sum {
	ps_t end;
	uint64_t retired, chain, digest, trace_digest, trace_count;
	uint64_t deep_count; /* of classes flow and full, not in trace_count */
};

/* The chain at multiples of SESSION_SAMPLE_PS: where two runs parted. */
#define SESSION_SAMPLE_PS (5 * PS_PER_MS)
#define SESSION_SAMPLES   100000 /* no more of them */

/* Somebody wants the first machine to stand between two instructions: at an
 * instant, at a count of retired instructions (machine_stop_at()), after a
 * record, behind an access that it watches (cpu_watch_set()), or when the
 * scenario says mark(NAME).  reached() is called for each, and may change what
 * is wanted next, or the machine.  The run's history does not know of it, but
 * for what reached() does. */
struct session;
struct session_watch {
	ps_t when;        /* PS_NEVER: at none */
	uint64_t retired; /* UINT64_MAX: at none */
	/* True: stand at the next boundary.  NULL is fine. */
	bool (*event)(void *owner, const struct trace_record *r);
	/* NULL: nobody wants to know; else reached() comes after it. */
	bool (*mark)(void *owner, const char *name);
	bool (*reached)(void *owner, struct session *s, struct error *err);
	void *owner;
};
enum session_watcher {
	SESSION_WATCH_PLAN,  /* faults of options.plan */
	SESSION_WATCH_SWEEP, /* tools/parterre/sweep.c */
	SESSION_WATCH_STEP,  /* step() of the scenario */
	SESSION_WATCHERS
};

/* Ends a wait: true stops the machine at this boundary. */
typedef bool session_wait(void *owner, const struct trace_record *r);

struct session {
	struct session_options options;
	struct session *first, *next; /* in the order in which they were made */
	unsigned index;               /* 0: the first */
	char name[SESSION_NAME_BYTES]; /* empty: the first without one */
	char out[PATH_MAX];
	int folder; /* the first's `out`, which no other run has; -1: none */
	char path[MACHINE_MODULES_MAX + 8 + MACHINE_NAMESPACES_MAX]
		 [PATH_MAX]; /* the config's strings */
	char module_name[MACHINE_MODULES_MAX][64];
	char boot[16];
	char disk_image[PATH_MAX]; /* that was copied; empty: zeroes */
	char symbols[PATH_MAX];    /* as struct session_machine */
	struct machine_config config;
	struct machine *machine; /* NULL: machine{} was not called yet */
	struct trace *trace;
	struct partition_view *view;
	struct timeline timeline;
	struct session_console console[MACHINE_SERIALS];
	struct session_line_to line_to[MACHINE_SERIALS];
	struct session_live *live[MACHINE_SERIALS];
	size_t line_count;
	struct session_line *line;
	session_wait *wait;
	void *wait_owner;
	struct session_console *wait_console; /* for its next byte */
	bool hit;  /* the wait was satisfied in the last advance */
	bool told; /* ... where the machine stands now */
	struct session_watch watch[SESSION_WATCHERS]; /* the first's alone */
	bool watch_due;
	struct session_plan *plan;
	/* scenario's note()s, and how many of them were told: a run that went
	 * back tells none twice. */
	uint64_t notes, notes_told;
	bool patient; /* halting for good is no error: time just passes */
	struct event idle;
	enum machine_stop stop; /* why the machine stands; MACHINE_UNTIL: it can
				   go on */
	/* When it is over: */
	struct session_sum own;
	bool opaque, off; /* no partitions; the guest switched it off */
	uint32_t off_code;
	bool any_code; /* as struct session_machine */
	bool stands;   /* its RAM is that of another host: it cannot run */
	bool began;    /* from a snapshot, not at power-on */
	struct session_standing
		*standing;       /* session_take(), the latest first */
	uint64_t standings;      /* how many there have been */
	uint64_t standing_bytes; /* that they may hold; 0: the default */
	bool contained, conforms;
	struct partition_violation violation;

	/* Of the run, so in the first alone. */
	char outcome[SESSION_OUTCOME_BYTES]; /* outcome() of the scenario */
	bool disks_apart;                    /* session_detach_disks() */
	struct expected_list expected;
	bool left; /* at options.until or by its user, before its end */
	ps_t now;  /* where all machines that are on stand; see session_now() */
	ps_t step; /* of several machines, or a network; 0: there is one */
	struct net_switch *net;   /* NULL: no machine has a network card */
	bool plugged;             /* options.outside */
	bool accounts, accounted; /* cycles: it began; the files are written */
	struct net_switch_config net_config;
	char net_capture[PATH_MAX]; /* network.pcap; empty: none */
	uint64_t cut;               /* of options.pieces */
	/* Input: is there any, what was taken, how far options.replay is. */
	bool interactive;
	bool hands; /* keys and moves may come, or come again */
	FILE *input_file;
	struct session_inputs taken;
	size_t replayed;
	ps_t polled;
	ps_t pace_at; /* this instant was at that of the host */
	uint64_t pace_host_ns;
	size_t sample_count;
	uint64_t *sample; /* [i]: the chain at (i + 1) * SESSION_SAMPLE_PS */
	uint64_t host_ns; /* spent in the machines */
	/* The live line before: when, at which instant, who had run how long.
	 */
	uint64_t live_host_ns;
	ps_t live_at, live_ran[PARTITION_VIEW_MAX];
	/* When it is over, of all machines together: */
	struct session_sum sum;
};

/* The network will be captured in the session's directory. */
bool session_capture(struct session *s, struct error *err) MUST_USE;

/* Makes the directory and what can be there before the machine. */
bool session_open(struct session *s, const struct session_options *o,
		  struct error *err) MUST_USE;
/* One more machine's session, by its name; NULL: the name is taken or not one,
 * there are too many, or a machine ran already. */
struct session *session_add(struct session *first, const char *name,
			    struct error *err) MUST_USE;
bool session_machine(struct session *s, const struct session_machine *d,
		     struct error *err) MUST_USE;
/* The instant at which the run stands. */
ps_t session_now(const struct session *s);
/* Can it go on? */
static inline bool session_is_on(const struct session *s)
{
	return s->stop == MACHINE_UNTIL || s->stop == MACHINE_REQUESTED;
}
/* session_snapshot.c: the machine, between runs, into a file. */
bool session_save(struct session *s, const char *path,
		  struct error *err) MUST_USE;
/* It stands where the file's machine does; before it has run.  After a failure
 * it can go on from power-on, or is broken (sim/snapshot.h). */
bool session_begin_from(struct session *s, const char *path,
			struct error *err) MUST_USE;

/* session_back.c: the machine and what the session has of it, in memory
 * (sim/snapshot_memory.h).  Going back leaves no mark: trace, console, samples
 * and planned faults are as they were; what was expected and noted stays.
 * False: several machines, somebody types, no machine that can be saved. */
bool session_take(struct session *s, uint64_t *id, struct error *err) MUST_USE;
/* EXIT_USAGE also when there is none of that number any more. */
bool session_restore(struct session *s, uint64_t id,
		     struct error *err) MUST_USE;
/* None of that number is fine. */
void session_forget(struct session *s, uint64_t id);

bool session_anyone_is_on(const struct session *first);
/* Runs all machines to `until`, or to where the wait of `s` stops it (s->hit),
 * or to this machine's end (s->stop is MACHINE_OFF).  With several machines
 * these take effect at the next multiple of the step, where all machines stand
 * then.  False: a machine ended in a way that fails any run (shutdown,
 * deadlock, engine). */
bool session_advance(struct session *s, ps_t until, struct error *err) MUST_USE;
/* mark(NAME) in the scenario. */
bool session_mark(struct session *first, const char *name,
		  struct error *err) MUST_USE;
/* A fault by its name, now (docs/faults.md); a power cut leaves the run. */
bool session_fault(struct session *s, const char *text,
		   struct error *err) MUST_USE;
/* Adds a fault to the plan: "crash io.a @ 40ms" (docs/faults.md). */
bool session_plan_add(struct session *first, const char *text,
		      struct error *err) MUST_USE;
/* Closes the traces and takes the digests; the machines are gone after. */
bool session_finish(struct session *first, struct error *err) MUST_USE;
void session_close(struct session *first);

/* session_signal.c: from now on SIGINT and SIGTERM leave the run, at once as
 * --until would; one more half a second later ends the program.  `restart`: a
 * call of the system that one interrupts goes on. */
void session_heed_signals(bool restart);
/* The one that came; 0: none did. */
int session_left_by(void);
/* After all is written: the program ends by it, if one came. */
void session_end_by_signal(void);
/* The disks of all machines in memory from now on; their files get what they
 * hold when the run is over. */
bool session_detach_disks(struct session *first, struct error *err) MUST_USE;

/* A line of input.txt or of a recording, without its line feed. */
bool session_input_parse(const char *line, struct session_input *in);
void session_input_put(FILE *to, const struct session_input *in);
void session_inputs_add(struct session_inputs *to,
			const struct session_input *in);
void session_inputs_free(struct session_inputs *i);

/* "machine", "none"...: the classes that are recorded then. */
const char *session_classes_text(unsigned classes);
bool session_classes(const char *text, unsigned *classes);
/* False: `arg` is not what the option takes.  Both live as long as *o. */
bool session_select_add(struct session_options *o, const char *what,
			const char *arg);
/* One of its words, into a selection. */
bool session_select_take(struct trace_select *s, const char *what,
			 const char *arg);
/* What the options say, to the session's trace. */
void session_select(struct session *s);
/* At the run's end: was there each partition that an option named? */
bool session_select_met(const struct session *first,
			struct error *err) MUST_USE;
/* "A..B" of instants; of numbers.  Either end may be left out. */
bool session_window(const char *text, ps_t *from, ps_t *to);
/* options.cycles, between such instants; NULL: of the whole run. */
bool session_cycles_option(struct session_options *o, const char *window);
bool session_numbers(const char *text, uint64_t *from, uint64_t *to);

/* A number with a unit: "40ms". */
bool session_instant(const char *text, ps_t *t);
/* The scenario's name: its file without folder and ".lua". */
void session_name(const char *scenario, char *name, size_t bytes);
/* Makes `path` and what is missing above it. */
bool session_make_dir(const char *path, struct error *err) MUST_USE;

#endif

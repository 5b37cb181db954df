/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/story.h - what a run did, as people look at it: who had which CPU
 * when, what happened, how long requests took.  Made of trace records alone,
 * so it is the same from a run under way and from its trace on disk; all that
 * shows a machine (report, window, terminal) draws this.
 *
 * Times are ps.  Who is an index of the trace (0: boot, the monitor, unknown).
 *
 * Lanes.  A lane is a CPU's; its spans follow each other without gaps from the
 * first record to the last, each the time of one partition.  At most
 * `spans_max` are kept of a lane: beyond that the lane gets coarser (spans
 * become cells of `grain`, each of whoever had most of it) or, if the story is
 * to be the latest part of a run alone, forgets its beginning.
 *
 * Time.  A CPU's time belongs to the partition that its last `switch` names; of
 * it, ring 0 is the monitor's, if the trace has class machine: a CPU is in ring
 * 0, where it starts, until a `ring` event says otherwise.  All of idle's time
 * is idle, its monitor's included, which halts.
 *
 * Latency.  From the first time that a request was asked to its answer, those
 * included that were asked again after a failover: what a guest had to wait.
 */
#ifndef PARTERRE_SEEN_STORY_H
#define PARTERRE_SEEN_STORY_H

#include "sim/scenario/timeline.h"
#include "sim/trace/trace.h"

#define STORY_CPUS       8
#define STORY_PARTITIONS 256
#define STORY_CHANNELS   128
#define STORY_MARKS_MAX  1000
#define STORY_NAME_BYTES 24

struct story_span {
	ps_t from, to;
	uint32_t who;
};

struct story_lane {
	bool seen;
	ps_t grain; /* 0: spans are exact */
	size_t count;
	struct story_span *span;
	/* The CPU now. */
	ps_t at;
	uint32_t who;
	unsigned ring;
	uint64_t switches;
};

enum story_mark_kind {
	MARK_FAULT,     /* injected */
	MARK_DOWN,      /* a partition crashed, stopped or was declared dead */
	MARK_UP,        /* it runs again */
	MARK_MOVED,     /* a channel has another server */
	MARK_VIOLATION, /* a lens found something */
	MARK_MACHINE,   /* reset, switched off, another timing model */
	MARK_KINDS
};

struct story_mark {
	ps_t time;
	uint32_t cpu;
	enum story_mark_kind kind;
	uint32_t who;  /* 0: nobody's */
	char text[96]; /* a short sentence, one line */
};

struct story_partition {
	bool known, idle;
	char name[STORY_NAME_BYTES];
	uint32_t kind;    /* PART_* */
	uint64_t state;   /* PART_STATE_*, the last that was told */
	ps_t own;         /* in ring 3; idle: all */
	ps_t monitor;     /* in ring 0 */
	uint64_t given;   /* how often it was given a CPU */
	uint64_t console; /* lines */
};

struct story_channel {
	bool known;
	uint64_t type; /* CHANNEL_* */
	uint32_t client, server;
	uint32_t first_server; /* before it was moved */
	uint64_t messages;     /* of all kinds */
	uint64_t requests, answers, replays;
	/* Of all answers, in the order of their coming; ps. */
	size_t took_count;
	ps_t *took;
	size_t open_count;
	struct story_request {
		uint64_t sequence;
		ps_t asked;
	} * open;
};

/* The latest messages, in a ring. */
#define STORY_RECENT 8192
struct story_recent {
	ps_t time;
	uint32_t channel;
};

struct story {
	bool latest; /* keeps the latest part of a run, not a coarser whole */
	size_t spans_max;
	bool any;
	bool rings; /* it has class machine */
	ps_t first, last;
	uint64_t records;
	unsigned cpus;
	struct story_lane lane[STORY_CPUS];
	uint32_t partitions; /* the highest index known */
	struct story_partition partition[STORY_PARTITIONS];
	struct story_channel channel[STORY_CHANNELS];
	uint64_t recent_count; /* ever; the last is at (count - 1) % RECENT */
	struct story_recent recent[STORY_RECENT];
	size_t mark_count;
	uint64_t marks_left_out;
	struct story_mark mark[STORY_MARKS_MAX];
	struct timeline faults; /* what came of each */
};

/* Large: on the heap. */
struct story *story_create(size_t spans_max, bool latest);
void story_free(struct story *s); /* NULL is fine */
void story_note(struct story *s, const struct trace_record *r);
/* The lanes' last spans, up to this instant: the run's end, or now. */
void story_until(struct story *s, ps_t end);
/* "io.a"; "monitor" for 0. */
const char *story_name(const struct story *s, uint32_t who);
const char *story_mark_text(enum story_mark_kind kind); /* "fault", "down" */

/* Messages of a channel from this instant on, as far as STORY_RECENT reach. */
uint64_t story_flow(const struct story *s, uint32_t channel, ps_t from);

/* The latency below which `permille` of the channel's answers came, sorted in
 * place; 0: there is none. */
ps_t story_took(struct story_channel *c, unsigned permille);

#endif

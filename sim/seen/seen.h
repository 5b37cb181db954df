/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/seen.h - what there is to see of a machine at an instant: who has
 * which CPU and had it lately, partitions, memory by owner, channels, what
 * happened, the console's last lines.
 *
 * Filled from the partition view and the run's story alone, by whatever image
 * runs.  Plain numbers and texts: it goes over a socket to whoever draws it
 * (wire.h).  It depends on the machine's state and history only, so at the same
 * place of the same run it is the same, bytes between fields included.
 *
 * Arrays that hold fewer than there are say so (…_left_out).
 */
#ifndef PARTERRE_SEEN_SEEN_H
#define PARTERRE_SEEN_SEEN_H

#include "sim/seen/story.h"

#define SEEN_CPUS       STORY_CPUS
#define SEEN_PARTITIONS 24
#define SEEN_CHANNELS   24
#define SEEN_BLOCKS     256
#define SEEN_MARKS      24
#define SEEN_LINES      12
#define SEEN_QUEUES     4
#define SEEN_MACHINES   8
/* The stretch of time up to now that lanes, shares and flow are of: cells that
 * begin at multiples of their length, the last one is under way. */
#define SEEN_CELLS   1000
#define SEEN_CELL_PS (20 * PS_PER_US)
#define SEEN_NOBODY  UINT16_MAX /* before power-on, or not to come yet */

enum seen_state {
	SEEN_RUNS,
	SEEN_STANDS,
	SEEN_OVER, /* the scenario has ended, or the machine cannot go on */
};

struct seen_cpu {
	uint32_t who;
	uint8_t ring, halted;
	uint64_t retired;
	char why[40];   /* it was given to who: "quantum", "wake", ... */
	char place[96]; /* "function (file.c:34)", while it stands; or empty */
	uint16_t cell[SEEN_CELLS]; /* who had most of it */
};

struct seen_partition {
	uint32_t index;
	char name[STORY_NAME_BYTES];
	char kind[16], state[16],
		run[16]; /* run: of its first slot, or empty */
	uint32_t on;     /* the CPUs that it has now, a bit each */
	uint32_t share;  /* permille of all CPUs' time in the window */
	uint32_t incarnation;
	uint64_t frames, switches;
	ps_t ran;
	/* Of its last crash; vector UINT64_MAX: it had none. */
	uint64_t vector, error, address;
	char crashed_at[96];
};

struct seen_channel {
	uint32_t id, client, server, pages;
	uint32_t first_server; /* whom it had before the first move */
	char type[16];
	uint32_t queues, slots[SEEN_QUEUES], waiting[SEEN_QUEUES];
	uint64_t passed; /* messages since the run began */
	uint64_t flow;   /* ... in the window */
};

/* A stretch of blocks of one tier with one owner: partition.h. */
struct seen_block {
	uint64_t pfn, frames;
	uint32_t tier, owner;
	uint32_t none;
};

struct seen_line {
	ps_t time;
	uint32_t who;
	char text[100];
};

struct seen {
	enum seen_state state;
	char why[200]; /* it stands; or empty */
	char scenario[64];
	/* Which of its machines this is; the first's name is empty if the
	 * scenario gives it none. */
	uint32_t machine, machines;
	char machine_name[SEEN_MACHINES][16];
	uint8_t opaque, can_go_back;
	uint32_t speed; /* percent of real time that it is held to; 0: none */
	ps_t now, from; /* from: where the window begins */
	uint64_t retired, frames;
	uint32_t cpus, partitions, channels, blocks, marks, lines;
	uint32_t partitions_left_out, channels_left_out, blocks_left_out;
	struct seen_cpu cpu[SEEN_CPUS];
	struct seen_partition partition[SEEN_PARTITIONS];
	struct seen_channel channel[SEEN_CHANNELS];
	struct seen_block block[SEEN_BLOCKS];
	struct story_mark mark[SEEN_MARKS];
	struct seen_line line[SEEN_LINES];
};

struct session;
struct seen_names;
/* Of a session's machine that stands between two runs; `story` is its, up to
 * now.  `names`, of this machine alone, may be NULL: no places then. */
void seen_fill(struct seen *s, struct session *of, struct story *story,
	       struct seen_names *names);

/* Programs' symbols, read when they are first asked for. */
struct seen_names *seen_names_create(void);
void seen_names_free(struct seen_names *n); /* NULL is fine */

/* "io.a"; for 0 "no partition", or "machine" if that has none. */
const char *seen_name(const struct seen *s, uint32_t who);
/* Who wrote a line: as seen_name(), but those of 0 are the monitor's. */
const char *seen_writer(const struct seen *s, uint32_t who);
/* "b"; "first" for the one without a name. */
const char *seen_machine_name(const struct seen *s, uint32_t machine);
const struct seen_partition *seen_partition(const struct seen *s,
					    uint32_t index);
/* The CPUs that it has now, "02"; empty: none. */
const char *seen_on(const struct seen_partition *p, char text[SEEN_CPUS + 1]);
/* Whose is this frame: an index of s->block, or s->blocks. */
uint32_t seen_block_of(const struct seen *s, uint64_t pfn);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/view/world.h - a machine whose RAM holds a small partitioned world
 * by hv/abi, written by hand: an ultravisor, two I/O partitions, a guest.  No
 * guest code runs; tests say which context event happens.
 */
#ifndef PARTERRE_TESTS_VIEW_WORLD_H
#define PARTERRE_TESTS_VIEW_WORLD_H

#include "abi/channel.h"
#include "abi/control.h"
#include "abi/database.h"
#include "abi/lead.h"
#include "abi/syscall.h"
#include "abi/view.h"
#include "sim/partition.h"
#include "sim/trace/trace.h"

#define WORLD_PARTS 4
enum world_part {
	UV,
	IO_A,
	IO_B,
	GUEST
};

/* Frames. */
#define LEAD_PFN      0x100
#define LEAD_FRAMES   2
#define TEXT_PFN      0x110
#define ROOT_PFN      0x120
#define VERSION_PFN   0x121 /* and the next: two versions */
#define MAP_PFN       0x123 /* tiers G, M, K */
#define PARTS_PFN     0x126
#define CHANS_PFN     0x127
#define DEVS_PFN      0x128
#define DESC_PFN      0x130 /* + part: its number too */
#define VIEW_PFN      0x140 /* + 4 * part */
#define BLOCK_PFN     0x300 /* channels */
#define DIAG_PFN      0x180
#define CONTROL_PFN   0x188
#define BEAT_PFN      0x198
#define MONITOR_PFN   0x200 /* + 0x20 * part */
#define MEMORY_PFN    0x400 /* + 0x200 * part */
#define MEMORY_FRAMES 0x200
#define NVME_PFN      0xc0000

struct seen_event {
	uint16_t number;
	uint32_t partition;
	uint64_t value[TRACE_FIELDS_MAX];
	char text[TRACE_STRING_MAX]; /* of the last string field */
};

struct world {
	struct machine_config config; /* as the view gets it */
	struct trace *trace;
	struct machine *m;
	struct partition_view *view;
	struct lead_area *lead;
	struct db_root *root;
	struct db_version *version[2];
	struct db_part *part;
	struct db_chan *chan;
	struct db_dev *dev;
	struct seen_event *event;
	size_t events, seen; /* seen: taken by world_next() */
	char kernel[64];
	unsigned in_force;
	unsigned cpu;    /* of two: where the next thing happens */
	uint64_t tables; /* next free frame for page tables */
};

/* NULL note: a kernel without one. */
struct world *world_create(const struct note_layout *note);
struct world *world_default(void); /* with the view made and all of it seen */
void world_destroy(struct world *w);
struct note_layout world_note(void);
bool world_view(struct world *w, struct error *err);

void *world_frame(struct world *w, uint64_t pfn);
uint64_t world_cr3(enum world_part p);
uint64_t world_number(enum world_part p);

/* Maps `pfn` at `va` of a partition's kernel address space. */
void world_map(struct world *w, enum world_part p, uint64_t va, uint64_t pfn,
	       uint64_t flags);
#define MAP_P 1
#define MAP_W 2
#define MAP_U 4

/* The database has changed: the other version page comes into force. */
void world_commit(struct world *w);

void world_fire(struct world *w, enum cpu_context_event what, uint64_t value);
/* The CPU goes to that partition: monitor, CR3, ring 3. */
void world_switch(struct world *w, enum world_part p);
/* The other CPU is about to work. */
void world_turn_over(struct world *w);
/* The view's buffer that is not active gets this channel alone, as its handle
 * 0; row NULL: none.  Then it is the active one. */
void world_publish(struct world *w, enum world_part p,
		   const struct db_chan *row);
/* The ultravisor, which has this CPU, calls and comes back. */
void world_sync(struct world *w, enum world_part p);
/* The partition calls number 0 and comes back. */
void world_call(struct world *w);

/* The next event of that number that was not taken; NULL: none. */
const struct seen_event *world_next(struct world *w, uint16_t number);
size_t world_count(const struct world *w, uint16_t number);

/* As the producer of a queue does. */
void world_send(struct world *w, uint64_t pfn, unsigned queue, uint64_t offset,
		uint32_t slots, uint32_t bytes, const void *signal);
void world_format(struct world *w, uint64_t pfn, uint32_t type,
		  uint32_t generation);
void world_block(struct world *w, uint64_t sequence, uint32_t replay);

#endif

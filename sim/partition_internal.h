/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_internal.h - the partition view as its own files know it:
 *
 *   partition.c          made; context events: who runs, states, time; console
 *   partition_database.c partitions and channels as the database has them
 *   partition_channel.c  what crosses the queues
 *   partition_memory.c   owners, addresses, symbols
 *   partition_check.c    the containment lens
 *   partition_conform.c  the conformance lens
 *   partition_look.c     what a machine that stands shows
 *   partition_live.c     the database's pages in force
 *
 * The database is copied when its word `current` changes, by its own reader
 * here, and never followed again until it changes: whatever a hostile guest
 * writes meanwhile, these copies are bounded and stay what they are.
 */
#ifndef PARTERRE_SIM_PARTITION_INTERNAL_H
#define PARTERRE_SIM_PARTITION_INTERNAL_H

#include "sim/partition.h"

#include "abi/channel.h"
#include "abi/control.h"
#include "abi/database.h"
#include "abi/layout.h"
#include "abi/lead.h"
#include "abi/syscall.h"
#include "abi/view.h"

#define QUEUES_MAX    4
#define NAME_BYTES    16 /* in guest memory; perhaps without its NUL */
#define CHECKED_ROOTS 256
#define SPACES_MAX    128

/* What is known of a partition; position p in the array has index p + 1. */
struct partition {
	struct partition_info info;
	char module[NAME_BYTES + 1];
	uint32_t row;      /* in the database; DB_PARTS: in none */
	uint32_t db_state; /* the last that the database had */
	uint64_t channels; /* rows in which it is an end, as bits */
	uint64_t tables;   /* changes of its address spaces so far */
	/* A window that a system call under way may open: looked at when its
	 * kernel is back in ring 3, whoever had the CPU between. */
	vaddr_t opened;
	uint64_t opened_pages;
	/* Of its view, the buffer that its monitor goes by, at the latest since
	 * the last SYS_LEAD_SYNC: 0 or 1. */
	uint64_t view_active;
	bool view_known;
	bool in_database; /* it was once */
};

struct channel_seen {
	struct db_chan row;  /* id 0: none */
	const uint8_t *host; /* its pages; NULL: not RAM */
	uint32_t client, server;
	uint32_t generation; /* as the header says */
	uint64_t states;     /* client_state, server_state as one word */
	uint64_t beat, passed;
	uint32_t cursor[QUEUES_MAX]; /* the last slot that was read */
	uint64_t sent[QUEUES_MAX];
};

struct cpu_seen {
	uint32_t slot, current; /* current: index */
	uint32_t ring;
	uint64_t root; /* CR3 */
	ps_t since;    /* time is charged up to here */
	bool look;     /* slots may have changed since */
	uint32_t sync; /* the slot whose SYS_LEAD_SYNC is under way, + 1; 0 */
};

/* Frames that the database does not give to a partition any more, while its
 * monitor may still go by the view that did. */
struct taken {
	uint32_t index;
	uint64_t pfn, frames;
};
#define TAKEN_MAX 512

struct root_checked {
	uint64_t root, generation, tables;
};

struct partition_view {
	struct machine *m;
	struct bus *bus;
	char *kernel;
	struct {
		char *path, *string;
	} module[MACHINE_MODULES_MAX];
	size_t module_count;

	bool opaque;
	struct note_layout note;
	const struct lead_area *lead; /* in guest RAM: volatile to us */
	const struct db_root *root;
	uint64_t root_pfn, version_pfn;
	struct db_version version; /* magic 0: none was seen */
	struct db_part part[DB_PARTS];
	struct db_dev dev[DB_DEVS];
	struct channel_seen chan[DB_CHANS];

	struct partition partition[PARTITION_VIEW_MAX];
	size_t count;
	uint32_t slot_index[PART_SLOTS]; /* whose is this slot; 0: nobody's */
	uint32_t slot_state[PART_SLOTS];
	uint32_t slot_incarnation[PART_SLOTS];
	struct cpu_seen cpu[CPU_COUNT_MAX];
	struct partition_times times;
	bool started; /* a partition has run */

	/* Console. */
	char line[1000];
	size_t line_bytes;

	/* Containment. */
	struct root_checked checked[CHECKED_ROOTS];
	/* Address spaces that were looked at, the latest ones. */
	struct {
		uint64_t root;
		uint32_t index; /* whose */
	} space[SPACES_MAX];
	size_t next_space;
	struct taken taken[TAKEN_MAX];
	size_t taken_count;
	uint32_t ultravisor; /* index; 0: not known */
	bool works;          /* it did when last looked at */
	uint64_t spaces, pages;
	bool violated;
	struct partition_violation violation;

	/* Conformance: blocks seen, instructions refused, the first of them. */
	uint64_t blocks;
	struct {
		uint32_t index;
		vaddr_t va;
	} refused[64];
	size_t refused_count;
	struct partition_violation nonconforming;
};

static inline struct partition *partition_at(struct partition_view *v,
					     uint32_t index)
{
	return index && index <= v->count ? &v->partition[index - 1] : NULL;
}

static inline const struct partition *
partition_of(const struct partition_view *v, uint32_t index)
{
	return index && index <= v->count ? &v->partition[index - 1] : NULL;
}

/* Frames as the host sees them; NULL: not wholly RAM. */
const uint8_t *view_frames(const struct partition_view *v, uint64_t pfn,
			   uint64_t frames);

/* --- partition_database.c --- */

/* The partition of that number, made known if need be; 0: no room or no number.
 */
uint32_t view_partition(struct partition_view *v, uint64_t number,
			const char name[NAME_BYTES], uint32_t kind,
			uint32_t slot);
/* The root of its kernel address space; 0: it has no instance now. */
uint64_t view_cr3(const struct partition_view *v, uint32_t index);
/* Index of a number that is in force; 0: none. */
uint32_t view_index(const struct partition_view *v, uint64_t number);
void view_state(struct partition_view *v, uint32_t index, uint32_t state,
		const struct lead_slot *why);
/* Follows `current` if it has changed. */
void view_database(struct partition_view *v);

/* --- partition_channel.c --- */

/* The row is now this one. */
void channel_row(struct partition_view *v, unsigned row,
		 const struct db_chan *now);
/* Reads what is new in the channels of `rows`. */
void view_channels(struct partition_view *v, uint64_t rows);
uint32_t channel_waiting(const struct channel_seen *c, unsigned queue);

/* --- partition_check.c --- */

/* The address space `root` is about to run in ring 3 for partition `index`. */
void view_check_space(struct partition_view *v, uint32_t index, uint64_t root);
void view_check_window(struct partition_view *v, uint32_t index, uint64_t root,
		       vaddr_t va, uint64_t pages);
void view_violation(struct partition_view *v, const char *lens,
		    const struct partition_violation *x);
/* Another version of the database is in force: who was something taken from? */
void view_taken(struct partition_view *v);
/* SYS_LEAD_SYNC of this slot has returned. */
void view_synced(struct partition_view *v, uint32_t slot);
/* Slots may have changed: if the ultravisor sleeps, its work is done. */
void view_settled(struct partition_view *v);

/* --- partition_conform.c --- */

/* The name of an instruction that does not virtualize; NULL: it does.  `bytes`
 * from its beginning. */
const char *conform_refuses(const uint8_t *code, unsigned bytes,
			    bool long_mode);
void view_code(struct partition_view *v, struct cpu_seen *c, struct cpu *cpu,
	       const struct cpu_block *b);

#endif

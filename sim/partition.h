/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition.h - who runs, who owns what, what crosses a channel: the
 * partitioned machine as seen from outside.
 *
 * The view knows the hypervisor by looking alone: the layout note in the
 * kernel's image file (hv/abi/lead.h, struct note_layout), guest RAM, and the
 * CPUs' context events.  It writes nothing, and the guest cannot tell whether
 * it is there: digests and chain are the same with and without it.
 *
 * An image without the note is an opaque kernel: the view is made all the same,
 * partition_view_opaque() says so, there are no partitions, and console lines
 * are the only events.
 *
 * Nothing in guest memory is trusted: counts, offsets and frame numbers are
 * bounded before use; what makes no sense is left out.
 *
 * Indices.  A partition has an index from 1 on, in the order in which it became
 * known; it is kept over restarts and never given again.  0 is the monitor,
 * boot, or unknown.  Every record of a CPU carries the index of the partition
 * that runs there.
 *
 * Events (class `partition`, sim/trace/events.def) and when they are seen.  One
 * look at each entry to a monitor, at each return to ring 3, and when the turn
 * passes to another CPU; so an event
 * bears the instant of the first of these after it happened, and its CPU's
 * partition is the one that did it:
 *   partition    a number was seen for the first time
 *   switch       lead_cpu.current changed
 *   syscall      SYSCALL by a partition's kernel (not by a guest's process)
 *   state        a slot crashed or stopped (at once, with the exception), or
 *                the database's state changed to another value (then 0s);
 *                states are PART_STATE_*
 *   transaction  each generation of the database that was in force
 *   channel      a row of the database or a state in a header changed
 *   message, block_request, block_response, control, issued, committed, done
 *                a queue's head moved: one for each slot; one event for one
 *                message: `message` is for those with no event of their own
 *   heartbeat    a server's beat moved on
 *   console      a whole line, see below
 *   violation    a lens found something, see below
 *   odd          a queue produced more than it holds between two looks, so
 *                that messages may have been missed
 */
#ifndef PARTERRE_SIM_PARTITION_H
#define PARTERRE_SIM_PARTITION_H

#include "sim/machine.h"

#define PARTITION_NAME_BYTES  17
#define PARTITION_VIEW_MAX    256 /* partitions known in one run */
#define PARTITION_EXTENTS_MAX 32
#define PARTITION_NO_SLOT     UINT32_MAX

/* Looks at c->kernel's file and hangs itself on the machine's observer.  The
 * configuration's strings are copied.  NULL: the file cannot be read, or its
 * note is of a version that is not known (EXIT_USAGE, names file and remedy).
 * Made before the machine runs; destroyed before or after the machine. */
struct partition_view *partition_view_create(struct machine *m,
					     const struct machine_config *c,
					     struct error *err) MUST_USE;
/* The machine was destroyed; `m` stands where it stood (sim/snapshot.h). */
void partition_view_moved(struct partition_view *v, struct machine *m);
void partition_view_destroy(struct partition_view *v); /* NULL is fine */
bool partition_view_opaque(const struct partition_view *v);
struct machine *partition_view_machine(const struct partition_view *v);

/* Console.  Has the form that machine_set_console() wants; `owner` is the view.
 * Whoever also wants the bytes registers a function of its own and calls this
 * one from it.  Assembles lines of serial line 0; each gives an event `console`
 * with the whole line; "[name] text" bears the index of that partition, any
 * other 0. */
void partition_view_console_byte(void *owner, unsigned serial, ps_t when,
				 uint8_t c);

/* Looks now, as at a context event, and emits what is new, as nobody's doing:
 * for the end of a run, whose last instructions no context event followed. */
void partition_view_look(struct partition_view *v);

/* --- partitions --- */

struct partition_info {
	uint32_t index;
	uint64_t number; /* [G,M,K], hv/abi/database.h */
	char name[PARTITION_NAME_BYTES];
	uint32_t kind;  /* PART_* */
	uint32_t slot;  /* of its monitor instance, or PARTITION_NO_SLOT */
	uint32_t state; /* PART_STATE_* */
	uint32_t run;   /* SLOT_* of its slot; SLOT_FREE without one */
	uint32_t incarnation;
	uint64_t cr3;      /* of its kernel address space; 0: none */
	uint64_t frames;   /* of memory */
	uint64_t switches; /* how often it was given a CPU */
	ps_t ran;          /* time in ring 3 and, for idle, halted */
	/* Of its last crash or exit. */
	uint64_t vector, error, address, rip;
	/* As its monitor counts, in its (first) virtual processor. */
	uint32_t cpu;
	uint64_t run_ns, stolen_ns, offset_ns, checks;
	bool paused; /* PART_STATE_RUNNING, but it stands still, or is about to
		      */
	bool gone;   /* destroyed */
};

/* What the view has seen, and back to that: its machine went back, too.  Freed
 * by free(). */
void *partition_view_keep(const struct partition_view *v) MUST_USE;
void partition_view_back(struct partition_view *v, const void *kept);

/* Partitions by position 0 to count-1: position p has index p + 1. */
size_t partition_view_count(const struct partition_view *v);
void partition_view_info(const struct partition_view *v, size_t position,
			 struct partition_info *info);
/* The one of that name that is not gone, or else the last that had it.  False:
 * no such partition (EXIT_USAGE; names those that there are). */
bool partition_view_find(const struct partition_view *v, const char *name,
			 struct partition_info *info, struct error *err);
/* "io", "guest", ... of PART_*; "running", ... of PART_STATE_*; "?". */
const char *partition_kind_text(uint32_t kind);
const char *partition_state_text(uint32_t state);
/* The same of a partition, "paused" and "gone" included. */
const char *partition_info_state(const struct partition_info *info);
/* "io.a" of an index of the trace; "monitor" for 0; "?" if unknown. */
const char *partition_view_name(const struct partition_view *v, uint32_t index);
/* Index of the partition that has this CPU; 0: none. */
uint32_t partition_view_current(const struct partition_view *v, unsigned cpu);

/* Virtual time by who had the CPU, all CPUs together. */
struct partition_times {
	ps_t boot;       /* before the first partition ran */
	ps_t monitor;    /* ring 0, no idle */
	ps_t partitions; /* ring 3, idle's not counted */
	ps_t idle;
};
void partition_view_times(const struct partition_view *v,
			  struct partition_times *t);

/* --- memory --- */

struct partition_extent {
	uint64_t pfn, frames;
	const char *what; /* "memory", "monitor", "view", "channel", "device" */
};
/* Returns how many were filled in. */
size_t partition_view_extents(const struct partition_view *v, uint32_t index,
			      struct partition_extent *extent, size_t max);
/* The monitors' common text and data (two extents), by the layout note. */
size_t partition_view_monitor(const struct partition_view *v,
			      struct partition_extent extent[2]);

/* Owner's index by the database's tiered map; 0: nobody's (no RAM) or unknown.
 * *steps: reads that it took, 1 to 3; may be NULL. */
uint32_t partition_view_owner(const struct partition_view *v, uint64_t pfn,
			      unsigned *steps);

/* The whole tiered map, by its words: one call for each stretch of blocks of
 * one tier with the same owner, in order of frames.  `owner` 0 with `none`: no
 * RAM. */
struct partition_block {
	uint64_t pfn, frames;
	unsigned tier; /* reads that an owner's look-up takes: 1, 2, 3 */
	uint32_t owner;
	bool none;
};
typedef void partition_block_fn(void *to, const struct partition_block *b);
void partition_view_map(const struct partition_view *v, partition_block_fn *fn,
			void *to);

/* The pages of the database's version in force, as they are in RAM now: root,
 * version, index pages of the map in order of frames, tables, and of each
 * partition descriptor and configuration; always in the same order.  Returns
 * how many were filled in; 0: there is none, it leads out of RAM, or there are
 * more than `max`.  `bytes` is valid until the machine runs again. */
#define PARTITION_LIVE_MAX 512
struct partition_page {
	uint64_t pfn;
	const char *what; /* "root", "version", "map", "parts", ... */
	const uint8_t *bytes;
};
size_t partition_view_live(const struct partition_view *v,
			   struct partition_page *page, size_t max);

/* What the partition's view in force gives it (hv/abi/view.h); NULL: it has
 * none.  Valid until the machine runs again. */
struct view;
const struct view *partition_view_given(const struct partition_view *v,
					uint32_t index);
/* The lead monitor's schedule (hv/abi/lead.h); NULL: none yet. */
struct lead_schedule;
const struct lead_schedule *
partition_view_schedule(const struct partition_view *v);
/* Whose virtual processor is this slot; 0: nobody's.  *state: SLOT_*. */
uint32_t partition_view_slot(const struct partition_view *v, uint32_t slot,
			     uint32_t *state, uint32_t *cpu);
const char *partition_run_text(uint32_t run); /* "ready", ... of SLOT_* */

/* Roots of its address spaces: the kernel's, then those of processes that have
 * run lately.  Returns how many. */
size_t partition_view_spaces(const struct partition_view *v, uint32_t index,
			     uint64_t *root, size_t max);
/* What an address space maps: one call for each stretch of pages of one size,
 * with the same rights, contiguous in both. */
struct partition_mapping {
	vaddr_t va;
	uint64_t pfn, page_bytes, pages;
	bool user, writable, executable;
};
typedef void partition_mapping_fn(void *to, const struct partition_mapping *m);
void partition_view_tables(const struct partition_view *v, uint64_t root,
			   partition_mapping_fn *fn, void *to);

/* A partition's kernel virtual address, by its own page tables.  False: not
 * mapped for it, or it has no address space (EXIT_EXPECT). */
bool partition_view_translate(const struct partition_view *v, const char *name,
			      vaddr_t va, paddr_t *pa, struct error *err);
bool partition_view_read(const struct partition_view *v, const char *name,
			 vaddr_t va, void *to, size_t bytes, struct error *err);

/* A symbol of the program that the partition was started from: the module whose
 * Multiboot string the database names.  `name` "monitor": the kernel's image.
 * *bytes is 0 when the image doesn't say. */
bool partition_view_symbol(const struct partition_view *v, const char *name,
			   const char *symbol, vaddr_t *va, uint64_t *bytes,
			   struct error *err);
/* The path of that program's file; index 0: the kernel's; NULL: not known. */
const char *partition_view_program(const struct partition_view *v,
				   uint32_t index);
/* Its executable segment. */
bool partition_view_text(const struct partition_view *v, const char *name,
			 vaddr_t *va, uint64_t *bytes, struct error *err);

/* Registers of a virtual processor that has no CPU, as its monitor saved them:
 * where the CPUs' task state says that ring 3 is left to (SDM 3A 7.7), in the
 * order of struct lead_state (hv/abi/lead.h).  False: there are none. */
struct partition_saved {
	uint64_t gpr[CPU_GPR_COUNT]; /* by enum cpu_gpr */
	uint64_t rip, rflags, cs, ss;
	uint64_t cr3; /* of the kernel address space */
};
bool partition_view_saved(const struct partition_view *v, uint32_t slot,
			  struct partition_saved *saved);
/* The CPU whose current slot it is; PARTITION_NO_CPU: none. */
#define PARTITION_NO_CPU UINT32_MAX
uint32_t partition_view_slot_cpu(const struct partition_view *v, uint32_t slot);
/* The slot that this CPU runs; PARTITION_NO_SLOT: none. */
uint32_t partition_view_cpu_slot(const struct partition_view *v, unsigned cpu);
/* What a waiting one waits for: events, deadline (hv/abi/lead.h). */
bool partition_view_waits(const struct partition_view *v, uint32_t slot,
			  uint64_t *mask, uint64_t *deadline_ns);
/* Why this CPU last changed its slot, SWITCH_*, and that in words. */
uint32_t partition_view_reason(const struct partition_view *v, unsigned cpu);
const char *partition_switch_text(uint32_t reason);
/* A system call's name without SYS_, "WAIT"; "?": there is none. */
const char *partition_call_text(uint64_t number);
/* By that name, in any case; false: there is none. */
bool partition_call_find(const char *name, uint64_t *number);

/* --- channels --- */

struct partition_channel {
	uint32_t id;
	uint32_t type;           /* CHANNEL_* */
	uint32_t client, server; /* indices; 0: none */
	uint64_t pfn;
	uint32_t pages;
	uint32_t flags; /* RES_* */
	uint32_t generation;
	uint32_t client_state, server_state; /* as the header says */
	uint64_t beat;
	uint64_t extent_block, extent_blocks; /* of a block channel */
	unsigned queues;
	uint32_t slots[4], waiting[4]; /* of each queue: room, messages now */
	uint64_t sent[4];              /* since it was made */
	uint64_t passed;               /* messages seen, since the run began */
};
size_t partition_view_channel_count(const struct partition_view *v);
void partition_view_channel(const struct partition_view *v, size_t position,
			    struct partition_channel *c);
const char *partition_channel_type_text(uint32_t type);
/* What its header says of either end, CHANNEL_CLIENT_... and CHANNEL_SERVER_...
 */
const char *partition_channel_client_text(uint32_t state);
const char *partition_channel_server_text(uint32_t state);

/* --- containment --- */

struct partition_violation {
	uint32_t index; /* of the partition; 0: not known */
	uint64_t root;  /* of the address space */
	vaddr_t va;
	uint64_t pfn;
	uint32_t owner; /* index, by the map */
	char text[240]; /* one line: who maps what of whom */
};

/* The lens: no partition has a frame mapped for ring 3 that the database does
 * not give it (its memory, its channels, its view read-only, its user frame,
 * its devices' registers), and no frame of a monitor (text, data, instances) is
 * mapped for ring 3, but the lead area, read-only, for the ultravisor.  The
 * ultravisor may map any frame but a monitor's: it fills and scrubs them all.
 *
 * What a transaction took from a partition it may have until SYS_LEAD_SYNC of
 * its slot has returned, and nobody who had it not before may
 * (docs/partition-view.md, "Containment").
 *
 * Each address space is checked when it is about to run in ring 3 for the first
 * time since the database, its partition's view or its tables changed.  The
 * first violation is kept.  False: there is one; *violation filled. */
bool partition_view_check(struct partition_view *v,
			  struct partition_violation *violation);
/* Looks at the kernel address spaces of all at once, for a machine that only
 * stands.  Not while the ultravisor works: then what it takes away may still be
 * mapped. */
void partition_view_check_all(struct partition_view *v);
/* How many address spaces were checked so far, and pages seen. */
void partition_view_checked(const struct partition_view *v, uint64_t *spaces,
			    uint64_t *pages);

/* --- conformance --- */

/* The lens: no code that a partition executes, kernel or process, contains an
 * instruction that does not virtualize (docs/partition-view.md).  The first
 * that does is kept, each is traced once.  False: there is one; *violation
 * filled. */
bool partition_view_conforms(const struct partition_view *v,
			     struct partition_violation *violation);
/* How many blocks of code were looked at so far. */
uint64_t partition_view_blocks(const struct partition_view *v);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/profile.h - what a core is like, read from a text.
 *
 * One statement a line; # begins a comment, which names the source of the
 * figure.  Cycles are decimal numbers of up to three places.
 *
 *   name TEXT                     of the core, to the end of the line
 *   set KEY CYCLES                a number of the core: profile_keys, below
 *   port NAME COUNT               a kind of unit, and how many there are
 *   class NAME latency L ops N serial S start T USE...
 *                                 of instructions: cycles from operands to
 *                                 result, slots of dispatch, cycles in which
 *                                 nothing else happens, what a REP takes beside
 *                                 its iterations; each may be left out (1, 1,
 *                                 0, 0).  USE is PORT:CYCLES
 *   insn CLASS NAME...            instructions as Capstone calls them
 *   event NAME CYCLES             enum timing_event: exception, interrupt
 *   cache NAME KIB WAYS CYCLES    l1i, l1d, l2, llc: their size, what they take
 *                                 longer than l1d
 *   tlb NAME ENTRIES WAYS CYCLES  itlb, dtlb, stlb: the same of translations
 *
 * A memory operand adds its load or store to what the class says.
 */
#ifndef PARTERRE_CPU_TIMING_PROFILE_H
#define PARTERRE_CPU_TIMING_PROFILE_H

#include "cpu/timing/timing.h"

#define PROFILE_PORTS   24
#define PROFILE_CLASSES 96
#define PROFILE_NAME    24

/* In ticks, but for counts (in ticks, too: 1 is TIMING_TICKS_PER_CYCLE). */
enum profile_key {
	PROFILE_WIDTH,       /* dispatch slots in a cycle */
	PROFILE_WINDOW,      /* slots that are under way at once */
	PROFILE_SCHEDULER,   /* instructions that wait at once for operands */
	PROFILE_LOAD,        /* latency of a load into a general register */
	PROFILE_LOAD_VECTOR, /* ... into a vector register */
	/* From a store to a load of the same place: into a general register;
	 * into a vector register; for an instruction that adds a register (or
	 * the like) to memory. */
	PROFILE_FORWARD,
	PROFILE_FORWARD_VECTOR,
	PROFILE_FORWARD_UPDATE,
	PROFILE_STORE_WITH_LOADS, /* what a store asks of its unit among loads
				   */
	PROFILE_TAKEN,      /* least time from a taken branch to the next */
	PROFILE_LOADS,      /* loads that wait at once for their addresses */
	PROFILE_MISPREDICT, /* a branch that was not foreseen */
	PROFILE_DRAM,       /* longer than the first cache */
	PROFILE_MISSES,     /* that are under way at once */
	PROFILE_LINE_L2,    /* from line to line, if they are foreseen */
	PROFILE_LINE_LLC,
	PROFILE_LINE_DRAM,
	PROFILE_BANDWIDTH, /* lines that DRAM delivers in 1000 cycles, to all */
	PROFILE_WALK,      /* through the page tables, beside their lines */
	PROFILE_WALKS,     /* ... that are under way at once */
	PROFILE_KEY_COUNT
};

enum profile_table_name {
	PROFILE_L1I,
	PROFILE_L1D,
	PROFILE_L2,
	PROFILE_LLC,
	PROFILE_ITLB,
	PROFILE_DTLB,
	PROFILE_STLB,
	PROFILE_TABLE_COUNT
};

/* The number of sets is a power of two. */
struct profile_table {
	uint32_t entries, ways, latency;
};

struct profile_class {
	char name[PROFILE_NAME];
	uint32_t latency, ops, serial, start;
	uint32_t use[PROFILE_PORTS];
};

struct profile_port {
	char name[PROFILE_NAME];
	uint32_t count;
};

struct profile {
	char name[64];
	uint64_t hash;
	uint32_t key[PROFILE_KEY_COUNT];
	uint32_t keys_set; /* a bit for each */
	uint32_t event[TIMING_EVENT_COUNT];
	struct profile_table table[PROFILE_TABLE_COUNT];
	unsigned port_count, class_count;
	struct profile_port port[PROFILE_PORTS];
	struct profile_class class[PROFILE_CLASSES];
	/* Instruction number of Capstone to class; -1: not named. */
	int16_t *class_of;
	unsigned insn_count;
};

/* `path` is for messages; `text` need not end with a 0. */
bool profile_read(struct profile *p, const char *path, const char *text,
		  size_t bytes, struct error *err) MUST_USE;
void profile_free(struct profile *p);
/* -1: there is none. */
int profile_find_class(const struct profile *p, const char *name);
int profile_find_port(const struct profile *p, const char *name);

/* The generic one: cpu/timing/generic.profile, part of the program. */
extern const char timing_generic_profile[], timing_generic_profile_end[];

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/cycles.h - cycles.txt of a run, read (its format stands in
 * sim/scenario/session_cycles.c).
 *
 * In cycles: fractions are carried from number to number, so that sums are
 * those of the file, but for one cycle.
 */
#ifndef PARTERRE_TOOLS_CYCLES_H
#define PARTERRE_TOOLS_CYCLES_H

#include <stdio.h>

#include "cpu/timing/timing.h"
#include "sim/base.h"
#include "sim/status.h"

#define CYCLES_CPUS 8
#define CYCLES_NAME 96

struct cycles_stack {
	char partition[CYCLES_NAME], mode[CYCLES_NAME], function[CYCLES_NAME];
	uint64_t by[TIMING_CAUSE_COUNT], all;
};

struct cycles_cpu {
	ps_t from, to;
	uint64_t total, halted, stalled;
	int64_t ahead, rounding; /* in 1/256 */
};

struct cycles {
	char timing[16];
	uint64_t hz, all; /* `all`: of all stacks */
	unsigned cpus;
	struct cycles_cpu cpu[CYCLES_CPUS];
	size_t count;
	struct cycles_stack *stack; /* by partition, mode, function */
};

/* `dir`: the run's, or its trace's.  False: there is no such file, or it is not
 * one of this version (EXIT_USAGE; says what to do). */
bool cycles_read(struct cycles *c, const char *dir, struct error *err);
void cycles_free(struct cycles *c);

/* One of those; sums of the stacks of one partition and mode. */
struct cycles_sum {
	const struct cycles_stack *first;
	size_t count;
	uint64_t by[TIMING_CAUSE_COUNT], all;
};
/* The sum that begins at stack `at`; the next one at `at` plus its count. */
struct cycles_sum cycles_sum(const struct cycles *c, size_t at);
/* A copy of the stacks, those of most cycles first: malloc(). */
struct cycles_stack *cycles_top(const struct cycles *c);
/* "DRAM 71 %, base 12 %": the causes of most, three at most. */
void cycles_why(const uint64_t by[TIMING_CAUSE_COUNT], uint64_t all, char *to,
		size_t bytes);

/* trace stat --cycles: tables, or JSON; or folded stacks. */
void cycles_print(const struct cycles *c, bool json);
void cycles_fold(const struct cycles *c, FILE *to);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/timeline.h - what a summary tells, gathered from trace events.
 *
 * Reads records alone: the same from a run under way and from a trace on disk.
 * Times are ps; PS_NEVER: did not happen.
 */
#ifndef PARTERRE_SCENARIO_TIMELINE_H
#define PARTERRE_SCENARIO_TIMELINE_H

#include "sim/trace/trace.h"

#define TIMELINE_PARTITIONS_MAX 64
#define TIMELINE_FAULTS_MAX     16

struct timeline_partition {
	uint32_t index;
	char name[24];
	ps_t known, first_run;
};

/* An injected fault and what came of it. */
struct timeline_fault {
	char what[64];
	ps_t injected;
	ps_t death; /* the monitor stopped the partition; never if it hangs */
	ps_t detected;  /* command was told, or declared it dead */
	ps_t decision;  /* the transaction that moves a channel was asked for */
	ps_t moved;     /* the first channel has its new server */
	ps_t first_io;  /* the first block request completed there, or the first
			 * frame that came or went */
	ps_t restarted; /* it runs again */
	ps_t back;      /* a channel has it as server again */
	bool by_report; /* not by time-out */
	uint32_t of;    /* index of the partition; 0: not of a partition */
	uint32_t channel, to; /* what moved, and where */
	bool network;         /* what moved is a network's */
};

struct timeline {
	size_t partition_count;
	struct timeline_partition partition[TIMELINE_PARTITIONS_MAX];
	size_t fault_count;
	struct timeline_fault fault[TIMELINE_FAULTS_MAX];
	uint64_t requests, replays, responses, issued, committed;
};

void timeline_note(struct timeline *t, const struct trace_record *r);
/* The name of an index; "?" when it is not known. */
const char *timeline_name(const struct timeline *t, uint32_t index);

#endif

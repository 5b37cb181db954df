/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep.h - a fault at every instant of a range: what came of
 * each.  sweep.c makes the runs, sweep_report.c and sweep_figure.c show them.
 */
#ifndef PARTERRE_TOOLS_SWEEP_H
#define PARTERRE_TOOLS_SWEEP_H

#include "sim/partition.h"
#include "sim/status.h"

/* One instant.  Times are ps; PS_NEVER: did not happen. */
struct sweep_result {
	uint64_t retired; /* its name: all CPUs' instructions before it */
	uint64_t same;    /* instants behind it that it stands for: --while,
			   * --left-by
			   */
	ps_t at;
	char who[24]; /* had the CPU that was about to go on */
	int32_t status;
	bool by_report, contained;
	ps_t detected, moved, first_io, end;
	uint64_t replayed; /* requests */
	uint64_t lost, doubled, torn, misordered;
	uint64_t chain;
	uint64_t disk;    /* digest of what is on it at the end; 0: none */
	uint64_t events;  /* --beside: who did what from the fault on, and how
			   * the disk changed, in order, without when */
	char outcome[40]; /* what the scenario called it; "": nothing */
	char text[320];   /* of a failure */
};

struct sweep_sum {
	const char *scenario, *fault,
		*repeat;      /* the command, up to the fault */
	uint64_t every;       /* 0: each event */
	const char *running;  /* --while, --left-by; NULL: not given */
	const char *accesses; /* its argument; NULL: not given */
	bool left_by;
	uint64_t looked_at; /* --left-by: frames, when the range ended */
	struct sweep_beside *beside; /* --beside; NULL: not given */
	size_t count;
	struct sweep_result *result; /* in order of `retired` */
	int status;                  /* of the run without a fault */
	char text[320];
};

/* What partition `index` would leave if it died where the machine stands, all
 * its own memory being renewed then: RAM that it can write and that is not its
 * own; of its own what a device reads or writes by DMA at any time from the
 * range's beginning on; what the CPUs and the devices have exchanged and
 * devices did (machine_chain(), evq_fired()). */
struct sweep_left {
	uint64_t *page; /* frames that count; NULL: not known yet */
	size_t pages;
	uint64_t digest, chain, fired;
	uint8_t *mark; /* by frame: DMA; common to all processes */
	uint64_t frames;
	/* In a run with the fault: */
	uint8_t *done; /* by frame: DMA */
	uint64_t *own; /* its own frames, when the fault came */
	size_t owns;
};
/* Begins to mark what devices read and write, in this process and in those
 * that are forked from now on, for all of them. */
void sweep_left_begin(struct sweep_left *l, struct machine *m);
/* Enough is marked. */
void sweep_left_marked(struct sweep_left *l, struct machine *m);
/* True: the same as at the last call; `called`: its monitor has run for it
 * since, or another partition there, so that anything may have changed. */
bool sweep_left_same(struct sweep_left *l, const struct partition_view *v,
		     uint32_t index, bool called);
/* In a run with the fault: from now on what devices do is compared with what
 * was marked.  `spoil`: all that counts as nothing is overwritten. */
void sweep_left_fault(struct sweep_left *l, const struct partition_view *v,
		      uint32_t index, bool spoil);
/* A device read or wrote a frame of the partition's own that was not looked at.
 */
bool sweep_left_strayed(const struct sweep_left *l, uint64_t *pfn);
void sweep_left_end(struct sweep_left *l);

/* --beside N: of the boundaries that have no run of their own because of
 * --left-by, each Nth has two nonetheless.  One as any other; it is compared
 * with the run that stands for it.  And one in which all memory is overwritten
 * that --left-by says does not matter; it has to be the first one, bit for bit.
 */
struct sweep_pair {
	size_t of; /* whose place in sweep_sum.result */
	struct sweep_result run[2];
};
struct sweep_beside {
	uint64_t every, passed;
	size_t count;
	struct sweep_pair *pair;
};
struct sweep_beside_sum {
	size_t differ;  /* in what came of them, or spoiled */
	size_t alike;   /* even event by event */
	ps_t apart;     /* the most that a stall differs */
	char text[480]; /* of the first that differs */
};
/* One more pair? */
bool sweep_beside_due(struct sweep_beside *b, size_t of);
void sweep_beside_compare(const struct sweep_sum *s,
			  struct sweep_beside_sum *sum);

/* "PARTITION WHERE BYTES" of --accesses: bytes of that partition's, WHERE an
 * address of its own or a symbol of its program.  A fault that changes nothing
 * but these bytes makes the same run at all boundaries from behind an access to
 * the one before the next access. */
struct sweep_access {
	char partition[24], where[64];
	uint64_t bytes;
	uint32_t index;
	vaddr_t va;
};
bool sweep_access_read(struct sweep_access *a, const char *text);
/* From now on accesses to that address stop the machine behind them
 * (MACHINE_WATCH), whosever it is; was it this partition's? */
bool sweep_access_begin(struct sweep_access *a, const struct partition_view *v,
			struct error *err);
bool sweep_access_made(const struct sweep_access *a,
		       const struct partition_view *v);
void sweep_access_end(const struct sweep_access *a, struct machine *m);

/* How many failed, those beside that differ among them. */
size_t sweep_failed(const struct sweep_sum *s);
void sweep_print(const struct sweep_sum *s);
void sweep_print_json(const struct sweep_sum *s);
/* Comma-separated, one instant a line, below a line of names. */
bool sweep_write_table(const struct sweep_sum *s, const char *path,
		       struct error *err);
/* An SVG: stall against instant. */
bool sweep_write_figure(const struct sweep_sum *s, const char *path,
			struct error *err);

#endif

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
	char outcome[40]; /* what the scenario called it; "": nothing */
	char text[320];   /* of a failure */
};

struct sweep_sum {
	const char *scenario, *fault,
		*repeat;      /* the command, up to the fault */
	uint64_t every;       /* 0: each event */
	const char *running;  /* --while, --left-by; NULL: not given */
	const char *accesses; /* its argument; NULL: not given */
	size_t count;
	struct sweep_result *result; /* in order of `retired` */
	int status;                  /* of the run without a fault */
	char text[320];
};

/* What partition `index` would leave if it died where the machine stands, all
 * its own memory being renewed then: the RAM that it can write and that is not
 * its own.  True: the same as at the last call; `called`: its monitor has run
 * for it since, or another partition there, so that anything may have changed.
 */
struct sweep_left {
	uint64_t *page; /* frames that count; NULL: not known yet */
	size_t pages;
	uint64_t digest;
};
bool sweep_left_same(struct sweep_left *l, const struct partition_view *v,
		     uint32_t index, bool called);
void sweep_left_end(struct sweep_left *l);

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

/* How many failed. */
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

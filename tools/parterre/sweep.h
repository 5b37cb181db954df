/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep.h - a fault at every instant of a range: what came of
 * each.  sweep.c makes the runs, sweep_report.c and sweep_figure.c show them.
 */
#ifndef PARTERRE_TOOLS_SWEEP_H
#define PARTERRE_TOOLS_SWEEP_H

#include "sim/base.h"
#include "sim/status.h"

/* One instant.  Times are ps; PS_NEVER: did not happen. */
struct sweep_result {
	uint64_t retired; /* its name: all CPUs' instructions before it */
	uint64_t same; /* instants behind it that lead to the same run: --while
			*/
	ps_t at;
	char who[24]; /* had the CPU that was about to go on */
	int32_t status;
	bool by_report, contained;
	ps_t detected, moved, first_io, end;
	uint64_t replayed; /* requests */
	uint64_t lost, doubled, torn, misordered;
	uint64_t chain;
	char text[320]; /* of a failure */
};

struct sweep_sum {
	const char *scenario, *fault,
		*repeat;     /* the command, up to the fault */
	uint64_t every;      /* 0: each event */
	const char *running; /* --while; NULL: not given */
	size_t count;
	struct sweep_result *result; /* in order of `retired` */
	int status;                  /* of the run without a fault */
	char text[320];
};

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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/report.h - parterre report: a run as one HTML file.
 *
 * It is made of what the run left (result, scenario.lua, command, console.txt,
 * trace/), loads nothing from anywhere, and nothing in it is of the host but
 * paths: equal runs have equal reports.
 *
 * report.c gathers, report_page.c writes the page's sections, report_cycles.c
 * one of them, report_chart.c their SVG, report_data.c what report.js draws the
 * lanes of.
 */
#ifndef PARTERRE_TOOLS_REPORT_H
#define PARTERRE_TOOLS_REPORT_H

#include <stdio.h>

#include "sim/seen/story.h"
#include "tools/parterre/cycles.h"
#include "tools/parterre/result.h"

/* Spans of a lane; beyond, lanes get coarser. */
#define REPORT_SPANS_MAX 60000

struct report_machine {
	char name[SESSION_NAME_BYTES]; /* empty: the first without one */
	struct story *story;
	char *console;        /* text; NULL: none */
	struct cycles cycles; /* of no CPU: the run was without --cycles */
};

struct report {
	const char *dir;
	struct result result;
	size_t machine_count;
	struct report_machine machine[SESSION_MACHINES_MAX];
	char *scenario, *command; /* texts; NULL: none */
};

/* --- report_page.c --- */

void report_page(FILE *f, struct report *r);
/* Text as HTML has it, in attributes too. */
void report_escape(FILE *f, const char *text);

/* Who is an index of the story.  Its colour, as CSS has it, and its name are
 * the same all over the page: the timeline takes them from its legend. */
#define COLOUR_BYTES 24
const char *report_colour(const struct story *s, uint32_t who,
			  char to[COLOUR_BYTES]);
/* 0: whoever has a CPU that no partition has, "machine" if it has none. */
const char *report_name(const struct story *s, uint32_t who);
/* Has it had any time, or a CPU? */
bool report_ran(const struct story *s, uint32_t who);

/* --- report_cycles.c --- */

/* Who spent the cycles, and on what; nothing if that is not known. */
void report_cycles(FILE *f, const struct cycles *c);

/* --- report_chart.c --- */

/* From the fault to the first I/O on the other path, each step a length: step i
 * of report.css's colour s<i>. */
void chart_anatomy(FILE *f, const struct timeline_fault *t);
/* One bar of all CPUs' time: partitions, their monitors, idle, boot. */
void chart_time(FILE *f, const struct story *s);
/* How many answers took how long; four bars to an octave. */
void chart_latency(FILE *f, struct story_channel *c);
/* The steps that chart_anatomy() and its table show, in their order. */
#define ANATOMY_STEPS 8
#define ANATOMY_SHOWN 6 /* up to the first I/O: what comes later is far off */
struct anatomy_step {
	char text[64];
	ps_t at; /* PS_NEVER: did not happen */
};
void anatomy_steps(const struct story *s, const struct timeline_fault *t,
		   struct anatomy_step step[ANATOMY_STEPS]);

/* --- report_data.c --- */

void report_data(FILE *f, const struct report *r);

/* Lines, the last one NULL: report.css and report.js. */
extern const char *const report_css[];
extern const char *const report_js[];

#endif

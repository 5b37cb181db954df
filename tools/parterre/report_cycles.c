/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/report_cycles.c - the report's section on who spent the
 * cycles: a bar for each partition and mode, by cause, and the functions of
 * most.  Colours are classes c0, c1, ... of report.css, by cause. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/parterre/report.h"

#define BAR_W     640
#define BAR_X     190
#define BAR_H     17
#define BAR_STEP  23
#define FUNCTIONS 25

_Static_assert(TIMING_CAUSE_COUNT == 13, "report.css has so many colours");

static double percent(uint64_t part, uint64_t all)
{
	return all ? (double)part / (double)all * 100 : 0;
}

static void legend(FILE *f)
{
	fprintf(f, "<div class=\"legend\">\n");
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++)
		fprintf(f, "<span><span class=\"key c%u\"></span>%s</span>\n",
			i, timing_cause_name[i]);
	fprintf(f, "</div>\n");
}

static void pieces(FILE *f, const struct cycles_sum *s, uint64_t most, int y)
{
	double x = BAR_X;

	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
		double w = most ? (double)s->by[i] / (double)most * BAR_W : 0;

		if (!s->by[i])
			continue;
		fprintf(f,
			"<rect class=\"c%u\" x=\"%.2f\" y=\"%d\" "
			"width=\"%.2f\" height=\"%d\"><title>",
			i, x, y, w, BAR_H);
		report_escape(f, s->first->partition);
		fprintf(f, " ");
		report_escape(f, s->first->mode);
		fprintf(f,
			", %s: %" PRIu64 " cycles, %.1f %% of it</title>"
			"</rect>\n",
			timing_cause_name[i], s->by[i],
			percent(s->by[i], s->all));
		x += w;
	}
}

/* All on one scale: the longest fills it. */
static void bars(FILE *f, const struct cycles *c)
{
	uint64_t most = 0;
	size_t rows = 0;
	int y = 0;

	for (size_t at = 0; at < c->count; rows++) {
		struct cycles_sum s = cycles_sum(c, at);

		most = s.all > most ? s.all : most;
		at += s.count;
	}
	fprintf(f,
		"<svg viewBox=\"0 0 1000 %zu\" role=\"img\" "
		"aria-label=\"cycles by partition and cause\">\n",
		rows * BAR_STEP);
	for (size_t at = 0; at < c->count; y += BAR_STEP) {
		struct cycles_sum s = cycles_sum(c, at);

		fprintf(f, "<text class=\"strong\" x=\"0\" y=\"%d\">", y + 13);
		report_escape(f, s.first->partition);
		fprintf(f, " ");
		report_escape(f, s.first->mode);
		fprintf(f, "</text>\n");
		pieces(f, &s, most, y);
		fprintf(f,
			"<text x=\"%d\" y=\"%d\">%" PRIu64 " (%.1f %%)"
			"</text>\n",
			BAR_X + BAR_W + 10, y + 13, s.all,
			percent(s.all, c->all));
		at += s.count;
	}
	fprintf(f, "</svg>\n");
}

static void function_row(FILE *f, const struct cycles *c,
			 const struct cycles_stack *s)
{
	double x = 0;

	fprintf(f, "<tr><td><code>");
	report_escape(f, s->function);
	fprintf(f, "</code></td><td>");
	report_escape(f, s->partition);
	fprintf(f, " ");
	report_escape(f, s->mode);
	fprintf(f,
		"</td><td class=\"n\">%" PRIu64
		"</td><td class=\"n\">%.1f %%</td><td><svg viewBox=\"0 0 300 "
		"14\" role=\"img\" aria-label=\"causes\">",
		s->all, percent(s->all, c->all));
	for (unsigned i = 0; i < TIMING_CAUSE_COUNT; i++) {
		double w = percent(s->by[i], s->all) * 3;

		if (!s->by[i])
			continue;
		fprintf(f,
			"<rect class=\"c%u\" x=\"%.2f\" y=\"0\" "
			"width=\"%.2f\" height=\"14\"><title>%s: %" PRIu64
			" cycles, %.1f %%</title></rect>",
			i, x, w, timing_cause_name[i], s->by[i], w / 3);
		x += w;
	}
	fprintf(f, "</svg></td></tr>\n");
}

static void cpu_row(FILE *f, unsigned i, const struct cycles_cpu *c)
{
	uint64_t waits = c->halted + c->stalled;

	fprintf(f,
		"<tr><td>CPU %u</td><td class=\"n\">%" PRIu64
		"</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64
		"</td><td class=\"n\">%.1f %%</td></tr>\n",
		i, c->total, c->total - waits, waits, percent(waits, c->total));
}

void report_cycles(FILE *f, const struct cycles *c)
{
	struct cycles_stack *top;

	if (!c->cpus)
		return;
	fprintf(f,
		"<h2>Who spent the cycles</h2>\n<p class=\"soft\">By the "
		"timing model <code>%s</code> at %.3f GHz: %" PRIu64
		" cycles. Each has one cause; what they mean stands in "
		"docs/timing.md.</p>\n",
		c->timing, (double)c->hz / 1e9, c->all);
	legend(f);
	bars(f, c);
	fprintf(f, "<table><tr><th>function</th><th>of</th>"
		   "<th class=\"n\">cycles</th><th class=\"n\">share</th>"
		   "<th>on what</th></tr>\n");
	top = cycles_top(c);
	for (size_t i = 0; i < c->count && i < FUNCTIONS; i++)
		function_row(f, c, &top[i]);
	free(top);
	fprintf(f, "</table>\n<table><tr><th></th><th class=\"n\">cycles</th>"
		   "<th class=\"n\">at work</th><th class=\"n\">halted</th>"
		   "<th class=\"n\">share halted</th></tr>\n");
	for (unsigned i = 0; i < c->cpus; i++)
		cpu_row(f, i, &c->cpu[i]);
	fprintf(f, "</table>\n");
}

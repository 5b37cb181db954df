/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/report_chart.c - the report's charts, as SVG 1.1 in the page.
 * Colours come from report.css; <title> is what hovering shows. */
#include <inttypes.h>
#include <string.h>

#include "tools/parterre/report.h"

#define WIDTH 1000
#define US(t) ((double)(t) / (double)PS_PER_US)

/* --- failover --- */

void anatomy_steps(const struct story *s, const struct timeline_fault *t,
		   struct anatomy_step step[ANATOMY_STEPS])
{
	const ps_t at[ANATOMY_STEPS] = {
		t->injected, t->death,    t->detected,  t->decision,
		t->moved,    t->first_io, t->restarted, t->back,
	};
	static const char *const text[ANATOMY_STEPS] = {
		"injected",  "death: its monitor stopped it",
		"",          "decision: the transaction was asked for",
		"",          "first I/O completed there",
		"restarted", "load is back",
	};

	for (size_t i = 0; i < ANATOMY_STEPS; i++) {
		step[i].at = at[i];
		snprintf(step[i].text, sizeof(step[i].text), "%s", text[i]);
	}
	snprintf(step[2].text, sizeof(step[2].text), "detected, by %s",
		 t->by_report ? "report" : "time-out");
	snprintf(step[4].text, sizeof(step[4].text), "channel %u moved to %s",
		 t->channel, t->to ? story_name(s, t->to) : "nobody");
}

void chart_anatomy(FILE *f, const struct timeline_fault *t)
{
	static const char *const name[ANATOMY_SHOWN - 1] = {
		"until death", "until detected",  "until decision",
		"until moved", "until first I/O",
	};
	const ps_t at[ANATOMY_SHOWN] = {t->injected, t->death, t->detected,
					t->decision, t->moved, t->first_io};
	ps_t end = 0, from = t->injected;
	double x = 0;

	for (size_t i = 0; i < ANATOMY_SHOWN; i++) {
		if (at[i] != PS_NEVER && at[i] > end)
			end = at[i];
	}
	if (end <= from)
		return;
	fprintf(f,
		"<svg viewBox=\"0 0 %d 66\" role=\"img\" "
		"aria-label=\"steps of the failover\">\n",
		WIDTH);
	for (size_t i = 1; i < ANATOMY_SHOWN; i++) {
		double w;

		if (at[i] == PS_NEVER || at[i] < from)
			continue;
		w = (double)(at[i] - from) / (double)(end - t->injected) *
		    WIDTH;
		fprintf(f,
			"<rect x=\"%.2f\" y=\"4\" width=\"%.2f\" height=\"28\" "
			"style=\"fill:var(--s%zu)\"><title>%s: %.3f us"
			"</title></rect>\n",
			x, w, i, name[i - 1], US(at[i] - from));
		if (w > 105)
			fprintf(f,
				"<text x=\"%.2f\" y=\"47\">%s</text>"
				"<text class=\"strong\" x=\"%.2f\" y=\"62\">"
				"%.1f us</text>\n",
				x, name[i - 1], x, US(at[i] - from));
		x += w;
		from = at[i];
	}
	fprintf(f, "</svg>\n");
}

/* --- time --- */

struct bar {
	double x, all;
};

static void piece(FILE *f, struct bar *b, ps_t t, const char *fill,
		  const char *name, const char *what)
{
	double w = (double)t / b->all * WIDTH;

	if (!t)
		return;
	fprintf(f,
		"<rect x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"30\" "
		"style=\"fill:%s\"><title>",
		b->x, w, fill);
	report_escape(f, name);
	fprintf(f, "%s: %.3f us, %.1f %%</title></rect>\n", what, US(t),
		(double)t / b->all * 100);
	b->x += w;
}

/* In ring 3 by partition, idle last; ring 0 is one piece.  But what runs
 * beside partitions (the boot) has no ring 3, and is shown as one. */
void chart_time(FILE *f, const struct story *s)
{
	struct bar b = {0, 0};
	ps_t monitor = 0, idle = 0;
	char colour[COLOUR_BYTES];

	for (uint32_t i = 0; i <= s->partitions; i++)
		b.all +=
			(double)(s->partition[i].own + s->partition[i].monitor);
	if (b.all <= 0)
		return;
	fprintf(f,
		"<svg viewBox=\"0 0 %d 30\" role=\"img\" "
		"aria-label=\"%s\">\n",
		WIDTH,
		s->partitions ? "time by partition, monitor and idle"
			      : "time by ring");
	for (uint32_t i = 0; i <= s->partitions; i++) {
		const struct story_partition *p = &s->partition[i];
		bool whole = !i && s->partitions;

		monitor += whole ? 0 : p->monitor;
		idle += p->idle ? p->own : 0;
		piece(f, &b,
		      whole ? p->own + p->monitor : (p->idle ? 0 : p->own),
		      report_colour(s, i, colour), report_name(s, i),
		      whole || !s->rings ? "" : ", ring 3");
	}
	piece(f, &b, monitor, "var(--monitor)",
	      s->partitions ? "monitors" : "machine", ", ring 0");
	piece(f, &b, idle, "var(--idle)", "idle", "");
	fprintf(f, "</svg>\n");
}

/* --- latency --- */

#define BINS    96 /* four to an octave, from 1 ns on: to 16 ms, and longer */
#define CHART_H 120
#define PLOT_H  92

/* The bin of a latency: octaves of ns, each cut in four equal parts. */
static unsigned bin_of(ps_t took)
{
	uint64_t ns = took / PS_PER_NS;
	unsigned octave = 0, bin;

	if (!ns)
		return 0;
	while (ns >> octave > 1)
		octave++;
	bin = octave * 4 +
	      (octave >= 2 ? (unsigned)(ns >> (octave - 2)) & 3 : 0);
	return bin < BINS ? bin : BINS - 1;
}

static double bin_ns(unsigned bin)
{
	return (double)(UINT64_C(1) << (bin / 4)) * (1 + (bin % 4) / 4.0);
}

static void time_label(char *to, size_t bytes, double ns)
{
	if (ns >= 1e6)
		snprintf(to, bytes, "%.3g ms", ns / 1e6);
	else if (ns >= 1e3)
		snprintf(to, bytes, "%.3g us", ns / 1e3);
	else
		snprintf(to, bytes, "%.3g ns", ns);
}

void chart_latency(FILE *f, struct story_channel *c)
{
	size_t count[BINS] = {0}, most = 1;
	unsigned low, high;
	char from[24], to[24];
	double w;

	if (!c->took_count)
		return;
	low = bin_of(story_took(c, 0)) & ~3u;
	high = bin_of(story_took(c, 1000)) | 3;
	w = (double)WIDTH / (high - low + 1);
	for (size_t i = 0; i < c->took_count; i++) {
		unsigned bin = bin_of(c->took[i]);

		if (++count[bin] > most)
			most = count[bin];
	}
	fprintf(f,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"latencies\">\n",
		WIDTH, CHART_H);
	for (unsigned i = low; i <= high; i++) {
		double x = (i - low) * w, h = (double)count[i] / (double)most;

		time_label(from, sizeof(from), bin_ns(i));
		time_label(to, sizeof(to), bin_ns(i + 1));
		if (count[i])
			fprintf(f,
				"<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" "
				"width=\"%.1f\" height=\"%.1f\"><title>%s to "
				"%s: %zu</title></rect>\n",
				x, PLOT_H - h * (PLOT_H - 14), w - 2,
				h * (PLOT_H - 14), from, to, count[i]);
		if (count[i] && w > 24)
			fprintf(f,
				"<text x=\"%.1f\" y=\"%.1f\" "
				"text-anchor=\"middle\">%zu</text>\n",
				x + w / 2, PLOT_H - h * (PLOT_H - 14) - 3,
				count[i]);
		if (i % 4 == 0)
			fprintf(f,
				"<path class=\"axis\" d=\"M%.1f %d v6\"/>"
				"<text x=\"%.1f\" y=\"%d\">%s</text>\n",
				x, PLOT_H, x + 2, CHART_H - 8, from);
	}
	fprintf(f, "<path class=\"axis\" d=\"M0 %d H%d\"/>\n</svg>\n", PLOT_H,
		WIDTH);
}

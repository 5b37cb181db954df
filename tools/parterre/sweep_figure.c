/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep_figure.c - an SVG 1.1 of a sweep: a dot for each
 * instant, its stall upwards; a red line at the bottom for each run that
 * failed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/parterre/sweep.h"

#define WIDTH  900
#define HEIGHT 420
#define LEFT   70
#define RIGHT  20
#define TOP    40
#define BOTTOM 50
#define TICKS  5

struct axes {
	ps_t first, last, most; /* instants; the highest stall */
};

static double x_of(const struct axes *a, ps_t at)
{
	double span = a->last > a->first ? (double)(a->last - a->first) : 1;

	return LEFT + (double)(at - a->first) / span * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct axes *a, ps_t stall)
{
	double span = a->most ? (double)a->most : 1;

	return HEIGHT - BOTTOM - (double)stall / span * (HEIGHT - TOP - BOTTOM);
}

static struct axes axes_of(const struct sweep_sum *s)
{
	struct axes a = {0};

	for (size_t i = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];

		if (!a.first && r->at)
			a.first = r->at;
		if (r->at > a.last)
			a.last = r->at;
		if (r->first_io != PS_NEVER && r->first_io - r->at > a.most)
			a.most = r->first_io - r->at;
	}
	/* So that nothing lies on the frame. */
	a.most += a.most / 10;
	return a;
}

static void put_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else
			fputc(*text, f);
	}
}

static void put_axes(FILE *f, const struct axes *a)
{
	fprintf(f,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
		"fill=\"none\" stroke=\"#888\"/>\n",
		LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
	for (unsigned i = 0; i <= TICKS; i++) {
		ps_t stall = a->most / TICKS * i;
		ps_t at = a->first + (a->last - a->first) / TICKS * i;

		fprintf(f,
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f"
			"</text>\n",
			LEFT - 6, y_of(a, stall) + 4,
			(double)stall / (double)PS_PER_US);
		fprintf(f,
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4f"
			"</text>\n",
			x_of(a, at), HEIGHT - BOTTOM + 16,
			(double)at / (double)PS_PER_MS);
	}
	fprintf(f,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">instant of the "
		"fault, ms</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12);
	fprintf(f,
		"<text x=\"16\" y=\"%d\" transform=\"rotate(-90 16 %d)\" "
		"text-anchor=\"middle\">stall, us</text>\n",
		(TOP + HEIGHT - BOTTOM) / 2, (TOP + HEIGHT - BOTTOM) / 2);
}

static void put_dots(FILE *f, const struct sweep_sum *s, const struct axes *a)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];

		if (r->first_io != PS_NEVER)
			fprintf(f,
				"<circle cx=\"%.2f\" cy=\"%.2f\" r=\"1\"%s/>\n",
				x_of(a, r->at), y_of(a, r->first_io - r->at),
				r->by_report ? "" : " class=\"t\"");
		if (r->status)
			fprintf(f,
				"<path d=\"M%.2f %d v-8\" stroke=\"#d00\"/>\n",
				x_of(a, r->at), HEIGHT - BOTTOM);
	}
}

bool sweep_write_figure(const struct sweep_sum *s, const char *path,
			struct error *err)
{
	struct axes a = axes_of(s);
	FILE *f = fopen(path, "w");

	if (!f)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n"
		"<style>circle{fill:#1668b0}circle.t{fill:#c76a00}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		"<text x=\"%d\" y=\"24\" font-size=\"14\">",
		WIDTH, HEIGHT, LEFT);
	put_text(f, s->fault);
	fprintf(f,
		" at %zu instants: %zu failed (blue: reported, orange: by "
		"time-out)</text>\n",
		s->count, sweep_failed(s));
	put_axes(f, &a);
	put_dots(f, s, &a);
	fprintf(f, "</svg>\n");
	return fclose(f) == 0 ||
	       error_set(err, EXIT_HOST, "%s: cannot be written: %s", path,
			 strerror(errno));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/seen/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "sim/seen/palette.h"

#define MS(t)    ((double)(t) / (double)PS_PER_MS)
#define WORD_MAX 256

/* A picture under way: what does not fit is left out. */
struct page {
	FILE *to;
	unsigned columns, rows, row, column;
};

static void put(struct page *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Printing characters alone; colours go by put_colour(). */
static void put(struct page *p, const char *fmt, ...)
{
	char text[WORD_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (const char *c = text; *c && p->column < p->columns; c++) {
		fputc((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e ? '.'
									   : *c,
		      p->to);
		p->column++;
	}
}

static void line_ends(struct page *p)
{
	fputs("\033[0m\033[K\r\n", p->to);
	p->row++;
	p->column = 0;
}

static bool room(const struct page *p)
{
	return p->row + 1 < p->rows;
}

/* The nearest of the 216 colours. */
static void put_colour(struct page *p, uint32_t rgb, bool behind)
{
	unsigned r = (rgb >> 16 & 0xff) * 5 / 255;
	unsigned g = (rgb >> 8 & 0xff) * 5 / 255, b = (rgb & 0xff) * 5 / 255;

	fprintf(p->to, "\033[%d;5;%um", behind ? 48 : 38,
		16 + 36 * r + 6 * g + b);
}

static void put_name(struct page *p, uint32_t colour, int width,
		     const char *name)
{
	put_colour(p, colour, false);
	put(p, "%-*s", width, name);
	fputs("\033[39m", p->to);
}

static void put_who(struct page *p, const struct seen *s, uint32_t who,
		    int width)
{
	put_name(p, palette_colour(who), width, seen_name(s, who));
}

static void put_title(struct page *p, const char *text)
{
	fputs("\033[1m", p->to);
	put(p, "%s", text);
	line_ends(p);
}

/* --- parts --- */

static void put_head(struct page *p, const struct seen *s)
{
	static const char *const state[] = {
		[SEEN_RUNS] = "runs",
		[SEEN_STANDS] = "STANDS",
		[SEEN_OVER] = "IS OVER",
	};

	fputs("\033[7m", p->to);
	put(p, " %s  ", s->scenario);
	if (s->machines > 1)
		put(p, "machine %s (m: next)  ",
		    seen_machine_name(s, s->machine));
	put(p, "%.6f ms  %" PRIu64 " instructions  %s", MS(s->now), s->retired,
	    state[s->state]);
	if (s->speed)
		put(p, "  held to %" PRIu32 " %% of real time", s->speed);
	put(p, "%*s", (int)(p->columns - p->column), "");
	line_ends(p);
	if (s->why[0]) {
		put(p, " %s", s->why);
		line_ends(p);
	}
}

/* The cells of a column: who has most of them, the first of equals. */
static uint16_t column_owner(const struct seen_cpu *c, unsigned from,
			     unsigned to)
{
	uint16_t who = SEEN_NOBODY;
	unsigned most = 0;

	for (unsigned i = from; i < to; i++) {
		unsigned n = 0;

		for (unsigned k = i; k < to; k++)
			n += c->cell[k] == c->cell[i];
		if (c->cell[i] != SEEN_NOBODY && n > most) {
			most = n;
			who = c->cell[i];
		}
	}
	return who;
}

#define LANE_LEFT 24

static void put_lanes(struct page *p, const struct seen *s)
{
	unsigned wide =
		p->columns > LANE_LEFT + 10 ? p->columns - LANE_LEFT - 1 : 10;

	for (uint32_t i = 0; i < s->cpus && room(p); i++) {
		const struct seen_cpu *c = &s->cpu[i];

		put(p, "cpu%" PRIu32 " ring %u ", i, c->ring);
		put_who(p, s, c->who, LANE_LEFT - 11);
		for (unsigned x = 0; x < wide; x++) {
			uint16_t who =
				column_owner(c, SEEN_CELLS * x / wide,
					     SEEN_CELLS * (x + 1) / wide);

			if (who == SEEN_NOBODY) {
				fputs("\033[49m", p->to);
				put(p, ".");
			} else {
				put_colour(p, palette_colour(who), true);
				put(p, " ");
			}
		}
		line_ends(p);
		if (c->place[0] && room(p)) {
			put(p, "     %s%s", c->place,
			    c->halted ? ", halted" : "");
			line_ends(p);
		}
	}
}

static void put_partitions(struct page *p, const struct seen *s)
{
	if (!s->partitions || !room(p))
		return;
	put_title(p, "partition    state       run       cpu  share  "
		     "switches    frames");
	for (uint32_t i = 0; i < s->partitions && room(p); i++) {
		const struct seen_partition *q = &s->partition[i];
		char on[SEEN_CPUS + 1];

		put_who(p, s, q->index, 13);
		put(p, "%-11s %-9s %3s %5.1f%% %9" PRIu64 " %9" PRIu64,
		    q->state, q->run, seen_on(q, on), q->share / 10.0,
		    q->switches, q->frames);
		line_ends(p);
	}
}

static void put_fill(struct page *p, const struct seen_channel *c)
{
	for (uint32_t q = 0; q < c->queues; q++)
		put(p, "%s%" PRIu32 "/%" PRIu32, q ? " " : "", c->waiting[q],
		    c->slots[q]);
}

static void put_channels(struct page *p, const struct seen *s)
{
	if (!s->channels || !room(p))
		return;
	put_title(p,
		  "channel       client       server       messages  lately  "
		  "waiting/slots");
	for (uint32_t i = 0; i < s->channels && room(p); i++) {
		const struct seen_channel *c = &s->channel[i];

		put(p, "%3" PRIu32 " %-9.9s ", c->id, c->type);
		put_who(p, s, c->client, 11);
		put(p, "%s ", c->server != c->first_server ? "=>" : "->");
		put_who(p, s, c->server, 11);
		put(p, "%9" PRIu64 " %7" PRIu64 "  ", c->passed, c->flow);
		put_fill(p, c);
		line_ends(p);
	}
}

static uint64_t owned(const struct seen *s, uint32_t who, unsigned tier)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < s->blocks; i++) {
		if (s->block[i].owner == who && s->block[i].tier == tier)
			frames += s->block[i].frames;
	}
	return frames;
}

static void put_memory(struct page *p, const struct seen *s)
{
	if (!s->blocks || !room(p))
		return;
	put_title(p,
		  "memory, MiB by owner, in blocks of 1 GiB + 2 MiB + 4 KiB");
	for (uint32_t i = 0, n = 0; i < s->partitions && room(p); i++) {
		uint32_t who = s->partition[i].index;
		double mib[3];

		for (unsigned t = 0; t < 3; t++)
			mib[t] = (double)owned(s, who, t + 1) / 256;
		if (mib[0] + mib[1] + mib[2] <= 0)
			continue;
		put_who(p, s, who, 12);
		put(p, "%6.1f+%6.1f+%6.2f  ", mib[0], mib[1], mib[2]);
		if (++n % 2 == 0)
			line_ends(p);
		else
			put(p, "  ");
	}
	if (p->column)
		line_ends(p);
}

static void put_marks(struct page *p, const struct seen *s)
{
	uint32_t n = s->marks < 5 ? s->marks : 5;

	if (!n || !room(p))
		return;
	put_title(p, "what happened");
	for (uint32_t i = s->marks - n; i < s->marks && room(p); i++) {
		put(p, "%12.6f ms  %-9s %s", MS(s->mark[i].time),
		    story_mark_text(s->mark[i].kind), s->mark[i].text);
		line_ends(p);
	}
}

static void put_writer(struct page *p, const struct seen *s, uint32_t who)
{
	bool monitor = !who && !s->opaque;

	put_name(p, monitor ? PALETTE_MONITOR : palette_colour(who), 12,
		 seen_writer(s, who));
}

static void put_console(struct page *p, const struct seen *s)
{
	if (!s->lines || !room(p))
		return;
	put_title(p, "console");
	for (uint32_t i = 0; i < s->lines && room(p); i++) {
		uint32_t left = p->rows - p->row - 1;

		if (s->lines - i > left)
			continue;
		put_writer(p, s, s->line[i].who);
		put(p, "%s", s->line[i].text);
		line_ends(p);
	}
}

void seen_text(FILE *to, const struct seen *s, unsigned columns, unsigned rows,
	       const char *keys)
{
	struct page p = {.to = to, .columns = columns, .rows = rows};

	put_head(&p, s);
	put_lanes(&p, s);
	put_partitions(&p, s);
	put_channels(&p, s);
	put_memory(&p, s);
	put_marks(&p, s);
	put_console(&p, s);
	fputs("\033[J", to);
	fputs("\033[7m", to);
	put(&p, " %s", keys);
	fputs("\033[0m", to);
	fflush(to);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/panel_more.c - memory by owner, channels, I/O paths, and more of
 * what was chosen. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/seen/panel.h"

#define MS(t)       ((double)(t) / (double)PS_PER_MS)
#define ROW         CANVAS_GLYPH_H
#define FRAMES_2M   512
#define FRAMES_1G   (512 * 512)
#define CELL        14 /* pixels of a cell of the map, its rim included */
#define CELLS_SHOWN 700

/* --- memory --- */

/* A cell's frames, column by column: of whom, and in which tier. */
static void put_cell(struct panel *p, const struct seen *s, int x, int y,
		     uint64_t pfn, uint64_t frames)
{
	int wide = CELL - 2;
	bool split = false, huge = false;

	for (int i = 0; i < wide; i++) {
		uint64_t at = pfn + frames * (uint64_t)i / (uint64_t)wide;
		uint32_t b = seen_block_of(s, at);

		if (b == s->blocks)
			continue;
		split |= s->block[b].tier == 3;
		huge |= s->block[b].tier == 1;
		canvas_fill(&p->canvas, x + i, y, 1, wide,
			    panel_colour(s, s->block[b].owner));
	}
	/* A block of 4 KiB frames has a line below, one of 1 GiB a dot. */
	if (split)
		canvas_fill(&p->canvas, x, y + wide - 2, wide, 2, PANEL_INK);
	if (huge)
		canvas_fill(&p->canvas, x + 5, y + 5, 2, 2, PANEL_INK);
	if (p->chosen.kind == PANEL_BLOCK && p->chosen.number >= pfn &&
	    p->chosen.number < pfn + frames)
		canvas_frame(&p->canvas, x - 1, y - 1, CELL, CELL, PANEL_INK);
	panel_spot(p, x, y, wide, wide, PANEL_BLOCK, pfn);
}

void panel_memory(struct panel *p, const struct seen *s, int x, int y, int w,
		  int h)
{
	uint64_t frames = FRAMES_2M;
	int columns = w / CELL, rows = (h - 3 * ROW) / CELL;
	char title[80];

	while (s->frames / frames > (uint64_t)(columns * rows < CELLS_SHOWN
						       ? columns * rows
						       : CELLS_SHOWN))
		frames *= 2;
	snprintf(title, sizeof(title),
		 "memory by owner, a cell %" PRIu64 " MiB", frames / 256);
	panel_title(p, x, y, w, title);
	y += ROW + 4;
	for (uint64_t i = 0; i * frames < s->frames; i++)
		put_cell(p, s, x + (int)(i % (uint64_t)columns) * CELL,
			 y + (int)(i / (uint64_t)columns) * CELL, i * frames,
			 frames);
	y += (int)((s->frames / frames + (uint64_t)columns - 1) /
		   (uint64_t)columns) *
	     CELL;
	canvas_text(&p->canvas, x, y + 2, w / CANVAS_GLYPH_W, PANEL_SOFT,
		    s->blocks ? "underlined: in frames of 4 KiB; a dot: 1 GiB"
			      : "nobody owns memory here");
}

/* --- channels --- */

static void put_queue(struct panel *p, const struct seen_channel *c, uint32_t q,
		      int x, int y, uint32_t colour)
{
	int wide = 24;

	canvas_fill(&p->canvas, x, y + 5, wide, 7, PANEL_CARD);
	if (c->slots[q] && c->waiting[q]) {
		uint64_t full =
			(uint64_t)c->waiting[q] * (uint64_t)wide / c->slots[q];

		canvas_fill(&p->canvas, x, y + 5, full < 2 ? 2 : (int)full, 7,
			    colour);
	}
	canvas_frame(&p->canvas, x, y + 5, wide, 7, PANEL_LINE);
}

/* How much passed in the window: a dot for each power of two. */
static void put_flow(struct panel *p, uint64_t flow, int x, int y)
{
	for (int i = 0; flow; i++, flow /= 2)
		canvas_fill(&p->canvas, x + i * 5, y + 6, 4, 5, PANEL_GOOD);
}

void panel_channels(struct panel *p, const struct seen *s, int x, int y, int w,
		    int h)
{
	uint32_t most = (uint32_t)((h - ROW - 4) / ROW);

	panel_title(p, x, y, w,
		    "channel       from       to          waiting    flow");
	y += ROW + 3;
	for (uint32_t i = 0; i < s->channels && i < most; i++, y += ROW) {
		const struct seen_channel *c = &s->channel[i];

		if (p->chosen.kind == PANEL_CHANNEL &&
		    p->chosen.number == c->id)
			canvas_fill(&p->canvas, x, y, w, ROW, PANEL_CARD);
		canvas_text(&p->canvas, x, y, 13, PANEL_SOFT, "%3" PRIu32 " %s",
			    c->id, c->type);
		canvas_text(&p->canvas, x + 112, y, 11, PANEL_INK, "%s",
			    seen_name(s, c->client));
		canvas_text(&p->canvas, x + 204, y, 11,
			    c->server == c->first_server ? PANEL_INK
							 : PANEL_MOVE,
			    "%s", seen_name(s, c->server));
		for (uint32_t q = 0; q < c->queues; q++)
			put_queue(
				p, c, q, x + 296 + (int)q * 22, y,
				panel_colour(s, q & 1 ? c->server : c->client));
		put_flow(p, c->flow, x + 392, y);
		panel_spot(p, x, y, w, ROW, PANEL_CHANNEL, c->id);
	}
}

/* --- I/O paths --- */

static bool is_path(const struct seen_channel *c)
{
	return strcmp(c->type, "block") == 0 || strcmp(c->type, "network") == 0;
}

/* Those at one end of the paths, each once; at the servers' end also whom a
 * path was moved away from. */
struct path_ends {
	int count;
	uint32_t who[2 * SEEN_CHANNELS];
};

/* Its place there; it gets one. */
static int path_place(struct path_ends *e, uint32_t who)
{
	int i = 0;

	while (i < e->count && e->who[i] != who)
		i++;
	if (i == e->count)
		e->who[e->count++] = who;
	return i;
}

static bool is_moved(const struct seen_channel *c)
{
	return c->first_server && c->server != c->first_server;
}

static void put_end(struct panel *p, const struct seen *s, uint32_t who, int x,
		    int y)
{
	const struct seen_partition *q = seen_partition(s, who);
	bool down = !q || strcmp(q->state, "running") != 0;

	canvas_fill(&p->canvas, x, y, 120, 24, PANEL_CARD);
	/* Not in its colour: one of them is nearly that of the dead. */
	canvas_frame(&p->canvas, x, y, 120, 24, down ? PANEL_BAD : PANEL_SOFT);
	canvas_fill(&p->canvas, x + 6, y + 7, 10, 10, panel_colour(s, who));
	canvas_text(&p->canvas, x + 22, y + 4, 12, down ? PANEL_BAD : PANEL_INK,
		    "%s", seen_name(s, who));
	panel_spot(p, x, y, 120, 24, PANEL_PARTITION, who);
}

/* Above its line where that is level, and on it, not under it, where not. */
static void put_path_name(struct panel *p, const struct seen_channel *c, int x,
			  int y)
{
	char name[32];
	int n = snprintf(name, sizeof(name), "%" PRIu32 " %s", c->id, c->type);

	canvas_fill(&p->canvas, x - 2, y - ROW, n * CANVAS_GLYPH_W + 4, ROW - 1,
		    PANEL_BG);
	canvas_text(&p->canvas, x, y - ROW, n, PANEL_SOFT, "%s", name);
}

void panel_paths(struct panel *p, const struct seen *s, int x, int y, int w,
		 int h)
{
	struct path_ends clients = {0}, servers = {0};
	int lane = 0;

	panel_title(p, x, y, w, "I/O paths (blue: moved to another server)");
	y += ROW + 8;
	h -= ROW + 8;
	for (uint32_t i = 0; i < s->channels; i++) {
		const struct seen_channel *c = &s->channel[i];

		if (!is_path(c))
			continue;
		path_place(&clients, c->client);
		if (is_moved(c))
			path_place(&servers, c->first_server);
		path_place(&servers, c->server);
	}
	for (uint32_t i = 0; i < s->channels; i++) {
		const struct seen_channel *c = &s->channel[i];
		int from, to, y0, y1;

		if (!is_path(c))
			continue;
		from = path_place(&clients, c->client);
		to = path_place(&servers, c->server);
		y0 = y + (2 * from + 1) * h / (2 * clients.count);
		y1 = y + (2 * to + 1) * h / (2 * servers.count);
		canvas_line(&p->canvas, x + 120, y0, x + w - 120, y1,
			    is_moved(c) ? PANEL_MOVE
			    : c->flow   ? PANEL_GOOD
					: PANEL_SOFT);
		put_path_name(p, c, x + 130 + lane % 2 * 90,
			      y0 + (y1 - y0) * (lane % 2 ? 4 : 1) / 9);
		lane++;
	}
	for (int i = 0; i < clients.count; i++)
		put_end(p, s, clients.who[i], x,
			y + (2 * i + 1) * h / (2 * clients.count) - 12);
	for (int i = 0; i < servers.count; i++)
		put_end(p, s, servers.who[i], x + w - 120,
			y + (2 * i + 1) * h / (2 * servers.count) - 12);
	if (!lane)
		canvas_text(&p->canvas, x, y, w / CANVAS_GLYPH_W, PANEL_SOFT,
			    "no block or network channel");
}

/* --- details --- */

struct list {
	struct canvas *c;
	int x, y, end, columns;
};

static void row(struct list *l, uint32_t colour, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

static void row(struct list *l, uint32_t colour, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (l->y + ROW > l->end)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	canvas_text(l->c, l->x, l->y, l->columns, colour, "%s", text);
	l->y += ROW;
}

static void about_partition(struct list *l, const struct seen *s,
			    uint32_t index)
{
	const struct seen_partition *q = seen_partition(s, index);

	if (!q) {
		row(l, PANEL_SOFT, "it is gone");
		return;
	}
	row(l, PANEL_INK, "%s, %s, %s", q->name, q->kind, q->state);
	row(l, PANEL_SOFT, "incarnation %" PRIu32 ", %s", q->incarnation,
	    q->run[0] ? q->run : "no virtual processor");
	row(l, PANEL_SOFT, "%.2f MiB, %" PRIu64 " switches, ran %.3f ms",
	    (double)q->frames / 256, q->switches, MS(q->ran));
	if (q->vector != UINT64_MAX) {
		row(l, PANEL_BAD,
		    "last ended by vector %" PRIu64 ", error 0x%" PRIx64,
		    q->vector, q->error);
		if (q->crashed_at[0])
			row(l, PANEL_BAD, "in %s", q->crashed_at);
	}
	for (uint32_t i = 0; i < s->channels; i++) {
		const struct seen_channel *c = &s->channel[i];

		if (c->client == index || c->server == index)
			row(l, PANEL_SOFT, "%s channel %" PRIu32 ", %s %s",
			    c->type, c->id, c->client == index ? "to" : "of",
			    seen_name(s, c->client == index ? c->server
							    : c->client));
	}
}

static void about_cpu(struct list *l, const struct seen *s, uint64_t i)
{
	const struct seen_cpu *c = &s->cpu[i];

	if (i >= s->cpus)
		return;
	row(l, PANEL_INK, "CPU %" PRIu64 ", %s, ring %u%s", i,
	    seen_name(s, c->who), c->ring, c->halted ? ", halted" : "");
	row(l, PANEL_SOFT, "%" PRIu64 " instructions retired", c->retired);
	if (c->why[0])
		row(l, PANEL_SOFT, "since %s", c->why);
	row(l, PANEL_SOFT, "%s",
	    c->place[0]             ? c->place
	    : s->state == SEEN_RUNS ? "where: when it stands"
				    : "");
}

static void about_channel(struct list *l, const struct seen *s, uint64_t id)
{
	for (uint32_t i = 0; i < s->channels; i++) {
		const struct seen_channel *c = &s->channel[i];

		if (c->id != id)
			continue;
		row(l, PANEL_INK, "channel %" PRIu32 ", %s", c->id, c->type);
		row(l, PANEL_SOFT, "%s to %s", seen_name(s, c->client),
		    seen_name(s, c->server));
		if (c->server != c->first_server)
			row(l, PANEL_MOVE, "moved there from %s",
			    seen_name(s, c->first_server));
		row(l, PANEL_SOFT, "%" PRIu32 " shared pages", c->pages);
		row(l, PANEL_SOFT,
		    "%" PRIu64 " messages, %" PRIu64 " in the last 20 ms",
		    c->passed, c->flow);
		for (uint32_t q = 0; q < c->queues; q++)
			row(l, PANEL_SOFT,
			    "queue %" PRIu32 ": %" PRIu32 " of %" PRIu32
			    " slots",
			    q, c->waiting[q], c->slots[q]);
	}
}

static void about_block(struct list *l, const struct seen *s, uint64_t pfn)
{
	static const char *const tier[] = {"?", "1 GiB", "2 MiB", "4 KiB"};
	uint32_t b = seen_block_of(s, pfn);

	row(l, PANEL_INK, "memory at %.2f MiB", (double)pfn / 256);
	if (b == s->blocks) {
		row(l, PANEL_SOFT, "nobody owns what begins here: no RAM, or");
		row(l, PANEL_SOFT, "it was never given to a partition");
		return;
	}
	row(l, PANEL_SOFT, "owned by %s", seen_name(s, s->block[b].owner));
	row(l, PANEL_SOFT, "in blocks of %s, %.2f MiB in one stretch",
	    tier[s->block[b].tier < 4 ? s->block[b].tier : 0],
	    (double)s->block[b].frames / 256);
}

static void about_all(struct list *l, const struct seen *s)
{
	uint32_t marks = s->marks < 6 ? s->marks : 6;

	for (uint32_t i = s->marks - marks; i < s->marks; i++)
		row(l, PANEL_INK, "%10.3f ms  %s", MS(s->mark[i].time),
		    s->mark[i].text);
	for (uint32_t i = 0; i < s->lines; i++) {
		if ((int)(s->lines - i) * ROW > l->end - l->y)
			continue;
		row(l, PANEL_SOFT, "%s: %s", seen_writer(s, s->line[i].who),
		    s->line[i].text);
	}
}

void panel_details(struct panel *p, const struct seen *s, int x, int y, int w,
		   int h)
{
	struct list l = {&p->canvas, x, y + ROW + 4, y + h - 4,
			 w / CANVAS_GLYPH_W};

	panel_title(p, x, y, w,
		    p->chosen.kind == PANEL_NOTHING
			    ? "what happened, and the console"
			    : "what was chosen (Esc: all)");
	switch (p->chosen.kind) {
	case PANEL_PARTITION:
		about_partition(&l, s, (uint32_t)p->chosen.number);
		break;
	case PANEL_CPU:
		about_cpu(&l, s, p->chosen.number);
		break;
	case PANEL_CHANNEL:
		about_channel(&l, s, p->chosen.number);
		break;
	case PANEL_BLOCK:
		about_block(&l, s, p->chosen.number);
		break;
	default:
		about_all(&l, s);
		break;
	}
}

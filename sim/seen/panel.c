/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/panel.c - where everything is; the head, the guest's screen, CPUs
 * and partitions.  Start with panel_draw(), at the end. */
#include "sim/seen/panel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/seen/palette.h"
#include "sim/seen/wire.h"

#define MS(t) ((double)(t) / (double)PS_PER_MS)
#define ROW   CANVAS_GLYPH_H

void panel_spot(struct panel *p, int x, int y, int w, int h,
		enum panel_kind kind, uint64_t number)
{
	if (p->spots < PANEL_SPOTS)
		p->spot[p->spots++] =
			(struct panel_spot){x, y, w, h, {kind, number}};
}

/* The one that was drawn last lies on top. */
struct panel_thing panel_at(const struct panel *p, int x, int y)
{
	for (size_t i = p->spots; i--;) {
		const struct panel_spot *s = &p->spot[i];

		if (x >= s->x && x < s->x + s->w && y >= s->y &&
		    y < s->y + s->h)
			return s->thing;
	}
	return (struct panel_thing){PANEL_NOTHING, 0};
}

uint32_t panel_colour(const struct seen *s, uint32_t who)
{
	const struct seen_partition *q = seen_partition(s, who);

	if (q && strcmp(q->kind, "idle") == 0)
		return PANEL_LINE;
	return palette_colour(who);
}

void panel_title(struct panel *p, int x, int y, int w, const char *text)
{
	canvas_text(&p->canvas, x, y, w / CANVAS_GLYPH_W, PANEL_SOFT, "%s",
		    text);
	canvas_fill(&p->canvas, x, y + ROW, w, 1, PANEL_LINE);
}

/* --- the head --- */

static int button(struct panel *p, int x, const char *text, bool on,
		  enum wire_what what)
{
	int w = (int)strlen(text) * CANVAS_GLYPH_W + 12;

	canvas_fill(&p->canvas, x, 6, w, 22, PANEL_CARD);
	canvas_frame(&p->canvas, x, 6, w, 22, on ? PANEL_SOFT : PANEL_LINE);
	canvas_text(&p->canvas, x + 6, 9, 40, on ? PANEL_INK : PANEL_LINE, "%s",
		    text);
	if (on)
		panel_spot(p, x, 6, w, 22, PANEL_BUTTON, what);
	return x + w + 4;
}

/* Of several machines, each by its name, on the right; returns where they
 * begin. */
static int put_machines(struct panel *p, const struct seen *s)
{
	int x = PANEL_WIDTH - 8;

	for (uint32_t i = s->machines; s->machines > 1 && i--;) {
		const char *name = seen_machine_name(s, i);
		int w = (int)strlen(name) * CANVAS_GLYPH_W + 16;

		x -= w + 4;
		if (i == s->machine)
			canvas_fill(&p->canvas, x, 31, w, 18, PANEL_LINE);
		canvas_frame(&p->canvas, x, 31, w, 18, PANEL_SOFT);
		canvas_text(&p->canvas, x + 8, 32, 16,
			    i == s->machine ? PANEL_INK : PANEL_SOFT, "%s",
			    name);
		panel_spot(p, x, 31, w, 18, PANEL_MACHINE, i);
	}
	return x;
}

static void put_head(struct panel *p, const struct seen *s)
{
	static const char *const state[] = {
		[SEEN_RUNS] = "runs",
		[SEEN_STANDS] = "stands",
		[SEEN_OVER] = "is over",
	};
	bool stands = s->state != SEEN_RUNS, on = s->state == SEEN_STANDS;
	bool back = stands && s->can_go_back;
	int x = 8;

	x = button(p, x, "<10ms", back, WIRE_BACK_TIME);
	x = button(p, x, "<switch", back, WIRE_BACK_SWITCH);
	x = button(p, x, "<step", back, WIRE_BACK_STEP);
	if (stands)
		x = button(p, x, " go  ", on, WIRE_GO);
	else
		x = button(p, x, "pause", true, WIRE_PAUSE);
	x = button(p, x, "step>", on, WIRE_STEP);
	x = button(p, x, "switch>", on, WIRE_STEP_SWITCH);
	x = button(p, x, "speed", true, WIRE_SPEED);
	x += 8;
	x += canvas_text(&p->canvas, x, 9, 24, PANEL_INK, "%s", s->scenario) *
		     CANVAS_GLYPH_W +
	     16;
	x += canvas_text(&p->canvas, x, 9, 20, PANEL_INK, "%.6f ms",
			 MS(s->now)) *
		     CANVAS_GLYPH_W +
	     16;
	x += canvas_text(&p->canvas, x, 9, 10, stands ? PANEL_BAD : PANEL_GOOD,
			 "%s", state[s->state]) *
		     CANVAS_GLYPH_W +
	     16;
	if (s->speed)
		x += canvas_text(&p->canvas, x, 9, 24, PANEL_SOFT,
				 "%" PRIu32 " %% of real time", s->speed) *
			     CANVAS_GLYPH_W +
		     16;
	canvas_text(&p->canvas, x, 9, (PANEL_WIDTH - x) / CANVAS_GLYPH_W,
		    PANEL_SOFT, "%" PRIu64 " instructions", s->retired);
	x = put_machines(p, s);
	canvas_text(&p->canvas, 8, 32, x / CANVAS_GLYPH_W - 2, PANEL_SOFT, "%s",
		    s->why);
}

/* --- the guest's screen --- */

static void put_screen(struct panel *p, const uint8_t *rgb, int width,
		       int height)
{
	int x = 8, y = 52, w = 720, h = 400;

	canvas_fill(&p->canvas, x, y, w, h, 0);
	if (rgb && width && height)
		canvas_picture(&p->canvas, x, y, &w, &h, rgb, width, height);
	else
		canvas_text(&p->canvas, x + 8, y + 8, 40, PANEL_SOFT,
			    "this machine has no screen");
	canvas_frame(&p->canvas, x - 1, y - 1, w + 2, h + 2,
		     p->grabbed ? PANEL_GOOD : PANEL_LINE);
	panel_spot(p, x, y, w, h, PANEL_SCREEN, 0);
	if (p->grabbed)
		canvas_text(&p->canvas, x + 8, y + 402, 80, PANEL_GOOD,
			    "keyboard and mouse are the guest's; Ctrl-Alt "
			    "gives them back");
}

/* --- partitions --- */

static uint32_t state_colour(const struct seen_partition *q)
{
	if (strcmp(q->state, "crashed") == 0 || strcmp(q->state, "dead") == 0)
		return PANEL_BAD;
	return strcmp(q->state, "running") == 0 ? PANEL_INK : PANEL_SOFT;
}

static void put_partitions(struct panel *p, const struct seen *s, int x, int y,
			   int w, int h)
{
	struct canvas *c = &p->canvas;
	uint32_t most = (uint32_t)(h / ROW - 1);

	panel_title(p, x, y, w,
		    "partition     state     now       CPU  share of 20 ms  "
		    "switches");
	y += ROW + 3;
	for (uint32_t i = 0; i < s->partitions && i < most; i++, y += ROW) {
		const struct seen_partition *q = &s->partition[i];
		bool chosen = p->chosen.kind == PANEL_PARTITION &&
			      p->chosen.number == q->index;
		char text[SEEN_CPUS + 1];
		const char *on = seen_on(q, text);

		if (chosen)
			canvas_fill(c, x, y, w, ROW, PANEL_CARD);
		canvas_fill(c, x, y + 3, 10, 10, panel_colour(s, q->index));
		canvas_text(c, x + 14, y, 12, PANEL_INK, "%s", q->name);
		canvas_text(c, x + 112, y, 9, state_colour(q), "%s", q->state);
		canvas_text(c, x + 192, y, 9, PANEL_SOFT, "%s", q->run);
		/* From below the title on; of eight, from under its left. */
		canvas_text(c, x + 280 - (int)strlen(on) / 5 * 32, y, SEEN_CPUS,
			    PANEL_INK, "%s", on);
		canvas_fill(c, x + 312, y + 4, 112, 8, PANEL_CARD);
		canvas_fill(c, x + 312, y + 4, (int)(q->share * 112 / 1000), 8,
			    panel_colour(s, q->index));
		canvas_text(c, x + 432, y, 10, PANEL_SOFT, "%9" PRIu64,
			    q->switches);
		panel_spot(p, x, y, w, ROW, PANEL_PARTITION, q->index);
	}
	if (s->opaque)
		canvas_text(c, x, y, w / CANVAS_GLYPH_W, PANEL_SOFT,
			    "this image has no partitions");
}

/* --- lanes --- */

#define LANE_X 80
#define LANE_H 20

static uint32_t mark_colour(enum story_mark_kind kind)
{
	if (kind == MARK_UP)
		return PANEL_GOOD;
	return kind == MARK_MOVED ? PANEL_MOVE : PANEL_BAD;
}

/* Their lines; then their words, which lie on the lines of others. */
static void put_marks(struct panel *p, const struct seen *s, int top, int end,
		      bool words)
{
	int wide = PANEL_WIDTH - 8 - LANE_X, free_from = LANE_X;

	for (uint32_t i = 0; i < s->marks; i++) {
		const struct story_mark *m = &s->mark[i];
		int x = LANE_X, w = (int)strlen(m->text) * CANVAS_GLYPH_W;
		uint32_t colour = mark_colour(m->kind);

		if (m->time < s->from)
			continue;
		x += (int)((m->time - s->from) * (ps_t)wide /
			   (SEEN_CELLS * SEEN_CELL_PS));
		if (!words) {
			canvas_fill(&p->canvas, x, top, 1, end - top, colour);
			canvas_fill(&p->canvas, x - 3, top, 7, 4, colour);
			continue;
		}
		/* On its left where there is no room on its right. */
		x += x + 6 + w < PANEL_WIDTH ? 6 : -6 - w;
		if (x < free_from)
			continue;
		canvas_fill(&p->canvas, x, top, w, ROW - 2, PANEL_BG);
		canvas_text(&p->canvas, x, top - 2, 40, colour, "%s", m->text);
		free_from = x + 8 + w;
	}
}

static void put_lanes(struct panel *p, const struct seen *s, int y)
{
	int wide = PANEL_WIDTH - 8 - LANE_X, top = y + ROW + 2;
	int lane = top + ROW;

	panel_title(p, 8, y, PANEL_WIDTH - 16,
		    "who had which CPU, the last 20 ms (now is on the right)");
	for (uint32_t i = 0; i < s->cpus; i++) {
		const struct seen_cpu *c = &s->cpu[i];
		int ly = lane + (int)i * (LANE_H + 3);

		canvas_text(&p->canvas, 8, ly + 2, 8, PANEL_INK, "CPU %" PRIu32,
			    i);
		canvas_fill(&p->canvas, LANE_X, ly, wide, LANE_H, PANEL_CARD);
		for (int x = 0; x < wide; x++) {
			uint16_t who = c->cell[x * SEEN_CELLS / wide];

			if (who != SEEN_NOBODY)
				canvas_fill(&p->canvas, LANE_X + x, ly, 1,
					    LANE_H, panel_colour(s, who));
		}
		panel_spot(p, 8, ly, PANEL_WIDTH - 16, LANE_H, PANEL_CPU, i);
	}
	for (int words = 0; words < 2; words++)
		put_marks(p, s, top, lane + (int)s->cpus * (LANE_H + 3), words);
}

void panel_draw(struct panel *p, const struct seen *s, const uint8_t *rgb,
		int width, int height)
{
	int lanes = 474, below = lanes + 2 * ROW + 2 + 23 * (int)s->cpus + 8;

	p->spots = 0;
	canvas_fill(&p->canvas, 0, 0, PANEL_WIDTH, PANEL_HEIGHT, PANEL_BG);
	put_head(p, s);
	put_screen(p, rgb, width, height);
	put_partitions(p, s, 744, 52, 528, 240);
	panel_paths(p, s, 744, 300, 528, 156);
	put_lanes(p, s, lanes);
	panel_memory(p, s, 8, below, 400, PANEL_HEIGHT - below);
	panel_channels(p, s, 424, below, 440, PANEL_HEIGHT - below);
	panel_details(p, s, 880, below, 392, PANEL_HEIGHT - below);
}

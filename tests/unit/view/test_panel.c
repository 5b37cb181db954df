/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front panel, of a machine that is made up: what stands there in words,
 * and what a click gives; of some the colours, on a terminal as well. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/seen/palette.h"
#include "sim/seen/panel.h"
#include "sim/seen/text.h"
#include "sim/seen/wire.h"

static struct panel panel;
static struct seen seen;

static void add_partition(uint32_t index, const char *name, const char *kind,
			  const char *state)
{
	struct seen_partition *p = &seen.partition[seen.partitions++];

	p->index = index;
	p->vector = UINT64_MAX;
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->kind, sizeof(p->kind), "%s", kind);
	snprintf(p->state, sizeof(p->state), "%s", state);
}

static void add_channel(uint32_t id, uint32_t client, uint32_t server,
			uint32_t first)
{
	struct seen_channel *c = &seen.channel[seen.channels++];

	*c = (struct seen_channel){.id = id,
				   .client = client,
				   .server = server,
				   .first_server = first,
				   .pages = 26,
				   .queues = 1,
				   .slots = {32},
				   .waiting = {5},
				   .passed = 77};
	snprintf(c->type, sizeof(c->type), "block");
}

/* guest1's path was io.a's, which crashed; guest2's was always io.b's. */
static void set_up(void)
{
	struct canvas *c = &panel.canvas;

	c->width = PANEL_WIDTH;
	c->height = PANEL_HEIGHT;
	c->pixel = calloc((size_t)PANEL_WIDTH * PANEL_HEIGHT, sizeof(uint32_t));
	cr_assert(c->pixel);
	seen.state = SEEN_STANDS;
	seen.cpus = seen.machines = 1;
	add_partition(3, "io.a", "io", "crashed");
	add_partition(4, "io.b", "io", "running");
	add_partition(5, "guest1", "guest", "running");
	add_partition(6, "guest2", "guest", "running");
	add_channel(18, 5, 4, 3);
	add_channel(21, 6, 4, 4);
	seen.partition[0].vector = 6;
	seen.partition[0].address = 0x402a17;
	snprintf(seen.partition[0].crashed_at,
		 sizeof(seen.partition[0].crashed_at),
		 "io_main_loop (hv/io/main.c:203)");
	snprintf(seen.cpu[0].place, sizeof(seen.cpu[0].place),
		 "restore (hv/monitor/sched.c:700)");
	seen.cpu[0].who = 5;
	seen.block[seen.blocks++] = (struct seen_block){
		.pfn = 0, .frames = 512, .tier = 2, .owner = 3};
	seen.block[seen.blocks++] = (struct seen_block){
		.pfn = 512, .frames = 300, .tier = 3, .owner = 5};
	seen.frames = 1024;
}

static void tear_down(void)
{
	free(panel.canvas.pixel);
}

TestSuite(panel, .init = set_up, .fini = tear_down);

/* Is the text there, in whatever colour on whatever plain ground? */
static bool stands_at(const struct canvas *c, const struct canvas *text, int x,
		      int y)
{
	uint32_t ink = 0;

	for (int i = 0; i < text->width * text->height; i++) {
		int tx = i % text->width, ty = i / text->width;
		uint32_t is = c->pixel[(y + ty) * c->width + x + tx];

		if (text->pixel[i] && !ink)
			ink = is;
		if ((text->pixel[i] != 0) != (ink && is == ink))
			return false;
	}
	return ink != 0;
}

/* Where it stands; false: nowhere. */
static bool find(const char *fmt, int *at_x, int *at_y)
{
	struct canvas text = {.width = (int)strlen(fmt) * CANVAS_GLYPH_W,
			      .height = CANVAS_GLYPH_H};
	const struct canvas *c = &panel.canvas;
	bool found = false;

	text.pixel =
		calloc((size_t)text.width * CANVAS_GLYPH_H, sizeof(uint32_t));
	cr_assert(text.pixel);
	canvas_text(&text, 0, 0, 100, 1, "%s", fmt);
	for (int y = 0; y + text.height <= c->height && !found; y++) {
		for (int x = 0; x + text.width <= c->width && !found; x++) {
			found = stands_at(c, &text, x, y);
			*at_x = x;
			*at_y = y;
		}
	}
	free(text.pixel);
	return found;
}

static bool shows(const char *fmt)
{
	int x, y;

	return find(fmt, &x, &y);
}

static void choose(enum panel_kind kind, uint64_t number)
{
	panel.chosen = (struct panel_thing){kind, number};
	panel_draw(&panel, &seen, NULL, 0, 0);
}

Test(panel, a_click_tells_names)
{
	choose(PANEL_PARTITION, 3);
	cr_assert(shows("io.a, io, crashed"));
	cr_assert(shows("in io_main_loop (hv/io/main.c:203)"));
	cr_assert(!shows("402a17"));
	choose(PANEL_CPU, 0);
	cr_assert(shows("CPU 0, guest1, ring 0"));
	cr_assert(shows("restore (hv/monitor/sched.c:700)"));
	/* Without partitions it is the machine, whichever ring it is in. */
	seen.opaque = true;
	seen.cpu[0].who = 0;
	choose(PANEL_CPU, 0);
	cr_assert(shows("CPU 0, machine, ring 0"));
	seen.opaque = false;
	choose(PANEL_CHANNEL, 18);
	cr_assert(shows("guest1 to io.b"));
	cr_assert(shows("moved there from io.a"));
	cr_assert(shows("queue 0: 5 of 32 slots"));
	choose(PANEL_BLOCK, 600);
	cr_assert(shows("owned by guest1"));
	cr_assert(shows("in blocks of 4 KiB, 1.17 MiB in one stretch"));
	choose(PANEL_BLOCK, 900);
	cr_assert(shows("nobody owns what begins here"));
	choose(PANEL_NOTHING, 0);
	cr_assert(!shows("owned by guest1"));
	cr_assert(shows("this machine has no screen"));
}

/* A button does what stands on it, if that can be done now. */
Test(panel, buttons_do_what_stands_on_them)
{
	static const struct {
		const char *text;
		enum wire_what what;
		bool stands, runs, over;
	} buttons[] = {
		{"<10ms", WIRE_BACK_TIME, true, false, true},
		{"<switch", WIRE_BACK_SWITCH, true, false, true},
		{"<step", WIRE_BACK_STEP, true, false, true},
		{" go  ", WIRE_GO, true, false, false},
		{"pause", WIRE_PAUSE, false, true, false},
		{"step>", WIRE_STEP, true, false, false},
		{"switch>", WIRE_STEP_SWITCH, true, false, false},
		{"speed", WIRE_SPEED, true, true, true},
	};

	seen.can_go_back = true;
	for (int state = SEEN_RUNS; state <= SEEN_OVER; state++) {
		seen.state = (uint8_t)state;
		choose(PANEL_NOTHING, 0);
		for (size_t i = 0; i < ARRAY_LEN(buttons); i++) {
			bool works = state == SEEN_STANDS ? buttons[i].stands
				     : state == SEEN_RUNS ? buttons[i].runs
							  : buttons[i].over;
			struct panel_thing thing = {PANEL_NOTHING, 0};
			int x, y;

			if (find(buttons[i].text, &x, &y))
				thing = panel_at(&panel, x + 4, y + 4);
			cr_assert_eq(thing.kind,
				     works ? PANEL_BUTTON : PANEL_NOTHING,
				     "%s in state %d", buttons[i].text, state);
			cr_assert(!works || thing.number == buttons[i].what,
				  "%s", buttons[i].text);
		}
	}
}

/* idle has as many CPUs as nobody else wants. */
Test(panel, all_cpus_of_a_partition_stand_there)
{
	seen.partition[3].on = 0xfe;
	choose(PANEL_NOTHING, 0);
	cr_assert(shows("1234567"));
	seen.partition[3].on = 0xe;
	choose(PANEL_NOTHING, 0);
	cr_assert(shows("123"));
	cr_assert(!shows("1234567"));
}

/* Where a partition's end of a path is. */
static bool end_of(uint32_t who, int *x, int *y)
{
	for (size_t i = 0; i < panel.spots; i++) {
		const struct panel_spot *s = &panel.spot[i];

		if (s->thing.kind == PANEL_PARTITION &&
		    s->thing.number == who && s->h > CANVAS_GLYPH_H) {
			*x = s->x;
			*y = s->y;
			return true;
		}
	}
	return false;
}

static uint32_t pixel(int x, int y)
{
	return panel.canvas.pixel[y * PANEL_WIDTH + x];
}

/* Where a CPU's lane is. */
static bool lane_of(uint64_t cpu, int *x, int *y)
{
	for (size_t i = 0; i < panel.spots; i++) {
		const struct panel_spot *s = &panel.spot[i];

		if (s->thing.kind == PANEL_CPU && s->thing.number == cpu) {
			*x = s->x + s->w - 1;
			*y = s->y + s->h / 2;
			return true;
		}
	}
	return false;
}

/* What no partition has is called so, and has a colour that is not the
 * monitor's, who writes lines, nor any partition's. */
Test(panel, no_partition_is_no_monitor)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	int x, y;

	for (uint32_t i = 1; i <= PALETTE_COLOURS; i++) {
		cr_assert_neq(palette_colour(i), PALETTE_NONE);
		cr_assert_neq(palette_colour(i), PALETTE_MONITOR);
	}
	seen.cpu[0].who = 0;
	memset(seen.cpu[0].cell, 0, sizeof(seen.cpu[0].cell));
	seen.line[seen.lines++] =
		(struct seen_line){.text = "machine check on CPU 0"};
	choose(PANEL_NOTHING, 0);
	cr_assert(lane_of(0, &x, &y));
	cr_assert_eq(pixel(x, y), PALETTE_NONE);
	cr_assert(shows("monitor: machine check on CPU 0"));
	choose(PANEL_CPU, 0);
	cr_assert(shows("CPU 0, no partition, ring 0"));

	cr_assert(f);
	seen_text(f, &seen, 110, 50, "");
	fclose(f);
	/* Of the terminal's colours: 66 is the monitor's grey. */
	cr_assert(strstr(text, "\033[38;5;188mno partition"), "%s", text);
	cr_assert(strstr(text, "\033[48;5;188m "), "%s", text);
	cr_assert(strstr(text, "\033[38;5;66mmonitor     \033[39mmachine "),
		  "%s", text);
	cr_assert_eq(strstr(text, "48;5;66m"), NULL, "%s", text);
	free(text);
}

/* The one that a path was moved away from stands there as well, in red. */
Test(panel, the_dead_end_of_a_path_is_shown)
{
	int x, y, gx, gy;

	choose(PANEL_NOTHING, 0);
	cr_assert(end_of(3, &x, &y));
	cr_assert_eq(pixel(x, y), PANEL_BAD);
	cr_assert(end_of(4, &x, &y));
	cr_assert_neq(pixel(x, y), PANEL_BAD);
	cr_assert(end_of(5, &gx, &gy));
	cr_assert_eq(pixel(gx + 121, gy + 12), PANEL_MOVE);
	cr_assert(end_of(6, &gx, &gy));
	cr_assert_eq(pixel(gx + 121, gy + 12), PANEL_SOFT);
	cr_assert_eq(panel_at(&panel, x + 5, y + 5).number, 4);
}

Test(panel, several_machines_have_tabs)
{
	struct panel_thing thing = {PANEL_NOTHING, 0};

	choose(PANEL_NOTHING, 0);
	for (size_t i = 0; i < panel.spots; i++)
		cr_assert_neq(panel.spot[i].thing.kind, PANEL_MACHINE);
	seen.machines = 2;
	seen.machine = 1;
	snprintf(seen.machine_name[1], sizeof(seen.machine_name[1]), "west");
	choose(PANEL_NOTHING, 0);
	cr_assert(shows("first"));
	cr_assert(shows("west"));
	for (int x = 0; x < PANEL_WIDTH && thing.kind != PANEL_MACHINE; x++)
		thing = panel_at(&panel, x, 40);
	cr_assert_eq(thing.kind, PANEL_MACHINE);
	cr_assert_eq(thing.number, 0);
}

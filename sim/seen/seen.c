/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/seen.c - filled in the order of struct seen's fields.  Start with
 * seen_fill(), at the end. */
#include "sim/seen/seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/abi/lead.h"
#include "sim/check.h"
#include "sim/scenario/session.h"
#include "sim/symbols.h"

#define KERNEL_HALF UINT64_C(0xffff800000000000)
#define RING3       3

/* --- names of places --- */

struct seen_names {
	bool asked[PARTITION_VIEW_MAX];
	struct symbols *symbols[PARTITION_VIEW_MAX]; /* NULL: none */
};

struct seen_names *seen_names_create(void)
{
	struct seen_names *n = calloc(1, sizeof(*n));

	CHECK_MSG(n, "out of memory for symbols");
	return n;
}

void seen_names_free(struct seen_names *n)
{
	for (size_t i = 0; n && i < PARTITION_VIEW_MAX; i++)
		symbols_free(n->symbols[i]);
	free(n);
}

static struct symbols *symbols_of(struct seen_names *n, struct session *of,
				  uint32_t who)
{
	const char *path;
	struct error ignored;

	if (who >= PARTITION_VIEW_MAX)
		return NULL;
	if (!n->asked[who]) {
		n->asked[who] = true;
		path = partition_view_program(of->view, who);
		if (path)
			n->symbols[who] = symbols_read(path, &ignored);
	}
	return n->symbols[who];
}

static void place(struct seen_names *n, struct session *of, uint32_t who,
		  vaddr_t va, char *to, size_t bytes)
{
	const struct symbols *p;
	const char *function, *file;
	uint64_t offset;
	uint32_t line;

	if (!n)
		return;
	p = symbols_of(n, of, va >= KERNEL_HALF ? 0 : who);
	function = p ? symbols_function(p, va, &offset) : NULL;
	if (!function)
		return;
	if (symbols_line(p, va, &file, &line)) {
		while (strncmp(file, "../", 3) == 0)
			file += 3;
		snprintf(to, bytes, "%.40s (%.40s:%u)", function, file, line);
	} else {
		snprintf(to, bytes, "%.90s", function);
	}
}

/* --- CPUs --- */

/* The first span that reaches into the window. */
static size_t first_span(const struct seen *s, const struct story_lane *l)
{
	size_t first = l->count;

	while (first && l->span[first - 1].to > s->from)
		first--;
	return first;
}

static ps_t overlap(const struct story_span *p, ps_t from, ps_t to)
{
	ps_t a = p->from > from ? p->from : from;
	ps_t b = p->to < to ? p->to : to;

	return b > a ? b - a : 0;
}

static void fill_cells(struct seen *s, struct seen_cpu *c,
		       const struct story_lane *l)
{
	size_t i = first_span(s, l);
	ps_t had[STORY_PARTITIONS];

	for (unsigned n = 0; n < SEEN_CELLS; n++) {
		ps_t from = s->from + n * SEEN_CELL_PS;
		ps_t to = from + SEEN_CELL_PS, most = 0;

		c->cell[n] = SEEN_NOBODY;
		memset(had, 0, sizeof(had));
		while (i < l->count && l->span[i].from < to) {
			const struct story_span *p = &l->span[i];
			uint32_t who = p->who % STORY_PARTITIONS;

			had[who] += overlap(p, from, to);
			if (had[who] > most) {
				most = had[who];
				c->cell[n] = (uint16_t)who;
			}
			if (p->to > to)
				break;
			i++;
		}
	}
}

static void fill_cpu(struct seen *s, unsigned i, struct session *of,
		     struct story *story, struct seen_names *names)
{
	struct seen_cpu *c = &s->cpu[i];
	struct cpu *cpu = machine_cpu(of->machine, i);

	c->who = partition_view_current(of->view, i);
	c->ring = (uint8_t)cpu_cpl(cpu);
	c->halted = cpu_halted(cpu);
	c->retired = cpu_retired(cpu);
	if (!s->opaque)
		snprintf(c->why, sizeof(c->why), "%s",
			 partition_switch_text(
				 partition_view_reason(of->view, i)));
	place(names, of, c->ring == RING3 ? c->who : 0, cpu_rip(cpu), c->place,
	      sizeof(c->place));
	fill_cells(s, c, &story->lane[i]);
}

/* --- partitions --- */

static uint32_t share_of(const struct seen *s, const struct story *story,
			 uint32_t who)
{
	ps_t had = 0, all = (s->now - s->from) * s->cpus;

	for (uint32_t i = 0; i < s->cpus; i++) {
		const struct story_lane *l = &story->lane[i];

		for (size_t k = first_span(s, l); k < l->count; k++) {
			if (l->span[k].who == who)
				had += overlap(&l->span[k], s->from, s->now);
		}
	}
	return all ? (uint32_t)(had / (all / 1000 + 1)) : 0;
}

static void fill_partition(struct seen *s, const struct partition_info *p,
			   struct session *of, const struct story *story,
			   struct seen_names *names)
{
	struct seen_partition *to;

	if (s->partitions == SEEN_PARTITIONS) {
		s->partitions_left_out++;
		return;
	}
	to = &s->partition[s->partitions++];
	to->index = p->index;
	snprintf(to->name, sizeof(to->name), "%s", p->name);
	snprintf(to->kind, sizeof(to->kind), "%s",
		 partition_kind_text(p->kind));
	snprintf(to->state, sizeof(to->state), "%s", partition_info_state(p));
	if (p->slot != PARTITION_NO_SLOT)
		snprintf(to->run, sizeof(to->run), "%s",
			 partition_run_text(p->run));
	for (uint32_t i = 0; i < s->cpus; i++) {
		if (s->cpu[i].who == p->index)
			to->on |= UINT32_C(1) << i;
	}
	to->share = share_of(s, story, p->index);
	to->incarnation = p->incarnation;
	to->frames = p->frames;
	to->switches = p->switches;
	to->ran = p->ran;
	to->vector = UINT64_MAX;
	if (!p->rip)
		return;
	to->vector = p->vector;
	to->error = p->error;
	to->address = p->address;
	place(names, of, p->index, p->rip, to->crashed_at,
	      sizeof(to->crashed_at));
}

/* --- channels --- */

static void fill_channel(struct seen *s, const struct partition_channel *c,
			 const struct story *story)
{
	const struct story_channel *told =
		&story->channel[c->id % STORY_CHANNELS];
	struct seen_channel *to;

	if (s->channels == SEEN_CHANNELS) {
		s->channels_left_out++;
		return;
	}
	to = &s->channel[s->channels++];
	to->id = c->id;
	to->client = c->client;
	to->server = c->server;
	to->first_server = told->first_server;
	to->pages = c->pages;
	snprintf(to->type, sizeof(to->type), "%s",
		 partition_channel_type_text(c->type));
	to->queues = c->queues < SEEN_QUEUES ? c->queues : SEEN_QUEUES;
	for (uint32_t q = 0; q < to->queues; q++) {
		to->slots[q] = c->slots[q];
		to->waiting[q] = c->waiting[q];
	}
	to->passed = c->passed;
	to->flow = story_flow(story, c->id, s->from);
}

/* --- memory --- */

static void fill_block(void *owner, const struct partition_block *b)
{
	struct seen *s = owner;
	struct seen_block *to;

	if (!b->none && b->pfn + b->frames > s->frames)
		s->frames = b->pfn + b->frames;
	if (b->none)
		return;
	if (s->blocks == SEEN_BLOCKS) {
		s->blocks_left_out++;
		return;
	}
	to = &s->block[s->blocks++];
	to->pfn = b->pfn;
	to->frames = b->frames;
	to->tier = b->tier;
	to->owner = b->owner;
}

/* --- the rest --- */

static void fill_marks(struct seen *s, const struct story *story)
{
	size_t n = story->mark_count,
	       first = n > SEEN_MARKS ? n - SEEN_MARKS : 0;

	for (size_t i = first; i < n; i++)
		s->mark[s->marks++] = story->mark[i];
}

static void fill_lines(struct seen *s, const struct session *of)
{
	size_t n = of->line_count, first = n > SEEN_LINES ? n - SEEN_LINES : 0;

	for (size_t i = first; i < n; i++) {
		struct seen_line *to = &s->line[s->lines++];

		to->time = of->line[i].time;
		to->who = of->line[i].partition;
		snprintf(to->text, sizeof(to->text), "%s", of->line[i].text);
	}
}

static void fill_machines(struct seen *s, const struct session *of)
{
	_Static_assert(SEEN_MACHINES >= SESSION_MACHINES_MAX &&
			       sizeof(s->machine_name[0]) >= SESSION_NAME_BYTES,
		       "all machines of a session have room");
	s->machine = of->index;
	for (of = of->first; of; of = of->next)
		snprintf(s->machine_name[s->machines++],
			 sizeof(s->machine_name[0]), "%s", of->name);
}

void seen_fill(struct seen *s, struct session *of, struct story *story,
	       struct seen_names *names)
{
	struct partition_info info;
	struct partition_channel channel;
	uint64_t cells;

	memset(s, 0, sizeof(*s));
	session_name(of->options.scenario, s->scenario, sizeof(s->scenario));
	fill_machines(s, of);
	s->opaque = partition_view_opaque(of->view);
	s->now = machine_now(of->machine);
	cells = s->now / SEEN_CELL_PS + 1;
	s->from = cells > SEEN_CELLS ? (cells - SEEN_CELLS) * SEEN_CELL_PS : 0;
	s->retired = machine_retired(of->machine);
	s->cpus = machine_cpu_count(of->machine);
	story_until(story, s->now);
	for (unsigned i = 0; i < s->cpus; i++)
		fill_cpu(s, i, of, story, names);
	for (size_t i = 0; i < partition_view_count(of->view); i++) {
		partition_view_info(of->view, i, &info);
		if (!info.gone)
			fill_partition(s, &info, of, story, names);
	}
	for (size_t i = 0; i < partition_view_channel_count(of->view); i++) {
		partition_view_channel(of->view, i, &channel);
		fill_channel(s, &channel, story);
	}
	if (!s->opaque)
		partition_view_map(of->view, fill_block, s);
	fill_marks(s, story);
	fill_lines(s, of);
}

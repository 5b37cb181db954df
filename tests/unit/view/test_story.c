/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run's story makes of made-up records: lanes without gaps, time that
 * adds up, latencies from the first asking. */
#include <criterion/criterion.h>

#include "hv/abi/database.h"
#include "sim/seen/story.h"

static struct trace_record record(enum trace_number number, ps_t time,
				  uint32_t cpu)
{
	return (struct trace_record){
		.kind = trace_kind_find((uint16_t)number),
		.time = time,
		.cpu = cpu,
	};
}

static void is_known(struct story *s, uint64_t index, const char *name,
		     uint64_t kind)
{
	struct trace_record r = record(TRACE_EV_PARTITION, 10, 0);

	r.value[0].u = index;
	r.value[2].s = name;
	r.value[3].u = kind;
	story_note(s, &r);
}

static void gets(struct story *s, ps_t time, uint32_t cpu, uint64_t who)
{
	struct trace_record r = record(TRACE_EV_SWITCH, time, cpu);

	r.value[1].u = who;
	story_note(s, &r);
}

static void ring(struct story *s, ps_t time, uint32_t cpu, uint64_t cpl)
{
	struct trace_record r = record(TRACE_EV_RING, time, cpu);

	r.value[0].u = cpl;
	story_note(s, &r);
}

static void asks(struct story *s, ps_t time, uint64_t sequence, uint64_t replay)
{
	struct trace_record r = record(TRACE_EV_BLOCK_REQUEST, time, 0);

	r.value[0].u = 7;
	r.value[1].u = sequence;
	r.value[5].u = replay;
	story_note(s, &r);
}

static void answers(struct story *s, ps_t time, uint64_t sequence)
{
	struct trace_record r = record(TRACE_EV_BLOCK_RESPONSE, time, 0);

	r.value[0].u = 7;
	r.value[1].u = sequence;
	story_note(s, &r);
}

Test(story, time_is_the_partition_s_its_monitor_s_or_idle_s)
{
	struct story *s = story_create(100, false);

	is_known(s, 1, "a", PART_GUEST);
	is_known(s, 2, "idle", PART_IDLE);
	gets(s, 100, 0, 1);
	ring(s, 110, 0, 3);
	ring(s, 150, 0, 0);
	gets(s, 160, 0, 2);
	ring(s, 165, 0, 3);
	ring(s, 170, 0, 0); /* halts there */
	story_until(s, 1000);
	cr_assert_eq(s->partition[1].own, 40);
	cr_assert_eq(s->partition[1].monitor, 10 + 10); /* it began there */
	cr_assert_eq(s->partition[2].own, 840);
	cr_assert_eq(s->partition[2].monitor, 0);
	cr_assert_eq(s->lane[0].count, 3);
	cr_assert_eq(s->lane[0].span[1].from, 100);
	cr_assert_eq(s->lane[0].span[1].to, 160);
	cr_assert_str_eq(story_name(s, s->lane[0].span[2].who), "idle");
	story_free(s);
}

Test(story, without_rings_all_is_the_partition_s)
{
	struct story *s = story_create(100, false);

	is_known(s, 1, "a", PART_GUEST);
	gets(s, 100, 0, 1);
	story_until(s, 1000);
	cr_assert_not(s->rings);
	cr_assert_eq(s->partition[1].own, 900);
	cr_assert_eq(s->partition[1].monitor, 0);
	story_free(s);
}

/* Whatever it is cut to, a lane has no gap and no overlap. */
static void tiles(const struct story_lane *l, ps_t from, ps_t to)
{
	for (size_t i = 0; i < l->count; i++) {
		cr_assert_eq(l->span[i].from, from, "span %zu", i);
		cr_assert_gt(l->span[i].to, l->span[i].from);
		cr_assert(!i || l->span[i].who != l->span[i - 1].who);
		from = l->span[i].to;
	}
	cr_assert_eq(from, to);
}

/* Half of the time is 1's, in 29,600 spans: two thirds of it for ROUNDS, one
 * third in the next ROUNDS.  What is kept of the latest is never less than half
 * of what may be. */
#define ROUNDS 370
#define PERIOD (ROUNDS * UINT64_C(300))
#define LONG   (40 * PERIOD)

static struct story *long_one(bool latest)
{
	struct story *s = story_create(1000, latest);

	is_known(s, 1, "a", PART_GUEST);
	is_known(s, 2, "b", PART_GUEST);
	for (unsigned i = 0; i < 40 * ROUNDS; i++) {
		gets(s, 10 + i * UINT64_C(300), 0, 1);
		gets(s, (i / ROUNDS % 2 ? 110 : 210) + i * UINT64_C(300), 0, 2);
		if (i > 600 && latest)
			cr_assert_geq(s->lane[0].count, 500);
	}
	story_until(s, 10 + LONG);
	return s;
}

Test(story, a_long_lane_gets_coarser_but_stays_whole)
{
	struct story *s = long_one(false);

	cr_assert_leq(s->lane[0].count, 1000);
	cr_assert_gt(s->lane[0].grain, 0);
	tiles(&s->lane[0], 10, 10 + LONG);
	/* Who had most of it is still told apart, from the beginning on. */
	cr_assert_lt(s->lane[0].grain, PERIOD / 5);
	for (unsigned i = 0; i < 20; i++) {
		const struct story_span *p = &s->lane[0].span[i];

		cr_assert_eq(p->who, 1 + i % 2);
		cr_assert_leq(p->from, 10 + i * PERIOD + s->lane[0].grain);
		cr_assert_geq(p->to, 10 + (i + 1) * PERIOD - s->lane[0].grain);
	}
	cr_assert_eq(s->partition[1].own, LONG / 2);
	cr_assert_eq(s->partition[2].own, LONG / 2);
	story_free(s);
}

Test(story, the_latest_part_is_exact)
{
	struct story *s = long_one(true);
	const struct story_lane *l = &s->lane[0];

	cr_assert_leq(l->count, 1000);
	cr_assert_eq(l->grain, 0);
	tiles(l, l->span[0].from, 10 + LONG);
	cr_assert_eq(l->span[l->count - 1].who, 2);
	cr_assert_eq(l->span[l->count - 1].to - l->span[l->count - 1].from,
		     200);
	story_free(s);
}

Test(story, latency_is_from_the_first_asking)
{
	struct story *s = story_create(100, false);
	struct story_channel *c = &s->channel[7];

	asks(s, 100, 1, 0);
	asks(s, 200, 2, 0);
	answers(s, 250, 2);
	asks(s, 900, 1, 1);
	answers(s, 1000, 1);
	answers(s, 1100, 3); /* nobody asked: no latency */
	cr_assert_eq(c->requests, 2);
	cr_assert_eq(c->replays, 1);
	cr_assert_eq(c->answers, 3);
	cr_assert_eq(c->took_count, 2);
	cr_assert_eq(story_took(c, 0), 50);
	cr_assert_eq(story_took(c, 1000), 900);
	story_free(s);
}

Test(story, marks_tell_who)
{
	struct story *s = story_create(100, false);
	struct trace_record r = record(TRACE_EV_STATE, 500, 0);

	is_known(s, 3, "io.a", PART_IO);
	r.value[0].u = 3;
	r.value[1].u = PART_STATE_RUNNING;
	r.value[2].u = PART_STATE_CRASHED;
	r.value[3].u = 6;
	story_note(s, &r);
	cr_assert_eq(s->mark_count, 1);
	cr_assert_eq(s->mark[0].kind, MARK_DOWN);
	cr_assert_str_eq(s->mark[0].text, "io.a crashed, vector 6");
	for (unsigned i = 0; i < STORY_MARKS_MAX + 5; i++)
		story_note(s, &r);
	cr_assert_eq(s->mark_count, STORY_MARKS_MAX);
	cr_assert_eq(s->marks_left_out, 6);
	story_free(s);
}

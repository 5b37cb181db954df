/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <signal.h>

#include "rig.h"
#include "sim/evq.h"

#define EVENTS 200

struct script {
	struct evq *q;
	struct event ev[EVENTS];
	char name[EVENTS][8];
	uint64_t order[EVENTS]; /* when each was last scheduled */
	uint64_t scheduled;
	unsigned fired;
	ps_t last_when;
	enum evq_rank last_rank;
	uint64_t last_order, random;
};

static void reschedule(struct script *s, unsigned i, ps_t when)
{
	s->order[i] = ++s->scheduled;
	evq_schedule(s->q, &s->ev[i], when);
}

static void check_order(struct script *s, unsigned i, ps_t when)
{
	struct event *ev = &s->ev[i];
	bool after = when > s->last_when ||
		     (when == s->last_when && ev->rank > s->last_rank) ||
		     (when == s->last_when && ev->rank == s->last_rank &&
		      s->order[i] > s->last_order);

	cr_assert(!s->fired || after || s->order[i] > s->last_order,
		  "event %u at %llu after one at %llu", i,
		  (unsigned long long)when, (unsigned long long)s->last_when);
	cr_assert_eq(evq_now(s->q), when);
	cr_assert_not(evq_pending(ev));
	s->fired++;
	s->last_when = when;
	s->last_rank = ev->rank;
	s->last_order = s->order[i];
}

static struct script *all; /* the events' owner is their own slot */

static void fire(void *owner, ps_t when)
{
	struct script *s = all;
	unsigned i = (unsigned)((struct event *)owner - s->ev);

	check_order(s, i, when);
	/* Some go on, at this instant or later; some disturb others. */
	switch (rig_below(&s->random, 6)) {
	case 0:
		reschedule(s, i, when + rig_below(&s->random, 5));
		break;
	case 1:
		reschedule(s, (unsigned)rig_below(&s->random, EVENTS),
			   when + 1 + rig_below(&s->random, 50));
		break;
	case 2:
		evq_cancel(s->q, &s->ev[rig_below(&s->random, EVENTS)]);
		break;
	}
}

static struct script *script_create(uint64_t seed)
{
	struct script *s = calloc(1, sizeof(*s));

	s->q = evq_create();
	s->random = seed;
	for (unsigned i = 0; i < EVENTS; i++) {
		snprintf(s->name[i], sizeof(s->name[i]), "ev%u", i);
		s->ev[i] = (struct event){.name = s->name[i],
					  .fire = fire,
					  .owner = &s->ev[i],
					  .rank = (enum evq_rank)rig_below(
						  &s->random, EVQ_RANK_COUNT)};
		evq_register(s->q, &s->ev[i]);
	}
	all = s;
	return s;
}

Test(evq, fires_in_the_order_of_when_rank_and_scheduling)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct script *s = script_create(seed);
		unsigned rounds = 0;

		for (unsigned i = 0; i < EVENTS; i++)
			reschedule(s, i, rig_below(&s->random, 100));
		while (evq_next(s->q) != PS_NEVER && rounds++ < 3000)
			evq_advance(s->q,
				    evq_now(s->q) + rig_below(&s->random, 7));
		cr_assert_gt(s->fired, 100u);
		evq_destroy(s->q);
		free(s);
	}
}

/* Against a model without cleverness: an array searched for the least. */
Test(evq, agrees_with_a_sorted_list)
{
	uint64_t random = 7;
	struct script *s = script_create(3);

	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rig_below(&random, EVENTS);
		ps_t least = PS_NEVER;

		if (rig_below(&random, 3))
			evq_schedule(s->q, &s->ev[i], rig_below(&random, 1000));
		else
			evq_cancel(s->q, &s->ev[i]);
		for (unsigned k = 0; k < EVENTS; k++) {
			if (evq_pending(&s->ev[k]) && s->ev[k].when < least)
				least = s->ev[k].when;
		}
		cr_assert_eq(evq_next(s->q), least, "step %u", step);
	}
	evq_destroy(s->q);
	free(s);
}

static unsigned said;
static char order[16];

static void say(void *owner, ps_t when)
{
	(void)when;
	order[said++] = *(const char *)owner;
}

static void say_and_add(void *owner, ps_t when)
{
	struct event **pair = owner;

	order[said++] = 'x';
	evq_schedule((struct evq *)(void *)pair[1], pair[0], when);
}

Test(evq, same_instant_goes_by_rank_and_takes_newcomers)
{
	struct evq *q = evq_create();
	struct event stop = {.name = "s",
			     .fire = say,
			     .owner = (void *)"s",
			     .rank = EVQ_STOP};
	struct event input = {.name = "i",
			      .fire = say,
			      .owner = (void *)"i",
			      .rank = EVQ_INPUT};
	struct event timer = {.name = "t",
			      .fire = say,
			      .owner = (void *)"t",
			      .rank = EVQ_TIMER};
	struct event *pair[2] = {&input, (struct event *)(void *)q};
	struct event adder = {.name = "x",
			      .fire = say_and_add,
			      .owner = pair,
			      .rank = EVQ_DEVICE};

	said = 0;
	evq_register(q, &timer);
	evq_register(q, &adder);
	evq_schedule(q, &stop, 10);
	evq_schedule(q, &timer, 10);
	evq_schedule(q, &adder, 10);
	evq_advance(q, 9);
	cr_assert_eq(said, 0u);
	evq_advance(q, 10);
	/* The input came late but is due at once, before what ranks below. */
	cr_assert_eq(said, 4u);
	cr_assert_str_eq(order, "xits");
	evq_destroy(q);
}

Test(evq, slides_and_stands)
{
	struct evq *q = evq_create();
	struct event ev = {.name = "e", .fire = say, .owner = (void *)"e"};

	cr_assert_eq(evq_next(q), PS_NEVER);
	evq_slide(q, 5);
	cr_assert_eq(evq_now(q), 5);
	evq_schedule(q, &ev, 8);
	evq_schedule(q, &ev, 7); /* moved */
	evq_slide(q, 7);
	cr_assert(evq_pending(&ev), "sliding fires nothing");
	evq_advance(q, 20);
	cr_assert_eq(evq_now(q), 20);
	cr_assert_not(evq_pending(&ev));
	evq_cancel(q, &ev); /* idle: fine */
	evq_schedule(q, &ev, 30);
	evq_destroy(q);
	cr_assert_not(evq_pending(&ev), "a queue that goes lets go");
}

Test(evq, refuses_the_past, .signal = SIGABRT)
{
	struct evq *q = evq_create();
	struct event ev = {.name = "late", .fire = say};

	evq_slide(q, 5);
	evq_schedule(q, &ev, 4);
}

Test(evq, does_not_slide_past_an_event, .signal = SIGABRT)
{
	struct evq *q = evq_create();
	struct event ev = {.name = "e", .fire = say};

	evq_schedule(q, &ev, 4);
	evq_slide(q, 5);
}

/* A device's event must be known by name, so that a snapshot can hold it. */
Test(evq, unregistered, .signal = SIGABRT)
{
	struct evq *q = evq_create();
	struct event ev = {.name = "e", .fire = say, .rank = EVQ_DEVICE};

	evq_schedule(q, &ev, 4);
}

Test(evq, two_of_one_name, .signal = SIGABRT)
{
	struct evq *q = evq_create();
	struct event a = {.name = "e", .fire = say, .rank = EVQ_DEVICE}, b = a;

	evq_register(q, &a);
	evq_register(q, &b);
}

Test(evq, unregistered_again)
{
	struct evq *q = evq_create();
	struct event ev[2] = {{.name = "a", .fire = say, .rank = EVQ_DEVICE},
			      {.name = "b", .fire = say, .rank = EVQ_DEVICE}};

	evq_register(q, &ev[0]);
	evq_register(q, &ev[1]);
	evq_schedule(q, &ev[0], 4);
	evq_schedule(q, &ev[1], 5);
	evq_unregister(q, &ev[0], sizeof(ev[0]));
	cr_assert_not(evq_pending(&ev[0]));
	cr_assert_eq(evq_next(q), 5);
	evq_register(q, &ev[0]); /* the name is free again */
	evq_destroy(q);
}

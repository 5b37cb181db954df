/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/sched.c - row 45: quantum, yield, sleep, surrender.
 *
 * How late a sleep ends is told, and judged by who runs the test: it is the
 * machine's, and what the neighbours may take of it. */
#include "probe.h"

#define NEVER_SO_LATE (50 * MS)

static uint64_t worst;

/* It goes on now, and could at `since`. */
static void late(uint64_t since, const char *what)
{
	uint64_t now = sys_time();

	want(now >= since, "not too early");
	if (now - since > worst)
		worst = now - since;
	want(now - since < NEVER_SO_LATE, what);
}

void row_45(void)
{
	uint64_t before;

	/* Until an instant that is over, or an event that is there. */
	before = sys_time();
	want(sys_wait(~0ull & ~EVENT_ALARM, before - 1) == 0 ||
		     sys_time() < before + NEVER_SO_LATE,
	     "a deadline in the past");
	/* Until an instant. */
	for (unsigned i = 0; i < 10; i++) {
		uint64_t until = sys_time() + 700 * US;

		want(sys_wait(0, until) == 0, "no event was asked for");
		late(until, "until an instant");
	}
	/* Until an event. */
	before = sys_time();
	want_result(sys_call(SYS_ALARM, before + MS, 0, 0, 0, 0), 0, "alarm");
	want(sys_wait(EVENT_ALARM, before + 100 * MS) == EVENT_ALARM,
	     "the event that ended the sleep");
	late(before + MS, "at the alarm's time");
	want(sys_wait(EVENT_ALARM, 0) == 0, "it is taken");
	/* An event that was there before. */
	want_result(sys_call(SYS_ALARM, sys_time(), 0, 0, 0, 0), 0, "alarm");
	spin(300 * US);
	before = sys_time();
	want(sys_wait(EVENT_ALARM, TIME_NEVER) == EVENT_ALARM, "pending");
	late(before, "at once");
	/* The rest of the quantum to others: it goes on, and soon. */
	for (unsigned i = 0; i < 100; i++)
		want_result(sys_call(SYS_YIELD, 0, 0, 0, 0, 0), 0, "yield");
	logf_("at most %lu us late", (unsigned long)(worst / US));
	if (view_arg_word("surrender")) {
		logf_("PASS row 45, surrenders");
		log_drain();
		(void)sys_call(SYS_SURRENDER, 0, 0, 0, 0, 0);
		want(false, "it ran after surrendering");
	}
	/* Spins beyond its quantum, so that the other one has to wait for the
	 * timer, not for a call. */
	spin(20 * MS);
}

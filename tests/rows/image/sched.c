/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/sched.c - row 45: quantum, yield, sleep, surrender. */
#include "probe.h"

#define LATE (400 * US) /* others of higher standing, and their quanta */

void row_45(void)
{
	uint64_t before, after;

	/* Until an instant that is over, or an event that is there. */
	before = sys_time();
	want(sys_wait(~0ull & ~EVENT_ALARM, before - 1) == 0 ||
		     sys_time() < before + LATE,
	     "a deadline in the past");
	/* Until an instant. */
	for (unsigned i = 0; i < 10; i++) {
		uint64_t until = sys_time() + 700 * US;

		want(sys_wait(0, until) == 0, "no event was asked for");
		after = sys_time();
		want(after >= until, "not too early");
		want(after < until + LATE, "not too late");
	}
	/* Until an event. */
	before = sys_time();
	want_result(sys_call(SYS_ALARM, before + MS, 0, 0, 0, 0), 0, "alarm");
	want(sys_wait(EVENT_ALARM, before + 50 * MS) == EVENT_ALARM,
	     "the event that ended the sleep");
	after = sys_time();
	want(after >= before + MS && after < before + MS + LATE,
	     "at the alarm's time");
	want(sys_wait(EVENT_ALARM, 0) == 0, "it is taken");
	/* An event that was there before. */
	want_result(sys_call(SYS_ALARM, sys_time(), 0, 0, 0, 0), 0, "alarm");
	spin(300 * US);
	before = sys_time();
	want(sys_wait(EVENT_ALARM, TIME_NEVER) == EVENT_ALARM, "pending");
	want(sys_time() < before + LATE, "at once");
	/* The rest of the quantum to others: it goes on, and soon. */
	for (unsigned i = 0; i < 100; i++)
		want_result(sys_call(SYS_YIELD, 0, 0, 0, 0, 0), 0, "yield");
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

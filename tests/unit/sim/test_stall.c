/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU that stands still (machine_stall()), beside one that works. */
#include <criterion/criterion.h>

#include "rig.h"

#define US PS_PER_US

#define JMP(to)                                                                \
	{                                                                      \
		FAKE_JMP, 0, 0, 0, 0, (to)*16                                  \
	}
#define OP(op)                                                                 \
	{                                                                      \
		FAKE_##op, 0, 0, 0, 0, 0                                       \
	}

static struct machine *two_cpus(void)
{
	struct machine_config c = rig_config(2);
	struct machine *m = rig_create(&c, NULL);

	for (unsigned i = 0; i < 2; i++) {
		RIG_CODE_AT(m, i, 0, OP(NOP), JMP(0));
		rig_start(m, i);
	}
	return m;
}

/* The other one goes on. */
Test(stall, a_stalled_cpu_does_nothing_for_so_long)
{
	struct machine *m = two_cpus();

	cr_assert_eq(machine_run(m, 10 * US), MACHINE_UNTIL);
	machine_stall(m, 0, 25 * US);
	cr_assert_eq(machine_run(m, 30 * US), MACHINE_UNTIL);
	cr_assert_eq(cpu_retired(machine_cpu(m, 0)), 10000u);
	cr_assert_eq(cpu_retired(machine_cpu(m, 1)), 30000u);
	cr_assert_eq(machine_run(m, 40 * US), MACHINE_UNTIL);
	cr_assert_eq(cpu_retired(machine_cpu(m, 0)), 15000u);
	cr_assert_eq(cpu_retired(machine_cpu(m, 1)), 40000u);
	machine_destroy(m);
}

static void stop(void *owner, ps_t when)
{
	(void)when;
	machine_request_stop(owner);
}

/* What stops a run meanwhile stops it there, not where the stall ends. */
Test(stall, time_goes_on_beside_a_stalled_cpu)
{
	struct machine *m = two_cpus();
	struct event e = {
		.name = "test", .fire = stop, .owner = m, .rank = EVQ_STOP};

	cr_assert_eq(machine_run(m, 10 * US), MACHINE_UNTIL);
	machine_stall(m, 0, 200 * US);
	evq_schedule(machine_evq(m), &e, 15 * US);
	cr_assert_eq(machine_run(m, 100 * US), MACHINE_REQUESTED);
	cr_assert_eq(machine_now(m), 15 * US);
	/* At once, with nobody having worked. */
	machine_request_stop(m);
	cr_assert_eq(machine_run(m, 100 * US), MACHINE_REQUESTED);
	cr_assert_eq(machine_now(m), 15 * US);
	cr_assert_eq(machine_run(m, 20 * US), MACHINE_UNTIL);
	cr_assert_eq(machine_now(m), 20 * US);
	cr_assert_eq(cpu_retired(machine_cpu(m, 0)), 10000u);
	cr_assert_eq(cpu_retired(machine_cpu(m, 1)), 20000u);
	machine_destroy(m);
}

/* A turn is passed on to one that stands still. */
Test(stall, a_turn_ends_beside_a_stalled_cpu)
{
	struct machine *m = two_cpus();

	RIG_CODE_AT(m, 1, 0, OP(NOP), OP(PAUSE), JMP(0));
	cr_assert_eq(machine_run(m, 10 * US), MACHINE_UNTIL);
	machine_stall(m, 0, 200 * US);
	for (unsigned i = 0; i < 9; i++) {
		machine_stop_at(m, machine_retired(m) + 1);
		cr_assert_eq(machine_run(m, 100 * US), MACHINE_COUNT);
		cr_assert_lt(machine_now(m), 11 * US);
	}
	machine_destroy(m);
}

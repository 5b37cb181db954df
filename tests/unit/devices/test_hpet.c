/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HPET counts tens of nanoseconds and interrupts when its comparators say.
 */
#include "devices/hpet.h"

#include "devices/lapic.h"
#include "harness.h"

#define GCAP_ID   (HPET_BASE + 0x000)
#define GEN_CONF  (HPET_BASE + 0x010)
#define GINTR_STA (HPET_BASE + 0x020)
#define MAIN_CNT  (HPET_BASE + 0x0F0)
#define CONF(n)   (HPET_BASE + 0x100 + 0x20 * (n))
#define CMP(n)    (HPET_BASE + 0x108 + 0x20 * (n))
#define FSB(n)    (HPET_BASE + 0x110 + 0x20 * (n))

#define LEVEL    0x0002
#define INT_ENB  0x0004
#define PERIODIC 0x0008
#define VAL_SET  0x0040
#define MODE_32  0x0100
#define PIN(n)   ((n) << 9)
#define FSB_EN   0x4000

#define TICK (10 * PS_PER_NS)

static void start(struct rig *r)
{
	rig_start(r, 1);
	rig_lapic_on(r);
}

static void write(struct rig *r, paddr_t pa, uint64_t value)
{
	rig_write(r, pa, 8, value);
}

/* The vector that is asked for; it is acknowledged and done. */
static int taken(struct rig *r)
{
	int vector = lapic_ack(r->m, 0);

	if (vector >= 0)
		rig_write(r, RIG_LAPIC + 0xB0, 4, 0);
	return vector;
}

Test(hpet, says_what_it_is_and_stands_still_after_reset)
{
	struct rig r;

	start(&r);
	cr_expect_eq(rig_read(&r, GCAP_ID, 8), 0x009896808086A201);
	cr_expect_eq(rig_read(&r, GCAP_ID + 4, 4), 10000000, "10 ns");
	rig_run(&r, PS_PER_S);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 0);
	cr_expect_eq(rig_read(&r, CONF(0), 8),
		     0x00F0000000000000 | 0x8030 | PIN(20));
	cr_expect_eq(rig_read(&r, CONF(1), 8),
		     0x00F0000000000000 | 0x8020 | PIN(20));
	cr_expect_eq(rig_read(&r, CMP(2), 8), UINT64_MAX);
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(hpet, the_counter_counts_while_enabled_and_keeps_its_value)
{
	struct rig r;

	start(&r);
	write(&r, MAIN_CNT, 0xFFFFFFFFFFFFFFF0);
	write(&r, GEN_CONF, 1);
	rig_run(&r, TICK - 1);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 0xFFFFFFFFFFFFFFF0);
	rig_run(&r, 1);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 0xFFFFFFFFFFFFFFF1);
	rig_run(&r, 19 * TICK);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 4);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 4), 4);
	write(&r, GEN_CONF, 0);
	rig_run(&r, PS_PER_S);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 4);
	write(&r, GEN_CONF, 1);
	rig_run(&r, TICK);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 5);
	rig_write(&r, MAIN_CNT + 4, 4, 7);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), (UINT64_C(7) << 32) + 5);
	cr_expect_eq(r.odds, 1, "written while it runs");
	rig_stop(&r);
}

Test(hpet, a_one_shot_timer_interrupts_once_at_its_tick)
{
	struct rig r;

	start(&r);
	rig_ioapic_entry(&r, 20, 0x51);
	write(&r, CONF(1), INT_ENB | PIN(20));
	write(&r, CMP(1), 100);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER, "does not run");
	write(&r, GEN_CONF, 1);
	cr_expect_eq(evq_next(machine_evq(r.m)), 100 * TICK);
	rig_run_to(&r, 100 * TICK - 1);
	cr_expect_eq(taken(&r), -1);
	rig_run_to(&r, 100 * TICK);
	cr_expect_eq(taken(&r), 0x51);
	rig_run(&r, PS_PER_S);
	cr_expect_eq(taken(&r), -1);
	cr_expect_eq(rig_read(&r, GINTR_STA, 8), 0, "edge keeps no status");
	/* Values that the counter leaps over are no matches. */
	write(&r, GEN_CONF, 0);
	write(&r, MAIN_CNT, 0);
	write(&r, MAIN_CNT, 200);
	write(&r, GEN_CONF, 1);
	rig_run(&r, PS_PER_S);
	cr_expect_eq(taken(&r), -1);
	rig_stop(&r);
}

Test(hpet, a_periodic_timer_takes_comparator_and_period_by_val_set)
{
	struct rig r;

	start(&r);
	rig_ioapic_entry(&r, 20, 0x52);
	write(&r, CONF(0), INT_ENB | PERIODIC | VAL_SET);
	write(&r, CMP(0), 50);  /* the first */
	write(&r, CMP(0), 200); /* from then on */
	write(&r, GEN_CONF, 1);
	for (uint64_t at = 50; at < 5000; at += 200) {
		cr_expect_eq(evq_next(machine_evq(r.m)), at * TICK);
		rig_run_to(&r, at * TICK);
		cr_expect_eq(taken(&r), 0x52, "at %lu", at);
		cr_expect_eq(taken(&r), -1);
		cr_expect_eq(rig_read(&r, CMP(0), 8), at + 200);
	}
	/* Nobody listens: no event, and yet the comparator goes on. */
	write(&r, CONF(0), PERIODIC);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_run_to(&r, 10000 * TICK);
	cr_expect_eq(rig_read(&r, CMP(0), 8), 10050);
	cr_expect_eq(taken(&r), -1);
	rig_stop(&r);
}

Test(hpet, only_timer_0_is_periodic_and_routes_are_checked)
{
	struct rig r;

	start(&r);
	write(&r, CONF(2), PERIODIC | PIN(3));
	cr_expect_eq(rig_read(&r, CONF(2), 4), 0x8020 | PIN(20));
	write(&r, CONF(2), PIN(23));
	cr_expect_eq(rig_read(&r, CONF(2), 4), 0x8020 | PIN(23));
	rig_stop(&r);
}

Test(hpet, a_level_stands_until_its_status_is_cleared)
{
	struct rig r;
	struct device *d;

	start(&r);
	rig_ioapic_entry(&r, 21, 0x8000 | 0x53);
	write(&r, CONF(2), INT_ENB | LEVEL | PIN(21));
	write(&r, CMP(2), 10);
	write(&r, GEN_CONF, 1);
	rig_run_to(&r, 10 * TICK);
	cr_expect_eq(taken(&r), 0x53);
	cr_expect_eq(taken(&r), 0x53, "still there");
	cr_expect_eq(rig_read(&r, GINTR_STA, 8), 4);
	write(&r, GINTR_STA, 3);
	cr_expect_eq(taken(&r), 0x53, "others were cleared");
	write(&r, GINTR_STA, 4);
	cr_expect_eq(lapic_ack(r.m, 0), 0x53, "asked for before");
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(taken(&r), -1);
	/* A reset lowers what stands. */
	write(&r, CMP(2), 20);
	rig_run_to(&r, 20 * TICK);
	cr_expect_eq(rig_read(&r, GINTR_STA, 8), 4);
	d = machine_device(r.m, "hpet0");
	d->class->reset(d);
	cr_expect_eq(rig_read(&r, GINTR_STA, 8), 0);
	cr_expect_eq(taken(&r), 0x53);
	cr_expect_eq(taken(&r), -1);
	rig_stop(&r);
}

Test(hpet, a_32_bit_timer_wraps_with_the_low_half)
{
	struct rig r;

	start(&r);
	rig_ioapic_entry(&r, 20, 0x54);
	write(&r, MAIN_CNT, 0x1FFFFFF00);
	write(&r, CONF(1), INT_ENB | MODE_32);
	write(&r, CMP(1), 0x500000010);
	cr_expect_eq(rig_read(&r, CMP(1), 8), 0x10);
	write(&r, GEN_CONF, 1);
	rig_run_to(&r, 0x110 * TICK - 1);
	cr_expect_eq(taken(&r), -1);
	rig_run_to(&r, 0x110 * TICK);
	cr_expect_eq(taken(&r), 0x54);
	rig_run(&r, (UINT64_C(1) << 32) * TICK);
	cr_expect_eq(taken(&r), 0x54, "a turn later");
	rig_stop(&r);
}

Test(hpet, messages_go_where_fsb_says)
{
	struct rig r;

	start(&r);
	write(&r, CONF(1), INT_ENB | FSB_EN);
	write(&r, FSB(1), UINT64_C(0xFEE00000) << 32 | 0x55);
	write(&r, CMP(1), 5);
	write(&r, GEN_CONF, 1);
	rig_run_to(&r, 5 * TICK);
	cr_expect_eq(taken(&r), 0x55);
	cr_expect_eq(taken(&r), -1);
	rig_stop(&r);
}

Test(hpet, legacy_replacement_is_irq_0_and_irq_8)
{
	struct rig r;

	start(&r);
	rig_ioapic_entry(&r, 2, 0x56);
	rig_ioapic_entry(&r, 8, 0x57);
	rig_ioapic_entry(&r, 20, 0x58);
	for (unsigned n = 0; n < 3; n++) {
		write(&r, CONF(n), INT_ENB);
		write(&r, CMP(n), 10 * (n + 1));
	}
	write(&r, GEN_CONF, 3);
	rig_run_to(&r, 10 * TICK);
	cr_expect_eq(taken(&r), 0x56);
	rig_run_to(&r, 20 * TICK);
	cr_expect_eq(taken(&r), 0x57);
	rig_run_to(&r, 30 * TICK);
	cr_expect_eq(taken(&r), 0x58, "timer 2 is not replaced");
	rig_stop(&r);
}

Test(hpet, what_is_no_register_is_odd)
{
	struct rig r;

	start(&r);
	write(&r, HPET_BASE + 0x030, 1);
	write(&r, CONF(0) + 0x18, 1);
	write(&r, CONF(3), 1);
	cr_expect_eq(r.odds, 3);
	cr_expect_eq(rig_read(&r, CONF(3), 8), 0);
	rig_stop(&r);
}

Test(hpet, a_stopped_counter_matches_nothing)
{
	struct rig r;
	struct error err;

	start(&r);
	rig_ioapic_entry(&r, 20, 0x44);
	write(&r, CMP(0), 100);
	write(&r, CONF(0), INT_ENB | PIN(20));
	write(&r, GEN_CONF, 1);
	rig_run(&r, 40 * TICK);
	cr_expect(device_fault(machine_device(r.m, "hpet0"), "stop", 0, &err));
	rig_run(&r, 1000 * TICK);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 40);
	cr_expect_eq(taken(&r), -1);
	write(&r, GEN_CONF, 0);
	write(&r, MAIN_CNT, 99);
	write(&r, GEN_CONF, 1);
	rig_run(&r, 1000 * TICK);
	cr_expect_eq(rig_read(&r, MAIN_CNT, 8), 99);
	cr_expect_eq(taken(&r), -1);
	rig_stop(&r);
}

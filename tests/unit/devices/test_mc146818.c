/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock keeps virtual time in whatever form it is asked to, and interrupts
 * at exact instants.
 */
#include "devices/mc146818.h"

#include "devices/lapic.h"
#include "harness.h"

static uint8_t get(struct rig *r, uint8_t at)
{
	rig_out(r, 0x70, 1, at);
	return (uint8_t)rig_in(r, 0x71, 1);
}

static void set(struct rig *r, uint8_t at, uint8_t value)
{
	rig_out(r, 0x70, 1, at);
	rig_out(r, 0x71, 1, value);
}

/* IRQ 8 opens at the 8259 as firmware left it: vector 70h. */
static void start(struct rig *r)
{
	rig_start(r, 1);
	rig_out(r, 0x21, 1, 0xFB);
	rig_out(r, 0xA1, 1, 0xFE);
}

static bool irq(struct rig *r)
{
	return rig_intr(r, 0);
}

/* Stops the clock as software does, sets what is given, lets it go on. */
static void time_set(struct rig *r, const uint8_t *byte, size_t count)
{
	set(r, 0xB, (uint8_t)(get(r, 0xB) | 0x80));
	for (size_t i = 0; i < count; i++)
		set(r, byte[2 * i], byte[2 * i + 1]);
	set(r, 0xB, get(r, 0xB) & 0x7F);
}
#define TIME_SET(r, ...)                                                       \
	time_set(r, (const uint8_t[]){__VA_ARGS__},                            \
		 sizeof((const uint8_t[]){__VA_ARGS__}) / 2)

static void expect(struct rig *r, uint8_t at, uint8_t want)
{
	cr_expect_eq(get(r, at), want, "byte %02X: %02X, expected %02X", at,
		     get(r, at), want);
}

Test(mc146818, starts_with_the_configured_date_in_bcd)
{
	struct rig r;

	start(&r);
	expect(&r, 0x0, 0x00);
	expect(&r, 0x2, 0x00);
	expect(&r, 0x4, 0x00);
	expect(&r, 0x6, 0x02); /* a Monday */
	expect(&r, 0x7, 0x01);
	expect(&r, 0x8, 0x01);
	expect(&r, 0x9, 0x24);
	expect(&r, 0x32, 0x20);
	expect(&r, 0xA, 0x26);
	expect(&r, 0xB, 0x02);
	expect(&r, 0xD, 0x80);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER, "runs on paper");
	cr_expect_eq(rig_in(&r, 0x70, 1), 0xFF, "the index is write-only");
	rig_stop(&r);
}

Test(mc146818, counts_seconds_to_centuries)
{
	struct rig r;

	start(&r);
	rig_run_to(&r, 59 * PS_PER_S);
	expect(&r, 0x0, 0x59);
	rig_run_to(&r, 3599 * PS_PER_S);
	expect(&r, 0x2, 0x59);
	rig_run_to(&r, 3600 * PS_PER_S);
	expect(&r, 0x0, 0x00);
	expect(&r, 0x2, 0x00);
	expect(&r, 0x4, 0x01);
	/* 2024 has a 29th of February, the 60th day. */
	rig_run_to(&r, 59 * 86400 * PS_PER_S);
	expect(&r, 0x7, 0x29);
	expect(&r, 0x8, 0x02);
	expect(&r, 0x6, 0x05);
	TIME_SET(&r, 0x0, 0x59, 0x2, 0x59, 0x4, 0x23, 0x7, 0x31, 0x8, 0x12, 0x9,
		 0x99, 0x32, 0x19);
	rig_run(&r, PS_PER_S);
	expect(&r, 0x0, 0x00);
	expect(&r, 0x4, 0x00);
	expect(&r, 0x7, 0x01);
	expect(&r, 0x8, 0x01);
	expect(&r, 0x9, 0x00);
	expect(&r, 0x32, 0x20);
	rig_stop(&r);
}

Test(mc146818, tells_time_in_binary_and_by_twelve_hours)
{
	struct rig r;

	start(&r);
	set(&r, 0xB, 0x06); /* binary, 24 hours */
	TIME_SET(&r, 0x0, 59, 0x2, 59, 0x4, 12, 0x7, 30, 0x8, 11, 0x9, 25);
	rig_run(&r, PS_PER_S);
	expect(&r, 0x0, 0);
	expect(&r, 0x4, 13);
	expect(&r, 0x7, 30);
	set(&r, 0xB, 0x04); /* binary, 12 hours */
	TIME_SET(&r, 0x0, 59, 0x2, 59, 0x4, 11);
	rig_run(&r, PS_PER_S);
	expect(&r, 0x4, 0x8C); /* noon */
	set(&r, 0xB, 0x00);    /* BCD, 12 hours */
	TIME_SET(&r, 0x0, 0x59, 0x2, 0x59, 0x4, 0x91, 0x7, 0x30, 0x8, 0x11, 0x9,
		 0x25);
	rig_run(&r, PS_PER_S);
	expect(&r, 0x4, 0x12); /* midnight */
	expect(&r, 0x8, 0x12);
	expect(&r, 0x7, 0x01);
	rig_stop(&r);
}

Test(mc146818, stands_while_set_and_keeps_its_pace)
{
	struct rig r;

	start(&r);
	rig_run_to(&r, PS_PER_S + PS_PER_S / 4);
	set(&r, 0xB, 0x82);
	rig_run_to(&r, 5 * PS_PER_S + PS_PER_S / 2);
	expect(&r, 0x0, 0x01);
	set(&r, 0xB, 0x02);
	rig_run_to(&r, 6 * PS_PER_S - 1);
	expect(&r, 0x0, 0x01);
	rig_run_to(&r, 6 * PS_PER_S);
	expect(&r, 0x0, 0x02);
	rig_stop(&r);
}

Test(mc146818, first_updates_half_a_second_after_divider_reset)
{
	struct rig r;

	start(&r);
	set(&r, 0xA, 0x66);
	rig_run_to(&r, 10 * PS_PER_S);
	expect(&r, 0x0, 0x00);
	set(&r, 0xA, 0x26);
	rig_run_to(&r, 10 * PS_PER_S + PS_PER_S / 2 - 1);
	expect(&r, 0x0, 0x00);
	rig_run(&r, 1);
	expect(&r, 0x0, 0x01);
	rig_stop(&r);
}

Test(mc146818, announces_its_updates)
{
	struct rig r;

	start(&r);
	rig_run_to(&r, PS_PER_S - 2228 * PS_PER_US - 1);
	expect(&r, 0xA, 0x26);
	rig_run(&r, 1);
	expect(&r, 0xA, 0xA6);
	rig_run_to(&r, PS_PER_S - 1);
	expect(&r, 0xA, 0xA6);
	expect(&r, 0x0, 0x00);
	rig_run(&r, 1);
	expect(&r, 0xA, 0x26);
	expect(&r, 0x0, 0x01);
	set(&r, 0xB, 0x82);
	rig_run_to(&r, 2 * PS_PER_S - 1);
	expect(&r, 0xA, 0x26);
	rig_stop(&r);
}

Test(mc146818, interrupts_when_an_update_has_ended)
{
	struct rig r;

	start(&r);
	set(&r, 0xB, 0x12);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_PER_S);
	rig_run_to(&r, PS_PER_S - 1);
	cr_expect_not(irq(&r));
	rig_run(&r, 1);
	cr_expect_eq(lapic_ack(r.m, 0), 0x70);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER,
		     "none while this one waits");
	cr_expect_eq(get(&r, 0xC) & 0xBF, 0x90);
	cr_expect_eq(get(&r, 0xC), 0x00, "reading clears");
	cr_expect_eq(evq_next(machine_evq(r.m)), 2 * PS_PER_S);
	set(&r, 0xB, 0x92);
	cr_expect_eq(get(&r, 0xB), 0x82, "SET clears UIE");
	rig_stop(&r);
}

Test(mc146818, interrupts_periodically)
{
	struct rig r;

	start(&r);
	set(&r, 0xA, 0x2F); /* 2 Hz */
	get(&r, 0xC);
	set(&r, 0xB, 0x42);
	rig_run_to(&r, PS_PER_S / 2 - 1);
	cr_expect_not(irq(&r));
	rig_run(&r, 1);
	cr_expect(irq(&r));
	cr_expect_eq(get(&r, 0xC), 0xC0);
	cr_expect_not(irq(&r));
	rig_run_to(&r, PS_PER_S);
	cr_expect_eq(get(&r, 0xC), 0xD0, "the update, too");
	set(&r, 0xA, 0x26); /* 1024 Hz */
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_PER_S + PS_PER_S / 1024);
	set(&r, 0xA, 0x21); /* QUIRK of table 5: 256 Hz */
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_PER_S + PS_PER_S / 256);
	set(&r, 0xA, 0x23); /* 8192 Hz */
	cr_expect_eq(evq_next(machine_evq(r.m)),
		     PS_PER_S + (PS_PER_S + 8191) / 8192);
	set(&r, 0xA, 0x20);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_stop(&r);
}

Test(mc146818, flags_rise_without_their_interrupts)
{
	struct rig r;

	start(&r);
	rig_run_to(&r, 10 * PS_PER_S);
	cr_expect_eq(get(&r, 0xC), 0x50, "periodic and update, no alarm");
	rig_run_to(&r, 86410 * PS_PER_S);
	cr_expect_eq(get(&r, 0xC), 0x70, "midnight is the alarm of zeroes");
	rig_stop(&r);
}

Test(mc146818, alarms_at_its_time_and_by_dont_care)
{
	struct rig r;
	struct evq *q;

	start(&r);
	q = machine_evq(r.m);
	set(&r, 0x1, 0x30);
	set(&r, 0x3, 0x15);
	set(&r, 0x5, 0x02);
	set(&r, 0xB, 0x22);
	cr_expect_eq(evq_next(q), (2 * 3600 + 15 * 60 + 30) * PS_PER_S);
	set(&r, 0x5, 0xC0); /* each hour */
	cr_expect_eq(evq_next(q), (15 * 60 + 30) * PS_PER_S);
	set(&r, 0x3, 0xFF); /* each minute */
	cr_expect_eq(evq_next(q), 30 * PS_PER_S);
	rig_run_to(&r, 30 * PS_PER_S);
	cr_expect(irq(&r));
	cr_expect_eq(get(&r, 0xC) & 0xA0, 0xA0);
	cr_expect_eq(evq_next(q), 90 * PS_PER_S);
	set(&r, 0x1, 0xC1); /* each second */
	cr_expect_eq(evq_next(q), 31 * PS_PER_S);
	set(&r, 0x1, 0x61);
	cr_expect_eq(evq_next(q), PS_NEVER, "no such second");
	rig_stop(&r);
}

Test(mc146818, alarms_by_twelve_hours)
{
	struct rig r;

	start(&r);
	set(&r, 0xB, 0x00);
	TIME_SET(&r, 0x0, 0x00, 0x2, 0x00, 0x4, 0x12); /* midnight */
	set(&r, 0x5, 0x81);                            /* 1 PM */
	set(&r, 0xB, 0x20);
	cr_expect_eq(evq_next(machine_evq(r.m)), 13 * 3600 * PS_PER_S);
	rig_stop(&r);
}

Test(mc146818, reset_leaves_time_and_memory)
{
	struct rig r;
	struct device *d;

	start(&r);
	d = machine_device(r.m, "rtc0");
	set(&r, 0x40, 0x5A);
	set(&r, 0xB, 0x76);
	rig_run_to(&r, 5 * PS_PER_S);
	cr_expect(irq(&r));
	d->class->reset(d);
	cr_expect_not(irq(&r));
	expect(&r, 0xB, 0x06);
	expect(&r, 0x40, 0x5A);
	cr_expect_neq(get(&r, 0x0), 0);
	rig_stop(&r);
}

Test(mc146818, memory_says_what_the_machine_has)
{
	struct rig r;
	unsigned sum = 0;

	start(&r); /* 16 MiB */
	expect(&r, 0x15, 0x80);
	expect(&r, 0x16, 0x02);
	expect(&r, 0x17, 0x00);
	expect(&r, 0x18, 0x3C);
	expect(&r, 0x30, 0x00);
	expect(&r, 0x31, 0x3C);
	expect(&r, 0x34, 0x00);
	expect(&r, 0x5F, 0x00);
	for (uint8_t at = 0x10; at <= 0x2D; at++)
		sum += get(&r, at);
	cr_expect_eq((unsigned)get(&r, 0x2E) << 8 | get(&r, 0x2F), sum);
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(mc146818, what_it_lacks_is_odd)
{
	struct rig r;

	start(&r);
	set(&r, 0xB, 0x03);
	cr_expect_eq(r.odds, 1, "daylight saving");
	set(&r, 0xA, 0x06);
	cr_expect_eq(r.odds, 2, "4 MHz");
	set(&r, 0xD, 0x00);
	cr_expect_eq(r.odds, 3);
	cr_expect_str_eq(r.odd_device, "rtc0");
	rig_run_to(&r, 3 * PS_PER_S);
	expect(&r, 0x0, 0x00);
	rig_stop(&r);
}

Test(mc146818, takes_faults)
{
	struct rig r;
	struct device *d;
	struct error err;

	start(&r);
	d = machine_device(r.m, "rtc0");
	cr_expect(device_fault(d, "battery", 0, &err));
	expect(&r, 0xD, 0x00);
	rig_run_to(&r, 2 * PS_PER_S);
	expect(&r, 0x0, 0x02);
	/* A day, an hour and a second. */
	cr_expect(device_fault(d, "jump", 90001, &err));
	expect(&r, 0x0, 0x03);
	expect(&r, 0x4, 0x01);
	expect(&r, 0x7, 0x02);
	set(&r, 0xB, 0x52);
	cr_expect(device_fault(d, "stop", 0, &err));
	get(&r, 0xC);
	rig_run_to(&r, 9 * PS_PER_S);
	expect(&r, 0x0, 0x03);
	cr_expect_not(irq(&r));
	rig_stop(&r);
}

Test(mc146818, any_bytes_are_some_time)
{
	struct rig r;

	start(&r);
	set(&r, 0xB, 0x82);
	for (uint8_t at = 0; at < 0xA; at++)
		set(&r, at, 0xFF);
	set(&r, 0x32, 0xFF);
	set(&r, 0xB, 0x12);
	rig_run(&r, 3 * 86400 * PS_PER_S);
	cr_expect(irq(&r));
	cr_expect_leq(get(&r, 0x8), 0x12);
	rig_stop(&r);
}

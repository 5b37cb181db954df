/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 8254 counts as its data sheet's timing diagrams say, by exact CLKs, and
 * schedules nothing that nobody could see.
 */
#include "devices/i8254.h"

#include "devices/lapic.h"
#include "devices/rate.h"
#include "harness.h"

#define CONTROL 0x43

static void out(struct rig *r, uint16_t port, uint8_t value)
{
	rig_out(r, port, 1, value);
}

static uint8_t in(struct rig *r, uint16_t port)
{
	return (uint8_t)rig_in(r, port, 1);
}

/* To the instant of the n-th CLK edge from power-on. */
static void edge(struct rig *r, uint64_t n)
{
	rig_run_to(r, rate_instant(n, I8254_HZ));
}

/* Counter 2, LSB then MSB, written between edges 10 and 11: loaded at 11. */
static void program(struct rig *r, uint8_t mode, uint16_t count)
{
	edge(r, 10);
	out(r, CONTROL, 0xB0 | mode);
	out(r, 0x42, count & 0xFF);
	out(r, 0x42, count >> 8);
}

static uint16_t count(struct rig *r)
{
	uint8_t low;

	out(r, CONTROL, 0x80);
	low = in(r, 0x42);
	return (uint16_t)(in(r, 0x42) << 8 | low);
}

static bool out2(struct rig *r)
{
	return in(r, 0x61) & 0x20;
}

static void expect(struct rig *r, uint64_t at, unsigned want, bool level)
{
	edge(r, at);
	cr_expect_eq(count(r), want, "count at CLK %llu: %u, expected %u",
		     (unsigned long long)at, count(r), want);
	cr_expect_eq(out2(r), level, "OUT at CLK %llu", (unsigned long long)at);
}

static void start(struct rig *r)
{
	rig_start(r, 1);
	out(r, 0x61, 0x01);
}

/* The 8259 at vector 20h with IRQ 0 open. */
static void irq_start(struct rig *r)
{
	rig_start(r, 1);
	out(r, 0x20, 0x13);
	out(r, 0x21, 0x20);
	out(r, 0x21, 0x03); /* automatic EOI */
	out(r, 0x21, 0xFE);
}

Test(i8254, mode_0_rises_at_the_terminal_count_and_counts_on)
{
	struct rig r;

	start(&r);
	program(&r, 0x0, 4);
	cr_expect_not(out2(&r));
	expect(&r, 11, 4, false);
	expect(&r, 14, 1, false);
	expect(&r, 15, 0, true);
	expect(&r, 16, 0xFFFF, true);
	out(&r, 0x42, 9); /* the first byte of a count stops it */
	cr_expect_not(out2(&r));
	edge(&r, 100);
	cr_expect_not(out2(&r));
	out(&r, 0x42, 0);
	expect(&r, 101, 9, false);
	expect(&r, 110, 0, true);
	rig_stop(&r);
}

Test(i8254, mode_0_pauses_while_its_gate_is_low)
{
	struct rig r;

	start(&r);
	program(&r, 0x0, 10);
	expect(&r, 14, 7, false);
	out(&r, 0x61, 0);
	expect(&r, 40, 7, false);
	out(&r, 0x61, 1);
	expect(&r, 46, 1, false);
	expect(&r, 47, 0, true);
	rig_stop(&r);
}

Test(i8254, mode_1_is_a_shot_that_the_gate_fires)
{
	struct rig r;

	start(&r);
	program(&r, 0x2, 5);
	edge(&r, 30);
	cr_expect(out2(&r), "waits");
	out(&r, 0x61, 0);
	out(&r, 0x61, 1);
	cr_expect(out2(&r), "until the next CLK");
	expect(&r, 31, 5, false);
	expect(&r, 35, 1, false);
	out(&r, 0x61, 0); /* its level stops nothing; fires again */
	out(&r, 0x61, 1);
	cr_expect_not(out2(&r));
	expect(&r, 36, 5, false);
	expect(&r, 40, 1, false);
	expect(&r, 41, 0, true);
	rig_stop(&r);
}

Test(i8254, mode_2_is_low_for_the_last_of_n_clks)
{
	struct rig r;

	start(&r);
	program(&r, 0x4, 3);
	cr_expect(out2(&r));
	expect(&r, 11, 3, true);
	expect(&r, 12, 2, true);
	expect(&r, 13, 1, false);
	expect(&r, 14, 3, true);
	expect(&r, 16, 1, false);
	out(&r, 0x61, 0);
	cr_expect(out2(&r), "a low gate raises OUT at once");
	edge(&r, 20);
	out(&r, 0x61, 1);
	expect(&r, 21, 3, true);
	expect(&r, 23, 1, false);
	rig_stop(&r);
}

Test(i8254, a_count_written_in_mode_2_waits_for_the_end_of_the_period)
{
	struct rig r;

	start(&r);
	program(&r, 0x4, 10);
	edge(&r, 15);
	out(&r, 0x42, 4);
	out(&r, 0x42, 0);
	out(&r, CONTROL, 0xE8); /* read-back, status of counter 2 */
	cr_expect_eq(in(&r, 0x42), 0xF4, "null count");
	expect(&r, 19, 2, true);
	expect(&r, 20, 1, false);
	expect(&r, 21, 4, true);
	out(&r, CONTROL, 0xE8);
	cr_expect_eq(in(&r, 0x42), 0xB4);
	expect(&r, 24, 1, false);
	expect(&r, 25, 4, true);
	rig_stop(&r);
}

Test(i8254, mode_3_is_a_square_wave_counted_by_twos)
{
	struct rig r;

	start(&r);
	program(&r, 0x6, 4);
	expect(&r, 11, 4, true);
	expect(&r, 12, 2, true);
	expect(&r, 13, 4, false);
	expect(&r, 14, 2, false);
	expect(&r, 15, 4, true);
	rig_stop(&r);
}

Test(i8254, mode_3_is_high_for_the_longer_part_of_an_odd_count)
{
	struct rig r;

	start(&r);
	program(&r, 0x6, 5);
	expect(&r, 11, 4, true);
	expect(&r, 13, 0, true);
	expect(&r, 14, 4, false);
	expect(&r, 15, 2, false);
	expect(&r, 16, 4, true);
	rig_stop(&r);
}

Test(i8254, a_count_written_in_mode_3_waits_for_the_end_of_the_half)
{
	struct rig r;

	start(&r);
	program(&r, 0x6, 8);
	edge(&r, 12); /* high until 15 */
	out(&r, 0x42, 4);
	out(&r, 0x42, 0);
	expect(&r, 14, 2, true);
	expect(&r, 15, 4, false);
	expect(&r, 16, 2, false);
	expect(&r, 17, 4, true);
	out(&r, 0x42, 6);
	out(&r, 0x42, 0);
	expect(&r, 18, 2, true);
	expect(&r, 19, 6, false);
	expect(&r, 22, 6, true);
	rig_stop(&r);
}

Test(i8254, mode_4_strobes_once)
{
	struct rig r;

	start(&r);
	program(&r, 0x8, 3);
	expect(&r, 13, 1, true);
	expect(&r, 14, 0, false);
	expect(&r, 15, 0xFFFF, true);
	edge(&r, 14 + 0x10000);
	cr_expect(out2(&r), "not again when it passes 0");
	rig_stop(&r);
}

Test(i8254, mode_5_strobes_when_the_gate_fires)
{
	struct rig r;

	start(&r);
	program(&r, 0xA, 3);
	edge(&r, 50);
	cr_expect(out2(&r));
	out(&r, 0x61, 0);
	out(&r, 0x61, 1);
	expect(&r, 51, 3, true);
	expect(&r, 54, 0, false);
	expect(&r, 55, 0xFFFF, true);
	rig_stop(&r);
}

Test(i8254, counts_in_bcd)
{
	struct rig r;

	start(&r);
	program(&r, 0x1, 0x1000); /* mode 0 */
	expect(&r, 11, 0x1000, false);
	expect(&r, 12, 0x0999, false);
	expect(&r, 1011, 0, true);
	expect(&r, 1012, 0x9999, true);
	rig_stop(&r);
}

Test(i8254, zero_is_the_largest_count)
{
	struct rig r;

	start(&r);
	program(&r, 0x0, 0);
	expect(&r, 11, 0, false);
	expect(&r, 12, 0xFFFF, false);
	expect(&r, 11 + 0xFFFF, 1, false);
	expect(&r, 11 + 0x10000, 0, true);
	rig_stop(&r);
}

Test(i8254, one_byte_of_a_count_can_do)
{
	struct rig r;

	start(&r);
	edge(&r, 10);
	out(&r, CONTROL, 0xA0); /* MSB alone */
	out(&r, 0x42, 2);
	edge(&r, 12);
	cr_expect_eq(in(&r, 0x42), 0x01);
	cr_expect_eq(in(&r, 0x42), 0x01);
	out(&r, CONTROL, 0x90); /* LSB alone */
	out(&r, 0x42, 0x80);
	edge(&r, 14);
	cr_expect_eq(in(&r, 0x42), 0x7F);
	rig_stop(&r);
}

Test(i8254, a_latched_count_stays_until_it_is_read)
{
	struct rig r;

	start(&r);
	program(&r, 0x0, 0x1234);
	edge(&r, 11);
	out(&r, CONTROL, 0x80);
	edge(&r, 15);
	out(&r, CONTROL, 0x80);
	cr_expect_eq(in(&r, 0x42), 0x34);
	cr_expect_eq(in(&r, 0x42), 0x12);
	cr_expect_eq(in(&r, 0x42), 0x30, "live again");
	rig_stop(&r);
}

Test(i8254, read_back_latches_status_before_count)
{
	struct rig r;

	start(&r);
	program(&r, 0x0, 3);
	out(&r, CONTROL, 0xC8); /* both of counter 2 */
	edge(&r, 20);
	cr_expect_eq(in(&r, 0x42), 0x70, "null count, mode 0, two bytes");
	cr_expect_eq(in(&r, 0x42), 3);
	cr_expect_eq(in(&r, 0x42), 0);
	out(&r, CONTROL, 0xE8);
	cr_expect_eq(in(&r, 0x42), 0xB0, "OUT is high");
	out(&r, CONTROL, 0xE2); /* of counter 0: never programmed */
	cr_expect_eq(in(&r, 0x40), 0x40);
	rig_stop(&r);
}

Test(i8254, port_61_shows_refresh_and_keeps_its_low_bits)
{
	struct rig r;

	rig_start(&r, 1);
	out(&r, 0x61, 0xFE);
	cr_expect_eq(in(&r, 0x61), 0x0E);
	edge(&r, 18);
	cr_expect_eq(in(&r, 0x61), 0x1E);
	edge(&r, 36);
	cr_expect_eq(in(&r, 0x61), 0x0E);
	rig_stop(&r);
}

Test(i8254, counter_0_is_irq_0_at_exact_instants)
{
	struct rig r;

	irq_start(&r);
	edge(&r, 10);
	out(&r, CONTROL, 0x34);
	out(&r, 0x40, 100);
	out(&r, 0x40, 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x20, "OUT rises with mode 2");
	for (unsigned i = 1; i < 4; i++) {
		rig_run_to(&r, rate_instant(11 + 100 * i, I8254_HZ) - 1);
		cr_expect_not(rig_intr(&r, 0));
		edge(&r, 11 + 100 * i);
		cr_expect(rig_intr(&r, 0), "period %u", i);
		cr_expect_eq(lapic_ack(r.m, 0), 0x20);
	}
	rig_stop(&r);
}

Test(i8254, a_masked_counter_costs_no_event_and_misses_none)
{
	struct rig r;
	struct evq *q;

	irq_start(&r);
	q = machine_evq(r.m);
	cr_expect_eq(evq_next(q), PS_NEVER, "nothing after reset");
	out(&r, 0x21, 0xFF);
	edge(&r, 10);
	out(&r, CONTROL, 0x36);
	out(&r, 0x40, 100);
	out(&r, 0x40, 0);
	cr_expect_eq(evq_next(q), PS_NEVER, "masked");
	out(&r, 0x20, 0x0A);
	cr_expect_eq(in(&r, 0x20), 0x01, "OUT rose with mode 3");
	edge(&r, 70);
	cr_expect_eq(in(&r, 0x20), 0x00, "low half");
	edge(&r, 120);
	cr_expect_eq(in(&r, 0x20), 0x01);
	out(&r, 0x21, 0xFE);
	cr_expect_eq(lapic_ack(r.m, 0), 0x20);
	cr_expect_eq(evq_next(q), rate_instant(161, I8254_HZ));
	out(&r, 0x21, 0xFF);
	cr_expect_eq(evq_next(q), PS_NEVER);
	edge(&r, 220); /* high again, a period later */
	out(&r, 0x21, 0xFE);
	cr_expect_eq(lapic_ack(r.m, 0), 0x20, "it rose meanwhile");
	out(&r, 0x21, 0xFF);
	edge(&r, 240);
	out(&r, 0x21, 0xFE);
	cr_expect_not(rig_intr(&r, 0), "taken, and high ever since");
	rig_stop(&r);
}

Test(i8254, a_masked_counter_rises_across_a_reload)
{
	struct rig r;

	irq_start(&r);
	edge(&r, 10);
	out(&r, CONTROL, 0x34);
	out(&r, 0x40, 100);
	out(&r, 0x40, 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x20);
	out(&r, 0x21, 0xFF);
	edge(&r, 50);
	out(&r, 0x40, 200);
	out(&r, 0x40, 0);
	edge(&r, 115); /* the reload was at 111 */
	out(&r, 0x21, 0xFE);
	cr_expect_eq(lapic_ack(r.m, 0), 0x20);
	cr_expect_eq(evq_next(machine_evq(r.m)), rate_instant(310, I8254_HZ));
	rig_stop(&r);
}

Test(i8254, the_io_apic_hears_it_at_pin_2)
{
	struct rig r;

	rig_start(&r, 1);
	rig_ioapic_entry(&r, 2, 0x45);
	out(&r, CONTROL, 0x30);
	out(&r, 0x40, 50);
	out(&r, 0x40, 0);
	edge(&r, 50);
	cr_expect_not(rig_intr(&r, 0));
	edge(&r, 51);
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER, "one shot");
	rig_stop(&r);
}

Test(i8254, forbidden_uses_are_odd)
{
	struct rig r;

	start(&r);
	program(&r, 0x4, 1);
	cr_expect_eq(r.odds, 1);
	cr_expect_str_eq(r.odd_device, "pit0");
	expect(&r, 11, 2, true);
	expect(&r, 12, 1, false);
	in(&r, CONTROL);
	cr_expect_eq(r.odds, 2);
	out(&r, 0x41, 1);
	cr_expect_eq(r.odds, 3);
	rig_stop(&r);
}

Test(i8254, a_dead_counter_stands)
{
	struct rig r;
	struct error err;

	start(&r);
	program(&r, 0x6, 100);
	edge(&r, 21);
	cr_expect(device_fault(machine_device(r.m, "pit0"), "stop", 2, &err));
	expect(&r, 90, 80, true);
	cr_expect_not(
		device_fault(machine_device(r.m, "pit0"), "stop", 3, &err));
	cr_expect_eq(err.code, EXIT_USAGE);
	rig_stop(&r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UART sends at its baud rate to the picosecond and interrupts as table III
 * of the PC16550D data sheet says. */
#include "devices/uart16550.h"

#include "devices/lapic.h"
#include <string.h>

#include "harness.h"

enum {
	RBR_THR = 0x3F8,
	IER,
	IIR_FCR,
	LCR,
	MCR,
	LSR,
	MSR,
	SCR
};

static uint8_t in(struct rig *r, uint16_t port)
{
	return (uint8_t)rig_in(r, port, 1);
}

static void out(struct rig *r, uint16_t port, uint8_t value)
{
	rig_out(r, port, 1, value);
}

/* 8 bits, no parity, 1 stop bit; interrupts to vector 54h. */
static void start(struct rig *r, uint16_t divisor)
{
	rig_start(r, 1);
	rig_lapic_on(r);
	rig_ioapic_entry(r, 4, 0x54);
	out(r, LCR, 0x83);
	out(r, RBR_THR, divisor & 0xFF);
	out(r, IER, divisor >> 8);
	out(r, LCR, 0x03);
	out(r, MCR, 0x0B);
}

static int interrupt(struct rig *r)
{
	int vector = lapic_ack(r->m, 0);

	if (vector >= 0)
		rig_write(r, RIG_LAPIC + 0xB0, 4, 0);
	return vector;
}

Test(uart, a_frame_takes_its_bit_times_exactly)
{
	struct rig r;

	start(&r, 1);
	out(&r, RBR_THR, 'A');
	/* 10 bits of 16 clocks of 1.8432 MHz: 86.805555... us, rounded up. */
	rig_run_to(&r, 86805555);
	cr_expect_eq(r.console_count, 0);
	rig_run_to(&r, 86805556);
	cr_expect_eq(r.console_count, 1);
	cr_expect_eq(r.console[0], 'A');
	rig_stop(&r);
}

Test(uart, stop_parity_and_word_length_lengthen_the_frame)
{
	static const struct {
		uint8_t lcr;
		unsigned half_bits;
	} frame[] = {{0x00, 14}, {0x04, 15}, {0x03, 20},
		     {0x07, 22}, {0x0B, 22}, {0x0F, 24}};

	for (unsigned i = 0; i < ARRAY_LEN(frame); i++) {
		struct rig r;

		start(&r, 3);
		out(&r, LCR, frame[i].lcr);
		out(&r, RBR_THR, 'x');
		cr_expect_eq(evq_next(machine_evq(r.m)),
			     (frame[i].half_bits * 24 * PS_PER_S + 1843199) /
				     1843200,
			     "LCR %02x", frame[i].lcr);
		rig_stop(&r);
	}
}

Test(uart, back_to_back_frames_do_not_drift)
{
	struct rig r;

	start(&r, 1);
	out(&r, IIR_FCR, 1);
	for (unsigned i = 0; i < 9; i++)
		out(&r, RBR_THR, (uint8_t)('0' + i));
	rig_run(&r, PS_PER_MS);
	cr_assert_eq(r.console_count, 9);
	cr_expect_str_eq(r.console, "012345678");
	/* 9 frames of 86.8055... us are 781.25 us to the picosecond. */
	cr_expect_eq(r.console_when[8], 781250000);
	rig_stop(&r);
}

Test(uart, a_faster_crystal_scales_all_rates)
{
	struct rig r;

	rig_serial_start(&r, 16000000);
	out(&r, LCR, 0x83);
	out(&r, RBR_THR, 2);
	out(&r, IER, 0);
	out(&r, LCR, 0x03);
	out(&r, RBR_THR, 'A');
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(r.console_when[0], 20 * PS_PER_US);
	rig_stop(&r);
}

Test(uart, lsr_follows_holding_and_shift_register)
{
	struct rig r;

	start(&r, 1);
	cr_expect_eq(in(&r, LSR), 0x60);
	out(&r, RBR_THR, 'a'); /* straight on to the shift register */
	cr_expect_eq(in(&r, LSR), 0x20);
	out(&r, RBR_THR, 'b');
	cr_expect_eq(in(&r, LSR), 0x00);
	rig_run(&r, 90 * PS_PER_US);
	cr_expect_eq(in(&r, LSR), 0x20);
	rig_run(&r, 90 * PS_PER_US);
	cr_expect_eq(in(&r, LSR), 0x60);
	cr_expect_str_eq(r.console, "ab");
	rig_stop(&r);
}

Test(uart, fifo_takes_sixteen_and_loses_what_is_more)
{
	struct rig r;

	start(&r, 1);
	out(&r, IIR_FCR, 1);
	for (unsigned i = 0; i < 18; i++)
		out(&r, RBR_THR, (uint8_t)('a' + i));
	cr_expect_eq(r.odds, 1);
	rig_run(&r, 2 * PS_PER_MS);
	cr_expect_str_eq(r.console, "abcdefghijklmnopq");
	rig_stop(&r);
}

Test(uart, thre_interrupt_comes_at_enable_and_when_empty_and_iir_clears_it)
{
	struct rig r;

	start(&r, 1);
	cr_expect_eq(in(&r, IIR_FCR), 0x01);
	out(&r, IER, 2);
	cr_expect_eq(interrupt(&r), 0x54);
	cr_expect_eq(in(&r, IIR_FCR), 0x02);
	cr_expect_eq(in(&r, IIR_FCR), 0x01, "reading resets it");
	out(&r, RBR_THR, 'a');
	cr_expect_eq(interrupt(&r), 0x54, "moved on at once");
	out(&r, RBR_THR, 'b'); /* stays: resets the interrupt */
	cr_expect_eq(in(&r, IIR_FCR), 0x01);
	rig_run(&r, 87 * PS_PER_US);
	cr_expect_eq(interrupt(&r), 0x54);
	rig_stop(&r);
}

Test(uart, out2_gates_the_interrupt)
{
	struct rig r;

	start(&r, 1);
	out(&r, MCR, 0x03);
	out(&r, IER, 2);
	cr_expect_eq(interrupt(&r), -1);
	cr_expect_eq(in(&r, IIR_FCR), 0x02);
	rig_stop(&r);
}

Test(uart, received_data_interrupts_at_the_trigger_level_or_by_timeout)
{
	struct rig r;
	struct device *u;

	start(&r, 1);
	u = machine_device(r.m, "uart0");
	out(&r, IIR_FCR, 0x41); /* trigger at 4 */
	out(&r, IER, 1);
	for (unsigned i = 0; i < 3; i++)
		cr_expect(uart16550_receive(u, (uint8_t)('x' + i)));
	cr_expect_eq(interrupt(&r), -1);
	rig_run(&r, 347 * PS_PER_US); /* four frames are 347.2 us */
	cr_expect_eq(interrupt(&r), -1);
	rig_run(&r, PS_PER_US);
	cr_expect_eq(interrupt(&r), 0x54);
	cr_expect_eq(in(&r, IIR_FCR), 0xCC);
	cr_expect_eq(in(&r, RBR_THR), 'x');
	cr_expect_eq(in(&r, IIR_FCR), 0xC1);
	uart16550_receive(u, '1');
	uart16550_receive(u, '2');
	cr_expect_eq(interrupt(&r), 0x54);
	cr_expect_eq(in(&r, IIR_FCR), 0xC4);
	cr_expect_eq(in(&r, RBR_THR), 'y');
	cr_expect_eq(in(&r, RBR_THR), 'z');
	cr_expect_eq(in(&r, RBR_THR), '1');
	cr_expect_eq(in(&r, LSR), 0x61);
	cr_expect_eq(in(&r, RBR_THR), '2');
	cr_expect_eq(in(&r, LSR), 0x60);
	rig_stop(&r);
}

Test(uart, overrun_is_told_once_by_the_lsr)
{
	struct rig r;
	struct device *u;

	start(&r, 1);
	u = machine_device(r.m, "uart0");
	cr_expect(uart16550_receive(u, 'a'));
	cr_expect_not(uart16550_receive(u, 'b'));
	out(&r, IER, 4);
	cr_expect_eq(in(&r, IIR_FCR), 0x06);
	cr_expect_eq(in(&r, LSR), 0x63);
	cr_expect_eq(in(&r, LSR), 0x61);
	cr_expect_eq(in(&r, IIR_FCR), 0x01);
	cr_expect_eq(in(&r, RBR_THR), 'b', "without FIFOs the newer one");
	rig_stop(&r);
}

Test(uart, loop_mode_receives_what_it_sends)
{
	struct rig r;

	start(&r, 1);
	cr_expect_eq(in(&r, MSR), 0xB0);
	out(&r, MCR, 0x1A); /* loop, OUT2, RTS */
	cr_expect_eq(in(&r, MSR) & 0xF0, 0x90);
	out(&r, RBR_THR, 0x5A);
	rig_run(&r, 90 * PS_PER_US);
	cr_expect_eq(r.console_count, 0);
	cr_expect_eq(in(&r, LSR), 0x61);
	cr_expect_eq(in(&r, RBR_THR), 0x5A);
	rig_stop(&r);
}

Test(uart, registers_keep_what_is_written)
{
	struct rig r;

	start(&r, 0x123);
	out(&r, SCR, 0xA5);
	cr_expect_eq(in(&r, SCR), 0xA5);
	out(&r, IER, 0xFF);
	cr_expect_eq(in(&r, IER), 0x0F);
	out(&r, LCR, 0x80);
	cr_expect_eq(in(&r, RBR_THR), 0x23);
	cr_expect_eq(in(&r, IER), 0x01);
	out(&r, LSR, 0);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(uart, without_a_divisor_it_waits_for_one)
{
	struct rig r;

	start(&r, 0);
	out(&r, RBR_THR, 'w');
	rig_run(&r, PS_PER_S);
	cr_expect_eq(r.console_count, 0);
	cr_expect_eq(r.odds, 1);
	out(&r, LCR, 0x83);
	out(&r, RBR_THR, 1);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(r.console_count, 1);
	rig_stop(&r);
}

/* --- what comes from outside --- */

static size_t type(struct rig *r, unsigned serial, const char *text)
{
	return machine_serial_input(r->m, serial, (const uint8_t *)text,
				    strlen(text));
}

Test(uart, input_comes_at_the_bit_rate)
{
	struct rig r;

	start(&r, 1); /* a frame takes 86.8 us */
	out(&r, IIR_FCR, 1);
	cr_expect_eq(type(&r, 0, "abc"), 3);
	rig_run(&r, 86 * PS_PER_US);
	cr_expect_eq(in(&r, LSR), 0x60);
	rig_run(&r, PS_PER_US);
	cr_expect_eq(in(&r, LSR), 0x61);
	cr_expect_eq(in(&r, RBR_THR), 'a');
	rig_run(&r, 86 * PS_PER_US);
	cr_expect_eq(in(&r, LSR), 0x60);
	rig_run(&r, 88 * PS_PER_US);
	cr_expect_eq(in(&r, RBR_THR), 'b');
	cr_expect_eq(in(&r, RBR_THR), 'c');
	cr_expect_eq(in(&r, LSR), 0x60);
	rig_stop(&r);
}

Test(uart, input_waits_for_a_slow_guest)
{
	struct rig r;

	start(&r, 1);
	cr_expect_eq(type(&r, 0, "abc"), 3);
	rig_run(&r, PS_PER_MS); /* without FIFOs there is room for one */
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	cr_expect_eq(in(&r, RBR_THR), 'a');
	cr_expect_eq(in(&r, LSR), 0x60, "no overrun");
	rig_run(&r, 87 * PS_PER_US);
	cr_expect_eq(in(&r, RBR_THR), 'b');
	out(&r, MCR, 0x10); /* loop: SIN is disconnected */
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(in(&r, LSR), 0x60);
	out(&r, MCR, 0);
	rig_run(&r, 87 * PS_PER_US);
	cr_expect_eq(in(&r, RBR_THR), 'c');
	rig_stop(&r);
}

Test(uart, far_end_holds_4096_bytes)
{
	static char text[5000];
	struct rig r;

	memset(text, 'x', sizeof(text) - 1);
	start(&r, 1);
	cr_expect_eq(type(&r, 0, text), 4096);
	cr_expect_eq(type(&r, 0, "y"), 0);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(type(&r, 0, "yz"), 1);
	for (unsigned i = 0; i < 4096; i++) {
		cr_assert_eq(in(&r, RBR_THR), 'x');
		rig_run(&r, 87 * PS_PER_US);
	}
	cr_expect_eq(in(&r, RBR_THR), 'y');
	cr_expect_eq(type(&r, 2, "x"), 0, "there is no such line");
	rig_stop(&r);
}

Test(uart, second_one_is_com2)
{
	struct rig r;

	start(&r, 1);
	rig_out(&r, 0x2FB, 1, 0x83);
	rig_out(&r, 0x2F8, 1, 1);
	rig_out(&r, 0x2F9, 1, 0);
	rig_out(&r, 0x2FB, 1, 0x03);
	rig_out(&r, 0x2F8, 1, '2');
	cr_expect_eq(type(&r, 1, "in"), 2);
	rig_run(&r, 87 * PS_PER_US);
	cr_expect_str_eq(r.console, "");
	cr_expect_str_eq(r.console1, "2");
	cr_expect_eq(rig_in(&r, 0x2F8, 1), 'i');
	rig_stop(&r);
}

Test(uart, characters_get_lost_on_the_line)
{
	struct rig r;
	struct error err;

	start(&r, 1);
	cr_expect(device_fault(machine_device(r.m, "uart0"), "lost", 2, &err));
	cr_expect_eq(type(&r, 0, "abcd"), 4);
	rig_run(&r, 3 * 87 * PS_PER_US);
	cr_expect_eq(in(&r, RBR_THR), 'c');
	rig_run(&r, 87 * PS_PER_US);
	cr_expect_eq(in(&r, RBR_THR), 'd');
	rig_stop(&r);
}

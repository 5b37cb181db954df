/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard controller as a driver probes and uses it. */
#include "devices/i8042.h"

#include <string.h>

#include "devices/lapic.h"
#include "devices/ps2.h"
#include "harness.h"

#define BYTE I8042_BYTE_PS

static uint8_t status(struct rig *r)
{
	return (uint8_t)rig_in(r, 0x64, 1);
}

static void command(struct rig *r, uint8_t value)
{
	rig_out(r, 0x64, 1, value);
}

static void data(struct rig *r, uint8_t value)
{
	rig_out(r, 0x60, 1, value);
}

static struct device *kbc(struct rig *r)
{
	return machine_device(r->m, "kbc0");
}

/* The next byte, waited for at most a second; -1: none comes.  Bytes of the
 * mouse have bit 8 set. */
static int next(struct rig *r)
{
	for (unsigned i = 0; i < 100; i++) {
		ps_t when = evq_next(machine_evq(r->m));

		if (status(r) & 1) {
			int mouse = status(r) & 0x20 ? 0x100 : 0;

			return mouse | (int)rig_in(r, 0x60, 1);
		}
		if (when > rig_now(r) + PS_PER_S)
			break;
		rig_run_to(r, when);
	}
	return -1;
}

static void expect(struct rig *r, const char *what, const int *bytes,
		   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int got = next(r);

		cr_expect_eq(got, bytes[i], "%s, byte %zu: %x, not %x", what, i,
			     (unsigned)got, (unsigned)bytes[i]);
	}
	cr_expect_eq(next(r), -1, "%s: no more", what);
}

#define EXPECT(r, what, ...)                                                   \
	expect(r, what, (const int[]){__VA_ARGS__},                            \
	       ARRAY_LEN(((const int[]){__VA_ARGS__})))

static void start(struct rig *r)
{
	rig_start(r, 1);
	rig_lapic_on(r);
	rig_ioapic_entry(r, 1, 0x41);
	rig_ioapic_entry(r, 12, 0x4C);
}

static int interrupt(struct rig *r)
{
	int vector = lapic_ack(r->m, 0);

	if (vector >= 0)
		rig_write(r, RIG_LAPIC + 0xB0, 4, 0);
	return vector;
}

static void mouse(struct rig *r, uint8_t byte)
{
	command(r, 0xD4);
	data(r, byte);
}

Test(i8042, answers_a_driver_that_probes)
{
	struct rig r;

	start(&r);
	cr_expect_eq(status(&r), 0x14);
	command(&r, 0xAA);
	cr_expect_eq(status(&r), 0x1C, "a command; nothing there");
	rig_run(&r, I8042_SELF_PS - 1);
	cr_expect_eq(status(&r) & 1, 0);
	rig_run(&r, 1);
	cr_expect_eq(status(&r) & 1, 1);
	EXPECT(&r, "self test", 0x55);
	command(&r, 0x20);
	EXPECT(&r, "command byte", 0x47);
	command(&r, 0xAB);
	EXPECT(&r, "keyboard's line", 0x00);
	command(&r, 0xA9);
	EXPECT(&r, "mouse's line", 0x00);
	command(&r, 0xD0);
	EXPECT(&r, "output port", 0x03);
	command(&r, 0x65);
	data(&r, 0x5A);
	command(&r, 0x25);
	EXPECT(&r, "RAM", 0x5A);
	command(&r, 0xD3);
	data(&r, 0xA5);
	EXPECT(&r, "loop to the mouse's side", 0x1A5);
	command(&r, 0xD2);
	data(&r, 0x5A);
	EXPECT(&r, "loop to the keyboard's side", 0x5A);
	cr_expect_eq(r.odds, 0);
	command(&r, 0x00);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(i8042, ports_are_switched_by_their_bits)
{
	struct rig r;
	struct error err = {0};

	start(&r);
	command(&r, 0xAD);
	command(&r, 0xA7);
	command(&r, 0x20);
	EXPECT(&r, "both off", 0x77);
	cr_expect(i8042_press(kbc(&r), "a", &err));
	cr_expect_eq(next(&r), -1);
	command(&r, 0xAE);
	EXPECT(&r, "a, let through", 0x1E, 0x9E);
	command(&r, 0xA8);
	command(&r, 0x20);
	EXPECT(&r, "both on", 0x47);
	command(&r, 0xAD);
	data(&r, 0xEE);
	EXPECT(&r, "writing to the keyboard switches it on", 0xEE);
	rig_stop(&r);
}

Test(i8042, a_keyboard_says_who_it_is)
{
	struct rig r;

	start(&r);
	data(&r, 0xF2);
	EXPECT(&r, "translated", 0xFA, 0xAB, 0x41);
	command(&r, 0x60);
	data(&r, 0x07);
	data(&r, 0xF2);
	EXPECT(&r, "as it is", 0xFA, 0xAB, 0x83);
	data(&r, 0xF0);
	data(&r, 0x00);
	EXPECT(&r, "scan code set", 0xFA, 0xFA, 0x02);
	data(&r, 0xF0);
	data(&r, 0x03);
	EXPECT(&r, "set 3 is refused", 0xFA, 0xFE);
	data(&r, 0xED);
	data(&r, 0x07);
	EXPECT(&r, "LEDs", 0xFA, 0xFA);
	data(&r, 0xF3);
	data(&r, 0x00);
	EXPECT(&r, "rate", 0xFA, 0xFA);
	data(&r, 0x01);
	EXPECT(&r, "no command", 0xFE);
	data(&r, 0xEE);
	EXPECT(&r, "echo", 0xEE);
	data(&r, 0xFE);
	EXPECT(&r, "again", 0xEE);
	rig_stop(&r);
}

Test(i8042, a_reset_device_tests_itself)
{
	struct rig r;
	ps_t at;

	start(&r);
	data(&r, 0xFF);
	cr_expect_eq(next(&r), 0xFA);
	cr_expect_eq(rig_now(&r), BYTE);
	cr_expect_eq(next(&r), 0xAA);
	cr_expect_eq(rig_now(&r), PS2_SELF_TEST_PS + BYTE);
	/* While the keyboard is busy, the mouse is not. */
	data(&r, 0xFF);
	cr_expect_eq(next(&r), 0xFA);
	at = rig_now(&r);
	mouse(&r, 0xF2);
	cr_expect_eq(next(&r), 0x1FA);
	cr_expect_eq(rig_now(&r), at + BYTE);
	cr_expect_eq(next(&r), 0x100);
	cr_expect_eq(next(&r), 0xAA);
	/* What the mouse was about to send is no reason to be early. */
	mouse(&r, 0xF4);
	cr_expect_eq(next(&r), 0x1FA);
	at = rig_now(&r);
	data(&r, 0xFF);
	cr_expect_eq(next(&r), 0xFA);
	i8042_mouse(kbc(&r), 1, 1, 0, 0);
	command(&r, 0xA7);
	cr_expect_eq(next(&r), 0xAA);
	cr_expect_eq(rig_now(&r), at + PS2_SELF_TEST_PS + BYTE);
	mouse(&r, 0xFF);
	EXPECT(&r, "mouse", 0x1FA, 0x1AA, 0x100);
	rig_stop(&r);
}

Test(i8042, keys_interrupt_at_the_pace_of_the_wire)
{
	struct rig r;
	struct error err = {0};

	start(&r);
	cr_assert(i8042_press(kbc(&r), "a", &err));
	rig_run_to(&r, BYTE - 1);
	cr_expect_eq(interrupt(&r), -1);
	rig_run_to(&r, BYTE);
	cr_expect_eq(interrupt(&r), 0x41);
	cr_expect_eq(interrupt(&r), -1);
	rig_run(&r, PS_PER_S);
	cr_expect_eq(interrupt(&r), -1, "the buffer is full");
	cr_expect_eq(rig_in(&r, 0x60, 1), 0x1E);
	/* A break code takes two bytes on the wire. */
	rig_run(&r, 2 * BYTE - 1);
	cr_expect_eq(interrupt(&r), -1);
	rig_run(&r, 1);
	cr_expect_eq(interrupt(&r), 0x41);
	cr_expect_eq(rig_in(&r, 0x60, 1), 0x9E);
	command(&r, 0x60);
	data(&r, 0x46);
	cr_assert(i8042_press(kbc(&r), "a", &err));
	rig_run(&r, BYTE);
	cr_expect_eq(interrupt(&r), -1, "switched off");
	cr_expect_eq(status(&r) & 1, 1);
	rig_stop(&r);
}

Test(i8042, chords_and_texts_become_scan_codes)
{
	struct rig r;
	struct error err = {0};

	start(&r);
	cr_assert(i8042_press(kbc(&r), "ctrl-alt-delete", &err));
	EXPECT(&r, "set 1", 0x1D, 0x38, 0xE0, 0x53, 0xE0, 0xD3, 0xB8, 0x9D);
	cr_assert(i8042_type(kbc(&r), "aB?\n", &err));
	EXPECT(&r, "text", 0x1E, 0x9E, 0x2A, 0x30, 0xB0, 0xAA, 0x2A, 0x35, 0xB5,
	       0xAA, 0x1C, 0x9C);
	command(&r, 0x60);
	data(&r, 0x07);
	cr_assert(i8042_press(kbc(&r), "f7", &err));
	EXPECT(&r, "set 2", 0x83, 0xF0, 0x83);
	cr_expect_not(i8042_press(kbc(&r), "ctrl-hyper", &err));
	cr_expect(strstr(err.text, "no such key"), "%s", err.text);
	cr_expect_not(i8042_type(kbc(&r), "\x01", &err));
	cr_expect(strstr(err.text, "01h"), "%s", err.text);
	/* Keys that nobody reads. */
	data(&r, 0xF5);
	cr_expect_eq(next(&r), 0xFA);
	for (unsigned i = 0; i < PS2_TYPED; i++) {
		if (!i8042_press(kbc(&r), "a", &err))
			break;
	}
	cr_expect(strstr(err.text, "let it run"), "%s", err.text);
	cr_expect_eq(next(&r), -1, "not scanning");
	data(&r, 0xF4);
	cr_expect_eq(next(&r), 0xFA);
	cr_expect_eq(next(&r), 0x1C, "it had waited");
	rig_stop(&r);
}

Test(i8042, a_mouse_tells_movement_and_buttons)
{
	struct rig r;

	start(&r);
	i8042_mouse(kbc(&r), 3, -2, 0, 0);
	cr_expect_eq(next(&r), -1, "not reporting");
	mouse(&r, 0xF4);
	EXPECT(&r, "what had added up", 0x1FA, 0x128, 0x103, 0x1FE);
	rig_run(&r, PS_PER_MS);
	(void)interrupt(&r);
	i8042_mouse(kbc(&r), -300, 0, 0, 1);
	rig_run(&r, BYTE);
	cr_expect_eq(interrupt(&r), 0x4C);
	EXPECT(&r, "more than a packet holds", 0x119, 0x101, 0x100, 0x119,
	       0x1D3, 0x100);
	i8042_mouse(kbc(&r), 0, 0, 5, 1);
	cr_expect_eq(next(&r), -1, "no wheel");
	mouse(&r, 0xE7);
	cr_expect_eq(next(&r), 0x1FA);
	i8042_mouse(kbc(&r), 4, -10, 0, 1);
	EXPECT(&r, "scaled 2:1", 0x129, 0x106, 0x1EC);
	mouse(&r, 0xE9);
	EXPECT(&r, "status", 0x1FA, 0x134, 0x102, 0x164);
	rig_stop(&r);
}

Test(i8042, a_mouse_grows_a_wheel_when_knocked)
{
	static const uint8_t knock[] = {200, 80, 200, 200, 100, 80};
	struct rig r;

	start(&r);
	for (unsigned i = 0; i < ARRAY_LEN(knock); i++) {
		mouse(&r, 0xF2);
		EXPECT(&r, "plain", 0x1FA, 0x100);
		mouse(&r, 0xF3);
		mouse(&r, knock[i]);
		EXPECT(&r, "rate", 0x1FA, 0x1FA);
	}
	mouse(&r, 0xF2);
	EXPECT(&r, "wheel", 0x1FA, 0x103);
	mouse(&r, 0xF4);
	cr_expect_eq(next(&r), 0x1FA);
	i8042_mouse(kbc(&r), 0, 0, -1, 4);
	EXPECT(&r, "packet", 0x10C, 0x100, 0x100, 0x1FF);
	mouse(&r, 0xF0);
	cr_expect_eq(next(&r), 0x1FA);
	i8042_mouse(kbc(&r), 1, 1, 0, 0);
	cr_expect_eq(next(&r), -1, "remote");
	mouse(&r, 0xEB);
	EXPECT(&r, "asked for", 0x1FA, 0x108, 0x101, 0x101, 0x100);
	mouse(&r, 0xEE);
	cr_expect_eq(next(&r), 0x1FA);
	mouse(&r, 0x12);
	EXPECT(&r, "wrap", 0x112);
	mouse(&r, 0xEC);
	EXPECT(&r, "unwrap", 0x1FA);
	rig_stop(&r);
}

Test(i8042, bytes_get_lost_on_the_way)
{
	struct rig r;
	struct error err;

	start(&r);
	cr_expect(device_fault(kbc(&r), "lost", 1, &err));
	mouse(&r, 0xF4); /* its acknowledgement is lost */
	cr_expect_eq(next(&r), -1);
	i8042_mouse(kbc(&r), 1, 2, 0, 0);
	EXPECT(&r, "whole", 0x108, 0x101, 0x102);
	cr_expect(device_fault(kbc(&r), "lost", 2, &err));
	i8042_mouse(kbc(&r), 3, 4, 0, 0);
	EXPECT(&r, "the last byte", 0x104);
	rig_stop(&r);
}

Test(i8042, resets_the_platform_by_three_ways)
{
	static const struct {
		uint16_t port;
		uint8_t value, then;
	} way[] = {{0x64, 0xFE, 0}, {0x64, 0xD1, 0x02}, {0x92, 0x03, 0}};

	for (unsigned i = 0; i < ARRAY_LEN(way); i++) {
		struct rig r;

		start(&r);
		rig_out(&r, 0x92, 1, 0x02);
		rig_out(&r, 0x64, 1, 0xFF);
		cr_expect_eq(machine_run(r.m, rig_now(&r)), MACHINE_UNTIL);
		rig_out(&r, way[i].port, 1, way[i].value);
		if (way[i].then)
			data(&r, way[i].then);
		cr_expect_eq(machine_run(r.m, PS_PER_US), MACHINE_RESET,
			     "way %u", i);
		rig_stop(&r);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA keeps its registers, puts bytes into planes as the graphics
 * controller says, and shows linear modes. */
#include "devices/vga.h"

#include <string.h>

#include "harness.h"

#define ECAM   UINT64_C(0xB0008000) /* 00:01.0 */
#define LINEAR UINT64_C(0xD0000000)
#define MMIO   UINT64_C(0xC0010000)
#define WINDOW UINT64_C(0xA0000)
#define TEXT   UINT64_C(0xB8000)

#define DISPI_INDEX 0x1CE
#define DISPI_DATA  0x1CF

static void seq(struct rig *r, unsigned i, unsigned value)
{
	rig_out(r, 0x3C4, 2, value << 8 | i);
}

static void gc(struct rig *r, unsigned i, unsigned value)
{
	rig_out(r, 0x3CE, 2, value << 8 | i);
}

static void dispi(struct rig *r, unsigned i, unsigned value)
{
	rig_out(r, DISPI_INDEX, 2, i);
	rig_out(r, DISPI_DATA, 2, value);
}

static unsigned dispi_get(struct rig *r, unsigned i)
{
	rig_out(r, DISPI_INDEX, 2, i);
	return rig_in(r, DISPI_DATA, 2);
}

/* Byte p of plane address a. */
static unsigned plane(struct rig *r, unsigned a, unsigned p)
{
	return (unsigned)rig_read(r, LINEAR + 4 * a + p, 1);
}

/* As mode 12h: four planes at A0000. */
static void planar(struct rig *r)
{
	rig_start(r, 1);
	seq(r, 2, 0x0F);
	seq(r, 4, 0x06);
	gc(r, 5, 0x00);
	gc(r, 6, 0x05);
	for (unsigned a = 0; a < 8; a++)
		rig_write(r, LINEAR + 4 * a, 4, 0);
}

Test(vga, is_a_pci_function_with_two_bars_and_no_interrupt)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(rig_read(&r, ECAM, 4), 0x11111234);
	cr_expect_eq(rig_read(&r, ECAM + 4, 2), 0x0003, "I/O and memory");
	cr_expect_eq(rig_read(&r, ECAM + 8, 4) >> 8, 0x030000);
	cr_expect_eq(rig_read(&r, ECAM + 0x10, 4), LINEAR | 0xC);
	cr_expect_eq(rig_read(&r, ECAM + 0x18, 4), MMIO | 0x4);
	cr_expect_eq(rig_read(&r, ECAM + 0x3D, 1), 0);
	rig_write(&r, ECAM + 0x10, 4, 0xFFFFFFFF);
	cr_expect_eq(rig_read(&r, ECAM + 0x10, 4), 0xFF00000C, "16 MiB");
	rig_stop(&r);
}

Test(vga, decodes_what_the_command_register_says)
{
	struct rig r;

	rig_start(&r, 1);
	rig_write(&r, ECAM + 4, 2, 0x0002);
	cr_expect_eq(rig_in(&r, 0x3CC, 1), 0xFF);
	rig_out(&r, 0x3C2, 1, 0x63);
	cr_expect_eq(r.odds, 1);
	rig_write(&r, ECAM + 4, 2, 0x0001);
	cr_expect_eq(rig_in(&r, 0x3CC, 1), 0x67, "the write was not seen");
	cr_expect_eq(rig_read(&r, TEXT, 1), 0xFF);
	rig_write(&r, ECAM + 4, 2, 0x0003);
	cr_expect_eq(rig_read(&r, TEXT, 2), 0x0720);
	rig_stop(&r);
}

Test(vga, firmware_leaves_text_mode_3_with_a_font)
{
	struct rig r;
	uint8_t any = 0;

	rig_start(&r, 1);
	cr_expect_eq(rig_in(&r, 0x3CC, 1), 0x67);
	rig_out(&r, 0x3D4, 1, 0x01);
	cr_expect_eq(rig_in(&r, 0x3D5, 1), 79);
	cr_expect_eq(rig_read(&r, TEXT + 2 * 1999, 2), 0x0720);
	rig_write(&r, TEXT + 4, 2, 0x1F41);
	cr_expect_eq(rig_read(&r, TEXT + 4, 2), 0x1F41);
	cr_expect_eq(plane(&r, 2, 0), 'A');
	cr_expect_eq(plane(&r, 2, 1), 0x1F);
	for (unsigned y = 0; y < 16; y++)
		any |= (uint8_t)plane(&r, 'A' * 32 + y, 2);
	cr_expect_neq(any, 0);
	cr_expect_eq(rig_read(&r, WINDOW, 1), 0xFF, "not in this window");
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(vga, indexed_registers_keep_the_bits_they_have)
{
	struct rig r;

	rig_start(&r, 1);
	seq(&r, 1, 0xFF);
	cr_expect_eq(rig_in(&r, 0x3C5, 1), 0x3D);
	gc(&r, 5, 0xFF);
	cr_expect_eq(rig_in(&r, 0x3CE, 2), 0x7B05, "a word: index and data");
	rig_out(&r, 0x3CE, 1, 0x0F);
	cr_expect_eq(rig_in(&r, 0x3CF, 1), 0);
	rig_out(&r, 0x3C2, 1, 0xFF);
	cr_expect_eq(rig_in(&r, 0x3CC, 1), 0xEF);
	rig_stop(&r);
}

Test(vga, the_crt_controller_protects_its_first_registers)
{
	struct rig r;

	rig_start(&r, 1);
	rig_out(&r, 0x3D4, 2, 0x1111 | 0x8000);
	rig_out(&r, 0x3D4, 2, 0x0000);
	rig_out(&r, 0x3D4, 1, 0x00);
	cr_expect_eq(rig_in(&r, 0x3D5, 1), 0x5F);
	rig_out(&r, 0x3D4, 2, 0x0007);
	rig_out(&r, 0x3D4, 1, 0x07);
	cr_expect_eq(rig_in(&r, 0x3D5, 1), 0x0F, "bit 4 alone");
	rig_out(&r, 0x3D4, 2, 0x0011);
	rig_out(&r, 0x3D4, 2, 0x1200);
	rig_out(&r, 0x3D4, 1, 0x00);
	cr_expect_eq(rig_in(&r, 0x3D5, 1), 0x12);
	rig_stop(&r);
}

Test(vga, the_crt_controller_moves_with_the_colour_bit)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(rig_in(&r, 0x3B4, 1), 0xFF);
	rig_out(&r, 0x3C2, 1, 0x66);
	rig_out(&r, 0x3B4, 2, 0x340E);
	cr_expect_eq(rig_in(&r, 0x3B5, 1), 0x34);
	cr_expect_eq(rig_in(&r, 0x3D5, 1), 0xFF);
	rig_stop(&r);
}

Test(vga, the_attribute_controller_takes_index_and_data_in_turn)
{
	struct rig r;

	rig_start(&r, 1);
	rig_in(&r, 0x3DA, 1);
	rig_out(&r, 0x3C0, 1, 0x13);
	rig_out(&r, 0x3C0, 1, 0xFF);
	cr_expect_eq(rig_in(&r, 0x3C1, 1), 0x0F);
	rig_out(&r, 0x3C0, 1, 0x01);
	rig_in(&r, 0x3DA, 1); /* an index is next again */
	rig_out(&r, 0x3C0, 1, 0x20);
	cr_expect_eq(rig_in(&r, 0x3C0, 1), 0x20);
	cr_expect_eq(rig_in(&r, 0x3C1, 1), 0x00);
	rig_stop(&r);
}

Test(vga, the_palette_counts_through_its_components)
{
	struct rig r;

	rig_start(&r, 1);
	rig_out(&r, 0x3C8, 1, 5);
	for (unsigned i = 0; i < 6; i++)
		rig_out(&r, 0x3C9, 1, 0xC1 + i);
	cr_expect_eq(rig_in(&r, 0x3C8, 1), 7);
	cr_expect_eq(rig_in(&r, 0x3C7, 1), 0);
	rig_out(&r, 0x3C7, 1, 5);
	cr_expect_eq(rig_in(&r, 0x3C7, 1), 3);
	for (unsigned i = 0; i < 6; i++)
		cr_expect_eq(rig_in(&r, 0x3C9, 1), 1 + i, "6 bits");
	rig_stop(&r);
}

/* 31.47 kHz and 70.09 Hz: 25.175 MHz over 100 characters of 8 dots here, 449
 * lines. */
Test(vga, the_retrace_follows_virtual_time)
{
	struct rig r;
	unsigned begins = 0, in = 0;
	bool was = false;
	const unsigned steps = 50000;

	rig_start(&r, 1);
	rig_out(&r, 0x3C2, 1, 0x63);
	seq(&r, 1, 0x01);
	for (unsigned i = 0; i < steps; i++) {
		unsigned status = rig_in(&r, 0x3DA, 1);
		bool is = status & 8;

		begins += is && !was;
		in += is;
		cr_assert(!is || (status & 1), "not shown during retrace");
		was = is;
		rig_run(&r, PS_PER_S / steps);
	}
	cr_expect_eq(begins, 70);
	/* Lines 412 and 413 of 449. */
	cr_expect(in > steps * 2 / 449 * 9 / 10 &&
			  in < steps * 2 / 449 * 11 / 10,
		  "%u", in);
	rig_stop(&r);
}

Test(vga, write_mode_0_sets_rotates_combines_and_masks)
{
	struct rig r;

	planar(&r);
	rig_write(&r, WINDOW, 1, 0x5A);
	cr_expect_eq(rig_read(&r, LINEAR, 4), 0x5A5A5A5A);
	seq(&r, 2, 0x05);
	rig_write(&r, WINDOW, 1, 0xFF);
	cr_expect_eq(rig_read(&r, LINEAR, 4), 0x5AFF5AFF);
	seq(&r, 2, 0x0F);
	gc(&r, 0, 0x02); /* plane 1 set, plane 0 reset */
	gc(&r, 1, 0x03);
	gc(&r, 3, 0x04);
	rig_write(&r, WINDOW + 1, 1, 0x1F);
	cr_expect_eq(rig_read(&r, LINEAR + 4, 4), 0xF1F1FF00);
	gc(&r, 1, 0x00);
	gc(&r, 3, 0x18); /* exclusive or */
	gc(&r, 8, 0xF0);
	cr_expect_eq(rig_read(&r, WINDOW, 1), 0xFF, "the latches");
	rig_write(&r, WINDOW + 2, 1, 0xFF);
	cr_expect_eq(rig_read(&r, LINEAR + 8, 4), 0xAA0FAA0F);
	rig_stop(&r);
}

Test(vga, write_mode_1_copies_the_latches)
{
	struct rig r;

	planar(&r);
	rig_write(&r, LINEAR, 4, 0x44332211);
	gc(&r, 5, 0x01);
	rig_read(&r, WINDOW, 1);
	rig_write(&r, WINDOW + 3, 1, 0);
	cr_expect_eq(rig_read(&r, LINEAR + 12, 4), 0x44332211);
	rig_stop(&r);
}

Test(vga, write_mode_2_spreads_a_colour)
{
	struct rig r;

	planar(&r);
	rig_write(&r, LINEAR, 4, 0xFFFFFFFF);
	gc(&r, 5, 0x02);
	gc(&r, 8, 0x81);
	rig_read(&r, WINDOW, 1);
	rig_write(&r, WINDOW, 1, 0x6);
	cr_expect_eq(rig_read(&r, LINEAR, 4), 0x7EFFFF7E);
	rig_stop(&r);
}

Test(vga, write_mode_3_takes_the_data_as_mask)
{
	struct rig r;

	planar(&r);
	gc(&r, 5, 0x03);
	gc(&r, 0, 0x09);
	gc(&r, 8, 0x3F);
	rig_read(&r, WINDOW, 1);
	rig_write(&r, WINDOW, 1, 0xF1);
	cr_expect_eq(rig_read(&r, LINEAR, 4), 0x31000031);
	rig_stop(&r);
}

Test(vga, read_mode_1_compares_colours)
{
	struct rig r;

	planar(&r);
	rig_write(&r, LINEAR, 4, 0x0F00FFF0);
	gc(&r, 4, 1);
	cr_expect_eq(rig_read(&r, WINDOW, 1), 0xFF, "read map 1");
	gc(&r, 5, 0x08);
	gc(&r, 7, 0x0F);
	gc(&r, 2, 0x03);
	cr_expect_eq(rig_read(&r, WINDOW, 1), 0xF0);
	gc(&r, 7, 0x07);
	gc(&r, 2, 0x02);
	cr_expect_eq(rig_read(&r, WINDOW, 1), 0x0F);
	rig_stop(&r);
}

Test(vga, chain_4_is_linear)
{
	struct rig r;

	planar(&r);
	seq(&r, 4, 0x0E);
	gc(&r, 5, 0x40);
	rig_write(&r, WINDOW + 0x101, 4, 0x44332211);
	cr_expect_eq(rig_read(&r, LINEAR + 0x101, 4), 0x44332211);
	cr_expect_eq(rig_read(&r, WINDOW + 0x102, 1), 0x22);
	seq(&r, 2, 0x01); /* plane 0 alone */
	rig_write(&r, WINDOW + 0x100, 4, 0x88776655);
	cr_expect_eq(rig_read(&r, LINEAR + 0x100, 4), 0x33221155);
	cr_expect_eq(r.odds, 0, "misaligned accesses are in order");
	rig_stop(&r);
}

Test(vga, dispi_tells_and_sets_a_mode)
{
	struct rig r;
	struct vga_linear mode;

	rig_start(&r, 1);
	cr_expect_eq(dispi_get(&r, 0), 0xB0C5);
	cr_expect_eq(dispi_get(&r, 10), 256);
	cr_expect_not(vga_linear(machine_device(r.m, "vga0"), &mode));
	dispi(&r, 4, 0x02);
	cr_expect_eq(dispi_get(&r, 1), 2560);
	cr_expect_eq(dispi_get(&r, 2), 1600);
	cr_expect_eq(dispi_get(&r, 3), 32);
	dispi(&r, 4, 0x00);
	dispi(&r, 1, 800);
	dispi(&r, 2, 600);
	dispi(&r, 3, 16);
	rig_write(&r, LINEAR + 800 * 600 * 2 - 4, 8, UINT64_MAX);
	dispi(&r, 4, 0x41);
	cr_expect_eq(rig_read(&r, LINEAR + 800 * 600 * 2 - 4, 8),
		     0xFFFFFFFF00000000, "the screen is cleared, no more");
	cr_expect_eq(dispi_get(&r, 6), 800);
	cr_expect_eq(dispi_get(&r, 7), 0x1000000 / 1600);
	dispi(&r, 6, 1024);
	dispi(&r, 9, 3);
	cr_assert(vga_linear(machine_device(r.m, "vga0"), &mode));
	cr_expect_eq(mode.base, LINEAR + 3 * 2048);
	cr_expect_eq(mode.pitch, 2048);
	cr_expect_eq(mode.width, 800);
	cr_expect_eq(mode.height, 600);
	cr_expect_eq(mode.depth, 16);
	cr_expect_eq(r.odds, 0);
	dispi(&r, 1, 640);
	cr_expect_eq(dispi_get(&r, 1), 800, "fixed while it is shown");
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(vga, dispi_refuses_what_it_has_not)
{
	static const unsigned mode[][3] = {
		{800, 600, 4}, {801, 600, 32}, {2568, 100, 8},
		{0, 600, 32},  {800, 1608, 8},
	};
	struct rig r;

	rig_start(&r, 1);
	for (unsigned i = 0; i < ARRAY_LEN(mode); i++) {
		for (unsigned k = 0; k < 3; k++)
			dispi(&r, 1 + k, mode[i][k]);
		dispi(&r, 4, 0x41);
		cr_expect_eq(dispi_get(&r, 4), 0x40, "%u", i);
		cr_expect_eq(r.odds, i + 1);
	}
	rig_stop(&r);
}

Test(vga, a_bank_shows_through_the_window)
{
	struct rig r;

	rig_start(&r, 1);
	dispi(&r, 1, 640);
	dispi(&r, 2, 480);
	dispi(&r, 3, 8);
	dispi(&r, 4, 0x01);
	dispi(&r, 5, 3);
	rig_write(&r, WINDOW + 0x123, 2, 0xBEEF);
	cr_expect_eq(rig_read(&r, LINEAR + 0x30123, 2), 0xBEEF);
	cr_expect_eq(rig_read(&r, TEXT, 1), 0xFF);
	rig_stop(&r);
}

Test(vga, bar_2_has_the_same_registers)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(rig_read(&r, MMIO + 0x500, 2), 0xB0C5);
	rig_write(&r, MMIO + 0x502, 2, 1024);
	cr_expect_eq(dispi_get(&r, 1), 1024);
	cr_expect_eq(rig_read(&r, MMIO + 0x40C, 1), 0x67);
	rig_write(&r, MMIO + 0x40E, 2, 0xA508);
	rig_out(&r, 0x3CE, 1, 8);
	cr_expect_eq(rig_in(&r, 0x3CF, 1), 0xA5);
	cr_expect_eq(rig_read(&r, MMIO, 1), 0, "no EDID");
	cr_expect_eq(r.odds, 0);
	rig_write(&r, MMIO + 0x600, 2, 0);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(vga, a_fault_turns_a_bit_over)
{
	struct rig r;
	struct error err = {0};
	struct device *vga;
	uint64_t before;

	rig_start(&r, 1);
	vga = machine_device(r.m, "vga0");
	before = machine_digest(r.m);
	cr_assert(device_fault(vga, "bit", 8 * 5 + 3, &err));
	cr_expect_eq(rig_read(&r, LINEAR + 5, 1), 0x07 ^ 0x08);
	cr_expect_neq(machine_digest(r.m), before);
	cr_expect_not(device_fault(vga, "bit", UINT64_C(1) << 27, &err));
	cr_expect(strstr(err.text, "vga0: bit 134217728 is beyond"));
	rig_stop(&r);
}

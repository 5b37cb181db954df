/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 8259 pair asks for the CPU in the order of its data sheet, and its INT
 * reaches the CPU by every way that a PC has.
 */
#include "devices/i8259.h"

#include "devices/isa.h"
#include "devices/lapic.h"
#include "harness.h"

#define MASTER 0x20
#define SLAVE  0xA0

static void out(struct rig *r, uint16_t port, uint8_t value)
{
	rig_out(r, port, 1, value);
}

static uint8_t in(struct rig *r, uint16_t port)
{
	return (uint8_t)rig_in(r, port, 1);
}

/* Initialises both as a kernel does: vectors 20h and 28h, nothing masked. */
static void init(struct rig *r, uint8_t master_icw4)
{
	out(r, MASTER, 0x11);
	out(r, MASTER + 1, 0x20);
	out(r, MASTER + 1, 0x04);
	out(r, MASTER + 1, master_icw4);
	out(r, SLAVE, 0x11);
	out(r, SLAVE + 1, 0x28);
	out(r, SLAVE + 1, 0x02);
	out(r, SLAVE + 1, 0x01);
}

static void start(struct rig *r)
{
	rig_start(r, 1);
	init(r, 0x01);
}

static void irq(struct rig *r, unsigned n, bool level)
{
	struct irq_line line;
	struct error err = {0};

	cr_assert(isa_irq_line(r->m, n, "test", &line, &err), "%s", err.text);
	irq_set(&line, level);
}

static int ack(struct rig *r)
{
	return rig_intr(r, 0) ? lapic_ack(r->m, 0) : -1;
}

Test(i8259, is_left_initialised_and_masked)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(in(&r, MASTER + 1), 0xFF);
	cr_expect_eq(in(&r, SLAVE + 1), 0xFF);
	irq(&r, 1, true);
	cr_expect_eq(ack(&r), -1);
	cr_expect_eq(in(&r, MASTER), 0x02, "IRR");
	out(&r, MASTER + 1, 0xFD);
	cr_expect_eq(ack(&r), 0x09);
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(i8259, nests_fully)
{
	struct rig r;

	start(&r);
	irq(&r, 5, true);
	irq(&r, 3, true);
	cr_expect_eq(ack(&r), 0x23);
	cr_expect_eq(ack(&r), -1, "5 waits for 3");
	irq(&r, 1, true);
	cr_expect_eq(ack(&r), 0x21, "1 does not");
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0x0A, "ISR");
	out(&r, MASTER, 0x0A);
	cr_expect_eq(in(&r, MASTER), 0x20, "IRR");
	out(&r, MASTER, 0x20); /* of 1 */
	cr_expect_eq(ack(&r), -1);
	out(&r, MASTER, 0x20); /* of 3 */
	cr_expect_eq(ack(&r), 0x25);
	rig_stop(&r);
}

Test(i8259, specific_eoi_ends_what_it_names)
{
	struct rig r;

	start(&r);
	irq(&r, 5, true);
	ack(&r);
	irq(&r, 3, true);
	ack(&r);
	out(&r, MASTER, 0x65);
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0x08);
	rig_stop(&r);
}

Test(i8259, an_edge_is_one_request_while_it_stays_high)
{
	struct rig r;

	start(&r);
	irq(&r, 4, true);
	cr_expect_eq(ack(&r), 0x24);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), -1, "no second one");
	irq(&r, 4, false);
	irq(&r, 4, true);
	cr_expect(rig_intr(&r, 0));
	irq(&r, 4, false);
	cr_expect_not(rig_intr(&r, 0), "it went away");
	cr_expect_eq(i8259_ack(r.m), 0x27, "default IR7");
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0, "which is not in service");
	rig_stop(&r);
}

Test(i8259, a_level_asks_again_after_eoi)
{
	struct rig r;

	start(&r);
	out(&r, 0x4D0, 0xFF);
	out(&r, 0x4D1, 0xFF);
	cr_expect_eq(in(&r, 0x4D0), 0xF8);
	cr_expect_eq(in(&r, 0x4D1), 0xDE);
	irq(&r, 5, true);
	cr_expect_eq(ack(&r), 0x25);
	cr_expect_eq(ack(&r), -1);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), 0x25);
	irq(&r, 5, false);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), -1);
	rig_stop(&r);
}

Test(i8259, the_slave_asks_through_ir2)
{
	struct rig r;

	start(&r);
	irq(&r, 12, true);
	irq(&r, 3, true);
	cr_expect_eq(ack(&r), 0x2C, "ahead of 3");
	cr_expect_eq(ack(&r), -1);
	irq(&r, 10, true);
	cr_expect_eq(ack(&r), -1, "IR2 is in service");
	out(&r, SLAVE, 0x20);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), 0x2A);
	out(&r, SLAVE, 0x20);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), 0x23);
	rig_stop(&r);
}

Test(i8259, a_mask_holds_a_request_back_and_keeps_it)
{
	struct rig r;

	start(&r);
	irq(&r, 14, true);
	out(&r, SLAVE + 1, 0x40);
	cr_expect_eq(ack(&r), -1);
	out(&r, SLAVE + 1, 0x00);
	cr_expect_eq(ack(&r), 0x2E, "masked, not forgotten");
	rig_stop(&r);
}

Test(i8259, special_fully_nested_mode_lets_the_slave_nest)
{
	struct rig r;

	rig_start(&r, 1);
	init(&r, 0x11);
	irq(&r, 12, true);
	cr_expect_eq(ack(&r), 0x2C);
	irq(&r, 9, true);
	cr_expect_eq(ack(&r), 0x29);
	irq(&r, 3, true);
	cr_expect_eq(ack(&r), -1);
	rig_stop(&r);
}

Test(i8259, special_mask_mode_opens_lower_levels)
{
	struct rig r;

	start(&r);
	irq(&r, 1, true);
	cr_expect_eq(ack(&r), 0x21);
	irq(&r, 6, true);
	out(&r, MASTER + 1, 0x02);
	cr_expect_eq(ack(&r), -1);
	out(&r, MASTER, 0x68);
	cr_expect_eq(ack(&r), 0x26);
	out(&r, MASTER, 0x20);
	out(&r, MASTER, 0x20);
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0x02, "masked: not by an unnamed EOI");
	out(&r, MASTER, 0x48);
	out(&r, MASTER, 0x20);
	cr_expect_eq(in(&r, MASTER), 0x00);
	rig_stop(&r);
}

Test(i8259, rotates)
{
	struct rig r;

	start(&r);
	irq(&r, 3, true);
	irq(&r, 5, true);
	cr_expect_eq(ack(&r), 0x23);
	irq(&r, 3, false);
	irq(&r, 3, true);
	out(&r, MASTER, 0xA0); /* rotate on EOI: 3 is now the lowest */
	cr_expect_eq(ack(&r), 0x25);
	out(&r, MASTER, 0x65);
	cr_expect_eq(ack(&r), 0x23);
	out(&r, MASTER, 0xE3);
	irq(&r, 5, false);
	irq(&r, 5, true);
	irq(&r, 0, true);
	out(&r, MASTER, 0xC4); /* set priority: 5 is the highest */
	cr_expect_eq(ack(&r), 0x25);
	rig_stop(&r);
}

Test(i8259, automatic_eoi_leaves_nothing_in_service)
{
	struct rig r;

	rig_start(&r, 1);
	init(&r, 0x03);
	irq(&r, 3, true);
	irq(&r, 5, true);
	out(&r, MASTER, 0x80); /* rotate in this mode */
	cr_expect_eq(ack(&r), 0x23);
	irq(&r, 3, false);
	irq(&r, 3, true);
	cr_expect_eq(ack(&r), 0x25);
	cr_expect_eq(ack(&r), 0x23);
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0);
	rig_stop(&r);
}

Test(i8259, a_poll_acknowledges)
{
	struct rig r;

	start(&r);
	out(&r, MASTER, 0x0C);
	cr_expect_eq(in(&r, MASTER), 0);
	irq(&r, 6, true);
	out(&r, MASTER, 0x0C);
	cr_expect_eq(in(&r, MASTER), 0x86);
	cr_expect_not(rig_intr(&r, 0));
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0x40);
	rig_stop(&r);
}

Test(i8259, asks_for_nothing_while_it_is_initialised)
{
	struct rig r;

	start(&r);
	irq(&r, 5, true);
	out(&r, MASTER, 0x11);
	irq(&r, 3, true);
	cr_expect_not(rig_intr(&r, 0));
	out(&r, MASTER + 1, 0x40);
	out(&r, MASTER + 1, 0x04);
	out(&r, MASTER + 1, 0x01);
	cr_expect_eq(ack(&r), 0x43);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), -1, "an edge before ICW1 is forgotten");
	rig_stop(&r);
}

Test(i8259, modes_that_no_pc_has_are_odd)
{
	struct rig r;

	rig_start(&r, 1);
	init(&r, 0x00);
	cr_expect_eq(r.odds, 1);
	cr_expect_str_eq(r.odd_device, "pic0");
	out(&r, MASTER, 0x11);
	out(&r, MASTER + 1, 0x20);
	out(&r, MASTER + 1, 0x08);
	cr_expect_eq(r.odds, 2, "the slave is on IR2");
	rig_stop(&r);
}

Test(i8259, int_needs_lint0_in_extint_mode)
{
	struct rig r;

	start(&r);
	irq(&r, 4, true);
	cr_expect(rig_intr(&r, 0));
	rig_write(&r, RIG_LAPIC + 0x350, 4, 0x10700);
	cr_expect_not(rig_intr(&r, 0), "masked");
	rig_write(&r, RIG_LAPIC + 0x350, 4, 0x700);
	cr_expect(rig_intr(&r, 0));
	rig_write(&r, RIG_LAPIC + 0x80, 4, 0xFF);
	cr_expect(rig_intr(&r, 0), "no task priority holds it back");
	cr_expect_eq(ack(&r), 0x24);
	rig_stop(&r);
}

Test(i8259, the_local_apics_own_interrupts_go_first)
{
	struct rig r;

	start(&r);
	irq(&r, 4, true);
	rig_write(&r, RIG_LAPIC + 0x300, 4, 0x40055); /* to self */
	cr_expect_eq(ack(&r), 0x55);
	cr_expect_eq(ack(&r), 0x24);
	cr_expect_eq(ack(&r), -1);
	rig_stop(&r);
}

Test(i8259, int_goes_straight_to_the_cpu_when_the_local_apic_is_off)
{
	struct rig r;

	start(&r);
	cr_expect(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00100));
	irq(&r, 4, true);
	cr_expect_eq(ack(&r), 0x24);
	out(&r, MASTER, 0x20);
	irq(&r, 5, true);
	cr_expect(rig_intr(&r, 0));
	cr_expect(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00900));
	cr_expect_not(rig_intr(&r, 0), "on, and LINT0 is masked");
	rig_stop(&r);
}

Test(i8259, int_is_also_io_apic_pin_0)
{
	struct rig r;

	start(&r);
	rig_write(&r, RIG_LAPIC + 0x350, 4, 0x10700);
	rig_ioapic_entry(&r, 0, 0x700);
	irq(&r, 4, true);
	irq(&r, 6, true);
	cr_expect_eq(ack(&r), 0x24);
	cr_expect_eq(ack(&r), -1);
	out(&r, MASTER, 0x20);
	cr_expect_eq(ack(&r), 0x26, "INT rose again");
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(isa, a_wire_ends_at_both_controllers)
{
	struct rig r;

	rig_start(&r, 1);
	rig_ioapic_entry(&r, 2, 0x60);
	rig_ioapic_entry(&r, 4, 0x64);
	irq(&r, 4, true);
	cr_expect_eq(ack(&r), 0x64);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	irq(&r, 0, true);
	cr_expect_eq(ack(&r), 0x60, "IRQ 0 is pin 2");
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(ack(&r), -1);
	out(&r, MASTER, 0x0A);
	cr_expect_eq(in(&r, MASTER), 0x11, "IRR");
	rig_stop(&r);
}

Test(isa, the_hpet_takes_irq_0_and_8)
{
	struct rig r;

	start(&r);
	irq(&r, 0, true);
	isa_hpet_route(r.m, true);
	cr_expect_not(rig_intr(&r, 0));
	cr_expect_not(isa_listens(r.m, 0));
	irq(&r, 0, false);
	irq(&r, 0, true);
	cr_expect_not(rig_intr(&r, 0));
	isa_hpet_set(r.m, 0, true);
	cr_expect_eq(ack(&r), 0x20);
	out(&r, MASTER, 0x20);
	isa_hpet_set(r.m, 8, true);
	cr_expect_eq(ack(&r), 0x28);
	irq(&r, 0, false);
	isa_hpet_route(r.m, false);
	cr_expect(isa_listens(r.m, 0));
	rig_stop(&r);
}

static unsigned settled;

static void settle(struct device *d)
{
	(void)d;
	settled++;
}

Test(isa, a_source_hears_of_masks_and_looks)
{
	struct rig r;

	start(&r);
	isa_source(r.m, 0, settle, machine_device(r.m, "isa0"));
	out(&r, MASTER + 1, 0xFF);
	cr_expect_eq(settled, 2, "before and after");
	cr_expect_not(isa_listens(r.m, 0));
	rig_ioapic_entry(&r, 2, 0x45);
	cr_expect_eq(settled, 4);
	cr_expect(isa_listens(r.m, 0));
	in(&r, MASTER);
	cr_expect_eq(settled, 5);
	rig_stop(&r);
}

Test(i8259, a_spurious_interrupt_is_the_default_ir7)
{
	struct rig r;
	struct error err;
	struct device *d;

	start(&r);
	d = machine_device(r.m, "pic0");
	cr_expect(device_fault(d, "spurious", 7, &err));
	cr_expect_eq(ack(&r), 0x27);
	cr_expect_eq(ack(&r), -1);
	cr_expect(device_fault(d, "spurious", 15, &err));
	cr_expect_eq(ack(&r), 0x2F);
	cr_expect_eq(ack(&r), -1);
	out(&r, MASTER, 0x0B);
	cr_expect_eq(in(&r, MASTER), 0x04, "the slave's needs an EOI here");
	out(&r, SLAVE, 0x0B);
	cr_expect_eq(in(&r, SLAVE), 0x00);
	cr_expect_not(device_fault(d, "spurious", 3, &err));
	cr_expect_eq(err.code, EXIT_USAGE);
	rig_stop(&r);
}

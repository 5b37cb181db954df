/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC keeps what SDM 3A chapter 10 says: priorities, in-service
 * order, exact timers, messages between CPUs. */
#include "devices/lapic.h"
#include "harness.h"

#define REG(off) (RIG_LAPIC + (off))

static uint32_t get(struct rig *r, unsigned off)
{
	return (uint32_t)rig_read(r, REG(off), 4);
}

static void set(struct rig *r, unsigned off, uint32_t value)
{
	rig_write(r, REG(off), 4, value);
}

/* An interrupt to self, by ICR. */
static void self(struct rig *r, uint8_t vector)
{
	set(r, 0x300, 0x40000 | vector);
}

Test(lapic, is_left_by_firmware_in_virtual_wire_mode)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(get(&r, 0xF0), 0x1FF);
	cr_expect_eq(get(&r, 0x320), 0x10000);
	cr_expect_eq(get(&r, 0x350), 0x700, "LINT0 is ExtINT");
	cr_expect_eq(get(&r, 0x360), 0x400, "LINT1 is NMI");
	rig_stop(&r);
}

Test(lapic, init_gives_the_state_of_table_10_1)
{
	struct lapic_message init = {.dest = 0, .mode = 5};
	struct rig r;

	rig_start(&r, 1);
	lapic_deliver(r.m, &init);
	cr_expect_eq(get(&r, 0x20), 0);
	cr_expect_eq(get(&r, 0x30), 0x00050014);
	cr_expect_eq(get(&r, 0xF0), 0xFF);
	cr_expect_eq(get(&r, 0xE0), 0xFFFFFFFF);
	for (unsigned off = 0x320; off <= 0x370; off += 0x10)
		cr_expect_eq(get(&r, off), 0x10000, "LVT %x", off);
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(lapic, software_disabled_accepts_nothing_and_keeps_the_lvt_masked)
{
	struct rig r;

	rig_start(&r, 1);
	set(&r, 0xF0, 0xFF);
	self(&r, 0x40);
	cr_expect_not(rig_intr(&r, 0));
	set(&r, 0x320, 0x40);
	cr_expect_eq(get(&r, 0x320), 0x10040);
	rig_lapic_on(&r);
	set(&r, 0x320, 0x40);
	cr_expect_eq(get(&r, 0x320), 0x40);
	set(&r, 0xF0, 0xFF);
	cr_expect_eq(get(&r, 0x320), 0x10040);
	rig_stop(&r);
}

Test(lapic, serves_the_highest_vector_first_and_nests_by_class)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	self(&r, 0x41);
	self(&r, 0x52);
	self(&r, 0x51);
	cr_expect(rig_intr(&r, 0));
	cr_expect_eq(lapic_ack(r.m, 0), 0x52);
	cr_expect_eq(get(&r, 0xA0), 0x50);
	/* 51 is of the same class as 52 in service: it waits. */
	cr_expect_not(rig_intr(&r, 0));
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	self(&r, 0x60);
	cr_expect_eq(lapic_ack(r.m, 0), 0x60);
	set(&r, 0xB0, 0);
	cr_expect_not(rig_intr(&r, 0));
	set(&r, 0xB0, 0);
	cr_expect(rig_intr(&r, 0));
	cr_expect_eq(lapic_ack(r.m, 0), 0x51);
	set(&r, 0xB0, 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x41);
	set(&r, 0xB0, 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_stop(&r);
}

Test(lapic, irr_and_isr_show_what_waits_and_what_is_served)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	self(&r, 0x45);
	self(&r, 0x45); /* merges */
	cr_expect_eq(get(&r, 0x220), 1u << 5);
	cr_expect_eq(get(&r, 0x120), 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	cr_expect_eq(get(&r, 0x220), 0);
	cr_expect_eq(get(&r, 0x120), 1u << 5);
	set(&r, 0xB0, 0);
	cr_expect_eq(get(&r, 0x120), 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_stop(&r);
}

Test(lapic, task_priority_holds_back_its_class_and_below)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	set(&r, 0x80, 0x5F);
	self(&r, 0x5E);
	cr_expect_not(rig_intr(&r, 0));
	cr_expect_eq(get(&r, 0xA0), 0x5F);
	cr_expect_eq(lapic_tpr_get(r.m, 0), 5);
	lapic_tpr_set(r.m, 0, 4);
	cr_expect_eq(get(&r, 0x80), 0x40);
	cr_expect(rig_intr(&r, 0));
	lapic_tpr_set(r.m, 0, 15); /* withdrawn before it was taken */
	cr_expect_not(rig_intr(&r, 0));
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_stop(&r);
}

Test(lapic, illegal_vectors_and_registers_reach_the_esr)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	set(&r, 0x370, 0x33);
	self(&r, 8);
	cr_expect_eq(lapic_ack(r.m, 0), 0x33);
	set(&r, 0xB0, 0);
	cr_expect_eq(get(&r, 0x280), 0, "only a write makes it readable");
	set(&r, 0x280, 0);
	cr_expect_eq(get(&r, 0x280), 0x20);
	get(&r, 0x3B0);
	set(&r, 0x280, 0);
	cr_expect_eq(get(&r, 0x280), 0x80);
	lapic_msi(r.m, 0xFEE00000, 0x05);
	set(&r, 0x280, 0);
	cr_expect_eq(get(&r, 0x280), 0x40);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(lapic, one_shot_timer_fires_once_at_the_exact_picosecond)
{
	struct rig r;
	ps_t start;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	rig_run_to(&r, 12345678);
	set(&r, 0x3E0, 0x3); /* by 16 */
	set(&r, 0x320, 0x40);
	start = rig_now(&r);
	set(&r, 0x380, 100);
	rig_run_to(&r, start + 100 * 16 * 1000 - 1);
	cr_expect_not(rig_intr(&r, 0));
	cr_expect_eq(get(&r, 0x390), 1);
	rig_run(&r, 1);
	cr_expect(rig_intr(&r, 0));
	cr_expect_eq(get(&r, 0x390), 0);
	cr_expect_eq(get(&r, 0x380), 100);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_stop(&r);
}

Test(lapic, divider_codes_are_those_of_figure_10_10)
{
	static const struct {
		uint32_t code, by;
	} divider[] = {{0x0, 2},  {0x1, 4},  {0x2, 8},   {0x3, 16},
		       {0x8, 32}, {0x9, 64}, {0xA, 128}, {0xB, 1}};
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	set(&r, 0x320, 0x40);
	for (unsigned i = 0; i < ARRAY_LEN(divider); i++) {
		set(&r, 0x3E0, divider[i].code);
		set(&r, 0x380, 7);
		cr_expect_eq(evq_next(machine_evq(r.m)) - rig_now(&r),
			     7000 * divider[i].by, "code %x", divider[i].code);
	}
	rig_stop(&r);
}

Test(lapic, periodic_timer_does_not_drift)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	set(&r, 0x3E0, 0xB);
	set(&r, 0x320, 0x20040);
	set(&r, 0x380, 333);
	for (unsigned i = 1; i <= 1000; i++) {
		cr_assert_eq(evq_next(machine_evq(r.m)), i * 333000ull);
		rig_run_to(&r, i * 333000ull);
		cr_assert_eq(lapic_ack(r.m, 0), 0x40);
		set(&r, 0xB0, 0);
	}
	rig_run(&r, 3000);
	cr_expect_eq(get(&r, 0x390), 330);
	rig_stop(&r);
}

Test(lapic, masked_timer_counts_on_without_an_event)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	set(&r, 0x3E0, 0xB);
	set(&r, 0x320, 0x30040); /* periodic, masked */
	set(&r, 0x380, 1000);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_run_to(&r, 2600 * 1000);
	cr_expect_eq(get(&r, 0x390), 400);
	set(&r, 0x320, 0x20040);
	cr_expect_eq(evq_next(machine_evq(r.m)), 3000 * 1000);
	rig_stop(&r);
}

Test(lapic, divider_changed_in_mid_count_keeps_the_count)
{
	struct rig r;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	set(&r, 0x3E0, 0xB);
	set(&r, 0x320, 0x40);
	set(&r, 0x380, 1000);
	rig_run(&r, 600 * 1000);
	set(&r, 0x3E0, 0x0);
	cr_expect_eq(get(&r, 0x390), 400);
	cr_expect_eq(evq_next(machine_evq(r.m)), 600 * 1000 + 400 * 2000);
	rig_stop(&r);
}

Test(lapic, tsc_deadline_fires_when_the_tsc_gets_there)
{
	struct rig r;
	uint64_t value = 1;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	cr_expect(lapic_msr_write(r.m, 0, 0x6E0, 5000));
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER, "not in this mode");
	set(&r, 0x320, 0x40040);
	lapic_msr_write(r.m, 0, 0x6E0, 5000);
	lapic_msr_read(r.m, 0, 0x6E0, &value);
	cr_expect_eq(value, 5000);
	/* The TSC runs at 1 GHz here. */
	rig_run_to(&r, 4999999);
	cr_expect_not(rig_intr(&r, 0));
	rig_run_to(&r, 5000000);
	cr_expect(rig_intr(&r, 0));
	lapic_msr_read(r.m, 0, 0x6E0, &value);
	cr_expect_eq(value, 0);
	set(&r, 0x380, 1000);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER,
		     "the initial count is ignored in this mode");
	/* Already past: at once. */
	cr_expect_eq(lapic_ack(r.m, 0), 0x40);
	set(&r, 0xB0, 0);
	lapic_msr_write(r.m, 0, 0x6E0, 1);
	rig_run(&r, 0);
	cr_expect(rig_intr(&r, 0));
	/* Leaving the mode disarms. */
	lapic_msr_write(r.m, 0, 0x6E0, 1000000);
	set(&r, 0x320, 0x40);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_stop(&r);
}

Test(lapic, physical_and_logical_messages_find_their_cpus)
{
	struct rig r;

	rig_start(&r, 2);
	rig_lapic_on(&r); /* CPU 0 alone */
	lapic_msi(r.m, 0xFEE01000, 0x40);
	cr_expect_not(rig_intr(&r, 0));
	lapic_msi(r.m, 0xFEE00000, 0x40);
	cr_expect_eq(lapic_ack(r.m, 0), 0x40);
	set(&r, 0xB0, 0);
	/* Logical, flat. */
	set(&r, 0xD0, 0x04000000);
	lapic_msi(r.m, 0xFEE03004, 0x41);
	cr_expect_not(rig_intr(&r, 0));
	lapic_msi(r.m, 0xFEE06004, 0x41);
	cr_expect_eq(lapic_ack(r.m, 0), 0x41);
	set(&r, 0xB0, 0);
	/* Logical, cluster 2, member 1. */
	set(&r, 0xE0, 0x0FFFFFFF);
	set(&r, 0xD0, 0x22000000);
	lapic_msi(r.m, 0xFEE14004, 0x42);
	lapic_msi(r.m, 0xFEE21004, 0x42);
	cr_expect_not(rig_intr(&r, 0));
	lapic_msi(r.m, 0xFEE23004, 0x42);
	cr_expect_eq(lapic_ack(r.m, 0), 0x42);
	set(&r, 0xB0, 0);
	/* All, whatever the mode. */
	lapic_msi(r.m, 0xFEEFF000, 0x43);
	cr_expect_eq(lapic_ack(r.m, 0), 0x43);
	rig_stop(&r);
}

Test(lapic, nmi_needs_no_enabled_apic_and_no_priority)
{
	struct rig r;

	rig_start(&r, 1);
	set(&r, 0x80, 0xFF);
	cr_expect_not(rig_nmi(&r, 0));
	set(&r, 0x310, 0);
	set(&r, 0x300, 0x400);
	cr_expect(rig_nmi(&r, 0));
	rig_stop(&r);
	rig_start(&r, 1);
	lapic_msi(r.m, 0xFEE00000, 0x400);
	cr_expect(rig_nmi(&r, 0));
	rig_stop(&r);
}

Test(lapic, lint_pins_deliver_as_their_entries_say)
{
	struct rig r;
	struct device *d;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	d = machine_device(r.m, "lapic0");
	set(&r, 0x350, 0x10045);
	lapic_lint_set(d, 0, true); /* masked: nothing */
	lapic_lint_set(d, 0, false);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	set(&r, 0x350, 0x8045); /* fixed, level */
	lapic_lint_set(d, 0, true);
	cr_expect_eq(get(&r, 0x350), 0xC045, "remote IRR");
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	set(&r, 0xB0, 0); /* the pin is still up */
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	lapic_lint_set(d, 0, false);
	set(&r, 0xB0, 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	cr_expect_eq(get(&r, 0x350), 0x8045);
	set(&r, 0x360, 0x400); /* NMI */
	lapic_lint_set(d, 1, true);
	cr_expect(rig_nmi(&r, 0));
	rig_stop(&r);
}

Test(lapic, x2apic_mode_moves_the_registers_to_msrs)
{
	struct rig r;
	uint64_t value = 0;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	cr_expect(lapic_msr_read(r.m, 0, 0x1B, &value));
	cr_expect_eq(value, 0xFEE00900);
	cr_expect_not(lapic_msr_read(r.m, 0, 0x802, &value));
	cr_expect(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00D00));
	cr_expect_eq(get(&r, 0x30), 0xFFFFFFFF, "the page is silent");
	cr_expect(lapic_msr_read(r.m, 0, 0x803, &value));
	cr_expect_eq(value, 0x00050014);
	cr_expect(lapic_msr_write(r.m, 0, 0x83F, 0x77));
	cr_expect_eq(lapic_ack(r.m, 0), 0x77);
	cr_expect_not(lapic_msr_write(r.m, 0, 0x80B, 1), "EOI takes 0 only");
	cr_expect(lapic_msr_write(r.m, 0, 0x80B, 0));
	cr_expect_not(lapic_msr_write(r.m, 0, 0x802, 5), "ID is read-only");
	cr_expect_not(lapic_msr_write(r.m, 0, 0x808, 0x100000000));
	cr_expect(lapic_msr_write(r.m, 0, 0x830, 0x40078));
	cr_expect_eq(lapic_ack(r.m, 0), 0x78);
	/* Only by way of "disabled" back to xAPIC. */
	cr_expect_not(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00900));
	cr_expect(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00100));
	cr_expect_not(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00D00));
	cr_expect(lapic_msr_write(r.m, 0, 0x1B, 0xFEE00900));
	cr_expect_eq(get(&r, 0xF0), 0xFF, "as after reset");
	rig_stop(&r);
}

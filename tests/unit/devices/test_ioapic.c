/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The I/O APIC turns edges and levels into messages as its entries say. */
#include "devices/ioapic.h"

#include "devices/lapic.h"
#include "harness.h"

#define ENTRY_LEVEL      0x8000
#define ENTRY_MASKED     0x10000
#define ENTRY_REMOTE_IRR 0x4000

static struct device *start(struct rig *r)
{
	rig_start(r, 1);
	rig_lapic_on(r);
	return machine_device(r->m, "ioapic0");
}

static void eoi(struct rig *r)
{
	rig_write(r, RIG_LAPIC + 0xB0, 4, 0);
}

Test(ioapic, has_24_masked_entries_after_reset)
{
	struct rig r;

	start(&r);
	rig_write(&r, RIG_IOAPIC, 4, 1);
	cr_expect_eq(rig_read(&r, RIG_IOAPIC + 0x10, 4), 0x00170011);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		cr_expect_eq(rig_ioapic_get(&r, pin), ENTRY_MASKED);
	rig_stop(&r);
}

Test(ioapic, an_edge_is_sent_once_and_lost_while_masked)
{
	struct rig r;
	struct device *d = start(&r);

	rig_ioapic_entry(&r, 5, ENTRY_MASKED | 0x45);
	ioapic_pin_set(d, 5, true);
	rig_ioapic_entry(&r, 5, 0x45);
	cr_expect_eq(lapic_ack(r.m, 0), -1, "not held");
	ioapic_pin_set(d, 5, true);
	cr_expect_eq(lapic_ack(r.m, 0), -1, "no rise");
	ioapic_pin_set(d, 5, false);
	ioapic_pin_set(d, 5, true);
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	eoi(&r);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_stop(&r);
}

Test(ioapic, a_level_repeats_after_eoi_while_it_stands)
{
	struct rig r;
	struct device *d = start(&r);

	rig_ioapic_entry(&r, 9, ENTRY_LEVEL | 0x45);
	ioapic_pin_set(d, 9, true);
	cr_expect_eq(rig_ioapic_get(&r, 9),
		     ENTRY_LEVEL | ENTRY_REMOTE_IRR | 0x45);
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	ioapic_pin_set(d, 9, false);
	ioapic_pin_set(d, 9, true);
	cr_expect_not(rig_read(&r, RIG_LAPIC + 0x220, 4), "not before the EOI");
	eoi(&r);
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	ioapic_pin_set(d, 9, false);
	eoi(&r);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	cr_expect_eq(rig_ioapic_get(&r, 9), ENTRY_LEVEL | 0x45);
	rig_stop(&r);
}

Test(ioapic, a_level_is_sent_when_it_is_unmasked)
{
	struct rig r;
	struct device *d = start(&r);

	rig_ioapic_entry(&r, 9, ENTRY_MASKED | ENTRY_LEVEL | 0x45);
	ioapic_pin_set(d, 9, true);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_ioapic_entry(&r, 9, ENTRY_LEVEL | 0x45);
	cr_expect_eq(lapic_ack(r.m, 0), 0x45);
	rig_stop(&r);
}

Test(ioapic, made_edge_and_level_again_an_entry_forgets_its_remote_irr)
{
	struct rig r;
	struct device *d = start(&r);

	rig_ioapic_entry(&r, 9, ENTRY_LEVEL | 0x45);
	ioapic_pin_set(d, 9, true);
	ioapic_pin_set(d, 9, false);
	rig_ioapic_entry(&r, 9, ENTRY_MASKED | 0x45);
	rig_ioapic_entry(&r, 9, ENTRY_LEVEL | 0x45);
	cr_expect_eq(rig_ioapic_get(&r, 9), ENTRY_LEVEL | 0x45);
	rig_stop(&r);
}

Test(ioapic, entries_keep_their_destination_and_not_what_is_read_only)
{
	struct rig r;

	start(&r);
	rig_ioapic_entry(&r, 3, 0xAB0000000001FFFFull);
	cr_expect_eq(rig_ioapic_get(&r, 3), 0xAB0000000001AFFFull);
	cr_expect_eq(r.odds, 0);
	rig_write(&r, RIG_IOAPIC, 4, 0x80);
	cr_expect_eq(rig_read(&r, RIG_IOAPIC + 0x10, 4), 0);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

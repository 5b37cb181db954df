/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space answers by both mechanisms, BARs move, MSI-X masks and
 * remembers. */
#include "devices/pci.h"

#include "devices/lapic.h"
#include "devices/nvme.h"
#include "harness.h"

#define ECAM(slot, off)                                                        \
	(PCI_ECAM_BASE + ((uint64_t)(slot) << 15) + (unsigned)(off))
#define NVME_SLOT 2
#define BAR       UINT64_C(0xC0020000)
#define NO_BODY   UINT32_MAX

static struct pci_function *function(struct rig *r)
{
	return (struct pci_function *)machine_device(r->m, "nvme0");
}

static uint32_t conf(struct rig *r, unsigned off)
{
	return (uint32_t)rig_read(r, ECAM(NVME_SLOT, off), 4);
}

static uint32_t mechanism1(struct rig *r, unsigned slot, unsigned off)
{
	rig_out(r, 0xCF8, 4, 0x80000000u | slot << 11 | (off & 0xFC));
	return rig_in(r, 0xCFC, 4);
}

static unsigned capability(struct rig *r, uint8_t id)
{
	unsigned at = conf(r, PCI_CAPABILITIES) & 0xFF;

	while (at && (conf(r, at) & 0xFF) != id)
		at = conf(r, at) >> 8 & 0xFF;
	return at;
}

Test(pci, both_mechanisms_show_the_same_functions)
{
	struct rig r;

	rig_disk_start(&r);
	for (unsigned slot = 0; slot < 32; slot++) {
		uint32_t id = (uint32_t)rig_read(&r, ECAM(slot, 0), 4);

		cr_expect_eq(mechanism1(&r, slot, 0), id, "slot %u", slot);
		cr_expect_eq(id != NO_BODY, slot <= 3, "slot %u", slot);
	}
	cr_expect_eq(conf(&r, 0), 0x00101B36);
	cr_expect_eq(conf(&r, 8) >> 8, 0x010802);
	cr_expect_eq(rig_read(&r, ECAM(2, 0) + 0x1000, 4), NO_BODY,
		     "function 1");
	cr_expect_eq(rig_read(&r, ECAM(2, 0) + 0x100000, 4), NO_BODY, "bus 1");
	cr_expect_eq(rig_read(&r, ECAM(2, 2), 2), 0x0010);
	cr_expect_eq(rig_read(&r, ECAM(2, 0xB), 1), 0x01);
	cr_expect_eq(conf(&r, 0x100), 0, "no extended capabilities");
	rig_out(&r, 0xCF8, 4, 0x80001000u);
	cr_expect_eq(rig_in(&r, 0xCFE, 2), 0x0010);
	cr_expect_eq(rig_in(&r, 0xCF8, 4), 0x80001000u);
	rig_out(&r, 0xCF8, 4, 0x00001000u);
	cr_expect_eq(rig_in(&r, 0xCFC, 4), NO_BODY, "not enabled");
	rig_stop(&r);
}

Test(pci, a_bar_tells_its_size_and_moves)
{
	struct rig r;

	rig_disk_start(&r);
	cr_expect_eq(conf(&r, PCI_BAR0), 0xC0020004u);
	cr_expect_eq(rig_read(&r, BAR + NVME_VS, 4), NVME_VERSION_1_4);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0), 4, UINT32_MAX);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0 + 4), 4, UINT32_MAX);
	cr_expect_eq(conf(&r, PCI_BAR0), 0xFFFFC004u);
	cr_expect_eq(conf(&r, PCI_BAR0 + 4), UINT32_MAX);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0), 4, 0xD0000000);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0 + 4), 4, 0x10);
	cr_expect_eq(rig_read(&r, BAR + NVME_VS, 4), UINT32_MAX);
	cr_expect_eq(rig_read(&r, UINT64_C(0x10D0000000) + NVME_VS, 4),
		     NVME_VERSION_1_4);
	cr_expect_eq(conf(&r, 0x18), 0, "no other BAR");
	rig_stop(&r);
}

Test(pci, memory_decoding_off_or_an_address_in_use_silences_a_bar)
{
	struct rig r;

	rig_disk_start(&r);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 0);
	cr_expect_eq(rig_read(&r, BAR + NVME_VS, 4), UINT32_MAX);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 2);
	cr_expect_eq(rig_read(&r, BAR + NVME_VS, 4), NVME_VERSION_1_4);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0), 4, 0xFEE00000);
	cr_expect_str_eq(r.odd_what, "BAR overlaps another range");
	cr_expect_eq(rig_read(&r, RIG_LAPIC + 0x30, 4), 0x00050014);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0), 4, 0xC0020000);
	cr_expect_eq(rig_read(&r, BAR + NVME_VS, 4), NVME_VERSION_1_4);
	rig_stop(&r);
}

Test(pci, without_bus_mastering_nothing_leaves_the_function)
{
	struct rig r;
	uint32_t word = 0x12345678;

	rig_disk_start(&r);
	cr_expect_not(pci_dma_write(function(&r), 0x1000, &word, 4));
	cr_expect_eq(r.odds, 1);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 6);
	cr_expect(pci_dma_write(function(&r), 0x1000, &word, 4));
	word = 0;
	cr_expect(pci_dma_read(function(&r), 0x1000, &word, 4));
	cr_expect_eq(word, 0x12345678);
	cr_expect_not(pci_dma_read(function(&r), 0xA0000, &word, 4));
	rig_stop(&r);
}

/* Enables MSI-X with vector 0 to CPU 0, 50h, unmasked. */
static unsigned msix_on(struct rig *r)
{
	unsigned at = capability(r, PCI_CAP_MSIX);

	rig_lapic_on(r);
	rig_write(r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 6);
	rig_write(r, BAR + NVME_MSIX_TABLE, 8, RIG_LAPIC);
	rig_write(r, BAR + NVME_MSIX_TABLE + 8, 8, 0x50);
	rig_write(r, ECAM(NVME_SLOT, at + 2), 2, 0x8000);
	return at;
}

Test(pci, msix_table_and_pba_stand_where_the_capability_says)
{
	struct rig r;
	unsigned at;

	rig_disk_start(&r);
	at = capability(&r, PCI_CAP_MSIX);
	cr_assert(at);
	cr_expect_eq(conf(&r, at) >> 16, NVME_QUEUES - 1);
	cr_expect_eq(conf(&r, at + 4), NVME_MSIX_TABLE);
	cr_expect_eq(conf(&r, at + 8), NVME_MSIX_PBA);
	cr_expect_eq(rig_read(&r, BAR + NVME_MSIX_TABLE + 12, 4), 1,
		     "masked after reset");
	rig_stop(&r);
}

Test(pci, msix_sends_holds_while_masked_and_lets_go)
{
	struct rig r;
	unsigned at;

	rig_disk_start(&r);
	pci_msix_send(function(&r), 0); /* not enabled */
	at = msix_on(&r);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	pci_msix_send(function(&r), 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x50);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	/* By vector. */
	rig_write(&r, BAR + NVME_MSIX_TABLE + 12, 4, 1);
	pci_msix_send(function(&r), 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	cr_expect_eq(rig_read(&r, BAR + NVME_MSIX_PBA, 4), 1);
	rig_write(&r, BAR + NVME_MSIX_TABLE + 12, 4, 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x50);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(rig_read(&r, BAR + NVME_MSIX_PBA, 4), 0);
	/* By function. */
	rig_write(&r, ECAM(NVME_SLOT, at + 2), 2, 0xC000);
	pci_msix_send(function(&r), 0);
	pci_msix_withdraw(function(&r), 0);
	cr_expect_eq(rig_read(&r, BAR + NVME_MSIX_PBA, 8), 0);
	pci_msix_send(function(&r), 0);
	rig_write(&r, ECAM(NVME_SLOT, at + 2), 2, 0x8000);
	cr_expect_eq(lapic_ack(r.m, 0), 0x50);
	rig_stop(&r);
}

Test(pci, intx_reaches_the_pin_of_its_slot_unless_disabled)
{
	struct rig r;
	struct pci_function *f;

	rig_disk_start(&r);
	rig_lapic_on(&r);
	f = function(&r);
	rig_ioapic_entry(&r, 16 + NVME_SLOT, 0x8000 | 0x61);
	cr_expect_eq(conf(&r, PCI_INTERRUPT_LINE) & 0xFFFF, 0x0112);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 0x402);
	pci_intx_set(f, true);
	cr_expect(conf(&r, PCI_COMMAND) >> 16 & PCI_STATUS_INTX);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 2);
	cr_expect_eq(lapic_ack(r.m, 0), 0x61);
	pci_intx_set(f, false);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_stop(&r);
}

Test(pci, functions_of_one_wire_interrupt_together)
{
	struct rig r;
	struct pci_function *f[2];

	rig_disk_start(&r);
	rig_lapic_on(&r);
	f[0] = function(&r);
	f[1] = (struct pci_function *)machine_device(r.m, "nvme1");
	cr_expect_neq(f[0]->inta.pin, f[1]->inta.pin);
	f[1]->inta.pin = f[0]->inta.pin;
	rig_ioapic_entry(&r, 16 + NVME_SLOT, 0x8000 | 0x61);
	for (unsigned first = 0; first < 2; first++) {
		pci_intx_set(f[0], true);
		pci_intx_set(f[1], true);
		cr_expect_eq(lapic_ack(r.m, 0), 0x61);
		pci_intx_set(f[first], false);
		rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
		cr_expect_eq(lapic_ack(r.m, 0), 0x61,
			     "the other still drives it");
		pci_intx_set(f[!first], false);
		rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
		cr_expect_eq(lapic_ack(r.m, 0), -1);
	}
	rig_stop(&r);
}

Test(pci, msi_sends_holds_while_masked_and_silences_inta)
{
	struct rig r;
	struct pci_function *f;
	unsigned at;

	rig_disk_start(&r);
	rig_lapic_on(&r);
	f = function(&r);
	at = capability(&r, PCI_CAP_MSI);
	cr_assert(at);
	cr_expect_eq(conf(&r, at) >> 16, 0x0180, "64 bits, maskable, one");
	rig_ioapic_entry(&r, 16 + NVME_SLOT, 0x8000 | 0x61);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 6);
	rig_write(&r, ECAM(NVME_SLOT, at + 4), 4, (uint32_t)RIG_LAPIC);
	rig_write(&r, ECAM(NVME_SLOT, at + 8), 4, 0);
	rig_write(&r, ECAM(NVME_SLOT, at + 12), 2, 0x62);
	pci_msi_send(f);
	cr_expect_eq(lapic_ack(r.m, 0), -1, "not enabled");
	rig_write(&r, ECAM(NVME_SLOT, at + 2), 2, 1);
	cr_expect(pci_messages_enabled(f));
	pci_intx_set(f, true);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	pci_msi_send(f);
	cr_expect_eq(lapic_ack(r.m, 0), 0x62);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	rig_write(&r, ECAM(NVME_SLOT, at + 16), 4, UINT32_MAX);
	cr_expect_eq(conf(&r, at + 16), 1);
	pci_msi_send(f);
	cr_expect_eq(lapic_ack(r.m, 0), -1, "masked");
	cr_expect_eq(conf(&r, at + 20), 1, "pending");
	rig_write(&r, ECAM(NVME_SLOT, at + 16), 4, 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x62);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(conf(&r, at + 20), 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	rig_write(&r, ECAM(NVME_SLOT, at + 2), 2, 0);
	pci_intx_set(f, true);
	cr_expect_eq(lapic_ack(r.m, 0), 0x61, "INTA is back");
	rig_stop(&r);
}

Test(pci, port_cf9_resets_the_platform_when_rst_cpu_rises)
{
	struct rig r;

	rig_start(&r, 1);
	rig_out(&r, 0xCF8, 4, 0x80000000);
	rig_out(&r, 0xCF9, 1, 0x02);
	cr_expect_eq(rig_in(&r, 0xCF9, 1), 0x02);
	cr_expect_eq(rig_in(&r, 0xCF8, 4), 0x80000000);
	cr_expect_eq(machine_run(r.m, machine_now(r.m)), MACHINE_UNTIL);
	rig_out(&r, 0xCF9, 1, 0x06);
	cr_expect_eq(machine_run(r.m, PS_PER_US), MACHINE_RESET);
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(pci, function_level_reset_forgets_everything)
{
	struct rig r;
	unsigned at, express;

	rig_disk_start(&r);
	at = msix_on(&r);
	express = capability(&r, PCI_CAP_EXPRESS);
	cr_assert(express);
	cr_expect(conf(&r, express + 4) >> 28 & 1, "FLR capable");
	rig_write(&r, BAR + NVME_AQA, 4, 0x00070007);
	rig_write(&r, ECAM(NVME_SLOT, express + 8), 2, 0x8000);
	cr_expect_eq(conf(&r, PCI_COMMAND) & 0xFFFF, 0);
	cr_expect_eq(conf(&r, PCI_BAR0), 4);
	cr_expect_eq(conf(&r, at) >> 31, 0);
	cr_expect_eq(conf(&r, express + 8) & 0x8000, 0);
	rig_write(&r, ECAM(NVME_SLOT, PCI_BAR0), 4, BAR);
	rig_write(&r, ECAM(NVME_SLOT, PCI_COMMAND), 2, 2);
	cr_expect_eq(rig_read(&r, BAR + NVME_AQA, 4), 0);
	rig_stop(&r);
}

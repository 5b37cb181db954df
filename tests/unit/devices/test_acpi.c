/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PM timer, sleep, the exit port, and tables that a kernel can follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/acpi.h"
#include "devices/acpi_pm.h"
#include "devices/board.h"
#include "devices/lapic.h"
#include "harness.h"

Test(acpi_pm, the_timer_counts_3579545_edges_a_second)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(rig_in(&r, 0x608, 4), 0);
	rig_run_to(&r, PS_PER_S - 1);
	cr_expect_eq(rig_in(&r, 0x608, 4), 3579544);
	rig_run_to(&r, PS_PER_S);
	cr_expect_eq(rig_in(&r, 0x608, 4), 3579545);
	rig_run_to(&r, 5000 * PS_PER_S); /* beyond 32 bits */
	cr_expect_eq(rig_in(&r, 0x608, 4), (uint32_t)(5000ull * 3579545));
	cr_expect_eq(rig_in(&r, 0x60A, 1),
		     (uint32_t)(5000ull * 3579545) >> 16 & 0xFF);
	rig_stop(&r);
}

Test(acpi_pm, bit_31_changing_sets_tmr_sts_and_the_sci)
{
	struct rig r;
	/* 2^31 edges take 599.93...s. */
	ps_t carry =
		(ps_t)(((unsigned __int128)1 << 31) * PS_PER_S / 3579545) + 1;

	rig_start(&r, 1);
	rig_lapic_on(&r);
	rig_ioapic_entry(&r, 9, 0x8000 | 0x49);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_out(&r, 0x602, 2, 1);
	cr_expect_eq(evq_next(machine_evq(r.m)), carry);
	rig_run_to(&r, carry);
	cr_expect_eq(lapic_ack(r.m, 0), 0x49);
	cr_expect_eq(rig_in(&r, 0x600, 2), 1);
	rig_out(&r, 0x600, 2, 1);
	cr_expect_eq(rig_in(&r, 0x600, 2), 0);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	cr_expect_eq(lapic_ack(r.m, 0), -1);
	/* Not enabled: no event, yet the status tells. */
	rig_out(&r, 0x602, 2, 0);
	cr_expect_eq(evq_next(machine_evq(r.m)), PS_NEVER);
	rig_run(&r, carry);
	cr_expect_eq(rig_in(&r, 0x600, 2), 1);
	rig_stop(&r);
}

Test(acpi_pm, a_stopped_timer_never_changes)
{
	struct rig r;
	struct error err;

	rig_start(&r, 1);
	rig_out(&r, 0x602, 2, 1); /* TMR_EN */
	rig_run(&r, 599 * PS_PER_S);
	cr_expect(device_fault(machine_device(r.m, "pm0"), "stop", 0, &err));
	rig_run(&r, 700 * PS_PER_S);
	cr_expect_eq(rig_in(&r, 0x608, 4), (uint32_t)(599ull * 3579545));
	cr_expect_eq(rig_in(&r, 0x600, 2) & 1, 0);
	rig_stop(&r);
}

Test(acpi_pm, sleep_type_5_switches_off_and_no_other)
{
	struct rig r;

	rig_start(&r, 1);
	cr_expect_eq(rig_in(&r, 0x604, 2), 1, "SCI_EN");
	rig_out(&r, 0x604, 2, 0x2000 | 1 << 10);
	cr_expect_eq(r.odds, 1);
	rig_out(&r, 0x604, 2, 0x2000 | ACPI_S5_TYPE << 10);
	cr_expect_eq(machine_run(r.m, PS_PER_US), MACHINE_OFF);
	cr_expect_eq(machine_off_code(r.m), 0);
	rig_stop(&r);
}

Test(debugexit, ends_the_run_with_what_was_written)
{
	struct rig r;

	rig_start(&r, 1);
	rig_out(&r, 0xF4, 4, 0x12345);
	cr_expect_eq(machine_run(r.m, PS_PER_US), MACHINE_OFF);
	cr_expect_eq(machine_off_code(r.m), 0x12345);
	rig_stop(&r);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t sum(const uint8_t *p, size_t bytes)
{
	uint8_t s = 0;

	while (bytes--)
		s = (uint8_t)(s + *p++);
	return s;
}

static const uint8_t *table(struct rig *r, paddr_t at)
{
	const uint8_t *p = bus_ram(r->bus, at, 36);

	cr_assert(p);
	return p;
}

static const uint8_t *find(struct rig *r, const char *signature)
{
	const uint8_t *rsdp = table(r, BOARD_RSDP);
	const uint8_t *rsdt = table(r, get32(rsdp + 16));
	const uint8_t *xsdt = table(r, get32(rsdp + 24));

	for (unsigned i = 0; i < (get32(rsdt + 4) - 36) / 4; i++) {
		const uint8_t *t = table(r, get32(rsdt + 36 + 4 * i));

		cr_assert_eq(t, table(r, get32(xsdt + 36 + 8 * i)));
		if (!memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

Test(acpi, every_table_is_reachable_and_sums_to_zero)
{
	static const char *const names[] = {"FACP", "APIC", "MCFG", "HPET"};
	struct rig r;
	const uint8_t *rsdp, *fadt;

	rig_start(&r, 3);
	rsdp = table(&r, BOARD_RSDP);
	cr_expect_eq(memcmp(rsdp, "RSD PTR ", 8), 0);
	cr_expect_eq(sum(rsdp, 20), 0);
	cr_expect_eq(sum(rsdp, 36), 0);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		const uint8_t *t = find(&r, names[i]);

		cr_assert(t, "%s", names[i]);
		cr_expect_eq(sum(t, get32(t + 4)), 0, "%s", names[i]);
	}
	fadt = find(&r, "FACP");
	cr_expect_eq(get32(fadt + 4), 276);
	cr_expect_eq(get32(fadt + 76), 0x608);
	cr_expect_eq(memcmp(table(&r, get32(fadt + 36)), "FACS", 4), 0);
	cr_expect_eq(memcmp(table(&r, get32(fadt + 40)), "DSDT", 4), 0);
	cr_expect_eq(get32(fadt + 36) % 64, 0);
	rig_stop(&r);
}

Test(acpi, madt_has_one_local_apic_per_cpu_and_mcfg_the_ecam)
{
	struct rig r;
	const uint8_t *madt, *mcfg;
	unsigned lapics = 0, ioapics = 0;

	rig_start(&r, 3);
	madt = find(&r, "APIC");
	for (unsigned at = 44; at < get32(madt + 4); at += madt[at + 1]) {
		if (madt[at] == 0) {
			cr_expect_eq(madt[at + 3], lapics);
			lapics++;
		} else if (madt[at] == 1) {
			cr_expect_eq(get32(madt + at + 4), 0xFEC00000);
			ioapics++;
		}
	}
	cr_expect_eq(lapics, 3);
	cr_expect_eq(ioapics, 1);
	mcfg = find(&r, "MCFG");
	cr_expect_eq(get32(mcfg + 44), 0xB0000000);
	cr_expect_eq(mcfg[54] << 8 | mcfg[55], 255);
	rig_stop(&r);
}

Test(acpi, dmar_is_there_with_the_iommu_alone)
{
	struct rig r;
	const uint8_t *dmar;

	rig_start(&r, 1);
	cr_expect_null(find(&r, "DMAR"));
	rig_stop(&r);
	rig_iommu_start(&r, 1);
	dmar = find(&r, "DMAR");
	cr_assert(dmar);
	cr_expect_eq(sum(dmar, get32(dmar + 4)), 0);
	cr_expect_eq(dmar[36], 39, "host address width less one");
	cr_expect_eq(dmar[37], 0, "no interrupt remapping");
	cr_expect_eq(get32(dmar + 48), 0x00100000, "DRHD of 16 bytes");
	cr_expect_eq(dmar[52], 1, "for all of PCI");
	cr_expect_eq(get32(dmar + 56), 0xFED90000);
	rig_stop(&r);
}

/* Writes a table to a file and has iasl take it apart: it checks sums, lengths
 * and every field. */
static void iasl_check(const char *dir, const uint8_t *t)
{
	char path[128], command[512], line[256];
	bool good = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.4s.dat", dir, (const char *)t);
	f = fopen(path, "w");
	cr_assert(f);
	fwrite(t, 1, get32(t + 4), f);
	fclose(f);
	snprintf(command, sizeof(command), "iasl -d %s 2>&1", path);
	f = popen(command, "r");
	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		cr_expect_null(strcasestr(line, "warning"), "%s", line);
		cr_expect_null(strcasestr(line, "error"), "%s", line);
		good |= strstr(line, "ASL Output") || /* AML */
			strstr(line, "Formatted output");
	}
	cr_expect_eq(pclose(f), 0);
	cr_expect(good, "%s", path);
	/* In the text, iasl marks what it does not believe. */
	snprintf(command, sizeof(command),
		 "grep -iE 'invalid|incorrect|should be' %s/%.4s.dsl", dir,
		 (const char *)t);
	cr_expect_neq(system(command), 0, "%s", path);
}

Test(acpi, iasl_finds_nothing_to_complain_of)
{
	char dir[] = "/tmp/parterre-acpi-XXXXXX", command[512];
	struct rig r;
	const uint8_t *rsdp, *fadt;

	if (system("iasl -v >/dev/null 2>&1") != 0)
		cr_skip_test("iasl is not installed (acpica-tools)");
	rig_iommu_start(&r, 8);
	cr_assert(mkdtemp(dir));
	rsdp = table(&r, BOARD_RSDP);
	fadt = find(&r, "FACP");
	iasl_check(dir, fadt);
	iasl_check(dir, find(&r, "APIC"));
	iasl_check(dir, find(&r, "MCFG"));
	iasl_check(dir, find(&r, "HPET"));
	iasl_check(dir, find(&r, "DMAR"));
	iasl_check(dir, table(&r, get32(rsdp + 16)));
	iasl_check(dir, table(&r, get32(rsdp + 24)));
	iasl_check(dir, table(&r, get32(fadt + 36)));
	iasl_check(dir, table(&r, get32(fadt + 40)));
	/* The DSDT's text compiles again. */
	snprintf(command, sizeof(command), "iasl -we %s/DSDT.dsl >/dev/null",
		 dir);
	cr_expect_eq(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_expect_eq(system(command), 0);
	rig_stop(&r);
}

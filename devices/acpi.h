/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/acpi.h - the tables that firmware would leave in RAM (ACPI
 * specification 6.4): RSDP, RSDT, XSDT, FADT, FACS, DSDT, MADT, MCFG,
 * HPET, and with an IOMMU DMAR.
 *
 * They lie at E0000 and up, where a kernel looks for the RSDP, and say what
 * board.c built.
 *
 * Not modelled: SRAT and other tables; AML methods (the DSDT holds names
 * and resources only, so nothing needs an operation region).
 */
#ifndef PARTERRE_DEVICES_ACPI_H
#define PARTERRE_DEVICES_ACPI_H

#include "sim/machine.h"

#define ACPI_TABLES_BASE  UINT64_C(0xE0000)
#define ACPI_TABLES_BYTES UINT64_C(0x20000)

/* Makes all tables for `cpus` CPUs; buf stands for ACPI_TABLES_BASE.  Gives
 * the number of bytes used. */
size_t acpi_tables_make(uint8_t buf[ACPI_TABLES_BYTES], unsigned cpus,
			bool iommu);

/* Makes and writes them to the machine's RAM. */
bool acpi_tables_install(struct machine *m, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/acpi_pm.h - the fixed hardware of ACPI (specification 6.4, section
 * 4.8) at ports 600-60B: PM1 event block, PM1 control block, PM timer.
 *
 * PM timer: 3.579545 MHz exactly, counted from power-on, 32 bits wide (FADT
 * flag TMR_VAL_EXT).  SLP_EN with SLP_TYP 5 switches the machine off with code
 * 0; SCI_EN always reads one: there is no legacy mode to leave.
 *
 * Not modelled: sleep states other than S5 (recorded as odd), power and sleep
 * buttons, the RTC's alarm, general-purpose events, the global lock.
 */
#ifndef PARTERRE_DEVICES_ACPI_PM_H
#define PARTERRE_DEVICES_ACPI_PM_H

#define ACPI_PM_BASE     0x600
#define ACPI_PM1_EVENT   0x600 /* status, enable: 2 bytes each */
#define ACPI_PM1_CONTROL 0x604 /* 2 bytes */
#define ACPI_PM_TIMER    0x608 /* 4 bytes */
#define ACPI_PM_HZ       3579545
#define ACPI_S5_TYPE     5 /* SLP_TYP of S5, as \_S5 in the DSDT says */
#define ACPI_SCI_PIN     9

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/board.h - which devices the machine has, at which addresses, on
 * which wires.  The addresses are in board.c and in docs/devices.md.
 */
#ifndef PARTERRE_DEVICES_BOARD_H
#define PARTERRE_DEVICES_BOARD_H

#include "sim/machine.h"

/* Adds every device by machine_add_device().  The machine's RAM, bus, queue and
 * CPUs exist before. */
bool board_build(struct machine *m, const struct machine_config *c,
		 struct error *err) MUST_USE;
/* Does what firmware does at each boot: writes its tables to RAM.  Images are
 * loaded after (they must keep out of 0xE0000-0xFFFFF). */
bool board_firmware(struct machine *m, struct error *err) MUST_USE;

/* The ACPI root pointer, for a loader that passes it on. */
#define BOARD_RSDP UINT64_C(0xE0000)

/* Memory-mapped registers that the host bridge decodes. */
#define BOARD_PCI_WINDOW      UINT64_C(0xC0000000)
#define BOARD_PCI_WINDOW_LAST UINT64_C(0xFEBFFFFF)
/* Of vga0, in that window. */
#define BOARD_VIDEO_MEMORY UINT64_C(0xD0000000)
#define BOARD_VIDEO_BYTES  UINT64_C(0x1000000)
#define BOARD_IOAPIC_ID    0

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/firmware.h - a guest that begins where the CPU does: a ROM that ends at 4
 * GiB, entered at the reset vector (FFFFFFF0h) in real mode.
 *
 * Its last 128 KiB are copied to E0000-FFFFF, as a chip set shows them there;
 * that copy is RAM.  Nothing is prepared for it: no ACPI tables, no MTRRs.
 * Devices are as after RESET#, only that PCI functions have addresses.
 */
#ifndef PARTERRE_SIM_FIRMWARE_H
#define PARTERRE_SIM_FIRMWARE_H

#include "sim/bus.h"

/* Reads the file and puts it into the address space; before there are CPUs. */
bool firmware_add(struct bus *b, const char *path, struct error *err) MUST_USE;
/* At power-on and at every reset. */
void firmware_start(struct machine *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/ioapic.h - I/O APIC 82093AA (Intel data sheet 290566-001): 24 pins,
 * each with a redirection entry that says which message it becomes.
 *
 * Wires say "asserted": the polarity bit of an entry is kept and read back, but
 * turns nothing round.
 *
 * Not modelled: polarity (above), APIC bus arbitration ID (reads the ID),
 * delivery status (delivery is immediate: always idle), SMI delivery (the local
 * APIC records it as odd).
 */
#ifndef PARTERRE_DEVICES_IOAPIC_H
#define PARTERRE_DEVICES_IOAPIC_H

#include "sim/device.h"

#define IOAPIC_BASE UINT64_C(0xFEC00000)
#define IOAPIC_PINS 24

/* As an irq_line wants it. */
void ioapic_pin_set(struct device *ioapic, unsigned pin, bool level);

/* Whether the pin's entry is not masked. */
bool ioapic_listens(const struct device *ioapic, unsigned pin);

/* A local APIC's EOI of a level-triggered vector; fine without an I/O APIC. */
void ioapic_eoi(struct machine *m, uint8_t vector);

#endif

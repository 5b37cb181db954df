/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/i8259.h - the pair of interrupt controllers 8259A (Intel data sheet
 * 231468-003) and the edge/level registers ELCR1, ELCR2 of an ISA bridge (Intel
 * 82371SB data sheet 290550, 2.5).
 *
 *   20-21  master: command, data      A0-A1  slave, on the master's IR2
 *   4D0    ELCR of IR0-7              4D1    ELCR of IR8-15
 *
 * Reset leaves what firmware leaves: both initialised, vectors 08h and 70h, all
 * masked; IRQ 9 (the SCI) is a level, the others are edges.
 *
 * INT goes to LINT0 of lapic0 and to I/O APIC pin 0 and follows the requests: a
 * request that goes away takes INT with it, so that a default IR7 comes only to
 * a CPU that had begun to acknowledge.
 *
 * Fault: `spurious` (7 or 15): INT without a request; its INTA gives the
 * default IR7 of the master, or of the slave.
 *
 * Not modelled: MCS-80 mode and the buffered modes (recorded as odd), ICW1's
 * LTIM and ADI (as in ISA bridges, ELCR has LTIM's part), other wirings than
 * the PC's in ICW3 (recorded as odd).
 */
#ifndef PARTERRE_DEVICES_I8259_H
#define PARTERRE_DEVICES_I8259_H

#include "sim/device.h"

#define I8259_PINS 16

/* An input, IR0 to IR15.  Pin 2 is the slave's. */
void i8259_pin_set(struct device *pic, unsigned pin, bool level);

/* Whether the input is not masked at its own chip. */
bool i8259_listens(const struct device *pic, unsigned pin);

/* INTA: the vector, of a default IR7 when nothing is requested any more.  -1:
 * the machine has no 8259. */
int i8259_ack(struct machine *m);

#endif

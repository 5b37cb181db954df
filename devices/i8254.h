/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/i8254.h - the interval timer 8254 (Intel data sheet 231164-005) and
 * the port that a PC hangs on its counter 2.
 *
 *   40-42  counters 0 to 2
 *   43     control word, read-back command
 *   61     gate of counter 2 (bit 0), speaker (bit 1), refresh toggle (bit 4),
 *          OUT 2 (bit 5)
 *
 * CLK is 1,193,182 Hz, counted from power-on.  Counter 0 drives ISA IRQ 0;
 * counter 1 goes nowhere; the speaker is silent.  Gates 0 and 1 are high.
 *
 * After reset no counter counts before it is programmed.  Counters run on
 * paper: what one shows follows from the CLK at which it was loaded.  Events
 * are scheduled for counter 0 alone and only while its IRQ is unmasked at an
 * interrupt controller (isa.h).
 *
 * QUIRK: bit 4 of port 61 toggles every 18 CLKs, as on a PC whose firmware
 * programmed counter 1 for memory refresh, whatever counter 1 does.
 *
 * Fault: `stop` (0 to 2): that counter gets no CLK until the next reset.
 *
 * Not modelled: a count of 1 in modes 2 and 3, which the sheet forbids
 * (recorded as odd, counts as 2); bits 2 and 3 of port 61 are kept but gate no
 * NMI.
 */
#ifndef PARTERRE_DEVICES_I8254_H
#define PARTERRE_DEVICES_I8254_H

#include "sim/device.h"

#define I8254_HZ UINT64_C(1193182)

#endif

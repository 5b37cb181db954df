/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/mc146818.h - real-time clock MC146818A (Motorola data sheet) with 128
 * bytes of CMOS RAM, on a time base of 32.768 kHz.
 *
 *   70  index (bits 6:0), NMI off (bit 7); reads give ones
 *   71  the byte
 *
 * The clock runs in virtual time from the date that the machine is configured
 * with; it and the RAM are on a battery: reset leaves them alone.  Time is BCD,
 * 24 hours, unless the guest asks otherwise; byte 32h is the century, which the
 * year carries into.  Drives ISA IRQ 8.
 *
 * An update takes 1984 us and UIP announces it 244 us before (figure 15); the
 * registers change, and the flags are set, in the instant at which it ends.
 * Events are scheduled only for enabled interrupts, and none while IRQF waits
 * to be read.
 *
 * RAM as firmware leaves it: memory sizes (15h-18h, 30h-31h, 34h-35h,
 * 5Bh-5Dh), equipment (14h), the number of CPUs less one (5Fh), the checksum of
 * 10h-2Dh (2Eh-2Fh).
 *
 * Faults: `battery` (VRT reads 0 from then on), `stop` (the oscillator stops),
 *   `jump N` (N seconds forward, at once).
 *
 * Not modelled: daylight saving (recorded as odd when enabled), the square
 * wave, other time bases (recorded as odd; the divider then stands), NMI off
 * (kept; nothing here sends an NMI).
 */
#ifndef PARTERRE_DEVICES_MC146818_H
#define PARTERRE_DEVICES_MC146818_H

#include "sim/device.h"

#define MC146818_CENTURY 0x32

#endif

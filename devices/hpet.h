/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/hpet.h - high precision event timers (IA-PC HPET specification 1.0a):
 * one block of three timers on a 64-bit counter of 100 MHz.
 *
 * Timer 0 is periodic or one-shot, the others are one-shot; all compare 64 or
 * 32 bits and interrupt by I/O APIC pins 20 to 23, by messages, or, timers 0
 * and 1 with LegacyReplacement, as IRQ 0 and IRQ 8.
 *
 * A timer is an event only while its interrupt is enabled; what a disabled one
 * did is made up when somebody looks.
 *
 * Not modelled: a write of half of the counter while it runs (it is taken as a
 * write of the whole, with the other half as it is).
 */
#ifndef PARTERRE_DEVICES_HPET_H
#define PARTERRE_DEVICES_HPET_H

#include "sim/base.h"

#define HPET_BASE   UINT64_C(0xFED00000)
#define HPET_BYTES  UINT64_C(0x400)
#define HPET_HZ     UINT64_C(100000000)
#define HPET_FS     UINT64_C(10000000) /* a tick, in femtoseconds */
#define HPET_TIMERS 3

/* General capabilities and ID, low half: also in the ACPI table. */
#define HPET_ID                                                                \
	(UINT32_C(0x8086) << 16 | 1u << 15 | 1u << 13 |                        \
	 (HPET_TIMERS - 1) << 8 | 1)

#endif

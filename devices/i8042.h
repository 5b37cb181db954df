/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/i8042.h - keyboard controller 8042 of a PC/AT with the PS/2 mouse
 * port (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * auxiliary device controller"), and system control port A.
 *
 *   60  data             64  status (read), command (write)
 *   92  fast A20 (bit 1, kept), fast reset (bit 0)
 *
 * At its ends: a keyboard and a mouse (ps2.h).  ISA IRQ 1 for the keyboard, 12
 * for the mouse.
 *
 * Timing: a byte from a device takes I8042_BYTE_PS, an answer of the controller
 * itself I8042_SELF_PS; both begin when the output buffer is free.  What the
 * guest writes arrives at once (the input buffer is always empty).
 *
 * After reset as firmware leaves it: both ports on, interrupts of both on,
 * translation to scan code set 1 on.
 *
 * Not modelled: A20 itself (it is always on; switching it off is odd), the
 * test inputs, parity and timeout errors, a keyboard lock.
 */
#ifndef PARTERRE_DEVICES_I8042_H
#define PARTERRE_DEVICES_I8042_H

#include "sim/device.h"

#define I8042_BYTE_PS (880 * PS_PER_US) /* 11 bits of 12.5 kHz */
#define I8042_SELF_PS (20 * PS_PER_US)

/* Input from outside, now; see ps2.h. */
bool i8042_press(struct device *kbc, const char *keys, struct error *err);
bool i8042_type(struct device *kbc, const char *text, struct error *err);
/* Bytes as the keyboard sends them, of whole keys that go down or up; returns
 * how many were taken: all, or none when the guest does not read. */
size_t i8042_scan(struct device *kbc, const uint8_t *bytes, size_t count);
void i8042_mouse(struct device *kbc, int32_t dx, int32_t dy, int32_t dz,
		 uint8_t buttons);

#endif

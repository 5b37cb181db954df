/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/uart16550.h - UART PC16550D (National Semiconductor data sheet, June
 * 1995; section numbers are of it), wired as COM1 (ports 3F8-3FF, IRQ 4) or
 * COM2 (2F8-2FF, IRQ 3) of a PC: interrupt gated by OUT2, 1.8432 MHz crystal
 * (property "hz" for a faster one: with the same divisors all baud rates
 * scale).
 *
 * Timing: a character takes 1 start, 5 to 8 data, 0 or 1 parity and 1, 1.5 or 2
 * stop bits of 16 * divisor crystal clocks each.  Back to back, frames are
 * counted from the first one's start, so that they do not drift.  The byte
 * reaches the console when its last stop bit has left the shift register.
 *
 * Input (machine_serial_input()) waits at the far end, up to 4096 bytes, and
 * comes at the rate at which the guest has set the UART.  The far end sends
 * only what the receiver has room for, as if it were told by RTS, so that no
 * input is lost because the guest is slow; uart16550_receive() does not ask.
 *
 * Not modelled: the wait for the next baud clock edge before a start bit (at
 * most a bit time), the initial THRE delay of a frame, DMA signalling (RXRDY,
 * TXRDY), break and parity as the line would show them, the modem's side: CTS,
 * DSR and DCD are always on.
 */
#ifndef PARTERRE_DEVICES_UART16550_H
#define PARTERRE_DEVICES_UART16550_H

#include "sim/device.h"

#define UART16550_HZ UINT64_C(1843200)

/* A character has arrived whole on the line.  False: it was lost (overrun), as
 * the guest will see in LSR. */
bool uart16550_receive(struct device *uart, uint8_t c);

#endif

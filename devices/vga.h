/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vga.h - VGA with the Bochs display interface, as a PCI function
 * (1234:1111).  Sources: IBM's "PS/2 Hardware Interface Technical Reference,
 * Video Subsystem"; the Bochs "VBE display API" for the DISPI registers; QEMU's
 * "standard VGA" specification for BAR 2.
 *
 *   ports 3B0-3DF   the VGA's registers; the CRT controller and input status 1
 *                   at 3Bx or 3Dx, as bit 0 of miscellaneous output says
 *   ports 1CE, 1CF  DISPI index and data, words
 *   A0000-BFFFF     the window that graphics register 6 chooses
 *   BAR 0           all 16 MiB of video memory, linear
 *   BAR 2           400-41F: ports 3C0-3DF; 500-515: the DISPI registers;
 *                   anything else reads zero (no EDID, no extension registers)
 *
 * Byte p of plane address a is byte 4a + p of video memory in every mode: what
 * the CRT controller's counter addresses, chain 4 and odd/even included.
 *
 * Firmware has been there: text mode 3 (80x25, 720x400 dots) with a font in
 * plane 2, or a linear mode (properties width, height, depth).
 *
 * The retrace bits of input status 1 follow virtual time and the CRT
 * controller's registers.  There is no interrupt.
 *
 * Fault: `bit` (that bit of video memory is turned over).
 *
 * Not modelled: an expansion ROM; DISPI modes of 4 bits; CGA graphics
 * (interleaved shift, address bits from the row counter); panning by pixels,
 * preset row scan, overscan; the odd/even page bits; retrace interrupt; power
 * management by sync signals.
 */
#ifndef PARTERRE_DEVICES_VGA_H
#define PARTERRE_DEVICES_VGA_H

#include "sim/device.h"

#define VGA_MEMORY_BYTES UINT64_C(0x1000000)
#define VGA_WIDTH_MAX    2560
#define VGA_HEIGHT_MAX   1600

/* A linear mode: `depth` bits of 8, 15, 16, 24, 32 for a pixel. */
struct vga_linear {
	uint64_t base;  /* of its first pixel, as CPUs see it; 0: hidden */
	uint32_t pitch; /* bytes from line to line */
	uint16_t width, height, depth;
};
/* False: text or a VGA mode is shown. */
bool vga_linear(struct device *d, struct vga_linear *mode);
/* Is this a mode that the device has? */
bool vga_mode_fits(uint64_t width, uint64_t height, uint64_t depth);

/* What the screen shows now: rows of 3 bytes a pixel, red first.  The caller
 * frees `rgb`. */
struct vga_picture {
	unsigned width, height;
	uint8_t *rgb;
};
void vga_picture(struct device *d, struct vga_picture *p);

#endif

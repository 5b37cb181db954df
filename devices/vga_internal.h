/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vga_internal.h - vga.c (PCI function, registers), vga_memory.c (the
 * legacy window), vga_render.c (what the screen shows), vga_font.c.
 */
#ifndef PARTERRE_DEVICES_VGA_INTERNAL_H
#define PARTERRE_DEVICES_VGA_INTERNAL_H

#include "devices/pci_internal.h"
#include "devices/vga.h"

#define VGA_PLANES      4
#define VGA_PLANE_BYTES 65536
#define VGA_DAC_COLOURS 256

/* Miscellaneous output. */
#define MISC_COLOUR 0x01 /* 3Dx, else 3Bx */
#define MISC_RAM    0x02
#define MISC_CLOCK  0x0C

/* Sequencer. */
enum {
	SEQ_RESET,
	SEQ_CLOCKING,
	SEQ_MAP_MASK,
	SEQ_CHARACTER_MAP,
	SEQ_MEMORY_MODE,
	SEQ_COUNT,
};
#define CLOCKING_8_DOTS    0x01
#define CLOCKING_HALF      0x08
#define CLOCKING_OFF       0x20
#define MEMORY_MODE_LINEAR 0x04 /* not odd/even */
#define MEMORY_MODE_CHAIN4 0x08

/* Graphics controller. */
enum {
	GC_SET_RESET,
	GC_ENABLE_SET_RESET,
	GC_COLOUR_COMPARE,
	GC_ROTATE,
	GC_READ_MAP,
	GC_MODE,
	GC_MISC,
	GC_COLOUR_CARE,
	GC_BIT_MASK,
	GC_COUNT,
};
#define GC_MODE_WRITE    0x03
#define GC_MODE_COMPARE  0x08
#define GC_MODE_256      0x40
#define GC_MISC_GRAPHICS 0x01

/* Attribute controller: 16 palette registers, then these. */
enum {
	ATTR_MODE = 0x10,
	ATTR_OVERSCAN,
	ATTR_PLANES,
	ATTR_PANNING,
	ATTR_COLOUR_SELECT,
	ATTR_COUNT,
};
#define ATTR_INDEX_SCREEN   0x20 /* the palette is the screen's */
#define ATTR_MODE_9TH       0x04
#define ATTR_MODE_BLINK     0x08
#define ATTR_MODE_PALETTE54 0x80

/* CRT controller. */
enum {
	CRTC_H_TOTAL,
	CRTC_H_DISPLAY_END,
	CRTC_OVERFLOW = 0x07,
	CRTC_MAX_SCAN = 0x09,
	CRTC_CURSOR_START,
	CRTC_CURSOR_END,
	CRTC_START_HIGH,
	CRTC_START_LOW,
	CRTC_CURSOR_HIGH,
	CRTC_CURSOR_LOW,
	CRTC_V_RETRACE_START,
	CRTC_V_RETRACE_END,
	CRTC_V_DISPLAY_END,
	CRTC_OFFSET,
	CRTC_LINE_COMPARE = 0x18,
	CRTC_COUNT,
};
#define CRTC_V_TOTAL       0x06
#define CRTC_CURSOR_HIDDEN 0x20
#define CRTC_PROTECT       0x80 /* of the retrace end register */
#define CRTC_DOUBLE        0x80 /* of the maximum scan register */

/* DISPI registers. */
enum {
	VBE_ID,
	VBE_XRES,
	VBE_YRES,
	VBE_BPP,
	VBE_ENABLE,
	VBE_BANK,
	VBE_VIRT_WIDTH,
	VBE_VIRT_HEIGHT,
	VBE_X_OFFSET,
	VBE_Y_OFFSET,
	VBE_MEMORY_64K,
	VBE_COUNT,
};
#define VBE_ENABLED     0x01
#define VBE_GETCAPS     0x02
#define VBE_8BIT_DAC    0x20
#define VBE_LINEAR      0x40
#define VBE_NOCLEAR     0x80
#define VBE_ENABLE_BITS 0xE3

struct vga {
	struct pci_function pci;
	/* Silicon. */
	uint8_t misc, feature, subsystem;
	uint8_t seq_index, seq[SEQ_COUNT];
	uint8_t gc_index, gc[GC_COUNT];
	uint8_t crtc_index, crtc[CRTC_COUNT];
	uint8_t attr_index, attr_data; /* attr_data: 3C0 takes data next */
	uint8_t attr[ATTR_COUNT];
	uint8_t dac_mask, dac_writing; /* dac_writing: 3C8 was written last */
	uint8_t dac_read, dac_write, dac_step; /* dac_step: colour component */
	uint8_t dac_pending[2];
	uint8_t dac[3 * VGA_DAC_COLOURS];
	uint8_t latch[VGA_PLANES];
	uint16_t vbe_index;
	uint16_t vbe[VBE_COUNT];
	uint8_t memory[VGA_MEMORY_BYTES];
	/* Wiring: the mode that firmware leaves; width 0: text. */
	uint16_t boot_width, boot_height, boot_depth;
};

extern const struct bus_ops vga_window_ops; /* A0000 */

#define VGA_GLYPHS       256
#define VGA_GLYPH_BYTES  32 /* of plane 2; the lower 16 are used */
#define VGA_GLYPH_HEIGHT 16
/* One character of code page 437: 16 rows of 8 dots. */
void vga_glyph(unsigned code, uint8_t row[VGA_GLYPH_HEIGHT]);

/* The frame that is drawn now, from power-on, and where in it: lines and
 * characters count from the upper left corner of what is displayed. */
struct vga_beam {
	uint64_t frame;
	unsigned line, character;
};
struct vga_beam vga_beam(struct vga *v);
unsigned vga_v_display_end(const struct vga *v); /* the last line */
unsigned vga_v_retrace_start(const struct vga *v);

static inline bool vga_vbe_on(const struct vga *v)
{
	return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}
static inline unsigned vga_pixel_bytes(const struct vga *v)
{
	return (v->vbe[VBE_BPP] + 7U) / 8;
}

#endif

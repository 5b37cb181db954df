/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vga.c - the VGA's registers by port and by BAR 2, the DISPI
 * registers, video memory by BAR 0.
 */
#include <string.h>

#include "devices/rate.h"
#include "devices/vga_internal.h"
#include "sim/check.h"

#define PORT_FIRST  0x3B0
#define PORT_COUNT  0x30
#define WINDOW_BASE UINT64_C(0xA0000)
#define WINDOW_SIZE UINT64_C(0x20000)

#define MMIO_BYTES     UINT64_C(0x1000)
#define MMIO_PORTS     0x400 /* 3C0 and up */
#define MMIO_PORTS_END 0x420
#define MMIO_DISPI     0x500
#define MMIO_DISPI_END (MMIO_DISPI + 2 * VBE_COUNT)

#define PCI_COMMAND_IO       0x0001
#define PCI_BAR_PREFETCHABLE 0x8

#define DISPI_ID_FIRST 0xB0C0
#define DISPI_ID       0xB0C5
#define DISPI_DEPTH    32 /* the most bits of a pixel */

static struct vga *vga_of(struct device *d)
{
	return (struct vga *)d;
}

/* ---- the beam ---- */

/* Dots a second by the clock select bits; the others are external inputs. */
static uint64_t dot_hz(const struct vga *v)
{
	return (v->misc & MISC_CLOCK) == 0x04 ? 28322000 : 25175000;
}

static unsigned character_dots(const struct vga *v)
{
	unsigned dots = v->seq[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9;

	return v->seq[SEQ_CLOCKING] & CLOCKING_HALF ? 2 * dots : dots;
}

/* A vertical value of ten bits: the upper two are in the overflow register. */
static unsigned vertical(const struct vga *v, unsigned low, unsigned bit8,
			 unsigned bit9)
{
	uint8_t overflow = v->crtc[CRTC_OVERFLOW];

	return v->crtc[low] | (overflow >> bit8 & 1U) << 8 |
	       (overflow >> bit9 & 1U) << 9;
}

unsigned vga_v_display_end(const struct vga *v)
{
	return vertical(v, CRTC_V_DISPLAY_END, 1, 6);
}

unsigned vga_v_retrace_start(const struct vga *v)
{
	return vertical(v, CRTC_V_RETRACE_START, 2, 7);
}

struct vga_beam vga_beam(struct vga *v)
{
	uint64_t dots =
		rate_edges(machine_now(v->pci.device.machine), dot_hz(v));
	uint64_t characters = dots / character_dots(v);
	unsigned line = v->crtc[CRTC_H_TOTAL] + 5U;
	unsigned lines = vertical(v, CRTC_V_TOTAL, 0, 5) + 2U;

	return (struct vga_beam){
		.frame = characters / line / lines,
		.line = (unsigned)(characters / line % lines),
		.character = (unsigned)(characters % line),
	};
}

/* Input status 1.  The retrace ends at the line whose low four bits the end
 * register has. */
static uint8_t input_status(struct vga *v)
{
	struct vga_beam beam = vga_beam(v);
	unsigned start = vga_v_retrace_start(v);
	unsigned lines = (v->crtc[CRTC_V_RETRACE_END] - start) & 0xF;
	bool retrace = beam.line - start < (lines ? lines : 16);
	bool shown = beam.line <= vga_v_display_end(v) &&
		     beam.character <= v->crtc[CRTC_H_DISPLAY_END];

	v->attr_data = 0;
	return (uint8_t)((retrace ? 0x08 : 0) | (shown ? 0 : 0x01));
}

/* ---- the DAC ---- */

static void dac_write(struct vga *v, uint8_t value)
{
	if (!(v->vbe[VBE_ENABLE] & VBE_8BIT_DAC))
		value &= 0x3F;
	if (v->dac_step < 2) {
		v->dac_pending[v->dac_step++] = value;
		return;
	}
	memcpy(&v->dac[3 * v->dac_write], v->dac_pending, 2);
	v->dac[3 * v->dac_write + 2] = value;
	v->dac_write++;
	v->dac_step = 0;
}

static uint8_t dac_read(struct vga *v)
{
	uint8_t value = v->dac[3 * v->dac_read + v->dac_step];

	if (++v->dac_step == 3) {
		v->dac_step = 0;
		v->dac_read++;
	}
	return value;
}

/* ---- the registers by port ---- */

static uint8_t attr_read(const struct vga *v)
{
	unsigned i = v->attr_index & 0x1F;

	return i < ATTR_COUNT ? v->attr[i] : 0;
}

static void attr_write(struct vga *v, uint8_t value)
{
	static const uint8_t bits[ATTR_COUNT] = {
		0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
		0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
		0x3F, 0x3F, 0xEF, 0xFF, 0x3F, 0x0F, 0x0F,
	};
	unsigned i = v->attr_index & 0x1F;

	if (!v->attr_data)
		v->attr_index = value & 0x3F;
	else if (i < ATTR_COUNT)
		v->attr[i] = value & bits[i];
	v->attr_data ^= 1;
}

static void seq_write(struct vga *v, uint8_t value)
{
	static const uint8_t bits[SEQ_COUNT] = {0x03, 0x3D, 0x0F, 0x3F, 0x0E};

	if (v->seq_index < SEQ_COUNT)
		v->seq[v->seq_index] = value & bits[v->seq_index];
}

static void gc_write(struct vga *v, uint8_t value)
{
	static const uint8_t bits[GC_COUNT] = {0x0F, 0x0F, 0x0F, 0x1F, 0x03,
					       0x7B, 0x0F, 0x0F, 0xFF};

	if (v->gc_index < GC_COUNT)
		v->gc[v->gc_index] = value & bits[v->gc_index];
}

/* Registers 0 to 7 may be protected; bit 4 of 7 is never. */
static void crtc_write(struct vga *v, uint8_t value)
{
	unsigned i = v->crtc_index;

	if (i >= CRTC_COUNT)
		return;
	if (i <= CRTC_OVERFLOW &&
	    (v->crtc[CRTC_V_RETRACE_END] & CRTC_PROTECT)) {
		if (i == CRTC_OVERFLOW)
			v->crtc[i] = (uint8_t)((v->crtc[i] & ~0x10) |
					       (value & 0x10));
		return;
	}
	v->crtc[i] = value;
}

/* 3B4, 3B5, 3BA and 3D4, 3D5, 3DA are the same registers, at one address at a
 * time.  False: not at this one now. */
static bool port_answers(const struct vga *v, unsigned port)
{
	unsigned low = port & 0xF;

	if (port >= 0x3C0 && port < 0x3D0)
		return true;
	return (low == 4 || low == 5 || low == 0xA) &&
	       (port >= 0x3D0) == (v->misc & MISC_COLOUR);
}

/* Addresses of the monochrome alias are given as 3Dx. */
static uint8_t register_read(struct vga *v, unsigned port)
{
	switch (port) {
	case 0x3C0:
		return v->attr_index;
	case 0x3C1:
		return attr_read(v);
	case 0x3C2:
		return 0x10; /* a colour display is there */
	case 0x3C3:
		return v->subsystem;
	case 0x3C4:
		return v->seq_index;
	case 0x3C5:
		return v->seq_index < SEQ_COUNT ? v->seq[v->seq_index] : 0;
	case 0x3C6:
		return v->dac_mask;
	case 0x3C7:
		return v->dac_writing ? 0 : 3;
	case 0x3C8:
		return v->dac_write;
	case 0x3C9:
		return dac_read(v);
	case 0x3CA:
		return v->feature;
	case 0x3CC:
		return v->misc;
	case 0x3CE:
		return v->gc_index;
	case 0x3CF:
		return v->gc_index < GC_COUNT ? v->gc[v->gc_index] : 0;
	case 0x3D4:
		return v->crtc_index;
	case 0x3D5:
		return v->crtc_index < CRTC_COUNT ? v->crtc[v->crtc_index] : 0;
	case 0x3DA:
		return input_status(v);
	default:
		return 0xFF;
	}
}

static void register_write(struct vga *v, unsigned port, uint8_t value)
{
	switch (port) {
	case 0x3C0:
		attr_write(v, value);
		break;
	case 0x3C2:
		v->misc = value & 0xEF;
		break;
	case 0x3C3:
		v->subsystem = value & 1;
		break;
	case 0x3C4:
		v->seq_index = value & 7;
		break;
	case 0x3C5:
		seq_write(v, value);
		break;
	case 0x3C6:
		v->dac_mask = value;
		break;
	case 0x3C7:
		v->dac_read = value;
		v->dac_step = 0;
		v->dac_writing = 0;
		break;
	case 0x3C8:
		v->dac_write = value;
		v->dac_step = 0;
		v->dac_writing = 1;
		break;
	case 0x3C9:
		dac_write(v, value);
		break;
	case 0x3CE:
		v->gc_index = value & 0xF;
		break;
	case 0x3CF:
		gc_write(v, value);
		break;
	case 0x3D4:
		v->crtc_index = value & 0x3F;
		break;
	case 0x3D5:
		crtc_write(v, value);
		break;
	case 0x3DA:
		v->feature = value & 3;
		break;
	default:
		machine_odd(&v->pci.device, "read-only register", port, value);
		break;
	}
}

static uint8_t port_byte(struct vga *v, unsigned port)
{
	if (!(pci_command(&v->pci) & PCI_COMMAND_IO) || !port_answers(v, port))
		return 0xFF;
	return register_read(v, port >= 0x3C0 ? port : port + 0x20);
}

static void port_byte_write(struct vga *v, unsigned port, uint8_t value)
{
	if (!(pci_command(&v->pci) & PCI_COMMAND_IO))
		machine_odd(&v->pci.device, "I/O decoding is off", port, value);
	else if (port_answers(v, port))
		register_write(v, port >= 0x3C0 ? port : port + 0x20, value);
}

/* A word is two bytes: index and data. */
static uint64_t ports_read(struct device *d, uint64_t off, unsigned size)
{
	unsigned port = PORT_FIRST + (unsigned)off;
	uint64_t value = port_byte(vga_of(d), port);

	return size == 1
		       ? value
		       : value | (uint64_t)port_byte(vga_of(d), port + 1) << 8;
}

static void ports_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	unsigned port = PORT_FIRST + (unsigned)off;

	port_byte_write(vga_of(d), port, (uint8_t)value);
	if (size == 2)
		port_byte_write(vga_of(d), port + 1, (uint8_t)(value >> 8));
}

/* ---- DISPI ---- */

bool vga_mode_fits(uint64_t width, uint64_t height, uint64_t depth)
{
	if (depth != 8 && depth != 15 && depth != 16 && depth != 24 &&
	    depth != 32)
		return false;
	return width && height && width <= VGA_WIDTH_MAX && width % 8 == 0 &&
	       height <= VGA_HEIGHT_MAX &&
	       width * height * ((depth + 7) / 8) <= VGA_MEMORY_BYTES;
}

static uint32_t line_bytes(const struct vga *v)
{
	return v->vbe[VBE_VIRT_WIDTH] * vga_pixel_bytes(v);
}

/* As many lines as video memory has room for. */
static void virtual_width_set(struct vga *v, uint16_t width)
{
	if (width < v->vbe[VBE_XRES])
		width = v->vbe[VBE_XRES];
	v->vbe[VBE_VIRT_WIDTH] = width;
	if (VGA_MEMORY_BYTES / line_bytes(v) < v->vbe[VBE_YRES]) {
		machine_odd(&v->pci.device, "lines beyond video memory",
			    VBE_VIRT_WIDTH, width);
		v->vbe[VBE_VIRT_WIDTH] = v->vbe[VBE_XRES];
	}
	width = (uint16_t)(VGA_MEMORY_BYTES / line_bytes(v) < UINT16_MAX
				   ? VGA_MEMORY_BYTES / line_bytes(v)
				   : UINT16_MAX);
	v->vbe[VBE_VIRT_HEIGHT] = width;
}

static void mode_begin(struct vga *v, uint16_t enable)
{
	if (!vga_mode_fits(v->vbe[VBE_XRES], v->vbe[VBE_YRES],
			   v->vbe[VBE_BPP])) {
		machine_odd(&v->pci.device, "no such DISPI mode", VBE_ENABLE,
			    v->vbe[VBE_BPP]);
		v->vbe[VBE_ENABLE] &= (uint16_t)~VBE_ENABLED;
		return;
	}
	v->vbe[VBE_X_OFFSET] = 0;
	v->vbe[VBE_Y_OFFSET] = 0;
	v->vbe[VBE_BANK] = 0;
	virtual_width_set(v, v->vbe[VBE_XRES]);
	if (!(enable & VBE_NOCLEAR)) {
		size_t shown = (size_t)line_bytes(v) * v->vbe[VBE_YRES];

		device_memory_changes(&v->pci.device, v->memory, shown);
		memset(v->memory, 0, shown);
	}
}

static uint16_t dispi_read(const struct vga *v, unsigned i)
{
	static const uint16_t most[] = {
		[VBE_XRES] = VGA_WIDTH_MAX,
		[VBE_YRES] = VGA_HEIGHT_MAX,
		[VBE_BPP] = DISPI_DEPTH,
	};

	if (i >= VBE_COUNT)
		return 0;
	if ((v->vbe[VBE_ENABLE] & VBE_GETCAPS) && i >= VBE_XRES && i <= VBE_BPP)
		return most[i];
	return v->vbe[i];
}

/* The geometry is fixed while a mode is shown. */
static void dispi_write(struct vga *v, unsigned i, uint16_t value)
{
	bool on = vga_vbe_on(v);

	switch (i) {
	case VBE_ID:
		if (value >= DISPI_ID_FIRST && value <= DISPI_ID)
			v->vbe[i] = value;
		break;
	case VBE_XRES:
	case VBE_YRES:
	case VBE_BPP:
		if (on)
			machine_odd(&v->pci.device, "DISPI mode is fixed", i,
				    value);
		else
			v->vbe[i] = value;
		break;
	case VBE_ENABLE:
		v->vbe[i] = value & VBE_ENABLE_BITS;
		if (!on && (value & VBE_ENABLED))
			mode_begin(v, value);
		break;
	case VBE_VIRT_WIDTH:
		if (on)
			virtual_width_set(v, value);
		break;
	case VBE_BANK:
	case VBE_X_OFFSET:
	case VBE_Y_OFFSET:
		v->vbe[i] = value;
		break;
	default:
		machine_odd(&v->pci.device, "read-only register", i, value);
		break;
	}
}

/* Words at 1CE and 1CF. */
static uint64_t dispi_ports_read(struct device *d, uint64_t off, unsigned size)
{
	const struct vga *v = vga_of(d);

	(void)size;
	if (!(pci_command(&v->pci) & PCI_COMMAND_IO))
		return UINT16_MAX;
	return off ? dispi_read(v, v->vbe_index) : v->vbe_index;
}

static void dispi_ports_write(struct device *d, uint64_t off, unsigned size,
			      uint64_t value)
{
	struct vga *v = vga_of(d);

	(void)size;
	if (!(pci_command(&v->pci) & PCI_COMMAND_IO))
		machine_odd(d, "I/O decoding is off", 0x1CE + off, value);
	else if (off)
		dispi_write(v, v->vbe_index, (uint16_t)value);
	else
		v->vbe_index = (uint16_t)value;
}

/* ---- BAR 2 ---- */

static uint64_t mmio_read(struct device *d, uint64_t off, unsigned size)
{
	struct vga *v = vga_of(d);
	uint64_t value;

	if (off >= MMIO_PORTS && off < MMIO_PORTS_END) {
		off = 0x3C0 + off - MMIO_PORTS;
		value = register_read(v, (unsigned)off);
		return size == 1 ? value
				 : value | (uint64_t)register_read(
						   v, (unsigned)off + 1)
						   << 8;
	}
	if (off >= MMIO_DISPI && off < MMIO_DISPI_END && size == 2)
		return dispi_read(v, (unsigned)(off - MMIO_DISPI) / 2);
	return 0;
}

static void mmio_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	struct vga *v = vga_of(d);

	if (off >= MMIO_PORTS && off < MMIO_PORTS_END) {
		off = 0x3C0 + off - MMIO_PORTS;
		register_write(v, (unsigned)off, (uint8_t)value);
		if (size == 2)
			register_write(v, (unsigned)off + 1,
				       (uint8_t)(value >> 8));
	} else if (off >= MMIO_DISPI && off < MMIO_DISPI_END && size == 2) {
		dispi_write(v, (unsigned)(off - MMIO_DISPI) / 2,
			    (uint16_t)value);
	} else {
		machine_odd(d, "no register here", off, value);
	}
}

/* ---- BAR 0 ---- */

static uint64_t linear_read(struct device *d, uint64_t off, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)vga_of(d)->memory[off + i] << (8 * i);
	return value;
}

static void linear_write(struct device *d, uint64_t off, unsigned size,
			 uint64_t value)
{
	device_memory_changes(d, vga_of(d)->memory + off, size);
	for (unsigned i = 0; i < size; i++, value >>= 8)
		vga_of(d)->memory[off + i] = (uint8_t)value;
}

bool vga_linear(struct device *d, struct vga_linear *mode)
{
	const struct vga *v = vga_of(d);

	if (!vga_vbe_on(v))
		return false;
	*mode = (struct vga_linear){
		.base = v->pci.bar[0].mapped,
		.pitch = line_bytes(v),
		.width = v->vbe[VBE_XRES],
		.height = v->vbe[VBE_YRES],
		.depth = v->vbe[VBE_BPP],
	};
	if (mode->base)
		mode->base += (uint64_t)v->vbe[VBE_Y_OFFSET] * mode->pitch +
			      v->vbe[VBE_X_OFFSET] * vga_pixel_bytes(v);
	return true;
}

/* ---- reset ---- */

/* The 64 colours of mode 3: two bits for each component. */
static void dac_reset(struct vga *v)
{
	memset(v->dac, 0, sizeof(v->dac));
	for (unsigned i = 0; i < 64; i++) {
		for (unsigned c = 0; c < 3; c++)
			v->dac[3 * i + c] =
				(uint8_t)((i >> (2 - c) & 1) * 0x2A +
					  (i >> (5 - c) & 1) * 0x15);
	}
}

static void memory_reset(struct vga *v)
{
	device_memory_changes(&v->pci.device, v->memory, VGA_MEMORY_BYTES);
	/* Pages that were never written stay the host's zero page. */
	for (size_t at = 0; at < VGA_MEMORY_BYTES; at += PAGE_BYTES) {
		static const uint8_t zero[PAGE_BYTES];

		if (memcmp(v->memory + at, zero, PAGE_BYTES) != 0)
			memset(v->memory + at, 0, PAGE_BYTES);
	}
	for (unsigned code = 0; code < VGA_GLYPHS; code++) {
		uint8_t row[VGA_GLYPH_HEIGHT];

		vga_glyph(code, row);
		for (unsigned y = 0; y < VGA_GLYPH_HEIGHT; y++)
			v->memory[4 * (code * VGA_GLYPH_BYTES + y) + 2] =
				row[y];
	}
	for (size_t at = 0; at < 4 * 0x4000; at += 4) {
		v->memory[at] = ' ';
		v->memory[at + 1] = 0x07;
	}
}

/* Mode 3 of IBM's BIOS: 80x25 characters of 9x16 dots. */
static void registers_reset(struct vga *v)
{
	static const uint8_t seq[SEQ_COUNT] = {0x03, 0x00, 0x03, 0x00, 0x02};
	static const uint8_t gc[GC_COUNT] = {0,    0,    0, 0,   0,
					     0x10, 0x0E, 0, 0xFF};
	static const uint8_t attr[ATTR_COUNT] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
		0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D,
		0x3E, 0x3F, 0x0C, 0x00, 0x0F, 0x08, 0x00,
	};
	static const uint8_t crtc[CRTC_COUNT] = {
		0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00,
		0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00, 0x9C, 0x8E,
		0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
	};

	v->misc = 0x67;
	v->feature = 0;
	v->subsystem = 1;
	v->seq_index = v->gc_index = v->crtc_index = 0;
	memcpy(v->seq, seq, sizeof(seq));
	memcpy(v->gc, gc, sizeof(gc));
	memcpy(v->attr, attr, sizeof(attr));
	memcpy(v->crtc, crtc, sizeof(crtc));
	v->attr_index = ATTR_INDEX_SCREEN;
	v->attr_data = 0;
	v->dac_mask = 0xFF;
	v->dac_read = v->dac_write = v->dac_step = v->dac_writing = 0;
	memset(v->dac_pending, 0, sizeof(v->dac_pending));
	memset(v->latch, 0, sizeof(v->latch));
}

static void dispi_reset(struct vga *v)
{
	memset(v->vbe, 0, sizeof(v->vbe));
	v->vbe_index = 0;
	v->vbe[VBE_ID] = DISPI_ID;
	v->vbe[VBE_MEMORY_64K] = VGA_MEMORY_BYTES >> 16;
	if (!v->boot_width)
		return;
	v->vbe[VBE_XRES] = v->boot_width;
	v->vbe[VBE_YRES] = v->boot_height;
	v->vbe[VBE_BPP] = v->boot_depth;
	dispi_write(v, VBE_ENABLE, VBE_ENABLED | VBE_LINEAR);
}

static void vga_reset(struct device *d)
{
	struct vga *v = vga_of(d);

	pci_function_reset(&v->pci);
	registers_reset(v);
	dac_reset(v);
	memory_reset(v);
	dispi_reset(v);
}

static bool vga_fault(struct device *d, const char *name, uint64_t argument,
		      struct error *err)
{
	(void)name; /* `bit` alone */
	if (argument / 8 >= VGA_MEMORY_BYTES)
		return error_set(err, EXIT_USAGE,
				 "%s: bit %llu is beyond video memory; give "
				 "one below %llu",
				 d->name, (unsigned long long)argument,
				 (unsigned long long)VGA_MEMORY_BYTES * 8);
	device_memory_changes(d, &vga_of(d)->memory[argument / 8], 1);
	vga_of(d)->memory[argument / 8] ^= (uint8_t)(1 << argument % 8);
	return true;
}

/* ---- the class ---- */

static uint64_t number(const struct device_prop *props, size_t count,
		       const char *name)
{
	const struct device_prop *p = device_prop_find(props, count, name);

	return p ? p->value : 0;
}

static bool take_mode(struct vga *v, const struct device_prop *props,
		      size_t count, struct error *err)
{
	uint64_t width = number(props, count, "width");
	uint64_t height = number(props, count, "height");
	uint64_t depth = number(props, count, "depth");

	if (!width)
		return true;
	if (!vga_mode_fits(width, height, depth))
		return error_set(
			err, EXIT_USAGE,
			"%s: no video mode %llux%llux%llu; give a width of at "
			"most %u, a multiple of 8, a height of at most %u and "
			"8, 15, 16, 24 or 32 bits, 16 MiB in all",
			v->pci.device.name, (unsigned long long)width,
			(unsigned long long)height, (unsigned long long)depth,
			VGA_WIDTH_MAX, VGA_HEIGHT_MAX);
	v->boot_width = (uint16_t)width;
	v->boot_height = (uint16_t)height;
	v->boot_depth = (uint16_t)depth;
	return true;
}

static bool declare(struct vga *v, const struct device_prop *props,
		    size_t count, struct error *err)
{
	static const struct pci_ident ident = {
		.vendor = 0x1234,
		.device = 0x1111,
		.class_code = 0x030000,
		.subsystem_vendor = 0x1AF4,
		.subsystem = 0x1100,
	};
	static const struct bus_ops linear = {
		.read = linear_read,
		.write = linear_write,
		.size_min = 1,
		.size_max = 8 | BUS_UNALIGNED | BUS_MEMORY,
	};
	static const struct bus_ops mmio = {mmio_read, mmio_write, 1, 2};
	struct pci_function *f = &v->pci;

	if (!pci_function_init(f, &ident, props, count, err) ||
	    !pci_bar_declare(f, 0, VGA_MEMORY_BYTES, &linear, props, count,
			     err) ||
	    !pci_bar_declare(f, 2, MMIO_BYTES, &mmio, props, count, err))
		return false;
	f->image[PCI_BAR0] |= PCI_BAR_PREFETCHABLE;
	f->image[PCI_COMMAND] |= PCI_COMMAND_IO;
	f->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
	f->image[PCI_INTERRUPT_PIN] = 0;
	f->image[PCI_INTERRUPT_LINE] = 0;
	return true;
}

static bool vga_init(struct device *d, const struct device_prop *props,
		     size_t prop_count, struct error *err)
{
	static const struct bus_ops ports = {ports_read, ports_write, 1,
					     2 | BUS_UNALIGNED};
	static const struct bus_ops dispi = {
		dispi_ports_read, dispi_ports_write, 2, 2 | BUS_UNALIGNED};
	struct bus *bus = machine_bus(d->machine);

	return take_mode(vga_of(d), props, prop_count, err) &&
	       declare(vga_of(d), props, prop_count, err) &&
	       bus_map_ports(bus,
			     &(struct bus_range){PORT_FIRST, PORT_COUNT, &ports,
						 d, d->name},
			     err) &&
	       bus_map_ports(bus,
			     &(struct bus_range){0x1CE, 3, &dispi, d, d->name},
			     err) &&
	       bus_map_mmio(bus,
			    &(struct bus_range){WINDOW_BASE, WINDOW_SIZE,
						&vga_window_ops, d, d->name},
			    err);
}

static void vga_fini(struct device *d)
{
	pci_function_fini(&vga_of(d)->pci);
}

static const struct device_field vga_fields[] = {
	PCI_FIELDS(struct vga),
	DEVICE_FIELD(struct vga, misc),
	DEVICE_FIELD(struct vga, feature),
	DEVICE_FIELD(struct vga, subsystem),
	DEVICE_FIELD(struct vga, seq_index),
	DEVICE_ARRAY(struct vga, seq),
	DEVICE_FIELD(struct vga, gc_index),
	DEVICE_ARRAY(struct vga, gc),
	DEVICE_FIELD(struct vga, crtc_index),
	DEVICE_ARRAY(struct vga, crtc),
	DEVICE_FIELD(struct vga, attr_index),
	DEVICE_FIELD(struct vga, attr_data),
	DEVICE_ARRAY(struct vga, attr),
	DEVICE_FIELD(struct vga, dac_mask),
	DEVICE_FIELD(struct vga, dac_writing),
	DEVICE_FIELD(struct vga, dac_read),
	DEVICE_FIELD(struct vga, dac_write),
	DEVICE_FIELD(struct vga, dac_step),
	DEVICE_ARRAY(struct vga, dac_pending),
	DEVICE_ARRAY(struct vga, dac),
	DEVICE_ARRAY(struct vga, latch),
	DEVICE_FIELD(struct vga, vbe_index),
	DEVICE_ARRAY(struct vga, vbe),
	DEVICE_ARRAY(struct vga, memory),
	{NULL, 0, 0, 0},
};

static const struct device_register vga_registers[] = {
	{"VBE_DISPI_ID", MMIO_DISPI + 2 * VBE_ID, 2},
	{"VBE_DISPI_XRES", MMIO_DISPI + 2 * VBE_XRES, 2},
	{"VBE_DISPI_YRES", MMIO_DISPI + 2 * VBE_YRES, 2},
	{"VBE_DISPI_BPP", MMIO_DISPI + 2 * VBE_BPP, 2},
	{"VBE_DISPI_ENABLE", MMIO_DISPI + 2 * VBE_ENABLE, 2},
	{"VBE_DISPI_BANK", MMIO_DISPI + 2 * VBE_BANK, 2},
	{"VBE_DISPI_VIRT_WIDTH", MMIO_DISPI + 2 * VBE_VIRT_WIDTH, 2},
	{"VBE_DISPI_VIRT_HEIGHT", MMIO_DISPI + 2 * VBE_VIRT_HEIGHT, 2},
	{"VBE_DISPI_X_OFFSET", MMIO_DISPI + 2 * VBE_X_OFFSET, 2},
	{"VBE_DISPI_Y_OFFSET", MMIO_DISPI + 2 * VBE_Y_OFFSET, 2},
	{"VBE_DISPI_VIDEO_MEMORY_64K", MMIO_DISPI + 2 * VBE_MEMORY_64K, 2},
	{NULL, 0, 0},
};

static const char *const vga_faults[] = {"bit", NULL};

static bool vga_own_memory(struct device *d, unsigned n, uint8_t **at,
			   uint64_t *bytes)
{
	*at = vga_of(d)->memory;
	*bytes = VGA_MEMORY_BYTES;
	return !n;
}

const struct device_class vga_class = {
	.name = "vga",
	.summary = "VGA with the Bochs display interface, 16 MiB",
	.object_bytes = sizeof(struct vga),
	.fields = vga_fields,
	.registers = vga_registers,
	.faults = vga_faults,
	.init = vga_init,
	.reset = vga_reset,
	.fault = vga_fault,
	.memory = vga_own_memory,
	.fini = vga_fini,
};

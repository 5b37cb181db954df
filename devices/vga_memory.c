/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vga_memory.c - the window at A0000: from an address to a plane
 * address and the planes that it means, through the graphics controller (IBM,
 * "Graphics controller registers").
 */
#include "devices/vga_internal.h"

#define BANK_BYTES UINT64_C(0x10000)

/* Where an access lies: plane address and the planes that are reached. */
struct spot {
	uint32_t at;
	uint8_t planes;
	uint8_t read_plane;
};

/* Graphics register 6 chooses which part of the window answers. */
static bool in_window(const struct vga *v, uint64_t *off)
{
	static const struct {
		uint32_t base, bytes;
	} part[4] = {
		{0, 0x20000},
		{0, 0x10000},
		{0x10000, 0x8000},
		{0x18000, 0x8000},
	};
	unsigned choice = v->gc[GC_MISC] >> 2 & 3;

	if (!(v->misc & MISC_RAM) || *off < part[choice].base ||
	    *off - part[choice].base >= part[choice].bytes)
		return false;
	*off -= part[choice].base;
	return true;
}

static struct spot spot_of(const struct vga *v, uint64_t off)
{
	uint32_t at = (uint32_t)off % VGA_PLANE_BYTES;
	uint8_t map = v->gc[GC_READ_MAP] & 3;

	if (v->seq[SEQ_MEMORY_MODE] & MEMORY_MODE_CHAIN4)
		return (struct spot){at >> 2, (uint8_t)(1 << (at & 3)), at & 3};
	if (!(v->seq[SEQ_MEMORY_MODE] & MEMORY_MODE_LINEAR))
		return (struct spot){at >> 1, at & 1 ? 0xA : 0x5,
				     (uint8_t)((map & 2) | (at & 1))};
	return (struct spot){at, 0xF, map};
}

static uint8_t read_byte(struct vga *v, uint64_t off)
{
	struct spot s = spot_of(v, off);
	uint8_t differ = 0;

	for (unsigned p = 0; p < VGA_PLANES; p++) {
		v->latch[p] = v->memory[4 * s.at + p];
		if (v->gc[GC_COLOUR_CARE] >> p & 1)
			differ |=
				v->latch[p] ^
				(v->gc[GC_COLOUR_COMPARE] >> p & 1 ? 0xFF : 0);
	}
	return v->gc[GC_MODE] & GC_MODE_COMPARE ? (uint8_t)~differ
						: v->latch[s.read_plane];
}

static uint8_t rotated(const struct vga *v, uint8_t value)
{
	unsigned by = v->gc[GC_ROTATE] & 7;

	return (uint8_t)(value >> by | value << (8 - by));
}

static uint8_t combined(const struct vga *v, uint8_t data, uint8_t latch)
{
	switch (v->gc[GC_ROTATE] >> 3 & 3) {
	case 1:
		return data & latch;
	case 2:
		return data | latch;
	case 3:
		return data ^ latch;
	default:
		return data;
	}
}

/* What one plane gets. */
static uint8_t plane_data(const struct vga *v, unsigned p, uint8_t value)
{
	uint8_t mask = v->gc[GC_BIT_MASK], data = 0;
	uint8_t set = v->gc[GC_SET_RESET] >> p & 1 ? 0xFF : 0;

	switch (v->gc[GC_MODE] & GC_MODE_WRITE) {
	case 0:
		data = v->gc[GC_ENABLE_SET_RESET] >> p & 1 ? set
							   : rotated(v, value);
		break;
	case 1:
		return v->latch[p];
	case 2:
		data = value >> p & 1 ? 0xFF : 0;
		break;
	case 3:
		data = set;
		mask &= rotated(v, value);
		break;
	}
	data = combined(v, data, v->latch[p]);
	return (uint8_t)((data & mask) | (v->latch[p] & ~mask));
}

static void write_byte(struct vga *v, uint64_t off, uint8_t value)
{
	struct spot s = spot_of(v, off);
	uint8_t planes = s.planes & v->seq[SEQ_MAP_MASK];

	device_memory_changes(&v->pci.device, &v->memory[4 * s.at], VGA_PLANES);
	for (unsigned p = 0; p < VGA_PLANES; p++) {
		if (planes >> p & 1)
			v->memory[4 * s.at + p] = plane_data(v, p, value);
	}
}

/* In a DISPI mode A0000-AFFFF shows one bank of 64 KiB; NULL: nothing there. */
static uint8_t *bank_byte(struct vga *v, uint64_t off)
{
	uint64_t at = v->vbe[VBE_BANK] * BANK_BYTES + off;

	return off < BANK_BYTES && at < VGA_MEMORY_BYTES ? &v->memory[at]
							 : NULL;
}

static uint8_t window_byte(struct vga *v, uint64_t off)
{
	const uint8_t *byte;

	if (!(pci_command(&v->pci) & PCI_COMMAND_MEMORY))
		return 0xFF;
	if (vga_vbe_on(v)) {
		byte = bank_byte(v, off);
		return byte ? *byte : 0xFF;
	}
	return in_window(v, &off) ? read_byte(v, off) : 0xFF;
}

static void window_byte_write(struct vga *v, uint64_t off, uint8_t value)
{
	uint8_t *byte;

	if (!(pci_command(&v->pci) & PCI_COMMAND_MEMORY))
		return;
	if (vga_vbe_on(v)) {
		byte = bank_byte(v, off);
		if (!byte)
			return;
		device_memory_changes(&v->pci.device, byte, 1);
		*byte = value;
	} else if (in_window(v, &off)) {
		write_byte(v, off, value);
	}
}

/* A wide access is that many bytes, lowest address first. */
static uint64_t window_read(struct device *d, uint64_t off, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)window_byte((struct vga *)d, off + i)
			 << (8 * i);
	return value;
}

static void window_write(struct device *d, uint64_t off, unsigned size,
			 uint64_t value)
{
	for (unsigned i = 0; i < size; i++, value >>= 8)
		window_byte_write((struct vga *)d, off + i, (uint8_t)value);
}

const struct bus_ops vga_window_ops = {
	.read = window_read,
	.write = window_write,
	.size_min = 1,
	.size_max = 8 | BUS_UNALIGNED | BUS_MEMORY,
};

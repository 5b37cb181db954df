/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/dwarf.h"

#include <string.h>

uint64_t dwarf_take(struct dwarf_cursor *c, uint64_t bytes)
{
	uint64_t v = 0;

	if ((uint64_t)(c->end - c->at) < bytes) {
		c->bad = true;
		c->at = c->end;
		return 0;
	}
	memcpy(&v, c->at, bytes < sizeof(v) ? bytes : sizeof(v));
	c->at += bytes;
	return v;
}

uint64_t dwarf_uleb(struct dwarf_cursor *c)
{
	uint64_t v = 0, byte;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		byte = dwarf_take(c, 1);
		v |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return v;
}

int64_t dwarf_sleb(struct dwarf_cursor *c)
{
	uint64_t v = 0, byte = 0;
	unsigned shift = 0;

	while (shift < 64) {
		byte = dwarf_take(c, 1);
		v |= (byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80))
			break;
	}
	if (shift < 64 && (byte & 0x40))
		v |= UINT64_MAX << shift;
	return (int64_t)v;
}

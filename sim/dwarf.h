/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/dwarf.h - the bytes of a DWARF section, taken one value after the other
 * (DWARF 4, section 7.6).
 *
 * Little-endian.  What would go beyond the end is 0 and leaves the cursor at
 * the end, `bad`.  The bytes are the caller's.
 */
#ifndef PARTERRE_SIM_DWARF_H
#define PARTERRE_SIM_DWARF_H

#include <stdbool.h>
#include <stdint.h>

struct dwarf_cursor {
	const uint8_t *at, *end;
	bool bad;
};

/* So many bytes; the value of the first eight. */
uint64_t dwarf_take(struct dwarf_cursor *c, uint64_t bytes);
uint64_t dwarf_uleb(struct dwarf_cursor *c);
int64_t dwarf_sleb(struct dwarf_cursor *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/unwind.h - from a frame to its caller's, by a program's call frame
 * information.
 *
 * Read is `.debug_frame` of the ELF file (DWARF 4, section 6.4), registers by
 * the numbers of the x86-64 psABI (figure 3.36).  Nothing in it is trusted:
 * what makes no sense ends the walk.
 *
 * Not modelled: `.eh_frame`, DWARF 64, expressions beyond constants, registers,
 * sums and what stands at an address, which is what assemblers and gcc write.
 */
#ifndef PARTERRE_SIM_UNWIND_H
#define PARTERRE_SIM_UNWIND_H

#include "sim/symbols.h"

enum {
	UNWIND_RBX = 3,
	UNWIND_RBP = 6,
	UNWIND_RSP = 7,
	UNWIND_RIP = 16,
	UNWIND_REGISTERS
};

struct unwind_frame {
	uint64_t reg[UNWIND_REGISTERS];
	uint32_t known; /* a bit for each */
	/* It was interrupted, or has made a system call: rip is what comes
	 * next, not what stands behind a call. */
	bool interrupted;
};

/* False: nothing can be read there. */
typedef bool unwind_read_fn(void *owner, vaddr_t va, uint64_t *value);

/* *f becomes its caller.  False: there is none, or it is not known. */
bool unwind_step(const struct symbols *s, struct unwind_frame *f,
		 unwind_read_fn *read, void *owner);

#endif

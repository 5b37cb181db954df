/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/insn.h - an instruction as a core sees it: what it waits for, what
 * waits for it, what it occupies.  Instructions are taken apart by Capstone and
 * remembered by their bytes: most code is made of few.
 */
#ifndef PARTERRE_CPU_TIMING_INSN_H
#define PARTERRE_CPU_TIMING_INSN_H

#include "cpu/timing/branch.h"
#include "cpu/timing/profile.h"

/* Registers that results go through, as bits of a set: 16 general ones, 16 of
 * SSE, the flags, the x87 stack as one, 8 of MMX. */
#define INSN_XMM       16
#define INSN_FLAGS     32
#define INSN_X87       33
#define INSN_MMX       34
#define INSN_REGISTERS 42

struct insn {
	const struct profile_class *class;
	uint64_t address; /* it waits for these before it can load or store */
	uint64_t source;  /* ... before it can compute */
	uint64_t result;  /* these wait for it */
	uint32_t load;    /* latency of its load; 0: none */
	uint32_t ops, serial; /* of the class, and of how it is used */
	uint32_t locked;      /* of `serial`: by LOCK */
	/* Names what it loads or stores: equal operands are equal places while
	 * the registers of `address` stay; 0: no such operand. */
	uint32_t place;
	uint32_t forward; /* its load, after a store to the same place */
	int32_t jump; /* of a conditional jump: from its begin to where it leads
		       */
	bool loads, stores, vector; /* loads a vector register */
	enum branch_kind branch;
	bool fuses;  /* with a conditional jump after it */
	bool jcc;    /* a conditional jump */
	bool leaves; /* jumps, calls, returns always */
};

struct insn_decoder;

struct insn_decoder *insn_decoder_create(const struct profile *p) MUST_USE;
void insn_decoder_destroy(struct insn_decoder *d); /* NULL is fine */
/* The instruction of `bytes` (1 to 15) at `code`, of a segment of so many bits.
 * One that is none costs what class "default" does.  Valid until the next call.
 */
const struct insn *insn_look(struct insn_decoder *d, const uint8_t *code,
			     size_t bytes, unsigned bits);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/conformance/form.h - an instruction form, a case of it, and what
 * main.c and x87.c tell each other.
 */
#ifndef PARTERRE_CONFORMANCE_FORM_H
#define PARTERRE_CONFORMANCE_FORM_H

#include "native.h"

enum operands {
	B,
	V,
	X,
	G,
	N,
	M,
	T,
	R,
	K
};

struct form {
	const char *name;
	uint8_t prefix, map, opcode;
	int8_t digit;
	enum operands operands;
	uint8_t immediate;
	uint32_t flags;
};

struct insn {
	uint8_t bytes[INSN_MAX + 1];
	size_t count;
	unsigned size; /* of the operands, in bytes; for the flags of shifts */
	bool by_cl;
	uint8_t immediate;
	unsigned base, displacement; /* of an x87 operand in memory */
	unsigned index;              /* of ST(i) */
};

/* Flags of forms, beside the bits of RFLAGS. */
#define SHIFT  0x00010000u
#define ROTATE 0x00020000u
#define FLOAT  0x00040000u /* NaNs are alike */
#define X87    0x00080000u /* the x87 state is random */

/* What the x87 operand in memory holds. */
#define MEMORY 0x00700000u
#define M80    0x00100000u
#define BCD    0x00200000u
#define ENV    0x00300000u
#define SAVED  0x00400000u
#define FXAREA 0x00500000u

/* What is compared of the status word, beside TOP. */
#define CODE1  0x00800000u
#define CODES  0x01000000u /* C0, C2, C3 */
#define STATUS 0x02000000u /* all but C1; any register may be empty */

#define MMX  0x04000000u
#define PUSH 0x08000000u

/* Operands of the x87 are not any, but: */
#define RANGE   0xf0000000u
#define NEAREST 0x10000000u /* rounding to nearest */
#define QUIET   0x20000000u /* no signalling NaN */
#define CLASSES 0x30000000u /* no unsupported encoding */
#define INTEGER 0x40000000u /* less than 2^31 */
#define DECIMAL 0x50000000u /* 1 to less than 10^18 */
#define FINITE  0x60000000u /* normal */
#define SCALE   0x70000000u /* normal, by less than 2^13; 64 bits */
#define SHORT   0x80000000u /* of 24 bits; ST(0) is greater, to 2^24 */
#define ANGLE   0x90000000u /* less than 1 */
#define UNIT    0xa0000000u /* less than 1 */
#define LOG     0xb0000000u /* positive, not near 1 */
#define LOG1    0xc0000000u /* less than 1/4 */
#define ATAN    0xd0000000u /* normal, of like size */
#define ENTERED 0xe0000000u /* TOP 0, no register empty */

uint64_t draw(void);
unsigned below(unsigned n);
uint64_t lane(void);

/* Random x87 registers; an x87 operand in memory. */
void x87_fill(const struct form *f, const struct insn *i, uint8_t fx[512]);
void x87_operand(const struct form *f, const struct insn *i, struct state *s);
/* Makes alike in both states what is not compared of memory. */
void x87_blank(const struct form *f, const struct insn *i, struct state *a,
	       struct state *b);
/* The first thing that differs, or NULL. */
const char *x87_differs(const struct form *f, const struct state *native,
			const struct state *ours);
void x87_print(const struct form *f, const struct insn *i,
	       const struct state *s);

#endif

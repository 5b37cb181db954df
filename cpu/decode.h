/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/decode.h - what kind of instruction stands there: 64-bit code, taken
 * apart by Capstone.
 *
 * For programs of ring 3 that must run unchanged under a monitor: they hold no
 * instruction whose effect depends on the ring without a fault ("does not
 * virtualize"), and have no use for one that faults.
 * Source: SDM 2A-2B; Robin & Irvine, USENIX Security 2000, for the list.
 */
#ifndef PARTERRE_CPU_DECODE_H
#define PARTERRE_CPU_DECODE_H

#include "sim/base.h"

struct decoder;

enum decode_kind {
	DECODE_FINE,
	/* SGDT SIDT SLDT STR SMSW, PUSHF POPF, LAR LSL VERR VERW, far CALL JMP
	 * RET, INT n, IRET, MOV PUSH POP of a segment register */
	DECODE_REVEALS,
	DECODE_PRIVILEGED, /* faults outside ring 0, or by IOPL */
	DECODE_UNKNOWN,    /* no instruction */
};

struct decoded {
	enum decode_kind kind;
	uint8_t bytes; /* of the instruction; 0: DECODE_UNKNOWN */
	char text[72]; /* "pushfq " */
};

struct decoder *decoder_create(void) MUST_USE;
void decoder_destroy(struct decoder *d);
/* The instruction at `code`, of at most `bytes`, that runs at `address`. */
void decoder_look(struct decoder *d, const uint8_t *code, size_t bytes,
		  vaddr_t address, struct decoded *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/conformance/native.h - one user-mode instruction, twice: on the host's
 * own CPU and on ours.
 *
 * Both see the same registers, flags, vector registers and memory, at the same
 * linear addresses.
 */
#ifndef PARTERRE_CONFORMANCE_NATIVE_H
#define PARTERRE_CONFORMANCE_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_VA    UINT64_C(0x10000000) /* a page, its second half is not used */
#define DATA_VA    UINT64_C(0x11000000) /* a page */
#define DATA_BYTES 1024                 /* of it are compared */
#define INSN_MAX   15

#define NO_VECTOR UINT32_MAX

struct state {
	uint64_t gpr[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8.. */
	uint64_t rflags;
	uint64_t pad;    /* FXSAVE wants 16-byte alignment */
	uint8_t fx[512]; /* as FXSAVE has it */
	uint8_t data[DATA_BYTES];
	uint32_t vector; /* the exception instead, or NO_VECTOR */
} __attribute__((aligned(16)));

/* Sets its side up; false after a message on stderr. */
bool native_open(void);
bool ours_open(void);
void native_run(struct state *s, const uint8_t *insn, size_t bytes);
void ours_run(struct state *s, const uint8_t *insn, size_t bytes);

#endif

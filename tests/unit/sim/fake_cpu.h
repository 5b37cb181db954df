/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sim/fake_cpu.h - a CPU for tests of the machine: implements
 * cpu/cpu.h exactly, for a toy instruction set that lies in guest RAM.
 *
 * An instruction has 16 bytes.  It is fetched from CS base + RIP.  An interrupt
 * saves RIP in R15, clears IF and goes to IDT base + vector * 64 (also relative
 * to the CS base; reset sets the IDT base to 1000h); IRET undoes it.
 */
#ifndef PARTERRE_TESTS_FAKE_CPU_H
#define PARTERRE_TESTS_FAKE_CPU_H

#include "cpu/cpu.h"

enum fake_op {
	FAKE_NOP,
	FAKE_SET,    /* a = imm */
	FAKE_ADDI,   /* a += imm */
	FAKE_ADD,    /* a += b */
	FAKE_LOAD,   /* a = [imm + b], RAM or registers by address */
	FAKE_STORE,  /* [imm + b] = a */
	FAKE_STORE2, /* the same twice, 8 bytes apart: two accesses in one */
	FAKE_IN,
	FAKE_OUT,
	FAKE_HLT,
	FAKE_JMP, /* to imm */
	FAKE_JNZ, /* to imm if a */
	FAKE_PAUSE,
	FAKE_TSC, /* a = TSC */
	FAKE_STI,
	FAKE_CLI,
	FAKE_RDMSR, /* a = MSR imm; b = 1 if it was refused */
	FAKE_WRMSR,
	FAKE_RDCR8,
	FAKE_WRCR8,
	FAKE_CR3, /* CR3 = a */
	FAKE_IRET,
	FAKE_DIE,   /* triple fault */
	FAKE_WRECK, /* the engine fails */
	FAKE_OP_COUNT
};

struct fake_insn {
	uint8_t op, a, b, size;
	uint32_t unused;
	uint64_t imm;
};

extern unsigned fake_cpu_trims; /* calls of cpu_complex_trim() */

#define FAKE_IDT     0x1000
#define FAKE_HANDLER 64 /* bytes for one vector's handler */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the conformance kernels cannot ask, for QEMU does not survive it or has
 * no snapshots: one instruction at ring 0 of long mode. */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PML4    0x1000
#define PDPT    0x2000
#define PD      0x3000
#define IDT     0x5000
#define GDT     0x7000
#define HANDLER 0x8000 /* of vector v: a NOP v bytes on */
#define CODE    0x10000
#define STACK   0x20000
#define TABLES  0x9000 /* all of those lie below */
#define LARGE   UINT64_C(0x200000)

static void put(struct rig *r, uint64_t at, uint64_t value)
{
	memcpy(r->ram + at, &value, 8);
}

/* All of RAM in pages of 2 MiB; RIP is CODE. */
static void start(struct rig *r, struct cpu_regs *regs)
{
	rig_make(r, 1);
	put(r, PML4, PDPT | 7);
	put(r, PDPT, PD | 7);
	put(r, PD, 0x87);
	put(r, PD + 8, LARGE | 0x87);
	memset(r->ram + HANDLER, 0x90, 64);
	put(r, GDT + 8, UINT64_C(0x00af9b000000ffff));
	for (unsigned v = 0; v < 32; v++)
		put(r, IDT + 16 * v, (HANDLER + v) | UINT64_C(0x8e0000080000));
	cpu_regs_get(cpu_get(r->cx, 0), regs);
	regs->cr0 = 0x80000011;
	regs->cr4 = 0x20;
	regs->cr3 = PML4;
	regs->efer = 0x500;
	regs->gdtr_base = GDT;
	regs->gdtr_limit = 15;
	regs->idtr_base = IDT;
	regs->idtr_limit = 32 * 16 - 1;
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		regs->seg[i] =
			(struct cpu_segment){0, 0xffffffff, 0x10, 0xc093};
	regs->seg[CPU_CS] = (struct cpu_segment){0, 0xffffffff, 0x8, 0xa09b};
	regs->rip = CODE;
	regs->rflags = 2;
	regs->gpr[CPU_RSP] = STACK;
	regs->halted = false;
}

/* The vector that the instruction raises with that in RAX; -1: none. */
static int raises(const void *insn, size_t bytes, uint64_t rax)
{
	struct rig r;
	struct cpu_regs regs;
	struct cpu *cpu;
	uint64_t rip;

	start(&r, &regs);
	cpu = cpu_get(r.cx, 0);
	memcpy(r.ram + CODE, insn, bytes);
	regs.gpr[CPU_RAX] = rax;
	cpu_regs_set(cpu, &regs);
	cr_assert_eq(cpu_run(cpu, cpu_retired(cpu) + 1), CPU_STOP_DEADLINE);
	rip = cpu_rip(cpu);
	rig_drop(&r);
	if (rip == CODE + bytes)
		return -1;
	/* A fault does not retire: the handler's first instruction has. */
	cr_assert(rip > HANDLER && rip < HANDLER + 64, "at %lx", rip);
	return (int)(rip - HANDLER - 1);
}

#define RAISES(bytes, rax) raises(bytes, sizeof(bytes) - 1, rax)

/* SDM 2B, MOV to control registers. */
Test(guest, control_registers_refuse_what_is_reserved)
{
	cr_assert_eq(RAISES("\x0f\x22\xe0", 0x20), -1); /* CR4 */
	cr_assert_eq(RAISES("\x0f\x22\xe0", 0x6a0), -1);
	cr_assert_eq(RAISES("\x0f\x22\xe0", 0), 13); /* PAE in long mode */
	cr_assert_eq(RAISES("\x0f\x22\xe0", 0x80000020), 13);
	cr_assert_eq(RAISES("\x0f\x22\xe0", 0x1020), 13);
	cr_assert_eq(RAISES("\x0f\x22\xe0", UINT64_C(0x100000020)), 13);
	cr_assert_eq(RAISES("\x0f\x22\xd8", PML4), -1); /* CR3 */
	cr_assert_eq(RAISES("\x0f\x22\xd8", UINT64_C(1) << 40), 13);
	cr_assert_eq(RAISES("\x0f\x22\xd8", UINT64_C(1) << 63), 13);
	cr_assert_eq(RAISES("\x0f\x22\xc0", 0x80010011), -1); /* CR0 */
	cr_assert_eq(RAISES("\x0f\x22\xc0", 0x11), 13);       /* PG */
	cr_assert_eq(RAISES("\x0f\x22\xc0", 0x80000010), 13);
	cr_assert_eq(RAISES("\x0f\x22\xc0", UINT64_C(0x180000011)), 13);
}

/* Encodings that the library takes for others, or dies of. */
Test(guest, undefined_opcodes)
{
	cr_assert_eq(RAISES("\x0f\x0b", 0), 6);
	cr_assert_eq(RAISES("\xff\xd8", 0), 6); /* far CALL, JMP */
	cr_assert_eq(RAISES("\xff\xe8", 0), 6);
	cr_assert_eq(RAISES("\x66\x48\xff\xdb", 0), 6);
	cr_assert_eq(RAISES("\xf0\x8b\x00", CODE), 6); /* LOCK MOV, CMP */
	cr_assert_eq(RAISES("\xf0\x39\x00", CODE), 6);
	cr_assert_eq(RAISES("\xf0\x83\x38\x00", CODE), 6);
	cr_assert_eq(RAISES("\xf0\x01\x00", STACK), -1); /* LOCK ADD, BTS */
	cr_assert_eq(RAISES("\xf0\x0f\xba\x28\x00", STACK), -1);
	cr_assert_eq(RAISES("\xc5\xf8\x77", 0), 6); /* VEX */
	cr_assert_eq(RAISES("\xc4\xe1\x78\x77", 0), 6);
}

/* Two parts of a page of 2 MiB are in the TLB; the directory changes. */
static uint64_t after_invlpg(bool invlpg, bool snapshot)
{
	/* MOV RAX,[RDI]; MOV RBX,[RSI]; MOV [RCX],RDX; INVLPG [RDI];
	 * MOV RAX,[RSI] */
	static const uint8_t code[] = {0x48, 0x8b, 0x07, 0x48, 0x8b,
				       0x1e, 0x48, 0x89, 0x11, 0x0f,
				       0x01, 0x3f, 0x48, 0x8b, 0x06};
	struct rig r;
	struct cpu_regs regs;
	struct cpu *cpu;
	uint64_t value, *words;
	size_t count;

	start(&r, &regs);
	cpu = cpu_get(r.cx, 0);
	memcpy(r.ram + CODE, code, sizeof(code));
	if (!invlpg)
		memcpy(r.ram + CODE + 9, "\x0f\x1f", 2); /* NOP [RDI] */
	put(&r, LARGE + 0x5000, 1);
	put(&r, 0x5000 + 0x100000, 2);
	put(&r, LARGE + 0x105000, 3);
	regs.gpr[CPU_RDI] = LARGE + 0x5000;
	regs.gpr[CPU_RSI] = LARGE + 0x105000;
	regs.gpr[CPU_RCX] = PD + 8;
	regs.gpr[CPU_RDX] = 0x87;
	cpu_regs_set(cpu, &regs);
	cr_assert_eq(cpu_run(cpu, cpu_retired(cpu) + 3), CPU_STOP_DEADLINE);
	if (snapshot) {
		cpu_regs_get(cpu, &regs);
		words = cpu_hidden_get(cpu, &count);
		cpu_regs_set(cpu, &regs);
		cr_assert(cpu_hidden_set(cpu, words, count));
		free(words);
	}
	cr_assert_eq(cpu_run(cpu, cpu_retired(cpu) + 2), CPU_STOP_DEADLINE);
	value = cpu_gpr(cpu, CPU_RAX);
	rig_drop(&r);
	return value;
}

Test(guest, invlpg_takes_all_of_a_large_page)
{
	cr_assert_eq(after_invlpg(true, false), 2);
	cr_assert_eq(after_invlpg(true, true), 2);
	/* Else the old translation serves, after a snapshot too. */
	cr_assert_eq(after_invlpg(false, false), 3);
	cr_assert_eq(after_invlpg(false, true), 3);
}

/* --- whatever it is --- */

/* One instruction and what its handler begins with, at ring 0. */
static void try(struct rig *r, const struct cpu_regs *regs,
		const uint8_t *clean, const uint8_t *insn, size_t bytes)
{
	struct cpu *cpu = cpu_get(r->cx, 0);

	memcpy(r->ram, clean, TABLES);
	memcpy(r->ram + CODE, insn, bytes);
	cpu_ram_changed(r->cx, CODE, bytes);
	cpu_regs_set(cpu, regs);
	for (unsigned i = 0; i < 2; i++) {
		enum cpu_stop stop = cpu_run(cpu, cpu_retired(cpu) + 1);

		cr_assert_neq(stop, CPU_STOP_BROKEN, "%02x %02x %02x %02x",
			      insn[0], insn[1], insn[2], insn[3]);
	}
}

/* Each opcode of one byte and of two, with each ModRM.reg, a register or
 * memory, with LOCK and without: the library asserted or ended at some. */
static void try_all(bool real)
{
	static const uint8_t operands[] = {0x04, 0xc0};
	struct rig r;
	struct cpu_regs regs;
	uint8_t *clean = malloc(TABLES);

	start(&r, &regs);
	for (unsigned i = 0; i < 16; i++)
		regs.gpr[i] = LARGE;
	if (real) {
		regs.cr0 = 0x10;
		regs.efer = regs.cr4 = regs.rip = 0;
		for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
			regs.seg[i] = (struct cpu_segment){CODE, 0xffff,
							   CODE >> 4, 0x93};
	}
	memcpy(clean, r.ram, TABLES);
	for (unsigned i = 0; i < 2 * 2 * 256 * 8 * sizeof(operands); i++) {
		uint8_t insn[15] = {0};
		unsigned n = 0, at = i / 4 / sizeof(operands);

		if (i & 1)
			insn[n++] = 0xf0;
		if (i & 2)
			insn[n++] = 0x0f;
		insn[n++] = (uint8_t)(at / 8);
		insn[n++] = (uint8_t)(operands[i / 4 % sizeof(operands)] |
				      at % 8 << 3);
		insn[n] = 0x24;
		try(&r, &regs, clean, insn, sizeof(insn));
	}
	rig_drop(&r);
	free(clean);
}

Test(guest, no_opcode_ends_the_simulator)
{
	try_all(false);
}

Test(guest, no_opcode_ends_the_simulator_in_real_mode)
{
	try_all(true);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/conformance/ours.c - Parterre's CPU: ring 3 of a long-mode kernel whose
 * handlers halt.
 */
#include "native.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/cpu.h"

#define RAM  (UINT64_C(1) << 20)
#define PML4 0x1000
#define PDPT 0x2000
#define PD   0x3000
#define PT   0x4000
#define IDT  0x5000
#define TSS  0x6000
#define GDT  0x7000
#define HALT 0x8000
#define CODE 0x10000
#define DATA 0x11000

static uint8_t *ram;
static struct cpu_complex *complex;
static struct cpu *cpu;
static struct cpu_regs start, faulted;
static uint32_t vector;

static void context(void *owner, struct cpu *c,
		    const struct cpu_context_record *r)
{
	(void)owner;
	if ((r->what != CPU_CTX_EXCEPTION && r->what != CPU_CTX_SOFTINT) ||
	    vector != NO_VECTOR)
		return;
	vector = r->vector;
	cpu_regs_get(c, &faulted);
	cpu_kick(c);
}

static uint64_t tsc_read(void *owner, struct cpu *c)
{
	(void)owner, (void)c;
	return 0;
}

static const struct cpu_ops ops = {.tsc_read = tsc_read, .context = context};

static void put(uint64_t at, uint64_t value)
{
	memcpy(ram + at, &value, 8);
}

bool ours_open(void)
{
	struct error err;
	struct cpu_ram region = {.bytes = RAM};
	struct cpu_complex_config config = {
		.ram = &region, .ram_count = 1, .cpu_count = 1, .ops = &ops};

	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	region.host = ram;
	complex = ram == MAP_FAILED ? NULL : cpu_complex_create(&config, &err);
	if (!complex) {
		fprintf(stderr, "conformance: %s\n", err.text);
		return false;
	}
	cpu = cpu_get(complex, 0);
	/* CODE_VA and DATA_VA lie in one 512 GiB, one 1 GiB, two 2 MiB. */
	put(PML4, PDPT | 7);
	put(PDPT, PD | 7);
	put(PD, 0x83); /* the first 2 MiB, the kernel's */
	put(PD + 8 * (CODE_VA >> 21), PT | 7);
	put(PD + 8 * (DATA_VA >> 21), (PT + 0x8000) | 7);
	put(PT, CODE | 7);
	put(PT + 0x8000, DATA | 7);
	put(GDT + 8, UINT64_C(0x00af9b000000ffff));
	put(TSS + 4, 0x9ff0); /* RSP0 */
	for (unsigned i = 0; i < 32; i++)
		put(IDT + 16 * i, HALT | UINT64_C(0x8e0000080000));
	ram[HALT] = 0xf4;

	cpu_regs_get(cpu, &start);
	start.cr0 = 0x80000033;
	start.cr4 = 0x620;
	start.cr3 = PML4;
	start.efer = 0x501;
	start.gdtr_base = GDT;
	start.gdtr_limit = 15;
	start.idtr_base = IDT;
	start.idtr_limit = 32 * 16 - 1;
	start.tr = (struct cpu_segment){TSS, 0x67, 0x10, 0x8b};
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		start.seg[i] =
			(struct cpu_segment){0, 0xffffffff, 0x2b, 0xc0f3};
	start.seg[CPU_CS] = (struct cpu_segment){0, 0xffffffff, 0x33, 0xa0fb};
	start.halted = 0;
	return true;
}

void ours_run(struct state *s, const uint8_t *insn, size_t bytes)
{
	struct cpu_regs regs = start;
	uint64_t from = cpu_retired(cpu);

	memcpy(regs.gpr, s->gpr, sizeof(regs.gpr));
	regs.rflags = s->rflags;
	regs.rip = CODE_VA;
	memcpy(regs.fxsave, s->fx, sizeof(regs.fxsave));
	memcpy(ram + CODE, insn, bytes);
	memset(ram + CODE + bytes, 0xf4, 32); /* HLT ends the block */
	cpu_ram_changed(complex, CODE, bytes + 32);
	memcpy(ram + DATA, s->data, DATA_BYTES);
	cpu_regs_set(cpu, &regs);
	vector = NO_VECTOR;
	/* REP counts one per iteration: until the next instruction's start. */
	do {
		if (cpu_run(cpu, ++from) != CPU_STOP_DEADLINE)
			break;
	} while (vector == NO_VECTOR && cpu_rip(cpu) == CODE_VA);
	if (vector == NO_VECTOR)
		cpu_regs_get(cpu, &regs);
	else
		regs = faulted;
	memcpy(s->gpr, regs.gpr, sizeof(s->gpr));
	s->rflags = regs.rflags;
	memcpy(s->fx, regs.fxsave, sizeof(s->fx));
	memcpy(s->data, ram + DATA, DATA_BYTES);
	s->vector = vector;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/state.c - architectural state in and out of the engine.
 *
 * The x87 and SSE state goes through Unicorn's public registers, the rest
 * straight to its places: the public ones do not set hidden state.
 */
#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/unicorn/debug.h"
#include "cpu/unicorn/engine.h"

#define RFLAGS_FIXED 2u

static struct env_segment *segment(struct cpu *cpu, unsigned offset)
{
	return &AT(cpu->env, struct env_segment, offset);
}

static void segment_get(struct cpu *cpu, unsigned offset, struct cpu_segment *s)
{
	const struct env_segment *e = segment(cpu, offset);

	s->selector = (uint16_t)e->selector;
	s->base = e->base;
	s->limit = e->limit;
	s->attr = (uint16_t)(e->flags >> 8 & 0xf0ff);
}

static void segment_set(struct cpu *cpu, unsigned offset,
			const struct cpu_segment *s)
{
	struct env_segment *e = segment(cpu, offset);

	e->selector = s->selector;
	e->base = s->base;
	e->limit = s->limit;
	e->flags = (uint32_t)(s->attr & 0xf0ff) << 8;
}

/* The FXSAVE image (SDM volume 1, table 10-2), its reserved bytes and the
 * last-instruction pointers zero. */
static void fx_get(struct cpu *cpu, uint8_t fx[512])
{
	uint16_t word;
	uint32_t mxcsr = 0;
	uint8_t abridged = 0;

	memset(fx, 0, 512);
	uc_reg_read(cpu->uc, UC_X86_REG_FPCW, &word);
	memcpy(fx, &word, 2);
	uc_reg_read(cpu->uc, UC_X86_REG_FPSW, &word);
	memcpy(fx + 2, &word, 2);
	for (unsigned i = 0; i < 8; i++) {
		if (!AT(cpu->env, uint8_t, ENV_FPTAGS + i))
			abridged |= (uint8_t)(1u << i);
	}
	fx[4] = abridged;
	uc_reg_read(cpu->uc, UC_X86_REG_MXCSR, &mxcsr);
	memcpy(fx + 24, &mxcsr, 4);
	mxcsr = 0xffff;
	memcpy(fx + 28, &mxcsr, 4);
	for (unsigned i = 0; i < 8; i++) {
		unsigned phys = (AT(cpu->env, uint32_t, ENV_FPSTT) + i) & 7;

		memcpy(fx + 32 + 16 * i,
		       (char *)cpu->env + ENV_FPREGS + 16 * phys, 10);
	}
	for (unsigned i = 0; i < 16; i++)
		memcpy(fx + 160 + 16 * i,
		       (char *)cpu->env + ENV_XMM + ENV_XMM_STRIDE * i, 16);
}

static void fx_set(struct cpu *cpu, const uint8_t fx[512])
{
	uint16_t word;
	uint32_t mxcsr;

	memcpy(&word, fx, 2);
	uc_reg_write(cpu->uc, UC_X86_REG_FPCW, &word);
	memcpy(&word, fx + 2, 2);
	uc_reg_write(cpu->uc, UC_X86_REG_FPSW, &word);
	for (unsigned i = 0; i < 8; i++) {
		unsigned phys = (AT(cpu->env, uint32_t, ENV_FPSTT) + i) & 7;

		AT(cpu->env, uint8_t, ENV_FPTAGS + i) = !(fx[4] >> i & 1);
		memset((char *)cpu->env + ENV_FPREGS + 16 * phys, 0, 16);
		memcpy((char *)cpu->env + ENV_FPREGS + 16 * phys,
		       fx + 32 + 16 * i, 10);
	}
	memcpy(&mxcsr, fx + 24, 4);
	uc_reg_write(cpu->uc, UC_X86_REG_MXCSR, &mxcsr);
	for (unsigned i = 0; i < 16; i++)
		memcpy((char *)cpu->env + ENV_XMM + ENV_XMM_STRIDE * i,
		       fx + 160 + 16 * i, 16);
}

void cpu_regs_get(struct cpu *cpu, struct cpu_regs *r)
{
	void *env = cpu->env;

	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < CPU_GPR_COUNT; i++)
		r->gpr[i] = AT(env, uint64_t, ENV_REGS + 8 * i);
	r->rip = cpu_rip(cpu);
	r->rflags = originals.read_eflags(env) | RFLAGS_FIXED;
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		segment_get(cpu, ENV_SEGS + 24 * i, &r->seg[i]);
	segment_get(cpu, ENV_LDT, &r->ldtr);
	segment_get(cpu, ENV_TR, &r->tr);
	r->gdtr_base = segment(cpu, ENV_GDT)->base;
	r->gdtr_limit = segment(cpu, ENV_GDT)->limit;
	r->idtr_base = segment(cpu, ENV_IDT)->base;
	r->idtr_limit = segment(cpu, ENV_IDT)->limit;
	r->cr0 = AT(env, uint64_t, ENV_CR);
	r->cr2 = AT(env, uint64_t, ENV_CR + 16);
	r->cr3 = AT(env, uint64_t, ENV_CR + 24);
	r->cr4 = AT(env, uint64_t, ENV_CR + 32);
	for (unsigned i = 0; i < 8; i++)
		r->dr[i] = AT(env, uint64_t, ENV_DR + 8 * i);
	r->efer = AT(env, uint64_t, ENV_EFER);
	r->star = AT(env, uint64_t, ENV_STAR);
	r->lstar = AT(env, uint64_t, ENV_LSTAR);
	r->cstar = AT(env, uint64_t, ENV_CSTAR);
	r->sfmask = AT(env, uint64_t, ENV_FMASK);
	r->kernel_gs_base = AT(env, uint64_t, ENV_KERNELGSBASE);
	r->sysenter_cs = AT(env, uint32_t, ENV_SYSENTER_CS);
	r->sysenter_esp = AT(env, uint64_t, ENV_SYSENTER_ESP);
	r->sysenter_eip = AT(env, uint64_t, ENV_SYSENTER_EIP);
	r->pat = AT(env, uint64_t, ENV_PAT);
	r->tsc_aux = AT(env, uint64_t, ENV_TSC_AUX);
	memcpy(r->mtrr, cpu->mtrr, sizeof(r->mtrr));
	memcpy(r->mca, cpu->mca, sizeof(r->mca));
	fx_get(cpu, r->fxsave);
	r->retired = cpu_retired(cpu);
	r->halted = cpu->halted;
	r->inhibit = (AT(env, uint32_t, ENV_HFLAGS) & HF_INHIBIT_IRQ) != 0;
}

void cpu_regs_set(struct cpu *cpu, const struct cpu_regs *r)
{
	void *env = cpu->env;
	uint32_t *hflags = &AT(env, uint32_t, ENV_HFLAGS);

	timed_leave(cpu);
	for (unsigned i = 0; i < CPU_GPR_COUNT; i++)
		AT(env, uint64_t, ENV_REGS + 8 * i) = r->gpr[i];
	AT(env, uint64_t, ENV_EIP) = r->rip;
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		segment_set(cpu, ENV_SEGS + 24 * i, &r->seg[i]);
	segment_set(cpu, ENV_LDT, &r->ldtr);
	segment_set(cpu, ENV_TR, &r->tr);
	segment(cpu, ENV_GDT)->base = r->gdtr_base;
	segment(cpu, ENV_GDT)->limit = r->gdtr_limit;
	segment(cpu, ENV_IDT)->base = r->idtr_base;
	segment(cpu, ENV_IDT)->limit = r->idtr_limit;
	AT(env, uint64_t, ENV_CR) = r->cr0;
	AT(env, uint64_t, ENV_CR + 16) = r->cr2;
	AT(env, uint64_t, ENV_CR + 24) = r->cr3;
	AT(env, uint64_t, ENV_CR + 32) = r->cr4;
	for (unsigned i = 0; i < 8; i++)
		AT(env, uint64_t, ENV_DR + 8 * i) = r->dr[i];
	AT(env, uint64_t, ENV_EFER) = r->efer;
	AT(env, uint64_t, ENV_STAR) = r->star;
	AT(env, uint64_t, ENV_LSTAR) = r->lstar;
	AT(env, uint64_t, ENV_CSTAR) = r->cstar;
	AT(env, uint64_t, ENV_FMASK) = r->sfmask;
	AT(env, uint64_t, ENV_KERNELGSBASE) = r->kernel_gs_base;
	AT(env, uint32_t, ENV_SYSENTER_CS) = (uint32_t)r->sysenter_cs;
	AT(env, uint64_t, ENV_SYSENTER_ESP) = r->sysenter_esp;
	AT(env, uint64_t, ENV_SYSENTER_EIP) = r->sysenter_eip;
	AT(env, uint64_t, ENV_PAT) = r->pat;
	AT(env, uint64_t, ENV_TSC_AUX) = r->tsc_aux;
	/* write_eflags takes the whole mask, IOPL and VM included. */
	AT(env, uint64_t, ENV_EFLAGS) = r->rflags & ~UINT64_C(0xcd5);
	originals.write_eflags(env, r->rflags, 0xffffffff);
	memcpy(cpu->mtrr, r->mtrr, sizeof(cpu->mtrr));
	memcpy(cpu->mca, r->mca, sizeof(cpu->mca));
	fx_set(cpu, r->fxsave);
	*hflags &= ~(HF_INHIBIT_IRQ | HF_LMA);
	if (r->inhibit)
		*hflags |= HF_INHIBIT_IRQ;
	AT(env, uint32_t, ENV_HFLAGS2) &= ~HF2_NMI_MASK;
	/* No exception is under delivery, which a next one would double. */
	AT(env, int32_t, ENV_OLD_EXCEPTION) = -1;
	engine_update_hflags(cpu);
	cpu->halted = r->halted;
	debug_arm(cpu);
	originals.tlb_flush(cpu->cs);
}

/* SDM volume 3A, table 9-1: after power-up. */
void cpu_reset(struct cpu *cpu)
{
	struct cpu_regs r = {
		.gpr[CPU_RDX] = CPUID_SIGNATURE,
		.rip = 0xfff0,
		.rflags = RFLAGS_FIXED,
		.gdtr_limit = 0xffff,
		.idtr_limit = 0xffff,
		.cr0 = 0x60000010,
		.dr[6] = 0xffff0ff0,
		.dr[7] = 0x400,
		.pat = UINT64_C(0x0007040600070406),
		.halted = cpu->index != 0, /* waits for SIPI */
	};

	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		r.seg[i] = (struct cpu_segment){.limit = 0xffff, .attr = 0x93};
	r.seg[CPU_CS] = (struct cpu_segment){
		.base = 0xffff0000,
		.limit = 0xffff,
		.selector = 0xf000,
		.attr = 0x9b,
	};
	r.ldtr = (struct cpu_segment){.limit = 0xffff, .attr = 0x82};
	r.tr = (struct cpu_segment){.limit = 0xffff, .attr = 0x8b};
	r.fxsave[0] = 0x40; /* FCW 0040h; FTW 5555h: all valid zeroes */
	r.fxsave[4] = 0xff;
	r.fxsave[24] = 0x80; /* MXCSR 1F80h */
	r.fxsave[25] = 0x1f;
	cpu->intr = false;
	cpu->nmi = false;
	cpu->check = CHECK_NONE;
	cpu_regs_set(cpu, &r);
}

uint64_t cpu_rip(struct cpu *cpu)
{
	const struct block *b = engine_block(cpu);

	/* Inside a block of one the engine's own is not kept. */
	if (cpu->accessing && b && b->count == 1)
		return b->pc - segment(cpu, ENV_SEGS + 24 * CPU_CS)->base;
	return AT(cpu->env, uint64_t, ENV_EIP);
}

uint64_t cpu_gpr(struct cpu *cpu, enum cpu_gpr which)
{
	return AT(cpu->env, uint64_t, ENV_REGS + 8 * which);
}

uint64_t cpu_cr3(const struct cpu *cpu)
{
	return AT(cpu->env, uint64_t, ENV_CR + 24);
}

unsigned cpu_cpl(const struct cpu *cpu)
{
	return AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_CPL_MASK;
}

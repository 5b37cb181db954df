/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_cpu.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

#define FLAG_IF UINT64_C(0x200)
#define BREAKS  4

struct cpu {
	struct cpu_complex *complex;
	unsigned index;
	struct cpu_regs regs;
	bool intr, nmi, kicked, die, wrecked;
	vaddr_t at[BREAKS];
	unsigned break_count;
	bool break_told; /* the one at RIP was reported and is to be passed */
};

struct cpu_complex {
	struct cpu_complex_config config;
	struct cpu_ram ram[8];
	struct cpu cpu[CPU_COUNT_MAX];
};

struct cpu_complex *cpu_complex_create(const struct cpu_complex_config *config,
				       struct error *err)
{
	struct cpu_complex *x = calloc(1, sizeof(*x));

	CHECK(x && config->ram_count <= ARRAY_LEN(x->ram));
	(void)err;
	x->config = *config;
	memcpy(x->ram, config->ram, config->ram_count * sizeof(x->ram[0]));
	for (unsigned i = 0; i < config->cpu_count; i++) {
		x->cpu[i].complex = x;
		x->cpu[i].index = i;
		cpu_reset(&x->cpu[i]);
	}
	return x;
}

void cpu_complex_destroy(struct cpu_complex *complex)
{
	free(complex);
}

unsigned fake_cpu_trims;

void cpu_complex_trim(struct cpu_complex *complex)
{
	(void)complex;
	fake_cpu_trims++;
}

struct cpu *cpu_get(struct cpu_complex *complex, unsigned index)
{
	return &complex->cpu[index];
}

unsigned cpu_index(const struct cpu *cpu)
{
	return cpu->index;
}

void cpu_reset(struct cpu *cpu)
{
	uint64_t retired = cpu->regs.retired;

	cpu->regs = (struct cpu_regs){.retired = retired,
				      .idtr_base = FAKE_IDT,
				      .rflags = 2,
				      .halted = cpu->index != 0};
	cpu->intr = cpu->nmi = cpu->die = false;
}

bool cpu_complex_set_timing(struct cpu_complex *complex,
			    enum timing_model model, const char *profile,
			    struct error *err)
{
	(void)complex, (void)profile;
	return model == TIMING_FLAT ||
	       error_set(err, EXIT_USAGE, "a toy counts instructions alone");
}

uint64_t cpu_complex_profile(const struct cpu_complex *complex)
{
	(void)complex;
	return 0;
}

uint64_t cpu_ticks(const struct cpu *cpu)
{
	(void)cpu;
	return 0;
}

void cpu_set_ticks_deadline(struct cpu *cpu, uint64_t ticks)
{
	(void)cpu, (void)ticks;
}

void cpu_set_clock(struct cpu *cpu, uint64_t ticks)
{
	(void)cpu, (void)ticks;
}

uint64_t cpu_retired(const struct cpu *cpu)
{
	return cpu->regs.retired;
}

const char *cpu_broken_text(const struct cpu *cpu)
{
	return cpu->wrecked ? "fake engine failed" : "";
}

void cpu_kick(struct cpu *cpu)
{
	cpu->kicked = true;
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
	cpu->intr = level;
}

void cpu_set_nmi(struct cpu *cpu)
{
	cpu->nmi = true;
}

void cpu_machine_check(struct cpu *cpu, uint64_t status, uint64_t addr)
{
	cpu->regs.mca[CPU_MC0_STATUS] = status;
	cpu->regs.mca[CPU_MC0_ADDR] = addr;
}

bool cpu_halted(const struct cpu *cpu)
{
	return cpu->regs.halted;
}

bool cpu_interruptible(const struct cpu *cpu)
{
	return cpu->regs.rflags & FLAG_IF;
}

void cpu_ram_will_change(struct cpu_complex *complex, paddr_t pa,
			 uint64_t bytes)
{
	(void)complex, (void)pa, (void)bytes;
}

void cpu_notice_writes(struct cpu_complex *complex, cpu_page_fn *page,
		       void *owner)
{
	(void)complex, (void)page, (void)owner;
}

void cpu_mark_changes(struct cpu_complex *complex, uint32_t *marks,
		      uint32_t mark)
{
	(void)complex, (void)marks, (void)mark;
}

void cpu_ram_changed(struct cpu_complex *complex, paddr_t pa, uint64_t bytes)
{
	(void)complex, (void)pa, (void)bytes;
}

void cpu_tlb_flush(struct cpu *cpu)
{
	(void)cpu;
}

void cpu_break_set(struct cpu *cpu, vaddr_t rip)
{
	CHECK(cpu->break_count < BREAKS);
	cpu->at[cpu->break_count++] = rip;
}

void cpu_break_clear(struct cpu *cpu, vaddr_t rip)
{
	for (unsigned i = 0; i < cpu->break_count; i++) {
		if (cpu->at[i] == rip)
			cpu->at[i] = cpu->at[--cpu->break_count];
	}
}

void cpu_regs_get(struct cpu *cpu, struct cpu_regs *regs)
{
	*regs = cpu->regs;
}

void cpu_regs_set(struct cpu *cpu, const struct cpu_regs *regs)
{
	uint64_t retired = cpu->regs.retired;

	cpu->regs = *regs;
	cpu->regs.retired = retired;
}

uint64_t *cpu_hidden_get(struct cpu *cpu, size_t *count)
{
	uint64_t *words = malloc(sizeof(*words));

	CHECK(words);
	words[0] = cpu->regs.retired;
	*count = 1;
	return words;
}

bool cpu_hidden_set(struct cpu *cpu, const uint64_t *words, size_t count)
{
	if (count != 1)
		return false;
	cpu->regs.retired = words[0];
	return true;
}

uint64_t cpu_rip(struct cpu *cpu)
{
	return cpu->regs.rip;
}

uint64_t cpu_gpr(struct cpu *cpu, enum cpu_gpr which)
{
	return cpu->regs.gpr[which];
}

uint64_t cpu_cr3(const struct cpu *cpu)
{
	return cpu->regs.cr3;
}

unsigned cpu_cpl(const struct cpu *cpu)
{
	(void)cpu;
	return 0;
}

const char *cpu_engine_text(void)
{
	return "fake";
}

/* --- running --- */

static uint8_t *ram_at(struct cpu *cpu, paddr_t pa, uint64_t bytes)
{
	for (size_t i = 0; i < cpu->complex->config.ram_count; i++) {
		const struct cpu_ram *r = &cpu->complex->ram[i];

		if (pa >= r->base && pa + bytes <= r->base + r->bytes)
			return r->host + (pa - r->base);
	}
	return NULL;
}

static uint64_t load(struct cpu *cpu, paddr_t pa, unsigned size)
{
	const struct cpu_complex_config *c = &cpu->complex->config;
	uint64_t value = 0;
	uint8_t *ram = ram_at(cpu, pa, size);

	if (!ram)
		return c->ops->mmio_read(c->owner, cpu, pa, size);
	memcpy(&value, ram, size);
	return value;
}

static void store(struct cpu *cpu, paddr_t pa, unsigned size, uint64_t value)
{
	const struct cpu_complex_config *c = &cpu->complex->config;
	uint8_t *ram = ram_at(cpu, pa, size);

	if (ram)
		memcpy(ram, &value, size);
	else
		c->ops->mmio_write(c->owner, cpu, pa, size, value);
}

static void tell(struct cpu *cpu, enum cpu_context_event what, uint32_t vector,
		 uint64_t value)
{
	const struct cpu_complex_config *c = &cpu->complex->config;
	struct cpu_context_record r = {
		.what = what,
		.vector = vector,
		.value = value,
		.rip = cpu->regs.rip,
	};

	if (c->ops->context)
		c->ops->context(c->owner, cpu, &r);
}

static void enter(struct cpu *cpu, uint32_t vector)
{
	tell(cpu, CPU_CTX_INTERRUPT, vector, 0);
	cpu->regs.gpr[CPU_R15] = cpu->regs.rip;
	cpu->regs.rip = cpu->regs.idtr_base + vector * FAKE_HANDLER;
	cpu->regs.rflags &= ~FLAG_IF;
	cpu->regs.halted = 0;
}

static void take_interrupts(struct cpu *cpu)
{
	const struct cpu_complex_config *c = &cpu->complex->config;

	if (cpu->nmi) {
		cpu->nmi = false;
		enter(cpu, 2);
	} else if (cpu->intr && cpu_interruptible(cpu)) {
		int vector = c->ops->intr_ack(c->owner, cpu);

		if (vector >= 0)
			enter(cpu, (uint32_t)vector);
	}
}

/* True: PAUSE. */
static bool execute(struct cpu *cpu, const struct fake_insn *i)
{
	const struct cpu_complex_config *c = &cpu->complex->config;
	uint64_t *a = &cpu->regs.gpr[i->a % CPU_GPR_COUNT];
	uint64_t *b = &cpu->regs.gpr[i->b % CPU_GPR_COUNT];
	uint64_t next = cpu->regs.rip + sizeof(*i);

	switch ((enum fake_op)i->op) {
	case FAKE_NOP:
	case FAKE_PAUSE:
		break;
	case FAKE_SET:
		*a = i->imm;
		break;
	case FAKE_ADDI:
		*a += i->imm;
		break;
	case FAKE_ADD:
		*a += *b;
		break;
	case FAKE_LOAD:
		*a = load(cpu, i->imm + *b, i->size);
		break;
	case FAKE_STORE:
		store(cpu, i->imm + *b, i->size, *a);
		break;
	case FAKE_STORE2:
		store(cpu, i->imm + *b, i->size, *a);
		store(cpu, i->imm + *b + 8, i->size, *a);
		break;
	case FAKE_IN:
		*a = c->ops->port_read(c->owner, cpu, (uint16_t)i->imm,
				       i->size);
		break;
	case FAKE_OUT:
		c->ops->port_write(c->owner, cpu, (uint16_t)i->imm, i->size,
				   (uint32_t)*a);
		break;
	case FAKE_HLT:
		cpu->regs.halted = 1;
		break;
	case FAKE_JMP:
		next = i->imm;
		break;
	case FAKE_JNZ:
		next = *a ? i->imm : next;
		break;
	case FAKE_TSC:
		*a = c->ops->tsc_read(c->owner, cpu);
		break;
	case FAKE_STI:
		cpu->regs.rflags |= FLAG_IF;
		break;
	case FAKE_CLI:
		cpu->regs.rflags &= ~FLAG_IF;
		break;
	case FAKE_RDMSR:
		*b = !c->ops->msr_read(c->owner, cpu, (uint32_t)i->imm, a);
		break;
	case FAKE_WRMSR:
		*b = !c->ops->msr_write(c->owner, cpu, (uint32_t)i->imm, *a);
		break;
	case FAKE_RDCR8:
		*a = c->ops->cr8_read(c->owner, cpu);
		break;
	case FAKE_WRCR8:
		c->ops->cr8_write(c->owner, cpu, (uint8_t)*a & 0xF);
		break;
	case FAKE_CR3:
		cpu->regs.cr3 = *a;
		tell(cpu, CPU_CTX_CR3, 0, *a);
		break;
	case FAKE_IRET:
		next = cpu->regs.gpr[CPU_R15];
		cpu->regs.rflags |= FLAG_IF;
		break;
	case FAKE_DIE:
		cpu->die = true;
		return false;
	case FAKE_WRECK:
	case FAKE_OP_COUNT:
		cpu->wrecked = true;
		return false;
	}
	cpu->regs.rip = next;
	return i->op == FAKE_PAUSE;
}

static bool at_break(const struct cpu *cpu)
{
	for (unsigned i = 0; i < cpu->break_count; i++) {
		if (cpu->at[i] == cpu->regs.rip)
			return true;
	}
	return false;
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t deadline)
{
	for (;;) {
		const struct fake_insn *i;
		bool pause;

		if (cpu->regs.retired >= deadline)
			return CPU_STOP_DEADLINE;
		take_interrupts(cpu);
		if (cpu->regs.halted)
			return CPU_STOP_HALT;
		if (!at_break(cpu)) {
			cpu->break_told = false;
		} else if (!cpu->break_told) {
			cpu->break_told = true;
			return CPU_STOP_BREAK;
		}
		i = (void *)ram_at(cpu,
				   cpu->regs.seg[CPU_CS].base + cpu->regs.rip,
				   sizeof(*i));
		CHECK_MSG(i, "fetch at %#llx",
			  (unsigned long long)cpu->regs.rip);
		cpu->kicked = false;
		pause = execute(cpu, i);
		if (cpu->die)
			return CPU_STOP_SHUTDOWN;
		if (cpu->wrecked)
			return CPU_STOP_BROKEN;
		cpu->break_told = false;
		cpu->regs.retired++;
		if (pause)
			return CPU_STOP_PAUSE;
		if (cpu->kicked)
			return CPU_STOP_KICK;
	}
}

/* Nothing is accounted, nothing is told. */
void cpu_account(struct cpu *cpu, bool on)
{
	(void)cpu, (void)on;
}

void cpu_account_owner(struct cpu *cpu, uint32_t owner)
{
	(void)cpu, (void)owner;
}

void cpu_account_access(struct cpu *cpu, uint64_t ticks)
{
	(void)cpu, (void)ticks;
}

const struct cpu_account *cpu_accounted(struct cpu *cpu, size_t *count)
{
	(void)cpu;
	*count = 0;
	return NULL;
}

uint64_t cpu_ticks_ahead(const struct cpu *cpu)
{
	(void)cpu;
	return 0;
}

void cpu_observe(struct cpu *cpu, enum cpu_observe what)
{
	(void)cpu, (void)what;
}

bool cpu_flow_end(const struct cpu *cpu, vaddr_t *end)
{
	(void)cpu, (void)end;
	return false;
}

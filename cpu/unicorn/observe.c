/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/observe.c - each stretch, each instruction: see observe.h. */
#include "cpu/unicorn/observe.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/unicorn/debug.h"
#include "sim/check.h"

#define RFLAGS_AT CPU_GPR_COUNT

struct observer {
	/* The block under way; NULL: between runs. */
	const struct block *block;
	uint64_t began; /* retired before it */
	/* Flow: the stretch goes on at this address with this count, or at that
	 * of its last instruction. */
	bool open;
	uint64_t next, next_retired, last;
	/* Instructions: the one under way; `told`: CPU_STEP_BEGIN was. */
	bool told, pending;
	struct cpu_instruction step;
	uint64_t before[CPU_GPR_COUNT + 1], after[CPU_GPR_COUNT + 1];
	struct cpu_access access[CPU_STEP_ACCESSES];
	const uint8_t *host[CPU_STEP_ACCESSES]; /* of writes, until it ends */
};

/* --- flow --- */

/* The block was left in its middle: where that is. */
static void flow_left(struct observer *o, uint64_t retired)
{
	const struct block *b = o->block;
	uint64_t done = retired - o->began;

	if (retired == o->next_retired || !b || done >= b->count)
		return;
	o->next = b->pc + b->offset[done];
	if (done)
		o->last = b->pc + b->offset[done - 1];
	o->next_retired = retired;
}

static void flow_block(struct cpu *cpu, struct observer *o,
		       const struct block *b)
{
	uint64_t retired = engine_retired(cpu) - b->count;
	struct cpu_flow f;

	flow_left(o, retired);
	if (!o->open || (b->pc != o->next && b->pc != o->last)) {
		f.pc = b->pc;
		f.retired = retired;
		f.end = o->open ? o->next : b->pc;
		o->open = true;
		/* cpu_ticks(): those before the block. */
		cpu->accessing = true;
		cpu->complex->ops->flow(cpu->complex->owner, cpu, &f);
		cpu->accessing = false;
	}
	o->block = b;
	o->began = retired;
	o->next = b->pc + b->bytes;
	o->next_retired = retired + b->count;
	o->last = b->pc + b->offset[b->count - 1];
}

bool cpu_flow_end(const struct cpu *cpu, vaddr_t *end)
{
	const struct observer *o = cpu->observer;

	if (cpu->observe != CPU_OBSERVE_FLOW || !o->open)
		return false;
	*end = o->next;
	return true;
}

/* --- instructions --- */

static void look_at_registers(struct cpu *cpu, uint64_t *to)
{
	memcpy(to, &AT(cpu->env, uint64_t, ENV_REGS),
	       CPU_GPR_COUNT * sizeof(*to));
	to[RFLAGS_AT] = originals.read_eflags(cpu->env);
}

static void tell(struct cpu *cpu, struct observer *o)
{
	o->step.gpr = o->before;
	o->step.then = o->after;
	o->step.access = o->access;
	cpu->complex->ops->instruction(cpu->complex->owner, cpu, &o->step);
	memcpy(o->before, o->after, sizeof(o->before));
}

/* What was under way is over if it retired, or else has never been. */
static void end_step(struct cpu *cpu, struct observer *o, uint64_t retired)
{
	if (!o->pending)
		return;
	o->pending = false;
	if (o->step.step == CPU_STEP_INSTRUCTION && retired == o->step.retired)
		return;
	look_at_registers(cpu, o->after);
	o->step.changed = 0;
	for (unsigned i = 0; i <= RFLAGS_AT; i++)
		o->step.changed |= (uint32_t)(o->before[i] != o->after[i]) << i;
	for (size_t i = 0; i < o->step.accesses; i++) {
		if (o->access[i].write)
			memcpy(&o->access[i].value, o->host[i],
			       o->access[i].bytes);
	}
	tell(cpu, o);
}

static void begin_step(struct cpu *cpu, struct observer *o, uint64_t retired)
{
	if (!o->told) {
		look_at_registers(cpu, o->after);
		o->step = (struct cpu_instruction){
			.step = CPU_STEP_BEGIN,
			.pc = cpu_rip(cpu) + AT(cpu->env, struct env_segment,
						ENV_SEGS + 24 * CPU_CS)
						     .base,
			.retired = retired,
			.changed = CPU_STEP_ALL,
		};
		o->told = true;
		tell(cpu, o);
	}
	o->pending = true;
	o->step.accesses = 0;
	o->step.retired = retired;
}

static void step_block(struct cpu *cpu, struct observer *o,
		       const struct block *b)
{
	uint64_t retired = engine_retired(cpu) - b->count;

	if (o->pending && o->step.step == CPU_STEP_DELIVERY)
		o->step.pc = b->pc;
	end_step(cpu, o, retired);
	begin_step(cpu, o, retired);
	o->step.step = CPU_STEP_INSTRUCTION;
	o->step.pc = b->pc;
	o->step.bytes = (uint8_t)b->bytes;
}

void observe_context(struct cpu *cpu, enum cpu_context_event what)
{
	struct observer *o = cpu->observer;
	uint64_t retired = engine_retired(cpu);

	if (what != CPU_CTX_INTERRUPT && what != CPU_CTX_EXCEPTION &&
	    what != CPU_CTX_SOFTINT)
		return;
	end_step(cpu, o, retired);
	begin_step(cpu, o, retired);
	o->step.step = CPU_STEP_DELIVERY;
	o->step.bytes = 0;
	o->step.pc = 0;
}

/* --- memory --- */

const uint8_t *observe_host(struct cpu *cpu, vaddr_t va, bool write)
{
	static const unsigned of_user[] = {1, 2, 0}, of_kernel[] = {2, 0, 1};
	const unsigned *mode = cpu_cpl(cpu) == 3 ? of_user : of_kernel;
	uint64_t page = va & ~(uint64_t)(PAGE_BYTES - 1);

	for (unsigned i = 0; i < TLB_MODES; i++) {
		const char *fast = (const char *)cpu->cs + X86_TLB_FAST +
				   TLB_FAST_BYTES * mode[i];
		uint64_t at = va / PAGE_BYTES * TLB_ENTRY_BYTES &
			      AT(fast, uint64_t, TLB_FAST_MASK);
		const char *entry = AT(fast, char *, TLB_FAST_TABLE) + at;
		uint64_t tag = AT(entry, uint64_t,
				  write ? TLB_ENTRY_WRITE : TLB_ENTRY_READ);

		if ((tag & ~(uint64_t)TLB_SPECIAL) != page ||
		    (tag & TLB_INVALID))
			continue;
		if (tag & TLB_MMIO)
			return NULL;
		return (const uint8_t *)(uintptr_t)(va + AT(entry, uint64_t,
							    TLB_ENTRY_ADDEND));
	}
	return NULL;
}

void observe_access(struct cpu *cpu, vaddr_t va, uint64_t bytes, bool write)
{
	struct observer *o = cpu->observer;
	struct cpu_access *a = &o->access[o->step.accesses];
	const uint8_t *host;

	if (!o->pending || o->step.accesses == CPU_STEP_ACCESSES ||
	    bytes > sizeof(a->value))
		return;
	host = observe_host(cpu, va, write);
	if (!host)
		return;
	*a = (struct cpu_access){
		.va = va,
		.bytes = (uint8_t)bytes,
		.write = write,
	};
	if (!write)
		memcpy(&a->value, host, bytes);
	o->host[o->step.accesses++] = host;
}

/* --- both --- */

void observe_block(void *env)
{
	struct cpu *cpu = engine_running;
	const struct block *b = engine_block(cpu);

	(void)env;
	if (cpu->observe == CPU_OBSERVE_FLOW)
		flow_block(cpu, cpu->observer, b);
	else
		step_block(cpu, cpu->observer, b);
}

void observe_stand(struct cpu *cpu)
{
	struct observer *o = cpu->observer;

	if (cpu->observe == CPU_OBSERVE_FLOW) {
		flow_left(o, engine_retired(cpu));
		o->block = NULL;
		return;
	}
	if (o->pending && o->step.step == CPU_STEP_DELIVERY)
		o->step.pc = cpu_rip(cpu) + AT(cpu->env, struct env_segment,
					       ENV_SEGS + 24 * CPU_CS)
						    .base;
	end_step(cpu, o, engine_retired(cpu));
}

void cpu_observe(struct cpu *cpu, enum cpu_observe what)
{
	bool memory = (what == CPU_OBSERVE_INSTRUCTIONS) !=
		      (cpu->observe == CPU_OBSERVE_INSTRUCTIONS);

	CHECK(!engine_running);
	if (what == cpu->observe)
		return;
	if (!cpu->observer)
		cpu->observer = calloc(1, sizeof(*cpu->observer));
	CHECK(cpu->observer);
	memset(cpu->observer, 0, sizeof(*cpu->observer));
	cpu->observe = what;
	engine_forget_code(cpu);
	if (memory)
		debug_mark_anew(cpu);
}

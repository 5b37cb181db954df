/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

uint64_t rig_hash(uint64_t hash, const void *p, size_t bytes)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ b[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint32_t rig_word(const struct rig *r, uint64_t at)
{
	uint32_t w;

	memcpy(&w, r->ram + at, 4);
	return w;
}

/* Everything that the platform can see at this instant goes into the log. */
static void ask(struct rig *r, struct cpu *cpu, uint64_t what, uint64_t where,
		uint64_t value)
{
	uint64_t note[6] = {what,  cpu_retired(cpu), cpu_rip(cpu), where,
			    value, cpu_index(cpu)};

	r->log = rig_hash(r->log, note, sizeof(note));
	r->asked++;
	if (r->asked == r->kick_at)
		cpu_kick(cpu);
	if (r->on_ask)
		r->on_ask(r, cpu);
}

static uint64_t mmio_read(void *owner, struct cpu *cpu, paddr_t pa,
			  unsigned size)
{
	struct rig *r = owner;

	ask(r, cpu, 1, pa, size);
	return r->asked * UINT64_C(0x9e3779b97f4a7c15) >> (64 - 8 * size);
}

static void mmio_write(void *owner, struct cpu *cpu, paddr_t pa, unsigned size,
		       uint64_t value)
{
	ask(owner, cpu, 2 + size, pa, value);
}

static uint32_t port_read(void *owner, struct cpu *cpu, uint16_t port,
			  unsigned size)
{
	ask(owner, cpu, 20, port, size);
	return ((struct rig *)owner)->asked & (0xffffffffu >> (32 - 8 * size));
}

static void port_write(void *owner, struct cpu *cpu, uint16_t port,
		       unsigned size, uint32_t value)
{
	ask(owner, cpu, 30 + size, port, value);
	((struct rig *)owner)->last_port_value = value;
}

static int intr_ack(void *owner, struct cpu *cpu)
{
	struct rig *r = owner;

	ask(r, cpu, 40, 0, 0);
	r->acked_at = cpu_retired(cpu);
	cpu_set_intr(cpu, false);
	return r->vector;
}

static uint64_t tsc_read(void *owner, struct cpu *cpu)
{
	ask(owner, cpu, 50, 0, 0);
	return 3 * cpu_retired(cpu);
}

static bool msr_read(void *owner, struct cpu *cpu, uint32_t msr,
		     uint64_t *value)
{
	struct rig *r = owner;

	ask(r, cpu, 60, msr, 0);
	if (msr != 0x1b)
		r->refused = r->asked;
	*value = UINT64_C(0x1122334455667788);
	return msr == 0x1b;
}

static bool msr_write(void *owner, struct cpu *cpu, uint32_t msr,
		      uint64_t value)
{
	ask(owner, cpu, 70, msr, value);
	return msr == 0x1b;
}

static uint8_t cr8_read(void *owner, struct cpu *cpu)
{
	ask(owner, cpu, 80, 0, 0);
	return 5;
}

static void cr8_write(void *owner, struct cpu *cpu, uint8_t value)
{
	ask(owner, cpu, 90, 0, value);
}

static void context(void *owner, struct cpu *cpu,
		    const struct cpu_context_record *c)
{
	struct rig *r = owner;
	uint64_t note[6] = {c->what,  c->vector, c->error_code,
			    c->value, c->rip,    cpu_retired(cpu)};

	r->contexts = rig_hash(r->contexts, note, sizeof(note));
}

static const struct cpu_ops ops = {
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.port_read = port_read,
	.port_write = port_write,
	.intr_ack = intr_ack,
	.tsc_read = tsc_read,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.cr8_read = cr8_read,
	.cr8_write = cr8_write,
	.context = context,
};

void rig_make(struct rig *r, unsigned cpus)
{
	struct error err = {0};
	struct cpu_ram region = {.bytes = RIG_RAM};
	struct cpu_complex_config config = {
		.ram = &region,
		.ram_count = 1,
		.cpu_count = cpus,
		.ops = &ops,
		.owner = r,
	};

	memset(r, 0, sizeof(*r));
	r->ram = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(r->ram, MAP_FAILED);
	region.host = r->ram;
	r->cpus = cpus;
	r->vector = 64;
	r->cx = cpu_complex_create(&config, &err);
	cr_assert(r->cx, "%s", err.text);
	memcpy(r->ram + RIG_CODE, kernel_start,
	       (size_t)(kernel_end - kernel_start));
}

void rig_drop(struct rig *r)
{
	cpu_complex_destroy(r->cx);
	munmap(r->ram, RIG_RAM);
}

void rig_start(struct rig *r, unsigned cpu, uint32_t entry)
{
	struct cpu_regs regs;

	cpu_regs_get(cpu_get(r->cx, cpu), &regs);
	regs.seg[CPU_CS].selector = RIG_CODE >> 4;
	regs.seg[CPU_CS].base = RIG_CODE;
	regs.rip = entry;
	regs.halted = 0;
	cpu_regs_set(cpu_get(r->cx, cpu), &regs);
}

enum cpu_stop rig_run(struct rig *r, uint64_t count, uint64_t period,
		      uint64_t seed)
{
	struct cpu *cpu = cpu_get(r->cx, 0);
	enum cpu_stop stop = CPU_STOP_DEADLINE;

	while (cpu_retired(cpu) < count) {
		uint64_t now = cpu_retired(cpu);
		uint64_t until = period ? now - now % period + period : count;
		uint64_t step = until - now;

		if (seed) {
			seed = seed * UINT64_C(6364136223846793005) +
			       UINT64_C(1442695040888963407);
			step = seed >> 33 & 63;
			if (seed >> 60 == 0)
				step = seed >> 33 & 1023;
		}
		if (seed == 0 || now + step > until)
			step = until - now;
		if (now + step > count)
			step = count - now;
		stop = cpu_run(cpu, now + (step ? step : 1));
		if (stop != CPU_STOP_DEADLINE && stop != CPU_STOP_KICK &&
		    stop != CPU_STOP_PAUSE)
			return stop;
		if (period && stop == CPU_STOP_DEADLINE &&
		    cpu_retired(cpu) % period == 0)
			cpu_set_intr(cpu, true);
	}
	return stop;
}

uint64_t rig_digest(struct rig *r)
{
	uint64_t hash = rig_hash(1, &r->log, sizeof(r->log));
	struct cpu_regs regs;

	for (unsigned i = 0; i < r->cpus; i++) {
		cpu_regs_get(cpu_get(r->cx, i), &regs);
		hash = rig_hash(hash, &regs, sizeof(regs));
	}
	hash = rig_hash(hash, &r->contexts, sizeof(r->contexts));
	return rig_hash(hash, r->ram, RIG_RAM);
}

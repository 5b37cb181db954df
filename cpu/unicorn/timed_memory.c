/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/timed_memory.c - what the guest reaches in memory, told to the
 * model of it: see timed.h. */
#include "cpu/unicorn/account.h"
#include "cpu/unicorn/engine.h"
#include "cpu/walk.h"
#include "sim/check.h"

/* When the block under way began, and what memory took since. */
static uint64_t now(const struct cpu *cpu, const struct block *b)
{
	uint64_t begun = engine_ticks(cpu);

	begun -= b->timed->limited
			 ? AT(cpu->env, uint32_t, ENV_PART) + cpu->part_back
			 : b->timed->ticks;
	return begun + AT(cpu->env, uint32_t, ENV_PENDING) + cpu->clock;
}

static bool read_entry(void *owner, paddr_t pa, uint64_t *value)
{
	struct ram *ram = ram_of_paddr(owner, pa);

	if (!ram)
		return false;
	*value = *(const uint64_t *)(ram->r.host + (pa - ram->r.base));
	return true;
}

/* False: there is no memory. */
static bool translate(struct cpu *cpu, uint64_t when, vaddr_t va, bool code,
		      paddr_t *pa, uint32_t *took)
{
	const struct walk_root root = {
		.cr0 = AT(cpu->env, uint64_t, ENV_CR),
		.cr3 = AT(cpu->env, uint64_t, ENV_CR + 24),
		.cr4 = AT(cpu->env, uint64_t, ENV_CR + 32),
		.efer = AT(cpu->env, uint64_t, ENV_EFER),
		.read64 = read_entry,
		.owner = cpu->complex,
	};
	struct walk_result w;

	if (!memory_translate(cpu->memory, va, code, pa, took)) {
		/* The engine may still know what the tables no longer say. */
		if (!walk(&root, va, &w))
			return false;
		*pa = w.pa;
		if (w.levels)
			*took += memory_walk(cpu->memory, when, w.entry_pa,
					     w.levels);
		memory_enter(cpu->memory, va, code, w.pa, w.page_bytes);
	}
	return ram_of_paddr(cpu->complex, *pa) != NULL;
}

static void keep(struct cpu *cpu, uint32_t ticks)
{
	AT(cpu->env, uint32_t, ENV_PENDING) += ticks;
}

static void reach_line(const struct timed_access *a, uint64_t va)
{
	struct cpu *cpu = a->cpu;
	const struct block *b = engine_block(cpu);
	bool waits = b->timed->limited ? cpu->way.waits[cpu->part_at + a->index]
				       : b->timed->waits[a->index];
	enum memory_kind kind = a->write ? MEMORY_STORE
				: waits  ? MEMORY_WAITED_FOR
					 : MEMORY_LOAD;
	uint64_t when = now(cpu, b);
	struct memory_wait wait;
	uint32_t took, waited;
	paddr_t pa;

	if (!translate(cpu, when, va, false, &pa, &took))
		return;
	waited = memory_data(cpu->memory, when, va, pa, took, a->pc, kind,
			     &wait);
	keep(cpu, waited);
	if (cpu->account) {
		account_add(cpu, a->pc, TIMING_TLB, wait.tlb);
		account_add(cpu, a->pc, wait.rest, waited - wait.tlb);
	}
}

void timed_reach(const struct timed_access *a, uint64_t va)
{
	bool one = va % MEMORY_LINE + a->bytes <= MEMORY_LINE;

	if (one && memory_known(a->known, va))
		return;
	reach_line(a, va);
	if (!one)
		reach_line(a, va + a->bytes - 1);
}

void timed_fetch(const struct block *b)
{
	struct cpu *cpu = engine_running;
	uint64_t when;
	uint32_t took, waited;
	paddr_t pa;

	if (*b->timed->fetched == memory_code_changes(cpu->memory))
		return;
	when = engine_ticks(cpu) + cpu->clock;
	if (engine_block(cpu) == b)
		when -= b->timed->ticks;
	if (translate(cpu, when, b->pc, true, &pa, &took)) {
		waited = memory_code(cpu->memory, when, pa, b->bytes, took);
		keep(cpu, waited);
		account_add(cpu, b->pc, TIMING_TLB, took);
		account_add(cpu, b->pc, TIMING_FRONT_END, waited - took);
	}
	*b->timed->fetched = memory_code_changes(cpu->memory);
}

void timed_part_ends(struct cpu *cpu)
{
	timed_charge_between(cpu);
}

void timed_tlb_flush(struct cpu *cpu)
{
	if (cpu->memory)
		memory_flush(cpu->memory);
}

void timed_tlb_forget(struct cpu *cpu, vaddr_t va)
{
	if (cpu->memory)
		memory_forget(cpu->memory, va);
}

void cpu_set_clock(struct cpu *cpu, uint64_t ticks)
{
	CHECK(!cpu->running);
	cpu->clock = ticks;
}

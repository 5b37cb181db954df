/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/debug.c - breakpoints that the guest sets, and data that the host
 * watches.
 */
#include "cpu/unicorn/debug.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/unicorn/observe.h"

#include "sim/check.h"

#define RA ((uintptr_t)__builtin_return_address(0))

#define CR4_DE    (1u << 3)
#define DR6_FIXED 0xffff0ff0u
#define DR6_BD    (1u << 13)
#define DR7_FIXED 0x400u
#define DR7_ZERO  0xd000u
#define DR7_GD    (1u << 13)
#define RFLAGS_TF (1u << 8)
#define RFLAGS_RF (1u << 16)

/* What cpu_watchpoint_address_matches() answers and the access flags are. */
#define WATCH_READ  1
#define WATCH_WRITE 2

enum {
	TYPE_CODE,
	TYPE_WRITE,
	TYPE_IO,
	TYPE_ACCESS
};

#pragma GCC visibility push(default)
void helper_set_dr_x86_64(void *env, int reg, uint64_t value);
uint64_t helper_get_dr_x86_64(void *env, int reg);
void helper_single_step_x86_64(void *env);
void helper_rechecking_single_step_x86_64(void *env);
int cpu_watchpoint_address_matches_x86_64(void *cs, uint64_t addr, uint64_t n);
void cpu_check_watchpoint_x86_64(void *cs, uint64_t addr, uint64_t n,
				 uint32_t attrs, int flags, uintptr_t ra);
#pragma GCC visibility pop

static uint64_t dr(const struct cpu *cpu, unsigned n)
{
	return AT(cpu->env, uint64_t, ENV_DR + 8 * n);
}

static unsigned type(const struct cpu *cpu, unsigned n)
{
	return (unsigned)(dr(cpu, 7) >> (16 + 4 * n)) & 3;
}

static bool enabled(const struct cpu *cpu, unsigned n)
{
	return dr(cpu, 7) >> (2 * n) & 3;
}

/* Of I/O and data breakpoints: aligned to their length, which is coded. */
static bool covers(const struct cpu *cpu, unsigned n, uint64_t at,
		   uint64_t bytes)
{
	static const uint8_t lengths[] = {1, 2, 8, 4};
	uint64_t length = lengths[dr(cpu, 7) >> (18 + 4 * n) & 3];
	uint64_t start = dr(cpu, n) & ~(length - 1);

	return start < at + bytes && at < start + length;
}

void debug_arm(struct cpu *cpu)
{
	uint64_t code[4] = {0};
	bool data = false, changed = false;

	for (unsigned n = 0; n < 4; n++) {
		if (!enabled(cpu, n))
			continue;
		data = data || type(cpu, n) & 1;
		if (type(cpu, n) == TYPE_CODE)
			code[n] = dr(cpu, n);
	}
	for (unsigned n = 0; n < 4; n++) {
		bool on = enabled(cpu, n) && type(cpu, n) == TYPE_CODE;

		changed = changed || on != cpu->debug_code[n].on ||
			  code[n] != cpu->debug_code[n].at;
		cpu->debug_code[n].on = on;
		cpu->debug_code[n].at = code[n];
	}
	if (changed)
		engine_forget_code(cpu);
	if (data || cpu->debug_data)
		originals.tlb_flush(cpu->cs);
	cpu->debug_data = data;
}

bool debug_breaks_at(const struct cpu *cpu, uint64_t linear)
{
	for (unsigned n = 0; n < 4; n++) {
		if (cpu->debug_code[n].on && cpu->debug_code[n].at == linear)
			return true;
	}
	return false;
}

/* SDM 3A, 6.8.3: MOV SS and POP SS hold #DB off for an instruction, STI does
 * not; the engine keeps one flag for both, so see which it was. */
static bool after_mov_ss(struct cpu *cpu, uint64_t linear)
{
	uint32_t last;

	if (!(AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_INHIBIT_IRQ))
		return false;
	last = originals.load_code8(cpu->env, linear - 1);
	return last == 0x17 ||
	       ((last & 0xf8) == 0xd0 &&
		originals.load_code8(cpu->env, linear - 2) == 0x8e);
}

uint32_t debug_code_hit(struct cpu *cpu, uint64_t linear)
{
	uint32_t hit = 0;

	if (AT(cpu->env, uint64_t, ENV_EFLAGS) & RFLAGS_RF)
		return 0;
	for (unsigned n = 0; n < 4; n++) {
		if (cpu->debug_code[n].on && cpu->debug_code[n].at == linear)
			hit |= 1u << n;
	}
	return hit && after_mov_ss(cpu, linear) ? 0 : hit;
}

void debug_due(struct cpu *cpu, uint32_t bits)
{
	cpu->debug_due |= bits;
	AT(cpu->cs, uint32_t, CS_INTERRUPT_REQUEST) |= INTERRUPT_HARD;
	engine_look_up(cpu);
}

void debug_port(struct cpu *cpu, uint32_t port, unsigned bytes)
{
	uint32_t hit = 0;

	if (!(AT(cpu->env, uint64_t, ENV_CR + 32) & CR4_DE))
		return;
	for (unsigned n = 0; n < 4; n++) {
		if (enabled(cpu, n) && type(cpu, n) == TYPE_IO &&
		    covers(cpu, n, port, bytes))
			hit |= 1u << n;
	}
	if (hit)
		debug_due(cpu, hit);
}

void debug_entered(struct cpu *cpu)
{
	AT(cpu->env, uint64_t, ENV_DR + 8 * 6) |= cpu->debug_due;
	AT(cpu->env, uint64_t, ENV_DR + 8 * 7) &= ~(uint64_t)DR7_GD;
	cpu->debug_due = 0;
}

bool debug_deliver(struct cpu *cpu)
{
	if (!cpu->debug_due)
		return false;
	if (!cpu->intr)
		AT(cpu->cs, uint32_t, CS_INTERRUPT_REQUEST) &= ~INTERRUPT_HARD;
	debug_entered(cpu);
	engine_context(cpu, CPU_CTX_EXCEPTION, 1, 0, 0);
	AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = 1;
	AT(cpu->env, int32_t, ENV_EXCEPTION_IS_INT) = 0;
	AT(cpu->env, int32_t, ENV_ERROR_CODE) = 0;
	timed_event(cpu, TIMING_EXCEPTION);
	originals.do_interrupt(cpu->cs);
	AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = -1;
	engine_ring_check(cpu);
	return true;
}

/* --- what the library calls --- */

/* DR4 and DR5 are 6 and 7, or not there; any access may be guarded. */
static int look(struct cpu *cpu, int reg, uintptr_t ra)
{
	if ((reg == 4 || reg == 5) &&
	    (AT(cpu->env, uint64_t, ENV_CR + 32) & CR4_DE))
		originals.raise_exception_err_ra(cpu->env, 6, 0, ra);
	if (dr(cpu, 7) & DR7_GD) {
		AT(cpu->env, uint64_t, ENV_DR + 8 * 6) |= DR6_BD;
		originals.raise_exception_err_ra(cpu->env, 1, 0, ra);
	}
	return reg == 4 || reg == 5 ? reg + 2 : reg;
}

void helper_set_dr_x86_64(void *env, int reg, uint64_t value)
{
	struct cpu *cpu = engine_running;

	if (!cpu) {
		originals.set_dr(env, reg, value);
		return;
	}
	reg = look(cpu, reg, RA);
	if (reg >= 6 && value >> 32)
		originals.raise_exception_err_ra(env, 13, 0, RA);
	if (reg == 6)
		value = (value & 0xe00f) | DR6_FIXED;
	if (reg == 7)
		value = (value & ~(uint64_t)DR7_ZERO) | DR7_FIXED;
	AT(env, uint64_t, ENV_DR + 8 * reg) = value;
	if (reg == 7 || (reg < 4 && enabled(cpu, (unsigned)reg)))
		debug_arm(cpu);
}

uint64_t helper_get_dr_x86_64(void *env, int reg)
{
	struct cpu *cpu = engine_running;

	if (!cpu)
		return originals.get_dr(env, reg);
	return dr(cpu, (unsigned)look(cpu, reg, RA));
}

/* The block has run to its end, wherever it led. */
void helper_single_step_x86_64(void *env)
{
	if (engine_running)
		engine_no_block(engine_running);
	originals.single_step(env);
}

void helper_rechecking_single_step_x86_64(void *env)
{
	if (engine_running && (AT(env, uint64_t, ENV_EFLAGS) & RFLAGS_TF))
		engine_no_block(engine_running);
	originals.rechecking_single_step(env);
}

/* --- the host's --- */

_Static_assert(CPU_WATCH_READ == WATCH_READ, "as the engine's flags");
_Static_assert(CPU_WATCH_WRITE == WATCH_WRITE, "as the engine's flags");

static bool watches(const struct cpu *cpu, unsigned i, uint64_t at,
		    uint64_t bytes)
{
	return cpu->watch[i].va < at + bytes &&
	       at < cpu->watch[i].va + cpu->watch[i].bytes;
}

/* Of a watch that is accessed at `addr`: what stands there. */
static void look_before(struct cpu *cpu, unsigned i, uint64_t addr, bool write)
{
	uint64_t va = cpu->watch[i].va, bytes = cpu->watch[i].bytes;
	struct cpu_watch_hit *hit = &cpu->watch_hit;
	const uint8_t *host;

	if (bytes > sizeof(hit->before) ||
	    va / PAGE_BYTES != addr / PAGE_BYTES ||
	    (va + bytes - 1) / PAGE_BYTES != addr / PAGE_BYTES)
		return;
	host = observe_host(cpu, addr, write);
	if (!host)
		return;
	memcpy(&hit->before, host + (va - addr), bytes);
	hit->known = true;
}

/* The first access of an instruction is told. */
static void host_watch(struct cpu *cpu, uint64_t addr, uint64_t n,
		       unsigned flags, uintptr_t ra)
{
	unsigned kind = flags & WATCH_WRITE ? WATCH_WRITE : WATCH_READ;
	const struct block *b;
	unsigned i = 0;

	while (i < cpu->watch_count &&
	       (!(cpu->watch[i].kinds & kind) || !watches(cpu, i, addr, n)))
		i++;
	if (i == cpu->watch_count || cpu->watch_due)
		return;
	engine_alone(cpu, cpu->outer_ra ? cpu->outer_ra : ra);
	b = engine_block(cpu);
	cpu->watch_due = true;
	cpu->watch_hit = (struct cpu_watch_hit){
		.va = addr,
		.bytes = n,
		.kind = kind,
		.retired = engine_retired(cpu) - 1,
		.pc = b ? b->pc : cpu_rip(cpu),
		.watch = cpu->watch[i].va,
	};
	look_before(cpu, i, addr, kind == WATCH_WRITE);
	cpu->kicked = true;
	engine_look_up(cpu);
}

const struct cpu_watch_hit *cpu_watch_hit(const struct cpu *cpu)
{
	return &cpu->watch_hit;
}

void debug_mark_anew(struct cpu *cpu)
{
	bool pass_break = cpu->pass_break, same;
	struct cpu_regs regs;
	uint64_t *hidden;
	size_t count;

	cpu_regs_get(cpu, &regs);
	hidden = cpu_hidden_get(cpu, &count);
	cpu_regs_set(cpu, &regs);
	same = cpu_hidden_set(cpu, hidden, count);
	CHECK(same);
	free(hidden);
	cpu->pass_break = pass_break;
}

bool cpu_watch_set(struct cpu *cpu, vaddr_t va, uint64_t bytes, unsigned kinds)
{
	unsigned i = 0;

	CHECK(!engine_running);
	while (i < cpu->watch_count &&
	       (cpu->watch[i].va != va || cpu->watch[i].bytes != bytes))
		i++;
	if (kinds && i == CPU_WATCHES_MAX)
		return false;
	if (kinds) {
		cpu->watch_count += i == cpu->watch_count;
		cpu->watch[i].va = va;
		cpu->watch[i].bytes = bytes;
		cpu->watch[i].kinds = kinds;
	} else if (i < cpu->watch_count) {
		cpu->watch[i] = cpu->watch[--cpu->watch_count];
	}
	debug_mark_anew(cpu);
	return true;
}

/* --- what the library asks --- */

/* For a TLB entry: are accesses to the page to be looked at? */
int cpu_watchpoint_address_matches_x86_64(void *cs, uint64_t addr, uint64_t n)
{
	struct cpu *cpu = engine_running;
	int flags = 0;

	(void)cs;
	if (!cpu)
		return 0;
	if (cpu->observe == CPU_OBSERVE_INSTRUCTIONS)
		return WATCH_READ | WATCH_WRITE;
	for (unsigned i = 0; i < cpu->watch_count; i++) {
		if (watches(cpu, i, addr, n))
			flags |= (int)cpu->watch[i].kinds;
	}
	for (unsigned i = 0; cpu->debug_data && i < 4; i++) {
		if (!enabled(cpu, i) || !covers(cpu, i, addr, n))
			continue;
		if (type(cpu, i) == TYPE_WRITE)
			flags |= WATCH_WRITE;
		if (type(cpu, i) == TYPE_ACCESS)
			flags |= WATCH_READ | WATCH_WRITE;
	}
	return flags;
}

/* Before an access to such a page. */
void cpu_check_watchpoint_x86_64(void *cs, uint64_t addr, uint64_t n,
				 uint32_t attrs, int flags, uintptr_t ra)
{
	struct cpu *cpu = engine_running;
	uint32_t hit = 0;

	(void)cs, (void)attrs;
	if (!cpu)
		return;
	if (cpu->observe == CPU_OBSERVE_INSTRUCTIONS)
		observe_access(cpu, addr, n, (unsigned)flags & WATCH_WRITE);
	if (cpu->watch_count)
		host_watch(cpu, addr, n, (unsigned)flags, ra);
	if (!cpu->debug_data)
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (enabled(cpu, i) && covers(cpu, i, addr, n) &&
		    (type(cpu, i) == TYPE_ACCESS ||
		     (type(cpu, i) == TYPE_WRITE && (flags & WATCH_WRITE))))
			hit |= 1u << i;
	}
	if (!hit)
		return;
	engine_alone(cpu, cpu->outer_ra ? cpu->outer_ra : ra);
	debug_due(cpu, hit);
}

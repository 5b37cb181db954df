/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/changes.c - see changes.h. */
#include "cpu/unicorn/changes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/check.h"

#define WORD        ((uint64_t)sizeof(uint64_t))
#define OFFSET_MASK (PAGE_BYTES - 1)

#pragma GCC visibility push(default)
void cpu_stb_mmuidx_ra_x86_64(void *env, uint64_t va, uint32_t value,
			      int mmu_idx, uintptr_t ra);
void cpu_stw_mmuidx_ra_x86_64(void *env, uint64_t va, uint32_t value,
			      int mmu_idx, uintptr_t ra);
void cpu_stl_mmuidx_ra_x86_64(void *env, uint64_t va, uint32_t value,
			      int mmu_idx, uintptr_t ra);
void cpu_stq_mmuidx_ra_x86_64(void *env, uint64_t va, uint64_t value,
			      int mmu_idx, uintptr_t ra);
#pragma GCC visibility pop

static void mark(struct cpu_complex *cx, vaddr_t va)
{
	cx->marks[cpu_mark(va)] = cx->mark;
}

/* A store has gone who knows where. */
static void mark_all(struct cpu_complex *cx)
{
	for (uint32_t i = 0; i < CPU_MARKS; i++)
		cx->marks[i] = cx->mark;
	for (size_t i = 0; i < cx->ram_count; i++) {
		struct ram *ram = &cx->ram[i];

		if (ram->known)
			memset(ram->known, 0, ram->r.bytes / PAGE_BYTES);
	}
}

/* Within one page. */
static void look(struct cpu_complex *cx, struct ram *ram, uint64_t at,
		 vaddr_t va, unsigned bytes)
{
	uint64_t end = at + bytes, page = at / PAGE_BYTES;
	bool known = ram->known[page];

	va -= at % WORD;
	for (at -= at % WORD; at < end; at += WORD, va += WORD) {
		if (known && !memcmp(ram->r.host + at, ram->before + at, WORD))
			continue;
		memcpy(ram->before + at, ram->r.host + at, WORD);
		mark(cx, va);
	}
	if (known)
		return;
	memcpy(ram->before + page * PAGE_BYTES, ram->r.host + page * PAGE_BYTES,
	       PAGE_BYTES);
	ram->known[page] = 1;
}

static void stored(const struct changes_store *s, vaddr_t va, unsigned bytes)
{
	struct cpu_complex *cx = s->cpu->complex;
	uint64_t slot = va / PAGE_BYTES * TLB_ENTRY_BYTES &
			AT(s->fast, uint64_t, TLB_FAST_MASK);
	const char *entry = AT(s->fast, char *, TLB_FAST_TABLE) + slot;
	uint64_t tag = AT(entry, uint64_t, TLB_ENTRY_WRITE);
	uintptr_t host;

	if (((tag ^ va) & ~OFFSET_MASK) || (tag & TLB_INVALID)) {
		mark_all(cx);
		return;
	}
	if (tag & TLB_MMIO)
		return;
	host = (uintptr_t)(va + AT(entry, uint64_t, TLB_ENTRY_ADDEND));
	for (size_t i = 0; i < cx->ram_count; i++) {
		struct ram *ram = &cx->ram[i];
		uint64_t at = host - (uintptr_t)ram->r.host;

		if (at >= ram->r.bytes)
			continue;
		if (ram->known)
			look(cx, ram, at, va, bytes);
		return;
	}
}

void changes_store(const struct changes_store *s, uint64_t va)
{
	uint64_t room = PAGE_BYTES - (va & OFFSET_MASK);

	if (!s->cpu->complex->marks)
		return;
	if (s->bytes <= room) {
		stored(s, va, s->bytes);
	} else {
		stored(s, va, (unsigned)room);
		stored(s, va + room, s->bytes - (unsigned)room);
	}
}

/* --- stores of helpers --- */

static void helper_stored(uint64_t va, int mmu_idx, unsigned size)
{
	struct cpu *cpu = engine_running;

	if (cpu && changes_wanted(cpu))
		changes_store(changes_kind(cpu, (unsigned)mmu_idx, size), va);
}

void cpu_stb_mmuidx_ra_x86_64(void *env, uint64_t va, uint32_t value,
			      int mmu_idx, uintptr_t ra)
{
	originals.store8(env, va, value, mmu_idx, ra);
	helper_stored(va, mmu_idx, 0);
}

void cpu_stw_mmuidx_ra_x86_64(void *env, uint64_t va, uint32_t value,
			      int mmu_idx, uintptr_t ra)
{
	originals.store16(env, va, value, mmu_idx, ra);
	helper_stored(va, mmu_idx, 1);
}

void cpu_stl_mmuidx_ra_x86_64(void *env, uint64_t va, uint32_t value,
			      int mmu_idx, uintptr_t ra)
{
	originals.store32(env, va, value, mmu_idx, ra);
	helper_stored(va, mmu_idx, 2);
}

void cpu_stq_mmuidx_ra_x86_64(void *env, uint64_t va, uint64_t value,
			      int mmu_idx, uintptr_t ra)
{
	originals.store64(env, va, value, mmu_idx, ra);
	helper_stored(va, mmu_idx, 3);
}

/* --- on and off --- */

static void copies_make(struct ram *ram)
{
	if (ram->r.read_only)
		return;
	/* Only what is stored to is ever touched of it. */
	ram->before = mmap(NULL, ram->r.bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ram->known = calloc(ram->r.bytes / PAGE_BYTES, 1);
	CHECK_MSG(ram->before != MAP_FAILED && ram->known,
		  "out of memory for a debugger's copy of RAM");
}

static void stores_make(struct cpu *cpu)
{
	cpu->stores = calloc(TLB_MODES * CHANGES_SIZES, sizeof(*cpu->stores));
	CHECK_MSG(cpu->stores, "out of memory for a debugger");
	for (unsigned i = 0; i < TLB_MODES * CHANGES_SIZES; i++)
		cpu->stores[i] = (struct changes_store){
			.cpu = cpu,
			.fast = (const char *)cpu->cs + X86_TLB_FAST +
				TLB_FAST_BYTES * (i / CHANGES_SIZES),
			.bytes = 1u << i % CHANGES_SIZES,
		};
}

void changes_free(struct cpu_complex *cx)
{
	for (size_t i = 0; i < cx->ram_count; i++) {
		struct ram *ram = &cx->ram[i];

		if (ram->before)
			munmap(ram->before, ram->r.bytes);
		free(ram->known);
		ram->before = ram->known = NULL;
	}
	for (unsigned i = 0; i < cx->cpu_count; i++) {
		if (!cx->cpu[i])
			continue;
		free(cx->cpu[i]->stores);
		cx->cpu[i]->stores = NULL;
	}
}

void cpu_mark_changes(struct cpu_complex *cx, uint32_t *marks, uint32_t mark)
{
	bool were = cx->marks != NULL;

	CHECK(!engine_running);
	cx->marks = marks;
	cx->mark = mark;
	if (were == (marks != NULL))
		return;
	for (unsigned i = 0; i < cx->cpu_count; i++)
		engine_forget_code(cx->cpu[i]);
	changes_free(cx);
	for (size_t i = 0; marks && i < cx->ram_count; i++)
		copies_make(&cx->ram[i]);
	for (unsigned i = 0; marks && i < cx->cpu_count; i++)
		stores_make(cx->cpu[i]);
}

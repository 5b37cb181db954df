/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/engine.c - cpu/cpu.h over Unicorn: creation, run, count. */
#include "cpu/unicorn/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/cpuid.h"
#include "cpu/unicorn/account.h"
#include "cpu/unicorn/changes.h"
#include "cpu/unicorn/debug.h"
#include "cpu/unicorn/observe.h"
#include "sim/check.h"

_Thread_local struct cpu *engine_running;

#define ARENA_BYTES (1u << 20)
#define MMIO_END    (UINT64_C(1) << 40) /* as wide as the CPUID leaf says */

/* --- blocks --- */

static void *arena_alloc(struct arena **arena, size_t bytes)
{
	struct arena *a = *arena;
	void *p;

	bytes = (bytes + 7) & ~(size_t)7;
	if (!a || a->used + bytes > a->bytes) {
		a = malloc(sizeof(*a) + ARENA_BYTES);
		CHECK(a);
		a->next = *arena;
		a->used = 0;
		a->bytes = ARENA_BYTES;
		*arena = a;
	}
	p = a->memory + a->used;
	a->used += bytes;
	return p;
}

static void arena_free(struct arena **arena)
{
	while (*arena) {
		struct arena *a = *arena;

		*arena = a->next;
		free(a);
	}
}

void *block_alloc(struct cpu *cpu, size_t bytes)
{
	return arena_alloc(&cpu->arena, bytes);
}

struct block *block_new(struct cpu *cpu, uint64_t pc, const uint16_t *offset,
			uint32_t count, uint32_t length, bool breaks,
			uint32_t *number)
{
	size_t bytes = sizeof(struct block) + count * sizeof(*offset);
	struct block *b = arena_alloc(&cpu->arena, bytes);

	b->pc = pc;
	b->count = count;
	b->bytes = length;
	b->cost = breaks ? ROOM_MAX + count : count;
	b->timed = NULL;
	memcpy(b->offset, offset, count * sizeof(*offset));
	if (!cpu->block_count)
		cpu->block_count = 1;
	if (cpu->block_count >= cpu->block_space) {
		cpu->block_space =
			cpu->block_space ? 2 * cpu->block_space : 4096;
		cpu->block = realloc(cpu->block,
				     cpu->block_space * sizeof(struct block *));
		CHECK(cpu->block);
		account_grow(cpu);
	}
	*number = cpu->block_count++;
	cpu->block[*number] = b;
	return b;
}

/* Where the mapping ends that the address lies in; 0: that is not known. */
static uintptr_t mapping_end(uintptr_t address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t start, end, found = 0;
	char line[512];

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) == 2 &&
		    start <= address && address < end)
			found = end;
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Forgets all translated code of an engine, if it is more than `most`, and
 * gives its memory back to the host. */
static void code_trim(struct cpu *cpu, size_t most)
{
	uintptr_t first, end;

	if (originals.code_size(AT(cpu->uc, void *, UC_TCG_CTX)) <= most)
		return;
	account_fold(cpu);
	originals.tb_flush(cpu->cs); /* fills the buffer with zeroes */
	engine_no_block(cpu);
	arena_free(&cpu->arena);
	cpu->block_count = 0;
	first = (cpu->code | (PAGE_BYTES - 1)) + 1;
	end = mapping_end(first);
	if (end)
		CHECK(madvise((void *)first, end - first, MADV_DONTNEED) == 0);
}

void cpu_complex_trim(struct cpu_complex *cx)
{
	CHECK(!engine_running);
	for (unsigned i = 0; i < cx->cpu_count; i++)
		code_trim(cx->cpu[i], CODE_IDLE);
}

static bool host_breaks_at(const struct cpu *cpu, uint64_t linear)
{
	for (unsigned k = 0; k < cpu->break_count; k++) {
		if (cpu->break_at[k] == linear)
			return true;
	}
	return false;
}

bool engine_breaks_at(const struct cpu *cpu, uint64_t linear)
{
	return host_breaks_at(cpu, linear) || debug_breaks_at(cpu, linear);
}

/* How many instructions of the block may run before a breakpoint; the first
 * one's was looked at. */
static uint32_t before_break(const struct cpu *cpu, const struct block *b)
{
	for (uint32_t i = 1; i < b->count; i++) {
		if (engine_breaks_at(cpu, b->pc + b->offset[i]))
			return i;
	}
	return b->count;
}

void engine_retired_set(struct cpu *cpu, uint64_t retired)
{
	uint64_t end = cpu->look_up_at < cpu->deadline ? cpu->look_up_at
						       : cpu->deadline;
	uint64_t left = end > retired ? end - retired : 0;
	int32_t room = left < ROOM_MAX ? (int32_t)left : ROOM_MAX - 1;

	if (cpu->attend)
		room = -1;
	AT(cpu->env, int32_t, ENV_ROOM) = room;
	cpu->goal = retired + (uint64_t)room;
}

void engine_look_up(struct cpu *cpu)
{
	uint64_t retired = engine_retired(cpu);

	cpu->attend = true;
	engine_retired_set(cpu, retired);
}

/* Make the engine run blocks of its own choice no more before it was in its
 * main loop, where interrupts are taken.  Only from block_enter(). */
static void to_main_loop(struct cpu *cpu)
{
	AT(cpu->cs, uint16_t, X86_ICOUNT_DECR + 2) = 0xffff;
}

/* There is no room for the block, or a breakpoint is in it.  `address` is our
 * block (translate.c).  It is not run. */
void block_enter(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
	struct cpu *cpu = user;
	const struct block *b = (const struct block *)(uintptr_t)address;
	uint64_t retired = engine_retired(cpu) - b->cost, room;
	bool attend = cpu->attend, pass = cpu->pass_break;
	uint32_t limit = b->count;
	bool goes_on;

	(void)uc;
	(void)size;
	timed_take_back(cpu, b);
	engine_no_block(cpu);
	to_main_loop(cpu);
	cpu->attend = false;
	cpu->look_up_at = UINT64_MAX;
	engine_retired_set(cpu, retired);
	if (cpu->debug_due)
		return; /* it goes with the instruction before */
	/* uc_emu_stop() works only here. */
	if (cpu->stopped || cpu->kicked || cpu->full) {
		if (!cpu->stopped)
			engine_leave(cpu, CPU_STOP_KICK);
		uc_emu_stop(cpu->uc);
		return;
	}
	room = timed_due(cpu) ? 0 : cpu->deadline - retired;
	goes_on = timed_goes_on(cpu, b, retired);
	/* The main loop may find an interrupt to take; then the next block is
	 * another.  If not, one under way comes here again. */
	if (attend && room) {
		if (goes_on) {
			cpu->look_up_at = retired;
			engine_retired_set(cpu, retired);
			if (b->timed->limited)
				AT(cpu->cs, uint32_t, CS_CFLAGS_NEXT_TB) =
					b->count;
		}
		return;
	}
	/* Other code is there now: as it comes. */
	if (room && !goes_on && b->timed && b->timed->limited)
		return;
	cpu->pass_break = false;
	if (b->cost != b->count && !pass && host_breaks_at(cpu, b->pc)) {
		limit = 0;
	} else if (b->cost != b->count) {
		uint32_t hit = room ? debug_code_hit(cpu, b->pc) : 0;

		if (hit) {
			debug_due(cpu, hit);
			return;
		}
		limit = before_break(cpu, b);
	}
	if (room == 0 || limit == 0) {
		engine_leave(cpu, room ? CPU_STOP_BREAK : CPU_STOP_DEADLINE);
		uc_emu_stop(cpu->uc);
		return;
	}
	if (limit > room)
		limit = (uint32_t)room;
	if (b->timed) {
		limit = timed_limit(cpu, b, retired, limit);
		engine_retired_set(cpu, retired);
	}
	/* A block of a length that was asked for has no breakpoints. */
	if (limit < b->count || b->cost != b->count ||
	    (b->timed && cpu->way.on))
		AT(cpu->cs, uint32_t, CS_CFLAGS_NEXT_TB) = limit;
}

void block_settle(struct cpu *cpu, unsigned done)
{
	const struct block *b = engine_block(cpu);
	uint64_t at;

	if (!b)
		return;
	at = cpu_rip(cpu) +
	     AT(cpu->env, struct env_segment, ENV_SEGS + 24 * CPU_CS).base -
	     b->pc;
	engine_no_block(cpu);
	for (uint32_t i = 0; i < b->count; i++) {
		if (b->offset[i] == at) {
			account_settle(cpu, b, i + done);
			timed_settle(cpu, b, i + done);
			engine_retired_set(cpu, engine_retired(cpu) -
							(b->count - i - done));
			return;
		}
	}
	CHECK_MSG(false, "block %#llx was left at %#llx, no boundary of it",
		  (unsigned long long)b->pc, (unsigned long long)(b->pc + at));
}

void engine_leave(struct cpu *cpu, enum cpu_stop why)
{
	if (!cpu->stopped) {
		cpu->stopped = true;
		cpu->stop = why;
	}
	AT(cpu->uc, bool, UC_STOP_REQUEST) = true;
	engine_look_up(cpu);
}

/* --- observers --- */

void engine_context(struct cpu *cpu, enum cpu_context_event what,
		    uint32_t vector, uint32_t error, uint64_t value)
{
	struct cpu_context_record r = {
		.what = what,
		.vector = vector,
		.error_code = error,
		.value = value,
	};

	if (cpu->observe == CPU_OBSERVE_INSTRUCTIONS)
		observe_context(cpu, what);
	if (!cpu->complex->ops->context)
		return;
	r.rip = cpu_rip(cpu);
	cpu->complex->ops->context(cpu->complex->owner, cpu, &r);
}

void engine_ring_check(struct cpu *cpu)
{
	unsigned cpl = cpu_cpl(cpu);

	if (cpl == cpu->last_cpl)
		return;
	cpu->last_cpl = cpl;
	account_switch(cpu);
	engine_context(cpu, CPU_CTX_RING, 0, 0, cpl);
}

/* --- exceptions: from the library's interrupt hook --- */

#define EXCP_DB 1
#define EXCP_UD 6
#define INT1    0xf1

static uint32_t code_at_rip(struct cpu *cpu)
{
	return originals.load_code8(
		cpu->env, cpu_rip(cpu) + AT(cpu->env, struct env_segment,
					    ENV_SEGS + 24 * CPU_CS)
						 .base);
}

static void on_exception(uc_engine *uc, uint32_t vector, void *user)
{
	struct cpu *cpu = user;
	bool soft = AT(cpu->env, int32_t, ENV_EXCEPTION_IS_INT);

	(void)uc;
	/* A trap that is due comes before the fetch of the next instruction;
	 * one of an instruction that faults does not come. */
	if (cpu->debug_due && vector != EXCP_DB && !engine_block(cpu)) {
		debug_deliver(cpu);
		return;
	}
	AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = (int32_t)vector;
	/* The library moved past INT n; should delivery fault, the fault is of
	 * the INT itself. */
	if (soft)
		AT(cpu->env, uint64_t, ENV_EIP) =
			AT(cpu->env, uint64_t, ENV_EXCEPTION_NEXT_EIP) -
			cpu->int_length;
	block_settle(cpu, soft ? 1 : 0);
	if (vector == EXCP_UD && code_at_rip(cpu) == INT1) {
		vector = EXCP_DB; /* the library does not know INT1 */
		AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = EXCP_DB;
		AT(cpu->env, uint64_t, ENV_EIP)++;
		engine_retired_set(cpu, engine_retired(cpu) + 1);
		if (!cpu->complex->timing)
			account_add(cpu, account_rip(cpu) - 1, TIMING_BASE,
				    TIMING_TICKS_PER_CYCLE);
	}
	if (vector == EXCP_DB)
		debug_entered(cpu);
	cpu->debug_due = 0;
	engine_context(cpu, soft ? CPU_CTX_SOFTINT : CPU_CTX_EXCEPTION, vector,
		       (uint32_t)AT(cpu->env, int32_t, ENV_ERROR_CODE),
		       AT(cpu->env, uint64_t, ENV_CR + 16));
	timed_event(cpu, TIMING_EXCEPTION);
	originals.do_interrupt(cpu->cs);
	engine_ring_check(cpu);
}

/* --- registers in memory --- */

static uint64_t on_mmio_read(uc_engine *uc, uint64_t offset, unsigned size,
			     void *user)
{
	struct cpu *cpu = engine_running;
	uint64_t value;

	(void)uc;
	engine_alone(cpu, AT(cpu->cs, uintptr_t, CS_MEM_IO_PC));
	cpu->accessing = true;
	value = cpu->complex->ops->mmio_read(cpu->complex->owner, cpu,
					     *(const uint64_t *)user + offset,
					     size);
	cpu->accessing = false;
	return value;
}

static void on_mmio_write(uc_engine *uc, uint64_t offset, unsigned size,
			  uint64_t value, void *user)
{
	struct cpu *cpu = engine_running;

	(void)uc;
	engine_alone(cpu, AT(cpu->cs, uintptr_t, CS_MEM_IO_PC));
	cpu->accessing = true;
	cpu->complex->ops->mmio_write(cpu->complex->owner, cpu,
				      *(const uint64_t *)user + offset, size,
				      value);
	cpu->accessing = false;
}

/* --- RAM --- */

struct ram *ram_of_ram_addr(struct cpu_complex *cx, uint64_t ram_addr)
{
	for (size_t i = 0; i < cx->ram_count; i++) {
		if (ram_addr - cx->ram[i].ram_addr < cx->ram[i].r.bytes)
			return &cx->ram[i];
	}
	return NULL;
}

void cpu_ram_changed(struct cpu_complex *cx, paddr_t pa, uint64_t bytes)
{
	while (bytes) {
		struct ram *ram = ram_of_paddr(cx, pa);
		uint64_t part = PAGE_BYTES - pa % PAGE_BYTES;
		uint64_t at;

		if (part > bytes)
			part = bytes;
		if (ram)
			changes_unknown(ram, (pa - ram->r.base) / PAGE_BYTES);
		if (ram && ram->has_code[(pa - ram->r.base) / PAGE_BYTES]) {
			at = ram->ram_addr + (pa - ram->r.base);
			for (unsigned i = 0; i < cx->cpu_count; i++)
				originals.invalidate_range(cx->cpu[i]->uc, at,
							   at + part);
		}
		pa += part;
		bytes -= part;
	}
}

void cpu_ram_will_change(struct cpu_complex *cx, paddr_t pa, uint64_t bytes)
{
	paddr_t end = pa + bytes;

	if (!cx->notice)
		return;
	for (pa -= pa % PAGE_BYTES; pa < end; pa += PAGE_BYTES) {
		struct ram *ram = ram_of_paddr(cx, pa);

		if (ram)
			ram_written(cx, ram, (pa - ram->r.base) / PAGE_BYTES);
	}
}

void cpu_notice_writes(struct cpu_complex *cx, cpu_page_fn *page, void *owner)
{
	CHECK(!engine_running);
	cx->notice = page;
	cx->notice_owner = owner;
	for (size_t i = 0; i < cx->ram_count; i++) {
		struct ram *ram = &cx->ram[i];
		uint64_t pages = ram->r.bytes / PAGE_BYTES;

		if (!page || ram->r.read_only) {
			free(ram->clean);
			ram->clean = NULL;
			continue;
		}
		if (!ram->clean)
			ram->clean = malloc(pages);
		CHECK_MSG(ram->clean, "out of memory for a snapshot");
		memset(ram->clean, 1, pages);
		for (unsigned c = 0; c < cx->cpu_count; c++)
			originals.reset_dirty(cx->cpu[c]->cs,
					      (uintptr_t)ram->r.host,
					      ram->r.bytes);
	}
}

/* --- creation --- */

static bool engine_ok(uc_err e, const char *what, struct error *err)
{
	return e == UC_ERR_OK ||
	       error_set(err, EXIT_HOST, "the CPU engine (%s) failed: %s: %s",
			 library_text(), what, uc_strerror(e));
}

static bool map_memory(struct cpu *cpu, struct error *err)
{
	struct cpu_complex *cx = cpu->complex;
	static const uint64_t zero;
	uint64_t hole = 0;

	for (size_t i = 0; i <= cx->ram_count; i++) {
		uint64_t end = i < cx->ram_count ? cx->ram[i].r.base : MMIO_END;

		if (end > hole) {
			uint64_t *base = arena_alloc(&cx->arena, sizeof(zero));

			*base = hole;
			if (!engine_ok(uc_mmio_map(cpu->uc, hole, end - hole,
						   on_mmio_read, base,
						   on_mmio_write, base),
				       "uc_mmio_map", err))
				return false;
		}
		if (i == cx->ram_count)
			break;
		if (!engine_ok(
			    uc_mem_map_ptr(cpu->uc, cx->ram[i].r.base,
					   cx->ram[i].r.bytes,
					   cx->ram[i].r.read_only
						   ? UC_PROT_READ | UC_PROT_EXEC
						   : UC_PROT_ALL,
					   cx->ram[i].r.host),
			    "uc_mem_map_ptr", err))
			return false;
		cx->ram[i].ram_addr = originals.ram_addr_from_host(
			cpu->uc, cx->ram[i].r.host);
		hole = cx->ram[i].r.base + cx->ram[i].r.bytes;
	}
	if (!cx->ram_region) {
		for (size_t i = 0; i < cx->ram_count; i++) {
			if (!cx->ram[i].r.read_only)
				cx->ram_region = originals.memory_mapping(
					cpu->uc, cx->ram[i].r.base);
		}
	}
	return true;
}

static void set_features(struct cpu *cpu)
{
	uint64_t *feature = &AT(cpu->env, uint64_t, ENV_FEATURES);

	/* The translator accepts what CPUID offers; SYSENTER in 64-bit mode is
	 * of Intel's processors. */
	char *vendor = &AT(cpu->env, char, ENV_VENDOR);

	CHECK_MSG(!memcmp(vendor, "AuthenticAMD", 12),
		  "the library's vendor is not where it was");
	memcpy(vendor, "GenuineIntel", 12);
	feature[FEAT_1_EDX] = CPUID_1_EDX;
	feature[FEAT_1_ECX] = CPUID_1_ECX;
	feature[FEAT_7_EBX] = 0;
	feature[FEAT_80000001_EDX] = CPUID_80000001_EDX;
	feature[FEAT_80000001_ECX] = CPUID_80000001_ECX;
}

static bool engine_create(struct cpu_complex *cx, unsigned index,
			  struct error *err)
{
	struct cpu *cpu = calloc(1, sizeof(*cpu));
	uc_hook hook;
	uint64_t rax;

	CHECK(cpu);
	cx->cpu[index] = cpu;
	cpu->complex = cx;
	cpu->index = index;
	cpu->tick_deadline = UINT64_MAX;
	branch_predictor_reset(&cpu->predictor);
	cpu->look_up_at = UINT64_MAX;
	if (!engine_ok(uc_open(UC_ARCH_X86, UC_MODE_64, &cpu->uc), "uc_open",
		       err))
		return false;
	if (!engine_ok(uc_ctl_exits_enable(cpu->uc), "uc_ctl_exits_enable",
		       err))
		return false;
	uc_reg_read(cpu->uc, UC_X86_REG_RAX, &rax); /* makes its parts */
	cpu->cs = AT(cpu->uc, void *, UC_CPU);
	cpu->env = (char *)cpu->cs + X86_ENV;
	if (!map_memory(cpu, err) ||
	    !engine_ok(uc_hook_add(cpu->uc, &hook, UC_HOOK_BLOCK,
				   (void *)block_enter, cpu, 1, 0),
		       "block hook", err) ||
	    !engine_ok(uc_hook_add(cpu->uc, &hook, UC_HOOK_INTR,
				   (void *)on_exception, cpu, 1, 0),
		       "interrupt hook", err))
		return false;
	AT(cpu->uc, void *, UC_STOP_INTERRUPT) = NULL;
	set_features(cpu);
	cpu_reset(cpu);
	return true;
}

struct cpu_complex *cpu_complex_create(const struct cpu_complex_config *config,
				       struct error *err)
{
	struct cpu_complex *cx;

	CHECK(config->cpu_count >= 1 && config->cpu_count <= CPU_COUNT_MAX);
	if (!library_open(err))
		return NULL;
	cx = calloc(1, sizeof(*cx));
	CHECK(cx);
	cx->ops = config->ops;
	cx->owner = config->owner;
	cx->tsc_hz = config->tsc_hz;
	cx->ram_count = config->ram_count;
	cx->ram = calloc(config->ram_count, sizeof(*cx->ram));
	CHECK(cx->ram);
	for (size_t i = 0; i < cx->ram_count; i++) {
		cx->ram[i].r = config->ram[i];
		cx->ram[i].has_code =
			calloc(config->ram[i].bytes / PAGE_BYTES, 1);
		CHECK(cx->ram[i].has_code);
	}
	for (unsigned i = 0; i < config->cpu_count; i++) {
		cx->cpu_count = i + 1;
		if (!engine_create(cx, i, err)) {
			cpu_complex_destroy(cx);
			return NULL;
		}
	}
	return cx;
}

void cpu_complex_destroy(struct cpu_complex *cx)
{
	if (!cx)
		return;
	changes_free(cx);
	for (unsigned i = 0; i < cx->cpu_count; i++) {
		if (cx->cpu[i] && cx->cpu[i]->uc)
			uc_close(cx->cpu[i]->uc);
		if (cx->cpu[i]) {
			arena_free(&cx->cpu[i]->arena);
			free(cx->cpu[i]->block);
			free(cx->cpu[i]->observer);
		}
		if (cx->cpu[i]) {
			account_free(cx->cpu[i]);
			memory_destroy(cx->cpu[i]->memory);
		}
		free(cx->cpu[i]);
	}
	memory_shared_destroy(cx->memory);
	for (size_t i = 0; i < cx->ram_count; i++) {
		free(cx->ram[i].has_code);
		free(cx->ram[i].clean);
	}
	timing_destroy(cx->timing);
	arena_free(&cx->arena);
	free(cx->ram);
	free(cx);
}

struct cpu *cpu_get(struct cpu_complex *cx, unsigned index)
{
	CHECK(index < cx->cpu_count);
	return cx->cpu[index];
}

unsigned cpu_index(const struct cpu *cpu)
{
	return cpu->index;
}

const char *cpu_engine_text(void)
{
	return library_text();
}

/* --- running --- */

static bool wakes(const struct cpu *cpu)
{
	return cpu->nmi || cpu->check ||
	       (cpu->intr && cpu_interruptible((void *)cpu));
}

/* To the deadline or another reason. */
static uc_err run(struct cpu *cpu)
{
	uint32_t *pending = &AT(cpu->cs, uint32_t, CS_INTERRUPT_REQUEST);
	uc_err e;

	cpu->outer_ra = 0;
	cpu->debug_due = 0;
	cpu->attend = false;
	cpu->look_up_at = cpu->way.on ? engine_retired(cpu) : UINT64_MAX;
	engine_retired_set(cpu, engine_retired(cpu));
	engine_ticks_set(cpu, engine_ticks(cpu));
	engine_no_block(cpu);
	/* Whether an access may be made is asked by engine_alone(). */
	AT(cpu->cs, uint32_t, CS_CAN_DO_IO) = 1;
	cpu->last_cpl = cpu_cpl(cpu);
	account_switch(cpu);
	cpu->stopped = false;
	cpu->full = false;
	*pending = (cpu->intr ? INTERRUPT_HARD : 0) |
		   (cpu->nmi || cpu->check ? INTERRUPT_NMI : 0);
	engine_running = cpu;
	cpu->running = true;
	e = uc_emu_start(cpu->uc, AT(cpu->env, uint64_t, ENV_EIP), 0, 0, 0);
	cpu->running = false;
	timed_charge_between(cpu);
	if (cpu->observe)
		observe_stand(cpu);
	engine_running = NULL;
	engine_no_block(cpu);
	return e;
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t deadline)
{
	uc_err e;

	CHECK(!engine_running);
	if (cpu->halted && !wakes(cpu))
		return CPU_STOP_HALT;
	if (engine_retired(cpu) >= deadline || timed_due(cpu))
		return CPU_STOP_DEADLINE;
	cpu->deadline = deadline;
	cpu->kicked = false;
	cpu->watch_due = false;
	do {
		code_trim(cpu, CODE_FULL);
		e = run(cpu);
	} while (e == UC_ERR_OK && cpu->full && !cpu->kicked &&
		 cpu->stop == CPU_STOP_KICK);
	if (e != UC_ERR_OK || !cpu->stopped) {
		snprintf(cpu->broken, sizeof(cpu->broken),
			 "the CPU engine stopped by itself at rip %#llx: %s",
			 (unsigned long long)cpu_rip(cpu), uc_strerror(e));
		return CPU_STOP_BROKEN;
	}
	if (cpu->stop == CPU_STOP_BREAK)
		cpu->pass_break = true;
	if (cpu->watch_due && cpu->stop != CPU_STOP_SHUTDOWN)
		return CPU_STOP_WATCH;
	/* A halted vCPU that was kicked is halted all the same. */
	return cpu->stop;
}

uint64_t cpu_retired(const struct cpu *cpu)
{
	return engine_retired(cpu) - (cpu->accessing ? 1 : 0);
}

const char *cpu_broken_text(const struct cpu *cpu)
{
	return cpu->broken;
}

void cpu_kick(struct cpu *cpu)
{
	if (!cpu->running)
		return;
	cpu->kicked = true;
	engine_look_up(cpu);
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
	uint32_t *pending = &AT(cpu->cs, uint32_t, CS_INTERRUPT_REQUEST);

	cpu->intr = level;
	if (!cpu->running)
		return;
	if (level) {
		*pending |= INTERRUPT_HARD;
		engine_look_up(cpu);
	} else {
		*pending &= ~INTERRUPT_HARD;
	}
}

void cpu_set_nmi(struct cpu *cpu)
{
	cpu->nmi = true;
	if (cpu->running) {
		AT(cpu->cs, uint32_t, CS_INTERRUPT_REQUEST) |= INTERRUPT_NMI;
		engine_look_up(cpu);
	}
}

#define STATUS_VAL  (UINT64_C(1) << 63)
#define STATUS_OVER (UINT64_C(1) << 62)
#define STATUS_UC   (UINT64_C(1) << 61)
#define STATUS_PCC  (UINT64_C(1) << 57)
#define MCG_RIPV    1u
#define MCG_MCIP    4u

void cpu_machine_check(struct cpu *cpu, uint64_t status, uint64_t addr)
{
	CHECK(!cpu->running);
	if (cpu->mca[CPU_MC0_STATUS] & STATUS_VAL)
		status |= STATUS_OVER;
	cpu->mca[CPU_MC0_STATUS] = status;
	cpu->mca[CPU_MC0_ADDR] = addr;
	if (!(status & STATUS_UC))
		return;
	cpu->check = cpu->mca[CPU_MCG_STATUS] & MCG_MCIP ? CHECK_FATAL
							 : CHECK_PENDING;
	cpu->mca[CPU_MCG_STATUS] =
		MCG_MCIP | (status & STATUS_PCC ? 0 : MCG_RIPV);
}

bool cpu_halted(const struct cpu *cpu)
{
	return cpu->halted;
}

bool cpu_interruptible(const struct cpu *cpu)
{
	return (AT(cpu->env, uint64_t, ENV_EFLAGS) & 0x200) &&
	       !(AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_INHIBIT_IRQ);
}

void cpu_tlb_flush(struct cpu *cpu)
{
	originals.tlb_flush(cpu->cs);
}

/* What is translated of `bytes` at an offset into a page, in every page. */
static void forget(struct cpu *cpu, uint64_t offset, uint64_t bytes)
{
	struct cpu_complex *cx = cpu->complex;

	for (size_t i = 0; i < cx->ram_count; i++) {
		const struct ram *r = &cx->ram[i];

		for (uint64_t page = 0; page < r->r.bytes / PAGE_BYTES;
		     page++) {
			uint64_t at = r->ram_addr + page * PAGE_BYTES + offset;

			if (r->has_code[page])
				originals.invalidate_range(cpu->uc, at,
							   at + bytes);
		}
	}
}

/* Blocks are marked when they are translated: all are translated anew. */
void engine_forget_code(struct cpu *cpu)
{
	forget(cpu, 0, PAGE_BYTES);
}

/* Those that have the instruction there, in whichever page it is mapped to. */
static void forget_instruction(struct cpu *cpu, vaddr_t rip)
{
	forget(cpu, rip % PAGE_BYTES, 1);
}

static void break_drop(struct cpu *cpu, vaddr_t rip)
{
	for (unsigned i = 0; i < cpu->break_count; i++) {
		if (cpu->break_at[i] == rip)
			cpu->break_at[i--] = cpu->break_at[--cpu->break_count];
	}
}

void cpu_break_set(struct cpu *cpu, vaddr_t rip)
{
	break_drop(cpu, rip);
	CHECK(cpu->break_count < BREAKS_MAX);
	cpu->break_at[cpu->break_count++] = rip;
	forget_instruction(cpu, rip);
}

void cpu_break_clear(struct cpu *cpu, vaddr_t rip)
{
	break_drop(cpu, rip);
	forget_instruction(cpu, rip);
}

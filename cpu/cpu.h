/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/cpu.h - what the machine needs of a CPU, and all that it may know of one.
 *
 * A `cpu_complex` is the set of vCPUs that share one physical address space.
 * A vCPU runs until an exact instant: cpu_run() returns with architectural
 * state at an instruction boundary and an exact count of retired
 * instructions.  Running to N at once or in pieces gives the same bits.
 *
 * Callbacks (struct cpu_ops) are made at an exact boundary: while one runs,
 * cpu_retired() counts every instruction before the one that makes the access
 * and cpu_regs_get() shows the state before it.  An access of a REP string or
 * a page walk counts as made by its instruction.
 *
 * Nothing here knows time: the machine turns retired instructions into
 * picoseconds, or ticks, which a timing model counts (cpu/timing/timing.h).
 *
 * Errors: creation can fail (host library missing, foreign, wrong layout) and
 * says so in struct error with EXIT_HOST.  Guest faults are delivered to the
 * guest as the SDM says (volume 3A, chapter 6) and are never errors here.
 */
#ifndef PARTERRE_CPU_CPU_H
#define PARTERRE_CPU_CPU_H

#include "cpu/timing/timing.h"
#include "sim/base.h"
#include "sim/status.h"

struct cpu_complex;
struct cpu;

#define CPU_COUNT_MAX 8

/* A piece of RAM or ROM.  `host` stays the machine's own, page-aligned. */
struct cpu_ram {
	paddr_t base;
	uint64_t bytes; /* multiple of 4096 */
	uint8_t *host;
	bool read_only; /* ROM: guest writes are dropped */
};

enum cpu_context_event {
	CPU_CTX_INTERRUPT, /* vector; external interrupt delivered */
	CPU_CTX_EXCEPTION, /* vector, error code, CR2 (for #PF) */
	CPU_CTX_SOFTINT,   /* vector; INT n, INT3, INTO */
	CPU_CTX_CR3,       /* value = new CR3 */
	CPU_CTX_SYSCALL,   /* value = RAX at SYSCALL / SYSENTER */
	CPU_CTX_RING,      /* value = new CPL, after it changed */
};

struct cpu_context_record {
	enum cpu_context_event what;
	uint32_t vector;
	uint32_t error_code;
	uint64_t value; /* CR2, new CR3, RAX, new CPL: see above */
	uint64_t rip; /* of the instruction interrupted or making the change */
};

/* A stretch of code without a jump, as a CPU executes it: instruction i begins
 * at pc + offset[i]. */
struct cpu_block {
	uint64_t pc; /* linear */
	uint32_t count, bytes;
	const uint16_t *offset;
	bool long_mode; /* 64-bit code */
};

/* What a CPU does can be looked at closer, see cpu_observe().
 *
 * A stretch: instructions one behind the other in memory, up to the jump that
 * is taken, the exception or the interrupt; one that repeats itself (REP, a
 * jump to itself) goes on.  Where it begins does not depend on how the run was
 * cut, nor on how the code was translated. */
struct cpu_flow {
	vaddr_t pc;       /* linear; here a stretch begins */
	uint64_t retired; /* before its first instruction */
	vaddr_t end; /* the one before ended in front of this address; if it is
		      * the first: pc */
};

/* RAM that an instruction read or wrote (not page walks, not registers of
 * devices); up to 8 bytes, an access over a page's end in parts. */
struct cpu_access {
	vaddr_t va;
	uint64_t value;
	uint8_t bytes;
	bool write;
};

enum cpu_step {
	CPU_STEP_INSTRUCTION, /* it retired */
	CPU_STEP_DELIVERY,    /* the CPU went to the handler of an interrupt or
			       * exception */
	CPU_STEP_BEGIN,       /* from here on it is looked at: no access */
};
#define CPU_STEP_FLAGS    (1u << 16) /* in `changed`: RFLAGS */
#define CPU_STEP_ALL      0x1ffffu
#define CPU_STEP_ACCESSES 96 /* no more of one instruction are told */
struct cpu_instruction {
	enum cpu_step step;
	uint8_t bytes;        /* of the instruction */
	vaddr_t pc;           /* linear, of the instruction or handler */
	uint64_t retired;     /* before it */
	uint32_t changed;     /* bit n: general register n */
	const uint64_t *gpr;  /* before it, CPU_GPR_COUNT, then RFLAGS */
	const uint64_t *then; /* after it */
	size_t accesses;
	const struct cpu_access *access; /* in their order */
};

/* What a CPU asks of the platform.  `owner` is cpu_complex_config.owner.
 * Reads return the value zero-extended.  No callback may call cpu_run(). */
struct cpu_ops {
	uint64_t (*mmio_read)(void *owner, struct cpu *cpu, paddr_t pa,
			      unsigned size);
	void (*mmio_write)(void *owner, struct cpu *cpu, paddr_t pa,
			   unsigned size, uint64_t value);
	uint32_t (*port_read)(void *owner, struct cpu *cpu, uint16_t port,
			      unsigned size);
	void (*port_write)(void *owner, struct cpu *cpu, uint16_t port,
			   unsigned size, uint32_t value);
	/* The CPU is about to take an external interrupt: acknowledge and give
	 * the vector, or -1 when there is none any more. */
	int (*intr_ack)(void *owner, struct cpu *cpu);
	/* RDTSC, RDTSCP, RDMSR of TSC: the counter at this boundary. */
	uint64_t (*tsc_read)(void *owner, struct cpu *cpu);
	/* MSRs that belong to the platform (APIC base, x2APIC, TSC, TSC
	 * deadline...).  False: not ours, and if the CPU does not have it
	 * either, the guest gets #GP. */
	bool (*msr_read)(void *owner, struct cpu *cpu, uint32_t msr,
			 uint64_t *value);
	bool (*msr_write)(void *owner, struct cpu *cpu, uint32_t msr,
			  uint64_t value);
	/* CR8 is the TPR: 4 bits. */
	uint8_t (*cr8_read)(void *owner, struct cpu *cpu);
	void (*cr8_write)(void *owner, struct cpu *cpu, uint8_t value);
	/* PAUSE retired: is there someone whose turn it could be?  False: the
	 * run goes on.  NULL: there always is. */
	bool (*pause)(void *owner, struct cpu *cpu);
	/* NULL: nobody looks.  Observing never changes the guest. */
	void (*context)(void *owner, struct cpu *cpu,
			const struct cpu_context_record *record);
	/* Ring 3 code is about to be executed that this CPU has not executed
	 * since it was written; perhaps also code that it has forgotten, or
	 * part of a block for the second time.  NULL: nobody looks. */
	void (*block)(void *owner, struct cpu *cpu,
		      const struct cpu_block *block);
	/* As cpu_observe() asks.  A stretch begins; an instruction has ended.
	 * Not NULL if anybody asks. */
	void (*flow)(void *owner, struct cpu *cpu, const struct cpu_flow *f);
	void (*instruction)(void *owner, struct cpu *cpu,
			    const struct cpu_instruction *i);
};

struct cpu_complex_config {
	const struct cpu_ram *ram; /* copied; sorted, not overlapping */
	size_t ram_count;
	unsigned cpu_count; /* 1 to CPU_COUNT_MAX */
	uint64_t tsc_hz;    /* what CPUID says of it; 0: nothing */
	const struct cpu_ops *ops;
	void *owner;
};

enum cpu_stop {
	CPU_STOP_DEADLINE, /* retired count reached the deadline */
	CPU_STOP_HALT,     /* HLT retired and nothing woke it */
	CPU_STOP_SHUTDOWN, /* triple fault; state as at the fault */
	CPU_STOP_BREAK,    /* a breakpoint's address is next to execute */
	CPU_STOP_WATCH,    /* cpu_watch_hit() tells of an access; state is after
			    * the instruction that made it */
	CPU_STOP_KICK,     /* cpu_kick() was called during a callback */
	CPU_STOP_PAUSE,    /* PAUSE retired: the guest spins, others may run */
	CPU_STOP_BROKEN,   /* the host engine failed; cpu_broken_text() says how
			    */
};

struct cpu_complex *cpu_complex_create(const struct cpu_complex_config *config,
				       struct error *err) MUST_USE;
void cpu_complex_destroy(struct cpu_complex *complex); /* NULL is fine */
/* The guest has little to do: gives the host back what translated code takes,
 * if it is much.  It is made again when needed.  Not from within a callback. */
void cpu_complex_trim(struct cpu_complex *complex);
struct cpu *cpu_get(struct cpu_complex *complex, unsigned index);
unsigned cpu_index(const struct cpu *cpu);

/* Power-on reset state (SDM 3A table 9-1); APs wait for SIPI. */
void cpu_reset(struct cpu *cpu);

/* Runs until `deadline` instructions in all have retired on this vCPU
 * (absolute, compared with cpu_retired()), or another reason to stop. */
enum cpu_stop cpu_run(struct cpu *cpu, uint64_t deadline) MUST_USE;
uint64_t cpu_retired(const struct cpu *cpu);

/* From now on this model counts ticks; with TIMING_FLAT they stand still, and
 * instructions are what time is counted by.  Ticks are as exact as instructions
 * are: the same at a boundary however a run came to it.  Between runs.
 * `profile`: a file; NULL: the generic one.  False: it is no profile. */
bool cpu_complex_set_timing(struct cpu_complex *complex,
			    enum timing_model model, const char *profile,
			    struct error *err) MUST_USE;
/* timing_profile_hash() of its profile; 0 with TIMING_FLAT. */
uint64_t cpu_complex_profile(const struct cpu_complex *complex);
/* At the boundary that cpu_retired() counts to. */
uint64_t cpu_ticks(const struct cpu *cpu);
/* cpu_run() also ends, by CPU_STOP_DEADLINE, before the first instruction that
 * would begin at this tick or later.  UINT64_MAX, as at first: never. */
void cpu_set_ticks_deadline(struct cpu *cpu, uint64_t ticks);
/* At tick t of this CPU's it is tick t + `ticks` for all, by which they share
 * memory.  Between runs. */
void cpu_set_clock(struct cpu *cpu, uint64_t ticks);
const char *cpu_broken_text(const struct cpu *cpu);

/* Who spends the cycles, and on what (enum timing_cause).  From now on, or no
 * more; what was accounted before is forgotten.  The guest cannot tell.  Costs,
 * beside nothing, some percent of speed (docs/measurements.md).  Between runs;
 * translates all code anew.
 *
 * Each tick that the CPU is charged (with TIMING_FLAT, a cycle for each
 * instruction) is accounted once, so sums are exact: all causes but
 * TIMING_DEVICE come to the ticks that were charged, and to cpu_ticks_ahead(),
 * which are already known and will be.  The same however a run is cut. */
void cpu_account(struct cpu *cpu, bool on);
/* To whom what is executed from now on belongs; 0 at first.  Also from within a
 * callback: then from the next instruction on. */
#define CPU_ACCOUNT_OWNERS 1024
void cpu_account_owner(struct cpu *cpu, uint32_t owner);
/* In an access's callback: it takes so long. */
void cpu_account_access(struct cpu *cpu, uint64_t ticks);
struct cpu_account {
	vaddr_t pc; /* linear, of an instruction */
	uint32_t owner;
	uint32_t user; /* 1: in ring 3; 0: in another */
	int64_t ticks[TIMING_CAUSE_COUNT];
};
/* In no order; valid until the CPU runs again.  Between runs. */
const struct cpu_account *cpu_accounted(struct cpu *cpu, size_t *count);
uint64_t cpu_ticks_ahead(const struct cpu *cpu);

/* From within a callback: cpu_run() returns CPU_STOP_KICK at the boundary
 * after the instruction that made the callback. */
void cpu_kick(struct cpu *cpu);
/* The INTR line; level.  May be called from a callback: then an interrupt can
 * be taken at the boundary after the current instruction. */
void cpu_set_intr(struct cpu *cpu, bool level);
/* An edge: NMI pending until taken. */
void cpu_set_nmi(struct cpu *cpu);
/* The bank gets an error; `status` is what IA32_MC0_STATUS shows.  An
 * uncorrected one (bit 61) raises #MC at the next boundary, whatever IF;
 * without CR4.MCE, or before the one before was seen to (MCIP), the CPU shuts
 * down.  Between runs. */
void cpu_machine_check(struct cpu *cpu, uint64_t status, uint64_t addr);
bool cpu_halted(const struct cpu *cpu);
/* True if INTR, were it raised, would be taken at the next boundary. */
bool cpu_interruptible(const struct cpu *cpu);

/* RAM was changed by other than a vCPU (DMA, debugger, fault injection): code
 * translated from it must not run stale.  Any time, also in callbacks. */
void cpu_ram_changed(struct cpu_complex *complex, paddr_t pa, uint64_t bytes);
/* Before RAM is changed so. */
void cpu_ram_will_change(struct cpu_complex *complex, paddr_t pa,
			 uint64_t bytes);
/* From now on `page` is called before a page of RAM is written, by whomever,
 * for the first time since this call; NULL: never.  The guest cannot tell, and
 * writes after the first are as fast as ever.  Between runs.  What it calls
 * may read RAM, and no more. */
typedef void cpu_page_fn(void *owner, paddr_t pa);
void cpu_notice_writes(struct cpu_complex *complex, cpu_page_fn *page,
		       void *owner);
/* From now on each store of an instruction that changes what stood there writes
 * `mark` to marks[cpu_mark()] of the linear address that it went to; they are
 * CPU_MARKS, and stay the caller's.  One stands for many words of 8 bytes, and
 * some are marked that did not change; none is missed.  NULL: no more.  The
 * guest cannot tell; a store takes some ns more.  Between runs; from NULL and
 * to it, all code is translated anew. */
#define CPU_MARKS_LOG 22
#define CPU_MARKS     (UINT32_C(1) << CPU_MARKS_LOG)
static inline uint32_t cpu_mark(vaddr_t va)
{
	/* A page's are neighbours, so that few of the host's pages change;
	 * pages are spread (Fibonacci hashing). */
	uint64_t page = va / PAGE_BYTES * UINT64_C(0x9E3779B97F4A7C15) >>
			(64 - CPU_MARKS_LOG + 9);

	return (uint32_t)(page << 9 | (va / 8 & 511));
}
void cpu_mark_changes(struct cpu_complex *complex, uint32_t *marks,
		      uint32_t mark);
/* Drop all cached translations of linear addresses. */
void cpu_tlb_flush(struct cpu *cpu);

void cpu_break_set(struct cpu *cpu, vaddr_t rip);
void cpu_break_clear(struct cpu *cpu, vaddr_t rip);

/* What is told of what the CPU executes; the guest cannot tell.  Costs, beside
 * nothing: some ns a block; some 100 ns an instruction.  Between runs; a change
 * translates all code anew. */
enum cpu_observe {
	CPU_OBSERVE_NOTHING,
	CPU_OBSERVE_FLOW,
	CPU_OBSERVE_INSTRUCTIONS,
};
/* With a timing model instructions are told only to who runs them one by one
 * (each cpu_run() to the next count). */
void cpu_observe(struct cpu *cpu, enum cpu_observe what);
/* With CPU_OBSERVE_FLOW, between runs: where the stretch under way has come to;
 * false: there is none. */
bool cpu_flow_end(const struct cpu *cpu, vaddr_t *end);

/* Accesses to linear addresses by instructions (not by page walks) stop this
 * vCPU after them.  Between runs; the guest cannot tell.  `kinds`:
 * CPU_WATCH_..., or-ed; 0 ends it.  False: there are CPU_WATCHES_MAX. */
#define CPU_WATCHES_MAX 16
#define CPU_WATCH_READ  1u
#define CPU_WATCH_WRITE 2u
bool cpu_watch_set(struct cpu *cpu, vaddr_t va, uint64_t bytes,
		   unsigned kinds) MUST_USE;
struct cpu_watch_hit {
	vaddr_t va; /* of the access */
	uint64_t bytes;
	unsigned kind;    /* CPU_WATCH_READ or CPU_WATCH_WRITE */
	uint64_t retired; /* before the instruction */
	vaddr_t pc;       /* linear, of the instruction */
	vaddr_t watch;    /* cpu_watch_set()'s address */
	/* What stood at the watch's address, if it is of at most 8 bytes and
	 * within a page of RAM. */
	bool known;
	uint64_t before;
};
const struct cpu_watch_hit *cpu_watch_hit(const struct cpu *cpu);

/* Architectural state, plain integers without holes: this is also the digest
 * and the snapshot format.  Vector registers as in the legacy FXSAVE area. */
enum cpu_seg {
	CPU_ES,
	CPU_CS,
	CPU_SS,
	CPU_DS,
	CPU_FS,
	CPU_GS,
	CPU_SEG_COUNT
};
enum cpu_gpr {
	CPU_RAX,
	CPU_RCX,
	CPU_RDX,
	CPU_RBX,
	CPU_RSP,
	CPU_RBP,
	CPU_RSI,
	CPU_RDI,
	CPU_R8,
	CPU_R9,
	CPU_R10,
	CPU_R11,
	CPU_R12,
	CPU_R13,
	CPU_R14,
	CPU_R15,
	CPU_GPR_COUNT
};

#define CPU_MTRR_COUNT 28

/* Machine-check registers (SDM 3B chapter 15): one bank. */
enum cpu_mca {
	CPU_MCG_STATUS,
	CPU_MC0_CTL,
	CPU_MC0_STATUS,
	CPU_MC0_ADDR,
	CPU_MC0_MISC,
	CPU_MCA_COUNT
};

struct cpu_segment {
	uint64_t base;
	uint32_t limit; /* in bytes, expanded by G */
	uint16_t selector;
	uint16_t attr; /* descriptor bits 40-47 in 0-7, 52-55 in 12-15 */
};

struct cpu_regs {
	uint64_t gpr[CPU_GPR_COUNT];
	uint64_t rip;
	uint64_t rflags;
	struct cpu_segment seg[CPU_SEG_COUNT];
	struct cpu_segment ldtr, tr;
	uint64_t gdtr_base, idtr_base;
	uint32_t gdtr_limit, idtr_limit;
	uint64_t cr0, cr2, cr3, cr4; /* CR8 is the local APIC's TPR */
	uint64_t dr[8];
	uint64_t efer, star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, pat, tsc_aux;
	/* IA32_MTRR_DEF_TYPE, the 11 fixed ranges, 8 pairs of base and mask. */
	uint64_t mtrr[CPU_MTRR_COUNT];
	uint64_t mca[CPU_MCA_COUNT];
	uint8_t fxsave[512]; /* reserved bytes are zero */
	uint64_t retired;
	uint64_t halted;  /* 0 or 1 */
	uint64_t inhibit; /* STI or MOV SS shadow: 0 or 1 */
};

void cpu_regs_get(struct cpu *cpu, struct cpu_regs *regs);
/* Sets everything but `retired`; flushes cached translations.  Not from within
 * a callback. */
void cpu_regs_set(struct cpu *cpu, const struct cpu_regs *regs);
/* What a CPU remembers beyond cpu_regs, with `retired`: NMI pending and
 * blocked, #MC pending, its ticks and where in a block it stands, and its TLB,
 * of which a guest sees by stale
 * translations and by when accessed bits are set.  The same words on every
 * host; the caller frees them. Not from within a callback. */
uint64_t *cpu_hidden_get(struct cpu *cpu, size_t *count) MUST_USE;
/* After cpu_regs_set() of the same instant, in a CPU over the same RAM (whose
 * contents don't matter).  False: these are no such words; then only what stood
 * in cpu_regs is certain.  INTR and breakpoints are the caller's to set. */
bool cpu_hidden_set(struct cpu *cpu, const uint64_t *words,
		    size_t count) MUST_USE;
/* Cheap single looks, exact in callbacks and when stopped. */
uint64_t cpu_rip(struct cpu *cpu);
uint64_t cpu_gpr(struct cpu *cpu, enum cpu_gpr which);
uint64_t cpu_cr3(const struct cpu *cpu);
unsigned cpu_cpl(const struct cpu *cpu);
/* In cpu_ops.block alone: bytes of that block. */
void cpu_block_code(struct cpu *cpu, uint64_t linear, uint8_t *to,
		    uint32_t bytes);

/* Which library serves, for messages and recordings: "unicorn 2.0.1.post1
 * build-id f439d3d0…".  Never NULL. */
const char *cpu_engine_text(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/engine.h - what the files of the seam share.
 *
 * One Unicorn engine for each vCPU, all over the same RAM.  library.c makes
 * sure that the library is the one we know; engine.c implements cpu/cpu.h;
 * interpose.c defines functions that the library then calls instead of its
 * own; state.c moves registers.
 *
 * How the count stays exact.  Each translated block begins by taking its number
 * of instructions off the room that there is, in two words of the engine's own
 * state (translate.c); so what has retired is `goal` less the room.  It also
 * leaves its number there.  A block for which there is no room calls
 * block_enter() and isn't run: there is decided what is due, the deadline, a
 * breakpoint, an interrupt; the engine may be told to run a block of just the
 * right length.  Whoever wants the engine to look up before the next block
 * takes all room away.  A block that is left in its middle (fault, register
 * access, code that it changed itself) is settled: the instructions that did
 * not run are given back.
 *
 * Ticks are counted beside, if a timing model asks for it: timed.h.
 */
#ifndef PARTERRE_UNICORN_ENGINE_H
#define PARTERRE_UNICORN_ENGINE_H

#include <unicorn/unicorn.h>

#include "cpu/cpu.h"
#include "cpu/unicorn/layout.h"
#include "cpu/unicorn/timed.h"

#define BREAKS_MAX 64
#define BLOCK_MAX  512
#define LARGE_BITS 4096

/* The room for an engine's translations.  When the library has none left it
 * forgets them in the middle of a run and goes on with wrong ones; so from
 * CODE_FULL on a run is left at the next boundary, and they are forgotten then.
 */
#define CODE_BYTES (UINT64_C(64) << 20)
#define CODE_FULL  (CODE_BYTES / 8 * 7)
#define CODE_IDLE  (CODE_BYTES / 16) /* too much for one that sleeps */

#define CHANGES_SIZES 4 /* of stores: 1, 2, 4, 8 bytes */

/* A translated block, as translator_loop() saw it: where each instruction
 * starts.  Lives until its engine forgets all code. */
struct block {
	uint64_t pc; /* linear */
	uint32_t count;
	uint32_t cost; /* count, or more than any room: a breakpoint is in it */
	uint32_t bytes;
	const struct timed_block *timed; /* NULL: it counts no ticks */
	uint16_t offset[];               /* of instruction i from pc; [0] = 0 */
};

struct arena {
	struct arena *next;
	size_t used, bytes;
	char memory[];
};

struct ram {
	struct cpu_ram r;
	uint64_t ram_addr; /* the library's own number of its first byte */
	uint8_t *has_code; /* a flag for each page, over all engines */
	/* Who waits for the first write to this page; NULL: nobody waits for
	 * any.  Where it is set, entries of the TLB have TLB_NOTDIRTY. */
	uint8_t *clean;
	/* As it was before the last store, and where that is known, a flag for
	 * each page (changes.h); NULL: nobody asks. */
	uint8_t *before, *known;
};

struct cpu {
	struct cpu_complex *complex;
	unsigned index;
	uc_engine *uc;
	void *cs;      /* CPUState */
	void *env;     /* CPUX86State */
	uint64_t goal; /* retired plus room */
	uint64_t deadline;
	bool running;
	bool accessing; /* a callback is made by the last counted instruction */
	bool kicked;
	bool attend;  /* look up before the next block: there is no room */
	bool stopped; /* `stop` is valid */
	bool halted, intr, nmi;
	enum {
		CHECK_NONE,
		CHECK_PENDING,
		CHECK_FATAL, /* it can't be delivered: shutdown */
	} check;
	bool pass_break; /* the breakpoint at this very place was reported */
	enum cpu_stop stop;
	uint32_t int_length; /* of the INT n being raised */
	uintptr_t outer_ra;  /* where translated code called us, or 0 */
	bool returning;      /* by IRET or a far RET */
	unsigned iret_loads; /* until the one of the flags without VM; or 0 */
	unsigned last_cpl;
	unsigned break_count;
	uint64_t break_at[BREAKS_MAX];
	struct {
		bool on;
		uint64_t at;
	} debug_code[4]; /* the guest's code breakpoints: debug.h */
	bool debug_data; /* there are data breakpoints of the guest's */
	struct {
		uint64_t va, bytes;
		unsigned kinds;
	} watch[CPU_WATCHES_MAX]; /* the host's */
	unsigned watch_count;
	bool watch_due; /* watch_hit is new */
	enum cpu_observe observe;
	struct observer *observer; /* observe.h; NULL: never asked for */
	struct cpu_watch_hit watch_hit;
	uint32_t debug_due;
	/* Where parts of large pages may be in the TLB: a bit for all stretches
	 * of 2 MiB, of 1 GiB whose numbers are equal in the lower bits. */
	uint64_t large[LARGE_BITS / 64], huge;
	uint64_t mtrr[CPU_MTRR_COUNT]; /* as in struct cpu_regs */
	uint64_t mca[CPU_MCA_COUNT];
	struct arena *arena; /* of the blocks */
	uint32_t block_count, block_space;
	const struct block **block; /* by number; [0]: none */
	uintptr_t code;             /* the lowest translation; 0: none yet */
	bool full;                  /* there is little room for more of them */
	uint64_t tick_goal;         /* ticks plus their room */
	uint64_t tick_deadline;
	uint64_t look_up_at; /* retired count at which to look up; or never */
	struct under_way way;
	struct memory *memory; /* NULL: the model has none */
	uint64_t clock;        /* cpu_set_clock() */
	/* Of a block of a length that was asked for: where in that under way it
	 * begins, and the ticks up to there. */
	uint32_t part_at, part_back;
	struct branch_predictor predictor;
	struct account *account;      /* account.h; NULL: nobody accounts */
	struct changes_store *stores; /* changes.h: for each mode, each size */
	char broken[160];
};

struct cpu_complex {
	const struct cpu_ops *ops;
	void *owner;
	unsigned cpu_count;
	uint64_t tsc_hz;
	struct cpu *cpu[CPU_COUNT_MAX];
	size_t ram_count;
	struct ram *ram;
	void *ram_region; /* what memory_mapping() answers while a guest runs */
	enum timing_model model;
	struct timing *timing; /* NULL: flat */
	struct memory_shared *memory;
	struct arena *arena; /* of what lives as long as the complex */
	cpu_page_fn *notice; /* cpu_notice_writes(); NULL: nobody */
	void *notice_owner;
	uint32_t *marks; /* cpu_mark_changes(); NULL: none */
	uint32_t mark;
};

/* The vCPU that this thread is running; NULL outside cpu_run(). */
extern _Thread_local struct cpu *engine_running;

/* Library functions as they were; set by library.c. */
struct originals {
	void (*translator_loop)(const void *ops, void *db, void *cs, void *tb,
				int max_insns);
	void *(*memory_mapping)(uc_engine *uc, uint64_t address);
	bool (*tlb_fill)(void *cs, uint64_t addr, int size, int access,
			 int mmu_idx, bool probe, uintptr_t ra);
	void (*cpu_loop_exit_noexc)(void *cs) NORETURN;
	bool (*exec_interrupt)(void *cs, int request);
	void (*raise_interrupt)(void *env, int intno, int next_eip_addend);
	void (*into)(void *env, int next_eip_addend);
	void (*syscall)(void *env, int next_eip_addend);
	void (*sysret)(void *env, int dflag);
	void (*sysenter)(void *env, int next_eip_addend);
	void (*sysexit)(void *env, int dflag);
	void (*iret_protected)(void *env, int shift, int next_eip);
	void (*lret_protected)(void *env, int shift, int addend);
	void (*lcall_protected)(void *env, int cs, uint64_t eip, int shift,
				uint64_t next_eip);
	void (*load_seg)(void *env, int index, int selector);
	void (*ltr)(void *env, int selector);
	void (*lldt)(void *env, int selector);
	uint64_t (*lar)(void *env, uint64_t selector);
	uint64_t (*lsl)(void *env, uint64_t selector);
	void (*rdtsc)(void *env);
	void (*rdmsr)(void *env);
	void (*wrmsr)(void *env);
	uint64_t (*read_cr)(void *env, int reg);
	void (*write_cr)(void *env, int reg, uint64_t value);
	void (*hlt)(void *env, int next_eip_addend);
	void (*pause)(void *env, int next_eip_addend);
	void (*cpuid)(void *env, uint32_t leaf, uint32_t sub, uint32_t *eax,
		      uint32_t *ebx, uint32_t *ecx, uint32_t *edx);
	void (*tlb_protect_code)(uc_engine *uc, uint64_t ram_addr);
	void (*invalidate_fast)(uc_engine *uc, void *pages, uint64_t ram_addr,
				int bytes, uintptr_t ra);
	void (*reset_request)(uc_engine *uc);
	uint64_t (*port_in[3])(void *env, uint32_t port);
	void (*port_out[3])(void *env, uint32_t port, uint32_t data);
	void (*horizontal[12])(void *env, void *d, void *s);
	void (*check_exit_request)(void *tcg);
	void (*exec_init)(uc_engine *uc, unsigned long code_bytes);
	void *(*lookup_block)(void *env);
	void (*set_dr)(void *env, int reg, uint64_t value);
	uint64_t (*get_dr)(void *env, int reg);
	void (*single_step)(void *env);
	void (*rechecking_single_step)(void *env);
	void (*rdpmc)(void *env);
	/* Only called, not replaced: */
	void (*raise_exception_err_ra)(void *env, int intno, int error,
				       uintptr_t ra) NORETURN;
	void (*set_page)(void *cs, uint64_t va, uint64_t pa, uint32_t attrs,
			 int prot, int mmu_idx, uint64_t bytes);
	bool (*restore_state)(void *cs, uintptr_t host_pc, bool will_exit);
	void (*update_hflags)(void *env);
	uint64_t (*read_eflags)(void *env);
	void (*write_eflags)(void *env, uint64_t value, uint32_t mask);
	void (*hardirq)(void *env, int vector, int is_hw);
	void (*do_interrupt)(void *cs);
	void (*tlb_flush)(void *cs);
	void (*tlb_flush_page)(void *cs, uint64_t va);
	void (*invlpg)(void *env, uint64_t va);
	void (*tb_flush)(void *cs);
	size_t (*code_size)(void *tcg);
	void (*invalidate_range)(uc_engine *uc, uint64_t start, uint64_t end);
	void (*reset_dirty)(void *cs, uint64_t host_start, uint64_t bytes);
	void (*loop_exit)(void *cs) NORETURN;
	uint64_t (*ram_addr_from_host)(uc_engine *uc, void *host);
	uint32_t (*load_code8)(void *env, uint64_t va);
	uint32_t (*load16)(void *env, uint64_t va, int mmu_idx, uintptr_t ra);
	uint32_t (*load32)(void *env, uint64_t va, int mmu_idx, uintptr_t ra);
	uint64_t (*load64)(void *env, uint64_t va, int mmu_idx, uintptr_t ra);
	void (*store8)(void *env, uint64_t va, uint32_t value, int mmu_idx,
		       uintptr_t ra);
	void (*store16)(void *env, uint64_t va, uint32_t value, int mmu_idx,
			uintptr_t ra);
	void (*store32)(void *env, uint64_t va, uint32_t value, int mmu_idx,
			uintptr_t ra);
	void (*store64)(void *env, uint64_t va, uint64_t value, int mmu_idx,
			uintptr_t ra);
	void *(*op_after)(void *tcg, void *op, int code);
	void (*op_remove)(void *tcg, void *op);
	void *(*temp_new)(void *tcg, int type, bool local);
};
extern struct originals originals;

/* library.c: finds the originals, checks version, build-id and layout. */
bool library_open(struct error *err);
const char *library_text(void);
/* A build that isn't known must pass the self-test. */
bool library_trusted(const char *build_id, bool (*selftest)(void),
		     struct error *err);

/* engine.c */
#define ROOM_MAX (1 << 30)
static inline uint64_t engine_retired(const struct cpu *cpu)
{
	return cpu->goal - (uint64_t)AT(cpu->env, int32_t, ENV_ROOM);
}
/* Makes room up to the deadline, or none if somebody asked for attention. */
void engine_retired_set(struct cpu *cpu, uint64_t retired);
/* block_enter() comes before the next block. */
void engine_look_up(struct cpu *cpu);
/* The block that runs; NULL: between blocks. */
static inline const struct block *engine_block(const struct cpu *cpu)
{
	uint32_t number = AT(cpu->env, uint32_t, ENV_BLOCK);

	return number ? cpu->block[number] : NULL;
}
static inline void engine_no_block(struct cpu *cpu)
{
	AT(cpu->env, uint32_t, ENV_BLOCK) = 0;
}
/* Gives the block a number. */
struct block *block_new(struct cpu *cpu, uint64_t pc, const uint16_t *offset,
			uint32_t count, uint32_t bytes, bool breaks,
			uint32_t *number);
/* Memory that lives as long as the blocks. */
void *block_alloc(struct cpu *cpu, size_t bytes);
bool engine_breaks_at(const struct cpu *cpu, uint64_t linear);
/* Translate anew: breakpoints changed. */
void engine_forget_code(struct cpu *cpu);
void block_enter(uc_engine *uc, uint64_t block, uint32_t size, void *cpu);
/* Take off what did not run: the instruction at eip is the first of those;
 * `done` more instructions count all the same. */
void block_settle(struct cpu *cpu, unsigned done);
/* interpose.c: an access whose effects other parts of the machine see must be
 * the only instruction of its block: if it is not, run it again as one that
 * is.  `ra`: where in the block's code; 0: the engine's own access. */
void engine_alone(struct cpu *cpu, uintptr_t ra);
static inline struct ram *ram_of_paddr(struct cpu_complex *cx, paddr_t pa)
{
	for (size_t i = 0; i < cx->ram_count; i++) {
		if (pa - cx->ram[i].r.base < cx->ram[i].r.bytes)
			return &cx->ram[i];
	}
	return NULL;
}
/* Stores to this page have to come by tb_invalidate_phys_page_fast(). */
static inline bool ram_minds_stores(const struct ram *ram, uint64_t page)
{
	return ram->has_code[page] || (ram->clean && ram->clean[page]);
}
/* The page is about to be written. */
static inline void ram_written(struct cpu_complex *cx, struct ram *ram,
			       uint64_t page)
{
	if (!ram->clean || !ram->clean[page])
		return;
	ram->clean[page] = 0;
	cx->notice(cx->notice_owner, ram->r.base + page * PAGE_BYTES);
}
/* Gap i lies below RAM i, or above all RAM. */
static inline uint64_t engine_gap_base(const struct cpu_complex *cx, uint32_t i)
{
	return i ? cx->ram[i - 1].r.base + cx->ram[i - 1].r.bytes : 0;
}
static inline uint32_t engine_gap_of_paddr(const struct cpu_complex *cx,
					   paddr_t pa)
{
	uint32_t i = 0;

	while (i < cx->ram_count && pa >= cx->ram[i].r.base)
		i++;
	return i;
}
/* After segments, control registers, EFER or flags were set in memory.  The
 * library would leave TF, VM and IOPL here for good: it adds those of the flags
 * wherever it looks. */
static inline void engine_update_hflags(struct cpu *cpu)
{
	originals.update_hflags(cpu->env);
	AT(cpu->env, uint32_t, ENV_HFLAGS) &= ~HF_OF_FLAGS;
}
/* tlb.c: a translation of kinds of access, or-ed, goes into the TLB. */
#define PAGE_READ  1
#define PAGE_WRITE 2
#define PAGE_EXEC  4
void engine_tlb_enter(struct cpu *cpu, uint64_t va, paddr_t pa, int prot,
		      int mmu_idx, uint64_t page_bytes);
/* After INVLPG of an address: all that is left of its page, if that is large.
 */
void engine_tlb_forget_large(struct cpu *cpu, uint64_t va);
/* tlb.c: is the TLB where layout.h says?  `cs`: of an engine that has not run
 * yet. */
bool tlb_layout_ok(char *cs);
struct ram *ram_of_ram_addr(struct cpu_complex *cx, uint64_t ram_addr);
void engine_context(struct cpu *cpu, enum cpu_context_event what,
		    uint32_t vector, uint32_t error, uint64_t value);
void engine_ring_check(struct cpu *cpu);
void engine_leave(struct cpu *cpu, enum cpu_stop why);

/* timed.c: of an engine whose complex has a timing model.  Ticks up to where
 * engine_retired() counts. */
static inline uint64_t engine_ticks(const struct cpu *cpu)
{
	return cpu->tick_goal -
	       (uint64_t)(int64_t)AT(cpu->env, int32_t, ENV_TICK_ROOM);
}
void engine_ticks_set(struct cpu *cpu, uint64_t ticks);
/* Of the code segment: 16, 32 or 64. */
unsigned timed_bits(const struct cpu *cpu);
/* Is the deadline of ticks reached? */
static inline bool timed_due(const struct cpu *cpu)
{
	return cpu->complex->timing && engine_ticks(cpu) >= cpu->tick_deadline;
}
/* The flow leaves the block under way. */
static inline void timed_leave(struct cpu *cpu)
{
	cpu->way.on = false;
}
/* What memory took becomes ticks: the block ended of itself or was left. */
static inline void timed_charge_pending(struct cpu *cpu)
{
	uint32_t *pending = &AT(cpu->env, uint32_t, ENV_PENDING);

	if (*pending)
		engine_ticks_set(cpu, engine_ticks(cpu) + *pending);
	*pending = 0;
}
/* ... if it is not under way. */
static inline void timed_charge_between(struct cpu *cpu)
{
	const struct under_way *w = &cpu->way;

	if (!w->on || engine_retired(cpu) - w->start >= w->count)
		timed_charge_pending(cpu);
}
/* The guest's translations change: all; that of an address. */
void timed_tlb_flush(struct cpu *cpu);
void timed_tlb_forget(struct cpu *cpu, vaddr_t va);
const struct timed_exit *timed_exit_new(struct cpu *cpu, const struct block *b);
/* What an exception or an interrupt costs; the flow goes elsewhere. */
void timed_event(struct cpu *cpu, enum timing_event event);
/* A block was translated; `limited`: of a length that was asked for. */
void timed_block_new(struct cpu *cpu, struct block *b, uint32_t bytes,
		     bool limited);
/* Of block_settle(): instructions [at, count) of `b` did not run; called before
 * they are given back. */
void timed_settle(struct cpu *cpu, const struct block *b, uint32_t at);
/* Of block_enter(): takes back what `b` was charged. */
void timed_take_back(struct cpu *cpu, const struct block *b);
/* Is the next block part of one that is under way? */
bool timed_goes_on(struct cpu *cpu, const struct block *b, uint64_t retired);
/* How many of `limit` instructions from `b`'s first may begin; sets what they
 * are charged if it is not all of a fresh block. */
uint32_t timed_limit(struct cpu *cpu, const struct block *b, uint64_t retired,
		     uint32_t limit);

/* msr.c: false when there is no such MSR or the value is not allowed. */
bool msr_read(struct cpu *cpu, uint32_t msr, uint64_t *value);
bool msr_write(struct cpu *cpu, uint32_t msr, uint64_t value);

#endif

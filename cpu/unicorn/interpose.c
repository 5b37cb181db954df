/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/interpose.c - functions that libunicorn calls instead of its own.
 *
 * The library calls its own exported functions through its PLT, so a
 * definition in the executable (linked with -rdynamic) takes their place.
 * Each one here serves the vCPU that this thread runs; with none running it
 * passes the call to the original.
 */
#include <string.h>
#include <sys/time.h>

#include "cpu/cpuid.h"
#include "cpu/unicorn/changes.h"
#include "cpu/unicorn/debug.h"
#include "cpu/unicorn/engine.h"
#include "cpu/walk_inline.h"
#include "sim/check.h"

#define RA ((uintptr_t)__builtin_return_address(0))

#define EXCP_UD 6
#define EXCP_NP 11
#define EXCP_SS 12
#define EXCP_GP 13
#define EXCP_PF 14

#define MMU_KERNEL 2

/* What the library's headers would declare. */
#pragma GCC visibility push(default)
void tcg_exec_init_x86_64(uc_engine *uc, unsigned long code_bytes);
void cpu_loop_exit_noexc_x86_64(void *cs);
void helper_raise_interrupt_x86_64(void *env, int intno, int next_eip_addend);
void raise_exception_err_ra_x86_64(void *env, int intno, int error,
				   uintptr_t ra);
void helper_into_x86_64(void *env, int next_eip_addend);
void qemu_system_reset_request(uc_engine *uc);
void *memory_mapping(uc_engine *uc, uint64_t address);
bool x86_cpu_tlb_fill_x86_64(void *cs, uint64_t addr, int size, int access,
			     int mmu_idx, bool probe, uintptr_t ra);
void tlb_protect_code_x86_64(uc_engine *uc, uint64_t ram_addr);
void tb_invalidate_phys_page_fast_x86_64(uc_engine *uc, void *pages,
					 uint64_t ram_addr, int bytes,
					 uintptr_t ra);
bool x86_cpu_exec_interrupt_x86_64(void *cs, int request);
void helper_hlt_x86_64(void *env, int next_eip_addend);
void helper_pause_x86_64(void *env, int next_eip_addend);
void helper_syscall_x86_64(void *env, int next_eip_addend);
void helper_sysret_x86_64(void *env, int dflag);
void helper_sysenter_x86_64(void *env, int next_eip_addend);
void helper_sysexit_x86_64(void *env, int dflag);
void helper_iret_protected_x86_64(void *env, int shift, int next_eip);
void helper_lret_protected_x86_64(void *env, int shift, int addend);
void helper_lcall_protected_x86_64(void *env, int cs, uint64_t eip, int shift,
				   uint64_t next_eip);
void helper_load_seg_x86_64(void *env, int index, int selector);
void helper_ltr_x86_64(void *env, int selector);
void helper_lldt_x86_64(void *env, int selector);
uint64_t helper_lar_x86_64(void *env, uint64_t selector);
uint64_t helper_lsl_x86_64(void *env, uint64_t selector);
uint32_t cpu_ldl_mmuidx_ra_x86_64(void *env, uint64_t va, int mmu_idx,
				  uintptr_t ra);
void helper_invlpg_x86_64(void *env, uint64_t va);
void helper_rdtsc_x86_64(void *env);
void helper_rdtscp_x86_64(void *env);
void helper_rdmsr_x86_64(void *env);
void helper_wrmsr_x86_64(void *env);
void helper_rdpmc_x86_64(void *env);
uint64_t helper_read_crN_x86_64(void *env, int reg);
void helper_write_crN_x86_64(void *env, int reg, uint64_t value);
void cpu_x86_cpuid_x86_64(void *env, uint32_t leaf, uint32_t sub, uint32_t *eax,
			  uint32_t *ebx, uint32_t *ecx, uint32_t *edx);
uint64_t helper_inb_x86_64(void *env, uint32_t port);
uint64_t helper_inw_x86_64(void *env, uint32_t port);
uint64_t helper_inl_x86_64(void *env, uint32_t port);
void helper_outb_x86_64(void *env, uint32_t port, uint32_t data);
void helper_outw_x86_64(void *env, uint32_t port, uint32_t data);
void helper_outl_x86_64(void *env, uint32_t port, uint32_t data);
void helper_phaddw_xmm_x86_64(void *env, void *d, void *s);
void helper_phaddd_xmm_x86_64(void *env, void *d, void *s);
void helper_phaddsw_xmm_x86_64(void *env, void *d, void *s);
void helper_phsubw_xmm_x86_64(void *env, void *d, void *s);
void helper_phsubd_xmm_x86_64(void *env, void *d, void *s);
void helper_phsubsw_xmm_x86_64(void *env, void *d, void *s);
void helper_phaddw_mmx_x86_64(void *env, void *d, void *s);
void helper_phaddd_mmx_x86_64(void *env, void *d, void *s);
void helper_phaddsw_mmx_x86_64(void *env, void *d, void *s);
void helper_phsubw_mmx_x86_64(void *env, void *d, void *s);
void helper_phsubd_mmx_x86_64(void *env, void *d, void *s);
void helper_phsubsw_mmx_x86_64(void *env, void *d, void *s);
#pragma GCC visibility pop

static struct cpu *running(void)
{
	return engine_running;
}

void engine_alone(struct cpu *cpu, uintptr_t ra)
{
	const struct block *b = engine_block(cpu);

	if (!ra || !b || b->count == 1)
		return;
	originals.restore_state(cpu->cs, ra, true);
	AT(cpu->cs, uint32_t, CS_CFLAGS_NEXT_TB) = 1;
	cpu_loop_exit_noexc_x86_64(cpu->cs);
}

/* --- time that the library asks the host for --- */

/* The library sizes its TLB by the host's clock; if that went on, equal runs
 * would differ in when accessed bits are set again.  Nothing else in the
 * program asks this function. */
__attribute__((visibility("default"))) int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	(void)tz;
	*tv = (struct timeval){0};
	return 0;
}

static bool canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* --- room for translations --- */

/* The library would take 1 GiB for each engine, fill it, and when it is full
 * write zeroes to all of it. */
void tcg_exec_init_x86_64(uc_engine *uc, unsigned long code_bytes)
{
	(void)code_bytes;
	originals.exec_init(uc, CODE_BYTES);
}

/* --- leaving blocks --- */

void cpu_loop_exit_noexc_x86_64(void *cs)
{
	struct cpu *cpu = running();

	if (cpu)
		block_settle(cpu, 0);
	originals.cpu_loop_exit_noexc(cs);
}

void helper_raise_interrupt_x86_64(void *env, int intno, int next_eip_addend)
{
	if (running())
		running()->int_length = (uint32_t)next_eip_addend;
	originals.raise_interrupt(env, intno, next_eip_addend);
}

/* --- descriptors --- */

#define DESCRIPTOR_CODE  (UINT64_C(1) << 43)
#define DESCRIPTOR_S     (UINT64_C(1) << 44)
#define DESCRIPTOR_TYPES 40 /* where its four bits begin */

/* False: beyond the table. */
static bool descriptor(struct cpu *cpu, uint32_t selector, uintptr_t ra,
		       uint64_t *value)
{
	const struct env_segment *table = &AT(cpu->env, struct env_segment,
					      selector & 4 ? ENV_LDT : ENV_GDT);

	if ((selector | 7) > table->limit)
		return false;
	*value = originals.load64(cpu->env,
				  table->base + (selector & ~UINT32_C(7)),
				  MMU_KERNEL, ra);
	return true;
}

static bool is_code(struct cpu *cpu, uint32_t selector)
{
	uint64_t d;

	return descriptor(cpu, selector, 0, &d) && (d & DESCRIPTOR_CODE);
}

static void leave_helper(struct cpu *cpu)
{
	cpu->outer_ra = 0;
	cpu->returning = false;
	cpu->iret_loads = 0;
}

/* The library finds the instruction at fault by its helper's return address,
 * which is in interpose.c when we called the helper: outer_ra is ours then. For
 * a stack segment that is not present IRET and RET raise #SS, not #NP. */
NORETURN void raise_exception_err_ra_x86_64(void *env, int intno, int error,
					    uintptr_t ra)
{
	struct cpu *cpu = running();

	if (cpu && cpu->outer_ra) {
		if (cpu->returning && intno == EXCP_NP &&
		    !is_code(cpu, (uint32_t)error))
			intno = EXCP_SS;
		ra = cpu->outer_ra;
		leave_helper(cpu);
	}
	originals.raise_exception_err_ra(env, intno, error, ra);
}

void helper_into_x86_64(void *env, int next_eip_addend)
{
	if (running())
		running()->int_length = (uint32_t)next_eip_addend;
	originals.into(env, next_eip_addend);
}

void qemu_system_reset_request(uc_engine *uc)
{
	if (running())
		engine_leave(running(), CPU_STOP_SHUTDOWN);
	else
		originals.reset_request(uc);
}

/* Around a function of the library that may change the ring or fault. */
static void enter(uintptr_t ra)
{
	if (running())
		running()->outer_ra = ra;
}

static void leave(void)
{
	struct cpu *cpu = running();

	if (!cpu)
		return;
	leave_helper(cpu);
	engine_ring_check(cpu);
}

/* --- memory --- */

void *memory_mapping(uc_engine *uc, uint64_t address)
{
	struct cpu *cpu = running();

	/* Asked with linear addresses: the walk below decides, not this. */
	if (cpu && cpu->running)
		return cpu->complex->ram_region;
	return originals.memory_mapping(uc, address);
}

static inline bool read_table(void *owner, paddr_t pa, uint64_t *value)
{
	struct ram *ram = ram_of_paddr(owner, pa);

	if (!ram)
		return false;
	memcpy(value, ram->r.host + (pa - ram->r.base), 8);
	return true;
}

/* Sets bits of a table entry as the processor does; other vCPUs may have
 * translated code from that very page only if the guest executes its own page
 * tables, which then runs stale by its own doing. */
static void set_entry_bits(struct cpu_complex *cx, paddr_t pa, uint64_t bits)
{
	struct ram *ram = ram_of_paddr(cx, pa);

	if (ram->r.read_only)
		return;
	ram_written(cx, ram, (pa - ram->r.base) / PAGE_BYTES);
	changes_unknown(ram, (pa - ram->r.base) / PAGE_BYTES);
	ram->r.host[pa - ram->r.base] |= (uint8_t)bits;
}

enum {
	ACCESS_LOAD,
	ACCESS_STORE,
	ACCESS_FETCH
};
#define PTE_ACCESSED 0x20
#define PTE_DIRTY    0x40
#define CR0_WP       (1u << 16)
#define CR4_SMEP     (1u << 20)

struct fill {
	uint64_t pa;
	uint64_t bytes;
	int prot;
	int error; /* of #PF; -1: none */
};

static void walk_fill(struct cpu *cpu, uint64_t va, int access, bool user,
		      bool probe, struct fill *f)
{
	const struct walk_root root = {
		.cr0 = AT(cpu->env, uint64_t, ENV_CR),
		.cr3 = AT(cpu->env, uint64_t, ENV_CR + 24),
		.cr4 = AT(cpu->env, uint64_t, ENV_CR + 32),
		.efer = AT(cpu->env, uint64_t, ENV_EFER),
		.read64 = read_table,
		.owner = cpu->complex,
	};
	bool wp = root.cr0 & CR0_WP;
	bool dirty = true;
	struct walk_result w;
	int error = (access == ACCESS_STORE ? 2 : 0) | (user ? 4 : 0);

	if (access == ACCESS_FETCH && (root.efer & WALK_EFER_NXE) &&
	    (root.cr4 & WALK_CR4_PAE))
		error |= 16;
	if (!walk_inline(&root, va, &w)) {
		f->error = error | (w.reserved ? 9 : 0);
		return;
	}
	f->error = -1;
	f->pa = w.pa;
	f->bytes = w.page_bytes;
	if (!w.levels) {
		f->prot = PAGE_READ | PAGE_WRITE | PAGE_EXEC;
		return;
	}
	f->prot = 0;
	if (!user || w.user)
		f->prot |= PAGE_READ;
	if (f->prot && (w.writable || (!user && !wp)))
		f->prot |= PAGE_WRITE;
	if (f->prot && w.executable)
		f->prot |= PAGE_EXEC;
	if (!(f->prot & (access == ACCESS_LOAD    ? PAGE_READ
			 : access == ACCESS_STORE ? PAGE_WRITE
						  : PAGE_EXEC))) {
		f->error = error | 1;
		return;
	}
	if (probe)
		return;
	for (unsigned i = 0; i < w.levels; i++) {
		uint64_t bits = PTE_ACCESSED;

		if (w.pae && i == 0)
			continue; /* PDPTEs of PAE have no accessed bit */
		if (i == w.levels - 1) {
			if (access == ACCESS_STORE)
				bits |= PTE_DIRTY;
			dirty = (w.entry[i] | bits) & PTE_DIRTY;
		}
		if ((w.entry[i] & bits) != bits)
			set_entry_bits(cpu->complex, w.entry_pa[i], bits);
	}
	/* A page not yet dirty must come here again when it is written. */
	if (!dirty)
		f->prot &= ~PAGE_WRITE;
}

/* Of 64-bit code: is that the memory operand's base RSP or RBP? */
static bool operand_through_ss(struct cpu *cpu, uint64_t pc, bool rex_b)
{
	uint32_t modrm = originals.load_code8(cpu->env, pc);
	uint32_t mod = modrm >> 6, base = modrm & 7;

	if (mod == 3 || rex_b)
		return false;
	if (base == 4) {
		base = originals.load_code8(cpu->env, pc + 1) & 7;
		return base == 4 || (base == 5 && mod);
	}
	return base == 5 && mod;
}

/* Is an access of the instruction at RIP, in 64-bit code, one to the stack
 * segment?  Then an address that is not canonical is #SS, not #GP. */
static bool instruction_uses_ss(struct cpu *cpu, bool store)
{
	uint64_t pc = AT(cpu->env, uint64_t, ENV_EIP);
	bool fs_or_gs = false;
	uint32_t rex = 0, opcode;

	for (;; pc++) {
		opcode = originals.load_code8(cpu->env, pc);
		if (opcode == 0x64 || opcode == 0x65)
			fs_or_gs = true;
		else if ((opcode & 0xf0) == 0x40)
			rex = opcode;
		else if ((opcode & 0xe7) != 0x26 && opcode != 0x66 &&
			 opcode != 0x67 && opcode != 0xf0 &&
			 (opcode & 0xfe) != 0xf2)
			break;
	}
	pc++;
	switch (opcode) {
	case 0x50 ... 0x5f: /* PUSH, POP */
	case 0x68:
	case 0x6a:
	case 0x9c ... 0x9d:
	case 0xc2 ... 0xc3: /* RET */
	case 0xc8 ... 0xcb: /* ENTER, LEAVE, far RET */
	case 0xcf:
	case 0xe8:
		return true;
	case 0x6c ... 0x6f: /* strings and other operands without ModRM */
	case 0xa0 ... 0xaf:
	case 0xd7:
		return false;
	case 0x8f: /* POP reads the stack, PUSH and CALL write it */
		if (!store)
			return true;
		break;
	case 0xff:
		opcode = originals.load_code8(cpu->env, pc) >> 3 & 7;
		if (store && opcode >= 2)
			return true;
		break;
	case 0x0f:
		opcode = originals.load_code8(cpu->env, pc++);
		if ((opcode & 0xf6) == 0xa0) /* PUSH and POP of FS, GS */
			return true;
		if (opcode == 0x38 || opcode == 0x3a)
			pc++;
		break;
	default:
		break;
	}
	return !fs_or_gs && operand_through_ss(cpu, pc, rex & 1);
}

/* Without `ra` it is the delivery of an exception, which pushes. */
static bool through_ss(struct cpu *cpu, bool store, uintptr_t ra)
{
	uint32_t block = AT(cpu->env, uint32_t, ENV_BLOCK);
	bool is;

	if (!ra)
		return true;
	if (!(AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_CS64))
		return false;
	originals.restore_state(cpu->cs, cpu->outer_ra ? cpu->outer_ra : ra,
				true);
	is = instruction_uses_ss(cpu, store);
	AT(cpu->env, uint32_t, ENV_BLOCK) = block; /* a fetch forgets it */
	return is;
}

bool x86_cpu_tlb_fill_x86_64(void *cs, uint64_t addr, int size, int access,
			     int mmu_idx, bool probe, uintptr_t ra)
{
	struct cpu *cpu = running();
	bool user = mmu_idx == MMU_USER_IDX;
	struct fill f;

	if (!cpu)
		return originals.tlb_fill(cs, addr, size, access, mmu_idx,
					  probe, ra);
	if (access == ACCESS_FETCH)
		engine_no_block(cpu); /* between blocks */
	if ((AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_LMA) && !canonical(addr)) {
		if (probe)
			return false;
		raise_exception_err_ra_x86_64(
			cpu->env,
			access != ACCESS_FETCH &&
					through_ss(cpu, access == ACCESS_STORE,
						   ra)
				? EXCP_SS
				: EXCP_GP,
			0, ra);
	}
	walk_fill(cpu, addr, access, user, probe, &f);
	if (f.error >= 0) {
		if (probe)
			return false;
		AT(cpu->env, uint64_t, ENV_CR + 16) = addr;
		raise_exception_err_ra_x86_64(cpu->env, EXCP_PF, f.error, ra);
	}
	if (access == ACCESS_FETCH && !ram_of_paddr(cpu->complex, f.pa)) {
		if (probe)
			return false;
		/* No memory answers an instruction fetch there. */
		raise_exception_err_ra_x86_64(cpu->env, EXCP_GP, 0, ra);
	}
	engine_tlb_enter(cpu, addr, f.pa, f.prot, mmu_idx, f.bytes);
	return true;
}

/* The TLB has 4 KiB entries alone: INVLPG takes all of a large page (SDM 3A,
 * 4.10.4.1). */
void helper_invlpg_x86_64(void *env, uint64_t va)
{
	struct cpu *cpu = running();

	enter(RA);
	originals.invlpg(env, va);
	leave();
	if (cpu) {
		engine_tlb_forget_large(cpu, va);
		timed_tlb_forget(cpu, va);
	}
}

/* A page gets its first translated code in this engine: from now on stores to
 * it must come here, whichever vCPU makes them. */
void tlb_protect_code_x86_64(uc_engine *uc, uint64_t ram_addr)
{
	struct cpu *cpu = running();
	struct ram *ram = cpu ? ram_of_ram_addr(cpu->complex, ram_addr) : NULL;
	uint64_t page;

	originals.tlb_protect_code(uc, ram_addr);
	if (!ram)
		return;
	page = (ram_addr - ram->ram_addr) / PAGE_BYTES;
	ram->has_code[page] = 1;
	for (unsigned i = 0; i < cpu->complex->cpu_count; i++)
		originals.reset_dirty(
			cpu->complex->cpu[i]->cs,
			(uintptr_t)ram->r.host + page * PAGE_BYTES, PAGE_BYTES);
}

/* Before a store to a page that holds code: the other engines' copies go too.
 * Or it is the first to a page for whose first somebody waits. */
void tb_invalidate_phys_page_fast_x86_64(uc_engine *uc, void *pages,
					 uint64_t ram_addr, int bytes,
					 uintptr_t ra)
{
	struct cpu *cpu = running();

	if (cpu) {
		struct cpu_complex *cx = cpu->complex;
		struct ram *ram = ram_of_ram_addr(cx, ram_addr);

		if (ram)
			ram_written(cx, ram,
				    (ram_addr - ram->ram_addr) / PAGE_BYTES);
		for (unsigned i = 0; i < cx->cpu_count; i++) {
			if (cx->cpu[i] != cpu)
				originals.invalidate_range(
					cx->cpu[i]->uc, ram_addr,
					ram_addr + (uint64_t)bytes);
		}
	}
	originals.invalidate_fast(uc, pages, ram_addr, bytes, ra);
}

/* --- interrupts, HLT, PAUSE --- */

#define CR4_MCE 0x40u

bool x86_cpu_exec_interrupt_x86_64(void *cs, int request)
{
	struct cpu *cpu = running();
	uint32_t *pending = &AT(cs, uint32_t, CS_INTERRUPT_REQUEST);
	int vector;

	if (!cpu)
		return originals.exec_interrupt(cs, request);
	engine_no_block(cpu);
	timed_charge_between(cpu);
	if (debug_deliver(cpu)) {
		cpu->halted = false;
		AT(cpu->env, int32_t, ENV_OLD_EXCEPTION) = -1;
		return true;
	}
	/* A run that ends at this boundary ends before the interrupt, however
	 * the boundary was reached. */
	if (cpu->kicked || cpu->stopped ||
	    engine_retired(cpu) >= cpu->deadline || timed_due(cpu))
		return false;
	if (cpu->check && (cpu->check == CHECK_FATAL ||
			   !(AT(cpu->env, uint64_t, ENV_CR + 32) & CR4_MCE))) {
		cpu->check = CHECK_NONE;
		engine_leave(cpu, CPU_STOP_SHUTDOWN);
		return false;
	}
	if (cpu->check) {
		cpu->check = CHECK_NONE;
		if (!cpu->nmi)
			*pending &= ~INTERRUPT_NMI;
		vector = 18;
	} else if (((uint32_t)request & INTERRUPT_NMI) &&
		   !(AT(cpu->env, uint32_t, ENV_HFLAGS2) & HF2_NMI_MASK)) {
		*pending &= ~INTERRUPT_NMI;
		cpu->nmi = false;
		AT(cpu->env, uint32_t, ENV_HFLAGS2) |= HF2_NMI_MASK;
		vector = 2;
	} else if (((uint32_t)request & INTERRUPT_HARD) &&
		   cpu_interruptible(cpu)) {
		vector = cpu->complex->ops->intr_ack(cpu->complex->owner, cpu);
		if (vector < 0) {
			*pending &= ~INTERRUPT_HARD;
			if (cpu->halted)
				engine_leave(cpu, CPU_STOP_HALT);
			return false;
		}
	} else {
		return false;
	}
	cpu->halted = false;
	/* A length that was asked for was for what is interrupted. */
	AT(cs, uint32_t, CS_CFLAGS_NEXT_TB) = ~0u;
	engine_context(cpu, CPU_CTX_INTERRUPT, (uint32_t)vector, 0, 0);
	timed_event(cpu, TIMING_INTERRUPT);
	originals.hardirq(cpu->env, vector, 1);
	AT(cpu->env, int32_t, ENV_OLD_EXCEPTION) = -1;
	engine_ring_check(cpu);
	return true;
}

void helper_hlt_x86_64(void *env, int next_eip_addend)
{
	struct cpu *cpu = running();

	if (!cpu) {
		originals.hlt(env, next_eip_addend);
		return;
	}
	AT(env, uint64_t, ENV_EIP) += (uint64_t)(int64_t)next_eip_addend;
	AT(env, uint32_t, ENV_HFLAGS) &= ~HF_INHIBIT_IRQ;
	cpu->halted = true;
	engine_no_block(cpu);
	timed_charge_between(cpu);
	engine_leave(cpu, CPU_STOP_HALT);
	AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
	originals.loop_exit(cpu->cs);
}

void helper_pause_x86_64(void *env, int next_eip_addend)
{
	struct cpu *cpu = running();

	if (!cpu) {
		originals.pause(env, next_eip_addend);
		return;
	}
	AT(env, uint64_t, ENV_EIP) += (uint64_t)(int64_t)next_eip_addend;
	AT(env, uint32_t, ENV_HFLAGS) &= ~HF_INHIBIT_IRQ;
	engine_no_block(cpu);
	timed_charge_between(cpu);
	AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = -1;
	if (!cpu->complex->ops->pause ||
	    cpu->complex->ops->pause(cpu->complex->owner, cpu)) {
		engine_leave(cpu, CPU_STOP_PAUSE);
		AT(cpu->cs, int32_t, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
	}
	originals.loop_exit(cpu->cs);
}

/* --- system calls (SDM volume 2B, SYSCALL; SYSENTER) --- */

#define RFLAGS_RF  0x10000u
#define RFLAGS_VM  0x20000u
#define EFER_SCE   1u
#define EFER_LME   (1u << 8)
#define EFER_LMA   (1u << 10)
#define SEG_CODE64 0x00af9b00u /* G L P S, code, readable, accessed */
#define SEG_CODE32 0x00cf9b00u
#define SEG_DATA   0x00cf9300u /* G B P S, data, writable, accessed */

static void load_flat(void *env, unsigned index, uint32_t selector,
		      uint32_t flags)
{
	struct env_segment *s =
		&AT(env, struct env_segment, ENV_SEGS + 24 * index);

	s->selector = selector;
	s->base = 0;
	s->limit = 0xffffffff;
	s->flags = flags;
}

/* As Intel's processors have it: SYSCALL and SYSRET are of 64-bit mode. */
static bool system_calls_on(void *env)
{
	return (AT(env, uint64_t, ENV_EFER) & EFER_SCE) &&
	       (AT(env, uint32_t, ENV_HFLAGS) & HF_CS64);
}

void helper_syscall_x86_64(void *env, int next_eip_addend)
{
	struct cpu *cpu = running();
	uint64_t star, flags;

	if (!cpu) {
		originals.syscall(env, next_eip_addend);
		return;
	}
	if (!system_calls_on(env))
		originals.raise_exception_err_ra(env, EXCP_UD, 0, RA);
	engine_context(cpu, CPU_CTX_SYSCALL, 0, 0, AT(env, uint64_t, ENV_REGS));
	star = AT(env, uint64_t, ENV_STAR);
	flags = originals.read_eflags(env) & ~(uint64_t)RFLAGS_RF;
	AT(env, uint64_t, ENV_REGS + 8 * CPU_RCX) =
		AT(env, uint64_t, ENV_EIP) + (uint64_t)(int64_t)next_eip_addend;
	AT(env, uint64_t, ENV_REGS + 8 * CPU_R11) = flags;
	AT(env, uint64_t, ENV_EIP) = AT(env, uint64_t, ENV_LSTAR);
	load_flat(env, CPU_CS, (uint32_t)(star >> 32) & 0xfffc, SEG_CODE64);
	load_flat(env, CPU_SS, ((uint32_t)(star >> 32) & 0xfffc) + 8, SEG_DATA);
	originals.write_eflags(env, flags & ~AT(env, uint64_t, ENV_FMASK),
			       0xffffffff);
	engine_update_hflags(cpu);
	engine_ring_check(cpu);
}

/* Of `dflag` and `shift`. */
#define OPERAND_32 1
#define OPERAND_64 2

void helper_sysret_x86_64(void *env, int dflag)
{
	struct cpu *cpu = running();

	if (cpu && !system_calls_on(env))
		originals.raise_exception_err_ra(env, EXCP_UD, 0, RA);
	if (cpu && (cpu_cpl(cpu) ||
		    (dflag == OPERAND_64 &&
		     !canonical(AT(env, uint64_t, ENV_REGS + 8 * CPU_RCX)))))
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	enter(RA);
	originals.sysret(env, dflag);
	leave();
}

void helper_iret_protected_x86_64(void *env, int shift, int next_eip)
{
	struct cpu *cpu = running();

	enter(RA);
	if (cpu) {
		cpu->returning = true;
		if (shift == OPERAND_32 &&
		    (cpu_cpl(cpu) || (AT(env, uint64_t, ENV_EFER) & EFER_LMA)))
			cpu->iret_loads = 3; /* EIP, CS, flags */
	}
	originals.iret_protected(env, shift, next_eip);
	leave();
}

void helper_sysexit_x86_64(void *env, int dflag)
{
	struct cpu *cpu = running();
	const uint64_t *r = &AT(env, uint64_t, ENV_REGS);

	if (cpu && dflag == OPERAND_64 &&
	    !(canonical(r[CPU_RCX]) && canonical(r[CPU_RDX])))
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	enter(RA);
	originals.sysexit(env, dflag);
	if (cpu && dflag != OPERAND_64) {
		AT(env, uint64_t, ENV_EIP) &= UINT32_MAX;
		AT(env, uint64_t, ENV_REGS + 8 * CPU_RSP) &= UINT32_MAX;
	}
	leave();
}

void helper_lret_protected_x86_64(void *env, int shift, int addend)
{
	enter(RA);
	if (running())
		running()->returning = true;
	originals.lret_protected(env, shift, addend);
	leave();
}

/* VM in the image of the flags is for IRET at CPL 0 outside long mode; the
 * library would enter virtual-8086 mode from any ring. */
uint32_t cpu_ldl_mmuidx_ra_x86_64(void *env, uint64_t va, int mmu_idx,
				  uintptr_t ra)
{
	struct cpu *cpu = running();
	uint32_t value = originals.load32(env, va, mmu_idx, ra);

	if (cpu && cpu->iret_loads && --cpu->iret_loads == 0)
		value &= ~RFLAGS_VM;
	return value;
}

/* A gate to ring 1 or 2 in long mode loads SS with null; the library then takes
 * that for ring 0. */
void helper_lcall_protected_x86_64(void *env, int cs, uint64_t eip, int shift,
				   uint64_t next_eip)
{
	struct cpu *cpu = running();

	enter(RA);
	originals.lcall_protected(env, cs, eip, shift, next_eip);
	if (cpu) {
		struct env_segment *s = &AT(env, struct env_segment, ENV_SEGS);
		uint32_t rpl = s[CPU_CS].selector & 3;

		if (!(s[CPU_SS].selector & 0xfffc) && cpu_cpl(cpu) != rpl) {
			s[CPU_SS].flags =
				(s[CPU_SS].flags & ~0x6000u) | rpl << 13;
			AT(env, uint32_t, ENV_HFLAGS) =
				(AT(env, uint32_t, ENV_HFLAGS) & ~HF_CPL_MASK) |
				rpl;
		}
	}
	leave();
}

/* Null in SS is for 64-bit mode, with CPL as RPL (SDM 2B, MOV). */
void helper_load_seg_x86_64(void *env, int index, int selector)
{
	struct cpu *cpu = running();

	if (cpu && index == CPU_SS && !(selector & 0xfffc) &&
	    ((unsigned)selector & 3) != cpu_cpl(cpu))
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	enter(RA);
	originals.load_seg(env, index, selector);
	leave();
}

/* SDM 3A, table 3-2: of the types of system segments, those of long mode. */
static bool long_system_type(uint64_t d)
{
	unsigned type = (unsigned)(d >> DESCRIPTOR_TYPES) & 15;

	return type == 2 || type == 9 || type == 11 || type == 12;
}

static bool long_mode(void *env)
{
	return AT(env, uint64_t, ENV_EFER) & EFER_LMA;
}

/* Is the 16-byte descriptor of an LDT or a TSS one for long mode? */
static bool long_segment_ok(struct cpu *cpu, uint32_t selector, uintptr_t ra)
{
	uint64_t low, high;

	if ((selector & 4) || !descriptor(cpu, selector, ra, &low) ||
	    !descriptor(cpu, selector + 8, ra, &high))
		return true; /* the library sees those */
	if ((low & DESCRIPTOR_S) || !(low >> 47 & 1))
		return true;
	return long_system_type(low) &&
	       canonical(high << 32 | (low >> 32 & 0xff000000) |
			 (low >> 16 & 0xffffff));
}

void helper_ltr_x86_64(void *env, int selector)
{
	struct cpu *cpu = running();
	uint32_t s = (uint32_t)selector & 0xffff;

	if (cpu && !(s & 0xfffc))
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	if (cpu && long_mode(env) && !long_segment_ok(cpu, s, RA))
		originals.raise_exception_err_ra(env, EXCP_GP,
						 (int)(s & 0xfffc), RA);
	enter(RA);
	originals.ltr(env, selector);
	leave();
}

void helper_lldt_x86_64(void *env, int selector)
{
	struct cpu *cpu = running();
	uint32_t s = (uint32_t)selector & 0xffff;

	if (cpu && long_mode(env) && (s & 0xfffc) &&
	    !long_segment_ok(cpu, s, RA))
		originals.raise_exception_err_ra(env, EXCP_GP,
						 (int)(s & 0xfffc), RA);
	enter(RA);
	originals.lldt(env, selector);
	leave();
}

/* For LAR and LSL: null, which neither takes, in place of what they do not take
 * in long mode. */
static uint64_t seen_selector(struct cpu *cpu, uint64_t selector, uintptr_t ra)
{
	uint64_t d;

	if (cpu && long_mode(cpu->env) &&
	    descriptor(cpu, (uint32_t)selector & 0xffff, ra, &d) &&
	    !(d & DESCRIPTOR_S) && !long_system_type(d))
		return 0;
	return selector;
}

uint64_t helper_lar_x86_64(void *env, uint64_t selector)
{
	uint64_t value;

	selector = seen_selector(running(), selector, RA);
	enter(RA);
	value = originals.lar(env, selector);
	leave();
	return value;
}

uint64_t helper_lsl_x86_64(void *env, uint64_t selector)
{
	uint64_t value;

	selector = seen_selector(running(), selector, RA);
	enter(RA);
	value = originals.lsl(env, selector);
	leave();
	return value;
}

void helper_sysenter_x86_64(void *env, int next_eip_addend)
{
	struct cpu *cpu = running();
	uint32_t cs;
	bool lma;

	if (!cpu) {
		originals.sysenter(env, next_eip_addend);
		return;
	}
	cs = AT(env, uint32_t, ENV_SYSENTER_CS) & 0xfffc;
	if (!cs)
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	engine_context(cpu, CPU_CTX_SYSCALL, 0, 0, AT(env, uint64_t, ENV_REGS));
	lma = AT(env, uint64_t, ENV_EFER) & EFER_LMA;
	load_flat(env, CPU_CS, cs, lma ? SEG_CODE64 : SEG_CODE32);
	load_flat(env, CPU_SS, cs + 8, SEG_DATA);
	originals.write_eflags(env,
			       originals.read_eflags(env) & ~UINT64_C(0x30200),
			       0xffffffff);
	AT(env, uint64_t, ENV_REGS + 8 * CPU_RSP) =
		AT(env, uint64_t, ENV_SYSENTER_ESP);
	AT(env, uint64_t, ENV_EIP) = AT(env, uint64_t, ENV_SYSENTER_EIP);
	engine_update_hflags(cpu);
	engine_ring_check(cpu);
}

/* --- time stamp, MSRs, control registers, CPUID --- */

void helper_rdtsc_x86_64(void *env)
{
	struct cpu *cpu = running();
	uint64_t tsc;

	if (!cpu) {
		originals.rdtsc(env);
		return;
	}
	if ((AT(env, uint64_t, ENV_CR + 32) & 4) &&
	    (AT(env, uint32_t, ENV_HFLAGS) & HF_CPL_MASK))
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	engine_alone(cpu, RA);
	cpu->accessing = true;
	tsc = cpu->complex->ops->tsc_read(cpu->complex->owner, cpu);
	cpu->accessing = false;
	AT(env, uint64_t, ENV_REGS) = (uint32_t)tsc;
	AT(env, uint64_t, ENV_REGS + 16) = tsc >> 32;
}

void helper_rdtscp_x86_64(void *env)
{
	helper_rdtsc_x86_64(env);
	AT(env, uint64_t, ENV_REGS + 8) =
		(uint32_t)AT(env, uint64_t, ENV_TSC_AUX);
}

void helper_rdmsr_x86_64(void *env)
{
	struct cpu *cpu = running();
	uint64_t value = 0;
	bool known;

	if (!cpu) {
		originals.rdmsr(env);
		return;
	}
	engine_alone(cpu, RA);
	cpu->accessing = true;
	known = msr_read(cpu, AT(env, uint32_t, ENV_REGS + 8), &value);
	cpu->accessing = false;
	if (!known)
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
	AT(env, uint64_t, ENV_REGS) = (uint32_t)value;
	AT(env, uint64_t, ENV_REGS + 16) = value >> 32;
}

void helper_wrmsr_x86_64(void *env)
{
	struct cpu *cpu = running();
	bool known;

	if (!cpu) {
		originals.wrmsr(env);
		return;
	}
	engine_alone(cpu, RA);
	cpu->accessing = true;
	known = msr_write(cpu, AT(env, uint32_t, ENV_REGS + 8),
			  AT(env, uint32_t, ENV_REGS) |
				  AT(env, uint64_t, ENV_REGS + 16) << 32);
	cpu->accessing = false;
	if (!known)
		originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
}

uint64_t helper_read_crN_x86_64(void *env, int reg)
{
	struct cpu *cpu = running();
	uint64_t value;

	if (!cpu || reg != 8)
		return originals.read_cr(env, reg);
	engine_alone(cpu, RA);
	cpu->accessing = true;
	value = cpu->complex->ops->cr8_read(cpu->complex->owner, cpu);
	cpu->accessing = false;
	return value;
}

#define CR0_PE       UINT64_C(1)
#define CR0_NW       (UINT64_C(1) << 29)
#define CR0_CD       (UINT64_C(1) << 30)
#define CR4_PRESENT  UINT64_C(0x7ff) /* VME to OSXMMEXCPT, as CPUID says */
#define CR3_RESERVED ~((UINT64_C(1) << WALK_PA_BITS) - 1)

/* SDM 2B, MOV to control registers: may `reg` be that? */
static bool control_allowed(struct cpu *cpu, int reg, uint64_t v)
{
	const uint64_t *cr = &AT(cpu->env, uint64_t, ENV_CR);
	uint64_t efer = AT(cpu->env, uint64_t, ENV_EFER);
	bool code64 = AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_CS64;

	switch (reg) {
	case 0:
		if (v >> 32 || ((v & CR0_NW) && !(v & CR0_CD)))
			return false;
		if (!(v & WALK_CR0_PG))
			return !code64;
		if (!(v & CR0_PE))
			return false;
		return (cr[0] & WALK_CR0_PG) || !(efer & EFER_LME) ||
		       (cr[4] & WALK_CR4_PAE);
	case 3:
		return !(efer & EFER_LMA) || !(v & CR3_RESERVED);
	case 4:
		return !(v & ~CR4_PRESENT) &&
		       (!(efer & EFER_LMA) || (v & WALK_CR4_PAE));
	default:
		return true;
	}
}

void helper_write_crN_x86_64(void *env, int reg, uint64_t value)
{
	struct cpu *cpu = running();

	if (!cpu) {
		originals.write_cr(env, reg, value);
		return;
	}
	if (!control_allowed(cpu, reg, value))
		raise_exception_err_ra_x86_64(env, EXCP_GP, 0, RA);
	if (reg == 8) {
		if (value & ~UINT64_C(15))
			originals.raise_exception_err_ra(env, EXCP_GP, 0, RA);
		engine_alone(cpu, RA);
		cpu->accessing = true;
		cpu->complex->ops->cr8_write(cpu->complex->owner, cpu,
					     (uint8_t)value);
		cpu->accessing = false;
		return;
	}
	originals.write_cr(env, reg, value);
	timed_tlb_flush(cpu);
	if (reg == 3)
		engine_context(cpu, CPU_CTX_CR3, 0, 0, value);
}

void cpu_x86_cpuid_x86_64(void *env, uint32_t leaf, uint32_t sub, uint32_t *eax,
			  uint32_t *ebx, uint32_t *ecx, uint32_t *edx)
{
	struct cpu *cpu = running();
	struct cpuid_leaf out;

	if (!cpu) {
		originals.cpuid(env, leaf, sub, eax, ebx, ecx, edx);
		return;
	}
	cpuid_read(leaf, sub,
		   &(struct cpuid_of){cpu->index, cpu->complex->cpu_count,
				      cpu->complex->tsc_hz},
		   &out);
	*eax = out.eax;
	*ebx = out.ebx;
	*ecx = out.ecx;
	*edx = out.edx;
}

void helper_rdpmc_x86_64(void *env)
{
	if (running())
		raise_exception_err_ra_x86_64(env, EXCP_GP, 0, RA); /* none */
	originals.rdpmc(env);
}

/* --- ports --- */

#define TSS_MAP_AT  0x66
#define TSS_MINIMUM 0x67

/* SDM volume 1, 19.5: by IOPL, or by the map in the TSS. */
static void check_port(struct cpu *cpu, uint32_t port, unsigned bytes,
		       uintptr_t ra)
{
	const struct env_segment *tr =
		&AT(cpu->env, struct env_segment, ENV_TR);
	uint64_t flags = AT(cpu->env, uint64_t, ENV_EFLAGS);
	uint32_t at, map;

	if (!(AT(cpu->env, uint64_t, ENV_CR) & CR0_PE) ||
	    (!(flags & RFLAGS_VM) && cpu_cpl(cpu) <= (flags >> 12 & 3)))
		return;
	/* A present TSS of 32 or 64 bits, available or busy. */
	if ((tr->flags & 0x8d00) == 0x8900 && tr->limit >= TSS_MINIMUM) {
		at = originals.load16(cpu->env, tr->base + TSS_MAP_AT,
				      MMU_KERNEL, ra) +
		     (port >> 3);
		if (at + 1 <= tr->limit) {
			map = originals.load16(cpu->env, tr->base + at,
					       MMU_KERNEL, ra);
			if (!(map >> (port & 7) & ((1u << bytes) - 1)))
				return;
		}
	}
	raise_exception_err_ra_x86_64(cpu->env, EXCP_GP, 0, ra);
}

static uint64_t port_read(void *env, uint32_t port, unsigned log2_bytes,
			  uintptr_t ra)
{
	struct cpu *cpu = running();
	uint32_t value;

	if (!cpu)
		return originals.port_in[log2_bytes](env, port);
	check_port(cpu, port & 0xffff, 1u << log2_bytes, ra);
	engine_alone(cpu, ra);
	debug_port(cpu, port & 0xffff, 1u << log2_bytes);
	cpu->accessing = true;
	value = cpu->complex->ops->port_read(cpu->complex->owner, cpu,
					     (uint16_t)port, 1u << log2_bytes);
	cpu->accessing = false;
	return value;
}

static void port_write(void *env, uint32_t port, uint32_t data,
		       unsigned log2_bytes, uintptr_t ra)
{
	struct cpu *cpu = running();

	if (!cpu) {
		originals.port_out[log2_bytes](env, port, data);
		return;
	}
	check_port(cpu, port & 0xffff, 1u << log2_bytes, ra);
	engine_alone(cpu, ra);
	debug_port(cpu, port & 0xffff, 1u << log2_bytes);
	cpu->accessing = true;
	cpu->complex->ops->port_write(cpu->complex->owner, cpu, (uint16_t)port,
				      1u << log2_bytes, data);
	cpu->accessing = false;
}

uint64_t helper_inb_x86_64(void *env, uint32_t port)
{
	return port_read(env, port, 0, RA) & 0xff;
}

uint64_t helper_inw_x86_64(void *env, uint32_t port)
{
	return port_read(env, port, 1, RA) & 0xffff;
}

uint64_t helper_inl_x86_64(void *env, uint32_t port)
{
	return port_read(env, port, 2, RA);
}

void helper_outb_x86_64(void *env, uint32_t port, uint32_t data)
{
	port_write(env, port, data & 0xff, 0, RA);
}

void helper_outw_x86_64(void *env, uint32_t port, uint32_t data)
{
	port_write(env, port, data & 0xffff, 1, RA);
}

void helper_outl_x86_64(void *env, uint32_t port, uint32_t data)
{
	port_write(env, port, data, 2, RA);
}

/* --- PHADD, PHSUB --- */

/* The library writes the destination while it still reads the source, which is
 * wrong if they are the same register. */
static void horizontal(unsigned which, void *env, void *d, void *s)
{
	char copy[ENV_XMM_STRIDE];

	if (d == s) {
		memcpy(copy, s, which < 6 ? sizeof(copy) : 8);
		s = copy;
	}
	originals.horizontal[which](env, d, s);
}

void helper_phaddw_xmm_x86_64(void *env, void *d, void *s)
{
	horizontal(0, env, d, s);
}

void helper_phaddd_xmm_x86_64(void *env, void *d, void *s)
{
	horizontal(1, env, d, s);
}

void helper_phaddsw_xmm_x86_64(void *env, void *d, void *s)
{
	horizontal(2, env, d, s);
}

void helper_phsubw_xmm_x86_64(void *env, void *d, void *s)
{
	horizontal(3, env, d, s);
}

void helper_phsubd_xmm_x86_64(void *env, void *d, void *s)
{
	horizontal(4, env, d, s);
}

void helper_phsubsw_xmm_x86_64(void *env, void *d, void *s)
{
	horizontal(5, env, d, s);
}

void helper_phaddw_mmx_x86_64(void *env, void *d, void *s)
{
	horizontal(6, env, d, s);
}

void helper_phaddd_mmx_x86_64(void *env, void *d, void *s)
{
	horizontal(7, env, d, s);
}

void helper_phaddsw_mmx_x86_64(void *env, void *d, void *s)
{
	horizontal(8, env, d, s);
}

void helper_phsubw_mmx_x86_64(void *env, void *d, void *s)
{
	horizontal(9, env, d, s);
}

void helper_phsubd_mmx_x86_64(void *env, void *d, void *s)
{
	horizontal(10, env, d, s);
}

void helper_phsubsw_mmx_x86_64(void *env, void *d, void *s)
{
	horizontal(11, env, d, s);
}

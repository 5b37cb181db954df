/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/translate.c - what translated blocks look like.
 *
 * Takes the place of the library's translator_loop(): the library translates,
 * here is remembered where each instruction starts, and the block's first
 * operations are rewritten to count (engine.h).  What the library puts there,
 * and at the end:
 *
 *      size, engine, address, user := constants      (for the block hook)
 *      call the block hook
 *      t := load a flag; zero := 0
 *      if t < zero goto leave
 *      ...
 *   leave: end the block, not run
 *
 * becomes
 *
 *      t := load room; n := the block's cost; t := t - n; store t to room
 *      (with a timing model the same of ticks; t has the signs of both)
 *      number := the block's; store it
 *      if t < zero goto leave
 *      ...
 *   leave: size, engine, address, user := constants
 *      call the block hook
 *      end the block, not run
 *
 * Who accounts has the block count its runs after the branch.
 *
 * When what is executed is observed, a call of observe_block() comes after the
 * branch; if each instruction is, a block has one.
 *
 * A block that would end by going back to the engine's main loop looks for the
 * next one itself: the main loop is for those that find no room.
 */
#include <string.h>

#include "cpu/unicorn/account.h"
#include "cpu/unicorn/changes.h"
#include "cpu/unicorn/engine.h"
#include "cpu/unicorn/observe.h"
#include "sim/check.h"

#pragma GCC visibility push(default)
void translator_loop_x86_64(const void *ops, void *db, void *cs, void *tb,
			    int max_insns);
void check_exit_request_x86_64(void *tcg);
uint32_t cpu_ldub_code_x86_64(void *env, uint64_t va);
#pragma GCC visibility pop

struct translator_ops {
	void (*init_disas_context)(void *db, void *cs);
	void (*tb_start)(void *db, void *cs);
	void (*insn_start)(void *db, void *cs);
	bool (*breakpoint_check)(void *db, void *cs, const void *bp);
	void (*translate_insn)(void *db, void *cs);
	void (*tb_stop)(void *db, void *cs);
	void (*disas_log)(const void *db, void *cs);
};

struct disas_base {
	void *tb;
	uint64_t pc_first, pc_next;
	int is_jmp; /* 0: go on, 1: end the block here */
	int num_insns, max_insns;
	bool singlestep_enabled;
};

#define INSN_BYTES_MAX 15

struct translation {
	const struct translator_ops *ops;
	struct cpu *cpu;
	uint32_t count, bytes;
	bool breaks;
	uint64_t pc, temp, kept; /* the latter two of tell_access() */
	void *told;              /* the access of which it was told last */
	uint16_t offset[BLOCK_MAX];
};
static _Thread_local struct translation *translating;

/* --- operations --- */

static void *next(void *op)
{
	return AT(op, void *, OP_NEXT);
}

static uint64_t *args(void *op)
{
	return &AT(op, uint64_t, OP_ARGS);
}

static void expect(void *op, uint8_t code)
{
	CHECK_MSG(AT(op, uint8_t, OP_CODE) == code,
		  "the translator wrote operation %u, not %u",
		  AT(op, uint8_t, OP_CODE), code);
}

static void *put_after(void *tcg, void *op, int code, uint64_t a, uint64_t b,
		       uint64_t c)
{
	void *new = originals.op_after(tcg, op, code);

	args(new)[0] = a;
	args(new)[1] = b;
	args(new)[2] = c;
	return new;
}

static void *last_op(void *tcg)
{
	return (char *)AT(tcg, void *, TCG_OPS + 8) - OP_NEXT;
}

/* The last load or store: what was written behind it widens what it loaded, or
 * is ours. */
static void *last_access(void *tcg, bool *write)
{
	void *op = last_op(tcg);
	uint8_t code;

	for (;; op = (char *)AT(op, void *, OP_PREV) - OP_NEXT) {
		code = AT(op, uint8_t, OP_CODE);
		if (code >= TCG_QEMU_FIRST && code <= TCG_QEMU_LAST)
			break;
		CHECK(op != AT(tcg, void *, TCG_OPS));
	}
	*write = (code - TCG_QEMU_FIRST) & 1;
	return op;
}

/* For the constants that calls are told. */
static uint64_t constant_temp(void *tcg)
{
	struct translation *t = translating;

	if (!t->temp)
		t->temp =
			(uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);
	return t->temp;
}

/* f(what, address), behind `op`. */
static void call_with(void *tcg, void *op, const void *what, uint64_t address,
		      void (*f)(void))
{
	uint64_t temp = constant_temp(tcg);

	op = put_after(tcg, op, TCG_MOVI_I64, temp, (uintptr_t)what, 0);
	op = put_after(tcg, op, TCG_CALL, temp, address, (uintptr_t)f);
	AT(op, uint16_t, OP_CODE) = TCG_CALL_0_2;
	args(op)[3] = TCG_CALL_ALONE;
}

/* changes_store() is told where a store went, afterwards. */
static void tell_store(void *tcg)
{
	struct cpu *cpu = translating->cpu;
	bool write;
	uint64_t *arg = args(last_access(tcg, &write));

	if (write)
		call_with(tcg, last_op(tcg),
			  changes_kind(cpu, arg[2] & 15, arg[2] >> 4 & 3),
			  arg[1], (void (*)(void))changes_store);
}

/* timed_reach() is told of an access where it was, afterwards. */
static void tell_access(void *tcg)
{
	struct translation *t = translating;
	void *last = last_op(tcg), *op;
	struct timed_access *a;
	uint64_t address;
	bool write;

	op = last_access(tcg, &write);
	CHECK_MSG(op != t->told, "an access without an operation");
	t->told = op;
	a = block_alloc(t->cpu, sizeof(*a));
	a->cpu = t->cpu;
	a->known = memory_known_of(t->cpu->memory);
	a->pc = t->pc;
	a->index = t->count - 1;
	a->bytes = (uint8_t)(1u << (args(op)[2] >> 4 & 3));
	a->write = write;
	address = args(op)[1];
	if (!a->write && address == args(op)[0]) {
		if (!t->kept)
			t->kept = (uintptr_t)originals.temp_new(
				tcg, TCG_TYPE_I64, false);
		put_after(tcg, (char *)AT(op, void *, OP_PREV) - OP_NEXT,
			  TCG_MOV_I64, t->kept, address, 0);
		address = t->kept;
	}
	call_with(tcg, last, a, address, (void (*)(void))timed_reach);
}

/* The library would look after each load and store whether it is to stop, and
 * begin the block anew if so: we ask between blocks alone. */
void check_exit_request_x86_64(void *tcg)
{
	if (!engine_running)
		originals.check_exit_request(tcg);
	else if (translating && engine_running->memory)
		tell_access(tcg);
	if (engine_running && translating && changes_wanted(engine_running))
		tell_store(tcg);
}

static bool is_prefix(uint32_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2E:
	case 0x36:
	case 0x3E:
	case 0x40 ... 0x4F: /* REX; CMPXCHG8B needs none in other modes */
	case 0x64:
	case 0x65:
	case 0x66:
	case 0xF0:
	case 0xF2:
	case 0xF3:
		return true;
	default:
		return false;
	}
}

/* CMPXCHG8B or CMPXCHG16B.  Its helper computes the flags that it keeps from
 * the state in memory, and the translator does not put it there first: it must
 * be the first instruction of its block. */
static bool is_cmpxchg_wide(const struct cpu *cpu, uint64_t pc)
{
	unsigned length = 0;

	while (length < INSN_BYTES_MAX - 3 &&
	       is_prefix(originals.load_code8(cpu->env, pc)))
		length++, pc++;
	return originals.load_code8(cpu->env, pc) == 0x0F &&
	       originals.load_code8(cpu->env, pc + 1) == 0xC7 &&
	       (originals.load_code8(cpu->env, pc + 2) >> 3 & 7) == 1;
}

/* --- encodings that are #UD but that the library takes --- */

/* What the translator reads there in place of what is there: UD2. */
static _Thread_local struct {
	bool on;
	uint64_t at;
} undefined;

uint32_t cpu_ldub_code_x86_64(void *env, uint64_t va)
{
	static const uint8_t ud2[] = {0x0f, 0x0b};

	if (undefined.on && va - undefined.at < sizeof(ud2))
		return ud2[va - undefined.at];
	return originals.load_code8(env, va);
}

#define LOCK 0xf0

/* Memory operands that LOCK goes with (SDM 2A, LOCK), modrm.reg in `reg`. */
static bool lockable(uint32_t map, uint32_t opcode, unsigned reg)
{
	if (map == 0) {
		switch (opcode) {
		case 0x80 ... 0x83:
			return reg != 7; /* not CMP */
		case 0x86 ... 0x87:
			return true;
		case 0xf6 ... 0xf7:
			return reg == 2 || reg == 3;
		case 0xfe ... 0xff:
			return reg <= 1;
		default: /* ADD to XOR with a memory destination */
			return opcode < 0x38 && (opcode & 7) <= 1;
		}
	}
	switch (opcode) {
	case 0xab: /* BTS, BTR, BTC */
	case 0xb3:
	case 0xbb:
	case 0xb0 ... 0xb1: /* CMPXCHG, XADD */
	case 0xc0 ... 0xc1:
		return true;
	case 0xba:
		return reg >= 5;
	case 0xc7:
		return reg == 1;
	default:
		return false;
	}
}

/* How many bytes of the instruction say that it is undefined; 0: it is not, or
 * the library knows.  Fetches no byte that the processor would not. */
static unsigned undefined_bytes(const struct cpu *cpu, uint64_t pc)
{
	bool code64 = AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_CS64;
	bool lock = false, vex;
	uint32_t map = 0, opcode, modrm;
	unsigned n = 0;

	for (; n < INSN_BYTES_MAX - 3; n++) {
		opcode = originals.load_code8(cpu->env, pc + n);
		lock = lock || opcode == LOCK;
		if (opcode == 0x67 || (code64 && (opcode & 0xf0) == 0x40))
			continue;
		if ((opcode & 0xf0) == 0x40 || !is_prefix(opcode))
			break;
	}
	vex = opcode == 0xc4 || opcode == 0xc5;
	if (!lock && !vex && opcode != 0xff)
		return 0;
	if (code64 && vex)
		return n + 1;
	if (opcode == 0x0f) {
		map = 1;
		opcode = originals.load_code8(cpu->env, pc + ++n);
	}
	if (lock && !lockable(map, opcode, 0) && !lockable(map, opcode, 2) &&
	    !lockable(map, opcode, 1) && !lockable(map, opcode, 5))
		return n + 1;
	modrm = originals.load_code8(cpu->env, pc + n + 1);
	if (lock)
		return modrm >= 0xc0 || !lockable(map, opcode, modrm >> 3 & 7)
			       ? n + 2
			       : 0;
	/* VEX; CPUID offers nothing that has it. */
	if (vex)
		return modrm >= 0xc0 ? n + 2 : 0;
	/* Far CALL and JMP through a register: the library aborts. */
	return modrm >= 0xc0 && ((modrm >> 3 & 7) == 3 || (modrm >> 3 & 7) == 5)
		       ? n + 2
		       : 0;
}

static void translate_insn(void *db, void *cs)
{
	struct disas_base *d = db;
	struct translation *t = translating;
	uint64_t page_end = (d->pc_first | (PAGE_BYTES - 1)) + 1;
	unsigned bytes;

	CHECK(t->count < BLOCK_MAX);
	t->pc = d->pc_next;
	t->breaks = t->breaks || engine_breaks_at(t->cpu, d->pc_next);
	t->offset[t->count++] = (uint16_t)(d->pc_next - d->pc_first);
	bytes = undefined_bytes(t->cpu, d->pc_next);
	undefined.on = bytes > 0;
	undefined.at = d->pc_next;
	t->ops->translate_insn(db, cs);
	undefined.on = false;
	if (bytes) /* all of those, when they change, make it another */
		d->pc_next = undefined.at + bytes;
	t->bytes = (uint32_t)(d->pc_next - d->pc_first);
	/* An instruction that may reach into the next page starts a block of
	 * its own: a fault in fetching it must come when it is due. */
	if (d->is_jmp == 0 && (d->pc_next + INSN_BYTES_MAX > page_end ||
			       is_cmpxchg_wide(t->cpu, d->pc_next)))
		d->is_jmp = 1;
}

/* A temporary that is neither of two. */
static uint64_t fresh(void *tcg, uint64_t t, uint64_t u)
{
	uint64_t new;

	do {
		new = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I32, false);
	} while (new == t || new == u);
	return new;
}

/* The code of the block that is next, or of the way to the main loop.  The
 * block that ends here may have let interrupts in. */
static void *next_block(void *env)
{
	struct cpu *cpu = engine_running;
	uint32_t pending = AT(cpu->cs, uint32_t, CS_INTERRUPT_REQUEST);

	if (pending && (cpu_interruptible(cpu) || (pending & INTERRUPT_NMI)))
		engine_look_up(cpu);
	return originals.lookup_block(env);
}

/* `end`: the end of a block, to the main loop; `env`: as the code generator
 * knows the state.  What it is now ends there. */
static void *chain(void *tcg, void *end, uint64_t env)
{
	uint64_t t = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);
	void *call =
		put_after(tcg, end, TCG_CALL, t, env, (uintptr_t)next_block);

	AT(call, uint16_t, OP_CODE) = TCG_CALL_1_1;
	args(call)[3] = TCG_CALL_READS;
	call = put_after(tcg, call, TCG_GOTO_PTR, t, 0, 0);
	originals.op_remove(tcg, end);
	return call;
}

/* Is the block left by it, to another one?  If that is looked up, before. */
static bool is_exit(void *op)
{
	switch (AT(op, uint8_t, OP_CODE)) {
	case TCG_GOTO_TB:
		return true;
	case TCG_EXIT_TB:
		return args(op)[0] == 0;
	case TCG_CALL:
		return next(op) &&
		       AT(next(op), uint8_t, OP_CODE) == TCG_GOTO_PTR;
	default:
		return false;
	}
}

/* What memory took, where a block ends.  What it put last, or `op`. */
static void *charge_memory(struct cpu *cpu, const struct block *b, uint64_t env,
			   void *op)
{
	void *tcg = AT(cpu->uc, void *, UC_TCG_CTX);
	uint64_t t, u, x;

	if (!cpu->memory)
		return op;
	if (b->timed->limited) {
		x = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);
		op = put_after(tcg, op, TCG_MOVI_I64, x, (uintptr_t)cpu, 0);
		op = put_after(tcg, op, TCG_CALL, x, (uintptr_t)timed_part_ends,
			       TCG_CALL_ALONE);
		AT(op, uint16_t, OP_CODE) = TCG_CALL_0_1;
		return op;
	}
	t = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I32, false);
	u = fresh(tcg, t, t);
	op = put_after(tcg, op, TCG_LD_I32, t, env, ENV_PENDING);
	op = put_after(tcg, op, TCG_LD_I32, u, env, ENV_TICK_ROOM);
	op = put_after(tcg, op, TCG_SUB_I32, u, u, t);
	op = put_after(tcg, op, TCG_ST_I32, u, env, ENV_TICK_ROOM);
	op = put_after(tcg, op, TCG_MOVI_I32, t, 0, 0);
	return put_after(tcg, op, TCG_ST_I32, t, env, ENV_PENDING);
}

/* What is to be called where the block is left by `op`, behind its branch;
 * NULL: nothing.  A jump to a place that is known has two ways, 0 if the branch
 * is not taken and 1 if it is; way 0 of a REP is the one to itself. */
static uint32_t (*exit_of(const struct timed_calls *calls,
			  const struct timed_block *b,
			  void *op))(const struct timed_exit *x)
{
	enum branch_kind kind = b->branch.kind;
	uint8_t code = AT(op, uint8_t, OP_CODE);

	if (kind == BRANCH_NONE)
		return NULL;
	if (code == TCG_GOTO_TB) {
		if (kind == BRANCH_REPEAT)
			return args(op)[0] ? calls->repeat : NULL;
		if (kind == BRANCH_CONDITIONAL && !args(op)[0])
			return calls->not_taken;
		if (kind == BRANCH_CONDITIONAL)
			return b->limited || b->branch.again ? calls->again
							     : calls->taken;
		return timed_exit_call;
	}
	switch (kind) {
	case BRANCH_RETURN:
		return calls->back;
	case BRANCH_INDIRECT:
		return calls->indirect;
	case BRANCH_INDIRECT_CALL:
		return calls->indirect_call;
	default:
		return calls->anywhere;
	}
}

static void foresee(struct cpu *cpu, const struct block *b, uint64_t env,
		    void *before, void *op)
{
	void *tcg = AT(cpu->uc, void *, UC_TCG_CTX);
	uint32_t (*call)(const struct timed_exit *x) =
		exit_of(cpu->account ? &timed_calls_accounted : &timed_calls,
			b->timed, op);
	uint64_t x, t, u;

	if (!call)
		return;
	x = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);
	t = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I32, false);
	u = fresh(tcg, t, t);
	op = put_after(tcg, before, TCG_MOVI_I64, x,
		       (uintptr_t)timed_exit_new(cpu, b), 0);
	op = put_after(tcg, op, TCG_CALL, t, x, (uintptr_t)call);
	AT(op, uint16_t, OP_CODE) = TCG_CALL_1_1;
	args(op)[3] = TCG_CALL_ALONE;
	if (call == timed_exit_call)
		return;
	op = put_after(tcg, op, TCG_LD_I32, u, env, ENV_TICK_ROOM);
	op = put_after(tcg, op, TCG_SUB_I32, u, u, t);
	put_after(tcg, op, TCG_ST_I32, u, env, ENV_TICK_ROOM);
}

/* The block counts its runs, for who accounts.  What it put last. */
static void *count_runs(struct cpu *cpu, const struct block *b, uint32_t number,
			void *op)
{
	void *tcg = AT(cpu->uc, void *, UC_TCG_CTX);
	uint64_t x = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);
	uint64_t n = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);
	uint64_t one = (uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);

	if (b->timed && b->timed->limited) {
		op = put_after(tcg, op, TCG_MOVI_I64, x, (uintptr_t)cpu, 0);
		op = put_after(tcg, op, TCG_CALL, x, (uintptr_t)account_part,
			       TCG_CALL_ALONE);
		AT(op, uint16_t, OP_CODE) = TCG_CALL_0_1;
		return op;
	}
	op = put_after(tcg, op, TCG_MOVI_I64, x,
		       (uintptr_t)&cpu->account->count, 0);
	op = put_after(tcg, op, TCG_LD_I64, x, x, 0);
	op = put_after(tcg, op, TCG_LD_I64, n, x, number * sizeof(uint64_t));
	op = put_after(tcg, op, TCG_MOVI_I64, one, 1, 0);
	op = put_after(tcg, op, TCG_ADD_I64, n, n, one);
	return put_after(tcg, op, TCG_ST_I64, n, x, number * sizeof(uint64_t));
}

#define HOOK_OPS  5
#define HOOK_ARGS 8

static void count_in_block(struct cpu *cpu, const struct block *b,
			   uint32_t number)
{
	void *tcg = AT(cpu->uc, void *, UC_TCG_CTX);
	void *hook[HOOK_OPS], *load, *zero, *branch, *op, *before;
	uint64_t t, n, env;
	bool limited = b->timed && b->timed->limited;

	static const uint8_t hook_codes[HOOK_OPS] = {TCG_MOVI_I32, TCG_MOVI_I64,
						     TCG_MOVI_I64, TCG_MOVI_I64,
						     TCG_CALL};

	op = AT(tcg, void *, TCG_OPS);
	for (unsigned i = 0; i < HOOK_OPS; i++, op = next(op)) {
		expect(op, hook_codes[i]);
		hook[i] = op;
	}
	load = op;
	expect(load, TCG_LD_I32);
	zero = next(load);
	expect(zero, TCG_MOVI_I32);
	branch = before = next(zero);
	expect(branch, TCG_BRCOND_I32);

	t = args(load)[0];
	env = args(load)[1];
	args(load)[2] = ENV_ROOM;
	n = fresh(tcg, t, args(zero)[0]);
	op = put_after(tcg, load, TCG_MOVI_I32, n, b->cost, 0);
	op = put_after(tcg, op, TCG_SUB_I32, t, t, n);
	op = put_after(tcg, op, TCG_ST_I32, t, env, ENV_ROOM);
	if (b->timed) {
		uint64_t u = fresh(tcg, t, args(zero)[0]);

		op = put_after(tcg, op, TCG_LD_I32, u, env, ENV_TICK_ROOM);
		op = limited ? put_after(tcg, op, TCG_LD_I32, n, env, ENV_PART)
			     : put_after(tcg, op, TCG_MOVI_I32, n,
					 b->timed->ticks, 0);
		op = put_after(tcg, op, TCG_SUB_I32, u, u, n);
		op = put_after(tcg, op, TCG_ST_I32, u, env, ENV_TICK_ROOM);
		if (!limited)
			op = put_after(tcg, op, TCG_OR_I32, t, t, u);
	}
	op = put_after(tcg, op, TCG_MOVI_I32, n, number, 0);
	put_after(tcg, op, TCG_ST_I32, n, env, ENV_BLOCK);
	if (cpu->memory && !limited) {
		uint64_t x =
			(uintptr_t)originals.temp_new(tcg, TCG_TYPE_I64, false);

		op = put_after(tcg, branch, TCG_MOVI_I64, x, (uintptr_t)b, 0);
		op = put_after(tcg, op, TCG_CALL, x, (uintptr_t)timed_fetch,
			       TCG_CALL_ALONE);
		AT(op, uint16_t, OP_CODE) = TCG_CALL_0_1;
	}
	if (cpu->observe) {
		op = put_after(tcg, branch, TCG_CALL, env,
			       (uintptr_t)observe_block, TCG_CALL_LOOKS);
		AT(op, uint16_t, OP_CODE) = TCG_CALL_0_1;
	}

	if (cpu->account)
		count_runs(cpu, b, number, branch);

	/* The label is the last operation but one. */
	for (op = next(branch); AT(op, uint8_t, OP_CODE) != TCG_SET_LABEL ||
				args(op)[0] != args(branch)[3];) {
		void *end = op;

		if (b->timed && is_exit(end)) {
			before = charge_memory(cpu, b, env, before);
			foresee(cpu, b, env, before, end);
		}
		before = end;
		op = next(op);
		if (AT(end, uint8_t, OP_CODE) == TCG_EXIT_TB && !args(end)[0])
			before = chain(tcg, end, env);
	}
	expect(next(op), TCG_EXIT_TB);
	args(hook[2])[1] = (uintptr_t)b;
	for (unsigned i = 0; i < HOOK_OPS; i++) {
		void *moved = originals.op_after(tcg, op,
						 AT(hook[i], uint8_t, OP_CODE));

		memcpy(moved, hook[i], OP_NEXT);
		memcpy(args(moved), args(hook[i]), HOOK_ARGS * 8);
		originals.op_remove(tcg, hook[i]);
		op = moved;
	}
}

/* The block ends the shadow of STI or MOV SS: an interrupt may be due after it,
 * which the main loop sees.  The library goes there by itself but for RET and
 * jumps through registers. */
static void end_in_main_loop(struct cpu *cpu)
{
	void *op = AT(AT(cpu->uc, void *, UC_TCG_CTX), void *, TCG_OPS);

	for (; op; op = next(op)) {
		if (AT(op, uint8_t, OP_CODE) == TCG_GOTO_PTR) {
			AT(op, uint8_t, OP_CODE) = TCG_EXIT_TB;
			args(op)[0] = 0;
		}
	}
}

void cpu_block_code(struct cpu *cpu, uint64_t linear, uint8_t *to,
		    uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)originals.load_code8(cpu->env, linear + i);
}

static void tell_block(struct cpu *cpu, const struct block *b, uint32_t bytes)
{
	struct cpu_complex *cx = cpu->complex;
	struct cpu_block told = {
		.pc = b->pc,
		.count = b->count,
		.bytes = bytes,
		.offset = b->offset,
		.long_mode = AT(cpu->env, uint32_t, ENV_HFLAGS) & HF_CS64,
	};

	if (cx->ops->block && cpu_cpl(cpu) == 3)
		cx->ops->block(cx->owner, cpu, &told);
}

void translator_loop_x86_64(const void *ops, void *db, void *cs, void *tb,
			    int max_insns)
{
	struct cpu *cpu = engine_running;
	struct translation t = {.ops = ops, .cpu = cpu};
	struct translator_ops mine = *(const struct translator_ops *)ops;
	struct block *b;
	uint32_t number;

	if (!cpu) {
		originals.translator_loop(ops, db, cs, tb, max_insns);
		return;
	}
	if (cpu->observe == CPU_OBSERVE_INSTRUCTIONS && !cpu->complex->timing)
		max_insns = 1;
	mine.translate_insn = translate_insn;
	translating = &t;
	originals.translator_loop(&mine, db, cs, tb, max_insns);
	translating = NULL;
	if (!cpu->code || (uintptr_t)tb < cpu->code)
		cpu->code = (uintptr_t)tb;
	if (originals.code_size(AT(cpu->uc, void *, UC_TCG_CTX)) > CODE_FULL) {
		cpu->full = true;
		engine_look_up(cpu);
	}
	/* A length that block_enter() asked for ends before breakpoints. */
	if (AT(tb, uint32_t, TB_CFLAGS) & CF_COUNT_MASK)
		t.breaks = false;
	b = block_new(cpu, AT(tb, uint64_t, TB_PC), t.offset, t.count, t.bytes,
		      t.breaks, &number);
	timed_block_new(cpu, b, t.bytes,
			AT(tb, uint32_t, TB_CFLAGS) & CF_COUNT_MASK);
	count_in_block(cpu, b, number);
	if (AT(tb, uint32_t, TB_FLAGS) & HF_INHIBIT_IRQ)
		end_in_main_loop(cpu);
	tell_block(cpu, b, t.bytes);
}

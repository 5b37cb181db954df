/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/insn.c - see insn.h. */
#include "cpu/timing/insn.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

#define REMEMBERED (1u << 14)
#define BYTES_MAX  15
#define NO_REG     0xff
#define VECTORS    (UINT64_C(0xffff) << INSN_XMM | UINT64_C(0xff) << INSN_MMX)

struct remembered {
	uint8_t key[16]; /* bits of the segment, then the bytes; 0: none */
	struct insn insn;
};

struct insn_decoder {
	const struct profile *profile;
	const struct profile_class *plain, *vector, *x87, *move, *load, *store,
		*zero, *lock, *cr3, *control, *segment, *lea2, *add_small, *div,
		*div32, *rep_movsb, *rep_movs, *rep_stosb, *rep_stos,
		*rep_compare, *rep_load;
	csh handle[3]; /* 16, 32, 64 bits */
	cs_insn *in;
	uint8_t reg[X86_REG_ENDING];       /* its bit, or NO_REG */
	uint8_t reg_bytes[X86_REG_ENDING]; /* of a general register */
	struct remembered remembered[REMEMBERED];
};

/* --- registers --- */

static void name_registers(struct insn_decoder *d)
{
	/* By size; numbers as in the encoding. */
	static const uint16_t r8[] = {
		X86_REG_AL,   X86_REG_CL,   X86_REG_DL,   X86_REG_BL,
		X86_REG_SPL,  X86_REG_BPL,  X86_REG_SIL,  X86_REG_DIL,
		X86_REG_R8B,  X86_REG_R9B,  X86_REG_R10B, X86_REG_R11B,
		X86_REG_R12B, X86_REG_R13B, X86_REG_R14B, X86_REG_R15B};
	static const uint16_t high[] = {X86_REG_AH, X86_REG_CH, X86_REG_DH,
					X86_REG_BH};
	static const uint16_t r16[] = {
		X86_REG_AX,   X86_REG_CX,   X86_REG_DX,   X86_REG_BX,
		X86_REG_SP,   X86_REG_BP,   X86_REG_SI,   X86_REG_DI,
		X86_REG_R8W,  X86_REG_R9W,  X86_REG_R10W, X86_REG_R11W,
		X86_REG_R12W, X86_REG_R13W, X86_REG_R14W, X86_REG_R15W};
	static const uint16_t r32[] = {
		X86_REG_EAX,  X86_REG_ECX,  X86_REG_EDX,  X86_REG_EBX,
		X86_REG_ESP,  X86_REG_EBP,  X86_REG_ESI,  X86_REG_EDI,
		X86_REG_R8D,  X86_REG_R9D,  X86_REG_R10D, X86_REG_R11D,
		X86_REG_R12D, X86_REG_R13D, X86_REG_R14D, X86_REG_R15D};
	static const uint16_t r64[] = {
		X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX,
		X86_REG_RSP, X86_REG_RBP, X86_REG_RSI, X86_REG_RDI,
		X86_REG_R8,  X86_REG_R9,  X86_REG_R10, X86_REG_R11,
		X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15};

	memset(d->reg, NO_REG, sizeof(d->reg));
	for (uint8_t i = 0; i < 16; i++) {
		d->reg[r8[i]] = d->reg[r16[i]] = i;
		d->reg[r32[i]] = d->reg[r64[i]] = i;
		d->reg_bytes[r8[i]] = 1;
		d->reg_bytes[r16[i]] = 2;
		d->reg_bytes[r32[i]] = 4;
		d->reg_bytes[r64[i]] = 8;
		d->reg[X86_REG_XMM0 + i] = (uint8_t)(INSN_XMM + i);
	}
	for (unsigned i = 0; i < ARRAY_LEN(high); i++) {
		d->reg[high[i]] = (uint8_t)i;
		d->reg_bytes[high[i]] = 1;
	}
	for (uint8_t i = 0; i < 8; i++) {
		d->reg[X86_REG_ST0 + i] = INSN_X87;
		d->reg[X86_REG_MM0 + i] = (uint8_t)(INSN_MMX + i);
	}
	d->reg[X86_REG_EFLAGS] = INSN_FLAGS;
	d->reg[X86_REG_FPSW] = INSN_X87;
}

static uint64_t bit_of(const struct insn_decoder *d, unsigned reg)
{
	uint8_t n = reg < X86_REG_ENDING ? d->reg[reg] : NO_REG;

	return n == NO_REG ? 0 : UINT64_C(1) << n;
}

static bool is_vector(const struct insn_decoder *d, unsigned reg)
{
	uint8_t n = d->reg[reg];

	return n != NO_REG && n >= INSN_XMM && n != INSN_FLAGS;
}

/* --- classes --- */

static const struct profile_class *class_named(const struct profile *p,
					       const char *name)
{
	int at = profile_find_class(p, name);

	CHECK(at >= 0); /* profile_read() saw to it */
	return &p->class[at];
}

struct insn_decoder *insn_decoder_create(const struct profile *p)
{
	static const cs_mode modes[] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
	struct insn_decoder *d = calloc(1, sizeof(*d));

	CHECK(d);
	d->profile = p;
	for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
		CHECK(cs_open(CS_ARCH_X86, modes[i], &d->handle[i]) ==
		      CS_ERR_OK);
		CHECK(cs_option(d->handle[i], CS_OPT_DETAIL, CS_OPT_ON) ==
		      CS_ERR_OK);
	}
	d->in = cs_malloc(d->handle[0]);
	CHECK(d->in);
	name_registers(d);
	d->plain = class_named(p, "default");
	d->vector = class_named(p, "vector");
	d->x87 = class_named(p, "x87");
	d->move = class_named(p, "move");
	d->load = class_named(p, "load");
	d->store = class_named(p, "store");
	d->zero = class_named(p, "zero");
	d->lock = class_named(p, "lock");
	d->cr3 = class_named(p, "load_cr3");
	d->control = class_named(p, "control");
	d->segment = class_named(p, "segment");
	d->lea2 = class_named(p, "lea2");
	d->add_small = class_named(p, "add_small");
	d->div = class_named(p, "div");
	d->div32 = class_named(p, "div32");
	d->rep_movsb = class_named(p, "rep_movsb");
	d->rep_movs = class_named(p, "rep_movs");
	d->rep_stosb = class_named(p, "rep_stosb");
	d->rep_stos = class_named(p, "rep_stos");
	d->rep_compare = class_named(p, "rep_compare");
	d->rep_load = class_named(p, "rep_load");
	return d;
}

void insn_decoder_destroy(struct insn_decoder *d)
{
	if (!d)
		return;
	cs_free(d->in, 1);
	for (unsigned i = 0; i < ARRAY_LEN(d->handle); i++)
		cs_close(&d->handle[i]);
	free(d);
}

static bool is_segment(unsigned reg)
{
	return reg == X86_REG_CS || reg == X86_REG_DS || reg == X86_REG_ES ||
	       reg == X86_REG_FS || reg == X86_REG_GS || reg == X86_REG_SS;
}

static bool is_control(unsigned reg)
{
	return (reg >= X86_REG_CR0 && reg <= X86_REG_CR15) ||
	       (reg >= X86_REG_DR0 && reg <= X86_REG_DR15);
}

/* MOV, PUSH, POP of a register that is more than a place. */
static const struct profile_class *special(const struct insn_decoder *d,
					   const cs_x86 *x)
{
	for (unsigned i = 0; i < x->op_count; i++) {
		unsigned reg = x->operands[i].reg;

		if (x->operands[i].type != X86_OP_REG)
			continue;
		if (i == 0 && reg == X86_REG_CR3)
			return d->cr3;
		if (is_control(reg))
			return d->control;
		if (i == 0 && is_segment(reg))
			return d->segment;
	}
	return NULL;
}

static const struct profile_class *class_of(const struct insn_decoder *d)
{
	const cs_x86 *x = &d->in->detail->x86;
	int at = d->in->id < d->profile->insn_count
			 ? d->profile->class_of[d->in->id]
			 : -1;

	if (at >= 0)
		return &d->profile->class[at];
	for (unsigned i = 0; i < x->op_count; i++) {
		unsigned reg = x->operands[i].reg;

		if (x->operands[i].type != X86_OP_REG ||
		    reg >= X86_REG_ENDING || !is_vector(d, reg))
			continue;
		return d->reg[reg] == INSN_X87 ? d->x87 : d->vector;
	}
	return d->in->mnemonic[0] == 'f' ? d->x87 : d->plain;
}

/* --- operands --- */

static uint32_t mix(uint32_t hash, uint64_t value)
{
	hash = (hash ^ (uint32_t)value) * UINT32_C(0x9e3779b1);
	return (hash ^ (uint32_t)(value >> 32) ^ hash >> 15) *
	       UINT32_C(0x85ebca77);
}

static void memory_operand(const struct insn_decoder *d, const cs_x86_op *op,
			   struct insn *to)
{
	to->address |= bit_of(d, op->mem.base) | bit_of(d, op->mem.index);
	to->place = mix(op->mem.base, op->mem.index);
	to->place = mix(to->place, (uint64_t)op->mem.disp);
	to->place = mix(to->place,
			(uint64_t)op->mem.scale << 32 | op->mem.segment) |
		    1;
	to->loads |= (op->access & CS_AC_READ) || !op->access;
	to->stores |= op->access & CS_AC_WRITE;
}

static void operands(const struct insn_decoder *d, struct insn *to)
{
	const cs_detail *detail = d->in->detail;
	const cs_x86 *x = &detail->x86;
	bool accesses = d->in->id != X86_INS_LEA && d->in->id != X86_INS_NOP;

	for (unsigned i = 0; i < x->op_count; i++) {
		const cs_x86_op *op = &x->operands[i];
		uint64_t bit;

		if (op->type == X86_OP_MEM && accesses)
			memory_operand(d, op, to);
		else if (op->type == X86_OP_MEM)
			to->source |= bit_of(d, op->mem.base) |
				      bit_of(d, op->mem.index);
		if (op->type != X86_OP_REG)
			continue;
		bit = bit_of(d, op->reg);
		if (op->access & CS_AC_READ)
			to->source |= bit;
		if (!(op->access & CS_AC_WRITE))
			continue;
		to->result |= bit;
		/* The rest of the register stays. */
		if (d->reg_bytes[op->reg] && d->reg_bytes[op->reg] < 4)
			to->source |= bit;
	}
	for (unsigned i = 0; i < detail->regs_read_count; i++)
		to->source |= bit_of(d, detail->regs_read[i]);
	for (unsigned i = 0; i < detail->regs_write_count; i++)
		to->result |= bit_of(d, detail->regs_write[i]);
}

static bool same_registers(const cs_x86 *x)
{
	return x->op_count == 2 && x->operands[0].type == X86_OP_REG &&
	       x->operands[1].type == X86_OP_REG &&
	       x->operands[0].reg == x->operands[1].reg;
}

/* What comes out of these does not depend on what goes in. */
static bool makes_zero(const cs_insn *in)
{
	switch (in->id) {
	case X86_INS_XOR:
	case X86_INS_SUB:
	case X86_INS_PXOR:
	case X86_INS_XORPS:
	case X86_INS_XORPD:
	case X86_INS_PSUBB:
	case X86_INS_PSUBW:
	case X86_INS_PSUBD:
	case X86_INS_PSUBQ:
		return same_registers(&in->detail->x86);
	default:
		return false;
	}
}

/* Scalar ones that leave the rest of the register as it was, and so wait for
 * it; Capstone says that they but write it. */
static bool merges(const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;

	switch (in->id) {
	case X86_INS_SQRTSS:
	case X86_INS_SQRTSD:
	case X86_INS_RCPSS:
	case X86_INS_RSQRTSS:
	case X86_INS_ROUNDSS:
	case X86_INS_ROUNDSD:
	case X86_INS_CVTSI2SS:
	case X86_INS_CVTSI2SD:
	case X86_INS_CVTSS2SD:
	case X86_INS_CVTSD2SS:
	case X86_INS_MOVLPS:
	case X86_INS_MOVLPD:
	case X86_INS_MOVHPS:
	case X86_INS_MOVHPD:
		return x->operands[0].type == X86_OP_REG;
	case X86_INS_MOVSS:
	case X86_INS_MOVSD:
		return x->op_count == 2 && x->operands[0].type == X86_OP_REG &&
		       x->operands[1].type == X86_OP_REG;
	default:
		return false;
	}
}

#define SMALL 1024 /* of 11 bits, with the sign */

/* Adds a small constant to a register of 64 bits: some cores do so while they
 * rename it. */
static bool adds_small(const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;
	const cs_x86_op *to = &x->operands[0], *op = &x->operands[1];

	if (!x->op_count || to->type != X86_OP_REG || to->size != 8)
		return false;
	switch (in->id) {
	case X86_INS_INC:
	case X86_INS_DEC:
		return true;
	case X86_INS_ADD:
	case X86_INS_SUB:
		return op->type == X86_OP_IMM && op->imm >= -SMALL &&
		       op->imm < SMALL;
	case X86_INS_LEA:
		return op->mem.base != X86_REG_INVALID &&
		       op->mem.base != X86_REG_RIP &&
		       op->mem.index == X86_REG_INVALID &&
		       op->mem.disp >= -SMALL && op->mem.disp < SMALL;
	default:
		return false;
	}
}

/* --- kinds --- */

static enum branch_kind branch_of(const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;
	bool direct = x->op_count && x->operands[0].type == X86_OP_IMM;

	switch (in->id) {
	case X86_INS_JMP:
		return direct ? BRANCH_NONE : BRANCH_INDIRECT;
	case X86_INS_CALL:
		return direct ? BRANCH_CALL : BRANCH_INDIRECT_CALL;
	case X86_INS_RET:
		return BRANCH_RETURN;
	default:
		return BRANCH_NONE;
	}
}

static void look_at_kind(struct insn *to, unsigned id)
{
	switch (id) {
	case X86_INS_CMP:
	case X86_INS_TEST:
	case X86_INS_ADD:
	case X86_INS_SUB:
	case X86_INS_INC:
	case X86_INS_DEC:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_XOR:
		to->fuses = true;
		break;
	case X86_INS_JMP:
	case X86_INS_CALL:
	case X86_INS_RET:
		to->leaves = true;
		break;
	default: /* in Capstone's list the far JMP stands among them */
		to->jcc = id >= X86_INS_JAE && id <= X86_INS_JS &&
			  id != X86_INS_LJMP;
		break;
	}
}

/* The stack pointer's own sums are done on the way to the units. */
static void use_stack(const struct insn_decoder *d, struct insn *to)
{
	uint64_t rsp = bit_of(d, X86_REG_RSP);

	switch (d->in->id) {
	case X86_INS_PUSH:
	case X86_INS_CALL:
		to->stores = true;
		break;
	case X86_INS_POP:
	case X86_INS_RET:
		to->loads = true;
		break;
	default:
		return;
	}
	to->source &= ~rsp;
	to->result &= ~rsp;
}

/* MOVS and so on; MOVSD and CMPSD are SSE, too. */
static bool is_string(const struct insn_decoder *d, unsigned *bytes)
{
	const cs_x86 *x = &d->in->detail->x86;

	switch (d->in->id) {
	case X86_INS_MOVSB:
	case X86_INS_STOSB:
	case X86_INS_LODSB:
	case X86_INS_SCASB:
	case X86_INS_CMPSB:
	case X86_INS_MOVSW:
	case X86_INS_STOSW:
	case X86_INS_LODSW:
	case X86_INS_SCASW:
	case X86_INS_CMPSW:
	case X86_INS_MOVSD:
	case X86_INS_STOSD:
	case X86_INS_LODSD:
	case X86_INS_SCASD:
	case X86_INS_CMPSD:
	case X86_INS_MOVSQ:
	case X86_INS_STOSQ:
	case X86_INS_LODSQ:
	case X86_INS_SCASQ:
	case X86_INS_CMPSQ:
		break;
	default:
		return false;
	}
	for (unsigned i = 0; i < x->op_count; i++) {
		if (x->operands[i].type == X86_OP_REG &&
		    is_vector(d, x->operands[i].reg))
			return false;
	}
	*bytes = x->op_count ? x->operands[0].size : 1;
	return true;
}

static const struct profile_class *repeated(const struct insn_decoder *d,
					    unsigned id)
{
	switch (id) {
	case X86_INS_MOVSB:
		return d->rep_movsb;
	case X86_INS_MOVSW:
	case X86_INS_MOVSD:
	case X86_INS_MOVSQ:
		return d->rep_movs;
	case X86_INS_STOSB:
		return d->rep_stosb;
	case X86_INS_STOSW:
	case X86_INS_STOSD:
	case X86_INS_STOSQ:
		return d->rep_stos;
	case X86_INS_LODSB:
	case X86_INS_LODSW:
	case X86_INS_LODSD:
	case X86_INS_LODSQ:
		return d->rep_load;
	default:
		return d->rep_compare;
	}
}

/* What its load waits for after a store to the same place. */
static uint32_t forward_of(const struct insn_decoder *d, const struct insn *i)
{
	const uint32_t *key = d->profile->key;

	if (i->vector)
		return key[PROFILE_FORWARD_VECTOR];
	if (i->stores && (i->source & ~(UINT64_C(1) << INSN_FLAGS)))
		return key[PROFILE_FORWARD_UPDATE];
	return key[PROFILE_FORWARD];
}

static void look(struct insn_decoder *d, struct insn *to)
{
	const cs_x86 *x = &d->in->detail->x86;
	const struct profile_class *other = NULL;
	bool per_byte = false;
	unsigned id = d->in->id, bytes = 0;
	uint8_t prefix = x->prefix[0];

	to->class = class_of(d);
	operands(d, to);
	use_stack(d, to);
	to->branch = branch_of(d->in);
	look_at_kind(to, id);
	if (to->jcc) {
		to->branch = BRANCH_CONDITIONAL;
		to->jump = (int32_t)x->operands[0].imm;
	}
	if (merges(d->in))
		to->source |= bit_of(d, x->operands[0].reg);
	if (id == X86_INS_MOV || id == X86_INS_PUSH || id == X86_INS_POP)
		other = special(d, x);
	if (id == X86_INS_LEA && x->op_count == 2 &&
	    (x->operands[1].mem.scale > 1 ||
	     (x->operands[1].mem.index && x->operands[1].mem.disp)))
		other = d->lea2;
	if (adds_small(d->in) && d->add_small->latency < to->class->latency)
		other = d->add_small;
	if (to->class == d->div && x->operands[0].size <= 4)
		other = d->div32;
	if (makes_zero(d->in)) {
		other = d->zero;
		to->source = 0;
	}
	if ((prefix == X86_PREFIX_REP || prefix == X86_PREFIX_REPNE) &&
	    is_string(d, &bytes)) {
		/* Each iteration comes here; they don't wait for each other. */
		other = repeated(d, id);
		per_byte = other != d->rep_compare && other != d->rep_load;
		to->branch = BRANCH_REPEAT;
		to->loads = to->stores = false;
		to->source = to->address = to->result = 0;
	}
	/* Moves between registers are renaming; others are loads and stores. */
	if (!other && to->class == d->move && to->loads)
		other = d->load;
	if (!other && to->class == d->move && to->stores)
		other = d->store;
	if (!other && to->class == d->move && x->op_count == 2 &&
	    x->operands[1].type == X86_OP_IMM)
		other = d->plain;
	if (other)
		to->class = other;
	to->ops = to->class->ops;
	to->serial = to->class->serial;
	if (per_byte)
		to->ops *= bytes;
	if (to->loads && to->stores && to->class != d->store)
		to->ops += TIMING_TICKS_PER_CYCLE;
	if (prefix == X86_PREFIX_LOCK ||
	    (id == X86_INS_XCHG && (to->loads || to->stores))) {
		to->loads = to->stores = true;
		to->locked = d->lock->serial;
		to->serial += to->locked;
		to->ops += d->lock->ops;
	}
	to->vector = to->loads && (to->result & VECTORS);
	if (to->loads)
		to->load = d->profile->key[to->vector ? PROFILE_LOAD_VECTOR
						      : PROFILE_LOAD];
	to->forward = forward_of(d, to);
}

const struct insn *insn_look(struct insn_decoder *d, const uint8_t *code,
			     size_t bytes, unsigned bits)
{
	uint8_t key[16] = {(uint8_t)bits};
	struct remembered *r;
	uint32_t hash = 0;
	uint64_t half[2], at = 0;

	CHECK(bytes && bytes <= BYTES_MAX);
	memcpy(key + 1, code, bytes);
	memcpy(half, key, sizeof(half));
	hash = mix(mix(0, half[0]), half[1]);
	r = &d->remembered[hash % REMEMBERED];
	if (memcmp(r->key, key, sizeof(key)) == 0)
		return &r->insn;
	memcpy(r->key, key, sizeof(key));
	r->insn = (struct insn){.class = d->plain, .ops = d->plain->ops};
	if (cs_disasm_iter(d->handle[bits / 32], &code, &bytes, &at, d->in))
		look(d, &r->insn);
	return &r->insn;
}

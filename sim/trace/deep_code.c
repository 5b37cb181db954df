/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/deep_code.c - records by what was foreseen, see deep.h.
 *
 * One text for both directions: token() and number() write what they are given
 * and return it, or return what was written.  So a value may be used only as it
 * came back from them.  Nothing that is read is trusted.
 */
#include "sim/trace/deep_code.h"

#include <string.h>

#include "sim/check.h"

/* The kind of a record is one byte: what it is, and how it was foreseen. */
#define KIND_CONTEXT 0x01u
#define KIND_PC      0x06u
#define PC_SITE      0x00u /* where the site before went on last time */
#define PC_ADJACENT  0x02u /* right behind it */
#define PC_NUMBER    0x04u
#define KIND_SHAPE   0x08u
#define KIND_SHIFT   4

#define FLAGS_AT CPU_GPR_COUNT

/* --- bytes --- */

static uint8_t get(struct deep_coder *d, enum deep_column c)
{
	if (d->used[c] >= d->bytes[c]) {
		d->bad = true;
		return 0;
	}
	return d->column[c][d->used[c]++];
}

static uint32_t token(struct deep_coder *d, enum deep_column c, uint32_t t)
{
	if (d->reading)
		return get(d, c);
	d->column[c][d->used[c]++] = (uint8_t)t;
	return t;
}

static uint64_t number(struct deep_coder *d, uint64_t n)
{
	uint8_t *p;

	if (d->reading) {
		uint64_t got = 0;
		uint8_t byte = 0x80;

		for (unsigned shift = 0; shift < 64 && (byte & 0x80);
		     shift += 7) {
			byte = get(d, COLUMN_NUMBER);
			got |= (uint64_t)(byte & 0x7f) << shift;
		}
		d->bad |= (byte & 0x80) != 0;
		return got;
	}
	p = d->column[COLUMN_NUMBER] + d->used[COLUMN_NUMBER];
	for (uint64_t left = n;; left >>= 7) {
		*p++ = (uint8_t)(left >= 0x80 ? left | 0x80 : left);
		if (left < 0x80)
			break;
	}
	d->used[COLUMN_NUMBER] = (uint32_t)(p - d->column[COLUMN_NUMBER]);
	return n;
}

/* A number near another. */
static uint64_t near(struct deep_coder *d, uint64_t n, uint64_t other)
{
	int64_t far = (int64_t)(n - other);
	uint64_t coded = number(d, (uint64_t)far << 1 ^ (uint64_t)(far >> 63));

	if (!d->reading)
		return n;
	return other + (coded >> 1 ^ (0 - (coded & 1)));
}

/* --- who and when --- */

static bool goes_on(const struct deep_coder *d, const struct deep_record *r)
{
	const struct deep_place *at = &d->cpu[d->last].at, *is = &r->at;

	return is->cpu == d->last && is->partition == at->partition &&
	       is->retired == at->retired && is->base == at->base &&
	       is->base_retired == at->base_retired && is->hz == at->hz &&
	       r->before == d->before;
}

static void code_context(struct deep_coder *d, struct deep_record *r)
{
	struct deep_place *at;

	r->at.cpu = (uint32_t)number(d, r->at.cpu);
	if (r->at.cpu >= CPU_COUNT_MAX) {
		d->bad = true;
		r->at.cpu = 0;
	}
	d->last = r->at.cpu;
	at = &d->cpu[d->last].at;
	at->cpu = d->last;
	at->partition =
		(uint32_t)near(d, r->at.partition, at->partition) & 0xffff;
	at->retired = near(d, r->at.retired, at->retired);
	at->base = near(d, r->at.base, at->base);
	at->base_retired = near(d, r->at.base_retired, at->base_retired);
	at->hz = near(d, r->at.hz, at->hz);
	if (!at->hz || at->base_retired > at->retired)
		d->bad = true;
	d->before = near(d, r->before, d->before);
}

/* --- where --- */

static uint64_t key_of(enum deep_kind kind, vaddr_t pc)
{
	return kind == DEEP_INSTRUCTION ? pc : ~pc;
}

static uint32_t hash(uint64_t key)
{
	return (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 51);
}
_Static_assert(DEEP_SITES == 1u << (64 - 51), "the hash has as many bits");

static uint32_t pc_kind(const struct deep_cpu *c, vaddr_t pc)
{
	if (c->next && *c->next == pc)
		return PC_SITE;
	return c->end == pc ? PC_ADJACENT : PC_NUMBER;
}

/* What of the record has to be as last time. */
static bool same_shape(const struct deep_site *s, const struct deep_record *r,
		       uint64_t key)
{
	if (s->key != key || s->bytes != r->bytes || s->changed != r->changed ||
	    s->accesses != r->accesses || r->accesses > ARRAY_LEN(s->access))
		return false;
	for (uint32_t i = 0; i < r->accesses; i++) {
		if (s->access[i].shape !=
		    (r->access[i].bytes | (r->access[i].write ? 0x80 : 0)))
			return false;
	}
	return true;
}

static uint32_t kind_byte(struct deep_coder *d, const struct deep_record *r)
{
	const struct deep_cpu *c = &d->cpu[r->at.cpu];
	uint32_t k = (uint32_t)r->kind << KIND_SHIFT | pc_kind(c, r->pc);
	uint64_t key = r->kind == DEEP_FLOW ? r->pc : key_of(r->kind, r->pc);
	const struct deep_flow_site *f = &d->flow[hash(key)];

	if (!goes_on(d, r))
		k |= KIND_CONTEXT;
	if (r->kind == DEEP_FLOW ? f->key != key || f->bytes != r->bytes ||
					   f->count != r->count
				 : !same_shape(&d->site[hash(key)], r, key))
		k |= KIND_SHAPE;
	return k;
}

static uint64_t code_pc(struct deep_coder *d, const struct deep_cpu *c,
			uint32_t kind, vaddr_t pc)
{
	switch (kind & KIND_PC) {
	case PC_SITE:
		d->bad |= !c->next;
		return c->next ? *c->next : 0;
	case PC_ADJACENT:
		return c->end;
	default:
		return near(d, pc, c->end);
	}
}

/* Into d->access, when reading. */
static void code_shape(struct deep_coder *d, struct deep_site *s,
		       struct deep_record *r, uint64_t key)
{
	if (s->key != key) {
		memset(s, 0, sizeof(*s));
		s->key = key;
	}
	s->bytes = r->bytes = number(d, r->bytes);
	s->changed = r->changed =
		(uint32_t)number(d, r->changed) & CPU_STEP_ALL;
	s->accesses = r->accesses = (uint32_t)number(d, r->accesses);
	if (r->accesses > CPU_STEP_ACCESSES) {
		d->bad = true;
		s->accesses = r->accesses = 0;
	}
	for (uint32_t i = 0; i < r->accesses; i++) {
		const struct cpu_access *a = d->reading ? d->access : r->access;
		uint32_t shape = token(d, COLUMN_ADDRESS,
				       a[i].bytes | (a[i].write ? 0x80u : 0));

		if (!(shape & 0x7f) || (shape & 0x7f) > 8) {
			d->bad = true;
			shape = 1;
		}
		if (d->reading)
			d->access[i] = (struct cpu_access){
				.bytes = shape & 15,
				.write = shape >> 7,
			};
		if (i < ARRAY_LEN(s->access))
			s->access[i].shape = (uint8_t)shape;
	}
}

static void shape_of_site(struct deep_coder *d, const struct deep_site *s,
			  struct deep_record *r, uint64_t key)
{
	if (!d->reading)
		return;
	if (s->key != key || s->accesses > ARRAY_LEN(s->access)) {
		d->bad = true;
		r->accesses = 0;
		return;
	}
	r->bytes = s->bytes;
	r->changed = s->changed;
	r->accesses = s->accesses;
	for (uint32_t i = 0; i < r->accesses; i++)
		d->access[i] = (struct cpu_access){
			.bytes = s->access[i].shape & 15,
			.write = s->access[i].shape >> 7,
		};
}

/* --- memory --- */

enum {
	VA_SAME,
	VA_BASE,
	VA_STRIDE,
	VA_OTHER_BASE,
	VA_NUMBER
};
#define BASE_NEAR 0x8000 /* a displacement worth to be tried */

/* The register that the address is nearest to. */
static uint32_t base_of(const uint64_t *reg, uint64_t va)
{
	uint64_t least = BASE_NEAR;
	uint32_t best = CPU_GPR_COUNT;

	for (uint32_t i = 0; i < CPU_GPR_COUNT; i++) {
		int64_t far = (int64_t)(va - reg[i]);
		uint64_t off = (uint64_t)(far < 0 ? -far : far);

		if (off < least) {
			least = off;
			best = i;
		}
	}
	return best;
}

static uint64_t code_va(struct deep_coder *d, struct deep_site *s, uint32_t i,
			const uint64_t *reg, uint64_t va)
{
	uint32_t slot = i < ARRAY_LEN(s->access) ? i : 3, t = VA_NUMBER;
	uint64_t last = s->access[slot].va,
		 based = reg[s->access[slot].base] +
			 s->access[slot].displacement,
		 strode = last + s->access[slot].stride;
	uint32_t base = 0;

	if (!d->reading) {
		if (va == last)
			t = VA_SAME;
		else if (va == based)
			t = VA_BASE;
		else if (va == strode)
			t = VA_STRIDE;
		else if ((base = base_of(reg, va)) < CPU_GPR_COUNT)
			t = VA_OTHER_BASE;
	}
	t = token(d, COLUMN_ADDRESS, t);
	switch (t) {
	case VA_SAME:
		va = last;
		break;
	case VA_BASE:
		va = based;
		break;
	case VA_STRIDE:
		va = strode;
		break;
	case VA_OTHER_BASE:
		base = token(d, COLUMN_ADDRESS, base) % CPU_GPR_COUNT;
		va = near(d, va, reg[base]);
		s->access[slot].base = (uint8_t)base;
		s->access[slot].displacement = va - reg[base];
		break;
	case VA_NUMBER:
		va = near(d, va, last);
		break;
	default:
		d->bad = true;
		break;
	}
	s->access[slot].stride = va - last;
	s->access[slot].va = va;
	return va;
}

enum {
	VALUE_MEMORY, /* as it was last seen there */
	VALUE_NEXT_PC,
	VALUE_NUMBER,
	VALUE_REGISTER /* and more: one for each */
};

static struct deep_memory *memory_at(struct deep_coder *d, uint64_t va)
{
	return &d->memory[va * UINT64_C(0x9E3779B97F4A7C15) >> 50];
}
_Static_assert(DEEP_MEMORY == 1u << (64 - 50), "the hash has as many bits");

static uint64_t code_access(struct deep_coder *d, const struct deep_record *r,
			    const struct cpu_access *a, const uint64_t *reg)
{
	struct deep_memory *m = memory_at(d, a->va);
	uint64_t mask = UINT64_MAX >> (64 - 8 * (a->bytes ? a->bytes : 1));
	uint64_t last = m->va == a->va ? m->value & mask : 0;
	uint64_t value = a->value;
	uint32_t t = VALUE_NUMBER;

	if (!d->reading) {
		if (value == last)
			t = VALUE_MEMORY;
		else if (value == ((r->pc + r->bytes) & mask))
			t = VALUE_NEXT_PC;
		for (uint32_t i = 0;
		     t == VALUE_NUMBER && a->write && i < CPU_GPR_COUNT; i++) {
			if ((reg[i] & mask) == value)
				t = VALUE_REGISTER + i;
		}
	}
	t = token(d, COLUMN_VALUE, t);
	if (t == VALUE_MEMORY)
		value = last;
	else if (t == VALUE_NEXT_PC)
		value = (r->pc + r->bytes) & mask;
	else if (t == VALUE_NUMBER)
		value = near(d, value, last);
	else if (t < VALUE_REGISTER + CPU_GPR_COUNT)
		value = reg[t - VALUE_REGISTER] & mask;
	else
		d->bad = true;
	m->va = a->va;
	m->value = value;
	return value;
}

/* --- registers --- */

enum {
	REGISTER_DELTA, /* changed by as much as last time */
	REGISTER_LOADED,
	REGISTER_NUMBER,
	REGISTER_OTHER /* and more: what another had */
};

static uint64_t code_register(struct deep_coder *d, struct deep_site *s,
			      uint32_t slot, const uint64_t *reg,
			      uint32_t which, uint64_t loaded, uint64_t then)
{
	uint64_t foreseen = reg[which] + s->delta[slot];
	uint32_t t = REGISTER_NUMBER;

	if (!d->reading) {
		if (then == foreseen)
			t = REGISTER_DELTA;
		else if (then == loaded)
			t = REGISTER_LOADED;
		for (uint32_t i = 0; t == REGISTER_NUMBER && i < CPU_GPR_COUNT;
		     i++) {
			if (reg[i] == then)
				t = REGISTER_OTHER + i;
		}
	}
	t = token(d, COLUMN_REGISTER, t);
	if (t == REGISTER_DELTA)
		then = foreseen;
	else if (t == REGISTER_LOADED)
		then = loaded;
	else if (t == REGISTER_NUMBER)
		then = near(d, then, reg[which]);
	else if (t < REGISTER_OTHER + CPU_GPR_COUNT)
		then = reg[t - REGISTER_OTHER];
	else
		d->bad = true;
	s->delta[slot] = then - reg[which];
	return then;
}

/* 0: as last time; up to 64: of CF, PF, AF, ZF, SF, OF those that changed; 255:
 * others, too. */
#define STATUS_FLAGS 0x8d5u

static uint64_t code_flags(struct deep_coder *d, struct deep_site *s,
			   uint64_t was, uint64_t then)
{
	static const uint8_t bit[] = {0, 2, 4, 6, 7, 11};
	uint64_t x = was ^ then;
	uint32_t t = 255;

	if (!d->reading && x == s->flags) {
		t = 0;
	} else if (!d->reading && !(x & ~(uint64_t)STATUS_FLAGS)) {
		t = 0;
		for (unsigned i = 0; i < ARRAY_LEN(bit); i++)
			t |= (uint32_t)(x >> bit[i] & 1) << i;
		if (!t) /* none, which was not foreseen */
			t = 255;
	}
	t = token(d, COLUMN_FLAGS, t);
	if (!t) {
		x = s->flags;
	} else if (t == 255) {
		x = number(d, x);
	} else {
		x = 0;
		for (unsigned i = 0; i < ARRAY_LEN(bit); i++)
			x |= (uint64_t)(t >> i & 1) << bit[i];
	}
	s->flags = x;
	return was ^ x;
}

/* All of them. */
static void code_registers(struct deep_coder *d, const uint64_t *reg,
			   uint64_t *to)
{
	for (unsigned i = 0; i < DEEP_REGISTERS; i++)
		to[i] = number(d, d->reading ? 0 : reg[i]);
}

static void code_step(struct deep_coder *d, struct deep_cpu *c,
		      struct deep_site *s, struct deep_record *r)
{
	uint64_t loaded = 0;
	uint64_t *reg = c->reg;
	uint32_t slot = 0;

	for (uint32_t i = 0; i < r->accesses; i++) {
		struct cpu_access a = d->reading ? d->access[i] : r->access[i];

		a.va = code_va(d, s, i, reg, a.va);
		a.value = code_access(d, r, &a, reg);
		if (d->reading)
			d->access[i] = a;
		if (!a.write)
			loaded = a.value;
	}
	if (d->reading) {
		memcpy(d->was, reg, sizeof(d->was));
		memcpy(d->then, reg, sizeof(d->then));
	}
	for (uint32_t left = r->changed & ~CPU_STEP_FLAGS; left;
	     left &= left - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(left);

		d->then[i] = code_register(d, s, slot, reg, i, loaded,
					   d->reading ? 0 : r->then[i]);
		slot += slot < ARRAY_LEN(s->delta) - 1;
	}
	if (r->changed & CPU_STEP_FLAGS)
		d->then[FLAGS_AT] =
			code_flags(d, s, reg[FLAGS_AT],
				   d->reading ? 0 : r->then[FLAGS_AT]);
	for (uint32_t left = r->changed; left; left &= left - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(left);

		reg[i] = d->then[i];
	}
}

/* --- records --- */

void deep_begin(struct deep_coder *d, uint64_t before)
{
	memset(d->used, 0, sizeof(d->used));
	memset(d->cpu, 0, sizeof(d->cpu));
	memset(d->site, 0, sizeof(d->site));
	memset(d->flow, 0, sizeof(d->flow));
	memset(d->memory, 0, sizeof(d->memory));
	d->last = 0;
	d->before = before;
	d->bad = false;
}

/* The record begins there; *next: what its site says of the next. */
static void arrive(struct deep_cpu *c, vaddr_t pc, uint64_t bytes,
		   uint64_t *next)
{
	if (c->next)
		*c->next = pc;
	c->next = next;
	c->end = pc + bytes;
}

static void code_flow(struct deep_coder *d, struct deep_cpu *c, uint32_t k,
		      struct deep_record *r)
{
	struct deep_flow_site *s = &d->flow[hash(r->pc)];

	if (k & KIND_SHAPE) {
		if (s->key != r->pc)
			s->next = 0;
		s->key = r->pc;
		s->bytes = number(d, r->bytes);
		s->count = number(d, r->count);
	} else if (s->key != r->pc) {
		d->bad = true;
	}
	r->bytes = s->bytes;
	r->count = s->count;
	arrive(c, r->pc, r->bytes, &s->next);
	c->at.retired += r->count;
}

static void code_instruction(struct deep_coder *d, struct deep_cpu *c,
			     uint32_t k, struct deep_record *r)
{
	uint64_t key = key_of(r->kind, r->pc);
	struct deep_site *s = &d->site[hash(key)];

	if (k & KIND_SHAPE)
		code_shape(d, s, r, key);
	else
		shape_of_site(d, s, r, key);
	arrive(c, r->pc, r->bytes, &s->next);
	c->at.retired += r->kind == DEEP_INSTRUCTION;
	if (r->kind == DEEP_BEGIN) {
		r->accesses = 0;
		code_registers(d, r->then, c->reg);
		memcpy(d->then, c->reg, sizeof(d->then));
	} else {
		if (!c->known)
			code_registers(d, r->was, c->reg);
		code_step(d, c, s, r);
	}
	c->known = true;
	if (!d->reading)
		return;
	r->was = d->was;
	r->then = d->then;
	r->access = d->access;
}

void deep_code(struct deep_coder *d, struct deep_record *r)
{
	uint32_t k = token(d, COLUMN_KIND, d->reading ? 0 : kind_byte(d, r));
	struct deep_cpu *c;

	r->kind = (enum deep_kind)(k >> KIND_SHIFT);
	if (r->kind >= DEEP_KINDS) {
		d->bad = true;
		return;
	}
	if (k & KIND_CONTEXT)
		code_context(d, r);
	c = &d->cpu[d->last];
	r->at = c->at;
	r->before = d->before;
	d->bad |= !c->at.hz;
	r->pc = code_pc(d, c, k, r->pc);
	if (r->kind == DEEP_FLOW)
		code_flow(d, c, k, r);
	else
		code_instruction(d, c, k, r);
}

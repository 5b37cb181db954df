/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/unwind.c - see unwind.h.  An entry's instructions make a row of rules for
 * an address; the rules make the caller's registers.
 */
#include "sim/unwind.h"

#include <string.h>

#include "sim/dwarf.h"

#define ROWS_MAX  8 /* remembered at a time */
#define STACK_MAX 16
#define CIE_ID    UINT32_MAX

struct rule {
	enum {
		RULE_NONE, /* the register is what it was, or unknown */
		RULE_UNDEFINED,
		RULE_SAME,
		RULE_AT,       /* stands at CFA + offset */
		RULE_IS,       /* is CFA + offset */
		RULE_REGISTER, /* is register `offset` */
		RULE_AT_EXPRESSION,
		RULE_IS_EXPRESSION
	} kind;
	int64_t offset;
	struct dwarf_cursor expression;
};

struct row {
	struct rule cfa; /* RULE_REGISTER: `base` + offset; or an expression */
	uint64_t base;
	struct rule reg[UNWIND_REGISTERS];
};

/* What an entry (FDE) and its common part (CIE) say. */
struct entry {
	uint64_t code_factor, ra;
	int64_t data_factor;
	bool signal;
	vaddr_t from, bytes;
	struct dwarf_cursor common, own; /* instructions */
};

struct machine_state {
	struct row row, initial, kept[ROWS_MAX];
	size_t kept_count;
	vaddr_t at;
};

/* --- bytes --- */

static struct dwarf_cursor take_block(struct dwarf_cursor *s)
{
	uint64_t n = dwarf_uleb(s);
	struct dwarf_cursor b = {s->at, s->at, false};

	if (n > (uint64_t)(s->end - s->at)) {
		s->bad = true;
		return b;
	}
	b.end = s->at += n;
	return b;
}

static int64_t sign(uint64_t v, unsigned bytes)
{
	unsigned unused = 64 - 8 * bytes;

	return (int64_t)(v << unused) >> unused;
}

/* --- entries --- */

static bool read_common(struct dwarf_cursor section, uint64_t offset,
			struct entry *e)
{
	struct dwarf_cursor c = section;
	const char *augmentation;
	unsigned version;
	uint64_t length;

	if (offset > (uint64_t)(c.end - c.at))
		return false;
	c.at += offset;
	length = dwarf_take(&c, 4);
	if (length > (uint64_t)(c.end - c.at))
		return false;
	c.end = c.at + length;
	if (dwarf_take(&c, 4) != CIE_ID)
		return false;
	version = (unsigned)dwarf_take(&c, 1);
	augmentation = (const char *)c.at;
	while (!c.bad && dwarf_take(&c, 1))
		;
	if (c.bad || strchr(augmentation, 'z') || version > 4)
		return false;
	e->signal = strchr(augmentation, 'S') != NULL;
	if (version == 4)
		dwarf_take(&c, 2); /* sizes of an address, of a selector */
	e->code_factor = dwarf_uleb(&c);
	e->data_factor = dwarf_sleb(&c);
	e->ra = version == 1 ? dwarf_take(&c, 1) : dwarf_uleb(&c);
	e->common = c;
	return !c.bad && e->ra == UNWIND_RIP;
}

/* The entry that holds `va`. */
static bool find_entry(const struct symbols *s, vaddr_t va, struct entry *e)
{
	uint64_t bytes, length, common;
	const uint8_t *data = symbols_section(s, ".debug_frame", &bytes);
	struct dwarf_cursor section, one;

	if (!data)
		return false;
	section = one = (struct dwarf_cursor){data, data + bytes, false};
	while (section.end - one.at > 8) {
		length = dwarf_take(&one, 4);
		if (length > (uint64_t)(section.end - one.at))
			return false;
		one.end = one.at + length;
		common = dwarf_take(&one, 4);
		if (common != CIE_ID) {
			e->from = dwarf_take(&one, 8);
			e->bytes = dwarf_take(&one, 8);
			if (va - e->from < e->bytes && !one.bad) {
				e->own = one;
				return read_common(section, common, e);
			}
		}
		one = (struct dwarf_cursor){one.end, section.end, false};
	}
	return false;
}

/* --- instructions --- */

static void set(struct row *r, uint64_t reg, struct rule rule)
{
	if (reg < UNWIND_REGISTERS)
		r->reg[reg] = rule;
}

static void restore(struct machine_state *m, uint64_t reg)
{
	if (reg < UNWIND_REGISTERS)
		m->row.reg[reg] = m->initial.reg[reg];
}

static void define_cfa(struct machine_state *m, struct dwarf_cursor *in,
		       unsigned op, const struct entry *e)
{
	if (op == 0x0f) { /* DW_CFA_def_cfa_expression */
		m->row.cfa = (struct rule){.kind = RULE_IS_EXPRESSION,
					   .expression = take_block(in)};
		return;
	}
	if (op != 0x0e && op != 0x13) /* not _offset alone */
		m->row.base = dwarf_uleb(in);
	if (op == 0x0c || op == 0x0e) /* def_cfa, def_cfa_offset */
		m->row.cfa.offset = (int64_t)dwarf_uleb(in);
	else if (op != 0x0d) /* the same, factored */
		m->row.cfa.offset = dwarf_sleb(in) * e->data_factor;
	m->row.cfa.kind = RULE_REGISTER;
}

static bool set_rule(struct machine_state *m, struct dwarf_cursor *in,
		     unsigned op, const struct entry *e)
{
	uint64_t reg = dwarf_uleb(in);
	struct rule r = {.kind = RULE_AT};

	switch (op) {
	case 0x05: /* DW_CFA_offset_extended */
		r.offset = (int64_t)dwarf_uleb(in) * e->data_factor;
		break;
	case 0x06: /* restore_extended */
		restore(m, reg);
		return true;
	case 0x07:
		r.kind = RULE_UNDEFINED;
		break;
	case 0x08:
		r.kind = RULE_SAME;
		break;
	case 0x09:
		r.kind = RULE_REGISTER;
		r.offset = (int64_t)dwarf_uleb(in);
		break;
	case 0x10:
	case 0x16:
		r.kind = op == 0x10 ? RULE_AT_EXPRESSION : RULE_IS_EXPRESSION;
		r.expression = take_block(in);
		break;
	case 0x11: /* offset_extended_sf */
		r.offset = dwarf_sleb(in) * e->data_factor;
		break;
	case 0x14:
		r.kind = RULE_IS;
		r.offset = (int64_t)dwarf_uleb(in) * e->data_factor;
		break;
	case 0x15:
		r.kind = RULE_IS;
		r.offset = dwarf_sleb(in) * e->data_factor;
		break;
	default:
		return false;
	}
	set(&m->row, reg, r);
	return true;
}

static bool one_instruction(struct machine_state *m, struct dwarf_cursor *in,
			    const struct entry *e)
{
	unsigned byte = (unsigned)dwarf_take(in, 1), low = byte & 0x3f;

	switch (byte >> 6) {
	case 1:
		m->at += low * e->code_factor;
		return true;
	case 2:
		set(&m->row, low,
		    (struct rule){.kind = RULE_AT,
				  .offset = (int64_t)dwarf_uleb(in) *
					    e->data_factor});
		return true;
	case 3:
		restore(m, low);
		return true;
	}
	switch (byte) {
	case 0x00: /* DW_CFA_nop */
		return true;
	case 0x01:
		m->at = dwarf_take(in, 8);
		return true;
	case 0x02:
	case 0x03:
	case 0x04: /* advance_loc1, 2, 4 */
		m->at += dwarf_take(in, 1u << (byte - 2)) * e->code_factor;
		return true;
	case 0x0a:
		if (m->kept_count == ROWS_MAX)
			return false;
		m->kept[m->kept_count++] = m->row;
		return true;
	case 0x0b:
		if (!m->kept_count)
			return false;
		m->row = m->kept[--m->kept_count];
		return true;
	case 0x0c:
	case 0x0d:
	case 0x0e:
	case 0x0f:
	case 0x12:
	case 0x13:
		define_cfa(m, in, byte, e);
		return true;
	default:
		return set_rule(m, in, byte, e);
	}
}

static bool row_at(const struct entry *e, vaddr_t va, struct row *row)
{
	struct machine_state m;
	struct dwarf_cursor in = e->common;

	memset(&m, 0, sizeof(m));
	m.at = e->from;
	while (in.at < in.end && !in.bad) {
		if (!one_instruction(&m, &in, e))
			return false;
	}
	m.initial = m.row;
	in = e->own;
	while (in.at < in.end && !in.bad) {
		struct row before = m.row;

		if (!one_instruction(&m, &in, e))
			return false;
		if (m.at > va) {
			m.row = before;
			break;
		}
	}
	*row = m.row;
	return !in.bad;
}

/* --- rules --- */

struct walker {
	const struct unwind_frame *f;
	unwind_read_fn *read;
	void *owner;
};

static bool get(const struct walker *w, uint64_t reg, uint64_t *value)
{
	if (reg >= UNWIND_REGISTERS || !(w->f->known >> reg & 1))
		return false;
	*value = w->f->reg[reg];
	return true;
}

/* Constants and registers, which put a value on the stack. */
static bool push(const struct walker *w, struct dwarf_cursor *e, unsigned op,
		 uint64_t *value)
{
	if (op == 0x03) { /* DW_OP_addr */
		*value = dwarf_take(e, 8);
	} else if (op >= 0x08 && op <= 0x0f) { /* const1u to const8s */
		unsigned bytes = 1u << ((op - 0x08) / 2);

		*value = dwarf_take(e, bytes);
		if (op & 1)
			*value = (uint64_t)sign(*value, bytes);
	} else if (op == 0x10) {
		*value = dwarf_uleb(e);
	} else if (op == 0x11) {
		*value = (uint64_t)dwarf_sleb(e);
	} else if (op >= 0x30 && op <= 0x4f) { /* lit0 to lit31 */
		*value = op - 0x30;
	} else if (op >= 0x70 && op <= 0x8f) { /* breg0 to breg31 */
		if (!get(w, op - 0x70, value))
			return false;
		*value += (uint64_t)dwarf_sleb(e);
	} else {
		return false;
	}
	return true;
}

/* `cfa`: what the stack holds at first; NULL: nothing. */
static bool evaluate(const struct walker *w, struct dwarf_cursor e,
		     const uint64_t *cfa, uint64_t *value)
{
	uint64_t stack[STACK_MAX];
	size_t n = 0;

	if (cfa)
		stack[n++] = *cfa;
	while (e.at < e.end && !e.bad) {
		unsigned op = (unsigned)dwarf_take(&e, 1);

		if (op == 0x06 && n) { /* DW_OP_deref */
			if (!w->read(w->owner, stack[n - 1], &stack[n - 1]))
				return false;
		} else if (op == 0x22 && n > 1) { /* plus */
			n--;
			stack[n - 1] += stack[n];
		} else if (op == 0x23 && n) { /* plus_uconst */
			stack[n - 1] += dwarf_uleb(&e);
		} else if (n == STACK_MAX || !push(w, &e, op, &stack[n])) {
			return false;
		} else {
			n++;
		}
	}
	if (!n || e.bad)
		return false;
	*value = stack[n - 1];
	return true;
}

static bool find_cfa(const struct walker *w, const struct row *row,
		     uint64_t *cfa)
{
	if (row->cfa.kind == RULE_IS_EXPRESSION)
		return evaluate(w, row->cfa.expression, NULL, cfa);
	if (!get(w, row->base, cfa))
		return false;
	*cfa += (uint64_t)row->cfa.offset;
	return true;
}

/* Of those that no rule names, a function keeps these (psABI, figure 3.4). */
static bool callee_keeps(unsigned reg)
{
	return reg == UNWIND_RBX || reg == UNWIND_RBP ||
	       (reg >= 12 && reg <= 15);
}

static bool apply(const struct walker *w, const struct rule *r, unsigned reg,
		  uint64_t cfa, uint64_t *value)
{
	switch (r->kind) {
	case RULE_NONE:
		if (reg == UNWIND_RSP) {
			*value = cfa;
			return true;
		}
		return callee_keeps(reg) && get(w, reg, value);
	case RULE_SAME:
		return get(w, reg, value);
	case RULE_AT:
		return w->read(w->owner, cfa + (uint64_t)r->offset, value);
	case RULE_IS:
		*value = cfa + (uint64_t)r->offset;
		return true;
	case RULE_REGISTER:
		return get(w, (uint64_t)r->offset, value);
	case RULE_AT_EXPRESSION:
		return evaluate(w, r->expression, &cfa, value) &&
		       w->read(w->owner, *value, value);
	case RULE_IS_EXPRESSION:
		return evaluate(w, r->expression, &cfa, value);
	case RULE_UNDEFINED:
		return false;
	}
	return false;
}

bool unwind_step(const struct symbols *s, struct unwind_frame *f,
		 unwind_read_fn *read, void *owner)
{
	struct walker w = {f, read, owner};
	struct unwind_frame up = {.known = 0};
	vaddr_t va = f->reg[UNWIND_RIP];
	struct entry e;
	struct row row;
	uint64_t cfa;

	/* Behind a call that never returns another function may begin. */
	if (!f->interrupted)
		va--;
	if (!find_entry(s, va, &e) || !row_at(&e, va, &row) ||
	    !find_cfa(&w, &row, &cfa))
		return false;
	for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
		if (apply(&w, &row.reg[i], i, cfa, &up.reg[i]))
			up.known |= 1u << i;
	}
	if (!(up.known >> UNWIND_RIP & 1))
		return false;
	up.interrupted = e.signal;
	*f = up;
	return true;
}

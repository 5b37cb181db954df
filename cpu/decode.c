/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/decode.c - see decode.h. */
#include "cpu/decode.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/check.h"

struct decoder {
	csh handle;
	cs_insn *insn;
};

struct decoder *decoder_create(void)
{
	struct decoder *d = calloc(1, sizeof(*d));

	CHECK(d);
	CHECK(cs_open(CS_ARCH_X86, CS_MODE_64, &d->handle) == CS_ERR_OK);
	CHECK(cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK);
	d->insn = cs_malloc(d->handle);
	CHECK(d->insn);
	return d;
}

void decoder_destroy(struct decoder *d)
{
	if (!d)
		return;
	cs_free(d->insn, 1);
	cs_close(&d->handle);
	free(d);
}

static bool segment_register(unsigned reg)
{
	return reg == X86_REG_CS || reg == X86_REG_DS || reg == X86_REG_ES ||
	       reg == X86_REG_FS || reg == X86_REG_GS || reg == X86_REG_SS;
}

/* Control and debug registers, too, are named by operands alone. */
static bool system_register(unsigned reg)
{
	return (reg >= X86_REG_CR0 && reg <= X86_REG_CR15) ||
	       (reg >= X86_REG_DR0 && reg <= X86_REG_DR15);
}

static enum decode_kind kind_of_operands(const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;
	bool moves = in->id == X86_INS_MOV || in->id == X86_INS_PUSH ||
		     in->id == X86_INS_POP;

	for (unsigned i = 0; moves && i < x->op_count; i++) {
		if (x->operands[i].type != X86_OP_REG)
			continue;
		if (segment_register(x->operands[i].reg))
			return DECODE_REVEALS;
		if (system_register(x->operands[i].reg))
			return DECODE_PRIVILEGED;
	}
	return DECODE_FINE;
}

static enum decode_kind kind_of(const cs_insn *in)
{
	switch (in->id) {
	case X86_INS_SGDT:
	case X86_INS_SIDT:
	case X86_INS_SLDT:
	case X86_INS_STR:
	case X86_INS_SMSW:
	case X86_INS_PUSHF:
	case X86_INS_PUSHFD:
	case X86_INS_PUSHFQ:
	case X86_INS_POPF:
	case X86_INS_POPFD:
	case X86_INS_POPFQ:
	case X86_INS_LAR:
	case X86_INS_LSL:
	case X86_INS_VERR:
	case X86_INS_VERW:
	case X86_INS_LCALL:
	case X86_INS_LJMP:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_INT:
	case X86_INS_INT1:
	case X86_INS_INT3:
	case X86_INS_INTO:
	case X86_INS_IRET:
	case X86_INS_IRETD:
	case X86_INS_IRETQ:
	case X86_INS_LSS:
	case X86_INS_LFS:
	case X86_INS_LGS:
		return DECODE_REVEALS;
	case X86_INS_HLT:
	case X86_INS_CLI:
	case X86_INS_STI:
	case X86_INS_IN:
	case X86_INS_OUT:
	case X86_INS_INSB:
	case X86_INS_INSW:
	case X86_INS_INSD:
	case X86_INS_OUTSB:
	case X86_INS_OUTSW:
	case X86_INS_OUTSD:
	case X86_INS_RDMSR:
	case X86_INS_WRMSR:
	case X86_INS_RDPMC:
	case X86_INS_LGDT:
	case X86_INS_LIDT:
	case X86_INS_LLDT:
	case X86_INS_LTR:
	case X86_INS_LMSW:
	case X86_INS_CLTS:
	case X86_INS_INVD:
	case X86_INS_WBINVD:
	case X86_INS_INVLPG:
	case X86_INS_SWAPGS:
	case X86_INS_SYSRET:
	case X86_INS_SYSEXIT:
	case X86_INS_SYSENTER:
	case X86_INS_MONITOR:
	case X86_INS_MWAIT:
		return DECODE_PRIVILEGED;
	default:
		return kind_of_operands(in);
	}
}

void decoder_look(struct decoder *d, const uint8_t *code, size_t bytes,
		  vaddr_t address, struct decoded *out)
{
	uint64_t at = address;

	*out = (struct decoded){.kind = DECODE_UNKNOWN};
	if (!cs_disasm_iter(d->handle, &code, &bytes, &at, d->insn))
		return;
	out->kind = kind_of(d->insn);
	out->bytes = (uint8_t)d->insn->size;
	snprintf(out->text, sizeof(out->text), "%.15s %.50s", d->insn->mnemonic,
		 d->insn->op_str);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_conform.c - the conformance lens: no code of a partition
 * contains an instruction that does not virtualize, for its result, other than
 * its fault, depends on the ring (SDM volume 2; the list is Robin and Irvine's,
 * "Analysis of the Intel Pentium's Ability to Support a Secure Virtual Machine
 * Monitor").
 *
 * The CPU says of each block of ring 3 code, once, when it is about to execute
 * it, where its instructions begin; this looks at their opcodes.  A block that
 * is left before its end, by a fault, is looked at as a whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/partition_internal.h"
#include "sim/trace/trace.h"

#define INSN_BYTES 15
/* REX, two of opcode, ModRM: enough without prefixes. */
#define OPCODE_BYTES 4

static bool is_prefix(uint8_t byte, bool long_mode)
{
	if (long_mode && (byte & 0xf0) == 0x40)
		return true; /* REX, perhaps without effect */
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return false;
	}
}

static const char *two_bytes(uint8_t opcode, uint8_t modrm)
{
	static const char *const group6[8] = {
		[0] = "SLDT", [1] = "STR", [4] = "VERR", [5] = "VERW"};
	unsigned reg = modrm >> 3 & 7;

	switch (opcode) {
	case 0x00: /* LLDT and LTR fault */
		return group6[reg];
	case 0x01: /* through a register other instructions */
		if (reg == 4)
			return "SMSW";
		return modrm >= 0xc0 || reg > 1 ? NULL : reg ? "SIDT" : "SGDT";
	case 0x02:
		return "LAR";
	case 0x03:
		return "LSL";
	case 0xa0:
	case 0xa8:
		return "PUSH of a segment register";
	case 0xa1:
	case 0xa9:
		return "POP of a segment register";
	case 0xb2:
	case 0xb4:
	case 0xb5:
		return "load of a far pointer";
	default:
		return NULL;
	}
}

/* Those that 64-bit mode has not. */
static const char *of_other_modes(uint8_t opcode)
{
	switch (opcode) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
		return "PUSH of a segment register";
	case 0x07:
	case 0x17:
	case 0x1f:
		return "POP of a segment register";
	case 0x9a:
		return "far CALL";
	case 0xc4:
	case 0xc5:
		return "load of a far pointer";
	case 0xce:
		return "INTO";
	case 0xea:
		return "far JMP";
	default:
		return NULL;
	}
}

const char *conform_refuses(const uint8_t *code, unsigned bytes, bool long_mode)
{
	uint8_t opcode, next, after;
	unsigned i = 0;

	while (i < bytes && is_prefix(code[i], long_mode))
		i++;
	if (i >= bytes)
		return NULL;
	opcode = code[i];
	next = i + 1 < bytes ? code[i + 1] : 0;
	after = i + 2 < bytes ? code[i + 2] : 0;
	switch (opcode) {
	case 0x0f:
		return two_bytes(next, after);
	case 0x8c:
		return "MOV from a segment register";
	case 0x8e:
		return "MOV to a segment register";
	case 0x9c:
		return "PUSHF";
	case 0x9d:
		return "POPF";
	case 0xca:
	case 0xcb:
		return "far RET";
	case 0xcd:
		return "INT n";
	case 0xcf:
		return "IRET";
	case 0xff:
		return (next >> 3 & 7) == 3   ? "far CALL"
		       : (next >> 3 & 7) == 5 ? "far JMP"
					      : NULL;
	default:
		return long_mode ? NULL : of_other_modes(opcode);
	}
}

/* False: it was told before. */
static bool is_new(struct partition_view *v, uint32_t index, vaddr_t va)
{
	size_t n = v->refused_count;

	for (size_t i = 0; i < n; i++) {
		if (v->refused[i].index == index && v->refused[i].va == va)
			return false;
	}
	if (n == ARRAY_LEN(v->refused))
		return false;
	v->refused[n].index = index;
	v->refused[n].va = va;
	v->refused_count++;
	return true;
}

static void refuse(struct partition_view *v, const struct cpu_seen *c,
		   vaddr_t va, const char *what)
{
	const struct partition *p = partition_of(v, c->current);
	struct partition_violation x = {
		.index = p->info.index,
		.root = c->root,
		.va = va,
	};

	if (!is_new(v, x.index, va))
		return;
	snprintf(x.text, sizeof(x.text),
		 "%s executes %s at 0x%" PRIx64 " of address space 0x%" PRIx64,
		 p->info.name, what, va, c->root);
	view_violation(v, "conformance", &x);
	if (v->refused_count == 1)
		v->nonconforming = x;
}

/* More than one REX. */
static bool has_prefixes(const uint8_t *code, uint32_t bytes)
{
	return is_prefix(code[0], false) ||
	       (bytes > 1 && is_prefix(code[0], true) &&
		is_prefix(code[1], true));
}

void view_code(struct partition_view *v, struct cpu_seen *c, struct cpu *cpu,
	       const struct cpu_block *b)
{
	if (c->ring != 3 || !partition_of(v, c->current))
		return;
	v->blocks++;
	for (uint32_t i = 0; i < b->count; i++) {
		uint32_t at = b->offset[i];
		uint32_t end = i + 1 < b->count ? b->offset[i + 1] : b->bytes;
		uint32_t bytes =
			end - at < OPCODE_BYTES ? end - at : OPCODE_BYTES;
		uint8_t code[INSN_BYTES];
		const char *what;

		cpu_block_code(cpu, b->pc + at, code, bytes);
		if (has_prefixes(code, bytes)) {
			bytes = end - at < INSN_BYTES ? end - at : INSN_BYTES;
			cpu_block_code(cpu, b->pc + at, code, bytes);
		}
		what = conform_refuses(code, bytes, b->long_mode);
		if (what)
			refuse(v, c, b->pc + at, what);
	}
}

bool partition_view_conforms(const struct partition_view *v,
			     struct partition_violation *violation)
{
	if (v->refused_count)
		*violation = v->nonconforming;
	return !v->refused_count;
}

uint64_t partition_view_blocks(const struct partition_view *v)
{
	return v->blocks;
}

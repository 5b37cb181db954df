/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb_regs.c - registers: gdb's own groups for x86-64 (the gdb
 * manual, appendix G.5.15), then those of the system in a group of ours.
 *
 * One table says where each lies in struct cpu_regs; description, g and p
 * packets are made of it.  x87 stack registers stand as FXSAVE keeps them; its
 * pointers are 0.
 */
#include <string.h>

#include "sim/debug/gdb.h"

struct reg {
	const char *name, *type,
		*group; /* group: gdb's, for `info registers` */
	uint16_t bits;
	uint16_t at, bytes; /* in struct cpu_regs; bytes 0: always zero */
	bool saved;         /* also known of a thread that has no CPU */
};

#define GPR(n, r, t)                                                           \
	{                                                                      \
		n, t, NULL, 64, offsetof(struct cpu_regs, gpr[CPU_##r]), 8,    \
			true                                                   \
	}
#define SELECTOR(n, r, known)                                                  \
	{                                                                      \
		n, "int32", NULL, 32,                                          \
			offsetof(struct cpu_regs, seg[CPU_##r].selector), 2,   \
			known                                                  \
	}
#define FX(n, t, g, bits, at, bytes)                                           \
	{                                                                      \
		n, t, g, bits, offsetof(struct cpu_regs, fxsave) + (at),       \
			bytes, false                                           \
	}
#define ST(i)  FX("st" #i, "i387_ext", NULL, 80, 32 + 16 * (i), 10)
#define XMM(i) FX("xmm" #i, "vec128", NULL, 128, 160 + 16 * (i), 16)
#define SYS(n, field)                                                          \
	{                                                                      \
		n, "uint64", "system", 64, offsetof(struct cpu_regs, field),   \
			sizeof(((struct cpu_regs *)0)->field), false           \
	}

static const struct reg core[] = {
	GPR("rax", RAX, "int64"),
	GPR("rbx", RBX, "int64"),
	GPR("rcx", RCX, "int64"),
	GPR("rdx", RDX, "int64"),
	GPR("rsi", RSI, "int64"),
	GPR("rdi", RDI, "int64"),
	GPR("rbp", RBP, "data_ptr"),
	GPR("rsp", RSP, "data_ptr"),
	GPR("r8", R8, "int64"),
	GPR("r9", R9, "int64"),
	GPR("r10", R10, "int64"),
	GPR("r11", R11, "int64"),
	GPR("r12", R12, "int64"),
	GPR("r13", R13, "int64"),
	GPR("r14", R14, "int64"),
	GPR("r15", R15, "int64"),
	{"rip", "code_ptr", NULL, 64, offsetof(struct cpu_regs, rip), 8, true},
	{"eflags", "i386_eflags", NULL, 32, offsetof(struct cpu_regs, rflags),
	 4, true},
	SELECTOR("cs", CS, true),
	SELECTOR("ss", SS, true),
	SELECTOR("ds", DS, false),
	SELECTOR("es", ES, false),
	SELECTOR("fs", FS, false),
	SELECTOR("gs", GS, false),
	ST(0),
	ST(1),
	ST(2),
	ST(3),
	ST(4),
	ST(5),
	ST(6),
	ST(7),
	FX("fctrl", "int", "float", 32, 0, 2),
	FX("fstat", "int", "float", 32, 2, 2),
	FX("ftag", "int", "float", 32, 4, 1), /* one bit each: FXSAVE's */
	FX("fiseg", "int", "float", 32, 0, 0),
	FX("fioff", "int", "float", 32, 0, 0),
	FX("foseg", "int", "float", 32, 0, 0),
	FX("fooff", "int", "float", 32, 0, 0),
	FX("fop", "int", "float", 32, 0, 0),
};

static const struct reg sse[] = {
	XMM(0),
	XMM(1),
	XMM(2),
	XMM(3),
	XMM(4),
	XMM(5),
	XMM(6),
	XMM(7),
	XMM(8),
	XMM(9),
	XMM(10),
	XMM(11),
	XMM(12),
	XMM(13),
	XMM(14),
	XMM(15),
	FX("mxcsr", "i386_mxcsr", "vector", 32, 24, 4),
};

static const struct reg segments[] = {
	{"fs_base", "int", NULL, 64,
	 offsetof(struct cpu_regs, seg[CPU_FS].base), 8, false},
	{"gs_base", "int", NULL, 64,
	 offsetof(struct cpu_regs, seg[CPU_GS].base), 8, false},
};

static const struct reg system_regs[] = {
	SYS("cr0", cr0),
	SYS("cr2", cr2),
	{"cr3", "uint64", "system", 64, offsetof(struct cpu_regs, cr3), 8,
	 true},
	SYS("cr4", cr4),
	SYS("efer", efer),
	SYS("dr0", dr[0]),
	SYS("dr1", dr[1]),
	SYS("dr2", dr[2]),
	SYS("dr3", dr[3]),
	SYS("dr6", dr[6]),
	SYS("dr7", dr[7]),
	SYS("gdtr_base", gdtr_base),
	SYS("gdtr_limit", gdtr_limit),
	SYS("idtr_base", idtr_base),
	SYS("idtr_limit", idtr_limit),
	SYS("ldtr", ldtr.selector),
	SYS("tr", tr.selector),
	SYS("tr_base", tr.base),
	SYS("k_gs_base", kernel_gs_base),
	SYS("star", star),
	SYS("lstar", lstar),
	SYS("cstar", cstar),
	SYS("sfmask", sfmask),
	SYS("sysenter_cs", sysenter_cs),
	SYS("sysenter_esp", sysenter_esp),
	SYS("sysenter_eip", sysenter_eip),
	SYS("pat", pat),
	SYS("tsc_aux", tsc_aux),
	SYS("retired", retired),
	SYS("halted", halted),
};

static const struct {
	const char *feature;
	const struct reg *reg;
	size_t count;
} groups[] = {
	{"org.gnu.gdb.i386.core", core, ARRAY_LEN(core)},
	{"org.gnu.gdb.i386.sse", sse, ARRAY_LEN(sse)},
	{"org.gnu.gdb.i386.segments", segments, ARRAY_LEN(segments)},
	{"org.parterre.system", system_regs, ARRAY_LEN(system_regs)},
};

static const struct reg *reg_at(uint64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (number < groups[i].count)
			return &groups[i].reg[number];
		number -= groups[i].count;
	}
	return NULL;
}

/* --- description --- */

static const char types[] =
	"<flags id=\"i386_eflags\" size=\"4\">"
	"<field name=\"CF\" start=\"0\" end=\"0\"/>"
	"<field name=\"\" start=\"1\" end=\"1\"/>"
	"<field name=\"PF\" start=\"2\" end=\"2\"/>"
	"<field name=\"AF\" start=\"4\" end=\"4\"/>"
	"<field name=\"ZF\" start=\"6\" end=\"6\"/>"
	"<field name=\"SF\" start=\"7\" end=\"7\"/>"
	"<field name=\"TF\" start=\"8\" end=\"8\"/>"
	"<field name=\"IF\" start=\"9\" end=\"9\"/>"
	"<field name=\"DF\" start=\"10\" end=\"10\"/>"
	"<field name=\"OF\" start=\"11\" end=\"11\"/>"
	"<field name=\"NT\" start=\"14\" end=\"14\"/>"
	"<field name=\"RF\" start=\"16\" end=\"16\"/>"
	"<field name=\"VM\" start=\"17\" end=\"17\"/>"
	"<field name=\"AC\" start=\"18\" end=\"18\"/>"
	"<field name=\"VIF\" start=\"19\" end=\"19\"/>"
	"<field name=\"VIP\" start=\"20\" end=\"20\"/>"
	"<field name=\"ID\" start=\"21\" end=\"21\"/></flags>";

static const char sse_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
	"<field name=\"v2_double\" type=\"v2d\"/>"
	"<field name=\"v16_int8\" type=\"v16i8\"/>"
	"<field name=\"v8_int16\" type=\"v8i16\"/>"
	"<field name=\"v4_int32\" type=\"v4i32\"/>"
	"<field name=\"v2_int64\" type=\"v2i64\"/>"
	"<field name=\"uint128\" type=\"uint128\"/></union>"
	"<flags id=\"i386_mxcsr\" size=\"4\">"
	"<field name=\"IE\" start=\"0\" end=\"0\"/>"
	"<field name=\"DE\" start=\"1\" end=\"1\"/>"
	"<field name=\"ZE\" start=\"2\" end=\"2\"/>"
	"<field name=\"OE\" start=\"3\" end=\"3\"/>"
	"<field name=\"UE\" start=\"4\" end=\"4\"/>"
	"<field name=\"PE\" start=\"5\" end=\"5\"/>"
	"<field name=\"DAZ\" start=\"6\" end=\"6\"/>"
	"<field name=\"FZ\" start=\"15\" end=\"15\"/></flags>";

void gdb_target_xml(struct packet_text *out)
{
	packet_put(out, "<?xml version=\"1.0\"?>"
			"<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
			"<architecture>i386:x86-64</architecture>");
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		packet_put(out, "<feature name=\"%s\">", groups[i].feature);
		if (groups[i].reg == core)
			packet_put_bytes(out, types, sizeof(types) - 1);
		if (groups[i].reg == sse)
			packet_put_bytes(out, sse_types, sizeof(sse_types) - 1);
		for (size_t k = 0; k < groups[i].count; k++) {
			const struct reg *r = &groups[i].reg[k];

			packet_put(out,
				   "<reg name=\"%s\" bitsize=\"%u\" "
				   "type=\"%s\"",
				   r->name, r->bits, r->type);
			if (r->group)
				packet_put(out, " group=\"%s\"", r->group);
			packet_put(out, "/>");
		}
		packet_put(out, "</feature>");
	}
	packet_put(out, "</target>");
}

/* --- values --- */

static void put_reg(const struct reg *r, const struct cpu_regs *regs,
		    bool partial, struct packet_text *out)
{
	uint8_t value[16] = {0};

	if (partial && !r->saved) {
		for (unsigned i = 0; i < r->bits / 8; i++)
			packet_put(out, "xx");
		return;
	}
	memcpy(value, (const char *)regs + r->at, r->bytes);
	packet_put_hex(out, value, r->bits / 8);
}

bool gdb_reg_nth(uint64_t n, const struct cpu_regs *regs, bool partial,
		 struct gdb_reg_value *r)
{
	const struct reg *reg = reg_at(n);

	if (!reg)
		return false;
	*r = (struct gdb_reg_value){
		.number = n,
		.name = reg->name,
		.group = reg->group ? reg->group : "",
		.known = !partial || reg->saved,
		.bytes = reg->bits / 8u,
	};
	if (strncmp(reg->name, "xmm", 3) == 0)
		r->group = "vector";
	else if (strncmp(reg->name, "st", 2) == 0 && strlen(reg->name) == 3)
		r->group = "float";
	memcpy(r->value, (const char *)regs + reg->at, reg->bytes);
	return true;
}

void gdb_regs_read(struct debug *d, struct debug_id id, struct packet_text *out)
{
	struct cpu_regs regs;
	bool partial;

	if (!debug_regs_get(d, id, &regs, &partial)) {
		packet_put(out, "E01");
		return;
	}
	for (uint64_t n = 0; reg_at(n); n++)
		put_reg(reg_at(n), &regs, partial, out);
}

void gdb_reg_read(struct debug *d, struct debug_id id, uint64_t number,
		  struct packet_text *out)
{
	struct cpu_regs regs;
	bool partial;

	if (!reg_at(number) || !debug_regs_get(d, id, &regs, &partial))
		packet_put(out, "E01");
	else
		put_reg(reg_at(number), &regs, partial, out);
}

/* `retired` and `halted` are not to be written; they are skipped. */
static bool take_reg(const struct reg *r, struct cpu_regs *regs, const char **p)
{
	uint8_t value[16];

	if (packet_hex(p, value, r->bits / 8) != r->bits / 8u)
		return false;
	if (r->at != offsetof(struct cpu_regs, retired) &&
	    r->at != offsetof(struct cpu_regs, halted))
		memcpy((char *)regs + r->at, value, r->bytes);
	return true;
}

bool gdb_regs_write(struct debug *d, struct debug_id id, const char *p)
{
	struct cpu_regs regs;
	bool partial;

	if (!debug_regs_get(d, id, &regs, &partial) || partial)
		return false;
	for (uint64_t n = 0; reg_at(n); n++) {
		if (!take_reg(reg_at(n), &regs, &p))
			return false;
	}
	return !*p && debug_regs_set(d, id, &regs);
}

bool gdb_reg_write(struct debug *d, struct debug_id id, uint64_t number,
		   const char *p)
{
	struct cpu_regs regs;
	bool partial;

	if (!reg_at(number) || !debug_regs_get(d, id, &regs, &partial) ||
	    partial || !take_reg(reg_at(number), &regs, &p) || *p)
		return false;
	return debug_regs_set(d, id, &regs);
}

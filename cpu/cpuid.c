/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/cpuid.c - the table of leaves, and the few that depend on who asks. */
#include "cpu/cpuid.h"

#include "cpu/walk.h"
#include "sim/base.h"

#define MAX_BASIC    UINT32_C(0x16)
#define MAX_EXTENDED UINT32_C(0x80000008)

static const struct {
	uint32_t leaf;
	struct cpuid_leaf value;
} leaves[] = {
	{0, {MAX_BASIC, 0x756e6547, 0x6c65746e, 0x49656e69}}, /* GenuineIntel */
	{1, {CPUID_SIGNATURE, 0x00000800, CPUID_1_ECX, CPUID_1_EDX}},
	{7, {0, CPUID_7_EBX, 0, 0}},
	{0x80000000, {MAX_EXTENDED, 0, 0, 0}},
	{0x80000001, {0, 0, CPUID_80000001_ECX, CPUID_80000001_EDX}},
	/* The name in three leaves: "Parterre vCPU". */
	{0x80000002, {0x74726150, 0x65727265, 0x50437620, 0x00000055}},
	/* The TSC runs at one rate whatever the CPU does. */
	{0x80000007, {0, 0, 0, 0x00000100}},
	{0x80000008, {48 << 8 | WALK_PA_BITS, 0, 0, 0}},
};

/* Leaf 0Bh: one thread for each core, all in one package. */
static void topology(uint32_t sub, unsigned index, unsigned count,
		     struct cpuid_leaf *out)
{
	unsigned bits = 0;

	while (1u << bits < count)
		bits++;
	out->edx = index;
	out->ecx = sub & 0xff;
	if (sub == 0) {
		out->ebx = 1;
		out->ecx |= 1 << 8; /* SMT */
	} else if (sub == 1) {
		out->eax = bits;
		out->ebx = count;
		out->ecx |= 2 << 8; /* core */
	}
}

/* Leaves 15h and 16h: the crystal is the TSC's own clock, and the local APIC
 * timer's (SDM 3A 10.5.4). */
static void clocks(uint32_t leaf, uint64_t hz, struct cpuid_leaf *out)
{
	uint32_t mhz = (uint32_t)(hz / 1000000) & 0xffff;

	if (leaf == 0x15 && hz && hz <= UINT32_MAX)
		*out = (struct cpuid_leaf){1, 1, (uint32_t)hz, 0};
	if (leaf == 0x16 && hz && hz <= UINT32_MAX)
		*out = (struct cpuid_leaf){mhz, mhz, 0, 0};
}

void cpuid_read(uint32_t leaf, uint32_t sub, const struct cpuid_of *of,
		struct cpuid_leaf *out)
{
	*out = (struct cpuid_leaf){0};
	if (leaf > MAX_EXTENDED || (leaf > MAX_BASIC && leaf < 0x80000000))
		leaf = MAX_BASIC; /* as the manual has it for Intel's */
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		if (leaves[i].leaf == leaf)
			*out = leaves[i].value;
	}
	if (leaf == 1) {
		out->ebx |= (uint32_t)of->index << 24 | (uint32_t)of->count
								<< 16;
		if (of->count > 1)
			out->edx |= 1u << 28; /* HTT: EBX[23:16] counts */
	}
	if (leaf == 7 && sub)
		*out = (struct cpuid_leaf){0};
	if (leaf == 0x0b)
		topology(sub, of->index, of->count, out);
	clocks(leaf, of->hz, out);
}

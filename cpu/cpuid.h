/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/cpuid.h - what CPUID answers (SDM 2A, CPUID): only what works.
 *
 * The feature words are also what the translator accepts; the table is in
 * cpuid.c, one line for each leaf.
 */
#ifndef PARTERRE_CPU_CPUID_H
#define PARTERRE_CPU_CPUID_H

#include <stdint.h>

/* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36
 * CLFSH MMX FXSR SSE SSE2 */
#define CPUID_1_EDX UINT32_C(0x078bfbff)
/* SSE3 SSSE3 CX16 SSE4.1 SSE4.2 x2APIC POPCNT TSC-deadline */
#define CPUID_1_ECX UINT32_C(0x01b82201)
/* SYSCALL NX 1-GiB-pages RDTSCP LM */
#define CPUID_80000001_EDX UINT32_C(0x2c100800)
/* LAHF in 64-bit mode */
#define CPUID_80000001_ECX UINT32_C(0x00000001)

/* TSC_ADJUST */
#define CPUID_7_EBX UINT32_C(0x00000002)

/* Family 6, model 36h, an in-order Atom: like ours it runs nothing ahead of
 * its time, and a kernel that knows the model leaves the costly precautions
 * against speculation out (page tables apart for user and kernel, indirect
 * branches by way of RET). */
#define CPUID_SIGNATURE UINT32_C(0x00030661)

struct cpuid_leaf {
	uint32_t eax, ebx, ecx, edx;
};

/* Who asks. */
struct cpuid_of {
	unsigned index, count; /* of the CPU, and of all */
	uint64_t hz;           /* of the TSC; 0: not told */
};
void cpuid_read(uint32_t leaf, uint32_t sub, const struct cpuid_of *of,
		struct cpuid_leaf *out);

#endif

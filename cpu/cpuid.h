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

#define CPUID_SIGNATURE UINT32_C(0x000506e3) /* family 6, model 5Eh */

struct cpuid_leaf {
	uint32_t eax, ebx, ecx, edx;
};

/* `index` and `count`: of the CPU that asks and of all. */
void cpuid_read(uint32_t leaf, uint32_t sub, unsigned index, unsigned count,
		struct cpuid_leaf *out);

#endif

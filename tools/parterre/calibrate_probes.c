/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/calibrate_probes.c - see calibrate.h. */
#include "tools/parterre/calibrate.h"

/* `body` 32 times; numbers of a magnitude that neither grows nor vanishes. */
#define PROBE(name, body)                                                      \
	static void name(uint64_t n, void *area)                               \
	{                                                                      \
		__asm__ volatile("mov $1, %%eax\n\tmov $1, %%r10d\n\t"         \
				 "cvtsi2sd %%eax, %%xmm0\n\t"                  \
				 ".irp i, 1,2,3,4,5,6,7,8\n\t"                 \
				 "movaps %%xmm0, %%xmm\\i\n\t.endr\n\t"        \
				 "mov $3, %%edx\n\tcvtsi2sd %%edx, %%xmm9\n\t" \
				 "xor %%edx, %%edx\n\t"                        \
				 ".p2align 6\n1:\n\t.rept 32\n\t" body         \
				 "\n\t.endr\n\tdec %0\n\tjnz 1b"               \
				 : "+r"(n)                                     \
				 : "r"(area)                                   \
				 : "rax", "rbx", "rcx", "rdx", "rsi", "r8",    \
				   "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", \
				   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",     \
				   "xmm8", "xmm9", "memory", "cc");            \
	}
#define GENERAL(name, insn)                                                    \
	PROBE(name, insn "%%rax\n\t" insn "%%rcx\n\t" insn "%%rsi\n\t" insn    \
			 "%%r8\n\t" insn "%%r9\n\t" insn "%%r11")
#define VECTOR(name, insn)                                                     \
	PROBE(name, insn "%%xmm8, %%xmm0\n\t" insn "%%xmm8, %%xmm1\n\t" insn   \
			 "%%xmm8, %%xmm2\n\t" insn "%%xmm8, %%xmm3\n\t" insn   \
			 "%%xmm8, %%xmm4\n\t" insn "%%xmm8, %%xmm5")

PROBE(add_chain, "add %%r10, %%rax")
PROBE(imul_chain, "imul %%r10, %%rax")
PROBE(lea_chain, "lea 5(%%r10,%%rax,2), %%rax")
PROBE(popcnt_chain, "popcnt %%rax, %%rax")
PROBE(addsd_chain, "addsd %%xmm1, %%xmm0")
PROBE(mulsd_chain, "mulsd %%xmm1, %%xmm0")
PROBE(pmuludq_chain, "pmuludq %%xmm1, %%xmm0")
PROBE(pshufd_chain, "pshufd $57, %%xmm0, %%xmm0")
PROBE(divsd_chain, "divsd %%xmm1, %%xmm0")
/* Through a sum that stays where it is: a root of 1 is found at once. */
PROBE(sqrtsd_chain, "pand %%xmm8, %%xmm0\n\tpor %%xmm9, %%xmm0\n\t"
		    "sqrtsd %%xmm0, %%xmm0")
PROBE(div_chain, "or $0x4000, %%rax\n\txor %%edx, %%edx\n\tdiv %%r10")
PROBE(transfer_chain, "movq %%rax, %%xmm0\n\tmovq %%xmm0, %%rax")
PROBE(convert_chain, "cvtsi2sd %%rax, %%xmm0\n\tcvttsd2si %%xmm0, %%rax")
PROBE(forward_chain, "mov %%rax, 64(%1)\n\tmov 64(%1), %%rax")
PROBE(nop, "nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop")
GENERAL(move, "mov %%r10, ")
GENERAL(add, "add $3, ")
GENERAL(shift, "shl $2, ")
PROBE(imul, "imul $3, %%rax, %%rax\n\timul $3, %%rcx, %%rcx\n\t"
	    "imul $3, %%rsi, %%rsi\n\timul $3, %%r8, %%r8\n\t"
	    "imul $3, %%r9, %%r9\n\timul $3, %%r11, %%r11")
PROBE(load, "mov 64(%1), %%rax\n\tmov 72(%1), %%rcx\n\t"
	    "mov 80(%1), %%rsi\n\tmov 88(%1), %%r8\n\t"
	    "mov 96(%1), %%r9\n\tmov 104(%1), %%r11")
PROBE(load_vector, "movaps 64(%1), %%xmm0\n\tmovaps 80(%1), %%xmm1\n\t"
		   "movaps 96(%1), %%xmm2\n\tmovaps 112(%1), %%xmm3\n\t"
		   "movaps 64(%1), %%xmm4\n\tmovaps 80(%1), %%xmm5")
PROBE(store, "mov %%rax, 64(%1)\n\tmov %%rax, 72(%1)\n\t"
	     "mov %%rax, 80(%1)\n\tmov %%rax, 88(%1)\n\t"
	     "mov %%rax, 96(%1)\n\tmov %%rax, 104(%1)")
VECTOR(paddd, "paddd ")
VECTOR(pshufd, "pshufd $57, ")
PROBE(pslld, "pslld $1, %%xmm0\n\tpslld $1, %%xmm1\n\tpslld $1, %%xmm2\n\t"
	     "pslld $1, %%xmm3\n\tpslld $1, %%xmm4\n\tpslld $1, %%xmm5")
VECTOR(pmuludq, "pmuludq ")
VECTOR(addps, "addps ")
VECTOR(mulps, "mulps ")
VECTOR(divsd, "divsd ")
PROBE(sqrtsd, "sqrtsd %%xmm9, %%xmm0\n\tsqrtsd %%xmm9, %%xmm1\n\t"
	      "sqrtsd %%xmm9, %%xmm2\n\tsqrtsd %%xmm9, %%xmm3\n\t"
	      "sqrtsd %%xmm9, %%xmm4\n\tsqrtsd %%xmm9, %%xmm5")
PROBE(div, "mov $77777, %%eax\n\txor %%edx, %%edx\n\tdiv %%r10")
PROBE(jump, "jmp 2f\n\t.p2align 5\n2:")
PROBE(lock, "lock add %%r10, 64(%1)")

const struct probe probes[PROBE_COUNT] = {
	[PROBE_ADD_CHAIN] = {"add chain", add_chain},
	[PROBE_IMUL_CHAIN] = {"imul chain", imul_chain},
	[PROBE_LEA_CHAIN] = {"lea chain", lea_chain},
	[PROBE_POPCNT_CHAIN] = {"popcnt chain", popcnt_chain},
	[PROBE_ADDSD_CHAIN] = {"addsd chain", addsd_chain},
	[PROBE_MULSD_CHAIN] = {"mulsd chain", mulsd_chain},
	[PROBE_PMULUDQ_CHAIN] = {"pmuludq chain", pmuludq_chain},
	[PROBE_PSHUFD_CHAIN] = {"pshufd chain", pshufd_chain},
	[PROBE_DIVSD_CHAIN] = {"divsd chain", divsd_chain},
	[PROBE_SQRTSD_CHAIN] = {"sqrtsd chain", sqrtsd_chain},
	[PROBE_DIV_CHAIN] = {"div chain", div_chain},
	[PROBE_TRANSFER_CHAIN] = {"transfer chain", transfer_chain},
	[PROBE_CONVERT_CHAIN] = {"convert chain", convert_chain},
	[PROBE_FORWARD_CHAIN] = {"forward chain", forward_chain},
	[PROBE_NOP] = {"nop", nop},
	[PROBE_MOVE] = {"move", move},
	[PROBE_ADD] = {"add", add},
	[PROBE_SHIFT] = {"shift", shift},
	[PROBE_IMUL] = {"imul", imul},
	[PROBE_LOAD] = {"load", load},
	[PROBE_LOAD_VECTOR] = {"vector load", load_vector},
	[PROBE_STORE] = {"store", store},
	[PROBE_PADDD] = {"paddd", paddd},
	[PROBE_PSHUFD] = {"pshufd", pshufd},
	[PROBE_PSLLD] = {"pslld", pslld},
	[PROBE_PMULUDQ] = {"pmuludq", pmuludq},
	[PROBE_ADDPS] = {"addps", addps},
	[PROBE_MULPS] = {"mulps", mulps},
	[PROBE_DIVSD] = {"divsd", divsd},
	[PROBE_SQRTSD] = {"sqrtsd", sqrtsd},
	[PROBE_DIV] = {"div", div},
	[PROBE_JUMP] = {"jump", jump},
	[PROBE_LOCK] = {"lock", lock},
};

void probe_branches(uint64_t n, const uint8_t *area)
{
	uint64_t a = 0, b = 0;

	for (uint64_t i = 0; i < n; i++)
		__asm__ volatile("testb $1, %2\n\tjz 2f\n\tadd $1, %0\n"
				 "2:\tadd $3, %1"
				 : "+r"(a), "+r"(b)
				 : "m"(area[i])
				 : "cc");
}

void *probe_chase(uint64_t n, void *at)
{
	while (n--)
		__asm__ volatile("mov (%0), %0" : "+r"(at) : : "memory");
	return at;
}

uint64_t probe_random(uint64_t n, const void *area, uint64_t x, uint64_t mask)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		x = x * UINT64_C(2862933555777941757) + 3037000493;
		__asm__ volatile("add (%1,%2), %0"
				 : "+r"(sum)
				 : "r"(area), "r"(x >> 24 & mask & ~7ull)
				 : "cc");
	}
	return x;
}

void probe_lines(uint64_t n, const void *area, uint64_t from, uint64_t mask)
{
	uint64_t sum = 0;

	for (uint64_t i = from; i < from + n; i++)
		__asm__ volatile("add (%1,%2), %0"
				 : "+r"(sum)
				 : "r"(area), "r"((i * 64) & mask)
				 : "cc");
}

void probe_fill(uint64_t n, void *area, uint64_t bytes)
{
	while (n--) {
		void *to = area;
		uint64_t count = bytes;

		__asm__ volatile("rep stosb"
				 : "+D"(to), "+c"(count)
				 : "a"(0)
				 : "memory");
	}
}

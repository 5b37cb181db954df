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
PROBE(small_chain, "add $5, %%rax")
PROBE(imul_chain, "imul %%r10, %%rax")
PROBE(lea_chain, "lea 5(%%r10,%%rax,2), %%rax")
PROBE(popcnt_chain, "popcnt %%rax, %%rax")
PROBE(addsd_chain, "addsd %%xmm1, %%xmm0")
PROBE(mulsd_chain, "mulsd %%xmm1, %%xmm0")
PROBE(pmuludq_chain, "pmuludq %%xmm1, %%xmm0")
PROBE(pshufd_chain, "pshufd $57, %%xmm0, %%xmm0")
/* Numbers of many digits, as others may be found at once: thirds, and the root
 * of a sum. */
PROBE(divsd_chain, "divsd %%xmm9, %%xmm0\n\tmulsd %%xmm9, %%xmm0")
PROBE(sqrtsd_chain, "addsd %%xmm9, %%xmm0\n\tsqrtsd %%xmm0, %%xmm0")
PROBE(div_chain, "or $0x4000, %%rax\n\txor %%edx, %%edx\n\tdiv %%r10")
PROBE(div32_chain, "or $0x4000, %%eax\n\txor %%edx, %%edx\n\tdiv %%r10d")
PROBE(transfer_chain, "movq %%rax, %%xmm0\n\tmovq %%xmm0, %%rax")
PROBE(convert_chain, "cvtsi2sd %%rax, %%xmm0\n\tcvttsd2si %%xmm0, %%rax")
PROBE(forward_chain, "mov %%rax, 64(%1)\n\txor 64(%1), %%rax")
PROBE(forward_vector, "movaps %%xmm0, 64(%1)\n\tmovaps 64(%1), %%xmm0")
PROBE(forward_update, "xor %%r10, 64(%1)")
PROBE(wait_add, "mov %%r10, %%rax\n\t.rept 43\n\tadd %%rax, %%rax\n\t.endr")
PROBE(wait_load, "mov %1, %%rax\n\t.rept 43\n\tmov (%%rax), %%rax\n\t.endr")
PROBE(nop, "nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop")
GENERAL(move, "mov %%r10, ")
GENERAL(add, "add %%r10, ")
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
PROBE(store_with_loads, "mov 64(%1), %%rax\n\tmov %%r8, 128(%1)\n\t"
			"mov 72(%1), %%rcx\n\tmov %%r9, 136(%1)")
VECTOR(paddd, "paddd ")
VECTOR(pshufd, "pshufd $57, ")
PROBE(pslld, "pslld $1, %%xmm0\n\tpslld $1, %%xmm1\n\tpslld $1, %%xmm2\n\t"
	     "pslld $1, %%xmm3\n\tpslld $1, %%xmm4\n\tpslld $1, %%xmm5")
VECTOR(pmuludq, "pmuludq ")
VECTOR(addps, "addps ")
VECTOR(mulps, "mulps ")
#define QUOTIENT(to) "movaps %%xmm8, " to "\n\tdivsd %%xmm9, " to "\n\t"
PROBE(divsd, QUOTIENT("%%xmm0") QUOTIENT("%%xmm1") QUOTIENT("%%xmm2")
		     QUOTIENT("%%xmm3") QUOTIENT("%%xmm4") QUOTIENT("%%xmm5"))
PROBE(sqrtsd, "sqrtsd %%xmm9, %%xmm0\n\tsqrtsd %%xmm9, %%xmm1\n\t"
	      "sqrtsd %%xmm9, %%xmm2\n\tsqrtsd %%xmm9, %%xmm3\n\t"
	      "sqrtsd %%xmm9, %%xmm4\n\tsqrtsd %%xmm9, %%xmm5")
PROBE(div, "mov $77777, %%eax\n\txor %%edx, %%edx\n\tdiv %%r10")
PROBE(div32, "mov $77777, %%eax\n\txor %%edx, %%edx\n\tdiv %%r10d")
PROBE(jump, "jmp 2f\n\t.p2align 5\n2:")
PROBE(lock, "lock add %%r10, 64(%1)")

const struct probe probes[PROBE_COUNT] = {
	[PROBE_ADD_CHAIN] = {"add chain", add_chain, 1},
	[PROBE_SMALL_CHAIN] = {"add chain of constants", small_chain, 1},
	[PROBE_IMUL_CHAIN] = {"imul chain", imul_chain, 1},
	[PROBE_LEA_CHAIN] = {"lea chain", lea_chain, 1},
	[PROBE_POPCNT_CHAIN] = {"popcnt chain", popcnt_chain, 1},
	[PROBE_ADDSD_CHAIN] = {"addsd chain", addsd_chain, 1},
	[PROBE_MULSD_CHAIN] = {"mulsd chain", mulsd_chain, 1},
	[PROBE_PMULUDQ_CHAIN] = {"pmuludq chain", pmuludq_chain, 1},
	[PROBE_PSHUFD_CHAIN] = {"pshufd chain", pshufd_chain, 1},
	[PROBE_DIVSD_CHAIN] = {"divsd chain", divsd_chain, 1},
	[PROBE_SQRTSD_CHAIN] = {"sqrtsd chain", sqrtsd_chain, 1},
	[PROBE_DIV_CHAIN] = {"div chain", div_chain, 1},
	[PROBE_DIV32_CHAIN] = {"div chain, 32 bits", div32_chain, 1},
	[PROBE_TRANSFER_CHAIN] = {"transfer chain", transfer_chain, 1},
	[PROBE_CONVERT_CHAIN] = {"convert chain", convert_chain, 1},
	[PROBE_FORWARD_CHAIN] = {"forward chain", forward_chain, 1},
	[PROBE_FORWARD_VECTOR] = {"vector forward chain", forward_vector, 1},
	[PROBE_FORWARD_UPDATE] = {"update chain", forward_update, 1},
	[PROBE_WAIT_ADD] = {"additions that wait", wait_add, 1},
	[PROBE_WAIT_LOAD] = {"loads that wait", wait_load, 1},
	[PROBE_NOP] = {"nop", nop, 6},
	[PROBE_MOVE] = {"move", move, 6},
	[PROBE_ADD] = {"add", add, 6},
	[PROBE_SHIFT] = {"shift", shift, 6},
	[PROBE_IMUL] = {"imul", imul, 6},
	[PROBE_LOAD] = {"load", load, 6},
	[PROBE_LOAD_VECTOR] = {"vector load", load_vector, 6},
	[PROBE_STORE] = {"store", store, 6},
	[PROBE_STORE_WITH_LOADS] = {"stores among loads", store_with_loads, 2},
	[PROBE_PADDD] = {"paddd", paddd, 6},
	[PROBE_PSHUFD] = {"pshufd", pshufd, 6},
	[PROBE_PSLLD] = {"pslld", pslld, 6},
	[PROBE_PMULUDQ] = {"pmuludq", pmuludq, 6},
	[PROBE_ADDPS] = {"addps", addps, 6},
	[PROBE_MULPS] = {"mulps", mulps, 6},
	[PROBE_DIVSD] = {"divsd", divsd, 6},
	[PROBE_SQRTSD] = {"sqrtsd", sqrtsd, 6},
	[PROBE_DIV] = {"div", div, 1},
	[PROBE_DIV32] = {"div, 32 bits", div32, 1},
	[PROBE_JUMP] = {"jump", jump, 1},
	[PROBE_LOCK] = {"lock", lock, 1},
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

uint64_t probe_pages(uint64_t n, const void *area, uint64_t x, uint64_t pages)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		x = x * UINT64_C(2862933555777941757) + 3037000493;
		__asm__ volatile("add (%1,%2), %0"
				 : "+r"(sum)
				 : "r"(area),
				   "r"(PROBE_PAGE(x >> 24 & (pages - 1)))
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

#define STRING(insn, width)                                                    \
	while (n--) {                                                          \
		void *from = area, *to = (char *)area + bytes;                 \
		uint64_t count = bytes / (width);                              \
                                                                               \
		__asm__ volatile(insn                                          \
				 : "+S"(from), "+D"(to), "+c"(count)           \
				 : "a"(0)                                      \
				 : "memory", "cc");                            \
	}

void probe_string(enum probe_string kind, uint64_t n, void *area,
		  uint64_t bytes)
{
	switch (kind) {
	case PROBE_MOVSB:
		STRING("rep movsb", 1)
		break;
	case PROBE_MOVSQ:
		STRING("rep movsq", 8)
		break;
	case PROBE_STOSB:
		STRING("rep stosb", 1)
		break;
	case PROBE_STOSQ:
		STRING("rep stosq", 8)
		break;
	case PROBE_CMPSB:
		STRING("repe cmpsb", 1)
		break;
	case PROBE_LODSQ:
		STRING("rep lodsq", 8)
		break;
	case PROBE_STRINGS:
		break;
	}
}

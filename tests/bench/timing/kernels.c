/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/timing/kernels.c - see kernels.h.  Classes:
 *
 *   chain       results wait for each other
 *   units       one kind of unit is busy
 *   division    its own unit, long and not pipelined
 *   branch      taken and not, foreseeable and not
 *   string      REP
 *   function    what programs are made of
 *   memory      sequential and random, from the second cache to DRAM; pages
 */
#include "kernels.h"

#define LOOP(n, body)                                                          \
	__asm__ volatile(".p2align 6\n1:\n" body "\n\tdec %0\n\tjnz 1b"        \
			 : "+r"(n)                                             \
			 : "r"(area)                                           \
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9",      \
			   "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3",       \
			   "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",     \
			   "memory", "cc")
#define REPT(times, text) ".rept " #times "\n\t" text "\n\t.endr\n\t"

#define KERNEL(name, body)                                                     \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		LOOP(n, body);                                                 \
		return n;                                                      \
	}

/* Numbers that stay numbers. */
#define ONES                                                                   \
	"mov $1, %%eax\n\tcvtsi2sd %%eax, %%xmm0\n\tmovaps %%xmm0, %%xmm1\n\t" \
	".irp i, 2,3,4,5,6,7,8,9\n\tmovaps %%xmm0, %%xmm\\i\n\t.endr\n"
#define KERNEL_FLOAT(name, body)                                               \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		__asm__ volatile(ONES                                          \
				 :                                             \
				 :                                             \
				 : "rax", "xmm0", "xmm1", "xmm2", "xmm3",      \
				   "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
				   "xmm9");                                    \
		LOOP(n, body);                                                 \
		return n;                                                      \
	}

uint64_t reference(uint64_t n, void *area)
{
	LOOP(n, REPT(100, "add %%rbx, %%rax"));
	return n;
}

/* --- chains --- */
KERNEL(chain_add, REPT(32, "add %%rbx, %%rax"))
KERNEL(chain_imul, REPT(32, "imul %%rbx, %%rax"))
KERNEL(chain_shift, REPT(32, "rol $3, %%rax"))
KERNEL(chain_mixed,
       REPT(16, "add %%rbx, %%rax\n\tlea 1(%%rax,%%rcx,4), %%rdx\n\t"
		"xor %%rdx, %%rax"))
KERNEL(chain_adc, REPT(32, "adc %%rbx, %%rax"))
KERNEL(chain_cmov, REPT(16, "cmp %%rbx, %%rax\n\tcmovb %%rcx, %%rax"))
KERNEL(chain_load, "mov %1, %%rax\n\t" REPT(32, "mov (%%rax), %%rax"))
KERNEL(chain_forward, REPT(16, "add %%rbx, 64(%1)"))
KERNEL(chain_forward2, REPT(16, "mov %%rax, 64(%1)\n\tmov 64(%1), %%rax"))
KERNEL_FLOAT(chain_addsd, REPT(32, "addsd %%xmm1, %%xmm0"))
KERNEL_FLOAT(chain_mulsd, REPT(32, "mulsd %%xmm1, %%xmm0"))
KERNEL(chain_paddd, REPT(32, "paddd %%xmm1, %%xmm0"))
KERNEL(chain_pmulld, REPT(32, "pmuludq %%xmm1, %%xmm0"))
KERNEL(chain_transfer, REPT(16, "movq %%rax, %%xmm0\n\tmovq %%xmm0, %%rax"))

/* --- units --- */
KERNEL(units_add, REPT(4, "add $1, %%rax\n\tadd $1, %%rbx\n\tadd $1, %%rcx\n\t"
			  "add $1, %%rdx\n\tadd $1, %%rsi\n\tadd $1, %%r8\n\t"
			  "add $1, %%r9\n\tadd $1, %%r10"))
KERNEL(units_imul, REPT(4, "imul $3, %%rax, %%rax\n\timul $3, %%rbx, %%rbx\n\t"
			   "imul $3, %%rcx, %%rcx\n\timul $3, %%rdx, %%rdx\n\t"
			   "imul $3, %%rsi, %%rsi\n\timul $3, %%r8, %%r8"))
KERNEL(units_shift,
       REPT(4, "shl $3, %%rax\n\tshl $3, %%rbx\n\tshl $3, %%rcx\n\t"
	       "shl $3, %%rdx\n\tshl $3, %%rsi\n\tshl $3, %%r8"))
KERNEL(units_load, REPT(8, "mov (%1), %%rax\n\tmov 8(%1), %%rbx\n\t"
			   "mov 16(%1), %%rcx\n\tmov 24(%1), %%rdx"))
KERNEL(units_store, REPT(8, "mov %%rax, (%1)\n\tmov %%rax, 8(%1)\n\t"
			    "mov %%rax, 16(%1)\n\tmov %%rax, 24(%1)"))
KERNEL(units_copy, REPT(8, "mov (%1), %%rax\n\tmov %%rax, 2048(%1)\n\t"
			   "mov 8(%1), %%rbx\n\tmov %%rbx, 2056(%1)"))
KERNEL(units_lea, REPT(8, "lea (%%r8,%%r9), %%rax\n\tlea 8(%%r8), %%rbx\n\t"
			  "lea (%%r8,%%r9,2), %%rcx\n\tlea (%%r9), %%rdx"))
KERNEL(units_nop, REPT(48, "nop"))
KERNEL(units_move, REPT(12, "mov %%r8, %%rax\n\tmov %%r9, %%rbx\n\t"
			    "mov %%r10, %%rcx\n\tmov %%r11, %%rdx"))
KERNEL_FLOAT(units_addps,
	     REPT(4, "addps %%xmm8, %%xmm0\n\taddps %%xmm8, %%xmm1\n\t"
		     "addps %%xmm8, %%xmm2\n\taddps %%xmm8, %%xmm3\n\t"
		     "addps %%xmm8, %%xmm4\n\taddps %%xmm8, %%xmm5\n\t"
		     "addps %%xmm8, %%xmm6\n\taddps %%xmm8, %%xmm7"))
KERNEL_FLOAT(units_mulps,
	     REPT(4, "mulps %%xmm8, %%xmm0\n\tmulps %%xmm8, %%xmm1\n\t"
		     "mulps %%xmm8, %%xmm2\n\tmulps %%xmm8, %%xmm3\n\t"
		     "mulps %%xmm8, %%xmm4\n\tmulps %%xmm8, %%xmm5\n\t"
		     "mulps %%xmm8, %%xmm6\n\tmulps %%xmm8, %%xmm7"))
KERNEL(units_paddd, REPT(4, "paddd %%xmm8, %%xmm0\n\tpaddd %%xmm8, %%xmm1\n\t"
			    "paddd %%xmm8, %%xmm2\n\tpaddd %%xmm8, %%xmm3\n\t"
			    "paddd %%xmm8, %%xmm4\n\tpaddd %%xmm8, %%xmm5\n\t"
			    "paddd %%xmm8, %%xmm6\n\tpaddd %%xmm8, %%xmm7"))
KERNEL(units_shuffle,
       REPT(8, "pshufd $27, %%xmm8, %%xmm0\n\tpshufd $27, %%xmm8, %%xmm1\n\t"
	       "pshufd $27, %%xmm8, %%xmm2\n\tpshufd $27, %%xmm8, %%xmm3"))
KERNEL(units_load_add,
       REPT(8, "add (%1), %%rax\n\tadd 8(%1), %%rbx\n\tadd 16(%1), %%rcx"))
KERNEL(units_loadps, REPT(8, "movaps (%1), %%xmm0\n\tmovaps 16(%1), %%xmm1\n\t"
			     "movaps 32(%1), %%xmm2"))
KERNEL_FLOAT(units_both, REPT(8, "add $1, %%rax\n\taddps %%xmm8, %%xmm0\n\t"
				 "mov (%1), %%rbx\n\tadd $1, %%rcx\n\t"
				 "paddd %%xmm9, %%xmm1"))
KERNEL(units_setcc,
       REPT(8, "cmp %%r8, %%r9\n\tsetb %%al\n\tmovzbl %%al, %%eax"))
KERNEL(units_push, REPT(8, "push %%rax\n\tpop %%rbx"))

/* --- division --- */
KERNEL(div_64,
       REPT(4, "mov $1000000, %%eax\n\txor %%edx, %%edx\n\tmov $7, %%ebx\n\t"
	       "div %%rbx"))
KERNEL(div_32_chain,
       "mov $1000000, %%eax\n\tmov $3, %%ebx\n\t" REPT(
	       4, "xor %%edx, %%edx\n\tor $0x70000, %%eax\n\tdiv %%ebx"))
static uint64_t div_double(uint64_t n, void *area)
{
	volatile double *to = area;
	double x = 1e9, y = 1.0000001;

	for (uint64_t i = 0; i < n; i++)
		x /= y;
	*to = x;
	return n;
}
KERNEL_FLOAT(
	div_sqrt,
	"pxor %%xmm1, %%xmm1\n\tmov $9, %%eax\n\tcvtsi2sd %%rax, "
	"%%xmm1\n\t" REPT(4, "sqrtsd %%xmm1, %%xmm2\n\tsqrtsd %%xmm1, %%xmm3"))

/* --- branches --- */
KERNEL(branch_not_taken,
       "test %1, %1\n\t" REPT(16, "jz 2f\n\tadd $1, %%rax") "2:")
KERNEL(branch_taken,
       ".irp i, 1,2,3,4,5,6,7,8\n\tadd $1, %%rax\n\tjmp 2f\n\tnop\n\t"
       "2:\n\t.endr")
KERNEL(branch_alternate,
       "test $1, %0\n\tjz 2f\n\tadd $1, %%rax\n\t2: add $1, %%rbx")
KERNEL(branch_every_8,
       "test $7, %0\n\tjz 2f\n\tadd $1, %%rax\n\t2: add $1, %%rbx")

#define RANDOM_BYTES 65536 /* longer than any history */
static uint64_t state;
static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}
static void random_bytes(void *area)
{
	uint8_t *p = area;

	state = 88172645463325252;
	for (size_t i = 0; i < RANDOM_BYTES; i++)
		p[i] = (uint8_t)(draw() >> 20);
}
#define RANDOM_BRANCH(name, below)                                             \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		const uint8_t *p = area;                                       \
		uint64_t a = 0, b = 0;                                         \
                                                                               \
		for (uint64_t i = 0; i < n; i++) {                             \
			__asm__ volatile("cmpb $" #below ", %2\n\tjae 2f\n\t"  \
					 "add $1, %0\n\t2: add $3, %1"         \
					 : "+r"(a), "+r"(b)                    \
					 : "m"(p[i % RANDOM_BYTES])            \
					 : "cc");                              \
		}                                                              \
		return a + b;                                                  \
	}
RANDOM_BRANCH(branch_random_half, 128)
RANDOM_BRANCH(branch_random_tenth, 26)
static uint64_t one(uint64_t x)
{
	return x + 1;
}
static uint64_t two(uint64_t x)
{
	return x ^ 5;
}
static uint64_t (*const volatile targets[4])(uint64_t) = {one, two, one, two};
static uint64_t branch_indirect(uint64_t n, void *area)
{
	uint64_t x = 0;

	(void)area;
	for (uint64_t i = 0; i < n; i++)
		x = targets[i & 3](x);
	return x;
}
static uint64_t branch_indirect_random(uint64_t n, void *area)
{
	const uint8_t *p = area;
	uint64_t x = 0;

	for (uint64_t i = 0; i < n; i++)
		x = targets[p[i % RANDOM_BYTES] & 1](x);
	return x;
}
static __attribute__((noinline)) uint64_t fibonacci(uint64_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
static uint64_t branch_calls(uint64_t n, void *area)
{
	uint64_t sum = 0;

	(void)area;
	while (n--)
		sum += fibonacci(8);
	return sum;
}

/* --- strings --- */
#define STRING(name, count, insn)                                              \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		while (n--) {                                                  \
			void *from = area, *to = (char *)area + 8192;          \
			uint64_t c = count;                                    \
                                                                               \
			__asm__ volatile(insn                                  \
					 : "+S"(from), "+D"(to), "+c"(c)       \
					 : "a"(0)                              \
					 : "memory", "cc");                    \
		}                                                              \
		return n;                                                      \
	}
STRING(string_movsb, 4096, "rep movsb")
STRING(string_movsq, 512, "rep movsq")
STRING(string_stosb, 4096, "rep stosb")
STRING(string_stosq_short, 8, "rep stosq")
STRING(string_cmpsb, 1024, "repe cmpsb")
static void zeroes(void *area)
{
	uint64_t *p = area;

	for (size_t i = 0; i < 2048; i++)
		p[i] = 0;
}

/* --- functions --- */
static uint32_t table[256];
static void crc_table(void *area)
{
	random_bytes(area);
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (unsigned k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[i] = c;
	}
}
static uint64_t function_crc(uint64_t n, void *area)
{
	const uint8_t *p = area;
	uint32_t c = 0;

	while (n--) {
		for (size_t i = 0; i < 1024; i++)
			c = c >> 8 ^ table[(c ^ p[i]) & 255];
	}
	return c;
}
static uint64_t function_fnv(uint64_t n, void *area)
{
	const uint8_t *p = area;
	uint64_t h = 0;

	while (n--) {
		for (size_t i = 0; i < 1024; i++)
			h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	}
	return h;
}
#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))
static uint64_t function_sip(uint64_t n, void *area)
{
	const uint64_t *p = area;
	uint64_t a = 1, b = 2, c = 3, d = 4;

	while (n--) {
		for (size_t i = 0; i < 64; i++) {
			d ^= p[i];
			a += b;
			b = ROTL(b, 13) ^ a;
			a = ROTL(a, 32);
			c += d;
			d = ROTL(d, 16) ^ c;
			a += d;
			d = ROTL(d, 21) ^ a;
			c += b;
			b = ROTL(b, 17) ^ c;
			c = ROTL(c, 32);
			a ^= p[i];
		}
	}
	return a ^ b ^ c ^ d;
}
static uint64_t function_matrix(uint64_t n, void *area)
{
	int32_t(*a)[16] = area, (*b)[16] = a + 16, (*r)[16] = b + 16;

	while (n--) {
		for (size_t i = 0; i < 16; i++) {
			for (size_t j = 0; j < 16; j++) {
				int32_t sum = 0;

				for (size_t k = 0; k < 16; k++)
					sum += a[i][k] * b[k][j];
				r[i][j] = sum;
			}
		}
		__asm__ volatile("" : : : "memory");
	}
	return (uint64_t)r[3][3];
}
static void doubles(void *area)
{
	double *p = area;

	for (size_t i = 0; i < 1024; i++)
		p[i] = (double)i / 7;
}
static uint64_t function_matrix_double(uint64_t n, void *area)
{
	double(*a)[16] = area, (*b)[16] = a + 16, (*r)[16] = b + 16;

	while (n--) {
		for (size_t i = 0; i < 16; i++) {
			for (size_t j = 0; j < 16; j++) {
				double sum = 0;

				for (size_t k = 0; k < 16; k++)
					sum += a[i][k] * b[k][j];
				r[i][j] = sum;
			}
		}
		__asm__ volatile("" : : : "memory");
	}
	return (uint64_t)r[3][3];
}
static uint64_t function_sort(uint64_t n, void *area)
{
	const uint8_t *from = area;
	uint32_t *v = (uint32_t *)((char *)area + RANDOM_BYTES);

	for (uint64_t k = 0; k < n; k++) {
		for (size_t i = 0; i < 64; i++)
			v[i] = from[(64 * k + i) % RANDOM_BYTES];
		for (size_t gap = 32; gap; gap /= 2) {
			for (size_t i = gap; i < 64; i++) {
				uint32_t x = v[i];
				size_t j = i;

				for (; j >= gap && v[j - gap] > x; j -= gap)
					v[j] = v[j - gap];
				v[j] = x;
			}
		}
		__asm__ volatile("" : : : "memory");
	}
	return v[7];
}
static uint64_t function_copy(uint64_t n, void *area)
{
	while (n--) {
		volatile uint64_t *to = (uint64_t *)((char *)area + 8192);
		const uint64_t *from = area;

		for (size_t i = 0; i < 512; i++)
			to[i] = from[i];
	}
	return n;
}
static void letters(void *area)
{
	uint8_t *p = area;

	random_bytes(area);
	for (size_t i = 0; i < RANDOM_BYTES; i++)
		p[i] = (uint8_t)('a' + p[i] % 4);
	p[1000] = 0;
}
static uint64_t function_strlen(uint64_t n, void *area)
{
	uint64_t sum = 0;

	while (n--) {
		const volatile char *p = area;

		while (*p)
			p++;
		sum += (uint64_t)(p - (const volatile char *)area);
	}
	return sum;
}
/* The inner loop of LZ77: the longest match among hashed candidates. */
static uint64_t function_match(uint64_t n, void *area)
{
	const uint8_t *p = area;
	uint16_t *last = (uint16_t *)((char *)area + RANDOM_BYTES);
	uint64_t sum = 0;

	for (uint64_t k = 0; k < n; k++) {
		size_t at = (k * 61) % 4096, length = 0;
		uint32_t h = (p[at] | (uint32_t)p[at + 1] << 8 |
			      (uint32_t)p[at + 2] << 16) *
				     2654435761u >>
			     22;
		size_t other = last[h] % 4096;

		while (length < 64 && p[at + length] == p[other + length])
			length++;
		last[h] = (uint16_t)at;
		sum += length;
	}
	return sum;
}
static uint64_t function_print(uint64_t n, void *area)
{
	char *to = area;
	size_t at = 0;

	for (uint64_t k = 0; k < n; k++) {
		uint64_t v = k * UINT64_C(0x9E3779B97F4A7C15) >> 20;
		char digit[24];
		size_t d = 0;

		do {
			digit[d++] = (char)('0' + v % 10);
			v /= 10;
		} while (v);
		for (at = 0; d;)
			to[at++] = digit[--d];
		to[at] = '\n';
		__asm__ volatile("" : : : "memory");
	}
	return at;
}
static uint64_t function_search(uint64_t n, void *area)
{
	const uint32_t *v = area;
	uint64_t sum = 0, x = 1;

	for (uint64_t k = 0; k < n; k++) {
		size_t low = 0, high = 1024;

		x = x * 25214903917 + 11;
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (v[middle] < (x >> 20 & 4095))
				low = middle + 1;
			else
				high = middle;
		}
		sum += low;
	}
	return sum;
}
static void ascending(void *area)
{
	uint32_t *v = area;

	for (uint32_t i = 0; i < 1024; i++)
		v[i] = 4 * i;
}
static uint64_t function_xorshift(uint64_t n, void *area)
{
	uint64_t x = 88172645463325252;

	(void)area;
	while (n--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}
static uint64_t function_sieve(uint64_t n, void *area)
{
	uint8_t *p = area;
	uint64_t count = 0;

	while (n--) {
		for (size_t i = 0; i < 1024; i++)
			p[i] = 1;
		for (size_t i = 2; i < 32; i++) {
			for (size_t j = i * i; p[i] && j < 1024; j += i)
				p[j] = 0;
		}
		count += p[1021];
	}
	return count;
}

/* --- memory --- */
#define LINE 64
#define SUM(name, bytes)                                                       \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		const volatile uint64_t *p = area;                             \
		uint64_t sum = 0;                                              \
                                                                               \
		for (uint64_t i = 0, at = 0; i < n; i++) {                     \
			sum += p[at / 8];                                      \
			at = (at + LINE) & ((bytes)-1);                        \
		}                                                              \
		return sum;                                                    \
	}
SUM(memory_line_l2, UINT64_C(512) << 10)
SUM(memory_line_llc, UINT64_C(8) << 20)
SUM(memory_line_dram, UINT64_C(64) << 20)
static void *next_of(void *area)
{
	return *(void *volatile *)area;
}
/* A cycle through all lines of so many bytes, in random order. */
static void chase_of(void *area, uint64_t bytes)
{
	uint64_t lines = bytes / LINE;
	char *p = area;

	/* Sattolo: swaps of links make one cycle. */
	state = 88172645463325252;
	for (uint64_t i = 0; i < lines; i++)
		*(void **)(p + i * LINE) = p + i * LINE;
	for (uint64_t i = lines - 1; i > 0; i--) {
		void **a = (void **)(p + i * LINE);
		void **b = (void **)(p + draw() % i * LINE);
		void *swap = *a;

		*a = *b;
		*b = swap;
	}
}
#define CHASE(name, bytes)                                                     \
	static void name##_prepare(void *area)                                 \
	{                                                                      \
		chase_of(area, bytes);                                         \
	}                                                                      \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		while (n--)                                                    \
			area = next_of(area);                                  \
		return (uintptr_t)area;                                        \
	}
CHASE(chase_l1, UINT64_C(16) << 10)
CHASE(memory_chase_l2, UINT64_C(512) << 10)
CHASE(memory_chase_llc, UINT64_C(8) << 20)
CHASE(memory_chase_dram, UINT64_C(64) << 20)
#define RANDOM(name, bytes)                                                    \
	static uint64_t name(uint64_t n, void *area)                           \
	{                                                                      \
		const volatile uint64_t *p = area;                             \
		uint64_t sum = 0, x = 1;                                       \
                                                                               \
		for (uint64_t i = 0; i < n; i++) {                             \
			x = x * UINT64_C(6364136223846793005) + 1;             \
			sum += p[(x >> 30) & ((bytes) / 8 - 1)];               \
		}                                                              \
		return sum;                                                    \
	}
RANDOM(random_l1, UINT64_C(16) << 10)
RANDOM(memory_random_l2, UINT64_C(512) << 10)
RANDOM(memory_random_llc, UINT64_C(8) << 20)
RANDOM(memory_random_dram, UINT64_C(64) << 20)
static uint64_t memory_store_dram(uint64_t n, void *area)
{
	volatile uint64_t *p = area;

	for (uint64_t i = 0, at = 0; i < n; i++) {
		p[at / 8] = i;
		at = (at + LINE) & (AREA_BYTES - 1);
	}
	return n;
}
/* A word in each page, without order: 16384 pages are more than TLBs hold, and
 * their lines fit a second cache. */
#define PAGES (AREA_BYTES / PAGE_BYTES)
static uint64_t in_page(uint64_t page)
{
	return page * PAGE_BYTES + page % 61 * LINE;
}
static void walk_prepare(void *area)
{
	char *p = area;

	state = 88172645463325252;
	for (uint64_t i = 0; i < PAGES; i++)
		*(void **)(p + in_page(i)) = p + in_page(i);
	for (uint64_t i = PAGES - 1; i > 0; i--) {
		void **a = (void **)(p + in_page(i));
		void **b = (void **)(p + in_page(draw() % i));
		void *swap = *a;

		*a = *b;
		*b = swap;
	}
}
static uint64_t memory_walk_chase(uint64_t n, void *area)
{
	while (n--)
		area = next_of(area);
	return (uintptr_t)area;
}
static uint64_t memory_walk_random(uint64_t n, void *area)
{
	uint64_t sum = 0, x = 1;

	for (uint64_t i = 0; i < n; i++) {
		x = x * UINT64_C(6364136223846793005) + 1;
		sum += *(volatile uint64_t *)((char *)area +
					      in_page((x >> 30) % PAGES));
	}
	return sum;
}

static void links_to_itself(void *area)
{
	*(void **)area = area;
}

const struct kernel kernels[] = {
	{"add", "chain", chain_add, NULL, 4000, false},
	{"imul", "chain", chain_imul, NULL, 1500, false},
	{"shift", "chain", chain_shift, NULL, 4000, false},
	{"mixed", "chain", chain_mixed, NULL, 2000, false},
	{"adc", "chain", chain_adc, NULL, 4000, false},
	{"cmov", "chain", chain_cmov, NULL, 4000, false},
	{"load", "chain", chain_load, links_to_itself, 1000, false},
	{"forward", "chain", chain_forward, NULL, 1000, false},
	{"forward2", "chain", chain_forward2, NULL, 1000, false},
	{"addsd", "chain", chain_addsd, NULL, 1500, false},
	{"mulsd", "chain", chain_mulsd, NULL, 1500, false},
	{"paddd", "chain", chain_paddd, NULL, 4000, false},
	{"pmuludq", "chain", chain_pmulld, NULL, 1500, false},
	{"transfer", "chain", chain_transfer, NULL, 1500, false},
	{"chase_l1", "chain", chase_l1, chase_l1_prepare, 20000, false},
	{"add", "units", units_add, NULL, 8000, false},
	{"imul", "units", units_imul, NULL, 4000, false},
	{"shift", "units", units_shift, NULL, 8000, false},
	{"load", "units", units_load, NULL, 8000, false},
	{"store", "units", units_store, NULL, 4000, false},
	{"copy", "units", units_copy, NULL, 4000, false},
	{"lea", "units", units_lea, NULL, 8000, false},
	{"nop", "units", units_nop, NULL, 8000, false},
	{"move", "units", units_move, NULL, 8000, false},
	{"addps", "units", units_addps, NULL, 4000, false},
	{"mulps", "units", units_mulps, NULL, 4000, false},
	{"paddd", "units", units_paddd, NULL, 8000, false},
	{"pshufd", "units", units_shuffle, NULL, 4000, false},
	{"load_add", "units", units_load_add, NULL, 8000, false},
	{"loadps", "units", units_loadps, NULL, 6000, false},
	{"both", "units", units_both, NULL, 8000, false},
	{"setcc", "units", units_setcc, NULL, 8000, false},
	{"push_pop", "units", units_push, NULL, 8000, false},
	{"random_l1", "units", random_l1, NULL, 20000, false},
	{"div64", "division", div_64, NULL, 2000, false},
	{"div32_chain", "division", div_32_chain, NULL, 2000, false},
	{"divsd_chain", "division", div_double, NULL, 6000, false},
	{"sqrtsd", "division", div_sqrt, NULL, 1500, false},
	{"not_taken", "branch", branch_not_taken, NULL, 6000, false},
	{"taken", "branch", branch_taken, NULL, 6000, false},
	{"alternate", "branch", branch_alternate, NULL, 40000, false},
	{"every_8", "branch", branch_every_8, NULL, 40000, false},
	{"random_half", "branch", branch_random_half, random_bytes, 65536,
	 false},
	{"random_tenth", "branch", branch_random_tenth, random_bytes, 65536,
	 false},
	{"indirect", "branch", branch_indirect, NULL, 20000, false},
	{"indirect_random", "branch", branch_indirect_random, random_bytes,
	 65536, false},
	{"calls", "branch", branch_calls, NULL, 400, false},
	{"movsb_4k", "string", string_movsb, NULL, 600, false},
	{"movsq_4k", "string", string_movsq, NULL, 600, false},
	{"stosb_4k", "string", string_stosb, NULL, 600, false},
	{"stosq_64", "string", string_stosq_short, NULL, 3000, false},
	{"cmpsb_1k", "string", string_cmpsb, zeroes, 50, false},
	{"crc", "function", function_crc, crc_table, 30, false},
	{"fnv", "function", function_fnv, random_bytes, 30, false},
	{"sip", "function", function_sip, random_bytes, 200, false},
	{"matrix", "function", function_matrix, random_bytes, 40, false},
	{"matrix_double", "function", function_matrix_double, doubles, 20,
	 false},
	{"sort", "function", function_sort, random_bytes, 200, false},
	{"copy", "function", function_copy, random_bytes, 300, false},
	{"strlen", "function", function_strlen, letters, 150, false},
	{"match", "function", function_match, letters, 10000, false},
	{"print", "function", function_print, NULL, 4000, false},
	{"search", "function", function_search, ascending, 5000, false},
	{"xorshift", "function", function_xorshift, NULL, 40000, false},
	{"sieve", "function", function_sieve, NULL, 60, false},
	{"line_l2", "memory", memory_line_l2, NULL, 40000, false},
	{"line_llc", "memory", memory_line_llc, NULL, 130000, false},
	{"line_dram", "memory", memory_line_dram, NULL, 1000000, false},
	{"chase_l2", "memory", memory_chase_l2, memory_chase_l2_prepare, 30000,
	 false},
	{"chase_llc", "memory", memory_chase_llc, memory_chase_llc_prepare,
	 130000, false},
	{"chase_dram", "memory", memory_chase_dram, memory_chase_dram_prepare,
	 100000, false},
	{"random_l2", "memory", memory_random_l2, NULL, 40000, false},
	{"random_llc", "memory", memory_random_llc, NULL, 130000, false},
	{"random_dram", "memory", memory_random_dram, NULL, 300000, false},
	{"store_dram", "memory", memory_store_dram, NULL, 1000000, false},
	{"walk_chase", "memory", memory_walk_chase, walk_prepare, 32768, true},
	{"walk_random", "memory", memory_walk_random, walk_prepare, 32768,
	 true},
};
const size_t kernel_count = sizeof(kernels) / sizeof(kernels[0]);

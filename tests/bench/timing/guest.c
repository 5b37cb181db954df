/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/timing/guest.c - each kernel in the machine: "class name cycles"
 * on the serial line, by its TSC. */
#include "kernels.h"

#define AREA                                                                   \
	((void *)UINT64_C(0x8000000)) /* identity-mapped, as start.S says */

/* The same memory in small pages, from the second GiB on. */
#define SMALL   ((void *)UINT64_C(0x40000000))
#define TABLE   512
#define PRESENT UINT64_C(3) /* and writable */
#define TABLES  (AREA_BYTES / PAGE_BYTES / TABLE)

extern uint64_t pointers[TABLE]; /* of start.S */
static __attribute__((aligned(4096))) uint64_t directory[TABLE];
static __attribute__((aligned(4096))) uint64_t table[TABLES][TABLE];

int main(const uint32_t *info);
void map_page(uint64_t address);

static void put_char(char c)
{
	uint8_t ready;

	do {
		__asm__ volatile("inb %1, %0"
				 : "=a"(ready)
				 : "Nd"((uint16_t)0x3FD));
	} while (!(ready & 0x20));
	__asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)0x3F8));
}

static void put(const char *s)
{
	while (*s)
		put_char(*s++);
}

static void put_number(uint64_t v, unsigned width)
{
	char digit[24];
	unsigned n = 0;

	do {
		digit[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v || n < width);
	while (n)
		put_char(digit[--n]);
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

void map_page(uint64_t address) /* of start.S; nothing faults here */
{
	(void)address;
}

static void map_small(void)
{
	for (uint64_t i = 0; i < TABLES; i++) {
		for (uint64_t k = 0; k < TABLE; k++)
			table[i][k] = ((uintptr_t)AREA +
				       (i * TABLE + k) * PAGE_BYTES) |
				      PRESENT;
		directory[i] = (uintptr_t)table[i] | PRESENT;
	}
	pointers[1] = (uintptr_t)directory | PRESENT;
}

int main(const uint32_t *info)
{
	(void)info;
	map_small();
	for (size_t k = 0; k < kernel_count; k++) {
		void *area = kernels[k].pages ? SMALL : AREA;
		uint64_t t;

		for (uint64_t i = 0; i < AREA_BYTES / 8; i++)
			((volatile uint64_t *)area)[i] = i;
		if (kernels[k].prepare)
			kernels[k].prepare(area);
		kernels[k].run(kernels[k].n, area);
		t = tsc();
		kernels[k].run(kernels[k].n, area);
		t = 1000 * (tsc() - t) / kernels[k].n;
		put(kernels[k].class);
		put(" ");
		put(kernels[k].name);
		put(" ");
		put_number(t / 1000, 1);
		put(".");
		put_number(t % 1000, 3);
		put("\n");
	}
	return 0;
}

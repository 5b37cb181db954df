/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/string.c - the four functions that compilers call by themselves.
 */
#include "monitor/monitor.h"

/* Words first: a CPU without fast string operations, or a simulator of one,
 * takes as long for a byte as for eight. */
void *memset(void *to, int c, size_t n)
{
	uint64_t word = (uint8_t)c * 0x0101010101010101ull;
	size_t words = n / 8, bytes = n % 8;
	void *d = to;

	__asm__ volatile("rep stosq"
			 : "+D"(d), "+c"(words)
			 : "a"(word)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(d), "+c"(bytes)
			 : "a"(word)
			 : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	size_t words = n / 8, bytes = n % 8;
	void *d = to;

	__asm__ volatile("rep movsq"
			 : "+D"(d), "+S"(from), "+c"(words)
			 :
			 : "memory");
	__asm__ volatile("rep movsb"
			 : "+D"(d), "+S"(from), "+c"(bytes)
			 :
			 : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	while (n--) {
		d[n] = s[n];
		__asm__ volatile("" : : : "memory"); /* stay a loop */
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

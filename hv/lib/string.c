/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/string.c - see string.h.  REP MOVS and REP STOS: short, and fast on
 * every CPU that can run this; words first, because a simulated CPU takes as
 * long for a byte as for eight. */
#include "lib/string.h"

#include <stdint.h>

#if !__STDC_HOSTED__

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	size_t words = bytes / 8, rest = bytes % 8;
	void *at = to;

	__asm__ volatile("rep movsq"
			 : "+D"(at), "+S"(from), "+c"(words)
			 :
			 : "memory");
	__asm__ volatile("rep movsb"
			 : "+D"(at), "+S"(from), "+c"(rest)
			 :
			 : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if (d <= s || d >= s + bytes)
		return memcpy(to, from, bytes);
	while (bytes-- > 0) {
		d[bytes] = s[bytes];
		__asm__ volatile("" ::: "memory"); /* not a call to itself */
	}
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	uint64_t word = (unsigned char)value * 0x0101010101010101ull;
	size_t words = bytes / 8, rest = bytes % 8;
	void *at = to;

	__asm__ volatile("rep stosq"
			 : "+D"(at), "+c"(words)
			 : "a"(word)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(at), "+c"(rest)
			 : "a"(word)
			 : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n] != '\0') {
		n++;
		__asm__ volatile("" ::: "memory");
	}
	return n;
}

size_t strnlen(const char *text, size_t max)
{
	size_t n = 0;

	while (n < max && text[n] != '\0')
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (size_t i = 0; i < max; i++) {
		unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

		if (x != y)
			return x < y ? -1 : 1;
		if (x == '\0')
			return 0;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, (size_t)-1);
}

char *strchr(const char *text, int c)
{
	for (;; text++) {
		if (*text == (char)c)
			return (char *)(size_t)text;
		if (*text == '\0')
			return NULL;
	}
}

#endif

void str_field(char *to, const char *from, size_t bytes)
{
	size_t n = strnlen(from, bytes - 1);

	memset(to, 0, bytes);
	memcpy(to, from, n);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/string.h - the part of <string.h> that the programs use.
 *
 * The compiler may call the first four on its own.  In a hosted build the C
 * library's are used.
 */
#ifndef PARTERRE_LIB_STRING_H
#define PARTERRE_LIB_STRING_H

#include <stddef.h>

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *text, int c);
#endif

/* Copy text into a field of `bytes`, cut if need be, always NUL-terminated
 * and NUL-padded. */
void str_field(char *to, const char *from, size_t bytes);

#endif

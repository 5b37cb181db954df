/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Linux kernel's table of symbols, made here as scripts/kallsyms.c lays it
 * out, found in RAM; and names from a text. */
#include "sim/kernel_names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RAM_BYTES 0x40000
#define BASE      UINT64_C(0xffffffffa3000000)
#define SYMBOLS   600  /* three markers */
#define KER       0x80 /* the token "ker" */

static _Alignas(4096) uint8_t ram[RAM_BYTES];
static const struct cpu_ram piece = {
	.base = 0x100000, .bytes = RAM_BYTES, .host = ram};

static uint64_t put(uint64_t at, uint64_t value, unsigned bytes)
{
	memcpy(ram + at, &value, bytes); /* the host is little-endian */
	return at + bytes;
}

static uint64_t aligned(uint64_t at)
{
	return (at + 7) & ~UINT64_C(7);
}

/* Symbol i is "kerN", T, 16 bytes long, but for every tenth: data.  The first
 * is a CPU's own, at an absolute address. */
static uint64_t put_offsets(uint64_t at)
{
	at = put(at, 0x1f000, 4);
	for (unsigned i = 1; i < SYMBOLS; i++)
		at = put(at, (uint64_t)(-1 - (int64_t)(16 * i)), 4);
	return put(aligned(at), BASE, 8);
}

static uint64_t put_names(uint64_t at, uint64_t *marker)
{
	uint64_t names = at;

	for (unsigned i = 0; i < SYMBOLS; i++) {
		char number[8];
		size_t n = (size_t)snprintf(number, sizeof(number), "%u", i);

		if (i % 256 == 0)
			marker[i / 256] = at - names;
		ram[at++] = (uint8_t)(2 + n);
		ram[at++] = i % 10 ? 'T' : 'D';
		ram[at++] = KER;
		memcpy(ram + at, number, n);
		at += n;
	}
	return at;
}

static uint64_t put_tokens(uint64_t at)
{
	uint64_t table = at, index[256];

	for (unsigned i = 0; i < 256; i++) {
		index[i] = at - table;
		if (i == KER)
			at += (uint64_t)sprintf((char *)ram + at, "ker");
		else
			ram[at++] = i ? (uint8_t)i : 'z';
		ram[at++] = '\0';
	}
	at = aligned(at);
	for (unsigned i = 0; i < 256; i++)
		at = put(at, index[i], 2);
	return at;
}

enum layout {
	BEFORE, /* offsets are before the names */
	ORDER,  /* ... and an order by names before the tokens */
	BEHIND, /* offsets are behind the tokens */
};

/* Where a kernel might have it; returns where the markers are. */
static uint64_t put_table(uint64_t at, enum layout layout)
{
	uint64_t marker[3], markers;

	memset(ram, 0, sizeof(ram));
	memset(ram + at - 64, 0xcc, 64);
	if (layout != BEHIND)
		at = put_offsets(at);
	at = aligned(put(at, SYMBOLS, 4));
	markers = at = aligned(put_names(at, marker));
	for (unsigned i = 0; i < 3; i++)
		at = put(at, marker[i], 4);
	at = aligned(at);
	for (unsigned i = 0; i < SYMBOLS && layout == ORDER; i++) {
		ram[at++] = 0;
		ram[at++] = (uint8_t)(i * 7 % SYMBOLS >> 8);
		ram[at++] = (uint8_t)(i * 7 % SYMBOLS);
	}
	at = aligned(put_tokens(aligned(at)));
	if (layout == BEHIND)
		at = put_offsets(at);
	memset(ram + at, 0xcc, 64);
	return markers;
}

static const char *at(const struct kernel_names *n, vaddr_t va)
{
	uint64_t offset = 0;
	const char *name = kernel_names_function(n, va, &offset);
	static char text[64];

	snprintf(text, sizeof(text), "%s+%u", name ? name : "none",
		 (unsigned)offset);
	return text;
}

static void finds_all(void)
{
	struct kernel_names *n = kernel_names_look(&piece);

	cr_assert_not_null(n);
	cr_assert_str_eq(at(n, BASE + 16), "ker1+0");
	cr_assert_str_eq(at(n, BASE + 16 * 255 + 3), "ker255+3");
	cr_assert_str_eq(at(n, BASE + 16 * 257 + 15), "ker257+15");
	cr_assert_str_eq(at(n, BASE + 16 * 599), "ker599+0");
	/* Data is no function, and ends the one before. */
	cr_assert_str_eq(at(n, BASE + 16 * 260), "none+0");
	cr_assert_str_eq(at(n, 0x1f008), "none+0");
	cr_assert_str_eq(at(n, 0x100), "none+0");
	kernel_names_free(n);
}

Test(kernel_names, up_to_6_1)
{
	put_table(0x1238, BEFORE);
	finds_all();
	/* The digits lie across two pages. */
	for (uint64_t at = 0x2000; at < 0x2020; at += 8) {
		put_table(at + 0xb40, BEFORE);
		finds_all();
	}
}

Test(kernel_names, with_an_order)
{
	put_table(0x1238, ORDER);
	finds_all();
}

Test(kernel_names, from_6_4_on)
{
	put_table(0x1238, BEHIND);
	finds_all();
}

Test(kernel_names, that_do_not_agree_are_none)
{
	uint64_t markers = put_table(0x1238, BEFORE);

	ram[markers + 4]++;
	cr_assert_null(kernel_names_look(&piece));
	put_table(0x1238, BEFORE);
	ram[0x1238 + 4 * SYMBOLS + 16]++; /* how long the first name is */
	cr_assert_null(kernel_names_look(&piece));
	put_table(0x1238, BEFORE);
	put(0x1238 + 4 * SYMBOLS, 0x1000, 8); /* no kernel is there */
	cr_assert_null(kernel_names_look(&piece));
	memset(ram, 0, sizeof(ram));
	cr_assert_null(kernel_names_look(&piece));
}

/* Whatever is there: nothing is read that is not RAM's (a sanitizer sees). */
Test(kernel_names, survive_anything)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 2000; round++) {
		put_table(0x1238, (enum layout)(round % 3));
		for (unsigned i = 0; i < 8; i++) {
			seed = seed * 1664525 + 1013904223;
			ram[0x1238 + (seed >> 8) % 0x2400] =
				(uint8_t)(seed >> 24);
		}
		kernel_names_free(kernel_names_look(&piece));
	}
	/* At the very end, and cut off there. */
	for (unsigned cut = 0; cut < 0x3000; cut += 0x88) {
		struct cpu_ram end = piece;

		put_table(0x1238, (enum layout)(cut / 8 % 3));
		end.bytes = 0x4000;
		memmove(ram + cut, ram, 0x4000 - cut);
		kernel_names_free(kernel_names_look(&end));
	}
}

static struct kernel_names *read_text(const char *text, struct error *err)
{
	char path[] = "/tmp/kernel-names-XXXXXX";
	int fd = mkstemp(path);
	struct kernel_names *n;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	n = kernel_names_read(path, err);
	unlink(path);
	return n;
}

Test(kernel_names, of_a_text)
{
	struct error err;
	struct kernel_names *n = read_text("         U elsewhere\n"
					   "00001040 t local\n"
					   "00001000 T main\n"
					   "00001080 B buffer\n"
					   "ffffffffc0000000 t f\t[module]\n",
					   &err);

	cr_assert_not_null(n, "%s", err.text);
	cr_assert_str_eq(at(n, 0x103f), "main+63");
	cr_assert_str_eq(at(n, 0x1040), "local+0");
	cr_assert_str_eq(at(n, 0x1080), "none+0");
	cr_assert_str_eq(at(n, 0xfff), "none+0");
	cr_assert_str_eq(at(n, 0xffffffffc0000010), "f+16");
	kernel_names_free(n);
	cr_assert_null(read_text("00001000 T main\nnonsense\n", &err));
	cr_assert(strstr(err.text, ":2: not a line"), "%s", err.text);
	cr_assert_null(read_text("", &err));
	cr_assert_null(kernel_names_read("/nowhere/at/all", &err));
}

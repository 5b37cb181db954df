/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page walk in its four forms, with what the manual forbids. */
#include <criterion/criterion.h>
#include <string.h>

#include "cpu/walk.h"

static uint8_t ram[0x10000];

static bool read64(void *owner, paddr_t pa, uint64_t *value)
{
	(void)owner;
	if (pa + 8 > sizeof(ram))
		return false;
	memcpy(value, ram + pa, 8);
	return true;
}

static void put(uint64_t pa, uint64_t value)
{
	memcpy(ram + pa, &value, 8);
}

static void put32(uint64_t pa, uint32_t value)
{
	memcpy(ram + pa, &value, 4);
}

static struct walk_root root4(void)
{
	memset(ram, 0, sizeof(ram));
	return (struct walk_root){
		.cr0 = WALK_CR0_PG,
		.cr3 = 0x1000,
		.cr4 = WALK_CR4_PAE,
		.efer = WALK_EFER_LMA | WALK_EFER_NXE,
		.read64 = read64,
	};
}

Test(walk, without_paging)
{
	struct walk_root r = root4();
	struct walk_result w;

	r.cr0 = 0;
	cr_assert(walk(&r, 0x123456789, &w));
	cr_assert_eq(w.pa, 0x123456789);
	cr_assert_eq(w.levels, 0);
	cr_assert(w.user && w.writable && w.executable);
}

Test(walk, four_levels_4k)
{
	struct walk_root r = root4();
	struct walk_result w;
	vaddr_t va = UINT64_C(0xffff800040201abc);

	put(0x1000 + 8 * 256, 0x2007);
	put(0x2000 + 8 * 1, 0x3003);
	put(0x3000 + 8 * 1, 0x4007);
	put(0x4000 + 8 * 1, UINT64_C(0x8000000abcdef005));
	cr_assert(walk(&r, va, &w));
	cr_assert_eq(w.pa, UINT64_C(0xabcdefabc));
	cr_assert_eq(w.page_bytes, 4096);
	cr_assert_eq(w.levels, 4);
	cr_assert_eq(w.entry_pa[3], 0x4008);
	cr_assert(!w.user && !w.writable && !w.executable);
	put(0x4008, 0);
	cr_assert(!walk(&r, va, &w));
	cr_assert_eq(w.levels, 4);
	cr_assert(!w.reserved);
}

Test(walk, large_pages)
{
	struct walk_root r = root4();
	struct walk_result w;

	put(0x1000, 0x2007);
	put(0x2000, 0x40000087);
	put(0x2008, 0x3007);
	put(0x3000, 0x00600087);
	cr_assert(walk(&r, 0x12345678, &w));
	cr_assert_eq(w.pa, 0x52345678);
	cr_assert_eq(w.page_bytes, UINT64_C(1) << 30);
	cr_assert(walk(&r, 0x40012345, &w));
	cr_assert_eq(w.pa, 0x612345);
	cr_assert_eq(w.page_bytes, UINT64_C(2) << 20);
}

Test(walk, reserved_bits)
{
	struct walk_root r = root4();
	struct walk_result w;
	static const struct {
		uint64_t pa, value;
	} bad[] = {
		{0x1000, 0x2087},                       /* PS in PML4E */
		{0x2000, 0x40002087},                   /* low bits, 1 GiB */
		{0x3000, 0x00002087},                   /* low bits, 2 MiB */
		{0x4000, UINT64_C(0x0000010000005007)}, /* bit 40 */
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		r = root4();
		put(0x1000, 0x2007);
		put(0x2000, 0x3007);
		put(0x3000, 0x4007);
		put(0x4000, 0x5007);
		cr_assert(walk(&r, 0, &w));
		put(bad[i].pa, bad[i].value);
		cr_assert(!walk(&r, 0, &w));
		cr_assert(w.reserved, "case %zu", i);
	}
	r = root4();
	put(0x1000, UINT64_C(1) << 63 | 0x2007);
	r.efer &= ~WALK_EFER_NXE;
	cr_assert(!walk(&r, 0, &w) && w.reserved);
}

Test(walk, table_outside_of_ram_reads_as_ones)
{
	struct walk_root r = root4();
	struct walk_result w;

	r.cr3 = 0x100000;
	cr_assert(!walk(&r, 0, &w));
	cr_assert(w.reserved);
}

Test(walk, pae)
{
	struct walk_root r = root4();
	struct walk_result w;

	r.efer = 0;
	r.cr3 = 0x1020; /* 32-byte aligned */
	put(0x1020 + 8 * 3, 0x2001);
	put(0x2000 + 8 * 511, 0x3007);
	put(0x3000 + 8 * 511, 0x7003);
	cr_assert(walk(&r, UINT64_C(0x5fffffff0), &w)); /* 32 bits count */
	cr_assert_eq(w.pa, 0x7ff0);
	cr_assert(w.pae && w.writable && !w.user && w.executable);
	put(0x3000 + 8 * 511, UINT64_C(1) << 52 | 0x7003);
	cr_assert(!walk(&r, 0xfffffff0, &w) && w.reserved);
	put(0x3000 + 8 * 511, 0x7003);
	put(0x2000 + 8 * 511, UINT64_C(1) << 62 | 0x3007);
	cr_assert(!walk(&r, 0xfffffff0, &w) && w.reserved);
	put(0x2000 + 8 * 511, 0x3007);
	put(0x1020 + 8 * 3, 0x2003); /* R/W is reserved there */
	cr_assert(!walk(&r, 0xfffffff0, &w) && w.reserved);
}

Test(walk, two_levels)
{
	struct walk_root r = root4();
	struct walk_result w;

	r.efer = 0;
	r.cr4 = WALK_CR4_PSE;
	put32(0x1004, 0x2007);
	put32(0x2004, 0x9005);
	put32(0x1008, 0x00c02087); /* PSE-36: bits 13-20 are 32-39 */
	cr_assert(walk(&r, 0x401234, &w));
	cr_assert_eq(w.pa, 0x9234);
	cr_assert(w.user && !w.writable);
	cr_assert(walk(&r, 0x812345, &w));
	cr_assert_eq(w.pa, UINT64_C(0x100c12345));
	cr_assert_eq(w.page_bytes, UINT64_C(4) << 20);
	put32(0x1008, 0x00e00087);
	cr_assert(!walk(&r, 0x812345, &w) && w.reserved);
	r.cr4 = 0; /* PS is then ignored */
	put32(0x1008, 0x00002087);
	cr_assert(walk(&r, 0x801000, &w));
	cr_assert_eq(w.pa, 0x9000);
}

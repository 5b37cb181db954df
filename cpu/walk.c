/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/walk.c - one level after the other. */
#include "cpu/walk.h"

#include <string.h>

#define P  UINT64_C(1)
#define W  UINT64_C(2)
#define U  UINT64_C(4)
#define PS UINT64_C(0x80)
#define XD (UINT64_C(1) << 63)

#define FRAME_MASK (((UINT64_C(1) << WALK_PA_BITS) - 1) & ~(PAGE_BYTES - 1))
/* Address bits that this processor does not have. */
#define BEYOND ((UINT64_C(1) << 52) - (UINT64_C(1) << WALK_PA_BITS))

/* Bits that must be 0 in an entry with 8 bytes that ends the walk in a page of
 * 2^shift bytes; shift 0: that points to a table. */
static uint64_t reserved_bits(const struct walk_root *r, unsigned shift,
			      bool pae_top)
{
	uint64_t bits = BEYOND;

	if (!(r->efer & WALK_EFER_NXE))
		bits |= XD;
	if (shift > 12)
		bits |= ((UINT64_C(1) << shift) - 1) & ~UINT64_C(0x1fff);
	if (pae_top) /* 4.4.1: bits 2:1, 8:5 and 63:52 too */
		bits |= UINT64_C(0x1e6) | (UINT64_C(0xfff) << 52);
	return bits;
}

static bool table_entry(const struct walk_root *r, paddr_t pa,
			struct walk_result *out)
{
	uint64_t e;

	out->entry_pa[out->levels] = pa;
	if (!r->read64(r->owner, pa & ~UINT64_C(7), &e))
		e = UINT64_MAX; /* nobody answers: all ones */
	out->entry[out->levels++] = e;
	return e & P;
}

static void restrict_rights(struct walk_result *out, uint64_t e)
{
	out->writable = out->writable && (e & W);
	out->user = out->user && (e & U);
}

/* PAE and 4-level: `level` 4 to 1. */
static bool walk64(const struct walk_root *r, vaddr_t va, unsigned top,
		   struct walk_result *out)
{
	paddr_t table = r->cr3 & FRAME_MASK;

	if (top == 3)
		table = r->cr3 & UINT64_C(0xffffffe0);
	for (unsigned level = top; level; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t index =
			va >> shift & (top == 3 && level == 3 ? 3 : 511);
		bool pae_top = top == 3 && level == 3;
		bool last, large;
		uint64_t e;

		if (!table_entry(r, table + 8 * index, out))
			return false;
		e = out->entry[out->levels - 1];
		large = level == 2 || (level == 3 && !pae_top);
		last = level == 1 || (large && (e & PS));
		if ((e & reserved_bits(r, last ? shift : 0, pae_top)) ||
		    (level == 4 && (e & PS))) {
			out->reserved = true;
			return false;
		}
		if (!pae_top) {
			restrict_rights(out, e);
			if (e & XD)
				out->executable = false;
		}
		if (last) {
			out->page_bytes = UINT64_C(1) << shift;
			out->pa = (e & FRAME_MASK & ~(out->page_bytes - 1)) |
				  (va & (out->page_bytes - 1));
			return true;
		}
		table = e & FRAME_MASK;
	}
	return false;
}

/* An entry of 4 bytes, which `out` keeps as its value alone. */
static bool table_entry32(const struct walk_root *r, paddr_t pa,
			  struct walk_result *out)
{
	unsigned at = out->levels;

	table_entry(r, pa, out);
	out->entry[at] = (uint32_t)(out->entry[at] >> (pa & 4 ? 32 : 0));
	return out->entry[at] & P;
}

static bool walk32(const struct walk_root *r, vaddr_t va,
		   struct walk_result *out)
{
	paddr_t table = r->cr3 & UINT64_C(0xfffff000);
	uint64_t e;

	va = (uint32_t)va;
	if (!table_entry32(r, table + 4 * (va >> 22), out))
		return false;
	e = out->entry[0];
	restrict_rights(out, e);
	if ((e & PS) && (r->cr4 & WALK_CR4_PSE)) {
		if (e & (UINT64_C(1) << 21)) {
			out->reserved = true;
			return false;
		}
		out->page_bytes = UINT64_C(4) << 20;
		out->pa = (e & UINT64_C(0xffc00000)) | (e >> 13 & 0xff) << 32 |
			  (va & (out->page_bytes - 1));
		return true;
	}
	table = e & UINT64_C(0xfffff000);
	if (!table_entry32(r, table + 4 * (va >> 12 & 1023), out))
		return false;
	e = out->entry[1];
	restrict_rights(out, e);
	out->page_bytes = PAGE_BYTES;
	out->pa = (e & UINT64_C(0xfffff000)) | (va & (PAGE_BYTES - 1));
	return true;
}

bool walk(const struct walk_root *r, vaddr_t va, struct walk_result *out)
{
	memset(out, 0, sizeof(*out));
	out->writable = out->user = out->executable = true;
	if (!(r->cr0 & WALK_CR0_PG)) {
		out->pa = va;
		out->page_bytes = PAGE_BYTES;
		return true;
	}
	if (r->efer & WALK_EFER_LMA)
		return walk64(r, va, 4, out);
	if (!(r->cr4 & WALK_CR4_PAE))
		return walk32(r, va, out);
	out->pae = true;
	return walk64(r, (uint32_t)va, 3, out);
}

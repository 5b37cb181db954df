/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/walk_inline.h - walk() of walk.h as code for a caller's own loop: the CPU
 * fills its TLB some million times a second, and with a reader that the
 * compiler sees, a walk takes half of the time.
 */
#ifndef PARTERRE_CPU_WALK_INLINE_H
#define PARTERRE_CPU_WALK_INLINE_H

#include "cpu/walk.h"

#define WALK_P  UINT64_C(1)
#define WALK_W  UINT64_C(2)
#define WALK_U  UINT64_C(4)
#define WALK_PS UINT64_C(0x80)
#define WALK_XD (UINT64_C(1) << 63)

#define WALK_FRAME_MASK                                                        \
	(((UINT64_C(1) << WALK_PA_BITS) - 1) & ~(PAGE_BYTES - 1))
/* Address bits that this processor does not have. */
#define WALK_BEYOND ((UINT64_C(1) << 52) - (UINT64_C(1) << WALK_PA_BITS))

/* Bits that must be 0 in an entry with 8 bytes that ends the walk in a page of
 * 2^shift bytes; shift 0: that points to a table. */
static inline uint64_t walk_reserved_bits(const struct walk_root *r,
					  unsigned shift, bool pae,
					  bool pae_top)
{
	uint64_t bits = WALK_BEYOND;

	if (pae) /* 4.4.2: no bits for software up there */
		bits |= UINT64_C(0x7ff) << 52;
	if (!(r->efer & WALK_EFER_NXE))
		bits |= WALK_XD;
	if (shift > 12)
		bits |= ((UINT64_C(1) << shift) - 1) & ~UINT64_C(0x1fff);
	if (pae_top) /* 4.4.1: bits 2:1, 8:5 and 63:52 too */
		bits |= UINT64_C(0x1e6) | (UINT64_C(0xfff) << 52);
	return bits;
}

static inline bool walk_entry(const struct walk_root *r, paddr_t pa,
			      struct walk_result *out)
{
	uint64_t e;

	out->entry_pa[out->levels] = pa;
	if (!r->read64(r->owner, pa & ~UINT64_C(7), &e))
		e = UINT64_MAX; /* nobody answers: all ones */
	out->entry[out->levels++] = e;
	return e & WALK_P;
}

static inline void walk_restrict(struct walk_result *out, uint64_t e)
{
	out->writable = out->writable && (e & WALK_W);
	out->user = out->user && (e & WALK_U);
}

/* PAE and 4-level: `level` 4 to 1. */
static inline __attribute__((always_inline)) bool
walk64(const struct walk_root *r, vaddr_t va, unsigned top,
       struct walk_result *out)
{
	paddr_t table = r->cr3 & WALK_FRAME_MASK;

	if (top == 3)
		table = r->cr3 & UINT64_C(0xffffffe0);
#pragma GCC unroll 4
	for (unsigned level = top; level; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t index =
			va >> shift & (top == 3 && level == 3 ? 3 : 511);
		bool pae_top = top == 3 && level == 3;
		bool last, large;
		uint64_t e;

		if (!walk_entry(r, table + 8 * index, out))
			return false;
		e = out->entry[out->levels - 1];
		large = level == 2 || (level == 3 && !pae_top);
		last = level == 1 || (large && (e & WALK_PS));
		if ((e & walk_reserved_bits(r, last ? shift : 0, top == 3,
					    pae_top)) ||
		    (level == 4 && (e & WALK_PS))) {
			out->reserved = true;
			return false;
		}
		if (!pae_top) {
			walk_restrict(out, e);
			if (e & WALK_XD)
				out->executable = false;
		}
		if (last) {
			out->page_bytes = UINT64_C(1) << shift;
			out->pa =
				(e & WALK_FRAME_MASK & ~(out->page_bytes - 1)) |
				(va & (out->page_bytes - 1));
			return true;
		}
		table = e & WALK_FRAME_MASK;
	}
	return false;
}

/* An entry of 4 bytes, which `out` keeps as its value alone. */
static inline bool walk_entry32(const struct walk_root *r, paddr_t pa,
				struct walk_result *out)
{
	unsigned at = out->levels;

	walk_entry(r, pa, out);
	out->entry[at] = (uint32_t)(out->entry[at] >> (pa & 4 ? 32 : 0));
	return out->entry[at] & WALK_P;
}

static inline bool walk32(const struct walk_root *r, vaddr_t va,
			  struct walk_result *out)
{
	paddr_t table = r->cr3 & UINT64_C(0xfffff000);
	uint64_t e;

	va = (uint32_t)va;
	if (!walk_entry32(r, table + 4 * (va >> 22), out))
		return false;
	e = out->entry[0];
	walk_restrict(out, e);
	if ((e & WALK_PS) && (r->cr4 & WALK_CR4_PSE)) {
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
	if (!walk_entry32(r, table + 4 * (va >> 12 & 1023), out))
		return false;
	e = out->entry[1];
	walk_restrict(out, e);
	out->page_bytes = PAGE_BYTES;
	out->pa = (e & UINT64_C(0xfffff000)) | (va & (PAGE_BYTES - 1));
	return true;
}

static inline __attribute__((always_inline)) bool
walk_inline(const struct walk_root *r, vaddr_t va, struct walk_result *out)
{
	out->pa = 0;
	out->page_bytes = 0;
	out->reserved = out->pae = false;
	out->levels = 0;
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

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/space.c - a guest's user address spaces: real page tables in the
 * guest's own frames, written by the monitor alone.
 *
 * A frame is one thing at a time, and its entry in the kernel address space
 * says what (paging.c):
 *
 *   data     the kernel has it mapped; the entry counts its user mappings
 *   table    the kernel has it not; the entry holds FRAME_TABLE and whose
 *
 * Data becomes a table only with no user mapping left, so no partition program
 * ever has a page table mapped; a table becomes data again when its space is
 * destroyed.  A guest names its frames by their place in its memory, which the
 * view translates: a foreign frame cannot even be named, and a guest that was
 * moved to other frames need not know.  A call asks the view once, at its
 * beginning.
 *
 * Destroying looks at one block of frames at a time and then restarts the call,
 * so that interrupts are never off for long.
 */
#include "monitor/monitor.h"

#include "abi/database.h"

#define COUNT_SHIFT 52
#define COUNT_MASK  (0x7ffull << COUNT_SHIFT)
#define COUNT_ONE   (1ull << COUNT_SHIFT)

#define FRAME_TABLE      2ull /* with PTE_P clear */
#define FRAME_LEVEL(e)   (((e) >> 4) & 7)
#define FRAME_SPACE(e)   (((e) >> 8) & 15)
#define FRAME(level, as) (FRAME_TABLE | (uint64_t)(level) << 4 | (as) << 8)

#define BATCH 64
#define SLICE 512 /* frames looked at by one step of SYS_AS_DESTROY */

#define UNUSED(x) (void)(x)

static uint64_t *entry_of(uint64_t page)
{
	if (page >= (CHANNEL_WINDOW_VA - PART_MEMORY_VA) / 4096)
		return NULL;
	return kernel_pte(PART_MEMORY_VA + page * 4096);
}

/* The kernel's entry of a page of its memory; NULL if there is no such page. */
static uint64_t *page_entry(const struct memory *m, uint64_t page,
			    uint64_t *pfn)
{
	return memory_pfn(m, page, pfn) ? entry_of(page) : NULL;
}

/* The same of an own frame. */
static uint64_t *frame_entry(const struct memory *m, uint64_t pfn)
{
	int64_t page = memory_page(m, pfn);

	return page < 0 ? NULL : entry_of((uint64_t)page);
}

static bool is_data(uint64_t e)
{
	return (e & PTE_P) != 0;
}

bool space_plain(uint64_t e)
{
	return is_data(e) ? !(e & COUNT_MASK) : !(e & FRAME_TABLE);
}

/* Guests alone have processes.  Idle's virtual processors share their memory:
 * what is a table to one of them would be data to another; and an ultravisor
 * that begins anew gets its memory as it was. */
static bool may_have_spaces(void)
{
	return VCPU->kind == PART_GUEST;
}

/* Takes a data page out of the guest's mappings, as a zeroed table. */
static int64_t take_table(uint64_t page, unsigned level, uint64_t as,
			  uint64_t *pfn)
{
	struct memory m;
	uint64_t *e;

	memory_of(&m, view_now());
	e = page_entry(&m, page, pfn);
	if (!e)
		return -SYS_EPERM;
	if (!is_data(*e) || (*e & COUNT_MASK))
		return -SYS_ESTATE;
	*e = FRAME(level, as);
	invlpg(PART_MEMORY_VA + page * 4096);
	memset(window(0, *pfn), 0, 4096);
	return 0;
}

static struct space *space_of(uint64_t as)
{
	if (as < 1 || as >= AS_COUNT)
		return NULL;
	return &VCPU->space[as];
}

static uint64_t *entry_at(uint64_t table_pfn, uint64_t va, unsigned level)
{
	return (uint64_t *)window(0, table_pfn) +
	       ((va >> (12 + 9 * (level - 1))) & 511);
}

/* Entry for `va` in the table of that level (4 is the root); NULL when a table
 * above it is missing.  Valid until the next use of window 0. */
static uint64_t *space_entry(const struct space *sp, uint64_t va,
			     unsigned level)
{
	uint64_t pfn = sp->root_pfn;

	for (unsigned l = 4; l > level; l--) {
		uint64_t e = *entry_at(pfn, va, l);

		if (!(e & PTE_P))
			return NULL;
		pfn = PTE_PFN(e);
	}
	return entry_at(pfn, va, level);
}

static bool user_va(uint64_t va)
{
	return va >= USER_SPACE_START && va < USER_SPACE_END && !(va & 4095);
}

int64_t sys_as_create(uint64_t as, uint64_t page, uint64_t c, uint64_t d,
		      uint64_t e, uint64_t n)
{
	struct space *sp = space_of(as);
	const uint64_t *kernel;
	uint64_t pfn;
	int64_t r;

	UNUSED(c), UNUSED(d), UNUSED(e), UNUSED(n);
	if (!may_have_spaces())
		return -SYS_ENOSYS;
	if (!sp)
		return -SYS_EINVAL;
	if (sp->root_pfn)
		return -SYS_EEXIST;
	r = take_table(page, 4, as, &pfn);
	if (r)
		return r;
	kernel = (uint64_t *)(INSTANCE_VA + INST_PML4 * 4096);
	((uint64_t *)window(0, pfn))[511] = kernel[511];
	sp->root_pfn = pfn;
	sp->dying = 0;
	return 0;
}

int64_t sys_as_table(uint64_t as, uint64_t va, uint64_t level, uint64_t page,
		     uint64_t e, uint64_t n)
{
	struct space *sp = space_of(as);
	uint64_t *at, pfn;
	int64_t r;

	UNUSED(e), UNUSED(n);
	if (!may_have_spaces())
		return -SYS_ENOSYS;
	if (!sp || level < 1 || level > 3 || va >= USER_SPACE_END)
		return -SYS_EINVAL;
	if (!sp->root_pfn || sp->dying)
		return -SYS_ENOENT;
	at = space_entry(sp, va, (unsigned)level + 1);
	if (!at)
		return -SYS_ENOTABLE;
	if (*at & PTE_P)
		return -SYS_EEXIST;
	r = take_table(page, (unsigned)level, as, &pfn);
	if (r)
		return r;
	*space_entry(sp, va, (unsigned)level + 1) = PTE(pfn, PTE_TABLE);
	return 0;
}

/* ---- mappings ----------------------------------------------------------- */

/* What a batch goes by. */
struct batch {
	const struct space *space;
	struct memory memory;
	uint64_t near, table_pfn; /* the page table looked up last, and whose */
	struct as_map map[BATCH];
};

/* As space_entry(), level 1. */
static uint64_t *leaf_entry(struct batch *b, uint64_t va)
{
	if (va >> 21 != b->near) {
		const uint64_t *at = space_entry(b->space, va, 2);

		if (!at || !(*at & PTE_P))
			return NULL;
		b->near = va >> 21;
		b->table_pfn = PTE_PFN(*at);
	}
	return entry_at(b->table_pfn, va, 1);
}

static int64_t map_check(struct batch *b, const struct as_map *m)
{
	const uint64_t *e;
	uint64_t pfn;

	if (!user_va(m->va) || (m->prot & ~(PROT_R | PROT_W | PROT_X)))
		return -SYS_EINVAL;
	if (!leaf_entry(b, m->va))
		return -SYS_ENOTABLE;
	if (!m->prot)
		return 0;
	e = page_entry(&b->memory, m->page, &pfn);
	if (!e || !is_data(*e))
		return -SYS_EPERM;
	if ((*e & COUNT_MASK) > COUNT_MASK - BATCH * COUNT_ONE)
		return -SYS_EAGAIN;
	return 0;
}

static void uncount(const struct memory *m, uint64_t entry)
{
	uint64_t *e;

	if (!(entry & PTE_P))
		return;
	e = frame_entry(m, PTE_PFN(entry));
	if (e && is_data(*e) && (*e & COUNT_MASK))
		*e -= COUNT_ONE;
}

static void map_do(struct batch *b, const struct as_map *m)
{
	uint64_t *at = leaf_entry(b, m->va), *e, pfn;

	uncount(&b->memory, *at);
	*at = 0;
	if (!m->prot)
		return;
	e = page_entry(&b->memory, m->page, &pfn);
	*at = PTE(pfn, prot_flags(m->prot));
	*e += COUNT_ONE;
}

int64_t sys_as_map(uint64_t as, uint64_t list, uint64_t count, uint64_t d,
		   uint64_t e, uint64_t n)
{
	const struct space *sp = space_of(as);
	struct batch b;

	UNUSED(d), UNUSED(e), UNUSED(n);
	if (!may_have_spaces())
		return -SYS_ENOSYS;
	if (!sp || count > BATCH)
		return -SYS_EINVAL;
	if (!copy_in(b.map, list, count * sizeof(b.map[0])))
		return -SYS_EFAULT;
	if (!sp->root_pfn || sp->dying)
		return -SYS_ENOENT;
	b.space = sp;
	b.near = NEVER;
	memory_of(&b.memory, view_now());
	for (uint64_t i = 0; i < count; i++) {
		int64_t r = map_check(&b, &b.map[i]);

		if (r)
			return r;
	}
	for (uint64_t i = 0; i < count; i++)
		map_do(&b, &b.map[i]);
	return 0;
}

/* ---- destruction -------------------------------------------------------- */

static void release(const struct memory *m, uint64_t pfn, uint64_t *e)
{
	if (FRAME_LEVEL(*e) == 1) {
		const uint64_t *pt = window(0, pfn);

		for (unsigned i = 0; i < 512; i++)
			uncount(m, pt[i]);
	}
	*e = PTE(pfn, PTE_P | PTE_W | PTE_U | PTE_NX);
}

/* One slice of the partition's frames; true when there are no more. */
static bool destroy_slice(struct space *sp, uint64_t as)
{
	const uint64_t first = sp->dying - 1;
	uint64_t pfn, tables = 0;
	struct memory m;

	memory_of(&m, view_now());
	for (uint64_t page = first; memory_pfn(&m, page, &pfn); page++) {
		uint64_t *e = entry_of(page);

		if (e && !is_data(*e) && (*e & FRAME_TABLE) &&
		    FRAME_SPACE(*e) == as) {
			release(&m, pfn, e);
			tables++;
		}
		if (page + 1 - first >= SLICE || tables >= 8) {
			sp->dying = (uint32_t)page + 2;
			return false;
		}
	}
	return true;
}

int64_t sys_as_destroy(uint64_t as, uint64_t b, uint64_t c, uint64_t d,
		       uint64_t e, uint64_t n)
{
	struct space *sp = space_of(as);

	UNUSED(b), UNUSED(c), UNUSED(d), UNUSED(e);
	if (!may_have_spaces())
		return -SYS_ENOSYS;
	if (!sp)
		return -SYS_EINVAL;
	if (!sp->root_pfn)
		return -SYS_ENOENT;
	if (!sp->dying)
		sp->dying = 1;
	if (!destroy_slice(sp, as)) {
		VCPU->regs.rip -=
			2; /* SYSCALL again, with interrupts between */
		return (int64_t)n;
	}
	sp->root_pfn = 0;
	sp->dying = 0;
	return 0;
}

/* ---- another instance's, restored --------------------------------------- */

struct adopter {
	uint32_t slot;
	uint64_t as;
	struct memory was, is;
};

/* Where the frame that a saved table names is now: its page, and *pfn. */
static bool moved(const struct adopter *a, uint64_t *pfn, uint64_t *page)
{
	int64_t at = memory_page(&a->was, *pfn);

	*page = (uint64_t)at;
	return at >= 0 && memory_pfn(&a->is, *page, pfn);
}

static uint64_t *slot_page(uint32_t slot, uint64_t page)
{
	if (page >= (CHANNEL_WINDOW_VA - PART_MEMORY_VA) / 4096)
		return NULL;
	return slot_pte(slot, PART_MEMORY_VA + page * 4096, false);
}

static bool adopt_leaf(const struct adopter *a, uint64_t *e)
{
	uint64_t pfn = PTE_PFN(*e), page, *kernel;
	uint64_t prot =
		PROT_R | (*e & PTE_W ? PROT_W : 0) | (*e & PTE_NX ? 0 : PROT_X);

	if (!moved(a, &pfn, &page))
		return false;
	*e = PTE(pfn, prot_flags(prot));
	kernel = slot_page(a->slot, page);
	if (!kernel || !is_data(*kernel) ||
	    (*kernel & COUNT_MASK) == COUNT_MASK)
		return false;
	*kernel += COUNT_ONE;
	return true;
}

/* A table and all below it: each once, none of them mapped. */
static bool adopt_table(const struct adopter *a, uint64_t pfn, uint64_t page,
			unsigned level)
{
	const unsigned entries = level == 4 ? 256 : 512;
	uint64_t *kernel = slot_page(a->slot, page);

	if (!kernel || !is_data(*kernel) || (*kernel & COUNT_MASK))
		return false;
	*kernel = FRAME(level, a->as);
	for (unsigned i = 0; i < 512; i++) {
		/* Windows are few: the entry is looked at anew each time. */
		uint64_t e = ((uint64_t *)window(0, pfn))[i];
		uint64_t to = PTE_PFN(e), at;

		if (!(e & PTE_P) || i >= entries) {
			((uint64_t *)window(0, pfn))[i] = 0;
			continue;
		}
		if (level == 1) {
			if (!adopt_leaf(a, &e))
				return false;
		} else {
			if (!moved(a, &to, &at) ||
			    !adopt_table(a, to, at, level - 1))
				return false;
			e = PTE(to, PTE_TABLE);
		}
		((uint64_t *)window(0, pfn))[i] = e;
	}
	return true;
}

int64_t space_adopt(uint32_t slot, uint64_t as, const struct lead_state *st)
{
	uint64_t base = lead_private[slot].monitor_pfn;
	struct adopter a = {.slot = slot, .as = as};
	struct vcpu *v;
	uint64_t pfn, high;

	if (!st->root[as])
		return 0;
	memory_take(&a.was, st->extents, st->extent);
	memory_of(&a.is, slot_view(slot));
	if (!memory_pfn(&a.is, st->root[as] - 1, &pfn) ||
	    !adopt_table(&a, pfn, st->root[as] - 1, 4))
		return -SYS_EPERM;
	high = ((uint64_t *)window(0, base + INST_PML4))[511];
	((uint64_t *)window(0, pfn))[511] = high;
	v = window(0, base + INST_VCPU);
	(void)window(1, base + INST_VCPU + 1);
	v->space[as].root_pfn = pfn;
	v->space[as].dying = st->dying[as];
	return 0;
}

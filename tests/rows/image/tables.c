/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/tables.c - row 53: page-table updates; row 5: the limits are
 * the view's, also when that changes in the middle of a call. */
#include "process.h"

#define FREE_VA (PROCESS_DATA + 4096)

static unsigned touch(uint64_t va)
{
	process_frame()->rip = PROCESS_CODE;
	process_frame()->rdi = va;
	return process_run(1);
}

static int64_t map1(uint64_t va, uint64_t page, uint64_t prot)
{
	struct as_map m = {va, page, prot};

	return sys_as_map(1, &m, 1);
}

static uint64_t word_at(uint64_t va)
{
	want(touch(va) == 0, "a batch is whole");
	return process_frame()->rax;
}

/* The scenario takes all pages from the view, at some instant of each call, and
 * gives them back behind it: each call does all or nothing. */
static void changing_view(void)
{
	static struct as_map batch[64];
	uint64_t page[2] = {process_page(2, 0), process_page(2, 1)};
	uint64_t calls = view_arg("calls", 1), there = 0, refused = 0;

	for (uint64_t i = 0; i < 2; i++)
		*(volatile uint64_t *)page_at(page[i]) = i;
	for (uint64_t i = 0; i < 64; i++)
		batch[i] = (struct as_map){FREE_VA + i * 4096, page[0], PROT_R};
	want_result(sys_as_map(1, batch, 64), 0, "the first batch");
	logf_("ready for a view that changes");
	spin(MS);
	for (uint64_t n = 0; n < calls; n++) {
		int64_t r;

		for (unsigned i = 0; i < 64; i++)
			batch[i].page = page[!there];
		r = sys_as_map(1, batch, 64);
		if (r)
			want_result(r, -SYS_EPERM, "a batch");
		else
			there = !there;
		refused += r != 0;
		for (unsigned i = 0; i < 64; i++)
			want(word_at(FREE_VA + i * 4096ull) == there,
			     "all of a batch or nothing");
	}
	logf_("%lu calls, %lu refused", calls, refused);
}

void row_53(void)
{
	static struct as_map batch[64];
	uint64_t pages = view_frames(), mine = process_page(2, 0);

	(void)process_make(1, process_touch);
	if (view_arg("calls", 0)) {
		changing_view();
		return;
	}
	want(touch(PROCESS_DATA) == 0, "its data is mapped");
	want(touch(FREE_VA) == 14, "nothing behind it is");

	/* What is not the guest's: behind its memory, and far out. */
	want_result(map1(FREE_VA, pages, PROT_R), -SYS_EPERM, "first foreign");
	want_result(map1(FREE_VA, 1ull << 40, PROT_R), -SYS_EPERM, "far");
	want_result(map1(FREE_VA, ~0ull, PROT_R), -SYS_EPERM, "last");
	/* Its own tables are not for it to map. */
	want_result(map1(FREE_VA, process_page(1, PAGE_PT), PROT_R | PROT_W),
		    -SYS_EPERM, "its page table");
	want_result(map1(FREE_VA, process_page(1, PAGE_ROOT), PROT_R),
		    -SYS_EPERM, "its root");
	/* Where it may not map, and how. */
	want_result(map1(MONITOR_VA, mine, PROT_R), -SYS_EINVAL, "high half");
	want_result(map1(0, mine, PROT_R), -SYS_EINVAL, "the first page");
	want_result(map1(FREE_VA + 1, mine, PROT_R), -SYS_EINVAL, "unaligned");
	want_result(map1(FREE_VA, mine, 0x80), -SYS_EINVAL, "protection");
	want_result(map1(0x40000000, mine, PROT_R), -SYS_ENOTABLE, "no table");
	want_result(sys_as_map(1, batch, 65), -SYS_EINVAL, "too many");
	want_result(sys_call(SYS_AS_MAP, 1, MONITOR_VA, 1, 0, 0), -SYS_EFAULT,
		    "a list in the monitor");
	want_result(sys_as_table(1, 0x40000000, 2, pages), -SYS_EPERM,
		    "a foreign table");
	want_result(sys_as_create(3, pages + 5), -SYS_EPERM, "a foreign root");
	want(touch(FREE_VA) == 14, "none of them mapped anything");

	/* A batch whose last is wrong does nothing at all. */
	for (unsigned i = 0; i < 64; i++)
		batch[i] = (struct as_map){FREE_VA + i * 4096ull, mine + i,
					   PROT_R | PROT_W};
	batch[63].page = pages;
	want_result(sys_as_map(1, batch, 64), -SYS_EPERM, "a bad batch");
	for (unsigned i = 0; i < 64; i++)
		want(touch(batch[i].va) == 14, "a bad batch leaves no mark");
	batch[63].page = mine + 63;
	want_result(sys_as_map(1, batch, 64), 0, "a good batch");
	for (unsigned i = 0; i < 64; i++)
		want(touch(batch[i].va) == 0, "a good batch is whole");

	/* A bad one that would unmap. */
	for (unsigned i = 0; i < 64; i++)
		batch[i].prot = 0;
	batch[63] = (struct as_map){FREE_VA, pages + 9, PROT_R};
	want_result(sys_as_map(1, batch, 64), -SYS_EPERM, "a bad batch");
	for (unsigned i = 0; i < 64; i++)
		want(touch(FREE_VA + i * 4096ull) == 0, "unmapped by half");
}

/* The scenario takes pages from the view while this runs: what was allowed is
 * refused from then on, and again allowed when they are back. */
void row_05(void)
{
	uint64_t last = view_frames() - 1, end = sys_time() + 100 * MS;
	int64_t r = 0;

	(void)process_make(1, process_touch);
	want_result(map1(FREE_VA, last, PROT_R), 0, "its last page");
	want_result(map1(FREE_VA, 0, 0), 0, "unmapped");
	logf_("ready for a smaller view");
	while (sys_time() < end && !r) {
		r = map1(FREE_VA, last, PROT_R);
		(void)map1(FREE_VA, 0, 0);
	}
	want_result(r, -SYS_EPERM, "a page that the view no longer gives");
	logf_("refused");
	while (sys_time() < end && r)
		r = map1(FREE_VA, last, PROT_R);
	want_result(r, 0, "a page that it gives again");
}

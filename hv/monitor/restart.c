/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/restart.c - the ultravisor's program, begun anew in place.
 *
 * Nobody but the ultravisor could make it a new instance, so its own monitor
 * gives the old one a new program: in its own address space, on its own stack,
 * with interrupts off for the time of copying some tens of pages.  Nothing is
 * allocated.  What is where was written down once by the boot stage
 * (ultravisor_image): the program's segments, whose bytes are still in the
 * boot module, which no partition can write, and the boot information, whose
 * original none can reach.
 *
 * New: text, constants, data, bss, boot information, registers; the window of
 * SYS_LEAD_FRAMES shows nothing.  As they were: number, slot, view, every other
 * frame, so the database with it; events pending; what it had told the lead
 * monitor (schedule, vectors, who hears of ends).
 *
 * It happens ULTRAVISOR_STARTS times at most, for a program that dies of what
 * it finds would do so for ever; and not before there is a database to go on
 * from.  After that its end is like any other partition's.
 */
#include "monitor/monitor.h"

#include "abi/database.h"

struct ultravisor_image ultravisor_image;

/* A frame's bytes in page `page` of the window, wherever they begin. */
static uint8_t *at(unsigned page, uint64_t pa)
{
	return (uint8_t *)window(page, pa >> 12) + (pa & 4095);
}

static void renew(const struct ultravisor_part *p)
{
	uint64_t done = 0;

	while (done < p->bytes) {
		uint64_t to = p->pa + done, from = p->from_pa + done;
		uint64_t n = 4096 - (to & 4095), room = 4096 - (from & 4095);

		if (done >= p->file_bytes) {
			n = n < p->bytes - done ? n : p->bytes - done;
			memset(at(0, to), 0, n);
		} else {
			n = n < room ? n : room;
			if (n > p->file_bytes - done)
				n = p->file_bytes - done;
			memcpy(at(0, to), at(1, from), n);
		}
		done += n;
	}
}

bool restart_needs(uint64_t pfn, uint64_t n)
{
	for (uint32_t i = 0; i < ultravisor_image.parts; i++) {
		const struct ultravisor_part *p = &ultravisor_image.part[i];

		if (p->file_bytes && p->from_pa < (pfn + n) << 12 &&
		    pfn << 12 < p->from_pa + p->file_bytes)
			return true;
	}
	return false;
}

/* What the old program looked at is none of the new one's business. */
static void close_window(void)
{
	for (uint64_t va = LEAD_WINDOW_VA;
	     va < LEAD_WINDOW_VA + LEAD_WINDOW_BYTES; va += 512 * 4096) {
		uint64_t *table = kernel_pte(va);

		if (table)
			memset(table, 0, 4096);
	}
	load_cr3(VCPU->cr3);
}
_Static_assert(!(LEAD_WINDOW_VA & 0x1fffff), "whole page tables");

bool lead_restart(uint32_t slot)
{
	struct lead_slot *s = &lead_area.slot[slot];

	if (s->kind != PART_ULTRAVISOR || !lead_area.root_pfn ||
	    s->incarnation >= ULTRAVISOR_STARTS)
		return false;
	s->stop_ns = now_ns();
	s->incarnation++;
	for (uint32_t i = 0; i < ultravisor_image.parts; i++)
		renew(&ultravisor_image.part[i]);
	close_window();
	sched_alarm(this_cpu(), NEVER);
	vcpu_begin(VCPU, ultravisor_image.entry, ultravisor_image.stack);
	vcpu_load();
	VCPU->attention = 1; /* every register is to be loaded */
	log_line("%s begins anew, incarnation %u", s->name,
		 (uint64_t)s->incarnation);
	return true;
}

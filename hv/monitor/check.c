/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/check.c - machine checks: an error that hardware could not correct
 * is told to the partitions that it concerns, and to nobody else.
 *
 * With an address, they are the one whose memory it is; without, the one that
 * ran.  They get EVENT_CHECK and go on, unless the CPU says that what it was
 * doing is lost: then that partition is at its end, and if it was a monitor
 * that holds the lock, everything is.
 *
 * #MC comes in the middle of anything, a monitor's work included: so the banks
 * are read at once, and whom to tell is found out on the way out of the
 * monitor.
 *
 * SDM 3B 15.3 (banks), 15.10 (handlers).
 */
#include "monitor/monitor.h"

#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL    0x17b
#define MSR_MC_CTL(n)  (0x400 + 4 * (n))

#define CAP_BANKS  0xff
#define CAP_CTL    0x100
#define MCG_RIPV   1
#define MC_VAL     (1ull << 63)
#define MC_UC      (1ull << 61)
#define MC_ADDRV   (1ull << 58)
#define MC_PCC     (1ull << 57)
#define NO_ADDRESS (~0ull)

static uint32_t banks(void)
{
	return rdmsr(MSR_MCG_CAP) & CAP_BANKS;
}

void check_init(void)
{
	if (rdmsr(MSR_MCG_CAP) & CAP_CTL)
		wrmsr(MSR_MCG_CTL, ~0ull);
	for (uint32_t i = 0; i < banks(); i++) {
		wrmsr(MSR_MC_CTL(i), ~0ull);
		wrmsr(MSR_MC_CTL(i) + 1, 0);
	}
	wrmsr(MSR_MCG_STATUS, 0);
}

bool check_take(void)
{
	struct cpu *c = this_cpu();
	bool good = rdmsr(MSR_MCG_STATUS) & MCG_RIPV;

	for (uint32_t i = 0; i < banks(); i++) {
		uint64_t status = rdmsr(MSR_MC_CTL(i) + 1);

		if (!(status & MC_VAL))
			continue;
		if (status & MC_UC) {
			c->checked = true;
			c->check_pa = status & MC_ADDRV
					      ? rdmsr(MSR_MC_CTL(i) + 2)
					      : NO_ADDRESS;
		}
		good = good && !(status & MC_PCC);
		wrmsr(MSR_MC_CTL(i) + 1, 0);
	}
	wrmsr(MSR_MCG_STATUS, 0);
	return good;
}

static uint32_t owner(uint64_t pa)
{
	for (uint32_t s = 0; s < PART_SLOTS; s++) {
		const struct lead_private *p = &lead_private[s];
		struct memory m;

		if (lead_area.slot[s].state == SLOT_FREE)
			continue;
		memory_of(&m, slot_view(s));
		if (memory_page(&m, pa >> 12) >= 0 ||
		    pa >> 12 == p->frame_pfn ||
		    (pa >> 12) - p->monitor_pfn < p->monitor_frames)
			return s;
	}
	return LEAD_SLOT_NONE;
}

void check_tell(struct cpu *c)
{
	uint32_t slot = current_slot();

	c->checked = false;
	if (c->check_pa != NO_ADDRESS)
		slot = owner(c->check_pa);
	if (slot == LEAD_SLOT_NONE) {
		log_line("machine check on CPU %u, address %x: nobody's",
			 c->index, c->check_pa);
		return;
	}
	log_line("machine check on CPU %u, address %x: %s", c->index,
		 c->check_pa, lead_area.slot[slot].name);
	lead_area.slot[slot].checks++;
	(void)sched_post(slot, 0, EVENT_CHECK);
}

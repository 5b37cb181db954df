/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/trap.c - interrupts and exceptions, after entry.S.
 *
 * An exception in a partition's kernel is the end of that partition; one in a
 * guest's user process is its guest's business.  An exception inside a monitor
 * is taken for the end of the partition whose instance it is: the lead
 * monitor's data and stacks are whole, so it marks that one and goes on with
 * the others.  Only in the ultravisor's own, or with no partition running, is
 * there nobody to go on for.
 *
 * SDM 3A 6.15 (vectors), 10.8.5 (EOI).
 */
#include "monitor/monitor.h"

#include "abi/database.h"

#define LAPIC_EOI 0xb0
#define VECTOR_PF 14

void interrupt(uint64_t vector)
{
	if (vector == VECTOR_SPURIOUS)
		return;
	lapic_write(LAPIC_EOI, 0);
	if (vector == VECTOR_TIMER)
		sched_tick(this_cpu());
	else if (vector == VECTOR_LOOK)
		sched_look(this_cpu());
	else if (vector == VECTOR_UART)
		log_interrupt();
	else
		lead_device_interrupt((unsigned)vector);
}

/* One that ended a HLT: of the idle partition's SYS_HALT, whose state is all
 * saved, or of the lead monitor's own when nobody can run. */
void interrupt_halted(uint64_t vector)
{
	struct cpu *c = this_cpu();

	interrupt(vector);
	if (lead_area.cpu[c->index].current == LEAD_SLOT_NONE) {
		schedule(c); /* goes to a partition, or halts again */
		return;
	}
	monitor_leave();
}

void fault_user(void)
{
	struct regs *r = &VCPU->regs;
	uint64_t address = r->vector == VECTOR_PF ? read_cr2() : 0;

	if (r->vector == VECTOR_CHECK && check_take()) {
		VCPU->attention = 1;
		return;
	}
	if (r->vector != VECTOR_CHECK && VCPU->in_user) {
		user_exit(USER_EXIT_FAULT);
		return;
	}
	lead_crash(current_slot(), r->vector, r->error, address, r->rip);
}

/* With no stack of a partition's, and its monitor in the middle of something.
 */
void check_monitor(const struct regs *r)
{
	struct cpu *c = this_cpu();

	if (!check_take())
		fault_monitor(r);
	if (lead_area.cpu[c->index].current != LEAD_SLOT_NONE && !c->in_fault)
		VCPU->attention = 1;
}

_Noreturn void fault_monitor(const struct regs *r)
{
	struct cpu *c = this_cpu();
	uint32_t slot = lead_area.cpu[c->index].current;
	uint64_t address = r->vector == VECTOR_PF ? read_cr2() : 0;

	if (c->in_fault || c->locked || slot == LEAD_SLOT_NONE ||
	    lead_area.slot[slot].kind == PART_ULTRAVISOR) {
		log_line("fault in the lead monitor: vector %u error %x "
			 "address %x rip %x",
			 r->vector, r->error, address, r->rip);
		machine_off(0x7f);
	}
	c->in_fault = true;
	log_line("fault in the monitor of %s", lead_area.slot[slot].name);
	lead_crash(slot, r->vector, r->error, address, r->rip);
	schedule(c); /* elsewhere: this one is crashed */
	__builtin_unreachable();
}

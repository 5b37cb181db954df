/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/upcall.c - virtual interrupts of a partition's kernel: the flag is
 * a word in its own memory, so masking costs it no call and the monitor
 * nothing.
 *
 * What is read back from there is the kernel's to write: it is made harmless as
 * in user.c.  Idle has none of this: the word would be one for all its virtual
 * processors.
 */
#include "monitor/monitor.h"

#include "abi/database.h"

#define UPCALL ((struct upcall *)(INSTANCE_FRAME_VA + PART_UPCALL_OFFSET))

#define UNUSED5 (void)c, (void)d, (void)e, (void)n
#define ARGS                                                                   \
	uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t n

/* At the end of an entry, with the kernel's registers in VCPU->regs. */
void upcall_deliver(void)
{
	struct vcpu *v = VCPU;
	struct upcall *u = UPCALL;

	if (!v->upcall_entry ||
	    !(pending_of(&lead_area.slot[v->slot]) & v->upcall_mask))
		return;
	if (!u->enabled) {
		u->missed = 1;
		return;
	}
	u->enabled = 0;
	u->missed = 0;
	u->rip = v->regs.rip;
	u->rsp = v->regs.rsp;
	u->rflags = v->regs.rflags;
	u->rax = v->regs.rax;
	u->rcx = v->regs.rcx;
	u->r11 = v->regs.r11;
	v->regs.rip = v->upcall_entry;
	v->regs.rflags &= ~(uint64_t)0x500; /* DF, as C expects; TF */
}

int64_t sys_upcall(ARGS)
{
	UNUSED5;
	if (VCPU->kind == PART_IDLE)
		return -SYS_ENOSYS;
	if (a >= CHANNEL_WINDOW_VA)
		return -SYS_EINVAL;
	VCPU->upcall_entry = a;
	VCPU->upcall_mask = b;
	VCPU->attention = 1;
	return 0;
}

int64_t sys_upcall_return(ARGS)
{
	const struct upcall u = *UPCALL;
	struct regs *r = &VCPU->regs;

	(void)a, (void)b, UNUSED5;
	if (VCPU->kind == PART_IDLE)
		return -SYS_ENOSYS;
	if (u.rip >= USER_SPACE_END || !canonical(u.rsp))
		return -SYS_EINVAL;
	r->rip = u.rip;
	r->rsp = u.rsp;
	r->rflags = (u.rflags & RFLAGS_USER) | RFLAGS_RUN;
	r->rcx = u.rcx;
	r->r11 = u.r11;
	UPCALL->enabled = 1;
	VCPU->attention = 1; /* leave by VCPU->regs; and more may be pending */
	return (int64_t)u.rax;
}

int64_t sys_upcall_poll(ARGS)
{
	(void)a, (void)b, UNUSED5;
	VCPU->attention = 1;
	return 0;
}

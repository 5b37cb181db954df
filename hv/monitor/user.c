/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/user.c - SYS_USER_RUN: a guest's kernel runs one of its processes.
 *
 * The kernel's registers wait in VCPU->kernel while VCPU->regs are the
 * process's; partition switches in between see nothing special.  The run ends
 * at a SYSCALL or a fault of the process, an event or the deadline: the user
 * frame then holds the process's state and the kernel's call returns why.
 *
 * The frame is the guest's to write, so what is loaded from it is made harmless
 * first: the selectors and system flags are the monitor's, addresses must be
 * such that IRETQ and WRMSR take them (a bad one is the process's fault 13),
 * and MXCSR loses its reserved bits (FXRSTOR would fault).
 */
#include "monitor/monitor.h"

#define FRAME ((struct user_frame *)INSTANCE_FRAME_VA)

static void fx_save(struct fx *fx)
{
	__asm__ volatile("fxsave64 %0" : "=m"(*fx));
}

static void fx_load(const struct fx *fx)
{
	__asm__ volatile("fxrstor64 %0" : : "m"(*fx));
}

static void load_frame(struct regs *r)
{
	const struct user_frame *f = FRAME;

	r->rax = f->rax;
	r->rcx = f->rcx;
	r->rdx = f->rdx;
	r->rbx = f->rbx;
	r->rsp = f->rsp;
	r->rbp = f->rbp;
	r->rsi = f->rsi;
	r->rdi = f->rdi;
	r->r8 = f->r8;
	r->r9 = f->r9;
	r->r10 = f->r10;
	r->r11 = f->r11;
	r->r12 = f->r12;
	r->r13 = f->r13;
	r->r14 = f->r14;
	r->r15 = f->r15;
	r->rip = f->rip;
	r->rflags = (f->rflags & RFLAGS_USER) | RFLAGS_RUN;
}

static void store_frame(const struct regs *r)
{
	struct user_frame *f = FRAME;

	f->rax = r->rax;
	f->rcx = r->rcx;
	f->rdx = r->rdx;
	f->rbx = r->rbx;
	f->rsp = r->rsp;
	f->rbp = r->rbp;
	f->rsi = r->rsi;
	f->rdi = r->rdi;
	f->r8 = r->r8;
	f->r9 = r->r9;
	f->r10 = r->r10;
	f->r11 = r->r11;
	f->r12 = r->r12;
	f->r13 = r->r13;
	f->r14 = r->r14;
	f->r15 = r->r15;
	f->rip = r->rip;
	f->rflags = r->rflags;
}

static void load_fx(void)
{
	struct fx fx;
	uint32_t mxcsr;

	memcpy(&fx, FRAME->fxsave, sizeof(fx));
	memcpy(&mxcsr, &fx.byte[24], 4);
	mxcsr &= 0xffbf; /* without DAZ, which not every CPU has */
	memcpy(&fx.byte[24], &mxcsr, 4);
	fx_load(&fx);
}

int64_t sys_user_run(uint64_t as, uint64_t deadline_ns, uint64_t mask,
		     uint64_t d, uint64_t e, uint64_t n)
{
	struct vcpu *v = VCPU;
	struct lead_slot *s = &lead_area.slot[v->slot];
	const struct user_frame *f = FRAME;
	uint64_t root;

	(void)d, (void)e, (void)n;
	if (as < 1 || as >= AS_COUNT)
		return -SYS_EINVAL;
	/* Read once: nothing but what was checked becomes CR3. */
	root = *(volatile uint64_t *)&v->space[as].root_pfn << 12;
	if (!root || v->space[as].dying)
		return -SYS_ENOENT;
	if (pending_of(s) & mask)
		return USER_EXIT_EVENT;
	deadline_ns = host_time(s, deadline_ns);
	if (deadline_ns <= now_ns())
		return USER_EXIT_DEADLINE;
	if (f->rip >= USER_SPACE_END || !canonical(f->rsp) ||
	    !canonical(f->fs_base) || !canonical(f->gs_base)) {
		FRAME->vector = 13;
		FRAME->error = 0;
		FRAME->cr2 = 0;
		return USER_EXIT_FAULT;
	}
	v->kernel = v->regs;
	fx_save(&v->kernel_fx);
	load_frame(&v->regs);
	load_fx();
	wrmsr(MSR_FS_BASE, f->fs_base);
	wrmsr(MSR_GS_BASE, f->gs_base);
	v->in_user = 1;
	v->user_as = (uint32_t)as;
	v->user_mask = mask;
	v->cr3 = root;
	load_cr3(root);
	s->deadline_ns = deadline_ns;
	sched_calm(v->slot); /* what was urgent is done */
	sched_deadline(this_cpu(), deadline_ns);
	v->attention = 1; /* leave by VCPU->regs, not as a call returns */
	return (int64_t)v->regs.rax;
}

/* Back to the kernel, whose call returns `why`. */
void user_exit(uint64_t why)
{
	struct vcpu *v = VCPU;
	struct lead_slot *s = &lead_area.slot[v->slot];

	store_frame(&v->regs);
	FRAME->fs_base = rdmsr(MSR_FS_BASE);
	FRAME->gs_base = rdmsr(MSR_GS_BASE);
	if (why == USER_EXIT_FAULT) {
		FRAME->vector = v->regs.vector;
		FRAME->error = v->regs.error;
		FRAME->cr2 = v->regs.vector == 14 ? read_cr2() : 0;
	}
	fx_save((struct fx *)FRAME->fxsave);
	fx_load(&v->kernel_fx);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, 0);
	v->regs = v->kernel;
	v->regs.rax = why;
	v->in_user = 0;
	s->deadline_ns = NEVER;
	v->cr3 = s->cr3;
	load_cr3(s->cr3);
}

void user_deliver(void)
{
	const struct lead_slot *s = &lead_area.slot[VCPU->slot];

	if (pending_of(s) & VCPU->user_mask)
		user_exit(USER_EXIT_EVENT);
	else if (s->deadline_ns != NEVER && s->deadline_ns <= now_ns())
		user_exit(USER_EXIT_DEADLINE);
}

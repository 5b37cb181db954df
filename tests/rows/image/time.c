/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/time.c - row 54: the virtual interrupt flag; row 55: virtual
 * time. */
#include "probe.h"

#define UPCALL ((volatile struct upcall *)(PART_FRAME_VA + PART_UPCALL_OFFSET))
#define SLACK  (30 * US) /* of a look at two clocks */

/* Each spinner of row 54 starts at the same instant. */
#define START_NS (250 * MS)
#define SPIN_NS  (20 * MS)

static uint64_t us(uint64_t ns)
{
	return ns / US;
}

static volatile uint64_t handled, taken;

void on_upcall(void);
void upcall_entry(void);

void on_upcall(void)
{
	handled++;
	taken |= sys_wait(EVENT_ALARM, 0);
}

/* All registers that C may change and that struct upcall does not keep. */
__asm__("	.globl upcall_entry\n"
	"upcall_entry:\n"
	"	push %rdx\n	push %rsi\n	push %rdi\n"
	"	push %r8\n	push %r9\n	push %r10\n	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	and $-16, %rsp\n"
	"	call on_upcall\n"
	"	mov %rbp, %rsp\n"
	"	pop %rbp\n	pop %r10\n	pop %r9\n	pop %r8\n"
	"	pop %rdi\n	pop %rsi\n	pop %rdx\n"
	"	mov $22, %eax\n" /* SYS_UPCALL_RETURN */
	"	syscall\n"
	"	ud2\n");

/* Virtual interrupts come while enabled, wait while masked, none is lost. */
static void flag(void)
{
	want_result(sys_call(SYS_UPCALL, (uintptr_t)upcall_entry, EVENT_ALARM,
			     0, 0, 0),
		    0, "SYS_UPCALL");
	UPCALL->enabled = 1;
	want_result(sys_call(SYS_ALARM, sys_time() + MS, 0, 0, 0, 0), 0,
		    "SYS_ALARM");
	spin(2 * MS);
	want(handled == 1, "one interrupt while enabled");
	want(taken == EVENT_ALARM, "the handler takes its event");
	want(UPCALL->enabled == 1, "enabled again after the handler");

	UPCALL->enabled = 0;
	want_result(sys_call(SYS_ALARM, sys_time() + MS, 0, 0, 0, 0), 0,
		    "SYS_ALARM");
	spin(3 * MS);
	want(handled == 1, "none while masked");
	want(UPCALL->missed == 1, "the flag that one was missed");
	UPCALL->enabled = 1;
	want_result(sys_call(SYS_UPCALL_POLL, 0, 0, 0, 0, 0), 0, "poll");
	want(handled == 2, "it comes after unmasking");
}

void row_54(void)
{
	struct vcpu_time before, after;

	flag();
	/* As hostile as one can be: masked, and never a call. */
	UPCALL->enabled = 0;
	want(sys_time() < START_NS, "ready before the start");
	(void)sys_wait(0, START_NS);
	want_result(sys_vtime(&before), 0, "SYS_VTIME");
	spin(START_NS + SPIN_NS - sys_time());
	want_result(sys_vtime(&after), 0, "SYS_VTIME");
	logf_("masked: ran %lu us", us(after.run_ns - before.run_ns));
}

void row_55(void)
{
	struct vcpu_time first, last, t;
	uint64_t now, end;

	want_result(sys_vtime(&first), 0, "SYS_VTIME");
	last = first;
	end = sys_time() + 10 * MS;
	do {
		uint64_t before = sys_time();

		want_result(sys_vtime(&t), 0, "SYS_VTIME");
		now = sys_time();
		want(before <= t.now_ns && t.now_ns <= now, "one clock");
		want(t.now_ns >= last.now_ns && t.run_ns >= last.run_ns &&
			     t.stolen_ns >= last.stolen_ns &&
			     t.offset_ns == last.offset_ns,
		     "monotonic");
		last = t;
	} while (now < end);
	/* It never slept: it had a CPU or was kept from one. */
	now = last.now_ns - first.now_ns;
	end = last.run_ns - first.run_ns + last.stolen_ns - first.stolen_ns;
	logf_("busy %lu us: ran %lu us, stolen %lu us", us(now),
	      us(last.run_ns - first.run_ns),
	      us(last.stolen_ns - first.stolen_ns));
	want(end <= now + SLACK && now <= end + SLACK, "run and stolen add up");

	/* Asleep, nothing is stolen. */
	want_result(sys_vtime(&first), 0, "SYS_VTIME");
	(void)sys_wait(0, sys_time() + 5 * MS);
	want_result(sys_vtime(&last), 0, "SYS_VTIME");
	want(last.now_ns - first.now_ns >= 5 * MS, "slept");
	want(last.run_ns - first.run_ns < MS, "no run time asleep");
	want_result(sys_call(SYS_VTIME, MONITOR_VA, 0, 0, 0, 0), -SYS_EFAULT,
		    "SYS_VTIME to a monitor's address");
}

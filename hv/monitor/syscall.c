/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/syscall.c - the table of calls, and the calls of every partition.
 *
 * A call gets its arguments as the caller's registers were and returns what RAX
 * shall be; it checks everything, then acts.  One that blocks or gives up the
 * CPU changes its slot's state and returns: the switch is made on the way out
 * (monitor_leave), when all guest state is saved.
 */
#include "abi/control.h"
#include "monitor/monitor.h"

#include "abi/database.h"

#define UNUSED6 (void)a, (void)b, (void)c, (void)d, (void)e, (void)n
#define ARGS                                                                   \
	uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t n

int64_t sys_none(ARGS)
{
	UNUSED6;
	return -SYS_ENOSYS;
}

static int64_t sys_null(ARGS)
{
	UNUSED6;
	return 0;
}

static int64_t sys_yield(ARGS)
{
	UNUSED6;
	sched_yield(this_cpu());
	return 0;
}

/* Whether it has to wait is seen when the switch service has the lock. */
static void wait_for(struct lead_slot *s, uint64_t mask, uint64_t deadline_ns)
{
	s->wait_mask = mask;
	s->deadline_ns = deadline_ns;
	VCPU->waiting = VCPU_WAITING;
	sched_attend(this_cpu(), SWITCH_WAIT);
}

static int64_t sys_surrender(ARGS)
{
	UNUSED6;
	wait_for(&lead_area.slot[VCPU->slot], 0, NEVER);
	return 0;
}

/* (mask, deadline): the result of one that blocks is made when the partition
 * runs again, in monitor_resume(). */
static int64_t sys_wait(ARGS)
{
	struct lead_slot *s = &lead_area.slot[VCPU->slot];
	uint64_t events = pending_take(s, a);

	UNUSED6;
	if (!events)
		wait_for(s, a, host_time(s, b));
	return (int64_t)events;
}

static int64_t sys_time(ARGS)
{
	UNUSED6;
	return (int64_t)(now_ns() - lead_area.slot[VCPU->slot].offset_ns);
}

static int64_t sys_vtime(ARGS)
{
	const struct lead_slot *s = &lead_area.slot[VCPU->slot];
	uint64_t now = now_ns();
	struct vcpu_time t = {
		.now_ns = now - s->offset_ns,
		.run_ns = s->run_ns + (now - this_cpu()->run_start_ns),
		.stolen_ns = s->stolen_ns,
		.offset_ns = s->offset_ns,
	};

	UNUSED6;
	return copy_out(a, &t, sizeof(t)) ? 0 : -SYS_EFAULT;
}

static int64_t sys_alarm(ARGS)
{
	UNUSED6;
	sched_alarm(this_cpu(), host_time(&lead_area.slot[VCPU->slot], a));
	return 0;
}

static int64_t sys_control(ARGS)
{
	UNUSED6;
	return sys_channel_map(CONTROL_HANDLE, 0, 0, 0, 0, 0);
}

static int64_t sys_console_read(ARGS)
{
	char text[256];
	size_t bytes = b < sizeof(text) ? b : sizeof(text);

	UNUSED6;
	if (VCPU->kind != PART_OPERATIONS)
		return -SYS_ENOSYS;
	/* Nothing is taken that can't be given. */
	memset(text, 0, sizeof(text));
	if (!copy_out(a, text, bytes))
		return -SYS_EFAULT;
	bytes = console_read(text, bytes);
	(void)copy_out(a, text, bytes);
	return (int64_t)bytes;
}

static int64_t sys_log(ARGS)
{
	char text[200];

	UNUSED6;
	if (b > sizeof(text))
		return -SYS_EINVAL;
	if (!copy_in(text, a, b))
		return -SYS_EFAULT;
	while (b && (text[b - 1] == '\n' || text[b - 1] == '\r'))
		b--;
	if (!log_append(lead_area.slot[VCPU->slot].name, text, b))
		return -SYS_EAGAIN;
	return 0;
}

/* The peer must still be who the view says: its slot may have been given to
 * another partition since. */
static int64_t sys_signal(ARGS)
{
	const volatile struct view_channel *ch;
	uint64_t peer;
	uint32_t slot;
	uint8_t handle;

	UNUSED6;
	if (a >= CHANNEL_SLOTS)
		return -SYS_EINVAL;
	ch = &view_now()->channel[a];
	slot = ch->peer_slot;
	handle = ch->peer_handle;
	peer = ch->peer;
	if (!ch->id || slot >= PART_SLOTS || handle >= CHANNEL_SLOTS || !peer ||
	    !sched_post(slot, peer, EVENT_CHANNEL(handle)))
		return -SYS_ENOENT;
	if (VCPU->kind == PART_ULTRAVISOR)
		sched_urge(slot);
	else if (a == CONTROL_HANDLE)
		sched_calm(VCPU->slot);
	return 0;
}

static int64_t sys_exit(ARGS)
{
	UNUSED6;
	lead_exit(VCPU->slot, a);
	return 0;
}

/* Interrupts are off here, so that nobody can become runnable between the
 * check and the HLT. */
static int64_t sys_halt(ARGS)
{
	UNUSED6;
	if (VCPU->kind != PART_IDLE)
		return -SYS_ENOSYS;
	if (VCPU->attention)
		return 0;
	VCPU->regs.rax = 0;
	halt_here();
}

syscall_fn *const syscall_table[SYS_COUNT] = {
	[SYS_NULL] = sys_null,
	[SYS_YIELD] = sys_yield,
	[SYS_WAIT] = sys_wait,
	[SYS_TIME] = sys_time,
	[SYS_LOG] = sys_log,
	[SYS_SIGNAL] = sys_signal,
	[SYS_CHANNEL_MAP] = sys_channel_map,
	[SYS_CHANNEL_UNMAP] = sys_channel_unmap,
	[SYS_DEVICE_MAP] = sys_device_map,
	[SYS_EXIT] = sys_exit,
	[SYS_SURRENDER] = sys_surrender,
	[SYS_CONTROL] = sys_control,
	[SYS_VTIME] = sys_vtime,
	[SYS_VTIME + 1 ... SYS_CONSOLE_READ - 1] = sys_none,
	[SYS_CONSOLE_READ] = sys_console_read,
	[SYS_AS_CREATE] = sys_as_create,
	[SYS_AS_TABLE] = sys_as_table,
	[SYS_AS_MAP] = sys_as_map,
	[SYS_AS_DESTROY] = sys_as_destroy,
	[SYS_USER_RUN] = sys_user_run,
	[SYS_UPCALL] = sys_upcall,
	[SYS_UPCALL_RETURN] = sys_upcall_return,
	[SYS_UPCALL_POLL] = sys_upcall_poll,
	[SYS_ALARM] = sys_alarm,
	[SYS_ALARM + 1 ... SYS_HALT - 1] = sys_none,
	[SYS_HALT] = sys_halt,
	[SYS_HALT + 1 ... SYS_LEAD_CREATE - 1] = sys_none,
	[SYS_LEAD_CREATE... SYS_COUNT - 1] = sys_lead,
};

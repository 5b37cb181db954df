/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/sys.h - the system calls of abi/syscall.h as functions.
 *
 * Results are those of the call: zero or positive is success, negative is
 * -SYS_E*.  In a hosted build (the unit tests) sys_call() is an ordinary
 * function that the test supplies.
 */
#ifndef PARTERRE_LIB_SYS_H
#define PARTERRE_LIB_SYS_H

#include <stdint.h>

#include "abi/syscall.h"

#define TIME_NEVER (~0ull)
#define US         1000ull /* nanoseconds */
#define MS         1000000ull

#if __STDC_HOSTED__
int64_t sys_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		 uint64_t d, uint64_t e);
#else
static inline int64_t sys_call(uint64_t number, uint64_t a, uint64_t b,
			       uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8)
			 : "rcx", "r11", "memory", "cc");
	return result;
}
#endif

static inline void sys_null(void)
{
	(void)sys_call(SYS_NULL, 0, 0, 0, 0, 0);
}

static inline void sys_yield(void)
{
	(void)sys_call(SYS_YIELD, 0, 0, 0, 0, 0);
}

/* Events of the mask that were pending, now cleared; 0: the deadline passed. */
static inline uint64_t sys_wait(uint64_t mask, uint64_t deadline_ns)
{
	return (uint64_t)sys_call(SYS_WAIT, mask, deadline_ns, 0, 0, 0);
}

static inline uint64_t sys_time(void)
{
	return (uint64_t)sys_call(SYS_TIME, 0, 0, 0, 0, 0);
}

static inline int64_t sys_log(const char *text, uint64_t bytes)
{
	return sys_call(SYS_LOG, (uintptr_t)text, bytes, 0, 0, 0);
}

static inline int64_t sys_signal(unsigned handle)
{
	return sys_call(SYS_SIGNAL, handle, 0, 0, 0, 0);
}

static inline int64_t sys_channel_map(unsigned handle)
{
	return sys_call(SYS_CHANNEL_MAP, handle, 0, 0, 0, 0);
}

static inline int64_t sys_channel_unmap(unsigned handle)
{
	return sys_call(SYS_CHANNEL_UNMAP, handle, 0, 0, 0, 0);
}

static inline int64_t sys_device_map(unsigned index)
{
	return sys_call(SYS_DEVICE_MAP, index, 0, 0, 0, 0);
}

static inline int64_t sys_control(void)
{
	return sys_call(SYS_CONTROL, 0, 0, 0, 0, 0);
}

static inline int64_t sys_vtime(struct vcpu_time *time)
{
	return sys_call(SYS_VTIME, (uintptr_t)time, 0, 0, 0, 0);
}

static inline int64_t sys_console_read(char *to, uint64_t bytes)
{
	return sys_call(SYS_CONSOLE_READ, (uintptr_t)to, bytes, 0, 0, 0);
}

#if __STDC_HOSTED__
void sys_exit(uint64_t code); /* a test may return from it */
#else
static inline __attribute__((noreturn)) void sys_exit(uint64_t code)
{
	for (;;)
		(void)sys_call(SYS_EXIT, code, 0, 0, 0, 0);
}
#endif

static inline int64_t sys_as_create(unsigned as, uint64_t root_page)
{
	return sys_call(SYS_AS_CREATE, as, root_page, 0, 0, 0);
}

static inline int64_t sys_as_table(unsigned as, uint64_t va, unsigned level,
				   uint64_t page)
{
	return sys_call(SYS_AS_TABLE, as, va, level, page, 0);
}

static inline int64_t sys_as_map(unsigned as, const struct as_map *map,
				 unsigned count)
{
	return sys_call(SYS_AS_MAP, as, (uintptr_t)map, count, 0, 0);
}

static inline int64_t sys_as_destroy(unsigned as)
{
	return sys_call(SYS_AS_DESTROY, as, 0, 0, 0, 0);
}

static inline int64_t sys_user_run(unsigned as, uint64_t deadline_ns,
				   uint64_t event_mask)
{
	return sys_call(SYS_USER_RUN, as, deadline_ns, event_mask, 0, 0);
}

static inline int64_t sys_halt(void)
{
	return sys_call(SYS_HALT, 0, 0, 0, 0, 0);
}

static inline int64_t sys_lead_create(const void *lead_create)
{
	return sys_call(SYS_LEAD_CREATE, (uintptr_t)lead_create, 0, 0, 0, 0);
}

static inline int64_t sys_lead_map(const void *lead_map)
{
	return sys_call(SYS_LEAD_MAP, (uintptr_t)lead_map, 0, 0, 0, 0);
}

static inline int64_t sys_lead_start(unsigned slot, uint64_t rip, uint64_t rsp)
{
	return sys_call(SYS_LEAD_START, slot, rip, rsp, 0, 0);
}

static inline int64_t sys_lead_stop(unsigned slot)
{
	return sys_call(SYS_LEAD_STOP, slot, 0, 0, 0, 0);
}

static inline int64_t sys_lead_destroy(unsigned slot)
{
	return sys_call(SYS_LEAD_DESTROY, slot, 0, 0, 0, 0);
}

static inline int64_t sys_lead_schedule(uint64_t pfn)
{
	return sys_call(SYS_LEAD_SCHEDULE, pfn, 0, 0, 0, 0);
}

static inline int64_t sys_lead_bind(unsigned vector, unsigned slot,
				    unsigned event_bit)
{
	return sys_call(SYS_LEAD_BIND, vector, slot, event_bit, 0, 0);
}

static inline int64_t sys_lead_root(uint64_t pfn)
{
	return sys_call(SYS_LEAD_ROOT, pfn, 0, 0, 0, 0);
}

static inline int64_t sys_lead_report(unsigned slot, unsigned event_bit)
{
	return sys_call(SYS_LEAD_REPORT, slot, event_bit, 0, 0, 0);
}

static inline int64_t sys_lead_frames(uint64_t va, uint64_t pfn, uint64_t count,
				      unsigned prot)
{
	return sys_call(SYS_LEAD_FRAMES, va, pfn, count, prot, 0);
}

static inline int64_t sys_lead_notify(unsigned slot, uint64_t event_bits)
{
	return sys_call(SYS_LEAD_NOTIFY, slot, event_bits, 0, 0, 0);
}

static inline int64_t sys_lead_sync(unsigned slot)
{
	return sys_call(SYS_LEAD_SYNC, slot, 0, 0, 0, 0);
}

static inline int64_t sys_lead_pause(unsigned slot)
{
	return sys_call(SYS_LEAD_PAUSE, slot, 0, 0, 0, 0);
}

static inline int64_t sys_lead_resume(unsigned slot)
{
	return sys_call(SYS_LEAD_RESUME, slot, 0, 0, 0, 0);
}

static inline int64_t sys_lead_save(unsigned slot, void *lead_state)
{
	return sys_call(SYS_LEAD_SAVE, slot, (uintptr_t)lead_state, 0, 0, 0);
}

static inline int64_t sys_lead_restore(unsigned slot, const void *lead_state,
				       unsigned part)
{
	return sys_call(SYS_LEAD_RESTORE, slot, (uintptr_t)lead_state, part, 0,
			0);
}

static inline int64_t sys_lead_off(uint64_t code)
{
	return sys_call(SYS_LEAD_OFF, code, 0, 0, 0, 0);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/time.c - nanoseconds from the TSC, and the one-shot APIC timer.
 *
 * The boot stage measures both clocks against the ACPI PM timer.  The two
 * measurements differ by parts per million, so a timer may fire early: who gets
 * its interrupt looks at now_ns() and arms it again.
 *
 * SDM 3A 10.5.4 (APIC timer), 10.6 (interrupts between CPUs), 17.17 (TSC).
 */
#include "monitor/monitor.h"

#define LAPIC_ICR_LOW       0x300
#define LAPIC_ICR_HIGH      0x310
#define LAPIC_INITIAL_COUNT 0x380
#define ICR_PENDING         0x1000

struct clock clock;

void lapic_write(unsigned reg, uint32_t v)
{
	*(volatile uint32_t *)(SHARED_LAPIC_VA + reg) = v;
}

uint32_t lapic_read(unsigned reg)
{
	return *(volatile uint32_t *)(SHARED_LAPIC_VA + reg);
}

void lapic_send(uint32_t apic_id, uint32_t command)
{
	while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
		__builtin_ia32_pause();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR_LOW, command);
}

void timer_arm(uint64_t at_ns, uint64_t now)
{
	const uint64_t second = 1000000000; /* keeps the count in 32 bits */
	uint64_t ns, ticks;

	if (at_ns == NEVER) {
		lapic_write(LAPIC_INITIAL_COUNT, 0);
		return;
	}
	ns = at_ns > now ? at_ns - now : 0;
	if (ns > second)
		ns = second;
	ticks = ((unsigned __int128)ns * clock.ticks_per_ns >> 32) + 1;
	lapic_write(LAPIC_INITIAL_COUNT,
		    ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks);
}

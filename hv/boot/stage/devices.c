/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/devices.c - the devices that monitors themselves use: UART,
 * local APIC, I/O APIC, and the two clocks measured against the PM timer.
 *
 * PC16550D data sheet; SDM 3A 10.4.7, 10.5 (local APIC); 82093AA data sheet
 * (I/O APIC); ACPI 6.3, 4.8.3.3 (PM timer: 3.579545 MHz).
 */
#include "boot/stage/stage.h"

#define UART 0x3f8

#define LAPIC_ID        0x20
#define LAPIC_TPR       0x80
#define LAPIC_SVR       0xf0
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LINT0     0x350
#define LAPIC_LINT1     0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_INITIAL   0x380
#define LAPIC_CURRENT   0x390
#define LAPIC_DIVIDE    0x3e0
#define LVT_MASKED      0x10000
#define DIVIDE_BY_1     0xb
#define MSR_APIC_BASE   0x1b
#define APIC_BASE_ON    0x800

#define PM_HZ          3579545
#define PM_TICKS_10_MS 35795

void uart_init(void)
{
	outb(UART + 1, 0);    /* no interrupts yet */
	outb(UART + 3, 0x80); /* divisor: */
	outb(UART + 0, 1);    /* 115200 baud */
	outb(UART + 1, 0);
	outb(UART + 3, 0x03); /* 8N1 */
	outb(UART + 2, 0x07); /* FIFOs on and empty */
	outb(UART + 4, 0x0b); /* DTR, RTS, OUT2: which lets its interrupt out */
}

static void ioapic_write(uint32_t reg, uint32_t v)
{
	volatile uint32_t *io = (volatile uint32_t *)platform.ioapic_pa;

	io[0] = reg;
	io[4] = v;
}

void interrupts_init(void)
{
	uint32_t entry = 0x10 + 2 * platform.uart_gsi;

	/* The 8259s, where there are any, keep still. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	lapic_init();
	/* Edge, active high, fixed, to this CPU. */
	ioapic_write(entry + 1, lapic_read(LAPIC_ID));
	ioapic_write(entry, VECTOR_UART);
	/* Last: an empty transmitter interrupts at once, and that starts the
	 * draining of what was logged until now.  Received bytes interrupt,
	 * too. */
	outb(UART + 1, 0x03);
}

void lapic_init(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ON);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LINT1, LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER); /* one-shot */
}

static uint32_t pm_now(void)
{
	return inl(platform.pm_port) & platform.pm_mask;
}

/* 10 ms on all three clocks.  The first tick seen to change is the start, so
 * that the error is a port access, not a PM tick. */
void clock_init(void)
{
	uint32_t start = pm_now(), first, ticks;
	uint64_t tsc, ns, apic;

	do {
		first = pm_now();
	} while (first == start);
	clock.tsc_base = rdtsc();
	lapic_write(LAPIC_INITIAL, 0xffffffff);
	do {
		ticks = (pm_now() - first) & platform.pm_mask;
	} while (ticks < PM_TICKS_10_MS);
	tsc = rdtsc() - clock.tsc_base;
	apic = 0xffffffff - lapic_read(LAPIC_CURRENT);
	lapic_write(LAPIC_INITIAL, 0);
	ns = ticks * 1000000000ull / PM_HZ;
	if (!tsc || !apic)
		boot_fail("TSC or APIC timer stands still", "");
	clock.ns_per_tick = (ns << 32) / tsc;
	clock.ticks_per_ns = (apic << 32) / ns;
	lead_area.tsc_khz = tsc * 1000000 / ns;
}

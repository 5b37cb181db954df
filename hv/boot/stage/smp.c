/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/smp.c - the other CPUs, started one after the other in the
 * order of ACPI's table, and left to the lead monitor, without a partition.
 *
 * One that does not come in time is left out, and those after it get its index.
 * All TSCs must count alike: partitions compare times across CPUs, so a CPU
 * whose TSC is not in step is left out, too.
 *
 * SDM 3A 8.4.4 (INIT and SIPI), 10.6.1 (interrupt command register).
 */
#include "boot/stage/stage.h"

#define ICR_INIT    0x4500 /* assert, edge */
#define ICR_STARTUP 0x4600
#define LAPIC_ID    0x20

#define INIT_NS    10000000
#define STARTUP_NS 200000
#define COME_NS    100000000
#define STEP_NS    20000 /* that TSCs may seem to differ by */

/* entry.S */
extern char ap_start[], ap_start_end[];
void ap_main(void);

uint64_t ap_stack;

static struct {
	uint32_t index;
	bool come, leave; /* its words: here; the first CPU's: go on */
	uint64_t ns;      /* its clock when it came */
} ap;

static void pause_ns(uint64_t ns)
{
	uint64_t until = now_ns() + ns;

	while (now_ns() < until)
		__builtin_ia32_pause();
}

static bool comes_within(uint64_t ns)
{
	uint64_t until = now_ns() + ns;

	while (!__atomic_load_n(&ap.come, __ATOMIC_ACQUIRE)) {
		if (now_ns() >= until)
			return false;
		__builtin_ia32_pause();
	}
	return true;
}

/* The CPU itself, on the stack that it will idle on. */
void ap_main(void)
{
	uint32_t index = ap.index;

	cpu_load(index);
	lapic_init();
	ap.ns = now_ns();
	__atomic_store_n(&ap.come, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&ap.leave, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
	schedule(&cpus[index]);
}

static void join(uint32_t apic_id)
{
	uint32_t index = lead_area.cpu_count;
	uint64_t before, after;

	ap.index = index;
	ap.come = ap.leave = false;
	ap_stack = (uint64_t)stacks[index].idle + sizeof(stacks[0].idle);
	cpus[index].apic_id = apic_id;
	lead_area.cpu[index].apic_id = apic_id;
	lapic_send(apic_id, ICR_INIT);
	pause_ns(INIT_NS);
	before = now_ns();
	lapic_send(apic_id, ICR_STARTUP | AP_START_PA >> 12);
	if (!comes_within(STARTUP_NS))
		lapic_send(apic_id, ICR_STARTUP | AP_START_PA >> 12);
	if (!comes_within(COME_NS)) {
		log_line("CPU with APIC %u does not start", apic_id);
		lapic_send(apic_id, ICR_INIT); /* never to be heard of again */
		return;
	}
	after = now_ns();
	if (ap.ns + STEP_NS < before || ap.ns > after + STEP_NS) {
		log_line("CPU with APIC %u: its TSC is out of step", apic_id);
		lapic_send(apic_id, ICR_INIT);
		return;
	}
	lead_area.cpu_count++;
	__atomic_store_n(&ap.leave, true, __ATOMIC_RELEASE);
}

void smp_start(void)
{
	uint32_t me = lapic_read(LAPIC_ID) >> 24;

	cpus[0].apic_id = lead_area.cpu[0].apic_id = me;
	memcpy((void *)AP_START_PA, ap_start,
	       (uint64_t)ap_start_end - (uint64_t)ap_start);
	for (uint32_t i = 0; i < platform.cpus; i++)
		if (platform.apic_id[i] != me)
			join(platform.apic_id[i]);
	if (lead_area.cpu_count > 1)
		log_line("%u CPUs", lead_area.cpu_count);
}

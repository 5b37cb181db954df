/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/init.c - the order in which a machine becomes a host.
 *
 * Nothing here asks what kind of host it is: what is needed is looked for, and
 * what is missing is named.
 */
#include "boot/stage/stage.h"

struct boot_info boot_info;
struct platform platform;

#define EXIT_BOOT_FAILED 0x7e

_Noreturn void boot_fail(const char *why, const char *what)
{
	log_line("cannot start: %s%s", why, what);
	machine_off(EXIT_BOOT_FAILED);
}

void init_main(uint64_t magic, uint64_t info_pa)
{
	uart_init();
	lead_area.magic = LEAD_MAGIC;
	lead_area.slot_count = PART_SLOTS;
	lead_area.cpu_count = 1;
	for (unsigned i = 0; i < ABI_CPUS; i++) {
		cpus[i].index = i;
		cpus[i].left = LEAD_SLOT_NONE;
		lead_area.cpu[i].current = LEAD_SLOT_NONE;
	}
	log_line("started by a Multiboot loader");
	cpu_check();
	multiboot_read(magic, info_pa);
	acpi_read();
	cpu_init();
	interrupts_init();
	clock_init();
	log_line("clocks calibrated at %u us", now_ns() / 1000);
	smp_start();
	ultravisor_start();
}

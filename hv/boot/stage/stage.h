/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/stage.h - what the files of the boot stage share.
 *
 * The boot stage runs once, in ring 0, on tables that show all physical memory
 * below 4 GiB at its own address; it is linked into the monitors' image but
 * mapped nowhere once a partition runs.
 */
#ifndef PARTERRE_BOOT_STAGE_H
#define PARTERRE_BOOT_STAGE_H

#include "monitor/monitor.h"

/* Below 1 MiB, page-aligned: the first page that another CPU executes. */
#define AP_START_PA 0x8000

#ifndef __ASSEMBLER__

#include "boot/info.h"

/* What ACPI told (acpi.c). */
struct platform {
	uint64_t lapic_pa, ioapic_pa;
	uint32_t uart_gsi;
	uint16_t pm_port; /* of the PM timer */
	uint32_t pm_mask; /* 24 or 32 bits */
	uint32_t cpus;    /* that can be used; at most ABI_CPUS */
	uint32_t apic_id[ABI_CPUS];
};

extern struct boot_info boot_info;
extern struct platform platform;

static inline const void *physical(uint64_t pa)
{
	return (const void *)pa;
}

/* Says why on the console and ends the machine. */
_Noreturn void boot_fail(const char *why, const char *what);

void init_main(uint64_t magic, uint64_t info_pa);

void multiboot_read(uint64_t magic, uint64_t info_pa);
void acpi_read(void);
void cpu_check(void);
void cpu_init(void);
void cpu_load(uint32_t index); /* the tables into the CPU that executes it */
void uart_init(void);
void interrupts_init(void);
void lapic_init(void);
void smp_start(void); /* all other CPUs, one after the other */
void clock_init(void);
void ultravisor_start(void);

#endif
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/lapic.h - the local APICs (SDM volume 3A, chapter 10).
 *
 * One device per CPU, "lapic0" and up.  Their page (FEE00000) is the same
 * address for all: "lapic0" maps it and machine_accessing_cpu() says whose
 * registers answer.
 *
 * Bus clock: 1 GHz, one edge each 1000 ps counted from power-on; the timer's
 * divider divides it (section 10.5.4).  The TSC-deadline mode compares with the
 * machine's TSC, whose frequency is machine_config.cpu_hz.
 *
 * The machine calls lapic_ack() when a CPU takes INTR; the device drives INTR
 * by machine_set_intr(), NMI by machine_set_nmi().
 *
 * An interrupt of the 8259 (ExtINT: LINT0, a message of the I/O APIC, or a
 * disabled local APIC) raises INTR, too; lapic_ack() then asks the 8259.  What
 * is pending in the local APIC goes first.
 *
 * After reset lapic0 stands as firmware leaves it: software-enabled, LINT0
 * ExtINT, LINT1 NMI (virtual wire mode).
 *
 * Not modelled: lowest-priority delivery by arbitration (the candidate with the
 * lowest processor priority wins, ties to the lowest index), SMI delivery
 * (recorded as odd), focus processor checking, moving the page by
 * IA32_APIC_BASE (recorded as odd; the page stays), cluster model of the
 * logical x2APIC ID beyond 16 CPUs, performance and thermal LVT sources (the
 * registers are there), APIC bus arbitration.
 */
#ifndef PARTERRE_DEVICES_LAPIC_H
#define PARTERRE_DEVICES_LAPIC_H

#include "sim/machine.h"

#define LAPIC_BASE   UINT64_C(0xFEE00000)
#define LAPIC_BUS_PS UINT64_C(1000) /* one bus clock */

/* Interrupt acknowledge: moves the highest request to in-service and gives its
 * vector, or the 8259's.  -1: nothing can be delivered any more (INTR was
 * withdrawn). */
int lapic_ack(struct machine *m, unsigned cpu);

/* CR8 (bits 7:4 of the TPR). */
uint8_t lapic_tpr_get(struct machine *m, unsigned cpu);
void lapic_tpr_set(struct machine *m, unsigned cpu, uint8_t cr8);

/* IA32_APIC_BASE (1BH), IA32_TSC_DEADLINE (6E0H), x2APIC (800H-83FH).  False:
 * not ours, or to be refused with #GP. */
bool lapic_msr_read(struct machine *m, unsigned cpu, uint32_t msr,
		    uint64_t *value);
bool lapic_msr_write(struct machine *m, unsigned cpu, uint32_t msr,
		     uint64_t value);

/* The TSC of this CPU was written: a deadline now lies elsewhere. */
void lapic_tsc_changed(struct machine *m, unsigned cpu);

/* What travels between APICs. */
#define LAPIC_DEST_ALL UINT32_MAX
struct lapic_message {
	uint32_t dest; /* APIC ID or logical set; LAPIC_DEST_ALL: everyone */
	bool logical;
	uint8_t mode; /* delivery mode as in ICR bits 10:8 */
	uint8_t vector;
	bool level; /* level-triggered: its EOI goes to the I/O APIC */
};
void lapic_deliver(struct machine *m, const struct lapic_message *msg);

/* The pins LINT0 and LINT1 (pin 0, 1), as an irq_line wants them. */
void lapic_lint_set(struct device *lapic, unsigned pin, bool level);

/* A message: address FEExxxxx, data (SDM 3A section 10.11). */
void lapic_msi(struct machine *m, paddr_t addr, uint32_t data);

#endif

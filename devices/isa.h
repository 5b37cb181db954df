/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/isa.h - the board's 16 ISA interrupt wires.
 *
 * A device names "ISA IRQ n" and has a wire that ends at both interrupt
 * controllers: at IRn of the 8259 pair and at pin n of the I/O APIC.  Two
 * differ: IRQ 0 is I/O APIC pin 2 (the MADT says so), for pin 0 is the 8259's
 * INT; IRQ 2 is the slave's and nobody else's.
 *
 * A clock that ticks for ever should cost events only while somebody listens.
 * The source of such a wire registers itself (isa_source()) and is asked to
 * settle - put its wire to the present level, and arm its event while
 * isa_listens() - whenever a mask is about to change or has changed, and before
 * requests are read.
 *
 * LegacyReplacement of the HPET (IA-PC HPET specification 1.0a, 2.3.4.1.2)
 * takes IRQ 0 and IRQ 8 away from the 8254 and the RTC: isa_hpet_route() and
 * isa_hpet_set().
 */
#ifndef PARTERRE_DEVICES_ISA_H
#define PARTERRE_DEVICES_ISA_H

#include "sim/device.h"

#define ISA_IRQS 16

/* The wire; false when there is no such IRQ or no "isa0" yet. */
bool isa_irq_line(struct machine *m, uint64_t irq, const char *who,
		  struct irq_line *line, struct error *err) MUST_USE;

void isa_source(struct machine *m, unsigned irq,
		void (*settle)(struct device *source), struct device *source);
bool isa_listens(struct machine *m, unsigned irq);
/* By the interrupt controllers; fine without "isa0". */
void isa_settle(struct machine *m);

/* The HPET's timers 0 and 1 on IRQ 0 and IRQ 8, while routed. */
void isa_hpet_route(struct machine *m, bool routed);
void isa_hpet_set(struct machine *m, unsigned irq, bool level);

#endif

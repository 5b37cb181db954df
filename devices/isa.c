/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/isa.c - see isa.h. */
#include "devices/isa.h"

#include "devices/i8259.h"
#include "devices/ioapic.h"
#include "sim/machine.h"

#define IRQ_SLAVE    2
#define HPET_ROUTED  0x0101 /* IRQ 0 and 8 */
#define IOAPIC_TIMER 2      /* the pin of IRQ 0 */

struct source {
	void (*settle)(struct device *device);
	struct device *device;
};

struct isa {
	struct device device;
	uint16_t level;      /* of the devices' wires */
	uint16_t hpet_level; /* of the HPET's */
	uint8_t hpet_routed;
	/* Wiring. */
	struct device *pic, *ioapic;
	struct source source[ISA_IRQS];
};

static const struct device_field isa_fields[] = {
	DEVICE_FIELD(struct isa, level),
	DEVICE_FIELD(struct isa, hpet_level),
	DEVICE_FIELD(struct isa, hpet_routed),
	{NULL, 0, 0, 0},
};

static struct isa *isa_of(struct machine *m)
{
	return (struct isa *)machine_device(m, "isa0");
}

static unsigned ioapic_pin(unsigned irq)
{
	return irq ? irq : IOAPIC_TIMER;
}

static bool is_hpet(const struct isa *isa, unsigned irq)
{
	return isa->hpet_routed && (HPET_ROUTED >> irq & 1);
}

static void drive(struct isa *isa, unsigned irq)
{
	bool level =
		(is_hpet(isa, irq) ? isa->hpet_level : isa->level) >> irq & 1;

	i8259_pin_set(isa->pic, irq, level);
	ioapic_pin_set(isa->ioapic, ioapic_pin(irq), level);
}

static uint16_t with_bit(uint16_t bits, unsigned bit, bool value)
{
	uint16_t mask = (uint16_t)(1 << bit);

	return value ? bits | mask : bits & (uint16_t)~mask;
}

static void isa_set(struct device *d, unsigned irq, bool level)
{
	struct isa *isa = (struct isa *)d;

	isa->level = with_bit(isa->level, irq, level);
	if (!is_hpet(isa, irq))
		drive(isa, irq);
}

bool isa_irq_line(struct machine *m, uint64_t irq, const char *who,
		  struct irq_line *line, struct error *err)
{
	struct isa *isa = isa_of(m);

	if (!isa)
		return error_set(err, EXIT_USAGE, "%s: add isa0 before it",
				 who);
	if (irq >= ISA_IRQS || irq == IRQ_SLAVE)
		return error_set(err, EXIT_USAGE,
				 "%s: there is no ISA IRQ %llu for a device; "
				 "give 0 to 15, but not 2",
				 who, (unsigned long long)irq);
	*line = (struct irq_line){isa_set, &isa->device, (unsigned)irq};
	return true;
}

void isa_source(struct machine *m, unsigned irq,
		void (*settle)(struct device *source), struct device *source)
{
	struct isa *isa = isa_of(m);

	if (isa && irq < ISA_IRQS)
		isa->source[irq] = (struct source){settle, source};
}

bool isa_listens(struct machine *m, unsigned irq)
{
	struct isa *isa = isa_of(m);

	return isa && !is_hpet(isa, irq) &&
	       (i8259_listens(isa->pic, irq) ||
		ioapic_listens(isa->ioapic, ioapic_pin(irq)));
}

static void settle(struct isa *isa)
{
	for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
		const struct source *s = &isa->source[irq];

		if (s->settle)
			s->settle(s->device);
	}
}

void isa_settle(struct machine *m)
{
	struct isa *isa = isa_of(m);

	if (isa)
		settle(isa);
}

void isa_hpet_route(struct machine *m, bool routed)
{
	struct isa *isa = isa_of(m);

	if (!isa || isa->hpet_routed == routed)
		return;
	settle(isa);
	isa->hpet_routed = routed;
	drive(isa, 0);
	drive(isa, 8);
	settle(isa);
}

void isa_hpet_set(struct machine *m, unsigned irq, bool level)
{
	struct isa *isa = isa_of(m);

	if (!isa)
		return;
	isa->hpet_level = with_bit(isa->hpet_level, irq, level);
	if (is_hpet(isa, irq))
		drive(isa, irq);
}

static void isa_reset(struct device *d)
{
	struct isa *isa = (struct isa *)d;

	isa->level = isa->hpet_level = isa->hpet_routed = 0;
	for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
		if (irq != IRQ_SLAVE)
			drive(isa, irq);
	}
}

static bool isa_init(struct device *d, const struct device_prop *props,
		     size_t prop_count, struct error *err)
{
	struct isa *isa = (struct isa *)d;

	(void)props;
	(void)prop_count;
	isa->pic = machine_device(d->machine, "pic0");
	isa->ioapic = machine_device(d->machine, "ioapic0");
	if (!isa->pic || !isa->ioapic)
		return error_set(err, EXIT_USAGE,
				 "%s: add ioapic0 and pic0 before it", d->name);
	return true;
}

const struct device_class isa_class = {
	.name = "isa",
	.summary = "ISA interrupt wires to the 8259 pair and the I/O APIC",
	.object_bytes = sizeof(struct isa),
	.fields = isa_fields,
	.init = isa_init,
	.reset = isa_reset,
};

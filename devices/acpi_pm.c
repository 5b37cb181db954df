/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/acpi_pm.c - section numbers are of the ACPI specification 6.4. */
#include "devices/acpi_pm.h"

#include <string.h>

#include "devices/isa.h"
#include "devices/rate.h"
#include "sim/machine.h"

/* Offsets from ACPI_PM_BASE. */
enum {
	PM1_STS = 0,
	PM1_EN = 2,
	PM1_CNT = 4,
	PM_TMR = 8
};

#define TMR_STS  0x0001 /* 4.8.3.1: bit 31 of the timer changed */
#define EN_BITS  0x0521 /* TMR_EN, GBL_EN, PWRBTN_EN, RTC_EN */
#define SCI_EN   0x0001
#define SLP_TYP  0x1C00
#define SLP_EN   0x2000
#define CNT_BITS 0x1C06

#define TIMER_HALF (UINT64_C(1) << 31)

struct acpi_pm {
	struct device device;
	uint64_t carries; /* changes of bit 31 that TMR_STS knows of */
	uint16_t pm1_sts, pm1_en, pm1_cnt;
	uint8_t stopped; /* fault: the timer has no clock */
	uint64_t stands; /* at this count */
	/* Wiring. */
	struct irq_line sci;
	struct event carry;
	char carry_name[24];
};

static const struct device_field acpi_pm_fields[] = {
	DEVICE_FIELD(struct acpi_pm, carries),
	DEVICE_FIELD(struct acpi_pm, pm1_sts),
	DEVICE_FIELD(struct acpi_pm, pm1_en),
	DEVICE_FIELD(struct acpi_pm, pm1_cnt),
	DEVICE_FIELD(struct acpi_pm, stopped),
	DEVICE_FIELD(struct acpi_pm, stands),
	{NULL, 0, 0, 0},
};

static const struct device_register acpi_pm_registers[] = {
	{"PM1_STS", PM1_STS, 2}, {"PM1_EN", PM1_EN, 2}, {"PM1_CNT", PM1_CNT, 2},
	{"PM_TMR", PM_TMR, 4},   {NULL, 0, 0},
};

static uint64_t timer_edges(const struct acpi_pm *pm)
{
	if (pm->stopped)
		return pm->stands;
	return rate_edges(machine_now(pm->device.machine), ACPI_PM_HZ);
}

static void sci_update(struct acpi_pm *pm)
{
	irq_set(&pm->sci, pm->pm1_sts & pm->pm1_en);
}

/* The timer's carry is an event only while an interrupt could come of it (an
 * idle machine with no event left is a deadlock, and must show as one);
 * otherwise TMR_STS is made up when somebody looks. */
static void carry_settle(struct acpi_pm *pm)
{
	struct evq *q = machine_evq(pm->device.machine);
	uint64_t carries = timer_edges(pm) / TIMER_HALF;

	if (carries != pm->carries)
		pm->pm1_sts |= TMR_STS;
	pm->carries = carries;
	if ((pm->pm1_en & TMR_STS) && !pm->stopped)
		evq_schedule(
			q, &pm->carry,
			rate_instant((carries + 1) * TIMER_HALF, ACPI_PM_HZ));
	else
		evq_cancel(q, &pm->carry);
	sci_update(pm);
}

static void carry(void *owner, ps_t when)
{
	(void)when;
	carry_settle(owner);
}

static uint8_t byte_read(struct acpi_pm *pm, uint64_t off)
{
	switch (off) {
	case PM1_STS ... PM1_STS + 1:
		return (uint8_t)(pm->pm1_sts >> 8 * (off - PM1_STS));
	case PM1_EN ... PM1_EN + 1:
		return (uint8_t)(pm->pm1_en >> 8 * (off - PM1_EN));
	case PM1_CNT ... PM1_CNT + 1:
		return (uint8_t)((pm->pm1_cnt | SCI_EN) >> 8 * (off - PM1_CNT));
	case PM_TMR ... PM_TMR + 3:
		return (uint8_t)(timer_edges(pm) >> 8 * (off - PM_TMR));
	default:
		return 0;
	}
}

static uint64_t acpi_pm_read(struct device *d, uint64_t off, unsigned size)
{
	struct acpi_pm *pm = (struct acpi_pm *)d;
	uint64_t value = 0;

	carry_settle(pm);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)byte_read(pm, off + i) << 8 * i;
	return value;
}

static void control_write(struct acpi_pm *pm)
{
	unsigned type = (pm->pm1_cnt & SLP_TYP) >> 10;

	if (type == ACPI_S5_TYPE)
		machine_off(pm->device.machine, 0);
	else
		machine_odd(&pm->device, "sleep state not modelled", PM1_CNT,
			    type);
}

static void acpi_pm_write(struct device *d, uint64_t off, unsigned size,
			  uint64_t value)
{
	struct acpi_pm *pm = (struct acpi_pm *)d;
	bool sleep = false;

	carry_settle(pm); /* what came before this write, it clears */
	for (unsigned i = 0; i < size; i++, off++, value >>= 8) {
		unsigned shift = 8 * (off & 1);
		uint16_t byte = (uint16_t)((value & 0xFF) << shift);
		uint16_t keep = (uint16_t)(0xFF00 >> shift);

		switch (off & ~UINT64_C(1)) {
		case PM1_STS: /* write one to clear */
			pm->pm1_sts &= (uint16_t)~byte;
			break;
		case PM1_EN:
			pm->pm1_en = (pm->pm1_en & keep) | (byte & EN_BITS);
			break;
		case PM1_CNT:
			pm->pm1_cnt = (pm->pm1_cnt & keep) | (byte & CNT_BITS);
			sleep |= byte & SLP_EN;
			break;
		default:
			machine_odd(d, "write to a read-only register", off,
				    byte);
			return;
		}
	}
	if (sleep)
		control_write(pm);
	carry_settle(pm);
}

static void acpi_pm_reset(struct device *d)
{
	struct acpi_pm *pm = (struct acpi_pm *)d;

	pm->pm1_en = pm->pm1_cnt = 0;
	carry_settle(pm);
	pm->pm1_sts = 0;
	sci_update(pm);
}

static bool acpi_pm_init(struct device *d, const struct device_prop *props,
			 size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {acpi_pm_read, acpi_pm_write, 1, 4};
	struct acpi_pm *pm = (struct acpi_pm *)d;
	struct bus_range range = {ACPI_PM_BASE, 12, &ops, d, d->name};

	(void)props;
	(void)prop_count;
	if (!isa_irq_line(d->machine, ACPI_SCI_PIN, d->name, &pm->sci, err))
		return false;
	strcat(strcpy(pm->carry_name, d->name), ".carry");
	pm->carry = (struct event){.name = pm->carry_name,
				   .fire = carry,
				   .owner = pm,
				   .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &pm->carry);
	return bus_map_ports(machine_bus(d->machine), &range, err);
}

static void acpi_pm_fini(struct device *d)
{
	struct acpi_pm *pm = (struct acpi_pm *)d;

	evq_cancel(machine_evq(d->machine), &pm->carry);
}

static const char *const acpi_pm_faults[] = {"stop", NULL};

static bool acpi_pm_fault(struct device *d, const char *name, uint64_t argument,
			  struct error *err)
{
	struct acpi_pm *pm = (struct acpi_pm *)d;

	(void)name;
	(void)argument;
	(void)err;
	pm->stands = timer_edges(pm);
	pm->stopped = 1;
	carry_settle(pm);
	return true;
}

const struct device_class acpi_pm_class = {
	.name = "acpi_pm",
	.summary = "ACPI fixed hardware: PM1 registers and PM timer",
	.object_bytes = sizeof(struct acpi_pm),
	.fields = acpi_pm_fields,
	.registers = acpi_pm_registers,
	.faults = acpi_pm_faults,
	.init = acpi_pm_init,
	.reset = acpi_pm_reset,
	.fault = acpi_pm_fault,
	.fini = acpi_pm_fini,
};

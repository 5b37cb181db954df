/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_board.h"

#include <stdio.h>
#include <string.h>

#include "devices/board.h"
#include "devices/lapic.h"
#include "devices/registry.h"
#include "fake_cpu.h"
#include "sim/check.h"

/* --- local APICs: requests by vector, the highest first --- */

struct fake_lapic {
	struct device device;
	uint64_t request[CPU_COUNT_MAX][4];
	uint8_t tpr[CPU_COUNT_MAX];
	uint64_t base[CPU_COUNT_MAX];
};

static const struct device_field lapic_fields[] = {
	{"request", offsetof(struct fake_lapic, request), 8, CPU_COUNT_MAX * 4},
	DEVICE_ARRAY(struct fake_lapic, tpr),
	DEVICE_ARRAY(struct fake_lapic, base),
	{NULL, 0, 0, 0},
};

static struct fake_lapic *lapic(struct machine *m)
{
	return (struct fake_lapic *)machine_device(m, "lapic0");
}

static int highest(const uint64_t *request)
{
	for (int i = 3; i >= 0; i--) {
		if (request[i])
			return i * 64 + 63 - __builtin_clzll(request[i]);
	}
	return -1;
}

static void raise_vector(struct machine *m, unsigned cpu, uint8_t vector)
{
	lapic(m)->request[cpu][vector / 64] |= UINT64_C(1) << (vector % 64);
	machine_set_intr(m, cpu, true);
}

int lapic_ack(struct machine *m, unsigned cpu)
{
	uint64_t *request = lapic(m)->request[cpu];
	int vector = highest(request);

	if (vector >= 0)
		request[vector / 64] &= ~(UINT64_C(1) << (vector % 64));
	machine_set_intr(m, cpu, highest(request) >= 0);
	return vector;
}

uint8_t lapic_tpr_get(struct machine *m, unsigned cpu)
{
	return lapic(m)->tpr[cpu];
}

void lapic_tpr_set(struct machine *m, unsigned cpu, uint8_t tpr)
{
	lapic(m)->tpr[cpu] = tpr;
}

bool lapic_msr_read(struct machine *m, unsigned cpu, uint32_t msr,
		    uint64_t *value)
{
	*value = lapic(m)->base[cpu];
	return msr == 0x1B;
}

bool lapic_msr_write(struct machine *m, unsigned cpu, uint32_t msr,
		     uint64_t value)
{
	if (msr == 0x1B)
		lapic(m)->base[cpu] = value;
	return msr == 0x1B;
}

void lapic_tsc_changed(struct machine *m, unsigned cpu)
{
	(void)m, (void)cpu;
}

void lapic_msi(struct machine *m, paddr_t addr, uint32_t data)
{
	raise_vector(m, addr >> 12 & 7, (uint8_t)data);
}

static bool lapic_init(struct device *d, const struct device_prop *props,
		       size_t count, struct error *err)
{
	(void)d, (void)props, (void)count, (void)err;
	return true;
}

static void fake_lapic_reset(struct device *d)
{
	struct fake_lapic *l = (struct fake_lapic *)d;

	memset(l->request, 0, sizeof(l->request));
	memset(l->tpr, 0, sizeof(l->tpr));
	memset(l->base, 0, sizeof(l->base));
	for (unsigned cpu = 0; cpu < machine_cpu_count(d->machine); cpu++)
		machine_set_intr(d->machine, cpu, false);
}

static const struct device_class lapic_fake = {
	.name = "lapic",
	.summary = "requests",
	.object_bytes = sizeof(struct fake_lapic),
	.fields = lapic_fields,
	.init = lapic_init,
	.reset = fake_lapic_reset,
};

/* --- the probe --- */

struct probe {
	struct device device;
	uint64_t fired, address, dma_value, timer_cpu, last_now, fault;
	uint8_t odd;
	struct event timer, dma;
	char timer_name[24], dma_name[24];
	struct probe_seen seen;
};

static const struct device_field probe_fields[] = {
	DEVICE_FIELD(struct probe, fired),
	DEVICE_FIELD(struct probe, address),
	DEVICE_FIELD(struct probe, dma_value),
	DEVICE_FIELD(struct probe, timer_cpu),
	DEVICE_FIELD(struct probe, last_now),
	DEVICE_FIELD(struct probe, fault),
	{NULL, 0, 0, 0},
};

const struct probe_seen *probe_seen(struct machine *m)
{
	return &((struct probe *)machine_device(m, "probe0"))->seen;
}

/* Devices count on it: time does not step back. */
static ps_t probe_now(struct probe *p)
{
	ps_t now = machine_now(p->device.machine);

	CHECK(now >= p->last_now);
	p->last_now = now;
	return now;
}

static void timer_fire(void *owner, ps_t when)
{
	struct probe *p = owner;

	CHECK(probe_now(p) == when);
	p->fired++;
	bus_msi(machine_bus(p->device.machine), &p->device,
		0xFEE00000 | p->timer_cpu << 12, PROBE_TIMER_VECTOR);
}

static void dma_fire(void *owner, ps_t when)
{
	struct probe *p = owner;
	struct bus *b = machine_bus(p->device.machine);
	uint64_t old = 0;

	CHECK(probe_now(p) == when);
	if (bus_dma_read(b, &p->device, p->address, &old, sizeof(old))) {
		p->dma_value += old;
		CHECK(bus_dma_write(b, &p->device, p->address, &p->dma_value,
				    sizeof(p->dma_value)));
	}
}

static uint64_t probe_read(struct device *d, uint64_t off, unsigned size)
{
	struct probe *p = (struct probe *)d;
	uint64_t value = 0;

	switch (off & ~UINT64_C(7)) {
	case PROBE_NOW:
		value = probe_now(p) / PS_PER_NS;
		break;
	case PROBE_PS:
		value = probe_now(p);
		break;
	case PROBE_FIRED:
		value = p->fired;
		break;
	case PROBE_ADDRESS:
		value = p->address;
		break;
	}
	p->seen = (struct probe_seen){p->seen.reads + 1, p->seen.writes, size,
				      off, value};
	return value >> (off % 8 * 8);
}

static void probe_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	struct probe *p = (struct probe *)d;
	struct machine *m = d->machine;
	struct evq *q = machine_evq(m);
	ps_t now = probe_now(p);
	unsigned cpu = (unsigned)value % machine_cpu_count(m);

	p->seen = (struct probe_seen){p->seen.reads, p->seen.writes + 1, size,
				      off, value};
	switch (off) {
	case PROBE_NOW:
		p->timer_cpu = machine_accessing_cpu(m);
		evq_schedule(q, &p->timer,
			     now + (value & 0xFFFFFF) * PS_PER_NS);
		break;
	case PROBE_ADDRESS:
		p->address = value;
		break;
	case PROBE_DMA:
		p->dma_value = value;
		evq_schedule(q, &p->dma, now + PS_PER_US);
		break;
	case PROBE_IPI:
		raise_vector(m, cpu, PROBE_IPI_VECTOR);
		break;
	case PROBE_NMI:
		machine_set_nmi(m, cpu);
		break;
	case PROBE_INIT:
		machine_cpu_init(m, cpu);
		break;
	case PROBE_SIPI:
		machine_cpu_sipi(m, value >> 8 & 7, (uint8_t)value);
		break;
	case PROBE_OFF:
		machine_off(m, (uint32_t)value);
		break;
	case PROBE_STOP:
		machine_request_stop(m);
		break;
	case PROBE_RESET:
		machine_reset(m);
		break;
	case PROBE_CONSOLE:
		machine_console_byte(m, 0, (uint8_t)value);
		break;
	case PROBE_ODD:
		machine_odd(d, "asked for", off, value);
		break;
	}
}

static bool probe_init(struct device *d, const struct device_prop *props,
		       size_t count, struct error *err)
{
	static const struct bus_ops mmio = {probe_read, probe_write, 1, 8};
	static const struct bus_ops port = {probe_read, probe_write, 1, 4};
	const struct device_prop *base = device_prop_find(props, count, "base");
	struct probe *p = (struct probe *)d;
	uint64_t at = base ? base->value : PROBE_BASE;

	snprintf(p->timer_name, sizeof(p->timer_name), "%s.timer", d->name);
	snprintf(p->dma_name, sizeof(p->dma_name), "%s.dma", d->name);
	p->timer = (struct event){.name = p->timer_name,
				  .fire = timer_fire,
				  .owner = p,
				  .rank = EVQ_TIMER};
	p->dma = (struct event){.name = p->dma_name,
				.fire = dma_fire,
				.owner = p,
				.rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &p->timer);
	evq_register(machine_evq(d->machine), &p->dma);
	return bus_map_mmio(
		       machine_bus(d->machine),
		       &(struct bus_range){at, PROBE_BYTES, &mmio, d, d->name},
		       err) &&
	       (base || bus_map_ports(machine_bus(d->machine),
				      &(struct bus_range){PROBE_PORT, 0x10,
							  &port, d, d->name},
				      err));
}

static void probe_reset(struct device *d)
{
	struct probe *p = (struct probe *)d;

	p->fired = 0;
	evq_cancel(machine_evq(d->machine), &p->timer);
	evq_cancel(machine_evq(d->machine), &p->dma);
}

static bool probe_fault(struct device *d, const char *name, uint64_t argument,
			struct error *err)
{
	(void)name, (void)err;
	((struct probe *)d)->fault = argument;
	return true;
}

static void probe_fini(struct device *d)
{
	struct probe *p = (struct probe *)d;

	evq_cancel(machine_evq(d->machine), &p->timer);
	evq_cancel(machine_evq(d->machine), &p->dma);
}

static const char *const probe_faults[] = {"stuck", NULL};

static const struct device_class probe_fake = {
	.name = "probe",
	.summary = "does everything",
	.object_bytes = sizeof(struct probe),
	.fields = probe_fields,
	.faults = probe_faults,
	.init = probe_init,
	.reset = probe_reset,
	.fault = probe_fault,
	.fini = probe_fini,
};

/* --- registry and board --- */

const struct device_class *device_class_find(const char *name)
{
	if (!strcmp(name, "lapic"))
		return &lapic_fake;
	return strcmp(name, "probe") ? NULL : &probe_fake;
}

bool board_firmware(struct machine *m, struct error *err)
{
	const struct fake_insn at_boot = {FAKE_ADDI, CPU_RSI, 0, 0, 0, 1};

	(void)err;
	return bus_poke(machine_bus(m), FAKE_FIRMWARE, &at_boot,
			sizeof(at_boot));
}

bool board_build(struct machine *m, const struct machine_config *c,
		 struct error *err)
{
	(void)c;
	return machine_add_device(m, "lapic", "lapic0", NULL, 0, err) &&
	       machine_add_device(m, "probe", "probe0", NULL, 0, err);
}

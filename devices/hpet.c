/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/hpet.c - section numbers are of the IA-PC HPET specification 1.0a. */
#include "devices/hpet.h"

#include <stdio.h>

#include "devices/ioapic.h"
#include "devices/isa.h"
#include "devices/rate.h"
#include "sim/machine.h"

/* 2.3: offsets. */
enum {
	GCAP_ID = 0x000,
	GEN_CONF = 0x010,
	GINTR_STA = 0x020,
	MAIN_CNT = 0x0F0,
	TIMER_0 = 0x100, /* and every 20h */
	TN_CONF = 0x00,
	TN_COMPARATOR = 0x08,
	TN_FSB_ROUTE = 0x10
};

/* GEN_CONF */
#define ENABLE_CNF 1u
#define LEG_RT_CNF 2u

/* Tn_CONF */
#define INT_TYPE    UINT64_C(0x0002) /* level */
#define INT_ENB     UINT64_C(0x0004)
#define TYPE        UINT64_C(0x0008) /* periodic */
#define PER_INT_CAP UINT64_C(0x0010)
#define SIZE_CAP    UINT64_C(0x0020)
#define VAL_SET     UINT64_C(0x0040)
#define MODE_32     UINT64_C(0x0100)
#define INT_ROUTE   UINT64_C(0x3E00)
#define FSB_EN      UINT64_C(0x4000)
#define FSB_CAP     UINT64_C(0x8000)
#define ROUTES      (UINT64_C(0x00F00000) << 32) /* pins 20 to 23 */
#define WRITABLE    (INT_TYPE | INT_ENB | MODE_32 | INT_ROUTE | FSB_EN)

struct hpet {
	struct device device;
	/* The counter is `offset` and the clock's edges while it runs, `offset`
	 * alone while it stands. */
	uint64_t offset;
	uint64_t conf[HPET_TIMERS], comparator[HPET_TIMERS];
	uint64_t period[HPET_TIMERS], fsb[HPET_TIMERS];
	/* How far the timer's matches are accounted for. */
	uint64_t settled[HPET_TIMERS];
	uint32_t gen_conf, status;
	uint8_t stopped; /* fault: the counter has no clock */
	/* Wiring. */
	struct device *ioapic;
	struct event match[HPET_TIMERS];
	char match_name[HPET_TIMERS][24];
};

static const struct device_field hpet_fields[] = {
	DEVICE_FIELD(struct hpet, offset),
	DEVICE_ARRAY(struct hpet, conf),
	DEVICE_ARRAY(struct hpet, comparator),
	DEVICE_ARRAY(struct hpet, period),
	DEVICE_ARRAY(struct hpet, fsb),
	DEVICE_ARRAY(struct hpet, settled),
	DEVICE_FIELD(struct hpet, gen_conf),
	DEVICE_FIELD(struct hpet, status),
	DEVICE_FIELD(struct hpet, stopped),
	{NULL, 0, 0, 0},
};

static const struct device_register hpet_registers[] = {
	{"GCAP_ID", GCAP_ID, 8},     {"GEN_CONF", GEN_CONF, 8},
	{"GINTR_STA", GINTR_STA, 8}, {"MAIN_CNT", MAIN_CNT, 8},
	{"T0_CONF", 0x100, 8},       {"T0_CMP", 0x108, 8},
	{"T0_FSB", 0x110, 8},        {"T1_CONF", 0x120, 8},
	{"T1_CMP", 0x128, 8},        {"T1_FSB", 0x130, 8},
	{"T2_CONF", 0x140, 8},       {"T2_CMP", 0x148, 8},
	{"T2_FSB", 0x150, 8},        {NULL, 0, 0},
};

/* --- the counter --- */

static bool runs(const struct hpet *h)
{
	return (h->gen_conf & ENABLE_CNF) && !h->stopped;
}

static uint64_t edges(const struct hpet *h)
{
	return rate_edges(machine_now(h->device.machine), HPET_HZ);
}

static uint64_t counter(const struct hpet *h)
{
	return h->offset + (runs(h) ? edges(h) : 0);
}

/* --- interrupts --- */

static bool legacy(const struct hpet *h, unsigned n)
{
	return (h->gen_conf & LEG_RT_CNF) && n < 2;
}

static void wire(struct hpet *h, unsigned n, bool level)
{
	if (legacy(h, n))
		isa_hpet_set(h->device.machine, n ? 8 : 0, level);
	else
		ioapic_pin_set(h->ioapic,
			       (unsigned)((h->conf[n] & INT_ROUTE) >> 9),
			       level);
}

static void interrupt(struct hpet *h, unsigned n)
{
	uint64_t conf = h->conf[n];

	if (conf & FSB_EN) {
		if (conf & INT_ENB)
			bus_msi(machine_bus(h->device.machine), &h->device,
				h->fsb[n] >> 32, (uint32_t)h->fsb[n]);
		return;
	}
	if (conf & INT_TYPE) { /* 2.3.6: level-triggered keeps a status */
		h->status |= 1u << n;
		if (conf & INT_ENB)
			wire(h, n, true);
	} else if (conf & INT_ENB) {
		wire(h, n, true);
		wire(h, n, false);
	}
}

/* --- matches --- */

/* Ticks from counter value `from` to the next match; 0: the match is at `from`
 * itself. */
static uint64_t until_match(const struct hpet *h, unsigned n, uint64_t from)
{
	uint64_t ticks = h->comparator[n] - from;

	return h->conf[n] & MODE_32 ? (uint32_t)ticks : ticks;
}

/* Accounts for the matches after `settled` and up to now. */
static void settle(struct hpet *h, unsigned n)
{
	uint64_t now = counter(h), passed = now - h->settled[n];
	bool wide = !(h->conf[n] & MODE_32);
	bool hit = false;
	uint64_t ticks;

	/* A match at `settled` was taken before. */
	ticks = until_match(h, n, h->settled[n] + 1);
	while (passed && ticks < passed) {
		hit = true;
		h->settled[n] += ticks + 1;
		passed -= ticks + 1;
		if (h->conf[n] & TYPE) {
			uint64_t skip = 0;

			if (!h->period[n])
				break;
			/* All but the last of many periods at once. */
			if (passed / h->period[n] > 1)
				skip = passed / h->period[n] - 1;
			h->comparator[n] += (skip + 1) * h->period[n];
			if (!wide)
				h->comparator[n] = (uint32_t)h->comparator[n];
			h->settled[n] += skip * h->period[n];
			passed -= skip * h->period[n];
		} else if (wide) {
			break;
		}
		ticks = until_match(h, n, h->settled[n] + 1);
	}
	h->settled[n] = now;
	if (hit)
		interrupt(h, n);
}

static void arm(struct hpet *h, unsigned n)
{
	struct evq *q = machine_evq(h->device.machine);
	uint64_t ticks = until_match(h, n, h->settled[n] + 1);
	uint64_t at;

	if (!runs(h) || !(h->conf[n] & INT_ENB) ||
	    /* beyond the end of time */
	    __builtin_add_overflow(edges(h), ticks, &at) ||
	    at >= PS_NEVER / (PS_PER_S / HPET_HZ) - 1) {
		evq_cancel(q, &h->match[n]);
		return;
	}
	evq_schedule(q, &h->match[n], rate_instant(at + 1, HPET_HZ));
}

static void settle_all(struct hpet *h)
{
	for (unsigned n = 0; n < HPET_TIMERS; n++)
		settle(h, n);
}

static void arm_all(struct hpet *h)
{
	for (unsigned n = 0; n < HPET_TIMERS; n++)
		arm(h, n);
}

static void match(void *owner, ps_t when)
{
	(void)when;
	settle_all(owner);
	arm_all(owner);
}

/* --- registers --- */

static uint64_t timer_read(const struct hpet *h, unsigned n, uint64_t off)
{
	switch (off) {
	case TN_CONF:
		return h->conf[n];
	case TN_COMPARATOR:
		return h->comparator[n];
	case TN_FSB_ROUTE:
		return h->fsb[n];
	default:
		return 0;
	}
}

static uint64_t whole_read(const struct hpet *h, uint64_t off)
{
	if (off >= TIMER_0 && off < TIMER_0 + HPET_TIMERS * 0x20)
		return timer_read(h, (unsigned)(off - TIMER_0) / 0x20,
				  off & 0x1F);
	switch (off) {
	case GCAP_ID:
		return HPET_FS << 32 | HPET_ID;
	case GEN_CONF:
		return h->gen_conf;
	case GINTR_STA:
		return h->status;
	case MAIN_CNT:
		return counter(h);
	default:
		return 0;
	}
}

static uint64_t hpet_read(struct device *d, uint64_t off, unsigned size)
{
	struct hpet *h = (struct hpet *)d;
	uint64_t value;

	settle_all(h);
	arm_all(h);
	value = whole_read(h, off & ~UINT64_C(7)) >> 8 * (off & 7);
	return size == 8 ? value : (uint32_t)value;
}

static void conf_write(struct hpet *h, unsigned n, uint64_t value)
{
	uint64_t old = h->conf[n], new;
	uint64_t writable = WRITABLE;

	if (old & PER_INT_CAP)
		writable |= TYPE | VAL_SET;
	new = (old & ~writable) | (value & writable);
	if (!(ROUTES >> 32 >> ((new &INT_ROUTE) >> 9) & 1)) /* 2.3.8.1 */
		new = (new & ~INT_ROUTE) | (old & INT_ROUTE);
	/* What the old wire carries, it does not carry any more. */
	if ((h->status >> n & 1) && ((old ^ new) & (INT_ROUTE | INT_ENB)))
		wire(h, n, false);
	h->conf[n] = new;
	if (new &MODE_32)
		h->comparator[n] = (uint32_t)h->comparator[n];
	if ((h->status >> n & 1) && (new &INT_ENB))
		wire(h, n, true);
}

static void comparator_write(struct hpet *h, unsigned n, uint64_t value)
{
	if (h->conf[n] & MODE_32)
		value = (uint32_t)value;
	/* 2.3.9.2.2: a periodic timer takes the value as its period, and as the
	 * comparator too only after VAL_SET. */
	if (!(h->conf[n] & TYPE) || (h->conf[n] & VAL_SET))
		h->comparator[n] = value;
	if (h->conf[n] & TYPE)
		h->period[n] = value;
	h->conf[n] &= ~VAL_SET;
}

static void timer_write(struct hpet *h, unsigned n, uint64_t off,
			uint64_t value)
{
	switch (off) {
	case TN_CONF:
		conf_write(h, n, value);
		break;
	case TN_COMPARATOR:
		comparator_write(h, n, value);
		break;
	case TN_FSB_ROUTE:
		h->fsb[n] = value;
		break;
	default:
		machine_odd(&h->device, "write to a reserved register",
			    TIMER_0 + 0x20 * n + off, value);
	}
}

static void general_write(struct hpet *h, uint32_t value)
{
	uint32_t new = value &(ENABLE_CNF | LEG_RT_CNF);
	uint64_t now = counter(h);

	h->gen_conf = new;
	h->offset = now - (runs(h) ? edges(h) : 0);
	isa_hpet_route(h->device.machine, new &LEG_RT_CNF);
}

static void counter_write(struct hpet *h, uint64_t value)
{
	if (runs(h))
		machine_odd(&h->device, "counter written while it runs",
			    MAIN_CNT, value);
	h->offset = value - (runs(h) ? edges(h) : 0);
	for (unsigned n = 0; n < HPET_TIMERS; n++)
		h->settled[n] = value;
}

static void hpet_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	struct hpet *h = (struct hpet *)d;
	uint64_t whole = off & ~UINT64_C(7);

	settle_all(h);
	if (size == 4 && whole == GINTR_STA) {
		value <<=
			8 * (off & 7); /* the other half has nothing to clear */
	} else if (size == 4) {
		uint64_t old = whole_read(h, whole);
		unsigned shift = 8 * (off & 7);

		value = (old & ~(UINT64_C(0xFFFFFFFF) << shift)) |
			value << shift;
	}
	if (whole >= TIMER_0 && whole < TIMER_0 + HPET_TIMERS * 0x20) {
		timer_write(h, (unsigned)(whole - TIMER_0) / 0x20, whole & 0x1F,
			    value);
	} else if (whole == GEN_CONF) {
		general_write(h, (uint32_t)value);
	} else if (whole == GINTR_STA) {
		for (unsigned n = 0; n < HPET_TIMERS; n++) {
			if (h->status & value & 1u << n)
				wire(h, n, false);
		}
		h->status &= (uint32_t)~value;
	} else if (whole == MAIN_CNT) {
		counter_write(h, value);
	} else {
		machine_odd(d, "write to a read-only register", off, value);
	}
	arm_all(h);
}

/* --- class --- */

static void hpet_reset(struct device *d)
{
	struct hpet *h = (struct hpet *)d;

	for (unsigned n = 0; n < HPET_TIMERS; n++) {
		if (h->status >> n & 1)
			wire(h, n, false);
	}
	h->gen_conf = h->status = 0;
	h->offset = 0;
	for (unsigned n = 0; n < HPET_TIMERS; n++) {
		h->conf[n] = ROUTES | SIZE_CAP | FSB_CAP |
			     UINT64_C(20) << 9; /* a pin that it has */
		if (n == 0)
			h->conf[n] |= PER_INT_CAP;
		h->comparator[n] = UINT64_MAX;
		h->period[n] = h->fsb[n] = h->settled[n] = 0;
	}
	isa_hpet_set(d->machine, 0, false);
	isa_hpet_set(d->machine, 8, false);
	isa_hpet_route(d->machine, false);
	arm_all(h);
}

static bool hpet_init(struct device *d, const struct device_prop *props,
		      size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {hpet_read, hpet_write, 4, 8};
	struct hpet *h = (struct hpet *)d;
	struct bus_range range = {HPET_BASE, HPET_BYTES, &ops, d, d->name};

	(void)props;
	(void)prop_count;
	h->ioapic = machine_device(d->machine, "ioapic0");
	if (!h->ioapic)
		return error_set(err, EXIT_USAGE, "%s: add ioapic0 before it",
				 d->name);
	for (unsigned n = 0; n < HPET_TIMERS; n++) {
		snprintf(h->match_name[n], sizeof(h->match_name[n]),
			 "%s.timer%u", d->name, n);
		h->match[n] = (struct event){.name = h->match_name[n],
					     .fire = match,
					     .owner = h,
					     .rank = EVQ_DEVICE};
		evq_register(machine_evq(d->machine), &h->match[n]);
	}
	return bus_map_mmio(machine_bus(d->machine), &range, err);
}

static void hpet_fini(struct device *d)
{
	struct hpet *h = (struct hpet *)d;

	for (unsigned n = 0; n < HPET_TIMERS; n++)
		evq_cancel(machine_evq(d->machine), &h->match[n]);
}

static const char *const hpet_faults[] = {"stop", NULL};

static bool hpet_fault(struct device *d, const char *name, uint64_t argument,
		       struct error *err)
{
	struct hpet *h = (struct hpet *)d;
	uint64_t now;

	(void)name;
	(void)argument;
	(void)err;
	settle_all(h);
	now = counter(h);
	h->stopped = 1;
	h->offset = now;
	arm_all(h);
	return true;
}

const struct device_class hpet_class = {
	.name = "hpet",
	.summary = "high precision event timers: three on a 100 MHz counter",
	.object_bytes = sizeof(struct hpet),
	.fields = hpet_fields,
	.registers = hpet_registers,
	.faults = hpet_faults,
	.init = hpet_init,
	.reset = hpet_reset,
	.fault = hpet_fault,
	.fini = hpet_fini,
};

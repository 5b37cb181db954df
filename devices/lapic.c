/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/lapic.c - local APICs.  Sections are of the SDM, volume 3A, unless
 * said otherwise; what is left out is listed in lapic.h.
 *
 * The heart is lapic_update(): whatever changes a request, an in-service bit
 * or a priority ends there, and it drives INTR.
 *
 * The timer keeps no running counter.  `timer_base` is the count that stood at
 * the instant `timer_start`; the current count follows from machine_now().
 */
#include "devices/lapic.h"

#include <string.h>

#include "devices/i8259.h"
#include "devices/ioapic.h"

enum {
	REG_ID = 0x020,
	REG_VERSION = 0x030,
	REG_TPR = 0x080,
	REG_APR = 0x090,
	REG_PPR = 0x0A0,
	REG_EOI = 0x0B0,
	REG_RRD = 0x0C0,
	REG_LDR = 0x0D0,
	REG_DFR = 0x0E0,
	REG_SVR = 0x0F0,
	REG_ISR = 0x100,
	REG_TMR = 0x180,
	REG_IRR = 0x200,
	REG_ESR = 0x280,
	REG_ICR_LOW = 0x300,
	REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320,
	REG_LVT_THERMAL = 0x330,
	REG_LVT_PERF = 0x340,
	REG_LVT_LINT0 = 0x350,
	REG_LVT_LINT1 = 0x360,
	REG_LVT_ERROR = 0x370,
	REG_INITIAL = 0x380,
	REG_CURRENT = 0x390,
	REG_DIVIDE = 0x3E0,
	REG_SELF_IPI = 0x3F0, /* x2APIC alone */
};

enum {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERF,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_COUNT
};

#define LVT_MASKED       UINT32_C(0x10000)
#define LVT_REMOTE_IRR   UINT32_C(0x04000)
#define LVT_LEVEL        UINT32_C(0x08000)
#define LVT_TIMER_MODE   UINT32_C(0x60000)
#define LVT_TIMER_ONCE   UINT32_C(0x00000)
#define LVT_TIMER_PERIOD UINT32_C(0x20000)
#define LVT_TIMER_TSC    UINT32_C(0x40000)

#define SVR_ENABLE UINT32_C(0x100)

#define ESR_SEND_VECTOR UINT32_C(0x20)
#define ESR_RECV_VECTOR UINT32_C(0x40)
#define ESR_REGISTER    UINT32_C(0x80)

#define MSR_APIC_BASE    0x01B
#define MSR_TSC_DEADLINE 0x6E0
#define MSR_X2APIC       0x800
#define MSR_X2APIC_LAST  0x83F
#define BASE_BSP         UINT64_C(0x100)
#define BASE_EXTD        UINT64_C(0x400)
#define BASE_EN          UINT64_C(0x800)
#define BASE_MODE        (BASE_EN | BASE_EXTD)

#define ICR_LOW_WRITABLE UINT32_C(0x000CCFFF)
#define ICR_LOGICAL      UINT32_C(0x800)
#define ICR_ASSERT       UINT32_C(0x4000)
#define ICR_LEVEL        UINT32_C(0x8000)

/* Version 14H, six LVT entries, no suppression of EOI broadcasts. */
#define VERSION UINT32_C(0x00050014)

/* 10.5.1, 10.6.1: delivery modes. */
enum {
	MODE_FIXED = 0,
	MODE_LOWEST = 1,
	MODE_SMI = 2,
	MODE_NMI = 4,
	MODE_INIT = 5,
	MODE_SIPI = 6,
	MODE_EXTINT = 7
};

struct lapic {
	struct device device;
	/* Silicon. */
	uint64_t base_msr;
	uint64_t tsc_deadline;
	uint64_t timer_start; /* ps */
	uint32_t timer_base, timer_initial, divide;
	uint32_t id, tpr, ldr, dfr, svr;
	uint32_t isr[8], tmr[8], irr[8];
	uint32_t esr, esr_pending;
	uint32_t icr_low, icr_high;
	uint32_t lvt[LVT_COUNT];
	uint32_t lint;   /* levels of the pins, bit per pin */
	uint32_t intr;   /* what INTR shows */
	uint32_t extint; /* an ExtINT message came and was not taken */
	/* Wiring. */
	unsigned cpu;
	struct event timer;
	char timer_name[24];
	struct lapic *peer[CPU_COUNT_MAX]; /* of "lapic0": everyone */
};

static const struct device_field lapic_fields[] = {
	DEVICE_FIELD(struct lapic, base_msr),
	DEVICE_FIELD(struct lapic, tsc_deadline),
	DEVICE_FIELD(struct lapic, timer_start),
	DEVICE_FIELD(struct lapic, timer_base),
	DEVICE_FIELD(struct lapic, timer_initial),
	DEVICE_FIELD(struct lapic, divide),
	DEVICE_FIELD(struct lapic, id),
	DEVICE_FIELD(struct lapic, tpr),
	DEVICE_FIELD(struct lapic, ldr),
	DEVICE_FIELD(struct lapic, dfr),
	DEVICE_FIELD(struct lapic, svr),
	DEVICE_ARRAY(struct lapic, isr),
	DEVICE_ARRAY(struct lapic, tmr),
	DEVICE_ARRAY(struct lapic, irr),
	DEVICE_FIELD(struct lapic, esr),
	DEVICE_FIELD(struct lapic, esr_pending),
	DEVICE_FIELD(struct lapic, icr_low),
	DEVICE_FIELD(struct lapic, icr_high),
	DEVICE_ARRAY(struct lapic, lvt),
	DEVICE_FIELD(struct lapic, lint),
	DEVICE_FIELD(struct lapic, intr),
	DEVICE_FIELD(struct lapic, extint),
	{NULL, 0, 0, 0},
};

static const struct device_register lapic_registers[] = {
	{"ID", REG_ID, 4},
	{"VERSION", REG_VERSION, 4},
	{"TPR", REG_TPR, 4},
	{"APR", REG_APR, 4},
	{"PPR", REG_PPR, 4},
	{"EOI", REG_EOI, 4},
	{"RRD", REG_RRD, 4},
	{"LDR", REG_LDR, 4},
	{"DFR", REG_DFR, 4},
	{"SVR", REG_SVR, 4},
	{"ISR0", REG_ISR, 4},
	{"TMR0", REG_TMR, 4},
	{"IRR0", REG_IRR, 4},
	{"ESR", REG_ESR, 4},
	{"ICR_LOW", REG_ICR_LOW, 4},
	{"ICR_HIGH", REG_ICR_HIGH, 4},
	{"LVT_TIMER", REG_LVT_TIMER, 4},
	{"LVT_THERMAL", REG_LVT_THERMAL, 4},
	{"LVT_PERF", REG_LVT_PERF, 4},
	{"LVT_LINT0", REG_LVT_LINT0, 4},
	{"LVT_LINT1", REG_LVT_LINT1, 4},
	{"LVT_ERROR", REG_LVT_ERROR, 4},
	{"INITIAL", REG_INITIAL, 4},
	{"CURRENT", REG_CURRENT, 4},
	{"DIVIDE", REG_DIVIDE, 4},
	{NULL, 0, 0},
};

static struct lapic *lapic_of(struct machine *m, unsigned cpu)
{
	struct lapic *first = (struct lapic *)machine_device(m, "lapic0");

	return first && cpu < CPU_COUNT_MAX ? first->peer[cpu] : NULL;
}

static bool is_enabled(const struct lapic *l)
{
	return l->base_msr & BASE_EN;
}

static bool is_x2apic(const struct lapic *l)
{
	return (l->base_msr & BASE_MODE) == BASE_MODE;
}

/* ---- requests and priorities (10.8) ---- */

static void bit_set(uint32_t *bits, unsigned vector)
{
	bits[vector / 32] |= UINT32_C(1) << (vector % 32);
}

static void bit_clear(uint32_t *bits, unsigned vector)
{
	bits[vector / 32] &= ~(UINT32_C(1) << (vector % 32));
}

static bool bit_test(const uint32_t *bits, unsigned vector)
{
	return bits[vector / 32] >> (vector % 32) & 1;
}

static int bit_highest(const uint32_t *bits)
{
	for (int word = 7; word >= 0; word--) {
		if (bits[word])
			return word * 32 + 31 - __builtin_clz(bits[word]);
	}
	return -1;
}

/* 10.8.3.1: the higher class of TPR and of what is in service. */
static uint32_t ppr(const struct lapic *l)
{
	int in_service = bit_highest(l->isr);
	uint32_t isrv = in_service < 0 ? 0 : (uint32_t)in_service & 0xF0;

	return (l->tpr & 0xF0) >= isrv ? l->tpr : isrv;
}

/* The vector that may interrupt now, or -1. */
static int deliverable(const struct lapic *l)
{
	int vector = bit_highest(l->irr);

	if (!is_enabled(l) || vector < 0)
		return -1;
	return ((uint32_t)vector & 0xF0) > (ppr(l) & 0xF0) ? vector : -1;
}

/* Whether INTR is for the 8259 to answer: LINT0 in ExtINT mode (10.5.1: a level
 * whatever its trigger bit says, no priority holds it back), a message of that
 * mode, or a disabled APIC, whose LINT0 is the CPU's INTR (10.4.3). */
static bool is_external(const struct lapic *l)
{
	uint32_t lvt = l->lvt[LVT_LINT0];

	if (!is_enabled(l))
		return l->lint & 1;
	return l->extint || ((l->lint & 1) && (lvt >> 8 & 7) == MODE_EXTINT &&
			     !(lvt & LVT_MASKED));
}

static void lapic_update(struct lapic *l)
{
	uint32_t intr = deliverable(l) >= 0 || is_external(l);

	if (intr == l->intr)
		return;
	l->intr = intr;
	machine_set_intr(l->device.machine, l->cpu, intr);
}

static void lvt_fire(struct lapic *l, unsigned which);

static void error_add(struct lapic *l, uint32_t bit)
{
	/* 10.5.3: one interrupt per kind of error until software reads. */
	if (l->esr_pending & bit)
		return;
	l->esr_pending |= bit;
	lvt_fire(l, LVT_ERROR);
}

/* A fixed interrupt arrives (10.8.4): kept in IRR until the CPU takes it; a
 * second one of the same vector merges with it. */
static void accept_fixed(struct lapic *l, uint8_t vector, bool level)
{
	if (!is_enabled(l) || !(l->svr & SVR_ENABLE))
		return;
	if (vector < 16) {
		error_add(l, ESR_RECV_VECTOR);
		return;
	}
	if (level)
		bit_set(l->tmr, vector);
	else
		bit_clear(l->tmr, vector);
	bit_set(l->irr, vector);
	lapic_update(l);
}

static void registers_reset(struct lapic *l);

static void accept(struct lapic *l, const struct lapic_message *msg)
{
	struct machine *m = l->device.machine;

	switch (msg->mode) {
	case MODE_FIXED:
	case MODE_LOWEST:
		accept_fixed(l, msg->vector, msg->level);
		break;
	case MODE_NMI:
		machine_set_nmi(m, l->cpu);
		break;
	case MODE_INIT:
		/* 10.4.7.3: as power-up, but the ID stays. */
		registers_reset(l);
		machine_cpu_init(m, l->cpu);
		break;
	case MODE_SIPI:
		machine_cpu_sipi(m, l->cpu, msg->vector);
		break;
	case MODE_EXTINT:
		l->extint = 1;
		lapic_update(l);
		break;
	default:
		machine_odd(&l->device, "delivery mode not modelled", REG_IRR,
			    msg->mode);
		break;
	}
}

/* ---- messages (10.6.2, 10.11) ---- */

static bool matches(const struct lapic *l, const struct lapic_message *msg)
{
	uint32_t dest = msg->dest, logical_id;

	if (!is_enabled(l))
		return false;
	if (dest == LAPIC_DEST_ALL)
		return true;
	if (is_x2apic(l)) {
		if (!msg->logical)
			return dest == l->id;
		logical_id = l->id >> 4 << 16 | UINT32_C(1) << (l->id & 15);
		return dest >> 16 == logical_id >> 16 &&
		       (dest & logical_id & 0xFFFF);
	}
	if (!msg->logical)
		return dest == l->id;
	logical_id = l->ldr >> 24;
	if (l->dfr >> 28 == 0xF) /* flat model */
		return dest & logical_id;
	return (dest ^ logical_id) < 0x10 && (dest & logical_id & 0xF);
}

void lapic_deliver(struct machine *m, const struct lapic_message *msg)
{
	struct lapic *lowest = NULL;

	for (unsigned i = 0; i < CPU_COUNT_MAX; i++) {
		struct lapic *l = lapic_of(m, i);

		if (!l || !matches(l, msg))
			continue;
		if (msg->mode != MODE_LOWEST)
			accept(l, msg);
		else if ((l->svr & SVR_ENABLE) &&
			 (!lowest || ppr(l) < ppr(lowest)))
			lowest = l;
	}
	if (lowest)
		accept(lowest, msg);
}

void lapic_msi(struct machine *m, paddr_t addr, uint32_t data)
{
	uint32_t dest = addr >> 12 & 0xFF;
	struct lapic_message msg = {
		.dest = dest == 0xFF ? LAPIC_DEST_ALL : dest,
		.logical = addr & 4,
		.mode = data >> 8 & 7,
		.vector = data & 0xFF,
		.level = data >> 15 & 1,
	};

	/* 10.11.1: the redirection hint asks for one of several. */
	if ((addr & 8) && msg.logical && msg.mode == MODE_FIXED)
		msg.mode = MODE_LOWEST;
	lapic_deliver(m, &msg);
}

static void icr_send(struct lapic *l)
{
	struct machine *m = l->device.machine;
	uint32_t low = l->icr_low;
	struct lapic_message msg = {
		.logical = low & ICR_LOGICAL,
		.mode = low >> 8 & 7,
		.vector = low & 0xFF,
		.level = false, /* 10.6.1: level only means INIT de-assert */
	};

	if (is_x2apic(l))
		msg.dest = l->icr_high;
	else if (l->icr_high >> 24 == 0xFF)
		msg.dest = LAPIC_DEST_ALL;
	else
		msg.dest = l->icr_high >> 24;

	/* INIT level de-assert synchronises arbitration IDs of old parts. */
	if (msg.mode == MODE_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
		return;
	if (msg.mode <= MODE_LOWEST && msg.vector < 16) {
		error_add(l, ESR_SEND_VECTOR);
		return;
	}
	switch (low >> 18 & 3) {
	case 0:
		lapic_deliver(m, &msg);
		break;
	case 1: /* self; table 10-3: fixed alone */
		if (msg.mode == MODE_FIXED)
			accept(l, &msg);
		else
			machine_odd(&l->device, "self shorthand needs fixed",
				    REG_ICR_LOW, low);
		break;
	default: /* all, including or excluding self */
		for (unsigned i = 0; i < CPU_COUNT_MAX; i++) {
			struct lapic *to = lapic_of(m, i);

			if (!to || !is_enabled(to))
				continue;
			if (to != l || (low >> 18 & 3) == 2)
				accept(to, &msg);
		}
	}
}

static void eoi(struct lapic *l)
{
	int vector = bit_highest(l->isr);
	uint32_t lint0 = l->lvt[LVT_LINT0];

	if (vector < 0) /* 10.8.5: nothing in service: no effect */
		return;
	bit_clear(l->isr, (unsigned)vector);
	if (bit_test(l->tmr, (unsigned)vector)) {
		if ((lint0 & LVT_REMOTE_IRR) &&
		    (lint0 & 0xFF) == (uint32_t)vector) {
			l->lvt[LVT_LINT0] &= ~LVT_REMOTE_IRR;
			if (l->lint & 1)
				lvt_fire(l, LVT_LINT0);
		}
		ioapic_eoi(l->device.machine, (uint8_t)vector);
	}
	lapic_update(l);
}

int lapic_ack(struct machine *m, unsigned cpu)
{
	struct lapic *l = lapic_of(m, cpu);
	int vector = l ? deliverable(l) : -1;

	if (vector < 0) {
		if (!l || !is_external(l))
			return -1;
		l->extint = 0;
		vector = i8259_ack(m);
		lapic_update(l);
		return vector;
	}
	bit_clear(l->irr, (unsigned)vector);
	bit_set(l->isr, (unsigned)vector);
	lapic_update(l);
	return vector;
}

/* ---- local vector table (10.5.1) ---- */

static void lvt_fire(struct lapic *l, unsigned which)
{
	uint32_t lvt = l->lvt[which];
	struct lapic_message msg = {
		.mode = lvt >> 8 & 7,
		.vector = lvt & 0xFF,
	};

	if (lvt & LVT_MASKED)
		return;
	if (which == LVT_LINT0 && msg.mode == MODE_EXTINT)
		return; /* a level: is_external() */
	if (which == LVT_TIMER || which == LVT_ERROR)
		msg.mode = MODE_FIXED; /* they have no delivery mode */
	if (which == LVT_LINT0 && msg.mode == MODE_FIXED && (lvt & LVT_LEVEL)) {
		if (lvt & LVT_REMOTE_IRR)
			return;
		l->lvt[which] |= LVT_REMOTE_IRR;
		msg.level = true;
	}
	accept(l, &msg);
}

void lapic_lint_set(struct device *d, unsigned pin, bool level)
{
	struct lapic *l = (struct lapic *)d;
	uint32_t bit = UINT32_C(1) << pin, before = l->lint & bit;

	l->lint = level ? l->lint | bit : l->lint & ~bit;
	if (level && !before) {
		/* 10.4.3: disabled, the pins are INTR and NMI. */
		if (!is_enabled(l) && pin == 1)
			machine_set_nmi(d->machine, l->cpu);
		lvt_fire(l, LVT_LINT0 + pin);
	}
	lapic_update(l);
}

static void lvt_write(struct lapic *l, unsigned which, uint32_t value)
{
	static const uint32_t writable[LVT_COUNT] = {
		[LVT_TIMER] = 0x700FF, [LVT_THERMAL] = 0x107FF,
		[LVT_PERF] = 0x107FF,  [LVT_LINT0] = 0x1A7FF,
		[LVT_LINT1] = 0x1A7FF, [LVT_ERROR] = 0x100FF,
	};

	l->lvt[which] =
		(value & writable[which]) | (l->lvt[which] & LVT_REMOTE_IRR);
	if (!(l->svr & SVR_ENABLE)) /* 10.4.7.2 */
		l->lvt[which] |= LVT_MASKED;
	lapic_update(l);
}

/* ---- timer (10.5.4) ---- */

static uint32_t timer_mode(const struct lapic *l)
{
	return l->lvt[LVT_TIMER] & LVT_TIMER_MODE;
}

/* Picoseconds of one count; figure 10-10. */
static ps_t timer_unit(const struct lapic *l)
{
	unsigned code = (l->divide & 3) | (l->divide >> 1 & 4);

	return code == 7 ? LAPIC_BUS_PS : LAPIC_BUS_PS << (code + 1);
}

/* Brings base and start to the period that machine_now() lies in. */
static void timer_settle(struct lapic *l)
{
	ps_t now = machine_now(l->device.machine);
	uint64_t counts = (now - l->timer_start) / timer_unit(l);

	if (!l->timer_base || counts < l->timer_base)
		return;
	if (timer_mode(l) != LVT_TIMER_PERIOD || !l->timer_initial) {
		l->timer_base = 0;
		return;
	}
	counts -= l->timer_base;
	counts -= counts % l->timer_initial;
	l->timer_start += (l->timer_base + counts) * timer_unit(l);
	l->timer_base = l->timer_initial;
}

static uint32_t timer_count(struct lapic *l)
{
	ps_t now = machine_now(l->device.machine);

	if (timer_mode(l) == LVT_TIMER_TSC)
		return 0;
	timer_settle(l);
	if (!l->timer_base)
		return 0;
	return l->timer_base -
	       (uint32_t)((now - l->timer_start) / timer_unit(l));
}

/* Schedules the next expiry.  A masked timer counts on, but nobody would see
 * it expire, so it costs no event. */
static void timer_arm(struct lapic *l)
{
	struct machine *m = l->device.machine;
	struct evq *q = machine_evq(m);
	ps_t when = PS_NEVER;

	if (timer_mode(l) == LVT_TIMER_TSC) {
		/* 10.5.4.1: fires once even when masked, to no effect. */
		if (l->tsc_deadline)
			when = machine_tsc_instant(m, l->cpu, l->tsc_deadline);
	} else {
		timer_settle(l);
		if (l->timer_base && !(l->lvt[LVT_TIMER] & LVT_MASKED))
			when = l->timer_start + l->timer_base * timer_unit(l);
	}
	if (when == PS_NEVER)
		evq_cancel(q, &l->timer);
	else
		evq_schedule(q, &l->timer, when);
}

static void timer_fire(void *owner, ps_t when)
{
	struct lapic *l = owner;

	(void)when;
	if (timer_mode(l) == LVT_TIMER_TSC)
		l->tsc_deadline = 0;
	else
		timer_settle(l);
	lvt_fire(l, LVT_TIMER);
	timer_arm(l);
}

static void timer_lvt_write(struct lapic *l, uint32_t value)
{
	bool was_tsc = timer_mode(l) == LVT_TIMER_TSC;

	timer_settle(l); /* by the old mode */
	lvt_write(l, LVT_TIMER, value);
	/* 10.5.4.1: a change to or from TSC-deadline mode disarms. */
	if (was_tsc != (timer_mode(l) == LVT_TIMER_TSC)) {
		l->timer_base = l->timer_initial = 0;
		l->tsc_deadline = 0;
	}
	timer_arm(l);
}

static void timer_initial_write(struct lapic *l, uint32_t value)
{
	if (timer_mode(l) == LVT_TIMER_TSC)
		return;
	l->timer_initial = l->timer_base = value;
	l->timer_start = machine_now(l->device.machine);
	timer_arm(l);
}

static void timer_divide_write(struct lapic *l, uint32_t value)
{
	/* The count reached so far goes on at the new pace. */
	uint32_t count = timer_count(l);

	l->divide = value & 0xB;
	if (timer_mode(l) == LVT_TIMER_TSC)
		return;
	l->timer_base = count;
	l->timer_start = machine_now(l->device.machine);
	timer_arm(l);
}

void lapic_tsc_changed(struct machine *m, unsigned cpu)
{
	struct lapic *l = lapic_of(m, cpu);

	if (l && timer_mode(l) == LVT_TIMER_TSC)
		timer_arm(l);
}

/* ---- registers (10.4.1) ---- */

static void svr_write(struct lapic *l, uint32_t value)
{
	l->svr = value & 0x3FF;
	if (l->svr & SVR_ENABLE)
		return;
	/* 10.4.7.2: software-disabled: every LVT entry masked. */
	timer_settle(l);
	for (unsigned i = 0; i < LVT_COUNT; i++)
		l->lvt[i] |= LVT_MASKED;
	timer_arm(l);
	lapic_update(l);
}

static void tpr_write(struct lapic *l, uint32_t value)
{
	l->tpr = value & 0xFF;
	lapic_update(l);
}

/* False: no such register. */
static bool reg_read(struct lapic *l, uint64_t off, uint32_t *value)
{
	unsigned word = off >> 4 & 7;

	if (off & 0xF) /* 10.4.1: registers are aligned to 16 bytes */
		return false;
	switch (off) {
	case REG_ID:
		*value = is_x2apic(l) ? l->id : l->id << 24;
		return true;
	case REG_VERSION:
		*value = VERSION;
		return true;
	case REG_TPR:
		*value = l->tpr;
		return true;
	case REG_APR: /* arbitration priority: not on this bus */
	case REG_RRD:
	case REG_EOI: /* write only */
		*value = 0;
		return true;
	case REG_PPR:
		*value = ppr(l);
		return true;
	case REG_LDR:
		*value = is_x2apic(l) ? l->id >> 4 << 16 |
						UINT32_C(1) << (l->id & 15)
				      : l->ldr;
		return true;
	case REG_DFR:
		*value = l->dfr;
		return true;
	case REG_SVR:
		*value = l->svr;
		return true;
	case REG_ISR ... REG_ISR + 0x70:
		*value = l->isr[word];
		return true;
	case REG_TMR ... REG_TMR + 0x70:
		*value = l->tmr[word];
		return true;
	case REG_IRR ... REG_IRR + 0x70:
		*value = l->irr[word];
		return true;
	case REG_ESR:
		*value = l->esr;
		return true;
	case REG_ICR_LOW: /* delivery is immediate: status idle */
		*value = l->icr_low;
		return true;
	case REG_ICR_HIGH:
		*value = l->icr_high;
		return true;
	case REG_LVT_TIMER ... REG_LVT_ERROR:
		*value = l->lvt[(off - REG_LVT_TIMER) >> 4];
		return true;
	case REG_INITIAL:
		*value = l->timer_initial;
		return true;
	case REG_CURRENT:
		*value = timer_count(l);
		return true;
	case REG_DIVIDE:
		*value = l->divide;
		return true;
	default:
		return false;
	}
}

/* False: no such register, or one that cannot be written. */
static bool reg_write(struct lapic *l, uint64_t off, uint32_t value)
{
	if (off & 0xF)
		return false;
	switch (off) {
	case REG_ID: /* read-only since the Pentium 4 generation (10.4.6) */
		return false;
	case REG_TPR:
		tpr_write(l, value);
		return true;
	case REG_EOI:
		eoi(l);
		return true;
	case REG_LDR:
		l->ldr = value & 0xFF000000;
		return true;
	case REG_DFR:
		l->dfr = value | 0x0FFFFFFF;
		return true;
	case REG_SVR:
		svr_write(l, value);
		return true;
	case REG_ESR: /* 10.5.3: a write makes what has gathered readable */
		l->esr = l->esr_pending;
		l->esr_pending = 0;
		return true;
	case REG_ICR_LOW:
		l->icr_low = value & ICR_LOW_WRITABLE;
		icr_send(l);
		return true;
	case REG_ICR_HIGH:
		l->icr_high = value & 0xFF000000;
		return true;
	case REG_LVT_TIMER:
		timer_lvt_write(l, value);
		return true;
	case REG_LVT_THERMAL ... REG_LVT_ERROR:
		lvt_write(l, (off - REG_LVT_TIMER) >> 4, value);
		return true;
	case REG_INITIAL:
		timer_initial_write(l, value);
		return true;
	case REG_DIVIDE:
		timer_divide_write(l, value);
		return true;
	default:
		return false;
	}
}

static struct lapic *accessed(struct device *first)
{
	return ((struct lapic *)first)
		->peer[machine_accessing_cpu(first->machine)];
}

static uint64_t lapic_read(struct device *d, uint64_t off, unsigned size)
{
	struct lapic *l = accessed(d);
	uint32_t value = 0;

	/* Disabled, or in x2APIC mode: nobody answers at the page. */
	if (!l || !is_enabled(l) || is_x2apic(l))
		return UINT64_MAX >> (64 - 8 * size);
	if (!reg_read(l, off, &value)) {
		error_add(l, ESR_REGISTER);
		machine_odd(&l->device, "no such register", off, 0);
	}
	return value;
}

static void lapic_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	struct lapic *l = accessed(d);

	(void)size;
	if (!l || !is_enabled(l) || is_x2apic(l))
		return;
	if (!reg_write(l, off, (uint32_t)value)) {
		error_add(l, ESR_REGISTER);
		machine_odd(&l->device, "write to no register", off, value);
	}
}

uint8_t lapic_tpr_get(struct machine *m, unsigned cpu)
{
	struct lapic *l = lapic_of(m, cpu);

	return l ? l->tpr >> 4 & 0xF : 0;
}

void lapic_tpr_set(struct machine *m, unsigned cpu, uint8_t cr8)
{
	struct lapic *l = lapic_of(m, cpu);

	if (l)
		tpr_write(l, (uint32_t)cr8 << 4);
}

/* ---- MSRs (10.4.4, 10.5.4.1, 10.12) ---- */

static bool x2apic_read(struct lapic *l, uint32_t msr, uint64_t *value)
{
	uint64_t off = (uint64_t)(msr - MSR_X2APIC) << 4;
	uint32_t low;

	switch (off) { /* table 10-6: write-only or not there */
	case REG_EOI:
	case REG_SELF_IPI:
	case REG_APR:
	case REG_RRD:
	case REG_DFR:
	case REG_ICR_HIGH:
		return false;
	case REG_ICR_LOW:
		*value = (uint64_t)l->icr_high << 32 | l->icr_low;
		return true;
	}
	if (!reg_read(l, off, &low))
		return false;
	*value = low;
	return true;
}

static bool x2apic_write(struct lapic *l, uint32_t msr, uint64_t value)
{
	uint64_t off = (uint64_t)(msr - MSR_X2APIC) << 4;
	struct lapic_message self = {.vector = value & 0xFF};

	if (off == REG_ICR_LOW) {
		if (value & UINT32_MAX & ~(uint64_t)ICR_LOW_WRITABLE)
			return false;
		l->icr_high = value >> 32;
		l->icr_low = (uint32_t)value;
		icr_send(l);
		return true;
	}
	if (value >> 32) /* reserved bits: #GP (10.12.1.2) */
		return false;
	switch (off) {
	case REG_LDR: /* derived from the ID, read-only */
	case REG_DFR:
	case REG_ICR_HIGH:
		return false;
	case REG_EOI:
	case REG_ESR:
		if (value)
			return false;
		break;
	case REG_TPR:
		if (value > 0xFF)
			return false;
		break;
	case REG_SELF_IPI:
		if (value > 0xFF)
			return false;
		if (self.vector < 16)
			error_add(l, ESR_SEND_VECTOR);
		else
			accept(l, &self);
		return true;
	}
	return reg_write(l, off, (uint32_t)value);
}

static bool base_write(struct lapic *l, uint64_t value)
{
	uint64_t mode = value & BASE_MODE, old = l->base_msr & BASE_MODE;
	const uint64_t address = UINT64_C(0xFFFFFFF000); /* 40 bits */

	if (value & ~(address | BASE_MODE | BASE_BSP))
		return false;
	/* Figure 10-27: EXTD needs EN; x2APIC leaves only by disabling, and
	 * comes only from xAPIC. */
	if (mode == BASE_EXTD || (old == BASE_MODE && mode == BASE_EN) ||
	    (old == 0 && mode == BASE_MODE))
		return false;
	if ((value & address) != LAPIC_BASE)
		machine_odd(&l->device, "the APIC page does not move", 0,
			    value);
	l->base_msr = LAPIC_BASE | mode | (l->base_msr & BASE_BSP);
	if (!mode && old) /* 10.4.3: state is lost */
		registers_reset(l);
	lapic_update(l);
	return true;
}

bool lapic_msr_read(struct machine *m, unsigned cpu, uint32_t msr,
		    uint64_t *value)
{
	struct lapic *l = lapic_of(m, cpu);

	if (!l)
		return false;
	switch (msr) {
	case MSR_APIC_BASE:
		*value = l->base_msr;
		return true;
	case MSR_TSC_DEADLINE:
		*value = l->tsc_deadline;
		return true;
	case MSR_X2APIC ... MSR_X2APIC_LAST:
		return is_x2apic(l) && x2apic_read(l, msr, value);
	default:
		return false;
	}
}

bool lapic_msr_write(struct machine *m, unsigned cpu, uint32_t msr,
		     uint64_t value)
{
	struct lapic *l = lapic_of(m, cpu);

	if (!l)
		return false;
	switch (msr) {
	case MSR_APIC_BASE:
		return base_write(l, value);
	case MSR_TSC_DEADLINE:
		if (timer_mode(l) == LVT_TIMER_TSC) {
			l->tsc_deadline = value;
			timer_arm(l);
		}
		return true;
	case MSR_X2APIC ... MSR_X2APIC_LAST:
		return is_x2apic(l) && x2apic_write(l, msr, value);
	default:
		return false;
	}
}

/* ---- life ---- */

/* Table 10-1 and 10.4.7.1: the state after power-up or INIT. */
static void registers_reset(struct lapic *l)
{
	l->tsc_deadline = 0;
	l->timer_start = 0;
	l->timer_base = l->timer_initial = l->divide = 0;
	l->tpr = l->ldr = 0;
	l->dfr = UINT32_MAX;
	l->svr = 0xFF;
	memset(l->isr, 0, sizeof(l->isr));
	memset(l->tmr, 0, sizeof(l->tmr));
	memset(l->irr, 0, sizeof(l->irr));
	l->esr = l->esr_pending = 0;
	l->icr_low = l->icr_high = 0;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		l->lvt[i] = LVT_MASKED;
	evq_cancel(machine_evq(l->device.machine), &l->timer);
	l->intr = l->extint = 0;
	machine_set_intr(l->device.machine, l->cpu, false);
}

static void lapic_reset(struct device *d)
{
	struct lapic *l = (struct lapic *)d;

	l->id = l->cpu;
	l->base_msr = LAPIC_BASE | BASE_EN | (l->cpu ? 0 : BASE_BSP);
	l->lint = 0;
	registers_reset(l);
	if (l->cpu)
		return;
	/* Firmware leaves the first CPU in virtual wire mode (MultiProcessor
	 * Specification 1.4, 3.6.2.2). */
	l->svr |= SVR_ENABLE;
	l->lvt[LVT_LINT0] = MODE_EXTINT << 8;
	l->lvt[LVT_LINT1] = MODE_NMI << 8;
}

static bool lapic_init(struct device *d, const struct device_prop *props,
		       size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {lapic_read, lapic_write, 4, 4};
	const struct device_prop *cpu =
		device_prop_find(props, prop_count, "cpu");
	struct lapic *l = (struct lapic *)d, *first;
	struct bus_range page = {LAPIC_BASE, PAGE_BYTES, &ops, d, d->name};

	l->cpu = cpu ? (unsigned)cpu->value : 0;
	if (l->cpu >= CPU_COUNT_MAX)
		return error_set(err, EXIT_USAGE,
				 "%s: property cpu is %u; the last is %u",
				 d->name, l->cpu, CPU_COUNT_MAX - 1);
	strcpy(l->timer_name, d->name);
	strcat(l->timer_name, ".timer");
	l->timer = (struct event){.name = l->timer_name,
				  .fire = timer_fire,
				  .owner = l,
				  .rank = EVQ_TIMER};
	evq_register(machine_evq(d->machine), &l->timer);
	first = l->cpu ? (struct lapic *)machine_device(d->machine, "lapic0")
		       : l;
	if (!first)
		return error_set(err, EXIT_USAGE,
				 "%s: lapic0 must be added before it", d->name);
	first->peer[l->cpu] = l;
	return l->cpu || bus_map_mmio(machine_bus(d->machine), &page, err);
}

static void lapic_fini(struct device *d)
{
	struct lapic *l = (struct lapic *)d;

	evq_cancel(machine_evq(d->machine), &l->timer);
}

const struct device_class lapic_class = {
	.name = "lapic",
	.summary = "local APIC of one CPU, with timer",
	.object_bytes = sizeof(struct lapic),
	.fields = lapic_fields,
	.registers = lapic_registers,
	.init = lapic_init,
	.reset = lapic_reset,
	.fini = lapic_fini,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/mc146818.c - see mc146818.h.  "Sheet" is the MC146818A's. */
#include "devices/mc146818.h"

#include <string.h>

#include "devices/isa.h"
#include "devices/rate.h"
#include "sim/date.h"
#include "sim/machine.h"

/* Sheet, figure 10: the address map. */
enum {
	SECONDS = 0x0,
	SECONDS_ALARM = 0x1,
	MINUTES = 0x2,
	MINUTES_ALARM = 0x3,
	HOURS = 0x4,
	HOURS_ALARM = 0x5,
	DAY_OF_WEEK = 0x6, /* Sunday is 1 */
	DATE = 0x7,
	MONTH = 0x8,
	YEAR = 0x9,
	REG_A = 0xA,
	REG_B = 0xB,
	REG_C = 0xC,
	REG_D = 0xD
};

#define A_UIP 0x80
#define A_DV  0x70
#define A_RUN 0x20 /* DV: 32.768 kHz */
#define A_RS  0x0F

#define B_SET  0x80
#define B_PIE  0x40
#define B_AIE  0x20
#define B_UIE  0x10
#define B_SQWE 0x08
#define B_DM   0x04 /* binary */
#define B_24   0x02
#define B_DSE  0x01

/* The same places in C as their enables in B. */
#define C_IRQF 0x80
#define C_PF   0x40
#define C_AF   0x20
#define C_UF   0x10

#define D_VRT 0x80

#define HOURS_PM   0x80
#define DONT_CARE  0xC0
#define BEFORE_PS  (244 * PS_PER_US)
#define UPDATE_PS  (1984 * PS_PER_US)
#define RELEASE_PS (PS_PER_S / 2) /* from divider reset to the first update */

#define INDEX 0
#define CMOS  128

#define MINUTE 60u
#define HOUR   3600u
#define DAY    (unsigned)DATE_DAY_SECONDS

struct mc146818 {
	struct device device;
	uint8_t cmos[CMOS];
	uint8_t index;               /* with the NMI bit */
	uint8_t no_battery, stopped; /* faults */
	uint64_t next_update;        /* ps: when the next update ends */
	uint64_t divider; /* ps: the periodic rates count from here */
	uint64_t periods; /* of the present rate, that PF knows of */
	/* Wiring. */
	struct irq_line irq;
	struct event alarm;
	char alarm_name[24];
};

static const struct device_field mc146818_fields[] = {
	DEVICE_ARRAY(struct mc146818, cmos),
	DEVICE_FIELD(struct mc146818, index),
	DEVICE_FIELD(struct mc146818, no_battery),
	DEVICE_FIELD(struct mc146818, stopped),
	DEVICE_FIELD(struct mc146818, next_update),
	DEVICE_FIELD(struct mc146818, divider),
	DEVICE_FIELD(struct mc146818, periods),
	{NULL, 0, 0, 0},
};

static const struct device_register mc146818_registers[] = {
	{"INDEX", INDEX, 1},
	{"DATA", 1, 1},
	{NULL, 0, 0},
};

static const char *const mc146818_faults[] = {"battery", "stop", "jump", NULL};

/* ---- registers as numbers ---- */

static uint8_t encode(const struct mc146818 *r, unsigned value)
{
	if (r->cmos[REG_B] & B_DM)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static unsigned decode(const struct mc146818 *r, unsigned at)
{
	uint8_t value = r->cmos[at];

	if (r->cmos[REG_B] & B_DM)
		return value;
	return (value >> 4) * 10u + (value & 0xF);
}

static uint8_t encode_hours(const struct mc146818 *r, unsigned hours)
{
	unsigned twelve = hours % 12 ? hours % 12 : 12;

	if (r->cmos[REG_B] & B_24)
		return encode(r, hours);
	return (uint8_t)(encode(r, twelve) | (hours >= 12 ? HOURS_PM : 0));
}

static unsigned decode_hours(const struct mc146818 *r)
{
	uint8_t value = r->cmos[HOURS], low = value & (uint8_t)~HOURS_PM;
	unsigned hours =
		r->cmos[REG_B] & B_DM ? low : (low >> 4) * 10u + (low & 0xF);

	if (r->cmos[REG_B] & B_24)
		return decode(r, HOURS);
	return hours % 12 + (value & HOURS_PM ? 12 : 0);
}

static unsigned second_of_day(const struct mc146818 *r)
{
	return (decode_hours(r) * HOUR + decode(r, MINUTES) * MINUTE +
		decode(r, SECONDS)) %
	       DAY;
}

static void time_set(struct mc146818 *r, unsigned in_day)
{
	r->cmos[SECONDS] = encode(r, in_day % MINUTE);
	r->cmos[MINUTES] = encode(r, in_day / MINUTE % 60);
	r->cmos[HOURS] = encode_hours(r, in_day / HOUR);
}

/* The century is BCD whatever B says, as firmware keeps it. */
static unsigned century(const struct mc146818 *r)
{
	uint8_t value = r->cmos[MC146818_CENTURY];

	return (value >> 4) * 10u + (value & 0xF);
}

static void date_set(struct mc146818 *r, const struct date *d)
{
	unsigned c = d->year / 100;

	r->cmos[DATE] = encode(r, d->day);
	r->cmos[MONTH] = encode(r, d->month);
	r->cmos[YEAR] = encode(r, d->year % 100);
	r->cmos[MC146818_CENTURY] = (uint8_t)(c / 10 << 4 | c % 10);
}

static void days_pass(struct mc146818 *r, uint64_t days)
{
	struct date d = {century(r) * 100 + decode(r, YEAR) % 100,
			 decode(r, MONTH), decode(r, DATE)};
	unsigned weekday = decode(r, DAY_OF_WEEK);

	if (!days)
		return;
	/* What no calendar has, becomes the next thing that one has. */
	if (d.month < 1 || d.month > 12)
		d.month = 1;
	weekday = (unsigned)((weekday + 6 + days) % 7 + 1);
	r->cmos[DAY_OF_WEEK] = encode(r, weekday);
	while (days--)
		date_next(&d);
	date_set(r, &d);
}

/* ---- what time does ---- */

static bool runs(const struct mc146818 *r)
{
	return (r->cmos[REG_A] & A_DV) == A_RUN && !r->stopped;
}

static bool updates(const struct mc146818 *r)
{
	return runs(r) && !(r->cmos[REG_B] & B_SET);
}

/* Table 5; 0: none. */
static uint64_t periodic_hz(const struct mc146818 *r)
{
	unsigned rs = r->cmos[REG_A] & A_RS;

	if (!rs || !runs(r))
		return 0;
	return UINT64_C(32768) >> (rs < 3 ? rs + 6 : rs - 1);
}

static uint64_t periods_until(const struct mc146818 *r, ps_t when)
{
	uint64_t hz = periodic_hz(r);

	return hz ? rate_edges(when - r->divider, hz) : 0;
}

static bool alarm_byte(uint8_t alarm, uint8_t time)
{
	return (alarm & DONT_CARE) == DONT_CARE || alarm == time;
}

/* Seconds from this one to the next that the alarm matches; 0: none does. */
static unsigned alarm_in(const struct mc146818 *r, unsigned now)
{
	unsigned t = now + 1;

	while (t <= now + DAY) {
		if (!alarm_byte(r->cmos[HOURS_ALARM],
				encode_hours(r, t / HOUR % 24)))
			t += HOUR - t % HOUR;
		else if (!alarm_byte(r->cmos[MINUTES_ALARM],
				     encode(r, t / MINUTE % 60)))
			t += MINUTE - t % MINUTE;
		else if (!alarm_byte(r->cmos[SECONDS_ALARM],
				     encode(r, t % MINUTE)))
			t++;
		else
			return t - now;
	}
	return 0;
}

static void updates_settle(struct mc146818 *r, ps_t now)
{
	unsigned in_day = second_of_day(r), alarm;
	uint64_t count;

	if (!runs(r) || now < r->next_update)
		return;
	count = (now - r->next_update) / PS_PER_S + 1;
	r->next_update += count * PS_PER_S;
	if (!updates(r))
		return;
	alarm = alarm_in(r, in_day);
	r->cmos[REG_C] |= C_UF | (alarm && alarm <= count ? C_AF : 0);
	days_pass(r, (in_day + count) / DAY);
	time_set(r, (unsigned)((in_day + count) % DAY));
}

/* Brings all registers to the present. */
static void settle(struct mc146818 *r)
{
	ps_t now = machine_now(r->device.machine);
	uint64_t periods = periods_until(r, now);

	if (periods != r->periods)
		r->cmos[REG_C] |= C_PF;
	r->periods = periods;
	updates_settle(r, now);
}

static ps_t soonest(ps_t a, ps_t b)
{
	return a < b ? a : b;
}

/* IRQF, the wire, and the next event that could raise it. */
static void update(struct mc146818 *r)
{
	struct evq *q = machine_evq(r->device.machine);
	uint8_t enabled = r->cmos[REG_B] & (B_PIE | B_AIE | B_UIE);
	ps_t when = PS_NEVER;
	unsigned alarm;

	if (r->cmos[REG_C] & enabled) {
		r->cmos[REG_C] |= C_IRQF;
	} else {
		r->cmos[REG_C] &= (uint8_t)~C_IRQF;
		if ((enabled & B_PIE) && periodic_hz(r))
			when = r->divider +
			       rate_instant(r->periods + 1, periodic_hz(r));
		if ((enabled & B_UIE) && updates(r))
			when = soonest(when, r->next_update);
		alarm = enabled & B_AIE && updates(r)
				? alarm_in(r, second_of_day(r))
				: 0;
		if (alarm)
			when = soonest(when,
				       r->next_update + (alarm - 1) * PS_PER_S);
	}
	irq_set(&r->irq, r->cmos[REG_C] & C_IRQF);
	if (when == PS_NEVER)
		evq_cancel(q, &r->alarm);
	else if (!evq_pending(&r->alarm) || r->alarm.when != when)
		evq_schedule(q, &r->alarm, when);
}

static void alarm_fire(void *owner, ps_t when)
{
	(void)when;
	settle(owner);
	update(owner);
}

/* ---- registers ---- */

static uint8_t byte_read(struct mc146818 *r, unsigned at)
{
	ps_t now = machine_now(r->device.machine);
	uint8_t value = r->cmos[at];

	switch (at) {
	case REG_A:
		if (updates(r) && now + BEFORE_PS + UPDATE_PS >= r->next_update)
			value |= A_UIP;
		break;
	case REG_C: /* sheet: reading clears all flags */
		r->cmos[REG_C] = 0;
		break;
	case REG_D:
		value = r->no_battery ? 0 : D_VRT;
		break;
	default:
		break;
	}
	return value;
}

static void a_write(struct mc146818 *r, uint8_t value)
{
	ps_t now = machine_now(r->device.machine);
	bool ran = runs(r);

	r->cmos[REG_A] = value & (uint8_t)~A_UIP;
	/* Sheet: DV 11x is divider reset. */
	if (!runs(r) && (value & 0x60) != 0x60)
		machine_odd(&r->device, "time base not modelled", REG_A, value);
	if (!ran && runs(r)) {
		r->divider = now;
		r->next_update = now + RELEASE_PS;
	}
	r->periods = periods_until(r, now);
}

static void b_write(struct mc146818 *r, uint8_t value)
{
	if (value & B_DSE)
		machine_odd(&r->device, "daylight saving not modelled", REG_B,
			    value);
	if (value & B_SET) /* sheet: SET clears UIE */
		value &= (uint8_t)~B_UIE;
	r->cmos[REG_B] = value;
}

static void byte_write(struct mc146818 *r, unsigned at, uint8_t value)
{
	switch (at) {
	case REG_A:
		a_write(r, value);
		break;
	case REG_B:
		b_write(r, value);
		break;
	case REG_C:
	case REG_D:
		machine_odd(&r->device, "write to a read-only register", at,
			    value);
		break;
	default:
		r->cmos[at] = value;
		break;
	}
}

static uint64_t mc146818_read(struct device *d, uint64_t off, unsigned size)
{
	struct mc146818 *r = (struct mc146818 *)d;
	uint8_t value;

	(void)size;
	if (off == INDEX)
		return 0xFF;
	settle(r);
	value = byte_read(r, r->index % CMOS);
	update(r);
	return value;
}

static void mc146818_write(struct device *d, uint64_t off, unsigned size,
			   uint64_t value)
{
	struct mc146818 *r = (struct mc146818 *)d;

	(void)size;
	if (off == INDEX) {
		r->index = (uint8_t)value;
		return;
	}
	settle(r);
	byte_write(r, r->index % CMOS, (uint8_t)value);
	update(r);
}

/* ---- life ---- */

static bool mc146818_fault(struct device *d, const char *name,
			   uint64_t argument, struct error *err)
{
	struct mc146818 *r = (struct mc146818 *)d;

	(void)err;
	settle(r);
	if (!strcmp(name, "jump")) {
		uint64_t seconds = second_of_day(r) + argument;

		days_pass(r, seconds / DAY);
		time_set(r, (unsigned)(seconds % DAY));
	} else if (!strcmp(name, "battery")) {
		r->no_battery = 1;
	} else {
		r->stopped = 1;
	}
	r->periods = periods_until(r, machine_now(d->machine));
	update(r);
	return true;
}

/* Sheet, RESET: what the pin clears. */
static void mc146818_reset(struct device *d)
{
	struct mc146818 *r = (struct mc146818 *)d;

	settle(r);
	r->index = 0;
	r->cmos[REG_B] &= (uint8_t) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
	r->cmos[REG_C] = 0;
	update(r);
}

static void clock_start(struct mc146818 *r, uint64_t seconds)
{
	struct date d = DATE_EPOCH;
	uint64_t days = seconds / DAY;

	r->cmos[REG_A] = A_RUN | 6; /* 1024 Hz */
	r->cmos[REG_B] = B_24;
	r->cmos[DAY_OF_WEEK] = encode(r, (unsigned)((days + 4) % 7 + 1));
	for (uint64_t i = 0; i < days; i++)
		date_next(&d);
	date_set(r, &d);
	time_set(r, (unsigned)(seconds % DAY));
	r->next_update = machine_now(r->device.machine) + PS_PER_S;
	r->divider = machine_now(r->device.machine);
}

static void put(struct mc146818 *r, unsigned at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		r->cmos[at + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static void memory_sizes(struct mc146818 *r, uint64_t ram_bytes)
{
	const uint64_t mib = UINT64_C(1) << 20;
	uint64_t low = at_most(ram_bytes, BUS_RAM_LOW_MAX);
	uint64_t above_1m = at_most((low - mib) / 1024, 0xFFFF);
	uint64_t above_16m = low > 16 * mib ? (low - 16 * mib) / 0x10000 : 0;

	put(r, 0x15, 640, 2);
	put(r, 0x17, above_1m, 2);
	put(r, 0x30, above_1m, 2);
	put(r, 0x34, at_most(above_16m, 0xFFFF), 2);
	put(r, 0x5B, (ram_bytes - low) / 0x10000, 3);
}

static void checksum(struct mc146818 *r)
{
	unsigned sum = 0;

	for (unsigned at = 0x10; at <= 0x2D; at++)
		sum += r->cmos[at];
	r->cmos[0x2E] = (uint8_t)(sum >> 8); /* high byte first */
	r->cmos[0x2F] = (uint8_t)sum;
}

static bool mc146818_init(struct device *d, const struct device_prop *props,
			  size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {mc146818_read, mc146818_write, 1, 1};
	const struct device_prop *seconds =
		device_prop_find(props, prop_count, "seconds");
	struct mc146818 *r = (struct mc146818 *)d;
	struct bus_range range = {0x70, 2, &ops, d, d->name};

	if (!isa_irq_line(d->machine, 8, d->name, &r->irq, err))
		return false;
	strcat(strcpy(r->alarm_name, d->name), ".alarm");
	r->alarm = (struct event){.name = r->alarm_name,
				  .fire = alarm_fire,
				  .owner = r,
				  .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &r->alarm);
	clock_start(r, seconds ? seconds->value : DATE_DEFAULT_SECONDS);
	r->cmos[0x14] = 0x06; /* mouse, coprocessor; display with its own ROM */
	memory_sizes(r, bus_ram_bytes(machine_bus(d->machine)));
	r->cmos[0x5F] = (uint8_t)(machine_cpu_count(d->machine) - 1);
	checksum(r);
	return bus_map_ports(machine_bus(d->machine), &range, err);
}

static void mc146818_fini(struct device *d)
{
	evq_cancel(machine_evq(d->machine), &((struct mc146818 *)d)->alarm);
}

const struct device_class mc146818_class = {
	.name = "mc146818",
	.summary = "real-time clock MC146818A with CMOS RAM",
	.object_bytes = sizeof(struct mc146818),
	.fields = mc146818_fields,
	.registers = mc146818_registers,
	.faults = mc146818_faults,
	.init = mc146818_init,
	.reset = mc146818_reset,
	.fault = mc146818_fault,
	.fini = mc146818_fini,
};

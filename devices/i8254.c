/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/i8254.c - see i8254.h.  "Sheet" is the 8254's.
 *
 * The idea: `start` is the CLK edge at which a counter's position was `phase`;
 * its position now is phase plus the edges since, and OUT, the count and the
 * next change of OUT are functions of position, mode and n.  Position 0 is the
 * CLK that loads the count, one after the write.
 */
#include "devices/i8254.h"

#include <string.h>

#include "devices/isa.h"
#include "devices/rate.h"
#include "sim/machine.h"

#define CONTROL  3
#define COUNTERS 3

/* Sheet, figure 7: the control word. */
#define CW_BCD       0x01
#define CW_READ_BACK 3
#define RW_LATCH     0
#define RW_LSB       1
#define RW_MSB       2
#define RW_BOTH      3

/* Sheet, figure 11: read-back, both bits inverted. */
#define RB_NO_COUNT  0x20
#define RB_NO_STATUS 0x10

#define STATUS_OUT  0x80
#define STATUS_NULL 0x40

#define SPEAKER_GATE    0x01
#define SPEAKER_KEPT    0x0F
#define SPEAKER_REFRESH 0x10
#define SPEAKER_OUT     0x20
#define REFRESH_CLKS    18

#define NO_CHANGE UINT64_MAX

/* What a counter does with its count register. */
enum counter_state {
	IDLE,    /* nothing loaded: no control word, or no count yet */
	RUNNING, /* position counts while the gate lets it */
	ARMED    /* modes 1 and 5 wait for the gate to rise */
};

struct counter {
	uint64_t start; /* CLK edge, see above */
	uint64_t phase;
	uint64_t next_from; /* CLK edge from which on `cr` waits for a reload */
	uint32_t n;         /* the count in effect, 1 to 65536 */
	uint16_t cr;        /* the count register, as written */
	uint16_t latch;     /* the count that was latched */
	uint8_t latched;    /* bytes of `latch` to read: 0, 1 LSB, 2 MSB, 3 */
	uint8_t status, status_latched;
	uint8_t mode, bcd, rw;
	uint8_t state;
	uint8_t before; /* OUT until the count is loaded */
	uint8_t reload; /* `cr` waits for the end of the period */
	uint8_t gate;
	uint8_t dead;                /* fault: no CLK */
	uint8_t write_msb, read_msb; /* the other byte comes next */
};

struct i8254 {
	struct device device;
	struct counter counter[COUNTERS];
	uint64_t settled; /* the CLK edge up to which IRQ 0 follows OUT 0 */
	uint8_t speaker;
	uint8_t irq_level;
	/* Wiring. */
	struct irq_line irq;
	struct event out;
	char out_name[24];
};

#define COUNTER_FIELDS(i)                                                      \
	DEVICE_FIELD(struct i8254, counter[i].start),                          \
		DEVICE_FIELD(struct i8254, counter[i].phase),                  \
		DEVICE_FIELD(struct i8254, counter[i].next_from),              \
		DEVICE_FIELD(struct i8254, counter[i].n),                      \
		DEVICE_FIELD(struct i8254, counter[i].cr),                     \
		DEVICE_FIELD(struct i8254, counter[i].latch),                  \
		DEVICE_FIELD(struct i8254, counter[i].latched),                \
		DEVICE_FIELD(struct i8254, counter[i].status),                 \
		DEVICE_FIELD(struct i8254, counter[i].status_latched),         \
		DEVICE_FIELD(struct i8254, counter[i].mode),                   \
		DEVICE_FIELD(struct i8254, counter[i].bcd),                    \
		DEVICE_FIELD(struct i8254, counter[i].rw),                     \
		DEVICE_FIELD(struct i8254, counter[i].state),                  \
		DEVICE_FIELD(struct i8254, counter[i].before),                 \
		DEVICE_FIELD(struct i8254, counter[i].reload),                 \
		DEVICE_FIELD(struct i8254, counter[i].gate),                   \
		DEVICE_FIELD(struct i8254, counter[i].dead),                   \
		DEVICE_FIELD(struct i8254, counter[i].write_msb),              \
		DEVICE_FIELD(struct i8254, counter[i].read_msb)

static const struct device_field i8254_fields[] = {
	COUNTER_FIELDS(0),
	COUNTER_FIELDS(1),
	COUNTER_FIELDS(2),
	DEVICE_FIELD(struct i8254, settled),
	DEVICE_FIELD(struct i8254, speaker),
	DEVICE_FIELD(struct i8254, irq_level),
	{NULL, 0, 0, 0},
};

static const struct device_register i8254_registers[] = {
	{"COUNTER0", 0, 1},      {"COUNTER1", 1, 1}, {"COUNTER2", 2, 1},
	{"CONTROL", CONTROL, 1}, {NULL, 0, 0},
};

static const char *const i8254_faults[] = {"stop", NULL};

/* ---- BCD ---- */

static uint16_t to_bcd(uint32_t v)
{
	return (uint16_t)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 |
			  v / 1000 % 10 << 12);
}

static uint32_t from_bcd(uint16_t v)
{
	return (v & 0xFu) + (v >> 4 & 0xFu) * 10 + (v >> 8 & 0xFu) * 100 +
	       (v >> 12 & 0xFu) * 1000;
}

static uint32_t modulus(const struct counter *c)
{
	return c->bcd ? 10000 : 0x10000;
}

/* Sheet: 0 is the largest count. */
static uint32_t count_of_cr(const struct counter *c)
{
	uint32_t n = c->bcd ? from_bcd(c->cr) : c->cr;

	return n ? n : modulus(c);
}

/* ---- a counter at a CLK edge ---- */

/* Modes 2 and 3 repeat. */
static bool is_periodic(const struct counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

static bool is_triggered(const struct counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

/* The gate's level stops all modes but those that its edge triggers. */
static bool counts(const struct counter *c)
{
	return c->state == RUNNING && !c->dead && (c->gate || is_triggered(c));
}

/* False: not loaded yet. */
static bool position(const struct counter *c, uint64_t edge, uint64_t *at)
{
	if (c->state != RUNNING || (counts(c) && edge < c->start))
		return false;
	*at = c->phase + (counts(c) ? edge - c->start : 0);
	return true;
}

/* Mode 3: OUT is high for the first part, one CLK longer when n is odd. */
static uint32_t high_part(uint32_t n)
{
	return (n + 1) / 2;
}

static bool out_at(const struct counter *c, uint64_t edge)
{
	uint64_t at;

	if (!position(c, edge, &at))
		return c->before;
	switch (c->mode) {
	case 0:
	case 1:
		return at >= c->n;
	case 2:
		return !c->gate || at % c->n != c->n - 1;
	case 3:
		return !c->gate || at % c->n < high_part(c->n);
	default: /* 4, 5: a strobe of one CLK */
		return at != c->n;
	}
}

/* The first edge after `edge` at which OUT changes, of a counter whose gate
 * stays high. */
static uint64_t next_change(const struct counter *c, uint64_t edge)
{
	uint64_t at, to, in_period;

	if (!counts(c))
		return NO_CHANGE;
	if (!position(c, edge, &at))
		at = c->phase;
	in_period = at % c->n;
	switch (c->mode) {
	case 0:
	case 1:
		to = at < c->n ? c->n : NO_CHANGE;
		break;
	case 2:
		to = at - in_period + c->n - (in_period < c->n - 1);
		break;
	case 3:
		to = at - in_period +
		     (in_period < high_part(c->n) ? high_part(c->n) : c->n);
		break;
	default:
		to = at < c->n ? c->n : at == c->n ? at + 1 : NO_CHANGE;
		break;
	}
	return to == NO_CHANGE ? to : c->start + (to - c->phase);
}

/* Modes 2 and 3: a count written while counting waits for the end of the period
 * (mode 3: of the half).  Brings n up to `edge`. */
static void reload_settle(struct counter *c, uint64_t edge)
{
	uint64_t at = 0, boundary, in_period;
	uint32_t half = high_part(c->n);
	bool halfway;

	if (!c->reload || !is_periodic(c) || !counts(c) ||
	    !position(c, c->next_from, &at))
		return;
	in_period = at % c->n;
	halfway = c->mode == 3 && in_period < half;
	boundary = c->start + (at - in_period - c->phase) +
		   (halfway ? half : c->n);
	if (edge < boundary)
		return;
	c->n = count_of_cr(c);
	c->start = boundary;
	c->phase = halfway ? high_part(c->n) : 0;
	c->reload = 0;
}

static uint16_t count_at(const struct counter *c, uint64_t edge)
{
	uint64_t at;
	uint32_t count, half = high_part(c->n);

	if (!position(c, edge, &at)) {
		count = count_of_cr(c);
	} else if (c->mode == 2) {
		count = c->n - (uint32_t)(at % c->n);
	} else if (c->mode == 3) {
		/* By twos, from n or the even number below, in each half. */
		count = (c->n & ~1u) - 2 * (uint32_t)(at % c->n % half);
	} else {
		count = (uint32_t)((c->n + modulus(c) - at % modulus(c)) %
				   modulus(c));
	}
	count %= modulus(c);
	return c->bcd ? to_bcd(count) : (uint16_t)count;
}

/* The count is not yet in the counting element. */
static bool is_null(const struct counter *c, uint64_t edge)
{
	return c->state != RUNNING || c->reload || edge < c->start;
}

static void load(struct counter *c, uint64_t edge)
{
	if (c->mode == 1)
		c->before = out_at(c, edge);
	c->n = count_of_cr(c);
	c->start = edge + 1;
	c->phase = 0;
	c->reload = 0;
	c->state = RUNNING;
}

/* ---- OUT 0 and the queue ---- */

static uint64_t edge_now(const struct i8254 *p)
{
	return rate_edges(machine_now(p->device.machine), I8254_HZ);
}

static void irq_follow(struct i8254 *p, bool level)
{
	if (p->irq_level == level)
		return;
	p->irq_level = level;
	irq_set(&p->irq, level);
}

/* Brings IRQ 0 to the present, however long nobody listened: what counts then
 * is the level and whether it rose at all. */
static void out_settle(struct i8254 *p)
{
	struct counter *c = &p->counter[0];
	uint64_t now = edge_now(p), change;

	/* Of the count before a reload: the first change is not after it. */
	change = next_change(c, p->settled);
	reload_settle(c, now);
	if (change <= now && out_at(c, now))
		irq_follow(p, false); /* it changed and is high: it rose */
	irq_follow(p, out_at(c, now));
	p->settled = now;
}

static void out_arm(struct i8254 *p)
{
	struct evq *q = machine_evq(p->device.machine);
	uint64_t change = next_change(&p->counter[0], p->settled);
	ps_t when = PS_NEVER;

	if (change != NO_CHANGE && isa_listens(p->device.machine, 0))
		when = rate_instant(change, I8254_HZ);
	if (when == PS_NEVER)
		evq_cancel(q, &p->out);
	else if (!evq_pending(&p->out) || p->out.when != when)
		evq_schedule(q, &p->out, when);
}

static void out_fire(void *owner, ps_t when)
{
	(void)when;
	out_settle(owner);
	out_arm(owner);
}

static void i8254_settle(struct device *d)
{
	out_fire(d, 0);
}

/* ---- registers ---- */

static void control_write(struct i8254 *p, uint8_t value)
{
	struct counter *c = &p->counter[value >> 6];
	uint8_t mode = value >> 1 & 7;

	c->mode = mode > 5 ? mode & 3 : mode; /* X10 and X11 are 2 and 3 */
	c->bcd = value & CW_BCD;
	c->rw = value >> 4 & 3;
	c->state = IDLE;
	c->before = c->mode != 0;
	c->reload = c->write_msb = c->read_msb = 0;
	c->latched = c->status_latched = 0;
	c->cr = 0;
	c->n = modulus(c);
	c->phase = 0;
}

static void count_latch(struct counter *c, uint64_t edge)
{
	if (c->latched) /* sheet: the first latch stays until it is read */
		return;
	c->latch = count_at(c, edge);
	c->latched = c->rw;
}

static void status_latch(struct counter *c, uint64_t edge)
{
	if (c->status_latched)
		return;
	c->status = (uint8_t)((out_at(c, edge) ? STATUS_OUT : 0) |
			      (is_null(c, edge) ? STATUS_NULL : 0) |
			      c->rw << 4 | c->mode << 1 | c->bcd);
	c->status_latched = 1;
}

static void read_back(struct i8254 *p, uint8_t value, uint64_t edge)
{
	for (unsigned i = 0; i < COUNTERS; i++) {
		struct counter *c = &p->counter[i];

		if (!(value >> (i + 1) & 1))
			continue;
		if (!(value & RB_NO_COUNT))
			count_latch(c, edge);
		if (!(value & RB_NO_STATUS))
			status_latch(c, edge);
	}
}

/* A whole count is in the count register. */
static void count_written(struct i8254 *p, struct counter *c, uint64_t edge)
{
	if (is_periodic(c) && count_of_cr(c) == 1) {
		machine_odd(&p->device, "count 1 in mode 2 or 3",
			    (uint64_t)(c - p->counter), c->mode);
		c->cr = 2;
	}
	if (is_triggered(c)) {
		c->reload = c->state == RUNNING;
		if (c->state == IDLE)
			c->state = ARMED;
	} else if (is_periodic(c) && c->state == RUNNING && edge >= c->start) {
		c->reload = 1;
		c->next_from = edge;
	} else {
		load(c, edge);
	}
}

static void counter_write(struct i8254 *p, struct counter *c, uint8_t value,
			  uint64_t edge)
{
	switch (c->rw) {
	case RW_LSB:
		c->cr = value;
		break;
	case RW_MSB:
		c->cr = (uint16_t)(value << 8);
		break;
	case RW_BOTH:
		if (!c->write_msb) {
			c->cr = (uint16_t)((c->cr & 0xFF00) | value);
			c->write_msb = 1;
			if (c->mode == 0) /* sheet: the first byte stops it */
				c->state = IDLE;
			return;
		}
		c->cr = (uint16_t)((c->cr & 0x00FF) | value << 8);
		c->write_msb = 0;
		break;
	default:
		machine_odd(&p->device, "counter not programmed",
			    (uint64_t)(c - p->counter), value);
		return;
	}
	count_written(p, c, edge);
}

static uint8_t counter_read(struct counter *c, uint64_t edge)
{
	uint16_t count = c->latched ? c->latch : count_at(c, edge);
	bool msb = c->rw == RW_MSB || (c->rw == RW_BOTH && c->read_msb);

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->rw == RW_BOTH)
		c->read_msb ^= 1;
	c->latched &= (uint8_t) ~(msb ? RW_MSB : RW_LSB);
	return (uint8_t)(msb ? count >> 8 : count);
}

static uint64_t i8254_read(struct device *d, uint64_t off, unsigned size)
{
	struct i8254 *p = (struct i8254 *)d;
	struct counter *c = &p->counter[off];
	uint64_t now = edge_now(p);

	(void)size;
	if (off == CONTROL) {
		machine_odd(d, "read of the control word", off, 0);
		return 0xFF;
	}
	reload_settle(c, now);
	return counter_read(c, now);
}

static void i8254_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	struct i8254 *p = (struct i8254 *)d;
	uint8_t byte = (uint8_t)value;
	uint64_t now = edge_now(p);

	(void)size;
	out_settle(p);
	for (unsigned i = 0; i < COUNTERS; i++)
		reload_settle(&p->counter[i], now);
	if (off != CONTROL)
		counter_write(p, &p->counter[off], byte, now);
	else if (byte >> 6 == CW_READ_BACK)
		read_back(p, byte, now);
	else if ((byte >> 4 & 3) == RW_LATCH)
		count_latch(&p->counter[byte >> 6], now);
	else
		control_write(p, byte);
	irq_follow(p, out_at(&p->counter[0], now));
	out_arm(p);
}

/* ---- port 61 ---- */

static void gate_set(struct counter *c, bool level, uint64_t edge)
{
	uint64_t at;

	if (c->gate == level)
		return;
	reload_settle(c, edge);
	if (c->state != RUNNING || is_triggered(c)) {
		c->gate = level;
		if (level && is_triggered(c) && c->state != IDLE)
			load(c, edge);
		return;
	}
	/* Modes 0 and 4 pause and go on; 2 and 3 begin anew. */
	if (!level) {
		c->phase = position(c, edge, &at) ? at : c->phase;
		c->start = edge;
	} else if (is_periodic(c)) {
		load(c, edge);
	} else {
		c->start = edge;
	}
	c->gate = level;
}

static uint64_t speaker_read(struct device *d, uint64_t off, unsigned size)
{
	struct i8254 *p = (struct i8254 *)d;
	uint64_t now = edge_now(p);
	struct counter *c = &p->counter[2];

	(void)off;
	(void)size;
	reload_settle(c, now);
	return p->speaker | (out_at(c, now) ? SPEAKER_OUT : 0) |
	       (now / REFRESH_CLKS & 1 ? SPEAKER_REFRESH : 0);
}

static void speaker_write(struct device *d, uint64_t off, unsigned size,
			  uint64_t value)
{
	struct i8254 *p = (struct i8254 *)d;

	(void)off;
	(void)size;
	p->speaker = value & SPEAKER_KEPT;
	gate_set(&p->counter[2], value & SPEAKER_GATE, edge_now(p));
}

/* ---- life ---- */

static bool i8254_fault(struct device *d, const char *name, uint64_t argument,
			struct error *err)
{
	struct i8254 *p = (struct i8254 *)d;
	uint64_t now = edge_now(p), at;
	struct counter *c;

	if (argument >= COUNTERS)
		return error_set(err, EXIT_USAGE,
				 "%s.%s: counter %llu; give 0 to 2", d->name,
				 name, (unsigned long long)argument);
	c = &p->counter[argument];
	out_settle(p);
	reload_settle(c, now);
	if (position(c, now, &at))
		c->phase = at;
	c->dead = 1;
	out_arm(p);
	return true;
}

static void i8254_reset(struct device *d)
{
	struct i8254 *p = (struct i8254 *)d;

	evq_cancel(machine_evq(d->machine), &p->out);
	memset(p->counter, 0, sizeof(p->counter));
	for (unsigned i = 0; i < COUNTERS; i++) {
		p->counter[i].n = 0x10000;
		p->counter[i].gate = i < 2;
	}
	p->settled = edge_now(p);
	p->speaker = 0;
	irq_follow(p, false);
}

static bool i8254_init(struct device *d, const struct device_prop *props,
		       size_t prop_count, struct error *err)
{
	static const struct bus_ops timer = {i8254_read, i8254_write, 1, 1};
	static const struct bus_ops speaker = {speaker_read, speaker_write, 1,
					       1};
	struct i8254 *p = (struct i8254 *)d;
	struct bus_range timers = {0x40, 4, &timer, d, d->name};
	struct bus_range port61 = {0x61, 1, &speaker, d, "pit0.port61"};

	(void)props;
	(void)prop_count;
	if (!isa_irq_line(d->machine, 0, d->name, &p->irq, err))
		return false;
	isa_source(d->machine, 0, i8254_settle, d);
	strcat(strcpy(p->out_name, d->name), ".out0");
	p->out = (struct event){.name = p->out_name,
				.fire = out_fire,
				.owner = p,
				.rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &p->out);
	return bus_map_ports(machine_bus(d->machine), &timers, err) &&
	       bus_map_ports(machine_bus(d->machine), &port61, err);
}

static void i8254_fini(struct device *d)
{
	evq_cancel(machine_evq(d->machine), &((struct i8254 *)d)->out);
}

const struct device_class i8254_class = {
	.name = "i8254",
	.summary = "interval timer 8254 and port 61",
	.object_bytes = sizeof(struct i8254),
	.fields = i8254_fields,
	.registers = i8254_registers,
	.init = i8254_init,
	.faults = i8254_faults,
	.reset = i8254_reset,
	.fault = i8254_fault,
	.fini = i8254_fini,
};

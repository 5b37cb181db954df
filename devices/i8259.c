/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/i8259.c - see i8259.h.  "Sheet" is the 8259A's. */
#include "devices/i8259.h"

#include "devices/ioapic.h"
#include "devices/isa.h"
#include "devices/lapic.h"
#include "sim/machine.h"

#define ICW1_IC4  0x01 /* ICW4 follows */
#define ICW1_SNGL 0x02
#define ICW1      0x10 /* what makes a command ICW1 */

#define ICW4_UPM  0x01 /* 8086 mode */
#define ICW4_AEOI 0x02
#define ICW4_BUF  0x08
#define ICW4_SFNM 0x10

#define OCW3      0x08
#define OCW3_RIS  0x01
#define OCW3_RR   0x02
#define OCW3_POLL 0x04
#define OCW3_SMM  0x20
#define OCW3_ESMM 0x40

#define MASTER    0
#define SLAVE     1
#define CASCADE   2 /* the master's input that is the slave's INT */
#define IR7       7
#define SLAVE_IR7 15
#define POLL_IRQ  0x80
#define PORT_DATA 1

/* 82371SB 2.5.5: IRQ 0, 1, 2, 8 and 13 are edges for ever. */
static const uint8_t elcr_writable[2] = {0xF8, 0xDE};

struct chip {
	uint8_t level; /* of the inputs */
	uint8_t irr, isr, imr;
	uint8_t elcr;
	uint8_t lowest; /* the input of lowest priority */
	uint8_t icw1, icw2, icw3, icw4;
	uint8_t next_icw; /* 2 to 4 while being initialised; 0 */
	uint8_t special_mask;
	uint8_t rotate_aeoi;
	uint8_t read_isr; /* what a command port's read gives */
	uint8_t poll;     /* the next read is a poll */
};

struct i8259 {
	struct device device;
	struct chip chip[2];
	uint8_t out;      /* INT of the master */
	uint8_t spurious; /* fault: 7 or 15 until it is acknowledged */
	/* Wiring. */
	struct irq_line lint, pin;
};

#define CHIP_FIELDS(i)                                                         \
	DEVICE_FIELD(struct i8259, chip[i].level),                             \
		DEVICE_FIELD(struct i8259, chip[i].irr),                       \
		DEVICE_FIELD(struct i8259, chip[i].isr),                       \
		DEVICE_FIELD(struct i8259, chip[i].imr),                       \
		DEVICE_FIELD(struct i8259, chip[i].elcr),                      \
		DEVICE_FIELD(struct i8259, chip[i].lowest),                    \
		DEVICE_FIELD(struct i8259, chip[i].icw1),                      \
		DEVICE_FIELD(struct i8259, chip[i].icw2),                      \
		DEVICE_FIELD(struct i8259, chip[i].icw3),                      \
		DEVICE_FIELD(struct i8259, chip[i].icw4),                      \
		DEVICE_FIELD(struct i8259, chip[i].next_icw),                  \
		DEVICE_FIELD(struct i8259, chip[i].special_mask),              \
		DEVICE_FIELD(struct i8259, chip[i].rotate_aeoi),               \
		DEVICE_FIELD(struct i8259, chip[i].read_isr),                  \
		DEVICE_FIELD(struct i8259, chip[i].poll)

static const struct device_field i8259_fields[] = {
	CHIP_FIELDS(MASTER),
	CHIP_FIELDS(SLAVE),
	DEVICE_FIELD(struct i8259, out),
	DEVICE_FIELD(struct i8259, spurious),
	{NULL, 0, 0, 0},
};

static const struct device_register i8259_registers[] = {
	{"ICW1/OCW2/OCW3", 0, 1},
	{"ICW2-4/OCW1", PORT_DATA, 1},
	{NULL, 0, 0},
};

static const char *const i8259_faults[] = {"spurious", NULL};

/* ---- priority (sheet: Fully Nested Mode and what follows) ---- */

/* 0 is the highest. */
static unsigned rank_of(const struct chip *c, unsigned ir)
{
	return (ir - c->lowest - 1) & 7;
}

/* The input of highest priority among `bits`, or -1. */
static int highest(const struct chip *c, uint8_t bits)
{
	for (unsigned rank = 0; rank < 8; rank++) {
		unsigned ir = (c->lowest + 1 + rank) & 7;

		if (bits >> ir & 1)
			return (int)ir;
	}
	return -1;
}

/* The input that asks for INT, or -1. */
static int request(const struct chip *c)
{
	int ir = highest(c, c->irr & (uint8_t)~c->imr), blocking;
	uint8_t in_service = c->isr;

	if (ir < 0 || c->next_icw)
		return -1;
	/* Special mask mode: what is masked does not hold back others. */
	if (c->special_mask)
		in_service &= (uint8_t)~c->imr;
	/* Special fully nested mode: the slave in service does not lock out
	 * the slave's higher requests. */
	if ((c->icw4 & ICW4_SFNM) && ir == CASCADE)
		in_service &= (uint8_t) ~(1 << CASCADE);
	blocking = highest(c, in_service);
	if (blocking >= 0 &&
	    rank_of(c, (unsigned)blocking) <= rank_of(c, (unsigned)ir))
		return -1;
	return ir;
}

/* ---- inputs and INT ---- */

static void input(struct chip *c, unsigned ir, bool level)
{
	uint8_t bit = (uint8_t)(1 << ir);
	bool rises = level && !(c->level & bit);

	c->level = level ? c->level | bit : c->level & (uint8_t)~bit;
	/* An edge is a request only while the input stays high; a level is
	 * one all the time. */
	if (rises)
		c->irr |= bit;
	else if (!level)
		c->irr &= (uint8_t)~bit;
}

static void out_set(struct i8259 *p, bool level)
{
	if (p->out == level)
		return;
	p->out = level;
	irq_set(&p->lint, level);
	irq_set(&p->pin, level);
}

static void update(struct i8259 *p)
{
	input(&p->chip[MASTER], CASCADE,
	      request(&p->chip[SLAVE]) >= 0 || p->spurious == SLAVE_IR7);
	out_set(p, request(&p->chip[MASTER]) >= 0 || p->spurious == IR7);
}

void i8259_pin_set(struct device *d, unsigned pin, bool level)
{
	struct i8259 *p = (struct i8259 *)d;

	input(&p->chip[pin >> 3], pin & 7, level);
	update(p);
}

bool i8259_listens(const struct device *d, unsigned pin)
{
	const struct i8259 *p = (const struct i8259 *)d;

	return !(p->chip[pin >> 3].imr >> (pin & 7) & 1);
}

/* ---- acknowledge and end of interrupt ---- */

/* INTA or poll at one chip: the input, or -1. */
static int take(struct chip *c)
{
	int ir = request(c);
	uint8_t bit;

	if (ir < 0)
		return -1;
	bit = (uint8_t)(1 << ir);
	if (!(c->elcr & bit))
		c->irr &= (uint8_t)~bit;
	if (!(c->icw4 & ICW4_AEOI))
		c->isr |= bit;
	else if (c->rotate_aeoi)
		c->lowest = (uint8_t)ir;
	return ir;
}

int i8259_ack(struct machine *m)
{
	struct i8259 *p = (struct i8259 *)machine_device(m, "pic0");
	struct chip *c;
	int ir;

	if (!p)
		return -1;
	c = &p->chip[MASTER];
	ir = take(c);
	if (ir < 0 || p->spurious == SLAVE_IR7)
		p->spurious = 0;
	/* INT falls with each INTA, so that the next request is an edge for
	 * whoever wants edges. */
	out_set(p, false);
	if (ir == CASCADE) {
		input(c, CASCADE, false);
		c = &p->chip[SLAVE];
		ir = take(c);
	}
	update(p);
	return c->icw2 + (ir < 0 ? IR7 : ir);
}

static void eoi(struct chip *c, int ir, bool rotate)
{
	if (ir < 0)
		return;
	c->isr &= (uint8_t) ~(1 << ir);
	if (rotate)
		c->lowest = (uint8_t)ir;
}

/* Sheet, OCW2: bits R, SL, EOI. */
static void ocw2_write(struct chip *c, uint8_t value)
{
	int ir = value & 7, in_service = -1;

	/* Special mask mode: what is masked is not cleared unless named. */
	if (value >> 5 & 1)
		in_service =
			highest(c, c->special_mask ? c->isr & (uint8_t)~c->imr
						   : c->isr);
	switch (value >> 5) {
	case 0:
	case 4:
		c->rotate_aeoi = value >> 7;
		break;
	case 1:
	case 5:
		eoi(c, in_service, value >> 7);
		break;
	case 3:
	case 7:
		eoi(c, ir, value >> 7);
		break;
	case 6:
		c->lowest = (uint8_t)ir;
		break;
	default: /* 2: no operation */
		break;
	}
}

static void ocw3_write(struct chip *c, uint8_t value)
{
	if (value & OCW3_POLL)
		c->poll = 1;
	else if (value & OCW3_RR)
		c->read_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		c->special_mask = (value & OCW3_SMM) != 0;
}

/* ---- initialisation (sheet: ICW1 to ICW4) ---- */

static void icw1_write(struct chip *c, uint8_t value)
{
	c->icw1 = value;
	c->next_icw = 2;
	c->irr = c->level & c->elcr; /* edges must come again */
	c->isr = c->imr = 0;
	c->icw4 = 0;
	c->lowest = IR7;
	c->special_mask = c->rotate_aeoi = c->read_isr = c->poll = 0;
}

static void icw_write(struct i8259 *p, struct chip *c, uint8_t value)
{
	uint8_t wired = c == &p->chip[MASTER] ? 1 << CASCADE : CASCADE;

	switch (c->next_icw) {
	case 2:
		c->icw2 = value & 0xF8;
		c->next_icw = c->icw1 & ICW1_SNGL ? 4 : 3;
		break;
	case 3:
		c->icw3 = value;
		if (value != wired)
			machine_odd(&p->device, "ICW3 is not as wired",
				    PORT_DATA, value);
		c->next_icw = 4;
		break;
	default:
		c->icw4 = value;
		if (!(value & ICW4_UPM) || (value & ICW4_BUF))
			machine_odd(&p->device,
				    "MCS-80 and buffered modes not modelled",
				    PORT_DATA, value);
		c->next_icw = 0;
		return;
	}
	if (c->next_icw == 4 && !(c->icw1 & ICW1_IC4)) {
		machine_odd(&p->device,
			    "MCS-80 and buffered modes not modelled", 0,
			    c->icw1);
		c->next_icw = 0;
	}
}

/* ---- registers ---- */

static uint8_t poll(struct i8259 *p, struct chip *c)
{
	int ir = take(c);

	c->poll = 0;
	if (c == &p->chip[MASTER])
		out_set(p, false);
	else if (ir >= 0)
		input(&p->chip[MASTER], CASCADE, false);
	update(p);
	return ir < 0 ? 0 : (uint8_t)(POLL_IRQ | ir);
}

static uint8_t chip_read(struct i8259 *p, unsigned which, uint64_t off)
{
	struct chip *c = &p->chip[which];

	isa_settle(p->device.machine);
	if (c->poll)
		return poll(p, c);
	if (off == PORT_DATA)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static void chip_write(struct i8259 *p, unsigned which, uint64_t off,
		       uint8_t value)
{
	struct chip *c = &p->chip[which];
	uint8_t imr = c->imr;

	isa_settle(p->device.machine);
	if (off == PORT_DATA) {
		if (c->next_icw)
			icw_write(p, c, value);
		else
			c->imr = value;
	} else if (value & ICW1) {
		icw1_write(c, value);
	} else if (value & OCW3) {
		ocw3_write(c, value);
	} else {
		ocw2_write(c, value);
	}
	update(p);
	if (c->imr != imr)
		isa_settle(p->device.machine);
}

static uint64_t master_read(struct device *d, uint64_t off, unsigned size)
{
	(void)size;
	return chip_read((struct i8259 *)d, MASTER, off);
}

static void master_write(struct device *d, uint64_t off, unsigned size,
			 uint64_t value)
{
	(void)size;
	chip_write((struct i8259 *)d, MASTER, off, (uint8_t)value);
}

static uint64_t slave_read(struct device *d, uint64_t off, unsigned size)
{
	(void)size;
	return chip_read((struct i8259 *)d, SLAVE, off);
}

static void slave_write(struct device *d, uint64_t off, unsigned size,
			uint64_t value)
{
	(void)size;
	chip_write((struct i8259 *)d, SLAVE, off, (uint8_t)value);
}

static uint64_t elcr_read(struct device *d, uint64_t off, unsigned size)
{
	(void)size;
	return ((struct i8259 *)d)->chip[off].elcr;
}

static void elcr_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	struct i8259 *p = (struct i8259 *)d;
	struct chip *c = &p->chip[off];

	(void)size;
	c->elcr = value & elcr_writable[off];
	c->irr |= c->level & c->elcr;
	update(p);
}

/* ---- life ---- */

static bool i8259_fault(struct device *d, const char *name, uint64_t argument,
			struct error *err)
{
	struct i8259 *p = (struct i8259 *)d;

	if (argument != IR7 && argument != SLAVE_IR7)
		return error_set(err, EXIT_USAGE,
				 "%s.%s: argument %llu; give 7 or 15", d->name,
				 name, (unsigned long long)argument);
	p->spurious = (uint8_t)argument;
	update(p);
	return true;
}

static void i8259_reset(struct device *d)
{
	static const struct chip left_by_firmware[2] = {
		{.imr = 0xFF,
		 .lowest = IR7,
		 .icw1 = ICW1 | ICW1_IC4,
		 .icw2 = 0x08,
		 .icw3 = 1 << CASCADE,
		 .icw4 = ICW4_UPM},
		{.imr = 0xFF,
		 .elcr = 0x02,
		 .lowest = IR7,
		 .icw1 = ICW1 | ICW1_IC4,
		 .icw2 = 0x70,
		 .icw3 = CASCADE,
		 .icw4 = ICW4_UPM},
	};
	struct i8259 *p = (struct i8259 *)d;

	p->spurious = 0;
	p->chip[MASTER] = left_by_firmware[MASTER];
	p->chip[SLAVE] = left_by_firmware[SLAVE];
	update(p);
}

static bool i8259_init(struct device *d, const struct device_prop *props,
		       size_t prop_count, struct error *err)
{
	static const struct bus_ops master = {master_read, master_write, 1, 1};
	static const struct bus_ops slave = {slave_read, slave_write, 1, 1};
	static const struct bus_ops elcr = {elcr_read, elcr_write, 1, 1};
	struct bus_range range[] = {
		{0x020, 2, &master, d, "pic0.master"},
		{0x0A0, 2, &slave, d, "pic0.slave"},
		{0x4D0, 2, &elcr, d, "pic0.elcr"},
	};
	struct i8259 *p = (struct i8259 *)d;

	(void)props;
	(void)prop_count;
	p->lint = (struct irq_line){lapic_lint_set,
				    machine_device(d->machine, "lapic0"), 0};
	p->pin = (struct irq_line){ioapic_pin_set,
				   machine_device(d->machine, "ioapic0"), 0};
	if (!p->lint.to || !p->pin.to)
		return error_set(err, EXIT_USAGE,
				 "%s: add lapic0 and ioapic0 before it",
				 d->name);
	for (unsigned i = 0; i < ARRAY_LEN(range); i++) {
		if (!bus_map_ports(machine_bus(d->machine), &range[i], err))
			return false;
	}
	return true;
}

const struct device_class i8259_class = {
	.name = "i8259",
	.summary = "interrupt controllers 8259A, master and slave",
	.object_bytes = sizeof(struct i8259),
	.fields = i8259_fields,
	.registers = i8259_registers,
	.init = i8259_init,
	.faults = i8259_faults,
	.reset = i8259_reset,
	.fault = i8259_fault,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/i8042.c - see i8042.h. */
#include "devices/i8042.h"

#include <string.h>

#include "devices/isa.h"
#include "devices/ps2.h"
#include "sim/machine.h"

#define DATA   0x60
#define STATUS 0x64
#define PORT_A 0x92

/* Status. */
#define ST_OBF     0x01
#define ST_SYSTEM  0x04
#define ST_COMMAND 0x08
#define ST_UNLOCK  0x10
#define ST_MOUSE   0x20

/* Command byte: byte 0 of the controller's RAM. */
#define CB_IRQ_KEYBOARD 0x01
#define CB_IRQ_MOUSE    0x02
#define CB_SYSTEM       0x04
#define CB_KEYBOARD_OFF 0x10
#define CB_MOUSE_OFF    0x20
#define CB_TRANSLATE    0x40
#define CB_RESET        (CB_IRQ_KEYBOARD | CB_IRQ_MOUSE | CB_SYSTEM | CB_TRANSLATE)

/* Output port. */
#define OUT_RUNS 0x01 /* 0: the CPU is reset */
#define OUT_A20  0x02

#define INPUT_PORT 0x80 /* the keyboard is not locked */

/* Port 92. */
#define A_RESET 0x01
#define A_A20   0x02

enum {
	READ_RAM = 0x20,  /* to 3F */
	WRITE_RAM = 0x60, /* to 7F */
	TEST_PASSWORD = 0xA4,
	MOUSE_DISABLE = 0xA7,
	MOUSE_ENABLE = 0xA8,
	MOUSE_TEST = 0xA9,
	SELF_TEST = 0xAA,
	KEYBOARD_TEST = 0xAB,
	KEYBOARD_DISABLE = 0xAD,
	KEYBOARD_ENABLE = 0xAE,
	READ_INPUT = 0xC0,
	READ_OUTPUT = 0xD0,
	WRITE_OUTPUT = 0xD1,
	WRITE_AS_KEYBOARD = 0xD2,
	WRITE_AS_MOUSE = 0xD3,
	WRITE_MOUSE = 0xD4,
	A20_OFF = 0xDD,
	A20_ON = 0xDF,
	READ_TEST = 0xE0,
	PULSE = 0xF0 /* to FF: output port lines that are zero */
};

enum source {
	FROM_NOBODY,
	FROM_SELF,
	FROM_KEYBOARD,
	FROM_MOUSE
};

struct i8042 {
	struct device device;
	uint8_t ram[32]; /* 0: the command byte */
	uint8_t output, last_source;
	uint8_t full;    /* the output buffer */
	uint8_t command; /* that waits for its data; 0: none */
	uint8_t a2;      /* the last write was a command */
	uint8_t outport, port_a;
	uint8_t breaks; /* translation: F0 came, a break code follows */
	/* What the controller itself has to say: one byte. */
	uint8_t self, self_waits, self_as_mouse;
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	uint32_t lost; /* fault: so many bytes of theirs get lost on the way */
	/* Wiring. */
	struct irq_line irq_keyboard, irq_mouse;
	struct event byte;
	char byte_name[24];
};

static const struct device_field i8042_fields[] = {
	DEVICE_ARRAY(struct i8042, ram),
	DEVICE_FIELD(struct i8042, output),
	DEVICE_FIELD(struct i8042, last_source),
	DEVICE_FIELD(struct i8042, full),
	DEVICE_FIELD(struct i8042, command),
	DEVICE_FIELD(struct i8042, a2),
	DEVICE_FIELD(struct i8042, outport),
	DEVICE_FIELD(struct i8042, port_a),
	DEVICE_FIELD(struct i8042, breaks),
	DEVICE_FIELD(struct i8042, self),
	DEVICE_FIELD(struct i8042, self_waits),
	DEVICE_FIELD(struct i8042, self_as_mouse),
	PS2_KEYBOARD_FIELDS(struct i8042, keyboard),
	PS2_MOUSE_FIELDS(struct i8042, mouse),
	DEVICE_FIELD(struct i8042, lost),
	{NULL, 0, 0, 0},
};

static const struct device_register i8042_registers[] = {
	{"DATA", 0, 1},
	{NULL, 0, 0},
};

/* Scan code set 2 to set 1; codes from 85h on are not translated. */
static const uint8_t to_set_1[0x85] = {
	0xFF, 0x43, 0x41, 0x3F, 0x3D, 0x3B, 0x3C, 0x58, 0x64, 0x44, 0x42, 0x40,
	0x3E, 0x0F, 0x29, 0x59, 0x65, 0x38, 0x2A, 0x70, 0x1D, 0x10, 0x02, 0x5A,
	0x66, 0x71, 0x2C, 0x1F, 0x1E, 0x11, 0x03, 0x5B, 0x67, 0x2E, 0x2D, 0x20,
	0x12, 0x05, 0x04, 0x5C, 0x68, 0x39, 0x2F, 0x21, 0x14, 0x13, 0x06, 0x5D,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5E, 0x6A, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5F, 0x6B, 0x33, 0x25, 0x17, 0x18, 0x0B, 0x0A, 0x60,
	0x6C, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0C, 0x61, 0x6D, 0x73, 0x28, 0x74,
	0x1A, 0x0D, 0x62, 0x6E, 0x3A, 0x36, 0x1C, 0x1B, 0x75, 0x2B, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7A, 0x0E, 0x7B, 0x7C, 0x4F, 0x7D, 0x4B,
	0x47, 0x7E, 0x7F, 0x6F, 0x52, 0x53, 0x50, 0x4C, 0x4D, 0x48, 0x01, 0x45,
	0x57, 0x4E, 0x51, 0x4A, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41,
	0x54,
};

static ps_t now(const struct i8042 *k)
{
	return machine_now(k->device.machine);
}

/* ---- from the devices to the guest ---- */

static void irq_update(struct i8042 *k)
{
	uint8_t cb = k->ram[0];

	irq_set(&k->irq_keyboard, k->full && k->last_source != FROM_MOUSE &&
					  (cb & CB_IRQ_KEYBOARD));
	irq_set(&k->irq_mouse,
		k->full && k->last_source == FROM_MOUSE && (cb & CB_IRQ_MOUSE));
}

/* Who may send next, from which instant on, and how long a byte takes. */
static enum source next_source(const struct i8042 *k, ps_t *from, ps_t *takes)
{
	ps_t keyboard = PS_NEVER, mouse = PS_NEVER;

	*from = 0;
	*takes = I8042_SELF_PS;
	if (k->self_waits)
		return FROM_SELF;
	*takes = I8042_BYTE_PS;
	if (!(k->ram[0] & CB_KEYBOARD_OFF))
		keyboard = ps2_keyboard_when(&k->keyboard);
	if (!(k->ram[0] & CB_MOUSE_OFF))
		mouse = ps2_mouse_when(&k->mouse);
	if (keyboard == PS_NEVER && mouse == PS_NEVER)
		return FROM_NOBODY;
	*from = keyboard <= mouse ? keyboard : mouse;
	return keyboard <= mouse ? FROM_KEYBOARD : FROM_MOUSE;
}

/* A byte is on its way while the output buffer is free and somebody has one;
 * who can be faster goes first. */
static void arm(struct i8042 *k)
{
	struct evq *q = machine_evq(k->device.machine);
	ps_t from, takes, when;

	if (k->full || next_source(k, &from, &takes) == FROM_NOBODY) {
		evq_cancel(q, &k->byte);
		return;
	}
	when = (from > now(k) ? from : now(k)) + takes;
	if (!evq_pending(&k->byte) || when < k->byte.when)
		evq_schedule(q, &k->byte, when);
}

static void output(struct i8042 *k, uint8_t byte, enum source from)
{
	k->output = byte;
	k->last_source = from;
	k->full = 1;
	irq_update(k);
}

/* False: there is nothing to say yet, a break code follows. */
static bool translate(struct i8042 *k, uint8_t *byte)
{
	if (*byte == 0xF0) {
		k->breaks = 1;
		return false;
	}
	if (*byte < sizeof(to_set_1))
		*byte = to_set_1[*byte] | (k->breaks ? 0x80 : 0);
	k->breaks = 0;
	return true;
}

static bool gets_lost(struct i8042 *k)
{
	if (!k->lost)
		return false;
	k->lost--;
	return true;
}

static void byte_fire(void *owner, ps_t when)
{
	struct i8042 *k = owner;
	ps_t from, takes;
	enum source source = next_source(k, &from, &takes);
	uint8_t byte;

	if (from > when) /* who was on the way has nothing any more */
		source = FROM_NOBODY;
	switch (source) {
	case FROM_SELF:
		k->self_waits = 0;
		output(k, k->self, k->self_as_mouse ? FROM_MOUSE : FROM_SELF);
		break;
	case FROM_KEYBOARD:
		byte = ps2_keyboard_take(&k->keyboard);
		if (!gets_lost(k) &&
		    (!(k->ram[0] & CB_TRANSLATE) || translate(k, &byte)))
			output(k, byte, source);
		break;
	case FROM_MOUSE:
		byte = ps2_mouse_take(&k->mouse);
		if (!gets_lost(k))
			output(k, byte, source);
		break;
	case FROM_NOBODY:
		break;
	}
	arm(k);
}

/* ---- commands ---- */

static void say(struct i8042 *k, uint8_t byte, bool as_mouse)
{
	k->self = byte;
	k->self_waits = 1;
	k->self_as_mouse = as_mouse;
}

static void set_bits(struct i8042 *k, uint8_t bits, bool on)
{
	if (on)
		k->ram[0] |= bits;
	else
		k->ram[0] &= (uint8_t)~bits;
}

static void outport_write(struct i8042 *k, uint8_t value)
{
	k->outport = value;
	if (!(value & OUT_A20))
		machine_odd(&k->device, "A20 off is not modelled", 0, value);
	if (!(value & OUT_RUNS))
		machine_reset(k->device.machine);
}

static void command_write(struct i8042 *k, uint8_t command)
{
	k->command = 0;
	switch (command) {
	case READ_RAM ... READ_RAM + 0x1F:
		say(k, k->ram[command & 0x1F], false);
		break;
	case WRITE_RAM ... WRITE_RAM + 0x1F:
	case WRITE_OUTPUT:
	case WRITE_AS_KEYBOARD:
	case WRITE_AS_MOUSE:
	case WRITE_MOUSE:
		k->command = command;
		break;
	case TEST_PASSWORD:
		say(k, 0xF1, false); /* there is none */
		break;
	case MOUSE_DISABLE:
	case MOUSE_ENABLE:
		set_bits(k, CB_MOUSE_OFF, command == MOUSE_DISABLE);
		break;
	case KEYBOARD_DISABLE:
	case KEYBOARD_ENABLE:
		set_bits(k, CB_KEYBOARD_OFF, command == KEYBOARD_DISABLE);
		break;
	case MOUSE_TEST:
	case KEYBOARD_TEST:
	case READ_TEST:
		say(k, 0, false);
		break;
	case SELF_TEST:
		k->ram[0] |= CB_SYSTEM;
		say(k, 0x55, false);
		break;
	case READ_INPUT:
		say(k, INPUT_PORT, false);
		break;
	case READ_OUTPUT:
		say(k, k->outport, false);
		break;
	case A20_OFF:
		outport_write(k, k->outport & (uint8_t)~OUT_A20);
		break;
	case A20_ON:
		outport_write(k, k->outport | OUT_A20);
		break;
	case PULSE ... PULSE + 0xF:
		if (!(command & OUT_RUNS))
			machine_reset(k->device.machine);
		break;
	default:
		machine_odd(&k->device, "no such controller command", STATUS,
			    command);
		break;
	}
}

static void data_write(struct i8042 *k, uint8_t byte)
{
	uint8_t command = k->command;

	k->command = 0;
	switch (command) {
	case WRITE_RAM ... WRITE_RAM + 0x1F:
		k->ram[command & 0x1F] = byte;
		break;
	case WRITE_OUTPUT:
		outport_write(k, byte);
		break;
	case WRITE_AS_KEYBOARD:
	case WRITE_AS_MOUSE:
		say(k, byte, command == WRITE_AS_MOUSE);
		break;
	case WRITE_MOUSE:
		set_bits(k, CB_MOUSE_OFF, false);
		ps2_mouse_write(&k->mouse, byte, now(k));
		break;
	default: /* sending to the keyboard switches its port on */
		set_bits(k, CB_KEYBOARD_OFF, false);
		k->breaks = 0;
		ps2_keyboard_write(&k->keyboard, byte, now(k));
		break;
	}
}

/* ---- ports ---- */

static uint8_t status(const struct i8042 *k)
{
	return (uint8_t)((k->full ? ST_OBF : 0) |
			 (k->ram[0] & CB_SYSTEM ? ST_SYSTEM : 0) |
			 (k->a2 ? ST_COMMAND : 0) | ST_UNLOCK |
			 (k->full && k->last_source == FROM_MOUSE ? ST_MOUSE
								  : 0));
}

static uint64_t status_read(struct device *d, uint64_t off, unsigned size)
{
	(void)off;
	(void)size;
	return status((struct i8042 *)d);
}

static uint64_t data_read(struct device *d, uint64_t off, unsigned size)
{
	struct i8042 *k = (struct i8042 *)d;

	(void)off;
	(void)size;
	if (k->full) {
		k->full = 0;
		irq_update(k);
		arm(k);
	}
	return k->output;
}

static void command_port_write(struct device *d, uint64_t off, unsigned size,
			       uint64_t value)
{
	struct i8042 *k = (struct i8042 *)d;

	(void)off;
	(void)size;
	k->a2 = 1;
	command_write(k, (uint8_t)value);
	irq_update(k);
	arm(k);
}

static void data_port_write(struct device *d, uint64_t off, unsigned size,
			    uint64_t value)
{
	struct i8042 *k = (struct i8042 *)d;

	(void)off;
	(void)size;
	k->a2 = 0;
	data_write(k, (uint8_t)value);
	irq_update(k);
	arm(k);
}

static uint64_t port_a_read(struct device *d, uint64_t off, unsigned size)
{
	(void)off;
	(void)size;
	return ((struct i8042 *)d)->port_a;
}

static void port_a_write(struct device *d, uint64_t off, unsigned size,
			 uint64_t value)
{
	struct i8042 *k = (struct i8042 *)d;
	bool rises = value & ~(uint64_t)k->port_a & A_RESET;

	(void)off;
	(void)size;
	k->port_a = (uint8_t)value;
	if (!(value & A_A20))
		machine_odd(d, "A20 off is not modelled", PORT_A, value);
	if (rises)
		machine_reset(d->machine);
}

/* ---- input ---- */

static bool typed(struct i8042 *k, bool good)
{
	arm(k);
	return good;
}

bool i8042_press(struct device *kbc, const char *keys, struct error *err)
{
	struct i8042 *k = (struct i8042 *)kbc;

	return typed(k, ps2_keyboard_press(&k->keyboard, keys, err));
}

bool i8042_type(struct device *kbc, const char *text, struct error *err)
{
	struct i8042 *k = (struct i8042 *)kbc;

	return typed(k, ps2_keyboard_type(&k->keyboard, text, err));
}

size_t i8042_scan(struct device *kbc, const uint8_t *bytes, size_t count)
{
	struct i8042 *k = (struct i8042 *)kbc;

	return typed(k, ps2_keyboard_scan(&k->keyboard, bytes, count)) ? count
								       : 0;
}

void i8042_mouse(struct device *kbc, int32_t dx, int32_t dy, int32_t dz,
		 uint8_t buttons)
{
	struct i8042 *k = (struct i8042 *)kbc;

	ps2_mouse_move(&k->mouse, dx, dy, dz, buttons);
	arm(k);
}

/* ---- life ---- */

static void i8042_reset(struct device *d)
{
	struct i8042 *k = (struct i8042 *)d;

	memset(k->ram, 0, sizeof(k->ram));
	k->ram[0] = CB_RESET;
	k->output = k->full = k->last_source = 0;
	k->command = k->a2 = k->breaks = 0;
	k->outport = OUT_RUNS | OUT_A20;
	k->port_a = A_A20;
	k->self = k->self_waits = k->self_as_mouse = 0;
	ps2_keyboard_reset(&k->keyboard);
	ps2_mouse_reset(&k->mouse);
	irq_update(k);
	arm(k);
}

static bool i8042_init(struct device *d, const struct device_prop *props,
		       size_t prop_count, struct error *err)
{
	static const struct bus_ops data = {data_read, data_port_write, 1, 1};
	static const struct bus_ops control = {status_read, command_port_write,
					       1, 1};
	static const struct bus_ops port_a = {port_a_read, port_a_write, 1, 1};
	struct i8042 *k = (struct i8042 *)d;
	struct bus *bus = machine_bus(d->machine);

	(void)props;
	(void)prop_count;
	if (!isa_irq_line(d->machine, 1, d->name, &k->irq_keyboard, err) ||
	    !isa_irq_line(d->machine, 12, d->name, &k->irq_mouse, err))
		return false;
	strcat(strcpy(k->byte_name, d->name), ".byte");
	k->byte = (struct event){.name = k->byte_name,
				 .fire = byte_fire,
				 .owner = k,
				 .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &k->byte);
	return bus_map_ports(bus,
			     &(struct bus_range){DATA, 1, &data, d, d->name},
			     err) &&
	       bus_map_ports(bus,
			     &(struct bus_range){STATUS, 1, &control, d,
						 "kbc0.control"},
			     err) &&
	       bus_map_ports(bus,
			     &(struct bus_range){PORT_A, 1, &port_a, d,
						 "kbc0.port_a"},
			     err);
}

static void i8042_fini(struct device *d)
{
	evq_cancel(machine_evq(d->machine), &((struct i8042 *)d)->byte);
}

static const char *const i8042_faults[] = {"lost", NULL};

static bool i8042_fault(struct device *d, const char *name, uint64_t argument,
			struct error *err)
{
	(void)name;
	(void)err;
	((struct i8042 *)d)->lost = (uint32_t)argument;
	return true;
}

const struct device_class i8042_class = {
	.name = "i8042",
	.summary = "keyboard controller 8042 with keyboard and mouse",
	.object_bytes = sizeof(struct i8042),
	.fields = i8042_fields,
	.registers = i8042_registers,
	.faults = i8042_faults,
	.init = i8042_init,
	.reset = i8042_reset,
	.fault = i8042_fault,
	.fini = i8042_fini,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/debugexit.c - a register that ends the run: port F4, 4 bytes, as the
 * isa-debug-exit of QEMU.
 *
 * A write of 1, 2 or 4 bytes switches the machine off with the value written
 * as its code; what the host makes of it (QEMU exits with 2 * value + 1) is not
 * this device's business.  Reads give zero.
 *
 * Not modelled: nothing left out.
 */
#include "sim/machine.h"

#define DEBUGEXIT_PORT 0xF4

static uint64_t debugexit_read(struct device *d, uint64_t off, unsigned size)
{
	(void)d;
	(void)off;
	(void)size;
	return 0;
}

static void debugexit_write(struct device *d, uint64_t off, unsigned size,
			    uint64_t value)
{
	(void)off;
	(void)size;
	machine_off(d->machine, (uint32_t)value);
}

static void debugexit_reset(struct device *d)
{
	(void)d; /* it remembers nothing */
}

static bool debugexit_init(struct device *d, const struct device_prop *props,
			   size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {debugexit_read, debugexit_write, 1,
					   4};
	struct bus_range range = {DEBUGEXIT_PORT, 4, &ops, d, d->name};

	(void)props;
	(void)prop_count;
	return bus_map_ports(machine_bus(d->machine), &range, err);
}

static const struct device_field debugexit_fields[] = {{NULL, 0, 0, 0}};
static const struct device_register debugexit_registers[] = {
	{"EXIT", 0, 4},
	{NULL, 0, 0},
};

const struct device_class debugexit_class = {
	.name = "debugexit",
	.summary = "port F4: a write ends the run with its value",
	.object_bytes = sizeof(struct device),
	.fields = debugexit_fields,
	.registers = debugexit_registers,
	.init = debugexit_init,
	.reset = debugexit_reset,
};

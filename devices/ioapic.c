/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/ioapic.c - section numbers are of the 82093AA data sheet. */
#include "devices/ioapic.h"

#include "devices/isa.h"
#include "devices/lapic.h"

/* 3.1: two memory-mapped registers reach all others. */
#define IOREGSEL 0x00
#define IOWIN    0x10

/* 3.2: the indirect registers. */
#define IOAPICID  0x00
#define IOAPICVER 0x01
#define IOAPICARB 0x02
#define IOREDTBL  0x10

#define ENTRY_REMOTE_IRR (UINT64_C(1) << 14)
#define ENTRY_LEVEL      (UINT64_C(1) << 15)
#define ENTRY_MASKED     (UINT64_C(1) << 16)
#define ENTRY_LOGICAL    (UINT64_C(1) << 11)
/* Destination, mask, trigger, polarity, mode, vector (3.2.4). */
#define ENTRY_WRITABLE UINT64_C(0xFF0000000001AFFF)

#define VERSION UINT32_C(0x11)

struct ioapic {
	struct device device;
	uint64_t entry[IOAPIC_PINS];
	uint32_t select, id;
	uint32_t pins; /* asserted, bit per pin */
	/* Wiring. */
	uint32_t first_id; /* as firmware sets it */
};

static const struct device_field ioapic_fields[] = {
	DEVICE_ARRAY(struct ioapic, entry),
	DEVICE_FIELD(struct ioapic, select),
	DEVICE_FIELD(struct ioapic, id),
	DEVICE_FIELD(struct ioapic, pins),
	{NULL, 0, 0, 0},
};

static const struct device_register ioapic_registers[] = {
	{"IOREGSEL", IOREGSEL, 4},
	{"IOWIN", IOWIN, 4},
	{NULL, 0, 0},
};

static void send(struct ioapic *io, unsigned pin)
{
	uint64_t e = io->entry[pin];
	uint32_t dest = (uint32_t)(e >> 56);
	struct lapic_message msg = {
		.dest = dest == 0xFF ? LAPIC_DEST_ALL : dest,
		.logical = e & ENTRY_LOGICAL,
		.mode = e >> 8 & 7,
		.vector = e & 0xFF,
		.level = e & ENTRY_LEVEL,
	};

	lapic_deliver(io->device.machine, &msg);
}

/* A level entry repeats while its pin is asserted, but not before the EOI of
 * the last one (3.2.4, remote IRR). */
static void level_service(struct ioapic *io, unsigned pin)
{
	uint64_t e = io->entry[pin];

	if (!(e & ENTRY_LEVEL) || (e & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) ||
	    !(io->pins >> pin & 1))
		return;
	io->entry[pin] |= ENTRY_REMOTE_IRR;
	send(io, pin);
}

void ioapic_pin_set(struct device *d, unsigned pin, bool level)
{
	struct ioapic *io = (struct ioapic *)d;
	uint32_t bit = UINT32_C(1) << pin;
	bool rises = level && !(io->pins & bit);

	io->pins = level ? io->pins | bit : io->pins & ~bit;
	if (io->entry[pin] & ENTRY_LEVEL)
		level_service(io, pin);
	/* 3.2.4, mask: an edge at a masked pin is neither delivered nor held.
	 */
	else if (rises && !(io->entry[pin] & ENTRY_MASKED))
		send(io, pin);
}

bool ioapic_listens(const struct device *d, unsigned pin)
{
	return !(((const struct ioapic *)d)->entry[pin] & ENTRY_MASKED);
}

void ioapic_eoi(struct machine *m, uint8_t vector)
{
	struct ioapic *io = (struct ioapic *)machine_device(m, "ioapic0");

	if (!io)
		return;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		if ((io->entry[pin] & 0xFF) != vector ||
		    !(io->entry[pin] & ENTRY_REMOTE_IRR))
			continue;
		io->entry[pin] &= ~ENTRY_REMOTE_IRR;
		level_service(io, pin);
	}
}

static void entry_write(struct ioapic *io, unsigned pin, uint64_t value)
{
	bool masks = (value ^ io->entry[pin]) & ENTRY_MASKED;

	if (masks)
		isa_settle(io->device.machine);
	io->entry[pin] =
		(value & ENTRY_WRITABLE) | (io->entry[pin] & ENTRY_REMOTE_IRR);
	/* QUIRK: an entry made edge-triggered forgets its remote IRR; kernels
	 * use this to acknowledge on parts without an EOI register. */
	if (!(value & ENTRY_LEVEL))
		io->entry[pin] &= ~ENTRY_REMOTE_IRR;
	level_service(io, pin);
	if (masks)
		isa_settle(io->device.machine);
}

static uint64_t ioapic_read(struct device *d, uint64_t off, unsigned size)
{
	struct ioapic *io = (struct ioapic *)d;
	uint32_t index = io->select - IOREDTBL;

	(void)size;
	if (off == IOREGSEL)
		return io->select;
	if (off != IOWIN) {
		machine_odd(d, "no such register", off, 0);
		return 0;
	}
	switch (io->select) {
	case IOAPICID:
	case IOAPICARB:
		return io->id << 24;
	case IOAPICVER:
		return (IOAPIC_PINS - 1) << 16 | VERSION;
	default:
		if (index < 2 * IOAPIC_PINS)
			return io->entry[index / 2] >> 32 * (index & 1) &
			       UINT32_MAX;
		machine_odd(d, "no such indirect register", io->select, 0);
		return 0;
	}
}

static void ioapic_write(struct device *d, uint64_t off, unsigned size,
			 uint64_t value)
{
	struct ioapic *io = (struct ioapic *)d;
	uint32_t index = io->select - IOREDTBL;
	unsigned shift = 32 * (index & 1);
	uint64_t e;

	(void)size;
	if (off == IOREGSEL) {
		io->select = value & 0xFF;
		return;
	}
	if (off != IOWIN) {
		machine_odd(d, "write to no register", off, value);
		return;
	}
	if (io->select == IOAPICID) {
		io->id = value >> 24 & 0xF;
		return;
	}
	if (index >= 2 * IOAPIC_PINS) {
		machine_odd(d, "write to no indirect register", io->select,
			    value);
		return;
	}
	e = io->entry[index / 2] & ~(UINT64_C(0xFFFFFFFF) << shift);
	entry_write(io, index / 2, e | (value & UINT32_MAX) << shift);
}

static void ioapic_reset(struct device *d)
{
	struct ioapic *io = (struct ioapic *)d;

	io->select = io->pins = 0;
	io->id = io->first_id;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->entry[i] = ENTRY_MASKED;
}

static bool ioapic_init(struct device *d, const struct device_prop *props,
			size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {ioapic_read, ioapic_write, 4, 4};
	const struct device_prop *id =
		device_prop_find(props, prop_count, "id");
	struct bus_range range = {IOAPIC_BASE, PAGE_BYTES, &ops, d, d->name};

	((struct ioapic *)d)->first_id = id ? id->value & 0xF : 0;
	return bus_map_mmio(machine_bus(d->machine), &range, err);
}

const struct device_class ioapic_class = {
	.name = "ioapic",
	.summary = "I/O APIC 82093AA, 24 pins",
	.object_bytes = sizeof(struct ioapic),
	.fields = ioapic_fields,
	.registers = ioapic_registers,
	.init = ioapic_init,
	.reset = ioapic_reset,
};

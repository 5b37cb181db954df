/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "sim/bus.h"
#include "sim/trace/trace.h"

struct seen {
	unsigned count;
	struct trace_record last;
	char device[32], what[64];
};

static void see(void *owner, const struct trace_record *r)
{
	struct seen *s = owner;

	s->count++;
	s->last = *r;
	snprintf(s->device, sizeof(s->device), "%s", r->value[0].s);
	if (r->kind->number == TRACE_EV_ODD)
		snprintf(s->what, sizeof(s->what), "%s", r->value[1].s);
}

struct fixture {
	struct trace *trace;
	struct machine *m;
	struct bus *b;
	struct seen seen;
};

static void setup(struct fixture *f)
{
	struct machine_config c = rig_config(1);

	memset(f, 0, sizeof(*f));
	f->trace = trace_create(NULL, TRACE_CLASS_MACHINE, NULL);
	trace_listen(f->trace, see, &f->seen);
	f->m = rig_create(&c, f->trace);
	f->b = machine_bus(f->m);
}

static void teardown(struct fixture *f)
{
	machine_destroy(f->m);
	cr_assert(trace_close(f->trace, NULL));
}

Test(bus, ram_has_its_holes)
{
	struct machine_config c = rig_config(1);
	struct cpu_ram region[BUS_RAM_REGIONS];
	struct machine *m;
	struct bus *b;

	c.ram_bytes = UINT64_C(3) << 30; /* not touched, not committed */
	m = rig_create(&c, NULL);
	b = machine_bus(m);
	cr_assert_eq(bus_ram_bytes(b), UINT64_C(3) << 30);
	cr_assert_eq(bus_ram_regions(b, region), 3u);
	cr_assert_eq(region[0].bytes + 0x20000 + region[1].bytes +
			     region[2].bytes,
		     UINT64_C(3) << 30);
	cr_assert(bus_ram(b, 0, 0xA0000));
	cr_assert_not(bus_ram(b, 0, 0xA0001));
	cr_assert_not(bus_ram(b, 0xA0000, 1));
	cr_assert_not(bus_ram(b, 0xA0001, 1));
	cr_assert_not(bus_ram(b, 0xBFFFF, 1));
	cr_assert(bus_ram(b, 0xC0000, 1));
	cr_assert(bus_ram(b, 0x7FFFFFFF, 1));
	cr_assert_not(bus_ram(b, 0x7FFFFFFF, 2));
	cr_assert_not(bus_ram(b, 0x80000000, 1));
	cr_assert(bus_ram(b, UINT64_C(4) << 30, UINT64_C(1) << 30));
	cr_assert_not(bus_ram(b, UINT64_C(5) << 30, 1));
	cr_assert_not(bus_ram(b, UINT64_MAX, 2));
	cr_assert_not(bus_ram(b, 0x1000, UINT64_MAX));
	machine_destroy(m);
}

Test(bus, ram_size_is_checked)
{
	struct machine_config c = rig_config(1);
	struct error err = {0};

	c.ram_bytes = (UINT64_C(16) << 20) + 1;
	cr_assert_null(machine_create(&c, NULL, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "16777217"), "%s", err.text);
}

Test(bus, peek_and_poke_have_no_side_effects)
{
	struct fixture f;
	uint64_t value = 0x1122334455667788, back = 0;

	setup(&f);
	cr_assert(bus_poke(f.b, 0x5000, &value, 8));
	cr_assert(bus_peek(f.b, 0x5000, &back, 8));
	cr_assert_eq(back, value);
	cr_assert_not(bus_peek(f.b, PROBE_BASE, &back, 8));
	cr_assert_not(bus_poke(f.b, 0x9FFFF, &value, 8));
	cr_assert_eq(f.seen.count, 0u);
	cr_assert_eq(probe_seen(f.m)->reads, 0u);
	teardown(&f);
}

/* Accesses from outside a run: the bus does not mind. */
Test(bus, registers_are_found_and_traced)
{
	struct fixture f;

	setup(&f);
	bus_mmio_write(f.b, PROBE_BASE + PROBE_ADDRESS, 8, 0xABCD);
	cr_assert_eq(f.seen.last.kind->number, TRACE_EV_REG_WRITE);
	cr_assert_str_eq(f.seen.device, "probe0");
	cr_assert_eq(f.seen.last.value[1].u, PROBE_ADDRESS);
	cr_assert_eq(f.seen.last.value[2].u, 8u);
	cr_assert_eq(f.seen.last.value[3].u, 0xABCDu);
	cr_assert_eq(bus_mmio_read(f.b, PROBE_BASE + PROBE_ADDRESS, 2),
		     0xABCDu);
	cr_assert_eq(f.seen.last.kind->number, TRACE_EV_REG_READ);
	cr_assert_eq(f.seen.last.value[3].u, 0xABCDu);
	cr_assert_eq(bus_port_read(f.b, PROBE_PORT + PROBE_FIRED, 4), 0u);
	cr_assert_eq(f.seen.last.value[1].u, PROBE_FIRED);
	teardown(&f);
}

Test(bus, reads_of_nothing_give_ones)
{
	struct fixture f;

	setup(&f);
	cr_assert_eq(bus_mmio_read(f.b, 0xC0000000, 1), 0xFFu);
	cr_assert_eq(bus_mmio_read(f.b, 0xC0000000, 8), UINT64_MAX);
	cr_assert_eq(bus_port_read(f.b, 0x2000, 4), UINT32_MAX);
	cr_assert_eq(bus_port_read(f.b, 0xFFFF, 4), UINT32_MAX);
	bus_mmio_write(f.b, 0xC0000000, 4, 1);
	bus_port_write(f.b, 0x2000, 1, 1);
	cr_assert_eq(bus_unmapped_count(f.b), 6u);
	cr_assert_eq(f.seen.count, 6u);
	cr_assert_eq(f.seen.last.kind->number, TRACE_EV_ODD);
	cr_assert_str_eq(f.seen.device, "port");
	teardown(&f);
}

Test(bus, wide_and_crooked_accesses_are_split)
{
	struct fixture f;

	setup(&f);
	/* 8 bytes at ports that take 4. */
	bus_port_write(f.b, PROBE_PORT + 1, 2, 0xBBAA);
	cr_assert_eq(probe_seen(f.m)->writes, 2u);
	cr_assert_eq(probe_seen(f.m)->off, 2u);
	cr_assert_eq(probe_seen(f.m)->value, 0xBBu);
	cr_assert_eq(probe_seen(f.m)->size, 1u);
	cr_assert_str_eq(f.seen.what, "access split");
	/* Aligned pieces: 1 + 1 and 2, at offsets 11h, 12h and 13h... */
	bus_mmio_write(f.b, PROBE_BASE + PROBE_ADDRESS, 8, 0x8877665544332211);
	cr_assert_eq(bus_mmio_read(f.b, PROBE_BASE + PROBE_ADDRESS + 1, 4),
		     0x55443322u);
	cr_assert_eq(probe_seen(f.m)->reads, 4u);
	/* The upper half lies beyond the range: nothing answers there. */
	cr_assert_eq(bus_mmio_read(f.b, PROBE_BASE + PROBE_BYTES - 4, 8),
		     UINT64_C(0xFFFFFFFF00000000));
	/* And the lower half before it. */
	cr_assert_eq(bus_mmio_read(f.b, PROBE_BASE - 4, 8) & UINT32_MAX,
		     UINT32_MAX);
	cr_assert_eq(probe_seen(f.m)->off, PROBE_NOW);
	cr_assert_eq(probe_seen(f.m)->size, 4u);
	teardown(&f);
}

static uint64_t only_read(struct device *d, uint64_t off, unsigned size)
{
	(void)d;
	cr_assert_eq(size, 4u);
	return 0xA0 + off;
}

static unsigned only_writes;

static void only_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	(void)d, (void)off, (void)value;
	cr_assert_eq(size, 4u);
	only_writes++;
}

static const struct bus_ops only_dwords = {only_read, only_write, 4, 4};

Test(bus, narrow_accesses_are_refused)
{
	struct fixture f;
	struct bus_range r = {0xE0000000, 0x20, &only_dwords, NULL, "strict"};

	setup(&f);
	r.device = machine_device(f.m, "probe0");
	cr_assert(bus_map_mmio(f.b, &r, NULL));
	cr_assert_eq(bus_mmio_read(f.b, 0xE0000000, 8), UINT64_C(0xA4000000A0));
	cr_assert_eq(bus_mmio_read(f.b, 0xE0000004, 4), 0xA4u);
	cr_assert_eq(bus_mmio_read(f.b, 0xE0000000, 2), 0xFFFFu);
	cr_assert_str_eq(f.seen.what, "access too narrow");
	cr_assert_str_eq(f.seen.device, "strict");
	bus_mmio_write(f.b, 0xE0000001, 1, 1);
	cr_assert_eq(only_writes, 0u);
	/* Crooked by two: halves are too narrow, so nothing of it arrives. */
	bus_mmio_write(f.b, 0xE0000002, 4, 1);
	cr_assert_eq(only_writes, 0u);
	bus_mmio_write(f.b, 0xE0000008, 4, 1);
	cr_assert_eq(only_writes, 1u);
	/* A range that ends within the access, although that is aligned. */
	r.base = 0xE0000100;
	r.bytes = 6;
	cr_assert(bus_map_mmio(f.b, &r, NULL));
	bus_mmio_write(f.b, 0xE0000104, 4, 1);
	cr_assert_eq(only_writes, 1u);
	teardown(&f);
}

Test(bus, ranges_do_not_meet)
{
	struct fixture f;
	struct error err;
	struct bus_range r = {0, 0x1000, &only_dwords, NULL, "new"};
	static const struct {
		uint64_t base, bytes;
		const char *meets; /* NULL: it fits */
	} row[] = {
		{PROBE_BASE, 1, "probe0"},
		{PROBE_BASE - 1, 2, "probe0"},
		{PROBE_BASE - 1, 1, NULL},
		{PROBE_BASE + PROBE_BYTES - 1, 1, "probe0"},
		{PROBE_BASE + PROBE_BYTES, 1, NULL},
		{PROBE_BASE - 0x1000, 0x10000, "probe0"},
		{0x1000, 1, "RAM"},
		{0xA0000, 0x20000, NULL},
		{0x9FFFF, 2, "RAM"},
		{0xE0000000, 0, "fit"},
		{UINT64_MAX, 2, "fit"},
	};

	setup(&f);
	r.device = machine_device(f.m, "lapic0");
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		r.base = row[i].base;
		r.bytes = row[i].bytes;
		if (!row[i].meets) {
			cr_assert(bus_map_mmio(f.b, &r, &err), "row %zu", i);
			bus_unmap(f.b, r.device, r.base);
			continue;
		}
		cr_assert_not(bus_map_mmio(f.b, &r, &err), "row %zu", i);
		cr_assert_eq(err.code, EXIT_USAGE);
		cr_assert(strstr(err.text, row[i].meets), "row %zu: %s", i,
			  err.text);
	}
	r.base = 0xFFFF;
	r.bytes = 2;
	cr_assert_not(bus_map_ports(f.b, &r, &err));
	teardown(&f);
}

/* Many ranges in random order: each is found, whatever the order. */
Test(bus, ranges_are_found_by_any_order)
{
	struct fixture f;
	uint64_t random = 5, base[64];

	setup(&f);
	for (unsigned i = 0; i < 64; i++) {
		struct bus_range r = {0, 0x20, &only_dwords,
				      machine_device(f.m, "lapic0"), "r"};
		do
			r.base = 0xE0000000 + rig_below(&random, 4096) * 0x20;
		while (!bus_map_mmio(f.b, &r, NULL));
		base[i] = r.base;
	}
	for (unsigned i = 0; i < 64; i++) {
		cr_assert_eq(bus_mmio_read(f.b, base[i] + 0x1C, 4), 0xBCu);
		bus_unmap(f.b, machine_device(f.m, "probe0"), base[i]);
		cr_assert_eq(bus_mmio_read(f.b, base[i], 4), 0xA0u,
			     "not the probe's to unmap");
		bus_unmap(f.b, machine_device(f.m, "lapic0"), base[i]);
		cr_assert_eq(bus_mmio_read(f.b, base[i], 4), UINT32_MAX);
	}
	teardown(&f);
}

Test(bus, dma_is_traced_and_bounded)
{
	struct fixture f;
	struct device *d;
	uint64_t value = 42, back = 0;

	setup(&f);
	d = machine_device(f.m, "probe0");
	cr_assert(bus_dma_write(f.b, d, 0x8000, &value, 8));
	cr_assert_eq(f.seen.last.kind->number, TRACE_EV_DMA_WRITE);
	cr_assert_str_eq(f.seen.device, "probe0");
	cr_assert_eq(f.seen.last.value[1].u, 0x8000u);
	cr_assert_eq(f.seen.last.value[2].u, 8u);
	cr_assert(bus_dma_read(f.b, d, 0x8000, &back, 8));
	cr_assert_eq(f.seen.last.kind->number, TRACE_EV_DMA_READ);
	cr_assert_eq(back, 42u);
	{
		uint64_t chain = machine_chain(f.m);

		cr_assert(bus_dma_write(f.b, d, 0x8000, &value, 8));
		cr_assert_neq(machine_chain(f.m), chain);
	}
	cr_assert_not(bus_dma_write(f.b, d, PROBE_BASE, &value, 8));
	cr_assert_str_eq(f.seen.what, "DMA beyond RAM");
	cr_assert_not(bus_dma_read(f.b, d, 0x9FFFC, &back, 8));
	teardown(&f);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/bus.c - RAM in up to three regions, ranges of registers in two sorted
 * arrays (memory and ports), and what devices send: DMA and messages.
 */
#include "sim/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "devices/lapic.h"
#include "sim/check.h"
#include "sim/machine_internal.h"
#include "sim/trace/trace.h"

#define RAM_LEGACY_END   UINT64_C(0xA0000) /* VGA and option ROMs follow */
#define RAM_LEGACY_AGAIN UINT64_C(0xC0000)

struct space {
	const char *name;
	uint64_t end;            /* first address beyond it; 0: none */
	struct bus_range *range; /* sorted by base, disjoint */
	size_t count, slots;
};

struct bus {
	struct machine *machine;
	uint8_t *ram, *rom;
	uint64_t ram_bytes, rom_bytes;
	struct cpu_ram region[BUS_RAM_REGIONS];
	size_t region_count;
	struct space memory, ports;
	uint64_t unmapped;
	uint8_t *mark; /* bus_mark_dma() */
	uint64_t marks;
};

/* --- RAM --- */

static void add_region(struct bus *b, paddr_t base, uint64_t bytes,
		       uint64_t offset)
{
	if (bytes)
		b->region[b->region_count++] = (struct cpu_ram){
			.base = base, .bytes = bytes, .host = b->ram + offset};
}

struct bus *bus_create(struct machine *m, uint64_t ram_bytes, struct error *err)
{
	uint64_t low =
		ram_bytes < BUS_RAM_LOW_MAX ? ram_bytes : BUS_RAM_LOW_MAX;
	struct bus *b;
	void *ram;

	if (ram_bytes < (UINT64_C(1) << 20) || ram_bytes > BUS_RAM_MAX ||
	    ram_bytes % PAGE_BYTES) {
		error_set(err, EXIT_USAGE,
			  "RAM of %" PRIu64 " bytes: give whole pages of 4096 "
			  "bytes, 1 MiB to 64 GiB",
			  ram_bytes);
		return NULL;
	}
	ram = mmap(NULL, ram_bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram == MAP_FAILED) {
		error_set(err, EXIT_HOST,
			  "RAM of %" PRIu64 " bytes: %s; give the machine less",
			  ram_bytes, strerror(errno));
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	CHECK_MSG(b, "out of memory for the bus");
	b->machine = m;
	b->ram = ram;
	b->ram_bytes = ram_bytes;
	add_region(b, 0, RAM_LEGACY_END, 0);
	add_region(b, RAM_LEGACY_AGAIN, low - RAM_LEGACY_AGAIN,
		   RAM_LEGACY_AGAIN);
	add_region(b, BUS_RAM_HIGH, ram_bytes - low, low);
	b->memory.name = "memory";
	b->ports.name = "port";
	b->ports.end = 0x10000;
	return b;
}

void bus_destroy(struct bus *b)
{
	if (!b)
		return;
	munmap(b->ram, b->ram_bytes);
	if (b->rom)
		munmap(b->rom, b->rom_bytes);
	free(b->memory.range);
	free(b->ports.range);
	free(b);
}

void bus_add_rom(struct bus *b, paddr_t base, const uint8_t *data,
		 uint64_t bytes)
{
	size_t at = b->region_count;

	CHECK(!b->rom && base >= BUS_RAM_LOW_MAX &&
	      base + bytes <= BUS_RAM_HIGH && base % PAGE_BYTES == 0 &&
	      bytes % PAGE_BYTES == 0);
	b->rom = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_MSG(b->rom != MAP_FAILED, "out of memory for a ROM");
	b->rom_bytes = bytes;
	memcpy(b->rom, data, bytes);
	for (; at > 0 && b->region[at - 1].base > base; at--)
		b->region[at] = b->region[at - 1];
	b->region[at] = (struct cpu_ram){.base = base,
					 .bytes = bytes,
					 .host = b->rom,
					 .read_only = true};
	b->region_count++;
}

size_t bus_ram_regions(const struct bus *b,
		       struct cpu_ram region[BUS_RAM_REGIONS])
{
	memcpy(region, b->region, b->region_count * sizeof(*region));
	return b->region_count;
}

uint64_t bus_ram_bytes(const struct bus *b)
{
	return b->ram_bytes;
}

uint8_t *bus_ram(struct bus *b, paddr_t pa, uint64_t bytes)
{
	for (size_t i = 0; i < b->region_count; i++) {
		const struct cpu_ram *r = &b->region[i];

		if (pa >= r->base && pa - r->base <= r->bytes &&
		    bytes <= r->bytes - (pa - r->base))
			return r->host + (pa - r->base);
	}
	return NULL;
}

void bus_ram_will_change(struct bus *b, paddr_t pa, uint64_t bytes)
{
	cpu_ram_will_change(machine_complex(b->machine), pa, bytes);
}

bool bus_peek(struct bus *b, paddr_t pa, void *buf, uint64_t bytes)
{
	const uint8_t *ram = bus_ram(b, pa, bytes);

	if (ram)
		memcpy(buf, ram, bytes);
	return ram;
}

bool bus_poke(struct bus *b, paddr_t pa, const void *buf, uint64_t bytes)
{
	uint8_t *ram = bus_ram(b, pa, bytes);

	if (!ram)
		return false;
	cpu_ram_will_change(machine_complex(b->machine), pa, bytes);
	memcpy(ram, buf, bytes);
	if (bytes)
		cpu_ram_changed(machine_complex(b->machine), pa, bytes);
	return true;
}

/* --- ranges --- */

/* The first range that ends after `at`: the one that holds it, if any does. */
static size_t range_index(const struct space *s, uint64_t at)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct bus_range *r = &s->range[mid];

		if (at >= r->base && at - r->base >= r->bytes)
			low = mid + 1;
		else if (at < r->base)
			high = mid;
		else
			return mid;
	}
	return low;
}

/* NULL: nobody answers there. */
static const struct bus_range *range_at(const struct space *s, uint64_t at)
{
	size_t i = range_index(s, at);

	return i < s->count && at >= s->range[i].base ? &s->range[i] : NULL;
}

static bool meets(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
	return a <= b_last && b <= a_last;
}

static unsigned size_max(const struct bus_ops *ops)
{
	return ops->size_max & ~(BUS_UNALIGNED | BUS_MEMORY);
}

static bool check_range(const struct space *s, const struct bus_range *r,
			struct error *err)
{
	uint64_t last = r->base + (r->bytes - 1);
	size_t i;

	CHECK(r->ops && r->ops->read && r->ops->write && r->device && r->name);
	CHECK(r->ops->size_min && r->ops->size_min <= size_max(r->ops) &&
	      size_max(r->ops) <= 8);
	if (!r->bytes || last < r->base || (s->end && last >= s->end))
		return error_set(err, EXIT_USAGE,
				 "%s: %s range at %#" PRIx64 " of %#" PRIx64
				 " bytes does not fit the address space",
				 r->name, s->name, r->base, r->bytes);
	i = range_index(s, r->base);
	if (i < s->count && meets(r->base, last, s->range[i].base,
				  s->range[i].base + s->range[i].bytes - 1))
		return error_set(err, EXIT_USAGE,
				 "%s: %s range at %#" PRIx64 " of %#" PRIx64
				 " bytes meets %s at %#" PRIx64
				 "; give one of them another address",
				 r->name, s->name, r->base, r->bytes,
				 s->range[i].name, s->range[i].base);
	return true;
}

static void insert(struct space *s, const struct bus_range *r)
{
	size_t at = range_index(s, r->base);

	if (s->count == s->slots) {
		s->slots = s->slots ? 2 * s->slots : 16;
		s->range = reallocarray(s->range, s->slots, sizeof(*s->range));
		CHECK_MSG(s->range, "out of memory for %zu ranges", s->slots);
	}
	memmove(&s->range[at + 1], &s->range[at],
		(s->count - at) * sizeof(*s->range));
	s->range[at] = *r;
	s->count++;
}

bool bus_map_mmio(struct bus *b, const struct bus_range *r, struct error *err)
{
	if (!check_range(&b->memory, r, err))
		return false;
	for (size_t i = 0; i < b->region_count; i++) {
		const struct cpu_ram *ram = &b->region[i];

		if (meets(r->base, r->base + r->bytes - 1, ram->base,
			  ram->base + ram->bytes - 1))
			return error_set(err, EXIT_USAGE,
					 "%s: memory range at %#" PRIx64
					 " meets RAM at %#" PRIx64
					 "; give it another address",
					 r->name, r->base, ram->base);
	}
	insert(&b->memory, r);
	return true;
}

bool bus_map_ports(struct bus *b, const struct bus_range *r, struct error *err)
{
	if (!check_range(&b->ports, r, err))
		return false;
	insert(&b->ports, r);
	return true;
}

static void unmap(struct space *s, const struct device *d, uint64_t base)
{
	size_t i = range_index(s, base);

	if (i >= s->count || s->range[i].base != base ||
	    s->range[i].device != d)
		return;
	memmove(&s->range[i], &s->range[i + 1],
		(s->count - i - 1) * sizeof(*s->range));
	s->count--;
}

void bus_unmap(struct bus *b, struct device *d, uint64_t base)
{
	unmap(&b->memory, d, base);
	unmap(&b->ports, d, base);
}

/* --- register accesses --- */

static uint64_t ones(unsigned size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static void trace_access(struct bus *b, uint16_t number,
			 const struct bus_range *range, uint64_t off,
			 unsigned size, uint64_t value)
{
	struct trace_record r = {
		.kind = trace_kind_find(number),
		.value = {{.s = range->name},
			  {.u = off},
			  {.u = size},
			  {.u = value}},
	};

	if (!(range->ops->size_max & BUS_MEMORY) &&
	    trace_wants(machine_trace(b->machine), r.kind->class))
		machine_emit(b->machine, &r);
}

static void trace_odd(struct bus *b, const char *name, const char *what,
		      uint64_t off, uint64_t value)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_ODD),
		.value = {{.s = name}, {.s = what}, {.u = off}, {.u = value}},
	};

	if (trace_wants(machine_trace(b->machine), r.kind->class))
		machine_emit(b->machine, &r);
}

/* How an access meets a range: whole, to be halved, or not at all. */
enum fit {
	FIT_WHOLE,
	FIT_HALVES,
	FIT_REFUSED
};

static enum fit fits(struct bus *b, const struct bus_range *r, uint64_t off,
		     unsigned size)
{
	bool aligned = (r->ops->size_max & BUS_UNALIGNED) || !(off % size);

	if (size > size_max(r->ops) || !aligned || size > r->bytes - off) {
		if (size > 1) {
			trace_odd(b, r->name, "access split", off, size);
			return FIT_HALVES;
		}
	} else if (size >= r->ops->size_min) {
		return FIT_WHOLE;
	}
	trace_odd(b, r->name, "access too narrow", off, size);
	return FIT_REFUSED;
}

static uint64_t space_read(struct bus *b, const struct space *s, uint64_t at,
			   unsigned size)
{
	const struct bus_range *found = range_at(s, at);
	struct bus_range r;
	uint64_t value;

	if (!found) {
		/* A wide access may still reach a range by its upper half. */
		if (size > 1 && range_at(s, at + size - 1)) {
			size /= 2;
			value = space_read(b, s, at, size);
			return value | space_read(b, s, at + size, size)
					       << (8 * size);
		}
		b->unmapped++;
		trace_odd(b, s->name, "read of nothing", at, size);
		return ones(size);
	}
	r = *found; /* the access may move the ranges */
	switch (fits(b, &r, at - r.base, size)) {
	case FIT_WHOLE:
		value = r.ops->read(r.device, at - r.base, size) & ones(size);
		trace_access(b, TRACE_EV_REG_READ, &r, at - r.base, size,
			     value);
		return value;
	case FIT_HALVES:
		size /= 2;
		value = space_read(b, s, at, size);
		return value | space_read(b, s, at + size, size) << (8 * size);
	default:
		return ones(size);
	}
}

static void space_write(struct bus *b, const struct space *s, uint64_t at,
			unsigned size, uint64_t value)
{
	const struct bus_range *found = range_at(s, at);
	enum fit fit;

	if (found) {
		struct bus_range r = *found;

		fit = fits(b, &r, at - r.base, size);
		if (fit == FIT_WHOLE) {
			value &= ones(size);
			trace_access(b, TRACE_EV_REG_WRITE, &r, at - r.base,
				     size, value);
			r.ops->write(r.device, at - r.base, size, value);
		}
	} else if (size > 1 && range_at(s, at + size - 1)) {
		fit = FIT_HALVES;
	} else {
		b->unmapped++;
		trace_odd(b, s->name, "write to nothing", at, value);
		return;
	}
	if (fit == FIT_HALVES) {
		size /= 2;
		space_write(b, s, at, size, value & ones(size));
		space_write(b, s, at + size, size, value >> (8 * size));
	}
}

uint64_t bus_mmio_read(struct bus *b, paddr_t pa, unsigned size)
{
	return space_read(b, &b->memory, pa, size);
}

void bus_mmio_write(struct bus *b, paddr_t pa, unsigned size, uint64_t value)
{
	space_write(b, &b->memory, pa, size, value);
}

uint32_t bus_port_read(struct bus *b, uint16_t port, unsigned size)
{
	return (uint32_t)space_read(b, &b->ports, port, size);
}

void bus_port_write(struct bus *b, uint16_t port, unsigned size, uint32_t value)
{
	space_write(b, &b->ports, port, size, value);
}

uint64_t bus_unmapped_count(const struct bus *b)
{
	return b->unmapped;
}

void bus_unmapped_set(struct bus *b, uint64_t count)
{
	b->unmapped = count;
}

/* --- what devices send --- */

static void trace_dma(struct bus *b, uint16_t number, const struct device *d,
		      paddr_t pa, uint64_t bytes)
{
	struct trace_record r = {
		.kind = trace_kind_find(number),
		.value = {{.s = d->name}, {.u = pa}, {.u = bytes}},
	};

	if (trace_wants(machine_trace(b->machine), r.kind->class))
		machine_emit(b->machine, &r);
}

void bus_mark_dma(struct bus *b, uint8_t *mark, uint64_t frames)
{
	b->mark = mark;
	b->marks = mark ? frames : 0;
}

void bus_dma_seen(struct bus *b, paddr_t pa, uint64_t bytes)
{
	for (uint64_t n = pa / PAGE_BYTES;
	     bytes && n <= (pa + bytes - 1) / PAGE_BYTES && n < b->marks; n++)
		b->mark[n] = 1;
}

static uint8_t *dma_target(struct bus *b, const struct device *d, paddr_t pa,
			   uint64_t bytes, bool write)
{
	uint8_t *ram = bus_ram(b, pa, bytes);

	if (!ram)
		trace_odd(b, d->name, "DMA beyond RAM", pa, bytes);
	if (write && b->rom && ram >= b->rom && ram < b->rom + b->rom_bytes) {
		trace_odd(b, d->name, "DMA into ROM", pa, bytes);
		return NULL;
	}
	if (ram && b->mark)
		bus_dma_seen(b, pa, bytes);
	return ram;
}

bool bus_dma_read(struct bus *b, struct device *d, paddr_t pa, void *buf,
		  uint64_t bytes)
{
	const uint8_t *ram = dma_target(b, d, pa, bytes, false);

	if (!ram)
		return false;
	trace_dma(b, TRACE_EV_DMA_READ, d, pa, bytes);
	memcpy(buf, ram, bytes);
	return true;
}

bool bus_dma_write(struct bus *b, struct device *d, paddr_t pa, const void *buf,
		   uint64_t bytes)
{
	uint8_t *ram = dma_target(b, d, pa, bytes, true);

	if (!ram)
		return false;
	trace_dma(b, TRACE_EV_DMA_WRITE, d, pa, bytes);
	if (!bytes)
		return true;
	cpu_ram_will_change(machine_complex(b->machine), pa, bytes);
	memcpy(ram, buf, bytes);
	machine_fold(b->machine, &pa, sizeof(pa));
	machine_fold(b->machine, buf, bytes);
	cpu_ram_changed(machine_complex(b->machine), pa, bytes);
	return true;
}

void bus_msi(struct bus *b, struct device *d, paddr_t addr, uint32_t data)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_MSI),
		.value = {{.s = d->name}, {.u = addr}, {.u = data}},
	};

	if (trace_wants(machine_trace(b->machine), r.kind->class))
		machine_emit(b->machine, &r);
	lapic_msi(b->machine, addr, data);
}

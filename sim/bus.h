/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/bus.h - who answers an address: RAM, memory-mapped registers, ports,
 * message-signalled interrupts, DMA.
 *
 * Sorted ranges, fixed while the guest runs except through bus_unmap() and
 * bus_map_*() by PCI when a BAR moves.  Like the hardware, an access cannot
 * fail: unmapped reads give all ones, unmapped writes are dropped, both are
 * counted and traced.  Accesses wider or narrower than a device declares are
 * split or refused the same way and logged with the device's name and register.
 *
 * Every register access is traced here (class `machine`), so devices do not
 * trace their own; accesses to video memory are not traced.
 *
 * What a device sees is naturally aligned (`off` is a multiple of `size`), if
 * it does not declare otherwise.  A misaligned access, one that is too wide or
 * one that leaves the range is split in halves, lowest address first; what is
 * then narrower than size_min is refused (ones, dropped).  Both are traced as
 * odd.
 *
 * Address map of RAM: 0-640 KiB, 768 KiB-2 GiB, what is left from 4 GiB up.
 * Between 640 and 768 KiB and from 2 to 4 GiB there are devices or nothing.
 */
#ifndef PARTERRE_SIM_BUS_H
#define PARTERRE_SIM_BUS_H

#include "cpu/cpu.h"
#include "sim/base.h"
#include "sim/status.h"

#define BUS_RAM_LOW_MAX (UINT64_C(2) << 30)
#define BUS_RAM_HIGH    (UINT64_C(4) << 30)
#define BUS_RAM_MAX     (UINT64_C(64) << 30)
#define BUS_RAM_REGIONS 4 /* with ROM */

struct bus;
struct machine;
struct device;

/* Misaligned accesses are legal and come whole. */
#define BUS_UNALIGNED 0x10
/* Not registers but memory that must see its accesses, which are not traced. */
#define BUS_MEMORY 0x20

struct bus_ops {
	/* off: from the range's start.  size: 1, 2, 4, 8 within size_min..max.
	 */
	uint64_t (*read)(struct device *d, uint64_t off, unsigned size);
	void (*write)(struct device *d, uint64_t off, unsigned size,
		      uint64_t value);
	uint8_t size_min, size_max; /* size_max may have the flags below */
};

struct bus_range {
	uint64_t base, bytes;
	const struct bus_ops *ops;
	struct device *device;
	const char *name; /* "nvme0.bar0": for trace and messages; not copied */
};

/* By the machine.  `ram_bytes`: 1 MiB to BUS_RAM_MAX, whole pages. */
struct bus *bus_create(struct machine *m, uint64_t ram_bytes,
		       struct error *err) MUST_USE;
void bus_destroy(struct bus *b); /* NULL is fine */
/* One ROM, before there are CPUs: whole pages between 2 and 4 GiB, copied.  The
 * CPUs read and run it; what they and devices write there is dropped. */
void bus_add_rom(struct bus *b, paddr_t base, const uint8_t *data,
		 uint64_t bytes);
/* The pieces of RAM and ROM, sorted; returns how many. */
size_t bus_ram_regions(const struct bus *b,
		       struct cpu_ram region[BUS_RAM_REGIONS]);

/* What a CPU's access to anything but RAM does.  size: 1, 2, 4, 8. */
uint64_t bus_mmio_read(struct bus *b, paddr_t pa, unsigned size);
void bus_mmio_write(struct bus *b, paddr_t pa, unsigned size, uint64_t value);
uint32_t bus_port_read(struct bus *b, uint16_t port, unsigned size);
void bus_port_write(struct bus *b, uint16_t port, unsigned size,
		    uint32_t value);
/* Accesses that nobody answered, so far. */
uint64_t bus_unmapped_count(const struct bus *b);
void bus_unmapped_set(struct bus *b, uint64_t count); /* from a snapshot */

/* False: the range is empty, wraps, or meets RAM or another range. */
bool bus_map_mmio(struct bus *b, const struct bus_range *r, struct error *err);
bool bus_map_ports(struct bus *b, const struct bus_range *r, struct error *err);
void bus_unmap(struct bus *b, struct device *d, uint64_t base);

/* RAM as the devices and observers see it.  NULL when [pa, pa+bytes) is not
 * wholly RAM. */
uint8_t *bus_ram(struct bus *b, paddr_t pa, uint64_t bytes);
uint64_t bus_ram_bytes(const struct bus *b);

/* Before it is changed by that pointer, while a guest may have run. */
void bus_ram_will_change(struct bus *b, paddr_t pa, uint64_t bytes);

/* DMA by a device: traced, invalidates translated code.  False when it leaves
 * RAM (the device then does what its specification says). */
bool bus_dma_read(struct bus *b, struct device *d, paddr_t pa, void *buf,
		  uint64_t bytes);
bool bus_dma_write(struct bus *b, struct device *d, paddr_t pa, const void *buf,
		   uint64_t bytes);
/* A device has read RAM otherwise: the IOMMU its tables. */
void bus_dma_seen(struct bus *b, paddr_t pa, uint64_t bytes);
/* From now on mark[n] becomes 1 when a device reads or writes frame n, of
 * `frames`; NULL: no more.  The marks stay the caller's. */
void bus_mark_dma(struct bus *b, uint8_t *mark, uint64_t frames);
/* A message-signalled interrupt: a 4-byte write to FEExxxxx (SDM 3A 10.11). */
void bus_msi(struct bus *b, struct device *d, paddr_t addr, uint32_t data);

/* Observers' and debuggers' access: no trace, no time, no side effect. */
bool bus_peek(struct bus *b, paddr_t pa, void *buf, uint64_t bytes);
/* Fault injection and debuggers: as if RAM cells changed; code invalidated. */
bool bus_poke(struct bus *b, paddr_t pa, const void *buf, uint64_t bytes);

#endif

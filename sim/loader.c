/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader.c - first decide (loader_plan() and place()), then act: nothing is
 * written to RAM before everything is known to fit.
 *
 * "Spec" is the Multiboot specification, version 0.6.96; "gABI" the System V
 * generic ABI, chapters 4 and 5.
 */
#include "sim/loader.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/board.h"
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "devices/pci.h"
#include "sim/check.h"

/* ---- the file ---- */

struct image {
	const char *path;
	const uint8_t *data;
	uint64_t bytes;
};

static bool bad(const struct image *f, struct error *err, uint64_t offset,
		const char *field, uint64_t value, const char *what)
{
	return error_set(err, EXIT_USAGE,
			 "%s: offset %#" PRIx64 ": %s = %#" PRIx64 ": %s",
			 f->path, offset, field, value, what);
}

static uint16_t get16(const struct image *f, uint64_t offset)
{
	uint16_t value;

	memcpy(&value, f->data + offset, sizeof(value));
	return value;
}

static uint32_t get32(const struct image *f, uint64_t offset)
{
	uint32_t value;

	memcpy(&value, f->data + offset, sizeof(value));
	return value;
}

static uint64_t get64(const struct image *f, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, f->data + offset, sizeof(value));
	return value;
}

/* ---- Multiboot header (spec 3.1) ---- */

#define HEADER_MAGIC     UINT32_C(0x1BADB002)
#define HEADER_BYTES     12
#define HEADER_ADDRESSES 32 /* with the address fields */

#define FLAG_VIDEO     UINT32_C(0x00000004)
#define FLAG_REQUIRED  UINT32_C(0x0000FFFF) /* to be obeyed or refused */
#define FLAG_KNOWN     UINT32_C(0x00000007)
#define FLAG_ADDRESSES UINT32_C(0x00010000)

static bool check_flags(const struct image *f, uint32_t offset, uint32_t flags,
			struct error *err)
{
	if (flags & FLAG_REQUIRED & ~FLAG_KNOWN)
		return bad(f, err, offset + 4, "Multiboot flags", flags,
			   "it requires what version 1 does not have (bits 3 "
			   "to 15); clear them");
	if (flags & FLAG_VIDEO)
		return bad(f, err, offset + 4, "Multiboot flags", flags,
			   "it requires a video mode (bit 2) and the machine "
			   "offers none; clear the bit");
	if ((flags & FLAG_ADDRESSES) &&
	    offset + HEADER_ADDRESSES > LOADER_SEARCH_BYTES)
		return bad(f, err, offset, "Multiboot header", offset,
			   "its address fields leave the first 8192 bytes; "
			   "link the header further to the front");
	return true;
}

/* A magic with a wrong sum may be data: the search goes on, and only when
 * there is no header at all is the first such place the thing to name. */
static bool find_header(struct loader_plan *plan, const struct image *f,
			struct error *err)
{
	uint64_t end =
		f->bytes < LOADER_SEARCH_BYTES ? f->bytes : LOADER_SEARCH_BYTES;
	uint64_t wrong_sum = UINT64_MAX;

	for (uint64_t at = 0; at + HEADER_BYTES <= end; at += 4) {
		if (get32(f, at) != HEADER_MAGIC)
			continue;
		if (HEADER_MAGIC + get32(f, at + 4) + get32(f, at + 8)) {
			if (wrong_sum == UINT64_MAX)
				wrong_sum = at;
			continue;
		}
		plan->header_offset = (uint32_t)at;
		plan->flags = get32(f, at + 4);
		if ((plan->flags & FLAG_ADDRESSES) &&
		    at + HEADER_ADDRESSES > f->bytes)
			return bad(f, err, at, "Multiboot header", at,
				   "the file ends in its address fields; the "
				   "image is truncated, build it again");
		return check_flags(f, (uint32_t)at, plan->flags, err);
	}
	if (wrong_sum != UINT64_MAX)
		return bad(f, err, wrong_sum + 8, "Multiboot checksum",
			   get32(f, wrong_sum + 8),
			   "magic, flags and checksum must add up to 0; "
			   "correct the header");
	return error_set(err, EXIT_USAGE,
			 "%s: offset 0: no Multiboot 1 header (1BADB002h, "
			 "4-byte aligned) in the first 8192 bytes; give an "
			 "image that has one",
			 f->path);
}

/* ---- address fields (spec 3.1.3) ---- */

static bool plan_addresses(struct loader_plan *plan, const struct image *f,
			   struct error *err)
{
	uint64_t h = plan->header_offset;
	uint64_t header = get32(f, h + 12), load = get32(f, h + 16);
	uint64_t load_end = get32(f, h + 20), bss_end = get32(f, h + 24);
	uint64_t entry = get32(f, h + 28);
	struct loader_segment *s = &plan->segment[0];

	if (load > header || header - load > h)
		return bad(f, err, h + 16, "load_addr", load,
			   "it must be header_addr less at most the header's "
			   "offset in the file; correct it");
	s->pa = load;
	s->offset = h - (header - load);
	if (!load_end)
		load_end = load + (f->bytes - s->offset);
	if (load_end < load || load_end - load > f->bytes - s->offset)
		return bad(f, err, h + 20, "load_end_addr", load_end,
			   "it lies before load_addr or beyond the file's end; "
			   "correct it");
	s->file_bytes = load_end - load;
	if (bss_end && bss_end < load_end)
		return bad(f, err, h + 24, "bss_end_addr", bss_end,
			   "it lies before load_end_addr; correct it");
	s->mem_bytes = (bss_end ? bss_end : load_end) - load;
	if (entry < load || entry - load >= s->mem_bytes)
		return bad(f, err, h + 28, "entry_addr", entry,
			   "it lies outside what is loaded; correct it");
	plan->segment_count = 1;
	plan->entry = (uint32_t)entry;
	return true;
}

/* ---- ELF (gABI) ---- */

/* The fields of either class that matter, and where each lies. */
struct elf_shape {
	unsigned header_bytes, entry, phoff, phentsize, phnum;
	unsigned ph_bytes, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz;
	bool wide; /* addresses and offsets have 64 bits */
};

static const struct elf_shape elf32 = {
	.header_bytes = sizeof(Elf32_Ehdr),
	.entry = offsetof(Elf32_Ehdr, e_entry),
	.phoff = offsetof(Elf32_Ehdr, e_phoff),
	.phentsize = offsetof(Elf32_Ehdr, e_phentsize),
	.phnum = offsetof(Elf32_Ehdr, e_phnum),
	.ph_bytes = sizeof(Elf32_Phdr),
	.p_offset = offsetof(Elf32_Phdr, p_offset),
	.p_vaddr = offsetof(Elf32_Phdr, p_vaddr),
	.p_paddr = offsetof(Elf32_Phdr, p_paddr),
	.p_filesz = offsetof(Elf32_Phdr, p_filesz),
	.p_memsz = offsetof(Elf32_Phdr, p_memsz),
	.wide = false,
};

static const struct elf_shape elf64 = {
	.header_bytes = sizeof(Elf64_Ehdr),
	.entry = offsetof(Elf64_Ehdr, e_entry),
	.phoff = offsetof(Elf64_Ehdr, e_phoff),
	.phentsize = offsetof(Elf64_Ehdr, e_phentsize),
	.phnum = offsetof(Elf64_Ehdr, e_phnum),
	.ph_bytes = sizeof(Elf64_Phdr),
	.p_offset = offsetof(Elf64_Phdr, p_offset),
	.p_vaddr = offsetof(Elf64_Phdr, p_vaddr),
	.p_paddr = offsetof(Elf64_Phdr, p_paddr),
	.p_filesz = offsetof(Elf64_Phdr, p_filesz),
	.p_memsz = offsetof(Elf64_Phdr, p_memsz),
	.wide = true,
};

static uint64_t get_word(const struct image *f, const struct elf_shape *e,
			 uint64_t offset)
{
	return e->wide ? get64(f, offset) : get32(f, offset);
}

static bool check_ident(const struct image *f, struct error *err)
{
	uint16_t machine;

	if (f->bytes < EI_NIDENT || memcmp(f->data, ELFMAG, SELFMAG))
		return bad(f, err, 0, "e_ident", f->data[0],
			   "neither ELF nor a Multiboot header with address "
			   "fields (flag bit 16); give an ELF image");
	if (f->data[EI_CLASS] != ELFCLASS32 && f->data[EI_CLASS] != ELFCLASS64)
		return bad(f, err, EI_CLASS, "EI_CLASS", f->data[EI_CLASS],
			   "neither 32 nor 64 bits; build the image for i386 "
			   "or x86-64");
	if (f->data[EI_DATA] != ELFDATA2LSB)
		return bad(f, err, EI_DATA, "EI_DATA", f->data[EI_DATA],
			   "not little-endian; build the image for i386 or "
			   "x86-64");
	if (f->bytes < (f->data[EI_CLASS] == ELFCLASS64 ? elf64.header_bytes
							: elf32.header_bytes))
		return bad(f, err, f->bytes, "ELF header", f->bytes,
			   "the file ends in it; build the image again");
	if (get16(f, offsetof(Elf32_Ehdr, e_type)) != ET_EXEC)
		return bad(f, err, offsetof(Elf32_Ehdr, e_type), "e_type",
			   get16(f, offsetof(Elf32_Ehdr, e_type)),
			   "not an executable (2); link it statically, without "
			   "-pie or -shared");
	machine = get16(f, offsetof(Elf32_Ehdr, e_machine));
	if (machine != EM_386 && machine != EM_X86_64)
		return bad(f, err, offsetof(Elf32_Ehdr, e_machine), "e_machine",
			   machine,
			   "neither i386 (3) nor x86-64 (62); build the image "
			   "for one of them");
	return true;
}

static bool overlaps(const struct loader_plan *plan,
		     const struct loader_segment *s)
{
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *o = &plan->segment[i];

		if (s->pa < o->pa + o->mem_bytes &&
		    o->pa < s->pa + s->mem_bytes)
			return true;
	}
	return false;
}

/* One PT_LOAD at `ph`.  Sets plan->entry when e_entry, a linear address, lies
 * in it: paging is off at entry, so what counts is where the byte was loaded.
 */
static bool plan_segment(struct loader_plan *plan, const struct image *f,
			 const struct elf_shape *e, uint64_t ph,
			 bool *has_entry, struct error *err)
{
	uint64_t entry = get_word(f, e, e->entry);
	uint64_t vaddr = get_word(f, e, ph + e->p_vaddr);
	struct loader_segment s = {
		.pa = get_word(f, e, ph + e->p_paddr),
		.offset = get_word(f, e, ph + e->p_offset),
		.file_bytes = get_word(f, e, ph + e->p_filesz),
		.mem_bytes = get_word(f, e, ph + e->p_memsz),
	};

	if (!s.mem_bytes && !s.file_bytes)
		return true;
	if (s.file_bytes > s.mem_bytes)
		return bad(f, err, ph + e->p_filesz, "p_filesz", s.file_bytes,
			   "larger than p_memsz; build the image again");
	if (s.offset > f->bytes || s.file_bytes > f->bytes - s.offset)
		return bad(f, err, ph + e->p_offset, "p_offset", s.offset,
			   "the segment leaves the file; the image is "
			   "truncated, build it again");
	if (s.pa > UINT32_MAX || s.mem_bytes > UINT32_MAX + UINT64_C(1) - s.pa)
		return bad(f, err, ph + e->p_paddr, "p_paddr", s.pa,
			   "the segment does not end below 4 GiB; link it "
			   "lower (AT() in the linker script)");
	if (overlaps(plan, &s))
		return bad(f, err, ph + e->p_paddr, "p_paddr", s.pa,
			   "the segment overlaps an earlier one; correct the "
			   "linker script");
	if (plan->segment_count == LOADER_SEGMENTS_MAX)
		return bad(f, err, ph, "PT_LOAD", plan->segment_count,
			   "more segments than 32; merge some in the linker "
			   "script");
	plan->segment[plan->segment_count++] = s;
	if (!*has_entry && entry >= vaddr && entry - vaddr < s.mem_bytes) {
		plan->entry = (uint32_t)(s.pa + (entry - vaddr));
		*has_entry = true;
	}
	return true;
}

static bool plan_elf(struct loader_plan *plan, const struct image *f,
		     struct error *err)
{
	const struct elf_shape *e;
	uint64_t phoff;
	uint16_t count;
	bool has_entry = false;

	if (!check_ident(f, err))
		return false;
	e = f->data[EI_CLASS] == ELFCLASS64 ? &elf64 : &elf32;
	phoff = get_word(f, e, e->phoff);
	count = get16(f, e->phnum);
	if (get16(f, e->phentsize) != e->ph_bytes && count)
		return bad(f, err, e->phentsize, "e_phentsize",
			   get16(f, e->phentsize),
			   "not the size of a program header; build the image "
			   "again");
	if (phoff > f->bytes || count > (f->bytes - phoff) / e->ph_bytes)
		return bad(f, err, e->phoff, "e_phoff", phoff,
			   "the program headers leave the file; the image is "
			   "truncated, build it again");
	for (uint64_t i = 0; i < count; i++) {
		uint64_t ph = phoff + i * e->ph_bytes;

		/* p_type is the first word in both classes. */
		if (get32(f, ph) == PT_LOAD &&
		    !plan_segment(plan, f, e, ph, &has_entry, err))
			return false;
	}
	if (!plan->segment_count)
		return bad(f, err, e->phnum, "e_phnum", count,
			   "nothing to load (no PT_LOAD); link the image");
	if (!has_entry)
		return bad(f, err, e->entry, "e_entry",
			   get_word(f, e, e->entry),
			   "it lies in no segment; correct ENTRY() in the "
			   "linker script");
	return true;
}

bool loader_plan(struct loader_plan *plan, const char *path,
		 const uint8_t *file, size_t bytes, struct error *err)
{
	struct image f = {path, file, bytes};

	*plan = (struct loader_plan){0};
	if (!find_header(plan, &f, err))
		return false;
	return plan->flags & FLAG_ADDRESSES ? plan_addresses(plan, &f, err)
					    : plan_elf(plan, &f, err);
}

/* ---- host files ---- */

/* NULL: *err set.  An empty file is one byte of room and 0 bytes. */
static uint8_t *read_file(const char *path, const char *what, size_t *bytes,
			  struct error *err)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = NULL;
	size_t room = 0, n;

	if (!f) {
		error_set(err, EXIT_USAGE,
			  "%s: cannot open the %s: %s; build the images "
			  "(tools/build) or correct the path",
			  path, what, strerror(errno));
		return NULL;
	}
	*bytes = 0;
	do {
		room = room ? 2 * room : 1 << 20;
		data = realloc(data, room);
		CHECK_MSG(data, "out of memory for %s", path);
		n = fread(data + *bytes, 1, room - *bytes, f);
		*bytes += n;
	} while (*bytes == room);
	if (ferror(f)) {
		error_set(err, EXIT_USAGE,
			  "%s: cannot read the %s: %s; give a regular file",
			  path, what, strerror(errno));
		free(data);
		data = NULL;
	}
	fclose(f);
	return data;
}

/* ---- places in RAM ---- */

#define MIB           UINT64_C(0x100000)
#define FIRMWARE_BASE BOARD_RSDP
#define FIRMWARE_END  MIB

struct payload {
	uint8_t *data;
	size_t bytes;
	paddr_t pa;
};

/* Everything that is to be in RAM, and where. */
struct cargo {
	struct loader_plan plan;
	struct payload kernel;
	struct payload module[MACHINE_MODULES_MAX];
	paddr_t info; /* of the information block */
};

static uint64_t round_page(uint64_t n)
{
	return (n + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/* The block's parts follow each other, 8-byte aligned. */
struct block {
	uint8_t data[64 * 1024];
	size_t bytes;
	paddr_t pa;
};

/* Where `bytes` of the block lie, as the guest sees it; 0: it is full. */
static uint32_t block_add(struct block *b, const void *p, size_t bytes)
{
	size_t at = (b->bytes + 7) & ~(size_t)7;

	if (bytes > sizeof(b->data) - at)
		return 0;
	memcpy(b->data + at, p, bytes);
	b->bytes = at + bytes;
	return (uint32_t)(b->pa + at);
}

static bool place_kernel(struct machine *m, const char *path,
			 const struct loader_plan *plan, uint64_t *end,
			 struct error *err)
{
	*end = MIB;
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *s = &plan->segment[i];

		if (!bus_ram(machine_bus(m), s->pa, s->mem_bytes))
			return error_set(err, EXIT_USAGE,
					 "%s: segment %zu, %#" PRIx64
					 " bytes at %#" PRIx64
					 ", is not in RAM; link it elsewhere "
					 "or give the machine more RAM",
					 path, i, s->mem_bytes, s->pa);
		if (s->pa < FIRMWARE_END &&
		    s->pa + s->mem_bytes > FIRMWARE_BASE)
			return error_set(err, EXIT_USAGE,
					 "%s: segment %zu, %#" PRIx64
					 " bytes at %#" PRIx64
					 ", meets the firmware's tables "
					 "(0xe0000-0xfffff); link it elsewhere",
					 path, i, s->mem_bytes, s->pa);
		if (s->pa + s->mem_bytes > *end)
			*end = s->pa + s->mem_bytes;
	}
	return true;
}

static bool read_cargo(struct cargo *g, struct machine *m,
		       const struct machine_config *c, struct error *err)
{
	uint64_t at;

	g->kernel.data = read_file(c->kernel, "kernel", &g->kernel.bytes, err);
	if (!g->kernel.data ||
	    !loader_plan(&g->plan, c->kernel, g->kernel.data, g->kernel.bytes,
			 err) ||
	    !place_kernel(m, c->kernel, &g->plan, &at, err))
		return false;
	for (size_t i = 0; i < c->module_count; i++) {
		struct payload *p = &g->module[i];
		const char *path = c->module[i].path;

		p->data = read_file(path, "module", &p->bytes, err);
		if (!p->data)
			return false;
		p->pa = round_page(at);
		if (!bus_ram(machine_bus(m), p->pa, p->bytes))
			return error_set(err, EXIT_USAGE,
					 "%s: module of %zu bytes does not fit "
					 "in RAM at %#" PRIx64
					 "; give the machine more RAM",
					 path, p->bytes, p->pa);
		at = p->pa + p->bytes;
	}
	g->info = round_page(at);
	return true;
}

/* ---- the information structure (spec 3.3) ---- */

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe[4];
	uint32_t framebuffer[7];
};

#define INFO_MEMORY      UINT32_C(0x001)
#define INFO_CMDLINE     UINT32_C(0x004)
#define INFO_MODULES     UINT32_C(0x008)
#define INFO_MMAP        UINT32_C(0x040)
#define INFO_LOADER_NAME UINT32_C(0x200)

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct multiboot_mmap {
	uint32_t size; /* of what follows */
	uint64_t base, bytes;
	uint32_t type;
} __attribute__((packed));

#define MMAP_AVAILABLE 1
#define MMAP_RESERVED  2
#define MMAP_MAX       7

static size_t memory_map(struct machine *m, struct multiboot_mmap *map)
{
	uint64_t ram = bus_ram_bytes(machine_bus(m));
	uint64_t low = ram < BUS_RAM_LOW_MAX ? ram : BUS_RAM_LOW_MAX;
	const struct multiboot_mmap all[MMAP_MAX] = {
		{20, 0, 640 << 10, MMAP_AVAILABLE},
		{20, FIRMWARE_BASE, FIRMWARE_END - FIRMWARE_BASE,
		 MMAP_RESERVED},
		{20, MIB, low - MIB, MMAP_AVAILABLE},
		{20, PCI_ECAM_BASE, PCI_ECAM_BYTES, MMAP_RESERVED},
		{20, IOAPIC_BASE, PAGE_BYTES, MMAP_RESERVED},
		{20, LAPIC_BASE, PAGE_BYTES, MMAP_RESERVED},
		{20, BUS_RAM_HIGH, ram - low, MMAP_AVAILABLE},
	};
	size_t count = 0;

	for (size_t i = 0; i < MMAP_MAX; i++) {
		if (all[i].bytes)
			map[count++] = all[i];
	}
	return count;
}

static uint32_t add_text(struct block *b, const char *text)
{
	return block_add(b, text ? text : "", text ? strlen(text) + 1 : 1);
}

static bool fill_block(struct block *b, struct machine *m, struct cargo *g,
		       const struct machine_config *c, struct error *err)
{
	uint64_t ram = bus_ram_bytes(machine_bus(m));
	uint64_t low = ram < BUS_RAM_LOW_MAX ? ram : BUS_RAM_LOW_MAX;
	struct multiboot_info info = {
		.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP |
			 INFO_LOADER_NAME,
		.mem_lower = 640,
		.mem_upper = (uint32_t)((low - MIB) >> 10),
		.mods_count = (uint32_t)c->module_count,
	};
	struct multiboot_module list[MACHINE_MODULES_MAX] = {0};
	struct multiboot_mmap map[MMAP_MAX];
	bool full = false;

	b->pa = g->info;
	b->bytes = sizeof(info); /* filled in last, when the rest is known */
	for (size_t i = 0; i < c->module_count; i++) {
		list[i].start = (uint32_t)g->module[i].pa;
		list[i].end = (uint32_t)(g->module[i].pa + g->module[i].bytes);
		list[i].string = add_text(b, c->module[i].string);
		full = full || !list[i].string;
	}
	info.mods_addr = block_add(b, list, c->module_count * sizeof(list[0]));
	info.mmap_length = (uint32_t)(memory_map(m, map) * sizeof(map[0]));
	info.mmap_addr = block_add(b, map, info.mmap_length);
	info.boot_loader_name = add_text(b, "Parterre");
	info.cmdline = add_text(b, c->cmdline);
	if (full || !info.mods_addr || !info.mmap_addr ||
	    !info.boot_loader_name || !info.cmdline)
		return error_set(err, EXIT_USAGE,
				 "command line and module strings: more than "
				 "%zu bytes; shorten them",
				 sizeof(b->data));
	memcpy(b->data, &info, sizeof(info));
	if (!bus_ram(machine_bus(m), b->pa, b->bytes))
		return error_set(err, EXIT_USAGE,
				 "%s: no RAM left for the boot information at "
				 "%#" PRIx64 "; give the machine more RAM",
				 c->kernel, b->pa);
	return true;
}

/* ---- into RAM, and go ---- */

static void store(struct machine *m, const struct cargo *g,
		  const struct machine_config *c, const struct block *b)
{
	struct bus *bus = machine_bus(m);

	for (size_t i = 0; i < g->plan.segment_count; i++) {
		const struct loader_segment *s = &g->plan.segment[i];
		uint8_t *ram = bus_ram(bus, s->pa, s->mem_bytes);

		memcpy(ram, g->kernel.data + s->offset, s->file_bytes);
		memset(ram + s->file_bytes, 0, s->mem_bytes - s->file_bytes);
	}
	for (size_t i = 0; i < c->module_count; i++) {
		const struct payload *p = &g->module[i];

		memcpy(bus_ram(bus, p->pa, p->bytes), p->data, p->bytes);
	}
	memcpy(bus_ram(bus, b->pa, b->bytes), b->data, b->bytes);
}

/* Spec 3.2.  Selectors and the stack are the loader's to choose and not to be
 * relied on: no GDT is there. */
static void set_entry_state(struct cpu *cpu, uint32_t entry, paddr_t info)
{
	const struct cpu_segment code = {0, UINT32_MAX, 0x08, 0xC09B};
	const struct cpu_segment data = {0, UINT32_MAX, 0x10, 0xC093};
	struct cpu_regs regs;

	cpu_regs_get(cpu, &regs);
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		regs.seg[i] = i == CPU_CS ? code : data;
	regs.gpr[CPU_RAX] = LOADER_MAGIC;
	regs.gpr[CPU_RBX] = info;
	regs.rip = entry;
	regs.rflags = 2;
	regs.cr0 = 0x11; /* PE, and ET, which is always set */
	regs.halted = 0;
	cpu_regs_set(cpu, &regs);
}

static void cargo_free(struct cargo *g)
{
	free(g->kernel.data);
	for (size_t i = 0; i < MACHINE_MODULES_MAX; i++)
		free(g->module[i].data);
	free(g);
}

bool loader_boot(struct machine *m, const struct machine_config *c,
		 struct error *err)
{
	struct cargo *g = calloc(1, sizeof(*g));
	struct block *b = calloc(1, sizeof(*b));
	bool ok;

	CHECK_MSG(g && b, "out of memory for the loader");
	ok = read_cargo(g, m, c, err) && fill_block(b, m, g, c, err);
	if (ok) {
		store(m, g, c, b);
		set_entry_state(machine_cpu(m, 0), g->plan.entry, b->pa);
	}
	free(b);
	cargo_free(g);
	return ok;
}

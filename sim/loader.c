/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader.c - reads the files, lets the format decide (first all of it, then
 * act: nothing is written to RAM before everything is known to fit), and brings
 * the result into the machine.
 *
 * Next: loader_internal.h, then a format: loader_linux.c.
 */
#include "sim/loader.h"

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
#include "sim/loader_internal.h"

#define FIRMWARE_BASE BOARD_RSDP
#define FIRMWARE_END  LOADER_MIB

/* In the order in which they are tried; some are only had by name. */
static const struct loader_format formats[] = {
	{"linux", linux_recognises, linux_load},
	{"linux64", NULL, linux64_load},
	{"linux32", NULL, linux32_load},
	{"multiboot2", multiboot2_recognises, multiboot2_load},
	{"multiboot", multiboot_recognises, multiboot_load},
	{"pvh", pvh_recognises, pvh_load},
	{"raw16", NULL, raw16_load},
	{"raw32", NULL, raw32_load},
	{"raw64", NULL, raw64_load},
};

/* ---- what the formats use ---- */

bool loader_bad(const struct loader_file *f, struct error *err, uint64_t offset,
		const char *field, uint64_t value, const char *what)
{
	return error_set(err, EXIT_USAGE,
			 "%s: offset %#" PRIx64 ": %s = %#" PRIx64 ": %s",
			 f->path, offset, field, value, what);
}

uint16_t loader_get16(const struct loader_file *f, uint64_t offset)
{
	uint16_t value;

	memcpy(&value, f->data + offset, sizeof(value));
	return value;
}

uint32_t loader_get32(const struct loader_file *f, uint64_t offset)
{
	uint32_t value;

	memcpy(&value, f->data + offset, sizeof(value));
	return value;
}

uint64_t loader_get64(const struct loader_file *f, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, f->data + offset, sizeof(value));
	return value;
}

uint8_t *loader_alloc(struct loader_load *load, size_t bytes)
{
	uint8_t *p = calloc(1, bytes);

	CHECK_MSG(p, "out of memory for the loader");
	CHECK(load->owned_count < LOADER_PIECES_MAX);
	load->owned[load->owned_count++] = p;
	return p;
}

void loader_load_free(struct loader_load *load)
{
	for (size_t i = 0; i < load->owned_count; i++)
		free(load->owned[i]);
	load->owned_count = 0;
}

bool loader_is_ram(const struct loader_job *job, paddr_t pa, uint64_t bytes)
{
	for (size_t i = 0; i < job->ram_count; i++) {
		const struct cpu_ram *r = &job->ram[i];

		if (pa >= r->base && pa - r->base <= r->bytes &&
		    bytes <= r->bytes - (pa - r->base))
			return true;
	}
	return false;
}

paddr_t loader_low_end(const struct loader_job *job)
{
	paddr_t end = 0;

	for (size_t i = 0; i < job->ram_count; i++) {
		const struct cpu_ram *r = &job->ram[i];

		if (r->base < BUS_RAM_HIGH && r->base + r->bytes > end)
			end = r->base + r->bytes;
	}
	return end;
}

paddr_t loader_pieces_end(const struct loader_load *load)
{
	paddr_t end = LOADER_MIB;

	for (size_t i = 0; i < load->count; i++) {
		const struct loader_piece *p = &load->piece[i];

		if (p->pa + p->bytes > end)
			end = p->pa + p->bytes;
	}
	return (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

static bool meets(const struct loader_piece *a, paddr_t pa, uint64_t bytes)
{
	return a->bytes && bytes && a->pa < pa + bytes && pa < a->pa + a->bytes;
}

static bool does_not_fit(const struct loader_piece *p, const char *why,
			 struct error *err)
{
	return error_set(err, EXIT_USAGE,
			 "%s: %s of %#" PRIx64 " bytes at %#" PRIx64 " %s",
			 p->path, p->name, p->bytes, p->pa, why);
}

bool loader_put(const struct loader_job *job, struct loader_load *load,
		const struct loader_piece *piece, struct error *err)
{
	struct loader_piece p = *piece;

	if (p.bytes < p.data_bytes + p.zero_bytes)
		p.bytes = p.data_bytes + p.zero_bytes;
	if (!loader_is_ram(job, p.pa, p.bytes))
		return does_not_fit(&p,
				    "is not in RAM; link it elsewhere or give "
				    "the machine more RAM",
				    err);
	if (meets(&p, FIRMWARE_BASE, FIRMWARE_END - FIRMWARE_BASE))
		return does_not_fit(&p,
				    "meets the firmware's tables "
				    "(0xe0000-0xfffff); place it elsewhere",
				    err);
	for (size_t i = 0; i < load->count; i++) {
		const struct loader_piece *o = &load->piece[i];

		if (meets(&p, o->pa, o->bytes))
			return error_set(
				err, EXIT_USAGE,
				"%s: %s of %#" PRIx64 " bytes at %#" PRIx64
				" meets the %s at %#" PRIx64
				"; place it elsewhere or give the "
				"machine more RAM",
				p.path, p.name, p.bytes, p.pa, o->name, o->pa);
	}
	CHECK(load->count < LOADER_PIECES_MAX);
	load->piece[load->count++] = p;
	return true;
}

bool loader_put_modules(const struct loader_job *job, struct loader_load *load,
			paddr_t start[MACHINE_MODULES_MAX], struct error *err)
{
	for (size_t i = 0; i < job->module_count; i++) {
		const struct loader_file *f = &job->module[i].file;
		const struct loader_piece piece = {
			.name = "module",
			.path = f->path,
			.pa = loader_pieces_end(load),
			.data = f->data,
			.data_bytes = f->bytes,
		};

		start[i] = piece.pa;
		if (!loader_put(job, load, &piece, err))
			return false;
	}
	return true;
}

struct loader_block loader_block(struct loader_load *load)
{
	return (struct loader_block){
		.data = loader_alloc(load, LOADER_BLOCK_MAX),
		.pa = loader_pieces_end(load),
	};
}

uint32_t loader_block_add(struct loader_block *b, const void *p, size_t bytes)
{
	size_t at = (b->bytes + 7) & ~(size_t)7;

	if (at > LOADER_BLOCK_MAX || bytes > LOADER_BLOCK_MAX - at) {
		b->full = true;
		return 0;
	}
	if (bytes)
		memcpy(b->data + at, p, bytes);
	b->bytes = at + bytes;
	return (uint32_t)(b->pa + at);
}

uint32_t loader_block_text(struct loader_block *b, const char *text)
{
	return loader_block_add(b, text, strlen(text) + 1);
}

bool loader_put_block(const struct loader_job *job, struct loader_load *load,
		      const struct loader_block *b, struct error *err)
{
	const struct loader_piece piece = {
		.name = "boot information",
		.path = job->kernel.path,
		.pa = b->pa,
		.data = b->data,
		.data_bytes = b->bytes,
	};

	if (b->full)
		return error_set(err, EXIT_USAGE,
				 "command line and module strings: more than "
				 "%d bytes; shorten them",
				 LOADER_BLOCK_MAX);
	return loader_put(job, load, &piece, err);
}

size_t loader_memory_map(const struct loader_job *job,
			 struct loader_range map[LOADER_MAP_MAX])
{
	uint64_t low = loader_low_end(job), high = 0;
	size_t count = 0;

	for (size_t i = 0; i < job->ram_count; i++) {
		if (job->ram[i].base >= BUS_RAM_HIGH)
			high += job->ram[i].bytes;
	}
	const struct loader_range all[] = {
		{0, 640 << 10, LOADER_MAP_RAM},
		{FIRMWARE_BASE, FIRMWARE_END - FIRMWARE_BASE,
		 LOADER_MAP_RESERVED},
		{LOADER_MIB, low - LOADER_MIB, LOADER_MAP_RAM},
		{PCI_ECAM_BASE, PCI_ECAM_BYTES, LOADER_MAP_RESERVED},
		{IOAPIC_BASE, PAGE_BYTES, LOADER_MAP_RESERVED},
		{LAPIC_BASE, PAGE_BYTES, LOADER_MAP_RESERVED},
		{BUS_RAM_HIGH, high, LOADER_MAP_RAM},
	};

	_Static_assert(ARRAY_LEN(all) <= LOADER_MAP_MAX, "room in the map");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].bytes)
			map[count++] = all[i];
	}
	return count;
}

bool loader_put_tables(const struct loader_job *job, struct loader_load *load,
		       paddr_t pa, struct error *err)
{
	const uint64_t present = 3 /* P, R/W */, large = 0x80 /* PS */;
	uint8_t *data = loader_alloc(load, LOADER_TABLES_BYTES);
	const struct loader_piece piece = {
		.name = "page tables",
		.path = job->kernel.path,
		.pa = pa,
		.data = data,
		.data_bytes = LOADER_TABLES_BYTES,
	};
	uint64_t entry = (pa + PAGE_BYTES) | present;

	memcpy(data, &entry, sizeof(entry));
	for (uint64_t i = 0; i < 4; i++) {
		entry = (pa + (2 + i) * PAGE_BYTES) | present;
		memcpy(data + PAGE_BYTES + 8 * i, &entry, sizeof(entry));
	}
	for (uint64_t i = 0; i < 2048; i++) {
		entry = i << 21 | present | large;
		memcpy(data + 2 * PAGE_BYTES + 8 * i, &entry, sizeof(entry));
	}
	load->entry.cr3 = pa;
	return loader_put(job, load, &piece, err);
}

/* Attributes in bits 40 to 55 of a descriptor: flat, read and write or
 * execute; L for 64-bit code, else D/B. */
#define FLAT_CODE32 UINT64_C(0x00CF9B000000FFFF)
#define FLAT_CODE64 UINT64_C(0x00AF9B000000FFFF)
#define FLAT_DATA   UINT64_C(0x00CF93000000FFFF)

bool loader_put_gdt(const struct loader_job *job, struct loader_load *load,
		    paddr_t pa, struct error *err)
{
	const uint64_t gdt[4] = {
		[2] = load->entry.mode == LOADER_LONG64 ? FLAT_CODE64
							: FLAT_CODE32,
		[3] = FLAT_DATA,
	};
	uint8_t *data = loader_alloc(load, sizeof(gdt));
	const struct loader_piece piece = {
		.name = "GDT",
		.path = job->kernel.path,
		.pa = pa,
		.data = data,
		.data_bytes = sizeof(gdt),
	};

	memcpy(data, gdt, sizeof(gdt));
	load->entry.gdt_base = pa;
	load->entry.gdt_limit = sizeof(gdt) - 1;
	load->entry.code_selector = 0x10;
	load->entry.data_selector = 0x18;
	return loader_put(job, load, &piece, err);
}

/* ---- host files ---- */

/* An empty file is one byte of room and 0 bytes. */
static bool read_file(struct loader_file *f, const char *path, const char *what,
		      struct error *err)
{
	FILE *in = fopen(path, "re");
	uint8_t *data = NULL;
	size_t room = 0, bytes = 0, n;
	bool ok;

	f->path = path;
	if (!in)
		return error_set(err, EXIT_USAGE,
				 "%s: cannot open the %s: %s; build the images "
				 "(tools/build) or correct the path",
				 path, what, strerror(errno));
	do {
		room = room ? 2 * room : 1 << 20;
		data = realloc(data, room);
		CHECK_MSG(data, "out of memory for %s", path);
		n = fread(data + bytes, 1, room - bytes, in);
		bytes += n;
	} while (bytes == room);
	ok = !ferror(in);
	if (!ok)
		error_set(err, EXIT_USAGE,
			  "%s: cannot read the %s: %s; give a regular file",
			  path, what, strerror(errno));
	fclose(in);
	f->data = data;
	f->bytes = bytes;
	return ok;
}

static bool read_files(struct loader_job *job, const struct machine_config *c,
		       struct error *err)
{
	if (!read_file(&job->kernel, c->kernel, "kernel", err) ||
	    (c->initrd && !read_file(&job->initrd, c->initrd, "initrd", err)))
		return false;
	for (size_t i = 0; i < c->module_count; i++) {
		const char *string = c->module[i].string;

		job->module[i].string = string ? string : "";
		job->module_count = i + 1;
		if (!read_file(&job->module[i].file, c->module[i].path,
			       "module", err))
			return false;
	}
	return true;
}

static void free_files(struct loader_job *job)
{
	free((void *)job->kernel.data);
	free((void *)job->initrd.data);
	for (size_t i = 0; i < job->module_count; i++)
		free((void *)job->module[i].file.data);
}

/* ---- which format ---- */

/* Every name, for a message. */
static const char *format_names(char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(formats) && n < room; i++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", i ? ", " : "",
				      formats[i].name);
	return to;
}

static const struct loader_format *
find_format(const struct loader_file *f, const char *name, struct error *err)
{
	char names[256];

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		const struct loader_format *format = &formats[i];

		if (name ? !strcmp(name, format->name)
			 : format->recognises && format->recognises(f))
			return format;
	}
	format_names(names, sizeof(names));
	if (name)
		error_set(err, EXIT_USAGE,
			  "boot = \"%s\": no such way to boot; give one of %s",
			  name, names);
	else
		error_set(err, EXIT_USAGE,
			  "%s: offset 0: no Multiboot header, no Linux "
			  "bzImage, no ELF with a PVH note; give another "
			  "image, or say what it is by boot = (%s)",
			  f->path, names);
	return NULL;
}

/* ---- into RAM, and go ---- */

static void store(struct machine *m, const struct loader_load *load)
{
	for (size_t i = 0; i < load->count; i++) {
		const struct loader_piece *p = &load->piece[i];
		uint8_t *ram = bus_ram(machine_bus(m), p->pa, p->bytes);

		CHECK(ram);
		bus_ram_will_change(machine_bus(m), p->pa, p->bytes);
		if (p->data_bytes)
			memcpy(ram, p->data, p->data_bytes);
		memset(ram + p->data_bytes, 0, p->zero_bytes);
	}
}

/* In struct cpu_regs: 64 KiB ranges from 0, one of 16 KiB ranges up to 640 KiB,
 * one for A0000-BFFFF, then 4 KiB ranges; the first pair of base and mask. */
#define MTRR_DEF_TYPE    0
#define MTRR_FIXED       1
#define MTRR_FIXED_VIDEO 2
#define MTRR_FIXED_COUNT 11
#define MTRR_VARIABLE    12

#define CR0_PE   UINT64_C(1)
#define CR0_ET   UINT64_C(0x10) /* always set */
#define CR0_PG   UINT64_C(0x80000000)
#define CR4_PAE  UINT64_C(0x20)
#define EFER_LME UINT64_C(0x100)
#define EFER_LMA UINT64_C(0x400)

/* As at reset, but for where it goes on: flat data from 0. */
static void enter_real(struct cpu_regs *regs, const struct loader_entry *e)
{
	uint16_t cs = e->rip < 0x10000 ? 0 : (uint16_t)(e->rip >> 4);

	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		regs->seg[i] = (struct cpu_segment){0, 0xFFFF, 0, 0x0093};
	regs->seg[CPU_CS] =
		(struct cpu_segment){(uint64_t)cs << 4, 0xFFFF, cs, 0x009B};
	regs->rip = e->rip - ((uint64_t)cs << 4);
}

static void enter_flat(struct cpu_regs *regs, const struct loader_entry *e)
{
	bool wide = e->mode == LOADER_LONG64;
	const struct cpu_segment code = {0, UINT32_MAX, e->code_selector,
					 wide ? 0xA09B : 0xC09B};
	const struct cpu_segment data = {0, UINT32_MAX, e->data_selector,
					 0xC093};

	regs->rip = e->rip;
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
		regs->seg[i] = i == CPU_CS ? code : data;
	regs->gdtr_base = e->gdt_base;
	regs->gdtr_limit = e->gdt_limit;
	regs->cr0 = CR0_PE | CR0_ET;
	if (wide) {
		regs->cr0 |= CR0_PG;
		regs->cr3 = e->cr3;
		regs->cr4 |= CR4_PAE;
		regs->efer |= EFER_LME | EFER_LMA;
	}
}

static void enter(struct cpu *cpu, const struct loader_entry *e)
{
	struct cpu_regs regs;

	cpu_regs_get(cpu, &regs);
	memcpy(regs.gpr, e->gpr, sizeof(regs.gpr));
	regs.rflags = 2;
	regs.halted = 0;
	if (e->mode == LOADER_REAL16)
		enter_real(&regs, e);
	else
		enter_flat(&regs, e);
	cpu_regs_set(cpu, &regs);
}

/* What firmware leaves in the MTRRs of every CPU (SDM 3A 11.11): RAM is cached
 * (write-back, the default), the legacy video memory and what lies from 2 to 4
 * GiB is not, ROM is write-protected. */
static void set_mtrrs(struct machine *m)
{
	const uint64_t all_wb = UINT64_C(0x0606060606060606);
	const uint64_t all_wp = UINT64_C(0x0505050505050505);
	struct cpu_regs regs;

	for (unsigned i = 0; i < machine_cpu_count(m); i++) {
		cpu_regs_get(machine_cpu(m, i), &regs);
		regs.mtrr[MTRR_DEF_TYPE] = 0xC06; /* E, FE, WB */
		for (unsigned k = 0; k < MTRR_FIXED_COUNT; k++)
			regs.mtrr[MTRR_FIXED + k] =
				k < MTRR_FIXED_VIDEO    ? all_wb
				: k == MTRR_FIXED_VIDEO ? 0
							: all_wp;
		regs.mtrr[MTRR_VARIABLE] = BUS_RAM_LOW_MAX; /* UC */
		regs.mtrr[MTRR_VARIABLE + 1] =
			(UINT64_C(0xFFFFFFFFFF) & ~(BUS_RAM_LOW_MAX - 1)) |
			0x800; /* V */
		cpu_regs_set(machine_cpu(m, i), &regs);
	}
}

static bool boot(struct machine *m, const struct machine_config *c,
		 struct loader_job *job, struct loader_load *load,
		 struct error *err)
{
	const struct loader_format *format;

	job->cmdline = c->cmdline ? c->cmdline : "";
	job->load_address = c->load_address;
	job->video = loader_video(&c->video);
	job->ram_count = bus_ram_regions(machine_bus(m), job->ram);
	job->rsdp = bus_ram(machine_bus(m), BOARD_RSDP, LOADER_RSDP_BYTES);
	if (!read_files(job, c, err))
		return false;
	format = find_format(&job->kernel, c->boot, err);
	if (!format || !format->load(job, load, err))
		return false;
	store(m, load);
	set_mtrrs(m);
	enter(machine_cpu(m, 0), &load->entry);
	return true;
}

bool loader_boot(struct machine *m, const struct machine_config *c,
		 struct error *err)
{
	struct loader_job *job = calloc(1, sizeof(*job));
	struct loader_load *load = calloc(1, sizeof(*load));
	bool ok;

	CHECK_MSG(job && load, "out of memory for the loader");
	ok = boot(m, c, job, load, err);
	loader_load_free(load);
	free_files(job);
	free(load);
	free(job);
	return ok;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sim/test_loader_formats.c - Multiboot 2, PVH and raw images: what
 * lies where, the entry state, and each wrong field by its name. */
#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/loader_internal.h"

#define MIB LOADER_MIB
#define RAM (64 * MIB)

typedef bool format_load(const struct loader_job *, struct loader_load *,
			 struct error *);

struct image {
	uint8_t data[0x2000];
	uint64_t bytes;
};

static void put(struct image *z, size_t at, unsigned size, uint64_t value)
{
	memcpy(z->data + at, &value, size);
}

static struct loader_job job_of(const struct image *z)
{
	return (struct loader_job){
		.kernel = {"some/image", z->data, z->bytes},
		.cmdline = "quiet 1",
		.load_address = MACHINE_LOAD_DEFAULT,
		.ram = {{.base = 0, .bytes = 0xA0000},
			{.base = 0xC0000, .bytes = RAM - 0xC0000}},
		.ram_count = 2,
	};
}

/* Allocated, for it is large; released by load_done(). */
static struct loader_load *load_by(format_load *format,
				   const struct loader_job *job)
{
	struct loader_load *load = calloc(1, sizeof(*load));
	struct error err;

	cr_assert(load);
	cr_assert(format(job, load, &err), "%s", err.text);
	return load;
}

static void load_done(struct loader_load *load)
{
	loader_load_free(load);
	free(load);
}

static void refused(format_load *format, const struct image *z,
		    const char *says)
{
	struct loader_load *load = calloc(1, sizeof(*load));
	struct loader_job job = job_of(z);
	struct error err = {0};
	/* An exact copy: a sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(z->bytes ? z->bytes : 1);

	cr_assert(load && copy);
	memcpy(copy, z->data, z->bytes);
	job.kernel.data = copy;
	cr_assert_not(format(&job, load, &err), "%s", says);
	load_done(load);
	free(copy);
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, says), "%s: %s", says, err.text);
	cr_assert(strchr(err.text, ';'), "a remedy: %s", err.text);
}

static const struct loader_piece *piece(const struct loader_load *load,
					const char *name)
{
	for (size_t i = 0; i < load->count; i++) {
		if (!strcmp(load->piece[i].name, name))
			return &load->piece[i];
	}
	cr_assert_fail("no piece '%s'", name);
	return NULL;
}

static uint64_t field(const struct loader_piece *p, size_t at, unsigned size)
{
	uint64_t value = 0;

	cr_assert(at + size <= p->data_bytes);
	memcpy(&value, p->data + at, size);
	return value;
}

/* A text of the guest's, by its physical address in the piece. */
static const char *text(const struct loader_piece *p, uint64_t pa)
{
	cr_assert(pa >= p->pa && pa < p->pa + p->data_bytes);
	return (const char *)p->data + (pa - p->pa);
}

/* ---- Multiboot 2 ---- */

#define HEADER 0x40

/* A tag at `at` of the image; where the next one goes. */
static size_t tag(struct image *z, size_t at, unsigned type, unsigned flags,
		  unsigned words, const uint32_t *word)
{
	put(z, at, 2, type);
	put(z, at + 2, 2, flags);
	put(z, at + 4, 4, 8 + 4 * words);
	memcpy(z->data + at + 8, word, 4 * (size_t)words);
	return (at + 8 + 4 * words + 7) & ~(size_t)7;
}
#define TAG(z, at, type, flags, ...)                                           \
	tag(z, at, type, flags,                                                \
	    sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),              \
	    (uint32_t[]){__VA_ARGS__})

/* From its tags' end on: the end tag, length and sum. */
static void seal(struct image *z, size_t at)
{
	uint32_t length = (uint32_t)(at + 8 - HEADER);

	put(z, at, 4, 0);
	put(z, at + 4, 4, 8);
	put(z, HEADER, 4, 0xE85250D6);
	put(z, HEADER + 4, 4, 0);
	put(z, HEADER + 8, 4, length);
	put(z, HEADER + 12, 4, -(0xE85250D6 + length));
}

static void fill(struct image *z, uint64_t bytes)
{
	memset(z, 0, sizeof(*z));
	z->bytes = bytes;
	for (size_t i = 0; i < bytes; i++)
		z->data[i] = (uint8_t)(i * 7);
	memset(z->data + HEADER, 0, 0x200);
}

/* Address tag at 50h, entry at 68h: whole file to 1 MiB, bss to 1 MiB + 8 KiB.
 */
static size_t flat_tags(struct image *z)
{
	size_t at = HEADER + 16;

	fill(z, 0x1000);
	at = TAG(z, at, 2, 0, 0x100000 + HEADER, 0xFFFFFFFF, 0, 0x102000);
	return TAG(z, at, 3, 0, 0x100800);
}

static void flat_image(struct image *z)
{
	seal(z, flat_tags(z));
}

static void elf_at(struct image *z, unsigned notes)
{
	const Elf32_Ehdr eh = {
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = 1,
		.e_entry = 0x80100010,
		.e_phoff = 0x300,
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	const Elf32_Phdr ph[2] = {
		{PT_LOAD, 0x1000, 0x80100000, 0x100000, 0x100, 0x3000, 5, 0},
		{PT_NOTE, 0x400, 0, 0, notes, notes, 4, 4},
	};

	fill(z, 0x1100);
	memcpy(z->data, &eh, sizeof(eh));
	memcpy(z->data + 0x300, ph, sizeof(ph));
}

/* The information's tag of this type: where its contents begin. */
static size_t info_tag(const struct loader_piece *p, unsigned type, size_t *end)
{
	size_t at = 8;

	cr_assert_eq(field(p, 0, 4), p->data_bytes);
	cr_assert_eq(field(p, 4, 4), 0u);
	for (;;) {
		uint64_t size = field(p, at + 4, 4);

		cr_assert_geq(size, 8u);
		cr_assert_leq(at + size, p->data_bytes);
		if (field(p, at, 4) == type) {
			*end = at + size;
			return at + 8;
		}
		cr_assert_neq(field(p, at, 4), 0u, "no tag %u", type);
		at = (at + size + 7) & ~(size_t)7;
	}
}

Test(loader_multiboot2, information)
{
	static struct image z;
	static const uint8_t rsdp[36] = "RSD PTR ";
	struct loader_job job;
	struct loader_load *load;
	const struct loader_piece *p, *k;
	size_t at, end;
	uint64_t last = 0;

	flat_image(&z);
	job = job_of(&z);
	job.module[0] = (struct loader_module){
		{"module", (const uint8_t *)"abc", 3}, "one first"};
	job.module_count = 1;
	job.rsdp = rsdp;
	cr_assert(multiboot2_recognises(&job.kernel));
	load = load_by(multiboot2_load, &job);

	k = piece(load, "segment");
	cr_assert_eq(k->pa, 0x100000u);
	cr_assert_eq(k->data_bytes, 0x1000u);
	cr_assert_eq(k->zero_bytes, 0x1000u);
	p = piece(load, "boot information");
	cr_assert_eq(load->entry.mode, LOADER_FLAT32);
	cr_assert_eq(load->entry.rip, 0x100800u);
	cr_assert_eq(load->entry.gpr[CPU_RAX], 0x36D76289u);
	cr_assert_eq(load->entry.gpr[CPU_RBX], p->pa);
	cr_assert_eq(p->pa % 8, 0u);

	at = info_tag(p, 1, &end);
	cr_assert_str_eq((const char *)p->data + at, "quiet 1");
	at = info_tag(p, 2, &end);
	cr_assert_str_eq((const char *)p->data + at, "Parterre");
	at = info_tag(p, 3, &end);
	cr_assert_eq(field(p, at, 4), 0x102000u);
	cr_assert_eq(field(p, at + 4, 4), 0x102003u);
	cr_assert_str_eq((const char *)p->data + at + 8, "one first");
	cr_assert_eq(end, at + 8 + 10);
	at = info_tag(p, 4, &end);
	cr_assert_eq(field(p, at, 4), 640u);
	cr_assert_eq(field(p, at + 4, 4), 63u * 1024);
	at = info_tag(p, 6, &end);
	cr_assert_eq(field(p, at, 4), 24u);
	cr_assert_eq((end - at - 8) % 24, 0u);
	for (at += 8; at < end; at += 24) {
		cr_assert_geq(field(p, at, 8), last);
		last = field(p, at, 8) + field(p, at + 8, 8);
		if (field(p, at + 16, 4) == 1)
			cr_assert(loader_is_ram(&job, field(p, at, 8),
						field(p, at + 8, 8)));
	}
	at = info_tag(p, 14, &end);
	cr_assert_eq(end - at, 20u);
	cr_assert_not(memcmp(p->data + at, rsdp, 20));
	at = info_tag(p, 15, &end);
	cr_assert_eq(end - at, 36u);
	at = info_tag(p, 21, &end);
	cr_assert_eq(field(p, at, 4), 0x100000u);
	load_done(load);
}

Test(loader_multiboot2, elf)
{
	static struct image z;
	struct loader_job job;
	struct loader_load *load;
	size_t at = HEADER + 16;

	elf_at(&z, 0);
	seal(&z, at);
	job = job_of(&z);
	load = load_by(multiboot2_load, &job);
	cr_assert_eq(load->entry.rip, 0x100010u);
	load_done(load);

	/* The entry address tag is physical and goes first. */
	at = TAG(&z, at, 3, 0, 0x100020);
	seal(&z, at);
	load = load_by(multiboot2_load, &job);
	cr_assert_eq(load->entry.rip, 0x100020u);
	load_done(load);
	put(&z, HEADER + 24, 4, 0x103000);
	refused(multiboot2_load, &z, "offset 0x58: entry_addr = 0x103000");
}

Test(loader_multiboot2, what_an_image_may_ask)
{
	static struct image z;
	static const struct {
		uint16_t type, flags;
		uint32_t word;
		const char *says; /* NULL: granted */
	} row[] = {
		{1, 0, 6, NULL},
		{1, 0, 15, NULL},
		{1, 0, 8, NULL},
		{1, 0, 9, "offset 0x80: information request = 0x9"},
		{1, 0, 0x80000001, "information request = 0x80000001"},
		{1, 1, 9, NULL},
		{4, 0, 2, NULL},
		{4, 0, 3, "offset 0x80: console_flags = 0x3"},
		{4, 1, 3, NULL},
		{5, 0, 0, "offset 0x78: linear framebuffer = 0x1"},
		{5, 1, 0, NULL},
		{6, 0, 0, NULL},
		{7, 0, 0, "offset 0x78: tag's type = 0x7"},
		{7, 1, 0, NULL},
		{8, 0, 0, NULL},
		{9, 0, 0, NULL},
		{11, 0, 0, "offset 0x78: tag's type = 0xb"},
		{11, 1, 0, NULL},
		{0xFFFF, 1, 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct loader_job job;
		size_t at = flat_tags(&z);

		cr_assert_eq(at, 0x78u);
		at = TAG(&z, at, row[i].type, row[i].flags, row[i].word);
		seal(&z, at);
		job = job_of(&z);
		if (row[i].says)
			refused(multiboot2_load, &z, row[i].says);
		else
			load_done(load_by(multiboot2_load, &job));
	}
}

Test(loader_multiboot2, each_wrong_field_is_named)
{
	static struct image z;
	static const struct {
		unsigned at;
		uint32_t value;
		const char *says;
	} row[] = {
		{HEADER, 0, "offset 0: no Multiboot2 header"},
		{HEADER + 12, 0, "offset 0x4c: Multiboot2 checksum = 0"},
		{0x54, 7, "offset 0x54: tag's size = 0x7"},
		{0x54, 16, "offset 0x54: tag's size = 0x10"},
		{0x54, 0x1000, "offset 0x54: tag's size = 0x1000"},
		{0x58, 0x1000, "offset 0x5c: load_addr"},
		{0x5C, 0x100041, "offset 0x5c: load_addr = 0x100041"},
		{0x60, 0x0FFFFF, "offset 0x60: load_end_addr = 0xfffff"},
		{0x60, 0x101001, "offset 0x60: load_end_addr = 0x101001"},
		{0x64, 0x100FFF, "offset 0x64: bss_end_addr = 0x100fff"},
		{0x68, 6,
		 "offset 0x50: tag's type = 0x2: an address tag needs"},
		{0x6C, 8, "offset 0x6c: tag's size = 0x8"},
		{0x70, 0x102000, "offset 0x70: entry_addr = 0x102000"},
		{0x70, 0x0FFFFF, "offset 0x70: entry_addr = 0xfffff"},
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		flat_image(&z);
		put(&z, row[i].at, 4, row[i].value);
		if (row[i].at == 0x58) /* the header lies below its load */
			put(&z, 0x5C, 4, 0x100000);
		refused(multiboot2_load, &z, row[i].says);
	}

	/* With a right sum: another architecture, no end. */
	flat_image(&z);
	put(&z, HEADER + 4, 4, 4);
	put(&z, HEADER + 12, 4, -(0xE85250D6 + 4 + (0x80 - HEADER)));
	refused(multiboot2_load, &z, "offset 0x44: architecture = 0x4");
	flat_image(&z);
	put(&z, HEADER + 8, 4, 0x38);
	put(&z, HEADER + 12, 4, -(0xE85250D6 + 0x38));
	refused(multiboot2_load, &z, "offset 0x48: header_length = 0x38");
	put(&z, HEADER + 8, 4, 0x1000);
	put(&z, HEADER + 12, 4, -(0xE85250D6 + 0x1000));
	refused(multiboot2_load, &z, "offset 0x48: header_length = 0x1000");
	for (uint64_t bytes = 0; bytes < 0x80; bytes++) {
		flat_image(&z);
		z.bytes = bytes;
		refused(multiboot2_load, &z, "offset ");
	}
}

/* ---- PVH ---- */

/* Another note, then ours with `desc` bytes of entry. */
static void pvh_image(struct image *z, unsigned desc, uint64_t entry)
{
	elf_at(z, 20 + 16 + desc);
	put(z, 0x400, 4, 4);
	put(z, 0x404, 4, 4);
	put(z, 0x408, 4, 18);
	memcpy(z->data + 0x40C, "GNU", 4);
	put(z, 0x414, 4, 4);
	put(z, 0x418, 4, desc);
	put(z, 0x41C, 4, 18);
	memcpy(z->data + 0x420, "Xen", 4);
	put(z, 0x424, desc < 8 ? desc : 8, entry);
}

Test(loader_pvh, start_information)
{
	static struct image z;
	struct loader_job job;
	struct loader_load *load;
	const struct loader_piece *p;
	uint64_t list, map, last = 0;

	pvh_image(&z, 8, 0x100040);
	job = job_of(&z);
	cr_assert(pvh_recognises(&job.kernel));
	job.initrd = (struct loader_file){"initrd", z.data, 0x1001};
	job.module[0] = (struct loader_module){
		{"module", (const uint8_t *)"abc", 3}, "one first"};
	job.module_count = 1;
	load = load_by(pvh_load, &job);
	p = piece(load, "boot information");
	cr_assert_eq(load->entry.mode, LOADER_FLAT32);
	cr_assert_eq(load->entry.rip, 0x100040u, "not e_entry");
	cr_assert_eq(load->entry.gpr[CPU_RBX], p->pa);

	cr_assert_eq(field(p, 0, 4), 0x336EC578u);
	cr_assert_eq(field(p, 4, 4), 1u);
	cr_assert_eq(field(p, 8, 4), 0u);
	cr_assert_eq(field(p, 12, 4), 2u);
	list = field(p, 16, 8) - p->pa;
	cr_assert_eq(field(p, list, 8), 0x103000u);
	cr_assert_eq(field(p, list + 8, 8), 0x1001u);
	cr_assert_eq(field(p, list + 16, 8), 0u);
	cr_assert_eq(field(p, list + 32, 8), 0x105000u);
	cr_assert_eq(field(p, list + 40, 8), 3u);
	cr_assert_str_eq(text(p, field(p, list + 48, 8)), "one first");
	cr_assert_str_eq(text(p, field(p, 24, 8)), "quiet 1");
	cr_assert_eq(field(p, 32, 8), 0xE0000u, "RSDP");
	map = field(p, 40, 8) - p->pa;
	cr_assert_gt(field(p, 48, 4), 3u);
	for (uint64_t i = 0; i < field(p, 48, 4); i++) {
		uint64_t base = field(p, map + 24 * i, 8);
		uint64_t bytes = field(p, map + 24 * i + 8, 8);

		cr_assert_geq(base, last);
		last = base + bytes;
		if (field(p, map + 24 * i + 16, 4) == 1)
			cr_assert(loader_is_ram(&job, base, bytes));
	}
	load_done(load);

	/* 4 bytes will do; nothing else goes with it. */
	pvh_image(&z, 4, 0x100044);
	job = job_of(&z);
	load = load_by(pvh_load, &job);
	cr_assert_eq(load->entry.rip, 0x100044u);
	p = piece(load, "boot information");
	cr_assert_eq(field(p, 12, 4), 0u);
	cr_assert_eq(field(p, 16, 8), 0u);
	load_done(load);
}

Test(loader_pvh, each_wrong_field_is_named)
{
	static struct image z;

	pvh_image(&z, 8, 0x103000);
	refused(pvh_load, &z, "offset 0x424: PVH entry = 0x103000");
	pvh_image(&z, 8, UINT64_C(0x100100000));
	refused(pvh_load, &z, "offset 0x424: PVH entry = 0x100100000");
	pvh_image(&z, 6, 0);
	refused(pvh_load, &z, "offset 0x424: PVH note's length = 0x6");
	pvh_image(&z, 8, 0x100000);
	put(&z, 0x418, 4, 9);
	refused(pvh_load, &z, "offset 0x414: n_descsz = 0x9");
	put(&z, 0x418, 4, 0xFFFFFFFF);
	refused(pvh_load, &z, "offset 0x414: n_descsz = 0xffffffff");
	pvh_image(&z, 8, 0x100000);
	put(&z, 0x400, 4, 0xFFFFFFFF);
	refused(pvh_load, &z, "offset 0x400: n_descsz = 0x4");
	pvh_image(&z, 8, 0x100000);
	put(&z, 0x41C, 4, 17);
	refused(pvh_load, &z, "offset 0: no PVH note");
	pvh_image(&z, 8, 0x100000);
	put(&z, 18, 2, EM_ARM);
	refused(pvh_load, &z, "offset 0x12: e_machine = 0x28");
	z.bytes = 0;
	refused(pvh_load, &z, "offset 0: e_ident");
}

/* ---- raw ---- */

Test(loader_raw, entries)
{
	static const struct {
		format_load *format;
		uint64_t given, pa, rsp, rdx;
		enum loader_mode mode;
	} row[] = {
		{raw16_load, MACHINE_LOAD_DEFAULT, 0x7C00, 0x7C00, 0x80,
		 LOADER_REAL16},
		{raw16_load, 0x80000, 0x80000, 0, 0x80, LOADER_REAL16},
		{raw32_load, MACHINE_LOAD_DEFAULT, MIB, MIB, 0, LOADER_FLAT32},
		{raw32_load, 0x1000, 0x1000, 0x1000, 0, LOADER_FLAT32},
		{raw64_load, MACHINE_LOAD_DEFAULT, MIB, MIB, 0, LOADER_LONG64},
		{raw64_load, 2 * MIB, 2 * MIB, 2 * MIB, 0, LOADER_LONG64},
	};
	static struct image z;

	fill(&z, 0x123);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct loader_job job = job_of(&z);
		struct loader_load *load;

		job.load_address = row[i].given;
		load = load_by(row[i].format, &job);
		cr_assert_eq(piece(load, "raw image")->pa, row[i].pa);
		cr_assert_eq(piece(load, "raw image")->bytes, 0x123u);
		cr_assert_eq(load->entry.mode, row[i].mode);
		cr_assert_eq(load->entry.rip, row[i].pa);
		cr_assert_eq(load->entry.gpr[CPU_RSP], row[i].rsp);
		cr_assert_eq(load->entry.gpr[CPU_RDX], row[i].rdx);
		cr_assert_eq(load->entry.gdt_base != 0,
			     row[i].mode != LOADER_REAL16);
		cr_assert_eq(load->entry.cr3 != 0,
			     row[i].mode == LOADER_LONG64);
		load_done(load);
	}
}

static struct error raw_error(format_load *format, uint64_t at, uint64_t bytes)
{
	static struct image z;
	struct loader_load *load = calloc(1, sizeof(*load));
	struct loader_job job;
	struct error err = {0};

	fill(&z, bytes);
	job = job_of(&z);
	job.load_address = at;
	cr_assert_not(format(&job, load, &err));
	load_done(load);
	cr_assert_eq(err.code, EXIT_USAGE);
	return err;
}

Test(loader_raw, errors)
{
	cr_assert(strstr(raw_error(raw16_load, 0x7C00, 0).text,
			 "offset 0: size = 0"));
	cr_assert(strstr(raw_error(raw16_load, 0x100000, 1).text,
			 "real mode does not reach"));
	cr_assert(strstr(raw_error(raw32_load, 0x9FFFF, 2).text, "not in RAM"));
	cr_assert(strstr(raw_error(raw32_load, 0x90FFF, 2).text,
			 "meets the raw image"));
	cr_assert(strstr(raw_error(raw64_load, 0x91FFF, 2).text,
			 "meets the raw image"));
}

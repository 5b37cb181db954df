/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "sim/loader_internal.h"

#define MAGIC     UINT32_C(0x1BADB002)
#define ADDRESSES UINT32_C(0x00010000)

/* --- images --- */

struct bytes {
	uint8_t data[16384];
	size_t count;
};

static void put32(struct bytes *b, size_t at, uint32_t value)
{
	memcpy(b->data + at, &value, sizeof(value));
	if (b->count < at + sizeof(value))
		b->count = at + sizeof(value);
}

static void put_header(struct bytes *b, size_t at, uint32_t flags)
{
	put32(b, at, MAGIC);
	put32(b, at + 4, flags);
	put32(b, at + 8, -(MAGIC + flags));
}

static void put_addresses(struct bytes *b, size_t at, uint32_t header,
			  uint32_t load, uint32_t load_end, uint32_t bss_end,
			  uint32_t entry)
{
	put32(b, at + 12, header);
	put32(b, at + 16, load);
	put32(b, at + 20, load_end);
	put32(b, at + 24, bss_end);
	put32(b, at + 28, entry);
}

/* Header at 20h, loaded whole from 0 to 1 MiB on. */
static void flat_image(struct bytes *b)
{
	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < 0x200; i++)
		b->data[i] = (uint8_t)i;
	b->count = 0x200;
	put_header(b, 0x20, ADDRESSES);
	put_addresses(b, 0x20, 0x100020, 0x100000, 0, 0x101000, 0x100100);
}

/* Text at 1 MiB (linear 8010_0000h), data at 2 MiB with bss; e_entry linear. */
static void elf32_image(struct bytes *b)
{
	const Elf32_Ehdr eh = {
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = 1,
		.e_entry = 0x80100010,
		.e_phoff = 0x40,
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 3,
	};
	const Elf32_Phdr ph[3] = {
		{PT_NOTE, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0},
		{PT_LOAD, 0x1000, 0x80100000, 0x100000, 0x100, 0x100, 5, 0},
		{PT_LOAD, 0x1100, 0x80200000, 0x200000, 0x80, 0x1000, 6, 0},
	};

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < 0x1180; i++)
		b->data[i] = (uint8_t)(i * 7);
	b->count = 0x1180;
	memcpy(b->data, &eh, sizeof(eh));
	memcpy(b->data + 0x40, ph, sizeof(ph));
	put_header(b, 0x1000, 3);
}

static void elf64_image(struct bytes *b)
{
	const Elf64_Ehdr eh = {
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = 0xFFFFFFFF80100010,
		.e_phoff = 0x40,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	const Elf64_Phdr ph = {PT_LOAD,  5,     0x1000, 0xFFFFFFFF80100000,
			       0x100000, 0x180, 0x3000, 0x1000};

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < 0x1180; i++)
		b->data[i] = (uint8_t)(i * 5);
	b->count = 0x1180;
	memcpy(b->data, &eh, sizeof(eh));
	memcpy(b->data + 0x40, &ph, sizeof(ph));
	put_header(b, 0x1000, 0);
}

static struct loader_plan plan_of(const struct bytes *b)
{
	struct loader_plan plan;
	struct error err;

	const struct loader_file f = {"image", b->data, b->count};

	cr_assert(multiboot_plan(&plan, &f, &err), "%s", err.text);
	return plan;
}

/* The plan fails, and says where and what to do. */
static void refused(const struct bytes *b, const char *offset, const char *says)
{
	struct loader_plan plan;
	struct error err = {0};
	/* An exact copy: a sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(b->count ? b->count : 1);
	const struct loader_file f = {"some/image", copy, b->count};
	char where[32];

	memcpy(copy, b->data, b->count);
	cr_assert_not(multiboot_plan(&plan, &f, &err), "%s", says);
	free(copy);
	snprintf(where, sizeof(where), "offset %s:", offset);
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, "some/image: "), "%s", err.text);
	cr_assert(strstr(err.text, where), "%s: %s", where, err.text);
	cr_assert(strstr(err.text, says), "%s: %s", says, err.text);
	cr_assert(strchr(err.text, ';'), "a remedy: %s", err.text);
}

/* --- plans --- */

Test(loader, flat_images)
{
	static struct bytes b;
	struct loader_plan p;

	flat_image(&b);
	p = plan_of(&b);
	cr_assert_eq(p.segment_count, 1u);
	cr_assert_eq(p.header_offset, 0x20u);
	cr_assert_eq(p.segment[0].pa, 0x100000u);
	cr_assert_eq(p.segment[0].offset, 0u);
	cr_assert_eq(p.segment[0].file_bytes, 0x200u);
	cr_assert_eq(p.segment[0].mem_bytes, 0x1000u);
	cr_assert_eq(p.entry, 0x100100u);

	/* Only what lies between load_addr and load_end_addr. */
	put_addresses(&b, 0x20, 0x100020, 0x100010, 0x100180, 0, 0x100100);
	p = plan_of(&b);
	cr_assert_eq(p.segment[0].offset, 0x10u);
	cr_assert_eq(p.segment[0].file_bytes, 0x170u);
	cr_assert_eq(p.segment[0].mem_bytes, 0x170u);
}

Test(loader, elf_images)
{
	static struct bytes b;
	struct loader_plan p;

	elf32_image(&b);
	p = plan_of(&b);
	cr_assert_eq(p.segment_count, 2u);
	cr_assert_eq(p.entry, 0x100010u, "where the entry's byte is loaded");
	cr_assert_eq(p.segment[1].pa, 0x200000u);
	cr_assert_eq(p.segment[1].offset, 0x1100u);
	cr_assert_eq(p.segment[1].file_bytes, 0x80u);
	cr_assert_eq(p.segment[1].mem_bytes, 0x1000u);

	elf64_image(&b);
	p = plan_of(&b);
	cr_assert_eq(p.segment_count, 1u);
	cr_assert_eq(p.entry, 0x100010u);
	cr_assert_eq(p.segment[0].mem_bytes, 0x3000u);
}

Test(loader, the_header_is_where_the_specification_looks)
{
	static struct bytes b;

	/* The last place in which it fits, with and without addresses. */
	flat_image(&b);
	put32(&b, 0x20, 0);
	put_header(&b, 8192 - 32, ADDRESSES);
	put_addresses(&b, 8192 - 32, 0x102000 - 32, 0x100000, 0, 0, 0x100000);
	cr_assert_eq(plan_of(&b).header_offset, 8192u - 32);
	put32(&b, 8192 - 32, 0);
	put_header(&b, 8192 - 12, 0);
	refused(&b, "0", "e_ident"); /* found; not ELF */
	put32(&b, 8192 - 12, 0);
	put_header(&b, 8192 - 8, 0);
	refused(&b, "0", "no Multiboot 1 header");
	put_header(&b, 8192 - 28, ADDRESSES);
	refused(&b, "0x1fe4", "leave the first 8192 bytes");

	/* Not aligned: not a header.  A wrong sum: maybe data. */
	flat_image(&b);
	put32(&b, 0x20, 0);
	put_header(&b, 0x42, ADDRESSES);
	refused(&b, "0", "no Multiboot 1 header");
	flat_image(&b);
	put32(&b, 0x10, MAGIC);
	cr_assert_eq(plan_of(&b).header_offset, 0x20u);
	put32(&b, 0x28, 1);
	refused(&b, "0x18", "checksum"); /* the first such place */
}

Test(loader, each_wrong_field_is_named)
{
	static struct bytes b;
	static const struct {
		unsigned at;
		unsigned size;
		uint32_t value;
		const char *offset, *says;
	} elf[] =
		{
			{0, 1, 0x7E, "0", "e_ident"},
			{EI_CLASS, 1, 3, "0x4", "EI_CLASS"},
			{EI_DATA, 1, ELFDATA2MSB, "0x5", "EI_DATA"},
			{16, 2, ET_DYN, "0x10", "e_type"},
			{18, 2, EM_ARM, "0x12", "e_machine"},
			{24, 4, 0x1234, "0x18", "e_entry"},
			{28, 4, 0x1170, "0x1c", "e_phoff"},
			{28, 4, 0xFFFFFFFF, "0x1c", "e_phoff"},
			{42, 2, 56, "0x2a", "e_phentsize"},
			{44, 2, 0xFFFF, "0x1c", "e_phoff"},
			{44, 2, 1, "0x2c", "nothing to load"},
			{0x60 + 4, 4, 0x1200, "0x64", "p_offset"},
			{0x60 + 12, 4, 0xFFFFFF80, "0x6c", "p_paddr"},
			{0x60 + 12, 4, 0x200000 - 0x80, "0x8c", "overlaps"},
			{0x60 + 16, 4, 0x101, "0x70", "p_filesz"},
			{0x80 + 20, 4, 0xFFFFFFFF, "0x8c", "p_paddr"},
			{0x1004, 4, 3 + 8, "0x1008", "checksum"},
		},
	  flat[] = {
		  {0x30, 4, 0x100024, "0x30", "load_addr"},
		  {0x30, 4, 0x0FFFFF, "0x30", "load_addr"},
		  {0x34, 4, 0x0FFFFF, "0x34", "load_end_addr"},
		  {0x34, 4, 0x100201, "0x34", "load_end_addr"},
		  {0x38, 4, 0x1001FF, "0x38", "bss_end_addr"},
		  {0x3C, 4, 0x0FFFFF, "0x3c", "entry_addr"},
		  {0x3C, 4, 0x101000, "0x3c", "entry_addr"},
	  };

	for (size_t i = 0; i < ARRAY_LEN(elf); i++) {
		elf32_image(&b);
		memcpy(b.data + elf[i].at, &elf[i].value, elf[i].size);
		refused(&b, elf[i].offset, elf[i].says);
	}
	for (size_t i = 0; i < ARRAY_LEN(flat); i++) {
		flat_image(&b);
		memcpy(b.data + flat[i].at, &flat[i].value, flat[i].size);
		refused(&b, flat[i].offset, flat[i].says);
	}
	flat_image(&b);
	put_header(&b, 0x20, ADDRESSES | 4);
	b.count = 0x20 + 47;
	refused(&b, "0x20", "video fields");
	flat_image(&b);
	put_header(&b, 0x20, ADDRESSES | 8);
	refused(&b, "0x24", "version 1 does not have");
	flat_image(&b);
	b.count = 0x20 + 31;
	refused(&b, "0x20", "truncated");
	elf32_image(&b);
	b.count = 0x1000;
	refused(&b, "0", "no Multiboot 1 header");
	b.count = 0;
	refused(&b, "0", "no Multiboot 1 header");
}

Test(loader, too_many_segments)
{
	static struct bytes b;

	elf32_image(&b);
	for (uint32_t i = 0; i <= LOADER_SEGMENTS_MAX; i++) {
		Elf32_Phdr ph = {PT_LOAD,
				 0x1000,
				 0x80100000 + i * 16,
				 0x100000 + i * 16,
				 16,
				 16,
				 5,
				 0};

		memcpy(b.data + 0x40 + i * sizeof(ph), &ph, sizeof(ph));
	}
	b.data[44] = LOADER_SEGMENTS_MAX;
	cr_assert_eq(plan_of(&b).segment_count, LOADER_SEGMENTS_MAX);
	b.data[44]++;
	refused(&b, "0x440", "more segments than 32");
}

/* --- a corpus of wreckage: never a crash, never a plan that lies --- */

static void check_plan(const struct loader_plan *p, size_t bytes)
{
	bool entry = false;

	cr_assert_geq(p->segment_count, 1u);
	cr_assert_leq(p->segment_count, LOADER_SEGMENTS_MAX);
	for (size_t i = 0; i < p->segment_count; i++) {
		const struct loader_segment *s = &p->segment[i];

		cr_assert_leq(s->offset, bytes);
		cr_assert_leq(s->file_bytes, bytes - s->offset);
		cr_assert_leq(s->file_bytes, s->mem_bytes);
		cr_assert_leq(s->pa + s->mem_bytes, UINT64_C(1) << 33);
		entry |= p->entry >= s->pa && p->entry - s->pa < s->mem_bytes;
	}
	cr_assert(entry);
}

static unsigned wreck(void (*make)(struct bytes *), uint64_t seed,
		      unsigned rounds)
{
	static struct bytes b;
	uint64_t rnd = seed;
	unsigned planned = 0;

	for (unsigned i = 0; i < rounds; i++) {
		struct loader_file f = {.path = "wreck"};
		struct loader_plan plan;
		struct error err = {0};
		uint8_t *copy;

		make(&b);
		for (unsigned k = 0; k <= rig_below(&rnd, 4); k++) {
			/* Mostly where the fields are. */
			size_t at = rig_below(&rnd, 2)
					    ? rig_below(&rnd, 0xA0)
					    : 0x1000 + rig_below(&rnd, 0x20);

			if (make == flat_image)
				at = 0x20 + rig_below(&rnd, 0x30);
			b.data[at] = rig_below(&rnd, 2)
					     ? (uint8_t)rig_random(&rnd)
					     : (uint8_t)-rig_below(&rnd, 2);
		}
		if (!rig_below(&rnd, 4))
			b.count = rig_below(&rnd, b.count + 1);
		copy = malloc(b.count + 1);
		memcpy(copy, b.data, b.count);
		copy = realloc(copy, b.count ? b.count : 1);
		f.data = copy;
		f.bytes = b.count;
		if (multiboot_plan(&plan, &f, &err)) {
			check_plan(&plan, b.count);
			planned++;
		} else {
			cr_assert_eq(err.code, EXIT_USAGE);
			cr_assert(strstr(err.text, "wreck: offset "), "%s",
				  err.text);
		}
		free(copy);
	}
	return planned;
}

Test(loader, wreckage)
{
	cr_assert_gt(wreck(flat_image, 1, 20000), 100u);
	cr_assert_gt(wreck(elf32_image, 2, 20000), 1000u);
	cr_assert_gt(wreck(elf64_image, 3, 20000), 1000u);
}

/* --- booting --- */

static char path[4][64];

static void remove_files(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(path); i++) {
		if (*path[i])
			unlink(path[i]);
	}
}

static const char *file_of(unsigned i, const void *data, size_t bytes)
{
	int fd;

	strcpy(path[i], "/tmp/parterre-loader-XXXXXX");
	fd = mkstemp(path[i]);
	cr_assert(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
	close(fd);
	return path[i];
}

static uint32_t word(struct machine *m, paddr_t pa)
{
	uint32_t value = 0;

	cr_assert(bus_peek(machine_bus(m), pa, &value, 4), "%#lx", pa);
	return value;
}

static const char *text(struct machine *m, paddr_t pa)
{
	return (const char *)bus_ram(machine_bus(m), pa, 1);
}

Test(loader, boots, .fini = remove_files)
{
	static struct bytes b;
	static const char module[5000] = "module one";
	struct machine_config c = rig_config(1);
	struct machine *m;
	struct cpu_regs regs;
	paddr_t info, mods, at;
	uint32_t end;

	elf32_image(&b);
	c.kernel = file_of(0, b.data, b.count);
	c.cmdline = "quiet 1";
	c.module[0] = (struct machine_module){
		file_of(1, module, sizeof(module)), "one first"};
	c.module[1] = (struct machine_module){file_of(2, "", 0), NULL};
	c.module[2] = (struct machine_module){file_of(3, "xyz", 3), "three"};
	c.module_count = 3;
	m = rig_create(&c, NULL);

	/* Segments, and zeroes where the file has nothing. */
	cr_assert_not(memcmp(bus_ram(machine_bus(m), 0x100000, 0x100),
			     b.data + 0x1000, 0x100));
	cr_assert_not(memcmp(bus_ram(machine_bus(m), 0x200000, 0x80),
			     b.data + 0x1100, 0x80));
	cr_assert_eq(word(m, 0x200080), 0u);

	/* Specification 3.2. */
	cpu_regs_get(machine_cpu(m, 0), &regs);
	cr_assert_eq(regs.gpr[CPU_RAX], 0x2BADB002u);
	cr_assert_eq(regs.rip, 0x100010u);
	cr_assert_eq(regs.cr0 & 0x80000001, 1u);
	cr_assert_eq(regs.rflags & 0x20200, 0u);
	for (unsigned i = 0; i < CPU_SEG_COUNT; i++) {
		cr_assert_eq(regs.seg[i].base, 0u);
		cr_assert_eq(regs.seg[i].limit, UINT32_MAX);
		cr_assert_eq(regs.seg[i].attr & 0xC01A,
			     i == CPU_CS ? 0xC01A : 0xC012);
	}

	info = regs.gpr[CPU_RBX];
	cr_assert_eq(info % 4, 0u);
	cr_assert_eq(word(m, info), 0x124Du);
	cr_assert_eq(word(m, info + 4), 640u);
	cr_assert_eq(word(m, info + 8), 15u * 1024);
	cr_assert_str_eq(text(m, word(m, info + 16)), "quiet 1");
	cr_assert_str_eq(text(m, word(m, info + 64)), "Parterre");

	/* Modules: a page each, after the kernel, in order. */
	cr_assert_eq(word(m, info + 20), 3u);
	mods = word(m, info + 24);
	cr_assert_eq(word(m, mods), 0x201000u);
	cr_assert_eq(word(m, mods + 4), 0x201000u + sizeof(module));
	cr_assert_str_eq(text(m, word(m, mods + 8)), "one first");
	cr_assert_str_eq(text(m, 0x201000), "module one");
	cr_assert_eq(word(m, mods + 16), 0x203000u);
	cr_assert_eq(word(m, mods + 20), 0x203000u, "an empty one");
	cr_assert_str_eq(text(m, word(m, mods + 24)), "");
	cr_assert_eq(word(m, mods + 32), 0x203000u);
	cr_assert_eq(word(m, mods + 36), 0x203003u);
	cr_assert_eq(info, 0x204000u);

	/* The map: in order, disjoint, all RAM that is promised is there. */
	at = word(m, info + 48);
	end = (uint32_t)at + word(m, info + 44);
	for (uint64_t last = 0; at < end; at += word(m, at) + 4) {
		uint64_t base = word(m, at + 4) | (uint64_t)word(m, at + 8)
							  << 32;
		uint64_t size = word(m, at + 12) | (uint64_t)word(m, at + 16)
							   << 32;

		cr_assert_geq(base, last);
		last = base + size;
		if (word(m, at + 20) == 1)
			cr_assert(bus_ram(machine_bus(m), base, size));
	}
	cr_assert_eq(at, end);
	machine_destroy(m);
}

Test(loader, boots_equal_every_time, .fini = remove_files)
{
	static struct bytes b;
	struct machine_config c = rig_config(1);
	uint64_t digest[2];

	elf64_image(&b);
	for (unsigned i = 0; i < 2; i++) {
		struct machine *m;

		/* Another path: the guest cannot tell. */
		c.kernel = file_of(2 * i, b.data, b.count);
		c.module[0].path = file_of(2 * i + 1, "abc", 3);
		c.module_count = 1;
		m = rig_create(&c, NULL);
		digest[i] = machine_digest(m);
		machine_destroy(m);
	}
	cr_assert_eq(digest[0], digest[1]);
}

static void not_made(const struct machine_config *c, const char *says,
		     const char *name)
{
	struct error err = {0};

	cr_assert_null(machine_create(c, NULL, &err), "%s", says);
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, says), "%s", err.text);
	cr_assert(strstr(err.text, name), "%s", err.text);
}

Test(loader, what_does_not_fit_is_told, .fini = remove_files)
{
	static struct bytes b;
	struct machine_config c = rig_config(1);
	char *big = calloc(1, 70000);

	c.kernel = "/nonexistent/kernel.elf";
	not_made(&c, "build the images", "/nonexistent/kernel.elf");
	c.kernel = "/tmp";
	not_made(&c, "regular file", "/tmp");

	elf32_image(&b);
	c.kernel = file_of(0, b.data, b.count);
	c.module_count = 1;
	c.module[0].path = "/nonexistent/module";
	not_made(&c, "module", "/nonexistent/module");
	c.module_count = 0;

	c.ram_bytes = UINT64_C(2) << 20;
	not_made(&c, "more RAM", "segment of");
	c.ram_bytes = 0x201000;
	not_made(&c, "boot information", path[0]);
	c.module_count = 1;
	c.module[0].path = path[0];
	not_made(&c, "module of", path[0]);
	c.module_count = 0;
	c.ram_bytes = 0x202000;
	machine_destroy(rig_create(&c, NULL));

	memset(big, 'x', 69999);
	c.cmdline = big;
	not_made(&c, "shorten", "command line");
	c.cmdline = NULL;

	/* Low memory is the image's to use, the firmware's tables are not. */
	flat_image(&b);
	put_addresses(&b, 0x20, 0x9F020, 0x9F000, 0, 0xA0000, 0x9F100);
	c.kernel = file_of(1, b.data, b.count);
	machine_destroy(rig_create(&c, NULL));
	put_addresses(&b, 0x20, 0x9F020, 0x9F000, 0, 0xA0001, 0x9F100);
	c.kernel = file_of(2, b.data, b.count);
	not_made(&c, "not in RAM", path[2]);
	put_addresses(&b, 0x20, 0xDFF20, 0xDFF00, 0, 0, 0xDFF00);
	c.kernel = file_of(3, b.data, b.count);
	not_made(&c, "firmware's tables", path[3]);
	free(big);
}

Test(loader, configurations_are_checked)
{
	static const struct {
		size_t at;
		size_t size;
		uint64_t value;
		const char *says;
	} row[] = {
#define ROW(member, value, says)                                               \
	{offsetof(struct machine_config, member),                              \
	 sizeof(((struct machine_config *)0)->member), value, says}
		ROW(cpu_count, 0, "0 CPUs"),
		ROW(cpu_count, 9, "9 CPUs"),
		ROW(cpu_hz, 999999, "999999 Hz"),
		ROW(digest_interval, 0, "digest interval"),
		ROW(quantum_ps, 0, "quantum"),
		ROW(module_count, 17, "17 modules"),
		ROW(controllers, 5, "5 disk controllers"),
		ROW(serial_hz, 999, "serial clock of 999 Hz"),
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct machine_config c = rig_config(1);

		memcpy((char *)&c + row[i].at, &row[i].value, row[i].size);
		not_made(&c, row[i].says, "give");
	}
}

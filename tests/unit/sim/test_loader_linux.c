/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sim/test_loader_linux.c - the zero page, the places and the entry
 * state of a Linux bzImage, field by field as boot.rst names them.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/loader_internal.h"

#define CODE     0x400 /* setup_sects = 1 */
#define MIB      LOADER_MIB
#define LOW_RAM  (64 * MIB)
#define HIGH_RAM (32 * MIB)

struct image {
	uint8_t data[0x1000];
	uint64_t bytes;
};

static void put(struct image *z, size_t at, unsigned size, uint64_t value)
{
	memcpy(z->data + at, &value, size);
}

/* Relocatable, 64-bit entry, prefers 16 MiB. */
static void bzimage(struct image *z)
{
	memset(z, 0, sizeof(*z));
	z->bytes = sizeof(z->data);
	for (size_t i = CODE; i < sizeof(z->data); i++)
		z->data[i] = (uint8_t)(i * 3);
	put(z, 0x1F1, 1, 1);          /* setup_sects */
	put(z, 0x1FE, 2, 0xAA55);     /* boot_flag */
	put(z, 0x200, 2, 0x66EB);     /* jump */
	put(z, 0x202, 4, 0x53726448); /* header */
	put(z, 0x206, 2, 0x020F);     /* version */
	put(z, 0x211, 1, 0x01);       /* loadflags */
	put(z, 0x22C, 4, 0x7FFFFFFF); /* initrd_addr_max */
	put(z, 0x230, 4, 0x200000);   /* kernel_alignment */
	put(z, 0x234, 1, 1);          /* relocatable_kernel */
	put(z, 0x236, 2, 1);          /* xloadflags */
	put(z, 0x238, 4, 2047);       /* cmdline_size */
	put(z, 0x258, 8, 0x1000000);  /* pref_address */
	put(z, 0x260, 4, 0x300000);   /* init_size */
}

static struct loader_job job_of(const struct image *z)
{
	return (struct loader_job){
		.kernel = {"some/image", z->data, z->bytes},
		.cmdline = "console=ttyS0",
		.load_address = MACHINE_LOAD_DEFAULT,
		.ram = {{.base = 0, .bytes = 0xA0000},
			{.base = 0xC0000, .bytes = LOW_RAM - 0xC0000},
			{.base = BUS_RAM_HIGH, .bytes = HIGH_RAM}},
		.ram_count = 3,
	};
}

/* Allocated, for it is large; released by load_done(). */
static struct loader_load *load_by(bool (*format)(const struct loader_job *,
						  struct loader_load *,
						  struct error *),
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

	memcpy(&value, p->data + at, size);
	return value;
}

Test(loader_linux, zero_page)
{
	static struct image z;
	static const uint8_t initrd[5000] = "cpio";
	struct loader_job job;
	struct loader_load *load;
	const struct loader_piece *zero, *p;

	bzimage(&z);
	put(&z, 0x1FA, 2, 0x1234); /* vid_mode */
	job = job_of(&z);
	job.initrd = (struct loader_file){"initrd", initrd, sizeof(initrd)};
	load = load_by(linux_load, &job);
	zero = piece(load, "zero page");
	cr_assert_eq(zero->data_bytes, 4096u);

	/* The set-up header as in the file, and what the loader fills in. */
	cr_assert_eq(field(zero, 0x202, 4), 0x53726448u);
	cr_assert_eq(field(zero, 0x206, 2), 0x020Fu);
	cr_assert_eq(field(zero, 0x1FA, 2), 0xFFFFu, "vid_mode: normal");
	cr_assert_eq(field(zero, 0x210, 1), 0xFFu, "type_of_loader");
	cr_assert_eq(field(zero, 0x214, 4), 0x1000000u, "code32_start");
	cr_assert_eq(field(zero, 0x070, 8), 0xE0000u, "acpi_rsdp_addr");
	cr_assert_eq(field(zero, 0x0F, 1), 1, "screen_info: VGA");
	/* What is not the header's is zero. */
	for (size_t i = 0x40; i < 0x70; i++)
		cr_assert_eq(zero->data[i], 0, "%#zx", i);
	cr_assert_eq(zero->data[0x1EF], 0, "sentinel");

	p = piece(load, "initrd");
	cr_assert_eq(p->pa, LOW_RAM - 0x2000, "as high as it goes, a page");
	cr_assert_eq(field(zero, 0x218, 4), p->pa, "ramdisk_image");
	cr_assert_eq(field(zero, 0x21C, 4), sizeof(initrd), "ramdisk_size");
	cr_assert_eq(p->data, initrd);

	p = piece(load, "command line");
	cr_assert_eq(field(zero, 0x228, 4), p->pa, "cmd_line_ptr");
	cr_assert_str_eq((const char *)p->data, "console=ttyS0");
	cr_assert_eq(p->data_bytes, sizeof("console=ttyS0"));

	p = piece(load, "kernel");
	cr_assert_eq(p->pa, 0x1000000u);
	cr_assert_eq(p->data, z.data + CODE);
	cr_assert_eq(p->data_bytes, sizeof(z.data) - CODE);
	cr_assert_eq(p->bytes, 0x300000u, "init_size is kept free");
	load_done(load);
}

Test(loader_linux, memory_map)
{
	static struct image z;
	struct loader_job job;
	struct loader_load *load;
	const struct loader_piece *zero;
	uint64_t last = 0, ram = 0;

	bzimage(&z);
	job = job_of(&z);
	load = load_by(linux_load, &job);
	zero = piece(load, "zero page");
	for (size_t i = 0; i < field(zero, 0x1E8, 1); i++) {
		size_t at = 0x2D0 + 20 * i;
		uint64_t base = field(zero, at, 8);
		uint64_t bytes = field(zero, at + 8, 8);

		cr_assert_geq(base, last, "sorted, disjoint");
		last = base + bytes;
		if (field(zero, at + 16, 4) == 1) {
			cr_assert(loader_is_ram(&job, base, bytes), "%#lx",
				  base);
			ram += bytes;
		} else {
			cr_assert_eq(field(zero, at + 16, 4), 2u);
		}
	}
	cr_assert_eq(ram, 0xA0000 + LOW_RAM - MIB + HIGH_RAM);
	load_done(load);
}

Test(loader_linux, entry_64)
{
	static struct image z;
	struct loader_job job;
	struct loader_load *load;
	const struct loader_piece *p;

	bzimage(&z);
	job = job_of(&z);
	load = load_by(linux_load, &job);
	cr_assert_eq(load->entry.mode, LOADER_LONG64);
	cr_assert_eq(load->entry.rip, 0x1000200u);
	cr_assert_eq(load->entry.gpr[CPU_RSI], piece(load, "zero page")->pa);
	cr_assert_eq(load->entry.code_selector, 0x10);
	cr_assert_eq(load->entry.data_selector, 0x18);
	p = piece(load, "GDT");
	cr_assert_eq(load->entry.gdt_base, p->pa);
	cr_assert_eq(load->entry.gdt_limit, 31u);
	cr_assert_eq(field(p, 16, 8), UINT64_C(0x00AF9B000000FFFF));
	cr_assert_eq(field(p, 24, 8), UINT64_C(0x00CF93000000FFFF));

	/* Linear is physical, from 0 to 4 GiB. */
	p = piece(load, "page tables");
	cr_assert_eq(load->entry.cr3, p->pa);
	for (uint64_t va = 0; va < UINT64_C(1) << 32; va += 0x200000) {
		uint64_t e = field(p, 0, 8);

		cr_assert_eq(e & 0xFFF, 3u);
		e = field(p, (e & ~0xFFFul) - p->pa + (va >> 30) * 8, 8);
		cr_assert_eq(e & 0xFFF, 3u);
		e = field(p, (e & ~0xFFFul) - p->pa + (va >> 21) % 512 * 8, 8);
		cr_assert_eq(e, va | 0x83);
	}
	load_done(load);
}

Test(loader_linux, entry_32)
{
	static struct image z;
	struct loader_job job;
	struct loader_load *load;

	bzimage(&z);
	put(&z, 0x236, 2, 0); /* no 64-bit entry */
	job = job_of(&z);
	load = load_by(linux_load, &job);
	cr_assert_eq(load->entry.mode, LOADER_FLAT32);
	cr_assert_eq(load->entry.rip, 0x1000000u);
	cr_assert_eq(field(piece(load, "GDT"), 16, 8),
		     UINT64_C(0x00CF9B000000FFFF));
	for (unsigned i = 0; i < CPU_GPR_COUNT; i++)
		cr_assert_eq(load->entry.gpr[i],
			     i == CPU_RSI ? piece(load, "zero page")->pa : 0);
	load_done(load);

	/* ... and where there is one, it may be asked for by name. */
	bzimage(&z);
	load = load_by(linux32_load, &job);
	cr_assert_eq(load->entry.rip, 0x1000000u);
	load_done(load);
}

Test(loader_linux, places)
{
	static struct image z;
	static const uint8_t initrd[0x1001];
	struct loader_job job;
	struct loader_load *load;

	/* Not where it prefers to be, but where there is RAM. */
	bzimage(&z);
	put(&z, 0x258, 8, LOW_RAM - 0x200000);
	job = job_of(&z);
	load = load_by(linux_load, &job);
	cr_assert_eq(piece(load, "kernel")->pa, 0x200000u);
	load_done(load);

	/* The initrd ends where it must. */
	bzimage(&z);
	put(&z, 0x22C, 4, 0x37FFFFF);
	job.initrd = (struct loader_file){"initrd", initrd, sizeof(initrd)};
	load = load_by(linux_load, &job);
	cr_assert_eq(piece(load, "initrd")->pa, 0x37FE000u);
	load_done(load);

	/* As large as RAM above the kernel, and no larger. */
	job.initrd.bytes = 0x3800000 - 0x1300000;
	load = load_by(linux_load, &job);
	cr_assert_eq(piece(load, "initrd")->pa, 0x1300000u);
	load_done(load);
}

static void refused(const struct loader_job *job, const char *says)
{
	struct loader_load *load = calloc(1, sizeof(*load));
	struct error err = {0};
	/* An exact copy: a sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(job->kernel.bytes ? job->kernel.bytes : 1);
	struct loader_job j = *job;

	cr_assert(load && copy);
	memcpy(copy, job->kernel.data, job->kernel.bytes);
	j.kernel.data = copy;
	cr_assert_not(linux_load(&j, load, &err), "%s", says);
	load_done(load);
	free(copy);
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, says), "%s: %s", says, err.text);
	cr_assert(strchr(err.text, ';'), "a remedy: %s", err.text);
}

Test(loader_linux, each_wrong_field_is_named)
{
	static struct image z;
	static const struct {
		unsigned at, size;
		uint64_t value;
		const char *says;
	} row[] = {
		{0x1FE, 2, 0, "offset 0x1fe: boot_flag = 0"},
		{0x202, 4, 1, "offset 0x202: header = 0x1"},
		{0x206, 2, 0x209, "offset 0x206: version = 0x209"},
		{0x211, 1, 0, "offset 0x211: loadflags = 0"},
		{0x1F1, 1, 7, "offset 0x1f1: setup_sects = 0x7"},
		{0x201, 1, 0x61, "offset 0x201: jump = 0x61"},
		{0x201, 1, 0x8F, "offset 0x201: jump = 0x8f"},
		{0x230, 4, 0, "offset 0x230: kernel_alignment = 0"},
		{0x230, 4, 3, "offset 0x230: kernel_alignment = 0x3"},
		{0x260, 4, 0x4000000, "kernel of 0x4000000 bytes"},
		{0x238, 4, 5, "offset 0x238: cmdline_size = 0x5"},
	};
	struct loader_job job;

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		bzimage(&z);
		put(&z, row[i].at, row[i].size, row[i].value);
		job = job_of(&z);
		refused(&job, row[i].says);
	}
	bzimage(&z);
	put(&z, 0x234, 1, 0);
	put(&z, 0x258, 8, UINT64_C(0x100000000));
	job = job_of(&z);
	refused(&job, "offset 0x258: pref_address = 0x100000000");
	/* Up to its 64-bit entry, 0x200 into the kernel, it has to be there. */
	for (uint64_t bytes = 0x206; bytes <= CODE + 0x200; bytes++) {
		bzimage(&z);
		job = job_of(&z);
		job.kernel.bytes = bytes;
		refused(&job, "offset ");
	}
}

Test(loader_linux, too_large_is_told)
{
	static struct image z;
	struct loader_job job;

	bzimage(&z);
	job = job_of(&z);
	job.initrd = (struct loader_file){"initrd", z.data, LOW_RAM + 1};
	refused(&job, "initrd of 0x4000001 bytes does not fit");
	job.initrd.bytes = LOW_RAM - 0x1300000 + 1;
	refused(&job, "meets the kernel at 0x1000000");
}

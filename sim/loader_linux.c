/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_linux.c - Linux bzImage by the x86 boot protocol ("boot.rst",
 * Documentation/x86/boot.rst and zero-page.rst), version 2.10 and up.
 *
 * The real-mode part of the file is not run: its set-up header is copied to the
 * zero page, and the kernel proper is entered directly, in long mode at its
 * start + 200h when it offers that (boot.rst, "64-bit boot protocol"), else in
 * protected mode at its start.
 *
 *   90000  zero page (struct boot_params)      91000  GDT
 *   92000  page tables: 4 GiB, linear = physical
 *   98000  command line
 *   pref_address (100000 when it can't be had)  the kernel, init_size bytes
 *   as high as initrd_addr_max and RAM allow    initrd
 *
 * Not offered: protocols before 2.10 (kernels before 2.6.31), zImage, set-up
 * data, EFI hand-over.
 */
#include <string.h>

#include "devices/board.h"
#include "sim/loader_internal.h"

#define ZERO_PAGE   UINT64_C(0x90000)
#define GDT         UINT64_C(0x91000)
#define TABLES      UINT64_C(0x92000)
#define CMDLINE     UINT64_C(0x98000)
#define CMDLINE_END UINT64_C(0x9F000)

/* The header's fields, by their offset in the file and in the zero page. */
#define H_SETUP_SECTS     0x1F1
#define H_VID_MODE        0x1FA
#define H_BOOT_FLAG       0x1FE
#define H_JUMP            0x200
#define H_MAGIC           0x202
#define H_VERSION         0x206
#define H_TYPE_OF_LOADER  0x210
#define H_LOADFLAGS       0x211
#define H_CODE32_START    0x214
#define H_RAMDISK_IMAGE   0x218
#define H_RAMDISK_SIZE    0x21C
#define H_CMD_LINE_PTR    0x228
#define H_INITRD_ADDR_MAX 0x22C
#define H_ALIGNMENT       0x230
#define H_RELOCATABLE     0x234
#define H_XLOADFLAGS      0x236
#define H_CMDLINE_SIZE    0x238
#define H_PREF_ADDRESS    0x258
#define H_INIT_SIZE       0x260
#define H_END_MIN         0x264 /* version 2.10 */
#define H_END_MAX         0x290 /* where the zero page has other things */

#define BOOT_FLAG       0xAA55
#define MAGIC           UINT32_C(0x53726448) /* "HdrS" */
#define VERSION_MIN     0x020A
#define LOADED_HIGH     0x01
#define XLF_KERNEL_64   0x0001
#define TYPE_UNDEFINED  0xFF
#define VID_MODE_NORMAL 0xFFFF

/* The zero page's own fields. */
#define Z_ACPI_RSDP    0x070
#define Z_E820_ENTRIES 0x1E8
#define Z_E820_TABLE   0x2D0
#define E820_BYTES     20

#define ENTRY_64 0x200

struct bzimage {
	const struct loader_file *f;
	uint64_t header_end, code; /* in the file */
	paddr_t pa;
	uint64_t init_size;
};

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void put64(uint8_t *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

bool linux_recognises(const struct loader_file *f)
{
	return f->bytes >= H_VERSION &&
	       loader_get16(f, H_BOOT_FLAG) == BOOT_FLAG &&
	       loader_get32(f, H_MAGIC) == MAGIC;
}

static bool check_magic(const struct loader_file *f, struct error *err)
{
	if (f->bytes < H_END_MIN)
		return loader_bad(f, err, f->bytes, "set-up header", f->bytes,
				  "the file ends in it; give a whole bzImage");
	if (loader_get16(f, H_BOOT_FLAG) != BOOT_FLAG)
		return loader_bad(f, err, H_BOOT_FLAG, "boot_flag",
				  loader_get16(f, H_BOOT_FLAG),
				  "not 0xaa55; give a Linux bzImage");
	if (loader_get32(f, H_MAGIC) != MAGIC)
		return loader_bad(f, err, H_MAGIC, "header",
				  loader_get32(f, H_MAGIC),
				  "not \"HdrS\"; give a Linux bzImage");
	if (loader_get16(f, H_VERSION) < VERSION_MIN)
		return loader_bad(f, err, H_VERSION, "version",
				  loader_get16(f, H_VERSION),
				  "boot protocol before 2.10; give a kernel "
				  "from 2.6.31 on");
	if (!(f->data[H_LOADFLAGS] & LOADED_HIGH))
		return loader_bad(f, err, H_LOADFLAGS, "loadflags",
				  f->data[H_LOADFLAGS],
				  "not loaded high (a zImage); give a bzImage");
	return true;
}

/* Where the kernel proper lies in the file, and where it is to lie in RAM. */
static bool plan_kernel(struct bzimage *z, const struct loader_job *job,
			struct error *err)
{
	const struct loader_file *f = z->f;
	uint64_t sects = f->data[H_SETUP_SECTS];
	uint64_t align = loader_get32(f, H_ALIGNMENT);

	z->code = ((sects ? sects : 4) + 1) * 512;
	if (z->code >= f->bytes)
		return loader_bad(f, err, H_SETUP_SECTS, "setup_sects", sects,
				  "the file ends before the kernel; give a "
				  "whole bzImage");
	z->header_end = H_MAGIC + f->data[H_JUMP + 1];
	if (z->header_end < H_END_MIN || z->header_end > H_END_MAX ||
	    z->header_end > z->code)
		return loader_bad(f, err, H_JUMP + 1, "jump",
				  f->data[H_JUMP + 1],
				  "the set-up header does not end where the "
				  "zero page has room for it; give a whole "
				  "bzImage");
	z->init_size = loader_get32(f, H_INIT_SIZE);
	if (z->init_size < f->bytes - z->code)
		z->init_size = f->bytes - z->code;
	z->pa = loader_get64(f, H_PREF_ADDRESS);
	if (!f->data[H_RELOCATABLE])
		return true; /* it is there or nowhere */
	if (!align || align & (align - 1))
		return loader_bad(f, err, H_ALIGNMENT, "kernel_alignment",
				  align,
				  "not a power of two; give a whole bzImage");
	if (z->pa % align || !loader_is_ram(job, z->pa, z->init_size))
		z->pa = (LOADER_MIB + align - 1) & ~(align - 1);
	return true;
}

static bool put_kernel(const struct bzimage *z, const struct loader_job *job,
		       struct loader_load *load, struct error *err)
{
	const struct loader_piece piece = {
		.name = "kernel",
		.path = z->f->path,
		.pa = z->pa,
		.data = z->f->data + z->code,
		.data_bytes = z->f->bytes - z->code,
		.bytes = z->init_size,
	};

	if (z->pa > UINT32_MAX)
		return loader_bad(z->f, err, H_PREF_ADDRESS, "pref_address",
				  z->pa,
				  "not below 4 GiB, and the kernel is not "
				  "relocatable; build it for less");
	return loader_put(job, load, &piece, err);
}

static bool put_initrd(const struct bzimage *z, const struct loader_job *job,
		       struct loader_load *load, uint8_t *zero,
		       struct error *err)
{
	uint64_t end = loader_get32(z->f, H_INITRD_ADDR_MAX) + UINT64_C(1);
	struct loader_piece piece = {
		.name = "initrd",
		.path = job->initrd.path,
		.data = job->initrd.data,
		.data_bytes = job->initrd.bytes,
	};

	if (!job->initrd.data)
		return true;
	if (end > loader_low_end(job))
		end = loader_low_end(job);
	if (piece.data_bytes > end)
		return error_set(err, EXIT_USAGE,
				 "%s: initrd of %#lx bytes does not fit below "
				 "%#lx; give the machine more RAM",
				 job->initrd.path, job->initrd.bytes, end);
	piece.pa = (end - piece.data_bytes) & ~(PAGE_BYTES - 1);
	put32(zero + H_RAMDISK_IMAGE, (uint32_t)piece.pa);
	put32(zero + H_RAMDISK_SIZE, (uint32_t)piece.data_bytes);
	return loader_put(job, load, &piece, err);
}

static bool put_cmdline(const struct bzimage *z, const struct loader_job *job,
			struct loader_load *load, uint8_t *zero,
			struct error *err)
{
	const struct loader_piece piece = {
		.name = "command line",
		.path = z->f->path,
		.pa = CMDLINE,
		.data = (const uint8_t *)job->cmdline,
		.data_bytes = strlen(job->cmdline) + 1,
	};
	uint64_t most = loader_get32(z->f, H_CMDLINE_SIZE);

	if (most > CMDLINE_END - CMDLINE - 1)
		most = CMDLINE_END - CMDLINE - 1;
	if (piece.data_bytes - 1 > most)
		return loader_bad(z->f, err, H_CMDLINE_SIZE, "cmdline_size",
				  most,
				  "the command line is longer than the kernel "
				  "takes; shorten it");
	put32(zero + H_CMD_LINE_PTR, CMDLINE);
	return loader_put(job, load, &piece, err);
}

static void fill_map(const struct loader_job *job, uint8_t *zero)
{
	struct loader_range map[LOADER_MAP_MAX];
	size_t count = loader_memory_map(job, map);

	zero[Z_E820_ENTRIES] = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		uint8_t *e = zero + Z_E820_TABLE + i * E820_BYTES;

		put64(e, map[i].base);
		put64(e + 8, map[i].bytes);
		put32(e + 16, map[i].type);
	}
}

static bool put_zero_page(const struct bzimage *z, const struct loader_job *job,
			  struct loader_load *load, struct error *err)
{
	uint8_t *zero = loader_alloc(load, PAGE_BYTES);
	const struct loader_piece piece = {
		.name = "zero page",
		.path = z->f->path,
		.pa = ZERO_PAGE,
		.data = zero,
		.data_bytes = PAGE_BYTES,
	};
	uint16_t vid_mode = VID_MODE_NORMAL;

	memcpy(zero + H_SETUP_SECTS, z->f->data + H_SETUP_SECTS,
	       z->header_end - H_SETUP_SECTS);
	memcpy(zero + H_VID_MODE, &vid_mode, sizeof(vid_mode));
	zero[H_TYPE_OF_LOADER] = TYPE_UNDEFINED;
	put32(zero + H_CODE32_START, (uint32_t)z->pa);
	put64(zero + Z_ACPI_RSDP, BOARD_RSDP);
	fill_map(job, zero);
	loader_screen_info(&job->video, zero);
	return put_initrd(z, job, load, zero, err) &&
	       put_cmdline(z, job, load, zero, err) &&
	       loader_put(job, load, &piece, err);
}

/* boot.rst, "32-bit boot protocol" and "64-bit boot protocol". */
static bool load_in(enum loader_mode mode, const struct loader_job *job,
		    struct loader_load *load, struct error *err)
{
	struct bzimage z = {.f = &job->kernel};

	if (!check_magic(z.f, err))
		return false;
	if (mode == LOADER_LONG64 &&
	    !(loader_get16(z.f, H_XLOADFLAGS) & XLF_KERNEL_64))
		return loader_bad(
			z.f, err, H_XLOADFLAGS, "xloadflags",
			loader_get16(z.f, H_XLOADFLAGS),
			"no 64-bit entry (bit 0); boot it as linux32");
	if (!plan_kernel(&z, job, err))
		return false;
	if (mode == LOADER_LONG64 && z.f->bytes - z.code <= ENTRY_64)
		return loader_bad(z.f, err, z.f->bytes, "kernel",
				  z.f->bytes - z.code,
				  "the file ends before the 64-bit entry; give "
				  "a whole bzImage");
	if (!put_kernel(&z, job, load, err) ||
	    !put_zero_page(&z, job, load, err))
		return false;
	load->entry.mode = mode;
	load->entry.gpr[CPU_RSI] = ZERO_PAGE;
	load->entry.rip = z.pa;
	if (mode == LOADER_LONG64) {
		load->entry.rip += ENTRY_64;
		if (!loader_put_tables(job, load, TABLES, err))
			return false;
	}
	return loader_put_gdt(job, load, GDT, err);
}

bool linux32_load(const struct loader_job *job, struct loader_load *load,
		  struct error *err)
{
	return load_in(LOADER_FLAT32, job, load, err);
}

bool linux64_load(const struct loader_job *job, struct loader_load *load,
		  struct error *err)
{
	return load_in(LOADER_LONG64, job, load, err);
}

bool linux_load(const struct loader_job *job, struct loader_load *load,
		struct error *err)
{
	const struct loader_file *f = &job->kernel;
	bool wide = f->bytes >= H_END_MIN &&
		    loader_get16(f, H_VERSION) >= 0x20C &&
		    (loader_get16(f, H_XLOADFLAGS) & XLF_KERNEL_64);

	return load_in(wide ? LOADER_LONG64 : LOADER_FLAT32, job, load, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_raw.c - a file as it is, at an address, entered at its first byte
 * in a chosen mode.
 *
 *   raw16   real mode, at 7C00 like a boot sector; DL = 80h
 *   raw32   protected mode, flat segments, paging off, at 1 MiB
 *   raw64   long mode, at 1 MiB; the first 4 GiB are mapped to themselves
 *
 * Interrupts are off; the stack pointer is where the image begins.  For raw32
 * and raw64 a GDT lies at 91000, for raw64 page tables at 92000.
 *
 * Not offered: BIOS services, of which a boot sector may want some.
 */
#include "sim/loader_internal.h"

#define BOOT_SECTOR UINT64_C(0x7C00)
#define GDT         UINT64_C(0x91000)
#define TABLES      UINT64_C(0x92000)
#define REAL_END    UINT64_C(0x100000)
#define FIRST_DISK  0x80

static bool load_at(paddr_t address, enum loader_mode mode,
		    const struct loader_job *job, struct loader_load *load,
		    struct error *err)
{
	const struct loader_file *f = &job->kernel;
	const struct loader_piece piece = {
		.name = "raw image",
		.path = f->path,
		.pa = job->load_address == MACHINE_LOAD_DEFAULT
			      ? address
			      : job->load_address,
		.data = f->data,
		.data_bytes = f->bytes,
	};

	if (!f->bytes)
		return loader_bad(f, err, 0, "size", 0,
				  "the file is empty; give one with code");
	if (mode == LOADER_REAL16 && piece.pa >= REAL_END)
		return error_set(err, EXIT_USAGE,
				 "load_address = %#lx: real mode does not "
				 "reach beyond 0xfffff; give less",
				 piece.pa);
	if (!loader_put(job, load, &piece, err))
		return false;
	load->entry.mode = mode;
	load->entry.rip = piece.pa;
	load->entry.gpr[CPU_RSP] = piece.pa;
	if (mode == LOADER_REAL16) {
		load->entry.gpr[CPU_RSP] &= 0xFFFF;
		load->entry.gpr[CPU_RDX] = FIRST_DISK;
		return true;
	}
	if (mode == LOADER_LONG64 && !loader_put_tables(job, load, TABLES, err))
		return false;
	return loader_put_gdt(job, load, GDT, err);
}

bool raw16_load(const struct loader_job *job, struct loader_load *load,
		struct error *err)
{
	return load_at(BOOT_SECTOR, LOADER_REAL16, job, load, err);
}

bool raw32_load(const struct loader_job *job, struct loader_load *load,
		struct error *err)
{
	return load_at(LOADER_MIB, LOADER_FLAT32, job, load, err);
}

bool raw64_load(const struct loader_job *job, struct loader_load *load,
		struct error *err)
{
	return load_at(LOADER_MIB, LOADER_LONG64, job, load, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_multiboot.c - Multiboot 1 images ("spec": the Multiboot
 * specification, version 0.6.96): ELF32, ELF64, or any file with the header's
 * address fields (flag bit 16).
 *
 * The kernel goes where it says, the modules after it (not below 1 MiB), each
 * at a page of its own, then one block with the information structure, module
 * list, memory map and strings.
 *
 * An image that asks for a video mode (flag bit 2) gets the one that the
 * machine is in; it is refused when it asks for a linear one and there is text.
 *
 * Not offered: symbols and section headers, drives, APM, VBE.
 */
#include <string.h>

#include "sim/loader_internal.h"

#define MAGIC_EAX    UINT32_C(0x2BADB002)
#define SEARCH_BYTES 8192 /* the header lies wholly in these */

/* ---- Multiboot header (spec 3.1) ---- */

#define HEADER_MAGIC     UINT32_C(0x1BADB002)
#define HEADER_BYTES     12
#define HEADER_ADDRESSES 32 /* with the address fields */
#define HEADER_VIDEO     48 /* with the video fields after them */

#define FLAG_VIDEO     UINT32_C(0x00000004)
#define FLAG_REQUIRED  UINT32_C(0x0000FFFF) /* to be obeyed or refused */
#define FLAG_KNOWN     UINT32_C(0x00000007)
#define FLAG_ADDRESSES UINT32_C(0x00010000)

static bool check_flags(const struct loader_file *f, uint32_t offset,
			uint32_t flags, struct error *err)
{
	if (flags & FLAG_REQUIRED & ~FLAG_KNOWN)
		return loader_bad(
			f, err, offset + 4, "Multiboot flags", flags,
			"it requires what version 1 does not have (bits 3 "
			"to 15); clear them");
	if ((flags & FLAG_ADDRESSES) &&
	    offset + HEADER_ADDRESSES > SEARCH_BYTES)
		return loader_bad(
			f, err, offset, "Multiboot header", offset,
			"its address fields leave the first 8192 bytes; "
			"link the header further to the front");
	return true;
}

/* mode_type 0 is linear, 1 is text. */
static bool take_video(struct loader_plan *plan, const struct loader_file *f,
		       struct error *err)
{
	uint64_t at = plan->header_offset;

	if (!(plan->flags & FLAG_VIDEO))
		return true;
	if (at + HEADER_VIDEO > f->bytes)
		return loader_bad(f, err, at, "Multiboot header", at,
				  "the file ends in its video fields; the "
				  "image is truncated, build it again");
	if (loader_get32(f, at + HEADER_ADDRESSES) == 0)
		plan->linear_at = at + HEADER_ADDRESSES;
	return true;
}

/* A magic with a wrong sum may be data: the search goes on, and only when
 * there is no header at all is the first such place the thing to name. */
static bool find_header(struct loader_plan *plan, const struct loader_file *f,
			struct error *err)
{
	uint64_t end = f->bytes < SEARCH_BYTES ? f->bytes : SEARCH_BYTES;
	uint64_t wrong_sum = UINT64_MAX;

	for (uint64_t at = 0; at + HEADER_BYTES <= end; at += 4) {
		if (loader_get32(f, at) != HEADER_MAGIC)
			continue;
		if (HEADER_MAGIC + loader_get32(f, at + 4) +
		    loader_get32(f, at + 8)) {
			if (wrong_sum == UINT64_MAX)
				wrong_sum = at;
			continue;
		}
		plan->header_offset = (uint32_t)at;
		plan->flags = loader_get32(f, at + 4);
		if ((plan->flags & FLAG_ADDRESSES) &&
		    at + HEADER_ADDRESSES > f->bytes)
			return loader_bad(
				f, err, at, "Multiboot header", at,
				"the file ends in its address fields; the "
				"image is truncated, build it again");
		return check_flags(f, (uint32_t)at, plan->flags, err);
	}
	if (wrong_sum != UINT64_MAX)
		return loader_bad(f, err, wrong_sum + 8, "Multiboot checksum",
				  loader_get32(f, wrong_sum + 8),
				  "magic, flags and checksum must add up to 0; "
				  "correct the header");
	return error_set(err, EXIT_USAGE,
			 "%s: offset 0: no Multiboot 1 header (1BADB002h, "
			 "4-byte aligned) in the first 8192 bytes; give an "
			 "image that has one",
			 f->path);
}

/* ---- address fields (spec 3.1.3) ---- */

bool loader_plan_addresses(struct loader_plan *plan,
			   const struct loader_file *f,
			   const struct loader_addresses *at, struct error *err)
{
	uint64_t h = plan->header_offset, fields = at->fields;
	uint64_t header = loader_get32(f, fields);
	uint64_t load = loader_get32(f, fields + 4);
	uint64_t load_end = loader_get32(f, fields + 8);
	uint64_t bss_end = loader_get32(f, fields + 12);
	uint64_t entry = loader_get32(f, at->entry);
	struct loader_segment *s = &plan->segment[0];

	if (load == at->whole_file && header >= h)
		load = header - h;
	if (load > header || header - load > h)
		return loader_bad(
			f, err, fields + 4, "load_addr", load,
			"it must be header_addr less at most the header's "
			"offset in the file; correct it");
	s->pa = load;
	s->offset = h - (header - load);
	if (!load_end)
		load_end = load + (f->bytes - s->offset);
	if (load_end < load || load_end - load > f->bytes - s->offset)
		return loader_bad(
			f, err, fields + 8, "load_end_addr", load_end,
			"it lies before load_addr or beyond the file's end; "
			"correct it");
	s->file_bytes = load_end - load;
	if (bss_end && bss_end < load_end)
		return loader_bad(f, err, fields + 12, "bss_end_addr", bss_end,
				  "it lies before load_end_addr; correct it");
	s->mem_bytes = (bss_end ? bss_end : load_end) - load;
	if (entry < load || entry - load >= s->mem_bytes)
		return loader_bad(f, err, at->entry, "entry_addr", entry,
				  "it lies outside what is loaded; correct it");
	plan->segment_count = 1;
	plan->entry = (uint32_t)entry;
	return true;
}

bool multiboot_plan(struct loader_plan *plan, const struct loader_file *f,
		    struct error *err)
{
	*plan = (struct loader_plan){0};
	if (!find_header(plan, f, err) || !take_video(plan, f, err))
		return false;
	return plan->flags & FLAG_ADDRESSES
		       ? loader_plan_addresses(
				 plan, f,
				 &(struct loader_addresses){
					 .fields = plan->header_offset + 12,
					 .entry = plan->header_offset + 28,
					 .whole_file = UINT64_MAX,
				 },
				 err)
		       : loader_plan_elf(plan, f, err);
}

/* Any place with the magic: one with a wrong sum is told as such. */
bool multiboot_recognises(const struct loader_file *f)
{
	for (uint64_t at = 0;
	     at + HEADER_BYTES <= f->bytes && at + HEADER_BYTES <= SEARCH_BYTES;
	     at += 4) {
		if (loader_get32(f, at) == HEADER_MAGIC)
			return true;
	}
	return false;
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
	struct loader_framebuffer framebuffer;
};

#define INFO_MEMORY      UINT32_C(0x001)
#define INFO_CMDLINE     UINT32_C(0x004)
#define INFO_MODULES     UINT32_C(0x008)
#define INFO_MMAP        UINT32_C(0x040)
#define INFO_LOADER_NAME UINT32_C(0x200)
#define INFO_FRAMEBUFFER UINT32_C(0x1000)

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct multiboot_mmap {
	uint32_t size; /* of what follows */
	uint64_t base, bytes;
	uint32_t type;
} __attribute__((packed));

static size_t memory_map(const struct loader_job *job,
			 struct multiboot_mmap map[LOADER_MAP_MAX])
{
	struct loader_range range[LOADER_MAP_MAX];
	size_t count = loader_memory_map(job, range);

	for (size_t i = 0; i < count; i++)
		map[i] = (struct multiboot_mmap){
			.size = sizeof(map[i]) - sizeof(map[i].size),
			.base = range[i].base,
			.bytes = range[i].bytes,
			.type = range[i].type,
		};
	return count;
}

/* Module i lies at start[i]. */
static void fill_block(struct loader_block *b, const struct loader_job *job,
		       const paddr_t *start)
{
	struct multiboot_info info = {
		.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP |
			 INFO_LOADER_NAME | INFO_FRAMEBUFFER,
		.mem_lower = 640,
		.mem_upper =
			(uint32_t)((loader_low_end(job) - LOADER_MIB) >> 10),
		.mods_count = (uint32_t)job->module_count,
		.framebuffer = loader_framebuffer(&job->video),
	};
	struct multiboot_module list[MACHINE_MODULES_MAX] = {0};
	struct multiboot_mmap map[LOADER_MAP_MAX];

	b->bytes = sizeof(info); /* filled in last, when the rest is known */
	for (size_t i = 0; i < job->module_count; i++) {
		const struct loader_module *m = &job->module[i];

		list[i].start = (uint32_t)start[i];
		list[i].end = (uint32_t)(start[i] + m->file.bytes);
		list[i].string = loader_block_text(b, m->string);
	}
	info.mods_addr =
		loader_block_add(b, list, job->module_count * sizeof(list[0]));
	info.mmap_length = (uint32_t)(memory_map(job, map) * sizeof(map[0]));
	info.mmap_addr = loader_block_add(b, map, info.mmap_length);
	info.boot_loader_name = loader_block_text(b, "Parterre");
	info.cmdline = loader_block_text(b, job->cmdline);
	memcpy(b->data, &info, sizeof(info));
}

/* Spec 3.2.  Selectors and the stack are the loader's to choose and not to be
 * relied on: no GDT is there. */
bool multiboot_load(const struct loader_job *job, struct loader_load *load,
		    struct error *err)
{
	struct loader_plan plan;
	struct loader_block b;
	paddr_t start[MACHINE_MODULES_MAX];

	if (!multiboot_plan(&plan, &job->kernel, err) ||
	    !loader_check_video(job, &plan, err) ||
	    !loader_put_plan(job, load, &plan, err) ||
	    !loader_put_modules(job, load, start, err))
		return false;
	b = loader_block(load);
	fill_block(&b, job, start);
	load->entry = (struct loader_entry){
		.mode = LOADER_FLAT32,
		.rip = plan.entry,
		.gpr = {[CPU_RAX] = MAGIC_EAX, [CPU_RBX] = b.pa},
		.code_selector = 0x08,
		.data_selector = 0x10,
	};
	return loader_put_block(job, load, &b, err);
}

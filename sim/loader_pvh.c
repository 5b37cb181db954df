/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_pvh.c - ELF images with the note of the x86/HVM direct boot ABI
 * ("PVH": Xen's docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h):
 * name "Xen", type 18, the physical address of a 32-bit entry.
 *
 * The segments go where they say, the initrd and the modules after them (the
 * initrd is the first module), then one block with the start information,
 * module list, memory map and strings.
 *
 * Not offered: hypercalls, or anything else of Xen.
 */
#include <string.h>

#include "devices/board.h"
#include "sim/loader_internal.h"

#define NOTE_NAME       "Xen"
#define NOTE_PHYS32     18
#define START_MAGIC     UINT32_C(0x336EC578)
#define START_WITH_E820 1 /* the version that has a memory map */

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, map;
	uint32_t map_count, reserved;
};

struct start_module {
	uint64_t pa, bytes, cmdline, reserved;
};

struct start_range {
	uint64_t base, bytes;
	uint32_t type, reserved;
};

bool pvh_recognises(const struct loader_file *f)
{
	struct loader_note note;

	return loader_find_note(f, NOTE_NAME, NOTE_PHYS32, &note) ||
	       note.broken;
}

static bool plan_entry(struct loader_plan *plan, const struct loader_file *f,
		       struct error *err)
{
	struct loader_note note;
	uint64_t entry;

	if (!loader_find_note(f, NOTE_NAME, NOTE_PHYS32, &note)) {
		if (note.broken)
			return loader_bad(f, err, note.broken, "n_descsz",
					  loader_get32(f, note.broken + 4),
					  "the note leaves its segment; build "
					  "the image again");
		return error_set(err, EXIT_USAGE,
				 "%s: offset 0: no PVH note (\"Xen\", type 18) "
				 "in a PT_NOTE; give an image that has one",
				 f->path);
	}
	if (note.bytes != 4 && note.bytes != 8)
		return loader_bad(f, err, note.at, "PVH note's length",
				  note.bytes,
				  "the entry has 4 or 8 bytes; correct the "
				  "note");
	entry = note.bytes == 8 ? loader_get64(f, note.at)
				: loader_get32(f, note.at);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *s = &plan->segment[i];

		if (entry >= s->pa && entry - s->pa < s->mem_bytes) {
			plan->entry = (uint32_t)entry;
			return true;
		}
	}
	return loader_bad(f, err, note.at, "PVH entry", entry,
			  "it lies in no segment; it is a physical address, "
			  "correct the note");
}

bool pvh_plan(struct loader_plan *plan, const struct loader_file *f,
	      struct error *err)
{
	*plan = (struct loader_plan){0};
	return loader_plan_segments(plan, f, err) && plan_entry(plan, f, err);
}

static bool put_initrd(const struct loader_job *job, struct loader_load *load,
		       struct error *err)
{
	const struct loader_piece piece = {
		.name = "initrd",
		.path = job->initrd.path,
		.pa = loader_pieces_end(load),
		.data = job->initrd.data,
		.data_bytes = job->initrd.bytes,
	};

	return !job->initrd.data || loader_put(job, load, &piece, err);
}

static void fill_block(struct loader_block *b, const struct loader_job *job,
		       paddr_t initrd, const paddr_t *start)
{
	struct start_info info = {
		.magic = START_MAGIC,
		.version = START_WITH_E820,
		.rsdp = BOARD_RSDP,
	};
	struct start_module list[MACHINE_MODULES_MAX + 1] = {0};
	struct start_range map[LOADER_MAP_MAX] = {0};
	struct loader_range range[LOADER_MAP_MAX];

	b->bytes = sizeof(info); /* filled in last, when the rest is known */
	if (job->initrd.data)
		list[info.module_count++] = (struct start_module){
			.pa = initrd, .bytes = job->initrd.bytes};
	for (size_t i = 0; i < job->module_count; i++) {
		const struct loader_module *m = &job->module[i];

		list[info.module_count++] = (struct start_module){
			.pa = start[i],
			.bytes = m->file.bytes,
			.cmdline = loader_block_text(b, m->string),
		};
	}
	if (info.module_count)
		info.modules = loader_block_add(
			b, list, info.module_count * sizeof(list[0]));
	info.map_count = (uint32_t)loader_memory_map(job, range);
	for (size_t i = 0; i < info.map_count; i++)
		map[i] = (struct start_range){.base = range[i].base,
					      .bytes = range[i].bytes,
					      .type = range[i].type};
	info.map = loader_block_add(b, map, info.map_count * sizeof(map[0]));
	info.cmdline = loader_block_text(b, job->cmdline);
	memcpy(b->data, &info, sizeof(info));
}

bool pvh_load(const struct loader_job *job, struct loader_load *load,
	      struct error *err)
{
	struct loader_plan plan;
	struct loader_block b;
	paddr_t initrd, start[MACHINE_MODULES_MAX];

	if (!pvh_plan(&plan, &job->kernel, err) ||
	    !loader_put_plan(job, load, &plan, err))
		return false;
	initrd = loader_pieces_end(load);
	if (!put_initrd(job, load, err) ||
	    !loader_put_modules(job, load, start, err))
		return false;
	b = loader_block(load);
	fill_block(&b, job, initrd, start);
	load->entry = (struct loader_entry){
		.mode = LOADER_FLAT32,
		.rip = plan.entry,
		.gpr = {[CPU_RBX] = b.pa},
		.code_selector = 0x08,
		.data_selector = 0x10,
	};
	return loader_put_block(job, load, &b, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/ultravisor.c - the last act: the ultravisor's own partition.
 *
 * Memory for it is taken once, in whole 2 MiB blocks above everything that the
 * loader put anywhere: first the partition's own, then one block that holds its
 * descriptor, monitor frames, view and user frame; the rest of that block is
 * the database's first pool.  Its instance is made by the same calls that it
 * will use for all others.
 */
#include "boot/stage/image.h"
#include "boot/stage/stage.h"

#include "abi/database.h"

#define BLOCK_FRAMES  512
#define UV_BLOCKS     1
#define UV_STANDING   90
#define UV_QUANTUM_US 1000

/* First 2 MiB block of a run above all modules and the image. */
static uint64_t find_blocks(uint64_t blocks, uint64_t above_pa)
{
	const uint64_t mask = BLOCK_FRAMES - 1;

	for (uint32_t i = 0; i < boot_info.ranges; i++) {
		uint64_t first = boot_info.range[i].pfn;
		uint64_t end = first + boot_info.range[i].frames;

		if (first < (above_pa + 4095) >> 12)
			first = (above_pa + 4095) >> 12;
		first = (first + mask) & ~mask;
		if (end > 1ull << 20) /* only what can be reached here */
			end = 1ull << 20;
		if (end > first && end - first >= blocks * BLOCK_FRAMES)
			return first;
	}
	boot_fail("not enough memory", "");
}

static const struct boot_module *find_module(const char *name)
{
	for (uint32_t i = 0; i < boot_info.modules; i++)
		if (!memcmp(boot_info.module[i].name, name, 3))
			return &boot_info.module[i];
	boot_fail("no module ", name);
}

static struct boot_range take(uint64_t frames)
{
	struct boot_range r = {boot_info.pool.pfn, frames};

	boot_info.pool.pfn += frames;
	boot_info.pool.frames -= frames;
	memset((void *)(r.pfn << 12), 0, frames << 12);
	return r;
}

static void place(void)
{
	extern char image_end[];
	uint64_t above = (uint64_t)image_end - MONITOR_VA + IMAGE_PA;
	uint64_t first;

	boot_info.image.pfn = IMAGE_PA >> 12;
	boot_info.image.frames = (above - IMAGE_PA) >> 12;
	for (uint32_t i = 0; i < boot_info.modules; i++) {
		const struct boot_module *m = &boot_info.module[i];

		if (m->pa + m->bytes > above)
			above = m->pa + m->bytes;
	}
	first = find_blocks(UV_BLOCKS + 1, above);
	boot_info.memory.pfn = first;
	boot_info.memory.frames = UV_BLOCKS * BLOCK_FRAMES;
	boot_info.pool.pfn = first + UV_BLOCKS * BLOCK_FRAMES;
	boot_info.pool.frames = BLOCK_FRAMES;
	memset((void *)(first << 12), 0, boot_info.memory.frames << 12);
	boot_info.monitor = take(LEAD_MONITOR_FRAMES);
	boot_info.view = take(PART_VIEW_PAGES);
	boot_info.frame = take(1);
	/* Its descriptor is a page of the pool, as all will be. */
	boot_info.number = boot_info.pool.pfn + boot_info.pool.frames - 1;
	boot_info.lead_area_pfn =
		((uint64_t)&lead_area - MONITOR_VA + IMAGE_PA) >> 12;
	boot_info.lead_area_frames = (sizeof(lead_area) + 4095) >> 12;
}

/* Where boot_info goes in the ultravisor's memory: its last pages. */
static uint64_t info_offset(void)
{
	const uint64_t bytes = (sizeof(boot_info) + 4095) & ~4095ull;

	return (boot_info.memory.frames << 12) - bytes;
}

static void publish_view(void)
{
	struct view *v = (struct view *)((boot_info.view.pfn + 1) << 12);

	v->number = boot_info.number;
	memcpy(v->name, "ultravisor", 11);
	v->kind = PART_ULTRAVISOR;
	v->incarnation = 1;
	v->extents = 1;
	v->extent[0].pfn = boot_info.memory.pfn;
	v->extent[0].frames = boot_info.memory.frames;
	v->data_va = PART_MEMORY_VA + info_offset();
	v->data_bytes = sizeof(boot_info);
	memcpy(v->args, boot_info.args, sizeof(v->args));
}

static uint32_t create(void)
{
	struct lead_create lc = {
		.number = boot_info.number,
		.kind = PART_ULTRAVISOR,
		.incarnation = 1,
		.name = "ultravisor",
		.monitor_pfn = boot_info.monitor.pfn,
		.monitor_frames = boot_info.monitor.frames,
		.view_pfn = boot_info.view.pfn,
		.frame_pfn = boot_info.frame.pfn,
	};

	return (uint32_t)lead_create(&lc);
}

static void remember(uint64_t offset, uint64_t from_pa, uint64_t file_bytes,
		     uint64_t bytes)
{
	ultravisor_image.part[ultravisor_image.parts++] =
		(struct ultravisor_part){.pa = (boot_info.memory.pfn << 12) +
					       offset,
					 .from_pa = from_pa,
					 .file_bytes = file_bytes,
					 .bytes = bytes};
}
_Static_assert(ULTRAVISOR_PARTS > IMAGE_SEGMENTS, "and the information");

static void load(uint32_t slot, const struct image *im, const uint8_t *file)
{
	uint64_t base = boot_info.memory.pfn << 12;
	struct lead_map all = {.slot = slot,
			       .prot = PROT_R | PROT_W,
			       .va = PART_MEMORY_VA,
			       .pfn = boot_info.memory.pfn,
			       .frames = boot_info.memory.frames};
	bool good = !lead_map(&all);

	for (uint32_t i = 0; i < im->segments; i++) {
		const struct image_segment *s = &im->segment[i];
		uint64_t offset = s->va - PART_MEMORY_VA;
		struct lead_map lm = {.slot = slot,
				      .prot = s->prot,
				      .va = s->va,
				      .pfn = boot_info.memory.pfn +
					     (offset >> 12),
				      .frames = (s->memory_bytes + 4095) >> 12};

		memcpy((void *)(base + offset), file + s->offset,
		       s->file_bytes);
		remember(offset, (uint64_t)file + s->offset, s->file_bytes,
			 s->memory_bytes);
		good = good && !lead_map(&lm);
	}
	if (!good)
		boot_fail("the ultravisor's memory can't be mapped", "");
}

/* Ranges that touch are one. */
static void remember_ram(void)
{
	struct lead_ram *r = &lead_ram;

	for (uint32_t i = 0; i < boot_info.ranges; i++) {
		const struct boot_range *b = &boot_info.range[i];
		uint32_t last = r->ranges - 1;

		if (r->ranges &&
		    b->pfn == r->range[last].pfn + r->range[last].frames) {
			r->range[last].frames += b->frames;
			continue;
		}
		r->range[r->ranges].pfn = b->pfn;
		r->range[r->ranges++].frames = b->frames;
	}
}
_Static_assert(LEAD_RANGES >= BOOT_RANGES, "each has its place");

void ultravisor_start(void)
{
	static struct lead_schedule first;
	const struct boot_module *m = find_module("uv");
	struct image im;
	uint32_t slot;

	place();
	if (!image_check(physical(m->pa), m->bytes, info_offset(), &im))
		boot_fail("not a partition image: module ", m->name);
	boot_info.magic = BOOT_INFO_MAGIC;
	publish_view();
	remember_ram();
	slot = create();
	load(slot, &im, physical(m->pa));
	memcpy((void *)((boot_info.memory.pfn << 12) + info_offset()),
	       &boot_info, sizeof(boot_info));
	remember(info_offset(), (uint64_t)&boot_info - MONITOR_VA + IMAGE_PA,
		 sizeof(boot_info), sizeof(boot_info));
	ultravisor_image.entry = im.entry;
	ultravisor_image.stack = im.end_va;
	for (unsigned i = 0; i < PART_SLOTS; i++)
		first.entry[i].slot = LEAD_SLOT_NONE;
	first.entry[0].slot = slot;
	first.entry[0].standing = UV_STANDING;
	first.entry[0].quantum_us = UV_QUANTUM_US;
	sched_publish(&first);
	if (lead_start(slot, im.entry, im.end_va))
		boot_fail("the ultravisor does not start", "");
	lead_area.boot_ns = now_ns();
	log_line("ultravisor starts at %u us", lead_area.boot_ns / 1000);
	schedule(this_cpu());
}

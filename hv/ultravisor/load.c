/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/load.c - a partition's memory, scrubbed and filled.
 *
 * It is the only long work that the ultravisor has, so it is done in slices of
 * some ten microseconds with a pause between, in which events, other requests
 * and the partitions of lower standing get their turn: a failover does not wait
 * for a restart.  The answer to the transaction that asked for it is given when
 * it is done (control.c).
 *
 * Whatever a partition gets is scrubbed first, so what a former owner left is
 * never seen.  Each segment of the image is mapped with its own protection, the
 * rest of memory read-write.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define SCRUB_FRAMES 16 /* of a slice: about 10 us, a third of the pause */
#define MAP_FRAMES   128
#define PAUSE_NS     30000

/* To a place in the partition's memory, page-aligned. */
static void copy_to(const struct db_part *part, uint64_t va,
		    const uint8_t *from, uint64_t bytes)
{
	uint64_t pfn =
		part->memory_pfn + (va - PART_MEMORY_VA) / ABI_PAGE_BYTES;

	if (bytes)
		memcpy(mem_temp(0, pfn, MEM_PAGES(bytes), PROT_R | PROT_W),
		       from, bytes);
}

void load_place_data(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	const struct boot_module *data =
		mem_module(db_conf(&db, p->number)->data);

	p->data_va = p->data_bytes = 0;
	if (data && data->bytes) {
		p->data_va = PART_MEMORY_VA +
			     (part->memory_frames - MEM_PAGES(data->bytes)) *
				     ABI_PAGE_BYTES;
		p->data_bytes = data->bytes;
	}
}

void load_begin(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);

	p->load = (struct load){.stage = LOAD_SCRUB};
	load_place_data(p);
	mem_scrub(part->view_pfn, VIEW_FRAMES);
	memset(p->control_pages, 0, CONTROL_CHANNEL_PAGES * ABI_PAGE_BYTES);
	view_publish(p->number);
	control_serve(p);
}

bool load_pending(uint64_t serial)
{
	for (unsigned s = 0; s < PART_SLOTS; s++)
		if (uv_part[s].load.stage != LOAD_NONE &&
		    db_part(&db, uv_part[s].number)->load_serial == serial)
			return true;
	return false;
}

/* Next segment, or last of all the data module; true: no more. */
static bool copy(const struct db_part *part, struct uv_part *p, struct load *l)
{
	const struct boot_module *m =
		mem_module(db_desc(&db, p->number)->module);
	const uint8_t *file;

	if (l->cursor == l->image.segments) {
		if (p->data_bytes) {
			m = mem_module(db_conf(&db, p->number)->data);
			copy_to(part, p->data_va, mem_module_map(m), m->bytes);
		}
		return true;
	}
	file = mem_module_map(m);
	copy_to(part, l->image.segment[l->cursor].va,
		file + l->image.segment[l->cursor].offset,
		l->image.segment[l->cursor].file_bytes);
	l->cursor++;
	return false;
}

bool load_check(const struct db_part *part, struct load *l)
{
	const struct boot_module *m =
		mem_module(db_desc(&db, part->number)->module);

	return image_check(mem_module_map(m), m->bytes,
			   part->memory_frames * ABI_PAGE_BYTES, &l->image);
}

/* One for each virtual processor, with its part of the monitor frames. */
static bool instances(const struct db_part *part)
{
	const struct part_desc *desc = db_desc(&db, part->number);
	unsigned n = part_vcpus(part->number);
	uint64_t frames = part->monitor_frames / n;
	bool good = true;

	for (unsigned i = 0; i < n; i++) {
		struct lead_create lc = {
			.number = part->number,
			.kind = (uint32_t)desc->kind,
			.incarnation = part->incarnation ?: 1,
			.slot = part_slot(part, i) + 1,
			.monitor_pfn = part->monitor_pfn + i * frames,
			.monitor_frames = frames,
			.view_pfn = part->view_pfn,
			.frame_pfn = part->view_pfn + PART_VIEW_PAGES};

		memcpy(lc.name, desc->name, sizeof(lc.name));
		good = good && sys_lead_create(&lc) == part_slot(part, i);
	}
	return good;
}

/* Protection of a page of memory, and how many from it on have the same. */
static uint32_t protection(const struct image *im, uint64_t va,
			   uint64_t *frames)
{
	for (uint32_t i = 0; i < im->segments; i++) {
		const struct image_segment *s = &im->segment[i];
		uint64_t end =
			s->va + MEM_PAGES(s->memory_bytes) * ABI_PAGE_BYTES;
		uint64_t until = va < s->va ? s->va : end;

		if (va >= end)
			continue;
		if ((until - va) / ABI_PAGE_BYTES < *frames)
			*frames = (until - va) / ABI_PAGE_BYTES;
		return va < s->va ? PROT_R | PROT_W : s->prot;
	}
	return PROT_R | PROT_W;
}

/* A slice of the pages of memory; false: it can't be. */
static bool map(const struct db_part *part, struct load *l)
{
	uint64_t left = part->memory_frames - l->cursor;
	uint64_t va = PART_MEMORY_VA + l->cursor * ABI_PAGE_BYTES;
	struct lead_map lm = {.va = va, .pfn = part->memory_pfn + l->cursor};

	bool good = true;

	lm.frames = left < MAP_FRAMES ? left : MAP_FRAMES;
	lm.prot = protection(&l->image, va, &lm.frames);
	l->cursor += lm.frames;
	for (unsigned i = 0; i < part_vcpus(part->number); i++) {
		lm.slot = part_slot(part, i);
		good = good && sys_lead_map(&lm) == 0;
	}
	return good;
}

void load_stage(struct load *l, enum load_stage stage)
{
	l->stage = stage;
	l->cursor = 0;
}

static void slice(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	struct load *l = &p->load;
	bool good = true;

	switch (l->stage) {
	case LOAD_SCRUB:
		mem_scrub(part->memory_pfn + l->cursor, SCRUB_FRAMES);
		l->cursor += SCRUB_FRAMES;
		if (l->cursor < part->memory_frames)
			break;
		good = load_check(part, l);
		load_stage(l, LOAD_COPY);
		break;
	case LOAD_COPY:
		if (copy(part, p, l))
			load_stage(l, LOAD_INSTANCE);
		break;
	case LOAD_INSTANCE:
		good = instances(part);
		load_stage(l, LOAD_MAP);
		break;
	case LOAD_MAP:
		good = map(part, l);
		if (!good || l->cursor < part->memory_frames)
			break;
		if (keep_kept(p)) {
			load_stage(l, LOAD_ADOPT);
			break;
		}
		l->stage = LOAD_NONE;
		if (l->start)
			part_start_now(p);
		break;
	default:
		good = keep_slice(p);
		break;
	}
	if (!good) {
		logf_("%s can't be loaded", p->name);
		l->stage = LOAD_NONE;
		if (l->start || keep_kept(p))
			(void)part_end(p->number, PART_STATE_CRASHED);
	}
}
_Static_assert(BLOCK_FRAMES % SCRUB_FRAMES == 0, "no slice crosses the end");

uint64_t load_work(uint64_t now)
{
	static uint64_t due;

	for (unsigned s = 0; s < PART_SLOTS; s++) {
		if (uv_part[s].load.stage == LOAD_NONE ||
		    uv_part[s].load.stage == LOAD_LETGO)
			continue;
		if (now >= due) {
			slice(&uv_part[s]);
			due = sys_time() + PAUSE_NS;
		}
		return due;
	}
	return NEVER;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_memory.c - whose is a frame, where is an address, what is a
 * symbol.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cpu/walk.h"
#include "sim/check.h"
#include "sim/elfimage.h"
#include "sim/partition_internal.h"

/* --- frames --- */

uint32_t partition_view_owner(const struct partition_view *v, uint64_t pfn,
			      unsigned *steps)
{
	uint64_t page = v->version.magic ? v->version.map_pfn : 0;
	unsigned reads = 0;
	uint32_t owner = 0;

	for (int shift = 2 * TIER_SHIFT; page && shift >= 0;
	     shift -= TIER_SHIFT) {
		const uint64_t *word =
			(const uint64_t *)view_frames(v, page, 1);
		uint64_t w;

		if (!word || pfn >> (3 * TIER_SHIFT))
			break;
		w = word[pfn >> shift & (TIER_WORDS - 1)];
		reads++;
		if (MAP_KIND(w) == MAP_OWNED)
			owner = view_index(v, MAP_TARGET(w));
		page = MAP_KIND(w) == MAP_INDEX ? MAP_TARGET(w) : 0;
	}
	if (steps)
		*steps = reads;
	return owner;
}

struct extent_list {
	struct partition_extent *extent;
	size_t count, max;
};

static void add(struct extent_list *l, const char *what, uint64_t pfn,
		uint64_t frames)
{
	if (!frames || l->count == l->max)
		return;
	l->extent[l->count++] = (struct partition_extent){pfn, frames, what};
}

size_t partition_view_extents(const struct partition_view *v, uint32_t index,
			      struct partition_extent *extent, size_t max)
{
	struct extent_list l = {extent, 0, max};
	const struct partition *p = partition_of(v, index);

	if (!p)
		return 0;
	if (p->row < DB_PARTS) {
		const struct db_part *row = &v->part[p->row];

		add(&l, "memory", row->memory_pfn, row->memory_frames);
		add(&l, "monitor", row->monitor_pfn, row->monitor_frames);
		add(&l, "view", row->view_pfn,
		    row->view_pfn ? PART_VIEW_PAGES : 0);
	}
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct channel_seen *c = &v->chan[i];

		if (c->row.id && (c->client == index || c->server == index))
			add(&l, "channel", c->row.pfn, c->row.pages);
	}
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = &v->dev[i];

		if (!d->id || d->owner != p->info.number)
			continue;
		add(&l, "device", d->config_pfn, 1);
		add(&l, "device", d->bar_pfn, d->bar_pages);
	}
	return l.count;
}

static uint64_t pages(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

size_t partition_view_monitor(const struct partition_view *v,
			      struct partition_extent extent[2])
{
	if (v->opaque)
		return 0;
	extent[0] = (struct partition_extent){
		.pfn = v->note.monitor_text_pa / PAGE_BYTES,
		.frames = pages(v->note.monitor_text_bytes),
		.what = "text",
	};
	extent[1] = (struct partition_extent){
		.pfn = v->note.monitor_data_pa / PAGE_BYTES,
		.frames = pages(v->note.monitor_data_bytes),
		.what = "data",
	};
	return 2;
}

/* --- addresses --- */

static bool read64(void *owner, paddr_t pa, uint64_t *value)
{
	const struct partition_view *v = owner;

	return bus_peek(v->bus, pa, value, sizeof(*value));
}

static bool translate(const struct partition_view *v,
		      const struct partition_info *info, vaddr_t va,
		      paddr_t *pa, struct error *err)
{
	struct walk_root root = {
		.cr0 = WALK_CR0_PG,
		.cr3 = info->cr3,
		.cr4 = WALK_CR4_PAE,
		.efer = WALK_EFER_LMA | WALK_EFER_NXE,
		.read64 = read64,
		/* read64() changes nothing; the walk's owner is not const. */
		.owner = (void *)(uintptr_t)v,
	};
	struct walk_result w;

	if (!info->cr3)
		return error_set(err, EXIT_EXPECT,
				 "partition '%s' has no address space now (it "
				 "is %s): look when it runs",
				 info->name, partition_state_text(info->state));
	if (!walk(&root, va, &w) || !w.user)
		return error_set(err, EXIT_EXPECT,
				 "address 0x%" PRIx64
				 " is not mapped for partition '%s'; its "
				 "memory begins at 0x%x",
				 va, info->name, PART_MEMORY_VA);
	*pa = w.pa;
	return true;
}

bool partition_view_translate(const struct partition_view *v, const char *name,
			      vaddr_t va, paddr_t *pa, struct error *err)
{
	struct partition_info info = {0};

	return partition_view_find(v, name, &info, err) &&
	       translate(v, &info, va, pa, err);
}

bool partition_view_read(const struct partition_view *v, const char *name,
			 vaddr_t va, void *to, size_t bytes, struct error *err)
{
	struct partition_info info = {0};
	uint8_t *out = to;

	if (!partition_view_find(v, name, &info, err))
		return false;
	while (bytes) {
		size_t piece = PAGE_BYTES - va % PAGE_BYTES;
		paddr_t pa = 0;

		if (piece > bytes)
			piece = bytes;
		if (!translate(v, &info, va, &pa, err))
			return false;
		if (!bus_peek(v->bus, pa, out, piece))
			return error_set(err, EXIT_EXPECT,
					 "address 0x%" PRIx64
					 " of partition '%s' is not RAM but a "
					 "device's; inspect the device",
					 va, name);
		va += piece;
		out += piece;
		bytes -= piece;
	}
	return true;
}

/* --- images --- */

/* As the boot stage names a module: the last path component of its string's
 * first word, without extension. */
static void module_name(const char *string, char name[NAME_BYTES])
{
	size_t n = 0;

	memset(name, 0, NAME_BYTES);
	string += strspn(string, " ");
	for (; *string && *string != ' '; string++) {
		if (*string == '/')
			n = 0;
		else if (n < NAME_BYTES - 1)
			name[n++] = *string;
	}
	memset(name + n, 0, NAME_BYTES - n);
	for (size_t i = n; i-- > 1;) {
		if (name[i] == '.') {
			name[i] = 0;
			break;
		}
	}
}

static const char *module_path(const struct partition_view *v,
			       const char *module)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < v->module_count; i++) {
		module_name(v->module[i].string, name);
		if (*module && !strcmp(name, module))
			return v->module[i].path;
	}
	return NULL;
}

const char *partition_view_program(const struct partition_view *v,
				   uint32_t index)
{
	const struct partition *p = partition_of(v, index);

	if (!index)
		return v->kernel[0] ? v->kernel : NULL;
	return p ? module_path(v, p->module) : NULL;
}

/* The image that a partition was started from, read. */
static bool image_of(const struct partition_view *v, const char *name,
		     struct elf_image *image, struct error *err)
{
	const char *path = v->kernel;
	struct partition_info info = {0};

	if (strcmp(name, "monitor")) {
		const struct partition *p;
		const char *module;

		if (!partition_view_find(v, name, &info, err))
			return false;
		p = partition_of(v, info.index);
		CHECK(p);
		module = p->module;
		path = module_path(v, module);
		if (!path)
			return error_set(err, EXIT_USAGE,
					 "partition '%s' has no program: the "
					 "database names the module '%s', the "
					 "machine was given no such one",
					 name, module);
	}
	if (!elf_image_read(image, path, err))
		return false;
	if (elf_image_is(image))
		return true;
	elf_image_free(image);
	return error_set(err, EXIT_USAGE,
			 "%s: not an ELF64 image for x86-64; '%s' has no "
			 "symbols",
			 path, name);
}

bool partition_view_symbol(const struct partition_view *v, const char *name,
			   const char *symbol, vaddr_t *va, uint64_t *bytes,
			   struct error *err)
{
	struct elf_image image;
	bool found;

	if (!image_of(v, name, &image, err))
		return false;
	found = elf_image_symbol(&image, symbol, va, bytes);
	elf_image_free(&image);
	return found || error_set(err, EXIT_USAGE,
				  "no symbol '%s' in the image of '%s'; nm "
				  "lists those that there are",
				  symbol, name);
}

bool partition_view_text(const struct partition_view *v, const char *name,
			 vaddr_t *va, uint64_t *bytes, struct error *err)
{
	struct elf_image image;
	bool found;

	if (!image_of(v, name, &image, err))
		return false;
	found = elf_image_text(&image, va, bytes);
	elf_image_free(&image);
	return found || error_set(err, EXIT_USAGE,
				  "the image of '%s' has no executable "
				  "segment; give another module",
				  name);
}

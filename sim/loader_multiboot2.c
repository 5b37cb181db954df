/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_multiboot2.c - Multiboot 2 images ("spec": the Multiboot2
 * specification, version 2.0): ELF32, ELF64, or any file with an address tag.
 *
 * The kernel goes where it says, the modules after it, each at a page of its
 * own, then the boot information.  A relocatable image stays where it is
 * linked.
 *
 * An image that asks for a framebuffer gets the mode that the machine is in;
 * one that insists is refused when there is text.
 *
 * Not offered: EFI entries and boot services, BIOS boot device, VBE, ELF
 * sections, APM, EFI tables, SMBIOS, network.  An image that insists on one of
 * these or on a console is refused.
 */
#include <string.h>

#include "devices/board.h"
#include "sim/loader_internal.h"

#define MAGIC_EAX    UINT32_C(0x36D76289)
#define SEARCH_BYTES 32768 /* the header lies wholly in these */

/* ---- Multiboot2 header (spec 3.1) ---- */

#define HEADER_MAGIC UINT32_C(0xE85250D6)
#define HEADER_BYTES 16
#define HEADER_ALIGN 8
#define ARCH_I386    0 /* 32-bit protected mode */

#define TAG_BYTES    8 /* type, flags, size */
#define TAG_OPTIONAL 1

enum header_tag {
	TAG_END,
	TAG_REQUEST,
	TAG_ADDRESS,
	TAG_ENTRY,
	TAG_CONSOLE,
	TAG_FRAMEBUFFER,
	TAG_MODULE_ALIGN,
	TAG_EFI_BOOT_SERVICES,
	TAG_EFI_ENTRY_32,
	TAG_EFI_ENTRY_64,
	TAG_RELOCATABLE,
	TAG_COUNT,
};

/* The tags of boot information (spec 3.6). */
enum info_tag {
	INFO_END,
	INFO_CMDLINE,
	INFO_LOADER_NAME,
	INFO_MODULE,
	INFO_MEMORY,
	INFO_BOOT_DEVICE,
	INFO_MMAP,
	INFO_FRAMEBUFFER = 8,
	INFO_RSDP_1 = 14,
	INFO_RSDP_2,
	INFO_LOAD_BASE = 21,
};

#define INFO_OFFERED                                                           \
	(1u << INFO_CMDLINE | 1u << INFO_LOADER_NAME | 1u << INFO_MODULE |     \
	 1u << INFO_MEMORY | 1u << INFO_MMAP | 1u << INFO_FRAMEBUFFER |        \
	 1u << INFO_RSDP_1 | 1u << INFO_RSDP_2 | 1u << INFO_LOAD_BASE)

/* Where the tags lie that matter; 0: there is none. */
struct header {
	uint64_t at, end; /* in the file */
	uint64_t address, entry, framebuffer;
};

/* A magic with a wrong sum may be data, as in version 1. */
static bool find_header(struct header *h, const struct loader_file *f,
			struct error *err)
{
	uint64_t end = f->bytes < SEARCH_BYTES ? f->bytes : SEARCH_BYTES;
	uint64_t wrong_sum = UINT64_MAX, bytes;

	for (uint64_t at = 0; at + HEADER_BYTES <= end; at += HEADER_ALIGN) {
		if (loader_get32(f, at) != HEADER_MAGIC)
			continue;
		if (HEADER_MAGIC + loader_get32(f, at + 4) +
		    loader_get32(f, at + 8) + loader_get32(f, at + 12)) {
			if (wrong_sum == UINT64_MAX)
				wrong_sum = at;
			continue;
		}
		if (loader_get32(f, at + 4) != ARCH_I386)
			return loader_bad(f, err, at + 4, "architecture",
					  loader_get32(f, at + 4),
					  "not i386 (0); build the image for "
					  "it");
		bytes = loader_get32(f, at + 8);
		if (bytes < HEADER_BYTES || bytes > end - at)
			return loader_bad(
				f, err, at + 8, "header_length", bytes,
				"the header does not end within the file's "
				"first 32768 bytes; correct it");
		h->at = at;
		h->end = at + bytes;
		return true;
	}
	if (wrong_sum != UINT64_MAX)
		return loader_bad(f, err, wrong_sum + 12, "Multiboot2 checksum",
				  loader_get32(f, wrong_sum + 12),
				  "magic, architecture, header_length and "
				  "checksum must add up to 0; correct the "
				  "header");
	return error_set(err, EXIT_USAGE,
			 "%s: offset 0: no Multiboot2 header (E85250D6h, "
			 "8-byte aligned) in the first 32768 bytes; give an "
			 "image that has one",
			 f->path);
}

static bool check_request(const struct loader_file *f, uint64_t tag,
			  uint64_t bytes, struct error *err)
{
	for (uint64_t at = TAG_BYTES; at + 4 <= bytes; at += 4) {
		uint32_t type = loader_get32(f, tag + at);

		if (type > INFO_LOAD_BASE || !(INFO_OFFERED >> type & 1))
			return loader_bad(
				f, err, tag + at, "information request", type,
				"boot information of this type is not "
				"offered; make the tag optional");
	}
	return true;
}

/* One tag that the image insists on, or that says where it goes. */
static bool take_tag(struct header *h, const struct loader_file *f,
		     uint64_t tag, uint64_t bytes, struct error *err)
{
	static const uint8_t least[TAG_COUNT] = {
		[TAG_ADDRESS] = 24,
		[TAG_ENTRY] = 12,
		[TAG_CONSOLE] = 12,
		[TAG_RELOCATABLE] = 24,
	};
	uint16_t type = loader_get16(f, tag);
	bool optional = loader_get16(f, tag + 2) & TAG_OPTIONAL;

	if (type < TAG_COUNT && bytes < least[type])
		return loader_bad(f, err, tag + 4, "tag's size", bytes,
				  "smaller than a tag of this type is; correct "
				  "it");
	if (type == TAG_ADDRESS)
		h->address = tag;
	else if (type == TAG_ENTRY)
		h->entry = tag;
	if (optional)
		return true;
	switch (type) {
	case TAG_REQUEST:
		return check_request(f, tag, bytes, err);
	case TAG_ADDRESS:
	case TAG_ENTRY:
	case TAG_MODULE_ALIGN:
	case TAG_EFI_ENTRY_32: /* for EFI alone */
	case TAG_EFI_ENTRY_64:
	case TAG_RELOCATABLE:
		return true;
	case TAG_CONSOLE:
		if (!(loader_get32(f, tag + TAG_BYTES) & 1))
			return true;
		return loader_bad(f, err, tag + TAG_BYTES, "console_flags",
				  loader_get32(f, tag + TAG_BYTES),
				  "it requires a console (bit 0) and the "
				  "loader offers none; clear the bit");
	case TAG_FRAMEBUFFER:
		h->framebuffer = tag;
		return true;
	default:
		return loader_bad(f, err, tag, "tag's type", type,
				  "it requires what is not offered; make the "
				  "tag optional");
	}
}

static bool read_header(struct header *h, const struct loader_file *f,
			struct error *err)
{
	uint64_t tag, bytes;

	if (!find_header(h, f, err))
		return false;
	for (tag = h->at + HEADER_BYTES; h->end - tag >= TAG_BYTES;
	     tag += (bytes + 7) & ~UINT64_C(7)) {
		bytes = loader_get32(f, tag + 4);
		if (bytes < TAG_BYTES || bytes > h->end - tag)
			return loader_bad(f, err, tag + 4, "tag's size", bytes,
					  "the tag does not end within the "
					  "header; correct it");
		if (loader_get16(f, tag) == TAG_END)
			return true;
		if (!take_tag(h, f, tag, bytes, err))
			return false;
		if (((bytes + 7) & ~UINT64_C(7)) > h->end - tag)
			break;
	}
	return loader_bad(f, err, h->at + 8, "header_length", h->end - h->at,
			  "the header ends without an end tag; add one");
}

static bool plan_addresses(struct loader_plan *plan, const struct header *h,
			   const struct loader_file *f, struct error *err)
{
	const struct loader_addresses at = {
		.fields = h->address + TAG_BYTES,
		.entry = h->entry + TAG_BYTES,
		.whole_file = UINT32_MAX,
	};

	if (!h->entry)
		return loader_bad(f, err, h->address, "tag's type", TAG_ADDRESS,
				  "an address tag needs an entry address tag "
				  "(3); add one");
	return loader_plan_addresses(plan, f, &at, err);
}

/* An entry address tag goes before e_entry. */
static bool plan_elf(struct loader_plan *plan, const struct header *h,
		     const struct loader_file *f, struct error *err)
{
	uint32_t entry;

	if (!h->entry)
		return loader_plan_elf(plan, f, err);
	if (!loader_plan_segments(plan, f, err))
		return false;
	entry = loader_get32(f, h->entry + TAG_BYTES);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *s = &plan->segment[i];

		if (entry >= s->pa && entry - s->pa < s->mem_bytes) {
			plan->entry = entry;
			return true;
		}
	}
	return loader_bad(f, err, h->entry + TAG_BYTES, "entry_addr", entry,
			  "it lies outside what is loaded; correct it");
}

bool multiboot2_plan(struct loader_plan *plan, const struct loader_file *f,
		     struct error *err)
{
	struct header h = {0};

	*plan = (struct loader_plan){0};
	if (!read_header(&h, f, err))
		return false;
	plan->header_offset = (uint32_t)h.at;
	plan->linear_at = h.framebuffer;
	return h.address ? plan_addresses(plan, &h, f, err)
			 : plan_elf(plan, &h, f, err);
}

bool multiboot2_recognises(const struct loader_file *f)
{
	for (uint64_t at = 0;
	     at + HEADER_BYTES <= f->bytes && at + HEADER_BYTES <= SEARCH_BYTES;
	     at += HEADER_ALIGN) {
		if (loader_get32(f, at) == HEADER_MAGIC)
			return true;
	}
	return false;
}

/* ---- boot information (spec 3.6) ---- */

/* Not padded at their ends: the next tag's alignment does it. */
struct info_module {
	uint32_t start, end;
};
struct info_memory {
	uint32_t lower, upper; /* KiB */
};
struct info_mmap {
	uint32_t entry_bytes, version;
	struct info_range {
		uint64_t base, bytes;
		uint32_t type, reserved;
	} range[LOADER_MAP_MAX];
};

/* A tag of `fixed`, then `text` with its end (NULL: none). */
static void add_tag(struct loader_block *b, enum info_tag type,
		    const void *fixed, size_t bytes, const char *text)
{
	size_t text_bytes = text ? strlen(text) + 1 : 0;
	const uint32_t head[2] = {(uint32_t)type,
				  (uint32_t)(TAG_BYTES + bytes + text_bytes)};
	uint8_t *at = b->data + ((b->bytes + 7) & ~(size_t)7);
	uint32_t pa = loader_block_add(b, NULL, 0);

	if (!pa || head[1] > LOADER_BLOCK_MAX - b->bytes) {
		b->full = true;
		return;
	}
	memcpy(at, head, sizeof(head));
	if (bytes)
		memcpy(at + TAG_BYTES, fixed, bytes);
	if (text)
		memcpy(at + TAG_BYTES + bytes, text, text_bytes);
	b->bytes += head[1];
}

static void add_memory_map(struct loader_block *b, const struct loader_job *job)
{
	struct info_mmap map = {.entry_bytes = sizeof(map.range[0])};
	struct loader_range range[LOADER_MAP_MAX];
	size_t count = loader_memory_map(job, range);

	for (size_t i = 0; i < count; i++)
		map.range[i] = (struct info_range){.base = range[i].base,
						   .bytes = range[i].bytes,
						   .type = range[i].type};
	add_tag(b, INFO_MMAP, &map,
		offsetof(struct info_mmap, range) +
			count * sizeof(map.range[0]),
		NULL);
}

/* Copies of the RSDP as the firmware has it: 20 bytes for ACPI 1.0. */
static void add_rsdp(struct loader_block *b, const struct loader_job *job)
{
	if (!job->rsdp)
		return;
	add_tag(b, INFO_RSDP_1, job->rsdp, 20, NULL);
	add_tag(b, INFO_RSDP_2, job->rsdp, LOADER_RSDP_BYTES, NULL);
}

/* Two bytes are reserved before the colours, as in the specification's own
 * multiboot2.h. */
static void add_framebuffer(struct loader_block *b,
			    const struct loader_job *job)
{
	const struct loader_framebuffer f = loader_framebuffer(&job->video);
	const size_t fixed = offsetof(struct loader_framebuffer, channel);
	uint8_t tag[sizeof(f) + 2] = {0};

	memcpy(tag, &f, fixed);
	memcpy(tag + fixed + 2, f.channel, sizeof(f.channel));
	add_tag(b, INFO_FRAMEBUFFER, tag, sizeof(tag), NULL);
}

static void fill_block(struct loader_block *b, const struct loader_job *job,
		       const struct loader_plan *plan, const paddr_t *start)
{
	const struct info_memory memory = {
		.lower = 640,
		.upper = (uint32_t)((loader_low_end(job) - LOADER_MIB) >> 10),
	};
	uint32_t base = UINT32_MAX, head[2] = {0};

	loader_block_add(b, head, sizeof(head)); /* total_size, reserved */
	add_tag(b, INFO_CMDLINE, NULL, 0, job->cmdline);
	add_tag(b, INFO_LOADER_NAME, NULL, 0, "Parterre");
	for (size_t i = 0; i < job->module_count; i++) {
		const struct loader_module *m = &job->module[i];
		const struct info_module at = {
			(uint32_t)start[i],
			(uint32_t)(start[i] + m->file.bytes)};

		add_tag(b, INFO_MODULE, &at, sizeof(at), m->string);
	}
	add_tag(b, INFO_MEMORY, &memory, sizeof(memory), NULL);
	add_memory_map(b, job);
	add_framebuffer(b, job);
	add_rsdp(b, job);
	for (size_t i = 0; i < plan->segment_count; i++) {
		if (plan->segment[i].pa < base)
			base = (uint32_t)plan->segment[i].pa;
	}
	add_tag(b, INFO_LOAD_BASE, &base, sizeof(base), NULL);
	add_tag(b, INFO_END, NULL, 0, NULL);
	head[0] = (uint32_t)b->bytes;
	memcpy(b->data, head, sizeof(head));
}

/* Spec 3.3.  No GDT is there, as in version 1. */
bool multiboot2_load(const struct loader_job *job, struct loader_load *load,
		     struct error *err)
{
	struct loader_plan plan;
	struct loader_block b;
	paddr_t start[MACHINE_MODULES_MAX];

	if (!multiboot2_plan(&plan, &job->kernel, err) ||
	    !loader_check_video(job, &plan, err) ||
	    !loader_put_plan(job, load, &plan, err) ||
	    !loader_put_modules(job, load, start, err))
		return false;
	b = loader_block(load);
	fill_block(&b, job, &plan, start);
	load->entry = (struct loader_entry){
		.mode = LOADER_FLAT32,
		.rip = plan.entry,
		.gpr = {[CPU_RAX] = MAGIC_EAX, [CPU_RBX] = b.pa},
		.code_selector = 0x08,
		.data_selector = 0x10,
	};
	return loader_put_block(job, load, &b, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_elf.c - the segments and the entry of an ELF executable (System V
 * generic ABI, chapters 4 and 5).
 */
#include <elf.h>
#include <string.h>

#include "sim/loader_internal.h"

/* The fields of either class that matter, and where each lies. */
struct elf_shape {
	unsigned header_bytes, entry, phoff, phentsize, phnum;
	unsigned ph_bytes, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz;
	bool wide; /* addresses and offsets have 64 bits */
};

static const struct elf_shape elf32 = {
	.header_bytes = sizeof(Elf32_Ehdr),
	.entry = offsetof(Elf32_Ehdr, e_entry),
	.phoff = offsetof(Elf32_Ehdr, e_phoff),
	.phentsize = offsetof(Elf32_Ehdr, e_phentsize),
	.phnum = offsetof(Elf32_Ehdr, e_phnum),
	.ph_bytes = sizeof(Elf32_Phdr),
	.p_offset = offsetof(Elf32_Phdr, p_offset),
	.p_vaddr = offsetof(Elf32_Phdr, p_vaddr),
	.p_paddr = offsetof(Elf32_Phdr, p_paddr),
	.p_filesz = offsetof(Elf32_Phdr, p_filesz),
	.p_memsz = offsetof(Elf32_Phdr, p_memsz),
	.wide = false,
};

static const struct elf_shape elf64 = {
	.header_bytes = sizeof(Elf64_Ehdr),
	.entry = offsetof(Elf64_Ehdr, e_entry),
	.phoff = offsetof(Elf64_Ehdr, e_phoff),
	.phentsize = offsetof(Elf64_Ehdr, e_phentsize),
	.phnum = offsetof(Elf64_Ehdr, e_phnum),
	.ph_bytes = sizeof(Elf64_Phdr),
	.p_offset = offsetof(Elf64_Phdr, p_offset),
	.p_vaddr = offsetof(Elf64_Phdr, p_vaddr),
	.p_paddr = offsetof(Elf64_Phdr, p_paddr),
	.p_filesz = offsetof(Elf64_Phdr, p_filesz),
	.p_memsz = offsetof(Elf64_Phdr, p_memsz),
	.wide = true,
};

static uint64_t get_word(const struct loader_file *f, const struct elf_shape *e,
			 uint64_t offset)
{
	return e->wide ? loader_get64(f, offset) : loader_get32(f, offset);
}

static bool check_ident(const struct loader_file *f, struct error *err)
{
	uint16_t machine;

	if (f->bytes < EI_NIDENT || memcmp(f->data, ELFMAG, SELFMAG))
		return loader_bad(
			f, err, 0, "e_ident", f->bytes ? f->data[0] : 0,
			"neither ELF nor a Multiboot header with address "
			"fields (flag bit 16); give an ELF image");
	if (f->data[EI_CLASS] != ELFCLASS32 && f->data[EI_CLASS] != ELFCLASS64)
		return loader_bad(
			f, err, EI_CLASS, "EI_CLASS", f->data[EI_CLASS],
			"neither 32 nor 64 bits; build the image for i386 "
			"or x86-64");
	if (f->data[EI_DATA] != ELFDATA2LSB)
		return loader_bad(
			f, err, EI_DATA, "EI_DATA", f->data[EI_DATA],
			"not little-endian; build the image for i386 or "
			"x86-64");
	if (f->bytes < (f->data[EI_CLASS] == ELFCLASS64 ? elf64.header_bytes
							: elf32.header_bytes))
		return loader_bad(f, err, f->bytes, "ELF header", f->bytes,
				  "the file ends in it; build the image again");
	if (loader_get16(f, offsetof(Elf32_Ehdr, e_type)) != ET_EXEC)
		return loader_bad(
			f, err, offsetof(Elf32_Ehdr, e_type), "e_type",
			loader_get16(f, offsetof(Elf32_Ehdr, e_type)),
			"not an executable (2); link it statically, without "
			"-pie or -shared");
	machine = loader_get16(f, offsetof(Elf32_Ehdr, e_machine));
	if (machine != EM_386 && machine != EM_X86_64)
		return loader_bad(
			f, err, offsetof(Elf32_Ehdr, e_machine), "e_machine",
			machine,
			"neither i386 (3) nor x86-64 (62); build the image "
			"for one of them");
	return true;
}

static bool overlaps(const struct loader_plan *plan,
		     const struct loader_segment *s)
{
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *o = &plan->segment[i];

		if (s->pa < o->pa + o->mem_bytes &&
		    o->pa < s->pa + s->mem_bytes)
			return true;
	}
	return false;
}

/* One PT_LOAD at `ph`. */
static bool plan_segment(struct loader_plan *plan, const struct loader_file *f,
			 const struct elf_shape *e, uint64_t ph,
			 struct error *err)
{
	struct loader_segment s = {
		.pa = get_word(f, e, ph + e->p_paddr),
		.offset = get_word(f, e, ph + e->p_offset),
		.file_bytes = get_word(f, e, ph + e->p_filesz),
		.mem_bytes = get_word(f, e, ph + e->p_memsz),
	};

	if (!s.mem_bytes && !s.file_bytes)
		return true;
	if (s.file_bytes > s.mem_bytes)
		return loader_bad(f, err, ph + e->p_filesz, "p_filesz",
				  s.file_bytes,
				  "larger than p_memsz; build the image again");
	if (s.offset > f->bytes || s.file_bytes > f->bytes - s.offset)
		return loader_bad(f, err, ph + e->p_offset, "p_offset",
				  s.offset,
				  "the segment leaves the file; the image is "
				  "truncated, build it again");
	if (s.pa > UINT32_MAX || s.mem_bytes > UINT32_MAX + UINT64_C(1) - s.pa)
		return loader_bad(
			f, err, ph + e->p_paddr, "p_paddr", s.pa,
			"the segment does not end below 4 GiB; link it "
			"lower (AT() in the linker script)");
	if (overlaps(plan, &s))
		return loader_bad(
			f, err, ph + e->p_paddr, "p_paddr", s.pa,
			"the segment overlaps an earlier one; correct the "
			"linker script");
	if (plan->segment_count == LOADER_SEGMENTS_MAX)
		return loader_bad(
			f, err, ph, "PT_LOAD", plan->segment_count,
			"more segments than 32; merge some in the linker "
			"script");
	s.va = get_word(f, e, ph + e->p_vaddr);
	plan->segment[plan->segment_count++] = s;
	return true;
}

static const struct elf_shape *shape_of(const struct loader_file *f)
{
	return f->data[EI_CLASS] == ELFCLASS64 ? &elf64 : &elf32;
}

bool loader_plan_segments(struct loader_plan *plan, const struct loader_file *f,
			  struct error *err)
{
	const struct elf_shape *e;
	uint64_t phoff;
	uint16_t count;

	if (!check_ident(f, err))
		return false;
	e = shape_of(f);
	phoff = get_word(f, e, e->phoff);
	count = loader_get16(f, e->phnum);
	if (loader_get16(f, e->phentsize) != e->ph_bytes && count)
		return loader_bad(
			f, err, e->phentsize, "e_phentsize",
			loader_get16(f, e->phentsize),
			"not the size of a program header; build the image "
			"again");
	if (phoff > f->bytes || count > (f->bytes - phoff) / e->ph_bytes)
		return loader_bad(
			f, err, e->phoff, "e_phoff", phoff,
			"the program headers leave the file; the image is "
			"truncated, build it again");
	for (uint64_t i = 0; i < count; i++) {
		uint64_t ph = phoff + i * e->ph_bytes;

		/* p_type is the first word in both classes. */
		if (loader_get32(f, ph) == PT_LOAD &&
		    !plan_segment(plan, f, e, ph, err))
			return false;
	}
	if (!plan->segment_count)
		return loader_bad(
			f, err, e->phnum, "e_phnum", count,
			"nothing to load (no PT_LOAD); link the image");
	return true;
}

/* e_entry is a linear address, but paging is off at entry: what counts is where
 * its byte was loaded. */
bool loader_plan_elf(struct loader_plan *plan, const struct loader_file *f,
		     struct error *err)
{
	const struct elf_shape *e;
	uint64_t entry;

	if (!loader_plan_segments(plan, f, err))
		return false;
	e = shape_of(f);
	entry = get_word(f, e, e->entry);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *s = &plan->segment[i];

		if (entry >= s->va && entry - s->va < s->mem_bytes) {
			plan->entry = (uint32_t)(s->pa + (entry - s->va));
			return true;
		}
	}
	return loader_bad(f, err, e->entry, "e_entry", entry,
			  "it lies in no segment; correct ENTRY() in the "
			  "linker script");
}

/* ---- notes (generic ABI, chapter 5, "Note Section") ---- */

#define NOTE_BYTES 12 /* n_namesz, n_descsz, n_type */

static uint64_t padded(uint64_t bytes)
{
	return (bytes + 3) & ~UINT64_C(3);
}

/* In the notes from `at` to `end`. */
static bool find_in(const struct loader_file *f, uint64_t at, uint64_t end,
		    const char *name, uint32_t type, struct loader_note *note)
{
	uint64_t want = strlen(name) + 1;

	while (end - at >= NOTE_BYTES) {
		uint64_t name_bytes = loader_get32(f, at);
		uint64_t desc_bytes = loader_get32(f, at + 4);
		uint64_t desc = at + NOTE_BYTES + padded(name_bytes);

		if (desc + desc_bytes > end) {
			note->broken = at;
			return false;
		}
		if (loader_get32(f, at + 8) == type && name_bytes == want &&
		    !memcmp(f->data + at + NOTE_BYTES, name, want)) {
			note->at = desc;
			note->bytes = desc_bytes;
			return true;
		}
		at = desc + padded(desc_bytes);
		if (at > end)
			break;
	}
	return false;
}

bool loader_find_note(const struct loader_file *f, const char *name,
		      uint32_t type, struct loader_note *note)
{
	const struct elf_shape *e;
	uint64_t phoff;
	uint16_t count;

	*note = (struct loader_note){0};
	if (f->bytes < elf64.header_bytes || memcmp(f->data, ELFMAG, SELFMAG))
		return false;
	e = shape_of(f);
	phoff = get_word(f, e, e->phoff);
	count = loader_get16(f, e->phnum);
	if (loader_get16(f, e->phentsize) != e->ph_bytes || phoff > f->bytes ||
	    count > (f->bytes - phoff) / e->ph_bytes)
		return false;
	for (uint64_t i = 0; i < count && !note->broken; i++) {
		uint64_t ph = phoff + i * e->ph_bytes;
		uint64_t at = get_word(f, e, ph + e->p_offset);
		uint64_t bytes = get_word(f, e, ph + e->p_filesz);

		if (loader_get32(f, ph) != PT_NOTE || at > f->bytes ||
		    bytes > f->bytes - at)
			continue;
		if (find_in(f, at, at + bytes, name, type, note))
			return true;
	}
	return false;
}

bool loader_put_plan(const struct loader_job *job, struct loader_load *load,
		     const struct loader_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct loader_segment *s = &plan->segment[i];
		const struct loader_piece piece = {
			.name = "segment",
			.path = job->kernel.path,
			.pa = s->pa,
			.data = job->kernel.data + s->offset,
			.data_bytes = s->file_bytes,
			.zero_bytes = s->mem_bytes - s->file_bytes,
		};

		if (!loader_put(job, load, &piece, err))
			return false;
	}
	return true;
}

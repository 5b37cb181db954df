/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/image.c - checks a partition image (ELF-64 Object File Format,
 * version 1.5).  Contract: image.h. */
#include "boot/stage/image.h"

#include "abi/layout.h"
#include "abi/syscall.h"

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define ELF_EXEC     2
#define ELF_X86_64   62
#define SEGMENT_LOAD 1
#define SEGMENT_X    1
#define SEGMENT_W    2

static bool header_good(const struct elf_header *h, uint64_t file_bytes)
{
	static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	if (file_bytes < sizeof(*h))
		return false;
	for (unsigned i = 0; i < sizeof(ident); i++)
		if (h->ident[i] != ident[i])
			return false;
	return h->type == ELF_EXEC && h->machine == ELF_X86_64 &&
	       h->phentsize == sizeof(struct elf_segment) && !(h->phoff & 7) &&
	       h->phoff <= file_bytes &&
	       h->phnum <= (file_bytes - h->phoff) / sizeof(struct elf_segment);
}

static bool add(struct image *out, const struct elf_segment *s,
		uint64_t file_bytes, uint64_t end)
{
	struct image_segment *seg = &out->segment[out->segments];

	if (out->segments == IMAGE_SEGMENTS || (s->vaddr & 4095) ||
	    s->vaddr < out->end_va || s->vaddr > end ||
	    s->memsz > end - s->vaddr || s->filesz > s->memsz ||
	    s->offset > file_bytes || s->filesz > file_bytes - s->offset ||
	    ((s->flags & SEGMENT_W) && (s->flags & SEGMENT_X)))
		return false;
	seg->va = s->vaddr;
	seg->offset = s->offset;
	seg->file_bytes = s->filesz;
	seg->memory_bytes = s->memsz;
	seg->prot = PROT_R | (s->flags & SEGMENT_W ? PROT_W : 0) |
		    (s->flags & SEGMENT_X ? PROT_X : 0);
	out->segments++;
	out->end_va = (s->vaddr + s->memsz + 4095) & ~4095ull;
	return true;
}

bool image_check(const void *file, uint64_t file_bytes, uint64_t memory_bytes,
		 struct image *out)
{
	const struct elf_header *h = file;
	const struct elf_segment *s;

	*out = (struct image){.end_va = PART_MEMORY_VA};
	if (!header_good(h, file_bytes))
		return false;
	s = (const void *)((const uint8_t *)file + h->phoff);
	for (unsigned i = 0; i < h->phnum; i++)
		if (s[i].type == SEGMENT_LOAD && s[i].memsz &&
		    !add(out, &s[i], file_bytes, PART_MEMORY_VA + memory_bytes))
			return false;
	out->entry = h->entry;
	for (unsigned i = 0; i < out->segments; i++)
		if ((out->segment[i].prot & PROT_X) &&
		    h->entry - out->segment[i].va <
			    out->segment[i].memory_bytes)
			return true;
	return false;
}

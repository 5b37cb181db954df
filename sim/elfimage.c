/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/elfimage.c - see elfimage.h. */
#include "sim/elfimage.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

#define FILE_MAX (UINT64_C(1) << 30)

static bool slurp(struct elf_image *e, FILE *f)
{
	size_t room = 0, n;

	do {
		if (e->bytes == room) {
			room = room ? 2 * room : 65536;
			if (room > FILE_MAX) {
				errno = EFBIG;
				return false;
			}
			e->file = realloc(e->file, room);
			CHECK_MSG(e->file, "out of memory for an image");
		}
		n = fread(e->file + e->bytes, 1, room - e->bytes, f);
		e->bytes += n;
	} while (n);
	return !ferror(f);
}

bool elf_image_read(struct elf_image *e, const char *path, struct error *err)
{
	FILE *f = fopen(path, "rb");
	bool good;

	*e = (struct elf_image){0};
	if (!f)
		return error_set(err, EXIT_USAGE,
				 "%s: %s; name an image that can be read", path,
				 strerror(errno));
	good = slurp(e, f);
	if (!good) {
		error_set(err, EXIT_USAGE,
			  "%s: %s; name an image that can be read", path,
			  strerror(errno));
		elf_image_free(e);
	}
	fclose(f);
	return good;
}

void elf_image_free(struct elf_image *e)
{
	free(e->file);
	*e = (struct elf_image){0};
}

/* [offset, offset + bytes) copied; false: not wholly in the file. */
static bool take(const struct elf_image *e, uint64_t offset, void *to,
		 uint64_t bytes)
{
	if (offset > e->bytes || bytes > e->bytes - offset)
		return false;
	memcpy(to, e->file + offset, bytes);
	return true;
}

static bool header(const struct elf_image *e, Elf64_Ehdr *h)
{
	return take(e, 0, h, sizeof(*h)) &&
	       !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == EM_X86_64;
}

bool elf_image_is(const struct elf_image *e)
{
	Elf64_Ehdr h;

	return header(e, &h);
}

/* Offsets come from the file: none of these sums can wrap, for sizes and
 * counts have 16 bits, and take() bounds the rest. */
static bool segment(const struct elf_image *e, const Elf64_Ehdr *h, unsigned i,
		    Elf64_Phdr *p)
{
	return h->e_phentsize >= sizeof(*p) && h->e_phoff <= e->bytes &&
	       take(e, h->e_phoff + (uint64_t)i * h->e_phentsize, p,
		    sizeof(*p));
}

static bool section(const struct elf_image *e, const Elf64_Ehdr *h, unsigned i,
		    Elf64_Shdr *s)
{
	return h->e_shentsize >= sizeof(*s) && h->e_shoff <= e->bytes &&
	       take(e, h->e_shoff + (uint64_t)i * h->e_shentsize, s,
		    sizeof(*s));
}

static uint64_t padded(uint32_t bytes)
{
	return ((uint64_t)bytes + 3) & ~UINT64_C(3);
}

static bool note_in(const struct elf_image *e, const Elf64_Phdr *p,
		    const char *name, uint32_t type, void *to, size_t bytes)
{
	uint64_t at = p->p_offset, end;
	Elf64_Nhdr n;

	if (at > e->bytes || p->p_filesz > e->bytes - at)
		return false;
	end = at + p->p_filesz;
	while (end - at >= sizeof(n) && take(e, at, &n, sizeof(n))) {
		uint64_t desc = at + sizeof(n) + padded(n.n_namesz);

		if (desc > end || n.n_descsz > end - desc)
			return false;
		if (n.n_type == type && n.n_namesz == strlen(name) + 1 &&
		    !memcmp(e->file + at + sizeof(n), name, n.n_namesz))
			return n.n_descsz >= bytes && take(e, desc, to, bytes);
		if (padded(n.n_descsz) > end - desc)
			return false;
		at = desc + padded(n.n_descsz);
	}
	return false;
}

bool elf_image_note(const struct elf_image *e, const char *name, uint32_t type,
		    void *to, size_t bytes)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (!header(e, &h))
		return false;
	for (unsigned i = 0; i < h.e_phnum; i++) {
		if (segment(e, &h, i, &p) && p.p_type == PT_NOTE &&
		    note_in(e, &p, name, type, to, bytes))
			return true;
	}
	return false;
}

static bool name_is(const struct elf_image *e, const Elf64_Shdr *strings,
		    uint32_t offset, const char *symbol)
{
	uint64_t bytes = strlen(symbol) + 1;

	return offset < strings->sh_size &&
	       bytes <= strings->sh_size - offset &&
	       strings->sh_offset <= e->bytes &&
	       strings->sh_offset + offset <= e->bytes &&
	       bytes <= e->bytes - strings->sh_offset - offset &&
	       !memcmp(e->file + strings->sh_offset + offset, symbol, bytes);
}

static bool symbol_in(const struct elf_image *e, const Elf64_Shdr *table,
		      const Elf64_Shdr *strings, const char *symbol,
		      uint64_t *value, uint64_t *bytes)
{
	Elf64_Sym s;

	if (table->sh_offset > e->bytes ||
	    table->sh_size > e->bytes - table->sh_offset)
		return false;
	for (uint64_t at = 0; table->sh_size - at >= sizeof(s);
	     at += sizeof(s)) {
		if (!take(e, table->sh_offset + at, &s, sizeof(s)))
			return false;
		if (s.st_shndx == SHN_UNDEF ||
		    !name_is(e, strings, s.st_name, symbol))
			continue;
		*value = s.st_value;
		*bytes = s.st_size;
		return true;
	}
	return false;
}

bool elf_image_symbol(const struct elf_image *e, const char *symbol,
		      uint64_t *value, uint64_t *bytes)
{
	Elf64_Ehdr h;
	Elf64_Shdr table, strings;

	if (!header(e, &h) || !*symbol)
		return false;
	for (unsigned i = 0; i < h.e_shnum; i++) {
		if (section(e, &h, i, &table) && table.sh_type == SHT_SYMTAB &&
		    table.sh_link < h.e_shnum &&
		    section(e, &h, table.sh_link, &strings) &&
		    symbol_in(e, &table, &strings, symbol, value, bytes))
			return true;
	}
	return false;
}

bool elf_image_text(const struct elf_image *e, uint64_t *va, uint64_t *bytes)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (!header(e, &h))
		return false;
	for (unsigned i = 0; i < h.e_phnum; i++) {
		if (!segment(e, &h, i, &p) || p.p_type != PT_LOAD ||
		    !(p.p_flags & PF_X) || (p.p_flags & PF_W) || !p.p_memsz)
			continue;
		*va = p.p_vaddr;
		*bytes = p.p_memsz;
		return true;
	}
	return false;
}

const uint8_t *elf_image_section(const struct elf_image *e, const char *name,
				 uint64_t *bytes)
{
	Elf64_Ehdr h;
	Elf64_Shdr names, s;

	if (!header(e, &h) || !section(e, &h, h.e_shstrndx, &names))
		return NULL;
	for (unsigned i = 0; i < h.e_shnum; i++) {
		if (!section(e, &h, i, &s) || s.sh_type == SHT_NOBITS ||
		    !name_is(e, &names, s.sh_name, name))
			continue;
		if (s.sh_flags & SHF_COMPRESSED || s.sh_offset > e->bytes ||
		    s.sh_size > e->bytes - s.sh_offset)
			return NULL;
		*bytes = s.sh_size;
		return e->file + s.sh_offset;
	}
	return NULL;
}

static void symbols_of(const struct elf_image *e, const Elf64_Shdr *table,
		       const Elf64_Shdr *strings, elf_symbol_fn *fn, void *to)
{
	const char *name = (const char *)e->file + strings->sh_offset;
	Elf64_Sym s;

	for (uint64_t at = 0; table->sh_size - at >= sizeof(s);
	     at += sizeof(s)) {
		if (!take(e, table->sh_offset + at, &s, sizeof(s)))
			return;
		if (s.st_shndx == SHN_UNDEF || s.st_name >= strings->sh_size ||
		    !memchr(name + s.st_name, 0, strings->sh_size - s.st_name))
			continue;
		fn(to, name + s.st_name, s.st_value, s.st_size,
		   ELF64_ST_TYPE(s.st_info));
	}
}

void elf_image_symbols(const struct elf_image *e, elf_symbol_fn *fn, void *to)
{
	Elf64_Ehdr h;
	Elf64_Shdr table, strings;

	if (!header(e, &h))
		return;
	for (unsigned i = 0; i < h.e_shnum; i++) {
		if (!section(e, &h, i, &table) || table.sh_type != SHT_SYMTAB ||
		    table.sh_link >= h.e_shnum ||
		    !section(e, &h, table.sh_link, &strings) ||
		    table.sh_offset > e->bytes ||
		    table.sh_size > e->bytes - table.sh_offset ||
		    strings.sh_offset > e->bytes ||
		    strings.sh_size > e->bytes - strings.sh_offset)
			continue;
		symbols_of(e, &table, &strings, fn, to);
	}
}

size_t elf_image_bytes(const struct elf_image *e, uint64_t va, void *to,
		       size_t bytes)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (!header(e, &h))
		return 0;
	for (unsigned i = 0; i < h.e_phnum; i++) {
		if (!segment(e, &h, i, &p) || p.p_type != PT_LOAD ||
		    va < p.p_vaddr || va - p.p_vaddr >= p.p_filesz)
			continue;
		if (bytes > p.p_filesz - (va - p.p_vaddr))
			bytes = p.p_filesz - (va - p.p_vaddr);
		if (p.p_offset <= e->bytes &&
		    take(e, p.p_offset + (va - p.p_vaddr), to, bytes))
			return bytes;
	}
	return 0;
}

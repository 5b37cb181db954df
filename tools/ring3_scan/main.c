/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/ring3_scan/main.c - part of the build: no program of ring 3 holds an
 * instruction that does not virtualize or that is privileged.
 *
 * usage: ring3_scan IMAGE...
 *
 * Each executable segment of each ELF-64 image is taken apart from its
 * beginning to its end; data among code would be seen as code, so there must
 * not be any. Status 0: none found; 1: each is named on standard error; 2: no
 * such image.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/decode.h"
#include "sim/check.h"

struct image {
	const char *name;
	uint8_t *file;
	size_t bytes;
	const Elf64_Sym *symbol;
	size_t symbols;
	const char *string;
	size_t string_bytes;
};

static int bad(const char *name, const char *why)
{
	fprintf(stderr, "ring3_scan: %s: %s\n", name, why);
	return 2;
}

static bool inside(const struct image *im, uint64_t offset, uint64_t bytes)
{
	return offset <= im->bytes && bytes <= im->bytes - offset;
}

static const Elf64_Ehdr *header(const struct image *im)
{
	return (const void *)im->file;
}

static bool read_file(struct image *im)
{
	FILE *f = fopen(im->name, "rb");
	size_t n;

	if (!f)
		return false;
	do {
		im->file = realloc(im->file, im->bytes + 65536);
		CHECK(im->file);
		n = fread(im->file + im->bytes, 1, 65536, f);
		im->bytes += n;
	} while (n);
	n = (size_t)ferror(f);
	fclose(f);
	return !n;
}

static void find_symbols(struct image *im)
{
	const Elf64_Ehdr *h = header(im);
	const Elf64_Shdr *s = (const void *)(im->file + h->e_shoff);

	if (h->e_shentsize != sizeof(*s) ||
	    !inside(im, h->e_shoff, (uint64_t)h->e_shnum * sizeof(*s)))
		return;
	for (unsigned i = 0; i < h->e_shnum; i++) {
		if (s[i].sh_type != SHT_SYMTAB || s[i].sh_link >= h->e_shnum ||
		    !inside(im, s[i].sh_offset, s[i].sh_size) ||
		    !inside(im, s[s[i].sh_link].sh_offset,
			    s[s[i].sh_link].sh_size))
			continue;
		im->symbol = (const void *)(im->file + s[i].sh_offset);
		im->symbols = s[i].sh_size / sizeof(*im->symbol);
		im->string = (const char *)im->file + s[s[i].sh_link].sh_offset;
		im->string_bytes = s[s[i].sh_link].sh_size;
	}
}

/* "function+0x12": the nearest symbol at or below the address. */
static void place(const struct image *im, uint64_t at, char *to, size_t bytes)
{
	const Elf64_Sym *best = NULL;

	for (size_t i = 0; i < im->symbols; i++) {
		const Elf64_Sym *s = &im->symbol[i];

		if (s->st_value <= at && s->st_name < im->string_bytes &&
		    im->string[s->st_name] &&
		    ELF64_ST_TYPE(s->st_info) != STT_FILE &&
		    (!best || s->st_value > best->st_value))
			best = s;
	}
	if (best)
		snprintf(to, bytes, "%.40s+0x%" PRIx64,
			 im->string + best->st_name, at - best->st_value);
	else
		snprintf(to, bytes, "no symbol");
}

static unsigned scan_segment(const struct image *im, struct decoder *d,
			     const Elf64_Phdr *p)
{
	static const char *const why[] = {[DECODE_REVEALS] =
						  "does not virtualize",
					  [DECODE_PRIVILEGED] = "is privileged",
					  [DECODE_UNKNOWN] = "no instruction"};
	const uint8_t *code = im->file + p->p_offset;
	unsigned found = 0;

	for (uint64_t at = 0; at < p->p_filesz;) {
		struct decoded in;
		char where[64];

		decoder_look(d, code + at, p->p_filesz - at, p->p_vaddr + at,
			     &in);
		if (in.kind != DECODE_FINE) {
			place(im, p->p_vaddr + at, where, sizeof(where));
			fprintf(stderr, "%s: 0x%" PRIx64 " in %s: %s: %s\n",
				im->name, p->p_vaddr + at, where,
				in.bytes ? in.text : "?", why[in.kind]);
			found++;
		}
		at += in.bytes ? in.bytes : 1;
	}
	return found;
}

static int scan(const char *name, struct decoder *d, unsigned *found)
{
	struct image im = {.name = name};
	const Elf64_Ehdr *h;
	const Elf64_Phdr *p;
	bool any = false;
	int status = 0;

	if (!read_file(&im)) {
		free(im.file);
		return bad(name, strerror(errno));
	}
	h = header(&im);
	p = (const void *)(im.file + (im.bytes >= sizeof(*h) ? h->e_phoff : 0));
	if (im.bytes < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_machine != EM_X86_64 ||
	    h->e_phentsize != sizeof(*p) ||
	    !inside(&im, h->e_phoff, (uint64_t)h->e_phnum * sizeof(*p))) {
		free(im.file);
		return bad(name, "no x86-64 ELF image");
	}
	find_symbols(&im);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !(p[i].p_flags & PF_X))
			continue;
		if (!inside(&im, p[i].p_offset, p[i].p_filesz)) {
			status = bad(name, "cut short");
			break;
		}
		any = true;
		*found += scan_segment(&im, d, &p[i]);
	}
	if (!any && !status)
		status = bad(name, "no executable segment");
	free(im.file);
	return status;
}

int main(int argc, char **argv)
{
	struct decoder *d;
	unsigned found = 0;
	int status = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: ring3_scan IMAGE...\n");
		return 2;
	}
	d = decoder_create();
	for (int i = 1; i < argc && !status; i++)
		status = scan(argv[i], d, &found);
	decoder_destroy(d);
	if (found)
		fprintf(stderr,
			"ring3_scan: %u instructions that have no place in "
			"ring "
			"3; see cpu/decode.h\n",
			found);
	return status ? status : found != 0;
}

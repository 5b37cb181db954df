/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/elfimage.h - what the view asks of a little-endian ELF64 file: a note, a
 * symbol, the executable segment (System V gABI, chapters 4 and 5).
 *
 * Nothing in the file is trusted; what leaves it is as if it were not there.
 */
#ifndef PARTERRE_SIM_ELFIMAGE_H
#define PARTERRE_SIM_ELFIMAGE_H

#include "sim/base.h"
#include "sim/status.h"

struct elf_image {
	uint8_t *file;
	size_t bytes;
};

/* Reads the file.  False: EXIT_USAGE, names it and the remedy. */
bool elf_image_read(struct elf_image *e, const char *path,
		    struct error *err) MUST_USE;
void elf_image_free(struct elf_image *e);

/* Is it ELF64, little-endian, x86-64? */
bool elf_image_is(const struct elf_image *e);
/* The first note of that name and type in its PT_NOTE segments; returns its
 * description's first `bytes` in *to.  False: no note, or one that is shorter.
 */
bool elf_image_note(const struct elf_image *e, const char *name, uint32_t type,
		    void *to, size_t bytes);
bool elf_image_symbol(const struct elf_image *e, const char *symbol,
		      uint64_t *value, uint64_t *bytes);
/* Its contents in the file; NULL: there is no such section, or it has none. */
const uint8_t *elf_image_section(const struct elf_image *e, const char *name,
				 uint64_t *bytes);
/* One call for each defined symbol of that type (STT_FUNC, STT_OBJECT, ...). */
typedef void elf_symbol_fn(void *to, const char *name, uint64_t value,
			   uint64_t bytes, unsigned type);
void elf_image_symbols(const struct elf_image *e, elf_symbol_fn *fn, void *to);
/* What a segment loads at `va`, up to `bytes` of it; returns how many. */
size_t elf_image_bytes(const struct elf_image *e, uint64_t va, void *to,
		       size_t bytes);
/* The first executable PT_LOAD segment that is not writable. */
bool elf_image_text(const struct elf_image *e, uint64_t *va, uint64_t *bytes);

#endif

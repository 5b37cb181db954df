/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/symbols.h - what an address in a program means: function, source line,
 * bytes.
 *
 * Read from the ELF file alone: its symbol table, `.debug_line` and
 * `.debug_info` of DWARF version 2 to 4 (DWARF 4, sections 6.2 and 7.5), which
 * is what the hypervisor's images are built with.  A file with less gives less:
 * no line, or no name.  Nothing in it is trusted.
 *
 * Not modelled: DWARF 5, compressed sections.
 */
#ifndef PARTERRE_SIM_SYMBOLS_H
#define PARTERRE_SIM_SYMBOLS_H

#include "sim/elfimage.h"

struct symbol_line {
	vaddr_t va;
	const char *file; /* NULL: from here on no line is known */
	uint32_t line;
};

struct symbols;

/* NULL: the file cannot be read, or is no ELF64 image (EXIT_USAGE). */
struct symbols *symbols_read(const char *path, struct error *err) MUST_USE;
void symbols_free(struct symbols *s); /* NULL is fine */

/* The function that holds `va`; NULL: none is known. */
const char *symbols_function(const struct symbols *s, vaddr_t va,
			     uint64_t *offset);
/* Where the nth function of that name begins, from 0, by address; false: there
 * are not so many. */
bool symbols_find(const struct symbols *s, const char *name, size_t nth,
		  vaddr_t *va);
/* False: not known. */
bool symbols_line(const struct symbols *s, vaddr_t va, const char **file,
		  uint32_t *line);
/* Whose code is at `va`, by the debugging information: the innermost function
 * first, each but the last inlined in the next.  Returns how many; 0: not
 * known.
 */
size_t symbols_inlined(const struct symbols *s, vaddr_t va, const char **name,
		       size_t max);
/* The variable or table that holds `va`; NULL: none is known. */
const char *symbols_object(const struct symbols *s, vaddr_t va,
			   uint64_t *offset, uint64_t *bytes);
/* The stretch of addresses around `va` that its line's rows cover without a
 * break; false: not known. */
bool symbols_line_range(const struct symbols *s, vaddr_t va, vaddr_t *low,
			vaddr_t *high);
/* Where the code of that line begins, or, if it has none, of the next one that
 * has: the lowest such address.  `file`: a path's end, on whole names.  *line
 * is the line found. */
bool symbols_line_find(const struct symbols *s, const char *file,
		       uint32_t *line, vaddr_t *va);
/* Where that line begins in the nth function that has code of it, from 0:
 * functions that are inlined are in several.  `file` as above. */
bool symbols_line_nth(const struct symbols *s, const char *file, uint32_t line,
		      size_t nth, vaddr_t *va);
/* The nth function by address, for a list of names; NULL: no more. */
const char *symbols_nth(const struct symbols *s, size_t nth);
/* A variable, by its symbol. */
bool symbols_variable(const struct symbols *s, const char *name, vaddr_t *va,
		      uint64_t *bytes);
/* A section's contents; NULL: there is none. */
const uint8_t *symbols_section(const struct symbols *s, const char *name,
			       uint64_t *bytes);
/* The program's own bytes at `va`; returns how many of them there are. */
size_t symbols_code(const struct symbols *s, vaddr_t va, void *to,
		    size_t bytes);

/* srcline.c: the line table of a `.debug_line` section, unsorted; strings lie
 * in *names, which is freed after it, both by the caller. */
size_t srcline_read(const uint8_t *section, uint64_t bytes,
		    struct symbol_line **lines, char **names);

/* inlines.c: never NULL; names lie in the image, which has to stay. */
struct inlines;
struct inlines *inlines_read(const struct elf_image *image);
void inlines_free(struct inlines *in);
size_t inlines_at(const struct inlines *in, vaddr_t va, const char **name,
		  size_t max);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/symbols.c - sorted tables, searched by halves: functions, variables,
 * lines.
 */
#include "sim/symbols.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

struct function {
	vaddr_t va;
	uint64_t bytes; /* 0: to the next one */
	const char *name;
};

struct table {
	size_t count, room;
	struct function *entry;
};

struct symbols {
	struct elf_image image;
	struct table functions, objects;
	size_t line_count;
	struct symbol_line *line;
	char *files;
	struct inlines *inlines;
};

static void add(struct table *t, const struct function *f)
{
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		t->entry = realloc(t->entry, t->room * sizeof(*t->entry));
		CHECK(t->entry);
	}
	t->entry[t->count++] = *f;
}

static void note_symbol(void *to, const char *name, uint64_t value,
			uint64_t bytes, unsigned type)
{
	struct symbols *s = to;

	if (type == STT_OBJECT && *name)
		add(&s->objects, &(struct function){value, bytes, name});

	/* Labels of assembly that carry no type are functions as well; the
	 * linker's own names of sections and ends are in the way. */
	if (!*name || (type != STT_FUNC && type != STT_NOTYPE))
		return;
	if (type == STT_NOTYPE &&
	    (strstr(name, "_end") || strstr(name, "_start") || *name == '_'))
		return;
	add(&s->functions, &(struct function){value, bytes, name});
}

/* Of several names for one address: the one with a size, then by name. */
static int by_va(const void *a, const void *b)
{
	const struct function *f = a, *g = b;

	if (f->va != g->va)
		return f->va < g->va ? -1 : 1;
	if (!f->bytes != !g->bytes)
		return f->bytes ? 1 : -1;
	return strcmp(g->name, f->name);
}

static void sort(struct table *t)
{
	if (t->count)
		qsort(t->entry, t->count, sizeof(*t->entry), by_va);
}

/* Where a stretch ends at the address at which another begins, the end comes
 * first; equal ones stay as the file has them. */
static int by_line_va(const void *a, const void *b)
{
	const struct symbol_line *l = a, *k = b;

	if (l->va != k->va)
		return l->va < k->va ? -1 : 1;
	if (!l->file != !k->file)
		return l->file ? 1 : -1;
	return 0;
}

struct symbols *symbols_read(const char *path, struct error *err)
{
	struct symbols *s = calloc(1, sizeof(*s));
	const uint8_t *section;
	uint64_t bytes;

	CHECK(s);
	if (!elf_image_read(&s->image, path, err)) {
		free(s);
		return NULL;
	}
	if (!elf_image_is(&s->image)) {
		error_set(err, EXIT_USAGE,
			  "%s: not an ELF64 image for x86-64; it has no "
			  "symbols",
			  path);
		symbols_free(s);
		return NULL;
	}
	elf_image_symbols(&s->image, note_symbol, s);
	sort(&s->functions);
	sort(&s->objects);
	s->inlines = inlines_read(&s->image);
	section = elf_image_section(&s->image, ".debug_line", &bytes);
	if (section)
		s->line_count =
			srcline_read(section, bytes, &s->line, &s->files);
	if (s->line_count)
		qsort(s->line, s->line_count, sizeof(*s->line), by_line_va);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->functions.entry);
	free(s->objects.entry);
	inlines_free(s->inlines);
	free(s->line);
	free(s->files);
	elf_image_free(&s->image);
	free(s);
}

/* The last one that begins at `va` or before; NULL: none. */
static const struct function *before(const struct table *t, vaddr_t va)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->entry[middle].va <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &t->entry[low - 1] : NULL;
}

const char *symbols_function(const struct symbols *s, vaddr_t va,
			     uint64_t *offset)
{
	const struct function *f = before(&s->functions, va);

	if (!f ||
	    (f->bytes ? va - f->va >= f->bytes : va - f->va >= PAGE_BYTES))
		return NULL;
	*offset = va - f->va;
	return f->name;
}

const char *symbols_object(const struct symbols *s, vaddr_t va,
			   uint64_t *offset, uint64_t *bytes)
{
	const struct function *f = before(&s->objects, va);

	if (!f || va - f->va >= f->bytes)
		return NULL;
	*offset = va - f->va;
	*bytes = f->bytes;
	return f->name;
}

size_t symbols_inlined(const struct symbols *s, vaddr_t va, const char **name,
		       size_t max)
{
	return inlines_at(s->inlines, va, name, max);
}

bool symbols_find(const struct symbols *s, const char *name, size_t nth,
		  vaddr_t *va)
{
	for (size_t i = 0; i < s->functions.count; i++) {
		if (strcmp(s->functions.entry[i].name, name) == 0 && !nth--) {
			*va = s->functions.entry[i].va;
			return true;
		}
	}
	return false;
}

/* The row that holds `va`; line_count: none. */
static size_t row_of(const struct symbols *s, vaddr_t va)
{
	size_t low = 0, high = s->line_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->line[middle].va <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low && s->line[low - 1].file ? low - 1 : s->line_count;
}

bool symbols_line(const struct symbols *s, vaddr_t va, const char **file,
		  uint32_t *line)
{
	size_t row = row_of(s, va);

	if (row == s->line_count)
		return false;
	*file = s->line[row].file;
	*line = s->line[row].line;
	return true;
}

static bool same_line(const struct symbol_line *a, const struct symbol_line *b)
{
	return a->file && b->file && a->line == b->line &&
	       strcmp(a->file, b->file) == 0;
}

bool symbols_line_range(const struct symbols *s, vaddr_t va, vaddr_t *low,
			vaddr_t *high)
{
	size_t from = row_of(s, va), to = from;

	if (from == s->line_count)
		return false;
	while (from && same_line(&s->line[from - 1], &s->line[from]))
		from--;
	while (to + 1 < s->line_count &&
	       same_line(&s->line[to + 1], &s->line[from]))
		to++;
	*low = s->line[from].va;
	*high = to + 1 < s->line_count ? s->line[to + 1].va : va + 1;
	return true;
}

static bool ends_in(const char *path, const char *end)
{
	size_t n = strlen(path), k = strlen(end);

	return k && k <= n && strcmp(path + n - k, end) == 0 &&
	       (k == n || path[n - k - 1] == '/');
}

bool symbols_line_find(const struct symbols *s, const char *file,
		       uint32_t *line, vaddr_t *va)
{
	const struct symbol_line *best = NULL;

	for (size_t i = 0; i < s->line_count; i++) {
		const struct symbol_line *l = &s->line[i];

		/* An empty stretch is no code. */
		if (!l->file || l->line < *line ||
		    (best && l->line >= best->line) ||
		    (i + 1 < s->line_count && l[1].va == l->va) ||
		    !ends_in(l->file, file))
			continue;
		best = l;
	}
	if (!best)
		return false;
	*line = best->line;
	*va = best->va;
	return true;
}

bool symbols_line_nth(const struct symbols *s, const char *file, uint32_t line,
		      size_t nth, vaddr_t *va)
{
	vaddr_t function = 0;
	bool any = false;

	for (size_t i = 0; i < s->line_count; i++) {
		const struct symbol_line *l = &s->line[i];
		uint64_t offset = 0;

		if (!l->file || l->line != line ||
		    (i + 1 < s->line_count && l[1].va == l->va) ||
		    !ends_in(l->file, file))
			continue;
		if (!symbols_function(s, l->va, &offset))
			offset = 0;
		if (any && function == l->va - offset)
			continue;
		any = true;
		function = l->va - offset;
		if (!nth--) {
			*va = l->va;
			return true;
		}
	}
	return false;
}

const char *symbols_nth(const struct symbols *s, size_t nth)
{
	return nth < s->functions.count ? s->functions.entry[nth].name : NULL;
}

bool symbols_variable(const struct symbols *s, const char *name, vaddr_t *va,
		      uint64_t *bytes)
{
	return elf_image_symbol(&s->image, name, va, bytes);
}

const uint8_t *symbols_section(const struct symbols *s, const char *name,
			       uint64_t *bytes)
{
	return elf_image_section(&s->image, name, bytes);
}

size_t symbols_code(const struct symbols *s, vaddr_t va, void *to, size_t bytes)
{
	return elf_image_bytes(&s->image, va, to, bytes);
}

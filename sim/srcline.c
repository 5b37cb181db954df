/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/srcline.c - the line number program of DWARF 2 to 4, run (DWARF 4,
 * section 6.2).
 *
 * A section holds one unit after the other: header, list of directories, list
 * of files, program.  The program moves a row (address, file, line) along and
 * says when it is one of the table.  Each row is kept, the last of a sequence
 * without a file.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/dwarf.h"
#include "sim/symbols.h"

#define FILES_MAX 1024
#define DIRS_MAX  256

struct reader {
	struct dwarf_cursor c;
	unsigned version, min_bytes, line_range, opcode_base;
	int line_base;
	const uint8_t *lengths; /* [opcode - 1] */
	const char *dir[DIRS_MAX];
	size_t dirs;
	size_t file[FILES_MAX]; /* offset in names, plus 1; [0]: file 1 */
	size_t files;
	struct {
		uint64_t va;
		uint64_t file;
		int64_t line;
	} row;
	struct symbol_line *lines; /* `file` is an offset in names, plus 1 */
	size_t count, room;
	char *names;
	size_t names_bytes, names_room;
};

static const char *string(struct dwarf_cursor *c)
{
	const uint8_t *end = memchr(c->at, 0, (size_t)(c->end - c->at));
	const char *s = (const char *)c->at;

	if (!end) {
		c->bad = true;
		return "";
	}
	c->at = end + 1;
	return s;
}

/* "dir/name" goes to the names; returns its offset plus 1. */
static size_t keep_name(struct reader *r, const char *dir, const char *name)
{
	size_t d = strlen(dir), n = strlen(name), at = r->names_bytes;

	if (*name == '/')
		d = 0;
	while (d && dir[0] == '/' && dir[1] == '/')
		dir++, d--;
	/* Beside the folder that was built in, which is nobody's name. */
	while (d > 2 && strncmp(dir, "../", 3) == 0)
		dir += 3, d -= 3;
	if (r->names_bytes + d + n + 2 > r->names_room) {
		r->names_room = 2 * (r->names_bytes + d + n + 2);
		r->names = realloc(r->names, r->names_room);
		CHECK(r->names);
	}
	memcpy(r->names + at, dir, d);
	if (d)
		r->names[at + d++] = '/';
	memcpy(r->names + at + d, name, n + 1);
	r->names_bytes += d + n + 1;
	return at + 1;
}

static void read_file(struct reader *r, const char *name)
{
	uint64_t dir = dwarf_uleb(&r->c);

	dwarf_uleb(&r->c); /* time */
	dwarf_uleb(&r->c); /* length */
	if (r->files == FILES_MAX)
		return;
	r->file[r->files++] = keep_name(
		r, dir && dir <= r->dirs ? r->dir[dir - 1] : "", name);
}

static void read_header(struct reader *r)
{
	struct dwarf_cursor *c = &r->c;
	uint64_t length;
	const uint8_t *program;
	const char *name;

	r->version = (unsigned)dwarf_take(c, 2);
	length = dwarf_take(c, 4);
	if (r->version < 2 || r->version > 4 ||
	    length > (size_t)(c->end - c->at)) {
		c->bad = true;
		return;
	}
	program = c->at + length;
	r->min_bytes = (unsigned)dwarf_take(c, 1);
	if (r->version >= 4)
		dwarf_take(c, 1); /* operations of an instruction: 1 */
	dwarf_take(c, 1);         /* default_is_stmt */
	r->line_base = (int)dwarf_take(c, 1);
	if (r->line_base > INT8_MAX)
		r->line_base -= UINT8_MAX + 1; /* it has a sign */
	r->line_range = (unsigned)dwarf_take(c, 1);
	r->opcode_base = (unsigned)dwarf_take(c, 1);
	r->lengths = c->at;
	if (!r->line_range || !r->opcode_base ||
	    (size_t)(c->end - c->at) < r->opcode_base) {
		c->bad = true;
		return;
	}
	c->at += r->opcode_base - 1;
	r->dirs = r->files = 0;
	while (!c->bad && *(name = string(c))) {
		if (r->dirs < DIRS_MAX)
			r->dir[r->dirs++] = name;
	}
	while (!c->bad && *(name = string(c)))
		read_file(r, name);
	c->at = program;
}

static void emit(struct reader *r, bool ends)
{
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 1024;
		r->lines = realloc(r->lines, r->room * sizeof(*r->lines));
		CHECK(r->lines);
	}
	r->lines[r->count++] = (struct symbol_line){
		.va = r->row.va,
		.file = !ends && r->row.file && r->row.file <= r->files
				? (const char *)r->file[r->row.file - 1]
				: NULL,
		.line = (uint32_t)r->row.line,
	};
}

static void restart(struct reader *r)
{
	r->row.va = 0;
	r->row.file = r->row.line = 1;
}

static void extended(struct reader *r)
{
	struct dwarf_cursor *c = &r->c;
	uint64_t length = dwarf_uleb(c);
	const uint8_t *after;

	if (!length || length > (size_t)(c->end - c->at)) {
		c->bad = true;
		return;
	}
	after = c->at + length;
	switch (dwarf_take(c, 1)) {
	case 1: /* DW_LNE_end_sequence */
		emit(r, true);
		restart(r);
		break;
	case 2: /* DW_LNE_set_address */
		r->row.va = dwarf_take(c, length - 1 < 8 ? (unsigned)length - 1
							 : 8);
		break;
	case 3: /* DW_LNE_define_file */
		read_file(r, string(c));
		break;
	default:
		break;
	}
	c->at = after;
}

static void standard(struct reader *r, unsigned opcode)
{
	struct dwarf_cursor *c = &r->c;

	switch (opcode) {
	case 1: /* DW_LNS_copy */
		emit(r, false);
		break;
	case 2: /* DW_LNS_advance_pc */
		r->row.va += dwarf_uleb(c) * r->min_bytes;
		break;
	case 3: /* DW_LNS_advance_line */
		r->row.line += dwarf_sleb(c);
		break;
	case 4: /* DW_LNS_set_file */
		r->row.file = dwarf_uleb(c);
		break;
	case 8: /* DW_LNS_const_add_pc */
		r->row.va +=
			(uint64_t)((255 - r->opcode_base) / r->line_range) *
			r->min_bytes;
		break;
	case 9: /* DW_LNS_fixed_advance_pc */
		r->row.va += dwarf_take(c, 2);
		break;
	default: /* columns, marks: operands as the header says */
		for (unsigned i = 0; i < r->lengths[opcode - 1]; i++)
			dwarf_uleb(c);
		break;
	}
}

static void run(struct reader *r)
{
	restart(r);
	while (!r->c.bad && r->c.at < r->c.end) {
		unsigned opcode = (unsigned)dwarf_take(&r->c, 1);

		if (opcode == 0) {
			extended(r);
		} else if (opcode < r->opcode_base) {
			standard(r, opcode);
		} else {
			opcode -= r->opcode_base;
			r->row.va += (uint64_t)(opcode / r->line_range) *
				     r->min_bytes;
			r->row.line +=
				r->line_base + (int)(opcode % r->line_range);
			emit(r, false);
		}
	}
}

size_t srcline_read(const uint8_t *section, uint64_t bytes,
		    struct symbol_line **lines, char **names)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct dwarf_cursor all = {section, section + bytes, false};
	size_t count;

	CHECK(r);
	while (all.end - all.at > 4) {
		uint64_t length = dwarf_take(&all, 4);

		/* 64-bit DWARF is for sections of more than 4 GB. */
		if (length > (size_t)(all.end - all.at))
			break;
		r->c = (struct dwarf_cursor){all.at, all.at + length, false};
		read_header(r);
		if (!r->c.bad)
			run(r);
		all.at += length;
	}
	/* The names stood still no earlier than now. */
	for (size_t i = 0; i < r->count; i++) {
		if (r->lines[i].file)
			r->lines[i].file =
				r->names + ((uintptr_t)r->lines[i].file - 1);
	}
	*lines = r->lines;
	*names = r->names;
	count = r->count;
	free(r);
	return count;
}

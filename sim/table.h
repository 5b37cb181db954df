/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/table.h - the same rows for people and for programs: a table
 * of aligned columns, or, in one JSON object, a list of objects.
 */
#ifndef PARTERRE_SIM_TABLE_H
#define PARTERRE_SIM_TABLE_H

#include <stdio.h>

#include "sim/base.h"

enum cell_kind {
	CELL_TEXT,
	CELL_NUMBER, /* JSON: a number */
	CELL_HEX,    /* JSON: a text, "0x..." */
};

struct column {
	const char *name; /* JSON: the key */
	enum cell_kind kind;
	int width;
};

union cell {
	const char *s;
	uint64_t u;
};

#define COLUMNS_MAX 16

struct table {
	FILE *out;
	bool json;
	const struct column *column;
	size_t columns, rows;
	unsigned members; /* of the object so far */
};

/* The object of one machine, to `out`. */
void table_open(struct table *t, bool json, FILE *out);
void table_close(struct table *t);
/* One member of it, in front of or among the tables. */
void table_text(struct table *t, const char *name, const char *text);
void table_number(struct table *t, const char *name, uint64_t n);
/* A table: rows between begin and end, a cell for each column. */
void table_begin(struct table *t, const char *name, const struct column *c,
		 size_t columns);
void table_row(struct table *t, const union cell *cell);
void table_end(struct table *t);

#endif

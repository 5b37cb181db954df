/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/parterre/table.h"

#include <inttypes.h>
#include <stdio.h>

#include "sim/check.h"

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_key(struct table *t, const char *name)
{
	printf("%s\n  ", t->members++ ? "," : "");
	json_string(name);
	printf(": ");
}

void table_open(struct table *t, bool json)
{
	*t = (struct table){.json = json};
	if (json)
		printf("{");
}

void table_close(struct table *t)
{
	if (t->json)
		printf("\n}");
}

void table_text(struct table *t, const char *name, const char *text)
{
	if (t->json) {
		json_key(t, name);
		json_string(text);
	} else {
		printf("%s: %s\n", name, text);
	}
}

void table_number(struct table *t, const char *name, uint64_t n)
{
	if (t->json) {
		json_key(t, name);
		printf("%" PRIu64, n);
	} else {
		printf("%s: %" PRIu64 "\n", name, n);
	}
}

void table_begin(struct table *t, const char *name, const struct column *c,
		 size_t columns)
{
	CHECK(columns <= COLUMNS_MAX);
	t->column = c;
	t->columns = columns;
	t->rows = 0;
	if (t->json) {
		json_key(t, name);
		printf("[");
		return;
	}
	printf("%s\n ", name);
	for (size_t i = 0; i < columns; i++)
		printf(c[i].kind == CELL_TEXT ? " %-*s" : " %*s", c[i].width,
		       c[i].name);
	printf("\n");
}

static void json_cell(const struct column *c, union cell v)
{
	json_string(c->name);
	printf(": ");
	if (c->kind == CELL_TEXT)
		json_string(v.s);
	else if (c->kind == CELL_NUMBER)
		printf("%" PRIu64, v.u);
	else
		printf("\"0x%" PRIx64 "\"", v.u);
}

static void text_cell(const struct column *c, union cell v)
{
	char hex[24];

	if (c->kind == CELL_TEXT) {
		printf(" %-*s", c->width, v.s);
	} else if (c->kind == CELL_NUMBER) {
		printf(" %*" PRIu64, c->width, v.u);
	} else {
		snprintf(hex, sizeof(hex), "0x%" PRIx64, v.u);
		printf(" %*s", c->width, hex);
	}
}

void table_row(struct table *t, const union cell *cell)
{
	if (t->json)
		printf("%s\n    {", t->rows ? "," : "");
	else
		printf(" ");
	for (size_t i = 0; i < t->columns; i++) {
		if (!t->json) {
			text_cell(&t->column[i], cell[i]);
			continue;
		}
		printf("%s", i ? ", " : "");
		json_cell(&t->column[i], cell[i]);
	}
	printf(t->json ? "}" : "\n");
	t->rows++;
}

void table_end(struct table *t)
{
	if (t->json)
		printf("]");
}

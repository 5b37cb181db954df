/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/table.h"

#include <inttypes.h>

#include "sim/check.h"
#include "sim/text.h"

static void json_key(struct table *t, const char *name)
{
	fprintf(t->out, "%s\n  ", t->members++ ? "," : "");
	text_put_json(t->out, name);
	fprintf(t->out, ": ");
}

void table_open(struct table *t, bool json, FILE *out)
{
	*t = (struct table){.out = out, .json = json};
	if (json)
		fprintf(t->out, "{");
}

void table_close(struct table *t)
{
	if (t->json)
		fprintf(t->out, "\n}");
}

void table_text(struct table *t, const char *name, const char *text)
{
	if (t->json) {
		json_key(t, name);
		text_put_json(t->out, text);
	} else {
		fprintf(t->out, "%s: %s\n", name, text);
	}
}

void table_number(struct table *t, const char *name, uint64_t n)
{
	if (t->json) {
		json_key(t, name);
		fprintf(t->out, "%" PRIu64, n);
	} else {
		fprintf(t->out, "%s: %" PRIu64 "\n", name, n);
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
		fprintf(t->out, "[");
		return;
	}
	fprintf(t->out, "%s\n ", name);
	for (size_t i = 0; i < columns; i++)
		fprintf(t->out, c[i].kind == CELL_TEXT ? " %-*s" : " %*s",
			c[i].width, c[i].name);
	fprintf(t->out, "\n");
}

static void json_cell(const struct table *t, const struct column *c,
		      union cell v)
{
	text_put_json(t->out, c->name);
	fprintf(t->out, ": ");
	if (c->kind == CELL_TEXT)
		text_put_json(t->out, v.s);
	else if (c->kind == CELL_NUMBER)
		fprintf(t->out, "%" PRIu64, v.u);
	else
		fprintf(t->out, "\"0x%" PRIx64 "\"", v.u);
}

static void text_cell(const struct table *t, const struct column *c,
		      union cell v)
{
	char hex[24];

	if (c->kind == CELL_TEXT) {
		fprintf(t->out, " %-*s", c->width, v.s);
	} else if (c->kind == CELL_NUMBER) {
		fprintf(t->out, " %*" PRIu64, c->width, v.u);
	} else {
		snprintf(hex, sizeof(hex), "0x%" PRIx64, v.u);
		fprintf(t->out, " %*s", c->width, hex);
	}
}

void table_row(struct table *t, const union cell *cell)
{
	if (t->json)
		fprintf(t->out, "%s\n    {", t->rows ? "," : "");
	else
		fprintf(t->out, " ");
	for (size_t i = 0; i < t->columns; i++) {
		if (!t->json) {
			text_cell(t, &t->column[i], cell[i]);
			continue;
		}
		fprintf(t->out, "%s", i ? ", " : "");
		json_cell(t, &t->column[i], cell[i]);
	}
	fprintf(t->out, t->json ? "}" : "\n");
	t->rows++;
}

void table_end(struct table *t)
{
	if (t->json)
		fprintf(t->out, "]");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_json.c - a trace as JSON: one object for each event, one
 * event a line.  Times are integers of picoseconds, partitions have number and
 * name; values above 2^53, which many readers of JSON round, and all that the
 * catalogue calls hexadecimal are texts ("0x1f").
 */
#include <inttypes.h>

#include "sim/text.h"
#include "tools/parterre/trace_tool.h"

#define JSON_EXACT (UINT64_C(1) << 53)

static void put_value(FILE *to, const struct trace_field *f,
		      const union trace_value *v)
{
	if (f->kind == TRACE_STR)
		text_put_json(to, v->s);
	else if (f->kind == TRACE_X64 || v->u > JSON_EXACT)
		fprintf(to, "\"%#" PRIx64 "\"", v->u);
	else
		fprintf(to, "%" PRIu64, v->u);
}

static void put_event(const struct source *s, FILE *to,
		      const struct trace_record *r)
{
	char place[256];
	vaddr_t rip;

	fprintf(to,
		"{\"number\": %" PRIu64 ", \"time_ps\": %" PRIu64
		", \"cpu\": %u, \"partition\": %u, \"name\": ",
		s->number, r->time, r->cpu, r->partition);
	text_put_json(to, source_name(s, r->partition));
	fprintf(to,
		", \"retired\": %" PRIu64
		", \"class\": \"%s\", \"event\": \"%s\", \"fields\": {",
		r->retired, trace_class_text(r->kind->class), r->kind->name);
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		fprintf(to, "%s\"%s\": ", i ? ", " : "",
			r->kind->field[i].name);
		put_value(to, &r->kind->field[i], &r->value[i]);
	}
	fprintf(to, "}");
	if (record_rip(r, &rip) &&
	    source_place(s, r->partition, rip, place, sizeof(place))) {
		fprintf(to, ", \"place\": ");
		text_put_json(to, place);
	}
	fprintf(to, "}");
}

int export_json(struct source *s, FILE *to, struct error *err)
{
	struct trace_record r;
	const char *between = "\n";
	int state;

	fprintf(to, "{\"events\": [");
	while ((state = source_next(s, &r, err)) == 1) {
		fputs(between, to);
		between = ",\n";
		put_event(s, to, &r);
	}
	fprintf(to, "\n]}\n");
	return state < 0 ? (int)err->code : EXIT_HELD;
}

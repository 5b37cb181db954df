/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/report_data.c - RUN, the array that report.js draws: an object
 * for each machine.  Times are ps; they stay exact below 2^53 (9,000 s). */
#include <inttypes.h>

#include "tools/parterre/report.h"

/* A text within a script of an HTML page: no "<" may stand there. */
static void put_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c == '<' || c > 0x7e)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void put_names(FILE *f, const struct story *s)
{
	fprintf(f, "\"names\":[");
	for (uint32_t i = 0; i <= s->partitions; i++) {
		fputs(i ? "," : "", f);
		put_text(f, report_name(s, i));
	}
	fprintf(f, "],\n");
}

static void put_lane(FILE *f, const struct story_lane *l)
{
	fprintf(f, "{\"from\":%" PRIu64 ",\"grain\":%" PRIu64 ",\"spans\":[",
		l->count ? l->span[0].from : 0, l->grain);
	for (size_t i = 0; i < l->count; i++)
		fprintf(f, "%s%" PRIu32 ",%" PRIu64, i ? "," : "",
			l->span[i].who, l->span[i].to - l->span[i].from);
	fprintf(f, "]}");
}

static void put_machine(FILE *f, const struct story *s)
{
	fprintf(f, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\n", s->first,
		s->last);
	put_names(f, s);
	fprintf(f, "\"lanes\":[");
	for (unsigned i = 0; i < s->cpus; i++) {
		fputs(i ? ",\n" : "\n", f);
		put_lane(f, &s->lane[i]);
	}
	fprintf(f, "],\n\"marks\":[");
	for (size_t i = 0; i < s->mark_count; i++) {
		const struct story_mark *m = &s->mark[i];

		fprintf(f, "%s\n{\"t\":%" PRIu64 ",\"kind\":\"%s\",\"text\":",
			i ? "," : "", m->time, story_mark_text(m->kind));
		put_text(f, m->text);
		fputc('}', f);
	}
	fprintf(f, "]}");
}

void report_data(FILE *f, const struct report *r)
{
	fprintf(f, "const RUN = [");
	for (size_t i = 0; i < r->machine_count; i++) {
		fputs(i ? ",\n" : "\n", f);
		put_machine(f, r->machine[i].story);
	}
	fprintf(f, "];\n");
}

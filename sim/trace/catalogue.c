/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/catalogue.c - what events.def becomes: the table of kinds, and the
 * CTF metadata that describes the stream to other programs.
 */
#include "sim/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/trace/layout.h"

#define U(field) {#field, TRACE_U64},
#define X(field) {#field, TRACE_X64},
#define B(field) {#field, TRACE_U8},
#define S(field) {#field, TRACE_STR},
#define FIELD_COUNT(...)                                                       \
	(sizeof((const struct trace_field[]){__VA_ARGS__}) /                   \
	 sizeof(struct trace_field))

const struct trace_kind trace_kinds[] = {
#define TRACE_EVENT(id, text, nr, cls, fields)                                 \
	{.number = (nr),                                                       \
	 .name = (text),                                                       \
	 .class = TRACE_CLASS_##cls,                                           \
	 .field_count = FIELD_COUNT(fields),                                   \
	 .field = {fields}},
#include "sim/trace/events.def"
#undef TRACE_EVENT
	{0},
};

enum {
#define TRACE_EVENT(id, text, nr, cls, fields) AT_##id,
#include "sim/trace/events.def"
#undef TRACE_EVENT
};

static const struct trace_kind *const by_number[] = {
#define TRACE_EVENT(id, text, nr, cls, fields) [nr] = &trace_kinds[AT_##id],
#include "sim/trace/events.def"
#undef TRACE_EVENT
};

_Static_assert(ARRAY_LEN(by_number) <= UINT8_MAX + 1,
	       "an event's number is one byte");

const struct trace_kind *trace_kind_find(uint16_t number)
{
	return number < ARRAY_LEN(by_number) ? by_number[number] : NULL;
}

const struct trace_kind *trace_kind_by_name(const char *name)
{
	for (const struct trace_kind *k = trace_kinds; k->name; k++) {
		if (!strcmp(k->name, name))
			return k;
	}
	return NULL;
}

static const char *const classes[TRACE_CLASSES] = {"partition", "machine",
						   "flow", "full"};

unsigned trace_class_by_name(const char *name)
{
	for (unsigned i = 0; i < TRACE_CLASSES; i++) {
		if (!strcmp(classes[i], name))
			return 1u << i;
	}
	return 0;
}

const char *trace_class_text(enum trace_class class)
{
	for (unsigned i = 0; i < TRACE_CLASSES; i++) {
		if (class == 1u << i)
			return classes[i];
	}
	return "?";
}

/* Field names carry an underscore because some are words of TSDL ("stream");
 * readers of CTF drop it (specification, section 7.3.1). */
static const char prologue[] =
	"/* CTF 1.8 */\n"
	"\n"
	"typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
	"typealias integer { size = 16; align = 8; signed = false; } := u16;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
	"typealias integer { size = 40; align = 8; signed = false; } := u40;\n"
	"typealias integer { size = 56; align = 8; signed = false; } := u56;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = 16; }"
	" := x64;\n"
	"\n"
	"trace {\n"
	"\tmajor = 1;\n"
	"\tminor = 8;\n"
	"\tuuid = \"" CTF_UUID_TEXT "\";\n"
	"\tbyte_order = le;\n"
	"\tpacket.header := struct {\n"
	"\t\tu32 magic;\n"
	"\t\tu8 uuid[16];\n"
	"\t\tu32 stream_id;\n"
	"\t};\n"
	"};\n"
	"\n"
	"env {\n"
	"\tdomain = \"parterre\";\n"
	"};\n"
	"\n"
	"clock {\n"
	"\tname = \"virtual\";\n"
	"\tdescription = \"virtual time since power-on, picoseconds\";\n"
	"\tfreq = 1000000000000;\n"
	"\toffset = 0;\n"
	"\tabsolute = false;\n"
	"};\n"
	"\n"
	"typealias integer {\n"
	"\tsize = 64; align = 8; signed = false;\n"
	"\tmap = clock.virtual.value;\n"
	"} := ps;\n"
	"\n"
	"stream {\n"
	"\tid = 0;\n"
	"\tpacket.context := struct {\n"
	"\t\tps timestamp_begin;\n"
	"\t\tps timestamp_end;\n"
	"\t\tu64 content_size;\n"
	"\t\tu64 packet_size;\n"
	"\t\tu64 events_discarded;\n"
	"\t};\n"
	"\tevent.header := struct {\n"
	"\t\tu8 id;\n"
	"\t\tps timestamp;\n"
	"\t};\n"
	"\tevent.context := struct {\n"
	"\t\tu40 _behind;\n"
	"\t\tu8 _cpu;\n"
	"\t\tu16 _partition;\n"
	"\t\tu56 _retired;\n"
	"\t};\n"
	"};\n";

char *trace_metadata(void)
{
	static const char *const type[] = {
		[TRACE_U64] = "u64",
		[TRACE_X64] = "x64",
		[TRACE_U8] = "u8",
		[TRACE_STR] = "string",
	};
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	CHECK_MSG(f, "out of memory for the trace's metadata");
	fputs(prologue, f);
	for (const struct trace_kind *k = trace_kinds; k->name; k++) {
		fprintf(f,
			"\nevent {\n\tname = \"%s\";\n\tid = %u;\n"
			"\tstream_id = 0;\n\tfields := struct {\n",
			k->name, k->number);
		for (unsigned i = 0; i < k->field_count; i++)
			fprintf(f, "\t\t%s _%s;\n", type[k->field[i].kind],
				k->field[i].name);
		fputs("\t};\n};\n", f);
	}
	CHECK_MSG(!fclose(f) && text, "out of memory for the metadata");
	return text;
}

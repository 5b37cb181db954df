/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/inlines.c - which functions' code is where, as `.debug_info` of DWARF 2
 * to 4 has it (DWARF 4, sections 7.5 and 2.17): functions, and what of others
 * was inlined in them.
 *
 * A unit is a tree of entries in the order of a walk; an abbreviation says
 * which attributes an entry has, and whether entries below it follow.  Kept are
 * the functions and the inlined ones; the ranges of addresses of the deeper lie
 * within those of the others, so the deeper overwrites.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/dwarf.h"
#include "sim/symbols.h"

#define ABBREVS_MAX 2048
#define DEPTH_MAX   64
#define ORIGINS_MAX 4 /* of an entry's name: how far it may lie */

enum {
	TAG_INLINED = 0x1d,
	TAG_SUBPROGRAM = 0x2e,
	TAG_COMPILE_UNIT = 0x11,
};

enum {
	AT_NAME = 0x03,
	AT_LOW_PC = 0x11,
	AT_HIGH_PC = 0x12,
	AT_ABSTRACT_ORIGIN = 0x31,
	AT_SPECIFICATION = 0x47,
	AT_RANGES = 0x55,
};

enum {
	FORM_ADDR = 0x01,
	FORM_BLOCK2 = 0x03,
	FORM_BLOCK4,
	FORM_DATA2,
	FORM_DATA4,
	FORM_DATA8,
	FORM_STRING,
	FORM_BLOCK,
	FORM_BLOCK1,
	FORM_DATA1,
	FORM_FLAG,
	FORM_SDATA,
	FORM_STRP,
	FORM_UDATA,
	FORM_REF_ADDR,
	FORM_REF1,
	FORM_REF2,
	FORM_REF4,
	FORM_REF8,
	FORM_REF_UDATA,
	FORM_INDIRECT,
	FORM_SEC_OFFSET,
	FORM_EXPRLOC,
	FORM_FLAG_PRESENT,
	FORM_REF_SIG8 = 0x20,
};

struct section {
	const uint8_t *p;
	uint64_t bytes;
};

struct function {
	const char *name;
	size_t in; /* index of the one that it is inlined in, plus 1; 0: none */
	bool inlined;
};

struct range {
	uint64_t low, high;
	size_t function;
	unsigned depth;
	size_t number; /* in the order of the file */
};

struct inlines {
	size_t function_count, function_room, range_count, range_room;
	struct function *function;
	struct range *range;
	/* From edge[i] on up to the next, the innermost: plus 1; 0: none. */
	size_t edges;
	uint64_t *edge;
	size_t *inner;
};

/* A unit that is read. */
struct unit {
	struct inlines *to;
	struct section info, abbrev, str, ranges;
	const uint8_t *begin; /* of its header: what references count from */
	const uint8_t *end;
	unsigned address_bytes;
	uint64_t base;                            /* of its ranges */
	const uint8_t *abbreviation[ABBREVS_MAX]; /* by code: its tag */
};

/* What is wanted of an entry. */
struct entry {
	uint64_t tag, low, high, ranges;
	bool has_children, high_is_size, has_low, has_ranges;
	const char *name;
	const uint8_t *origin; /* NULL: none */
};

static const char *string(struct dwarf_cursor *c)
{
	const uint8_t *end = memchr(c->at, 0, (size_t)(c->end - c->at));
	const char *s = (const char *)c->at;

	if (!end) {
		c->bad = true;
		c->at = c->end;
		return NULL;
	}
	c->at = end + 1;
	return s;
}

static const char *string_at(const struct section *s, uint64_t offset)
{
	struct dwarf_cursor c = {s->p + offset, s->p + s->bytes, false};

	return s->p && offset < s->bytes ? string(&c) : NULL;
}

/* --- abbreviations --- */

static void read_abbreviations(struct unit *u, uint64_t offset)
{
	struct dwarf_cursor c = {u->abbrev.p + offset,
				 u->abbrev.p + u->abbrev.bytes,
				 offset > u->abbrev.bytes};
	uint64_t code;

	memset(u->abbreviation, 0, sizeof(u->abbreviation));
	while (!c.bad && (code = dwarf_uleb(&c)) != 0) {
		if (code < ABBREVS_MAX)
			u->abbreviation[code] = c.at;
		dwarf_uleb(&c);    /* tag */
		dwarf_take(&c, 1); /* has children */
		while (!c.bad) {
			uint64_t name = dwarf_uleb(&c), form = dwarf_uleb(&c);

			if (!name && !form)
				break;
		}
	}
}

/* --- an entry --- */

/* How many bytes a value of that form has; those that count themselves are
 * counted. */
static uint64_t size_of(const struct unit *u, uint64_t form,
			struct dwarf_cursor *c)
{
	switch (form) {
	case FORM_ADDR:
		return u->address_bytes;
	case FORM_DATA1:
	case FORM_REF1:
	case FORM_FLAG:
		return 1;
	case FORM_DATA2:
	case FORM_REF2:
		return 2;
	case FORM_DATA4:
	case FORM_REF4:
	case FORM_STRP:
	case FORM_SEC_OFFSET:
	case FORM_REF_ADDR:
		return 4;
	case FORM_DATA8:
	case FORM_REF8:
	case FORM_REF_SIG8:
		return 8;
	case FORM_BLOCK1:
		return dwarf_take(c, 1);
	case FORM_BLOCK2:
		return dwarf_take(c, 2);
	case FORM_BLOCK4:
		return dwarf_take(c, 4);
	case FORM_BLOCK:
	case FORM_EXPRLOC:
		return dwarf_uleb(c);
	case FORM_FLAG_PRESENT:
		return 0;
	default:
		c->bad = true;
		return 0;
	}
}

/* A number, or what of it fits; *text for a string. */
static uint64_t value(const struct unit *u, uint64_t form,
		      struct dwarf_cursor *c, const char **text)
{
	*text = NULL;
	if (form == FORM_INDIRECT)
		form = dwarf_uleb(c);
	switch (form) {
	case FORM_STRING:
		*text = string(c);
		return 0;
	case FORM_STRP:
		*text = string_at(&u->str, dwarf_take(c, 4));
		return 0;
	case FORM_UDATA:
	case FORM_SDATA:
	case FORM_REF_UDATA:
		return dwarf_uleb(c);
	default:
		return dwarf_take(c, size_of(u, form, c));
	}
}

/* Only within the unit: gcc makes no others but for whole programs. */
static const uint8_t *reference(const struct unit *u, uint64_t form, uint64_t v)
{
	if (form == FORM_REF_ADDR)
		return v < u->info.bytes ? u->info.p + v : NULL;
	return v < (uint64_t)(u->end - u->begin) ? u->begin + v : NULL;
}

/* False: it ends a list of entries (or is not readable: c->bad). */
static bool read_entry(const struct unit *u, struct dwarf_cursor *c,
		       struct entry *e)
{
	uint64_t code = dwarf_uleb(c);
	struct dwarf_cursor a;

	memset(e, 0, sizeof(*e));
	if (!code)
		return false;
	if (code >= ABBREVS_MAX || !u->abbreviation[code]) {
		c->bad = true;
		return false;
	}
	a = (struct dwarf_cursor){u->abbreviation[code],
				  u->abbrev.p + u->abbrev.bytes, false};
	e->tag = dwarf_uleb(&a);
	e->has_children = dwarf_take(&a, 1) != 0;
	while (!a.bad && !c->bad) {
		uint64_t name = dwarf_uleb(&a), form = dwarf_uleb(&a), v;
		const char *text;

		if (!name && !form)
			break;
		v = value(u, form, c, &text);
		if (name == AT_NAME) {
			e->name = text;
		} else if (name == AT_LOW_PC) {
			e->low = v;
			e->has_low = true;
		} else if (name == AT_HIGH_PC) {
			e->high = v;
			e->high_is_size = form != FORM_ADDR;
		} else if (name == AT_RANGES) {
			e->ranges = v;
			e->has_ranges = true;
		} else if (name == AT_ABSTRACT_ORIGIN ||
			   name == AT_SPECIFICATION) {
			e->origin = reference(u, form, v);
		}
	}
	c->bad |= a.bad;
	return !c->bad;
}

static const char *name_of(const struct unit *u, const struct entry *e)
{
	struct entry other = *e;

	for (int i = 0; i < ORIGINS_MAX && !other.name && other.origin; i++) {
		struct dwarf_cursor c = {other.origin, u->end, false};

		if (other.origin < u->begin || other.origin >= u->end ||
		    !read_entry(u, &c, &other))
			return NULL;
	}
	return other.name;
}

/* --- what is kept --- */

static void *more(void *p, size_t count, size_t *room, size_t bytes)
{
	if (count < *room)
		return p;
	*room = *room ? 2 * *room : 256;
	p = realloc(p, *room * bytes);
	CHECK(p);
	return p;
}

static void add_range(struct inlines *in, uint64_t low, uint64_t high,
		      unsigned depth)
{
	if (low >= high)
		return;
	in->range = more(in->range, in->range_count, &in->range_room,
			 sizeof(*in->range));
	in->range[in->range_count] = (struct range){
		low, high, in->function_count, depth, in->range_count};
	in->range_count++;
}

static void add_ranges(struct unit *u, const struct entry *e, unsigned depth)
{
	struct dwarf_cursor c = {u->ranges.p + e->ranges,
				 u->ranges.p + u->ranges.bytes, false};
	uint64_t base = u->base;
	uint64_t all = u->address_bytes == 4 ? UINT32_MAX : UINT64_MAX;

	if (!u->ranges.p || e->ranges >= u->ranges.bytes)
		return;
	while (!c.bad) {
		uint64_t low = dwarf_take(&c, u->address_bytes);
		uint64_t high = dwarf_take(&c, u->address_bytes);

		if (!low && !high)
			return;
		if (low == all)
			base = high;
		else
			add_range(u->to, base + low, base + high, depth);
	}
}

/* Returns its index plus 1. */
static size_t keep(struct unit *u, const struct entry *e, size_t in,
		   unsigned depth)
{
	struct inlines *to = u->to;

	if (e->has_ranges)
		add_ranges(u, e, depth);
	else if (e->has_low)
		add_range(to, e->low,
			  e->high_is_size ? e->low + e->high : e->high, depth);
	to->function = more(to->function, to->function_count,
			    &to->function_room, sizeof(*to->function));
	to->function[to->function_count++] =
		(struct function){name_of(u, e), in, e->tag == TAG_INLINED};
	return to->function_count;
}

static void read_unit(struct unit *u, struct dwarf_cursor *c)
{
	size_t in[DEPTH_MAX] = {0}; /* the function around, plus 1 */
	unsigned depth = 0;
	struct entry e;

	while (!c->bad && c->at < c->end) {
		size_t here = in[depth];

		if (!read_entry(u, c, &e)) {
			if (!depth)
				return;
			depth--;
			continue;
		}
		if (e.tag == TAG_COMPILE_UNIT)
			u->base = e.has_low ? e.low : 0;
		if (e.tag == TAG_SUBPROGRAM || e.tag == TAG_INLINED)
			here = keep(u, &e, e.tag == TAG_INLINED ? here : 0,
				    depth);
		if (!e.has_children)
			continue;
		if (++depth == DEPTH_MAX)
			return;
		in[depth] = here;
	}
}

/* --- the table --- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int by_depth(const void *a, const void *b)
{
	const struct range *r = a, *s = b;

	if (r->depth != s->depth)
		return r->depth < s->depth ? -1 : 1;
	return (r->number > s->number) - (r->number < s->number);
}

/* The last edge at `va` or before it, plus 1. */
static size_t edge_before(const struct inlines *in, uint64_t va)
{
	size_t low = 0, high = in->edges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (in->edge[middle] <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void make_table(struct inlines *in)
{
	if (!in->range_count)
		return;
	in->edge = calloc(2 * in->range_count, sizeof(*in->edge));
	in->inner = calloc(2 * in->range_count, sizeof(*in->inner));
	CHECK(in->edge && in->inner);
	for (size_t i = 0; i < in->range_count; i++) {
		in->edge[in->edges++] = in->range[i].low;
		in->edge[in->edges++] = in->range[i].high;
	}
	qsort(in->edge, in->edges, sizeof(*in->edge), by_number);
	qsort(in->range, in->range_count, sizeof(*in->range), by_depth);
	for (size_t i = 0; i < in->range_count; i++) {
		const struct range *r = &in->range[i];

		for (size_t k = edge_before(in, r->low) - 1;
		     in->edge[k] < r->high; k++)
			in->inner[k] = r->function + 1;
	}
}

struct inlines *inlines_read(const struct elf_image *image)
{
	struct inlines *in = calloc(1, sizeof(*in));
	struct unit *u = calloc(1, sizeof(*u));
	struct dwarf_cursor all;

	CHECK(in && u);
	u->to = in;
	u->info.p = elf_image_section(image, ".debug_info", &u->info.bytes);
	u->abbrev.p =
		elf_image_section(image, ".debug_abbrev", &u->abbrev.bytes);
	u->str.p = elf_image_section(image, ".debug_str", &u->str.bytes);
	u->ranges.p =
		elf_image_section(image, ".debug_ranges", &u->ranges.bytes);
	all = (struct dwarf_cursor){u->info.p, u->info.p, false};
	if (u->info.p && u->abbrev.p)
		all.end += u->info.bytes;
	while (all.end - all.at > 11) {
		struct dwarf_cursor c = {all.at, all.end, false};
		uint64_t length = dwarf_take(&c, 4), version, offset;

		if (length > (uint64_t)(c.end - c.at))
			break;
		u->begin = all.at;
		u->end = c.end = all.at = c.at + length;
		version = dwarf_take(&c, 2);
		offset = dwarf_take(&c, 4);
		u->address_bytes = (unsigned)dwarf_take(&c, 1);
		if (version < 2 || version > 4 || offset > u->abbrev.bytes ||
		    (u->address_bytes != 4 && u->address_bytes != 8))
			continue;
		read_abbreviations(u, offset);
		read_unit(u, &c);
	}
	free(u);
	make_table(in);
	return in;
}

void inlines_free(struct inlines *in)
{
	if (!in)
		return;
	free(in->function);
	free(in->range);
	free(in->edge);
	free(in->inner);
	free(in);
}

size_t inlines_at(const struct inlines *in, vaddr_t va, const char **name,
		  size_t max)
{
	size_t at = edge_before(in, va), count = 0;
	size_t function = at ? in->inner[at - 1] : 0;

	while (function && count < max) {
		const struct function *f = &in->function[function - 1];

		if (!f->name)
			return 0;
		name[count++] = f->name;
		function = f->inlined ? f->in : 0;
	}
	return count;
}

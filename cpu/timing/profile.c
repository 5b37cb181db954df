/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/profile.c - see profile.h. */
#include "cpu/timing/profile.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

static const char *const keys[PROFILE_KEY_COUNT] = {
	[PROFILE_WIDTH] = "width",
	[PROFILE_WINDOW] = "window",
	[PROFILE_SCHEDULER] = "scheduler",
	[PROFILE_LOAD] = "load",
	[PROFILE_LOAD_VECTOR] = "load_vector",
	[PROFILE_FORWARD] = "forward",
	[PROFILE_FORWARD_VECTOR] = "forward_vector",
	[PROFILE_FORWARD_UPDATE] = "forward_update",
	[PROFILE_STORE_WITH_LOADS] = "store_with_loads",
	[PROFILE_TAKEN] = "taken",
	[PROFILE_LOADS] = "loads",
	[PROFILE_MISPREDICT] = "mispredict",
	[PROFILE_DRAM] = "dram",
	[PROFILE_MISSES] = "misses",
	[PROFILE_LINE_L2] = "line_l2",
	[PROFILE_LINE_LLC] = "line_llc",
	[PROFILE_LINE_DRAM] = "line_dram",
	[PROFILE_BANDWIDTH] = "bandwidth",
	[PROFILE_WALK] = "walk",
	[PROFILE_WALKS] = "walks",
};

static const char *const tables[PROFILE_TABLE_COUNT] = {
	[PROFILE_L1I] = "l1i",   [PROFILE_L1D] = "l1d",
	[PROFILE_L2] = "l2",     [PROFILE_LLC] = "llc",
	[PROFILE_ITLB] = "itlb", [PROFILE_DTLB] = "dtlb",
	[PROFILE_STLB] = "stlb",
};
#define LINES_OF_KIB 16
#define ENTRIES_MAX  (UINT32_C(1) << 22)
#define WAYS_MAX     64

static const char *const events[TIMING_EVENT_COUNT] = {
	[TIMING_EXCEPTION] = "exception",
	[TIMING_INTERRUPT] = "interrupt",
};

#define WORDS_MAX   64
#define TEXT_MAX    1024
#define CYCLES_MAX  100000
#define THOUSANDTHS 1000

struct reader {
	struct profile *p;
	const char *path;
	unsigned line;
	csh names; /* Capstone, for its names */
	struct error *err;
	char *word[WORDS_MAX];
	unsigned count;
};

static bool bad(struct reader *r, const char *what, const char *word)
{
	return error_set(r->err, EXIT_USAGE,
			 "%s:%u: %s '%s'; docs/timing.md has the format",
			 r->path, r->line, what, word);
}

/* "12.345" cycles, in ticks. */
static bool ticks(struct reader *r, const char *word, uint32_t *to)
{
	uint64_t whole = 0, part = 0, unit = THOUSANDTHS;
	const char *p = word;

	for (; *p >= '0' && *p <= '9' && whole <= CYCLES_MAX; p++)
		whole = 10 * whole + (uint64_t)(*p - '0');
	if (p > word && *p == '.') {
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++) {
			unit /= 10;
			part += unit * (uint64_t)(*p - '0');
		}
	}
	if (p == word || *p || whole > CYCLES_MAX)
		return bad(r, "no number of cycles:", word);
	*to = (uint32_t)(whole * TIMING_TICKS_PER_CYCLE +
			 (part * TIMING_TICKS_PER_CYCLE + THOUSANDTHS / 2) /
				 THOUSANDTHS);
	return true;
}

static bool name(struct reader *r, const char *word, char *to)
{
	if (strlen(word) >= PROFILE_NAME)
		return bad(r, "the name is too long:", word);
	strcpy(to, word);
	return true;
}

int profile_find_class(const struct profile *p, const char *n)
{
	for (unsigned i = 0; i < p->class_count; i++) {
		if (strcmp(p->class[i].name, n) == 0)
			return (int)i;
	}
	return -1;
}

int profile_find_port(const struct profile *p, const char *n)
{
	for (unsigned i = 0; i < p->port_count; i++) {
		if (strcmp(p->port[i].name, n) == 0)
			return (int)i;
	}
	return -1;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *text, size_t bytes)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* --- statements --- */

/* One of a list of names, and its number. */
static bool one_of(struct reader *r, const char *const *names, unsigned count,
		   uint32_t *to)
{
	for (unsigned i = 0; i < count; i++) {
		if (r->count != 3 || strcmp(r->word[1], names[i]) != 0)
			continue;
		if (to == r->p->key)
			r->p->keys_set |= 1u << i;
		return ticks(r, r->word[2], &to[i]);
	}
	return bad(r, "not known, or not one number:",
		   r->count > 1 ? r->word[1] : "");
}

static bool read_port(struct reader *r)
{
	int at = r->count == 3 ? profile_find_port(r->p, r->word[1]) : -1;
	struct profile_port *port;
	char *end;

	if (r->count != 3 || (at < 0 && r->p->port_count == PROFILE_PORTS))
		return bad(r, "one port too many, or not a name and a count:",
			   r->count > 1 ? r->word[1] : "");
	port = &r->p->port[at < 0 ? r->p->port_count++ : (unsigned)at];
	port->count = (uint32_t)strtoul(r->word[2], &end, 10);
	if (*end || !port->count || port->count > 16)
		return bad(r, "no count of ports:", r->word[2]);
	return name(r, r->word[1], port->name);
}

static bool read_use(struct reader *r, struct profile_class *c, char *word)
{
	char *colon = strchr(word, ':');
	int port;

	if (!colon)
		return bad(r, "neither a number of the class nor PORT:CYCLES:",
			   word);
	*colon = '\0';
	port = profile_find_port(r->p, word);
	if (port < 0)
		return bad(r, "no such port above:", word);
	return ticks(r, colon + 1, &c->use[port]);
}

static bool number(struct reader *r, const char *word, uint32_t most,
		   uint32_t *to)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*end || end == word || word[0] == '-' || !n || n > most)
		return bad(r, "no such count:", word);
	*to = (uint32_t)n;
	return true;
}

/* cache or tlb: `unit` entries for each of what is counted. */
static bool read_table(struct reader *r, unsigned first, unsigned end,
		       uint32_t unit)
{
	struct profile_table t;
	uint32_t sets;

	for (unsigned i = first; i < end; i++) {
		if (r->count != 5 || strcmp(r->word[1], tables[i]) != 0)
			continue;
		if (!number(r, r->word[2], ENTRIES_MAX / unit, &t.entries) ||
		    !number(r, r->word[3], WAYS_MAX, &t.ways) ||
		    !ticks(r, r->word[4], &t.latency))
			return false;
		t.entries *= unit;
		sets = t.entries / t.ways;
		if (!sets || sets * t.ways != t.entries || (sets & (sets - 1)))
			return bad(r, "size by ways is no power of two:",
				   tables[i]);
		r->p->table[i] = t;
		return true;
	}
	return bad(r, "not known, or not NAME SIZE WAYS CYCLES:",
		   r->count > 1 ? r->word[1] : "");
}

/* A class that is there already is replaced: a profile may begin with all of
 * another and change some. */
static bool read_class(struct reader *r)
{
	struct profile_class c = {
		.latency = TIMING_TICKS_PER_CYCLE,
		.ops = TIMING_TICKS_PER_CYCLE,
	};
	int at;

	if (r->count < 2 || !name(r, r->word[1], c.name))
		return bad(r, "a class needs a name:", "class");
	for (unsigned i = 2; i < r->count; i++) {
		uint32_t *to = NULL;

		if (strcmp(r->word[i], "latency") == 0)
			to = &c.latency;
		else if (strcmp(r->word[i], "ops") == 0)
			to = &c.ops;
		else if (strcmp(r->word[i], "serial") == 0)
			to = &c.serial;
		else if (strcmp(r->word[i], "start") == 0)
			to = &c.start;
		if (to && i + 1 == r->count)
			return bad(r, "a number is missing after", r->word[i]);
		if (to ? !ticks(r, r->word[++i], to)
		       : !read_use(r, &c, r->word[i]))
			return false;
	}
	at = profile_find_class(r->p, c.name);
	if (at < 0 && r->p->class_count == PROFILE_CLASSES)
		return bad(r, "one class too many:", c.name);
	r->p->class[at < 0 ? (int)r->p->class_count++ : at] = c;
	return true;
}

static bool read_insn(struct reader *r)
{
	int class = r->count > 2 ? profile_find_class(r->p, r->word[1]) : -1;

	if (class < 0)
		return bad(r, "no such class above, or no instruction:",
			   r->count > 1 ? r->word[1] : "");
	for (unsigned i = 2; i < r->count; i++) {
		bool found = false;

		for (unsigned id = 1; id < r->p->insn_count; id++) {
			const char *known = cs_insn_name(r->names, id);

			if (!known || strcmp(known, r->word[i]) != 0)
				continue;
			r->p->class_of[id] = (int16_t) class;
			found = true;
		}
		if (!found)
			return bad(r, "no such instruction:", r->word[i]);
	}
	return true;
}

static bool read_line(struct reader *r, char *line)
{
	char *rest = line, *word;

	if (strncmp(line, "name ", 5) == 0) {
		snprintf(r->p->name, sizeof(r->p->name), "%.63s", line + 5);
		return true;
	}
	line[strcspn(line, "#")] = '\0';
	r->count = 0;
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (r->count == WORDS_MAX)
			return bad(r, "too many words, at", word);
		r->word[r->count++] = word;
	}
	if (!r->count)
		return true;
	if (strcmp(r->word[0], "set") == 0)
		return one_of(r, keys, PROFILE_KEY_COUNT, r->p->key);
	if (strcmp(r->word[0], "event") == 0)
		return one_of(r, events, TIMING_EVENT_COUNT, r->p->event);
	if (strcmp(r->word[0], "cache") == 0)
		return read_table(r, PROFILE_L1I, PROFILE_ITLB, LINES_OF_KIB);
	if (strcmp(r->word[0], "tlb") == 0)
		return read_table(r, PROFILE_ITLB, PROFILE_TABLE_COUNT, 1);
	if (strcmp(r->word[0], "port") == 0)
		return read_port(r);
	if (strcmp(r->word[0], "class") == 0)
		return read_class(r);
	if (strcmp(r->word[0], "insn") == 0)
		return read_insn(r);
	return bad(r, "no such statement:", r->word[0]);
}

/* What block.c counts on. */
static bool complete(struct reader *r)
{
	static const char *const needed[] = {
		"default",   "vector",   "x87",       "move",     "load",
		"store",     "zero",     "lock",      "load_cr3", "control",
		"segment",   "lea2",     "add_small", "div",      "div32",
		"rep_movsb", "rep_movs", "rep_stosb", "rep_stos", "rep_compare",
		"rep_load",
	};
	const struct profile *p = r->p;

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (profile_find_class(p, needed[i]) < 0)
			return bad(r, "the profile has no class", needed[i]);
	}
	for (unsigned i = 0; i < PROFILE_KEY_COUNT; i++) {
		if (!(p->keys_set >> i & 1))
			return bad(r, "the profile does not set", keys[i]);
	}
	for (unsigned i = 0; i < PROFILE_TABLE_COUNT; i++) {
		if (!p->table[i].entries)
			return bad(r, "the profile has no cache or tlb",
				   tables[i]);
	}
	if (!p->key[PROFILE_WIDTH] || !p->key[PROFILE_WINDOW] ||
	    !p->key[PROFILE_LOADS] || !p->key[PROFILE_SCHEDULER] ||
	    p->key[PROFILE_MISSES] < TIMING_TICKS_PER_CYCLE ||
	    p->key[PROFILE_WALKS] < TIMING_TICKS_PER_CYCLE ||
	    p->key[PROFILE_BANDWIDTH] < 10 * TIMING_TICKS_PER_CYCLE)
		return bad(r, "of none nothing runs:",
			   "width, window, scheduler, loads, misses, walks, "
			   "bandwidth");
	for (unsigned i = 0; i < TIMING_EVENT_COUNT; i++) {
		if (!p->event[i])
			return bad(r, "the profile has no event", events[i]);
	}
	return true;
}

bool profile_read(struct profile *p, const char *path, const char *text,
		  size_t bytes, struct error *err)
{
	struct reader r = {.p = p, .path = path, .err = err};
	const char *end = text + bytes;
	bool good = true;

	memset(p, 0, sizeof(*p));
	p->hash = hash_of(text, bytes);
	p->insn_count = X86_INS_ENDING;
	p->class_of = malloc(p->insn_count * sizeof(*p->class_of));
	CHECK(p->class_of);
	memset(p->class_of, 0xff, p->insn_count * sizeof(*p->class_of));
	CHECK(cs_open(CS_ARCH_X86, CS_MODE_64, &r.names) == CS_ERR_OK);
	while (good && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		char line[TEXT_MAX];

		r.line++;
		if (n >= sizeof(line)) {
			good = bad(&r, "the line is too long:", "");
			break;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		good = read_line(&r, line);
		text += n + 1;
	}
	good = good && complete(&r);
	cs_close(&r.names);
	if (!good)
		profile_free(p);
	return good;
}

void profile_free(struct profile *p)
{
	free(p->class_of);
	p->class_of = NULL;
}

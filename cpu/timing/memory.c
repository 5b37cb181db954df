/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/timing/memory.c - see memory.h. */
#include "cpu/timing/memory.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/timing/profile.h"
#include "sim/check.h"

#define PAGE_SHIFT  12
#define LARGE_SHIFT 21
#define STRIDES     64
#define STRIDE_MAX  32 /* lines */
#define SLICES      64
#define SLICE_TICKS (256u * TIMING_TICKS_PER_CYCLE)

/* Sets of `ways` entries, which are replaced in turn. */
struct table {
	uint32_t sets, ways, latency;
	uint64_t *key; /* 0: none */
	uint8_t *next; /* of each set */
};

struct stride {
	uint64_t line;
	int64_t step;
	uint64_t times;
};

struct slice {
	uint64_t number, lines;
};

struct memory_shared {
	struct table llc;
	struct slice slice[SLICES];
};

struct memory {
	const struct profile *p;
	struct memory_shared *shared;
	struct table l1i, l1d, l2;
	struct table itlb, dtlb, stlb;
	paddr_t *itlb_to, *dtlb_to, *stlb_to; /* pages, entry by entry */
	struct stride stride[STRIDES];
	uint64_t code_changes; /* not part of the state, but for being new */
	uint64_t done;         /* when the last miss that overlaps is served */
	/* Follows from the rest, but for being forgotten at will. */
	struct memory_known known;
	paddr_t known_pa[MEMORY_KNOWN]; /* lines */
};

/* --- tables --- */

static void table_make(struct table *t, const struct profile_table *from)
{
	t->sets = from->entries / from->ways;
	t->ways = from->ways;
	t->latency = from->latency;
	t->key = calloc(from->entries, sizeof(*t->key));
	t->next = calloc(t->sets, sizeof(*t->next));
	CHECK_MSG(t->key && t->next, "out of memory for the model of a cache");
}

static void table_free(struct table *t)
{
	free(t->key);
	free(t->next);
}

#define NOWHERE UINT32_MAX

/* The number of the entry, or NOWHERE. */
static uint32_t table_find(const struct table *t, uint64_t set, uint64_t key)
{
	uint32_t first = (uint32_t)(set & (t->sets - 1)) * t->ways;

	for (uint32_t i = first; i < first + t->ways; i++) {
		if (t->key[i] == key)
			return i;
	}
	return NOWHERE;
}

/* Enters it; *old: what had to go, or 0. */
static uint32_t table_enter(struct table *t, uint64_t set, uint64_t key,
			    uint64_t *old)
{
	uint32_t at = (uint32_t)(set & (t->sets - 1));
	uint32_t i = at * t->ways + t->next[at];

	t->next[at] = (uint8_t)((t->next[at] + 1u) % t->ways);
	*old = t->key[i];
	t->key[i] = key;
	return i;
}

static void table_clear(struct table *t)
{
	memset(t->key, 0, (size_t)t->sets * t->ways * sizeof(*t->key));
	memset(t->next, 0, t->sets);
}

/* --- what is known --- */

static void known_clear(struct memory *m)
{
	m->code_changes++;
	memset(m->known.line, 0xff, sizeof(m->known.line));
}

static void known_drop_line(struct memory *m, uint64_t pa_line)
{
	uint64_t i = pa_line % MEMORY_KNOWN;

	/* A line's place in its page is the same in both addresses. */
	if (m->known_pa[i] == pa_line)
		m->known.line[i] = UINT64_MAX;
}

const struct memory_known *memory_known_of(const struct memory *m)
{
	return &m->known;
}

/* --- TLBs --- */

/* Pages of 4 KiB and larger ones are told apart. */
static uint64_t page_of(vaddr_t va, bool large)
{
	return va >> (large ? LARGE_SHIFT : PAGE_SHIFT);
}

static uint64_t page_key(vaddr_t va, bool large)
{
	return (page_of(va, large) << 1 | large) + 1;
}

static paddr_t in_page(paddr_t page, vaddr_t va, bool large)
{
	return page |
	       (va & ((UINT64_C(1) << (large ? LARGE_SHIFT : PAGE_SHIFT)) - 1));
}

static void tlb_enter(struct table *t, paddr_t *to, vaddr_t va, bool large,
		      paddr_t page)
{
	uint64_t old;

	to[table_enter(t, page_of(va, large), page_key(va, large), &old)] =
		page;
}

bool memory_translate(struct memory *m, vaddr_t va, bool code, paddr_t *pa,
		      uint32_t *took)
{
	struct table *first = code ? &m->itlb : &m->dtlb;
	paddr_t *to = code ? m->itlb_to : m->dtlb_to;

	*took = 0;
	for (int large = 0; large < 2; large++) {
		uint32_t i = table_find(first, page_of(va, large),
					page_key(va, large));

		if (i != NOWHERE) {
			*pa = in_page(to[i], va, large);
			return true;
		}
	}
	*took = m->stlb.latency;
	for (int large = 0; large < 2; large++) {
		uint32_t i = table_find(&m->stlb, page_of(va, large),
					page_key(va, large));

		if (i == NOWHERE)
			continue;
		known_clear(m); /* one page leaves the first TLB */
		tlb_enter(first, to, va, large, m->stlb_to[i]);
		*pa = in_page(m->stlb_to[i], va, large);
		return true;
	}
	return false;
}

void memory_enter(struct memory *m, vaddr_t va, bool code, paddr_t pa,
		  uint64_t page_bytes)
{
	bool large = page_bytes > UINT64_C(1) << PAGE_SHIFT;
	paddr_t page = pa >> (large ? LARGE_SHIFT : PAGE_SHIFT)
				     << (large ? LARGE_SHIFT : PAGE_SHIFT);

	known_clear(m);
	tlb_enter(code ? &m->itlb : &m->dtlb, code ? m->itlb_to : m->dtlb_to,
		  va, large, page);
	tlb_enter(&m->stlb, m->stlb_to, va, large, page);
}

void memory_flush(struct memory *m)
{
	table_clear(&m->itlb);
	table_clear(&m->dtlb);
	table_clear(&m->stlb);
	known_clear(m);
}

void memory_forget(struct memory *m, vaddr_t va)
{
	struct table *all[] = {&m->itlb, &m->dtlb, &m->stlb};

	for (size_t t = 0; t < ARRAY_LEN(all); t++) {
		for (int large = 0; large < 2; large++) {
			uint32_t i = table_find(all[t], page_of(va, large),
						page_key(va, large));

			if (i != NOWHERE)
				all[t]->key[i] = 0;
		}
	}
	known_clear(m);
}

/* --- caches --- */

enum level {
	LEVEL_FIRST,
	LEVEL_SECOND,
	LEVEL_LAST,
	LEVEL_DRAM
};

/* How long DRAM has too much to do at that instant. */
static uint32_t dram_queue(struct memory *m, uint64_t now)
{
	uint64_t room = m->p->key[PROFILE_BANDWIDTH] / TIMING_TICKS_PER_CYCLE *
			SLICE_TICKS / TIMING_TICKS_PER_CYCLE / 1000;
	uint64_t number = now / SLICE_TICKS + 1, first = number;

	for (;; number++) {
		struct slice *s = &m->shared->slice[number % SLICES];

		if (number - first == SLICES - 1)
			break;
		if (s->number != number) {
			s->number = number;
			s->lines = 0;
		}
		if (s->lines < room) {
			s->lines++;
			break;
		}
	}
	return number == first ? 0
			       : (uint32_t)((number - 1) * SLICE_TICKS - now);
}

/* Through the second cache and on; the line is there then.  *latency beyond the
 * first. */
static enum level beyond(struct memory *m, uint64_t now, uint64_t line,
			 uint32_t *latency)
{
	struct table *llc = &m->shared->llc;
	uint64_t old;

	if (table_find(&m->l2, line, line + 1) != NOWHERE) {
		*latency = m->l2.latency;
		return LEVEL_SECOND;
	}
	table_enter(&m->l2, line, line + 1, &old);
	if (table_find(llc, line, line + 1) != NOWHERE) {
		*latency = llc->latency;
		return LEVEL_LAST;
	}
	table_enter(llc, line, line + 1, &old);
	*latency = m->p->key[PROFILE_DRAM] + dram_queue(m, now);
	return LEVEL_DRAM;
}

static uint32_t line_of(const struct memory *m, enum level level)
{
	static const enum profile_key key[] = {
		[LEVEL_SECOND] = PROFILE_LINE_L2,
		[LEVEL_LAST] = PROFILE_LINE_LLC,
		[LEVEL_DRAM] = PROFILE_LINE_DRAM,
	};

	return m->p->key[key[level]];
}

/* Was it to be expected that the instruction would come here? */
static bool foreseen(struct memory *m, uint64_t pc, uint64_t line)
{
	struct stride *s = &m->stride[(pc ^ pc >> 6) % STRIDES];
	int64_t step = (int64_t)(line - s->line);
	bool same = step && step == s->step && step <= STRIDE_MAX &&
		    step >= -STRIDE_MAX;

	s->times = same ? s->times + 1 : 0;
	s->step = step;
	s->line = line;
	return s->times >= 2;
}

/* A miss that others overlap: `latency` from now, or, if one is under way,
 * `step` after that: they were asked for at one time, as far as the window
 * reaches, and the core waited for the first. */
static uint32_t overlapped(struct memory *m, uint64_t now, uint32_t latency,
			   uint32_t step)
{
	const uint32_t *key = m->p->key;
	uint64_t ahead = (uint64_t)key[PROFILE_WINDOW] *
			 TIMING_TICKS_PER_CYCLE / key[PROFILE_WIDTH];
	uint64_t done = m->done > now ? m->done + step : now + latency;

	m->done = done;
	return done > now + ahead ? (uint32_t)(done - now - ahead) : 0;
}

uint32_t memory_walk(struct memory *m, uint64_t now, const paddr_t *entry,
		     unsigned count)
{
	uint32_t took = m->p->key[PROFILE_WALK];

	/* What is above is in the caches of the walker. */
	for (unsigned i = count > 2 ? count - 2 : 0; i < count; i++) {
		uint64_t line = entry[i] >> MEMORY_LINE_SHIFT, old;
		uint32_t latency;

		if (table_find(&m->l1d, line, line + 1) != NOWHERE)
			continue;
		table_enter(&m->l1d, line, line + 1, &old);
		if (old)
			known_drop_line(m, old - 1);
		beyond(m, now, line, &latency);
		took += latency;
	}
	return took;
}

uint32_t memory_data(struct memory *m, uint64_t now, vaddr_t va, paddr_t pa,
		     uint32_t took, uint64_t pc, enum memory_kind kind,
		     struct memory_wait *wait)
{
	static const enum timing_cause cause[] = {
		[LEVEL_FIRST] = TIMING_L1,
		[LEVEL_SECOND] = TIMING_L2,
		[LEVEL_LAST] = TIMING_LLC,
		[LEVEL_DRAM] = TIMING_DRAM,
	};
	uint64_t line = pa >> MEMORY_LINE_SHIFT, i = line % MEMORY_KNOWN, old;
	uint32_t share = m->p->key[PROFILE_MISSES] / TIMING_TICKS_PER_CYCLE;
	uint32_t latency = 0, step, all, waited;
	enum level level = LEVEL_FIRST;
	bool ahead = false;

	if (table_find(&m->l1d, line, line + 1) == NOWHERE) {
		table_enter(&m->l1d, line, line + 1, &old);
		if (old)
			known_drop_line(m, old - 1);
		level = beyond(m, now, line, &latency);
		ahead = foreseen(m, pc, line);
	}
	m->known.line[i] = va >> MEMORY_LINE_SHIFT;
	m->known_pa[i] = line;
	*wait = (struct memory_wait){.rest = cause[level]};
	if (level == LEVEL_FIRST && !took)
		return 0;
	step = (uint32_t)((uint64_t)took * TIMING_TICKS_PER_CYCLE /
			  m->p->key[PROFILE_WALKS]);
	if (ahead) {
		step += line_of(m, level);
		latency = 0;
	} else {
		step += latency / share;
	}
	all = latency + took + (ahead ? line_of(m, level) : 0);
	waited = kind == MEMORY_WAITED_FOR
			 ? all
			 : overlapped(m, now, latency + took, step);
	/* Both were waited for at once: by what each takes alone. */
	wait->tlb = all ? (uint32_t)((uint64_t)waited * took / all) : 0;
	return waited;
}

uint32_t memory_code(struct memory *m, uint64_t now, paddr_t pa, uint32_t bytes,
		     uint32_t took)
{
	uint64_t line = pa >> MEMORY_LINE_SHIFT, old;
	uint64_t last = (pa + bytes - 1) >> MEMORY_LINE_SHIFT;
	bool first = true;

	for (; line <= last; line++) {
		enum level level;
		uint32_t latency;

		if (table_find(&m->l1i, line, line + 1) != NOWHERE)
			continue;
		table_enter(&m->l1i, line, line + 1, &old);
		m->code_changes++;
		level = beyond(m, now + took, line, &latency);
		/* The lines behind are fetched along. */
		took += first ? latency : line_of(m, level);
		first = false;
	}
	return took;
}

uint64_t memory_code_changes(const struct memory *m)
{
	return m->code_changes;
}

/* --- making, saving --- */

struct memory_shared *memory_shared_create(const struct profile *p)
{
	struct memory_shared *s = calloc(1, sizeof(*s));

	CHECK(s);
	table_make(&s->llc, &p->table[PROFILE_LLC]);
	return s;
}

void memory_shared_destroy(struct memory_shared *s)
{
	if (!s)
		return;
	table_free(&s->llc);
	free(s);
}

static paddr_t *pages(const struct table *t)
{
	paddr_t *to = calloc((size_t)t->sets * t->ways, sizeof(*to));

	CHECK(to);
	return to;
}

struct memory *memory_create(const struct profile *p, struct memory_shared *s)
{
	struct memory *m = calloc(1, sizeof(*m));

	CHECK(m);
	m->p = p;
	m->shared = s;
	table_make(&m->l1i, &p->table[PROFILE_L1I]);
	table_make(&m->l1d, &p->table[PROFILE_L1D]);
	table_make(&m->l2, &p->table[PROFILE_L2]);
	table_make(&m->itlb, &p->table[PROFILE_ITLB]);
	table_make(&m->dtlb, &p->table[PROFILE_DTLB]);
	table_make(&m->stlb, &p->table[PROFILE_STLB]);
	m->itlb_to = pages(&m->itlb);
	m->dtlb_to = pages(&m->dtlb);
	m->stlb_to = pages(&m->stlb);
	known_clear(m);
	return m;
}

void memory_destroy(struct memory *m)
{
	if (!m)
		return;
	table_free(&m->l1i);
	table_free(&m->l1d);
	table_free(&m->l2);
	table_free(&m->itlb);
	table_free(&m->dtlb);
	table_free(&m->stlb);
	free(m->itlb_to);
	free(m->dtlb_to);
	free(m->stlb_to);
	free(m);
}

/* A stretch of memory that belongs to the state. */
struct piece {
	void *at;
	size_t bytes;
};
#define PIECES_MAX 24

static size_t add_table(struct piece *to, const struct table *t)
{
	to[0] = (struct piece){t->key,
			       (size_t)t->sets * t->ways * sizeof(*t->key)};
	to[1] = (struct piece){t->next, t->sets};
	return 2;
}

static struct piece page_piece(const struct table *t, paddr_t *to)
{
	return (struct piece){to, (size_t)t->sets * t->ways * sizeof(*to)};
}

static size_t pieces(const struct memory *m, bool shared, struct piece *to)
{
	const struct table *t[] = {&m->l1i,  &m->l1d,  &m->l2,
				   &m->itlb, &m->dtlb, &m->stlb};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		n += add_table(to + n, t[i]);
	to[n++] = page_piece(&m->itlb, m->itlb_to);
	to[n++] = page_piece(&m->dtlb, m->dtlb_to);
	to[n++] = page_piece(&m->stlb, m->stlb_to);
	to[n++] = (struct piece){(void *)m->stride, sizeof(m->stride)};
	to[n++] = (struct piece){(void *)&m->done, sizeof(m->done)};
	if (shared) {
		n += add_table(to + n, &m->shared->llc);
		to[n++] = (struct piece){m->shared->slice,
					 sizeof(m->shared->slice)};
	}
	CHECK(n <= PIECES_MAX);
	return n;
}

size_t memory_words(const struct memory *m, bool shared)
{
	struct piece piece[PIECES_MAX];
	size_t n = pieces(m, shared, piece), words = 0;

	for (size_t i = 0; i < n; i++)
		words += (piece[i].bytes + 7) / 8;
	return words;
}

void memory_save(const struct memory *m, bool shared, uint64_t *to)
{
	struct piece piece[PIECES_MAX];
	size_t n = pieces(m, shared, piece);

	for (size_t i = 0; i < n; i++) {
		if (piece[i].bytes % 8)
			to[piece[i].bytes / 8] = 0;
		memcpy(to, piece[i].at, piece[i].bytes);
		to += (piece[i].bytes + 7) / 8;
	}
}

void memory_load(struct memory *m, bool shared, const uint64_t *from)
{
	struct piece piece[PIECES_MAX];
	size_t n = pieces(m, shared, piece);

	for (size_t i = 0; i < n; i++) {
		memcpy(piece[i].at, from, piece[i].bytes);
		from += (piece[i].bytes + 7) / 8;
	}
	known_clear(m);
}

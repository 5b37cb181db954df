/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_again.c - see diff_again.h.  Runs are exact, so what is
 * seen the second time is what happened.
 */
#include "tools/parterre/diff_again.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv/abi/layout.h"
#include "sim/check.h"
#include "sim/trace/trace.h"

#define BEFORE_PS  (200 * PS_PER_US) /* of an event are looked through */
#define WRITERS    4                 /* of a value are told */
#define COPY_INSNS 8                 /* between a load and the store of it */
#define LINE       512

/* --- running --- */

/* To `until`, 0: its end.  `window`: of class full; NULL: not that. */
static bool run(const struct diff_run *r, unsigned classes, const char *window,
		ps_t until, ps_t *end, struct error *err)
{
	static struct session s;
	static struct oracle_report oracle;
	struct error ignored = {0};
	struct session_options o = {
		.scenario = r->scenario,
		.images = r->images,
		.out = r->out,
	};
	struct recording *rec = NULL;
	char images[PATH_MAX];
	bool ran;

	if (r->recording) {
		if (!recording_images(r->recording, images, err))
			return false;
		o.images = images;
		rec = recording_open(r->recording, &o, err);
		if (!rec)
			return false;
		o.out = r->out;
	}
	o.live = isatty(STDERR_FILENO);
	o.classes = classes;
	o.classes_given = true;
	o.select_count = 0;
	if (until && (!o.until || until < o.until))
		o.until = until;
	if (window)
		CHECK(session_select_add(&o, "window", window));
	(void)run_session(&s, &o, &oracle, &ignored);
	/* How it ends is the scenario's affair. */
	ran = s.sum.end != 0;
	if (ran)
		*end = s.sum.end;
	else
		*err = ignored;
	session_close(&s);
	recording_close(rec);
	return ran;
}

bool diff_run_plain(const struct diff_run *r, unsigned classes, ps_t *end,
		    struct error *err)
{
	return run(r, classes, NULL, 0, end, err);
}

/* Each instruction of [from, to], into a trace whose folder goes to `dir`. */
static bool look(const struct diff_run *r, ps_t from, ps_t to, char *dir,
		 struct error *err)
{
	char window[80];
	ps_t end;

	snprintf(window, sizeof(window), "full:%" PRIu64 "ps..%" PRIu64 "ps",
		 from, to);
	return run(r, TRACE_PLAIN | TRACE_CLASS_FULL, window, to + 1, &end,
		   err) &&
	       (path_in(dir, r->out, "trace") ||
		error_set(err, EXIT_USAGE, "%s: the path is too long", r->out));
}

/* "function, inlined in function+0x12 (file.c:34)". */
static void place(const struct source *s, uint32_t partition, vaddr_t rip,
		  char *text, size_t bytes)
{
	const struct symbols *p = source_symbols(s, partition, rip);
	char where[LINE / 2];
	const char *name;
	size_t n = 0;

	if (!source_place(s, partition, rip, where, sizeof(where)))
		snprintf(where, sizeof(where), "%#" PRIx64, rip);
	if (p && symbols_inlined(p, rip, &name, 1))
		n = strlen(name);
	if (n && (strncmp(where, name, n) != 0 || where[n] != '+'))
		snprintf(text, bytes, "%.200s, inlined in %s", name, where);
	else
		snprintf(text, bytes, "%s", where);
}

/* --- who wrote a value --- */

/* An access to RAM. */
struct write {
	ps_t time;
	vaddr_t rip, address;
	uint64_t value, number; /* of its instruction, from 1 on */
	uint32_t partition;
	uint8_t size;
	bool store;
};

struct writes {
	size_t count, room;
	struct write *of;
};

static uint64_t masked(uint64_t value, uint64_t size)
{
	return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

/* What the event's CPU read and wrote before it. */
static bool read_accesses(struct source *s, const struct diff_event *e,
			  struct writes *to, struct error *err)
{
	struct trace_record r;
	uint64_t number = 0;
	vaddr_t rip = 0;
	int state;

	while ((state = source_next(s, &r, err)) == 1) {
		bool store = r.kind->number == TRACE_EV_STORE;

		if (r.cpu != e->cpu || r.retired > e->retired)
			continue;
		if (r.kind->number == TRACE_EV_INSTRUCTION) {
			rip = r.value[0].u;
			number++;
		}
		if (!store && r.kind->number != TRACE_EV_LOAD)
			continue;
		if (to->count == to->room) {
			to->room = to->room ? 2 * to->room : 65536;
			to->of = realloc(to->of, to->room * sizeof(*to->of));
			CHECK(to->of);
		}
		to->of[to->count++] = (struct write){
			.time = r.time,
			.rip = rip,
			.address = r.value[0].u,
			.value = masked(record_field(&r, "value"),
					record_field(&r, "size")),
			.number = number,
			.partition = r.partition,
			.size = (uint8_t)record_field(&r, "size"),
			.store = store,
		};
	}
	return state >= 0;
}

/* Of a channel; what lies before its queues are indices and counts. */
static bool in_queue(vaddr_t va)
{
	uint64_t at = va - CHANNEL_WINDOW_VA;

	return va >= CHANNEL_WINDOW_VA &&
	       at < (uint64_t)CHANNEL_SLOTS * CHANNEL_SLOT_BYTES &&
	       at % CHANNEL_SLOT_BYTES >= PAGE_BYTES;
}

/* The last store of the value into a queue, or anywhere; plus 1, 0: none. */
static size_t last_store(const struct writes *w, uint32_t partition,
			 uint64_t value, bool channel)
{
	for (size_t i = w->count; i > 0; i--) {
		const struct write *x = &w->of[i - 1];

		if (x->store && x->value == value && x->size >= 4 &&
		    x->partition == partition &&
		    (!channel || in_queue(x->address)))
			return i;
	}
	return 0;
}

/* Was it a copy?  Of a store: the store to where the value was read, a few
 * instructions before.  Plus 1; 0: it was made there. */
static size_t came_from(const struct writes *w, size_t store)
{
	const struct write *to = &w->of[store - 1];

	for (size_t i = store - 1; i > 0; i--) {
		const struct write *from = &w->of[i - 1];

		if (to->number - from->number > COPY_INSNS)
			return 0;
		if (from->store || masked(from->value, to->size) != to->value)
			continue;
		for (size_t k = i - 1; k > 0; k--) {
			const struct write *x = &w->of[k - 1];

			if (x->store && x->address <= from->address &&
			    from->address < x->address + x->size)
				return k;
		}
		return 0;
	}
	return 0;
}

static void tell_writes(const struct source *s, const char *name,
			const char *field, uint64_t value,
			const struct writes *w, uint32_t partition)
{
	size_t at = last_store(w, partition, value, true);
	char text[LINE] = "";

	if (!at)
		at = last_store(w, partition, value, false);
	if (!at)
		printf("cause  %s: its %s, %" PRIu64
		       ": nobody wrote just that in the %u us before\n",
		       name, field, value, (unsigned)(BEFORE_PS / PS_PER_US));
	for (size_t n = 0; at && n < WRITERS; n++) {
		const struct write *x = &w->of[at - 1];

		place(s, x->partition, x->rip, text, sizeof(text));
		printf("cause  %s: its %s, %" PRIu64 ", %s at %.9f ms, to "
		       "%#" PRIx64 ", by\n         %s: %s\n",
		       name, field, value,
		       n ? "copied from what was written" : "was written last",
		       (double)x->time / (double)PS_PER_MS, x->address,
		       x->rip >> 63 ? "the monitor"
				    : source_name(s, x->partition),
		       text);
		at = came_from(w, at);
	}
}

static bool cause(const struct diff_run *r, const char *name,
		  const struct diff_event *e, uint32_t partition,
		  const char *field, uint64_t value, struct error *err)
{
	ps_t from = e->time > BEFORE_PS ? e->time - BEFORE_PS : 0;
	struct writes w = {0};
	struct source s;
	char dir[PATH_MAX];
	bool good;

	if (!look(r, from, e->time, dir, err))
		return false;
	good = source_open(&s, dir, NULL, err) && read_accesses(&s, e, &w, err);
	if (good)
		tell_writes(&s, name, field, value, &w, partition);
	source_close(&s);
	free(w.of);
	return good;
}

/* The next "name=number" of *s, which moves behind it; false: no more, or a
 * text. */
static bool next_field(const char **s, char *name, size_t bytes,
		       uint64_t *value)
{
	const char *is;
	char *end;

	*s += strspn(*s, " ");
	is = strchr(*s, '=');
	if (!is || (size_t)(is - *s) >= bytes)
		return false;
	memcpy(name, *s, (size_t)(is - *s));
	name[is - *s] = '\0';
	*value = strtoull(is + 1, &end, 10);
	*s = end;
	return end != is + 1;
}

bool diff_causes(const struct diff_run *a, const struct diff_run *b,
		 const struct diff_parting *p, struct error *err)
{
	const char *s = p->a.text, *t = p->b.text;
	char name[64], other[64];
	uint64_t value, now;

	if (!p->a.is || !p->b.is)
		return true;
	/* The same event, but for a field. */
	while (*s && *s == *t && *s != ' ')
		s++, t++;
	if (*s != ' ' || *t != ' ')
		return true;
	while (next_field(&s, name, sizeof(name), &value) &&
	       next_field(&t, other, sizeof(other), &now) &&
	       strcmp(name, other) == 0) {
		if (value != now)
			return cause(a, "A", &p->a, p->partition, name, value,
				     err) &&
			       cause(b, "B", &p->b, p->partition, name, now,
				     err);
	}
	return true;
}

/* --- the first instruction --- */

/* Who wrote a place last, by its address / 8. */
#define PLACES (1u << 16)
struct places {
	struct {
		uint64_t key; /* plus 1; 0: free */
		struct write by;
	} place[PLACES];
	size_t count;
};

struct lane {
	const char *name;
	struct source source;
	struct trace_record r;
	int state;
	uint64_t instructions;
	struct write now; /* the instruction under way */
	/* The last of what came from outside. */
	char event[LINE], fault[LINE];
	struct places *writes;
};

static struct write *at_place(struct places *p, vaddr_t address, bool make)
{
	uint64_t key = address / 8 + 1;
	size_t i = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 48);

	for (size_t n = 0; n < PLACES; n++, i = (i + 1) % PLACES) {
		if (p->place[i].key == key)
			return &p->place[i].by;
		if (p->place[i].key)
			continue;
		if (!make || p->count == PLACES - 1)
			return NULL;
		p->count++;
		p->place[i].key = key;
		return &p->place[i].by;
	}
	return NULL;
}

static void follow(struct lane *l)
{
	const struct trace_record *r = &l->r;
	struct write *w;

	if (r->kind->number == TRACE_EV_INSTRUCTION ||
	    r->kind->number == TRACE_EV_DELIVERY) {
		l->instructions++;
		l->now = (struct write){.time = r->time,
					.rip = r->value[0].u,
					.partition = r->partition};
	}
	if (r->kind->number != TRACE_EV_STORE)
		return;
	w = at_place(l->writes, r->value[0].u, true);
	if (w) {
		*w = l->now;
		w->address = r->value[0].u;
	}
}

/* The next record of what a CPU did; others are passed over. */
static bool step(struct lane *l, struct error *err)
{
	while ((l->state = source_next(&l->source, &l->r, err)) == 1) {
		if (l->r.kind->class == TRACE_CLASS_FULL ||
		    l->r.kind->number == TRACE_EV_REG_READ)
			return true;
		if (l->r.kind->number == TRACE_EV_INTERRUPT ||
		    l->r.kind->number == TRACE_EV_EXCEPTION ||
		    l->r.kind->number == TRACE_EV_MESSAGE ||
		    l->r.kind->number == TRACE_EV_DMA_WRITE)
			trace_format(&l->r, l->event, sizeof(l->event));
		if (l->r.kind->number == TRACE_EV_FAULT)
			trace_format(&l->r, l->fault, sizeof(l->fault));
	}
	return l->state == 0;
}

static bool same_step(const struct lane *a, const struct lane *b)
{
	const struct trace_record *r = &a->r, *q = &b->r;

	if (a->state != 1 || b->state != 1)
		return a->state == b->state;
	if (r->kind != q->kind || r->cpu != q->cpu || r->time != q->time ||
	    r->retired != q->retired)
		return false;
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (r->kind->field[i].kind == TRACE_STR
			    ? strcmp(r->value[i].s, q->value[i].s) != 0
			    : r->value[i].u != q->value[i].u)
			return false;
	}
	return true;
}

static void tell_lane(struct lane *l)
{
	const struct write *w;
	char line[LINE];

	if (l->state != 1) {
		printf("%s      (nothing more)\n", l->name);
		return;
	}
	trace_format(&l->r, line, sizeof(line));
	printf("%s      %s\n", l->name, line);
	place(&l->source, l->now.partition, l->now.rip, line, sizeof(line));
	printf("  in        %s: %s\n",
	       l->now.rip >> 63 ? "the monitor"
				: source_name(&l->source, l->now.partition),
	       line);
	if (l->event[0])
		printf("  after     %s\n", l->event);
	if (l->fault[0])
		printf("  injected  %s\n", l->fault);
	if (l->r.kind->number != TRACE_EV_LOAD)
		return;
	w = at_place(l->writes, l->r.value[0].u, false);
	if (!w) {
		printf("  written   before the interval, or by a device\n");
		return;
	}
	place(&l->source, w->partition, w->rip, line, sizeof(line));
	printf("  written   at %.9f ms by %s: %s\n",
	       (double)w->time / (double)PS_PER_MS,
	       w->rip >> 63 ? "the monitor"
			    : source_name(&l->source, w->partition),
	       line);
}

/* A recording is looked at, and debugged, as the run that it is of. */
static void tell_how(const char *x, const char *y, ps_t time)
{
	printf("go there: parterre inspect --at %" PRIu64 "ps %s\n"
	       "or: parterre debug %s, and there: run-to %" PRIu64 "ps\n"
	       "(and the same with %s)\n",
	       time, x, x, time, y);
}

/* Of the runs that x and y record. */
static bool first_instruction(const char *x, const char *y, const char *dir_a,
			      const char *dir_b, struct error *err)
{
	static struct lane a, b;
	bool good;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.name = "A";
	b.name = "B";
	a.writes = calloc(1, sizeof(*a.writes));
	b.writes = calloc(1, sizeof(*b.writes));
	CHECK_MSG(a.writes && b.writes, "out of memory for a comparison");
	good = source_open(&a.source, dir_a, NULL, err) &&
	       source_open(&b.source, dir_b, NULL, err);
	while (good && (good = step(&a, err) && step(&b, err)) &&
	       same_step(&a, &b) && a.state == 1) {
		follow(&a);
		follow(&b);
	}
	if (good && a.state != 1 && b.state != 1) {
		printf("every instruction of the interval did the same: they "
		       "part by a device alone\n");
	} else if (good) {
		if (a.r.kind && a.r.kind->number == TRACE_EV_INSTRUCTION)
			follow(&a);
		if (b.r.kind && b.r.kind->number == TRACE_EV_INSTRUCTION)
			follow(&b);
		printf("the first instruction that does not do the same, "
		       "number %" PRIu64 " of the interval:\n",
		       a.instructions);
		tell_lane(&a);
		tell_lane(&b);
		tell_how(x, y, a.state == 1 ? a.r.time : b.r.time);
	}
	source_close(&a.source);
	source_close(&b.source);
	free(a.writes);
	free(b.writes);
	return good;
}

/* --- the chain --- */

struct chain {
	const uint64_t *sample;
	size_t count;
	uint64_t last;
	ps_t end;
};

/* Once two chains differ they do for ever: halves.  Returns the first sample
 * that differs, or how many there are of both; *looked: how many were compared.
 */
static size_t bisect(const struct chain *a, const struct chain *b,
		     size_t *looked)
{
	size_t low = 0, high = a->count < b->count ? a->count : b->count;

	for (*looked = 0; low < high; ++*looked) {
		size_t middle = low + (high - low) / 2;

		if (a->sample[middle] == b->sample[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool read_chain(const struct diff_run *r, struct recording **rec,
		       struct chain *c, struct error *err)
{
	struct session_options o = {0};
	char images[PATH_MAX];

	if (!recording_images(r->recording, images, err))
		return false;
	o.images = images;
	*rec = recording_open(r->recording, &o, err);
	if (!*rec)
		return false;
	c->count = recording_samples(*rec, &c->sample, &c->last, &c->end);
	return true;
}

bool diff_recordings(const struct diff_run *a, const struct diff_run *b,
		     bool *differ, struct error *err)
{
	struct recording *p = NULL, *q = NULL;
	struct chain x, y;
	char dir_a[PATH_MAX], dir_b[PATH_MAX];
	ps_t from = 0, to = 0;
	size_t at, looked;
	bool good = read_chain(a, &p, &x, err) && read_chain(b, &q, &y, err);

	if (good) {
		*differ = x.last != y.last || x.end != y.end;
		at = bisect(&x, &y, &looked);
		from = at * SESSION_SAMPLE_PS;
		to = from + SESSION_SAMPLE_PS;
		to = to < x.end ? to : x.end;
		to = to < y.end ? to : y.end;
		if (*differ)
			printf("the chains part between %.3f and %.3f ms "
			       "(%zu of %zu samples compared)\n",
			       (double)from / (double)PS_PER_MS,
			       (double)to / (double)PS_PER_MS, looked,
			       x.count < y.count ? x.count : y.count);
		else
			printf("the same run: %.6f ms, chain %016" PRIx64 "\n",
			       (double)x.end / (double)PS_PER_MS, x.last);
	}
	recording_close(p);
	recording_close(q);
	return good &&
	       (!*differ || (look(a, from, to, dir_a, err) &&
			     look(b, from, to, dir_b, err) &&
			     first_instruction(a->recording, b->recording,
					       dir_a, dir_b, err)));
}

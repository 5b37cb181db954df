/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug_back.c - going back: from where, to which place, and what is
 * done on the way.
 *
 * A place is a count of retired instructions, of one CPU or of all, or an
 * instant: the run comes to it once, however it is cut.  Going there: the
 * latest process that stands before it becomes the run and goes on to it.
 * Where a breakpoint or watchpoint was last met is found by scouts: one from
 * each process that stands, the latest first, up to where the next one stands.
 * Of who changed a word last it is known in which stretch that was (changes.h):
 * one scout goes there without looking, and looks in it.
 */
#include <string.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/debug/debug_internal.h"

/* Instructions from one that stands to the next: forking one costs about as
 * much as a tenth of that. */
#define EVERY UINT64_C(8000000)
/* A place this close is reached as quickly as one that stands. */
#define CLOSE UINT64_C(60000)
/* While a scout is out: how often the front end is asked. */
#define ASK_MS 50

/* What a process is told that stands in the past. */
struct order {
	unsigned machine; /* that is driven */
	struct debug_wants wants;
	struct debug_plan plan;
	bool seek; /* or stand where you are */
	struct debug_place place;
	struct changes_span scout;
	struct debug_search search;
	uint64_t notes;
	size_t front_bytes;
	_Alignas(16) char front[DEBUG_FRONT_BYTES];
};
_Static_assert(sizeof(struct order) <= PAST_MAIL_BYTES, "an order is mail");

struct answer {
	bool found;
	struct debug_place place;
	uint64_t retired; /* by all CPUs, and when */
	ps_t at;
	/* Where else it may be, if so. */
	bool older_any;
	struct changes_span older;
};

static struct machine *machine_of(const struct debug *d)
{
	return d->s->machine;
}

/* --- standing --- */

static uint64_t all_retired(const struct debug *d)
{
	uint64_t n = 0;

	for (const struct session *s = d->s->first; s; s = s->next)
		n += machine_retired(s->machine);
	return n;
}

static void machine_here(const struct session *s, const struct debug_trail *t,
			 struct past_machine *at)
{
	at->now = machine_now(s->machine);
	at->retired = machine_retired(s->machine);
	for (unsigned i = 0; i < machine_cpu_count(s->machine); i++) {
		at->cpu_retired[i] = cpu_retired(machine_cpu(s->machine, i));
		at->entered[i] =
			t->entered[i] && t->entered_at[i] == at->cpu_retired[i];
	}
}

static void place_here(const struct debug *d, struct past_place *at)
{
	*at = (struct past_place){
		.retired = all_retired(d),
		.keep = d->written,
	};
	for (const struct session *s = d->s->first; s; s = s->next)
		machine_here(s, &d->trail[s->index], &at->machine[s->index]);
}

/* Where the machine that is driven stood then. */
static const struct past_machine *stood(const struct debug *d, size_t index)
{
	return &past_at(d->past, index)->machine[d->s->index];
}

static uint64_t seek_count(const struct debug *d)
{
	const struct debug_place *p = &d->seek;

	return p->cpu == MACHINE_ALL_CPUS
		       ? machine_retired(machine_of(d))
		       : cpu_retired(machine_cpu(machine_of(d), p->cpu));
}

/* More stand on the way, the closer the denser: who goes back once does so
 * again. */
static void next_on_the_way(struct debug *d)
{
	uint64_t to = d->seek.retired, now = seek_count(d);
	uint64_t left = to > now ? to - now : 0;

	d->seek_next = left / 2 > CLOSE ? to - left / 2 : to;
}

/* This process has been told something. */
static void become(struct debug *d)
{
	struct order o;

	CHECK(d->mail.bytes == sizeof(o));
	memcpy(&o, d->mail.data, sizeof(o));
	debug_drive(d, o.machine);
	d->wants = o.wants;
	d->plan = o.plan;
	d->due = d->halted = false;
	d->step.phase = STEP_NONE;
	memset(d->switched, 0, sizeof(d->switched));
	d->s->first->notes_told = o.notes;
	d->search = o.search;
	if (d->mail.scout) {
		d->plan.how = DEBUG_CONTINUE;
		d->scouting = true;
		d->seeking = d->found_any = d->older_any = false;
		d->scout_from = o.scout.low;
		d->scout_end = o.scout.high;
		debug_go_on(d);
		return;
	}
	d->front.load(d->front.owner, o.front, o.front_bytes, d->mail.fd);
	d->seek = o.place;
	d->seeking = o.seek;
	if (d->seeking)
		next_on_the_way(d);
	else
		d->stop = o.place.stop;
	d->halted = !d->seeking;
	if (d->seeking && seek_count(d) >= d->seek.retired)
		debug_seek_after(d);
}

void debug_back_take(struct debug *d, bool now)
{
	struct past_place at;

	if (!d->past || d->scouting || d->let_go || d->killed)
		return;
	past_tie(d->past);
	if (!now && all_retired(d) - d->past_at < EVERY)
		return;
	place_here(d, &at);
	d->past_at = at.retired;
	d->written = false;
	for (const struct session *s = d->s->first; s; s = s->next)
		debug_changes_go_on(d, s, true);
	if (past_take(d->past, &at, &d->mail, d->front.away, d->front.owner))
		become(d);
}

/* --- going --- */

static void write_order(struct debug *d, struct order *o,
			struct past_mail *mail)
{
	mail->fd = -1;
	mail->scout = false;
	o->wants = d->wants;
	o->plan = d->plan;
	o->search = d->search;
	o->machine = d->s->index;
	o->notes = d->s->first->notes_told;
	o->front_bytes = d->front.save(d->front.owner, o->front, &mail->fd);
	CHECK(o->front_bytes <= sizeof(o->front));
	mail->bytes = sizeof(*o);
	memcpy(mail->data, o, sizeof(*o));
}

/* Does who stands there come to the place? */
static bool lies_before(const struct past_machine *at,
			const struct debug_place *to)
{
	if (to->cpu == MACHINE_ALL_CPUS)
		return at->retired < to->retired || at->now < to->time;
	return at->cpu_retired[to->cpu] < to->retired ||
	       (at->cpu_retired[to->cpu] == to->retired &&
		!at->entered[to->cpu]);
}

/* Returns only if nobody stands before that place. */
static void go(struct debug *d, const struct debug_place *to)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.seek = true;
	o.place = *to;
	write_order(d, &o, &d->mail);
	for (size_t i = past_count(d->past); i--;) {
		if (lies_before(stood(d, i), to))
			past_go(d->past, i, &d->mail);
	}
}

/* The past ends here. */
static void nothing_before(struct debug *d)
{
	debug_halt(d, DEBUG_PAST_ENDS, machine_stopped_cpu(machine_of(d)), "%s",
		   "");
	if (d->plan.id.tid)
		d->stop.id = d->plan.id;
}

static void go_to_begin(struct debug *d)
{
	struct order o;

	nothing_before(d);
	if (!past_count(d->past) ||
	    past_at(d->past, 0)->retired == all_retired(d))
		return;
	memset(&o, 0, sizeof(o));
	o.place.stop = d->stop;
	o.place.stop.id = (struct debug_id){DEBUG_MACHINE, 1};
	o.place.stop.cpu = 0;
	write_order(d, &o, &d->mail);
	past_go(d->past, 0, &d->mail);
}

/* --- one step --- */

static bool before_cpu(struct debug *d, struct debug_place *to)
{
	const struct debug_trail *t = &d->trail[d->s->index];
	unsigned i = d->plan.id.tid - 1;
	struct cpu *cpu = machine_cpu(machine_of(d), i);
	uint64_t retired = cpu_retired(cpu);

	to->cpu = i;
	to->retired = retired;
	if (t->entered[i] && t->entered_at[i] == retired)
		return true; /* what was interrupted, or has faulted */
	if (!retired)
		return false;
	to->retired--;
	to->stepped = !d->wants.into_interrupts;
	debug_context_of(cpu, &to->context);
	return true;
}

static void step_back(struct debug *d)
{
	struct debug_place to = {
		.stop = {.why = DEBUG_STEPPED, .id = d->plan.id},
	};
	bool known = d->plan.id.pid == DEBUG_MACHINE
			     ? before_cpu(d, &to)
			     : debug_trail_before(d, d->plan.id, &to);

	if (known) {
		to.stop.cpu = to.cpu;
		go(d, &to);
	}
	nothing_before(d);
}

/* Is the instruction a return from an interrupt's handler?  IRETQ and IRET, and
 * SYSRET and SYSEXIT, by which a monitor may return as well (SDM 2). */
static bool returns(struct debug *d, unsigned cpu)
{
	uint8_t code[3] = {0};
	size_t n = debug_read(d, (struct debug_id){DEBUG_MACHINE, cpu + 1},
			      debug_linear_rip(machine_cpu(machine_of(d), cpu)),
			      code, sizeof(code));
	size_t i = n && (code[0] & 0xf0) == 0x40;

	return code[i] == 0xcf || (code[i] == 0x0f && (code[i + 1] == 0x07 ||
						       code[i + 1] == 0x35));
}

/* The step came from a handler: the one before is that to what it had
 * interrupted. */
static void before_interrupt(struct debug *d)
{
	const struct debug_leave *l = debug_trail_interrupt(
		d, &d->seek.context, machine_retired(machine_of(d)) + 1);
	struct debug_place to = d->seek;

	if (!l || !l->retired)
		return;
	to.cpu = to.stop.cpu = l->cpu;
	to.retired = l->retired - 1;
	to.stop.id = (struct debug_id){DEBUG_MACHINE, l->cpu + 1};
	d->plan.id = to.stop.id;
	go(d, &to);
}

/* --- on the way --- */

vaddr_t debug_seek_limit(struct debug *d)
{
	if (seek_count(d) < d->seek.retired) {
		machine_set_limit(machine_of(d), d->seek.cpu, d->seek_next);
		return 0;
	}
	machine_set_limit(machine_of(d), MACHINE_ALL_CPUS, MACHINE_NO_LIMIT);
	return d->seek.va;
}

ps_t debug_seek_until(const struct debug *d, ps_t until)
{
	ps_t now = machine_now(machine_of(d)), to = d->seek.time;

	/* As long as the count is not reached, that is what it comes to. */
	return seek_count(d) >= d->seek.retired && to > now && to < until
		       ? to
		       : until;
}

static void drop_met(struct debug *d, uint32_t number)
{
	struct debug_wants *w = &d->wants;

	for (size_t i = 0; number && i < w->condition_count; i++) {
		if (w->condition[i].number == number)
			debug_drop_condition(d, &w->condition[i]);
	}
}

static void arrive(struct debug *d)
{
	uint32_t met = d->seek.met, then = d->seek.met_then;

	d->seeking = false;
	machine_set_limit(machine_of(d), MACHINE_ALL_CPUS, MACHINE_NO_LIMIT);
	if (d->seek.stepped && returns(d, d->seek.cpu))
		before_interrupt(d);
	d->stop = d->seek.stop;
	d->halted = true;
	if (met && machine_now(machine_of(d)) > d->seek.time)
		then = 0; /* that was before */
	if (d->seek.on_clock)
		debug_halt_on_clock(d, met ? met : then);
	drop_met(d, met);
	drop_met(d, then);
}

void debug_seek_after(struct debug *d)
{
	struct debug_place *to = &d->seek;
	ps_t now = machine_now(machine_of(d));

	if (seek_count(d) < to->retired) {
		if (seek_count(d) < d->seek_next)
			return;
		next_on_the_way(d);
		debug_back_take(d, true);
	} else if (now < to->time) {
		to->met = 0; /* that was before */
	} else if (!to->va || debug_linear_rip(machine_cpu(
				      machine_of(d), to->cpu)) == to->va) {
		arrive(d);
	}
}

/* --- scouts --- */

/* gdb passes over writes of what was there already, one by one; so each of them
 * would be gone back to. */
static bool changes_nothing(struct debug *d, const struct cpu_watch_hit *hit)
{
	const struct debug_id id = {DEBUG_MACHINE, d->stop.cpu + 1};
	const struct debug_watch *w = d->wants.watch;
	uint64_t now = 0;

	while (w->va != d->stop.va || w->kinds != d->stop.kind)
		w++;
	return w->kinds == CPU_WATCH_WRITE && hit->known &&
	       hit->watch == w->va && w->bytes <= sizeof(now) &&
	       debug_read(d, id, w->va, &now, w->bytes) == w->bytes &&
	       !memcmp(&now, &hit->before, w->bytes);
}

void debug_scout_found(struct debug *d, uint32_t met)
{
	struct machine *m = machine_of(d);
	struct cpu *cpu = machine_cpu(m, d->stop.cpu);
	struct debug_place at = {
		.cpu = d->stop.cpu,
		.retired = cpu_retired(cpu),
		.stop = d->stop,
		.met = met,
	};
	uint64_t total = machine_retired(m);

	switch (d->stop.why) {
	case DEBUG_BREAK:
		at.va = debug_linear_rip(cpu);
		break;
	case DEBUG_WATCH: /* before the access, not behind it */
		if (changes_nothing(d, cpu_watch_hit(cpu)))
			return;
		at.retired = cpu_watch_hit(cpu)->retired;
		total--;
		break;
	case DEBUG_CONDITION:
		at.cpu = MACHINE_ALL_CPUS;
		at.retired = total;
		break;
	default:
		debug_scout_end(d);
	}
	if (total >= d->scout_end)
		return;
	d->found = at;
	d->found_retired = total;
	d->found_at = machine_now(m);
	d->found_any = true;
}

bool debug_scout_done(struct debug *d)
{
	return machine_retired(machine_of(d)) >= d->scout_end;
}

_Noreturn void debug_scout_end(struct debug *d)
{
	struct answer a;

	memset(&a, 0, sizeof(a));
	a.found = d->found_any;
	a.place = d->found;
	a.retired = d->found_retired;
	a.at = d->found_at;
	a.older_any = d->older_any;
	a.older = d->older;
	past_answer(&d->mail, &a, sizeof(a));
}

bool debug_scout_blind(const struct debug *d)
{
	return d->scouting && machine_retired(d->s->machine) < d->scout_from;
}

static bool is_on_clock(const struct debug_condition *c)
{
	return c->what == DEBUG_AT_TIME || c->what == DEBUG_AT_COUNT;
}

static bool wants_events(const struct debug *d)
{
	const struct debug_wants *w = &d->wants;

	for (size_t i = 0; i < w->condition_count; i++) {
		if (!is_on_clock(&w->condition[i]))
			return true;
	}
	return false;
}

/* Are only writes wanted that change something?  Then where the last of them
 * can be is known. */
static bool wants_changes(const struct debug *d)
{
	const struct debug_wants *w = &d->wants;

	for (size_t i = 0; i < w->watch_count; i++) {
		if (w->watch[i].kinds != CPU_WATCH_WRITE)
			return false;
	}
	return w->watch_count && !w->break_count && !wants_events(d);
}

/* The latest of the instants and counts that are wanted and are over, which
 * need not be looked for: by the last count and the last instant, whichever
 * comes later.  Without one: before everything. */
static void last_on_clock(const struct debug *d, struct debug_place *to)
{
	const struct machine *m = machine_of(d);

	*to = (struct debug_place){.cpu = MACHINE_ALL_CPUS, .on_clock = true};
	for (size_t i = 0; i < d->wants.condition_count; i++) {
		const struct debug_condition *c = &d->wants.condition[i];

		if (c->what == DEBUG_AT_COUNT && c->value > to->retired &&
		    c->value < machine_retired(m)) {
			to->retired = c->value;
			to->met = c->number;
		} else if (c->what == DEBUG_AT_TIME && c->value > to->time &&
			   c->value < machine_now(m)) {
			to->time = c->value;
			to->met_then = c->number;
		}
	}
}

/* Of all that is watched the last; false: nothing was ever changed. */
static bool last_change(const struct debug *d, struct changes_span *span)
{
	bool any = false;

	for (size_t i = 0; i < d->wants.watch_count; i++) {
		const struct debug_watch *w = &d->wants.watch[i];
		struct changes_span one;

		if (!changes_last(d->changes[d->s->index], w->va, w->bytes,
				  machine_retired(machine_of(d)), &one))
			continue;
		if (!any || one.high > span->high)
			*span = one;
		any = true;
	}
	return any;
}

void debug_scout_arrives(struct debug *d)
{
	if (!d->scout_from)
		return;
	d->older_any = wants_changes(d) && last_change(d, &d->older);
	d->scout_from = 0;
}

enum looked {
	LOOK_NOTHING,
	LOOK_FOUND,
	LOOK_GONE, /* nobody stands there any more */
	LOOK_ASKED /* the user wants it to stop */
};

/* From position `from`, in a span. */
static enum looked look(struct debug *d, size_t from, struct changes_span span,
			struct answer *a)
{
	struct order o;
	int answer, heard = 0;

	memset(&o, 0, sizeof(o));
	o.scout = span;
	d->search.spans++;
	d->search.instructions += span.high - stood(d, from)->retired;
	write_order(d, &o, &d->mail);
	answer = past_scout(d->past, from, &d->mail);
	if (answer < 0)
		return LOOK_GONE;
	while (!heard) {
		heard = past_heard(answer, a, sizeof(*a), ASK_MS);
		if (!heard && d->front.wants(d->front.owner, d)) {
			close(answer);
			return LOOK_ASKED;
		}
	}
	close(answer);
	if (heard < 0)
		return LOOK_GONE;
	return a->found ? LOOK_FOUND : LOOK_NOTHING;
}

/* The latest that stands at or before that count; past_count(): none. */
static size_t standing_before(struct debug *d, uint64_t retired)
{
	size_t count = past_count(d->past), i = count;

	while (i && stood(d, i - 1)->retired > retired)
		i--;
	return i ? i - 1 : count;
}

/* By what is known of changes: straight to the last. */
static enum looked last_change_back(struct debug *d, struct answer *a)
{
	enum looked what = LOOK_NOTHING;

	a->older_any = last_change(d, &a->older);
	while (a->older_any && what == LOOK_NOTHING) {
		struct changes_span span = a->older;
		size_t i = standing_before(d, span.low);

		if (i == past_count(d->past))
			break;
		do {
			what = look(d, i, span, a);
		} while (what == LOOK_GONE && i--);
	}
	return what;
}

/* From one that stands to the next, the latest first; not beyond a place. */
static enum looked
search_back(struct debug *d, const struct debug_place *beyond, struct answer *a)
{
	uint64_t end = machine_retired(machine_of(d));
	enum looked what = LOOK_NOTHING;

	for (size_t i = past_count(d->past); i--;) {
		const struct past_machine *from = stood(d, i);

		if (from->retired >= end)
			continue;
		what = look(d, i, (struct changes_span){0, end}, a);
		if (what == LOOK_GONE)
			continue;
		if (what != LOOK_NOTHING || lies_before(from, beyond))
			break;
		/* A place where one stands is found from the one before. */
		end = from->retired + 1;
	}
	return what;
}

static void continue_back(struct debug *d)
{
	enum looked what = LOOK_NOTHING;
	struct debug_place clock;
	struct answer a;

	d->search = (struct debug_search){0};
	last_on_clock(d, &clock);
	if (wants_changes(d))
		what = last_change_back(d, &a);
	else if (d->wants.break_count || d->wants.watch_count ||
		 wants_events(d))
		what = search_back(d, &clock, &a);
	if (what == LOOK_ASKED) {
		debug_halt(d, DEBUG_ASKED, machine_stopped_cpu(machine_of(d)),
			   "%s", "");
		return;
	}
	if (what == LOOK_FOUND && a.retired >= clock.retired &&
	    a.at >= clock.time)
		go(d, &a.place);
	if (clock.met || clock.met_then)
		go(d, &clock);
	go_to_begin(d);
}

static void back_to(struct debug *d)
{
	struct debug_place to = {
		.cpu = MACHINE_ALL_CPUS,
		.retired = d->plan.low,
		.stop = {.why = DEBUG_STEPPED, .id = d->plan.id},
	};

	to.stop.cpu = d->plan.id.tid - 1;
	if (to.retired)
		go(d, &to);
	go_to_begin(d);
}

void debug_back(struct debug *d)
{
	if (!d->past)
		nothing_before(d);
	else if (d->plan.how == DEBUG_BACK_STEP)
		step_back(d);
	else if (d->plan.how == DEBUG_BACK_TO)
		back_to(d);
	else
		continue_back(d);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug.c - the debugger is made; which machine it drives;
 * breakpoints and watches, as wanted and as the CPUs have them.
 *
 * gdb takes its breakpoints away at each stop and sets them again when it goes
 * on.  The CPUs are told only what has changed by then: setting one makes them
 * translate code anew.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/debug/debug_internal.h"
#include "sim/debug/places.h"

void debug_destroy(struct debug *d)
{
	if (d) {
		past_destroy(d->past);
		for (size_t i = 0; i < SESSION_MACHINES_MAX; i++)
			changes_destroy(d->changes[i]);
		debug_places_free(d);
	}
	free(d);
}

const struct session_driver *debug_driver(struct debug *d)
{
	return &d->driver;
}

struct session *debug_session(struct debug *d)
{
	return d->s;
}

const struct debug_stop *debug_stopped(const struct debug *d)
{
	return &d->stop;
}

bool debug_changed(const struct debug *d)
{
	return d->changed;
}

bool debug_has_past(const struct debug *d)
{
	return d->past != NULL;
}

bool debug_left(const struct debug *d)
{
	return d->killed && !d->over;
}

/* --- as wanted --- */

static struct debug_break *find_break(struct debug *d, uint32_t pid, vaddr_t va,
				      bool numbered)
{
	for (size_t i = 0; i < d->wants.break_count; i++) {
		struct debug_break *b = &d->wants.brk[i];

		if (b->pid == pid && b->va == va && !b->number == !numbered)
			return b;
	}
	return NULL;
}

bool debug_break_number(struct debug *d, uint32_t pid, vaddr_t va,
			uint32_t number)
{
	if (find_break(d, pid, va, number))
		return true;
	if (d->wants.break_count == DEBUG_BREAKS_MAX)
		return false;
	d->wants.brk[d->wants.break_count++] =
		(struct debug_break){.pid = pid, .va = va, .number = number};
	return true;
}

bool debug_break_add(struct debug *d, uint32_t pid, vaddr_t va)
{
	return debug_break_number(d, pid, va, 0);
}

static void drop_break(struct debug *d, struct debug_break *b)
{
	*b = d->wants.brk[--d->wants.break_count];
}

void debug_break_remove(struct debug *d, uint32_t pid, vaddr_t va)
{
	struct debug_break *b = find_break(d, pid, va, false);

	if (b)
		drop_break(d, b);
}

static struct debug_watch *find_watch(struct debug *d,
				      const struct debug_watch *like)
{
	for (size_t i = 0; i < d->wants.watch_count; i++) {
		struct debug_watch *w = &d->wants.watch[i];

		if (w->pid == like->pid && w->va == like->va &&
		    w->bytes == like->bytes && !w->number == !like->number)
			return w;
	}
	return NULL;
}

bool debug_watch_number(struct debug *d, const struct debug_watch *want)
{
	struct debug_watch *w = find_watch(d, want);

	if (!want->bytes)
		return false;
	if (!w && d->wants.watch_count == DEBUG_WATCHES_MAX)
		return false;
	if (!w)
		w = &d->wants.watch[d->wants.watch_count++];
	*w = *want;
	return true;
}

bool debug_watch_add(struct debug *d, uint32_t pid, vaddr_t va, uint64_t bytes,
		     unsigned kinds)
{
	struct debug_watch w;

	/* They are compared as bytes. */
	memset(&w, 0, sizeof(w));
	w.pid = pid;
	w.va = va;
	w.bytes = bytes;
	w.kinds = kinds;
	return debug_watch_number(d, &w);
}

static void drop_watch(struct debug *d, struct debug_watch *w)
{
	*w = d->wants.watch[--d->wants.watch_count];
}

void debug_watch_remove(struct debug *d, uint32_t pid, vaddr_t va,
			uint64_t bytes)
{
	struct debug_watch *w = find_watch(
		d, &(struct debug_watch){.pid = pid, .va = va, .bytes = bytes});

	if (w)
		drop_watch(d, w);
}

bool debug_delete(struct debug *d, uint32_t number)
{
	struct debug_wants *w = &d->wants;
	bool any = false;

	/* A breakpoint may stand in several places. */
	for (size_t i = w->break_count; i--;) {
		if (w->brk[i].number == number) {
			drop_break(d, &w->brk[i]);
			any = true;
		}
	}
	for (size_t i = w->watch_count; i--;) {
		if (w->watch[i].number == number) {
			drop_watch(d, &w->watch[i]);
			any = true;
		}
	}
	for (size_t i = w->condition_count; i--;) {
		if (w->condition[i].number == number) {
			debug_drop_condition(d, &w->condition[i]);
			any = true;
		}
	}
	return any;
}

void debug_break_forget(struct debug *d)
{
	d->wants.break_count = 0;
	d->wants.watch_count = 0;
	d->wants.condition_count = 0;
	memset(d->switched, 0, sizeof(d->switched));
}

/* --- as the CPUs have them --- */

static bool in(const vaddr_t *list, size_t count, vaddr_t va)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == va)
			return true;
	}
	return false;
}

static void on_all(struct debug *d, void (*fn)(struct cpu *cpu, vaddr_t va),
		   vaddr_t va)
{
	struct machine *m = d->s->machine;

	for (unsigned i = 0; i < machine_cpu_count(m); i++)
		fn(machine_cpu(m, i), va);
}

static void arm_breaks(struct debug *d, vaddr_t also)
{
	vaddr_t want[DEBUG_BREAKS_MAX + 1];
	size_t count = 0;

	/* On the way to a place nobody stops before. */
	for (size_t i = 0;
	     i < d->wants.break_count && !d->seeking && !debug_scout_blind(d);
	     i++) {
		if (!in(want, count, d->wants.brk[i].va))
			want[count++] = d->wants.brk[i].va;
	}
	if (also && !in(want, count, also))
		want[count++] = also;
	for (size_t i = 0; i < d->armed_count; i++) {
		if (!in(want, count, d->armed[i]))
			on_all(d, cpu_break_clear, d->armed[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (!in(d->armed, d->armed_count, want[i]))
			on_all(d, cpu_break_set, want[i]);
	}
	memcpy(d->armed, want, sizeof(want));
	d->armed_count = count;
}

static void watch_all(struct debug *d, const struct debug_watch *w,
		      unsigned kinds)
{
	struct machine *m = d->s->machine;

	for (unsigned i = 0; i < machine_cpu_count(m); i++)
		CHECK(cpu_watch_set(machine_cpu(m, i), w->va, w->bytes, kinds));
}

static void arm_watches(struct debug *d)
{
	size_t count =
		d->seeking || debug_scout_blind(d) ? 0 : d->wants.watch_count;
	size_t bytes = count * sizeof(struct debug_watch);

	if (d->watched_count == count &&
	    !memcmp(d->watched, d->wants.watch, bytes))
		return;
	for (size_t i = 0; i < d->watched_count; i++)
		watch_all(d, &d->watched[i], 0);
	for (size_t i = 0; i < count; i++) {
		const struct debug_watch *w = &d->wants.watch[i];
		unsigned kinds = 0;

		/* Two processes may watch the same address. */
		for (size_t k = 0; k < d->wants.watch_count; k++) {
			const struct debug_watch *o = &d->wants.watch[k];

			if (o->va == w->va && o->bytes == w->bytes)
				kinds |= o->kinds;
		}
		watch_all(d, w, kinds);
	}
	memcpy(d->watched, d->wants.watch, bytes);
	d->watched_count = count;
}

void debug_into_cpus(struct debug *d, vaddr_t also)
{
	arm_breaks(d, also);
	arm_watches(d);
}

void debug_out_of_cpus(struct debug *d)
{
	for (size_t i = 0; i < d->armed_count; i++)
		on_all(d, cpu_break_clear, d->armed[i]);
	for (size_t i = 0; i < d->watched_count; i++)
		watch_all(d, &d->watched[i], 0);
	d->armed_count = d->watched_count = 0;
}

/* --- which machine --- */

bool debug_is_on(const struct debug *d)
{
	return d->s && session_is_on(d->s) && !d->ended[d->s->index];
}

bool debug_can_go_on(const struct debug *d)
{
	if (d->over)
		return false;
	for (const struct session *s = d->s->first; s; s = s->next) {
		if (session_is_on(s) && !d->ended[s->index])
			return true;
	}
	return false;
}

/* Instants are everybody's. */
static void forget_all_but_instants(struct debug *d)
{
	struct debug_wants *w = &d->wants;
	size_t kept = 0;

	for (size_t i = 0; i < w->condition_count; i++) {
		if (w->condition[i].what == DEBUG_AT_TIME)
			w->condition[kept++] = w->condition[i];
	}
	debug_break_forget(d);
	w->condition_count = kept;
}

void debug_drive(struct debug *d, unsigned machine)
{
	struct session *to = d->s->first;

	while (to->index != machine && to->next)
		to = to->next;
	if (to == d->s)
		return;
	debug_out_of_cpus(d);
	machine_set_limit(d->s->machine, MACHINE_ALL_CPUS, MACHINE_NO_LIMIT);
	forget_all_but_instants(d);
	d->s = to;
	d->step.phase = STEP_NONE;
	d->plan = (struct debug_plan){
		.how = DEBUG_CONTINUE,
		.id = {DEBUG_MACHINE, machine_stopped_cpu(to->machine) + 1},
	};
	d->stop.cpu = machine_stopped_cpu(to->machine);
	d->stop.id = d->plan.id;
	if (d->stop.why != DEBUG_ENDED || debug_can_go_on(d)) {
		d->stop.why = DEBUG_ASKED;
		d->stop.text[0] = '\0';
	}
	debug_go_on(d);
}

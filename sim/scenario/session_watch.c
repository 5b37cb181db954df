/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_watch.c - who wants the first machine to stand where:
 * struct session_watch.
 *
 * A watcher is asked again after each reached(); it has to want something later
 * then, or nothing.
 */
#include "sim/scenario/session_internal.h"

void session_watch_begin(struct session *f)
{
	for (unsigned i = 0; i < SESSION_WATCHERS; i++) {
		f->watch[i].when = PS_NEVER;
		f->watch[i].retired = UINT64_MAX;
	}
}

static bool watched(const struct session *s)
{
	return s == s->first;
}

/* The nearest count that anybody wants. */
uint64_t session_watch_count(const struct session *s)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; watched(s) && i < SESSION_WATCHERS; i++) {
		if (s->watch[i].retired < least)
			least = s->watch[i].retired;
	}
	return least;
}

/* A cut no later than the nearest instant that anybody wants. */
ps_t session_watch_cut(const struct session *f, ps_t now, ps_t until)
{
	for (unsigned i = 0; i < SESSION_WATCHERS; i++) {
		if (f->watch[i].when < until)
			until = f->watch[i].when;
	}
	return until < now ? now : until;
}

void session_watch_note(struct session *s, const struct trace_record *r)
{
	for (unsigned i = 0; watched(s) && i < SESSION_WATCHERS; i++) {
		const struct session_watch *w = &s->watch[i];

		if (!w->event || !w->event(w->owner, r))
			continue;
		s->watch_due = true;
		machine_request_stop(s->machine);
	}
}

bool session_watch_reached(struct session *s, struct error *err)
{
	s->watch_due = false;
	for (unsigned i = 0; i < SESSION_WATCHERS; i++) {
		const struct session_watch *w = &s->watch[i];

		if (w->reached && !w->reached(w->owner, s, err))
			return false;
	}
	return true;
}

bool session_watch_cut_reached(struct session *f, struct error *err)
{
	ps_t now = session_now(f);

	return session_watch_cut(f, now, PS_NEVER) > now ||
	       session_watch_reached(f, err);
}

bool session_mark(struct session *f, const char *name, struct error *err)
{
	bool due = false;

	for (unsigned i = 0; i < SESSION_WATCHERS; i++) {
		const struct session_watch *w = &f->watch[i];

		due |= w->mark && w->mark(w->owner, name);
	}
	return !due || session_watch_reached(f, err);
}

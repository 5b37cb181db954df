/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_back.c - a session's machine in memory, with what the
 * session itself has of its run up to there, and back to that.
 *
 * Files of the run's folder that grow (trace, console, what is captured) are
 * cut back to what they held.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"
#include "sim/snapshot_memory.h"

struct console_mark {
	long at;
	size_t bytes, cursor;
};

struct session_standing {
	struct session_standing *next;
	uint64_t id;
	struct memory_snapshot *machine;
	struct trace_mark *trace;
	void *view;
	struct timeline timeline;
	struct console_mark console[MACHINE_SERIALS];
	size_t line_count, sample_count;
	struct session_plan *plan;
	struct net_switch_mark net;
	enum machine_stop stop;
	ps_t now;
};

static bool may_take(const struct session *s, struct error *err)
{
	if (s->first->next || s->first->options.outside)
		return error_set(err, EXIT_USAGE,
				 "a snapshot is of one machine: the others on "
				 "its network would not stand where it does");
	if (s->interactive || s->hands)
		return error_set(err, EXIT_USAGE,
				 "somebody may type into this run, who cannot "
				 "be asked again: no snapshot in memory; "
				 "give serial = \"file\", or no --window");
	if (s->options.cycles)
		return error_set(err, EXIT_USAGE,
				 "with --cycles there is no snapshot in "
				 "memory: what was spent is not given back");
	return !s->stands ||
	       error_set(err, EXIT_USAGE,
			 "a machine with the memory of another host stands: "
			 "there is nothing to go back from");
}

bool session_take(struct session *s, uint64_t *id, struct error *err)
{
	struct session_standing *t;
	struct memory_snapshot *machine;

	if (!may_take(s, err) || !session_detach_disks(s, err))
		return false;
	machine = machine_take(s->machine, err);
	if (!machine)
		return false;
	if (s->standing_bytes)
		machine_take_limit(s->machine, s->standing_bytes);
	t = calloc(1, sizeof(*t));
	CHECK_MSG(t, "out of memory for a snapshot");
	t->machine = machine;
	t->id = ++s->standings;
	t->trace = trace_mark(s->trace);
	t->view = partition_view_keep(s->view);
	t->timeline = s->timeline;
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		const struct session_console *c = &s->console[i];

		t->console[i] = (struct console_mark){
			.at = ftell(c->file),
			.bytes = c->bytes,
			.cursor = c->cursor,
		};
	}
	t->line_count = s->line_count;
	t->sample_count = s->sample_count;
	t->plan = session_plan_keep(s);
	if (s->net)
		net_switch_mark(s->net, &t->net);
	t->stop = s->stop;
	t->now = s->now;
	t->next = s->standing;
	s->standing = t;
	*id = t->id;
	return true;
}

static bool console_back(struct session *s, unsigned serial,
			 const struct console_mark *to, struct error *err)
{
	struct session_console *c = &s->console[serial];

	errno = 0;
	if (fflush(c->file) != 0 || ftruncate(fileno(c->file), to->at) != 0 ||
	    fseek(c->file, to->at, SEEK_SET) != 0)
		return error_set(err, EXIT_HOST, "%s/%s: cannot be cut: %s",
				 s->out, session_console_files[serial],
				 strerror(errno));
	c->bytes = to->bytes;
	c->cursor = to->cursor;
	return true;
}

static void lines_back(struct session *s, size_t count)
{
	while (s->line_count > count)
		free(s->line[--s->line_count].text);
}

bool session_restore(struct session *s, uint64_t id, struct error *err)
{
	const struct session_standing *t = s->standing;

	while (t && t->id != id)
		t = t->next;
	if (!t)
		return error_set(err, EXIT_USAGE,
				 "the snapshot was freed; keep it as long as "
				 "it is to be gone back to");
	if (!machine_restore(s->machine, t->machine, err))
		return false;
	trace_back(s->trace, t->trace);
	partition_view_back(s->view, t->view);
	s->timeline = t->timeline;
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		if (!console_back(s, i, &t->console[i], err))
			return false;
	}
	lines_back(s, t->line_count);
	s->sample_count = t->sample_count;
	session_plan_back(s, t->plan);
	if (s->net)
		net_switch_back(s->net, &t->net);
	s->stop = t->stop;
	s->now = t->now;
	s->hit = s->told = s->watch_due = false;
	if (s->options.driver)
		s->options.driver->went_back(s->options.driver->owner);
	return true;
}

static void drop(struct session_standing *t)
{
	machine_forget(t->machine);
	trace_mark_free(t->trace);
	free(t->view);
	free(t->plan);
	free(t);
}

void session_forget(struct session *s, uint64_t id)
{
	for (struct session_standing **at = &s->standing; *at;
	     at = &(*at)->next) {
		struct session_standing *t = *at;

		if (t->id != id)
			continue;
		*at = t->next;
		drop(t);
		return;
	}
}

void session_forget_all(struct session *s)
{
	while (s->standing) {
		struct session_standing *t = s->standing;

		s->standing = t->next;
		drop(t);
	}
}

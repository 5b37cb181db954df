/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_snapshot.c - a session's machine into a file, and a
 * session that begins where a file's machine stands.
 *
 * A session begins so before its machine has run: trace, console and view have
 * nothing behind them then that would have to be undone.  Other machines and
 * hosts on its network would stand at power-on then, so one among them does
 * not; what is on the cable of a card is in the file.
 */
#include <stdlib.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"
#include "sim/snapshot.h"

static bool alone(const struct session *s, struct error *err)
{
	return (!s->first->next && !s->first->options.outside) ||
	       error_set(err, EXIT_USAGE,
			 "a snapshot is of one machine: the others on its "
			 "network would not stand where it does");
}

bool session_save(struct session *s, const char *path, struct error *err)
{
	return alone(s, err) && machine_save_file(s->machine, path, err);
}

bool session_begin_from(struct session *s, const char *path, struct error *err)
{
	size_t samples;

	if (!alone(s, err))
		return false;
	if (machine_now(s->machine) || machine_retired(s->machine) || s->began)
		return error_set(err, EXIT_USAGE,
				 "snapshot %s: the machine has run already; "
				 "load it right behind machine{}",
				 path);
	if (!machine_load_file(s->machine, path, err))
		return false;
	s->began = true;
	s->now = machine_now(s->machine);
	if (s->net)
		net_switch_begin(s->net, s->now);
	/* The chain at instants before the snapshot: not seen here. */
	samples = s->now / SESSION_SAMPLE_PS;
	if (samples > SESSION_SAMPLES)
		samples = SESSION_SAMPLES;
	s->sample = calloc(samples + 1, sizeof(*s->sample));
	CHECK(s->sample);
	s->sample_count = samples;
	partition_view_look(s->view);
	return true;
}

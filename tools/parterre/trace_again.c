/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_again.c - parterre trace RECORDING: a recorded run, run
 * again with a closer look at a window of it.
 *
 * The run is exact, so what is seen is what happened.  It begins at power-on
 * and ends with the window; outside of the window it is as fast as any.
 */
#include <string.h>
#include <unistd.h>

#include "tools/parterre/parterre.h"
#include "tools/parterre/trace_tool.h"

/* The filter's window, for the classes that are not recorded always. */
static bool select_window(struct session_options *o, const char *window,
			  struct error *err)
{
	return !window || session_select_add(o, "window", window) ||
	       error_set(err, EXIT_USAGE, "--window: '%s' is not what it takes",
			 window);
}

/* No trace, but the cycles of the window; NULL: of all. */
static bool select_cycles(struct session_options *o, const char *window,
			  struct error *err)
{
	o->classes = 0;
	return session_cycles_option(o, window) ||
	       error_set(err, EXIT_USAGE,
			 "--window %s: cycles are of a window between two "
			 "instants, A..B: 30ms..40ms",
			 window);
}

bool trace_again(const char *recording, const struct trace_filter *f,
		 const struct again *how, char *dir, struct error *err)
{
	static struct session s;
	static struct oracle_report oracle;
	struct session_options o = {
		.images = how->images ? how->images : default_images(),
		.out = how->out ? how->out : "parterre.out/again",
	};
	struct recording *rec = recording_open(recording, &o, err);
	bool ran;

	if (!rec)
		return false;
	o.live = isatty(STDERR_FILENO);
	o.classes = TRACE_PLAIN | (f->classes & TRACE_DEEP);
	o.classes_given = true;
	o.select_count = 0;
	/* It ends with the window, if it came to that. */
	if (f->to < PS_NEVER - 1 && (!o.until || o.until > f->to))
		o.until = how->cycles ? f->to : f->to + 1;
	ran = how->cycles ? select_cycles(&o, how->window, err)
			  : select_window(&o, how->window, err);
	if (ran) {
		struct error end = {0};

		(void)run_session(&s, &o, &oracle, &end);
		/* How it ends is the recording's affair, not that of a look. */
		ran = s.sum.end != 0 &&
		      path_in(dir, s.out, how->cycles ? "" : "trace");
		if (!ran)
			*err = end;
		else if (how->cycles && !s.accounts)
			ran = error_set(err, EXIT_USAGE,
					"--window %s: the run ends at %.6f ms, "
					"before that begins",
					how->window,
					(double)s.sum.end / (double)PS_PER_MS);
	}
	session_close(&s);
	recording_close(rec);
	return ran;
}

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
	o.cycles = how->cycles;
	if (how->cycles)
		o.classes = 0;
	o.classes_given = true;
	o.select_count = 0;
	if (f->to < PS_NEVER && (!o.until || f->to < o.until))
		o.until = f->to + 1;
	ran = select_window(&o, how->window, err);
	if (ran) {
		struct error end = {0};

		(void)run_session(&s, &o, &oracle, &end);
		/* How it ends is the recording's affair, not that of a look. */
		ran = s.sum.end != 0 &&
		      path_in(dir, s.out, how->cycles ? "" : "trace");
		if (!ran)
			*err = end;
	}
	session_close(&s);
	recording_close(rec);
	return ran;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/run.c - parterre run */
#include <string.h>
#include <unistd.h>

#include "sim/debug/gdb.h"
#include "sim/debug/past.h"
#include "sim/scenario/script.h"
#include "tools/parterre/parterre.h"
#include "tools/parterre/result.h"

bool path_in(char *to, const char *dir, const char *name)
{
	int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);

	return n > 0 && n < PATH_MAX;
}

/* What no machine may do, whatever its scenario expects. */
static int verdicts(struct session *s, struct oracle_report *oracle,
		    struct error *err)
{
	char image[PATH_MAX], trace[PATH_MAX];

	if (!s->contained) {
		error_set(err, EXIT_INVARIANT, "containment: %s",
			  s->violation.text);
		return err->code;
	}
	if (!s->conforms) {
		error_set(err, EXIT_INVARIANT, "conformance: %s",
			  s->violation.text);
		return err->code;
	}
	/* The oracle reads the trace on disk; an image without partitions has
	 * nothing to say to it. */
	if (!s->config.disk_path || !s->options.classes ||
	    !s->timeline.issued || !path_in(image, s->out, "disk.img") ||
	    !path_in(trace, s->out, "trace"))
		return EXIT_HELD;
	if (!disk_oracle(image, trace, oracle, err))
		return err->code;
	if (oracle_holds(oracle))
		return EXIT_HELD;
	error_set(err, EXIT_INVARIANT,
		  "the disk does not hold what was "
		  "acknowledged: %s",
		  oracle->note[0]);
	return err->code;
}

/* The first machine's report is kept, or that of the one that failed. */
static int all_verdicts(struct session *s, struct oracle_report *oracle,
			struct error *err)
{
	static struct oracle_report other;
	int status = verdicts(s, oracle, err);

	for (s = s->next; s && !status; s = s->next) {
		memset(&other, 0, sizeof(other));
		status = verdicts(s, &other, err);
		if (status)
			*oracle = other;
	}
	return status;
}

int run_session(struct session *s, const struct session_options *o,
		struct oracle_report *oracle, struct error *err)
{
	int status = EXIT_HELD;
	struct error end = {0};

	memset(oracle, 0, sizeof(*oracle));
	err->code = EXIT_HELD;
	if (!session_open(s, o, err) || !script_run(s, err))
		status = err->code;
	if (o->driver && s->machine)
		o->driver->over(o->driver->owner, s, err);
	if (!session_finish(s, &end) && !status) {
		*err = end;
		return end.code;
	}
	end.code = EXIT_HELD;
	if (s->sum.end && all_verdicts(s, oracle, &end) && !status) {
		*err = end;
		status = end.code;
	}
	if (s->sum.end && !result_write(s, oracle, status, err, &end) &&
	    !status) {
		*err = end;
		status = end.code;
	}
	return status;
}

static const char help[] = "usage: parterre run [OPTION...] SCENARIO\n"
			   "Runs the scenario and prints its summary.\n";

/* A debugger over this run, if one was asked for; true also then.  *status is
 * the run's, when it is over: this process has only waited for it; or -1. */
static bool debugger(struct run_options *o, struct gdb_wire **wire,
		     struct debug **debug, int *status, struct error *err)
{
	struct past *past;

	*status = -1;
	*wire = NULL;
	*debug = NULL;
	if (!o->gdb)
		return !o->stopped ||
		       error_set(err, EXIT_USAGE,
				 "-S waits for gdb: add -s or --gdb WHERE");
	if (o->session.snapshots)
		return error_set(err, EXIT_USAGE,
				 "--gdb and --snapshots: a debugger cannot "
				 "follow a machine into another; give one of "
				 "them");
	*wire = gdb_listen(o->gdb, err);
	if (!*wire)
		return false;
	past = past_create();
	*status = past_supervise(past);
	*debug = debug_create(gdb_front(*wire), o->stopped, past);
	o->session.driver = debug_driver(*debug);
	o->session.live = false;
	return true;
}

int main_run(int argc, char **argv)
{
	struct gdb_wire *wire;
	struct debug *debug;
	static struct session s;
	static struct oracle_report oracle;
	struct run_options o;
	struct error err = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, help, 1, &status))
		return status;
	if (!debugger(&o, &wire, &debug, &status, &err))
		return complain("run", &err);
	if (status >= 0)
		return status;
	status = run_session(&s, &o.session, &oracle, &err);
	if (o.json)
		summary_json(&s, &oracle, status);
	else if (s.sum.end)
		summary_text(&s, &oracle, status);
	if (status) {
		fflush(stdout);
		complain("run", &err);
		if (s.sum.end)
			fprintf(stderr,
				"  all of the run is in %s; its `command` "
				"repeats it\n",
				s.out);
	}
	session_close(&s);
	if (debug)
		debug_end(debug, status);
	debug_destroy(debug);
	gdb_close(wire);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/run.c - parterre run */
#include <string.h>
#include <unistd.h>

#include "sim/debug/gdb.h"
#include "sim/debug/past.h"
#include "sim/scenario/script.h"
#include "tools/parterre/parterre.h"
#include "tools/parterre/result.h"
#include "tools/parterre/show_ends.h"

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
	 * nothing to say to it, nor has a trace without its beginning. */
	if (s->began || !s->config.disk_path || !s->options.classes ||
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

/* Who looks at a run while it is under way: gdb, or somebody at a display. */
struct looker {
	struct gdb_wire *wire;
	struct show *show;
	struct debug *debug;
	int said; /* standard error as it was, while a terminal is drawn on */
};

/* Over this run, if one was asked for; true also then.  *status is the run's,
 * when it is over: this process has only waited for it; or -1. */
static bool look(struct run_options *o, struct looker *l, int *status,
		 struct error *err)
{
	const struct debug_front *front;
	struct past *past;
	int fd;

	*status = -1;
	if (!o->gdb && !o->ui && !o->window)
		return !o->stopped ||
		       error_set(err, EXIT_USAGE,
				 "-S waits for gdb, or for who watches: add "
				 "-s, --gdb WHERE, --ui or --window");
	if (o->session.snapshots)
		return error_set(err, EXIT_USAGE,
				 "--gdb, --ui or --window, and --snapshots: "
				 "nobody can follow a machine into another; "
				 "give one of them");
	if (o->gdb) {
		l->wire = gdb_listen(o->gdb, err);
		if (!l->wire)
			return false;
	}
	past = past_create();
	*status = past_supervise(past);
	if (*status >= 0)
		return true;
	if (!o->gdb) {
		fd = show_start(o->window, o->window_script, err);
		if (fd < 0)
			return false;
		l->show = show_create(fd, &o->show);
		o->session.hands = show_hands(l->show);
	}
	front = l->show ? show_front(l->show) : gdb_front(l->wire);
	l->debug = debug_create(front, o->stopped, past);
	o->session.driver = l->show ? show_driver(l->show, l->debug)
				    : debug_driver(l->debug);
	o->session.live = false;
	return true;
}

/* What is told in the meantime would be drawn over: it is told after.  Its file
 * has no other descriptor than 2, so it is not cut back with the others when
 * the run goes back (sim/debug/past.h). */
static void keep_said(struct looker *l)
{
	FILE *f = tmpfile();

	fflush(stderr);
	l->said = f ? dup(STDERR_FILENO) : -1;
	if (l->said >= 0)
		dup2(fileno(f), STDERR_FILENO);
	if (f)
		fclose(f);
}

static void tell_said(struct looker *l)
{
	char text[4096];
	ssize_t n;
	int from;

	if (l->said < 0)
		return;
	fflush(stderr);
	from = dup(STDERR_FILENO);
	dup2(l->said, STDERR_FILENO);
	close(l->said);
	l->said = -1;
	lseek(from, 0, SEEK_SET);
	while ((n = read(from, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, stderr);
	close(from);
}

void run_tell(const struct session *s, const struct run_options *o,
	      const struct oracle_report *oracle, int status,
	      const struct error *err, const char *command)
{
	if (o->json)
		summary_json(s, oracle, status);
	else if (s->sum.end)
		summary_text(s, oracle, status);
	if (!status)
		return;
	fflush(stdout);
	complain(command, err);
}

int main_run(int argc, char **argv)
{
	struct looker l = {.said = -1};
	static struct session s;
	static struct oracle_report oracle;
	struct run_options o;
	struct error err = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, help, 1, &status))
		return status;
	if (!look(&o, &l, &status, &err))
		return complain("run", &err);
	if (status >= 0)
		return status;
	if (o.ui)
		keep_said(&l);
	if (!l.debug)
		session_heed_signals(true);
	status = run_session(&s, &o.session, &oracle, &err);
	if (!status && l.show && show_status(l.show)) {
		status = show_status(l.show);
		error_set(&err, status,
			  "the run was left: what showed it failed, as said "
			  "above");
	}
	tell_said(&l);
	run_tell(&s, &o, &oracle, status, &err, "run");
	if (status && s.sum.end)
		fprintf(stderr,
			"  all of the run is in %s; its `command` repeats it\n",
			s.out);
	session_close(&s);
	if (l.debug)
		debug_end(l.debug, status);
	debug_destroy(l.debug);
	show_destroy(l.show);
	gdb_close(l.wire);
	session_end_by_signal();
	return status;
}

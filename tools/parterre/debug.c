/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/debug.c - parterre debug: the run in a child, which may go
 * back in time and so become another process; the user, and what he has set,
 * here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/debug/desk.h"
#include "sim/debug/past.h"
#include "tools/parterre/debug_repl.h"
#include "tools/parterre/parterre.h"

static const char help[] =
	"usage: parterre debug [OPTION...] SCENARIO|RECORDING\n"
	"Runs it under a debugger, at the terminal, or by what is piped in; it "
	"stands\nbefore its first instruction.  `help` lists the commands "
	"(docs/debugging.md).\n"
	"  -x FILE         the commands of FILE instead, then leave\n";

/* --- the run --- */

/* Nobody types into a run: the terminal is the debugger's. */
static void nobody_types(struct session_options *o)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nowhere >= 0)
		dup2(nowhere, STDIN_FILENO);
	signal(SIGINT, SIG_IGN); /* it is told by the desk */
	if (!o->input)
		o->replays = true;
}

/* `status`: of the run, also when this process has only waited for it. */
static int run_under(struct run_options *o, int fd)
{
	static struct session s;
	static struct oracle_report oracle;
	struct error err = {0};
	struct past *past = past_create();
	struct debug *d;
	struct desk *k;
	int status;

	nobody_types(&o->session);
	status = past_supervise(past);
	if (status >= 0) {
		past_destroy(past);
		return status;
	}
	k = desk_create(fd);
	d = debug_create(desk_front(k), true, past);
	o->session.driver = debug_driver(d);
	status = run_session(&s, &o->session, &oracle, &err);
	if (debug_left(d)) {
		status = EXIT_HELD;
	} else {
		if (o->json)
			summary_json(&s, &oracle, status);
		else if (s.sum.end && !o->quiet)
			summary_text(&s, &oracle, status);
		fflush(stdout);
		if (status)
			complain("debug", &err);
	}
	session_close(&s);
	debug_end(d, status);
	debug_destroy(d);
	desk_destroy(k);
	return status;
}

/* --- the user --- */

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_HOST;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_HOST;
}

static int serve_user(int fd, FILE *file, const char *name, pid_t run)
{
	struct repl r;
	bool open = repl_open(&r, fd);
	int status;

	if (open && file)
		repl_file(&r, file, name);
	else if (open && isatty(STDIN_FILENO))
		repl_terminal(&r);
	else if (open)
		repl_file(&r, stdin, "<stdin>");
	status = r.status;
	repl_close(&r);
	if (status)
		wait_for(run);
	else
		status = wait_for(run);
	return status;
}

/* Takes -x FILE out of argv; false after a message. */
static bool take_file(int *argc, char **argv, const char **file, int *status)
{
	int kept = 1;

	*file = NULL;
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "-x") != 0) {
			argv[kept++] = argv[i];
		} else if (++i < *argc) {
			*file = argv[i];
		} else {
			*status = usage_error("debug", "-x: which file?");
			return false;
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return true;
}

/* What is wrong with the command line is said before anything runs. */
static bool prepare(int argc, char **argv, struct run_options *o, FILE **file,
		    const char **name, struct recording **rec, int *status)
{
	struct error err;

	*rec = NULL;
	*file = NULL;
	if (!take_file(&argc, argv, name, status) ||
	    !run_options_parse(o, argc, argv, help, 1, status))
		return false;
	if (o->session.snapshots) {
		*status = usage_error("debug", "--snapshots: a debugger cannot "
					       "follow a machine into another");
		return false;
	}
	if (recording_is(o->operand[0])) {
		*rec = recording_open(o->operand[0], &o->session, &err);
		if (!*rec) {
			*status = complain("debug", &err);
			return false;
		}
	}
	if (*name && !(*file = fopen(*name, "re"))) {
		error_set(&err, EXIT_USAGE, "-x %s: %s", *name,
			  strerror(errno));
		*status = complain("debug", &err);
		return false;
	}
	return true;
}

int main_debug(int argc, char **argv)
{
	struct recording *rec;
	struct run_options o;
	const char *name;
	int ends[2], status;
	FILE *file;
	pid_t run;

	if (!prepare(argc, argv, &o, &file, &name, &rec, &status))
		return status;
	fflush(NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
	    (run = fork()) < 0) {
		fprintf(stderr, "parterre debug: no process for the run: %s\n",
			strerror(errno));
		return EXIT_HOST;
	}
	if (!run) {
		close(ends[0]);
		if (file)
			fclose(file);
		status = run_under(&o, ends[1]);
	} else {
		close(ends[1]);
		status = serve_user(ends[0], file, name, run);
		if (file)
			fclose(file);
	}
	recording_close(rec);
	return status;
}

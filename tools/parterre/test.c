/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/test.c - parterre test: a folder's scenarios, each in a
 * process of its own, as many at a time as there are CPUs.
 *
 * A scenario with a golden trace (GOLDEN/NAME.golden) is checked with it, one
 * without is just run.  With --update each is recorded instead, and the golden
 * trace that differs is rewritten and shown as a difference.
 *
 * Ctrl-C, or SIGTERM, is passed on: who is under way is left, what is over is
 * told, and golden traces that were made are kept.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/seen/progress.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/test_suite.h"

static const char help[] =
	"usage: parterre test [OPTION...] DIR\n"
	"Runs all scenarios of DIR in parallel and compares them with their "
	"golden traces.\n"
	"  --golden DIR   where NAME.golden are (DIR/golden)\n"
	"  --update       make or rewrite them, and show what changed\n"
	"  --only NAME    this scenario alone; may be given again\n"
	"  --jobs N       so many at a time (one for each CPU)\n"
	"  --junit FILE   also write the results as JUnit XML\n"
	"  --images DIR   the images (those built with this program)\n"
	"  --out DIR      where the runs go (parterre.out/test)\n";

/* For people: how long it took. */
static double host_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- which --- */

static bool wanted(const struct test_suite *s, const char *name)
{
	bool yes = !s->only_count;

	for (size_t i = 0; i < s->only_count; i++)
		yes = yes || strcmp(s->only[i], name) == 0;
	return yes;
}

static bool add_case(struct test_suite *s, const char *file, struct error *err)
{
	struct test_case *t = &s->test[s->count];
	char name[300];
	struct stat there;

	session_name(file, t->name, sizeof(t->name));
	if (!wanted(s, t->name))
		return true;
	if (s->count == TEST_CASES_MAX - 1)
		return error_set(err, EXIT_USAGE,
				 "%s: more than %d scenarios; part them",
				 s->dir, TEST_CASES_MAX - 1);
	s->count++;
	snprintf(name, sizeof(name), "%s.golden", t->name);
	if (!path_in(t->scenario, s->dir, file) ||
	    !path_in(t->golden, s->golden_dir, name) ||
	    !path_in(t->out, s->out, t->name))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 s->dir);
	/* One that cannot be read is there, and `check` says why. */
	t->has_golden = lstat(t->golden, &there) == 0;
	snprintf(name, sizeof(name), "%s.rec", t->name);
	CHECK(path_in(t->recording, s->out, name));
	snprintf(name, sizeof(name), "%s.golden", t->name);
	CHECK(path_in(t->made, s->out, name));
	return true;
}

static int is_scenario(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && strcmp(e->d_name + n - 4, ".lua") == 0;
}

static bool find_cases(struct test_suite *s, struct error *err)
{
	struct dirent **entry;
	int n = scandir(s->dir, &entry, is_scenario, alphasort);
	bool good = true;

	if (n < 0)
		return error_set(err, EXIT_USAGE,
				 "%s: %s; name a folder of "
				 "scenarios",
				 s->dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		good = good && add_case(s, entry[i]->d_name, err);
		free(entry[i]);
	}
	free(entry);
	if (good && !s->count)
		return error_set(err, EXIT_USAGE,
				 "%s: no scenario (*.lua) of that name in it",
				 s->dir);
	return good;
}

/* --- running --- */

/* In a group of its own, so that Ctrl-C comes once, by us. */
static void become(const struct test_suite *s, const struct test_case *t)
{
	const char *argv[16] = {"parterre"};
	sigset_t none;
	int n = 1, fd;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fileno(t->log), 1) < 0 || dup2(fileno(t->log), 2) < 0)
		_exit(EXIT_HOST);
	fd = open("/dev/null", O_RDONLY);
	if (fd < 0 || dup2(fd, 0) < 0)
		_exit(EXIT_HOST);
	argv[n++] = s->update ? "record" : t->has_golden ? "check" : "run";
	argv[n++] = "--quiet";
	argv[n++] = "--out";
	argv[n++] = t->out;
	argv[n++] = "--images";
	argv[n++] = s->images;
	if (s->update) {
		argv[n++] = "-o";
		argv[n++] = t->recording;
	} else if (t->has_golden) {
		argv[n++] = t->golden;
	}
	argv[n++] = t->scenario;
	execv("/proc/self/exe", (char *const *)argv);
	_exit(EXIT_HOST);
}

static void begin(struct test_suite *s, struct test_case *t)
{
	int fd = memfd_create(t->name, MFD_CLOEXEC);

	CHECK_MSG(fd >= 0, "the host has no memory left: %s", strerror(errno));
	t->log = fdopen(fd, "r+");
	CHECK(t->log);
	t->began = host_seconds();
	fflush(NULL);
	t->pid = fork();
	CHECK_MSG(t->pid >= 0, "the host has no process left");
	if (!t->pid)
		become(s, t);
}

/* Behind what it said itself. */
static void note(struct test_case *t, const char *text)
{
	fseek(t->log, 0, SEEK_END);
	fprintf(t->log, "parterre test: %s\n", text);
	fflush(t->log);
}

static void take_status(struct test_case *t, int status)
{
	char text[64];

	if (WIFEXITED(status)) {
		t->status = WEXITSTATUS(status);
	} else if (session_left_by()) {
		t->status = TEST_NOT_RUN;
	} else {
		t->status = EXIT_HOST;
		snprintf(text, sizeof(text), "signal %d ended it",
			 WTERMSIG(status));
		note(t, text);
	}
}

/* A child may be none of ours: who started us by exec may have left one. */
static struct test_case *whose(struct test_suite *s, pid_t pid)
{
	for (size_t i = 0; pid > 0 && i < s->count; i++) {
		if (s->test[i].pid == pid)
			return &s->test[i];
	}
	return NULL;
}

static void pass_on(const struct test_suite *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->test[i].pid)
			kill(s->test[i].pid, SIGTERM);
	}
}

/* Waits for one to end; with SIGCHLD blocked, so that none ends unseen. */
static void reap(struct test_suite *s, bool *passed_on)
{
	const struct timespec moment = {0, 200000000};
	struct test_case *t;
	sigset_t child;
	int status;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (!(t = whose(s, pid = waitpid(-1, &status, WNOHANG)))) {
		CHECK_MSG(pid >= 0 || errno == EINTR, "a test is not a child");
		if (session_left_by() && !*passed_on) {
			pass_on(s);
			*passed_on = true;
		}
		progress("scenarios", (unsigned)(s->ended * 1000 / s->count));
		if (!pid)
			sigtimedwait(&child, NULL, &moment);
	}
	t->pid = 0;
	t->seconds = host_seconds() - t->began;
	take_status(t, status);
	s->ended++;
	progress_end();
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%zu of %zu, %.1f s: %s: status %d\n", s->ended,
			s->count, t->seconds, t->name, t->status);
}

static void run_all(struct test_suite *s)
{
	bool passed_on = false;
	long running = 0;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	session_heed_signals(false);
	for (size_t i = 0; i < s->count; i++)
		s->test[i].status = TEST_NOT_RUN;
	for (size_t i = 0; i < s->count && !session_left_by(); i++) {
		if (running == s->jobs) {
			reap(s, &passed_on);
			running--;
		}
		if (session_left_by())
			break;
		begin(s, &s->test[i]);
		running++;
	}
	while (running--)
		reap(s, &passed_on);
}

/* --- golden traces anew --- */

static void show_difference(const char *was, const char *is)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		execlp("diff", "diff", "-u", was, is, (char *)NULL);
		_exit(EXIT_HOST);
	}
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
}

/* What could not be written is that scenario's failure. */
static void update_one(struct test_case *t)
{
	struct error err = {0}, ignored;
	char *made = golden_read(t->made, &err), *was = NULL;

	if (made && t->has_golden)
		was = golden_read(t->golden, &ignored);
	if (!made) {
		t->became = "not made";
	} else if (was && strcmp(was, made) == 0) {
		t->became = "as it was";
	} else {
		if (was)
			show_difference(t->golden, t->made);
		t->became = golden_write(t->golden, made, &err)
				    ? was ? "updated" : "new"
				    : "not written";
	}
	if (err.code) {
		t->status = (int)err.code;
		note(t, err.text);
	}
	free(was);
	free(made);
}

/* A scenario that was renamed leaves its golden trace behind, and is held to
 * none. */
static void tell_unused(const struct test_suite *s)
{
	DIR *dir = s->only_count ? NULL : opendir(s->golden_dir);
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		size_t n = strlen(e->d_name), i = 0;

		if (n <= 7 || strcmp(e->d_name + n - 7, ".golden") != 0)
			continue;
		while (i < s->count &&
		       (strlen(s->test[i].name) != n - 7 ||
			strncmp(s->test[i].name, e->d_name, n - 7) != 0))
			i++;
		if (i == s->count)
			printf("%s/%s: no scenario of %s is held to it\n",
			       s->golden_dir, e->d_name, s->dir);
	}
	if (dir)
		closedir(dir);
}

/* --- the command --- */

enum {
	GOLDEN = 256,
	UPDATE,
	ONLY,
	JOBS,
	JUNIT,
	IMAGES,
	OUT,
	HELP
};

static bool take(struct test_suite *s, int option)
{
	char *end;

	switch (option) {
	case GOLDEN:
		s->golden = optarg;
		return true;
	case UPDATE:
		s->update = true;
		return true;
	case ONLY:
		s->only[s->only_count++] = optarg;
		return s->only_count < TEST_ONLY_MAX;
	case JOBS:
		s->jobs = strtol(optarg, &end, 10);
		return end != optarg && !*end && s->jobs > 0;
	case JUNIT:
		s->junit = optarg;
		return true;
	case IMAGES:
		s->images = optarg;
		return true;
	case OUT:
		s->out = optarg;
		return true;
	default:
		return false;
	}
}

static bool make_dirs(struct test_suite *s, struct error *err)
{
	if (s->golden ? snprintf(s->golden_dir, PATH_MAX, "%s", s->golden) >=
				PATH_MAX
		      : !path_in(s->golden_dir, s->dir, "golden"))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 s->dir);
	if (!session_make_dir(s->out, err))
		return false;
	if (s->golden && !s->update && access(s->golden_dir, R_OK) < 0)
		return error_set(err, EXIT_USAGE,
				 "--golden %s: %s; --update makes it",
				 s->golden_dir, strerror(errno));
	return !s->update || session_make_dir(s->golden_dir, err);
}

int main_test(int argc, char **argv)
{
	static const struct option options[] = {
		{"golden", required_argument, NULL, GOLDEN},
		{"update", no_argument, NULL, UPDATE},
		{"only", required_argument, NULL, ONLY},
		{"jobs", required_argument, NULL, JOBS},
		{"junit", required_argument, NULL, JUNIT},
		{"images", required_argument, NULL, IMAGES},
		{"out", required_argument, NULL, OUT},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};
	static struct test_suite s;
	struct error err = {0};
	double began = host_seconds();
	int option, status;

	s.images = default_images();
	s.out = "parterre.out/test";
	s.jobs = sysconf(_SC_NPROCESSORS_ONLN);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == HELP) {
			printf("%s", help);
			return EXIT_HELD;
		}
		if (!take(&s, option))
			return usage_error("test",
					   "%s: no such option, or not what "
					   "it takes",
					   argv[optind - 1]);
	}
	if (argc - optind != 1)
		return usage_error("test", "one folder is tested, %d given",
				   argc - optind);
	s.dir = argv[optind];
	if (!make_dirs(&s, &err) || !find_cases(&s, &err))
		return complain("test", &err);
	run_all(&s);
	for (size_t i = 0; s.update && i < s.count; i++) {
		if (!s.test[i].status)
			update_one(&s.test[i]);
	}
	status = test_report(&s, host_seconds() - began);
	tell_unused(&s);
	if (s.junit && !test_report_junit(&s, host_seconds() - began, &err))
		status = complain("test", &err);
	session_end_by_signal();
	return status;
}

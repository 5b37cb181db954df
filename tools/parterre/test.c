/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/test.c - parterre test: a folder's scenarios, each in a
 * process of its own, as many at a time as there are CPUs.
 *
 * A scenario with a golden trace (GOLDEN/NAME.golden) is checked with it, one
 * without is just run.  What a process says goes to OUT/NAME.log and is shown
 * if it fails.  With --update each is recorded instead, and the golden trace
 * that differs is rewritten and shown as a difference.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/check.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

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

#define CASES_MAX 256
#define ONLY_MAX  32

struct test_case {
	char name[256];
	char scenario[PATH_MAX], golden[PATH_MAX], out[PATH_MAX];
	char log[PATH_MAX], recording[PATH_MAX], made[PATH_MAX];
	bool has_golden;
	pid_t pid; /* 0: not begun, or over */
	bool begun;
	int status;
	double began, seconds;
};

struct suite {
	const char *dir, *golden, *out, *images, *junit;
	const char *only[ONLY_MAX];
	size_t only_count;
	bool update;
	long jobs;
	char golden_dir[PATH_MAX];
	size_t count, ended;
	struct test_case test[CASES_MAX];
};

/* For people: how long it took. */
static double host_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- which --- */

static bool wanted(const struct suite *s, const char *name)
{
	bool yes = !s->only_count;

	for (size_t i = 0; i < s->only_count; i++)
		yes = yes || strcmp(s->only[i], name) == 0;
	return yes;
}

static bool add_case(struct suite *s, const char *file, struct error *err)
{
	struct test_case *t = &s->test[s->count];
	char name[300];

	session_name(file, t->name, sizeof(t->name));
	if (!wanted(s, t->name))
		return true;
	if (s->count == CASES_MAX - 1)
		return error_set(err, EXIT_USAGE,
				 "%s: more than %d scenarios; part them",
				 s->dir, CASES_MAX - 1);
	s->count++;
	snprintf(name, sizeof(name), "%s.golden", t->name);
	if (!path_in(t->scenario, s->dir, file) ||
	    !path_in(t->golden, s->golden_dir, name) ||
	    !path_in(t->out, s->out, t->name))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 s->dir);
	t->has_golden = access(t->golden, R_OK) == 0;
	snprintf(name, sizeof(name), "%s.log", t->name);
	CHECK(path_in(t->log, s->out, name));
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

static bool find_cases(struct suite *s, struct error *err)
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

static void become(const struct suite *s, const struct test_case *t)
{
	const char *argv[16] = {"parterre"};
	int n = 1, fd;

	fd = open(t->log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
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

static void begin(struct suite *s, struct test_case *t)
{
	t->began = host_seconds();
	t->begun = true;
	fflush(NULL);
	t->pid = fork();
	CHECK_MSG(t->pid >= 0, "the host has no process left");
	if (!t->pid)
		become(s, t);
}

/* Waits for one to end.  A child may be none of ours: who started us by exec
 * may have left one. */
static void reap(struct suite *s)
{
	struct test_case *t = NULL;
	int status;

	while (!t) {
		pid_t pid = waitpid(-1, &status, 0);

		CHECK_MSG(pid > 0 || errno == EINTR, "a test is not a child");
		for (size_t i = 0; i < s->count; i++)
			if (s->test[i].pid == pid)
				t = &s->test[i];
	}
	t->pid = 0;
	t->seconds = host_seconds() - t->began;
	t->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_HOST;
	s->ended++;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%zu of %zu, %.1f s: %s: status %d\n", s->ended,
			s->count, t->seconds, t->name, t->status);
}

static void run_all(struct suite *s)
{
	long running = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (running == s->jobs) {
			reap(s);
			running--;
		}
		begin(s, &s->test[i]);
		running++;
	}
	while (running--)
		reap(s);
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

static const char *update_one(const struct test_case *t, struct error *err)
{
	char *made = golden_read(t->made, err), *was = NULL;
	const char *what = "updated";

	if (!made)
		return NULL;
	if (t->has_golden)
		was = golden_read(t->golden, err);
	if (was && strcmp(was, made) == 0) {
		what = "as it was";
	} else {
		if (was)
			show_difference(t->golden, t->made);
		else
			what = "new";
		if (!golden_write(t->golden, made, err))
			what = NULL;
	}
	free(was);
	free(made);
	return what;
}

/* --- reports --- */

static void show_log(const struct test_case *t)
{
	FILE *f = fopen(t->log, "r");
	char line[2048];

	printf("--- %s: status %d\n", t->name, t->status);
	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	if (f)
		fclose(f);
}

static void put_xml(FILE *to, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", to);
		else if (c == '>')
			fputs("&gt;", to);
		else if (c == '&')
			fputs("&amp;", to);
		else if (c == '"')
			fputs("&quot;", to);
		else if ((c >= ' ' && c <= '~') || c == '\n')
			putc(c, to);
		else
			putc('?', to);
	}
}

static void put_case(FILE *to, const struct test_case *t)
{
	FILE *log = t->status ? fopen(t->log, "r") : NULL;
	char line[2048];

	fprintf(to, "  <testcase classname=\"parterre\" name=\"");
	put_xml(to, t->name);
	fprintf(to, "\" time=\"%.3f\"", t->seconds);
	if (!t->status) {
		fprintf(to, "/>\n");
		return;
	}
	fprintf(to, ">\n    <failure message=\"status %d\">", t->status);
	while (log && fgets(line, sizeof(line), log))
		put_xml(to, line);
	fprintf(to, "</failure>\n  </testcase>\n");
	if (log)
		fclose(log);
}

static bool write_junit(const struct suite *s, size_t failed, double seconds,
			struct error *err)
{
	FILE *to = fopen(s->junit, "w");

	if (to) {
		fprintf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<testsuite name=\"");
		put_xml(to, s->dir);
		fprintf(to,
			"\" tests=\"%zu\" failures=\"%zu\" time=\"%.3f\">\n",
			s->count, failed, seconds);
		for (size_t i = 0; i < s->count; i++)
			put_case(to, &s->test[i]);
		fprintf(to, "</testsuite>\n");
	}
	return (to && fclose(to) == 0) ||
	       error_set(err, EXIT_HOST, "%s: cannot be written: %s", s->junit,
			 strerror(errno));
}

/* The first status that is not 0, so that one failure tells its own kind. */
static int report(struct suite *s, double seconds, struct error *err)
{
	size_t failed = 0;
	int status = EXIT_HELD;

	for (size_t i = 0; i < s->count; i++) {
		if (s->test[i].status)
			show_log(&s->test[i]);
	}
	printf("%-32s %-12s %6s %8s\n", "scenario", "golden", "status",
	       "seconds");
	for (size_t i = 0; i < s->count; i++) {
		struct test_case *t = &s->test[i];
		const char *golden = t->has_golden ? "checked" : "none";

		if (s->update && !t->status)
			golden = update_one(t, err);
		if (!golden)
			return complain("test", err);
		printf("%-32s %-12s %6d %8.2f\n", t->name, golden, t->status,
		       t->seconds);
		failed += t->status != 0;
		if (!status)
			status = t->status;
	}
	printf("%zu scenarios, %zu failed, %.2f s\n", s->count, failed,
	       seconds);
	if (s->junit && !write_junit(s, failed, seconds, err))
		return complain("test", err);
	return status;
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

static bool take(struct suite *s, int option)
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
		return s->only_count < ONLY_MAX;
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

static bool make_dirs(struct suite *s, struct error *err)
{
	if (s->golden ? snprintf(s->golden_dir, PATH_MAX, "%s", s->golden) >=
				PATH_MAX
		      : !path_in(s->golden_dir, s->dir, "golden"))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 s->dir);
	(void)mkdir("parterre.out", 0777);
	if (mkdir(s->out, 0777) < 0 && errno != EEXIST)
		return error_set(err, EXIT_HOST, "%s: cannot be made: %s",
				 s->out, strerror(errno));
	if (s->golden && !s->update && access(s->golden_dir, R_OK) < 0)
		return error_set(err, EXIT_USAGE,
				 "--golden %s: %s; --update makes it",
				 s->golden_dir, strerror(errno));
	if (s->update && mkdir(s->golden_dir, 0777) < 0 && errno != EEXIST)
		return error_set(err, EXIT_HOST, "%s: cannot be made: %s",
				 s->golden_dir, strerror(errno));
	return true;
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
	static struct suite s;
	struct error err = {0};
	double began = host_seconds();
	int option;

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
	return report(&s, host_seconds() - began, &err);
}

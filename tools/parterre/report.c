/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/report.c - parterre report: gathers what a run left. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/seen/progress.h"
#include "tools/parterre/parterre.h"
#include "tools/parterre/report.h"

static const char help[] =
	"usage: parterre report [-o FILE] RUN\n"
	"Writes one HTML file about a run: who had which CPU when, what came "
	"of each\n"
	"fault, where the time went, how long requests took, what was "
	"expected, how to\n"
	"run it again.  RUN is the directory that the run left "
	"(parterre.out/NAME).\n"
	"  -o FILE   where it goes (RUN/report.html)\n";

/* What a text file holds, at most this much from its end; NULL: there is none.
 */
#define TEXT_MAX (1 << 20)

static char *read_text(const char *dir, const char *name)
{
	char path[PATH_MAX];
	char *text;
	FILE *f = path_in(path, dir, name) ? fopen(path, "r") : NULL;
	size_t n;

	if (!f)
		return NULL;
	if (fseek(f, -(long)TEXT_MAX, SEEK_END))
		rewind(f); /* it is shorter */
	text = malloc(TEXT_MAX + 1);
	CHECK_MSG(text, "out of memory for %s", path);
	n = fread(text, 1, TEXT_MAX, f);
	fclose(f);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!text[i])
			text[i] = '.';
	}
	return text;
}

/* If it left any. */
static bool read_cycles(struct report_machine *m, const char *dir,
			struct error *err)
{
	char path[PATH_MAX];

	if (!path_in(path, dir, "cycles.txt") || access(path, F_OK))
		return true;
	return cycles_read(&m->cycles, dir, err);
}

static bool read_story(struct report_machine *m, const char *dir, ps_t end,
		       struct error *err)
{
	char path[PATH_MAX];
	struct trace_reader *reader;
	struct trace_record r;
	int state;

	if (!path_in(path, dir, "trace"))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 dir);
	reader = trace_open(path, err);
	if (!reader)
		return false;
	trace_plain(reader);
	m->story = story_create(REPORT_SPANS_MAX, false);
	while ((state = trace_next(reader, &r, err)) == 1) {
		progress_trace("reading the trace", reader);
		story_note(m->story, &r);
	}
	progress_end();
	trace_reader_close(reader);
	if (m->story->any)
		story_until(m->story, end);
	m->console = read_text(dir, "console.txt");
	return state == 0 && read_cycles(m, dir, err);
}

static bool gather(struct report *r, struct error *err)
{
	char dir[PATH_MAX];

	if (!result_read(&r->result, r->dir, err))
		return false;
	if (!r->result.trace_digest[0])
		return error_set(err, EXIT_USAGE,
				 "%s: the run left no trace; run it again "
				 "without --trace none",
				 r->dir);
	r->scenario = read_text(r->dir, "scenario.lua");
	r->command = read_text(r->dir, "command");
	r->machine_count = r->result.machine_count + 1;
	if (r->machine_count > SESSION_MACHINES_MAX)
		return error_set(err, EXIT_USAGE,
				 "%s/result: names more than %d machines",
				 r->dir, SESSION_MACHINES_MAX);
	snprintf(r->machine[0].name, sizeof(r->machine[0].name), "%s",
		 r->result.first);
	if (!read_story(&r->machine[0], r->dir, r->result.end, err))
		return false;
	for (size_t i = 1; i < r->machine_count; i++) {
		struct report_machine *m = &r->machine[i];

		snprintf(m->name, sizeof(m->name), "%s",
			 r->result.machine[i - 1]);
		if (!path_in(dir, r->dir, m->name))
			return error_set(err, EXIT_USAGE,
					 "%s: the path is too long", r->dir);
		if (!read_story(m, dir, r->result.end, err))
			return false;
	}
	return true;
}

static bool write_page(struct report *r, const char *path, struct error *err)
{
	FILE *f = fopen(path, "w");
	bool ok;

	if (!f)
		return error_set(err, EXIT_USAGE,
				 "%s: %s; give a file that can be written (-o)",
				 path, strerror(errno));
	report_page(f, r);
	ok = !ferror(f);
	if (fclose(f) || !ok)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	return true;
}

static void forget(struct report *r)
{
	for (size_t i = 0; i < r->machine_count; i++) {
		story_free(r->machine[i].story);
		free(r->machine[i].console);
		cycles_free(&r->machine[i].cycles);
	}
	free(r->scenario);
	free(r->command);
}

int main_report(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	static struct report r;
	char path[PATH_MAX];
	const char *to = NULL;
	struct error err = {0};
	int option, status = EXIT_HELD;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (option == 'h') {
			printf("%s", help);
			return EXIT_HELD;
		}
		if (option != 'o')
			return usage_error("report",
					   "%s: no such option, or its "
					   "argument is missing",
					   argv[optind - 1]);
		to = optarg;
	}
	if (argc - optind != 1)
		return usage_error("report", "%d operands, wanted 1",
				   argc - optind);
	r.dir = argv[optind];
	if (!to && path_in(path, r.dir, "report.html"))
		to = path;
	if (!to || !gather(&r, &err) || !write_page(&r, to, &err))
		status = to ? complain("report", &err)
			    : usage_error("report", "%s: the path is too long",
					  r.dir);
	else
		printf("%s\n", to);
	forget(&r);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session.c - a session's beginning, its directory, its end. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"
#include "sim/trace/trace.h"

void session_name(const char *scenario, char *name, size_t bytes)
{
	const char *base = strrchr(scenario, '/');
	size_t n;

	base = base ? base + 1 : scenario;
	n = strlen(base);
	if (n > 4 && strcmp(base + n - 4, ".lua") == 0)
		n -= 4;
	snprintf(name, bytes, "%.*s", (int)n, base);
}

/* --- the directory --- */

static bool make_dir(const char *path, struct error *err)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1;; p++) {
		bool end = !*p;

		if (!end && *p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return error_set(err, EXIT_HOST,
					 "%s: cannot make the directory: %s; "
					 "give another by --out DIR",
					 part, strerror(errno));
		if (end)
			return true;
		*p = '/';
	}
}

/* One word of a shell's line, whatever is in it. */
static void put_word(FILE *f, const char *text)
{
	fputs(" '", f);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", f);
		else
			fputc(*text, f);
	}
	fputc('\'', f);
}

/* Repeats the run from wherever it is called; more options may follow. */
static bool write_command(struct session *s, struct error *err)
{
	const struct session_options *o = &s->options;
	char path[PATH_MAX], here[PATH_MAX], program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	FILE *f;

	program[n > 0 ? n : 0] = '\0';
	if (!session_join(path, s->out, "command", err))
		return false;
	if (!getcwd(here, sizeof(here)))
		return error_set(err, EXIT_HOST,
				 "the folder that this is called in is gone: "
				 "%s; call it in another",
				 strerror(errno));
	f = fopen(path, "w");
	if (!f)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	fputs("cd --", f);
	put_word(f, here);
	fputs(" && exec", f);
	put_word(f, program);
	fputs(" run", f);
	put_word(f, o->scenario);
	fputs(" --images", f);
	put_word(f, o->images);
	if (o->seed_given)
		fprintf(f, " --seed %" PRIu64, o->seed);
	if (o->pieces)
		fprintf(f, " --pieces %" PRIu64, o->pieces);
	if (o->classes == TRACE_CLASS_PARTITION)
		fprintf(f, " --trace partition");
	else if (!o->classes)
		fprintf(f, " --trace none");
	if (o->until)
		fprintf(f, " --until %" PRIu64 "ps", o->until);
	fprintf(f, " \"$@\"\n");
	fclose(f);
	return true;
}

/* What an earlier run left would pass for this one's.  The disk stays until
 * it is known that the new one is not a copy of it. */
static bool remove_old(struct session *s, struct error *err)
{
	static const char *const files[] = {"console.txt", "trace/metadata",
					    "trace/stream"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (!session_join(path, s->out, files[i], err))
			return false;
		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
			return error_set(err, EXIT_HOST,
					 "%s: cannot be replaced: %s; give "
					 "another folder by --out DIR",
					 path, strerror(errno));
	}
	return true;
}

bool session_open(struct session *s, const struct session_options *o,
		  struct error *err)
{
	char name[256], path[PATH_MAX];

	memset(s, 0, sizeof(*s));
	s->options = *o;
	s->contained = true;
	s->cut = o->pieces;
	session_name(o->scenario, name, sizeof(name));
	if (o->out)
		snprintf(s->out, sizeof(s->out), "%s", o->out);
	else
		snprintf(s->out, sizeof(s->out), "parterre.out/%s", name);
	if (!make_dir(s->out, err) ||
	    !session_join(path, s->out, "scenario.lua", err) ||
	    (!session_same_file(o->scenario, path) &&
	     !session_copy_file(o->scenario, path, err)) ||
	    !remove_old(s, err) || !write_command(s, err) ||
	    !session_join(path, s->out, "console.txt", err))
		return false;
	s->console = fopen(path, "wb");
	return s->console ||
	       error_set(err, EXIT_HOST, "%s: cannot be written: %s", path,
			 strerror(errno));
}

/* --- the end --- */

bool session_finish(struct session *s, struct error *err)
{
	bool ok = true;

	if (s->options.live)
		fprintf(stderr, "\r\033[K");
	if (s->machine) {
		partition_view_look(s->view);
		s->contained = partition_view_check(s->view, &s->violation);
		s->end = machine_now(s->machine);
		s->retired = machine_retired(s->machine);
		s->chain = machine_chain(s->machine);
		s->digest = machine_digest(s->machine);
		partition_view_destroy(s->view);
		machine_destroy(s->machine);
		s->machine = NULL;
		s->view = NULL;
	}
	if (s->trace) {
		s->trace_digest = trace_digest(s->trace);
		s->trace_count = trace_count(s->trace);
		ok = trace_close(s->trace, err);
		s->trace = NULL;
	}
	if (s->console && fclose(s->console) != 0 && ok)
		ok = error_set(err, EXIT_HOST,
			       "%s/console.txt: cannot be written: %s", s->out,
			       strerror(errno));
	s->console = NULL;
	return ok;
}

void session_close(struct session *s)
{
	struct error ignored;

	/* Whoever wants to know has finished it before. */
	if (!session_finish(s, &ignored))
		CHECK(ignored.code != EXIT_HELD);
	for (size_t i = 0; i < s->line_count; i++)
		free(s->line[i].text);
	free(s->line);
	free(s->sample);
	s->line = NULL;
	s->sample = NULL;
	s->line_count = s->sample_count = 0;
}

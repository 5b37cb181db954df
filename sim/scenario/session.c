/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session.c - a session's beginning, its directory, its end. */
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/digest.h"
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
bool session_write_command(struct session *s, struct error *err)
{
	const struct session_options *o = &s->options;
	char path[PATH_MAX], here[PATH_MAX], program[PATH_MAX];
	char input[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	FILE *f;

	program[n > 0 ? n : 0] = '\0';
	if (!session_join(path, s->out, "command", err) ||
	    !session_join(input, s->out, "input.txt", err))
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
	if (o->firmware) {
		fputs(" --firmware", f);
		put_word(f, o->firmware);
	}
	if (o->timing_given)
		fprintf(f, " --timing %s", timing_model_name[o->timing]);
	if (o->profile) {
		fputs(" --profile", f);
		put_word(f, o->profile);
	}
	for (size_t i = 0; i < o->parameter_count; i++) {
		fputs(" --set", f);
		put_word(f, o->parameter[i]);
	}
	for (size_t i = 0; i < o->plan_count; i++) {
		fputs(" --inject", f);
		put_word(f, o->plan[i]);
	}
	if (o->pieces)
		fprintf(f, " --pieces %" PRIu64, o->pieces);
	if (o->snapshots)
		fprintf(f, " --snapshots %" PRIu64, o->snapshots);
	if (o->classes_given)
		fprintf(f, " --trace %s", session_classes_text(o->classes));
	for (size_t i = 0; i < o->select_count; i++) {
		fprintf(f, " --trace-%s", o->select[i].what);
		put_word(f, o->select[i].arg);
	}
	if (o->until)
		fprintf(f, " --until %" PRIu64 "ps", o->until);
	if (o->cycles)
		fputs(" --cycles", f);
	if (o->cycles && (o->cycles_from || o->cycles_to))
		fprintf(f, "=%" PRIu64 "ps..", o->cycles_from);
	if (o->cycles && o->cycles_to)
		fprintf(f, "%" PRIu64 "ps", o->cycles_to);
	if (s->interactive || s->hands) {
		fputs(" --input", f);
		put_word(f, input);
	}
	fprintf(f, " \"$@\"\n");
	fclose(f);
	return true;
}

/* What an earlier run left would pass for this one's.  The disk stays until
 * it is known that the new one is not a copy of it. */
static bool remove_old(struct session *s, struct error *err)
{
	static const char *const files[] = {
		"console.txt",  "console1.txt", "input.txt",
		"programs",     "result",       "trace/metadata",
		"trace/stream", "trace/.deep",  "cycles.txt"};
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

/* Two runs in one folder would mix what they write.  Processes of a debugger's
 * past, which have it too, may end a moment after their run. */
static bool take_folder(struct session *s, struct error *err)
{
	const struct timespec moment = {0, 50000000};

	s->folder = open(s->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; s->folder >= 0; i++) {
		if (flock(s->folder, LOCK_EX | LOCK_NB) == 0 ||
		    errno != EWOULDBLOCK)
			break; /* a file system without locks has none */
		if (i == 20)
			return error_set(err, EXIT_USAGE,
					 "%s: another run is under way in this "
					 "folder; wait for its end, or give "
					 "another by --out DIR",
					 s->out);
		nanosleep(&moment, NULL);
	}
	return true;
}

bool session_open(struct session *s, const struct session_options *o,
		  struct error *err)
{
	char name[256], path[PATH_MAX];

	memset(s, 0, sizeof(*s));
	s->options = *o;
	s->first = s;
	s->folder = -1;
	s->contained = s->conforms = true;
	net_switch_defaults(&s->net_config);
	s->cut = o->pieces;
	session_watch_begin(s);
	session_name(o->scenario, name, sizeof(name));
	if (o->out)
		snprintf(s->out, sizeof(s->out), "%s", o->out);
	else
		snprintf(s->out, sizeof(s->out), "parterre.out/%s", name);
	/* It may be the one that this run replaces. */
	if (o->input) {
		s->options.replays = true;
		if (!session_inputs_read(&s->options.replay, o->input, err))
			return false;
	}
	return session_make_dir(s->out, err) && take_folder(s, err) &&
	       session_join(path, s->out, "scenario.lua", err) &&
	       (session_same_file(o->scenario, path) ||
		session_copy_file(o->scenario, path, err)) &&
	       remove_old(s, err) && session_write_command(s, err) &&
	       session_console_open(s, err);
}

bool session_is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strlen(name);

	return n && n < SESSION_NAME_BYTES && strspn(name, letters) == n &&
	       strcmp(name, "trace") != 0;
}

static bool may_add(const struct session *first, const char *name,
		    struct error *err)
{
	unsigned count = 0;

	if (!session_is_name(name))
		return error_set(err, EXIT_USAGE,
				 "'%s' is no name for a further machine: give "
				 "machine{} a name of 1 to %u of a-z, 0-9, - "
				 "and _",
				 name, SESSION_NAME_BYTES - 1);
	if (session_now(first))
		return error_set(err, EXIT_USAGE,
				 "machine %s comes too late: all machines are "
				 "described before the first one runs",
				 name);
	for (const struct session *m = first; m; m = m->next, count++) {
		if (strcmp(m->name, name) == 0)
			return error_set(err, EXIT_USAGE,
					 "a machine is called %s already; give "
					 "the other another name",
					 name);
	}
	return count < SESSION_MACHINES_MAX ||
	       error_set(err, EXIT_USAGE, "a scenario has at most %u machines",
			 SESSION_MACHINES_MAX);
}

struct session *session_add(struct session *first, const char *name,
			    struct error *err)
{
	struct session *s, **last = &first->next;

	if (!may_add(first, name, err))
		return NULL;
	s = calloc(1, sizeof(*s));
	CHECK(s);
	s->options = first->options;
	s->first = first;
	s->folder = -1;
	s->contained = s->conforms = true;
	snprintf(s->name, sizeof(s->name), "%s", name);
	if (!session_join(s->out, first->out, name, err) ||
	    !session_make_dir(s->out, err) || !remove_old(s, err) ||
	    !session_console_open(s, err)) {
		free(s);
		return NULL;
	}
	for (s->index = 1; *last; last = &(*last)->next)
		s->index++;
	*last = s;
	first->step = SESSION_STEP_PS;
	return s;
}

/* --- the end --- */

/* Whoever reads the trace wants symbols.  An image that cannot be told is not
 * missed before. */
static void write_programs(const struct session *s)
{
	char path[PATH_MAX];
	struct error ignored;
	FILE *f = session_join(path, s->out, "programs", &ignored)
			  ? fopen(path, "w")
			  : NULL;

	if (!f)
		return;
	for (uint32_t i = 0; i <= partition_view_count(s->view); i++) {
		const char *program = partition_view_program(s->view, i);

		if (program)
			fprintf(f, "%u %s %s\n", i,
				partition_view_name(s->view, i), program);
	}
	fclose(f);
}

static void finish_machine(struct session *s)
{
	if (s->view) { /* not if its kernel was not good */
		write_programs(s);
		partition_view_look(s->view);
		s->contained = partition_view_check(s->view, &s->violation);
		s->conforms = s->any_code || !s->contained ||
			      partition_view_conforms(s->view, &s->violation);
		s->opaque = partition_view_opaque(s->view);
	}
	s->off = s->stop == MACHINE_OFF;
	s->off_code = machine_off_code(s->machine);
	s->own.end = machine_now(s->machine);
	s->own.retired = machine_retired(s->machine);
	s->own.chain = machine_chain(s->machine);
	s->own.digest = machine_digest(s->machine);
	machine_trace_end(s->machine);
	partition_view_destroy(s->view);
	if (s->plugged)
		s->options.outside->unplug();
	s->plugged = false;
	machine_destroy(s->machine);
	s->machine = NULL;
	s->view = NULL;
}

static bool finish_one(struct session *s, struct error *err)
{
	bool ok = true;

	session_forget_all(s);
	if (s->machine && s->first->disks_apart)
		ok = session_media(s, false, err);
	if (s->machine && s->view && s->first->accounts && !s->first->accounted)
		ok = session_cycles(s, ok ? err : NULL) && ok;
	if (s->machine)
		finish_machine(s);
	if (s->trace) {
		s->own.trace_digest = trace_digest(s->trace);
		s->own.trace_count = trace_count(s->trace);
		s->own.deep_count = trace_deep_count(s->trace);
		ok = trace_close(s->trace, ok ? err : NULL) && ok;
		s->trace = NULL;
	}
	return session_console_close(s, ok ? err : NULL) && ok;
}

static void add_sum(struct session_sum *sum, const struct session_sum *own)
{
	if (own->end > sum->end)
		sum->end = own->end;
	sum->retired += own->retired;
	sum->trace_count += own->trace_count;
	sum->deep_count += own->deep_count;
	sum->chain = digest_fold(sum->chain, &own->chain, sizeof(own->chain));
	sum->digest =
		digest_fold(sum->digest, &own->digest, sizeof(own->digest));
	sum->trace_digest = digest_fold(sum->trace_digest, &own->trace_digest,
					sizeof(own->trace_digest));
}

bool session_finish(struct session *first, struct error *err)
{
	struct error unmet;
	bool met = session_select_met(first, &unmet), ok = true;

	if (first->options.live)
		fprintf(stderr, "\r\033[K");
	for (struct session *m = first; m; m = m->next)
		ok = finish_one(m, ok ? err : NULL) && ok;
	if (first->net) {
		ok = net_switch_capture_end(first->net, ok ? err : NULL) && ok;
		net_switch_destroy(first->net);
		first->net = NULL;
	}
	ok = session_input_end(first, ok ? err : NULL) && ok;
	session_plan_end(first);
	if (ok && !met)
		ok = error_set(err, unmet.code, "%s", unmet.text);
	first->sum = first->own;
	for (struct session *m = first->next; m; m = m->next)
		add_sum(&first->sum, &m->own);
	return ok;
}

static void forget(struct session *s)
{
	for (size_t i = 0; i < s->line_count; i++)
		free(s->line[i].text);
	free(s->line);
	free(s->sample);
	session_console_forget(s);
	session_inputs_free(&s->taken);
	expected_free(&s->expected);
	s->line = NULL;
	s->sample = NULL;
	s->line_count = s->sample_count = 0;
}

void session_close(struct session *first)
{
	struct error ignored;
	struct session *m;

	/* Whoever wants to know has finished it before. */
	if (!session_finish(first, &ignored))
		CHECK(ignored.code != EXIT_HELD);
	if (first->options.input)
		session_inputs_free(&first->options.replay);
	while ((m = first->next)) {
		first->next = m->next;
		forget(m);
		free(m);
	}
	forget(first);
	if (first->folder >= 0)
		close(first->folder);
	first->folder = -1;
}

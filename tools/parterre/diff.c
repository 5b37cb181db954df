/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff.c - parterre diff and check: where two traces part.
 *
 * Two events are the same if every field and the context (time, CPU, partition,
 * retired count) are.  The first that differs is shown from both sides, behind
 * the last that were the same.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/seen/progress.h"
#include "sim/trace/trace.h"
#include "tools/parterre/diff_again.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

#define CONTEXT 4 /* events before the difference */
#define LINE    512

static bool same(const struct trace_record *a, const struct trace_record *b)
{
	if (a->kind != b->kind || a->time != b->time || a->cpu != b->cpu ||
	    a->partition != b->partition || a->retired != b->retired)
		return false;
	for (unsigned i = 0; i < a->kind->field_count; i++) {
		if (a->kind->field[i].kind == TRACE_STR
			    ? strcmp(a->value[i].s, b->value[i].s) != 0
			    : a->value[i].u != b->value[i].u)
			return false;
	}
	return true;
}

struct side {
	const char *name, *dir;
	struct trace_reader *reader;
	struct trace_record record;
	int state; /* trace_next()'s */
};

static void show(const struct side *s)
{
	char line[LINE];

	progress_end();
	if (s->state == 1)
		trace_format(&s->record, line, sizeof(line));
	else
		snprintf(line, sizeof(line), "(the trace ends here)");
	printf("%-9s %s\n", s->name, line);
}

static bool advance(struct side *s, struct error *err)
{
	progress_trace("comparing", s->reader);
	s->state = trace_next(s->reader, &s->record, err);
	if (s->state != 1)
		progress_end();
	return s->state >= 0;
}

static int walk(struct side *a, struct side *b, struct error *err)
{
	static char past[CONTEXT][LINE];
	uint64_t n = 0;

	for (;; n++) {
		if (!advance(a, err) || !advance(b, err))
			return err->code;
		if (a->state == 0 && b->state == 0)
			return EXIT_HELD;
		if (a->state != b->state || !same(&a->record, &b->record))
			break;
		trace_format(&a->record, past[n % CONTEXT], LINE);
	}
	printf("event %" PRIu64 " is the first that differs:\n", n + 1);
	for (uint64_t i = n < CONTEXT ? 0 : n - CONTEXT; i < n; i++)
		printf("%-9s %s\n", "both", past[i % CONTEXT]);
	show(a);
	show(b);
	return EXIT_TRACE;
}

int compare_traces(const char *recorded, const char *fresh, struct error *err)
{
	struct side a = {.name = "recorded", .dir = recorded};
	struct side b = {.name = "fresh", .dir = fresh};
	int status;

	a.reader = trace_open(a.dir, err);
	if (!a.reader)
		return err->code;
	b.reader = trace_open(b.dir, err);
	/* What is executed differs with any image, see diff_code(). */
	trace_plain(a.reader);
	if (b.reader)
		trace_plain(b.reader);
	status = b.reader ? walk(&a, &b, err) : (int)err->code;
	trace_reader_close(a.reader);
	if (b.reader)
		trace_reader_close(b.reader);
	return status;
}

static int verdict(const char *command, int status, const struct error *err)
{
	if (status && status != EXIT_TRACE)
		return complain(command, err);
	return status;
}

static bool wants_help(int argc, char **argv, const char *help)
{
	if (argc != 2 || strcmp(argv[1], "--help") != 0)
		return false;
	printf("%s", help);
	return true;
}

static const char diff_help[] =
	"usage: parterre diff TRACE TRACE\n"
	"       parterre diff RECORDING RECORDING\n"
	"       parterre diff --run IMAGES IMAGES SCENARIO\n"
	"Of traces: the first event that differs; with class flow, the code "
	"that was\nexecuted and is not the same in both runs' programs; then "
	"the first difference\nthat matters, in what the partitions did, "
	"whenever they did it.\n"
	"Of recordings: bisects their chains of digests, runs both again with "
	"every\ninstruction of the interval in which they part, and names the "
	"first that does\nnot do the same and who wrote what it read.\n"
	"--run first runs the scenario with the images of either folder, and "
	"names also\nwho wrote the value that differs.\n"
	"Runs are left in parterre.out/diff.a and .b.  Status 6: they "
	"differ.\n";

static bool run_side(const struct diff_run *r, struct error *err)
{
	ps_t end;

	if (!diff_run_plain(r, TRACE_PLAIN | TRACE_CLASS_FLOW, &end, err))
		return false;
	printf("%s: %.6f ms\n", r->images, (double)end / (double)PS_PER_MS);
	return true;
}

/* The runs can be made again if `a` and `b` are given. */
static int diff_traces(const char *dir_a, const char *dir_b,
		       const struct diff_run *a, const struct diff_run *b)
{
	struct diff_origin of = {a ? a->images : NULL, a ? a->scenario : NULL};
	struct error err = {0};
	struct diff_parting p;
	int status = verdict("diff", compare_traces(dir_a, dir_b, &err), &err);
	bool found, good;

	if (status && status != EXIT_TRACE)
		return status;
	/* Code may differ and do the same. */
	if (!diff_code(dir_a, dir_b, &found, &err))
		return complain("diff", &err);
	if (!status)
		return found ? EXIT_TRACE : EXIT_HELD;
	if (diff_semantic(dir_a, dir_b, a ? &of : NULL, &p, &err))
		return complain("diff", &err);
	good = !p.is || !a || diff_causes(a, b, &p, &err);
	diff_parting_free(&p);
	return good ? status : complain("diff", &err);
}

/* A golden trace is; a trace is a folder. */
static bool is_file(const char *path)
{
	struct stat there;

	return stat(path, &there) == 0 ? !S_ISDIR(there.st_mode)
				       : strstr(path, ".golden") != NULL;
}

static const char not_both[] =
	"%s: both have to be traces, which are folders, or both recordings; a "
	"golden trace is held to a scenario by `parterre check`";

int main_diff(int argc, char **argv)
{
	struct error err = {0};
	struct diff_run a = {.out = "parterre.out/diff.a"};
	struct diff_run b = {.out = "parterre.out/diff.b"};
	bool differ;

	if (wants_help(argc, argv, diff_help))
		return EXIT_HELD;
	if (argc == 5 && strcmp(argv[1], "--run") == 0) {
		a.images = argv[2];
		b.images = argv[3];
		a.scenario = b.scenario = argv[4];
		if (!run_side(&a, &err) || !run_side(&b, &err))
			return complain("diff", &err);
		return diff_traces("parterre.out/diff.a/trace",
				   "parterre.out/diff.b/trace", &a, &b);
	}
	if (argc > 1 && argv[1][0] == '-')
		return usage_error("diff",
				   "%s: no such option, or --run without two "
				   "folders and a scenario",
				   argv[1]);
	if (argc != 3)
		return usage_error("diff",
				   "two traces or recordings are compared, %d "
				   "given",
				   argc - 1);
	if (!recording_is(argv[1]) || !recording_is(argv[2])) {
		for (int i = 1; i <= 2; i++) {
			if (is_file(argv[i]))
				return usage_error("diff", not_both, argv[i]);
		}
		return diff_traces(argv[1], argv[2], NULL, NULL);
	}
	a.recording = argv[1];
	b.recording = argv[2];
	if (!diff_recordings(&a, &b, &differ, &err))
		return complain("diff", &err);
	return differ ? EXIT_TRACE : EXIT_HELD;
}

static const char check_help[] =
	"usage: parterre check [OPTION...] TRACE|GOLDEN SCENARIO\n"
	"Runs the scenario and compares it with a recorded trace, event by "
	"event, or with\na golden trace, layer by layer; ends with status 6 "
	"and names the first\ndifference.\n";

static int check_trace(const char *recorded, const struct session *s,
		       bool quiet, struct error *err)
{
	char fresh[PATH_MAX];
	int status;

	if (!path_in(fresh, s->out, "trace"))
		return EXIT_USAGE;
	status = verdict("check", compare_traces(recorded, fresh, err), err);
	if (!status && !quiet)
		printf("%" PRIu64 " events, all the same\n",
		       s->sum.trace_count);
	return status;
}

static int check_golden(const char *path, const struct session *s,
			struct error *err)
{
	char *recorded = golden_read(path, err);
	char *fresh = recorded ? golden_make(s, err) : NULL;
	int status = fresh ? golden_compare(recorded, fresh)
			   : complain("check", err);

	free(recorded);
	free(fresh);
	return status;
}

/* A bad trace is told before the run. */
static bool readable(const char *trace, struct error *err)
{
	struct trace_reader *recorded = trace_open(trace, err);

	trace_reader_close(recorded);
	return recorded != NULL;
}

/* The run replaces what is in its folder: of a trace there, too, nothing would
 * be left to compare with but itself. */
static bool stays(const char *trace, const struct session_options *o,
		  struct error *err)
{
	char name[256], out[PATH_MAX], there[PATH_MAX], here[PATH_MAX];
	size_t n;

	session_name(o->scenario, name, sizeof(name));
	if (o->out)
		snprintf(out, sizeof(out), "%s", o->out);
	else
		snprintf(out, sizeof(out), "parterre.out/%s", name);
	if (!realpath(out, here) || !realpath(trace, there))
		return true;
	n = strlen(here);
	return strncmp(there, here, n) != 0 || there[n] != '/' ||
	       error_set(err, EXIT_USAGE,
			 "%s: the run would replace this trace; give it "
			 "another folder by --out DIR",
			 trace);
}

int main_check(int argc, char **argv)
{
	static struct session s;
	static struct oracle_report oracle;
	struct run_options o;
	struct error err = {0};
	int status, differ = EXIT_HELD;
	bool golden;

	if (!run_options_parse(&o, argc, argv, check_help, 2, &status))
		return status;
	golden = is_file(o.operand[0]);
	if (golden ? !golden_whole(o.operand[0], &err)
		   : !readable(o.operand[0], &err) ||
			     !stays(o.operand[0], &o.session, &err))
		return complain("check", &err);
	if (!o.session.classes)
		return usage_error("check", "--trace none leaves nothing to "
					    "compare");
	session_heed_signals(true);
	status = run_session(&s, &o.session, &oracle, &err);
	if (status)
		complain("check", &err);
	if (session_left_by())
		printf("left by a signal at %.6f ms; nothing is compared\n",
		       (double)s.sum.end / (double)PS_PER_MS);
	else if (s.sum.end)
		differ = golden ? check_golden(o.operand[0], &s, &err)
				: check_trace(o.operand[0], &s,
					      o.quiet || status, &err);
	session_close(&s);
	session_end_by_signal();
	return differ ? differ : status;
}

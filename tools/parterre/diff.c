/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff.c - parterre diff and check: where two traces part.
 *
 * Two events are the same if every field and the context (time, CPU, partition,
 * retired count) are.  The first that differs is shown from both sides, behind
 * the last that were the same.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/trace/trace.h"
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

	if (s->state == 1)
		trace_format(&s->record, line, sizeof(line));
	else
		snprintf(line, sizeof(line), "(the trace ends here)");
	printf("%-9s %s\n", s->name, line);
}

static bool advance(struct side *s, struct error *err)
{
	s->state = trace_next(s->reader, &s->record, err);
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

int main_diff(int argc, char **argv)
{
	struct error err = {0};

	if (wants_help(argc, argv,
		       "usage: parterre diff TRACE TRACE\n"
		       "Names the first event that differs, and ends with "
		       "status 6.\n"))
		return EXIT_HELD;
	if (argc != 3)
		return usage_error("diff", "two traces are compared, %d given",
				   argc - 1);
	return verdict("diff", compare_traces(argv[1], argv[2], &err), &err);
}

static const char check_help[] =
	"usage: parterre check [OPTION...] TRACE SCENARIO\n"
	"Runs the scenario and compares its trace with the recorded one; ends "
	"with\nstatus 6 and names the first event that differs.\n";

int main_check(int argc, char **argv)
{
	static struct session s;
	static struct oracle_report oracle;
	struct run_options o;
	struct error err = {0};
	struct trace_reader *recorded;
	char fresh[PATH_MAX];
	int status, differ;

	if (!run_options_parse(&o, argc, argv, check_help, 2, &status))
		return status;
	/* A bad trace is told before the run. */
	recorded = trace_open(o.operand[0], &err);
	if (!recorded)
		return complain("check", &err);
	trace_reader_close(recorded);
	if (!o.session.classes)
		return usage_error("check", "--trace none leaves nothing to "
					    "compare");
	status = run_session(&s, &o.session, &oracle, &err);
	if (status)
		complain("check", &err);
	if (s.sum.end && path_in(fresh, s.out, "trace")) {
		differ = verdict("check",
				 compare_traces(o.operand[0], fresh, &err),
				 &err);
		if (differ)
			status = differ;
		else if (!status && !o.quiet)
			printf("%" PRIu64 " events, all the same\n",
			       s.sum.trace_count);
	}
	session_close(&s);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/test_report.c - what came of `parterre test`: for people, and
 * as JUnit XML, of which Jenkins, GitLab and others read this much: a testsuite
 * with its counts; testcases with classname, name and time; of each at most one
 * failure (the run is not as it should be), error (it could not be told: a bad
 * scenario, golden trace or host) or skipped.
 */
#include <string.h>

#include "sim/text.h"
#include "sim/whole_file.h"
#include "tools/parterre/test_suite.h"

#define LINE 2048

enum verdict {
	HELD,
	FAILED,
	ERROR,
	SKIPPED
};

static enum verdict verdict_of(const struct test_case *t)
{
	switch (t->status) {
	case EXIT_HELD:
		return HELD;
	case TEST_NOT_RUN:
		return SKIPPED;
	case EXIT_USAGE:
	case EXIT_HOST:
		return ERROR;
	default:
		return FAILED;
	}
}

static const char *status_text(const struct test_case *t, char text[16])
{
	if (t->status == TEST_NOT_RUN)
		return "not run";
	snprintf(text, 16, "%d", t->status);
	return text;
}

/* --- for people --- */

static void show_log(const struct test_case *t)
{
	char line[LINE];

	printf("--- %s: status %d\n", t->name, t->status);
	if (!t->log)
		return;
	rewind(t->log);
	while (fgets(line, sizeof(line), t->log))
		fputs(line, stdout);
}

/* Columns of a terminal, of text in UTF-8. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

int test_report(const struct test_suite *s, double seconds)
{
	size_t many[SKIPPED + 1] = {0};
	int status = EXIT_HELD;
	char text[16];

	for (size_t i = 0; i < s->count; i++) {
		if (s->test[i].status > 0)
			show_log(&s->test[i]);
	}
	printf("%-32s %-12s %7s %8s\n", "scenario", "golden", "status",
	       "seconds");
	for (size_t i = 0; i < s->count; i++) {
		const struct test_case *t = &s->test[i];
		const char *golden = t->became       ? t->became
				     : t->has_golden ? "checked"
						     : "none";
		int pad = 32 - columns(t->name);

		if (verdict_of(t) == SKIPPED)
			golden = "-";
		printf("%s%*s %-12s %7s %8.2f\n", t->name, pad > 0 ? pad : 0,
		       "", golden, status_text(t, text), t->seconds);
		many[verdict_of(t)]++;
		if (!status && t->status > 0)
			status = t->status;
	}
	printf("%zu scenarios, %zu failed, ", s->count,
	       many[FAILED] + many[ERROR]);
	if (many[SKIPPED])
		printf("%zu not run, ", many[SKIPPED]);
	printf("%.2f s\n", seconds);
	return status;
}

/* --- for programs --- */

/* The line that says why, if it is said: the layer, or the last one. */
static void put_message(FILE *to, const struct test_case *t)
{
	char line[LINE], why[LINE] = "";
	bool found = false;

	rewind(t->log);
	while (!found && fgets(line, sizeof(line), t->log)) {
		line[strcspn(line, "\n")] = '\0';
		found = strstr(line, " differs first") != NULL;
		if (strncmp(line, "parterre ", 9) == 0 || found || !why[0])
			snprintf(why, sizeof(why), "%s", line);
	}
	fprintf(to, " message=\"status %d", t->status);
	if (why[0])
		fputs(": ", to);
	text_put_xml(to, why);
	fputs("\"", to);
}

static void put_case(FILE *to, const struct test_suite *s,
		     const struct test_case *t)
{
	static const char *const element[] = {"", "failure", "error"};
	enum verdict v = verdict_of(t);
	char line[LINE];

	fprintf(to, "  <testcase classname=\"");
	text_put_xml(to, s->dir);
	fprintf(to, "\" name=\"");
	text_put_xml(to, t->name);
	fprintf(to, "\" time=\"%.3f\"", t->seconds);
	if (v == HELD) {
		fprintf(to, "/>\n");
		return;
	}
	if (v == SKIPPED) {
		fprintf(to, ">\n    <skipped message=\"a signal ended the "
			    "test\"/>\n  </testcase>\n");
		return;
	}
	fprintf(to, ">\n    <%s type=\"status %d\"", element[v], t->status);
	put_message(to, t);
	fputs(">", to);
	rewind(t->log);
	while (fgets(line, sizeof(line), t->log))
		text_put_xml(to, line);
	fprintf(to, "</%s>\n  </testcase>\n", element[v]);
}

bool test_report_junit(const struct test_suite *s, double seconds,
		       struct error *err)
{
	static struct whole_file file;
	size_t many[SKIPPED + 1] = {0};

	for (size_t i = 0; i < s->count; i++)
		many[verdict_of(&s->test[i])]++;
	if (!whole_file_open(&file, s->junit, err))
		return false;
	fprintf(file.to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<testsuite name=\"");
	text_put_xml(file.to, s->dir);
	fprintf(file.to,
		"\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"skipped=\"%zu\" time=\"%.3f\">\n",
		s->count, many[FAILED], many[ERROR], many[SKIPPED], seconds);
	for (size_t i = 0; i < s->count; i++)
		put_case(file.to, s, &s->test[i]);
	fprintf(file.to, "</testsuite>\n");
	return whole_file_close(&file, err);
}

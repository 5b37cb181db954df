/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/test_suite.h - what `parterre test` knows of a folder's
 * scenarios: test.c runs them, test_report.c tells what came of it.
 */
#ifndef PARTERRE_TOOLS_TEST_SUITE_H
#define PARTERRE_TOOLS_TEST_SUITE_H

#include <stdio.h>
#include <sys/types.h>

#include "tools/parterre/parterre.h"

#define TEST_CASES_MAX 256
#define TEST_ONLY_MAX  32

/* Not begun, or left, when a signal ended the whole. */
#define TEST_NOT_RUN (-1)

struct test_case {
	char name[256];
	char scenario[PATH_MAX], golden[PATH_MAX], out[PATH_MAX];
	char recording[PATH_MAX], made[PATH_MAX];
	bool has_golden;
	const char *became; /* of its golden trace; NULL: nothing */
	FILE *log;  /* what it said; in memory, so that a full disk hides
		       nothing.  NULL: not begun */
	pid_t pid;  /* 0: not begun, or over */
	int status; /* an exit code, or TEST_NOT_RUN */
	double began, seconds;
};

struct test_suite {
	const char *dir, *golden, *out, *images, *junit;
	const char *only[TEST_ONLY_MAX];
	size_t only_count;
	bool update;
	long jobs;
	char golden_dir[PATH_MAX];
	size_t count, ended;
	struct test_case test[TEST_CASES_MAX];
};

/* Those that failed, in full; then the table.  Returns the first status that is
 * not 0, so that one failure tells its own kind. */
int test_report(const struct test_suite *s, double seconds);
/* False: *err. */
bool test_report_junit(const struct test_suite *s, double seconds,
		       struct error *err);

#endif

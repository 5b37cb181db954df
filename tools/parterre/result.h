/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/result.h - how a run ended, as it stands in its directory for
 * those who come later.
 *
 * The file `result`: "parterre-result 1", then a line "KEY VALUE" for each
 * field below that has a value, numbers in decimal, times in ps; "first NAME",
 * the first machine's, and "machine NAME" for each other; and for each line of
 * the scenario that expected something "expected held|failed COUNT FIRST LAST
 * LINE TEXT".  Nothing in it is of the host but the path of the scenario: equal
 * runs have equal results.
 */
#ifndef PARTERRE_TOOLS_RESULT_H
#define PARTERRE_TOOLS_RESULT_H

#include <limits.h>

#include "sim/scenario/session.h"
#include "tools/parterre/disk_oracle.h"

#define RESULT_TEXT_BYTES 1024

struct result_expected {
	bool failed;
	uint64_t count;
	ps_t first, last;
	unsigned line;
	char text[160];
};

struct result {
	char scenario[PATH_MAX]; /* as it was given */
	int status;
	char text[RESULT_TEXT_BYTES]; /* why it did not hold; one line */
	bool off;                     /* the guest switched itself off */
	uint64_t off_code, seed;
	uint64_t end, retired, events; /* end: ps */
	char digest[17], chain[17], trace_digest[17];
	bool judged; /* the disk was: */
	uint64_t lost, doubled, torn, misordered;
	char first[SESSION_NAME_BYTES]; /* empty: it has no name */
	size_t machine_count;           /* besides the first */
	char machine[SESSION_MACHINES_MAX][SESSION_NAME_BYTES];
	size_t expected_count;
	struct result_expected expected[EXPECTED_MAX];
};

/* Of a session that is finished, into its directory. */
bool result_write(const struct session *s, const struct oracle_report *oracle,
		  int status, const struct error *why,
		  struct error *err) MUST_USE;
/* EXIT_USAGE: there is none in `dir`, or it is not one. */
bool result_read(struct result *r, const char *dir, struct error *err) MUST_USE;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/scenario/shell.h - commands as a user types them. */
#ifndef PARTERRE_TESTS_SHELL_H
#define PARTERRE_TESTS_SHELL_H

#include <criterion/criterion.h>
#include <stdint.h>

#define PARTERRE  BUILD_DIR "/tools/parterre"
#define SCENARIOS SOURCE_DIR "/scenarios/"
#define CASES     SOURCE_DIR "/tests/scenario/"

struct output {
	int status;
	char text[1 << 16]; /* stdout and stderr, as they came; cut */
};

/* A printf-format for sh; %s operands are the tests' own paths. */
struct output *shell(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
/* A directory for this test's runs, empty. */
const char *scratch(void);
/* Fails the test unless the status is as wanted, and shows the output. */
void wants(const struct output *o, int status);
/* ... and unless the output has this text in it. */
void says(const struct output *o, const char *text);

/* A run's --json summary: the value behind "key": as text, or "". */
const char *json_value(const struct output *o, const char *key);

/* What two runs of the same must have in common. */
struct fingerprint {
	char chain[20], digest[20], trace[20];
};
struct fingerprint run_fingerprint(const char *command, const char *options,
				   const char *scenario);
void same_fingerprint(const struct fingerprint *a, const struct fingerprint *b);

#endif

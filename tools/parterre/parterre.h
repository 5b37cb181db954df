/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/parterre.h - the command: one file for each sub-command, one
 * line for each in main.c.
 *
 * A sub-command gets argv with its own name first and returns the exit status
 * (sim/status.h).  Errors are one line on stderr that names place and remedy.
 */
#ifndef PARTERRE_TOOLS_PARTERRE_H
#define PARTERRE_TOOLS_PARTERRE_H

#include "sim/scenario/session.h"
#include "sim/seen/show.h"
#include "tools/parterre/disk_oracle.h"

int main_run(int argc, char **argv);
int main_record(int argc, char **argv);
int main_replay(int argc, char **argv);
int main_sweep(int argc, char **argv);
int main_check(int argc, char **argv);
int main_test(int argc, char **argv);
int main_diff(int argc, char **argv);
int main_trace(int argc, char **argv);
int main_report(int argc, char **argv);
int main_calibrate(int argc, char **argv);
int main_oracle(int argc, char **argv);
int main_inspect(int argc, char **argv);
int main_debug(int argc, char **argv);
int main_snapshot(int argc, char **argv);

/* "parterre COMMAND: text" and the code. */
int complain(const char *command, const struct error *err);
int usage_error(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A run and the options that every command that runs has (options.c). */
struct run_options {
	struct session_options session;
	bool quiet, json;
	const char *gdb;           /* where gdb may come; NULL: nowhere */
	bool stopped;              /* -S */
	bool ui, window;           /* somebody watches */
	const char *window_script; /* NULL: its user does what is done */
	struct show_options show;
	const char *file; /* -o FILE, record alone */
	const char *operand[2];
	int operands;
};
extern const char run_options_help[];
/* Fills in the defaults; false after a message, *status is set (0: --help). */
bool run_options_parse(struct run_options *o, int argc, char **argv,
		       const char *help, int operands, int *status);
/* Where the images lie if nobody says: beside this program. */
const char *default_images(void);
/* By a program that has the commands that run, and a host outside on their
 * network (tests/outside), before it calls one: all runs have that host, and
 * `images` is where they lie if nobody says.  `program` is how it is called. */
void run_with_outside(const struct session_outside *outside, const char *images,
		      const char *program);
/* "parterre", or what it was called there. */
const char *run_program(void);

/* A whole run: scenario, end, verdicts.  *err is filled and its code returned
 * unless it held; the session stays open for a look at what it left. */
int run_session(struct session *s, const struct session_options *o,
		struct oracle_report *oracle, struct error *err);
/* Its summary, and why it failed. */
void run_tell(const struct session *s, const struct run_options *o,
	      const struct oracle_report *oracle, int status,
	      const struct error *err, const char *command);
bool path_in(char *to, const char *dir, const char *name);

/* record.c: is this file a recording?  Opens it: what the run's options have to
 * be, filled into *o but for images and out; checks that scenario and images
 * are those that were recorded.  NULL: it is not good (*err). */
bool recording_is(const char *path);
struct recording *recording_open(const char *path, struct session_options *o,
				 struct error *err);
void recording_close(struct recording *rec); /* NULL is fine */
/* The chain at multiples of SESSION_SAMPLE_PS, and in *end its last value and
 * the run's end; returns how many. */
size_t recording_samples(const struct recording *rec, const uint64_t **sample,
			 uint64_t *chain, ps_t *end);
/* The folder of the images that were recorded, for session_options; `dir` has
 * PATH_MAX bytes.  False: *err. */
bool recording_images(const char *path, char *dir, struct error *err);

/* summary.c */
void summary_text(const struct session *s, const struct oracle_report *o,
		  int status);
void summary_json(const struct session *s, const struct oracle_report *o,
		  int status);

/* diff.c: 0, or EXIT_TRACE after the first difference was printed; or another
 * code with *err. */
int compare_traces(const char *recorded, const char *fresh, struct error *err);

#endif

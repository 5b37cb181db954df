/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/main.c - finds the sub-command. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/parterre/parterre.h"

#define VERSION "0.1.0"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"run", main_run, "run a scenario and print its summary"},
	{"sweep", main_sweep, "a fault at every instant of a range"},
	{"record", main_record, "run a scenario and write a recording of it"},
	{"replay", main_replay, "run a recording again, bit for bit"},
	{"check", main_check,
	 "run a scenario and compare with a (golden) trace"},
	{"test", main_test, "check a folder's scenarios, in parallel"},
	{"diff", main_diff, "compare two traces"},
	{"trace", main_trace, "print or count the events of a trace"},
	{"report", main_report, "write an HTML page about a run"},
	{"oracle", main_oracle, "compare a disk image with a trace"},
	{"calibrate", main_calibrate, "fit a CPU profile to this host"},
	{"inspect", main_inspect, "show a machine at an instant"},
	{"debug", main_debug, "run under a debugger, forward and back"},
	{"snapshot", main_snapshot, "a machine into a file, and on from there"},
};

static void help(FILE *to)
{
	fprintf(to, "usage: parterre COMMAND [OPTION...] ...\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-9s  %s\n", commands[i].name,
			commands[i].summary);
	fprintf(to,
		"\n`parterre COMMAND --help` tells more.\n"
		"Exit status: 0 held, 1 expectation failed, 2 usage, 3 guest\n"
		"crashed, 4 liveness, 5 invariant, 6 trace differs, 7 host.\n");
}

/* What nobody could read was for nothing. */
static int all_said(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status)
		return status;
	fprintf(stderr, "parterre: standard output cannot be written: %s\n",
		strerror(errno));
	return EXIT_HOST;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		help(stdout);
		return EXIT_HELD;
	}
	if (strcmp(name, "--version") == 0) {
		printf("parterre " VERSION "\n");
		return EXIT_HELD;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return all_said(commands[i].main(argc - 1, argv + 1));
	}
	if (argc > 1)
		fprintf(stderr, "parterre: no command is called '%s'\n", name);
	help(stderr);
	return EXIT_USAGE;
}

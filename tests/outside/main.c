/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/outside/main.c - runs a scenario as `parterre run` does, with the host
 * outside on its network, and says what came of both.
 * usage: outside [--out DIR] [--set NAME=VALUE]... [--pieces N]
 *                [--send A.B.C.D PORT BYTES] SCENARIO
 *        outside run|sweep ...    as parterre's, with the host outside
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside.h"
#include "sim/scenario/script.h"
#include "tools/parterre/parterre.h"

static struct session session;
static struct session_options options = {.images = IMAGES, .outside = &outside};

static bool number(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, 10);
	return *text && !*end && *value <= most;
}

static bool take_send(char **argv)
{
	unsigned a, b, c, d;
	uint64_t port, bytes;

	if (!argv[0] || !argv[1] || !argv[2] ||
	    sscanf(argv[0], "%u.%u.%u.%u", &a, &b, &c, &d) != 4 ||
	    (a | b | c | d) > 255 || !number(argv[1], 65535, &port) ||
	    !number(argv[2], UINT64_MAX, &bytes))
		return false;
	outside_send(a << 24 | b << 16 | c << 8 | d, (uint16_t)port, bytes);
	return true;
}

static bool take_options(char **argv)
{
	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "--out") && argv[1]) {
			options.out = *++argv;
		} else if (!strcmp(*argv, "--set") && argv[1] &&
			   options.parameter_count < SESSION_PARAMETERS_MAX) {
			options.parameter[options.parameter_count++] = *++argv;
		} else if (!strcmp(*argv, "--pieces") && argv[1]) {
			if (!number(*++argv, UINT64_MAX, &options.pieces))
				return false;
		} else if (!strcmp(*argv, "--send")) {
			if (!take_send(argv + 1))
				return false;
			argv += 3;
		} else if (**argv == '-' || options.scenario) {
			return false;
		} else {
			options.scenario = *argv;
		}
	}
	return options.scenario;
}

static void say(const struct session *s)
{
	const struct outside_counts *c = &outside_counts;

	printf("outside: %" PRIu64 " connections, %" PRIu64 " taken, %" PRIu64
	       " wrong, %" PRIu64 " ended\n",
	       c->connections, c->taken, c->wrong, c->ended);
	printf("outside: %" PRIu64 " sent, %" PRIu64 " acknowledged, %s\n",
	       c->sent, c->acknowledged,
	       c->same ? "the other side has the same" : "nothing was said");
	printf("outside: %" PRIu64 " broken, %" PRIu64 " echoed\n", c->broken,
	       c->echoed);
	printf("digest %016" PRIx64 ", chain %016" PRIx64 "\n", s->sum.digest,
	       s->sum.chain);
}

int main(int argc, char **argv)
{
	struct error err = {0}, end = {0};
	int status = EXIT_HELD;

	run_with_outside(&outside, IMAGES, "outside");
	if (argc > 1 && !strcmp(argv[1], "run"))
		return main_run(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "sweep"))
		return main_sweep(argc - 1, argv + 1);
	if (argc < 2 || !take_options(argv)) {
		fputs("usage: outside [--out DIR] [--set NAME=VALUE] "
		      "[--pieces N] [--send A.B.C.D PORT BYTES] SCENARIO\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (!session_open(&session, &options, &err) ||
	    !script_run(&session, &err))
		status = err.code;
	if (!session_finish(&session, &end) && !status) {
		err = end;
		status = end.code;
	}
	if (status)
		fprintf(stderr, "outside: %s\n", err.text);
	else if (!session.contained)
		status = EXIT_INVARIANT;
	say(&session);
	session_close(&session);
	return status;
}

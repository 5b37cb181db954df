/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/snapshot.c - parterre snapshot: a machine into a file, and on
 * from there in another process.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/script.h"
#include "sim/snapshot.h"
#include "tools/parterre/parterre.h"

static const char help[] =
	"usage: parterre snapshot take --until TIME -o FILE [OPTION...] "
	"SCENARIO\n"
	"       parterre snapshot run [OPTION...] FILE SCENARIO\n"
	"       parterre snapshot list FILE...\n"
	"take: runs the scenario up to the instant and writes its machine, "
	"RAM, "
	"devices and\ndisks to FILE.  run: the scenario's machine{} stands "
	"where "
	"FILE's does, and the\nscenario goes on from there.  list: checks "
	"each, "
	"and tells of which machine it is.\n";

static int take(int argc, char **argv)
{
	static struct session s;
	struct run_options o;
	struct error err = {0}, end = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, help, 1, &status))
		return status;
	if (!o.file || !o.session.until)
		return usage_error("snapshot",
				   "take: --until TIME or -o FILE is missing");
	status = EXIT_HELD;
	if (!session_open(&s, &o.session, &err) || !script_run(&s, &err) ||
	    !s.machine || !session_save(&s, o.file, &err))
		status = complain("snapshot", &err);
	else if (!o.quiet)
		printf("%s: the machine at %.6f ms\n", o.file,
		       (double)machine_now(s.machine) / (double)PS_PER_MS);
	if (!session_finish(&s, &end) && !status)
		status = complain("snapshot", &end);
	session_close(&s);
	return status;
}

static int run(int argc, char **argv)
{
	static struct session s;
	static struct oracle_report oracle;
	struct run_options o;
	struct error err = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, help, 2, &status))
		return status;
	o.session.begin_from = o.operand[0];
	session_heed_signals(true);
	status = run_session(&s, &o.session, &oracle, &err);
	run_tell(&s, &o, &oracle, status, &err, "snapshot");
	session_close(&s);
	session_end_by_signal();
	return status;
}

static int list(int argc, char **argv)
{
	int status = EXIT_HELD;

	if (argc < 2)
		return usage_error("snapshot", "list: no file is given");
	for (int i = 1; i < argc; i++) {
		struct error err = {0};
		char *text = snapshot_describe_file(argv[i], &err);

		if (text)
			printf("%s: whole\n%s", argv[i], text);
		else
			status = complain("snapshot", &err);
		free(text);
	}
	return status;
}

int main_snapshot(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(int argc, char **argv);
	} all[] = {{"take", take}, {"run", run}, {"list", list}};

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("%s", help);
		return EXIT_HELD;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(all); i++) {
		if (strcmp(argv[1], all[i].name) == 0) {
			argv[1] = argv[0];
			return all[i].fn(argc - 1, argv + 1);
		}
	}
	return usage_error("snapshot", "take, run or list?");
}

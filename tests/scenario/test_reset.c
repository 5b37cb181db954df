/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel that resets the platform, as a user runs it: status 3 and the
 * reason, or the machine boots again and the run goes on. */
#include <stdio.h>

#include "shell.h"

#define GUESTS "--images " BUILD_DIR "/tests/guest "
#define RESET  CASES "reset.lua"

static const struct way {
	const char *name, *says;
} ways[] = {
	{"t", "triple fault on CPU 0, the machine shut down"},
	{"T", "triple fault on CPU 1, the machine shut down"},
	{"c", "the guest reset the machine, which ends the run; machine{"
	      "on_reset = \"reset\"} lets it boot again"},
	{"k", "the guest reset the machine"},
	{"a", "the guest reset the machine"},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

Test(reset, ends_the_run_with_status_3)
{
	for (size_t i = 0; i < WAYS; i++) {
		struct output *o =
			shell(PARTERRE " run --quiet --out %s/out " GUESTS
				       "--set way=%s " RESET "; status=$?; "
				       "cat %s/out/console.txt; exit $status",
			      scratch(), ways[i].name, scratch());

		wants(o, 3);
		says(o, "reset.lua:13: at 5.1");
		says(o, ways[i].says);
		says(o, "/out/console.txt");
		says(o, "boot 1\n");
	}
}

Test(reset, boots_again_and_goes_on_the_same_in_every_run)
{
	for (size_t i = 0; i < WAYS; i++) {
		char options[256];
		struct fingerprint a, b;

		snprintf(options, sizeof(options),
			 GUESTS "--set way=%s --set on_reset=reset",
			 ways[i].name);
		a = run_fingerprint(PARTERRE, options, RESET);
		b = run_fingerprint(PARTERRE, options, RESET);
		same_fingerprint(&a, &b);
		snprintf(options, sizeof(options),
			 GUESTS "--pieces 5 --set way=%s --set on_reset=reset",
			 ways[i].name);
		b = run_fingerprint(PARTERRE, options, RESET);
		same_fingerprint(&a, &b);
	}
}

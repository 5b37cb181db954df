/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/oracle.c - parterre oracle */
#include <string.h>

#include "tools/parterre/parterre.h"

int main_oracle(int argc, char **argv)
{
	static struct oracle_report report;
	struct error err = {0};

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("usage: parterre oracle IMAGE TRACE\n"
		       "Compares a raw disk image with the acknowledgements in "
		       "a trace: lost,\ndoubled, torn, out of order; ends with "
		       "status 5 if there is any.\n");
		return EXIT_HELD;
	}
	if (argc > 1 && argv[1][0] == '-')
		return usage_error("oracle", "%s: no such option", argv[1]);
	if (argc != 3)
		return usage_error(
			"oracle", "an image and a trace are compared, %d given",
			argc - 1);
	if (!disk_oracle(argv[1], argv[2], &report, &err))
		return complain("oracle", &err);
	oracle_print(&report, stdout);
	return oracle_holds(&report) ? EXIT_HELD : EXIT_INVARIANT;
}

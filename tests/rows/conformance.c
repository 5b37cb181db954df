/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S50 and S51: what does not virtualize, as it is executed. */
#include <stdio.h>

#include "rows.h"

Test(rows, s50_conformance_lens)
{
	static const char *const code[][2] = {
		{"smsw", "guest2 executes SMSW at 0x40"},
		{"pushf_popf", "guest2 executes PUSHF at 0x40"},
	};

	for (unsigned i = 0; i < 2; i++) {
		struct output *o = shell(
			PARTERRE " run --quiet --out %s/out --set code=%s " ROWS
				 "s51-sensitive.lua",
			scratch(), code[i][0]);

		wants(o, 5);
		says(o, "conformance: ");
		says(o, code[i][1]);
	}
}

/* Those that give a result go on unnoticed, the others end the guest. */
Test(rows, s51_one_of_them_harms_nobody)
{
	static const char *const code[] = {
		"sgdt",        "sidt",        "sldt",       "str",
		"smsw",        "lar",         "pushf_popf", "lsl",
		"verr",        "verw",        "prefixed",   "int",
		"mov_from_cs", "push_pop_fs", "far_ret",    "iret",
	};

	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		char options[80];

		snprintf(options, sizeof(options),
			 "--set conformance=false --set code=%s", code[i]);
		row_scenario_on(1U << i % 3, "s51-sensitive", options);
	}
}

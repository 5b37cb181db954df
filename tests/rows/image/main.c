/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/main.c - see probe.h. */
#include "probe.h"

struct control control;

void partition_main(void);

static void (*const rows[])(void) = {
	[4] = row_04,  [5] = row_05,  [16] = row_16, [21] = row_21,
	[22] = row_22, [23] = row_23, [25] = row_25, [28] = row_28,
	[30] = row_30, [32] = row_32, [40] = row_40, [41] = row_41,
	[42] = row_42, [43] = row_43, [44] = row_44, [45] = row_45,
	[47] = row_47, [53] = row_53, [54] = row_54, [55] = row_55,
	[62] = row_62, [63] = row_63, [64] = row_64, [65] = row_65,
	[66] = row_66, [70] = row_70, [72] = row_72, [81] = row_81,
};

void partition_main(void)
{
	uint64_t row = view_arg("row", 0);

	want(control_open(&control), "control channel");
	want(row < sizeof(rows) / sizeof(rows[0]) && rows[row], "no such row");
	rows[row]();
	end("PASS", "");
}

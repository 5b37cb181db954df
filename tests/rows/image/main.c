/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/main.c - see probe.h. */
#include "probe.h"

struct control control;

static uint64_t row;

extern const uint8_t image_end[];

void partition_main(void);

_Noreturn static void end(const char *verdict, const char *text)
{
	logf_("%s row %lu%s", verdict, row, text);
	log_drain();
	sys_exit(text[0] != '\0');
}

void want(bool ok, const char *text)
{
	static char line[160] = ": ";

	if (ok)
		return;
	for (size_t i = 0; i < sizeof(line) - 3 && text[i]; i++)
		line[2 + i] = text[i];
	end("FAIL", line);
}

void want_result(int64_t result, int64_t wanted, const char *call)
{
	if (result != wanted)
		logf_("%s: %ld, wanted %ld", call, result, wanted);
	want(result == wanted, call);
}

uint64_t free_page(unsigned n)
{
	return ((uintptr_t)image_end - PART_MEMORY_VA) / ABI_PAGE_BYTES + n;
}

void *page_at(uint64_t page)
{
	return (void *)(uintptr_t)(PART_MEMORY_VA + page * ABI_PAGE_BYTES);
}

void spin(uint64_t ns)
{
	uint64_t until = sys_time() + ns;

	while (sys_time() < until)
		;
}

static void (*const rows[])(void) = {
	[4] = row_04,  [5] = row_05,  [21] = row_21, [23] = row_23,
	[25] = row_25, [28] = row_28, [30] = row_30, [32] = row_32,
	[40] = row_40, [41] = row_41, [42] = row_42, [43] = row_43,
	[44] = row_44, [45] = row_45, [47] = row_47, [53] = row_53,
	[54] = row_54, [55] = row_55, [62] = row_62, [63] = row_63,
	[64] = row_64, [65] = row_65, [66] = row_66,
};

void partition_main(void)
{
	row = view_arg("row", 0);
	want(control_open(&control), "control channel");
	want(row < sizeof(rows) / sizeof(rows[0]) && rows[row], "no such row");
	rows[row]();
	end("PASS", "");
}

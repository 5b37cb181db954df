/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/support.c - see probe.h: what programs in all places need.
 */
#include "probe.h"

extern const uint8_t image_end[];

_Noreturn void end(const char *verdict, const char *text)
{
	logf_("%s row %lu%s", verdict, view_arg("row", 0), text);
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

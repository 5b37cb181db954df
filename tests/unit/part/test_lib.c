/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib: format, log, crc, view arguments. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

#include "lib/crc.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

TestSuite(lib, .init = support_reset);

#define SAME(...)                                                              \
	do {                                                                   \
		char ours[128], theirs[128];                                   \
		int n = format(ours, sizeof(ours), __VA_ARGS__);               \
                                                                               \
		cr_expect_eq(n,                                                \
			     snprintf(theirs, sizeof(theirs), __VA_ARGS__));   \
		cr_expect_str_eq(ours, theirs);                                \
	} while (0)

Test(lib, format_is_what_snprintf_says)
{
	SAME("plain, 100%%");
	SAME("%d %d %ld", -1, 2147483647, -9223372036854775807L - 1);
	SAME("%u %lu %zu", 0u, 18446744073709551615ul, (size_t)77);
	SAME("%x %lx %08x %16lx|", 255u, 0xdeadbeefcafeul, 0x1234u, 0xful);
	SAME("[%5d][%-5d][%05d][%05d]", 42, 42, 42, -42);
	SAME("[%s][%10s][%-10s][%.3s]", "abc", "abc", "abc", "abcdef");
	SAME("%c%c", 'x', 'y');
}

Test(lib, format_cuts_and_says_how_long_it_would_be)
{
	char text[8];

	cr_expect_eq(format(text, sizeof(text), "%s", "0123456789"), 10);
	cr_expect_str_eq(text, "0123456");
	cr_expect_eq(format(NULL, 0, "%d", 12345), 5);
}

Test(lib, crc_is_castagnoli)
{
	uint8_t zeros[32] = {0};

	/* RFC 3720, appendix B.4, and the usual check value. */
	cr_expect_eq(crc32c(0, zeros, sizeof(zeros)), 0x8a9136aa);
	cr_expect_eq(crc32c(0, "123456789", 9), 0xe3069283);
	cr_expect_eq(crc32c(crc32c(0, "12345", 5), "6789", 4), 0xe3069283);
}

Test(lib, a_full_log_keeps_lines_and_their_order)
{
	test_log_full = true;
	logf_("one %d", 1);
	logf_("two");
	cr_expect_not(log_flush());
	cr_expect_str_eq(test_log, "");
	test_log_full = false;
	logf_("three");
	cr_expect(log_flush());
	cr_expect_str_eq(test_log, "one 1\ntwo\nthree\n");
}

Test(lib, a_long_line_is_cut)
{
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	logf_("%s", text);
	cr_expect_eq(strlen(test_log), LOG_LINE_BYTES + 1);
}

Test(lib, arguments_are_words)
{
	str_field(test_view.args,
		  "stream=2 flush=16 ack=early slots=", sizeof(test_view.args));
	cr_expect_eq(view_arg("stream", 9), 2);
	cr_expect_eq(view_arg("flush", 9), 16);
	cr_expect_eq(view_arg("slots", 9), 9);
	cr_expect_eq(view_arg("lush", 9), 9);
	cr_expect(view_arg_word("ack=early"));
	cr_expect_not(view_arg_word("ack"));
	cr_expect_not(view_arg_word("early"));
}

Test(lib, frames_follow_the_extents)
{
	test_view.extents = 2;
	test_view.extent[0] = (struct view_extent){.pfn = 0x800, .frames = 512};
	test_view.extent[1] = (struct view_extent){.pfn = 0x400, .frames = 512};
	cr_expect_eq(view_frame(PART_MEMORY_VA), 0x800);
	cr_expect_eq(view_frame(PART_MEMORY_VA + 511 * 4096 + 5), 0x9ff);
	cr_expect_eq(view_frame(PART_MEMORY_VA + 512 * 4096), 0x400);
	cr_expect_eq(view_frame(PART_MEMORY_VA + 1024 * 4096), 0);
	cr_expect_eq(view_frame(PART_MEMORY_VA - 1), 0);
	cr_expect_eq(view_frames(), 1024);
}

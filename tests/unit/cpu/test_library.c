/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library's check at start: a known build passes, an unknown one must pass
 * the self-test, anything else is refused with the remedy. */
#include <criterion/criterion.h>
#include <string.h>

#include "cpu/unicorn/engine.h"
#include "cpu/unicorn/selftest.h"

static int asked;

static bool passes(void)
{
	asked++;
	return true;
}

static bool fails(void)
{
	asked++;
	return false;
}

Test(library, selftest_passes)
{
	cr_assert_eq(selftest_run(), 0, "selftest.c:%d", selftest_run());
}

Test(library, selftest_passes_in_a_child)
{
	cr_assert(selftest_in_child());
}

Test(library, known_build_is_not_tested)
{
	struct error err;

	asked = 0;
	cr_assert(library_trusted("f439d3d09a3fefbcc7d4014bd3f67c12d55957e6",
				  fails, &err));
	cr_assert_eq(asked, 0);
}

Test(library, unknown_build_must_pass_the_selftest)
{
	struct error err;

	cr_assert(library_trusted("00", passes, &err));
	cr_assert(!library_trusted("00", fails, &err));
	cr_assert_eq(asked, 2);
	cr_assert_eq(err.code, EXIT_HOST);
	cr_assert(strstr(err.text, "apt install libunicorn2"), "%s", err.text);
}

Test(library, names_what_it_found)
{
	struct error err;

	cr_assert(library_open(&err), "%s", err.text);
	cr_assert(strstr(cpu_engine_text(), "unicorn 2.0 build-id "));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates as text become seconds, and nothing else does. */
#include "sim/date.h"

#include <criterion/criterion.h>

static void expect(const char *text, uint64_t want)
{
	struct error err = {0};
	uint64_t seconds = 0;

	cr_expect(date_parse(text, &seconds, &err), "%s: %s", text, err.text);
	cr_expect_eq(seconds, want, "%s: %llu", text,
		     (unsigned long long)seconds);
}

Test(date, counts_from_1970)
{
	/* As `date -u -d TEXT +%s` says. */
	expect("2024-01-01 00:00:00", DATE_DEFAULT_SECONDS);
	expect("2024-01-01", DATE_DEFAULT_SECONDS);
	expect("1980-01-01 00:00:01", 315532801);
	expect("2000-02-29 12:34:56", 951827696);
	expect("2099-12-31 23:59:59", 4102444799);
}

Test(date, refuses_what_is_no_date)
{
	static const char *const bad[] = {
		"",
		"now",
		"1979-12-31",
		"2100-01-01",
		"2023-02-29",
		"2024-13-01",
		"2024-00-01",
		"2024-01-00",
		"24-01-01",
		"2024-1-1",
		"2024-01-01T00:00:00",
		"2024-01-01 24:00:00",
		"2024-01-01 00:60:00",
		"2024-01-01 00:00:60",
		"2024-01-01 00:00:00 ",
		"2024-01-01 00:00",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error err = {0};
		uint64_t seconds;

		cr_expect_not(date_parse(bad[i], &seconds, &err), "'%s'",
			      bad[i]);
		cr_expect_eq(err.code, EXIT_USAGE);
	}
}

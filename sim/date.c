/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/date.c - see date.h. */
#include "sim/date.h"

#include <stdio.h>
#include <string.h>

unsigned date_month_days(unsigned month, unsigned year)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && year % 4 == 0);
}

void date_next(struct date *d)
{
	if (++d->day <= date_month_days(d->month, d->year))
		return;
	d->day = 1;
	if (++d->month <= 12)
		return;
	d->month = 1;
	d->year++;
}

/* Exactly as many digits as the form shows. */
static bool digits(const char **at, unsigned count, unsigned *value)
{
	*value = 0;
	for (; count; count--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value = *value * 10 + (unsigned)(**at - '0');
	}
	return true;
}

static bool mark(const char **at, char c)
{
	return *(*at)++ == c;
}

static bool take(const char *at, struct date *d, unsigned *in_day)
{
	unsigned h = 0, m = 0, s = 0;

	if (!digits(&at, 4, &d->year) || !mark(&at, '-') ||
	    !digits(&at, 2, &d->month) || !mark(&at, '-') ||
	    !digits(&at, 2, &d->day))
		return false;
	if (*at && (!mark(&at, ' ') || !digits(&at, 2, &h) || !mark(&at, ':') ||
		    !digits(&at, 2, &m) || !mark(&at, ':') ||
		    !digits(&at, 2, &s) || *at))
		return false;
	*in_day = (h * 60 + m) * 60 + s;
	return h < 24 && m < 60 && s < 60;
}

bool date_parse(const char *text, uint64_t *seconds, struct error *err)
{
	struct date want, d = DATE_EPOCH;
	uint64_t days = 0;
	unsigned in_day;

	if (!take(text, &want, &in_day) || want.year < 1980 ||
	    want.year > 2099 || want.month < 1 || want.month > 12 ||
	    want.day < 1 || want.day > date_month_days(want.month, want.year))
		return error_set(err, EXIT_USAGE,
				 "date '%s': give \"2024-01-01 00:00:00\", "
				 "1980 to 2099",
				 text);
	for (;
	     d.year != want.year || d.month != want.month || d.day != want.day;
	     days++)
		date_next(&d);
	*seconds = days * DATE_DAY_SECONDS + in_day;
	return true;
}

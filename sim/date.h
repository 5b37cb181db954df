/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/date.h - dates of the Gregorian calendar from 1901 to 2099, where every
 * fourth year is a leap year.  UTC.
 */
#ifndef PARTERRE_SIM_DATE_H
#define PARTERRE_SIM_DATE_H

#include "sim/base.h"
#include "sim/status.h"

struct date {
	unsigned year, month, day; /* from 1 */
};

#define DATE_EPOCH                                                             \
	(struct date)                                                          \
	{                                                                      \
		1970, 1, 1                                                     \
	}
#define DATE_DAY_SECONDS 86400

/* 2024-01-01 00:00:00 in seconds from the epoch. */
#define DATE_DEFAULT_SECONDS UINT64_C(1704067200)

unsigned date_month_days(unsigned month, unsigned year);
void date_next(struct date *d);

/* "2024-01-01 00:00:00" (1980 to 2099; the time may be left out) to seconds
 * from the epoch. */
bool date_parse(const char *text, uint64_t *seconds, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run that is a number which grows: its past, gone back to and looked into,
 * and a file that it writes. */
#include "sim/debug/past.h"
#include "sim/status.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct past_mail mail, order;

static void away(void *owner)
{
	++*(unsigned *)owner;
}

/* Stands at `number`; true in one that has been told to go on. */
static bool stand(struct past *p, uint64_t number, unsigned *left)
{
	const struct past_place at = {.retired = number};

	return past_take(p, &at, &mail, away, left);
}

static bool say(const char *text)
{
	order.fd = -1;
	order.scout = false;
	order.bytes = strlen(text) + 1;
	strcpy(order.data, text);
	return true;
}

/* Writes 0 to 9 into the file, and stands before each. */
static _Noreturn void run(struct past *p, int file)
{
	static unsigned left, back;
	unsigned i = 0, end = 10;
	bool scout = false;
	unsigned answer[2] = {0};
	int heard;

	while (i < end) {
		char digit = (char)('0' + i);

		if (!scout && stand(p, i, &left)) {
			scout = mail.scout;
			end = scout ? i + 2 : 10;
			back = mail.data[0] == 'g' ? 1 : back;
		}
		if (write(file, &digit, 1) != 1)
			_exit(100);
		i++;
	}
	if (scout) {
		answer[0] = i;
		answer[1] = left;
		past_answer(&mail, answer, sizeof(answer));
	}
	if (back) { /* the second time here */
		i = (unsigned)past_count(p) + left;
		past_destroy(p);
		_exit((int)i);
	}
	/* One that stands at 4 looks as far as 6. */
	say("scout");
	heard = past_scout(p, 4, &order);
	while (past_heard(heard, answer, sizeof(answer), 1000) == 0)
		;
	close(heard);
	if (answer[0] != 6 || answer[1] != 1 || past_count(p) != 10)
		_exit(101);
	say("go");
	past_go(p, 7, &order);
	_exit(102);
}

Test(past, goes_back_and_leaves_no_mark)
{
	struct past *p = past_create();
	char path[] = "/tmp/parterre-past-XXXXXX", text[16] = "";
	int file = mkstemp(path), status;

	cr_assert(file >= 0);
	status = past_supervise(p);
	if (status < 0)
		run(p, file);
	/* All that stand before 7, its twin, and 8 and 9 again; it was left
	 * once for itself. */
	cr_expect_eq(status, 10 + 1, "%d", status);
	cr_expect_eq(pread(file, text, sizeof(text), 0), 10);
	cr_expect_str_eq(text, "0123456789");
	past_destroy(p);
	close(file);
	unlink(path);
}

static _Noreturn void run_long(struct past *p)
{
	static unsigned left;
	uint64_t last = 0, at;

	for (uint64_t i = 0; i < 1000; i++) {
		if (!stand(p, 1000 * i, &left))
			continue;
		last = past_at(p, past_count(p) - 1)->retired;
		past_destroy(p);
		_exit(last == 0 ? 7 : 8);
	}
	if (past_count(p) != PAST_MAX || past_at(p, 0)->retired)
		_exit(1);
	/* Dense now, sparse long ago. */
	for (size_t i = 0; i < PAST_MAX; i++) {
		at = past_at(p, i)->retired;
		if (i > PAST_MAX / 2 && at - last > 999000 - last)
			_exit(2);
		last = at;
	}
	if (last != 999000 || past_at(p, PAST_MAX - 4)->retired < 985000)
		_exit(3);
	say("go");
	past_go(p, 0, &order);
	_exit(4);
}

Test(past, keeps_what_is_near_and_the_first)
{
	struct past *p = past_create();
	int status = past_supervise(p);

	if (status < 0)
		run_long(p);
	cr_expect_eq(status, 7, "%d", status);
	past_destroy(p);
}

Test(past, the_status_is_that_of_the_run)
{
	struct past *p = past_create();
	int status = past_supervise(p);

	if (status < 0)
		abort();
	cr_expect_eq(status, EXIT_HOST);
	past_destroy(p);
}

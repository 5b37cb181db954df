/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy.c against docs/policy.md. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#include "command/policy.h"

static struct policy policy;
static struct policy_error error;

static bool parse(const char *text)
{
	return policy_parse(text, strlen(text), &policy, &error);
}

#define GUEST "guest g1 image guest blocks 1\n"
#define DISK  "disk g1 prefer io.a fallback io.b extent 0 64\n"

Test(policy, whole)
{
	cr_assert(parse("# a comment\n\n" GUEST
			"args g1 stream=1  records=400 # and another\n" DISK
			"schedule g1 quantum 500 weight 2\n"
			"heartbeat 300 misses 4\n"
			"on io-failure failover restart failback\r\n"
			"off when-guests-stop"),
		  "line %u: %s", error.line, error.text);
	cr_expect_eq(policy.guests, 1);
	cr_expect_str_eq(policy.guest[0].name, "g1");
	cr_expect_str_eq(policy.guest[0].image, "guest");
	cr_expect_str_eq(policy.guest[0].args, "stream=1  records=400");
	cr_expect_str_eq(policy.guest[0].preferred, "io.a");
	cr_expect_str_eq(policy.guest[0].fallback, "io.b");
	cr_expect_eq(policy.guest[0].extent_blocks, 64);
	cr_expect_eq(policy.schedule[0].quantum_us, 500);
	cr_expect_eq(policy.schedule[0].weight, 2);
	cr_expect_eq(policy.heartbeat_us, 300);
	cr_expect_eq(policy.misses, 4);
	cr_expect(policy.failover && policy.restart && policy.failback);
	cr_expect(policy.off);
}

Test(policy, defaults)
{
	cr_assert(parse(""));
	cr_expect_eq(policy.heartbeat_us, 250);
	cr_expect_eq(policy.misses, 2);
	cr_expect_not(policy.failover || policy.restart || policy.failback);
	cr_expect_not(policy.off);
}

Test(policy, errors_name_the_line_and_the_remedy)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} bad[] = {
		{"gest g1\n", 1, "unknown line: guest, args"},
		{"\n\nguest g1\n", 3, "write: guest NAME image MODULE"},
		{GUEST GUEST, 2, "choose another name"},
		{"guest g1 image guest blocks 0\n", 1, "a number, 1 to 64"},
		{"guest g1 image guest blocks 1x\n", 1, "a number, 1 to 64"},
		{"guest abcdefghijklmnop image guest blocks 1\n", 1,
		 "at most 15"},
		{"args g1 stream=1\n", 1, "a `guest` line has to come first"},
		{GUEST "args g1\n", 2, "write: args NAME WORD..."},
		{GUEST "args g1 a\nargs g1 b\n", 3, "in one line"},
		{DISK, 1, "a `guest` line has to come first"},
		{GUEST "disk g1 prefer io.a extent 0\n", 2, "write: disk"},
		{GUEST "disk g1 prefer io.a fallback io.a extent 0 1\n", 2,
		 "name two I/O partitions"},
		{GUEST DISK DISK, 3, "has a disk already"},
		{GUEST DISK "guest g2 image guest blocks 1\n"
			    "disk g2 prefer io.b extent 63 2\n",
		 4, "overlaps that of g1"},
		{"schedule x quantum 5 weight 1\n", 1, "10 to 1000000"},
		{"schedule x quantum 50 weight 1\nschedule x quantum 9 w 1\n",
		 2, "write: schedule"},
		{"heartbeat 100 misses 2\n", 1, "250 to 1000000"},
		{"on io-failure panic\n", 1, "failover, restart or failback"},
		{"off now\n", 1, "write: off when-guests-stop"},
		{"off \x80\n", 1, "plain ASCII"},
		{"on io-failure failback\n", 0, "add restart"},
		{GUEST, 0, "add a `disk` line"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_not(parse(bad[i].text), "%zu", i);
		cr_expect_eq(error.line, bad[i].line, "%zu: line %u", i,
			     error.line);
		cr_expect_not_null(strstr(error.text, bad[i].says),
				   "%zu: \"%s\" in \"%s\"", i, bad[i].says,
				   error.text);
	}
}

Test(policy, all_shipped_ones_are_good)
{
	static const char *const names[] = {"quickstart", "failover", "no-io-b",
					    "early-ack"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512], text[16384];
		size_t bytes;
		FILE *f;

		(void)snprintf(path, sizeof(path),
			       "%s/scenarios/policy/%s.policy",
			       PARTERRE_SOURCE_DIR, names[i]);
		f = fopen(path, "rb");
		cr_assert_not_null(f, "%s", path);
		bytes = fread(text, 1, sizeof(text), f);
		fclose(f);
		cr_expect(policy_parse(text, bytes, &policy, &error),
			  "%s:%u: %s", path, error.line, error.text);
		cr_expect_gt(policy.guests, 0);
	}
}

/* Nothing that can be written crashes it or leaves a string without an end. */
Test(policy, any_bytes_end_in_an_answer)
{
	static const char text[] = GUEST
		"args g1 a=1 b=2\n" DISK
		"schedule g1 quantum 500 weight 2\nheartbeat 300 misses 4\n"
		"on io-failure failover restart failback\n"
		"off when-guests-stop\n";
	uint64_t random = 7;

	for (unsigned i = 0; i < 100000; i++) {
		char *copy = malloc(sizeof(text));
		size_t bytes = sizeof(text) - 1;

		memcpy(copy, text, sizeof(text));
		for (unsigned n = test_random(&random) % 4 + 1; n > 0; n--)
			copy[test_random(&random) % bytes] =
				" \n#ag0x\x7f"[test_random(&random) % 8];
		bytes -= test_random(&random) % 20;
		if (policy_parse(copy, bytes, &policy, &error))
			cr_assert_leq(policy.guests, POLICY_GUESTS_MAX);
		else
			cr_assert_lt(strnlen(error.text, sizeof(error.text)),
				     sizeof(error.text));
		free(copy);
	}
}

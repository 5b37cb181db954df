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
	cr_expect_eq(policy.named[0].quantum_us, 500);
	cr_expect_eq(policy.named[0].standing, 2);
	cr_expect_eq(policy.heartbeat_us, 300);
	cr_expect_eq(policy.misses, 4);
	cr_expect(policy.on_failure.failover && policy.on_failure.restart &&
		  policy.failback);
	cr_expect(policy.off);
}

Test(policy, defaults)
{
	cr_assert(parse(""));
	cr_expect_eq(policy.heartbeat_us, 250);
	cr_expect_eq(policy.misses, 1);
	cr_expect_not(policy_acts(&policy.on_failure) || policy.failback);
	cr_expect_not(policy.off);
}

Test(policy, schedule_rules)
{
	const struct policy_named *n;

	cr_assert(parse(GUEST "guest g2 image spin blocks 2\n"
			      "cpu g1 1 dedicated\ncpu g2 2\ncpu io.a 0\n"
			      "weight g2 300\ncap g2 250\n"
			      "frame 2 g2 2000 shared 500\n"
			      "frame 0 shared 100\n"
			      "restart g1 3 times\nrestart io.b 0 times\n"
			      "after g2 g1 diagnostics\n"
			      "channel g1 console operations\n"
			      "device io.b 01:1f.7\n"
			      "on guest-failure restart\n"
			      "on operations-failure restart\n"),
		  "line %u: %s", error.line, error.text);
	n = policy_named(&policy, "g1");
	cr_assert_not_null(n);
	cr_expect(n->cpu == 2 && n->dedicated && n->bounded);
	cr_expect_eq(n->restarts, 3);
	n = policy_named(&policy, "g2");
	cr_assert_not_null(n);
	cr_expect(n->cpu == 3 && !n->dedicated && !n->bounded);
	cr_expect_eq(n->weight, 300);
	cr_expect_eq(n->cap, 250);
	cr_expect_eq(n->afters, 2);
	cr_expect_str_eq(n->after[0], "g1");
	cr_expect_str_eq(n->after[1], "diagnostics");
	cr_expect_null(policy_named(&policy, "operations"));
	cr_expect_eq(policy.frame[2].windows, 2);
	cr_expect_str_eq(policy.frame[2].window[0].name, "g2");
	cr_expect_eq(policy.frame[2].window[0].length_us, 2000);
	cr_expect_str_eq(policy.frame[2].window[1].name, "");
	cr_expect_eq(policy.frame[0].windows, 1);
	cr_expect_eq(policy.frame[1].windows, 0);
	cr_expect_eq(policy.channels, 1);
	cr_expect_str_eq(policy.channel[0].type, "console");
	cr_expect_eq(policy.devices, 1);
	cr_expect_eq(policy.device[0].bdf, 0x1ff);
	cr_expect(policy.restart_guests && policy.restart_operations &&
		  !policy.on_failure.restart);
}

Test(policy, what_becomes_of_io_partitions)
{
	const struct policy_rule *rule = &policy.on_complaint;

	cr_assert(parse(GUEST DISK "on io-failure failover stop\n"
				   "on guest-complaint failover\n"
				   "on guest-complaint restart\n"
				   "complaints 5000 guests 1 times 7\n"
				   "on dma-fault stop\n"),
		  "line %u: %s", error.line, error.text);
	cr_expect(policy.on_failure.failover && policy.on_failure.stop &&
		  !policy.on_failure.restart);
	cr_expect(rule->failover && rule->restart && !rule->stop);
	cr_expect_eq(policy.complaint_us, 5000);
	cr_expect_eq(policy.complainers, 1);
	cr_expect_eq(policy.complaints, 7);
	rule = &policy.on_dma_fault;
	cr_expect(!rule->failover && !rule->restart && rule->stop);
	cr_assert(parse(""));
	cr_expect_eq(policy.complaint_us, 1000000);
	cr_expect_eq(policy.complainers, 2);
	cr_expect_eq(policy.complaints, 4);
	cr_expect_not(policy_acts(rule));
}

/* Enough guests with disks, or somewhere to go. */
Test(policy, complaints_from_which_something_may_follow)
{
	cr_assert(parse(GUEST DISK "complaints 1000 guests 1 times 1000\n"
				   "on guest-complaint stop\n"),
		  "line %u: %s", error.line, error.text);
	cr_assert(parse(GUEST DISK "complaints 60000000 guests 8 times 1\n"
				   "on guest-complaint failover\n"),
		  "line %u: %s", error.line, error.text);
	cr_expect(policy_acts(&policy.on_complaint));
	cr_assert(parse(GUEST "on guest-complaint failover restart\n"),
		  "line %u: %s", error.line, error.text);
}

Test(policy, dedicated_cpus_are_left_alone)
{
	cr_assert(parse(GUEST "cpu g1 1 dedicated\n"));
	cr_expect_eq(policy_cpu(&policy, "g1", 0, 4), 1);
	cr_expect_eq(policy_cpu(&policy, "io.a", 0, 4), 0);
	cr_expect_eq(policy_cpu(&policy, "io.a", 1, 4), 2);
	cr_expect_eq(policy_cpu(&policy, "io.a", 1, 2), 0);
	cr_expect_eq(policy_cpu(&policy, "io.a", 7, 4), 3);
	/* Without a rule the present spreading stays. */
	cr_assert(parse(""));
	for (unsigned turn = 0; turn < 9; turn++)
		cr_expect_eq(policy_cpu(&policy, "io.a", turn, 4), turn % 4);
}

Test(policy, has_to_fit_the_machine)
{
	cr_assert(parse(GUEST "cpu g1 1 dedicated\n"));
	cr_expect(policy_fits(&policy, 2, &error));
	cr_expect_not(policy_fits(&policy, 1, &error));
	cr_expect_eq(error.line, 2);
	cr_expect_not_null(
		strstr(error.text, "CPU 1: this machine has 0 to 0"));
	cr_assert(parse(GUEST "cpu g1 0 dedicated\n"));
	cr_expect(policy_fits(&policy, 2, &error));
	cr_expect_not(policy_fits(&policy, 1, &error));
	cr_expect_not_null(strstr(error.text, "leave one for the others"));
	cr_assert(parse("frame 1 shared 50\n"));
	cr_expect(policy_fits(&policy, 2, &error));
	cr_expect_not(policy_fits(&policy, 1, &error));
	cr_expect_not_null(strstr(error.text, "remove it"));
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
		{"schedule io.a quantum 5 weight 1\n", 1, "10 to 1000000"},
		{"schedule io.a quantum 50 weight 1\n"
		 "schedule io.a quantum 9 w 1\n",
		 2, "write: schedule"},
		{"schedule x quantum 50 weight 1\n", 1, "no such partition"},
		{"schedule io.a quantum 50 weight 1\n"
		 "schedule io.a quantum 50 weight 1\n",
		 2, "a schedule has been said"},
		{"schedule io.a quantum 50 weight 90\n", 1, "1 to 89"},
		{"guest io.a image guest blocks 1\n", 1, "choose another"},
		{"weight io.a\n", 1, "write: weight NAME N"},
		{"weight io.a 0\n", 1, "a number, 1 to 10000"},
		{"weight io.a 2\nweight io.a 3\n", 2, "a weight has been"},
		{"cap io.a 100\n", 1, "only guests have caps"},
		{GUEST "cap g1 1001\n", 2, "a number, 1 to 1000"},
		{GUEST "cap g2 10\n", 2, "word 2: no such partition"},
		{"cpu io.a\n", 1, "write: cpu NAME N [dedicated]"},
		{"cpu io.a 1 alone\n", 1, "write: cpu NAME N [dedicated]"},
		{"cpu io.a 8\n", 1, "a number, 0 to 7"},
		{GUEST "cpu g1 1 dedicated\ncpu io.a 1\n", 3,
		 "g1 has it too: take another"},
		{GUEST "cpu io.a 1\ncpu g1 1 dedicated\n", 3,
		 "io.a has it too: take another"},
		{"frame 0 shared\n", 1, "write: frame CPU NAME US"},
		{"frame 0 shared 5\n", 1, "a number, 10 to 1000000"},
		{"frame 0 shared 50\nframe 0 shared 50\n", 2,
		 "all windows in one line"},
		{"frame 0 g1 50\n", 1, "word 3: no such partition"},
		{GUEST "frame 1 g1 50 shared 50\n", 2, "add a `cpu` line"},
		{GUEST "cpu g1 0\nframe 1 g1 50 shared 50\n", 3,
		 "g1 is not on this CPU"},
		{"frame 0 shared 10 shared 10 shared 10 shared 10 shared 10 "
		 "shared 10 shared 10 shared 10 shared 10 shared 10 shared 10 "
		 "shared 10 shared 10 shared 10 shared 10 shared 10 "
		 "shared 10\n",
		 1, "at most 16"},
		{"restart io.a 2\n", 1, "write: restart NAME N times"},
		{"restart command 2 times\n", 1, "remove this line"},
		{"restart io.a 1 times\nrestart io.a 2 times\n", 2,
		 "a number of restarts has been"},
		{"after io.a io.b\n", 1, "only guests are started"},
		{GUEST "after g1\n", 2, "write: after NAME OTHER"},
		{GUEST "after g1 g1\n", 2, "cannot start after itself"},
		{GUEST "after g1 io.a io.b io.a io.b io.a\n", 2, "at most 4"},
		{GUEST "guest g2 image guest blocks 1\n"
		       "after g1 g2\nafter g2 g1\n",
		 0, "would start after itself"},
		{GUEST "channel g1 console\n", 2, "write: channel GUEST"},
		{"channel g1 console operations\n", 1, "no such guest"},
		{GUEST "channel g1 disk io.a\n", 2, "no such type"},
		{GUEST "channel g1 console g1\n", 2,
		 "consoles are served by operations"},
		{GUEST "channel g1 diagnostics operations\n", 2,
		 "served by diagnostics"},
		{GUEST "channel g1 network operations\n", 2,
		 "networks are served by io.a and io.b"},
		{GUEST "channel g1 console operations\n"
		       "channel g1 console operations\n",
		 3, "has this channel already"},
		{"device io.a 00:04\n", 1, "in hexadecimal: 00:04.0"},
		{"device io.a 00:24.0\n", 1, "in hexadecimal: 00:04.0"},
		{GUEST "device g1 00:04.0\n", 2, "only io.a and io.b"},
		{"device io.a 00:04.0\ndevice io.b 00:04.0\n", 2,
		 "is io.a's already"},
		{"on guest-failure\n", 1, "unknown rule: write restart"},
		{"on guest-failure failover\n", 1, "write restart"},
		{"on fire restart\n", 1, "word 2: io-failure, guest-failure"},
		{"heartbeat 100 misses 2\n", 1, "250 to 1000000"},
		{"on io-failure panic\n", 1,
		 "failover, restart, failback or stop"},
		{"on io-failure restart stop\n", 1, "leave one of them"},
		{"on dma-fault stop\non dma-fault restart\n", 2,
		 "leave one of them"},
		{"on dma-fault failback\n", 1, "failover, restart or stop"},
		{"on guest-complaint\n", 1, "write: on io-failure"},
		{GUEST DISK "on guest-complaint restart\n", 0,
		 "guests 1 times M`, or add failover"},
		{GUEST DISK "complaints 5000 guests 2 times 1\n"
			    "on guest-complaint stop\n",
		 3, "guests 1 times M`, or add failover"},
		{"complaints 5000 guests 2 times 1\n", 1,
		 "add an `on guest-complaint` line"},
		{"complaints 5000 guests 2\n", 1, "write: complaints US"},
		{"complaints 500 guests 2 times 1\n", 1,
		 "word 2: write a number, 1000 to"},
		{"complaints 5000 guests 9 times 1\n", 1,
		 "word 4: write a number, 1 to 8"},
		{"complaints 5000 guests 1 times 0\n", 1,
		 "word 6: write a number, 1 to 1000"},
		{"complaints 60000001 guests 2 times 1\n", 1,
		 "word 2: write a number, 1000 to"},
		{"complaints 5000 guests 1 times 1001\n", 1,
		 "word 6: write a number, 1 to 1000"},
		{"complaints 5000 guests 2 times 1 more\n", 1,
		 "write: complaints US"},
		{"complaints 5000 people 2 times 1\n", 1,
		 "write: complaints US"},
		{"complaints 5000 guests 2 often 1\n", 1,
		 "write: complaints US"},
		{GUEST DISK "guest g2 image guest blocks 1\n"
			    "on guest-complaint stop\n",
		 0, "fewer guests have disks"},
		{"on guest-complaint failover\n"
		 "complaints 5000 guests 1 times 2\n"
		 "complaints 5000 guests 1 times 2\n",
		 3, "a line already"},
		{"off now\n", 1, "write: off when-guests-stop"},
		{"off \x80\n", 1, "plain ASCII"},
		{"on io-failure failback\n", 0, "add restart"},
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
	static const char *const names[] = {"quickstart", "failover",
					    "no-io-b",    "early-ack",
					    "shares",     "complaints"};

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
		"cpu g1 1 dedicated\nweight g1 20\ncap g1 9\n"
		"frame 1 g1 20 shared 40\nrestart g1 3 times\n"
		"after g1 io.a\nchannel g1 console operations\n"
		"device io.a 00:04.0\non guest-failure restart\n"
		"schedule g1 quantum 500 weight 2\nheartbeat 300 misses 4\n"
		"on io-failure failover restart failback\n"
		"on guest-complaint stop\ncomplaints 9000 guests 1 times 3\n"
		"on dma-fault failover restart\n"
		"off when-guests-stop\n";
	uint64_t random = 7;

	for (unsigned i = 0; i < 100000; i++) {
		char *copy = malloc(sizeof(text));
		size_t bytes = sizeof(text) - 1;

		memcpy(copy, text, sizeof(text));
		for (unsigned n = test_random(&random) % 4 + 1; n > 0; n--)
			copy[test_random(&random) % bytes] =
				" \n#ag01x\x7f"[test_random(&random) % 9];
		bytes -= test_random(&random) % 20;
		if (policy_parse(copy, bytes, &policy, &error))
			cr_assert_leq(policy.guests, POLICY_GUESTS_MAX);
		else
			cr_assert_lt(strnlen(error.text, sizeof(error.text)),
				     sizeof(error.text));
		free(copy);
	}
}

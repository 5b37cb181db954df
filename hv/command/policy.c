/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy.c - see policy.h; for the lines, policy_line.h. */
#include "command/policy.h"

#include "command/policy_line.h"
#include "lib/string.h"

#define HEARTBEAT_US BEAT_US
#define MISSES       1

/* Complaints of guests: so long, by so many, so often each. */
#define COMPLAINT_US 1000000
#define COMPLAINERS  2
#define COMPLAINTS   4

static const struct {
	const char *word;
	bool (*parse)(const struct line *l, struct policy *p);
} kinds[] = {
	{"guest", do_guest},   {"args", do_args},
	{"disk", do_disk},     {"channel", do_channel},
	{"device", do_device}, {"cpu", do_cpu},
	{"weight", do_weight}, {"cap", do_cap},
	{"frame", do_frame},   {"schedule", do_schedule},
	{"after", do_after},   {"heartbeat", do_heartbeat},
	{"on", do_on},         {"complaints", do_complaints},
	{"off", do_off},       {"restart", do_restart},
};

static bool parse_line(const struct line *l, struct policy *p)
{
	if (l->words == 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (word_is(&l->word[0], kinds[i].word))
			return kinds[i].parse(l, p);
	}
	return line_fail(
		l,
		"unknown line: guest, args, disk, channel, device, cpu, "
		"weight, cap, frame, schedule, after, heartbeat, on, "
		"complaints...%s",
		"");
}

bool policy_parse(const char *text, size_t bytes, struct policy *policy,
		  struct policy_error *error)
{
	struct line l = {.error = error};
	size_t at = 0;

	memset(policy, 0, sizeof(*policy));
	memset(error, 0, sizeof(*error));
	policy->heartbeat_us = HEARTBEAT_US;
	policy->misses = MISSES;
	policy->complaint_us = COMPLAINT_US;
	policy->complainers = COMPLAINERS;
	policy->complaints = COMPLAINTS;
	while (at < bytes) {
		size_t end = at;

		while (end < bytes && text[end] != '\n')
			end++;
		l.number++;
		if (!line_split(&l, text + at, end - at) ||
		    !parse_line(&l, policy))
			return false;
		at = end + 1;
	}
	return policy_whole(policy, error);
}

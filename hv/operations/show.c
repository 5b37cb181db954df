/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/show.c - commands that look and change nothing. */
#include "operations/operations.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

static const char *kind_name(uint64_t kind)
{
	static const char *const names[] = {
		"none", "boot",    "ultravisor", "idle",  "available",
		"io",   "command", "operations", "guest", "diagnostics",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

/* The named sets are told by name. */
static const char *state_name(uint32_t state, uint64_t flags)
{
	static const char *const names[] = {"defined", "running", "stopped",
					    "crashed", "dead",    "saved"};

	if (state == PART_STATE_RUNNING && flags == RES_PAUSED)
		return "paused";
	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static const char *channel_name(uint64_t type)
{
	switch (type) {
	case CHANNEL_CONTROL:
		return "control";
	case CHANNEL_BLOCK:
		return "block";
	case CHANNEL_HEARTBEAT:
		return "heartbeat";
	case CHANNEL_DIAG:
		return "diagnostics";
	case CHANNEL_POLICY:
		return "policy";
	case CHANNEL_LOG:
		return "log";
	case CHANNEL_CONSOLE:
		return "console";
	case CHANNEL_NETWORK:
		return "network";
	default:
		return "?";
	}
}

static bool schedule_of(uint64_t number, uint64_t row[8])
{
	for (uint64_t i = 0; ask_row(QUERY_SCHEDULE, i, row); i++) {
		if (row[0] == number)
			return true;
	}
	return false;
}

void show_list(const struct words *w)
{
	uint64_t row[8], s[8];

	(void)w;
	logf_("%-15s %-11s %-8s %3s %7s %9s", "NAME", "KIND", "STATE", "CPU",
	      "MiB", "RAN ms");
	for (uint64_t i = 0; ask_row(QUERY_PARTITION, i, row); i++) {
		char name[17] = {0};

		memcpy(name, &row[6], 16);
		if (schedule_of(row[0], s))
			logf_("%-15s %-11s %-8s %3lu %7lu %9llu", name,
			      kind_name(row[1]),
			      state_name((uint32_t)row[2], row[4]), s[1],
			      row[5] / 256, s[6] / MS);
		else if (row[2] == PART_STATE_SAVED)
			logf_("%-15s %-11s %-8s %3s %7lu %9s", name,
			      kind_name(row[1]), "saved", "-", row[5] / 256,
			      "-");
		else if (ask_row(QUERY_MEMORY, 0,
				 s)) /* nobody's: what is free */
			logf_("%-15s %-11s %-8s %3s %7lu %9s", name,
			      kind_name(row[1]), "-", "-", s[1] / 256, "-");
	}
}

static void show_channels(uint64_t who)
{
	uint64_t row[8];

	for (uint64_t i = 0; ask_row(QUERY_CHANNEL, i, row); i++) {
		if (row[1] == CHANNEL_CONTROL ||
		    (row[2] != who && row[3] != who))
			continue;
		logf_("  channel %lu, %s, %s %s, generation %lu%s", row[0],
		      channel_name(row[1]), row[2] == who ? "to" : "from",
		      ask_name(row[2] == who ? row[3] : row[2]), row[4],
		      row[5] & RES_OPERATING ? "" : ", not in operation");
	}
}

static void show_device(const uint64_t row[8])
{
	logf_("  device %02lx:%02lx.%lu, class %06lx, %s's", row[1] >> 8,
	      row[1] >> 3 & 31, row[1] & 7, row[3], ask_name(row[2]));
}

void show_one(const struct words *w)
{
	uint64_t row[8], s[8];
	const char *name = w->word[1];

	if (!ask_partition(name, row))
		return;
	logf_("%s: %s, %s, number %lx, started %lu times, %lu frames", name,
	      kind_name(row[1]), state_name((uint32_t)row[2], row[4]), row[0],
	      row[3], row[5]);
	if (schedule_of(row[0], s))
		logf_("  CPU %lu, standing %lu, quantum %lu us, weight %lu, "
		      "cap %lu, ran %llu us, stolen %llu us",
		      s[1], s[2], s[3], s[4], s[5], s[6] / US, s[7] / US);
	show_channels(row[0]);
	for (uint64_t i = 0, who = row[0]; ask_row(QUERY_DEVICE, i, row); i++) {
		if (row[2] == who)
			show_device(row);
	}
}

void show_devices(const struct words *w)
{
	uint64_t row[8];

	(void)w;
	for (uint64_t i = 0; ask_row(QUERY_DEVICE, i, row); i++)
		show_device(row);
}

void show_memory(const struct words *w)
{
	uint64_t row[8];

	(void)w;
	if (ask_row(QUERY_MEMORY, 0, row))
		logf_("%lu of %lu MiB are free", row[1] / 256, row[0] / 256);
}

void show_schedule(const struct words *w)
{
	uint64_t row[8];

	(void)w;
	logf_("%-15s %3s %8s %10s %6s %5s %9s %9s", "NAME", "CPU", "STANDING",
	      "QUANTUM us", "WEIGHT", "CAP", "RAN us", "STOLEN us");
	for (uint64_t i = 0; ask_row(QUERY_SCHEDULE, i, row); i++)
		logf_("%-15s %3lu %8lu %10lu %6lu %5lu %9llu %9llu",
		      ask_name(row[0]), row[1], row[2], row[3], row[4], row[5],
		      row[6] / US, row[7] / US);
	for (uint64_t i = 0; ask_row(QUERY_FRAME, i, row); i++)
		logf_("frame of CPU %lu, window %lu: %s, %lu us", row[0],
		      row[1], row[2] != 0 ? ask_name(row[2]) : "shared",
		      row[3]);
}

void show_scan(const struct words *w)
{
	(void)w;
	uint64_t row[8];

	if (!ask_row(QUERY_SCAN, 0, row))
		logf_("error: no answer: try again");
	else if (row[0] == 0)
		logf_("scan: every invariant holds");
	else
		logf_("error: scan: %s", (const char *)row);
}

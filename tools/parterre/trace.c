/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace.c - parterre trace */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/trace/trace.h"
#include "tools/parterre/parterre.h"

static const char help[] =
	"usage: parterre trace [OPTION...] TRACE\n"
	"Prints the events, one a line: ps, CPU, partition, retired count, "
	"event.\n"
	"  --event NAME   this event alone (docs/trace-catalogue.md)\n"
	"  --class NAME   events of this class alone: partition or machine\n"
	"  --count        how many of each event there are, instead\n";

#define KINDS_MAX 256

static int print(const char *dir, const struct trace_kind *only,
		 unsigned classes, bool count)
{
	static uint64_t counts[KINDS_MAX];
	uint64_t total = 0;
	struct trace_record r;
	struct error err = {0};
	struct trace_reader *reader = trace_open(dir, &err);
	char line[1200];
	int state;

	if (!reader)
		return complain("trace", &err);
	while ((state = trace_next(reader, &r, &err)) == 1) {
		if ((only && r.kind != only) || !(classes & r.kind->class))
			continue;
		total++;
		counts[r.kind->number % KINDS_MAX]++;
		if (count)
			continue;
		trace_format(&r, line, sizeof(line));
		puts(line);
	}
	trace_reader_close(reader);
	for (const struct trace_kind *k = trace_kinds; count && k->name; k++) {
		if (counts[k->number])
			printf("%10" PRIu64 "  %s\n", counts[k->number],
			       k->name);
	}
	if (count)
		printf("%10" PRIu64 "  in all\n", total);
	if (state < 0)
		return complain("trace", &err);
	return EXIT_HELD;
}

int main_trace(int argc, char **argv)
{
	static const struct option options[] = {
		{"event", required_argument, NULL, 'e'},
		{"class", required_argument, NULL, 'l'},
		{"count", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const struct trace_kind *only = NULL;
	unsigned classes = TRACE_CLASS_PARTITION | TRACE_CLASS_MACHINE;
	bool count = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'e':
			only = trace_kind_by_name(optarg);
			if (!only)
				return usage_error("trace",
						   "no event is called '%s'; "
						   "docs/trace-catalogue.md "
						   "lists them",
						   optarg);
			break;
		case 'l':
			if (strcmp(optarg, "partition") == 0)
				classes = TRACE_CLASS_PARTITION;
			else if (strcmp(optarg, "machine") == 0)
				classes = TRACE_CLASS_MACHINE;
			else
				return usage_error("trace",
						   "no class is called '%s': "
						   "partition or machine",
						   optarg);
			break;
		case 'c':
			count = true;
			break;
		case 'h':
			printf("%s", help);
			return EXIT_HELD;
		default:
			return usage_error("trace", "%s: no such option",
					   argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return usage_error("trace", "one trace is read, %d given",
				   argc - optind);
	return print(argv[optind], only, classes, count);
}

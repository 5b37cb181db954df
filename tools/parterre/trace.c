/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace.c - parterre trace: a trace listed, counted, added up,
 * or written in other programs' formats.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/decode.h"
#include "sim/whole_file.h"
#include "tools/parterre/cycles.h"
#include "tools/parterre/parterre.h"
#include "tools/parterre/trace_tool.h"

static const char help[] =
	"usage: parterre trace [OPTION...] TRACE|RECORDING\n"
	"       parterre trace stat --cycles [--folded|--json] RUN|RECORDING\n"
	"       parterre trace stat [OPTION...] TRACE|RECORDING\n"
	"       parterre trace export --FORMAT [OPTION...] [-o FILE] "
	"TRACE|RECORDING\n"
	"Prints the events, one a line: seconds, CPU, partition, retired "
	"count,\n"
	"event.  Of those, which (each may be given again):\n"
	"  --event NAME      events of this name (docs/trace-catalogue.md)\n"
	"  --class NAME      events of this class: partition, machine, flow or "
	"full\n"
	"  --partition NAME  of this partition, by name or index\n"
	"  --cpu N           of this CPU\n"
	"  --window A..B     from A to B: instants (10ms..12500us), or counts\n"
	"                    of instructions that the CPU retired\n"
	"  --address A..B    with rip, address or CR2 in the range\n"
	"A recording is run again up to the window's end, and flow or full "
	"recorded in the\n"
	"window if --class asks for them:\n"
	"  --out DIR         what that run leaves (parterre.out/again)\n"
	"  --images DIR      the images (those built with this program)\n"
	"How:\n"
	"  --symbols         also partition, function+offset and source line\n"
	"  --disassemble     also the instruction at rip\n"
	"  --count           how many of each event there are, instead\n"
	"  --stats           times, switches, system calls, latencies, "
	"instead;\n"
	"                    `parterre trace stat` is the same\n"
	"  --json            the same as JSON\n"
	"Who spent the cycles, and on what (docs/timing.md), of a run with "
	"--cycles or a\nrecording, which is run again (with --window A..B up "
	"to B, and of that alone):\n"
	"  --cycles          CPUs, causes by partition, functions of most\n"
	"  --folded          all stacks as lines \"a;b;c COUNT\", for flame "
	"graphs\n"
	"Formats of export:\n"
	"  --perfetto        tracks, flows and counters (ui.perfetto.dev)\n"
	"  --vcd             who runs, states, queues, faults (GTKWave)\n"
	"  --pcap            the frames of network cards (tcpdump)\n"
	"  --json            all events\n"
	"  --ctf             plain CTF 1.8 of all classes; FILE is a folder\n"
	"  -o FILE           where to; stdout if not given\n";

typedef int exporter(struct source *s, FILE *to, struct error *err);

struct how {
	struct trace_filter filter;
	bool filters;     /* the filter was given */
	unsigned formats; /* so many were */
	bool symbols, disassemble, count, stats, json, ctf, cycles, folded;
	struct again again;
	exporter *export;
	const char *file;
};

/* --- listing --- */

/* The instruction there, by the bytes of the program's file. */
static void print_instruction(const struct source *s, struct decoder *d,
			      const struct trace_record *r, vaddr_t rip)
{
	const struct symbols *p = source_symbols(s, r->partition, rip);
	uint8_t code[16];
	size_t n = p ? symbols_code(p, rip, code, sizeof(code)) : 0;
	struct decoded in;

	if (!n)
		return;
	decoder_look(d, code, n, rip, &in);
	if (in.bytes)
		printf("  | %s", in.text);
}

static void print_record(const struct source *s, const struct how *how,
			 struct decoder *d, const struct trace_record *r)
{
	char line[1200], place[256];
	vaddr_t rip;

	trace_format(r, line, sizeof(line));
	fputs(line, stdout);
	if (how->symbols)
		printf("  ; %s", source_name(s, r->partition));
	if (record_rip(r, &rip)) {
		if (how->symbols &&
		    source_place(s, r->partition, rip, place, sizeof(place)))
			printf(" %s", place);
		if (how->disassemble)
			print_instruction(s, d, r, rip);
	}
	putchar('\n');
}

static int list(struct source *s, const struct how *how, struct error *err)
{
	struct decoder *d = decoder_create();
	struct trace_record r;
	int state;

	s->silent = isatty(STDOUT_FILENO);
	while ((state = source_next(s, &r, err)) == 1)
		print_record(s, how, d, &r);
	decoder_destroy(d);
	return state < 0 ? (int)err->code : EXIT_HELD;
}

static int count(struct source *s, struct error *err)
{
	static uint64_t counts[256];
	uint64_t total = 0;
	struct trace_record r;
	int state;

	while ((state = source_next(s, &r, err)) == 1) {
		counts[r.kind->number]++;
		total++;
	}
	for (const struct trace_kind *k = trace_kinds; k->name; k++) {
		if (counts[k->number])
			printf("%10" PRIu64 "  %s\n", counts[k->number],
			       k->name);
	}
	printf("%10" PRIu64 "  in all\n", total);
	return state < 0 ? (int)err->code : EXIT_HELD;
}

/* --- export --- */

static int write_export(struct source *s, const struct how *how,
			struct error *err)
{
	static struct whole_file file;
	int status;

	if (!how->file)
		return how->export(s, stdout, err);
	if (!whole_file_open(&file, how->file, err))
		return EXIT_HOST;
	status = how->export(s, file.to, err);
	if (!status && !whole_file_close(&file, err))
		status = EXIT_HOST;
	whole_file_drop(&file);
	return status;
}

/* --- the command --- */

enum {
	FILTER = 256,
	SYMBOLS,
	DISASSEMBLE,
	COUNT,
	STATS,
	CYCLES,
	FOLDED,
	JSON,
	PERFETTO,
	VCD,
	PCAP,
	CTF,
	OUT,
	IMAGES,
	HELP
};

static const struct option options[] = {
	{"event", required_argument, NULL, FILTER},
	{"class", required_argument, NULL, FILTER},
	{"partition", required_argument, NULL, FILTER},
	{"cpu", required_argument, NULL, FILTER},
	{"window", required_argument, NULL, FILTER},
	{"address", required_argument, NULL, FILTER},
	{"symbols", no_argument, NULL, SYMBOLS},
	{"disassemble", no_argument, NULL, DISASSEMBLE},
	{"count", no_argument, NULL, COUNT},
	{"stats", no_argument, NULL, STATS},
	{"cycles", no_argument, NULL, CYCLES},
	{"folded", no_argument, NULL, FOLDED},
	{"json", no_argument, NULL, JSON},
	{"perfetto", no_argument, NULL, PERFETTO},
	{"vcd", no_argument, NULL, VCD},
	{"pcap", no_argument, NULL, PCAP},
	{"ctf", no_argument, NULL, CTF},
	{"out", required_argument, NULL, OUT},
	{"images", required_argument, NULL, IMAGES},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

static int bad_filter(const char *option, const char *arg)
{
	if (strcmp(option, "event") == 0)
		return usage_error("trace",
				   "no event is called '%s'; "
				   "docs/trace-catalogue.md lists them",
				   arg);
	if (strcmp(option, "class") == 0)
		return usage_error("trace",
				   "no class is called '%s': partition, "
				   "machine, flow or full",
				   arg);
	return usage_error("trace", "--%s: '%s' is not what it takes", option,
			   arg);
}

static void take(struct how *how, int option)
{
	switch (option) {
	case SYMBOLS:
		how->symbols = true;
		break;
	case DISASSEMBLE:
		how->disassemble = true;
		break;
	case COUNT:
		how->count = true;
		break;
	case STATS:
		how->stats = true;
		break;
	case CYCLES:
		how->cycles = how->again.cycles = true;
		break;
	case FOLDED:
		how->folded = true;
		break;
	case JSON:
		how->json = true;
		break;
	case PERFETTO:
		how->export = export_perfetto;
		break;
	case VCD:
		how->export = export_vcd;
		break;
	case PCAP:
		how->export = export_pcap;
		break;
	case CTF:
		how->ctf = true;
		break;
	case OUT:
		how->again.out = optarg;
		break;
	case IMAGES:
		how->again.images = optarg;
		break;
	case 'o':
		how->file = optarg;
		break;
	default:
		break;
	}
}

/* 0: go on; else that status, less 1. */
static int parse(struct how *how, int argc, char **argv)
{
	int option, at;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:", options, &at)) != -1) {
		if (option == HELP) {
			printf("%s", help);
			return EXIT_HELD + 1;
		}
		if (option == '?')
			return usage_error("trace",
					   "%s: no such option, or its "
					   "argument is missing",
					   argv[optind - 1]) +
			       1;
		if (option == FILTER &&
		    !filter_take(&how->filter, options[at].name, optarg))
			return bad_filter(options[at].name, optarg) + 1;
		if (option == FILTER && strcmp(options[at].name, "window") == 0)
			how->again.window = optarg;
		else
			how->filters |= option == FILTER;
		how->formats += option == PERFETTO || option == VCD ||
				option == PCAP || option == CTF ||
				option == JSON;
		take(how, option);
	}
	return 0;
}

/* Do the operands and options go together?  0, or a status less 1. */
static int check(const struct how *how, bool export, int operands)
{
	bool format = how->export || how->ctf;

	if (operands != 1)
		return usage_error("trace", "one trace is read, %d given",
				   operands) +
		       1;
	if (!export && (format || how->file))
		return usage_error("trace", "-o and the formats go with "
					    "`parterre trace export`") +
		       1;
	if (export && how->formats != 1)
		return usage_error("trace",
				   "export to what: --perfetto, --vcd, --pcap, "
				   "--json or --ctf, one of them") +
		       1;
	if (export && (how->count || how->stats))
		return usage_error("trace", "--count and --stats are no "
					    "exports") +
		       1;
	if (how->folded && !how->cycles)
		return usage_error("trace", "--folded goes with --cycles") + 1;
	if (how->cycles && (!how->stats || how->filters))
		return usage_error("trace",
				   "--cycles is of `parterre trace stat`, and "
				   "of the whole run or a --window of it") +
		       1;
	if (how->ctf && !how->file)
		return usage_error("trace", "--ctf writes a folder: -o DIR") +
		       1;
	return 0;
}

static int show(struct source *s, const struct how *how, struct error *err)
{
	if (how->stats)
		return trace_stats(s, how->json, err);
	if (how->count)
		return count(s, err);
	if (how->ctf)
		return export_ctf(s, how->file, err);
	return how->export ? write_export(s, how, err) : list(s, how, err);
}

static int show_cycles(const struct how *how, const char *dir,
		       struct error *err)
{
	struct cycles c;

	if (!cycles_read(&c, dir, err))
		return complain("trace", err);
	if (how->folded)
		cycles_fold(&c, stdout);
	else
		cycles_print(&c, how->json);
	cycles_free(&c);
	return EXIT_HELD;
}

/* Is it a partition of this trace? */
static bool is_named(const struct source *s, const char *name)
{
	char *end;
	uint64_t index = strtoull(name, &end, 0);

	if (end != name && !*end)
		return index < SOURCE_PARTITIONS && s->name[index][0];
	for (size_t i = 0; i < SOURCE_PARTITIONS; i++) {
		if (strcmp(s->name[i], name) == 0)
			return true;
	}
	return strcmp(name, source_name(s, 0)) == 0;
}

/* Nothing was let through: perhaps there is nothing, perhaps it was asked for
 * wrongly. */
static int say_nothing(const struct source *s)
{
	const struct trace_filter *f = &s->filter;
	int status = EXIT_HELD;

	for (size_t i = 0; i < f->partitions; i++) {
		if (is_named(s, f->partition[i]))
			continue;
		fprintf(stderr,
			"parterre trace: no partition of this trace is "
			"called '%s'; --event partition lists them\n",
			f->partition[i]);
		status = EXIT_USAGE;
	}
	if (f->classes & (TRACE_CLASS_FLOW | TRACE_CLASS_FULL))
		fprintf(stderr,
			"parterre trace: no such events are in it; of a "
			"recording --class flow and full run its window "
			"again\n");
	return status;
}

int main_trace(int argc, char **argv)
{
	static struct source s;
	struct how how = {0};
	struct error err = {0};
	bool export = argc > 1 && strcmp(argv[1], "export") == 0;
	char dir[PATH_MAX];
	const char *trace;
	int status;

	filter_all(&how.filter);
	how.stats = argc > 1 && strcmp(argv[1], "stat") == 0;
	if (export || how.stats)
		argv++, argc--;
	status = parse(&how, argc, argv);
	if (!status)
		status = check(&how, export, argc - optind);
	if (status)
		return status - 1;
	if (how.json && !how.export && !how.stats)
		how.export = export_json;
	trace = argv[optind];
	if (recording_is(trace)) {
		if (!trace_again(trace, &how.filter, &how.again, dir, &err))
			return complain("trace", &err);
		trace = dir;
	} else if (how.cycles && how.again.window) {
		return usage_error("trace",
				   "--cycles --window is of a recording, which "
				   "is run again; a run has no more than the "
				   "sum in its cycles.txt: record it, or run "
				   "it with --cycles=%s",
				   how.again.window);
	}
	if (how.cycles)
		return show_cycles(&how, trace, &err);
	if (!source_open(&s, trace, &how.filter, &err))
		return complain("trace", &err);
	status = show(&s, &how, &err);
	if (status)
		status = complain("trace", &err);
	else if (!s.shown)
		status = say_nothing(&s);
	source_close(&s);
	return status;
}

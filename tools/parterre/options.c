/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/options.c - the options of every command that runs. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/trace/trace.h"
#include "tools/parterre/parterre.h"

const char run_options_help[] =
	"  --out DIR       where the run leaves what it made\n"
	"                  (parterre.out/NAME)\n"
	"  --images DIR    the images (those built with this program)\n"
	"  --seed N        another seed than the scenario's\n"
	"  --set NAME=VALUE  what param(NAME) gives in the scenario\n"
	"  --inject 'WHAT @ WHEN'  a fault, at an instant or event "
	"(docs/faults.md)\n"
	"  --firmware FILE  a ROM that ends at 4 GiB, instead of a kernel\n"
	"  --timing MODEL  what counts time: flat (an instruction is a "
	"cycle),\n"
	"                  block or memory (docs/timing.md)\n"
	"  --profile FILE  what the CPUs are like, for block and memory\n"
	"  --input FILE    type what was typed in another run (its input.txt)\n"
	"  --trace CLASS   none, partition, machine (both; the default), flow "
	"(and the\n"
	"                  blocks executed), full (and each instruction)\n"
	"  --trace-window [CLASS:]A..B   of flow and full, or of that class, "
	"what is from\n"
	"                  A to B: instants, or counts that the CPU retired\n"
	"  --trace-partition, --trace-cpu, --trace-range [CLASS:]...  of this "
	"partition\n"
	"                  (by name), CPU, range LO..HI of rip\n"
	"  --cycles[=A..B] account who spends the cycles, and on what, "
	"between two\n"
	"                  instants (docs/timing.md)\n"
	"  --until TIME    leave the scenario at this instant: 40ms, 12500us\n"
	"  --pieces N      cut the run at random places, by N: changes "
	"nothing\n"
	"  --snapshots N   with --pieces: at N of 1000 cuts go on from a "
	"snapshot\n"
	"                  in a new machine: changes nothing either\n"
	"  --json          the summary as JSON\n"
	"  --gdb WHERE     gdb may come, at tcp:PORT or unix:PATH (run)\n"
	"  -s              --gdb tcp:1234\n"
	"  -S              stand before the first instruction until it comes\n"
	"  --ui            watch it on this terminal (run): docs/seen.md\n"
	"  --window        watch it in a window, keyboard and mouse included "
	"(run)\n"
	"  --stop-at TIME  with --ui, --window: stand at this instant\n"
	"  --speed N       with them: hold it to N percent of real time\n"
	"  --window-script FILE  keys and clicks for the window\n"
	"  --quiet         no line of progress\n";

enum {
	OUT = 256,
	IMAGES,
	SEED,
	SET,
	INJECT,
	FIRMWARE,
	TIMING,
	PROFILE,
	INPUT,
	TRACE,
	TRACE_SELECT,
	CYCLES,
	UNTIL,
	PIECES,
	SNAPSHOTS,
	JSON,
	GDB,
	UI,
	WINDOW,
	WINDOW_SCRIPT,
	STOP_AT,
	SPEED,
	QUIET,
	HELP
};

static const struct option options[] = {
	{"out", required_argument, NULL, OUT},
	{"images", required_argument, NULL, IMAGES},
	{"seed", required_argument, NULL, SEED},
	{"set", required_argument, NULL, SET},
	{"inject", required_argument, NULL, INJECT},
	{"firmware", required_argument, NULL, FIRMWARE},
	{"timing", required_argument, NULL, TIMING},
	{"profile", required_argument, NULL, PROFILE},
	{"input", required_argument, NULL, INPUT},
	{"trace", required_argument, NULL, TRACE},
	{"trace-window", required_argument, NULL, TRACE_SELECT},
	{"trace-partition", required_argument, NULL, TRACE_SELECT},
	{"trace-cpu", required_argument, NULL, TRACE_SELECT},
	{"trace-range", required_argument, NULL, TRACE_SELECT},
	{"cycles", optional_argument, NULL, CYCLES},
	{"until", required_argument, NULL, UNTIL},
	{"pieces", required_argument, NULL, PIECES},
	{"snapshots", required_argument, NULL, SNAPSHOTS},
	{"json", no_argument, NULL, JSON},
	{"gdb", required_argument, NULL, GDB},
	{"ui", no_argument, NULL, UI},
	{"window", no_argument, NULL, WINDOW},
	{"window-script", required_argument, NULL, WINDOW_SCRIPT},
	{"stop-at", required_argument, NULL, STOP_AT},
	{"speed", required_argument, NULL, SPEED},
	{"quiet", no_argument, NULL, QUIET},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

static struct {
	const struct session_outside *outside;
	const char *images, *program;
} with = {.program = "parterre"};

void run_with_outside(const struct session_outside *outside, const char *images,
		      const char *program)
{
	with.outside = outside;
	with.images = images;
	with.program = program;
}

const char *run_program(void)
{
	return with.program;
}

const char *default_images(void)
{
	static char path[PATH_MAX];
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	if (with.images)
		return with.images;
	/* BUILD/tools/parterre and BUILD/hv */
	program[n > 0 ? n : 0] = '\0';
	for (int i = 0; i < 2; i++) {
		slash = strrchr(program, '/');
		if (slash)
			*slash = '\0';
	}
	if (!path_in(path, program, "hv"))
		path[0] = '\0';
	return path;
}

static bool whole_number(const char *text, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 0);
	return *end == '\0';
}

/* Of a run that somebody watches. */
static bool take_show(struct run_options *o, int option, const char *arg)
{
	uint64_t speed;

	switch (option) {
	case UI:
		o->ui = true;
		return true;
	case WINDOW_SCRIPT:
		o->window_script = arg;
		o->window = true;
		return *arg;
	case WINDOW:
		o->window = true;
		return true;
	case STOP_AT:
		return session_instant(arg, &o->show.stop_at);
	case SPEED:
		if (!whole_number(arg, &speed) || speed > 1000000)
			return false;
		o->show.speed = (uint32_t)speed;
		return true;
	default:
		return false;
	}
}

/* `name`: the option's. */
static bool take(struct run_options *o, int option, const char *name,
		 const char *arg)
{
	struct session_options *s = &o->session;

	switch (option) {
	case OUT:
		s->out = arg;
		return *arg;
	case IMAGES:
		s->images = arg;
		return *arg;
	case SEED:
		s->seed_given = true;
		return whole_number(arg, &s->seed);
	case SET:
		if (s->parameter_count == SESSION_PARAMETERS_MAX ||
		    !strchr(arg, '=') || strchr(arg, '\n'))
			return false;
		s->parameter[s->parameter_count++] = arg;
		return true;
	case INJECT:
		if (s->plan_count == SESSION_PLAN_MAX || strchr(arg, '\n'))
			return false;
		s->plan[s->plan_count++] = arg;
		return true;
	case FIRMWARE:
		s->firmware = arg;
		return *arg;
	case TIMING:
		s->timing_given = true;
		return timing_model_find(arg, &s->timing);
	case PROFILE:
		s->profile = arg;
		return *arg;
	case INPUT:
		s->input = arg;
		return *arg;
	case TRACE:
		s->classes_given = true;
		return session_classes(arg, &s->classes);
	case TRACE_SELECT:
		return session_select_add(s, name + strlen("trace-"), arg);
	case CYCLES:
		return session_cycles_option(s, arg);
	case UNTIL:
		return session_instant(arg, &s->until);
	case PIECES:
		return whole_number(arg, &s->pieces);
	case SNAPSHOTS:
		return whole_number(arg, &s->snapshots) && s->snapshots <= 1000;
	case JSON:
		o->json = true;
		return true;
	case QUIET:
		o->quiet = true;
		return true;
	case GDB:
		o->gdb = arg;
		return *arg;
	case 's':
		o->gdb = "tcp:1234";
		return true;
	case 'S':
		o->stopped = true;
		return true;
	case 'o':
		o->file = arg;
		return *arg;
	default:
		return take_show(o, option, arg);
	}
}

/* What only `parterre run` can do, and not all at once. */
static const char *misplaced(const struct run_options *o, const char *command)
{
	bool shown = o->ui || o->window;

	if ((o->gdb || o->stopped || shown) && strcmp(command, "run") != 0)
		return "--gdb, -s, -S, --ui and --window are for parterre run";
	if ((o->ui && o->window) || (shown && o->gdb))
		return "one of --ui, --window and --gdb";
	if (!shown && (o->show.stop_at || o->show.speed))
		return "--stop-at and --speed are for --ui or --window";
	return NULL;
}

bool run_options_parse(struct run_options *o, int argc, char **argv,
		       const char *help, int operands, int *status)
{
	int option, long_index;

	memset(o, 0, sizeof(*o));
	o->session.images = default_images();
	o->session.outside = with.outside;
	o->session.classes = TRACE_CLASS_PARTITION | TRACE_CLASS_MACHINE;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:sS", options,
				     &long_index)) != -1) {
		if (option == HELP) {
			printf("%s%s", help, run_options_help);
			*status = EXIT_HELD;
			return false;
		}
		if (option == '?') {
			*status = usage_error(argv[0],
					      "%s: no such option, or its "
					      "argument is missing",
					      argv[optind - 1]);
			return false;
		}
		if (!take(o, option,
			  option > UINT8_MAX ? options[long_index].name : "",
			  optarg)) {
			*status = usage_error(
				argv[0], "--%s: '%s' is not what it takes",
				option == 'o' ? "o" : options[long_index].name,
				optarg);
			return false;
		}
	}
	if (o->session.profile && access(o->session.profile, R_OK) < 0) {
		*status = usage_error(argv[0], "--profile %s: %s",
				      o->session.profile, strerror(errno));
		return false;
	}
	if (misplaced(o, argv[0])) {
		*status = usage_error(argv[0], "%s", misplaced(o, argv[0]));
		return false;
	}
	o->operands = argc - optind;
	if (o->operands != operands) {
		*status = usage_error(argv[0], "%d operands, wanted %d",
				      o->operands, operands);
		return false;
	}
	for (int i = 0; i < operands; i++)
		o->operand[i] = argv[optind + i];
	o->session.scenario = o->operand[operands - 1];
	o->session.live = !o->quiet && isatty(STDERR_FILENO);
	return true;
}

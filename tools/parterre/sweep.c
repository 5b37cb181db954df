/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep.c - parterre sweep: the scenario runs once, and from
 * each instant of a range a fork of it goes on with the fault, to the
 * scenario's end.
 *
 * An instant is a boundary between two instructions, named by how many all CPUs
 * have retired before it (machine_stop_at()).  A child is the very run that
 * `parterre run --inject 'FAULT @ COUNTi'` makes: same events, same chain.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/database.h"
#include "cpu/cpu.h"
#include "devices/nvme_subsys.h"
#include "sim/check.h"
#include "sim/digest.h"
#include "sim/fault.h"
#include "sim/forks.h"
#include "sim/net_switch.h"
#include "sim/scenario/script.h"
#include "sim/trace/trace.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"
#include "tools/parterre/sweep.h"

#define CHILD_SECONDS 120

/* With --left-by one run stands for no more boundaries than that at which the
 * partition executes, so that deaths are tried as close together in time. */
#define GROUP_MAX 64

/* Tags of forks: a run's place in sum.result; of a pair beside, its place twice
 * and which of both; the run without a fault that tells where DMA goes. */
#define TAG_BESIDE  (UINT64_C(1) << 62)
#define TAG_WITHOUT (UINT64_C(1) << 63)

_Static_assert(sizeof(((struct sweep_result *)0)->outcome) ==
		       SESSION_OUTCOME_BYTES,
	       "it is the scenario's");

/* One end of the range. */
struct place {
	ps_t when;        /* PS_NEVER: not by time */
	uint64_t retired; /* UINT64_MAX: not by count */
	char mark[32];    /* "": not by a mark */
	bool reached;     /* by its mark */
};

struct sweep {
	struct sweep_sum sum;
	struct place from, to;
	enum {
		BEFORE,
		INSIDE,
		AFTER
	} phase;
	bool events;
	const struct trace_kind *kind; /* of the events; NULL: any */
	uint64_t next;                 /* instant */
	ps_t ran;                      /* sum.running, till the last instant, */
	bool runs;                     /* and then */
	struct sweep_left left;
	bool watches; /* --accesses */
	struct sweep_access access;
	uint64_t passed; /* instructions, up to the last branch */
	bool lost;       /* there is no sum.running */
	uint32_t index;  /* of sum.running */
	unsigned group;  /* boundaries at which it executes, --left-by */
	struct forks *forks;
	struct oracle *oracle;
	struct sweep_beside beside;
	/* In a child: */
	bool child, without, spoils;
	struct machine *machine;
	struct digest *events_of;
	uint64_t changes; /* of the disk, in order */
	void (*changed)(void *owner, enum disk_op op, uint64_t lba,
			uint64_t blocks);
	void *changed_owner;
	uint64_t replays;
	struct sweep_result mine;
	/* Options. */
	const char *over, *table, *figure;
	uint64_t jobs;
};

static const char help[] =
	"usage: parterre sweep [OPTION...] --fault FAULT --over RANGE "
	"SCENARIO\n"
	"Runs the scenario once, and again with the fault at each instant of "
	"the\n"
	"range.  Ends with status 5 if any of these runs fails.\n"
	"  --fault FAULT   docs/faults.md: 'crash io.a'\n"
	"  --over A..B     A and B: an instant (40ms), a count of "
	"instructions\n"
	"                  (12345i), or the NAME of a mark() in the scenario\n"
	"  --every N       each Nth instruction boundary; 1 if nothing is "
	"said\n"
	"  --every event   the boundaries behind a trace event of class "
	"partition\n"
	"  --every NAME    ... behind an event of that name\n"
	"  --while PARTITION  where this one does not run, one instant stands "
	"for\n"
	"                  all up to where it does: right for faults that "
	"change\n"
	"                  nothing but what it executes (crash, hang, "
	"livelock)\n"
	"  --left-by PARTITION  and where it has changed nothing but its own\n"
	"                  memory that no device uses, one instant stands for "
	"all\n"
	"                  up to where it does: right where it begins anew "
	"after\n"
	"                  the fault, all its memory renewed\n"
	"  --beside N      with --left-by: each Nth of the instants that "
	"another\n"
	"                  stands for has runs of its own too, to be compared\n"
	"  --accesses 'PARTITION WHERE BYTES'  one instant stands for all up "
	"to\n"
	"                  where this one reads or writes these bytes: right\n"
	"                  for faults that change nothing but them\n"
	"  --jobs N        runs at once (as many as there are CPUs)\n"
	"  --table FILE    a line for each instant, comma-separated\n"
	"  --figure FILE   an SVG: stall against instant\n";

/* ---- the range ---- */

static bool read_place(const char *text, size_t bytes, struct place *p)
{
	char word[40], *end;

	*p = (struct place){.when = PS_NEVER, .retired = UINT64_MAX};
	if (!bytes || bytes >= sizeof(p->mark))
		return false;
	snprintf(word, sizeof(word), "%.*s", (int)bytes, text);
	if (session_instant(word, &p->when))
		return true;
	p->when = PS_NEVER;
	if (*word < '0' || *word > '9') {
		snprintf(p->mark, sizeof(p->mark), "%.31s", word);
		return true;
	}
	p->retired = strtoull(word, &end, 10);
	return strcmp(end, "i") == 0;
}

static bool is_there(const struct place *p, const struct session *s)
{
	return p->reached || session_now(s) >= p->when ||
	       machine_retired(s->machine) >= p->retired;
}

/* ---- the run ---- */

/* Where exactly somebody died is when. */
static void note_event(struct sweep *w, const struct trace_record *r)
{
	char text[512], *rip;
	bool landmark;

	if (!semantic_text(NULL, r, text, sizeof(text), &landmark))
		return;
	rip = strstr(text, " rip ");
	if (rip)
		*rip = '\0';
	digest_feed(w->events_of, text, strlen(text) + 1);
}

static bool on_event(void *owner, const struct trace_record *r)
{
	struct sweep *w = owner;

	oracle_note(w->oracle, r);
	if (w->events_of)
		note_event(w, r);
	/* Its next program's frames have been scrubbed. */
	if (w->child && !w->without && w->sum.left_by &&
	    r->kind->number == TRACE_EV_STATE && r->value[0].u == w->index &&
	    r->value[2].u == PART_STATE_RUNNING)
		sweep_left_marked(&w->left, w->machine);
	return w->events && w->phase == INSIDE &&
	       (!w->kind || w->kind == r->kind);
}

static bool on_mark(void *owner, const char *name)
{
	struct sweep *w = owner;
	struct place *p = w->phase == BEFORE ? &w->from : &w->to;

	if (w->phase == AFTER || !p->mark[0] || strcmp(p->mark, name) != 0)
		return false;
	return p->reached = true;
}

static struct nvme_subsys *disk_of(struct session *s)
{
	return (struct nvme_subsys *)machine_device(s->machine, "disk0");
}

/* The console's files, and what is kept of the network, are flushed and the
 * parent's. */
static bool leave_files(struct session *s, struct error *err)
{
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		s->console[i].file = fopen("/dev/null", "wb");
		CHECK(s->console[i].file);
	}
	return !s->net || net_switch_capture_end(s->net, err);
}

static void on_change(void *owner, enum disk_op op, uint64_t lba,
		      uint64_t blocks)
{
	struct sweep *w = owner;
	uint64_t link[] = {op, lba, blocks};

	w->changes = digest_fold(w->changes, link, sizeof(link));
	if (w->changed)
		w->changed(w->changed_owner, op, lba, blocks);
}

/* Who does what from now on, for --beside. */
static void watch_events(struct sweep *w, struct session *s)
{
	struct nvme_subsys *disk = disk_of(s);

	w->events_of = digest_create();
	if (!disk)
		return;
	w->changed = disk->space[0].disk.changed;
	w->changed_owner = disk->space[0].disk.owner;
	disk->space[0].disk.changed = on_change;
	disk->space[0].disk.owner = w;
}

static bool become_child(struct sweep *w, struct session *s, struct error *err)
{
	unsigned cpu = machine_stopped_cpu(s->machine);

	w->child = true;
	w->machine = s->machine;
	w->phase = AFTER;
	w->events = false;
	if (w->watches)
		sweep_access_end(&w->access, s->machine);
	if (!leave_files(s, err))
		return false;
	if (w->without)
		return true;
	w->replays = s->timeline.replays;
	w->mine.retired = w->next;
	w->mine.at = session_now(s);
	snprintf(w->mine.who, sizeof(w->mine.who), "%s",
		 partition_view_name(s->view,
				     partition_view_current(s->view, cpu)));
	s->timeline.fault_count = 0; /* the next one is ours */
	if (w->beside.every)
		watch_events(w, s);
	if (!session_fault(s, w->sum.fault, err))
		return false;
	if (w->sum.left_by)
		sweep_left_fault(&w->left, s->view, w->index, w->spoils);
	return true;
}

static void rearm(struct sweep *w, struct session *s)
{
	struct session_watch *watch = &s->watch[SESSION_WATCH_SWEEP];
	const struct place *p = w->phase == BEFORE ? &w->from : &w->to;

	watch->when = w->phase == AFTER ? PS_NEVER : p->when;
	watch->retired = w->phase == AFTER ? UINT64_MAX : p->retired;
	if (w->phase == INSIDE && !w->events && !w->watches &&
	    w->next < watch->retired)
		watch->retired = w->next;
}

/* The last branch stands for this instant too: whoever the fault is to hit ran
 * neither then nor since; while its monitor runs for it, it doesn't. */
static bool is_the_same(struct sweep *w, struct session *s, bool *runs,
			struct error *err)
{
	struct partition_info p;
	bool ran = *runs;

	*runs = true;
	if (!w->sum.running)
		return false;
	if (!partition_view_find(s->view, w->sum.running, &p, err)) {
		w->lost = true;
		return false;
	}
	w->index = p.index;
	ran |= p.ran != w->ran; /* since then, if not every boundary is seen */
	w->ran = p.ran;
	*runs = false;
	for (unsigned i = 0; i < machine_cpu_count(s->machine); i++)
		*runs |= partition_view_current(s->view, i) == p.index &&
			 cpu_cpl(machine_cpu(s->machine, i)) == 3;
	if (w->sum.left_by && *runs &&
	    sweep_left_same(&w->left, s->view, p.index,
			    !ran || w->sum.every != 1) &&
	    w->sum.count && ++w->group < GROUP_MAX)
		return true;
	if (*runs)
		w->group = 0;
	return !*runs && !ran && w->sum.count;
}

/* One instant: true in the child. */
static bool branch(struct sweep *w, struct session *s)
{
	if (isatty(STDERR_FILENO) && w->sum.count % 64 == 0)
		fprintf(stderr, "\r\033[K%10.6f ms  %zu instants",
			(double)session_now(s) / (double)PS_PER_MS,
			w->sum.count);
	w->sum.count++;
	if ((w->sum.count & (w->sum.count - 1)) == 0) {
		w->sum.result = reallocarray(w->sum.result, 2 * w->sum.count,
					     sizeof(*w->sum.result));
		CHECK_MSG(w->sum.result, "out of memory for a sweep");
	}
	memset(&w->sum.result[w->sum.count - 1], 0, sizeof(*w->sum.result));
	return forks_child(w->forks, w->sum.count - 1);
}

/* Where one instant stands for this one: true in a child. */
static bool branch_beside(struct sweep *w)
{
	if (!w->sum.left_by || !w->runs || !w->beside.every ||
	    !sweep_beside_due(&w->beside, w->sum.count - 1))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (forks_child(w->forks,
				TAG_BESIDE | (w->beside.count - 1) * 2 | i)) {
			w->spoils = i;
			return true;
		}
	}
	return false;
}

/* A run without a fault tells where DMA goes: true in it. */
static bool branch_without(struct sweep *w, struct session *s)
{
	sweep_left_begin(&w->left, s->machine);
	if (forks_child(w->forks, TAG_WITHOUT))
		return w->without = true;
	sweep_left_marked(&w->left, s->machine);
	forks_wait(w->forks);
	return false;
}

/* With --accesses: all since the last branch. */
static void count_passed(struct sweep *w, uint64_t retired)
{
	if (w->sum.count)
		w->sum.result[w->sum.count - 1].same += retired - w->passed - 1;
	w->passed = retired;
}

/* Does an instant of its own begin here? */
static bool is_next(struct sweep *w, const struct session *s, uint64_t retired)
{
	if (!w->watches || !w->sum.count)
		return retired >= w->next;
	return s->stop == MACHINE_WATCH && retired > w->passed &&
	       sweep_access_made(&w->access, s->view);
}

static bool on_reached(void *owner, struct session *s, struct error *err)
{
	struct sweep *w = owner;
	uint64_t retired = machine_retired(s->machine);

	if (w->phase == BEFORE && is_there(&w->from, s)) {
		w->phase = INSIDE;
		w->next = retired;
		if (s->next)
			return error_set(err, EXIT_USAGE,
					 "a sweep takes one machine");
		/* What children would share with us and with each other. */
		if (!session_detach_disks(s, err) ||
		    (w->watches &&
		     !sweep_access_begin(&w->access, s->view, err)))
			return false;
		if (w->sum.left_by && branch_without(w, s))
			return become_child(w, s, err);
	}
	if (w->phase == INSIDE && is_there(&w->to, s)) {
		w->phase = AFTER;
		if (w->watches) {
			sweep_access_end(&w->access, s->machine);
			count_passed(w, retired);
		}
	}
	if (w->phase == INSIDE && is_next(w, s, retired)) {
		if (w->watches)
			count_passed(w, retired);
		w->next = retired;
		if (is_the_same(w, s, &w->runs, err)) {
			w->sum.result[w->sum.count - 1].same++;
			if (branch_beside(w))
				return become_child(w, s, err);
		} else if (w->lost) {
			return false;
		} else if (branch(w, s)) {
			return become_child(w, s, err);
		}
		w->next = retired + (w->events ? 1 : w->sum.every);
	}
	rearm(w, s);
	return true;
}

/* ---- what comes of a child ---- */

static void judge(struct sweep *w, struct session *s)
{
	struct sweep_result *r = &w->mine;
	struct partition_violation violation;
	struct nvme_subsys *disk = disk_of(s);
	struct oracle_report o = {0};
	uint64_t pfn;

	partition_view_look(s->view);
	r->contained = partition_view_check(s->view, &violation);
	if (!r->contained ||
	    (!s->any_code && !partition_view_conforms(s->view, &violation))) {
		snprintf(r->text, sizeof(r->text), "%.300s", violation.text);
		r->status = EXIT_INVARIANT;
	}
	if (!r->status && w->sum.left_by &&
	    sweep_left_strayed(&w->left, &pfn)) {
		snprintf(r->text, sizeof(r->text),
			 "a device reads or writes frame 0x%" PRIx64
			 ", which it does not without a fault: --left-by did "
			 "not look at it; use --while",
			 pfn);
		r->status = EXIT_INVARIANT;
	}
	if (!disk)
		return;
	r->disk = digest_fold(0, disk->space[0].disk.own,
			      disk->space[0].disk.blocks *
				      disk->space[0].disk.block_bytes);
	if (w->events_of)
		digest_feed(w->events_of, &w->changes, sizeof(w->changes));
	oracle_judge(w->oracle, disk->space[0].disk.own,
		     disk->space[0].disk.blocks *
			     disk->space[0].disk.block_bytes,
		     &o);
	r->lost = o.lost;
	r->doubled = o.doubled;
	r->torn = o.torn;
	r->misordered = o.misordered;
	if (oracle_holds(&o) || r->status == EXIT_INVARIANT)
		return;
	r->status = EXIT_INVARIANT;
	snprintf(r->text, sizeof(r->text), "%.300s", o.note[0]);
}

_Noreturn static void child_end(struct sweep *w, struct session *s,
				const struct error *err)
{
	struct sweep_result *r = &w->mine;
	const struct timeline_fault *f = &s->timeline.fault[0];

	r->status = err->code;
	snprintf(r->text, sizeof(r->text), "%.310s",
		 err->code ? err->text : "");
	r->end = session_now(s);
	r->chain = machine_chain(s->machine);
	memcpy(r->outcome, s->outcome, sizeof(r->outcome));
	r->replayed = s->timeline.replays - w->replays;
	r->detected = r->moved = r->first_io = PS_NEVER;
	if (s->timeline.fault_count) {
		r->detected = f->detected;
		r->by_report = f->by_report;
		r->moved = f->moved;
		r->first_io = f->first_io;
	}
	if (!w->without)
		judge(w, s);
	if (w->events_of)
		r->events = digest_value(w->events_of);
	forks_report(w->forks, r);
}

static void on_done(void *owner, uint64_t tag, const void *result, int signal)
{
	struct sweep *w = owner;
	struct sweep_result *r, without;
	uint64_t same; /* is counted here meanwhile */

	if (tag & TAG_WITHOUT)
		r = &without; /* how it ends is the parent's to tell */
	else if (tag & TAG_BESIDE)
		r = &w->beside.pair[(tag - TAG_BESIDE) / 2].run[tag % 2];
	else
		r = &w->sum.result[tag];
	same = tag & TAG_WITHOUT ? 0 : r->same;
	if (result) {
		memcpy(r, result, sizeof(*r));
		r->same = same;
		return;
	}
	r->detected = r->moved = r->first_io = PS_NEVER;
	r->status = EXIT_HOST;
	snprintf(r->text, sizeof(r->text),
		 "instant %" PRIu64 " of the range: the run died by signal %d",
		 tag & ~TAG_BESIDE, signal);
	CHECK_MSG(!(tag & TAG_WITHOUT), "the run without a fault: signal %d",
		  signal);
}

/* ---- the command ---- */

static void take_event(struct sweep *w, const char *name)
{
	w->events = true;
	w->kind = trace_kind_by_name(name);
}

/* Options that are ours go from argv; false: a usage error in *status. */
static bool take_options(struct sweep *w, int *argc, char **argv, int *status)
{
	int kept = 1;

	w->sum.every = 1;
	for (int i = 1; i < *argc; i++) {
		const char *const names[] = {
			"--fault",    "--over",   "--every", "--jobs",
			"--table",    "--figure", "--while", "--left-by",
			"--accesses", "--beside"};
		const char **const to[] = {&w->sum.fault,
					   &w->over,
					   NULL,
					   NULL,
					   &w->table,
					   &w->figure,
					   &w->sum.running,
					   &w->sum.running,
					   &w->sum.accesses,
					   NULL};
		uint64_t *const number[] = {[2] = &w->sum.every,
					    [3] = &w->jobs,
					    [9] = &w->beside.every};
		char nothing[] = "", *end = nothing;
		size_t n = 0;

		while (n < ARRAY_LEN(names) && strcmp(argv[i], names[n]) != 0)
			n++;
		if (n == ARRAY_LEN(names) || i + 1 == *argc) {
			argv[kept++] = argv[i];
			continue;
		}
		i++;
		w->sum.left_by |= n == 7;
		w->watches |= n == 8;
		if (n == 8 && !sweep_access_read(&w->access, argv[i])) {
			*status = usage_error("sweep",
					      "--accesses: '%s' is not "
					      "PARTITION WHERE BYTES",
					      argv[i]);
			return false;
		}
		if (to[n])
			*to[n] = argv[i];
		else if (n == 2 && (strcmp(argv[i], "event") == 0 ||
				    trace_kind_by_name(argv[i])))
			take_event(w, argv[i]);
		else
			*number[n] = strtoull(argv[i], &end, 10);
		if (*end || !argv[i][0] || !w->sum.every || w->jobs > 1024 ||
		    (n == 3 && !w->jobs) || (n == 9 && !w->beside.every)) {
			*status = usage_error("sweep",
					      "%s: '%s' is not what it takes",
					      argv[i - 1], argv[i]);
			return false;
		}
	}
	*argc = kept;
	argv[kept] = NULL;
	return true;
}

static bool check_options(struct sweep *w, int *status)
{
	const char *dots = w->over ? strstr(w->over, "..") : NULL;
	struct error err;

	*status = EXIT_USAGE;
	if (!w->sum.fault || !w->over) {
		usage_error("sweep", "--fault and --over have to be given");
		return false;
	}
	if (!fault_known(w->sum.fault, &err)) {
		complain("sweep", &err);
		return false;
	}
	if (w->beside.every && (!w->sum.left_by || w->sum.every != 1)) {
		usage_error("sweep", "--beside goes with --left-by, at every "
				     "boundary");
		return false;
	}
	if (!dots || !read_place(w->over, (size_t)(dots - w->over), &w->from) ||
	    !read_place(dots + 2, strlen(dots + 2), &w->to)) {
		usage_error("sweep",
			    "--over: '%s' is not A..B with an instant (40ms), "
			    "a count (12345i) or a mark's name each",
			    w->over);
		return false;
	}
	return true;
}

/* The options that make a run what it is, as far as a run needs them. */
static char *repeat_text(const struct session_options *o)
{
	static char text[2048];
	int n = snprintf(text, sizeof(text), "%s run %s", run_program(),
			 o->scenario);

	if (o->seed_given)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " --seed %" PRIu64, o->seed);
	for (size_t i = 0; i < o->parameter_count && n < 1800; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " --set '%s'",
			      o->parameter[i]);
	for (size_t i = 0; i < o->plan_count && n < 1800; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " --inject '%s'", o->plan[i]);
	return text;
}

static int show(struct sweep *w, bool json)
{
	struct error err;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (json)
		sweep_print_json(&w->sum);
	else
		sweep_print(&w->sum);
	fflush(stdout);
	if ((w->table && !sweep_write_table(&w->sum, w->table, &err)) ||
	    (w->figure && !sweep_write_figure(&w->sum, w->figure, &err)))
		return complain("sweep", &err);
	if (w->sum.status)
		return w->sum.status;
	if (!w->sum.count)
		return usage_error("sweep",
				   "--over %s: the run never came there, or "
				   "nothing happened in between",
				   w->over);
	return sweep_failed(&w->sum) ? EXIT_INVARIANT : EXIT_HELD;
}

int main_sweep(int argc, char **argv)
{
	static struct session s;
	static struct sweep w;
	struct run_options o;
	struct error err = {0}, end;
	int status;

	if (!take_options(&w, &argc, argv, &status) ||
	    !run_options_parse(&o, argc, argv, help, 1, &status) ||
	    !check_options(&w, &status))
		return status;
	o.session.classes = 0;
	o.session.classes_given = true;
	o.session.live = false;
	w.sum.scenario = o.session.scenario;
	w.sum.repeat = repeat_text(&o.session);
	if (w.events)
		w.sum.every = 0;
	if (w.kind)
		o.session.listen = TRACE_CLASS_PARTITION | w.kind->class;
	w.oracle = oracle_begin();
	w.forks = forks_create((unsigned)w.jobs, sizeof(w.mine), CHILD_SECONDS,
			       on_done, &w);
	if (!session_open(&s, &o.session, &err))
		return complain("sweep", &err);
	s.watch[SESSION_WATCH_SWEEP] = (struct session_watch){
		.event = on_event,
		.mark = on_mark,
		.reached = on_reached,
		.owner = &w,
	};
	rearm(&w, &s);
	err.code = EXIT_HELD;
	if (script_run(&s, &err))
		err.code = EXIT_HELD;
	if (w.child)
		child_end(&w, &s, &err);
	forks_wait(w.forks);
	w.sum.looked_at = w.left.pages;
	w.sum.beside = w.beside.every ? &w.beside : NULL;
	w.sum.status = err.code;
	snprintf(w.sum.text, sizeof(w.sum.text), "%.310s",
		 err.code ? err.text : "");
	if (!session_finish(&s, &end) && !w.sum.status)
		w.sum.status = complain("sweep", &end);
	status = show(&w, o.json);
	session_close(&s);
	forks_destroy(w.forks);
	free(w.sum.result);
	free(w.beside.pair);
	sweep_left_end(&w.left);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S30, S31 and S48 under QEMU: what an operator may ask for, and what
 * comes of it, seen at the console and in RAM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_look.h"
#include "rows.h"

/* --- S30 --- */

static const char guest1[] =
	"guest guest1 image guest blocks 1\n"
	"args guest1 stream=1 records=100000 slots=32 flush=8 seed=1 "
	"think=20000\n"
	"disk guest1 prefer io.b extent 0 64\n";

/* Line by line: `loads` policies were loaded by then. */
static void load(const char *policy, const char *more, unsigned loads)
{
	char text[800];
	unsigned lines = 0;

	operator_says("policy load\r", "type the policy", loads);
	snprintf(text, sizeof(text), "%s%s.\n", policy, more);
	for (char *at = text; (at = strchr(at, '\n')); lines++)
		*at = '\r';
	qemu_type(text);
	qemu_wait("policy load: done", loads);
}

/* No mark but `who`'s; `next` has frames of those: what s30-scrub.lua tells of
 * who's own. */
static void marks(const char *who, const char *next, const char *before,
		  char had[2000])
{
	char options[3000];
	const char *at;

	snprintf(options, sizeof(options),
		 "--set who=%s --set next=%s --set 'before=%s'", who, next,
		 before);
	at = strstr(qemu_look("s30-scrub", options), "had ");
	if (had) {
		cr_assert(at);
		snprintf(had, 2000, "%.*s", (int)strcspn(at, "."), at);
	}
	qemu_go();
}

static void marked(const char *who, unsigned times)
{
	char line[64];

	snprintf(line, sizeof(line), "[%s] PASS row 30", who);
	qemu_wait_either(line, "] FAIL row 30");
	cr_assert(!strstr(qemu_console(), "] FAIL row 30"), "%s",
		  qemu_console());
	qemu_wait(line, times);
	snprintf(line, sizeof(line), "[ultravisor] %s stopped", who);
	qemu_wait(line, times);
}

/* Each probe looks through all that it was given before it marks it; what the
 * others have is looked through from outside. */
Test(rows_qemu, s30_scrubbed_before_the_next_owner_on_qemu)
{
	each_cpus(cpus, 1)
	{
		char had[2000];

		qemu_boot(ROWS "policy/s30.policy", cpus);
		marked("probe", 1);
		operator_says("restart probe\r", "restart probe: ", 1);
		marked("probe", 2);
		marks("probe", "", "", had);
		operator_says("release memory 1 probe\r",
			      "release memory: done", 1);
		operator_says("pause guest1\r", "pause guest1: done", 1);
		operator_says("save guest1\r", "save guest1: done", 1);
		operator_says("restore guest1\r", "restore guest1: done", 1);
		marks("probe", "guest1", had, NULL);
		operator_says("resume guest1\r", "resume guest1: done", 1);
		operator_says("start probe\r", "start probe: done", 1);
		marked("probe", 3);

		load(guest1, "", 1);
		qemu_wait("[command] command: probe removed", 1);
		marks("", "", "", NULL);
		load(guest1,
		     "guest heir image probe blocks 2\nargs heir row=30\n"
		     "disk heir prefer io.a extent 128 8\n",
		     2);
		marked("heir", 1);
		marks("heir", "heir", had, had);

		load(guest1, "", 3);
		qemu_wait("[command] command: heir removed", 1);
		load(guest1,
		     "guest third image probe blocks 8\nargs third row=30\n"
		     "disk third prefer io.a extent 128 8\n"
		     "guest vast image probe blocks 60\nargs vast row=30\n",
		     4);
		qemu_wait("command: create vast refused: ENOMEM", 1);
		marked("third", 1);
		marks("third", "third", had, NULL);
		operator_says("scan\r", "scan: every invariant holds", 1);
		qemu_end();
	}
}

/* --- S31 --- */

static const struct {
	const char *word, *line;
} verbs[] = {
	{"pause ", "pause guest1"},
	{"resume ", "resume guest1"},
	{"save ", "save guest1"},
	{"restore ", "restore guest1"},
	{"stop ", "stop guest1"},
	{"restart ", "restart guest1"},
	{"destroy ", "destroy guest1"},
	{"assign ", "assign memory 1 guest1"},
	{"release ", "release memory 1 guest1"},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* The scan's answers so far. */
static unsigned scans;

/* The line's answer is a refusal, from `console` on; behind it. */
static const char *refusal(const char *console, const char *line)
{
	char echo[80];
	const char *at, *answer;

	snprintf(echo, sizeof(echo), "[operations] > %s", line);
	at = strstr(console, echo);
	cr_assert(at, "%s was not typed:\n%s", line, console);
	answer = strstr(at + 1, "[operations] ");
	cr_assert(answer &&
			  strstr(answer, "refused at operation 0, nothing was "
					 "changed: ESTATE") -
					  answer <
				  80,
		  "%s was not refused:\n%s", line, console);
	return answer;
}

static void refused(const char *line)
{
	size_t before = strlen(qemu_console());

	qemu_type(line);
	operator_says("\rscan\r", "scan: every invariant holds", ++scans);
	refusal(qemu_console() + before, line);
}

/* All verbs but those whose words are in `legal`, one after the other, and a
 * scan after each; guest1 is in that state before and after. */
static void all_but(const char *legal, const char *state)
{
	size_t before = strlen(qemu_console());
	char begin[40];
	const char *at;

	for (unsigned i = 0; i < VERBS; i++) {
		if (strstr(legal, verbs[i].word))
			continue;
		qemu_type(verbs[i].line);
		qemu_type("\rscan\r");
		scans++;
	}
	qemu_wait("scan: every invariant holds", scans);
	at = qemu_console() + before;
	for (unsigned i = 0; i < VERBS; i++) {
		if (!strstr(legal, verbs[i].word))
			at = refusal(at, verbs[i].line);
	}
	snprintf(begin, sizeof(begin), "partition guest1 %s ", state);
	at = line_of(qemu_look("look", ""), "guest1");
	cr_assert(strncmp(at, begin, strlen(begin)) == 0, "%s, not %s", at,
		  begin);
	qemu_go();
}

static void done(const char *line, const char *answer, unsigned times)
{
	qemu_type(line);
	qemu_wait(answer, times);
	operator_says("scan\r", "scan: every invariant holds", ++scans);
}

static void copies_again(void)
{
	const char *at = qemu_console();
	unsigned times = 0;

	for (; (at = strstr(at, "] copy: 8 blocks, sum 0, the same")); at++)
		times++;
	qemu_wait("] copy: 8 blocks, sum 0, the same", times + 1);
}

Test(rows_qemu, s31_illegal_transitions_are_refused_on_qemu)
{
	each_cpus(cpus, 2)
	{
		scans = 0;
		qemu_boot(ROWS "policy/s31.policy", cpus);
		qemu_wait("[command] command: guest2 started", 1);
		all_but("pause stop restart ", "running");
		done("pause guest1\r", "pause guest1: done", 1);
		all_but("resume save stop restart ", "paused");
		done("resume guest1\r", "resume guest1: done", 1);
		done("pause guest1\r", "pause guest1: done", 2);
		done("save guest1\r", "save guest1: done", 1);
		all_but("restore destroy ", "saved");
		done("restore guest1\r", "restore guest1: done", 1);
		all_but("resume save stop restart ", "paused");
		done("resume guest1\r", "resume guest1: done", 2);

		/* One that stands still is stopped at once. */
		done("pause guest1\r", "pause guest1: done", 3);
		done("stop guest1\r", "[ultravisor] guest1 stopped", 1);
		all_but("restart destroy assign release ", "stopped");
		refused("destroy guest1"); /* its channels are there yet */
		done("assign memory 1 guest1\r", "assign memory: done", 1);
		done("release memory 1 guest1\r", "release memory: done", 1);
		done("restart guest1\r", "restart guest1: ", 1);
		copies_again();

		/* One in use is not released, one that is somebody's not given.
		 */
		refused("release device 00:02.0");
		refused("assign device 00:02.0 io.b");
		done("pause io.a\r", "pause io.a: done", 1);
		refused("release device 00:02.0");
		done("resume io.a\r", "resume io.a: done", 1);
		copies_again();
		qemu_end();
	}
}

/* --- S48 --- */

#define SPINNERS 6
#define SPAN_NS                                                                \
	300000000          /* that much goes by between two looks; twice as    \
			      much with windows, whose ends come when QEMU     \
			      turns to their CPU */
#define CAP_NS   100000000 /* caps count over so long (abi/lead.h) */
#define A_CAP_NS 10000000  /* guest2's in each */

/* What each of the six had, and, with what it was kept from, how late it is;
 * which window of the last CPU's cyclic frame it is. */
struct times {
	long long had[SPINNERS];
	long long now;
	unsigned window;
};

static struct times times_now(void)
{
	const char *looked = qemu_look("look", ""), *line = looked;
	struct times t;

	for (const char *at = looked; (at = strstr(at, " window ")); at++)
		line = at;
	t.window = (unsigned)number_in(line, " window ");
	for (unsigned i = 0; i < SPINNERS; i++) {
		char who[16];

		snprintf(who, sizeof(who), "guest%u", i + 1);
		line = line_of(looked, who);
		t.had[i] = (long long)number_in(line, " ran ");
		/* guest6 always wants to run. */
		t.now = t.had[i] + (long long)number_in(line, " stolen ");
	}
	qemu_go();
	return t;
}

/* The same, when guest2 has had what its cap allows until the next stretch of
 * caps begins, and in the window after guest1's first: between two such
 * instants are whole frames, but for what is shared of one. */
static struct times times_capped(void)
{
	struct times before = times_now();

	for (unsigned looks = 0; looks < 100; looks++) {
		struct times t;

		qemu_run_for(100);
		t = times_now();
		if (t.had[1] == before.had[1] && t.now > before.now &&
		    t.window == 1)
			return t;
		before = t;
	}
	cr_assert_fail("the cap holds nobody");
	return before;
}

static struct times span(struct times from, struct times (*look)(void),
			 long long ns)
{
	struct times t;

	do {
		qemu_run_for(1500);
		t = look();
	} while (t.now - from.now < ns);
	for (unsigned i = 0; i < SPINNERS; i++)
		t.had[i] -= from.had[i];
	t.now -= from.now;
	return t;
}

static void within_1_percent(double had, double wanted, const char *what,
			     unsigned guest)
{
	cr_assert(had >= wanted * 0.99 && had <= wanted * 1.01,
		  "%s, guest%u: had %.0f ns, wanted %.0f", what, guest, had,
		  wanted);
}

/* Weights of the guests that share a CPU, 0: has no weight alone. */
static void by_weight(const struct times *t, const unsigned weight[SPINNERS],
		      unsigned cpus)
{
	for (unsigned from = 0, to; from < SPINNERS; from = to) {
		double had = 0, sum = 0;

		to = cpus > 1 && from < 4 ? 4 : SPINNERS;
		for (unsigned i = from; i < to; i++) {
			had += weight[i] ? (double)t->had[i] : 0;
			sum += weight[i];
		}
		for (unsigned i = from; i < to; i++) {
			if (weight[i])
				within_1_percent((double)t->had[i],
						 had * weight[i] / sum,
						 "by weight", i + 1);
		}
	}
}

static void transaction(const char *const *lines, unsigned count, unsigned nth)
{
	operator_says("begin\r", "transaction begun", nth);
	for (unsigned i = 0; i < count; i++) {
		qemu_type(lines[i]);
		qemu_type("\r");
	}
	operator_says("commit\r", "transaction: done", nth);
	qemu_run_for(200); /* what had begun by the old rules is over */
}

/* Four guests on the last CPU, two on the first: by weights; then with windows
 * for guest1 and a cap for guest2, and other weights beside them. */
Test(rows_qemu, s48_weights_caps_and_frames_on_qemu)
{
	static const unsigned first[] = {400, 300, 200, 100, 100, 300},
			      then[] = {0, 0, 100, 300, 100, 300};

	each_cpus(cpus, 1)
	{
		char text[2 * SPINNERS][80];
		const char *lines[2 * SPINNERS];
		struct times t;
		double windows;

		qemu_boot(SOURCE_DIR "/scenarios/policy/spinning.policy", cpus);
		qemu_wait("[command] command: guest6 started", 1);
		for (unsigned i = 0; i < 2 * SPINNERS; i++)
			lines[i] = text[i];
		for (unsigned i = 0; i < SPINNERS; i++) {
			snprintf(text[2 * i], sizeof(text[0]),
				 "move guest%u cpu %u", i + 1,
				 i < 4 ? cpus - 1 : 0);
			snprintf(text[2 * i + 1], sizeof(text[0]),
				 "schedule guest%u quantum 50", i + 1);
		}
		transaction(lines, 2 * SPINNERS, 1);
		t = span(times_now(), times_now, SPAN_NS);
		by_weight(&t, first, cpus);

		snprintf(text[0], sizeof(text[0]),
			 "frame %u guest1 1000 shared 1800 guest1 200 "
			 "shared 1000",
			 cpus - 1);
		snprintf(text[1], sizeof(text[0]),
			 "schedule guest2 weight 1000 cap 100");
		snprintf(text[2], sizeof(text[0]),
			 "schedule guest3 weight 100");
		snprintf(text[3], sizeof(text[0]),
			 "schedule guest4 weight 300");
		transaction(lines, 4, 2);
		t = span(times_capped(), times_capped, 2 * SPAN_NS);
		by_weight(&t, then, cpus);
		within_1_percent((double)t.had[0], (double)t.now * 3 / 10,
				 "windows", 1);
		/* Between the two looks so many stretches began. */
		windows = (double)((t.had[1] + A_CAP_NS / 2) / A_CAP_NS);
		within_1_percent((double)t.had[1], windows * A_CAP_NS, "cap",
				 2);
		cr_assert(windows * CAP_NS > (double)t.now - CAP_NS &&
				  windows * CAP_NS < (double)t.now + CAP_NS,
			  "%.0f caps in %lld ns", windows, t.now);
		qemu_end();
	}
}

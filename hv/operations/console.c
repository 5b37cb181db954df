/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/console.c - what the operator types (docs/operator.md).
 *
 * The console shows whole lines alone, so a line is echoed when it is complete.
 * Backspace takes a character back, Ctrl-C the whole line and whatever was
 * begun with it.
 */
#include "operations/operations.h"

#include "lib/log.h"
#include "lib/report.h"
#include "lib/string.h"
#include "lib/sys.h"

#define CTRL_C    3
#define BACKSPACE 8
#define DELETE    127

static char line[LINE_BYTES];
static unsigned bytes;
static bool too_long;
static char last; /* CR LF is one end of line */
static char typed[64];
static unsigned typed_count, typed_at;
static bool (*diverted)(const char *text);

static void show_help(const struct words *w);

static const struct {
	const char *name;
	command *run;
	bool looks;
	const char *usage;
} commands[] = {
	{"help", show_help, true, "help: this list"},
	{"list", show_list, true, "list: all partitions"},
	{"show", show_one, true, "show NAME: one of them, channels, devices"},
	{"devices", show_devices, true, "devices: all, with their owners"},
	{"memory", show_memory, true, "memory: how much is free"},
	{"schedule", change_schedule, false,
	 "schedule [NAME weight|cap|quantum|standing N ...]: look, or change"},
	{"frame", change_frame, false,
	 "frame CPU NAME|shared US ...: a cyclic frame; frame CPU none"},
	{"start", change_start, false, "start NAME: by the policy, or anew"},
	{"stop", change_stop, false, "stop NAME: in order, else by force"},
	{"restart", change_restart, false, "restart NAME: from its image"},
	{"pause", change_pause, false,
	 "pause NAME: it stands still, its channels let go"},
	{"resume", change_resume, false, "resume NAME: it goes on"},
	{"save", change_save, false,
	 "save NAME: a paused one, with its memory"},
	{"restore", change_restore, false,
	 "restore NAME [cpu N]: what was saved, paused"},
	{"destroy", change_destroy, false, "destroy NAME: one that has ended"},
	{"move", change_move, false, "move NAME cpu N: runs there from now on"},
	{"assign", change_assign, false,
	 "assign device BB:DD.F NAME, assign memory BLOCKS NAME"},
	{"release", change_release, false,
	 "release device BB:DD.F, release memory BLOCKS NAME"},
	{"failover", change_failover, false,
	 "failover IO: its channels elsewhere"},
	{"failback", change_failover, false,
	 "failback IO: what prefers it, back"},
	{"begin", ask_begin, false, "begin: what follows gathers"},
	{"commit", ask_commit, false, "commit: all of it, or nothing"},
	{"abort", ask_abort, false, "abort: none of it"},
	{"scan", show_scan, true, "scan: every invariant of the database"},
	{"policy", change_policy, false,
	 "policy show, policy load (then lines, . ends), policy load module"},
	{"type", typed_type, false, "type NAME WORD ...: a line for a guest"},
	{"console", typed_console, false,
	 "console NAME: lines go to a guest, until one with . alone"},
	{"log", journal_log, true, "log [NAME] [N]: the last lines"},
	{"off", change_off, false, "off [CODE]: the machine"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void show_help(const struct words *w)
{
	(void)w;
	for (size_t i = 0; i < COMMANDS; i++)
		logf_("  %s", commands[i].usage);
}

bool number(const char *word, uint64_t high, uint64_t *value)
{
	uint64_t n = 0;
	bool good = word[0] != '\0';

	for (const char *c = word; good && *c != '\0'; c++) {
		good = *c >= '0' && *c <= '9' && n <= high;
		n = n * 10 + (uint64_t)(*c - '0');
	}
	if (!good || n > high) {
		logf_("error: \"%s\" is no number from 0 to %lu", word, high);
		return false;
	}
	*value = n;
	return true;
}

static void split(struct words *w, char *text)
{
	w->count = 0;
	while (w->count < WORDS_MAX) {
		while (*text == ' ' || *text == '\t')
			text++;
		if (*text == '\0')
			break;
		w->word[w->count++] = text;
		while (*text != ' ' && *text != '\t' && *text != '\0')
			text++;
		if (*text != '\0')
			*text++ = '\0';
	}
	for (unsigned i = w->count; i <= WORDS_MAX; i++)
		w->word[i] = "";
}

static void run_line(void)
{
	static char copy[LINE_BYTES];
	struct words w;

	line[bytes] = '\0';
	bytes = 0;
	logf_("> %s", line);
	if (too_long) {
		too_long = false;
		logf_("error: a line has at most %u characters",
		      LINE_BYTES - 1);
		return;
	}
	if (diverted != NULL) {
		if (!diverted(line))
			diverted = NULL;
		return;
	}
	memcpy(copy, line, sizeof(copy));
	split(&w, copy);
	if (w.count == 0)
		return;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, w.word[0]) == 0) {
			/* What was asked and done is worth keeping; what was
			 * looked at is kept elsewhere already. */
			report_quiet(commands[i].looks);
			commands[i].run(&w);
			report_quiet(false);
			return;
		}
	}
	logf_("error: no command \"%s\": try help", w.word[0]);
}

void console_divert(bool (*taker)(const char *text))
{
	diverted = taker;
}

static void drop(void)
{
	bytes = 0;
	too_long = false;
	if (diverted != NULL)
		logf_("dropped");
	diverted = NULL;
}

/* True: a line was run. */
static bool take(char c)
{
	bool end = c == '\r' || (c == '\n' && last != '\r');

	last = c;
	if (end) {
		run_line();
		return true;
	}
	if (c == CTRL_C)
		drop();
	else if ((c == BACKSPACE || c == DELETE) && bytes > 0)
		bytes--;
	else if (c >= ' ' && c < DELETE && bytes < LINE_BYTES - 1)
		line[bytes++] = c;
	else if (c >= ' ' && c < DELETE)
		too_long = true;
	return false;
}

bool console_serve(void)
{
	bool any = false;

	while (!ask_waiting() && !journal_waiting()) {
		if (typed_at == typed_count) {
			int64_t n = sys_console_read(typed, sizeof(typed));

			typed_at = 0;
			typed_count = n > 0 ? (unsigned)n : 0;
			if (typed_count == 0)
				break;
		}
		any = true;
		/* A line at a time: others want to be served too. */
		if (take(typed[typed_at++]))
			break;
	}
	return any;
}

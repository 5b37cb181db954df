/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/shell.c - commands for people, a line each: programs, which
 * are run as processes of their own, and what a shell does itself. */
#include "guest/process/process.h"
#include "lib/string.h"

#define ROWS 16

static struct process_row row[ROWS];

typedef void command(const struct words *w);
static command do_help, do_ps, do_kill, do_wait, do_memory, do_time, do_echo,
	do_put, do_flush;

static const struct {
	const char *name;
	command *run;
	const char *help;
} commands[] = {
	{"help", do_help, "help: this list"},
	{"ps", do_ps, "ps: the processes"},
	{"kill", do_kill, "kill ID"},
	{"wait", do_wait, "wait ID: until it has ended"},
	{"mem", do_memory, "mem: pages"},
	{"time", do_time, "time: of this partition; what was stolen of it"},
	{"echo", do_echo, "echo WORD..."},
	{"put", do_put, "put BLOCK WORD: a block that begins with it"},
	{"flush", do_flush, "flush: what was put is durable then"},
	{"exit", NULL, "exit [CODE]"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void do_help(const struct words *w)
{
	(void)w;
	for (unsigned i = 0; i < COMMANDS; i++)
		print("%s", commands[i].help);
	for (const struct program_row *p = programs; p->name != NULL; p++) {
		if (p->help != NULL)
			print("%s", p->help);
	}
	print("PROGRAM & does not wait for it");
}

static void do_ps(const struct words *w)
{
	int64_t n = call(PROC_LIST, (uintptr_t)row, ROWS);

	(void)w;
	print("   ID STATE PAGES    RUN us CODE COMMAND");
	for (int64_t i = 0; i < n && i < ROWS; i++)
		print("%5lu %c     %5lu %9lu %4lu %s", row[i].id,
		      (char)row[i].state, row[i].pages, row[i].run_ns / 1000,
		      row[i].code, row[i].command);
}

static void result(const char *what, int64_t r)
{
	static const char *const text[] = {
		[PROC_EINVAL] = "a word is missing or out of range",
		[PROC_EIO] = "the disk said no",
		[PROC_ENOENT] = "there is no such process",
		[PROC_ENOMEM] = "no room for another process"};

	if (r < 0)
		print("%s: %s", what, -r <= PROC_ENOMEM ? text[-r] : "failed");
}

static void do_kill(const struct words *w)
{
	result("kill", call(PROC_KILL, words_number(w, 1, 0), 0));
}

static void do_wait(const struct words *w)
{
	int64_t code = call(PROC_WAIT, words_number(w, 1, 0), 0);

	if (code < 0)
		result("wait", code);
	else
		print("code %lu", (uint64_t)code);
}

static void do_memory(const struct words *w)
{
	struct process_memory m = {0};

	(void)w;
	(void)call(PROC_MEMORY, (uintptr_t)&m, 0);
	print("%lu pages, %lu the kernel's, %lu free", m.total, m.kernel,
	      m.free);
}

static void do_time(const struct words *w)
{
	uint64_t t[4] = {0}; /* struct vcpu_time */

	(void)w;
	(void)call(PROC_VTIME, (uintptr_t)t, 0);
	print("%lu us, ran %lu us, stolen %lu us, away %lu us", t[0] / 1000,
	      t[1] / 1000, t[2] / 1000, t[3] / 1000);
}

static void do_echo(const struct words *w)
{
	char line[112];
	size_t n = 0;

	for (unsigned i = 1; i < w->count; i++) {
		for (const char *at = w->word[i];
		     *at != '\0' && n < sizeof(line) - 2; at++)
			line[n++] = *at;
		line[n++] = ' ';
	}
	line[n > 0 ? n - 1 : 0] = '\0';
	print("%s", line);
}

static void do_put(const struct words *w)
{
	if (w->count < 3) {
		result("put", -PROC_EINVAL);
		return;
	}
	memset(block_page, 0, sizeof(block_page));
	str_field((char *)block_page, w->word[2], sizeof(block_page));
	result("put", call(PROC_PUT, words_number(w, 1, ~0ull),
			   (uintptr_t)block_page));
}

static void do_flush(const struct words *w)
{
	(void)w;
	result("flush", call(PROC_FLUSH, 0, 0));
}

static void run(const char *line, const struct words *w)
{
	bool behind = strcmp(w->word[w->count - 1], "&") == 0;
	size_t bytes = strlen(line);
	int64_t id, code;

	while (bytes > 0 && (line[bytes - 1] == ' ' || line[bytes - 1] == '&'))
		bytes--;
	id = call(PROC_SPAWN, (uintptr_t)line, bytes);
	if (id < 0) {
		result(w->word[0], id);
		return;
	}
	if (behind) {
		print("process %lu", (uint64_t)id);
		return;
	}
	code = call(PROC_WAIT, (uint64_t)id, 0);
	if (code != 0)
		print("%s: code %lu", w->word[0], (uint64_t)code);
}

static void obey(const char *line)
{
	const struct program_row *p;
	struct words w;

	words_split(&w, line);
	if (w.count == 0)
		return;
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, w.word[0]) != 0)
			continue;
		if (commands[i].run == NULL)
			leave((int)words_number(&w, 1, 0), 0);
		commands[i].run(&w);
		return;
	}
	p = program_find(w.word[0]);
	if (p != NULL && p->inside)
		(void)p->run(&w, NULL);
	else if (p != NULL)
		run(line, &w);
	else
		print("%s: no such command; help lists them", w.word[0]);
}

int program_shell(const struct words *w, const struct process_args *args)
{
	char line[128];

	(void)w;
	(void)args;
	print("shell: help lists the commands");
	for (;;) {
		if (call(PROC_READ_LINE, (uintptr_t)line, sizeof(line)) < 0)
			return 1;
		obey(line);
	}
}

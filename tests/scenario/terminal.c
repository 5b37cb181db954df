/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000

void terminal_open(struct terminal *t, const char *command)
{
	struct winsize w = {.ws_row = 50, .ws_col = 110};

	t->bytes = 0;
	t->pid = forkpty(&t->fd, NULL, NULL, &w);
	cr_assert(t->pid >= 0, "no terminal: %s", strerror(errno));
	if (!t->pid) {
		/* Who started the tests may have had it ignored. */
		signal(SIGINT, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
}

/* More of what is drawn; false: it ended. */
static bool hear(struct terminal *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	size_t room = sizeof(t->text) - 1 - t->bytes;
	ssize_t n;

	if (room < sizeof(t->text) / 4) {
		t->bytes /= 2;
		memmove(t->text, t->text + t->bytes, t->bytes);
		room = sizeof(t->text) - 1 - t->bytes;
	}
	cr_assert(poll(&p, 1, PATIENCE_MS) > 0, "nothing is drawn any more");
	n = read(t->fd, t->text + t->bytes, room);
	if (n <= 0)
		return false;
	t->bytes += (size_t)n;
	return true;
}

/* A whole picture ends with the line of keys. */
static bool shown(const struct terminal *t, const char *text)
{
	static char plain[sizeof(t->text)];
	size_t at = t->bytes, n = 0;

	while (at > 3 && memcmp(t->text + at - 3, "\033[H", 3) != 0)
		at--;
	for (; at < t->bytes; at++) {
		if (t->text[at] == '\033') {
			while (at < t->bytes && !strchr("mKJHhl", t->text[at]))
				at++;
			continue;
		}
		plain[n++] = t->text[at];
	}
	plain[n] = '\0';
	return strstr(plain, text) && strstr(plain, "q quit");
}

void terminal_shows(struct terminal *t, const char *text)
{
	while (!shown(t, text))
		cr_assert(hear(t), "it ended before it showed '%s':\n%.*s",
			  text, (int)t->bytes, t->text);
}

void terminal_draws(struct terminal *t, const char *text)
{
	while (!terminal_had(t, text))
		cr_assert(hear(t), "it ended before it drew '%s':\n%.*s", text,
			  (int)t->bytes, t->text);
}

void terminal_press(struct terminal *t, const char *keys)
{
	cr_assert_eq(write(t->fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

int terminal_close(struct terminal *t)
{
	int status;

	while (hear(t))
		;
	t->text[t->bytes] = '\0';
	cr_assert_eq(waitpid(t->pid, &status, 0), t->pid);
	close(t->fd);
	cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

int terminal_had(const struct terminal *t, const char *text)
{
	return memmem(t->text, t->bytes, text, strlen(text)) != NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/scenario/terminal.h - a command on a terminal of its own, as a user has
 * it: what it draws, and what is pressed.
 */
#ifndef PARTERRE_TESTS_TERMINAL_H
#define PARTERRE_TESTS_TERMINAL_H

#include <stddef.h>
#include <sys/types.h>

struct terminal {
	pid_t pid;
	int fd;
	size_t bytes;
	char text[1 << 20]; /* all that came, the latest when it is full */
};

/* sh -c COMMAND, on a terminal of 50 lines of 110 characters. */
void terminal_open(struct terminal *t, const char *command);
/* Until `text` is on the screen as it was last drawn (behind the last "cursor
 * home"), without its colours; fails the test when the command ends before, or
 * after 60 s of nothing. */
void terminal_shows(struct terminal *t, const char *text);
/* Until `text` was written, in all that came; fails as terminal_shows does. */
void terminal_draws(struct terminal *t, const char *text);
void terminal_press(struct terminal *t, const char *keys);
/* Until it ends; its status. */
int terminal_close(struct terminal *t);
/* Was it ever written, in all that came? */
int terminal_had(const struct terminal *t, const char *text);

#endif

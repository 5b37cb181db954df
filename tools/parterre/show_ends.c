/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/parterre/show_ends.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The window's program lies beside this one. */
static bool window_path(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	return snprintf(path + strlen(path), PATH_MAX - strlen(path),
			"-window") < (int)(PATH_MAX - strlen(path));
}

static _Noreturn void become_window(int fd, const char *script)
{
	char path[PATH_MAX], number[16];

	snprintf(number, sizeof(number), "%d", fd);
	if (window_path(path))
		execl(path, path, number, script, (char *)NULL);
	fprintf(stderr, "parterre run: %s: %s\n", path, strerror(errno));
	_exit(EXIT_HOST);
}

int show_start(bool window, const char *script, struct error *err)
{
	pid_t pid;
	char path[PATH_MAX];
	int ends[2];

	if (window && (!window_path(path) || access(path, X_OK) < 0)) {
		error_set(err, EXIT_HOST,
			  "--window: %s: %s; build it (tools/build fast)", path,
			  strerror(errno));
		return -1;
	}
	if (script && access(script, R_OK) < 0) {
		error_set(err, EXIT_USAGE, "--window-script %s: %s", script,
			  strerror(errno));
		return -1;
	}
	if (!window && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		error_set(err, EXIT_USAGE,
			  "--ui draws on a terminal: standard input and output "
			  "have to be one");
		return -1;
	}
	fflush(NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ||
	    (pid = fork()) < 0) {
		error_set(err, EXIT_HOST, "no process to show the run: %s",
			  strerror(errno));
		return -1;
	}
	if (!pid) {
		close(ends[0]);
		if (window)
			become_window(ends[1], script);
		show_text(ends[1]);
		_exit(EXIT_HELD);
	}
	close(ends[1]);
	return ends[0];
}

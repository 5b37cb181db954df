/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_live.c - serial lines that somebody sits at: this
 * program's terminal, or a client of a unix socket.
 *
 * Output goes there as it comes and is dropped if nobody reads it (console.txt
 * has all).  While input may come, virtual time is held back to the host's, so
 * that a guest that waits for a key does not let hours pass; a run that is
 * slower than real time is not hurried.
 *
 * At the terminal Ctrl-A is the escape: x leaves the run, a sends a Ctrl-A.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"

#define ESCAPE      0x01 /* Ctrl-A */
#define LATE_MAX_NS 100000000

struct session_live {
	bool open;
	int in, out; /* -1: nobody, or no more */
	int listen;  /* -1: not a socket */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool escaped; /* the terminal's last byte was Ctrl-A */
	size_t waiting;
	uint8_t data[SESSION_INPUT_BYTES]; /* read, not yet taken */
};

/* --- the terminal --- */

static struct termios terminal_was;
static volatile sig_atomic_t terminal_is_raw;

static void terminal_restore(void)
{
	if (terminal_is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal_was);
	terminal_is_raw = false;
}

/* Whatever ends the program, the terminal is as it was. */
static void on_deadly_signal(int number)
{
	terminal_restore();
	signal(number, SIG_DFL);
	raise(number);
}

static void terminal_raw(void)
{
	static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				     SIGPIPE, SIGABRT, SIGSEGV, SIGBUS};
	static bool registered;
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) < 0)
		return; /* a file or a pipe */
	terminal_was = t;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	t.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	terminal_is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
	if (registered)
		return;
	atexit(terminal_restore);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		signal(deadly[i], on_deadly_signal);
	registered = true;
}

static bool terminal_taken(const struct session *f)
{
	for (; f; f = f->next) {
		for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
			const struct session_live *l = f->live[i];

			if (l && l->open && l->listen < 0)
				return true;
		}
	}
	return false;
}

static bool open_terminal(struct session *s, struct session_live *l,
			  struct error *err)
{
	if (terminal_taken(s->first))
		return error_set(err, EXIT_USAGE,
				 "two serial lines want the terminal; give one "
				 "of them \"socket:PATH\"");
	l->in = STDIN_FILENO;
	l->out = STDOUT_FILENO;
	terminal_raw();
	s->first->options.live = false;
	return true;
}

/* --- sockets --- */

static bool open_socket(struct session *s, struct session_live *l,
			const char *name, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[PATH_MAX];
	struct stat st;

	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", name);
	else if (!session_join(path, s->first->out, name, err))
		return false;
	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, EXIT_USAGE,
				 "%s: a socket's path has at most %zu "
				 "characters; give a shorter one",
				 path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	/* Of an earlier run; anything else is not ours to remove. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	l->listen =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->listen < 0 ||
	    bind(l->listen, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(l->listen, 1) < 0)
		return error_set(err, EXIT_HOST, "%s: no socket there: %s",
				 path, strerror(errno));
	strcpy(l->path, path);
	return true;
}

static void hang_up(struct session_live *l)
{
	if (l->in >= 0 && l->in != STDIN_FILENO)
		close(l->in);
	l->in = l->out = -1;
	if (l->listen < 0) /* the terminal still shows what comes */
		l->out = STDOUT_FILENO;
}

/* --- begin and end --- */

bool session_live_open(struct session *s, unsigned serial, struct error *err)
{
	const struct session_line_to *to = &s->line_to[serial];
	struct session_live *l = calloc(1, sizeof(*l));

	CHECK(l);
	l->in = l->out = l->listen = -1;
	s->live[serial] = l;
	l->open = to->kind == SESSION_TO_TERMINAL
			  ? open_terminal(s, l, err)
			  : open_socket(s, l, to->path, err);
	return l->open;
}

void session_live_close(struct session *s)
{
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		struct session_live *l = s->live[i];

		if (!l)
			continue;
		if (l->listen >= 0) {
			hang_up(l);
			close(l->listen);
			if (l->path[0])
				unlink(l->path);
		} else {
			terminal_restore();
		}
		free(l);
		s->live[i] = NULL;
	}
}

void session_live_output(struct session *s, unsigned serial, uint8_t byte)
{
	struct session_live *l = s->live[serial];
	ssize_t n;

	if (!l || l->out < 0)
		return;
	if (l->listen < 0)
		n = write(l->out, &byte, 1);
	else
		n = send(l->out, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)n; /* lost, if nobody reads */
}

/* --- input --- */

/* Takes Ctrl-A sequences out; true: leave the run. */
static bool unescape(struct session_live *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->waiting; i++) {
		uint8_t c = l->data[i];

		if (!l->escaped && c == ESCAPE) {
			l->escaped = true;
			continue;
		}
		if (l->escaped && (c == 'x' || c == 'X'))
			return true;
		if (l->escaped && c == 'a')
			c = ESCAPE;
		l->escaped = false;
		l->data[kept++] = c;
	}
	l->waiting = kept;
	return false;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void read_line(struct session *s, struct session_live *l)
{
	ssize_t n;

	if (l->listen >= 0 && l->in < 0)
		l->in = l->out = accept4(l->listen, NULL, NULL, SOCK_CLOEXEC);
	if (l->waiting || !readable(l->in))
		return;
	n = read(l->in, l->data, sizeof(l->data));
	if (n <= 0) {
		hang_up(l);
		return;
	}
	l->waiting = (size_t)n;
	if (l->listen < 0 && unescape(l))
		session_input_quit(s->first);
}

/* Somebody may type; the descriptors to look at. */
static nfds_t watched(struct session *f, struct pollfd *p, bool *may_come)
{
	nfds_t n = 0;

	*may_come = false;
	for (struct session *m = f; m; m = m->next) {
		for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
			const struct session_live *l = m->live[i];

			if (!l)
				continue;
			*may_come |= l->in >= 0 || l->listen >= 0;
			if (l->in >= 0 && !l->waiting)
				p[n++] = (struct pollfd){.fd = l->in,
							 .events = POLLIN};
		}
	}
	return n;
}

/* Waits until the host's clock has come as far, or somebody types. */
static void pace(struct session *f)
{
	struct pollfd p[SESSION_MACHINES_MAX * MACHINE_SERIALS];
	uint64_t host = session_host_ns();
	ps_t now = session_now(f);
	int64_t ahead;
	bool may_come;
	nfds_t n = watched(f, p, &may_come);

	if (!may_come)
		return;
	ahead = (int64_t)((now - f->pace_at) / PS_PER_NS) -
		(int64_t)(host - f->pace_host_ns);
	if (!f->pace_host_ns || ahead < -LATE_MAX_NS) {
		f->pace_at = now;
		f->pace_host_ns = host;
	} else if (ahead > 0) {
		struct timespec t = {ahead / 1000000000, ahead % 1000000000};

		ppoll(p, n, &t, NULL);
	}
}

void session_live_poll(struct session *f)
{
	pace(f);
	for (struct session *m = f; m && !f->left; m = m->next) {
		for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
			struct session_live *l = m->live[i];
			size_t taken;

			if (!l)
				continue;
			read_line(m, l);
			if (f->left)
				return;
			session_input_take(m, i, l->data, l->waiting, &taken);
			l->waiting -= taken;
			memmove(l->data, l->data + taken, l->waiting);
		}
	}
}

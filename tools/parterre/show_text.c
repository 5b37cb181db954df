/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/show_text.c - the terminal in front of a run (parterre run
 * --ui), in a process of its own: draws what comes over the socket, passes on
 * what is pressed. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/seen/text.h"
#include "sim/seen/wire.h"
#include "tools/parterre/show_ends.h"

#define COLUMNS 80
#define ROWS    24

static const char keys[] =
	"space pause/go  s step  n next switch  S N back  b/B back 1/10 ms  "
	"+ - speed  q quit";

static struct termios terminal_was;
static volatile sig_atomic_t terminal_is_raw;

/* Another screen, raw, without cursor; and back. */
static void terminal_take(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	terminal_was = t;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	terminal_is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
	fputs("\033[?1049h\033[?25l\033[2J", stdout);
	fflush(stdout);
}

static void terminal_return(void)
{
	static const char back[] = "\033[0m\033[?25h\033[?1049l";

	if (!terminal_is_raw)
		return;
	terminal_is_raw = false;
	if (write(STDOUT_FILENO, back, sizeof(back) - 1) < 0)
		return; /* nobody sees it */
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal_was);
}

static void on_deadly_signal(int number)
{
	terminal_return();
	signal(number, SIG_DFL);
	raise(number);
}

static void draw(const struct seen *s)
{
	struct winsize w = {.ws_col = 0};
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col &&
		     w.ws_row;

	fputs("\033[H", stdout);
	seen_text(stdout, s, known ? w.ws_col : COLUMNS,
		  known ? w.ws_row : ROWS, keys);
}

/* The speeds that + and - go through; percent, 0: as fast as it can. */
static uint32_t faster(uint32_t speed)
{
	return !speed || speed >= 1000 ? 0 : speed * 10;
}

static uint32_t slower(uint32_t speed)
{
	if (!speed)
		return 1000;
	return speed > 1 ? speed / 10 : 1;
}

static bool press(int fd, const struct seen *s, char key)
{
	bool runs = s->state == SEEN_RUNS;

	switch (key) {
	case ' ':
		return wire_tell(fd, runs ? WIRE_PAUSE : WIRE_GO, 0);
	case 'q':
	case 'Q':
		return wire_tell(fd, WIRE_QUIT, 0);
	case '+':
		return wire_tell(fd, WIRE_SPEED, faster(s->speed));
	case '-':
		return wire_tell(fd, WIRE_SPEED, slower(s->speed));
	case 'm':
		return wire_tell(fd, WIRE_MACHINE,
				 (s->machine + 1) % s->machines);
	default:
		break;
	}
	if (runs) /* all that follows is of a machine that stands */
		return true;
	switch (key) {
	case 's':
		return wire_tell(fd, WIRE_STEP, 0);
	case 'n':
		return wire_tell(fd, WIRE_STEP_SWITCH, 0);
	case 'S':
		return wire_tell(fd, WIRE_BACK_STEP, 0);
	case 'N':
		return wire_tell(fd, WIRE_BACK_SWITCH, 0);
	case 'b':
		return wire_tell(fd, WIRE_BACK_TIME, PS_PER_MS);
	case 'B':
		return wire_tell(fd, WIRE_BACK_TIME, 10 * PS_PER_MS);
	default:
		return true;
	}
}

static bool skip(int fd, size_t bytes)
{
	char nowhere[4096];

	while (bytes) {
		size_t n = bytes < sizeof(nowhere) ? bytes : sizeof(nowhere);

		if (!wire_get(fd, nowhere, n))
			return false;
		bytes -= n;
	}
	return true;
}

/* A message of the run. */
static bool hear(int fd, struct seen *s)
{
	struct wire_head head;

	if (!wire_get(fd, &head, sizeof(head)))
		return false;
	if (head.kind != WIRE_SEEN)
		return skip(fd, head.bytes);
	CHECK(head.bytes == sizeof(*s));
	if (!wire_get(fd, s, sizeof(*s)))
		return false;
	draw(s);
	return wire_tell(fd, WIRE_DREW, 0);
}

void show_text(int fd)
{
	static const int deadly[] = {SIGHUP, SIGTERM, SIGPIPE, SIGABRT,
				     SIGSEGV};
	static struct seen s;
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
			      {.fd = STDIN_FILENO, .events = POLLIN}};
	bool seen = false, on = true;

	signal(SIGINT, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		signal(deadly[i], on_deadly_signal);
	terminal_take();
	while (on) {
		char key;

		if (poll(p, 2, -1) < 0) {
			on = errno == EINTR;
			continue;
		}
		if (p[0].revents) {
			on = hear(fd, &s);
			seen |= on;
		} else if (p[1].revents) {
			on = read(STDIN_FILENO, &key, 1) == 1;
			if (on && seen)
				on = press(fd, &s, key);
		}
	}
	terminal_return();
}

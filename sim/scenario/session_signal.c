/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_signal.c - Ctrl-C, and who ends the program by SIGTERM.
 *
 * A run is left at its next cut, as --until there would leave it: so what it
 * wrote is whole, and can be made again.
 */
#include <signal.h>
#include <stdio.h>

#include "sim/scenario/session_internal.h"

/* What comes sooner after the first is the same one: a terminal and `timeout`
 * may send it to the program and to its group. */
#define AGAIN_NS UINT64_C(500000000)

static volatile sig_atomic_t left_by;
static uint64_t left_at;

static void on_signal(int number)
{
	if (!left_by) {
		left_at = session_host_ns();
		left_by = number;
	} else if (session_host_ns() - left_at > AGAIN_NS) {
		signal(number, SIG_DFL);
		raise(number);
	}
}

/* Who called us may want one not to reach us: a shell does, of what it has in
 * the background. */
static void heed(int number, bool restart)
{
	struct sigaction was, act = {.sa_handler = on_signal,
				     .sa_flags = restart ? SA_RESTART : 0};

	if (sigaction(number, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
		sigaction(number, &act, NULL);
}

void session_heed_signals(bool restart)
{
	heed(SIGINT, restart);
	heed(SIGTERM, restart);
}

int session_left_by(void)
{
	return left_by;
}

void session_end_by_signal(void)
{
	if (!left_by)
		return;
	fflush(NULL);
	signal(left_by, SIG_DFL);
	raise(left_by);
}

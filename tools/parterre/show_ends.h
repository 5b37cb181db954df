/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/show_ends.h - who sits at the other end of a show (sim/seen/
 * show.h): the terminal (show_text.c) or a window (the program
 * parterre-window), in a process of its own.
 */
#ifndef PARTERRE_TOOLS_SHOW_ENDS_H
#define PARTERRE_TOOLS_SHOW_ENDS_H

#include "sim/status.h"

/* Starts it, from the process that is to be the run; returns the run's end of
 * the socket, or -1.  When that is shut down the other process returns the
 * terminal to what it was, or closes the window, and ends.  `script`: what the
 * window is to do (docs/seen.md); NULL: what its user does. */
int show_start(bool window, const char *script, struct error *err);

/* Until the other end is closed, or somebody leaves. */
void show_text(int fd);

#endif

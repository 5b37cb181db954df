/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/progress.h - how far a long work is, on standard error if that is a
 * terminal.  Whoever writes to that terminal in the meantime does not call it.
 *
 * Nothing is drawn in the first second.  One work at a time.
 */
#ifndef PARTERRE_SEEN_PROGRESS_H
#define PARTERRE_SEEN_PROGRESS_H

#include "sim/base.h"

#define PROGRESS_COLUMNS 40

/* "what  [####    ] 43 %" */
void progress(const char *what, unsigned permille);
/* The line goes away. */
void progress_end(void);

/* Of a trace that is being read: called for each record, drawn seldom. */
struct trace_reader;
void progress_trace(const char *what, const struct trace_reader *tr);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/log.h - console lines.
 *
 * A line is queued and sent at once if the monitor's log has room.  If not, it
 * waits here: a program with a beat to keep calls log_flush() from its loop
 * instead of standing still.  Only a full queue makes logf_() itself wait.
 */
#ifndef PARTERRE_LIB_LOG_H
#define PARTERRE_LIB_LOG_H

#include <stdbool.h>

#define LOG_LINE_BYTES 200 /* the most that SYS_LOG takes */
#define LOG_RETRY_NS   50000

/* One line, without its end; longer text is cut. */
void logf_(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* NULL, or who wants each line besides the console (report.h). */
extern void (*log_also)(const char *text, unsigned bytes);

/* Send what waits; false: something still waits, come back LOG_RETRY_NS
 * later. */
bool log_flush(void);

/* Send all, waiting as long as it takes; before SYS_EXIT. */
void log_drain(void);

#endif

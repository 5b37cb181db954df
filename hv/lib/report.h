/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/report.h - a program's console lines, told to diagnostics as well.
 *
 * A partition that has a diagnostics channel posts each line of logf_() there
 * too, in records of DIAG_TEXT.  Nobody waits for it: with no room, or while
 * diagnostics is away, a line is only on the console.
 */
#ifndef PARTERRE_LIB_REPORT_H
#define PARTERRE_LIB_REPORT_H

#include <stdbool.h>

#include "abi/control.h"

/* EVT_CHANNEL_PAUSE and EVT_CHANNEL_RESUME; false: of another channel. */
bool report_event(const struct control_message *event);

/* From now on lines are on the console alone, or again told here. */
void report_quiet(bool quiet);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/screenshot.h - what the machine's screen shows, as a PNG file.
 */
#ifndef PARTERRE_SIM_SCREENSHOT_H
#define PARTERRE_SIM_SCREENSHOT_H

#include "sim/status.h"

struct machine;

/* Between runs or in an event; changes nothing in the machine.  The same screen
 * gives the same bytes: the file has pixels (8-bit RGB) and nothing else.
 * EXIT_USAGE: the machine has no screen, or the file cannot be made there. */
bool machine_screenshot(struct machine *m, const char *path,
			struct error *err) MUST_USE;

#endif

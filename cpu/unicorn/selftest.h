/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/selftest.h - small kernels with known answers, for a library that
 * is not known.
 */
#ifndef PARTERRE_UNICORN_SELFTEST_H
#define PARTERRE_UNICORN_SELFTEST_H

#include <stdbool.h>

/* Runs the kernels on the engine; 0, or the number of the line at fault. */
int selftest_run(void);
/* The same in a child process, which a foreign layout may crash. */
bool selftest_in_child(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sim/fake_debug.h - a debugger over nothing: two CPUs, a partition
 * with one thread that has no CPU, a page of memory at FAKE_VA.  For tests of
 * gdb's packets without a machine.
 */
#ifndef PARTERRE_TESTS_FAKE_DEBUG_H
#define PARTERRE_TESTS_FAKE_DEBUG_H

#include "sim/debug/debug.h"

#define FAKE_VA UINT64_C(0xffffffff80000000)

extern struct debug_plan fake_debug_plan; /* of the last resume */
extern unsigned fake_debug_resumed, fake_debug_breaks, fake_debug_watches;
extern uint8_t fake_debug_memory[4096];
extern struct debug_stop fake_debug_stop;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/qemu_look.h - what a row's test looks for in a machine of QEMU's
 * that stands (tests/rows/look.lua), and what it plants there.
 */
#ifndef PARTERRE_TESTS_ROWS_QEMU_LOOK_H
#define PARTERRE_TESTS_ROWS_QEMU_LOOK_H

#include "qemu.h"

#define WORK ROWS "policy/qemu.policy"

/* tests/rows/policy/NAME.policy as sed's script makes it: its path, until the
 * next call. */
const char *edited(const char *policy, const char *script);

/* Two guests, with io.a and io.b, as WORK says: both are at work. */
void boot_work(unsigned cpus);
/* Both came to their end as if nothing had been. */
void work_ends(void);

/* Types that line, and waits until its answer is so many times on the console.
 */
void operator_says(const char *line, const char *answer, unsigned times);

/* The physical address of something of a partition's: "symbol=log_flush",
 * "va=0x400000", "frame=6" of its monitor instance. */
uint64_t where(const char *who, const char *what);
/* In what tests/rows/look.lua printed: the partition's line, until the next
 * call; in a line: the number behind a key. */
const char *line_of(const char *looked, const char *who);
unsigned long long number_in(const char *line, const char *key);

/* A function of a partition's program, for qemu_until(). */
struct place {
	uint64_t va, pa, cr3;
};
struct place function_of(const char *who, const char *name);

/* A function of the monitors', which all share. */
uint64_t monitor_function(const char *name);

/* Bytes where a program comes in each of its passes; the machine goes on. */
void plant(const char *who, const void *bytes, size_t count);
/* No instruction there. */
void kill_partition(const char *who);

#endif

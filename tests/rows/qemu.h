/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/qemu.h - the same images under QEMU, as a row's test needs it.
 *
 * One machine at a time, of the topology that Parterre gives the images.  The
 * test reads the console, types on it, and stops the machine at an instant.
 * While it stands, its RAM can be looked at by Parterre's own partition view
 * (machine{memory = ...}) and, as by a stray DMA, changed by QEMU's gdb server.
 * Nothing in the image knows of it.
 *
 * Under -icount the guest's time goes with its instructions.  The instants at
 * which a test stops it are the host's: a test must hold at any of them.  An
 * idle machine's clock jumps as far as a busy host lets it, so no policy here
 * has a heartbeat rule.
 */
#ifndef PARTERRE_TESTS_ROWS_QEMU_H
#define PARTERRE_TESTS_ROWS_QEMU_H

#include <stddef.h>
#include <stdint.h>

#define QEMU_RAM "134217728"

/* On how many CPUs: the usual number, or, with PARTERRE_ROWS_ALL=1 in the
 * environment, 1, 2 and 4 after each other. */
#define each_cpus(cpus, usual)                                                 \
	for (unsigned cpus = qemu_cpus_first(usual); cpus;                     \
	     cpus = qemu_cpus_next(cpus))
unsigned qemu_cpus_first(unsigned usual);
unsigned qemu_cpus_next(unsigned cpus);

/* Boots with that file as policy; the one before is ended. */
void qemu_boot(const char *policy, unsigned cpus);
/* The same, but idle time jumps to the next timer, whatever the host's time is:
 * for what measures time and waits for no disk. */
void qemu_boot_exact(const char *policy, unsigned cpus);
/* Ends it, whatever it does. */
void qemu_end(void);
/* Until it switches itself off: with which code. */
int qemu_off(void);

/* What the console has so far. */
const char *qemu_console(void);
/* Until the console has this text `times` times; fails the test after a minute
 * of the host. */
void qemu_wait(const char *text, unsigned times);
/* ... or one of the two. */
void qemu_wait_either(const char *text, const char * or);
void qemu_type(const char *text);

/* A command of QEMU's monitor (HMP). */
void qemu_monitor(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* So many milliseconds of the host go by. */
void qemu_run_for(unsigned ms);
/* Stops it, if it does not stand yet, and runs tests/rows/NAME.lua with
 * further --set on its memory: it has to hold.  Returns what that printed. */
const char *qemu_look(const char *name, const char *options);
/* While it stands: bytes at a physical address, as at the last look. */
void qemu_read(uint64_t pa, void *bytes, size_t count);
void qemu_write(uint64_t pa, const void *bytes, size_t count);
void qemu_go(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/qemu.h - the same images under QEMU, as a row's test needs it.
 *
 * One machine at a time, of the topology that Parterre gives the images.  The
 * test reads the console, types on it, and stops the machine at an instant.
 * While it stands, its RAM, which is a file, can be looked at by Parterre's own
 * partition view (machine{memory = ...}) and, as by a stray DMA, changed by
 * QEMU's gdb server. Nothing in the image knows of it.
 *
 * Under -icount the guest's time goes with its instructions.  The instants at
 * which a test stops it are the host's: a test must hold at any of them.  An
 * idle machine's clock jumps as far as a busy host lets it, so no policy here
 * has a heartbeat rule.
 */
#ifndef PARTERRE_TESTS_ROWS_QEMU_H
#define PARTERRE_TESTS_ROWS_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On how many CPUs: the usual number, or, with PARTERRE_ROWS_ALL=1 in the
 * environment, 1, 2 and 4 after each other. */
#define each_cpus(cpus, usual)                                                 \
	for (unsigned cpus = qemu_cpus_first(usual); cpus;                     \
	     cpus = qemu_cpus_next(cpus))
unsigned qemu_cpus_first(unsigned usual);
unsigned qemu_cpus_next(unsigned cpus);

/* What a machine is; 0 or NULL: as usual. */
struct qemu_setup {
	const char *policy; /* a file */
	unsigned cpus;
	/* Idle time jumps to the next timer, whatever the host's time is: for
	 * what measures time and waits for no disk. */
	bool exact;
	const char *modules; /* words, in order, without the policy:
				"uv boot idle io rows/command" */
	const char *cmdline;
	unsigned ram; /* MiB; with another than usual it can't be looked at
		       */
	bool iommu;   /* intel-iommu */
	unsigned controllers; /* of the disk: 2, or 3, of which one is free */
	unsigned cards; /* virtio-net, 0 to 2: on one wire, on which 10.0.2.2 is
			   this host */
	const char *wire; /* a file of scratch(): what passes at the first
			     card's end of the wire, as QEMU sees it, pcap; this
			     host is not on it then */
};

/* Boots it; the one before is ended. */
void qemu_boot_as(const struct qemu_setup *setup);
/* With that policy, all else as usual. */
void qemu_boot(const char *policy, unsigned cpus);
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

/* A command of QEMU's monitor (HMP); what that says. */
const char *qemu_monitor(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
/* So many milliseconds of the host go by. */
void qemu_run_for(unsigned ms);
/* Stops it, if it does not stand yet, and runs tests/rows/NAME.lua with
 * further --set on its memory: it has to hold.  Returns what that printed. */
const char *qemu_look(const char *name, const char *options);
/* While it stands: bytes at a physical address. */
void qemu_read(uint64_t pa, void *bytes, size_t count);
void qemu_write(uint64_t pa, const void *bytes, size_t count);
void qemu_go(void);

/* The registers of a CPU that has come to where it was waited for. */
struct qemu_cpu {
	uint64_t rdi, rsi, rip, cr3;
	unsigned cs;
};
/* From where it stands, until some CPU is about to execute what lies at `va` in
 * the address space with that root (0: in any): it stands then. */
struct qemu_cpu qemu_until(uint64_t va, uint64_t cr3);
/* While it stands there: that CPU's next instruction. */
struct qemu_cpu qemu_step(void);

#endif

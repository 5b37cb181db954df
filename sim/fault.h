/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/fault.h - faults that a scenario injects, each at the instant at which it
 * is called and traced as `fault`.
 *
 * Called between two pieces of a run.  All errors name the partition, device or
 * address and the remedy.
 */
#ifndef PARTERRE_SIM_FAULT_H
#define PARTERRE_SIM_FAULT_H

#include "sim/partition.h"

/* RAM cells change, as by a stray DMA.  False: not RAM (EXIT_USAGE). */
bool fault_ram(struct machine *m, paddr_t pa, const void *data, size_t bytes,
	       struct error *err);

/* Overwrites the program text of a running partition, wherever it executes:
 *   "crash"  with UD2: the next instruction that it fetches is an invalid
 *            opcode; its monitor reports it
 *   "hang"   with jumps to themselves: it neither faults nor calls its monitor
 *            any more, and does not beat; only time-outs can tell
 *   "livelock"  with system calls, one after the other: it is as busy as can
 *            be, its monitor hears from it all the time, and it does not beat
 *            (the first call is the one whose number RAX happens to hold, the
 *            others have the number that the one before returned)
 * Whatever the address at which it next fetches, an odd one in the middle of an
 * instruction included, the effect is the same.
 * False: no such partition, it does not run, its image is not known, or `what`
 * is neither (EXIT_USAGE). */
bool fault_partition_text(struct partition_view *v, const char *name,
			  const char *what, struct error *err);

/* One page of a partition's memory by its own virtual address: as fault_ram().
 */
bool fault_partition_ram(struct partition_view *v, const char *name, vaddr_t va,
			 const void *data, size_t bytes, struct error *err);

/* One frame of a partition's monitor instance, filled with one byte; they are
 * counted from 0, hv/monitor/monitor.h says what each is for (INST_*).  False:
 * no such partition, or its instance has no such frame (EXIT_USAGE). */
bool fault_partition_instance(struct partition_view *v, const char *name,
			      uint64_t frame, uint8_t byte, struct error *err);

/* A machine check at a CPU (SDM 3B chapter 15): its bank says that a memory
 * read failed. */
enum fault_check {
	FAULT_CHECK_CORRECTED,   /* nothing is lost; no exception */
	FAULT_CHECK_UNCORRECTED, /* the bytes at `pa` are lost; #MC */
	FAULT_CHECK_FATAL,       /* and so is what the CPU was doing; #MC */
};
/* False: no such CPU, or `pa` is not RAM (EXIT_USAGE). */
bool fault_machine_check(struct machine *m, unsigned cpu, paddr_t pa,
			 enum fault_check how, struct error *err);

/* A CPU does nothing for so long.  False: no such CPU (EXIT_USAGE). */
bool fault_stall(struct machine *m, unsigned cpu, ps_t ps, struct error *err);

/* A device of the board takes one of its faults (`parterre inspect` lists them)
 * from now on.  False: no such device or fault; the message lists those that
 * there are (EXIT_USAGE). */
bool fault_device(struct machine *m, const char *device, const char *fault,
		  uint64_t argument, struct error *err);

/* A fault by its name: "crash io.a", "device nvme0 timeout 2"; all that there
 * are stand in docs/faults.md.  False: see the functions above (EXIT_USAGE). */
bool fault_inject(struct partition_view *v, const char *text,
		  struct error *err);
/* Is it a fault's name with as many words as it wants?  Whether partition or
 * device exist is known when it happens.  False: the message lists those that
 * there are (EXIT_USAGE). */
bool fault_known(const char *text, struct error *err);
/* Does the run end with it: a power cut? */
bool fault_ends(const char *text);

#endif

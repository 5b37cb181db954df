/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/snapshot_memory.h - a machine's whole state, kept in memory, to which
 * this same machine can go back: as often as is wanted, to earlier and later
 * ones in any order.
 *
 * What a machine has is what a file has (sim/snapshot.h).  Registers, clocks,
 * events and devices are copied.  Of RAM and devices' large memory (disks',
 * video) nothing is copied when a snapshot is taken: a page is kept when it is
 * written for the first time after that (cpu_notice_writes(),
 * device_memory_changes()), so both taking and going back cost as much as was
 * written, whatever the machine's size.  A page of zeroes takes no room.
 *
 * From the first one on the media are in memory (device_class.media); whoever
 * took it gives them back to their files.
 *
 * Trace, console, observers, and what they remember, are the caller's.
 */
#ifndef PARTERRE_SIM_SNAPSHOT_MEMORY_H
#define PARTERRE_SIM_SNAPSHOT_MEMORY_H

#include "sim/base.h"
#include "sim/status.h"

struct machine;
struct memory_snapshot;

/* Between runs.  NULL: the machine runs or has ended, what snapshots hold is at
 * the limit (EXIT_USAGE), or the host has no room for a medium (EXIT_HOST). */
struct memory_snapshot *machine_take(struct machine *m,
				     struct error *err) MUST_USE;
/* Between runs; also of a machine that has ended since, unless the host failed
 * it.  False: *err, and nothing has changed. */
bool machine_restore(struct machine *m, struct memory_snapshot *s,
		     struct error *err) MUST_USE;
/* Others stay as they are, and get what they shared.  NULL is fine.  While the
 * machine runs: what it holds goes later.  All of a machine go with it. */
void machine_forget(struct memory_snapshot *s);

/* What all of them may hold, 2 GiB at first.  A machine that would need more
 * while it runs ends as one that the host failed (MACHINE_BROKEN). */
void machine_take_limit(struct machine *m, uint64_t bytes);
/* What they hold of RAM and large memory. */
uint64_t machine_taken_bytes(const struct machine *m);
/* Pages that were written since the machine stood where the latest was taken or
 * gone back to. */
size_t machine_written_pages(const struct machine *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/snapshot.h - a machine's whole state as a stream of bytes.
 *
 * A machine that was loaded goes on exactly as the one that was saved: same
 * order of events, same bits.  Saving changes nothing in the machine.  What a
 * snapshot holds: clocks, pending events with their sequence numbers, CPUs with
 * what they remember of page tables, RAM, devices with their media, network
 * cards with the frames on their cables.  It is
 * self-contained: loading it also writes the disk image that the machine has
 * open.  What it does not hold: trace, console, observers, scenario,
 * breakpoints; events that no device registered are gone from the queue.
 *
 * The file: magic, version, description of the configuration as text, one zstd
 * frame, and the digest (XXH3, 64 bits) of all that.  All of it is checked
 * before anything is changed: after a failed load the machine is as it was; but
 * if the host failed on the way, or an image has another size, it is broken
 * (MACHINE_BROKEN).
 *
 * Devices see it as a stream (device_class.save and load): plain values in a
 * fixed order, little-endian.  Writing cannot fail as seen from a device: the
 * host's failure is kept and told at the end.  Reading past the end gives
 * zeroes, and snapshot_good() is false from then on.
 */
#ifndef PARTERRE_SIM_SNAPSHOT_H
#define PARTERRE_SIM_SNAPSHOT_H

#include <stdio.h>

#include "sim/base.h"
#include "sim/status.h"

struct machine;
struct snapshot_writer;
struct snapshot_reader;

/* Between runs only.  `name`: of the file, for messages.  False when the host
 * failed to write (EXIT_HOST), or the machine has ended (EXIT_USAGE). */
bool machine_save(struct machine *m, FILE *to, const char *name,
		  struct error *err);
/* Between runs, into a machine of the same configuration; `from` must be
 * seekable.  EXIT_USAGE: no snapshot, damaged, of another version or of another
 * configuration (the text says which difference). */
bool machine_load(struct machine *m, FILE *from, const char *name,
		  struct error *err);
/* The same with a file's name. */
bool machine_save_file(struct machine *m, const char *path, struct error *err);
bool machine_load_file(struct machine *m, const char *path, struct error *err);

/* Of which machine it is, a line for each thing that has to be equal; malloc().
 * NULL: it cannot be read or is no whole snapshot of this version (*err). */
char *snapshot_describe_file(const char *path, struct error *err);

void snapshot_put(struct snapshot_writer *w, const void *p, size_t bytes);
void snapshot_put_u64(struct snapshot_writer *w, uint64_t value);

/* What a device has to save cannot be read from the host: the reason. */
void snapshot_fail(struct snapshot_writer *w, const char *why);

/* Of a snapshot in memory (sim/snapshot_memory.h): what device_class.memory
 * tells of is none of the stream's. */
bool snapshot_keeps_memory(const struct snapshot_writer *w);
bool snapshot_restores_memory(const struct snapshot_reader *r);

void snapshot_get(struct snapshot_reader *r, void *p, size_t bytes);
uint64_t snapshot_get_u64(struct snapshot_reader *r);
bool snapshot_good(const struct snapshot_reader *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/disk_oracle.h - was any acknowledged write lost?
 *
 * Independent of both sides: it reads the raw image file after the run and the
 * trace of what the guests' processes were told, and shares no code with them
 * but the records' layout (hv/abi/record.h).
 *
 * Each stream writes records 0, 1, ...; each record goes to one block of the
 * stream's extent, and later records take the same blocks again.  The trace
 * says which (`issued`, `committed`: stream, record, block, checksum).  Where a
 * stream's extent lies on the disk is found by its records, which name stream
 * and block: the start that most whole records agree on.
 *
 * For each block of a stream, with C the youngest record committed for it:
 *
 *   good      the block holds a whole record that was issued for this block, C
 *             or a younger one; or nothing was committed for it
 *   torn      it has a record's magic number and a wrong checksum
 *   doubled   it holds a whole record older than C, and the trace shows that
 *             older one sent more than once (`block_request` with replay > 0):
 *             applied again after a later one
 *   lost      it holds anything else: an older record that was sent once,
 *             another's content, or no record
 *
 * Out of order, whatever the disk holds:
 *   - a stream commits a record that is not the next after its last one;
 *   - it commits a record that it has not issued, or with another checksum;
 *   - a whole record of the stream lies at a block that it was not issued for,
 *     inside the stream's extent.
 *
 * A block with nothing committed may hold any record issued for it, or what it
 * held before; torn is then counted in `unsettled`, which is no failure: a
 * write under way when the power went.
 */
#ifndef PARTERRE_TOOLS_DISK_ORACLE_H
#define PARTERRE_TOOLS_DISK_ORACLE_H

#include <stdio.h>

#include "sim/status.h"

#define ORACLE_NOTES_MAX 16

struct oracle_report {
	uint64_t streams;
	uint64_t streams_done; /* that said they have nothing more to write */
	uint64_t issued, acknowledged; /* records */
	uint64_t requests;    /* block requests, a replay not counted again */
	uint64_t replayed;    /* requests that were sent again */
	uint64_t max_pending; /* requests of one channel, unanswered at once */
	uint64_t good;        /* blocks */
	uint64_t lost, doubled, torn, misordered;
	uint64_t unsettled;
	/* The first violations, one line each: stream, record, block, place on
	 * the disk, what is there instead. */
	size_t notes;
	char note[ORACLE_NOTES_MAX][160];
};

/* False: *err set: no such image or trace, truncated, or a trace without the
 * events that are needed (EXIT_USAGE, with the remedy).  True says nothing of
 * the verdict: see oracle_holds(). */
bool disk_oracle(const char *image, const char *trace_dir,
		 struct oracle_report *report, struct error *err) MUST_USE;

/* The same of a run under way, in pieces: begin before its first event, note
 * each, judge with the medium's bytes; the oracle is gone then. */
struct oracle;
struct trace_record;
struct oracle *oracle_begin(void);
void oracle_note(struct oracle *o, const struct trace_record *r);
void oracle_judge(struct oracle *o, const void *medium, uint64_t bytes,
		  struct oracle_report *report);

/* Nothing lost, doubled, torn or out of order. */
bool oracle_holds(const struct oracle_report *report);

/* Two lines of counts, then the notes. */
void oracle_print(const struct oracle_report *report, FILE *to);

#endif

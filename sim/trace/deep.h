/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/deep.h - the file `.deep` of a trace: events of the classes flow
 * and full, packed.
 *
 * There are as many of them as a machine executes blocks or instructions, so
 * they are not CTF on disk: each is coded by what its address did last time,
 * and packets of them are zstd frames.  `parterre trace export --ctf` makes one
 * plain CTF trace of both files; readers of ours take them together (trace.h).
 * CTF's readers pass over the file, whose name begins with a dot.
 *
 *   packet   magic u32, records u32, events of `stream` before it u64,
 *            bytes of each column u32, of the frame u32
 *   frame    zstd with a checksum: the columns, one behind the other
 *
 * Columns: kinds, registers, flags, addresses, values: a byte for each, what
 * was predicted being 0; and the numbers that were not, in groups of 7 bits.
 * deep_code() both writes and reads: prediction is the same on both sides, and
 * begins anew in each packet.
 *
 * A record names no time but where its CPU's clock stands (base), from which
 * time follows by the count of retired instructions, as in sim/machine.h.
 */
#ifndef PARTERRE_SIM_TRACE_DEEP_H
#define PARTERRE_SIM_TRACE_DEEP_H

#include "cpu/cpu.h"
#include "sim/base.h"
#include "sim/status.h"

/* Who, and when. */
struct deep_place {
	uint32_t cpu, partition;
	uint64_t retired; /* before it */
	ps_t base;        /* the CPU's clock, when it had retired */
	uint64_t base_retired;
	uint64_t hz;
};
ps_t deep_time(const struct deep_place *p);

enum deep_kind {
	DEEP_INSTRUCTION = CPU_STEP_INSTRUCTION,
	DEEP_DELIVERY = CPU_STEP_DELIVERY,
	DEEP_BEGIN = CPU_STEP_BEGIN,
	DEEP_FLOW,
	DEEP_KINDS
};

struct deep_record {
	enum deep_kind kind;
	struct deep_place at;
	uint64_t before; /* events of `stream` that were written before it */
	vaddr_t pc;
	uint64_t bytes;       /* from pc to the end of stretch, instruction */
	uint64_t count;       /* of a stretch: instructions */
	uint32_t changed;     /* as in struct cpu_instruction */
	const uint64_t *was;  /* written: registers before; not of flow */
	const uint64_t *then; /* and after */
	uint32_t accesses;
	const struct cpu_access *access;
};

/* --- writing --- */
struct deep_writer;
/* NULL: *err; an existing file is replaced. */
struct deep_writer *deep_create(const char *dir, struct error *err);
/* *r comes back as it was. */
void deep_write(struct deep_writer *w, struct deep_record *r);
/* How far the file has come, and back to there; what was written since is gone.
 * A packet ends there. */
struct deep_mark {
	long at;
	uint64_t count;
};
void deep_mark(struct deep_writer *w, struct deep_mark *mark);
void deep_back(struct deep_writer *w, const struct deep_mark *mark);
uint64_t deep_count(const struct deep_writer *w);
/* False: the disk said no. */
bool deep_close(struct deep_writer *w, struct error *err);

/* --- reading --- */
struct deep_reader;
/* *reader NULL: the trace has no such events.  False: *err. */
bool deep_open(struct deep_reader **reader, const char *dir, struct error *err);
/* 1: *r filled, its pointers valid until the next call; 0: end; -1: *err. */
int deep_next(struct deep_reader *d, struct deep_record *r, struct error *err);
void deep_reader_close(struct deep_reader *d);

#endif

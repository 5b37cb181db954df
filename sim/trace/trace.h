/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/trace.h - records what happened: CTF 1.8 on disk
 * (diamon.org/ctf/v1.8.3).
 *
 * Kinds and fields of events come from events.def alone: the writer, the
 * reader, the CTF metadata and the documentation are made of it.  Numbers are
 * never reused.  Each event carries virtual time (ps), CPU, partition (index
 * into the partition table that TRACE_PARTITION events define; 0 = unknown,
 * i.e. monitor or boot), and that CPU's retired count.
 *
 * Events of the classes flow and full are millions a second: they go to a file
 * of their own, packed (sim/trace/deep.h), which the reader here puts in its
 * place again.
 *
 * The same run gives the same bytes.  A trace is a directory: `metadata`
 * (text) and one file `stream`; babeltrace2 reads it.  Writing to a NULL path
 * keeps only the running digest and the listeners.
 *
 * Time on disk.  The clock of the CTF trace ticks in ps (1e12 Hz); babeltrace2
 * shows it in ns and, with --clock-cycles, in ps.  A CTF stream cannot step
 * back, but records come in the order in which the machine works: a vCPU whose
 * turn comes later in a quantum begins again at the quantum's start.  The
 * stream's timestamp is therefore the latest time so far, and the context field
 * `behind` says by how much the record's own time lies before it (0 on a
 * machine of one CPU).  Readers of this file get the record's own time.
 */
#ifndef PARTERRE_SIM_TRACE_H
#define PARTERRE_SIM_TRACE_H

#include "sim/base.h"
#include "sim/status.h"

/* events.def: TRACE_EVENT(NAME, "name", number, class, fields...) where each
 * field is U(name) unsigned 64-bit, X(name) the same shown in hexadecimal,
 * B(name) a number up to 255, or S(name) a string.  At most TRACE_FIELDS_MAX
 * fields; numbers are 1 to 255. */
#define TRACE_FIELDS_MAX 10
/* A string in a record, its NUL included; a longer one is cut when written. */
#define TRACE_STRING_MAX 1024

/* Numbers by identifier: TRACE_EV_REG_READ, ... */
enum trace_number {
#define TRACE_EVENT(id, name, number, class, fields) TRACE_EV_##id = (number),
#include "sim/trace/events.def"
#undef TRACE_EVENT
};

enum trace_class {
	TRACE_CLASS_PARTITION = 1,
	TRACE_CLASS_MACHINE = 2,
	TRACE_CLASS_FLOW = 4,
	TRACE_CLASS_FULL = 8
};
#define TRACE_CLASSES 4
/* Those of the file `stream`, of its digest and count; the others are in
 * `.deep` (sim/trace/deep.h). */
#define TRACE_PLAIN (TRACE_CLASS_PARTITION | TRACE_CLASS_MACHINE)
#define TRACE_DEEP  (TRACE_CLASS_FLOW | TRACE_CLASS_FULL)

enum trace_field_kind {
	TRACE_U64,
	TRACE_X64,
	TRACE_U8,
	TRACE_STR
};

struct trace_field {
	const char *name;
	enum trace_field_kind kind;
};

struct trace_kind {
	uint16_t number;
	const char *name;
	enum trace_class class;
	unsigned field_count;
	struct trace_field field[TRACE_FIELDS_MAX];
};

/* The catalogue, in order of number; NULL-name terminated. */
extern const struct trace_kind trace_kinds[];
const struct trace_kind *trace_kind_find(uint16_t number);
const struct trace_kind *trace_kind_by_name(const char *name);
/* "partition", "machine", "flow", "full"; 0: no class is called so. */
unsigned trace_class_by_name(const char *name);
const char *trace_class_text(enum trace_class class);

union trace_value {
	uint64_t u;
	const char *s;
};

struct trace_record {
	const struct trace_kind *kind;
	ps_t time;
	uint32_t cpu;
	uint32_t partition; /* below 2^16 */
	uint64_t retired;   /* below 2^56 */
	union trace_value value[TRACE_FIELDS_MAX];
};

/* --- writing --- */
/* `classes`: TRACE_CLASS_… or-ed; events of others are dropped. */
struct trace;
struct trace *trace_create(const char *dir, unsigned classes,
			   struct error *err) MUST_USE;
/* All events go to `stream`, whatever their class: trace_emit() alone. */
struct trace *trace_create_plain(const char *dir, struct error *err) MUST_USE;
/* Flushes and closes; false if the disk said no. */
bool trace_close(struct trace *t, struct error *err);
void trace_emit(struct trace *t, const struct trace_record *r); /* t NULL: ok */
bool trace_wants(const struct trace *t, enum trace_class class);
uint64_t trace_digest(const struct trace *t); /* of all events so far */
uint64_t trace_count(const struct trace *t);
/* How far the trace has come, what is selected included.  trace_back(): what
 * was emitted since was not; of the same trace, as often as is wanted. */
struct trace_mark;
struct trace_mark *trace_mark(struct trace *t) MUST_USE;
void trace_back(struct trace *t, const struct trace_mark *mark);
void trace_mark_free(struct trace_mark *mark); /* NULL is fine */
/* Who waits for events (the scenario); called after the event was written, in
 * the order of registration.  At most TRACE_LISTENERS_MAX. */
#define TRACE_LISTENERS_MAX 8
void trace_listen(struct trace *t,
		  void (*on)(void *owner, const struct trace_record *r),
		  void *owner);

/* --- what is written of a class --- */
/* All of it by default.  Class partition is always whole: who reads a trace
 * needs its names, the oracle its records.  Ranges hold both their ends. */
#define TRACE_SELECT_NAMES 8
#define TRACE_NAME_BYTES   24
struct trace_select {
	bool off;       /* nothing */
	bool by_window; /* of virtual time, and of the CPU's retired count */
	ps_t from, to;
	uint64_t retired_from, retired_to;
	bool by_cpu;
	uint32_t cpus; /* bit for each */
	bool by_range;
	vaddr_t low, high; /* of the instruction */
	unsigned names;    /* of partitions; 0: all */
	char name[TRACE_SELECT_NAMES][TRACE_NAME_BYTES];
};
void trace_select_all(struct trace_select *s);
/* From now on; also in the middle of a run, between instructions. */
void trace_select(struct trace *t, enum trace_class class,
		  const struct trace_select *s);
/* Partitions that its events have told of, by number; a name as often as it was
 * given.  NULL: no more. */
bool trace_knows(const struct trace *t, const char *name);
const char *trace_known(const struct trace *t, size_t i);
const struct trace_select *trace_selected(const struct trace *t,
					  enum trace_class class);

/* Class flow, and class full; listeners are not told, digest and count don't
 * know of them.  `at` is the place at which they began. */
struct deep_place;
struct cpu_instruction;
void trace_flow(struct trace *t, const struct deep_place *at, vaddr_t pc,
		vaddr_t end, uint64_t count);
void trace_instruction(struct trace *t, const struct deep_place *at,
		       const struct cpu_instruction *i);
/* Flow, and instructions, that were written. */
uint64_t trace_deep_count(const struct trace *t);

/* --- reading --- */
struct trace_reader;
struct trace_reader *trace_open(const char *dir, struct error *err) MUST_USE;
/* 1: *r filled (strings valid until the next call); 0: end; -1: *err set (a
 * truncated or corrupt trace names file and offset). */
int trace_next(struct trace_reader *tr, struct trace_record *r,
	       struct error *err);
void trace_reader_close(struct trace_reader *tr);
/* How much of the trace has been read, of 1000; 0 when that is not known. */
unsigned trace_permille(const struct trace_reader *tr);
/* Before the first event: those of `stream` alone are wanted. */
void trace_plain(struct trace_reader *tr);
/* The text of a trace's `metadata` file; freed by the caller. */
char *trace_metadata(void);
/* One line of text, as `parterre trace` and differences show it. */
void trace_format(const struct trace_record *r, char *buf, size_t bytes);

#endif

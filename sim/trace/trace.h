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
	TRACE_CLASS_MACHINE = 2
};
#define TRACE_CLASSES 2

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
/* "partition", "machine"; 0: no class is called so. */
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
/* Flushes and closes; false if the disk said no. */
bool trace_close(struct trace *t, struct error *err);
void trace_emit(struct trace *t, const struct trace_record *r); /* t NULL: ok */
bool trace_wants(const struct trace *t, enum trace_class class);
uint64_t trace_digest(const struct trace *t); /* of all events so far */
uint64_t trace_count(const struct trace *t);
/* Who waits for events (the scenario); called after the event was written, in
 * the order of registration.  At most TRACE_LISTENERS_MAX. */
#define TRACE_LISTENERS_MAX 8
void trace_listen(struct trace *t,
		  void (*on)(void *owner, const struct trace_record *r),
		  void *owner);

/* --- reading --- */
struct trace_reader;
struct trace_reader *trace_open(const char *dir, struct error *err) MUST_USE;
/* 1: *r filled (strings valid until the next call); 0: end; -1: *err set (a
 * truncated or corrupt trace names file and offset). */
int trace_next(struct trace_reader *tr, struct trace_record *r,
	       struct error *err);
void trace_reader_close(struct trace_reader *tr);
/* The text of a trace's `metadata` file; freed by the caller. */
char *trace_metadata(void);
/* One line of text, as `parterre trace` and differences show it. */
void trace_format(const struct trace_record *r, char *buf, size_t bytes);

#endif

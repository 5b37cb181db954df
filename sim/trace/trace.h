/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/trace.h - records what happened: CTF 1.8 on disk.
 *
 * Kinds and fields of events come from events.def alone: the writer, the
 * reader, the CTF metadata and the documentation are made of it.  Numbers are
 * never reused.  Each event carries virtual time (ps), CPU, partition (index
 * into the partition table that TRACE_PARTITION events define; 0 = unknown,
 * i.e. monitor or boot), and that CPU's retired count.
 *
 * The same run gives the same bytes.  A trace is a directory: `metadata`
 * (text) and one stream file; babeltrace2 reads it.  Writing to a NULL path
 * keeps only the running digest and the listeners.
 */
#ifndef PARTERRE_SIM_TRACE_H
#define PARTERRE_SIM_TRACE_H

#include "sim/base.h"
#include "sim/status.h"

/* events.def: TRACE_EVENT(NAME, "name", number, class, fields...) where each
 * field is U(name) unsigned 64-bit, X(name) the same shown in hexadecimal, or
 * S(name) a string.  At most TRACE_FIELDS_MAX fields. */
#define TRACE_FIELDS_MAX 10

enum trace_class { TRACE_CLASS_PARTITION = 1, TRACE_CLASS_MACHINE = 2 };

enum trace_field_kind { TRACE_U64, TRACE_X64, TRACE_STR };

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

union trace_value {
	uint64_t u;
	const char *s;
};

struct trace_record {
	const struct trace_kind *kind;
	ps_t time;
	uint32_t cpu;
	uint32_t partition;
	uint64_t retired;
	union trace_value value[TRACE_FIELDS_MAX];
};

/* --- writing --- */
struct trace;
struct trace *trace_create(const char *dir, unsigned classes, struct error *err)
	MUST_USE;
/* Flushes and closes; false if the disk said no. */
bool trace_close(struct trace *t, struct error *err);
void trace_emit(struct trace *t, const struct trace_record *r); /* t NULL: ok */
bool trace_wants(const struct trace *t, enum trace_class class);
uint64_t trace_digest(const struct trace *t); /* of all events so far */
uint64_t trace_count(const struct trace *t);
/* Who waits for events (the scenario); called after the event was written. */
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
/* One line of text, as `parterre trace` and differences show it. */
void trace_format(const struct trace_record *r, char *buf, size_t bytes);

#endif

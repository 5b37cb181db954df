/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_source.h - a trace as its readers want it: the events
 * that a filter lets through, with the partitions' names and their programs'
 * symbols.
 *
 * Names come from the trace's own `partition` events, which are seen whatever
 * the filter; programs from the file `programs` that a run leaves beside its
 * trace (sim/scenario/session.h).  A trace without it, or whose images are
 * gone, has no symbols.
 */
#ifndef PARTERRE_TOOLS_TRACE_SOURCE_H
#define PARTERRE_TOOLS_TRACE_SOURCE_H

#include "sim/programs.h"
#include "sim/trace/trace.h"

#define SOURCE_PARTITIONS 256
#define SOURCE_NAME_BYTES 24
#define FILTER_NAMES_MAX  8

/* What is let through: everything, unless a field says less.  Ranges hold both
 * their ends. */
struct trace_filter {
	unsigned classes; /* 0: all */
	bool by_kind, by_cpu, by_retired, by_address;
	bool kind[256]; /* by number */
	bool cpu[256];
	const char *partition[FILTER_NAMES_MAX]; /* name or index */
	size_t partitions;
	ps_t from, to;
	uint64_t retired_from, retired_to; /* of the record's CPU */
	vaddr_t address_from, address_to;
};

void filter_all(struct trace_filter *f);
/* The options that set it: "event", "class", "partition", "cpu", "window",
 * "address".  False: the argument is not what the option takes. */
bool filter_take(struct trace_filter *f, const char *option, const char *arg);
/* Is there a field that lies in the range? */
bool filter_address(const struct trace_filter *f, const struct trace_record *r);

struct source {
	struct trace_reader *reader;
	struct trace_filter filter;
	char name[SOURCE_PARTITIONS][SOURCE_NAME_BYTES];
	uint32_t kind[SOURCE_PARTITIONS]; /* PART_* */
	struct programs *programs; /* NULL: its folder's name is too long */
	bool named;
	uint64_t number; /* of the last event, from 1 on, all counted */
	uint64_t shown;  /* how many of them were let through */
	bool silent;     /* no progress: its reader writes to the terminal */
};

/* `dir`: a trace's directory.  `f` NULL: no filter. */
bool source_open(struct source *s, const char *dir,
		 const struct trace_filter *f, struct error *err);
void source_close(struct source *s);
/* As trace_next(). */
int source_next(struct source *s, struct trace_record *r, struct error *err);
/* "io.a"; "monitor" for 0. */
const char *source_name(const struct source *s, uint64_t index);

/* Where it happened: the value of the field `rip`.  False: it has none. */
bool record_rip(const struct trace_record *r, vaddr_t *rip);
/* The value of a field by its name; 0: it has none. */
uint64_t record_field(const struct trace_record *r, const char *name);
/* The program in which a partition runs at `va`: its own, a process of a
 * guest, the monitor.  NULL: not known. */
const struct symbols *source_symbols(const struct source *s, uint32_t partition,
				     vaddr_t va);
/* "function+0x12 (file.c:34)"; false, and an empty text: nothing is known. */
bool source_place(const struct source *s, uint32_t partition, vaddr_t va,
		  char *text, size_t bytes);

/* A word for a number of hv/abi; "?" if there is none. */
const char *switch_reason_text(uint64_t reason);

#endif

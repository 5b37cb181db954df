/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/golden.h - golden traces: what a run must do again, as a text
 * to read and to review, in three layers.
 *
 *   parterre-golden 2
 *   machine NAME                    each machine of the run
 *   images HASH                     of its programs' files, in their order
 *   timing MODEL HASH               at power-on; of its profile, 0: the generic
 *   [semantic]                      who did what, in order, by partition
 *   io.a
 *     state of=guest1 ...           landmarks, each in a line
 *     console text="[io.a] ready"   what it wrote
 *     + 34 block_response HASH      the rest, folded, by conversation
 *   [architectural]                 which system calls and exceptions
 *   io.a 1234 syscall 0 exception HASH
 *   [timed]                         when
 *   0.033810095445 io.a i=1234 console ...   each landmark
 *   end PS retired N chain HEX digest HEX events N trace HEX
 *
 * The first layer has no time, no address, no count of instructions in it, and
 * no order that time alone decides: another compiler's images, or another model
 * of time, leave it as it is where nothing is decided by who comes first.  The
 * others are those of these very images and of that model, and are compared
 * only with them.
 */
#ifndef PARTERRE_TOOLS_GOLDEN_H
#define PARTERRE_TOOLS_GOLDEN_H

#include "sim/scenario/session.h"
#include "tools/parterre/trace_source.h"

/* After session_finish(); the run had a trace.  Freed by the caller.  NULL:
 * *err. */
char *golden_make(const struct session *first, struct error *err);
char *golden_read(const char *path, struct error *err);
/* Is it one of this version, and whole? */
bool golden_whole(const char *path, struct error *err);
bool golden_write(const char *path, const char *text, struct error *err);
/* EXIT_HELD, or EXIT_TRACE after the layer and its first difference were
 * printed. */
int golden_compare(const char *recorded, const char *fresh);

/* What a record says in the semantic layer; false: nothing.  *landmark: it has
 * a line of its own.  `s` NULL: partitions by their indices. */
bool semantic_text(const struct source *s, const struct trace_record *r,
		   char *text, size_t bytes, bool *landmark);

/* diff_code.c: prints the first code that was run and is not the same in both
 * runs' programs, as far as the traces have class flow; *found: there is some.
 */
bool diff_code(const char *dir_a, const char *dir_b, bool *found,
	       struct error *err);

/* Where they do: an event of one partition on each side. */
struct diff_parting {
	bool is; /* they part */
	uint32_t partition;
	struct diff_event {
		bool is; /* false: this side has nothing more */
		ps_t time;
		uint64_t retired;
		uint32_t cpu;
		char *text; /* as the semantic layer has it; malloc() */
	} a, b;
};
void diff_parting_free(struct diff_parting *p);

/* What run A is of. */
struct diff_origin {
	const char *images, *scenario;
};

/* diff_semantic.c: prints where two traces part, aligned by partition, and how
 * to go there in A; `of`: NULL if nobody knows. */
int diff_semantic(const char *dir_a, const char *dir_b,
		  const struct diff_origin *of, struct diff_parting *p,
		  struct error *err);

#endif

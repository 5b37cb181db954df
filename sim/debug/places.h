/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/places.h - addresses by name, and back: the programs of the
 * partitions of a machine that stands, by their files' symbols.
 *
 * A place is written
 *   0xADDRESS  SYMBOL  SYMBOL+OFFSET  FILE:LINE     and before it `PARTITION:`
 * (`monitor:`).  Without that it is of the thread's own program, then of the
 * monitor.  FILE is a path's end on whole names.  A line without code is the
 * next one that has some.
 */
#ifndef PARTERRE_DEBUG_PLACES_H
#define PARTERRE_DEBUG_PLACES_H

#include "sim/debug/debug.h"
#include "sim/symbols.h"
#include "sim/unwind.h"

/* The process in whose memory it lies, and where. */
struct debug_at {
	uint32_t pid;
	vaddr_t va;
};

/* The program that a thread would run at `va`; NULL: not known. */
const struct symbols *debug_symbols(struct debug *d, struct debug_id id,
				    vaddr_t va);
/* False: *err says what is not there (EXIT_USAGE). */
bool debug_place_find(struct debug *d, struct debug_id id, const char *text,
		      struct debug_at *at, struct error *err);
/* "function+0x12 (file.c:34)"; false, and an empty text: nothing is known. */
bool debug_place_text(struct debug *d, struct debug_id id, vaddr_t va,
		      char *text, size_t bytes);
/* Whose code that is: "monitor", or the partition's name. */
const char *debug_space_name(struct debug *d, struct debug_id id, vaddr_t va);
/* verbs_code.c: the thread's frames, innermost first; returns how many. */
size_t debug_frames(struct debug *d, struct debug_id id,
		    struct unwind_frame *frame, size_t max);
/* A line of a source file, without its line feed.  Names are looked for from
 * where the images were built, and from here.  False: no such line. */
bool debug_source_line(struct debug *d, const char *file, uint32_t line,
		       char *text, size_t bytes);
/* A thread by name: "cpu1", a partition's name (the thread that has a CPU
 * rather), or PROCESS.THREAD. */
bool debug_thread_find(struct debug *d, const char *text, struct debug_id *id,
		       struct error *err);
/* Names that are places: the monitor's functions, those of the thread's
 * program, the partitions. */
typedef void debug_name_fn(void *to, const char *name);
void debug_places_each(struct debug *d, struct debug_id id, debug_name_fn *fn,
		       void *to);
void debug_places_free(struct debug *d);

#endif

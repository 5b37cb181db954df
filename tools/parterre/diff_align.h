/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_align.h - one function as two programs have it: which of
 * its instructions are not the same.
 *
 * Both are written in a form that does not depend on where things lie: an
 * address in the program is told by function or variable, with a digest of what
 * a variable is initialised to; a jump within the function has no target.  The
 * longest common sequence is what is the same, the rest is not.  First without
 * regard to which register holds what, what is carried from one to another, and
 * where on the stack: compilers choose that anew for the whole function when a
 * line changes.  Only if nothing differs then, with regard to it.
 */
#ifndef PARTERRE_TOOLS_DIFF_ALIGN_H
#define PARTERRE_TOOLS_DIFF_ALIGN_H

#include "cpu/decode.h"
#include "sim/symbols.h"

#define ALIGN_TEXT 96

struct align_insn {
	vaddr_t va;
	uint8_t bytes;
	bool differs;
	size_t other; /* index of what stands there in the other; SIZE_MAX: no
		       */
	char text[72];
	char data[ALIGN_TEXT]; /* what it refers to; empty: nothing of the data
				*/
};

struct align_side {
	const struct symbols *program;
	vaddr_t begin;
	size_t count;
	struct align_insn *insn;
	/* Those that are held against each other, by index. */
	size_t steps, *step;
};

struct alignment {
	struct align_side side[2];
	bool same;
};

/* The functions that begin at those addresses of those programs. */
struct alignment *align_functions(struct decoder *d, const struct symbols *p,
				  vaddr_t a, const struct symbols *q,
				  vaddr_t b);
void align_free(struct alignment *al);
/* The instruction of a side at that address; NULL: there is none. */
const struct align_insn *align_at(const struct align_side *s, vaddr_t va);

/* `name` without what compilers append to copies and parts of a function. */
void align_plain_name(char *to, size_t bytes, const char *name);

#endif

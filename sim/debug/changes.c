/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/changes.c - see changes.h. */
#include "sim/debug/changes.h"

#include <stdlib.h>

#include "sim/check.h"
#include "sim/machine.h"

#define WORD_BYTES 8

struct changes {
	struct machine *machine; /* NULL: nothing is marked */
	uint32_t *marks;         /* 0: not since the first stretch began */
	size_t count, space;
	uint64_t *from; /* stretch n, from 1 on, begins at from[n - 1] */
};

struct changes *changes_create(void)
{
	struct changes *c = calloc(1, sizeof(*c));

	CHECK_MSG(c, "out of memory for a debugger");
	return c;
}

static void forget(struct changes *c)
{
	free(c->marks);
	c->marks = NULL;
	c->count = 0;
}

void changes_destroy(struct changes *c)
{
	if (!c)
		return;
	forget(c);
	free(c->from);
	free(c);
}

static void begin(struct changes *c, uint64_t retired)
{
	if (c->count == c->space) {
		c->space = c->space ? 2 * c->space : 1024;
		c->from = reallocarray(c->from, c->space, sizeof(*c->from));
		CHECK_MSG(c->from, "out of memory for a debugger");
	}
	c->from[c->count++] = retired;
	machine_mark_changes(c->machine, c->marks, (uint32_t)c->count);
}

void changes_go_on(struct changes *c, struct machine *m, uint64_t retired,
		   bool now)
{
	if (c->machine != m) {
		forget(c);
		c->marks = calloc(CPU_MARKS, sizeof(*c->marks));
		CHECK_MSG(c->marks, "out of memory for a debugger");
		c->machine = m;
		now = true;
	}
	if (c->count &&
	    (now ? c->from[c->count - 1] == retired
		 : retired - c->from[c->count - 1] < CHANGES_STRETCH))
		return;
	begin(c, retired);
}

void changes_end(struct changes *c)
{
	if (c->machine)
		machine_mark_changes(c->machine, NULL, 0);
	c->machine = NULL;
	forget(c);
}

bool changes_last(const struct changes *c, vaddr_t va, uint64_t bytes,
		  uint64_t retired, struct changes_span *span)
{
	uint32_t last = 0;

	for (uint64_t word = va / WORD_BYTES;
	     c->count && word <= (va + bytes - 1) / WORD_BYTES; word++) {
		uint32_t mark = c->marks[cpu_mark(word * WORD_BYTES)];

		last = mark > last ? mark : last;
	}
	span->low = last ? c->from[last - 1] : 0;
	span->high = last == c->count ? retired : c->from[last];
	return span->low < span->high;
}

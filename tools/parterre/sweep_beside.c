/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep_beside.c - runs beside those that stand for others: see
 * sweep.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "tools/parterre/sweep.h"

bool sweep_beside_due(struct sweep_beside *b, size_t of)
{
	if (b->passed++ % b->every != 0)
		return false;
	if ((b->count & (b->count - 1)) == 0) {
		b->pair = reallocarray(b->pair, b->count ? 2 * b->count : 1,
				       sizeof(*b->pair));
		CHECK_MSG(b->pair, "out of memory for a sweep");
	}
	memset(&b->pair[b->count], 0, sizeof(b->pair[0]));
	b->pair[b->count++].of = of;
	return true;
}

/* What came of two runs whose faults are some instructions apart. */
static const char *difference(const struct sweep_result *a,
			      const struct sweep_result *b)
{
	if (a->status != b->status)
		return "status";
	if (strcmp(a->outcome, b->outcome) != 0)
		return "outcome";
	if (a->contained != b->contained)
		return "containment";
	if (a->lost != b->lost || a->doubled != b->doubled ||
	    a->torn != b->torn || a->misordered != b->misordered)
		return "writes lost, doubled, torn, out of order";
	if (a->replayed != b->replayed)
		return "requests sent again";
	if (a->by_report != b->by_report ||
	    (a->detected == PS_NEVER) != (b->detected == PS_NEVER) ||
	    (a->first_io == PS_NEVER) != (b->first_io == PS_NEVER))
		return "how it was detected";
	return a->disk != b->disk ? "what is on the disk" : NULL;
}

static void tell(struct sweep_beside_sum *sum, const struct sweep_result *a,
		 const struct sweep_result *b, const char *what)
{
	if (sum->differ++)
		return;
	snprintf(sum->text, sizeof(sum->text),
		 "%" PRIu64 "i is not as %" PRIu64 "i, which stands for it: "
		 "%s%s%.300s",
		 b->retired, a->retired, what, b->text[0] ? ": " : "", b->text);
}

void sweep_beside_compare(const struct sweep_sum *s,
			  struct sweep_beside_sum *sum)
{
	*sum = (struct sweep_beside_sum){0};
	for (size_t i = 0; s->beside && i < s->beside->count; i++) {
		const struct sweep_pair *p = &s->beside->pair[i];
		const struct sweep_result *a = &s->result[p->of];
		const struct sweep_result *b = &p->run[0];
		const char *what = difference(a, b);

		if (!what && b->chain != p->run[1].chain)
			what = "memory that should not matter does";
		if (what) {
			tell(sum, a, b, what);
			continue;
		}
		sum->alike += a->events == b->events;
		if (a->first_io != PS_NEVER) {
			ps_t x = a->first_io - a->at, y = b->first_io - b->at;
			ps_t apart = x > y ? x - y : y - x;

			if (apart > sum->apart)
				sum->apart = apart;
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_guest.c - lines on guests: what each is and is given.
 *
 * docs/policy.md: guest, args, disk, after.  Extents of guests never overlap.
 */
#include "command/policy_line.h"

#include "lib/string.h"

#define BLOCKS_MAX 64 /* of one partition, as the ultravisor has it */

/* guest NAME image MODULE blocks COUNT */
bool do_guest(const struct line *l, struct policy *p)
{
	struct policy_guest *g = &p->guest[p->guests];
	uint64_t blocks;

	if (l->words != 6 || !word_is(&l->word[2], "image") ||
	    !word_is(&l->word[4], "blocks"))
		return line_fail(
			l, "write: guest NAME image MODULE blocks COUNT%s", "");
	if (find_guest(p, &l->word[1]) != NULL || is_system(&l->word[1]))
		return line_fail(l,
				 "this guest is there already: choose another "
				 "name%s",
				 "");
	if (p->guests == POLICY_GUESTS_MAX)
		return line_fail(l, "too many guests: at most 8%s", "");
	if (!line_name(l, 1, g->name) || !line_name(l, 3, g->image) ||
	    !line_number(l, 5, 1, BLOCKS_MAX, &blocks))
		return false;
	g->blocks = (uint32_t)blocks;
	p->guests++;
	return true;
}

/* args NAME WORD... */
bool do_args(const struct line *l, struct policy *p)
{
	struct policy_guest *g =
		l->words > 1 ? find_guest(p, &l->word[1]) : NULL;

	if (l->words < 3)
		return line_fail(l, "write: args NAME WORD...%s", "");
	if (g == NULL)
		return line_fail(l,
				 "no such guest: a `guest` line has to come "
				 "first%s",
				 "");
	if (g->args[0] != '\0')
		return line_fail(
			l,
			"this guest has arguments already: put them in "
			"one line%s",
			"");
	if (l->rest_bytes >= sizeof(g->args))
		return line_fail(l, "too long: at most 127 characters%s", "");
	memcpy(g->args, l->rest, l->rest_bytes);
	return true;
}

static bool overlap(const struct policy_guest *a, const struct policy_guest *b)
{
	return a->extent_block < b->extent_block + b->extent_blocks &&
	       b->extent_block < a->extent_block + a->extent_blocks;
}

/* disk NAME prefer IO [fallback IO] extent FIRST COUNT */
bool do_disk(const struct line *l, struct policy *p)
{
	struct policy_guest *g =
		l->words > 1 ? find_guest(p, &l->word[1]) : NULL;
	bool two = l->words == 9 && word_is(&l->word[4], "fallback");
	unsigned n = two ? 6 : 4;

	if (l->words != n + 3 || !word_is(&l->word[2], "prefer") ||
	    !word_is(&l->word[n], "extent"))
		return line_fail(l,
				 "write: disk NAME prefer IO [fallback IO] "
				 "extent FIRST COUNT%s",
				 "");
	if (g == NULL)
		return line_fail(l,
				 "no such guest: a `guest` line has to come "
				 "first%s",
				 "");
	if (g->disk)
		return line_fail(l, "this guest has a disk already%s", "");
	if (!line_name(l, 3, g->preferred) ||
	    (two && !line_name(l, 5, g->fallback)) ||
	    !line_number(l, n + 1, 0, 1ull << 36, &g->extent_block) ||
	    !line_number(l, n + 2, 1, 1ull << 36, &g->extent_blocks))
		return false;
	if (strcmp(g->preferred, g->fallback) == 0)
		return line_fail(
			l,
			"preferred and fallback are the same: name two "
			"I/O partitions%s",
			"");
	for (unsigned i = 0; i < p->guests; i++) {
		if (&p->guest[i] != g && p->guest[i].disk &&
		    overlap(&p->guest[i], g))
			return line_fail(l,
					 "the extent overlaps that of %s: give "
					 "each guest its own blocks",
					 p->guest[i].name);
	}
	g->disk = true;
	return true;
}

/* after NAME OTHER... */
bool do_after(const struct line *l, struct policy *p)
{
	struct policy_named *s;

	if (l->words < 3)
		return line_fail(l, "write: after NAME OTHER...%s", "");
	if (find_guest(p, &l->word[1]) == NULL)
		return line_fail(l,
				 "only guests are started by the policy: a "
				 "`guest` line has to come first%s",
				 "");
	s = line_named(l, p, 1);
	for (unsigned i = 2; s != NULL && i < l->words; i++) {
		if (!line_known(l, p, i))
			return false;
		if (s->afters == POLICY_AFTER_MAX)
			return line_fail(
				l, "too many: after at most 4 others%s", "");
		if (word_is(&l->word[i], s->name))
			return line_fail(l, "%s cannot start after itself",
					 s->name);
		(void)line_name(l, i, s->after[s->afters++]);
	}
	return s != NULL;
}

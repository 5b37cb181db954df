/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_names.c - the partitions that a policy's lines name.
 *
 * Guests are there from their `guest` line on; the others are there anyway.
 * What lines say of one partition is kept under its name (struct policy_named),
 * whichever it is.
 */
#include "command/policy_line.h"

#include "lib/format.h"
#include "lib/string.h"

struct policy_guest *find_guest(struct policy *p, const struct word *w)
{
	for (unsigned i = 0; i < p->guests; i++) {
		if (word_is(w, p->guest[i].name))
			return &p->guest[i];
	}
	return NULL;
}

bool is_guest(const struct policy *p, const char *name)
{
	for (unsigned i = 0; i < p->guests; i++) {
		if (strcmp(p->guest[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Partitions that are there without a line of the policy. */
static const char *const system_names[] = {"io.a", "io.b", "command",
					   "operations", "diagnostics"};

bool is_system(const struct word *w)
{
	for (size_t i = 0; i < sizeof(system_names) / sizeof(char *); i++) {
		if (word_is(w, system_names[i]))
			return true;
	}
	return false;
}

bool is_io(const struct word *w)
{
	return word_is(w, "io.a") || word_is(w, "io.b");
}

bool line_known(const struct line *l, struct policy *p, unsigned n)
{
	if (n < l->words &&
	    (is_system(&l->word[n]) || find_guest(p, &l->word[n]) != NULL))
		return true;
	(void)format(l->error->text, sizeof(l->error->text),
		     "word %u: no such partition: a `guest` line has to come "
		     "first, or io.a io.b command operations diagnostics",
		     n + 1);
	l->error->line = l->number;
	return false;
}

/* What is said of the partition that word n names; NULL: there is none. */
struct policy_named *line_named(const struct line *l, struct policy *p,
				unsigned n)
{
	struct policy_named *at;

	if (!line_known(l, p, n))
		return NULL;
	for (unsigned i = 0; i < p->nameds; i++) {
		if (word_is(&l->word[n], p->named[i].name))
			return &p->named[i];
	}
	/* There are no more names than that. */
	at = &p->named[p->nameds++];
	(void)line_name(l, n, at->name);
	return at;
}
_Static_assert(POLICY_NAMED_MAX >= POLICY_GUESTS_MAX + sizeof(system_names) /
							       sizeof(char *),
	       "room for every name");

bool line_twice(const struct line *l, bool before, const char *what)
{
	return !before ||
	       line_fail(l, "%s has been said of this partition already", what);
}

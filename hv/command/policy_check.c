/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_check.c - what no line alone can tell.
 *
 * Of a policy whose lines are all good: do they go together (policy_whole()),
 * and can this machine do it (policy_fits())?  And what follows from all of
 * them: which CPU a partition runs on.
 */
#include "command/policy_line.h"

#include "lib/format.h"
#include "lib/string.h"

const struct policy_named *policy_named(const struct policy *p,
					const char *name)
{
	for (unsigned i = 0; i < p->nameds; i++) {
		if (strcmp(p->named[i].name, name) == 0)
			return &p->named[i];
	}
	return NULL;
}

/* Follow the lines: who comes back to where it began waits for itself. */
static bool waits_for(const struct policy *p, const struct policy_named *who,
		      const char *name, unsigned depth)
{
	for (unsigned i = 0; depth > 0 && i < who->afters; i++) {
		const struct policy_named *o = policy_named(p, who->after[i]);

		if (strcmp(who->after[i], name) == 0 ||
		    (o != NULL && waits_for(p, o, name, depth - 1)))
			return true;
	}
	return false;
}

/* A frame gives its CPU's time to those that are there. */
static bool check_frame(const struct policy *p, uint32_t cpu, struct line *l)
{
	const struct policy_frame *f = &p->frame[cpu];

	l->number = f->line;
	for (unsigned i = 0; i < f->windows; i++) {
		const char *name = f->window[i].name;
		const struct policy_named *n = policy_named(p, name);

		if (name[0] == '\0')
			continue;
		if (n == NULL || n->cpu != cpu + 1)
			return line_fail(
				l,
				"%s is not on this CPU: add a `cpu` line "
				"that puts it there",
				name);
	}
	return true;
}

bool policy_acts(const struct policy_rule *rule)
{
	return rule->failover || rule->restart || rule->stop;
}

static unsigned disks(const struct policy *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->guests; i++)
		n += p->guest[i].disk;
	return n;
}

/* Those that no event could ever make come true. */
static bool check_complaints(const struct policy *p, struct line *l)
{
	const struct policy_rule *rule = &p->on_complaint;

	l->number = p->complaint_line;
	if (l->number != 0 && !policy_acts(rule))
		return line_fail(l,
				 "nothing follows from complaints: add an `on "
				 "guest-complaint` line%s",
				 "");
	if (policy_acts(rule) && !rule->failover && disks(p) < p->complainers)
		return line_fail(
			l,
			"fewer guests have disks than have to complain: "
			"write `complaints US guests 1 times M`, or add "
			"failover%s",
			"");
	return true;
}

bool policy_whole(const struct policy *p, struct policy_error *error)
{
	struct line l = {.error = error};

	if (p->failback && !p->on_failure.restart)
		return line_fail(&l,
				 "failback without restart: add restart to the "
				 "`on io-failure` line%s",
				 "");
	if (!check_complaints(p, &l))
		return false;
	l.number = 0;
	for (unsigned i = 0; i < p->nameds; i++) {
		if (waits_for(p, &p->named[i], p->named[i].name,
			      POLICY_GUESTS_MAX))
			return line_fail(&l,
					 "%s would start after itself: look at "
					 "the `after` lines",
					 p->named[i].name);
	}
	for (uint32_t cpu = 0; cpu < POLICY_CPUS_MAX; cpu++) {
		if (!check_frame(p, cpu, &l))
			return false;
	}
	return true;
}

static uint32_t dedicated(const struct policy *p)
{
	uint32_t cpus = 0;

	for (unsigned i = 0; i < p->nameds; i++) {
		if (p->named[i].dedicated)
			cpus |= 1u << (p->named[i].cpu - 1);
	}
	return cpus;
}

bool policy_fits(const struct policy *p, unsigned cpus,
		 struct policy_error *error)
{
	struct line l = {.error = error};
	char text[64];

	memset(error, 0, sizeof(*error));
	for (unsigned i = 0; i < p->nameds; i++) {
		if (p->named[i].cpu <= cpus)
			continue;
		l.number = p->named[i].cpu_line;
		(void)format(text, sizeof(text),
			     "CPU %u: this machine has 0 to %u",
			     p->named[i].cpu - 1, cpus - 1);
		return line_fail(&l, "%s", text);
	}
	for (uint32_t cpu = cpus; cpu < POLICY_CPUS_MAX; cpu++) {
		l.number = p->frame[cpu].line;
		if (p->frame[cpu].windows != 0)
			return line_fail(&l,
					 "a frame of a CPU that this machine "
					 "does not have: remove it%s",
					 "");
	}
	if ((dedicated(p) | ~0u << cpus) == ~0u)
		return line_fail(&l,
				 "every CPU is dedicated: leave one for the "
				 "others%s",
				 "");
	return true;
}

unsigned policy_cpu(const struct policy *p, const char *name, unsigned turn,
		    unsigned cpus)
{
	const struct policy_named *n = policy_named(p, name);
	uint32_t taken = dedicated(p);
	unsigned at = turn % cpus;

	if (n != NULL && n->cpu != 0)
		return n->cpu - 1;
	for (unsigned i = 0; i < cpus && (taken >> at & 1) != 0; i++)
		at = (at + 1) % cpus;
	return at;
}

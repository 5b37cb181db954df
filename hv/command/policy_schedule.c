/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_schedule.c - lines on CPUs and their time.
 *
 * docs/policy.md: schedule, weight, cap, cpu, frame.  Each is said once of a
 * partition or a CPU.  That a frame names only who is on its CPU is checked at
 * the end (policy_check.c): the `cpu` lines may come later.
 */
#include "command/policy_line.h"

#define STANDING_MAX 89 /* below the ultravisor's */
#define WEIGHT_MAX   10000

/* schedule NAME quantum US weight N; that weight is the standing */
bool do_schedule(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t quantum, standing;

	if (l->words != 6 || !word_is(&l->word[2], "quantum") ||
	    !word_is(&l->word[4], "weight"))
		return line_fail(
			l, "write: schedule NAME quantum US weight N%s", "");
	s = line_named(l, p, 1);
	if (s == NULL || !line_number(l, 3, 10, 1000000, &quantum) ||
	    !line_number(l, 5, 1, STANDING_MAX, &standing) ||
	    !line_twice(l, s->quantum_us != 0, "a schedule"))
		return false;
	s->quantum_us = (uint32_t)quantum;
	s->standing = (uint32_t)standing;
	return true;
}

/* weight NAME N */
bool do_weight(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t weight;

	if (l->words != 3)
		return line_fail(l, "write: weight NAME N%s", "");
	s = line_named(l, p, 1);
	if (s == NULL || !line_number(l, 2, 1, WEIGHT_MAX, &weight) ||
	    !line_twice(l, s->weight != 0, "a weight"))
		return false;
	s->weight = (uint32_t)weight;
	return true;
}

/* cap NAME PERMILLE */
bool do_cap(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t cap;

	if (l->words != 3)
		return line_fail(l, "write: cap NAME N, in 1/1000 of its CPU%s",
				 "");
	s = line_named(l, p, 1);
	if (s == NULL || !line_number(l, 2, 1, 1000, &cap) ||
	    !line_twice(l, s->cap != 0, "a cap"))
		return false;
	if (!is_guest(p, s->name))
		return line_fail(
			l,
			"only guests have caps: others would miss what "
			"they are there for%s",
			"");
	s->cap = (uint32_t)cap;
	return true;
}

/* cpu NAME N [dedicated] */
bool do_cpu(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t cpu;

	if (l->words < 3 || l->words > 4 ||
	    (l->words == 4 && !word_is(&l->word[3], "dedicated")))
		return line_fail(l, "write: cpu NAME N [dedicated]%s", "");
	s = line_named(l, p, 1);
	if (s == NULL || !line_number(l, 2, 0, POLICY_CPUS_MAX - 1, &cpu) ||
	    !line_twice(l, s->cpu != 0, "a CPU"))
		return false;
	s->cpu = (uint32_t)cpu + 1;
	s->dedicated = l->words == 4;
	s->cpu_line = l->number;
	for (unsigned i = 0; i < p->nameds; i++) {
		const struct policy_named *o = &p->named[i];

		if (o != s && o->cpu == s->cpu &&
		    (o->dedicated || s->dedicated))
			return line_fail(l,
					 "this CPU is dedicated, and %s has it "
					 "too: take another one",
					 o->name);
	}
	return true;
}

/* frame CPU NAME US..., NAME may be `shared` */
bool do_frame(const struct line *l, struct policy *p)
{
	struct policy_frame *f;
	uint64_t cpu, us;

	if (l->words < 4 || l->words % 2 != 0)
		return line_fail(l, "write: frame CPU NAME US [NAME US]...%s",
				 "");
	if (l->more)
		return line_fail(l, "too many windows: at most 16%s", "");
	if (!line_number(l, 1, 0, POLICY_CPUS_MAX - 1, &cpu))
		return false;
	f = &p->frame[cpu];
	if (f->windows != 0)
		return line_fail(l,
				 "this CPU has a frame: put all windows in one "
				 "line%s",
				 "");
	f->line = l->number;
	for (unsigned i = 2; i < l->words; i += 2) {
		bool shared = word_is(&l->word[i], "shared");

		if ((!shared &&
		     (!line_known(l, p, i) ||
		      !line_name(l, i, f->window[f->windows].name))) ||
		    !line_number(l, i + 1, 10, 1000000, &us))
			return false;
		f->window[f->windows++].length_us = (uint32_t)us;
	}
	return true;
}

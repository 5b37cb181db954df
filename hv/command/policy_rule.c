/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_rule.c - lines on what is done when something fails.
 *
 * docs/policy.md: restart, heartbeat, complaints, on, off.
 */
#include "command/policy_line.h"

/* restart NAME N times */
bool do_restart(const struct line *l, struct policy *p)
{
	struct policy_named *s;
	uint64_t times;

	if (l->words != 4 || !word_is(&l->word[3], "times"))
		return line_fail(l, "write: restart NAME N times%s", "");
	s = line_named(l, p, 1);
	if (s == NULL || !line_number(l, 2, 0, 1000000, &times) ||
	    !line_twice(l, s->bounded, "a number of restarts"))
		return false;
	if (word_is(&l->word[1], "command"))
		return line_fail(
			l,
			"command is restarted by the ultravisor, always: "
			"remove this line%s",
			"");
	s->bounded = true;
	s->restarts = (uint32_t)times;
	return true;
}

/* heartbeat US misses N */
bool do_heartbeat(const struct line *l, struct policy *p)
{
	uint64_t period, misses;

	if (l->words != 4 || !word_is(&l->word[2], "misses"))
		return line_fail(l, "write: heartbeat US misses N%s", "");
	if (!line_number(l, 1, BEAT_US, 1000000, &period) ||
	    !line_number(l, 3, 1, 100, &misses))
		return false;
	p->heartbeat_us = (uint32_t)period;
	p->misses = (uint32_t)misses;
	return true;
}

/* complaints US guests N times M */
bool do_complaints(const struct line *l, struct policy *p)
{
	uint64_t us, guests, times;

	if (l->words != 6 || !word_is(&l->word[2], "guests") ||
	    !word_is(&l->word[4], "times"))
		return line_fail(l, "write: complaints US guests N times M%s",
				 "");
	if (!line_number(l, 1, 1000, 60000000, &us) ||
	    !line_number(l, 3, 1, POLICY_GUESTS_MAX, &guests) ||
	    !line_number(l, 5, 1, 1000, &times))
		return false;
	if (p->complaint_line != 0)
		return line_fail(
			l, "complaints have a line already: leave one%s", "");
	p->complaint_us = (uint32_t)us;
	p->complainers = (uint32_t)guests;
	p->complaints = (uint32_t)times;
	p->complaint_line = l->number;
	return true;
}

/* What word 2 names, if I/O partitions are what it is about; else NULL. */
static struct policy_rule *io_rule(const struct word *w, struct policy *p)
{
	if (word_is(w, "io-failure"))
		return &p->on_failure;
	if (word_is(w, "guest-complaint"))
		return &p->on_complaint;
	return word_is(w, "dma-fault") ? &p->on_dma_fault : NULL;
}

/* on io-failure|guest-complaint|dma-fault [failover] [restart|stop]; and
 * [failback] of the first */
static bool do_io_rule(const struct line *l, struct policy *p,
		       struct policy_rule *rule)
{
	bool first = rule == &p->on_failure;

	for (unsigned i = 2; i < l->words; i++) {
		if (word_is(&l->word[i], "failover"))
			rule->failover = true;
		else if (word_is(&l->word[i], "restart"))
			rule->restart = true;
		else if (word_is(&l->word[i], "stop"))
			rule->stop = true;
		else if (first && word_is(&l->word[i], "failback"))
			p->failback = true;
		else
			return line_fail(l, "unknown rule: %s or stop",
					 first ? "failover, restart, failback"
					       : "failover, restart");
	}
	return !(rule->restart && rule->stop) ||
	       line_fail(l, "restart and stop: leave one of them%s", "");
}

/* on io-failure ..., on guest-failure restart, ... */
bool do_on(const struct line *l, struct policy *p)
{
	const struct word *w = &l->word[1];
	struct policy_rule *io = l->words < 2 ? NULL : io_rule(w, p);
	bool *rule = NULL;

	if (l->words >= 3 && io != NULL)
		return do_io_rule(l, p, io);
	if (l->words < 2 || io != NULL)
		return line_fail(
			l,
			"write: on io-failure [failover] [restart|stop] "
			"[failback], or: on guest-failure restart%s",
			"");
	if (word_is(w, "guest-failure"))
		rule = &p->restart_guests;
	else if (word_is(w, "operations-failure"))
		rule = &p->restart_operations;
	else
		return line_fail(l,
				 "word 2: io-failure, guest-failure, "
				 "guest-complaint, dma-fault or "
				 "operations-failure%s",
				 "");
	if (l->words != 3 || !word_is(&l->word[2], "restart"))
		return line_fail(l, "unknown rule: write restart%s", "");
	*rule = true;
	return true;
}

/* off when-guests-stop */
bool do_off(const struct line *l, struct policy *p)
{
	if (l->words != 2 || !word_is(&l->word[1], "when-guests-stop"))
		return line_fail(l, "write: off when-guests-stop%s", "");
	p->off = true;
	return true;
}

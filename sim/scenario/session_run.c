/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_run.c - running: pieces, progress, several machines in
 * lockstep, how a machine ends.
 *
 * Every machine in its turn runs to the same instant, the next cut.  Cuts may
 * lie anywhere (samples, the live line, --pieces); what one machine can feel of
 * another, or of the scenario after a wait, happens at multiples of the step
 * alone, which cuts do not move.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/check.h"
#include "sim/digest.h"
#include "sim/scenario/session_internal.h"

#define LIVE_SLICE   (2 * PS_PER_MS)
#define LIVE_HOST_NS 100000000

uint64_t session_host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

ps_t session_now(const struct session *s)
{
	const struct session *f = s->first;

	return f->next ? f->now : machine_now(f->machine);
}

/* --- progress --- */

/* What each partition does: its share of the CPU since the line before, or its
 * state when it cannot run. */
static size_t live_partitions(struct session *s, ps_t since, char *who,
			      size_t bytes)
{
	struct partition_info p;
	char word[40];
	size_t n = 0;

	for (size_t i = 0; i < partition_view_count(s->view); i++) {
		partition_view_info(s->view, i, &p);
		if (p.gone || !p.switches)
			continue;
		snprintf(word, sizeof(word), "%s", partition_info_state(&p));
		if (strcmp(word, "running") == 0)
			snprintf(word, sizeof(word), "%u%%",
				 (unsigned)((p.ran - s->live_ran[i]) * 100 /
					    (since ? since : 1)));
		s->live_ran[i] = p.ran;
		if (n < bytes)
			n += (size_t)snprintf(who + n, bytes - n, "  %s %s",
					      p.name, word);
	}
	return n;
}

/* A kernel without partitions shows by its last line how far it is. */
static void live_line(struct session *f)
{
	ps_t now = session_now(f), since = now - f->live_at;
	char who[160] = "";
	const struct session_line *last =
		f->line_count ? &f->line[f->line_count - 1] : NULL;

	if (!live_partitions(f, since, who, sizeof(who)) && last)
		snprintf(who, sizeof(who), "  %.60s", last->text);
	f->live_at = now;
	fprintf(stderr, "\r\033[K%10.3f ms%s", (double)now / (double)PS_PER_MS,
		who);
}

/* --- cuts --- */

static ps_t next_sample(const struct session *f)
{
	return f->sample_count == SESSION_SAMPLES
		       ? PS_NEVER
		       : (f->sample_count + 1) * SESSION_SAMPLE_PS;
}

/* The run's chain: the machine's; of several, folded in their order. */
uint64_t session_chain(const struct session *f)
{
	uint64_t chain = machine_chain(f->machine), other;

	for (const struct session *m = f->next; m; m = m->next) {
		other = machine_chain(m->machine);
		chain = digest_fold(chain, &other, sizeof(other));
	}
	return chain;
}

static void take_sample(struct session *f)
{
	if (session_now(f) < next_sample(f))
		return;
	f->sample =
		realloc(f->sample, (f->sample_count + 1) * sizeof(*f->sample));
	CHECK(f->sample);
	f->sample[f->sample_count++] = session_chain(f);
}

/* The first multiple of the step behind `t`; never when there is one machine.
 */
static ps_t next_step(const struct session *f, ps_t t)
{
	return f->step ? t - t % f->step + f->step : PS_NEVER;
}

static ps_t next_cut(struct session *f, ps_t until)
{
	ps_t now = session_now(f), slice = LIVE_SLICE;

	if (until > next_sample(f))
		until = next_sample(f);
	if (until > next_step(f, now))
		until = next_step(f, now);
	if ((f->interactive || f->hands) &&
	    until > now - now % SESSION_INPUT_PS + SESSION_INPUT_PS)
		until = now - now % SESSION_INPUT_PS + SESSION_INPUT_PS;
	if (f->options.pieces) {
		f->cut = f->cut * UINT64_C(6364136223846793005) +
			 UINT64_C(1442695040888963407);
		/* From single instructions to hundreds of microseconds. */
		slice = (f->cut >> 16) % (PS_PER_NS << (f->cut >> 60) * 5 / 4);
	}
	until = session_watch_cut(f, now, until);
	if (until > session_cycles_cut(f, now))
		until = session_cycles_cut(f, now);
	return until - now < slice ? until : now + slice;
}

/* --- how a machine ends --- */

/* The hypervisor ends with these codes when nothing can go on: its boot failed,
 * or the lead monitor had a fault of its own.  An opaque kernel's codes are its
 * own affair. */
static bool guest_gave_up(struct session *s, struct error *err)
{
	uint32_t code = machine_off_code(s->machine);
	const char *what = code == 0x7e ? "it could not boot"
					: "a fault in the lead monitor";

	if (partition_view_opaque(s->view) || (code != 0x7e && code != 0x7f))
		return true;
	return error_set(err, EXIT_GUEST,
			 "the hypervisor gave up (code 0x%" PRIx32
			 "): %s; its last line: %s",
			 code, what,
			 s->line_count ? s->line[s->line_count - 1].text
				       : "none");
}

static bool bad_end(struct session *s, struct error *err)
{
	char who[SESSION_NAME_BYTES + 16] = "";

	if (s->name[0])
		snprintf(who, sizeof(who), "machine %s: ", s->name);
	switch (s->stop) {
	case MACHINE_SHUTDOWN:
		return error_set(err, EXIT_GUEST,
				 "%striple fault on CPU %u, the machine shut "
				 "down; its last console lines are in "
				 "%s/console.txt",
				 who, machine_stopped_cpu(s->machine), s->out);
	case MACHINE_RESET:
		return error_set(
			err, EXIT_GUEST,
			"%sthe guest reset the machine, which ends the "
			"run; machine{on_reset = \"reset\"} lets it "
			"boot again; its last console lines are in "
			"%s/console.txt",
			who, s->out);
	case MACHINE_DEADLOCK:
		return error_set(err, EXIT_LIVENESS,
				 "%sall CPUs halt and nothing will ever wake "
				 "them",
				 who);
	case MACHINE_BROKEN:
		return error_set(err, EXIT_HOST, "%s%s", who,
				 machine_broken_text(s->machine));
	case MACHINE_OFF:
		return guest_gave_up(s, err);
	default:
		return true;
	}
}

/* --- one machine --- */

static void wake(void *owner, ps_t when)
{
	(void)owner, (void)when;
}

/* All CPUs halt and nothing is to come from within, but something may come from
 * outside: time passes.  Nobody runs, so this event is felt by nobody. */
static bool doze(struct session *s, ps_t until)
{
	const struct session *f = s->first;

	if (!s->patient && !f->next && !f->net && !f->interactive)
		return false;
	s->idle = (struct event){.name = "session.idle",
				 .fire = wake,
				 .owner = s,
				 .rank = EVQ_STOP};
	evq_schedule(machine_evq(s->machine), &s->idle, until);
	return true;
}

/* To `until`, or to where it stops for another reason.  One of several machines
 * goes on behind the end of a wait: the scenario hears at the next step. */
static bool run_to(struct session *s, ps_t until, struct error *err)
{
	const struct session_driver *d = s->options.driver;
	bool between = false; /* it stands within the instant: go on */

	s->stop = MACHINE_UNTIL;
	while (s->stop == MACHINE_UNTIL &&
	       (between || machine_now(s->machine) < until)) {
		machine_stop_at(s->machine, session_watch_count(s));
		s->stop = d ? d->run(d->owner, s, until)
			    : machine_run(s->machine, until);
		between = s->stop == MACHINE_COUNT ||
			  s->stop == MACHINE_WATCH || s->watch_due;
		if (between && !session_watch_reached(s, err))
			return false;
		if (s->first->left)
			break;
		if (s->stop == MACHINE_COUNT && s->told)
			s->stop = MACHINE_REQUESTED; /* it was waited for */
		if (s->stop == MACHINE_REQUESTED && s->told) {
			s->hit = true;
			s->told = false;
			between = false;
			if (s->first->next)
				s->stop = MACHINE_UNTIL;
		} else if (between && (s->stop == MACHINE_COUNT ||
				       s->stop == MACHINE_WATCH ||
				       s->stop == MACHINE_REQUESTED)) {
			s->stop = MACHINE_UNTIL;
		}
		if (s->stop == MACHINE_DEADLOCK && doze(s, until))
			s->stop = MACHINE_UNTIL;
	}
	return true;
}

/* --- all machines --- */

/* What is on a card's cable moves with it; a host outside has its port in the
 * first machine's queue. */
static bool moves(struct session *f)
{
	if (!f->options.pieces || !f->options.snapshots || f->options.outside ||
	    f->standing)
		return false;
	f->cut = f->cut * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return (f->cut >> 20) % 1000 < f->options.snapshots;
}

/* A machine that is off has no link. */
static void unplug(struct session *m, ps_t now)
{
	for (unsigned i = 0; i < m->config.nics; i++)
		net_port_set_link(m->config.nic_port[i], now, false);
}

/* At the end of a step all CPUs of all machines stand there.  Anywhere else, or
 * where a wait has stopped one of them, others are behind, and may still send.
 */
static bool all_stand(const struct session *f)
{
	return (f->next || f->stop == MACHINE_UNTIL) &&
	       session_now(f) % f->step == 0;
}

/* One cut further. */
static bool advance(struct session *f, ps_t until, struct error *err)
{
	ps_t next = next_cut(f, until);

	for (struct session *m = f; m; m = m->next) {
		if (!session_is_on(m))
			continue;
		if (!run_to(m, next, err) || !bad_end(m, err))
			return false;
		if (m->stop == MACHINE_UNTIL && moves(f) &&
		    !session_move(m, err))
			return false;
		if (!session_is_on(m))
			unplug(m, next);
	}
	f->now = next;
	if (session_is_on(f) && !session_watch_cut_reached(f, err))
		return false;
	if (!session_cycles_reached(f, err))
		return false;
	if (f->net && all_stand(f))
		net_switch_advance(f->net, session_now(f));
	if (f->next || f->stop == MACHINE_UNTIL)
		take_sample(f);
	session_input_poll(f);
	if (f->options.live &&
	    session_host_ns() - f->live_host_ns > LIVE_HOST_NS) {
		f->live_host_ns = session_host_ns();
		live_line(f);
	}
	return true;
}

bool session_anyone_is_on(const struct session *f)
{
	for (; f; f = f->next) {
		if (session_is_on(f))
			return true;
	}
	return false;
}

bool session_advance(struct session *s, ps_t until, struct error *err)
{
	struct session *f = s->first;
	ps_t limit = f->options.until ? f->options.until : PS_NEVER;
	uint64_t began = session_host_ns();
	bool on = session_is_on(s), told = false, ok = true;

	CHECK(s->machine);
	for (const struct session *m = f; m; m = m->next) {
		if (m->stands)
			return error_set(err, EXIT_USAGE,
					 "a machine with the memory of another "
					 "host stands: look at it, but do not "
					 "run or wait");
	}
	if (until > limit)
		until = limit;
	s->hit = false;
	while (ok && !f->left && session_anyone_is_on(f) &&
	       session_now(f) < until) {
		ok = advance(f, until, err);
		if (session_left_by() && ok && session_is_on(f)) {
			f->options.until = session_now(f);
			f->left = true;
		}
		if (told || (!s->hit && session_is_on(s) == on))
			continue;
		/* One machine stands where it happened. */
		told = true;
		if (!f->next)
			break;
		if (f->now % f->step && until > next_step(f, f->now))
			until = next_step(f, f->now);
		else if (f->now % f->step == 0)
			break;
	}
	f->host_ns += session_host_ns() - began;
	return ok;
}

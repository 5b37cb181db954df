/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/failover.c - partitions that fail: noticed, replaced, started
 * anew.
 *
 * An I/O partition beats at least twice in the shortest period that a policy
 * can have, and each beat says when it was made.  So a look comes when the
 * patience with one of them would end, not before.  One that has not beaten by
 * then, though it slept or had CPU time enough to come round its loop, is dead.
 * One that had none is starved: the ultravisor says so, and has it run at once;
 * by the next look it has beaten, or has used that up, too.
 */
#include "command/command.h"

#include "lib/log.h"
#include "lib/string.h"

#define START_NS     (500 * MS) /* a started I/O partition has to beat by then */
#define STEADY_BEATS 4          /* before load is given back */

/* A live one has had less than that since its last beat, whatever it does; a
 * quantum of one that loops is more. */
#define PROOF_NS  (90 * US)
#define PROVES_NS (110 * US) /* in which who was urged has that */
#define LATE_NS   (50 * US)  /* of a look: not just somebody's quantum */

uint64_t look_ns;
static uint64_t looked_ns;

/* ---- restarts ----------------------------------------------------------- */

/* What the policy says of an I/O partition that has ended as this one did. */
static const struct policy_rule *rule_of(const struct part *p)
{
	switch (p->cause) {
	case MARK_COMPLAINT:
		return &policy.on_complaint;
	case MARK_STRAY:
		return &policy.on_dma_fault;
	default:
		return &policy.on_failure;
	}
}

static bool stays_stopped(const struct part *p)
{
	return p->kind == PART_IO && rule_of(p)->stop;
}

/* How often the policy lets it be started anew. */
static uint32_t restarts_of(const struct part *p)
{
	const struct policy_named *n = policy_named(&policy, p->name);
	bool rule = false;

	if (stays_stopped(p))
		return 0;
	if (n != NULL && n->bounded)
		return n->restarts;
	if (p->kind == PART_IO) /* one that was only to be moved from: as any */
		rule = rule_of(p)->restart || policy.on_failure.restart;
	else if (p->kind == PART_GUEST)
		rule = policy.restart_guests;
	else if (p->kind == PART_OPERATIONS) /* who else has the policy? */
		rule = policy.restart_operations || !have_policy;
	else if (p->kind == PART_DIAGNOSTICS) /* the guests wait for it */
		rule = true;
	return rule ? POLICY_RESTARTS : 0;
}

bool restarts_left(const struct part *p)
{
	/* Each start counts one up, the first one too. */
	return p->incarnation <= restarts_of(p);
}

static void restart(struct part *p)
{
	if (!restarts_left(p)) {
		if (!p->given_up && restarts_of(p) > 0)
			logf_("command: %s was restarted %u times, no more",
			      p->name, p->incarnation - 1);
		if (!p->given_up && stays_stopped(p))
			logf_("command: decision: %s stays stopped", p->name);
		p->given_up = true;
		return;
	}
	logf_("command: decision: restart %s", p->name);
	ask_part(p, JOB_RESTART, TXN_PARTITION_RESTART, 0);
}

/* It ended, and not in order. */
static bool failed(const struct part *p)
{
	return p->state == PART_STATE_CRASHED || p->state == PART_STATE_DEAD ||
	       (p->state == PART_STATE_STOPPED && p->code != 0);
}

/* I/O partitions are decide_io()'s, command the ultravisor's. */
void decide_restarts(uint64_t now)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (p->used && !p->asked && !p->leaving && failed(p) &&
		    now >= p->again_ns &&
		    (p->kind == PART_GUEST || p->kind == PART_OPERATIONS ||
		     p->kind == PART_DIAGNOSTICS))
			restart(p);
	}
}

/* ---- channels of one that fails ----------------------------------------- */

struct part *other_server(const struct part *than)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && &parts[i] != than && serves(&parts[i]))
			return &parts[i];
	}
	return NULL;
}

/* What another path can serve as well: disks and networks of guests.  (The
 * trunk between the I/O partitions waits for its server.) */
static bool movable(const struct chan *c)
{
	const struct part *client;

	if (!c->used || c->asked ||
	    (c->type != CHANNEL_BLOCK && c->type != CHANNEL_NETWORK))
		return false;
	if (c->type == CHANNEL_BLOCK)
		return true;
	client = find_number(c->client);
	return client != NULL && client->kind == PART_GUEST;
}

/* Whom the policy prefers for it; NULL: it says nothing. */
static const char *preferred(const struct chan *c)
{
	const struct policy_guest *g = guest_of(c->client);
	const struct policy_channel *network;

	if (g == NULL || c->type == CHANNEL_BLOCK)
		return g != NULL ? g->preferred : NULL;
	network = network_of(g);
	return network != NULL ? network->server : NULL;
}

/* Those of its channels that may be moved now, into the job; `client`: of that
 * one alone. */
static void choose_channels(struct job *job, const struct part *server,
			    uint64_t client)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		struct chan *c = &chans[i];

		if (movable(c) && c->server == server->number &&
		    (client == 0 || c->client == client) &&
		    job->channels < MOVES_MAX)
			job->channel[job->channels++] = c;
	}
}

/* `dead`: in one with declaring it dead. */
static bool move_away(struct part *p, uint64_t client, bool dead)
{
	struct part *to = other_server(p);
	struct job job = {.kind = JOB_MOVE, .dead = dead}, *slot;

	choose_channels(&job, p, client);
	if (job.channels == 0)
		return false;
	if (to == NULL) {
		if (!p->told_alone && !dead)
			logf_("command: nobody left to serve %u channels of "
			      "%s",
			      job.channels, p->name);
		p->told_alone |= !dead;
		return false;
	}
	slot = new_job(JOB_MOVE);
	if (slot == NULL)
		return true;
	*slot = job;
	logf_("command: decision: move %u channels of %s to %s", job.channels,
	      p->name, to->name);
	if (dead)
		p->cause = MARK_SILENT;
	ask_channels(slot, p, to);
	return true;
}

bool fail_over(struct part *p, uint64_t client)
{
	return move_away(p, client, false);
}

/* ---- beats -------------------------------------------------------------- */

/* A channel that was wiped for a new start shows no beat. */
static bool heartbeat_valid(const struct channel *ch)
{
	return ch->header->server_state == CHANNEL_SERVER_READY &&
	       ch->header->generation == ch->generation;
}

void beats_begin(struct part *p)
{
	p->beat_last = p->beat.header->server_beat;
	p->heard_ns = sys_time();
}

/* A new beat is younger than the look before, whatever it says of itself. */
static void hear(struct part *p)
{
	const volatile struct channel_header *h = p->beat.header;
	uint64_t beat, at, now;

	if (h == NULL || !heartbeat_valid(&p->beat))
		return;
	beat = h->server_beat;
	if (beat == p->beat_last)
		return;
	at = h->server_beat_ns;
	now = sys_time(); /* others may have run since the look began */
	if (at < looked_ns)
		at = looked_ns;
	p->heard_ns = at < now ? at : now;
	p->ran_ns = h->server_ran_ns;
	p->beat_last = beat;
	p->beats++;
}

static bool watched(const struct part *p)
{
	return p->used && p->kind == PART_IO && running(p);
}

/* When it is to be taken for dead, unless it beats: which it does by the middle
 * of each period, and may be late by a quarter. */
static uint64_t patience_ends(const struct part *p)
{
	uint64_t period = (uint64_t)policy.heartbeat_us * US;

	return p->beats > 0 ? p->heard_ns + period * policy.misses - period / 4
			    : p->started_ns + START_NS;
}

void mark_op(struct control_message *op, const struct part *p)
{
	memset(op, 0, sizeof(*op));
	op->id = TXN_PARTITION_MARK;
	op->mark.number = p->number;
	op->mark.cause = MARK_SILENT;
	op->mark.state = PART_STATE_DEAD;
	op->mark.ran_ns = p->beats > 0 ? p->ran_ns + PROOF_NS : 0;
	op->mark.beat = p->beat_last;
}

bool mark_refused(struct part *p, const struct control_message *response)
{
	if (response->failed_op != 0) {
		p->alone = true;
		return true;
	}
	if (response->status != CONTROL_EBUSY)
		return false;
	p->again_ns = sys_time() + PROVES_NS;
	return true;
}

bool mark_dead(struct part *p, uint32_t cause)
{
	struct control_message op;
	struct job *job = new_job(JOB_MARK);

	if (job == NULL)
		return false;
	job->part = p;
	if (cause == MARK_SILENT)
		mark_op(&op, p);
	else
		target_op(&op, TXN_PARTITION_MARK, p->number, cause,
			  PART_STATE_DEAD);
	p->asked = send_job(job, &op, 1);
	if (p->asked)
		p->cause = cause;
	return p->asked;
}

/* Declared dead and, if somebody can take over, replaced at once. */
static void bury(struct part *p)
{
	if (policy.on_failure.failover && !p->alone && move_away(p, 0, true))
		return;
	(void)mark_dead(p, MARK_SILENT);
}

/* One look at the beats, when the patience with one of them ends. */
static void look(uint64_t now)
{
	static bool held_up;

	if (now < look_ns)
		return;
	now = sys_time(); /* this turn may have asked a lot until here */
	/* One that comes late comes again: a stretch in which nobody ran is no
	 * evidence against anybody. */
	if (look_ns != 0 && now > look_ns + LATE_NS && !held_up) {
		held_up = true;
		look_ns = now + LATE_NS;
		return;
	}
	held_up = false;
	look_ns = now + (uint64_t)policy.heartbeat_us * US;
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];
		uint64_t end;

		if (!watched(p))
			continue;
		hear(p);
		end = patience_ends(p);
		if (end < p->again_ns)
			end = p->again_ns;
		/* A policy without rules for it leaves everybody alone. */
		if (now >= end && !p->asked &&
		    (policy_acts(&policy.on_failure) || restarts_of(p) > 0))
			bury(p);
		else if (now < end && end < look_ns)
			look_ns = end;
	}
	looked_ns = now;
}

/* ---- back again, and by wish -------------------------------------------- */

/* One that beats again: what prefers it comes back to it. */
static void decide_back(struct part *p, uint64_t now)
{
	struct job job = {.kind = JOB_MOVE}, *slot;
	struct part *from = NULL;
	bool wished = p->back_wished;

	p->told_alone = false;
	if (!(policy.failback || p->back_wished) || p->away_wished ||
	    p->stray != STRAY_NOT || p->beats < STEADY_BEATS)
		return;
	p->back_wished = false;
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		struct chan *c = &chans[i];
		const char *wants = c->server != p->number && movable(c)
					    ? preferred(c)
					    : NULL;

		if (wants == NULL || strcmp(wants, p->name) != 0 ||
		    job.channels == MOVES_MAX ||
		    (!wished && complained_of(c->client, p)))
			continue;
		/* Only from one that lives: a dead one's are failed over. */
		if (from != NULL && from->number != c->server)
			continue;
		from = find_number(c->server);
		if (from != NULL && serves(from) && !from->asked &&
		    now >= from->again_ns)
			job.channel[job.channels++] = c;
	}
	if (job.channels == 0)
		return;
	slot = new_job(JOB_MOVE);
	if (slot == NULL)
		return;
	*slot = job;
	logf_("command: decision: move %u channels back to %s", job.channels,
	      p->name);
	ask_channels(slot, from, p);
}

const char *failover_wish(struct part *p)
{
	if (p == NULL || p->kind != PART_IO)
		return "no such I/O partition: io.a or io.b";
	if (other_server(p) == NULL)
		return "nobody else serves: start the other I/O partition";
	if (p->asked)
		return "its channels are on their way: try again";
	p->away_wished = true;
	(void)fail_over(p, 0);
	return NULL;
}

const char *failback_wish(struct part *p)
{
	if (p == NULL || p->kind != PART_IO)
		return "no such I/O partition: io.a or io.b";
	if (!serves(p))
		return "it does not serve: start it first";
	p->away_wished = false;
	p->stray = STRAY_NOT;
	p->back_wished = true;
	return NULL;
}

void decide_io(uint64_t now)
{
	look(now);
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (!p->used || p->kind != PART_IO || p->asked ||
		    now < p->again_ns)
			continue;
		if (serves(p))
			decide_back(p, now);
		else if (!running(p) && p->state != PART_STATE_DEFINED &&
			 !(rule_of(p)->failover && fail_over(p, 0)))
			restart(p);
	}
}

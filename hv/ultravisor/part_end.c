/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/part_end.c - partitions: how they end.
 *
 * However the end comes (crash, exit, orderly stop, declared dead): the
 * partition doesn't run any more; the database says so and its devices and the
 * channels that it served are on standby; its devices are fenced; then command
 * and boot hear of it.  In that order, so that whoever hears of it knows that
 * nothing of the partition can act any more.
 *
 * The command partition's end is the one that is decided here: it is started
 * anew.
 *
 * Next: device.c, for the fence; part_destroy.c.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define STOP_WAIT_NS 50000000 /* for an orderly stop */

#define COMMAND_STARTS 16 /* of the command partition, without being asked */

/* ---- the end ------------------------------------------------------------ */

/* In the open transaction. */
static int end_in_database(struct db_part *part, uint32_t state)
{
	int status;

	part->state = state;
	(void)state_settle(&part->flags, RES_STANDBY);
	part->stop_by_ns = 0;
	part->untold = 1;
	status = device_state(part->number, RES_STANDBY);
	return status ? status : chan_server_gone(part->number);
}

static const char *const state_name[] = {"defined", "running", "stopped",
					 "crashed", "dead",    "saved"};

static void tell_state(uint64_t number, uint32_t state)
{
	static const struct lead_slot none;
	const struct db_part *part = db_part(&db, number);
	const struct lead_slot *s =
		part->slot < PART_SLOTS ? &lead->slot[part->slot] : &none;
	struct control_message e = {.id = EVT_PARTITION_STATE};

	e.partition.number = part->number;
	e.partition.state = state;
	e.partition.vector = s->vector;
	e.partition.error = s->error;
	e.partition.address = s->address;
	e.partition.rip = s->rip;
	e.partition.time_ns = s->stop_ns ?: sys_time();
	memcpy(e.partition.name, part_name(part->number), 16);
	for (unsigned i = 0; i < PART_SLOTS; i++) {
		uint64_t to = uv_part[i].number;
		uint32_t kind = part_kind(to);
		struct control_message copy = e;
		bool decides = kind == PART_COMMAND || kind == PART_BOOT;

		if ((!decides && kind != PART_OPERATIONS &&
		     kind != PART_DIAGNOSTICS) ||
		    to == part->number || !part_running(to))
			continue;
		if (!(decides ? control_event_send(to, &copy)
			      : control_event_post(to, &copy)))
			logf_("%s missed an event", part_name(to));
	}
}

void part_tell(uint64_t number)
{
	if (number == uv_number) { /* it has ended, and is here again */
		tell_state(number, PART_STATE_CRASHED);
		tell_state(number, PART_STATE_RUNNING);
	} else {
		tell_state(number, db_part(&db, number)->state);
	}
	db_part_note(&db, number)->untold = 0;
}

static bool ends_untold;

void part_tell_ends(void)
{
	for (unsigned i = 0; ends_untold && i < DB_PARTS; i++) {
		const struct db_part *p = db_part_at(&db, i);

		if (p && p->untold)
			part_tell(p->number);
	}
	ends_untold = false;
}

static bool command_ended = true; /* or that was before this program began */

/* After the commit: nothing of it can act any more, then others may know;
 * first, of the same transaction, its channels go on their way
 * (part_tell_ends()). */
void part_end_in_machine(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = uv_part_of(number);

	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_stop(part_slot(part, i));
	p->load.start = false;
	keep_ended(p);
	device_fence_all(number);
	logf_("%s %s at %lu us", p->name, state_name[part->state],
	      sys_time() / 1000);
	ends_untold = true;
	command_ended |= part_kind(number) == PART_COMMAND;
}

static void effect_end(const struct effect *e)
{
	part_end_in_machine(e->a);
}

/* It could run, but has not had so much CPU time: what it did not do is no sign
 * of its death.  One that sleeps has had all that it wanted, but for one that
 * is to be woken by now. */
static bool starved(const struct db_part *part, uint64_t ns)
{
	const volatile struct lead_slot *s = &lead->slot[part->slot];
	uint32_t state = s->state;

	return s->run_ns < ns &&
	       (state == SLOT_READY || state == SLOT_RUNNING ||
		(state == SLOT_WAITING && s->deadline_ns <= sys_time()));
}

/* Beats that `client` can see; 0: none. */
static uint64_t beats(uint64_t client, uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		const volatile struct channel_header *h;

		if (!c || c->type != CHANNEL_HEARTBEAT || c->client != client ||
		    c->server != number)
			continue;
		h = mem_temp(0, c->pfn, 1, PROT_R);
		return h->server_beat;
	}
	return 0;
}

int part_mark(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->mark.number, &status);

	if (!part)
		return status;
	if (m->mark.state != PART_STATE_DEAD || m->mark.cause >= MARKS)
		return CONTROL_EVALUE;
	*result = part->number;
	/* Its own report may have come first: then it has ended already. */
	if (part->state != PART_STATE_RUNNING)
		return part->state == PART_STATE_DEFINED ? CONTROL_ESTATE
							 : CONTROL_OK;
	if (m->mark.beat && beats(t->requester, part->number) != m->mark.beat)
		return CONTROL_EBUSY;
	if (starved(part, m->mark.ran_ns)) {
		control_urge(part->number);
		return CONTROL_EBUSY;
	}
	part->mark = (uint32_t)m->mark.cause;
	status = end_in_database(part, PART_STATE_DEAD);
	return status ? status
		      : txn_effect(t, effect_end, part->number, 0, NULL);
}

void part_ask_to_stop(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct control_message m = {.id = EVT_STOP};

	(void)control_event_send(number, &m);
	(void)sys_lead_notify(part->slot, EVENT_STOP);
}

static void effect_stop(const struct effect *e)
{
	part_ask_to_stop(e->a);
}

/* Orderly: the partition is asked and ends by SYS_EXIT; if it does not, it is
 * stopped when its time is up. */
int part_stop(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state != PART_STATE_RUNNING)
		return CONTROL_ESTATE;
	if (part->keep_pfn) /* it is being restored */
		return CONTROL_EBUSY;
	/* One that stands still can't answer. */
	part->stop_by_ns = sys_time();
	if (part->flags == RES_RUNNING)
		part->stop_by_ns += STOP_WAIT_NS;
	status = state_change(&part->flags, part->flags | RES_REVOKED);
	if (status)
		return status;
	*result = part->number;
	return txn_effect(t, effect_stop, part->number, 0, NULL);
}

bool part_end(uint64_t number, uint32_t state)
{
	struct db_part *part;

	if (!txn_own_begin())
		return false;
	part = db_part_mut(&db, number);
	if (!part || end_in_database(part, state)) {
		db_abort(&db);
		return false;
	}
	txn_own_commit();
	part_end_in_machine(number);
	return true;
}

uint64_t part_deadlines(uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < DB_PARTS; i++) {
		const struct db_part *p = db_part_at(&db, i);

		if (!p || !p->stop_by_ns)
			continue;
		if (p->stop_by_ns <= now)
			(void)part_end(p->number, PART_STATE_STOPPED);
		else if (p->stop_by_ns < next)
			next = p->stop_by_ns;
	}
	return next;
}

/* ---- what ended by itself ----------------------------------------------- */

/* Who decides is gone, so nobody would decide to start it anew: the rule is
 * here.  What it needs to know, it asks the database for. */
static void restart_command(void)
{
	uint64_t number = db_part_by_kind(&db, PART_COMMAND);
	const struct db_part *part = db_part(&db, number);
	struct control_message op = {.id = TXN_PARTITION_RESTART,
				     .target = {.number = number}};
	struct txn t = {.requester = uv_number};
	unsigned failed;

	command_ended = false;
	if (!part || part->state == PART_STATE_RUNNING ||
	    part->state == PART_STATE_DEFINED ||
	    (part->state == PART_STATE_STOPPED &&
	     !lead->slot[part->slot].error))
		return;
	if (part->incarnation >= COMMAND_STARTS) {
		logf_("command was started %u times, no more",
		      part->incarnation);
		return;
	}
	logf_("command is started anew");
	if (txn_run(&t, &op, 1, &failed))
		command_ended = true; /* no room now: again */
}

void part_reports(void)
{
	for (unsigned s = 0; s < PART_SLOTS; s++) {
		uint64_t number = uv_part[s].number;
		uint32_t state = lead->slot[s].state;

		if ((state != SLOT_CRASHED && state != SLOT_STOPPED) ||
		    !part_running(number))
			continue;
		if (!part_end(number, state == SLOT_CRASHED
					      ? PART_STATE_CRASHED
					      : PART_STATE_STOPPED))
			continue;
		if (part_kind(number) != PART_BOOT || state != SLOT_STOPPED ||
		    lead->slot[s].error)
			continue;
		part_tell_ends();
		part_retire(number);
	}
	if (command_ended)
		restart_command();
}

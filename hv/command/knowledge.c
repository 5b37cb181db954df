/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/knowledge.c - partitions, channels and schedule, as they are:
 * asked of the database (TXN_QUERY) at the start and whenever something was
 * made or refused; kept true by events meanwhile.  Nothing of it survives a
 * restart of this partition, and nothing has to. */
#include "command/command.h"

#include "lib/log.h"
#include "lib/string.h"

#define QUERY_NS (100 * MS)

struct part parts[PARTS_MAX];
struct chan chans[CHANNELS_MAX];
bool learn_due;
uint32_t cpus_framed;

struct part *find_number(uint64_t number)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && parts[i].number == number)
			return &parts[i];
	}
	return NULL;
}

struct part *find_name(const char *name)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && strcmp(parts[i].name, name) == 0)
			return &parts[i];
	}
	return NULL;
}

struct part *add_part(uint64_t number)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (!parts[i].used) {
			memset(&parts[i], 0, sizeof(parts[i]));
			parts[i].used = true;
			parts[i].number = number;
			return &parts[i];
		}
	}
	return NULL;
}

static struct chan *find_chan(uint64_t id)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		if (chans[i].used && chans[i].id == id)
			return &chans[i];
	}
	return NULL;
}

static struct chan *add_chan(uint64_t id)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		if (!chans[i].used) {
			memset(&chans[i], 0, sizeof(chans[i]));
			chans[i].used = true;
			chans[i].id = id;
			return &chans[i];
		}
	}
	return NULL;
}

void reset_beats(struct part *p)
{
	p->beats = 0;
	p->alone = false;
	p->started_ns = sys_time();
	p->cause = MARK_SILENT;
	p->stray = STRAY_NOT;
	p->letgo_ns = 0;
}

bool query(uint64_t what, uint64_t index, uint64_t row[8])
{
	struct control_message ask, answer;

	memset(&ask, 0, sizeof(ask));
	ask.id = TXN_QUERY;
	ask.query.what = what;
	ask.query.index = index;
	if (control_transact(&control, &ask, 1, &answer, QUERY_NS) !=
	    CONTROL_OK)
		return false;
	memcpy(row, answer.query.row, sizeof(answer.query.row));
	return true;
}

static bool learn_partition(const uint64_t row[8])
{
	const char *name = (const char *)&row[6];
	struct part *p = find_number(row[0]);

	/* Numbers of destroyed partitions are used again. */
	if (p != NULL && p->name[0] != '\0' &&
	    strncmp(p->name, name, sizeof(p->name)) != 0) {
		p->used = false;
		p = NULL;
	}
	if (p == NULL) {
		p = add_part(row[0]);
		if (p == NULL)
			return false;
		p->state = (uint32_t)row[2];
		reset_beats(p);
		p->cause = (uint32_t)(row[2] >> 32);
	}
	p->seen = true;
	p->kind = (uint32_t)row[1];
	p->incarnation = (uint32_t)row[3];
	memcpy(p->name, &row[6], sizeof(p->name));
	p->name[sizeof(p->name) - 1] = '\0';
	return true;
}

static bool learn_channel(const uint64_t row[8])
{
	struct chan *c = find_chan(row[0]);

	c = c != NULL ? c : add_chan(row[0]);
	if (c == NULL)
		return false;
	c->seen = true;
	c->type = (uint32_t)row[1];
	c->client = row[2];
	c->server = row[3];
	c->going = (row[5] & RES_REVOKED) != 0;
	return true;
}

static void learn_schedule(const uint64_t row[8])
{
	struct part *p = find_number(row[0]);

	if (p == NULL)
		return;
	p->cpu = (uint32_t)row[1];
	p->standing = (uint32_t)row[2];
	p->quantum_us = (uint32_t)row[3];
	p->weight = (uint32_t)row[4];
	p->cap = (uint32_t)row[5];
}

/* Asked once for each policy: what comes later is made as the policy wants. */
static void learn_schedules(void)
{
	static unsigned version;
	uint64_t row[8];

	if (version == policy_version)
		return;
	version = policy_version;
	for (uint64_t i = 0; query(QUERY_SCHEDULE, i, row); i++)
		learn_schedule(row);
	cpus_framed = 0;
	for (uint64_t i = 0; query(QUERY_FRAME, i, row); i++)
		cpus_framed |= 1u << row[0];
}

void learn(void)
{
	uint64_t row[8];

	view_seen = ~0ull; /* its channels may say more now */
	for (unsigned i = 0; i < PARTS_MAX; i++)
		parts[i].seen = false;
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		chans[i].seen = false;
	for (uint64_t i = 0; query(QUERY_PARTITION, i, row); i++) {
		if (!learn_partition(row))
			break;
	}
	for (uint64_t i = 0; query(QUERY_CHANNEL, i, row); i++) {
		if (!learn_channel(row))
			break;
	}
	learn_schedules();
	for (unsigned i = 0; i < PARTS_MAX; i++)
		parts[i].used &= parts[i].seen;
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		chans[i].used &= chans[i].seen;
}

bool running(const struct part *p)
{
	return p->state == PART_STATE_RUNNING;
}

bool serves(const struct part *p)
{
	return p != NULL && p->kind == PART_IO && running(p) && p->beats > 0;
}

/* ---- ends of partitions ------------------------------------------------- */

void ended(struct part *p, uint32_t state, uint64_t vector, uint64_t code,
	   uint64_t time_ns)
{
	static const char *const causes[MARKS] = {
		[MARK_SILENT] = "no heartbeat",
		[MARK_COMPLAINT] = "it does not serve",
		[MARK_STRAY] = "a device of its strays",
	};
	uint64_t at = time_ns / US;
	/* Of its next start, whose answer was not seen yet. */
	bool again =
		p->asked && p->told &&
		(state == PART_STATE_CRASHED || state == PART_STATE_STOPPED);

	if (p->told && p->state == state && !again)
		return;
	p->over = again;
	p->told = true;
	p->state = state;
	p->code = state == PART_STATE_STOPPED ? code : ~0ull;
	if (state != PART_STATE_DEAD || p->cause >= MARKS)
		p->cause = MARK_SILENT;
	p->beats = 0;
	switch (state) {
	case PART_STATE_CRASHED:
		logf_("command: %s failed: exception %lu at %lu us", p->name,
		      vector, at);
		break;
	case PART_STATE_DEAD:
		logf_("command: %s failed: %s at %lu us", p->name,
		      causes[p->cause], at);
		break;
	case PART_STATE_SAVED: /* the operator's doing, and no end */
		break;
	default:
		if (p->kind == PART_IO || code != 0)
			logf_("command: %s failed: code %lu at %lu us", p->name,
			      code, at);
		else if (p->kind == PART_GUEST)
			logf_("command: %s stopped at %lu us", p->name, at);
		break;
	}
}

void began(struct part *p)
{
	p->incarnation += p->state != PART_STATE_SAVED; /* restored: no start */
	p->state = PART_STATE_RUNNING;
	p->told = false;
	reset_beats(p);
}

void on_state(const struct control_message *event)
{
	struct part *p = find_number(event->partition.number);
	uint32_t state = (uint32_t)event->partition.state;

	if (p == NULL) { /* what it is, is not known yet */
		p = add_part(event->partition.number);
		learn_due = true;
		if (p == NULL)
			return;
		str_field(p->name, event->partition.name, sizeof(p->name));
	}
	if (state != PART_STATE_RUNNING && state != PART_STATE_DEFINED)
		ended(p, state, event->partition.vector, event->partition.error,
		      event->partition.time_ns);
	else if (p->state != state)
		began(p);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/complaints.c - I/O partitions that beat and still are not well: a
 * guest says that its disk is not served (EVT_CHANNEL_SLOW), or the IOMMU that
 * a device of theirs strays (EVT_DMA_FAULT).
 *
 * A guest may lie.  What one guest alone can bring about concerns its own
 * channels: they move.  An I/O partition is restarted or stopped only when as
 * many guests complain of it as the policy says.  From where a guest has
 * complained of both there is nowhere to go, and of each guest only so many
 * complaints count: so none can keep this partition, or the others, busy.
 *
 * A server that lies still may hold what was to move: it does not drain.  After
 * LETGO_NS it is declared dead, which takes its devices from it; then the
 * channels go on.
 *
 * What was heard is forgotten when this partition is begun anew; a guest that
 * is still not served complains again.
 */
#include "command/command.h"

#include "lib/log.h"
#include "lib/string.h"

#define LETGO_NS (5 * MS)

struct grievance {
	bool open; /* nothing was done about it yet */
	uint64_t client, server;
	uint32_t incarnation; /* of the server; 0: free */
	uint32_t count;       /* since since_ns */
	uint64_t since_ns, last_ns;
};
/* Of each guest about each of two I/O partitions. */
static struct grievance grievances[2 * POLICY_GUESTS_MAX];
#define GRIEVANCES (sizeof(grievances) / sizeof(grievances[0]))

static bool of_now(const struct grievance *g, const struct part *server)
{
	return g->server == server->number &&
	       g->incarnation == server->incarnation;
}

/* The one of the two; else in place of the one that was longest silent. */
static struct grievance *find(uint64_t client, const struct part *server)
{
	struct grievance *oldest = &grievances[0];

	for (unsigned i = 0; i < GRIEVANCES; i++) {
		struct grievance *g = &grievances[i];

		if (g->client == client && of_now(g, server))
			return g;
		if (g->last_ns < oldest->last_ns)
			oldest = g;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->client = client;
	oldest->server = server->number;
	oldest->incarnation = server->incarnation;
	return oldest;
}

bool complained_of(uint64_t client, const struct part *server)
{
	for (unsigned i = 0; i < GRIEVANCES; i++) {
		if (grievances[i].client == client &&
		    of_now(&grievances[i], server))
			return true;
	}
	return false;
}

static uint64_t window_ns(void)
{
	return (uint64_t)policy.complaint_us * US;
}

void on_complaint(const struct control_message *event)
{
	const struct part *client = find_number(event->slow.client);
	struct part *server = find_number(event->slow.server);
	uint64_t now = sys_time();
	struct grievance *g;

	/* One that has ended, or begun since, is being seen to. */
	if (!have_policy || !policy_acts(&policy.on_complaint) ||
	    client == NULL || !serves(server) ||
	    event->slow.time_ns < server->started_ns)
		return;
	g = find(client->number, server);
	if (g->count == 0 || now - g->since_ns >= window_ns()) {
		g->since_ns = now;
		g->count = 0;
	}
	if (g->count > policy.complaints)
		return;
	if (g->count++ == policy.complaints) {
		logf_("command: %s complains too often: not heard for now",
		      client->name);
		return;
	}
	g->last_ns = now;
	g->open = true;
	logf_("command: %s complains of %s: nothing for %llu us", client->name,
	      server->name, event->slow.waited_ns / US);
}

void on_dma_fault(const struct control_message *event)
{
	struct part *p = find_number(event->dma.number);

	/* What comes late of one that was fenced was just refused for that. */
	if (have_policy && policy_acts(&policy.on_dma_fault) && serves(p) &&
	    event->dma.reason > DMA_NO_DOMAIN &&
	    event->dma.time_ns >= p->started_ns && p->stray == STRAY_NOT)
		p->stray = STRAY_HEARD;
}

static unsigned complainers(const struct part *server, uint64_t now)
{
	unsigned n = 0;

	for (unsigned i = 0; i < GRIEVANCES; i++)
		n += of_now(&grievances[i], server) &&
		     now < grievances[i].last_ns + window_ns();
	return n;
}

/* Away from one that still runs. */
static void move_away(struct part *p, uint64_t client, uint64_t now)
{
	if (!fail_over(p, client) || !p->asked)
		return;
	p->letgo_ns = now + LETGO_NS;
	p->letgo_learnt = false;
}

static void act(struct grievance *g, struct part *server, uint64_t now)
{
	const struct policy_rule *rule = &policy.on_complaint;
	const struct part *other = other_server(server);

	if ((rule->restart || rule->stop) &&
	    complainers(server, now) >= policy.complainers) {
		g->open = !mark_dead(server, MARK_COMPLAINT);
		return;
	}
	g->open = false;
	if (rule->failover &&
	    (other == NULL || !complained_of(g->client, other)))
		move_away(server, g->client, now);
}

static void act_on_stray(struct part *p, uint64_t now)
{
	const struct policy_rule *rule = &policy.on_dma_fault;

	if (rule->restart || rule->stop) {
		(void)mark_dead(p, MARK_STRAY);
		return;
	}
	p->stray = STRAY_MOVED;
	move_away(p, 0, now);
}

static bool holds_any(const struct part *p)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		if (chans[i].used && chans[i].going &&
		    chans[i].server == p->number)
			return true;
	}
	return false;
}

/* Has it let go of what moves?  The database knows. */
static void look_after(struct part *p, uint64_t now)
{
	if (p->letgo_ns == 0 || p->asked || now < p->letgo_ns)
		return;
	if (!p->letgo_learnt) {
		p->letgo_learnt = true;
		learn_due = true;
		return;
	}
	if (learn_due)
		return;
	p->letgo_ns = 0;
	if (!holds_any(p))
		return;
	logf_("command: %s does not let go of its channels", p->name);
	(void)mark_dead(p, p->stray != STRAY_NOT ? MARK_STRAY : MARK_COMPLAINT);
}

void decide_complaints(uint64_t now)
{
	for (unsigned i = 0; i < GRIEVANCES; i++) {
		struct grievance *g = &grievances[i];
		struct part *p = g->open ? find_number(g->server) : NULL;

		/* Its number may become another's. */
		if (g->incarnation != 0 && find_number(g->client) == NULL)
			memset(g, 0, sizeof(*g));
		if (!g->open || (p != NULL && p->asked))
			continue;
		if (!serves(p) || !of_now(g, p))
			g->open = false;
		else if (now >= p->again_ns)
			act(g, p, now);
	}
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (!p->used || p->asked || !serves(p))
			continue;
		if (p->stray == STRAY_HEARD && now >= p->again_ns)
			act_on_stray(p, now);
		else
			look_after(p, now);
	}
}

uint64_t complaints_due(void)
{
	uint64_t due = ~0ull;

	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && serves(&parts[i]) &&
		    parts[i].letgo_ns != 0 && parts[i].letgo_ns < due)
			due = parts[i].letgo_ns;
	}
	return due;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/guests.c - guests: each in one transaction with all that it is, in
 * the order that the policy wants; those that a new policy has no longer are
 * stopped and removed; when all have ended, the machine may go off.
 *
 * One that leaves: an orderly stop, then its channels destroyed, then itself;
 * the next step when the one before it is seen to be done.
 */
#include "command/command.h"

#include "lib/crc.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

#define OFF_NS (2 * MS) /* so that everybody's last lines are out */

#define STOP_NS (55 * MS) /* within which it stops, by force at the last */

#define OFF_GUEST_FAILED 3 /* the machine's exit code */

/* What became of each guest of the policy in force. */
static struct attempt {
	bool asked;
	uint32_t refused;     /* status of the last, to say it once */
	const char *hopeless; /* why it can never be made */
	uint64_t again_ns;
	unsigned made; /* by which policy's version */
} attempts[POLICY_GUESTS_MAX];
static uint64_t off_ns; /* when to switch off; 0: not yet */
static bool off_asked;

struct policy_guest *guest_of(uint64_t number)
{
	const struct part *p = find_number(number);

	for (unsigned i = 0; p != NULL && i < policy.guests; i++) {
		if (strcmp(policy.guest[i].name, p->name) == 0)
			return &policy.guest[i];
	}
	return NULL;
}

/* ---- made --------------------------------------------------------------- */

/* The operations of one transaction, as they gather. */
struct ops {
	struct control_message op[TXN_OPS_MAX];
	unsigned count;
};

static struct control_message *add(struct ops *o, uint32_t id)
{
	struct control_message *m = &o->op[o->count];

	if (o->count < TXN_OPS_MAX - 1)
		o->count++;
	memset(m, 0, sizeof(*m));
	m->id = id;
	return m;
}

/* Words appended one operation after the other; a space comes between. */
static void add_args(struct ops *o, const char *args)
{
	while (*args != '\0') {
		struct control_message *m = add(o, TXN_PARTITION_ARGS);
		size_t bytes = strnlen(args, sizeof(m->args.text) - 1);

		/* Not within a word; none is longer (policy_line.h). */
		if (args[bytes] != '\0') {
			while (args[bytes] != ' ' && bytes > 1)
				bytes--;
		}
		m->args.number = TXN_RESULT(0);
		memcpy(m->args.text, args, bytes);
		args += bytes;
		while (*args == ' ')
			args++;
	}
}

static struct control_message *add_channel(struct ops *o, uint64_t server,
					   uint32_t type)
{
	struct control_message *m = add(o, TXN_CHANNEL_CREATE);

	m->channel.client = TXN_RESULT(0);
	m->channel.server = server;
	m->channel.type = type;
	m->channel.pages = channel_type(type)->pages;
	return m;
}

static uint32_t type_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t type;
	} types[] = {
		{"diagnostics", CHANNEL_DIAG},
		{"console", CHANNEL_CONSOLE},
		{"network", CHANNEL_NETWORK},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0 &&
		    channel_type(types[i].type) != NULL)
			return types[i].type;
	}
	return 0;
}

/* Who serves it now: the preferred one, the fallback, or nobody yet (NULL). */
static struct part *network_server(const struct policy_channel *c)
{
	struct part *p = find_name(c->server);

	if (serves(p) || (p != NULL && running(p)))
		return serves(p) ? p : NULL; /* it may still be starting */
	p = find_name(c->fallback);
	return serves(p) ? p : NULL;
}

static bool networks_served(const struct policy_guest *g)
{
	for (unsigned i = 0; i < policy.channels; i++) {
		const struct policy_channel *c = &policy.channel[i];

		if (strcmp(c->client, g->name) == 0 &&
		    type_of(c->type) == CHANNEL_NETWORK &&
		    network_server(c) == NULL)
			return false;
	}
	return true;
}

/* Locally administered, and as good as certainly no other guest's. */
static uint64_t mac_of(const struct policy_channel *c)
{
	return c->mac != 0 ? c->mac
			   : 0x025000000000ull |
				     crc32c(0, c->client, strlen(c->client));
}

const struct policy_channel *network_of(const struct policy_guest *g)
{
	for (unsigned i = 0; i < policy.channels; i++) {
		if (strcmp(policy.channel[i].client, g->name) == 0 &&
		    type_of(policy.channel[i].type) == CHANNEL_NETWORK)
			return &policy.channel[i];
	}
	return NULL;
}

static void add_channels(struct ops *o, const struct policy_guest *g)
{
	const struct part *sink = find_name("diagnostics");
	if (sink != NULL && running(sink))
		(void)add_channel(o, sink->number, CHANNEL_DIAG);
	for (unsigned i = 0; i < policy.channels; i++) {
		const struct policy_channel *c = &policy.channel[i];
		uint32_t type = type_of(c->type);
		const struct part *server = type == CHANNEL_NETWORK
						    ? network_server(c)
						    : find_name(c->server);

		if (strcmp(c->client, g->name) != 0)
			continue;
		if (server == NULL || type == 0)
			logf_("command: %s has no %s channel: %s", g->name,
			      c->type,
			      server == NULL ? "its server isn't there"
					     : "no such type");
		else if (type != CHANNEL_DIAG || server != sink)
			add_channel(o, server->number, type)
				->channel.extent_block =
				type == CHANNEL_NETWORK ? mac_of(c) : 0;
	}
}

/* All that a guest is, in one transaction. */
static void ask_guest(unsigned n, const struct part *server)
{
	static struct ops o;
	const struct policy_guest *g = &policy.guest[n];
	struct job *job = new_job(JOB_CREATE);
	struct control_message *m;

	if (job == NULL)
		return;
	job->object = n;
	o.count = 0;
	m = add(&o, TXN_PARTITION_CREATE);
	str_field(m->create.name, g->name, sizeof(m->create.name));
	str_field(m->create.module, g->image, sizeof(m->create.module));
	m->create.kind = PART_GUEST;
	m->create.blocks = g->blocks;
	m->create.cpu = policy_cpu(&policy, g->name, n + 1, view_now()->cpus);
	add_args(&o, g->args);
	add_channels(&o, g);
	if (server != NULL) {
		m = add_channel(&o, server->number, CHANNEL_BLOCK);
		m->channel.extent_block = g->extent_block;
		m->channel.extent_blocks = g->extent_blocks;
	}
	if (policy_named(&policy, g->name) != NULL) {
		m = add(&o, TXN_SCHEDULE);
		schedule_op(m, TXN_RESULT(0), policy_named(&policy, g->name),
			    o.op[0].create.cpu);
	}
	target_op(add(&o, 0), TXN_PARTITION_START, TXN_RESULT(0), 0, 0);
	attempts[n].asked = send_job(job, o.op, o.count);
}

/* Modules do not come later, and no partition gets another size by itself. */
static const char *never(const struct control_message *response)
{
	if (response->failed_op != 0)
		return NULL;
	switch (response->status) {
	case CONTROL_ENOENT:
		return "the machine has no module of its image's name";
	case CONTROL_EIMAGE:
		return "its image is none, or does not fit in its blocks";
	case CONTROL_EVALUE:
		return "its name or size is none that a partition can have";
	default:
		return NULL;
	}
}

static void give_up(unsigned n, const char *why)
{
	attempts[n].hopeless = why;
	logf_("command: %s cannot be made: %s; the others can",
	      policy.guest[n].name, why);
}

void guests_answered(const struct job *job,
		     const struct control_message *response)
{
	struct attempt *a = &attempts[job->object];
	uint32_t status = response->status;

	a->asked = false;
	a->made = status == CONTROL_OK ? policy_version : 0;
	if (status == CONTROL_OK) {
		a->refused = CONTROL_OK;
		return;
	}
	a->again_ns = sys_time() + 100 * AGAIN_NS;
	if (never(response) != NULL)
		give_up(job->object, never(response));
	else if (a->refused != status)
		logf_("command: create %s refused: %s, operation %lu",
		      policy.guest[job->object].name,
		      control_status_name(status), response->failed_op);
	a->refused = status;
}

const char *guest_hopeless(const char *name)
{
	for (unsigned i = 0; i < policy.guests; i++) {
		if (strcmp(policy.guest[i].name, name) == 0)
			return attempts[i].hopeless;
	}
	return NULL;
}

bool guest_made(const struct part *p)
{
	const struct policy_guest *g = guest_of(p->number);

	return g != NULL && attempts[g - policy.guest].made == policy_version;
}

/* What it starts after: runs, or did its work. */
static bool comes_after(const struct policy_guest *g)
{
	const struct policy_named *n = policy_named(&policy, g->name);

	for (unsigned i = 0; n != NULL && i < n->afters; i++) {
		const struct part *p = find_name(n->after[i]);

		if (p == NULL || p->leaving)
			return false;
		if (p->kind == PART_IO
			    ? !serves(p)
			    : !running(p) && (p->state != PART_STATE_STOPPED ||
					      p->code != 0))
			return false;
	}
	return true;
}

/* Does it wait for one that will never be? */
static bool in_vain(const struct policy_guest *g)
{
	const struct policy_named *n = policy_named(&policy, g->name);

	for (unsigned i = 0; n != NULL && i < n->afters; i++) {
		if (guest_hopeless(n->after[i]) != NULL)
			return true;
	}
	return false;
}

static void decide_guest(unsigned i)
{
	const struct policy_guest *g = &policy.guest[i];
	const struct part *server = find_name(g->preferred);

	if (in_vain(g)) {
		give_up(i, "it starts after one that cannot be made");
		return;
	}
	if (!comes_after(g) || !networks_served(g))
		return;
	if (!g->disk) {
		ask_guest(i, NULL);
		return;
	}
	/* A path that is not up yet is waited for as long as it may take to
	 * start; one that is down is not. */
	if (!serves(server) && server != NULL && running(server))
		return;
	if (!serves(server))
		server = find_name(g->fallback);
	if (serves(server))
		ask_guest(i, server);
}

/* ---- given up ----------------------------------------------------------- */

static bool same(const struct policy_guest *a, const struct policy_guest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

void guests_compare(const struct policy *old)
{
	off_ns = 0;
	for (unsigned i = 0; i < POLICY_GUESTS_MAX; i++) {
		attempts[i].again_ns = 0;
		attempts[i].refused = CONTROL_OK;
		attempts[i].hopeless = NULL;
	}
	for (unsigned i = 0; i < old->guests; i++) {
		const struct policy_guest *g = NULL;
		struct part *p = find_name(old->guest[i].name);

		for (unsigned k = 0; k < policy.guests; k++) {
			if (strcmp(policy.guest[k].name, old->guest[i].name) ==
			    0)
				g = &policy.guest[k];
		}
		if (p == NULL || p->kind != PART_GUEST ||
		    (g != NULL && same(g, &old->guest[i])))
			continue;
		p->leaving = true;
		logf_("command: decision: remove %s, %s", p->name,
		      g != NULL ? "which is to be another"
				: "which the policy has no longer");
	}
}

static void decide_leaving(struct part *p)
{
	struct job job = {.kind = JOB_UNLINK}, *slot;
	bool left = false;

	if (running(p)) {
		ask_part(p, JOB_STOP, TXN_PARTITION_STOP, 0);
		p->again_ns = sys_time() + STOP_NS;
		return;
	}
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		struct chan *c = &chans[i];

		if (!c->used || c->type == CHANNEL_CONTROL ||
		    (c->client != p->number && c->server != p->number))
			continue;
		left = true;
		if (!c->asked && !c->going && job.channels < MOVES_MAX)
			job.channel[job.channels++] = c;
	}
	if (job.channels > 0) {
		slot = new_job(JOB_UNLINK);
		if (slot == NULL)
			return;
		*slot = job;
		ask_channels(slot, p, NULL);
	} else if (left) { /* not let go of yet */
		p->again_ns = sys_time() + AGAIN_NS;
		learn_due = true;
	} else {
		ask_part(p, JOB_DESTROY, TXN_PARTITION_DESTROY, 0);
	}
}

void decide_guests(uint64_t now)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (p->used && p->leaving && !p->asked && now >= p->again_ns)
			decide_leaving(p);
	}
	for (unsigned i = 0; i < policy.guests; i++) {
		const struct attempt *a = &attempts[i];

		if (!a->asked && a->hopeless == NULL && now >= a->again_ns &&
		    find_name(policy.guest[i].name) == NULL)
			decide_guest(i);
	}
}

/* ---- the end ------------------------------------------------------------ */

void off(uint64_t code)
{
	struct control_message op;
	struct job *job = off_asked ? NULL : new_job(JOB_OFF);

	if (job == NULL)
		return;
	log_drain();
	target_op(&op, TXN_MACHINE_OFF, 0, 0, code);
	off_asked = send_job(job, &op, 1);
}

void off_refused(void)
{
	off_asked = false;
}

/* All guests of the policy came and went? */
void decide_off(uint64_t now)
{
	uint64_t code = 0;

	if (!policy.off || policy.guests == 0)
		return;
	for (unsigned i = 0; i < policy.guests; i++) {
		const struct part *p = find_name(policy.guest[i].name);
		bool failed;

		if (p == NULL && attempts[i].hopeless != NULL) {
			code = OFF_GUEST_FAILED;
			continue;
		}
		if (p == NULL || running(p) || p->leaving ||
		    p->state == PART_STATE_DEFINED ||
		    p->state == PART_STATE_SAVED)
			return;
		failed = p->state != PART_STATE_STOPPED || p->code != 0;
		if (failed && restarts_left(p))
			return;
		if (failed)
			code = OFF_GUEST_FAILED;
	}
	if (off_ns == 0) {
		off_ns = now + OFF_NS;
		logf_("command: all guests stopped, code %lu", code);
	}
	if (now >= off_ns)
		off(code);
}

uint64_t guests_due(uint64_t now)
{
	uint64_t due = off_ns > now ? off_ns : ~0ull;

	for (unsigned i = 0; i < policy.guests; i++) {
		if (attempts[i].again_ns > now && attempts[i].again_ns < due)
			due = attempts[i].again_ns;
	}
	return due;
}

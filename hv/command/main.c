/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/main.c - the command partition: decides, by the policy, and asks
 * the ultravisor for it in transactions.
 *
 * It knows the machine by three ways: it asks for all partitions and channels
 * when it starts (TXN_QUERY), it hears of their ends (EVT_PARTITION_STATE), and
 * it watches the beats of the I/O partitions.  What it decides follows from
 * what is, not from what happened: each pass of the loop compares the machine
 * with the policy and asks for the next step, at most one at a time for each
 * object.  So a command partition that was restarted goes on where the one
 * before it ended.
 *
 * A beat is missed by this partition's own looks: one look each period, and a
 * look that comes late counts once.  A stretch in which nobody ran is no
 * evidence against anybody.
 */
#include <stdbool.h>
#include <stddef.h>

#include "abi/database.h"
#include "command/policy.h"
#include "lib/channel.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define PARTS_MAX    32
#define CHANNELS_MAX 64
#define JOBS_MAX     16
#define RESTARTS_MAX 8  /* of one partition */
#define MOVES_MAX    15 /* channels in one transaction */

#define START_NS      (500 * MS) /* a started I/O partition has to beat by then */
#define STEADY_BEATS  4          /* before load is given back */
#define AGAIN_NS      (1 * MS)   /* after a refused transaction */
#define MOVE_NS       (2 * MS)   /* that a move may take before the next step */
#define QUERY_NS      (100 * MS)
#define POLICY_ASK_NS (5 * MS)
#define OFF_NS        (2 * MS) /* so that everybody's last lines are out */
#define ATTACH_NS     (50 * US)

#define EXIT_NO_CONTROL  1
#define OFF_BAD_POLICY   2 /* the machine's exit code */
#define OFF_GUEST_FAILED 3

void partition_main(void);
void command_main_loop(void);

/* A partition, as known here. */
struct part {
	bool used;
	uint64_t number;
	char name[16];
	uint32_t kind, state;
	bool told;        /* its end was heard of */
	bool asked;       /* a transaction about it is unanswered */
	uint32_t refused; /* status of the last, to say it once */
	uint64_t again_ns;
	/* Of an I/O partition: */
	struct channel beat;
	unsigned beat_handle; /* 0: no heartbeat channel */
	bool beat_paused;
	uint64_t beat_last, beats; /* beats seen since it was started */
	unsigned missed;
	uint64_t started_ns;
	unsigned restarts;
	bool told_alone; /* that nobody is left to take over was logged */
	/* Of a guest: */
	uint64_t code;
};

struct chan {
	bool used;
	uint64_t id, client, server;
	uint32_t type;
	bool asked;
};

enum job_kind {
	JOB_NONE,
	JOB_CREATE, /* a guest of the policy; object: its index there */
	JOB_MARK,
	JOB_MOVE, /* all channels of one server, or those that go back */
	JOB_RESTART,
	JOB_SCHEDULE,
	JOB_OFF,
};

/* A transaction that is unanswered. */
struct job {
	enum job_kind kind;
	uint64_t handle;
	struct part *part;
	unsigned guest;
	struct part *to;
	unsigned channels;
	struct chan *channel[MOVES_MAX];
};

static struct control control;
static struct part parts[PARTS_MAX];
static struct chan chans[CHANNELS_MAX];
static struct job jobs[JOBS_MAX];

static struct policy policy;
static bool have_policy;
static bool guest_asked[POLICY_GUESTS_MAX];
static uint64_t guest_again_ns[POLICY_GUESTS_MAX];
static bool scheduled[POLICY_SCHEDULES_MAX];
static char policy_text[POLICY_DATA_PAGES * ABI_PAGE_BYTES];

static struct channel policy_channel;
static unsigned policy_handle; /* 0: no such channel */
static bool policy_paused;
static uint64_t policy_ask_ns;

static uint64_t look_ns; /* when to look at the beats next */
static uint64_t off_ns;  /* when to switch off; 0: not yet */
static bool off_asked;
static bool learn_due;
static uint64_t view_seen = ~0ull; /* generation looked through */

/* ---- what is known ---- */

static struct part *find_number(uint64_t number)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && parts[i].number == number)
			return &parts[i];
	}
	return NULL;
}

static struct part *find_name(const char *name)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && strcmp(parts[i].name, name) == 0)
			return &parts[i];
	}
	return NULL;
}

static struct part *add_part(uint64_t number)
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

/* A started partition has to prove itself. */
static void reset_beats(struct part *p)
{
	p->beats = 0;
	p->missed = 0;
	p->started_ns = sys_time();
}

/* One row; false: there is none. */
static bool query(uint64_t what, uint64_t index, uint64_t row[8])
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

/* Ask what there is.  Only while no transaction is unanswered, because query()
 * drops the answers to others.  How partitions fare afterwards, events tell. */
static void learn(void)
{
	uint64_t row[8];

	view_seen = ~0ull; /* its channels may say more now */
	for (uint64_t i = 0; query(QUERY_PARTITION, i, row); i++) {
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
				break;
			p->state = (uint32_t)row[2];
			reset_beats(p);
		}
		p->kind = (uint32_t)row[1];
		memcpy(p->name, &row[6], sizeof(p->name));
		p->name[sizeof(p->name) - 1] = '\0';
	}
	for (uint64_t i = 0; query(QUERY_CHANNEL, i, row); i++) {
		struct chan *c = find_chan(row[0]);

		c = c != NULL ? c : add_chan(row[0]);
		if (c == NULL)
			break;
		c->type = (uint32_t)row[1];
		c->client = row[2];
		c->server = row[3];
	}
}

static bool running(const struct part *p)
{
	return p->state == PART_STATE_RUNNING;
}

/* Fit to serve: runs, and beats. */
static bool serves(const struct part *p)
{
	return p != NULL && p->kind == PART_IO && running(p) && p->beats > 0;
}

static struct policy_guest *guest_of(uint64_t number)
{
	const struct part *p = find_number(number);

	for (unsigned i = 0; p != NULL && i < policy.guests; i++) {
		if (strcmp(policy.guest[i].name, p->name) == 0)
			return &policy.guest[i];
	}
	return NULL;
}

/* ---- transactions ---- */

static struct job *new_job(enum job_kind kind)
{
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].kind == JOB_NONE) {
			memset(&jobs[i], 0, sizeof(jobs[i]));
			jobs[i].kind = kind;
			return &jobs[i];
		}
	}
	return NULL;
}

/* False: no room in the queue, the job is dropped; ask again later. */
static bool send_job(struct job *job, struct control_message *ops,
		     unsigned count)
{
	job->handle = control_send(&control, ops, count);
	if (job->handle == 0)
		job->kind = JOB_NONE;
	return job->handle != 0;
}

static void target_op(struct control_message *op, uint32_t id, uint64_t number,
		      uint64_t to, uint64_t value, uint64_t weight)
{
	memset(op, 0, sizeof(*op));
	op->id = id;
	op->target.number = number;
	op->target.to = to;
	op->target.value = value;
	op->target.weight = weight;
}

static void schedule_op(struct control_message *op, uint64_t number,
			const struct policy_schedule *s)
{
	memset(op, 0, sizeof(*op));
	op->id = TXN_SCHEDULE;
	op->schedule.number = number;
	op->schedule.quantum_us = s->quantum_us;
	op->schedule.standing = s->weight;
}

static void ask_part(struct part *p, enum job_kind kind, uint32_t id,
		     uint64_t value)
{
	struct control_message op;
	struct job *job = new_job(kind);

	if (job == NULL)
		return;
	job->part = p;
	target_op(&op, id, p->number, 0, value, 0);
	p->asked = send_job(job, &op, 1);
}

/* Move the block channels chosen in the job from one server to another. */
static void ask_move(struct job *job, struct part *from, struct part *to)
{
	struct control_message ops[MOVES_MAX];

	job->part = from;
	job->to = to;
	for (unsigned i = 0; i < job->channels; i++)
		target_op(&ops[i], TXN_CHANNEL_MOVE, job->channel[i]->id,
			  to->number, 0, 0);
	if (!send_job(job, ops, job->channels))
		return;
	for (unsigned i = 0; i < job->channels; i++)
		job->channel[i]->asked = true;
	from->asked = true;
}

/* Words appended one operation after the other; a space comes between. */
static unsigned args_ops(struct control_message *ops, const char *args)
{
	unsigned n = 0;

	while (*args != '\0') {
		size_t bytes = strnlen(args, sizeof(ops[0].args.text) - 1);

		/* Not in the middle of a word; no word is longer (policy.c). */
		if (args[bytes] != '\0') {
			while (args[bytes] != ' ' && bytes > 1)
				bytes--;
		}
		memset(&ops[n], 0, sizeof(ops[n]));
		ops[n].id = TXN_PARTITION_ARGS;
		ops[n].args.number = TXN_RESULT(0);
		memcpy(ops[n].args.text, args, bytes);
		n++;
		args += bytes;
		while (*args == ' ')
			args++;
	}
	return n;
}

static void channel_op(struct control_message *op, uint64_t server,
		       uint32_t type, uint32_t pages, uint64_t first,
		       uint64_t blocks)
{
	memset(op, 0, sizeof(*op));
	op->id = TXN_CHANNEL_CREATE;
	op->channel.client = TXN_RESULT(0);
	op->channel.server = server;
	op->channel.type = type;
	op->channel.pages = pages;
	op->channel.extent_block = first;
	op->channel.extent_blocks = blocks;
}

/* All that a guest is, in one transaction. */
static void ask_guest(unsigned n, const struct part *server)
{
	const struct policy_guest *g = &policy.guest[n];
	const struct part *sink = find_name("operations");
	struct control_message ops[TXN_OPS_MAX];
	struct job *job = new_job(JOB_CREATE);
	unsigned count = 1;

	if (job == NULL)
		return;
	job->guest = n;
	memset(&ops[0], 0, sizeof(ops[0]));
	ops[0].id = TXN_PARTITION_CREATE;
	str_field(ops[0].create.name, g->name, sizeof(ops[0].create.name));
	str_field(ops[0].create.module, g->image, sizeof(ops[0].create.module));
	ops[0].create.kind = PART_GUEST;
	ops[0].create.blocks = g->blocks;
	ops[0].create.cpu = (n + 1) % view_now()->cpus;
	count += args_ops(&ops[count], g->args);
	if (sink != NULL && running(sink))
		channel_op(&ops[count++], sink->number, CHANNEL_DIAG,
			   DIAG_CHANNEL_PAGES, 0, 0);
	channel_op(&ops[count++], server->number, CHANNEL_BLOCK,
		   BLOCK_CHANNEL_PAGES, g->extent_block, g->extent_blocks);
	for (unsigned i = 0; i < policy.schedules; i++) {
		const struct policy_schedule *s = &policy.schedule[i];

		if (strcmp(s->name, g->name) == 0)
			schedule_op(&ops[count++], TXN_RESULT(0), s);
	}
	target_op(&ops[count++], TXN_PARTITION_START, TXN_RESULT(0), 0, 0, 0);
	guest_asked[n] = send_job(job, ops, count);
}

static const char *const job_names[] = {
	[JOB_CREATE] = "create",     [JOB_MARK] = "mark",
	[JOB_MOVE] = "move",         [JOB_RESTART] = "restart",
	[JOB_SCHEDULE] = "schedule", [JOB_OFF] = "off",
};

/* ---- ends of partitions ---- */

/* It has ended: said once. */
static void ended(struct part *p, uint32_t state, uint64_t vector,
		  uint64_t code, uint64_t time_ns)
{
	uint64_t at = time_ns / US;

	if (p->told && p->state == state)
		return;
	p->told = true;
	p->state = state;
	p->code = state == PART_STATE_STOPPED ? code : ~0ull;
	p->beats = 0;
	switch (state) {
	case PART_STATE_CRASHED:
		logf_("command: %s failed: exception %lu at %lu us", p->name,
		      vector, at);
		break;
	case PART_STATE_DEAD:
		logf_("command: %s failed: no heartbeat at %lu us", p->name,
		      at);
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

static void began(struct part *p)
{
	p->state = PART_STATE_RUNNING;
	p->told = false;
	reset_beats(p);
}

static void on_state(const struct control_message *event)
{
	struct part *p = find_number(event->partition.number);
	uint32_t state = (uint32_t)event->partition.state;

	if (p == NULL) { /* its name is not known yet */
		p = add_part(event->partition.number);
		learn_due = true;
	}
	if (p == NULL)
		return;
	if (state != PART_STATE_RUNNING && state != PART_STATE_DEFINED)
		ended(p, state, event->partition.vector, event->partition.error,
		      event->partition.time_ns);
	else if (p->state != state)
		began(p);
}

/* ---- answers ---- */

static bool unanswered(void)
{
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].kind != JOB_NONE)
			return true;
	}
	return false;
}

static void on_success(const struct job *job)
{
	switch (job->kind) {
	case JOB_CREATE:
		logf_("command: %s started", policy.guest[job->guest].name);
		break;
	case JOB_MARK:
		/* An event may have said so already. */
		if (running(job->part))
			ended(job->part, PART_STATE_DEAD, 0, 0, sys_time());
		break;
	case JOB_MOVE:
		for (unsigned i = 0; i < job->channels; i++)
			job->channel[i]->server = job->to->number;
		/* A restart scrubs memory: the guests' I/O comes first. */
		if (!running(job->part))
			job->part->again_ns = sys_time() + MOVE_NS;
		break;
	case JOB_RESTART:
		began(job->part);
		break;
	default:
		break;
	}
}

/* The same refusal again and again is told once. */
static void log_refusal(const struct job *job,
			const struct control_message *response)
{
	const char *name = "";

	if (job->part != NULL) {
		if (job->part->refused == response->status)
			return;
		job->part->refused = response->status;
		name = job->part->name;
	} else if (job->kind == JOB_CREATE) {
		name = policy.guest[job->guest].name;
	}
	logf_("command: %s %s refused: %s, operation %lu", job_names[job->kind],
	      name, control_status_name(response->status), response->failed_op);
}

static void on_response(const struct control_message *response)
{
	struct job job = {.kind = JOB_NONE};

	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].kind != JOB_NONE &&
		    jobs[i].handle == response->handle) {
			job = jobs[i];
			jobs[i].kind = JOB_NONE;
			break;
		}
	}
	if (job.kind == JOB_NONE)
		return;
	if (job.part != NULL)
		job.part->asked = false;
	for (unsigned i = 0; i < job.channels; i++)
		job.channel[i]->asked = false;
	if (response->status == CONTROL_OK) {
		if (job.part != NULL)
			job.part->refused = CONTROL_OK;
		on_success(&job);
	} else {
		log_refusal(&job, response);
		if (job.part != NULL)
			job.part->again_ns = sys_time() + AGAIN_NS;
		if (job.kind == JOB_CREATE) {
			guest_asked[job.guest] = false;
			guest_again_ns[job.guest] = sys_time() + 100 * AGAIN_NS;
		}
		if (job.kind == JOB_OFF)
			off_asked = false;
	}
	/* Whatever came of it: what is, counts. */
	if (job.kind == JOB_CREATE || response->status != CONTROL_OK)
		learn_due = true;
}

/* ---- channels of this partition ---- */

static struct part *part_of_beat(uint64_t handle)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && handle != 0 &&
		    parts[i].beat_handle == handle)
			return &parts[i];
	}
	return NULL;
}

static bool attach(struct channel *ch, unsigned handle, uint32_t type)
{
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	int64_t va = sys_channel_map(handle);

	if (va < 0)
		return false;
	return channel_attach(ch, (void *)(uintptr_t)va, handle, type, &who) ==
	       CHANNEL_OPEN;
}

/* Find what the view gives, attach what is ready.  False: something isn't. */
static bool attach_all(void)
{
	const struct view *view = view_now();
	bool look_again = view_seen != view_generation();
	bool all = true;

	view_seen = view_generation();
	for (unsigned h = 1; look_again && h < CHANNEL_SLOTS; h++) {
		const struct view_channel *vc = &view->channel[h];
		struct part *p = find_number(vc->peer);

		if (vc->id == 0 || vc->server)
			continue;
		if (vc->type == CHANNEL_POLICY)
			policy_handle = h;
		if (vc->type == CHANNEL_HEARTBEAT && p != NULL)
			p->beat_handle = h;
	}
	if (policy_handle != 0 && !policy_paused &&
	    policy_channel.header == NULL)
		all &= attach(&policy_channel, policy_handle, CHANNEL_POLICY);
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (!p->used || p->beat_handle == 0 || p->beat_paused ||
		    p->beat.header != NULL)
			continue;
		if (!attach(&p->beat, p->beat_handle, CHANNEL_HEARTBEAT))
			all = false;
		else
			p->beat_last = p->beat.header->server_beat;
	}
	return all;
}

static uint32_t on_pause(uint64_t handle, bool pause)
{
	struct part *p = part_of_beat(handle);

	if (handle != 0 && handle == policy_handle) {
		policy_paused = pause;
		channel_close(&policy_channel);
	} else if (p != NULL) {
		p->beat_paused = pause;
		channel_close(&p->beat);
	} else {
		return CONTROL_ENOENT;
	}
	return CONTROL_OK;
}

static bool serve_control(void)
{
	struct control_message message;
	bool any = false;

	while (control_event(&control, &message)) {
		uint32_t status = CONTROL_OK;

		any = true;
		switch (message.id) {
		case EVT_PARTITION_STATE:
			on_state(&message);
			break;
		case EVT_CHANNEL_PAUSE:
		case EVT_CHANNEL_RESUME:
			(void)attach_all(); /* so that the handle is known */
			status = on_pause(message.attach.handle,
					  message.id == EVT_CHANNEL_PAUSE);
			break;
		case EVT_STOP:
			control_ack(&control, &message, CONTROL_OK);
			log_drain();
			sys_exit(0);
			break;
		default:
			status = CONTROL_EID;
			break;
		}
		control_ack(&control, &message, status);
	}
	while (control_response(&control, &message)) {
		any = true;
		on_response(&message);
	}
	return any;
}

/* ---- the policy ---- */

static void off(uint64_t code)
{
	struct control_message op;
	struct job *job = new_job(JOB_OFF);

	if (off_asked || job == NULL)
		return;
	log_drain();
	target_op(&op, TXN_MACHINE_OFF, 0, 0, code, 0);
	off_asked = send_job(job, &op, 1);
}

static void take_policy(const struct policy_message *message)
{
	struct policy_error error;
	uint32_t bytes = message->bytes;

	if (message->type != POLICY_TEXT || bytes > sizeof(policy_text))
		return;
	if (bytes > 0)
		memcpy(policy_text, channel_data(&policy_channel, 0), bytes);
	if (!policy_parse(policy_text, bytes, &policy, &error)) {
		logf_("command: policy line %u: %s", error.line, error.text);
		off(OFF_BAD_POLICY);
		return;
	}
	have_policy = true;
	learn_due = true; /* operations came after this partition did */
	logf_("command: policy of %u bytes, %u guests", bytes, policy.guests);
}

static bool fetch_policy(uint64_t now)
{
	struct policy_message message;
	bool any = false;

	if (policy_channel.header == NULL)
		return false;
	while (queue_remove(&policy_channel.queue[1], &message)) {
		any = true;
		if (!have_policy && !off_asked)
			take_policy(&message);
	}
	if (!have_policy && !off_asked && now >= policy_ask_ns) {
		memset(&message, 0, sizeof(message));
		message.type = POLICY_GET;
		(void)queue_insert(&policy_channel.queue[0], &message);
		policy_ask_ns = now + POLICY_ASK_NS;
	}
	return any;
}

/* ---- decisions ---- */

/* A channel that was wiped for a new start shows no beat. */
static bool heartbeat_valid(const struct channel *ch)
{
	return ch->header->server_state == CHANNEL_SERVER_READY &&
	       ch->header->generation == ch->generation;
}

/* One look at the beats. */
static void look(uint64_t now)
{
	if (now < look_ns)
		return;
	look_ns = now + (uint64_t)policy.heartbeat_us * US;
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];
		uint64_t beat;

		if (!p->used || p->kind != PART_IO || !running(p) || p->asked)
			continue;
		if (p->beat.header != NULL && heartbeat_valid(&p->beat)) {
			beat = p->beat.header->server_beat;
			p->missed = beat == p->beat_last ? p->missed + 1 : 0;
			p->beats += beat != p->beat_last;
			p->beat_last = beat;
		}
		if (p->beats > 0 ? p->missed < policy.misses
				 : now < p->started_ns + START_NS)
			continue;
		/* A policy without rules for it leaves everybody alone. */
		if (now < p->again_ns || !(policy.failover || policy.restart))
			continue;
		ask_part(p, JOB_MARK, TXN_PARTITION_MARK, PART_STATE_DEAD);
	}
}

static struct part *other_server(const struct part *than)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && &parts[i] != than && serves(&parts[i]))
			return &parts[i];
	}
	return NULL;
}

/* Its block channels that may be moved now, into the job. */
static void choose_channels(struct job *job, const struct part *server)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		struct chan *c = &chans[i];

		if (c->used && c->type == CHANNEL_BLOCK && !c->asked &&
		    c->server == server->number && job->channels < MOVES_MAX)
			job->channel[job->channels++] = c;
	}
}

static bool fail_over(struct part *p)
{
	struct part *to = other_server(p);
	struct job job = {.kind = JOB_MOVE}, *slot;

	choose_channels(&job, p);
	if (job.channels == 0)
		return false;
	if (to == NULL) {
		if (!p->told_alone)
			logf_("command: nobody left to serve %u channels of "
			      "%s",
			      job.channels, p->name);
		p->told_alone = true;
		return false;
	}
	slot = new_job(JOB_MOVE);
	if (slot == NULL)
		return true;
	*slot = job;
	logf_("command: decision: move %u channels of %s to %s", job.channels,
	      p->name, to->name);
	ask_move(slot, p, to);
	return true;
}

/* An I/O partition that has ended: its channels first, then itself. */
static void decide_failed(struct part *p)
{
	if (policy.failover && fail_over(p))
		return;
	if (!policy.restart)
		return;
	if (p->restarts == RESTARTS_MAX) {
		logf_("command: %s was restarted %u times, no more", p->name,
		      p->restarts);
		p->restarts++;
	}
	if (p->restarts > RESTARTS_MAX)
		return;
	p->restarts++;
	logf_("command: decision: restart %s", p->name);
	ask_part(p, JOB_RESTART, TXN_PARTITION_RESTART, 0);
}

/* One that beats again: what prefers it comes back to it. */
static void decide_back(struct part *p)
{
	struct job job = {.kind = JOB_MOVE}, *slot;
	struct part *from = NULL;

	p->told_alone = false;
	if (!policy.failback || p->beats < STEADY_BEATS)
		return;
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		struct chan *c = &chans[i];
		const struct policy_guest *g =
			c->used && c->type == CHANNEL_BLOCK && !c->asked &&
					c->server != p->number
				? guest_of(c->client)
				: NULL;

		if (g == NULL || strcmp(g->preferred, p->name) != 0 ||
		    job.channels == MOVES_MAX)
			continue;
		/* Only from one that lives: a dead one's are failed over. */
		if (from != NULL && from->number != c->server)
			continue;
		from = find_number(c->server);
		if (from != NULL && serves(from) && !from->asked)
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
	ask_move(slot, from, p);
}

static void decide_guests(uint64_t now)
{
	for (unsigned i = 0; i < policy.guests; i++) {
		const struct policy_guest *g = &policy.guest[i];
		const struct part *server = find_name(g->preferred);

		if (guest_asked[i] || now < guest_again_ns[i] ||
		    find_name(g->name) != NULL)
			continue;
		/* A path that is not up yet is waited for as long as it may
		 * take to start; one that is down is not. */
		if (!serves(server) && server != NULL && running(server))
			continue;
		if (!serves(server))
			server = find_name(g->fallback);
		if (serves(server))
			ask_guest(i, server);
	}
}

static void decide_schedule(void)
{
	for (unsigned i = 0; i < policy.schedules; i++) {
		const struct policy_schedule *s = &policy.schedule[i];
		struct part *p = find_name(s->name);
		struct control_message op;
		struct job *job;

		/* Guests get theirs when they are made. */
		if (scheduled[i] || p == NULL || p->kind == PART_GUEST)
			continue;
		job = new_job(JOB_SCHEDULE);
		if (job == NULL)
			return;
		job->part = p;
		schedule_op(&op, p->number, s);
		scheduled[i] = send_job(job, &op, 1);
	}
}

/* All guests of the policy came and went? */
static void decide_off(uint64_t now)
{
	uint64_t code = 0;

	if (!policy.off || policy.guests == 0)
		return;
	for (unsigned i = 0; i < policy.guests; i++) {
		const struct part *p = find_name(policy.guest[i].name);

		if (p == NULL || running(p) || p->state == PART_STATE_DEFINED)
			return;
		if (p->state != PART_STATE_STOPPED || p->code != 0)
			code = OFF_GUEST_FAILED;
	}
	if (off_ns == 0) {
		off_ns = now + OFF_NS;
		logf_("command: all guests stopped, code %lu", code);
	}
	if (now >= off_ns)
		off(code);
}

static void decide_io(uint64_t now)
{
	look(now);
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (!p->used || p->kind != PART_IO || p->asked ||
		    now < p->again_ns)
			continue;
		if (serves(p))
			decide_back(p);
		else if (!running(p) && p->state != PART_STATE_DEFINED)
			decide_failed(p);
	}
}

/* While a question has to wait for an answer (a guest is being made, say), what
 * is known of the I/O partitions is enough to act on. */
static void decide(uint64_t now)
{
	decide_io(now);
	if (learn_due)
		return;
	decide_schedule();
	decide_guests(now);
	decide_off(now);
}

/* ---- the loop ---- */

__attribute__((noinline)) void command_main_loop(void)
{
	for (;;) {
		uint64_t now = sys_time();
		uint64_t deadline = now + (uint64_t)policy.heartbeat_us * US;
		bool busy, empty;

		busy = serve_control();
		if (learn_due && !unanswered()) {
			learn_due = false;
			learn();
		}
		if (!attach_all())
			deadline = now + ATTACH_NS;
		busy |= fetch_policy(now);
		if (have_policy) {
			decide(now);
			deadline = look_ns < deadline ? look_ns : deadline;
		}
		if (!log_flush() && now + LOG_RETRY_NS < deadline)
			deadline = now + LOG_RETRY_NS;
		if (busy)
			continue;
		empty = control_sleep(&control);
		if (policy_channel.header != NULL)
			empty &= queue_sleep(&policy_channel.queue[1]);
		if (empty)
			(void)sys_wait(~0ull, deadline);
		control_awake(&control);
		if (policy_channel.header != NULL)
			queue_awake(&policy_channel.queue[1]);
	}
}

void partition_main(void)
{
	if (!control_open(&control)) {
		logf_("command: control channel doesn't fit");
		log_drain();
		sys_exit(EXIT_NO_CONTROL);
	}
	policy.heartbeat_us = 250; /* until the policy says */
	learn();
	logf_("command: ready");
	command_main_loop();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/jobs.c - transactions: asked for, and what became of them.  While
 * one is unanswered nothing else is asked of the same object; after a refusal
 * the machine is looked at anew. */
#include "command/command.h"

#include "lib/log.h"
#include "lib/string.h"

#define JOBS_MAX 16
#define MOVE_NS  (2 * MS) /* that a move may take before the next step */

static struct job jobs[JOBS_MAX];

static const char *const job_names[] = {
	[JOB_CREATE] = "create",     [JOB_MARK] = "mark",
	[JOB_MOVE] = "move",         [JOB_RESTART] = "restart",
	[JOB_SCHEDULE] = "schedule", [JOB_FRAME] = "frame",
	[JOB_DEVICE] = "device",     [JOB_STOP] = "stop",
	[JOB_UNLINK] = "unlink",     [JOB_DESTROY] = "destroy",
	[JOB_TRUNK] = "trunk",       [JOB_OFF] = "off",
};

struct job *new_job(enum job_kind kind)
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

bool send_job(struct job *job, struct control_message *ops, unsigned count)
{
	job->handle = control_send(&control, ops, count);
	if (job->handle == 0)
		job->kind = JOB_NONE;
	return job->handle != 0;
}

bool unanswered(void)
{
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].kind != JOB_NONE)
			return true;
	}
	return false;
}

void target_op(struct control_message *op, uint32_t id, uint64_t number,
	       uint64_t to, uint64_t value)
{
	memset(op, 0, sizeof(*op));
	op->id = id;
	op->target.number = number;
	op->target.to = to;
	op->target.value = value;
}

void ask_part(struct part *p, enum job_kind kind, uint32_t id, uint64_t value)
{
	struct control_message op;
	struct job *job = new_job(kind);

	if (job == NULL)
		return;
	job->part = p;
	target_op(&op, id, p->number, 0, value);
	p->asked = send_job(job, &op, 1);
}

void ask_channels(struct job *job, struct part *from, struct part *to)
{
	struct control_message ops[1 + MOVES_MAX];
	unsigned n = 0;

	job->part = from;
	job->to = to;
	if (job->dead)
		mark_op(&ops[n++], from);
	for (unsigned i = 0; i < job->channels; i++)
		target_op(&ops[n++],
			  to != NULL ? TXN_CHANNEL_MOVE : TXN_CHANNEL_DESTROY,
			  job->channel[i]->id, to != NULL ? to->number : 0, 0);
	if (!send_job(job, ops, n))
		return;
	for (unsigned i = 0; i < job->channels; i++)
		job->channel[i]->asked = true;
	from->asked = true;
}

static void on_success(const struct job *job)
{
	switch (job->kind) {
	case JOB_CREATE:
		logf_("command: %s started", policy.guest[job->object].name);
		break;
	case JOB_MARK:
		/* An event may have said so already. */
		if (running(job->part))
			ended(job->part, PART_STATE_DEAD, 0, 0, sys_time());
		break;
	case JOB_MOVE:
		if (job->dead && running(job->part))
			ended(job->part, PART_STATE_DEAD, 0, 0, sys_time());
		for (unsigned i = 0; i < job->channels; i++)
			job->channel[i]->server = job->to->number;
		/* A restart scrubs memory: the guests' I/O comes first. */
		if (!running(job->part))
			job->part->again_ns = sys_time() + MOVE_NS;
		break;
	case JOB_RESTART:
		/* An event may have said that it ended again already. */
		if (!job->part->over)
			began(job->part);
		else
			job->part->incarnation++;
		job->part->over = false;
		break;
	case JOB_UNLINK: /* the ends let go first */
		job->part->again_ns = sys_time() + AGAIN_NS;
		learn_due = true;
		break;
	case JOB_DESTROY:
		logf_("command: %s removed", job->part->name);
		job->part->used = false;
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

	if (job->kind == JOB_CREATE) /* guests_answered() tells */
		return;
	if (job->part != NULL) {
		if (job->part->refused == response->status)
			return;
		job->part->refused = response->status;
		name = job->part->name;
	}
	logf_("command: %s %s refused: %s, operation %lu", job_names[job->kind],
	      name, control_status_name(response->status), response->failed_op);
}

static void settle(const struct job *job,
		   const struct control_message *response)
{
	uint32_t status = response->status;
	bool mark = job->kind == JOB_MARK || job->dead;

	if (job->part != NULL)
		job->part->asked = false;
	for (unsigned i = 0; i < job->channels; i++)
		job->channel[i]->asked = false;
	if (mark && status != CONTROL_OK && mark_refused(job->part, response))
		return; /* and nothing else has become known */
	if (status == CONTROL_OK) {
		if (job->part != NULL)
			job->part->refused = CONTROL_OK;
		on_success(job);
	} else {
		log_refusal(job, response);
		if (job->part != NULL)
			job->part->again_ns = sys_time() + AGAIN_NS;
		if (job->kind == JOB_MARK)
			job->part->cause = MARK_SILENT;
		if (job->kind == JOB_OFF)
			off_refused();
	}
	if (job->kind == JOB_CREATE)
		guests_answered(job, response);
	if (job->kind == JOB_SCHEDULE || job->kind == JOB_FRAME)
		schedule_answered(job, status);
	if (job->kind == JOB_TRUNK)
		trunk_answered();
	/* Whatever came of it: what is, counts. */
	if (job->kind == JOB_CREATE || job->kind == JOB_TRUNK ||
	    status != CONTROL_OK)
		learn_due = true;
}

void on_response(const struct control_message *response)
{
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		struct job job = jobs[i];

		if (job.kind == JOB_NONE || job.handle != response->handle)
			continue;
		jobs[i].kind = JOB_NONE;
		settle(&job, response);
		return;
	}
}

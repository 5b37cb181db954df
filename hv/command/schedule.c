/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/schedule.c - who runs where and how much: each partition is put
 * where the policy wants it once for each policy that is taken, so that what an
 * operator changes afterwards stays.  The same for cyclic frames and devices.
 */
#include "command/command.h"

#include "abi/lead.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

#define CAP_NONE 1000

static unsigned frame_version[POLICY_CPUS_MAX], device_version;
static unsigned device_next; /* of the policy's, to be looked at */
static bool frame_asked[POLICY_CPUS_MAX];

void schedule_op(struct control_message *op, uint64_t number,
		 const struct policy_named *n, unsigned cpu)
{
	memset(op, 0, sizeof(*op));
	op->id = TXN_SCHEDULE;
	op->schedule.number = number;
	op->schedule.cpu = cpu + 1;
	op->schedule.weight = SCHEDULE_WEIGHT;
	op->schedule.cap = CAP_NONE;
	if (n == NULL)
		return;
	op->schedule.quantum_us = n->quantum_us;
	op->schedule.standing = n->standing;
	if (n->weight != 0)
		op->schedule.weight = n->weight;
	if (n->cap != 0)
		op->schedule.cap = n->cap;
}

/* Its place in the spreading (boot has begun it so); false: nobody's to say. */
static bool turn_of(const struct part *p, unsigned *turn)
{
	const struct policy_guest *g;

	switch (p->kind) {
	case PART_IO:
		*turn = strcmp(p->name, "io.b") == 0 ? 2 : 1;
		return true;
	case PART_COMMAND:
		*turn = 3;
		return true;
	case PART_OPERATIONS:
	case PART_DIAGNOSTICS:
		*turn = 0;
		return true;
	case PART_GUEST:
		g = guest_of(p->number);
		if (g != NULL)
			*turn = (unsigned)(g - policy.guest) + 1;
		return g != NULL;
	default:
		return false;
	}
}

static bool as_it_is(const struct part *p, const struct control_message *op)
{
	return p->cpu + 1 == op->schedule.cpu &&
	       p->weight == op->schedule.weight &&
	       (p->cap != 0 ? p->cap : CAP_NONE) == op->schedule.cap &&
	       (op->schedule.quantum_us == 0 ||
		op->schedule.quantum_us == p->quantum_us) &&
	       (op->schedule.standing == 0 ||
		op->schedule.standing == p->standing);
}

static void place(struct part *p, unsigned turn)
{
	struct control_message op;
	struct job *job;

	schedule_op(&op, p->number, policy_named(&policy, p->name),
		    policy_cpu(&policy, p->name, turn, view_now()->cpus));
	if (as_it_is(p, &op)) {
		p->placed = policy_version;
		return;
	}
	job = new_job(JOB_SCHEDULE);
	if (job == NULL)
		return;
	job->part = p;
	p->asked = send_job(job, &op, 1);
}

/* ---- cyclic frames ------------------------------------------------------ */

/* False: somebody who has a window isn't there yet. */
static bool frame_ops(unsigned cpu, struct control_message *ops, unsigned *n)
{
	const struct policy_frame *f = &policy.frame[cpu];

	*n = f->windows > 0 ? f->windows : 1; /* none: one of no length */
	memset(ops, 0, *n * sizeof(*ops));
	for (unsigned i = 0; i < *n; i++) {
		const char *name = f->window[i].name;
		const struct part *p = name[0] ? find_name(name) : NULL;

		if (name[0] != '\0' &&
		    (p == NULL || p->placed != policy_version))
			return false;
		ops[i].id = TXN_FRAME;
		ops[i].frame.cpu = cpu;
		ops[i].frame.index = i;
		ops[i].frame.number = p != NULL ? p->number : 0;
		ops[i].frame.length_us = f->window[i].length_us;
	}
	return true;
}

static void decide_frame(unsigned cpu)
{
	struct control_message ops[POLICY_WINDOWS_MAX];
	struct job *job;
	unsigned n;

	if (policy.frame[cpu].windows == 0 && !(cpus_framed >> cpu & 1)) {
		frame_version[cpu] = policy_version;
		return;
	}
	if (!frame_ops(cpu, ops, &n))
		return;
	job = new_job(JOB_FRAME);
	if (job == NULL)
		return;
	job->object = cpu;
	frame_asked[cpu] = send_job(job, ops, n);
}

void schedule_answered(const struct job *job, uint32_t status)
{
	bool again = status == CONTROL_EBUSY || status == CONTROL_ELIMIT;

	if (job->kind == JOB_FRAME) {
		frame_asked[job->object] = false;
		if (!again)
			frame_version[job->object] = policy_version;
	} else if (!again) {
		job->part->placed = policy_version;
	}
}

/* ---- devices ------------------------------------------------------------ */

static void give_device(const struct policy_device *d, const uint64_t row[8])
{
	const struct part *owner = find_number(row[2]);
	const struct part *to = find_name(d->name);
	struct control_message op;
	struct job *job;

	if (to == NULL || owner == NULL || owner == to)
		return;
	if (owner->kind != PART_AVAILABLE) {
		logf_("command: device %02x:%02x.%u stays %s's", d->bdf >> 8,
		      d->bdf >> 3 & 31, d->bdf & 7, owner->name);
		return;
	}
	job = new_job(JOB_DEVICE);
	if (job == NULL)
		return;
	target_op(&op, TXN_DEVICE_ASSIGN, row[0], to->number, 0);
	(void)send_job(job, &op, 1);
}

static void decide_device(void)
{
	const struct policy_device *d = &policy.device[device_next];
	uint64_t row[8];

	if (device_next == policy.devices) {
		device_version = policy_version;
		device_next = 0;
		return;
	}
	device_next++;
	for (uint64_t i = 0; query(QUERY_DEVICE, i, row); i++) {
		if (row[1] != d->bdf)
			continue;
		give_device(d, row);
		return;
	}
	logf_("command: no device is at %02x:%02x.%u, which %s should have",
	      d->bdf >> 8, d->bdf >> 3 & 31, d->bdf & 7, d->name);
}

void decide_schedule(uint64_t now)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];
		unsigned turn;

		if (p->used && p->kind == PART_GUEST && guest_made(p))
			p->placed = policy_version;
		if (p->used && p->placed != policy_version && !p->asked &&
		    p->weight != 0 && !p->leaving && now >= p->again_ns &&
		    turn_of(p, &turn))
			place(p, turn);
	}
	for (unsigned cpu = 0; cpu < view_now()->cpus; cpu++) {
		if (frame_version[cpu] != policy_version && !frame_asked[cpu])
			decide_frame(cpu);
	}
	/* This asks, and may not lose the answers to others. */
	if (device_version != policy_version && !unanswered())
		decide_device();
}

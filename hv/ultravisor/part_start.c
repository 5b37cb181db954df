/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/part_start.c - partitions: told things, started, begun anew.
 *
 * In the database a partition runs from the transaction that says so.  The
 * machine follows: at once if the partition is loaded, else when load.c is done
 * with it.  To begin anew is to start with another instance: what was left of
 * the former one is destroyed, its channels go on their way to the same servers
 * (chan_renew()), and its memory is scrubbed and filled again.
 *
 * Next: part_end.c.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

/* ---- start and arguments ------------------------------------------------ */

void part_start_now(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	uint64_t top = PART_MEMORY_VA + part->memory_frames * ABI_PAGE_BYTES;

	device_enable_all(p->number);
	part_publish_schedule(); /* the instance is new */
	/* First the line: the partition may run and write its own at once. */
	logf_("%s starts at %lu us", p->name, sys_time() / 1000);
	for (unsigned i = 0; i < part_vcpus(p->number); i++)
		if (sys_lead_start(part_slot(part, i), p->load.image.entry,
				   p->data_va ?: top) < 0)
			logf_("%s does not start", p->name);
}

static void effect_start(const struct effect *e)
{
	struct uv_part *p = uv_part_of(e->a);

	if (p->load.stage != LOAD_NONE)
		p->load.start = true;
	else
		part_start_now(p);
}

/* One that ran until now has ended first. */
static int begin_running(struct db_part *part)
{
	int status = CONTROL_OK;

	if (part->flags != RES_MADE && part->flags != RES_STANDBY)
		status = state_change(&part->flags, RES_STANDBY);
	if (!status)
		status = state_change(&part->flags, RES_RUNNING);
	if (!status)
		status = device_state(part->number, RES_STANDBY);
	if (!status)
		status = device_state(part->number, RES_RUNNING);
	part->stop_by_ns = 0;
	part->untold = 0;
	part->state = PART_STATE_RUNNING;
	part->incarnation++;
	return status;
}

int part_start(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state != PART_STATE_DEFINED)
		return CONTROL_ESTATE;
	status = begin_running(part);
	*result = part->number;
	return status ? status
		      : txn_effect(t, effect_start, part->number, 0, NULL);
}

static void effect_args(const struct effect *e)
{
	view_publish(e->a);
}

int part_args(struct txn *t, const struct control_message *m, uint64_t *result)
{
	const struct db_part *part = db_part(&db, m->args.number);
	size_t n = strnlen(m->args.text, sizeof(m->args.text)), at;
	struct db_conf *conf;

	if (!part)
		return CONTROL_ENOENT;
	if (part->state == PART_STATE_RUNNING)
		return CONTROL_ESTATE;
	conf = db_conf_mut(&db, part->number);
	if (!conf)
		return CONTROL_ELIMIT;
	at = strnlen(conf->args, sizeof(conf->args));
	if (n == sizeof(m->args.text) || at + n + 2 > sizeof(conf->args))
		return CONTROL_EVALUE;
	if (at)
		conf->args[at++] = ' ';
	memcpy(conf->args + at, m->args.text, n + 1);
	*result = m->args.number;
	return txn_effect(t, effect_args, *result, 0, NULL);
}

/* ---- restart ------------------------------------------------------------ */

void part_destroy_instance(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_stop(part_slot(part, i));
	device_fence_all(number);
	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_destroy(part_slot(part, i));
}

void part_renew(uint64_t number)
{
	part_destroy_instance(number);
	load_begin(uv_part_of(number));
	uv_part_of(number)->load.start =
		db_part(&db, number)->state == PART_STATE_RUNNING;
}

static void effect_restart(const struct effect *e)
{
	part_renew(e->a);
}

int part_restart(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state == PART_STATE_DEFINED ||
	    part->state == PART_STATE_SAVED || part->keep_pfn)
		return CONTROL_ESTATE;
	*result = part->number;
	part->load_serial = db.shadow->serial;
	part->mark = MARK_SILENT;
	status = begin_running(part);
	if (!status)
		status = chan_renew(part->number);
	return status ? status
		      : txn_effect(t, effect_restart, part->number, 0, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/part_destroy.c - partitions: no more.
 *
 * Only one that nobody has a channel with and that serves none; all that it had
 * goes back to who has what is available, in the transaction that forgets it.
 * Its frames are scrubbed when they are given to somebody again (load.c).
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

/* Idle stays: its CPUs have to be somebody's. */
static void effect_destroy(const struct effect *e)
{
	struct uv_part *p = &uv_part[e->a];

	if (e->a >= PART_SLOTS) { /* it has none */
		logf_("saved partition %lx destroyed", e->b);
		return;
	}
	(void)sys_lead_stop((unsigned)e->a);
	(void)sys_lead_destroy((unsigned)e->a);
	logf_("%s destroyed", p->name);
	part_forget(p);
}

int part_give_back(uint64_t pfn, uint64_t frames)
{
	return frames ? db_map_set(&db, pfn, frames, available_number)
		      : CONTROL_OK;
}

/* In the open transaction; it doesn't run. */
static int destroy_in_database(const struct db_part *part)
{
	const struct db_part gone = *part;
	struct db_chan *control = NULL;
	int status;

	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->type != CHANNEL_CONTROL &&
		    (c->client == gone.number || c->server == gone.number))
			return CONTROL_ESTATE;
	}
	if (bus_of(gone.number))
		return CONTROL_ESTATE;
	status = device_release_all(gone.number);
	if (!status)
		control = db_chan_mut(&db, part_control(gone.number)->id);
	if (!control)
		return CONTROL_ELIMIT;
	status = part_give_back(control->pfn, control->pages);
	memset(control, 0, sizeof(*control));
	if (!status)
		status = part_give_back(gone.memory_pfn, gone.memory_frames);
	if (!status)
		status = part_give_back(gone.monitor_pfn, gone.monitor_frames);
	if (!status && gone.view_pfn)
		status = part_give_back(gone.view_pfn, VIEW_FRAMES);
	if (!status && gone.keep_pfn)
		status = part_give_back(gone.keep_pfn, KEEP_FRAMES);
	return status ? status : db_part_destroy(&db, gone.number);
}

int part_destroy(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);
	uint32_t slot;

	if (!part)
		return status;
	if (part_kind(part->number) == PART_IDLE)
		return CONTROL_ESTATE;
	status = state_change(&part->flags, 0);
	if (status)
		return status;
	slot = part->slot;
	*result = part->number;
	status = destroy_in_database(part);
	return status ? status
		      : txn_effect(t, effect_destroy, slot, *result, NULL);
}

/* The boot partition has done its work. */
void part_retire(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	const struct effect e = {.a = part->slot};

	if (!txn_own_begin())
		return;
	if (destroy_in_database(part)) {
		db_abort(&db);
		return;
	}
	txn_own_commit();
	effect_destroy(&e);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/adopt.c - the ultravisor, begun anew: its former program died
 * at some instruction, and this one goes on from the database that it left.
 *
 * What a transaction had not committed is dropped with its pages (db_adopt());
 * its request is still in the queue and is served like any other.  What was
 * committed holds: the machine is compared with it, step by step, and what is
 * missing is done.  So it does not matter which of its effects had happened:
 *
 *   demanded                  not done if                   then
 *   no such partition         a slot has its number         stop, destroy
 *   an instance, loaded       its slot is free, not started, renew, or
 *                             of another incarnation        restore
 *                             or over other frames
 *   stands still, or not      its slot says otherwise       keep.c
 *   ended                     its slot could run            stop, fence
 *   others hear of its end    db_part.untold                tell
 *   an orderly stop           db_part.stop_by_ns            ask
 *   devices in use            no bus mastering              enable
 *   what devices reach        -                             iommu.c
 *   views, schedule           -                             publish
 *   channels on their way     db_move                       chan.c
 *   answers                   db_answer                     control.c
 *   machine off               db_version.off                off
 *
 * Views come first: until a partition's monitor goes by the new one, it may
 * reach what the database gives to somebody else.  The guests run meanwhile.
 *
 * It may die in here as well: each step looks before it does anything, so the
 * next program begins again at the top.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/sys.h"
#include "lib/view.h"

#define EXIT_NO_DATABASE 3

/* The next partition with an instance, from the row on; NULL: no more. */
static const struct db_part *next_part(unsigned *row)
{
	while (*row < DB_PARTS) {
		const struct db_part *part = db_part_at(&db, (*row)++);

		if (part && part->slot < PART_SLOTS &&
		    part->number != uv_number)
			return part;
	}
	return NULL;
}

static bool has_slot(const struct db_part *part, uint32_t slot)
{
	for (unsigned i = 0; i < part_vcpus(part->number); i++)
		if (part_slot(part, i) == slot)
			return lead->slot[slot].number == part->number;
	return false;
}

/* Instances of partitions that are no more: their frames have other owners. */
static void clear_slot(uint32_t slot)
{
	const struct db_part *part;
	unsigned row = 0;

	if (slot == UV_SLOT || lead->slot[slot].state == SLOT_FREE)
		return;
	while ((part = next_part(&row)))
		if (has_slot(part, slot))
			return;
	(void)sys_lead_stop(slot);
	(void)sys_lead_destroy(slot);
}

/* Has it the instance that it should have, and did that start? */
static bool is_loaded(const struct db_part *part)
{
	uint64_t frames = part->monitor_frames / part_vcpus(part->number);

	for (unsigned i = 0; i < part_vcpus(part->number); i++) {
		const struct lead_slot *s = &lead->slot[part_slot(part, i)];

		if (s->number != part->number || s->state == SLOT_FREE ||
		    s->state == SLOT_CREATED ||
		    s->incarnation != part->incarnation ||
		    s->cr3 >> 12 != part->monitor_pfn + i * frames)
			return false;
	}
	return !part->keep_pfn; /* else it is being restored */
}

static void end(const struct db_part *part)
{
	for (unsigned i = 0; i < part_vcpus(part->number); i++)
		(void)sys_lead_stop(part_slot(part, i));
	device_fence_all(part->number);
}

static void load_anew(const struct db_part *part)
{
	if (part->state != PART_STATE_DEFINED &&
	    part->state != PART_STATE_RUNNING) {
		part_destroy_instance(part->number); /* to be restarted */
		view_publish(part->number);
	} else if (part->keep_pfn) {
		part_destroy_instance(part->number);
		keep_refill(part->number);
	} else {
		part_renew(part->number);
	}
}

static void settle(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	const struct lead_slot *s = &lead->slot[part->slot];

	if (!is_loaded(part)) {
		load_anew(part);
	} else if (part->state == PART_STATE_RUNNING) {
		keep_adopt(number);
		device_enable_rest(number);
		view_publish(number);
		if (part->stop_by_ns)
			part_ask_to_stop(number);
	} else {
		end(part);
	}
	if (part_kind(number) == PART_BOOT &&
	    part->state == PART_STATE_STOPPED && s->state == SLOT_STOPPED &&
	    !s->error)
		part_retire(number);
}

/* Another incarnation of this partition, which others are to hear of. */
static void count_me(void)
{
	struct db_part *me;

	if (!txn_own_begin())
		return;
	me = db_part_mut(&db, uv_number);
	if (!me) {
		db_abort(&db);
		return;
	}
	me->untold = 1;
	me->incarnation = lead->slot[UV_SLOT].incarnation;
	txn_own_commit();
}

static void know_all(void)
{
	struct uv_part *me = &uv_part[UV_SLOT];
	const struct db_part *part;
	unsigned row = 0;

	part_know(uv_number);
	me->data_va = view_now()->data_va;
	me->data_bytes = view_now()->data_bytes;
	while ((part = next_part(&row))) {
		struct uv_part *p = &uv_part[part->slot];

		part_know(part->number);
		load_place_data(p);
		if (!is_loaded(part))
			continue;
		/* What it was given and has not seen: it would drive it at
		 * once, and settle() would reset it then. */
		if (part->state == PART_STATE_RUNNING)
			device_withhold_rest(part->number);
		view_publish(part->number);
		control_go_on(p);
	}
}

void adopt_database(void)
{
	const struct db_part *part;
	unsigned row = 0;

	if (db_adopt(&db, (void *)LEAD_WINDOW_VA, boot->pool.pfn,
		     (unsigned)boot->pool.frames)) {
		logf_("the database is damaged");
		log_drain();
		sys_exit(EXIT_NO_DATABASE);
	}
	uv_number = boot->number;
	available_number = db_part_by_kind(&db, PART_AVAILABLE);
	txn_adopt();
	for (uint32_t slot = 0; slot < PART_SLOTS; slot++)
		clear_slot(slot);
	iommu_adopt();
	device_adopt();
	know_all();
	iommu_adopted();
	view_publish(uv_number);
	count_me();
	while ((part = next_part(&row)))
		settle(part->number);
	chan_adopt();
	for (unsigned i = 0; i < DB_PARTS; i++) {
		part = db_part_at(&db, i);
		if (part && part->untold)
			part_tell(part->number);
	}
	logf_("goes on as incarnation %u from generation %lu at %lu us",
	      lead->slot[UV_SLOT].incarnation, db_version(&db)->generation,
	      sys_time() / 1000);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/keep.c - partitions that stand still: paused and resumed;
 * saved, and restored over other frames, in another instance, on another CPU.
 *
 *   pause     the database says PAUSED; its channels let go (chan.c), which its
 *             program still answers; then its virtual processor stands still
 *             wherever it is.  What comes for its channels waits
 *   resume    it goes on where it was; its channels are brought back with a new
 *             generation, and its clients' requests sent again
 *   save      of a paused guest: what its instance holds goes to KEEP_FRAMES of
 *             the ultravisor's, before the commit; with the commit instance,
 *             slot, view and user frame are no more.  Its memory, its control
 *             channel and the frames of its channels stay, and so does its
 * number restore   other frames, another slot; memory is copied, page tables
 * are adopted by the new instance, which translates them; then the old frames
 * and what was kept are given back, and it is paused.  Until then all that was
 * saved is as it was
 *
 * So all that has to survive this program is in frames that the database names:
 * db_part.keep_pfn, and the extents in the struct lead_state there.  Only
 * guests are saved: they have no device whose state would be elsewhere.
 *
 * A client that doesn't answer when it is to let go of a channel is passed
 * over, as in any other move (chan.c).
 *
 * Next: chan.c, chan_quiesce().
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define COPY_FRAMES 16 /* of a slice, as in load.c */

static bool still(const struct db_part *part)
{
	return part->slot < PART_SLOTS &&
	       lead->slot[part->slot].state == SLOT_PAUSED;
}

bool keep_present(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	return part && part->state == PART_STATE_RUNNING &&
	       (part->flags & RES_OPERATING);
}

bool keep_answers(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	return part && part->state == PART_STATE_RUNNING && !still(part) &&
	       !part->keep_pfn;
}

/* ---- pause and resume --------------------------------------------------- */

static void effect_pause(const struct effect *e)
{
	struct uv_part *p = uv_part_of(e->a);

	p->load = (struct load){.stage = LOAD_LETGO};
}

int keep_pause(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->number == t->requester ||
	    part_kind(part->number) == PART_IDLE)
		return CONTROL_EVALUE;
	if (part->state != PART_STATE_RUNNING)
		return CONTROL_ESTATE;
	if (uv_part_of(part->number)->load.stage != LOAD_NONE)
		return CONTROL_EBUSY; /* it has not begun yet */
	status = state_change(&part->flags, RES_PAUSED);
	if (!status)
		status = device_state(part->number, RES_PAUSED);
	if (!status)
		status = chan_quiesce(part->number);
	part->load_serial = db.shadow->serial;
	*result = part->number;
	return status ? status : txn_effect(t, effect_pause, *result, 0, NULL);
}

static bool pausing(const struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);

	return part && part->state == PART_STATE_RUNNING &&
	       part->flags == RES_PAUSED && !part->keep_pfn;
}

void keep_work(void)
{
	for (unsigned s = 0; s < PART_SLOTS; s++) {
		struct uv_part *p = &uv_part[s];

		if (p->load.stage != LOAD_LETGO)
			continue;
		if (pausing(p)) {
			if (!chan_quiet(p->number))
				continue;
			if (sys_lead_pause(s) == 0)
				logf_("%s paused at %lu us", p->name,
				      sys_time() / 1000);
		}
		p->load.stage = LOAD_NONE;
	}
}

void keep_ended(struct uv_part *p)
{
	if (p->load.stage == LOAD_LETGO)
		p->load.stage = LOAD_NONE;
}

static void resume(struct uv_part *p)
{
	logf_("%s resumes at %lu us", p->name, sys_time() / 1000);
	(void)sys_lead_resume(db_part(&db, p->number)->slot);
}

static void effect_resume(const struct effect *e)
{
	struct uv_part *p = uv_part_of(e->a);

	if (p->load.stage == LOAD_LETGO)
		p->load.stage = LOAD_NONE; /* it never stood still */
	else if (p->load.stage != LOAD_NONE)
		p->load.start = true; /* when it is restored */
	else
		resume(p);
}

int keep_resume(struct txn *t, const struct control_message *m,
		uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state != PART_STATE_RUNNING || part->flags != RES_PAUSED)
		return CONTROL_ESTATE;
	status = state_change(&part->flags, RES_RUNNING);
	if (!status)
		status = device_state(part->number, RES_RUNNING);
	*result = part->number;
	return status ? status : txn_effect(t, effect_resume, *result, 0, NULL);
}

/* ---- save --------------------------------------------------------------- */

static void effect_save(const struct effect *e)
{
	struct uv_part *p = &uv_part[e->b];

	(void)sys_lead_stop((unsigned)e->b);
	(void)sys_lead_destroy((unsigned)e->b);
	logf_("%s saved at %lu us", p->name, sys_time() / 1000);
	part_forget(p);
	view_publish_peers(e->a);
	part_tell(e->a);
}

/* Out of the instance, which goes on standing still: if the transaction fails,
 * nothing has happened but to frames that are free. */
static bool keep(const struct db_part *part, uint64_t pfn)
{
	uint8_t *to = mem_temp(0, pfn, KEEP_FRAMES, PROT_R | PROT_W);

	memset(to, 0, KEEP_FRAMES * ABI_PAGE_BYTES);
	memcpy(to + ABI_PAGE_BYTES,
	       mem_temp(1, part->view_pfn + PART_VIEW_PAGES, 1, PROT_R),
	       ABI_PAGE_BYTES);
	return sys_lead_save(part->slot, to) == 0;
}

int keep_save(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);
	uint32_t slot;

	if (!part)
		return status;
	if (part_kind(part->number) != PART_GUEST)
		return CONTROL_EVALUE;
	if (part->state != PART_STATE_RUNNING || !still(part) || part->keep_pfn)
		return CONTROL_ESTATE;
	status = state_change(&part->flags, RES_SAVED);
	if (!status)
		status = db_alloc(&db, available_number, KEEP_FRAMES, 1,
				  uv_number, &part->keep_pfn);
	if (!status && !keep(part, part->keep_pfn))
		status = CONTROL_ESTATE;
	if (!status)
		status =
			part_give_back(part->monitor_pfn, part->monitor_frames);
	if (!status)
		status = part_give_back(part->view_pfn, VIEW_FRAMES);
	slot = part->slot;
	part->slot = SLOT_NO_SLOT;
	part->state = PART_STATE_SAVED;
	part->untold = 1;
	part->monitor_pfn = part->monitor_frames = part->view_pfn = 0;
	*result = part->number;
	return status ? status
		      : txn_effect(t, effect_save, *result, slot, NULL);
}

/* ---- restore ------------------------------------------------------------ */

bool keep_kept(const struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);

	return part && part->keep_pfn;
}

static const struct lead_state *kept_state(const struct db_part *part)
{
	return mem_temp(1, part->keep_pfn, 1, PROT_R);
}

void keep_refill(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = &uv_part[part->slot];

	mem_scrub(part->view_pfn, VIEW_FRAMES);
	memcpy(mem_temp(0, part->view_pfn + PART_VIEW_PAGES, 1,
			PROT_R | PROT_W),
	       mem_temp(1, part->keep_pfn + 1, 1, PROT_R), ABI_PAGE_BYTES);
	load_place_data(p);
	view_publish(p->number);
	view_publish(uv_number);
	control_go_on(p);
	p->load = (struct load){.stage = LOAD_REFILL,
				.start = part->flags == RES_RUNNING};
}

static void effect_restore(const struct effect *e)
{
	part_know(e->a);
	keep_refill(e->a);
}

void keep_adopt(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = uv_part_of(number);

	if (part->flags == RES_PAUSED && !still(part))
		p->load.stage = LOAD_LETGO;
	else if (part->flags == RES_RUNNING && still(part))
		resume(p);
}

int keep_restore(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);
	struct db_chan *control;

	if (!part)
		return status;
	if (part->state != PART_STATE_SAVED)
		return CONTROL_ESTATE;
	status = state_change(&part->flags, RES_PAUSED);
	if (!status)
		status = part_free_slot(&part->slot);
	if (!status)
		status = part_take_frames(part,
					  part->memory_frames / BLOCK_FRAMES);
	if (status)
		return status;
	control = db_chan_mut(&db, part_control(part->number)->id);
	if (!control)
		return CONTROL_ELIMIT;
	control->server_handle = (uint8_t)part->slot;
	part->state = PART_STATE_RUNNING;
	part->load_serial = db.shadow->serial;
	*result = part->number;
	return txn_effect(t, effect_restore, *result, 0, NULL);
}

/* The frame that page `page` of its memory was. */
static uint64_t frame_of(const struct lead_state *st, uint64_t page)
{
	for (unsigned i = 0; i < st->extents && i < VIEW_EXTENTS; i++) {
		if (page < st->extent[i].frames)
			return st->extent[i].pfn + page;
		page -= st->extent[i].frames;
	}
	return 0;
}

/* Extents are whole blocks, and no slice crosses the end of one. */
static void refill(const struct db_part *part, struct load *l)
{
	uint64_t from = frame_of(kept_state(part), l->cursor);

	memcpy(mem_temp(0, part->memory_pfn + l->cursor, COPY_FRAMES,
			PROT_R | PROT_W),
	       mem_temp(1, from, COPY_FRAMES, PROT_R),
	       COPY_FRAMES * ABI_PAGE_BYTES);
	l->cursor += COPY_FRAMES;
}
_Static_assert(BLOCK_FRAMES % COPY_FRAMES == 0, "no slice crosses the end");

/* Nothing of what was saved is needed any more.  False: no room for it now. */
static bool let_go(uint64_t number)
{
	static struct lead_state st;
	struct db_part *part;
	int status;

	st = *kept_state(db_part(&db, number));
	if (!txn_own_begin())
		return false;
	part = db_part_mut(&db, number);
	status = part ? CONTROL_OK : CONTROL_ELIMIT;
	for (unsigned i = 0; !status && i < st.extents && i < VIEW_EXTENTS; i++)
		status = part_give_back(st.extent[i].pfn, st.extent[i].frames);
	if (!status)
		status = part_give_back(part->keep_pfn, KEEP_FRAMES);
	if (status) {
		db_abort(&db);
		return false;
	}
	part->keep_pfn = 0;
	part->untold = 1;
	txn_own_commit();
	return true;
}

/* Space by space, then all else. */
static bool adopt(const struct db_part *part, struct load *l)
{
	l->cursor++;
	return sys_lead_restore(part->slot, kept_state(part),
				l->cursor < AS_COUNT ? (unsigned)l->cursor
						     : 0) == 0;
}

static void restored(struct uv_part *p)
{
	if (!let_go(p->number))
		return; /* again in the next slice */
	p->load.stage = LOAD_NONE;
	part_publish_schedule(); /* the instance is new */
	view_publish_peers(p->number);
	logf_("%s restored at %lu us", p->name, sys_time() / 1000);
	part_tell(p->number);
	if (p->load.start)
		resume(p);
}

bool keep_slice(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	struct load *l = &p->load;

	if (l->stage == LOAD_REFILL) {
		refill(part, l);
		if (l->cursor < part->memory_frames)
			return true;
		load_stage(l, LOAD_INSTANCE);
		return load_check(part, l);
	}
	if (l->cursor < AS_COUNT && !adopt(part, l))
		return false;
	if (l->cursor == AS_COUNT)
		restored(p);
	return true;
}

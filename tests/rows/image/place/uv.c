/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/place/uv.c - row 43 in the place of the ultravisor: its
 * program (hv/ultravisor), which between two turns of its loop makes calls at
 * random with all its authority, the lead monitor's services included.
 *
 * They harm whom they name, for that is its authority; so none of them names
 * the partition `still`, but that its frames are offered as everybody's are.
 * Nor are there: SYS_LEAD_OFF       the machine's end, and a defined one the
 * start of an instance that the database does not know: whatever it has, it has
 * without leave a cap of its own   it would only take long a write through its
 * window onto frames, which nobody could refuse When its program dies of what
 * it did, its monitor begins it anew; what is to be done and what is left of it
 * stand in the user frame.
 */
#include "calls.h"
#include "ultravisor/uv.h"

#define BURST        64
#define IMAGE_PFN    0x100 /* monitors' text begins there */
#define LAPIC_PFN    0xfee00
#define WINDOW_PAGES (LEAD_WINDOW_BYTES / ABI_PAGE_BYTES)
#define TEMP_PAGE    1536 /* of the window: mem.c, for passing use */

bool __real_log_flush(void);
bool __wrap_log_flush(void); /* the linker's --wrap: called once a turn */

static struct calls calls;

/* The view of instances that it makes, hostile. */
static struct {
	struct view_head head;
	uint8_t rest[ABI_PAGE_BYTES - sizeof(struct view_head)];
	struct view view[2];
} made_view __attribute__((aligned(4096)));

static const struct db_part *still(void)
{
	return db_part(&db, db_part_by_name(&db, "still"));
}

static uint64_t free_frame(struct calls *c)
{
	for (unsigned i = 0; i < 64; i++) {
		uint64_t pfn =
			calls_next(c) % (db_version(&db)->frames_total + 256);

		if (db_owner(&db, pfn) == available_number)
			return pfn;
	}
	return 0;
}

/* Of everybody: mostly such as it may give away. */
static uint64_t frame(struct calls *c)
{
	const struct db_part *part = db_part_at(&db, calls_next(c) % DB_PARTS);
	uint64_t r = calls_next(c);

	switch (r % 12) {
	case 0:
		return calls_argument(c);
	case 1:
		return part ? part->monitor_pfn + (r >> 8) % 64 - 8 : 0;
	case 2:
		return part ? part->memory_pfn + (r >> 8) % 600 - 40 : 0;
	case 3:
		return still() ? still()->memory_pfn + (r >> 8) % 512 : 0;
	case 4:
		return IMAGE_PFN + (r >> 8) % 300 - 40;
	case 5:
		return r & 256 ? LAPIC_PFN : boot->ecam_pfn + (r >> 9) % 256;
	case 6:
		return view_frame((uintptr_t)c->scratch) + (r >> 8) % 4;
	default:
		return free_frame(c);
	}
}

static void shape_create(struct calls *c, uint64_t arg[4])
{
	struct lead_create *lc = (struct lead_create *)c->scratch;
	uint64_t r = calls_next(c);

	memset(lc, 0, sizeof(*lc));
	lc->number = r % 8; /* which no partition has */
	lc->kind = (r >> 8) % 11;
	lc->slot = (r >> 16) % 3 ? 0 : (r >> 20) % (PART_SLOTS + 2);
	lc->incarnation = (r >> 28) % 3;
	lc->monitor_pfn = frame(c);
	lc->monitor_frames =
		(r >> 32) % 8 ? LEAD_MONITOR_FRAMES + r % 3 : calls_argument(c);
	lc->view_pfn =
		(r >> 36) % 4 ? view_frame((uintptr_t)&made_view) : frame(c);
	lc->frame_pfn = frame(c);
	if ((r >> 40) % 8 == 0)
		lc->view_pfn = lc->monitor_pfn + (r >> 48) % 40 - 4;
	if ((r >> 43) % 8 == 0)
		lc->frame_pfn = lc->monitor_pfn + (r >> 54) % 40 - 4;
	arg[0] = (uintptr_t)lc;
}

/* One extent of a few frames of anybody's but the bystander's. */
static void make_view(struct calls *c)
{
	struct view *v = &made_view.view[0];
	const struct db_part *s = still();
	uint64_t r = calls_next(c);

	v->extents = 1 + r % 3;
	v->extent[0].pfn = frame(c);
	v->extent[0].frames = (r >> 8) % 64;
	if (s && v->extent[0].pfn < s->memory_pfn + s->memory_frames &&
	    s->memory_pfn < v->extent[0].pfn + v->extent[0].frames)
		v->extent[0].frames = 0;
	v->channel[0].id = (uint32_t)r & 1;
	v->channel[0].pfn = r >> 16;
	v->channel[0].pages = (uint32_t)(r >> 20) % 40;
}

/* A slot; rather one of those that wait for their memory. */
static uint64_t some_slot(struct calls *c)
{
	uint64_t r = calls_next(c), slot = r % (PART_SLOTS + 2);

	for (unsigned i = 0; r & 1 << 16 && i < PART_SLOTS; i++)
		if (lead->slot[(slot + i) % PART_SLOTS].state == SLOT_CREATED)
			return (slot + i) % PART_SLOTS;
	return slot;
}

static void shape_map(struct calls *c, uint64_t arg[4])
{
	struct lead_map *lm = (struct lead_map *)c->scratch;
	uint64_t r = calls_next(c);

	lm->slot = (uint32_t)some_slot(c);
	lm->prot = (r >> 8) % 9;
	lm->va = PART_MEMORY_VA + (r >> 16) % 40 * ABI_PAGE_BYTES;
	lm->pfn = frame(c);
	if (r & 1)
		lm->pfn = made_view.view[0].extent[0].pfn + (r >> 16) % 40;
	lm->frames = (r >> 32) % 4 ? (r >> 36) % 8 : calls_argument(c);
	arg[0] = (uintptr_t)lm;
}

/* Sometimes what SYS_LEAD_SAVE has put there. */
static void shape_restore(struct calls *c, uint64_t arg[4])
{
	struct lead_state *st = (struct lead_state *)c->scratch;
	uint64_t r = calls_next(c);

	if (r % 4)
		st->magic = LEAD_STATE_MAGIC;
	if (r & 16) {
		st->extents = (r >> 8) % 20;
		st->extent[0].pfn = frame(c);
		st->extent[0].frames = 512;
		st->root[1 + (r >> 16) % 3] = (r >> 20) % 600;
	}
	arg[1] = (uintptr_t)st;
	arg[2] = (r >> 40) % (AS_COUNT + 2);
}

/* All who have a slot, in some order of importance; sometimes not itself. */
static void shape_schedule(struct calls *c, uint64_t arg[4])
{
	struct lead_schedule *s = (struct lead_schedule *)c->scratch;
	unsigned n = 0;

	if (calls_next(c) % 4 == 0) {
		arg[0] = frame(c);
		if (arg[0] != db_version(&db)->schedule_pfn)
			return;
	}
	memset(s, 0, sizeof(*s));
	for (unsigned slot = 0; slot < PART_SLOTS; slot++) {
		uint64_t r = calls_next(c);

		if (!uv_part[slot].number || r % 8 == 0)
			continue;
		s->entry[n].slot = slot;
		s->entry[n].cpu = (uint16_t)((r >> 8) % (lead->cpu_count + 1));
		s->entry[n].standing = (uint16_t)(r >> 16);
		s->entry[n].quantum_us = (uint32_t)(r >> 32) % 3000;
		s->entry[n].weight = (uint16_t)(r >> 40);
		s->entry[n].cap = slot ? (uint16_t)(r >> 52) % 1200 : 0;
		n++;
	}
	if (n < PART_SLOTS)
		s->entry[n].slot = (uint32_t)calls_next(c) | PART_SLOTS;
	for (unsigned i = 0; i < ABI_CPUS; i++) {
		uint64_t r = calls_next(c);

		for (unsigned w = 0; w < r % 20 && w < SCHEDULE_WINDOWS; w++) {
			s->window[i][w].slot = (uint32_t)calls_next(c) % 64;
			s->window[i][w].length_us =
				(uint32_t)calls_next(c) % 400;
		}
	}
	arg[0] = view_frame((uintptr_t)s);
}

static void shape_frames(struct calls *c, uint64_t arg[4])
{
	uint64_t r = calls_next(c);
	uint64_t page = TEMP_PAGE + (r >> 8) % (WINDOW_PAGES - TEMP_PAGE + 4);

	if (r % 32 == 0)
		page = (r >> 8) % WINDOW_PAGES; /* database, views */
	arg[0] = LEAD_WINDOW_VA + page * ABI_PAGE_BYTES;
	arg[1] = frame(c);
	arg[2] = (r >> 32) % 8;
	arg[3] = (r >> 40) % 17;
}

/* Is it the instance that the database has there? */
static bool is_known(uint64_t slot)
{
	return slot < PART_SLOTS && uv_part[slot].number &&
	       lead->slot[slot].number == uv_part[slot].number;
}

static bool names_a_slot(uint64_t number)
{
	switch (number) {
	case SYS_LEAD_START:
	case SYS_LEAD_STOP:
	case SYS_LEAD_DESTROY:
	case SYS_LEAD_NOTIFY:
	case SYS_LEAD_SYNC:
	case SYS_LEAD_PAUSE:
	case SYS_LEAD_RESUME:
	case SYS_LEAD_SAVE:
	case SYS_LEAD_RESTORE:
		return true;
	default:
		return false;
	}
}

static void shape_sensibly(struct calls *c, uint64_t number, uint64_t arg[4])
{
	if (names_a_slot(number))
		arg[0] = some_slot(c);
	if (number == SYS_LEAD_BIND) {
		arg[0] = calls_next(c) % 256;
		arg[1] = some_slot(c);
		arg[2] = calls_next(c) % 70;
	}
	if (number == SYS_LEAD_CREATE)
		shape_create(c, arg);
	else if (number == SYS_LEAD_MAP)
		shape_map(c, arg);
	else if (number == SYS_LEAD_RESTORE)
		shape_restore(c, arg);
	else if (number == SYS_LEAD_SAVE)
		arg[1] = (uintptr_t)c->scratch;
	else if (number == SYS_LEAD_FRAMES)
		shape_frames(c, arg);
}

static uint64_t shape(struct calls *c, uint64_t number, uint64_t arg[4])
{
	if (number == SYS_LEAD_OFF)
		return SYS_NULL;
	if (calls_next(c) % 4)
		shape_sensibly(c, number, arg);
	/* One that is read from somewhere by chance leaves it no time. */
	if (number == SYS_LEAD_SCHEDULE)
		shape_schedule(c, arg);
	if (names_a_slot(number) && still() && arg[0] == still()->slot)
		return SYS_NULL;
	if ((number == SYS_LEAD_START || number == SYS_LEAD_RESUME) &&
	    !is_known(arg[0]))
		return SYS_NULL;
	/* Where a call writes it is its own program's memory. */
	for (unsigned i = 0; i < 4; i++)
		if (number < SYS_LEAD_CREATE || number == SYS_LEAD_SAVE)
			if (arg[i] - LEAD_WINDOW_VA < LEAD_WINDOW_BYTES)
				arg[i] = (uintptr_t)c->scratch;
	return number;
}

/* The end of its program would not be that of the machine's. */
static void wants(bool ok, const char *text)
{
	if (ok)
		return;
	CALLS_ORDER->failed++;
	logf_("FAIL row 43: %s", text);
}

static bool meets(uint64_t a, uint64_t an, uint64_t b, uint64_t bn)
{
	return a < b + bn && b < a + an;
}

/* Frames that a live instance has, as far as the lead area tells, or all have.
 */
static bool of_monitor(uint64_t pfn, uint64_t n, uint64_t but)
{
	for (unsigned i = 0; i < PART_SLOTS; i++) {
		const struct lead_slot *s = &lead->slot[i];

		if (i != but && s->state != SLOT_FREE &&
		    meets(pfn, n, s->cr3 >> 12, LEAD_MONITOR_FRAMES))
			return true;
	}
	return meets(pfn, n, boot->image.pfn, boot->image.frames) ||
	       meets(pfn, n, LAPIC_PFN, 1);
}

static void judge_create(const struct lead_create *lc, uint64_t slot)
{
	uint64_t pfn = lc->monitor_pfn, n = lc->monitor_frames;
	const struct db_part *s = still();

	wants(n >= LEAD_MONITOR_FRAMES && n < 512, "monitor frames");
	wants(lc->kind != PART_ULTRAVISOR, "one ultravisor");
	for (uint64_t i = 0; i < n; i++)
		wants(db_owner(&db, pfn + i), "a monitor in RAM");
	wants(!meets(pfn, n, lc->view_pfn, PART_VIEW_PAGES) &&
		      !meets(pfn, n, lc->frame_pfn, 1),
	      "a monitor that its partition does not see");
	wants(!s || !meets(pfn, n, s->memory_pfn, s->memory_frames),
	      "a monitor in nobody's memory");
	wants(!of_monitor(pfn, n, slot) &&
		      !of_monitor(lc->view_pfn, PART_VIEW_PAGES, slot) &&
		      !of_monitor(lc->frame_pfn, 1, slot),
	      "no other monitor's frames");
}

static void judge(struct calls *c, uint64_t number, const uint64_t arg[4],
		  int64_t result)
{
	const struct lead_map *lm = (const struct lead_map *)c->scratch;

	if (number == SYS_LEAD_CREATE && result >= 0 &&
	    arg[0] == (uintptr_t)c->scratch)
		judge_create((const struct lead_create *)c->scratch,
			     (uint64_t)result);
	if (number == SYS_LEAD_MAP && !result && arg[0] == (uintptr_t)lm)
		wants(!of_monitor(lm->pfn, lm->frames, PART_SLOTS),
		      "no monitor's frames");
	if (number == SYS_LEAD_ROOT)
		wants(result < 0, "one database");
}

static void burst(void)
{
	volatile struct calls_order *o = CALLS_ORDER;

	if (!calls.shape) {
		calls.shape = shape;
		calls.judge = judge;
		calls_begin(&calls, o->seed ^ o->made << 32);
	}
	for (unsigned i = 0; i < BURST && o->made < o->calls; i++) {
		o->made++;
		if (o->made % 16 == 0)
			make_view(&calls);
		calls_make(&calls, 1);
	}
	part_publish_schedule(); /* in the end the right one */
	if (o->made < o->calls)
		return;
	logf_("calls: %lu", o->made);
	logf_("numbers that succeeded: %lx %lx", calls.succeeded[0],
	      calls.succeeded[1]);
	logf_("PASS row 43");
}

bool __wrap_log_flush(void)
{
	bool flushed = __real_log_flush();

	if (!CALLS_ORDER->calls)
		return flushed;
	if (CALLS_ORDER->made < CALLS_ORDER->calls)
		burst();
	return false; /* called again soon */
}

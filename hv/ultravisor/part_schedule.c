/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/part_schedule.c - who runs where, how soon and for how long.
 *
 * The lead monitor reads it all in one frame: an entry for each virtual
 * processor, and each CPU's windows.  An operation changes the database;
 * part_publish_schedule() then writes the frame anew, whole, and the lead takes
 * it at once.  So the frame is never more than the database's image.
 *
 * A cyclic frame comes as so many operations of one transaction, a window each,
 * and is in force as a whole or not at all.
 */
#include "ultravisor/uv.h"

#include "lib/string.h"
#include "lib/sys.h"

/* By PART_*: higher takes over from lower when it wakes.  I/O comes first, for
 * its quantum is short: one that is held up by a long transaction would look
 * dead to a command partition on another CPU. */
static const uint16_t standing_of[] = {
	[PART_IO] = 95,   [PART_ULTRAVISOR] = 90,  [PART_COMMAND] = 70,
	[PART_BOOT] = 40, [PART_OPERATIONS] = 30,  [PART_GUEST] = 20,
	[PART_IDLE] = 0,  [PART_DIAGNOSTICS] = 25,
};
/* An I/O partition that loops holds up the other one for its quantum at most,
 * which has to be well within a heartbeat. */
#define QUANTUM_US    1000
#define QUANTUM_IO_US 100
#define WEIGHT_MAX    10000

/* ---- published ---------------------------------------------------------- */

static struct lead_schedule *schedule; /* a frame of its own */

static void fill_windows(void)
{
	for (unsigned c = 0; c < ABI_CPUS; c++) {
		const struct db_cpu *cpu = db_cpu(&db, c);

		for (unsigned i = 0; cpu && i < SCHEDULE_WINDOWS; i++) {
			const struct db_part *part =
				db_part(&db, cpu->window[i].number);

			schedule->window[c][i].slot =
				part ? part->slot : LEAD_SLOT_NONE;
			schedule->window[c][i].length_us =
				(uint32_t)cpu->window[i].length_us;
		}
	}
}
_Static_assert(DB_WINDOWS == SCHEDULE_WINDOWS && DB_CPUS == ABI_CPUS,
	       "each has its row");

int part_schedule_new(void)
{
	return db_alloc(&db, available_number, 1, 1, uv_number,
			&db.shadow->schedule_pfn);
}

void part_publish_schedule(void)
{
	unsigned n = 0;

	if (!schedule) {
		schedule = mem_map(db_version(&db)->schedule_pfn, 1,
				   PROT_R | PROT_W);
		if (!lead->schedule_pfn)
			memset(schedule, 0, ABI_PAGE_BYTES);
	}
	for (unsigned s = 0; s < PART_SLOTS; s++) {
		uint64_t number = uv_part[s].number;
		const struct db_part *part = db_part(&db, number);

		for (unsigned i = 0; part && i < part_vcpus(number); i++) {
			schedule->entry[n].slot = part_slot(part, i);
			schedule->entry[n].cpu = (uint16_t)(i ? i : part->cpu);
			schedule->entry[n].standing = (uint16_t)part->standing;
			schedule->entry[n].quantum_us = part->quantum_us;
			schedule->entry[n].weight = (uint16_t)part->weight;
			schedule->entry[n].cap = (uint16_t)part->cap;
			n++;
		}
	}
	if (n < PART_SLOTS)
		schedule->entry[n].slot = LEAD_SLOT_NONE;
	fill_windows();
	schedule->generation++;
	(void)sys_lead_schedule(db_version(&db)->schedule_pfn);
}

/* ---- one partition's ---------------------------------------------------- */

void part_schedule_default(struct db_part *part, uint32_t kind)
{
	part->standing = standing_of[kind];
	part->quantum_us = kind == PART_IO ? QUANTUM_IO_US : QUANTUM_US;
}

static void effect_schedule(const struct effect *e)
{
	(void)e;
	part_publish_schedule();
}

/* Standing 0 is idle's alone, and nobody stands above the ultravisor. */
int part_schedule(struct txn *t, const struct control_message *m,
		  uint64_t *result)
{
	uint32_t quantum = m->schedule.quantum_us;
	int status;
	struct db_part *part = part_mutable(m->schedule.number, &status);

	if (!part)
		return status;
	if ((quantum && quantum < 10) || quantum > 1000000 ||
	    m->schedule.standing >= standing_of[PART_ULTRAVISOR] ||
	    m->schedule.weight > WEIGHT_MAX || m->schedule.cap > 1000 ||
	    m->schedule.cpu > lead->cpu_count ||
	    part_kind(part->number) == PART_IDLE)
		return CONTROL_EVALUE;
	part->quantum_us = quantum ?: part->quantum_us;
	part->standing = m->schedule.standing ?: part->standing;
	part->weight = m->schedule.weight ?: part->weight;
	part->cap = m->schedule.cap ?: part->cap;
	part->cpu = m->schedule.cpu ? m->schedule.cpu - 1 : part->cpu;
	*result = part->number;
	return txn_effect(t, effect_schedule, 0, 0, NULL);
}

/* ---- cyclic frames ------------------------------------------------------ */

/* The operation after this one, if it is the next window of the same CPU. */
static const struct control_message *
next_window(const struct control_message *m)
{
	const struct control_message *next = m + 1;

	if (!(m->flags & CONTROL_MORE) || next->id != TXN_FRAME ||
	    next->frame.cpu != m->frame.cpu ||
	    next->frame.index != m->frame.index + 1)
		return NULL;
	return next;
}

static int set_window(const struct control_message *m)
{
	struct db_cpu *cpu = db_cpu_mut(&db, m->frame.cpu);

	if (!cpu)
		return CONTROL_ELIMIT;
	if (!m->frame.index)
		memset(cpu->window, 0, sizeof(cpu->window));
	cpu->window[m->frame.index] = (struct db_window){
		.number = m->frame.number, .length_us = m->frame.length_us};
	return CONTROL_OK;
}

/* The ultravisor's CPU keeps a window in which it can run: without, nobody
 * could ever ask for another frame. */
static bool ultravisor_runs(const struct control_message *m)
{
	for (; m; m = next_window(m))
		if (!m->frame.number || m->frame.number == uv_number)
			return true;
	return false;
}

int part_frame(struct txn *t, const struct control_message *m, uint64_t *result)
{
	const struct control_message *op = &t->ops[t->op];
	int status;
	bool follows =
		t->op && op[-1].id == TXN_FRAME && next_window(op - 1) == op;

	if (m->frame.cpu >= lead->cpu_count ||
	    m->frame.index >= SCHEDULE_WINDOWS ||
	    (m->frame.index && !follows) || m->frame.length_us > 1000000)
		return CONTROL_EVALUE;
	if (m->frame.number && (!db_part(&db, m->frame.number) ||
				part_kind(m->frame.number) == PART_IDLE))
		return CONTROL_ENOENT;
	/* Only no frame at all has a window without length. */
	if (!m->frame.length_us && (m->frame.index || next_window(op)))
		return CONTROL_EVALUE;
	if (!m->frame.index && m->frame.length_us &&
	    m->frame.cpu == db_part(&db, uv_number)->cpu &&
	    !ultravisor_runs(op))
		return CONTROL_ESTATE;
	*result = m->frame.number;
	status = set_window(m);
	/* All windows of a frame come into force at once. */
	if (status || next_window(op))
		return status;
	return txn_effect(t, effect_schedule, 0, 0, NULL);
}

/* ---- questions ---------------------------------------------------------- */

int part_query(struct control_message *m)
{
	uint64_t *row = m->query.row, left = m->query.index;

	for (unsigned s = 0; m->query.what == QUERY_SCHEDULE && s < PART_SLOTS;
	     s++) {
		const struct db_part *p = db_part(&db, uv_part[s].number);

		if (!p || left--)
			continue;
		row[0] = p->number;
		row[1] = p->cpu;
		row[2] = p->standing;
		row[3] = p->quantum_us;
		row[4] = p->weight ?: SCHEDULE_WEIGHT;
		row[5] = p->cap;
		row[6] = lead->slot[s].run_ns;
		row[7] = lead->slot[s].stolen_ns;
		return CONTROL_OK;
	}
	for (unsigned c = 0; m->query.what == QUERY_FRAME && c < DB_CPUS; c++) {
		const struct db_cpu *cpu = db_cpu(&db, c);

		for (unsigned i = 0; cpu && i < DB_WINDOWS; i++) {
			if (!cpu->window[i].length_us || left--)
				continue;
			row[0] = c;
			row[1] = i;
			row[2] = cpu->window[i].number;
			row[3] = cpu->window[i].length_us;
			return CONTROL_OK;
		}
	}
	return CONTROL_ENOENT;
}

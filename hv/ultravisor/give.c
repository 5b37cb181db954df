/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/give.c - more memory for a partition, or less.
 *
 * A partition's memory is one run of blocks, and its program is never asked to
 * do without some of it: so it is given and taken while the partition has
 * ended, and counts from its next start on, which scrubs all of it and loads
 * its image again.  Its instance goes at once, for the frames of its page
 * tables change with its memory.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/sys.h"

static void effect_give(const struct effect *e)
{
	const struct db_part *part = db_part(&db, e->a);

	(void)sys_lead_destroy(part->slot);
	view_publish(e->a);
	logf_("%s has %lu blocks", part_name(e->a),
	      part->memory_frames / BLOCK_FRAMES);
}

/* In the open transaction: the old run goes, a new one comes; it may be the
 * same one, shorter or longer. */
static int exchange(struct db_part *part, uint64_t blocks)
{
	int status = part_give_back(part->memory_pfn, part->memory_frames);

	if (!status)
		status =
			part_give_back(part->monitor_pfn, part->monitor_frames);
	return status ? status : part_take_memory(part, blocks);
}

static int give(struct txn *t, const struct control_message *m, bool more,
		uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);
	uint64_t has, wants;

	if (!part)
		return status;
	if (part_vcpus(part->number) != 1 || !m->target.value ||
	    m->target.value > PART_BLOCKS_MAX)
		return CONTROL_EVALUE;
	if (part->state != PART_STATE_STOPPED &&
	    part->state != PART_STATE_CRASHED && part->state != PART_STATE_DEAD)
		return CONTROL_ESTATE;
	has = part->memory_frames / BLOCK_FRAMES;
	wants = more ? has + m->target.value : has - m->target.value;
	if ((!more && m->target.value >= has) || wants > PART_BLOCKS_MAX)
		return CONTROL_EVALUE;
	status = part_check_image(db_desc(&db, part->number)->module,
				  db_conf(&db, part->number)->data, wants);
	if (!status)
		status = exchange(part, wants);
	*result = part->number;
	return status ? status : txn_effect(t, effect_give, *result, 0, NULL);
}

int give_assign(struct txn *t, const struct control_message *m,
		uint64_t *result)
{
	return give(t, m, true, result);
}

int give_release(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	return give(t, m, false, result);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/complaint.c - a client says that the server of its channel does
 * not serve it (COMPLAIN_SLOW).
 *
 * Here it is only seen that the sender is what it says: the client of that
 * channel, as it is now.  Whether its server is slow nobody here can tell; what
 * follows is command's to decide, by the policy.  So that nobody can keep it
 * busy with complaints, each partition's are passed on at most so often.
 *
 * What is kept here is lost with this program, and may be: the next complaint
 * of each is then passed on a little early.
 */
#include "ultravisor/uv.h"

#include "lib/sys.h"

static struct {
	uint64_t number, until_ns;
} heard[PART_SLOTS];

/* Of another's channel it learns no more than that it is not its own. */
static int check(uint64_t number, const struct control_message *m)
{
	const struct db_chan *c =
		m->slow.id >> 32 ? NULL : db_chan(&db, (uint32_t)m->slow.id);

	if (!c || c->client != number)
		return CONTROL_ENOENT;
	if (c->type != CHANNEL_BLOCK || m->slow.waited_ns > sys_time())
		return CONTROL_EVALUE;
	if (c->flags != RES_RUNNING || m->slow.generation != c->generation)
		return CONTROL_ESTATE;
	return CONTROL_OK;
}

static bool tell(uint64_t number, const struct control_message *m)
{
	uint64_t to = db_part_by_kind(&db, PART_COMMAND);
	struct control_message event = {.id = EVT_CHANNEL_SLOW};

	event.slow = m->slow;
	event.slow.client = number;
	event.slow.server = db_chan(&db, (uint32_t)m->slow.id)->server;
	event.slow.time_ns = sys_time();
	return to && part_running(to) && control_event_send(to, &event);
}

int complaint(uint64_t number, const struct control_message *m)
{
	uint32_t slot = db_part(&db, number)->slot;
	int status = check(number, m);

	if (status)
		return status;
	if (heard[slot].number == number && sys_time() < heard[slot].until_ns)
		return CONTROL_EBUSY;
	if (!tell(number, m))
		return CONTROL_EBUSY;
	heard[slot].number = number;
	heard[slot].until_ns = sys_time() + COMPLAINT_GAP_NS;
	return CONTROL_OK;
}

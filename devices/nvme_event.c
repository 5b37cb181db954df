/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_event.c - asynchronous events (NVM Express 1.4, 5.2): what a
 * controller tells without being asked, when the host has left a request for
 * it.
 *
 * There is one event of a type at most that waits.  Once told, its type is
 * silent until the host reads the log page that the event names.
 */
#include <string.h>

#include "devices/nvme.h"

static const uint8_t log_page[NVME_EVENT_TYPES] = {
	[NVME_EVENT_ERROR] = 0x01,
	[NVME_EVENT_HEALTH] = 0x02,
	[NVME_EVENT_NOTICE] = 0x04,
};

static void request_remove(struct nvme *n, unsigned i)
{
	n->event_count--;
	memmove(&n->event_cid[i], &n->event_cid[i + 1],
		(n->event_count - i) * sizeof(n->event_cid[0]));
}

void nvme_events_deliver(struct nvme *n)
{
	for (unsigned type = 0; type < NVME_EVENT_TYPES; type++) {
		uint16_t cid = (uint16_t)n->event_cid[0];
		uint32_t result = type | n->event_info[type] << 8 |
				  (uint32_t)log_page[type] << 16;

		if (!(n->event_pending & ~n->event_silent & 1u << type))
			continue;
		if (!n->event_count || !nvme_can_complete(n))
			return;
		n->event_pending &= ~(1u << type);
		n->event_silent |= 1u << type;
		request_remove(n, 0);
		nvme_complete(n, 0, cid, NVME_SUCCESS, result);
	}
}

void nvme_event(struct nvme *n, enum nvme_event_type type, uint32_t info)
{
	n->event_pending |= 1u << type;
	n->event_info[type] = info;
	nvme_events_deliver(n);
}

void nvme_event_seen(struct nvme *n, enum nvme_event_type type)
{
	n->event_pending &= ~(1u << type);
	n->event_silent &= ~(1u << type);
}

uint16_t nvme_event_request(struct nvme *n, const struct nvme_command *c)
{
	if (n->event_count == NVME_EVENTS_MAX)
		return NVME_TOO_MANY_EVENTS;
	n->event_cid[n->event_count++] = nvme_cid(c);
	nvme_events_deliver(n);
	return NVME_HELD;
}

bool nvme_event_abort(struct nvme *n, uint16_t cid)
{
	for (unsigned i = 0; i < n->event_count; i++) {
		if (n->event_cid[i] != cid)
			continue;
		request_remove(n, i);
		nvme_complete(n, 0, cid, NVME_ABORT_REQUESTED, 0);
		return true;
	}
	return false;
}

void nvme_events_reset(struct nvme *n)
{
	n->event_count = 0;
	n->event_pending = n->event_silent = 0;
	memset(n->event_cid, 0, sizeof(n->event_cid));
	memset(n->event_info, 0, sizeof(n->event_info));
}

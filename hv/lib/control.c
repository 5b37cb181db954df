/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/control.c - see control.h. */
#include "lib/control.h"

#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define READY_POLL_NS 20000

bool control_open(struct control *c)
{
	int64_t va;

	while ((va = sys_channel_map(CONTROL_HANDLE)) < 0)
		(void)sys_wait(EVENT_VIEW, sys_time() + READY_POLL_NS);
	for (;;) {
		const struct view *view = view_now();
		const struct view_channel *vc = &view->channel[CONTROL_HANDLE];
		struct channel_identity who = {
			.id = vc->id,
			.generation = vc->generation,
			.client = view->number,
			.server = vc->peer,
			.pages = vc->pages,
		};

		switch (channel_attach(&c->channel, (void *)(uintptr_t)va,
				       CONTROL_HANDLE, CHANNEL_CONTROL, &who)) {
		case CHANNEL_OPEN:
			c->next_handle = 1;
			return true;
		case CHANNEL_MISFIT:
			return false;
		case CHANNEL_NOT_READY:
			break;
		}
		(void)sys_wait(EVENT_CHANNEL(CONTROL_HANDLE) | EVENT_VIEW,
			       sys_time() + READY_POLL_NS);
	}
}

uint64_t control_send(struct control *c, struct control_message *ops,
		      unsigned count)
{
	struct queue *q = &c->channel.queue[CONTROL_QUEUE_REQUEST];
	uint64_t handle = c->next_handle;

	if (!queue_room(q, count))
		return 0;
	c->next_handle++;
	for (unsigned i = 0; i < count; i++) {
		ops[i].bytes = sizeof(ops[i]);
		ops[i].status = CONTROL_OK;
		ops[i].flags = i + 1 < count ? CONTROL_MORE : 0;
		ops[i].handle = handle;
		ops[i].time_ns = sys_time();
	}
	(void)queue_insert_all(q, ops, count);
	return handle;
}

bool control_response(struct control *c, struct control_message *response)
{
	return queue_remove(&c->channel.queue[CONTROL_QUEUE_RESPONSE],
			    response);
}

bool control_event(struct control *c, struct control_message *event)
{
	return queue_remove(&c->channel.queue[CONTROL_QUEUE_EVENT], event);
}

void control_ack(struct control *c, const struct control_message *event,
		 uint32_t status)
{
	struct control_message ack = *event;

	ack.bytes = sizeof(ack);
	ack.status = status;
	ack.flags = status == CONTROL_OK ? 0 : CONTROL_FAILED;
	ack.time_ns = sys_time();
	/* As many slots as events may be unanswered: there is always room,
	 * unless the server misbehaves, and then the answer doesn't matter. */
	(void)queue_insert(&c->channel.queue[CONTROL_QUEUE_ACK], &ack);
}

bool control_sleep(struct control *c)
{
	bool response = queue_sleep(&c->channel.queue[CONTROL_QUEUE_RESPONSE]);
	bool event = queue_sleep(&c->channel.queue[CONTROL_QUEUE_EVENT]);

	return response && event;
}

void control_awake(struct control *c)
{
	queue_awake(&c->channel.queue[CONTROL_QUEUE_RESPONSE]);
	queue_awake(&c->channel.queue[CONTROL_QUEUE_EVENT]);
}

uint32_t control_transact(struct control *c, struct control_message *ops,
			  unsigned count, struct control_message *response,
			  uint64_t timeout_ns)
{
	uint64_t deadline = sys_time() + timeout_ns;
	struct queue *q = &c->channel.queue[CONTROL_QUEUE_RESPONSE];
	uint64_t handle = control_send(c, ops, count);

	while (handle != 0 && sys_time() < deadline) {
		if (control_response(c, response)) {
			if (response->handle == handle)
				return response->status;
			continue;
		}
		if (queue_sleep(q))
			(void)sys_wait(EVENT_CHANNEL(CONTROL_HANDLE), deadline);
		queue_awake(q);
	}
	return CONTROL_EBUSY;
}

uint32_t control_attach(const struct control_message *event,
			struct control_attachment *a)
{
	const struct view *view = view_now();
	uint64_t handle = event->attach.handle;
	const struct view_channel *row = &view->channel[handle % CHANNEL_SLOTS];
	int64_t va;

	if (handle >= CHANNEL_SLOTS || handle == CONTROL_HANDLE ||
	    row->id == 0 || row->id != event->attach.id || !row->server)
		return CONTROL_ENOENT;
	va = sys_channel_map((unsigned)handle);
	if (va < 0)
		return CONTROL_EVALUE;
	*a = (struct control_attachment){
		.row = row,
		.who = {.id = row->id,
			.generation = row->generation,
			.client = row->peer,
			.server = view->number,
			.pages = row->pages + row->client_pages},
		.handle = (unsigned)handle,
		.at = (void *)(uintptr_t)va,
	};
	return CONTROL_OK;
}

const char *control_status_name(uint32_t status)
{
	switch (status) {
	case CONTROL_OK:
		return "OK";
	case CONTROL_EBUSY:
		return "EBUSY";
	case CONTROL_EPERM:
		return "EPERM";
	case CONTROL_ENOMEM:
		return "ENOMEM";
	case CONTROL_ELIMIT:
		return "ELIMIT";
	case CONTROL_EID:
		return "EID";
	case CONTROL_EVALUE:
		return "EVALUE";
	case CONTROL_ENOENT:
		return "ENOENT";
	case CONTROL_EEXIST:
		return "EEXIST";
	case CONTROL_ESTATE:
		return "ESTATE";
	case CONTROL_EIMAGE:
		return "EIMAGE";
	case CONTROL_EDEVICE:
		return "EDEVICE";
	default:
		return "unknown";
	}
}

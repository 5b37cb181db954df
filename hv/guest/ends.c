/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/ends.c - the guest's ends of its channels: found in the view,
 * attached when the server has made them ready, left alone while they are
 * paused. */
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

struct control control;
struct client client;
struct diag diag;
static struct channel console;

enum end_state {
	END_ABSENT,
	END_WANTED,
	END_ATTACHED,
	END_PAUSED
};
static struct end {
	uint32_t type;
	struct channel *channel;
	unsigned handle;
	enum end_state state;
} ends[] = {
	{.type = CHANNEL_BLOCK}, /* the client has its own */
	{.type = CHANNEL_DIAG, .channel = &diag.channel},
	{.type = CHANNEL_CONSOLE, .channel = &console},
	{.type = CHANNEL_NETWORK}, /* the card's */
};
#define DISK    (&ends[0])
#define NETWORK (&ends[3])
#define ENDS    (sizeof(ends) / sizeof(ends[0]))

static void find(struct end *end)
{
	const struct view *view = view_now();

	for (unsigned h = 0; end->state == END_ABSENT && h < CHANNEL_SLOTS;
	     h++) {
		const struct view_channel *vc = &view->channel[h];

		if (vc->id != 0 && vc->type == end->type && !vc->server) {
			end->handle = h;
			end->state = END_WANTED;
		}
	}
}

void ends_find(void)
{
	static uint64_t seen = ~0ull;

	if (view_generation() == seen)
		return;
	seen = view_generation();
	for (unsigned i = 0; i < ENDS; i++)
		find(&ends[i]);
	diag.given = diag.given || ends[1].state != END_ABSENT;
	if (NETWORK->state != END_ABSENT)
		net_open();
}

static void attach(struct end *end)
{
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[end->handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	enum channel_result result;
	int64_t va;

	if (end->state != END_WANTED)
		return;
	va = sys_channel_map(end->handle);
	if (va < 0)
		return;
	if (end == DISK)
		result = client_resume(&client, (void *)(uintptr_t)va,
				       end->handle, &who);
	else if (end == NETWORK)
		result = nic_resume(&nic, (void *)(uintptr_t)va, end->handle,
				    &who);
	else
		result = channel_attach(end->channel, (void *)(uintptr_t)va,
					end->handle, end->type, &who);
	if (result == CHANNEL_NOT_READY)
		return;
	if (result == CHANNEL_MISFIT) {
		/* Not to be used; what comes next is another resume. */
		logf_("guest: channel %u refused, its header doesn't fit",
		      end->handle);
		end->state = END_PAUSED;
		return;
	}
	end->state = END_ATTACHED;
}

void ends_attach(void)
{
	for (unsigned i = 0; i < ENDS; i++)
		attach(&ends[i]);
}

bool ends_wanted(void)
{
	for (unsigned i = 0; i < ENDS; i++) {
		if (ends[i].state == END_WANTED)
			return true;
	}
	return false;
}

static struct end *end_of(uint64_t handle)
{
	for (unsigned i = 0; i < ENDS; i++) {
		if (ends[i].state != END_ABSENT && ends[i].handle == handle)
			return &ends[i];
	}
	return NULL;
}

static uint32_t pause(struct end *end)
{
	if (end == NULL)
		return CONTROL_ENOENT;
	if (end == DISK)
		client_pause(&client);
	else if (end == NETWORK)
		nic_pause(&nic);
	else
		channel_close(end->channel);
	end->state = END_PAUSED;
	return CONTROL_OK;
}

/* Attached and replayed before it is answered: until the answer, this partition
 * goes before others. */
static uint32_t resume(struct end *end)
{
	if (end == NULL)
		return CONTROL_ENOENT;
	end->state = END_WANTED;
	attach(end);
	if (end == DISK)
		(void)client_run(&client, sys_time());
	return CONTROL_OK;
}

static struct control_message stop_message;
static bool stops;

/* An orderly stop: its files are durable first. */
static void stop(void)
{
	if (!stops || !files_closed())
		return;
	logf_("guest: stops");
	control_ack(&control, &stop_message, CONTROL_OK);
	log_drain();
	sys_exit(0);
}

void ends_serve(void)
{
	struct control_message message;

	while (control_event(&control, &message)) {
		uint32_t status = CONTROL_OK;
		struct end *end;

		ends_find();
		end = end_of(message.attach.handle);
		switch (message.id) {
		case EVT_CHANNEL_PAUSE:
			status = pause(end);
			break;
		case EVT_CHANNEL_RESUME:
			status = resume(end);
			break;
		case EVT_STOP:
			stop_message = message;
			stops = true;
			continue;
		default:
			status = CONTROL_EID;
			break;
		}
		control_ack(&control, &message, status);
	}
	while (control_response(&control, &message))
		;
	stop();
}

void ends_complain(void)
{
	const struct view_channel *row = &view_now()->channel[DISK->handle];
	struct control_message m = {.id = COMPLAIN_SLOW};

	if (!client_complaint(&client, client.now_ns, &m.slow.waited_ns))
		return;
	m.slow.id = row->id;
	m.slow.generation = client.channel.generation;
	(void)control_send(&control, &m, 1); /* no room: later */
}

bool ends_line(char *to, size_t bytes)
{
	struct console_line line;
	uint32_t n;

	if (console.header == NULL || !queue_remove(&console.queue[0], &line))
		return false;
	n = line.bytes < CONSOLE_TEXT_BYTES ? line.bytes : CONSOLE_TEXT_BYTES;
	n = n < bytes - 1 ? n : (uint32_t)bytes - 1;
	memcpy(to, line.text, n);
	to[n] = '\0';
	return true;
}

bool ends_sleep(void)
{
	bool empty = client_sleep(&client);

	empty &= control_sleep(&control);
	empty &= nic_sleep(&nic);
	if (console.header != NULL && process_any(PROCESS_WAIT_LINE))
		empty &= queue_sleep(&console.queue[0]);
	return empty;
}

void ends_awake(void)
{
	client_awake(&client);
	control_awake(&control);
	nic_awake(&nic);
	if (console.header != NULL)
		queue_awake(&console.queue[0]);
}

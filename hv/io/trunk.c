/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/trunk.c - see trunk.h. */
#include "io/trunk.h"

#include "io/external.h"
#include "io/learned.h"
#include "io/port.h"
#include "lib/sys.h"
#include "lib/view.h"
#include "net/nic.h"

static struct nic nic; /* the client's end, if this partition has that one */
static unsigned handle;
static bool wanted;

static bool told_once, told; /* what the other side knows of our port */
static bool heard;           /* what we knew last of its */

static void attach(void)
{
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	int64_t va = sys_channel_map(handle);

	if (va >= 0 && nic_resume(&nic, (void *)(uintptr_t)va, handle, &who) !=
			       CHANNEL_NOT_READY)
		wanted = false;
}

bool trunk_event(const struct control_message *event)
{
	uint64_t h = event->attach.handle;
	const struct view_channel *vc = &view_now()->channel[h % CHANNEL_SLOTS];

	if (h == 0 || h >= CHANNEL_SLOTS || vc->id == 0 || vc->server ||
	    vc->type != CHANNEL_NETWORK)
		return false;
	nic_pause(&nic);
	learned_forget(SWITCH_TRUNK);
	told_once = false;
	handle = (unsigned)h;
	wanted = event->id == EVT_CHANNEL_RESUME;
	if (wanted)
		attach();
	return true;
}

bool trunk_wanted(void)
{
	return wanted;
}

/* Joined to the other switch, by one end or the other? */
static bool joined(bool *other_up)
{
	*other_up = nic.link;
	return (nic.open && nic.enabled) || port_trunk(other_up) != NO_PORT;
}

bool trunk_up(void)
{
	bool other_up = false;

	return joined(&other_up) && !(other_up && external_up());
}

bool trunk_send(const struct frame *f)
{
	bool other_up;

	if (!nic.open)
		return port_deliver(port_trunk(&other_up), f);
	return nic_send(&nic, f->header, f->payload, f->bytes);
}

static void from_trunk(void *owner, const uint8_t *header,
		       const uint8_t *payload, unsigned bytes)
{
	struct frame f = {.header = header, .payload = payload, .bytes = bytes};

	(void)owner;
	if (trunk_up())
		switch_frame(SWITCH_TRUNK, &f);
}

/* Who was behind one uplink may be behind the other now. */
static void forget(void)
{
	learned_forget(SWITCH_TRUNK);
	learned_forget(SWITCH_EXTERNAL);
}

static void tell(void)
{
	bool other_up, up = external_up();

	if (!joined(&other_up)) {
		told_once = false;
		return;
	}
	if (other_up != heard) {
		forget();
		/* A frame of its guests that lies in our card's ring would send
		 * all that is for them to the wire, where they are no more. */
		learned_doubt(SWITCH_EXTERNAL, sys_time());
	}
	heard = other_up;
	if (told_once && told == up)
		return;
	if (nic.open)
		nic_tell_link(&nic, up);
	else
		port_tell_link(port_trunk(&other_up), up);
	told_once = true;
	told = up;
	forget();
}

bool trunk_run(void)
{
	if (wanted)
		attach();
	tell();
	return nic_run(&nic, from_trunk, NULL);
}

bool trunk_sleep(void)
{
	return nic_sleep(&nic);
}

void trunk_awake(void)
{
	nic_awake(&nic);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/report.c - see report.h. */
#include "lib/report.h"

#include "abi/view.h"
#include "lib/channel.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

static struct channel channel;
static bool silent;

static void line(const char *text, unsigned bytes)
{
	struct diag_record r = {.time_ns = sys_time(), .type = DIAG_TEXT};

	if (silent || channel.header == NULL ||
	    !queue_room(&channel.queue[0],
			(bytes + DIAG_TEXT_BYTES - 1) / DIAG_TEXT_BYTES))
		return;
	while (bytes > 0) {
		unsigned n = bytes < DIAG_TEXT_BYTES ? bytes : DIAG_TEXT_BYTES;

		r.left = bytes - n;
		memset(&r.stream, 0, DIAG_TEXT_BYTES);
		memcpy(&r.stream, text, n);
		(void)queue_insert(&channel.queue[0], &r);
		text += n;
		bytes -= n;
	}
}

bool report_event(const struct control_message *event)
{
	uint64_t handle = event->attach.handle;
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[handle % CHANNEL_SLOTS];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	int64_t va;

	if (handle == 0 || handle >= CHANNEL_SLOTS || vc->id == 0 ||
	    vc->server || vc->type != CHANNEL_DIAG)
		return false;
	channel_close(&channel);
	if (event->id != EVT_CHANNEL_RESUME)
		return true;
	va = sys_channel_map((unsigned)handle);
	if (va >= 0)
		(void)channel_attach(&channel, (void *)(uintptr_t)va,
				     (unsigned)handle, CHANNEL_DIAG, &who);
	log_also = line;
	return true;
}

void report_quiet(bool quiet)
{
	silent = quiet;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/control.c - row 44: the control channel. */
#include "probe.h"

void row_44(void)
{
	const struct view *view = view_now();
	int64_t va = sys_control();
	const struct channel_header *h = (void *)(uintptr_t)va;
	unsigned count = 0;

	want_result(va, CHANNEL_WINDOW_VA, "SYS_CONTROL");
	want_result(sys_control(), va, "SYS_CONTROL again");
	want_result(sys_call(SYS_CONTROL, ~0ull, 1, 2, 3, 4), va,
		    "SYS_CONTROL with arguments");
	want(h->signature == CHANNEL_SIGNATURE, "signature");
	want(h->type == CHANNEL_CONTROL, "type");
	want(h->client == view->number, "its client is this partition");
	want(h->server == view->channel[CONTROL_HANDLE].peer, "its server");
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++)
		count += view->channel[i].id &&
			 view->channel[i].type == CHANNEL_CONTROL;
	want(count == 1, "exactly one control channel");

	/* It can let go of it, and finds it again. */
	want_result(sys_channel_unmap(CONTROL_HANDLE), 0, "unmap");
	want_result(sys_control(), va, "SYS_CONTROL after letting go");
	want(h->signature == CHANNEL_SIGNATURE, "signature after letting go");
}

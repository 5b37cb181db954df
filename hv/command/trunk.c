/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/trunk.c - the network channel that joins the switches of the two
 * I/O partitions, so that guests which different ones serve reach each other
 * (hv/io/switch.h).  Made once, when the policy has a network channel and both
 * serve; after that it is renewed by the ultravisor with either of its ends. */
#include "command/command.h"

static bool asked;

static bool has_network(void)
{
	for (unsigned i = 0; i < policy.guests; i++) {
		if (network_of(&policy.guest[i]) != NULL)
			return true;
	}
	return false;
}

static bool there(uint64_t client, uint64_t server)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++) {
		if (chans[i].used && chans[i].type == CHANNEL_NETWORK &&
		    chans[i].client == client && chans[i].server == server)
			return true;
	}
	return false;
}

void trunk_answered(void)
{
	asked = false;
}

void decide_trunk(void)
{
	const struct part *a = find_name("io.a"), *b = find_name("io.b");
	struct control_message op = {.id = TXN_CHANNEL_CREATE};
	struct job *job;

	if (asked || !has_network() || !serves(a) || !serves(b) ||
	    there(a->number, b->number))
		return;
	job = new_job(JOB_TRUNK);
	if (job == NULL)
		return;
	op.channel.client = a->number;
	op.channel.server = b->number;
	op.channel.type = CHANNEL_NETWORK;
	op.channel.pages = NET_CHANNEL_PAGES;
	asked = send_job(job, &op, 1);
}

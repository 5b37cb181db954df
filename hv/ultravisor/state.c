/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/state.c - see state.h.
 *
 *                 device found          partition made
 *                      |                      |
 *                      v                      v          channel made
 *                    FREE <-----+           MADE ---+       |
 *                      |        |             |     |       v
 *                      +----> STANDBY <------ | ----+---- STANDBY
 *                      |       ^   |          |
 *                      |       |   v          |
 *                      +---> RUNNING <--------+
 *                              ^   |
 *                              |   v
 *                             PAUSED <---> SAVED
 *
 * REVOKED is what is being taken away: a partition that was asked to stop, a
 * channel whose ends have to let go.  It ends on standby, or is gone.
 */
#include "ultravisor/state.h"

#include <stddef.h>

#include "abi/control.h"
#include "abi/database.h"

#define ABSENT       0
#define REVOKED(set) ((set) | RES_REVOKED)

static const struct {
	uint8_t from, to;
} edges[] = {
	/* made, found */
	{ABSENT, RES_FREE},    /* a device */
	{ABSENT, RES_MADE},    /* a partition */
	{ABSENT, RES_STANDBY}, /* a channel: its server has not been told */
	{ABSENT, RES_RUNNING}, /* a control channel: the ultravisor serves it */
	/* given and taken back: a device */
	{RES_FREE, RES_STANDBY}, /* to one that does not run */
	{RES_FREE, RES_RUNNING},
	{RES_STANDBY, RES_FREE},
	/* begun */
	{RES_MADE, RES_RUNNING},
	{RES_STANDBY, RES_RUNNING}, /* anew; the channel has its server again */
	/* stands still, and goes on */
	{RES_RUNNING, RES_PAUSED},
	{RES_PAUSED, RES_RUNNING},
	{RES_STANDBY, RES_PAUSED}, /* a channel on hold has its server again */
	{RES_PAUSED, RES_SAVED},
	{RES_SAVED, RES_PAUSED},
	/* has ended; has lost its server, its owner */
	{RES_RUNNING, RES_STANDBY},
	{RES_PAUSED, RES_STANDBY},
	/* is to let go */
	{RES_RUNNING, REVOKED(RES_RUNNING)}, /* a partition stops in order */
	{RES_RUNNING, REVOKED(RES_PAUSED)},  /* a channel is used no more */
	{RES_PAUSED, REVOKED(RES_PAUSED)},
	{RES_STANDBY, REVOKED(RES_STANDBY)},
	{REVOKED(RES_PAUSED), REVOKED(RES_STANDBY)}, /* and lost its server */
	{REVOKED(RES_RUNNING), RES_STANDBY},
	{REVOKED(RES_PAUSED), RES_STANDBY},
	{REVOKED(RES_STANDBY), RES_STANDBY},
	/* gone */
	{RES_MADE, ABSENT},
	{RES_SAVED, ABSENT},
	{RES_STANDBY, ABSENT},
	{REVOKED(RES_PAUSED), ABSENT},
	{REVOKED(RES_STANDBY), ABSENT},
};

bool state_named(uint32_t flags)
{
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		if (flags && edges[i].to == flags)
			return true;
	}
	return false;
}

int state_change(uint32_t *flags, uint32_t to)
{
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		if (edges[i].from == *flags && edges[i].to == to) {
			*flags = to;
			return CONTROL_OK;
		}
	}
	return CONTROL_ESTATE;
}

bool state_settle(uint32_t *flags, uint32_t to)
{
	return *flags == to || state_change(flags, to) == CONTROL_OK;
}

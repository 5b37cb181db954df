/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/state.h - the state flags of resources, and how they may
 * change.
 *
 * A partition, a channel and a device each have eight flags (RES_*,
 * abi/database.h).  Of the 256 combinations only the named sets occur, revoked
 * or not, and only the transitions of one table (state.c).  Whoever changes
 * flags changes them here; an operation whose transition is not in the table is
 * refused with CONTROL_ESTATE and has changed nothing.
 *
 * No dependency: unit-tested on the host, over all pairs.
 */
#ifndef PARTERRE_ULTRAVISOR_STATE_H
#define PARTERRE_ULTRAVISOR_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* Is it one of the sets that occur? */
bool state_named(uint32_t flags);

/* CONTROL_OK and changed, or CONTROL_ESTATE and as it was.  No transition leads
 * from a set to itself. */
int state_change(uint32_t *flags, uint32_t to);

/* The same for what has no one to refuse: an end that was seen, a state that
 * may be there already.  False: the table doesn't lead there. */
bool state_settle(uint32_t *flags, uint32_t to);

#endif

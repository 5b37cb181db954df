/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/block.h - server ends of block channels.
 *
 * Any number of channels, each with the requests it has taken in the order of
 * arrival.  A request goes to the disk when no earlier one of its channel
 * stands in its way:
 *   - read or write: no earlier unfinished write to the block, and for a write
 *     no earlier unfinished read of it either;
 *   - flush: every earlier write is complete.  The NVMe Flush is submitted
 *     only then, because it covers commands that completed before its
 *     submission (NVMe 1.4, section 6.8).
 * Each channel's requests go through one of the driver's queue pairs, the one
 * that fewest channels use when it is attached.
 *
 * Answers go out as requests finish, in any order.
 *
 * A client is not trusted: what it sends is copied once and checked, and an
 * answer that doesn't fit in its queue waits here; its channel then takes no
 * more.
 */
#ifndef PARTERRE_IO_BLOCK_H
#define PARTERRE_IO_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/view.h"
#include "io/nvme.h"
#include "lib/channel.h"

/* Serve the channel of `handle`, mapped at base.  False: it doesn't fit. */
bool block_attach(unsigned handle, void *base, const struct view *view);

/* Take no more from the channel of `handle`. */
void block_detach(unsigned handle);

/* Detached and nothing of it at the disk any more?  Then it is set DRAINED and
 * forgotten, once.  (Also true for a channel that was never served.) */
bool block_drained(unsigned handle);

/* One pass over all channels: take, submit, answer.  True if anything moved. */
bool block_run(uint64_t now_ns);

/* A disk command of ours ended. */
void block_done(uint32_t cookie, enum nvme_end end);

/* Before waiting.  False: something has come meanwhile. */
bool block_sleep(void);
void block_awake(void);

/* Does an answer wait for room in a client's queue?  Nobody signals that. */
bool block_blocked(void);

/* Requests answered since the start. */
uint64_t block_answered(void);

#endif

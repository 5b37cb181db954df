/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/diag.c - see diag.h. */
#include "guest/diag.h"

#include "lib/sys.h"

bool diag_post(struct diag *d, uint32_t type, uint64_t stream, uint64_t record,
	       uint64_t block, uint64_t check)
{
	struct diag_record r = {
		.time_ns = sys_time(),
		.type = type,
		.stream = stream,
		.record = record,
		.block = block,
		.check = check,
	};

	if (!d->given)
		return true;
	if (d->channel.header == NULL || !queue_room(&d->channel.queue[0], 1))
		return false;
	return queue_insert(&d->channel.queue[0], &r);
}

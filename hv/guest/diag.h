/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/diag.h - the guest's end of its diagnostics channel.
 *
 * Who observes the machine believes what is posted here, so nothing is ever
 * dropped: with no room, the caller tries again and holds back what the record
 * is about.  A guest that was given no such channel posts into the void. */
#ifndef PARTERRE_GUEST_DIAG_H
#define PARTERRE_GUEST_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/channel.h"

struct diag {
	bool given; /* there is a channel of this kind in the view */
	struct channel channel;
};

/* Posted, or to be tried again (false). */
bool diag_post(struct diag *d, uint32_t type, uint64_t stream, uint64_t record,
	       uint64_t block, uint64_t check);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/learned.h - behind which uplink an address was last seen: for 300 s, of
 * at most LEARNED_MAX; then the one not seen for longest goes. */
#ifndef PARTERRE_IO_LEARNED_H
#define PARTERRE_IO_LEARNED_H

#include <stdbool.h>
#include <stdint.h>

#define LEARNED_MAX      64
#define LEARNED_AGE_NS   300000000000ull
#define LEARNED_DOUBT_NS 10000000ull

void learned_put(const uint8_t mac[6], unsigned uplink, uint64_t now_ns);
bool learned_find(const uint8_t mac[6], unsigned *uplink, uint64_t now_ns);
/* The uplink went down, or is another's now. */
void learned_forget(unsigned uplink);
/* The same, and for a while nothing is learned from it: what was on its way by
 * then may come yet, from who is there no more. */
void learned_doubt(unsigned uplink, uint64_t now_ns);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/ring.h - bytes in the order in which they came. */
#ifndef PARTERRE_NET_RING_H
#define PARTERRE_NET_RING_H

#include <stdint.h>

#include "lib/string.h"

#define RING_BYTES 16384

struct ring {
	uint32_t start, count;
	uint8_t bytes[RING_BYTES];
};

static inline uint32_t ring_room(const struct ring *r)
{
	return RING_BYTES - r->count;
}

/* `at` bytes behind the start; what is copied has to lie inside the ring. */
static inline void ring_copy_in(struct ring *r, uint32_t at, const void *from,
				uint32_t bytes)
{
	uint32_t first = (r->start + at) % RING_BYTES;
	uint32_t part = RING_BYTES - first;

	part = part < bytes ? part : bytes;
	memcpy(r->bytes + first, from, part);
	memcpy(r->bytes, (const uint8_t *)from + part, bytes - part);
}

static inline void ring_copy_out(const struct ring *r, uint32_t at, void *to,
				 uint32_t bytes)
{
	uint32_t first = (r->start + at) % RING_BYTES;
	uint32_t part = RING_BYTES - first;

	part = part < bytes ? part : bytes;
	memcpy(to, r->bytes + first, part);
	memcpy((uint8_t *)to + part, r->bytes, bytes - part);
}

static inline void ring_put(struct ring *r, const void *from, uint32_t bytes)
{
	ring_copy_in(r, r->count, from, bytes);
	r->count += bytes;
}

static inline void ring_drop(struct ring *r, uint32_t bytes)
{
	r->start = (r->start + bytes) % RING_BYTES;
	r->count -= bytes;
}

static inline void ring_take(struct ring *r, void *to, uint32_t bytes)
{
	ring_copy_out(r, 0, to, bytes);
	ring_drop(r, bytes);
}

#endif

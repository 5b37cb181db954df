/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/rate.h - clocks as exact ratios of virtual time, counted from
 * power-on, so that nothing drifts.
 */
#ifndef PARTERRE_DEVICES_RATE_H
#define PARTERRE_DEVICES_RATE_H

#include "sim/base.h"

/* Edges of a clock of `hz` up to and including `now`. */
static inline uint64_t rate_edges(ps_t now, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)now * hz / PS_PER_S);
}

/* The first instant at which rate_edges() is `edges`. */
static inline ps_t rate_instant(uint64_t edges, uint64_t hz)
{
	return (ps_t)(((unsigned __int128)edges * PS_PER_S + hz - 1) / hz);
}

#endif

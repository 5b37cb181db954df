/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/evq.h - what happens next, and in what order.
 *
 * A binary heap on the unique triple (when, rank, sequence number): the heap's
 * shape can never show.  Same instant: by rank; same rank: in the order of
 * scheduling.  That order is interface: traces, recordings and snapshots
 * depend on it, so a snapshot saves the sequence numbers.
 *
 * Events live in their owners, so scheduling cannot fail on memory; the heap
 * grows when the machine is built or a first event is scheduled.
 */
#ifndef PARTERRE_SIM_EVQ_H
#define PARTERRE_SIM_EVQ_H

#include "sim/base.h"

enum evq_rank {
	EVQ_FAULT,    /* injected faults first: they say what the hardware was
			 like when everything else of the instant happened */
	EVQ_INPUT,    /* then the outside world */
	EVQ_DEVICE,   /* then devices, which may raise interrupts */
	EVQ_TIMER,    /* then CPU-local timers: a device's interrupt of the same
			 instant is already pending when the timer's is */
	EVQ_SCENARIO, /* then whoever waits for a condition sees a settled
			 machine */
	EVQ_STOP, /* last: stopping at T means after all that happens at T */
	EVQ_RANK_COUNT
};

struct evq;

struct event {
	const char *name; /* "nvme0.complete" */
	void (*fire)(void *owner, ps_t when);
	void *owner;
	enum evq_rank rank;
	/* The queue's own: */
	ps_t when;
	uint64_t seq;
	uint32_t index; /* in the heap, plus one; 0: idle */
	bool registered;
};

struct evq *evq_create(void);
void evq_destroy(struct evq *q);

/* Makes the event known by its name, which no other may have: so a snapshot
 * finds it again in another machine.  Devices do it in init, once, after they
 * filled the event in; what ranks as EVQ_DEVICE or EVQ_TIMER cannot be
 * scheduled otherwise.  The event must not move in memory afterwards. */
void evq_register(struct evq *q, struct event *ev);
/* NULL: none of that name is registered. */
struct event *evq_find(const struct evq *q, const char *name);
/* The registered events within [object, object + bytes) are no more. */
void evq_unregister(struct evq *q, const void *object, size_t bytes);

/* `when` must not lie in the past; a pending event is moved. */
void evq_schedule(struct evq *q, struct event *ev, ps_t when);
void evq_cancel(struct evq *q, struct event *ev); /* idle: fine */
bool evq_pending(const struct event *ev);

ps_t evq_now(const struct evq *q);
/* How many have been fired since the queue was made; no part of a snapshot. */
uint64_t evq_fired(const struct evq *q);
ps_t evq_next(const struct evq *q); /* PS_NEVER when empty */

/* For snapshots: the clock, the next sequence number, and the registered events
 * that are pending, by name.  Loading: false if an event of that name is not
 * registered here or the instants contradict each other.  What is pending
 * without being registered goes from the queue. */
struct snapshot_writer;
struct snapshot_reader;
void evq_save(const struct evq *q, struct snapshot_writer *w);
bool evq_load(struct evq *q, struct snapshot_reader *r);

/* Moves the clock within a slice and fires nothing; `to` may not pass
 * evq_next() nor go back. */
void evq_slide(struct evq *q, ps_t to);
/* Fires all that is due up to and including `to`, in order, then stands at
 * `to`.  Events may schedule others, also at the same instant. */
void evq_advance(struct evq *q, ps_t to);

#endif

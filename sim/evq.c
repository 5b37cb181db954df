/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/evq.c - the event queue: a binary heap with the order of evq.h.
 *
 * An event knows its place in the heap (`index`, plus one), so moving and
 * cancelling cost log n and need no search.
 */
#include "sim/evq.h"

#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/snapshot.h"

#define EVQ_SLOTS_FIRST 64

struct evq {
	ps_t now;
	uint64_t seq; /* of the next event scheduled */
	uint64_t fired;
	struct event **heap;
	uint32_t count, slots;
	struct event **known; /* registered */
	uint32_t known_count, known_slots;
};

struct evq *evq_create(void)
{
	struct evq *q = calloc(1, sizeof(*q));

	CHECK_MSG(q, "out of memory for the event queue");
	q->slots = EVQ_SLOTS_FIRST;
	q->heap = calloc(q->slots, sizeof(struct event *));
	CHECK_MSG(q->heap, "out of memory for the event queue");
	return q;
}

void evq_destroy(struct evq *q)
{
	if (!q)
		return;
	for (uint32_t i = 0; i < q->count; i++)
		q->heap[i]->index = 0;
	free(q->heap);
	free(q->known);
	free(q);
}

struct event *evq_find(const struct evq *q, const char *name)
{
	for (uint32_t i = 0; i < q->known_count; i++) {
		if (!strcmp(q->known[i]->name, name))
			return q->known[i];
	}
	return NULL;
}

void evq_register(struct evq *q, struct event *ev)
{
	CHECK_MSG(!evq_find(q, ev->name), "two events have the name %s",
		  ev->name);
	if (q->known_count == q->known_slots) {
		q->known_slots = q->known_slots ? 2 * q->known_slots : 32;
		q->known = reallocarray(q->known, q->known_slots,
					sizeof(struct event *));
		CHECK_MSG(q->known, "out of memory for %u events",
			  q->known_slots);
	}
	q->known[q->known_count++] = ev;
	ev->registered = true;
}

void evq_unregister(struct evq *q, const void *object, size_t bytes)
{
	uintptr_t first = (uintptr_t)object;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < q->known_count; i++) {
		struct event *ev = q->known[i];

		if ((uintptr_t)ev - first < bytes)
			evq_cancel(q, ev);
		else
			q->known[kept++] = ev;
	}
	q->known_count = kept;
}

static bool before(const struct event *a, const struct event *b)
{
	if (a->when != b->when)
		return a->when < b->when;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->seq < b->seq;
}

static void place(struct evq *q, struct event *ev, uint32_t at)
{
	q->heap[at] = ev;
	ev->index = at + 1;
}

static void sift_up(struct evq *q, struct event *ev, uint32_t at)
{
	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (!before(ev, q->heap[parent]))
			break;
		place(q, q->heap[parent], at);
		at = parent;
	}
	place(q, ev, at);
}

static void sift_down(struct evq *q, struct event *ev, uint32_t at)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= q->count)
			break;
		if (child + 1 < q->count &&
		    before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], ev))
			break;
		place(q, q->heap[child], at);
		at = child;
	}
	place(q, ev, at);
}

void evq_cancel(struct evq *q, struct event *ev)
{
	struct event *last;
	uint32_t at;

	if (!ev->index)
		return;
	at = ev->index - 1;
	CHECK_MSG(at < q->count && q->heap[at] == ev,
		  "event %s is in another queue or was moved in memory",
		  ev->name);
	ev->index = 0;
	last = q->heap[--q->count];
	if (last == ev)
		return;
	/* The last leaf takes the hole; it may belong above or below it. */
	if (at > 0 && before(last, q->heap[(at - 1) / 2]))
		sift_up(q, last, at);
	else
		sift_down(q, last, at);
}

void evq_schedule(struct evq *q, struct event *ev, ps_t when)
{
	CHECK_MSG(when >= q->now && when != PS_NEVER,
		  "event %s at %llu ps, now is %llu ps", ev->name,
		  (unsigned long long)when, (unsigned long long)q->now);
	CHECK_MSG(ev->rank < EVQ_RANK_COUNT && ev->fire, "event %s", ev->name);
	CHECK_MSG(ev->registered ||
			  (ev->rank != EVQ_DEVICE && ev->rank != EVQ_TIMER),
		  "event %s: evq_register() it in its device's init", ev->name);
	evq_cancel(q, ev);
	if (q->count == q->slots) {
		q->slots *= 2;
		q->heap =
			reallocarray(q->heap, q->slots, sizeof(struct event *));
		CHECK_MSG(q->heap, "out of memory for %u events", q->slots);
	}
	ev->when = when;
	ev->seq = q->seq++;
	sift_up(q, ev, q->count++);
}

bool evq_pending(const struct event *ev)
{
	return ev->index != 0;
}

ps_t evq_now(const struct evq *q)
{
	return q->now;
}

ps_t evq_next(const struct evq *q)
{
	return q->count ? q->heap[0]->when : PS_NEVER;
}

uint64_t evq_fired(const struct evq *q)
{
	return q->fired;
}

void evq_slide(struct evq *q, ps_t to)
{
	CHECK_MSG(to >= q->now && to <= evq_next(q),
		  "slide from %llu to %llu ps, next event at %llu ps",
		  (unsigned long long)q->now, (unsigned long long)to,
		  (unsigned long long)evq_next(q));
	q->now = to;
}

void evq_advance(struct evq *q, ps_t to)
{
	CHECK(to >= q->now);
	while (evq_next(q) <= to) {
		struct event *ev = q->heap[0];

		q->now = ev->when;
		evq_cancel(q, ev);
		q->fired++;
		ev->fire(ev->owner, q->now);
	}
	q->now = to;
}

/* --- snapshots --- */

#define NAME_BYTES 64

void evq_save(const struct evq *q, struct snapshot_writer *w)
{
	uint64_t pending = 0;

	for (uint32_t i = 0; i < q->known_count; i++)
		pending += evq_pending(q->known[i]);
	snapshot_put_u64(w, q->now);
	snapshot_put_u64(w, q->seq);
	snapshot_put_u64(w, pending);
	for (uint32_t i = 0; i < q->known_count; i++) {
		const struct event *ev = q->known[i];
		char name[NAME_BYTES] = "";

		if (!evq_pending(ev))
			continue;
		CHECK_MSG(strlen(ev->name) < NAME_BYTES, "event %s", ev->name);
		strcpy(name, ev->name);
		snapshot_put(w, name, sizeof(name));
		snapshot_put_u64(w, ev->when);
		snapshot_put_u64(w, ev->seq);
	}
}

bool evq_load(struct evq *q, struct snapshot_reader *r)
{
	uint64_t pending, next;

	while (q->count)
		evq_cancel(q, q->heap[0]);
	q->now = snapshot_get_u64(r);
	q->seq = snapshot_get_u64(r);
	next = q->seq;
	pending = snapshot_get_u64(r);
	if (pending > q->known_count)
		return false;
	for (; pending; pending--) {
		char name[NAME_BYTES];
		struct event *ev;
		uint64_t when, seq;

		snapshot_get(r, name, sizeof(name));
		when = snapshot_get_u64(r);
		seq = snapshot_get_u64(r);
		ev = memchr(name, 0, sizeof(name)) ? evq_find(q, name) : NULL;
		if (!ev || evq_pending(ev) || seq >= next || when < q->now ||
		    when == PS_NEVER)
			return false;
		q->seq = next;
		evq_schedule(q, ev, when);
		/* It may be before others of its instant now. */
		ev->seq = seq;
		sift_up(q, ev, ev->index - 1);
	}
	q->seq = next; /* scheduling counted on */
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/channel.h - the two ends of a channel (abi/channel.h).
 *
 * A server initialises with channel_serve(), a client attaches with
 * channel_attach(); both then use queue[n] of their struct channel, as
 * producer or as consumer by the type's table.
 *
 * The other end may be hostile (S65): of the shared words an end reads only
 * the peer's index, each time once, and checks its range; its own indices are
 * kept here and only ever written to the channel.  Sizes and offsets are this
 * file's constants; a client refuses a channel whose header says otherwise.
 *
 * States.  Each end's state has one writer, itself, and it knows what it has
 * written: what the other side puts there instead is put right when it is about
 * to sleep, and counted.  Nobody acts on the other's state but a client that
 * attaches, once.
 *
 * Sleeping.  A consumer about to sleep calls queue_sleep() on each of its
 * queues: it sets want_event, fences, and looks again.  A producer publishes
 * head, fences, then reads tail and want_event.  So either the consumer sees
 * the new signal or the producer sees that it must signal; the tail has to be
 * read after the fence too, or the last signal before the new one may have
 * been taken meanwhile and nobody would wake the consumer.
 */
#ifndef PARTERRE_LIB_CHANNEL_H
#define PARTERRE_LIB_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"

#define CHANNEL_QUEUES_MAX 4

/* One end of a queue. */
struct queue {
	volatile struct queue_header *header;
	volatile uint64_t *slots;
	volatile uint32_t *errors; /* this end's counter in the header */
	volatile uint32_t
		*state; /* this end's, of which it is the one writer */
	uint32_t state_value;
	uint32_t slot_count, signal_bytes;
	uint32_t index;  /* head of a producer, tail of a consumer */
	uint32_t staged; /* of a producer: put up to index, not published */
	uint64_t count;  /* sent or received */
	uint64_t overflow, empties;
	unsigned handle; /* to signal; QUEUE_NO_SIGNAL: never */
};
#define QUEUE_NO_SIGNAL 0xffffffffu

struct channel {
	volatile struct channel_header *header; /* NULL: not open */
	uint8_t *base, *data;                   /* data: the first data page */
	uint32_t data_pages;                    /* that this end has */
	unsigned handle;
	uint32_t type, generation;
	bool server;
	struct queue queue[CHANNEL_QUEUES_MAX];
};

/* Who a channel is, as the view or the database says. */
struct channel_identity {
	uint32_t id, generation;
	uint64_t client, server; /* partition numbers */
	uint32_t pages;          /* all of them, whoever may map them */
};

/* What a type looks like. */
struct channel_type {
	uint32_t type;
	uint32_t pages;
	uint32_t queues;
	struct {
		uint32_t slots, signal_bytes;
		bool to_server; /* the client is the producer */
	} queue[CHANNEL_QUEUES_MAX];
	uint32_t data_pages;
	uint32_t client_pages; /* the last of these: the client's to write */
	uint64_t features;
	uint8_t guid[16];
};

/* NULL: no such type. */
const struct channel_type *channel_type(uint32_t type);

/* Offset of queue n's slots and, for n == queues, of the data pages. */
uint32_t channel_offset(const struct channel_type *type, uint32_t n);

enum channel_result {
	CHANNEL_OPEN,
	CHANNEL_NOT_READY, /* the server hasn't initialised it yet */
	CHANNEL_MISFIT,    /* refused: the header says something else */
};

/* Server: write header and queue headers, open, set READY.  The channel must
 * have been wiped or be new.  CHANNEL_MISFIT: no such type, or too small. */
enum channel_result channel_serve(struct channel *ch, void *base,
				  unsigned handle, uint32_t type,
				  const struct channel_identity *who);

/* Server, begun anew in place: goes on with a channel that a former program of
 * its partition served, where the queues stand.  CHANNEL_MISFIT: the header
 * says something else, or an index is out of range: the client has spoiled it.
 */
enum channel_result channel_serve_on(struct channel *ch, void *base,
				     unsigned handle, uint32_t type,
				     const struct channel_identity *who);

/* Client: check header and queue headers, open, set ATTACHED. */
enum channel_result channel_attach(struct channel *ch, void *base,
				   unsigned handle, uint32_t type,
				   const struct channel_identity *who);

/* Server: nothing of it is held any more. */
void channel_drained(struct channel *ch);

/* Forget the mapping; touches nothing shared. */
void channel_close(struct channel *ch);

/* Data page n: for both ends the other's to change at any time, but for those
 * that are the client's to write, which a server has not (NULL). */
void *channel_data(const struct channel *ch, uint32_t page);

/* Producer: false when the queue is full (counted).  Signals if needed. */
bool queue_insert(struct queue *q, const void *signal);
/* So many, one behind the other, which the consumer sees all at once, or none.
 */
bool queue_insert_all(struct queue *q, const void *signals, uint32_t n);
/* The same in two steps: what is put is not seen before queue_publish(), which
 * signals if needed, once for all, and says whether it did. */
bool queue_put(struct queue *q, const void *signal);
bool queue_publish(struct queue *q);
/* Publishes only if nobody has to be woken for it: the consumer is at work, and
 * finds it sooner.  The rest of what there is to put may still follow. */
void queue_offer(struct queue *q);
/* Producer: has the consumer taken all, as it says? */
bool queue_taken(const struct queue *q);

/* Producer: is there room for n more? */
bool queue_room(struct queue *q, uint32_t n);

/* Consumer: false when the queue is empty. */
bool queue_remove(struct queue *q, void *signal);
/* The same in two steps: what is looked at and not yet dropped is still there
 * for a program that goes on with this one's work. */
bool queue_peek(struct queue *q, void *signal);
void queue_drop(struct queue *q);

/* The signal `n` before the last that this end has put in or taken out; zeroes:
 * there was none.  False: the producer may have put another in its place. */
bool queue_past(struct queue *q, uint32_t n, void *signal);

/* Consumer: ask for an event.  True: empty, may sleep.  False: something has
 * come; want_event is cleared again. */
bool queue_sleep(struct queue *q);

/* Consumer: awake again, no events needed. */
void queue_awake(struct queue *q);

#endif

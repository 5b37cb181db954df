/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/client.h - multipath block client: the guest's end of a block
 * channel whose server end may die and be replaced.
 *
 * Each request is an entry, kept in the order in which it was made.  Each entry
 * has a page of the channel for what it writes, of those that are the client's
 * alone to write (abi/channel.h): the disk reads it there, and there it is kept
 * for a replay; it is written once and never copied.  While the path is down
 * the pages are not touched, so no write is made then.  Its life:
 *
 *   QUEUED   made, or to be replayed; goes out in order
 *   SENT     with the server
 *   HELD     a write that was answered OK, but not yet covered by a flush that
 *            was answered OK
 *   STUCK    given up while it was with the server, which may still read its
 *            page: free at the next resume
 *   (gone)   answered, and nothing of it can be lost any more
 *
 * Why HELD: an answered write may sit in the volatile cache of the controller
 * that took it.  NVMe's Flush covers what completed on the controller it is
 * sent to (NVMe 1.4, 6.8); a flush through the other path need not cover what
 * the dead path's controller holds, and that controller is reset or fenced
 * when its partition is.  So until a flush on the *same* path was answered,
 * the guest must be able to write the block again, and after a failover it
 * does.  A write with FUA is never HELD.
 *
 * Replay rule.  When a channel comes back, every SENT and every HELD entry is
 * QUEUED again where it stands, with its sequence number and replay + 1; they
 * go out before anything new because they are older.  The server keeps the
 * writes of one block in order and a flush behind all writes before it, so
 * sending in order is all it takes.  One refinement: if a younger write to the
 * same block had been sent too, it may have reached the disk already, and
 * writing the older one's data after it would show the past.  The older entry
 * then carries the younger one's data and tags: the disk never goes back, and
 * every unanswered request is still sent and answered once.
 *
 * A held write that fails on its replay was promised to the next flush: that
 * flush then fails with BLOCK_EIO.  So it is with all writes if the channel
 * that comes is not the one that went but another: it has none of their data.
 *
 * The server is not trusted: an answer is matched by sequence number to a SENT
 * entry, anything else is counted and dropped.  So is the answer to a flush
 * while a write before it is unanswered: it would promise too much.
 *
 * Nor has it to serve, though it beats.  When a request has been with it for
 * long, client_complaint() says so, once for each generation of the channel,
 * and again after a good while: whoever was told may have died.  What comes of
 * it is others' to decide.
 */
#ifndef PARTERRE_GUEST_CLIENT_H
#define PARTERRE_GUEST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/channel.h"

#define CLIENT_ENTRIES     BLOCK_WRITE_PAGES
#define CLIENT_OUTSTANDING BLOCK_READ_PAGES /* with the server */
#define CLIENT_COOKIES     0xffffffffu /* this cookie is the client's own */

/* Held writes after which the client flushes by itself, in the background:
 * what is under way then and comes while that flush takes its time has places
 * left. */
#define CLIENT_HELD_MAX 64

/* A waiting request is spoken of after the first, and ends with BLOCK_EIO
 * after the second. */
#define CLIENT_PATIENCE_NS 100000000ul
#define CLIENT_LIMIT_NS    30000000000ul
/* One with the server is complained of after the first, if nothing else is
 * said, and again after the second. */
#define CLIENT_SLOW_NS  20000000ul
#define CLIENT_AGAIN_NS 100000000ul

enum client_state {
	ENTRY_FREE,
	ENTRY_QUEUED,
	ENTRY_SENT,
	ENTRY_HELD,
	ENTRY_STUCK
};

struct client_entry {
	enum client_state state;
	uint8_t previous, next; /* in order of age; CLIENT_NONE ends */
	uint8_t data_page;      /* while SENT */
	bool answered;          /* its maker has been told */
	bool ever_sent;
	bool failed; /* flush: something it covers was lost */
	uint16_t op, flags;
	uint32_t replay;
	uint32_t cookie;
	uint64_t sequence, block, tag[2];
	uint64_t made_ns, sent_ns;
};
#define CLIENT_NONE 0xff
_Static_assert(CLIENT_ENTRIES < CLIENT_NONE, "an entry's number has a byte");
#define CLIENT_NUMBERS 256 /* of sequence numbers that follow each other */

enum client_path {
	PATH_DOWN, /* no channel yet, or paused: it is not touched */
	PATH_OPENED,
};

struct client {
	struct channel channel;
	enum client_path path;
	struct client_entry entry[CLIENT_ENTRIES];
	uint8_t oldest, youngest;
	uint8_t first_queued; /* what is QUEUED is younger than what isn't */
	uint8_t first_open;   /* the oldest that isn't HELD */
	uint8_t first_free;   /* a list by next */
	uint8_t by_sequence[CLIENT_NUMBERS]; /* an entry that may have it */
	unsigned used, sent, held, flushing;
	unsigned waiting;    /* not answered yet */
	uint32_t pages_busy; /* bit n: read page n is with the server */
	uint32_t id;         /* of the channel */
	uint64_t next_sequence;
	bool opened;            /* once at least */
	bool here;              /* the server shares this CPU, as it seems */
	bool lost;              /* a held write failed; for the next flush */
	bool waits;             /* the patience line was written */
	uint64_t now_ns;        /* of the last client_run() */
	uint64_t slow_ns;       /* the user's to change */
	uint64_t since_ns;      /* the oldest with the server was sent */
	uint64_t complained_ns; /* of this generation; 0: not yet */
	/* Counts. */
	uint64_t writes, reads, flushes; /* answered OK, own flushes left out */
	uint64_t replayed, odd, errors, failovers;
	/* A request of the user's ended.  data: of a read that went well, in
	 * the channel's page and only during the call; the server may still
	 * change it, so it is copied before it is looked at. */
	void (*done)(uint32_t cookie, uint32_t status, const void *data);
	/* Write pages of the channel, one for each entry; NULL: not there. */
	uint8_t (*data)[BLOCK_BYTES];
};

void client_init(struct client *c,
		 void (*done)(uint32_t cookie, uint32_t status,
			      const void *data));

/* The channel is new or came back: check it, attach, and line up the replay.
 * CHANNEL_NOT_READY: ask again soon. */
enum channel_result client_resume(struct client *c, void *base, unsigned handle,
				  const struct channel_identity *who);

/* From here on the channel is not touched. */
void client_pause(struct client *c);

/* Make a request.  False: no entry is free or, for a write, the path is down;
 * try again after client_run(). */
bool client_write(struct client *c, uint64_t block, const void *data,
		  uint16_t flags, uint64_t tag0, uint64_t tag1,
		  uint32_t cookie);
/* The same for who makes the data where they are kept: BLOCK_BYTES to be filled
 * before the next client_run(); NULL: as false above. */
void *client_write_place(struct client *c, uint64_t block, uint16_t flags,
			 uint64_t tag0, uint64_t tag1, uint32_t cookie);
bool client_read(struct client *c, uint64_t block, uint32_t cookie);
bool client_flush(struct client *c, uint32_t cookie);

/* Take some answers, send what can be sent, watch over time.  True if anything
 * moved: then it is to be called again, or client_sleep(), before the caller
 * turns to anything long.  A server that sleeps is not woken before that, so
 * that what the answers make room for is sent together. */
bool client_run(struct client *c, uint64_t now_ns);

/* Is the server to be complained of now?  *waited_ns: for so long has a request
 * been with it.  That counts as a complaint. */
bool client_complaint(struct client *c, uint64_t now_ns, uint64_t *waited_ns);
/* When it will be, should nothing be answered; ~0: never. */
uint64_t client_complaint_due(const struct client *c);

/* Before waiting.  True: nothing has come, an event will tell. */
bool client_sleep(struct client *c);
void client_awake(struct client *c);

/* Requests not answered yet. */
unsigned client_waiting(const struct client *c);

#endif

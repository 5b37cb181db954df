/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/block.c - see block.h. */
#include "io/block.h"

#include "lib/string.h"
#include "lib/sys.h"

#define REQUESTS 64 /* taken and not yet forgotten, of one channel */
#define HASHES   64 /* of blocks */

enum state {
	WAITING, /* something earlier stands in its way, or the disk is full */
	AT_DISK,
	FINISHED, /* the answer is to be sent */
	ANSWERED,
};

struct request {
	enum state state;
	uint16_t op;
	bool fua;
	uint16_t data_page;
	uint32_t status; /* BLOCK_* */
	uint64_t sequence, block;
};

struct server {
	struct channel channel;
	bool detaching;
	uint64_t extent_block, extent_blocks;
	uint64_t data_pfn;
	unsigned pair;                    /* of the driver's queues */
	struct request request[REQUESTS]; /* a ring, in order of arrival */
	unsigned first, count;
	unsigned waiting, at_disk, finished;
	/* Unfinished reads and writes, by block: most are alone. */
	uint8_t pending[HASHES];
};

static struct server servers[CHANNEL_SLOTS];
static uint64_t answered;

static bool is_open(const struct server *s)
{
	return s->channel.header != NULL;
}

static struct request *nth(struct server *s, unsigned n)
{
	return &s->request[(s->first + n) % REQUESTS];
}

/* The pair that fewest others use. */
static unsigned choose_pair(void)
{
	unsigned best = 0, fewest = CHANNEL_SLOTS + 1;

	for (unsigned pair = 0; pair < nvme_pairs(); pair++) {
		unsigned users = 0;

		for (unsigned i = 0; i < CHANNEL_SLOTS; i++)
			users +=
				is_open(&servers[i]) && servers[i].pair == pair;
		if (users < fewest) {
			fewest = users;
			best = pair;
		}
	}
	return best;
}

bool block_attach(unsigned handle, void *base, const struct view *view)
{
	struct server *s = &servers[handle];
	const struct view_channel *vc = &view->channel[handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = vc->peer,
		.server = view->number,
		.pages = vc->pages,
	};

	memset(s, 0, sizeof(*s));
	s->pair = choose_pair();
	s->extent_block = vc->extent_block;
	s->extent_blocks = vc->extent_blocks;
	s->data_pfn = vc->pfn + (channel_offset(channel_type(CHANNEL_BLOCK),
						CHANNEL_QUEUES_MAX) >>
				 ABI_PAGE_SHIFT);
	return channel_serve(&s->channel, base, handle, CHANNEL_BLOCK, &who) ==
	       CHANNEL_OPEN;
}

void block_detach(unsigned handle)
{
	servers[handle].detaching = true;
}

bool block_drained(unsigned handle)
{
	struct server *s = &servers[handle];

	if (!is_open(s))
		return true;
	if (!s->detaching || s->at_disk > 0)
		return false;
	/* What waits or wasn't answered is the client's to replay. */
	channel_drained(&s->channel);
	channel_close(&s->channel);
	return true;
}

static uint32_t check(const struct server *s, const struct block_request *r)
{
	if (r->reserved0 != 0 || r->reserved1 != 0)
		return BLOCK_EINVAL;
	if ((r->flags & ~BLOCK_FLAG_FUA) != 0)
		return BLOCK_EINVAL;
	switch (r->op) {
	case BLOCK_FLUSH:
		return BLOCK_OK;
	case BLOCK_READ:
	case BLOCK_WRITE:
		if (r->data_page >= BLOCK_DATA_PAGES)
			return BLOCK_EINVAL;
		if (r->block >= s->extent_blocks)
			return BLOCK_ERANGE;
		/* The extent may have been made for a larger disk. */
		if (s->extent_block + r->block >= nvme_blocks())
			return BLOCK_ERANGE;
		return BLOCK_OK;
	default:
		return BLOCK_EINVAL;
	}
}

/* Each request of a client passes here, once. */
__attribute__((noinline)) static void
block_serve_request(struct server *s, const struct block_request *from)
{
	struct request *r = nth(s, s->count++);

	r->op = from->op;
	r->fua = (from->flags & BLOCK_FLAG_FUA) != 0;
	r->data_page = from->data_page;
	r->sequence = from->sequence;
	r->block = from->block;
	r->status = check(s, from);
	r->state = r->status == BLOCK_OK ? WAITING : FINISHED;
	if (r->state == WAITING)
		s->waiting++;
	if (r->state == WAITING && r->op != BLOCK_FLUSH)
		s->pending[r->block % HASHES]++;
	if (r->state == FINISHED)
		s->finished++;
}

static bool take(struct server *s)
{
	struct queue *q = &s->channel.queue[BLOCK_QUEUE_REQUEST];
	bool any = false;

	/* At most a queue's worth in one pass, whatever the client does. */
	for (unsigned i = 0; i < BLOCK_SLOTS && s->count < REQUESTS; i++) {
		struct block_request request;

		if (!queue_remove(q, &request))
			break;
		block_serve_request(s, &request);
		any = true;
	}
	return any;
}

/* Does request n have to wait for an earlier one? */
static bool held(struct server *s, unsigned n)
{
	const struct request *r = nth(s, n);

	if (r->op != BLOCK_FLUSH && s->pending[r->block % HASHES] == 1)
		return false; /* its own */
	for (unsigned i = 0; i < n; i++) {
		const struct request *e = nth(s, i);

		if (e->state != WAITING && e->state != AT_DISK)
			continue;
		if (r->op == BLOCK_FLUSH) {
			if (e->op == BLOCK_WRITE)
				return true;
		} else if (e->op != BLOCK_FLUSH && e->block == r->block &&
			   (e->op == BLOCK_WRITE || r->op == BLOCK_WRITE)) {
			return true;
		}
	}
	return false;
}

static bool submit(struct server *s)
{
	bool any = false;

	for (unsigned n = 0; n < s->count && s->waiting > 0; n++) {
		struct request *r = nth(s, n);
		uint32_t cookie =
			s->channel.handle << 8 | (s->first + n) % REQUESTS;
		uint8_t opcode = r->op == BLOCK_READ    ? NVME_READ
				 : r->op == BLOCK_WRITE ? NVME_WRITE
							: NVME_FLUSH;

		if (r->state != WAITING || held(s, n))
			continue;
		if (!nvme_submit(s->pair, opcode, s->extent_block + r->block,
				 s->data_pfn + r->data_page, r->fua, cookie))
			break;
		r->state = AT_DISK;
		s->waiting--;
		s->at_disk++;
		any = true;
	}
	return any;
}

void block_done(uint32_t cookie, enum nvme_end end)
{
	struct server *s = &servers[cookie >> 8];
	struct request *r = &s->request[cookie & 0xff];

	r->status = end == NVME_OK       ? BLOCK_OK
		    : end == NVME_ERANGE ? BLOCK_ERANGE
					 : BLOCK_EIO;
	r->state = FINISHED;
	if (r->op != BLOCK_FLUSH)
		s->pending[r->block % HASHES]--;
	s->at_disk--;
	s->finished++;
}

static bool answer(struct server *s, uint64_t now)
{
	struct queue *q = &s->channel.queue[BLOCK_QUEUE_RESPONSE];
	bool any = false;

	for (unsigned n = 0; n < s->count && s->finished > 0; n++) {
		struct request *r = nth(s, n);
		struct block_response response = {
			.sequence = r->sequence,
			.status = r->status,
			.done_ns = now,
		};

		if (r->state != FINISHED)
			continue;
		if (!queue_room(q, 1))
			break;
		(void)queue_insert(q, &response);
		r->state = ANSWERED;
		s->finished--;
		answered++;
		any = true;
	}
	while (s->count > 0 && nth(s, 0)->state == ANSWERED) {
		s->first = (s->first + 1) % REQUESTS;
		s->count--;
	}
	return any;
}

bool block_run(uint64_t now)
{
	static unsigned turn; /* who comes first changes: fairness */
	bool any = false;

	turn++;
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		struct server *s = &servers[(turn + i) % CHANNEL_SLOTS];

		if (!is_open(s) || s->detaching)
			continue;
		any |= take(s);
		if (s->waiting > 0)
			any |= submit(s);
		if (s->finished > 0)
			any |= answer(s, now);
	}
	nvme_tell();
	return any;
}

bool block_sleep(void)
{
	bool empty = true;

	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		struct server *s = &servers[i];

		if (!is_open(s) || s->detaching)
			continue;
		/* One that is full up takes nothing: it waits for the disk. */
		if (s->count < REQUESTS)
			empty &= queue_sleep(
				&s->channel.queue[BLOCK_QUEUE_REQUEST]);
	}
	return empty;
}

void block_awake(void)
{
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		struct server *s = &servers[i];

		if (is_open(s) && !s->detaching)
			queue_awake(&s->channel.queue[BLOCK_QUEUE_REQUEST]);
	}
}

bool block_blocked(void)
{
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		if (is_open(&servers[i]) && !servers[i].detaching &&
		    servers[i].finished > 0)
			return true;
	}
	return false;
}

uint64_t block_answered(void)
{
	return answered;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/block.c - see block.h. */
#include "io/block.h"

#include "lib/string.h"
#include "lib/sys.h"

#define REQUESTS 64 /* taken and not yet answered, of one channel */
#define HASHES   64 /* of blocks */

/* Of completions found together, so many are answered at a time. */
#define ANSWER_AT 4

enum state {
	FREE,
	WAITING, /* something earlier stands in its way, or the disk is full */
	AT_DISK,
	FINISHED, /* the answer is to be sent */
};

struct request {
	enum state state;
	uint16_t op;
	bool fua;
	uint16_t data_page;
	uint32_t status; /* BLOCK_* */
	uint64_t sequence, block;
	uint64_t arrival; /* the channel's requests, counted */
};

/* Numbers of requests, first come first. */
struct line {
	uint8_t request[REQUESTS];
	unsigned first, count;
};

struct server {
	struct channel channel;
	uint64_t extent_block, extent_blocks;
	uint64_t data_pfn;
	uint64_t free;     /* bit n: request n is */
	uint64_t arrivals; /* so far */
	struct request request[REQUESTS];
	struct line waiting, finished;
	unsigned pair; /* of the driver's queues */
	unsigned at_disk;
	/* Unfinished reads and writes, by block: most are alone. */
	uint8_t pending[HASHES];
	bool detaching;
};
_Static_assert(REQUESTS == 64, "a word of bits");
_Static_assert(CHANNEL_SLOTS == 32, "a word of bits");

static struct server servers[CHANNEL_SLOTS];
static uint32_t serving; /* bit n: servers[n] is open and not detaching */
static uint64_t answered;
static uint64_t now_ns; /* of the last turn */

#define FOR_EACH(n, bits)                                                      \
	for (uint32_t m_ = (bits), n;                                          \
	     m_ != 0 && (n = (uint32_t)__builtin_ctz(m_), true); m_ &= m_ - 1)

static bool is_open(const struct server *s)
{
	return s->channel.header != NULL;
}

static void line_up(struct line *l, unsigned n)
{
	l->request[(l->first + l->count++) % REQUESTS] = (uint8_t)n;
}

static unsigned line_first(const struct line *l)
{
	return l->request[l->first];
}

static void line_drop(struct line *l)
{
	l->first = (l->first + 1) % REQUESTS;
	l->count--;
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
		.pages = vc->pages + vc->client_pages,
	};

	memset(s, 0, sizeof(*s));
	serving &= ~(1u << handle);
	s->free = ~0ull;
	s->pair = choose_pair();
	s->extent_block = vc->extent_block;
	s->extent_blocks = vc->extent_blocks;
	s->data_pfn = vc->pfn + (channel_offset(channel_type(CHANNEL_BLOCK),
						CHANNEL_QUEUES_MAX) >>
				 ABI_PAGE_SHIFT);
	if (channel_serve(&s->channel, base, handle, CHANNEL_BLOCK, &who) !=
	    CHANNEL_OPEN)
		return false;
	serving |= 1u << handle;
	return true;
}

void block_detach(unsigned handle)
{
	servers[handle].detaching = true;
	serving &= ~(1u << handle);
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

/* Each kind has its pages: the disk may not write where a client keeps what it
 * wrote. */
static bool page_fits(const struct block_request *r)
{
	return r->op == BLOCK_READ ? r->data_page < BLOCK_READ_PAGES
				   : r->data_page >= BLOCK_READ_PAGES &&
					     r->data_page < BLOCK_DATA_PAGES;
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
		if (!page_fits(r))
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

/* Does it have to wait for an earlier one? */
static bool held(const struct server *s, const struct request *r)
{
	if (r->op != BLOCK_FLUSH && s->pending[r->block % HASHES] == 1)
		return false; /* its own */
	for (uint64_t used = ~s->free; used != 0; used &= used - 1) {
		const struct request *e = &s->request[__builtin_ctzll(used)];

		if ((e->state != WAITING && e->state != AT_DISK) ||
		    e->arrival >= r->arrival)
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

static bool to_disk(struct server *s, struct request *r)
{
	uint32_t cookie = s->channel.handle << 8 | (uint32_t)(r - s->request);
	uint8_t opcode = r->op == BLOCK_READ    ? NVME_READ
			 : r->op == BLOCK_WRITE ? NVME_WRITE
						: NVME_FLUSH;

	if (!nvme_submit(s->pair, opcode, s->extent_block + r->block,
			 s->data_pfn + r->data_page, r->fua, cookie))
		return false;
	r->state = AT_DISK;
	s->at_disk++;
	return true;
}

/* Each request of a client passes here, once. */
__attribute__((noinline)) static void
block_serve_request(struct server *s, const struct block_request *from)
{
	unsigned n = (unsigned)__builtin_ctzll(s->free);
	struct request *r = &s->request[n];

	s->free &= ~(1ull << n);
	r->op = from->op;
	r->fua = (from->flags & BLOCK_FLAG_FUA) != 0;
	r->data_page = from->data_page;
	r->sequence = from->sequence;
	r->block = from->block;
	r->arrival = s->arrivals++;
	r->status = check(s, from);
	if (r->status != BLOCK_OK) {
		r->state = FINISHED;
		line_up(&s->finished, n);
		return;
	}
	r->state = WAITING;
	if (r->op != BLOCK_FLUSH)
		s->pending[r->block % HASHES]++;
	if (held(s, r) || !to_disk(s, r))
		line_up(&s->waiting, n);
}

static bool take(struct server *s)
{
	struct queue *q = &s->channel.queue[BLOCK_QUEUE_REQUEST];
	bool any = false;

	/* At most a queue's worth in one pass, whatever the client does. */
	for (unsigned i = 0; i < BLOCK_SLOTS && s->free != 0; i++) {
		struct block_request request;

		if (!queue_remove(q, &request))
			break;
		block_serve_request(s, &request);
		any = true;
	}
	return any;
}

/* Those that waited, in their order; what still has to stays in line. */
static bool submit(struct server *s)
{
	bool any = false, full = false;

	for (unsigned left = s->waiting.count; left > 0; left--) {
		unsigned n = line_first(&s->waiting);
		struct request *r = &s->request[n];

		line_drop(&s->waiting);
		if (!full && !held(s, r)) {
			full = !to_disk(s, r);
			any |= !full;
		}
		if (r->state == WAITING)
			line_up(&s->waiting, n);
	}
	return any;
}

static bool answer(struct server *s)
{
	struct queue *q = &s->channel.queue[BLOCK_QUEUE_RESPONSE];
	bool any = false;

	while (s->finished.count > 0) {
		unsigned n = line_first(&s->finished);
		struct request *r = &s->request[n];
		struct block_response response = {
			.sequence = r->sequence,
			.status = r->status,
			.done_ns = now_ns,
		};

		if (!queue_put(q, &response))
			break;
		line_drop(&s->finished);
		r->state = FREE;
		s->free |= 1ull << n;
		answered++;
		any = true;
	}
	(void)queue_publish(q);
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
	line_up(&s->finished, cookie & 0xff);
	/* The client goes on with these while more are looked at. */
	if (s->finished.count >= ANSWER_AT && !s->detaching)
		(void)answer(s);
}

bool block_run(uint64_t now)
{
	static unsigned turn; /* who comes first changes: fairness */
	uint32_t later, sooner;
	bool any = false;

	now_ns = now;
	turn = (turn + 1) % CHANNEL_SLOTS;
	later = serving & ((1u << turn) - 1);
	sooner = serving & ~later;
	for (unsigned half = 0; half < 2; half++) {
		FOR_EACH(n, half == 0 ? sooner : later)
		{
			struct server *s = &servers[n];

			/* In order of arrival: those that waited first. */
			if (s->waiting.count > 0)
				any |= submit(s);
			any |= take(s);
			if (s->finished.count > 0)
				any |= answer(s);
		}
	}
	nvme_tell();
	return any;
}

bool block_sleep(void)
{
	bool empty = true;

	FOR_EACH(n, serving)
	{
		/* One that is full up takes nothing: it waits for the disk. */
		if (servers[n].free != 0)
			empty &= queue_sleep(
				&servers[n].channel.queue[BLOCK_QUEUE_REQUEST]);
	}
	return empty;
}

void block_awake(void)
{
	FOR_EACH(n, serving)
	queue_awake(&servers[n].channel.queue[BLOCK_QUEUE_REQUEST]);
}

bool block_blocked(void)
{
	FOR_EACH(n, serving)
	{
		if (servers[n].finished.count > 0)
			return true;
	}
	return false;
}

uint64_t block_answered(void)
{
	return answered;
}

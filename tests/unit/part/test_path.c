/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole block path on the host: guest/client.c and io/block.c on a real
 * channel, over a disk with a volatile cache in each controller, with paths
 * that die and change at random.  What must hold at every step:
 *
 *   - no write reaches the disk after a younger one to the same block
 *   - a block never again holds less than what a flush answered OK covers
 *   - a read gives what was written before it, or something younger
 *   - each request is answered once, and all are in the end
 *
 * A block's data is a version number, counted up by the writer.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "support.h"

#include "guest/client.h"
#include "io/block.h"
#include "io/nvme.h"

#define HANDLE 3
#define BLOCKS 8 /* few, so that requests meet */
#define STEPS  6000
#define SEEDS  60
#define CALLS  256 /* requests of which the outcome is remembered */

static uint64_t seed, random_state;

static unsigned chance(unsigned n)
{
	return (unsigned)(test_random(&random_state) % n);
}

/* ---- the disk ---- */

struct command {
	bool used;
	uint8_t opcode;
	uint64_t block, pfn;
	bool fua;
	uint32_t cookie;
	uint64_t submitted; /* tick */
};
static struct {
	uint64_t medium[BLOCKS];
	bool cached[BLOCKS]; /* in the controller in use */
	uint64_t cache[BLOCKS], cached_at[BLOCKS];
	uint64_t youngest[BLOCKS];  /* ever written */
	uint64_t committed[BLOCKS]; /* promised */
	struct command command[NVME_OUTSTANDING];
	uint64_t tick;
	bool errors; /* may fail writes */
} disk;

uint64_t nvme_blocks(void)
{
	return 1000 + BLOCKS;
}

unsigned nvme_pairs(void)
{
	return 1;
}

void nvme_tell(void)
{
}

bool nvme_submit(unsigned pair, uint8_t opcode, uint64_t block, uint64_t pfn,
		 bool fua, uint32_t cookie)
{
	cr_assert_eq(pair, 0);
	for (unsigned i = 0; i < NVME_OUTSTANDING; i++) {
		struct command *c = &disk.command[i];

		/* Nobody else looks after this. */
		cr_assert(!c->used || c->block != block ||
				  (c->opcode == NVME_READ &&
				   opcode == NVME_READ) ||
				  opcode == NVME_FLUSH ||
				  c->opcode == NVME_FLUSH,
			  "seed %lu: two commands for block %lu", seed, block);
	}
	for (unsigned i = 0; i < NVME_OUTSTANDING; i++) {
		struct command *c = &disk.command[i];

		if (c->used)
			continue;
		*c = (struct command){true, opcode, block - 1000, pfn,
				      fua,  cookie, ++disk.tick};
		return true;
	}
	return false;
}

static void to_medium(unsigned block, uint64_t version)
{
	disk.medium[block] = version;
	cr_assert_geq(version, disk.committed[block],
		      "seed %lu: block %u goes back to %lu", seed, block,
		      version);
}

static void execute(const struct command *c)
{
	uint64_t *data = (uint64_t *)(c->pfn << 12);
	unsigned block = (unsigned)c->block;

	disk.tick++;
	if (c->opcode == NVME_READ) {
		*data = disk.cached[block] ? disk.cache[block]
					   : disk.medium[block];
	} else if (c->opcode == NVME_WRITE) {
		cr_assert_geq(*data, disk.youngest[block],
			      "seed %lu: block %u: %lu after %lu", seed, block,
			      *data, disk.youngest[block]);
		disk.youngest[block] = *data;
		/* What was there before went into the same line. */
		if (!disk.cached[block])
			disk.cached_at[block] = disk.tick;
		disk.cached[block] = !c->fua;
		disk.cache[block] = *data;
		if (c->fua)
			to_medium(block, *data);
	} else {
		/* Only what had completed when the flush was submitted. */
		for (unsigned b = 0; b < BLOCKS; b++) {
			if (!disk.cached[b] || disk.cached_at[b] > c->submitted)
				continue;
			disk.cached[b] = false;
			to_medium(b, disk.cache[b]);
		}
	}
}

static bool tainted[BLOCKS]; /* a write of it failed */

static void complete_one(void)
{
	struct command *c = &disk.command[chance(NVME_OUTSTANDING)];

	if (!c->used)
		return;
	c->used = false;
	if (disk.errors && c->opcode == NVME_WRITE && chance(20) == 0) {
		tainted[c->block] = true;
		block_done(c->cookie, NVME_EIO);
		return;
	}
	execute(c);
	block_done(c->cookie, NVME_OK);
}

/* The path dies: some commands were still executed, some of the cache reaches
 * the medium, nobody is told. */
static void disk_dies(void)
{
	for (unsigned i = 0; i < NVME_OUTSTANDING; i++) {
		if (disk.command[i].used && chance(2) == 0)
			execute(&disk.command[i]);
		disk.command[i].used = false;
	}
	for (unsigned b = 0; b < BLOCKS; b++) {
		if (disk.cached[b] && chance(2) == 0)
			to_medium(b, disk.cache[b]);
		disk.cached[b] = false;
	}
}

/* ---- the client ---- */

static struct client client;
static uint64_t version[BLOCKS];  /* last given to a write */
static uint64_t answered[BLOCKS]; /* youngest write that ended well */

static struct call {
	bool open;
	uint16_t op;
	unsigned block;
	uint64_t version; /* written, or the least that a read may give */
	uint64_t covers[BLOCKS];
} calls[CALLS];
static uint64_t made, ended;

static void done(uint32_t cookie, uint32_t status, const void *bytes)
{
	struct call *call = &calls[cookie];

	cr_assert(call->open, "seed %lu: answered twice", seed);
	call->open = false;
	ended++;
	if (call->op == BLOCK_WRITE) {
		if (status == BLOCK_OK && call->version > answered[call->block])
			answered[call->block] = call->version;
	} else if (call->op == BLOCK_READ) {
		uint64_t read = *(const uint64_t *)bytes;

		cr_assert(tainted[call->block] || read >= call->version,
			  "seed %lu: block %u: read %lu, %lu was written", seed,
			  call->block, read, call->version);
	} else if (status == BLOCK_OK) {
		for (unsigned b = 0; b < BLOCKS; b++) {
			cr_assert_geq(disk.medium[b], call->covers[b],
				      "seed %lu: block %u: %lu was flushed",
				      seed, b, call->covers[b]);
			if (call->covers[b] > disk.committed[b])
				disk.committed[b] = call->covers[b];
		}
	} else {
		cr_assert(disk.errors);
	}
}

static struct call *free_call(uint32_t *cookie)
{
	for (uint32_t i = 0; i < CALLS; i++) {
		if (!calls[i].open) {
			*cookie = i;
			return &calls[i];
		}
	}
	return NULL;
}

static void make_write(struct call *call, uint32_t cookie)
{
	uint64_t page[BLOCK_BYTES / 8] = {version[call->block] + 1};

	call->version = page[0];
	if (!client_write(&client, call->block, page,
			  chance(6) == 0 ? BLOCK_FLAG_FUA : 0, 0, page[0],
			  cookie))
		return;
	version[call->block]++;
	call->open = true;
}

static void make_request(void)
{
	uint32_t cookie;
	struct call *call = free_call(&cookie);

	if (call == NULL)
		return;
	call->block = chance(BLOCKS);
	switch (chance(8)) {
	case 0:
		call->op = BLOCK_FLUSH;
		memcpy(call->covers, answered, sizeof(answered));
		call->open = client_flush(&client, cookie);
		break;
	case 1:
	case 2:
		call->op = BLOCK_READ;
		call->version = version[call->block];
		call->open = client_read(&client, call->block, cookie);
		break;
	default:
		call->op = BLOCK_WRITE;
		make_write(call, cookie);
		break;
	}
	made += call->open;
}

/* ---- the paths ---- */

static enum {
	UP,
	DYING,
	DRAINING,
	DOWN
} path;
static uint32_t generation;

static void hand_over(void)
{
	const struct channel_identity who =
		test_identity(++generation, BLOCK_CHANNEL_PAGES);

	memset(test_channel, 0, 4096);
	test_view.number = who.server;
	test_view.channel[HANDLE].peer = who.client;
	test_view.channel[HANDLE].generation = generation;
	cr_assert(block_attach(HANDLE, test_channel, &test_view));
}

static void path_step(void)
{
	struct channel_identity who =
		test_identity(generation, BLOCK_CHANNEL_PAGES);

	switch (path) {
	case UP:
		if (chance(150) != 0)
			break;
		if (chance(2) == 0) {
			disk_dies();
			path = DYING;
		} else {
			block_detach(HANDLE);
			path = DRAINING;
		}
		break;
	case DYING: /* until somebody notices, the client goes on */
		if (chance(10) == 0) {
			client_pause(&client);
			path = DOWN;
		}
		break;
	case DRAINING:
		if (client.path != PATH_DOWN && chance(5) == 0)
			client_pause(&client);
		if (client.path == PATH_DOWN && block_drained(HANDLE)) {
			/* Its cache is not this channel's any more. */
			disk_dies();
			path = DOWN;
		}
		break;
	case DOWN:
		if (chance(10) != 0)
			break;
		hand_over();
		who.generation = generation;
		cr_assert_eq(client_resume(&client, test_channel, 5, &who),
			     CHANNEL_OPEN);
		path = UP;
		break;
	}
}

static void step(void)
{
	test_now_ns += 100;
	switch (chance(4)) {
	case 0:
		make_request();
		break;
	case 1:
		client_run(&client, test_now_ns);
		break;
	case 2:
		if (path == UP || path == DRAINING)
			(void)block_run(test_now_ns);
		break;
	default:
		if (path == UP || path == DRAINING)
			for (unsigned i = 0; i < 8; i++)
				complete_one();
		break;
	}
}

static void run(uint64_t with_seed, bool errors)
{
	struct channel_identity who = test_identity(1, BLOCK_CHANNEL_PAGES);

	support_reset();
	seed = with_seed;
	random_state = with_seed * 2654435761u + 1;
	memset(&disk, 0, sizeof(disk));
	memset(version, 0, sizeof(version));
	memset(answered, 0, sizeof(answered));
	memset(tainted, 0, sizeof(tainted));
	memset(calls, 0, sizeof(calls));
	made = ended = 0;
	disk.errors = errors;
	client_init(&client, done);
	test_view.channel[HANDLE] = (struct view_channel){
		.id = 7,
		.type = CHANNEL_BLOCK,
		.pfn = (uintptr_t)test_channel >> 12,
		.pages = BLOCK_CHANNEL_PAGES - BLOCK_WRITE_PAGES,
		.client_pages = BLOCK_WRITE_PAGES,
		.server = 1,
		.extent_block = 1000,
		.extent_blocks = BLOCKS,
	};
	generation = 0;
	hand_over();
	cr_assert_eq(client_resume(&client, test_channel, 5, &who),
		     CHANNEL_OPEN);
	path = UP;
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		path_step();
	}
	/* Then in peace: all ends. */
	while (path != UP) {
		path_step();
		if (path == DRAINING) {
			(void)block_run(test_now_ns);
			complete_one();
		}
	}
	for (unsigned i = 0; i < 4000 && ended < made; i++) {
		client_run(&client, test_now_ns);
		(void)block_run(test_now_ns);
		complete_one();
	}
	cr_assert_eq(ended, made, "seed %lu: %lu of %lu answered", seed, ended,
		     made);
	cr_assert_gt(made, 100);
	cr_assert_eq(client.odd, 0);
}

Test(path, s74_no_write_is_lost_or_comes_late)
{
	for (uint64_t s = 1; s <= SEEDS; s++)
		run(s, false);
}

Test(path, s74_nor_when_writes_fail)
{
	for (uint64_t s = 1; s <= SEEDS; s++)
		run(s, true);
}

/* ---- the server alone ---- */

static void ask(struct channel *ch, struct block_request r)
{
	cr_assert(queue_insert(&ch->queue[BLOCK_QUEUE_REQUEST], &r));
	(void)block_run(test_now_ns);
}

static uint32_t status_of(struct channel *ch, uint64_t sequence)
{
	struct block_response r = {.sequence = 0};

	(void)block_run(test_now_ns);
	cr_assert(queue_remove(&ch->queue[BLOCK_QUEUE_RESPONSE], &r));
	cr_assert_eq(r.sequence, sequence);
	return r.status;
}

Test(path, requests_are_checked)
{
	struct channel_identity who = test_identity(1, BLOCK_CHANNEL_PAGES);
	struct channel ch;
	uint64_t n = 0;

	run(1, false);
	client_pause(&client);
	hand_over();
	who.generation = generation;
	cr_assert_eq(channel_attach(&ch, test_channel, 5, CHANNEL_BLOCK, &who),
		     CHANNEL_OPEN);
	ask(&ch, (struct block_request){
			 .sequence = ++n, .op = BLOCK_READ, .block = BLOCKS});
	cr_expect_eq(status_of(&ch, n), BLOCK_ERANGE);
	ask(&ch, (struct block_request){.sequence = ++n,
					.op = BLOCK_WRITE,
					.block = ~0ull - 999,
					.data_page = BLOCK_READ_PAGES});
	cr_expect_eq(status_of(&ch, n), BLOCK_ERANGE);
	ask(&ch, (struct block_request){.sequence = ++n, .op = 9});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
	ask(&ch, (struct block_request){.sequence = ++n, .op = 0});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
	ask(&ch, (struct block_request){.sequence = ++n,
					.op = BLOCK_READ,
					.data_page = BLOCK_READ_PAGES});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
	ask(&ch, (struct block_request){.sequence = ++n,
					.op = BLOCK_WRITE,
					.data_page = BLOCK_READ_PAGES - 1});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
	ask(&ch, (struct block_request){.sequence = ++n,
					.op = BLOCK_WRITE,
					.data_page = BLOCK_DATA_PAGES});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
	ask(&ch, (struct block_request){.sequence = ++n,
					.op = BLOCK_WRITE,
					.flags = 2,
					.data_page = BLOCK_READ_PAGES});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
	ask(&ch, (struct block_request){
			 .sequence = ++n, .op = BLOCK_FLUSH, .reserved1 = 1});
	cr_expect_eq(status_of(&ch, n), BLOCK_EINVAL);
}

/* A client that sends for ever and takes no answer holds up only itself. */
Test(path, s65_a_client_that_takes_no_answers_fills_only_its_own_table)
{
	struct channel_identity who = test_identity(1, BLOCK_CHANNEL_PAGES);
	struct block_request r = {.op = BLOCK_READ};
	struct channel ch;
	unsigned accepted = 0;

	run(1, false);
	client_pause(&client);
	hand_over();
	who.generation = generation;
	cr_assert_eq(channel_attach(&ch, test_channel, 5, CHANNEL_BLOCK, &who),
		     CHANNEL_OPEN);
	for (unsigned i = 0; i < 10000; i++) {
		accepted += queue_insert(&ch.queue[BLOCK_QUEUE_REQUEST], &r);
		(void)block_run(test_now_ns);
		complete_one();
	}
	cr_expect_lt(accepted, 200);
	cr_expect(block_blocked());
}

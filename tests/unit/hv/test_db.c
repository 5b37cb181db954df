/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The promises of hv/ultravisor/db.h, against a plain array of owners. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "abi/control.h"
#include "ultravisor/db.h"

#define POOL_PAGES 512
#define POOL_PFN   0x123
#define FRAMES     0x90000u /* 2.25 GiB: two whole blocks of tier G and a part */

static uint8_t pool[POOL_PAGES][4096] __attribute__((aligned(4096)));
static struct db db;
static uint64_t free_number, a, b;

static void setup(void)
{
	memset(pool, 0, sizeof(pool));
	cr_assert_eq(db_init(&db, pool, POOL_PFN, POOL_PAGES), CONTROL_OK);
	cr_assert_eq(db_begin(&db), CONTROL_OK);
	cr_assert_eq(db_part_create(&db, (char[16]){"available"},
				    (char[16]){""}, PART_AVAILABLE,
				    &free_number),
		     CONTROL_OK);
	cr_assert_eq(db_part_create(&db, (char[16]){"a"}, (char[16]){"guest"},
				    PART_GUEST, &a),
		     CONTROL_OK);
	cr_assert_eq(db_part_create(&db, (char[16]){"b"}, (char[16]){"guest"},
				    PART_GUEST, &b),
		     CONTROL_OK);
	cr_assert_eq(db_map_set(&db, 0, FRAMES, free_number), CONTROL_OK);
	db_commit(&db, a, 1);
	cr_assert_null(db_scan(&db));
}

TestSuite(database, .init = setup);

static unsigned pages_used(void)
{
	unsigned used = 0;

	for (unsigned i = 0; i < POOL_PAGES; i++)
		used += db.use[i] != DB_PAGE_FREE;
	return used;
}

Test(database, s28_a_whole_block_costs_one_word_and_merges_back)
{
	unsigned before = pages_used();
	enum db_tier tier;

	cr_assert_eq(db_map_word(&db, 0x40000, &tier),
		     MAP_WORD(MAP_OWNED, free_number));
	cr_assert_eq(tier, DB_TIER_G);

	db_begin(&db);
	cr_assert_eq(db_map_set(&db, 0x40201, 1, a), CONTROL_OK);
	db_commit(&db, a, 2);
	cr_assert_null(db_scan(&db));
	cr_assert_eq(pages_used(), before + 2, "one index page for each split");
	cr_assert_eq(db_owner(&db, 0x40201), a);
	cr_assert_eq(db_owner(&db, 0x40200), free_number);
	cr_assert_eq(db_owner(&db, 0x40202), free_number);

	db_begin(&db);
	cr_assert_eq(db_map_set(&db, 0x40201, 1, free_number), CONTROL_OK);
	db_commit(&db, a, 3);
	cr_assert_null(db_scan(&db));
	cr_assert_eq(pages_used(), before);
	db_map_word(&db, 0x40201, &tier);
	cr_assert_eq(tier, DB_TIER_G);
}

Test(database, s27_a_number_is_the_frame_of_the_descriptor)
{
	const struct part_desc *desc = db_desc(&db, a);

	cr_assert_eq((const void *)desc, (const void *)pool[a - POOL_PFN]);
	cr_assert_eq(desc->number, a);
	cr_assert_str_eq(desc->name, "a");
	cr_assert_eq(NUMBER(NUMBER_G(a), NUMBER_M(a), NUMBER_K(a)), a);
}

Test(database, s22_an_aborted_transaction_leaves_no_mark)
{
	static uint8_t copy[POOL_PAGES][4096];
	static uint8_t use[DB_POOL_PAGES_MAX];
	struct db_chan *chan;
	uint64_t pfn, c;

	memcpy(copy, pool, sizeof(pool));
	memcpy(use, db.use, sizeof(use));
	db_begin(&db);
	cr_assert_eq(db_alloc(&db, free_number, 700, 1, a, &pfn), CONTROL_OK);
	cr_assert_eq(db_chan_create(&db, &chan), CONTROL_OK);
	chan->client = a;
	db_part_mut(&db, b)->flags = RES_RUNNING;
	cr_assert_eq(db_part_create(&db, (char[16]){"c"}, (char[16]){""},
				    PART_GUEST, &c),
		     CONTROL_OK);
	db_abort(&db);
	cr_assert_null(db_scan(&db));
	cr_assert_arr_eq(use, db.use, sizeof(use));
	for (unsigned i = 0; i < POOL_PAGES; i++) {
		if (use[i] != DB_PAGE_FREE)
			cr_assert_arr_eq(copy[i], pool[i], 4096, "page %u", i);
	}
	cr_assert_null(db_part(&db, c));
	cr_assert_eq(db_owner(&db, pfn), free_number);
}

Test(database, s16_what_a_dead_ultravisor_left_open_is_dropped)
{
	struct db again;
	uint64_t pfn;

	db_begin(&db);
	cr_assert_eq(db_alloc(&db, free_number, 3, 1, a, &pfn), CONTROL_OK);
	db_commit(&db, a, 2);
	db_begin(&db);
	cr_assert_eq(db_map_set(&db, pfn, 3, b), CONTROL_OK);
	cr_assert_eq(db_adopt(&again, pool, POOL_PFN, POOL_PAGES), CONTROL_OK);
	cr_assert_null(db_scan(&again));
	cr_assert_eq(db_owner(&again, pfn), a);
	memset(pool[0], 0, 8);
	cr_assert_eq(db_adopt(&again, pool, POOL_PFN, POOL_PAGES),
		     CONTROL_EIMAGE);
}

Test(database, allocation_is_aligned_and_prefers_split_blocks)
{
	enum db_tier tier;
	uint64_t pfn, small;

	db_begin(&db);
	cr_assert_eq(db_alloc(&db, free_number, 512, 512, a, &pfn), CONTROL_OK);
	cr_assert_eq(pfn % 512, 0);
	cr_assert_eq(db_map_word(&db, pfn, &tier), MAP_WORD(MAP_OWNED, a));
	cr_assert_eq(tier, DB_TIER_M);
	cr_assert_eq(db_alloc(&db, free_number, 1, 1, b, &small), CONTROL_OK);
	cr_assert_eq(db_alloc(&db, free_number, 4, 4, b, &pfn), CONTROL_OK);
	cr_assert_eq(pfn / 512, small / 512,
		     "the block that was split already");
	cr_assert_eq(db_alloc(&db, free_number, FRAMES, 1, b, &pfn),
		     CONTROL_ENOMEM);
	cr_assert_eq(db_frames_of(&db, b), 5);
	db_commit(&db, a, 2);
	cr_assert_null(db_scan(&db));
}

Test(database, names_numbers_and_owned_memory_are_guarded)
{
	uint64_t pfn, c;

	db_begin(&db);
	cr_assert_eq(db_part_create(&db, (char[16]){"a"}, (char[16]){""},
				    PART_GUEST, &c),
		     CONTROL_EEXIST);
	cr_assert_eq(db_alloc(&db, free_number, 1, 1, a, &pfn), CONTROL_OK);
	cr_assert_eq(db_part_destroy(&db, a), CONTROL_ESTATE);
	cr_assert_eq(db_map_set(&db, pfn, 1, free_number), CONTROL_OK);
	cr_assert_eq(db_part_destroy(&db, a), CONTROL_OK);
	db_commit(&db, b, 2);
	cr_assert_null(db_scan(&db));
	cr_assert_eq(db_part_by_name(&db, "a"), 0);
	cr_assert_eq(db_map_set(&db, UINT64_MAX, 2, b), CONTROL_EVALUE);
}

Test(database, s29_the_scan_sees_a_second_owner_a_lost_page_and_a_wrong_count)
{
	const struct db_version *v = db_version(&db);
	uint64_t *map = (uint64_t *)pool[v->map_pfn - POOL_PFN];
	uint64_t saved = map[0];

	map[0] = MAP_WORD(MAP_OWNED, 0x777);
	cr_assert_not_null(db_scan(&db));
	map[0] = MAP_NONE;
	cr_assert_not_null(db_scan(&db));
	map[0] = MAP_WORD(MAP_INDEX, v->map_pfn);
	cr_assert_not_null(db_scan(&db));
	map[0] = saved;
	cr_assert_null(db_scan(&db));
	db.use[POOL_PAGES - 1] = DB_PAGE_LIVE;
	cr_assert_not_null(db_scan(&db));
}

Test(database, s20_the_scan_sees_what_has_no_owner_that_lives)
{
	struct db_bus *bus;
	struct db_dev *dev;
	struct db_irq *irq;
	struct db_cpu *cpu;
	uint64_t id;

	db_begin(&db);
	cr_assert_eq(db_cpu_create(&db, 1, 1, free_number), CONTROL_OK);
	cr_assert_eq(db_dev_create(&db, &dev), CONTROL_OK);
	dev->vector = 0x40;
	dev->vectors = 2;
	cr_assert_eq(db_dev_give(&db, dev->id, free_number, RES_FREE),
		     CONTROL_OK);
	cr_assert_eq(db_bus_create(&db, &id, &bus), CONTROL_OK);
	bus->client = a;
	bus->flags = RES_RUNNING;
	cpu = db_cpu_mut(&db, 1);
	irq = db_irq_mut(&db, 0x41);
	db_commit(&db, a, 2);
	cr_assert_null(db_scan(&db), "%s", db_scan(&db));
	cr_assert_eq(irq->owner, free_number);
	cr_assert_eq(irq->device, dev->id);
	cr_assert_eq(irq->entry, 1);

	irq->owner = a; /* its device is another's */
	cr_assert_not_null(db_scan(&db));
	irq->owner = free_number;
	cpu->owner = 0x777;
	cr_assert_not_null(db_scan(&db));
	cpu->owner = free_number;
	cpu->window[3].number = 0x777;
	cr_assert_not_null(db_scan(&db));
	cpu->window[3].number = b;
	bus->server = 0x777;
	cr_assert_not_null(db_scan(&db));
	bus->server = b;
	cr_assert_null(db_scan(&db));

	/* Who goes leaves no window behind. */
	db_begin(&db);
	cr_assert_eq(db_bus_mut(&db, id)->server, b);
	db_bus_mut(&db, id)->server = 0;
	cr_assert_eq(db_part_destroy(&db, b), CONTROL_OK);
	db_commit(&db, a, 3);
	cr_assert_null(db_scan(&db), "%s", db_scan(&db));
	cr_assert_eq(db_cpu(&db, 1)->window[3].number, 0);
}

/* Random transactions, some aborted, equal an array of owners. */
Test(database, s29_every_frame_has_the_owner_that_a_plain_array_says)
{
	static uint64_t model[FRAMES], shadow[FRAMES];
	uint64_t owners[] = {0, free_number, a, b};
	uint64_t seed = 42;

	for (unsigned i = 0; i < FRAMES; i++)
		model[i] = free_number;
	for (unsigned round = 0; round < 300; round++) {
		memcpy(shadow, model, sizeof(model));
		cr_assert_eq(db_begin(&db), CONTROL_OK);
		bool failed = false;
		for (unsigned op = 0; op < 4 && !failed; op++) {
			seed = seed * 6364136223846793005u +
			       1442695040888963407u;
			uint64_t bits = seed >> 20;
			uint64_t pfn = bits % FRAMES;
			uint64_t owner = owners[(bits >> 22) & 3];
			uint64_t n = 1 + (bits >> 24) % (bits & 1 ? 3000 : 3);
			uint64_t step = bits & 2 ? 512 : 1;

			pfn -= pfn % step;
			n += (step - n % step) % step;
			if (pfn + n > FRAMES)
				n = FRAMES - pfn;
			failed = db_map_set(&db, pfn, n, owner) != CONTROL_OK;
			for (uint64_t i = 0; i < n && !failed; i++)
				shadow[pfn + i] = owner;
		}
		if (failed || seed >> 61 == 0) {
			db_abort(&db);
		} else {
			db_commit(&db, a, round);
			memcpy(model, shadow, sizeof(model));
		}
		cr_assert_null(db_scan(&db), "round %u: %s", round,
			       db_scan(&db));
		for (unsigned i = 0; i < 2000; i++) {
			uint64_t pfn = (seed >> 13) + i * 293;

			pfn %= FRAMES;
			cr_assert_eq(db_owner(&db, pfn), model[pfn]);
		}
	}
}
